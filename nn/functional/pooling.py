"""Pooling: windows of an image reduced to their largest element, their mean or their norm; and the way back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import as_tensor, from_numpy, reshape, where, zeros
from autograd_core.ops.casting import floating
from autograd_core.ops.indexing import places_along
from autograd_core.ops.windows import _window_argmax, _window_max, _window_sum
from autograd_core.ops.writing import _scatter

from .arguments import batched, sizes

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]


def window(
    operation: str, n: int, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1
) -> tuple[tuple[int, ...], ...]:
    """What describes windows, as one number for each of `n` dimensions.

    Raises
    ------
    ValueError
        If an argument has another number of them, one is too small, or there is more padding than half of a window.
    """
    kernel = sizes(operation, "kernel_size", kernel_size, n, 1)
    if stride is None or (isinstance(stride, Sequence) and not stride):
        stride = kernel
    stride, dilation = sizes(operation, "stride", stride, n, 1), sizes(operation, "dilation", dilation, n, 1)
    padding = sizes(operation, "padding", padding, n)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(f"{operation}: padding {padding} is more than half of the kernel {kernel}")
    return kernel, stride, padding, dilation


def _pool_form(
    operation: str, n: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Any, tuple[int, ...], dict[str, Any]]:
    """The input, the padding, and the windows: with `ceil_mode`, padded at the end so that the last one fits."""
    input, alone = batched(operation, floating(as_tensor(input)), n)
    kernel, stride, padding, dilation = window(operation, n, kernel_size, stride, padding, dilation)
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


def max_pooled(
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
    """The largest elements of windows over the last `n` dimensions, and where they are if `return_indices`."""
    input, _, form = _pool_form(operation, n, input, kernel_size, stride, padding, dilation, ceil_mode)
    out = _window_max(input, **form)
    if not return_indices:
        return out
    places = _window_argmax(input.detach(), out.detach(), **form)
    return out, places % math.prod(input.shape[-n:])


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
    return max_pooled(
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
    return max_pooled(
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
    return max_pooled(
        "max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )  # fmt: skip


def _divisors(given: tuple[int, ...], padding: tuple[int, ...], include: bool, form: dict[str, Any]) -> np.ndarray:
    """The number of elements each window counts: those of the input, and with `include` those of the padding."""
    total = np.ones(())
    for size, p, k, s, pair in zip(given, padding, form["kernel"], form["stride"], form["padding"], strict=True):
        start = np.arange((size + sum(pair) - k) // s + 1) * s - p
        end = start + k
        along = np.minimum(end, size + p) - start if include else np.minimum(end, size) - np.maximum(start, 0)
        total = total[..., None] * along
    return total


def avg_pooled(
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
    """The means of windows over the last `n` dimensions."""
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
    return avg_pooled(
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
    return avg_pooled(
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
    return avg_pooled(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )  # fmt: skip


def _lp_pooled(
    operation: str, n: int, input: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool
) -> Any:
    input, kernel = floating(as_tensor(input)), sizes(operation, "kernel_size", kernel_size, n, 1)
    if norm_type == 0:
        raise ValueError(f"{operation}: norm_type must not be 0, as sums are raised to 1 / norm_type")
    if math.isinf(norm_type):
        sign = 1 if norm_type > 0 else -1
        return sign * max_pooled(operation, n, sign * abs(input), kernel, stride, 0, 1, ceil_mode, False)
    total = avg_pooled(operation, n, input**norm_type, kernel, stride, 0, ceil_mode, True, None) * math.prod(kernel)
    return where(total == 0, total.detach(), total) ** (1 / norm_type)


def lp_pool1d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The power sum of each window along one dimension; see :func:`lp_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.lp_pool1d(ag.tensor([[3.0, 4.0, 0.0, 2.0]]), 2, 2)
    tensor([[5., 2.]])
    """
    return _lp_pooled("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """``sum(x ** p) ** (1 / p)`` over each window of an image; where the sum is 0 the gradient is 0.

    As in PyTorch there is no absolute value in it: it is a norm for even p and for inputs that are not negative.
    Infinite p takes the largest absolute value, and p = -inf the smallest.

    Parameters
    ----------
    input : shape (N, C, height, width) or (C, height, width)
    norm_type : p, any number but 0
    kernel_size : of the window, one number or one for each dimension
    stride : from one window to the next; the kernel size by default
    ceil_mode : also let a last window reach beyond the end, if it starts before; the sum of the elements that it has is
        scaled up to the size of the window

    Raises
    ------
    ValueError
        If no window fits, or `norm_type` is 0.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.lp_pool2d(ag.tensor([[[2.0, 4.0], [5.0, 2.0]]]), 2, 2)
    tensor([[[7.]]])
    """
    return _lp_pooled("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The power sum of each window of a volume (N, C, depth, height, width); see :func:`lp_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.lp_pool3d(ag.ones(1, 4, 4, 4), 3, 2).flatten()[:2]
    tensor([2., 2.])
    """
    return _lp_pooled("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)


def _unpooled(
    operation: str, n: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    input, indices = as_tensor(input), as_tensor(indices)
    kernel, stride, padding, _ = window(operation, n, kernel_size, stride, padding)
    batched(operation, input, n)
    if indices.shape != input.shape:
        raise ValueError(f"{operation}: expected indices of the shape of input, {input.shape}, got {indices.shape}")
    usual = [(m - 1) * s - 2 * p + k for m, k, s, p in zip(input.shape[-n:], kernel, stride, padding, strict=True)]
    wanted = tuple(usual if output_size is None else output_size)
    if len(wanted) in (input.ndim, n + 2):
        wanted = wanted[-n:]
    off = [abs(w - u) >= s for w, u, s in zip(wanted, usual, stride, strict=False)]
    if len(wanted) != n or any(off) or min(wanted) < 1:
        raise ValueError(
            f"{operation}: expected output_size to be {n} sizes above 0 that differ from {tuple(usual)} by less than "
            f"the stride {stride}, or these after the sizes of batch and channels; got {output_size}"
        )
    lead = input.shape[:-n]
    blank = zeros(*lead, math.prod(wanted), dtype=input.dtype)
    places = places_along(operation, blank, -1, reshape(indices, (*lead, math.prod(input.shape[-n:]))))
    return reshape(_scatter(blank, places, reshape(input, places.shape)), (*lead, *wanted))


def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The maxima of :func:`max_pool1d` back at their places; see :func:`max_unpool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.max_unpool1d(ag.tensor([[3.0, 2.0]]), ag.tensor([[1, 2]]), 2)
    tensor([[0., 3., 2., 0.]])
    """
    return _unpooled("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The maxima of :func:`max_pool2d` back at their places, among zeros.

    Of several values for one place the last is taken, and gets the gradient.

    Zeiler & Fergus, "Visualizing and understanding convolutional networks" (2014), section 2.1.

    Parameters
    ----------
    input, indices : shape (N, C, height, width) or (C, height, width)
        The results of the pooling with ``return_indices=True``.
    kernel_size, stride, padding : those of the pooling
    output_size : that of the pooling's input, which several may have had; the smallest whose windows it fills, if not
        given.  With or without the sizes of batch and channels.

    Raises
    ------
    ValueError
        If shapes or `output_size` do not fit.
    IndexError
        If an index is not in the output.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> x = ag.tensor([[[1.0, 3, 5, 3], [4, 2, 3, 1]]])
    >>> nn.functional.max_unpool2d(*nn.functional.max_pool2d(x, 2, return_indices=True), 2)
    tensor([[[0., 0., 5., 0.],
             [4., 0., 0., 0.]]])
    """
    return _unpooled("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The maxima of :func:`max_pool3d` back at their places; see :func:`max_unpool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.max_unpool3d(ag.ones(1, 1, 1, 1), ag.tensor([[[[2]]]]), 2).flatten()
    tensor([0., 0., 1., 0., 0., 0., 0., 0.])
    """
    return _unpooled("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)
