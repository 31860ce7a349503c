"""Schedules that follow a cosine."""

from __future__ import annotations

import math
import operator
from typing import Any, ClassVar

from autograd_core.nn import checks

from ..optimizer import Optimizer
from .arguments import whole
from .scheduler import LRScheduler

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts", "cosine", "cosine_restarts"]


def cosine(step: float, base: float, *, T_max: int, eta_min: float = 0.0) -> float:  # noqa: N803
    """``eta_min + (base - eta_min) * (1 + cos(pi * step / T_max)) / 2``

    Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), equation 5.

    >>> [round(cosine(step, 1.0, T_max=4), 3) for step in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """
    return eta_min + (base - eta_min) * (1 + math.cos(math.pi * step / T_max)) / 2


class CosineAnnealingLR(LRScheduler):
    """Lower the rate to `eta_min` in `T_max` steps along a half cosine; the formula is :func:`cosine`.

    Going on, it rises again and reaches the base rate after another `T_max` steps.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    T_max : int
    eta_min : float
    """

    function = staticmethod(cosine)
    eta_min: float

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        whole("CosineAnnealingLR", 1, T_max=T_max)
        checks.not_negative("CosineAnnealingLR", eta_min=eta_min)
        super().__init__(optimizer, last_epoch, T_max=T_max, eta_min=eta_min)

    @property
    def _floor(self) -> float:
        return self.eta_min


def cosine_restarts(
    step: float,
    base: float,
    *,
    T_0: int,  # noqa: N803
    T_mult: int = 1,  # noqa: N803
    eta_min: float = 0.0,
    peak_mult: float = 1.0,
) -> float:
    """``eta_min + (base * peak_mult**n - eta_min) * (1 + cos(pi * t / T)) / 2``

    where ``T = T_0 * T_mult**n`` is the length of cycle n = 0, 1, ..., and t the step counted from its beginning.

    Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017), equation 5 and section 3; there
    all peaks have the same height.

    >>> [round(cosine_restarts(step, 1.0, T_0=2, peak_mult=0.5), 3) for step in range(6)]
    [1.0, 0.5, 0.5, 0.25, 0.25, 0.125]
    """
    if T_mult == 1:
        n, t = divmod(step, T_0)
        length = T_0
    else:
        n, t, length = 0, step, T_0
        while t >= length:
            n, t, length = n + 1, t - length, length * T_mult
    peak = base * float(peak_mult**n)
    return eta_min + (peak - eta_min) * (1 + math.cos(math.pi * t / length)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half cosines from a peak to `eta_min`, one after the other; the formula is :func:`cosine_restarts`.

    It sets the rate, whatever it was.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    T_0 : int
        The length of the first.
    T_mult : int
        How many times as long as the one before is each.
    eta_min : float
    peak_mult : float
        How many times as high as the one before is each peak; PyTorch's are all the same.
    """

    function = staticmethod(cosine_restarts)
    overwrites: ClassVar[bool] = True

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803
        T_mult: int = 1,  # noqa: N803
        eta_min: float = 0.0,
        last_epoch: int = -1,
        *,
        peak_mult: float = 1.0,
    ) -> None:
        whole("CosineAnnealingWarmRestarts", 1, T_0=T_0, T_mult=T_mult)
        checks.not_negative("CosineAnnealingWarmRestarts", eta_min=eta_min)
        checks.positive("CosineAnnealingWarmRestarts", peak_mult=peak_mult)
        super().__init__(
            optimizer,
            last_epoch,
            T_0=operator.index(T_0),
            T_mult=operator.index(T_mult),
            eta_min=eta_min,
            peak_mult=peak_mult,
        )

    def _check_epoch(self, epoch: Any) -> None:
        """Parts of a step are welcome, such as ``step(epoch + batch / batches)``."""
        if not isinstance(epoch, float) or not epoch >= 0 or math.isinf(epoch):
            super()._check_epoch(epoch)
