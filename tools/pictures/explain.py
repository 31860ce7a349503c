"""The derivation of a gradient written out: values forward, then the chain rule, every formula with its numbers.

Formulas are those of the picture (`picture.graph`) and the table `LOCAL`; LaTeX is made of the same text by reading it
as an expression.
"""

from __future__ import annotations

import ast
import html
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from autograd_core.tensor import Tensor

from . import labels
from .graph import picture_from
from .picture import Arrow, Box, Picture

__all__ = ["LOCAL", "Explanation", "computed", "explain", "full_name", "gradient", "incoming", "local_steps", "operand"]

DOT, D = "\N{MIDDLE DOT}", "\N{PARTIAL DIFFERENTIAL}"

LOCAL: dict[str, tuple[str, ...]] = {
    "abs": ("sign(a)",),
    "acos": ("-1 / sqrt(1 - a^2)",),
    "add": ("1", "1"),
    "acosh": ("1 / sqrt(a^2 - 1)",),
    "asin": ("1 / sqrt(1 - a^2)",),
    "asinh": ("1 / sqrt(a^2 + 1)",),
    "atan": ("1 / (1 + a^2)",),
    "atanh": ("1 / (1 - a^2)",),
    "clamp_max": ("1 if a <= b else 0", "0 if a <= b else 1"),
    "clamp_min": ("1 if a >= b else 0", "0 if a >= b else 1"),
    "clone": ("1",),
    "cos": ("-sin(a)",),
    "cosh": ("sinh(a)",),
    "div": ("1 / b", "-a / b^2"),
    "erf": ("2 / sqrt(pi) * exp(-a^2)",),
    "erfc": ("-2 / sqrt(pi) * exp(-a^2)",),
    "exp": ("y",),
    "exp2": ("y * log(2)",),
    "expm1": ("y + 1",),
    "hypot": ("a / y", "b / y"),
    "log": ("1 / a",),
    "log10": ("1 / (a * log(10))",),
    "log1p": ("1 / (1 + a)",),
    "log2": ("1 / (a * log(2))",),
    "logaddexp": ("exp(a - y)", "exp(b - y)"),
    "maximum": ("(1 + sign(a - b)) / 2", "(1 + sign(b - a)) / 2"),
    "minimum": ("(1 + sign(b - a)) / 2", "(1 + sign(a - b)) / 2"),
    "mul": ("b", "a"),
    "neg": ("-1",),
    "pow": ("b * a^(b - 1)", "y * log(a)"),
    "positive": ("1",),
    "reciprocal": ("-1 / a^2",),
    "relu": ("1 if a > 0 else 0",),
    "rsqrt": ("-y / (2 * a)",),
    "sigmoid": ("y * (1 - y)",),
    "sin": ("cos(a)",),
    "sinh": ("cosh(a)",),
    "sqrt": ("1 / (2 * y)",),
    "square": ("2 * a",),
    "sub": ("1", "-1"),
    "tan": ("1 + y^2",),
    "tanh": ("1 - y^2",),
    "where": ("", "1 if a else 0", "0 if a else 1"),
}
"""The derivatives of y = operation(a, b, c) by a, b and c, where they have a short form."""

WORD = re.compile(r"(?<!\w)(?:previous )?[^\W\d]\w*(?:\.\w+)*")
"""A name in a formula; in a repetition also that of the time before, whose value is another one."""


# What a picture knows of an operation


def incoming(picture: Picture) -> dict[str, list[Arrow]]:
    """The arrows to each box, by its key; to an operation one for each known operand, in their order."""
    found: dict[str, list[Arrow]] = {box.key: [] for box in picture.boxes}
    for arrow in picture.arrows:
        found[arrow.target].append(arrow)
    return found


def operand(box: Box) -> str:
    """What formulas call a box."""
    return labels.last_name(box.name) if box.name else box.title


def full_name(box: Box) -> str:
    """What a box is called where there is no formula: a parameter by its whole path."""
    return box.name or box.title


def gradient(box: Box) -> str:
    """Its gradient as text, without saying that it is one."""
    return box.gradient.removeprefix("grad ")


def local_derivative(box: Box, operands: list[str], index: int) -> str:
    """The derivative of an operation by one of its operands, in their names; empty if it has no short form."""
    forms = LOCAL.get(box.operation, ())
    if len(forms) != len(operands):
        return ""
    return _replaced(forms[index], dict(zip("abc", operands, strict=False)) | {"y": operand(box)}).replace("*", DOT)


def substituted(formula: str, values: Mapping[str, str]) -> str:
    """A formula with numbers in the place of names.

    >>> substituted("x^2 + exp(y)", {"x": "-3", "y": "0.5"})
    '(-3)^2 + exp(0.5)'
    """
    return _replaced(formula, values)


