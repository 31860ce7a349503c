"""Special functions, elementwise; what NumPy lacks comes from SciPy, loaded on first use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import Kink, primitive, quiet
from .rounding import integral

inf, nan = np.inf, np.nan

__all__ = [
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "lgamma",
    "polygamma",
    "xlogy",
]

_SQRT_PI = math.sqrt(math.pi)


def _scipy(operation: str, function: str, x: Any, *before: Any) -> Any:
    """SciPy's special `function` of `x`, in the dtype of `x`.

    Raises
    ------
    ImportError
        If SciPy is not installed, except for what Python's math has too.
    """
    x = np.asarray(x)
    try:
        from scipy import special
    except ImportError as error:
        if not hasattr(math, function):
            raise ImportError(
                f"{operation}: needs SciPy, which is not installed; run 'pip install scipy'", name="scipy"
            ) from error
        out = np.vectorize(getattr(math, function), otypes="d")(x)
    else:
        out = np.asarray(getattr(special, function)(*before, x))
    return out.astype(x.dtype, copy=False) if x.dtype.kind == "f" else out


@primitive(
    reference=np.vectorize(math.erf, otypes="d"),
    elementwise=True,
    kinks=[Kink([inf, -inf, 0.0], value=[1.0, -1.0, 0.0], grads=[[0.0, 0.0, 2 / _SQRT_PI]])],
)
def erf(input: Any) -> Any:
    """The error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t**2)`` from 0 to the input.

    >>> import autograd_core as ag
    >>> ag.erf(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.8427])
    """
    return _scipy("erf", "erf", input)


erf.defvjp(lambda g, input: g * (2 / _SQRT_PI * np.exp(-input * input)))


@primitive(
    reference=np.vectorize(math.erfc, otypes="d"),
    elementwise=True,
    kinks=[Kink([inf, -inf, 0.0], value=[0.0, 2.0, 1.0], grads=[[0.0, 0.0, -2 / _SQRT_PI]])],
)
def erfc(input: Any) -> Any:
    """``1 - erf(input)``, accurate where that is small.

    >>> import autograd_core as ag
    >>> ag.erfc(ag.tensor([0.0, 5.0]))
    tensor([1.0000e+00, 1.5375e-12])
    """
    return _scipy("erfc", "erfc", input)


erfc.defvjp(lambda g, input: g * (-2 / _SQRT_PI * np.exp(-input * input)))


def _from_quantiles(y: Any) -> Any:
    """The inverse of erf by the standard library's quantiles of the normal distribution."""
    from statistics import NormalDist

    return np.vectorize(NormalDist().inv_cdf, otypes="d")((y + 1) / 2) / math.sqrt(2)


@primitive(
    reference=_from_quantiles,
    elementwise=True,
    domains=((0.2, 0.8),),
    kinks=[Kink([1.0, -1.0, 2.0], value=[inf, -inf, nan], grads=[[inf, inf, nan]])],
)
@quiet
def erfinv(input: Any) -> Any:
    """The inverse of :func:`erf`; infinite at -1 and 1 with gradient inf, NaN outside.  Needs SciPy.

    >>> import autograd_core as ag
    >>> ag.erfinv(ag.tensor([0.0, 0.8427008]))
    tensor([0., 1.])
    """
    return _scipy("erfinv", "erfinv", input)


erfinv.defvjp(lambda g, out: g * (_SQRT_PI / 2 * np.exp(out * out)))


# Products with a gate, where a closed gate wins over an infinity.


@primitive(
    reference=np.multiply,
    elementwise=True,
    kinks=[
        Kink(-inf, 0.0, value=0.0, grads=[0.0, -1e30]),
        Kink(inf, 1.0, value=inf, grads=[1.0, 1e30]),
        Kink(nan, 0.0, value=0.0, grads=[0.0, nan]),
    ],
)
@quiet
def _gated(input: Any, gate: Any) -> Any:
    """``input * gate``, and 0 where the gate is, whatever the input; broadcast.

    To the gate's gradient an infinity is as good as 1e30: the gate is a function of the same input, and its slope is 0
    there, which must not meet an infinity.
    """
    if not np.isfinite(input).all():
        input = np.where(np.equal(gate, 0), 0.0, input)
    return np.multiply(input, gate)


_gated.defvjp(
    lambda g, gate: g * gate,
    lambda g, input: g * np.clip(input, -1e30, 1e30),
)


