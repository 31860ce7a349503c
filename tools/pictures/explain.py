"""The derivation of a gradient written out: values forward, then the chain rule, every formula with its numbers."""

from __future__ import annotations

import html
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from autograd_core.tensor import Tensor

from .derivatives import computed, full_name, gradient, incoming, local_steps, operand
from .graph import picture_from
from .notation import Term, added, factor, listed, words
from .picture import Box, Picture

__all__ = ["Explanation", "explain"]

ORDINALS = ("1st", "2nd", "3rd")

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
        return "".join(words(p) if isinstance(p, str) else p.latex for p in pieces)
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
    picture = picture_from("explain", sys._getframe(1), output, names=names, roll=False, max_nodes=sys.maxsize)
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
            self._say("Given ", *listed(given, ", "), ".")
        for box in self.boxes.values():
            if not box.operation and box.note:
                self._say(f"{box.name or box.title} was {box.note}, and what it was is not known.")
        if self.operations:
            self._say("Forward, one operation after the other:")
        for box in self.operations:
            self.lines.append([Term.of(operand(box)), *map(Term.of, computed(box, self._operands(box)))])
        self._say("Backward, by the chain rule, from ", Term.of(self.top), " itself:")
        self.lines.append([self._total(self.result), Term.of("1")])
        for box in [*self.operations[-2::-1], *self.leaves]:
            if box.backward is not None and box is not self.result:
                self._backward(box)
        self._say("Result: ", *listed([self._total(b).equals(gradient(b)) for b in self.leaves], ", "), ".")
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
        self._say(Term.of(full_name(box)), " goes into ", *listed(list(formulas), " and "), f"{several}:")
        symbols, numbers = [], []
        for target, arrow, index in uses:
            operands = self._operands(target)
            twice = operands.count(box) > 1
            partial = Term.partial(operand(target), operand(box), ORDINALS[index] if twice else "")
            if arrow.local:
                self.lines.append([partial, *map(Term.of, local_steps(target, operands, index, arrow.local))])
            symbols.append(self._total(target).times(partial))
            numbers.append(factor(arrow.upstream).times(factor(arrow.local)) if arrow.local else Term.of(arrow.sent))
        sent = [added([factor(arrow.sent) for _, arrow, _ in uses])] if len(uses) > 1 else []
        self.lines.append([self._total(box), added(symbols), added(numbers), *sent, Term.of(gradient(box))])
