"""Losses of numbers as modules: they hold the options of the functions of their names."""

from __future__ import annotations

from typing import Any, ClassVar

from autograd_core import Tensor, as_tensor

from . import checks
from . import functional as F
from .function_module import FunctionModule

__all__ = [
    "GaussianNLLLoss",
    "HalfMSELoss",
    "HuberLoss",
    "L1Loss",
    "LogCoshLoss",
    "MSELoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]


class Loss(FunctionModule):
    """A loss with its options; weights among them become buffers, which the representation leaves out."""

    more_reductions: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, reduction: str, weights: dict[str, Any] | None = None, **options: Any) -> None:
        checks.reduction(type(self).__name__, reduction, *self.more_reductions)
        super().__init__(**options, reduction=reduction)
        for name, weight in (weights or {}).items():
            self.register_buffer(name, None if weight is None else as_tensor(weight))
            self._options += (name,)

    def extra_repr(self) -> str:
        shown = {name: getattr(self, name) for name in self._options}
        return ", ".join(
            f"{name}={value!r}"
            for name, value in shown.items()
            if not (value is None or isinstance(value, Tensor) or callable(value))
        )


class MSELoss(Loss):
    """The squared error; see :func:`functional.mse_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MSELoss()(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(2.5)
    """

    function = staticmethod(F.mse_loss)

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class HalfMSELoss(Loss):
    """Half the squared error, whose derivative is the error itself; see :func:`functional.half_mse_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.HalfMSELoss(reduction="sum")(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(2.5)
    """

    function = staticmethod(F.half_mse_loss)

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class L1Loss(Loss):
    """The absolute error; see :func:`functional.l1_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.L1Loss(reduction="sum")(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(3.)
    """

    function = staticmethod(F.l1_loss)

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class HuberLoss(Loss):
    """Half the squared error up to `delta`, above 0, and straight beyond; see :func:`functional.huber_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.HuberLoss("none")(ag.tensor([0.5, 3.0]), ag.zeros(2))
    tensor([0.125, 2.5  ])
    """

    function = staticmethod(F.huber_loss)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        checks.positive("HuberLoss", delta=delta)
        super().__init__(reduction=reduction, delta=delta)


class SmoothL1Loss(Loss):
    """The absolute error, rounded off below `beta`, at least 0; see :func:`functional.smooth_l1_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.SmoothL1Loss(beta=0.5)(ag.tensor([1.0, 2.0]), ag.tensor([0.0, 4.0]))
    tensor(1.25)
    """

    function = staticmethod(F.smooth_l1_loss)

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        checks.not_negative("SmoothL1Loss", beta=beta)
        super().__init__(reduction=reduction, beta=beta)


class LogCoshLoss(Loss):
    """``log(cosh(r))`` of the error r, smooth everywhere; see :func:`functional.log_cosh_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.LogCoshLoss()(ag.tensor([1.0]), ag.zeros(1))
    tensor(0.4338)
    """

    function = staticmethod(F.log_cosh_loss)

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class GaussianNLLLoss(Loss):
    """The negative log-likelihood of normal distributions; see :func:`functional.gaussian_nll_loss`.

    Called with the means, the targets and the variances.

    Parameters
    ----------
    full : bool
        Whether to add the constant ``log(2 pi) / 2``.
    eps : float
        Smaller variances count as this.
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.GaussianNLLLoss()(ag.tensor([1.0, 2.0]), ag.tensor([1.0, 4.0]), ag.ones(2))
    tensor(1.)
    """

    function = staticmethod(F.gaussian_nll_loss)

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(full=full, eps=eps, reduction=reduction)


class PoissonNLLLoss(Loss):
    """The negative log-likelihood of counts; see :func:`functional.poisson_nll_loss`.

    Parameters
    ----------
    log_input : bool
        Whether the input is the logarithm of the expected count.
    full : bool
        Whether to add Stirling's approximation of ``log(target!)``.
    eps : float
        Added to an expected count before its logarithm.
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.PoissonNLLLoss(reduction="none")(ag.tensor([0.0, 1.0]), ag.tensor([0.0, 1.0]))
    tensor([1.    , 1.7183])
    """

    function = staticmethod(F.poisson_nll_loss)

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(log_input=log_input, full=full, eps=eps, reduction=reduction)
