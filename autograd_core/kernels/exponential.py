"""Exponentials and logarithms, vectorised: no branches and no tables, only arithmetic, bits and selects.

Arguments are reduced as by Cody and Waite ("Software Manual for the Elementary Functions", 1980); what is left is a
polynomial (Muller, "Elementary Functions", 2016, chapters 3 and 11).  The polynomials were found by least squares at
Chebyshev nodes in 40 digits, their coefficients rounded one by one and the rest fitted again.

Every docstring gives the largest error found over the whole range, in units in the last place (ulp) of the result.
Zeros, infinities, NaN, denormal and overflowing results are as in NumPy.  What is rare exists in float64 only.
"""

from __future__ import annotations

import math

from .jit import function
from .typed import constant, exponent, mantissa, polynomial, power_of_two, scaled, shifter

_ZERO, _HALF, _ONE, _TWO, _INF, _NAN = map(constant, [0.0, 0.5, 1.0, 2.0, math.inf, math.nan])
LOG2_E, _LN2 = constant(1 / math.log(2)), constant(math.log(2))

# ln 2 in two parts, the first with so few digits that its products with exponents are exact.
LN2_HIGH = constant(0.693145751953125, float.fromhex("0x1.62e42fefa38p-1"))
LN2_LOW = constant(1.428606765330187e-06, float.fromhex("0x1.ef35793c7673p-45"))

_EXP = polynomial(
    [1.0, 1.0, 0.49999988, 0.16666518, 0.041669652, 0.008368953, 0.0013745059],
    [1.0, 1.0, 0.5000000000000013, 0.1666666666666649, 0.04166666666651215, 0.008333333333445603,
     0.0013888888947649982, 0.00019841269610468499, 2.480148942451215e-05, 2.7557494816438805e-06,
     2.763143310281207e-07, 2.5028743300104997e-08],
)  # fmt: skip
_EXP_MOST, _EXP_LEAST = constant(89.0, 710.0), constant(-104.0, -746.0)


@function
def exp(x):  # type: ignore[no-untyped-def]
    """``e**x``, within 0.9 ulp (float64: 0.9)."""
    x = _EXP_MOST(x) if x > _EXP_MOST(x) else x
    x = _EXP_LEAST(x) if x < _EXP_LEAST(x) else x
    shifted = x * LOG2_E(x) + shifter(x)
    n = shifted - shifter(x)
    return scaled(_EXP(x - n * LN2_HIGH(x) - n * LN2_LOW(x)), shifted)


_EXP2_MOST, _EXP2_LEAST = constant(129.0, 1025.0), constant(-151.0, -1076.0)


@function
def exp2(x):  # type: ignore[no-untyped-def]
    """``2**x``, within 0.9 ulp (float64: 1.0)."""
    x = _EXP2_MOST(x) if x > _EXP2_MOST(x) else x
    x = _EXP2_LEAST(x) if x < _EXP2_LEAST(x) else x
    shifted = x + shifter(x)
    return scaled(_EXP((x - (shifted - shifter(x))) * _LN2(x)), shifted)


_EXPM1 = polynomial(  # (exp(x) - 1 - x) / x**2
    [0.5, 0.1666654, 0.041666478, 0.008366829, 0.00139337],
    [0.5, 0.16666666666666677, 0.04166666666666668, 0.008333333333321442, 0.0013888888888877445,
     0.00019841269886569808, 2.4801587340616703e-05, 2.7557243786127943e-06, 2.755725920703251e-07,
     2.5109178722745544e-08, 2.0919500327140614e-09],
)  # fmt: skip
_EXPM1_MOST, _EXPM1_LEAST = constant(88.8, 709.9), constant(-20.0, -40.0)
NEARLY_ZERO = constant(2.0**-30, 2.0**-60)


