"""Which dtype a value gets.

Three rules.  Arrays keep their dtype.  Python floats become the default dtype (``float32`` unless set), Python ints
``int64``, bools ``bool``.  A result mixes like NumPy's, with one exception, PyTorch's: an integer beside a float does
not widen it, so ``int64 * float32`` is ``float32``, and ``exp`` of integers is the default dtype.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

__all__ = [
    "bool",
    "double",
    "float",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "half",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "long",
    "set_default_dtype",
    "uint8",
]

float16 = np.dtype("float16")
float32 = np.dtype("float32")
float64 = np.dtype("float64")
int8 = np.dtype("int8")
int16 = np.dtype("int16")
int32 = np.dtype("int32")
int64 = np.dtype("int64")
uint8 = np.dtype("uint8")
bool_ = np.dtype("bool")
half, float, double, int, long, bool = float16, float32, float64, int32, int64, bool_

_default: ContextVar[np.dtype[Any]] = ContextVar("autograd_core.default_dtype", default=float32)


def get_default_dtype() -> np.dtype[Any]:
    """The dtype that Python floats become."""
    return _default.get()


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype that Python floats become, in this context (thread or task).

    Raises
    ------
    TypeError
        If `dtype` is not a real floating dtype.
    """
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(f"set_default_dtype: expected a floating dtype such as float32 or float64, got {dtype}")
    _default.set(dtype)


def is_floating(dtype: np.dtype[Any]) -> builtins.bool:
    return dtype.kind == "f"


def _speaks_numpy(data: Any) -> builtins.bool:
    """Whether the first leaf of nested lists is a NumPy value, whose dtype then counts."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic))


def as_array(data: Any, dtype: Any = None) -> np.ndarray:
    """An ndarray from arrays, scalars and nested lists, by the first two rules above; shares memory where it can.

    Raises
    ------
    TypeError
        If the data are not numbers.
    """
    if isinstance(data, np.ndarray) and dtype is None:
        array = data
    else:
        array = np.asarray(data, dtype=dtype)
        if dtype is None and array.dtype == float64 and not _speaks_numpy(data):
            array = array.astype(_default.get())
    if array.dtype.kind not in "fiubc":
        raise TypeError(f"tensor: expected numbers, got data of dtype {array.dtype}: {data!r:.80}")
    return array


def unwidened(out: np.ndarray, values: list[Any], forward: Callable[..., Any], params: dict[str, Any]) -> np.ndarray:
    """The result of ``forward(*values, **params)`` by the third rule, from `out`, what NumPy made of it.

    A float that came of integers beside floats is taken back to the floats' dtype; one that came of integers alone is
    computed in the default dtype.
    """
    if out.dtype.kind != "f":
        return out
    kinds = [v.dtype for v in values if isinstance(v, np.ndarray)]
    floats = [d for d in kinds if d.kind in "fc"]
    if floats:
        widest = max(floats, key=operator.attrgetter("itemsize"))
        return out if widest.itemsize >= out.dtype.itemsize else out.astype(widest)
    default = _default.get()
    if out.dtype.itemsize >= default.itemsize:
        return out.astype(default, copy=False)
    return np.asarray(forward(*(v.astype(default) if isinstance(v, np.ndarray) else v for v in values), **params))
