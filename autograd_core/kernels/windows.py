# mypy: disable-error-code="no-untyped-def"
"""Windows that slide over the last dimensions: taken out, added up, or only their largest element.

An array without its batch, a *channel*, is first copied to *planes*: with its padding, and with elements that are a
stride apart next to each other.  What a place within the window sees is a run of a plane then, for all windows.

How many dimensions there are, their strides and padding are matters of where runs begin, which tables say.  They are
computed when a primitive is lowered (see `compiler.lowerings.windows`), and come in as addresses of int64.

- copies: for each row of the planes, where it is in the channel, in the planes, and how long; `copied` of them, whose
  elements in the channel are `stride` apart
- taps: where in the planes each place of the window sees its first element; `used` of them
- rows: for each row of windows, how far its first one is from the very first in the planes, where it is in the output,
  and how long it is; `many` of them

All kernels have `batch` channels of `given` elements, to planes of `plane` elements, and `size` windows in each.
"""

from __future__ import annotations

from .jit import kernel, maximum, pointers

__all__ = ["overlap_add", "pack", "sliding_windows", "table", "window_argmax", "window_max", "window_sum"]

table = pointers()["int64"]
"""A table at an address."""


@kernel
def pack(x, at, planes, channels, given, plane, copies, copied, stride):
    """Copy channels from x[at] on to planes; what is between the rows there stays."""
    to = 0
    for _ in range(channels):
        for row in range(0, 3 * copied, 3):
            source, target, length = at + copies[row], to + copies[row + 1], copies[row + 2]
            if stride == 1:
                for i in range(length):
                    planes[target + i] = x[source + i]
            elif stride == 2:  # which is vectorised too
                for i in range(length):
                    planes[target + i] = x[source + 2 * i]
            else:
                for i in range(length):
                    planes[target + i] = x[source + stride * i]
        at += given
        to += plane


@kernel
def sliding_windows(x, out, planes, batch, given, plane, size, copies, copied, stride, taps, used, rows, many):
    """All windows: out is (batch, used, size)."""
    copies, taps, rows = table(copies), table(taps), table(rows)
    for i in range(plane):
        planes[i] = 0
    to = 0
    for n in range(batch):
        pack(x, n * given, planes, 1, given, plane, copies, copied, stride)
        for k in range(used):
            for row in range(0, 3 * many, 3):
                source, target = taps[k] + rows[row], to + rows[row + 1]
                for i in range(rows[row + 2]):
                    out[target + i] = planes[source + i]
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
                    planes[target + i] += windows[source + i]
            at += size
        for row in range(0, 3 * copied, 3):
            target, source = to + copies[row], copies[row + 1]
            for i in range(copies[row + 2]):
                out[target + stride * i] = planes[source + i]
        to += given


@kernel
def window_sum(x, out, planes, found, batch, given, plane, size, copies, copied, stride, taps, used, rows, many, span):
    """The sum of each window: out is (batch, size); found is scratch memory of `span`, from the first to the last."""
    copies, taps, rows = table(copies), table(taps), table(rows)
    for i in range(plane):
        planes[i] = 0
    for n in range(batch):
        pack(x, n * given, planes, 1, given, plane, copies, copied, stride)
        for i in range(span):
            found[i] = 0
        for k in range(used):
            tap = taps[k]
            for i in range(span):
                found[i] += planes[tap + i]
        for row in range(0, 3 * many, 3):
            source, target = rows[row], n * size + rows[row + 1]
            for i in range(rows[row + 2]):
                out[target + i] = found[source + i]


@kernel
def window_max(
    x, out, planes, found, least, batch, given, plane, size, copies, copied, stride, taps, used, rows, many, span
):
    """The largest element of each window, as `window_sum`; what is padding is `least`."""
    copies, taps, rows = table(copies), table(taps), table(rows)
    for i in range(plane):
        planes[i] = least
    for n in range(batch):
        pack(x, n * given, planes, 1, given, plane, copies, copied, stride)
        for i in range(span):
            found[i] = least
        for k in range(used):
            tap = taps[k]
            for i in range(span):
                found[i] = maximum(found[i], planes[tap + i])
        for row in range(0, 3 * many, 3):
            source, target = rows[row], n * size + rows[row + 1]
            for i in range(rows[row + 2]):
                out[target + i] = found[source + i]


@kernel
def window_argmax(
    x, largest, out, planes, inside, sought, found, batch, given, plane, size,
    copies, copied, stride, taps, used, rows, many, span, away, starts,
):  # fmt: skip
    """Where in x the first element of each window is that equals its largest, or is NaN.

    Scratch memory: planes and inside (a plane), sought and found (`span`).  Tables: how far from the first element of
    its window each other one is, and where in a channel the first window of each row begins.
    """
    copies, taps, rows, away, starts = table(copies), table(taps), table(rows), table(away), table(starts)
    for i in range(plane):
        planes[i] = inside[i] = 0
    for row in range(0, 3 * copied, 3):
        for i in range(copies[row + 1], copies[row + 1] + copies[row + 2]):
            inside[i] = 1
    for i in range(span):
        sought[i] = 0
    for n in range(batch):
        pack(x, n * given, planes, 1, given, plane, copies, copied, stride)
        for row in range(0, 3 * many, 3):
            source, target = n * size + rows[row + 1], rows[row]
            for i in range(rows[row + 2]):
                sought[target + i] = largest[source + i]
        for i in range(span):
            found[i] = away[used - 1]
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
