"""Exponentials, logarithms, roots, and the curves made of them; elementwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Kink, primitive, quiet

inf, nan = np.inf, np.nan

__all__ = [
    "exp",
    "expm1",
    "log",
    "log1p",
    "sigmoid",
    "sqrt",
    "tanh",
]


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


@primitive(reference=np.sqrt, elementwise=True, domains=((0.5, 3.0),), kinks=[Kink(0.0, value=0.0, grads=[0.0])])
@quiet
def root(input: Any) -> Any:
    """The root of a sum of squares: as `sqrt`, but with gradient 0 at 0, the smallest subgradient of a norm there."""
    return np.sqrt(input)


root.defvjp(lambda g, out: np.where(out == 0, 0.0, g / (2 * out)))


@primitive(numpy=np.tanh, elementwise=True)
def tanh(input: Any) -> Any:
    """The hyperbolic tangent; gradient ``1 - tanh**2``.

    >>> import autograd_core as ag
    >>> ag.tanh(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.7616])
    """
    return np.tanh(input)


tanh.defvjp(lambda g, out: g * (1 - out * out))


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
    return np.where(np.less(input, 0), small, 1.0) / (1.0 + small)


sigmoid.defvjp(lambda g, out: g * out * (1 - out))
