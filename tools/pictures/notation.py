"""Mathematics as text and in LaTeX: formulas, formulas with numbers in them, derivatives.

Formulas are those of the picture; LaTeX is made of the same text by reading it as an expression.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import labels

__all__ = ["DOT", "Term", "added", "factor", "listed", "substituted", "to_latex", "words"]

DOT, D = "\N{MIDDLE DOT}", "\N{PARTIAL DIFFERENTIAL}"

WORD = re.compile(r"(?<!\w)(?:previous )?[^\W\d]\w*(?:\.\w+)*")
"""A name in a formula; in a repetition also that of the time before, whose value is another one."""


def substituted(formula: str, values: Mapping[str, str]) -> str:
    """A formula with numbers in the place of names.

    >>> substituted("x^2 + exp(y)", {"x": "-3", "y": "0.5"})
    '(-3)^2 + exp(0.5)'
    """

    def replace(match: re.Match[str]) -> str:
        word, before, after = match.group(), formula[: match.start()], formula[match.end() :]
        text = word if after.startswith("(") else values.get(word, word)
        bare = (not before or before.endswith(("(", "|", ", "))) and (not after or after.startswith((")", "|", ",")))
        return f"({text})" if text.startswith("-") and not bare else text

    return WORD.sub(replace, formula)


# LaTeX


def to_latex(formula: str) -> str:
    r"""A formula in LaTeX; as text, if it is no plain expression.

    >>> to_latex("v1^2 / (x + 1)")
    '\\frac{v_{1}^{2}}{x + 1}'
    """
    try:
        tree = ast.parse(re.sub(r"\|([^|]+)\|", r"abs(\1)", formula).replace(DOT, "*").replace("^", "**"), mode="eval")
        return _Latex().of(tree.body, CHOICES)
    except (SyntaxError, NotImplementedError):
        return words(formula)


def words(text: str) -> str:
    """Plain text within LaTeX."""
    return rf"\text{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    return "".join(rf"\{c}" if c in "#$%&_{}" else {"\\": "/", "^": "**", "~": "-"}.get(c, c) for c in text)


CHOICES, SUMS, PRODUCTS, POWERS, ATOMS = range(5)
"""How tightly the parts of an expression bind."""

FUNCTIONS = {
    "acos": r"\arccos",
    "asin": r"\arcsin",
    "atan": r"\arctan",
    **{name: rf"\{name}" for name in ("cos", "cosh", "max", "min", "sin", "sinh", "tan", "tanh")},
    "log": r"\ln",
    "sigmoid": r"\sigma",
}

OPERATORS = {ast.Add: " + ", ast.Sub: " - ", ast.Mult: r" \cdot "}

RELATIONS = {
    **{ast.Eq: " = ", ast.NotEq: r" \neq ", ast.Lt: " < ", ast.LtE: r" \leq "},
    **{ast.Gt: " > ", ast.GtE: r" \geq "},
}


class _Latex:
    """Writes an expression, with the parentheses it needs."""

    def of(self, tree: ast.expr, least: int = SUMS) -> str:
        """An expression where anything that binds at least so tightly may stand without parentheses."""
        level, text = self._of(tree)
        return text if level >= least else rf"\left({text}\right)"

    def _of(self, tree: ast.expr) -> tuple[int, str]:
        match tree:
            case ast.IfExp(test, then, otherwise):
                chosen = rf"{self.of(then)} \text{{ if }} {self.of(test, CHOICES)}"
                return CHOICES, rf"{chosen} \text{{ else }} {self.of(otherwise)}"
            case ast.Compare(left, [relation], [right]) if type(relation) in RELATIONS:
                return CHOICES, self.of(left) + RELATIONS[type(relation)] + self.of(right)
            case ast.BinOp(left, ast.Add() | ast.Sub() as operator, right):
                return SUMS, self.of(left) + OPERATORS[type(operator)] + self.of(right, PRODUCTS)
            case ast.BinOp(left, ast.Mult(), right):
                return PRODUCTS, self.of(left, PRODUCTS) + OPERATORS[ast.Mult] + self.of(right, POWERS)
            case ast.BinOp(left, ast.Div(), right):
                return POWERS, rf"\frac{{{self.of(left)}}}{{{self.of(right)}}}"
            case ast.BinOp(left, ast.Pow(), right):
                return POWERS, rf"{self.of(left, ATOMS)}^{{{self.of(right)}}}"
            case ast.UnaryOp(ast.USub(), operand):
                return SUMS, f"-{self.of(operand, PRODUCTS)}"
            case ast.Call(ast.Name(name), arguments, []):
                return self._call(name, arguments)
            case ast.Name(name):
                return ATOMS, _name(name)
            case ast.Attribute():
                return ATOMS, rf"\mathrm{{{_escaped(ast.unparse(tree))}}}"
            case ast.Constant(value):
                return _constant(value)
        raise NotImplementedError(ast.dump(tree))

    def _call(self, name: str, arguments: list[ast.expr]) -> tuple[int, str]:
        if name == "exp" and len(arguments) == 1:
            return POWERS, f"e^{{{self.of(arguments[0])}}}"
        if name == "sqrt" and len(arguments) == 1:
            return ATOMS, rf"\sqrt{{{self.of(arguments[0])}}}"
        inside = ", ".join(map(self.of, arguments))
        if name == "abs":
            return ATOMS, rf"\left|{inside}\right|"
        function = FUNCTIONS.get(name) or rf"\mathrm{{{_escaped(name)}}}"
        return POWERS, rf"{function}\left({inside}\right)"


def _name(name: str) -> str:
    if name in ("inf", "nan", "pi"):
        return {"inf": r"\infty", "nan": r"\mathrm{nan}", "pi": r"\pi"}[name]
    letters = name.rstrip("0123456789")
    index = name[len(letters) :]
    base = letters if len(letters) == 1 else rf"\mathrm{{{_escaped(letters)}}}"
    return f"{base}_{{{index}}}" if index else base


def _constant(value: Any) -> tuple[int, str]:
    if value is Ellipsis:
        return ATOMS, r"\ldots"
    if not isinstance(value, (int, float)):
        raise NotImplementedError(value)
    number, _, exponent = labels.number(value).partition("e")
    if number == "inf":
        return ATOMS, r"\infty"
    if not exponent:
        return ATOMS, number
    power = f"10^{{{int(exponent)}}}"
    return (POWERS, power) if number == "1" else (PRODUCTS, rf"{number} \cdot {power}")


# Pieces


@dataclass(frozen=True)
class Term:
    """A piece of mathematics, as text and in LaTeX."""

    text: str
    latex: str

    @classmethod
    def of(cls, formula: str) -> Term:
        """A formula."""
        return cls(formula, to_latex(formula))

    @classmethod
    def total(cls, of: str, by: str) -> Term:
        """The derivative of a result by something, along all ways that lead there."""
        return cls(f"d{of}/d{by}", rf"\frac{{d {to_latex(of)}}}{{d {to_latex(by)}}}")

    @classmethod
    def partial(cls, of: str, by: str, which: str = "") -> Term:
        """The derivative of an operation by an operand; `which`, if it has the same twice."""
        below = f"({which} {by})" if which else by
        index = rf"_{{\mathrm{{{which}}}}}" if which else ""
        return cls(f"{D}{of}/{D}{below}", rf"\frac{{\partial {to_latex(of)}}}{{\partial {{{to_latex(by)}}}{index}}}")

    def equals(self, formula: str) -> Term:
        """An equation."""
        return Term(f"{self.text} = {formula}", f"{self.latex} = {to_latex(formula)}")

    def times(self, other: Term) -> Term:
        """A product."""
        return Term(f"{self.text} {DOT} {other.text}", rf"{self.latex} \cdot {other.latex}")


def listed(terms: list[Term], last: str) -> list[str | Term]:
    """Terms with commas between them, or something else before the last one."""
    gaps = [", "] * (len(terms) - 2) + [last]
    pieces: list[str | Term] = []
    for term, gap in zip(terms, [*gaps[: len(terms) - 1], ""], strict=True):
        pieces += [term, gap] if gap else [term]
    return pieces


def added(terms: list[Term]) -> Term:
    return Term(" + ".join(t.text for t in terms), " + ".join(t.latex for t in terms))


def factor(number: str) -> Term:
    """A number as it stands in a product or a sum."""
    written = to_latex(number)
    return Term(labels.factor(number), rf"\left({written}\right)" if number.startswith("-") else written)
