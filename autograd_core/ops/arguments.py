"""How operations read their arguments: NumPy's spellings beside PyTorch's, and dimensions checked once."""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from .. import modes
from ..primitive import implements
from ..tensor import Tensor

__all__ = [
    "aliases",
    "along",
    "axes",
    "axis_of",
    "by_name",
    "check_device",
    "count",
    "demand",
    "ndim",
    "reductions",
    "shape",
    "sizes_of",
    "spread",
    "variadic",
]

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


def by_name(function: Any) -> Callable[[F], F]:
    """Decorator: answer NumPy's `function` on tensors, whatever the order of its arguments after the first.

    They are passed on by NumPy's names; ``out=None`` is left out.
    """
    first, *others = inspect.signature(function).parameters

    def decorate(ours: F) -> F:
        @implements(function)
        def answer(*args: Any, **keywords: Any) -> Any:
            keywords.update(zip(others, args[1:], strict=False))
            if keywords.get("out", ()) is None:
                del keywords["out"]
            if isinstance(keywords.get("axis"), tuple) and not keywords["axis"]:
                keywords["axis"] = range(0)  # no dimension, where an empty tuple of PyTorch's means all
            return ours(args[0] if args else keywords.pop(first), **keywords)

        return ours

    return decorate


def variadic(name: str) -> Callable[[F], F]:
    """Decorator: the last arguments, as in ``f(x, 2, 3)``, may also be given as one sequence named `name`."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def gathered(*args: Any, **keywords: Any) -> Any:
            if name in keywords:
                args = (*args, keywords.pop(name))
            return function(*args, **keywords)

        return gathered  # type: ignore[return-value]

    return decorate


def check_device(operation: str, device: Any) -> None:
    """PyTorch code names devices; only the CPU exists here.

    Raises
    ------
    ValueError
        If it is another.
    """
    if device is not None and str(device).partition(":")[0] != "cpu":
        raise ValueError(f"{operation}: everything is computed on the CPU, got device {device!s}; leave device out")


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


def demand(wrong: Callable[..., Any], explain: Callable[..., None], *given: Any) -> None:
    """Raise by ``explain(bad, *arrays)`` if some of ``bad = wrong(*arrays)`` is true.

    What is recorded as a program demands the same whenever it runs.
    """
    recorder = modes.recorder()
    if recorder is not None and all(isinstance(x, Tensor) for x in given):
        with modes.change(grad=False):
            fine = np.logical_not(wrong(*given).any())
        recorder.require(fine, lambda *arrays: explain(wrong(*arrays), *arrays), *given)
        return
    arrays = [x.array if isinstance(x, Tensor) else x for x in given]
    bad = wrong(*arrays)
    if bad.any():
        explain(bad, *arrays)


def spread(reduced: Any, sizes: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    """What was reduced over `axis`, with those dimensions back as size 1: it broadcasts against the input."""
    return np.reshape(reduced, tuple(1 if i in axis else n for i, n in enumerate(sizes)))


def along(operation: str, primitive: Any, input: Any, dim: Any, **params: Any) -> Any:
    """`primitive` along one dimension; a 0-d tensor counts as one element along it."""
    axis = axis_of(operation, dim, ndim(input))
    if ndim(input):
        return primitive(input, axis=axis, **params)
    return np.reshape(primitive(np.reshape(input, (1,)), axis=axis, **params), ())
