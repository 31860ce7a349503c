"""Averages of weights over training: stochastic weight averaging (SWA) and exponential moving averages (EMA)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd_core import Tensor, eq, no_grad, tensor, where
from autograd_core.nn import BatchNorm1d, BatchNorm2d, BatchNorm3d, Module, checks

from .lr_scheduler import LRScheduler
from .lr_scheduler.arguments import for_each_group, whole
from .lr_scheduler.scheduler import Options
from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Average = Callable[[Tensor, Tensor, Any], Any]
"""The next average, from the average, the value to take in, and how many values are in it already."""
MultiAverage = Callable[[Sequence[Tensor], Sequence[Tensor], Any], Any]
"""The same for several, in place."""


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average: ``decay * average + (1 - decay) * value``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.optim.swa_utils import get_ema_avg_fn
    >>> get_ema_avg_fn(0.75)(ag.tensor(4.0), ag.tensor(8.0), 1)
    tensor(5.)
    """
    checks.share("get_ema_avg_fn", decay=decay)

    def ema_update(average: Any, value: Any, number: Any) -> Any:
        return decay * average + (1 - decay) * value

    return ema_update


def get_swa_avg_fn() -> Average:
    """The mean of all values: ``average + (value - average) / (number + 1)``.

    Izmailov et al., "Averaging weights leads to wider optima and better generalization" (2018), algorithm 1.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.optim.swa_utils import get_swa_avg_fn
    >>> get_swa_avg_fn()(ag.tensor(4.0), ag.tensor(7.0), 2)
    tensor(5.)
    """

    def swa_update(average: Any, value: Any, number: Any) -> Any:
        return average + (value - average) / (number + 1)

    return swa_update


