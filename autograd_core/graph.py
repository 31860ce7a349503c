"""The graph and the pass that sends gradients back through it.

A :class:`Node` is one application of a primitive.  It links to its parents, which are the nodes that made its
inputs, or, for an input that a person made, the leaf tensor itself.  It keeps only the values its rules name, never
its own output's tensor, so there are no reference cycles and an intermediate nobody needs is freed at once.

Nodes are numbered by one clock as they are made, and an input is always older than what is computed from it: sorting
by number is a topological order.  The same clock numbers in-place changes, so a node knows whether something it saved
was changed after it.
"""

from __future__ import annotations

import functools
import itertools
import math
import weakref
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import numpy as np

from . import modes
from .traced import Traced, caller, place

__all__ = ["Node", "caller", "ordered", "propagate"]

clock = itertools.count(1)
"""Numbers nodes and in-place changes in the order they happen (``next`` on it is atomic)."""


class Node:
    """One recorded application of a primitive.

    Attributes
    ----------
    plan : the primitive and its rules for the inputs that need a gradient (see `primitive.Plan`)
    parents : what made those inputs: nodes, or leaf tensors
    saved : the values the rules need; ``None`` once a backward pass has released them
    params : the keyword arguments of the application
    shape, dtype : of the output; tuples of them where the primitive has several outputs
    number : position in the order of creation
    hooks : functions called with the complete gradient of the output, or None
    line : ``file:line`` of the call; set only where somebody listened
    trace : what :func:`autograd_core.record` noted, or None
    """

    __slots__ = (
        "__weakref__",
        "dtype",
        "hooks",
        "line",
        "number",
        "params",
        "parents",
        "plan",
        "saved",
        "shape",
        "trace",
    )

    plan: Any
    parents: tuple[Any, ...]
    saved: Any
    params: dict[str, Any]
    shape: Any
    dtype: Any
    number: int
    hooks: list[Callable[[Any], Any]] | None
    line: str
    trace: Any

    @classmethod
    def make(
        cls, plan: Any, parents: tuple[Any, ...], saved: Any, params: dict[str, Any], shape: Any, dtype: Any
    ) -> Node:
        """A new node, the youngest."""
        node = cls()
        node.plan, node.parents, node.saved, node.params = plan, parents, saved, params
        node.shape, node.dtype = shape, dtype
        node.hooks = node.trace = None
        node.number = next(clock)
        return node

    @property
    def name(self) -> str:
        """The primitive's name."""
        return str(self.plan.primitive.name)

    def __repr__(self) -> str:
        return f"<{self.name}>"


def ordered(roots: Iterable[Any]) -> list[Node]:
    """Every node the roots depend on, the youngest first (a topological order, found without recursion)."""
    seen = {root for root in roots if type(root) is Node}
    stack = list(seen)
    while stack:
        for parent in stack.pop().parents:
            if type(parent) is Node and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=attrgetter("number"), reverse=True)


class _Pick:
    """The plan of a node that stands for one output of a node with several (its parameter ``index`` says which)."""

    name = "pick"
    primitive: Any
    rules: tuple[Any, ...] = ()
    positions = (0,)
    saves: tuple[str, ...] = ()
    elementwise = routes = False


PICK = _Pick()
PICK.primitive = PICK


def picked(node: Node, index: int) -> Node:
    """The node of output `index` of a node that has several."""
    return Node.make(PICK, (node,), (), {"index": index}, node.shape[index], node.dtype[index])


class Stamp:
    """When arrays that change together did so last."""

    def __init__(self, by: str) -> None:
        self.by, self.number = by, 0

    def renew(self) -> None:
        """They have changed just now."""
        self.number = changes.last = next(clock)


