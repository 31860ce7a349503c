"""Running sums, products and extremes along a dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Kink, Sample, primitive, quiet
from .arguments import aliases, along, axis_of, by_name, ndim
from .casting import cast, floating
from .extremes import Choice
from .indexing import gather
from .reduction import accumulator
from .samples import along_one
from .shape import reshape

inf = np.inf

__all__ = [
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "logcumsumexp",
]

name_axis = aliases(axis="dim")


def _flattened(operation: Any) -> Any:
    """NumPy's form of a running operation: without an axis, of the flattened tensor."""

    def numpy_form(a: Any, axis: Any = None, dtype: Any = None) -> Any:
        return operation(reshape(a, (-1,)) if axis is None else a, 0 if axis is None else axis, dtype=dtype)

    return numpy_form


# Sums


@primitive(
    samples=lambda rng: [Sample(*s.args, **s.params, reverse=r) for s in along_one(rng) for r in (False, True)],
    reference=lambda x, axis, reverse: (
        np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)
    ),
)
def _cumsum(input: Any, *, axis: int, reverse: bool) -> Any:
    way = (*(slice(None),) * axis, slice(None, None, -1 if reverse else 1))
    return np.add.accumulate(input[way], axis=axis, dtype=accumulator(input))[way]


_cumsum.defvjp(lambda g, axis, reverse: _cumsum(g, axis=axis, reverse=not reverse))


@name_axis
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The sum of all up to each position along `dim`; the gradient is the same sum from the end.

    >>> import autograd_core as ag
    >>> ag.cumsum(ag.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 3., 6.])
    """
    if dtype is not None:
        input = cast(input, dtype)
    return along("cumsum", _cumsum, input, dim, reverse=False)


by_name(np.cumsum)(_flattened(cumsum))


# Products


def _recurrence(a: Any, b: Any) -> Any:
    """``s[k] = a[k] * s[k-1] + b[k]`` along the last dimension (``a[0]`` counts for nothing).

    By halving: two steps make one of the same form, which gives every other s; each of the rest is one step further.
    Only products and sums, on slices, so it differentiates to any order, and takes log2(n) rounds.
    """
    n = b.shape[-1]
    if n < 2:
        return b
    half = n // 2
    a_even, a_odd = a[..., : 2 * half : 2], a[..., 1::2]
    odd = _recurrence(a_odd * a_even, a_odd * b[..., : 2 * half : 2] + b[..., 1::2])
    even = np.concatenate([b[..., :1], a[..., 2::2] * odd[..., : n - half - 1] + b[..., 2::2]], axis=-1)
    pairs = np.reshape(np.stack([even[..., :half], odd], axis=-1), (*b.shape[:-1], 2 * half))
    return np.concatenate([pairs, even[..., half:]], axis=-1)


def _backwards(factors: Any, g: Any) -> Any:
    """``s[k] = g[k] + factors[k] * s[k+1]`` along the last dimension, for one factor less than there are g."""
    first = np.ones_like(g[..., :1])
    return _recurrence(np.concatenate([first, factors[..., ::-1]], axis=-1), g[..., ::-1])[..., ::-1]


def _cumprod_slope(g: Any, out: Any, input: Any, axis: int) -> Any:
    """The product of all before k, times the sum over i >= k of ``g[i]`` times the product of what is between."""
    g, out, input = (np.moveaxis(x, axis, -1) for x in (g, out, input))
    before = np.concatenate([np.ones_like(out[..., :1]), out[..., :-1]], axis=-1)
    return np.moveaxis(before * _backwards(input[..., 1:], g), -1, axis)


@primitive(
    reference=np.cumprod,
    samples=lambda rng: [
        *along_one(rng),
        Sample(np.array([[2.0, 0.0, 3.0, 5.0], [0.0, 2.0, 0.0, 3.0], [2.0, 3.0, 4.0, 0.0]]), axis=1),
        Sample(rng.normal(size=(7, 2)), axis=0),
    ],
    kinks=[
        Kink([2.0, 0.0, 3.0], value=[2.0, 0.0, 0.0], grads=[[1.0, 8.0, 0.0]], axis=0),
        Kink([0.0, 0.0, 3.0], value=[0.0, 0.0, 0.0], grads=[[1.0, 0.0, 0.0]], axis=0),
    ],
)
def _cumprod(input: Any, *, axis: int) -> Any:
    return np.multiply.accumulate(input, axis=axis, dtype=accumulator(input))


_cumprod.defvjp(lambda g, out, input, axis: _cumprod_slope(g, out, input, axis))


@name_axis
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The product of all up to each position along `dim`.

    The gradient is found without a division: it is finite and right also where there are zeros.

    >>> import autograd_core as ag
    >>> ag.cumprod(ag.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 2., 6.])
    """
    if dtype is not None:
        input = cast(input, dtype)
    return along("cumprod", _cumprod, input, dim)


