"""The picture of a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

LABELS = {"lr": "learning rate", "betas": "beta1"}


def draw(course: Sequence[Sequence[dict[str, Any]]], names: Sequence[str]) -> Figure:
    """The named options over the steps, below each other; a line for each group.

    Parameters
    ----------
    course : for each step, the options of each group

    Raises
    ------
    ImportError
        If Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise ImportError("plot: this needs Matplotlib: pip install matplotlib", name=error.name) from error

    figure = Figure(figsize=(6, 1 + 2.8 * len(names)), dpi=150, layout="constrained")
    all_axes = figure.subplots(len(names), 1, squeeze=False, sharex=True)[:, 0]
    for axes, name in zip(all_axes, names, strict=True):
        values = np.array([[np.ravel(options[name])[0] for options in groups] for groups in course])
        for group, line in enumerate(values.T):
            axes.plot(line, label=f"group {group}")
        axes.set_ylabel(LABELS.get(name, name))
        axes.grid(alpha=0.3)
        if values.ndim == 2 and values.shape[1] > 1:
            axes.legend()
    all_axes[-1].set_xlabel("step")
    all_axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure
