"""Every operation, by family; and which of them are methods and operators of tensors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..tensor import method
from . import (
    arithmetic,
    casting,
    comparison,
    convolution,
    cumulative,
    decompositions,
    diagonal,
    einsum,
    exponential,
    extremes,
    indexing,
    joining,
    linalg,
    rearranging,
    reduction,
    rounding,
    selection,
    shape,
    softmax,
    sorting,
    special,
    standardizing,
    statistics,
    trigonometric,
    windows,
    writing,
)

FAMILIES = (
    casting,
    arithmetic,
    exponential,
    trigonometric,
    rounding,
    selection,
    special,
    comparison,
    reduction,
    extremes,
    softmax,
    cumulative,
    sorting,
    statistics,
    shape,
    joining,
    rearranging,
    diagonal,
    indexing,
    writing,
    linalg,
    einsum,
    decompositions,
    windows,
    convolution,
    standardizing,
)

# A function is a method if its first parameter is the tensor, which is called `input`.
for _family in FAMILIES:
    for _name in _family.__all__:
        _function = getattr(_family, _name)
        if next(iter(inspect.signature(_function).parameters), "") in ("input", "tensor", "A", "L"):
            method(_name)(_function)

method("where")(lambda self, condition, other: selection.where(condition, self, other))
method("polygamma")(lambda self, n: special.polygamma(n, self))
method("T")(property(shape.T))
method("mT")(property(shape.mT))
method("__getitem__")(indexing.getitem)


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: function(other, self)


_BINARY = {
    "add": arithmetic._add,
    "sub": arithmetic._sub,
    "mul": arithmetic.mul,
    "truediv": arithmetic._div,
    "floordiv": rounding.floor_divide,
    "mod": rounding.remainder,
    "pow": arithmetic.pow,
    "matmul": linalg.matmul,
    "and": comparison.bitwise_and,
    "or": comparison.bitwise_or,
    "xor": comparison.bitwise_xor,
    "lshift": comparison.bitwise_left_shift,
    "rshift": comparison.bitwise_right_shift,
}
for _name, _function in _BINARY.items():
    method(f"__{_name}__")(_function)
    method(f"__r{_name}__")(_reflected(_function))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    method(f"__{_name}__")(getattr(comparison, _name))
method("__neg__")(arithmetic.neg)
method("__pos__")(lambda self: self)
method("__abs__")(arithmetic.abs)
method("__invert__")(comparison.bitwise_not)
method("__hash__")(object.__hash__)  # setting __eq__ took it away: tensors are told apart by identity
