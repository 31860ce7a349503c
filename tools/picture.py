"""The backprop picture: what was computed, with the values that went forward and the gradients that came back.

:func:`graph` walks the recorded graph and sends gradients back through it once, noting what arrives at every node and
what is sent along every edge.  That becomes boxes and arrows, plain data in the order of computation; ``dot`` writes
them in Graphviz' language, and ``render`` draws that.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.dtypes import as_array
from autograd_core.graph import PICK, Node, ordered, propagate
from autograd_core.tensor import Tensor

from . import dot, labels, render

__all__ = ["Arrow", "Box", "Picture", "graph"]


@dataclass
class Box:
    """A value of the computation, all texts ready to be shown."""

    key: str
    kind: str
    """``leaf`` (requires a gradient), ``constant``, ``number``, ``operation``, ``output`` or ``left out``."""
    title: str
    detail: str = ""
    """Its shape and dtype."""
    value: str = ""
    gradient: str = ""


@dataclass
class Arrow:
    """The use of a value by an operation."""

    source: str
    target: str
    upstream: str = ""
    """The gradient at the target, if source and target are single numbers."""
    local: str = ""
    """The derivative of the target by the source, likewise."""
    sent: str = ""
    """What goes back to the source: upstream times local."""


@dataclass(repr=False)
class Picture:
    """A computation as boxes and arrows; shows itself in a notebook.

    Attributes
    ----------
    subject : the names of the outputs
    gradient_of : what the gradients shown are the gradients of; empty if there are none
    direction : where the computation flows: TB (top to bottom), LR, BT or RL
    notes : what has to be said about it
    boxes, arrows : what is shown, inputs first
    """

    subject: str
    gradient_of: str = ""
    direction: str = "TB"
    notes: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)

    @property
    def dot(self) -> str:
        """The picture in Graphviz' language."""
        return dot.source(self)

    def svg(self) -> str:
        """The drawing as SVG text.

        Raises
        ------
        RuntimeError
            If neither Graphviz nor graphviz-pure is installed.
        """
        return render.render(self.dot, "svg").decode()

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file, complete or not at all; the suffix says how: .svg, .png, .pdf, .dot or .gv.

        Raises
        ------
        ValueError
            If the suffix is none of these.
        RuntimeError
            If nothing is installed that draws this format (.pdf needs Graphviz itself).  The picture then lies
            beside it as .dot.
        """
        return render.save(self.dot, Path(path))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the drawing, or why there is none."""
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except RuntimeError as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def __repr__(self) -> str:
        kinds = [box.kind for box in self.boxes]
        operations = labels.counted(kinds.count("operation") + kinds.count("output"), "operation")
        leaves = labels.counted(kinds.count("leaf"), "leaf")
        return f"<Picture of {self.subject}: {operations}, {leaves}; draw it with .save('graph.svg')>"


