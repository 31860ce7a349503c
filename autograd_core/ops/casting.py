"""Changing the dtype."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ..dtypes import bool_, float16, float32, float64, get_default_dtype, int8, int16, int32, int64, uint8
from ..primitive import Sample, implements, primitive
from ..tensor import Tensor, method
from .arguments import check_device
from .shape import clone

__all__: list[str] = []  # methods only: as names of the package, float and the like are dtypes


@primitive(keeps_dtype=False, reference=np.array, samples=lambda rng: [Sample(rng.normal(size=(2, 3)), dtype=float64)])
def _cast(input: Any, *, dtype: np.dtype[Any]) -> Any:
    return np.asarray(input).astype(dtype)


_cast.defvjp(lambda g: g)  # the pass casts every gradient to the dtype of what it belongs to


@primitive(keeps_dtype=False, reference=np.array, samples=lambda rng: [Sample(rng.normal(size=(2, 3)), dtype=int64)])
def _discrete_cast(input: Any, *, dtype: np.dtype[Any]) -> Any:
    return np.asarray(input).astype(dtype)


def _dtype(dtype: Any) -> np.dtype[Any]:
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError as error:
        raise TypeError(f"cast: expected a dtype such as float32, got {dtype!r}") from error
    return found


def cast(input: Any, dtype: Any) -> Any:
    """`input` in another dtype; the same tensor if it has it already.  Among floats the gradient passes through.

    >>> import autograd_core as ag
    >>> ag.tensor([1.7, -1.7]).to(ag.int64)
    tensor([ 1, -1])
    """
    dtype = _dtype(dtype)
    if isinstance(input, (Tensor, np.ndarray)) and input.dtype == dtype:
        return input
    return (_cast if dtype.kind == "f" else _discrete_cast)(input, dtype=dtype)


def floating(input: Any) -> Any:
    """`input`, in the default dtype if it is not floating."""
    return input if getattr(getattr(input, "dtype", None), "kind", "") == "f" else cast(input, get_default_dtype())


def _is_device(value: Any) -> builtins.bool:
    """Whether an argument names a device, as PyTorch does: "cpu", "cuda:0", torch.device("cpu")."""
    return str(value).partition(":")[0] in ("cpu", "cuda", "mps", "xpu", "meta")


@method()
def to(
    input: Any,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    non_blocking: builtins.bool = False,
    copy: builtins.bool = False,
) -> Any:
    """`input` in the dtype given, or in that of the tensor given; itself if it has it already, unless `copy`.

    Parameters
    ----------
    *args : a dtype, a tensor, the device "cpu", or a device and a dtype; then `non_blocking` and `copy`
    device : only "cpu"
    non_blocking : of no effect

    >>> import autograd_core as ag
    >>> ag.tensor([1, 2]).to(ag.float64)
    tensor([1., 2.], dtype=float64)
    """
    flags = []
    for given in args:
        if isinstance(given, (Tensor, np.ndarray)):
            dtype = given.dtype
        elif isinstance(given, builtins.bool):
            flags.append(given)
        elif given is not None and _is_device(given):
            device = given
        elif given is not None:
            dtype = given
    check_device("to", device)
    result = input if dtype is None else cast(input, dtype)
    return clone(input) if result is input and (copy or flags[1:] == [True]) else result


@method()
@implements(np.astype)
def astype(input: Any, dtype: Any) -> Any:
    """NumPy's name for :func:`to`.

    >>> import autograd_core as ag
    >>> ag.tensor([1, 2]).astype("float32")
    tensor([1., 2.])
    """
    return cast(input, dtype)


@method()
def type(input: Any, dtype: Any = None) -> Any:
    """`input` in the dtype given; without one, the name of the dtype it has.

    >>> import autograd_core as ag
    >>> ag.tensor([1, 2]).type(ag.float32).type()
    'float32'
    """
    return str(input.dtype) if dtype is None else cast(input, dtype)


@method()
def type_as(input: Any, other: Any) -> Any:
    """`input` in the dtype of `other`."""
    return cast(input, other.dtype)


@method()
def half(input: Any) -> Any:
    """`input` as float16."""
    return cast(input, float16)


@method()
def float(input: Any) -> Any:
    """`input` as float32."""
    return cast(input, float32)


@method()
def double(input: Any) -> Any:
    """`input` as float64."""
    return cast(input, float64)


@method()
def byte(input: Any) -> Any:
    """`input` as uint8."""
    return cast(input, uint8)


@method()
def char(input: Any) -> Any:
    """`input` as int8."""
    return cast(input, int8)


@method()
def short(input: Any) -> Any:
    """`input` as int16, rounded towards 0."""
    return cast(input, int16)


@method()
def int(input: Any) -> Any:
    """`input` as int32, rounded towards 0."""
    return cast(input, int32)


@method()
def long(input: Any) -> Any:
    """`input` as int64, rounded towards 0."""
    return cast(input, int64)


@method()
def bool(input: Any) -> Any:
    """`input` as bool: whether it is not 0."""
    return cast(input, bool_)
