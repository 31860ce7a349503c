"""Arithmetic, elementwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Kink, primitive, quiet

inf, nan = np.inf, np.nan

__all__ = [
    "abs",
    "add",
    "div",
    "mul",
    "neg",
    "pow",
    "sign",
    "sub",
]


@primitive(numpy=np.add, elementwise=True)
def add(input: Any, other: Any) -> Any:
    """``input + other``, broadcast.  The gradient goes to both unchanged.

    >>> import autograd_core as ag
    >>> ag.tensor([1.0, 2.0]) + 10
    tensor([11., 12.])
    """
    return np.add(input, other)


add.defvjp(lambda g: g, lambda g: g)


@primitive(numpy=np.subtract, elementwise=True)
def sub(input: Any, other: Any) -> Any:
    """``input - other``, broadcast.

    >>> import autograd_core as ag
    >>> 1 - ag.tensor([1.0, 2.0])
    tensor([ 0., -1.])
    """
    return np.subtract(input, other)


sub.defvjp(lambda g: g, lambda g: -g)


@primitive(
    numpy=np.multiply,
    elementwise=True,
    kinks=[Kink(0.0, inf, value=nan, grads=[inf, 0.0])],
)
def mul(input: Any, other: Any) -> Any:
    """``input * other``, broadcast.  Each factor's gradient is scaled by the other factor.

    >>> import autograd_core as ag
    >>> 3 * ag.tensor([1.0, 2.0])
    tensor([3., 6.])
    """
    return np.multiply(input, other)


mul.defvjp(lambda g, other: g * other, lambda g, input: g * input)


@primitive(
    numpy=np.true_divide,
    elementwise=True,
    domains=((-2.0, 2.0), (0.5, 2.0)),
    kinks=[
        Kink(1.0, 0.0, value=inf, grads=[inf, -inf]),
        Kink(0.0, 0.0, value=nan, grads=[nan, nan]),
    ],
)
@quiet
def div(input: Any, other: Any) -> Any:
    """``input / other``, broadcast; true division.

    1/0 is inf with gradients (inf, -inf); 0/0 is NaN with NaN gradients.

    >>> import autograd_core as ag
    >>> ag.tensor([1.0, 2.0]) / 4
    tensor([0.25, 0.5 ])
    """
    return np.true_divide(input, other)


div.defvjp(
    lambda g, out, other: np.where(out == out, g / other, nan),
    lambda g, out, other: -g * out / other,
)


@primitive(
    numpy=np.power,
    elementwise=True,
    domains=((0.5, 2.0), (-2.0, 2.0)),
    kinks=[
        Kink(0.0, 0.0, value=1.0, grads=[0.0, 0.0]),
        Kink(-2.0, 3.0, value=-8.0, grads=[12.0, nan]),
        Kink(0.0, 0.5, value=0.0, grads=[inf, 0.0]),
        Kink(0.0, -1.0, value=inf, grads=[-inf, None]),
    ],
)
@quiet
def pow(input: Any, other: Any) -> Any:
    """``input ** other``, broadcast.

    The gradients are ``y x**(y-1)`` (0 where y is 0) and ``x**y log x`` (0 where x is 0 and y is not negative).  The
    logarithm is taken only when the exponent requires a gradient, so ``(-2) ** 3.0`` with a constant exponent is fine.

    >>> import autograd_core as ag
    >>> ag.tensor([1.0, 2.0, 3.0]) ** 2
    tensor([1., 4., 9.])
    """
    return input**other


pow.defvjp(
    lambda g, input, other: g * np.where(other == 0, 0.0, other * input ** (other - 1)),
    lambda g, out, input, other: g * np.where((input == 0) & (other >= 0), 0.0, out * np.log(input)),
)


@primitive(numpy=np.negative, elementwise=True)
def neg(input: Any) -> Any:
    """``-input``.

    >>> import autograd_core as ag
    >>> -ag.tensor([1.0, -2.0])
    tensor([-1.,  2.])
    """
    return np.negative(input)


neg.defvjp(lambda g: -g)


@primitive(numpy=np.absolute, elementwise=True, domains=((0.5, 2.0),), kinks=[Kink(0.0, value=0.0, grads=[0.0])])
def abs(input: Any) -> Any:
    """``|input|``; the gradient is the sign, and 0 at 0 (the smallest subgradient).

    >>> import autograd_core as ag
    >>> ag.abs(ag.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    return np.absolute(input)


abs.defvjp(lambda g, input: g * np.sign(input))


@primitive(numpy=np.sign, elementwise=True, domains=((0.5, 2.0),), kinks=[Kink(0.0, value=0.0, grads=[0.0])])
def sign(input: Any) -> Any:
    """-1, 0 or 1 by the sign of the input; the gradient is 0.

    >>> import autograd_core as ag
    >>> ag.sign(ag.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    return np.sign(input)


sign.defvjp(lambda g: np.zeros_like(g))
