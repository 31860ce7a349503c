"""Layers that reduce windows of an image to one element, and those that put maxima back."""

from __future__ import annotations

from typing import Any, ClassVar

from . import functional as F
from .function_module import FunctionModule
from .functional.pooling import window

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


class _Windows(FunctionModule):
    """A function of windows over the last `n` dimensions; the stride is the kernel size unless it is given."""

    n: ClassVar[int]

    def __init__(self, kernel_size: Any, stride: Any, **options: Any) -> None:
        form = {name: options[name] for name in ("padding", "dilation") if name in options}
        window(type(self).__name__, self.n, kernel_size, stride, **form)
        super().__init__(kernel_size=kernel_size, stride=kernel_size if stride is None else stride, **options)


class _MaxPool(_Windows):
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(
            kernel_size, stride, padding=padding, dilation=dilation, return_indices=return_indices, ceil_mode=ceil_mode
        )  # fmt: skip


class MaxPool1d(_MaxPool):
    """The largest element of each window of a signal; options as for :class:`MaxPool2d`.

    Input (N, C, length) or (C, length), output (N, C, length').

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MaxPool1d(2)(ag.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[3., 2.]])
    """

    n = 1
    function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """The largest element of each window of an image; see :func:`functional.max_pool2d`.

    Parameters
    ----------
    kernel_size : int, or one for each dimension
        Of the window.
    stride : int, or one for each dimension
        From one window to the next; the kernel size by default.
    padding : int, or one for each dimension
        On both sides, at most half of the kernel; it never is the largest.
    dilation : int, or one for each dimension
        The distance between neighbouring elements of a window.
    return_indices : bool
        Give also where in the flattened (height, width) the elements are, as :class:`MaxUnpool2d` takes it.
    ceil_mode : bool
        Also let a last window reach beyond the end, if it starts before.

    Shape: input (N, C, height, width) or (C, height, width); output the same with sizes
    ``(n + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1``, rounded up with `ceil_mode`.

    Raises
    ------
    ValueError
        If an option makes no sense, or no window fits.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MaxPool2d(2)(ag.tensor([[[1.0, 3, 5, 3], [4, 2, 3, 1], [3, 1, 1, 3], [0, 1, 0, 4]]]))
    tensor([[[4., 5.],
             [3., 4.]]])
    """

    n = 2
    function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPool):
    """The largest element of each window of a volume; options as for :class:`MaxPool2d`.

    Input (N, C, depth, height, width) or without N, output (N, C, depth', height', width').

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MaxPool3d(2)(ag.ones(1, 4, 4, 4)).shape
    (1, 2, 2, 2)
    """

    n = 3
    function = staticmethod(F.max_pool3d)


class _AvgPool(_Windows):
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        if divisor_override == 0:
            raise ValueError(f"{type(self).__name__}: divisor_override must not be 0")
        super().__init__(
            kernel_size,
            stride,
            padding=padding,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
            divisor_override=divisor_override,
        )


class AvgPool1d(_Windows):
    """The mean of each window of a signal; options as for :class:`AvgPool2d`, without `divisor_override`.

    Input (N, C, length) or (C, length), output (N, C, length').

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.AvgPool1d(2)(ag.tensor([[1.0, 3.0, 2.0, 0.0]]))
    tensor([[2., 1.]])
    """

    n = 1
    function = staticmethod(F.avg_pool1d)

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(
            kernel_size, stride, padding=padding, ceil_mode=ceil_mode, count_include_pad=count_include_pad
        )  # fmt: skip


class AvgPool2d(_AvgPool):
    """The mean of each window of an image; see :func:`functional.avg_pool2d`.

    Parameters
    ----------
    kernel_size : int, or one for each dimension
        Of the window.
    stride : int, or one for each dimension
        From one window to the next; the kernel size by default.
    padding : int, or one for each dimension
        Zeros on both sides, at most half of the kernel.
    ceil_mode : bool
        Also let a last window reach beyond the end, if it starts before.
    count_include_pad : bool
        Divide by a number of elements that includes the padding.
    divisor_override : int, optional
        Divide by this instead.

    Shape: input (N, C, height, width) or (C, height, width); output the same with sizes
    ``(n + 2 padding - kernel_size) // stride + 1``, rounded up with `ceil_mode`.

    Raises
    ------
    ValueError
        If an option makes no sense, or no window fits.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.AvgPool2d(2)(ag.arange(8.0).reshape(1, 2, 4))
    tensor([[[2.5, 4.5]]])
    """

    n = 2
    function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPool):
    """The mean of each window of a volume; options as for :class:`AvgPool2d`.

    Input (N, C, depth, height, width) or without N, output (N, C, depth', height', width').

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.AvgPool3d(2)(ag.ones(1, 4, 4, 4)).shape
    (1, 2, 2, 2)
    """

    n = 3
    function = staticmethod(F.avg_pool3d)


