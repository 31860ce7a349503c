"""Activations of one element at a time: rectifiers, their smooth and clipped kin, thresholds; and maxout."""

from __future__ import annotations

import math
from typing import Any

from autograd_core import (
    Generator,
    abs,
    amax,
    as_tensor,
    clamp,
    exp,
    expm1,
    heaviside,
    isinf,
    log1p,
    rand,
    relu,
    sigmoid,
    sign,
    tanh,
    unflatten,
    where,
)

from .. import checks

__all__ = [
    "celu",
    "elu",
    "hardshrink",
    "hardsigmoid",
    "hardtanh",
    "heaviside_step",
    "leaky_relu",
    "logsigmoid",
    "maxout",
    "prelu",
    "relu",
    "relu6",
    "rrelu",
    "selu",
    "sigmoid",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]


# Steps and rectifiers


def heaviside_step(input: Any, threshold: float = 0.0) -> Any:
    """1 where the input reaches `threshold`, 0 below; the gradient is 0.

    McCulloch & Pitts, "A logical calculus of the ideas immanent in nervous activity" (1943).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.heaviside_step(ag.tensor([0.0, 1.0, 2.0]), 1)
    tensor([0., 1., 1.])
    """
    return heaviside(as_tensor(input) - threshold, 1.0)


def threshold(input: Any, threshold: float, value: float) -> Any:
    """The input where it is above `threshold`, `value` elsewhere, with gradient 0 there.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.threshold(ag.tensor([0.0, 1.0, 2.0]), 1, -5)
    tensor([-5., -5.,  2.])
    """
    input = as_tensor(input)
    return where(input <= threshold, value, input)


def leaky_relu(input: Any, negative_slope: Any = 0.01) -> Any:
    """The input where it is positive, `negative_slope` times it elsewhere; the slope at 0 is `negative_slope`.

    Maas et al., "Rectifier nonlinearities improve neural network acoustic models" (2013).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.leaky_relu(ag.tensor([-2.0, 3.0]), 0.1)
    tensor([-0.2,  3. ])
    """
    input = as_tensor(input)
    return where(input > 0, input, negative_slope * input)


def prelu(input: Any, weight: Any) -> Any:
    """:func:`leaky_relu` with learned slopes: one for all, or one for each entry of dimension 1.

    He et al., "Delving deep into rectifiers" (2015), eq. 1.

    Parameters
    ----------
    input : shape (N, C, ...), or any with a single slope
    weight : shape () or (1,), or (C,)

    Raises
    ------
    ValueError
        If the number of slopes is neither 1 nor C.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.prelu(ag.tensor([[-2.0, -2.0]]), ag.tensor([0.1, 0.5]))
    tensor([[-0.2, -1. ]])
    """
    input, weight = as_tensor(input), as_tensor(weight)
    if checks.slopes(input, weight) == 1:
        return leaky_relu(input, weight.reshape(()))
    return leaky_relu(input, weight.reshape((-1,) + (1,) * (input.ndim - 2)))


