"""Cross-entropies: losses of probabilities, of classes and of distributions."""

from __future__ import annotations

from typing import Any

from autograd_core import (
    as_tensor,
    clamp,
    exp,
    isinf,
    log,
    log1p,
    log_softmax,
    squeeze,
    unsqueeze,
    where,
    xlogy,
)
from autograd_core.ops.indexing import gather_known

from .. import checks
from .activation import magnitude, softplus_of_minus
from .loss import reduced

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "kl_div",
    "multilabel_soft_margin_loss",
    "nll_loss",
]


# Losses of probabilities


def _weighted(weight: Any, value: Any) -> Any:
    """``weight * value``, where weight 0 makes 0 also of an infinite value."""
    return weight * where(isinf(value) & (weight == 0), 0.0, value)


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Any:
    """``-(y log p + (1 - y) log(1 - p))`` of probabilities p; the logarithms are clamped at -100, as PyTorch's.

    Where a logarithm is clamped its gradient is 0.  From a network's raw scores use
    :func:`binary_cross_entropy_with_logits`, which needs no clamp.

    Parameters
    ----------
    input : probabilities in [0, 1]
    target : of the same shape
    weight : of each element; broadcast to the shape of `input`
    reduction : "mean" or "sum" over all elements, or "none"

    Raises
    ------
    ValueError
        If a probability is outside [0, 1], or the shapes differ.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.binary_cross_entropy(ag.tensor([0.5, 0.0]), ag.tensor([1.0, 1.0]), reduction="none")
    tensor([  0.6931, 100.    ])
    """
    input, target = checks.pair("binary_cross_entropy", input, target, reduction)
    checks.probabilities(
        "binary_cross_entropy", input, "for a network's raw scores use binary_cross_entropy_with_logits"
    )
    loss = -(target * clamp(log(input), -100.0) + (1 - target) * clamp(log1p(-input), -100.0))
    return reduced(_element_weighted("binary_cross_entropy", loss, weight), reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """The binary cross-entropy of ``sigmoid(z)``, from the logits z: ``max(z, 0) - z y + log1p(exp(-|z|))``.

    In general ``pos_weight y softplus(-z) + (1 - y) softplus(z)``.  It is exact for large logits, and at ±inf.

    Parameters
    ----------
    input : logits
    target : of the same shape
    weight : of each element; broadcast to the shape of `input`
    reduction : "mean" or "sum" over all elements, or "none"
    pos_weight : of the positive part of the loss; broadcast to the shape of `input`, as in one for each class

    Raises
    ------
    ValueError
        If the shapes differ, or a weight's does not broadcast to them.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> z = ag.tensor([0.0, 1000.0, -1000.0])
    >>> nn.functional.binary_cross_entropy_with_logits(z, ag.zeros(3), reduction="none")
    tensor([6.9315e-01, 1.0000e+03, 0.0000e+00])
    """
    operation = "binary_cross_entropy_with_logits"
    input, target = checks.pair(operation, input, target, reduction)
    positive, negative = target, 1 - target
    size = magnitude(input)
    rest = softplus_of_minus(size)
    if pos_weight is not None:
        positive = checks.broadcastable(operation, "pos_weight", pos_weight, input) * target
        rest = (positive + negative) * rest
    loss = _weighted(where(input > 0, negative, positive), size) + rest
    return reduced(_element_weighted(operation, loss, weight), reduction)


def _element_weighted(operation: str, loss: Any, weight: Any) -> Any:
    if weight is None:
        return loss
    return _weighted(checks.broadcastable(operation, "weight", weight, loss), loss)


def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Any:
    """:func:`binary_cross_entropy_with_logits` of every label, averaged over the last dimension.

    Parameters and errors as there; "mean", "sum" and "none" are over what is left.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.multilabel_soft_margin_loss(ag.zeros(2, 3), ag.ones(2, 3))
    tensor(0.6931)
    """
    operation = "multilabel_soft_margin_loss"
    input, target = checks.pair(operation, input, target, reduction)
    if input.ndim == 0:
        raise ValueError(f"{operation}: expected input of shape (C,) or (..., C), got a 0-d tensor")
    loss = binary_cross_entropy_with_logits(input, target, reduction="none")
    return reduced(_element_weighted(operation, loss, weight).mean(-1), reduction)


# Losses of classes


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    allow_unnormalized: bool = False,
) -> Any:
    """``-log softmax(input)[target]``, from logits; or ``-sum(target * log softmax(input))`` for soft targets.

    Parameters
    ----------
    input : logits, shape (C,), (N, C) or (N, C, d1, ...)
    target : either integer classes, in the shape of `input` without C; or probabilities, floating, in its full shape
    weight : of each class, shape (C,)
    ignore_index : a class that does not count (integer targets only)
    reduction : "mean", "sum" or "none"
        The mean is over the targets that count, by the weight of their class (soft targets: over all, unweighted).
    label_smoothing : in [0, 1]
        This share of every target is spread evenly over all classes.
        Szegedy et al., "Rethinking the Inception architecture" (2015), section 7.
    allow_unnormalized : let soft targets sum to something else than 1 over the classes

    Raises
    ------
    IndexError
        If a class is not in 0 .. C - 1 and is not `ignore_index`.
    ValueError
        If shapes do not fit, or soft targets do not sum to 1 (within 0.001).

    Notes
    -----
    With every target ignored the mean is 0, with gradient 0 and a warning.  A soft target of 0 on a logit of -inf
    contributes 0.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> logits = ag.tensor([[2.0, 0.0], [0.0, 3.0]])
    >>> nn.functional.cross_entropy(logits, ag.tensor([0, 1]))
    tensor(0.0878)
    >>> nn.functional.cross_entropy(logits, ag.tensor([[1.0, 0.0], [0.5, 0.5]]))
    tensor(0.8378)
    """
    input, target = as_tensor(input), as_tensor(target)
    checks.reduction("cross_entropy", reduction)
    checks.share("cross_entropy", label_smoothing=label_smoothing)
    dim = checks.class_dim("cross_entropy", input)
    classes = input.shape[dim]
    if weight is not None:
        weight = checks.class_weight("cross_entropy", weight, classes)
    if not target.is_floating_point():
        ignored = ignore_index if checks.class_targets("cross_entropy", input, target, ignore_index) else None
        return _of_classes(log_softmax(input, dim), dim, target, weight, ignored, label_smoothing, reduction)
    checks.soft_targets(input, target, dim, ignore_index, allow_unnormalized)
    if label_smoothing:
        target = (1 - label_smoothing) * target + label_smoothing / classes
    if weight is not None:
        target = target * _along(weight, dim, input.ndim)
    return reduced(-_weighted(target, log_softmax(input, dim)).sum(dim), reduction)


