"""Adagrad: the more a weight has moved, the smaller its steps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, options

__all__ = ["Adagrad", "adagrad_update"]


def adagrad_update(
    param: Any,
    grad: Any,
    step: Any = 0,
    sum: Any = None,
    *,
    lr: float,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    initial_accumulator_value: float = 0.0,
    eps: float = 1e-10,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Adagrad.

    With gradient ``g`` (negated to maximize), step number ``t`` from 1, and ``s`` (sum), which is
    ``initial_accumulator_value`` at first::

        g = g + wd * p
        s = s + g * g
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 12
    (2011): figure 1, with the diagonal matrix.

    Examples
    --------
    >>> param, state = adagrad_update(1.0, 4.0, sum=9.0, lr=0.25)
    >>> round(float(param), 6), state
    (0.8, {'step': 1, 'sum': 25.0})
    """
    if maximize:
        grad = -grad
    if weight_decay != 0:
        grad = grad + weight_decay * param
    rate = lr / (1 + step * lr_decay)
    sum = (initial_accumulator_value if sum is None else sum) + grad * grad
    return param - rate * grad / (np.sqrt(sum) + eps), {"step": step + 1, "sum": sum}


class Adagrad(Optimizer):
    """Adagrad: steps shrink with the sum of all squared gradients so far; the rule is :func:`adagrad_update`.

    Parameters
    ----------
    params : as for :class:`Optimizer`
    lr : float
        Learning rate.
    lr_decay : float
        The learning rate is divided by one more of it at every step.
    weight_decay : float
        Adds ``weight_decay / 2 * sum(p**2)`` to the loss, for every parameter.
    initial_accumulator_value : float
        Where the sums of squares start.
    eps : float
        Keeps the division finite.
    maximize : bool
        Climb instead of descend.
    nonfinite : as for :class:`Optimizer`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = optim.Adagrad([w], lr=0.5)
    >>> (w * ag.tensor([1.0, 1000.0])).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.5, 0.5], requires_grad=True)
    """

    rule = staticmethod(adagrad_update)
    starts = {"sum": "initial_accumulator_value"}  # noqa: RUF012 (declared in the base)
    ranges = {  # noqa: RUF012
        "lr": (0.0, math.inf),
        "lr_decay": (0.0, math.inf),
        "weight_decay": (0.0, math.inf),
        "initial_accumulator_value": (0.0, math.inf),
        "eps": (0.0, math.inf),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)
