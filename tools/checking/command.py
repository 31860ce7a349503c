"""The command ``autograd-core gradcheck file.py:function``."""

from __future__ import annotations

import argparse
from typing import Any

from ..program_file import TargetError, add_command, load_function, refuse, wrong_result
from .coverage import MODES
from .gradcheck import gradcheck
from .report import FAIL, INCONCLUSIVE, PASS

__all__ = ["EXIT_CODES", "add_gradcheck"]

EXIT_CODES = {PASS: 0, FAIL: 1, INCONCLUSIVE: 3}

DESCRIPTION = """\
Compares the gradients of a function or module with differences, and names the operation that is wrong.

The function in the file is called without arguments.  It returns what to check and the inputs to check it with:
(fn, inputs) or (fn, inputs, kwargs), where fn is a function of tensors or a module (then its parameters are checked
too), inputs is a tensor or array, or a list or tuple of arguments, and kwargs is a dict of keyword arguments.

    def check():
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
        return model, ag.randn(5, 3)
"""

CODES = "Exit codes: 0 PASS, 1 FAIL or an error, 2 wrong arguments, 3 INCONCLUSIVE."


def add_gradcheck(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    parser = add_command(
        commands,
        "gradcheck",
        _run,
        help="compare gradients with differences",
        target="the function that returns what to check",
        about=DESCRIPTION,
        codes=CODES,
    )
    parser.add_argument("--order", help="2 for second derivatives too (default: 1)", type=int, default=1, metavar="N")
    parser.add_argument("--mode", help="how much to check (default: auto)", choices=MODES, default="auto")
    parser.add_argument("--forward", help="check forward derivatives too", action="store_true")
    tolerance = "relative error that is accepted beyond the differences' own (default: 1e-6)"
    parser.add_argument("--rtol", help=tolerance, type=float, default=1e-6, metavar="R")
    parser.add_argument("--seed", help="of all that is drawn at random (default: 0)", type=int, default=0, metavar="N")
    parser.add_argument("--json", help="print the report as one JSON object", action="store_true")


def _run(given: argparse.Namespace) -> int:
    try:
        make = load_function(given.target)
        fn, inputs, kwargs = _parts(make(), given.target)
    except TargetError as error:
        return refuse("gradcheck", error)
    if given.order < 1:
        return refuse("gradcheck", f"--order must be at least 1, got {given.order}")
    if not 0 <= given.rtol < 1:
        return refuse("gradcheck", f"--rtol must be at least 0 and less than 1, got {given.rtol}")
    report = gradcheck(
        fn, inputs, kwargs, order=given.order, rtol=given.rtol, seed=given.seed, mode=given.mode, forward=given.forward
    )
    print(report.to_json() if given.json else report)
    return EXIT_CODES[report.verdict]


def _parts(returned: Any, target: str) -> tuple[Any, Any, dict[str, Any]]:
    """What to check, with its arguments."""
    if isinstance(returned, tuple) and len(returned) in (2, 3):
        fn, inputs, kwargs = (*returned, {})[:3]
        if callable(fn) and isinstance(kwargs, dict):
            return fn, inputs, kwargs
    expected = "(fn, inputs) or (fn, inputs, kwargs), a function or module, arguments and a dict"
    raise wrong_result(target, expected, returned)
