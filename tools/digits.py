"""The main job: a net learns to read scikit-learn's handwritten digits.

The data are 1,797 scans of 8 x 8 pixels, made for the UCI repository (Alpaydin and Kaynak, "Optical Recognition of
Handwritten Digits", 1998); they come with scikit-learn.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.nn.functional import cross_entropy

from . import files, plots
from .pictures import Picture, graph
from .training import Compilation, Data, DivergedError, Epoch, accuracy, fit
from .weights import save_weights

__all__ = ["OPTIMIZERS", "Options", "Result", "train"]


class Recipe(NamedTuple):
    """An optimizer, and what suits it here."""

    make: Callable[..., optim.Optimizer]
    lr: float
    weight_decay: float


OPTIMIZERS = {
    "adam": Recipe(optim.Adam, lr=0.003, weight_decay=0.003),
    "adamw": Recipe(optim.AdamW, lr=0.003, weight_decay=0.3),
    "sgd": Recipe(partial(optim.SGD, momentum=0.9), lr=0.05, weight_decay=0.003),
}


@dataclass(frozen=True)
class Options:
    """What can be chosen; the seed decides the split of the data, the initial weights and the order of examples."""

    layers: tuple[int, ...] = (128,)
    """Sizes of the hidden layers."""
    activation: str = "relu"
    optimizer: str = "adam"
    lr: float | None = None
    """None, here and for the weight decay: what suits the optimizer."""
    weight_decay: float | None = None
    batch_size: int = 32
    epochs: int = 40
    seed: int = 0
    compile: bool = True
    """Run as native code; the numbers are the same up to rounding."""

    def complete(self) -> Options:
        """The same, with nothing left to the optimizer."""
        recipe = OPTIMIZERS[self.optimizer]
        return replace(
            self,
            lr=recipe.lr if self.lr is None else self.lr,
            weight_decay=recipe.weight_decay if self.weight_decay is None else self.weight_decay,
        )


@dataclass
class Result:
    """What came of it; everything is for the weights of the best epoch."""

    test_accuracy: float
    validation_accuracy: float
    best_epoch: int
    epochs: int
    """How many were completed."""
    parameters: int
    seconds: float
    seed: int
    options: dict[str, Any]
    confusion: list[list[int]]
    """How often digit i (row) of the test part was read as j (column)."""
    compilation: Compilation | None = None
    """None if it was not asked for, or ended in the first epoch."""
    files: dict[str, str] = field(default_factory=dict)
    """What was written."""
    stopped: str | None = None
    """Why it ended early, if it did: "interrupted", or how the loss diverged."""
    notes: list[str] = field(default_factory=list)
    """What could not be drawn, and why."""


@dataclass(frozen=True)
class Parts:
    """The digits in three parts, standardised by the mean and standard deviation of the training part."""

    train: Data
    validation: Data
    test: Data
    mean: list[float]
    scale: list[float]


def load(seed: int) -> Parts:
    """The digits: 68 % for training, 12 % for validation, 20 % for the test, every class in proportion."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    split = partial(train_test_split, random_state=seed)
    pixels, labels = load_digits(return_X_y=True)
    rest, test, rest_labels, test_labels = split(pixels, labels, test_size=0.2, stratify=labels)
    train, validation, train_labels, validation_labels = split(rest, rest_labels, test_size=0.15, stratify=rest_labels)
    scaler = StandardScaler().fit(train)

    def part(pixels: Any, labels: Any) -> Data:
        return ag.tensor(scaler.transform(pixels), dtype=ag.float32), ag.tensor(labels, dtype=ag.int64)

    return Parts(
        part(train, train_labels),
        part(validation, validation_labels),
        part(test, test_labels),
        scaler.mean_.tolist(),
        scaler.scale_.tolist(),
    )


