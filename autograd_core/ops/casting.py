"""Changing the dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import bool_, float32, float64, get_default_dtype, int32, int64
from ..primitive import Sample, implements, primitive
from ..tensor import Tensor

__all__: list[str] = []  # methods only: as names of the package, float and the like are dtypes


@primitive(keeps_dtype=False, reference=np.array, samples=lambda rng: [Sample(rng.normal(size=(2, 3)), dtype=float64)])
def _cast(input: Any, *, dtype: np.dtype[Any]) -> Any:
    return np.asarray(input).astype(dtype)


_cast.defvjp(lambda g: g)  # the pass casts every gradient to the dtype of what it belongs to


@primitive(keeps_dtype=False, reference=np.array, samples=lambda rng: [Sample(rng.normal(size=(2, 3)), dtype=int64)])
def _discrete_cast(input: Any, *, dtype: np.dtype[Any]) -> Any:
    return np.asarray(input).astype(dtype)


def cast(input: Any, dtype: Any) -> Any:
    """`input` in another dtype; the same tensor if it has it already.  Among floats the gradient passes through.

    >>> import autograd_core as ag
    >>> ag.tensor([1.7, -1.7]).to(ag.int64)
    tensor([ 1, -1])
    """
    dtype = np.dtype(dtype)
    if isinstance(input, (Tensor, np.ndarray)) and input.dtype == dtype:
        return input
    return (_cast if dtype.kind == "f" else _discrete_cast)(input, dtype=dtype)


def floating(input: Any) -> Any:
    """`input`, in the default dtype if it is not floating."""
    return input if getattr(getattr(input, "dtype", None), "kind", "") == "f" else cast(input, get_default_dtype())


def to(input: Any, dtype: Any) -> Any:
    """`input` in the dtype given, or in that of the tensor given.

    >>> import autograd_core as ag
    >>> ag.tensor([1, 2]).to(ag.float64)
    tensor([1., 2.], dtype=float64)
    """
    return cast(input, dtype.dtype if isinstance(dtype, (Tensor, np.ndarray)) else dtype)


@implements(np.astype)
def astype(input: Any, dtype: Any) -> Any:
    """NumPy's name for :func:`to`.

    >>> import autograd_core as ag
    >>> ag.tensor([1, 2]).astype("float32")
    tensor([1., 2.])
    """
    return cast(input, dtype)


def type_as(input: Any, other: Any) -> Any:
    """`input` in the dtype of `other`."""
    return cast(input, other.dtype)


def float(input: Any) -> Any:
    """`input` as float32."""
    return cast(input, float32)


def double(input: Any) -> Any:
    """`input` as float64."""
    return cast(input, float64)


def int(input: Any) -> Any:
    """`input` as int32, rounded towards 0."""
    return cast(input, int32)


def long(input: Any) -> Any:
    """`input` as int64, rounded towards 0."""
    return cast(input, int64)


def bool(input: Any) -> Any:
    """`input` as bool: whether it is not 0."""
    return cast(input, bool_)
