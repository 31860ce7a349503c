# mypy: disable-error-code="no-untyped-def"
"""Windows that slide over the last dimensions: taken out, added up, or only their largest element.

An array without its batch, a *channel*, is seen as a *plane*: with its padding, and flat, so that what a place within
the window sees is the plane itself, moved.  How many dimensions there are, and their strides and padding, are matters
of where runs of elements begin, which tables say.  They are computed when a primitive is lowered (see
`compiler.lowerings.windows`), and come in as addresses of int64.

- copies: for each run of a channel that is one in the plane too, where it is here, there, and how long; `copied` many
- taps: where in the plane each place of the window sees its first element; `used` many
- rows: for each row of windows, how far its first one is from the very first in the plane, where it is among the
  windows, and how long it is; `many` of them, whose windows are `stride` apart

All kernels have `batch` channels of `given` elements, planes of `plane` elements, and `size` windows in each.
"""

from __future__ import annotations

from .jit import function, kernel, maximum, pointers

__all__ = ["overlap_add", "pack", "sliding_windows", "table", "window_argmax", "window_max", "window_sum"]

table = pointers()["int64"]
"""A table at an address."""


@kernel
def pack(x, at, planes, channels, given, plane, copies, copied, stride):
    """Copy channels from x[at] on, where elements of a run are `stride` apart, to planes; what else is there stays."""
    to = 0
    for _ in range(channels):
        for run in range(0, 3 * copied, 3):
            source, target, length = at + copies[run], to + copies[run + 1], copies[run + 2]
            pick(x, source, stride, planes, target, length)
        at += given
        to += plane


@function
def pick(x, source, stride, out, target, length):
    """Copy elements that are a stride apart."""
    if stride == 1:
        for i in range(length):
            out[target + i] = x[source + i]
    elif stride == 2:  # which is vectorised too
        for i in range(length):
            out[target + i] = x[source + 2 * i]
    else:
        for i in range(length):
            out[target + i] = x[source + stride * i]


@kernel
def sliding_windows(x, out, planes, batch, given, plane, size, copies, copied, stride, taps, used, rows, many):
    """All windows: out is (batch, used, size)."""
    copies, taps, rows = table(copies), table(taps), table(rows)
    for i in range(plane):
        planes[i] = 0
    to = 0
    for n in range(batch):
        pack(x, n * given, planes, 1, given, plane, copies, copied, 1)
        for k in range(used):
            for row in range(0, 3 * many, 3):
                pick(planes, taps[k] + rows[row], stride, out, to + rows[row + 1], rows[row + 2])
            to += size


@kernel
def overlap_add(windows, out, planes, batch, given, plane, size, copies, copied, stride, taps, used, rows, many):
    """Windows (batch, used, size) laid over one another and added up; out is (batch, given)."""
    copies, taps, rows = table(copies), table(taps), table(rows)
    for i in range(batch * given):
        out[i] = 0
    at = to = 0
    for _ in range(batch):
        for i in range(plane):
            planes[i] = 0
        for k in range(used):
            for row in range(0, 3 * many, 3):
                source, target = at + rows[row + 1], taps[k] + rows[row]
                for i in range(rows[row + 2]):
                    planes[target + stride * i] += windows[source + i]
            at += size
        for run in range(0, 3 * copied, 3):
            pick(planes, copies[run + 1], 1, out, to + copies[run], copies[run + 2])
        to += given


@kernel
def window_sum(
    x, out, planes, columns, found,
    batch, given, plane, size, copies, copied, stride, taps, used, rows, many, across, span,
):  # fmt: skip
    """The sum of each window: out is (batch, size).

    First columns are added up, which `used` taps begin, then at `across` taps columns; both for all places of the
    plane, windows or not.  Scratch memory: planes and columns (a plane), found (`span`, up to the last window).  The
    plane is what is given if nothing is to be copied.
    """
    copies, taps, rows = table(copies), table(taps), table(rows)
    for i in range(plane):
        planes[i] = 0
    far = taps[used + across - 1]
    for n in range(batch):
        source, at = x, n * given
        if copied != 0:
            pack(x, at, planes, 1, given, plane, copies, copied, 1)
            source, at = planes, 0
        for i in range(span + far):
            columns[i] = source[at + taps[0] + i]
        for k in range(1, used):
            for i in range(span + far):
                columns[i] += source[at + taps[k] + i]
        for i in range(span):
            found[i] = columns[i]
        for k in range(used + 1, used + across):
            for i in range(span):
                found[i] += columns[taps[k] + i]
        for row in range(0, 3 * many, 3):
            pick(found, rows[row], stride, out, n * size + rows[row + 1], rows[row + 2])


@kernel
def window_max(
    x, out, planes, columns, found, least,
    batch, given, plane, size, copies, copied, stride, taps, used, rows, many, across, span,
):  # fmt: skip
    """The largest element of each window, as `window_sum`; what is padding is `least`."""
    copies, taps, rows = table(copies), table(taps), table(rows)
    for i in range(plane):
        planes[i] = least
    far = taps[used + across - 1]
    second, third = taps[min(1, used - 1)], taps[used + min(1, across - 1)]
    for n in range(batch):
        source, at = x, n * given
        if copied != 0:
            pack(x, at, planes, 1, given, plane, copies, copied, 1)
            source, at = planes, 0
        for i in range(span + far):
            columns[i] = maximum(source[at + taps[0] + i], source[at + second + i])
        for k in range(2, used):
            for i in range(span + far):
                columns[i] = maximum(columns[i], source[at + taps[k] + i])
        for i in range(span):
            found[i] = maximum(columns[i], columns[third + i])
        for k in range(used + 2, used + across):
            for i in range(span):
                found[i] = maximum(found[i], columns[taps[k] + i])
        for row in range(0, 3 * many, 3):
            pick(found, rows[row], stride, out, n * size + rows[row + 1], rows[row + 2])


@kernel
def window_argmax(
    x, largest, out, planes, inside, sought, found,
    batch, given, plane, size, copies, copied, stride, taps, used, rows, many, span, away, starts,
):  # fmt: skip
    """Where in x the first element of each window is that equals its largest, or is NaN.

    Here elements that are a stride apart along the last dimension are next to each other in a plane.  Tables: how far
    from the first element of its window each other one is, and where in a channel the first window of each row begins.
    Scratch memory: planes and inside (a plane); sought, and found of int32 (`span`, up to the last window).
    """
    copies, taps, rows, away, starts = table(copies), table(taps), table(rows), table(away), table(starts)
    for i in range(plane):
        planes[i] = 0
        inside[i] = 0
    for run in range(0, 3 * copied, 3):
        for i in range(copies[run + 1], copies[run + 1] + copies[run + 2]):
            inside[i] = 1
    for i in range(span):
        sought[i] = 0
    for n in range(batch):
        pack(x, n * given, planes, 1, given, plane, copies, copied, stride)
        for row in range(0, 3 * many, 3):
            pick(largest, n * size + rows[row + 1], 1, sought, rows[row], rows[row + 2])
        last = away[used - 1]
        for i in range(span):
            found[i] = last
        for k in range(used - 2, -1, -1):
            tap, place = taps[k], away[k]
            for i in range(span):
                value = planes[tap + i]
                here = (inside[tap + i] != 0) & ((value == sought[i]) | (value != value))
                found[i] = place if here else found[i]
        for row in range(many):
            source, target = rows[3 * row], n * size + rows[3 * row + 1]
            start = n * given + starts[row]
            for i in range(rows[3 * row + 2]):
                out[target + i] = start + stride * i + found[source + i]
