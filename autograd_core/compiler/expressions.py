"""How generated code computes each elementwise operation at one point.

The operands of an expression are in the dtypes that :func:`compute_dtypes` says, its value is in that of the result.

Numba widens: a Python number beside a float32 makes a float64, and the sum of two int32 is an int64.  So every literal
in an expression has a dtype, and what was widened is taken back.  Choices are written ``a if c else b`` of values that
are known, which becomes a select and not a branch, so that loops are vectorised.

What is missing here, or can fail for some values of its operands (a division of integers), runs in Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

__all__ = ["EXPRESSIONS", "cast", "compute_dtypes", "expression"]

Kind: TypeAlias = "np.dtype[Any] | type"
"""Of an operand: its dtype, or the type of a Python number, which takes on the dtype of what it meets."""

DType: TypeAlias = "np.dtype[Any]"

_BOOL, _INT64, _FLOAT64 = np.dtype(bool), np.dtype(np.int64), np.dtype(np.float64)

_DTYPES = frozenset(map(np.dtype, ["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"]))


# Which dtype is computed in


def _common(*kinds: Kind) -> DType:
    """What NumPy's rules make of all together."""
    return np.result_type(*(k if isinstance(k, np.dtype) else k(0) for k in kinds))


def _arithmetic(kinds: Sequence[Kind], result: DType) -> list[DType]:
    # Integers beside a float32 are computed with in float64, and the result is taken back, as the primitives do.
    return [np.promote_types(_common(*kinds), result)] * len(kinds)


def _compared(kinds: Sequence[Kind], result: DType) -> list[DType]:
    common = _common(*kinds)
    return [common if common.kind == "f" else _INT64] * len(kinds)  # -1 is below every uint8


def _close(kinds: Sequence[Kind], result: DType) -> list[DType]:
    return [np.result_type(_common(*kinds), 1.0)] * len(kinds)


_COMPUTED_IN: dict[str, Callable[[Sequence[Kind], DType], list[DType]]] = {
    **dict.fromkeys(["eq", "ne", "lt", "le", "gt", "ge"], _compared),
    **dict.fromkeys(
        ["logical_and", "logical_or", "logical_xor", "logical_not"], lambda kinds, result: [_BOOL] * len(kinds)
    ),
    **dict.fromkeys(
        ["isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "cast", "discrete_cast", "clone"],
        lambda kinds, result: [_common(k) for k in kinds],
    ),
    **dict.fromkeys(
        [
            *(
                "sinh",
                "cosh",
                "asinh",
                "acosh",
                "atanh",
                "tan",
                "asin",
                "acos",
                "atan",
                "atan2",
                "log2",
                "log10",
            ),
            *("pow", "hypot", "logaddexp", "logaddexp2"),
        ],
        lambda kinds, result: [_FLOAT64 if result.kind == "f" else _INT64] * len(kinds),
    ),
    "isclose": _close,
    "where": lambda kinds, result: [_BOOL, *_arithmetic(kinds[1:], result)],
}


def compute_dtypes(name: str, operands: Sequence[Kind], result: Any) -> list[DType]:
    """The dtypes that the operands of an expression have to be in.

    Arithmetic is done in the dtype NumPy's rules give (float64 for an int64 beside a float32), comparisons in that of
    the operands or int64, functions that are rare in float64.

    Parameters
    ----------
    name : of the primitive
    operands : dtypes, or the types of Python numbers (int, float, bool)
    result : the dtype of the result
    """
    return _COMPUTED_IN.get(name, _arithmetic)(operands, np.dtype(result))


def cast(text: str, source: Any, target: Any) -> str:
    """An expression of dtype `source` in another dtype; `text` is a name or something in parentheses.

    >>> import numpy as np
    >>> cast("x", np.float64, np.float32)
    'np.float32(x)'
    """
    source, target = np.dtype(source), np.dtype(target)
    if source == target:
        return text
    if target.kind == "b":
        return f"({text} != np.{source}(0))"
    if source.kind == "f" and target.itemsize < 4:  # NumPy's way: what does not fit wraps
        text = f"np.int32({text})"
    return f"np.{target}({text})"


# The expressions.  {zero}, {tiny}, {half}, {one}, {pi}, {inf}, {cos45} and {phi0} (the normal density at 0) are
# constants of the dtype that is computed in; {last} is the number of its last bit.

_LARGER = "({0} if ({0} >= {1}) | ({0} != {0}) else {1})"
_SMALLER = "({0} if ({0} <= {1}) | ({0} != {0}) else {1})"

_SINC = "({pi} * ({0} if {0} != {zero} else {tiny}))"

_CURVES = [
    *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "tanh", "sigmoid", "sinh", "cosh", "asinh", "acosh"),
    *("atanh", "erf", "erfc", "sin", "cos", "tan", "asin", "acos", "atan", "sqrt", "floor", "ceil", "trunc"),
]