# The share of the normal distribution below a value, the gate of GELU.

_NDTR = (0.13821381, 0.13854894, 0.11814347, 0.1093962, -0.03198792, 0.1770081, -0.26497948, 0.14408582, -0.02842896)
"""``exp(z**2) erfc(z) / 2`` is u times this polynomial in u, with ``u = 1 / (1 + 0.49 z)``, within 2.6e-8 (z >= 0)."""

_BLOCK = 1 << 15
"""So many elements of float32, and what is computed with them, stay in a processor's cache."""


def _ndtr32(input: Any) -> Any:
    """The share of float32: half of erfc of ``|x| / sqrt(2)``, or 1 less that; a tenth of the time of SciPy's.

    Within 7 units in the last place, and ``x**2 / 2`` more of them at a negative x, from the rounding of the square.
    """
    flat = input.reshape(-1)
    out = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):
        x, tail = flat[start : start + _BLOCK], out[start : start + _BLOCK]
        u = np.abs(x)
        u *= 0.49 * math.sqrt(0.5)
        u += 1.0
        np.divide(1.0, u, u)
        np.multiply(u, _NDTR[-1], tail)
        for coefficient in _NDTR[-2::-1]:
            tail += coefficient
            tail *= u
        bell = np.multiply(x, x, u)
        bell *= -0.5
        np.exp(bell, bell)
        tail *= bell
        tail -= x > 0
        np.abs(tail, tail)
    return out.reshape(input.shape)


@primitive(
    reference=lambda x: np.vectorize(math.erfc, otypes="d")(-x * math.sqrt(0.5)) / 2,
    elementwise=True,
    kinks=[Kink([inf, -inf, 0.0], value=[1.0, 0.0, 0.5], grads=[[0.0, 0.0, 1 / math.sqrt(2 * math.pi)]])],
)
@quiet
def _ndtr(input: Any) -> Any:
    """``P(Z <= input)`` for Z of the standard normal distribution: ``erfc(-input / sqrt(2)) / 2``."""
    if getattr(input, "dtype", None) == np.float32:
        return _ndtr32(input)
    return _scipy("ndtr", "erfc", np.multiply(input, -math.sqrt(0.5))) * 0.5


@primitive(
    reference=lambda x: np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi),
    elementwise=True,
    kinks=[Kink([inf, -inf, 0.0], value=[0.0, 0.0, 1 / math.sqrt(2 * math.pi)], grads=[[0.0, 0.0, 0.0]])],
)
@quiet
def _normal_density(input: Any) -> Any:
    """The derivative of the share: ``exp(-input**2 / 2) / sqrt(2 pi)``."""
    out = np.asarray(-0.5 * input)
    out *= input
    np.exp(out, out=out)
    out *= 1 / math.sqrt(2 * math.pi)
    return out


_ndtr.defvjp(lambda g, input: g * _normal_density(input))
_normal_density.defvjp(lambda g, input, out: g * _gated(-input, out))


# The gamma function's family: each derivative is the next.


@primitive(
    reference=np.vectorize(math.lgamma, otypes="d"),
    elementwise=True,
    domains=((2.5, 4.0),),
    kinks=[Kink([0.0, -1.0, inf], value=[inf, inf, inf], grads=[None])],
)
@quiet
def lgamma(input: Any) -> Any:
    """``log(|gamma(input)|)``; inf at 0 and the negative integers; gradient :func:`digamma`.  Needs SciPy.

    >>> import autograd_core as ag
    >>> ag.lgamma(ag.tensor([1.0, 5.0]))
    tensor([0.    , 3.1781])
    """
    return _scipy("lgamma", "gammaln", input)


def _by_shifting(x: Any, n: int = 0) -> Any:
    """The derivative n + 1 of log(gamma), by recurrence to x + 20 and Stirling's series there (DLMF 5.11.2, 5.15.8)."""
    z, sign = x + 20.0, (-1) ** (n + 1)
    out = np.log(z) if n == 0 else sign * math.factorial(n - 1) / z**n
    out = out + sign * math.factorial(n) / (2 * z ** (n + 1))
    for k, bernoulli in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66), 1):
        out = out + sign * bernoulli * math.factorial(2 * k + n - 1) / math.factorial(2 * k) / z ** (2 * k + n)
    return out + sum(sign * math.factorial(n) / (x + j) ** (n + 1) for j in range(20))


