"""Picking elements, and putting them back: each picks what the other puts.

An index is split into its arrays, which are operands, and its form (slices, integers, None, Ellipsis, and where the
arrays go), which is static.  So one primitive picks, for all that NumPy allows between brackets, and its rule is one
that puts; that one's rule picks again.

Where places can repeat, values are put at places in the *flattened* array: NumPy adds several times faster there, and
writes in the order given.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import modes
from ..dtypes import float32, float64
from ..primitive import Sample, implements, primitive
from .arguments import aliases, axis_of, by_name, demand, ndim, shape
from .shape import broadcast_to, ravel, reshape

__all__ = [
    "gather",
    "getitem",
    "index_select",
    "masked_select",
    "narrow",
    "select",
    "take",
    "take_along_dim",
]

name_axis = aliases(axis="dim", indices="index")


class _Array:
    """Stands in an index's form for the next array."""

    def __repr__(self) -> str:
        return "array"


ARRAY = _Array()
WHOLE = slice(None)


def _joined(form: tuple[Any, ...], arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    rest = iter(arrays)
    return tuple(next(rest) if part is ARRAY else part for part in form)


def _depth(form: tuple[Any, ...], arrays: tuple[Any, ...], rank: int) -> int:
    """How many of the dimensions the index names; those after them it takes as they are."""
    if Ellipsis in form:
        return rank
    masks = [a.ndim for a in arrays if a.dtype == bool]
    named: int = sum(part is not None for part in form) - len(masks) + sum(masks)
    return named


def _repeats(arrays: tuple[Any, ...]) -> bool:
    """Whether an index with these arrays can name a place twice."""
    return any(a.dtype != bool for a in arrays)


def _index_samples(rng: np.random.Generator) -> list[Sample]:
    x = rng.normal(size=(4, 3))
    rows = np.array([0, 0, 3])
    return [
        Sample(x, form=(slice(1, None, 2), 1)),
        Sample(x, form=(None, Ellipsis, -1)),
        Sample(x, rows, form=(ARRAY,)),
        Sample(x, rows, np.array([2, -1, 2]), form=(ARRAY, ARRAY)),
        Sample(x, rng.random((4, 3)) < 0.5, form=(ARRAY,)),
        Sample(x, rows, form=(ARRAY, slice(None, None, -1))),
        Sample(rng.normal(size=()), form=(Ellipsis,)),
        Sample(x, np.zeros(0, dtype=np.int64), form=(ARRAY,)),
    ]


def _masks(values: list[Any], params: dict[str, Any]) -> list[int]:
    """Which operands decide by their values how many elements an index picks."""
    return [i for i, a in enumerate(values) if a.dtype == bool and i >= len(values) - params["form"].count(ARRAY)]


@primitive(
    views=True,
    routes=True,
    reference=lambda x, *arrays, form: x[_joined(form, arrays)],
    samples=_index_samples,
    shaped_by=_masks,
)
def _index(input: Any, *arrays: Any, form: tuple[Any, ...]) -> Any:
    if len(arrays) == 1 and form[-1] is ARRAY and arrays[0].dtype != bool and all(p == WHOLE for p in form[:-1]):
        return np.take(input, arrays[0], len(form) - 1)  # twice as fast as brackets
    return input[_joined(form, arrays)]


def _places_samples(rng: np.random.Generator) -> list[Sample]:
    samples = [*_index_samples(rng), *_put_samples(rng)]
    return [
        Sample(*s.args[1:], form=s.params["form"], sizes=s.params.get("shape", s.args[0].shape))
        for s in samples
        if _repeats(s.args[1:])
    ]


@primitive(
    reference=lambda *arrays, form, sizes: np.arange(math.prod(sizes)).reshape(sizes)[_joined(form, arrays)],
    samples=_places_samples,
    shaped_by=_masks,
)
def _places(*arrays: Any, form: tuple[Any, ...], sizes: tuple[int, ...]) -> Any:
    """What the index picks from an array of these sizes, as places in the flattened array."""
    depth = _depth(form, arrays, len(sizes))
    places = np.asarray(np.arange(math.prod(sizes[:depth])).reshape(sizes[:depth])[_joined(form, arrays)])
    if depth == len(sizes):
        return places
    rest = np.arange(math.prod(sizes[depth:])).reshape(sizes[depth:])
    return places.reshape(places.shape + (1,) * rest.ndim) * rest.size + rest


def _put_samples(rng: np.random.Generator) -> list[Sample]:
    x = rng.normal(size=(4, 3, 2))
    rows, columns, mask = np.array([0, 0, -1]), np.array([2, 1, 2]), np.array([True, False, True, True])
    forms: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = [
        ((rows,), (ARRAY,)),
        ((), (slice(1, None, 2), 1)),
        ((rows, columns), (ARRAY, ARRAY)),
        ((rows, np.array([0, 1, 0])), (ARRAY, slice(None), ARRAY)),
        ((np.array([1, 1]),), (Ellipsis, ARRAY, slice(None, None, -1))),
        ((rows,), (None, ARRAY, None, slice(1))),
        ((mask,), (ARRAY,)),
        ((mask, columns), (ARRAY, ARRAY)),
        ((rows.reshape(3, 1),), (ARRAY, 1)),
    ]
    return [Sample(x[_joined(form, arrays)], *arrays, shape=x.shape, form=form) for arrays, form in forms]


def counted(places: Any, values: Any, shape: tuple[int, ...]) -> Any:
    """The sum of the values at each flat place, by counting: what putting is compared with."""
    values = np.broadcast_to(values, np.shape(places))
    return np.bincount(np.ravel(places), np.ravel(values), math.prod(shape)).reshape(shape)


PAIRS = {float32: np.dtype("complex64"), float64: np.dtype("complex128")}
"""Two numbers that lie side by side add as one complex number does, in little more than half the time."""


@primitive(
    broadcasts=True,
    reference=lambda values, *arrays, shape, form: counted(
        np.arange(math.prod(shape)).reshape(shape)[_joined(form, arrays)], values, shape
    ),
    samples=_put_samples,
)
def _put(values: Any, *arrays: Any, shape: tuple[int, ...], form: tuple[Any, ...]) -> Any:
    """Zeros of `shape` with the values added where the index points; repeated places accumulate."""
    values = np.asarray(values)
    out = np.zeros(shape, values.dtype)
    if not _repeats(arrays):
        out[_joined(form, arrays)] = values
        return out
    into = out
    rows = _depth(form, arrays, out.ndim) < out.ndim and values.shape[-1:] == shape[-1:]
    if rows and out.dtype in PAIRS and shape[-1] % 2 == 0:
        into, values = out.view(PAIRS[out.dtype]), np.ascontiguousarray(values).view(PAIRS[out.dtype])
    places = _places(*arrays, form=form, sizes=into.shape)
    np.add.at(into.reshape(-1), places.ravel(), np.broadcast_to(values, places.shape).ravel())
    return out


_index.defvjp(lambda g, input_shape, arrays, form: _put(g, *arrays, shape=input_shape, form=form))
_put.defvjp(lambda g, arrays, form: _index(g, *arrays, form=form))


def _part(part: Any) -> Any:
    """One entry between the brackets: as it is, or an array."""
    if part is None or part is Ellipsis or isinstance(part, slice):
        return part
    if isinstance(part, (int, np.integer)) and not isinstance(part, bool):
        return int(part)
    array = part if hasattr(part, "dtype") else np.asarray(part)
    if array.dtype.kind not in "iub":
        if array.size:
            raise IndexError(f"index: expected integers, bools, slices, None or ..., got {array.dtype} values")
        array = array.astype(np.int64)
    return array


def form_and_arrays(index: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """An index as its form and its arrays."""
    parts = [_part(part) for part in (index if isinstance(index, tuple) else (index,))]
    arrays = tuple(part for part in parts if hasattr(part, "dtype"))
    return tuple(ARRAY if hasattr(part, "dtype") else part for part in parts), arrays


def getitem(input: Any, index: Any) -> Any:
    """``input[index]``, in all of NumPy's forms: integers, slices, None, Ellipsis, integer and bool arrays or lists.

    Picked twice, an element gets both gradients.

    Raises
    ------
    IndexError
        If an index is out of bounds, or is neither integers nor bools.

    >>> import autograd_core as ag
    >>> x = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> x[[0, 0, 1]].sum().backward()
    >>> x.grad
    tensor([2., 1.])
    """
    form, arrays = form_and_arrays(index)
    return _index(input, *arrays, form=form)


# Along one dimension: the places in the flattened input are found once, and serve both directions


def _along_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.integers(0, 4, size=(2, 3)), axis=0, sizes=(4, 3)),
        Sample(rng.integers(0, 3, size=(4, 5)), axis=1, sizes=(4, 3)),
        Sample(rng.integers(0, 3, size=(2, 1)).astype(np.int32), axis=1, sizes=(4, 3)),
        Sample(rng.integers(0, 4, size=(2, 5, 2)), axis=1, sizes=(2, 4, 3)),
        Sample(np.zeros((2, 0), np.int64), axis=1, sizes=(2, 0)),
    ]


