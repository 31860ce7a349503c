"""Windows: where runs begin, for kernels that know of one dimension only (see `kernels.windows`).

Dimensions are three; fewer are preceded by ones.  Along each, output z sees input y at place i of the window if
``up y = down z + first + step i``.  For windows, and convolutions, `down` is the stride; for a gradient of a
convolution by its input, which is a convolution too, `up` is.  A plane holds the inputs whose y has the same remainder
by `down`, and the outputs whose z have the same remainder by `up`, a phase, see the same places.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..program import Instruction, Value
from . import Call, Number, Scratch, lowering

__all__ = ["Form", "Plan", "Sizes", "address", "cut", "joined", "planned", "runs", "three"]

Sizes = tuple[int, ...]


class Form(NamedTuple):
    """Windows over one channel, for each of the three dimensions."""

    given: Sizes
    sizes: Sizes
    kernel: Sizes
    up: Sizes
    down: Sizes
    first: Sizes
    step: Sizes


class Plan(NamedTuple):
    """The tables for a channel: arrays of int64.

    Attributes
    ----------
    plane : the number of elements of all planes
    copies : shape (runs, 3): where in the channel, where in the planes, how long
    taps : for each phase, shape (places, 2): a place in the window, and where in the planes it begins
    rows : for each phase, shape (rows, 3): how far in the planes from the first output, where in the output, how long
    """

    plane: int
    copies: np.ndarray
    taps: list[np.ndarray]
    rows: list[np.ndarray]


def three(numbers: Iterable[int], fill: int) -> Sizes:
    """Numbers for three dimensions."""
    numbers = tuple(map(int, numbers))
    return (*(fill,) * (3 - len(numbers)), *numbers)


def runs(rows: Any) -> np.ndarray:
    """A table of three numbers in a row."""
    return np.array(rows, np.int64).reshape(-1, 3)


def address(array: np.ndarray) -> int:
    """Where a table is, as long as it lives."""
    return int(array.ctypes.data)


def _seen(form: Form) -> tuple[list[int], list[int]]:
    """The first and the last element of a plane that outputs see, along each dimension."""
    low, high = [], []
    for n, k, up, down, first, step in zip(*form[1:], strict=True):
        least, most = sorted((first, first + step * (k - 1)))
        low.append(least // up // down)
        high.append((-(-most // up) + down * ((n - 1) // up)) // down)
    return low, high


def joined(table: np.ndarray, strides: tuple[int, int]) -> np.ndarray:
    """Runs that go on in the next one, in both places, as one; elements there are so far apart."""
    if not len(table):
        return table
    ends = table[:-1, :2] + table[:-1, 2:] * strides
    first = np.flatnonzero([True, *(ends != table[1:, :2]).any(1)])
    return np.column_stack([table[first, :2], np.add.reduceat(table[:, 2], first)])


def cut(table: np.ndarray, longest: int, strides: tuple[int, int]) -> np.ndarray:
    """Runs as several of at most so many elements, which are so far apart."""
    counts = -(-table[:, 2] // longest)
    before = (np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)) * longest
    places, lengths = np.split(np.repeat(table, counts, 0), [2], 1)
    return np.column_stack([places + before[:, None] * strides, np.minimum(lengths[:, 0] - before, longest)])


def planned(form: Form) -> Plan:
    """The tables for windows."""
    low, high = _seen(form)
    lengths = [b - a + 1 for a, b in zip(low, high, strict=True)]

    def flat(at: Iterable[int], sizes: Iterable[int]) -> int:
        return functools.reduce(lambda total, pair: total * pair[1] + pair[0], zip(at, sizes, strict=True), 0)

    def place(ys: Sizes) -> int:
        inside = flat((y // d - a for y, d, a in zip(ys, form.down, low, strict=True)), lengths)
        part = flat((y % d for y, d in zip(ys, form.down, strict=True)), form.down)
        return part * math.prod(lengths) + inside

    copies = []
    for part in itertools.product(*map(range, form.down)):
        there = zip(part, form.given, form.down, low, high, strict=True)
        ds, hs, ws = (range(max(d * a, 0) + r, min(d * b + r + 1, n), d) for r, n, d, a, b in there)
        for y, h in itertools.product(ds, hs if ws else ()):
            copies.append((flat((y, h, ws[0]), form.given), place((y, h, ws[0])), len(ws)))
    taps, rows = [], []
    for phase in itertools.product(*map(range, form.up)):
        found = []
        for i, places in enumerate(itertools.product(*map(range, form.kernel))):
            ys = [z + f + s * p for z, f, s, p in zip(phase, form.first, form.step, places, strict=True)]
            if not any(y % u for y, u in zip(ys, form.up, strict=True)):
                found.append((i, place(tuple(y // u for y, u in zip(ys, form.up, strict=True)))))
        taps.append(np.array(found, np.int64).reshape(-1, 2))
        nd, nh, nw = (max(-((z - n) // u), 0) for z, n, u in zip(phase, form.sizes, form.up, strict=True))
        row = []
        for at in itertools.product(range(nd), range(nh), range(min(nw, 1))):
            z = (i * u + p for i, u, p in zip(at, form.up, phase, strict=True))
            row.append((flat(at, lengths), flat(z, form.sizes), nw))
        rows.append(runs(row))
    plane = math.prod(form.down) * math.prod(lengths)
    return Plan(plane, joined(runs(copies), (form.down[2], 1)), taps, rows)


class _Tables(NamedTuple):
    """What kernels get.

    Attributes
    ----------
    plane, copies, taps : those of a plan
    rows : for each row of windows, where in the plane and in the output, and how long
    lines : taps for columns, and then for the columns of a window
    span : from the first window to the last in the plane
    away : how far in the channel each place of a window is from the first
    starts : where in the channel each row of windows begins
    """

    plane: int
    copies: np.ndarray
    taps: np.ndarray
    rows: np.ndarray
    lines: np.ndarray
    span: int
    away: np.ndarray
    starts: np.ndarray


@functools.cache
def _tables(given: Sizes, sizes: Sizes, kernel: Sizes, stride: Sizes, first: Sizes, step: Sizes, down: int) -> _Tables:
    """Kept for good, as compiled code has their addresses; they do not depend on the size of the batch.

    The plan is for windows at all places, of which those a stride apart are picked; along the last dimension with a
    stride of `down` already, 1 or that of the windows.
    """
    apart = (*stride[:2], stride[2] // down)
    every = three(((n - 1) * s + 1 for n, s in zip(sizes, apart, strict=True)), 1)
    form = Form(given, every, kernel, (1, 1, 1), (1, 1, down), first, step)
    plane, copies, (taps,), (rows,) = planned(form)
    wanted = rows.reshape(*every[:2], 3)[:: stride[0], :: stride[1], 0].ravel()
    picked = [(p, i * sizes[2], sizes[2]) for i, p in enumerate(wanted)]
    places = taps[:, 1].reshape(-1, kernel[2])
    lines = np.concatenate([places[:, 0], places[0] - places[0, 0]])
    span = wanted[-1] + (sizes[2] - 1) * apart[2] + 1 if math.prod(sizes) else 0
    strides = np.array([given[1] * given[2], given[2], 1])
    away = np.indices(kernel).reshape(3, -1).T * step @ strides
    starts = (np.indices((*sizes[:2], 1)).reshape(3, -1).T * stride + first) @ strides
    return _Tables(plane, copies, taps[:, 1].copy(), runs(picked), lines, int(span), away, starts)


def _lowered(
    i: Instruction, dtypes: tuple[str, ...], full: Value, windows: Value, together: bool = False
) -> tuple[_Tables, list[int]] | None:
    """The tables, and what all kernels get: sizes and tables.

    `together` says that elements a stride apart along the last dimension are next to each other in a plane.
    """
    p, n = i.params, len(i.params["kernel"])
    if n > 3 or any(not isinstance(x, Value) or str(x.dtype) not in dtypes for x in i.operands):
        return None
    if len({x.dtype for x in i.values}) > 1:
        return None
    given, sizes, batch = full.shape[-n:], windows.shape[-n:], math.prod(full.shape[:-n])
    t = _tables(
        three(given, 1), three(sizes, 1), three(p["kernel"], 1),
        three(p["stride"], 1), three((-before for before, _ in p["padding"]), 0), three(p["dilation"], 1),
        int(p["stride"][-1]) if together else 1,
    )  # fmt: skip
    common = [batch, math.prod(given), t.plane, math.prod(sizes), address(t.copies), len(t.copies)]
    return t, [*common, int(p["stride"][-1]), address(t.taps), len(t.taps), address(t.rows), len(t.rows)]


_FLOATS = ("float32", "float64")
_NUMBERS = (*_FLOATS, "int32", "int64")


@lowering("sliding_windows")
def _sliding_windows(i: Instruction) -> Call | None:
    found = _lowered(i, _NUMBERS, i.values[0], i.result)
    return found and Call(
        "windows.sliding_windows", (*i.values, i.result, Scratch(found[0].plane, str(i.result.dtype)), *found[1])
    )


@lowering("overlap_add")
def _overlap_add(i: Instruction) -> Call | None:
    found = _lowered(i, _NUMBERS, i.result, i.values[0])
    return found and Call(
        "windows.overlap_add", (*i.values, i.result, Scratch(found[0].plane, str(i.result.dtype)), *found[1])
    )


def _by_columns(i: Instruction, dtypes: tuple[str, ...], fill: tuple[Number, ...]) -> Call | None:
    found = _lowered(i, dtypes, i.values[0], i.result)
    if found is None:
        return None
    t, common = found
    dtype, across = str(i.result.dtype), i.params["kernel"][-1]
    if t.copies.tolist() == [[0, 0, t.plane]]:  # the plane is what is given
        common[5] = 0
    common[7:9] = address(t.lines), len(t.lines) - across
    scratch = Scratch(t.plane, dtype), Scratch(t.plane, dtype), Scratch(t.span, dtype)
    return Call(f"windows.{i.name}", (*i.values, i.result, *scratch, *fill, *common, across, t.span))


@lowering("window_sum")
def _window_sum(i: Instruction) -> Call | None:
    return _by_columns(i, _NUMBERS, ())


@lowering("window_max")
def _window_max(i: Instruction) -> Call | None:
    return _by_columns(i, _FLOATS, (Number(-math.inf, str(i.result.dtype)),))


@lowering("window_argmax")
def _window_argmax(i: Instruction) -> Call | None:
    found = _lowered(i, _FLOATS, i.values[0], i.result, together=True)
    if found is None or found[1][1] >= 2**31:
        return None
    t, common = found
    plane, part = (Scratch(size, str(i.values[0].dtype)) for size in (t.plane, t.span))
    scratch = plane, plane, part, Scratch(t.span, "int32")
    tables = address(t.away), address(t.starts)
    return Call("windows.window_argmax", (*i.values, i.result, *scratch, *common, t.span, *tables))
