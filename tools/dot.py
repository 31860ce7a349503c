"""A picture written in DOT, Graphviz' language, with the one style all pictures have.

Blue is what went forward, orange what comes back; the pair stays apart for colour-blind eyes, and by lightness in
black and white.  Only names go beyond ASCII, for whose widths not every renderer has a table.
"""

from __future__ import annotations

import html
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .picture import Arrow, Box, Picture

__all__ = ["source"]

VALUE, GRADIENT, QUIET, INK = "#0059A0", "#C04A00", "#6B6B6B", "#1A1A1A"

KINDS = {
    "leaf": f'fillcolor="#E3EEF8" color="{VALUE}"',
    "operation": f'fillcolor="#FFFFFF" color="{QUIET}"',
    "output": f'fillcolor="#FFF4D6" color="{INK}" penwidth=2',
    "constant": f'fillcolor="#FFFFFF" color="{QUIET}" style="rounded,filled,dashed"',
    "number": 'shape=plaintext style="" margin="0.02,0.02" height=0.2',
    "left out": f'fillcolor="#F2F2F2" color="{QUIET}" style="rounded,filled,dashed"',
}

INPUTS = ("leaf", "constant", "number")

MOST_ARROWS = 4
"""An input used more often than this is drawn at each of its uses."""


def source(picture: Picture) -> str:
    """The DOT source of a picture."""
    lines = [
        "digraph backprop {",
        f"  graph [rankdir={picture.direction} ordering=in nodesep=0.3 ranksep=0.35 pad=0.15 labelloc=b labeljust=l "
        f'fontname="Arial" fontsize=10 fontcolor="{QUIET}"];',
        f'  node [shape=box style="rounded,filled" fontname="Arial" fontsize=11 fontcolor="{INK}" '
        f'margin="0.12,0.06" height=0.3 width=0.3];',
        f'  edge [fontname="Arial" fontsize=10 color="{QUIET}" fontcolor="{GRADIENT}" arrowsize=0.6];',
        f"  label=<{_caption(picture)}>;",
        *map(_box, picture.boxes),
        *_arrows(picture),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _box(box: Box) -> str:
    if box.kind in ("number", "left out"):
        label = _text(box.title, QUIET)
    else:
        quiet = box.kind == "constant"
        lines = [
            _title(box, QUIET) if quiet else f"<B>{_title(box)}</B>",
            _text(box.detail, QUIET, 9),
            _text(box.value, QUIET if quiet else VALUE),
            _text(box.gradient, GRADIENT),
        ]
        label = "<BR/>".join(line for line in lines if line)
    return f"  {box.key} [label=<{label}> {KINDS[box.kind]}];"


def _title(box: Box, colour: str = "") -> str:
    return _text(box.title, colour) or "?"


def _arrows(picture: Picture) -> Iterator[str]:
    boxes = {box.key: box for box in picture.boxes}
    uses = Counter(arrow.source for arrow in picture.arrows)
    drawn: Counter[str] = Counter()
    for arrow in picture.arrows:
        origin, start = boxes[arrow.source], arrow.source
        drawn[start] += 1
        # An input used all over the graph, as a recurrent net's weight, would cover it with long arrows: after the
        # first use its name stands beside each use instead.
        if origin.kind in INPUTS and uses[start] > MOST_ARROWS and drawn[start] > 1:
            start = f"{start}_{drawn[start]}"
            yield f"  {start} [label=<{_title(origin)}> {KINDS[origin.kind]}];"
        yield _arrow(arrow, start, origin)


def _arrow(arrow: Arrow, start: str, origin: Box) -> str:
    if arrow.local:
        label = f"{arrow.upstream} * {arrow.local} = {arrow.sent}"
    else:  # an array that is used once gets its whole gradient from there: no need to say it twice
        label = arrow.sent if arrow.sent != origin.gradient else ""
    # Heavy edges are short and straight: they draw the operations as the spine and hang the inputs beside it.
    weight = 1 if origin.kind in INPUTS else 8
    text = f" label=< {_text(label)}>" if label else ""
    return f"  {start} -> {arrow.target} [weight={weight}{text}];"


def _caption(picture: Picture) -> str:
    """What the colours mean, and the notes."""
    parts = []
    if any(box.value for box in picture.boxes):
        parts.append(_text("forward value", VALUE))
    if picture.gradient_of:
        parts.append(_text(f"grad: gradient of {picture.gradient_of}", GRADIENT))
    if any(arrow.local for arrow in picture.arrows):
        parts.append(_text("on an arrow: upstream gradient * local derivative = sent back", GRADIENT))
    lines = ["     ".join(parts)] if parts else []
    for note in picture.notes:
        lines += [_text(line) for line in textwrap.wrap(note, 80)]
    return "".join(f'{line}<BR ALIGN="LEFT"/>' for line in ["", *lines])


def _text(text: str, colour: str = "", size: int = 0) -> str:
    """One line as it may stand in a label, whatever characters it has; empty if there is nothing in it."""
    shown = html.escape(" ".join("".join(c if c.isprintable() else " " for c in text).split()))
    attributes = (f' COLOR="{colour}"' if colour else "") + (f' POINT-SIZE="{size}"' if size else "")
    return f"<FONT{attributes}>{shown}</FONT>" if shown and attributes else shown
