"""Schedules that raise the rate and lower it again, and do the opposite to the momentum."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from autograd_core.nn import checks

from ..optimizer import Optimizer
from .arguments import for_each_group, whole
from .scheduler import LRScheduler, Options

__all__ = ["CyclicLR", "OneCycleLR", "cyclic", "one_cycle"]


class _MomentumLR(LRScheduler):
    """A schedule from each group's `base` by a `peak`, that may send the momentum the other way.

    The peaks and momenta of the groups are options of the formula like the others.
    """

    overwrites: ClassVar[bool] = True

    def __init__(
        self,
        optimizer: Optimizer,
        last_epoch: int,
        base_lrs: list[float],
        levels: list[dict[str, float]],
        momenta: tuple[list[float], list[float]] | None,
        **options: Any,
    ) -> None:
        self._levels, self._momenta = levels, momenta
        self._momentum_option: str | None = None
        if momenta is not None:
            found = [name for name in ("momentum", "betas") if name in optimizer.defaults]
            if not found:
                raise ValueError(
                    f"{self._name}: {type(optimizer).__name__} has neither momentum nor betas to cycle; "
                    f"pass cycle_momentum=False"
                )
            self._momentum_option = found[0]
        super().__init__(optimizer, last_epoch, base_lrs=base_lrs, **options)

    @property
    def _sets(self) -> tuple[str, ...]:
        return ("lr",) if self._momentum_option is None else ("lr", self._momentum_option)

    def _rate(self, step: float, group: int) -> float:
        options = {name: getattr(self, name) for name in self._options}
        return type(self).function(step, self.base_lrs[group], **self._levels[group], **options)

    def _momentum_levels(self, low: float, high: float) -> dict[str, float]:
        """What `levels` is for the momentum, which begins at `high`."""
        return {"peak": low}

    def _at(self, now: Options, step: float, group: int) -> Options:
        then = super()._at(now, step, group)
        if self._momenta is None:
            return then
        low, high = (levels[group] for levels in self._momenta)
        options = {name: getattr(self, name) for name in self._options}
        momentum = type(self).function(step, high, **self._momentum_levels(low, high), **options)
        if self._momentum_option == "betas":
            return {**then, "betas": (momentum, *now["betas"][1:])}
        return {**then, "momentum": momentum}


def cyclic(
    step: float,
    base: float,
    *,
    peak: float,
    step_size_up: float = 2000,
    step_size_down: float | None = None,
    mode: str = "triangular",
    gamma: float = 1.0,
    scale_fn: Callable[[Any], float] | None = None,
    scale_mode: str = "cycle",
) -> float:
    """``base + (peak - base) * height * scale``

    where height goes from 0 to 1 in `step_size_up` steps and back to 0 in `step_size_down` (if None, as many), in a
    straight line, and in cycle n = 1, 2, ... the scale is 1 ("triangular"), ``2 ** (1 - n)`` ("triangular2"),
    ``gamma ** step`` ("exp_range"), or ``scale_fn(n)``, with scale_mode "iterations" ``scale_fn(step)``.

    Smith, "Cyclical learning rates for training neural networks" (2017), section 3.

    >>> [cyclic(step, 1.0, peak=2.0, step_size_up=2, mode="triangular2") for step in range(7)]
    [1.0, 1.5, 2.0, 1.5, 1.0, 1.25, 1.5]
    """
    length = step_size_up + (step_size_up if step_size_down is None else step_size_down)
    number = math.floor(1 + step / length)
    x = 1 + step / length - number
    top = step_size_up / length
    height = x / top if x <= top else (x - 1) / (top - 1)
    if scale_fn is not None:
        scale = scale_fn(number if scale_mode == "cycle" else step)
    else:
        scale = {"triangular": 1.0, "triangular2": 0.5 ** (number - 1), "exp_range": gamma**step}[mode]
    return float(base + (peak - base) * height * scale)


class CyclicLR(_MomentumLR):
    """Raise and lower the rate between two bounds, over and over; the formula is :func:`cyclic`.

    It sets the rate, whatever it was.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    base_lr, max_lr : float, or a list of one for each group
        The rate to begin with, and the highest.
    step_size_up, step_size_down : int
        The length of the two halves; without the second they are equal.
    mode : "triangular", "triangular2" or "exp_range"
    gamma : float
        For "exp_range".
    scale_fn : function, optional
        In place of `mode`: gives the scale from the number of the cycle, or of the step.
    scale_mode : "cycle" or "iterations"
        What `scale_fn` gets.
    cycle_momentum : bool
        Whether momentum, or the first of the betas, goes from `max_momentum` to `base_momentum` and back.
    base_momentum, max_momentum : float, or a list of one for each group
    """

    function = staticmethod(cyclic)

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[Any], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        checks.positive("CyclicLR", step_size_up=step_size_up)
        if step_size_down is not None:
            checks.positive("CyclicLR", step_size_down=step_size_down)
        checks.choice("CyclicLR", "mode", mode, "triangular", "triangular2", "exp_range")
        checks.choice("CyclicLR", "scale_mode", scale_mode, "cycle", "iterations")
        low, high, base, peak = (
            for_each_group("CyclicLR", optimizer, name, value)
            for name, value in (
                ("base_momentum", base_momentum), ("max_momentum", max_momentum), ("base_lr", base_lr),
                ("max_lr", max_lr),
            )
        )  # fmt: skip
        super().__init__(
            optimizer,
            last_epoch,
            base,
            [{"peak": p} for p in peak],
            (low, high) if cycle_momentum else None,
            step_size_up=step_size_up,
            step_size_down=step_size_down,
            mode=mode,
            gamma=gamma,
            scale_fn=scale_fn,
            scale_mode=scale_mode,
        )


def one_cycle(
    step: float,
    base: float,
    *,
    peak: float,
    final: float,
    total_steps: int,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    three_phase: bool = False,
) -> float:
    """From `base` to `peak` up to step ``pct_start * total_steps - 1``, then to `final` at step ``total_steps - 1``.

    With three phases, it goes from the peak back to `base` in as long a time, and to `final` in the rest.  At the share
    x of a phase from a to b the value is ``b + (a - b) * (1 + cos(pi * x)) / 2``, or ``a + (b - a) * x`` ("linear").

    Smith & Topin, "Super-convergence: very fast training of neural networks using large learning rates" (2018).

    >>> [round(one_cycle(step, 1.0, peak=3.0, final=0.0, total_steps=6, pct_start=0.5), 2) for step in range(6)]
    [1.0, 2.0, 3.0, 2.25, 0.75, 0.0]

    Raises
    ------
    ValueError
        If the step is after `total_steps`.
    """
    if step > total_steps:
        raise ValueError(f"one_cycle: step {step} is after the end, total_steps={total_steps}")
    up, end = pct_start * total_steps - 1, total_steps - 1
    phases: Sequence[tuple[float, float, float]] = [(up, base, peak), (end, peak, final)]
    if three_phase:
        phases = [(up, base, peak), (2 * up, peak, base), (end, base, final)]
    now = next((i for i, (until, _, _) in enumerate(phases) if step <= until), len(phases) - 1)
    until, start, stop = phases[now]
    begin = phases[now - 1][0] if now else 0.0
    x = min(1.0, (step - begin) / (until - begin)) if until > begin else 1.0
    if anneal_strategy == "linear":
        return start + (stop - start) * x
    return stop + (start - stop) * (1 + math.cos(math.pi * x)) / 2


class OneCycleLR(_MomentumLR):
    """Raise the rate to a high one, and lower it far below where it began; the formula is :func:`one_cycle`.

    It sets the rate, whatever it was.  It is made for steps, not epochs: call ``step()`` after each batch.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    max_lr : float, or a list of one for each group
        The highest rate.
    total_steps : int, optional
        If not given, ``epochs * steps_per_epoch``.
    epochs, steps_per_epoch : int, optional
    pct_start : float
        The share of the steps in which the rate rises.
    anneal_strategy : "cos" or "linear"
    cycle_momentum : bool
        Whether momentum, or the first of the betas, goes from `max_momentum` to `base_momentum` and back.
    base_momentum, max_momentum : float, or a list of one for each group
    div_factor : float
        The first rate is ``max_lr / div_factor``.
    final_div_factor : float
        The last one is the first divided by this.
    three_phase : bool
        Whether to go back to the first rate, in as many steps as the rise took, before falling to the last.
    """

    function = staticmethod(one_cycle)

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: expected total_steps, or both epochs and steps_per_epoch")
            whole("OneCycleLR", 1, epochs=epochs, steps_per_epoch=steps_per_epoch)
            total_steps = epochs * steps_per_epoch
        whole("OneCycleLR", 1, total_steps=total_steps)
        checks.share("OneCycleLR", pct_start=pct_start)
        checks.choice("OneCycleLR", "anneal_strategy", anneal_strategy, "cos", "linear")
        checks.positive("OneCycleLR", div_factor=div_factor, final_div_factor=final_div_factor)
        low, high, peak = (
            for_each_group("OneCycleLR", optimizer, name, value)
            for name, value in (
                ("base_momentum", base_momentum), ("max_momentum", max_momentum), ("max_lr", max_lr)
            )
        )  # fmt: skip
        base = [p / div_factor for p in peak]
        for group, first in zip(optimizer.param_groups, base, strict=True):
            group["initial_lr"] = first
        super().__init__(
            optimizer,
            last_epoch,
            base,
            [{"peak": p, "final": b / final_div_factor} for p, b in zip(peak, base, strict=True)],
            (low, high) if cycle_momentum else None,
            total_steps=total_steps,
            pct_start=pct_start,
            anneal_strategy=anneal_strategy,
            three_phase=three_phase,
        )

    def _momentum_levels(self, low: float, high: float) -> dict[str, float]:
        return {"peak": low, "final": high}
