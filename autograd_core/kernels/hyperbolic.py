"""Hyperbolic functions, their inverses, and the sigmoid, vectorised; see `exponential` for the method and the errors.

The argument is ``n ln 2 + r``; the hyperbolic sine and cosine of r are polynomials, from which those of the sum follow
by the addition theorem, without the cancellation that ``exp(x) - exp(-x)`` suffers near 0.
"""

from __future__ import annotations

import math

from .exponential import LN2_HIGH, LN2_LOW, LOG2_E, NEARLY_ZERO, exp, log1p
from .jit import function
from .typed import constant, copysign, polynomial, power_of_two, shifter, sqrt

_ZERO, _ONE = constant(0.0), constant(1.0)


@function
def sigmoid(x):  # type: ignore[no-untyped-def]
    """``1 / (1 + exp(-x))``, within 2.3 ulp (float64: 2.4)."""
    small = exp(-abs(x))
    return (small if x < _ZERO(x) else _ONE(x)) / (_ONE(x) + small)


_SINH = polynomial(  # (sinh(r) - r) / r**3, in r**2
    [0.16666667, 0.008333192, 0.00019958467],
    [0.16666666666666677, 0.008333333333321442, 0.00019841269886569808, 2.7557243786127943e-06,
     2.5109178722745544e-08],
)  # fmt: skip
_COSH = polynomial(  # (cosh(r) - 1) / r**2, in r**2
    [0.5, 0.041666456, 0.0013935767],
    [0.5, 0.041666666666666685, 0.0013888888888873307, 2.480158734911e-05, 2.755725193252722e-07,
     2.092172561653276e-09],
)  # fmt: skip
_TANH_MOST = constant(9.5, 20.0)


@function
def tanh(x):  # type: ignore[no-untyped-def]
    """The hyperbolic tangent, within 3.2 ulp (float64: 3.1)."""
    y = _TANH_MOST(x) if x > _TANH_MOST(x) else x
    y = -_TANH_MOST(x) if y < -_TANH_MOST(x) else y
    n = y * LOG2_E(x) + shifter(x) - shifter(x)
    r = y - n * LN2_HIGH(x) - n * LN2_LOW(x)
    up, down = power_of_two(shifter(x) + n), power_of_two(shifter(x) - n)
    s, c = up - down, up + down  # 2 sinh and 2 cosh of n ln 2
    z = r * r
    cosh, sinh = z * _COSH(z), r + r * z * _SINH(z)
    out = (s + (s * cosh + c * sinh)) / (c + (c * cosh + s * sinh))
    return x if abs(x) < NEARLY_ZERO(x) else out


@function
def _sinh_cosh(x, odd):  # type: ignore[no-untyped-def]
    """The hyperbolic sine or cosine of a float64 that is not negative."""
    x = 710.6 if x > 710.6 else x  # where the result is infinite
    n = x * LOG2_E(x) + shifter(x) - shifter(x)
    r = x - n * LN2_HIGH(x) - n * LN2_LOW(x)
    up = power_of_two(shifter(x) + (n - 2.0))  # a quarter: twice of it does not overflow
    down = power_of_two(shifter(x) - ((n if n < 200.0 else 200.0) + 2.0))
    s, c = up - down, up + down
    z = r * r
    cosh, sinh = z * _COSH(z), r + r * z * _SINH(z)
    a, b = (s, c) if odd else (c, s)
    return 2.0 * (a + (a * cosh + b * sinh))


@function
def sinh(x):  # type: ignore[no-untyped-def]
    """The hyperbolic sine, of a float64, within 2.1 ulp."""
    out = copysign(_sinh_cosh(abs(x), True), x)
    return x if abs(x) < NEARLY_ZERO(x) else out


@function
def cosh(x):  # type: ignore[no-untyped-def]
    """The hyperbolic cosine, of a float64, within 1.6 ulp."""
    return _sinh_cosh(abs(x), False)


_LN2, _LARGE = math.log(2), 2.0**100


@function
def asinh(x):  # type: ignore[no-untyped-def]
    """The inverse hyperbolic sine, of a float64, within 1.9 ulp."""
    y = abs(x)
    large = y > _LARGE
    out = log1p(y if large else y + y * y / (1.0 + sqrt(1.0 + y * y))) + (_LN2 if large else 0.0)
    return copysign(out, x)


@function
def acosh(x):  # type: ignore[no-untyped-def]
    """The inverse hyperbolic cosine, of a float64, within 2.0 ulp."""
    large = x > _LARGE
    y = x - 1.0
    out = log1p(y if large else y + sqrt(y + y + y * y)) + (_LN2 if large else 0.0)
    return out if x >= 1.0 else math.nan


@function
def atanh(x):  # type: ignore[no-untyped-def]
    """The inverse hyperbolic tangent, of a float64, within 2.1 ulp."""
    y = abs(x)
    return copysign(0.5 * log1p((y + y) / (1.0 - y)), x)
