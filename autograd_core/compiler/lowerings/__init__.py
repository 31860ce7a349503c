"""How primitives become calls of kernels.

A lowering is a function from an instruction to the kernel calls that carry it out.  What is elementwise, a reduction or
a view has none here: those become loops of their own (see `fusion`).  What has neither runs in Python.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from ..program import Instruction, Value

__all__ = ["LOWERINGS", "Call", "Number", "Scratch", "load_lowerings", "lowering"]


class Number(NamedTuple):
    """A number that a kernel gets in a certain dtype."""

    value: float | int | bool
    dtype: str


class Scratch(NamedTuple):
    """Memory for the time of one call, whose content is not set."""

    size: int
    dtype: str


Passed: TypeAlias = Value | int | Number | Scratch


class Call(NamedTuple):
    """A call of a kernel: ``module.name`` in `autograd_core.kernels`, and what it gets.

    A value is passed as a pointer to its contiguous elements.  A `checked` kernel returns 0, or something else if it
    met values that the primitive raises an error for.
    """

    kernel: str
    args: tuple[Passed, ...]
    checked: bool = False


Lowering: TypeAlias = Callable[[Instruction], Call | list[Call] | None]

LOWERINGS: dict[str, Lowering] = {}
"""By the name of the primitive."""


def lowering(*names: str) -> Callable[[Lowering], Lowering]:
    """Decorator: lower these primitives so.  The function gives None for what it cannot lower."""

    def register(function: Lowering) -> Lowering:
        for name in names:
            if name in LOWERINGS:
                raise ValueError(f"lowering: {name} has two")
            LOWERINGS[name] = function
        return function

    return register


@functools.cache
def load_lowerings() -> None:
    """Import every module of this package, each of which registers its lowerings."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
