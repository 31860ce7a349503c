"""Pictures of what goes on in a network: activations, gradients, weights and updates, layer by layer.

All give Matplotlib figures that need no screen, and change nothing: neither the model, nor Matplotlib's state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_core.nn import Module
from autograd_core.optim import Optimizer

from .layers import BAND
from .layers import update_ratios as measured_ratios
from .run import Examination, Run, examination, tensors_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "activation_histograms",
    "gradient_flow",
    "gradient_histograms",
    "new_figure",
    "update_history",
    "update_ratios",
    "weight_histograms",
]

ROWS = 24
"""How many histograms or lines a picture has at most; of more, as many are shown, evenly chosen among the most frequent
kind: of layers, or weights rather than biases."""

LABELS = 40
"""How many rows of a picture with one mark for each parameter are labelled at most; none is left out."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Of Okabe & Ito (2008), which people who do not see all colours can tell apart."""

BINS = 80

IN_BAND = "$10^{-4}$ to $10^{-2}$"

Row = tuple[str, np.ndarray]


def new_figure(what: str, width: float, height: float) -> Figure:
    """An empty figure; an ImportError says what needs Matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"{what}: this needs Matplotlib: pip install matplotlib", name=error.name) from error
    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def activation_histograms(model: Module, loss: Callable[..., Any], batch: Any) -> Figure:
    """The values that each layer gives on a batch, one histogram below the other, from input to output.

    Exact zeros, of a ReLU, are left out of the histograms and counted beside them.  If the layers differ much in scale,
    the horizontal axis is that of the values' logarithms.

    Parameters
    ----------
    model, loss, batch : as for :func:`doctor`

    Raises
    ------
    ImportError
        If Matplotlib is not installed; so with all of these functions.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> net = nn.MLP([4, 8, 3], activation="tanh")
    >>> figure = activation_histograms(net, nn.CrossEntropyLoss(), (ag.randn(32, 4), ag.randint(3, (32,))))
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['0 Linear', '1 Tanh', '2 Linear']
    """
    rows = _by_layer(model, loss, batch, lambda e, run, t: t.array)
    return _histograms("activation_histograms", rows, "Activations", "the layer's output")


def gradient_histograms(model: Module, loss: Callable[..., Any], batch: Any) -> Figure:
    """The gradients that come back to each layer's output on a batch, by their order of magnitude.

    Where the histograms drift to the left from layer to layer towards the input, the gradient vanishes; where to the
    right, it explodes.

    Parameters
    ----------
    model, loss, batch : as for :func:`doctor`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> net = nn.MLP([4, 8, 3], activation="sigmoid")
    >>> figure = gradient_histograms(net, nn.CrossEntropyLoss(), (ag.randn(32, 4), ag.randint(3, (32,))))
    >>> len(figure.axes[0].get_yticks())
    3
    """
    rows = _by_layer(model, loss, batch, lambda e, run, t: run.output_gradients.get(id(t)))
    return _histograms("gradient_histograms", rows, "Gradients", "the gradient by the layer's output", log=True)


def weight_histograms(model: Module) -> Figure:
    """The values of each parameter, one histogram below the other.

    Examples
    --------
    >>> from autograd_core import nn
    >>> [label.get_text() for label in weight_histograms(nn.Linear(9, 5)).axes[0].get_yticklabels()]
    ['weight (5, 9)', 'bias (5,)']
    """
    rows = [(f"{name} {p.shape}", p.array) for name, p in model.named_parameters()]
    return _histograms("weight_histograms", rows, "Parameters", "the parameter")


def _by_layer(
    model: Module, loss: Any, batch: Any, pick: Callable[[Examination, Run, Any], np.ndarray | None]
) -> list[Row]:
    """What is picked of the outputs of each module that has no modules in it, in the order they ran."""
    found: dict[str, list[np.ndarray]] = {}
    with examination(model, loss, batch) as e:
        run = e.run()
        for call in run.calls:
            if next(call.module.children(), None) is not None and call.path:
                continue
            if not call.path and any(c.path for c in run.calls):
                continue
            for t in tensors_in(call.output)[:1]:
                array = pick(e, run, t)
                if array is not None and t.is_floating_point():
                    found.setdefault(f"{call.path} {type(call.module).__name__}".strip(), []).append(array.copy())
    return [(label, np.concatenate([a.ravel() for a in arrays])) for label, arrays in found.items()]


# Histograms, one below the other


def _histograms(what: str, rows: list[Row], title: str, axis: str, log: bool = False) -> Figure:
    if not rows:
        raise ValueError(f"{what}: there is nothing to show; the model has no layers with values of this kind")
    shown, left_out = _chosen(rows)
    arrays = [np.asarray(a, np.float64).ravel() for _, a in shown]
    values = [a[np.isfinite(a) & (a != 0)] for a in arrays]
    reach = [float(np.quantile(np.abs(v), 0.995)) for v in values if v.size]
    log = log or (bool(reach) and max(reach) > 50 * min(reach))
    figure = new_figure(what, 8, 1.5 + 0.46 * len(shown))
    axes = figure.subplots()
    if log:
        values = [np.log10(np.abs(v)) for v in values]
        edges = _edges(values)
        axes.set_xlabel(f"size of {axis}")
        axes.xaxis.set_major_formatter(lambda power, place: f"$10^{{{power:g}}}$")
    else:
        limit = max(reach, default=1.0)
        edges = np.linspace(-limit, limit, BINS + 1)
        axes.set_xlabel(f"value of {axis}")
        axes.axvline(0, color="0.75", linewidth=1, zorder=0)
    _ridges(axes, values, edges)
    notes = [_summary(a, log) for a in arrays]
    _labels(axes, [label for label, _ in shown], notes)
    axes.set_ylim(len(shown) - 0.45, -1.1)
    axes.set_title(title + (f" ({left_out} more are left out)" if left_out else ""), loc="left")
    return figure


def _chosen(rows: list[Row]) -> tuple[list[Row], int]:
    if len(rows) <= ROWS:
        return rows, 0
    kinds = [_kind(label) for label, _ in rows]
    kind = max(dict.fromkeys(kinds), key=kinds.count)
    alike = [row for row, k in zip(rows, kinds, strict=True) if k == kind]
    places = np.linspace(0, len(alike) - 1, min(ROWS, len(alike))).round().astype(int)
    return [alike[i] for i in places], len(rows) - len(places)


def _kind(label: str) -> str:
    """Of "3 ReLU" the layer, of "3.weight (2, 4)" the parameter's own name."""
    return label.partition(" (")[0].split()[-1].rpartition(".")[2]


