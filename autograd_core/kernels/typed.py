"""The words mathematical functions are written in: typed constants and polynomials, powers of two, roundings.

Numba widens a float32 that meets a Python number.  ``LN2(x)`` is the constant in the dtype of ``x``, so that one text
serves float32 and float64.  All of it becomes vector instructions in a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

from .jit import cgutils, function, intrinsic, types

__all__ = [
    "ceil", "constant", "copysign", "exponent", "floor", "fma", "fmod", "mantissa", "polynomial", "power_of_two",
    "rint", "scaled", "shifter", "sqrt", "steps", "table", "trunc", "two_sum",
]  # fmt: skip

_DIGITS = {types.float32: 23, types.float64: 52}
"""Bits after the point."""


def _bias(dtype: Any) -> int:
    return 127 if dtype == types.float32 else 1023


def _integer(dtype: Any) -> Any:
    return ir.IntType(dtype.bitwidth)


def _word(emit: Callable[..., Any], arity: int = 1) -> Any:
    """A function of floats of one dtype, emitted by ``emit(builder, dtype, *args)``."""

    def typed(*dtypes: Any) -> Any:
        if dtypes[0] not in _DIGITS or len(set(dtypes)) > 1:
            return None
        return dtypes[0](*dtypes), lambda context, builder, signature, args: emit(builder, dtypes[0], *args)

    if arity == 1:
        return intrinsic(lambda context, x: typed(x))
    if arity == 2:
        return intrinsic(lambda context, x, y: typed(x, y))
    return intrinsic(lambda context, x, y, z: typed(x, y, z))


def _llvm(name: str, arity: int = 1) -> Any:
    """One of LLVM's functions."""

    def emit(builder: Any, dtype: Any, *args: Any) -> Any:
        kind = args[0].type
        width = "f32" if dtype == types.float32 else "f64"
        function_type = ir.FunctionType(kind, [kind] * arity)
        return builder.call(cgutils.get_or_insert_function(builder.module, function_type, f"llvm.{name}.{width}"), args)

    return _word(emit, arity)


floor, ceil, trunc, sqrt = map(_llvm, ["floor", "ceil", "trunc", "sqrt"])
rint = _llvm("rint")
"""The nearest integer, the even one at a tie."""
copysign = _llvm("copysign", 2)
fma = _llvm("fma", 3)
"""``x * y + z`` with one rounding."""
fmod = _word(lambda builder, dtype, x, y: builder.frem(x, y), 2)
"""What is left of a quotient rounded towards 0, as in C."""


def constant(float32: float, float64: float | None = None) -> Any:
    """A function that gives a constant in the dtype of its argument."""
    values = {types.float32: float32, types.float64: float32 if float64 is None else float64}
    return _word(lambda builder, dtype, x: ir.Constant(x.type, values[dtype]))


def table(values: Sequence[float]) -> Any:
    """A function that gives the float64 at an index."""

    @intrinsic
    def look_up(context, index):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            kind = ir.ArrayType(ir.DoubleType(), len(values))
            held = cgutils.global_constant(builder, "table", ir.Constant(kind, list(values)))
            return builder.load(builder.gep(held, [ir.Constant(ir.IntType(64), 0), args[0]]))

        return types.float64(types.int64), generate

    return look_up


def steps(bounds: Sequence[float], values: Sequence[float]) -> Any:
    """The function that is constant between the bounds, where it rises to the next value."""

    def emit(builder: Any, dtype: Any, x: Any) -> Any:
        value = ir.Constant(x.type, values[0])
        for bound, following in zip(bounds, values[1:], strict=True):
            reached = builder.fcmp_ordered(">=", x, ir.Constant(x.type, bound))
            value = builder.select(reached, ir.Constant(x.type, following), value)
        return value

    return _word(emit)


