"""Convolution over any number of dimensions, and its two derivatives: three products, each bilinear, that are one
another's rules.

The windows of the input become the columns of a matrix, and the rest is one matrix product (Chellapilla, Puri and
Simard, "High performance convolutional neural networks for document processing", 2006).  The batch is moved last
before: neighbouring columns are then neighbours in memory, whatever the stride, and are copied in long runs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import Sample, primitive
from .windows import Pairs, Sizes, narrowed, outputs, slices, sliding, widened

__all__: list[str] = []

COLUMNS = 2**26
"""Bytes that the columns may take; a larger batch is done in parts."""


def _transposed(matrix: Any) -> Any:
    """The transpose, copied in blocks: rows that are far apart in memory would push one another out of the cache."""
    rows, columns = matrix.shape
    step = 128 if rows > 512 else 16
    out = np.empty((columns, rows), matrix.dtype)
    for i in range(0, rows, step):
        out[:, i : i + step] = matrix[i : i + step].T
    return out


def _batch_last(input: Any) -> Any:
    n, *sizes = input.shape
    return np.reshape(_transposed(np.reshape(input, (n, math.prod(sizes)))), (*sizes, n))


def _batch_first(array: Any) -> Any:
    *sizes, n = array.shape
    return np.reshape(_transposed(np.reshape(array, (math.prod(sizes), n))), (n, *sizes))


def _columns(input: Any, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> Any:
    """Shape (groups, elements of a window, windows)."""
    padded = widened(_batch_last(input), (*padding, (0, 0)), 0)
    windows = sliding(padded, 1, kernel, stride, dilation)
    rows = input.shape[1] // groups * math.prod(kernel)
    return np.reshape(windows, (groups, rows, math.prod(windows.shape[1 + len(kernel) :])))


def _rows(array: Any, groups: int) -> Any:
    """(N, C, *sizes) as (groups, C / groups, sizes and N)."""
    n, channels = array.shape[:2]
    return np.reshape(_batch_last(array), (groups, channels // groups, n * math.prod(array.shape[2:])))


def _parts(n: int, channels: int, kernel: Sizes, counts: Sizes, itemsize: int) -> list[slice]:
    """The batch, cut into parts whose columns are not too large."""
    size = channels * math.prod(kernel) * math.prod(counts) * itemsize
    step = max(COLUMNS // max(size, 1), 1)
    return [slice(i, i + step) for i in range(0, max(n, 1), step)]


def _samples(rng: np.random.Generator) -> list[tuple[Any, Any, Any, dict[str, Any]]]:
    """Inputs, weights and outputs, with what else a convolution takes."""
    none = ((0, 0),)
    forms: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
        ((2, 3, 5), (4, 3, 2), {"stride": (1,), "padding": none, "dilation": (1,), "groups": 1}),
        ((2, 2, 6), (2, 1, 3), {"stride": (2,), "padding": ((2, -1),), "dilation": (2,), "groups": 2}),
        ((2, 2, 4, 3), (2, 2, 3, 2), {"stride": (1, 2), "padding": ((1, 1), (0, 2)), "dilation": (1, 1), "groups": 1}),
        ((1, 4, 3, 3), (2, 2, 2, 2), {"stride": (1, 1), "padding": none * 2, "dilation": (2, 1), "groups": 2}),
        (
            (1, 1, 2, 3, 2),
            (1, 1, 1, 2, 2),
            {"stride": (1,) * 3, "padding": none * 3, "dilation": (1,) * 3, "groups": 1},
        ),
        ((0, 1, 4), (2, 1, 2), {"stride": (1,), "padding": none, "dilation": (1,), "groups": 1}),
    ]
    found = []
    for sizes, weights, form in forms:
        counts = outputs(sizes[2:], weights[2:], form["stride"], form["padding"], form["dilation"])
        out = rng.normal(size=(sizes[0], weights[0], *counts))
        found.append((rng.normal(size=sizes), rng.normal(size=weights), out, form))
    return found


def _one_by_one(
    input: Any, weight: Any, output: Any, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> tuple[Any, Any, Any]:
    """A window element at a time: the convolution, and the gradients of ``sum(output * convolution)``."""
    counts = outputs(input.shape[2:], weight.shape[2:], stride, padding, dilation)
    product = np.zeros((len(input), len(weight), *counts))
    d_input, d_weight = np.zeros(input.shape), np.zeros(weight.shape)
    width, height = weight.shape[1], len(weight) // groups
    for group in range(groups):
        c, o = slice(group * width, (group + 1) * width), slice(group * height, (group + 1) * height)
        for place in np.ndindex(*weight.shape[2:]):
            for window in np.ndindex(*counts):
                form = zip(window, stride, place, dilation, padding, strict=True)
                at = tuple(w * s + i * d - p[0] for w, s, i, d, p in form)
                if not all(0 <= i < n for i, n in zip(at, input.shape[2:], strict=True)):
                    continue
                x, y, w = (slice(None), c, *at), (slice(None), o, *window), (o, slice(None), *place)
                product[y] += input[x] @ weight[w].T
                d_input[x] += output[y] @ weight[w]
                d_weight[w] += output[y].T @ input[x]
    return product, d_input, d_weight


def _product_one_by_one(input: Any, weight: Any, **form: Any) -> Any:
    counts = outputs(input.shape[2:], weight.shape[2:], form["stride"], form["padding"], form["dilation"])
    return _one_by_one(input, weight, np.zeros((len(input), len(weight), *counts)), **form)[0]


@primitive(
    reference=_product_one_by_one,
    samples=lambda rng: [Sample(x, w, **form) for x, w, _, form in _samples(rng)],
)
def _conv(input: Any, weight: Any, *, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> Any:
    """The cross-correlation of (N, C, *sizes) with (O, C / groups, *kernel): shape (N, O, *counts)."""
    kernel = weight.shape[2:]
    counts = outputs(input.shape[2:], kernel, stride, padding, dilation)
    matrix = np.reshape(weight, (groups, len(weight) // groups, math.prod(weight.shape[1:])))
    done = []
    for part in _parts(input.shape[0], input.shape[1], kernel, counts, input.itemsize):
        product = np.matmul(matrix, _columns(input[part], kernel, stride, padding, dilation, groups))
        done.append(_batch_first(np.reshape(product, (len(weight), *counts, len(input[part])))))
    return done[0] if len(done) == 1 else np.concatenate(done)


@primitive(
    reference=lambda output, weight, sizes, groups, **form: _one_by_one(
        np.zeros((len(output), weight.shape[1] * groups, *sizes)), weight, output, groups=groups, **form
    )[1],
    samples=lambda rng: [Sample(y, w, sizes=x.shape[2:], **form) for x, w, y, form in _samples(rng)],
)
def _conv_input(
    output: Any, weight: Any, *, sizes: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> Any:
    """The gradient of a convolution by its input of these sizes; as a layer of its own, a transposed convolution."""
    kernel, counts, channels = weight.shape[2:], output.shape[2:], weight.shape[1] * groups
    matrix = np.reshape(weight, (groups, len(weight) // groups, math.prod(weight.shape[1:]))).mT
    padded = [n + sum(pair) for n, pair in zip(sizes, padding, strict=True)]
    dtype = np.result_type(output, weight)
    done = []
    for part in _parts(len(output), channels, kernel, counts, dtype.itemsize):
        n = len(output[part])
        columns = np.reshape(np.matmul(matrix, _rows(output[part], groups)), (channels, *kernel, *counts, n))
        total = np.zeros((channels, *padded, n), dtype)
        for place, where in zip(np.ndindex(*kernel), slices(kernel, stride, dilation, counts), strict=True):
            total[(slice(None), *where)] += columns[(slice(None), *place)]
        done.append(_batch_first(narrowed(total, (*padding, (0, 0)))))
    return done[0] if len(done) == 1 else np.concatenate(done)


@primitive(
    reference=lambda input, output, kernel, groups, **form: _one_by_one(
        input, np.zeros((output.shape[1], input.shape[1] // groups, *kernel)), output, groups=groups, **form
    )[2],
    samples=lambda rng: [Sample(x, y, kernel=w.shape[2:], **form) for x, w, y, form in _samples(rng)],
)
def _conv_weight(
    input: Any, output: Any, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> Any:
    """The gradient of a convolution by its weight."""
    total: Any = 0
    for part in _parts(input.shape[0], input.shape[1], kernel, output.shape[2:], input.itemsize):
        columns = _columns(input[part], kernel, stride, padding, dilation, groups)
        total = total + np.matmul(_rows(output[part], groups), columns.mT)
    return np.reshape(total, (output.shape[1], input.shape[1] // groups, *kernel))


# Each is linear in both of its arguments, so the others are its rules.

_conv.defvjp(
    lambda g, input_shape, weight, stride, padding, dilation, groups: _conv_input(
        g, weight, sizes=input_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
    lambda g, input, weight_shape, stride, padding, dilation, groups: _conv_weight(
        input, g, kernel=weight_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
)
_conv_input.defvjp(
    lambda g, weight, stride, padding, dilation, groups: _conv(
        g, weight, stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
    lambda g, output, weight_shape, stride, padding, dilation, groups: _conv_weight(
        g, output, kernel=weight_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
)
_conv_weight.defvjp(
    lambda g, input_shape, output, stride, padding, dilation, groups: _conv_input(
        output, g, sizes=input_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
    lambda g, input, stride, padding, dilation, groups: _conv(
        input, g, stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
)
