"""NumPy's own functions on tensors.

``np.sin(t)``, ``np.concatenate([t, u])`` and ``array * t`` reach the operation of ours that means the same, are
recorded, and differentiate.  What has no counterpart raises TypeError: silently computing on the bare array would lose
the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .primitive import NUMPY, implements
from .tensor import Tensor, method


@implements(np.shape)
def _shape(a: Tensor) -> tuple[int, ...]:
    return a.shape


@implements(np.ndim)
def _ndim(a: Tensor) -> int:
    return a.ndim


@implements(np.size)
def _size(a: Tensor) -> int:
    return a.array.size


@implements(np.zeros_like)
def _zeros_like(a: Tensor, dtype: Any = None) -> np.ndarray:
    return np.zeros_like(a.array, dtype=dtype)


@implements(np.ones_like)
def _ones_like(a: Tensor, dtype: Any = None) -> np.ndarray:
    return np.ones_like(a.array, dtype=dtype)


@method("__array_ufunc__")
def _array_ufunc(self: Tensor, ufunc: Any, how: str, *inputs: Any, **keywords: Any) -> Any:
    ours = NUMPY.get(ufunc)
    if ours is None or how != "__call__" or keywords:
        what = f"np.{ufunc.__name__}" + ("" if how == "__call__" else f".{how}")
        given = f" with {', '.join(keywords)}" if keywords else ""
        raise TypeError(
            f"{what}{given} is not supported on tensors; use an operation of autograd_core, "
            f"or the values alone: {what}(t.detach().numpy())"
        )
    return ours(*inputs)


@method("__array_function__")
def _array_function(self: Tensor, function: Any, types: Any, args: Any, keywords: Any) -> Any:
    ours = NUMPY.get(function)
    if ours is None:
        what = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
        raise TypeError(
            f"{what} is not supported on tensors; use an operation of autograd_core, "
            f"or the values alone: {what}(t.detach().numpy())"
        )
    return ours(*args, **keywords)
