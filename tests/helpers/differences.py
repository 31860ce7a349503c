"""Numerical derivatives, independent of the engine."""

from collections.abc import Callable

import numpy as np


def gradient(f: Callable[[np.ndarray], float], x: np.ndarray, h: float = 1e-3) -> np.ndarray:
    """The gradient of a scalar function of a float64 array, by five-point central differences (error about h**4)."""
    out = np.zeros(x.shape)
    for i in np.ndindex(x.shape):

        def at(step: float, i: tuple[int, ...] = i) -> float:
            moved = x.copy()
            moved[i] += step
            return float(f(moved))

        out[i] = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    return out
