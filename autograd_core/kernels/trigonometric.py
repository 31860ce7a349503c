"""Trigonometric functions and their inverses, vectorised; see `exponential` for the method and the errors.

An argument is reduced to quarter turns by a product with 2 / pi.  Of a large argument ``x = m * 2**e`` whole turns are
dropped beforehand, by taking the digits of ``2**e * 2 / pi`` from a table from the place on where they matter (Payne &
Hanek, "Radian Reduction for Trigonometric Functions", SIGNUM Newsletter 18, 1983).  So results are accurate for every
number, without a branch.
"""

from __future__ import annotations

import numpy as np

from .jit import bits, from_bits, function
from .typed import constant, copysign, floor, fma, polynomial, rint, sqrt, steps, table, two_sum

_HALF, _ONE = constant(0.5), constant(1.0)


def _pi(digits: int) -> int:
    """``pi * 2**digits`` (Machin's formula)."""

    def arctangent_of_inverse(n: int) -> int:
        power = total = (1 << digits + 64) // n
        k = 1
        while power:
            power //= -n * n
            k += 2
            total += power // k
        return total

    return 4 * (4 * arctangent_of_inverse(5) - arctangent_of_inverse(239)) >> 64


_DIGITS = 1300
_TWO_OVER_PI = (1 << 2 * _DIGITS + 1) // _pi(_DIGITS)


def _parts(step: int, rows: int, ends: list[int]) -> list[list[float]]:
    """For ``2**(step * row) * 2 / pi`` without multiples of 4, its digits down to ``2**-end`` for each of the ends."""
    parts: list[list[float]] = [[] for _ in ends]
    for row in range(rows):
        left = _DIGITS - step * row
        value = _TWO_OVER_PI % (4 << left)
        for part, end in zip(parts, ends, strict=True):
            digits = value >> left - end
            value -= digits << left - end
            part.append(digits / 2**end)
    return parts


_STEP = 32  # of exponents, from one row of the table to the next
_PART_0, _PART_1, _PART_2, _PART_3 = map(table, _parts(_STEP, 31, [51, 104, 157, 210]))
_QUARTER, _QUARTER_LOW = 1.5707963267948966, 6.123233995736766e-17


@function(contract=False)
def quarters(x):  # type: ignore[no-untyped-def]
    """The nearest multiple n of a quarter turn to a float64, but for multiples of 4; and what is left, in radians."""
    number = bits(x)
    excess = ((number >> 52) & 0x7FF) - 1075
    row = (excess if excess > 0 else 0) >> 5
    y = from_bits(number - (row << 57))
    # y times four parts: the first two products exactly, without multiples of 4
    a, b = y * _PART_0(row), y * _PART_1(row)
    a_low, b_low = fma(y, _PART_0(row), -a), fma(y, _PART_1(row), -b)
    c = y * _PART_2(row)
    rest = fma(y, _PART_2(row), -c) + y * _PART_3(row)
    a, a_low, b = a - 4.0 * rint(0.25 * a), a_low - 4.0 * rint(0.25 * a_low), b - 4.0 * rint(0.25 * b)
    n = rint(a + a_low)
    a, lost = two_sum(a - n, a_low)
    m = rint(a + b)
    a, more = two_sum(a - m, b)
    lost = lost + more
    b, more = two_sum(b_low, c)
    rest = rest + more
    a, more = two_sum(a, b)
    rest = rest + (lost + more)
    high = a + rest
    low = rest - (high - a)
    return n + m, fma(high, _QUARTER, fma(high, _QUARTER_LOW, low * _QUARTER)) + (x - x)


# A float32 has few rows, which are chosen by comparisons: faster than looking up.
_ROWS32 = [2.0**47, 2.0**71, 2.0**95, 2.0**119]
_SCALE32 = steps(_ROWS32, [2.0 ** (-24 * row) for row in range(5)])
_PART32_0, _PART32_1, _PART32_2 = (steps(_ROWS32, part) for part in _parts(24, 5, [27, 56, 109]))


@function(contract=False)
def quarters32(x):  # type: ignore[no-untyped-def]
    """As `quarters`, of a float32."""
    y = np.float64(x)
    size = abs(y)
    y = y * _SCALE32(size)
    a, b = y * _PART32_0(size), y * _PART32_1(size)  # exact
    a, b = a - 4.0 * rint(0.25 * a), b - 4.0 * rint(0.25 * b)
    n = rint(a + b)
    return np.float32(n), np.float32((((a - n) + b) + y * _PART32_2(size)) * _QUARTER)


