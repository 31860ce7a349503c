"""From a tensor to the picture of how it was computed.

:func:`graph` walks the recorded graph and sends gradients back through it once (`recorded_graph`, `backprop_flow`),
decides what is drawn as one box and what is left out (`arranging`), and puts that down (`drawing`) as boxes, arrows and
clusters (`picture`): plain data in the order of computation.  `dot` writes them in Graphviz' language, `render` draws
that, and `hover` adds what a drawing in a browser shows under the pointer.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from autograd_core.tensor import Tensor

from . import drawing, labels, program_picture
from .picture import Picture

__all__ = ["graph"]


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
        module in it is.  None opens all if that gives a page that can be read, else as many as do.
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
    >>> from autograd_core.tools.pictures.graph import graph
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
        "graph",
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
    asked: str,
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
    """What :func:`graph` gives to code in this frame, whose variables give their names; `asked` is told in errors."""
    _check(asked, direction, max_nodes, depth, colour)
    variables = {**frame.f_locals, **(frame.f_globals | frame.f_locals)}  # locals come first
    found = labels.found_names(names, variables, asked)
    picture = Picture("", direction=direction, colour=colour)
    what: dict[str, Any] = {"most": max_nodes, "depth": depth, "roll": roll}
    if program_picture.is_compiled(output):
        program_picture.draw_program(picture, output, found, **what)
    else:
        drawing.draw(picture, _outputs(asked, output), found, gradients=gradients, values=values, **what)
    return picture


def _check(asked: str, direction: str, max_nodes: int, depth: int | None, colour: str) -> None:
    if direction not in ("TB", "LR", "BT", "RL"):
        raise ValueError(f"{asked}: direction must be 'TB', 'LR', 'BT' or 'RL', got {direction!r}")
    if not isinstance(max_nodes, int) or max_nodes < 2:
        raise ValueError(f"{asked}: max_nodes must be a whole number of at least 2, got {max_nodes!r}")
    if depth is not None and (not isinstance(depth, int) or depth < 0):
        raise ValueError(f"{asked}: depth must be a whole number of at least 0, or None to choose it, got {depth!r}")
    if colour not in ("kind", "gradient"):
        raise ValueError(f"{asked}: colour must be 'kind' or 'gradient', got {colour!r}")


def _outputs(asked: str, output: Any) -> list[Tensor]:
    outputs = [output] if isinstance(output, Tensor) else output
    if not isinstance(outputs, (list, tuple)) or not outputs or not all(isinstance(t, Tensor) for t in outputs):
        raise TypeError(f"{asked}: expected a tensor, a list of tensors or a compiled function, got {output!r:.80}")
    for t in outputs:
        if not t.requires_grad:
            raise RuntimeError(
                f"{asked}: the tensor of shape {t.shape} does not lead back to any tensor that requires a gradient, so "
                f"nothing was recorded; set requires_grad=True on the inputs, and compute outside no_grad()"
            )
    return list(outputs)
