"""Derivatives by central differences that know their own error.

A difference quotient is wrong twice over: by truncation, which grows with the step, and by the rounding of the
function's values, which grows as the step shrinks.  The difference between two steps shows the first, the size of
the values gives the second, and their sum is the error bar of the estimate.  A step that gives too wide a bar is
replaced by smaller and larger ones.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from autograd_core import Tensor

from .complex_step import ComplexStep
from .moves import Move

__all__ = ["RESOLUTION", "Differences", "Slope", "Span"]

EPS = float(np.finfo(np.float64).eps)

STEP = EPS ** (1 / 3)
"""The step of least error for a smooth function of unit scale: truncation ~ h**2 meets rounding ~ eps / h."""

ULPS = 4.0
"""How many units in the last place a function's values are taken to be off."""

RESOLUTION = 1e-4
"""The relative error bar that is good enough: an error of 0.1 % shows."""

SCALES = (1.0, 0.382, 0.125)
"""What shares of a step a kink is looked at with: close to it, slopes do not depend on that."""

AROUND = 8
"""From so many points near a kink."""

Quotients = Callable[[Move, float], list[np.ndarray]]
"""Gives the difference quotients of all outputs along a move, with a step."""


class Slope(NamedTuple):
    """An estimated derivative."""

    value: float
    bar: float
    """The estimated size of its error."""
    step: float
    """The step it came from."""
    size: float
    """How large the weighted outputs are that depend on what was moved."""
    weight: float
    """The weight of the output, if it is one alone that depends on it; 0 if there are several."""

    @property
    def _rank(self) -> tuple[bool, float]:
        """Less is better: the relative bar, or, of estimates that may be all error, the bar itself."""
        telling = self.bar < 0.1 * abs(self.value)
        return not telling, self.bar / abs(self.value) if telling else self.bar


class Span(NamedTuple):
    """The slopes of several straight ways out of a point, which differ at a kink."""

    low: float
    high: float
    error: float
    """How far these are off, as estimated from shorter ways."""

    @property
    def kink(self) -> bool:
        """Whether the slopes really differ."""
        return self.error < 0.01 * (self.high - self.low)

    def away(self, slope: float) -> float:
        """How far a slope is outside."""
        return max(self.low - slope, slope - self.high)

    def holds(self, slope: float) -> bool:
        """Whether this is a kink with such a slope."""
        return self.kink and self.away(slope) <= self.error