def polynomial(float32: Sequence[float] = (), float64: Sequence[float] = ()) -> Any:
    """The polynomial with these coefficients, lowest first, for either dtype or one of them; by Horner's rule."""
    coefficients = {types.float32: float32, types.float64: float64}

    def emit(builder: Any, dtype: Any, x: Any) -> Any:
        kind = x.type
        width = "f32" if dtype == types.float32 else "f64"
        muladd = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind] * 3), f"llvm.fmuladd.{width}"
        )
        *rest, value = (ir.Constant(kind, c) for c in coefficients[dtype])
        for c in reversed(rest):
            value = builder.call(muladd, [value, x, c])
        return value

    return _word(emit)


# Powers of two.  A float to which 1.5 * 2**52 was added (1.5 * 2**23 in float32) is rounded to an integer, which then
# stands in its last bits; this is both faster than a conversion and a vector instruction everywhere.

shifter = constant(1.5 * 2**23, 1.5 * 2**52)


def _power_bits(builder: Any, dtype: Any, k: Any) -> Any:
    """The float ``2**k`` for an integer k in the last bits, if that is a normal number."""
    kind = k.type
    shifted = builder.shl(k, ir.Constant(kind, _DIGITS[dtype]))
    bits = builder.add(shifted, ir.Constant(kind, _bias(dtype) << _DIGITS[dtype]))
    return builder.bitcast(bits, ir.FloatType() if dtype == types.float32 else ir.DoubleType())


def _power_of_two(builder: Any, dtype: Any, shifted: Any) -> Any:
    return _power_bits(builder, dtype, builder.bitcast(shifted, _integer(dtype)))


def _scaled(builder: Any, dtype: Any, x: Any, shifted: Any) -> Any:
    k = builder.bitcast(shifted, _integer(dtype))
    half = builder.lshr(k, ir.Constant(k.type, 1))
    first, second = _power_bits(builder, dtype, half), _power_bits(builder, dtype, builder.sub(k, half))
    return builder.fmul(builder.fmul(x, first), second)


power_of_two = _word(_power_of_two)
"""``2**k`` of ``k + shifter``, where that is a normal number."""

scaled = _word(_scaled, 2)
"""``x * 2**k`` of x and ``k + shifter``, rounded once, also where ``2**k`` overflows or underflows."""


def _centred(builder: Any, dtype: Any, x: Any) -> tuple[Any, Any]:
    """The bits of a normal number, moved so that the exponent changes at sqrt(2); and the bits of sqrt(1/2)."""
    kind = _integer(dtype)
    half_root = 0x3F3504F3 if dtype == types.float32 else 0x3FE6A09E667F3BCD
    move = (_bias(dtype) << _DIGITS[dtype]) - half_root
    return builder.add(builder.bitcast(x, kind), ir.Constant(kind, move)), half_root


def _mantissa(builder: Any, dtype: Any, x: Any) -> Any:
    bits, half_root = _centred(builder, dtype, x)
    low = builder.and_(bits, ir.Constant(bits.type, (1 << _DIGITS[dtype]) - 1))
    return builder.bitcast(builder.add(low, ir.Constant(bits.type, half_root)), x.type)


def _exponent(builder: Any, dtype: Any, x: Any) -> Any:
    bits, _ = _centred(builder, dtype, x)
    digits = _DIGITS[dtype]
    top = builder.lshr(bits, ir.Constant(bits.type, digits))
    one = (_bias(dtype) + digits) << digits  # 2**digits, whose last bits are the integers from 0
    number = builder.bitcast(builder.or_(top, ir.Constant(bits.type, one)), x.type)
    return builder.fsub(number, ir.Constant(x.type, float(2**digits + _bias(dtype))))


mantissa = _word(_mantissa)
"""The m in ``x = m * 2**k``, between sqrt(1/2) and sqrt(2); of a positive normal x."""

exponent = _word(_exponent)
"""The k in ``x = m * 2**k``, as a float."""


@function(contract=False)
def two_sum(a, b):  # type: ignore[no-untyped-def]
    """The sum of two floats, and its rounding error (Knuth, "The Art of Computer Programming", volume 2, 4.2.2)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)
