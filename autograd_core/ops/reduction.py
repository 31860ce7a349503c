"""Reductions over dimensions, and what is built on them."""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

import numpy as np

from ..primitive import Kink, Sample, implements, primitive
from . import elementwise as ew
from .arguments import aliases, axes, axis_of, ndim, shape
from .casting import cast, floating
from .indexing import gather
from .shape import reshape, unsqueeze

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "log_softmax",
    "logsumexp",
    "max",
    "mean",
    "min",
    "softmax",
    "std",
    "sum",
    "var",
]

nan, inf = np.nan, np.inf
names = aliases(axis="dim", keepdims="keepdim")


def _samples(rng: np.random.Generator) -> list[Sample]:
    """Every way to choose dimensions, on distinct values (a tie is a kink)."""

    def draw(*shape: int) -> np.ndarray:
        return rng.permutation(math.prod(shape)).reshape(shape) / 7 + 0.1

    return [
        Sample(draw(2, 3, 4), axis=(0, 1, 2), keepdims=False),
        Sample(draw(2, 3, 4), axis=(1,), keepdims=False),
        Sample(draw(2, 3, 4), axis=(0, 2), keepdims=True),
        Sample(draw(3), axis=(0,), keepdims=False),
        Sample(draw(2, 1), axis=(1,), keepdims=True),
        Sample(draw(), axis=(), keepdims=False),
        Sample(draw(2, 3), axis=(), keepdims=False),
    ]


def _empty_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        *_samples(rng),
        Sample(np.zeros((0, 3)), axis=(0,), keepdims=False),
        Sample(np.zeros((2, 0)), axis=(1,), keepdims=True),
    ]


def _one_axis(rng: np.random.Generator) -> list[Sample]:
    return [Sample(rng.normal(size=(2, 3)), axis=1), Sample(rng.normal(size=4), axis=0)]


