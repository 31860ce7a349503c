"""The layer that is a function with options, and has no parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from .module import Module

__all__ = ["FunctionModule"]


class FunctionModule(Module):
    """A function of tensors together with its options: activations, losses, pooling.

    A subclass names the function, and lists the options in the signature of its ``__init__``.

    Parameters
    ----------
    **options
        Passed to the function by name, every time; they become attributes, which may be changed.

    Attributes
    ----------
    function : what to call with the inputs and the options, given by the subclass

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> class Clamp(nn.FunctionModule):
    ...     function = staticmethod(ag.clamp)
    ...
    ...     def __init__(self, min=0.0, max=1.0):
    ...         super().__init__(min=min, max=max)
    >>> Clamp(max=2.0)
    Clamp(min=0.0, max=2.0)
    >>> Clamp(max=2.0)(ag.tensor([-1.0, 1.0, 3.0]))
    tensor([0., 1., 2.])
    """

    function: ClassVar[Callable[..., Any]]

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._options = tuple(options)
        for name, value in options.items():
            setattr(self, name, value)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return type(self).function(*inputs, **named, **{name: getattr(self, name) for name in self._options})

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self._options)
