"""The schedule that goes by a metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd_core.nn import checks

from ..optimizer import Optimizer
from .arguments import for_each_group, whole
from .scheduler import LRScheduler, Options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ReduceLROnPlateau"]


class _Memory(NamedTuple):
    """What is remembered of the metrics so far."""

    best: float | None = None
    num_bad_epochs: int = 0
    cooldown_counter: int = 0


class ReduceLROnPlateau(LRScheduler):
    """Lower the rate where a metric no longer improves.

    After more than `patience` steps in a row without improvement, each rate becomes ``max(rate * factor, min_lr)``;
    then `cooldown` steps pass before any are counted again.

    Parameters
    ----------
    optimizer : Optimizer
    mode : "min" or "max"
        Whether the metric is to fall or to rise.
    factor : float
        In [0, 1).
    patience : int
    threshold : float
        By how much the best metric so far must be exceeded to count as an improvement.
    threshold_mode : "rel" or "abs"
        Whether `threshold` is a share of the best metric, or a difference.
    cooldown : int
    min_lr : float, or a list of one for each group
    eps : float
        A rate is not lowered by less than this.

    Attributes
    ----------
    best : float or None
        The best metric so far.
    num_bad_epochs, cooldown_counter : int

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> sgd = optim.SGD([ag.ones(2, requires_grad=True)], lr=1.0)
    >>> plateau = optim.lr_scheduler.ReduceLROnPlateau(sgd, factor=0.5, patience=1)
    >>> plateau.values([3.0, 2.0, 2.0, 2.0, 1.0]).ravel().tolist()
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        checks.choice("ReduceLROnPlateau", "mode", mode, "min", "max")
        checks.choice("ReduceLROnPlateau", "threshold_mode", threshold_mode, "rel", "abs")
        if not 0 <= factor < 1:
            raise ValueError(f"ReduceLROnPlateau: expected factor in [0, 1), got {factor}")
        whole("ReduceLROnPlateau", 0, patience=patience, cooldown=cooldown)
        checks.not_negative("ReduceLROnPlateau", threshold=threshold, eps=eps)
        self.mode, self.factor, self.patience, self.threshold = mode, factor, patience, threshold
        self.threshold_mode, self.cooldown, self.eps = threshold_mode, cooldown, eps
        self._options = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lrs", "eps")
        rates = [float(group["lr"]) for group in getattr(optimizer, "param_groups", ())]
        self._hold(optimizer, -1, rates)
        self.min_lrs = for_each_group("ReduceLROnPlateau", optimizer, "min_lr", min_lr)
        self._memory = _Memory()
        self._stand_at(0)

    @property
    def best(self) -> float | None:
        return self._memory.best

    @property
    def num_bad_epochs(self) -> int:
        return self._memory.num_bad_epochs

    @property
    def cooldown_counter(self) -> int:
        return self._memory.cooldown_counter

    @property
    def in_cooldown(self) -> bool:
        """Whether steps without improvement are not counted."""
        return self.cooldown_counter > 0

    def _better(self, metric: float, best: float | None) -> bool:
        sign = 1 if self.mode == "max" else -1
        if best is None:
            return sign * metric > -math.inf
        margin = sign * self.threshold
        return sign * metric > sign * (best * (1 + margin) if self.threshold_mode == "rel" else best + margin)

    def _observe(self, memory: _Memory, metric: float) -> tuple[_Memory, bool]:
        """What is remembered after one more metric, and whether the rate is to be lowered."""
        best, bad, cooling = memory
        if self._better(metric, best):
            best, bad = metric, 0
        else:
            bad += 1
        if cooling > 0:
            bad, cooling = 0, cooling - 1
        if bad > self.patience:
            return _Memory(best, 0, self.cooldown), True
        return _Memory(best, bad, cooling), False

    def _lowered(self, rate: float, group: int) -> float:
        lower = max(rate * self.factor, self.min_lrs[group])
        return lower if rate - lower > self.eps else rate

    def step(self, metrics: Any = None) -> None:  # type: ignore[override]
        """Take note of a metric, and lower the rates if it is time.

        Parameters
        ----------
        metrics : float, or a tensor of one element
        """
        if metrics is None:
            raise TypeError("ReduceLROnPlateau.step: expected the metric to go by, as in step(validation_loss)")
        self._check_call()
        self._memory, lower = self._observe(self._memory, float(metrics))
        if lower:
            for i, group in enumerate(self.optimizer.param_groups):
                group["lr"] = self._lowered(float(group["lr"]), i)
        self._stand_at(self.last_epoch + 1)

    def _course(self, metrics: Any) -> Iterator[list[Options]]:
        memory, rates = _Memory(), self.base_lrs
        for metric in metrics:
            memory, lower = self._observe(memory, float(metric))
            rates = [self._lowered(rate, i) if lower else rate for i, rate in enumerate(rates)]
            yield [{"lr": rate} for rate in rates]

    def values(self, metrics: Iterable[Any]) -> np.ndarray:  # type: ignore[override]
        """The rates after each of these metrics, counted from the beginning; nothing is changed.

        Returns
        -------
        Array of shape (metrics, groups), float64
        """
        rates = [[options["lr"] for options in groups] for groups in self._course(metrics)]
        return np.array(rates, np.float64).reshape(-1, len(self.base_lrs))

    def plot(self, metrics: Iterable[Any]) -> Figure:  # type: ignore[override]
        """A figure of the rates that these metrics lead to; nothing is changed."""
        return super().plot(metrics)  # type: ignore[arg-type]

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule stands and what it remembers, in values that JSON has."""
        return {**super().state_dict(), **self._memory._asdict()}

    def _restore(self, state_dict: Mapping[str, Any]) -> None:
        super()._restore(state_dict)
        self._memory = _Memory(*(state_dict[name] for name in _Memory._fields))
