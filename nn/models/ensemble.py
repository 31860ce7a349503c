"""Several models that answer together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd_core import Generator, Tensor, randint, stack

from ..activation_module import activation_module
from ..container import ModuleList
from ..module import Module

__all__ = ["Ensemble", "bootstrap"]


class Ensemble(Module):
    """The mean of the outputs of several models, or of their probabilities.

    Parameters
    ----------
    members : iterable of Module
        Which take the same inputs, and give outputs of the same shape.
    activation : name, Module or callable, optional
        Applied to the output of each before averaging: "softmax" (over the last dimension) or "sigmoid" to average
        probabilities.

    Raises
    ------
    ValueError
        If there are no members.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> model = nn.models.Ensemble([nn.MLP([4, 8, 3]) for _ in range(5)], "softmax")
    >>> probabilities = model(ag.ones(2, 4))
    >>> spread = model.outputs(ag.ones(2, 4)).std(0)
    >>> probabilities.shape, spread.shape
    ((2, 3), (2, 3))
    """

    def __init__(self, members: Iterable[Module], activation: Any = None) -> None:
        super().__init__()
        self.members = ModuleList(members)
        if not len(self.members):
            raise ValueError("Ensemble: expected at least one member")
        self.activation = None if activation is None else activation_module(activation)

    def outputs(self, *inputs: Any) -> Any:
        """What each member says, shape (members, ...)."""
        outputs = (member(*inputs) for member in self.members)
        return stack([y if self.activation is None else self.activation(y) for y in outputs])

    def forward(self, *inputs: Any) -> Any:
        return self.outputs(*inputs).mean(0)


def bootstrap(n: int, *, generator: Generator | None = None) -> Tensor:
    """`n` indices below `n`, drawn with replacement: the examples that one member of a bagged ensemble learns from.

    About 37 % of the examples are not among them.

    Breiman, "Bagging predictors" (1996).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.models.bootstrap(5, generator=ag.Generator(0))
    tensor([4, 3, 2, 1, 1])
    """
    return randint(0, n, (n,), generator=generator)
