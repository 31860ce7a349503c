"""Rearranging: the same values in another shape, order or company."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from .arguments import aliases, axes, axis_of, ndim, shape, sizes_of

__all__ = [
    "broadcast_to",
    "clone",
    "expand",
    "expand_as",
    "flatten",
    "movedim",
    "permute",
    "ravel",
    "reshape",
    "squeeze",
    "swapaxes",
    "t",
    "transpose",
    "unsqueeze",
    "view",
]

name_axis = aliases(axis="dim")


@primitive(
    reference=np.reshape,
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), shape=(3, 2)),
        Sample(rng.normal(size=(2, 3)), shape=(6,)),
        Sample(rng.normal(size=()), shape=(1, 1)),
        Sample(rng.normal(size=(0, 3)), shape=(3, 0)),
    ],
)
def _reshape(input: Any, *, shape: tuple[int, ...]) -> Any:
    return np.reshape(input, shape)


_reshape.defvjp(lambda g, input_shape: np.reshape(g, input_shape))


@implements(np.reshape)
def reshape(input: Any, *shape: Any) -> Any:
    """The same values, in the same order, in another shape; one size may be -1.

    >>> import autograd_core as ag
    >>> ag.reshape(ag.arange(6), (2, -1))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return _reshape(input, shape=sizes_of(shape))


def view(input: Any, *shape: Any) -> Any:
    """PyTorch's name for a reshape; copies where the memory's order demands it."""
    return reshape(input, *shape)


@primitive(
    reference=lambda x, dims: np.moveaxis(x, dims, range(len(dims))),
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), dims=(1, 0)),
        Sample(rng.normal(size=(2, 3, 4)), dims=(2, 0, 1)),
        Sample(rng.normal(size=()), dims=()),
    ],
)
def _permute(input: Any, *, dims: tuple[int, ...]) -> Any:
    return np.transpose(input, dims)


_permute.defvjp(lambda g, dims: np.transpose(g, tuple(map(dims.index, range(len(dims))))))


def permute(input: Any, *dims: Any) -> Any:
    """The dimensions in another order.

    >>> import autograd_core as ag
    >>> ag.permute(ag.zeros(2, 3, 4), (2, 0, 1)).shape
    (4, 2, 3)
    """
    order = axes("permute", sizes_of(dims), ndim(input))
    if len(order) != ndim(input):
        raise ValueError(f"permute: expected all {ndim(input)} dimensions of shape {shape(input)}, got {dims}")
    return _permute(input, dims=order)


@implements(np.transpose)
def _numpy_transpose(a: Any, axes: Any = None) -> Any:
    return permute(a, tuple(reversed(range(ndim(a)))) if axes is None else axes)


@implements(np.swapaxes)
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged.

    >>> import autograd_core as ag
    >>> ag.transpose(ag.zeros(2, 3), 0, 1).shape
    (3, 2)
    """
    order = list(range(ndim(input)))
    if order:
        i, j = (axis_of("transpose", d, len(order)) for d in (dim0, dim1))
        order[i], order[j] = order[j], order[i]
    return _permute(input, dims=tuple(order))


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """NumPy's name for :func:`transpose`."""
    return transpose(input, axis0, axis1)


@implements(np.matrix_transpose)
def mT(input: Any) -> Any:  # noqa: N802
    """The last two dimensions exchanged: each matrix of a batch transposed."""
    if ndim(input) < 2:
        raise ValueError(f"mT: expected at least 2 dimensions, got shape {shape(input)}")
    return transpose(input, -2, -1)


def T(input: Any) -> Any:  # noqa: N802
    """The dimensions in reverse order."""
    return _numpy_transpose(input)


def t(input: Any) -> Any:
    """The transpose of a tensor of at most 2 dimensions."""
    if ndim(input) > 2:
        raise ValueError(f"t: expected at most 2 dimensions, got shape {shape(input)}; use .mT or transpose()")
    return T(input)


