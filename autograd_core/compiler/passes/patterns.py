"""Rules written as they are read: ``"sub(a, neg(b))"`` becomes ``"add(a, b)"``.

A pattern is a primitive applied to patterns.  A name stands for any operand, the same wherever it occurs; ``k`` and
``m`` stand for numbers; a number stands for itself, also where an array is full of it.  On the right, numbers may be
calculated with.  Operands of commutative primitives match in both orders.
"""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..program import Instruction, Operand, Value
from .rewriting import COMMUTATIVE, broadcast_shape, elementwise_dtype, same_number

__all__ = ["Apply", "Bound", "Pattern", "Rule", "calculated", "match", "result_type", "rule"]

Bound: TypeAlias = dict[str, Any]
"""What the names of a pattern stand for."""


@dataclass(frozen=True)
class Name:
    """Any operand; a number only, if `number`."""

    id: str
    number: bool


@dataclass(frozen=True)
class Literal:
    """A number."""

    value: int | float | bool


@dataclass(frozen=True)
class Apply:
    """A primitive applied."""

    name: str
    operands: tuple[Pattern, ...]


@dataclass(frozen=True)
class Calculated:
    """A number from numbers."""

    function: Callable[..., Any]
    operands: tuple[Pattern, ...]


Pattern: TypeAlias = Name | Literal | Apply | Calculated


@dataclass(frozen=True)
class Rule:
    """What matches `old`, and for which `when` holds, is `new`.

    `needs` tells most of what cannot match at a glance: for each operand the primitive that has to make it, "number",
    or None for anything.
    """

    old: Apply
    new: Pattern
    when: Callable[[Any, Bound], bool]
    needs: tuple[str | None, ...]


def rule(old: str, new: str, when: Callable[[Any, Bound], bool] = lambda facts, bound: True) -> list[Rule]:
    """The rules for a pattern in all orders of commutative operands.  `when` is asked with facts and what is bound."""
    made = _parsed(new)
    orders = [p for p in dict.fromkeys(_orders(_parsed(old))) if isinstance(p, Apply)]
    return [Rule(p, made, when, tuple(map(_need, p.operands))) for p in orders]


def _need(pattern: Pattern) -> str | None:
    if isinstance(pattern, Apply):
        return pattern.name
    return "number" if isinstance(pattern, Literal) or (isinstance(pattern, Name) and pattern.number) else None


_CALCULATIONS: dict[type, Callable[..., Any]] = {ast.Mult: operator.mul, ast.USub: operator.neg}


def _parsed(text: str) -> Pattern:
    return _pattern(ast.parse(text, mode="eval").body)


def _pattern(node: Any) -> Pattern:
    match node:
        case ast.Call(ast.Name(name), operands):
            return Apply(name, tuple(map(_pattern, operands)))
        case ast.Name(name):
            return Name(name, name in ("k", "m"))
        case ast.Constant(float() | int() as value):
            return Literal(value)
        case ast.UnaryOp(ast.USub(), ast.Constant(float() | int() as value)):
            return Literal(-value)
        case ast.UnaryOp(op, x):
            return Calculated(_CALCULATIONS[type(op)], (_pattern(x),))
        case ast.BinOp(x, op, y):
            return Calculated(_CALCULATIONS[type(op)], (_pattern(x), _pattern(y)))
    raise ValueError(f"no pattern: {ast.unparse(node)}")


def _orders(pattern: Pattern) -> Iterator[Pattern]:
    if not isinstance(pattern, Apply):
        yield pattern
        return
    for operands in itertools.product(*map(_orders, pattern.operands)):
        yield Apply(pattern.name, operands)
        if pattern.name in COMMUTATIVE:
            yield Apply(pattern.name, operands[::-1])


def match(pattern: Pattern, x: Operand | Instruction, program: Any, bound: Bound) -> bool:
    """Whether an operand (or instruction) is of this form; `bound` gets what the names stand for.

    `program` tells what makes a value (``makers``) and what number it is (``facts.number``).
    """
    if isinstance(pattern, Apply):
        i = program.makers.get(x) if isinstance(x, Value) else x
        if not isinstance(i, Instruction) or i.name != pattern.name or i.params:
            return False
        operands = zip(pattern.operands, i.operands, strict=True)
        return all(match(p, operand, program, bound) for p, operand in operands)
    assert not isinstance(x, Instruction)
    if isinstance(pattern, Literal):
        number = program.facts.number(x)
        return number is not None and same_number(number, pattern.value)
    assert isinstance(pattern, Name)
    if pattern.number and isinstance(x, Value):
        return False
    if pattern.id in bound:
        return _same(bound[pattern.id], x)
    bound[pattern.id] = x
    return True


def _same(x: Operand, y: Operand) -> bool:
    if isinstance(x, Value) or isinstance(y, Value):
        return x is y
    return type(x) is type(y) and same_number(x, y)


def calculated(pattern: Pattern, bound: Bound) -> Operand:
    """What a name, a number or a calculation stands for."""
    if isinstance(pattern, Name):
        found: Operand = bound[pattern.id]
        return found
    if isinstance(pattern, Literal):
        return pattern.value
    assert isinstance(pattern, Calculated)
    result: Operand = pattern.function(*(calculated(p, bound) for p in pattern.operands))
    return result


def result_type(pattern: Pattern, bound: Bound) -> Operand:
    """A value of the type that the pattern would have, or the number it is."""
    if not isinstance(pattern, Apply):
        return calculated(pattern, bound)
    operands = [result_type(p, bound) for p in pattern.operands]
    weak = all(not isinstance(x, Value) or x.weak for x in operands)
    return Value(broadcast_shape(operands), elementwise_dtype(pattern.name, operands), weak)
