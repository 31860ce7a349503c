"""How pictures name things and write numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd_core.graph import PICK, Node
from autograd_core.tensor import Tensor

__all__ = ["counted", "detail", "found_names", "gradient_text", "name_of_values", "operation", "short", "value_text"]

SMALL = 6
"""Arrays of up to this many elements are written in full."""


# What is called what


def found_names(names: Any, variables: Mapping[str, Any]) -> dict[int, str]:
    """Names by the identity of what they name: a node, a leaf tensor or an array.  The first found holds.

    Parameters
    ----------
    names : mapping of names to tensors, module or None
        Comes first.
    variables : of the code that asks; tensors, arrays and modules among them name things.

    Raises
    ------
    TypeError
        If `names` is something else.
    """
    found: dict[int, str] = {}
    if isinstance(names, Mapping):
        _note(found, names.items())
    elif names is not None:
        if not _has_parameters(names):
            raise TypeError(f"graph: names must map names to tensors, or be a module, got {type(names).__name__}")
        _note(found, names.named_parameters())
    public = {name: value for name, value in variables.items() if name.isidentifier() and name[0] != "_"}
    for name, value in public.items():
        # Before plain variables: after `for p in model.parameters()`, p is not what the last one should be called.
        if _has_parameters(value):
            _note(found, ((f"{name}.{parameter}", t) for parameter, t in value.named_parameters()))
    _note(found, public.items())
    return found


def _note(found: dict[int, str], named: Any) -> None:
    for name, value in named:
        if isinstance(value, Tensor):
            found.setdefault(id(value.node or value), str(name))
            value = value.array
        if isinstance(value, np.ndarray):
            found.setdefault(id(value), str(name))


def name_of_values(array: np.ndarray, names: dict[int, str]) -> str | None:
    """The name of an array, or of the one it is a reshaped or transposed view of."""
    view: Any = array
    while isinstance(view, np.ndarray) and view.size == array.size:
        if id(view) in names:
            return names[id(view)]
        view = view.base
    return None


def _has_parameters(value: Any) -> bool:
    # Asked of the type: an object may answer to every attribute and mean none.
    return callable(getattr(type(value), "named_parameters", None))


# Operations


def operation(node: Node) -> str:
    """The operation of a node and its keyword arguments, in few words: ``sum dim 0 keepdim``."""
    if node.plan is PICK:
        return f"output {node.params['index']}"
    return " ".join([node.name, *_arguments(node)])


def _arguments(node: Node) -> Iterator[str]:
    for name, value in node.params.items():
        if name == "axis":
            axes = value if isinstance(value, tuple) else (value,)
            if not isinstance(value, tuple) or len(axes) < len(node.parents[0].shape):
                yield f"dim {', '.join(map(str, axes))}"
        elif name == "keepdims":
            if value:
                yield "keepdim"
        elif name == "form":
            yield f"[{', '.join(map(_index_part, value))}]"
        elif name != "shape" and value is not None and len(str(value)) <= 20:  # the output shows its shape
            yield f"{name} {value}"


def _index_part(part: Any) -> str:
    if part is Ellipsis:
        return "..."
    if isinstance(part, slice):
        bounds = [part.start, part.stop] if part.step is None else [part.start, part.stop, part.step]
        return ":".join("" if bound is None else str(bound) for bound in bounds)
    return str(part)


# Numbers


def number(x: Any) -> str:
    """To four significant digits."""
    if isinstance(x, (bool, np.bool_, int, np.integer)):
        return str(x)
    return f"{x + 0:.4g}"  # + 0 makes 0 of -0


def value_text(array: np.ndarray) -> str:
    """A small array in full, a large one by its range."""
    if array.size == 0:
        return "empty"
    if array.size == 1:
        return number(array.reshape(-1)[0])
    if array.size <= SMALL:
        return _nested(array)
    known, lost = _without_nan(array)
    if known.size == 0:
        return "all nan"
    low, high = number(known.min()), number(known.max())
    return f"{'all ' + low if low == high else f'{low} .. {high}'}{lost}"


def gradient_text(array: np.ndarray) -> str:
    """A small gradient in full, a large one by the mean of its magnitude."""
    if array.size <= SMALL:
        return f"grad {value_text(array)}"
    known, lost = _without_nan(array)
    return f"mean |grad| {number(np.abs(known, dtype=np.float64).mean())}{lost}" if known.size else "grad all nan"


def _nested(array: Any) -> str:
    return f"[{', '.join(map(_nested, array))}]" if np.ndim(array) else number(array)


def _without_nan(array: np.ndarray) -> tuple[np.ndarray, str]:
    lost = array != array
    count = int(np.count_nonzero(lost))
    return (array[~lost], f", {count} nan") if count else (array, "")


def detail(shape: tuple[Any, ...], dtype: Any) -> str:
    """Shape and dtype, or how many if there are several."""
    if isinstance(dtype, tuple):
        return counted(len(dtype), "output")
    return f"{shape} {dtype}" if shape else f"scalar {dtype}"


def counted(count: int, noun: str) -> str:
    """``1 leaf``, ``1,200 leaves``."""
    return f"{count:,} {noun if count == 1 else {'leaf': 'leaves'}.get(noun, noun + 's')}"


def short(text: str, limit: int = 48) -> str:
    """At most `limit` characters of a name."""
    return text if len(text) <= limit else text[: limit - 3] + "..."
