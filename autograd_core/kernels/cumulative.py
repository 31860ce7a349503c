"""Running sums, products and extremes along a dimension, of arrays of (outer, n, inner) elements."""

from __future__ import annotations

from typing import Any

from .exponential import exp, log1p
from .jit import function, kernel

__all__ = ["argcummax", "argcummin", "cumprod", "cumsum", "logcumsumexp"]


@function
def _sum(total, x):  # type: ignore[no-untyped-def]
    return total + x


@function
def _product(total, x):  # type: ignore[no-untyped-def]
    return total * x


@function
def _log_sum(a, b):  # type: ignore[no-untyped-def]
    """The logarithm of the sum of exponentials; of infinities too."""
    larger = a if a > b else b
    apart = abs(a - b)
    return larger if (a == b) & (apart != apart) else larger + log1p(exp(-apart))


@function
def _reaches(a, b):  # type: ignore[no-untyped-def]
    """Whether `a` is at least `b`, or NaN."""
    return (a >= b) | (a != a)


@function
def _falls_to(a, b):  # type: ignore[no-untyped-def]
    """Whether `a` is at most `b`, or NaN."""
    return (a <= b) | (a != a)


def _running(combine: Any) -> Any:
    def run(x, out, outer, n, inner, first, step):  # type: ignore[no-untyped-def]
        """Row `first` as it is, then one after the other, from row to row by `step` (1 or -1)."""
        for i in range(outer):
            row = (i * n + first) * inner
            if n:
                for j in range(inner):
                    out[row + j] = x[row + j]
            if n and inner == 1:
                total = out[row]
                for _ in range(1, n):
                    row += step
                    total = combine(total, x[row])
                    out[row] = total
                continue
            for _ in range(1, n):
                row += step * inner
                for j in range(inner):
                    out[row + j] = combine(out[row + j - step * inner], x[row + j])

    return kernel(run)


cumsum = _running(_sum)
cumprod = _running(_product)
logcumsumexp = _running(_log_sum)


def _remembering(better: Any) -> Any:
    def run(x, best, out, outer, n, inner):  # type: ignore[no-untyped-def]
        """The place of the best so far, the last of equals; its value stays in `best`, of `inner` elements."""
        for i in range(outer):
            row = i * n * inner
            if n:
                for j in range(inner):
                    best[j] = x[row + j]
                    out[row + j] = 0
            for k in range(1, n):
                row += inner
                for j in range(inner):
                    new = x[row + j]
                    hit = better(new, best[j])
                    out[row + j] = k if hit else out[row + j - inner]
                    best[j] = new if hit else best[j]

    return kernel(run)


argcummax = _remembering(_reaches)
argcummin = _remembering(_falls_to)
