"""Limits for gradients, by their norm or by value."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import Tensor, clamp, no_grad, stack, tensor
from autograd_core.linalg import vector_norm

from .. import checks

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _listed(operation: str, tensors: Any) -> list[Tensor]:
    found = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    for entry in found:
        if not isinstance(entry, Tensor):
            raise TypeError(f"{operation}: expected a tensor or an iterable of tensors, got a {type(entry).__name__}")
    return found


def _gradients(operation: str, parameters: Any) -> list[Tensor]:
    gradients = (p.grad for p in _listed(operation, parameters))
    return [g for g in gradients if g is not None]


def _total_norm(operation: str, tensors: list[Tensor], norm_type: float, error_if_nonfinite: bool) -> Tensor:
    if not tensors:
        return tensor(0.0)
    with no_grad():
        total: Tensor = vector_norm(stack([vector_norm(g, norm_type) for g in tensors]), norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"{operation}: the norm of order {norm_type} of the gradients is {total.item()}; "
            f"with error_if_nonfinite=False they would be scaled by it all the same"
        )
    return total


def get_total_norm(tensors: Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """The norm of all elements of all tensors together, as a 0-d tensor without history.

    Parameters
    ----------
    tensors : tensor, or iterable of tensors
    norm_type : float
        The order; ``inf`` for the largest absolute value.
    error_if_nonfinite : bool
        Raise if the norm is infinite or NaN.  In a compiled function it must be False, as that asks for a value.

    Raises
    ------
    RuntimeError
        If the norm is not finite, on request.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.utils.get_total_norm([ag.tensor([3.0, 0.0]), ag.tensor([[4.0]])])
    tensor(5.)
    """
    return _total_norm("get_total_norm", _listed("get_total_norm", tensors), norm_type, error_if_nonfinite)


def _scale(gradients: list[Tensor], max_norm: float, total_norm: Tensor) -> None:
    # An infinite gradient becomes NaN: that is for the caller to see, not for NumPy to warn about.
    with no_grad(), np.errstate(invalid="ignore"):
        factor = clamp(max_norm / (total_norm + 1e-6), max=1.0)
        for g in gradients:
            g.copy_(g * factor)


def clip_grads_with_norm_(parameters: Iterable[Tensor], max_norm: float, total_norm: Tensor) -> None:
    """Scale the gradients, in place, by ``min(1, max_norm / (total_norm + 1e-6))``.

    Parameters
    ----------
    parameters : tensor, or iterable of tensors
        Those without a gradient are left out.
    max_norm : float
    total_norm : Tensor
        See :func:`get_total_norm`.
    """
    checks.not_negative("clip_grads_with_norm_", max_norm=max_norm)
    _scale(_gradients("clip_grads_with_norm_", parameters), max_norm, total_norm)


def clip_grad_norm_(
    parameters: Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale all gradients alike, in place, so that their norm together is at most `max_norm`.

    The factor is ``min(1, max_norm / (norm + 1e-6))``.  Pascanu, Mikolov & Bengio, "On the difficulty of training
    recurrent neural networks" (2013), algorithm 1.

    Parameters
    ----------
    parameters : tensor, or iterable of tensors
        Those without a gradient are left out.
    max_norm : float
    norm_type : float
        The order; ``inf`` for the largest absolute value.
    error_if_nonfinite : bool
        Raise, before anything is changed, if the norm is infinite or NaN.  In a compiled function it must be False, as
        that asks for a value.

    Returns
    -------
    The norm before, as a 0-d tensor

    Raises
    ------
    RuntimeError
        If the norm is not finite, on request.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> w = ag.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> nn.utils.clip_grad_norm_([w], max_norm=1.0)
    tensor(10.)
    >>> w.grad
    tensor([0.6, 0.8])
    """
    checks.not_negative("clip_grad_norm_", max_norm=max_norm)
    gradients = _gradients("clip_grad_norm_", parameters)
    total = _total_norm("clip_grad_norm_", gradients, norm_type, error_if_nonfinite)
    _scale(gradients, max_norm, total)
    return total


def clip_grad_value_(parameters: Iterable[Tensor], clip_value: float) -> None:
    """Limit every element of every gradient to [-clip_value, clip_value], in place.

    Parameters
    ----------
    parameters : tensor, or iterable of tensors
        Those without a gradient are left out.
    clip_value : float

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> w = ag.tensor([0.25, -4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> nn.utils.clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([ 0.5, -1. ])
    """
    checks.not_negative("clip_grad_value_", clip_value=clip_value)
    with no_grad():
        for g in _gradients("clip_grad_value_", parameters):
            g.copy_(clamp(g, -clip_value, clip_value))
