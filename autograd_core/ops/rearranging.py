"""The same elements in another order along a dimension, or several times."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from ..tensor import as_tensor
from .arguments import aliases, axes, axis_of, ndim, shape, sizes_of, variadic
from .indexing import getitem
from .shape import clone, ravel, reshape, transpose

__all__ = ["flip", "fliplr", "flipud", "repeat_interleave", "roll", "rot90"]

name_axis = aliases(axis="dim")


@primitive(
    reference=lambda x, axis: np.flip(x, axis),
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), axis=(1,)),
        Sample(rng.normal(size=(2, 3)), axis=(0, 1)),
        Sample(rng.normal(size=()), axis=()),
    ],
)
def _flip(input: Any, *, axis: tuple[int, ...]) -> Any:
    return np.array(np.flip(input, axis), order="C")


_flip.defvjp(lambda g, axis: np.flip(g, axis))


@variadic("dims")
def flip(input: Any, *dims: Any) -> Any:
    """The order reversed along the dimensions `dims`.

    >>> import autograd_core as ag
    >>> ag.flip(ag.tensor([[1, 2], [3, 4]]), 1)
    tensor([[2, 1],
            [4, 3]])
    """
    return _flip(input, axis=axes("flip", sizes_of(dims), ndim(input)))


implements(np.flip)(lambda m, axis=None: flip(m, *(range(ndim(m)) if axis is None else np.ravel(axis))))


@implements(np.fliplr)
def fliplr(input: Any) -> Any:
    """The order reversed along dimension 1."""
    return flip(input, 1)


@implements(np.flipud)
def flipud(input: Any) -> Any:
    """The order reversed along dimension 0."""
    return flip(input, 0)


@implements(np.rot90)
@aliases(axes="dims")
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Rotated by `k` quarter turns in the plane of two dimensions, from the first towards the second.

    >>> import autograd_core as ag
    >>> ag.rot90(ag.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    plane = axes("rot90", dims, ndim(input))
    if len(plane) != 2:
        raise ValueError(f"rot90: expected two dimensions, got {dims} for shape {shape(input)}")
    turns = k % 4
    if turns == 0:
        return clone(input)
    if turns == 2:
        return flip(input, plane)
    return transpose(flip(input, plane[1] if turns == 1 else plane[0]), *plane)


@implements(np.repeat)
@name_axis
def repeat_interleave(input: Any, repeats: Any = None, dim: int | None = None, *, output_size: Any = None) -> Any:
    """Each element (along `dim`; of the flattened tensor without) repeated in its place, `repeats` times.

    Parameters
    ----------
    repeats : int or integers, one for each entry along `dim`
        Without it, `input` holds the counts, and the result says which entry each repetition is of.
    output_size : not needed

    >>> import autograd_core as ag
    >>> ag.repeat_interleave(ag.tensor([1, 2, 3]), ag.tensor([2, 0, 1]))
    tensor([1, 1, 3])
    """
    if repeats is None:
        counts = np.asarray(input)
        return as_tensor(np.repeat(np.arange(len(counts)), counts))
    if dim is None:
        input, dim = ravel(input), 0
    axis = axis_of("repeat_interleave", dim, ndim(input))
    if ndim(input) == 0:
        input = reshape(input, 1)
    counts, size = np.asarray(repeats), shape(input)[axis]
    if counts.dtype.kind not in "iu" or counts.size not in (1, size) or (counts < 0).any():
        raise ValueError(
            f"repeat_interleave: repeats must be one count, or one for each of the {size} entries of dim {dim}, "
            f"none negative; got {counts.tolist()}"
        )
    return getitem(input, (*(slice(None),) * axis, np.repeat(np.arange(size), np.ravel(counts))))


@primitive(
    reference=lambda x, shifts, axis: np.roll(x, shifts, axis),
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), shifts=(1,), axis=(1,)),
        Sample(rng.normal(size=(2, 3)), shifts=(-1, 4), axis=(0, 1)),
        Sample(rng.normal(size=(0, 3)), shifts=(1,), axis=(0,)),
    ],
)
def _roll(input: Any, *, shifts: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    return np.roll(input, shifts, axis)


_roll.defvjp(lambda g, shifts, axis: np.roll(g, tuple(-n for n in shifts), axis))


@implements(np.roll)
@aliases(shift="shifts", axis="dims")
def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Moved on by `shifts` along `dims`, what leaves at the end entering at the start; flattened without `dims`.

    >>> import autograd_core as ag
    >>> ag.roll(ag.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    """
    if dims is None or dims == ():
        return reshape(roll(ravel(input), shifts, 0), shape(input))
    moves, along = (sizes_of((n,)) for n in (shifts, dims))
    if len(moves) != len(along):
        raise ValueError(f"roll: got {len(moves)} shifts for {len(along)} dims; expected as many")
    return _roll(input, shifts=moves, axis=axes("roll", along, ndim(input)))
