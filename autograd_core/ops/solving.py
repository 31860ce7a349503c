"""Determinants, inverses, and solutions of linear equations.

The rules are the closed forms of Giles, "An extended collection of matrix derivative results for forward and reverse
mode algorithmic differentiation" (2008), section 2.2, written with differentiable operations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..primitive import Kink, Sample, implements, primitive, quiet
from .arguments import ndim, shape
from .casting import floating
from .shape import movedim, reshape, squeeze, unsqueeze

__all__ = ["cholesky_inverse", "cholesky_solve", "det", "inverse", "logdet", "slogdet"]


def square(operation: str, input: Any) -> None:
    """Raise unless `input` is a square matrix, or a batch of them."""
    sizes = shape(input)
    if len(sizes) < 2 or sizes[-1] != sizes[-2]:
        raise ValueError(f"{operation}: expected square matrices of shape (..., n, n), got {sizes}")


def regular(rng: np.random.Generator) -> list[Sample]:
    """Square matrices far from singular, for records."""
    return [
        Sample(rng.normal(size=(3, 3)) + 3 * np.eye(3)),
        Sample(rng.normal(size=(2, 2, 2)) - 3 * np.eye(2)),
        Sample(np.full((1, 1), 2.0)),
        Sample(np.zeros((0, 2, 2))),
        Sample(np.zeros((0, 0))),
    ]


# The inverse


@primitive(reference=lambda x: np.linalg.solve(x, np.broadcast_to(np.eye(x.shape[-1]), x.shape)), samples=regular)
def _inv(input: Any) -> Any:
    try:
        return np.linalg.inv(input)
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError("a matrix is singular; use pinv, or lstsq to solve equations") from error


_inv.defvjp(lambda g, out: -out.mT @ g @ out.mT)


@implements(np.linalg.inv)
def inv(A: Any) -> Any:  # noqa: N803
    """The inverse of square matrices.  To solve equations, ``solve`` is faster and more accurate.

    The gradient is ``-inv(A)' G inv(A)'`` (Giles 2008, 2.2.3).

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is singular.

    >>> import autograd_core as ag
    >>> ag.linalg.inv(ag.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    square("inv", A)
    return _inv(floating(A))


def inverse(input: Any) -> Any:
    """Another name for ``linalg.inv``.

    >>> import autograd_core as ag
    >>> ag.inverse(ag.tensor([[4.0]]))
    tensor([[0.25]])
    """
    return inv(input)


# The determinant


@primitive(
    reference=lambda x: np.exp(np.linalg.slogdet(x)[1]) * np.linalg.slogdet(x)[0],
    samples=regular,
    kinks=[Kink([[1.0, 2.0], [2.0, 4.0]], value=0.0, grads=[[[4.0, -2.0], [-2.0, 1.0]]])],
)
def _det(input: Any) -> Any:
    return np.linalg.det(input)


@primitive(
    reference=lambda x: np.linalg.det(x)[..., None, None] * np.linalg.inv(x).mT,
    samples=regular,
)
def _cofactors(input: Any) -> Any:
    """The matrix of cofactors, ``det(A) inv(A)'``, also where A is singular.

    From the singular value decomposition: ``det(U) det(V) U P V'``, where P has on its diagonal the products of all
    singular values but one (Stewart, "On the adjugate matrix", 1998).
    """
    u, s, vh = np.linalg.svd(input)
    products = np.where(np.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]).prod(-1)
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vh))
    return (u * (sign[..., None] * products)[..., None, :]) @ vh


_det.defvjp(lambda g, input: g[..., None, None] * _cofactors(input))


def _cofactors_vjp(g: Any, input: Any) -> Any:
    inverse = _inv(input).mT
    along = np.sum(g * inverse, axis=(-2, -1), keepdims=True)
    return _det(input)[..., None, None] * (along * inverse - inverse @ g.mT @ inverse)


_cofactors.defvjp(_cofactors_vjp)


