"""Which operation is at fault, if a gradient is wrong.

The function is run once more and recorded.  Then every operation of the graph is taken by itself, at the values it
saw, and its derivative rule is compared with differences: what is wrong there cannot come from anywhere else.  If all
rules are right, the inputs are moved and the function is recorded again: a value that changed and has no history was
taken out of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_core import Tensor, enable_grad, modes, record
from autograd_core.dtypes import float64, is_floating
from autograd_core.graph import PICK, Node, ordered
from autograd_core.primitive import Primitive, applier
from autograd_core.tensor import leaf_hooks
from autograd_core.traced import place

from ..module_paths import ModulePaths
from .comparison import BackwardError, compare
from .float64_shadow import Named, Run
from .report import FAIL, Culprit, InputRecord

__all__ = ["localise", "unsteady"]


def localise(run: Run, leaves: Named, order: int, rtol: float, forward: bool = False) -> tuple[Culprit | None, str]:
    """The operation at fault, or a hint at what else it may be; `forward`: whether forward derivatives are wrong."""
    nodes = _recorded(run)
    options: Any = {"order": order, "rtol": rtol, "forward": forward}
    found = _all_wrong(nodes, "quick", options)
    certain = [i for i, r in found.items() if np.isfinite(r.analytic)]
    if not certain and order == 1:
        cut = _cut(nodes, run, leaves)
        if cut is not None:
            return cut, ""
    if not certain:  # the quick look may have missed something small
        found = _all_wrong(nodes, "auto", options)
        certain = [i for i, r in found.items() if np.isfinite(r.analytic)]
    if found:
        # A rule that has no finite value comes last: perhaps nobody uses what it sends.
        return _culprit(nodes, (certain or list(found))[0], found), ""
    return None, _hint(nodes, run)


def unsteady(run: Run) -> str:
    """The first operation whose result is another one in every run; empty if none is."""
    for a, b in zip(_recorded(run), _recorded(run), strict=False):
        if a.name != b.name or not np.array_equal(a.trace.value, b.trace.value, equal_nan=True):
            return _named(b, 0).where
    return ""


# What was recorded


def _recorded(run: Run) -> list[Node]:
    """The operations that lead to the outputs, in the order they ran."""
    with enable_grad(), record(), modes.change(listener=_Keeper()):
        outputs = run()
    roots = [o.node for o in outputs if isinstance(o, Tensor) and o.node is not None]
    return [node for node in reversed(ordered(roots)) if node.trace is not None and node.plan is not PICK]


class _Keeper:
    """Under ``record()``, keeps in every trace what the operation saw and gave, whatever is changed in place later."""

    def __init__(self) -> None:
        self._note: Any = modes.current().listener
        self._kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __call__(self, primitive: Any, args: tuple[Any, ...], params: dict[str, Any], out: Any) -> None:
        inputs = tuple(self._tensor(x) if isinstance(x, Tensor) else x for x in args)
        self._note(primitive, inputs, params, out)
        for result in out if isinstance(out, tuple) else (out,):
            node = result.node
            while node is not None:  # of one output; then what it picks from
                node.trace = node.trace._replace(value=self._copy(node.trace.value))
                node = node.parents[0] if node.plan is PICK else None

    def _tensor(self, x: Tensor) -> Tensor:
        return Tensor(self._copy(x.array), requires_grad=x.requires_grad)

    def _copy(self, array: np.ndarray) -> np.ndarray:
        """A copy, the same one as long as the array does not change."""
        before, copy = self._kept.get(id(array), (None, array))
        if before is None or not np.array_equal(copy, array, equal_nan=True):
            copy = array.copy()
            self._kept[id(array)] = array, copy
        return copy


def _applied(node: Node) -> tuple[Callable[..., Any], list[Tensor], list[int]]:
    """An operation as a function of the inputs that need a gradient, float64 copies of these, and their positions."""
    operation, given = node.trace.primitive, list(node.trace.inputs)
    apply = applier(operation) if isinstance(operation, Primitive) else operation.function.apply
    places = [i for i, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]
    copies = [Tensor(given[i].array.astype(float64), requires_grad=True) for i in places]

    def alone() -> list[Any]:
        filled = dict(zip(places, copies, strict=True))
        out = apply(*(filled.get(i, x) for i, x in enumerate(given)), **node.params)
        return [o for o in (out if isinstance(out, tuple) else (out,)) if o.dtype.kind in "fc"]

    return alone, copies, places


# Wrong rules


def _all_wrong(nodes: list[Node], mode: str, options: Any) -> dict[int, InputRecord]:
    """The records of the operations that are wrong by themselves, by their place.

    The first that a quick look suspects is examined in full.
    """
    found: dict[int, InputRecord] = {}
    for i, node in enumerate(nodes):
        wrong = _wrong(node, mode, options)
        if wrong is not None and mode == "quick" and not any(np.isfinite(r.analytic) for r in found.values()):
            wrong = _wrong(node, "auto", options)
        if wrong is not None:
            found[i] = wrong
    return found


def _wrong(node: Node, mode: str, options: Any) -> InputRecord | None:
    """The record of the argument, named by position, by which an operation's own derivative is wrong; None if none."""
    if np.isnan(node.trace.value).any():
        return None
    alone, copies, places = _applied(node)
    leaves = [(str(i), x) for i, x in zip(places, copies, strict=True)]
    try:
        records = compare(alone, leaves, np.random.default_rng(0), mode=mode, **options)
    except BackwardError as error:
        return InputRecord(str(places[0]), copies[0].shape, options["order"], verdict=FAIL, note=str(error))
    return next((r for r in records if r.verdict == FAIL), None)


def _culprit(nodes: list[Node], first: int, found: dict[int, InputRecord]) -> Culprit:
    wrong = found[first]
    downstream = _downstream(nodes[first], nodes)
    others = [i for i in found if i != first and np.isfinite(found[i].analytic) == np.isfinite(wrong.analytic)]
    guilty = {id(nodes[i]) for i in others}
    culprit = replace(
        _named(nodes[first], int(wrong.name)),
        order=wrong.order,
        downstream=len(downstream),
        innocent=sum(id(node) not in guilty for node in downstream),
        others=tuple(dict.fromkeys(f"{nodes[i].name} at {place(nodes[i].trace.line)}" for i in others)),
    )
    if wrong.place == "":
        return replace(culprit, kind="error", error=wrong.note)
    culprit = replace(culprit, forward=wrong.forward)
    return replace(culprit, index=wrong.index, analytic=wrong.analytic, numeric=wrong.numeric)


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


def _hint(nodes: list[Node], run: Run) -> str:
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
    return "every operation's own rule is right; is a value taken out of the graph, by detach() or as a number?"