EXPRESSIONS: dict[str, str] = {
    **{name: f"{name}({{0}})" for name in _CURVES},
    **{name: f"{name}({{0}}, {{1}})" for name in ("atan2", "hypot", "logaddexp", "logaddexp2", "copysign", "fmod")},
    **{name: f"{name}({{0}}, {{1}})" for name in ("remainder", "floor_divide", "xlogy", "xlog1py")},
    **dict.fromkeys(["positive", "clone", "cast", "discrete_cast"], "{0}"),
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "neg": "-{0}",
    "abs": "abs({0})",
    "square": "{0} * {0}",
    "reciprocal": "{one} / {0}",
    "root": "sqrt({0})",
    "rsqrt": "{one} / sqrt({0})",
    "pow": "power({0}, {1})",
    "lerp": "({0} + {2} * ({1} - {0}) if abs({2}) < {half} else {1} - ({one} - {2}) * ({1} - {0}))",
    "sinc": "sin(" + _SINC + ") / " + _SINC,
    "frac": "{0} - trunc({0})",
    "ndtr": "{half} * erfc(-{cos45} * {0})",
    "normal_density": "{phi0} * exp(-{half} * {0} * {0})",
    "gated": "({zero} if {1} == {zero} else {0} * {1})",
    "sign": "({one} if {0} > {zero} else (-{one} if {0} < {zero} else ({0} if {0} != {0} else {zero})))",
    "heaviside": "({zero} if {0} < {zero} else ({one} if {0} > {zero} else ({1} if {0} == {zero} else {0})))",
    # Choices
    "relu": "({zero} if {0} <= {zero} else {0})",
    "maximum": _LARGER,
    "minimum": _SMALLER,
    "clamp_min": _LARGER,
    "clamp_max": _SMALLER,
    "fmax": "({1} if ({0} < {1}) | ({0} != {0}) else {0})",
    "fmin": "({1} if ({0} > {1}) | ({0} != {0}) else {0})",
    "where": "({1} if {0} else {2})",
    # Comparisons and logic
    "eq": "{0} == {1}",
    "ne": "{0} != {1}",
    "lt": "{0} < {1}",
    "le": "{0} <= {1}",
    "gt": "{0} > {1}",
    "ge": "{0} >= {1}",
    "logical_and": "{0} & {1}",
    "logical_or": "{0} | {1}",
    "logical_xor": "{0} ^ {1}",
    "logical_not": "not {0}",
    "isnan": "{0} != {0}",
    "isinf": "abs({0}) == {inf}",
    "isfinite": "abs({0}) < {inf}",
    "isposinf": "{0} == {inf}",
    "isneginf": "{0} == -{inf}",
    "signbit": "copysign({one}, {0}) < {zero}",
}
"""The expression of each primitive that has one, on floats."""

_OF_INTEGERS: dict[str, str | None] = {
    **dict.fromkeys(["floor", "ceil", "trunc"], "{0}"),
    "pow": "integer_power({0}, {1})",
    "floor_divide": "{0} // {1}",
    "remainder": "{0} % {1}",
    "fmod": "{0} % {1} - ({1} if ({0} % {1} != {zero}) & (({0} ^ {1}) < {zero}) else {zero})",
    "lerp": "({0} if {2} == {zero} else {1} - ({one} - {2}) * ({1} - {0}))",
    "frac": "{0} - {0}",
    "bitwise_and": "{0} & {1}",
    "bitwise_or": "{0} | {1}",
    "bitwise_xor": "{0} ^ {1}",
    "bitwise_not": "~{0}",
    # A shift by more than there is takes all bits away.
    "bitwise_left_shift": "({0} << ({1} & {last}) if ({1} & ~{last}) == {zero} else {zero})",
    "bitwise_right_shift": "np.int64({0}) >> (np.int64({1}) if ({1} & ~{last}) == {zero} else np.int64(63))",
    "isnan": "False",
    "isinf": "False",
    "isfinite": "True",
    "isposinf": "False",
    "isneginf": "False",
    "signbit": "{0} < {zero}",
    "nan_to_num": "{0}",
}
"""What is different on integers."""

_OF_BOOLS: dict[str, str | None] = {
    **dict.fromkeys(["add", "maximum", "fmax", "clamp_min", "bitwise_or"], "{0} | {1}"),
    **dict.fromkeys(["mul", "minimum", "fmin", "clamp_max", "bitwise_and"], "{0} & {1}"),
    **dict.fromkeys(["abs", "square", "positive"], "{0}"),
    **dict.fromkeys(["sub", "neg", "sign"], None),
    "where": "(bool({1}) if {0} else bool({2}))",
    "bitwise_xor": "{0} ^ {1}",
    "bitwise_not": "not {0}",
    "signbit": "False",
}
"""What is different on bools."""

_DIVIDES = frozenset(["floor_divide", "remainder", "fmod", "pow"])
"""What raises for some integers: 0, or a negative exponent.  A literal was looked at when it was recorded."""


