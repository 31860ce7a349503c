"""Powers, and sums of exponentials and of squares, vectorised; see `exponential` for the method and the errors."""

from __future__ import annotations

import math

from .exponential import LN2_HIGH, LN2_LOW, exp, exp2, log1p
from .jit import function
from .typed import copysign, exponent, fma, mantissa, polynomial, scaled, shifter, sqrt, trunc

_INF, _NAN = math.inf, math.nan

# (log((1 + s) / (1 - s)) - 2 s - 2/3 s**3) / s**5, in s**2
_LOG_TAIL = polynomial(
    float64=[0.4000000000000239, 0.28571428570044294, 0.22222222528754548, 0.18181783660315645, 0.15386787573987357,
     0.132561560535871, 0.13202150523111494],
)  # fmt: skip
_TWO_THIRDS, _TWO_THIRDS_LOW = 2 / 3, 3.700743415417188e-17


@function(contract=False)
def _twofold_log(x):  # type: ignore[no-untyped-def]
    """The natural logarithm of a positive float64 as a sum of two, with about 65 bits."""
    denormal = x < 2.0**-1022
    y = x * 2.0**54 if denormal else x
    k = exponent(y)
    k = k - 54.0 if denormal else k
    f = mantissa(y) - 1.0
    # s = f / (2 + f)
    t = 2.0 + f
    inverse = 1.0 / t
    s = f * inverse
    s_low = (fma(-s, t, f) - s * (f - (t - 2.0))) * inverse
    z = s * s
    z_low = fma(s, s, -z) + 2.0 * (s * s_low)
    cube = s * z
    cube_low = fma(s, z, -cube) + (s * z_low + s_low * z)
    u = cube * _TWO_THIRDS
    u_low = fma(cube, _TWO_THIRDS, -u) + (cube * _TWO_THIRDS_LOW + cube_low * _TWO_THIRDS)
    # Sums whose first term is the larger one, each with its rounding error.
    a, b = k * LN2_HIGH(x), 2.0 * s
    first = a + b
    high = first + u
    lost = (b - (first - a)) + (u - (high - first))
    low = lost + (k * LN2_LOW(x) + (2.0 * s_low + (u_low + cube * z * _LOG_TAIL(z))))
    total = high + low
    return total, low - (total - high)


@function
def power(x, y):  # type: ignore[no-untyped-def]
    """``x**y`` of float64s, within 1.5 ulp."""
    size = abs(x)
    high, low = _twofold_log(size)
    high = high if size < _INF else size
    high = -_INF if size == 0.0 else high
    product = y * high
    rest = fma(y, high, -product) + y * low
    out = exp(product)
    out = out + out * rest if (out < _INF) & (abs(product) < 800.0) else out
    half = 0.5 * y
    odd = (trunc(half) != half) & (trunc(y) == y)
    out = -out if odd & (copysign(1.0, x) < 0.0) else out
    out = _NAN if (x < 0.0) & (size < _INF) & (trunc(y) != y) else out
    return 1.0 if (y == 0.0) | (x == 1.0) | ((x == -1.0) & (abs(y) == _INF)) else out


@function
def integer_power(x, n):  # type: ignore[no-untyped-def]
    """``x**n`` of integers, n at least 0; overflow wraps."""
    out = 1
    while n > 0:
        if n & 1:
            out = out * x
        x = x * x
        n = n >> 1
    return out


@function
def logaddexp(x, y):  # type: ignore[no-untyped-def]
    """``log(e**x + e**y)`` of float64s, within 2.1 ulp where nothing cancels (the result is not near 0)."""
    larger = x if x > y else y
    out = larger + log1p(exp(-abs(x - y)))
    return x + 0.6931471805599453 if x == y else out


@function
def logaddexp2(x, y):  # type: ignore[no-untyped-def]
    """``log2(2**x + 2**y)`` of float64s, within 2.3 ulp where nothing cancels."""
    larger = x if x > y else y
    out = larger + log1p(exp2(-abs(x - y))) * 1.4426950408889634
    return x + 1.0 if x == y else out


@function
def hypot(x, y):  # type: ignore[no-untyped-def]
    """``sqrt(x**2 + y**2)`` of float64s, without overflow, within 1.3 ulp."""
    x, y = abs(x), abs(y)
    larger = x if x > y else y
    k = exponent(larger if larger > 2.0**-1022 else 2.0**-1022)
    a, b = scaled(x, shifter(x) - k), scaled(y, shifter(x) - k)
    out = scaled(sqrt(a * a + b * b), shifter(x) + k)
    return _INF if (x == _INF) | (y == _INF) else out
