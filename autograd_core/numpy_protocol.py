"""NumPy's own functions on tensors.

``np.sin(t)``, ``np.concatenate([t, u])`` and ``array * t`` reach the operation of ours that means the same, are
recorded, and differentiate.  What has no counterpart raises TypeError: silently computing on the bare array would lose
the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .primitive import NUMPY
from .tensor import Tensor, method

NUMPY.update(
    {
        np.shape: lambda a: a.shape,
        np.ndim: lambda a: a.ndim,
        np.size: lambda a: a.array.size,
        np.zeros_like: lambda a, dtype=None: np.zeros_like(a.array, dtype=dtype),
        np.ones_like: lambda a, dtype=None: np.ones_like(a.array, dtype=dtype),
    }
)


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