def _parameters(name: str, kind: str, params: dict[str, Any], dtype: DType) -> str | None:
    """The expression of a primitive with parameters."""

    def number(value: float) -> str:
        return f"np.{dtype}({float(value)!r})".replace("inf", "np.inf").replace("nan", "np.nan")

    if name == "round":
        decimals = params.get("decimals", 0)
        if kind != "f":
            return "{0}" if decimals >= 0 else None
        if decimals == 0:
            return "rint({0})"
        power, (before, after) = number(10 ** abs(decimals)), "*/" if decimals > 0 else "/*"
        return f"rint({{0}} {before} {power}) {after} {power}"
    if name == "isclose":
        atol, rtol = number(params.get("atol", 1e-08)), number(params.get("rtol", 1e-05))
        close = f"(abs({{0}} - {{1}}) <= {atol} + {rtol} * abs({{1}})) & (abs({{1}}) < {{inf}}) | ({{0}} == {{1}})"
        return f"{close} | (({{0}} != {{0}}) & ({{1}} != {{1}}))" if params.get("equal_nan") else close
    if name == "nan_to_num" and kind == "f":
        nan, posinf, neginf = (params.get(k) for k in ("nan", "posinf", "neginf"))
        most = float(np.finfo(dtype).max)
        high, low = number(most if posinf is None else posinf), number(-most if neginf is None else neginf)
        return (
            f"({number(0.0 if nan is None else nan)} if {{0}} != {{0}} else "
            f"({high} if {{0}} == {{inf}} else ({low} if {{0}} == -{{inf}} else {{0}})))"
        )
    return None


_FUNCTIONS = {
    **dict.fromkeys(["exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "xlogy", "xlog1py"], "exponential"),
    **dict.fromkeys(["tanh", "sigmoid", "sinh", "cosh", "asinh", "acosh", "atanh"], "hyperbolic"),
    **dict.fromkeys(["power", "integer_power", "logaddexp", "logaddexp2", "hypot"], "powers"),
    **dict.fromkeys(["erf", "erf32", "erfc"], "error_function"),
    **dict.fromkeys(["sin", "sin32", "cos", "cos32", "tan", "asin", "acos", "atan", "atan2"], "trigonometric"),
    **dict.fromkeys(["floor", "ceil", "trunc", "rint", "sqrt", "copysign"], "typed"),
    **dict.fromkeys(["fmod", "remainder", "floor_divide"], "remainders"),
}
"""The module of `autograd_core.kernels` that has each function; those in 32 are the ones for float32."""


def _template(name: str, kind: str, params: dict[str, Any], dtype: DType) -> str | None:
    found = _parameters(name, kind, params, dtype)
    if found is not None:
        return found
    if kind == "b" and name in _OF_BOOLS:
        return _OF_BOOLS[name]
    if kind in "biu" and name in _OF_INTEGERS:
        return _OF_INTEGERS[name]
    return EXPRESSIONS.get(name)


def expression(name: str, operands: Sequence[Kind], result: Any, params: dict[str, Any]) -> tuple[str, set[str]] | None:
    """The expression of an operation, and the functions of `autograd_core.kernels` it calls, as ``module.function``.

    Parameters
    ----------
    name : of the primitive
    operands : dtypes, or the types of Python numbers (int, float, bool)
    result : the dtype of the result
    params : the primitive's parameters

    Returns
    -------
    tuple, or None if the operation has to run in Python
        The text has ``{0}``, ``{1}`` ... for the operands, which have to be cast to :func:`compute_dtypes`, and be
        names or in parentheses.

    >>> import numpy as np
    >>> expression("relu", [np.dtype("float32")], "float32", {})
    ('(np.float32(0) if {0} <= np.float32(0) else {0})', set())
    """
    result = np.dtype(result)
    if not _DTYPES.issuperset([result, *(k for k in operands if isinstance(k, np.dtype))]):
        return None
    dtype = compute_dtypes(name, operands, result)[-1]
    if name in _DIVIDES and result.kind != "f" and operands[1] is not int:
        return None
    text = _template(name, dtype.kind, params, dtype)
    if text is None:
        return None
    number = f"np.{dtype}({{}})".format
    constants = {"zero": number(0), "one": number(1), "last": number(8 * dtype.itemsize - 1)}
    if dtype.kind == "f":
        constants |= {"half": number(0.5), "tiny": number(1e-20), "pi": number(np.pi), "inf": number("np.inf")}
        constants |= {"cos45": number(np.sqrt(0.5)), "phi0": number(1 / np.sqrt(2 * np.pi))}
    text = text.format("{0}", "{1}", "{2}", **constants)
    if dtype == np.float32:
        text = re.sub(r"\b(erf|sin|cos)\(", r"\g<1>32(", text)
    functions = {f"{_FUNCTIONS[f]}.{f}" for f in re.findall(r"(?<!\.)\b(\w+)\(", text) if f in _FUNCTIONS}
    return _taken_back(text, name, dtype, result), functions


_TRUTHS = frozenset(
    ["eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "isclose"]
)


def _taken_back(text: str, name: str, dtype: DType, result: DType) -> str:
    """An expression computed in one dtype, in that of the result."""
    if name in _TRUTHS:
        return text
    if dtype != result:
        return cast(text if text == "{0}" else f"({text})", dtype, result)
    return f"np.{result}({text})" if result.kind in "iu" and result.itemsize < 8 and text != "{0}" else text
