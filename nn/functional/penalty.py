"""Penalties on the size of parameters, to be added to a loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd_core import Tensor, tensor

from .. import checks

__all__ = ["elastic_net_penalty", "l1_penalty", "l2_penalty"]


def _tensors(operation: str, parameters: Any) -> list[Tensor]:
    """The tensors of an iterable of tensors or (name, tensor) pairs, or the only one."""
    given: list[Any] = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    found = [entry[1] if isinstance(entry, tuple) and len(entry) == 2 else entry for entry in given]
    for entry in found:
        if not isinstance(entry, Tensor):
            raise TypeError(f"{operation}: expected tensors or (name, tensor) pairs, got a {type(entry).__name__}")
    return found


def _total(parts: list[Tensor]) -> Tensor:
    return sum(parts[1:], parts[0]) if parts else tensor(0.0)


def l1_penalty(parameters: Iterable[Any], strength: float = 1.0) -> Tensor:
    """``strength * sum(|p|)`` over all elements of all parameters; it makes many of them 0.

    The gradient is ``strength * sign(p)``, and 0 at 0.

    Parameters
    ----------
    parameters : iterable of tensors or of (name, tensor) pairs
    strength : float
        At least 0.

    Returns
    -------
    0-d tensor

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.l1_penalty([ag.tensor([1.0, -2.0]), ag.tensor(3.0)], 0.5)
    tensor(3.)
    """
    checks.not_negative("l1_penalty", strength=strength)
    return strength * _total([abs(p).sum() for p in _tensors("l1_penalty", parameters)])


def l2_penalty(parameters: Iterable[Any], strength: float = 1.0) -> Tensor:
    """``strength / 2 * sum(p**2)`` over all elements of all parameters; it keeps them small.

    The gradient is ``strength * p``: with plain SGD, or momentum, it acts as ``weight_decay=strength`` does.

    Parameters
    ----------
    parameters : iterable of tensors or of (name, tensor) pairs
    strength : float
        At least 0.

    Returns
    -------
    0-d tensor

    Examples
    --------
    Of the weights, but not the biases:

    >>> from autograd_core import nn
    >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> for p in net.parameters():
    ...     _ = nn.init.ones_(p)
    >>> weights = [p for name, p in net.named_parameters() if name.endswith("weight")]
    >>> nn.functional.l2_penalty(weights).item(), nn.functional.l2_penalty(net.named_parameters()).item()
    (3.0, 4.5)
    """
    checks.not_negative("l2_penalty", strength=strength)
    return strength / 2 * _total([(p * p).sum() for p in _tensors("l2_penalty", parameters)])


def elastic_net_penalty(parameters: Iterable[Any], strength: float = 1.0, l1_ratio: float = 0.5) -> Tensor:
    """``strength * (l1_ratio * sum(|p|) + (1 - l1_ratio) / 2 * sum(p**2))`` over all elements of all parameters.

    Zou & Hastie, "Regularization and variable selection via the elastic net" (2005), in scikit-learn's form.

    Parameters
    ----------
    parameters : iterable of tensors or of (name, tensor) pairs
    strength : float
        At least 0.
    l1_ratio : float
        From 0, the L2 penalty, to 1, the L1 penalty.

    Returns
    -------
    0-d tensor

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.elastic_net_penalty([ag.tensor([1.0, -3.0])], l1_ratio=0.25)
    tensor(4.75)
    """
    checks.not_negative("elastic_net_penalty", strength=strength)
    checks.share("elastic_net_penalty", l1_ratio=l1_ratio)
    found = _tensors("elastic_net_penalty", parameters)
    return l1_penalty(found, strength * l1_ratio) + l2_penalty(found, strength * (1 - l1_ratio))
