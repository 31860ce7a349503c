"""Order along a dimension."""

from __future__ import annotations

import math
from typing import Any

from ..program import Instruction, Value
from . import Call, Scratch, lowering
from .extremes import along


def _room(x: Value, n: int) -> tuple[Any, ...]:
    """Memory to sort in: keys and places, twice."""
    return (Scratch(n, str(x.dtype)), Scratch(n, "int64")) * 2


@lowering("argsort")
def _argsort(i: Instruction) -> Call | None:
    (x,) = i.values
    sizes = along(x, i.params["axis"])
    return Call("sorting.argsort", (x, *_room(x, sizes[1]), i.result, *sizes, int(i.params["descending"])))


@lowering("argmode")
def _argmode(i: Instruction) -> Call | None:
    (x,) = i.values
    sizes = along(x, i.params["axis"])
    return Call("sorting.argmode", (x, *_room(x, sizes[1]), i.result, *sizes)) if sizes[1] else None


@lowering("searchsorted")
def _searchsorted(i: Instruction) -> Call | None:
    if len(i.values) < 2:
        return None
    edges, x = i.values
    shared = edges.ndim == 1
    m = x.size if shared else x.shape[-1]
    outer = 1 if shared else math.prod(x.shape[:-1])
    n = edges.shape[-1]
    return Call("sorting.searchsorted", (edges, x, i.result, n, m, outer, int(shared), int(i.params["right"])))
