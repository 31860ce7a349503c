"""Pictures of what is minimised: the loss around a network's weights, and optimizers on their way down a surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd_core import Tensor, enable_grad, float64
from autograd_core.nn import Module
from autograd_core.optim import SGD, Adam, Optimizer, RMSprop

from .plots import COLOURS, new_figure
from .run import examination

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SURFACES", "Landscape", "Surface", "Trajectories", "loss_landscape", "optimizer_trajectories"]


# Around the weights of a network


@dataclass(frozen=True)
class Landscape:
    """The loss around the weights of a model, along one random direction or two.

    Attributes
    ----------
    positions : shape (points,)
        How far the weights are moved, from ``-radius`` to ``radius``, in units of each filter's own norm.
    losses : shape (points,), or (points, points) with the first direction along the columns
    """

    positions: np.ndarray
    losses: np.ndarray

    def plot(self) -> Figure:
        """A curve; or a surface and its contour lines."""
        middle = len(self.positions) // 2
        if self.losses.ndim == 1:
            figure = new_figure("plot", 6.4, 4)
            axes: Any = figure.subplots()
            axes.plot(self.positions, self.losses)
            axes.plot(0, self.losses[middle], "o", color=COLOURS[1], label=f"the model: {self.losses[middle]:.3g}")
            axes.set_xlabel("along a random direction, in norms of the filters")
            axes.set_ylabel("loss")
            axes.grid(alpha=0.3)
            axes.legend()
            axes.set_title("The loss around the weights")
            return figure
        from matplotlib import colormaps

        figure = new_figure("plot", 11, 4.6)
        flat, log = self._heights()
        x, y = np.meshgrid(self.positions, self.positions)
        space: Any = figure.add_subplot(1, 2, 1, projection="3d")
        space.plot_surface(x, y, flat, cmap=colormaps["viridis"], rstride=1, cstride=1, linewidth=0, antialiased=True)
        space.locator_params(nbins=5)
        space.set_xlabel("direction 1")
        space.set_ylabel("direction 2")
        space.set_zlabel("log10 of the loss" if log else "loss")
        plane: Any = figure.add_subplot(1, 2, 2)
        filled = plane.contourf(x, y, flat, levels=24, cmap=colormaps["viridis"])
        plane.contour(x, y, flat, levels=24, colors="white", linewidths=0.3, alpha=0.6)
        plane.plot(
            0, 0, "o", color=COLOURS[1], markeredgecolor="white", label=f"the model: {self.losses[middle, middle]:.3g}"
        )
        plane.set_aspect("equal")
        plane.set_xlabel("direction 1, in norms of the filters")
        plane.set_ylabel("direction 2")
        plane.legend(loc="upper right")
        figure.suptitle("The loss around the weights")
        figure.colorbar(filled, ax=plane, label="log10 of the loss" if log else "loss")
        return figure

    def _heights(self) -> tuple[np.ndarray, bool]:
        """What is drawn: the losses, or their logarithms if they span much; the highest where one is not finite."""
        finite = self.losses[np.isfinite(self.losses)]
        top = float(finite.max()) if finite.size else 0.0
        losses = np.where(np.isfinite(self.losses), self.losses, top)
        log = bool(losses.min() > 0 and losses.max() > 20 * losses.min())
        return (np.log10(losses) if log else losses), log


def loss_landscape(
    model: Module,
    loss: Callable[..., Any],
    batch: Any,
    *,
    dimensions: int = 2,
    points: int = 25,
    radius: float = 1.0,
    seed: int = 0,
) -> Landscape:
    """The loss at ``weights + a d1 + b d2`` for random directions that are scaled filter by filter.

    Each direction is normal noise whose filters (the slices of a weight along its first dimension) have the norms of
    the weight's own, so that landscapes of different networks can be compared; biases and norms' parameters stay.

    Li et al., "Visualizing the loss landscape of neural nets" (2018), section 4.

    Parameters
    ----------
    model, loss, batch : as for :func:`doctor`
        The model is evaluated in the mode it is in, and is left as it was.
    dimensions : 1 or 2
    points : int
        Along each direction; odd, so that one is the model itself.  The loss is computed as often, or that squared.
    radius : float
        How far to go.
    seed : int
        Of the directions.

    Raises
    ------
    ValueError
        If an option is out of range, or the model has no weights of two dimensions.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> x = ag.linspace(-1, 1, 16).reshape(16, 1)
    >>> found = loss_landscape(nn.Linear(1, 1), nn.MSELoss(), (x, 2 * x), dimensions=1, points=5)
    >>> found.losses.shape
    (5,)
    """
    if dimensions not in (1, 2) or points < 3 or points % 2 == 0 or not radius > 0:
        raise ValueError(
            f"loss_landscape: expected dimensions 1 or 2, points odd and at least 3, radius above 0, got {dimensions}, "
            f"{points} and {radius}"
        )
    rng = np.random.default_rng(seed)
    positions = np.linspace(-radius, radius, points)
    with examination(model, loss, batch) as e:
        weights = {name: p.array for name, p in model.named_parameters() if p.ndim >= 2}
        if not weights:
            raise ValueError("loss_landscape: the model has no weights of two dimensions or more to move")
        directions = [{name: _direction(w, rng) for name, w in weights.items()} for _ in range(dimensions)]

        def at(*distances: float) -> float:
            moves = {n: sum(a * d[n] for a, d in zip(distances, directions, strict=True)) for n in weights}
            with e.moved(moves):  # type: ignore[arg-type]
                return e.value()

        if dimensions == 1:
            return Landscape(positions, np.array([at(a) for a in positions]))
        return Landscape(positions, np.array([[at(a, b) for a in positions] for b in positions]))


def _direction(weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Normal noise with the norms of a weight's filters."""
    noise = rng.standard_normal(weight.shape)
    rows, others = weight.reshape(len(weight), -1), noise.reshape(len(weight), -1)
    scale = np.linalg.norm(rows, axis=1) / np.maximum(np.linalg.norm(others, axis=1), 1e-300)
    return np.asarray(noise * scale.reshape(-1, *[1] * (weight.ndim - 1)))