def graph(
    output: Any,
    *,
    names: Any = None,
    gradients: bool = True,
    values: bool = True,
    direction: str = "TB",
    max_nodes: int = 400,
) -> Picture:
    """The picture of how `output` was computed, and of the gradients it sends back.

    A box shows a forward value and the gradient of the output by it; an arrow shows what goes back along it: upstream
    gradient times local derivative.  The gradients are those of the sum of the output's elements.  They are computed
    for the picture: no ``grad`` changes, no hook runs, and the graph stays.

    A box has its tensor's `name`, else the one in `names`, else that of the variable that holds the tensor, or of the
    module that has it as a parameter, where the picture is asked for.  Every value, and the inputs that need no
    gradient, are known if the computation ran under :func:`autograd_core.record`; otherwise the values that
    derivatives need, until ``backward()`` releases them.

    Parameters
    ----------
    output : Tensor or sequence of tensors
    names : mapping of names to tensors, or module, optional
    gradients, values : bool
        Whether to show them.
    direction : {"TB", "LR", "BT", "RL"}
        Where the computation flows: top to bottom, left to right, and so on.
    max_nodes : int
        Of a graph with more boxes both ends are shown, and how much lies between.

    Raises
    ------
    TypeError
        If `output` is no tensor, or `names` neither a mapping nor a module.
    RuntimeError
        If an output requires no gradient, so nothing was recorded.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.tools.picture import graph
    >>> x, y, z = (ag.tensor(v, requires_grad=True) for v in (2.0, 3.0, 2.0))
    >>> f = (x + y) * (y - z)
    >>> picture = graph(f)
    >>> picture
    <Picture of f: 3 operations, 3 leaves; draw it with .save('graph.svg')>
    >>> [(box.title, box.value, box.gradient) for box in picture.boxes if box.kind == "leaf"]
    [('x', '2', 'grad 1'), ('y', '3', 'grad 6'), ('z', '2', 'grad -5')]
    """
    outputs = _checked(output, direction, max_nodes)
    frame = sys._getframe(1)
    found = labels.found_names(names, {**frame.f_locals, **(frame.f_globals | frame.f_locals)})  # locals come first
    roots: dict[Any, Tensor] = {t.node or t: t for t in outputs}
    order = ordered(roots)[::-1]
    shown = _Shown(order, max_nodes)
    found.update(_own_names(roots, shown.nodes))
    subject = labels.short(", ".join(found.get(id(root)) or _made_by(root) for root in roots))
    picture = Picture(subject, direction=direction)
    flow = _Flow()
    if gradients:
        flow.run(roots, order, shown)
        scalar = len(outputs) == 1 and outputs[0].array.size == 1
        picture.gradient_of = "" if flow.problem else subject if scalar else f"the sum of {subject}"
        picture.notes += [flow.problem] if flow.problem else []
    _Drawing(picture, found, roots, shown, flow, _values(roots, shown.nodes), values).run(order)
    return picture


def _checked(output: Any, direction: str, max_nodes: int) -> list[Tensor]:
    outputs = [output] if isinstance(output, Tensor) else output
    if not isinstance(outputs, (list, tuple)) or not outputs or not all(isinstance(t, Tensor) for t in outputs):
        raise TypeError(f"graph: expected a tensor or a list of tensors, got {output!r:.80}")
    for t in outputs:
        if not t.requires_grad:
            raise RuntimeError(
                f"graph: the tensor of shape {t.shape} does not lead back to any tensor that requires a gradient, so "
                f"nothing was recorded; set requires_grad=True on the inputs, and compute outside no_grad()"
            )
    if direction not in ("TB", "LR", "BT", "RL"):
        raise ValueError(f"graph: direction must be 'TB', 'LR', 'BT' or 'RL', got {direction!r}")
    if max_nodes < 2:
        raise ValueError(f"graph: max_nodes must be at least 2, got {max_nodes}")
    return list(outputs)


def _inputs(node: Node) -> Iterator[tuple[Any, Any, int]]:
    """The arguments of an operation: identity, what it is, and which parent (-1 for a constant).

    Constants are known of a node that was recorded.  A plain number is a new one each time it is used.
    """
    if node.trace is None or node.plan is PICK:
        for slot, parent in enumerate(node.parents):
            yield id(parent), parent, slot
        return
    slots = {position: slot for slot, position in enumerate(node.plan.positions)}
    for i, given in enumerate(node.trace.inputs):
        if i in slots:
            parent = node.parents[slots[i]]
            yield id(parent), parent, slots[i]
        else:
            yield (id(given) if isinstance(given, (Tensor, np.ndarray)) else (id(node), i)), given, -1


def _outside(node: Node) -> set[Any]:
    """The identities of a node's inputs that no node made."""
    return {key for key, given, _ in _inputs(node) if not isinstance(given, Node)}


