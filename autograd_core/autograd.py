"""Gradients on demand: ``backward`` and ``grad``; and operations with a backward of one's own, ``Function``."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import modes
from .function import Function
from .graph import Node, picked, propagate
from .tensor import Tensor, leaf_hooks, method, wrap
from .traced import Traced

__all__ = ["Function", "backward", "grad"]


def lift(node: Node) -> tuple[Any, ...]:
    """A node's saved values with their history back: arrays that are its inputs or output, as tensors.

    Rules that run on these record themselves, which makes the gradient differentiable in its turn.
    """
    primitive = node.plan.primitive
    origin: dict[int, Any] = dict(zip(node.plan.positions, node.parents, strict=True))

    def lifted(name: str, value: Any) -> Any:
        if type(value) is Traced and name not in primitive.arrays and name != "out":
            return wrap(value)
        if name == "ctx":
            return value.on(node)
        if name == "out" and isinstance(value, tuple):
            floats = [v.dtype.kind == "f" for v in value]
            return tuple(_with_history(v, picked(node, i) if floats[i] else None) for i, v in enumerate(value))
        if name == "out":
            return _with_history(value, node)
        if name in primitive.arrays:
            return _with_history(value, origin.get(primitive.arrays.index(name)))
        if name == primitive.variadic:
            first = len(primitive.arrays)
            return tuple(_with_history(v, origin.get(first + k)) for k, v in enumerate(value))
        return value

    return tuple(map(lifted, node.plan.saves, node.saved))


def _with_history(array: Any, origin: Node | Tensor | None) -> Any:
    if origin is None:
        return wrap(array) if type(array) is Traced else array
    if isinstance(origin, Tensor):
        return origin
    result = wrap(array)
    result.node, result._requires_grad = origin, True
    return result


def _seed(function: str, output: Tensor, gradient: Any) -> Any:
    """The cotangent a pass starts from, checked."""
    if not isinstance(output, Tensor):
        raise TypeError(f"{function}: expected a tensor, got {type(output).__name__}")
    if not output.requires_grad:
        raise RuntimeError(
            f"{function}: the tensor of shape {output.shape} leads back to no tensor that requires a gradient; "
            f"set requires_grad=True on the inputs, and compute outside no_grad()"
        )
    if gradient is None:
        if output.array.size != 1:
            raise RuntimeError(
                f"{function}: the gradient of a tensor of shape {output.shape} needs a direction; reduce it to a "
                f"scalar, as in .sum().backward(), or give one: backward(v) with v of the same shape"
            )
        return np.ones(output.array.shape, output.array.dtype)
    if np.shape(gradient) != output.shape:
        raise ValueError(
            f"{function}: expected a gradient of the tensor's shape {output.shape}, got {np.shape(gradient)}"
        )
    if isinstance(gradient, Tensor):
        return gradient if gradient.dtype == output.dtype else gradient.to(output.dtype)
    return np.asarray(gradient, output.dtype)


def _pass(
    function: str, outputs: Any, gradients: Any, create_graph: bool, targets: set[Any] | None, **options: Any
) -> dict[Any, Any]:
    """Run `propagate` from several outputs, with recording rules if the gradients are to be differentiable."""
    outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    if gradients is None:
        gradients = [None] * len(outputs)
    gradients = [gradients] if isinstance(gradients, (Tensor, np.ndarray, float)) else list(gradients)
    if len(gradients) != len(outputs):
        raise ValueError(f"{function}: got {len(outputs)} outputs but {len(gradients)} gradients")
    roots: dict[Any, Any] = {}
    on_tensors = create_graph or modes.recorder() is not None
    for output, gradient in zip(outputs, gradients, strict=True):
        g = _seed(function, output, gradient)
        if on_tensors:
            g = g if isinstance(g, Tensor) else wrap(g)
        elif isinstance(g, Tensor):
            g = g.array
        root = output.node or output
        roots[root] = roots[root] + g if root in roots else g
    watch = modes.current().watch
    if watch is not None:
        watch.check_roots(outputs)
        options["visit"] = watch.visit
    if not on_tensors:
        return _hooked(propagate(roots, targets=targets, **options))
    with modes.change(grad=create_graph):
        return _hooked(propagate(roots, targets=targets, lift=lift, **options))


def _hooked(found: dict[Any, Any]) -> dict[Any, Any]:
    """The gradients after the hooks of leaves."""
    if leaf_hooks:
        for leaf in found:
            for hook in leaf_hooks.of(leaf):
                replaced = hook(found[leaf])
                found[leaf] = found[leaf] if replaced is None else replaced
    return found


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` to the ``grad`` of every leaf that they depend on.

    Parameters
    ----------
    tensors : Tensor or sequence of tensors
    grad_tensors : optional
        The gradient of the final result by each of them, of their shapes; 1 for tensors of one element.
    retain_graph : bool, optional
        Keep what the graph saved, for another pass.  As `create_graph` if not given.
    create_graph : bool
        Record the pass itself, so that the gradients can be differentiated.
    inputs : Tensor or sequence of tensors, optional
        Add to the ``grad`` of these alone, leaves or not.

    Raises
    ------
    RuntimeError
        If a tensor is not a scalar and has no gradient given, depends on nothing that requires a gradient, or its
        graph was released by an earlier pass, or a saved value was changed in place.
    """
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        for leaf, g in _pass("backward", tensors, grad_tensors, create_graph, None, retain_graph=keep).items():
            leaf.accumulate_grad(g)
        return
    wanted = _wanted("backward", inputs)
    targets = {x.node or x for x in wanted}
    found = _pass("backward", tensors, grad_tensors, create_graph, targets, retain_graph=keep)
    for x in wanted:
        if (x.node or x) in found:
            x.accumulate_grad(found[x.node or x])