@implements(np.moveaxis)
def movedim(input: Any, source: Any, destination: Any) -> Any:
    """The dimensions `source` moved to the positions `destination`, the others in their order.

    >>> import autograd_core as ag
    >>> ag.movedim(ag.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    rank = ndim(input)
    origin, target = axes("movedim", source, rank), axes("movedim", destination, rank)
    if len(origin) != len(target):
        raise ValueError(f"movedim: got {len(origin)} sources but {len(target)} destinations")
    order = [d for d in range(rank) if d not in origin]
    for d, s in sorted(zip(target, origin, strict=True)):
        order.insert(d, s)
    return _permute(input, dims=tuple(order))


@implements(np.squeeze)
@name_axis
def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the dimensions of size 1, or without those of `dim` that have size 1.

    >>> import autograd_core as ag
    >>> ag.squeeze(ag.zeros(1, 3, 1)).shape
    (3,)
    """
    drop = axes("squeeze", dim, ndim(input))
    return _reshape(input, shape=tuple(n for i, n in enumerate(shape(input)) if n != 1 or i not in drop))


@implements(np.expand_dims)
@name_axis
def unsqueeze(input: Any, dim: int) -> Any:
    """With a dimension of size 1 inserted at `dim`.

    >>> import autograd_core as ag
    >>> ag.unsqueeze(ag.zeros(3), 0).shape
    (1, 3)
    """
    at = axis_of("unsqueeze", dim, ndim(input) + 1)
    return _reshape(input, shape=(*shape(input)[:at], 1, *shape(input)[at:]))


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from `start_dim` to `end_dim` merged into one.

    >>> import autograd_core as ag
    >>> ag.flatten(ag.zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    rank, sizes = ndim(input), shape(input)
    first, last = axis_of("flatten", start_dim, rank), axis_of("flatten", end_dim, rank)
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    return _reshape(input, shape=(*sizes[:first], math.prod(sizes[first : last + 1]), *sizes[last + 1 :]))


@implements(np.ravel)
def ravel(input: Any) -> Any:
    """All values in one dimension."""
    return flatten(input)


@primitive(
    reference=np.broadcast_to,
    broadcasts=True,
    samples=lambda rng: [
        Sample(rng.normal(size=(3,)), shape=(2, 3)),
        Sample(rng.normal(size=(2, 1)), shape=(4, 2, 3)),
        Sample(rng.normal(size=()), shape=(2,)),
        Sample(rng.normal(size=(1, 3)), shape=(0, 3)),
    ],
)
def _broadcast_to(input: Any, *, shape: tuple[int, ...]) -> Any:
    return np.broadcast_to(input, shape)


_broadcast_to.defvjp(lambda g: g)  # the pass sums what was repeated


@implements(np.broadcast_to)
def broadcast_to(input: Any, shape: Any) -> Any:
    """Repeated, without a copy, to a larger shape; the gradient sums over the repetitions.

    >>> import autograd_core as ag
    >>> ag.broadcast_to(ag.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return _broadcast_to(input, shape=sizes_of((shape,)))


def expand(input: Any, *sizes: Any) -> Any:
    """Repeated, without a copy, where a size is 1; -1 keeps a size; new dimensions may be put in front.

    >>> import autograd_core as ag
    >>> ag.expand(ag.zeros(3, 1), -1, 4).shape
    (3, 4)
    """
    wanted, given = sizes_of(sizes), shape(input)
    extra = len(wanted) - len(given)
    if extra < 0 or any(n == -1 for n in wanted[: max(extra, 0)]):
        raise ValueError(f"expand: cannot expand shape {given} to {wanted}; -1 stands for a size that exists")
    return _broadcast_to(input, shape=tuple(given[i - extra] if n == -1 else n for i, n in enumerate(wanted)))


def expand_as(input: Any, other: Any) -> Any:
    """Repeated, without a copy, to the shape of `other`."""
    return broadcast_to(input, shape(other))


@primitive(reference=np.array, samples=lambda rng: [Sample(rng.normal(size=(2, 3))), Sample(rng.normal(size=()))])
def clone(input: Any) -> Any:
    """A copy; the gradient passes through.

    >>> import autograd_core as ag
    >>> ag.clone(ag.tensor([1.0]))
    tensor([1.])
    """
    return np.array(input)


clone.defvjp(lambda g: g)
