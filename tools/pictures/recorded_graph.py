"""The graph behind some outputs, as a picture takes it: parts to arrange, and what is known of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_core.dtypes import as_array
from autograd_core.graph import PICK, Node, changes, ordered
from autograd_core.tensor import Tensor

from ..module_paths import ModulePaths
from . import labels
from .arrangement import Part

__all__ = ["Operand", "Operation", "RecordedGraph"]


@dataclass
class Operand:
    """An argument: its key, what it is (a node, a leaf, an array or a number), and which parent (-1: a constant)."""

    key: Any
    given: Any
    slot: int


@dataclass
class Operation:
    """What is drawn as one operation.

    `node` has the value, and `maker` the operands: the same node, unless it is the only output in use of a node that
    has several.
    """

    node: Node
    maker: Node
    operands: dict[int, Operand]

    @property
    def line(self) -> str:
        return "" if self.node.trace is None else str(self.node.trace.line)

    @property
    def output(self) -> int | None:
        """Which of the maker's outputs it is, if it is the only one."""
        return None if self.node is self.maker else int(self.node.params["index"])

    @property
    def known_operands(self) -> int:
        """How many arguments there are at least, known or not."""
        arrays = getattr(self.maker.plan.primitive, "arrays", ("input",))
        return max([len(arrays), *(position + 1 for position in self.operands)])


class RecordedGraph:
    """The graph behind some outputs.

    Parameters
    ----------
    outputs : tensors with a history
    names : what things are called, by identity; what tensors and modules themselves say of names is added

    Attributes
    ----------
    roots : the outputs by their nodes, or by themselves if they are leaves
    order : the nodes, oldest first
    operations : by the key of their part
    parts : to be arranged
    given : what comes from outside, by key
    paths : of the modules
    leaf_names : what leaves are called that have no name, by key
    """

    def __init__(self, outputs: list[Tensor], names: dict[int, str]) -> None:
        self.names = names
        self.roots: dict[Any, Tensor] = {t.node or t: t for t in outputs}
        self.order = ordered(self.roots)[::-1]
        self.given: dict[Any, Any] = {id(root): root for root in self.roots if isinstance(root, Tensor)}
        self._first_use: dict[Any, Node] = {}
        self.operations: dict[Any, Operation] = {}
        self.parts = self._parts()
        outermost = {id(part.stack[0]): part.stack[0] for part in self.parts if part.stack}
        self.paths = ModulePaths(outermost.values(), names)
        for key, path in self.paths.owned.items():
            names.setdefault(key, path)
        self._take_own_names()
        nameless = [key for key in self.given if self.is_leaf(key) and self.name(key) is None]
        numbers = range(1, len(nameless) + 1) if len(nameless) > 1 else ("",)
        self.leaf_names = {key: f"leaf{number}" for key, number in zip(nameless, numbers, strict=False)}

    def _parts(self) -> list[Part]:
        picks: dict[Node, list[Node]] = {}
        for node in self.order:
            if node.plan is PICK:
                picks.setdefault(node.parents[0], []).append(node)
        only = {nodes[0]: maker for maker, nodes in picks.items() if len(nodes) == 1}
        merged = {id(maker): id(pick) for pick, maker in only.items()}
        return [self._part(node, only.get(node, node), merged) for node in self.order if id(node) not in merged]

    def _part(self, node: Node, maker: Node, merged: dict[Any, Any]) -> Part:
        operands = _operands(maker)
        for operand in operands.values():
            operand.key = merged.get(operand.key, operand.key)
            if not isinstance(operand.given, Node):
                self.given[operand.key] = operand.given
                self._first_use.setdefault(operand.key, maker)
        self.operations[id(node)] = Operation(node, maker, operands)
        params = () if maker.plan is PICK else tuple(f"{name} {value!r:.40}" for name, value in maker.params.items())
        stack = () if node.trace is None else node.trace.modules
        keys = {position: operand.key for position, operand in operands.items()}
        return Part(id(node), (maker.name, params, node.shape, node.dtype), keys, stack)

    def _take_own_names(self) -> None:
        """The names that tensors carry themselves come before all others."""
        named: list[tuple[Any, Any]] = [*self.roots.items(), *((given, given) for given in self.given.values())]
        for node in self.order:
            if node.trace is not None and node.plan is not PICK:
                inputs = [node.trace.inputs[position] for position in node.plan.positions]
                named += zip(node.parents, inputs, strict=True)
        self.names.update((id(origin), t.name) for origin, t in named if isinstance(t, Tensor) and t.name)

    # What comes from outside

    def owned(self) -> set[Any]:
        """What from outside belongs to those who use it: parameters and buffers, numbers, and masks without a name."""
        return {
            key
            for key, given in self.given.items()
            if key in self.paths.owned or isinstance(key, tuple) or (self.name(key) is None and _is_mask(given))
        }

    def is_leaf(self, key: Any) -> bool:
        """Whether something from outside requires a gradient."""
        given = self.given[key]
        return isinstance(given, Tensor) and given.requires_grad

    def array(self, key: Any) -> np.ndarray:
        """Something from outside as an array."""
        given = self.given[key]
        return given.array if isinstance(given, Tensor) else as_array(given)

    def name(self, key: Any) -> str | None:
        """The name of something from outside."""
        return self.names.get(key) or (
            None if isinstance(key, tuple) else labels.name_of_values(self.array(key), self.names)
        )

    def changed(self, key: Any) -> str | None:
        """By whom something from outside was changed after it was used, so that it is not what was used any more."""
        node = self._first_use.get(key)
        return None if node is None else changes.since(node, self.array(key))

    # Values

    def values(self, nodes: Collection[Node]) -> dict[Any, np.ndarray]:
        """What is known of values: recorded, or saved by the node itself or by one that uses them."""
        known: dict[Any, Any] = {}
        for node in nodes:
            parents = dict(zip(node.plan.positions, node.parents, strict=True))
            for name, value in zip(node.plan.saves, node.saved or (), strict=False):
                arrays = node.plan.primitive.arrays
                used = node if name == "out" else parents.get(arrays.index(name)) if name in arrays else None
                if used is not None:
                    known[used] = value
            if node.trace is not None and not isinstance(node.dtype, tuple):
                known[node] = node.trace.value
        known.update((root, t.array) for root, t in self.roots.items())
        return {origin: value for origin, value in known.items() if isinstance(value, np.ndarray)}


def _operands(node: Node) -> dict[int, Operand]:
    """The arguments of a node by their positions; constants are known of a node that was recorded.

    A plain number is a new one each time it is used.
    """
    if node.plan is PICK:
        return {0: Operand(id(node.parents[0]), node.parents[0], 0)}
    found = {
        position: Operand(id(parent), parent, slot)
        for slot, (position, parent) in enumerate(zip(node.plan.positions, node.parents, strict=True))
    }
    for position, given in enumerate(node.trace.inputs if node.trace is not None else ()):
        if position not in found:
            key = id(given) if isinstance(given, (Tensor, np.ndarray)) else (id(node), position)
            found[position] = Operand(key, given, -1)
    return dict(sorted(found.items()))


def _is_mask(given: Any) -> bool:
    return bool(as_array(given.array if isinstance(given, Tensor) else given).dtype == bool)
