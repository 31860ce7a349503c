"""Gradients beside differences: a verdict for every input.

The outputs are weighted at random (the gradient of a plain sum hides errors that cancel).  Analytic and numeric
derivative agree if they do so within the relative tolerance and the error bar of the numeric one, which is estimated
each time: there is no absolute tolerance for a small gradient to hide below.  Where only one output depends on what is
moved, its weight is divided out of the numbers that are told.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_core import Tensor, enable_grad, func, grad

from .coverage import coverage, direction
from .finite_differences import RESOLUTION, Differences, Slope
from .float64_shadow import Named, Run, values_of
from .moves import Direction, Element, Move
from .report import FAIL, INCONCLUSIVE, PASS, InputRecord

__all__ = ["BackwardError", "compare", "together"]

VANISHING = 1e-14
"""A gradient this small beside the function is zero to rounding."""

MOST_WRONG = 32
"""After so many wrong elements in all, one of each further input is enough: it takes time to be sure of each."""

TOGETHER = 6
"""In so many random directions all inputs are moved at once, besides the one in which all grow alike."""

COARSE = 1e-3
"""The relative error that is accepted there: what is no slope at a kink is off by much more."""


class BackwardError(Exception):
    """The backward pass raised an error (its cause) where the function itself did not."""


def compare(
    run: Run,
    leaves: Named,
    rng: np.random.Generator,
    *,
    order: int = 1,
    rtol: float = 1e-6,
    mode: str = "auto",
    forward: bool = False,
) -> list[InputRecord]:
    """A record for every leaf and order, up to the first order at which not all is well."""
    records: list[InputRecord] = []
    with np.errstate(all="ignore"):
        one = _Comparison(run, leaves, rng, rtol)
        while True:
            records += one.reverse(mode)
            if forward and one.order == 1:
                records += one.forward()
            if one.order == order or any(r.verdict != PASS for r in records):
                return records
            one = one.of_gradient()


def together(run: Run, leaves: Named, rng: np.random.Generator) -> InputRecord | None:
    """The record of a direction through all leaves at once in which the gradient is no slope; None if there is none.

    At a kink a gradient may be right by every element alone, and yet not be one: of two equal maxima each rises alone
    with slope 1, but both together do not with slope 2.  Only of single operations is that a fault.  Each may choose
    its slopes at a kink, and where several meet, in a difference or a product, their choices together need not be the
    slopes of anything (``x + y + 2 * |x - y|``, with x + y as relu(x + y) - relu(-x - y), at 0).
    """
    with np.errstate(all="ignore"):
        return _Comparison(run, leaves, rng, COARSE).together()


def _largest(a: Any) -> float:
    """The largest finite magnitude, 0 if there is none."""
    finite = np.abs(a[np.isfinite(a)])
    return float(finite.max()) if finite.size else 0.0


def _weights(values: list[np.ndarray], least: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Random weights of the outputs, none near zero; several outputs are first brought to one scale.

    They are few-digit numbers times powers of two, exact in every dtype.  What is infinite gets none: it has no
    derivative that differences could see, and in what it goes into it is masked.
    """
    weights = []
    for value, size in zip(values, least, strict=True):
        scale = _largest(value) if _largest(value) > VANISHING * _largest(size) else _largest(size)
        unit = 2.0 ** -round(math.log2(scale)) if len(values) > 1 and scale > 0 else 1.0
        drawn = rng.choice([-1, 1], value.shape) * rng.integers(32, 97, value.shape) / 64 * unit
        weights.append(np.where(np.isinf(value), 0.0, drawn))
    return weights


def _gradients(run: Run, weights: list[np.ndarray], leaves: Named, create_graph: bool) -> list[Any]:
    """The gradients of the weighted outputs by the leaves; None where no path leads to one."""
    with enable_grad():
        pairs = [
            (o, w.astype(o.dtype))
            for o, w in zip(run(), weights, strict=True)
            if isinstance(o, Tensor) and o.requires_grad
        ]
        if not pairs:
            return [None] * len(leaves)
        outputs, cotangents = map(list, zip(*pairs, strict=True))
        try:
            return list(grad(outputs, [p for _, p in leaves], cotangents, create_graph=create_graph, allow_unused=True))
        except Exception as error:
            raise BackwardError(f"{type(error).__name__}: {error}") from error


