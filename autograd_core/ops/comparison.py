"""Comparisons and logic: results without gradients, mostly bool."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import implements, primitive

__all__ = [
    "allclose",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "eq",
    "equal",
    "ge",
    "gt",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
]


def _named(name: str, ufunc: Any, meaning: str, domains: tuple[Any, ...]) -> Any:
    """The primitive of a NumPy function that has no derivative."""

    def unary(input: Any) -> Any:
        return ufunc(input)

    def binary(input: Any, other: Any) -> Any:
        return ufunc(input, other)

    forward: Any = unary if ufunc.nin == 1 else binary
    forward.__name__ = name
    forward.__doc__ = f"{meaning}, elementwise and broadcast; has no gradient."
    return primitive(numpy=ufunc, elementwise=True, domains=domains)(forward)


_FLOATS = ((-2.0, 2.0), (-2.0, 2.0))
_BOOLS = (bool, bool)

eq = _named("eq", np.equal, "``input == other``", _FLOATS)
ne = _named("ne", np.not_equal, "``input != other``", _FLOATS)
lt = _named("lt", np.less, "``input < other``", _FLOATS)
le = _named("le", np.less_equal, "``input <= other``", _FLOATS)
gt = _named("gt", np.greater, "``input > other``", _FLOATS)
ge = _named("ge", np.greater_equal, "``input >= other``", _FLOATS)
logical_and = _named("logical_and", np.logical_and, "Whether both are true (not 0)", _BOOLS)
logical_or = _named("logical_or", np.logical_or, "Whether either is true (not 0)", _BOOLS)
logical_xor = _named("logical_xor", np.logical_xor, "Whether exactly one is true (not 0)", _BOOLS)
logical_not = _named("logical_not", np.logical_not, "Whether the input is false (0)", _BOOLS[:1])
bitwise_and = _named("bitwise_and", np.bitwise_and, "``input & other`` of integers or bools", _BOOLS)
bitwise_or = _named("bitwise_or", np.bitwise_or, "``input | other`` of integers or bools", _BOOLS)
bitwise_xor = _named("bitwise_xor", np.bitwise_xor, "``input ^ other`` of integers or bools", _BOOLS)
bitwise_not = _named("bitwise_not", np.bitwise_not, "``~input`` of integers or bools", _BOOLS[:1])
isnan = _named("isnan", np.isnan, "Whether the input is NaN", _FLOATS[:1])
isinf = _named("isinf", np.isinf, "Whether the input is infinite", _FLOATS[:1])
isfinite = _named("isfinite", np.isfinite, "Whether the input is neither NaN nor infinite", _FLOATS[:1])


def _values(x: Any) -> Any:
    return getattr(x, "array", x)


@implements(np.allclose)
def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether ``|input - other| <= atol + rtol * |other|`` everywhere.

    >>> import autograd_core as ag
    >>> ag.allclose(ag.tensor([1.0]), ag.tensor([1.0 + 1e-7]))
    True
    """
    return bool(np.allclose(_values(input), _values(other), rtol, atol, equal_nan))


@implements(np.array_equal)
def equal(input: Any, other: Any) -> bool:
    """Whether the two have the same shape and the same values.

    >>> import autograd_core as ag
    >>> ag.equal(ag.tensor([1, 2]), ag.tensor([1, 2]))
    True
    """
    return bool(np.array_equal(_values(input), _values(other)))