class _LPPool(_Windows):
    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        if norm_type == 0:
            raise ValueError(f"{type(self).__name__}: norm_type must not be 0, as sums are raised to 1 / norm_type")
        super().__init__(kernel_size, stride, norm_type=norm_type, ceil_mode=ceil_mode)


class LPPool1d(_LPPool):
    """The power sum of each window of a signal; options as for :class:`LPPool2d`.

    Input (N, C, length) or (C, length), output (N, C, length').

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.LPPool1d(2, 2)(ag.tensor([[3.0, 4.0, 0.0, 2.0]]))
    tensor([[5., 2.]])
    """

    n = 1
    function = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPool):
    """``sum(x ** p) ** (1 / p)`` over each window of an image; see :func:`functional.lp_pool2d`.

    Parameters
    ----------
    norm_type : float
        p, any number but 0; infinite for the largest absolute value.
    kernel_size : int, or one for each dimension
        Of the window.
    stride : int, or one for each dimension
        From one window to the next; the kernel size by default.
    ceil_mode : bool
        Also let a last window reach beyond the end, if it starts before.

    Shape: input (N, C, height, width) or (C, height, width); output the same with sizes
    ``(n - kernel_size) // stride + 1``, rounded up with `ceil_mode`.

    Raises
    ------
    ValueError
        If an option makes no sense, or no window fits.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.LPPool2d(2, 2)(ag.tensor([[[2.0, 4.0], [5.0, 2.0]]]))
    tensor([[[7.]]])
    """

    n = 2
    function = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPool):
    """The power sum of each window of a volume; options as for :class:`LPPool2d`.

    Input (N, C, depth, height, width) or without N, output (N, C, depth', height', width').

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.LPPool3d(3, 2)(ag.ones(1, 4, 4, 4)).flatten()[:2]
    tensor([2., 2.])
    """

    n = 3
    function = staticmethod(F.lp_pool3d)


class _MaxUnpool(_Windows):
    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__(kernel_size, stride, padding=padding)

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        unpool = type(self).function
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpool):
    """The maxima of :class:`MaxPool1d` back at their places; options as for :class:`MaxUnpool2d`.

    Input and indices (N, C, length) or (C, length), output (N, C, length').

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MaxUnpool1d(2)(ag.tensor([[3.0, 2.0]]), ag.tensor([[1, 2]]))
    tensor([[0., 3., 2., 0.]])
    """

    n = 1
    function = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """The maxima of :class:`MaxPool2d` back at their places, among zeros; see :func:`functional.max_unpool2d`.

    Called with the results of a pooling that has ``return_indices=True``, and optionally with ``output_size``, the
    size of that pooling's input, which several may have had.

    Parameters
    ----------
    kernel_size, stride, padding : int, or one for each dimension
        Those of the pooling.

    Shape: input and indices (N, C, height, width) or (C, height, width); output the same with sizes
    ``(n - 1) stride - 2 padding + kernel_size``, or those of ``output_size``.

    Raises
    ------
    ValueError
        If an option makes no sense, or shapes do not fit.
    IndexError
        If an index is not in the output.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> pool, unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)
    >>> unpool(*pool(ag.tensor([[[1.0, 3, 5, 3], [4, 2, 3, 1]]])))
    tensor([[[0., 0., 5., 0.],
             [4., 0., 0., 0.]]])
    """

    n = 2
    function = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """The maxima of :class:`MaxPool3d` back at their places; options as for :class:`MaxUnpool2d`.

    Input and indices (N, C, depth, height, width) or without N, output (N, C, depth', height', width').

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MaxUnpool3d(2)(ag.ones(1, 1, 1, 1), ag.tensor([[[[2]]]])).flatten()
    tensor([0., 0., 1., 0., 0., 0., 0., 0.])
    """

    n = 3
    function = staticmethod(F.max_unpool3d)
