"""Adadelta: steps in the units of the parameter, without a learning rate to find."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, options

__all__ = ["Adadelta", "adadelta_update"]


def adadelta_update(
    param: Any,
    grad: Any,
    step: Any = 0,
    square_avg: Any = 0.0,
    acc_delta: Any = 0.0,
    *,
    lr: float,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Adadelta.

    With gradient ``g`` (negated to maximize), mean square ``v`` of the gradients (square_avg) and ``u`` of the changes
    (acc_delta)::

        g = g + wd * p
        v = rho * v + (1 - rho) * g * g
        d = sqrt((u + eps) / (v + eps)) * g
        u = rho * u + (1 - rho) * d * d
        p = p - lr * d

    Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701 (2012), algorithm 1; ``lr`` is PyTorch's, 1 in
    the paper.

    Examples
    --------
    >>> param, state = adadelta_update(1.0, 4.0, lr=1.0, eps=1e-6)
    >>> round(float(param), 6), round(state["square_avg"], 6)
    (0.996838, 1.6)
    """
    if maximize:
        grad = -grad
    if weight_decay != 0:
        grad = grad + weight_decay * param
    square_avg = rho * square_avg + (1 - rho) * grad * grad
    delta = np.sqrt((acc_delta + eps) / (square_avg + eps)) * grad
    acc_delta = rho * acc_delta + (1 - rho) * delta * delta
    return param - lr * delta, {"step": step + 1, "square_avg": square_avg, "acc_delta": acc_delta}


class Adadelta(Optimizer):
    """Adadelta: steps as large as the last ones, by the gradient over its mean size; the rule is `adadelta_update`.

    Parameters
    ----------
    params : as for :class:`Optimizer`
    lr : float
        Times what the rule finds.
    rho : float
        How much of the mean squares is kept at each step.
    eps : float
        Gets the first steps going, and keeps the division finite.
    weight_decay : float
        Adds ``weight_decay / 2 * sum(p**2)`` to the loss, for every parameter.
    maximize : bool
        Climb instead of descend.
    nonfinite : as for :class:`Optimizer`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor([1.0, 1.0], dtype=ag.float64, requires_grad=True)
    >>> optimizer = optim.Adadelta([w], rho=0.75, eps=0.0625)
    >>> (w * ag.tensor([0.0, 1e9])).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([1. , 0.5], dtype=float64, requires_grad=True)
    """

    rule = staticmethod(adadelta_update)
    ranges = {  # noqa: RUF012 (declared in the base)
        "lr": (0.0, math.inf),
        "rho": (0.0, 1.0),
        "eps": (0.0, math.inf),
        "weight_decay": (0.0, math.inf),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)
