"""Values relative to their mean and spread: the core of batch, layer, group and instance normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Sample, primitive
from .arguments import count

__all__: list[str] = []


def _from_the_definition(input: Any, axis: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    mean, variance = np.mean(input, axis, keepdims=True), np.var(input, axis, keepdims=True)
    return (input - mean) / np.sqrt(variance + eps), mean, variance


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
    """``(input - mean) / sqrt(variance + eps)``, and the mean and the variance over `axis` (population's).

    Ioffe & Szegedy, "Batch normalization" (2015), algorithm 1.  The variance is that of the deviations, in a second
    pass: it cannot cancel.
    """
    mean = np.mean(input, axis=axis, keepdims=True)
    out = input - mean
    variance = np.mean(out * out, axis=axis, keepdims=True)
    out *= (variance + eps) ** -0.5
    return out, mean, variance


def _standardize_vjp(g: Any, out: Any, axis: tuple[int, ...], eps: float) -> Any:
    """Section 3 of the paper, in terms of the output; and what comes through the mean and the variance themselves."""
    (g, g_mean, g_variance), (y, _, variance) = g, out
    n = count(y, axis)
    scale = (variance + eps) ** -0.5
    shift = (g_mean - scale * np.sum(g, axis=axis, keepdims=True)) / n
    along = (2 * g_variance / scale - scale * np.sum(g * y, axis=axis, keepdims=True)) / n
    return scale * g + along * y + shift


_standardize.defvjp(_standardize_vjp)
