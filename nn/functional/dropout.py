"""Dropout: elements or whole channels set to zero at random, in training."""

from __future__ import annotations

import math
from typing import Any

from autograd_core import Generator, as_tensor, rand, where

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]

SATURATION = -1.7580993408473766
"""What SELU tends to at -inf: minus its scale times its alpha."""


def _kept(operation: str, p: float, training: bool, shape: tuple[int, ...], generator: Generator | None) -> Any:
    """True, with probability ``1 - p``, where to keep; None if all is kept without drawing."""
    if not 0 <= p <= 1:
        raise ValueError(f"{operation}: expected a probability p in [0, 1], got {p}")
    return rand(*shape, generator=generator) >= p if training and p else None


def _dropped(
    operation: str, input: Any, p: float, training: bool, shape: tuple[int, ...], generator: Generator | None
) -> Any:
    kept = _kept(operation, p, training, shape, generator)
    return input if kept is None else where(kept, input * (1 / (1 - p) if p < 1 else 0.0), 0.0)


def dropout(input: Any, p: float = 0.5, training: bool = True, *, generator: Generator | None = None) -> Any:
    """In training, every element set to 0 with probability `p`, and the others divided by ``1 - p``.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).

    Parameters
    ----------
    input : any shape
    p : in [0, 1]; 1 gives zeros, with gradient 0
    training : False to give the input as it is
    generator : draws what is dropped; the default generator if None

    Raises
    ------
    ValueError
        If `p` is not a probability.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.dropout(ag.ones(6), 0.5, generator=ag.Generator(0))
    tensor([2., 2., 2., 0., 0., 0.])
    """
    input = as_tensor(input)
    return _dropped("dropout", input, p, training, input.shape, generator)


def _channels(operation: str, n: int, input: Any) -> tuple[int, ...]:
    """The shape of one number for each channel: of (N, C, ...), or of (C, ...) with one dimension less."""
    if input.ndim not in (n + 1, n + 2):
        raise ValueError(f"{operation}: expected input of {n + 1} or {n + 2} dimensions, got shape {input.shape}")
    return (*input.shape[:-n], *(1,) * n)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, *, generator: Generator | None = None) -> Any:
    """As :func:`dropout`, for whole channels of (N, C, length) or (C, length).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.dropout1d(ag.ones(2, 3), 0.5, generator=ag.Generator(1))
    tensor([[0., 0., 0.],
            [2., 2., 2.]])
    """
    input = as_tensor(input)
    return _dropped("dropout1d", input, p, training, _channels("dropout1d", 1, input), generator)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, *, generator: Generator | None = None) -> Any:
    """As :func:`dropout`, for whole channels of (N, C, height, width) or (C, height, width).

    Tompson et al., "Efficient object localization using convolutional networks" (2015), section 3.2.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.dropout2d(ag.ones(2, 1, 3), 0.5, generator=ag.Generator(1)).flatten()
    tensor([0., 0., 0., 2., 2., 2.])
    """
    input = as_tensor(input)
    return _dropped("dropout2d", input, p, training, _channels("dropout2d", 2, input), generator)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, *, generator: Generator | None = None) -> Any:
    """As :func:`dropout`, for whole channels of (N, C, depth, height, width) or (C, depth, height, width).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.dropout3d(ag.ones(1, 2, 2, 2), p=0.0).sum()
    tensor(8.)
    """
    input = as_tensor(input)
    return _dropped("dropout3d", input, p, training, _channels("dropout3d", 3, input), generator)


def _alpha_dropped(
    operation: str, input: Any, p: float, training: bool, shape: tuple[int, ...], generator: Generator | None
) -> Any:
    kept = _kept(operation, p, training, shape, generator)
    if kept is None:
        return input
    if p == 1:
        return where(kept, input, 0.0)
    scale = 1 / math.sqrt((1 - p) * (1 + p * SATURATION**2))
    return where(kept, input, SATURATION) * scale - scale * p * SATURATION


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, *, generator: Generator | None = None) -> Any:
    """In training, every element set to where SELU saturates with probability `p`; then mean 0 and variance 1 restored.

    Klambauer et al., "Self-normalizing neural networks" (2017), section "New dropout technique".  Arguments and errors
    as for :func:`dropout`, but `training` is off by default, as in PyTorch.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.alpha_dropout(ag.zeros(4), 0.5, training=True, generator=ag.Generator(0))
    tensor([ 0.7792,  0.7792,  0.7792, -0.7792])
    """
    input = as_tensor(input)
    return _alpha_dropped("alpha_dropout", input, p, training, input.shape, generator)


def feature_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, *, generator: Generator | None = None
) -> Any:
    """As :func:`alpha_dropout`, for whole channels of (N, C, ...).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.feature_alpha_dropout(ag.zeros(1, 2, 2), 0.5, training=True, generator=ag.Generator(1))
    tensor([[[-0.7792, -0.7792],
             [ 0.7792,  0.7792]]])
    """
    input = as_tensor(input)
    if input.ndim < 2:
        raise ValueError(f"feature_alpha_dropout: expected input of shape (N, C, ...), got {input.shape}")
    shape = (*input.shape[:2], *(1,) * (input.ndim - 2))
    return _alpha_dropped("feature_alpha_dropout", input, p, training, shape, generator)
