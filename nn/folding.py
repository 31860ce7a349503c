"""Layers between images and the columns of a matrix that hold their windows."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .function_module import FunctionModule
from .functional.arguments import sizes
from .functional.folding import column_form

__all__ = ["Fold", "Unfold"]


class Unfold(FunctionModule):
    """All windows of images, each a column; see :func:`functional.unfold`.

    A convolution is the product of the flattened kernels with these columns.

    Parameters
    ----------
    kernel_size, dilation, padding, stride : int, or one for each dimension
        Of the windows.

    Shape: input (N, C, height, width) or (C, height, width); output (N, C x elements of a window, windows).

    Raises
    ------
    ValueError
        If an option makes no sense, or no window fits.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Unfold(2)(ag.arange(6.0).reshape(1, 2, 3))
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """

    function = staticmethod(F.unfold)

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        column_form("Unfold", kernel_size, dilation, padding, stride)
        super().__init__(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)


class Fold(FunctionModule):
    """Columns laid back as windows of images, added up where they overlap; see :func:`functional.fold`.

    Parameters
    ----------
    output_size : int, or one for each dimension
        Of the images.
    kernel_size, dilation, padding, stride : int, or one for each dimension
        Of the windows.

    Shape: input (N, C x elements of a window, windows), N optional; output (N, C, *output_size).

    Raises
    ------
    ValueError
        If an option makes no sense, or the input has not as many columns as there are windows.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Fold((2, 3), 2)(ag.ones(4, 2))
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """

    function = staticmethod(F.fold)

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        sizes("Fold", "output_size", output_size, 2, 1)
        column_form("Fold", kernel_size, dilation, padding, stride)
        super().__init__(
            output_size=output_size, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
        )  # fmt: skip
