"""Steps, rounding and remainders, elementwise: what is constant between its jumps has gradient 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Kink, Sample, implements, primitive, quiet

nan = np.nan

__all__ = [
    "ceil",
    "fix",
    "floor",
    "floor_divide",
    "fmod",
    "frac",
    "heaviside",
    "remainder",
    "round",
    "sgn",
    "sign",
    "trunc",
]


def integral(*values: Any) -> bool:
    """Whether all are integers or bools: tensors, arrays, lists or numbers."""
    return all((x if hasattr(x, "dtype") else np.asarray(x)).dtype.kind in "iub" for x in values)


def _flat(g: Any) -> Any:
    return np.zeros_like(g)


@primitive(numpy=np.sign, elementwise=True, domains=((0.5, 2.0),), kinks=[Kink(0.0, value=0.0, grads=[0.0])])
def sign(input: Any) -> Any:
    """-1, 0 or 1 by the sign of the input; the gradient is 0.

    >>> import autograd_core as ag
    >>> ag.sign(ag.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    return np.sign(input)


sign.defvjp(_flat)
sgn = sign


@primitive(
    numpy=np.heaviside,
    elementwise=True,
    routes=True,
    domains=((0.5, 2.0), (-2.0, 2.0)),
    kinks=[
        Kink([-1.0, 0.0, 1.0], [0.5, 0.5, 0.5], value=[0.0, 0.5, 1.0], grads=[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
        Kink(nan, 0.5, value=nan, grads=[0.0, 0.0]),
    ],
)
def heaviside(input: Any, values: Any) -> Any:
    """The unit step: 0 below 0, 1 above, and `values` at 0; the gradient by the input is 0.

    >>> import autograd_core as ag
    >>> ag.heaviside(ag.tensor([-2.0, 0.0, 2.0]), ag.tensor(0.5))
    tensor([0. , 0.5, 1. ])
    """
    out = np.heaviside(input, values)
    return out.astype(np.result_type(*map(np.asarray, (input, values)))) if integral(input, values) else out


heaviside.defvjp(_flat, lambda g, input: np.where(input == 0, g, 0.0))


@primitive(numpy=np.floor, elementwise=True, domains=((0.1, 0.9),), kinks=[Kink(2.0, value=2.0, grads=[0.0])])
def floor(input: Any) -> Any:
    """The largest integer not above the input; the gradient is 0.

    >>> import autograd_core as ag
    >>> ag.floor(ag.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return np.floor(input)


floor.defvjp(_flat)


@primitive(numpy=np.ceil, elementwise=True, domains=((0.1, 0.9),), kinks=[Kink(2.0, value=2.0, grads=[0.0])])
def ceil(input: Any) -> Any:
    """The smallest integer not below the input; the gradient is 0.

    >>> import autograd_core as ag
    >>> ag.ceil(ag.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return np.ceil(input)


ceil.defvjp(_flat)


@primitive(numpy=np.trunc, elementwise=True, domains=((0.1, 0.9),), kinks=[Kink(2.0, value=2.0, grads=[0.0])])
def trunc(input: Any) -> Any:
    """The integer part, rounded towards 0; the gradient is 0.

    >>> import autograd_core as ag
    >>> ag.trunc(ag.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return np.trunc(input)


trunc.defvjp(_flat)
fix = implements(np.fix)(trunc)


@primitive(
    reference=lambda x: np.modf(x)[0],
    elementwise=True,
    domains=((0.1, 0.9),),
    kinks=[Kink([2.0, -0.25], value=[0.0, -0.25], grads=[[1.0, 1.0]])],
)
@quiet
def frac(input: Any) -> Any:
    """The fractional part, ``input - trunc(input)``, with the input's sign; the gradient is 1.

    >>> import autograd_core as ag
    >>> ag.frac(ag.tensor([-1.5, 1.25]))
    tensor([-0.5 ,  0.25])
    """
    return np.subtract(input, np.trunc(input))


frac.defvjp(lambda g: g)


@primitive(
    reference=np.round,
    elementwise=True,
    domains=((0.6, 1.4),),
    samples=lambda rng: [Sample(rng.uniform(0.26, 0.34, size=(2, 3)), decimals=1), Sample(np.ones(2), decimals=-3)],
    kinks=[Kink([0.5, 1.5, -2.5], value=[0.0, 2.0, -2.0], grads=[[0.0, 0.0, 0.0]])],
)
def _round(input: Any, *, decimals: int = 0) -> Any:
    return np.round(input, decimals)


_round.defvjp(_flat)


@implements(np.round, np.around, np.rint)
def round(input: Any, decimals: int = 0) -> Any:
    """The nearest number of `decimals` decimal places, the even one at a tie; the gradient is 0.

    Negative `decimals` round to tens, hundreds, and so on.

    >>> import autograd_core as ag
    >>> ag.round(ag.tensor([0.5, 1.5, 2.54]))
    tensor([0., 2., 3.])
    >>> ag.round(ag.tensor([2.54]), decimals=1)
    tensor([2.5])
    """
    return _round(input, decimals=decimals)


def _no_zero(operation: str, input: Any, other: Any) -> None:
    if integral(input, other) and not np.all(other):
        raise ZeroDivisionError(f"{operation}: integer division by 0; only floats have inf and NaN, convert with .to()")


@primitive(
    numpy=np.floor_divide,
    elementwise=True,
    domains=((5.1, 5.9), (2.05, 2.4)),
    kinks=[Kink([-7.0, 4.0], [2.0, 2.0], value=[-4.0, 2.0], grads=[[0.0, 0.0], [0.0, 0.0]])],
)
@quiet
def floor_divide(input: Any, other: Any) -> Any:
    """``input // other``: the quotient rounded down, broadcast; the gradient is 0.

    Raises
    ------
    ZeroDivisionError
        If integers are divided by 0.

    >>> import autograd_core as ag
    >>> ag.floor_divide(ag.tensor([-7, 7]), 2)
    tensor([-4,  3])
    """
    _no_zero("floor_divide", input, other)
    return np.floor_divide(input, other)


floor_divide.defvjp(_flat, _flat)


@primitive(
    numpy=np.remainder,
    elementwise=True,
    domains=((5.1, 5.9), (2.05, 2.4)),
    kinks=[
        Kink([-7.0, 4.0], [2.0, 2.0], value=[1.0, 0.0], grads=[[1.0, 1.0], [4.0, -2.0]]),
        Kink(1.0, 0.0, value=nan, grads=[1.0, None]),
    ],
)
@quiet
def remainder(input: Any, other: Any) -> Any:
    """``input % other``: what is left of ``input - other * floor(input / other)``, with the divisor's sign; broadcast.

    The gradients are 1 and ``-floor(input / other)``.

    Raises
    ------
    ZeroDivisionError
        If integers are divided by 0.

    >>> import autograd_core as ag
    >>> ag.remainder(ag.tensor([-3.0, 3.0]), 2)
    tensor([1., 1.])
    """
    _no_zero("remainder", input, other)
    return np.remainder(input, other)


remainder.defvjp(lambda g: g, lambda g, input, other: -g * np.floor_divide(input, other))


@primitive(
    numpy=np.fmod,
    elementwise=True,
    domains=((5.1, 5.9), (2.05, 2.4)),
    kinks=[Kink([-7.0, 4.0], [2.0, 2.0], value=[-1.0, 0.0], grads=[[1.0, 1.0], [3.0, -2.0]])],
)
@quiet
def fmod(input: Any, other: Any) -> Any:
    """What is left of ``input - other * trunc(input / other)``, with the dividend's sign (C's ``fmod``); broadcast.

    The gradients are 1 and ``-trunc(input / other)``.

    Raises
    ------
    ZeroDivisionError
        If integers are divided by 0.

    >>> import autograd_core as ag
    >>> ag.fmod(ag.tensor([-3.0, 3.0]), 2)
    tensor([-1.,  1.])
    """
    _no_zero("fmod", input, other)
    return np.fmod(input, other)


fmod.defvjp(lambda g: g, lambda g, input, other: -g * np.trunc(input / other))
