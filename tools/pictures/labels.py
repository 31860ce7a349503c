"""How pictures name things and write numbers."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from autograd_core import traced
from autograd_core.optim.optimizer import Optimizer
from autograd_core.tensor import Tensor

__all__ = [
    "counted",
    "detail",
    "factor",
    "found_names",
    "gradient_text",
    "last_name",
    "name_of_values",
    "number",
    "place",
    "printable",
    "short",
    "value_text",
    "within",
]

SMALL = 6
"""Arrays of up to this many elements are written in full."""

MOST_ENTRIES, DEEPEST = 1000, 3
"""What is in longer lists and dictionaries, or in more of them within one another, has no name from there."""

LAST = re.compile(r"\.([^\W\d]\w*(\.\d+)*(\[[^\[\]]*\])*(\.grad)?)$")
"""The last part of a dotted name, with the numbers and places that are no name by themselves."""

# What is called what


def found_names(names: Any, variables: Mapping[str, Any], asked: str) -> dict[int, str]:
    """Names by the identity of what they name: a node, a leaf tensor, an array or a module.  The first found holds.

    Parameters
    ----------
    names : mapping of names to tensors and modules, module or None
        Comes first.
    variables : of the code that asks; tensors, arrays and modules among them name things, and those in lists and
        dictionaries are called ``weights[0]``, ``layer['w']``.
    asked : the function that asks, for the error

    Raises
    ------
    TypeError
        If `names` is something else.
    """
    found: dict[int, str] = {}
    if isinstance(names, Mapping):
        _note_all(found, names)
    elif names is not None:
        if not _has_parameters(names):
            raise TypeError(f"{asked}: names must map names to tensors, or be a module, got {type(names).__name__}")
        _note(found, names.named_parameters())
        found[id(names)] = ""
    _note_all(found, {name: value for name, value in variables.items() if name.isidentifier() and name[0] != "_"})
    return found


def _note_all(found: dict[int, str], named: Mapping[str, Any]) -> None:
    # Modules before plain variables: after `for p in model.parameters()`, p is not what the last one should be called.
    # What is in lists comes last: after `x, y = batch`, x is not to be called batch[0].
    held = [entry for name, value in named.items() for entry in _held(str(name), value, DEEPEST)]
    for name, value in (*named.items(), *held):
        if _has_parameters(value):
            _note(found, ((f"{name}.{parameter}", t) for parameter, t in value.named_parameters()))
            found.setdefault(id(value), str(name))
    _note(found, (*named.items(), *held))
    for optimizer in named.values():
        if isinstance(optimizer, Optimizer):
            for parameter, state in optimizer.state.items():
                of = found.get(id(parameter), parameter.name or "a parameter")
                _note(found, ((f"{field} of {of}", t) for field, t in state.items()))


def _held(name: str, value: Any, deep: int) -> Iterator[tuple[str, Any]]:
    """What is in a list or dictionary, or in one of these in it, by how it is written in Python."""
    if not deep or type(value) not in (list, tuple, dict) or len(value) > MOST_ENTRIES:
        return
    for place, inner in value.items() if isinstance(value, dict) else enumerate(value):
        called = f"{name}[{place!r}]"
        yield called, inner
        yield from _held(called, inner, deep - 1)


def _note(found: dict[int, str], named: Any) -> None:
    for name, value in named:
        if isinstance(value, Tensor):
            found.setdefault(id(value.node or value), str(name))
            value = value.array
        if isinstance(value, np.ndarray):
            found.setdefault(id(value), str(name))


def name_of_values(array: np.ndarray, names: dict[int, str]) -> str | None:
    """The name of an array, or of the one it is a reshaped or transposed view of, or a part of: ``x[3]``."""
    view: Any = array
    while isinstance(view, np.ndarray):
        if id(view) in names:
            return names[id(view)] + _part(array, view)
        view = view.base
    return None


def _part(part: np.ndarray, whole: np.ndarray) -> str:
    """Which part of an array a view of it is, as an index; empty if it is all of it."""
    if part.size >= whole.size:
        return ""
    cut = whole.ndim - part.ndim
    strides = whole.strides[: max(cut, 0)]
    if part.shape != whole.shape[cut:] or part.strides != whole.strides[cut:] or min(strides, default=0) <= 0:
        return "[...]"
    place = part.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    index = [0] * cut
    for axis in sorted(range(cut), key=lambda axis: -strides[axis]):
        index[axis], place = divmod(place, strides[axis])
    return f"[{', '.join(map(str, index))}]"


def _has_parameters(value: Any) -> bool:
    # Asked of the type: an object may answer to every attribute and mean none.
    return callable(getattr(type(value), "named_parameters", None))


# Numbers


def number(x: Any) -> str:
    """To four significant digits."""
    if isinstance(x, (bool, np.bool_, int, np.integer)):
        return str(x)
    return f"{x + 0:.4g}"  # + 0 makes 0 of -0


def factor(number: str) -> str:
    """A number as it stands in a product or a sum."""
    return f"({number})" if number.startswith("-") else number


def value_text(array: np.ndarray) -> str:
    """A small array in full, a large one by its range."""
    if array.size == 0:
        return "empty"
    if array.size == 1:
        return number(array.reshape(-1)[0])
    if array.size <= SMALL:
        return _nested(array)
    if array.dtype == bool:
        return f"{100 * np.count_nonzero(array) / array.size:.3g}% True"
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


@functools.lru_cache(1000)
def detail(shape: tuple[Any, ...], dtype: Any) -> str:
    """Shape and dtype, or how many if there are several."""
    if isinstance(dtype, tuple):
        return counted(len(dtype), "output")
    return f"{shape} {dtype}" if shape else f"scalar {dtype}"


def counted(count: int, noun: str) -> str:
    """``1 leaf``, ``1,200 leaves``."""
    return f"{count:,} {noun if count == 1 else {'leaf': 'leaves'}.get(noun, noun + 's')}"


def last_name(name: str) -> str:
    """The last part of a dotted name, as formulas have it, and not too long.

    >>> last_name("model.layers.0.weight"), last_name("model.biases.0"), last_name("exp_avg of model.0.weight")
    ('weight', 'biases.0', 'exp_avg')
    """
    first, _, last = name.partition(" of ")[0].rpartition(" ")
    part = LAST.search(last)
    return short(f"{first} {last if part is None else part[1]}".strip(), 24)


def within(path: str, around: str) -> str:
    """A dotted path as it is called within another.

    >>> within("model.layers.0.weight", "model.layers")
    '0.weight'
    """
    return path.removeprefix(f"{around}.") if around else path


def place(line: str) -> str:
    """``file:line`` without the folders; what a notebook runs is a cell."""
    file, _, number = traced.place(line).rpartition(":")
    return f"{PurePath(file).name}:{number}" if file else line


def printable(text: str) -> str:
    """One line of text without what cannot be printed."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def short(text: str, limit: int = 48) -> str:
    """At most `limit` characters of a name."""
    return text if len(text) <= limit else text[: limit - 3] + "..."
