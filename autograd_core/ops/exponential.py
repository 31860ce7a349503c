"""Exponentials, logarithms, roots, and the curves made of them; elementwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import Kink, primitive, quiet
from .arithmetic import neg, sub
from .selection import clamp

inf, nan = np.inf, np.nan

__all__ = [
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logit",
    "rsqrt",
    "sigmoid",
    "sqrt",
]

_LN2, _LN10 = math.log(2), math.log(10)


@primitive(numpy=np.exp, elementwise=True, kinks=[Kink(1000.0, value=inf, grads=[inf])])
@quiet
def exp(input: Any) -> Any:
    """``e ** input``.

    >>> import autograd_core as ag
    >>> ag.exp(ag.tensor([0.0, 1.0]))
    tensor([1.    , 2.7183])
    """
    return np.exp(input)


exp.defvjp(lambda g, out: g * out)


@primitive(numpy=np.exp2, elementwise=True, kinks=[Kink(2000.0, value=inf, grads=[inf])])
@quiet
def exp2(input: Any) -> Any:
    """``2 ** input``.

    >>> import autograd_core as ag
    >>> ag.exp2(ag.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """
    return np.exp2(input)


exp2.defvjp(lambda g, out: g * (_LN2 * out))


@primitive(numpy=np.expm1, elementwise=True)
@quiet
def expm1(input: Any) -> Any:
    """``e ** input - 1``, accurate near 0.

    >>> import autograd_core as ag
    >>> ag.expm1(ag.tensor([1e-10]))
    tensor([1.e-10])
    """
    return np.expm1(input)


expm1.defvjp(lambda g, out: g * (out + 1))


@primitive(
    numpy=np.log,
    elementwise=True,
    domains=((0.5, 3.0),),
    kinks=[Kink(0.0, value=-inf, grads=[inf]), Kink(-1.0, value=nan, grads=[nan])],
)
@quiet
def log(input: Any) -> Any:
    """The natural logarithm; -inf with gradient inf at 0, NaN with gradient NaN below.

    >>> import autograd_core as ag
    >>> ag.log(ag.tensor([1.0, 2.7182817]))
    tensor([0., 1.])
    """
    return np.log(input)


log.defvjp(lambda g, input: g / np.where(input < 0, nan, input))


@primitive(
    numpy=np.log2,
    elementwise=True,
    domains=((0.5, 3.0),),
    kinks=[Kink(0.0, value=-inf, grads=[inf]), Kink(-1.0, value=nan, grads=[nan])],
)
@quiet
def log2(input: Any) -> Any:
    """The logarithm to base 2; -inf with gradient inf at 0, NaN with gradient NaN below.

    >>> import autograd_core as ag
    >>> ag.log2(ag.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    return np.log2(input)


log2.defvjp(lambda g, input: g / (_LN2 * np.where(input < 0, nan, input)))


@primitive(
    numpy=np.log10,
    elementwise=True,
    domains=((0.5, 3.0),),
    kinks=[Kink(0.0, value=-inf, grads=[inf]), Kink(-1.0, value=nan, grads=[nan])],
)
@quiet
def log10(input: Any) -> Any:
    """The logarithm to base 10; -inf with gradient inf at 0, NaN with gradient NaN below.

    >>> import autograd_core as ag
    >>> ag.log10(ag.tensor([1.0, 100.0]))
    tensor([0., 2.])
    """
    return np.log10(input)


log10.defvjp(lambda g, input: g / (_LN10 * np.where(input < 0, nan, input)))


@primitive(
    numpy=np.log1p,
    elementwise=True,
    domains=((-0.5, 2.0),),
    kinks=[Kink(-1.0, value=-inf, grads=[inf]), Kink(-2.0, value=nan, grads=[nan])],
)
@quiet
def log1p(input: Any) -> Any:
    """``log(1 + input)``, accurate near 0; -inf with gradient inf at -1.

    >>> import autograd_core as ag
    >>> ag.log1p(ag.tensor([1e-10]))
    tensor([1.e-10])
    """
    return np.log1p(input)


log1p.defvjp(lambda g, input: g / np.where(input < -1, nan, input + 1))


@primitive(
    numpy=np.sqrt,
    elementwise=True,
    domains=((0.5, 3.0),),
    kinks=[Kink(0.0, value=0.0, grads=[inf]), Kink(-1.0, value=nan, grads=[nan])],
)
@quiet
def sqrt(input: Any) -> Any:
    """The square root; the gradient is inf at 0, and NaN below, where the root is NaN.

    >>> import autograd_core as ag
    >>> ag.sqrt(ag.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return np.sqrt(input)


sqrt.defvjp(lambda g, out: g / (2 * out))


@primitive(
    reference=lambda x: x**-0.5,
    elementwise=True,
    domains=((0.5, 3.0),),
    kinks=[Kink(0.0, value=inf, grads=[-inf]), Kink(-1.0, value=nan, grads=[nan])],
)
@quiet
def rsqrt(input: Any) -> Any:
    """``1 / sqrt(input)``; inf with gradient -inf at 0, NaN below.

    >>> import autograd_core as ag
    >>> ag.rsqrt(ag.tensor([4.0, 0.25]))
    tensor([0.5, 2. ])
    """
    return np.true_divide(1, np.sqrt(input))


rsqrt.defvjp(lambda g, out: -0.5 * g * (out * out * out))


@primitive(reference=np.sqrt, elementwise=True, domains=((0.5, 3.0),), kinks=[Kink(0.0, value=0.0, grads=[0.0])])
@quiet
def root(input: Any) -> Any:
    """The root of a sum of squares: as `sqrt`, but with gradient 0 at 0, the smallest subgradient of a norm there."""
    return np.sqrt(input)


root.defvjp(lambda g, out: np.where(out == 0, 0.0, g / (2 * out)))


@primitive(
    elementwise=True,
    reference=lambda x: 0.5 + 0.5 * np.tanh(x / 2),
    kinks=[Kink(1000.0, value=1.0, grads=[0.0]), Kink(-1000.0, value=0.0, grads=[0.0])],
)
def sigmoid(input: Any) -> Any:
    """``1 / (1 + exp(-input))``, computed from ``exp(-|input|)``, so that nothing overflows.

    >>> import autograd_core as ag
    >>> ag.sigmoid(ag.tensor([-1000.0, 0.0, 1.0]))
    tensor([0.    , 0.5   , 0.7311])
    """
    small = np.exp(-np.absolute(input))
    out = np.maximum(small, np.greater_equal(input, 0))  # 1 / (1 + small), or small / (1 + small) below 0
    small += 1.0
    out /= small
    return out


sigmoid.defvjp(lambda g, out: g * out * (1 - out))


def logit(input: Any, eps: float | None = None) -> Any:
    """``log(input / (1 - input))``, the inverse of :func:`sigmoid`; NaN outside [0, 1].

    Parameters
    ----------
    eps : if given, the input is limited to [eps, 1 - eps] first, as by :func:`clamp`

    >>> import autograd_core as ag
    >>> ag.logit(ag.tensor([0.5, 0.75]))
    tensor([0.    , 1.0986])
    """
    if eps is not None:
        input = clamp(input, eps, 1 - eps)
    return sub(log(input), log1p(neg(input)))


def _share(a: Any, b: Any, scale: float) -> Any:
    """The gradient of logaddexp by `a`: between two equal infinities half of inf, and nothing of -inf."""
    return np.where((a == b) & np.isinf(a), np.where(a > 0, 0.5, 0.0), sigmoid(scale * (a - b)))


@primitive(
    numpy=np.logaddexp,
    elementwise=True,
    kinks=[
        Kink(-inf, -inf, value=-inf, grads=[0.0, 0.0]),
        Kink(inf, inf, value=inf, grads=[0.5, 0.5]),
        Kink(1.0, 1.0, value=1 + _LN2, grads=[0.5, 0.5]),
        Kink(1000.0, -inf, value=1000.0, grads=[1.0, 0.0]),
    ],
)
@quiet
def logaddexp(input: Any, other: Any) -> Any:
    """``log(exp(input) + exp(other))`` without overflow, broadcast.

    The gradients are ``sigmoid(input - other)`` and its complement: half each at a tie, and 0 where both are -inf.

    >>> import autograd_core as ag
    >>> ag.logaddexp(ag.tensor([0.0, 1000.0]), ag.tensor([0.0, -1000.0]))
    tensor([6.9315e-01, 1.0000e+03])
    """
    return np.logaddexp(input, other)


logaddexp.defvjp(
    lambda g, input, other: g * _share(input, other, 1.0),
    lambda g, input, other: g * _share(other, input, 1.0),
)


@primitive(
    numpy=np.logaddexp2,
    elementwise=True,
    kinks=[
        Kink(-inf, -inf, value=-inf, grads=[0.0, 0.0]),
        Kink(1.0, 1.0, value=2.0, grads=[0.5, 0.5]),
        Kink(2000.0, 0.0, value=2000.0, grads=[1.0, 0.0]),
    ],
)
@quiet
def logaddexp2(input: Any, other: Any) -> Any:
    """``log2(2**input + 2**other)`` without overflow, broadcast; see :func:`logaddexp`.

    >>> import autograd_core as ag
    >>> ag.logaddexp2(ag.tensor([3.0]), ag.tensor([3.0]))
    tensor([4.])
    """
    return np.logaddexp2(input, other)


logaddexp2.defvjp(
    lambda g, input, other: g * _share(input, other, _LN2),
    lambda g, input, other: g * _share(other, input, _LN2),
)