def train(
    options: Options,
    output: str | Path,
    on_epoch: Callable[[Epoch], None] | None = None,
    on_compiled: Callable[[Compilation], None] | None = None,
) -> Result:
    """Train a net, test it, and write what was learned to a folder.

    Ctrl-C (KeyboardInterrupt) and a diverging loss end the training, not the job: what was learned until then is tested
    and written, and ``Result.stopped`` says so.  The seed also becomes the one of the thread's default generator.

    Parameters
    ----------
    options : Options
    output : str or Path
        A folder, made if there is none.  In it are written ``weights.safetensors``, ``history.json``,
        ``learning_curves.png`` and ``graph.svg``, or ``graph.dot`` where nothing is installed that draws it.
    on_epoch : callable, optional
        Called with every row of the history, as by :func:`fit`.
    on_compiled : callable, optional
        Called once with what became of compiling, as by :func:`fit`.

    Raises
    ------
    OSError
        If the folder cannot be written to, before training.
    """
    from threadpoolctl import threadpool_limits

    start = time.perf_counter()
    options = options.complete()
    folder = files.writable_folder(output)
    parts = load(options.seed)
    generator = ag.manual_seed(options.seed)
    sizes = [parts.train[0].shape[1], *options.layers, 10]
    model = nn.MLP(sizes, activation=options.activation)
    # Products as small as these take longer on several threads, many times longer where the cores are busy.
    with threadpool_limits(1):
        history, compilation, stopped = _learn(model, parts, options, generator, on_epoch, on_compiled)
    best = min(history, key=lambda row: row.validation["loss"])
    confusion = _confusion(model, parts.test)
    result = Result(
        test_accuracy=float(confusion.trace() / confusion.sum()),
        validation_accuracy=best.validation["accuracy"],
        best_epoch=best.number,
        epochs=history[-1].number,
        parameters=sum(p.numel() for p in model.parameters()),
        seconds=0.0,
        seed=options.seed,
        options=asdict(options),
        confusion=confusion.tolist(),
        compilation=compilation,
        stopped=stopped,
    )
    about = {"sizes": sizes, "activation": options.activation, "mean": parts.mean, "scale": parts.scale}
    _save(result, folder, model, about, history, parts.train)
    result.seconds = time.perf_counter() - start
    return result


def _learn(
    model: nn.MLP,
    parts: Parts,
    options: Options,
    generator: ag.Generator,
    on_epoch: Callable[[Epoch], None] | None,
    on_compiled: Callable[[Compilation], None] | None,
) -> tuple[list[Epoch], Compilation | None, str | None]:
    """Train the model; gives the history, what became of compiling, and why it ended early, if it did."""
    make = OPTIMIZERS[options.optimizer].make
    optimizer = make(model.named_parameters(), lr=options.lr, weight_decay=options.weight_decay)
    history: list[Epoch] = []
    compilation: Compilation | None = None
    stopped: str | None = None

    def keep(row: Epoch) -> None:
        history.append(row)
        if on_epoch is not None:
            on_epoch(row)

    def note(found: Compilation) -> None:
        nonlocal compilation
        compilation = found
        if on_compiled is not None:
            on_compiled(found)

    try:
        fit(
            model,
            optimizer,
            cross_entropy,
            parts.train,
            parts.validation,
            epochs=options.epochs,
            batch_size=options.batch_size,
            generator=generator,
            metrics={"accuracy": accuracy},
            on_epoch=keep,
            compile=options.compile,
            on_compiled=note,
        )
    except (KeyboardInterrupt, DivergedError) as error:
        if not history:
            raise
        stopped = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)
    return history, compilation, stopped


def _confusion(model: nn.MLP, test: Data) -> np.ndarray:
    """How often digit i was read as j, shape (10, 10)."""
    from sklearn.metrics import confusion_matrix

    pixels, labels = test
    with ag.no_grad():
        read = model(pixels).argmax(-1)
    found: np.ndarray = confusion_matrix(labels.array, read.array, labels=range(10))
    return found


def _save(result: Result, folder: Path, model: nn.MLP, about: dict[str, Any], history: list[Epoch], data: Data) -> None:
    """Write all files, what is most worth first, and note them in the result."""

    def note(name: str, path: Path) -> None:
        result.files[name] = str(path)

    note("weights", save_weights(model, folder / "weights.safetensors", about))
    rows = {"options": result.options, "best_epoch": result.best_epoch, "epochs": [asdict(row) for row in history]}
    note("history", files.write(folder / "history.json", json.dumps(rows, indent=1).encode()))
    drawn = io.BytesIO()
    plots.learning_curves(history).savefig(drawn, format="png")
    note("learning_curves", files.write(folder / "learning_curves.png", drawn.getvalue()))
    target = folder / "graph.svg"
    try:
        note("graph", _graph(model, data).save(target))
    except RuntimeError as error:  # nothing is installed that draws it
        note("graph", target.with_suffix(".dot"))
        result.notes.append(str(error))


def _graph(model: nn.MLP, data: Data) -> Picture:
    """The picture of one training step on a few digits."""
    pixels, labels = (part[:8] for part in data)
    with ag.record():
        loss = cross_entropy(model(pixels), labels)
    return graph(loss, names=model)
