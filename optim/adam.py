"""Adam, and AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, options

__all__ = ["Adam", "AdamW", "adam_update"]


def adam_update(
    param: Any,
    grad: Any,
    step: Any = 0,
    exp_avg: Any = 0.0,
    exp_avg_sq: Any = 0.0,
    max_exp_avg_sq: Any = None,
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
    decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Adam.

    With gradient ``g`` (negated to maximize), step number ``t`` from 1, moments ``m`` (exp_avg) and ``v``
    (exp_avg_sq)::

        g = g + wd * p                decoupled: p = p - lr * wd * p instead
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m^ = m / (1 - beta1**t)
        v^ = v / (1 - beta2**t)       AMSGrad: the largest v so far, for v
        p = p - lr * m^ / (sqrt(v^) + eps)

    Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.  AMSGrad: Reddi, Kale and
    Kumar, "On the Convergence of Adam and Beyond", ICLR 2018, algorithm 2; as in PyTorch with bias correction, which
    the paper leaves out.  Decoupled, the parameter shrinks by itself and the decay does not pass through the moments:
    Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, algorithm 2; as in PyTorch with ``lr`` in
    the place of the schedule multiplier.

    Examples
    --------
    >>> param, state = adam_update(1.0, 4.0, lr=0.25)
    >>> round(float(param), 6), state["step"], round(state["exp_avg"], 6)
    (0.75, 1, 0.4)
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
    state = {"step": step, "exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq}
    second = exp_avg_sq
    if amsgrad:
        second = exp_avg_sq if max_exp_avg_sq is None else np.maximum(max_exp_avg_sq, exp_avg_sq)
        state["max_exp_avg_sq"] = second
    # Times the inverse, which is one number: division takes as long as all else here together.
    denominator = np.sqrt(second) * (1 - beta2**step) ** -0.5 + eps
    return param - lr / (1 - beta1**step) * exp_avg / denominator, state


class Adam(Optimizer):
    """Adam: every weight gets a step of its own size; the rule is :func:`adam_update`.

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
    amsgrad : bool
        Divide by the largest mean square so far.
    maximize : bool
        Climb instead of descend.
    decoupled_weight_decay : bool
        Each step multiplies every parameter by ``1 - lr * weight_decay`` instead, which makes it :class:`AdamW`.
    nonfinite : as for :class:`Optimizer`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = optim.Adam([w], lr=0.1)
    >>> (w * ag.tensor([1.0, 1000.0])).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9, 0.9], requires_grad=True)
    """

    rule = staticmethod(adam_update)
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
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)


class AdamW(Adam):
    """Adam with decoupled weight decay; the rule is :func:`adam_update`.

    Parameters
    ----------
    params, lr, betas, eps, amsgrad, maximize, nonfinite : as for :class:`Adam`
    weight_decay : float
        Each step multiplies every parameter by ``1 - lr * weight_decay``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor([1.0], requires_grad=True)
    >>> optimizer = optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * 0).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.95], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        shared = options(locals())
        super().__init__(params, **shared, decoupled_weight_decay=True, nonfinite=nonfinite)
