"""Residual networks for images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .. import init
from ..activation import ReLU
from ..adaptive_pooling import AdaptiveAvgPool2d
from ..container import Sequential
from ..conv import Conv2d
from ..linear import Identity, Linear
from ..module import Module
from ..normalization import BatchNorm2d
from ..pooling import MaxPool2d

__all__ = ["BasicBlock", "Bottleneck", "ResNet", "resnet"]


def _conv(n_in: int, n_out: int, kernel_size: int, stride: int = 1, *, dtype: Any) -> Conv2d:
    """A convolution that keeps the size but for its stride; the normalisation after it has the bias."""
    return Conv2d(n_in, n_out, kernel_size, stride, kernel_size // 2, bias=False, dtype=dtype)


class BasicBlock(Module):
    """Two convolutions with kernels of 3 by 3, and the input added to what they give.

    He et al., "Deep residual learning for image recognition" (2015), fig. 5, left.

    Parameters
    ----------
    inplanes, planes : int
        Channels of the input and the output.
    stride : int
        Of the first convolution.
    downsample : Module, optional
        What makes the input fit the output, where channels or sizes differ.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.models.BasicBlock(3, 3)(ag.ones(2, 3, 8, 8)).shape
    (2, 3, 8, 8)
    """

    expansion: ClassVar[int] = 1
    """Output channels for each of `planes`."""

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: Module | None = None, *, dtype: Any = None
    ) -> None:
        super().__init__()
        self.conv1 = _conv(inplanes, planes, 3, stride, dtype=dtype)
        self.bn1 = BatchNorm2d(planes, dtype=dtype)
        self.relu = ReLU()
        self.conv2 = _conv(planes, planes, 3, dtype=dtype)
        self.bn2 = BatchNorm2d(planes, dtype=dtype)
        self.downsample = downsample

    def forward(self, input: Any) -> Any:
        out = self.relu(self.bn1(self.conv1(input)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + (input if self.downsample is None else self.downsample(input)))


class Bottleneck(Module):
    """Convolutions to fewer channels, among them, and back; the input added to what they give.

    The kernels are 1, 3 and 1 wide.

    He et al., "Deep residual learning for image recognition" (2015), fig. 5, right; but the second convolution has
    the stride, as in torchvision.

    Parameters
    ----------
    inplanes, planes : int
        Channels of the input, and of the second convolution; the output has four times as many as that.
    stride, downsample, dtype : as for :class:`BasicBlock`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.models.Bottleneck(8, 2)(ag.ones(2, 8, 8, 8)).shape
    (2, 8, 8, 8)
    """

    expansion: ClassVar[int] = 4

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: Module | None = None, *, dtype: Any = None
    ) -> None:
        super().__init__()
        self.conv1 = _conv(inplanes, planes, 1, dtype=dtype)
        self.bn1 = BatchNorm2d(planes, dtype=dtype)
        self.conv2 = _conv(planes, planes, 3, stride, dtype=dtype)
        self.bn2 = BatchNorm2d(planes, dtype=dtype)
        self.conv3 = _conv(planes, planes * self.expansion, 1, dtype=dtype)
        self.bn3 = BatchNorm2d(planes * self.expansion, dtype=dtype)
        self.relu = ReLU()
        self.downsample = downsample

    def forward(self, input: Any) -> Any:
        out = self.relu(self.bn1(self.conv1(input)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + (input if self.downsample is None else self.downsample(input)))


class ResNet(Module):
    """A stem, stages of residual blocks, each with twice the channels and half the size, and a linear classifier.

    Names of parameters and buffers are torchvision's, so that its state_dicts can be loaded.  Convolutions start with
    He's initialisation by fan_out.

    He et al., "Deep residual learning for image recognition" (2015), table 1; with `small_images`, section 4.2, whose
    networks are ``ResNet(BasicBlock, [n, n, n], width=16, small_images=True)``, here with projection shortcuts.

    Parameters
    ----------
    block : BasicBlock or Bottleneck
    layers : sequence of int
        How many blocks each stage has.
    num_classes : int
    in_channels : int
        Of the images.
    width : int
        Channels of the stem and (for each of the block's `expansion`) the first stage.
    small_images : bool
        Start with a convolution with kernels of 3 by 3, which keeps the size, instead of one with kernels of 7 by 7
        and a pooling, which make it a quarter.
    zero_init_residual : bool
        Start the last normalisation of each block with weight 0, so that the block starts as the identity.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> net = nn.models.ResNet(nn.models.BasicBlock, [1, 1], 10, width=8, small_images=True)
    >>> net(ag.ones(2, 3, 16, 16)).shape
    (2, 10)
    >>> list(net.state_dict())[-4:]
    ['layer2.0.downsample.1.running_var', 'layer2.0.downsample.1.num_batches_tracked', 'fc.weight', 'fc.bias']
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        *,
        in_channels: int = 3,
        width: int = 64,
        small_images: bool = False,
        zero_init_residual: bool = False,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if not layers or min(layers) < 1:
            raise ValueError(f"ResNet: expected at least one block in each stage, got layers={list(layers)}")
        kernel, stride = (3, 1) if small_images else (7, 2)
        self.conv1 = _conv(in_channels, width, kernel, stride, dtype=dtype)
        self.bn1 = BatchNorm2d(width, dtype=dtype)
        self.relu = ReLU()
        self.maxpool = Identity() if small_images else MaxPool2d(3, 2, 1)
        channels = width
        for stage, count in enumerate(layers):
            planes, stride = width * 2**stage, 1 if stage == 0 else 2
            setattr(self, f"layer{stage + 1}", _stage(block, channels, planes, count, stride, dtype=dtype))
            channels = planes * block.expansion
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.fc = Linear(channels, num_classes, dtype=dtype)
        self._stages = len(layers)
        self._initialise(zero_init_residual)

    def _initialise(self, zero_init_residual: bool) -> None:
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif zero_init_residual and isinstance(module, (BasicBlock, Bottleneck)):
                last: Any = module.bn2 if isinstance(module, BasicBlock) else module.bn3
                init.zeros_(last.weight)

    def forward(self, input: Any) -> Any:
        out = self.maxpool(self.relu(self.bn1(self.conv1(input))))
        for stage in range(self._stages):
            out = getattr(self, f"layer{stage + 1}")(out)
        return self.fc(self.avgpool(out).flatten(1))


def _stage(
    block: type[BasicBlock] | type[Bottleneck], inplanes: int, planes: int, count: int, stride: int, *, dtype: Any
) -> Sequential:
    """Blocks in a row, the first of which changes channels and size."""
    outplanes = planes * block.expansion
    downsample = None
    if stride != 1 or inplanes != outplanes:
        downsample = Sequential(_conv(inplanes, outplanes, 1, stride, dtype=dtype), BatchNorm2d(outplanes, dtype=dtype))
    first = block(inplanes, planes, stride, downsample, dtype=dtype)
    return Sequential(first, *(block(outplanes, planes, dtype=dtype) for _ in range(count - 1)))


DEPTHS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], list[int]]] = {
    18: (BasicBlock, [2, 2, 2, 2]),
    34: (BasicBlock, [3, 4, 6, 3]),
    50: (Bottleneck, [3, 4, 6, 3]),
    101: (Bottleneck, [3, 4, 23, 3]),
    152: (Bottleneck, [3, 8, 36, 3]),
}
"""The networks of He et al., table 1."""


def resnet(depth: int, num_classes: int = 1000, **options: Any) -> ResNet:
    """The residual network of a depth in He et al., table 1: 18, 34, 50, 101 or 152 layers.

    Parameters
    ----------
    depth : int
    num_classes : int
    **options : as for :class:`ResNet`

    Raises
    ------
    ValueError
        If there is none of that depth.

    Examples
    --------
    >>> from autograd_core import nn
    >>> sum(p.numel() for p in nn.models.resnet(18, width=8, small_images=True, num_classes=10).parameters())
    176402
    """
    if depth not in DEPTHS:
        raise ValueError(
            f"resnet: expected a depth of {', '.join(map(str, DEPTHS))}, got {depth}; for others there is "
            "ResNet(block, layers)"
        )
    return ResNet(*DEPTHS[depth], num_classes, **options)