# Down a surface


class Surface(NamedTuple):
    """A function of two variables to walk down on."""

    function: Callable[[Any, Any], Any]
    """Of x and y, tensors or arrays."""
    start: tuple[float, float]
    minimum: tuple[float, float]
    window: tuple[float, float, float, float]
    """What is drawn: from and to in x, from and to in y."""
    rate: float
    """A learning rate of gradient descent that is stable here."""
    formula: str


SURFACES = {
    "rosenbrock": Surface(
        lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        (-1.2, 1.0),
        (1.0, 1.0),
        (-1.6, 1.6, -0.5, 2.0),
        1e-3,
        "$(1 - x)^2 + 100 (y - x^2)^2$",
    ),
    "beale": Surface(
        lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
        (1.0, 1.5),
        (3.0, 0.5),
        (-0.5, 4.5, -2.2, 2.2),
        4e-3,
        "$(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2$",
    ),
    "ravine": Surface(
        lambda x, y: 0.5 * (x**2 + 40 * y**2),
        (-4.0, 1.0),
        (0.0, 0.0),
        (-5.0, 1.5, -1.8, 1.8),
        0.045,
        "$(x^2 + 40 y^2) / 2$",
    ),
}
"""Rosenbrock (1960), Beale (1958), and a quadratic valley 40 times as steep across as along."""


def _optimizers(rate: float) -> dict[str, Callable[[Any], Optimizer]]:
    return {
        "SGD": partial(SGD, lr=rate),
        "SGD, momentum 0.9": partial(SGD, lr=rate / 2, momentum=0.9),
        "RMSprop": partial(RMSprop, lr=0.02),
        "Adam": partial(Adam, lr=0.1),
    }


