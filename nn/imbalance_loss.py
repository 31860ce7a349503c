"""Losses for rare classes as modules: they turn towards the hard examples, or towards the overlap."""

from __future__ import annotations

from typing import Any

from . import checks
from . import functional as F
from .loss import Loss

__all__ = ["DiceLoss", "FocalLoss", "SigmoidFocalLoss"]


class SigmoidFocalLoss(Loss):
    """The focal loss of two classes, from logits; see :func:`functional.sigmoid_focal_loss`.

    Parameters
    ----------
    alpha : float in [0, 1], or None
        The weight of targets 1, where 1 - alpha is that of targets 0.
    gamma : float
        How much less the easy examples count; at least 0.
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.SigmoidFocalLoss(alpha=None, reduction="none")(ag.tensor([0.0, 5.0]), ag.tensor([1.0, 1.0]))
    tensor([1.7329e-01, 3.0081e-07])
    """

    function = staticmethod(F.sigmoid_focal_loss)

    def __init__(self, alpha: float | None = 0.25, gamma: float = 2.0, *, reduction: str = "mean") -> None:
        checks.not_negative("SigmoidFocalLoss", gamma=gamma)
        if alpha is not None:
            checks.share("SigmoidFocalLoss", alpha=alpha)
        super().__init__(alpha=alpha, gamma=gamma, reduction=reduction)


class FocalLoss(Loss):
    """The focal loss of several classes, from logits; see :func:`functional.focal_loss`.

    Parameters
    ----------
    alpha : tensor, shape (C,), optional
        The weight of each class.
    gamma : float
        How much less the easy examples count; at least 0.
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.FocalLoss(reduction="none")(ag.tensor([[0.0, 0.0], [5.0, 0.0]]), ag.tensor([0, 0]))
    tensor([1.7329e-01, 3.0081e-07])
    """

    function = staticmethod(F.focal_loss)

    def __init__(self, alpha: Any = None, gamma: float = 2.0, *, reduction: str = "mean") -> None:
        checks.not_negative("FocalLoss", gamma=gamma)
        super().__init__(weights={"alpha": alpha}, gamma=gamma, reduction=reduction)


class DiceLoss(Loss):
    """What two masks lack to a perfect overlap; see :func:`functional.dice_loss`.

    Parameters
    ----------
    smooth : float
        What makes the loss of two empty masks 0; at least 0.
    dim : int or tuple of int, optional
        The dimensions of one mask; all but the first if not given.
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.DiceLoss(smooth=0.0)(ag.tensor([[1.0, 1.0, 0.0]]), ag.tensor([[1.0, 0.0, 0.0]]))
    tensor(0.3333)
    """

    function = staticmethod(F.dice_loss)

    def __init__(self, *, smooth: float = 1.0, dim: Any = None, reduction: str = "mean") -> None:
        checks.not_negative("DiceLoss", smooth=smooth)
        super().__init__(smooth=smooth, dim=dim, reduction=reduction)
