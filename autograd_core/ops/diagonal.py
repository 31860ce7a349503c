"""Diagonals, triangles and windows: parts of a tensor that its memory already holds, and putting them back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from ..tensor import Tensor, wrap
from .arguments import aliases, axis_of, check_device, ndim, shape
from .indexing import counted, getitem
from .selection import where
from .shape import clone, ravel, reshape

__all__ = [
    "diag",
    "diag_embed",
    "diagflat",
    "diagonal",
    "tril",
    "tril_indices",
    "triu",
    "triu_indices",
    "unfold",
]


def _diagonal_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.normal(size=(3, 3)), offset=0, axis1=0, axis2=1),
        Sample(rng.normal(size=(3, 4)), offset=1, axis1=0, axis2=1),
        Sample(rng.normal(size=(2, 4, 3)), offset=-1, axis1=1, axis2=2),
        Sample(rng.normal(size=(3, 2, 2)), offset=0, axis1=2, axis2=0),
        Sample(rng.normal(size=(2, 2)), offset=5, axis1=0, axis2=1),
    ]


@primitive(views=True, routes=True, reference=np.diagonal, samples=_diagonal_samples)
def _diagonal(input: Any, *, offset: int, axis1: int, axis2: int) -> Any:
    out = np.diagonal(input, offset, axis1, axis2)
    if input.flags.writeable:
        out.setflags(write=True)  # NumPy's is read-only; changing a diagonal in place changes its matrix
    return out


def _diagonal_put_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.normal(size=3), shape=(3, 3), offset=0, axis1=0, axis2=1),
        Sample(rng.normal(size=(2, 3)), shape=(4, 2, 3), offset=-1, axis1=0, axis2=2),
    ]


@primitive(
    reference=lambda values, shape, offset, axis1, axis2: counted(
        np.diagonal(np.arange(math.prod(shape)).reshape(shape), offset, axis1, axis2), values, shape
    ),
    samples=_diagonal_put_samples,
)
def _diagonal_put(values: Any, *, shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Any:
    """Zeros of `shape` with the values on the diagonal."""
    out = np.zeros(shape, values.dtype)
    place = np.diagonal(out, offset, axis1, axis2)
    place.setflags(write=True)
    place[...] = values
    return out


_diagonal.defvjp(
    lambda g, input_shape, offset, axis1, axis2: _diagonal_put(
        g, shape=input_shape, offset=offset, axis1=axis1, axis2=axis2
    )
)
_diagonal_put.defvjp(lambda g, offset, axis1, axis2: np.diagonal(g, offset, axis1, axis2))


def _plane(operation: str, dim1: int, dim2: int, rank: int) -> tuple[int, int]:
    first, second = axis_of(operation, dim1, rank), axis_of(operation, dim2, rank)
    if rank < 2 or first == second:
        raise ValueError(f"{operation}: expected two different dimensions, got {dim1} and {dim2} of {rank}")
    return first, second


@implements(np.diagonal)
@aliases(axis1="dim1", axis2="dim2")
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of the matrices in dimensions `dim1` and `dim2`, as a new last dimension.

    Parameters
    ----------
    offset : 0 for the main diagonal, above it if positive, below if negative

    >>> import autograd_core as ag
    >>> ag.diagonal(ag.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    first, second = _plane("diagonal", dim1, dim2, ndim(input))
    return _diagonal(input, offset=offset, axis1=first, axis2=second)


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Zeros with the last dimension of `input` on the diagonal of the new dimensions `dim1` and `dim2`.

    >>> import autograd_core as ag
    >>> ag.diag_embed(ag.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    *batch, n = shape(input) or (1,)
    first, second = sorted(_plane("diag_embed", dim1, dim2, len(batch) + 2))
    sizes = list(batch)
    for at in (first, second):
        sizes.insert(at, n + abs(offset))
    # The order of the two decides on which side of the main diagonal an offset lies.
    swapped = axis_of("diag_embed", dim1, len(sizes)) > axis_of("diag_embed", dim2, len(sizes))
    values = reshape(input, 1) if ndim(input) == 0 else input
    return _diagonal_put(values, shape=tuple(sizes), offset=-offset if swapped else offset, axis1=first, axis2=second)


@implements(np.diag)
@aliases(k="diagonal")
def diag(input: Any, diagonal: int = 0) -> Any:
    """Of a vector, the matrix with it on a diagonal; of a matrix, a copy of the diagonal.

    >>> import autograd_core as ag
    >>> ag.diag(ag.tensor([[1, 2], [3, 4]]), 1)
    tensor([2])
    """
    if ndim(input) not in (1, 2):
        raise ValueError(f"diag: expected a vector or a matrix, got shape {shape(input)}; use diagonal or diag_embed")
    if ndim(input) == 1:
        return diag_embed(input, diagonal)
    return clone(_diagonal(input, offset=diagonal, axis1=0, axis2=1))


@implements(np.diagflat)
@aliases(k="offset")
def diagflat(input: Any, offset: int = 0) -> Any:
    """The matrix with all values of `input` on a diagonal."""
    return diag_embed(ravel(input), offset)


def _triangle(operation: str, input: Any, diagonal: int, lower: bool) -> Any:
    if ndim(input) < 2:
        raise ValueError(f"{operation}: expected at least 2 dimensions, got shape {shape(input)}")
    rows, columns = shape(input)[-2:]
    below = np.tri(rows, columns, k=diagonal if lower else diagonal - 1, dtype=bool)
    return where(below if lower else ~below, input, False)  # False is 0 in any dtype


@implements(np.tril)
@aliases(k="diagonal")
def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of each matrix, up to the `diagonal`; 0 above it.

    >>> import autograd_core as ag
    >>> ag.tril(ag.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return _triangle("tril", input, diagonal, True)


@implements(np.triu)
@aliases(k="diagonal")
def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of each matrix, from the `diagonal` on; 0 below it.

    >>> import autograd_core as ag
    >>> ag.triu(ag.ones(2, 2), 1)
    tensor([[0., 1.],
            [0., 0.]])
    """
    return _triangle("triu", input, diagonal, False)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The indices (2, n) of the lower triangle of a (row, col) matrix, up to the diagonal `offset`.

    >>> import autograd_core as ag
    >>> ag.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    check_device("tril_indices", device)
    return wrap(np.array(np.tril_indices(row, offset, col), dtype or np.int64))


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The indices (2, n) of the upper triangle of a (row, col) matrix, from the diagonal `offset` on.

    >>> import autograd_core as ag
    >>> ag.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    check_device("triu_indices", device)
    return wrap(np.array(np.triu_indices(row, offset, col), dtype or np.int64))