@function
def expm1(x):  # type: ignore[no-untyped-def]
    """``e**x - 1``, within 1.6 ulp (float64: 1.9)."""
    y = _EXPM1_MOST(x) if x > _EXPM1_MOST(x) else x
    y = _EXPM1_LEAST(x) if y < _EXPM1_LEAST(x) else y
    n = y * LOG2_E(x) + shifter(x) - shifter(x)
    r = y - n * LN2_HIGH(x) - n * LN2_LOW(x)
    power = power_of_two(n - _ONE(x) + shifter(x))  # half of it, which does not overflow
    out = _TWO(x) * (power * (r + r * r * _EXPM1(r)) + (power - _HALF(x)))
    return x if abs(x) < NEARLY_ZERO(x) else out


_LOG = polynomial(  # (log((1 + s) / (1 - s)) - 2 s) / s**3, in s**2
    [0.66666776, 0.39977574, 0.29871237],
    [0.6666666666666737, 0.3999999999939863, 0.28571428745551214, 0.22222198273544116, 0.1818357906686337,
     0.1531368752092411, 0.14799487338447104],
)  # fmt: skip
_TINY, _LIFT, _LIFTED = constant(2.0**-126, 2.0**-1022), constant(2.0**25, 2.0**54), constant(25.0, 54.0)


@function
def _log_of_ratio(f):  # type: ignore[no-untyped-def]
    """``log(1 + f)`` without f, between sqrt(1/2) and sqrt(2); with s = f / (2 + f) it is 2 s + s**3 P(s**2) - f."""
    s = f / (_TWO(f) + f)
    h = _HALF(f) * f * f
    return s * (h + s * s * _LOG(s * s)) - h  # 2 s = f - h + s h


@function
def _based(x, high, low, per_e):  # type: ignore[no-untyped-def]
    """The logarithm for which that of 2 is ``high + low`` and that of e is `per_e`."""
    denormal = x < _TINY(x)
    y = x * _LIFT(x) if denormal else x
    k = exponent(y)
    k = k - _LIFTED(x) if denormal else k
    f = mantissa(y) - _ONE(x)
    out = k * high + (f * per_e + (_log_of_ratio(f) * per_e + k * low))
    out = out if x < _INF(x) else x
    out = out if x >= _ZERO(x) else _NAN(x)
    return -_INF(x) if x == _ZERO(x) else out


@function
def log(x):  # type: ignore[no-untyped-def]
    """The natural logarithm, within 0.9 ulp (float64: 0.9)."""
    return _based(x, LN2_HIGH(x), LN2_LOW(x), _ONE(x))


@function(contract=False)
def log1p(x):  # type: ignore[no-untyped-def]
    """``log(1 + x)``, within 1.5 ulp (float64: 1.5)."""
    u = _ONE(x) + x
    lost = (x - (u - _ONE(x)) if x < _ONE(x) else _ONE(x) - (u - x)) / u
    out = log(u)
    out = out + lost if (u > _ZERO(x)) & (x < _INF(x)) else out
    return x if abs(x) < NEARLY_ZERO(x) else out


@function
def log2(x):  # type: ignore[no-untyped-def]
    """The logarithm to base 2, of a float64; exact for powers of 2, within 1.0 ulp."""
    return _based(x, 1.0, 0.0, 1.4426950408889634)


@function
def log10(x):  # type: ignore[no-untyped-def]
    """The logarithm to base 10, of a float64, within 1.0 ulp."""
    return _based(x, 0.301029995663157, 8.241712586023572e-13, 0.4342944819032518)


@function
def xlogy(x, y):  # type: ignore[no-untyped-def]
    """``x * log(y)``, and 0 where x is 0, unless y is NaN."""
    out = x * log(y)
    return _ZERO(x) if (x == _ZERO(x)) & (y == y) else out


@function
def xlog1py(x, y):  # type: ignore[no-untyped-def]
    """``x * log(1 + y)``, and 0 where x is 0, unless y is NaN."""
    out = x * log1p(y)
    return _ZERO(x) if (x == _ZERO(x)) & (y == y) else out
