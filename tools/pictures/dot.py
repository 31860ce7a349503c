"""A picture written in DOT, Graphviz' language, with the one style all pictures have.

Blue is what went forward, orange what comes back; the pair stays apart for colour-blind eyes, and by lightness in
black and white.
"""

from __future__ import annotations

import html
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import labels
from .gradient_colours import GradientColours

if TYPE_CHECKING:
    from .picture import Arrow, Box, Cluster, Picture

__all__ = ["source"]

VALUE, GRADIENT, QUIET, INK = "#0059A0", "#C04A00", "#6B6B6B", "#1A1A1A"

KINDS = {
    "leaf": ("#E3EEF8", VALUE, ""),
    "operation": ("#FFFFFF", QUIET, ""),
    "module": ("#EFEAF6", "#5B4A8A", " penwidth=1.5"),
    "loop": ("#E2F0E6", "#4F7F63", " penwidth=1.5"),
    "output": ("#FFF4D6", INK, " penwidth=2"),
    "python": ("#FBE9E7", "#A02020", ""),
    "constant": ("#FFFFFF", QUIET, ' style="rounded,filled,dashed"'),
    "left out": ("#F2F2F2", QUIET, ' style="rounded,filled,dashed"'),
}
"""Fill, frame, and what else is special."""

NUMBER = 'shape=plaintext style="" margin="0.02,0.02" height=0.2'

CLUSTERS = {
    "module": 'style="rounded,filled" color="#B9B2CC"',
    "repetition": 'style="rounded,dashed,filled" color="#7A6F99" penwidth=1.5',
    "loop": 'style="rounded,filled" color="#7FA98F"',
}

SHADES = {"module": ("#F8F7FB", "#F1EFF7"), "repetition": ("#F8F7FB", "#F1EFF7"), "loop": ("#EEF6F0", "#EEF6F0")}
"""What lies within one another differs."""

INPUTS = ("leaf", "constant", "number")

DOT, MULTIPLIED = "\N{MIDDLE DOT}", "\N{MULTIPLICATION SIGN}"

MOST_FIELDS = 50
"""In the strip of colours of a repetition."""

LEFT, CENTRE = '<BR ALIGN="LEFT"/>', "<BR/>"

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
        *_Source(picture).lines(),
        "}",
    ]
    return "\n".join(lines) + "\n"


