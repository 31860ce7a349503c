"""Activations of a whole dimension as modules: shares that sum to 1, or one choice."""

from __future__ import annotations

from typing import Any

from autograd_core import as_tensor

from . import checks
from . import functional as F
from .function_module import FunctionModule
from .module import Module

__all__ = ["GumbelSoftmax", "LogSoftmax", "Softmax", "Softmax2d", "Softmin"]


class _Along(FunctionModule):
    """A function along one dimension, which must be given."""

    def __init__(self, dim: int | None = None) -> None:
        if dim is None:
            raise ValueError(
                f"{type(self).__name__}: dim must be given, the dimension to sum over; PyTorch guesses it, but that is "
                f"deprecated there. For scores of shape (N, C) it is {type(self).__name__}(dim=1)"
            )
        super().__init__(dim=dim)


class Softmax(_Along):
    """``exp(x) / sum(exp(x))`` along `dim`: positive, and of sum 1.

    Not before :class:`CrossEntropyLoss`, which takes the logits.

    Raises
    ------
    ValueError
        If `dim` is not given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Softmax(dim=0)(ag.tensor([1.0, 1.0]))
    tensor([0.5, 0.5])
    """

    function = staticmethod(F.softmax)


class LogSoftmax(_Along):
    """The logarithm of the softmax along `dim`, without its underflow.

    Raises
    ------
    ValueError
        If `dim` is not given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.LogSoftmax(dim=0)(ag.tensor([1.0, 1.0]))
    tensor([-0.6931, -0.6931])
    """

    function = staticmethod(F.log_softmax)


class Softmin(_Along):
    """``softmax(-x)`` along `dim`: the smallest gets the most.

    Raises
    ------
    ValueError
        If `dim` is not given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Softmin(dim=0)(ag.tensor([1.0, 2.0, 3.0]))
    tensor([0.6652, 0.2447, 0.09  ])
    """

    function = staticmethod(F.softmin)


class Softmax2d(Module):
    """The softmax over the channels of every pixel, for inputs of shape (N, C, H, W) or (C, H, W).

    Raises
    ------
    ValueError
        If the input has another number of dimensions.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Softmax2d()(ag.ones(4, 2, 3))[:, 0, 0]
    tensor([0.25, 0.25, 0.25, 0.25])
    """

    def forward(self, input: Any) -> Any:
        input = as_tensor(input)
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input of shape (N, C, H, W) or (C, H, W), got {input.shape}")
        return F.softmax(input, -3)


class GumbelSoftmax(FunctionModule):
    """A random choice along `dim` that has a gradient; see :func:`functional.gumbel_softmax`.

    Parameters
    ----------
    tau : float
        The temperature, above 0; the lower, the closer to a choice of one.
    hard : bool
        Whether to give the choice of one itself (0 and 1), with the gradient of the shares.
    dim : int

    Raises
    ------
    ValueError
        If `tau` is not positive.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> bool(nn.GumbelSoftmax(hard=True)(ag.zeros(5, 3)).sum(-1).eq(1).all())
    True
    """

    function = staticmethod(F.gumbel_softmax)

    def __init__(self, tau: float = 1.0, hard: bool = False, dim: int = -1) -> None:
        checks.positive("GumbelSoftmax", tau=tau)
        super().__init__(tau=tau, hard=hard, dim=dim)
