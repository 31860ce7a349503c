"""Normalising layers: batch, instance, layer, group, root mean square, and between neighbouring channels."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, ClassVar

from autograd_core import as_tensor, empty, int64, no_grad, ones, zeros

from . import functional as F
from . import init
from .function_module import FunctionModule
from .module import Module
from .parameter import Parameter

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "LocalResponseNorm",
    "RMSNorm",
]


class _Normalization(Module):
    """With a factor and a summand for each channel, or each element of a shape, where they are wanted."""

    weight: Parameter | None
    bias: Parameter | None
    eps: Any

    def __init__(self, shape: tuple[int, ...], eps: float | None, weight: bool, bias: bool, dtype: Any) -> None:
        super().__init__()
        if not all(n >= 0 for n in shape):
            raise ValueError(f"{type(self).__name__}: expected sizes of at least 0, got {shape}")
        if eps is not None and not eps >= 0:
            raise ValueError(f"{type(self).__name__}: eps must be at least 0, got {eps}")
        self.eps = eps
        self.weight = Parameter(empty(shape, dtype=dtype)) if weight else None
        self.bias = Parameter(empty(shape, dtype=dtype)) if weight and bias else None

    def reset_parameters(self) -> None:
        """Make the weight 1 and the bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class _ChannelNorm(_Normalization):
    """What batch and instance normalisation share: the channels' parameters and running statistics."""

    ndims: ClassVar[tuple[int, ...]]
    form: ClassVar[str]
    eps: float
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        bias: bool,
        dtype: Any,
    ) -> None:
        channels = operator.index(num_features)
        super().__init__((channels,), eps, affine, bias, dtype)
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(
                f"{type(self).__name__}: momentum is the share of the new statistics, in [0, 1], or None for the mean "
                f"of all; got {momentum}"
            )
        self.num_features, self.momentum = channels, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_buffer("running_mean", zeros(channels, dtype=dtype) if track_running_stats else None)
        self.register_buffer("running_var", ones(channels, dtype=dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype=int64) if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget what batches were seen: mean 0, variance 1."""
        if self.running_mean is not None:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Make the weight 1 and the bias 0, and forget what batches were seen."""
        self.reset_running_stats()
        super().reset_parameters()

    def _checked(self, input: Any) -> Any:
        input = as_tensor(input)
        if input.ndim not in self.ndims:
            raise ValueError(f"{type(self).__name__}: expected input of shape {self.form}, got {input.shape}")
        return input

    def _check_channels(self, input: Any) -> None:
        if input.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: expected {self.num_features} channels, num_features, in input of shape "
                f"{self.form}, got {input.shape[1]} in {input.shape}"
            )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ChannelNorm):
    """Normalised over the batch, in training; see :class:`BatchNorm1d`."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, dtype)

    def forward(self, input: Any) -> Any:
        input = self._checked(input)
        self._check_channels(input)
        mean, var, count = self.running_mean, self.running_var, self.num_batches_tracked
        by_batch = self.training or mean is None
        if self.training and not self.track_running_stats:
            mean = var = count = None
        momentum: Any = self.momentum
        if momentum is None:
            newest = self.training and mean is not None and count is not None
            momentum = 1 / (count + 1).to(mean.dtype) if newest else 0.0  # of n batches the newest has the share 1 / n
        out = F.batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)
        if self.training and count is not None:
            with no_grad():
                count.add_(1)
        return out


class BatchNorm1d(_BatchNorm):
    """``(x - mean) / sqrt(var + eps) * weight + bias``, with mean and variance of each channel over the batch.

    In training they are those of the batch, and the running ones move towards them; in evaluation they are the running
    ones, if there are any.  Ioffe & Szegedy, "Batch normalization" (2015), algorithms 1 and 2.

    For input of shape (N, C) or (N, C, length).

    Parameters
    ----------
    num_features : int
        How many channels there are.
    eps : float
        Added to the variance.
    momentum : float or None
        The share of the batch in what becomes of the running statistics; None for the mean over all batches.
    affine : bool
        Whether there are a weight and a bias for each channel; they start as 1 and 0.
    track_running_stats : bool
        Whether running statistics are kept; if not, the batch's are used in evaluation too.
    bias : bool
        Whether there is a bias beside the weight.
    dtype : optional
        Of the parameters and statistics; the default dtype if not given.

    Attributes
    ----------
    weight, bias : Parameter, shape (num_features,), or None
    running_mean, running_var : buffers, shape (num_features,), or None
    num_batches_tracked : buffer, int64, 0-d, or None

    Raises
    ------
    ValueError
        If an option is out of range, the input has another number of channels or dimensions, or in training only one
        value a channel.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> layer = nn.BatchNorm1d(2)
    >>> layer(ag.tensor([[1.0, 5.0], [3.0, 5.0]]))
    tensor([[-1.,  0.],
            [ 1.,  0.]], grad_fn=<affine>)
    >>> layer.running_mean
    tensor([0.2, 0.5])
    """

    ndims, form = (2, 3), "(N, C) or (N, C, length)"


class BatchNorm2d(_BatchNorm):
    """As :class:`BatchNorm1d`, for input of shape (N, C, height, width).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.BatchNorm2d(2).eval()(ag.ones(1, 2, 1, 1)).flatten()
    tensor([1., 1.], grad_fn=<reshape>)
    """

    ndims, form = (4,), "(N, C, height, width)"


class BatchNorm3d(_BatchNorm):
    """As :class:`BatchNorm1d`, for input of shape (N, C, depth, height, width).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.BatchNorm3d(2, affine=False)(ag.ones(1, 2, 2, 2, 2)).sum()
    tensor(0.)
    """

    ndims, form = (5,), "(N, C, depth, height, width)"


class _InstanceNorm(_ChannelNorm):
    """Normalised over each sample; see :class:`InstanceNorm1d`."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, dtype)

    def forward(self, input: Any) -> Any:
        input = self._checked(input)
        single = input.ndim == self.ndims[0]
        batch = input.unsqueeze(0) if single else input
        self._check_channels(batch)
        by_input = self.training or not self.track_running_stats
        mean, var = (self.running_mean, self.running_var) if self.track_running_stats else (None, None)
        momentum = 0.0 if self.momentum is None else self.momentum
        out = F.instance_norm(batch, mean, var, self.weight, self.bias, by_input, momentum, self.eps)
        return out.squeeze(0) if single else out


