"""From program to program: each pass is a function that gives a new one, equal in what it computes."""

from __future__ import annotations

from collections.abc import Callable

from ..program import Program
from .common import common
from .dead_code import dead_code
from .decompose import decompose
from .fold import fold
from .one_hot import one_hot
from .simplify import simplify
from .transpose import transpose

__all__ = [
    "PASSES",
    "SIMPLER",
    "common",
    "dead_code",
    "decompose",
    "fold",
    "one_hot",
    "optimize",
    "simplify",
    "transpose",
]

_ROUND = (simplify, fold, common, dead_code)

SIMPLER: tuple[Callable[[Program], Program], ...] = (*_ROUND, transpose, *_ROUND)
"""The passes after which the primitives are those that were recorded."""

PASSES = (dead_code, decompose, one_hot, *SIMPLER)
"""In order.  What is alike, or known, or used once, shows fully only when the others have been there."""


def optimize(program: Program, verify: bool = True) -> Program:
    """The program after all passes; it is verified after each of them.

    Raises
    ------
    AssertionError
        If a pass has made something that is no program.
    """
    for transformed in PASSES:
        program = transformed(program)
        if verify:
            program.verify()
    return program
