"""Arithmetic, elementwise.

The operators ``+``, ``-`` and ``/`` are the bare primitives `_add`, `_sub` and `_div`; the functions of those names
take PyTorch's options as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import float64
from ..primitive import Kink, implements, primitive, quiet
from .casting import cast
from .rounding import floor_divide, fmod, integral, trunc

inf, nan = np.inf, np.nan

__all__ = [
    "abs",
    "absolute",
    "add",
    "addcdiv",
    "addcmul",
    "copysign",
    "div",
    "divide",
    "float_power",
    "hypot",
    "lerp",
    "mul",
    "multiply",
    "neg",
    "negative",
    "positive",
    "pow",
    "reciprocal",
    "rsub",
    "square",
    "sub",
    "subtract",
    "true_divide",
]


@primitive(numpy=np.add, elementwise=True)
def _add(input: Any, other: Any) -> Any:
    return np.add(input, other)


_add.defvjp(lambda g: g, lambda g: g)


@primitive(numpy=np.subtract, elementwise=True)
def _sub(input: Any, other: Any) -> Any:
    return np.subtract(input, other)


_sub.defvjp(lambda g: g, lambda g: -g)


@primitive(
    numpy=np.multiply,
    elementwise=True,
    kinks=[Kink(0.0, inf, value=nan, grads=[inf, 0.0])],
)
def mul(input: Any, other: Any) -> Any:
    """``input * other``, broadcast.  Each factor's gradient is scaled by the other factor.

    >>> import autograd_core as ag
    >>> 3 * ag.tensor([1.0, 2.0])
    tensor([3., 6.])
    """
    return np.multiply(input, other)


mul.defvjp(lambda g, other: g * other, lambda g, input: g * input)
multiply = mul


def _scaled(x: Any, factor: Any) -> Any:
    """`x` times the option of a sum, whose default is 1."""
    return x if isinstance(factor, (int, float)) and factor == 1 else mul(x, factor)


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """``input + alpha * other``, broadcast.  The gradient goes to both unchanged (to `other` times alpha).

    >>> import autograd_core as ag
    >>> ag.add(ag.tensor([1.0, 2.0]), 10, alpha=0.5)
    tensor([6., 7.])
    """
    return _add(input, _scaled(other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """``input - alpha * other``, broadcast.

    >>> import autograd_core as ag
    >>> ag.sub(1, ag.tensor([1.0, 2.0]))
    tensor([ 0., -1.])
    """
    return _sub(input, _scaled(other, alpha))


subtract = sub


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """``other - alpha * input``, broadcast.

    >>> import autograd_core as ag
    >>> ag.rsub(ag.tensor([1.0, 2.0]), 1)
    tensor([ 0., -1.])
    """
    return sub(other, input, alpha=alpha)


def _is_divisor(x: Any) -> bool:
    return isinstance(x, (int, float)) and x != 0


@primitive(
    numpy=np.true_divide,
    elementwise=True,
    domains=((-2.0, 2.0), (0.5, 2.0)),
    kinks=[
        Kink(1.0, 0.0, value=inf, grads=[inf, -inf]),
        Kink(0.0, 0.0, value=nan, grads=[nan, nan]),
    ],
)
@quiet
def _div(input: Any, other: Any) -> Any:
    return np.true_divide(input, other)


_div.defvjp(
    # A quotient that is NaN has a gradient of NaN; divided by a number that is not 0, the input was NaN before.
    lambda g, out, other: g / other if _is_divisor(other) else np.where(out == out, g / other, nan),
    lambda g, out, other: -g * out / other,
)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """``input / other``, broadcast: the true quotient, or rounded.

    1/0 is inf with gradients (inf, -inf); 0/0 is NaN with NaN gradients.

    Parameters
    ----------
    rounding_mode : "floor" rounds down, "trunc" towards 0; then integers give integers, and the gradient is 0

    Raises
    ------
    ValueError
        If `rounding_mode` is something else.
    ZeroDivisionError
        If integers are divided by 0 and rounded.

    >>> import autograd_core as ag
    >>> ag.div(ag.tensor([1.0, 2.0]), 4)
    tensor([0.25, 0.5 ])
    >>> ag.div(ag.tensor([-7, 7]), 2, rounding_mode="trunc")
    tensor([-3,  3])
    """
    if rounding_mode is None:
        return _div(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode == "trunc":
        if integral(input, other):
            return floor_divide(_sub(input, fmod(input, other)), other)
        return trunc(_div(input, other))
    raise ValueError(f"div: rounding_mode must be 'floor', 'trunc' or None, got {rounding_mode!r}")


divide = true_divide = div


@primitive(
    numpy=np.power,
    elementwise=True,
    domains=((0.5, 2.0), (-2.0, 2.0)),
    kinks=[
        Kink(0.0, 0.0, value=1.0, grads=[0.0, 0.0]),
        Kink(-2.0, 3.0, value=-8.0, grads=[12.0, nan]),
        Kink(0.0, 0.5, value=0.0, grads=[inf, 0.0]),
        Kink(0.0, -1.0, value=inf, grads=[-inf, None]),
    ],
)
@quiet
def pow(input: Any, other: Any) -> Any:
    """``input ** other``, broadcast.

    The gradients are ``y x**(y-1)`` (0 where y is 0) and ``x**y log x`` (0 where x is 0 and y is not negative).  The
    logarithm is taken only when the exponent requires a gradient, so ``(-2) ** 3.0`` with a constant exponent is fine.

    >>> import autograd_core as ag
    >>> ag.tensor([1.0, 2.0, 3.0]) ** 2
    tensor([1., 4., 9.])
    """
    return input**other


pow.defvjp(
    lambda g, input, other: g * np.where(other == 0, 0.0, other * input ** (other - 1)),
    lambda g, out, input, other: g * np.where((input == 0) & (other >= 0), 0.0, out * np.log(input)),
)


@implements(np.float_power)
def float_power(input: Any, exponent: Any) -> Any:
    """``input ** exponent`` in float64, broadcast.

    >>> import autograd_core as ag
    >>> ag.float_power(ag.tensor([2, 4]), -1)
    tensor([0.5 , 0.25], dtype=float64)
    """
    return pow(*(x if isinstance(x, (int, float)) else cast(x, float64) for x in (input, exponent)))


@primitive(numpy=np.square, elementwise=True)
@quiet
def square(input: Any) -> Any:
    """``input * input``.

    >>> import autograd_core as ag
    >>> ag.square(ag.tensor([1.0, -2.0]))
    tensor([1., 4.])
    """
    return np.square(input)


square.defvjp(lambda g, input: g * (2 * input))


@primitive(
    numpy=np.reciprocal,
    elementwise=True,
    domains=((0.5, 2.0),),
    kinks=[Kink(0.0, value=inf, grads=[-inf])],
)
@quiet
def reciprocal(input: Any) -> Any:
    """``1 / input``; inf with gradient -inf at 0.

    >>> import autograd_core as ag
    >>> ag.reciprocal(ag.tensor([2.0, 4.0]))
    tensor([0.5 , 0.25])
    """
    return np.true_divide(1, input)


reciprocal.defvjp(lambda g, out: -g * out * out)


@primitive(numpy=np.negative, elementwise=True)
def neg(input: Any) -> Any:
    """``-input``.

    >>> import autograd_core as ag
    >>> -ag.tensor([1.0, -2.0])
    tensor([-1.,  2.])
    """
    return np.negative(input)


neg.defvjp(lambda g: -g)
negative = neg


@primitive(numpy=np.absolute, elementwise=True, domains=((0.5, 2.0),), kinks=[Kink(0.0, value=0.0, grads=[0.0])])
def abs(input: Any) -> Any:
    """``|input|``; the gradient is the sign, and 0 at 0 (the smallest subgradient).

    >>> import autograd_core as ag
    >>> ag.abs(ag.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    return np.absolute(input)


abs.defvjp(lambda g, input: g * np.sign(input))
absolute = abs


@primitive(numpy=np.positive, elementwise=True)
def positive(input: Any) -> Any:
    """``+input``: the same values.

    >>> import autograd_core as ag
    >>> ag.positive(ag.tensor([1.0, -2.0]))
    tensor([ 1., -2.])
    """
    return np.positive(input)


positive.defvjp(lambda g: g)


@primitive(
    numpy=np.copysign,
    elementwise=True,
    domains=((0.5, 2.0), (-2.0, -0.5)),
    kinks=[
        Kink(0.0, -1.0, value=-0.0, grads=[0.0, 0.0]),
        Kink([-3.0, -3.0], [0.0, -0.0], value=[3.0, -3.0], grads=[[-1.0, 1.0], [0.0, 0.0]]),
    ],
)
def copysign(input: Any, other: Any) -> Any:
    """The size of `input` with the sign of `other` (also that of -0), broadcast.

    The gradient by `input` is 1 or -1, as its sign was kept or turned, and 0 at 0; by `other` it is 0.

    >>> import autograd_core as ag
    >>> ag.copysign(ag.tensor([1.0, -2.0]), -1)
    tensor([-1., -2.])
    """
    return np.copysign(input, other)


copysign.defvjp(
    lambda g, input, other: g * (np.sign(input) * np.copysign(1.0, other)),
    lambda g: np.zeros_like(g),
)


@primitive(
    numpy=np.hypot,
    elementwise=True,
    domains=((0.5, 2.0), (-2.0, 2.0)),
    kinks=[Kink([0.0, 3.0], [0.0, -4.0], value=[0.0, 5.0], grads=[[0.0, 0.6], [0.0, -0.8]])],
)
@quiet
def hypot(input: Any, other: Any) -> Any:
    """``sqrt(input**2 + other**2)`` without overflow, broadcast; at the origin the gradients are 0.

    >>> import autograd_core as ag
    >>> ag.hypot(ag.tensor([3.0]), ag.tensor([4.0]))
    tensor([5.])
    """
    return np.hypot(input, other)


hypot.defvjp(
    lambda g, out, input: g * np.where(out == 0, 0.0, input / out),
    lambda g, out, other: g * np.where(out == 0, 0.0, other / out),
)


# Of three


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """``input + value * tensor1 * tensor2``, broadcast.

    >>> import autograd_core as ag
    >>> ag.addcmul(ag.ones(2), ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0]), value=0.5)
    tensor([2.5, 5. ])
    """
    return _add(input, _scaled(mul(tensor1, tensor2), value))


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """``input + value * tensor1 / tensor2``, broadcast.

    >>> import autograd_core as ag
    >>> ag.addcdiv(ag.ones(2), ag.tensor([1.0, 2.0]), ag.tensor([4.0, 4.0]), value=2)
    tensor([1.5, 2. ])
    """
    return _add(input, _scaled(_div(tensor1, tensor2), value))


@primitive(
    reference=lambda a, b, t: (1 - t) * a + t * b,
    elementwise=True,
    domains=((-2.0, 2.0), (-2.0, 2.0), (-1.0, 2.0)),
    kinks=[Kink([0.1, 0.1], [0.7, 0.7], [0.0, 1.0], value=[0.1, 0.7], grads=[[1.0, 0.0], [0.0, 1.0], [0.6, 0.6]])],
)
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """``input + weight * (end - input)``: from `input` at weight 0 to `end` at weight 1, both exactly; broadcast.

    >>> import autograd_core as ag
    >>> ag.lerp(ag.tensor([0.0, 1.0]), ag.tensor([10.0, 3.0]), 0.5)
    tensor([5., 2.])
    """
    distance = np.subtract(end, input)
    near = np.absolute(weight) < 0.5
    return np.where(near, input + weight * distance, end - np.subtract(1, weight) * distance)


lerp.defvjp(
    lambda g, weight: g * (1 - weight),
    lambda g, weight: g * weight,
    lambda g, input, end: g * (end - input),
)
