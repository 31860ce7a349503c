"""Schedules made of schedules: one after the other, all at once, or one after a warm-up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from autograd_core.nn import checks

from ..optimizer import Optimizer
from .arguments import increasing, whole
from .plateau import ReduceLROnPlateau
from .ramps import linear
from .scheduler import LRScheduler, Options

__all__ = ["ChainedScheduler", "SequentialLR", "WarmupLR"]


class _CompositeLR(LRScheduler):
    """A schedule that steps others, its parts; they must not be stepped by anyone else from then on."""

    def _join(self, schedulers: Iterable[Any], optimizer: Any = None) -> Any:
        """Note the parts, checked; gives their optimizer."""
        found = list(schedulers)
        if not found:
            raise ValueError(f"{self._name}: expected at least one schedule, got none")
        for i, part in enumerate(found):
            if not isinstance(part, LRScheduler):
                raise TypeError(f"{self._name}: expected schedules, got a {type(part).__name__} at position {i}")
            if isinstance(part, ReduceLROnPlateau):
                raise ValueError(
                    f"{self._name}: ReduceLROnPlateau, at position {i}, needs a metric each time; step it on its own"
                )
            if part._owner is not None:
                raise ValueError(f"{self._name}: the schedule at position {i} is already part of a {part._owner}")
            if part.optimizer is not (optimizer or found[0].optimizer):
                raise ValueError(f"{self._name}: the schedule at position {i} is one of another optimizer")
        self._schedulers: list[LRScheduler] = found
        return found[0].optimizer

    def _own_parts(self) -> None:
        for part in self._schedulers:
            part._owner = self._name

    @property
    def _sets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for part in self._schedulers for name in part._sets))

    def _at(self, now: Options, step: Any, group: int) -> Options:
        now = {**now, "lr": self.base_lrs[group]}
        for k in range(step + 1):
            now = self._advance(now, k, group)
        return now

    def __repr__(self) -> str:
        parts = "".join(f"  {part!r},\n".replace("\n  ", "\n    ") for part in self._schedulers)
        return f"{self._name}([\n{parts}], last_epoch={self.last_epoch})"


def _started(part: LRScheduler, now: Options, group: int) -> Options:
    """The options at step 0 of a part, from its base rate."""
    return part._advance({**now, "lr": part.base_lrs[group]}, 0, group)


class SequentialLR(_CompositeLR):
    """One schedule after the other, each counting its steps from 0 and beginning with the base rate.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    schedulers : list of schedules of this optimizer
    milestones : increasing integers, one fewer than there are schedules
        The steps at which the next begins.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> sgd = optim.SGD([ag.ones(2, requires_grad=True)], lr=1.0)
    >>> up = optim.lr_scheduler.LinearLR(sgd, start_factor=0.25, total_iters=3)
    >>> down = optim.lr_scheduler.PolynomialLR(sgd, total_iters=4)
    >>> optim.lr_scheduler.SequentialLR(sgd, [up, down], milestones=[3]).values(8).ravel().tolist()
    [0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Iterable[int], last_epoch: int = -1
    ) -> None:
        self._join(schedulers, optimizer)
        self._milestones = increasing("SequentialLR", milestones, 0)
        if len(self._milestones) != len(self._schedulers) - 1:
            raise ValueError(
                f"SequentialLR: {len(self._schedulers)} schedules need {len(self._schedulers) - 1} milestones, "
                f"got {len(self._milestones)}"
            )
        super().__init__(optimizer, last_epoch)
        self._own_parts()

    def _part(self, step: int) -> tuple[LRScheduler, int]:
        """The schedule for a step, and the step by its own count."""
        i = bisect_right(self._milestones, step)
        return self._schedulers[i], step - (self._milestones[i - 1] if i else 0)

    def _advance(self, now: Options, step: int, group: int) -> Options:
        part, own_step = self._part(step)
        if step == 0:
            return part._advance({**now, "lr": self.base_lrs[group]}, 0, group)
        return _started(part, now, group) if own_step == 0 else part._advance(now, own_step, group)

    def _stand_at(self, step: int) -> None:
        super()._stand_at(step)
        part, own_step = self._part(step)
        part._stand_at(own_step)


class ChainedScheduler(_CompositeLR):
    """Several schedules at once: each step is a step of all of them, in their order.

    Parameters
    ----------
    schedulers : list of schedules of one optimizer
    optimizer : Optimizer, optional
        Theirs.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> sgd = optim.SGD([ag.ones(2, requires_grad=True)], lr=1.0)
    >>> half = optim.lr_scheduler.ConstantLR(sgd, factor=0.5, total_iters=2)
    >>> decay = optim.lr_scheduler.ExponentialLR(sgd, gamma=0.5)
    >>> optim.lr_scheduler.ChainedScheduler([half, decay]).values(4).ravel().tolist()
    [0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        optimizer = self._join(schedulers, optimizer)
        steps = {part.last_epoch for part in self._schedulers}
        if len(steps) > 1:
            raise ValueError(f"ChainedScheduler: the schedules stand at different steps: {sorted(steps)}")
        self._hold(optimizer, -1, None)
        self._stand_at(steps.pop())
        self._own_parts()

    def _advance(self, now: Options, step: int, group: int) -> Options:
        for part in self._schedulers:
            now = part._advance(now, step, group)
        return now

    def _stand_at(self, step: int) -> None:
        super()._stand_at(step)
        for part in self._schedulers:
            part._stand_at(step)


class WarmupLR(_CompositeLR):
    """Approach the first rate of any schedule in a straight line, then follow it from its step 0 on.

    The rate is ``first * linear(step, 1)`` for the `total_iters` steps of the warm-up, where `first` is the one of the
    other schedule's step 0, and :func:`linear` goes from `start_factor` to 1.  Momentum stays at its first value.

    Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour" (2017), section 2.2.

    Parameters
    ----------
    scheduler : a schedule of any kind that is not ReduceLROnPlateau
    total_iters : int
    start_factor : float
        In [0, 1].

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> sgd = optim.SGD([ag.ones(2, requires_grad=True)], lr=1.0)
    >>> decay = optim.lr_scheduler.PowerLR(sgd)
    >>> optim.lr_scheduler.WarmupLR(decay, total_iters=3, start_factor=0.25).values(6).ravel().round(2).tolist()
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.33]
    """

    total_iters: int
    start_factor: float

    def __init__(self, scheduler: LRScheduler, total_iters: int = 5, start_factor: float = 1 / 3) -> None:
        whole("WarmupLR", 1, total_iters=total_iters)
        checks.share("WarmupLR", start_factor=start_factor)
        super().__init__(self._join([scheduler]), total_iters=total_iters, start_factor=start_factor)
        self._own_parts()

    def _advance(self, now: Options, step: int, group: int) -> Options:
        (part,) = self._schedulers
        if step > self.total_iters:
            return part._advance(now, step - self.total_iters, group)
        first = _started(part, now, group)
        rate = linear(step, first["lr"], start_factor=self.start_factor, total_iters=self.total_iters)
        return {**first, "lr": rate}

    def _stand_at(self, step: int) -> None:
        super()._stand_at(step)
        self._schedulers[0]._stand_at(max(0, step - self.total_iters))