class _Shown:
    """What there is room for.

    Attributes
    ----------
    nodes : all, or as many as there is room for, from both ends by turns
    first, last : those from `first` up to but not including `last`, in order, are left out
    outside : the identities of the leaves and constants these nodes use
    outside_left_out : how many others there are
    """

    def __init__(self, order: list[Node], max_nodes: int) -> None:
        everything = set().union(*map(_outside, order))
        self.first, self.last = 0, len(order)
        self.nodes: set[Node] = set()
        self.outside: set[Any] = set()
        if len(order) + len(everything) <= max_nodes:
            self.nodes, self.outside, self.first = set(order), everything, len(order)
        while self.first < self.last:
            at_start = len(self.nodes) % 2
            node = order[self.first if at_start else self.last - 1]
            more = _outside(node) - self.outside
            # Beside what is there already: its inputs, the node itself, and the box that stands for the rest.
            if self.nodes and len(self.nodes) + len(self.outside) + len(more) + 2 > max_nodes:
                break
            self.nodes.add(node)
            self.outside |= more
            self.first += at_start
            self.last -= 1 - at_start
        self.outside_left_out = len(everything) - len(self.outside)


def _made_by(root: Any) -> str:
    return root.name if isinstance(root, Node) else "leaf"


def _own_names(roots: dict[Any, Tensor], nodes: set[Node]) -> dict[int, str]:
    """The names that tensors carry themselves, by the identity of their node or of the leaf."""
    named: list[tuple[Any, Any]] = list(roots.items())
    for node in nodes:
        named += ((parent, parent) for parent in node.parents)
        if node.trace is not None and node.plan is not PICK:
            given = [node.trace.inputs[position] for position in node.plan.positions]
            named += zip(node.parents, given, strict=True)
    return {id(origin): t.name for origin, t in named if isinstance(t, Tensor) and t.name}


def _values(roots: dict[Any, Tensor], nodes: set[Node]) -> dict[Any, np.ndarray]:
    """What is known of forward values: recorded, or saved by the node itself or by one that uses them."""
    known: dict[Any, Any] = {}
    for node in nodes:
        parents = dict(zip(node.plan.positions, node.parents, strict=True))
        for name, value in zip(node.plan.saves, node.saved or (), strict=False):
            arrays = node.plan.primitive.arrays
            used = node if name == "out" else parents.get(arrays.index(name)) if name in arrays else None
            if used is not None:
                known[used] = value
        if node.trace is not None:
            known[node] = node.trace.value
    known.update((root, t.array) for root, t in roots.items())
    return {origin: value for origin, value in known.items() if isinstance(value, np.ndarray)}


class _Flow:
    """One backward pass, written down: the gradient that arrives at each node and leaf, and what each edge carries.

    `problem` says why there is none.
    """

    def __init__(self) -> None:
        self.gradients: dict[Any, str] = {}
        self.edges: dict[tuple[Node, int], tuple[str, str, str]] = {}
        self.problem = ""

    def run(self, roots: dict[Any, Tensor], order: list[Node], shown: _Shown) -> None:
        def visit(node: Node, gradient: Any, sent: list[tuple[Any, Any]]) -> None:
            if node not in shown.nodes:
                return
            if not isinstance(gradient, tuple):  # of several outputs each shows its own
                self.gradients[node] = labels.gradient_text(gradient)
            if node.plan is not PICK:  # which only hands on
                for slot, (_, contribution) in enumerate(sent):
                    self.edges[node, slot] = _edge(node, slot, gradient, contribution)

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
            self.gradients.update((leaf, labels.gradient_text(g)) for leaf, g in leaves.items())


def _edge(node: Node, slot: int, gradient: Any, contribution: np.ndarray) -> tuple[str, str, str]:
    """Upstream gradient, local derivative and what is sent, as texts; of arrays only the last."""
    if isinstance(gradient, tuple) or not gradient.size == contribution.size == 1:
        return "", "", labels.gradient_text(contribution)
    local = np.asarray(node.plan.rules[slot](np.ones_like(gradient), node.saved))
    return labels.value_text(gradient), labels.value_text(local), labels.value_text(contribution)


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


