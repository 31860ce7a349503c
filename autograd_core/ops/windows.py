"""Windows that slide over the last dimensions: taken out, added up, or only their largest element.

A window has a size (`kernel`) and the distances between its elements (`dilation`); neighbouring windows are `stride`
apart.  All three have one number for each of the last dimensions, the only ones that count; those before, any number,
are a batch.  `padding` is a pair of numbers, before and after, for each dimension; negative ones take away.

Everything goes once for each place within the window, over all windows at a time: a strided slice of the input.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..primitive import Kink, Sample, primitive
from .indexing import _scatter_add

__all__: list[str] = []

inf, nan = np.inf, np.nan

Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


def outputs(sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Sizes:
    """How many windows fit along each dimension."""
    return tuple(
        (n + before + after - d * (k - 1) - 1) // s + 1
        for n, k, s, (before, after), d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    )


def slices(kernel: Sizes, stride: Sizes, dilation: Sizes, counts: Sizes) -> Iterator[tuple[slice, ...]]:
    """For each place in the window, in order: where it is in the (padded) input, for all windows."""
    return itertools.product(
        *(
            [slice(i * d, i * d + s * count, s) for i in range(k)]
            for k, s, d, count in zip(kernel, stride, dilation, counts, strict=True)
        )
    )


def overlap(n: int, before: int, after: int) -> tuple[slice, slice]:
    """What of a dimension of size `n` padding keeps, and where that is in the padded one."""
    kept = slice(max(-before, 0), n + min(after, 0))
    return kept, slice(max(before, 0), max(before, 0) + max(kept.stop - kept.start, 0))


def widened(input: Any, padding: Pairs, value: Any) -> Any:
    """The array with its last dimensions padded; itself if there is nothing to add."""
    if not any(map(any, padding)):
        return input
    sizes = input.shape[input.ndim - len(padding) :]
    kept, inside = zip(*(overlap(n, *pair) for n, pair in zip(sizes, padding, strict=True)), strict=True)
    lead = input.shape[: input.ndim - len(padding)]
    out = np.full((*lead, *(n + sum(pair) for n, pair in zip(sizes, padding, strict=True))), value, input.dtype)
    out[(Ellipsis, *inside)] = input[(Ellipsis, *kept)]
    return out


def narrowed(array: Any, padding: Pairs) -> Any:
    """The padded array without its padding: zeros where the padding was negative."""
    return widened(array, tuple((-before, -after) for before, after in padding), 0)


def sliding(input: Any, axis: int, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """All windows over the dimensions from `axis` on, as a view: those are replaced by (*kernel, *counts)."""
    end = axis + len(kernel)
    counts = outputs(input.shape[axis:end], kernel, stride, ((0, 0),) * len(kernel), dilation)
    steps = input.strides[axis:end]
    return np.lib.stride_tricks.as_strided(
        input,
        (*input.shape[:axis], *kernel, *counts, *input.shape[end:]),
        (
            *input.strides[:axis],
            *(d * step for d, step in zip(dilation, steps, strict=True)),
            *(s * step for s, step in zip(stride, steps, strict=True)),
            *input.strides[end:],
        ),
        writeable=False,
    )


def _forms(*batch: int) -> list[tuple[tuple[int, ...], dict[str, Any]]]:
    """Shapes, and windows over them, for tests: overlapping, apart, padded on both sides or one, cut, and dilated."""
    one, two = ((0, 0),), ((1, 1), (0, 2))
    return [
        ((*batch, 5), {"kernel": (2,), "stride": (2,), "padding": one, "dilation": (1,)}),
        ((*batch, 5), {"kernel": (3,), "stride": (1,), "padding": ((1, -1),), "dilation": (1,)}),
        ((*batch, 4, 5), {"kernel": (2, 3), "stride": (2, 1), "padding": two, "dilation": (1, 2)}),
        ((*batch, 2, 3, 3), {"kernel": (1, 2, 2), "stride": (1, 2, 1), "padding": one * 3, "dilation": (1, 1, 1)}),
        ((0, 4), {"kernel": (2,), "stride": (2,), "padding": one, "dilation": (1,)}),
    ]


def _one_by_one(input: Any, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, value: float = 0) -> Any:
    """The windows, element by element: what is compared with."""
    lead, sizes = input.shape[: -len(kernel)], input.shape[-len(kernel) :]
    counts = outputs(sizes, kernel, stride, padding, dilation)
    out = np.full((*lead, *kernel, *counts), value, input.dtype)
    for place in np.ndindex(*kernel):
        for window in np.ndindex(*counts):
            at = [w * s + i * d - p[0] for w, s, i, d, p in zip(window, stride, place, dilation, padding, strict=True)]
            if all(0 <= i < n for i, n in zip(at, sizes, strict=True)):
                out[(Ellipsis, *place, *window)] = input[(Ellipsis, *at)]
    return out


# Taken out, and put back


@primitive(
    reference=_one_by_one,
    samples=lambda rng: [Sample(rng.normal(size=sizes), **form) for sizes, form in _forms(2)],
)
def _sliding_windows(input: Any, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """All windows: shape (*batch, *kernel, *counts)."""
    padded = widened(input, padding, 0)
    return np.array(sliding(padded, input.ndim - len(kernel), kernel, stride, dilation), order="C")


def _overlap_add_samples(rng: np.random.Generator) -> list[Sample]:
    found = []
    for sizes, form in _forms(2):
        counts = outputs(sizes[1:], **form)
        found.append(Sample(rng.normal(size=(sizes[0], *form["kernel"], *counts)), sizes=sizes[1:], **form))
    return found


def _added_one_by_one(windows: Any, sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """The sum of window elements at each place, by the places that taking the windows out finds."""
    n = math.prod(sizes)
    places = _one_by_one(np.arange(1, n + 1).reshape(sizes), kernel, stride, padding, dilation).ravel()
    rows = windows.reshape(windows.shape[0], places.size)
    found = np.array([np.bincount(places, row, n + 1) for row in rows]).reshape(-1, n + 1)
    return found[:, 1:].reshape(-1, *sizes)


@primitive(reference=_added_one_by_one, samples=_overlap_add_samples)
def _overlap_add(windows: Any, *, sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """Windows laid over one another and added up, to the sizes they were taken from."""
    n = len(kernel)
    lead, counts = windows.shape[: windows.ndim - 2 * n], windows.shape[windows.ndim - n :]
    out: Any = np.zeros((*lead, *(size + sum(pair) for size, pair in zip(sizes, padding, strict=True))), windows.dtype)
    rest = (slice(None),) * n
    for place, part in zip(np.ndindex(*kernel), slices(kernel, stride, dilation, counts), strict=True):
        out[(Ellipsis, *part)] += windows[(Ellipsis, *place, *rest)]
    return narrowed(out, padding)


_sliding_windows.defvjp(
    lambda g, input_shape, kernel, stride, padding, dilation: _overlap_add(
        g, sizes=input_shape[-len(kernel) :], kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )
)
_overlap_add.defvjp(
    lambda g, kernel, stride, padding, dilation: _sliding_windows(
        g, kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )
)


# Sums


def _over_kernel(reduce: Any, value: float) -> Any:
    """The windows one by one, reduced."""

    def reduced(input: Any, kernel: Sizes, **form: Any) -> Any:
        windows = _one_by_one(input, kernel, **form, value=value)
        n = len(kernel)
        return reduce(windows, axis=tuple(range(windows.ndim - 2 * n, windows.ndim - n)))

    return reduced


@primitive(
    reference=_over_kernel(np.sum, 0),
    samples=lambda rng: [Sample(rng.normal(size=sizes), **form) for sizes, form in _forms(2)],
)
def _window_sum(input: Any, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """The sum of each window: shape (*batch, *counts)."""
    padded = widened(input, padding, 0)
    counts = outputs(input.shape[-len(kernel) :], kernel, stride, padding, dilation)
    out = np.zeros((*input.shape[: -len(kernel)], *counts), input.dtype)
    for part in slices(kernel, stride, dilation, counts):
        out += padded[(Ellipsis, *part)]
    return out


def _repeated(g: Any, kernel: Sizes) -> Any:
    """Windows that hold one value each."""
    at = len(g.shape) - len(kernel)
    apart = np.reshape(g, (*g.shape[:at], *(1,) * len(kernel), *g.shape[at:]))
    return np.broadcast_to(apart, (*g.shape[:at], *kernel, *g.shape[at:]))


_window_sum.defvjp(
    lambda g, input_shape, kernel, stride, padding, dilation: _overlap_add(
        _repeated(g, kernel),
        sizes=input_shape[-len(kernel) :],
        kernel=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
    )
)


# Largest elements


def _max_samples(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample(rng.permutation(math.prod(sizes)).reshape(sizes) / 7 - 1, **form)
        for sizes, form in _forms(2)
        if all(after >= 0 for _, after in form["padding"])
    ]


_PAIRS: dict[str, Any] = {"kernel": (2,), "stride": (2,), "padding": ((0, 0),), "dilation": (1,)}
_THREE: dict[str, Any] = {"kernel": (3,), "stride": (3,), "padding": ((1, 0),), "dilation": (1,)}


@primitive(
    routes=True,
    reference=_over_kernel(np.max, -inf),
    samples=_max_samples,
    kinks=[
        Kink([1.0, 1.0, 2.0, 2.0], value=[1.0, 2.0], grads=[[1.0, 0.0, 1.0, 0.0]], **_PAIRS),
        Kink([1.0, nan, nan, nan], value=[nan, nan], grads=[[0.0, 1.0, 1.0, 0.0]], **_PAIRS),
        Kink([-inf, -inf], value=[-inf], grads=[[1.0, 0.0]], **_THREE),
        Kink([1.0, nan], value=[nan], grads=[[0.0, 1.0]], **_THREE),
    ],
)
def _window_max(input: Any, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """The largest element of each window, shape (*batch, *counts); padding does not count."""
    padded = widened(input, padding, -inf)
    counts = outputs(input.shape[-len(kernel) :], kernel, stride, padding, dilation)
    parts = slices(kernel, stride, dilation, counts)
    out = np.array(padded[(Ellipsis, *next(parts))], order="C")
    for part in parts:
        np.maximum(out, padded[(Ellipsis, *part)], out=out)
    return out


def _first_largest(input: Any, out: Any, kernel: Sizes, **form: Any) -> Any:
    """The places of the maxima, by listing the windows' elements and their places."""
    windows = _one_by_one(input, kernel, **form, value=-inf)
    places = _one_by_one(np.arange(input.size).reshape(input.shape), kernel, **form)
    n = len(kernel)
    lead, counts = windows.shape[: windows.ndim - 2 * n], windows.shape[windows.ndim - n :]
    listed, places = (x.reshape(*lead, math.prod(kernel), *counts) for x in (windows, places))
    return np.take_along_axis(places, np.expand_dims(np.argmax(listed, axis=-n - 1), -n - 1), -n - 1).squeeze(-n - 1)


