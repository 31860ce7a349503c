"""Products of matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from .arguments import ndim, shape
from .shape import reshape, unsqueeze
from .shape import squeeze as _squeeze

__all__ = ["dot", "matmul", "mm"]


@primitive(
    reference=lambda a, b: np.einsum("...ij,...jk->...ik", a, b),
    broadcasts=True,
    samples=lambda rng: [
        Sample(rng.normal(size=(2, 3)), rng.normal(size=(3, 4))),
        Sample(rng.normal(size=(5, 2, 3)), rng.normal(size=(5, 3, 1))),
        Sample(rng.normal(size=(5, 1, 2, 3)), rng.normal(size=(4, 3, 2))),
        Sample(rng.normal(size=(2, 0)), rng.normal(size=(0, 3))),
        Sample(rng.normal(size=(0, 2)), rng.normal(size=(2, 3))),
    ],
)
def _matmul(input: Any, other: Any) -> Any:
    return np.matmul(input, other)


_matmul.defvjp(
    lambda g, other: np.matmul(g, np.swapaxes(other, -1, -2)),
    lambda g, input: np.matmul(np.swapaxes(input, -1, -2), g),
)


@implements(np.matmul)
def matmul(input: Any, other: Any) -> Any:
    """The matrix product, of vectors, matrices, or batches of matrices that broadcast.

    ``(..., n, k) @ (..., k, m)`` gives ``(..., n, m)``; a vector stands for a row on the left and a column on the
    right, and that dimension is gone from the result.

    Raises
    ------
    ValueError
        If an operand is 0-d, or the inner sizes differ.

    >>> import autograd_core as ag
    >>> ag.tensor([[1.0, 2.0], [3.0, 4.0]]) @ ag.tensor([1.0, 1.0])
    tensor([3., 7.])
    """
    left, right = shape(input), shape(other)
    if not left or not right or left[-1] != right[-2 if len(right) > 1 else 0]:
        raise ValueError(
            f"matmul: expected (..., n, k) @ (..., k, m), or vectors of size k, got {left} and {right}; "
            f"transpose one operand with .mT, or multiply elementwise with *"
        )
    if len(left) == 2 == len(right):
        return _matmul(input, other)
    if len(left) == 1:
        return _squeeze(matmul(unsqueeze(input, 0), other), 0 if len(right) == 1 else -2)
    if len(right) == 1:
        return _squeeze(matmul(input, unsqueeze(other, 1)), -1)
    if len(right) == 2:
        # One large product rather than a batch of small ones.
        rows = reshape(input, (math.prod(left[:-1]), left[-1]))
        return reshape(_matmul(rows, other), (*left[:-1], right[-1]))
    return _matmul(input, other)


def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices, without broadcasting.

    >>> import autograd_core as ag
    >>> ag.mm(ag.ones(2, 3), ag.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    if ndim(input) != 2 or ndim(mat2) != 2:
        raise ValueError(f"mm: expected two matrices, got shapes {shape(input)} and {shape(mat2)}; use matmul")
    return matmul(input, mat2)


@implements(np.dot)
def dot(input: Any, other: Any) -> Any:
    """The inner product of two vectors.

    >>> import autograd_core as ag
    >>> ag.dot(ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0]))
    tensor(11.)
    """
    if ndim(input) != 1 or ndim(other) != 1:
        raise ValueError(f"dot: expected two vectors, got shapes {shape(input)} and {shape(other)}; use matmul")
    return matmul(input, other)
