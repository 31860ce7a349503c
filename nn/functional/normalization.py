"""Normalisation: values relative to the mean and spread of a batch, a layer, a group; vectors to length 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import as_tensor, clamp_min, no_grad, norm, reshape
from autograd_core import mean as _mean
from autograd_core.ops.arguments import shape
from autograd_core.ops.casting import floating
from autograd_core.ops.standardizing import _affine, _standardize
from autograd_core.ops.windows import _window_sum

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "normalize",
    "rms_norm",
]


def _channels_of(operation: str, input: Any, least: int) -> int:
    if input.ndim < least:
        raise ValueError(f"{operation}: expected input of at least {least} dimensions (N, C, ...), got {input.shape}")
    channels: int = input.shape[1]
    return channels


def _beside(operation: str, argument: str, value: Any, channels: int, ndim: int) -> Any:
    """One value for each channel, shaped to broadcast against (N, C, ...)."""
    return reshape(_for_channels(operation, argument, value, channels), (-1,) + (1,) * (ndim - 2))


def _for_channels(operation: str, argument: str, value: Any, channels: int) -> Any:
    value = as_tensor(value)
    if value.shape != (channels,):
        raise ValueError(
            f"{operation}: expected {argument} of one value a channel, shape ({channels},), got {value.shape}"
        )
    return value


def _scaled(operation: str, out: Any, weight: Any, bias: Any) -> Any:
    """Times `weight` plus `bias`, each of one value a channel."""
    channels, ndim = out.shape[1], out.ndim
    if weight is not None and bias is not None:
        weight = _for_channels(operation, "weight", weight, channels)
        return _affine(out, weight, _for_channels(operation, "bias", bias, channels), axis=(1,))
    if weight is not None:
        return out * _beside(operation, "weight", weight, channels, ndim)
    return out if bias is None else out + _beside(operation, "bias", bias, channels, ndim)


def _move(running: Any, statistic: Any, momentum: Any, factor: float = 1.0) -> None:
    """``running = (1 - momentum) running + momentum statistic``, in place, with its mean over the samples there are."""
    samples, channels = statistic.shape[:2]
    if running is None or samples == 0:
        return
    with no_grad():
        value = reshape(statistic, (samples, channels))
        value = value[0] if samples == 1 else _mean(value, 0)
        running[...] = (1 - momentum) * running + momentum * factor * value


def _by_running(operation: str, input: Any, mean: Any, variance: Any, weight: Any, bias: Any, eps: float) -> Any:
    """Normalised by statistics that are given."""
    if mean is None or variance is None:
        raise ValueError(f"{operation}: without the input's statistics running_mean and running_var are needed")
    channels, ndim = input.shape[1], input.ndim
    scale = (_beside(operation, "running_var", variance, channels, ndim) + eps) ** -0.5
    return _scaled(
        operation, (input - _beside(operation, "running_mean", mean, channels, ndim)) * scale, weight, bias
    )  # fmt: skip


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, with mean and variance of each channel.

    In training they are those of the batch, and the running ones move towards them (the variance with n - 1 in its
    denominator); otherwise they are the running ones.  A constant channel gives `bias`, with gradient 0.

    Ioffe & Szegedy, "Batch normalization" (2015), algorithms 1 and 2.

    Parameters
    ----------
    input : shape (N, C) or (N, C, *)
    running_mean, running_var : shape (C,), changed in place in training; None in training: not kept
    weight, bias : shape (C,), optional
    momentum : the share of the batch in what becomes of the running statistics

    Raises
    ------
    ValueError
        If there is only one value a channel in training, or shapes do not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.batch_norm(ag.tensor([[1.0, 5.0], [3.0, 5.0]]), None, None, training=True)
    tensor([[-1.,  0.],
            [ 1.,  0.]])
    """
    input = floating(as_tensor(input))
    channels = _channels_of("batch_norm", input, 2)
    if not training:
        return _by_running("batch_norm", input, running_mean, running_var, weight, bias, eps)
    n = math.prod(input.shape) // max(channels, 1)
    if n == 1:
        raise ValueError(
            f"batch_norm: input of shape {input.shape} has one value a channel, whose variance says nothing; train on "
            f"larger batches, or use training=False"
        )
    out, mean, variance = _standardize(input, axis=(0, *range(2, input.ndim)), eps=eps)
    if n:
        _move(running_mean, mean, momentum)
        _move(running_var, variance, momentum, n / (n - 1))
    return _scaled("batch_norm", out, weight, bias)


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """As :func:`batch_norm`, with mean and variance of each channel of each sample.

    The running statistics move towards the mean of those over the batch.

    Ulyanov et al., "Instance normalization" (2016), eq. 4.

    Parameters
    ----------
    input : shape (N, C, *)
    running_mean, running_var : shape (C,), optional, changed in place
    weight, bias : shape (C,), optional
    use_input_stats : False to normalise by the running statistics

    Raises
    ------
    ValueError
        If there is only one value a channel and sample, or shapes do not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.instance_norm(ag.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.,  1.]]])
    """
    input = floating(as_tensor(input))
    _channels_of("instance_norm", input, 2)
    if not use_input_stats:
        return _by_running("instance_norm", input, running_mean, running_var, weight, bias, eps)
    n = math.prod(input.shape[2:])
    if n == 1:
        raise ValueError(f"instance_norm: input of shape {input.shape} has one value a channel; nothing is left of it")
    out, mean, variance = _standardize(input, axis=tuple(range(2, input.ndim)), eps=eps)
    if n:
        _move(running_mean, mean, momentum)
        _move(running_var, variance, momentum, n / (n - 1))
    return _scaled("instance_norm", out, weight, bias)


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """As :func:`batch_norm`, with mean and variance of each sample over groups of channels.

    Wu & He, "Group normalization" (2018), eq. 7.

    Parameters
    ----------
    input : shape (N, C, *)
    num_groups : divides C
    weight, bias : shape (C,), optional

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.group_norm(ag.tensor([[1.0, 3.0, 10.0, 30.0]]), 2)
    tensor([[-1.,  1., -1.,  1.]])
    """
    input = floating(as_tensor(input))
    channels = _channels_of("group_norm", input, 2)
    if num_groups < 1 or channels % num_groups:
        raise ValueError(
            f"group_norm: num_groups={num_groups} does not divide the {channels} channels of {input.shape}"
        )
    elements = channels // num_groups * math.prod(input.shape[2:])
    groups = reshape(input, (input.shape[0], num_groups, elements))
    out = reshape(_standardize(groups, axis=(2,), eps=eps)[0], input.shape)
    return _scaled("group_norm", out, weight, bias)