class _Comparison:
    """The gradients of a function by all leaves, beside the differences.

    Attributes
    ----------
    order : of these derivatives
    sizes : for each leaf, what rounding errors of its gradient are relative to
    """

    def __init__(
        self,
        run: Run,
        leaves: Named,
        rng: np.random.Generator,
        rtol: float,
        order: int = 1,
        least: list[np.ndarray] | None = None,
        factor: float = 1.0,
    ) -> None:
        """`least` is as in `Differences`; `factor` is what the outputs are weighted with already."""
        values = values_of(run)
        least = [np.zeros(a.shape) for a in values] if least is None else least
        self._run, self._leaves, self._rng, self._rtol, self._factor = run, leaves, rng, rtol, factor
        self._weights = _weights(values, least, rng)
        self._gradients = _gradients(run, self._weights, leaves, create_graph=False)
        self._differences = Differences(lambda: values_of(run), self._weights, values, least)
        self._wrong = 0
        self.order = order
        self.sizes: list[np.ndarray] = []

    def of_gradient(self) -> _Comparison:
        """The same for the function whose outputs are these gradients."""

        def gradients() -> list[Any]:
            found = _gradients(self._run, self._weights, self._leaves, create_graph=True)
            return [np.zeros(p.shape) if g is None else g for g, (_, p) in zip(found, self._leaves, strict=True)]

        weight = self._differences.weight([])
        return _Comparison(
            gradients, self._leaves, self._rng, self._rtol, self.order + 1, self.sizes, self._factor * weight
        )

    def reverse(self, mode: str) -> list[InputRecord]:
        """A record for every leaf."""
        steepest = max(0.0 if g is None else _largest(g.array) for g in self._gradients)
        counts = coverage([p.array.size for _, p in self._leaves], mode)
        return [
            self._input(name, p, None if g is None else g.array, steepest, *count)
            for (name, p), g, count in zip(self._leaves, self._gradients, counts, strict=True)
        ]

    def _input(
        self, name: str, p: Tensor, gradient: np.ndarray | None, steepest: float, elements: int, directions: int
    ) -> InputRecord:
        claimed = np.zeros(p.shape) if gradient is None else gradient
        natural = max(steepest, self._natural([p]))
        scale = _largest(claimed)
        # A gradient that is zero to rounding has no scale of its own; that of all the others takes its place.
        vanishes = scale <= VANISHING * natural
        judge = self._judge(natural if vanishes else 0.0)
        worst = blank = InputRecord(name, p.shape, self.order, connected=gradient is not None)
        checked = kinks = wrong = 0
        sizes = np.full(p.shape, natural)
        for index in self._chosen(p.array, claimed, elements):
            found, slope = judge(Element(p, index), float(claimed[index]), blank, scale)
            found = replace(found, index=index)
            sizes[index] = natural if vanishes else slope.size / max(1.0, abs(float(p.array[index])))
            checked += 1
            kinks += found.kinks
            wrong += found.verdict == FAIL
            self._wrong += found.verdict == FAIL
            worst = found if worst is blank else max(worst, found, key=_badness)
            if wrong and self._wrong >= MOST_WRONG:
                break
        followed = bent = 0
        while followed < directions and not wrong:
            vector = direction(p.array, claimed, self._rng)
            if not vector.any():
                break
            found, _ = judge.along(Direction([p], [vector], [claimed]), blank)
            followed += 1
            if found.verdict == FAIL:
                found = judge.narrowed(p, vector, claimed, blank) or _unless_bent(found)
            bent += found.kinks
            wrong += found.verdict == FAIL
            worst = found if worst is blank else max(worst, found, key=_badness)
        self.sizes.append(sizes)
        note = _note(worst, kinks, bent, vanishes and scale > 0)
        left_out = int(np.count_nonzero(~np.isfinite(p.array)))
        return replace(
            worst, note=note, kinks=kinks, bent=bent, checked=checked, directions=followed, left_out=left_out
        )

    def _chosen(self, array: np.ndarray, claimed: np.ndarray, count: int) -> list[tuple[int, ...]]:
        """The elements to check: `count` of them, and the first without a finite gradient.

        Numbers that are infinite cannot be moved, and are left out.
        """
        if count == array.size and np.isfinite(array).all():
            return list(np.ndindex(array.shape))
        usable = np.flatnonzero(np.isfinite(array) | ~np.isfinite(claimed))
        undefined = np.flatnonzero(~np.isfinite(claimed))[:1]
        if count < len(usable):
            usable = self._rng.choice(usable, count, replace=False, shuffle=False)
        return [tuple(map(int, np.unravel_index(i, array.shape))) for i in np.union1d(usable, undefined)]

    def forward(self) -> list[InputRecord]:
        """A record for every leaf, of the forward derivative (``func.jvp``) in one direction."""
        records = []
        tensors = [p for _, p in self._leaves]
        for (name, p), g in zip(self._leaves, self._gradients, strict=True):
            claimed = np.zeros(p.shape) if g is None else g.array
            blank = InputRecord(name, p.shape, self.order, forward=True, directions=1)
            vector = direction(p.array, claimed, self._rng)
            if not vector.any():
                records.append(blank)
                continue
            tangents = [vector if t is p else np.zeros(t.shape) for t in tensors]
            _, slopes = func.jvp(self._as_function(), tuple(tensors), tuple(tangents))
            ahead = sum(float((w * s.array).sum()) for w, s in zip(self._weights, slopes, strict=True))
            back = float((claimed * vector).sum())
            size = float(np.linalg.norm(claimed * vector))
            found, slope = self._judge(size)(Direction([p], [vector], [claimed]), ahead, blank, size)
            if found.verdict == FAIL:
                a, b = ahead / (slope.weight or 1.0), back / (slope.weight or 1.0)
                found = replace(found, note=f"forward {a:.9g} (jvp), reverse {b:.9g} (vjp) in one direction")
            records.append(found)
        return records

    def together(self) -> InputRecord | None:
        """See :func:`together`."""
        leaves = [p for _, p in self._leaves]
        gradients = [np.zeros(p.shape) if g is None else g.array for g, p in zip(self._gradients, leaves, strict=True)]
        natural = self._natural(leaves)
        vanish = max(map(_largest, gradients)) <= VANISHING * natural
        judge, blank = self._judge(natural if vanish else 0.0), InputRecord("", (), self.order, directions=1)
        drawn = [
            [direction(p.array, g, self._rng) for p, g in zip(leaves, gradients, strict=True)] for _ in range(TOGETHER)
        ]
        alike, size = [(v != 0) * 1.0 for v in drawn[0]], max(1.0, *(_largest(p.array) for p in leaves))
        for vectors, reach in ((alike, size), *((vectors, 1.0) for vectors in drawn)):
            found, _ = judge.along(Direction(leaves, vectors, gradients, reach), blank)
            if found.verdict == FAIL:
                return found
        return None

    def _natural(self, leaves: list[Tensor]) -> float:
        """About how large a gradient by these may be."""
        return self._differences.size(leaves, self._rng) / max(1.0, *(_largest(p.array) for p in leaves))

    def _judge(self, natural: float) -> _Judge:
        return _Judge(self._differences, self._rtol, natural, self._factor)

    def _as_function(self) -> Any:
        """The function with the leaves as its arguments: for a call, they have the history of what is given."""

        def of_leaves(*given: Tensor) -> list[Any]:
            for (_, p), x in zip(self._leaves, given, strict=True):
                p.node = x.node
            try:
                return self._run()
            finally:
                for _, p in self._leaves:
                    p.node = None

        return of_leaves


