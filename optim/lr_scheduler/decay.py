"""Schedules that lower the rate: in steps, exponentially, by a polynomial, a power, or the inverse root."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from autograd_core.nn import checks

from ..optimizer import Optimizer
from .arguments import increasing, whole
from .scheduler import LRScheduler

__all__ = [
    "ExponentialLR",
    "InverseSqrtLR",
    "MultiStepLR",
    "PiecewiseConstantLR",
    "PolynomialLR",
    "PowerLR",
    "StepLR",
    "exponential",
    "inverse_sqrt",
    "multi_step",
    "piecewise_constant",
    "polynomial",
    "power",
    "step_decay",
]


def step_decay(step: float, base: float, *, step_size: int, gamma: float = 0.1) -> float:
    """``base * gamma ** floor(step / step_size)``

    >>> [step_decay(step, 1.0, step_size=2, gamma=0.5) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    return float(base * gamma ** (step // step_size))


class StepLR(LRScheduler):
    """Multiply the rate by `gamma` every `step_size` steps; the formula is :func:`step_decay`.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    step_size : int
    gamma : float
    """

    function = staticmethod(step_decay)

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        whole("StepLR", 1, step_size=step_size)
        checks.not_negative("StepLR", gamma=gamma)
        super().__init__(optimizer, last_epoch, step_size=step_size, gamma=gamma)


def multi_step(step: float, base: float, *, milestones: Sequence[int], gamma: float = 0.1) -> float:
    """``base * gamma ** (how many of the milestones, in increasing order, are <= step)``

    >>> [multi_step(step, 1.0, milestones=[1, 3], gamma=0.5) for step in range(5)]
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """
    return base * gamma ** bisect_right(milestones, step)


class MultiStepLR(LRScheduler):
    """Multiply the rate by `gamma` at each of the milestones; the formula is :func:`multi_step`.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    milestones : increasing integers
        One that comes twice counts twice.
    gamma : float
    """

    function = staticmethod(multi_step)

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        checks.not_negative("MultiStepLR", gamma=gamma)
        found = increasing("MultiStepLR", milestones, 0)
        super().__init__(optimizer, last_epoch, milestones=found, gamma=gamma)


def piecewise_constant(step: float, base: float, *, milestones: Sequence[int], factors: Sequence[float]) -> float:
    """``base * factors[i]``, where i is how many of the milestones, in increasing order, are <= step.

    >>> [piecewise_constant(step, 0.5, milestones=[2, 3], factors=[1, 0.5, 2]) for step in range(4)]
    [0.5, 0.5, 0.25, 1.0]
    """
    return base * factors[bisect_right(milestones, step)]


class PiecewiseConstantLR(LRScheduler):
    """A factor for each interval between milestones; the formula is :func:`piecewise_constant`.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    milestones : increasing integers
        Where the next factor begins.
    factors : numbers of at least 0, one more than there are milestones
    """

    function = staticmethod(piecewise_constant)

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], factors: Iterable[float], last_epoch: int = -1
    ) -> None:
        found, of_each = increasing("PiecewiseConstantLR", milestones, 1), list(factors)
        if len(of_each) != len(found) + 1:
            raise ValueError(
                f"PiecewiseConstantLR: {len(found)} milestones need {len(found) + 1} factors, got {len(of_each)}"
            )
        for factor in of_each:
            checks.not_negative("PiecewiseConstantLR", factors=factor)
        super().__init__(optimizer, last_epoch, milestones=found, factors=of_each)


def exponential(step: float, base: float, *, gamma: float, step_size: float = 1) -> float:
    """``base * gamma ** (step / step_size)``

    >>> [exponential(step, 1.0, gamma=0.25, step_size=2) for step in range(3)]
    [1.0, 0.5, 0.25]
    """
    return float(base * gamma ** (step / step_size))


class ExponentialLR(LRScheduler):
    """Multiply the rate by `gamma` in `step_size` steps, a little in each; the formula is :func:`exponential`.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    gamma : float
    step_size : float
        The period; PyTorch's is always 1.
    """

    function = staticmethod(exponential)

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1, *, step_size: float = 1) -> None:
        checks.not_negative("ExponentialLR", gamma=gamma)
        checks.positive("ExponentialLR", step_size=step_size)
        super().__init__(optimizer, last_epoch, gamma=gamma, step_size=step_size)


def polynomial(step: float, base: float, *, total_iters: int = 5, power: float = 1.0) -> float:
    """``base * (1 - min(step, total_iters) / total_iters) ** power``

    >>> [polynomial(step, 1.0, total_iters=4, power=2.0) for step in range(6)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """
    return float(base * (1 - min(step, total_iters) / total_iters) ** power)


class PolynomialLR(LRScheduler):
    """Lower the rate to 0 in `total_iters` steps; the formula is :func:`polynomial`.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    total_iters : int
    power : float
        1 for a straight line.
    """

    function = staticmethod(polynomial)

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        whole("PolynomialLR", 1, total_iters=total_iters)
        checks.not_negative("PolynomialLR", power=power)
        super().__init__(optimizer, last_epoch, total_iters=total_iters, power=power)


def power(step: float, base: float, *, gamma: float = 1.0, step_size: float = 1, power: float = 1.0) -> float:
    """``base / (1 + gamma * step / step_size) ** power``

    With power 1 this is Robbins & Monro's kind of decay (1951): the sum of the rates diverges, that of their squares
    does not.

    >>> [power(step, 1.0, step_size=2) for step in (0, 2, 6)]
    [1.0, 0.5, 0.25]
    """
    return float(base / (1 + gamma * step / step_size) ** power)


class PowerLR(LRScheduler):
    """Lower the rate by a power of time, fast at first and ever slower; the formula is :func:`power`.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    gamma : float
    step_size : float
        With `gamma` and `power` 1, the steps in which the rate falls to a half.
    power : float
    """

    function = staticmethod(power)

    def __init__(
        self, optimizer: Optimizer, gamma: float = 1.0, step_size: float = 1, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        checks.not_negative("PowerLR", gamma=gamma, power=power)
        checks.positive("PowerLR", step_size=step_size)
        super().__init__(optimizer, last_epoch, gamma=gamma, step_size=step_size, power=power)


def inverse_sqrt(step: float, base: float, *, warmup_iters: int = 1) -> float:
    """``base * min((step + 1) / warmup_iters, sqrt(warmup_iters / (step + 1)))``

    Vaswani et al., "Attention is all you need" (2017), equation 3, where ``base = (warmup_iters * d_model) ** -0.5`` is
    the highest rate.  The paper counts steps from 1.

    >>> [inverse_sqrt(step, 1.0, warmup_iters=4) for step in (0, 1, 3, 15)]
    [0.25, 0.5, 1.0, 0.5]
    """
    return base * min((step + 1) / warmup_iters, math.sqrt(warmup_iters / (step + 1)))


class InverseSqrtLR(LRScheduler):
    """Raise the rate to the base rate in a straight line, then lower it; the formula is :func:`inverse_sqrt`.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    warmup_iters : int
        How many updates the rise takes; 1 for none.
    """

    function = staticmethod(inverse_sqrt)

    def __init__(self, optimizer: Optimizer, warmup_iters: int = 1, last_epoch: int = -1) -> None:
        whole("InverseSqrtLR", 1, warmup_iters=warmup_iters)
        super().__init__(optimizer, last_epoch, warmup_iters=warmup_iters)