def _windows_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.normal(size=5), axis=0, size=3, step=1),
        Sample(rng.normal(size=(2, 7, 3)), axis=1, size=2, step=3),
        Sample(rng.normal(size=(2, 4)), axis=1, size=4, step=2),
        Sample(rng.normal(size=(4, 2)), axis=0, size=2, step=2),
    ]


@primitive(
    views=True,
    reference=lambda x, axis, size, step: np.stack(
        [np.moveaxis(np.take(x, range(i, i + size), axis), axis, -1) for i in range(0, x.shape[axis] - size + 1, step)],
        axis,
    ),
    samples=_windows_samples,
)
def _windows(input: Any, *, axis: int, size: int, step: int) -> Any:
    views = np.lib.stride_tricks.sliding_window_view(input, size, axis)
    return views[(slice(None),) * axis + (slice(None, None, step),)]


def _overlap_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.normal(size=(3, 3)), shape=(5,), axis=0, step=1),
        Sample(rng.normal(size=(2, 2, 3, 2)), shape=(2, 7, 3), axis=1, step=3),
    ]


@primitive(
    reference=lambda windows, shape, axis, step: counted(
        _windows(np.arange(math.prod(shape)).reshape(shape), axis=axis, size=windows.shape[-1], step=step),
        windows,
        shape,
    ),
    samples=_overlap_samples,
)
def _overlap(windows: Any, *, shape: tuple[int, ...], axis: int, step: int) -> Any:
    """Zeros of `shape` with every window added where it came from."""
    out = np.zeros(shape, windows.dtype)
    end = (windows.shape[axis] - 1) * step + 1
    for k in range(windows.shape[-1]):
        out[(slice(None),) * axis + (slice(k, k + end, step),)] += windows[..., k]
    return out


_windows.defvjp(lambda g, input_shape, axis, step: _overlap(g, shape=input_shape, axis=axis, step=step))
_overlap.defvjp(lambda g, windows_shape, axis, step: _windows(g, axis=axis, size=windows_shape[-1], step=step))


def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """All windows of `size` entries along `dimension`, every `step`; the window is a new last dimension.

    >>> import autograd_core as ag
    >>> ag.unfold(ag.arange(5), 0, 2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    axis = axis_of("unfold", dimension, ndim(input))
    room = shape(input)[axis] if shape(input) else 1
    if not 0 <= size <= room or step <= 0:
        raise ValueError(
            f"unfold: expected a size from 0 to {room}, the size of dimension {dimension}, and a positive step; "
            f"got size {size} and step {step}"
        )
    if ndim(input) == 0:
        return getitem(reshape(input, 1), slice(size))
    return _windows(input, axis=axis, size=size, step=step)
