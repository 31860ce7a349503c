"""Norms of vectors and matrices, and distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..primitive import implements
from .arguments import aliases, axes, ndim, reductions, shape
from .casting import cast, floating
from .decompositions import matrices, svdvals
from .extremes import amax, amin
from .reduction import norm as over_all
from .shape import movedim, reshape, unsqueeze
from .solving import inv, slogdet, square

__all__ = ["cdist"]  # the others are names of autograd_core.linalg

inf = np.inf


@implements(np.linalg.vector_norm)
@reductions
def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """``sum(|x|**ord) ** (1/ord)`` over `dim` (an int, several, or all), of a tensor of any shape.

    At 0 the gradient is 0, also for each row.  For the orders see :func:`autograd_core.norm`.

    >>> import autograd_core as ag
    >>> ag.linalg.vector_norm(ag.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return over_all(x, ord, dim, keepdim, dtype)


@implements(np.linalg.matrix_norm)
@reductions
def matrix_norm(
    A: Any,  # noqa: N803
    ord: Any = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Any:
    """The norm of the matrices in two dimensions.

    Parameters
    ----------
    ord : "fro", the root of the sum of squares; "nuc", the sum of the singular values; 2 or -2, the largest or smallest
        singular value; inf or -inf, the largest or smallest sum of absolute values of a row; 1 or -1, of a column
    dim : the dimensions of rows and columns

    Where the largest is not unique, the gradient is shared evenly; at 0 it is 0.

    >>> import autograd_core as ag
    >>> ag.linalg.matrix_norm(ag.tensor([[3.0, 0.0], [0.0, 4.0]]), "nuc")
    tensor(7.)
    """
    matrices("matrix_norm", A)
    A = floating(A) if dtype is None else cast(A, dtype)  # noqa: N806
    rank = ndim(A)
    rows, columns = axes("matrix_norm", tuple(dim), rank) if len(dim) == 2 else (None, None)
    if rows is None or columns is None:
        raise ValueError(f"matrix_norm: dim must be two dimensions, got {dim}")
    if ord == "fro":
        return over_all(A, 2, (rows, columns), keepdim)
    if ord not in ("nuc", 2, -2, inf, -inf, 1, -1):
        raise ValueError(f"matrix_norm: ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, got {ord!r}")
    if ord in (1, -1):
        rows, columns = columns, rows
    if ord in (1, -1, inf, -inf):
        sums = over_all(A, 1, columns, True)
        return (amax if ord > 0 else amin)(sums, (rows, columns), keepdim)
    # norms of the singular values, rather than their sum or maximum, for the gradient 0 at 0
    s = svdvals(movedim(A, (rows, columns), (-2, -1)))
    out = over_all(s, 1 if ord == "nuc" else ord * inf, -1)
    if keepdim:
        out = reshape(out, tuple(1 if i in (rows, columns) else n for i, n in enumerate(shape(A))))
    return out


@implements(np.linalg.norm)
@aliases(axis="dim", keepdims="keepdim", x="A")
def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:  # noqa: N803
    """The norm of vectors (one `dim`) or matrices (two).

    Without `ord`, the root of the sum of squares over `dim`, or over all; with `ord` and no `dim`, `A` must be a vector
    or a matrix.  The orders are those of :func:`vector_norm` and :func:`matrix_norm`.

    >>> import autograd_core as ag
    >>> ag.linalg.norm(ag.tensor([[3.0, 4.0], [0.0, 0.0]]), dim=1)
    tensor([5., 0.])
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None and ndim(A) not in (1, 2):
        raise ValueError(f"linalg.norm: with ord, expected a vector, a matrix, or a dim, got shape {shape(A)}")
    dims = tuple(range(ndim(A))) if dim is None else tuple(dim) if isinstance(dim, Sequence) else (dim,)
    if len(dims) == 2:
        return matrix_norm(A, ord, dims, keepdim, dtype=dtype)
    if len(dims) != 1 or isinstance(ord, str):
        raise ValueError(f"linalg.norm: ord {ord!r} is not a norm over dim {dim} of shape {shape(A)}")
    return vector_norm(A, ord, dims, keepdim, dtype=dtype)


@implements(np.linalg.cond)
def cond(A: Any, p: Any = None) -> Any:  # noqa: N803
    """The condition number of matrices: ``norm(A, p) * norm(inv(A), p)``; inf where a matrix is singular.

    Parameters
    ----------
    p : an order of :func:`matrix_norm`; by default 2, the largest singular value by the smallest

    >>> import autograd_core as ag
    >>> ag.linalg.cond(ag.tensor([[4.0, 0.0], [0.0, 2.0]]))
    tensor(2.)
    """
    matrices("cond", A)
    A = floating(A)  # noqa: N806
    if p in (None, 2, -2):
        s = svdvals(A)
        largest, smallest = amax(s, -1), amin(s, -1)
        return smallest / largest if p == -2 else largest / smallest
    square("cond", A)
    singular = slogdet(A).sign == 0
    regular = np.where(unsqueeze(unsqueeze(singular, -1), -1), np.eye(shape(A)[-1], dtype=A.dtype), A)
    return np.where(singular, inf, matrix_norm(A, p) * matrix_norm(inv(regular), p))


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = None) -> Any:
    """The p-norm distance of each of the rows `x1` from each of the rows `x2`.

    Parameters
    ----------
    x1, x2 : (..., n, d) and (..., m, d); the result is (..., n, m)
        All differences are formed, ``n * m * d`` numbers at a time.
    p : at least 0, or inf; 0 counts the coordinates that differ
    compute_mode : PyTorch's choice of an algorithm, without effect

    At distance 0 the gradient is 0.

    >>> import autograd_core as ag
    >>> ag.cdist(ag.tensor([[0.0, 0.0]]), ag.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[5., 0.]])
    """
    if ndim(x1) < 2 or ndim(x2) < 2 or shape(x1)[-1] != shape(x2)[-1]:
        raise ValueError(f"cdist: expected shapes (..., n, d) and (..., m, d), got {shape(x1)} and {shape(x2)}")
    if p < 0:
        raise ValueError(f"cdist: p must be at least 0, got {p}")
    return vector_norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, dim=-1)