def nll_loss(input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """``-input[target]``: the negative log-likelihood of integer classes, from log-probabilities.

    After a ``log_softmax`` this is :func:`cross_entropy`, whose parameters and errors it shares.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.nll_loss(ag.tensor([[-0.5, -1.0], [-2.0, -0.1]]), ag.tensor([0, 1]))
    tensor(0.3)
    """
    input, target = as_tensor(input), as_tensor(target)
    checks.reduction("nll_loss", reduction)
    dim = checks.class_dim("nll_loss", input)
    if weight is not None:
        weight = checks.class_weight("nll_loss", weight, input.shape[dim])
    ignored = ignore_index if checks.class_targets("nll_loss", input, target, ignore_index) else None
    return _of_classes(input, dim, target, weight, ignored, 0.0, reduction)


def _along(weight: Any, dim: int, ndim: int) -> Any:
    """Class weights, shaped to broadcast along the class dimension."""
    return weight.reshape((-1,) + (1,) * (ndim - dim - 1))


def _of_classes(
    logp: Any, dim: int, target: Any, weight: Any, ignore_index: int | None, label_smoothing: float, reduction: str
) -> Any:
    """The loss of integer classes from log-probabilities; an `ignore_index` of None says that every target counts."""
    counts = None if ignore_index is None else target != ignore_index
    if counts is not None:
        target = where(counts, target, 0)
    loss = -gather_known(logp, dim, unsqueeze(target, dim))
    if reduction == "none" or weight is not None or counts is not None or label_smoothing:
        loss = squeeze(loss, dim)
    share = counts  # of each target in the mean
    if weight is not None:
        share = weight[target]
        loss = _weighted(share, loss)
        if counts is not None:
            share = where(counts, share, 0.0)
    if label_smoothing:
        every = logp if weight is None else _weighted(_along(weight, dim, logp.ndim), logp)
        loss = (1 - label_smoothing) * loss - label_smoothing * every.mean(dim)
    if counts is not None:
        loss = where(counts, loss, 0.0)
    if share is None or reduction != "mean" or loss.numel() == 0:
        return reduced(loss, reduction)
    total = share.sum()
    return loss.sum() / where(total == 0, 1, total)


# Losses of distributions


def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Any:
    """``target (log target - input)``: the divergence of `input`, log-probabilities, from the distribution `target`.

    Kullback & Leibler, "On information and sufficiency" (1951).

    Parameters
    ----------
    input : log-probabilities
    target : probabilities of the same shape, or their logarithms
    reduction : "batchmean", "sum", "mean" or "none"
        The divergence of distributions is a sum over their outcomes: use "batchmean", the sum over the size of the
        first dimension.  "mean" is over all elements, as PyTorch's.
    log_target : whether the target holds logarithms

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    Where the target's probability is 0 the loss is 0, also where the input is -inf.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> p = ag.tensor([[0.0, 0.5, 0.5]])
    >>> nn.functional.kl_div(ag.log(ag.tensor([[0.5, 0.25, 0.25]])), p, reduction="batchmean")
    tensor(0.6931)
    """
    checks.reduction("kl_div", reduction, "batchmean")
    input, target = checks.same_shape("kl_div", input=input, target=target)
    if log_target:
        p = exp(target)
        loss = p * (where(p == 0, 0.0, target) - where(p == 0, 0.0, input))
    else:
        loss = xlogy(target, target) - _weighted(target, input)
    if reduction != "batchmean":
        return reduced(loss, reduction)
    if loss.ndim == 0:
        raise ValueError("kl_div: batchmean divides by the size of the first dimension, which a 0-d input has not")
    return loss.sum() / loss.shape[0]