def _replaced(formula: str, values: Mapping[str, str]) -> str:
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
        return rf"\text{{{_escaped(formula)}}}"


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


# The derivation


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


def _listed(terms: list[Term], last: str) -> list[str | Term]:
    """Terms with commas between them, or something else before the last one."""
    gaps = [", "] * (len(terms) - 2) + [last]
    pieces: list[str | Term] = []
    for term, gap in zip(terms, [*gaps[: len(terms) - 1], ""], strict=True):
        pieces += [term, gap] if gap else [term]
    return pieces


def _added(terms: list[Term]) -> Term:
    return Term(" + ".join(t.text for t in terms), " + ".join(t.latex for t in terms))


def _factor(number: str) -> Term:
    """A number as it stands in a product or a sum."""
    written = to_latex(number)
    return Term(f"({number})", rf"\left({written}\right)") if number.startswith("-") else Term(number, written)


Sentence: TypeAlias = tuple[str | Term, ...]
Equation: TypeAlias = list[Term]


@dataclass(repr=False)
class Explanation:
    """A derivation; prints as text, and shows itself in a notebook as formulas.

    Attributes
    ----------
    lines : sentences as tuples of their pieces, and equations as lists of what is equal
    gradients : the derivatives of the result by the leaves, by name, which of a parameter is its whole path
    """

    lines: list[Sentence | Equation]
    gradients: dict[str, float]

    @property
    def text(self) -> str:
        """In words and plain formulas."""
        return "\n".join(
            f"    {' = '.join(term.text for term in line)}" if isinstance(line, list) else _sentence(line, "text")
            for line in self.lines
        )

    @property
    def latex(self) -> str:
        """An ``aligned`` block."""
        rows = [
            rf"&\quad {' = '.join(t.latex for t in line)}" if isinstance(line, list) else f"&{_sentence(line, 'latex')}"
            for line in self.lines
        ]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"

    def _repr_html_(self) -> str:
        shown = []
        for line in self.lines:
            if isinstance(line, list):
                equation = html.escape(" = ".join(term.latex for term in line))
                shown.append(f'<p style="margin-left: 2em">$\\displaystyle {equation}$</p>')
            else:
                shown.append(f"<p>{_sentence(line, 'html')}</p>")
        return "\n".join(shown)

    def __repr__(self) -> str:
        return self.text


def _sentence(pieces: Sentence, kind: str) -> str:
    """A sentence as text, in LaTeX, or in HTML with formulas in LaTeX."""
    if kind == "text":
        return "".join(piece if isinstance(piece, str) else piece.text for piece in pieces)
    if kind == "latex":
        return "".join(rf"\text{{{_escaped(p)}}}" if isinstance(p, str) else p.latex for p in pieces)
    return "".join(html.escape(p if isinstance(p, str) else f"${p.latex}$") for p in pieces)


