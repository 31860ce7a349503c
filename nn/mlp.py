"""The multilayer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import init
from .activation import ReLU
from .activation_module import activation_module
from .container import Sequential
from .linear import Linear
from .module import Module

__all__ = ["MLP"]


class MLP(Sequential):
    """Linear layers with an activation between each two.

    Weights start as suits the activation that follows, biases at 0; see :func:`init.for_activation_`.

    Parameters
    ----------
    sizes : sequence of int
        Of the input, the hidden layers and the output; at least two.
    activation : name, Module or callable
        After every hidden layer: a name such as "relu", "tanh" or "leaky_relu", a module or its class, something that
        makes one, or a function of a tensor.
    output_activation : the same, optional
        After the last layer.
    bias : bool
        Whether the layers have biases.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Examples
    --------
    >>> from autograd_core import nn
    >>> nn.MLP([64, 32, 10], activation="tanh")
    MLP(
      (0): Linear(in_features=64, out_features=32, bias=True)
      (1): Tanh()
      (2): Linear(in_features=32, out_features=10, bias=True)
    )
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Any = ReLU,
        *,
        output_activation: Any = None,
        bias: bool = True,
        dtype: Any = None,
    ) -> None:
        if len(sizes) < 2:
            raise ValueError(f"MLP: expected at least two sizes, of the input and the output, got {list(sizes)}")
        following = [activation] * (len(sizes) - 2) + [output_activation]
        modules: list[Module] = []
        for n_in, n_out, chosen in zip(sizes, sizes[1:], following, strict=False):
            layer = Linear(n_in, n_out, bias, dtype=dtype)
            after = None if chosen is None else activation_module(chosen).to(layer.weight.dtype)
            init.for_activation_(layer, after)
            modules += [layer] if after is None else [layer, after]
        super().__init__(*modules)
