"""The parameter: a tensor that a module owns and training changes."""

from __future__ import annotations

from typing import Any

from autograd_core import Tensor

__all__ = ["Parameter"]


class Parameter(Tensor):
    """A leaf tensor that requires a gradient; a :class:`Module` finds it among its attributes.

    What is computed with a parameter is a plain tensor.

    Parameters
    ----------
    data : array, scalar, nested list or tensor, of a floating dtype
        Copied.  Two modules share a parameter by holding the same object.
    requires_grad : bool
        False for a parameter that training leaves as it is.
    name : str, optional
        Shown in pictures and errors.

    Raises
    ------
    TypeError
        If the data are not floating and a gradient is required.

    Examples
    --------
    >>> from autograd_core import nn
    >>> nn.Parameter([1.0, 2.0])
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, name: str | None = None) -> None:
        super().__init__(data, requires_grad=requires_grad, name=name)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