def _wanted(function: str, inputs: Any) -> list[Tensor]:
    """The tensors to differentiate by, checked."""
    wanted = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    for i, x in enumerate(wanted):
        if not isinstance(x, Tensor) or not x.requires_grad:
            raise RuntimeError(
                f"{function}: inputs[{i}] does not require a gradient; set requires_grad=True before using it"
            )
    return wanted


@method("backward")
def _backward(
    self: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of this tensor to the ``grad`` of every leaf it depends on; see :func:`backward`."""
    backward(self, gradient, retain_graph, create_graph, inputs)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` by `inputs`, as a tuple; no ``grad`` attribute is touched.

    Parameters
    ----------
    outputs, inputs : Tensor or sequence of tensors
        Inputs may be leaves or results of operations.
    grad_outputs, retain_graph, create_graph : as in :func:`backward`
    allow_unused : bool
        Give None for an input the outputs do not depend on, rather than an error.
    materialize_grads : bool
        Give zeros for such an input.

    Examples
    --------
    >>> import autograd_core as ag
    >>> x = ag.tensor(3.0, requires_grad=True)
    >>> (dx,) = ag.grad(x**3, x, create_graph=True)
    >>> ag.grad(dx, x)
    (tensor(18.),)
    """
    wanted = _wanted("grad", inputs)
    keep = create_graph if retain_graph is None else retain_graph
    targets = {x.node or x for x in wanted}
    found = _pass("grad", outputs, grad_outputs, create_graph, targets, retain_graph=keep)
    results: list[Tensor | None] = []
    for i, x in enumerate(wanted):
        g = found.get(x.node or x)
        if g is None and materialize_grads:
            g = np.zeros(x.shape, x.dtype)
        if g is None and not allow_unused:
            raise RuntimeError(f"grad: the outputs do not depend on inputs[{i}]; pass allow_unused=True to get None")
        results.append(g if g is None or isinstance(g, Tensor) else wrap(np.array(g)))
    return tuple(results)
