"""Where the elements of a value are: in a buffer, at an offset, with strides.

Reshaping, permuting, broadcasting, slicing and splitting move nothing: their results are other ways to walk through the
same buffer.  Which way is not worked out here; NumPy is asked, on memory that nobody reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from ..primitive import REGISTRY
from .program import Instruction, Source

__all__ = ["VIEWS", "Access", "Buffer", "contiguous_strides", "inside", "overlap", "reshaped", "viewed"]

VIEWS = frozenset(
    [
        *("reshape", "permute", "broadcast_to", "index", "split", "unbind"),
        *("diagonal", "windows", "flip", "clone", "positive"),
    ]
)
"""Primitives whose results may be views of their first operand (``index`` only without arrays)."""


class Buffer:
    """Memory for `size` elements of a dtype: of an input, or in the workspace.  Compared by identity."""

    __slots__ = ("_addresses", "dtype", "size", "source")

    def __init__(self, size: int, dtype: np.dtype[np.generic], source: Source | None = None) -> None:
        self.size, self.dtype, self.source = size, dtype, source
        self._addresses: np.ndarray | None = None

    @property
    def bytes(self) -> int:
        return self.size * self.dtype.itemsize

    def addresses(self) -> np.ndarray:
        """An array of this many bytes, for asking NumPy about views; its content means nothing."""
        if self._addresses is None:
            self._addresses = np.empty(max(self.size, 1), np.int8)
        return self._addresses

    def __repr__(self) -> str:
        return f"<{self.size} {self.dtype}>"


class Access(NamedTuple):
    """The elements of `buffer` at ``offset + sum(index * strides)``, for an index into `shape`; all in elements."""

    buffer: Buffer
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @classmethod
    def whole(cls, buffer: Buffer, shape: Sequence[int]) -> Access:
        """All of a buffer, in this shape."""
        return cls(buffer, 0, tuple(shape), contiguous_strides(shape))

    @property
    def is_contiguous(self) -> bool:
        if 0 in self.shape:
            return True
        expected = contiguous_strides(self.shape)
        return all(n == 1 or s == e for n, s, e in zip(self.shape, self.strides, expected, strict=True))

    def over(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The strides over a shape that this one is broadcast to: 0 where it is repeated."""
        missing = len(shape) - len(self.shape)
        own = (0 if n == 1 else s for n, s in zip(self.shape, self.strides, strict=True))
        return (*(0,) * missing, *own)


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of a row-major array, in elements."""
    strides = []
    step = 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


def overlap(a: Access, b: Access) -> bool:
    """Whether two accesses to one buffer have an element in common (True also where it takes long to say)."""
    memory = a.buffer.addresses()
    first, second = (np.ndarray(x.shape, np.int8, memory, x.offset, x.strides) for x in (a, b))
    try:
        return np.shares_memory(first, second, max_work=cast(Any, 100))
    except np.exceptions.TooHardError:
        return True


def inside(access: Access, view: Callable[[np.ndarray], Any]) -> Access:
    """What a function that makes views of an array picks of an access."""
    (found,) = _views(access, view)
    return found


def reshaped(access: Access, shape: tuple[int, ...]) -> Access | None:
    """The same elements in another shape; None if they would have to be moved."""
    try:
        return inside(access, lambda array: np.reshape(array, shape, copy=False))
    except ValueError:
        return None


def viewed(instruction: Instruction, access: Access) -> list[Access] | None:
    """Where the results of a view primitive are; None if it needs memory of its own."""
    name, params = instruction.name, instruction.params
    if 0 in access.shape:
        return None
    if name in ("clone", "positive"):
        return [access]
    if name == "reshape":
        found = reshaped(access, params["shape"])
        return None if found is None else [found]
    if name == "flip":
        return _views(access, lambda array: np.flip(array, params["axis"]))
    return _views(access, lambda array: REGISTRY[name].record.forward(array, **params))


_ELEMENT = np.dtype([("", np.int8)])
"""Of a record NumPy gives a single element as a view as well; of a number it gives a copy."""


def _views(access: Access, view: Callable[[np.ndarray], Any]) -> list[Access]:
    memory = access.buffer.addresses()
    found = view(np.ndarray(access.shape, _ELEMENT, memory, access.offset, access.strides))
    results = []
    for array in found if isinstance(found, tuple) else (found,):
        offset = array.__array_interface__["data"][0] - memory.ctypes.data if array.size else 0
        results.append(Access(access.buffer, offset, array.shape, array.strides))
    return results
