"""Comparisons and logic: results without gradients, mostly bool."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from ..tensor import Tensor

__all__ = [
    "allclose",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "eq",
    "equal",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "le",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
    "not_equal",
    "signbit",
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
signbit = _named("signbit", np.signbit, "Whether the sign bit is set: negative, or -0", _FLOATS[:1])
isnan = _named("isnan", np.isnan, "Whether the input is NaN", _FLOATS[:1])
isinf = _named("isinf", np.isinf, "Whether the input is infinite", _FLOATS[:1])
isfinite = _named("isfinite", np.isfinite, "Whether the input is neither NaN nor infinite", _FLOATS[:1])

greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne


def _integers(rng: np.random.Generator) -> list[Sample]:
    return [Sample(rng.integers(-99, 99, size=(2, 3)), rng.integers(0, 9, size=3))]


@primitive(numpy=np.left_shift, elementwise=True, domains=_BOOLS, samples=_integers)
def bitwise_left_shift(input: Any, other: Any) -> Any:
    """``input << other``: the bits of integers moved up, ``input * 2**other``; broadcast, has no gradient.

    >>> import autograd_core as ag
    >>> ag.bitwise_left_shift(ag.tensor([1, 3]), 2)
    tensor([ 4, 12])
    """
    return np.left_shift(input, other)


@primitive(numpy=np.right_shift, elementwise=True, domains=_BOOLS, samples=_integers)
def bitwise_right_shift(input: Any, other: Any) -> Any:
    """``input >> other``: the bits of integers moved down, ``floor(input / 2**other)``; broadcast, has no gradient.

    >>> import autograd_core as ag
    >>> ag.bitwise_right_shift(ag.tensor([8, -3]), 1)
    tensor([ 4, -2])
    """
    return np.right_shift(input, other)


@primitive(numpy=np.isposinf, elementwise=True, samples=lambda rng: [Sample(np.array([np.inf, -np.inf, np.nan, 0.0]))])
def isposinf(input: Any) -> Any:
    """Whether the input is +inf, elementwise; has no gradient.

    >>> import autograd_core as ag
    >>> ag.isposinf(ag.tensor([float("inf"), -float("inf"), 1.0]))
    tensor([ True, False, False])
    """
    return np.equal(input, np.inf)


@primitive(numpy=np.isneginf, elementwise=True, samples=lambda rng: [Sample(np.array([np.inf, -np.inf, np.nan, 0.0]))])
def isneginf(input: Any) -> Any:
    """Whether the input is -inf, elementwise; has no gradient.

    >>> import autograd_core as ag
    >>> ag.isneginf(ag.tensor([float("inf"), -float("inf"), 1.0]))
    tensor([False,  True, False])
    """
    return np.equal(input, -np.inf)


@primitive(reference=np.isclose, elementwise=True)
def _isclose(input: Any, other: Any, *, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    return np.isclose(input, other, rtol, atol, equal_nan)


@implements(np.isclose)
def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Whether ``|input - other| <= atol + rtol * |other|``, elementwise and broadcast; has no gradient.

    Equal infinities are close; NaNs are if `equal_nan`.

    >>> import autograd_core as ag
    >>> ag.isclose(ag.tensor([1.0, 2.0]), ag.tensor([1.0 + 1e-7, 2.1]))
    tensor([ True, False])
    """
    return _isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


def _values(x: Any, asked: str) -> Any:
    return x._known(asked) if isinstance(x, Tensor) else x


@implements(np.allclose)
def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether ``|input - other| <= atol + rtol * |other|`` everywhere.

    >>> import autograd_core as ag
    >>> ag.allclose(ag.tensor([1.0]), ag.tensor([1.0 + 1e-7]))
    True
    """
    return bool(np.allclose(_values(input, "allclose"), _values(other, "allclose"), rtol, atol, equal_nan))


@implements(np.array_equal)
def equal(input: Any, other: Any) -> bool:
    """Whether the two have the same shape and the same values.

    >>> import autograd_core as ag
    >>> ag.equal(ag.tensor([1, 2]), ag.tensor([1, 2]))
    True
    """
    return bool(np.array_equal(_values(input, "equal"), _values(other, "equal")))
