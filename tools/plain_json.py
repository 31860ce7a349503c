"""JSON for any reader: infinities and NaN, for which it has no numbers, become ``"inf"``, ``"-inf"`` and ``"nan"``.

Python's ``float`` reads these again.
"""

from __future__ import annotations

import json
import math
from typing import Any

__all__ = ["plain", "written"]


def plain(tree: Any) -> Any:
    """Dicts, lists, numbers and strings, with strings in the place of infinities and NaN.

    >>> plain({"slope": float("inf"), "at": (0, 1.5)})
    {'slope': 'inf', 'at': [0, 1.5]}
    """
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [plain(value) for value in tree]
    return str(float(tree)) if isinstance(tree, float) and not math.isfinite(tree) else tree


def written(tree: Any, indent: int | None = 2) -> str:
    """The JSON of a tree made :func:`plain`."""
    return json.dumps(plain(tree), indent=indent, allow_nan=False)
