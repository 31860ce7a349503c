"""Joining, splitting and padding."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from ..tensor import as_tensor
from .arguments import aliases, axis_of, by_name, ndim, shape, sizes_of
from .indexing import getitem, narrow
from .shape import atleast_1d, atleast_2d, atleast_3d, broadcast_to, clone, ravel, reshape, transpose

__all__ = [
    "block_diag",
    "cartesian_prod",
    "cat",
    "chunk",
    "column_stack",
    "concat",
    "concatenate",
    "diff",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "meshgrid",
    "row_stack",
    "split",
    "split_with_sizes",
    "stack",
    "tensor_split",
    "unbind",
    "vsplit",
    "vstack",
]

name_axis = aliases(axis="dim")


@primitive(
    reference=lambda *arrays, axis, ends: np.concatenate(arrays, axis),
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), rng.normal(size=(1, 3)), axis=0, ends=(0, 2, 3)),
        Sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 0)), rng.normal(size=(2, 2)), axis=1, ends=(0, 3, 3, 5)),
        Sample(rng.normal(size=(2,)), axis=0, ends=(0, 2)),
    ],
)
def _cat(*inputs: Any, axis: int, ends: tuple[int, ...]) -> Any:
    """The inputs joined; input i is from ``ends[i]`` to ``ends[i + 1]`` of the result, which its gradient asks for."""
    return np.concatenate(inputs, axis=axis)


_cat.defvjp(variadic=lambda g, i, axis, ends: g[(slice(None),) * axis + (slice(ends[i], ends[i + 1]),)])


@implements(np.concatenate)
@name_axis
def cat(tensors: Sequence[Any], dim: int | None = 0) -> Any:
    """The tensors joined along `dim` (None: all values, flattened); their other sizes must agree.

    >>> import autograd_core as ag
    >>> ag.cat([ag.tensor([1, 2]), ag.tensor([3])])
    tensor([1, 2, 3])
    """
    tensors = list(tensors)
    if not tensors:
        raise ValueError("cat: expected at least one tensor, got none")
    if dim is None:
        tensors, dim = [ravel(x) for x in tensors], 0
    axis = axis_of("cat", dim, ndim(tensors[0]))
    sizes = (shape(x)[axis] if ndim(x) > axis else 0 for x in tensors)
    return _cat(*tensors, axis=axis, ends=tuple(itertools.accumulate(sizes, initial=0)))


@name_axis
def concat(tensors: Sequence[Any], dim: int | None = 0) -> Any:
    """Another name of :func:`cat`."""
    return cat(tensors, dim)


@name_axis
def concatenate(tensors: Sequence[Any], dim: int | None = 0) -> Any:
    """NumPy's name for :func:`cat`."""
    return cat(tensors, dim)


@primitive(
    reference=lambda *arrays, axis: np.concatenate([np.expand_dims(a, axis) for a in arrays], axis),
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), axis=0),
        Sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), axis=2),
        Sample(rng.normal(size=()), rng.normal(size=()), axis=0),
    ],
)
def _stack(*inputs: Any, axis: int) -> Any:
    return np.stack(inputs, axis)


_stack.defvjp(variadic=lambda g, i, axis: g[(slice(None),) * axis + (i,)])


