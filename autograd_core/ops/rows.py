"""Rows of a matrix, picked by number; and rows added up by number.  Each is the other's rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import Sample, primitive

__all__: list[str] = []


def _samples(rng: np.random.Generator) -> list[tuple[Any, Any]]:
    """Matrices and numbers of their rows."""
    return [
        (rng.normal(size=(4, 3)), rng.integers(0, 4, size=(2, 5))),
        (rng.normal(size=(9, 2)), rng.integers(0, 4, size=7)),
        (rng.normal(size=(4, 2)), np.array(2)),
        (rng.normal(size=(2, 3)), np.zeros((0,), np.int64)),
    ]


@primitive(
    routes=True,
    reference=lambda matrix, numbers: (
        np.array([matrix[i] for i in numbers.ravel()]).reshape(*numbers.shape, -1)
        if numbers.size
        else np.zeros((*numbers.shape, matrix.shape[1]))
    ),
    samples=lambda rng: [Sample(matrix, numbers) for matrix, numbers in _samples(rng)],
)
def _take_rows(matrix: Any, numbers: Any) -> Any:
    """``matrix[numbers]``: the rows with these numbers, shape (*numbers.shape, columns)."""
    return np.take(matrix, numbers, axis=0)


def _each_at_its_place(rows: Any, numbers: Any, count: int) -> Any:
    out = np.zeros((count, rows.shape[-1]))
    for i, row in zip(numbers.ravel(), rows.reshape(numbers.size, rows.shape[-1]), strict=True):
        out[i] += row
    return out


@primitive(
    reference=_each_at_its_place,
    samples=lambda rng: [
        Sample(rng.normal(size=(*numbers.shape, matrix.shape[1])), numbers, count=len(matrix))
        for matrix, numbers in _samples(rng)
    ],
)
def _add_rows(rows: Any, numbers: Any, *, count: int) -> Any:
    """A matrix of `count` rows: zeros, and each of `rows` added to the one with its number."""
    width = rows.shape[-1]
    out = np.zeros((count, width), rows.dtype)
    numbers = np.ravel(numbers)
    rows = np.reshape(rows, (numbers.size, width))
    if numbers.size <= count:
        # Most numbers are there only once.  Writing a row is much faster than adding it: of each number write one.
        order = np.arange(numbers.size)
        last = np.zeros(count, np.int64)
        last[numbers] = order
        written = last[numbers] == order
        out[numbers[written]] = rows[written]
        numbers, rows = numbers[~written], rows[~written]
    places = numbers[:, None] * width + np.arange(width)
    np.add.at(out.reshape(-1), places.ravel(), rows.ravel())
    return out


_take_rows.defvjp(lambda g, matrix_shape, numbers: _add_rows(g, numbers, count=matrix_shape[0]), None)
_add_rows.defvjp(lambda g, numbers: _take_rows(g, numbers), None)