class _Source:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.colours: GradientColours | None = None
        if picture.colour == "gradient":
            strips = [*(box.magnitudes for box in picture.boxes), *(c.magnitudes for c in picture.clusters)]
            self.colours = GradientColours([*(box.magnitude for box in picture.boxes), *(m for s in strips for m in s)])
        self.within: dict[int | None, list[str]] = {}  # the lines in each cluster
        lines = {box.line for box in picture.boxes if box.line}
        self.line = lines.pop() if len(lines) == 1 else ""  # of everything

    def lines(self) -> Iterator[str]:
        """All but the beginning and the end."""
        arrows = list(self._arrows())
        for box in self.picture.boxes:
            self.within.setdefault(box.cluster, []).append(self._box(box))
        inner: dict[int | None, list[Cluster]] = {}
        for cluster in self.picture.clusters:
            inner.setdefault(cluster.parent, []).append(cluster)
        yield f"  label=<{self._caption()}>;"
        yield from self._group(None, inner, 0)
        yield from arrows

    def _group(self, number: int | None, inner: dict[int | None, list[Cluster]], level: int) -> Iterator[str]:
        yield from self.within.get(number, [])
        for cluster in inner.get(number, []):
            shade = SHADES[cluster.kind][level % 2]
            yield f"  subgraph cluster_{cluster.number} {{"
            yield f'  graph [id="module-{cluster.number}" label=<{self._cluster_label(cluster)}> labelloc=t'
            yield f'  {CLUSTERS[cluster.kind]} fillcolor="{shade}" fontcolor="{INK}"];'
            yield from self._group(cluster.number, inner, level + 1)
            yield "  }"

    def _cluster_label(self, cluster: Cluster) -> str:
        times = f"{MULTIPLIED}{cluster.times:,}" if cluster.times > 1 else ""
        parent = None if cluster.parent is None else self.picture.clusters[cluster.parent]
        line = labels.place(cluster.line) if cluster.line != (self.line if parent is None else parent.line) else ""
        title = self._within(cluster.title, cluster.parent)
        head = [_bold(title, INK), _text(cluster.detail, QUIET), _bold(times, INK), _text(line, QUIET, 9)]
        notes = [_text(line, GRADIENT if "grad" in line else QUIET, 9) for line in cluster.note.splitlines()]
        text = CENTRE.join(filter(None, [" ".join(filter(None, head)), *notes])) or " "
        return self._with_strip(text, cluster.magnitudes)

    def _with_strip(self, text: str, magnitudes: list[float]) -> str:
        """A label, and below it the gradients of all times as a strip of colours, the first on the left."""
        if self.colours is None or not magnitudes:
            return text
        n = min(len(magnitudes), MOST_FIELDS)
        chosen = [magnitudes[round(i * (len(magnitudes) - 1) / max(n - 1, 1))] for i in range(n)]
        size = 'WIDTH="9" HEIGHT="18" FIXEDSIZE="TRUE"'
        fields = "".join(f'<TD {size} BGCOLOR="{self.colours.of(m)[0]}"></TD>' for m in chosen)
        strip = _table([fields], f'BORDER="1" COLOR="{QUIET}" CELLPADDING="0"')
        return _table([f"<TD>{text}</TD>", f"<TD>{strip}</TD>"], 'BORDER="0" CELLPADDING="1"')

    # Boxes

    def _box(self, box: Box, key: str = "") -> str:
        key = key or box.key
        named = f'{key} [id="box-{key.replace("_", "-")}"'
        if box.kind == "number":
            return f"  {named} label=<{_text(box.title, QUIET)}> {NUMBER}];"
        fill, frame, special = KINDS[box.kind]
        ink = INK
        if self.colours is not None and box.magnitude is not None:
            fill, ink = self.colours.of(box.magnitude)
        return f'  {named} label=<{self._label(box, key, ink)}> fillcolor="{fill}" color="{frame}"{special}];'

    def _label(self, box: Box, key: str, ink: str) -> str:
        quiet, value, gradient = (QUIET, VALUE, GRADIENT) if self.colours is None else (ink, ink, ink)
        if box.kind == "left out":
            return _text(box.title, quiet)
        if key != box.key:
            return _text(box.title, ink) or "?"
        title = self._within(box.title, box.cluster) if box.kind in INPUTS else box.title
        title = (_text(title, quiet) if box.kind == "constant" else _bold(title, ink)) or "?"
        times = f" {_bold(f'{MULTIPLIED}{box.times:,}', ink)}" if box.times > 1 else ""
        detail = ", ".join(filter(None, [self._module(box), box.detail, self._line(box)]))
        lines = [
            f"{title}{times}",
            _text(detail, quiet, 9),
            _text(box.value, quiet if box.kind == "constant" else value),
            _text(box.gradient, gradient),
        ]
        notes = box.note.splitlines()
        if box.kind == "loop":  # whose notes are formulas
            lines += [_text(note, ink, 10) for note in notes]
            return "".join(f"{line}{LEFT}" for line in lines if line)
        lines += [_text(note, gradient if "grad" in note else quiet, 9) for note in notes]
        return self._with_strip(CENTRE.join(filter(None, lines)), box.magnitudes)

    def _module_around(self, number: int | None) -> Cluster | None:
        while number is not None and self.picture.clusters[number].kind == "repetition":
            number = self.picture.clusters[number].parent
        return None if number is None else self.picture.clusters[number]

    def _within(self, path: str, number: int | None) -> str:
        """A path as it is called within the module around."""
        around = self._module_around(number)
        return path if around is None else labels.within(path, around.title)

    def _module(self, box: Box) -> str:
        """The module that made a box, where no cluster says it."""
        if box.kind in INPUTS:
            return ""
        if not box.operation:
            return box.module_class
        around = self._module_around(box.cluster)
        if around is not None and (around.title, around.detail) == (box.module, box.module_class):
            return ""
        return f"{self._within(box.module, box.cluster)} {box.module_class}".strip()

    def _line(self, box: Box) -> str:
        """The source line of a box, where no cluster says it."""
        around = None if box.cluster is None else self.picture.clusters[box.cluster]
        return labels.place(box.line) if box.line != (self.line if around is None else around.line) else ""

    # Arrows

    def _arrows(self) -> Iterator[str]:
        boxes = {box.key: box for box in self.picture.boxes}
        uses = Counter(arrow.source for arrow in self.picture.arrows)
        drawn: Counter[str] = Counter()
        for arrow in self.picture.arrows:
            origin, start = boxes[arrow.source], arrow.source
            drawn[start] += 1
            # An input used all over the graph, as a recurrent net's weight, would cover it with long arrows: after the
            # first use its name stands beside each use instead.
            if origin.kind in INPUTS and uses[start] > MOST_ARROWS and drawn[start] > 1:
                start = f"{start}_{drawn[start]}"
                self.within.setdefault(boxes[arrow.target].cluster, []).append(self._box(origin, start))
            yield _arrow(arrow, start, origin)

    # The caption

    def _caption(self) -> str:
        """What the colours mean, and the notes."""
        picture = self.picture
        parts = []
        if any(box.value for box in picture.boxes):
            parts.append(_text("forward value", VALUE if self.colours is None else ""))
        if picture.gradient_of:
            parts.append(_text(f"grad: gradient of {picture.gradient_of}", GRADIENT if self.colours is None else ""))
        if any(arrow.local for arrow in picture.arrows):
            parts.append(_text(f"on an arrow: upstream gradient {DOT} local derivative = sent back", GRADIENT))
        rows = ["     ".join(parts)] if parts else []
        if any(arrow.again for arrow in picture.arrows):
            rows.append(_text("dashed arrow: from one time to the next", QUIET))
        if self.line:
            rows.append(_text(f"computed at {labels.place(self.line)}", QUIET))
        for note in picture.notes:
            rows += [_text(line) for line in textwrap.wrap(note, 80)]
        if not rows and self.colours is None:
            return " "
        cells = [f'<TD ALIGN="LEFT">{row}</TD>' for row in rows]
        if self.colours is not None:
            fields = (f'<TD BGCOLOR="{fill}">{_text(text, ink)}</TD>' for text, fill, ink in self.colours.legend())
            legend = _table(["".join(fields)], 'BORDER="0" CELLPADDING="4"')
            cells += [f'<TD ALIGN="LEFT">{_text("mean |grad|:", GRADIENT)}</TD>', f'<TD ALIGN="LEFT">{legend}</TD>']
        return _table(cells, 'BORDER="0" CELLPADDING="1"')


