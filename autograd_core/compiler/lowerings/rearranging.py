"""Elements in another order."""

from __future__ import annotations

import math

from ..program import Instruction
from . import Call, lowering


@lowering("roll")
def _roll(i: Instruction) -> Call | None:
    (x,) = i.values
    shifts = [0] * x.ndim
    for shift, axis in zip(i.params["shifts"], i.params["axis"], strict=True):
        shifts[axis] += shift
    moved = [d for d, shift in enumerate(shifts) if shift] or [d for d in range(x.ndim)][:1]
    if not 1 <= len(moved) <= 2:
        return None
    first, last = (moved[0], moved[-1]) if len(moved) == 2 else (-1, moved[0])
    n, shift = (x.shape[first], shifts[first]) if len(moved) == 2 else (1, 0)
    m = x.shape[last]
    before, middle, inner = (math.prod(x.shape[a:b]) for a, b in ((0, max(first, 0)), (first + 1, last), (last + 1, None)))
    return Call(
        "rearranging.roll",
        (x, i.result, before, n, shift % max(n, 1), middle, m, shifts[last] % max(m, 1), inner),
    )
