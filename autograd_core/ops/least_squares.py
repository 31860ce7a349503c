"""What solves equations that have no solution, or many: the pseudo-inverse, least squares, and the rank."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..primitive import Sample, implements, primitive
from .arguments import ndim, shape
from .casting import cast, floating
from .decompositions import matrices, svdvals, symmetric
from .reduction import sum
from .shape import reshape, squeeze, unsqueeze
from .solving import is_vector

__all__ = ["pinverse"]


def _samples(rng: np.random.Generator) -> list[Sample]:
    rtol, draw = np.array(1e-10), rng.normal
    return [
        Sample(draw(size=(3, 2)), np.array(0.0), rtol),
        Sample(draw(size=(2, 2, 3)), np.array(0.0), rtol),
        Sample(draw(size=(2, 2, 2)) + 3 * np.eye(2), np.zeros(2), rtol),
        Sample(np.zeros((2, 3)), np.array(1.0), rtol),  # all is cut off
        Sample(np.zeros((0, 2, 3)), np.array(0.0), rtol),
        Sample(np.zeros((3, 0)), np.array(0.0), rtol),
    ]


@primitive(reference=lambda a, atol, rtol: np.linalg.pinv(a, rtol=1e-10), samples=_samples)
def _pinv(A: Any, atol: Any, rtol: Any) -> Any:  # noqa: N803
    u, s, vh = np.linalg.svd(A, full_matrices=False)
    largest = np.max(s, axis=-1, keepdims=True, initial=0)
    cutoff = np.maximum(np.asarray(atol)[..., None], np.asarray(rtol)[..., None] * largest)
    kept = s > cutoff
    return vh.mT @ (np.where(kept, 1 / np.where(kept, s, 1), 0).astype(s.dtype)[..., None] * u.mT)


def _pinv_vjp(g: Any, out: Any, A: Any) -> Any:  # noqa: N803
    p, pt, gt = out, out.mT, g.mT
    off_range = gt @ p - A @ (p @ (gt @ p))
    off_null = p @ gt - ((p @ gt) @ p) @ A
    return -pt @ g @ pt + off_range @ pt + pt @ off_null


_pinv.defvjp(_pinv_vjp, None, None)


def _tolerances(input: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """PyTorch's defaults: relative to the largest singular value, ``max(m, n)`` roundings, unless `atol` is given."""
    if rtol is None:
        rtol = max(shape(input)[-2:]) * np.finfo(input.dtype).eps if atol is None else 0.0
    return (0.0 if atol is None else atol), rtol


def pinv(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:  # noqa: N803
    """The Moore-Penrose pseudo-inverse of matrices (..., m, n).

    Singular values up to ``max(atol, rtol * largest)`` are taken for 0.  The gradient is that of Golub, Pereyra, "The
    differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate" (1973), equation
    4.12; it holds while the rank does not change.

    Parameters
    ----------
    atol, rtol : float or tensor of the batch's shape
        By default rtol is ``max(m, n)`` times the rounding error of the dtype, and atol 0.
    hermitian : take the symmetric part of A

    >>> import autograd_core as ag
    >>> ag.linalg.pinv(ag.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5, 0. ],
            [0. , 0. ]])
    """
    matrices("pinv", A)
    A = symmetric(floating(A)) if hermitian else floating(A)  # noqa: N806
    atol, rtol = _tolerances(A, atol, rtol)
    return _pinv(A, np.asarray(atol), np.asarray(rtol))


def pinverse(input: Any, rcond: Any = 1e-15) -> Any:
    """The pseudo-inverse, as ``linalg.pinv`` with `rcond` for the relative tolerance.

    >>> import autograd_core as ag
    >>> ag.pinverse(ag.tensor([[2.0], [0.0]]))
    tensor([[0.5, 0. ]])
    """
    return pinv(input, rtol=rcond)


@implements(np.linalg.pinv)
def _numpy_pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    return pinv(a, rtol=rcond if rtol is None else rtol, hermitian=hermitian)


@implements(np.linalg.matrix_rank)
def _numpy_matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:  # noqa: N803
    return matrix_rank(A, atol=tol, rtol=rtol, hermitian=hermitian)


def matrix_rank(input: Any, tol: Any = None, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """The number of singular values above ``max(atol, rtol * largest)``; for the defaults see :func:`pinv`.

    >>> import autograd_core as ag
    >>> ag.linalg.matrix_rank(ag.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    matrices("matrix_rank", input)
    input = symmetric(floating(input)) if hermitian else floating(input)
    atol, rtol = _tolerances(input, tol if atol is None else atol, rtol)
    s = svdvals(input)
    if not shape(s)[-1]:
        return cast(sum(s, -1), np.int64)
    return sum(s > unsqueeze(np.maximum(atol, rtol * s[..., 0]), -1), -1)


class LeastSquares(NamedTuple):
    """A least-squares solution, its squared residuals, the rank and the singular values of the matrix."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


def lstsq(A: Any, B: Any, rcond: Any = None, *, driver: str | None = None) -> LeastSquares:  # noqa: N803
    """X that minimises ``|A X - B|``, and of all such X the smallest: ``pinv(A) @ B``.

    Parameters
    ----------
    A : (..., m, n)
    B : (..., m, k), or vectors: (m,), or (..., m) with the batch dimensions of A
    rcond : singular values up to this times the largest are taken for 0; ``max(m, n)`` roundings by default
    driver : PyTorch's choice of an algorithm; it decides only what is computed besides the solution.  None: residuals
        and rank; "gels": residuals; "gelsy": rank; "gelsd" and "gelss": all

    Returns
    -------
    LeastSquares
        solution (..., n, k); residuals (..., k), the squared norms of the columns of ``A X - B``, if m > n; rank (...);
        singular_values (..., min(m, n)).  What is not computed is empty.

    >>> import autograd_core as ag
    >>> a = ag.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> ag.linalg.lstsq(a, ag.tensor([[1.0], [3.0], [5.0]])).solution
    tensor([[1.],
            [2.]])
    """
    matrices("lstsq", A)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ValueError(f"lstsq: driver must be 'gels', 'gelsy', 'gelsd' or 'gelss', got {driver!r}")
    A, B = floating(A), floating(B)  # noqa: N806
    if is_vector(A, B):
        found = lstsq(A, unsqueeze(B, -1), rcond, driver=driver)
        return found._replace(solution=squeeze(found.solution, -1))
    if ndim(B) == 0 or shape(B)[-2] != shape(A)[-2]:
        raise ValueError(f"lstsq: A of shape {shape(A)} and B of shape {shape(B)} differ in the number of rows")
    solution = pinv(A, rtol=rcond) @ B
    rows, columns = shape(A)[-2:]
    nothing = reshape(solution, (-1,))[:0]
    return LeastSquares(
        solution,
        sum((A @ solution - B) ** 2, -2) if rows > columns and driver != "gelsy" else nothing,
        cast(nothing, np.int64) if driver == "gels" else matrix_rank(A, rtol=rcond),
        svdvals(A) if driver in ("gelsd", "gelss") else nothing,
    )


@implements(np.linalg.lstsq)
def _numpy_lstsq(a: Any, b: Any, rcond: Any = None) -> LeastSquares:
    found = lstsq(a, unsqueeze(b, -1) if ndim(b) == 1 else b, rcond, driver="gelsd")
    return found._replace(solution=squeeze(found.solution, -1)) if ndim(b) == 1 else found
