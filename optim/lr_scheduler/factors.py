"""Schedules whose factors are a function of the caller's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from ..optimizer import Optimizer
from .arguments import for_each_group
from .scheduler import LRScheduler, Options

__all__ = ["LambdaLR", "MultiplicativeLR"]

Factor = Callable[[int], float]


class _FactorsLR(LRScheduler):
    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1) -> None:
        self.lr_lambdas = for_each_group(self._name, optimizer, "lr_lambda", lr_lambda)
        for given in self.lr_lambdas:
            if not callable(given):
                raise TypeError(f"{self._name}: expected lr_lambda to be a function, got a {type(given).__name__}")
        super().__init__(optimizer, last_epoch)


class LambdaLR(_FactorsLR):
    """``base * lr_lambda(step)``

    It sets the rate, whatever it was: what schedules before it in a chain did is lost, as with PyTorch.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    lr_lambda : function of the step number, or a list of one for each group

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> sgd = optim.SGD([ag.ones(2, requires_grad=True)], lr=1.0)
    >>> optim.lr_scheduler.LambdaLR(sgd, lambda step: 1 / (1 + step)).values(4).ravel().round(2).tolist()
    [1.0, 0.5, 0.33, 0.25]
    """

    overwrites: ClassVar[bool] = True

    def _rate(self, step: Any, group: int) -> float:
        return float(self.base_lrs[group] * self.lr_lambdas[group](step))


class MultiplicativeLR(_FactorsLR):
    """``base * lr_lambda(1) * ... * lr_lambda(step)``

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    lr_lambda : function of the step number, or a list of one for each group

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> sgd = optim.SGD([ag.ones(2, requires_grad=True)], lr=1.0)
    >>> optim.lr_scheduler.MultiplicativeLR(sgd, lambda step: 1 / step).values(5).ravel().round(3).tolist()
    [1.0, 1.0, 0.5, 0.167, 0.042]
    """

    def _rate(self, step: Any, group: int) -> float:
        return float(self.base_lrs[group] * math.prod(map(self.lr_lambdas[group], range(1, step + 1))))

    def _advance(self, now: Options, step: int, group: int) -> Options:
        # The same as in the base, without asking for the factors of all steps before.
        return now if step == 0 else {**now, "lr": float(now["lr"] * self.lr_lambdas[group](step))}
