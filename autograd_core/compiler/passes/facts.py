"""What holds of a value whatever the inputs are: how large it can be, and that it is not negative."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from ..program import Constant, Instruction, Operand, Program, Value

__all__ = ["Facts"]

inf = math.inf


class Facts:
    """Facts about the values of a program, learned from its instructions in order."""

    def __init__(self, program: Program) -> None:
        self._bounds: dict[Value, float] = {}
        self._nonnegative: set[Value] = set()
        self.uniform: dict[Value, int | float | bool] = {}
        for value, source in program.inputs.items():
            if isinstance(source, Constant) and source.fresh:
                self.learn_constant(value, source.array)

    def bound(self, x: Operand) -> float:
        """A number that ``|x|`` is at most, and then x is not NaN; inf if there is none."""
        if not isinstance(x, Value):
            return abs(x) if math.isfinite(x) else inf
        if x.dtype.kind == "b":
            return 1.0
        return float(np.iinfo(x.dtype).max) + 1 if x.dtype.kind in "iu" else self._bounds.get(x, inf)

    def nonnegative(self, x: Operand) -> bool:
        """Whether x is at least +0, or NaN: neither negative nor -0."""
        if not isinstance(x, Value):
            return math.copysign(1, x) > 0
        return x.dtype.kind in "bu" or x in self._nonnegative

    def number(self, x: Operand) -> Any:
        """The number that x is: written so, or an array full of it that never changes.  Else None."""
        return self.uniform.get(x) if isinstance(x, Value) else x

    def learn_constant(self, value: Value, array: np.ndarray) -> None:
        """Learn about an input that never changes."""
        if array.size == 0:
            return
        first = array.flat[0].item()
        if array.tobytes() == np.full_like(array, first).tobytes():
            self.uniform[value] = first
        if array.dtype.kind == "f":
            self._bounds[value] = float(np.abs(array).max()) if np.isfinite(array).all() else inf
            if not np.signbit(array).any():
                self._nonnegative.add(value)

    def learn(self, i: Instruction) -> None:
        """Learn about the result of an instruction."""
        if len(i.results) != 1 or i.result.dtype.kind != "f":
            return
        if i.name in _BOUNDS:
            bound = _BOUNDS[i.name]([self.bound(x) for x in i.operands], i.operands)
            if bound < float(np.finfo(i.result.dtype).max) / 2:  # half, as what is computed is rounded
                self._bounds[i.result] = bound
        if i.name in _NONNEGATIVE or (i.name == "mul" and i.operands[0] is i.operands[1]):
            self._nonnegative.add(i.result)
        elif i.name in _KEEP_SIGN:
            chosen = i.operands[1:] if i.name == "where" else i.operands
            if all(map(self.nonnegative, chosen)):
                self._nonnegative.add(i.result)


_Bound: TypeAlias = Callable[[list[float], tuple[Operand, ...]], float]


def _quotient(bounds: list[float], operands: tuple[Operand, ...]) -> float:
    divisor = operands[1]
    return inf if isinstance(divisor, Value) or divisor == 0 else bounds[0] / abs(divisor)


def _product(bounds: list[float], operands: tuple[Operand, ...]) -> float:
    return inf if inf in bounds else bounds[0] * bounds[1]


_SAME = ("cast", "neg", "abs", "relu", "clone", "reshape", "permute", "broadcast_to", "positive")
_ONE = ("sigmoid", "tanh", "sin", "cos", "sign")

_BOUNDS: dict[str, _Bound] = {
    **dict.fromkeys(_SAME, lambda bounds, operands: bounds[0]),
    **dict.fromkeys(_ONE, lambda bounds, operands: 1.0 if bounds[0] < inf else inf),
    **dict.fromkeys(("add", "sub"), lambda bounds, operands: sum(bounds)),
    **dict.fromkeys(("maximum", "minimum"), lambda bounds, operands: max(bounds)),
    "where": lambda bounds, operands: max(bounds[1:]),
    "mul": _product,
    "div": _quotient,
}

_NONNEGATIVE = frozenset(["square", "abs", "exp", "exp2", "sigmoid"])
_KEEP_SIGN = frozenset(
    [
        *("add", "mul", "div", "pow", "sqrt", "root", "rsqrt", "maximum", "where", "cast"),
        *("sum", "amax", "amin", "prod", "reshape", "permute", "broadcast_to", "clone"),
    ]
)
"""Not negative if no operand is."""