@implements(np.linalg.det)
def det(A: Any) -> Any:  # noqa: N803
    """The determinant of square matrices.

    The gradient is the matrix of cofactors (Giles 2008, 2.2.4, there as ``det(A) inv(A)'``), also where A is singular;
    higher derivatives need a regular matrix.

    >>> import autograd_core as ag
    >>> x = ag.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    >>> ag.det(x).backward()
    >>> x.grad
    tensor([[ 4., -2.],
            [-2.,  1.]])
    """
    square("det", A)
    return _det(floating(A))


@primitive(reference=lambda x: (np.sign(np.linalg.det(x)), np.log(np.abs(np.linalg.det(x)))), samples=regular)
@quiet
def _slogdet(input: Any) -> Any:
    return tuple(np.linalg.slogdet(input))


_slogdet.defvjp(lambda g, input: g[1][..., None, None] * _inv(input).mT)


class SignLogDet(NamedTuple):
    """The sign of a determinant and the logarithm of its absolute value."""

    sign: Any
    logabsdet: Any


@implements(np.linalg.slogdet)
def slogdet(A: Any) -> SignLogDet:  # noqa: N803
    """The sign (-1, 0 or 1) of the determinant, and the logarithm of its absolute value, which does not overflow.

    The gradient of the logarithm is ``inv(A)'`` (Giles 2008, 2.2.4).  A singular matrix gives (0, -inf), and has no
    gradient: the backward pass raises LinAlgError.

    >>> import autograd_core as ag
    >>> ag.slogdet(ag.tensor([[0.0, 1.0], [1.0, 0.0]]))
    SignLogDet(sign=tensor(-1.), logabsdet=tensor(0.))
    """
    square("slogdet", A)
    return SignLogDet(*_slogdet(floating(A)))


def logdet(input: Any) -> Any:
    """The logarithm of the determinant: -inf where that is 0, NaN where it is negative.

    >>> import autograd_core as ag
    >>> ag.logdet(ag.tensor([[2.0, 0.0], [0.0, 2.0]]))
    tensor(1.3863)
    """
    sign, logabsdet = slogdet(input)
    return np.where(sign < 0, np.nan, 1.0) * logabsdet


# Solving equations


def _equations(rng: np.random.Generator) -> list[Sample]:
    def matrix(*sizes: int) -> np.ndarray:
        return rng.normal(size=sizes) + 3 * np.eye(sizes[-1])

    return [
        Sample(matrix(3, 3), rng.normal(size=(3, 2))),
        Sample(matrix(2, 2, 2), rng.normal(size=(2, 2, 1))),
        Sample(matrix(2, 2), rng.normal(size=(4, 2, 3))),
        Sample(matrix(4, 1, 2, 2), rng.normal(size=(3, 2, 1))),
        Sample(np.zeros((0, 0)), np.zeros((0, 2))),
    ]


@primitive(reference=lambda a, b: np.linalg.inv(a) @ b, broadcasts=True, samples=_equations)
def _solve(A: Any, B: Any) -> Any:  # noqa: N803
    try:
        return np.linalg.solve(A, B)
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError("a matrix is singular; use lstsq for the least-squares solution") from error


_solve.defvjp(
    lambda g, out, A: -_solve(A.mT, g) @ out.mT,  # noqa: N803
    lambda g, A: _solve(A.mT, g),  # noqa: N803
)


def is_vector(A: Any, B: Any) -> bool:  # noqa: N803
    """Whether `B` holds vectors rather than matrices, by PyTorch's rule."""
    return ndim(B) == 1 or (ndim(B) == ndim(A) - 1 and shape(B) == shape(A)[:-1])