@dataclass
class _Drawing:
    """Turns what was found into boxes and arrows."""

    picture: Picture
    names: dict[int, str]
    roots: dict[Any, Tensor]
    shown: _Shown
    flow: _Flow
    known: dict[Any, np.ndarray]
    with_values: bool
    boxes: dict[Any, Box] = field(default_factory=dict)

    linked: set[tuple[str, str]] = field(default_factory=set)

    def run(self, order: list[Node]) -> None:
        for root in self.roots:
            if isinstance(root, Tensor):
                self.outside(id(root), root, -1)
        for node in order[: self.shown.first]:
            self.operation(node)
        if self.shown.first < self.shown.last:
            self.left_out(order[self.shown.first : self.shown.last])
        for node in order[self.shown.last :]:
            self.operation(node)

    def operation(self, node: Node) -> None:
        sources = [(self.input(*given), given[2]) for given in _inputs(node)]
        name, does = self.names.get(id(node)), labels.operation(node)
        box = self.add(
            id(node),
            "output" if node in self.roots else "operation",
            f"{labels.short(name)} = {does}" if name else does,
            labels.detail(node.shape, node.dtype),
            self.value(self.known.get(node)),
            self.flow.gradients.get(node, ""),
        )
        for source, slot in sources:
            self.link(source, box, *self.flow.edges.get((node, slot), ()))

    def left_out(self, nodes: list[Node]) -> None:
        """One box in place of these nodes, and one arrow from each box that they use."""
        others = self.shown.outside_left_out
        inputs = f" and {labels.counted(others, 'input')}" if others else ""
        rest = self.add("rest", "left out", f"... {labels.counted(len(nodes), 'operation')}{inputs} left out ...")
        self.boxes.update((id(node), rest) for node in nodes)
        for node in nodes:
            for given in _inputs(node):
                self.link(self.input(*given), rest)

    def input(self, key: Any, given: Any, slot: int) -> Box | None:
        """The box of an argument, made at its first use; None for one that is left out."""
        if key in self.boxes or key not in self.shown.outside:
            return self.boxes.get(key)
        return self.outside(key, given, slot)

    def outside(self, key: Any, given: Any, slot: int) -> Box:
        """The box of a leaf or a constant."""
        array = self.known.get(given) if isinstance(given, Tensor) else None
        if array is None:
            array = given.array if isinstance(given, Tensor) else as_array(given)
        name = self.names.get(key) or labels.name_of_values(array, self.names)
        if isinstance(given, Tensor) and given.requires_grad:
            gradient = self.flow.gradients.get(given, "")
            return self.add(key, "leaf", name or "leaf", _detail(array), self.value(array), gradient)
        if name is None and array.size == 1:
            return self.add(key, "number", labels.value_text(array))
        return self.add(key, "constant", name or "constant", _detail(array), self.value(array))

    def add(self, key: Any, kind: str, title: str, *texts: str) -> Box:
        box = self.boxes[key] = Box(f"n{len(self.picture.boxes)}", kind, labels.short(title, 60), *texts)
        self.picture.boxes.append(box)
        return box

    def value(self, array: np.ndarray | None) -> str:
        return labels.value_text(array) if self.with_values and array is not None else ""

    def link(self, source: Box | None, target: Box, *texts: str) -> None:
        if source is None or source is target:
            return
        arrow = Arrow(source.key, target.key, *texts)
        if "left out" in (source.kind, target.kind):
            if (source.key, target.key) in self.linked:
                return
            self.linked.add((source.key, target.key))
            arrow = Arrow(source.key, target.key)
        self.picture.arrows.append(arrow)


def _detail(array: np.ndarray) -> str:
    return labels.detail(array.shape, array.dtype)
