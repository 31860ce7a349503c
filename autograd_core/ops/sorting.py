"""Order: sorting, the k largest, the distinct, and where a value belongs."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from .arguments import aliases, along, axis_of, by_name, ndim, reductions, shape
from .casting import cast
from .extremes import Choice, chosen
from .indexing import gather, getitem, index_select
from .samples import along_one
from .shape import flatten, reshape

__all__ = [
    "argsort",
    "bucketize",
    "kthvalue",
    "mode",
    "msort",
    "nonzero",
    "searchsorted",
    "sort",
    "topk",
    "unique",
]

name_axis = aliases(axis="dim")


def _rows_of(function: Any) -> Any:
    """`function` of each row along an axis, one by one, as a reference."""

    def rows(x: Any, axis: int, **params: Any) -> Any:
        apply = functools.partial(function, **params)
        return np.apply_along_axis(apply, axis, x) if x.size else np.zeros(x.shape, np.int64)

    return rows


# Sorting


def _ranked(row: Any, descending: bool) -> list[int]:
    return sorted(range(len(row)), key=lambda i: (-row[i] if descending else row[i], i))


def _sort_samples(rng: np.random.Generator) -> list[Sample]:
    ties = rng.integers(0, 3, size=(4, 6)).astype(float)
    return [
        *(Sample(*s.args, **s.params, descending=d) for s in along_one(rng) for d in (False, True)),
        Sample(ties, axis=1, descending=False),
        Sample(ties, axis=0, descending=True),
    ]


@primitive(reference=_rows_of(_ranked), samples=_sort_samples)
def _argsort(input: Any, *, axis: int, descending: bool) -> Any:
    if not descending:
        return np.argsort(input, axis=axis, stable=True)
    # Sorted backwards and read backwards, equal elements (and NaN) keep their order.
    back = (*(slice(None),) * axis, slice(None, None, -1))
    return input.shape[axis] - 1 - np.argsort(input[back], axis=axis, stable=True)[back]


@name_axis
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort along `dim`; equal elements keep their order, NaN counts as the largest.

    The sort is stable whether `stable` is asked for or not.

    >>> import autograd_core as ag
    >>> ag.argsort(ag.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    return along("argsort", _argsort, input, dim, descending=bool(descending))


@name_axis
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Choice:
    """Sorted along `dim`, and where each value was: the pair (values, indices); see :func:`argsort`.

    >>> import autograd_core as ag
    >>> ag.sort(ag.tensor([3.0, 1.0, 2.0]), descending=True).values
    tensor([3., 2., 1.])
    """
    order = argsort(input, dim, descending)
    return Choice(gather(input, dim, order), order)


def msort(input: Any) -> Any:
    """The values sorted along the first dimension.

    >>> import autograd_core as ag
    >>> ag.msort(ag.tensor([[3, 1], [2, 4]]))
    tensor([[2, 1],
            [3, 4]])
    """
    return sort(input, 0).values


@by_name(np.sort)
def _numpy_sort(a: Any, axis: int | None = -1, kind: Any = None, stable: Any = None) -> Any:
    return sort(flatten(a)).values if axis is None else sort(a, axis).values


@by_name(np.argsort)
def _numpy_argsort(a: Any, axis: int | None = -1, kind: Any = None, stable: Any = None) -> Any:
    return argsort(flatten(a)) if axis is None else argsort(a, axis)


def _slice(x: Any, axis: int, start: int, stop: int) -> Any:
    return getitem(x, (*(slice(None),) * axis, slice(start, stop))) if ndim(x) else x


def _size(operation: str, input: Any, dim: int, k: int, least: int) -> int:
    """The axis of `dim`, after a check that `k` of its elements exist."""
    axis = axis_of(operation, dim, ndim(input))
    size, least = (shape(input)[axis], least) if ndim(input) else (1, 1)
    if not least <= k <= size:
        raise ValueError(f"{operation}: k must be in [{least}, {size}], the size of dim {dim}, got {k}")
    return axis


@name_axis
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Choice:
    """The `k` largest along `dim` (or the smallest), best first: the pair (values, indices); the first at a tie.

    They come sorted whether `sorted` is asked for or not.

    >>> import autograd_core as ag
    >>> ag.topk(ag.tensor([3.0, 1.0, 2.0]), 2)
    Choice(values=tensor([3., 2.]), indices=tensor([0, 2]))
    """
    axis = _size("topk", input, dim, k, 0)
    order = _slice(argsort(input, dim, descending=largest), axis, 0, k)
    return Choice(gather(input, dim, order), order)


@reductions
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Choice:
    """The `k`-th smallest along `dim`, counted from 1: the pair (values, indices); NaN counts as the largest.

    >>> import autograd_core as ag
    >>> ag.kthvalue(ag.tensor([3.0, 1.0, 2.0]), 2)
    Choice(values=tensor(2.), indices=tensor(2))
    """
    axis = _size("kthvalue", input, dim, k, 1)
    return chosen(input, axis, _slice(argsort(input, dim), axis, k - 1, k), keepdim)


def _most_frequent(row: Any) -> list[int]:
    values = row.tolist()
    best = min(values, key=lambda v: (-values.count(v), v))
    return [len(values) - 1 - values[::-1].index(best)]


@primitive(
    reference=_rows_of(_most_frequent),
    samples=lambda rng: [
        Sample(rng.integers(0, 3, size=(4, 7)).astype(float), axis=1),
        Sample(rng.integers(0, 3, size=(7, 2)), axis=0),
        Sample(np.array([2.0]), axis=0),
    ],
)
def _argmode(input: Any, *, axis: int) -> Any:
    """Of the longest run of equal values, once sorted, the last index; the dimension is kept."""
    order = np.argsort(input, axis=axis, stable=True)
    ranked = np.take_along_axis(input, order, axis)
    places = np.arange(input.shape[axis]).reshape([-1 if i == axis else 1 for i in range(input.ndim)])
    starts = np.where(np.diff(ranked, axis=axis, prepend=ranked.take([0], axis)) != 0, places, 0)
    length = places - np.maximum.accumulate(starts, axis=axis)
    return np.take_along_axis(order, np.argmax(length, axis=axis, keepdims=True), axis)


@reductions
def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Choice:
    """The most frequent value along `dim`, the smallest if there are several, and its last index.

    >>> import autograd_core as ag
    >>> ag.mode(ag.tensor([2.0, 1.0, 2.0, 3.0]))
    Choice(values=tensor(2.), indices=tensor(2))
    """
    axis = _size("mode", input, dim, 1, 1)
    return chosen(input, axis, along("mode", _argmode, input, dim), keepdim)


# Sets


def _distinct_reference(x: Any, axis: int, what: str, equal_nan: bool) -> Any:
    rows = [tuple(np.ravel(row).tolist()) for row in np.moveaxis(x, axis, 0)]
    order = sorted(set(rows))
    if what == "inverse":
        return np.array([order.index(row) for row in rows], np.int64)
    return np.array([rows.index(row) if what == "first" else rows.count(row) for row in order], np.int64)


def _distinct_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(x, axis=axis, what=what, equal_nan=False)
        for what in ("first", "inverse", "counts")
        for x, axis in [
            (rng.integers(0, 3, size=9).astype(float), 0),
            (rng.integers(0, 2, size=(6, 2)), 0),
            (rng.integers(0, 2, size=(2, 5)), 1),
            (np.zeros(0), 0),
        ]
    ]


@primitive(
    reference=_distinct_reference,
    samples=_distinct_samples,
    shaped_by=lambda values, params: [] if params["what"] == "inverse" else [0],
)
def _distinct(input: Any, *, axis: int, what: str, equal_nan: bool) -> Any:
    """Of the distinct slices along `axis`, in order: where each comes first, which each is, how often each comes."""
    asked: Any = {{"first": "return_index", "inverse": "return_inverse", "counts": "return_counts"}[what]: True}
    return np.ravel(np.unique(input, axis=axis if input.ndim > 1 else None, equal_nan=equal_nan, **asked)[1])


def _unique(input: Any, dim: int | None, equal_nan: bool, asked: dict[str, bool]) -> Any:
    """The distinct values, and what is `asked` for besides."""
    flat, axis = (flatten(input), 0) if dim is None else (input, axis_of("unique", dim, ndim(input)))
    first = _distinct(flat, axis=axis, what="first", equal_nan=equal_nan)
    results = [index_select(flat, axis, first)]
    for what in (what for what, wanted in asked.items() if wanted):
        found = first if what == "first" else _distinct(flat, axis=axis, what=what, equal_nan=equal_nan)
        results.append(reshape(found, shape(input)) if what == "inverse" and dim is None else found)
    return tuple(results) if len(results) > 1 else results[0]


@name_axis
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The distinct values in order, or the distinct slices along `dim`; every NaN is another.

    They come sorted whether `sorted` is asked for or not.  The gradient of each goes to where it comes first.

    Returns
    -------
    values, or a tuple
        With `return_inverse`, then, for each element of `input`, which of the values it is; with `return_counts`, then
        how often each comes.

    >>> import autograd_core as ag
    >>> ag.unique(ag.tensor([3, 1, 3]), return_inverse=True, return_counts=True)
    (tensor([1, 3]), tensor([1, 0, 1]), tensor([1, 2]))
    """
    return _unique(input, dim, False, {"inverse": return_inverse, "counts": return_counts})