class Differences:
    """Derivatives of ``sum(weights * f)``, as an input moves; outputs that are infinite are held as they are.

    Parameters
    ----------
    f : callable
        Gives the outputs, as a list of new arrays, for the present contents of the tensors it depends on.
    weights : list of arrays
        One for each output, of its shape.
    values : list of arrays
        What `f` gives now.
    least : list of arrays
        For each output the size its rounding errors are relative to, where that is more than the output itself: it
        may be what is left of larger terms that cancel.

    A ValueError of `f` at a moved point means that the point is outside its domain, as NaN does.
    """

    def __init__(
        self,
        f: Callable[[], list[np.ndarray]],
        weights: list[np.ndarray],
        values: list[np.ndarray],
        least: list[np.ndarray],
    ) -> None:
        self.f, self.weights, self.values = f, weights, values
        self.sizes = [np.maximum(np.abs(a), size) for a, size in zip(values, least, strict=True)]
        self._infinite = [np.isinf(a) for a in values]
        self._complex = ComplexStep(f, values, self.sizes)

    def slope(self, move: Move, claimed: float, rtol: float, noise: float = 0.0) -> Slope:
        """The derivative along a move, by the step with the best error bar.

        Steps are tried until one with a good bar confirms the `claimed` derivative, or steps of very different sizes
        agree on another.  `noise` is what is known of the error of the weighted sum, beyond rounding.  At the end of a
        domain the steps go to one side.
        """
        for quotients in (self._central, self._upward, self._downward):
            found = self._best(quotients, move, claimed, rtol, noise)
            if math.isfinite(found.value):
                break
        return found

    def _best(self, quotients: Quotients, move: Move, claimed: float, rtol: float, noise: float) -> Slope:
        best = Slope(math.nan, math.inf, 0.0, 0.0, self.weight([]))
        against: list[Slope] = []
        rounding = [size * np.finfo(a.dtype).eps for size, a in zip(self.sizes, self.values, strict=True)]
        for h in _steps(move):
            near, far = quotients(move, h), quotients(move, 2 * h)
            value, wider = self._sum(near), self._sum(far)
            if not (math.isfinite(value) and math.isfinite(wider)):
                continue
            moved = [(a != 0) | (b != 0) for a, b in zip(near, far, strict=True)]
            if claimed == 0 and not any(m.any() for m in moved):
                return Slope(0.0, 0.0, h, self._total(self.sizes, moved), self.weight(moved))
            error = ULPS * self._total(rounding, moved) + move.rounding + noise
            bar, size = abs(value - wider) + error / h, self._total(self.sizes, moved)
            found = Slope(value, bar, h, size, self.weight(moved))
            if math.isnan(best.value) or found._rank < best._rank:
                best = found
            away = abs(claimed - value)
            if away <= found.bar + rtol * abs(value) and found.bar <= RESOLUTION * abs(value):
                return found
            if away > 10 * found.bar:
                against.append(found)
                if _unanimous(against):
                    return best
        # On one side alone, a derivative may be a limit that no step comes near.
        sure = quotients == self._central or abs(claimed - best.value) <= best.bar
        return best if sure else best._replace(bar=math.inf)

    def span(self, move: Move, claimed: float | None = None) -> Span:
        """The slopes of both sides, for each output by itself; given what is `claimed`, of points nearby too.

        What a function that is neither convex nor concave has for a derivative at a kink may be that of a piece which
        no straight way out of the very point leads into, as for the middle one of three equal numbers that are sorted.
        Two of the points are those where all numbers are less and where all are more, for rules that go by x > 0.
        """
        h = STEP * move.reach
        scales: list[list[np.ndarray]] = []
        for t in SCALES:
            ways = [self._one_sided(move, -h * t), self._one_sided(move, h * t)]
            for seed in range(AROUND if claimed is not None else 0):
                way = self._nearby(move, h * t, seed)
                ways += [way] if all(np.isfinite(a).all() for a in way) else ways[:1]
            scales.append([w * np.stack(slopes) for w, *slopes in zip(self.weights, *ways, strict=True)])
            low, high = (sum(float(of(a, axis=0).sum()) for a in scales[0]) for of in (np.min, np.max))
            if claimed is not None and not low - 0.01 * (high - low) <= claimed <= high + 0.01 * (high - low):
                return Span(low, high, math.inf)
        return Span(low, high, sum(4 * float(np.ptp(a, axis=0).max(axis=0).sum()) for a in zip(*scales, strict=True)))

    def noise(self, move: Move, step: float) -> float:
        """The error of the weighted sum within a few steps of here.

        It is what is left of the values at irregular points when the polynomial of degree 5 nearest to them is taken
        away, which is nothing for a smooth function and a small step.  It is infinite if so much is left that the
        function is too rough here for any difference to be believed, or if too few of the points are in its domain.
        """
        points = np.append(8 * (np.arange(1, 18) * 0.6180339887 % 1) - 4, 0.0)  # a function may jump just here
        samples = [self._at(move, t * step)[0] for t in points]
        inside = [all((np.isfinite(a) | out).all() for a, out in zip(s, self._infinite, strict=True)) for s in samples]
        if sum(inside) < 8:
            return math.inf
        basis = np.linalg.qr(np.vander(points[inside], 6)).Q
        samples = [s for s, known in zip(samples, inside, strict=True) if known]
        noise = amplitude = 0.0
        for w, here, size, *values in zip(self.weights, self.values, self.sizes, *samples, strict=True):
            change = np.stack([w * _minus(value, here) for value in values])
            rest = change - np.tensordot(basis, np.tensordot(basis, change, (0, 0)), 1)
            noise += float(np.abs(rest).max(axis=0).sum())
            largest = np.abs(change).max(axis=0)
            amplitude += float(np.where(largest > 0, np.maximum(largest, np.abs(w) * size), 0.0).sum())
        return math.inf if noise > 1e-3 * amplitude else ULPS * noise

    def exact(self, move: Move) -> float | None:
        """The derivative by a complex step, which has no error but rounding; None where the function has none."""
        quotients = self._complex.quotients(move)
        return None if quotients is None else self._sum(quotients)

    def size(self, leaves: Sequence[Tensor], rng: np.random.Generator) -> float:
        """How large the weighted outputs are that depend on `leaves`, here or at a random point not far away."""
        with _shifted(leaves, lambda shape: rng.uniform(-0.1, 0.1, shape)):
            there = self._evaluate()
        sizes = [np.fmax(size, np.abs(a)) for size, a in zip(self.sizes, there, strict=True)]
        return self._total(sizes, [a != b for a, b in zip(there, self.values, strict=True)])

    def _evaluate(self) -> list[np.ndarray]:
        try:
            found = self.f()
        except ValueError:
            found = []
        if [a.shape for a in found] != [a.shape for a in self.values]:
            return [np.full(a.shape, np.nan) for a in self.values]
        for a, value, infinite in zip(found, self.values, self._infinite, strict=True):
            np.copyto(a, value, where=infinite)
        return found

    def _at(self, move: Move, t: float) -> tuple[list[np.ndarray], float]:
        """The outputs some way along, and how far it was."""
        try:
            way = move.put(t)
            return self._evaluate(), way
        finally:
            move.back()

    def _central(self, move: Move, h: float) -> list[np.ndarray]:
        """The central difference quotient of every output."""
        (high, up), (low, down) = self._at(move, h), self._at(move, -h)
        return [_minus(a, b) / (up - down) for a, b in zip(high, low, strict=True)]

    def _upward(self, move: Move, h: float) -> list[np.ndarray]:
        """The difference quotient of every output, from here and two points on one side."""
        (near, way), (far, twice) = self._at(move, h), self._at(move, 2 * h)
        share = twice / (way * (twice - way)), -way / (twice * (twice - way))
        return [
            share[0] * _minus(a, here) + share[1] * _minus(b, here)
            for a, b, here in zip(near, far, self.values, strict=True)
        ]

    def _downward(self, move: Move, h: float) -> list[np.ndarray]:
        return self._upward(move, -h)

    def _one_sided(self, move: Move, h: float) -> list[np.ndarray]:
        there, way = self._at(move, h)
        return [_minus(a, b) / way for a, b in zip(there, self.values, strict=True)]

    def _nearby(self, move: Move, h: float, seed: int) -> list[np.ndarray]:
        """The quotients of one side, from a point some steps away."""
        rng = np.random.default_rng(seed)
        signs = {0: [-1], 1: [1]}.get(seed, [-1, 1])
        with _shifted(move.leaves, lambda shape: rng.choice(signs, shape) * rng.uniform(2 * h, 4 * h, shape)):
            move = move.here()
            here = self._evaluate()
            there, way = self._at(move, h)
        return [_minus(a, b) / way for a, b in zip(there, here, strict=True)]

    def weight(self, moved: list[np.ndarray]) -> float:
        """The weight of the only output that moved, or that there is; 0 if there are several."""
        chosen = moved if any(m.any() for m in moved) else [w != 0 for w in self.weights]
        weights = np.concatenate([w[m] for w, m in zip(self.weights, chosen, strict=True)])
        return float(weights[0]) if weights.size == 1 else 0.0

    def _sum(self, quotients: list[np.ndarray]) -> float:
        return sum(float((w * q).sum()) for w, q in zip(self.weights, quotients, strict=True))

    def _total(self, amounts: list[np.ndarray], moved: list[np.ndarray]) -> float:
        """The weighted sum of the finite amounts, over the outputs that moved; over all, if none did."""
        everything = not any(m.any() for m in moved)
        total = 0.0
        for w, amount, m in zip(self.weights, amounts, moved, strict=True):
            total += float(np.where((m | everything) & np.isfinite(amount), np.abs(w) * amount, 0.0).sum())
        return total


