"""Windows of an image, one by one or reduced to one number: unfolding, pooling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import Tensor, as_tensor, from_numpy, getitem, max, reshape, sum, where
from autograd_core.ops.casting import floating
from autograd_core.ops.windows import (
    _overlap_add,
    _sliding_windows,
    _window_max,
    _window_sum,
    _window_winner,
    outputs,
)

from .arguments import batched, sizes

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "fold",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "unfold",
]


# Windows as columns


def _column_form(operation: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, Any]:
    return {
        "kernel": sizes(operation, "kernel_size", kernel_size, 2, 1),
        "stride": sizes(operation, "stride", stride, 2, 1),
        "padding": tuple((p, p) for p in sizes(operation, "padding", padding, 2)),
        "dilation": sizes(operation, "dilation", dilation, 2, 1),
    }


def _fits(operation: str, given: tuple[int, ...], form: dict[str, Any]) -> tuple[int, ...]:
    """The number of windows along each dimension; none may be 0."""
    counts = outputs(given, **form)
    if min(counts) < 1:
        raise ValueError(f"{operation}: no window of {form['kernel']} fits into sizes {given} with {form}")
    return counts


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """All windows of images, each a column.

    Parameters
    ----------
    input : shape (N, C, height, width) or (C, height, width)
    kernel_size, dilation, padding, stride : of the windows, one number or one for each dimension

    Returns
    -------
    Tensor, shape (N, C * elements of a window, windows), without N if the input has none

    Raises
    ------
    ValueError
        If no window fits.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.unfold(ag.arange(6.0).reshape(1, 2, 3), 2)
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """
    input, alone = batched("unfold", as_tensor(input), 2)
    form = _column_form("unfold", kernel_size, dilation, padding, stride)
    counts = _fits("unfold", input.shape[2:], form)
    columns = (input.shape[1] * math.prod(form["kernel"]), math.prod(counts))
    return reshape(_sliding_windows(input, **form), columns if alone else (input.shape[0], *columns))


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns laid back as windows of images of `output_size`; where they overlap they add up.

    Parameters
    ----------
    input : shape (N, C * elements of a window, windows), N optional, as :func:`unfold` gives it
    output_size, kernel_size, dilation, padding, stride : one number or one for each dimension

    Returns
    -------
    Tensor, shape (N, C, *output_size), without N if the input has none

    Raises
    ------
    ValueError
        If the number of rows or columns does not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.fold(ag.ones(4, 2), (2, 3), 2)
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """
    input, alone = batched("fold", as_tensor(input), 1)
    size = sizes("fold", "output_size", output_size, 2, 1)
    form = _column_form("fold", kernel_size, dilation, padding, stride)
    counts = _fits("fold", size, form)
    elements = math.prod(form["kernel"])
    if input.shape[1] % elements or input.shape[2] != math.prod(counts):
        raise ValueError(
            f"fold: expected input of shape (N, C * {elements}, {math.prod(counts)}) for output_size {size} and {form}, "
            f"got {input.shape}"
        )
    channels = input.shape[1] // elements
    windows = reshape(input, (input.shape[0], channels, *form["kernel"], *counts))
    out = _overlap_add(windows, sizes=size, **form)
    return reshape(out, (channels, *size)) if alone else out


# Pooling