_SIN = polynomial(  # (sin(r) - r) / r**3, in r**2
    [-0.16666655, 0.00833219, -0.00019518408],
    [-0.1666666666666663, 0.008333333333321945, -0.00019841269829484602, 2.755731359108751e-06,
     -2.5050743528454354e-08, 1.5896000046150026e-10],
)  # fmt: skip
_COS = polynomial(  # (cos(r) - 1 + r**2 / 2) / r**4, in r**2
    [0.041666646, -0.0013887312, 2.4432742e-05],
    [0.041666666666666595, -0.0013888888888873433, 2.4801587289088995e-05, -2.7557314246727625e-07,
     2.087570973642429e-09, -1.1358979878585515e-11],
)  # fmt: skip


@function(contract=False)
def _sin_cos(r):  # type: ignore[no-untyped-def]
    """Sine and cosine of at most an eighth of a turn."""
    z = r * r
    half = _HALF(r) * z
    w = _ONE(r) - half
    return r + r * (z * _SIN(z)), w + (((_ONE(r) - w) - half) + z * (z * _COS(z)))


@function
def _turned(n, r):  # type: ignore[no-untyped-def]
    """The sine of n quarter turns and r."""
    sin, cos = _sin_cos(r)
    half = _HALF(r) * n
    turns = floor(half) * _HALF(r)
    out = cos if floor(half) != half else sin
    return -out if floor(turns) != turns else out


_NEARLY_ZERO = constant(2.0**-14, 2.0**-28)


@function
def sin(x):  # type: ignore[no-untyped-def]
    """The sine of a float64, within 1.5 ulp."""
    n, r = quarters(x)
    out = _turned(n, r)
    return x if abs(x) < _NEARLY_ZERO(x) else out


@function
def sin32(x):  # type: ignore[no-untyped-def]
    """The sine of a float32, within 1.6 ulp."""
    n, r = quarters32(x)
    out = _turned(n, r)
    return x if abs(x) < _NEARLY_ZERO(x) else out


@function
def cos(x):  # type: ignore[no-untyped-def]
    """The cosine of a float64, within 1.5 ulp."""
    n, r = quarters(x)
    return _turned(n + 1.0, r)


@function
def cos32(x):  # type: ignore[no-untyped-def]
    """The cosine of a float32, within 1.6 ulp."""
    n, r = quarters32(x)
    return _turned(n + _ONE(x), r)


@function
def tan(x):  # type: ignore[no-untyped-def]
    """The tangent of a float64, within 2.9 ulp."""
    n, r = quarters(x)
    sin, cos = _sin_cos(r)
    half = 0.5 * n
    odd = floor(half) != half
    out = (-cos if odd else sin) / (sin if odd else cos)
    return x if abs(x) < _NEARLY_ZERO(x) else out


_ATAN = polynomial(  # (atan(r) - r) / r**3, in r**2
    float64=[-0.33333333333333187, 0.19999999999951193, -0.14285714279991574, 0.11111110774460858, -0.09090897525809699,
     0.07692056464957477, -0.06663064890972102, 0.05847625390270503, -0.050381959792480925, 0.03803815710886037,
     -0.01787998830656411],
)  # fmt: skip
_EIGHTH, _EIGHTH_LOW = 0.7853981633974483, 3.061616997868383e-17


@function(contract=False)
def atan2(y, x):  # type: ignore[no-untyped-def]
    """The angle of the point (x, y) of float64s, within 2.3 ulp."""
    a, b = abs(y), abs(x)
    small, large = (a, b) if a < b else (b, a)
    # The angle below the diagonal is that of a point at most 1/16 of a turn from the axis, or that and 1/8 of a turn.
    steep = small > 0.4142135623730951 * large
    up, along = (small - large if steep else small), (small + large if steep else large)
    r = up / along
    r = 0.0 if (a == b) | (small == 0.0) else r
    z = r * r
    angle = r + r * (z * _ATAN(z))
    eighths = 1.0 if steep | (a == b) & (a > 0.0) else 0.0
    # Reflected at the diagonal, and at the vertical axis.
    turned = a > b
    angle, eighths = (-angle if turned else angle), (2.0 - eighths if turned else eighths)
    back = copysign(1.0, x) < 0.0
    angle, eighths = (-angle if back else angle), (4.0 - eighths if back else eighths)
    out = copysign(eighths * _EIGHTH + (angle + eighths * _EIGHTH_LOW), y)
    return x + y if (x != x) | (y != y) else out


@function
def atan(x):  # type: ignore[no-untyped-def]
    """The inverse tangent of a float64, within 2.2 ulp."""
    return atan2(x, 1.0)


@function
def asin(x):  # type: ignore[no-untyped-def]
    """The inverse sine of a float64, within 2.4 ulp."""
    return atan2(x, sqrt((1.0 - x) * (1.0 + x)))


@function
def acos(x):  # type: ignore[no-untyped-def]
    """The inverse cosine of a float64, within 2.9 ulp."""
    return atan2(sqrt((1.0 - x) * (1.0 + x)), x)
