"""The step-through page: one HTML file that walks through a computation, forward and then backward.

:class:`Walk` turns a picture (`picture.graph`) into steps; the rest writes them down three times over: as panels to
read, as a table for paper, and as JSON for the script that moves from step to step (`step_page.js`).
"""

from __future__ import annotations

import dataclasses
import html
import json
import linecache
import math
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from .. import files
from . import labels
from .explain import DOT, Term, computed, full_name, gradient, incoming, local_steps, operand
from .graph import picture_from
from .picture import Arrow, Box, Picture

__all__ = ["Sent", "Step", "Walk", "page", "save_page"]

UNMOVED = ("constant", "number")
INPUTS = ("leaf", *UNMOVED)

LONGEST = 160
"""Characters of a source line."""


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
        return self.chain[-1] if len(self.chain) > 1 else self.arrow.sent


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
            chain = [symbols, f"{arrow.upstream} {DOT} {_in_product(arrow.local)}", arrow.sent]
        else:
            form = local_steps(box, operands, index, "")
            local = [partial, *form] if form else []
            small = arrow.sent.startswith("grad ")
            chain = [symbols, arrow.sent.removeprefix("grad ")] if small else [symbols]
        count, uses, total, terms = self._arrived[arrow.index]
        sent = Sent(arrow, to, chain, local, count, uses, total)
        if uses > 1 and total is not None:
            written = " + ".join(map(_in_product, terms)) if all(terms) and len(terms) > 1 else ""
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


def _in_product(number: str) -> str:
    return f"({number})" if number.startswith("-") else number


def _exact(array: np.ndarray) -> str:
    """A single number in full, an array of several in its rows."""
    return str(array.reshape(-1)[0]) if array.size == 1 else np.array2string(array, precision=4, suppress_small=True)


# The page


def save_page(
    output: Any,
    path: str | Path,
    names: Any = None,
    *,
    depth: int | None = None,
    max_nodes: int = 200,
    roll: bool = True,
    direction: str = "TB",
    colour: str = "kind",
) -> Path:
    """Write one HTML file that walks through a computation, forward and then backward, without a network.

    A slider and the arrow keys move from operation to operation: its value, then the gradient that comes in, the local
    derivative, their product and the sum where branches meet, and the line of Python behind it.  Compute under
    :func:`autograd_core.record`; else lines are not known, and not all values.

    Parameters
    ----------
    output : Tensor, sequence of tensors, or Picture
        What was computed, or its picture made by :func:`graph`; then the other arguments do not count.
    path : where to write
    names, depth, max_nodes, roll, direction, colour : as those of :func:`graph`

    Returns
    -------
    Path
        Of the file, which is complete or not there at all.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As :func:`graph`, or if nothing is installed that draws.
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import autograd_core as ag
    >>> from autograd_core.tools.pictures.step_page import save_page
    >>> x, y = (ag.tensor(v, requires_grad=True) for v in (2.0, 3.0))
    >>> with ag.record():
    ...     f = x * y + y
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_page(f, f"{folder}/steps.html").stat().st_size < 100_000
    True
    """
    if not isinstance(output, Picture):
        options: dict[str, Any] = {"depth": depth, "max_nodes": max_nodes, "roll": roll}
        options |= {"direction": direction, "colour": colour}
        output = picture_from(sys._getframe(1), output, names=names, **options)
    return files.write(path, page(output).encode())


