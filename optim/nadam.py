"""NAdam: Adam that looks ahead along its momentum."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, options

__all__ = ["NAdam", "nadam_update"]


def nadam_update(
    param: Any,
    grad: Any,
    step: Any = 0,
    mu_product: Any = 1.0,
    exp_avg: Any = 0.0,
    exp_avg_sq: Any = 0.0,
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum_decay: float = 4e-3,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of NAdam.

    With gradient ``g`` (negated to maximize), step number ``t`` from 1, moments ``m`` (exp_avg) and ``v``
    (exp_avg_sq), and the product ``M`` of all ``mu`` so far (mu_product)::

        g = g + wd * p                            decoupled: p = p - lr * wd * p instead
        mu(t) = beta1 * (1 - 0.96**(t * momentum_decay) / 2)
        M = M * mu(t)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m^ = mu(t + 1) * m / (1 - M * mu(t + 1)) + (1 - mu(t)) * g / (1 - M)
        p = p - lr * m^ / (sqrt(v / (1 - beta2**t)) + eps)

    Dozat, "Incorporating Nesterov Momentum into Adam", ICLR workshop 2016, algorithm 2, with the schedule of ``mu``
    that Sutskever's thesis and the author's report have; as in PyTorch.

    Examples
    --------
    >>> param, state = nadam_update(1.0, 4.0, lr=0.25)
    >>> round(state["mu_product"], 6), round(state["exp_avg"], 6)
    (0.450073, 0.4)
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
    mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentum_decay))
    mu_product = mu_product * mu
    exp_avg = beta1 * exp_avg + (1 - beta1) * grad
    exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * grad * grad
    ahead = mu_next / (1 - mu_product * mu_next) * exp_avg + (1 - mu) / (1 - mu_product) * grad
    denominator = np.sqrt(exp_avg_sq) * (1 - beta2**step) ** -0.5 + eps
    state = {"step": step, "mu_product": mu_product, "exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq}
    return param - lr * ahead / denominator, state


class NAdam(Optimizer):
    """NAdam: Adam with Nesterov's momentum; the rule is :func:`nadam_update`.

    Parameters
    ----------
    params : as for :class:`Optimizer`
    lr : float
        Learning rate: about the size of a step.
    betas : pair of float
        How much of the running mean of the gradient and of its square is kept at each step.
    eps : float
        Keeps the division finite.
    weight_decay : float
        Adds ``weight_decay / 2 * sum(p**2)`` to the loss, for every parameter.
    momentum_decay : float
        How fast the momentum grows from half of its first beta to all of it.
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
    >>> optimizer = optim.NAdam([w], lr=0.1)
    >>> for _ in range(300):
    ...     optimizer.zero_grad()
    ...     (w * w).sum().backward()
    ...     optimizer.step()
    >>> bool((abs(w) < 0.01).all())
    True
    """

    rule = staticmethod(nadam_update)
    numbers = ("step", "mu_product")
    ranges = {  # noqa: RUF012 (declared in the base)
        "lr": (0.0, math.inf),
        "betas": ((0.0, 1.0), (0.0, 1.0)),
        "eps": (0.0, math.inf),
        "weight_decay": (0.0, math.inf),
        "momentum_decay": (0.0, math.inf),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)
