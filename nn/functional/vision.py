"""Images in another resolution, or with pixels and channels exchanged."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import as_tensor, from_numpy, getitem, permute, reshape
from autograd_core.ops.casting import floating

from .adaptive_pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .arguments import sizes

__all__ = ["channel_shuffle", "interpolate", "pixel_shuffle", "pixel_unshuffle"]


# Pixels and channels


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """(*, C r r, H, W) as (*, C, H r, W r): channels become the pixels of an image r times as large.

    Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
    network" (2016), eq. 4.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.pixel_shuffle(ag.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    input, r = as_tensor(input), upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ValueError(
            f"pixel_shuffle: expected input of shape (*, C * {r} * {r}, H, W) for upscale_factor {r}, got {input.shape}"
        )
    *lead, channels, height, width = input.shape
    n, c = len(lead), channels // (r * r)
    apart = reshape(input, (*lead, c, r, r, height, width))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return reshape(permute(apart, order), (*lead, c, height * r, width * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """(*, C, H r, W r) as (*, C r r, H, W): undoes :func:`pixel_shuffle`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.pixel_unshuffle(ag.arange(4.0).reshape(1, 2, 2), 2).flatten()
    tensor([0., 1., 2., 3.])
    """
    input, r = as_tensor(input), downscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-2] % r or input.shape[-1] % r:
        raise ValueError(
            f"pixel_unshuffle: expected input of shape (*, C, H * {r}, W * {r}) for downscale_factor {r}, "
            f"got {input.shape}"
        )
    *lead, c, height, width = input.shape
    n = len(lead)
    apart = reshape(input, (*lead, c, height // r, r, width // r, r))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return reshape(permute(apart, order), (*lead, c * r * r, height // r, width // r))


def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels of (N, C, *) dealt out anew: the first of every group, then the second, and so on.

    Zhang et al., "ShuffleNet" (2017), section 3.1.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.channel_shuffle(ag.arange(4.0).reshape(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    input = as_tensor(input)
    if input.ndim < 3 or groups < 1 or input.shape[1] % groups:
        raise ValueError(
            f"channel_shuffle: expected input (N, C, *) with C a multiple of groups={groups}, got {input.shape}"
        )
    n, c, *rest = input.shape
    return reshape(reshape(input, (n, groups, c // groups, *rest)).transpose(1, 2), input.shape)


# Interpolation: along one dimension after the other, each output a weighted sum of a few neighbours


def _nearest(size: int, count: int, scale: float, center: float) -> np.ndarray:
    """The element under each output.  In float32, as PyTorch: on an edge between two it is rounding that decides."""
    positions = (np.arange(count, dtype=np.float32) + np.float32(center)) * np.float32(scale)
    return np.minimum(positions.astype(np.int64), size - 1)


def _positions(size: int, count: int, scale: float, align_corners: bool) -> np.ndarray:
    """Where the outputs are among the elements."""
    if align_corners:
        return np.arange(count) * ((size - 1) / (count - 1) if count > 1 else 0.0)
    return (np.arange(count) + 0.5) * scale - 0.5


def _linear(size: int, count: int, scale: float, align_corners: bool) -> tuple[np.ndarray, np.ndarray]:
    """The two neighbours of each output, and their weights; shapes (2, count)."""
    at = np.clip(_positions(size, count, scale, align_corners), 0, size - 1)
    first = np.minimum(at.astype(np.int64), size - 1)
    part = at - first
    return np.stack([first, np.minimum(first + 1, size - 1)]), np.stack([1 - part, part])


def _cubic(size: int, count: int, scale: float, align_corners: bool) -> tuple[np.ndarray, np.ndarray]:
    """The four neighbours of each output, and their weights; shapes (4, count).

    Keys, "Cubic convolution interpolation for digital image processing" (1981), with the parameter -0.75.
    """
    at = _positions(size, count, scale, align_corners)
    first = np.floor(at)
    away = np.abs(at - first - np.arange(-1, 3)[:, None])
    a = -0.75
    near = ((a + 2) * away - (a + 3)) * away * away + 1
    far = ((away - 5) * away + 8) * away * a - 4 * a
    return np.clip(first.astype(np.int64) + np.arange(-1, 3)[:, None], 0, size - 1), np.where(away <= 1, near, far)


_WEIGHTED = {"linear": (1, _linear), "bilinear": (2, _linear), "trilinear": (3, _linear), "bicubic": (2, _cubic)}
_AREA = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)


def _target(
    given: tuple[int, ...], size: Any, scale_factor: Any, recompute: bool | None
) -> tuple[tuple[int, ...], list[float]]:
    """The sizes wanted, and for each dimension how many elements an output stands for."""
    n = len(given)
    if (size is None) == (scale_factor is None):
        raise ValueError(f"interpolate: expected either size or scale_factor, got {size} and {scale_factor}")
    if size is not None:
        if recompute:
            raise ValueError("interpolate: recompute_scale_factor has no meaning with size; leave it out")
        wanted = sizes("interpolate", "size", size, n, 1)
        return wanted, [m / w for m, w in zip(given, wanted, strict=True)]
    factors = list(scale_factor) if isinstance(scale_factor, Sequence) else [scale_factor] * n
    if len(factors) != n or min(factors) <= 0:
        raise ValueError(f"interpolate: expected scale_factor to be 1 or {n} positive numbers, got {scale_factor}")
    wanted = tuple(math.floor(m * f) for m, f in zip(given, factors, strict=True))
    if min(wanted) < 1:
        raise ValueError(f"interpolate: scale_factor {scale_factor} leaves nothing of sizes {given}")
    if recompute:
        return wanted, [m / w for m, w in zip(given, wanted, strict=True)]
    return wanted, [1 / f for f in factors]


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Any:
    """An image in another resolution.

    Parameters
    ----------
    input : shape (N, C, *sizes), with 1 to 3 sizes
    size : the sizes wanted, one number or one for each; or
    scale_factor : how many times as large, one number or one for each
    mode : "nearest" (the element whose share the output's start falls on), "nearest-exact" (its middle), "linear" (1
        size), "bilinear" (2), "trilinear" (3), "bicubic" (2), or "area" (the mean, as :func:`adaptive_avg_pool2d`)
    align_corners : whether first and last elements are points that stay where they are, rather than areas
    recompute_scale_factor : take the ratio of the sizes in place of `scale_factor`, once it has given them

    Raises
    ------
    ValueError
        If mode and shape do not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.interpolate(ag.tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear")
    tensor([[[1. , 1.5, 2.5, 3. ]]])
    """
    input = as_tensor(input)
    n = input.ndim - 2
    if not 1 <= n <= 3 or 0 in input.shape[1:]:
        raise ValueError(f"interpolate: expected input of shape (N, C, *) with 1 to 3 sizes, got {input.shape}")
    given = input.shape[2:]
    wanted, scales = _target(given, size, scale_factor, recompute_scale_factor)
    if mode in ("nearest", "nearest-exact", "area") and align_corners is not None:
        raise ValueError(f"interpolate: align_corners has no meaning with mode {mode!r}; leave it out")
    if mode == "area":
        return _AREA[n - 1](input, wanted)
    if mode in ("nearest", "nearest-exact"):
        center = 0.0 if mode == "nearest" else 0.5
        for axis, (m, count, scale) in enumerate(zip(given, wanted, scales, strict=True), 2):
            input = getitem(input, (*(slice(None),) * axis, _nearest(m, count, scale, center)))
        return input
    if mode not in _WEIGHTED or _WEIGHTED[mode][0] != n:
        raise ValueError(f"interpolate: mode {mode!r} does not exist, or not for {n} sizes, as in {input.shape}")
    input = floating(input)
    for axis, (m, count, scale) in enumerate(zip(given, wanted, scales, strict=True), 2):
        places, weights = _WEIGHTED[mode][1](m, count, scale, bool(align_corners))
        along = (-1,) + (1,) * (n + 1 - axis)
        terms = [
            getitem(input, (*(slice(None),) * axis, place)) * from_numpy(weight.astype(input.dtype).reshape(along))
            for place, weight in zip(places, weights, strict=True)
        ]
        input = functools.reduce(operator.add, terms)
    return input
