"""Matrices as products of simpler ones: Cholesky, QR, singular values, eigenvalues.

Every rule is the closed form of the paper that the docstring names, written with differentiable operations.  What the
definition of a factor leaves open (the signs of singular vectors, say) has no derivative; only functions that do not
depend on it have one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..primitive import Sample, implements, primitive
from ..tensor import Tensor, wrap
from .arguments import ndim, shape
from .casting import floating
from .joining import cat
from .solving import _solve_triangular, square

__all__ = ["cholesky", "qr", "svd"]


def matrices(operation: str, input: Any) -> None:
    """Raise unless `input` is a matrix, or a batch of them."""
    if ndim(input) < 2:
        raise ValueError(f"{operation}: expected matrices of shape (..., m, n), got {shape(input)}")


def beside(array: np.ndarray, example: Any) -> Any:
    """The array, as a tensor if `example` is one."""
    return wrap(array) if isinstance(example, Tensor) else array


def symmetric(x: Any) -> Any:
    """The symmetric part of square matrices; exactly `x` where that is symmetric."""
    return (x + np.swapaxes(x, -1, -2)) / 2


def _quotient(numerator: Any, denominator: Any) -> Any:
    """``numerator / denominator``, but 0/0 is 0: no gradient came through what has no derivative there."""
    return numerator / np.where((numerator == 0) & (denominator == 0), 1.0, denominator)


def _differences(x: Any) -> Any:
    """``x[j] - x[i]`` at (i, j), and 1 on the diagonal."""
    return x[..., None, :] - x[..., :, None] + np.eye(x.shape[-1], dtype=x.dtype)


def _first_columns(g: Any, q: Any, k: int) -> tuple[Any, Any]:
    """The first `k` columns of an orthogonal matrix, with the gradient of them and of the columns that complete them.

    These follow: ``dQ2 = -Q1 dQ1' Q2``, up to a rotation among themselves, which their definition leaves open.
    """
    if q.shape[-1] == k:
        return g, q
    first, rest = q[..., :k], q[..., k:]
    return g[..., :k] - rest @ (g[..., k:].mT @ first), first


# Cholesky


def _positive_definite(rng: np.random.Generator) -> list[Sample]:
    def draw(*sizes: int) -> np.ndarray:
        x = rng.normal(size=sizes)
        return x @ x.mT + np.eye(sizes[-1])

    return [
        Sample(draw(3, 3)),
        Sample(draw(2, 2, 2)),
        Sample(draw(1, 1)),
        Sample(np.zeros((0, 2, 2))),
        Sample(np.zeros((0, 0))),
    ]


def _elimination(a: np.ndarray) -> np.ndarray:
    """Cholesky's factor by Gaussian elimination without pivots: to compare with."""
    a = np.array(a)
    for k in range(a.shape[-1]):
        a[..., k:, k] /= np.sqrt(a[..., k, k])[..., None]
        a[..., k, k + 1 :] = 0
        a[..., k + 1 :, k + 1 :] -= a[..., k + 1 :, k, None] * a[..., None, k + 1 :, k]
    return a


@primitive(reference=_elimination, samples=_positive_definite)
def _cholesky(A: Any) -> Any:  # noqa: N803
    try:
        return np.linalg.cholesky(symmetric(A))
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError(
            "a matrix is not positive definite; add a small multiple of the identity, or use eigh"
        ) from error


def _cholesky_vjp(g: Any, out: Any) -> Any:
    n = out.shape[-1]
    half = np.tri(n, dtype=out.dtype) - 0.5 * np.eye(n, dtype=out.dtype)
    upper = out.mT
    inner = _solve_triangular(upper, half * (upper @ g), upper=True, unitriangular=False)
    return symmetric(_solve_triangular(upper, inner.mT, upper=True, unitriangular=False))


_cholesky.defvjp(_cholesky_vjp)


