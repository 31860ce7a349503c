"""NumPy's own functions on tensors.

``np.sin(t)``, ``np.concatenate([t, u])`` and ``array * t`` reach the operation of ours that means the same, are
recorded, and differentiate.  What has no counterpart raises TypeError: silently computing on the bare array would lose
the gradient.
"""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np

from .ops import FAMILIES
from .primitive import NUMPY, implements
from .tensor import Tensor, method, wrap


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
def _zeros_like(a: Tensor, dtype: Any = None) -> Tensor:
    return wrap(np.zeros(a.shape, dtype or a.dtype))


@implements(np.ones_like)
def _ones_like(a: Tensor, dtype: Any = None) -> Tensor:
    return wrap(np.ones(a.shape, dtype or a.dtype))


_REDUCTIONS = {
    ("add", "reduce"): "sum",
    ("add", "accumulate"): "cumsum",
    ("multiply", "reduce"): "prod",
    ("multiply", "accumulate"): "cumprod",
    ("maximum", "reduce"): "amax",
    ("maximum", "accumulate"): "cummax",
    ("minimum", "reduce"): "amin",
    ("minimum", "accumulate"): "cummin",
    ("logical_and", "reduce"): "all",
    ("logical_or", "reduce"): "any",
    ("multiply", "outer"): "outer",
    ("logaddexp", "reduce"): "logsumexp",
}


def _unsupported(what: str, equivalent: str | None) -> TypeError:
    """What to raise for a NumPy function that would give the bare array, without its gradient."""
    if equivalent is None:
        ours = {name for family in FAMILIES for name in family.__all__}
        near = difflib.get_close_matches(what.rpartition(".")[2], ours, n=3, cutoff=0.7)
        equivalent = " or ".join(f"autograd_core.{name}" for name in near) or "an operation of autograd_core"
    return TypeError(f"{what} is not supported on tensors; use {equivalent}, or the values alone: t.detach().numpy()")


@method("__array_ufunc__")
def _array_ufunc(self: Tensor, ufunc: Any, how: str, *inputs: Any, **keywords: Any) -> Any:
    ours = NUMPY.get(ufunc)
    if ours is not None and how == "__call__" and not keywords:
        return ours(*inputs)
    what = f"np.{ufunc.__name__}"
    if how != "__call__":
        name = _REDUCTIONS.get((ufunc.__name__, how))
        raise _unsupported(f"{what}.{how}", f"autograd_core.{name}" if name else None)
    if ours is not None:
        raise _unsupported(f"{what} with {', '.join(keywords)}", f"{what} without {', '.join(keywords)}")
    raise _unsupported(what, None)


@method("__array_function__")
def _array_function(self: Tensor, function: Any, types: Any, args: Any, keywords: Any) -> Any:
    ours = NUMPY.get(function)
    if ours is None:
        raise _unsupported(f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1), None)
    return ours(*args, **keywords)
