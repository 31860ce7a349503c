"""Counts."""

from __future__ import annotations

from ..program import Instruction
from . import Call, Scratch, lowering


@lowering("weights_at")
def _weights_at(i: Instruction) -> Call | None:
    if len(i.values) < 2:
        return None
    index, weights = i.values
    size = i.params["size"]
    if index.dtype.kind not in "iub" or i.result.shape != (size,):
        return None
    return Call("statistics.weights_at", (index, weights, Scratch(size, "float64"), i.result, index.size, size), True)
