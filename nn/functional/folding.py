"""Windows of images as columns of a matrix, and back."""

from __future__ import annotations

import math
from typing import Any

from autograd_core import as_tensor, reshape
from autograd_core.ops.windows import _overlap_add, _sliding_windows, outputs

from .arguments import batched, sizes

__all__ = ["fold", "unfold"]


def column_form(operation: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, Any]:
    """What describes the windows of images, checked."""
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
    form = column_form("unfold", kernel_size, dilation, padding, stride)
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
    form = column_form("fold", kernel_size, dilation, padding, stride)
    counts = _fits("fold", size, form)
    elements = math.prod(form["kernel"])
    if input.shape[1] % elements or input.shape[2] != math.prod(counts):
        raise ValueError(
            f"fold: expected input of shape (N, C * {elements}, {math.prod(counts)}) for output_size {size} and "
            f"{form}, got {input.shape}"
        )
    channels = input.shape[1] // elements
    windows = reshape(input, (input.shape[0], channels, *form["kernel"], *counts))
    out = _overlap_add(windows, sizes=size, **form)
    return reshape(out, (channels, *size)) if alone else out
