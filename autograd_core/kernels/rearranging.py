"""The same elements in another order along dimensions."""

from __future__ import annotations

from .jit import kernel

__all__ = ["roll"]


@kernel
def roll(x, out, outer, n, shift, middle, m, inner_shift, inner):  # type: ignore[no-untyped-def]
    """Moved on along two dimensions, of `n` and `m` elements; what leaves at the end enters at the start."""
    length, moved = m * inner, inner_shift * inner
    at = 0
    for i in range(outer):
        for k in range(n):
            to = (i * n + (k + shift if k + shift < n else k + shift - n)) * middle * length
            for _ in range(middle):
                for j in range(length - moved):
                    out[to + moved + j] = x[at + j]
                for j in range(moved):
                    out[to + j] = x[at + length - moved + j]
                at += length
                to += length