@primitive(
    reference=_by_shifting,
    elementwise=True,
    domains=((2.0, 4.0),),
    kinks=[Kink([0.0, -1.0], value=[-inf, nan], grads=[None])],
)
@quiet
def digamma(input: Any) -> Any:
    """The derivative of :func:`lgamma`; -inf at 0 and NaN at the negative integers.  Needs SciPy.

    >>> import autograd_core as ag
    >>> ag.digamma(ag.tensor([1.0, 2.0]))
    tensor([-0.5772,  0.4228])
    """
    return _scipy("digamma", "psi", input)


@primitive(
    reference=lambda n, x: np.where(n, _by_shifting(x, 1), _by_shifting(x, 0)),
    elementwise=True,
    domains=(bool, (2.0, 4.0)),
)
@quiet
def polygamma(n: Any, input: Any) -> Any:
    """The derivative number `n` of :func:`digamma`; n = 0 is digamma itself.  Needs SciPy.

    Raises
    ------
    ValueError
        If n is not an integer of at least 0.

    >>> import autograd_core as ag
    >>> ag.polygamma(1, ag.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    if not integral(n) or np.any(np.less(n, 0)):
        raise ValueError(f"polygamma: the first argument, n, must be an integer of at least 0, got {n!r:.80}")
    return _scipy("polygamma", "polygamma", input, n)


lgamma.defvjp(lambda g, input: g * digamma(input))
digamma.defvjp(lambda g, input: g * polygamma(1, input))
polygamma.defvjp(None, lambda g, n, input: g * polygamma(n + 1, input))


# Products with logarithms, where 0 wins over an infinite logarithm.


@primitive(
    reference=lambda x, y: x * np.log(y),
    elementwise=True,
    domains=((-2.0, 2.0), (0.5, 2.0)),
    kinks=[
        Kink(0.0, 0.0, value=0.0, grads=[0.0, 0.0]),
        Kink(0.0, nan, value=nan, grads=[nan, nan]),
        Kink([0.0, 2.0], [-1.0, 0.0], value=[0.0, -inf], grads=[[0.0, -inf], [0.0, inf]]),
    ],
)
@quiet
def xlogy(input: Any, other: Any) -> Any:
    """``input * log(other)``, and 0 where `input` is 0 (unless `other` is NaN); broadcast.

    The gradients are ``log(other)`` and ``input / other``; at (0, 0) both are 0.

    >>> import autograd_core as ag
    >>> ag.xlogy(ag.tensor([0.0, 2.0]), ag.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    return np.where(np.equal(input, 0) & ~np.isnan(other), 0.0, np.multiply(input, np.log(other)))


xlogy.defvjp(
    lambda g, input, other: g * np.where((input == 0) & (other <= 0), 0.0, np.log(other)),
    lambda g, input, other: g * np.where((input == 0) & (other == 0), 0.0, input / other),
)


@primitive(
    reference=lambda x, y: x * np.log(1 + y),
    elementwise=True,
    domains=((-2.0, 2.0), (0.5, 2.0)),
    kinks=[
        Kink(0.0, -1.0, value=0.0, grads=[0.0, 0.0]),
        Kink(0.0, nan, value=nan, grads=[nan, nan]),
        Kink([2.0, 1.0], [-1.0, 0.0], value=[-inf, 0.0], grads=[[-inf, 0.0], [inf, 1.0]]),
    ],
)
@quiet
def xlog1py(input: Any, other: Any) -> Any:
    """``input * log(1 + other)``, accurate for small `other`; 0 where `input` is 0 (unless `other` is NaN); broadcast.

    The gradients are ``log(1 + other)`` and ``input / (1 + other)``; at (0, -1) both are 0.

    >>> import autograd_core as ag
    >>> ag.special.xlog1py(ag.tensor([0.0, 2.0]), ag.tensor([-1.0, 0.0]))
    tensor([0., 0.])
    """
    return np.where(np.equal(input, 0) & ~np.isnan(other), 0.0, np.multiply(input, np.log1p(other)))


xlog1py.defvjp(
    lambda g, input, other: g * np.where((input == 0) & (other <= -1), 0.0, np.log1p(other)),
    lambda g, input, other: g * np.where((input == 0) & (other == -1), 0.0, input / (1 + other)),
)