def linalg_cholesky(A: Any, *, upper: bool = False) -> Any:  # noqa: N803
    """The lower triangular L with ``A = L L'`` for symmetric positive definite A (or L' if `upper`); batches too.

    The symmetric part of A is taken, so its gradient is symmetric: that part of ``inv(L)' P inv(L)``, where P is the
    lower triangle of ``L' G`` with its diagonal halved (Murray, "Differentiation of the Cholesky decomposition", 2016).

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is not positive definite.

    >>> import autograd_core as ag
    >>> ag.linalg.cholesky(ag.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    square("cholesky", A)
    lower = _cholesky(floating(A))
    return lower.mT if upper else lower


@implements(np.linalg.cholesky)
def cholesky(input: Any, upper: bool = False) -> Any:
    """As ``linalg.cholesky``.

    >>> import autograd_core as ag
    >>> ag.cholesky(ag.tensor([[4.0]]))
    tensor([[2.]])
    """
    return linalg_cholesky(input, upper=upper)


# QR


class QR(NamedTuple):
    """Orthonormal columns, and an upper triangle."""

    Q: Any
    R: Any


def _tall(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.normal(size=(3, 3)) + 3 * np.eye(3), complete=False),
        Sample(rng.normal(size=(2, 4, 2)), complete=False),
        Sample(rng.normal(size=(3, 2)), complete=True),
        Sample(np.zeros((0, 3, 2)), complete=False),
        Sample(np.zeros((3, 0)), complete=False),
    ]


def _qr_by_cholesky(a: np.ndarray, complete: bool) -> tuple[np.ndarray, np.ndarray]:
    """QR from the Cholesky factor of A'A, with LAPACK's signs: to compare with."""
    signs = np.sign(np.diagonal(np.linalg.qr(a)[1], axis1=-2, axis2=-1))[..., None]
    r = signs * np.linalg.cholesky(a.mT @ a).mT
    q = a @ np.linalg.inv(r)
    if complete:
        normal = np.cross(q[..., 0], q[..., 1])[..., None]
        normal *= np.sign(np.sum(normal * np.linalg.qr(a, "complete")[0][..., 2:]))
        q, r = np.concatenate([q, normal], axis=-1), np.concatenate([r, np.zeros((1, 2))])
    return q, r


@primitive(reference=_qr_by_cholesky, samples=_tall)
def _qr(A: Any, *, complete: bool) -> Any:  # noqa: N803
    return tuple(np.linalg.qr(A, "complete" if complete else "reduced"))


def _qr_vjp(g: Any, out: Any) -> Any:
    (gq, gr), (q, r) = g, out
    n = r.shape[-1]
    gq, q = _first_columns(gq, q, n)
    gr, r = gr[..., :n, :], r[..., :n, :]
    m = r @ gr.mT - gq.mT @ q
    total = gq + q @ np.where(np.tri(n, dtype=bool), m, m.mT)
    return _solve_triangular(r, total.mT, upper=True, unitriangular=False).mT


_qr.defvjp(_qr_vjp)


def linalg_qr(A: Any, mode: str = "reduced") -> QR:  # noqa: N803
    """``A = Q R`` with orthonormal columns Q and R upper triangular, for A of shape (..., m, n).

    Parameters
    ----------
    mode : "reduced" (Q has ``min(m, n)`` columns), "complete" (m), or "r" (R alone; Q is empty)

    With ``M = R Gr' - Gq' Q``, and C the symmetric matrix with the lower triangle of M, the gradient is
    ``(Gq + Q C) inv(R)'`` (Seeger, Hetzel, Dai, Meissner, Lawrence, "Auto-differentiating linear algebra", 2017, there
    for LQ).  The first ``min(m, n)`` columns of A must be linearly independent; the backward pass raises LinAlgError
    otherwise.

    >>> import autograd_core as ag
    >>> q, r = ag.linalg.qr(ag.tensor([[0.0, 2.0], [1.0, 3.0]]))
    >>> ag.allclose(q @ r, ag.tensor([[0.0, 2.0], [1.0, 3.0]]))
    True
    """
    matrices("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"qr: mode must be 'reduced', 'complete' or 'r', got {mode!r}")
    A = floating(A)  # noqa: N806
    rows, columns = shape(A)[-2:]
    if rows >= columns:
        q, r = _qr(A, complete=mode == "complete")
    else:
        q, r = _qr(A[..., :rows], complete=False)
        r = cat([r, q.mT @ A[..., rows:]], -1)
    return QR(beside(np.zeros(0, A.dtype), A) if mode == "r" else q, r)


def qr(input: Any, some: bool = True) -> QR:
    """As ``linalg.qr``, complete if not `some`.

    >>> import autograd_core as ag
    >>> ag.qr(ag.ones(3, 1), some=False).Q.shape
    (3, 3)
    """
    return linalg_qr(input, "reduced" if some else "complete")


@implements(np.linalg.qr)
def _numpy_qr(a: Any, mode: str = "reduced") -> Any:
    return linalg_qr(a, mode).R if mode == "r" else linalg_qr(a, mode)


# Singular values


class SVD(NamedTuple):
    """Left singular vectors, singular values in decreasing order, right singular vectors as rows."""

    U: Any
    S: Any
    Vh: Any


class TransposedSVD(NamedTuple):
    """Left singular vectors, singular values in decreasing order, right singular vectors as columns."""

    U: Any
    S: Any
    V: Any


def _of_distinct_values(rng: np.random.Generator) -> list[Sample]:
    draw = rng.normal
    return [
        Sample(draw(size=(3, 3)) + np.diag([3.0, 6.0, 9.0]), full_matrices=False),
        Sample(draw(size=(2, 3, 2)), full_matrices=False),
        Sample(draw(size=(2, 4)), full_matrices=False),
        Sample(draw(size=(3, 2)), full_matrices=True),
        Sample(draw(size=(2, 3)), full_matrices=True),
        Sample(np.zeros((0, 3, 2)), full_matrices=False),
        Sample(np.zeros((3, 0)), full_matrices=False),
    ]


def _svd_by_eigh(a: np.ndarray, full_matrices: bool) -> tuple[np.ndarray, ...]:
    """Singular values and vectors from the eigenvalues of A A' and A' A, with LAPACK's signs: to compare with."""
    u, s, vh = np.linalg.svd(a, full_matrices)
    k = s.shape[-1]
    if not a.size:
        return u, s, vh
    left = np.linalg.eigh(a @ a.mT)[1][..., ::-1][..., : u.shape[-1]]
    right = np.linalg.eigh(a.mT @ a)[1][..., ::-1][..., : vh.shape[-2]]
    left = left * np.sign(np.sum(left * u, axis=-2, keepdims=True))
    right = right * np.sign(np.sum(right * vh.mT, axis=-2, keepdims=True))
    return left, np.sum((left.mT @ a)[..., :k, :] * right.mT[..., :k, :], axis=-1), right.mT


