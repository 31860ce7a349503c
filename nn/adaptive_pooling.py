"""Layers that pool to a given size: with windows that divide the input, or that start at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from autograd_core import as_tensor

from . import functional as F
from .function_module import FunctionModule
from .functional.adaptive_pooling import fractions
from .functional.arguments import sizes

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
]


class _Adaptive(FunctionModule):
    """A function of windows that divide the last `n` dimensions."""

    n: ClassVar[int]

    def __init__(self, output_size: Any, **options: Any) -> None:
        given = output_size if isinstance(output_size, Sequence) else [output_size]
        sizes(type(self).__name__, "output_size", [0 if size is None else size for size in given], self.n)
        super().__init__(output_size=output_size, **options)


class _AdaptiveAvgPool(_Adaptive):
    def __init__(self, output_size: Any) -> None:
        super().__init__(output_size)


class _AdaptiveMaxPool(_Adaptive):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size, return_indices=return_indices)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of windows that divide a signal into `output_size`; see :class:`AdaptiveAvgPool2d`.

    Input (N, C, length) or (C, length), output (N, C, output_size).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.AdaptiveAvgPool1d(2)(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1.5, 2.5]])
    """

    n = 1
    function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of windows that divide an image; see :func:`functional.adaptive_avg_pool2d`.

    With ``output_size=1`` it is global average pooling: the mean of each channel.

    Parameters
    ----------
    output_size : int, or one for each dimension; None keeps a size

    Shape: input (N, C, height, width) or (C, height, width); output the same with sizes `output_size`.

    Raises
    ------
    ValueError
        If `output_size` makes no sense, or the input has other dimensions.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.AdaptiveAvgPool2d((1, None))(ag.arange(6.0).reshape(1, 2, 3))
    tensor([[[1.5, 2.5, 3.5]]])
    """

    n = 2
    function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The means of windows that divide a volume; see :class:`AdaptiveAvgPool2d`.

    Input (N, C, depth, height, width) or without N, output (N, C, *output_size).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.AdaptiveAvgPool3d((2, None, 1))(ag.ones(1, 3, 4, 5)).shape
    (1, 2, 4, 1)
    """

    n = 3
    function = staticmethod(F.adaptive_avg_pool3d)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest elements of windows that divide a signal into `output_size`; see :class:`AdaptiveMaxPool2d`.

    Input (N, C, length) or (C, length), output (N, C, output_size).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.AdaptiveMaxPool1d(2)(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 3.]])
    """

    n = 1
    function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest elements of windows that divide an image; see :func:`functional.adaptive_max_pool2d`.

    With ``output_size=1`` it is global max pooling: the largest element of each channel.

    Parameters
    ----------
    output_size : int, or one for each dimension; None keeps a size
    return_indices : bool
        Give also where in the flattened (height, width) the elements are.

    Shape: input (N, C, height, width) or (C, height, width); output the same with sizes `output_size`.

    Raises
    ------
    ValueError
        If `output_size` makes no sense, or the input has other dimensions.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.AdaptiveMaxPool2d((1, 2), return_indices=True)(ag.arange(6.0).reshape(1, 2, 3))
    (tensor([[[4., 5.]]]), tensor([[[4, 5]]]))
    """

    n = 2
    function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest elements of windows that divide a volume; see :class:`AdaptiveMaxPool2d`.

    Input (N, C, depth, height, width) or without N, output (N, C, *output_size).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.AdaptiveMaxPool3d(2)(ag.ones(1, 3, 4, 5)).shape
    (1, 2, 2, 2)
    """

    n = 3
    function = staticmethod(F.adaptive_max_pool3d)


class _FractionalMaxPool(FunctionModule):
    """Its random numbers, where they are given, are a buffer, and so part of the state."""

    n: ClassVar[int]

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ) -> None:
        fractions(type(self).__name__, self.n, kernel_size, output_size, output_ratio)
        super().__init__(
            kernel_size=kernel_size,
            output_size=output_size,
            output_ratio=output_ratio,
            return_indices=return_indices,
        )
        self.register_buffer("_random_samples", None if _random_samples is None else as_tensor(_random_samples))

    def forward(self, input: Any) -> Any:
        pool = type(self).function
        return pool(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )  # fmt: skip


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest elements of windows of an image that start at random; see :func:`functional.fractional_max_pool2d`.

    Graham, "Fractional max-pooling" (2014).

    Parameters
    ----------
    kernel_size : int, or one for each dimension
        Of the windows, which may overlap.
    output_size : int, or one for each dimension
        How many windows there are.
    output_ratio : float, or one for each dimension
        Instead: how many there are for an element of the input, between 0 and 1.
    return_indices : bool
        Give also where in the flattened (height, width) the elements are.
    _random_samples : shape (N, C, 2), optional
        Numbers in [0, 1) that decide where the windows start; drawn anew in every call if not given.

    Shape: input (N, C, height, width) or (C, height, width); output the same with sizes `output_size`, or those of the
    input times `output_ratio`, rounded down.

    Raises
    ------
    ValueError
        If both or neither of size and ratio are given, or the windows do not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.FractionalMaxPool2d(2, output_ratio=0.6)(ag.ones(5, 3, 10, 15)).shape
    (5, 3, 6, 9)
    """

    n = 2
    function = staticmethod(F.fractional_max_pool2d)


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest elements of windows of a volume that start at random; options as for :class:`FractionalMaxPool2d`.

    Input (N, C, depth, height, width) or without N, output (N, C, *output_size).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.FractionalMaxPool3d(2, output_size=(2, 3, 3))(ag.ones(1, 6, 6, 6)).shape
    (1, 2, 3, 3)
    """

    n = 3
    function = staticmethod(F.fractional_max_pool3d)
