"""How operations read their arguments: NumPy's spellings beside PyTorch's, and dimensions checked once."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np

__all__ = ["aliases", "axes", "axis_of", "count", "ndim", "reductions", "shape", "sizes_of", "spread"]

F = TypeVar("F", bound=Callable[..., Any])


def aliases(**names: str) -> Callable[[F], F]:
    """Decorator: take keyword arguments under other names too, as in ``aliases(axis="dim")``."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def renamed(*args: Any, **keywords: Any) -> Any:
            for given in keywords.keys() & names.keys():
                ours = names[given]
                if ours in keywords:
                    raise TypeError(f"{function.__name__}: {ours} and {given} mean the same; give one of them")
                keywords[ours] = keywords.pop(given)
            return function(*args, **keywords)

        return renamed  # type: ignore[return-value]

    return decorate


reductions = aliases(axis="dim", keepdims="keepdim")
"""The aliases of every reduction."""


def axis_of(operation: str, dim: Any, ndim: int) -> int:
    """`dim` as a non-negative index into `ndim` dimensions (a 0-d tensor counts as having one).

    Raises
    ------
    IndexError
        If it is out of range.
    """
    axis: int = operator.index(dim)
    size = max(ndim, 1)
    if not -size <= axis < size:
        raise IndexError(f"{operation}: dim must be in [{-size}, {size - 1}] for a {ndim}-d tensor, got {dim}")
    return axis % size


def axes(operation: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """One dimension, several or None (all of them), as a tuple of distinct non-negative indices."""
    if dim is None:
        return tuple(range(ndim))
    found = tuple(axis_of(operation, d, ndim) for d in (dim if isinstance(dim, Sequence) else (dim,)))
    if len(set(found)) < len(found):
        raise ValueError(f"{operation}: dim {dim} names a dimension twice")
    return found if ndim else ()


def shape(x: Any) -> tuple[int, ...]:
    """The shape of a tensor, array, number or list (of a tensor without NumPy's dispatch)."""
    try:
        return cast("tuple[int, ...]", x.shape)
    except AttributeError:
        return np.shape(x)


def ndim(x: Any) -> int:
    """The number of dimensions of a tensor, array, number or list."""
    return len(shape(x))


def sizes_of(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """The sizes from ``f(2, 3)`` or ``f((2, 3))``."""
    if len(sizes) == 1 and isinstance(sizes[0], Sequence):
        sizes = tuple(sizes[0])
    return tuple(operator.index(n) for n in sizes)


def count(x: Any, axis: tuple[int, ...]) -> int:
    """The number of elements over the dimensions `axis`."""
    return math.prod(shape(x)[i] for i in axis)


def spread(reduced: Any, sizes: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    """What was reduced over `axis`, with those dimensions back as size 1: it broadcasts against the input."""
    return np.reshape(reduced, tuple(1 if i in axis else n for i, n in enumerate(sizes)))
