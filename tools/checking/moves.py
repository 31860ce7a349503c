"""Ways to move inputs: one element of one, or all elements of some at once in a direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from autograd_core import Tensor

__all__ = ["Direction", "Element", "Move"]


class Move(Protocol):
    """A line through the present values of tensors, which are written into and put back.

    Attributes
    ----------
    leaves : the tensors, of float64
    reach : how far along changes the inputs by about their own size
    smallest : the smallest magnitude that is moved, other than 0
    rounding : how much rounding the moved inputs changes the function
    """

    leaves: Sequence[Tensor]
    reach: float
    smallest: float
    rounding: float

    def put(self, t: float) -> float:
        """Move to `t`, or as near as the numbers allow; gives where that is."""

    def back(self) -> None:
        """Put back what was there."""

    def here(self) -> Move:
        """The same move from where the tensors are now; one element stays where it was, among the others."""

    def turned(self, h: float) -> list[np.ndarray]:
        """The inputs at the imaginary number `h`."""


class Element:
    """A move of one element."""

    rounding = 0.0  # of the one number that moves, it is known where it went

    def __init__(self, leaf: Tensor, index: tuple[int, ...]) -> None:
        self.leaves: Sequence[Tensor] = (leaf,)
        self.index = index
        self._x = float(leaf.array[index])
        self.smallest = abs(self._x)
        self.reach = max(1.0, self.smallest)

    def put(self, t: float) -> float:
        there = self._x + t
        self.leaves[0].array[self.index] = there
        return there - self._x

    def back(self) -> None:
        self.leaves[0].array[self.index] = self._x

    def here(self) -> Element:
        self.back()
        return Element(self.leaves[0], self.index)

    def turned(self, h: float) -> list[np.ndarray]:
        array = self.leaves[0].array.astype(complex)
        array[self.index] += 1j * h
        return [array]


class Direction:
    """A move of all elements, in proportion to `vectors`; `gradients` are about what the function's are."""

    def __init__(
        self, leaves: Sequence[Tensor], vectors: list[np.ndarray], gradients: list[np.ndarray], reach: float = 1.0
    ) -> None:
        self.leaves, self.vectors, self.gradients, self.reach = leaves, vectors, gradients, reach
        self._kept = [leaf.array.copy() for leaf in leaves]
        moved = [np.abs(x[(v != 0) & (x != 0)]).min(initial=np.inf) for x, v in zip(self._kept, vectors, strict=True)]
        self.smallest = float(min(moved)) if min(moved) < np.inf else 0.0
        sizes = [np.abs(x * g)[v != 0].sum() for x, v, g in zip(self._kept, vectors, gradients, strict=True)]
        self.rounding = float(np.finfo(np.float64).eps * sum(sizes))

    def put(self, t: float) -> float:
        for leaf, kept, vector in zip(self.leaves, self._kept, self.vectors, strict=True):
            np.multiply(vector, t, out=leaf.array)
            leaf.array += kept
        return t

    def back(self) -> None:
        for leaf, kept in zip(self.leaves, self._kept, strict=True):
            leaf.array[...] = kept

    def here(self) -> Direction:
        return Direction(self.leaves, self.vectors, self.gradients, self.reach)

    def turned(self, h: float) -> list[np.ndarray]:
        return [kept + 1j * h * vector for kept, vector in zip(self._kept, self.vectors, strict=True)]
