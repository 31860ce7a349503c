"""Losses as modules that ask for a margin: of one side over the other, of a class over the rest, of near over far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import checks
from . import functional as F
from .loss import Loss

__all__ = [
    "CosineEmbeddingLoss",
    "HingeEmbeddingLoss",
    "HingeLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiMarginLoss",
    "MulticlassHingeLoss",
    "SoftMarginLoss",
    "SquaredHingeLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


# Of two sides


class HingeLoss(Loss):
    """``max(0, margin - target * input)`` for targets -1 and 1; see :func:`functional.hinge_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.HingeLoss(reduction="none")(ag.tensor([0.5, 2.0, 3.0]), ag.tensor([1.0, 1.0, -1.0]))
    tensor([0.5, 0. , 4. ])
    """

    function = staticmethod(F.hinge_loss)

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class SquaredHingeLoss(Loss):
    """The square of :class:`HingeLoss`, smooth at the margin; see :func:`functional.squared_hinge_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.SquaredHingeLoss(reduction="none")(ag.tensor([0.5, 2.0]), ag.tensor([1.0, -1.0]))
    tensor([0.25, 9.  ])
    """

    function = staticmethod(F.squared_hinge_loss)

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class SoftMarginLoss(Loss):
    """``log(1 + exp(-target * input))`` for targets -1 and 1; see :func:`functional.soft_margin_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.SoftMarginLoss()(ag.zeros(2), ag.tensor([1.0, -1.0]))
    tensor(0.6931)
    """

    function = staticmethod(F.soft_margin_loss)

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class HingeEmbeddingLoss(Loss):
    """A distance where the target is 1, what it lacks to `margin` where it is -1.

    See :func:`functional.hinge_embedding_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.HingeEmbeddingLoss(reduction="none")(ag.tensor([0.3, 0.3]), ag.tensor([1, -1]))
    tensor([0.3, 0.7])
    """

    function = staticmethod(F.hinge_embedding_loss)

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class MarginRankingLoss(Loss):
    """By how much the first input is not above the second, or for a target of -1 the second above the first.

    See :func:`functional.margin_ranking_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> first, second, target = ag.tensor([1.0, 1.0]), ag.tensor([3.0, 3.0]), ag.tensor([1, -1])
    >>> nn.MarginRankingLoss(reduction="none")(first, second, target)
    tensor([2., 0.])
    """

    function = staticmethod(F.margin_ranking_loss)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


# Of classes


class MultiMarginLoss(Loss):
    """How near the wrong classes come to the right one, on average; see :func:`functional.multi_margin_loss`.

    Parameters
    ----------
    p : 1 or 2
        The power of what is missing to the margin.
    margin : float
    weight : tensor, shape (C,), optional
        Of each class.
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MultiMarginLoss()(ag.tensor([[1.0, 0.5, 3.0]]), ag.tensor([0]))
    tensor(1.1667)
    """

    function = staticmethod(F.multi_margin_loss)

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean") -> None:
        checks.choice("MultiMarginLoss", "p", p, 1, 2)
        super().__init__(p=p, margin=margin, weights={"weight": weight}, reduction=reduction)


class MulticlassHingeLoss(Loss):
    """How near the wrong classes come to the right one: their sum, or the nearest.

    See :func:`functional.multiclass_hinge_loss`.

    Parameters
    ----------
    margin : float
    over : "sum" or "max"
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MulticlassHingeLoss()(ag.tensor([[3.2, 5.1, -1.7]]), ag.tensor([0]))
    tensor(2.9)
    """

    function = staticmethod(F.multiclass_hinge_loss)

    def __init__(self, margin: float = 1.0, *, over: str = "sum", reduction: str = "mean") -> None:
        checks.choice("MulticlassHingeLoss", "over", over, "sum", "max")
        super().__init__(margin=margin, over=over, reduction=reduction)


class MultiLabelMarginLoss(Loss):
    """How near the other classes come to the target classes; see :func:`functional.multilabel_margin_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MultiLabelMarginLoss()(ag.tensor([0.1, 0.2, 0.4, 0.8]), ag.tensor([3, 0, -1, 1]))
    tensor(0.85)
    """

    function = staticmethod(F.multilabel_margin_loss)

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


# Of distances


class CosineEmbeddingLoss(Loss):
    """``1 - cos`` of two vectors where the target is 1, their ``cos`` above `margin` where it is -1.

    See :func:`functional.cosine_embedding_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> a, b = ag.tensor([[3.0, 4.0], [3.0, 4.0]]), ag.tensor([[4.0, 3.0], [4.0, 3.0]])
    >>> nn.CosineEmbeddingLoss(reduction="none")(a, b, ag.tensor([1, -1]))
    tensor([0.04, 0.96])
    """

    function = staticmethod(F.cosine_embedding_loss)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class TripletMarginLoss(Loss):
    """By how much the negative is not farther from the anchor than the positive, by the p-norm.

    See :func:`functional.triplet_margin_loss`.

    Parameters
    ----------
    margin : float
        Above 0.
    p : float
        Which norm.
    eps : float
        Added to each difference, so that the distance of equal vectors has a gradient.
    swap : bool
        Whether the distance from the positive to the negative counts where it is the smaller.
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> a, p, n = ag.tensor([[0.0, 0.0]]), ag.tensor([[1.0, 0.0]]), ag.tensor([[1.5, 0.0]])
    >>> nn.TripletMarginLoss()(a, p, n)
    tensor(0.5)
    """

    function = staticmethod(F.triplet_margin_loss)

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, *, reduction: str = "mean"
    ) -> None:
        checks.positive("TripletMarginLoss", margin=margin)
        super().__init__(margin=margin, p=p, eps=eps, swap=swap, reduction=reduction)


class TripletMarginWithDistanceLoss(Loss):
    """:class:`TripletMarginLoss` by a distance of your own; see :func:`functional.triplet_margin_with_distance_loss`.

    Parameters
    ----------
    distance_function : function or Module, optional
        Of two tensors of vectors to their distances; the Euclidean one if not given.
    margin, swap, reduction : as for :class:`TripletMarginLoss`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> a, p, n = ag.tensor([[0.0, 0.0]]), ag.tensor([[1.0, 1.0]]), ag.tensor([[2.0, 0.0]])
    >>> nn.TripletMarginWithDistanceLoss(distance_function=nn.PairwiseDistance(p=1))(a, p, n)
    tensor(1.)
    """

    function = staticmethod(F.triplet_margin_with_distance_loss)

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        if not (distance_function is None or callable(distance_function)):
            raise TypeError(
                f"TripletMarginWithDistanceLoss: expected distance_function to be a function of two tensors, "
                f"got {type(distance_function).__name__}"
            )
        checks.positive("TripletMarginWithDistanceLoss", margin=margin)
        super().__init__(distance_function=distance_function, margin=margin, swap=swap, reduction=reduction)
