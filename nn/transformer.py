"""The Transformer: layers of attention and fully connected layers, in an encoder and a decoder."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import get_default_dtype, tensor

from . import checks, init
from . import functional as F
from .activation_module import activation_module
from .attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .functional.attention import causal_summand
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
]


class _Layer(Module):
    """What both kinds of layers have: self-attention, two fully connected layers, and what goes around every part."""

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        dropout: float,
        activation: Any,
        layer_norm_eps: float,
        batch_first: bool,
        norm_first: bool,
        bias: bool,
        dtype: Any,
        crosses: bool,
    ) -> None:
        super().__init__()

        def attention() -> MultiheadAttention:
            return MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        self.self_attn = attention()
        if crosses:
            self.multihead_attn = attention()
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        self.norm1, self.norm2 = norm(), norm()
        if crosses:
            self.norm3 = norm()
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        if crosses:
            self.dropout3 = Dropout(dropout)
        self.activation = activation_module(activation)

    def _around(self, x: Any, norm: Module, part: Callable[[Any], Any], dropout: Module) -> Any:
        """A part with the way past it: normalised before, or after the sum, as in the paper."""
        if self.norm_first:
            return x + dropout(part(norm(x)))
        return norm(x + dropout(part(x)))

    def _feedforward(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention, then two fully connected layers; each with a way past it, and normalised.

    Vaswani et al., "Attention is all you need" (2017), section 3.1.  With `norm_first` as Xiong et al., "On layer
    normalization in the Transformer architecture" (2020), figure 1 (b).

    Parameters
    ----------
    d_model : int
        The size of inputs and results.
    nhead : int
        How many heads the attention has.
    dim_feedforward : int
        The size between the fully connected layers.
    dropout : float
        The share that is dropped, in training, of the attention weights, of what is between the fully connected
        layers, and of what is added to the way past.
    activation : name, Module or callable
        Between the fully connected layers; see :class:`MLP`.
    layer_norm_eps : float
        Of the normalisations.
    batch_first : bool
        Whether inputs and results are (N, L, E) instead of (L, N, E).
    norm_first : bool
        Whether to normalise before each part, not after it.
    bias : bool
        Whether linear layers and normalisations have biases.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    >>> layer(ag.randn(5, 3, 8), is_causal=True).shape
    (5, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype,
            crosses=False,
        )  # fmt: skip

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """What becomes of `src`, (L, N, E), (N, L, E) or (L, E); for the masks see :class:`MultiheadAttention`."""

        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        x = self._around(src, self.norm1, attend, self.dropout1)
        return self._around(x, self.norm2, self._feedforward, self.dropout2)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to what an encoder has made, then two fully connected layers.

    Each with a way past it, and normalised.  Vaswani et al., "Attention is all you need" (2017), section 3.1.

    Parameters
    ----------
    d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype
        As for :class:`TransformerEncoderLayer`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> layer = nn.TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    >>> layer(ag.randn(5, 3, 8), ag.randn(5, 4, 8), tgt_is_causal=True).shape
    (5, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype,
            crosses=True,
        )  # fmt: skip

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        """What becomes of `tgt`, given the encoder's `memory`; for the masks see :class:`MultiheadAttention`."""

        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def cross(x: Any) -> Any:
            padding, causal = memory_key_padding_mask, memory_is_causal
            return self.multihead_attn(x, memory, memory, padding, False, memory_mask, is_causal=causal)[0]

        x = self._around(tgt, self.norm1, attend, self.dropout1)
        x = self._around(x, self.norm2, cross, self.dropout2)
        return self._around(x, self.norm3, self._feedforward, self.dropout3)


class _Stack(Module):
    """Copies of a layer, one after the other, and a normalisation at the end."""

    def __init__(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        super().__init__()
        self.num_layers = operator.index(num_layers)
        checks.not_negative(type(self).__name__, num_layers=self.num_layers)
        self.layers = ModuleList(copy.deepcopy(layer) for _ in range(self.num_layers))
        self.norm = norm

    def _through(self, x: Any, *args: Any, **options: Any) -> Any:
        for layer in self.layers:
            x = layer(x, *args, **options)
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """A stack of encoder layers, which are copies of one and start with the same parameters.

    Parameters
    ----------
    encoder_layer : TransformerEncoderLayer
        Copied.
    num_layers : int
        How many copies.
    norm : Module, optional
        For the result.
    enable_nested_tensor, mask_check : bool
        Accepted for PyTorch's sake, and of no effect.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True), 2)
    >>> encoder(ag.randn(5, 3, 8)).shape
    (5, 3, 8)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        """What becomes of `src`; see :meth:`TransformerEncoderLayer.forward`."""
        return self._through(
            src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal)
        )  # fmt: skip


class TransformerDecoder(_Stack):
    """A stack of decoder layers, which are copies of one and start with the same parameters.

    Parameters
    ----------
    decoder_layer : TransformerDecoderLayer
        Copied.
    num_layers : int
        How many copies.
    norm : Module, optional
        For the result.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, dim_feedforward=16, batch_first=True), 2)
    >>> decoder(ag.randn(5, 3, 8), ag.randn(5, 4, 8)).shape
    (5, 3, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """What becomes of `tgt`; see :meth:`TransformerDecoderLayer.forward`."""
        return self._through(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=bool(tgt_is_causal),
            memory_is_causal=memory_is_causal,
        )


class Transformer(Module):
    """An encoder, and a decoder that attends to what it has made.

    Vaswani et al., "Attention is all you need" (2017), figure 1, between the embeddings and the last linear layer;
    with a normalisation at the end of both, as in PyTorch.  All matrices start by Glorot's uniform initialisation.

    Parameters
    ----------
    d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype
        As for :class:`TransformerEncoderLayer`.
    num_encoder_layers, num_decoder_layers : int
        How many layers they have.
    custom_encoder, custom_decoder : Module, optional
        In their place.

    Raises
    ------
    ValueError
        If the sizes of `src` and `tgt` do not fit.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> net = nn.Transformer(8, 2, 1, 1, dim_feedforward=16, batch_first=True)
    >>> net(ag.randn(5, 4, 8), ag.randn(5, 3, 8), tgt_mask=net.generate_square_subsequent_mask(3)).shape
    (5, 3, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = F.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        options = dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        if custom_encoder is None:
            layer: Module = TransformerEncoderLayer(d_model, nhead, *options, dtype=dtype)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm())
        if custom_decoder is None:
            layer = TransformerDecoderLayer(d_model, nhead, *options, dtype=dtype)
            custom_decoder = TransformerDecoder(layer, num_decoder_layers, norm())
        self.encoder, self.decoder = custom_encoder, custom_decoder
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all matrices anew."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        """What the decoder makes of `tgt`, given what the encoder makes of `src`.

        For the masks see :class:`MultiheadAttention`; those named "memory" are the decoder's for `src`.
        """
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )  # fmt: skip
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, dtype: Any = None) -> Any:
        """What to add to scores so that nobody attends to what comes after: 0 up to the diagonal, -inf above it.

        >>> from autograd_core import nn
        >>> nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[  0., -inf],
                [  0.,   0.]])
        """
        return tensor(causal_summand(sz, sz, np.dtype(dtype or get_default_dtype())))
