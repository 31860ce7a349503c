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

MOST_FORMULAS, LAST_FORMULAS = 24, 4
"""In a loop that is one box; of more, the first ones are written and the last ones, which are the results."""

LEAST_SAVED = 2
"""Boxes that rolling up has to save: loops that are the same code are seen to be so."""


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
    options: dict[str, Any] = {"depth": depth, "roll": roll, "most": most, "shallowest": 0, "least": LEAST_SAVED}
    arrangement = arranged(program.parts, owned=program.states, **options)
    if depth is None and arrangement.depth is not None:
        picture.notes.append("Each native loop is one box; depth=1 draws one for each operation in it.")
    lines = {key: done.line for key, done in program.done.items()}
    _Drawing(program, Pencil(picture, arrangement, _describe, lines, lambda part: None)).run()


def _describe(stack: tuple[Any, ...]) -> tuple[str, str, str]:
    loop = stack[-1]
    return "loop", loop.kernel, f"native loop over {loop.space}" if loop.space else "native code"


class _Program:
    """A program as parts: who makes what each reads, and what is kept in the end.

    The key of what comes from outside is the buffer it is in.  Numbers are in formulas only.

    Attributes
    ----------
    parts : to be arranged
    done : what each of them does, by key
    states : buffers that the program changes and that are no parameters, such as an optimizer's averages
    kept : the names of results, by the key of the part that makes them
    """

    def __init__(self, binding: Any, function: Any, names: dict[int, str]) -> None:
        self.names = names
        self.parts: list[Part] = []
        self.done: dict[Any, Done] = {}
        self.states: set[Any] = set()
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
        done.sources = [self._sources(read) for read in reads]
        self.done[key] = done
        looks = tuple((access.shape, str(access.buffer.dtype)) for access in done.writes)
        inputs = dict(enumerate(source for sources in done.sources for source in sources))
        self.parts.append(Part(key, (done.name, f"{done.params}", done.kind, looks), inputs, stack))
        for access in done.writes:
            self._writers.setdefault(access.buffer, []).append((key, access))

    def _sources(self, read: Any) -> list[Any]:
        """Who made what is read: parts, or something from outside; nobody, if it is a number."""
        from autograd_core.compiler.access import overlap

        if _number(read) is not None:
            return []
        found = [key for key, access in self._writers.get(read.buffer, ()) if overlap(access, read)]
        return list(dict.fromkeys(found)) or [read.buffer]

    # Names

    def _note_results(self, binding: Any) -> None:
        from autograd_core.compiler.access import Access
        from autograd_core.compiler.program import Captured, Gradient, Result, State

        found: dict[Any, list[str]] = {}
        sources = ((buffer, buffer.source) for buffer in binding.nodes.inputs.values())
        captured = {id(source.tensor): buffer for buffer, source in sources if isinstance(source, Captured)}
        self._shapes = {buffer: value.shape for value, buffer in binding.nodes.inputs.items()}
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
            if copied is not None and not target.tensor.requires_grad:
                self.states.add(copied)
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
        from autograd_core.compiler.program import Argument, Captured, Constant

        source, detail = key.source, labels.detail(self._shapes.get(key, (key.size,)), key.dtype)
        if isinstance(source, Captured):
            return "leaf" if source.tensor.requires_grad else "constant", self._tensor(source.tensor), detail
        if isinstance(source, Argument):
            return "constant", self._argument(source.position), f"argument, {detail}"
        name = labels.name_of_values(source.array, self.names) if isinstance(source, Constant) else None
        return "constant", name or "constant", detail


def _number(read: Any) -> str | None:
    """What is read as a formula has it, if it is a number: one of the program, or an option of an optimizer."""
    from autograd_core.compiler.access import Access
    from autograd_core.compiler.program import Constant, Option

    if not isinstance(read, Access):
        return labels.number(read)
    source = read.buffer.source
    if isinstance(source, Option):
        return f"{source.name} {labels.number(source.read())}"
    if isinstance(source, Constant) and source.array.size == 1:
        return labels.value_text(source.array)
    return None


