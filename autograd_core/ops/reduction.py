"""Sums over dimensions, and what is made of them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from .arguments import axes, count, ndim, reductions, spread
from .casting import cast
from .exponential import root
from .samples import over_dims_or_none

nan = np.nan

__all__ = [
    "all",
    "any",
    "mean",
    "std",
    "sum",
    "var",
]


@primitive(reference=np.sum, samples=over_dims_or_none)
def _sum(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.sum(input, axis=axis, keepdims=keepdims)


_sum.defvjp(lambda g, input_shape, axis: np.broadcast_to(spread(g, input_shape, axis), input_shape))


@implements(np.sum)
@reductions
def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim` (an int, several, or all); the gradient is repeated over what was summed.  Empty: 0.

    >>> import autograd_core as ag
    >>> ag.sum(ag.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    if dtype is not None:
        input = cast(input, dtype)
    return _sum(input, axis=axes("sum", dim, ndim(input)), keepdims=keepdim)


@implements(np.mean)
@reductions
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `dim` (an int, several, or all).  Of no elements: NaN, with a warning.

    >>> import autograd_core as ag
    >>> ag.mean(ag.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1, keepdim=True)
    tensor([[1.5],
            [3.5]])
    """
    if dtype is not None:
        input = cast(input, dtype)
    axis = axes("mean", dim, ndim(input))
    n = count(input, axis)
    if n == 0:
        warnings.warn("mean: no elements to average, the result is NaN", RuntimeWarning, stacklevel=3)
    return _sum(input, axis=axis, keepdims=keepdim) / n


@reductions
def var(
    input: Any, dim: Any = None, *, correction: float = 1, keepdim: bool = False, unbiased: bool | None = None
) -> Any:
    """The variance over `dim`: the sum of squared deviations from the mean, divided by ``n - correction``.

    Parameters
    ----------
    correction : 1 for the sample variance (the default, as in PyTorch), 0 for the population's
    unbiased : older spelling: True for correction 1, False for 0

    Where ``n <= correction`` the result is NaN, with a warning.

    >>> import autograd_core as ag
    >>> ag.var(ag.tensor([1.0, 2.0, 3.0, 4.0]), correction=0)
    tensor(1.25)
    """
    if unbiased is not None:
        correction = int(unbiased)
    axis = axes("var", dim, ndim(input))
    freedom = count(input, axis) - correction
    if freedom <= 0:
        warnings.warn(
            f"var: {count(input, axis)} elements with correction {correction} leave no degrees of freedom, "
            f"the result is NaN",
            RuntimeWarning,
            stacklevel=3,
        )
        freedom = nan
    deviation = input - mean(input, axis, keepdim=True)
    return _sum(deviation * deviation, axis=axis, keepdims=keepdim) / freedom


@reductions
def std(
    input: Any, dim: Any = None, *, correction: float = 1, keepdim: bool = False, unbiased: bool | None = None
) -> Any:
    """The standard deviation over `dim`, the root of :func:`var`; of a constant it is 0, with gradient 0.

    >>> import autograd_core as ag
    >>> ag.std(ag.tensor([1.0, 2.0, 3.0, 4.0]), correction=0)
    tensor(1.118)
    """
    return root(var(input, dim, correction=correction, keepdim=keepdim, unbiased=unbiased))


@implements(np.var)
@reductions
def _numpy_var(input: Any, dim: Any = None, keepdim: bool = False, ddof: float = 0) -> Any:
    return var(input, dim, correction=ddof, keepdim=keepdim)


@implements(np.std)
@reductions
def _numpy_std(input: Any, dim: Any = None, keepdim: bool = False, ddof: float = 0) -> Any:
    return std(input, dim, correction=ddof, keepdim=keepdim)


@primitive(reference=np.all, samples=lambda rng: [Sample(rng.random((2, 3)) < 0.5, axis=(0,), keepdims=False)])
def _all(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.all(input, axis=axis, keepdims=keepdims)


@primitive(reference=np.any, samples=lambda rng: [Sample(rng.random((2, 3)) < 0.5, axis=(1,), keepdims=True)])
def _any(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.any(input, axis=axis, keepdims=keepdims)


@implements(np.all)
@reductions
def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements over `dim` are true (not 0).

    >>> import autograd_core as ag
    >>> ag.all(ag.tensor([True, False]))
    tensor(False)
    """
    return _all(input, axis=axes("all", dim, ndim(input)), keepdims=keepdim)


@implements(np.any)
@reductions
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any element over `dim` is true (not 0).

    >>> import autograd_core as ag
    >>> ag.any(ag.tensor([True, False]))
    tensor(True)
    """
    return _any(input, axis=axes("any", dim, ndim(input)), keepdims=keepdim)
