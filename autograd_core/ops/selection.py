"""Choosing among values, elementwise: what is not chosen gets no gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Kink, implements, primitive
from .arguments import aliases, ndim, shape
from .casting import cast

inf, nan = np.inf, np.nan

__all__ = [
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "fmax",
    "fmin",
    "masked_fill",
    "maximum",
    "minimum",
    "nan_to_num",
    "relu",
    "where",
]


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


def _winner_takes(g: Any, a: Any, b: Any, won: Any) -> Any:
    """The part of `g` that goes to `a`: all where it won, half at a tie (also of NaNs)."""
    tie = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(tie, 0.5 * g, np.where(won, g, 0.0))


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
    lambda g, input, other: _winner_takes(g, input, other, (input > other) | np.isnan(input)),
    lambda g, input, other: _winner_takes(g, other, input, (other > input) | np.isnan(other)),
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
    lambda g, input, other: _winner_takes(g, input, other, (input < other) | np.isnan(input)),
    lambda g, input, other: _winner_takes(g, other, input, (other < input) | np.isnan(other)),
)


@primitive(
    numpy=np.fmax,
    elementwise=True,
    routes=True,
    domains=((0.0, 1.0), (1.5, 2.0)),
    kinks=[
        Kink(1.0, 1.0, value=1.0, grads=[0.5, 0.5]),
        Kink(nan, 1.0, value=1.0, grads=[0.0, 1.0]),
        Kink(nan, nan, value=nan, grads=[0.5, 0.5]),
        Kink(2.0, 1.0, value=2.0, grads=[1.0, 0.0]),
    ],
)
def fmax(input: Any, other: Any) -> Any:
    """The larger of two, elementwise; a number wins over NaN.  The gradient goes to the winner, half to each at a tie.

    >>> import autograd_core as ag
    >>> ag.fmax(ag.tensor([1.0, float("nan")]), ag.tensor([2.0, 3.0]))
    tensor([2., 3.])
    """
    return np.fmax(input, other)


fmax.defvjp(
    lambda g, input, other: _winner_takes(g, input, other, (input > other) | np.isnan(other)),
    lambda g, input, other: _winner_takes(g, other, input, (other > input) | np.isnan(input)),
)


@primitive(
    numpy=np.fmin,
    elementwise=True,
    routes=True,
    domains=((0.0, 1.0), (1.5, 2.0)),
    kinks=[
        Kink(1.0, 1.0, value=1.0, grads=[0.5, 0.5]),
        Kink(nan, 1.0, value=1.0, grads=[0.0, 1.0]),
        Kink(nan, nan, value=nan, grads=[0.5, 0.5]),
        Kink(2.0, 1.0, value=1.0, grads=[0.0, 1.0]),
    ],
)
def fmin(input: Any, other: Any) -> Any:
    """The smaller of two, elementwise; a number wins over NaN.  The gradient goes to the winner, half to each at a tie.

    >>> import autograd_core as ag
    >>> ag.fmin(ag.tensor([1.0, float("nan")]), ag.tensor([2.0, 3.0]))
    tensor([1., 3.])
    """
    return np.fmin(input, other)


fmin.defvjp(
    lambda g, input, other: _winner_takes(g, input, other, (input < other) | np.isnan(other)),
    lambda g, input, other: _winner_takes(g, other, input, (other < input) | np.isnan(input)),
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


@primitive(reference=np.where, elementwise=True, routes=True, domains=(bool, (-2.0, 2.0), (-2.0, 2.0)))
def _where(condition: Any, input: Any, other: Any) -> Any:
    return np.where(condition, input, other)


_where.defvjp(
    None,
    lambda g, condition: np.where(condition, g, 0.0),
    lambda g, condition: np.where(condition, 0.0, g),
)


@implements(np.where)
def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """`input` where `condition` holds, else `other`; all three broadcast.

    A branch that was not taken gets gradient 0, also through operations whose derivative is infinite or undefined
    there: ``where(x > 0, sqrt(x), 0)`` has gradient 0 for x <= 0, not NaN.

    With `condition` alone: the indices where it holds, one tensor of them for each dimension.

    >>> import autograd_core as ag
    >>> x = ag.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    >>> ag.where(x > 0, ag.sqrt(x), 0.0).sum().backward()
    >>> x.grad
    tensor([0. , 0. , 0.5])
    >>> ag.where(x < 1)
    (tensor([0, 1]),)
    """
    if input is None and other is None:
        return np.nonzero(condition)
    if input is None or other is None:
        raise ValueError("where: expected both input and other, or neither; one of them is missing")
    return _where(condition, input, other)


def _dtype(x: Any) -> Any:
    return x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`input` with `value` where `mask` is true, broadcast; what was replaced gets gradient 0.

    Parameters
    ----------
    mask : bools that broadcast with the input
    value : a number, or a tensor of no dimensions, which gets the gradient of all it replaced

    Raises
    ------
    TypeError
        If the mask is not of bools.
    ValueError
        If `value` has dimensions.

    >>> import autograd_core as ag
    >>> ag.masked_fill(ag.tensor([1.0, 2.0]), ag.tensor([True, False]), -1)
    tensor([-1.,  2.])
    """
    if _dtype(mask).kind != "b":
        raise TypeError(f"masked_fill: expected a mask of bools, got {_dtype(mask)}; compare, as in mask != 0")
    if ndim(value):
        raise ValueError(f"masked_fill: expected one value, got shape {shape(value)}; use where(mask, value, input)")
    if hasattr(value, "dtype"):
        value = cast(value, _dtype(input))
    return where(mask, value, input)


@primitive(
    reference=np.nan_to_num,
    elementwise=True,
    routes=True,
    kinks=[
        Kink([nan, inf, 2.0], value=[5.0, 7.0, 2.0], grads=[[0.0, 0.0, 1.0]], nan=5.0, posinf=7.0, neginf=None),
        Kink([-inf], value=[-9.0], grads=[[0.0]], nan=0.0, posinf=None, neginf=-9.0),
    ],
)
def _nan_to_num(input: Any, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    return np.nan_to_num(input, nan=nan, posinf=posinf, neginf=neginf)


_nan_to_num.defvjp(lambda g, input: np.where(np.isfinite(input), g, 0.0))


def nan_to_num(input: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Any:
    """`input` with numbers in place of NaN and the infinities; what was replaced gets gradient 0.

    Parameters
    ----------
    nan : in place of NaN; 0 if not given
    posinf, neginf : in place of inf and -inf; the largest and the smallest number of the dtype if not given

    >>> import autograd_core as ag
    >>> ag.nan_to_num(ag.tensor([1.0, float("nan"), float("inf")]), posinf=9.0)
    tensor([1., 0., 9.])
    """
    return _nan_to_num(input, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)


@implements(np.nan_to_num)
def _numpy_nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    return nan_to_num(x, nan, posinf, neginf)
