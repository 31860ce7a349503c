"""Values relative to their mean and spread: the core of batch, layer, group and instance normalisation."""

from __future__ import annotations

import functools
import math
import string
from typing import Any

import numpy as np

from ..primitive import Sample, primitive

__all__: list[str] = []

MANY = 1 << 16
"""From here on the rounding errors of adding up one by one would show: 1e-5 of a variance in float32."""


def _from_the_definition(input: Any, axis: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    mean, variance = np.mean(input, axis, keepdims=True), np.var(input, axis, keepdims=True)
    return (input - mean) / np.sqrt(variance + eps), mean, variance


@functools.lru_cache(256)
def _plan(shape: tuple[int, ...], axis: tuple[int, ...]) -> tuple[str, str, tuple[int, ...], int]:
    """For sums over `axis`: einsum's subscripts, for one array and for two; the shape with sizes 1; the addends."""
    dims = string.ascii_letters[: len(shape)]
    kept = "".join(letter for d, letter in enumerate(dims) if d not in axis)
    sizes = tuple(1 if d in axis else n for d, n in enumerate(shape))
    return f"{dims}->{kept}", f"{dims},{dims}->{kept}", sizes, math.prod(shape[d] for d in axis)


def _sums(x: Any, axis: tuple[int, ...], y: Any = None) -> Any:
    """The sums of `x`, or of ``x * y``, over some dimensions, which stay with size 1.

    On arrays by einsum: it makes no array of the products, and its loops over rows and channels take a third of the
    time of NumPy's sum.  But it adds up one by one, where NumPy adds halves: many numbers are left to NumPy.
    """
    one, two, shape, n = _plan(x.shape, axis)
    if n > MANY or not (isinstance(x, np.ndarray) and (y is None or isinstance(y, np.ndarray))):
        return np.sum(x if y is None else x * y, axis=axis, keepdims=True)
    sums = np.einsum(one, x) if y is None else np.einsum(two, x, y)
    return sums.reshape(shape)


def _addends(x: Any, axis: tuple[int, ...]) -> int:
    """How many elements a mean over `axis` is made of; 1 for none, whose mean is 0 here."""
    return max(_plan(x.shape, axis)[-1], 1)


def _scale(variance: Any, eps: float) -> Any:
    return np.reciprocal(np.sqrt(variance + eps))


@primitive(
    reference=_from_the_definition,
    samples=lambda rng: [
        Sample(rng.normal(size=(4, 3)), axis=(0,), eps=1e-5),
        Sample(rng.normal(size=(3, 2, 5)) + 2, axis=(0, 2), eps=0.1),
        Sample(rng.normal(size=(2, 3, 2, 2)), axis=(1, 2, 3), eps=1e-3),
        Sample(rng.normal(size=(2, 1)), axis=(1,), eps=0.5),
        Sample(np.zeros((0, 3)), axis=(1,), eps=1e-5),
    ],
)
def _standardize(input: Any, *, axis: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    """``(input - mean) / sqrt(variance + eps)``, and the mean and the variance over `axis` (population's; of none, 0).

    Ioffe & Szegedy, "Batch normalization" (2015), algorithm 1.  The variance is that of the deviations, in a second
    pass: it cannot cancel.
    """
    n = _addends(input, axis)
    mean = _sums(input, axis) / n
    out = input - mean
    variance = _sums(out, axis, out) / n
    out *= _scale(variance, eps)
    return out, mean, variance


def _standardize_vjp(g: Any, out: Any, axis: tuple[int, ...], eps: float) -> Any:
    """Section 3 of the paper, in terms of the output; and what comes through the mean and the variance themselves."""
    (g, g_mean, g_variance), (y, _, variance) = g, out
    n = _addends(y, axis)
    scale = _scale(variance, eps)
    shift = (g_mean - scale * _sums(g, axis)) / n
    along = (2 * g_variance * (variance + eps) - _sums(g, axis, y)) / n
    result = along * y
    if isinstance(result, np.ndarray):  # in one piece of memory: new ones take longer than the arithmetic
        result += g
        result *= scale
        result += shift
        return result
    return (result + g) * scale + shift


_standardize.defvjp(_standardize_vjp)


def _beside(shape: tuple[int, ...], axis: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes along `axis`, with 1 for all others."""
    return tuple(n if d in axis else 1 for d, n in enumerate(shape))


def _sums_beside(g: Any, axis: tuple[int, ...], shape: tuple[int, ...], y: Any = None) -> Any:
    """The sums of `g`, or of ``g * y``, over all dimensions but `axis`, in a shape that those have."""
    return np.reshape(_sums(g, _others(g.ndim, axis), y), shape)


@functools.lru_cache(256)
def _others(ndim: int, axis: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(d for d in range(ndim) if d not in axis)


@primitive(
    reference=lambda input, weight, bias, axis: (
        input * np.reshape(weight, _beside(input.shape, axis)) + np.reshape(bias, _beside(input.shape, axis))
    ),
    samples=lambda rng: [
        Sample(rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=3), axis=(1,)),
        Sample(rng.normal(size=(4, 3, 2)), rng.normal(size=3), rng.normal(size=3), axis=(1,)),
        Sample(rng.normal(size=(4, 3, 2)), rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), axis=(1, 2)),
    ],
)
def _affine(input: Any, weight: Any, bias: Any, *, axis: tuple[int, ...]) -> Any:
    """``input * weight + bias``, with a factor and a summand for each index into the dimensions `axis`."""
    shape = _beside(input.shape, axis)
    out = input * weight.reshape(shape)
    return np.add(out, bias.reshape(shape), out=out if out.dtype == bias.dtype else None)


_affine.defvjp(
    lambda g, weight, axis: g * np.reshape(weight, _beside(g.shape, axis)),
    lambda g, input, weight_shape, axis: _sums_beside(g, axis, weight_shape, input),
    lambda g, bias_shape, axis: _sums_beside(g, axis, bias_shape),
)
