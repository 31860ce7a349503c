"""The functions behind the linear layers."""

from __future__ import annotations

from typing import Any

from autograd_core import as_tensor, matmul

from .. import checks

__all__ = ["linear"]


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
    product = matmul(input, weight.T)
    return product if bias is None else product + bias
