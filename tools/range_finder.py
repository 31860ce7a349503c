"""The learning-rate range test: how the loss reacts to ever larger rates."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_core import Tensor, TracingError, modes, no_grad
from autograd_core.creation import default_generator
from autograd_core.optim import Optimizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RangeTest", "find_rate"]


@dataclass(frozen=True)
class RangeTest:
    """What a range test found.

    Attributes
    ----------
    rates : shape (steps,), at least 3
        Of the first group, growing by the same factor each time.
    losses : shape (steps,)
        Before the update with the rate of the same place.
    smoothed : shape (steps,)
        The losses' exponential moving average, which what follows goes by.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray

    @property
    def steepest(self) -> float:
        """The rate at which the loss falls fastest over the logarithm of the rate: a good one to train with.

        How fast it falls is measured over a fifth of the steps, so that what counts is no noise.
        """
        reach = max(1, len(self.rates) // 10)
        falls = self.smoothed[: -2 * reach] - self.smoothed[2 * reach :]
        return float(self.rates[reach + np.argmax(falls)])

    @property
    def tenth_of_minimum(self) -> float:
        """A tenth of the rate of the lowest loss: another good one, and a bound for cautious people."""
        return float(self.rates[np.argmin(self.smoothed)] / 10)

    def plot(self) -> Figure:
        """A figure of the losses over the rates, with both suggestions marked.

        Raises
        ------
        ImportError
            If Matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError("plot: this needs Matplotlib: pip install matplotlib", name=error.name) from error

        figure = Figure(figsize=(6, 3.8), dpi=150, layout="constrained")
        axes = figure.subplots()
        axes.plot(self.rates, self.losses, color="0.75", linewidth=1, label="loss")
        axes.plot(self.rates, self.smoothed, label="smoothed")
        for rate, name, style in (
            (self.steepest, "steepest descent", "--"),
            (self.tenth_of_minimum, "a tenth of the minimum's", ":"),
        ):
            axes.axvline(rate, color="black", linestyle=style, linewidth=1, label=f"{name}: {rate:.2g}")
        axes.set_xscale("log")
        # Where the loss explodes is of no interest.
        until = 1 + self.smoothed.argmin()
        top, bottom = self.smoothed[:until].max(), min(self.losses[:until].min(), self.smoothed.min())
        margin = 0.2 * (top - bottom) or 1.0
        axes.set_ylim(bottom - margin, top + 2 * margin)
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss")
        axes.grid(alpha=0.3)
        axes.legend()
        return figure


def find_rate(
    step: Callable[[], Any],
    optimizer: Optimizer,
    module: Any = None,
    *,
    start: float = 1e-7,
    end: float = 10.0,
    steps: int = 100,
    smoothing: float = 0.9,
    diverged: float = 4.0,
) -> RangeTest:
    """Train a little at exponentially growing rates, note the losses, and leave all as it was.

    At step k of n the rate is ``start * (end / start) ** (k / (n - 1))``; groups with other rates keep their
    proportion to the first.  The smoothed loss is ``m_k / (1 - b**k)`` with ``m_k = b * m_(k-1) + (1 - b) * loss``.

    Smith, "Cyclical learning rates for training neural networks" (2017), section 3.3.

    Parameters
    ----------
    step : callable without arguments
        Does a training step on a batch, ``optimizer.step()`` included, and gives the loss.  It may be compiled.
    optimizer : Optimizer
        Its parameters, their gradients, its state and its rates are restored, also after an error.
    module : Module, optional
        Whose buffers are restored too, such as running statistics.
    start, end : float
        The rates to begin and end with.
    steps : int
    smoothing : float
        b, in [0, 1).
    diverged : float
        Stop once the smoothed loss is this many times the lowest so far, or the loss is not finite.

    Returns
    -------
    RangeTest
        Of the steps there were.  This thread's random numbers continue as if nothing had been drawn.

    Raises
    ------
    ValueError
        If an option is out of range, or there were not three steps with a finite loss.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn, optim
    >>> x = ag.linspace(-1, 1, 20).reshape(20, 1)
    >>> line = nn.Linear(1, 1)
    >>> sgd = optim.SGD(line.parameters(), lr=0.1)
    >>> def step():
    ...     sgd.zero_grad()
    ...     loss = nn.functional.mse_loss(line(x), 2 * x + 1)
    ...     loss.backward()
    ...     sgd.step()
    ...     return loss
    >>> found = find_rate(step, sgd, start=1e-4)
    >>> 0.01 < found.steepest < 1
    True
    """
    _check(optimizer, start, end, steps, smoothing, diverged)
    rates, losses, smoothed = [], [], []
    mean, lowest = 0.0, math.inf
    restore = _remember(optimizer, module)
    before = [float(group["lr"]) for group in optimizer.param_groups]
    shares = [rate / before[0] if before[0] > 0 else 1.0 for rate in before]
    try:
        for k in range(steps):
            rate = start * (end / start) ** (k / (steps - 1))
            for group, share in zip(optimizer.param_groups, shares, strict=True):
                group["lr"] = rate * share
            with np.errstate(over="ignore", invalid="ignore"):
                loss = float(step())
            if not math.isfinite(loss):
                break
            mean = smoothing * mean + (1 - smoothing) * loss
            rates.append(rate)
            losses.append(loss)
            smoothed.append(mean / (1 - smoothing ** (k + 1)))
            lowest = min(lowest, smoothed[-1])
            if smoothed[-1] > diverged * lowest > 0:
                break
    finally:
        restore()
    if len(rates) < 3:
        raise ValueError(
            f"find_rate: the loss was finite for {len(rates)} steps from start={start} on, expected at least 3; "
            f"start with a smaller rate"
        )
    return RangeTest(np.array(rates), np.array(losses), np.array(smoothed))


def _check(optimizer: Any, start: float, end: float, steps: int, smoothing: float, diverged: float) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"find_rate: expected an optimizer, got a {type(optimizer).__name__}")
    if modes.recorder() is not None:
        raise TracingError("find_rate: it cannot be part of a compiled function; compile the step that it calls")
    if not 0 < start < end < math.inf:
        raise ValueError(f"find_rate: expected 0 < start < end, got {start} and {end}")
    if steps < 3 or not 0 <= smoothing < 1 or not diverged > 1:
        raise ValueError(
            f"find_rate: expected steps >= 3, smoothing in [0, 1) and diverged > 1, "
            f"got {steps}, {smoothing} and {diverged}"
        )


def _remember(optimizer: Optimizer, module: Any) -> Callable[[], None]:
    """Note everything that training changes; what is given puts it back."""
    tensors: dict[int, Tensor] = {id(p): p for group in optimizer.param_groups for p in group["params"]}
    if module is not None:
        tensors |= {id(t): t for t in (*module.parameters(), *module.buffers())}
    values = [(t, t.detach().clone()) for t in tensors.values()]
    gradients = [(t, None if t.grad is None else t.grad.clone()) for t in tensors.values()]
    state = optimizer.state_dict()
    random = default_generator().get_state()

    def restore() -> None:
        with no_grad():
            for t, value in values:
                t.copy_(value)
            for t, gradient in gradients:
                t.grad = gradient
        optimizer.load_state_dict(state)
        default_generator().set_state(random)

    return restore
