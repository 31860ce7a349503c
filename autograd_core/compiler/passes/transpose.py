"""Transposes into matrix products, which BLAS does for nothing.

::

    %2: float32[20, 10] = matmul(%0, %1)
    %3: float32[10, 20] = permute(%2, dims=(1, 0))

becomes ``%3 = matmul(permute(%1), permute(%0))``, whose operands are views.  So the gradient of a weight has the layout
of the weight, and can be added to the others and to the weight in one sweep.
"""

from __future__ import annotations

from ..program import Instruction, Program, Value
from .rewriting import Rewriter

__all__ = ["transpose"]


def transpose(program: Program) -> Program:
    """The program with products computed the way round in which they are needed."""
    return _Transpose(program).program()


class _Transpose(Rewriter):
    def __init__(self, program: Program) -> None:
        super().__init__(program)
        uses = program.uses()
        for old in program.instructions:
            i = self.now(old)
            maker = self.makers.get(i.values[0]) if i.name == "permute" else None
            if maker is not None and uses[maker.results[0]] == 1 and self._swaps(i, maker):
                left, right = (self._swapped(x, i.line) for x in maker.values)
                self.append(Instruction("matmul", (right, left), {}, i.results, maker.line))
            else:
                self.append(i)

    def _swaps(self, i: Instruction, maker: Instruction) -> bool:
        """Whether this is the transpose of a product of matrices, or of batches of them."""
        if maker.name != "matmul" or len(maker.values) != 2:
            return False
        dims, n = i.params["dims"], maker.result.ndim
        same = n >= 2 and all(x.ndim == n for x in maker.values)
        return same and tuple(dims) == (*range(n - 2), n - 1, n - 2)

    def _swapped(self, x: Value, line: str) -> Value:
        n = x.ndim
        result = Value((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
        self.append(Instruction("permute", (x,), {"dims": (*range(n - 2), n - 1, n - 2)}, (result,), line))
        return result
