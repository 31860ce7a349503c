"""Nested containers: their tensors and arrays in a row, and what is left when those are taken out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..tensor import Tensor

__all__ = ["Structure", "flatten", "grouped", "unflatten"]


class Leaf(NamedTuple):
    """A place for a tensor (True) or an array."""

    tensor: bool


class _Sequence(NamedTuple):
    """A tuple, a list, or a named tuple."""

    type: type[Any]
    parts: tuple[Any, ...]


class _Mapping(NamedTuple):
    """A dict, with its keys in order."""

    type: type[Any]
    keys: tuple[Any, ...]
    parts: tuple[Any, ...]


class _Record(NamedTuple):
    """A dataclass, with the names of its fields."""

    type: type[Any]
    names: tuple[str, ...]
    parts: tuple[Any, ...]


class _Static:
    """Anything else; equal to what has the same type and value (a NaN to a NaN, but 0.0 not to -0.0)."""

    __slots__ = ("key", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.key = (type(value), value.hex() if isinstance(value, float) else value)
        try:
            hash(self.key)
        except TypeError:
            raise TypeError(
                f"compile: an argument (or result) of type {type(value).__name__} cannot be told from others, for it "
                f"has no hash; use tensors, arrays, numbers, strings, or tuples, lists and dicts of them"
            ) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Static) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return repr(self.value)


Structure: TypeAlias = Leaf | _Sequence | _Mapping | _Record | _Static
"""What is left of nested containers without their tensors and arrays; hashable."""

TENSOR, ARRAY = Leaf(True), Leaf(False)


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The tensors and arrays in nested tuples, lists, dicts and dataclasses, in order; and the structure without them.

    Raises
    ------
    TypeError
        If something else in it is not hashable.

    Examples
    --------
    >>> import numpy as np
    >>> leaves, structure = flatten({"x": (np.zeros(2), 3)})
    >>> leaves, unflatten(structure, [7])
    ([array([0., 0.])], {'x': (7, 3)})
    """
    leaves: list[Any] = []
    return leaves, _split(tree, leaves)


def _split(tree: Any, leaves: list[Any]) -> Structure:
    if isinstance(tree, Tensor):
        leaves.append(tree)
        return TENSOR
    if isinstance(tree, np.ndarray):
        leaves.append(tree)
        return ARRAY
    kind = type(tree)
    if isinstance(tree, (tuple, list)):
        return _Sequence(kind, tuple([_split(part, leaves) for part in tree]))
    if isinstance(tree, dict):
        return _Mapping(kind, tuple(tree), tuple([_split(part, leaves) for part in tree.values()]))
    if dataclasses.is_dataclass(kind):
        names = tuple(field.name for field in dataclasses.fields(kind))
        return _Record(kind, names, tuple([_split(getattr(tree, name), leaves) for name in names]))
    return _Static(tree)


def unflatten(structure: Structure, leaves: Iterable[Any]) -> Any:
    """The containers of a structure around these leaves."""
    return _joined(structure, iter(leaves))


def grouped(values: Iterable[Any], counts: Sequence[int]) -> list[list[Any]]:
    """Lists of these lengths, one after the other."""
    rest = iter(values)
    return [[next(rest) for _ in range(n)] for n in counts]


def _joined(structure: Structure, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, Leaf):
        return next(leaves)
    if isinstance(structure, _Static):
        return structure.value
    kind, parts = structure.type, [_joined(part, leaves) for part in structure.parts]
    if isinstance(structure, _Sequence):
        return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
    if isinstance(structure, _Mapping):
        return _filled(kind, zip(structure.keys, parts, strict=True))
    made = object.__new__(kind)
    for name, part in zip(structure.names, parts, strict=True):
        object.__setattr__(made, name, part)
    return made


def _filled(kind: type[Any], items: Iterable[tuple[Any, Any]]) -> Any:
    """A dict of this type (one that can be made empty)."""
    made = kind()
    made.update(items)
    return made