def solve(A: Any, B: Any, *, left: bool = True) -> Any:  # noqa: N803
    """X with ``A X = B`` (or ``X A = B`` if not `left`), for square A; batch dimensions broadcast.

    Parameters
    ----------
    A : (..., n, n)
    B : (..., n, k), or vectors: (n,), or (..., n) with the batch dimensions of A

    The gradients are ``inv(A)' G`` for B, and ``-(inv(A)' G) X'`` for A (Giles 2008, 2.3.1).

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is singular.

    >>> import autograd_core as ag
    >>> ag.linalg.solve(ag.tensor([[2.0, 0.0], [0.0, 4.0]]), ag.tensor([2.0, 2.0]))
    tensor([1. , 0.5])
    """
    square("solve", A)
    A, B = floating(A), floating(B)  # noqa: N806
    if is_vector(A, B):
        return squeeze(solve(A, unsqueeze(B, -1), left=left), -1)
    if not left:
        return solve(np.swapaxes(A, -1, -2), np.swapaxes(B, -1, -2)).mT
    if ndim(B) == 0 or shape(B)[-2] != shape(A)[-1]:
        raise ValueError(f"solve: A of shape {shape(A)} and B of shape {shape(B)} differ in the number of rows")
    return _solve(A, B)


@implements(np.linalg.solve)
def _numpy_solve(a: Any, b: Any) -> Any:
    return squeeze(solve(a, unsqueeze(b, -1)), -1) if ndim(b) == 1 else solve(a, b)


def _triangles(rng: np.random.Generator) -> list[Sample]:
    a, b = rng.normal(size=(3, 3)) + 3 * np.eye(3), rng.normal(size=(3, 2))
    return [
        Sample(a, b, upper=True, unitriangular=False),
        Sample(a, b, upper=False, unitriangular=False),
        Sample(a, b, upper=False, unitriangular=True),
        Sample(np.stack([a, a.T]), b, upper=True, unitriangular=False),
        Sample(np.zeros((0, 0)), np.zeros((0, 2)), upper=True, unitriangular=False),
    ]


def _triangle(x: Any, upper: bool, unitriangular: bool) -> Any:
    """The part of a matrix that `solve_triangular` reads, zeros elsewhere."""
    keep = np.tri(shape(x)[-1], k=-1 if unitriangular else 0, dtype=bool)
    return np.where(keep.T if upper else keep, x, 0.0)


@primitive(
    reference=lambda a, b, upper, unitriangular: (
        np.linalg.inv(_triangle(a, upper, unitriangular) + unitriangular * np.eye(a.shape[-1])) @ b
    ),
    broadcasts=True,
    samples=_triangles,
)
def _solve_triangular(A: Any, B: Any, *, upper: bool, unitriangular: bool) -> Any:  # noqa: N803
    try:
        if A.ndim == 2 == B.ndim and A.size and B.size:
            return _substituted(A, B, upper, unitriangular)
        return np.linalg.solve(_whole_triangle(A, upper, unitriangular), B)
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError("a diagonal element is 0, so the matrix is singular") from error


def _whole_triangle(A: Any, upper: bool, unitriangular: bool) -> Any:  # noqa: N803
    triangle = np.triu(A) if upper else np.tril(A)
    if unitriangular:
        np.einsum("...ii->...i", triangle)[...] = 1
    return triangle


def _substituted(A: Any, B: Any, upper: bool, unitriangular: bool) -> Any:  # noqa: N803
    """By substitution, if SciPy is there; NumPy factorises the triangle."""
    try:
        from scipy.linalg import solve_triangular
    except ImportError:
        return np.linalg.solve(_whole_triangle(A, upper, unitriangular), B)
    return solve_triangular(A, B, lower=not upper, unit_diagonal=unitriangular, check_finite=False)


def _solve_triangular_transposed(g: Any, A: Any, upper: bool, unitriangular: bool) -> Any:  # noqa: N803
    return _solve_triangular(A.mT, g, upper=not upper, unitriangular=unitriangular)


_solve_triangular.defvjp(
    lambda g, out, A, upper, unitriangular: _triangle(  # noqa: N803
        -_solve_triangular_transposed(g, A, upper, unitriangular) @ out.mT, upper, unitriangular
    ),
    _solve_triangular_transposed,
)