class _Judge:
    """Says whether a derivative is right.

    `natural` is the scale of a gradient that has none of its own, or 0; `factor` what the outputs are weighted with
    already.
    """

    def __init__(self, differences: Differences, rtol: float, natural: float, factor: float) -> None:
        self._differences, self._rtol, self._natural, self._factor = differences, rtol, natural, factor

    def __call__(self, move: Move, claimed: float, blank: InputRecord, scale: float) -> tuple[InputRecord, Slope]:
        """The record, and the difference.

        `scale` is the size of the gradient that the derivative is part of.
        """
        slope = self._differences.slope(move, claimed, self._rtol)
        sides, kink = None, False
        if math.isfinite(claimed) and not self._agree(claimed, slope.value, slope.bar):
            span = self._differences.span(move)
            if not span.holds(claimed):
                wider = self._differences.span(move, claimed)
                span = wider if wider.holds(claimed) else span
            if span.kink:
                sides, kink = (span.low, span.high), span.holds(claimed)
            else:  # before this is called wrong: is the function noisier than its rounding?
                noise = self._differences.noise(move, slope.step) if slope.step else 0.0
                if noise and self._agree(claimed, slope.value, slope.bar + 10 * noise / slope.step):
                    slope = self._differences.slope(move, claimed, self._rtol, noise)
        nearest = min(max(claimed, sides[0]), sides[1]) if sides else slope.value
        record = replace(
            blank, analytic=claimed, numeric=slope.value, error_bar=slope.bar, sides=sides, kinks=int(kink),
            relative_error=_relative(claimed, nearest),
        )  # fmt: skip
        return _told(self._with_verdict(record, move, self._natural or scale), slope.weight * self._factor), slope

    def along(self, move: Direction, blank: InputRecord) -> tuple[InputRecord, Slope]:
        """The same for a direction."""
        parts = [np.where(v != 0, g * v, 0.0) for v, g in zip(move.vectors, move.gradients, strict=True)]
        scale = math.hypot(*(float(np.linalg.norm(part)) for part in parts))
        return self(move, sum(float(part.sum()) for part in parts), blank, scale)

    def narrowed(self, p: Tensor, vector: np.ndarray, gradient: np.ndarray, blank: InputRecord) -> InputRecord | None:
        """An element whose derivative is wrong, by halving a direction in which it is; None if that leads nowhere."""
        places = np.flatnonzero(vector)
        while len(places) > 1:
            halves = np.array_split(places, 2)
            errors = [self._error(p, half, vector, gradient) for half in halves]
            worse = int(errors[1] > errors[0])
            if errors[worse] <= 0:
                return None
            places = halves[worse]
        index = tuple(map(int, np.unravel_index(places[0], vector.shape)))
        record, _ = self(Element(p, index), float(gradient[index]), blank, abs(float(gradient[index])))
        return replace(record, index=index) if record.verdict == FAIL else None

    def _error(self, p: Tensor, places: np.ndarray, vector: np.ndarray, gradient: np.ndarray) -> float:
        """How far the derivative in a part of a direction is off, beyond what is allowed."""
        part = np.zeros(vector.shape)
        part.flat[places] = vector.flat[places]
        claimed = float((gradient * part).sum())
        move = Direction([p], [part], [gradient])
        slope = self._differences.slope(move, claimed, self._rtol)
        if not math.isfinite(slope.value) or self._agree(claimed, slope.value, slope.bar):
            return 0.0
        span = self._differences.span(move)
        return span.away(claimed) - span.error if span.kink else abs(claimed - slope.value)

    def _agree(self, analytic: float, numeric: float, bar: float) -> bool:
        return abs(analytic - numeric) <= self._rtol * max(abs(analytic), abs(numeric)) + bar

    def _with_verdict(self, r: InputRecord, move: Move, scale: float) -> InputRecord:
        if not math.isfinite(r.analytic):
            return replace(r, verdict=FAIL)
        if r.kinks:
            return r
        told = math.isfinite(r.numeric)
        agree = told and self._agree(r.analytic, r.numeric, r.error_bar)
        if agree and r.error_bar <= RESOLUTION * scale:
            return r
        if told and not agree and r.error_bar <= RESOLUTION * abs(r.numeric):
            return replace(r, verdict=FAIL)
        exact = self._differences.exact(move)
        if exact is None or not math.isfinite(exact):
            unclear = agree or not told
            return replace(r, verdict=INCONCLUSIVE, note=_too_inexact(r)) if unclear else replace(r, verdict=FAIL)
        away, size = abs(r.analytic - exact), max(scale if agree else 0.0, abs(exact))
        r = replace(
            r, numeric=exact, error_bar=0.0, sides=None, relative_error=_relative(r.analytic, exact),
            note="decided by a complex step",
        )  # fmt: skip
        if away <= self._rtol * size:
            return r
        if away > RESOLUTION * size:
            return replace(r, verdict=FAIL)
        note = "the differences there are too inexact to tell, and a complex step differs a little"
        return replace(r, verdict=INCONCLUSIVE, note=note)


