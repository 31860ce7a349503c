"""Picking elements at places that are known when the program runs, and adding them back there.

An index in brackets goes over three loops: the dimensions before its arrays, the arrays together, the dimensions after
them.  Where an element is, is the sum of what the three contribute.  What the arrays contribute is found first, and
checked, before anything is read or written.
"""

from __future__ import annotations

from .jit import function, kernel

__all__ = ["along", "gather", "index", "places", "put", "wrapped"]


@function
def wrapped(place, size):  # type: ignore[no-untyped-def]
    """The place counted from the start, if it is counted from the end."""
    return place + size if place < 0 else place


@kernel
def _contribute(index, starts, outer, n, inner, size, stride):  # type: ignore[no-untyped-def]
    """Add what an array contributes, which is repeated over `outer` and `inner`; not 0 if an index is out of bounds."""
    k = 0
    for _ in range(outer):
        for j in range(n):
            place = wrapped(index[j], size)
            if place < 0 or place >= size:
                return 1
            for _ in range(inner):
                starts[k] += place * stride
                k += 1
    return 0


@kernel
def _starts(  # type: ignore[no-untyped-def]
    a, b, c, starts, base, count,
    a_outer, a_n, a_inner, a_size, a_stride,
    b_outer, b_n, b_inner, b_size, b_stride,
    c_outer, c_n, c_inner, c_size, c_stride,
):  # fmt: skip
    """What the arrays contribute together; an `outer` of 0 says that there is no such array."""
    for k in range(count):
        starts[k] = base
    return (
        _contribute(a, starts, a_outer, a_n, a_inner, a_size, a_stride)
        + _contribute(b, starts, b_outer, b_n, b_inner, b_size, b_stride)
        + _contribute(c, starts, c_outer, c_n, c_inner, c_size, c_stride)
    )


@kernel
def index(  # type: ignore[no-untyped-def]
    a, b, c, x, starts, out, base, count,
    a_outer, a_n, a_inner, a_size, a_stride,
    b_outer, b_n, b_inner, b_size, b_stride,
    c_outer, c_n, c_inner, c_size, c_stride,
    before, before_step, after, step,
):  # fmt: skip
    """``out = x[...]``, of up to three arrays between the dimensions before and those after them."""
    if _starts(
        a, b, c, starts, base, count, a_outer, a_n, a_inner, a_size, a_stride,
        b_outer, b_n, b_inner, b_size, b_stride, c_outer, c_n, c_inner, c_size, c_stride,
    ):  # fmt: skip
        return 1
    k = 0
    for i in range(before):
        at = i * before_step
        if after == 1:
            for m in range(count):
                out[k + m] = x[at + starts[m]]
            k += count
            continue
        for m in range(count):
            row = at + starts[m]
            if step == 1:
                for t in range(after):
                    out[k + t] = x[row + t]
            else:
                for t in range(after):
                    out[k + t] = x[row + t * step]
            k += after
    return 0


@kernel
def put(  # type: ignore[no-untyped-def]
    a, b, c, values, starts, out, size, base, count,
    a_outer, a_n, a_inner, a_size, a_stride,
    b_outer, b_n, b_inner, b_size, b_stride,
    c_outer, c_n, c_inner, c_size, c_stride,
    before, before_step, after, step,
):  # fmt: skip
    """Zeros with ``out[...] += values``, where what is named twice gets both."""
    if _starts(
        a, b, c, starts, base, count, a_outer, a_n, a_inner, a_size, a_stride,
        b_outer, b_n, b_inner, b_size, b_stride, c_outer, c_n, c_inner, c_size, c_stride,
    ):  # fmt: skip
        return 1
    for k in range(size):
        out[k] = 0
    k = 0
    for i in range(before):
        at = i * before_step
        for m in range(count):
            row = at + starts[m]
            if step == 1:
                for t in range(after):
                    out[row + t] += values[k + t]
            else:
                for t in range(after):
                    out[row + t * step] += values[k + t]
            k += after
    return 0


@kernel
def places(  # type: ignore[no-untyped-def]
    a, b, c, out, starts, base, count,
    a_outer, a_n, a_inner, a_size, a_stride,
    b_outer, b_n, b_inner, b_size, b_stride,
    c_outer, c_n, c_inner, c_size, c_stride,
    before, before_step, after, step,
):  # fmt: skip
    """Where the elements are that `index` picks."""
    if _starts(
        a, b, c, starts, base, count, a_outer, a_n, a_inner, a_size, a_stride,
        b_outer, b_n, b_inner, b_size, b_stride, c_outer, c_n, c_inner, c_size, c_stride,
    ):  # fmt: skip
        return 1
    k = 0
    for i in range(before):
        for m in range(count):
            row = i * before_step + starts[m]
            for t in range(after):
                out[k + t] = row + t * step
            k += after
    return 0


@kernel
def along(index, out, n0, s0, n1, s1, n, stride, n2, s2, n3, s3):  # type: ignore[no-untyped-def]
    """Where the elements are that an index along one dimension names; the index is not checked."""
    k = 0
    for i in range(n0):
        for j in range(n1):
            at = i * s0 + j * s1
            if n2 * n3 == 1:
                for m in range(n):
                    out[k + m] = at + index[k + m] * stride
                k += n
                continue
            for _ in range(n):
                for r in range(n2):
                    for t in range(n3):
                        out[k + t] = at + index[k + t] * stride + r * s2 + t * s3
                    k += n3


@kernel
def gather(x, places, out, size, n):  # type: ignore[no-untyped-def]
    """``out = x[places]``, of `n` places in an array of `size` elements."""
    for k in range(n):
        place = wrapped(places[k], size)
        if place < 0 or place >= size:
            return 1
        out[k] = x[place]
    return 0
