"""The nets that are trained, as data: what every contestant gets, and nothing of how it computes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["BETAS", "CLASSES", "EPS", "HEADS", "LR", "NETS", "VOCABULARY", "Net", "Run", "batches", "runner", "weights"]

LR, BETAS, EPS = 1e-3, (0.9, 0.999), 1e-8
CLASSES, VOCABULARY, HEADS = 10, 64, 4

Run = Callable[[int], Any]
"""Does this many steps, one batch after the other, waits for them, and gives the last loss."""


class Net(NamedTuple):
    """`sizes`: mlp, of the layers; cnn, channels; transformer, (width, layers, T); lstm, (inputs, width, T)."""

    name: str
    kind: str
    sizes: tuple[int, ...]
    batch: int


NETS = [
    Net("64-32-10", "mlp", (64, 32, 10), 32),
    Net("784-128-64-10", "mlp", (784, 128, 64, 10), 64),
    Net("784-512-256-10", "mlp", (784, 512, 256, 10), 128),
    Net("784-1024-1024-10", "mlp", (784, 1024, 1024, 10), 256),
    Net("CNN", "cnn", (1, 8, 16), 64),
    Net("Transformer", "transformer", (64, 2, 32), 16),
    Net("LSTM", "lstm", (16, 64, 50), 32),
]


def shapes(net: Net) -> dict[str, tuple[int, ...]]:
    """Every parameter by the name it has in a module."""
    found: dict[str, tuple[int, ...]] = {}

    def layer(name: str, *shape: int) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = shape, shape[:1]

    match net.kind, net.sizes:
        case "mlp", sizes:
            for k, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
                layer(f"{2 * k}", n_out, n_in)
        case "cnn", (n_in, first, second):
            layer("0", first, n_in, 3, 3)
            layer("3", second, first, 3, 3)
            layer("7", CLASSES, second * 7 * 7)
        case "transformer", (width, layers, length):
            found |= {"tokens.weight": (VOCABULARY, width), "positions": (length, width)}
            for k in range(layers):
                layer(f"blocks.{k}.norm1", width)
                layer(f"blocks.{k}.qkv", 3 * width, width)
                layer(f"blocks.{k}.out", width, width)
                layer(f"blocks.{k}.norm2", width)
                layer(f"blocks.{k}.up", 4 * width, width)
                layer(f"blocks.{k}.down", width, 4 * width)
            layer("norm", width)
            layer("head", VOCABULARY, width)
        case "lstm", (n_in, width, _):
            found |= {"lstm.weight_ih_l0": (4 * width, n_in), "lstm.weight_hh_l0": (4 * width, width)}
            found |= {"lstm.bias_ih_l0": (4 * width,), "lstm.bias_hh_l0": (4 * width,)}
            layer("head", CLASSES, width)
    return found


def weights(net: Net) -> dict[str, np.ndarray]:
    """The initial values: normal, over the root of the number of inputs; the scales of a norm are 1."""
    rng = np.random.default_rng(0)
    made = {}
    for name, shape in shapes(net).items():
        if "norm" in name and name.endswith("weight"):
            made[name] = np.ones(shape, np.float32)
        else:
            scale = 1 / math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else 0.1
            made[name] = (rng.normal(size=shape) * scale).astype(np.float32)
    return made


def batches(net: Net) -> list[tuple[np.ndarray, np.ndarray]]:
    """Sixteen batches, inputs and labels.

    Every input comes with four labels, so that it cannot be learned by heart: gradients do not vanish, however many
    steps are timed, and nobody computes with subnormal numbers.
    """
    rng = np.random.default_rng(1)
    if net.kind == "transformer":
        tokens = rng.integers(0, VOCABULARY, (16, net.batch, net.sizes[-1] + 1))
        return [(t[:, :-1].copy(), t[:, 1:].copy()) for t in tokens]
    shape = {"mlp": (net.batch, net.sizes[0]), "cnn": (net.batch, net.sizes[0], 28, 28)}.get(net.kind)
    if shape is None:
        shape = (net.sizes[-1], net.batch, net.sizes[0])  # time first
    inputs = [rng.normal(size=shape).astype(np.float32) for _ in range(4)]
    return [(inputs[k % 4], rng.integers(0, CLASSES, net.batch)) for k in range(16)]


def runner(step: Callable[[Any, Any], Any], given: Iterable[tuple[Any, Any]]) -> Run:
    """What runs ``step(x, y)`` on one batch after the other; ``float(loss)`` waits for the last."""
    endless = itertools.cycle(given)

    def run(times: int) -> float:
        for x, y in itertools.islice(endless, times):
            loss = step(x, y)
        return float(loss)

    return run