@primitive(reference=_svd_by_eigh, samples=_of_distinct_values)
def _svd(A: Any, *, full_matrices: bool) -> Any:  # noqa: N803
    return tuple(np.linalg.svd(A, full_matrices))


def _svd_vjp(g: Any, out: Any) -> Any:
    (gu, gs, gvh), (u, s, vh) = g, out
    k = s.shape[-1]
    gu, u = _first_columns(gu, u, k)
    gv, v = _first_columns(gvh.mT, vh.mT, k)
    sums = s[..., None, :] + s[..., :, None]
    gaps = _differences(s) * np.where(np.eye(k, dtype=bool), 1.0, sums)
    turn_u, turn_v = u.mT @ gu, v.mT @ gv
    turn_u, turn_v = _quotient(turn_u - turn_u.mT, gaps), _quotient(turn_v - turn_v.mT, gaps)
    stretch = np.eye(k, dtype=s.dtype) * gs[..., None, :]
    result = u @ (turn_u * s[..., None, :] + s[..., :, None] * turn_v + stretch) @ v.mT
    if u.shape[-2] > k:
        result = result + _quotient(gu - u @ (u.mT @ gu), s[..., None, :]) @ v.mT
    if v.shape[-2] > k:
        result = result + u @ _quotient(gv - v @ (v.mT @ gv), s[..., None, :]).mT
    return result


_svd.defvjp(_svd_vjp)


def linalg_svd(A: Any, full_matrices: bool = True) -> SVD:  # noqa: N803
    """``A = U diag(S) Vh``, with orthonormal columns U and rows Vh, and the singular values S in decreasing order.

    Parameters
    ----------
    A : (..., m, n)
    full_matrices : U of shape (..., m, m) and Vh of (..., n, n), rather than ``min(m, n)`` columns and rows

    The gradient is that of Townsend, "Differentiating the singular value decomposition" (2016).  It divides by
    ``S[i]**2 - S[j]**2``: where singular values are equal, singular vectors have no derivative, and a gradient that
    comes through them is NaN or infinite, as it is for a non-square matrix where one is 0.  A gradient that comes
    through the values alone is always finite.  Functions of U and Vh that depend on the signs of their columns and
    rows, or on the choice of the basis that completes them, have no meaningful gradient.

    >>> import autograd_core as ag
    >>> ag.linalg.svd(ag.tensor([[0.0, 2.0], [1.0, 0.0]])).S
    tensor([2., 1.])
    """
    matrices("svd", A)
    return SVD(*_svd(floating(A), full_matrices=full_matrices))


def svdvals(A: Any) -> Any:  # noqa: N803
    """The singular values of matrices, in decreasing order; the gradient is ``U diag(G) Vh``, always finite.

    >>> import autograd_core as ag
    >>> ag.linalg.svdvals(ag.tensor([[0.0, 2.0], [1.0, 0.0]]))
    tensor([2., 1.])
    """
    return linalg_svd(A, full_matrices=False).S