def _taken_along(index: Any, axis: int, sizes: tuple[int, ...]) -> Any:
    all_places = np.arange(math.prod(sizes)).reshape(sizes)
    corner = all_places[tuple(slice(None if i == axis else n) for i, n in enumerate(index.shape))]
    return np.take_along_axis(corner, index, axis)


@primitive(reference=_taken_along, samples=_along_samples)
def _places_along(index: Any, *, axis: int, sizes: tuple[int, ...]) -> Any:
    """What an index along `axis` picks from an array of these sizes, as places in the flattened array."""
    start: Any = 0
    for i, n in enumerate(sizes):
        along = np.arange(1 if i == axis else index.shape[i])
        start = start * n + along.reshape((-1,) + (1,) * (len(sizes) - 1 - i))
    stride = math.prod(sizes[axis + 1 :])
    if stride == 1:
        return np.add(index, start, dtype=np.int64)
    places = np.multiply(index, stride, dtype=np.int64)
    places += start  # in place: a second array of this size would cost more than the arithmetic
    return places


@primitive(
    routes=True,
    reference=lambda x, places: x.ravel()[places],
    samples=lambda rng: [
        Sample(rng.normal(size=(4, 3)), rng.integers(0, 12, size=(2, 3))),
        Sample(rng.normal(size=5), np.array([[-1, 4], [0, 0]])),
        Sample(rng.normal(size=()), np.array([0, 0])),
        Sample(rng.normal(size=(2, 3)), np.zeros(0, np.int64)),
    ],
)
def _gather(input: Any, places: Any) -> Any:
    """The elements at these places of the flattened input."""
    return np.take(input, places)


