"""Losses that ask for a margin: of one side over the other, of a class over the rest, of near over far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_core import (
    amax,
    arange,
    as_tensor,
    cumprod,
    gather,
    minimum,
    relu,
    unsqueeze,
    where,
)

from .. import checks
from .activation import softplus
from .distance import cosine_similarity, pairwise_distance
from .loss import reduced

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "hinge_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multiclass_hinge_loss",
    "multilabel_margin_loss",
    "soft_margin_loss",
    "squared_hinge_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


# Of two sides


def _slack(operation: str, input: Any, target: Any, margin: float, reduction: str) -> Any:
    """By how much the input falls short of the margin on the target's side; 0 with gradient 0 at the margin."""
    input, target = checks.pair(operation, input, target, reduction)
    checks.one_of(operation, target, (-1, 1))
    return relu(margin - target * input)


def hinge_loss(input: Any, target: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """``max(0, margin - target * input)``, the loss of linear support vector machines; its slope at the margin is 0.

    Cortes & Vapnik, "Support-vector networks" (1995).

    Parameters
    ----------
    input : scores
    target : -1 and 1, of the same shape
    reduction : "mean" or "sum" over all elements, or "none"

    Raises
    ------
    ValueError
        If the shapes differ, or a target is neither -1 nor 1.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.hinge_loss(ag.tensor([0.5, 2.0, 3.0]), ag.tensor([1.0, 1.0, -1.0]), reduction="none")
    tensor([0.5, 0. , 4. ])
    """
    return reduced(_slack("hinge_loss", input, target, margin, reduction), reduction)


def squared_hinge_loss(input: Any, target: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """The square of :func:`hinge_loss`, smooth at the margin; parameters and errors as there.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.squared_hinge_loss(ag.tensor([0.5, 2.0]), ag.tensor([1.0, -1.0]), reduction="none")
    tensor([0.25, 9.  ])
    """
    slack = _slack("squared_hinge_loss", input, target, margin, reduction)
    return reduced(slack * slack, reduction)


def soft_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """``log(1 + exp(-target * input))`` for targets of -1 and 1; parameters and errors as for :func:`hinge_loss`.

    Any number is taken as a target: its size scales the input.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.soft_margin_loss(ag.tensor([0.0, 1000.0]), ag.tensor([1.0, -1.0]), reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    input, target = checks.pair("soft_margin_loss", input, target, reduction)
    return reduced(softplus(-target * input), reduction)


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean") -> Any:
    """The input, a distance, where the target is 1; ``max(0, margin - input)`` where it is -1.

    Parameters and errors as for :func:`hinge_loss`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.hinge_embedding_loss(ag.tensor([0.3, 0.3]), ag.tensor([1, -1]), reduction="none")
    tensor([0.3, 0.7])
    """
    input, target = checks.pair("hinge_embedding_loss", input, target, reduction)
    checks.one_of("hinge_embedding_loss", target, (-1, 1))
    return reduced(where(target > 0, input, relu(margin - input)), reduction)


def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean") -> Any:
    """``max(0, margin - target (input1 - input2))``: for a target of 1, `input1` shall be larger; for -1, `input2`.

    Parameters
    ----------
    input1, input2, target : of the same shape
    reduction : "mean" or "sum" over all elements, or "none"

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> a, b, target = ag.tensor([1.0, 1.0]), ag.tensor([3.0, 3.0]), ag.tensor([1, -1])
    >>> nn.functional.margin_ranking_loss(a, b, target, reduction="none")
    tensor([2., 0.])
    """
    checks.reduction("margin_ranking_loss", reduction)
    a, b, target = checks.same_shape("margin_ranking_loss", input1=input1, input2=input2, target=target)
    return reduced(relu(margin - target * (a - b)), reduction)


# Of classes


def _violations(operation: str, input: Any, target: Any, margin: float, reduction: str) -> tuple[Any, Any]:
    """By how much each wrong class comes too near to the right one (itself 0), and the targets."""
    checks.reduction(operation, reduction)
    input, target = as_tensor(input), as_tensor(target)
    checks.class_targets(operation, input, target)
    if input.ndim > 2:
        raise ValueError(f"{operation}: expected input of shape (C,) or (N, C), got {input.shape}")
    right = unsqueeze(target, -1)
    slack = relu(margin + input - gather(input, -1, right))
    return where(right == arange(input.shape[-1]), 0.0, slack), target


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
) -> Any:
    """``sum_j max(0, margin - x_y + x_j)**p / C`` over the classes j other than the target y.

    Weston & Watkins, "Support vector machines for multi-class pattern recognition" (1999).

    Parameters
    ----------
    input : scores x, shape (C,) or (N, C)
    target : integer classes, shape () or (N,)
    p : 1 or 2
    weight : of each class, shape (C,); it scales the loss of the targets of that class
    reduction : "mean" or "sum" over the batch, or "none"

    Raises
    ------
    ValueError
        If shapes do not fit, or p is neither 1 nor 2.
    IndexError
        If a target is not in 0 .. C - 1.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.multi_margin_loss(ag.tensor([[1.0, 0.5, 3.0]]), ag.tensor([0]))
    tensor(1.1667)
    """
    checks.choice("multi_margin_loss", "p", p, 1, 2)
    slack, target = _violations("multi_margin_loss", input, target, margin, reduction)
    loss = (slack if p == 1 else slack * slack).mean(-1)
    if weight is not None:
        loss = checks.class_weight("multi_margin_loss", weight, slack.shape[-1])[target] * loss
    return reduced(loss, reduction)


def multiclass_hinge_loss(
    input: Any, target: Any, *, margin: float = 1.0, over: str = "sum", reduction: str = "mean"
) -> Any:
    """``max(0, margin - x_y + x_j)`` over the classes j other than the target y: their sum, or the largest.

    The sum is C times :func:`multi_margin_loss`, whose other parameters and errors it shares.

    Crammer & Singer, "On the algorithmic implementation of multiclass kernel-based vector machines" (2001), for "max".

    Parameters
    ----------
    over : "sum" or "max"

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> scores = ag.tensor([[3.2, 5.1, -1.7]])
    >>> nn.functional.multiclass_hinge_loss(scores, ag.tensor([0]))
    tensor(2.9)
    """
    checks.choice("multiclass_hinge_loss", "over", over, "sum", "max")
    slack, _ = _violations("multiclass_hinge_loss", input, target, margin, reduction)
    return reduced(slack.sum(-1) if over == "sum" else amax(slack, -1), reduction)


def multilabel_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """``sum_ij max(0, 1 - (x_i - x_j)) / C`` over the target classes i and all other classes j.

    Parameters
    ----------
    input : scores x, shape (C,) or (N, C)
    target : integers of the same shape
        The target classes of each row, and -1 after the last; what follows is not read.
    reduction : "mean" or "sum" over the batch, or "none"

    Raises
    ------
    ValueError
        If the shapes differ.
    IndexError
        If a target is not in -1 .. C - 1.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> x, target = ag.tensor([0.1, 0.2, 0.4, 0.8]), ag.tensor([3, 0, -1, 1])
    >>> nn.functional.multilabel_margin_loss(x, target)
    tensor(0.85)
    """
    input, target = checks.pair("multilabel_margin_loss", input, target, reduction)
    checks.class_sets("multilabel_margin_loss", input, target)
    listed = cumprod(target >= 0, -1) > 0
    classes = where(listed, target, 0)
    member = ((unsqueeze(classes, -1) == arange(input.shape[-1])) & unsqueeze(listed, -1)).any(-2)
    slack = relu(1 - unsqueeze(gather(input, -1, classes), -1) + unsqueeze(input, -2))
    pairs = unsqueeze(listed, -1) & unsqueeze(~member, -2)
    return reduced(where(pairs, slack, 0.0).sum((-2, -1)) / input.shape[-1], reduction)


# Of distances


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean"
) -> Any:
    """``1 - cos(input1, input2)`` where the target is 1; ``max(0, cos(input1, input2) - margin)`` where it is -1.

    Parameters
    ----------
    input1, input2 : vectors, shape (D,) or (N, D)
    target : -1 and 1, shape () or (N,)
    reduction : "mean" or "sum" over the batch, or "none"

    Raises
    ------
    ValueError
        If shapes do not fit, or a target is neither -1 nor 1.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> a, b = ag.tensor([[3.0, 4.0], [3.0, 4.0]]), ag.tensor([[4.0, 3.0], [4.0, 3.0]])
    >>> nn.functional.cosine_embedding_loss(a, b, ag.tensor([1, -1]), reduction="none")
    tensor([0.04, 0.96])
    """
    operation = "cosine_embedding_loss"
    checks.reduction(operation, reduction)
    a, b = checks.same_shape(operation, input1=input1, input2=input2)
    target = as_tensor(target)
    if a.ndim == 0 or target.shape != a.shape[:-1]:
        raise ValueError(
            f"{operation}: expected inputs of shape (D,) or (N, D), and a target for each vector; "
            f"got inputs of shape {a.shape} and target of shape {target.shape}"
        )
    checks.one_of(operation, target, (-1, 1))
    cosine = cosine_similarity(a, b, -1)
    return reduced(where(target > 0, 1 - cosine, relu(cosine - margin)), reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """``max(0, margin + d(anchor, positive) - d(anchor, negative))``, with a distance d of your own.

    Parameters
    ----------
    distance_function : of two tensors of vectors to their distances; :func:`pairwise_distance` if not given
    anchor, positive, negative, margin, swap, reduction : as for :func:`triplet_margin_loss`

    Raises
    ------
    ValueError
        If the shapes differ, or the margin is not positive.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> a, p, n = ag.tensor([[0.0, 0.0]]), ag.tensor([[1.0, 1.0]]), ag.tensor([[2.0, 0.0]])
    >>> taxi = lambda x, y: ag.abs(x - y).sum(-1)
    >>> nn.functional.triplet_margin_with_distance_loss(a, p, n, distance_function=taxi)
    tensor(1.)
    """
    operation = "triplet_margin_with_distance_loss"
    checks.reduction(operation, reduction)
    checks.positive(operation, margin=margin)
    anchor, positive, negative = checks.same_shape(operation, anchor=anchor, positive=positive, negative=negative)
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(relu(margin + near - far), reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Any:
    """``max(0, margin + d(anchor, positive) - d(anchor, negative))``, where ``d(a, b)`` is the p-norm of a - b + eps.

    Schroff et al., "FaceNet" (2015), eq. 3; Balntas et al., "Learning local feature descriptors with triplets and
    shallow convolutional neural networks" (2016).

    Parameters
    ----------
    anchor, positive, negative : vectors, shape (D,) or (N, D)
    margin : above 0
    eps : added to each difference, so that the distance of equal vectors has a gradient
    swap : count the distance from `positive` to `negative` instead, where it is the smaller
    reduction : "mean" or "sum" over the batch, or "none"

    Raises
    ------
    ValueError
        If the shapes differ, or the margin is not positive.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> a, p, n = ag.tensor([[0.0, 0.0]]), ag.tensor([[1.0, 0.0]]), ag.tensor([[1.5, 0.0]])
    >>> nn.functional.triplet_margin_loss(a, p, n)
    tensor(0.5)
    """
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=lambda a, b: pairwise_distance(a, b, p, eps),
        margin=margin,
        swap=swap,
        reduction=reduction,
    )
