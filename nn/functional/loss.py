"""Losses of numbers; none broadcasts silently."""

from __future__ import annotations

import math
from typing import Any

from autograd_core import abs, as_tensor, clamp, exp, expm1, log, log1p, where, xlogy

from .. import checks
from .activation import magnitude

__all__ = [
    "gaussian_nll_loss",
    "half_mse_loss",
    "huber_loss",
    "l1_loss",
    "log_cosh_loss",
    "mse_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


def reduced(loss: Any, reduction: str) -> Any:
    """The loss by its reduction."""
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def _weighted_mean(operation: str, loss: Any, weight: Any, reduction: str) -> Any:
    """The loss by its reduction, with a weight for each element, which also counts in the mean."""
    if weight is None:
        return reduced(loss, reduction)
    weight, loss = checks.same_shape(operation, weight=weight, input=loss)
    total = reduced(weight * loss, "sum" if reduction == "mean" else reduction)
    return total / weight.sum() if reduction == "mean" else total


def mse_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    """The squared error ``(input - target)**2``.

    Parameters
    ----------
    input, target : of the same shape
    reduction : "mean" or "sum" over all elements, or "none"
    weight : of each element, of the same shape; "mean" is then ``sum(weight * loss) / sum(weight)``

    Raises
    ------
    ValueError
        If the shapes differ: a loss does not broadcast.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.mse_loss(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(2.5)
    """
    input, target = checks.pair("mse_loss", input, target, reduction)
    error = input - target
    return _weighted_mean("mse_loss", error * error, weight, reduction)


def half_mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """``(input - target)**2 / 2``, whose derivative is the error itself; parameters and errors as for :func:`mse_loss`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.half_mse_loss(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(1.25)
    """
    input, target = checks.pair("half_mse_loss", input, target, reduction)
    return 0.5 * mse_loss(input, target, reduction=reduction)


def l1_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    """The absolute error ``|input - target|``, with gradient 0 where they are equal.

    Parameters and errors as for :func:`mse_loss`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.l1_loss(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(1.5)
    """
    input, target = checks.pair("l1_loss", input, target, reduction)
    return _weighted_mean("l1_loss", abs(input - target), weight, reduction)


def _huber(error: Any, delta: float) -> Any:
    """``error**2 / 2`` up to `delta`, where it goes on straight; as a product that is smooth at 0."""
    limited = clamp(error, -delta, delta)
    return limited * (error - 0.5 * limited)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """``r**2 / 2`` of the error r where its size is at most `delta`, ``delta (|r| - delta / 2)`` beyond.

    Huber, "Robust estimation of a location parameter" (1964).

    Parameters
    ----------
    input, target, reduction : as for :func:`mse_loss`
    delta : above 0

    Raises
    ------
    ValueError
        If the shapes differ, or `delta` is not positive.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.huber_loss(ag.tensor([0.5, 3.0]), ag.zeros(2), reduction="none")
    tensor([0.125, 2.5  ])
    """
    input, target = checks.pair("huber_loss", input, target, reduction)
    checks.positive("huber_loss", delta=delta)
    return reduced(_huber(input - target, delta), reduction)


def smooth_l1_loss(input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Any:
    """:func:`huber_loss` with delta `beta`, divided by it; with `beta` 0 it is :func:`l1_loss`.

    Girshick, "Fast R-CNN" (2015), eq. 3.

    Raises
    ------
    ValueError
        If the shapes differ, or `beta` is negative.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.smooth_l1_loss(ag.tensor([0.5, 3.0]), ag.zeros(2), reduction="none")
    tensor([0.125, 2.5  ])
    """
    input, target = checks.pair("smooth_l1_loss", input, target, reduction)
    checks.not_negative("smooth_l1_loss", beta=beta)
    error = input - target
    return reduced(abs(error) if beta == 0 else _huber(error, beta) / beta, reduction)


def log_cosh_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """``log(cosh(r))`` of the error r: ``r**2 / 2`` near 0, ``|r| - log 2`` far from it, smooth everywhere.

    Computed as ``|r| + log1p(expm1(-2 |r|) / 2)``, which neither overflows nor cancels.  Parameters and errors as for
    :func:`mse_loss`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.log_cosh_loss(ag.tensor([1.0, 1000.0]), ag.zeros(2), reduction="none")
    tensor([4.3378e-01, 9.9931e+02])
    """
    input, target = checks.pair("log_cosh_loss", input, target, reduction)
    size = magnitude(input - target)
    return reduced(size + log1p(0.5 * expm1(-2 * size)), reduction)


# Losses of predicted distributions of a number


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """``(log var + (input - target)**2 / var) / 2``: the negative log-likelihood of normal distributions.

    Nix & Weigend, "Estimating the mean and variance of the target probability distribution" (1994).

    Parameters
    ----------
    input : the means
    target : of the same shape
    var : the variances
        Of the same shape, with a 1 in place of one of its sizes, without its last dimension, or a number.
    full : also add the constant ``log(2 pi) / 2``
    eps : a smaller variance counts as this; its gradient is as if it were not limited

    Raises
    ------
    ValueError
        If shapes do not fit, or a variance is negative.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.gaussian_nll_loss(ag.tensor([1.0, 2.0]), ag.tensor([1.0, 4.0]), 1.0)
    tensor(1.)
    """
    input, target = checks.pair("gaussian_nll_loss", input, target, reduction)
    var = checks.variances("gaussian_nll_loss", input, as_tensor(var))
    var = where(var < eps, eps + (var - var.detach()), var)
    error = input - target
    loss = 0.5 * (log(var) + error * error / var)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """``rate - target log rate``: the negative log-likelihood of counts.

    Parameters
    ----------
    input : the logarithm of the expected count, or with `log_input` False the count
    target : counts, of the same shape
    full : also add Stirling's approximation of ``log(target!)`` where the target is above 1:
        ``target log target - target + log(2 pi target) / 2``
    eps : added to an expected count before its logarithm

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.poisson_nll_loss(ag.tensor([0.0, 1.0]), ag.tensor([0.0, 1.0]), reduction="none")
    tensor([1.    , 1.7183])
    """
    input, target = checks.pair("poisson_nll_loss", input, target, reduction)
    loss = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        stirling = xlogy(target, target) - target + 0.5 * log(2 * math.pi * target)
        loss = loss + where(target > 1, stirling, 0.0)
    return reduced(loss, reduction)
