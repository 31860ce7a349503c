"""Trigonometric and hyperbolic functions and their inverses, elementwise, of radians."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import Kink, Sample, implements, primitive, quiet
from .arithmetic import mul

inf, nan = np.inf, np.nan

__all__ = [
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "rad2deg",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]


@primitive(numpy=np.sin, elementwise=True)
@quiet
def sin(input: Any) -> Any:
    """The sine, of radians.

    >>> import autograd_core as ag
    >>> ag.sin(ag.tensor([0.0, 0.5235988]))
    tensor([0. , 0.5])
    """
    return np.sin(input)


sin.defvjp(lambda g, input: g * np.cos(input))


@primitive(numpy=np.cos, elementwise=True)
@quiet
def cos(input: Any) -> Any:
    """The cosine, of radians.

    >>> import autograd_core as ag
    >>> ag.cos(ag.tensor([0.0, 1.0471976]))
    tensor([1. , 0.5])
    """
    return np.cos(input)


cos.defvjp(lambda g, input: -g * np.sin(input))


@primitive(numpy=np.tan, elementwise=True, domains=((-1.0, 1.0),))
@quiet
def tan(input: Any) -> Any:
    """The tangent, of radians; gradient ``1 + tan**2``.

    >>> import autograd_core as ag
    >>> ag.tan(ag.tensor([0.0, 0.7853982]))
    tensor([0., 1.])
    """
    return np.tan(input)


tan.defvjp(lambda g, out: g * (1 + out * out))


@primitive(
    numpy=np.arcsin,
    elementwise=True,
    domains=((-0.5, 0.5),),
    kinks=[Kink([1.0, -1.0, 2.0], value=[math.pi / 2, -math.pi / 2, nan], grads=[[inf, inf, nan]])],
)
@quiet
def asin(input: Any) -> Any:
    """The inverse sine, in [-pi/2, pi/2]; gradient ``1 / sqrt(1 - input**2)``, inf at -1 and 1; NaN outside.

    >>> import autograd_core as ag
    >>> ag.asin(ag.tensor([0.0, 1.0]))
    tensor([0.    , 1.5708])
    """
    return np.arcsin(input)


asin.defvjp(lambda g, input: g / np.sqrt((1 - input) * (1 + input)))
arcsin = asin


@primitive(
    numpy=np.arccos,
    elementwise=True,
    domains=((-0.5, 0.5),),
    kinks=[Kink([1.0, -1.0, -2.0], value=[0.0, math.pi, nan], grads=[[-inf, -inf, nan]])],
)
@quiet
def acos(input: Any) -> Any:
    """The inverse cosine, in [0, pi]; gradient ``-1 / sqrt(1 - input**2)``, -inf at -1 and 1; NaN outside.

    >>> import autograd_core as ag
    >>> ag.acos(ag.tensor([1.0, 0.0]))
    tensor([0.    , 1.5708])
    """
    return np.arccos(input)


acos.defvjp(lambda g, input: -g / np.sqrt((1 - input) * (1 + input)))
arccos = acos


@primitive(numpy=np.arctan, elementwise=True, kinks=[Kink(inf, value=math.pi / 2, grads=[0.0])])
def atan(input: Any) -> Any:
    """The inverse tangent, in [-pi/2, pi/2]; gradient ``1 / (1 + input**2)``.

    >>> import autograd_core as ag
    >>> ag.atan(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.7854])
    """
    return np.arctan(input)


atan.defvjp(lambda g, input: g / (1 + input * input))
arctan = atan


def _over_square(a: Any, input: Any, other: Any) -> Any:
    """``a / (input**2 + other**2)`` without overflow, 0 where both are 0."""
    h = np.hypot(input, other)
    return np.where(h == 0, 0.0, a / h / h)


@primitive(
    numpy=np.arctan2,
    elementwise=True,
    domains=((0.5, 2.0), (-2.0, 2.0)),
    kinks=[
        Kink(0.0, 0.0, value=0.0, grads=[0.0, 0.0]),
        Kink(0.0, -1.0, value=math.pi, grads=[-1.0, 0.0]),
        Kink(1e30, 1e30, value=math.pi / 4, grads=[5e-31, -5e-31]),
    ],
)
def atan2(input: Any, other: Any) -> Any:
    """The angle of the point (x, y) = (other, input), in [-pi, pi]; broadcast.

    The gradients are ``x / (x**2 + y**2)`` by y and ``-y / (x**2 + y**2)`` by x; 0 at the origin.

    >>> import autograd_core as ag
    >>> ag.atan2(ag.tensor([1.0, -1.0]), ag.tensor([1.0, -1.0]))
    tensor([ 0.7854, -2.3562])
    """
    return np.arctan2(input, other)


atan2.defvjp(
    lambda g, input, other: g * _over_square(other, input, other),
    lambda g, input, other: -g * _over_square(input, input, other),
)
arctan2 = atan2


@primitive(numpy=np.sinh, elementwise=True)
@quiet
def sinh(input: Any) -> Any:
    """The hyperbolic sine.

    >>> import autograd_core as ag
    >>> ag.sinh(ag.tensor([0.0, 1.0]))
    tensor([0.    , 1.1752])
    """
    return np.sinh(input)


sinh.defvjp(lambda g, input: g * np.cosh(input))


@primitive(numpy=np.cosh, elementwise=True)
@quiet
def cosh(input: Any) -> Any:
    """The hyperbolic cosine.

    >>> import autograd_core as ag
    >>> ag.cosh(ag.tensor([0.0, 1.0]))
    tensor([1.    , 1.5431])
    """
    return np.cosh(input)


cosh.defvjp(lambda g, input: g * np.sinh(input))


@primitive(numpy=np.tanh, elementwise=True)
def tanh(input: Any) -> Any:
    """The hyperbolic tangent; gradient ``1 - tanh**2``.

    >>> import autograd_core as ag
    >>> ag.tanh(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.7616])
    """
    return np.tanh(input)


tanh.defvjp(lambda g, out: g * (1 - out * out))


@primitive(numpy=np.arcsinh, elementwise=True)
def asinh(input: Any) -> Any:
    """The inverse hyperbolic sine; gradient ``1 / sqrt(1 + input**2)``.

    >>> import autograd_core as ag
    >>> ag.asinh(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.8814])
    """
    return np.arcsinh(input)


asinh.defvjp(lambda g, input: g / np.hypot(1.0, input))
arcsinh = asinh


@primitive(
    numpy=np.arccosh,
    elementwise=True,
    domains=((1.5, 3.0),),
    kinks=[Kink([1.0, 0.5, -2.0], value=[0.0, nan, nan], grads=[[inf, nan, nan]])],
)
@quiet
def acosh(input: Any) -> Any:
    """The inverse hyperbolic cosine; gradient ``1 / sqrt(input**2 - 1)``, inf at 1; NaN below.

    >>> import autograd_core as ag
    >>> ag.acosh(ag.tensor([1.0, 2.0]))
    tensor([0.   , 1.317])
    """
    return np.arccosh(input)


acosh.defvjp(lambda g, input: g / (np.sqrt(input - 1) * np.sqrt(input + 1)))
arccosh = acosh


@primitive(
    numpy=np.arctanh,
    elementwise=True,
    domains=((-0.5, 0.5),),
    kinks=[Kink([1.0, -1.0, 2.0], value=[inf, -inf, nan], grads=[[inf, inf, nan]])],
)
@quiet
def atanh(input: Any) -> Any:
    """The inverse hyperbolic tangent; gradient ``1 / (1 - input**2)``, inf at -1 and 1; NaN outside.

    >>> import autograd_core as ag
    >>> ag.atanh(ag.tensor([0.0, 0.5]))
    tensor([0.    , 0.5493])
    """
    return np.arctanh(input)


atanh.defvjp(lambda g, out, input: g / np.where(np.isnan(out), nan, (1 - input) * (1 + input)))
arctanh = atanh


# The coefficients of sinc'(x) / x in powers of x**2, the highest first.
_SINC_SLOPE = [(-1) ** k * math.pi ** (2 * k) * 2 * k / math.factorial(2 * k + 1) for k in range(12, 0, -1)]


def _sinc_slope(x: Any, out: Any) -> Any:
    """``(cos(pi x) - sinc(x)) / x``, by its series near 0, where the difference cancels."""
    square = x * x
    series = 0.0 * square
    for c in _SINC_SLOPE:
        series = series * square + c
    return np.where(np.absolute(x) < 0.3, series * x, (np.cos(math.pi * x) - out) / x)


@primitive(
    numpy=np.sinc,
    elementwise=True,
    samples=lambda rng: [Sample(np.array([0.0, 1e-9, -1e-4, 0.05, 0.2999, 0.3001, 1.0, -2.5]))],
    kinks=[Kink(0.0, value=1.0, grads=[0.0])],
)
@quiet
def sinc(input: Any) -> Any:
    """``sin(pi x) / (pi x)``, and 1 at 0, where its gradient is 0.

    >>> import autograd_core as ag
    >>> ag.sinc(ag.tensor([0.0, 0.5]))
    tensor([1.    , 0.6366])
    """
    return np.sinc(input)


sinc.defvjp(lambda g, out, input: g * _sinc_slope(input, out))


@implements(np.deg2rad, np.radians)
def deg2rad(input: Any) -> Any:
    """Radians from degrees.

    >>> import autograd_core as ag
    >>> ag.deg2rad(ag.tensor([180.0, 90.0]))
    tensor([3.1416, 1.5708])
    """
    return mul(input, math.pi / 180)


@implements(np.rad2deg, np.degrees)
def rad2deg(input: Any) -> Any:
    """Degrees from radians.

    >>> import autograd_core as ag
    >>> ag.rad2deg(ag.tensor([0.0, 3.1415927]))
    tensor([  0., 180.])
    """
    return mul(input, 180 / math.pi)
