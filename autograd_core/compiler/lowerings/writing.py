"""Writes at places of the flattened array, and under a mask."""

from __future__ import annotations

import math

from ...ops.indexing import ARRAY
from ..program import Instruction, Value
from . import Call, Scratch, lowering


def _operands(i: Instruction) -> list[Value] | None:
    """The operands, if they are values and those at places are integers."""
    if len(i.values) < len(i.operands) or i.values[1].dtype.kind not in "iu":
        return None
    return i.values


@lowering("scatter_add")
def _scatter_add(i: Instruction) -> Call | None:
    values = _operands(i)
    if values is None:
        return None
    src, places = values
    if src.dtype != i.result.dtype or src.dtype == bool or src.size != places.size:
        return None
    return Call("writing.scatter_add", (src, places, i.result, i.result.size, places.size), True)


@lowering("scatter")
def _scatter(i: Instruction) -> Call | None:
    values = _operands(i)
    if values is None:
        return None
    x, places, src = values
    if not x.dtype == src.dtype == i.result.dtype or src.size not in (1, places.size):
        return None
    return Call("writing.scatter", (x, places, src, i.result, x.size, places.size, int(src.size != 1)), True)


@lowering("scatter_extreme")
def _scatter_extreme(i: Instruction) -> Call | None:
    values = _operands(i)
    if values is None:
        return None
    x, places, src = values
    if not x.dtype == src.dtype == i.result.dtype or src.size != places.size:
        return None
    largest = int(i.params["largest"])
    return Call("writing.scatter_extreme", (x, places, src, i.result, x.size, places.size, largest), True)


@lowering("is_last")
def _is_last(i: Instruction) -> Call | None:
    (places,), size = i.values, i.params["size"]
    if places.dtype.kind not in "iu":
        return None
    return Call("writing.is_last", (places, Scratch(size, "int64"), i.result, size, places.size), True)


@lowering("set")
def _set(i: Instruction) -> Call | None:
    """Under a mask over the first dimensions, of values that are alike within a row, or from row to row."""
    form = tuple(part for part in i.params["form"] if part not in (Ellipsis, slice(None)))
    if form != (ARRAY,) or i.params["form"][0] is not ARRAY or len(i.values) != 3:
        return None
    x, value, mask = i.values
    if mask.dtype != bool or mask.shape != x.shape[: mask.ndim] or not x.dtype == value.dtype == i.result.dtype:
        return None
    inner = x.shape[mask.ndim :]
    n, size = math.prod(inner), value.size
    if size == 1:
        steps = 0, 0, -1
    elif value.shape in (inner, (1, *inner)):
        steps = 0, 1, -1
    elif value.shape[1:] == inner:
        steps = n, 1, value.shape[0]
    else:
        return None
    return Call("writing.masked", (x, value, mask, i.result, mask.size, n, *steps), True)
