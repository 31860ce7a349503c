"""Remainders and rounded quotients of floats, with the signs that NumPy and Python give them."""

from __future__ import annotations

from .jit import function
from .typed import constant, copysign, floor, fmod

_ZERO, _HALF, _ONE = constant(0.0), constant(0.5), constant(1.0)


@function
def remainder(x, y):  # type: ignore[no-untyped-def]
    """``x % y``: what is left of a quotient rounded down; exact."""
    left = fmod(x, y)
    if left == _ZERO(x):
        return copysign(left, y)
    return left + y if (left < _ZERO(x)) != (y < _ZERO(x)) else left


@function(contract=False)
def floor_divide(x, y):  # type: ignore[no-untyped-def]
    """``x // y``: the quotient rounded down."""
    if y == _ZERO(x):
        return x / y
    left = fmod(x, y)
    quotient = (x - left) / y
    if (left != _ZERO(x)) & ((left < _ZERO(x)) != (y < _ZERO(x))):
        quotient = quotient - _ONE(x)
    if quotient == _ZERO(x):
        return copysign(_ZERO(x), x / y)
    whole = floor(quotient)
    return whole + _ONE(x) if quotient - whole > _HALF(x) else whole
