"""A loop over time: the same step again and again, each with the state that the one before has left."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from . import autograd, modes
from .compiler.trees import flatten, grouped, unflatten
from .ops.joining import stack, unbind
from .tensor import Tensor, as_tensor, wrap
from .traced import TracingError

__all__ = ["scan"]

KNOWN = 256
"""How many loops are kept, of all functions together; the oldest go first."""


def scan(f: Callable[..., Any], init: Any, xs: Any, *constants: Any, reverse: bool = False) -> tuple[Any, Any]:
    """``for x in xs: state, y = f(state, x, *constants)``; gives the last state, and all y in a row.

    It is what that loop is, with all derivatives.  But where `f` is a plain function (no closure), the loop is one
    operation of the graph: the step and its gradient are recorded once, and run as NumPy code of their own, in half the
    time or less if the arrays are small.  So `f` must be a function of its arguments alone.  While something records or
    listens (``compile``, ``record``, ``detect_anomaly``), every step is seen.

    Parameters
    ----------
    f : callable
        Gets the state, one x, and the constants; gives the next state, of the same shapes and dtypes, and a y.  Options
        can be bound by ``functools.partial``.
    init : tensor, or nested lists, tuples and dicts of tensors
        The first state.
    xs : the same
        The first dimension of each tensor counts the steps.
    *constants : the same, or any other values
        What is the same in all steps, such as weights.
    reverse : bool
        Begin with the last x; each y stands where its x does.

    Returns
    -------
    The last state, and `y` as the steps gave it with a first dimension for the steps.

    Raises
    ------
    ValueError
        If there are no tensors in `xs`, or they differ in the number of steps, or the state changes its shape.

    Examples
    --------
    >>> import autograd_core as ag
    >>> def decay(state, x, rate):
    ...     state = rate * state + x
    ...     return state, state
    >>> ag.func.scan(decay, ag.tensor(0.0), ag.tensor([1.0, 0.0, 0.0]), ag.tensor(0.5))
    (tensor(0.25), tensor([1.  , 0.5 , 0.25]))
    """
    parts = [_tensors(tree) for tree in (init, xs, constants)]
    carry, rows, fixed = (tensors for tensors, _ in parts)
    lengths = {t.shape[:1] for t in rows}
    if len(lengths) != 1 or () in lengths:
        raise ValueError(
            f"scan: xs must have tensors whose first dimension counts the steps, all the same, got shapes "
            f"{[t.shape for t in rows]}"
        )
    order = range(len(rows[0]))[:: -1 if reverse else 1]
    body = _Body(f, [structure for _, structure in parts])
    tensors, counts = [*carry, *rows, *fixed], [len(carry), len(rows), len(fixed)]
    loop, given = _known_loop(body, tensors, counts) if len(order) else (None, body.given)
    if loop is None:
        results, given = body.unrolled(tensors, counts, order), body.given
    elif any(loop.linked):
        results = _Scan.apply(loop, body, counts, order, *tensors)
    else:
        results = [wrap(a) for a in _forward(loop, tensors, counts, order, None)]
    after, ys = results[: len(carry)], results[len(carry) :]
    return unflatten(parts[0][1], after), unflatten(given, ys)


def _tensors(tree: Any) -> tuple[list[Tensor], Any]:
    """The tensors in nested containers (arrays among them become tensors), and the containers."""
    leaves, structure = flatten(tree)
    tensors = [as_tensor(leaf) for leaf in leaves]
    return tensors, flatten(unflatten(structure, tensors))[1]


class _Body:
    """The function, on lists of tensors in the place of nested ones.

    Attributes
    ----------
    given : the containers of what the last call gave
    """

    def __init__(self, f: Callable[..., Any], structures: Sequence[Any]) -> None:
        self.f, self.structures = f, structures
        self.given: Any = None

    def __call__(self, carry: list[Tensor], xs: list[Tensor], constants: list[Tensor]) -> tuple[list[Any], list[Any]]:
        state, x, more = map(unflatten, self.structures, (carry, xs, constants))
        found = self.f(state, x, *more)
        if not isinstance(found, tuple) or len(found) != 2:
            raise TypeError(f"scan: a step must give a pair, the next state and y, got {type(found).__name__}")
        (after, structure), (ys, self.given) = map(_tensors, found)
        before = [(t.shape, t.dtype) for t in carry]
        now = [(t.shape, t.dtype) for t in after]
        if structure != self.structures[0] or now != before:
            raise ValueError(
                f"scan: a step must give a state like the one it gets, {_listed(before)}, but gave {_listed(now)}"
            )
        return after, ys

    def unrolled(self, tensors: Sequence[Tensor], counts: Sequence[int], order: range) -> list[Tensor]:
        """The last state, and what the steps gave, by the loop as it is."""
        carry, xs, constants = grouped(tensors, counts)
        columns = [unbind(x) for x in xs]
        rows: dict[int, list[Any]] = {}
        for t in order:
            carry, rows[t] = self(carry, [column[t] for column in columns], constants)
        if not rows:  # what would be given in every step
            first = [wrap(np.zeros(x.shape[1:], x.dtype)) for x in xs]
            with modes.change(grad=False):
                return carry + [wrap(np.zeros((0, *y.shape), y.dtype)) for y in self(carry, first, constants)[1]]
        return carry + [stack(column) for column in zip(*(rows[t] for t in sorted(rows)), strict=True)]

    def key(self) -> Hashable:
        """What tells this function from others; None for one that refers to something outside of its arguments."""
        identity = _identity(self.f)
        return None if identity is None else (identity, tuple(self.structures))


def _identity(f: Any) -> Hashable:
    if isinstance(f, functools.partial):
        inner = _identity(f.func)
        return None if inner is None else (inner, f.args, tuple(sorted(f.keywords.items())))
    if isinstance(f, types.FunctionType) and f.__closure__ is None:
        return f.__code__, f.__defaults__, tuple(sorted((f.__kwdefaults__ or {}).items()))
    return None


def _listed(kinds: list[Any]) -> str:
    return "[" + ", ".join(f"{dtype}{list(shape)}" for shape, dtype in kinds) + "]"


_loops: dict[Hashable, tuple[Any, Any]] = {}


def _known_loop(body: _Body, tensors: list[Tensor], counts: list[int]) -> tuple[Any, Any]:
    """The loop for such tensors, made now if there is none, and the containers of what a step gives.

    The loop is None where the steps must be taken one by one.
    """
    mode = modes.current()
    identity = body.key()
    if identity is None or mode.listener or mode.watch or mode.recorder:
        return None, None
    linked = [mode.grad and t.requires_grad for t in tensors]
    if any(linked):
        linked[: counts[0]] = [t.is_floating_point() for t in tensors[: counts[0]]]
    carry, xs, constants = grouped([(t.shape, t.dtype) for t in tensors], counts)
    try:
        key = (identity, tuple(carry), tuple((n[1:], dtype) for n, dtype in xs), tuple(constants), tuple(linked))
        found = _loops.get(key)
    except TypeError:  # an option without a hash
        return None, None
    if found is None:
        while len(_loops) >= KNOWN:
            _loops.pop(next(iter(_loops)), None)
        found = _loops[key] = _made_loop(body, tensors, counts, linked), body.given
    return found


def _made_loop(body: _Body, tensors: list[Tensor], counts: list[int], linked: list[bool]) -> Any:
    """The loop, or None if the function cannot be recorded."""
    from .compiler.numpy_loop import Loop

    carry, xs, constants = grouped([_array(t) for t in tensors], counts)
    try:
        return Loop(body, carry, [x[0] for x in xs], constants, linked)
    except TracingError:
        return None


def _array(t: Tensor) -> np.ndarray:
    if t._base is not None:
        t._follow()
    return t.array


@np.errstate(all="ignore")
def _forward(loop: Any, tensors: Sequence[Tensor], counts: Sequence[int], order: range, kept: Any) -> list[Any]:
    """The arrays of the last state, and of what the steps gave."""
    ys = [np.empty((len(order), *y.shape), y.dtype) for y in loop.ys]
    carry = loop.forward(*grouped([_array(t) for t in tensors], counts), order, kept, ys)
    return [*map(np.array, carry), *ys]


class _Scan(autograd.Function):
    """The loop as one operation."""

    @staticmethod
    def forward(ctx: Any, loop: Any, body: _Body, counts: list[int], order: range, *tensors: Tensor) -> Any:
        kept: list[Any] = []
        ctx.loop, ctx.body, ctx.counts, ctx.order, ctx.kept = loop, body, counts, order, kept
        ctx.save_for_backward(*tensors)
        results = tuple(map(wrap, _forward(loop, tensors, counts, order, kept)))
        ctx.mark_non_differentiable(*(t for t, depends in zip(results, loop.depends, strict=True) if not depends))
        return results

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        tensors, wanted = ctx.saved_tensors, ctx.needs_input_grad[4:]
        if modes.current().grad:  # to be differentiated again: the steps, one by one
            outputs = ctx.body.unrolled(tensors, ctx.counts, ctx.order)
            pairs = [(y, g) for y, g in zip(outputs, grads, strict=True) if y.requires_grad]
            inputs = [t for t, needed in zip(tensors, wanted, strict=True) if needed]
            found = iter(autograd.grad(
                [y for y, _ in pairs], inputs, [g for _, g in pairs], create_graph=True, allow_unused=True
            ))  # fmt: skip
            return (None, None, None, None, *(next(found) if needed else None for needed in wanted))
        states = ctx.counts[0]
        arrays = [g.array for g in grads]
        _, xs, constants = grouped([_array(t) for t in tensors], ctx.counts)
        with np.errstate(all="ignore"):
            parts = ctx.loop.backward(arrays[:states], arrays[states:], xs, constants, ctx.order, ctx.kept)
        found = (g if g is None else wrap(g) for part in parts for g in part)
        return (None, None, None, None, *(g if needed else None for g, needed in zip(found, wanted, strict=True)))