@primitive(
    reference=lambda src, places, shape: counted(places, src, shape),
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), rng.integers(0, 12, size=(2, 3)), shape=(4, 3)),
        Sample(rng.normal(size=4), np.array([0, 0, 2, 0]), shape=(3,)),
        Sample(rng.normal(size=2), np.array([0, 0]), shape=()),
    ],
)
def _scatter_add(src: Any, places: Any, *, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape`, with `src` added at these places of the flattened array."""
    out = np.zeros(shape, src.dtype)
    np.add.at(out.reshape(-1), places.ravel(), src.ravel())
    return out


_gather.defvjp(lambda g, input_shape, places: _scatter_add(g, places, shape=input_shape))
_scatter_add.defvjp(lambda g, places: _gather(g, places))


def places_along(operation: str, input: Any, dim: int, index: Any) -> Any:
    """The places in the flattened `input` that an index along `dim` names, all arguments checked."""
    axis, index = checked(operation, input, dim, index)
    return _places_of(operation, input, axis, index)


def _places_of(operation: str, input: Any, axis: int, index: Any) -> Any:
    sizes, given = shape(input), shape(index)
    if len(sizes) <= 1 and len(given) <= 1:
        return index
    if len(sizes) != len(given):
        raise ValueError(f"{operation}: index of shape {given} and input of shape {sizes} differ in dimensions")
    if math.prod(given) and any(n > m for i, (n, m) in enumerate(zip(given, sizes, strict=True)) if i != axis):
        raise ValueError(f"{operation}: index of shape {given} is larger than input of shape {sizes} off dim {axis}")
    return _places_along(index, axis=axis, sizes=sizes)


def checked(operation: str, input: Any, dim: int, index: Any) -> tuple[int, Any]:
    """The dimension, and the index as an array of integers within bounds."""
    axis = axis_of(operation, dim, ndim(input))
    index = index if hasattr(index, "dtype") else np.asarray(index, dtype=None if np.size(index) else np.int64)
    if index.dtype.kind not in "iu":
        raise TypeError(f"{operation}: expected an index of integers, got {index.dtype}; convert it with .long()")
    size = shape(input)[axis] if shape(input) else 1
    if modes.recorder() is None:
        values = np.asarray(getattr(index, "array", index))
        # Read as unsigned, a negative number is a huge one.
        if not values.size or values.view(f"u{values.itemsize}").max() < size:
            return axis, index

    def explain(bad: Any, values: Any) -> None:
        position = np.unravel_index(np.argmax(bad), bad.shape)
        raise IndexError(
            f"{operation}: index {values[position]} is out of bounds for dim {dim} of size {size}, "
            f"at position {tuple(map(int, position))} of the index"
        )

    demand(lambda values: (values < 0) | (values >= size), explain, index)
    return axis, index


def gather_known(input: Any, dim: int, index: Any) -> Any:
    """:func:`gather` by an index that is known to be within bounds."""
    return _gather(input, _places_of("gather", input, dim, index))


@name_axis
def gather(input: Any, dim: int, index: Any) -> Any:
    """``out[i][j] = input[i][index[i][j]]`` (for dim 1): picks along one dimension, an index for each output element.

    Parameters
    ----------
    index : integers
        With the dimensions of `input`; off `dim` not larger than it.

    Raises
    ------
    IndexError
        If an index is out of bounds.
    ValueError
        If the number of dimensions differs.

    >>> import autograd_core as ag
    >>> ag.gather(ag.tensor([[1, 2], [3, 4]]), 1, ag.tensor([[0], [1]]))
    tensor([[1],
            [4]])
    """
    return _gather(input, places_along("gather", input, dim, index))


@name_axis
def take_along_dim(input: Any, index: Any, dim: int | None = None) -> Any:
    """As :func:`gather`, with NumPy's order of arguments; negative indices count from the end.

    The other dimensions broadcast.  Without `dim`, both are flattened first.

    >>> import autograd_core as ag
    >>> ag.take_along_dim(ag.tensor([[1, 2], [3, 4]]), ag.tensor([[-1], [0]]), dim=1)
    tensor([[2],
            [3]])
    """
    index = index if hasattr(index, "dtype") else np.asarray(index)
    if dim is None:
        input, index, dim = ravel(input), ravel(index), 0
    axis = axis_of("take_along_dim", dim, ndim(input))
    if ndim(index) != ndim(input):
        raise ValueError(
            f"take_along_dim: index of shape {shape(index)} and input of shape {shape(input)} differ in dimensions"
        )
    index = np.where(index < 0, index + shape(input)[axis], index)
    common = list(np.broadcast_shapes(*((*s[:axis], 1, *s[axis + 1 :]) for s in (shape(input), shape(index)))))
    input, index = (
        x if shape(x) == (wanted := (*common[:axis], shape(x)[axis], *common[axis + 1 :])) else broadcast_to(x, wanted)
        for x in (input, index)
    )
    return gather(input, dim, index)


implements(np.take_along_axis)(lambda arr, indices, axis=-1: take_along_dim(arr, indices, axis))


@name_axis
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices of `input` along `dim` that a 1-d `index` names.

    Raises
    ------
    IndexError
        If an index is out of bounds.

    >>> import autograd_core as ag
    >>> ag.index_select(ag.tensor([[1, 2], [3, 4]]), 1, ag.tensor([1, 1]))
    tensor([[2, 2],
            [4, 4]])
    """
    axis, index = checked("index_select", input, dim, index)
    if ndim(index) > 1:
        raise ValueError(f"index_select: expected an index of one dimension, got shape {shape(index)}; use getitem")
    if ndim(input) == 0:
        return reshape(getitem(reshape(input, 1), reshape(index, -1)), ())
    return getitem(input, (*(slice(None),) * axis, reshape(index, -1)))


def take(input: Any, index: Any) -> Any:
    """The elements of the flattened `input` that `index` names, in the shape of `index`.

    >>> import autograd_core as ag
    >>> ag.take(ag.tensor([[1, 2], [3, 4]]), ag.tensor([0, 3]))
    tensor([1, 4])
    """
    return _gather(input, index if hasattr(index, "dtype") else np.asarray(index))


@by_name(np.take)
def _numpy_take(a: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
    if mode != "raise":
        raise TypeError(f"np.take with mode={mode!r} is not supported on tensors; bring the indices into range first")
    if axis is None:
        return take(a, indices)
    return getitem(a, (*(slice(None),) * axis_of("take", axis, ndim(a)), indices))


def masked_select(input: Any, mask: Any) -> Any:
    """The elements of `input` where `mask` is true, in one dimension; the two broadcast.

    >>> import autograd_core as ag
    >>> ag.masked_select(ag.tensor([1, 2, 3]), ag.tensor([True, False, True]))
    tensor([1, 3])
    """
    sizes = np.broadcast_shapes(shape(input), shape(mask))
    return getitem(broadcast_to(input, sizes), broadcast_to(mask, sizes))


@name_axis
def select(input: Any, dim: int, index: int) -> Any:
    """The slice at `index` along `dim`, without that dimension.

    >>> import autograd_core as ag
    >>> ag.select(ag.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    if ndim(input) == 0:
        raise IndexError("select: a 0-d tensor has no dimension to select from")
    axis = axis_of("select", dim, ndim(input))
    return getitem(input, (*(slice(None),) * axis, operator.index(index)))


@name_axis
def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """The `length` entries along `dim` from `start` on.

    >>> import autograd_core as ag
    >>> ag.narrow(ag.tensor([1, 2, 3, 4]), 0, 1, 2)
    tensor([2, 3])
    """
    axis = axis_of("narrow", dim, ndim(input))
    start, length, size = operator.index(start), operator.index(length), shape(input)[axis]
    first = start + size if start < 0 else start
    if not (0 <= first <= first + length <= size):
        raise IndexError(f"narrow: start {start} and length {length} exceed size {size} of dim {dim}")
    return getitem(input, (*(slice(None),) * axis, slice(first, first + length)))
