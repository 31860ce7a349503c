"""Cross-entropies as modules: losses of probabilities, of classes and of distributions."""

from __future__ import annotations

from typing import Any

from . import checks
from . import functional as F
from .loss import Loss

__all__ = ["BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "KLDivLoss", "MultiLabelSoftMarginLoss", "NLLLoss"]


class CrossEntropyLoss(Loss):
    """The cross-entropy from logits, of integer classes or soft targets; see :func:`functional.cross_entropy`.

    Parameters
    ----------
    weight : tensor, shape (C,), optional
        Of each class.
    ignore_index : int
        A class that does not count.
    reduction : "mean", "sum" or "none"
    label_smoothing : float in [0, 1]
        The share of every target that is spread evenly over all classes.
    allow_unnormalized : bool
        Whether soft targets may sum to something else than 1.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.CrossEntropyLoss()(ag.tensor([[2.0, 0.0], [0.0, 3.0]]), ag.tensor([0, 1]))
    tensor(0.0878)
    """

    function = staticmethod(F.cross_entropy)

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        allow_unnormalized: bool = False,
    ) -> None:
        checks.share("CrossEntropyLoss", label_smoothing=label_smoothing)
        super().__init__(
            weights={"weight": weight},
            ignore_index=ignore_index,
            reduction=reduction,
            label_smoothing=label_smoothing,
            allow_unnormalized=allow_unnormalized,
        )


class NLLLoss(Loss):
    """The negative log-likelihood, from log-probabilities; see :func:`functional.nll_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.NLLLoss()(ag.tensor([[-0.5, -1.0], [-2.0, -0.1]]), ag.tensor([0, 1]))
    tensor(0.3)
    """

    function = staticmethod(F.nll_loss)

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(weights={"weight": weight}, ignore_index=ignore_index, reduction=reduction)


class BCELoss(Loss):
    """The binary cross-entropy, from probabilities; see :func:`functional.binary_cross_entropy`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.BCELoss()(ag.tensor([0.5, 0.5]), ag.tensor([0.0, 1.0]))
    tensor(0.6931)
    """

    function = staticmethod(F.binary_cross_entropy)

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(weights={"weight": weight}, reduction=reduction)


class BCEWithLogitsLoss(Loss):
    """The binary cross-entropy, from logits; see :func:`functional.binary_cross_entropy_with_logits`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.BCEWithLogitsLoss()(ag.tensor([0.0, 1000.0]), ag.tensor([0.0, 1.0]))
    tensor(0.3466)
    """

    function = staticmethod(F.binary_cross_entropy_with_logits)

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(weights={"weight": weight, "pos_weight": pos_weight}, reduction=reduction)


class MultiLabelSoftMarginLoss(Loss):
    """The binary cross-entropy of several labels, from logits; see :func:`functional.multilabel_soft_margin_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MultiLabelSoftMarginLoss()(ag.zeros(2, 3), ag.ones(2, 3))
    tensor(0.6931)
    """

    function = staticmethod(F.multilabel_soft_margin_loss)

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(weights={"weight": weight}, reduction=reduction)


class KLDivLoss(Loss):
    """The divergence of log-probabilities from a distribution; see :func:`functional.kl_div`.

    Parameters
    ----------
    reduction : "batchmean", "sum", "mean" or "none"
        The divergence of distributions is "batchmean"; "mean" is over all elements, as PyTorch's.
    log_target : bool
        Whether the targets are logarithms.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> p = ag.tensor([[0.0, 0.5, 0.5]])
    >>> nn.KLDivLoss(reduction="batchmean")(ag.log(ag.tensor([[0.5, 0.25, 0.25]])), p)
    tensor(0.6931)
    """

    function = staticmethod(F.kl_div)
    more_reductions = ("batchmean",)

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction, log_target=log_target)
