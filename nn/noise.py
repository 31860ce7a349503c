"""Noise added to what passes, in training."""

from __future__ import annotations

from typing import Any

from autograd_core import as_tensor, randn_like
from autograd_core.ops.casting import floating

from .module import Module

__all__ = ["GaussianNoise"]


class GaussianNoise(Module):
    """In training, ``x + std * noise`` with noise of the standard normal distribution; in evaluation the input.

    Small noise acts as a penalty on the squared gradient of the output by the input: Bishop, "Training with noise is
    equivalent to Tikhonov regularization" (1995).

    Parameters
    ----------
    std : float
        The standard deviation of the noise, at least 0.

    Raises
    ------
    ValueError
        If `std` is negative.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.nn.noise import GaussianNoise
    >>> _ = ag.manual_seed(0)
    >>> layer = GaussianNoise(0.1)
    >>> print(f"{layer(ag.zeros(100_000)).std().item():.2f}")
    0.10
    >>> layer.eval()(ag.zeros(2))
    tensor([0., 0.])
    """

    def __init__(self, std: float) -> None:
        super().__init__()
        if not std >= 0:
            raise ValueError(f"GaussianNoise: std must be at least 0, got {std}")
        self.std = std

    def forward(self, input: Any) -> Any:
        input = floating(as_tensor(input))
        return input + self.std * randn_like(input) if self.training and self.std else input

    def extra_repr(self) -> str:
        return f"std={self.std}"
