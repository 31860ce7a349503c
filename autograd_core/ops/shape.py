"""Rearranging: the same values in another shape or order of dimensions, or repeated."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import modes
from ..primitive import Sample, implements, primitive
from ..tensor import Tensor
from .arguments import aliases, axes, axis_of, ndim, shape, sizes_of, variadic

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_shapes",
    "broadcast_tensors",
    "broadcast_to",
    "clone",
    "contiguous",
    "expand",
    "expand_as",
    "flatten",
    "kron",
    "moveaxis",
    "movedim",
    "permute",
    "ravel",
    "repeat",
    "reshape",
    "reshape_as",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "tile",
    "transpose",
    "unflatten",
    "unsqueeze",
    "view",
    "view_as",
]

name_axis = aliases(axis="dim")


@primitive(
    views=True,
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
@variadic("shape")
def reshape(input: Any, *shape: Any) -> Any:
    """The same values, in the same order, in another shape; one size may be -1.

    >>> import autograd_core as ag
    >>> ag.reshape(ag.arange(6), (2, -1))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return _reshape(input, shape=sizes_of(shape))


def reshape_as(input: Any, other: Any) -> Any:
    """The values of `input` in the shape of `other`."""
    return reshape(input, shape(other))


@variadic("size")
def view(input: Any, *shape: Any) -> Any:
    """PyTorch's name for a reshape; copies where the memory's order demands it.

    Raises
    ------
    TypeError
        If a dtype is given: memory is not reinterpreted.
    """
    if len(shape) == 1 and isinstance(shape[0], (np.dtype, type, str)):
        raise TypeError(f"view: memory cannot be read as another dtype; use to({shape[0]}) to convert the values")
    return reshape(input, *shape)


def view_as(input: Any, other: Any) -> Any:
    """The values of `input` in the shape of `other`."""
    return reshape_as(input, other)