def _spread(reduced: Any, shape: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    """What was reduced, with its dimensions back as size 1: it broadcasts against the input."""
    return np.reshape(reduced, tuple(1 if i in axis else n for i, n in enumerate(shape)))


# Sums and moments


@primitive(reference=np.sum, samples=_empty_samples)
def _sum(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.sum(input, axis=axis, keepdims=keepdims)


_sum.defvjp(lambda g, input_shape, axis: np.broadcast_to(_spread(g, input_shape, axis), input_shape))


@implements(np.sum)
@names
def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim` (an int, several, or all); the gradient is repeated over what was summed.  Empty: 0.

    >>> import autograd_core as ag
    >>> ag.sum(ag.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    if dtype is not None:
        input = cast(input, dtype)
    return _sum(input, axis=axes("sum", dim, ndim(input)), keepdims=keepdim)


def _count(input: Any, axis: tuple[int, ...]) -> int:
    return math.prod(shape(input)[i] for i in axis)


@implements(np.mean)
@names
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
    n = _count(input, axis)
    if n == 0:
        warnings.warn("mean: no elements to average, the result is NaN", RuntimeWarning, stacklevel=3)
    return _sum(input, axis=axis, keepdims=keepdim) / n


@names
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
    freedom = _count(input, axis) - correction
    if freedom <= 0:
        warnings.warn(
            f"var: {_count(input, axis)} elements with correction {correction} leave no degrees of freedom, "
            f"the result is NaN",
            RuntimeWarning,
            stacklevel=3,
        )
        freedom = nan
    deviation = input - mean(input, axis, keepdim=True)
    return _sum(deviation * deviation, axis=axis, keepdims=keepdim) / freedom


@names
def std(
    input: Any, dim: Any = None, *, correction: float = 1, keepdim: bool = False, unbiased: bool | None = None
) -> Any:
    """The standard deviation over `dim`, the root of :func:`var`; of a constant it is 0, with gradient 0.

    >>> import autograd_core as ag
    >>> ag.std(ag.tensor([1.0, 2.0, 3.0, 4.0]), correction=0)
    tensor(1.118)
    """
    return ew._root(var(input, dim, correction=correction, keepdim=keepdim, unbiased=unbiased))


@implements(np.var)
@names
def _numpy_var(input: Any, dim: Any = None, keepdim: bool = False, ddof: float = 0) -> Any:
    return var(input, dim, correction=ddof, keepdim=keepdim)


@implements(np.std)
@names
def _numpy_std(input: Any, dim: Any = None, keepdim: bool = False, ddof: float = 0) -> Any:
    return std(input, dim, correction=ddof, keepdim=keepdim)


# Extremes


def _split_ties(g: Any, out: Any, input: Any, axis: tuple[int, ...]) -> Any:
    """`g` shared evenly among the elements that equal the extreme (or are NaN, where it is)."""
    shape = input.shape
    best = _spread(out, shape, axis)
    hit = np.where(np.isnan(best), np.isnan(input), input == best)
    return np.where(hit, _spread(g, shape, axis) / np.sum(hit, axis=axis, keepdims=True), 0.0)


def _nonempty(operation: str, input: Any, axis: tuple[int, ...]) -> None:
    if _count(input, axis) == 0:
        raise ValueError(f"{operation}: no elements to choose from, in dimensions {axis} of shape {shape(input)}")


@primitive(
    reference=np.max,
    routes=True,
    samples=_samples,
    kinks=[
        Kink([1.0, 2.0, 2.0], value=2.0, grads=[[0.0, 0.5, 0.5]], axis=(0,), keepdims=False),
        Kink([1.0, nan, 2.0], value=nan, grads=[[0.0, 1.0, 0.0]], axis=(0,), keepdims=False),
    ],
)
def _amax(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.max(input, axis=axis, keepdims=keepdims)


_amax.defvjp(lambda g, out, input, axis: _split_ties(g, out, input, axis))


@primitive(
    reference=np.min,
    routes=True,
    samples=_samples,
    kinks=[Kink([1.0, 1.0, 2.0], value=1.0, grads=[[0.5, 0.5, 0.0]], axis=(0,), keepdims=False)],
)
def _amin(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.min(input, axis=axis, keepdims=keepdims)


_amin.defvjp(lambda g, out, input, axis: _split_ties(g, out, input, axis))


@implements(np.max, np.amax)
@names
def amax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest value over `dim` (an int, several, or all); ties share the gradient evenly; NaN wins.

    Raises
    ------
    ValueError
        If there are no elements.

    >>> import autograd_core as ag
    >>> x = ag.tensor([1.0, 2.0, 2.0], requires_grad=True)
    >>> ag.amax(x).backward()
    >>> x.grad
    tensor([0. , 0.5, 0.5])
    """
    axis = axes("amax", dim, ndim(input))
    _nonempty("amax", input, axis)
    return _amax(input, axis=axis, keepdims=keepdim)


@implements(np.min, np.amin)
@names
def amin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest value over `dim` (an int, several, or all); ties share the gradient evenly; NaN wins.

    Raises
    ------
    ValueError
        If there are no elements.

    >>> import autograd_core as ag
    >>> ag.amin(ag.tensor([[1.0, 2.0], [3.0, 0.0]]), dim=1)
    tensor([1., 0.])
    """
    axis = axes("amin", dim, ndim(input))
    _nonempty("amin", input, axis)
    return _amin(input, axis=axis, keepdims=keepdim)


@primitive(reference=np.argmax, samples=_one_axis)
def _argmax(input: Any, *, axis: int) -> Any:
    return np.argmax(input, axis=axis)


@primitive(reference=np.argmin, samples=_one_axis)
def _argmin(input: Any, *, axis: int) -> Any:
    return np.argmin(input, axis=axis)


def _arg(operation: str, primitive: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    rank = ndim(input)
    if dim is None:
        _nonempty(operation, input, tuple(range(rank)))
        found = primitive(reshape(input, (-1,)), axis=0)
        return reshape(found, (1,) * rank) if keepdim else found
    axis = axis_of(operation, dim, rank)
    if rank == 0:
        return primitive(reshape(input, (1,)), axis=0)
    _nonempty(operation, input, (axis,))
    found = primitive(input, axis=axis)
    return unsqueeze(found, axis) if keepdim else found


@implements(np.argmax)
@names
def argmax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The index of the largest value along `dim`, or in the flattened tensor; the first at a tie.

    >>> import autograd_core as ag
    >>> ag.argmax(ag.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([1, 0])
    """
    return _arg("argmax", _argmax, input, dim, keepdim)


@implements(np.argmin)
@names
def argmin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The index of the smallest value along `dim`, or in the flattened tensor; the first at a tie.

    >>> import autograd_core as ag
    >>> ag.argmin(ag.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([0, 1])
    """
    return _arg("argmin", _argmin, input, dim, keepdim)


class Extreme(NamedTuple):
    """Values along a dimension, and where they are."""

    values: Any
    indices: Any


def _along(operation: str, arg: Any, input: Any, dim: Any, keepdim: bool) -> Extreme:
    axis = axis_of(operation, dim, ndim(input))
    if ndim(input) == 0:
        return Extreme(input, arg(input, 0))
    where = arg(input, axis, keepdim=True)
    values = gather(input, axis, where)
    if keepdim:
        return Extreme(values, where)
    rest = shape(input)[:axis] + shape(input)[axis + 1 :]
    return Extreme(reshape(values, rest), reshape(where, rest))


@names
def max(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest value; or, along `dim`, the pair (values, indices).

    Over all elements ties share the gradient; with an index, the element it names gets all.  With a tensor in place of
    `dim`: :func:`maximum`.

    >>> import autograd_core as ag
    >>> ag.max(ag.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).indices
    tensor([1, 0])
    """
    if dim is None:
        return amax(input, keepdim=keepdim)
    return ew.maximum(input, dim) if ndim(dim) else _along("max", argmax, input, dim, keepdim)


@names
def min(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest value; or, along `dim`, the pair (values, indices).

    Over all elements ties share the gradient; with an index, the element it names gets all.  With a tensor in place of
    `dim`: :func:`minimum`.

    >>> import autograd_core as ag
    >>> ag.min(ag.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).values
    tensor([1., 2.])
    """
    if dim is None:
        return amin(input, keepdim=keepdim)
    return ew.minimum(input, dim) if ndim(dim) else _along("min", argmin, input, dim, keepdim)


# Exponential sums


def _finite_max(input: Any, axis: Any) -> Any:
    """The maximum along `axis`, kept, to subtract before `exp`: 0 where it is -inf (nothing to scale) or +inf."""
    m = np.max(input, axis=axis, keepdims=True, initial=-inf)
    return np.where(np.isfinite(m), m, np.where(np.isnan(m), m, 0))


@primitive(
    reference=lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis, keepdims=keepdims)),
    samples=_empty_samples,
    kinks=[
        Kink([-inf, -inf], value=-inf, grads=[[0.0, 0.0]], axis=(0,), keepdims=False),
        Kink([0.0, inf], value=inf, grads=[[0.0, 1.0]], axis=(0,), keepdims=False),
        Kink([-inf, 0.0], value=0.0, grads=[[0.0, 1.0]], axis=(0,), keepdims=False),
        Kink([1000.0, 1000.0], value=1000 + np.log(2), grads=[None], axis=(0,), keepdims=False),
    ],
)
@ew.quiet
def _logsumexp(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    m = _finite_max(input, axis)
    out = np.log(np.sum(np.exp(input - m), axis=axis, keepdims=True)) + m
    return out if keepdims else out.reshape([n for i, n in enumerate(out.shape) if i not in axis])


def _share(input: Any, out: Any, axis: tuple[int, ...]) -> Any:
    """The softmax of `input` from its logsumexp `out`; all of it at +inf, nothing where every input is -inf."""
    total = _spread(out, input.shape, axis)
    return np.where(np.isinf(total), np.where(total > 0, input == total, False), np.exp(input - total))


_logsumexp.defvjp(lambda g, out, input, axis: _spread(g, input.shape, axis) * _share(input, out, axis))


@names
def logsumexp(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """``log(sum(exp(input)))`` over `dim`, computed relative to the maximum so that nothing overflows.

    All -inf gives -inf with gradient 0; a +inf gives inf with all the gradient there.

    >>> import autograd_core as ag
    >>> ag.logsumexp(ag.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    input = floating(input)
    return _logsumexp(input, axis=axes("logsumexp", dim, ndim(input)), keepdims=keepdim)


def _softmax_samples(rng: np.random.Generator) -> list[Sample]:
    draw = rng.normal
    return [
        Sample(draw(size=(2, 3)), axis=1),
        Sample(draw(size=(2, 3)), axis=0),
        Sample(draw(size=(2, 3, 2)), axis=1),
        Sample(draw(size=4), axis=0),
        Sample(draw(size=(0, 3)), axis=1),
        Sample(draw(size=(3, 0)), axis=1),
        Sample(draw(size=(2, 1)), axis=1),
    ]


@primitive(
    reference=lambda x, axis: np.exp(x) / np.sum(np.exp(x), axis, keepdims=True),
    samples=_softmax_samples,
    kinks=[
        Kink([-inf, -inf], value=[nan, nan], grads=[[nan, nan]], axis=0),
        Kink([-inf, 0.0], value=[0.0, 1.0], grads=[[0.0, 0.0]], axis=0),
        Kink([1000.0, 1000.0], value=[0.5, 0.5], grads=[[0.0, 0.0]], axis=0),
    ],
)
@ew.quiet
def _softmax(input: Any, *, axis: int) -> Any:
    e = np.exp(input - np.max(input, axis=axis, keepdims=True, initial=-inf))
    return e / np.sum(e, axis=axis, keepdims=True)


_softmax.defvjp(lambda g, out, axis: out * (g - np.sum(g * out, axis=axis, keepdims=True)))


@primitive(
    reference=lambda x, axis: x - np.log(np.sum(np.exp(x), axis, keepdims=True)),
    samples=_softmax_samples,
    kinks=[Kink([-inf, 0.0], value=[-inf, 0.0], grads=[[1.0, -1.0]], axis=0)],
)
@ew.quiet
def _log_softmax(input: Any, *, axis: int) -> Any:
    shifted = input - np.max(input, axis=axis, keepdims=True, initial=-inf)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


_log_softmax.defvjp(lambda g, out, axis: g - np.exp(out) * np.sum(g, axis=axis, keepdims=True))


def _along_one(operation: str, primitive: Any, input: Any, dim: Any, dtype: Any) -> Any:
    input = floating(input) if dtype is None else cast(input, dtype)
    axis = axis_of(operation, dim, ndim(input))
    if ndim(input) == 0:
        return reshape(primitive(reshape(input, (1,)), axis=0), ())
    return primitive(input, axis=axis)


@names
def softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """``exp(input) / sum(exp(input))`` along `dim`; a row of -inf alone gives NaN.

    The gradient is ``out * (g - sum(g * out))``: every output depends on every input of its row.

    >>> import autograd_core as ag
    >>> ag.softmax(ag.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([0.09  , 0.2447, 0.6652])
    """
    return _along_one("softmax", _softmax, input, dim, dtype)


@names
def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """``input - logsumexp(input)`` along `dim`, the logarithm of :func:`softmax` without its underflow.

    >>> import autograd_core as ag
    >>> ag.log_softmax(ag.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    return _along_one("log_softmax", _log_softmax, input, dim, dtype)


# Truth


@primitive(reference=np.all, samples=lambda rng: [Sample(rng.random((2, 3)) < 0.5, axis=(0,), keepdims=False)])
def _all(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.all(input, axis=axis, keepdims=keepdims)


@primitive(reference=np.any, samples=lambda rng: [Sample(rng.random((2, 3)) < 0.5, axis=(1,), keepdims=True)])
def _any(input: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    return np.any(input, axis=axis, keepdims=keepdims)


@implements(np.all)
@names
def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements over `dim` are true (not 0).

    >>> import autograd_core as ag
    >>> ag.all(ag.tensor([True, False]))
    tensor(False)
    """
    return _all(input, axis=axes("all", dim, ndim(input)), keepdims=keepdim)


@implements(np.any)
@names
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any element over `dim` is true (not 0).

    >>> import autograd_core as ag
    >>> ag.any(ag.tensor([True, False]))
    tensor(True)
    """
    return _any(input, axis=axes("any", dim, ndim(input)), keepdims=keepdim)
