"""Medians, quantiles, covariances, integrals of samples, counts."""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from ..tensor import Tensor
from .arguments import aliases, axes, axis_of, by_name, count, demand, ndim, reductions, shape
from .arithmetic import div
from .casting import cast, floating
from .cumulative import cumsum
from .exponential import sqrt
from .extremes import Choice, chosen
from .indexing import gather, getitem
from .joining import cat
from .linalg import matmul
from .reduction import mean, sum
from .selection import clamp, clamp_min, where
from .shape import broadcast_to, movedim, reshape, squeeze, transpose
from .sorting import argsort

nan = np.nan

__all__ = [
    "bincount",
    "corrcoef",
    "cov",
    "cumulative_trapezoid",
    "histc",
    "median",
    "nanmedian",
    "nanquantile",
    "quantile",
    "trapezoid",
    "trapz",
]

name_axis = aliases(axis="dim")


# Quantiles


def _ranks(q: Any, present: Any, n: int, skip_nan: bool) -> Any:
    """The places of the quantiles `q` in a sorted row of n, `present` of which are no NaN: real numbers from 0."""
    if skip_nan:
        return q * clamp_min(present - 1, 0)
    # a row with a NaN is answered by its last element, which sorting made a NaN
    return where(present == n, q * (n - 1), n - 1.0)


def _picked(ordered: Any, ranks: Any, interpolation: str) -> Any:
    """The values at `ranks` of rows sorted along the last dimension."""
    below = cast(ranks, np.int64)
    part = ranks - below
    above = below + (part > 0)
    if interpolation == "lower":
        return gather(ordered, -1, below)
    if interpolation == "higher":
        return gather(ordered, -1, above)
    if interpolation == "nearest":  # halves to the even place
        return gather(ordered, -1, where((part > 0.5) | ((part == 0.5) & ((below & 1) == 1)), above, below))
    low, high = gather(ordered, -1, below), gather(ordered, -1, above)
    weight = cast(part if interpolation == "linear" else where(part > 0, 0.5, 0.0), ordered.dtype)
    # at a place itself its value is taken alone, for 0 * inf is not 0
    at = weight == 0
    return where(at, low, where(at, 0.0, low) * (1 - weight) + where(at, 0.0, high) * weight)


def _quantile(
    operation: str, input: Any, q: Any, dim: Any, keepdim: bool, interpolation: str, skip_nan: bool = False
) -> Any:
    """The quantiles, with the dimension of `q` (if it has one) in front."""
    if interpolation not in ("linear", "lower", "higher", "nearest", "midpoint"):
        raise ValueError(
            f"{operation}: interpolation must be 'linear', 'lower', 'higher', 'nearest' or 'midpoint', "
            f"got {interpolation!r}"
        )
    q = q if isinstance(q, Tensor) else np.asarray(q)

    def explain(bad: Any, values: Any) -> None:
        raise ValueError(f"{operation}: q must be a number or a 1-d tensor of numbers in [0, 1], got {values}")

    if ndim(q) > 1:
        explain(True, q)
    demand(lambda values: np.logical_not((values >= 0) & (values <= 1)), explain, q)
    input = floating(input)
    axis = axes(operation, dim, ndim(input))
    n = count(input, axis)
    if n == 0:
        raise ValueError(f"{operation}: no elements, in dimensions {axis} of shape {shape(input)}")
    kept = tuple(1 if i in axis else size for i, size in enumerate(shape(input)))
    lead = tuple(size for i, size in enumerate(shape(input)) if i not in axis)
    rows = reshape(movedim(input, axis, tuple(range(-len(axis), 0))), (*lead, n))
    ordered = gather(rows, -1, argsort(rows, -1))
    present = sum(~np.isnan(rows), -1, keepdim=True)
    ranks = _ranks(reshape(q, (-1,)), present, n, skip_nan)
    ranks = broadcast_to(ranks, (*lead, math.prod(shape(q))))
    found = movedim(_picked(ordered, ranks, interpolation), -1, 0)
    return reshape(found, (*shape(q), *(kept if keepdim else lead)))


