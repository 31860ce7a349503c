"""Schedules that begin below the base rate: at a constant factor of it, or on a straight line."""

from __future__ import annotations

from autograd_core.nn import checks

from ..optimizer import Optimizer
from .arguments import whole
from .scheduler import LRScheduler

__all__ = ["ConstantLR", "LinearLR", "constant", "linear"]


def constant(step: float, base: float, *, factor: float = 1 / 3, total_iters: int = 5) -> float:
    """``base * factor`` for step < total_iters, then ``base``.

    >>> [constant(step, 1.0, factor=0.5, total_iters=2) for step in range(4)]
    [0.5, 0.5, 1.0, 1.0]
    """
    return base * factor if step < total_iters else base


class ConstantLR(LRScheduler):
    """Hold the rate at `factor` of the base rate for `total_iters` steps; the formula is :func:`constant`.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    factor : float
        In [0, 1].
    total_iters : int
    """

    function = staticmethod(constant)

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        checks.share("ConstantLR", factor=factor)
        whole("ConstantLR", 0, total_iters=total_iters)
        super().__init__(optimizer, last_epoch, factor=factor, total_iters=total_iters)


def linear(
    step: float, base: float, *, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
) -> float:
    """``base * (start_factor + (end_factor - start_factor) * min(step, total_iters) / total_iters)``

    >>> [linear(step, 1.0, start_factor=0.5, total_iters=2) for step in range(4)]
    [0.5, 0.75, 1.0, 1.0]
    """
    return base * (start_factor + (end_factor - start_factor) * min(step, total_iters) / total_iters)


class LinearLR(LRScheduler):
    """Go from one factor of the base rate to another in a straight line; the formula is :func:`linear`.

    Where another schedule works on the same optimizer, the two multiply: a warm-up for ReduceLROnPlateau, say.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    start_factor : float
        In (0, 1].
    end_factor : float
        In [0, 1].
    total_iters : int
    """

    function = staticmethod(linear)

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        checks.positive("LinearLR", start_factor=start_factor)
        checks.share("LinearLR", start_factor=start_factor, end_factor=end_factor)
        whole("LinearLR", 1, total_iters=total_iters)
        super().__init__(
            optimizer, last_epoch, start_factor=start_factor, end_factor=end_factor, total_iters=total_iters
        )
