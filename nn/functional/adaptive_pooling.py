"""Pooling to a given size.

The windows divide the input and differ by at most one element; or, for fractional pooling, are alike and start at
random.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import (
    Tensor,
    arange,
    as_tensor,
    floor,
    from_numpy,
    gather,
    getitem,
    rand,
    reshape,
    squeeze,
    unsqueeze,
    where,
)
from autograd_core.ops.casting import floating

from .arguments import batched, sizes
from .pooling import avg_pooled, max_pooled

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "fractional_max_pool2d",
    "fractional_max_pool3d",
]


def _adaptive(operation: str, n: int, input: Any, output_size: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """The input, its last sizes and those wanted, where None keeps a size."""
    input, alone = batched(operation, floating(as_tensor(input)), n)
    wanted = list(output_size) if isinstance(output_size, Sequence) else [output_size] * n
    if len(wanted) == 1:
        wanted *= n
    given = input.shape[2:]
    if len(wanted) != n or 0 in given:
        raise ValueError(
            f"{operation}: expected output_size to be 1 or {n} integers and no empty dimension, got {output_size!r} "
            f"for input of shape {input.shape}"
        )
    wanted = [m if size is None else size for size, m in zip(wanted, given, strict=True)]
    return (reshape(input, input.shape[1:]) if alone else input), given, sizes(operation, "output_size", wanted, n)


def _even(given: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...] | None:
    """The size of the windows, if they are all alike."""
    if any(w == 0 or m % w for m, w in zip(given, wanted, strict=True)):
        return None
    return tuple(m // w for m, w in zip(given, wanted, strict=True))


def _places(size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The elements of the window of each output along a dimension, and which of them count: windows differ in size."""
    start = np.arange(count) * size // max(count, 1)
    length = -(-(np.arange(count) + 1) * size // max(count, 1)) - start
    within = np.arange(length.max(initial=1))
    return np.minimum(start[:, None] + within, size - 1), within < length[:, None]


def _adaptive_avg_pooled(operation: str, n: int, input: Any, output_size: Any) -> Any:
    input, given, wanted = _adaptive(operation, n, input, output_size)
    if set(wanted) == {1}:
        return input.mean(tuple(range(-n, 0)), keepdim=True)
    kernel = _even(given, wanted)
    if kernel is not None:
        return avg_pooled(operation, n, input, kernel, None, 0, False, True, None)
    for i, (size, count) in enumerate(zip(given, wanted, strict=True)):
        axis = input.ndim - n + i
        places, counted = _places(size, count)
        rest = (1,) * (n - 1 - i)
        windows = getitem(input, (*(slice(None),) * axis, places))
        windows = where(counted.reshape(*counted.shape, *rest), windows, 0.0)
        lengths = counted.sum(1).reshape(-1, *rest).astype(input.dtype)
        input = windows.sum(axis + 1) / from_numpy(lengths)
    return input


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The means of windows that divide one dimension into `output_size`; see :func:`adaptive_avg_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_avg_pool1d(ag.tensor([[1.0, 2.0, 3.0]]), 2)
    tensor([[1.5, 2.5]])
    """
    return _adaptive_avg_pooled("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of windows that divide an image into a given number of rows and columns.

    Window i of m along a dimension of size n goes from ``floor(i n / m)`` to ``ceil((i + 1) n / m)``.

    Parameters
    ----------
    input : shape (N, C, height, width) or (C, height, width)
    output_size : one number or one for each dimension; None keeps the size

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_avg_pool2d(ag.arange(6.0).reshape(1, 2, 3), 1)
    tensor([[[2.5]]])
    """
    return _adaptive_avg_pooled("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The means of windows that divide a volume into a given number of parts; see :func:`adaptive_avg_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_avg_pool3d(ag.ones(1, 3, 4, 5), (2, None, 1)).shape
    (1, 2, 4, 1)
    """
    return _adaptive_avg_pooled("adaptive_avg_pool3d", 3, input, output_size)


def _adaptive_max_pooled(operation: str, n: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    input, given, wanted = _adaptive(operation, n, input, output_size)
    kernel = _even(given, wanted)
    if kernel is not None:
        return max_pooled(operation, n, input, kernel, None, 0, 1, False, return_indices)
    places: Any = 0
    counted: Any = True
    for i, (size, count) in enumerate(zip(given, wanted, strict=True)):
        along, counts = _places(size, count)
        grid = [1] * 2 * n  # the outputs, then the elements of a window
        grid[i], grid[n + i] = along.shape
        places, counted = places * size + along.reshape(grid), counted & counts.reshape(grid)
    places, counted = places.reshape(*wanted, -1), counted.reshape(*wanted, -1)
    flat = reshape(input, (*input.shape[:-n], math.prod(given)))
    found = where(counted, getitem(flat, (Ellipsis, places)), -np.inf).max(-1)
    if not return_indices:
        return found.values
    which = np.broadcast_to(places, (*found.indices.shape, places.shape[-1]))
    return found.values, squeeze(gather(from_numpy(which), -1, unsqueeze(found.indices, -1)), -1)


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that divide one dimension into `output_size`; see :func:`adaptive_max_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool1d(ag.tensor([[1.0, 2.0, 3.0]]), 2)
    tensor([[2., 3.]])
    """
    return _adaptive_max_pooled("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of the windows of :func:`adaptive_avg_pool2d`; the first of equal ones gets the gradient.

    Parameters
    ----------
    input : shape (N, C, height, width) or (C, height, width)
    output_size : one number or one for each dimension; None keeps the size
    return_indices : give also where in the flattened (height, width) the elements are

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool2d(ag.arange(6.0).reshape(1, 2, 3), (1, 2), return_indices=True)
    (tensor([[[4., 5.]]]), tensor([[[4, 5]]]))
    """
    return _adaptive_max_pooled("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that divide a volume; see :func:`adaptive_max_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.adaptive_max_pool3d(ag.ones(1, 3, 4, 5), (2, None, 1)).shape
    (1, 2, 4, 1)
    """
    return _adaptive_max_pooled("adaptive_max_pool3d", 3, input, output_size, return_indices)


# Fractional pooling


def fractions(operation: str, n: int, kernel_size: Any, output_size: Any, output_ratio: Any) -> tuple[Any, Any, Any]:
    """The options of fractional pooling, as one number for each of `n` dimensions; of the last two, one is None."""
    kernel = sizes(operation, "kernel_size", kernel_size, n, 1)
    if (output_size is None) == (output_ratio is None):
        raise ValueError(f"{operation}: expected output_size or output_ratio, got {output_size} and {output_ratio}")
    if output_size is not None:
        return kernel, sizes(operation, "output_size", output_size, n, 1), None
    ratio = tuple(output_ratio) if isinstance(output_ratio, Sequence) else (output_ratio,) * n
    if len(ratio) != n or not all(0 < r < 1 for r in ratio):
        raise ValueError(f"{operation}: expected output_ratio to be 1 or {n} numbers in (0, 1), got {output_ratio}")
    return kernel, None, ratio


def _starts(size: int, count: int, kernel: int, sample: Any) -> Any:
    """Where the windows along a dimension start: steps of two neighbouring sizes, as one random number has it.

    Graham, "Fractional max-pooling" (2014), section 2.3; the last window ends with the dimension.
    """
    kind = sample.dtype.type
    step = kind(size - kernel) / kind(max(count - 1, 1))
    number: Any = arange(count, dtype=sample.dtype)
    return where(number == count - 1, size - kernel, (floor((number + sample) * step) - floor(sample * step)).long())


def _fractional_max_pooled(
    operation: str,
    n: int,
    input: Any,
    kernel_size: Any,
    output_size: Any,
    output_ratio: Any,
    return_indices: bool,
    random_samples: Any,
) -> Any:
    input, alone = batched(operation, floating(as_tensor(input)), n)
    kernel, wanted, ratio = fractions(operation, n, kernel_size, output_size, output_ratio)
    lead, given = input.shape[:2], input.shape[2:]
    if wanted is None:
        wanted = tuple(int(m * r) for m, r in zip(given, ratio, strict=True))
    if min(wanted) < 1 or any(w + k - 1 > m for w, k, m in zip(wanted, kernel, given, strict=True)):
        raise ValueError(f"{operation}: {wanted} windows of {kernel} do not fit into input of shape {input.shape}")
    samples = _samples(operation, random_samples, (*lead, n), input.dtype)
    # One random number for each dimension: for images that of the width comes first, as in PyTorch.
    order = range(n) if n == 3 else reversed(range(n))
    places: Any = 0
    for i, column in enumerate(order):
        starts = _starts(given[i], wanted[i], kernel[i], samples[..., column : column + 1])
        grid = [1] * 2 * n  # the outputs, then the elements of a window
        grid[i], within = wanted[i], [1] * n
        within[i] = kernel[i]
        places = places * given[i] + (reshape(starts, (*lead, *grid)) + reshape(arange(kernel[i]), within))
    count, elements = math.prod(wanted), math.prod(kernel)
    listed = gather(reshape(input, (*lead, math.prod(given))), -1, reshape(places, (*lead, count * elements)))
    found = reshape(listed, (*lead, count, elements)).max(-1)
    shape = (*lead[1 if alone else 0 :], *wanted)
    out = reshape(found.values, shape)
    if not return_indices:
        return out
    places = reshape(places, (*lead, count, elements))
    return out, reshape(gather(places, -1, unsqueeze(found.indices, -1)), shape)


def _samples(operation: str, given: Any, shape: tuple[int, ...], dtype: Any) -> Tensor:
    """Random numbers of a shape; those given may be for a larger batch."""
    if given is None:
        return rand(shape, dtype=dtype)
    found = as_tensor(given)
    if found.ndim != 3 or found.shape[0] < shape[0] or found.shape[1:] != shape[1:]:
        raise ValueError(f"{operation}: expected _random_samples of shape {shape}, got {found.shape}")
    first: Tensor = found[: shape[0]]
    return first


def fractional_max_pool2d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """The largest elements of windows of an image that start at random, and are as many as one wants.

    Graham, "Fractional max-pooling" (2014).

    Parameters
    ----------
    input : shape (N, C, height, width) or (C, height, width)
    kernel_size : of the windows, which may overlap: one number or one for each dimension
    output_size : how many windows there are, one number or one for each dimension
    output_ratio : instead, how many there are for an element of the input: between 0 and 1
    return_indices : give also where in the flattened (height, width) the elements are
    _random_samples : shape (N, C, 2), numbers in [0, 1) that decide where windows start; drawn anew if not given

    Returns
    -------
    Tensor, shape (N, C, *output_size), without N if the input has none; or a pair of it and an int64 tensor

    Raises
    ------
    ValueError
        If the windows do not fit, or both or neither of size and ratio are given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> x = ag.arange(25.0).reshape(1, 5, 5)
    >>> nn.functional.fractional_max_pool2d(x, 2, output_size=3, _random_samples=ag.zeros(1, 1, 2))
    tensor([[[ 6.,  7.,  9.],
             [11., 12., 14.],
             [21., 22., 24.]]])
    """
    return _fractional_max_pooled(
        "fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )  # fmt: skip


def fractional_max_pool3d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """The largest elements of windows of a volume that start at random; see :func:`fractional_max_pool2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.fractional_max_pool3d(ag.ones(1, 6, 6, 6), 2, output_ratio=0.5).shape
    (1, 3, 3, 3)
    """
    return _fractional_max_pooled(
        "fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )  # fmt: skip
