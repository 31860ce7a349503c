"""Training a module on minibatches, epoch by epoch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_core import Generator, Tensor, TracingError, no_grad, randperm
from autograd_core.compiler import compile as to_native

__all__ = ["Compilation", "DivergedError", "Epoch", "accuracy", "batches", "evaluate", "fit"]

Data = tuple[Tensor, Tensor]
"""Inputs and targets, one row an example."""
Loss = Callable[[Any, Any], Tensor]
Step = Callable[[Tensor, Tensor], Any]
"""Works on a batch."""
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


@dataclass(frozen=True)
class Compilation:
    """What became of compiling; printed, it is a line to read."""

    seconds: float
    """What it took until there was native code, for all shapes of batches together."""
    cached: bool
    """Whether all of it had been compiled before."""
    problem: str | None = None
    """Why everything runs as it is, not compiled."""

    def __str__(self) -> str:
        if self.problem is not None:
            return f"not compiled: {self.problem}"
        return f"{'native code from the cache, ready' if self.cached else 'compiled'} in {self.seconds:.1f} s"


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
    module.eval()
    return _measured(_forward(module, loss), data, metrics)


def _measured(forward: Step, data: Data, metrics: Metrics | None) -> dict[str, float]:
    inputs, targets = data
    with no_grad(), np.errstate(over="ignore", invalid="ignore"):
        outputs, loss = forward(inputs, targets)
        found = {"loss": loss.item()}
        return found | {name: float(metric(outputs, targets)) for name, metric in (metrics or {}).items()}


def _forward(module: Any, loss: Loss) -> Step:
    def forward(inputs: Tensor, targets: Tensor) -> tuple[Any, Tensor]:
        outputs = module(inputs)
        return outputs, loss(outputs, targets)

    return forward


def _step(module: Any, optimizer: Any, loss: Loss) -> Step:
    def step(inputs: Tensor, targets: Tensor) -> Tensor:
        value = loss(module(inputs), targets)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value

    return step


class _Compiler:
    """Lets steps run as native code; all of them as they are as soon as one cannot be: `problem` says why then."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.reports: dict[tuple[Step, tuple[int, ...]], Any] = {}

    def __call__(self, step: Step) -> Step:
        native = to_native(step)

        def run(inputs: Tensor, targets: Tensor) -> Any:
            if self.problem is None:
                try:
                    result = native(inputs, targets)
                except ImportError as error:  # now as below, nothing has been changed, and the step can be made again
                    self.problem = f"{error.name} is not installed" if error.name else str(error)
                except TracingError as error:
                    self.problem = str(error)
                else:
                    if (step, inputs.shape) not in self.reports:
                        self.reports[step, inputs.shape] = native.report()
                    return result
            return step(inputs, targets)

        return run

    def compilation(self) -> Compilation:
        return Compilation(
            seconds=sum(r.ready_seconds for r in self.reports.values()),
            cached=all(r.ready_seconds < r.compile_seconds for r in self.reports.values()),
            problem=self.problem,
        )


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
    compile: bool = True,
    on_compiled: Callable[[Compilation], None] | None = None,
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
    compile : bool
        Run training and evaluation as native code, see :func:`autograd_core.compile`.  The numbers are the same up to
        rounding.  Where that cannot be, without Numba for example, everything runs as it is.
    on_compiled : callable, optional
        Called once, after the first epoch, with what became of compiling.

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
    forward, step = _forward(module, loss), _step(module, optimizer, loss)
    compiler = _Compiler() if compile else None
    if compiler is not None:
        forward, step = compiler(forward), compiler(step)
    try:
        for number in range(epochs + 1):
            if number > 0:
                module.train()
                _train_once(step, batches(train, batch_size, generator), number)
            if number == 1 and compiler is not None and on_compiled is not None:
                on_compiled(compiler.compilation())
            module.eval()
            row = Epoch(number, *(_measured(forward, data, metrics) for data in (train, validation)))
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


def _train_once(step: Step, data: Iterator[Data], number: int) -> None:
    """One epoch."""
    # A loss that overflows is reported below, so neither NumPy nor the optimizer need warn about it.
    with np.errstate(over="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\w+: the gradient of", RuntimeWarning)
        for inputs, targets in data:
            _check_finite(step(inputs, targets).item(), number)


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