def _unless_bent(wrong: InputRecord) -> InputRecord:
    """The record of a direction; at a kink, whether it is wrong is for the operations to say (see :func:`together`)."""
    if wrong.sides is None:
        return wrong
    note = "the slopes that operations choose at kinks make none of the whole; try other inputs"
    return replace(wrong, verdict=INCONCLUSIVE, note=note)


def _told(r: InputRecord, weight: float) -> InputRecord:
    """The record with a weight divided out; 0 stands for several, which cannot be."""
    if not weight:
        return replace(r, weighted=any(x != 0 and math.isfinite(x) for x in (r.analytic, r.numeric)))
    low, high = sorted(side / weight for side in r.sides or (0.0, 0.0))
    return replace(
        r, analytic=r.analytic / weight + 0.0, numeric=r.numeric / weight + 0.0, error_bar=r.error_bar / abs(weight),
        sides=(low, high) if r.sides else None,
    )  # fmt: skip


def _too_inexact(r: InputRecord) -> str:
    """Why differences cannot tell."""
    if not math.isfinite(r.numeric):
        return (
            "it cannot be moved: on both sides the function is not finite, or refuses; if it is a target or a setting, "
            "bind it, as in lambda x: fn(x, target)"
        )
    if math.isinf(r.error_bar):
        return "the function jumps or is rough there, so that differences are too inexact to tell; try other inputs"
    return "the differences there are too inexact to tell; try other inputs"


