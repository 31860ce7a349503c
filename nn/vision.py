"""Layers that change the resolution of images, or exchange pixels and channels."""

from __future__ import annotations

import operator
from typing import Any

from . import checks
from . import functional as F
from .function_module import FunctionModule

__all__ = [
    "ChannelShuffle",
    "PixelShuffle",
    "PixelUnshuffle",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
]

_MODES = ("nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area")


class PixelShuffle(FunctionModule):
    """Channels as pixels of a larger image; see :func:`functional.pixel_shuffle`.

    Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
    network" (2016), eq. 4.

    Parameters
    ----------
    upscale_factor : int
        r, how many times as large the image gets.

    Shape: input (*, C r r, height, width), output (*, C, height r, width r).

    Raises
    ------
    ValueError
        If the factor is below 1, or its square does not divide the channels.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.PixelShuffle(2)(ag.arange(4.0).reshape(4, 1, 1))
    tensor([[[0., 1.],
             [2., 3.]]])
    """

    function = staticmethod(F.pixel_shuffle)

    def __init__(self, upscale_factor: int) -> None:
        checks.positive("PixelShuffle", upscale_factor=operator.index(upscale_factor))
        super().__init__(upscale_factor=upscale_factor)


class PixelUnshuffle(FunctionModule):
    """Pixels as channels of a smaller image: undoes :class:`PixelShuffle`.

    Parameters
    ----------
    downscale_factor : int
        r, how many times smaller the image gets.

    Shape: input (*, C, height r, width r), output (*, C r r, height, width).

    Raises
    ------
    ValueError
        If the factor is below 1, or does not divide height and width.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.PixelUnshuffle(2)(ag.arange(4.0).reshape(1, 2, 2)).shape
    (4, 1, 1)
    """

    function = staticmethod(F.pixel_unshuffle)

    def __init__(self, downscale_factor: int) -> None:
        checks.positive("PixelUnshuffle", downscale_factor=operator.index(downscale_factor))
        super().__init__(downscale_factor=downscale_factor)


class ChannelShuffle(FunctionModule):
    """The channels dealt out anew: the first of every group, then the second, and so on.

    Zhang et al., "ShuffleNet" (2017), section 3.1.

    Parameters
    ----------
    groups : int
        How many groups of neighbouring channels there are.

    Shape: input (N, C, *), output the same.

    Raises
    ------
    ValueError
        If `groups` is below 1, or does not divide the channels.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ChannelShuffle(2)(ag.arange(4.0).reshape(1, 4, 1)).flatten()
    tensor([0., 2., 1., 3.])
    """

    function = staticmethod(F.channel_shuffle)

    def __init__(self, groups: int) -> None:
        checks.positive("ChannelShuffle", groups=operator.index(groups))
        super().__init__(groups=groups)


class Upsample(FunctionModule):
    """Signals, images or volumes in another resolution; see :func:`functional.interpolate`.

    Parameters
    ----------
    size : int, or one for each dimension
        That of the output.
    scale_factor : float, or one for each dimension
        Instead: how many times as large the output is.
    mode : "nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear" or "area"
    align_corners : bool, optional
        Whether the first and last elements of input and output lie on one another, or their outer edges.
    recompute_scale_factor : bool, optional
        Whether the scale is computed anew from the rounded size.

    Shape: input (N, C, *sizes) with 1 to 3 sizes, output the same with sizes `size`, or those of the input times
    `scale_factor`, rounded down.

    Raises
    ------
    ValueError
        If both or neither of size and scale are given, or the mode is none, or does not fit the input.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Upsample(scale_factor=2, mode="linear")(ag.tensor([[[1.0, 3.0]]]))
    tensor([[[1. , 1.5, 2.5, 3. ]]])
    """

    function = staticmethod(F.interpolate)

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        name = type(self).__name__
        if (size is None) == (scale_factor is None):
            raise ValueError(f"{name}: expected either size or scale_factor, got {size} and {scale_factor}")
        if mode not in _MODES:
            raise ValueError(f"{name}: expected mode to be one of {', '.join(_MODES)}, got {mode!r}")
        super().__init__(
            size=size,
            scale_factor=scale_factor,
            mode=mode,
            align_corners=align_corners,
            recompute_scale_factor=recompute_scale_factor,
        )


class UpsamplingNearest2d(Upsample):
    """Images in another resolution, of their nearest pixels: :class:`Upsample` with that mode.

    Input (N, C, height, width), output (N, C, height', width').

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.UpsamplingNearest2d(scale_factor=2)(ag.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Images in another resolution, linear between pixels: :class:`Upsample` with that mode and aligned corners.

    Input (N, C, height, width), output (N, C, height', width').

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.UpsamplingBilinear2d(size=(1, 3))(ag.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1. , 1.5, 2. ]]]])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
