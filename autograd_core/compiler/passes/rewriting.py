"""What the passes share: going through a program and putting other instructions in the place of some."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...dtypes import get_default_dtype
from ...primitive import REGISTRY
from ..program import Constant, Instruction, Operand, Program, Value

__all__ = ["COMMUTATIVE", "Rewriter", "broadcast_shape", "elementwise_dtype", "is_elementwise", "same_number"]

COMMUTATIVE = frozenset(
    ["add", "mul", "eq", "ne", "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor"]
)
"""Primitives of two operands whose order makes no difference, not in a single bit (as it does for maximum(0, -0))."""


class Rewriter:
    """A program in the making, from another one.

    Attributes
    ----------
    inputs, instructions : of the new program
    makers : which instruction makes a value, in the new program
    """

    def __init__(self, program: Program) -> None:
        self.inputs = dict(program.inputs)
        self.instructions: list[Instruction] = []
        self.makers: dict[Value, Instruction] = {}
        self._outputs = program.outputs
        self._instead: dict[Value, Operand] = {}

    def now(self, i: Instruction) -> Instruction:
        """An instruction of the old program, reading what the new one has."""
        if self._instead.keys().isdisjoint(i.values):
            return i
        return i.replaced(self._instead.get(x, x) if isinstance(x, Value) else x for x in i.operands)

    def append(self, i: Instruction) -> None:
        """Add an instruction to the new program."""
        self.instructions.append(i)
        self.makers.update(dict.fromkeys(i.results, i))

    def replace(self, results: Iterable[Value], found: Iterable[Operand]) -> None:
        """From now on, read these instead of the results of an old instruction."""
        self._instead.update((a, b) for a, b in zip(results, found, strict=True) if a is not b)

    def constant(self, array: np.ndarray) -> Value:
        """A new input: an array that nobody else holds."""
        value = Value(array.shape, array.dtype)
        self.inputs[value] = Constant(array, fresh=True)
        return value

    def program(self) -> Program:
        """The new program."""
        outputs = [(t, self._instead.get(x, x) if isinstance(x, Value) else x) for t, x in self._outputs]
        return Program(self.inputs, self.instructions, outputs)


def is_elementwise(name: str) -> bool:
    """Whether each element of the result comes from one element of each operand."""
    return name in REGISTRY and REGISTRY[name].record.elementwise


def broadcast_shape(operands: Sequence[Operand]) -> tuple[int, ...]:
    """The shape of the result of an elementwise operation."""
    return np.broadcast_shapes(*(x.shape for x in operands if isinstance(x, Value)))


def elementwise_dtype(name: str, operands: Sequence[Operand]) -> np.dtype[Any]:
    """The dtype of the result of an elementwise operation without parameters."""
    kinds = tuple(
        type(x) if not isinstance(x, Value) else {"f": float, "i": int, "b": bool}[x.dtype.kind] if x.weak else x.dtype
        for x in operands
    )
    return _dtype_of(name, kinds, get_default_dtype())


@functools.cache
def _dtype_of(name: str, kinds: tuple[Any, ...], default: np.dtype[Any]) -> np.dtype[Any]:
    """Asked of the primitive itself, on ones; `default` is what the answer depends on besides."""
    ones = [np.ones((1,), kind) if isinstance(kind, np.dtype) else kind(1) for kind in kinds]
    dtype: np.dtype[Any] = REGISTRY[name].record.compute(ones, {}).dtype
    return dtype


def same_number(x: Any, y: Any) -> bool:
    """Whether two numbers are equal, the sign of zeros included."""
    return bool(x == y) and math.copysign(1, x) == math.copysign(1, y)
