"""Multi-head attention."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd_core import as_tensor, cat, empty, expand, matmul, reshape, split, transpose, unsqueeze, where, zeros

from . import checks, init
from . import functional as F
from .functional.attention import attention_weights, causal_summand
from .linear import Linear
from .module import Module
from .parameter import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """``concat(head_1, ..., head_h) W_o``, where a head is attention among its own projections of the inputs.

    Vaswani et al., "Attention is all you need" (2017), section 3.2.2.

    Parameters
    ----------
    embed_dim : int
        The size of queries and results, E; every head has ``embed_dim / num_heads`` of it.
    num_heads : int
        How many heads, H.
    dropout : float
        The share of the attention weights that is dropped in training.
    bias : bool
        Whether the projections have biases.
    add_bias_kv : bool
        Whether there is one more key and value for all to attend to, which are learned.
    add_zero_attn : bool
        Whether there is one more key and value, of zeros.
    kdim, vdim : int, optional
        The size of keys and values; `embed_dim` if not given.
    batch_first : bool
        Whether inputs and results are (N, L, E) instead of (L, N, E).
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    in_proj_weight : Parameter, shape (3 E, E), for queries, keys and values; None if these differ in size
    q_proj_weight, k_proj_weight, v_proj_weight : Parameters, shapes (E, E), (E, kdim), (E, vdim), in its place
    in_proj_bias : Parameter, shape (3 E,), or None
    out_proj : Linear
    bias_k, bias_v : Parameters, shape (1, 1, E), or None

    Raises
    ------
    ValueError
        If a size is not positive, the heads do not divide `embed_dim`, or shapes do not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> attention = nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = ag.randn(5, 3, 8)
    >>> out, weights = attention(x, x, x)
    >>> out.shape, weights.shape
    ((5, 3, 8), (5, 3, 3))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.embed_dim, self.num_heads = operator.index(embed_dim), operator.index(num_heads)
        self.kdim = self.embed_dim if kdim is None else operator.index(kdim)
        self.vdim = self.embed_dim if vdim is None else operator.index(vdim)
        sizes = {"embed_dim": self.embed_dim, "num_heads": self.num_heads, "kdim": self.kdim, "vdim": self.vdim}
        checks.positive("MultiheadAttention", **sizes)
        if self.embed_dim % self.num_heads:
            raise ValueError(
                f"MultiheadAttention: embed_dim must be a multiple of num_heads, got {embed_dim} and {num_heads}"
            )
        checks.share("MultiheadAttention", dropout=dropout)
        self.dropout, self.add_zero_attn, self.batch_first = dropout, add_zero_attn, batch_first
        size, alike = self.embed_dim, self.kdim == self.vdim == self.embed_dim
        self.in_proj_weight = Parameter(empty(3 * size, size, dtype=dtype)) if alike else None
        self.q_proj_weight = None if alike else Parameter(empty(size, size, dtype=dtype))
        self.k_proj_weight = None if alike else Parameter(empty(size, self.kdim, dtype=dtype))
        self.v_proj_weight = None if alike else Parameter(empty(size, self.vdim, dtype=dtype))
        self.in_proj_bias = Parameter(empty(3 * size, dtype=dtype)) if bias else None
        self.out_proj = Linear(size, size, bias, dtype=dtype)
        self.bias_k = Parameter(empty(1, 1, size, dtype=dtype)) if add_bias_kv else None
        self.bias_v = Parameter(empty(1, 1, size, dtype=dtype)) if add_bias_kv else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew: Glorot's uniform for the projections, his normal for `bias_k` and `bias_v`."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        self.out_proj.reset_parameters()
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """Attend.

        Parameters
        ----------
        query : shape (L, N, E), or (N, L, E) if `batch_first`, or (L, E) without a batch
        key, value : the same with S in place of L, and kdim and vdim in place of E
        key_padding_mask : shape (N, S), or (S,) without a batch: bool, True where not to attend; or floating, added to
            the scores
        need_weights : whether to give the weights too
        attn_mask : shape (L, S) or (N H, L, S): bool, True where not to attend; or floating, added to the scores
            A row where nothing may be attended gives zeros, with gradient 0.
        average_attn_weights : give the mean of the weights over the heads, not each
        is_causal : attend only to positions not after one's own; where there is an `attn_mask`, that alone counts

        Returns
        -------
        tuple
            The result, in the shape of `query`; and the weights, shape (N, L, S) or (N, H, L, S), or None.
        """
        given = as_tensor(query), as_tensor(key), as_tensor(value)
        batched = given[0].ndim == 3
        q, k, v = self._projected(*self._batch_first(*given))
        if is_causal and attn_mask is None:
            attn_mask = causal_summand(q.shape[1], k.shape[1], q.dtype)
        summand = self._summand(attn_mask, key_padding_mask, q, k, batched)
        k, v, summand = self._with_more(k, v, summand)
        heads = self.num_heads, self.embed_dim // self.num_heads
        q, k, v = (transpose(reshape(x, (*x.shape[:2], *heads)), 1, 2) for x in (q, k, v))
        weights = F.dropout(attention_weights(q, k, summand), self.dropout, self.training)
        mixed = transpose(matmul(weights, v), 1, 2)
        out = self.out_proj(reshape(mixed, (*mixed.shape[:2], self.embed_dim)))
        shown = (weights.mean(1) if average_attn_weights else weights) if need_weights else None
        if not batched:
            return out[0], None if shown is None else shown[0]
        return out if self.batch_first else transpose(out, 0, 1), shown

    def _batch_first(self, *given: Any) -> tuple[Any, ...]:
        """The inputs as (N, L, E); one that is given several times stays one."""
        query, key, value = given
        sizes = self.embed_dim, self.kdim, self.vdim
        fits = all(x.ndim == query.ndim and x.shape[-1] == n for x, n in zip(given, sizes, strict=True))
        if not fits or query.ndim not in (2, 3) or key.shape[:-1] != value.shape[:-1]:
            raise ValueError(self._expected(query, key, value))
        if query.ndim == 2:
            one = {id(x): unsqueeze(x, 0) for x in given}
        else:
            one = {id(x): x if self.batch_first else transpose(x, 0, 1) for x in given}
            if one[id(query)].shape[0] != one[id(key)].shape[0]:
                raise ValueError(self._expected(query, key, value))
        return tuple(one[id(x)] for x in given)

    def _expected(self, *given: Any) -> str:
        forms = [f"(N, {n}, {size})" if self.batch_first else f"({n}, N, {size})" for n, size in
                 zip("LSS", (self.embed_dim, self.kdim, self.vdim), strict=True)]  # fmt: skip
        return (
            f"MultiheadAttention: expected query {forms[0]}, key {forms[1]} and value {forms[2]}, or all three without "
            f"N, got {', '.join(str(x.shape) for x in given)}"
        )

    def _projected(self, query: Any, key: Any, value: Any) -> list[Any]:
        """Queries, keys and values of all heads, side by side: (N, L, E)."""
        if query is key is value and self.in_proj_weight is not None:
            return list(split(F.linear(query, self.in_proj_weight, self.in_proj_bias), self.embed_dim, -1))
        weights = (
            [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
            if self.in_proj_weight is None
            else split(self.in_proj_weight, self.embed_dim)
        )
        biases = [None] * 3 if self.in_proj_bias is None else split(self.in_proj_bias, self.embed_dim)
        return [F.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)]

    def _summand(self, attn_mask: Any, key_padding_mask: Any, q: Any, k: Any, batched: bool) -> Any:
        """What the masks add to the scores, broadcasting to (N, H, L, S); None if there are none."""
        (n, length, _), source, heads = q.shape, k.shape[1], self.num_heads
        summands = []
        if attn_mask is not None:
            mask = _additive("attn_mask", attn_mask, q.dtype, (length, source), (n * heads, length, source))
            summands.append(mask if mask.ndim == 2 else reshape(mask, (n, heads, length, source)))
        if key_padding_mask is not None:
            mask = _additive("key_padding_mask", key_padding_mask, q.dtype, (n, source) if batched else (source,))
            summands.append(reshape(mask, (n, 1, 1, source)))
        return sum(summands[1:], summands[0]) if summands else None

    def _with_more(self, k: Any, v: Any, summand: Any) -> tuple[Any, Any, Any]:
        """With the keys and values that are added, which everyone may attend to."""
        before = k.shape[1]
        if self.bias_k is not None and self.bias_v is not None:
            shape = (k.shape[0], 1, self.embed_dim)
            k, v = cat([k, expand(self.bias_k, shape)], 1), cat([v, expand(self.bias_v, shape)], 1)
        if self.add_zero_attn:
            nothing = zeros(k.shape[0], 1, self.embed_dim, dtype=k.dtype)
            k, v = cat([k, nothing], 1), cat([v, nothing], 1)
        more = k.shape[1] - before
        if summand is not None and more:
            summand = cat([summand, zeros(*summand.shape[:-1], more, dtype=summand.dtype)], -1)
        return k, v, summand

    def extra_repr(self) -> str:
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, batch_first={self.batch_first}"


def _additive(name: str, mask: Any, dtype: Any, *shapes: tuple[int, ...]) -> Any:
    """A mask as what to add: -inf where it is True."""
    mask = as_tensor(mask)
    if mask.dtype.kind not in "bf":
        raise TypeError(f"MultiheadAttention: expected {name} of bools or floats, got {mask.dtype}; compare it")
    if mask.shape not in shapes:
        expected = " or ".join(map(str, shapes))
        raise ValueError(f"MultiheadAttention: expected {name} of shape {expected}, got {mask.shape}")
    return where(mask, -np.inf, np.zeros((), dtype)) if mask.dtype.kind == "b" else mask.to(dtype)