def _edges(values: list[np.ndarray]) -> np.ndarray:
    """Bins for orders of magnitude, without the few values that are far below all others."""
    low = min((float(np.quantile(v, 0.005)) for v in values if v.size), default=-1.0)
    high = max((float(v.max()) for v in values if v.size), default=0.0)
    return np.linspace(low - 0.2, max(high, low) + 0.2, BINS + 1)


def _ridges(axes: Axes, values: list[np.ndarray], edges: np.ndarray) -> None:
    from matplotlib import colormaps

    middles = (edges[1:] + edges[:-1]) / 2
    colours = colormaps["viridis"](np.linspace(0.1, 0.85, len(values)))
    for i, (row, colour) in enumerate(zip(values, colours, strict=True)):
        counts = np.histogram(row, edges)[0].astype(float)
        heights = 0.9 * counts / counts.max() if counts.any() else counts
        axes.fill_between(middles, i, i - heights, color=colour, alpha=0.75, linewidth=0, step="mid", zorder=2 + i)
        axes.axhline(i, color=colour, linewidth=0.8, zorder=2 + i)


def _labels(axes: Axes, names: Sequence[str], notes: Sequence[str]) -> None:
    """Names at the left, notes at the right, from top to bottom."""
    axes.set_yticks(range(len(names)), names)
    axes.tick_params("y", length=0)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    for i, note in enumerate(notes):
        axes.text(1.01, i, note, transform=axes.get_yaxis_transform(), va="bottom", fontsize="small")


def _summary(array: np.ndarray, log: bool) -> str:
    if not array.size:
        return "empty"
    zeros, bad = float(np.mean(array == 0)), int((~np.isfinite(array)).sum())
    if bad:
        return f"{bad} not finite"
    if zeros == 1:
        return "all 0"
    mean, std = array.mean(), array.std()
    mean = 0.0 if abs(mean) < 1e-3 * std else mean
    size = f"rms {np.sqrt(np.mean(array**2)):.1e}" if log else f"mean {mean:.2g}, std {std:.2g}"
    return size + (f", {zeros:.0%} zero" if zeros >= 0.005 else "")


# One line for each parameter


def gradient_flow(model: Module, loss: Callable[..., Any], batch: Any) -> Figure:
    """The mean and the largest size of each parameter's gradient, on a logarithmic scale, from input to output.

    Parameters
    ----------
    model, loss, batch : as for :func:`doctor`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> net = nn.MLP([4, 8, 3])
    >>> figure = gradient_flow(net, nn.CrossEntropyLoss(), (ag.randn(32, 4), ag.randint(3, (32,))))
    >>> figure.axes[0].get_xscale()
    'log'
    """
    with examination(model, loss, batch) as e:
        gradients = e.run().gradients
    sizes = {name: None if g is None else np.abs(g.astype(np.float64)) for name, g in gradients.items()}
    figure = _tall("gradient_flow", len(sizes))
    axes = figure.subplots()
    rows = [(i, a) for i, a in enumerate(sizes.values()) if a is not None and a.size and a.any()]
    places = [i for i, _ in rows]
    mean, largest = [[float(f(a)) for _, a in rows] for f in (np.mean, np.max)]
    axes.hlines(places, mean, largest, color="0.75", linewidth=4, zorder=2)
    axes.plot(mean, places, "o", color=COLOURS[0], label="mean", zorder=3)
    axes.plot(largest, places, "|", color=COLOURS[1], markersize=9, markeredgewidth=2, label="largest", zorder=3)
    axes.set_xscale("log")
    notes = ["no gradient" if a is None else "all 0" if not a.any() else "" for a in sizes.values()]
    _parameter_rows(axes, list(sizes), notes)
    axes.set_xlabel("size of the gradient's elements")
    axes.set_title("Gradient flow, from input (top) to output", loc="left")
    if sizes:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return figure


