"""Plots of training, as Matplotlib figures that need no screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .training import Epoch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["learning_curves"]


def learning_curves(history: Sequence[Epoch]) -> Figure:
    """Loss and metrics over the epochs, for training and validation; marks the epoch of the lowest validation loss.

    Examples
    --------
    >>> row = Epoch(0, {"loss": 2.3}, {"loss": 2.4})
    >>> [axes.get_ylabel() for axes in learning_curves([row]).axes]
    ['loss']
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    best = min(history, key=lambda row: row.validation["loss"])
    numbers = [row.number for row in history]
    names = list(best.train)
    figure = Figure(figsize=(5 * len(names), 3.8), dpi=150, layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        axes.plot(numbers, [row.train[name] for row in history], label="training", marker=".", markersize=3)
        axes.plot(numbers, [row.validation[name] for row in history], label="validation", marker=".", markersize=3)
        axes.axvline(best.number, color="0.6", linestyle="--", linewidth=1, zorder=0)
        axes.plot(
            best.number,
            best.validation[name],
            "o",
            color="black",
            markerfacecolor="none",
            label=f"best validation loss: epoch {best.number}, {name} {best.validation[name]:.3f}",
        )
        axes.set_xlabel("epoch (0: before training)")
        axes.set_ylabel(name)
        if name == "loss":
            axes.set_yscale("log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
