"""Elementwise primitives: each output element depends on one element of each (broadcast) input."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Kink, implements, primitive
from .arguments import aliases

__all__ = [
    "abs",
    "add",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "cos",
    "div",
    "exp",
    "expm1",
    "log",
    "log1p",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "pow",
    "relu",
    "sigmoid",
    "sign",
    "sin",
    "sqrt",
    "sub",
    "tanh",
    "where",
]

nan, inf = np.nan, np.inf
quiet = np.errstate(all="ignore")  # as a decorator: infinities and NaNs below are documented results, not accidents


# Arithmetic


@primitive(numpy=np.add, elementwise=True)
def add(input: Any, other: Any) -> Any:
    """``input + other``, broadcast.  The gradient goes to both unchanged.

    >>> import autograd_core as ag
    >>> ag.tensor([1.0, 2.0]) + 10
    tensor([11., 12.])
    """
    return np.add(input, other)


add.defvjp(lambda g: g, lambda g: g)


@primitive(numpy=np.subtract, elementwise=True)
def sub(input: Any, other: Any) -> Any:
    """``input - other``, broadcast.

    >>> import autograd_core as ag
    >>> 1 - ag.tensor([1.0, 2.0])
    tensor([ 0., -1.])
    """
    return np.subtract(input, other)


sub.defvjp(lambda g: g, lambda g: -g)


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
def div(input: Any, other: Any) -> Any:
    """``input / other``, broadcast; true division.

    1/0 is inf with gradients (inf, -inf); 0/0 is NaN with NaN gradients.

    >>> import autograd_core as ag
    >>> ag.tensor([1.0, 2.0]) / 4
    tensor([0.25, 0.5 ])
    """
    return np.true_divide(input, other)


div.defvjp(
    lambda g, out, other: np.where(out == out, g / other, nan),
    lambda g, out, other: -g * out / other,
)


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


@primitive(numpy=np.negative, elementwise=True)
def neg(input: Any) -> Any:
    """``-input``.

    >>> import autograd_core as ag
    >>> -ag.tensor([1.0, -2.0])
    tensor([-1.,  2.])
    """
    return np.negative(input)


neg.defvjp(lambda g: -g)


@primitive(numpy=np.absolute, elementwise=True, domains=((0.5, 2.0),), kinks=[Kink(0.0, value=0.0, grads=[0.0])])
def abs(input: Any) -> Any:
    """``|input|``; the gradient is the sign, and 0 at 0 (the smallest subgradient).

    >>> import autograd_core as ag
    >>> ag.abs(ag.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    return np.absolute(input)


abs.defvjp(lambda g, input: g * np.sign(input))


@primitive(numpy=np.sign, elementwise=True, domains=((0.5, 2.0),), kinks=[Kink(0.0, value=0.0, grads=[0.0])])
def sign(input: Any) -> Any:
    """-1, 0 or 1 by the sign of the input; the gradient is 0.

    >>> import autograd_core as ag
    >>> ag.sign(ag.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    return np.sign(input)


sign.defvjp(lambda g: np.zeros_like(g))


# Exponentials, powers, waves


@primitive(numpy=np.exp, elementwise=True, kinks=[Kink(1000.0, value=inf, grads=[inf])])
@quiet
def exp(input: Any) -> Any:
    """``e ** input``.

    >>> import autograd_core as ag
    >>> ag.exp(ag.tensor([0.0, 1.0]))
    tensor([1.    , 2.7183])
    """
    return np.exp(input)


exp.defvjp(lambda g, out: g * out)


@primitive(numpy=np.expm1, elementwise=True)
@quiet
def expm1(input: Any) -> Any:
    """``e ** input - 1``, accurate near 0.

    >>> import autograd_core as ag
    >>> ag.expm1(ag.tensor([1e-10]))
    tensor([1.e-10])
    """
    return np.expm1(input)


expm1.defvjp(lambda g, out: g * (out + 1))


@primitive(
    numpy=np.log,
    elementwise=True,
    domains=((0.5, 3.0),),
    kinks=[Kink(0.0, value=-inf, grads=[inf]), Kink(-1.0, value=nan, grads=[nan])],
)
@quiet
def log(input: Any) -> Any:
    """The natural logarithm; -inf with gradient inf at 0, NaN with gradient NaN below.

    >>> import autograd_core as ag
    >>> ag.log(ag.tensor([1.0, 2.7182817]))
    tensor([0., 1.])
    """
    return np.log(input)


log.defvjp(lambda g, input: g / np.where(input < 0, nan, input))


@primitive(
    numpy=np.log1p,
    elementwise=True,
    domains=((-0.5, 2.0),),
    kinks=[Kink(-1.0, value=-inf, grads=[inf]), Kink(-2.0, value=nan, grads=[nan])],
)
@quiet
def log1p(input: Any) -> Any:
    """``log(1 + input)``, accurate near 0; -inf with gradient inf at -1.

    >>> import autograd_core as ag
    >>> ag.log1p(ag.tensor([1e-10]))
    tensor([1.e-10])
    """
    return np.log1p(input)


log1p.defvjp(lambda g, input: g / np.where(input < -1, nan, input + 1))


@primitive(
    numpy=np.sqrt,
    elementwise=True,
    domains=((0.5, 3.0),),
    kinks=[Kink(0.0, value=0.0, grads=[inf]), Kink(-1.0, value=nan, grads=[nan])],
)
@quiet
def sqrt(input: Any) -> Any:
    """The square root; the gradient is inf at 0, and NaN below, where the root is NaN.

    >>> import autograd_core as ag
    >>> ag.sqrt(ag.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return np.sqrt(input)


sqrt.defvjp(lambda g, out: g / (2 * out))


@primitive(reference=np.sqrt, elementwise=True, domains=((0.5, 3.0),), kinks=[Kink(0.0, value=0.0, grads=[0.0])])
@quiet
def _root(input: Any) -> Any:
    """The root of a sum of squares: as `sqrt`, but with gradient 0 at 0, the smallest subgradient of a norm there."""
    return np.sqrt(input)


_root.defvjp(lambda g, out: np.where(out == 0, 0.0, g / (2 * out)))


@primitive(numpy=np.sin, elementwise=True)
@quiet
def sin(input: Any) -> Any:
    """The sine, of radians.

    >>> import autograd_core as ag
    >>> ag.sin(ag.tensor([0.0, 0.5235988]))
    tensor([0. , 0.5])
    """
    return np.sin(input)


sin.defvjp(lambda g, input: g * np.cos(input))


@primitive(numpy=np.cos, elementwise=True)
@quiet
def cos(input: Any) -> Any:
    """The cosine, of radians.

    >>> import autograd_core as ag
    >>> ag.cos(ag.tensor([0.0, 1.0471976]))
    tensor([1. , 0.5])
    """
    return np.cos(input)


cos.defvjp(lambda g, input: -g * np.sin(input))


# Activations


@primitive(numpy=np.tanh, elementwise=True)
def tanh(input: Any) -> Any:
    """The hyperbolic tangent; gradient ``1 - tanh**2``.

    >>> import autograd_core as ag
    >>> ag.tanh(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.7616])
    """
    return np.tanh(input)


tanh.defvjp(lambda g, out: g * (1 - out * out))


@primitive(
    elementwise=True,
    reference=lambda x: 0.5 + 0.5 * np.tanh(x / 2),
    kinks=[Kink(1000.0, value=1.0, grads=[0.0]), Kink(-1000.0, value=0.0, grads=[0.0])],
)
def sigmoid(input: Any) -> Any:
    """``1 / (1 + exp(-input))``, computed from ``exp(-|input|)``, so that nothing overflows.

    >>> import autograd_core as ag
    >>> ag.sigmoid(ag.tensor([-1000.0, 0.0, 1.0]))
    tensor([0.    , 0.5   , 0.7311])
    """
    small = np.exp(-np.absolute(input))
    return np.where(np.less(input, 0), small, 1.0) / (1.0 + small)


sigmoid.defvjp(lambda g, out: g * out * (1 - out))


@primitive(
    elementwise=True,
    routes=True,
    reference=lambda x: np.where(x > 0, x, 0),
    domains=((0.5, 2.0),),
    kinks=[Kink(0.0, value=0.0, grads=[0.0]), Kink(-0.0, value=0.0, grads=[0.0]), Kink(-1.0, value=0.0, grads=[0.0])],
)
def relu(input: Any) -> Any:
    """``max(input, 0)``; the gradient passes where the input is positive, and is 0 at 0.

    >>> import autograd_core as ag
    >>> ag.relu(ag.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    return np.maximum(input, 0)


relu.defvjp(lambda g, out: np.where(out > 0, g, 0.0))


# Selection


def _winner_takes(g: Any, a: Any, b: Any, larger: Any) -> Any:
    """The part of `g` that goes to `a`: all where it won or is NaN, half at a tie."""
    tie = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(tie, 0.5 * g, np.where(larger | np.isnan(a), g, 0.0))


@primitive(
    numpy=np.maximum,
    elementwise=True,
    routes=True,
    domains=((0.0, 1.0), (1.5, 2.0)),
    kinks=[
        Kink(1.0, 1.0, value=1.0, grads=[0.5, 0.5]),
        Kink(nan, 1.0, value=nan, grads=[1.0, 0.0]),
        Kink(2.0, 1.0, value=2.0, grads=[1.0, 0.0]),
    ],
)
def maximum(input: Any, other: Any) -> Any:
    """The larger of two, elementwise; NaN wins.  The gradient goes to the larger, and half to each at a tie.

    >>> import autograd_core as ag
    >>> ag.maximum(ag.tensor([1.0, 5.0]), ag.tensor([2.0, 3.0]))
    tensor([2., 5.])
    """
    return np.maximum(input, other)


maximum.defvjp(
    lambda g, input, other: _winner_takes(g, input, other, input > other),
    lambda g, input, other: _winner_takes(g, other, input, other > input),
)


@primitive(
    numpy=np.minimum,
    elementwise=True,
    routes=True,
    domains=((0.0, 1.0), (1.5, 2.0)),
    kinks=[
        Kink(1.0, 1.0, value=1.0, grads=[0.5, 0.5]),
        Kink(1.0, nan, value=nan, grads=[0.0, 1.0]),
        Kink(2.0, 1.0, value=1.0, grads=[0.0, 1.0]),
    ],
)
def minimum(input: Any, other: Any) -> Any:
    """The smaller of two, elementwise; NaN wins.  The gradient goes to the smaller, and half to each at a tie.

    >>> import autograd_core as ag
    >>> ag.minimum(ag.tensor([1.0, 5.0]), ag.tensor([2.0, 3.0]))
    tensor([1., 3.])
    """
    return np.minimum(input, other)


minimum.defvjp(
    lambda g, input, other: _winner_takes(g, input, other, input < other),
    lambda g, input, other: _winner_takes(g, other, input, other < input),
)


@primitive(
    elementwise=True,
    routes=True,
    reference=np.maximum,
    domains=((1.0, 2.0), (-1.0, 0.5)),
    kinks=[Kink(1.0, 1.0, value=1.0, grads=[1.0, 0.0]), Kink(nan, 1.0, value=nan, grads=[0.0, 0.0])],
)
def clamp_min(input: Any, min: Any) -> Any:
    """`input`, or `min` where it is below; on the bound the gradient is the input's, so a parameter can leave it.

    >>> import autograd_core as ag
    >>> ag.clamp_min(ag.tensor([-1.0, 2.0]), 0.0)
    tensor([0., 2.])
    """
    return np.maximum(input, min)


clamp_min.defvjp(
    lambda g, input, min: np.where(input >= min, g, 0.0),
    lambda g, input, min: np.where(input < min, g, 0.0),
)


@primitive(
    elementwise=True,
    routes=True,
    reference=np.minimum,
    domains=((-1.0, 0.5), (1.0, 2.0)),
    kinks=[Kink(1.0, 1.0, value=1.0, grads=[1.0, 0.0]), Kink(nan, 1.0, value=nan, grads=[0.0, 0.0])],
)
def clamp_max(input: Any, max: Any) -> Any:
    """`input`, or `max` where it is above; on the bound the gradient is the input's.

    >>> import autograd_core as ag
    >>> ag.clamp_max(ag.tensor([-1.0, 2.0]), 0.0)
    tensor([-1.,  0.])
    """
    return np.minimum(input, max)


clamp_max.defvjp(
    lambda g, input, max: np.where(input <= max, g, 0.0),
    lambda g, input, max: np.where(input > max, g, 0.0),
)


@implements(np.clip)
@aliases(a_min="min", a_max="max")
def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """`input` limited to [min, max]; the gradient is 1 on the closed interval and 0 outside; NaN stays NaN.

    Either bound may be None, a number or a tensor; a tensor gets the gradient where it is the limit.

    >>> import autograd_core as ag
    >>> ag.clamp(ag.tensor([-2.0, 0.5, 9.0]), 0, 1)
    tensor([0. , 0.5, 1. ])
    """
    if min is None and max is None:
        raise ValueError("clamp: expected min, max or both, got neither")
    if min is not None:
        input = clamp_min(input, min)
    return input if max is None else clamp_max(input, max)


clip = clamp


@primitive(numpy=np.where, elementwise=True, routes=True, domains=(bool, (-2.0, 2.0), (-2.0, 2.0)))
def where(condition: Any, input: Any, other: Any) -> Any:
    """`input` where `condition` holds, else `other`; all three broadcast.

    A branch that was not taken gets gradient 0, also through operations whose derivative is infinite or undefined
    there: ``where(x > 0, sqrt(x), 0)`` has gradient 0 for x <= 0, not NaN.

    >>> import autograd_core as ag
    >>> x = ag.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    >>> ag.where(x > 0, ag.sqrt(x), 0.0).sum().backward()
    >>> x.grad
    tensor([0. , 0. , 0.5])
    """
    return np.where(condition, input, other)


where.defvjp(
    None,
    lambda g, condition: np.where(condition, g, 0.0),
    lambda g, condition: np.where(condition, 0.0, g),
)