class _Changes:
    """In-place changes of arrays that may have been saved: when each happened, and who did it."""

    def __init__(self) -> None:
        self.last = 0
        self._of: dict[int, tuple[weakref.ref[np.ndarray], int, str]] = {}
        self._together: dict[int, list[tuple[weakref.ref[np.ndarray], Stamp]]] = {}

    def note(self, array: np.ndarray, by: str) -> None:
        """Note that `array` (and all views of its memory) was just changed by the call `by`."""
        memory = owner(array)
        key = id(memory)
        number = next(clock)
        reference = weakref.ref(memory, lambda ref: self._forget(key, ref))
        self._of[key] = reference, number, by
        self.last = number

    def _forget(self, key: int, reference: weakref.ref[np.ndarray]) -> None:
        entry = self._of.get(key)
        if entry is not None and entry[0] is reference:
            del self._of[key]

    def together(self, arrays: Iterable[np.ndarray], by: str) -> Stamp:
        """A stamp for arrays that will change all at once, many times: ``renew()`` notes that they have."""
        stamp = Stamp(by)
        for array in arrays:
            memory = owner(array)
            key = id(memory)
            reference = weakref.ref(memory, functools.partial(self._let_go, key))
            self._together.setdefault(key, []).append((reference, stamp))
        return stamp

    def _let_go(self, key: int, reference: Any) -> None:
        self._together.pop(key, None)

    def _latest(self, memory: np.ndarray) -> tuple[int, str] | None:
        """When this memory was changed last, and by whom."""
        found = [(stamp.number, stamp.by) for _, stamp in self._together.get(id(memory), ())]
        entry = self._of.get(id(memory))
        if entry is not None:
            found.append(entry[1:])
        return max(found, default=None)

    def since(self, node: Node, value: Any) -> str | None:
        """By whom an array that `node` saved was changed last, if that was after it was saved."""
        entry = self._latest(owner(value))
        return entry[1] if entry is not None and entry[0] > node.number else None

    def check(self, node: Node) -> None:
        """Raise RuntimeError if something that `node` saved was changed after it was saved."""
        for name, value in zip(node.plan.saves, node.saved, strict=True):
            by = self.since(node, value) if isinstance(value, (np.ndarray, Traced)) else None
            if by is not None:
                line = getattr(node, "line", None)
                where = f" at {place(line)}" if line else " (run it under detect_anomaly() to see on which line)"
                what = "its output" if name == "out" else f"its argument '{name}'"
                raise RuntimeError(
                    f"backward: {node.name}{where} saved {what} of shape {value.shape} for its gradient, and {by} "
                    f"changed it in place afterwards; run backward() before the change, or change a clone()"
                )


