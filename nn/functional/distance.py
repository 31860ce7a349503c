"""How far vectors are apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import as_tensor, clamp_min, getitem, norm, where
from autograd_core.ops.casting import floating

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]


def _pair(x1: Any, x2: Any) -> tuple[Any, Any]:
    return floating(as_tensor(x1)), floating(as_tensor(x2))


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """``x1 . x2 / (max(|x1|, eps) max(|x2|, eps))`` over `dim`; with a zero vector 0, and gradient 0.

    Parameters
    ----------
    x1, x2 : shapes that broadcast

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.cosine_similarity(ag.tensor([3.0, 4.0]), ag.tensor([4.0, 3.0]), dim=0)
    tensor(0.96)
    """
    units = []
    common = np.broadcast_shapes(np.shape(x1), np.shape(x2))
    for x in _pair(x1, x2):
        x = x.expand(common)
        size = norm(x, 2, dim, keepdim=True)
        units.append(where(size == 0, 0.0, x / clamp_min(size, eps)))
    return (units[0] * units[1]).sum(dim)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """``norm(x1 - x2 + eps, p)`` over the last dimension.

    Parameters
    ----------
    x1, x2 : shapes (N, D) or (D,) that broadcast

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.pairwise_distance(ag.tensor([3.0, 4.0]), ag.zeros(2))
    tensor(5.)
    """
    x1, x2 = _pair(x1, x2)
    return norm(x1 - x2 + eps, p, -1, keepdim)


def pdist(input: Any, p: float = 2.0) -> Any:
    """The distances ``norm(input[i] - input[j], p)`` of all pairs of rows i < j, in order; gradient 0 at distance 0.

    Parameters
    ----------
    input : shape (N, M)

    Returns
    -------
    Tensor, shape (N (N - 1) / 2,)

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.pdist(ag.tensor([[0.0], [1.0], [3.0]]))
    tensor([1., 3., 2.])
    """
    input = floating(as_tensor(input))
    if input.ndim != 2:
        raise ValueError(f"pdist: expected input of shape (N, M), got {input.shape}")
    first, second = np.triu_indices(input.shape[0], 1)
    return norm(getitem(input, first) - getitem(input, second), p, 1)
