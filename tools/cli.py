"""The command ``autograd-core``: its arguments, and what it prints."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any, NoReturn

from autograd_core import __version__
from autograd_core.compiler.cache import Entry
from autograd_core.compiler.cache import current as current_cache
from autograd_core.nn.activation_module import BY_NAME

from . import digits
from .checking.command import add_gradcheck
from .diagnosis.command import add_doctor
from .pictures.command import add_graph
from .training import Compilation, Epoch

__all__ = ["main"]

FAILED, INTERRUPTED = 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit code: 0, 1 for a failure, 2 for wrong arguments, 130 after Ctrl-C."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except KeyboardInterrupt:
        return _say("interrupted before all files were written", INTERRUPTED)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        return _say(f"cannot write{where}: {error.strerror or error}", FAILED)
    except MemoryError as error:
        return _say(f"not enough memory; choose smaller layers ({error})", FAILED)


def _say(message: str, code: int) -> int:
    print(f"autograd-core: {message}", file=sys.stderr)
    return code


# Arguments


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="autograd-core", description="A small automatic differentiation engine that trains nets.")
    parser.add_argument("--version", action="version", version=f"autograd-core {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    train = commands.add_parser("train", help="train a net on real data", description="Train a net on real data.")
    jobs = train.add_subparsers(metavar="JOB", required=True)
    job = jobs.add_parser(
        "digits",
        help="an MLP learns to read handwritten digits",
        description="A multilayer perceptron learns to read 1,797 handwritten digits (scans of 8 x 8 pixels that come "
        "with scikit-learn). Writes its weights, its learning curves, and the backprop graph of one step.",
        allow_abbrev=False,
    )
    _add_options(job)
    job.set_defaults(run=_train_digits)
    cache = commands.add_parser(
        "cache",
        help="what compiled training steps are kept on disk",
        description="Shows the training steps that were compiled and are kept on disk, the last used first. The "
        "environment variable AUTOGRAD_CORE_CACHE sets the folder (off: none), and AUTOGRAD_CORE_CACHE_SIZE its limit "
        "in megabytes.",
        allow_abbrev=False,
    )
    cache.add_argument("--clear", help="remove them all", action="store_true")
    cache.set_defaults(run=_cache)
    add_doctor(commands)
    add_gradcheck(commands)
    add_graph(commands)
    return parser


def _add_options(job: argparse.ArgumentParser) -> None:
    default = digits.Options()
    suits = {
        field: ", ".join(f"{getattr(recipe, field)} for {name}" for name, recipe in digits.OPTIMIZERS.items())
        for field in ("lr", "weight_decay")
    }

    def add(name: str, help: str, **how: Any) -> None:
        job.add_argument(name, help=help, **how)

    def add_number(name: str, read: Callable[[str], float], value: Any, help: str) -> None:
        add(name, f"{help} (default: {value})", type=read, default=value, metavar="N")

    sizes = " ".join(map(str, default.layers))
    layers = f"sizes of the hidden layers; none at all for a linear classifier (default: {sizes})"
    add("--layers", layers, type=_whole(1), nargs="*", default=default.layers, metavar="SIZE")
    after = f"what follows each hidden layer: {', '.join(BY_NAME)} (default: {default.activation})"
    add("--activation", after, choices=list(BY_NAME), default=default.activation, metavar="NAME")
    kinds = f"{', '.join(digits.OPTIMIZERS)}; sgd has a momentum of 0.9 (default: {default.optimizer})"
    add("--optimizer", kinds, choices=list(digits.OPTIMIZERS), default=default.optimizer, metavar="NAME")
    add("--lr", f"learning rate (default: {suits['lr']})", type=_real(positive=True), metavar="RATE")
    pull = f"how strongly weights are pulled to 0, against overfitting (default: {suits['weight_decay']})"
    add("--weight-decay", pull, type=_real(), metavar="RATE")
    add_number("--batch-size", _whole(1), default.batch_size, "digits in each step")
    add_number("--epochs", _whole(1), default.epochs, "times to go through the training data")
    seed = "decides all that is random; the same seed gives the same net"
    add_number("--seed", _whole(0, 2**32 - 1), default.seed, seed)
    where = "folder for the files; older ones are replaced (default: runs/digits)"
    add("--output", where, default="runs/digits", metavar="FOLDER")
    add("--no-compile", "run every step in Python; the numbers are the same up to rounding", action="store_true")
    add("--json", "print the result as one JSON object; progress goes to standard error", action="store_true")


def _whole(low: int, high: float = math.inf) -> Callable[[str], int]:
    """A reader of integers in a range."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            limits = f"of at least {low}" if high == math.inf else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"expected a whole number {limits}, got {text!r}")
        return value

    return read


