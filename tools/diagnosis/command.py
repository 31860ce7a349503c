"""The command ``autograd-core doctor file.py:function``."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from autograd_core.nn import Module
from autograd_core.optim import Optimizer

from ..program_file import TargetError, add_command, load_function, refuse, wrong_result
from .doctor import doctor

__all__ = ["add_doctor"]

DESCRIPTION = """\
Runs one training step of a model, says what keeps it from learning, and what to do about it.

The function in the file is called without arguments.  It returns what to examine: (model, loss, batch) or
(model, loss, batch, optimizer), where loss is a function of outputs and targets, and batch is (inputs, targets).

    def check():
        model = nn.MLP([64, 32, 10])
        x, y = ag.randn(64, 64), ag.randint(10, (64,))
        return model, nn.CrossEntropyLoss(), (x, y), optim.Adam(model.named_parameters())
"""

CODES = "Exit codes: 0 nothing was found, 1 something was found or an error, 2 wrong arguments."


def add_doctor(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    parser = add_command(
        commands,
        "doctor",
        _run,
        help="say why a model does not learn",
        target="the function that returns what to examine",
        about=DESCRIPTION,
        codes=CODES,
    )
    parser.add_argument("--evaluation", help="the model is to be evaluated, not trained", action="store_true")
    parser.add_argument("--json", help="print the report as one JSON object", action="store_true")


def _run(given: argparse.Namespace) -> int:
    try:
        parts = _parts(load_function(given.target)(), given.target)
    except TargetError as error:
        return refuse("doctor", error)
    report = doctor(*parts, training=not given.evaluation)
    if given.json:
        print(report.to_json())
    elif sys.stdout.isatty():
        from rich.console import Console

        Console(highlight=False).print(report)
    else:
        print(report)
    return 0 if report.ok else 1


def _parts(returned: Any, target: str) -> tuple[Any, ...]:
    """Model, loss, batch, and the optimizer if there is one."""
    if isinstance(returned, tuple) and len(returned) in (3, 4):
        model, loss, _, *optimizer = returned
        if isinstance(model, Module) and callable(loss) and all(isinstance(o, Optimizer) for o in optimizer):
            return returned
    expected = "(model, loss, batch) or (model, loss, batch, optimizer), a Module, a function, examples, an Optimizer"
    raise wrong_result(target, expected, returned)
