"""The compiled program as a picture: which operations share a native loop, and what runs in Python."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from . import formulas, labels
from .arrangement import Part, Unit
from .arranging import arranged
from .pencil import Pencil
from .picture import Picture

__all__ = ["draw_program", "is_compiled"]

MOST_OPERATIONS = 150
"""Of a program that has more, loops are drawn as one box each, unless it is asked for otherwise."""

MOST_NAMES = 12
"""Of the operations in a loop that is one box."""


def is_compiled(function: Any) -> bool:
    """Whether something is a function made by :func:`autograd_core.compile`."""
    step = sys.modules.get("autograd_core.compiler.step")  # nobody has one before it is imported
    return step is not None and isinstance(function, step.Compiled)


@dataclass(eq=False)
class Loop:
    """What became one native loop."""

    kernel: str
    space: tuple[int, ...]


@dataclass
class Done:
    """What one part of the program does.

    Attributes
    ----------
    name, params, reads, writes : of the primitive; reads and writes are places in buffers, or numbers
    line : ``file:line`` it comes from
    onto : what it adds its result to, or None
    note : how it is carried out
    kind : of its box
    sources : for each read, and for `onto`, the keys of those who made it
    """

    name: str
    params: dict[str, Any]
    reads: tuple[Any, ...]
    writes: tuple[Any, ...]
    line: str
    onto: Any = None
    note: str = ""
    kind: str = "operation"
    sources: list[list[Any]] = field(default_factory=list)


def draw_program(
    picture: Picture, function: Any, names: dict[int, str], *, most: int, depth: int | None, roll: bool
) -> None:
    """Draw into an empty picture the program of the last call of a compiled function.

    Raises
    ------
    RuntimeError
        If it was not called yet.
    """
    binding = function._shown("graph").binding
    picture.subject = f"the compiled {getattr(function.function, '__name__', 'function')}"
    picture.notes = str(function.report()).splitlines()[:2]
    program = _Program(binding, function.function, names)
    if depth is None and len(program.parts) > MOST_OPERATIONS:
        depth = 0
        picture.notes.append("Each native loop is one box; depth=1 shows the operations in it.")
    arrangement = arranged(program.parts, owned=program.numbers, depth=depth, roll=roll, most=most)
    lines = {key: done.line for key, done in program.done.items()}
    _Drawing(program, Pencil(picture, arrangement, _describe, lines, lambda part: None)).run()


def _describe(stack: tuple[Any, ...]) -> tuple[str, str, str]:
    loop = stack[-1]
    return "loop", loop.kernel, f"native loop over {loop.space}" if loop.space else "native code"


class _Program:
    """A program as parts: who makes what each reads, and what is kept in the end.

    Attributes
    ----------
    parts : to be arranged
    done : what each of them does, by key
    given : buffers and numbers from outside, by key
    numbers : the keys of the numbers
    kept : the names of results, by the key of the part that makes them
    """

    def __init__(self, binding: Any, function: Any, names: dict[int, str]) -> None:
        self.names = names
        self.parts: list[Part] = []
        self.done: dict[Any, Done] = {}
        self.given: dict[Any, Any] = {}
        self.numbers: set[Any] = set()
        self.kept: dict[Any, str] = {}
        self._writers: dict[Any, list[tuple[Any, Any]]] = {}
        self._parameters = list(inspect.signature(function).parameters)
        self._kernels: dict[int, dict[str, None]] = {}
        for call in binding.emitted.at.values():
            self._kernels.setdefault(id(call.step), {})[call.kernel] = None
        for step in binding.plan.steps:
            self._step(step)
        self._note_results(binding)

    def _step(self, step: Any) -> None:
        from autograd_core.compiler.fusion import Nest
        from autograd_core.compiler.nodes import Host, Native

        kernels = ", ".join(self._kernels.get(id(step), ()))
        if isinstance(step, Nest):
            loop = Loop(kernels or "loop", step.space)
            for k, op in enumerate(placed.op for placed in step.placed):
                self._part((id(step), k), Done(op.name, op.params, op.reads, op.writes, op.line, op.onto), loop)
        elif isinstance(step, (Host, Native)):
            i, host = step.instruction, isinstance(step, Host)
            reads = step.operands if isinstance(step, Host) else step.needs
            done = Done(i.name, i.params, reads, step.writes, i.line)
            done.note = f"in Python: {step.reason}" if isinstance(step, Host) else f"kernel {kernels}"
            done.kind = "python" if host else "operation"
            self._part(id(step), done)
        else:
            done = Done("matmul", {}, (step.left, step.right), step.writes, step.line, step.onto, "matrix product")
            self._part(id(step), done)

    def _part(self, key: Any, done: Done, *stack: Loop) -> None:
        reads = [*done.reads, *([] if done.onto is None else [done.onto])]
        done.sources = [self._sources(read, (key, position)) for position, read in enumerate(reads)]
        self.done[key] = done
        looks = tuple((access.shape, str(access.buffer.dtype)) for access in done.writes)
        inputs = dict(enumerate(source for sources in done.sources for source in sources))
        self.parts.append(Part(key, (done.name, f"{done.params}", done.kind, looks), inputs, stack))
        for access in done.writes:
            self._writers.setdefault(access.buffer, []).append((key, access))

    def _sources(self, read: Any, number: Any) -> list[Any]:
        """Who made what is read: parts, or something from outside."""
        from autograd_core.compiler.access import Access, overlap

        if not isinstance(read, Access):
            self.given[number] = read
            self.numbers.add(number)
            return [number]
        found = [key for key, access in self._writers.get(read.buffer, ()) if overlap(access, read)]
        if not found:
            self.given[read.buffer] = read.buffer
        return list(dict.fromkeys(found)) or [read.buffer]

    # Names

    def _note_results(self, binding: Any) -> None:
        from autograd_core.compiler.access import Access
        from autograd_core.compiler.program import Captured, Gradient, Result, State

        found: dict[Any, list[str]] = {}
        sources = ((buffer, buffer.source) for buffer in binding.nodes.inputs.values())
        captured = {id(source.tensor): buffer for buffer, source in sources if isinstance(source, Captured)}
        several = sum(isinstance(target, Result) for target, _ in binding.program.outputs) > 1
        for target, operand in binding.program.outputs:
            place = binding.nodes.places.get(operand)
            if isinstance(target, Result):
                name = f"result {target.position}" if several else "result"
                place = binding.plan.results.get(target.position, place)
            elif isinstance(target, State):
                name = f"new {self._tensor(target.tensor)}"
            else:
                assert isinstance(target, Gradient)
                name = f"{self._argument(target.of) if isinstance(target.of, int) else self._tensor(target.of)}.grad"
            copied = captured.get(id(target.tensor)) if isinstance(target, State) else None
            buffer = copied if copied in self._writers else place.buffer if isinstance(place, Access) else None
            for key, _ in self._writers.get(buffer, ())[-1:]:
                found.setdefault(key, []).append(name)
        self.kept = {key: ", ".join(names) for key, names in found.items()}

    def _tensor(self, tensor: Any) -> str:
        return tensor.name or self.names.get(id(tensor)) or "tensor"

    def _argument(self, position: int) -> str:
        """The name of a parameter of the function, if each is one tensor."""
        return self._parameters[position] if position < len(self._parameters) else f"argument {position}"

    def outside(self, key: Any) -> tuple[str, str, str]:
        """Kind, title and detail of something from outside."""
        from autograd_core.compiler.program import Argument, Captured, Option

        given = self.given[key]
        if key in self.numbers:
            return "number", labels.number(given), ""
        source, detail = given.source, f"{given.size} {given.dtype}"
        if isinstance(source, Captured):
            tensor = source.tensor
            kind = "leaf" if tensor.requires_grad else "constant"
            return kind, self._tensor(tensor), labels.detail(tensor.shape, tensor.dtype)
        if isinstance(source, Argument):
            return "constant", self._argument(source.position), f"argument, {detail}"
        if isinstance(source, Option):
            return "number", f"{source.name} {labels.number(source.read())}", ""
        array = getattr(source, "array", None)
        if array is not None and array.size == 1:
            return "number", labels.value_text(array), ""
        name = None if array is None else labels.name_of_values(array, self.names)
        return "constant", name or "constant", detail if array is None else labels.detail(array.shape, array.dtype)


class _Drawing:
    def __init__(self, program: _Program, pencil: Pencil) -> None:
        self.program, self.pencil = program, pencil
        self.arrangement = pencil.arrangement
        self.order = {unit: i for i, unit in enumerate(self.arrangement.units)}
        numbers = count(1)
        self.names: dict[Unit, str] = {}
        for unit in self.arrangement.shown:
            kept = [program.kept[part.key] for part in unit.parts if part.key in program.kept]
            self.names[unit] = ", ".join(kept) or f"v{next(numbers)}"

    def run(self) -> None:
        """Draw everything."""
        found = self.arrangement
        for unit in found.units[: found.first]:
            self.unit(unit)
        if found.left_out:
            for unit in found.left_out:
                for key in found.uses[unit]:
                    if key in found.outside:
                        self.outside(key)
            self.pencil.left_out()
        for unit in found.units[found.last :]:
            self.unit(unit)
        self.pencil.remaining_arrows(self.program.parts)

    def unit(self, unit: Unit) -> None:
        """The box of an operation, or of a loop, after those of what it uses."""
        for key in self.arrangement.uses[unit]:
            self.outside(key)
        last = self.program.done[unit.parts[-1].key]
        kept = any(part.key in self.program.kept for part in unit.parts)
        name = self.names[unit]
        formula = self._formula(unit) if unit.stack is None else _describe(unit.stack)[1]
        kind = last.kind if last.kind == "python" else "output" if kept else "operation"
        detail = labels.detail(_written(last.writes[0]), last.writes[0].buffer.dtype) if last.writes else ""
        box = self.pencil.unit(unit, kind if unit.stack is None else "loop", f"{name} = {formula}", detail)
        box.name, box.formula, box.operation = name, formula, last.name if unit.stack is None else ""
        notes = last.note if unit.stack is None else self._operations(unit)
        box.note = "\n".join(filter(None, [notes, box.note]))

    def _operations(self, unit: Unit) -> str:
        names = [self.program.done[part.key].name for part in unit.parts]
        more = f", ... ({len(names)} in all)" if len(names) > MOST_NAMES else ""
        return ", ".join(names[:MOST_NAMES]) + more

    def outside(self, key: Any) -> None:
        """The box of something from outside, if it is not there yet."""
        if key not in self.pencil.boxes:
            kind, title, detail = self.program.outside(key)
            box = self.pencil.outside(key, kind, title, detail, inside=key in self.program.numbers)
            box.name = title

    def _formula(self, unit: Unit) -> str:
        done = self.program.done[unit.parts[0].key]
        texts = [self._operand(sources, unit) for sources in done.sources]
        reads = [f"{x}{_turned(place)}" for x, place in zip(texts, done.reads, strict=False)]
        shape = getattr(done.reads[0], "shape", ()) if done.reads else ()
        written = formulas.of_application(done.name, done.params, reads, shape)
        return written if done.onto is None else f"{texts[-1]} + {written}"

    def _operand(self, sources: list[Any], at: Unit) -> str:
        names = list(dict.fromkeys(self._name(key, at) for key in sources))
        return names[0] if len(names) == 1 else f"[{', '.join(formulas.listed(names))}]"

    def _name(self, key: Any, at: Unit) -> str:
        unit = self.arrangement.where.get(key)
        if unit is None:
            return labels.last_name(self.program.outside(key)[1])
        name = self.names.get(unit)
        if name is None:
            return formulas.MISSING
        return f"previous {name}" if self.order[unit] >= self.order[at] else name


def _written(place: Any) -> tuple[int, ...]:
    """The shape of a result, without the dimensions of the loop that are summed over, or that it is the same for."""
    return tuple(n for n, stride in zip(place.shape, place.strides, strict=True) if stride or n == 1)


def _turned(place: Any) -> str:
    """How an operand is read, if it is a matrix column by column."""
    strides: tuple[int, ...] = getattr(place, "strides", ())
    turned = len(strides) >= 2 and strides[-2] == 1 and strides[-1] > 1 and place.shape[-2] > 1
    return "" if not turned else ".T" if len(strides) == 2 else ".mT"
