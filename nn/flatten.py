"""The layers between images and a fully connected network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_core import flatten, unflatten

from .function_module import FunctionModule
from .module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(FunctionModule):
    """The dimensions from `start_dim` to `end_dim` merged into one; by default all but the batch's.

    Parameters
    ----------
    start_dim, end_dim : int

    Shape: input (N, *sizes), output (N, product of the sizes).

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Flatten()(ag.zeros(5, 2, 3)).shape
    (5, 6)
    """

    function = staticmethod(flatten)

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__(start_dim=start_dim, end_dim=end_dim)


class Unflatten(Module):
    """The dimension `dim` split into several: undoes :class:`Flatten`.

    Parameters
    ----------
    dim : int
    unflattened_size : sequence of int
        The sizes, one of which may be -1: what is left.

    Shape: input (*, size, *), output (*, *unflattened_size, *).

    Raises
    ------
    ValueError
        If more than one size is -1, or they do not multiply to that of the dimension.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Unflatten(1, (2, 3))(ag.zeros(5, 6)).shape
    (5, 2, 3)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, Sequence) or list(unflattened_size).count(-1) > 1:
            raise ValueError(
                f"Unflatten: expected unflattened_size to be integers, at most one of them -1, got {unflattened_size!r}"
            )
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Any) -> Any:
        return unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
