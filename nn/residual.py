"""The residual connection."""

from __future__ import annotations

from typing import Any

from .module import Module

__all__ = ["Residual"]


class Residual(Module):
    """``input + module(input)``: the module only learns what to change.

    He et al., "Deep residual learning for image recognition" (2016), eq. 1 and 2.

    Parameters
    ----------
    module : Module
        What is to be learned.
    shortcut : Module, optional
        What the input goes through beside it, where the shapes differ; nothing by default.

    Raises
    ------
    ValueError
        If the module changes the shape, and the shortcut does not change it likewise.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Residual(nn.ReLU())(ag.tensor([-1.0, 2.0]))
    tensor([-1.,  4.])
    >>> nn.Residual(nn.Linear(4, 2), shortcut=nn.Linear(4, 2, bias=False))(ag.ones(3, 4)).shape
    (3, 2)
    """

    def __init__(self, module: Module, shortcut: Module | None = None) -> None:
        super().__init__()
        for name, given in (("module", module), ("shortcut", shortcut)):
            if not isinstance(given, Module) and (name == "module" or given is not None):
                raise TypeError(f"Residual: expected {name} to be a Module, got {given!r:.60}")
        self.module, self.shortcut = module, shortcut

    def forward(self, input: Any) -> Any:
        past = input if self.shortcut is None else self.shortcut(input)
        change = self.module(input)
        if past.shape != change.shape:
            raise ValueError(
                f"Residual: the module gives shape {change.shape} and the way past it {past.shape}; give a shortcut "
                f"that changes the shape likewise"
            )
        return past + change