@implements(np.stack)
@name_axis
def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Tensors of one shape joined along a new dimension `dim`.

    >>> import autograd_core as ag
    >>> ag.stack([ag.tensor([1, 2]), ag.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    tensors = list(tensors)
    shapes = {shape(x) for x in tensors}
    if len(shapes) != 1:
        raise ValueError(f"stack: expected tensors of one shape, got {sorted(shapes)}")
    return _stack(*tensors, axis=axis_of("stack", dim, len(shapes.pop()) + 1))


@implements(np.hstack)
def hstack(tensors: Sequence[Any]) -> Any:
    """Joined side by side: along dimension 1, or 0 for vectors.

    >>> import autograd_core as ag
    >>> ag.hstack([ag.tensor([1, 2]), ag.tensor([3])])
    tensor([1, 2, 3])
    """
    parts = [atleast_1d(x) for x in tensors]
    return cat(parts, 0 if parts and ndim(parts[0]) == 1 else 1)


@implements(np.vstack)
def vstack(tensors: Sequence[Any]) -> Any:
    """Joined one below the other: along dimension 0, vectors as rows.

    >>> import autograd_core as ag
    >>> ag.vstack([ag.tensor([1, 2]), ag.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat([atleast_2d(x) for x in tensors])


def row_stack(tensors: Sequence[Any]) -> Any:
    """Another name of :func:`vstack`."""
    return vstack(tensors)


@implements(np.dstack)
def dstack(tensors: Sequence[Any]) -> Any:
    """Joined along dimension 2, after :func:`atleast_3d`."""
    return cat([atleast_3d(x) for x in tensors], 2)


@implements(np.column_stack)
def column_stack(tensors: Sequence[Any]) -> Any:
    """Joined along dimension 1, vectors as columns.

    >>> import autograd_core as ag
    >>> ag.column_stack([ag.tensor([1, 2]), ag.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    return cat([reshape(x, (-1, 1)) if ndim(x) < 2 else x for x in tensors], 1)


def block_diag(*tensors: Any) -> Any:
    """The matrix with these matrices (vectors: as rows) along its diagonal, and 0 elsewhere.

    >>> import autograd_core as ag
    >>> ag.block_diag(ag.ones(1, 1), ag.tensor([[2.0, 3.0]]))
    tensor([[1., 0., 0.],
            [0., 2., 3.]])
    """
    blocks = [atleast_2d(x) for x in tensors]
    if not blocks or any(ndim(x) > 2 for x in blocks):
        raise ValueError(f"block_diag: expected matrices, got shapes {[shape(x) for x in tensors]}")
    ends = list(itertools.accumulate(shape(x)[1] for x in blocks))
    return cat([padded(x, ((0, 0), (end - shape(x)[1], ends[-1] - end))) for x, end in zip(blocks, ends, strict=True)])


# Splitting: one node for all the parts, so that going back is joining, once


def _split_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.normal(size=(5, 2)), sizes=(2, 0, 3), axis=0),
        Sample(rng.normal(size=(2, 3)), sizes=(1, 2), axis=1),
        Sample(rng.normal(size=4), sizes=(4,), axis=0),
    ]


@primitive(
    views=True,
    routes=True,
    reference=lambda x, sizes, axis: np.split(x, np.cumsum(sizes)[:-1], axis),
    samples=_split_samples,
)
def _split(input: Any, *, sizes: tuple[int, ...], axis: int) -> Any:
    parts, start, before = [], 0, (slice(None),) * axis
    for size in sizes:
        parts.append(input[(*before, slice(start, start + size))])
        start += size
    return tuple(parts)


_split.defvjp(lambda g, axis: np.concatenate(g, axis))


@primitive(
    views=True,
    routes=True,
    reference=lambda x, axis: list(np.moveaxis(x, axis, 0)),
    samples=lambda rng: [Sample(rng.normal(size=(3, 2)), axis=0), Sample(rng.normal(size=(2, 3, 2)), axis=1)],
)
def _unbind(input: Any, *, axis: int) -> Any:
    return tuple(np.moveaxis(input, axis, 0))


_unbind.defvjp(lambda g, axis: np.stack(g, axis))


@name_axis
def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along `dim`, without it.

    >>> import autograd_core as ag
    >>> ag.unbind(ag.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    if ndim(input) == 0:
        raise IndexError("unbind: a 0-d tensor has no slices")
    parts: tuple[Any, ...] = _unbind(input, axis=axis_of("unbind", dim, ndim(input)))
    return parts


implements(np.unstack)(lambda x, axis=0: unbind(x, axis))


@name_axis
def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Pieces of these sizes along `dim`, which they must fill."""
    axis, sizes = axis_of("split", dim, ndim(input)), sizes_of((split_sizes,))
    if ndim(input) == 0:
        raise ValueError("split: a 0-d tensor cannot be split")
    if sum(sizes) != shape(input)[axis] or min(sizes, default=0) < 0:
        raise ValueError(f"split: sizes {list(sizes)} sum to {sum(sizes)}, but dim {dim} has size {shape(input)[axis]}")
    parts: tuple[Any, ...] = _split(input, sizes=sizes, axis=axis)
    return parts


@name_axis
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces along `dim`: of one size (the last may be smaller), or of the sizes given.

    >>> import autograd_core as ag
    >>> [piece.tolist() for piece in ag.split(ag.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    if isinstance(split_size_or_sections, Sequence):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    size, step = (*shape(tensor), 0)[axis_of("split", dim, ndim(tensor))], operator.index(split_size_or_sections)
    if step <= 0 and (step or size):
        raise ValueError(f"split: expected a positive size, got {step}")
    return split_with_sizes(tensor, [min(step, size - start) for start in range(0, size, step or 1)] or [0], dim)


@name_axis
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most `chunks` pieces of equal size along `dim` (the last may be smaller).

    >>> import autograd_core as ag
    >>> [piece.tolist() for piece in ag.chunk(ag.arange(5), 2)]
    [[0, 1, 2], [3, 4]]
    """
    if chunks <= 0:
        raise ValueError(f"chunk: expected a positive number of chunks, got {chunks}")
    size = (*shape(input), 0)[axis_of("chunk", dim, ndim(input))]
    if size == 0:
        return split_with_sizes(input, [0] * chunks, dim)
    return split(input, -(-size // chunks), dim)


@implements(np.array_split)
@aliases(axis="dim", indices="indices_or_sections", sections="indices_or_sections")
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces along `dim`: a number of nearly equal ones (the first are larger by one), or cut before each index.

    >>> import autograd_core as ag
    >>> [piece.tolist() for piece in ag.tensor_split(ag.arange(5), 3)]
    [[0, 1], [2, 3], [4]]
    >>> [piece.tolist() for piece in ag.tensor_split(ag.arange(5), (1, 3))]
    [[0], [1, 2], [3, 4]]
    """
    if ndim(input) == 0:
        raise ValueError("tensor_split: a 0-d tensor cannot be split")
    axis, cuts = axis_of("tensor_split", dim, ndim(input)), as_tensor(indices_or_sections)._known("tensor_split")
    size = shape(input)[axis]
    if cuts.ndim == 0:
        n = operator.index(cuts.item())
        if n <= 0:
            raise ValueError(f"tensor_split: expected a positive number of sections, got {n}")
        return split_with_sizes(input, [size // n + (i < size % n) for i in range(n)], axis)
    # Cuts need not be in order: where one comes before its predecessor, the piece is empty.
    bounds = [0, *(slice(i).indices(size)[1] for i in cuts.tolist()), size]
    lead = (slice(None),) * axis
    if sorted(bounds) != bounds:
        return tuple(getitem(input, (*lead, slice(a, b))) for a, b in itertools.pairwise(bounds))
    return split_with_sizes(input, [b - a for a, b in itertools.pairwise(bounds)], axis)


@by_name(np.split)
def _numpy_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    size = shape(ary)[axis_of("split", axis, ndim(ary))]
    if ndim(indices_or_sections) == 0 and size % operator.index(indices_or_sections):
        raise ValueError(f"split: size {size} of axis {axis} is no multiple of {indices_or_sections}; use array_split")
    return tensor_split(ary, indices_or_sections, axis)


def _split_along(operation: str, input: Any, indices_or_sections: Any, dim: int, least: int) -> Any:
    if ndim(input) < least:
        raise ValueError(f"{operation}: expected at least {least} dimensions, got shape {shape(input)}")
    return _numpy_split(input, indices_or_sections, dim)


@implements(np.hsplit)
def hsplit(input: Any, indices_or_sections: Any) -> Any:
    """Equal pieces, or cut before each index, along dimension 1 (of a vector: 0)."""
    return _split_along("hsplit", input, indices_or_sections, 0 if ndim(input) == 1 else 1, 1)


@implements(np.vsplit)
def vsplit(input: Any, indices_or_sections: Any) -> Any:
    """Equal pieces, or cut before each index, along dimension 0."""
    return _split_along("vsplit", input, indices_or_sections, 0, 2)


@implements(np.dsplit)
def dsplit(input: Any, indices_or_sections: Any) -> Any:
    """Equal pieces, or cut before each index, along dimension 2."""
    return _split_along("dsplit", input, indices_or_sections, 2, 3)


# Padding and shifting


@primitive(
    reference=lambda x, widths, value: np.pad(x, widths, constant_values=value),
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), widths=((1, 0), (2, 3)), value=0.0),
        Sample(rng.normal(size=(0, 2)), widths=((1, 1), (0, 1)), value=-1.5),
    ],
)
def _pad(input: Any, *, widths: tuple[tuple[int, int], ...], value: float) -> Any:
    sizes = [before + n + after for n, (before, after) in zip(input.shape, widths, strict=True)]
    out = np.full(sizes, value, input.dtype)
    out[_inside(input.shape, widths)] = input
    return out


def _inside(sizes: tuple[int, ...], widths: tuple[tuple[int, int], ...]) -> tuple[slice, ...]:
    return tuple(slice(before, before + n) for n, (before, _) in zip(sizes, widths, strict=True))


_pad.defvjp(lambda g, input_shape, widths: g[_inside(input_shape, widths)])


def padded(input: Any, widths: Sequence[tuple[int, int]], mode: str = "constant", value: float = 0.0) -> Any:
    """`input` with entries added before and after, a pair of numbers for each dimension; negative ones take away.

    Parameters
    ----------
    mode : "constant" adds `value`; "edge", "reflect", "symmetric" and "wrap" repeat what is there, as ``np.pad`` does

    >>> import autograd_core as ag
    >>> padded(ag.tensor([1, 2, 3]), [(2, -1)], "reflect")
    tensor([1, 2, 1, 2])
    """
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise ValueError(f"pad: expected mode constant, edge, reflect, symmetric or wrap, got {mode!r}")
    if any(min(pair) < 0 for pair in widths):
        kept = zip(shape(input), widths, strict=True)
        input = getitem(input, tuple(slice(max(-before, 0), n + min(after, 0)) for n, (before, after) in kept))
    grown = tuple((max(before, 0), max(after, 0)) for before, after in widths)
    if mode == "constant":
        return _pad(input, widths=grown, value=value)
    for axis, pair in enumerate(grown):
        if pair != (0, 0):
            order = np.pad(np.arange(shape(input)[axis]), pair, mode=mode)  # type: ignore[call-overload]
            input = getitem(input, (*(slice(None),) * axis, order))
    return input


@by_name(np.pad)
def _numpy_pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    if ndim(constant_values):
        raise TypeError("np.pad with several constant_values is not supported on tensors; pad once for each")
    widths = np.broadcast_to(pad_width, (ndim(array), 2))
    return padded(array, [(int(before), int(after)) for before, after in widths], mode, constant_values)


@implements(np.diff)
@name_axis
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Each entry along `dim` less the one before it, `n` times; of bools, whether they differ.

    Parameters
    ----------
    prepend, append : optional
        Joined to `input` first; numbers, or tensors of its shape off `dim`.

    >>> import autograd_core as ag
    >>> ag.diff(ag.tensor([1, 4, 9]))
    tensor([3, 5])
    """
    if ndim(input) == 0:
        raise ValueError("diff: expected at least one dimension, got a 0-d tensor")
    if n < 0:
        raise ValueError(f"diff: expected an order n of at least 0, got {n}")
    if n == 0:
        return clone(input)
    axis = axis_of("diff", dim, ndim(input))
    edge = tuple(1 if i == axis else size for i, size in enumerate(shape(input)))
    ends = [x if x is None or ndim(x) else broadcast_to(x, edge) for x in (prepend, append)]
    parts = [x for x in (ends[0], input, ends[1]) if x is not None]
    out = cat(parts, axis) if len(parts) > 1 else input
    for _ in range(n):
        size = shape(out)[axis]
        later, earlier = narrow(out, axis, min(1, size), max(size - 1, 0)), narrow(out, axis, 0, max(size - 1, 0))
        out = later != earlier if out.dtype == bool else later - earlier
    return out


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """The coordinates of a grid: each vector, repeated along the dimensions of the others.

    Parameters
    ----------
    indexing : "ij" or "xy"
        Whether the first vector runs along dimension 0, or 1.

    >>> import autograd_core as ag
    >>> ag.meshgrid(ag.tensor([1, 2]), ag.tensor([3, 4]))[1]
    tensor([[3, 4],
            [3, 4]])
    """
    if indexing not in ("ij", "xy"):
        raise ValueError(f'meshgrid: expected indexing "ij" or "xy", got {indexing!r}')
    vectors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    if any(ndim(x) > 1 for x in vectors):
        raise ValueError(f"meshgrid: expected vectors, got shapes {[shape(x) for x in vectors]}")
    vectors = [reshape(x, -1) for x in vectors]
    sizes = tuple(shape(x)[0] for x in vectors)
    grids = [
        broadcast_to(reshape(x, (1,) * i + (-1,) + (1,) * (len(sizes) - 1 - i)), sizes) for i, x in enumerate(vectors)
    ]
    return tuple(transpose(x, 0, 1) if indexing == "xy" and len(sizes) > 1 else x for x in grids)


@implements(np.meshgrid)
def _numpy_meshgrid(*xi: Any, indexing: str = "xy") -> tuple[Any, ...]:
    return meshgrid(*xi, indexing=indexing)


def cartesian_prod(*tensors: Any) -> Any:
    """Every combination of one value from each vector, as the rows of a matrix.

    >>> import autograd_core as ag
    >>> ag.cartesian_prod(ag.tensor([1, 2]), ag.tensor([3, 4])).tolist()
    [[1, 3], [1, 4], [2, 3], [2, 4]]
    """
    grids = meshgrid(*tensors)
    return grids[0] if len(grids) == 1 else stack([ravel(x) for x in grids], -1)
