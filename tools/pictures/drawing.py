"""A recorded graph put down as boxes, arrows and clusters."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np

from autograd_core.graph import Node
from autograd_core.tensor import Tensor

from . import formulas, labels
from .arrangement import Arrangement, Part, Unit
from .arranging import arranged
from .backprop_flow import Carried, Flow, Seen
from .pencil import Pencil
from .picture import Box, Picture
from .recorded_graph import Operand, Operation, RecordedGraph

__all__ = ["draw"]

MOST_MAPPED = 1000
"""Boxes of a picture that has heat maps: of more, the drawing would be too large for a browser."""

UNRECORDED = (
    "Computed outside of autograd_core.record(), which would add all values, the inputs that need no gradient, and the "
    "modules and lines of code."
)


def draw(
    picture: Picture,
    outputs: list[Tensor],
    names: dict[int, str],
    *,
    gradients: bool,
    values: bool,
    most: int,
    depth: int | None,
    roll: bool,
) -> None:
    """Draw into an empty picture how the outputs were computed."""
    recorded = RecordedGraph(outputs, names)
    arrangement = arranged(recorded.parts, owned=recorded.owned(), depth=depth, roll=roll, most=most)
    operations = recorded.operations
    shown = {n for u in arrangement.shown for p in u.parts for o in [operations[p.key]] for n in (o.node, o.maker)}
    if depth is None and arrangement.depth is not None:
        deep = f"opened {labels.counted(arrangement.depth, 'level')} deep; depth={arrangement.depth + 1} shows more"
        picture.notes.append(f"Modules are {deep}.")
    picture.subject = labels.short(", ".join(names.get(id(root)) or _made_by(root) for root in recorded.roots))
    flow = Flow(len(arrangement.shown) <= MOST_MAPPED)
    if gradients:
        ends = {operations[parts[-1].key].node for rounds in arrangement.repetitions() for parts in rounds}
        flow.run(recorded.roots, recorded.order, shown, ends)
        scalar = len(outputs) == 1 and outputs[0].array.size == 1
        of = picture.subject if scalar else f"the sum of {picture.subject}"
        picture.gradient_of = "" if flow.problem else of
        picture.notes += [flow.problem] if flow.problem else []
    if not flow.problem and any(node.trace is None for node in recorded.order):
        picture.notes.append(UNRECORDED)
    known = recorded.values(shown)
    _Drawing(picture, recorded, arrangement, flow, known, values).run()


def _made_by(root: Any) -> str:
    return root.name if isinstance(root, Node) else "leaf"


class _Drawing:
    """Draws units one after the other, and what they use before them; then the arrows."""

    def __init__(
        self,
        picture: Picture,
        recorded: RecordedGraph,
        arrangement: Arrangement,
        flow: Flow,
        known: dict[Any, np.ndarray],
        with_values: bool,
    ) -> None:
        self.recorded, self.arrangement, self.flow = recorded, arrangement, flow
        self.known, self.with_values = known, with_values
        lines = {key: operation.line for key, operation in recorded.operations.items()}
        self.pencil = Pencil(picture, arrangement, self._module, lines, self._magnitude)
        self.names = self._names_of_units()
        self.order = {unit: i for i, unit in enumerate(arrangement.units)}

    def run(self) -> None:
        """Draw everything."""
        found, parts = self.arrangement, self.recorded.parts
        for root in self.recorded.roots:
            if isinstance(root, Tensor):
                self.outside(id(root))
        self.pencil.in_order(self.unit, self.outside)
        for unit in found.shown:
            self.arrows(unit)
        drawn = {part.key for unit in found.shown for part in unit.parts}
        self.pencil.remaining_arrows(part for part in parts if part.key not in drawn)

    def _operation(self, part: Part) -> Operation:
        return self.recorded.operations[part.key]

    def _module(self, stack: tuple[Any, ...]) -> tuple[str, str, str]:
        return "module", self.recorded.paths.path(stack), type(stack[-1]).__name__

    def _magnitude(self, part: Part) -> float | None:
        return self.flow.magnitudes.get(self._operation(part).node)

    # Names

    def _names_of_units(self) -> dict[Unit, str]:
        """The person's name for each result, or the next number."""
        taken, numbers = set(self.recorded.names.values()), count(1)
        names: dict[Unit, str] = {}
        for unit in self.arrangement.shown:
            name = self.recorded.names.get(id(self._result(unit).node))
            names[unit] = labels.short(name, 36) if name else next(v for n in numbers if (v := f"v{n}") not in taken)
        return names

    def _result(self, unit: Unit) -> Operation:
        """The operation whose output is shown: of a module, the last whose output is used outside."""
        roots, used = self.recorded.roots, self.arrangement.used
        ends = [p for p in unit.parts if p.key in used or self._operation(p).node in roots]
        return self._operation((ends or unit.parts)[-1])

    def _operand(self, key: Any, at: Unit) -> str:
        """What a formula calls an operand."""
        unit = self.arrangement.where.get(key)
        if unit is not None:
            name = self.names.get(unit)
            if name is None:
                return formulas.MISSING
            return f"previous {name}" if self.order[unit] >= self.order[at] else labels.last_name(name)
        name = self.recorded.name(key)
        if name is not None:
            return labels.last_name(name)
        if key in self.recorded.leaf_names:
            return self.recorded.leaf_names[key]
        array = self.recorded.array(key)
        return labels.value_text(array) if array.size == 1 else "constant"

    def _formula(self, unit: Unit) -> str:
        if unit.stack is None:
            operation = self._operation(unit.parts[0])
            texts = {position: self._operand(given.key, unit) for position, given in operation.operands.items()}
            shown = [texts.get(position, formulas.MISSING) for position in range(operation.known_operands)]
            return formulas.formula(operation.maker, shown, operation.output)
        _, path, kind = self._module(unit.stack)
        keys = (key for part in unit.parts for key in part.inputs.values() if self._enters(key, part))
        return formulas.call(labels.last_name(path or kind), list(dict.fromkeys(self._operand(k, unit) for k in keys)))

    def _enters(self, key: Any, part: Part) -> bool:
        """Whether something used within a module comes from outside of it, and is not its own."""
        found = self.arrangement
        if key in found.where:
            return not found.is_within(key, part)
        return found.drawn(key) in found.uses[found.where[part.key]] and key not in self.recorded.paths.owned

    # Boxes

    def unit(self, unit: Unit) -> None:
        """The box of an operation or of a module, after those of what it uses."""
        for key in self.arrangement.uses[unit]:
            self.outside(key)
        result = self._result(unit)
        name, formula = self.names[unit], self._formula(unit)
        output = any(self._operation(part).node in self.recorded.roots for part in unit.parts)
        kind = "output" if output else "operation" if unit.stack is None else "module"
        detail = labels.detail(result.node.shape, result.node.dtype)
        box = self.pencil.unit(unit, kind, f"{name} = {formula}", detail)
        box.name, box.formula = name, formula
        box.shape = None if isinstance(result.node.dtype, tuple) else result.node.shape
        if unit.stack is None:
            box.operation = result.maker.name
        else:
            box.note = "\n".join(filter(None, [self._parameters(unit), box.note]))
        self._describe(box, self.known.get(result.node), self.flow.gradients.get(result.node))

    def outside(self, key: Any) -> None:
        """The box of a leaf or a constant, if it is not there yet."""
        if key in self.pencil.boxes:
            return
        recorded = self.recorded
        given, array, name = recorded.given[key], recorded.array(key), recorded.name(key)
        by = recorded.changed(key)
        value = None if by is not None else self.known.get(given, array) if isinstance(given, Tensor) else array
        # What a person made stands beside the modules, unless there is one for each time of a repetition.
        inside = name is None or key in recorded.paths.owned or self.arrangement.is_rolled_up(key)
        texts = name or "constant", labels.detail(array.shape, array.dtype)
        if recorded.is_leaf(key):
            name = name or recorded.leaf_names[key]
            box = self.pencil.outside(key, "leaf", name, texts[1], inside=inside)
            self._describe(box, value, self.flow.gradients.get(given))
        elif name is None and array.size == 1:
            box = self.pencil.outside(key, "number", labels.value_text(array), inside=True)
        else:
            box = self.pencil.outside(key, "constant", *texts, inside=inside)
            self._describe(box, value, None)
        box.note = "" if by is None else f"changed since by {by}"
        box.name, box.shape, box.module = name or "", array.shape, recorded.paths.owned.get(key, "").rpartition(".")[0]

    def _describe(self, box: Box, value: np.ndarray | None, gradient: Seen | None) -> None:
        facts = []
        if self.with_values and value is not None:
            seen = Seen.value(value, self.flow.mapped)
            box.value, box.value_map, box.forward = seen.text, seen.map, seen.numbers
            facts.append(f"value: {seen.facts}")
        if gradient is not None:
            box.gradient, box.gradient_map, box.backward = gradient.text, gradient.map, gradient.numbers
            box.magnitude = gradient.magnitude
            facts.append(f"gradient: {gradient.facts}")
        box.facts = "\n".join(facts)

    def _parameters(self, unit: Unit) -> str:
        """How many parameters a module has that is one box, and the gradients of those."""
        keys = {key for part in unit.parts for key in part.inputs.values()} & self.recorded.given.keys()
        hidden = [key for key in keys - self.arrangement.uses[unit].keys() if self.recorded.is_leaf(key)]
        leaves = [self.recorded.given[key] for key in hidden]
        size = sum(leaf.array.size for leaf in leaves)
        known = [(leaf.array.size, self.flow.gradients[leaf]) for leaf in leaves if leaf in self.flow.gradients]
        found = [n * gradient.magnitude for n, gradient in known if gradient.magnitude is not None]
        gradient = f", mean |grad| {labels.number(sum(found) / size)}" if size and found else ""
        return f"{labels.counted(size, 'parameter')}{gradient}" if size else ""

    # Arrows

    def arrows(self, unit: Unit) -> None:
        """The arrows to a unit.

        Uses of one box that differ in what is not drawn become one arrow, which tells what it carries only if it is one
        use: all those by a module, and those of a repetition.
        """
        target, found = self.pencil.boxes[unit], self.arrangement
        uses: dict[Any, list[tuple[Node, Operand]]] = {}
        for part in unit.parts:
            operation = self._operation(part)
            for position, operand in operation.operands.items():
                source = self.pencil.at(operand.key)
                if source is not None and not found.is_within(operand.key, part):
                    apart = unit.stack is None and not found.is_rolled_up(operand.key)
                    uses.setdefault((source.key, position if apart else None), []).append((operation.maker, operand))
        for those in uses.values():
            maker, operand = those[0]
            carried = self.flow.edges.get((maker, operand.slot)) if len(those) == 1 else None
            self.pencil.arrow(self.pencil.at(operand.key), target, carried or Carried(), len(those))