@dataclass(frozen=True)
class Trajectories:
    """The ways of several optimizers down a surface.

    Attributes
    ----------
    surface : Surface
    paths : for each optimizer the points, shape (steps + 1, 2)
        NaN after it has left for infinity.
    """

    surface: Surface
    paths: dict[str, np.ndarray]

    @property
    def losses(self) -> dict[str, np.ndarray]:
        """For each optimizer the values of the surface, shape (steps + 1,)."""
        with np.errstate(all="ignore"):
            return {name: self.surface.function(path[:, 0], path[:, 1]) for name, path in self.paths.items()}

    def plot(self) -> Figure:
        """The paths on contour lines, and how the values fell."""
        left, right, low, high = self.surface.window
        x, y = np.meshgrid(np.linspace(left, right, 200), np.linspace(low, high, 200))
        heights = self.surface.function(x, y) - float(self.surface.function(*self.surface.minimum))
        heights = np.log10(np.maximum(heights, heights.max() * 1e-6))
        figure = new_figure("plot", 11.5, 4.8)
        plane, falls = figure.subplots(1, 2, width_ratios=(1.35, 1))
        plane.contourf(x, y, heights, levels=30, cmap="Greys", alpha=0.3)
        plane.contour(x, y, heights, levels=15, colors="0.5", linewidths=0.4)
        losses = self.losses
        for i, (name, path) in enumerate(self.paths.items()):
            look = {"color": COLOURS[i % len(COLOURS)], "linestyle": ("-", "--", "-.", ":")[i % 4]}
            plane.plot(path[:, 0], path[:, 1], marker=".", markersize=3, linewidth=1.6, label=name, **look)
            last = path[np.isfinite(path).all(1)][-1]
            plane.plot(*last, "o", color=look["color"], markeredgecolor="white", markersize=8, zorder=4)
            falls.plot(np.maximum(losses[name], 1e-16), linewidth=1.6, label=name, **look)
        plane.plot(*self.surface.start, "s", color="black", markersize=7, label="start")
        plane.plot(*self.surface.minimum, "*", color="gold", markeredgecolor="black", markersize=16, label="minimum")
        plane.set_xlim(left, right)
        plane.set_ylim(low, high)
        plane.set_xlabel("x")
        plane.set_ylabel("y")
        plane.set_title(self.surface.formula, fontsize="medium")
        plane.legend(loc="best", fontsize="small")
        falls.set_yscale("log")
        falls.set_xlabel("step")
        falls.set_ylabel("value")
        falls.set_title("How the value falls", fontsize="medium")
        falls.grid(alpha=0.3)
        return figure


def optimizer_trajectories(
    surface: str | Surface = "rosenbrock",
    optimizers: Mapping[str, Callable[[Any], Optimizer]] | None = None,
    *,
    steps: int = 300,
    start: tuple[float, float] | None = None,
) -> Trajectories:
    """Let several optimizers walk down a surface from one point.

    Parameters
    ----------
    surface : "rosenbrock", "beale", "ravine", or a Surface of one's own
    optimizers : for each name what makes the optimizer from a list of parameters, optional
        By default gradient descent, the same with momentum, RMSprop and Adam.
    steps : int
    start : where to begin, if not where the surface says

    Raises
    ------
    ValueError
        If there is no such surface, or no step to make.

    Examples
    --------
    >>> ways = optimizer_trajectories("ravine", steps=50)
    >>> bool(ways.losses["SGD, momentum 0.9"][-1] < ways.losses["SGD"][-1] < ways.losses["SGD"][0])
    True
    """
    if isinstance(surface, str):
        if surface not in SURFACES:
            raise ValueError(f"optimizer_trajectories: expected one of {', '.join(SURFACES)}, got {surface!r}")
        surface = SURFACES[surface]
    if steps < 1:
        raise ValueError(f"optimizer_trajectories: expected at least one step, got {steps}")
    if start is not None:
        surface = surface._replace(start=start)
    made = _optimizers(surface.rate) if optimizers is None else optimizers
    return Trajectories(surface, {name: _path(surface, make, steps) for name, make in made.items()})


def _path(surface: Surface, make: Callable[[Any], Optimizer], steps: int) -> np.ndarray:
    """The points of one optimizer."""
    point = Tensor(np.array(surface.start), dtype=float64, requires_grad=True)
    optimizer = make([point])
    path = np.full((steps + 1, 2), np.nan)

    def closure() -> Any:
        optimizer.zero_grad()
        value = surface.function(point[0], point[1])
        value.backward()
        return value

    with np.errstate(all="ignore"), enable_grad():
        for step in range(steps + 1):
            path[step] = point.array
            if step == steps:
                break
            value = closure()
            if not np.isfinite([value.array, *point.grad.array]).all():  # type: ignore[union-attr]
                break
            optimizer.step(closure)
    return path
