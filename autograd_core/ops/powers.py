"""Powers of square matrices, and the exponential."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive, quiet
from .arguments import shape
from .casting import floating
from .selection import where
from .solving import inv, square

__all__ = ["matrix_exp", "matrix_power"]

# The coefficients of the [13/13] Padé approximant of exp, and the 1-norm up to which it is exact to double rounding.
PADE = [math.factorial(26 - k) * math.comb(13, k) // math.factorial(13) for k in range(14)]
LARGEST = 5.371920351148152


@implements(np.linalg.matrix_power)
def matrix_power(input: Any, n: int) -> Any:
    """A square matrix multiplied `n` times, by repeated squaring; with `n` negative, its inverse.  Batches too.

    Raises
    ------
    numpy.linalg.LinAlgError
        If `n` is negative and the matrix is singular.

    >>> import autograd_core as ag
    >>> ag.matrix_power(ag.tensor([[1.0, 1.0], [0.0, 1.0]]), 10)
    tensor([[ 1., 10.],
            [ 0.,  1.]])
    """
    n = operator.index(n)
    square("matrix_power", input)
    if n < 0:
        input, n = inv(input), -n
    result = None
    while n:
        if n & 1:
            result = input if result is None else result @ input
        n >>= 1
        if n:
            input = input @ input
    return where(False, input, np.eye(shape(input)[-1], dtype=bool)) if result is None else result


@primitive(
    reference=lambda x: np.sum([np.linalg.matrix_power(x, n) / math.factorial(n) for n in range(40)], axis=0),
    samples=lambda rng: [
        Sample(rng.normal(size=(3, 3))),
        Sample(rng.normal(size=(2, 2, 2))),
        Sample(rng.normal(size=(1, 1))),
        Sample(np.zeros((2, 2))),
        Sample(np.zeros((0, 2, 2))),
        Sample(np.zeros((0, 0))),
    ],
)
@quiet
def _matrix_exp(input: Any) -> Any:
    size = np.sum(np.absolute(input), axis=-2).max(axis=-1, initial=0)
    halvings = np.ceil(np.log2(np.where(size < np.inf, size, 0) / LARGEST))  # of what is not finite it does not matter
    halvings = np.maximum(halvings, 0).astype(int)
    a = input / (2.0 ** halvings[..., None, None]).astype(input.dtype)
    a2 = a @ a
    a4 = a2 @ a2
    powers = [np.eye(a.shape[-1], dtype=a.dtype), a2, a4, a2 @ a4]

    def every_second(first: int) -> Any:
        low, high = PADE[first:8:2], PADE[first + 8 :: 2]
        above = sum(c * x for c, x in zip(high, powers[1:], strict=True))
        return powers[3] @ above + sum(c * x for c, x in zip(low, powers, strict=True))

    even, odd = every_second(0), a @ every_second(1)
    out = np.linalg.solve(even - odd, even + odd)
    for n in range(halvings.max(initial=0)):
        out = np.where(halvings[..., None, None] > n, out @ out, out)
    return out


def _matrix_exp_vjp(g: Any, input: Any) -> Any:
    """The derivative in a direction is a block of the exponential of a matrix of twice the size."""
    n = input.shape[-1]
    a = input.mT
    above = np.concatenate([a, g], axis=-1)
    below = np.concatenate([np.zeros(input.shape, g.dtype), a], axis=-1)
    return _matrix_exp(np.concatenate([above, below], axis=-2))[..., :n, n:]


_matrix_exp.defvjp(_matrix_exp_vjp)


def matrix_exp(input: Any) -> Any:
    """The exponential of square matrices, ``sum(A**n / n!)``.

    A is halved until its 1-norm is below 5.4; there a quotient of polynomials of degree 13 is exact to rounding, which
    is then squared as often (Higham, "The scaling and squaring method for the matrix exponential revisited", 2005).
    The gradient is the Fréchet derivative at the transpose, the upper right block of ``exp([[A', G], [0, A']])``
    (Al-Mohy, Higham, "Computing the Fréchet derivative of the matrix exponential", 2009).

    >>> import autograd_core as ag
    >>> ag.matrix_exp(ag.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    square("matrix_exp", input)
    return _matrix_exp(floating(input))
