"""Drawing DOT: with Graphviz where it is installed, else with graphviz-pure, which pip installs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from .. import files

__all__ = ["render", "save"]

SOURCE = ("dot", "gv")
FORMATS = ("svg", "png", "pdf")


def render(dot: str, format: str) -> bytes:
    """The drawing of DOT source as svg, png or pdf.

    Raises
    ------
    RuntimeError
        If nothing is installed that draws this format, or it fails.
    """
    command = _renderer(format)
    if command is None:
        if format == "pdf":
            missing, add = "Graphviz (the command dot), which alone draws pdf, is not", ""
        else:
            missing, add = "neither Graphviz (the command dot) nor graphviz-pure is", ", or 'pip install graphviz-pure'"
        raise RuntimeError(
            f"cannot draw {format}: {missing} installed; install it with 'apt install graphviz' or "
            f"'brew install graphviz'{add}"
        )
    sharper = ["-Gdpi=144"] if format == "png" else []
    done = subprocess.run([command, f"-T{format}", *sharper], input=dot.encode(), capture_output=True, check=False)
    if done.returncode != 0 or not done.stdout:
        raise RuntimeError(f"{command} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _renderer(format: str) -> str | None:
    """The program that draws this format."""
    pure = shutil.which("graphviz-pure", path=_scripts()) or shutil.which("graphviz-pure")
    return shutil.which("dot") or (None if format == "pdf" else pure)


def _scripts() -> str:
    """Where pip puts commands, which a virtual environment that is not activated does not search."""
    return os.pathsep.join([sysconfig.get_path("scripts"), str(Path(sys.executable).parent)])


def save(dot: str, path: Path, finish: Callable[[bytes], bytes]) -> Path:
    """Write DOT source, or its drawing, to a file whose suffix says which; gives the path.  SVG is finished first.

    Raises
    ------
    ValueError
        If the suffix is not .dot, .gv, .svg, .png or .pdf.
    OSError
        If it cannot be written.
    RuntimeError
        If it cannot be drawn; the source is then beside it as .dot.
    """
    format = path.suffix.lower().removeprefix(".")
    if format not in SOURCE + FORMATS:
        raise ValueError(f"save: expected a file ending in .svg, .png, .pdf, .dot or .gv, got {path.name!r}")
    if format in SOURCE:
        return files.write(path, dot.encode())
    try:
        drawn = render(dot, format)
        return files.write(path, finish(drawn) if format == "svg" else drawn)
    except RuntimeError as error:
        beside = files.write(path.with_suffix(".dot"), dot.encode())
        raise RuntimeError(
            f"{error}. The picture is in {beside} for now: 'dot -T{format} {beside.name} -o {path.name}' will draw it"
        ) from error