def owner(array: Any) -> Any:
    """The array whose memory `array` is a view of; itself if it has its own."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


changes = _Changes()


def propagate(
    cotangents: dict[Any, Any],
    *,
    targets: set[Any] | None = None,
    retain_graph: bool = False,
    lift: Callable[[Node], tuple[Any, ...]] | None = None,
    visit: Callable[[Node, Any, list[tuple[Any, Any]]], None] | None = None,
) -> dict[Any, Any]:
    """Send cotangents back through the graph; the heart of reverse mode.

    Parameters
    ----------
    cotangents : the gradient of the result by each root (a node or a leaf tensor)
    targets : give the cotangents of these nodes and leaves, and visit only what leads to them; None: all leaves
    retain_graph : keep what the nodes saved, for another pass
    lift : turns a node's saved arrays into tensors, so that the rules record themselves (higher order);
        None runs them on plain arrays
    visit : called with each node, its complete cotangent, and the ``(parent, contribution)`` pairs it sent

    Returns
    -------
    dict
        The complete cotangent of every leaf (or target) reached.
    """
    table = dict(cotangents)
    order = ordered(table)
    useful = set() if targets is None else _leading_to(targets, order)
    reached: dict[Any, Any] = {}
    owned: set[Any] = set()  # entries made by an addition here: adding to them in place harms nobody
    routed: set[Any] = set()  # below a selection, where a zero cotangent means "not taken"
    last_change, add = changes.last, np.add
    recorded = modes.recorder() is not None
    # A derivative may be infinite or undefined; that is for the caller to see, not for NumPy to warn about.
    with np.errstate(all="ignore"):
        for node in order:
            g = table.pop(node, None)
            if g is None:
                continue
            if node.hooks is not None:
                g = _run_hooks(node, g)
            if targets is not None:
                if node in targets:
                    reached[node] = g
                if useful.isdisjoint(node.parents):
                    continue
            plan, saved = node.plan, node.saved
            if plan is PICK:
                _collect(node, g, table)
                if node in routed:
                    routed.update(node.parents)
                if visit is not None:
                    visit(node, g, [(node.parents[0], g)])
                continue
            primitive = plan.primitive
            if saved is None:
                raise _released(node)
            if last_change > node.number:
                changes.check(node)
            if lift is not None:
                saved = lift(node)
            guard = False
            if primitive.routes:
                routed.update(node.parents)
            elif routed and node in routed:
                routed.update(node.parents)
                guard = plan.holds and (primitive.elementwise or "axis" in node.params)
            if type(g) is list:
                g = _with_zeros(g, node)
            sent: list[tuple[Any, Any]] | None = [] if visit is not None else None
            for parent, rule in zip(node.parents, plan.rules):  # noqa: B905 (equal by construction)
                if useful and parent not in useful:
                    continue
                c = rule(g, saved)
                if guard and (not _finite_numbers(saved) if recorded else not np.isfinite(c).all()):
                    c = _keep_zeros(g, c, primitive, node.params)
                fits = parent if type(parent) is Node else parent.array
                if c.shape != fits.shape:
                    c = _sum_to(c, fits.shape, node, parent)
                if c.dtype is not fits.dtype and c.dtype != fits.dtype:
                    c = c.astype(fits.dtype)
                total = table.get(parent)
                if total is None:
                    table[parent] = c
                elif parent in owned:
                    add(total, c, total)
                else:
                    table[parent] = total = total + c
                    if type(total) is np.ndarray and lift is None:
                        owned.add(parent)
                if sent is not None:
                    sent.append((parent, c))
            if visit is not None and sent is not None:
                visit(node, g, sent)
            if plan.holds and not retain_graph and node.trace is None:
                node.saved = None
    if targets is None:
        return table
    reached.update((leaf, g) for leaf, g in table.items() if leaf in targets)
    return reached


def _collect(node: Node, g: Any, table: dict[Any, Any]) -> None:
    """Put the gradient of one output beside those of the others."""
    (parent,) = node.parents
    parts = table.setdefault(parent, [None] * len(parent.shape))
    index = node.params["index"]
    parts[index] = g if parts[index] is None else parts[index] + g


def _with_zeros(parts: list[Any], node: Node) -> tuple[Any, ...]:
    if not getattr(node.plan, "materialize", True):
        return tuple(parts)
    return tuple(
        np.zeros(shape, dtype) if g is None else g
        for g, shape, dtype in zip(parts, node.shape, node.dtype, strict=True)
    )


def _leading_to(targets: set[Any], order: list[Node]) -> set[Any]:
    """The targets and the nodes that depend on one."""
    useful = set(targets)
    for node in reversed(order):
        if not useful.isdisjoint(node.parents):
            useful.add(node)
    return useful


def _run_hooks(node: Node, g: Any) -> Any:
    for hook in tuple(node.hooks or ()):
        replaced = hook(g)
        if replaced is not None:
            g = replaced
    return g


def _released(node: Node) -> RuntimeError:
    return RuntimeError(
        f"backward: the graph at {node.name} was used by an earlier backward() or grad() call, which released the "
        f"values it had saved; pass retain_graph=True to that first call, or compute the result anew"
    )


_BLAS = (np.dtype(np.float32), np.dtype(np.float64))


def _sum_to(c: Any, shape: tuple[int, ...], node: Node, parent: Node | Any) -> Any:
    """Undo broadcasting: the gradient of an input that was repeated is the sum over its repetitions."""
    extra = c.ndim - len(shape)
    if not node.plan.primitive.broadcasts or extra < 0:
        position = next(i for i, p in zip(node.plan.positions, node.parents, strict=True) if p is parent)
        arrays = node.plan.primitive.arrays
        name = f" ({arrays[position]})" if position < len(arrays) else ""
        raise RuntimeError(
            f"backward: the derivative rule of {node.name} gave shape {c.shape} for argument {position}{name} of shape "
            f"{shape}; a gradient has the shape of its argument: sum it over what was broadcast, or declare the "
            f"operation elementwise, and the engine does"
        )
    repeated = tuple(i + extra for i, n in enumerate(shape) if n == 1 and c.shape[i + extra] != 1)
    if not repeated and type(c) is np.ndarray and c.dtype in _BLAS and c.flags.c_contiguous:
        # Of whole rows: a product with ones is faster than NumPy's sum, and its rounding smaller.
        rows = c.reshape((math.prod(c.shape[:extra]), math.prod(shape)))
        return (np.ones(len(rows), c.dtype) @ rows).reshape(shape)
    return np.sum(c, axis=(*range(extra), *repeated), keepdims=True).reshape(shape)


def _finite_numbers(saved: tuple[Any, ...]) -> bool:
    """Whether all that a rule multiplies with is known to be finite."""
    return all(isinstance(value, (int, float)) and math.isfinite(value) for value in saved)


def _keep_zeros(g: Any, c: Any, primitive: Any, params: dict[str, Any]) -> Any:
    """Where nothing was sent (a branch of ``where`` not taken), send nothing on: 0 and not 0 * inf.

    For an operation along dimensions that holds of whole rows: those to which only zeros were sent.  While a program is
    recorded that is always done, and not only where something is not finite; except that if the pass is differentiated
    in its turn, it makes a difference.
    """
    if type(g) is tuple:
        return c
    if primitive.elementwise:
        untaken = g == 0 if g.shape == c.shape else None
    else:
        axes = params["axis"] if isinstance(params["axis"], tuple) else (params["axis"],)
        rows = tuple(1 if i in axes else n for i, n in enumerate(c.shape))
        if g.shape == c.shape:
            untaken = np.all(g == 0, axis=axes, keepdims=True)
        else:
            untaken = np.reshape(g == 0, rows) if math.prod(rows) == math.prod(g.shape) else None
    if untaken is None:
        return c
    if modes.recorder() is not None and modes.is_grad_enabled():
        untaken = untaken & ~np.all(np.isfinite(c))
    return np.where(untaken, 0.0, c)