def _table(rows: list[str], attributes: str) -> str:
    inside = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE CELLBORDER="0" CELLSPACING="0" {attributes}>{inside}</TABLE>'


def _arrow(arrow: Arrow, start: str, origin: Box) -> str:
    if arrow.local:
        label = f"{arrow.upstream} {DOT} {labels.factor(arrow.local)} = {arrow.sent}"
    else:  # an array that is used once gets its whole gradient from there: no need to say it twice
        label = arrow.sent if arrow.sent != origin.gradient else ""
    if arrow.uses > 1:
        label = f"{MULTIPLIED}{arrow.uses:,}"
    # Heavy edges are short and straight: they draw the operations as the spine and hang the inputs beside it.
    weight = 1 if origin.kind in INPUTS else 8
    how = f'style=dashed constraint=false color="{INK}"' if arrow.again else f"weight={weight}"
    text = f" label=< {_text(label)}>" if label else ""
    return f'  {start} -> {arrow.target} [id="arrow-{arrow.index}" {how}{text}];'


def _bold(text: str, colour: str = "") -> str:
    shown = _text(text, colour)
    return f"<B>{shown}</B>" if shown else ""


def _text(text: str, colour: str = "", size: int = 0) -> str:
    """One line as it may stand in a label, whatever characters it has; empty if there is nothing in it."""
    shown = html.escape(labels.printable(text))
    attributes = (f' COLOR="{colour}"' if colour else "") + (f' POINT-SIZE="{size}"' if size else "")
    return f"<FONT{attributes}>{shown}</FONT>" if shown and attributes else shown
