"""Putting values at places: the counterparts of indexing.

The input is never changed: each gives a copy with the values in it.  Where a place is written twice, the last write
wins, and so does its gradient; what accumulates says so.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import Sample, primitive
from ..tensor import as_tensor
from .arguments import aliases, axis_of, ndim, shape
from .casting import cast
from .indexing import (
    ARRAY,
    _gather,
    _index,
    _index_samples,
    _joined,
    _places,
    _places_along,
    _put,
    _repeats,
    _scatter_add,
    check_reach,
    checked,
    form_and_arrays,
    getitem,
)
from .reduction import prod
from .shape import broadcast_to, reshape

__all__ = [
    "diagonal_scatter",
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "masked_scatter",
    "put",
    "scatter",
    "scatter_add",
    "scatter_reduce",
    "select_scatter",
    "setitem",
    "slice_scatter",
]

name_axis = aliases(axis="dim", indices="index")


# Writing


def _last_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(np.array([0, 0, 2, 0]), shape=(3, 2), form=(ARRAY,)),
        Sample(np.array([[1, 1], [0, 1]]), np.array([0, 0]), shape=(3, 2), form=(ARRAY, ARRAY)),
        Sample(np.array([True, False, True]), shape=(3, 2), form=(ARRAY,)),
    ]


def _one_by_one_last(*arrays: Any, shape: tuple[int, ...], form: tuple[Any, ...]) -> Any:
    places = np.arange(math.prod(shape)).reshape(shape)[_joined(form, arrays)]
    flat = places.ravel().tolist()
    return np.reshape([place not in flat[i + 1 :] for i, place in enumerate(flat)], places.shape)


@primitive(reference=_one_by_one_last, samples=_last_samples)
def _last_write(*arrays: Any, shape: tuple[int, ...], form: tuple[Any, ...]) -> Any:
    """Whether each write to where the index points is the last one to its place."""
    places = _places(form, arrays, shape)
    order = np.arange(places.size)
    last = np.zeros(math.prod(shape), order.dtype)
    last[places.ravel()] = order
    return (last[places.ravel()] == order).reshape(places.shape)


def _set_samples(rng: np.random.Generator) -> list[Sample]:
    samples = []
    for sample in _index_samples(rng):
        x, *arrays = sample.args
        sizes = x[_joined(sample.params["form"], tuple(arrays))].shape
        samples.append(Sample(x, rng.normal(size=sizes), *arrays, **sample.params))
        samples.append(Sample(x, rng.normal(size=sizes[1:]), *arrays, **sample.params))
    return samples


def _one_by_one(input: Any, value: Any, *arrays: Any, form: tuple[Any, ...]) -> Any:
    out = list(input.ravel())
    places = np.arange(input.size).reshape(input.shape)[_joined(form, arrays)]
    for place, v in zip(np.ravel(places), np.ravel(np.broadcast_to(value, np.shape(places))), strict=True):
        out[place] = v
    return np.reshape(out, input.shape)


@primitive(broadcasts=True, reference=_one_by_one, samples=_set_samples)
def _set(input: Any, value: Any, *arrays: Any, form: tuple[Any, ...]) -> Any:
    out = np.array(input, order="C")
    if _repeats(arrays):
        places = _places(form, arrays, out.shape)
        # A flat write is made in the order of the index, so the last one is the last.
        out.reshape(-1)[places.ravel()] = np.broadcast_to(value, places.shape).ravel()
    else:
        out[_joined(form, arrays)] = value
    return out


def _set_to_value(g: Any, input_shape: tuple[int, ...], arrays: tuple[Any, ...], form: tuple[Any, ...]) -> Any:
    written = _index(g, *arrays, form=form)
    if not _repeats(arrays):
        return written
    return np.where(_last_write(*arrays, shape=input_shape, form=form), written, 0.0)


_set.defvjp(lambda g, arrays, form: _set(g, 0.0, *arrays, form=form), _set_to_value)


def setitem(input: Any, index: Any, value: Any) -> Any:
    """A copy of `input` with ``out[index] = value``, in all of NumPy's forms of an index; the value broadcasts.

    Where the index names a place twice, the last write wins, and so does its gradient.

    >>> import autograd_core as ag
    >>> v = ag.tensor([5.0, 6.0], requires_grad=True)
    >>> y = ag.setitem(ag.zeros(3), [0, 0], v)
    >>> y.detach()
    tensor([6., 0., 0.])
    >>> y.sum().backward()
    >>> v.grad
    tensor([0., 1.])
    """
    form, arrays = form_and_arrays(index)
    if ndim(value):
        value = _fitting(input, value, form, arrays)
    return _set(input, value, *arrays, form=form)


def _fitting(input: Any, value: Any, form: tuple[Any, ...], arrays: list[Any]) -> Any:
    """The value in the dtype of `input`, and without the leading dimensions of size 1 that NumPy ignores."""
    value = value if hasattr(value, "dtype") else as_tensor(value)
    if hasattr(input, "dtype"):
        value = cast(value, input.dtype)
    plain = tuple(getattr(a, "array", a) for a in arrays)
    room = np.broadcast_to(np.zeros((), bool), shape(input))[_joined(form, plain)].ndim
    extra = ndim(value) - room
    if extra > 0 and shape(value)[:extra] == (1,) * extra:
        value = reshape(value, shape(value)[extra:])
    return value


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of `input` with the values at ``out[indices]``, or with `accumulate` added there.

    Parameters
    ----------
    indices : tuple of integer or bool tensors
        None stands for a whole dimension.
    accumulate : bool
        Add; then places named twice get both.

    >>> import autograd_core as ag
    >>> ag.index_put(ag.zeros(3), (ag.tensor([0, 0, 2]),), ag.tensor([1.0, 2.0, 3.0]), accumulate=True)
    tensor([3., 0., 3.])
    """
    index = tuple(slice(None) if part is None else part for part in indices)
    if not accumulate:
        return setitem(input, index, values)
    form, arrays = form_and_arrays(index)
    return input + _put(_fitting(input, values, form, arrays), *arrays, shape=shape(input), form=form)


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """A copy of `input` with `source` at the places `index` of the flattened tensor, or added there.

    >>> import autograd_core as ag
    >>> ag.put(ag.zeros(2, 2), ag.tensor([1, 3]), ag.tensor([5.0, 6.0]))
    tensor([[0., 5.],
            [0., 6.]])
    """
    flat = index_put(reshape(input, -1), (index,), reshape(source, shape(index)), accumulate)
    return reshape(flat, shape(input))


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """A copy of `input` with the first values of `source`, in their order, where `mask` is true.

    >>> import autograd_core as ag
    >>> ag.masked_scatter(ag.zeros(3), ag.tensor([True, False, True]), ag.tensor([1.0, 2.0, 3.0]))
    tensor([1., 0., 2.])
    """
    sizes = np.broadcast_shapes(shape(input), shape(mask))
    mask = np.broadcast_to(np.asarray(mask), sizes)
    needed, source = int(np.count_nonzero(mask)), reshape(source, -1)
    if needed > shape(source)[0]:
        raise ValueError(f"masked_scatter: the mask is true {needed} times, but source has {shape(source)[0]} values")
    return setitem(broadcast_to(input, sizes), mask, getitem(source, slice(needed)))


