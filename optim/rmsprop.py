"""RMSprop: the gradient over its mean size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, options

__all__ = ["RMSprop", "rmsprop_update"]


def rmsprop_update(
    param: Any,
    grad: Any,
    step: Any = 0,
    square_avg: Any = 0.0,
    momentum_buffer: Any = None,
    grad_avg: Any = None,
    *,
    lr: float,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    centered: bool = False,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of RMSprop.

    With gradient ``g`` (negated to maximize), mean square ``v`` (square_avg), mean ``m`` (grad_avg), momentum ``mu``
    and velocity ``b`` (momentum_buffer)::

        g = g + wd * p
        v = alpha * v + (1 - alpha) * g * g
        m = alpha * m + (1 - alpha) * g
        b = mu * b + g / (sqrt(v) + eps)        centered: v - m * m for v
        p = p - lr * b

    Tieleman and Hinton, "Neural Networks for Machine Learning", lecture 6.5, slide 29 (2012).  Centered: Graves,
    "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850 (2013), equations 38 to 41, as in PyTorch
    with ``eps`` outside the root.

    Examples
    --------
    >>> param, state = rmsprop_update(1.0, 4.0, lr=0.25, alpha=0.75)
    >>> round(float(param), 6), state
    (0.5, {'step': 1, 'square_avg': 4.0})
    """
    if maximize:
        grad = -grad
    if weight_decay != 0:
        grad = grad + weight_decay * param
    square_avg = alpha * square_avg + (1 - alpha) * grad * grad
    state = {"step": step + 1, "square_avg": square_avg}
    spread = square_avg
    if centered:
        grad_avg = (0.0 if grad_avg is None else alpha * grad_avg) + (1 - alpha) * grad
        state["grad_avg"] = grad_avg
        # Never negative but by rounding, where the gradients are all equal.
        spread = np.maximum(square_avg - grad_avg * grad_avg, 0.0)
    direction = grad / (np.sqrt(spread) + eps)
    if momentum != 0:
        direction = (0.0 if momentum_buffer is None else momentum * momentum_buffer) + direction
        state["momentum_buffer"] = direction
    return param - lr * direction, state


class RMSprop(Optimizer):
    """RMSprop: the gradient over the root of its mean square; the rule is :func:`rmsprop_update`.

    Parameters
    ----------
    params : as for :class:`Optimizer`
    lr : float
        Learning rate: about the size of a step.
    alpha : float
        How much of the running means is kept at each step.
    eps : float
        Keeps the division finite.
    weight_decay : float
        Adds ``weight_decay / 2 * sum(p**2)`` to the loss, for every parameter.
    momentum : float
        How much of the last step's direction is kept; 0 for none.
    centered : bool
        Divide by the standard deviation of the gradient instead.
    maximize : bool
        Climb instead of descend.
    nonfinite : as for :class:`Optimizer`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = optim.RMSprop([w], lr=0.25, alpha=0.75)
    >>> (w * ag.tensor([1.0, 1000.0])).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.5, 0.5], requires_grad=True)
    """

    rule = staticmethod(rmsprop_update)
    ranges = {  # noqa: RUF012 (declared in the base)
        "lr": (0.0, math.inf),
        "alpha": (0.0, 1.0),
        "eps": (0.0, math.inf),
        "weight_decay": (0.0, math.inf),
        "momentum": (0.0, math.inf),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)
