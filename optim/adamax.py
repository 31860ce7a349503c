"""Adamax: Adam with the largest gradient in the place of the mean square."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, options

__all__ = ["Adamax", "adamax_update"]


def adamax_update(
    param: Any,
    grad: Any,
    step: Any = 0,
    exp_avg: Any = 0.0,
    exp_inf: Any = 0.0,
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Adamax.

    With gradient ``g`` (negated to maximize), step number ``t`` from 1, mean ``m`` (exp_avg) and decaying maximum ``u``
    (exp_inf)::

        g = g + wd * p
        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, |g| + eps)
        p = p - lr / (1 - beta1**t) * m / u

    Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 2; ``eps`` is PyTorch's.

    Examples
    --------
    >>> param, state = adamax_update(1.0, 4.0, lr=0.25, eps=0.0)
    >>> round(float(param), 6), round(float(state["exp_inf"]), 6)
    (0.75, 4.0)
    """
    beta1, beta2 = betas
    if maximize:
        grad = -grad
    if weight_decay != 0:
        grad = grad + weight_decay * param
    step = step + 1
    exp_avg = beta1 * exp_avg + (1 - beta1) * grad
    exp_inf = np.maximum(beta2 * exp_inf, np.abs(grad) + eps)
    state = {"step": step, "exp_avg": exp_avg, "exp_inf": exp_inf}
    return param - lr / (1 - beta1**step) * exp_avg / exp_inf, state


class Adamax(Optimizer):
    """Adamax: the mean gradient over the largest of late; the rule is :func:`adamax_update`.

    Parameters
    ----------
    params : as for :class:`Optimizer`
    lr : float
        Learning rate: no step is larger by much.
    betas : pair of float
        How much of the mean, and of the largest gradient so far, is kept at each step.
    eps : float
        Keeps the division finite.
    weight_decay : float
        Adds ``weight_decay / 2 * sum(p**2)`` to the loss, for every parameter.
    maximize : bool
        Climb instead of descend.
    nonfinite : as for :class:`Optimizer`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = optim.Adamax([w], lr=0.25)
    >>> (w * ag.tensor([1.0, 1000.0])).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.75, 0.75], requires_grad=True)
    """

    rule = staticmethod(adamax_update)
    ranges = {  # noqa: RUF012 (declared in the base)
        "lr": (0.0, math.inf),
        "betas": ((0.0, 1.0), (0.0, 1.0)),
        "eps": (0.0, math.inf),
        "weight_decay": (0.0, math.inf),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)
