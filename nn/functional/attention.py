"""Attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_core import Generator, as_tensor, isneginf, matmul, repeat_interleave, softmax, where

from .dropout import dropout

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """``softmax(query key' * scale + mask) value``.

    Vaswani et al., "Attention is all you need" (2017), eq. 1.

    Parameters
    ----------
    query : shape (..., L, E)
    key : shape (..., S, E)
    value : shape (..., S, Ev)
    attn_mask : broadcasts to (..., L, S): bool, True where to attend; or floating, added to the scores
        A row where nothing may be attended gives zeros, with gradient 0.
    dropout_p : the share of the weights that is dropped; not only in training
    is_causal : attend only to positions not after one's own; not together with `attn_mask`
    scale : ``1 / sqrt(E)`` by default
    enable_gqa : repeat the heads (dimension -3) of key and value to those of the query
    generator : draws what is dropped

    Returns
    -------
    Tensor, shape (..., L, Ev)

    Raises
    ------
    ValueError
        If shapes do not fit, or both kinds of masks are given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> q, k, v = ag.ones(1, 2), ag.tensor([[1.0, 1.0], [0.0, 0.0]]), ag.eye(2)
    >>> nn.functional.scaled_dot_product_attention(q, k, v)
    tensor([[0.8044, 0.1956]])
    """
    operation = "scaled_dot_product_attention"
    query, key, value = as_tensor(query), as_tensor(key), as_tensor(value)
    if (
        min(query.ndim, key.ndim, value.ndim) < 2
        or query.shape[-1] != key.shape[-1]
        or key.shape[-2] != value.shape[-2]
    ):
        raise ValueError(
            f"{operation}: expected query (..., L, E), key (..., S, E) and value (..., S, Ev), got {query.shape}, "
            f"{key.shape} and {value.shape}"
        )
    if enable_gqa:
        heads = [x.shape[-3] if x.ndim > 2 else 0 for x in (query, key, value)]
        if not _divide(heads):
            raise ValueError(f"{operation}: the heads of key and value must divide the query's, got {heads}")
        key, value = (repeat_interleave(x, heads[0] // x.shape[-3], -3) for x in (key, value))
    scores = matmul(query * (1 / math.sqrt(query.shape[-1]) if scale is None else scale), key.mT)
    if is_causal:
        if attn_mask is not None:
            raise ValueError(f"{operation}: give attn_mask or is_causal=True, not both")
        scores = where(np.tri(*scores.shape[-2:], dtype=np.bool_), scores, -np.inf)
    weights = softmax(scores, -1) if attn_mask is None else _masked_softmax(scores, as_tensor(attn_mask))
    return matmul(dropout(weights, dropout_p, generator=generator), value)


def _divide(heads: list[int]) -> bool:
    """Whether the second and third number divide the first."""
    return min(heads) > 0 and heads[0] % heads[1] == 0 == heads[0] % heads[2]


def _masked_softmax(scores: Any, mask: Any) -> Any:
    """The softmax over the last dimension of what the mask leaves; zeros where it leaves nothing."""
    scores = where(mask, scores, -np.inf) if mask.dtype.kind == "b" else scores + mask
    nothing = isneginf(scores).all(-1, keepdim=True)
    return where(nothing, 0.0, softmax(where(nothing, 0.0, scores), -1))
