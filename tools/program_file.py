"""A function in a Python file, named as on a command line: ``file.py:function``."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["load_function", "refuse"]


def load_function(target: str) -> Callable[[], Any]:
    """Run a Python file, as an import does, and give one of its functions.

    Imports in it find what lies beside it.

    Parameters
    ----------
    target : ``path/to/file.py:function``

    Raises
    ------
    ValueError
        If that is not what `target` looks like, or there is no such file or function, or it needs arguments.  What the
        file itself raises is passed on.
    """
    path, colon, name = target.rpartition(":")
    if not colon or not path or not name.isidentifier():
        raise ValueError(f"expected file.py:function, got {target!r}")
    file = Path(path).resolve()
    if not file.is_file():
        raise ValueError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(file.stem, module)
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    spec.loader.exec_module(module)
    found = getattr(module, name, None)
    if not callable(found):
        names = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == file.stem]
        raise ValueError(f"{path} has no function {name!r}; it has {', '.join(names) or 'none'}")
    try:
        inspect.signature(found).bind()
    except TypeError as error:
        raise ValueError(f"{target} is called without arguments, which it does not allow: {error}") from error
    return found  # type: ignore[no-any-return]


def refuse(command: str, message: object, code: int = 2) -> int:
    """Say why a command does not do what it was asked; gives its exit code."""
    print(f"autograd-core {command}: {message} (see autograd-core {command} --help)", file=sys.stderr)
    return code