def _pool_form(
    operation: str, n: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Any, tuple[int, ...], dict[str, Any]]:
    """The input, the padding, and the windows: with `ceil_mode`, padded at the end so that the last one fits."""
    input, alone = batched(operation, floating(as_tensor(input)), n)
    kernel = sizes(operation, "kernel_size", kernel_size, n, 1)
    if stride is None or (isinstance(stride, Sequence) and not stride):
        stride = kernel
    stride, dilation = sizes(operation, "stride", stride, n, 1), sizes(operation, "dilation", dilation, n, 1)
    padding = sizes(operation, "padding", padding, n)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(f"{operation}: padding {padding} is more than half of the kernel {kernel}")
    form: dict[str, Any] = {"kernel": kernel, "stride": stride, "dilation": dilation}
    pairs = []
    for size, k, s, p, d in zip(input.shape[2:], kernel, stride, padding, dilation, strict=True):
        reach = d * (k - 1) + 1
        count = (size + 2 * p - reach + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= size + p:
            count -= 1  # a window must start within the input or the padding before it
        pairs.append((p, (count - 1) * s + reach - size - p))
        if count < 1:
            raise ValueError(f"{operation}: no window of {kernel} fits into input of shape {input.shape}")
    return (reshape(input, input.shape[1:]) if alone else input), padding, {**form, "padding": tuple(pairs)}


def _max_pooled(
    operation: str,
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    input, _, form = _pool_form(operation, n, input, kernel_size, stride, padding, dilation, ceil_mode)
    out = _window_max(input, **form)
    return (out, _indices(input, out, form)) if return_indices else out


def _indices(input: Tensor, out: Tensor, form: dict[str, Any]) -> Tensor:
    """Where the largest elements are, in the flattened last dimensions of the input."""
    kernel = form["kernel"]
    within = np.unravel_index(_window_winner(input.detach(), out.detach(), **form).array, kernel)
    index = np.zeros((), np.int64)
    given, counts = input.shape[-len(kernel) :], out.shape[-len(kernel) :]
    for i, count in enumerate(counts):
        first = np.arange(count) * form["stride"][i] - form["padding"][i][0]
        first = first.reshape((-1,) + (1,) * (len(counts) - 1 - i))
        index = index * given[i] + first + within[i] * form["dilation"][i]
    return from_numpy(index)


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window along one dimension; see :func:`max_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.max_pool1d(ag.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return _max_pooled(
        "max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )  # fmt: skip


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of an image; the first of several equal ones gets the gradient.

    Parameters
    ----------
    input : shape (N, C, height, width) or (C, height, width)
    kernel_size : of the window, one number or one for each dimension
    stride : from one window to the next; the kernel size by default
    padding : on both sides, at most half of the kernel; it never is the largest
    dilation : the distance between neighbouring elements of a window
    ceil_mode : also let a last window reach beyond the end, if it starts before
    return_indices : give also where in the flattened (height, width) the elements are

    Returns
    -------
    Tensor, or a pair of it and an int64 tensor of the same shape

    Raises
    ------
    ValueError
        If no window fits.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> x = ag.tensor([[[1.0, 3, 5, 3], [4, 2, 3, 1], [3, 1, 1, 3], [0, 1, 0, 4]]])
    >>> nn.functional.max_pool2d(x, 2)
    tensor([[[4., 5.],
             [3., 4.]]])
    """
    return _max_pooled(
        "max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )  # fmt: skip


def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of a volume (N, C, depth, height, width); see :func:`max_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.max_pool3d(ag.ones(1, 4, 4, 4), 2).shape
    (1, 2, 2, 2)
    """
    return _max_pooled(
        "max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )  # fmt: skip


def _divisors(given: tuple[int, ...], padding: tuple[int, ...], include: bool, form: dict[str, Any]) -> np.ndarray:
    """The number of elements each window counts: those of the input, and with `include` those of the padding."""
    total = np.ones(())
    for size, p, k, s, pair in zip(given, padding, form["kernel"], form["stride"], form["padding"], strict=True):
        start = np.arange((size + sum(pair) - k) // s + 1) * s - p
        end = start + k
        if include:
            along = np.minimum(end, size + p) - start
        else:
            along = np.minimum(end, size) - np.maximum(start, 0)
        total = total[..., None] * along
    return total


def _avg_pooled(
    operation: str,
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    input, padding, form = _pool_form(operation, n, input, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override == 0:
        raise ValueError(f"{operation}: divisor_override must not be 0")
    total = _window_sum(input, **form)
    if divisor_override is not None:
        return total / divisor_override
    divisors = _divisors(input.shape[-n:], padding, count_include_pad, form)
    if (divisors == divisors.flat[0]).all():
        return total / float(divisors.flat[0])
    return total / from_numpy(divisors.astype(input.dtype))


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window along one dimension; see :func:`avg_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.avg_pool1d(ag.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return _avg_pooled(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )  # fmt: skip


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of an image.

    Parameters
    ----------
    input : shape (N, C, height, width) or (C, height, width)
    kernel_size : of the window, one number or one for each dimension
    stride : from one window to the next; the kernel size by default
    padding : zeros on both sides, at most half of the kernel
    ceil_mode : also let a last window reach beyond the end, if it starts before
    count_include_pad : divide by a number of elements that includes the padding
    divisor_override : divide by this instead

    Raises
    ------
    ValueError
        If no window fits.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.avg_pool2d(ag.arange(8.0).reshape(1, 2, 4), 2)
    tensor([[[2.5, 4.5]]])
    """
    return _avg_pooled(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )  # fmt: skip


def avg_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of a volume (N, C, depth, height, width); see :func:`avg_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.avg_pool3d(ag.ones(1, 4, 4, 4), 2).shape
    (1, 2, 2, 2)
    """
    return _avg_pooled(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )  # fmt: skip


# Pooling to a given size


def _adaptive(operation: str, n: int, input: Any, output_size: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """The input, its last sizes and those wanted, where None keeps a size."""
    input, alone = batched(operation, floating(as_tensor(input)), n)
    wanted = list(output_size) if isinstance(output_size, Sequence) else [output_size] * n
    if len(wanted) == 1:
        wanted *= n
    given = input.shape[2:]
    if len(wanted) != n or 0 in given:
        raise ValueError(
            f"{operation}: expected output_size to be 1 or {n} integers and no empty dimension, got {output_size!r} for "
            f"input of shape {input.shape}"
        )
    wanted = [m if size is None else size for size, m in zip(wanted, given, strict=True)]
    return (reshape(input, input.shape[1:]) if alone else input), given, sizes(operation, "output_size", wanted, n)


def _even(given: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...] | None:
    """The size of the windows, if they are all alike."""
    if any(w == 0 or m % w for m, w in zip(given, wanted, strict=True)):
        return None
    return tuple(m // w for m, w in zip(given, wanted, strict=True))


def _places(size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The elements of the window of each output along a dimension, and which of them count: windows differ in size."""
    start = np.arange(count) * size // max(count, 1)
    length = -(-(np.arange(count) + 1) * size // max(count, 1)) - start
    within = np.arange(length.max(initial=1))
    return np.minimum(start[:, None] + within, size - 1), within < length[:, None]


def _adaptive_avg_pooled(operation: str, n: int, input: Any, output_size: Any) -> Any:
    input, given, wanted = _adaptive(operation, n, input, output_size)
    kernel = _even(given, wanted)
    if kernel is not None:
        return _avg_pooled(operation, n, input, kernel, None, 0, False, True, None)
    for i, (size, count) in enumerate(zip(given, wanted, strict=True)):
        axis = input.ndim - n + i
        places, counted = _places(size, count)
        rest = (1,) * (n - 1 - i)
        windows = getitem(input, (*(slice(None),) * axis, places))
        windows = where(counted.reshape(*counted.shape, *rest), windows, 0.0)
        lengths = counted.sum(1).reshape(-1, *rest).astype(input.dtype)
        input = sum(windows, axis + 1) / from_numpy(lengths)
    return input


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The means of windows that divide one dimension into `output_size`; see :func:`adaptive_avg_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_avg_pool1d(ag.tensor([[1.0, 2.0, 3.0]]), 2)
    tensor([[1.5, 2.5]])
    """
    return _adaptive_avg_pooled("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of windows that divide an image into a given number of rows and columns.

    Window i of m along a dimension of size n goes from ``floor(i n / m)`` to ``ceil((i + 1) n / m)``.

    Parameters
    ----------
    input : shape (N, C, height, width) or (C, height, width)
    output_size : one number or one for each dimension; None keeps the size

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_avg_pool2d(ag.arange(6.0).reshape(1, 2, 3), 1)
    tensor([[[2.5]]])
    """
    return _adaptive_avg_pooled("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The means of windows that divide a volume into a given number of parts; see :func:`adaptive_avg_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_avg_pool3d(ag.ones(1, 3, 4, 5), (2, None, 1)).shape
    (1, 2, 4, 1)
    """
    return _adaptive_avg_pooled("adaptive_avg_pool3d", 3, input, output_size)


def _adaptive_max_pooled(operation: str, n: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    input, given, wanted = _adaptive(operation, n, input, output_size)
    kernel = _even(given, wanted)
    if kernel is not None:
        return _max_pooled(operation, n, input, kernel, None, 0, 1, False, return_indices)
    places, counted = np.zeros((), np.int64), np.ones((), bool)
    for i, (size, count) in enumerate(zip(given, wanted, strict=True)):
        along, counts = _places(size, count)
        grid = [1] * 2 * n  # the outputs, then the elements of a window
        grid[i], grid[n + i] = along.shape
        places, counted = places * size + along.reshape(grid), counted & counts.reshape(grid)
    places, counted = places.reshape(*wanted, -1), counted.reshape(*wanted, -1)
    flat = reshape(input, (*input.shape[:-n], math.prod(given)))
    found = max(where(counted, getitem(flat, (Ellipsis, places)), -np.inf), -1)
    if not return_indices:
        return found.values
    which = np.broadcast_to(places, (*found.indices.shape, places.shape[-1]))
    return found.values, from_numpy(np.take_along_axis(which, found.indices.array[..., None], -1)[..., 0])


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that divide one dimension into `output_size`; see :func:`adaptive_max_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool1d(ag.tensor([[1.0, 2.0, 3.0]]), 2)
    tensor([[2., 3.]])
    """
    return _adaptive_max_pooled("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of the windows of :func:`adaptive_avg_pool2d`; the first of equal ones gets the gradient.

    Parameters
    ----------
    input : shape (N, C, height, width) or (C, height, width)
    output_size : one number or one for each dimension; None keeps the size
    return_indices : give also where in the flattened (height, width) the elements are

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool2d(ag.arange(6.0).reshape(1, 2, 3), (1, 2), return_indices=True)
    (tensor([[[4., 5.]]]), tensor([[[4, 5]]]))
    """
    return _adaptive_max_pooled("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that divide a volume; see :func:`adaptive_max_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool3d(ag.ones(1, 3, 4, 5), (2, None, 1)).shape
    (1, 2, 4, 1)
    """
    return _adaptive_max_pooled("adaptive_max_pool3d", 3, input, output_size, return_indices)
