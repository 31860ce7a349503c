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
    moved = [d for d, shift in enumerate(shifts) if shift]
    if len(moved) > 2:
        return None
    # As two dimensions of (before, n, between, m, after); what is missing is of size 1.
    sizes, shifts = [1, 1, *x.shape], [0, 0, *shifts]
    first, last = ([0, 1] + [d + 2 for d in moved])[-2:]
    before, between, after = (math.prod(sizes[a:b]) for a, b in ((0, first), (first + 1, last), (last + 1, None)))
    (n, by), (m, inner_by) = ((sizes[d], shifts[d] % max(sizes[d], 1)) for d in (first, last))
    return Call("rearranging.roll", (x, i.result, before, n, by, between, m, inner_by, after))
