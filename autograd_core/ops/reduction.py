"""Sums and products over dimensions, and what is made of them."""

from __future__ import annotations

import builtins
import math
import warnings
from typing import Any

import numpy as np

from ..primitive import Kink, Sample, primitive
from .arguments import axes, by_name, count, ndim, reductions, shape, spread
from .arithmetic import abs, div
from .casting import cast, floating
from .decompositions import svdvals
from .exponential import root
from .extremes import amax, amin
from .samples import over_dims, over_dims_or_none
from .shape import movedim

inf = np.inf

__all__ = [
    "all",
    "any",
    "count_nonzero",
    "mean",
    "nanmean",
    "nansum",
    "norm",
    "prod",
    "std",
    "std_mean",
    "sum",
    "var",
    "var_mean",
]


_add: Any = np.add.reduce  # NumPy's stubs know `keepdims` as a literal only
_multiply: Any = np.multiply.reduce


def accumulator(input: Any) -> Any:
    """The dtype to add up or multiply in: int64 for integers and bools, else the input's own."""
    return np.int64 if input.dtype.kind in "bui" else None


def _over(operation: str, dim: Any, input: Any) -> tuple[int, ...]:
    """The dimensions to reduce; all of them for an empty tuple, as in PyTorch."""
    return axes(operation, None if isinstance(dim, (tuple, list)) and not dim else dim, ndim(input))


# Sums


@primitive(reference=np.sum, samples=over_dims_or_none)
def _sum(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return _add(input, axis=axis, keepdims=keepdims, dtype=accumulator(input))


_sum.defvjp(lambda g, input_shape, axis: np.broadcast_to(spread(g, input_shape, axis), input_shape))


@by_name(np.sum)
@reductions
def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim` (an int, several, or all); the gradient is repeated over what was summed.  Empty: 0.

    >>> import autograd_core as ag
    >>> ag.sum(ag.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    if dtype is not None:
        input = cast(input, dtype)
    return _sum(input, axis=_over("sum", dim, input), keepdims=keepdim)


@by_name(np.mean)
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
    axis = _over("mean", dim, input)
    n = count(input, axis)
    if n == 0:
        warnings.warn("mean: no elements to average, the result is NaN", RuntimeWarning, stacklevel=3)
    return div(_sum(input, axis=axis, keepdims=keepdim), n)


@by_name(np.nansum)
@reductions
def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim` of what is not NaN; a NaN gets gradient 0.

    >>> import autograd_core as ag
    >>> ag.nansum(ag.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    if not hasattr(input, "dtype"):
        input = floating(input)
    return sum(np.where(np.isnan(input), np.zeros((), input.dtype), input), dim, keepdim, dtype=dtype)


@by_name(np.nanmean)
@reductions
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `dim` of what is not NaN; NaN where nothing is left.

    >>> import autograd_core as ag
    >>> ag.nanmean(ag.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5)
    """
    input = floating(input)
    return div(nansum(input, dim, keepdim, dtype=dtype), sum(~np.isnan(input), dim, keepdim))


@by_name(np.count_nonzero)
@reductions
def count_nonzero(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The number of elements over `dim` that are not 0.

    >>> import autograd_core as ag
    >>> ag.count_nonzero(ag.tensor([[0, 1], [2, 3]]), dim=1)
    tensor([1, 2])
    """
    return sum(cast(input, bool), dim, keepdim)


# Products


def _others(x: Any) -> Any:
    """For each element along the last dimension, the product of all the others there.

    By halving, with multiplications alone: neighbours are paired, and what the others of a pair make, times the one
    neighbour, is what the others of the other make.  Without a division zeros need no care, to any order.
    """
    n = x.shape[-1]
    if n < 2:
        return np.ones_like(x)
    half = n // 2
    a, b, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    above = _others(np.concatenate([a * b, rest], axis=-1))
    pairs = above[..., :half]
    return np.concatenate([pairs * b, pairs * a, above[..., half:]], axis=-1)


def _others_over(x: Any, axis: tuple[int, ...]) -> Any:
    """For each element, the product of all others over the dimensions `axis`."""
    last = tuple(range(-len(axis), 0))
    moved = np.moveaxis(x, axis, last)
    lead = moved.shape[: x.ndim - len(axis)]
    found = _others(np.reshape(moved, (*lead, count(x, axis))))
    return np.moveaxis(np.reshape(found, moved.shape), last, axis)


def _prod_samples(rng: np.random.Generator) -> list[Sample]:
    zeros = np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [4.0, 2.0, 3.0]])
    return [
        *over_dims_or_none(rng),
        Sample(zeros, axis=(1,), keepdims=False),
        Sample(zeros, axis=(0,), keepdims=True),
        Sample(zeros[:1], axis=(0, 1), keepdims=False),
    ]


