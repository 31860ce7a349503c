"""The layer between images and a fully connected network."""

from __future__ import annotations

from typing import Any

from autograd_core import flatten

from .module import Module

__all__ = ["Flatten"]


class Flatten(Module):
    """The dimensions from `start_dim` to `end_dim` merged into one; by default all but the batch's.

    Parameters
    ----------
    start_dim, end_dim : int

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Flatten()(ag.zeros(5, 2, 3)).shape
    (5, 6)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