def rrelu(
    input: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """:func:`leaky_relu` with random slopes.

    Xu et al., "Empirical evaluation of rectified activations in convolutional network" (2015).

    Parameters
    ----------
    lower, upper : in training, each element's slope is drawn evenly between them; in evaluation it is their mean
    training : whether to draw
    generator : the source of the slopes; the thread's own if not given

    Raises
    ------
    ValueError
        If `lower` is above `upper`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.rrelu(ag.tensor([-2.0, 3.0]), 0.1, 0.3)
    tensor([-0.4,  3. ])
    """
    input = as_tensor(input)
    checks.ordered("rrelu", lower=lower, upper=upper)
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    share = rand(input.shape, dtype=input.dtype if input.is_floating_point() else None, generator=generator)
    return leaky_relu(input, lower + (upper - lower) * share)


# Exponential on the negative side


def elu(input: Any, alpha: float = 1.0) -> Any:
    """The input where it is positive, ``alpha (exp(input) - 1)`` elsewhere; the slope at 0 is `alpha`.

    Clevert et al., "Fast and accurate deep network learning by exponential linear units" (2015), eq. 15.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.elu(ag.tensor([-1.0, 3.0]))
    tensor([-0.6321,  3.    ])
    """
    input = as_tensor(input)
    return where(input > 0, input, alpha * expm1(input))


_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772


def selu(input: Any) -> Any:
    """``scale * elu(input, alpha)`` with scale 1.0507 and alpha 1.6733, which keep activations at mean 0, variance 1.

    The slope at 0 is that of the left side, ``scale * alpha``.

    Klambauer et al., "Self-normalizing neural networks" (2017), eq. 2.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.selu(ag.tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """
    return _SELU_SCALE * elu(input, _SELU_ALPHA)


def celu(input: Any, alpha: float = 1.0) -> Any:
    """The input where it is positive, ``alpha (exp(input / alpha) - 1)`` elsewhere, so that the slope at 0 is 1.

    Barron, "Continuously differentiable exponential linear units" (2017), eq. 2.

    Raises
    ------
    ValueError
        If `alpha` is 0.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.celu(ag.tensor([-1.0, 3.0]), 2.0)
    tensor([-0.7869,  3.    ])
    """
    checks.divisor("celu", alpha=alpha)
    input = as_tensor(input)
    return where(input > 0, input, alpha * expm1(input / alpha))


# Smooth


def softplus_of_minus(magnitude: Any) -> Any:
    """``log(1 + exp(-m))`` for m >= 0, where nothing overflows or cancels."""
    return log1p(exp(-magnitude))


def magnitude(input: Any) -> Any:
    """``|input|`` with slope -1 at 0: beside a ReLU, whose slope is 0 there, smooth sums of the two stay smooth."""
    return where(input > 0, input, -input)


def softplus(input: Any, beta: float = 1.0, threshold: float = math.inf) -> Any:
    """``log(1 + exp(beta input)) / beta``, a smooth ReLU; computed as ``max(x, 0) + log1p(exp(-|x|))``.

    Dugas et al., "Incorporating second-order functional knowledge for better option pricing" (2000), eq. 6.

    Parameters
    ----------
    beta : how sharp the bend is
    threshold : where ``beta input`` is above it, the result is the input
        Nothing here overflows, so it is not needed; PyTorch's 20 changes the result by less than 3e-9.

    Raises
    ------
    ValueError
        If `beta` is 0.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.softplus(ag.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000e+00, 6.9315e-01, 1.0000e+03])
    """
    input = as_tensor(input)
    checks.divisor("softplus", beta=beta)
    x = input if beta == 1 else input * beta
    out = relu(x) + softplus_of_minus(magnitude(x))
    if beta != 1:
        out = out / beta
    return out if threshold == math.inf else where(x > threshold, input, out)


def logsigmoid(input: Any) -> Any:
    """``log(sigmoid(input))``, computed as ``-softplus(-input)``, so that it does not underflow to -inf.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.logsigmoid(ag.tensor([-1000.0, 0.0]))
    tensor([-1.0000e+03, -6.9315e-01])
    """
    return -softplus(-as_tensor(input))


def softsign(input: Any) -> Any:
    """``input / (1 + |input|)``; -1 and 1 at the infinities.

    Turian et al., "Quadratic features and deep architectures for chunking" (2009).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.softsign(ag.tensor([-1.0, 0.0, 3.0]))
    tensor([-0.5 ,  0.  ,  0.75])
    """
    input = as_tensor(input)
    return where(isinf(input), sign(input), input / (1 + abs(input)))


def tanhshrink(input: Any) -> Any:
    """``input - tanh(input)``.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.tanhshrink(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.2384])
    """
    input = as_tensor(input)
    return input - tanh(input)


# Piecewise linear


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """The input limited to [min_val, max_val]; the slope is 1 between the limits, and 0 on them and outside.

    Raises
    ------
    ValueError
        If `min_val` is above `max_val`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.hardtanh(ag.tensor([-2.0, 0.5, 2.0]))
    tensor([-1. ,  0.5,  1. ])
    """
    input = as_tensor(input)
    checks.ordered("hardtanh", min_val=min_val, max_val=max_val)
    inside = (input > min_val) & (input < max_val)
    return where(inside, input, clamp(input.detach(), min_val, max_val))


def relu6(input: Any) -> Any:
    """``min(max(input, 0), 6)``; the slope is 0 at both corners.

    Krizhevsky, "Convolutional deep belief networks on CIFAR-10" (2010).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.relu6(ag.tensor([-1.0, 3.0, 9.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh(input, 0.0, 6.0)


def hardsigmoid(input: Any) -> Any:
    """``relu6(input + 3) / 6``: a straight line from 0 at -3 to 1 at 3; the slope is 0 at both corners.

    Courbariaux et al., "BinaryConnect" (2015), with Howard et al.'s slope, "Searching for MobileNetV3" (2019).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.hardsigmoid(ag.tensor([-4.0, 0.0, 1.5]))
    tensor([0.  , 0.5 , 0.75])
    """
    return relu6(as_tensor(input) + 3) / 6


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """The input moved towards 0 by `lambd`, and 0 with slope 0 where its size is not above that.

    Donoho, "De-noising by soft-thresholding" (1995).

    Raises
    ------
    ValueError
        If `lambd` is negative.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.softshrink(ag.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.5,  0. ,  1.5])
    """
    checks.not_negative("softshrink", lambd=lambd)
    input = as_tensor(input)
    return input - clamp(input, -lambd, lambd)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """The input, and 0 with slope 0 where its size is not above `lambd`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.hardshrink(ag.tensor([-2.0, 0.5, 2.0]))
    tensor([-2.,  0.,  2.])
    """
    input = as_tensor(input)
    return where((input >= -lambd) & (input <= lambd), 0.0, input)


# Of several


def maxout(input: Any, pieces: int, dim: int = -1) -> Any:
    """The largest of every `pieces` neighbours along `dim`; equal ones share the gradient evenly.

    Goodfellow et al., "Maxout networks" (2013).

    Parameters
    ----------
    input : of a size along `dim` that `pieces` divides

    Returns
    -------
    Tensor
        `pieces` times smaller along `dim`.

    Raises
    ------
    ValueError
        If `pieces` does not divide the size.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.maxout(ag.tensor([1.0, 5.0, -2.0, -3.0]), 2)
    tensor([ 5., -2.])
    """
    input = as_tensor(input)
    dim = checks.divisible("maxout", input, dim, pieces)
    return amax(unflatten(input, dim, (input.shape[dim] // pieces, pieces)), dim + 1)
