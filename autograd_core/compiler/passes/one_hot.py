"""Picking one element of every row as a comparison: it joins the loops around it, where an index would end them.

::

    %2: int64[64, 1] = places_along(%1, axis=1, sizes=(64, 10))
    %3: float32[64, 1] = gather(%0, %2)

becomes, with the numbers 0 .. 9 as %4::

    %5: bool[64, 10] = eq(%4, %1)
    %6: float32[64, 10] = where(%5, %0, 0.0)
    %3: float32[64, 1] = sum(%6, axis=(1,), keepdims=True)

and ``scatter_add`` to the same places, its gradient, ``where(%5, src, 0.0)``.  So a cross-entropy and its gradient are
each one sweep.  That the index is within bounds has been required by then.
"""

from __future__ import annotations

import numpy as np

from ..program import Instruction, Program, Value
from .rewriting import Rewriter

__all__ = ["one_hot"]


def one_hot(program: Program) -> Program:
    """The program with comparisons for indices that pick one element of every row."""
    return _OneHot(program).program()


class _OneHot(Rewriter):
    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self._hits: dict[tuple[Value, int], Value] = {}
        for old in program.instructions:
            i = self.now(old)
            places = i.operands[1] if i.name in ("gather", "scatter_add") else None
            maker = self.makers.get(places) if isinstance(places, Value) else None
            if maker is not None and self._picks_one(maker):
                self._rewrite(i, maker)
            else:
                self.append(i)

    def _picks_one(self, places: Instruction) -> bool:
        if places.name != "places_along":
            return False
        (index,), axis, sizes = places.values, places.params["axis"], places.params["sizes"]
        return index.shape == tuple(1 if d == axis else n for d, n in enumerate(sizes)) and sizes[axis] > 0

    def _rewrite(self, i: Instruction, places: Instruction) -> None:
        axis, sizes = places.params["axis"], places.params["sizes"]
        values = i.operands[0]
        shape = i.params["shape"] if i.name == "scatter_add" else getattr(values, "shape", None)
        if shape != sizes or not isinstance(values, Value) or values.dtype.kind != "f":
            self.append(i)
            return
        hit = self._hit(places)
        picked = i.result if i.name == "scatter_add" else Value(sizes, values.dtype)
        self.append(Instruction("where", (hit, values, 0.0), {}, (picked,), i.line))
        if i.name == "gather":
            params = {"axis": (axis,), "keepdims": True}
            self.append(Instruction("sum", (picked,), params, (i.result,), i.line))

    def _hit(self, places: Instruction) -> Value:
        """Whether an element is the one that is picked."""
        (index,), axis, sizes = places.values, places.params["axis"], places.params["sizes"]
        if (index, axis) not in self._hits:
            all_of_them = np.arange(sizes[axis], dtype=np.int32)
            numbers = self.constant(all_of_them.reshape((-1,) + (1,) * (len(sizes) - axis - 1)))
            narrow = Value(index.shape, np.int32)
            self.append(Instruction("discrete_cast", (index,), {"dtype": np.dtype(np.int32)}, (narrow,), places.line))
            hit = self._hits[index, axis] = Value(sizes, bool)
            self.append(Instruction("eq", (numbers, narrow), {}, (hit,), places.line))
        return self._hits[index, axis]
