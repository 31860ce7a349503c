"""Putting values at places of the flattened array that are known when the program runs, one after the other."""

from __future__ import annotations

from .indexing import wrapped
from .jit import kernel

__all__ = ["is_last", "masked", "scatter", "scatter_add", "scatter_extreme"]


@kernel
def scatter_add(src, places, out, size, n):  # type: ignore[no-untyped-def]
    """Zeros with ``out[places] += src``, where a place that comes twice gets both."""
    for k in range(size):
        out[k] = 0
    for k in range(n):
        place = wrapped(places[k], size)
        if place < 0 or place >= size:
            return 1
        out[place] += src[k]
    return 0


@kernel
def scatter(x, places, src, out, size, n, step):  # type: ignore[no-untyped-def]
    """A copy of `x` with ``out[places] = src``, the last write to a place wins; a `step` of 0 repeats one value."""
    for k in range(size):
        out[k] = x[k]
    for k in range(n):
        place = wrapped(places[k], size)
        if place < 0 or place >= size:
            return 1
        out[place] = src[k * step]
    return 0


@kernel
def scatter_extreme(x, places, src, out, size, n, largest):  # type: ignore[no-untyped-def]
    """The largest (or smallest) of `x` and what goes to each place; NaN wins."""
    for k in range(size):
        out[k] = x[k]
    for k in range(n):
        place = wrapped(places[k], size)
        if place < 0 or place >= size:
            return 1
        new, old = src[k], out[place]
        if new != new or (new > old if largest else new < old):
            out[place] = new
    return 0


@kernel
def is_last(places, last, out, size, n):  # type: ignore[no-untyped-def]
    """Whether each write to a place is the last one to it; `last` has `size` elements."""
    for k in range(n):
        place = wrapped(places[k], size)
        if place < 0 or place >= size:
            return 1
        last[place] = k
    for k in range(n):
        out[k] = last[wrapped(places[k], size)] == k
    return 0


@kernel
def masked(x, value, mask, out, n, inner, row_step, step, rows):  # type: ignore[no-untyped-def]
    """A copy of `x` with ``out[mask] = value``, of rows of `inner` elements; not 0 if the value has not as many rows.

    From one row of the value to the next it is `row_step`, within a row `step`; 0 repeats.  `rows` is how many it has,
    -1 for one that is repeated.
    """
    row = 0
    for k in range(n):
        if not mask[k]:
            for j in range(inner):
                out[k * inner + j] = x[k * inner + j]
            continue
        if row == rows:
            return 1
        for j in range(inner):
            out[k * inner + j] = value[row * row_step + j * step]
        row += 1
    return 0 if rows < 0 or row == rows else 1