by_name(np.cumprod)(_flattened(cumprod))


# Sums of exponentials


def _logcumsumexp_slope(g: Any, out: Any, input: Any, axis: int) -> Any:
    """``exp(x[k] - y[k])`` times s, where ``s[k] = g[k] + exp(y[k] - y[k+1]) * s[k+1]``: no factor exceeds 1."""
    g, out, input = (np.moveaxis(x, axis, -1) for x in (g, out, input))
    now, after = out[..., :-1], out[..., 1:]
    kept = np.where(now == after, 1.0, np.exp(now - after))
    share = np.where(np.isinf(out), np.where(out > 0, input == out, False), np.exp(input - out))
    return np.moveaxis(share * _backwards(kept, g), -1, axis)


@primitive(
    reference=lambda x, axis: np.log(np.cumsum(np.exp(x), axis)),
    samples=lambda rng: [*along_one(rng), Sample(rng.normal(size=(7, 2)), axis=0)],
    kinks=[
        Kink([-inf, -inf], value=[-inf, -inf], grads=[[0.0, 0.0]], axis=0),
        Kink([-inf, 0.0], value=[-inf, 0.0], grads=[[0.0, 1.0]], axis=0),
        Kink([0.0, inf], value=[0.0, inf], grads=[[1.0, 1.0]], axis=0),
        Kink([1000.0, 1000.0], value=[1000.0, 1000 + np.log(2)], grads=[None], axis=0),
        Kink([0.0, -1000.0], value=[0.0, 0.0], grads=[[2.0, 0.0]], axis=0),
    ],
)
@quiet
def _logcumsumexp(input: Any, *, axis: int) -> Any:
    return np.logaddexp.accumulate(input, axis=axis)


_logcumsumexp.defvjp(lambda g, out, input, axis: _logcumsumexp_slope(g, out, input, axis))


@name_axis
def logcumsumexp(input: Any, dim: int) -> Any:
    """``log(cumsum(exp(input)))`` along `dim`, without overflow; infinities as in :func:`logsumexp`.

    >>> import autograd_core as ag
    >>> ag.logcumsumexp(ag.tensor([1000.0, 1000.0]), dim=0)
    tensor([1000.    , 1000.6932])
    """
    return along("logcumsumexp", _logcumsumexp, floating(input), dim)


# Extremes


def _since(hit: Any, axis: int) -> Any:
    """For each position along `axis`, the latest one up to it where `hit` holds (the first always does)."""
    places = np.arange(hit.shape[axis]).reshape([-1 if i == axis else 1 for i in range(hit.ndim)])
    return np.maximum.accumulate(np.where(hit, places, 0), axis=axis)


def _latest(accumulate: Any, input: Any, axis: int) -> Any:
    return _since((input == accumulate(input, axis=axis)) | np.isnan(input), axis)


def _running_reference(better: Any) -> Any:
    """The indices of running extremes, by walking along the dimension."""

    def walk(row: Any) -> list[int]:
        best = 0
        return [best := i if better(x, row[best]) else best for i, x in enumerate(row)]

    return lambda x, axis: np.apply_along_axis(walk, axis, x) if x.size else np.zeros(x.shape, int)


@primitive(reference=_running_reference(np.greater_equal), samples=along_one)
def _argcummax(input: Any, *, axis: int) -> Any:
    return _latest(np.maximum.accumulate, input, axis)


@primitive(reference=_running_reference(np.less_equal), samples=along_one)
def _argcummin(input: Any, *, axis: int) -> Any:
    return _latest(np.minimum.accumulate, input, axis)


def _running(operation: str, primitive: Any, input: Any, dim: Any) -> Choice:
    where = along(operation, primitive, input, dim)
    return Choice(gather(input, axis_of(operation, dim, ndim(input)), where), where)


@name_axis
def cummax(input: Any, dim: int) -> Choice:
    """The largest value up to each position along `dim`, and its index: the pair (values, indices).

    At a tie the index is the latest, as in PyTorch, and gets all the gradient.  From a NaN on all is NaN.

    >>> import autograd_core as ag
    >>> ag.cummax(ag.tensor([1.0, 3.0, 2.0]), dim=0).values
    tensor([1., 3., 3.])
    """
    return _running("cummax", _argcummax, input, dim)


@name_axis
def cummin(input: Any, dim: int) -> Choice:
    """The smallest value up to each position along `dim`, and its index: the pair (values, indices).

    At a tie the index is the latest, as in PyTorch, and gets all the gradient.  From a NaN on all is NaN.

    >>> import autograd_core as ag
    >>> ag.cummin(ag.tensor([2.0, 3.0, 1.0]), dim=0).indices
    tensor([0, 0, 2])
    """
    return _running("cummin", _argcummin, input, dim)
