"""Putting values at places: the counterparts of indexing.

The input is never changed: each gives a copy with the values in it.  Where a place is written twice, the last write
wins, and so does its gradient; what accumulates says so.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import modes
from ..primitive import Sample, primitive, quiet
from ..tensor import as_tensor
from .arguments import aliases, axis_of, ndim, shape
from .casting import cast
from .indexing import (
    ARRAY,
    _gather,
    _index,
    _joined,
    _places,
    _put,
    _repeats,
    _scatter_add,
    checked,
    form_and_arrays,
    getitem,
    places_along,
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


@primitive(
    reference=lambda places, size: np.reshape(
        [place not in places.ravel()[i + 1 :] for i, place in enumerate(places.ravel())], places.shape
    ),
    samples=lambda rng: [Sample(np.array([0, 0, 2, 0]), size=3), Sample(np.array([[1, 3], [0, 1]]), size=6)],
)
def _is_last(places: Any, *, size: int) -> Any:
    """Whether each write to a place is the last one to it."""
    order = np.arange(places.size)
    last = np.zeros(size, order.dtype)
    last[places.ravel()] = order
    return (last[places.ravel()] == order).reshape(places.shape)


def _written(input: Any, places: Any, values: Any) -> Any:
    """One after the other, in the order of the index: what writing is compared with."""
    out = list(input.ravel())
    for place, value in zip(np.ravel(places), np.ravel(values), strict=True):
        out[place] = value
    return np.reshape(out, input.shape)


@primitive(
    reference=_written,
    samples=lambda rng: [
        Sample(rng.normal(size=(4, 3)), rng.integers(0, 12, size=(2, 3)), rng.normal(size=(2, 3))),
        Sample(rng.normal(size=3), np.array([0, -1, 2, 0]), rng.normal(size=4)),
        Sample(rng.normal(size=()), np.array([0, 0]), rng.normal(size=2)),
    ],
)
def _scatter(input: Any, places: Any, src: Any) -> Any:
    """A copy of the input with `src` at these places of the flattened array; the last write to a place wins."""
    out = np.array(input, order="C")
    out.reshape(-1)[places.ravel()] = np.ravel(src)  # in one dimension NumPy writes in the order given
    return out


_scatter.defvjp(
    lambda g, places: _scatter(g, places, np.zeros(places.shape, g.dtype)),
    None,
    lambda g, input_shape, places: np.where(_is_last(places, size=math.prod(input_shape)), _gather(g, places), 0.0),
)


def _set_samples(rng: np.random.Generator) -> list[Sample]:
    x = rng.normal(size=(4, 3))
    return [
        Sample(x, rng.normal(size=2), form=(slice(1, None, 2), 1)),
        Sample(x, rng.normal(size=(2, 1)), form=(slice(1, None, 2),)),
        Sample(x, rng.normal(size=()), form=(None, Ellipsis, -1)),
        Sample(x, rng.normal(size=3), np.array([True, False, True, True]), form=(ARRAY, 2)),
        Sample(x, rng.normal(size=()), rng.random((4, 3)) < 0.5, form=(ARRAY,)),
        Sample(rng.normal(size=()), rng.normal(size=()), form=(Ellipsis,)),
    ]


def _set_one_by_one(input: Any, value: Any, *arrays: Any, form: tuple[Any, ...]) -> Any:
    places = np.arange(input.size).reshape(input.shape)[_joined(form, arrays)]
    return _written(input, places, np.broadcast_to(value, np.shape(places)))


@primitive(broadcasts=True, reference=_set_one_by_one, samples=_set_samples)
def _set(input: Any, value: Any, *arrays: Any, form: tuple[Any, ...]) -> Any:
    """A copy of the input with the value where the index points; for an index that names no place twice."""
    out = np.array(input, order="C")
    out[_joined(form, arrays)] = value
    return out


_set.defvjp(
    lambda g, arrays, form: _set(g, 0.0, *arrays, form=form), lambda g, arrays, form: _index(g, *arrays, form=form)
)


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
    value = _fitting(input, value, form, arrays)
    if not _repeats(arrays):
        return _set(input, value, *arrays, form=form)
    places = _places(*arrays, form=form, sizes=shape(input))
    return _scatter(input, places, broadcast_to(value, shape(places)))


def _like(value: Any, input: Any) -> Any:
    """The value in the dtype of `input`."""
    dtype = (input if hasattr(input, "dtype") else as_tensor(input)).dtype
    return cast(value, dtype) if hasattr(value, "dtype") else np.asarray(value, dtype)


def _fitting(input: Any, value: Any, form: tuple[Any, ...], arrays: tuple[Any, ...]) -> Any:
    """The value in the dtype of `input`, and without the leading dimensions of size 1 that NumPy ignores."""
    value = _like(value, input)
    if ndim(value) == 0:
        return value
    recorder = modes.recorder()
    plain = tuple(getattr(a, "array", a) if recorder is None else recorder.layout(a) for a in arrays)
    extra = ndim(value) - np.broadcast_to(False, shape(input))[_joined(form, plain)].ndim
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
    values = _fitting(input, values, form, arrays)
    places = _places(*arrays, form=form, sizes=shape(input))
    return input + _scatter_add(broadcast_to(values, shape(places)), places, shape=shape(input))


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """A copy of `input` with `source` at the places `index` of the flattened tensor, or added there.

    >>> import autograd_core as ag
    >>> ag.put(ag.zeros(2, 2), ag.tensor([1, 3]), ag.tensor([5.0, 6.0]))
    tensor([[0., 5.],
            [0., 6.]])
    """
    places = index if hasattr(index, "dtype") else np.asarray(index)
    source = reshape(_like(source, input), shape(places))
    if accumulate:
        return input + _scatter_add(source, places, shape=shape(input))
    return _scatter(input, places, source)


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
    index = reshape(index, -1)
    room = (*shape(input)[:axis], *shape(index), *shape(input)[axis + 1 :])
    if (shape(source) or (1,)) != room:
        raise ValueError(f"index_add: expected source of shape {room}, got {shape(source)}")
    return input + _put(source, index, shape=shape(input), form=_slices("index_add", input, axis, ARRAY))


# Scattering: an index for each value


def _scattered(operation: str, input: Any, dim: int, index: Any, src: Any) -> tuple[Any, Any, Any]:
    """The input, the places that the index names, and a value for each."""
    input = input if hasattr(input, "dtype") else as_tensor(input)
    places = places_along(operation, input, dim, index)
    src, wanted = _like(src, input), shape(places)
    if ndim(src) == 0:
        src = broadcast_to(src, wanted)
    elif shape(src) != wanted:
        if ndim(src) != len(wanted) or any(n > m for n, m in zip(wanted, shape(src), strict=True)):
            raise ValueError(f"{operation}: index of shape {wanted} is larger than src of shape {shape(src)}")
        src = getitem(src, tuple(slice(n) for n in wanted))
    return input, places, src


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
    input, places, src = _scattered("scatter_add", input, dim, index, src)
    return input + _scatter_add(src, places, shape=shape(input))


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
    return _scatter(*_scattered("scatter", input, dim, index, src))


def _one_by_one_extreme(input: Any, places: Any, src: Any, largest: bool) -> Any:
    out = list(input.ravel())
    for place, value in zip(places.ravel(), src.ravel(), strict=True):
        out[place] = (max if largest else min)(out[place], value)
    return np.reshape(out, input.shape)


@primitive(
    routes=True,
    reference=_one_by_one_extreme,
    samples=lambda rng: [
        Sample(rng.normal(size=(3, 3)), rng.integers(0, 9, size=(2, 4)), rng.normal(size=(2, 4)), largest=True),
        Sample(rng.normal(size=4), np.array([0, 0, 1]), rng.normal(size=3), largest=False),
    ],
)
@quiet
def _scatter_extreme(input: Any, places: Any, src: Any, *, largest: bool) -> Any:
    """The extreme of the input and of all of `src` that goes to each place of the flattened array."""
    out = np.array(input, order="C")
    (np.maximum if largest else np.minimum).at(out.reshape(-1), places.ravel(), src.ravel())
    return out


def _hits(x: Any, best: Any) -> Any:
    """Where `x` is the extreme, or NaN with it."""
    return (x == best) | (np.isnan(x) & np.isnan(best))


def _share(g: Any, out: Any, input: Any, places: Any, src: Any) -> Any:
    """What each of those that reach the extreme of a place gets of its gradient."""
    others = _hits(src, _gather(out, places)) * np.ones_like(src)
    return g / (_hits(input, out) + _scatter_add(others, places, shape=input.shape))


_scatter_extreme.defvjp(
    lambda g, out, input, places, src: np.where(_hits(input, out), _share(g, out, input, places, src), 0.0),
    None,
    lambda g, out, input, places, src: np.where(
        _hits(src, _gather(out, places)), _gather(_share(g, out, input, places, src), places), 0.0
    ),
)


def _factors(sizes: tuple[int, ...], places: Any, src: Any) -> Any:
    """For each place, the product of what is written to it; 1 where nothing is.

    What is written to one place is gathered in a column of a table: the product of a column has an exact gradient,
    also where it has zeros.
    """
    touched, column = np.unique(np.ravel(np.asarray(places)), return_inverse=True)
    order = np.argsort(column, kind="stable")
    row = np.empty_like(order)
    row[order] = np.arange(len(order)) - np.searchsorted(column[order], column[order])
    table = setitem(np.ones((row.max(initial=-1) + 1, len(touched)), src.dtype), (row, column), reshape(src, -1))
    return _scatter(np.ones(sizes, src.dtype), touched, prod(table, 0))


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
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ValueError(f"scatter_reduce: expected reduce sum, prod, mean, amax or amin, got {reduce!r}")
    input, places, src = _scattered("scatter_reduce", input, dim, index, src)
    if not include_self:
        input = _scatter(input, places, np.full(shape(places), _neutral(reduce, input.dtype), input.dtype))
    if reduce in ("amax", "amin"):
        return _scatter_extreme(input, places, src, largest=reduce == "amax")
    if reduce == "prod":
        return input * _factors(shape(input), places, src)
    total = input + _scatter_add(src, places, shape=shape(input))
    if reduce == "sum":
        return total
    count = int(include_self) + _scatter_add(np.ones(shape(places), input.dtype), places, shape=shape(input))
    return total / np.maximum(count, 1)


def _neutral(reduce: str, dtype: np.dtype[Any]) -> Any:
    """What changes nothing when it is combined."""
    if reduce not in ("amax", "amin"):
        return int(reduce == "prod")
    if dtype.kind == "f":
        return -np.inf if reduce == "amax" else np.inf
    return np.iinfo(dtype).min if reduce == "amax" else np.iinfo(dtype).max