@contextlib.contextmanager
def _shifted(leaves: Sequence[Tensor], shift: Callable[[tuple[int, ...]], np.ndarray]) -> Iterator[None]:
    """Inputs at a point nearby, for a while; `shift` says how far away, in proportion to the numbers."""
    kept = [p.array.copy() for p in leaves]
    try:
        for p in leaves:
            p.array += shift(p.shape) * np.maximum(1.0, np.abs(p.array))
        yield
    finally:
        for p, array in zip(leaves, kept, strict=True):
            p.array[...] = array


def _unanimous(found: list[Slope]) -> bool:
    """Whether estimates from steps of very different size agree."""
    low, high = max(s.value - s.bar for s in found), min(s.value + s.bar for s in found)
    steps = [s.step for s in found]
    return low <= high and max(steps) >= 64 * min(steps)


def _steps(move: Move) -> Iterator[float]:
    """Step sizes to try, the best guess first.

    Those relative to a small input see what happens close to it, and stay inside domains that end at 0.
    """
    best = STEP * move.reach
    relative = [STEP * move.smallest * 4.0**k for k in range(6)] if 0 < move.smallest < 1 else []
    yield best
    yield from relative[:1]
    for k in range(1, 6):
        yield best * 4.0**k
        yield best / 4.0**k
    yield from relative[1:]


def _minus(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The difference, in float64; 0 between equal infinities."""
    difference = np.zeros(a.shape)
    np.subtract(a, b, out=difference, where=a != b, dtype=np.float64)
    return difference
