"""Arguments that several records are tested with."""

from __future__ import annotations

import math

import numpy as np

from ..primitive import Sample

__all__ = ["along_one", "over_dims", "over_dims_or_none"]


def over_dims(rng: np.random.Generator) -> list[Sample]:
    """Every way to choose dimensions, on distinct values (a tie is a kink)."""

    def draw(*shape: int) -> np.ndarray:
        return rng.permutation(math.prod(shape)).reshape(shape) / 7 + 0.1

    return [
        Sample(draw(2, 3, 4), axis=(0, 1, 2), keepdims=False),
        Sample(draw(2, 3, 4), axis=(1,), keepdims=False),
        Sample(draw(2, 3, 4), axis=(0, 2), keepdims=True),
        Sample(draw(3), axis=(0,), keepdims=False),
        Sample(draw(2, 1), axis=(1,), keepdims=True),
        Sample(draw(), axis=(), keepdims=False),
        Sample(draw(2, 3), axis=(), keepdims=False),
    ]


def over_dims_or_none(rng: np.random.Generator) -> list[Sample]:
    """As `over_dims`, and over no elements."""
    return [
        *over_dims(rng),
        Sample(np.zeros((0, 3)), axis=(0,), keepdims=False),
        Sample(np.zeros((2, 0)), axis=(1,), keepdims=True),
    ]


def along_one(rng: np.random.Generator) -> list[Sample]:
    """Along one dimension, whose size is not 0."""
    draw = rng.normal
    return [
        Sample(draw(size=(2, 3)), axis=1),
        Sample(draw(size=(2, 3)), axis=0),
        Sample(draw(size=(2, 3, 2)), axis=1),
        Sample(draw(size=4), axis=0),
        Sample(draw(size=(0, 3)), axis=1),
        Sample(draw(size=(2, 1)), axis=1),
    ]
