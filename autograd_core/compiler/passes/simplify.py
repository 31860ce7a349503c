"""Operations that can be left out, or are others that cost less."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from ..program import EFFECTS, Instruction, Operand, Program, Value
from .algebra import RULES
from .facts import Facts
from .patterns import Apply, Bound, Pattern, calculated, match, result_type
from .rewriting import Rewriter, broadcast_shape, elementwise_dtype, is_elementwise

__all__ = ["simplify"]


def simplify(program: Program) -> Program:
    """With fewer and cheaper instructions: by the rules of `algebra`, and by those below about shapes.

    ::

        %2: float32[3] = neg(%1)                %2: float32[3] = sub(%0, %1)
        %3: float32[3] = add(%0, %2)            %3: float32[3] = mul(%2, %2)
        %4: float32[3] = mul(%3, 1.0)
        %5: float32[3] = pow(%4, 2)

    A rule holds for NaN, for the infinities and for both zeros; what is rounded is rounded about as well as before.
    There are two exceptions, both about the sign of a zero: that of a sum of zeros, and that of what a selection has
    sent back (see `_guard`).  A result keeps its shape and dtype, else the rule does not apply.  Numbers that are read
    when the program runs are never looked at.
    """
    return _Simplifier(program).program()


class _Simplifier(Rewriter):
    """A rewriter that tries the rules on whatever is added."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.facts = Facts(program)
        self.uses = program.uses()
        self.line = ""
        for old in program.instructions:
            self.line = old.line
            i = self.now(old)
            if i.name in EFFECTS or len(i.results) != 1 or i.result.weak:
                self.append(i)
            else:
                self.replace(i.results, [self.put(i)])

    def append(self, i: Instruction) -> None:
        super().append(i)
        self.facts.learn(i)

    def put(self, i: Instruction) -> Operand:
        """What has the result of an instruction: the instruction itself, if no rule applies."""
        for attempt in (*_STRUCTURAL.get(i.name, ()), _algebra, *(_ELEMENTWISE if is_elementwise(i.name) else ())):
            found = attempt(i, self)
            if found is not None:
                return found
        self.append(i)
        return i.result

    def emit(self, name: str, operands: Iterable[Operand], like: Value, **params: Any) -> Operand:
        """The result of a new instruction, of the type of `like`."""
        return self.put(Instruction(name, operands, params, [Value(like.shape, like.dtype)], self.line))

    def maker(self, x: Operand, name: str) -> Instruction | None:
        """The instruction that makes a value, if it is of this name."""
        i = self.makers.get(x) if isinstance(x, Value) else None
        return i if i is not None and i.name == name else None

    def kind(self, x: Operand) -> str | None:
        """The name of the primitive that makes a value; "number" of a number, written or not."""
        i = self.makers.get(x) if isinstance(x, Value) else None
        return i.name if i is not None else None if self.facts.number(x) is None else "number"

    def repeated(self, x: Operand, like: Value) -> Operand | None:
        """A value itself or repeated, as `like`; None if that cannot be, or it has another dtype."""
        if not isinstance(x, Value) or not _fits(x, like):
            return None
        return x if x.shape == like.shape else self.emit("broadcast_to", [x], like, shape=like.shape)

    def reshaped(self, x: Operand, like: Value) -> Operand | None:
        """A value in a shape of as many elements; None if it has another dtype."""
        if not isinstance(x, Value) or x.dtype != like.dtype or x.weak:
            return None
        return x if x.shape == like.shape else self.emit("reshape", [x], like, shape=like.shape)


_Attempt: TypeAlias = Callable[[Instruction, _Simplifier], "Operand | None"]
"""What can stand for the result of an instruction, or None."""


def _fits(x: Value, like: Value) -> bool:
    """Whether broadcasting makes a value of the type of `like`."""
    if x.dtype != like.dtype or x.weak or x.ndim > like.ndim:
        return False
    return all(a in (1, b) for a, b in zip(reversed(x.shape), reversed(like.shape), strict=False))


# Elementwise


def _algebra(i: Instruction, do: _Simplifier) -> Operand | None:
    """What the first rule of `algebra` makes of it."""
    rules = RULES.get(i.name)
    if rules is None:
        return None
    kinds = [do.kind(x) for x in i.operands]
    for r in rules:
        bound: Bound = {}
        if any(map(_clash, r.needs, kinds)):
            continue
        if not (match(r.old, i, do, bound) and r.when(do.facts, bound)):
            continue
        like = result_type(r.new, bound)
        if isinstance(like, Value) and _fits(like, i.result):
            return do.repeated(_built(r.new, bound, do), i.result)
    return None


def _clash(need: str | None, kind: str | None) -> bool:
    return need is not None and need != kind


def _built(pattern: Pattern, bound: Bound, do: _Simplifier) -> Operand:
    if not isinstance(pattern, Apply):
        return calculated(pattern, bound)
    like = result_type(pattern, bound)
    assert isinstance(like, Value)
    return do.emit(pattern.name, [_built(p, bound, do) for p in pattern.operands], like)