@by_name(np.unique)
def _numpy_unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    asked = {"first": return_index, "inverse": return_inverse, "counts": return_counts}
    return _unique(ar, axis, equal_nan, asked)


@primitive(
    reference=lambda x: np.array([i for i in np.ndindex(x.shape) if x[i] != 0], np.int64).reshape(-1, x.ndim),
    samples=lambda rng: [
        Sample(rng.integers(0, 2, size=(3, 4))),
        Sample(rng.integers(0, 2, size=5).astype(float)),
        Sample(np.zeros((2, 0))),
    ],
    shaped_by=lambda values, params: [0],
)
def _nonzero(input: Any) -> Any:
    return np.argwhere(input)


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Where the input is not 0: a row of indices for each place, of shape (places, dimensions).

    Parameters
    ----------
    as_tuple : give a tuple of index tensors, one for each dimension, as NumPy does; a 0-d input counts as 1-d

    >>> import autograd_core as ag
    >>> ag.nonzero(ag.tensor([[0, 1], [2, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    if not as_tuple:
        return _nonzero(input)
    places = _nonzero(input if ndim(input) else reshape(input, (1,)))
    return tuple(places[:, i] for i in range(shape(places)[1]))


@implements(np.nonzero)
def _numpy_nonzero(a: Any) -> Any:
    return nonzero(a, as_tuple=True)


implements(np.argwhere)(_nonzero)


# Places in an order


def _search_samples(rng: np.random.Generator) -> list[Sample]:
    edges = np.array([[0.0, 1.0, 1.0, 3.0], [-2.0, 1.0, 2.0, 5.0]])
    values = rng.integers(-2, 6, size=(2, 5)).astype(float)
    pairs = [(edges[0], values), (edges, values), (edges[0], np.array(1.0)), (edges[1], np.zeros((0, 3)))]
    return [Sample(*pair, right=right) for pair in pairs for right in (False, True)]


def _search_reference(edges: Any, values: Any, right: bool) -> Any:
    below = np.less_equal if right else np.less
    edges = edges if edges.ndim == 1 else edges[..., None, :]
    return np.sum(below(edges, values[..., None]), axis=-1)


@primitive(reference=_search_reference, samples=_search_samples)
def _searchsorted(sorted_sequence: Any, input: Any, *, right: bool) -> Any:
    side: Any = "right" if right else "left"
    if sorted_sequence.ndim == 1:
        return np.searchsorted(sorted_sequence, input, side)
    found = np.empty(input.shape, np.int64)
    for row in np.ndindex(input.shape[:-1]):
        found[row] = np.searchsorted(sorted_sequence[row], input[row], side)
    return found


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """Where each value would have to be put in to keep the sequence sorted.

    Parameters
    ----------
    sorted_sequence : ascending, of shape (n,), or (..., n) with a sequence for each row of values
    input : the values, of shape (..., m), or any shape for one sequence
    right : put a value behind its equals rather than before; ``side="right"`` means the same
    sorter : the indices that sort the sequence, if it is not sorted

    Raises
    ------
    ValueError
        If the rows do not match.

    >>> import autograd_core as ag
    >>> ag.searchsorted(ag.tensor([1.0, 3.0, 5.0]), ag.tensor([3.0, 6.0]))
    tensor([1, 3])
    """
    if side not in (None, "left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', got {side!r}")
    if right and side == "left":
        raise ValueError("searchsorted: side='left' contradicts right=True; give one of them")
    rows = shape(sorted_sequence)[:-1]
    if ndim(sorted_sequence) != 1 and (not rows or shape(input)[:-1] != rows or ndim(input) == 0):
        raise ValueError(
            f"searchsorted: expected one sequence, or one for each row of values, got sequences of shape "
            f"{shape(sorted_sequence)} and values of shape {shape(input)}"
        )
    if sorter is not None:
        sorted_sequence = gather(sorted_sequence, -1, sorter)
    found = _searchsorted(sorted_sequence, input, right=right or side == "right")
    return cast(found, np.int32) if out_int32 else found


@by_name(np.searchsorted)
def _numpy_searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    return searchsorted(a, v, side=side, sorter=sorter)


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """Which bucket each value falls into: the i with ``boundaries[i-1] < value <= boundaries[i]``.

    With `right` the boundary belongs to the bucket above: ``boundaries[i-1] <= value < boundaries[i]``.

    >>> import autograd_core as ag
    >>> ag.bucketize(ag.tensor([0.5, 3.0, 9.0]), ag.tensor([1.0, 3.0, 5.0]))
    tensor([0, 1, 3])
    """
    if ndim(boundaries) != 1:
        raise ValueError(f"bucketize: expected boundaries in one dimension, got shape {shape(boundaries)}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
