"""Picking elements, and putting them back: each picks what the other puts.

An index is split into its arrays, which are operands, and its form (slices, integers, None, Ellipsis, and where the
arrays go), which is static.  So one primitive picks, for all that NumPy allows between brackets, and its rule is one
that puts; that one's rule picks again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from .arguments import aliases, axis_of, ndim, shape

__all__ = ["gather", "getitem", "index_select", "masked_select", "scatter_add", "take_along_dim"]

name_axis = aliases(axis="dim", indices="index")


class _Array:
    """Stands in an index's form for the next array."""

    def __repr__(self) -> str:
        return "array"


ARRAY = _Array()


def _joined(form: tuple[Any, ...], arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    rest = iter(arrays)
    return tuple(next(rest) if part is ARRAY else part for part in form)


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


@primitive(routes=True, reference=lambda x, *arrays, form: x[_joined(form, arrays)], samples=_index_samples)
def _index(input: Any, *arrays: Any, form: tuple[Any, ...]) -> Any:
    return input[_joined(form, arrays)]


def _put_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.normal(size=(3, 3)), np.array([0, 0, 3]), shape=(4, 3), form=(ARRAY,)),
        Sample(rng.normal(size=2), shape=(4, 3), form=(slice(1, None, 2), 1)),
    ]


def _counted(places: Any, values: Any, shape: tuple[int, ...]) -> Any:
    """The sum of the values at each flat place, by counting: what putting is compared with."""
    return np.bincount(np.ravel(places), np.ravel(values), math.prod(shape)).reshape(shape)


@primitive(
    reference=lambda values, *arrays, shape, form: _counted(
        np.arange(math.prod(shape)).reshape(shape)[_joined(form, arrays)], values, shape
    ),
    samples=_put_samples,
)
def _put(values: Any, *arrays: Any, shape: tuple[int, ...], form: tuple[Any, ...]) -> Any:
    """Zeros of `shape` with the values added where the index points; repeated places accumulate."""
    out = np.zeros(shape, np.asarray(values).dtype)
    index = _joined(form, arrays)
    if any(a.dtype != bool for a in arrays):
        np.add.at(out, index, values)
    else:
        out[index] = values
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


def getitem(input: Any, index: Any) -> Any:
    """``input[index]``, in all of NumPy's forms: integers, slices, None, Ellipsis, integer and bool arrays or lists.

    Picked twice, an element gets both gradients.

    >>> import autograd_core as ag
    >>> x = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> x[[0, 0, 1]].sum().backward()
    >>> x.grad
    tensor([2., 1.])
    """
    parts = [_part(part) for part in (index if isinstance(index, tuple) else (index,))]
    arrays = [part for part in parts if hasattr(part, "dtype")]
    form = tuple(ARRAY if hasattr(part, "dtype") else part for part in parts)
    return _index(input, *arrays, form=form)


# Along one dimension


def _along_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.normal(size=(4, 3)), rng.integers(0, 4, size=(2, 3)), axis=0),
        Sample(rng.normal(size=(4, 3)), rng.integers(0, 3, size=(4, 5)), axis=1),
        Sample(rng.normal(size=(4, 3)), rng.integers(0, 3, size=(2, 1)), axis=1),
    ]


def _places(index: Any, axis: int) -> tuple[Any, ...]:
    grid = np.ogrid[tuple(slice(n) for n in index.shape)]
    return tuple(index if i == axis else g for i, g in enumerate(grid))


def _corner(x: Any, index: Any, axis: int) -> Any:
    """The part of `x` that an index smaller than it, off `axis`, can reach."""
    return x[tuple(slice(None if i == axis else n) for i, n in enumerate(index.shape))]


@primitive(
    routes=True,
    reference=lambda x, index, axis: np.take_along_axis(_corner(x, index, axis), index, axis),
    samples=_along_samples,
)
def _gather(input: Any, index: Any, *, axis: int) -> Any:
    return input[_places(index, axis)]


def _scatter_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.normal(size=(4, 3)), rng.integers(0, 4, size=(2, 3)), rng.normal(size=(2, 3)), axis=0),
        Sample(rng.normal(size=(4, 3)), rng.integers(0, 3, size=(2, 1)), rng.normal(size=(2, 1)), axis=1),
    ]