def update_ratios(model: Module, loss: Callable[..., Any], batch: Any, optimizer: Optimizer) -> Figure:
    """How large one step is beside each parameter, ``|update| / |parameter|``, and the band where it should be.

    Parameters
    ----------
    model, loss, batch, optimizer : as for :func:`doctor`
        The step is taken back.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn, optim
    >>> net = nn.MLP([4, 8, 3])
    >>> sgd = optim.SGD(net.named_parameters(), lr=0.1)
    >>> figure = update_ratios(net, nn.CrossEntropyLoss(), (ag.randn(32, 4), ag.randint(3, (32,))), sgd)
    >>> figure.axes[0].get_xlabel()
    '|update| / |parameter|'
    """
    with examination(model, loss, batch, optimizer) as e:
        changes = e.step(e.run().gradients)
        ratios = measured_ratios(e, changes)
    figure = _tall("update_ratios", len(changes))
    axes = figure.subplots()
    axes.axvspan(*BAND, color=COLOURS[2], alpha=0.15, linewidth=0, label=IN_BAND)
    names = list(changes)
    for inside, mark, colour, label in ((True, "o", COLOURS[0], "inside"), (False, "D", COLOURS[1], "outside")):
        found = [(i, ratios[n]) for i, n in enumerate(names) if ratios.get(n) and _in_band(ratios[n]) is inside]
        if found:
            axes.plot([r for _, r in found], [i for i, _ in found], mark, color=colour, label=label)
    axes.set_xscale("log")
    left, right = axes.get_xlim()
    axes.set_xlim(min(left, BAND[0] / 10), max(right, BAND[1] * 10))
    notes = ["" if ratios.get(n) else "starts at 0" if n not in ratios else "unchanged" for n in names]
    _parameter_rows(axes, names, notes)
    axes.set_xlabel("|update| / |parameter|")
    axes.set_title(f"One step of {type(optimizer).__name__}", loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return figure


def _in_band(ratio: float) -> bool:
    return BAND[0] <= ratio <= BAND[1]


def _tall(what: str, rows: int) -> Figure:
    return new_figure(what, 8, 1.6 + 0.27 * min(rows, LABELS))


def _parameter_rows(axes: Axes, names: Sequence[str], notes: Sequence[str]) -> None:
    """Labels at the left, of every so many where there are too many; and a mark there for what has no place."""
    every = -(-len(names) // LABELS)
    axes.set_yticks(range(0, len(names), every or 1), names[:: every or 1], fontsize="small")
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.3)
    for note, mark in zip(dict.fromkeys(n for n in notes if n), ("x", "+"), strict=False):
        found = [i for i, n in enumerate(notes) if n == note]
        transform = axes.get_yaxis_transform()
        axes.plot([0.015] * len(found), found, mark, color="0.35", markersize=5, transform=transform, label=note)


def update_history(ratios: Mapping[str, Sequence[float]]) -> Figure:
    """How ``|update| / |parameter|`` went, step by step.

    Parameters
    ----------
    ratios : for each parameter, as ``Doctor.ratios`` has them

    Examples
    --------
    >>> len(update_history({"weight": [1e-3, 2e-3], "bias": [1e-2, 1e-2]}).axes[0].lines)
    2
    """
    moved = [(name, np.asarray(steps)) for name, steps in ratios.items() if np.any(np.asarray(steps) > 0)]
    rows, left_out = _chosen(moved)
    shown, still = dict(rows), len(ratios) - len(moved)
    figure = new_figure("update_history", 8, max(4.0, 1.2 + 0.19 * len(shown)))
    axes = figure.subplots()
    axes.axhspan(*BAND, color=COLOURS[2], alpha=0.15, linewidth=0, label=IN_BAND)
    from matplotlib import colormaps

    colours = colormaps["viridis"](np.linspace(0.0, 0.9, len(shown)))
    for (name, steps), colour in zip(shown.items(), colours, strict=True):
        axes.plot(range(1, len(steps) + 1), np.where(steps > 0, steps, np.nan), color=colour, linewidth=1.2, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("|update| / |parameter|")
    more = [f"{left_out} more are left out"] * (left_out > 0) + [f"{still} never change"] * (still > 0)
    axes.set_title("Updates, step by step" + (f" ({', '.join(more)})" if more else ""), loc="left")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize="small")
    return figure
