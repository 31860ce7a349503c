"""Convolutions, and the transposed ones that undo their change of size."""

from __future__ import annotations

from typing import Any

from autograd_core import Tensor, as_tensor, reshape, squeeze
from autograd_core.ops.convolution import _conv, _conv_input

from .arguments import batched, sizes

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]


def _operands(operation: str, n: int, input: Any, weight: Any, channels: int, groups: int) -> tuple[Tensor, Any, bool]:
    """Input with a batch, and weight, as tensors that fit; and whether the batch was added."""
    input, alone = batched(operation, as_tensor(input), n)
    weight = as_tensor(weight)
    if weight.ndim != n + 2:
        raise ValueError(f"{operation}: expected a weight of {n + 2} dimensions, got shape {weight.shape}")
    if groups < 1 or weight.shape[0] % groups:
        raise ValueError(f"{operation}: groups={groups} does not divide the {weight.shape[0]} of weight {weight.shape}")
    expected = weight.shape[channels] * (groups if channels else 1)
    if input.shape[1] != expected:
        raise ValueError(
            f"{operation}: expected input of {expected} channels for a weight of shape {weight.shape} and "
            f"groups={groups}, got shape {input.shape}; the channels come before the last {n} dimensions"
        )
    return input, weight, alone


def _finished(operation: str, out: Any, bias: Any, n: int, alone: bool) -> Any:
    """With the bias, and without the batch dimension if it was added."""
    if bias is not None:
        bias = as_tensor(bias)
        if bias.shape != out.shape[1:2]:
            raise ValueError(f"{operation}: expected a bias of shape {out.shape[1:2]}, got {bias.shape}")
        out = out + reshape(bias, (-1,) + (1,) * n)
    return squeeze(out, 0) if alone else out


