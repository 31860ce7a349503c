"""The step-through page: one HTML file that walks through a computation, forward and then backward.

A `walk` through a picture is written down three times over: as panels to read, as a table for paper, and as JSON for
the script that moves from step to step (`step_page.js`).
"""

from __future__ import annotations

import dataclasses
import html
import json
import linecache
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .. import files
from ..plain_json import plain
from . import labels
from .derivatives import full_name, gradient, operand
from .graph import picture_from
from .picture import Box, Picture
from .walk import UNMOVED, Sent, Step, Walk

__all__ = ["page", "save_page"]

LONGEST = 160
"""Characters of a source line."""


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
        output = picture_from("save_page", sys._getframe(1), output, names=names, **options)
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
    return None if array is None else plain(array.tolist())


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
    if not sent.whole:  # too large to stand there
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
        rest = "" if sent.whole else f" {sent.result}"
        chain = _code(" = ".join(sent.chain))
        sides.append(f"<div>to {_code(full_name(sent.to))}: {chain}{html.escape(rest + total)}</div>")
    line = html.escape(labels.place(box.line)) if box else ""
    cells = [f'<a href="#step={i}">{i}</a>', step.phase, _code(step.title), value, arrived, "".join(sides), line]
    return f'<tr id="row-{i}"><td>' + "<td>".join(cells)
