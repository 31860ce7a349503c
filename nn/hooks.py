"""Functions that a module calls around its forward and its backward."""

from __future__ import annotations

from typing import Any

from autograd_core import Tensor, autograd

__all__ = ["call_with_hooks"]

FORWARD_PRE, FORWARD, BACKWARD = "forward_pre", "forward", "backward"


def call_with_hooks(module: Any, hooks: dict[str, list[Any]], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward`` with its hooks around it."""
    for hook in tuple(hooks.get(FORWARD_PRE, ())):
        replaced = hook(module, args)
        if replaced is not None:
            args = replaced if isinstance(replaced, tuple) else (replaced,)
    backward = tuple(hooks.get(BACKWARD, ()))
    seen: dict[str, tuple[Any, ...]] = {}
    if backward:
        args = _marked(_Entry, args, module, backward, seen)
    output = module.forward(*args, **kwargs)
    for hook in tuple(hooks.get(FORWARD, ())):
        replaced = hook(module, args, output)
        output = output if replaced is None else replaced
    if not backward:
        return output
    outputs = output if isinstance(output, tuple) else (output,)
    marked = _marked(_Exit, outputs, module, backward, seen)
    return marked if isinstance(output, tuple) else marked[0]


def _marked(mark: Any, values: tuple[Any, ...], *state: Any) -> tuple[Any, ...]:
    """The values, with the tensors among them led through a `mark`."""
    places = [i for i, v in enumerate(values) if isinstance(v, Tensor)]
    if not places:
        return values
    found = list(values)
    for i, tensor in zip(places, mark.apply(state, *(values[i] for i in places)), strict=True):
        found[i] = tensor
    return tuple(found)


class _Mark(autograd.Function):
    """The identity on tensors, whose backward a hook can see."""

    @staticmethod
    def forward(ctx: Any, state: Any, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.state = state
        return tuple(t.detach() for t in tensors)


class _Exit(_Mark):
    """After a module: notes what comes back to its outputs."""

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        _, _, seen = ctx.state
        seen["grad_output"] = grads
        return (None, *grads)


class _Entry(_Mark):
    """Before a module: calls the hooks with what goes back from its inputs."""

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        module, hooks, seen = ctx.state
        for hook in hooks:
            replaced = hook(module, grads, seen.get("grad_output", ()))
            if replaced is not None:
                grads = replaced if isinstance(replaced, tuple) else (replaced,)
        return (None, *grads)
