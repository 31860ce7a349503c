"""Large primitives in terms of small ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..program import Instruction, Operand, Program, Value
from .rewriting import Rewriter, broadcast_shape

__all__ = ["DECOMPOSITIONS", "decompose"]


def decompose(program: Program) -> Program:
    """With softmax, log_softmax, logsumexp, standardize, affine, norm and linear in terms of smaller operations.

    ::

        %1: float32[8, 3] = softmax(%0, axis=1)
                                    %1: float32[8, 1] = amax(%0, axis=(1,), keepdims=True)
                                    %2: float32[8, 3] = sub(%0, %1)
                                    %3: float32[8, 3] = exp(%2)
                                    %4: float32[8, 1] = sum(%3, axis=(1,), keepdims=True)
                                    %5: float32[8, 3] = div(%3, %4)

    So they share loops with what is around them: the linear layer's bias goes into the softmax, and the loss comes
    out of it.  The formulas are those of the primitives' forwards.
    """
    rewriter = Rewriter(program)
    for old in program.instructions:
        i = rewriter.now(old)
        if i.name in DECOMPOSITIONS and _is_native(i):
            rewriter.replace(i.results, DECOMPOSITIONS[i.name](i, _Steps(rewriter, i)))
        else:
            rewriter.append(i)
    return rewriter.program()


def _is_native(i: Instruction) -> bool:
    """Of a dtype that has loops, and with at least one element along each dimension."""
    return all(v.size and v.dtype in (np.float32, np.float64) for v in i.values)


class _Steps:
    """Adds instructions whose types follow from their operands."""

    def __init__(self, rewriter: Rewriter, i: Instruction) -> None:
        self.rewriter, self.line = rewriter, i.line
        axis = i.params.get("axis", ())
        self.axis: tuple[int, ...] = axis if isinstance(axis, tuple) else (axis,)

    def add(self, name: str, operands: Sequence[Operand], params: dict[str, Any], result: Value) -> Value:
        """An instruction with one result."""
        self.rewriter.append(Instruction(name, operands, params, [result], self.line))
        return result

    def __call__(self, name: str, *operands: Operand, dtype: Any = None) -> Value:
        """An elementwise operation, in the dtype of its last operand if no other is given."""
        if dtype is None:
            dtype = next(x.dtype for x in reversed(operands) if isinstance(x, Value))
        return self.add(name, operands, {}, Value(broadcast_shape(operands), dtype))

    def cast(self, x: Value, dtype: Any) -> Value:
        """`x` in another dtype."""
        return self.add("cast", [x], {"dtype": np.dtype(dtype)}, Value(x.shape, dtype))

    def over(self, name: str, x: Value) -> Value:
        """A reduction over the primitive's dimensions, which stay with size 1."""
        kept = [1 if d in self.axis else n for d, n in enumerate(x.shape)]
        return self.add(name, [x], {"axis": self.axis, "keepdims": True}, Value(kept, x.dtype))

    def mean(self, x: Value) -> Value:
        """The mean over the primitive's dimensions, which stay with size 1."""
        return self("div", self.over("sum", x), math.prod(x.shape[d] for d in self.axis))

    def shaped(self, x: Value, shape: Sequence[int]) -> Value:
        """In a shape with or without dimensions of size 1."""
        shape = tuple(shape)
        return x if x.shape == shape else self.add("reshape", [x], {"shape": shape}, Value(shape, x.dtype))


def _softmax(i: Instruction, do: _Steps) -> list[Operand]:
    (x,) = i.values
    largest, masked = do.over("amax", x), i.params.get("masked", False)
    if masked:  # a row of -inf alone
        largest = do("where", do("isneginf", largest, dtype=bool), 0.0, largest)
    e = do("exp", do("sub", x, largest))
    total = do.over("sum", e)
    if masked:
        total = do("where", do("eq", total, 0, dtype=bool), 1.0, total)
    return [do("div", e, total)]


def _log_softmax(i: Instruction, do: _Steps) -> list[Operand]:
    (x,) = i.values
    shifted = do("sub", x, do.over("amax", x))
    return [do("sub", shifted, do("log", do.over("sum", do("exp", shifted))))]


def _logsumexp(i: Instruction, do: _Steps) -> list[Operand]:
    (x,) = i.values
    largest = do.over("amax", x)
    m = do("where", do("isinf", largest, dtype=bool), 0.0, largest)  # relative to an infinity all would be NaN
    out = do("add", do("log", do.over("sum", do("exp", do("sub", x, m)))), m)
    return [do.shaped(out, i.result.shape)]


def _standardize(i: Instruction, do: _Steps) -> list[Operand]:
    (x,) = i.values
    mean = do.mean(x)
    deviation = do("sub", x, mean)
    variance = do.mean(do("mul", deviation, deviation))
    scale = do("rsqrt", do("add", variance, i.params["eps"]))
    return [do("mul", deviation, scale), mean, variance]


def _affine(i: Instruction, do: _Steps) -> list[Operand]:
    x, weight, bias = i.values
    beside = [n if d in do.axis else 1 for d, n in enumerate(x.shape)]
    scaled = do("mul", x, do.shaped(weight, beside), dtype=np.result_type(x.dtype, weight.dtype))
    return [do("add", scaled, do.shaped(bias, beside), dtype=i.result.dtype)]


def _linear(i: Instruction, do: _Steps) -> list[Operand]:
    x, weight, bias = i.values
    turned = do.add("permute", [weight], {"dims": (1, 0)}, Value(weight.shape[::-1], weight.dtype))
    product = Value(i.result.shape, np.result_type(x.dtype, weight.dtype))
    return [do("add", do.add("matmul", [x, turned], {}, product), bias, dtype=i.result.dtype)]


def _norm(i: Instruction, do: _Steps) -> list[Operand]:
    """Without overflow: the 2-norm of float32 by way of float64, others relative to the largest (or smallest)."""
    (x,) = i.values
    p = i.params["p"]
    size = do("abs", x)
    if p == 0:
        out = do.over("sum", do.cast(do("ne", size, 0, dtype=bool), x.dtype))
    elif p == 1:
        out = do.over("sum", size)
    elif p == 2 and x.dtype == np.float32:
        wide = do.cast(x, np.float64)
        out = do.cast(do("sqrt", do.over("sum", do("mul", wide, wide))), x.dtype)
    else:
        best = do.over("amax" if p > 0 else "amin", size)
        useless = do("logical_or", do("eq", best, 0, dtype=bool), do("isinf", best, dtype=bool))
        scale = do("where", useless, 1.0, best)
        out = do("mul", scale, do("pow", do.over("sum", do("pow", do("div", size, scale), p)), 1 / p))
    return [do.shaped(out, i.result.shape)]


DECOMPOSITIONS: dict[str, Callable[[Instruction, _Steps], list[Operand]]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "standardize": _standardize,
    "affine": _affine,
    "linear": _linear,
    "norm": _norm,
}