@primitive(
    reference=lambda x, index, src, axis: (
        x
        + _counted(
            np.take_along_axis(_corner(np.arange(x.size).reshape(x.shape), index, axis), index, axis), src, x.shape
        )
    ),
    samples=_scatter_samples,
)
def _scatter_add(input: Any, index: Any, src: Any, *, axis: int) -> Any:
    out = np.array(input)
    np.add.at(out, _places(index, axis), src)
    return out


_gather.defvjp(
    lambda g, input_shape, index, axis: _scatter_add(np.zeros(input_shape, g.dtype), index, g, axis=axis), None
)
_scatter_add.defvjp(lambda g: g, None, lambda g, index, axis: _gather(g, index, axis=axis))


def _checked(operation: str, input: Any, dim: int, index: Any) -> tuple[int, Any]:
    """The dimension, and the index as an array of integers within bounds."""
    axis = axis_of(operation, dim, ndim(input))
    index = index if hasattr(index, "dtype") else np.asarray(index)
    if index.dtype.kind not in "iu":
        raise TypeError(f"{operation}: expected an index of integers, got {index.dtype}")
    values = np.asarray(index.array if hasattr(index, "array") else index)
    size = shape(input)[axis]
    if values.size and not (values.min() >= 0 and values.max() < size):
        bad = int(values.min() if values.min() < 0 else values.max())
        raise IndexError(f"{operation}: index {bad} is out of bounds for dim {dim} of size {size}")
    return axis, index


@name_axis
def gather(input: Any, dim: int, index: Any) -> Any:
    """``out[i][j] = input[i][index[i][j]]`` (for dim 1): picks along one dimension, an index for each output element.

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
    if ndim(index) != ndim(input):
        raise ValueError(
            f"gather: index of shape {shape(index)} and input of shape {shape(input)} differ in dimensions"
        )
    axis, index = _checked("gather", input, dim, index)
    if ndim(input) == 0:
        return input
    return _gather(input, index, axis=axis)


@name_axis
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """`input` with ``out[i][index[i][j]] += src[i][j]`` (for dim 1); repeated places accumulate.

    >>> import autograd_core as ag
    >>> ag.scatter_add(ag.zeros(3), 0, ag.tensor([0, 0, 2]), ag.tensor([1.0, 2.0, 3.0]))
    tensor([3., 0., 3.])
    """
    axis, index = _checked("scatter_add", input, dim, index)
    if shape(index) != shape(src):
        src = src[tuple(slice(n) for n in shape(index))]
    return _scatter_add(input, index, src, axis=axis)


@name_axis
def take_along_dim(input: Any, index: Any, dim: int) -> Any:
    """As :func:`gather`, with NumPy's order of arguments; negative indices count from the end.

    >>> import autograd_core as ag
    >>> ag.take_along_dim(ag.tensor([[1, 2], [3, 4]]), ag.tensor([[-1], [0]]), dim=1)
    tensor([[2],
            [3]])
    """
    size = shape(input)[axis_of("take_along_dim", dim, ndim(input))]
    index = index if hasattr(index, "dtype") else np.asarray(index)
    return gather(input, dim, np.where(index < 0, index + size, index))


@name_axis
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices of `input` along `dim` that a 1-d `index` names.

    >>> import autograd_core as ag
    >>> ag.index_select(ag.tensor([[1, 2], [3, 4]]), 1, ag.tensor([1, 1]))
    tensor([[2, 2],
            [4, 4]])
    """
    axis, index = _checked("index_select", input, dim, index)
    return getitem(input, (*(slice(None),) * axis, index))


def masked_select(input: Any, mask: Any) -> Any:
    """The elements of `input` where `mask` is true, in one dimension.

    >>> import autograd_core as ag
    >>> ag.masked_select(ag.tensor([1, 2, 3]), ag.tensor([True, False, True]))
    tensor([1, 3])
    """
    return getitem(input, np.broadcast_to(mask, shape(input)))


@implements(np.take_along_axis)
def _numpy_take_along_axis(arr: Any, indices: Any, axis: int = -1) -> Any:
    return take_along_dim(arr, indices, axis)
