"""What is known now is computed now."""

from __future__ import annotations

import numpy as np

from ..program import EFFECTS, Constant, Instruction, Operand, Program, Value, execute
from .rewriting import Rewriter

__all__ = ["fold"]

ENLARGING = frozenset(["broadcast_to", "windows"])
"""Views that repeat elements: to keep them as arrays would cost memory and save nothing."""


def fold(program: Program) -> Program:
    """With what depends on numbers and fresh constants alone computed, and kept as a constant.

    ::

        inputs                                  inputs
            %0: float32[3] = argument               %0: float32[3] = argument
            %1: float32[3] = constant               %1: float32[3] = constant
        do                                      do
            %2: float32[3] = mul(%1, 0.5)           %2: float32[3] = add(%0, %1)
            %3: float32[3] = add(%0, %2)

    Constants of a model (positions, masks, transposes of them) are so made once and not in every call.  This holds
    only for arrays that nobody else can change.  Results larger than what they are made of are left to the program.
    A constant may hold sizes; that is right too, as other sizes are recorded anew.
    """
    rewriter = Rewriter(program)
    known = {v: s.array for v, s in program.inputs.items() if isinstance(s, Constant) and s.fresh}
    for old in program.instructions:
        i = rewriter.now(old)
        if not _foldable(i, known):
            rewriter.append(i)
            continue
        with np.errstate(all="ignore"):
            results = execute(i, [known[x] if isinstance(x, Value) else x for x in i.operands])
        found: list[Operand] = []
        for value, result in zip(i.results, results, strict=True):
            if value.weak:
                found.append(result.item())
                continue
            array = np.ascontiguousarray(result).reshape(value.shape)
            constant = rewriter.constant(array)
            known[constant] = array
            found.append(constant)
        rewriter.replace(i.results, found)
    return rewriter.program()


def _foldable(i: Instruction, known: dict[Value, np.ndarray]) -> bool:
    if i.name in EFFECTS or i.name in ENLARGING or not all(v in known for v in i.values):
        return False
    largest = max((v.size for v in i.values), default=1)
    return all(v.size <= largest for v in i.results)
