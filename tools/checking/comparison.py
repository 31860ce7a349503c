"""Gradients beside differences: a verdict for every input.

The outputs are weighted at random (the gradient of a plain sum hides errors that cancel).  Analytic and numeric
derivative agree if they do so within the relative tolerance and the error bar of the numeric one, which is estimated
each time: there is no absolute tolerance for a small gradient to hide below.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_core import Tensor, enable_grad, func, grad

from .coverage import coverage, direction
from .finite_differences import RESOLUTION, Differences
from .float64_shadow import Named, Run, values_of
from .moves import Direction, Element, Move
from .report import FAIL, INCONCLUSIVE, PASS, InputRecord

__all__ = ["BackwardError", "compare"]

VANISHING = 1e-14
"""A gradient this small beside the function is zero to rounding."""

MOST_WRONG = 32
"""After so many wrong elements in all, one of each further input is enough: it takes time to be sure of each."""


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
    function = run
    values = values_of(run)
    least = [np.zeros(a.shape) for a in values]
    for k in range(1, order + 1):
        weights = _weights(values, least, rng)
        with np.errstate(all="ignore"):
            one = _Comparison(function, leaves, weights, values, least, rng, rtol, k)
            records += one.reverse(mode)
            if forward and k == 1:
                records += one.forward()
        if any(r.verdict != PASS for r in records):
            break
        if k < order:
            function, least = _gradient_of(function, weights, leaves), one.sizes
            values = values_of(function)
    return records


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


def _gradient_of(run: Run, weights: list[np.ndarray], leaves: Named) -> Run:
    """The function whose outputs are the gradients of `run`."""

    def gradients() -> list[Any]:
        found = _gradients(run, weights, leaves, create_graph=True)
        return [np.zeros(p.shape) if g is None else g for g, (_, p) in zip(found, leaves, strict=True)]

    return gradients


class _Comparison:
    """The gradients of a function by all leaves, beside the differences.

    Attributes
    ----------
    sizes : for each leaf, what rounding errors of its gradient are relative to
    """

    def __init__(
        self,
        run: Run,
        leaves: Named,
        weights: list[np.ndarray],
        values: list[np.ndarray],
        least: list[np.ndarray],
        rng: np.random.Generator,
        rtol: float,
        order: int,
    ) -> None:
        self._run, self._leaves, self._weights, self._rng = run, leaves, weights, rng
        self._rtol, self._order = rtol, order
        self._gradients = _gradients(run, weights, leaves, create_graph=False)
        self._differences = Differences(lambda: values_of(run), weights, values, least)
        self._wrong = 0
        self.sizes: list[np.ndarray] = []

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
        natural = max(steepest, self._differences.size(p, self._rng) / max(1.0, _largest(p.array)))
        scale = _largest(claimed)
        # A gradient that is zero to rounding has no scale of its own; that of all the others takes its place.
        vanishes = scale <= VANISHING * natural
        judge = _Judge(self._differences, self._rtol, natural if vanishes else 0.0)
        worst = blank = InputRecord(name, p.shape, self._order, connected=gradient is not None)
        checked = kinks = wrong = 0
        sizes = np.full(p.shape, natural)
        for index in self._chosen(p.array, claimed, elements):
            found, size = judge(Element(p, index), float(claimed[index]), blank, scale)
            found = replace(found, index=index)
            sizes[index] = natural if vanishes else size / max(1.0, abs(float(p.array[index])))
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
            found, _ = judge.along(p, vector, claimed, blank)
            followed += 1
            bent += found.kinks
            wrong += found.verdict == FAIL
            if wrong:
                found = judge.narrowed(p, vector, claimed, blank) or found
            worst = found if worst is blank else max(worst, found, key=_badness)
        self.sizes.append(sizes)
        note = _note(worst, kinks, bent, vanishes and scale > 0)
        left_out = int(np.count_nonzero(~np.isfinite(p.array)))
        return replace(worst, note=note, kinks=kinks, checked=checked, directions=followed, left_out=left_out)

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
            blank = InputRecord(name, p.shape, self._order, forward=True, directions=1)
            vector = direction(p.array, claimed, self._rng)
            if not vector.any():
                records.append(blank)
                continue
            tangents = [vector if t is p else np.zeros(t.shape) for t in tensors]
            _, slopes = func.jvp(self._as_function(), tuple(tensors), tuple(tangents))
            ahead = sum(float((w * s.array).sum()) for w, s in zip(self._weights, slopes, strict=True))
            back = float((claimed * vector).sum())
            size = float(np.linalg.norm(claimed * vector))
            found, _ = _Judge(self._differences, self._rtol, size)(Direction(p, vector, claimed), ahead, blank, size)
            if found.verdict == FAIL:
                found = replace(found, note=f"forward {ahead:.9g} (jvp), reverse {back:.9g} (vjp) in one direction")
            records.append(found)
        return records

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
    """Says whether a derivative is right; `natural` is the scale of a gradient that has none of its own, or 0."""

    def __init__(self, differences: Differences, rtol: float, natural: float) -> None:
        self._differences, self._rtol, self._natural = differences, rtol, natural

    def __call__(self, move: Move, claimed: float, blank: InputRecord, scale: float) -> tuple[InputRecord, float]:
        """The record, and how large the outputs are that depend on what was moved.

        `scale` is the size of the gradient that the derivative is part of.
        """
        slope = self._differences.slope(move, claimed, self._rtol)
        kink = False
        if math.isfinite(claimed) and not self._agree(claimed, slope.value, slope.bar):
            sides = self._differences.sides(move)
            if sides is not None:
                kink = sides[0] <= claimed <= sides[1]
            else:  # before this is called wrong: is the function noisier than its rounding?
                noise = self._differences.noise(move, slope.step) if slope.step else 0.0
                if noise and self._agree(claimed, slope.value, slope.bar + 10 * noise / slope.step):
                    slope = self._differences.slope(move, claimed, self._rtol, noise)
        record = replace(
            blank, analytic=claimed, numeric=slope.value, error_bar=slope.bar, kinks=int(kink),
            relative_error=_relative(claimed, slope.value),
        )  # fmt: skip
        return self._with_verdict(record, move, self._natural or scale), slope.size

    def along(
        self, p: Tensor, vector: np.ndarray, gradient: np.ndarray, blank: InputRecord
    ) -> tuple[InputRecord, float]:
        """The same for a direction."""
        gradient = np.where(vector != 0, gradient, 0.0)
        scale = float(np.linalg.norm(gradient * vector))
        return self(Direction(p, vector, gradient), float((gradient * vector).sum()), blank, scale)

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
        slope = self._differences.slope(Direction(p, part, gradient), claimed, self._rtol)
        allowed = self._rtol * max(abs(claimed), abs(slope.value)) + slope.bar
        return abs(claimed - slope.value) - allowed if math.isfinite(slope.value) else 0.0

    def _agree(self, analytic: float, numeric: float, bar: float) -> bool:
        return abs(analytic - numeric) <= self._rtol * max(abs(analytic), abs(numeric)) + bar

    def _with_verdict(self, r: InputRecord, move: Move, scale: float) -> InputRecord:
        if not math.isfinite(r.analytic):
            return replace(r, verdict=FAIL, note=f"the gradient there is {r.analytic}")
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
        relative = _relative(r.analytic, exact)
        r = replace(r, numeric=exact, error_bar=0.0, relative_error=relative, note="decided by a complex step")
        if away <= self._rtol * size:
            return r
        if away > RESOLUTION * size:
            return replace(r, verdict=FAIL)
        note = "the differences there are too inexact to tell, and a complex step differs a little"
        return replace(r, verdict=INCONCLUSIVE, note=note)


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
    if worst.note:
        return f"at {worst.place}: {worst.note}"
    if kinks or bent:
        places = [f"at {kinks} of its elements"] * (kinks > 0) + [f"along {bent} of its directions"] * (bent > 0)
        return f"kinks {' and '.join(places)}; the gradient there is between the slopes of both sides"
    return "its gradient is zero to rounding" if vanishes else ""