@primitive(
    views=True,
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


@variadic("dims")
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
    i, j = (axis_of("transpose", d, len(order)) for d in (dim0, dim1))
    if order:
        order[i], order[j] = order[j], order[i]
    return _permute(input, dims=tuple(order))


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """NumPy's name for :func:`transpose`."""
    return transpose(input, axis0, axis1)


def swapdims(input: Any, dim0: int, dim1: int) -> Any:
    """Another name of :func:`transpose`."""
    return transpose(input, dim0, dim1)


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


def moveaxis(input: Any, source: Any, destination: Any) -> Any:
    """NumPy's name for :func:`movedim`."""
    return movedim(input, source, destination)


@implements(np.squeeze)
@name_axis
def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the dimensions of size 1, or without those of `dim` (an int or several) that have size 1.

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


@name_axis
def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """The dimension `dim` split into several of these sizes, one of which may be -1.

    >>> import autograd_core as ag
    >>> ag.unflatten(ag.zeros(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    at, given, wanted = axis_of("unflatten", dim, ndim(input)), shape(input), list(sizes_of((sizes,)))
    if wanted.count(-1) == 1:
        known = math.prod(n for n in wanted if n != -1)
        wanted[wanted.index(-1)] = given[at] // known if known else 0
    if math.prod(wanted) != given[at] or min(wanted, default=0) < 0:
        raise ValueError(f"unflatten: sizes {tuple(sizes)} do not multiply to size {given[at]} of dim {dim}")
    return _reshape(input, shape=(*given[:at], *wanted, *given[at + 1 :]))


@implements(np.ravel)
def ravel(input: Any) -> Any:
    """All values in one dimension."""
    return flatten(input)


def _of_rank(rank: int, tensors: tuple[Any, ...], raised: Any) -> Any:
    """The tensor in the shape that `raised` makes of its own if it has fewer dimensions; a tuple for several."""
    first = tensors[0] if tensors else ()
    if isinstance(first, (list, tuple)) and any(isinstance(x, (Tensor, np.ndarray)) for x in first):
        tensors = tuple(first)
    elif len(tensors) == 1:
        return reshape(first, raised(shape(first))) if ndim(first) < rank else first
    return tuple(_of_rank(rank, (x,), raised) for x in tensors)


@implements(np.atleast_1d)
def atleast_1d(*tensors: Any) -> Any:
    """With at least one dimension; a tuple for several tensors.

    >>> import autograd_core as ag
    >>> ag.atleast_1d(ag.tensor(5))
    tensor([5])
    """
    return _of_rank(1, tensors, lambda sizes: (1,))


@implements(np.atleast_2d)
def atleast_2d(*tensors: Any) -> Any:
    """With at least two dimensions, added in front; a tuple for several tensors.

    >>> import autograd_core as ag
    >>> ag.atleast_2d(ag.tensor([5, 6])).shape
    (1, 2)
    """
    return _of_rank(2, tensors, lambda sizes: (1, *sizes) if sizes else (1, 1))


@implements(np.atleast_3d)
def atleast_3d(*tensors: Any) -> Any:
    """With at least three dimensions: (n) becomes (1, n, 1), (n, m) becomes (n, m, 1); a tuple for several tensors.

    >>> import autograd_core as ag
    >>> ag.atleast_3d(ag.tensor([5, 6])).shape
    (1, 2, 1)
    """
    return _of_rank(3, tensors, lambda sizes: {0: (1, 1, 1), 1: (1, *sizes, 1), 2: (*sizes, 1)}[len(sizes)])


@primitive(
    views=True,
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
@variadic("size")
def broadcast_to(input: Any, shape: Any) -> Any:
    """Repeated, without a copy, to a larger shape; the gradient sums over the repetitions.

    >>> import autograd_core as ag
    >>> ag.broadcast_to(ag.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return _broadcast_to(input, shape=sizes_of((shape,)))


@variadic("size")
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


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that tensors of these shapes broadcast to.

    >>> import autograd_core as ag
    >>> ag.broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    return np.broadcast_shapes(*shapes)


@implements(np.broadcast_arrays)
def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """The tensors, each broadcast to the shape they have together.

    >>> import autograd_core as ag
    >>> [x.shape for x in ag.broadcast_tensors(ag.zeros(2, 1), ag.zeros(3))]
    [(2, 3), (2, 3)]
    """
    tensors = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    sizes = broadcast_shapes(*map(shape, tensors))
    return tuple(broadcast_to(x, sizes) for x in tensors)


@variadic("repeats")
def repeat(input: Any, *repeats: Any) -> Any:
    """The whole repeated along each dimension; more counts than dimensions add dimensions in front.

    >>> import autograd_core as ag
    >>> ag.repeat(ag.tensor([1, 2]), 2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    counts, given = sizes_of(repeats), shape(input)
    if len(counts) < len(given) or min(counts, default=0) < 0:
        raise ValueError(f"repeat: expected a count for each dimension of shape {given}, none negative, got {counts}")
    return tile(input, counts)


@implements(np.tile)
@variadic("reps")
@variadic("dims")
def tile(input: Any, *dims: Any) -> Any:
    """As :func:`repeat`; fewer counts than dimensions leave the first dimensions as they are.

    >>> import autograd_core as ag
    >>> ag.tile(ag.tensor([[1, 2], [3, 4]]), (2,))
    tensor([[1, 2, 1, 2],
            [3, 4, 3, 4]])
    """
    counts, sizes = sizes_of(dims), shape(input)
    counts = (1,) * (len(sizes) - len(counts)) + counts
    sizes = (1,) * (len(counts) - len(sizes)) + sizes
    if set(counts) <= {1}:
        return clone(reshape(input, sizes))
    apart = reshape(input, tuple(n for size in sizes for n in (1, size)))
    repeated = broadcast_to(apart, tuple(n for pair in zip(counts, sizes, strict=True) for n in pair))
    return reshape(repeated, tuple(map(operator.mul, counts, sizes)))


@implements(np.kron)
def kron(input: Any, other: Any) -> Any:
    """The Kronecker product: every element of `input` times the whole of `other`, as blocks.

    >>> import autograd_core as ag
    >>> ag.kron(ag.eye(2), ag.tensor([1.0, 2.0]))
    tensor([[1., 2., 0., 0.],
            [0., 0., 1., 2.]])
    """
    rank = max(ndim(input), ndim(other))
    blocks, inner = (((1,) * (rank - ndim(x)) + shape(x)) for x in (input, other))
    product = reshape(input, tuple(n for size in blocks for n in (size, 1))) * reshape(
        other, tuple(n for size in inner for n in (1, size))
    )
    return reshape(product, tuple(map(operator.mul, blocks, inner)))


@primitive(reference=np.array, samples=lambda rng: [Sample(rng.normal(size=(2, 3))), Sample(rng.normal(size=()))])
def clone(input: Any) -> Any:
    """A copy, in the order of the shape; the gradient passes through.

    >>> import autograd_core as ag
    >>> ag.clone(ag.tensor([1.0]))
    tensor([1.])
    """
    return np.array(input, order="C")


clone.defvjp(lambda g: g)
implements(np.copy)(lambda a: clone(a))


def contiguous(input: Any) -> Any:
    """The tensor itself if its values lie in memory in the order of its shape, else a copy that does."""
    recorder = modes.recorder()
    values = getattr(input, "array", input) if recorder is None else recorder.layout(input)
    return input if values.flags.c_contiguous else clone(input)
