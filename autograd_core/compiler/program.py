"""The program that a recording becomes: values, the instructions that make them, and what is kept in the end.

A program is straight-line code in which every value is made once.  Printed, it reads like this::

    program     = "inputs" { value ":" type "=" source }
                  "do"     { [ value { "," value } "=" ] name "(" [ operand { "," operand } ] ")" "#" line }
                  "keep"   { target "=" operand }
    value       = "%" number
    type        = dtype "[" [ size { "," size } ] "]" [ "~" ]            ~ is weak: a Python number
    operand     = value | number | parameter "=" static
    source      = "argument" | "captured" | "constant" | "option"
    target      = "result" | "state" | "grad"

``name`` is a primitive's, or one of two effects: ``draw`` (random numbers, in the order of recording) and ``require``
(a 0-d bool that must be true, and the values that the error is explained with).  A *weak* value is a Python number that
is not known before the program runs, such as a learning rate: 0-d, float64, and taking on the dtype of what it meets,
as the literal would.

The program knows the sizes it was recorded with; the code that is emitted from it does not (see `emit`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..primitive import REGISTRY
from ..tensor import Tensor

__all__ = [
    "Argument",
    "Captured",
    "Constant",
    "Gradient",
    "Instruction",
    "Operand",
    "Option",
    "Program",
    "Result",
    "Source",
    "State",
    "Target",
    "Value",
    "interpret",
]

EFFECTS = ("draw", "require")


class Value:
    """An array the program knows by shape and dtype; compared by identity.

    `weak` says that it is a Python number (0-d float64, or int64), which does not decide the dtype of a result.
    """

    __slots__ = ("dtype", "number", "shape", "weak")
    _numbers = itertools.count()

    def __init__(self, shape: Sequence[int], dtype: Any, weak: bool = False) -> None:
        self.shape, self.dtype, self.weak = tuple(map(int, shape)), np.dtype(dtype), weak
        self.number = next(Value._numbers)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def type(self) -> str:
        """As in ``float32[64, 10]``."""
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]{'~' if self.weak else ''}"

    def __repr__(self) -> str:
        return f"%{self.number}: {self.type}"


Operand: TypeAlias = Value | int | float | bool


class Instruction:
    """One application: ``results = name(*operands, **params)``, recorded at `line` (``file:line``)."""

    __slots__ = ("line", "name", "operands", "params", "results")

    def __init__(
        self,
        name: str,
        operands: Iterable[Operand],
        params: dict[str, Any] | None = None,
        results: Iterable[Value] = (),
        line: str = "",
    ) -> None:
        self.name, self.operands, self.params = name, tuple(operands), params or {}
        self.results, self.line = tuple(results), line

    @property
    def result(self) -> Value:
        """The only result."""
        (value,) = self.results
        return value

    @property
    def values(self) -> list[Value]:
        """The operands that are values."""
        return [x for x in self.operands if isinstance(x, Value)]

    def replaced(self, operands: Iterable[Operand]) -> Instruction:
        """The same application to other operands."""
        return Instruction(self.name, operands, self.params, self.results, self.line)

    def __repr__(self) -> str:
        return f"{', '.join(map(repr, self.results))} = {self.name}(...)"


# Where inputs come from


class Argument(NamedTuple):
    """The tensor or array at this position among the flattened arguments of the call."""

    position: int


class Captured(NamedTuple):
    """What a tensor that existed before the call holds at the time of the call: parameters, buffers, state."""

    tensor: Tensor


class Constant(NamedTuple):
    """An array that recording met: one the function refers to, or one that was made from sizes alone.

    `fresh` says that nobody but the program holds it, so that it never changes.
    """

    array: np.ndarray
    fresh: bool = False


class Option(NamedTuple):
    """A number that may change from call to call, read as ``mapping[name]`` or ``mapping[name][part]``."""

    mapping: Any
    name: str
    part: int | None = None

    def read(self) -> Any:
        """Its value now."""
        value = self.mapping[self.name]
        value = value if self.part is None else value[self.part]
        return value.item() if isinstance(value, (Tensor, np.generic, np.ndarray)) else value


Source: TypeAlias = Argument | Captured | Constant | Option


# What becomes of values in the end


class Result(NamedTuple):
    """The call returns it, at this position among the flattened results."""

    position: int


class State(NamedTuple):
    """It becomes the content of a tensor that existed before the call."""

    tensor: Tensor


class Gradient(NamedTuple):
    """It becomes the ``grad`` of a tensor that existed before the call, or of an argument (by its position)."""

    of: Tensor | int


Target: TypeAlias = Result | State | Gradient


class Program:
    """Inputs with their sources, instructions in an order that can be run, and what is kept.

    Attributes
    ----------
    inputs : dict from Value to Source
    instructions : list of Instruction
    outputs : list of (Target, Operand)
    """

    def __init__(
        self,
        inputs: dict[Value, Source],
        instructions: Iterable[Instruction],
        outputs: Iterable[tuple[Target, Operand]],
    ) -> None:
        self.inputs, self.instructions, self.outputs = dict(inputs), list(instructions), list(outputs)

    def kept(self) -> Iterator[Value]:
        """The values that outlive the program."""
        return (x for _, x in self.outputs if isinstance(x, Value))

    def makers(self) -> dict[Value, Instruction]:
        """The instruction that makes each value."""
        return {value: instruction for instruction in self.instructions for value in instruction.results}

    def uses(self) -> dict[Value, int]:
        """How often each value is read, by instructions or in the end."""
        counts: dict[Value, int] = dict.fromkeys(self.inputs, 0)
        for instruction in self.instructions:
            counts.update(dict.fromkeys(instruction.results, 0))
        for value in itertools.chain(self.kept(), *(i.values for i in self.instructions)):
            counts[value] += 1
        return counts

    def verify(self) -> Program:
        """Give the program back, if it is well formed.

        Raises
        ------
        AssertionError
            If a value is read before it is made or made twice, a name is no primitive, or an effect is malformed.
        """
        known = set(self.inputs)
        for instruction in self.instructions:
            assert instruction.name in REGISTRY or instruction.name in EFFECTS, f"no primitive {instruction.name!r}"
            for value in instruction.values:
                assert value in known, f"{instruction.name} reads {value} before it is made ({instruction.line})"
            for value in instruction.results:
                assert value not in known, f"{value} is made twice, by {instruction.name} ({instruction.line})"
                known.add(value)
            if instruction.name == "require":
                condition = instruction.operands[0]
                assert not isinstance(condition, Value) or (condition.shape == () and condition.dtype == bool)
        for target, operand in self.outputs:
            assert not isinstance(operand, Value) or operand in known, f"{target} keeps {operand}, which nothing makes"
        return self

    def __str__(self) -> str:
        name = _numbering(self)

        def shown(x: Operand) -> str:
            return f"%{name[x]}" if isinstance(x, Value) else repr(x)

        lines = ["inputs"]
        lines += [f"    %{name[v]}: {v.type} = {type(s).__name__.lower()}" for v, s in self.inputs.items()]
        lines.append("do")
        for i in self.instructions:
            results = ", ".join(f"%{name[v]}: {v.type}" for v in i.results)
            arguments = [*map(shown, i.operands), *(f"{k}={_static(p)}" for k, p in i.params.items())]
            text = f"    {results}{' = ' if results else ''}{i.name}({', '.join(arguments)})"
            lines.append(f"{text:<72} # {i.line.rpartition('/')[2]}" if i.line else text)
        lines.append("keep")
        lines += [f"    {type(target).__name__.lower()} = {shown(x)}" for target, x in self.outputs]
        return "\n".join(lines)


def _numbering(program: Program) -> dict[Value, int]:
    """Numbers from 0 in the order of appearance, so that equal programs print equally."""
    made = (v for i in program.instructions for v in i.results)
    return {value: k for k, value in enumerate(itertools.chain(program.inputs, made))}


def _static(param: Any) -> str:
    return param.__name__ if callable(param) else repr(param)


def interpret(program: Program, inputs: Sequence[Any]) -> list[Any]:
    """Run a program one instruction after the other, in NumPy: what the compiled code is compared with.

    Parameters
    ----------
    program : Program
    inputs : arrays (or numbers, for weak values), in the order of ``program.inputs``

    Returns
    -------
    list
        The kept values, in the order of ``program.outputs``.
    """
    known: dict[Value, Any] = dict(zip(program.inputs, inputs, strict=True))

    def value(x: Operand) -> Any:
        return known[x] if isinstance(x, Value) else x

    for i in program.instructions:
        results = execute(i, [value(x) for x in i.operands])
        for v, result in zip(i.results, results, strict=True):
            known[v] = result.item() if v.weak and isinstance(result, np.ndarray) else result
    return [value(x) for _, x in program.outputs]


def execute(instruction: Instruction, operands: list[Any]) -> tuple[Any, ...]:
    """The results of one instruction on arrays and numbers."""
    if instruction.name == "require":
        if not operands[0]:
            instruction.params["explain"](*operands[1:])
        return ()
    if instruction.name == "draw":
        return (instruction.params["draw"](),)
    record = REGISTRY[instruction.name].record
    if instruction.results and instruction.results[0].weak:
        return (np.asarray(record.forward(*operands, **instruction.params)),)
    out = record.compute(operands, instruction.params)
    return out if isinstance(out, tuple) else (out,)