class InstanceNorm1d(_InstanceNorm):
    """``(x - mean) / sqrt(var + eps) * weight + bias``, with mean and variance of each channel of each sample.

    Ulyanov et al., "Instance normalization" (2016), eq. 4.  The same in training and evaluation, unless running
    statistics are kept, which then are used in evaluation.

    For input of shape (N, C, length) or (C, length).

    Parameters
    ----------
    num_features : int
        How many channels there are.
    eps : float
        Added to the variance.
    momentum : float or None
        The share of the batch in what becomes of the running statistics; None leaves them as they are.
    affine : bool
        Whether there are a weight and a bias for each channel; they start as 1 and 0.
    track_running_stats : bool
        Whether running statistics are kept.
    bias : bool
        Whether there is a bias beside the weight.
    dtype : optional
        Of the parameters and statistics; the default dtype if not given.

    Attributes
    ----------
    weight, bias : Parameter, shape (num_features,), or None
    running_mean, running_var : buffers, shape (num_features,), or None
    num_batches_tracked : buffer, int64, 0-d, or None; stays 0, as in PyTorch

    Raises
    ------
    ValueError
        If an option is out of range, the input has another number of channels or dimensions, or in training only one
        value a channel and sample.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.InstanceNorm1d(2)(ag.tensor([[1.0, 3.0], [10.0, 30.0]]))
    tensor([[-1.,  1.],
            [-1.,  1.]])
    """

    ndims, form = (2, 3), "(N, C, length) or (C, length)"


class InstanceNorm2d(_InstanceNorm):
    """As :class:`InstanceNorm1d`, for input of shape (N, C, height, width) or (C, height, width).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.InstanceNorm2d(3)
    InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)
    """

    ndims, form = (3, 4), "(N, C, height, width) or (C, height, width)"


class InstanceNorm3d(_InstanceNorm):
    """As :class:`InstanceNorm1d`, for input of shape (N, C, depth, height, width) or (C, depth, height, width).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.InstanceNorm3d(2)(ag.ones(2, 1, 2, 2)).shape
    (2, 1, 2, 2)
    """

    ndims, form = (4, 5), "(N, C, depth, height, width) or (C, depth, height, width)"


