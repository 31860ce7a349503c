"""Lion: the sign of the momentum."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, options

__all__ = ["Lion", "lion_update"]


def lion_update(
    param: Any,
    grad: Any,
    exp_avg: Any = 0.0,
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.99),
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Lion.

    With gradient ``g`` (negated to maximize) and momentum ``m`` (exp_avg)::

        c = beta1 * m + (1 - beta1) * g
        p = p - lr * (sign(c) + wd * p)
        m = beta2 * m + (1 - beta2) * g

    Chen, Liang, Huang, Real, Wang, Liu, Pham, Dong, Luong, Hsieh, Lu and Le, "Symbolic Discovery of Optimization
    Algorithms", NeurIPS 2023, algorithm 2.

    Examples
    --------
    >>> param, state = lion_update(1.0, 4.0, -1.0, lr=0.25)
    >>> float(param), round(state["exp_avg"], 6)
    (1.25, -0.95)
    """
    beta1, beta2 = betas
    if maximize:
        grad = -grad
    direction = np.sign(beta1 * exp_avg + (1 - beta1) * grad)
    if weight_decay != 0:
        direction = direction + weight_decay * param
    return param - lr * direction, {"exp_avg": beta2 * exp_avg + (1 - beta2) * grad}


class Lion(Optimizer):
    """Lion: every weight moves by the learning rate, along its momentum's sign; the rule is :func:`lion_update`.

    Parameters
    ----------
    params : as for :class:`Optimizer`
    lr : float
        The size of a step; a third to a tenth of what suits Adam.
    betas : pair of float
        How much of the momentum counts for the direction, and how much of it is kept.
    weight_decay : float
        Each step takes ``lr * weight_decay * p`` off every parameter; three to ten times what suits AdamW.
    maximize : bool
        Climb instead of descend.
    nonfinite : as for :class:`Optimizer`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = optim.Lion([w], lr=0.25)
    >>> (w * ag.tensor([1.0, -1000.0])).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.75, 1.25], requires_grad=True)
    """

    rule = staticmethod(lion_update)
    ranges = {  # noqa: RUF012 (declared in the base)
        "lr": (0.0, math.inf),
        "betas": ((0.0, 1.0), (0.0, 1.0)),
        "weight_decay": (0.0, math.inf),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)
