"""What is computed twice is computed once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import EFFECTS, Argument, Captured, Constant, Instruction, Operand, Option, Program, Source, Value
from .rewriting import COMMUTATIVE, Rewriter

__all__ = ["common"]

SMALL = 16
"""Elements of a constant up to which it is compared with others by its content."""


def common(program: Program) -> Program:
    """With one instruction for all that apply the same primitive to the same operands, and one input for each source.

    ::

        %2: float32[3] = mul(%0, %1)            %2: float32[3] = mul(%0, %1)
        %3: float32[3] = mul(%1, %0)            %3: float32[3] = add(%2, %2)
        %4: float32[3] = add(%2, %3)

    A backward rule does not know that the rule of another operation, or the forward, has computed the same.  Operands
    change places only where that does not change a bit.  Random numbers are drawn as often as recorded.
    """
    rewriter = Rewriter(program)
    inputs: dict[Any, Value] = {}
    for value, source in program.inputs.items():
        first = inputs.setdefault((value.type, *_source_key(source)), value)
        if first is not value:
            del rewriter.inputs[value]
            rewriter.replace([value], [first])
    made: dict[Any, Instruction] = {}
    for old in program.instructions:
        i = rewriter.now(old)
        first_made = i if i.name in EFFECTS else made.setdefault(_key(i), i)
        if first_made is i:
            rewriter.append(i)
        else:
            rewriter.replace(i.results, first_made.results)
    return rewriter.program()


def _source_key(source: Source) -> tuple[Any, ...]:
    match source:
        case Argument(position):
            return (Argument, position)
        case Captured(tensor):
            return (Captured, id(tensor))
        case Option(mapping, name, index):
            return (Option, id(mapping), name, index)
        case Constant(array, fresh):
            if fresh and array.size <= SMALL:
                return (Constant, array.shape, array.dtype.str, array.tobytes())
            return (Constant, id(array))


def _key(i: Instruction) -> tuple[Any, ...]:
    operands = [_operand_key(x) for x in i.operands]
    if i.name in COMMUTATIVE:
        operands.sort()
    dtypes = tuple(v.dtype for v in i.results)  # of literals alone, the default dtype at the time has decided
    return (i.name, dtypes, tuple(operands), _param_key(i.params) if i.params else None)


def _operand_key(x: Operand) -> tuple[Any, ...]:
    """Numbers by how they are written, as 1, 1.0 and True are equal, and 0.0 and -0.0."""
    return (0, x.number) if isinstance(x, Value) else (1, type(x).__name__, repr(x))


def _param_key(param: Any) -> Any:
    """Something hashable that is equal for equal parameters."""
    match param:
        case dict():
            return (dict, *((k, _param_key(v)) for k, v in sorted(param.items())))
        case tuple() | list():
            return (type(param), *map(_param_key, param))
        case slice():
            return (slice, param.start, param.stop, param.step)
        case np.ndarray():
            return (np.ndarray, param.shape, param.dtype.str, param.tobytes())
        case float() | int():
            return (type(param), repr(param))
        case np.dtype() | str() | None:
            return param
        case _:
            return (type(param), id(param))
