"""Where the largest or smallest along a dimension is: the first of equals, and the first NaN before all.

Arrays are of (outer, n, inner) elements.
"""

from __future__ import annotations

from typing import Any

from .jit import function, kernel

__all__ = ["argmax", "argmin"]

BLOCK = 32


@function
def _exceeds(a, b):  # type: ignore[no-untyped-def]
    """Whether `a` is larger than `b`, or NaN where `b` is not."""
    return (not a <= b) & (b == b)


@function
def _undercuts(a, b):  # type: ignore[no-untyped-def]
    """Whether `a` is smaller than `b`, or NaN where `b` is not."""
    return (not a >= b) & (b == b)


def _searching(better: Any) -> Any:
    def search(x, best, out, outer, n, inner):  # type: ignore[no-untyped-def]
        """The place of the best of each row, which stays in `best`, of `inner` elements."""
        for i in range(outer):
            start = i * n * inner
            if inner == 1:
                found = 0
                for block in range(1, n, BLOCK):
                    stop = min(block + BLOCK, n)
                    top = x[start + found]
                    hits = False
                    for k in range(block, stop):  # vectorised, unlike the loop below, which is seldom needed
                        hits = hits | better(x[start + k], top)
                    if hits:
                        for k in range(block, stop):
                            if better(x[start + k], x[start + found]):
                                found = k
                out[i] = found
                continue
            for j in range(inner):
                best[j] = x[start + j]
                out[i * inner + j] = 0
            for k in range(1, n):
                row = start + k * inner
                for j in range(inner):
                    hit = better(x[row + j], best[j])
                    out[i * inner + j] = k if hit else out[i * inner + j]
                    best[j] = x[row + j] if hit else best[j]

    return kernel(search)


argmax = _searching(_exceeds)
argmin = _searching(_undercuts)
