"""The command ``autograd-core graph file.py:function -o picture.svg``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import autograd_core as ag

from ..program_file import TargetError, add_command, load_function, refuse
from .graph import graph
from .program_picture import is_compiled
from .step_page import save_page

__all__ = ["add_graph"]

PICTURES = (".svg", ".png", ".pdf", ".dot", ".gv")

PAGE = ".html"

DESCRIPTION = """\
Draws how a function computes what it returns, with the gradients that come back.

The function in the file is called without arguments, under autograd_core.record(), and returns a tensor or a list of
tensors; its variables give their names to the picture. It may also return a function made by autograd_core.compile
that it has called: then it runs a second time, and the picture is of the compiled program.

    def scalar():
        x = ag.tensor(2.0, requires_grad=True)
        y = ag.tensor(3.0, requires_grad=True)
        return (x + y) * y
"""


def add_graph(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    parser = add_command(
        commands,
        "graph",
        _run,
        help="draw how a function computes what it returns",
        target="the function that returns what to draw",
        about=DESCRIPTION,
        codes="Exit codes: 0 drawn, 1 it could not be computed or drawn, 2 wrong arguments.",
    )
    kinds = f"{', '.join(PICTURES)}, or {PAGE} for a page to step through (default: graph.svg)"
    parser.add_argument("-o", "--output", help=f"the file to write: {kinds}", default="graph.svg", metavar="FILE")
    deep = "how many modules within one another to open; 0 makes each module one box (default: as fit on a page)"
    parser.add_argument("--depth", help=deep, type=int, metavar="N")
    colours = "what colours mean: the kind of a box, or how large its gradient is (default: kind)"
    parser.add_argument("--colour", help=colours, choices=("kind", "gradient"), default="kind")
    flow = "where the computation flows (default: TB, top to bottom)"
    parser.add_argument("--direction", help=flow, choices=("TB", "LR", "BT", "RL"), default="TB")
    most = "boxes there is room for; of more, the middle is left out (default: 400)"
    parser.add_argument("--max-nodes", help=most, type=int, default=400, metavar="N")
    parser.add_argument("--no-roll", help="draw repetitions as often as they happen", action="store_true")


def _run(given: argparse.Namespace) -> int:
    path = Path(given.output)
    if path.suffix.lower() not in (*PICTURES, PAGE):
        return refuse("graph", f"--output must end in {', '.join((*PICTURES, PAGE))}, got {path.name!r}")
    try:
        function = load_function(given.target)
    except TargetError as error:
        return refuse("graph", error)
    output, variables = _called(function)
    try:
        options = {"depth": given.depth, "colour": given.colour, "direction": given.direction}
        picture = graph(output, names=variables, max_nodes=given.max_nodes, roll=not given.no_roll, **options)
        if path.suffix.lower() == PAGE:
            save_page(picture, path)
        else:
            picture.save(path)
    except (TypeError, ValueError, RuntimeError) as error:
        code = 2 if isinstance(error, ValueError) else 1  # an argument of ours, or what the function gave
        return refuse("graph", str(error).removeprefix("graph: "), code)
    print(path)
    return 0


def _called(function: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    """What a function returns, and the variables it had then, which name things in the picture."""
    code = getattr(function, "__code__", None)
    variables: dict[str, Any] = dict(getattr(function, "__globals__", {}))

    def watch(frame: Any, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code is code:
            variables.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        with ag.record():
            output = function()
        if is_compiled(output):  # what is recorded for pictures runs as it is; now it is compiled
            output = function()
    finally:
        sys.setprofile(before)
    return output, variables
