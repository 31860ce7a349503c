"""Which operation is at fault, if a gradient is wrong.

The function is run once more and recorded.  Then every operation of the graph is taken by itself, at the values it
saw, and its derivative rule is compared with differences: what is wrong there cannot come from anywhere else.  If all
rules are right, the inputs are moved and the function is recorded again: a value that changed and has no history was
taken out of the graph.  A gradient that is not finite is followed backwards to where it came up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_core import Tensor, enable_grad, modes, record
from autograd_core.dtypes import float64, is_floating
from autograd_core.graph import PICK, Node, ordered, propagate
from autograd_core.primitive import Primitive, applier
from autograd_core.tensor import leaf_hooks
from autograd_core.traced import place

from ..module_paths import ModulePaths
from .comparison import BackwardError, compare, together
from .float64_shadow import Named, Run
from .report import FAIL, Culprit, InputRecord

__all__ = ["localise", "torn", "unsteady"]


def localise(
    run: Run, leaves: Named, order: int, rtol: float, forward: bool = False, finite: bool = True
) -> tuple[Culprit | None, str]:
    """The operation at fault, or a hint at what else it may be.

    `forward` : whether forward derivatives are wrong; `finite` : whether the wrong derivatives are finite.
    """
    unbounded = _unbounded(run) if order == 1 and not finite and not forward else None
    if unbounded is not None:
        return unbounded, ""
    nodes = _recorded(run)
    options: Any = {"order": order, "rtol": rtol, "forward": forward}
    found, _ = _all_wrong(nodes, "quick", options, finite)
    if not found and order == 1:
        cut = _cut(nodes, run, leaves)
        if cut is not None:
            return cut, ""
    kinks = False
    if not found:  # the quick look may have missed something small
        found, kinks = _all_wrong(nodes, "auto", options, finite)
    return (_first(nodes, found), "") if found else (None, _hint(nodes, run, kinks))


def torn(run: Run) -> Culprit | None:
    """The first operation whose rule, at a kink, gives what is no slope; None if there is none."""
    nodes = _recorded(run)
    found = {i: wrong for i, node in enumerate(nodes) if (wrong := _torn(node)) is not None}
    return _first(nodes, found) if found else None


def unsteady(run: Run) -> str:
    """The first operation whose result is another one in every run; empty if none is."""
    for a, b in zip(_recorded(run), _recorded(run), strict=False):
        if a.name != b.name or not np.array_equal(a.trace.value, b.trace.value, equal_nan=True):
            return _named(b, 0).where
    return ""


# What was recorded


def _outputs(run: Run) -> list[Any]:
    """What a function gives, with its history recorded."""
    with enable_grad(), record(), modes.change(listener=_Keeper()):
        return run()


def _recorded(run: Run) -> list[Node]:
    """The operations that lead to the outputs, in the order they ran."""
    roots = [o.node for o in _outputs(run) if isinstance(o, Tensor) and o.node is not None]
    return [node for node in reversed(ordered(roots)) if node.trace is not None and node.plan is not PICK]


class _Keeper:
    """Under ``record()``, keeps in every trace what the operation saw, whatever is changed in place later."""

    def __init__(self) -> None:
        self._note: Any = modes.current().listener
        self._kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __call__(self, primitive: Any, args: tuple[Any, ...], params: dict[str, Any], out: Any) -> None:
        inputs = tuple(self._tensor(x) if isinstance(x, Tensor) else x for x in args)
        self._note(primitive, inputs, params, out)

    def _tensor(self, x: Tensor) -> Tensor:
        return Tensor(self._copy(x.array), requires_grad=x.requires_grad)

    def _copy(self, array: np.ndarray) -> np.ndarray:
        """A copy, the same one as long as the array does not change."""
        before, copy = self._kept.get(id(array), (None, array))
        if before is None or not np.array_equal(copy, array, equal_nan=True):
            copy = array.copy()
            self._kept[id(array)] = array, copy
        return copy


def _applied(node: Node) -> tuple[Run, Named]:
    """An operation as a function of the inputs that need a gradient: float64 copies, named by their positions."""
    operation, given = node.trace.primitive, list(node.trace.inputs)
    apply = applier(operation) if isinstance(operation, Primitive) else operation.function.apply
    places = [i for i, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]
    copies = [Tensor(given[i].array.astype(float64), requires_grad=True) for i in places]

    def alone() -> list[Any]:
        filled = dict(zip(places, copies, strict=True))
        out = apply(*(filled.get(i, x) for i, x in enumerate(given)), **node.params)
        return [o for o in (out if isinstance(out, tuple) else (out,)) if o.dtype.kind in "fc"]

    return alone, [(str(i), x) for i, x in zip(places, copies, strict=True)]


# Wrong rules


def _all_wrong(nodes: list[Node], mode: str, options: Any, finite: bool) -> tuple[dict[int, Culprit], bool]:
    """The operations that are wrong by themselves, by their place; and whether any is at a kink.

    The first that a quick look suspects is examined in full.  Where the whole gradient is finite, nobody uses what a
    rule sends that has no finite value.
    """
    found: dict[int, Culprit] = {}
    kinks = False
    for i, node in enumerate(nodes):
        wrong, kink = _wrong(node, mode, options)
        if wrong is not None and mode == "quick" and not found:
            wrong, kink = _wrong(node, "auto", options)
        kinks |= kink
        if wrong is not None and (wrong.kind == "error" or math.isfinite(wrong.analytic) or not finite):
            found[i] = wrong
    return found, kinks


def _wrong(node: Node, mode: str, options: Any) -> tuple[Culprit | None, bool]:
    """An operation whose own derivative is wrong, with the argument; None if it is right.  And whether it has kinks."""
    if np.isnan(node.trace.value).any():
        return None, False
    alone, leaves = _applied(node)
    try:
        records = compare(alone, leaves, np.random.default_rng(0), mode=mode, **options)
    except BackwardError as error:
        return replace(_named(node, int(leaves[0][0])), kind="error", error=str(error)), False
    for r in records:
        if r.verdict == FAIL:
            return _blamed(node, int(r.name), r, "rule"), False
    torn = _torn(node) if mode != "quick" else None
    return torn, any(r.kinks or r.bent for r in records)


def _torn(node: Node) -> Culprit | None:
    """An operation whose derivatives at a kink are right one by one, and not together; None if it is none."""
    if np.isnan(node.trace.value).any():
        return None
    alone, leaves = _applied(node)
    found = together(alone, leaves, np.random.default_rng(0))
    return None if found is None else _blamed(node, int(leaves[0][0]), found, "kink")


def _blamed(node: Node, argument: int, r: InputRecord, kind: str) -> Culprit:
    """An operation with what a record says of its derivative."""
    return replace(
        _named(node, argument), kind=kind, order=r.order, forward=r.forward, index=r.index, analytic=r.analytic,
        numeric=r.numeric, sides=r.sides, weighted=r.weighted,
    )  # fmt: skip


def _first(nodes: list[Node], found: dict[int, Culprit]) -> Culprit:
    """The first of them, with what there is to say of the others and of the operations downstream."""
    first, *others = found
    guilty = {nodes[i] for i in others}
    downstream = _downstream(nodes[first], nodes)
    return replace(
        found[first],
        downstream=len(downstream),
        innocent=sum(node not in guilty for node in downstream),
        others=tuple(dict.fromkeys(f"{nodes[i].name} at {place(nodes[i].trace.line)}" for i in others)),
    )


def _unbounded(run: Run) -> Culprit | None:
    """The operation that first, going back, made a gradient that is not finite out of one that is."""
    found: list[Culprit] = []

    def visit(node: Node, g: Any, sent: list[tuple[Any, Any]]) -> None:
        came_in = g if isinstance(g, tuple) else (g,)
        if found or node.plan is PICK or not all(np.isfinite(part).all() for part in came_in if part is not None):
            return
        for argument, (_, c) in zip(node.plan.positions, sent, strict=True):
            if not np.isfinite(c).all():
                index = tuple(map(int, np.argwhere(~np.isfinite(c))[0]))
                found.append(replace(_named(node, argument), kind="not finite", index=index, analytic=float(c[index])))
                return

    roots = [o for o in _outputs(run) if isinstance(o, Tensor) and o.node is not None]
    propagate({o.node: np.isfinite(o.array).astype(o.dtype) for o in roots}, visit=visit)
    return found[0] if found else None


def _named(node: Node, argument: int) -> Culprit:
    """What is known of an operation without its derivatives."""
    operation, modules = node.trace.primitive, node.trace.modules
    file, _, line = node.trace.line.rpartition(":")
    names = operation.arrays
    return Culprit(
        primitive=operation.name,
        file=file,
        line=int(line),
        module=ModulePaths(modules[:1], {}).path(modules),
        module_type=type(modules[-1]).__name__ if modules else "",
        argument=argument,
        argument_name=names[argument] if argument < len(names) else "",
    )


def _downstream(first: Node, nodes: list[Node]) -> list[Node]:
    """The operations that use its result, directly or not."""
    reached: set[Any] = {first}
    for node in nodes:
        if any(p in reached or (type(p) is Node and p.plan is PICK and p.parents[0] in reached) for p in node.parents):
            reached.add(node)
    return [node for node in nodes if node in reached and node is not first]


# Values taken out of the graph


def _cut(nodes: list[Node], run: Run, leaves: Named) -> Culprit | None:
    """The first operation with a constant that is none: it changes with the inputs."""
    before = [list(_constants(node)) for node in nodes]
    rng = np.random.default_rng(0)
    kept = [(p, p.array) for _, p in leaves]
    try:
        for p, array in kept:
            p.array = array + 1e-3 * rng.uniform(-1, 1, array.shape) * np.maximum(1.0, np.abs(array))
        moved = _recorded(run)
    except Exception:  # outside its domain: nothing can be said
        return None
    finally:
        for p, array in kept:
            p.array = array
    if [node.name for node in moved] != [node.name for node in nodes]:
        return None
    for node, there, now in zip(nodes, before, (_constants(node) for node in moved), strict=True):
        for (argument, a), (_, b) in zip(there, now, strict=True):
            if not np.array_equal(a, b, equal_nan=True):
                return replace(_named(node, argument), kind="cut")
    return None


def _constants(node: Node) -> Iterator[tuple[int, np.ndarray]]:
    """The floating inputs without history, as copies, with their positions."""
    for i, x in enumerate(node.trace.inputs):
        if isinstance(x, Tensor) and x.requires_grad:
            continue
        value = x.array if isinstance(x, Tensor) else x
        if isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and is_floating(value.dtype)):
            yield i, np.array(value)


def _hint(nodes: list[Node], run: Run, kinks: bool) -> str:
    """What else may be wrong."""
    with enable_grad():
        outputs = run()  # as it is when nobody listens
    for i, output in enumerate(outputs):
        if not isinstance(output, Tensor) or output.node is None:
            kind = "a tensor without history" if isinstance(output, Tensor) else "no tensor"
            return (
                f"output {i} is {kind}, so no gradient can come from it; compute it with tensors that need one, and "
                f"not in a compiled function, whose results have no history"
            )
    if leaf_hooks or any(node.hooks for node in nodes):
        return "every operation's own rule is right; a hook on a tensor may change the gradient"
    if kinks:
        return (
            "every operation's own rule is right, but some are at a kink, where the slopes they choose need not make a "
            "slope of the whole; try other inputs"
        )
    return "every operation's own rule is right; is a value taken out of the graph, by detach() or as a number?"
