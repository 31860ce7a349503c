"""The largest and the smallest over dimensions, and where they are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..primitive import Kink, implements, primitive
from .arguments import axes, axis_of, count, ndim, reductions, shape, spread
from .indexing import gather
from .samples import along_one, over_dims
from .selection import maximum, minimum
from .shape import reshape, unsqueeze

nan = np.nan

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "max",
    "min",
]


def _split_ties(g: Any, out: Any, input: Any, axis: tuple[int, ...]) -> Any:
    """`g` shared evenly among the elements that equal the extreme (or are NaN, where it is)."""
    shape = input.shape
    best = spread(out, shape, axis)
    hit = np.where(np.isnan(best), np.isnan(input), input == best)
    return np.where(hit, spread(g, shape, axis) / np.sum(hit, axis=axis, keepdims=True), 0.0)


def _nonempty(operation: str, input: Any, axis: tuple[int, ...]) -> None:
    if count(input, axis) == 0:
        raise ValueError(f"{operation}: no elements to choose from, in dimensions {axis} of shape {shape(input)}")


@primitive(
    reference=np.max,
    routes=True,
    samples=over_dims,
    kinks=[
        Kink([1.0, 2.0, 2.0], value=2.0, grads=[[0.0, 0.5, 0.5]], axis=(0,), keepdims=False),
        Kink([1.0, nan, 2.0], value=nan, grads=[[0.0, 1.0, 0.0]], axis=(0,), keepdims=False),
    ],
)
def _amax(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.max(input, axis=axis, keepdims=keepdims)


_amax.defvjp(lambda g, out, input, axis: _split_ties(g, out, input, axis))


@primitive(
    reference=np.min,
    routes=True,
    samples=over_dims,
    kinks=[Kink([1.0, 1.0, 2.0], value=1.0, grads=[[0.5, 0.5, 0.0]], axis=(0,), keepdims=False)],
)
def _amin(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.min(input, axis=axis, keepdims=keepdims)


_amin.defvjp(lambda g, out, input, axis: _split_ties(g, out, input, axis))


@implements(np.max, np.amax)
@reductions
def amax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest value over `dim` (an int, several, or all); ties share the gradient evenly; NaN wins.

    Raises
    ------
    ValueError
        If there are no elements.

    >>> import autograd_core as ag
    >>> x = ag.tensor([1.0, 2.0, 2.0], requires_grad=True)
    >>> ag.amax(x).backward()
    >>> x.grad
    tensor([0. , 0.5, 0.5])
    """
    axis = axes("amax", dim, ndim(input))
    _nonempty("amax", input, axis)
    return _amax(input, axis=axis, keepdims=keepdim)


@implements(np.min, np.amin)
@reductions
def amin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest value over `dim` (an int, several, or all); ties share the gradient evenly; NaN wins.

    Raises
    ------
    ValueError
        If there are no elements.

    >>> import autograd_core as ag
    >>> ag.amin(ag.tensor([[1.0, 2.0], [3.0, 0.0]]), dim=1)
    tensor([1., 0.])
    """
    axis = axes("amin", dim, ndim(input))
    _nonempty("amin", input, axis)
    return _amin(input, axis=axis, keepdims=keepdim)


@primitive(reference=np.argmax, samples=along_one)
def _argmax(input: Any, *, axis: int) -> Any:
    return np.argmax(input, axis=axis)


@primitive(reference=np.argmin, samples=along_one)
def _argmin(input: Any, *, axis: int) -> Any:
    return np.argmin(input, axis=axis)


def _arg(operation: str, primitive: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    rank = ndim(input)
    if dim is None:
        _nonempty(operation, input, tuple(range(rank)))
        found = primitive(reshape(input, (-1,)), axis=0)
        return reshape(found, (1,) * rank) if keepdim else found
    axis = axis_of(operation, dim, rank)
    if rank == 0:
        return primitive(reshape(input, (1,)), axis=0)
    _nonempty(operation, input, (axis,))
    found = primitive(input, axis=axis)
    return unsqueeze(found, axis) if keepdim else found


@implements(np.argmax)
@reductions
def argmax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The index of the largest value along `dim`, or in the flattened tensor; the first at a tie.

    >>> import autograd_core as ag
    >>> ag.argmax(ag.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([1, 0])
    """
    return _arg("argmax", _argmax, input, dim, keepdim)


@implements(np.argmin)
@reductions
def argmin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The index of the smallest value along `dim`, or in the flattened tensor; the first at a tie.

    >>> import autograd_core as ag
    >>> ag.argmin(ag.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([0, 1])
    """
    return _arg("argmin", _argmin, input, dim, keepdim)


class Extreme(NamedTuple):
    """Values along a dimension, and where they are."""

    values: Any
    indices: Any


def _along(operation: str, arg: Any, input: Any, dim: Any, keepdim: bool) -> Extreme:
    axis = axis_of(operation, dim, ndim(input))
    if ndim(input) == 0:
        return Extreme(input, arg(input, 0))
    where = arg(input, axis, keepdim=True)
    values = gather(input, axis, where)
    if keepdim:
        return Extreme(values, where)
    rest = shape(input)[:axis] + shape(input)[axis + 1 :]
    return Extreme(reshape(values, rest), reshape(where, rest))


@reductions
def max(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest value; or, along `dim`, the pair (values, indices).

    Over all elements ties share the gradient; with an index, the element it names gets all.  With a tensor in place of
    `dim`: :func:`maximum`.

    >>> import autograd_core as ag
    >>> ag.max(ag.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).indices
    tensor([1, 0])
    """
    if dim is None:
        return amax(input, keepdim=keepdim)
    return maximum(input, dim) if ndim(dim) else _along("max", argmax, input, dim, keepdim)


@reductions
def min(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest value; or, along `dim`, the pair (values, indices).

    Over all elements ties share the gradient; with an index, the element it names gets all.  With a tensor in place of
    `dim`: :func:`minimum`.

    >>> import autograd_core as ag
    >>> ag.min(ag.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).values
    tensor([1., 2.])
    """
    if dim is None:
        return amin(input, keepdim=keepdim)
    return minimum(input, dim) if ndim(dim) else _along("min", argmin, input, dim, keepdim)