@primitive(
    reference=_first_largest,
    samples=lambda rng: [
        Sample(s.args[0], _over_kernel(np.max, -inf)(s.args[0], **s.params), **s.params) for s in _max_samples(rng)
    ],
)
def _window_argmax(input: Any, out: Any, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Any:
    """Where in the flattened input the maxima `out` are: in each window the first that equals it, or is NaN too."""
    padded = widened(input, padding, nan)
    missing = widened(np.isnan(input), padding, False) if np.isnan(out).any() else None
    counts, n = out.shape[-len(kernel) :], math.prod(kernel)
    number = np.zeros(out.shape, np.uint8 if n <= 256 else np.int64)  # of the element within its window
    sought = np.ones(out.shape, bool)
    for part in itertools.islice(slices(kernel, stride, dilation, counts), n - 1):
        sought &= padded[(Ellipsis, *part)] != out
        if missing is not None:
            sought &= ~missing[(Ellipsis, *part)]
        number += sought
    # From the number to the place: the window's first element, and how far from it the numbered one is.
    lead, sizes = input.shape[: -len(kernel)], input.shape[-len(kernel) :]
    first = np.arange(math.prod(lead)).reshape(lead)
    away = np.zeros((), np.int64)
    for size, k, s, d, count, (before, _) in zip(sizes, kernel, stride, dilation, counts, padding, strict=True):
        first = first[..., None] * size + (np.arange(count) * s - before)
        away = away[..., None] * size + np.arange(k) * d
    return away.ravel()[number] + first


_window_max.defvjp(
    lambda g, out, input, kernel, stride, padding, dilation: _scatter_add(
        g,
        _window_argmax(input, out, kernel=kernel, stride=stride, padding=padding, dilation=dilation),
        shape=input.shape,
    )
)
