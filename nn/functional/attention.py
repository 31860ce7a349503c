"""Attention, and how it is told about positions."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from autograd_core import (
    Generator,
    as_tensor,
    get_default_dtype,
    matmul,
    repeat_interleave,
    reshape,
    stack,
    tensor,
    where,
)
from autograd_core.ops.softmax import masked_softmax

from .dropout import dropout

__all__ = ["rotary_embedding", "scaled_dot_product_attention", "sinusoidal_encoding"]


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
    summand = None
    if is_causal:
        if attn_mask is not None:
            raise ValueError(f"{operation}: give attn_mask or is_causal=True, not both")
        summand = causal_summand(query.shape[-2], key.shape[-2], query.dtype)
    elif attn_mask is not None:
        attn_mask = as_tensor(attn_mask)
        allowed = attn_mask.dtype.kind == "b"
        summand = where(attn_mask, np.zeros((), query.dtype), -np.inf) if allowed else attn_mask
    weights = attention_weights(query, key, summand, scale)
    return matmul(dropout(weights, dropout_p, generator=generator), value)


def _divide(heads: list[int]) -> bool:
    """Whether the second and third number divide the first."""
    return min(heads) > 0 and heads[0] % heads[1] == 0 == heads[0] % heads[2]


def attention_weights(query: Any, key: Any, summand: Any = None, scale: float | None = None) -> Any:
    """How much of each value goes into each result, (..., L, S): ``softmax(query key' * scale + summand)``.

    A summand of -inf forbids, and a row where all is forbidden has zeros.
    """
    scores = matmul(query * (1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale), key.mT)
    return masked_softmax(scores if summand is None else scores + summand, -1)


def causal_summand(length: int, source: int, dtype: Any) -> np.ndarray:
    """0 up to one's own position, -inf after it."""
    return np.where(np.tri(length, source, dtype=np.bool_), np.zeros((), dtype), -np.inf)


def sinusoidal_encoding(length: int, d_model: int, base: float = 10000.0, *, dtype: Any = None) -> Any:
    """``sin(p / base**(2 i / d_model))`` at 2 i and the cosine at 2 i + 1, for the positions p from 0.

    Vaswani et al., "Attention is all you need" (2017), section 3.5.

    Parameters
    ----------
    length : how many positions
    d_model : how many numbers for each; if it is odd, the last is a sine
    base : the longest wavelength over 2 pi
    dtype : the default dtype if not given

    Returns
    -------
    Tensor, shape (length, d_model)

    Examples
    --------
    >>> from autograd_core import nn
    >>> nn.functional.sinusoidal_encoding(2, 4)
    tensor([[0.    , 1.    , 0.    , 1.    ],
            [0.8415, 0.5403, 0.01  , 0.9999]])
    """
    if length < 0 or d_model < 0:
        raise ValueError(f"sinusoidal_encoding: expected sizes of at least 0, got {length} and {d_model}")
    return tensor(_sinusoids(length, d_model, base, np.dtype(dtype or get_default_dtype())))


@functools.lru_cache(maxsize=16)
def _sinusoids(length: int, d_model: int, base: float, dtype: np.dtype[Any]) -> np.ndarray:
    """The table of the encoding; kept, as a model asks for the same one in every step."""
    angles = np.arange(length)[:, None] * _frequencies(d_model, base)
    table = np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, -1)[:, :d_model].astype(dtype)
    table.flags.writeable = False
    return table


def _frequencies(d_model: int, base: float) -> np.ndarray:
    return base ** (-np.arange(0, d_model, 2) / max(d_model, 1))


def rotary_embedding(input: Any, positions: Any = None, base: float = 10000.0) -> Any:
    """Every pair of neighbouring numbers turned by an angle that grows with the position.

    Of queries and keys turned so, the product depends on the distance of their positions alone.  Su et al., "RoFormer"
    (2021), eq. 34: at position p, numbers 2 i and 2 i + 1 are turned by ``p / base**(2 i / E)``.

    Parameters
    ----------
    input : shape (..., L, E), E even
    positions : broadcasts to (..., L); 0 .. L - 1 by default
    base : the longest wavelength over 2 pi

    Returns
    -------
    Tensor, of the shape of `input`

    Raises
    ------
    ValueError
        If E is odd, or there are fewer than two dimensions.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.rotary_embedding(ag.tensor([[1.0, 0.0], [1.0, 0.0]]))
    tensor([[1.    , 0.    ],
            [0.5403, 0.8415]])
    """
    input = as_tensor(input)
    if input.ndim < 2 or input.shape[-1] % 2:
        raise ValueError(f"rotary_embedding: expected input of shape (..., L, E) with an even E, got {input.shape}")
    positions = np.arange(input.shape[-2]) if positions is None else as_tensor(positions).to(np.float64)
    angles = positions[..., None] * _frequencies(input.shape[-1], base)
    cos, sin = np.cos(angles).astype(input.dtype), np.sin(angles).astype(input.dtype)
    first, second = input[..., ::2], input[..., 1::2]
    turned = stack([first * cos - second * sin, first * sin + second * cos], -1)
    return reshape(turned, turned.shape[:-2] + input.shape[-1:])
