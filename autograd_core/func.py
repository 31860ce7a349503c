"""Transforms: from a function to its derivatives.

They take and give functions; arguments and results may be nested in lists, tuples and dicts.  Nothing is written to
``grad`` attributes.  They nest: a transform inside another works on tensors of its own that lead back to the outer
one's, so derivatives of different orders and by different variables are never confused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import autograd, modes
from .creation import default_generator
from .graph import ordered
from .ops.joining import stack
from .ops.shape import clone, reshape
from .scan import scan
from .tensor import Tensor, as_tensor, wrap

__all__ = [
    "checkpoint",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "scan",
    "value_and_grad",
    "vjp",
]


# Nested containers


def _leaves(tree: Any) -> list[Any]:
    """The values in nested lists, tuples and dicts, in order."""
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in _leaves(value)]
    if isinstance(tree, (list, tuple)):
        return [leaf for value in tree for leaf in _leaves(value)]
    return [tree]


def _like(tree: Any, leaves: Any) -> Any:
    """The containers of `tree` around other values, taken from an iterator."""
    if isinstance(tree, dict):
        return {key: _like(value, leaves) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        values = [_like(value, leaves) for value in tree]
        return type(tree)(*values) if hasattr(tree, "_fields") else type(tree)(values)
    return next(leaves)


# What every transform does


def _inputs(name: str, tree: Any) -> tuple[Any, list[Tensor]]:
    """The arguments as tensors of this transform's own: they require a gradient, and lead back to what was given."""
    found = []
    for i, x in enumerate(_leaves(tree)):
        x = as_tensor(x)
        if not x.is_floating_point():
            raise TypeError(f"{name}: expected floating arguments to differentiate by, but value {i} is {x.dtype}")
        with modes.change(grad=True):
            found.append(clone(x) if x.requires_grad else x.detach().requires_grad_())
    return _like(tree, iter(found)), found


def _nested(outputs: list[Any], inputs: list[Tensor]) -> bool:
    """Whether the outputs also depend on tensors from outside, so that the derivative must be differentiable."""
    roots = [y.node for y in outputs if isinstance(y, Tensor) and y.node is not None]
    own = {id(x) for x in inputs if x.node is None}
    leaves = (p for node in ordered(roots) for p in node.parents if isinstance(p, Tensor))
    return any(id(leaf) not in own for leaf in leaves)


def _pull(outputs: list[Any], inputs: list[Tensor], cotangents: list[Any], create: bool, retain: bool) -> list[Tensor]:
    """The gradients by the inputs: zeros for those the outputs do not depend on."""
    pairs = [(y, g) for y, g in zip(outputs, cotangents, strict=True) if isinstance(y, Tensor) and y.requires_grad]
    found: tuple[Tensor | None, ...] = (None,) * len(inputs)
    if pairs:
        found = autograd.grad(
            [y for y, _ in pairs], inputs, [g for _, g in pairs], retain_graph=retain or create, create_graph=create,
            allow_unused=True,
        )  # fmt: skip
    return [wrap(np.zeros(x.shape, x.dtype)) if dx is None else dx for x, dx in zip(inputs, found, strict=True)]


def _called(fn: Callable[..., Any], args: Any, keywords: dict[str, Any], has_aux: bool, name: str) -> tuple[Any, Any]:
    with modes.change(grad=True):
        out = fn(*args, **keywords)
    if not has_aux:
        return out, None
    if not isinstance(out, tuple) or len(out) != 2:
        raise TypeError(f"{name}: with has_aux=True the function must return (output, aux), got {type(out).__name__}")
    return out


def _detached(tree: Any) -> Any:
    """Results without the history of this transform's own tensors."""
    return _like(tree, iter([x.detach() if isinstance(x, Tensor) else x for x in _leaves(tree)]))