def explain(output: Any, names: Mapping[str, Any] | None = None) -> Explanation:
    """How a scalar expression and its derivatives get their values, in words and formulas with numbers.

    Compute under :func:`autograd_core.record`, or not all values may be known.

    Parameters
    ----------
    output : Tensor
        Of one element, computed from tensors of one element; of arrays, `graph` and `save_page` tell.
    names : mapping of names to tensors, optional
        What to call them; else by their own names, or those of the variables where this is asked.

    Returns
    -------
    Explanation
        With ``text`` and ``latex``; a notebook shows formulas.

    Raises
    ------
    ValueError
        If there are arrays in it.
    TypeError, RuntimeError
        If `output` is no tensor, requires no gradient, or its graph was released.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.tools.pictures.explain import explain
    >>> x, y = (ag.tensor(v, requires_grad=True) for v in (2.0, 3.0))
    >>> with ag.record():
    ...     f = x * y + y
    >>> derivation = explain(f)
    >>> print(derivation.text)  # doctest: +ELLIPSIS
    Given x = 2, y = 3.
    Forward, one operation after the other:
        v1 = x · y = 2 · 3 = 6
        f = v1 + y = 6 + 3 = 9
    Backward, by the chain rule, from f itself:
        df/df = 1
    ...
    Result: df/dx = 3, df/dy = 3.
    >>> derivation.gradients
    {'x': 3.0, 'y': 3.0}
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"explain: expected a tensor, got {type(output).__name__}")
    picture = picture_from(sys._getframe(1), output, names=names, roll=False, max_nodes=sys.maxsize)
    for box in picture.boxes:
        single = box.detail.startswith("scalar") if box.forward is None else box.forward.size == 1
        if box.detail and not single:
            raise ValueError(
                f"explain: expected an expression of single numbers, but {box.title} has shape and dtype {box.detail}; "
                f"graph() and save_page() show the gradients of arrays"
            )
    if not picture.gradient_of:
        raise RuntimeError(f"explain: {' '.join(picture.notes)}")
    return _Derivation(picture).explanation()


class _Derivation:
    """Writes the lines of a derivation one after the other."""

    def __init__(self, picture: Picture) -> None:
        self.boxes = {box.key: box for box in picture.boxes}
        self.incoming = incoming(picture)
        self.leaves = [box for box in picture.boxes if box.kind == "leaf" and box.backward is not None]
        self.operations = [box for box in picture.boxes if box.operation]
        self.result = (self.operations or self.leaves)[-1]
        self.top = operand(self.result)
        self.lines: list[Sentence | Equation] = []

    def explanation(self) -> Explanation:
        """All of it."""
        given = [Term.of(b.name).equals(b.value) for b in self.boxes.values() if not b.operation and b.name and b.value]
        if given:
            self._say("Given ", *_listed(given, ", "), ".")
        if self.operations:
            self._say("Forward, one operation after the other:")
        for box in self.operations:
            self.lines.append([Term.of(operand(box)), *map(Term.of, computed(box, self._operands(box)))])
        self._say("Backward, by the chain rule, from ", Term.of(self.top), " itself:")
        self.lines.append([self._total(self.result), Term.of("1")])
        for box in [*self.operations[-2::-1], *self.leaves]:
            if box.backward is not None and box is not self.result:
                self._backward(box)
        self._say("Result: ", *_listed([self._total(b).equals(gradient(b)) for b in self.leaves], ", "), ".")
        return Explanation(self.lines, {full_name(b): b.backward.item() for b in self.leaves if b.backward is not None})

    def _say(self, *pieces: str | Term) -> None:
        self.lines.append(pieces)

    def _operands(self, box: Box) -> list[Box]:
        return [self.boxes[arrow.source] for arrow in self.incoming[box.key]]

    def _total(self, box: Box) -> Term:
        return Term.total(self.top, full_name(box))

    def _backward(self, box: Box) -> None:
        """What comes back to a value along all its uses."""
        uses = [
            (self.boxes[arrow.target], arrow, index)
            for arrows in self.incoming.values()
            for index, arrow in enumerate(arrows)
            if arrow.source == box.key and arrow.sent
        ]
        formulas = dict.fromkeys(Term.of(operand(target)).equals(target.formula) for target, _, _ in uses)
        several = "; what comes back along each use is added up" if len(uses) > 1 else ""
        self._say(Term.of(full_name(box)), " goes into ", *_listed(list(formulas), " and "), f"{several}:")
        symbols, numbers = [], []
        for target, arrow, index in uses:
            operands = self._operands(target)
            twice = operands.count(box) > 1
            partial = Term.partial(operand(target), operand(box), ORDINALS[index] if twice else "")
            if arrow.local:
                self.lines.append([partial, *map(Term.of, local_steps(target, operands, index, arrow.local))])
            symbols.append(self._total(target).times(partial))
            numbers.append(_factor(arrow.upstream).times(_factor(arrow.local)) if arrow.local else Term.of(arrow.sent))
        sent = [_added([_factor(arrow.sent) for _, arrow, _ in uses])] if len(uses) > 1 else []
        self.lines.append([self._total(box), _added(symbols), _added(numbers), *sent, Term.of(gradient(box))])


ORDINALS = ("1st", "2nd", "3rd")


def computed(box: Box, operands: list[Box]) -> list[str]:
    """The formula of an operation, the same with numbers, and what it gives; without what says nothing more."""
    steps = [box.formula, substituted(box.formula, _numbers(operands)), box.value]
    return [step for i, step in enumerate(steps) if step and step not in steps[:i]]


def local_steps(box: Box, operands: list[Box], index: int, value: str) -> list[str]:
    """The derivative of an operation by one of its operands: its form, that with numbers, and what it is."""
    form = local_derivative(box, list(map(operand, operands)), index)
    steps = [form, substituted(form, _numbers([box, *operands])), value]
    return [step for i, step in enumerate(steps) if step and step not in steps[:i]]


def _numbers(boxes: list[Box]) -> dict[str, str]:
    """The values of single numbers by name; none if a name is not unique."""
    numbers: dict[str, str] = {}
    for box in boxes:
        known = box.forward is not None and box.forward.size == 1
        if known and numbers.setdefault(operand(box), box.value) != box.value:
            return {}
    return numbers
