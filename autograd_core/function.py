"""Operations with a backward of one's own: the class form, as in PyTorch, and the one-line form.

class Cube(ag.autograd.Function):
@staticmethod
def forward(ctx, x):
ctx.save_for_backward(x)
return x ** 3

@staticmethod
def backward(ctx, g):
(x,) = ctx.saved_tensors
return 3 * x ** 2 * g

@ag.custom_vjp(lambda g, x: 3 * x ** 2 * g)
def cube(x):
return x ** 3
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from . import modes
from .graph import Node, picked
from .primitive import Primitive, PrimitiveFunction, applier
from .tensor import Tensor, wrap

__all__ = ["Function", "custom_vjp"]


def custom_vjp(*rules: Callable[..., Any] | None, **fields: Any) -> Callable[[Callable[..., Any]], PrimitiveFunction]:
    """Decorator: make a differentiable operation of a NumPy function, with one derivative rule for each array.

    Parameters
    ----------
    *rules
        As in :mod:`autograd_core.primitive`: a rule takes the gradient `g` of the output, and names what else it needs.
    **fields
        Further fields of the record, such as ``elementwise=True`` for a function that broadcasts.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_core as ag
    >>> @ag.custom_vjp(lambda g, out: g * (1 - out**2))
    ... def squash(x):
    ...     return np.tanh(x)
    >>> x = ag.tensor(0.0, requires_grad=True)
    >>> squash(x).backward()
    >>> x.grad
    tensor(1.)
    """

    def make(forward: Callable[..., Any]) -> PrimitiveFunction:
        function = applier(Primitive(forward, **fields))
        function.defvjp(*rules)
        return function

    return make


class Context:
    """What a :class:`Function` keeps from its forward for its backward.  Other attributes may be set freely.

    Attributes
    ----------
    needs_input_grad : tuple of bool
        For each argument of ``forward``, whether its gradient is wanted.
    saved_tensors : tuple of Tensor
        What ``save_for_backward`` was given.
    """

    def __init__(self, needs: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs
        self._saved: tuple[Any, ...] = ()
        self._plain: set[int] = set()
        self._materialize = True
        self._cache: tuple[Any, Any] = (None, None)
        self._node: Node | None = None

    def on(self, node: Node) -> Context:
        """The same context for a recorded pass over its node, in which saved outputs have their history."""
        twin = copy.copy(self)
        twin._node = node
        return twin

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for the backward: inputs, outputs or others."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(f"save_for_backward: expected tensors, got {type(t).__name__}; set an attribute of ctx")
        self._saved = tensors

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say that no gradient comes through these outputs."""
        self._plain |= {id(t) for t in outputs}

    def set_materialize_grads(self, value: bool) -> None:
        """Whether the backward gets zeros (True) or None for outputs nothing came back from."""
        self._materialize = bool(value)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        return tuple(s.tensor(self._node) if isinstance(s, _Output) else s for s in self._saved)


class _Output:
    """Stands among the saved tensors for an output, which itself would refer back to the node that keeps it."""

    def __init__(self, index: int, array: np.ndarray) -> None:
        self.index, self.array = index, array

    def tensor(self, node: Node | None) -> Tensor:
        result = wrap(self.array)
        if node is not None:
            result.node = picked(node, self.index) if isinstance(node.dtype, tuple) else node
            result._requires_grad = True
        return result