def solve_triangular(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:  # noqa: N803
    """X with ``A X = B`` (or ``X A = B`` if not `left`), reading only one triangle of A; batch dimensions broadcast.

    Parameters
    ----------
    A : (..., n, n)
    B : (..., n, k), or (..., k, n) if not `left`
    upper : whether the upper or the lower triangle is read
    unitriangular : take the diagonal to be ones, without reading it

    Raises
    ------
    numpy.linalg.LinAlgError
        If a diagonal element is 0.

    >>> import autograd_core as ag
    >>> a = ag.tensor([[2.0, 0.0], [1.0, 1.0]])
    >>> ag.linalg.solve_triangular(a, ag.tensor([[2.0], [3.0]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    square("solve_triangular", A)
    A, B = floating(A), floating(B)  # noqa: N806
    if ndim(B) < 2 or shape(B)[-2 if left else -1] != shape(A)[-1]:
        raise ValueError(
            f"solve_triangular: B of shape {shape(B)} does not fit A of shape {shape(A)}; give it as matrices"
        )
    if left:
        return _solve_triangular(A, B, upper=upper, unitriangular=unitriangular)
    return _solve_triangular(A.mT, B.mT, upper=not upper, unitriangular=unitriangular).mT


def cholesky_solve(B: Any, L: Any, upper: bool = False) -> Any:  # noqa: N803
    """X with ``A X = B``, given the Cholesky factor L of A (or its upper factor).

    >>> import autograd_core as ag
    >>> ag.cholesky_solve(ag.tensor([[8.0]]), ag.tensor([[2.0]]))
    tensor([[2.]])
    """
    square("cholesky_solve", L)
    lower = np.swapaxes(floating(L), -1, -2) if upper else floating(L)
    return solve_triangular(lower.mT, solve_triangular(lower, B, upper=False), upper=True)


def cholesky_inverse(L: Any, upper: bool = False) -> Any:  # noqa: N803
    """The inverse of a matrix from its Cholesky factor L (or its upper factor).

    >>> import autograd_core as ag
    >>> ag.cholesky_inverse(ag.tensor([[2.0]]))
    tensor([[0.25]])
    """
    square("cholesky_inverse", L)
    return cholesky_solve(np.eye(shape(L)[-1], dtype=floating(L).dtype), L, upper)


def tensorinv(A: Any, ind: int = 2) -> Any:  # noqa: N803
    """The inverse for :func:`tensordot`: of A as a matrix of its first `ind` dimensions by the others.

    >>> import autograd_core as ag
    >>> ag.linalg.tensorinv(ag.eye(4).reshape(2, 2, 4)).shape
    (4, 2, 2)
    """
    sizes = shape(A)
    rows, columns = sizes[:ind], sizes[ind:]
    if ind < 1 or math.prod(rows) != math.prod(columns):
        raise ValueError(f"tensorinv: the first {ind} sizes of shape {sizes} and the others differ in their product")
    return reshape(inv(reshape(A, (math.prod(rows), -1 if columns else 1))), (*columns, *rows))


def tensorsolve(A: Any, B: Any, dims: Sequence[int] | None = None) -> Any:  # noqa: N803
    """X with ``tensordot(A, X, X.ndim) = B``.

    Parameters
    ----------
    A : its first dimensions are those of B, and the product of the others is the same
    dims : of A, moved to its end before solving

    >>> import autograd_core as ag
    >>> ag.linalg.tensorsolve(ag.eye(4).reshape(2, 2, 4), ag.ones(2, 2))
    tensor([1., 1., 1., 1.])
    """
    if dims is not None:
        A = movedim(A, list(dims), list(range(ndim(A) - len(dims), ndim(A))))  # noqa: N806
    rest = shape(A)[ndim(B) :]
    size = math.prod(rest)
    if math.prod(shape(B)) != size or math.prod(shape(A)) != size * size:
        raise ValueError(f"tensorsolve: shape {shape(A)} of A does not fit shape {shape(B)} of B")
    return reshape(solve(reshape(A, (size, size)), reshape(B, (size,))), rest)


@implements(np.linalg.tensorinv)
def _numpy_tensorinv(a: Any, ind: int = 2) -> Any:
    return tensorinv(a, ind)


@implements(np.linalg.tensorsolve)
def _numpy_tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    return tensorsolve(a, b, axes)
