"""Sums of exponentials over dimensions: logsumexp, softmax, log_softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Kink, Sample, primitive, quiet
from .arguments import along, axes, ndim, reductions, spread
from .casting import cast, floating
from .samples import along_one, over_dims_or_none
from .standardizing import _sums

inf, nan = np.inf, np.nan

__all__ = [
    "log_softmax",
    "logsumexp",
    "softmax",
]


def _finite_max(input: Any, axis: Any) -> Any:
    """The maximum along `axis`, kept, to subtract before `exp`: 0 where it is -inf (nothing to scale) or +inf."""
    m = np.max(input, axis=axis, keepdims=True, initial=-inf)
    return np.where(np.isfinite(m), m, np.where(np.isnan(m), m, 0))


@primitive(
    reference=lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis, keepdims=keepdims)),
    samples=over_dims_or_none,
    kinks=[
        Kink([-inf, -inf], value=-inf, grads=[[0.0, 0.0]], axis=(0,), keepdims=False),
        Kink([inf, 0.0, inf], value=inf, grads=[[0.5, 0.0, 0.5]], axis=(0,), keepdims=False),
        Kink([0.0, inf], value=inf, grads=[[0.0, 1.0]], axis=(0,), keepdims=False),
        Kink([-inf, 0.0], value=0.0, grads=[[0.0, 1.0]], axis=(0,), keepdims=False),
        Kink([1000.0, 1000.0], value=1000 + np.log(2), grads=[None], axis=(0,), keepdims=False),
    ],
)
@quiet
def _logsumexp(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    m = _finite_max(input, axis)
    out = np.log(np.sum(np.exp(input - m), axis=axis, keepdims=True)) + m
    return out if keepdims else out.reshape([n for i, n in enumerate(out.shape) if i not in axis])


def _share(input: Any, out: Any, axis: tuple[int, ...]) -> Any:
    """The softmax of `input` from its logsumexp `out`; even among elements at +inf, nothing where all are -inf."""
    total = spread(out, input.shape, axis)
    highest = (input == total) & (total > 0)
    count = np.sum(highest, axis=axis, keepdims=True)
    return np.where(np.isinf(total), highest / np.where(count == 0, 1, count), np.exp(input - total))


_logsumexp.defvjp(lambda g, out, input, axis: spread(g, input.shape, axis) * _share(input, out, axis))


@reductions
def logsumexp(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """``log(sum(exp(input)))`` over `dim`, computed relative to the maximum so that nothing overflows.

    All -inf gives -inf with gradient 0; a +inf gives inf with all the gradient there.

    >>> import autograd_core as ag
    >>> ag.logsumexp(ag.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    input = floating(input)
    return _logsumexp(input, axis=axes("logsumexp", dim, ndim(input)), keepdims=keepdim)


def _samples(rng: np.random.Generator) -> list[Sample]:
    return [*along_one(rng), Sample(np.zeros((3, 0)), axis=1)]


def _forbidding(rng: np.random.Generator) -> list[Sample]:
    return [*_samples(rng), Sample(rng.normal(size=(2, 3)), axis=1, masked=True)]


@primitive(
    reference=lambda x, axis, masked=False: np.exp(x) / np.sum(np.exp(x), axis, keepdims=True),
    samples=_forbidding,
    kinks=[
        Kink([-inf, -inf], value=[nan, nan], grads=[[nan, nan]], axis=0),
        Kink([-inf, 0.0], value=[0.0, 1.0], grads=[[0.0, 0.0]], axis=0),
        Kink([1000.0, 1000.0], value=[0.5, 0.5], grads=[[0.0, 0.0]], axis=0),
        Kink([-inf, -inf], value=[0.0, 0.0], grads=[[0.0, 0.0]], axis=0, masked=True),
        Kink([-inf, 0.0], value=[0.0, 1.0], grads=[[0.0, 0.0]], axis=0, masked=True),
    ],
)
@quiet
def _softmax(input: Any, *, axis: int, masked: bool = False) -> Any:
    m = np.max(input, axis=axis, keepdims=True, initial=-inf)
    if masked:
        m[m == -inf] = 0
    e = input - m
    np.exp(e, out=e)
    total = _sums(e, (axis,))
    if masked:
        total[total == 0] = 1
    e /= total
    return e


_softmax.defvjp(lambda g, out, axis: out * (g - _sums(g, (axis,), out)))


@primitive(
    reference=lambda x, axis: x - np.log(np.sum(np.exp(x), axis, keepdims=True)),
    samples=_samples,
    kinks=[Kink([-inf, 0.0], value=[-inf, 0.0], grads=[[1.0, -1.0]], axis=0)],
)
@quiet
def _log_softmax(input: Any, *, axis: int) -> Any:
    shifted = input - np.max(input, axis=axis, keepdims=True, initial=-inf)
    shifted -= np.log(_sums(np.exp(shifted), (axis,)))
    return shifted


_log_softmax.defvjp(lambda g, out, axis: g - np.exp(out) * _sums(g, (axis,)))


def _floats(input: Any, dtype: Any) -> Any:
    return floating(input) if dtype is None else cast(input, dtype)


@reductions
def softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """``exp(input) / sum(exp(input))`` along `dim`; a row of -inf alone gives NaN.

    The gradient is ``out * (g - sum(g * out))``: every output depends on every input of its row.

    >>> import autograd_core as ag
    >>> ag.softmax(ag.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([0.09  , 0.2447, 0.6652])
    """
    return along("softmax", _softmax, _floats(input, dtype), dim)


def masked_softmax(input: Any, dim: int) -> Any:
    """As :func:`softmax`, where -inf means that an element does not take part: a row of -inf alone gives zeros."""
    return along("softmax", _softmax, floating(input), dim, masked=True)


@reductions
def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """``input - logsumexp(input)`` along `dim`, the logarithm of :func:`softmax` without its underflow.

    >>> import autograd_core as ag
    >>> ag.log_softmax(ag.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    return along("log_softmax", _log_softmax, _floats(input, dtype), dim)
