"""Rprop: by the signs of the gradient alone, for whole batches."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, options

__all__ = ["Rprop", "rprop_update"]


def rprop_update(
    param: Any,
    grad: Any,
    step: Any = 0,
    prev: Any = 0.0,
    step_size: Any = None,
    *,
    lr: float,
    etas: tuple[float, float] = (0.5, 1.2),
    step_sizes: tuple[float, float] = (1e-6, 50.0),
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Rprop.

    With gradient ``g`` (negated to maximize), the last one ``h`` (prev), and ``s`` (step_size), which is ``lr`` at
    first, for every element::

        s = min(s * eta+, largest)                    if g * h > 0
        s = max(s * eta-, smallest), then g = 0       if g * h < 0
        p = p - s * sign(g)

    Riedmiller and Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm", IEEE
    International Conference on Neural Networks 1993, equations 4 to 6; as in PyTorch a step that went too far is not
    taken back (iRprop-, Igel and Huesken 2000).

    Examples
    --------
    >>> param, state = rprop_update(1.0, 4.0, 1, 3.0, 0.25, lr=0.01)
    >>> float(param), float(state["step_size"])
    (0.7, 0.3)
    """
    smaller, larger = etas
    smallest, largest = step_sizes
    if maximize:
        grad = -grad
    step_size = lr + 0.0 * grad if step_size is None else step_size
    agree = grad * prev
    step_size = np.where(agree > 0, larger * step_size, np.where(agree < 0, smaller * step_size, step_size))
    step_size = np.minimum(np.maximum(step_size, smallest), largest)
    grad = np.where(agree < 0, 0.0, grad)
    return param - step_size * np.sign(grad), {"step": step + 1, "prev": grad, "step_size": step_size}


class Rprop(Optimizer):
    """Rprop: each weight has a step size of its own, larger while the gradient keeps its sign; rule `rprop_update`.

    Parameters
    ----------
    params : as for :class:`Optimizer`
    lr : float
        The size of the first steps.
    etas : pair of float
        The factors by which a step size shrinks when the sign has changed, and grows when it has not.
    step_sizes : pair of float
        The smallest and the largest step size.
    maximize : bool
        Climb instead of descend.
    nonfinite : as for :class:`Optimizer`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = optim.Rprop([w], lr=0.25)
    >>> (w * ag.tensor([1.0, 1000.0])).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.75, 0.75], requires_grad=True)
    """

    rule = staticmethod(rprop_update)
    starts = {"step_size": "lr"}  # noqa: RUF012 (declared in the base)
    ranges = {  # noqa: RUF012
        "lr": (0.0, math.inf),
        "etas": ((0.0, 1.0), (1.0, math.inf)),
        "step_sizes": ((0.0, math.inf), (0.0, math.inf)),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)