def svd(input: Any, some: bool = True, compute_uv: bool = True) -> TransposedSVD:
    """As ``linalg.svd``, but with V rather than its transpose.

    Parameters
    ----------
    some : leave out the columns that complete U and V to square matrices
    compute_uv : else U and V are zeros

    >>> import autograd_core as ag
    >>> ag.svd(ag.ones(3, 2)).V.shape
    (2, 2)
    """
    u, s, vh = linalg_svd(input, full_matrices=compute_uv and not some)
    if not compute_uv:
        u, vh = (beside(np.zeros((*shape(s)[:-1], n, n), s.dtype), s) for n in shape(input)[-2:])
    return TransposedSVD(u, s, vh.mT)


@implements(np.linalg.svd)
def _numpy_svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    return linalg_svd(a, full_matrices) if compute_uv else svdvals(a)


@implements(np.linalg.svdvals)
def _numpy_svdvals(x: Any) -> Any:
    return svdvals(x)


# Eigenvalues


class Eigen(NamedTuple):
    """Eigenvalues in increasing order, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


def _symmetric_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.normal(size=(3, 3)) + np.diag([0.0, 5.0, 9.0])),
        Sample(rng.normal(size=(2, 2, 2)) + np.diag([0.0, 5.0])),
        Sample(np.full((1, 1), 2.0)),
        Sample(np.zeros((0, 2, 2))),
        Sample(np.zeros((0, 0))),
    ]


def _eigh_by_svd(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues as singular values of a matrix made positive by a shift, with LAPACK's signs: to compare with."""
    a = (a + a.mT) / 2
    shift = np.abs(a).sum()
    u, s, _ = np.linalg.svd(a + shift * np.eye(a.shape[-1]))
    u = u[..., ::-1]
    return s[..., ::-1] - shift, u * np.sign(np.sum(u * np.linalg.eigh(a)[1], axis=-2, keepdims=True))


@primitive(reference=_eigh_by_svd, samples=_symmetric_samples)
def _eigh(A: Any) -> Any:  # noqa: N803
    return tuple(np.linalg.eigh(symmetric(A)))


def _eigh_vjp(g: Any, out: Any) -> Any:
    (gw, gv), (w, v) = g, out
    turn = v.mT @ gv
    inner = 0.5 * _quotient(turn - turn.mT, _differences(w)) + np.eye(w.shape[-1], dtype=w.dtype) * gw[..., None, :]
    return v @ inner @ v.mT


_eigh.defvjp(_eigh_vjp)


def eigh(A: Any, UPLO: str | None = None) -> Eigen:  # noqa: N803
    """``A V = V diag(w)``: the eigenvalues w of symmetric matrices in increasing order, with orthonormal columns V.

    Parameters
    ----------
    UPLO : None, "L" or "U"
        By default the symmetric part of A is taken, so its gradient is symmetric.  "L" reads only the lower triangle,
        "U" the upper, and the gradient is in that triangle alone.

    The gradient is the symmetric part of ``V (diag(Gw) + (V' Gv) / (w[j] - w[i])) V'`` (Giles, "An extended collection
    of matrix derivative results", 2008, section 3.1).  Where eigenvalues are equal, eigenvectors have no derivative,
    and a gradient that comes through them is NaN or infinite; one through the values alone is always finite.

    >>> import autograd_core as ag
    >>> ag.linalg.eigh(ag.tensor([[2.0, 1.0], [1.0, 2.0]])).eigenvalues
    tensor([1., 3.])
    """
    square("eigh", A)
    A = floating(A)  # noqa: N806
    if UPLO is not None:
        if UPLO not in ("L", "U"):
            raise ValueError(f"eigh: UPLO must be 'L', 'U' or None, got {UPLO!r}")
        lower = np.tri(shape(A)[-1], dtype=bool)
        A = np.where(lower if UPLO == "L" else lower.T, A, np.swapaxes(A, -1, -2))  # noqa: N806
    return Eigen(*_eigh(A))


def eigvalsh(A: Any, UPLO: str | None = None) -> Any:  # noqa: N803
    """The eigenvalues of symmetric matrices, in increasing order; see :func:`eigh`.

    >>> import autograd_core as ag
    >>> ag.linalg.eigvalsh(ag.tensor([[2.0, 1.0], [1.0, 2.0]]))
    tensor([1., 3.])
    """
    return eigh(A, UPLO).eigenvalues


@implements(np.linalg.eigh)
def _numpy_eigh(a: Any, UPLO: str | None = None) -> Eigen:  # noqa: N803
    return eigh(a, UPLO)


@implements(np.linalg.eigvalsh)
def _numpy_eigvalsh(a: Any, UPLO: str | None = None) -> Any:  # noqa: N803
    return eigvalsh(a, UPLO)
