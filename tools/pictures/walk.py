"""The steps through a computation: forward through its operations, then backward through the gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from . import labels
from .derivatives import computed, full_name, gradient, incoming, local_steps, operand, sent_back
from .notation import DOT, Term
from .picture import Arrow, Box, Picture

__all__ = ["UNMOVED", "Sent", "Step", "Walk"]

UNMOVED = ("constant", "number")
"""What no gradient goes to."""

INPUTS = ("leaf", *UNMOVED)


@dataclass
class Sent:
    """What goes back along an arrow, and what has arrived at its end by then.

    Attributes
    ----------
    arrow : of the picture
    chain : the chain rule, its sides one after the other: symbols, numbers, result
    local : the local derivative: symbols, numbers, result
    count, uses : which contribution to this box it is, and of how many
    total : the sum of the contributions so far, None where it is not known
    sum : the same as an equation's sides: terms, value; empty if there is only one contribution
    """

    arrow: Arrow
    to: Box
    chain: list[str]
    local: list[str]
    count: int = 1
    uses: int = 1
    total: np.ndarray | None = None
    sum: list[str] = field(default_factory=list)

    @property
    def result(self) -> str:
        """What is sent, in one or a few numbers."""
        return self.arrow.sent.removeprefix("grad ")

    @property
    def whole(self) -> bool:
        """Whether the chain ends with all of what is sent."""
        return self.chain[-1] == self.result


@dataclass
class Step:
    """One step: ``start`` (the inputs), ``forward`` or ``backward`` through a box, ``end`` (the gradients)."""

    phase: str
    title: str
    box: Box | None = None
    sent: list[Sent] = field(default_factory=list)
    say: str = ""


class Walk:
    """The steps through a picture.

    Attributes
    ----------
    steps : in order
    top : what the gradients are gradients of, as formulas have it
    """

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.boxes = {box.key: box for box in picture.boxes}
        self.incoming = incoming(picture)
        self.made = [box for box in picture.boxes if box.kind not in INPUTS]
        outputs = [box for box in picture.boxes if box.kind == "output"] or picture.boxes[-1:]
        single = len(outputs) == 1 and outputs[0].backward is not None and outputs[0].backward.size == 1
        self.top = operand(outputs[0]) if single else "S"
        several = picture.gradient_of and not single
        self.meaning = f"Here S is {picture.gradient_of}, over all elements." if several else ""
        self._arrived = self._contributions()
        self.steps = [Step("start", "The inputs"), *map(self._forward, self.made)]
        if picture.gradient_of:
            self.steps += [*map(self._backward, reversed(self.made)), Step("end", "All gradients are there")]
        for i, step in enumerate(self.steps):
            step.say = f"Step {i} of {len(self.steps) - 1}. {step.say or step.title}"

    def total(self, box: Box) -> str:
        """The derivative of the result by a box, in symbols."""
        return Term.total(self.top, operand(box)).text

    def operands(self, box: Box) -> list[Box]:
        """What an operation was computed from."""
        return [self.boxes[arrow.source] for arrow in self.incoming[box.key]]

    def _forward(self, box: Box) -> Step:
        small = box.forward is not None and box.forward.size <= labels.SMALL
        equation = " = ".join([operand(box), *computed(box, self.operands(box))]) if small else box.title
        return Step("forward", equation, box, say=f"Forward: {equation}")

    def _backward(self, box: Box) -> Step:
        operands = self.operands(box)
        sent = [
            self._sent(box, operands, index, arrow)
            for index, arrow in enumerate(self.incoming[box.key])
            if self.boxes[arrow.source].kind not in UNMOVED
        ]
        arrives = f"; {self.total(box)} is {gradient(box)}" if box.gradient else ""
        says = [f"to {full_name(s.to)}: {s.result}{', sum ' + s.sum[-1] if s.sum else ''}" for s in sent]
        return Step(
            "backward", f"Back through {box.title}", box, sent, "; ".join([f"Back through {box.title}{arrives}", *says])
        )

    def _sent(self, box: Box, operands: list[Box], index: int, arrow: Arrow) -> Sent:
        to = self.boxes[arrow.source]
        which = f"{index + 1}." if operands.count(to) > 1 else ""
        partial = Term.partial(operand(box), operand(to), which).text
        symbols = f"{self.total(box)} {DOT} {partial}"
        if arrow.local:
            local = [partial, *local_steps(box, operands, index, arrow.local)]
            chain = [symbols, f"{arrow.upstream} {DOT} {labels.factor(arrow.local)}", arrow.sent]
        else:
            form = local_steps(box, operands, index, "")
            local = [partial, *form] if form else []
            sides = [sent_back(box, operands, index, self.total(box))]
            sides += [arrow.sent.removeprefix("grad ")] if arrow.sent.startswith("grad ") else []
            chain = [symbols, *filter(None, sides)]
        count, uses, total, terms = self._arrived[arrow.index]
        sent = Sent(arrow, to, chain, local, count, uses, total)
        if uses > 1 and total is not None:
            written = " + ".join(map(labels.factor, terms)) if all(terms) and len(terms) > 1 else ""
            sent.sum = [part for part in (written, labels.value_text(total)) if part]
        return sent

    def _contributions(self) -> dict[int, _Arrival]:
        """For each arrow: which contribution to its box it is, of how many, their sum by then, and its terms."""
        order: dict[str, list[Arrow]] = {}
        for box in reversed(self.made):
            for arrow in self.incoming[box.key]:
                order.setdefault(arrow.source, []).append(arrow)
        return {i: arrival for key, arrows in order.items() for i, arrival in _summed(self.boxes[key], arrows)}


_Arrival: TypeAlias = tuple[int, int, np.ndarray | None, list[str]]


def _summed(box: Box, arrows: list[Arrow]) -> Iterator[tuple[int, _Arrival]]:
    """What has arrived at a box with each of its arrows; an output begins with the 1 of its own."""
    own = int(box.kind == "output")
    known = box.backward is not None and all(a.carried is not None and a.uses == 1 and not a.again for a in arrows)
    total = np.full_like(box.backward, own) if known else None
    terms = ["1"] * own
    found = []
    for count, arrow in enumerate(arrows, 1 + own):
        if total is not None:
            total = total + arrow.carried
            terms = [*terms, labels.value_text(np.asarray(arrow.carried)) if total.size == 1 else ""]
        found.append((arrow.index, (count, len(arrows) + own, total, terms)))
    # What is hidden from the picture may have sent something too; then no sum is shown rather than a wrong one.
    complete = total is not None and box.backward is not None and np.allclose(total, box.backward, equal_nan=True)
    return iter(found if complete else [(i, (count, uses, None, [])) for i, (count, uses, _, _) in found])
