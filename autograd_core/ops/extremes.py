"""The largest and the smallest over dimensions, and where they are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..primitive import Kink, primitive
from ..tensor import Tensor
from .arguments import aliases, axes, axis_of, by_name, count, ndim, reductions, shape, spread
from .indexing import gather
from .samples import along_one, over_dims
from .selection import maximum, minimum
from .shape import reshape, unsqueeze

nan = np.nan

__all__ = [
    "amax",
    "amin",
    "aminmax",
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


def _over(operation: str, dim: Any, input: Any) -> tuple[int, ...]:
    """The dimensions to reduce, which have elements; all of them for an empty tuple, as in PyTorch."""
    axis = axes(operation, None if isinstance(dim, (tuple, list)) and not dim else dim, ndim(input))
    _nonempty(operation, input, axis)
    return axis


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


@by_name(np.max)
@by_name(np.amax)
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
    axis = _over("amax", dim, input)
    return _amax(input, axis=axis, keepdims=keepdim)


@by_name(np.min)
@by_name(np.amin)
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
    axis = _over("amin", dim, input)
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


@by_name(np.argmax)
@reductions
def argmax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The index of the largest value along `dim`, or in the flattened tensor; the first at a tie.

    >>> import autograd_core as ag
    >>> ag.argmax(ag.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([1, 0])
    """
    return _arg("argmax", _argmax, input, dim, keepdim)


@by_name(np.argmin)
@reductions
def argmin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The index of the smallest value along `dim`, or in the flattened tensor; the first at a tie.

    >>> import autograd_core as ag
    >>> ag.argmin(ag.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([0, 1])
    """
    return _arg("argmin", _argmin, input, dim, keepdim)


class MinMax(NamedTuple):
    """The smallest and the largest."""

    min: Any
    max: Any


@reductions
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> MinMax:
    """The pair (min, max) of :func:`amin` and :func:`amax`, along `dim` or of all; ties share the gradient evenly.

    >>> import autograd_core as ag
    >>> ag.aminmax(ag.tensor([3.0, 1.0, 2.0]))
    MinMax(min=tensor(1.), max=tensor(3.))
    """
    axis = _over("aminmax", dim, input)
    return MinMax(_amin(input, axis=axis, keepdims=keepdim), _amax(input, axis=axis, keepdims=keepdim))


class Choice(NamedTuple):
    """Values along a dimension, and where they are."""

    values: Any
    indices: Any


def chosen(input: Any, axis: int, where: Any, keepdim: bool) -> Choice:
    """What the index `where` picks along `axis`, one element of each row; the element gets the whole gradient."""
    values = gather(input, axis, where)
    if keepdim or ndim(input) == 0:
        return Choice(values, where)
    rest = shape(input)[:axis] + shape(input)[axis + 1 :]
    return Choice(reshape(values, rest), reshape(where, rest))


def _along(operation: str, arg: Any, input: Any, dim: Any, keepdim: bool) -> Choice:
    return chosen(input, axis_of(operation, dim, ndim(input)), arg(input, dim, keepdim=True), keepdim)


@aliases(axis="dim", keepdims="keepdim", other="dim")
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
    if isinstance(dim, (Tensor, np.ndarray)):
        return maximum(input, dim)
    return _along("max", argmax, input, dim, keepdim)


@aliases(axis="dim", keepdims="keepdim", other="dim")
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
    if isinstance(dim, (Tensor, np.ndarray)):
        return minimum(input, dim)
    return _along("min", argmin, input, dim, keepdim)
