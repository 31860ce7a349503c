"""Activations that let the input through a gate between 0 and 1, steered by the input itself."""

from __future__ import annotations

import math
from typing import Any

from autograd_core import as_tensor, chunk, clamp, sigmoid, tanh
from autograd_core.ops.special import _gated, _ndtr

from .. import checks
from .activation import hardsigmoid, softplus

__all__ = ["gelu", "glu", "hardswish", "mish", "silu", "swish"]


def steering(input: Any) -> Any:
    """The input within bounds where every gate here has long reached 0 or 1: an infinity steers with slope 0."""
    return clamp(input, -1000.0, 1000.0)


def silu(input: Any) -> Any:
    """``input * sigmoid(input)``, :func:`swish` with beta 1; 0 with slope 0 at -inf, inf with slope 1 at inf.

    Hendrycks & Gimpel, "Gaussian error linear units" (2016).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.silu(ag.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.    ,  0.7311])
    """
    input = as_tensor(input)
    return _gated(input, sigmoid(input))


def swish(input: Any, beta: Any = 1.0) -> Any:
    """``input * sigmoid(beta * input)``; `beta` may be learned.

    Ramachandran et al., "Searching for activation functions" (2017).

    Parameters
    ----------
    beta : number or tensor that broadcasts with the input
        0 gives half the input; the larger, the closer to a ReLU.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.swish(ag.tensor([-1.0, 0.0, 1.0]), 2.0)
    tensor([-0.1192,  0.    ,  0.8808])
    """
    input = as_tensor(input)
    return _gated(input, sigmoid(steering(beta * input)))


def gelu(input: Any, approximate: str = "none") -> Any:
    """``input * P(Z <= input)`` for Z of the standard normal distribution; 0 with slope 0 at -inf, inf with 1 at inf.

    Hendrycks & Gimpel, "Gaussian error linear units" (2016), section 2.

    Parameters
    ----------
    approximate : "none", by the error function; or "tanh": ``0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x**3)))``

    Raises
    ------
    ValueError
        If `approximate` is neither.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.gelu(ag.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.    ,  0.8413])
    """
    checks.choice("gelu", "approximate", approximate, "none", "tanh")
    input = as_tensor(input)
    if approximate == "none":
        return _gated(input, _ndtr(input))
    x = steering(input)  # 0.5 (1 + tanh(z)) = sigmoid(2 z)
    return _gated(input, sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def mish(input: Any) -> Any:
    """``input * tanh(softplus(input))``; 0 with slope 0 at -inf, inf with slope 1 at inf.

    Misra, "Mish: a self regularized non-monotonic activation function" (2019), eq. 1.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.mish(ag.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.    ,  0.8651])
    """
    input = as_tensor(input)
    return _gated(input, tanh(softplus(input)))


def hardswish(input: Any) -> Any:
    """``input * hardsigmoid(input)``: 0 up to -3, the input from 3 on; the slopes at the corners are 0 and 1.

    Howard et al., "Searching for MobileNetV3" (2019), section 5.2.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.hardswish(ag.tensor([-3.0, -1.0, 1.0, 3.0]))
    tensor([-0.    , -0.3333,  0.6667,  3.    ])
    """
    input = as_tensor(input)
    return _gated(input, hardsigmoid(input))


def glu(input: Any, dim: int = -1) -> Any:
    """``a * sigmoid(b)``, where `a` and `b` are the two halves of the input along `dim`.

    Dauphin et al., "Language modeling with gated convolutional networks" (2016), eq. 1.

    Raises
    ------
    ValueError
        If the size along `dim` is odd.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.glu(ag.tensor([3.0, 4.0, 0.0, 100.0]))
    tensor([1.5, 4. ])
    """
    input = as_tensor(input)
    dim = checks.divisible("glu", input, dim, 2)
    through, steering = chunk(input, 2, dim)
    return through * sigmoid(steering)
