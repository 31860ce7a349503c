"""Joining and splitting."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from .arguments import aliases, axis_of, ndim, shape
from .shape import unsqueeze

__all__ = ["cat", "chunk", "concat", "narrow", "split", "stack", "unbind"]

name_axis = aliases(axis="dim")


@primitive(
    reference=lambda *arrays, axis: np.concatenate(arrays, axis),
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), rng.normal(size=(1, 3)), axis=0),
        Sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 0)), rng.normal(size=(2, 2)), axis=1),
        Sample(rng.normal(size=(2,)), axis=0),
    ],
)
def _cat(*inputs: Any, axis: int) -> Any:
    return np.concatenate(inputs, axis=axis)


def _cat_rule(g: Any, i: int, inputs_shape: tuple[tuple[int, ...], ...], axis: int) -> Any:
    start = sum(s[axis] for s in inputs_shape[:i])
    return g[(slice(None),) * axis + (slice(start, start + inputs_shape[i][axis]),)]


_cat.defvjp(variadic=_cat_rule)


@implements(np.concatenate)
@name_axis
def cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """The tensors joined along `dim`; their other sizes must agree.

    >>> import autograd_core as ag
    >>> ag.cat([ag.tensor([1, 2]), ag.tensor([3])])
    tensor([1, 2, 3])
    """
    tensors = list(tensors)
    if not tensors:
        raise ValueError("cat: expected at least one tensor, got none")
    return _cat(*tensors, axis=axis_of("cat", dim, ndim(tensors[0])))


def concat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Another name of :func:`cat`."""
    return cat(tensors, dim)


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
    return cat([unsqueeze(x, dim) for x in tensors], axis_of("stack", dim, len(shapes.pop()) + 1))


@name_axis
def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """The `length` entries along `dim` from `start` on.

    >>> import autograd_core as ag
    >>> ag.narrow(ag.tensor([1, 2, 3, 4]), 0, 1, 2)
    tensor([2, 3])
    """
    axis = axis_of("narrow", dim, ndim(input))
    size = shape(input)[axis]
    first = start + size if start < 0 else start
    if not (0 <= first <= first + length <= size):
        raise IndexError(f"narrow: start {start} and length {length} exceed size {size} of dim {dim}")
    return input[(slice(None),) * axis + (slice(first, first + length),)]


@name_axis
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces along `dim`: of one size (the last may be smaller), or of the sizes given.

    >>> import autograd_core as ag
    >>> [piece.tolist() for piece in ag.split(ag.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    axis = axis_of("split", dim, ndim(tensor))
    size = shape(tensor)[axis]
    if isinstance(split_size_or_sections, Sequence):
        sizes = [operator.index(n) for n in split_size_or_sections]
        if sum(sizes) != size:
            raise ValueError(f"split: sizes {sizes} sum to {sum(sizes)}, but dim {dim} has size {size}")
    else:
        step = operator.index(split_size_or_sections)
        if step <= 0:
            raise ValueError(f"split: expected a positive size, got {step}")
        sizes = [min(step, size - start) for start in range(0, size, step)] or [0]
    starts = np.cumsum([0, *sizes])
    return tuple(narrow(tensor, axis, int(start), n) for start, n in zip(starts, sizes, strict=False))


@name_axis
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most `chunks` pieces of equal size along `dim` (the last may be smaller).

    >>> import autograd_core as ag
    >>> [piece.tolist() for piece in ag.chunk(ag.arange(5), 2)]
    [[0, 1, 2], [3, 4]]
    """
    if chunks <= 0:
        raise ValueError(f"chunk: expected a positive number of chunks, got {chunks}")
    size = shape(input)[axis_of("chunk", dim, ndim(input))]
    return split(input, max(-(-size // chunks), 1), dim)


@name_axis
def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along `dim`, without it.

    >>> import autograd_core as ag
    >>> ag.unbind(ag.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    axis = axis_of("unbind", dim, ndim(input))
    return tuple(input[(slice(None),) * axis + (i,)] for i in range(shape(input)[axis]))
