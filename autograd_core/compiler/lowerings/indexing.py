"""Indices in brackets, and places in the flattened array."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from ...ops.indexing import ARRAY
from ..access import contiguous_strides
from ..program import Instruction, Value
from . import Call, Scratch, lowering

Dims: TypeAlias = list[tuple[int, int]]
"""The size and the stride of each dimension."""

ARRAYS = 3
"""As many arrays an index may have."""


def merged(dims: Iterable[tuple[int, int]], count: int) -> list[int] | None:
    """Sizes and strides of the fewest loops over these dimensions, `count` of them; None if more are needed."""
    found: Dims = []
    for n, stride in dims:
        if n == 1:
            continue
        if found and found[-1][1] == n * stride:
            found[-1] = (found[-1][0] * n, stride)
        else:
            found.append((n, stride))
    if len(found) > count:
        return None
    return [x for dim in [(1, 1)] * (count - len(found)) + found for x in dim]


def _repeated(shape: Sequence[int], common: Sequence[int]) -> tuple[int, int, int] | None:
    """How often an array is repeated as a whole, its size, and how often each element, when it is broadcast."""
    own = [1] * (len(common) - len(shape)) + list(shape)
    kept = [d for d, (n, m) in enumerate(zip(own, common, strict=True)) if n == m != 1]
    first, last = (kept[0], kept[-1] + 1) if kept else (len(common), len(common))
    if any(own[d] != common[d] for d in range(first, last)):
        return None
    return math.prod(common[:first]), math.prod(own), math.prod(common[last:])


def _broadcast(shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in shapes]
    return tuple(next((n for n in sizes if n != 1), 1) for sizes in zip(*padded, strict=True))


def _expanded(form: tuple[Any, ...], rank: int) -> list[Any]:
    """The form with a slice for each dimension that it does not name."""
    missing = [slice(None)] * (rank - sum(part is not None and part is not Ellipsis for part in form))
    at = form.index(Ellipsis) if Ellipsis in form else len(form)
    return [*form[:at], *missing, *form[at + 1 :]]


class _Index:
    """An index as loops: what its arrays contribute, and the dimensions before and after those."""

    def __init__(self, form: tuple[Any, ...], arrays: Sequence[Value], sizes: tuple[int, ...]) -> None:
        strides = iter(contiguous_strides(sizes))
        rest, numbers = iter(sizes), iter(arrays)
        self.base = 0
        self.used: list[tuple[Value, int, int]] = []  # each array, with the size and the stride of its dimension
        before: Dims = []
        after: Dims = []
        where: list[int] = []  # of all that NumPy takes for arrays, of which integers are some
        for position, part in enumerate(_expanded(form, len(sizes))):
            if part is None:
                continue
            size, stride = next(rest), next(strides)
            if isinstance(part, slice):
                start, stop, step = part.indices(size)
                self.base += start * stride if size else 0
                (after if where else before).append((len(range(start, stop, step)), step * stride))
                continue
            where.append(position)
            if part is ARRAY:
                self.used.append((next(numbers), size, stride))
            else:
                self.base += (part + size if part < 0 else part) * stride
        if where and where[-1] - where[0] >= len(where):  # apart: then their dimensions come first
            before, after = [], before + after
        self.before, self.after = merged(before, 1), merged(after, 1)

    def arguments(self) -> list[Any] | None:
        """The arrays, and the numbers that kernels get about them and about the loops."""
        if not 1 <= len(self.used) <= ARRAYS or any(a.dtype.kind not in "iu" for a, *_ in self.used):
            return None
        common = _broadcast([a.shape for a, *_ in self.used])
        self.count = math.prod(common)
        numbers = []
        for array, size, stride in self.used:
            repeated = _repeated(array.shape, common)
            if repeated is None:
                return None
            numbers.append((*repeated, size, stride))
        numbers += [(0, 0, 0, 0, 0)] * (ARRAYS - len(numbers))
        if self.before is None or self.after is None:
            return None
        return [self.base, self.count, *(x for each in numbers for x in each), *self.before, *self.after]

    @property
    def arrays(self) -> list[Value]:
        """Three of them: where there are fewer, the first stands for none."""
        arrays = [a for a, *_ in self.used]
        return arrays + arrays[:1] * (ARRAYS - len(arrays))


def _values(i: Instruction) -> list[Value] | None:
    return i.values if len(i.values) == len(i.operands) else None


@lowering("index")
def _index(i: Instruction) -> Call | None:
    values = _values(i)
    if not values or values[0].dtype != i.result.dtype:
        return None
    x, *arrays = values
    index = _Index(i.params["form"], arrays, x.shape)
    arguments = index.arguments()
    if arguments is None:
        return None
    return Call("indexing.index", (*index.arrays, x, Scratch(index.count, "int64"), i.result, *arguments), True)


@lowering("put")
def _put(i: Instruction) -> Call | None:
    values = _values(i)
    if not values or values[0].dtype != i.result.dtype or i.result.dtype == bool:
        return None
    x, *arrays = values
    index = _Index(i.params["form"], arrays, i.params["shape"])
    arguments = index.arguments()
    if arguments is None or x.size != index.count * math.prod(arguments[-4::2]):
        return None
    scratch = Scratch(index.count, "int64")
    return Call("indexing.put", (*index.arrays, x, scratch, i.result, i.result.size, *arguments), True)


@lowering("places")
def _places(i: Instruction) -> Call | None:
    arrays = _values(i)
    if not arrays:
        return None
    index = _Index(i.params["form"], arrays, i.params["sizes"])
    arguments = index.arguments()
    if arguments is None:
        return None
    return Call("indexing.places", (*index.arrays, i.result, Scratch(index.count, "int64"), *arguments), True)


@lowering("places_along")
def _places_along(i: Instruction) -> Call | None:
    (index,) = i.values
    axis, sizes = i.params["axis"], i.params["sizes"]
    strides = contiguous_strides(sizes)
    dims = list(zip(index.shape, strides, strict=True))
    before, after = merged(dims[:axis], 2), merged(dims[axis + 1 :], 2)
    if before is None or after is None or index.dtype.kind not in "iu":
        return None
    return Call("indexing.along", (index, i.result, *before, index.shape[axis], strides[axis], *after))


@lowering("gather")
def _gather(i: Instruction) -> Call | None:
    values = _values(i)
    if not values or values[1].dtype.kind not in "iu" or values[0].dtype != i.result.dtype:
        return None
    x, places = values
    return Call("indexing.gather", (x, places, i.result, x.size, places.size), True)
