"""Averaged stochastic gradient descent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, number, options

__all__ = ["ASGD", "asgd_update"]


def asgd_update(
    param: Any,
    grad: Any,
    step: Any = 0,
    eta: Any = None,
    mu: Any = 1.0,
    ax: Any = 0.0,
    *,
    lr: float,
    lambd: float = 1e-4,
    alpha: float = 0.75,
    t0: float = 1e6,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of averaged gradient descent.

    With gradient ``g`` (negated to maximize), step number ``t`` from 1, the mean of the parameters ``a`` (ax), and the
    rates ``eta``, which is ``lr`` at first, and ``mu``, at first 1::

        g = g + wd * p
        p = p - lambd * eta * p - eta * g
        a = a + mu * (p - a)
        eta = lr / (1 + lambd * lr * t)**alpha
        mu = 1 / max(1, t - t0)

    Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM J. Control Optim. 30 (1992),
    equation 4; the rates are Bottou's, "Stochastic Gradient Descent Tricks" (2012), section 5.2, as in PyTorch.

    Examples
    --------
    >>> param, state = asgd_update(1.0, 4.0, lr=0.25, lambd=0.0)
    >>> param, state
    (0.0, {'step': 1, 'eta': 0.25, 'mu': 1.0, 'ax': 0.0})
    """
    if maximize:
        grad = -grad
    if weight_decay != 0:
        grad = grad + weight_decay * param
    eta = lr if eta is None else eta
    step = step + 1
    param = (1 - lambd * eta) * param - eta * grad
    ax = (1 - mu) * ax + mu * param
    eta = lr / (1 + lambd * lr * step) ** alpha
    mu = 1 / number(np.maximum(step - t0, 1.0))
    return param, {"step": step, "eta": eta, "mu": mu, "ax": ax}


class ASGD(Optimizer):
    """Gradient descent that also keeps the mean of the parameters it went through; the rule is :func:`asgd_update`.

    The mean is ``optimizer.state[p]["ax"]``; it is for evaluation, and no step uses it.

    Parameters
    ----------
    params : as for :class:`Optimizer`
    lr : float
        Learning rate of the first step.
    lambd : float
        How fast the parameters shrink, and the learning rate too.
    alpha : float
        Power by which the learning rate falls.
    t0 : float
        The step from which on to average; before it the mean is the parameter.
    weight_decay : float
        Adds ``weight_decay / 2 * sum(p**2)`` to the loss, for every parameter.
    maximize : bool
        Climb instead of descend.
    nonfinite : as for :class:`Optimizer`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor(4.0, requires_grad=True)
    >>> optimizer = optim.ASGD([w], lr=0.25, lambd=0.0, t0=0)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (w * w).backward()
    ...     optimizer.step()
    >>> w, optimizer.state[w]["ax"]
    (tensor(0.5, requires_grad=True), tensor(0.75))
    """

    rule = staticmethod(asgd_update)
    numbers = ("step", "eta", "mu")
    starts = {"eta": "lr"}  # noqa: RUF012 (declared in the base)
    ranges = {  # noqa: RUF012
        "lr": (0.0, math.inf),
        "lambd": (-math.inf, math.inf),
        "alpha": (-math.inf, math.inf),
        "t0": (-math.inf, math.inf),
        "weight_decay": (0.0, math.inf),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)
