"""Commands about a function in a Python file, named as on a command line: ``file.py:function``."""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["TargetError", "add_command", "load_function", "refuse", "wrong_result"]


class TargetError(ValueError):
    """A file, a function in it, or what that returns, is not what a command takes."""


def add_command(
    commands: Any, name: str, run: Callable[[Any], int], *, help: str, target: str, about: str, codes: str
) -> argparse.ArgumentParser:
    """Add a subcommand to a parser's, whose first argument (in help, `target`) is a function in a file."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=about,
        epilog=codes,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("target", metavar="FILE.PY:FUNCTION", help=target)
    parser.set_defaults(run=run)
    return parser


def load_function(target: str) -> Callable[[], Any]:
    """Run a Python file, as an import does, and give one of its functions.

    Imports in it find what lies beside it.

    Parameters
    ----------
    target : ``path/to/file.py:function``

    Raises
    ------
    TargetError
        If that is not what `target` looks like, or there is no such file or function, or it needs arguments.  What the
        file itself raises is passed on.
    """
    path, colon, name = target.rpartition(":")
    if not colon or not path or not name.isidentifier():
        raise TargetError(f"expected file.py:function, got {target!r}")
    file = Path(path).resolve()
    if not file.is_file():
        raise TargetError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path} is not a Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(file.stem, module)
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    spec.loader.exec_module(module)
    found = getattr(module, name, None)
    if not callable(found):
        names = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == file.stem]
        raise TargetError(f"{path} has no function {name!r}; it has {', '.join(names) or 'none'}")
    try:
        inspect.signature(found).bind()
    except TypeError as error:
        raise TargetError(f"{target} is called without arguments, which it does not allow: {error}") from error
    return found  # type: ignore[no-any-return]


def wrong_result(target: str, expected: str, returned: Any) -> TargetError:
    """The error to raise where the function did not return what was expected."""
    got = type(returned).__name__
    if isinstance(returned, tuple):
        got += f" of {', '.join(type(part).__name__ for part in returned) or 'nothing'}"
    return TargetError(f"{target} must return {expected}; got {got}")


def refuse(command: str, message: object, code: int = 2) -> int:
    """Say why a command does not do what it was asked; gives its exit code."""
    print(f"autograd-core {command}: {message} (see autograd-core {command} --help)", file=sys.stderr)
    return code
