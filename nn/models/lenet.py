"""The first convolutional network for written digits."""

from __future__ import annotations

from typing import Any

from ..activation_module import activation_module
from ..container import Sequential
from ..conv import Conv2d
from ..flatten import Flatten
from ..linear import Linear
from ..pooling import AvgPool2d, MaxPool2d

__all__ = ["LeNet"]


class LeNet(Sequential):
    """LeNet-5: two convolutions, each with an activation and a pooling by 2, then three fully connected layers.

    The kernels are 5 by 5.  Images of 32 by 32 are not padded, smaller ones are padded by 2 before the first
    convolution; those below 12 by 12, too small for such kernels, get kernels of 3 by 3 with a padding of 1.

    LeCun et al., "Gradient-based learning applied to document recognition" (1998), section II.B.  There the second
    convolution sees only some channels at a time, pooling has weights, and the output is made of distances.

    Parameters
    ----------
    num_classes : int
    size : int
        Height and width of the images, at least 4.
    in_channels : int
    activation : name, Module or callable
        As for :class:`MLP`; "tanh" in the paper.
    pooling : "avg", as in the paper, or "max"
    channels, hidden : pairs of int
        Sizes of the convolutions and of the hidden fully connected layers.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Raises
    ------
    ValueError
        If an option is out of range.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.models.LeNet(size=8)(ag.zeros(5, 1, 8, 8)).shape
    (5, 10)
    >>> sum(p.numel() for p in nn.models.LeNet().parameters())
    61706
    """

    def __init__(
        self,
        num_classes: int = 10,
        size: int = 28,
        *,
        in_channels: int = 1,
        activation: Any = "tanh",
        pooling: str = "avg",
        channels: tuple[int, int] = (6, 16),
        hidden: tuple[int, int] = (120, 84),
        dtype: Any = None,
    ) -> None:
        if size < 4:
            raise ValueError(f"LeNet: expected images of at least 4 by 4, got size={size}")
        if pooling not in ("avg", "max"):
            raise ValueError(f"LeNet: expected pooling 'avg' or 'max', got {pooling!r}")
        pool = AvgPool2d if pooling == "avg" else MaxPool2d
        kernel, paddings = (3, (1, 1)) if size < 12 else (5, (2 if size < 32 else 0, 0))
        layers: list[Any] = []
        for n_in, n_out, padding in zip((in_channels, channels[0]), channels, paddings, strict=True):
            layers += [Conv2d(n_in, n_out, kernel, padding=padding, dtype=dtype)]
            layers += [activation_module(activation), pool(2)]
            size = (size + 2 * padding - kernel + 1) // 2
        layers += [Flatten()]
        for n_in, n_out in ((channels[1] * size * size, hidden[0]), hidden):
            layers += [Linear(n_in, n_out, dtype=dtype), activation_module(activation)]
        super().__init__(*layers, Linear(hidden[1], num_classes, dtype=dtype))