def _last_dims(operation: str, input: Any, normalized_shape: Any, **parameters: Any) -> tuple[int, ...]:
    """The last dimensions, which must have this shape, as the parameters must."""
    wanted = tuple(normalized_shape) if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    first = input.ndim - len(wanted)
    if not wanted or first < 0 or input.shape[first:] != wanted:
        raise ValueError(
            f"{operation}: expected input to have last sizes {wanted}, normalized_shape, got {input.shape}"
        )
    for name, value in parameters.items():
        if value is not None and shape(value) != wanted:
            raise ValueError(f"{operation}: expected {name} of shape {wanted}, normalized_shape, got {shape(value)}")
    return tuple(range(first, input.ndim))


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, with mean and variance over the last dimensions.

    A constant row gives `bias`, with gradient 0.

    Ba, Kiros and Hinton, "Layer normalization" (2016), eq. 4.

    Parameters
    ----------
    input : shape (*, *normalized_shape)
    normalized_shape : the sizes of the last dimensions, an int or several
    weight, bias : shape normalized_shape, optional

    Raises
    ------
    ValueError
        If a shape is not `normalized_shape`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.layer_norm(ag.tensor([[1.0, 3.0], [5.0, 5.0]]), 2)
    tensor([[-1.,  1.],
            [ 0.,  0.]])
    """
    input = floating(as_tensor(input))
    axis = _last_dims("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    out = _standardize(input, axis=axis, eps=eps)[0]
    if weight is not None and bias is not None:
        return _affine(out, weight, bias, axis=axis)
    if weight is not None:
        return out * weight
    return out if bias is None else out + bias


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """``x / sqrt(mean(x**2) + eps) * weight``, over the last dimensions.

    Zhang & Sennrich, "Root mean square layer normalization" (2019), eq. 4.

    Parameters
    ----------
    input : shape (*, *normalized_shape)
    normalized_shape : the sizes of the last dimensions, an int or several
    weight : shape normalized_shape, optional
    eps : the resolution of the dtype, if None

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.rms_norm(ag.tensor([1.0, -1.0, 7.0]), 3)
    tensor([ 0.2425, -0.2425,  1.6977])
    """
    input = floating(as_tensor(input))
    axis = _last_dims("rms_norm", input, normalized_shape, weight=weight)
    if eps is None:
        eps = float(np.finfo(input.dtype).eps)
    out = input * (_mean(input * input, axis, keepdim=True) + eps) ** -0.5
    return out if weight is None else out * weight


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """``x / (k + alpha * mean of x**2 over `size` neighbouring channels)**beta``; beyond the ends are zeros.

    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks" (2012),
    section 3.3, with the mean in place of the sum, as in PyTorch.

    Parameters
    ----------
    input : shape (N, C, *)

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.local_response_norm(ag.ones(1, 3, 1), 3, alpha=3.0, beta=1.0).flatten()
    tensor([0.3333, 0.25  , 0.3333])
    """
    input = floating(as_tensor(input))
    channels = _channels_of("local_response_norm", input, 3)
    squares = reshape(input * input, (input.shape[0], channels, math.prod(input.shape[2:])))
    total = _window_sum(
        squares,
        kernel=(size, 1),
        stride=(1, 1),
        padding=((size // 2, (size - 1) // 2), (0, 0)),
        dilation=(1, 1),
    )
    return input / (reshape(total, input.shape) * (alpha / size) + k) ** beta


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    """``input / max(norm(input, p), eps)`` over `dim`: vectors of length 1; the zero vector stays zero.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.normalize(ag.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6, 0.8],
            [0. , 0. ]])
    """
    input = floating(as_tensor(input))
    return input / clamp_min(norm(input, p, dim, keepdim=True), eps)
