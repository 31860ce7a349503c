"""RAdam: Adam that waits with its adaptive steps until it knows the size of the gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, number, options

__all__ = ["RAdam", "radam_update"]


def radam_update(
    param: Any,
    grad: Any,
    step: Any = 0,
    exp_avg: Any = 0.0,
    exp_avg_sq: Any = 0.0,
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of RAdam.

    With gradient ``g`` (negated to maximize), step number ``t`` from 1, moments ``m`` (exp_avg) and ``v``
    (exp_avg_sq)::

        g = g + wd * p                            decoupled: p = p - lr * wd * p instead
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m^ = m / (1 - beta1**t)
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)      with rho_inf = 2 / (1 - beta2) - 1
        r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
        p = p - lr * m^ * r * sqrt(1 - beta2**t) / (sqrt(v) + eps)      if rho > 5
        p = p - lr * m^                                                 else

    Liu, Jiang, He, Chen, Liu, Gao and Han, "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020,
    algorithm 2; as in PyTorch with 5 for 4.

    Examples
    --------
    >>> param, state = radam_update(1.0, 4.0, lr=0.25)
    >>> float(param), round(state["exp_avg"], 6)
    (0.0, 0.4)
    """
    beta1, beta2 = betas
    if maximize:
        grad = -grad
    if weight_decay != 0:
        if decoupled_weight_decay:
            param = param * (1 - lr * weight_decay)
        else:
            grad = grad + weight_decay * param
    step = step + 1
    exp_avg = beta1 * exp_avg + (1 - beta1) * grad
    exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * grad * grad
    correction = 1 - beta2**step
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * step * beta2**step / correction
    # In a recording the step number has no value to branch on: both are computed.  An array makes the outcome a tensor.
    adaptive = np.greater(length, np.array(5.0))
    length, longest = number(np.maximum(length, 5.0)), number(np.maximum(longest, 5.0))
    rectified = ((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length) * correction) ** 0.5
    direction = np.where(adaptive, rectified * exp_avg / (np.sqrt(exp_avg_sq) + eps), exp_avg)
    state = {"step": step, "exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq}
    return param - lr / (1 - beta1**step) * direction, state


class RAdam(Optimizer):
    """RAdam: Adam with its variance rectified, plain momentum at first; the rule is :func:`radam_update`.

    Parameters
    ----------
    params : as for :class:`Optimizer`
    lr : float
        Learning rate: about the size of a step, after the first ones.
    betas : pair of float
        How much of the running mean of the gradient and of its square is kept at each step.
    eps : float
        Keeps the division finite.
    weight_decay : float
        Adds ``weight_decay / 2 * sum(p**2)`` to the loss, for every parameter.
    decoupled_weight_decay : bool
        Each step multiplies every parameter by ``1 - lr * weight_decay`` instead.
    maximize : bool
        Climb instead of descend.
    nonfinite : as for :class:`Optimizer`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor([4.0, -3.0], requires_grad=True)
    >>> optimizer = optim.RAdam([w], lr=0.1)
    >>> for _ in range(300):
    ...     optimizer.zero_grad()
    ...     (w * w).sum().backward()
    ...     optimizer.step()
    >>> bool((abs(w) < 0.01).all())
    True
    """

    rule = staticmethod(radam_update)
    ranges = {  # noqa: RUF012 (declared in the base)
        "lr": (0.0, math.inf),
        "betas": ((0.0, 1.0), (0.0, 1.0)),
        "eps": (0.0, math.inf),
        "weight_decay": (0.0, math.inf),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)
