"""Activations as modules: thin shells over the functions of the same names."""

from __future__ import annotations

import copy
import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any

from . import functional as F
from .linear import Identity
from .module import Module

__all__ = [
    "ELU",
    "Lambda",
    "LeakyReLU",
    "LogSoftmax",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]


class ReLU(Module):
    """``max(x, 0)``, with slope 0 at 0.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ReLU()(ag.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Any) -> Any:
        return F.relu(input)


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Sigmoid()(ag.tensor([0.0, 1.0]))
    tensor([0.5   , 0.7311])
    """

    def forward(self, input: Any) -> Any:
        return F.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Tanh()(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.7616])
    """

    def forward(self, input: Any) -> Any:
        return F.tanh(input)


class LeakyReLU(Module):
    """``x`` where positive, ``negative_slope x`` elsewhere; see :func:`functional.leaky_relu`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.LeakyReLU(0.1)(ag.tensor([-1.0, 2.0]))
    tensor([-0.1,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, input: Any) -> Any:
        return F.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """``x`` where positive, ``alpha (exp(x) - 1)`` elsewhere; see :func:`functional.elu`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ELU()(ag.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.    ])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        return F.elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class Softplus(Module):
    """``log(1 + exp(beta x)) / beta``, a smooth ReLU; see :func:`functional.softplus`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Softplus()(ag.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0000e+03])
    """

    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta

    def forward(self, input: Any) -> Any:
        return F.softplus(input, self.beta)

    def extra_repr(self) -> str:
        return f"beta={self.beta}"


class SiLU(Module):
    """``x sigmoid(x)``, also called Swish; see :func:`functional.silu`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.SiLU()(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.7311])
    """

    def forward(self, input: Any) -> Any:
        return F.silu(input)


class Softmax(Module):
    """``exp(x) / sum(exp(x))`` along `dim`: positive, and of sum 1.

    Not before :class:`CrossEntropyLoss`, which takes the logits.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Softmax(dim=0)(ag.tensor([1.0, 1.0]))
    tensor([0.5, 0.5])
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithm of the softmax along `dim`, without its underflow.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.LogSoftmax(dim=0)(ag.tensor([1.0, 1.0]))
    tensor([-0.6931, -0.6931])
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return F.log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Lambda(Module):
    """Any function of a tensor, as a module without parameters.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Lambda(ag.sin)
    Lambda(sin)
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, input: Any) -> Any:
        return self.function(input)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


BY_NAME: dict[str, Callable[[], Module]] = {
    "elu": ELU,
    "identity": Identity,
    "leaky_relu": LeakyReLU,
    "log_softmax": functools.partial(LogSoftmax, dim=-1),
    "relu": ReLU,
    "sigmoid": Sigmoid,
    "silu": SiLU,
    "softmax": functools.partial(Softmax, dim=-1),
    "softplus": Softplus,
    "tanh": Tanh,
}
"""What makes the activation of a name."""


def activation_module(activation: Any) -> Module:
    """A new module from what a person may call an activation.

    Parameters
    ----------
    activation : str, Module, or callable
        A name; a module (copied); or something to call without arguments, such as a class, that gives any of these;
        or else a function of a tensor.

    Raises
    ------
    ValueError
        If there is no activation of that name.
    TypeError
        If it is nothing of the kind.
    """
    if isinstance(activation, Module):
        return copy.deepcopy(activation)
    if isinstance(activation, str):
        if activation not in BY_NAME:
            near = difflib.get_close_matches(activation, BY_NAME, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"activation: expected one of {', '.join(BY_NAME)}, got {activation!r}{hint}")
        return BY_NAME[activation]()
    if not callable(activation):
        raise TypeError(f"activation: expected a name, a Module or a callable, got {type(activation).__name__}")
    if _takes_nothing(activation):
        return activation_module(activation())
    name = getattr(activation, "__name__", "")
    return BY_NAME[name]() if activation is getattr(F, name, None) and name in BY_NAME else Lambda(activation)


def _takes_nothing(function: Callable[..., Any]) -> bool:
    """Whether it can be called without arguments."""
    try:
        inspect.signature(function).bind()
    except (TypeError, ValueError):
        return False
    return True