def page(picture: Picture) -> str:
    """The page of a picture, as HTML.

    Raises
    ------
    RuntimeError
        If nothing is installed that draws.
    """
    walk = Walk(picture)
    # The maps are in the panels; in the drawing they would be there a second time.
    plain = [dataclasses.replace(box, value_map="", gradient_map="") for box in picture.boxes]
    drawing = dataclasses.replace(picture, boxes=plain).svg()
    subject = f"{picture.subject} and the gradients are" if picture.gradient_of else f"{picture.subject} is"
    title = f"How {subject} computed, step by step"
    notes = [*([walk.meaning] if walk.meaning else []), *picture.notes]
    inside = {
        "title": html.escape(title),
        "style": _beside("step_page.css"),
        "colour": picture.colour,
        "notes": "".join(f"<p>{html.escape(note)}</p>" for note in notes),
        "drawing": drawing[drawing.index("<svg") :],
        "panels": "\n".join(f'<section id="step-{i}" hidden>{_panel(walk, s)}</section>' for i, s in _numbered(walk)),
        "rows": "\n".join(_row(walk, i, step) for i, step in _numbered(walk)),
        "data": json.dumps(data(walk), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        "script": _beside("step_page.js"),
        "last": str(len(walk.steps) - 1),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: inside[match[1]], _beside("step_page.html"))


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _numbered(walk: Walk) -> Iterable[tuple[int, Step]]:
    return enumerate(walk.steps)


# Numbers for the script


def data(walk: Walk) -> dict[str, Any]:
    """The steps as plain data: what is known from which step on, and the numbers of each."""
    end = len(walk.steps)
    forward = {step.box.key: i for i, step in _numbered(walk) if step.box is not None and step.phase == "forward"}
    backward = {step.box.key: i for i, step in _numbered(walk) if step.box is not None and step.phase == "backward"}
    arrived: dict[str, int] = {}
    partial: dict[str, list[tuple[int, str]]] = {key: [] for key in walk.boxes}
    for i, step in _numbered(walk):
        for sent in step.sent:
            arrived[sent.to.key] = i
            if sent.sum and sent.total is not None and sent.total.size == 1:
                partial[sent.to.key].append((i, sent.sum[-1]))
    boxes = {
        key: {
            "name": operand(box),
            "value": _plain(box.forward),
            "gradient": _plain(box.backward),
            "value_at": forward.get(key, 0),
            "gradient_at": min(arrived.get(key, end), backward.get(key, end)),
            "partial": partial[key],
        }
        for key, box in walk.boxes.items()
    }
    arrows = [
        {"forward_at": forward.get(arrow.target, 0), "backward_at": end if unmoved else backward.get(arrow.target, end)}
        for arrow in walk.picture.arrows
        for unmoved in [walk.boxes[arrow.source].kind in UNMOVED]
    ]
    return {"of": walk.top, "boxes": boxes, "arrows": arrows, "steps": [_step_data(walk, step) for step in walk.steps]}


def _step_data(walk: Walk, step: Step) -> dict[str, Any]:
    box, back = step.box, step.phase == "backward"
    near = [sent.to.key for sent in step.sent] if back else [b.key for b in walk.operands(box)] if box else []
    return {
        "phase": step.phase,
        "box": box.key if box else None,
        "touched": near,
        "say": step.say,
        "value": _plain(box.forward) if box else None,
        "gradient": _plain(box.backward) if box and back else None,
        "sent": [
            {"to": sent.to.key, "arrow": sent.arrow.index, "chain": sent.chain, "product": _plain(sent.arrow.carried)}
            for sent in step.sent
        ],
        "sums": {sent.to.key: _plain(sent.total) for sent in step.sent if sent.total is not None},
    }


def _plain(array: np.ndarray | None) -> Any:
    """Lists of numbers; what JSON has no number for is text."""
    return None if array is None else _finite(array.tolist())


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


# Panels and the table


def _panel(walk: Walk, step: Step) -> str:
    box = step.box
    if box is None:
        return f"<h2>{html.escape(step.title)}</h2>{_overview(walk, step.phase == 'end')}"
    parts = [f"<h2>{_code(step.title)}</h2>", _origin(box)]
    parts.append(_quantity(f"value of {operand(box)}", "value", box))
    if step.phase == "backward":
        parts.append(_quantity(f"incoming gradient {walk.total(box)}", "gradient", box))
        parts += [_sent_panel(walk, sent) for sent in step.sent]
    return "".join(parts)


def _code(text: str, kind: str = "") -> str:
    return f"<code{f' class={kind}' if kind else ''}>{html.escape(text)}</code>" if text else ""


def _origin(box: Box) -> str:
    """Where it was computed: the module, and the line of Python."""
    made = " ".join(filter(None, [box.module, box.module_class]))
    file, _, number = box.line.rpartition(":")
    source = labels.short(linecache.getline(file, int(number)).strip(), LONGEST) if number.isdigit() else ""
    place = " \N{MIDDLE DOT} ".join(filter(None, [made, box.detail, labels.place(box.line), *box.note.splitlines()]))
    code = f'<pre class="source">{html.escape(source)}</pre>' if source else ""
    return f'<p class="place">{html.escape(place)}</p>{code}'


def _quantity(caption: str, kind: str, box: Box) -> str:
    """A value or a gradient: a single number in full, an array by its facts, its elements if few, and its map."""
    numbers, text, image = (
        (box.forward, box.value, box.value_map) if kind == "value" else (box.backward, gradient(box), box.gradient_map)
    )
    facts = next((f.partition(": ")[2] for f in box.facts.splitlines() if f.startswith(f"{kind}: ")), "")
    if numbers is not None and numbers.size == 1:
        shown = f"<strong>{html.escape(_exact(numbers))}</strong>"
    elif not text:
        shown = "<em>not known</em>"
    else:
        shown = html.escape(facts or text) + _elements(numbers)
        shown += f'<img src="{image}" alt="heat map of the {kind}">' if image else ""
    return f'<div class="{kind}"><h3>{html.escape(caption)}</h3><div>{shown}</div></div>'


def _elements(numbers: np.ndarray | None) -> str:
    return "" if numbers is None or not numbers.size else f"<pre>{html.escape(_exact(numbers))}</pre>"


def _sent_panel(walk: Walk, sent: Sent) -> str:
    """What goes back to one operand."""
    again = ", the time before" if sent.arrow.again else ""
    lines = [f"<h3>sent back to {_code(full_name(sent.to))}{again}</h3>"]
    told = {} if sent.arrow.local else dict(fact.split(": ", 1) for fact in sent.arrow.facts.splitlines())
    local = [_code(" = ".join(sent.local)), html.escape(told.get("local derivative", ""))]
    if any(local):
        lines.append(f"<p>local derivative {': '.join(filter(None, local))}</p>")
    lines.append(f"<p>{_code(' = '.join(sent.chain), 'chain')}</p>")
    if len(sent.chain) == 1:  # too large to stand there
        lines.append(f"<p>{html.escape(told.get('sent back', ''))}</p>{_elements(sent.arrow.carried)}")
    if sent.uses > 1:
        left = sent.uses - sent.count
        state = f"{sent.uses} branches meet here: this is number {sent.count}"
        state += f", {left} still to come" if left else ", the last"
        total = f"{walk.total(sent.to)} {'so far ' if left else ''}= "
        lines.append(f'<p class="sum">{state}. {_code(total + " = ".join(sent.sum)) if sent.sum else ""}</p>')
        if sent.total is not None and sent.total.size > labels.SMALL:
            lines.append(_elements(sent.total))
    return f'<div class="sent">{"".join(lines)}</div>'


def _overview(walk: Walk, gradients: bool) -> str:
    """A table of the inputs."""
    head = ["input", "shape and dtype", "value", f"gradient of {html.escape(walk.top)}"][: 3 + gradients]
    rows = []
    for box in walk.picture.boxes:
        if box.kind == "leaf" or (box.kind == "constant" and not gradients):
            cells = [_code(full_name(box)), html.escape(box.detail), _brief(box.forward, box.value)]
            rows.append("<tr><td>" + "<td>".join([*cells, _brief(box.backward, gradient(box))][: 3 + gradients]))
    return f"<table><tr><th>{'<th>'.join(head)}{''.join(rows)}</table>"


def _brief(numbers: np.ndarray | None, text: str) -> str:
    return html.escape(_exact(numbers) if numbers is not None and numbers.size == 1 else text)


def _row(walk: Walk, i: int, step: Step) -> str:
    """A step in the table of all steps."""
    box, back = step.box, step.phase == "backward"
    value = _brief(box.forward, box.value) if box and not back else ""
    arrived = _brief(box.backward, gradient(box)) if box and back else ""
    sides = []
    for sent in step.sent:
        far = " so far" if sent.count < sent.uses else ""
        total = f"; {walk.total(sent.to)}{far} = {sent.sum[-1]}" if sent.sum else ""
        rest = "" if len(sent.chain) > 1 else f" {sent.result}"
        chain = _code(" = ".join(sent.chain))
        sides.append(f"<div>to {_code(full_name(sent.to))}: {chain}{html.escape(rest + total)}</div>")
    line = html.escape(labels.place(box.line)) if box else ""
    cells = [f'<a href="#step={i}">{i}</a>', step.phase, _code(step.title), value, arrived, "".join(sides), line]
    return f'<tr id="row-{i}"><td>' + "<td>".join(cells)