def padding_pairs(
    operation: str, n: int, padding: Any, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """What goes before and after each of `n` dimensions.

    Raises
    ------
    ValueError
        If the padding is neither numbers nor "same" or "valid", or is "same" with a stride.
    """
    if padding == "same":
        if max(stride) > 1:
            raise ValueError(f"{operation}: padding='same' needs stride 1, got {stride}; give the padding as numbers")
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return tuple((t // 2, t - t // 2) for t in total)
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f"{operation}: expected padding to be integers, 'same' or 'valid', got {padding!r}")
    return tuple((p, p) for p in sizes(operation, "padding", 0 if padding == "valid" else padding, n))


def _convolved(
    operation: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    input, weight, alone = _operands(operation, n, input, weight, 1, groups)
    kernel = weight.shape[2:]
    stride, dilation = sizes(operation, "stride", stride, n, 1), sizes(operation, "dilation", dilation, n, 1)
    pairs = padding_pairs(operation, n, padding, kernel, stride, dilation)
    for size, k, d, pair in zip(input.shape[2:], kernel, dilation, pairs, strict=True):
        if size + sum(pair) < d * (k - 1) + 1:
            raise ValueError(
                f"{operation}: the kernel {kernel} with dilation {dilation} does not fit into input of shape "
                f"{input.shape} padded by {pairs}"
            )
    out = _conv(input, weight, stride=stride, padding=pairs, dilation=dilation, groups=groups)
    return _finished(operation, out, bias, n, alone)


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """The cross-correlation along one dimension; see :func:`conv2d`, whose arguments it shares.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.conv1d(ag.tensor([[1.0, 2.0, 4.0, 8.0]]), ag.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2., 4.]])
    """
    return _convolved("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """The cross-correlation of images with a kernel, which networks call convolution: the kernel is not flipped.

    ``out[n, o, y, x] = bias[o] + sum(weight[o, c, i, j] * input[n, c, s y + d i - p, s x + d j - p])`` over c, i and j
    (Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016).

    Parameters
    ----------
    input : shape (N, C, height, width) or (C, height, width)
    weight : shape (O, C / groups, kernel height, kernel width)
    bias : shape (O,), optional
    stride : s, one number or one for each dimension
    padding : p, zeros on both sides: one number or one for each dimension, "valid" (none), or "same" (the output has
        the size of the input; only with stride 1)
    dilation : d, the distance between neighbouring elements of the kernel
    groups : the channels fall into so many groups, each with its own part of the outputs

    Returns
    -------
    Tensor, shape (N, O, *sizes) or (O, *sizes), with sizes ``(n + 2 p - d (k - 1) - 1) // s + 1``

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> laplacian = ag.tensor([[[[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]]])
    >>> x = ag.arange(5.0) ** 2 * ag.ones(5, 1)
    >>> nn.functional.conv2d(x[None], laplacian)
    tensor([[[2., 2., 2.],
             [2., 2., 2.],
             [2., 2., 2.]]])
    """
    return _convolved("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """The cross-correlation of volumes (N, C, depth, height, width); see :func:`conv2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.conv3d(ag.ones(1, 3, 3, 3), ag.ones(2, 1, 2, 2, 2)).shape
    (2, 2, 2, 2)
    """
    return _convolved("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def added(
    operation: str, n: int, output_padding: Any, stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[int, ...]:
    """What a transposed convolution adds at the end of each of `n` dimensions.

    Raises
    ------
    ValueError
        If it is neither smaller than the stride nor than the dilation.
    """
    extra = sizes(operation, "output_padding", output_padding, n)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ValueError(
            f"{operation}: output_padding {extra} must be smaller than stride {stride} or dilation {dilation}"
        )
    return extra


def _transposed(
    operation: str,
    n: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    input, weight, alone = _operands(operation, n, input, weight, 0, groups)
    kernel = weight.shape[2:]
    stride, dilation = sizes(operation, "stride", stride, n, 1), sizes(operation, "dilation", dilation, n, 1)
    padding, extra = sizes(operation, "padding", padding, n), added(operation, n, output_padding, stride, dilation)
    # What the kernel covers, without the padding; beyond it are zeros.
    whole = [
        (m - 1) * s + d * (k - 1) + 1 for m, s, d, k in zip(input.shape[2:], stride, dilation, kernel, strict=True)
    ]
    pairs = tuple((p, p - e) for p, e in zip(padding, extra, strict=True))
    counts = tuple(w - sum(pair) for w, pair in zip(whole, pairs, strict=True))
    if min(counts) < 1:
        raise ValueError(f"{operation}: input of shape {input.shape} would give an output of sizes {counts}")
    out = _conv_input(input, weight, sizes=counts, stride=stride, padding=pairs, dilation=dilation, groups=groups)
    return _finished(operation, out, bias, n, alone)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transposed convolution along one dimension; see :func:`conv_transpose2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.conv_transpose1d(ag.tensor([[1.0, 2.0]]), ag.tensor([[[1.0, 10.0]]]), stride=2)
    tensor([[ 1., 10.,  2., 20.]])
    """
    return _transposed(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )  # fmt: skip


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The gradient of :func:`conv2d` by its input, as an operation: every input element lays down a scaled kernel.

    Parameters
    ----------
    input : shape (N, C, height, width) or (C, height, width)
    weight : shape (C, O / groups, kernel height, kernel width)
    bias : shape (O,), optional
    stride, padding, dilation, groups : those of the convolution whose change of size this undoes
    output_padding : rows and columns added at the end, smaller than `stride` or `dilation`

    Returns
    -------
    Tensor, shape (N, O, *sizes) or (O, *sizes), with sizes ``(n - 1) s - 2 p + d (k - 1) + output_padding + 1``

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.conv_transpose2d(ag.ones(1, 2, 2), ag.ones(1, 1, 2, 2))
    tensor([[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]])
    """
    return _transposed(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )  # fmt: skip


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transposed convolution of volumes (N, C, depth, height, width); see :func:`conv_transpose2d`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.conv_transpose3d(ag.ones(1, 2, 2, 2), ag.ones(1, 3, 2, 2, 2), stride=2).shape
    (3, 4, 4, 4)
    """
    return _transposed(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )  # fmt: skip