def _relative(a: float, b: float) -> float:
    size = max(abs(a), abs(b))
    return abs(a - b) / size if size else 0.0


def _badness(r: InputRecord) -> tuple[int, float, float]:
    """What orders the elements of an input: the verdict, the relative error beyond the bar, the bar."""
    if r.kinks:
        return 0, 0.0, 0.0
    size = max(abs(r.analytic), abs(r.numeric))
    beyond = max(abs(r.analytic - r.numeric) - r.error_bar, 0.0)
    excess = 0.0 if beyond == 0 else beyond / size if size else math.nan  # no size: 0 beside NaN
    return [PASS, INCONCLUSIVE, FAIL].index(r.verdict), math.inf if math.isnan(excess) else excess, r.error_bar


def _note(worst: InputRecord, kinks: int, bent: int, vanishes: bool) -> str:
    """What to say of an input beside its numbers."""
    if not worst.connected and worst.verdict == FAIL:
        return "no path in the graph leads to it, but the differences are not zero"
    if not worst.connected and worst.order == 1 and worst.verdict == PASS:
        return "unused: no path leads to it, and the outputs do not change with it"
    if not math.isfinite(worst.analytic):
        return f"at {worst.place}: the gradient there is {worst.analytic}"
    if worst.note:
        return f"at {worst.place}: {worst.note}"
    if kinks or bent:
        places = [f"at {kinks} of its elements"] * (kinks > 0) + [f"along {bent} of its directions"] * (bent > 0)
        return f"kinks {' and '.join(places)}; the gradient there is between the slopes of both sides"
    return "its gradient is zero to rounding" if vanishes else ""
