"""Counts."""

from __future__ import annotations

from .jit import kernel

__all__ = ["weights_at"]


@kernel
def weights_at(index, weights, sums, out, n, size):  # type: ignore[no-untyped-def]
    """The sum of the weights where each of 0 .. `size` - 1 comes in the index, which is found in float64."""
    for k in range(size):
        sums[k] = 0
    for k in range(n):
        place = index[k]
        if place < 0 or place >= size:
            return 1
        sums[place] += weights[k]
    for k in range(size):
        out[k] = sums[k]
    return 0
