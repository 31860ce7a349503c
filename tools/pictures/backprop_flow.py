"""One backward pass for a picture, written down: what arrives at each node and leaf, and what each edge carries."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_core.graph import PICK, Node, propagate
from autograd_core.tensor import Tensor

from . import labels
from .array_facts import facts, heat_map, magnitude

__all__ = ["Carried", "Flow", "Seen", "kept"]

KEPT = 64
"""Arrays of up to this many elements are kept as they are."""


def kept(array: np.ndarray) -> np.ndarray | None:
    """A copy of a small array, None for a larger one."""
    return np.array(array) if array.size <= KEPT else None


@dataclass
class Seen:
    """What is told of an array; without the array, which may be large."""

    text: str = ""
    facts: str = ""
    map: str = ""
    magnitude: float | None = None
    numbers: np.ndarray | None = None

    @classmethod
    def value(cls, array: np.ndarray, mapped: bool) -> Seen:
        """Of a forward value; with a map if it shall have one."""
        drawn = heat_map(array) if mapped and array.dtype.kind in "fiub" else ""
        return cls(labels.value_text(array), facts(array), drawn, None, kept(array))

    @classmethod
    def gradient(cls, array: np.ndarray, mapped: bool) -> Seen:
        """Of a gradient."""
        drawn = heat_map(array) if mapped else ""
        return cls(labels.gradient_text(array), facts(array), drawn, magnitude(array), kept(array))


@dataclass
class Carried:
    """What goes back along an edge: upstream gradient times local derivative; of arrays, only what is sent is text."""

    upstream: str = ""
    local: str = ""
    sent: str = ""
    facts: str = ""
    numbers: np.ndarray | None = None


@dataclass
class Flow:
    """One backward pass.

    Attributes
    ----------
    mapped : whether there are maps
    gradients : by node or leaf
    edges : by node and the number of its parent
    magnitudes : the mean absolute gradients of the nodes that are only summed up
    problem : why there is none of this
    """

    mapped: bool = True
    gradients: dict[Any, Seen] = field(default_factory=dict)
    edges: dict[tuple[Node, int], Carried] = field(default_factory=dict)
    magnitudes: dict[Any, float] = field(default_factory=dict)
    problem: str = ""

    def run(
        self, roots: dict[Any, Tensor], order: list[Node], shown: Collection[Node], summed: Collection[Node]
    ) -> None:
        """Send 1 back from every element of the roots; `order` is all that they depend on."""

        def visit(node: Node, gradient: Any, sent: list[tuple[Any, Any]]) -> None:
            several = isinstance(gradient, tuple)  # of several outputs each shows its own
            if node in summed and not several:
                self.magnitudes[node] = magnitude(gradient)
            if node not in shown:
                return
            if not several:
                self.gradients[node] = Seen.gradient(gradient, self.mapped)
            if node.plan is not PICK:  # which only hands on
                for slot, (_, contribution) in enumerate(sent):
                    self.edges[node, slot] = _carried(node, slot, gradient, contribution)

        if any(node.saved is None for node in order):
            self.problem = (
                "No gradients: a backward() or grad() has released what the graph had saved for them. Pass "
                "retain_graph=True to it, or compute under autograd_core.record(), or draw before it."
            )
            return
        ones = {root: np.ones_like(t.array) for root, t in roots.items()}
        try:
            with _without_hooks(order):
                leaves = propagate(ones, retain_graph=True, visit=visit)
        except RuntimeError as error:
            self.gradients, self.edges, self.problem = {}, {}, f"No gradients: {error}."
        else:
            self.gradients.update((leaf, Seen.gradient(g, self.mapped)) for leaf, g in leaves.items())


def _carried(node: Node, slot: int, gradient: Any, contribution: np.ndarray) -> Carried:
    if isinstance(gradient, tuple):
        return Carried(sent=labels.gradient_text(contribution), facts=f"sent back: {facts(contribution)}")
    if gradient.size == contribution.size == 1:
        local = _local(node, slot, gradient)
        up, by, sent = (labels.value_text(x) for x in (gradient, local, contribution))
        text = f"upstream gradient {up}, local derivative {by}, sent back {sent}"
        return Carried(up, by, sent, text, kept(contribution))
    texts = [f"sent back: {facts(contribution)}"]
    if node.plan.primitive.elementwise:
        texts.insert(0, f"local derivative: {facts(_local(node, slot, gradient))}")
    return Carried("", "", labels.gradient_text(contribution), "\n".join(texts), kept(contribution))


def _local(node: Node, slot: int, gradient: np.ndarray) -> np.ndarray:
    """The derivative of the output by an operand, elements of each by those of the other one for one."""
    return np.asarray(node.plan.rules[slot](np.ones_like(gradient), node.saved))


@contextmanager
def _without_hooks(nodes: list[Node]) -> Iterator[None]:
    """Let a pass go by unnoticed: ``retain_grad`` adds to a gradient, and a person's hook may do anything."""
    hooks = [(node, node.hooks) for node in nodes if node.hooks is not None]
    try:
        for node, _ in hooks:
            node.hooks = None
        yield
    finally:
        for node, was in hooks:
            node.hooks = was