class _Drawing:
    def __init__(self, program: _Program, pencil: Pencil) -> None:
        self.program, self.pencil = program, pencil
        self.arrangement = pencil.arrangement
        self.order = {unit: i for i, unit in enumerate(self.arrangement.units)}
        numbers = count(1)
        parts = (part for unit in self.arrangement.shown for part in unit.parts)
        self.names: dict[Any, str] = {part.key: program.kept.get(part.key) or f"v{next(numbers)}" for part in parts}

    def run(self) -> None:
        """Draw everything."""
        self.pencil.in_order(self.unit, self.outside)
        self.pencil.remaining_arrows(self.program.parts)

    def unit(self, unit: Unit) -> None:
        """The box of an operation, or of a loop, after those of what it uses."""
        for key in self.arrangement.uses[unit]:
            self.outside(key)
        if unit.stack is not None:
            _, title, _ = _describe(unit.stack)
            box = self.pencil.unit(unit, "loop", title, "")
            box.name, what = title, self._formulas(unit)
        else:
            (part,) = unit.parts
            done, name, formula = self.program.done[part.key], self.names[part.key], self._formula(part, unit)
            kind = "output" if part.key in self.program.kept and done.kind == "operation" else done.kind
            detail = labels.detail(_written(done.writes[0]), done.writes[0].buffer.dtype) if done.writes else ""
            box = self.pencil.unit(unit, kind, f"{name} = {formula}", detail)
            box.name, box.formula, box.operation, what = name, formula, done.name, done.note
        box.note = "\n".join(filter(None, [what, box.note]))

    def _formulas(self, unit: Unit) -> str:
        """Line by line what a loop computes."""
        written = [f"{self.names[part.key]} = {self._formula(part, unit)}" for part in unit.parts]
        more = len(written) - MOST_FORMULAS
        if more > 0:
            written[-more - LAST_FORMULAS : -LAST_FORMULAS] = [f"... {labels.counted(more, 'more operation')} ..."]
        return "\n".join(written)

    def outside(self, key: Any) -> None:
        """The box of something from outside, if it is not there yet."""
        if key not in self.pencil.boxes:
            kind, title, detail = self.program.outside(key)
            self.pencil.outside(key, kind, title, detail).name = title

    def _formula(self, part: Part, unit: Unit) -> str:
        done = self.program.done[part.key]
        places = [*done.reads, *([] if done.onto is None else [done.onto])]
        texts = [self._operand(read, part, unit) for read in zip(places, done.sources, strict=True)]
        shape = getattr(done.reads[0], "shape", ()) if done.reads else ()
        written = formulas.of_application(done.name, done.params, texts[: len(done.reads)], shape)
        return written if done.onto is None else f"{texts[-1]} + {written}"

    def _operand(self, read: tuple[Any, list[Any]], part: Part, at: Unit) -> str:
        place, sources = read
        number = _number(place)
        if number is not None:
            return number
        names = list(dict.fromkeys(self._name(key, part, at) for key in sources))
        text = names[0] if len(names) == 1 else f"[{', '.join(formulas.listed(names))}]"
        return f"{text}{_turned(place)}"

    def _name(self, key: Any, part: Part, at: Unit) -> str:
        found = self.arrangement
        unit = found.where.get(key)
        if unit is None:
            return labels.last_name(self.program.outside(key)[1])
        name = self.names.get(found.drawn(key))
        if name is None:
            return formulas.MISSING
        name = labels.last_name(name)
        return f"previous {name}" if self.order[unit] >= self.order[at] and not found.is_within(key, part) else name


def _written(place: Any) -> tuple[int, ...]:
    """The shape of a result, without the dimensions of the loop that are summed over, or that it is the same for."""
    return tuple(n for n, stride in zip(place.shape, place.strides, strict=True) if stride or n == 1)


def _turned(place: Any) -> str:
    """How an operand is read, if it is a matrix column by column."""
    strides: tuple[int, ...] = getattr(place, "strides", ())
    turned = len(strides) >= 2 and strides[-2] == 1 and strides[-1] > 1 and place.shape[-2] > 1
    return "" if not turned else ".T" if len(strides) == 2 else ".mT"