@reductions
def quantile(input: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """The q-quantiles over `dim` (an int, several, or all): what lies at ``q * (n - 1)`` of the sorted values.

    Parameters
    ----------
    q : a number in [0, 1], or several in one dimension, which the result then has in front
    interpolation : between the two values a quantile lies between: "linear", "lower", "higher", "midpoint", "nearest"

    A row with a NaN gives NaN.  The gradient goes to the values taken, by their weights, and to `q` if it is a tensor.

    Raises
    ------
    ValueError
        If there are no elements, or `q` or `interpolation` is none of these.

    >>> import autograd_core as ag
    >>> ag.quantile(ag.tensor([1.0, 2.0, 4.0]), ag.tensor([0.0, 0.75]))
    tensor([1., 3.])
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


@reductions
def nanquantile(input: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """As :func:`quantile`, of what is not NaN; NaN where nothing is left.

    >>> import autograd_core as ag
    >>> ag.nanquantile(ag.tensor([1.0, float("nan"), 4.0]), 0.5)
    tensor(2.5)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, skip_nan=True)


def _middle(operation: str, input: Any, dim: int, keepdim: bool, skip_nan: bool) -> Choice:
    """The lower of the middle values along `dim`, with its index."""
    axis = axis_of(operation, dim, ndim(input))
    n = shape(input)[axis] if ndim(input) else 1
    if n == 0:
        raise ValueError(f"{operation}: no elements, in dimension {dim} of shape {shape(input)}")
    order = argsort(input, dim)
    if ndim(input) == 0:
        return Choice(input, order)
    present = sum(~np.isnan(input), axis, keepdim=True)
    if skip_nan:
        middle = cast(cast(clamp_min(present - 1, 0), np.float64) / 2, np.int64)
    else:
        middle = where(present == n, (n - 1) // 2, present)
    return chosen(input, axis, gather(order, axis, middle), keepdim)


def _median(operation: str, input: Any, dim: Any, keepdim: bool, skip_nan: bool) -> Any:
    if dim is not None:
        return _middle(operation, input, dim, keepdim, skip_nan)
    if count(input, tuple(range(ndim(input)))) == 0:
        warnings.warn(f"{operation}: no elements, the result is NaN", RuntimeWarning, stacklevel=4)
        return div(sum(floating(input), keepdim=keepdim), 0)
    return _quantile(operation, input, 0.5, None, keepdim, "linear", skip_nan)


@reductions
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median of all; or, along `dim`, the pair (values, indices).

    Of an even count, the median of all is NumPy's: the mean of the two in the middle, half the gradient for each
    (PyTorch's is the lower).  Along a dimension it is PyTorch's: the lower of the two, and where it is, which gets all
    the gradient; ``np.median`` gives the mean there too.  With a NaN it is NaN.

    >>> import autograd_core as ag
    >>> ag.median(ag.tensor([4.0, 1.0, 2.0, 3.0]))
    tensor(2.5)
    >>> ag.median(ag.tensor([4.0, 1.0, 2.0, 3.0]), dim=0)
    Choice(values=tensor(2.), indices=tensor(2))
    """
    return _median("median", input, dim, keepdim, False)


@reductions
def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """As :func:`median`, of what is not NaN; NaN where nothing is left.

    >>> import autograd_core as ag
    >>> ag.nanmedian(ag.tensor([4.0, float("nan"), 2.0]))
    tensor(3.)
    """
    return _median("nanmedian", input, dim, keepdim, True)


def _numpy_quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    method: str = "linear",
    keepdims: bool = False,
    *,
    name: str,
    skip_nan: bool = False,
    scale: float = 1,
) -> Any:
    fraction = (q if isinstance(q, Tensor) else np.asarray(q)) / scale
    return _quantile(name, a, fraction, axis, keepdims, method, skip_nan)


_NUMPY: dict[Any, dict[str, Any]] = {
    np.quantile: {},
    np.nanquantile: {"skip_nan": True},
    np.percentile: {"scale": 100},
    np.nanpercentile: {"skip_nan": True, "scale": 100},
    np.median: {"q": 0.5},
    np.nanmedian: {"q": 0.5, "skip_nan": True},
}
for _function, _fixed in _NUMPY.items():
    by_name(_function)(functools.partial(_numpy_quantile, name=_function.__name__, **_fixed))


# Covariances


def _columns(operation: str, input: Any) -> Any:
    """The variables as rows of a matrix."""
    if ndim(input) > 2:
        raise ValueError(f"{operation}: expected variables in rows, at most 2 dimensions, got shape {shape(input)}")
    return reshape(floating(input), (1, -1) if ndim(input) < 2 else shape(input))


def cov(input: Any, *, correction: float = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of the variables in the rows of `input`: of shape (rows, rows), 0-d for one variable.

    Parameters
    ----------
    input : of shape (variables, observations), or (observations,)
    correction : 1 for the sample covariance, 0 for the population's
    fweights : how often each observation counts, whole numbers of shape (observations,)
    aweights : how much each observation counts, of shape (observations,)

    >>> import autograd_core as ag
    >>> ag.cov(ag.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    rows = _columns("cov", input)
    n = shape(rows)[1]
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is not None and shape(given) != (n,):
            raise ValueError(f"cov: expected {name} of shape ({n},), one for each observation, got {shape(given)}")
    if fweights is None and aweights is None:
        if n <= correction:
            warnings.warn(
                f"cov: {n} observations with correction {correction} leave no degrees of freedom, the result is not "
                f"finite",
                RuntimeWarning,
                stacklevel=2,
            )
        deviation = rows - div(sum(rows, 1, keepdim=True), n)
        weighted, freedom = deviation, max(n - correction, 0)
    else:
        weights = 1
        for given in (fweights, aweights):
            weights = weights if given is None else weights * cast(given, rows.dtype)
        total = sum(weights)
        excess = 1 if aweights is None else div(sum(weights * aweights), total)
        deviation = rows - div(sum(rows * weights, 1, keepdim=True), total)
        weighted, freedom = deviation * weights, clamp_min(total - correction * excess, 0)
    return squeeze(div(matmul(weighted, transpose(deviation, 0, 1)), freedom))


def corrcoef(input: Any) -> Any:
    """The correlations of the variables in the rows of `input`: the covariances over the standard deviations.

    >>> import autograd_core as ag
    >>> ag.corrcoef(ag.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    found = cov(input)
    if ndim(found) == 0:
        return div(found, found)
    each = np.arange(shape(found)[0])
    spread = sqrt(getitem(found, (each, each)))
    return clamp(div(found, spread * spread[:, None]), -1, 1)


def _variables(m: Any, y: Any, rowvar: bool) -> Any:
    """NumPy's ways to give variables, as rows."""
    parts = [_columns("cov", m if rowvar or ndim(m) < 2 else transpose(m, 0, 1))]
    if y is not None:
        parts.append(_columns("cov", y if rowvar or ndim(y) < 2 else transpose(y, 0, 1)))
    return cat(parts)


@by_name(np.cov)
def _numpy_cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: float | None = None,
    fweights: Any = None,
    aweights: Any = None,
) -> Any:
    correction = ddof if ddof is not None else 0 if bias else 1
    return cov(_variables(m, y, rowvar), correction=correction, fweights=fweights, aweights=aweights)


@by_name(np.corrcoef)
def _numpy_corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    return corrcoef(_variables(x, y, rowvar))


@by_name(np.average)
def _numpy_average(a: Any, axis: int | None = None, weights: Any = None, keepdims: bool = False) -> Any:
    if weights is None:
        return mean(a, axis, keepdims)
    if shape(weights) != shape(a):
        if axis is None or ndim(weights) != 1:
            raise TypeError(
                f"average: expected weights of shape {shape(a)}, or of one dimension beside an axis, got "
                f"{shape(weights)} beside axis {axis}"
            )
        weights = _at(weights, axis_of("average", axis, ndim(a)), ndim(a))
    return div(sum(a * weights, axis, keepdims), sum(broadcast_to(weights, shape(a)), axis, keepdims))


# Integrals


def _at(x: Any, axis: int, rank: int) -> Any:
    """The one dimension of `x` as dimension `axis` of `rank`."""
    return reshape(x, tuple(-1 if i == axis else 1 for i in range(rank)))


def _panels(operation: str, y: Any, x: Any, dx: Any, dim: int) -> Any:
    """The areas between neighbours along `dim`."""
    if x is not None and dx is not None:
        raise ValueError(f"{operation}: x and dx both say how far the samples are apart; give one of them")
    axis = axis_of(operation, dim, ndim(y)) - ndim(y)
    after = (Ellipsis, slice(1, None), *(slice(None),) * (-1 - axis))
    before = (Ellipsis, slice(None, -1), *(slice(None),) * (-1 - axis))
    y = floating(y)
    if x is None:
        width = 1 if dx is None else dx
    else:
        x = _at(x, axis + ndim(y), ndim(y)) if ndim(x) == 1 else x
        width = getitem(x, after) - getitem(x, before)
    return (getitem(y, after) + getitem(y, before)) * width / 2


@by_name(np.trapezoid)
@name_axis
def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integral of samples along `dim` by the trapezoidal rule: the mean of neighbours times their distance, summed.

    Parameters
    ----------
    y : the samples
    x : where they were taken: of shape (n,) along `dim`, or one that broadcasts with `y`
    dx : how far they are apart (1, if there is no `x`)

    >>> import autograd_core as ag
    >>> ag.trapezoid(ag.tensor([1.0, 2.0, 3.0]), dx=2)
    tensor(8.)
    """
    return sum(_panels("trapezoid", y, x, dx, dim), axis_of("trapezoid", dim, ndim(y)) - ndim(y))


trapz = trapezoid


@name_axis
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integral up to each sample but the first, along `dim`; see :func:`trapezoid`.

    >>> import autograd_core as ag
    >>> ag.cumulative_trapezoid(ag.tensor([1.0, 2.0, 3.0]))
    tensor([1.5, 4. ])
    """
    panels = _panels("cumulative_trapezoid", y, x, dx, dim)
    return cumsum(panels, axis_of("cumulative_trapezoid", dim, ndim(y)) - ndim(y))


# Counts


def _histogram(x: Any, bins: int, min: float, max: float) -> Any:
    return np.histogram(x, bins, (min, max) if (min, max) != (0, 0) else None)[0]


@primitive(
    reference=_histogram,
    samples=lambda rng: [
        Sample(rng.normal(size=20), bins=5, min=0, max=0),
        Sample(rng.normal(size=(3, 4)), bins=3, min=-1, max=0.5),
        Sample(np.array([0.0, 1.0, 2.0, 3.0]), bins=3, min=0, max=3),
        Sample(np.array([2.0, 2.0]), bins=4, min=0, max=0),
    ],
)
def _histc(input: Any, *, bins: int, min: float, max: float) -> Any:
    if min == max and input.size:
        min, max = np.min(input), np.max(input)
    if min == max:
        min, max = min - 0.5, max + 0.5
    counts = np.histogram(input, bins, (min, max))[0]
    return counts.astype(input.dtype)


def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements fall into each of `bins` equal intervals from `min` to `max`; has no gradient.

    What lies outside is not counted; an element at `max` belongs to the last interval.  With `min` equal to `max` the
    range is that of the data.

    >>> import autograd_core as ag
    >>> ag.histc(ag.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    if bins < 1:
        raise ValueError(f"histc: expected at least one bin, got {bins}")
    if max < min:
        raise ValueError(f"histc: max {max} is below min {min}")
    return _histc(input, bins=bins, min=min, max=max)


@primitive(
    reference=lambda x, minlength: np.array([np.sum(x == i) for i in range(max([minlength, *(x + 1)]))], np.int64),
    samples=lambda rng: (
        [Sample(np.array([0, 2, 2]), minlength=n) for n in (0, 5)]
        + [Sample(np.zeros(0, np.int64), minlength=n) for n in (0, 2)]
    ),
    shaped_by=lambda values, params: [0],
)
def _bincount(input: Any, *, minlength: int) -> Any:
    return np.bincount(input, minlength=minlength)


@primitive(
    reference=lambda x, weights, size: np.array([np.sum(weights[x == i]) for i in range(size)]),
    samples=lambda rng: [Sample(np.array([0, 2, 2]), rng.normal(size=3), size=4)],
)
def _weights_at(input: Any, weights: Any, *, size: int) -> Any:
    return np.bincount(input, weights, size).astype(weights.dtype)


_weights_at.defvjp(None, lambda g, input: getitem(g, input))


@implements(np.bincount)
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of 0, 1, 2, ... comes in `input`, or the sum of the weights where it comes.

    Parameters
    ----------
    input : of shape (n,), whole numbers from 0
    weights : of shape (n,); they get a gradient
    minlength : the least number of counts

    >>> import autograd_core as ag
    >>> ag.bincount(ag.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    if ndim(input) != 1:
        raise ValueError(f"bincount: expected integers in one dimension, got shape {shape(input)}; flatten() them")
    counts = _bincount(input, minlength=minlength)
    if weights is None:
        return counts
    return _weights_at(input, floating(weights), size=shape(counts)[0])