def _real(positive: bool = False) -> Callable[[str], float]:
    """A reader of finite numbers, not negative."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and (value > 0 or (value == 0 and not positive))):
            wanted = "a number above 0" if positive else "0 or a number above it"
            raise argparse.ArgumentTypeError(f"expected {wanted}, got {text!r}")
        return value

    return read


# Train digits


def _train_digits(given: argparse.Namespace) -> int:
    options = digits.Options(
        layers=tuple(given.layers),
        activation=given.activation,
        optimizer=given.optimizer,
        lr=given.lr,
        weight_decay=given.weight_decay,
        batch_size=given.batch_size,
        epochs=given.epochs,
        seed=given.seed,
        compile=not given.no_compile,
    )
    with _progress(options.epochs) as (on_epoch, on_compiled):
        result = digits.train(options, given.output, on_epoch, on_compiled)
    if given.json:
        print(json.dumps(asdict(result), allow_nan=False))
    else:
        _report(result)
    for note in result.notes:
        _say(note, 0)
    if result.stopped is None:
        return 0
    saved = f"what was learned in {result.epochs} of {options.epochs} epochs is saved in {given.output}"
    return _say(f"{result.stopped}; {saved}", INTERRUPTED if result.stopped == "interrupted" else FAILED)


@contextmanager
def _progress(epochs: int) -> Iterator[tuple[Callable[[Epoch], None], Callable[[Compilation], None]]]:
    """Shows every epoch on standard error: a bar on a terminal, else a line each; and what became of compiling."""
    if not sys.stderr.isatty():
        say = partial(print, file=sys.stderr, flush=True)
        yield lambda row: say(f"epoch {row.number:3} of {epochs}: {_figures(row)}"), say
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("epoch"), MofNCompleteColumn(), BarColumn(bar_width=None), TextColumn("{task.fields[figures]}")
    with Progress(*columns, console=Console(stderr=True), expand=True) as progress:
        task = progress.add_task("training", total=epochs, figures="loading the digits")
        yield (
            lambda row: progress.update(task, completed=row.number, figures=_figures(row)),
            lambda found: progress.console.print(str(found), highlight=False, markup=False),
        )


def _figures(row: Epoch) -> str:
    train, validation = row.train, row.validation
    return (
        f"loss {train['loss']:#.3g}, accuracy {train['accuracy']:.1%}; "
        f"validation {validation['loss']:#.3g}, {validation['accuracy']:.1%}"
    )


def _report(result: digits.Result) -> None:
    """What came of it, on standard output."""
    from rich.console import Console

    tested, right = sum(map(sum, result.confusion)), sum(row[i] for i, row in enumerate(result.confusion))
    print(f"Test accuracy {result.test_accuracy:.2%}: {right} of {tested} digits it had never seen are read right.")
    print(
        f"Validation accuracy {result.validation_accuracy:.2%}, with the weights of epoch {result.best_epoch} of "
        f"{result.epochs}; the net has {result.parameters:,} parameters."
    )
    print()
    Console(highlight=False).print(_confusion_table(result.confusion))
    mistakes = sorted(
        ((n, i, j) for i, row in enumerate(result.confusion) for j, n in enumerate(row) if i != j and n), reverse=True
    )
    if mistakes:
        worst = ", ".join(f"{i} read as {j} ({n} times)" if n > 1 else f"{i} read as {j}" for n, i, j in mistakes[:3])
        print(f"Most confused: {worst}.")
    print(f"\n{result.seconds:.1f} seconds. Written:")
    for name, path in result.files.items():
        print(f"  {name.replace('_', ' '):15}  {path}")


def _confusion_table(confusion: list[list[int]]) -> Any:
    """Digits by what they were read as; zeros are left out."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1), title="Digits (rows) and what they were read as (columns)")
    table.title_justify = "left"
    table.add_column("", justify="right", style="bold")
    for digit in range(10):
        table.add_column(str(digit), justify="right")
    for digit, row in enumerate(confusion):
        cells = [
            f"[green]{n}[/]" if digit == j and n else f"[bold red]{n}[/]" if n else "[dim].[/]"
            for j, n in enumerate(row)
        ]
        table.add_row(str(digit), *cells)
    return table


# Cache


def _cache(given: argparse.Namespace) -> int:
    try:
        cache = current_cache()
    except ValueError as error:
        return _say(str(error), FAILED)
    if cache is None:
        print("Compiled steps are not kept.")
        return 0
    if given.clear:
        print(f"Removed {cache.clear()} from {cache.folder}")
        return 0
    from rich.console import Console

    entries = cache.entries()
    size = sum(entry.size for entry in entries)
    steps = "1 compiled step" if len(entries) == 1 else f"{len(entries)} compiled steps"
    print(f"{steps} in {cache.folder}, {size / 2**20:.1f} of {cache.limit / 2**20:.1f} MB")
    if entries:
        print()
        Console(highlight=False).print(_steps_table(entries))
    return 0


def _steps_table(entries: list[Entry]) -> Any:
    """What is known of each compiled step."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for name in ("key", "kB", "compiled in", "last used"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("source", overflow="ellipsis", no_wrap=True)
    for entry in entries:
        used = datetime.fromtimestamp(entry.used).isoformat(" ", "minutes")
        seconds = "" if math.isnan(entry.seconds) else f"{entry.seconds:.2f} s"
        first = next((line for line in entry.source.splitlines() if line.strip()), "").lstrip("# ")
        table.add_row(entry.key[:12], f"{entry.size / 1000:.1f}", seconds, used, Text(first))
    return table