def _written(i: Instruction, do: _Simplifier) -> Operand | None:
    """An array full of one number that never changes is as good as the number."""
    if i.params or i.name == "pow":  # NumPy's powers to a written 0.5 are square roots, others are not
        return None
    for k, x in enumerate(i.operands):
        number = do.facts.number(x) if isinstance(x, Value) else None
        if number is None:
            continue
        operands = [*i.operands[:k], number, *i.operands[k + 1 :]]
        if not any(isinstance(y, Value) and not y.weak for y in operands):
            continue
        if broadcast_shape(operands) == i.result.shape and elementwise_dtype(i.name, operands) == i.result.dtype:
            return do.emit(i.name, operands, i.result)
    return None


def _unrepeated(i: Instruction, do: _Simplifier) -> Operand | None:
    """Operands need not be repeated first; and if all were, the result is what can be repeated."""
    makers = [do.maker(x, "broadcast_to") for x in i.operands]
    if not any(makers):
        return None
    operands = [x if m is None else m.operands[0] for x, m in zip(i.operands, makers, strict=True)]
    if not any(isinstance(x, Value) and not x.weak for x in operands):
        return None
    like = Value(broadcast_shape(operands), i.result.dtype)
    return do.repeated(do.emit(i.name, operands, like, **i.params), i.result)


def _guard(i: Instruction, do: _Simplifier) -> Operand | None:
    """``where(g == 0, 0, c)`` is c, if c is 0 wherever g is.

    So a backward pass keeps the zeros that a selection has sent: they must not meet an infinity.  A factor that is
    known to be finite, such as a mask, needs no guard.  (The zero may be -0 then.)
    """
    condition, zero, c = i.operands
    test = do.maker(condition, "eq")
    if test is None or do.facts.number(zero) != 0:
        return None
    for g, other in (test.operands, test.operands[::-1]):
        if isinstance(g, Value) and do.facts.number(other) == 0 and _vanishes(c, g, do):
            return do.repeated(c, i.result)
    return None


def _vanishes(c: Operand, g: Value, do: _Simplifier, depth: int = 8) -> bool:
    """Whether c is 0 wherever g is."""
    if not isinstance(c, Value):
        return c == 0
    if c is g:
        return True
    i = do.makers.get(c)
    if i is None or depth == 0:
        return bool(do.facts.number(c) == 0)
    match i.name, i.operands:
        case "neg" | "abs" | "relu" | "sign" | "cast", (x,):
            return _vanishes(x, g, do, depth - 1)
        case "mul", (x, y):
            return any(_vanishes(a, g, do, depth - 1) and do.facts.bound(b) < math.inf for a, b in ((x, y), (y, x)))
        case "div", (x, y) if not isinstance(y, Value) and y != 0:
            return _vanishes(x, g, do, depth - 1)
        case "where", (_, x, y):
            return _vanishes(x, g, do, depth - 1) and _vanishes(y, g, do, depth - 1)
    return False


def _softmax_again(i: Instruction, do: _Simplifier) -> Operand | None:
    """``exp(a - log(sum(e)))``, where e is ``exp(a)`` and a is at most 0, is ``e / sum(e)``: another exp less.

    So the gradient of log_softmax uses what its forward has computed.
    """
    out = do.maker(i.operands[0], "sub")
    log = do.maker(out.operands[1], "log") if out is not None else None
    total = do.maker(log.operands[0], "sum") if log is not None else None
    e = do.maker(total.operands[0], "exp") if total is not None else None
    if out is None or total is None or e is None or e.operands[0] is not out.operands[0]:
        return None
    shifted = do.maker(e.operands[0], "sub")
    largest = do.maker(shifted.operands[1], "amax") if shifted is not None else None
    if shifted is None or largest is None or largest.operands[0] is not shifted.operands[0]:
        return None
    return do.emit("div", [e.result, total.result], i.result)


# Shapes


def _of_one(i: Instruction, do: _Simplifier) -> Operand | None:
    """Of one element that is repeated everywhere: it is as well repeated to the other shape."""
    inner = do.maker(i.operands[0], "broadcast_to")
    (x,) = inner.operands if inner is not None and len(i.operands) == 1 else (None,)
    if not isinstance(x, Value) or x.size != 1:
        return None
    one = do.reshaped(x, Value((), x.dtype))
    return None if one is None else do.repeated(one, i.result)


def _reshape(i: Instruction, do: _Simplifier) -> Operand | None:
    """To the shape it has; and of what is reshaped."""
    (x,) = i.operands
    inner = do.maker(x, "reshape")
    if inner is not None:
        return do.reshaped(inner.operands[0], i.result)
    return do.reshaped(x, i.result) if isinstance(x, Value) and x.shape == i.result.shape else None


def _permute(i: Instruction, do: _Simplifier) -> Operand | None:
    """To the order it has; and of what is permuted."""
    (x,), dims = i.operands, i.params["dims"]
    if dims == tuple(range(len(dims))):
        return x
    inner = do.maker(x, "permute")
    if inner is None:
        return None
    return do.emit("permute", inner.operands, i.result, dims=tuple(inner.params["dims"][d] for d in dims))


