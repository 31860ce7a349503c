"""Running sums, products and extremes."""

from __future__ import annotations

from ..program import Instruction
from . import Call, Scratch, lowering
from .extremes import along


@lowering("cumsum", "cumprod", "logcumsumexp")
def _running(i: Instruction) -> Call | None:
    (x,) = i.values
    if i.name == "logcumsumexp" and x.dtype != i.result.dtype:
        return None
    sizes = along(x, i.params["axis"])
    way = (sizes[1] - 1, -1) if i.params.get("reverse") else (0, 1)
    return Call(f"cumulative.{i.name}", (x, i.result, *sizes, *way))


@lowering("argcummax", "argcummin")
def _remembering(i: Instruction) -> Call | None:
    (x,) = i.values
    sizes = along(x, i.params["axis"])
    return Call(f"cumulative.{i.name}", (x, Scratch(sizes[2], str(x.dtype)), i.result, *sizes))