def value_and_grad(
    fn: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives ``fn(...)`` and its gradient by the arguments at `argnums`.

    Parameters
    ----------
    fn : gives a scalar tensor; with `has_aux`, a pair of that and something to hand through
    argnums : position, or positions (then the gradient is a tuple), of the arguments

    Returns
    -------
    callable
        Gives ``(value, gradient)``, or ``((value, aux), gradient)``.  The gradient has the containers of the argument.

    Examples
    --------
    >>> import autograd_core as ag
    >>> ag.func.value_and_grad(lambda x: (x * x).sum())(ag.tensor([1.0, 3.0]))
    (tensor(10.), tensor([2., 6.]))
    """

    @functools.wraps(fn)
    def transformed(*args: Any, **keywords: Any) -> Any:
        positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        if any(not -len(args) <= i < len(args) for i in positions):
            raise ValueError(f"grad: argnums {argnums} does not fit a call with {len(args)} positional arguments")
        chosen, inputs = _inputs("grad", [args[i] for i in positions])
        full = list(args)
        for i, value in zip(positions, chosen, strict=True):
            full[i] = value
        out, aux = _called(fn, full, keywords, has_aux, "grad")
        if not isinstance(out, Tensor) or out.array.size != 1:
            given = f"a tensor of shape {out.shape}" if isinstance(out, Tensor) else type(out).__name__
            raise ValueError(f"grad: the function must return a scalar tensor, got {given}; see jacobian")
        create = _nested([out], inputs)
        gradient = _like(chosen, iter(_pull([out], inputs, [None], create, False)))
        gradient = gradient[0] if isinstance(argnums, int) else tuple(gradient)
        value = out if create else out.detach()
        return ((value, aux) if has_aux else value), gradient

    return transformed


def grad(fn: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of `fn` by the arguments at `argnums`; see :func:`value_and_grad`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> cube = lambda x: x**3
    >>> ag.func.grad(ag.func.grad(cube))(ag.tensor(2.0))
    tensor(12.)
    """
    both = value_and_grad(fn, argnums, has_aux)

    @functools.wraps(fn)
    def transformed(*args: Any, **keywords: Any) -> Any:
        value, gradient = both(*args, **keywords)
        return (gradient, value[1]) if has_aux else gradient

    return transformed


def vjp(fn: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of ``fn(*primals)`` and a function from a cotangent of it to the cotangents of the primals.

    Returns
    -------
    tuple
        ``(output, pull)``, with `has_aux` ``(output, pull, aux)``.  ``pull(v)`` takes a `v` like the output and gives a
        tuple with one entry for each primal; it may be called many times.

    Examples
    --------
    >>> import autograd_core as ag
    >>> output, pull = ag.func.vjp(ag.sin, ag.tensor(0.0))
    >>> pull(ag.tensor(2.0))
    (tensor(2.),)
    """
    chosen, inputs = _inputs("vjp", primals)
    out, aux = _called(fn, chosen, {}, has_aux, "vjp")
    outputs = _leaves(out)
    create = _nested(outputs, inputs)

    def pull(cotangents: Any) -> tuple[Any, ...]:
        given = _leaves(cotangents)
        if len(given) != len(outputs):
            raise ValueError(f"vjp: expected {len(outputs)} cotangents, like the output, got {len(given)}")
        differentiable = create or any(isinstance(v, Tensor) and v.requires_grad for v in given)
        return tuple(_like(chosen, iter(_pull(outputs, inputs, given, differentiable, True))))

    result = out if create else _detached(out)
    return (result, pull, aux) if has_aux else (result, pull)


def jvp(fn: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of ``fn(*primals)`` and its derivative in the direction of `tangents`.

    The derivative is the gradient of the reverse pass by its cotangent, which the pass is linear in (Christianson 1992;
    "double backward").

    Parameters
    ----------
    primals, tangents : tuples, with one entry for each argument; of the same structure and shapes

    Examples
    --------
    >>> import autograd_core as ag
    >>> ag.func.jvp(ag.sin, (ag.tensor(0.0),), (ag.tensor(3.0),))
    (tensor(0.), tensor(3.))
    """
    chosen, inputs = _inputs("jvp", tuple(primals))
    directions = _leaves(tuple(tangents))
    if [np.shape(t) for t in directions] != [x.shape for x in inputs]:
        raise ValueError(
            f"jvp: expected tangents of shapes {[x.shape for x in inputs]}, got {[np.shape(t) for t in directions]}"
        )
    out, aux = _called(fn, chosen, {}, has_aux, "jvp")
    outputs = _leaves(out)
    create = _nested(outputs, inputs) or any(isinstance(t, Tensor) and t.requires_grad for t in directions)
    with modes.change(grad=True):
        duals = [wrap(np.zeros(y.shape, y.dtype)).requires_grad_() for y in map(as_tensor, outputs)]
        pulled = _pull(outputs, inputs, duals, True, True)
        sent = [as_tensor(t).to(x.dtype) for t, x in zip(directions, inputs, strict=True)]
        slopes = _pull(pulled, duals, sent, create, create)
    tangent = _like(out, iter(slopes))
    result = out if create else _detached(out)
    return (result, tangent, aux) if has_aux else (result, tangent)


def jacobian(fn: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the Jacobian of `fn`: for each output, one of shape ``output.shape + input.shape``.

    One backward pass for each output element.  The result has the output's containers, and inside them the argument's
    (and a tuple, if `argnums` is one).

    Examples
    --------
    >>> import autograd_core as ag
    >>> ag.func.jacobian(lambda x: x * x)(ag.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(fn)
    def transformed(*args: Any, **keywords: Any) -> Any:
        positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        chosen, inputs = _inputs("jacobian", [args[i] for i in positions])
        full = list(args)
        for i, value in zip(positions, chosen, strict=True):
            full[i] = value
        out, aux = _called(fn, full, keywords, has_aux, "jacobian")
        outputs = [as_tensor(y) for y in _leaves(out)]
        create = _nested(outputs, inputs)
        blocks = []
        for y in outputs:
            rows = []
            for k in range(y.numel()):
                seed = np.zeros(y.numel(), y.dtype)
                seed[k] = 1
                rows.append(_pull([y], inputs, [seed.reshape(y.shape)], create, True))
            columns = [
                reshape(stack([row[i] for row in rows]), (*y.shape, *x.shape)) if rows
                else wrap(np.zeros((*y.shape, *x.shape), x.dtype))
                for i, x in enumerate(inputs)
            ]  # fmt: skip
            block = _like(chosen, iter(columns))
            blocks.append(block[0] if isinstance(argnums, int) else tuple(block))
        result = _like(out, iter(blocks))
        return (result, aux) if has_aux else result

    return transformed


jacrev = jacobian


def jacfwd(fn: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """As :func:`jacobian`, by one forward derivative for each input element: for few inputs and many outputs.

    Examples
    --------
    >>> import autograd_core as ag
    >>> ag.func.jacfwd(lambda x: x * ag.ones(2))(ag.tensor(3.0))
    tensor([1., 1.])
    """

    @functools.wraps(fn)
    def transformed(*args: Any, **keywords: Any) -> Any:
        x = as_tensor(args[argnums])

        def of_one(value: Any) -> Any:
            return fn(*args[:argnums], value, *args[argnums:][1:], **keywords)

        columns = []
        for k in range(x.numel()):
            direction = np.zeros(x.numel(), x.dtype)
            direction[k] = 1
            columns.append(jvp(of_one, (x,), (wrap(direction.reshape(x.shape)),))[1])
        shape = columns[0].shape if columns else of_one(x).shape
        if not columns:
            return wrap(np.zeros((*shape, *x.shape), x.dtype))
        return reshape(stack(columns, -1), (*shape, *x.shape))

    return transformed


def hessian(fn: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """A function that gives the matrix of second derivatives of a scalar `fn`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> ag.func.hessian(lambda x: (x**3).sum())(ag.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacobian(grad(fn, argnums), argnums)


def hvp(fn: Callable[..., Any], primals: Any, vectors: Any) -> tuple[Any, Any]:
    """The value of a scalar ``fn(*primals)`` and its Hessian times `vectors`, without making the Hessian.

    Examples
    --------
    >>> import autograd_core as ag
    >>> ag.func.hvp(lambda x: (x**3).sum(), (ag.tensor([1.0, 2.0]),), (ag.tensor([1.0, 1.0]),))
    (tensor(9.), (tensor([ 6., 12.]),))
    """
    primals, vectors = tuple(primals), tuple(vectors)
    chosen, inputs = _inputs("hvp", primals)
    out, _ = _called(fn, chosen, {}, False, "hvp")
    if not isinstance(out, Tensor) or out.array.size != 1:
        raise ValueError(f"hvp: the function must return a scalar tensor, got {type(out).__name__}")
    create = _nested([out], inputs)
    with modes.change(grad=True):
        slopes = _pull([out], inputs, [None], True, True)
        products = _pull(slopes, inputs, [as_tensor(v) for v in _leaves(vectors)], create, create)
    return (out if create else out.detach()), tuple(_like(chosen, iter(products)))


def checkpoint(fn: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """``fn(*args)`` without keeping what its gradient needs: the backward pass computes it again (Chen et al. 2016).

    `fn` must give one tensor, and the same one when called again with the same arguments.  Tensors it uses that are not
    among its arguments get their gradients as well.

    Examples
    --------
    >>> import autograd_core as ag
    >>> x = ag.tensor(2.0, requires_grad=True)
    >>> ag.func.checkpoint(lambda t: t * t, x).backward()
    >>> x.grad
    tensor(4.)
    """
    if modes.recorder() is not None or modes.current().listener is not None:
        return fn(*args, **keywords)  # a program plans its memory by itself; and who listens wants every operation
    used: dict[int, Tensor] = {}

    def listen(primitive: Any, arrays: Any, params: Any, out: Any) -> None:
        used.update({id(t): t for t in arrays if isinstance(t, Tensor) and t.requires_grad})

    state = default_generator().get_state()
    with modes.change(grad=False, listener=listen):
        out = fn(*args, **keywords)
    if not isinstance(out, Tensor):
        raise TypeError(f"checkpoint: the function must return one tensor, got {type(out).__name__}")

    def again() -> Any:
        now = default_generator().get_state()
        default_generator().set_state(state)
        try:
            with modes.change(grad=True):
                return fn(*args, **keywords)
        finally:
            default_generator().set_state(now)

    return _Checkpoint.apply(again, out, *used.values())


class _Checkpoint(autograd.Function):
    """A result whose gradient is found by computing it again."""

    @staticmethod
    def forward(ctx: Any, again: Callable[[], Tensor], out: Tensor, *used: Tensor) -> Tensor:
        ctx.again = again
        ctx.save_for_backward(*used)
        return out

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        create = modes.current().grad
        found = autograd.grad(ctx.again(), ctx.saved_tensors, g, create_graph=create, allow_unused=True)
        return (None, None, *found)