class LayerNorm(_Normalization):
    """``(x - mean) / sqrt(var + eps) * weight + bias``, with mean and variance over the last dimensions.

    Ba, Kiros and Hinton, "Layer normalization" (2016), eq. 4.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The sizes of the last dimensions.
    eps : float
        Added to the variance.
    elementwise_affine : bool
        Whether there are a weight and a bias for each element; they start as 1 and 0.
    bias : bool
        Whether there is a bias beside the weight.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    weight, bias : Parameter, shape normalized_shape, or None

    Raises
    ------
    ValueError
        If an option is out of range, or the input's last sizes are not `normalized_shape`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.LayerNorm(2)(ag.tensor([[1.0, 3.0], [5.0, 5.0]]))
    tensor([[-1.,  1.],
            [ 0.,  0.]], grad_fn=<affine>)
    """

    eps: float

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        sizes = _sizes("LayerNorm", normalized_shape)
        super().__init__(sizes, eps, elementwise_affine, bias, dtype)
        self.normalized_shape, self.elementwise_affine = sizes, elementwise_affine
        self.reset_parameters()

    def forward(self, input: Any) -> Any:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_Normalization):
    """``x / sqrt(mean(x**2) + eps) * weight``, over the last dimensions.

    Zhang & Sennrich, "Root mean square layer normalization" (2019), eq. 4.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The sizes of the last dimensions.
    eps : float or None
        Added to the mean of the squares; the resolution of the dtype, if None.
    elementwise_affine : bool
        Whether there is a weight for each element; it starts as 1.
    dtype : optional
        Of the weight; the default dtype if not given.

    Attributes
    ----------
    weight : Parameter, shape normalized_shape, or None

    Raises
    ------
    ValueError
        If an option is out of range, or the input's last sizes are not `normalized_shape`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.RMSNorm(3, elementwise_affine=False)(ag.tensor([1.0, -1.0, 7.0]))
    tensor([ 0.2425, -0.2425,  1.6977])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        sizes = _sizes("RMSNorm", normalized_shape)
        super().__init__(sizes, eps, elementwise_affine, False, dtype)
        self.normalized_shape, self.elementwise_affine = sizes, elementwise_affine
        self.reset_parameters()

    def forward(self, input: Any) -> Any:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


def _sizes(layer: str, normalized_shape: Any) -> tuple[int, ...]:
    given = normalized_shape if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    if not len(given):
        raise ValueError(f"{layer}: expected at least one size in normalized_shape, got {normalized_shape}")
    return tuple(operator.index(n) for n in given)


class GroupNorm(_Normalization):
    """``(x - mean) / sqrt(var + eps) * weight + bias``, with mean and variance of each sample over groups of channels.

    Wu & He, "Group normalization" (2018), eq. 7.  One group is layer normalisation, one a channel that of instances.

    Parameters
    ----------
    num_groups : int
        Divides `num_channels`.
    num_channels : int
        How many channels there are.
    eps : float
        Added to the variance.
    affine : bool
        Whether there are a weight and a bias for each channel; they start as 1 and 0.
    bias : bool
        Whether there is a bias beside the weight.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    weight, bias : Parameter, shape (num_channels,), or None

    Raises
    ------
    ValueError
        If the groups do not divide the channels, or the input has another number of channels.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.GroupNorm(2, 4)(ag.tensor([[1.0, 3.0, 10.0, 30.0]]))
    tensor([[-1.,  1., -1.,  1.]], grad_fn=<affine>)
    """

    eps: float

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        groups, channels = operator.index(num_groups), operator.index(num_channels)
        super().__init__((channels,), eps, affine, bias, dtype)
        if groups < 1 or channels % groups:
            raise ValueError(f"GroupNorm: num_groups={num_groups} does not divide num_channels={num_channels}")
        self.num_groups, self.num_channels, self.affine = groups, channels, affine
        self.reset_parameters()

    def forward(self, input: Any) -> Any:
        input = as_tensor(input)
        if input.ndim < 2 or input.shape[1] != self.num_channels:
            raise ValueError(
                f"GroupNorm: expected input of shape (N, {self.num_channels}, ...), with num_channels, got "
                f"{input.shape}"
            )
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(FunctionModule):
    """``x / (k + alpha * mean of x**2 over `size` neighbouring channels)**beta``; beyond the ends are zeros.

    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks" (2012),
    section 3.3, with the mean in place of the sum, as in PyTorch.

    Parameters
    ----------
    size : int
        How many neighbouring channels count.
    alpha, beta, k : float
        The constants of the formula.

    Raises
    ------
    ValueError
        If `size` is below 1, or the input is not of shape (N, C, ...).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.LocalResponseNorm(3, alpha=3.0, beta=1.0)(ag.ones(1, 3, 1)).flatten()
    tensor([0.3333, 0.25  , 0.3333])
    """

    function = staticmethod(F.local_response_norm)

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        if operator.index(size) < 1:
            raise ValueError(f"LocalResponseNorm: size counts neighbouring channels, at least 1, got {size}")
        super().__init__(size=size, alpha=alpha, beta=beta, k=k)
