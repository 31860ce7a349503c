"""Where extremes are."""

from __future__ import annotations

import math

from ..program import Instruction, Value
from . import Call, Scratch, lowering


def along(x: Value, axis: int) -> tuple[int, int, int]:
    """How many elements there are before, along and after a dimension."""
    axis %= x.ndim
    return math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :])


@lowering("argmax", "argmin")
def _arg(i: Instruction) -> Call | None:
    (x,) = i.values
    sizes = along(x, i.params["axis"])
    return Call(f"extremes.{i.name}", (x, Scratch(sizes[2], str(x.dtype)), i.result, *sizes))