class _Plan:
    """The plan of a node that a Function made; see `primitive.Plan`."""

    elementwise = broadcasts = routes = False

    def __init__(self, function: type[Function], positions: list[int], inputs: list[Tensor], materialize: bool) -> None:
        self.function, self.positions, self.materialize = function, positions, materialize
        self.like = [(x.shape, x.dtype) for x in inputs]
        self.name = function.__name__
        self.primitive = self
        self.holds = True
        self.saves: tuple[str, ...] = ()
        self.arrays: list[str] = []
        self.variadic = None
        self.rules = tuple(self._rule(k, i) for k, i in enumerate(positions))

    def _rule(self, k: int, position: int) -> Callable[[Any, Any], Any]:
        def rule(g: Any, saved: Any) -> Any:
            found = self._gradients(saved[0], g)[position]
            if position == self.positions[-1]:
                saved[0]._cache = None, None
            shape, dtype = self.like[k]
            if found is None:
                return np.zeros(shape, dtype)
            return found if _any_tensor(g) else found.array

        return rule

    def _gradients(self, ctx: Context, g: Any) -> tuple[Any, ...]:
        """What the backward gives for all inputs, computed once for a cotangent."""
        if ctx._cache[0] is not g:
            ctx._cache = g, self._called(ctx, g if isinstance(g, tuple) else (g,))
        found: tuple[Any, ...] = ctx._cache[1]
        return found

    def _called(self, ctx: Context, cotangents: tuple[Any, ...]) -> tuple[Any, ...]:
        recorded = _any_tensor(cotangents)
        given = [g if g is None or isinstance(g, Tensor) else wrap(np.asarray(g)) for g in cotangents]
        with modes.change(grad=recorded and modes.current().grad):
            found = self.function.backward(ctx, *given)
        found = found if isinstance(found, tuple) else (found,)
        expected = len(ctx.needs_input_grad)
        if len(found) != expected:
            raise RuntimeError(
                f"{self.name}.backward: expected {expected} gradients, one for each argument of forward (None where "
                f"there is none), got {len(found)}"
            )
        for i in self.positions:
            if found[i] is not None and not isinstance(found[i], Tensor):
                raise TypeError(f"{self.name}.backward: gradient {i} is no tensor but {type(found[i]).__name__}")
        return found


def _any_tensor(values: Any) -> bool:
    return isinstance(values, Tensor) or (isinstance(values, tuple) and any(isinstance(v, Tensor) for v in values))


class Function:
    """Base of operations with their own forward and backward; called by :meth:`apply`.

    ``forward(ctx, *args)`` computes with tensors, without recording, and keeps what it needs in `ctx`.  It may also be
    written without `ctx`, beside a ``setup_context(ctx, inputs, output)``.  ``backward(ctx, *grads)`` gets one gradient
    for each output and gives one for each argument, None where there is none.  Made of differentiable operations it can
    itself be differentiated.

    Examples
    --------
    >>> import autograd_core as ag
    >>> class Double(ag.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return 2 * g
    >>> x = ag.tensor(3.0, requires_grad=True)
    >>> Double.apply(x).backward()
    >>> x.grad
    tensor(2.)
    """

    @staticmethod
    def forward(*args: Any) -> Any:
        raise NotImplementedError("Function: define a static method forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError("Function: define a static method backward(ctx, *grads)")

    setup_context: Callable[..., None] | None = None

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Compute the forward, and link the result to the arguments."""
        recording = modes.current().grad
        wanted = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        ctx = Context(wanted)
        with modes.change(grad=False):
            if cls.setup_context is None:
                out = cls.forward(ctx, *args)
            else:
                out = cls.forward(*args)
                cls.setup_context(ctx, args, out)
        outputs = out if isinstance(out, tuple) else (out,)
        for y in outputs:
            if not isinstance(y, Tensor):
                raise TypeError(f"{cls.__name__}.forward: expected tensors as results, got {type(y).__name__}")
        linked = [y.is_floating_point() and id(y) not in ctx._plain for y in outputs]
        if not (recording and any(wanted) and any(linked)):
            return out
        results = tuple(y.detach() for y in outputs)
        cls._link(ctx, args, outputs, results, linked, isinstance(out, tuple))
        return results if isinstance(out, tuple) else results[0]

    @classmethod
    def _link(cls, ctx: Context, args: Any, outputs: Any, results: Any, linked: list[bool], several: bool) -> None:
        positions = [i for i, needed in enumerate(ctx.needs_input_grad) if needed]
        inputs = [args[i] for i in positions]
        plan = _Plan(cls, positions, inputs, ctx._materialize)
        place = {id(y): k for k, y in enumerate(outputs)}
        ctx._saved = tuple(
            _Output(place[id(t)], t.detach().array) if id(t) in place and not any(t is a for a in args) else t
            for t in ctx._saved
        )
        arrays = tuple(t.array if isinstance(t, _Output) else t.detach().array for t in ctx._saved if t is not None)
        plan.saves = ("ctx", *("array" for _ in arrays))
        shapes, dtypes = tuple(y.shape for y in results), tuple(y.dtype for y in results)
        node = Node.make(
            plan, tuple(x.node or x for x in inputs), (ctx, *arrays), {},
            shapes if several else shapes[0], dtypes if several else dtypes[0],
        )  # fmt: skip
        for k, (result, link) in enumerate(zip(results, linked, strict=True)):
            if link:
                result.node, result._requires_grad = (picked(node, k) if several else node), True
        listener = modes.current().listener
        if listener is not None:
            listener(plan, args, {}, results if several else results[0])
