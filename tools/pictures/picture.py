"""A computation as boxes, arrows and clusters: plain data, that draws itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import dot, hover, labels, render

__all__ = ["Arrow", "Box", "Cluster", "Picture"]


@dataclass
class Box:
    """A value of the computation, all texts ready to be shown.

    Attributes
    ----------
    key : unique; in a drawing the box has the id ``box-<key>``
    kind : ``leaf`` (requires a gradient), ``constant``, ``number``, ``operation``, ``module`` (all that a module did),
        ``output``, ``left out``; of a compiled program also ``loop`` and ``python`` (what runs in Python)
    title : name and formula
    detail : shape and dtype
    shape : of the value, None if it has none or several
    value, gradient : of a small array all elements, of a large one the range, and the mean of the absolute gradient
    name : what formulas call it: the person's name for it, else v1, v2, ...
    formula : how it was computed: ``x + y``
    operation : the name of the primitive
    line : ``file:line`` that made it, if recorded
    module, module_class : the path of the module it was computed in, and the name of its class
    cluster : the number of the cluster it stands in, or None
    times : how many operations it stands for, side by side
    note : what else is to be said
    magnitude : the mean absolute gradient, or None
    magnitudes : those of all that it stands for, if known
    facts : value and gradient as statistics, line by line
    value_map, gradient_map : both as a small PNG in a data URI, where they are arrays
    forward, backward : both as they are, if small
    """

    key: str
    kind: str
    title: str
    detail: str = ""
    shape: tuple[int, ...] | None = None
    value: str = ""
    gradient: str = ""
    name: str = ""
    formula: str = ""
    operation: str = ""
    line: str = ""
    module: str = ""
    module_class: str = ""
    cluster: int | None = None
    times: int = 1
    note: str = ""
    magnitude: float | None = None
    magnitudes: list[float] = field(default_factory=list)
    facts: str = ""
    value_map: str = field(default="", repr=False)
    gradient_map: str = field(default="", repr=False)
    forward: np.ndarray | None = field(default=None, repr=False, compare=False)
    backward: np.ndarray | None = field(default=None, repr=False, compare=False)


@dataclass
class Arrow:
    """The use of a value by an operation.

    Attributes
    ----------
    index : in a drawing the arrow has the id ``arrow-<index>``
    source, target : keys of boxes
    upstream : the gradient at the target, if source and target are single numbers
    local : the derivative of the target by the source, likewise
    sent : what goes back to the source: upstream times local
    again : whether it goes from one time of a repetition to the next
    uses : how many uses it stands for
    facts : the same as statistics, where they are arrays
    carried : what is sent as it is, if small
    """

    index: int
    source: str
    target: str
    upstream: str = ""
    local: str = ""
    sent: str = ""
    again: bool = False
    uses: int = 1
    facts: str = ""
    carried: np.ndarray | None = field(default=None, repr=False, compare=False)


@dataclass
class Cluster:
    """Boxes that stand together: a module, a repetition, or what became one native loop.

    Attributes
    ----------
    number : its place in the picture's clusters; in a drawing it has the id ``module-<number>``
    kind : ``module``, ``repetition`` or ``loop``
    title, detail : path and class of a module
    parent : the number of the cluster it is in, or None
    line : ``file:line`` of all that is in it, if that is one line
    times : how often it is repeated; the last time is shown
    note : what else is to be said
    magnitudes : the mean absolute gradient at the end of every time, if known
    """

    number: int
    kind: str
    title: str
    detail: str = ""
    parent: int | None = None
    line: str = ""
    times: int = 1
    note: str = ""
    magnitudes: list[float] = field(default_factory=list)


@dataclass(repr=False)
class Picture:
    """A computation as boxes and arrows; shows itself in a notebook.

    Attributes
    ----------
    subject : the names of the outputs
    gradient_of : what the gradients shown are the gradients of; empty if there are none
    direction : where the computation flows: TB (top to bottom), LR, BT or RL
    colour : what the colours of boxes mean: their kind, or how large their gradient is
    notes : what has to be said about it
    boxes, arrows : what is shown, inputs first
    clusters : which boxes stand together; outer ones first
    """

    subject: str
    gradient_of: str = ""
    direction: str = "TB"
    colour: str = "kind"
    notes: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)

    @property
    def dot(self) -> str:
        """The picture in Graphviz' language."""
        return dot.source(self)

    def svg(self) -> str:
        """The drawing as SVG text; in a browser, facts and heat maps show under the pointer.

        Raises
        ------
        RuntimeError
            If neither Graphviz nor graphviz-pure is installed.
        """
        return hover.added(render.render(self.dot, "svg"), self).decode()

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file, complete or not at all; the suffix says how: .svg, .png, .pdf, .dot or .gv.

        Raises
        ------
        ValueError
            If the suffix is none of these.
        RuntimeError
            If nothing is installed that draws this format (.pdf needs Graphviz itself).  The picture then lies
            beside it as .dot.
        """
        return render.save(self.dot, Path(path), lambda svg: hover.added(svg, self))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the drawing, or why there is none."""
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except RuntimeError as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def __repr__(self) -> str:
        kinds = [box.kind for box in self.boxes]
        counts = [(kinds.count("operation") + kinds.count("output"), "operation"), (kinds.count("leaf"), "leaf")]
        counts += [(kinds.count(kind), kind) for kind in ("module", "loop") if kind in kinds]
        shown = ", ".join(labels.counted(*count) for count in counts)
        return f"<Picture of {self.subject}: {shown}; draw it with .save('graph.svg')>"
