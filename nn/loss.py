"""Losses as modules: they hold the options of the functions of the same names."""

from __future__ import annotations

from typing import Any

from autograd_core import as_tensor

from . import checks
from . import functional as F
from .module import Module

__all__ = ["BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "L1Loss", "MSELoss", "NLLLoss"]


class _Loss(Module):
    """A loss and its options; weights among them become buffers."""

    def __init__(self, *, reduction: str, **weights: Any) -> None:
        super().__init__()
        checks.reduction(type(self).__name__, reduction)
        self.reduction = reduction
        for name, weight in weights.items():
            self.register_buffer(name, None if weight is None else as_tensor(weight))

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class MSELoss(_Loss):
    """The squared error; see :func:`functional.mse_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MSELoss()(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(2.5)
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)

    def forward(self, input: Any, target: Any) -> Any:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The absolute error; see :func:`functional.l1_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.L1Loss(reduction="sum")(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(3.)
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)

    def forward(self, input: Any, target: Any) -> Any:
        return F.l1_loss(input, target, reduction=self.reduction)


class CrossEntropyLoss(_Loss):
    """The cross-entropy from logits, of integer classes or soft targets; see :func:`functional.cross_entropy`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.CrossEntropyLoss()(ag.tensor([[2.0, 0.0], [0.0, 3.0]]), ag.tensor([0, 1]))
    tensor(0.0878)
    """

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        allow_unnormalized: bool = False,
    ) -> None:
        super().__init__(reduction=reduction, weight=weight)
        checks.smoothing(label_smoothing)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing
        self.allow_unnormalized = allow_unnormalized

    def forward(self, input: Any, target: Any) -> Any:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
            allow_unnormalized=self.allow_unnormalized,
        )

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}, label_smoothing={self.label_smoothing}"


class NLLLoss(_Loss):
    """The negative log-likelihood, from log-probabilities; see :func:`functional.nll_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.NLLLoss()(ag.tensor([[-0.5, -1.0], [-2.0, -0.1]]), ag.tensor([0, 1]))
    tensor(0.3)
    """

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction, weight=weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class BCELoss(_Loss):
    """The binary cross-entropy, from probabilities; see :func:`functional.binary_cross_entropy`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.BCELoss()(ag.tensor([0.5, 0.5]), ag.tensor([0.0, 1.0]))
    tensor(0.6931)
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction, weight=weight)

    def forward(self, input: Any, target: Any) -> Any:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """The binary cross-entropy, from logits; see :func:`functional.binary_cross_entropy_with_logits`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.BCEWithLogitsLoss()(ag.tensor([0.0, 1000.0]), ag.tensor([0.0, 1.0]))
    tensor(0.3466)
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction=reduction, weight=weight, pos_weight=pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )
