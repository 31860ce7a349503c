"""What a person may call an activation: a name, a module, its class, or any function; made into a module."""

from __future__ import annotations

import copy
import difflib
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from . import functional as F
from .activation import (
    CELU,
    ELU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardtanh,
    Heaviside,
    LeakyReLU,
    LogSigmoid,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Sigmoid,
    Sign,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
)
from .choice import GumbelSoftmax, LogSoftmax, Softmax, Softmin
from .gates import GELU, Hardswish, Mish, SiLU, Swish
from .linear import Identity
from .module import Module

__all__ = ["Lambda"]


class Lambda(Module):
    """Any function of a tensor, as a module without parameters.

    Raises
    ------
    TypeError
        If it cannot be called.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Lambda(ag.sin)
    Lambda(sin)
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        if not callable(function):
            raise TypeError(f"Lambda: expected a function of a tensor, got {type(function).__name__}")
        super().__init__()
        self.function = function

    def forward(self, input: Any) -> Any:
        return self.function(input)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


BY_NAME: dict[str, Callable[[], Module]] = {
    "celu": CELU,
    "elu": ELU,
    "gelu": GELU,
    "gumbel_softmax": GumbelSoftmax,
    "hardshrink": Hardshrink,
    "hardsigmoid": Hardsigmoid,
    "hardswish": Hardswish,
    "hardtanh": Hardtanh,
    "heaviside_step": Heaviside,
    "identity": Identity,
    "leaky_relu": LeakyReLU,
    "log_softmax": partial(LogSoftmax, dim=-1),
    "logsigmoid": LogSigmoid,
    "mish": Mish,
    "prelu": PReLU,
    "relu": ReLU,
    "relu6": ReLU6,
    "rrelu": RReLU,
    "selu": SELU,
    "sigmoid": Sigmoid,
    "sign": Sign,
    "silu": SiLU,
    "softmax": partial(Softmax, dim=-1),
    "softmin": partial(Softmin, dim=-1),
    "softplus": Softplus,
    "softshrink": Softshrink,
    "softsign": Softsign,
    "swish": Swish,
    "tanh": Tanh,
    "tanhshrink": Tanhshrink,
}
"""What makes the activation of a name, the function's; all that keep the shape and can do without options."""


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

    Examples
    --------
    >>> from autograd_core.nn.activation_module import activation_module
    >>> activation_module("leaky_relu")
    LeakyReLU(negative_slope=0.01)
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