# Writing along one dimension


def _slices(operation: str, input: Any, dim: int, part: Any) -> tuple[Any, ...]:
    return (*(slice(None),) * axis_of(operation, dim, ndim(input)), part)


def _fits(operation: str, input: Any, index: tuple[Any, ...], src: Any) -> None:
    room = np.broadcast_to(0, shape(input))[index].shape
    if shape(src) != room:
        raise ValueError(f"{operation}: expected src of shape {room}, got {shape(src)}")


@name_axis
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy of `input` with `src` as its slice at `index` along `dim`.

    >>> import autograd_core as ag
    >>> ag.select_scatter(ag.zeros(2, 2), ag.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    place = _slices("select_scatter", input, dim, index)
    _fits("select_scatter", input, place, src)
    return setitem(input, place, src)


@name_axis
def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """A copy of `input` with `src` as its slice ``start:end:step`` along `dim`.

    >>> import autograd_core as ag
    >>> ag.slice_scatter(ag.zeros(4), ag.ones(2), start=1, end=3)
    tensor([0., 1., 1., 0.])
    """
    place = _slices("slice_scatter", input, dim, slice(start, end, step))
    _fits("slice_scatter", input, place, src)
    return setitem(input, place, src)


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy of `input` with `src` as its diagonal (see :func:`diagonal`).

    >>> import autograd_core as ag
    >>> ag.diagonal_scatter(ag.zeros(2, 2), ag.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    sizes = shape(input)
    places = np.diagonal(np.arange(math.prod(sizes)).reshape(sizes), offset, dim1, dim2)
    if shape(src) != places.shape:
        raise ValueError(f"diagonal_scatter: expected src of shape {places.shape}, got {shape(src)}")
    return put(input, places, src)


@name_axis
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """A copy of `input` with the slices along `dim` that `index` names replaced by those of `source`.

    >>> import autograd_core as ag
    >>> ag.index_copy(ag.zeros(3), 0, ag.tensor([2, 0]), ag.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    axis, index = checked("index_copy", input, dim, index)
    if ndim(input) == 0:
        return reshape(source, ())
    return setitem(input, _slices("index_copy", input, axis, reshape(index, -1)), source)


@name_axis
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy of `input` with `value` in the slices along `dim` that `index` names.

    >>> import autograd_core as ag
    >>> ag.index_fill(ag.zeros(3), 0, ag.tensor([2, 0]), 7)
    tensor([7., 0., 7.])
    """
    if ndim(value):
        raise ValueError(f"index_fill: expected one value, got shape {shape(value)}; use index_copy")
    axis, index = checked("index_fill", input, dim, index)
    filled = reshape(input, 1) if ndim(input) == 0 else input
    return reshape(setitem(filled, _slices("index_fill", filled, axis, reshape(index, -1)), value), shape(input))


@name_axis
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """``input`` plus `alpha` times the slices of `source`, each added where `index` says along `dim`.

    >>> import autograd_core as ag
    >>> ag.index_add(ag.zeros(3), 0, ag.tensor([0, 0, 2]), ag.tensor([1.0, 2.0, 3.0]))
    tensor([3., 0., 3.])
    """
    axis, index = checked("index_add", input, dim, index)
    if alpha != 1:
        source = alpha * source
    if ndim(input) == 0:
        return input + reshape(source, ())
    form = _slices("index_add", input, axis, ARRAY)
    room = (*shape(input)[:axis], *shape(reshape(index, -1)), *shape(input)[axis + 1 :])
    if shape(reshape(source, (1,)) if ndim(source) == 0 else source) != room:
        raise ValueError(f"index_add: expected source of shape {room}, got {shape(source)}")
    return input + _put(source, reshape(index, -1), shape=shape(input), form=form)


# Scattering: an index for each value


def _scattered(operation: str, input: Any, dim: int, index: Any, src: Any) -> tuple[Any, int, Any, Any]:
    """The arguments, checked, with at least one dimension, and `src` as large as the index."""
    input = input if hasattr(input, "dtype") else as_tensor(input)
    axis, index = checked(operation, input, dim, index)
    src = cast(src, input.dtype)
    if ndim(src) == 0 and ndim(index):
        src = broadcast_to(src, shape(index))
    if ndim(input) == 0 or ndim(index) == 0:
        input, index, src = (reshape(x, -1) for x in (input, index, src))
    check_reach(operation, input, axis, index)
    if shape(index) != shape(src):
        if ndim(src) != ndim(index) or any(n > m for n, m in zip(shape(index), shape(src), strict=True)):
            raise ValueError(f"{operation}: index of shape {shape(index)} is larger than src of shape {shape(src)}")
        src = getitem(src, tuple(slice(n) for n in shape(index)))
    return input, axis, index, src


def _shaped(x: Any, sizes: tuple[int, ...]) -> Any:
    return x if shape(x) == sizes else reshape(x, sizes)


@name_axis
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """`input` with ``out[i][index[i][j]] += src[i][j]`` (for dim 1); repeated places accumulate.

    Raises
    ------
    IndexError
        If an index is out of bounds.

    >>> import autograd_core as ag
    >>> ag.scatter_add(ag.zeros(3), 0, ag.tensor([0, 0, 2]), ag.tensor([1.0, 2.0, 3.0]))
    tensor([3., 0., 3.])
    """
    flat, axis, places, values = _scattered("scatter_add", input, dim, index, src)
    return _shaped(_scatter_add(flat, places, values, axis=axis), shape(input))


def _scatter(input: Any, axis: int, index: Any, src: Any) -> Any:
    sizes = shape(index)
    grid = np.ogrid[tuple(slice(n) for n in sizes)]
    arrays = (index if i == axis else along for i, along in enumerate(grid))
    return _set(input, src, *arrays, form=(ARRAY,) * len(sizes))


@name_axis
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """`input` with ``out[i][index[i][j]] = src[i][j]`` (for dim 1); the last write to a place wins.

    Parameters
    ----------
    src, value : a tensor at least as large as the index, or a number
    reduce : "add" or "multiply", optional
        Combine with what is there, and with one another; as :func:`scatter_reduce`.

    Raises
    ------
    IndexError
        If an index is out of bounds.

    >>> import autograd_core as ag
    >>> ag.scatter(ag.zeros(2, 2), 1, ag.tensor([[0], [1]]), 7.0)
    tensor([[7., 0.],
            [0., 7.]])
    """
    if (src is None) == (value is None):
        raise TypeError("scatter: expected src or value, and not both")
    if reduce not in (None, "add", "multiply"):
        raise ValueError(f'scatter: expected reduce "add" or "multiply", got {reduce!r}; see scatter_reduce for others')
    src = value if src is None else src
    if reduce is not None:
        return scatter_reduce(input, dim, index, src, {"add": "sum", "multiply": "prod"}[reduce])
    flat, axis, places, values = _scattered("scatter", input, dim, index, src)
    return _shaped(_scatter(flat, axis, places, values), shape(input))


def _extreme_samples(rng: np.random.Generator) -> list[Sample]:
    index, x, src = np.array([[0, 1, 0], [0, 2, 1]]), rng.normal(size=(3, 3)), rng.normal(size=(2, 3))
    return [
        Sample(x, index, src, axis=0, largest=True),
        Sample(x, index, src, axis=0, largest=False),
        Sample(x, index[:, ::2], src[:, ::2], axis=1, largest=True),
    ]


def _one_by_one_extreme(x: Any, index: Any, src: Any, axis: int, largest: bool) -> Any:
    out = x.copy()
    for place in np.ndindex(index.shape):
        to = (*place[:axis], index[place], *place[axis + 1 :])
        out[to] = (max if largest else min)(out[to], src[place])
    return out


@primitive(routes=True, reference=_one_by_one_extreme, samples=_extreme_samples)
def _scatter_extreme(input: Any, index: Any, src: Any, *, axis: int, largest: bool) -> Any:
    out = np.array(input, order="C")
    combine = np.maximum if largest else np.minimum
    combine.at(out.reshape(-1), _places_along(index, axis, out.shape).ravel(), np.ravel(src))
    return out


def _winners(out: Any, input: Any, index: Any, src: Any, axis: int) -> tuple[Any, Any, Any]:
    """Which of the input and of `src` equal the extreme of their place (or are NaN with it), and how many do."""
    best = _gather(out, index, axis=axis)
    hits = (input == out) | (np.isnan(input) & np.isnan(out)), (src == best) | (np.isnan(src) & np.isnan(best))
    return *hits, _scatter_add(hits[0] * 1.0, index, hits[1] * 1.0, axis=axis)


def _extreme_to_input(g: Any, out: Any, input: Any, index: Any, src: Any, axis: int) -> Any:
    hit, _, count = _winners(out, input, index, src, axis)
    return np.where(hit, g / count, 0.0)


def _extreme_to_src(g: Any, out: Any, input: Any, index: Any, src: Any, axis: int) -> Any:
    _, hit, count = _winners(out, input, index, src, axis)
    return np.where(hit, _gather(g / count, index, axis=axis), 0.0)


_scatter_extreme.defvjp(_extreme_to_input, None, _extreme_to_src)


def _factors(sizes: tuple[int, ...], axis: int, index: Any, src: Any) -> Any:
    """For each place, the product of what is written to it; 1 where nothing is.

    What is written to one place is gathered in a column of a table: the product of a column has an exact gradient,
    also where it has zeros.
    """
    places = _places_along(np.asarray(index), axis, sizes).ravel()
    touched, column = np.unique(places, return_inverse=True)
    order = np.argsort(column, kind="stable")
    row = np.empty_like(order)
    row[order] = np.arange(len(order)) - np.searchsorted(column[order], column[order])
    table = setitem(np.ones((row.max(initial=-1) + 1, len(touched)), src.dtype), (row, column), reshape(src, -1))
    return reshape(setitem(np.ones(math.prod(sizes), src.dtype), touched, prod(table, 0)), sizes)


@name_axis
def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """Each place of `input` combined with all values of `src` that `index` sends there (see :func:`scatter`).

    Parameters
    ----------
    reduce : "sum", "prod", "mean", "amax" or "amin"
        Ties of an extreme share the gradient evenly; a product with zeros has an exact gradient.
    include_self : bool
        Whether the value in `input` counts among those combined, at places that `index` names.

    >>> import autograd_core as ag
    >>> ag.scatter_reduce(ag.ones(2), 0, ag.tensor([0, 0]), ag.tensor([3.0, 5.0]), "mean")
    tensor([3., 1.])
    """
    neutral = {"sum": 0, "mean": 0, "prod": 1, "amax": "min", "amin": "max"}.get(reduce)
    if neutral is None:
        raise ValueError(f"scatter_reduce: expected reduce sum, prod, mean, amax or amin, got {reduce!r}")
    flat, axis, places, values = _scattered("scatter_reduce", input, dim, index, src)
    if not include_self:
        if isinstance(neutral, str):
            neutral = _limit(flat.dtype, neutral)
        flat = _scatter(flat, axis, places, neutral)
    if reduce in ("amax", "amin"):
        out = _scatter_extreme(flat, places, values, axis=axis, largest=reduce == "amax")
    elif reduce == "prod":
        out = flat * _factors(shape(flat), axis, places, values)
    else:
        out = _scatter_add(flat, places, values, axis=axis)
    if reduce == "mean":
        own = np.full(shape(flat), int(include_self), flat.dtype)
        count = _scatter_add(own, places, np.ones(shape(places), flat.dtype), axis=axis)
        out = out / np.maximum(count, 1)
    return _shaped(out, shape(input))


def _limit(dtype: np.dtype[Any], end: str) -> Any:
    """The least or the greatest value of a dtype."""
    if dtype.kind == "f":
        return -np.inf if end == "min" else np.inf
    return getattr(np.iinfo(dtype), end)