def _broadcast_to(i: Instruction, do: _Simplifier) -> Operand | None:
    """To the shape it has; and of what is repeated."""
    (x,) = i.operands
    inner = do.maker(x, "broadcast_to")
    if inner is not None:
        return do.repeated(inner.operands[0], i.result)
    return x if isinstance(x, Value) and x.shape == i.result.shape else None


def _clone(i: Instruction, do: _Simplifier) -> Operand | None:
    """No value is ever written to, so none has to be copied."""
    return do.repeated(i.operands[0], i.result)


def _cast(i: Instruction, do: _Simplifier) -> Operand | None:
    """To the dtype it has; and of a cast that loses nothing."""
    (x,) = i.operands
    if not isinstance(x, Value) or x.weak:
        return None
    if x.dtype == i.result.dtype:
        return x
    for name in ("cast", "discrete_cast"):
        inner = do.maker(x, name)
        source = inner.operands[0] if inner is not None else None
        if isinstance(source, Value) and not source.weak and np.can_cast(source.dtype, x.dtype, "safe"):
            return do.emit(i.name, [source], i.result, **i.params)
    return None


def _index(i: Instruction, do: _Simplifier) -> Operand | None:
    """All of it."""
    x, *arrays = i.operands
    whole = all(part is Ellipsis or (isinstance(part, slice) and part == slice(None)) for part in i.params["form"])
    return x if whole and not arrays else None


def _cat(i: Instruction, do: _Simplifier) -> Operand | None:
    """Of one array."""
    return do.repeated(i.operands[0], i.result) if len(i.operands) == 1 else None


def _pad(i: Instruction, do: _Simplifier) -> Operand | None:
    """By nothing."""
    return None if any(map(any, i.params["widths"])) else i.operands[0]


# Reductions


def _axis(i: Instruction) -> tuple[int, ...]:
    axis = i.params["axis"]
    return axis if isinstance(axis, tuple) else (axis,)


def _over_one(i: Instruction, do: _Simplifier) -> Operand | None:
    """Over dimensions of size 1, or none: another shape at most."""
    (x,) = i.operands
    if not isinstance(x, Value) or any(x.shape[d] != 1 for d in _axis(i)):
        return None
    return do.reshaped(x, i.result)


def _over_repeated(i: Instruction, do: _Simplifier) -> Operand | None:
    """Over what is repeated: a sum is a product with how often, an extreme that of the parts."""
    repetition = do.maker(i.operands[0], "broadcast_to")
    if repetition is None:
        return None
    (part,), shape, axis = repetition.operands, repetition.result.shape, _axis(i)
    if not isinstance(part, Value) or part.weak:
        return None
    sizes = (1,) * (len(shape) - part.ndim) + part.shape
    times = math.prod(shape[d] for d in axis if sizes[d] == 1)
    if times <= 1 or 0 in sizes:
        return None
    like = Value([1 if d in axis else n for d, n in enumerate(sizes)], i.result.dtype)
    spread = do.reshaped(part, Value(sizes, part.dtype))
    assert spread is not None
    out = do.emit(i.name, [spread], like, axis=axis, keepdims=True)
    if i.name == "sum":
        out = do.emit("mul", [out, times], like)
    if not i.params["keepdims"]:
        rest = Value([n for d, n in enumerate(sizes) if d not in axis], like.dtype)
        shaped = do.reshaped(out, rest)
        assert shaped is not None
        out = shaped
    return do.repeated(out, i.result)


def _over_twice(i: Instruction, do: _Simplifier) -> Operand | None:
    """Over what was reduced likewise, and for nothing else: over the dimensions of both."""
    inner = do.maker(i.operands[0], i.name)
    if inner is None or do.uses.get(inner.result, 1) > 1 or inner.result.dtype != i.result.dtype:
        return None
    (x,), axis = inner.operands, _axis(inner)
    assert isinstance(x, Value)
    left = [d for d in range(x.ndim) if inner.params["keepdims"] or d not in axis]
    both = tuple(sorted({*axis, *(left[d] for d in _axis(i))}))
    like = Value([1 if d in both else n for d, n in enumerate(x.shape)], i.result.dtype)
    return do.reshaped(do.emit(i.name, [x], like, axis=both, keepdims=True), i.result)


_ELEMENTWISE: tuple[_Attempt, ...] = (_written, _unrepeated)
_STRUCTURAL: dict[str, tuple[_Attempt, ...]] = {
    **dict.fromkeys(("sum", "amax", "amin", "all", "any"), (_over_one, _over_repeated, _over_twice)),
    "prod": (_over_one, _over_twice),
    "reshape": (_of_one, _reshape),
    "permute": (_of_one, _permute),
    "broadcast_to": (_broadcast_to,),
    "clone": (_clone,),
    "cast": (_cast,),
    "discrete_cast": (_cast,),
    "index": (_of_one, _index),
    "cat": (_cat,),
    "pad": (_pad,),
    "where": (_guard,),
    "exp": (_softmax_again,),
}
