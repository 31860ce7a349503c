"""Ways to move an input: one element of it, or all elements at once in some direction."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from autograd_core import Tensor

__all__ = ["Direction", "Element", "Move"]


class Move(Protocol):
    """A line through the present value of a tensor, which is written into and put back.

    Attributes
    ----------
    leaf : the tensor, of float64
    reach : how far along changes the input by about its own size
    smallest : the smallest magnitude that is moved, other than 0
    rounding : how much rounding the moved input changes the function
    """

    leaf: Tensor
    reach: float
    smallest: float
    rounding: float

    def put(self, t: float) -> float:
        """Move to `t`, or as near as the numbers allow; gives where that is."""

    def back(self) -> None:
        """Put back what was there."""

    def turned(self, h: float) -> np.ndarray:
        """The input at the imaginary number `h`."""


class Element:
    """A move of one element."""

    rounding = 0.0  # of the one number that moves, it is known where it went

    def __init__(self, leaf: Tensor, index: tuple[int, ...]) -> None:
        self.leaf, self.index = leaf, index
        self._x = float(leaf.array[index])
        self.smallest = abs(self._x)
        self.reach = max(1.0, self.smallest)

    def put(self, t: float) -> float:
        there = self._x + t
        self.leaf.array[self.index] = there
        return there - self._x

    def back(self) -> None:
        self.leaf.array[self.index] = self._x

    def turned(self, h: float) -> np.ndarray:
        array = self.leaf.array.astype(complex)
        array[self.index] += 1j * h
        return array


class Direction:
    """A move of all elements, in proportion to `vector`; `gradient` is about what the function's is."""

    reach = 1.0

    def __init__(self, leaf: Tensor, vector: np.ndarray, gradient: np.ndarray) -> None:
        self.leaf, self.vector = leaf, vector
        self._kept = leaf.array.copy()
        moved = np.abs(self._kept[(vector != 0) & (self._kept != 0)])
        self.smallest = float(moved.min()) if moved.size else 0.0
        size = np.where(vector != 0, np.abs(gradient * self._kept), 0.0)
        self.rounding = float(np.finfo(np.float64).eps * size.sum())

    def put(self, t: float) -> float:
        np.multiply(self.vector, t, out=self.leaf.array)
        self.leaf.array += self._kept
        return t

    def back(self) -> None:
        self.leaf.array[...] = self._kept

    def turned(self, h: float) -> np.ndarray:
        turned: np.ndarray = self._kept + 1j * h * self.vector
        return turned