def _for_all(update: Average) -> MultiAverage:
    def update_all(averages: Sequence[Tensor], values: Sequence[Tensor], number: Any) -> None:
        with no_grad():
            for average, value in zip(averages, values, strict=True):
                average.copy_(update(average, value, number))

    return update_all


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """As :func:`get_ema_avg_fn`, for a list of averages, which it changes in place."""
    return _for_all(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> MultiAverage:
    """As :func:`get_swa_avg_fn`, for a list of averages, which it changes in place."""
    return _for_all(get_swa_avg_fn())


class AveragedModel(Module):
    """A copy of a model whose parameters are the average of those the model had, each time it was asked to look.

    ``update_parameters(model)``, after an update of the model, takes its values into the average; the first time, the
    values themselves are the average.  It may be part of a compiled step.

    Parameters
    ----------
    model : Module
    avg_fn : callable, optional
        Gives the next average from the average, the new value and how many values are in the average; see
        :func:`get_ema_avg_fn`.  By default the mean, :func:`get_swa_avg_fn`.
    multi_avg_fn : callable, optional
        Instead of `avg_fn`: changes a list of averages in place.
    use_buffers : bool
        Whether buffers are averaged too; otherwise they are those of the model.

    Attributes
    ----------
    module : the averaged model
    n_averaged : int64 tensor
        How many values are in the average.

    Raises
    ------
    ValueError
        If both functions are given, or a model that does not have the same parameters is averaged.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn, optim
    >>> model = nn.Linear(1, 1, bias=False)
    >>> mean = optim.swa_utils.AveragedModel(model)
    >>> for weight in [1.0, 2.0, 6.0]:
    ...     _ = nn.init.constant_(model.weight, weight)
    ...     mean.update_parameters(model)
    >>> mean.module.weight.item()
    3.0
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: expected avg_fn or multi_avg_fn, got both")
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", tensor(0, dtype=np.int64))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of the model, as they are now, into the average."""
        averages: list[Tensor] = list(self.module.parameters())
        values: list[Tensor] = list(model.parameters())
        buffers, new_buffers = list(self.module.buffers()), list(model.buffers())
        if [x.shape for x in (*averages, *buffers)] != [x.shape for x in (*values, *new_buffers)]:
            raise ValueError(
                f"AveragedModel.update_parameters: this {type(model).__name__} has other parameters or buffers than "
                f"the {type(self.module).__name__} that is averaged"
            )
        if self.use_buffers:
            averages, values = averages + buffers, values + new_buffers
        with no_grad():
            self._average([x.detach() for x in averages], [x.detach() for x in values])
            if not self.use_buffers:
                for buffer, new in zip(buffers, new_buffers, strict=True):
                    buffer.copy_(new)
            self.n_averaged += 1

    def _average(self, averages: list[Tensor], values: list[Tensor]) -> None:
        first = eq(self.n_averaged, 0)
        # Whether it is the first time is not asked for in Python, so that a compiled step need not know.  What the
        # average of nothing gives, which may be NaN, is not used.
        with np.errstate(all="ignore"):
            update = self.multi_avg_fn or _for_all(self.avg_fn or get_swa_avg_fn())
            update(averages, values, self.n_averaged)
            for average, value in zip(averages, values, strict=True):
                average.copy_(where(first, value, average))


def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Compute the running statistics of all batch normalisations anew, as the mean over the batches of a loader.

    Averaged weights need statistics of their own, as no batch went through them.

    Parameters
    ----------
    loader : iterable of batches
        The model is called with each; of a tuple or list, with its first entry.
    model : Module
        It is in the mode it was in before, afterwards.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn, optim
    >>> norm = nn.BatchNorm1d(1)
    >>> optim.swa_utils.update_bn([ag.tensor([[1.0], [3.0]]), ag.tensor([[5.0], [7.0]])], norm)
    >>> norm.running_mean
    tensor([4.])
    """
    norms = [m for m in model.modules() if isinstance(m, (BatchNorm1d, BatchNorm2d, BatchNorm3d))]
    if not norms:
        return
    training, momenta = model.training, [norm.momentum for norm in norms]
    model.train()
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        with no_grad():
            for batch in loader:
                model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.train(training)


class SWALR(LRScheduler):
    """Go from the rate there is to `swa_lr` in `anneal_epochs` steps, and stay there.

    From rate a, after the share x of the steps, it is ``swa_lr + (a - swa_lr) * (1 + cos(pi * x)) / 2``, or
    ``a + (swa_lr - a) * x`` ("linear").  It may be made at the start, beside another schedule, and be stepped instead
    of that once averaging begins.

    Parameters
    ----------
    optimizer, last_epoch : as for :class:`LRScheduler`
    swa_lr : float, or a list of one for each group
    anneal_epochs : int
    anneal_strategy : "cos" or "linear"

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> sgd = optim.SGD([ag.ones(2, requires_grad=True)], lr=1.0)
    >>> schedule = optim.swa_utils.SWALR(sgd, swa_lr=0.2, anneal_epochs=2, anneal_strategy="linear")
    >>> schedule.values(4).ravel().round(2).tolist()
    [1.0, 0.6, 0.2, 0.2]
    """

    anneal_epochs: int
    anneal_strategy: str

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        whole("SWALR", 0, anneal_epochs=anneal_epochs)
        checks.choice("SWALR", "anneal_strategy", anneal_strategy, "cos", "linear")
        self.swa_lrs = for_each_group("SWALR", optimizer, "swa_lr", swa_lr)
        super().__init__(optimizer, last_epoch, anneal_epochs=anneal_epochs, anneal_strategy=anneal_strategy)

    def _left(self, step: float) -> float:
        """The share of the way to `swa_lr` that is left."""
        x = min(1.0, step / self.anneal_epochs) if self.anneal_epochs else 1.0
        return 1 - x if self.anneal_strategy == "linear" else (1 + math.cos(math.pi * x)) / 2

    def _rate(self, step: float, group: int) -> float:
        swa_lr = self.swa_lrs[group]
        return float(swa_lr + (self.base_lrs[group] - swa_lr) * self._left(step))

    def _advance(self, now: Options, step: int, group: int) -> Options:
        # From whatever rate there is, not the base rate: another schedule may have been at work until now.
        before = 1.0 if step == 0 else self._left(step - 1)
        share = self._left(step) / before if before else 0.0
        return {**now, "lr": self.swa_lrs[group] + (now["lr"] - self.swa_lrs[group]) * share}
