"""Losses for rare classes: they turn towards the hard examples, or towards the overlap."""

from __future__ import annotations

from typing import Any

from autograd_core import arange, as_tensor, exp, gather, log_softmax, logsumexp, movedim, squeeze, unsqueeze, where

from .. import checks
from .activation import softplus
from .gates import steering
from .loss import reduced

__all__ = ["dice_loss", "focal_loss", "sigmoid_focal_loss"]


def sigmoid_focal_loss(
    input: Any, target: Any, alpha: float | None = 0.25, gamma: float = 2.0, *, reduction: str = "mean"
) -> Any:
    """``-alpha_t (1 - p_t)**gamma log(p_t)``, where p_t is the probability that ``sigmoid(input)`` gives to the target.

    Computed from the logits as ``softplus(-z) exp(-gamma softplus(z))``, where z is the logit in favour of the target.

    Lin et al., "Focal loss for dense object detection" (2017), eq. 5.

    Parameters
    ----------
    input : logits
    target : 0 and 1, of the same shape
    alpha : the weight of targets 1, where 1 - alpha is that of targets 0; None for no weights
    gamma : how much less the easy examples count; 0 gives the cross-entropy
    reduction : "mean" or "sum" over all elements, or "none"

    Raises
    ------
    ValueError
        If the shapes differ, a target is neither 0 nor 1, or an option is out of range.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.sigmoid_focal_loss(ag.tensor([0.0, 5.0]), ag.tensor([1.0, 1.0]), alpha=None, reduction="none")
    tensor([1.7329e-01, 3.0081e-07])
    """
    operation = "sigmoid_focal_loss"
    input, target = checks.pair(operation, input, target, reduction)
    checks.one_of(operation, target, (0, 1))
    checks.not_negative(operation, gamma=gamma)
    if alpha is not None:
        checks.share(operation, alpha=alpha)
    yes = target > 0
    in_favour = where(yes, input, -input)
    loss = softplus(-in_favour)
    if gamma:
        loss = loss * exp(-gamma * softplus(steering(in_favour)))
    if alpha is not None:
        loss = loss * where(yes, alpha, 1 - alpha)
    return reduced(loss, reduction)


def focal_loss(input: Any, target: Any, alpha: Any = None, gamma: float = 2.0, *, reduction: str = "mean") -> Any:
    """``-alpha_t (1 - p_t)**gamma log(p_t)``, where p_t is the probability that ``softmax(input)`` gives to the target.

    Lin et al., "Focal loss for dense object detection" (2017), eq. 5, for several classes.

    Parameters
    ----------
    input : logits, shape (C,), (N, C) or (N, C, d1, ...)
    target : integer classes, in the shape of `input` without C
    alpha : of each class, shape (C,)
    gamma : how much less the easy examples count; 0 gives the cross-entropy
    reduction : "mean" or "sum" over all targets (unweighted), or "none"

    Raises
    ------
    ValueError
        If shapes do not fit, or `gamma` is negative.
    IndexError
        If a target is not in 0 .. C - 1.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.focal_loss(ag.tensor([[0.0, 0.0], [5.0, 0.0]]), ag.tensor([0, 0]), reduction="none")
    tensor([1.7329e-01, 3.0081e-07])
    """
    input, target = as_tensor(input), as_tensor(target)
    checks.reduction("focal_loss", reduction)
    checks.not_negative("focal_loss", gamma=gamma)
    checks.class_targets("focal_loss", input, target)
    logp = movedim(log_softmax(input, checks.class_dim("focal_loss", input)), min(input.ndim - 1, 1), -1)
    right = unsqueeze(target, -1)
    loss = -squeeze(gather(logp, -1, right), -1)
    if gamma:  # 1 - p_t is the probability of the others, which does not cancel
        others = logsumexp(where(right == arange(logp.shape[-1]), -float("inf"), logp), -1)
        loss = loss * exp(gamma * others)
    if alpha is not None:
        loss = loss * checks.class_weight("focal_loss", alpha, logp.shape[-1])[target]
    return reduced(loss, reduction)


def dice_loss(input: Any, target: Any, *, smooth: float = 1.0, dim: Any = None, reduction: str = "mean") -> Any:
    """``1 - (2 sum(input target) + smooth) / (sum(input) + sum(target) + smooth)``: 0 for a perfect overlap.

    Sudre et al., "Generalised Dice overlap as a deep learning loss function" (2017).

    Parameters
    ----------
    input : probabilities in [0, 1]
    target : 0 and 1, or probabilities, of the same shape
    smooth : what makes the loss of two empty masks 0; without it that is NaN
    dim : the dimension or dimensions of one mask; all but the first if not given
    reduction : "mean" or "sum" over the masks, or "none"

    Raises
    ------
    ValueError
        If the shapes differ, or a probability is outside [0, 1].

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.dice_loss(ag.tensor([[1.0, 1.0, 0.0]]), ag.tensor([[1.0, 0.0, 0.0]]), smooth=0)
    tensor(0.3333)
    """
    input, target = checks.pair("dice_loss", input, target, reduction)
    checks.probabilities("dice_loss", input, "apply sigmoid or softmax to a network's raw scores first")
    dim = tuple(range(1, input.ndim)) if dim is None else dim
    if input.ndim == 0 or dim == ():
        raise ValueError(f"dice_loss: expected input of shape (N, ...), or the mask's dim, got shape {input.shape}")
    overlap = (input * target).sum(dim)
    return reduced(1 - (2 * overlap + smooth) / (input.sum(dim) + target.sum(dim) + smooth), reduction)
