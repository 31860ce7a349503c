"""The backprop picture: what was computed, with the values that went forward and the gradients that came back.

:func:`graph` walks the recorded graph and sends gradients back through it once (`backprop_flow`), decides what is drawn
as one box and what is left out (`arranging`), and puts that down as boxes, arrows and clusters (`drawing`): plain data
in the order of computation.  `dot` writes them in Graphviz' language, `render` draws that, and `hover` adds what a
drawing in a browser shows under the pointer.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from autograd_core.tensor import Tensor

from . import dot, hover, labels, render

__all__ = ["Arrow", "Box", "Cluster", "Picture", "graph"]


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


def graph(
    output: Any,
    *,
    names: Any = None,
    gradients: bool = True,
    values: bool = True,
    direction: str = "TB",
    max_nodes: int = 400,
    depth: int | None = None,
    roll: bool = True,
    colour: str = "kind",
) -> Picture:
    """The picture of how `output` was computed, and of the gradients it sends back.

    A box shows a formula, a forward value and the gradient of the output by it; an arrow shows what goes back along it:
    upstream gradient times local derivative.  The gradients are those of the sum of the output's elements.  They are
    computed for the picture: no ``grad`` changes, no hook runs, and the graph stays.

    A box has its tensor's `name`, else the one in `names`, else that of the variable that holds the tensor, or of the
    module that has it as a parameter, where the picture is asked for; other results are called v1, v2, and so on.
    Every value, the inputs that need no gradient, source lines and modules are known if the computation ran under
    :func:`autograd_core.record`; otherwise the values that derivatives need, until ``backward()`` releases them.

    Parameters
    ----------
    output : Tensor or sequence of tensors
        Or a function made by :func:`autograd_core.compile` that was called: then the picture is of the compiled
        program, which operations share a native loop, and what runs in Python.
    names : mapping of names to tensors, or module, optional
    gradients, values : bool
        Whether to show them.
    direction : {"TB", "LR", "BT", "RL"}
        Where the computation flows: top to bottom, left to right, and so on.
    max_nodes : int
        Of a graph with more boxes both ends are shown, and how much lies between.
    depth : int, optional
        How many modules within one another are opened: with 0 each module called from outside is one box, with 1 each
        module in it is; None opens all.
    roll : bool
        Whether what repeats is drawn once: the steps of a recurrent network, equal layers one after the other.  The
        last time is drawn, and dashed arrows go from one time to the next.  Small repetitions, and those that would
        save less than 20 boxes, are drawn as they are.
    colour : {"kind", "gradient"}
        "gradient" colours boxes by the mean of the absolute gradient, on a logarithmic scale: layers at which gradients
        vanish or explode stand out.

    Raises
    ------
    TypeError
        If `output` is no tensor, or `names` neither a mapping nor a module.
    RuntimeError
        If an output requires no gradient, so nothing was recorded; or if a compiled function was not called yet.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.tools.picture import graph
    >>> x, y, z = (ag.tensor(v, requires_grad=True) for v in (2.0, 3.0, 2.0))
    >>> f = (x + y) * (y - z)
    >>> picture = graph(f)
    >>> picture
    <Picture of f: 3 operations, 3 leaves; draw it with .save('graph.svg')>
    >>> [(box.title, box.value, box.gradient) for box in picture.boxes if box.kind == "leaf"]
    [('x', '2', 'grad 1'), ('y', '3', 'grad 6'), ('z', '2', 'grad -5')]
    >>> [box.title for box in picture.boxes if box.kind != "leaf"]
    ['v1 = x + y', 'v2 = y - z', 'f = v1 \N{MIDDLE DOT} v2']
    """
    return picture_from(
        sys._getframe(1),
        output,
        names=names,
        gradients=gradients,
        values=values,
        direction=direction,
        max_nodes=max_nodes,
        depth=depth,
        roll=roll,
        colour=colour,
    )


def picture_from(
    frame: FrameType,
    output: Any,
    *,
    names: Any = None,
    gradients: bool = True,
    values: bool = True,
    direction: str = "TB",
    max_nodes: int = 400,
    depth: int | None = None,
    roll: bool = True,
    colour: str = "kind",
) -> Picture:
    """What :func:`graph` gives to code in this frame, whose variables give their names."""
    from . import drawing, program_picture

    _check(direction, max_nodes, depth, colour)
    variables = {**frame.f_locals, **(frame.f_globals | frame.f_locals)}  # locals come first
    found = labels.found_names(names, variables)
    picture = Picture("", direction=direction, colour=colour)
    what: dict[str, Any] = {"most": max_nodes, "depth": depth, "roll": roll}
    if program_picture.is_compiled(output):
        program_picture.draw_program(picture, output, found, **what)
    else:
        drawing.draw(picture, _outputs(output), found, gradients=gradients, values=values, **what)
    return picture


def _check(direction: str, max_nodes: int, depth: int | None, colour: str) -> None:
    if direction not in ("TB", "LR", "BT", "RL"):
        raise ValueError(f"graph: direction must be 'TB', 'LR', 'BT' or 'RL', got {direction!r}")
    if max_nodes < 2:
        raise ValueError(f"graph: max_nodes must be at least 2, got {max_nodes}")
    if depth is not None and depth < 0:
        raise ValueError(f"graph: depth must be at least 0, or None to open all modules, got {depth}")
    if colour not in ("kind", "gradient"):
        raise ValueError(f"graph: colour must be 'kind' or 'gradient', got {colour!r}")


def _outputs(output: Any) -> list[Tensor]:
    outputs = [output] if isinstance(output, Tensor) else output
    if not isinstance(outputs, (list, tuple)) or not outputs or not all(isinstance(t, Tensor) for t in outputs):
        raise TypeError(f"graph: expected a tensor, a list of tensors or a compiled function, got {output!r:.80}")
    for t in outputs:
        if not t.requires_grad:
            raise RuntimeError(
                f"graph: the tensor of shape {t.shape} does not lead back to any tensor that requires a gradient, so "
                f"nothing was recorded; set requires_grad=True on the inputs, and compute outside no_grad()"
            )
    return list(outputs)
