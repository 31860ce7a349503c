"""Convolutional layers, and the transposed ones that undo their change of size."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from autograd_core import as_tensor, empty

from . import functional as F
from . import init
from .functional.arguments import sizes
from .functional.conv import added, padding_pairs
from .module import Module
from .parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """What all of them share: options, parameters, looks.

    A subclass gives the number of dimensions `n` and the `function`.
    """

    n: ClassVar[int]
    function: ClassVar[Callable[..., Any]]
    transposed: ClassVar[bool]
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        output_padding: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: Any,
    ) -> None:
        super().__init__()
        name, n = type(self).__name__, self.n
        self.in_channels, self.out_channels = operator.index(in_channels), operator.index(out_channels)
        self.groups = operator.index(groups)
        if min(self.groups, in_channels, out_channels) < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: expected numbers of channels above 0 that groups={groups} divides, got "
                f"in_channels={in_channels} and out_channels={out_channels}"
            )
        modes = _MODES[:1] if self.transposed else _MODES
        if padding_mode not in modes:
            raise ValueError(f"{name}: expected padding_mode to be one of {modes}, got {padding_mode!r}")
        self.kernel_size = sizes(name, "kernel_size", kernel_size, n, 1)
        self.stride = sizes(name, "stride", stride, n, 1)
        self.dilation = sizes(name, "dilation", dilation, n, 1)
        self.output_padding = added(name, n, output_padding, self.stride, self.dilation)
        named = isinstance(padding, str) and not self.transposed
        self.padding = padding if named else sizes(name, "padding", padding, n)
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(empty(first, second // groups, *self.kernel_size, dtype=dtype))
        self.bias = Parameter(empty(out_channels, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        options = {
            "padding": (self.padding, (0,) * self.n),
            "dilation": (self.dilation, (1,) * self.n),
            "output_padding": (self.output_padding, (0,) * self.n),
            "groups": (self.groups, 1),
            "bias": (self.bias is not None, True),
            "padding_mode": (self.padding_mode, "zeros"),
        }
        parts += [f"{name}={value!r}" for name, (value, usual) in options.items() if value != usual]
        return ", ".join(parts)


class _Conv(_Convolution):
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode, dtype
        )  # fmt: skip
        self._pairs()

    def _pairs(self) -> tuple[tuple[int, int], ...]:
        """What is padded before and after each dimension."""
        name = type(self).__name__
        return padding_pairs(name, self.n, self.padding, self.kernel_size, self.stride, self.dilation)

    def forward(self, input: Any) -> Any:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            widths = [width for pair in reversed(self._pairs()) for width in pair]
            input, padding = F.pad(input, widths, self.padding_mode), 0
        convolve = type(self).function
        return convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class _ConvTranspose(_Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            output_padding,
            groups,
            bias,
            padding_mode,
            dtype,
        )

    def forward(self, input: Any, output_size: Sequence[int] | None = None) -> Any:
        """The result; of `output_size` if that is given, with or without the sizes of batch and channels."""
        input = as_tensor(input)
        extra = self.output_padding if output_size is None else self._extra(input.shape, tuple(output_size))
        convolve = type(self).function
        return convolve(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )  # fmt: skip

    def _extra(self, given: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
        """The output padding that gives an output of sizes `wanted`."""
        options = zip(given[-self.n :], self.stride, self.padding, self.dilation, self.kernel_size, strict=False)
        least = tuple((m - 1) * s - 2 * p + d * (k - 1) + 1 for m, s, p, d, k in options)
        last = wanted[-self.n :] if len(wanted) == len(given) else wanted
        extra = tuple(w - low for w, low in zip(last, least, strict=False))
        if len(last) != self.n or any(not 0 <= e < s for e, s in zip(extra, self.stride, strict=False)):
            most = tuple(low + s - 1 for low, s in zip(least, self.stride, strict=False))
            raise ValueError(
                f"{type(self).__name__}: expected an output_size from {least} to {most} for input of shape {given}, "
                f"got {wanted}"
            )
        return extra


class Conv1d(_Conv):
    """The cross-correlation of signals with learned kernels; options as for :class:`Conv2d`.

    Input (N, in_channels, length) or (in_channels, length), output (N, out_channels, length'); the weight has shape
    (out_channels, in_channels / groups, kernel_size).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Conv1d(2, 4, 3, padding="same")(ag.ones(5, 2, 8)).shape
    (5, 4, 8)
    """

    n = 1
    function = staticmethod(F.conv1d)


class Conv2d(_Conv):
    """The cross-correlation of images with learned kernels, plus a bias; see :func:`functional.conv2d`.

    Weight and bias start uniform in ±1/√fan_in, as PyTorch's, with fan_in = in_channels / groups x kernel elements.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : int, or one for each dimension
    stride : int, or one for each dimension
    padding : int, or one for each dimension; "valid" for none, or "same" for an output of the input's size (stride 1)
    dilation : int, or one for each dimension
        The distance between neighbouring elements of the kernel.
    groups : int
        The channels fall into so many groups, each with its own part of the outputs.
    bias : bool
        Whether there is a bias.
    padding_mode : "zeros", "reflect", "replicate" or "circular"
        What is padded; see :func:`functional.pad`.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, kernel height, kernel width)
    bias : Parameter, shape (out_channels,), or None

    Shape: input (N, in_channels, height, width) or (in_channels, height, width); output the same with out_channels and
    sizes ``(n + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1``.

    Raises
    ------
    ValueError
        If an option makes no sense, or the input does not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> layer = nn.Conv2d(3, 8, 3, stride=2, padding=1)
    >>> layer
    Conv2d(3, 8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
    >>> layer(ag.ones(5, 3, 32, 32)).shape
    (5, 8, 16, 16)
    """

    n = 2
    function = staticmethod(F.conv2d)


class Conv3d(_Conv):
    """The cross-correlation of volumes with learned kernels; options as for :class:`Conv2d`.

    Input (N, in_channels, depth, height, width) or without N, output (N, out_channels, depth', height', width'); the
    weight has shape (out_channels, in_channels / groups, *kernel_size).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Conv3d(1, 2, 3, stride=(1, 2, 2))(ag.ones(1, 5, 7, 7)).shape
    (2, 3, 3, 3)
    """

    n = 3
    function = staticmethod(F.conv3d)


class ConvTranspose1d(_ConvTranspose):
    """The transposed convolution of signals; options as for :class:`ConvTranspose2d`.

    Input (N, in_channels, length) or (in_channels, length), output (N, out_channels, length'); the weight has shape
    (in_channels, out_channels / groups, kernel_size).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ConvTranspose1d(2, 4, 3, stride=2)(ag.ones(5, 2, 8)).shape
    (5, 4, 17)
    """

    n = 1
    function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The gradient of a convolution by its input, as a layer: it makes images larger, see
    :func:`functional.conv_transpose2d`.

    Weight and bias start uniform in ±1/√fan, as PyTorch's, with fan = out_channels / groups x kernel elements.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation : int, or one for each dimension
        Those of the convolution whose change of size this undoes.
    output_padding : int, or one for each dimension
        Rows and columns added at the end, less than `stride` or `dilation`.
    groups : int
        The channels fall into so many groups, each with its own part of the outputs.
    bias : bool
        Whether there is a bias.
    padding_mode : "zeros"
        The only one there is.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    weight : Parameter, shape (in_channels, out_channels / groups, kernel height, kernel width)
    bias : Parameter, shape (out_channels,), or None

    Shape: input (N, in_channels, height, width) or (in_channels, height, width); output the same with out_channels and
    sizes ``(n - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1``.  Called with ``output_size``
    the layer finds the output padding: a convolution with a stride gives inputs of several sizes the same size.

    Raises
    ------
    ValueError
        If an option makes no sense, or the input or ``output_size`` does not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> layer = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)
    >>> layer(ag.ones(5, 8, 16, 16)).shape
    (5, 3, 31, 31)
    >>> layer(ag.ones(5, 8, 16, 16), output_size=(32, 32)).shape
    (5, 3, 32, 32)
    """

    n = 2
    function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """The transposed convolution of volumes; options as for :class:`ConvTranspose2d`.

    Input (N, in_channels, depth, height, width) or without N, output (N, out_channels, depth', height', width'); the
    weight has shape (in_channels, out_channels / groups, *kernel_size).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ConvTranspose3d(1, 2, 2, stride=2)(ag.ones(1, 3, 4, 5)).shape
    (2, 6, 8, 10)
    """

    n = 3
    function = staticmethod(F.conv_transpose3d)
