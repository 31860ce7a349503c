"""Activations."""

from __future__ import annotations

from typing import Any

from autograd_core import as_tensor, exp, expm1, isinf, log1p, log_softmax, relu, sigmoid, softmax, tanh, where

__all__ = ["elu", "leaky_relu", "log_softmax", "relu", "sigmoid", "silu", "softmax", "softplus", "tanh"]


def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """The input where it is positive, `negative_slope` times it elsewhere; the slope at 0 is `negative_slope`.

    Maas et al., "Rectifier nonlinearities improve neural network acoustic models" (2013).

    >>> import autograd_core as ag
    >>> from autograd_core import as_tensor, exp, expm1, isinf, log1p, log_softmax, relu, sigmoid, softmax, tanh, where
    >>> nn.functional.leaky_relu(ag.tensor([-2.0, 3.0]), 0.1)
    tensor([-0.2,  3. ])
    """
    input = as_tensor(input)
    return where(input > 0, input, negative_slope * input)


def elu(input: Any, alpha: float = 1.0) -> Any:
    """The input where it is positive, ``alpha (exp(input) - 1)`` elsewhere; the slope at 0 is `alpha`.

    Clevert et al., "Fast and accurate deep network learning by exponential linear units" (2015), eq. 15.

    >>> import autograd_core as ag
    >>> from autograd_core import as_tensor, exp, expm1, isinf, log1p, log_softmax, relu, sigmoid, softmax, tanh, where
    >>> nn.functional.elu(ag.tensor([-1.0, 3.0]))
    tensor([-0.6321,  3.    ])
    """
    input = as_tensor(input)
    return where(input > 0, input, alpha * expm1(input))


def softplus_of_minus(magnitude: Any) -> Any:
    """``log(1 + exp(-m))`` for m >= 0, where nothing overflows or cancels."""
    return log1p(exp(-magnitude))


def magnitude(input: Any) -> Any:
    """``|input|`` with slope -1 at 0: beside a ReLU, whose slope is 0 there, smooth sums of the two stay smooth."""
    return where(input > 0, input, -input)


def softplus(input: Any, beta: float = 1.0) -> Any:
    """``log(1 + exp(beta input)) / beta``, a smooth ReLU; computed as ``max(x, 0) + log1p(exp(-|x|))``.

    It needs no threshold beyond which it would be replaced by the input.

    Dugas et al., "Incorporating second-order functional knowledge for better option pricing" (2000), eq. 6.

    >>> import autograd_core as ag
    >>> from autograd_core import as_tensor, exp, expm1, isinf, log1p, log_softmax, relu, sigmoid, softmax, tanh, where
    >>> nn.functional.softplus(ag.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000e+00, 6.9315e-01, 1.0000e+03])
    """
    x = as_tensor(input) * beta
    return (relu(x) + softplus_of_minus(magnitude(x))) / beta


def silu(input: Any) -> Any:
    """``input * sigmoid(input)``, also called Swish; 0 with slope 0 at -inf, inf with slope 1 at inf.

    Hendrycks & Gimpel, "Gaussian error linear units" (2016); Ramachandran et al., "Searching for activation
    functions" (2017).

    >>> import autograd_core as ag
    >>> from autograd_core import as_tensor, exp, expm1, isinf, log1p, log_softmax, relu, sigmoid, softmax, tanh, where
    >>> nn.functional.silu(ag.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.    ,  0.7311])
    """
    input = as_tensor(input)
    infinite = isinf(input)
    finite = where(infinite, 0.0, input)
    return where(infinite, relu(input), finite * sigmoid(finite))
