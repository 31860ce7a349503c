"""Stochastic gradient descent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .optimizer import Optimizer, options

__all__ = ["SGD", "sgd_update"]


def sgd_update(
    param: Any,
    grad: Any,
    momentum_buffer: Any = None,
    *,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of gradient descent with momentum.

    With gradient ``g`` (negated to maximize), learning rate ``lr``, momentum ``mu``, dampening ``d`` and weight decay
    ``wd``::

        g = g + wd * p
        v = mu * v + (1 - d) * g      (v = g at the first step)
        p = p - lr * v                Nesterov: p - lr * (g + mu * v)

    Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013:
    equations 1 and 2 (momentum), 3 and 4 (Nesterov).  As in PyTorch, the velocity is kept without the factor ``lr``,
    so a new learning rate acts at once, and the parameter kept with Nesterov is the one gradients are taken at.

    Examples
    --------
    >>> sgd_update(1.0, 4.0, lr=0.25)
    (0.0, {})
    >>> sgd_update(1.0, 4.0, 2.0, lr=0.25, momentum=0.5)
    (-0.25, {'momentum_buffer': 5.0})
    """
    if maximize:
        grad = -grad
    if weight_decay != 0:
        grad = grad + weight_decay * param
    if momentum == 0:
        return param - lr * grad, {}
    velocity = grad if momentum_buffer is None else momentum * momentum_buffer + (1 - dampening) * grad
    direction = grad + momentum * velocity if nesterov else velocity
    return param - lr * direction, {"momentum_buffer": velocity}


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked for; the rule is :func:`sgd_update`.

    Parameters
    ----------
    params : as for :class:`Optimizer`
    lr : float
        Learning rate.
    momentum : float
        How much of the last step's direction is kept; 0 for none.
    dampening : float
        How much of the gradient is held back from the momentum.
    weight_decay : float
        Adds ``weight_decay / 2 * sum(p**2)`` to the loss, for every parameter.
    nesterov : bool
        Look ahead along the momentum; needs momentum, and no dampening.
    maximize : bool
        Climb instead of descend.
    nonfinite : as for :class:`Optimizer`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor(4.0, requires_grad=True)
    >>> optimizer = optim.SGD([w], lr=0.25, momentum=0.5)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (w * w).backward()
    ...     optimizer.step()
    >>> w
    tensor(-1., requires_grad=True)
    """

    rule = staticmethod(sgd_update)
    ranges = {  # noqa: RUF012 (declared in the base)
        "lr": (0.0, math.inf),
        "momentum": (0.0, math.inf),
        "dampening": (-math.inf, math.inf),
        "weight_decay": (0.0, math.inf),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)

    def _check_options(self, options: dict[str, Any]) -> None:
        super()._check_options(options)
        if options["nesterov"] and (options["momentum"] == 0 or options["dampening"] != 0):
            raise ValueError(
                f"SGD: nesterov needs a momentum above 0 and no dampening, got momentum={options['momentum']!r}, "
                f"dampening={options['dampening']!r}"
            )
