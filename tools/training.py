"""Training a module on minibatches, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_core import Generator, Tensor, no_grad, randperm

__all__ = ["DivergedError", "Epoch", "accuracy", "batches", "evaluate", "fit"]

Data = tuple[Tensor, Tensor]
"""Inputs and targets, one row an example."""
Loss = Callable[[Any, Any], Tensor]
Metrics = Mapping[str, Callable[[Any, Any], float]]


class DivergedError(ArithmeticError):
    """The loss is no longer a finite number."""


@dataclass(frozen=True)
class Epoch:
    """A row of the history: what the module achieved after an epoch."""

    number: int
    """0 for the state before training."""
    train: dict[str, float]
    """Loss and metrics by name, on the whole training data."""
    validation: dict[str, float]
    """The same on the validation data."""


def accuracy(logits: Tensor, targets: Tensor) -> float:
    """The share of examples whose largest logit is the one of their class.

    Parameters
    ----------
    logits : shape (N, C)
    targets : integer classes, shape (N,)

    Examples
    --------
    >>> import autograd_core as ag
    >>> accuracy(ag.tensor([[2.0, 1.0], [0.0, 3.0]]), ag.tensor([0, 0]))
    0.5
    """
    return float(np.mean(logits.array.argmax(-1) == targets.array))


def batches(data: Data, batch_size: int, generator: Generator | None = None) -> Iterator[Data]:
    """All examples once, in random order, in batches; the last one may be smaller.

    Examples
    --------
    >>> import autograd_core as ag
    >>> data = ag.arange(5), ag.arange(5)
    >>> [len(inputs) for inputs, targets in batches(data, 2)]
    [2, 2, 1]
    """
    inputs, targets = data
    order = randperm(len(inputs), generator=generator)
    for start in range(0, len(inputs), batch_size):
        chosen = order[start : start + batch_size]
        yield inputs[chosen], targets[chosen]


def evaluate(module: Any, loss: Loss, data: Data, metrics: Metrics | None = None) -> dict[str, float]:
    """Loss and metrics on all data, in evaluation mode, which the module is left in.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> evaluate(nn.Identity(), nn.MSELoss(), (ag.ones(3), ag.zeros(3)))
    {'loss': 1.0}
    """
    inputs, targets = data
    module.eval()
    with no_grad(), np.errstate(over="ignore", invalid="ignore"):
        outputs = module(inputs)
        found = {"loss": float(loss(outputs, targets))}
        return found | {name: float(metric(outputs, targets)) for name, metric in (metrics or {}).items()}


def fit(
    module: Any,
    optimizer: Any,
    loss: Loss,
    train: Data,
    validation: Data,
    *,
    epochs: int,
    batch_size: int,
    generator: Generator | None = None,
    metrics: Metrics | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> list[Epoch]:
    """Train a module on minibatches, and leave it with the weights of the epoch of the lowest validation loss.

    So it is also when an error ends the training, or Ctrl-C: the best weights so far are in the module, and the rows
    so far were given to `on_epoch`.  The module is left in evaluation mode.

    Parameters
    ----------
    module : Module
    optimizer : Optimizer
        Of the module's parameters.
    loss : callable of outputs and targets
        Gives a scalar tensor.
    train, validation : pairs of tensors
        Inputs and targets, whose first dimension counts the examples.
    epochs : int
        How often to go through the training data.
    batch_size : int
    generator : Generator, optional
        Shuffles the training data, anew for every epoch.
    metrics : mapping of names to callables of outputs and targets, optional
        What to note in the history beside the loss.
    on_epoch : callable, optional
        Called with every row as soon as it is there, the first before training.

    Returns
    -------
    The history, ``epochs + 1`` rows.

    Raises
    ------
    DivergedError
        If the loss is no longer finite.
    ValueError
        If `epochs` or `batch_size` cannot be, or inputs and targets are not equally many.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn, optim
    >>> x = ag.linspace(-1, 1, 20).reshape(20, 1)
    >>> line = nn.Linear(1, 1)
    >>> sgd = optim.SGD(line.named_parameters(), lr=0.1)
    >>> history = fit(line, sgd, nn.MSELoss(), (x, 2 * x + 1), (x, 2 * x + 1), epochs=50, batch_size=5)
    >>> history[-1].validation["loss"] < 1e-4
    True
    """
    _check(train, validation, epochs, batch_size)
    history: list[Epoch] = []
    best, weights = math.inf, None
    try:
        for number in range(epochs + 1):
            if number > 0:
                _train_once(module, optimizer, loss, batches(train, batch_size, generator), number)
            row = Epoch(number, *(evaluate(module, loss, data, metrics) for data in (train, validation)))
            for part in (row.train, row.validation):
                _check_finite(part["loss"], number)
            if row.validation["loss"] < best:
                best, weights = row.validation["loss"], {n: t.clone() for n, t in module.state_dict().items()}
            history.append(row)
            if on_epoch is not None:
                on_epoch(row)
    finally:
        module.eval()
        if weights is not None:
            module.load_state_dict(weights)
    return history


def _train_once(module: Any, optimizer: Any, loss: Loss, data: Iterator[Data], number: int) -> None:
    """One epoch."""
    module.train()
    # A loss that overflows is reported below, so NumPy need not warn about it.
    with np.errstate(over="ignore", invalid="ignore"):
        for inputs, targets in data:
            optimizer.zero_grad()
            value = loss(module(inputs), targets)
            _check_finite(value.item(), number)
            value.backward()
            optimizer.step()


def _check_finite(loss: float, number: int) -> None:
    if not math.isfinite(loss):
        raise DivergedError(f"the loss became {loss} in epoch {number}; a smaller learning rate usually helps")


def _check(train: Data, validation: Data, epochs: int, batch_size: int) -> None:
    if epochs < 0 or batch_size < 1:
        raise ValueError(f"fit: expected epochs >= 0 and batch_size >= 1, got {epochs} and {batch_size}")
    for name, (inputs, targets) in {"train": train, "validation": validation}.items():
        if len(inputs) != len(targets) or len(inputs) == 0:
            raise ValueError(
                f"fit: {name} needs as many targets as inputs, at least one, got {len(inputs)} inputs and "
                f"{len(targets)} targets"
            )
