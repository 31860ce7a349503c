"""Windows: where runs begin, for kernels that know of one dimension only (see `kernels.windows`).

Dimensions are three; fewer are preceded by ones.  Along each, output z sees input y at place i of the window if
``up y = down z + first + step i``.  For windows, and convolutions, `down` is the stride; for a gradient of a convolution
by its input, which is a convolution too, `up` is.  A plane holds the inputs whose y has the same remainder by `down`,
and the outputs whose z have the same remainder by `up`, a phase, see the same places.
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

__all__ = ["Form", "Plan", "Sizes", "address", "planned", "runs", "three"]

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
    copies : shape (rows of the planes, 3): where in the channel, where in the planes, how long
    taps : for each phase, shape (places, 2): a place in the window, and where in the planes it begins
    rows : for each phase, shape (runs, 3): how far in the planes from the first output, where in the output, how long
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


def planned(form: Form, longest: int) -> Plan:
    """The tables for windows, with rows cut into runs of at most so many."""
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
        run = []
        for at in itertools.product(range(nd), range(nh), range(0, nw, longest)):
            z = (i * u + p for i, u, p in zip(at, form.up, phase, strict=True))
            run.append((flat(at, lengths), flat(z, form.sizes), min(nw - at[2], longest)))
        rows.append(runs(run))
    return Plan(math.prod(form.down) * math.prod(lengths), runs(copies), taps, rows)


class _Tables(NamedTuple):
    plane: int
    copies: np.ndarray
    taps: np.ndarray
    rows: np.ndarray
    span: int
    away: np.ndarray
    starts: np.ndarray


@functools.cache
def _tables(form: Form) -> _Tables:
    """Kept for good, as compiled code has their addresses; they do not depend on the size of the batch."""
    plane, copies, (taps,), (rows,) = planned(form, max(form.sizes[2], 1))
    strides = np.array([form.given[1] * form.given[2], form.given[2], 1])
    away = np.indices(form.kernel).reshape(3, -1).T * form.step @ strides
    starts = (np.indices((*form.sizes[:2], 1)).reshape(3, -1).T * form.down + form.first) @ strides
    span = int(max(rows[:, 0] + rows[:, 2], default=0))
    return _Tables(plane, copies, taps[:, 1].copy(), rows, span, away, starts)


def _lowered(
    i: Instruction, dtypes: tuple[str, ...], channel: Sizes, counts: Sizes, lead: Sizes
) -> tuple[_Tables, list[int]] | None:
    """The tables, and what all kernels get: sizes and tables."""
    x, p = i.operands[0], i.params
    if not isinstance(x, Value) or len(channel) > 3 or str(x.dtype) not in dtypes:
        return None
    first = (-before for before, _ in p["padding"])
    form = Form(
        three(channel, 1), three(counts, 1), three(p["kernel"], 1), (1, 1, 1),
        three(p["stride"], 1), three(first, 0), three(p["dilation"], 1),
    )  # fmt: skip
    t = _tables(form)
    return t, [
        math.prod(lead), math.prod(channel), t.plane, math.prod(counts), address(t.copies), len(t.copies), form.down[2],
        address(t.taps), len(t.taps), address(t.rows), len(t.rows),
    ]  # fmt: skip


_FLOATS = ("float32", "float64")
_NUMBERS = (*_FLOATS, "int32", "int64")


@lowering("sliding_windows", "window_sum", "window_max", "window_argmax")
def _windows(i: Instruction) -> Call | None:
    x, n = i.operands[0], len(i.params["kernel"])
    if not isinstance(x, Value):
        return None
    dtypes = _FLOATS if i.name in ("window_max", "window_argmax") else _NUMBERS
    found = _lowered(i, dtypes, x.shape[-n:], i.result.shape[-n:], x.shape[:-n])
    if found is None or any(not isinstance(y, Value) or y.dtype != x.dtype for y in i.operands):
        return None
    (t, common), dtype = found, str(x.dtype)
    planes, part = Scratch(t.plane, dtype), Scratch(t.span, dtype)
    scratch, more = {
        "sliding_windows": ((planes,), ()),
        "window_sum": ((planes, part), (t.span,)),
        "window_max": ((planes, part, Number(-math.inf, dtype)), (t.span,)),
        "window_argmax": (
            (planes, planes, part, Scratch(t.span, "int64")),
            (t.span, address(t.away), address(t.starts)),
        ),
    }[i.name]
    return Call(f"windows.{i.name}", (*i.values, i.result, *scratch, *common, *more))


@lowering("overlap_add")
def _overlap_add(i: Instruction) -> Call | None:
    x, n, out = i.operands[0], len(i.params["kernel"]), i.result
    if not isinstance(x, Value):
        return None
    found = _lowered(i, _NUMBERS, out.shape[-n:], x.shape[-n:], out.shape[:-n])
    if found is None:
        return None
    t, common = found
    return Call("windows.overlap_add", (x, out, Scratch(t.plane, str(x.dtype)), *common))
