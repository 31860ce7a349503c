"""The functions behind the linear layers."""

from __future__ import annotations

from typing import Any

from autograd_core import as_tensor, matmul, permute, reshape, unsqueeze
from autograd_core.ops.linalg import _linear

from .. import checks

__all__ = ["bilinear", "linear"]


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """``input @ weight.T + bias``.

    Parameters
    ----------
    input : shape (..., in_features)
    weight : shape (out_features, in_features)
    bias : shape (out_features,), optional

    Returns
    -------
    Tensor, shape (..., out_features)

    Raises
    ------
    ValueError
        If the sizes do not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.linear(ag.tensor([1.0, 2.0]), ag.tensor([[3.0, 4.0]]), ag.tensor([5.0]))
    tensor([16.])
    """
    input, weight = as_tensor(input), as_tensor(weight)
    checks.linear_shapes(input, weight, bias)
    return matmul(input, weight.T) if bias is None else _linear(input, weight, bias)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """``out[..., k] = sum(input1[..., i] * weight[k, i, j] * input2[..., j]) + bias[k]`` over i and j.

    Parameters
    ----------
    input1 : shape (..., in1_features)
    input2 : shape (..., in2_features), the other sizes as those of `input1`
    weight : shape (out_features, in1_features, in2_features)
    bias : shape (out_features,), optional

    Returns
    -------
    Tensor, shape (..., out_features)

    Raises
    ------
    ValueError
        If the sizes do not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.bilinear(ag.tensor([1.0, 2.0]), ag.tensor([3.0]), ag.tensor([[[1.0], [10.0]]]))
    tensor([63.])
    """
    input1, input2, weight = as_tensor(input1), as_tensor(input2), as_tensor(weight)
    fits = weight.ndim == 3 and min(input1.ndim, input2.ndim) > 0 and input1.shape[:-1] == input2.shape[:-1]
    if not fits or (input1.shape[-1], input2.shape[-1]) != weight.shape[1:]:
        raise ValueError(
            f"bilinear: expected inputs (..., I) and (..., J) and a weight (O, I, J), got {input1.shape}, "
            f"{input2.shape} and {weight.shape}"
        )
    out, first, second = weight.shape
    matrix = reshape(permute(weight, (1, 0, 2)), (first, out * second))
    product = reshape(matmul(input1, matrix), (*input1.shape[:-1], out, second))
    total = (product * unsqueeze(input2, -2)).sum(-1)
    return total if bias is None else total + as_tensor(bias)
