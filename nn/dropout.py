"""Dropout layers: elements or whole channels set to zero at random, in training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from . import functional as F
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _Dropout(Module):
    """A dropout function with its probability, switched on while the module trains."""

    function: ClassVar[Callable[..., Any]]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__}: expected a probability p in [0, 1], got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Any) -> Any:
        return type(self).function(input, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, every element set to 0 with probability `p`, and the others divided by ``1 - p``.

    In evaluation the input as it is.  Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting" (2014).

    Parameters
    ----------
    p : float
        In [0, 1]; 1 gives zeros, with gradient 0.
    inplace : bool
        Accepted for PyTorch's sake; the result is a new tensor all the same.

    Raises
    ------
    ValueError
        If `p` is not a probability.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> _ = ag.manual_seed(0)
    >>> layer = nn.Dropout(0.5)
    >>> layer(ag.ones(6))
    tensor([2., 2., 2., 0., 0., 0.])
    >>> layer.eval()(ag.ones(6))
    tensor([1., 1., 1., 1., 1., 1.])
    """

    function = staticmethod(F.dropout)


class Dropout1d(_Dropout):
    """As :class:`Dropout`, for whole channels of (N, C, length) or (C, length).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> _ = ag.manual_seed(1)
    >>> nn.Dropout1d()(ag.ones(2, 3))
    tensor([[0., 0., 0.],
            [2., 2., 2.]])
    """

    function = staticmethod(F.dropout1d)


class Dropout2d(_Dropout):
    """As :class:`Dropout`, for whole channels of (N, C, height, width) or (C, height, width).

    Tompson et al., "Efficient object localization using convolutional networks" (2015), section 3.2.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> _ = ag.manual_seed(1)
    >>> nn.Dropout2d()(ag.ones(2, 1, 3)).flatten()
    tensor([0., 0., 0., 2., 2., 2.])
    """

    function = staticmethod(F.dropout2d)


class Dropout3d(_Dropout):
    """As :class:`Dropout`, for whole channels of (N, C, depth, height, width) or (C, depth, height, width).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Dropout3d(p=0.0)(ag.ones(1, 2, 2, 2)).sum()
    tensor(8.)
    """

    function = staticmethod(F.dropout3d)


class AlphaDropout(_Dropout):
    """In training, every element set to where SELU saturates with probability `p`; then mean 0 and variance 1 restored.

    Klambauer et al., "Self-normalizing neural networks" (2017), section "New dropout technique".  Parameters and errors
    as for :class:`Dropout`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> _ = ag.manual_seed(0)
    >>> nn.AlphaDropout(0.5)(ag.zeros(4))
    tensor([ 0.7792,  0.7792,  0.7792, -0.7792])
    """

    function = staticmethod(F.alpha_dropout)


class FeatureAlphaDropout(_Dropout):
    """As :class:`AlphaDropout`, for whole channels of (N, C, ...).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> _ = ag.manual_seed(1)
    >>> nn.FeatureAlphaDropout()(ag.zeros(1, 2, 2))
    tensor([[[-0.7792, -0.7792],
             [ 0.7792,  0.7792]]])
    """

    function = staticmethod(F.feature_alpha_dropout)
