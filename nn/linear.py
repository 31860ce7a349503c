"""The fully connected layer, the bilinear one, and the layer that does nothing."""

from __future__ import annotations

import math
import operator
from typing import Any

from autograd_core import empty

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Bilinear", "Identity", "Linear"]


class Identity(Module):
    """Gives its input; stands where a module is expected.  Arguments are ignored.

    Examples
    --------
    >>> from autograd_core import nn
    >>> nn.Identity()(5)
    5
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    """``input @ weight.T + bias``: every output is a weighted sum of all inputs.

    Weight and bias start uniform in ±1/√in_features, as PyTorch's.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the last dimension of input and output.
    bias : bool
        Whether there is a bias.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None

    Raises
    ------
    ValueError
        If a size is negative, or the input's last dimension is not `in_features`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> layer = nn.Linear(3, 2)
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    >>> layer(ag.ones(5, 3)).shape
    (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *, dtype: Any = None) -> None:
        super().__init__()
        self.in_features, self.out_features = operator.index(in_features), operator.index(out_features)
        if self.in_features < 0 or self.out_features < 0:
            raise ValueError(f"Linear: expected sizes of at least 0, got {in_features} and {out_features}")
        self.weight = Parameter(empty(self.out_features, self.in_features, dtype=dtype))
        self.bias = Parameter(empty(self.out_features, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(max(self.in_features, 1))
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input: Any) -> Any:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """``out[k] = sum(input1[i] * weight[k, i, j] * input2[j]) + bias[k]`` over i and j.

    Weight and bias start uniform in ±1/√in1_features, as PyTorch's.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
        Sizes of the last dimension of the two inputs and of the output.
    bias : bool
        Whether there is a bias.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in1_features, in2_features)
    bias : Parameter, shape (out_features,), or None

    Shape: inputs (*, in1_features) and (*, in2_features), output (*, out_features).

    Raises
    ------
    ValueError
        If `in1_features` is below 1 or another size below 0, or the inputs do not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> layer = nn.Bilinear(3, 4, 2)
    >>> layer
    Bilinear(in1_features=3, in2_features=4, out_features=2, bias=True)
    >>> layer(ag.ones(5, 3), ag.ones(5, 4)).shape
    (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, *, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in1_features, self.in2_features = operator.index(in1_features), operator.index(in2_features)
        self.out_features = operator.index(out_features)
        if self.in1_features < 1 or min(self.in2_features, self.out_features) < 0:
            raise ValueError(
                f"Bilinear: expected in1_features of at least 1 and other sizes of at least 0, got {in1_features}, "
                f"{in2_features} and {out_features}"
            )
        self.weight = Parameter(empty(self.out_features, self.in1_features, self.in2_features, dtype=dtype))
        self.bias = Parameter(empty(self.out_features, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