@primitive(
    reference=np.prod,
    samples=_prod_samples,
    kinks=[
        Kink([0.0, 2.0, 3.0], value=0.0, grads=[[6.0, 0.0, 0.0]], axis=(0,), keepdims=False),
        Kink([0.0, 0.0, 3.0], value=0.0, grads=[[0.0, 0.0, 0.0]], axis=(0,), keepdims=False),
    ],
)
def _prod(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return _multiply(input, axis=axis, keepdims=keepdims, dtype=accumulator(input))


_prod.defvjp(lambda g, input, axis: spread(g, input.shape, axis) * _others_over(input, axis))


@by_name(np.prod)
@reductions
def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product over `dim` (an int, several, or all).  Empty: 1.

    The gradient by each element is the product of the others, found without a division: exact also beside zeros.

    >>> import autograd_core as ag
    >>> x = ag.tensor([0.0, 2.0, 3.0], requires_grad=True)
    >>> ag.prod(x).backward()
    >>> x.grad
    tensor([6., 0., 0.])
    """
    if dtype is not None:
        input = cast(input, dtype)
    return _prod(input, axis=_over("prod", dim, input), keepdims=keepdim)


# Variances


def _moments(
    operation: str, input: Any, dim: Any, unbiased: bool | None, keepdim: bool, correction: float | None
) -> tuple[Any, Any]:
    """The variance and the mean, from the deviations in a second pass."""
    if isinstance(dim, builtins.bool):  # PyTorch's old var(input, unbiased)
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = int(unbiased)
    elif correction is None:
        correction = 1
    axis = _over(operation, dim, input)
    n = count(input, axis)
    if n <= correction:
        warnings.warn(
            f"{operation}: {n} elements with correction {correction} leave no degrees of freedom, the result is not "
            f"finite",
            RuntimeWarning,
            stacklevel=4,
        )
    center = div(_sum(input, axis=axis, keepdims=True), n)
    deviation = input - center
    variance = div(_sum(deviation * deviation, axis=axis, keepdims=keepdim), max(n - correction, 0))
    rest = [size for i, size in enumerate(shape(input)) if i not in axis]
    return variance, center if keepdim else np.reshape(center, tuple(rest))


@reductions
def var(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
) -> Any:
    """The variance over `dim`: the sum of squared deviations from the mean, divided by ``n - correction``.

    Parameters
    ----------
    correction : 1 for the sample variance (the default, as in PyTorch), 0 for the population's
    unbiased : older spelling: True for correction 1, False for 0

    Where ``n <= correction`` the result is not finite (NaN for one element), with a warning.

    >>> import autograd_core as ag
    >>> ag.var(ag.tensor([1.0, 2.0, 3.0, 4.0]), correction=0)
    tensor(1.25)
    """
    return _moments("var", input, dim, unbiased, keepdim, correction)[0]


@reductions
def std(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
) -> Any:
    """The standard deviation over `dim`, the root of :func:`var`; of a constant it is 0, with gradient 0.

    >>> import autograd_core as ag
    >>> ag.std(ag.tensor([1.0, 2.0, 3.0, 4.0]), correction=0)
    tensor(1.118)
    """
    return root(_moments("std", input, dim, unbiased, keepdim, correction)[0])


@reductions
def var_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
) -> tuple[Any, Any]:
    """The pair of :func:`var` and :func:`mean` over `dim`.

    >>> import autograd_core as ag
    >>> ag.var_mean(ag.tensor([1.0, 3.0]))
    (tensor(2.), tensor(2.))
    """
    return _moments("var_mean", input, dim, unbiased, keepdim, correction)


@reductions
def std_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = 1
) -> tuple[Any, Any]:
    """The pair of :func:`std` and :func:`mean` over `dim`.

    >>> import autograd_core as ag
    >>> ag.std_mean(ag.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(2.))
    """
    variance, center = _moments("std_mean", input, dim, unbiased, keepdim, correction)
    return root(variance), center


@by_name(np.var)
@reductions
def _numpy_var(input: Any, dim: Any = None, keepdim: bool = False, ddof: float = 0) -> Any:
    return var(input, dim, correction=ddof, keepdim=keepdim)


@by_name(np.std)
@reductions
def _numpy_std(input: Any, dim: Any = None, keepdim: bool = False, ddof: float = 0) -> Any:
    return std(input, dim, correction=ddof, keepdim=keepdim)


# Norms


def _norm_samples(rng: np.random.Generator) -> list[Sample]:
    signs = [Sample(s.args[0] * rng.choice([-1.0, 1.0], s.args[0].shape), **s.params) for s in over_dims(rng)]
    powers = (2, 1, 3, 1.5, -1, 0, 2)
    return [Sample(*s.args, p=p, **s.params) for s, p in zip(signs, powers, strict=True)]


@primitive(
    samples=_norm_samples,
    reference=lambda x, p, axis, keepdims: np.sum(np.abs(x) ** p, axis=axis, keepdims=keepdims) ** (1 / p if p else 1),
    kinks=[
        Kink([0.0, 0.0], value=0.0, grads=[[0.0, 0.0]], p=2, axis=(0,), keepdims=False),
        Kink([[0.0, 0.0], [3.0, 4.0]], value=[0.0, 5.0], grads=[[[0, 0], [0.6, 0.8]]], p=2, axis=(1,), keepdims=False),
        Kink([0.0, -2.0], value=2.0, grads=[[0.0, -1.0]], p=1, axis=(0,), keepdims=False),
        Kink([0.0, 0.0], value=0.0, grads=[[0.0, 0.0]], p=3, axis=(0,), keepdims=False),
        Kink([3e30, 4e30], value=5e30, grads=[[0.6, 0.8]], p=2, axis=(0,), keepdims=False),
        Kink([3e-30, 4e-30], value=5e-30, grads=[[0.6, 0.8]], p=2, axis=(0,), keepdims=False),
    ],
)
@np.errstate(all="ignore")
def _norm(input: Any, *, p: float, axis: tuple[int, ...], keepdims: bool) -> Any:
    """``sum(|input|**p) ** (1/p)``, relative to the largest (smallest, if p < 0) where a power could overflow."""
    size = np.absolute(input)
    if p == 0:
        return np.sum(size != 0, axis=axis, keepdims=keepdims, dtype=size.dtype)
    if p == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    if p == 2:
        out = np.sqrt(np.sum(size * size, axis=axis, keepdims=keepdims))
        limits = np.finfo(size.dtype)
        if (np.isfinite(out) & (out > np.sqrt(limits.tiny) / limits.eps)).all():
            return out
    best, start = (np.max, 0.0) if p > 0 else (np.min, inf)
    scale = best(size, axis=axis, keepdims=True, initial=start)
    scale = np.where((scale == 0) | np.isinf(scale), 1, scale)
    out = scale * np.sum((size / scale) ** p, axis=axis, keepdims=True) ** (1 / p)
    return out if keepdims else np.squeeze(out, axis)


def _norm_slope(out: Any, input: Any, p: float, axis: tuple[int, ...]) -> Any:
    """``sign(x) * (|x| / norm)**(p - 1)``; 0 where the norm is."""
    if p == 0:
        return np.zeros_like(input)
    if p == 1:
        return np.sign(input)
    total = spread(out, input.shape, axis)
    if p == 2:
        ratio = input / total
    else:
        other = input != 0
        ratio = np.where(other, np.sign(input) * (np.where(other, np.absolute(input), 1.0) / total) ** (p - 1), 0.0)
    return np.where(total == 0, 0.0, ratio)


_norm.defvjp(lambda g, out, input, p, axis: spread(g, input.shape, axis) * _norm_slope(out, input, p, axis))


@reductions
def norm(input: Any, p: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """The vector norm ``sum(|input|**p) ** (1/p)`` over `dim` (an int, several, or all).

    At 0 the gradient is 0, the smallest subgradient: for the whole vector, for each row, and for each element of the
    1-norm.  It neither overflows nor underflows where the result does not.

    Parameters
    ----------
    p : the order: any number (0 counts what is not 0); inf or -inf for the largest or smallest ``|input|``, whose ties
        share the gradient evenly; "fro", which is 2; or "nuc", the sum of the singular values of matrices
    dtype : to compute in

    Raises
    ------
    ValueError
        If `p` is something else, if "nuc" is not asked over two dimensions, or if no element is left for an order inf
        or below 0.

    >>> import autograd_core as ag
    >>> ag.norm(ag.tensor([[3.0, 4.0], [0.0, 0.0]]), dim=1)
    tensor([5., 0.])
    """
    input = floating(input) if dtype is None else cast(input, dtype)
    axis = _over("norm", dim, input)
    if p == "nuc":
        if len(axis) != 2:
            raise ValueError(
                f"norm: 'nuc' is for the two dimensions of matrices, got dim {dim} of shape {shape(input)}"
            )
        total = norm(svdvals(movedim(input, axis, (-2, -1))), 1, -1)
        return spread(total, shape(input), axis) if keepdim else total
    if p == "fro":
        p = 2
    if isinstance(p, str):
        raise ValueError(f"norm: expected a number, inf, -inf, 'fro' or 'nuc' for p, got {p!r}")
    if (p < 0 or p == inf) and count(input, axis) == 0:
        raise ValueError(f"norm: no elements, in dimensions {axis} of shape {shape(input)}, to take the norm {p} of")
    if math.isinf(p):
        return (amax if p > 0 else amin)(abs(input), axis, keepdim)
    return _norm(input, p=p, axis=axis, keepdims=keepdim)


# Logic


@primitive(reference=np.all, samples=lambda rng: [Sample(rng.random((2, 3)) < 0.5, axis=(0,), keepdims=False)])
def _all(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.all(input, axis=axis, keepdims=keepdims)


@primitive(reference=np.any, samples=lambda rng: [Sample(rng.random((2, 3)) < 0.5, axis=(1,), keepdims=True)])
def _any(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.any(input, axis=axis, keepdims=keepdims)


@by_name(np.all)
@reductions
def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements over `dim` are true (not 0).

    >>> import autograd_core as ag
    >>> ag.all(ag.tensor([True, False]))
    tensor(False)
    """
    return _all(input, axis=axes("all", dim, ndim(input)), keepdims=keepdim)


@by_name(np.any)
@reductions
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any element over `dim` is true (not 0).

    >>> import autograd_core as ag
    >>> ag.any(ag.tensor([True, False]))
    tensor(True)
    """
    return _any(input, axis=axes("any", dim, ndim(input)), keepdims=keepdim)
