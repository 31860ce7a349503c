"""The rules of algebra that `simplify` goes by, for elementwise operations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..program import Operand, Value
from .facts import Facts
from .patterns import Bound, Rule, rule

__all__ = ["RULES"]


def _is_float(x: Operand) -> bool:
    return isinstance(x, Value) and x.dtype.kind == "f"


def _floats(*names: str) -> Callable[[Facts, Bound], bool]:
    """Whether these operands are floats: there minus is exact.  (So it is for a number, but for the integer 0.)"""
    return lambda facts, bound: all(_is_float(bound[n]) for n in names) and bool(bound.get("k", 1))


def _bools(*names: str) -> Callable[[Facts, Bound], bool]:
    return lambda facts, bound: all(isinstance(bound[n], Value) and bound[n].dtype.kind == "b" for n in names)


def _nonnegative(facts: Facts, bound: Bound) -> bool:
    return facts.nonnegative(bound["x"])


def _harmless_zero(facts: Facts, bound: Bound) -> bool:
    """Whether adding 0 changes nothing: it does change -0."""
    return facts.nonnegative(bound["x"]) or not _is_float(bound["x"])


def _one_way(facts: Facts, bound: Bound) -> bool:
    """Whether two numbers both enlarge or both shrink: then their product overflows only where the two did."""
    small, large = sorted((abs(bound["k"]), abs(bound["m"])))
    x = bound["x"]
    if not isinstance(x, Value) or x.weak or x.dtype not in (np.float32, np.float64):
        return False
    return bool(1e-30 < small * large < 1e30 and (small >= 1 or large <= 1))


RULES: dict[str, list[Rule]] = {}
"""By the name of the primitive they begin with."""

for rules in (
    # What changes nothing.  (x + 0 turns -0 into 0.)
    rule("mul(x, 1)", "x"),
    rule("div(x, 1)", "x"),
    rule("pow(x, 1)", "x"),
    rule("add(x, -0.0)", "x"),
    rule("add(x, 0)", "x", _harmless_zero),
    rule("sub(x, 0)", "x"),
    rule("positive(x)", "x"),
    rule("where(c, x, x)", "x"),
    rule("where(True, x, y)", "x"),
    rule("where(False, x, y)", "y"),
    rule("maximum(x, x)", "x"),
    rule("minimum(x, x)", "x"),
    rule("abs(x)", "x", _nonnegative),
    rule("relu(x)", "x", _nonnegative),
    # Signs
    rule("neg(neg(x))", "x"),
    rule("abs(neg(x))", "abs(x)", _floats("x")),
    rule("abs(abs(x))", "abs(x)"),
    rule("mul(x, -1)", "neg(x)", _floats("x")),
    rule("div(x, -1)", "neg(x)", _floats("x")),
    rule("sub(a, neg(b))", "add(a, b)", _floats("b")),
    rule("add(a, neg(b))", "sub(a, b)", _floats("b")),
    rule("mul(neg(a), neg(b))", "mul(a, b)", _floats("a", "b")),
    rule("div(neg(a), neg(b))", "div(a, b)", _floats("a", "b")),
    rule("mul(neg(x), k)", "mul(x, -k)", _floats("x")),
    rule("div(neg(x), k)", "div(x, -k)", _floats("x")),
    rule("neg(mul(x, k))", "mul(x, -k)", _floats("x")),
    rule("neg(div(x, k))", "div(x, -k)", _floats("x")),
    # Powers
    rule("pow(x, 2)", "mul(x, x)"),
    rule("pow(x, 3)", "mul(mul(x, x), x)"),
    rule("pow(x, k)", "sqrt(x)", lambda facts, bound: bound["k"] == 0.5),  # as NumPy does for a written 0.5
    rule("pow(x, -1)", "reciprocal(x)"),
    rule("pow(x, -0.5)", "rsqrt(x)", _nonnegative),
    rule("square(x)", "mul(x, x)"),
    rule("div(1, x)", "reciprocal(x)"),
    rule("reciprocal(sqrt(x))", "rsqrt(x)"),
    # Products of numbers
    rule("mul(mul(x, k), m)", "mul(x, k * m)", _one_way),
    rule("div(div(x, k), m)", "div(x, k * m)", _one_way),
    # Logic
    rule("logical_not(logical_not(x))", "x", _bools("x")),
    rule("bitwise_not(bitwise_not(x))", "x"),
    rule("logical_not(eq(a, b))", "ne(a, b)"),
    rule("logical_not(ne(a, b))", "eq(a, b)"),
    rule("bitwise_not(eq(a, b))", "ne(a, b)"),
    rule("bitwise_not(ne(a, b))", "eq(a, b)"),
    rule("logical_and(x, x)", "x", _bools("x")),
    rule("logical_or(x, x)", "x", _bools("x")),
    rule("logical_and(x, True)", "x", _bools("x")),
    rule("logical_or(x, False)", "x", _bools("x")),
    rule("bitwise_and(x, x)", "x"),
    rule("bitwise_or(x, x)", "x"),
    rule("bitwise_and(x, True)", "x", _bools("x")),
    rule("bitwise_or(x, False)", "x", _bools("x")),
    rule("where(logical_not(c), a, b)", "where(c, b, a)"),
    rule("where(bitwise_not(c), a, b)", "where(c, b, a)", _bools("c")),
):
    RULES.setdefault(rules[0].old.name, []).extend(rules)
