"""Attention, the Transformer, and encodings of positions."""

import numpy as np
from contract import Layer

from autograd_core import nn


def absent(rng):
    """No mask."""


def forbidden(*shape):
    """Bools, of which a third is True, but never all of a row."""

    def draw(rng):
        mask = rng.random(shape) < 0.3
        mask[..., 0] = False
        return mask

    return draw


LAYERS = {
    "MultiheadAttention": Layer(
        lambda: nn.MultiheadAttention(4, 2, batch_first=True),
        ((2, 3, 4), (2, 2, 4), (2, 2, 4)),
        empty=((0, 3, 4), (0, 2, 4), (0, 2, 4)),
        wrong=[
            (((2, 3, 5), (2, 2, 4), (2, 2, 4)), r"MultiheadAttention: expected query \(N, L, 4\)"),
            (((2, 3, 4), (2, 2, 4), (2, 3, 4)), r"MultiheadAttention: expected query \(N, L, 4\)"),
            (((2, 3, 4), (3, 2, 4), (3, 2, 4)), r"MultiheadAttention: expected query \(N, L, 4\)"),
            (((2, 3, 4), (2, 4), (2, 4)), r"MultiheadAttention: expected query \(N, L, 4\)"),
            (
                ((2, 3, 4), (2, 2, 4), (2, 2, 4), forbidden(2, 3)),
                r"expected key_padding_mask of shape \(2, 2\), got \(2, 3\)",
            ),
            (
                ((2, 3, 4), (2, 2, 4), (2, 2, 4), lambda rng: np.ones((2, 2), int)),
                "expected key_padding_mask of bools or floats, got int64",
            ),
        ],
    ),
    "MultiheadAttention-masks": Layer(
        lambda: nn.MultiheadAttention(4, 2, bias=False, add_bias_kv=True, add_zero_attn=True),
        ((2, 2, 4), (3, 2, 4), (3, 2, 4), forbidden(2, 3), lambda rng: True, forbidden(4, 2, 3)),
        options={"average_attn_weights": False},
        wrong=[
            (
                ((2, 2, 4), (3, 2, 4), (3, 2, 4), absent, lambda rng: True, forbidden(3, 2)),
                r"expected attn_mask of shape \(2, 3\) or \(4, 2, 3\), got \(3, 2\)",
            )
        ],
    ),
    "MultiheadAttention-sizes": Layer(
        lambda: nn.MultiheadAttention(2, 2, dropout=0.3, kdim=3, vdim=1), ((3, 2), (2, 3), (2, 1))
    ),
    "MultiheadAttention-causal": Layer(
        lambda: nn.MultiheadAttention(2, 1), ((3, 2), (4, 2), (4, 2)), options={"is_causal": True}
    ),
    "TransformerEncoderLayer": Layer(
        lambda: nn.TransformerEncoderLayer(3, 1, 2, dropout=0.0, activation="gelu"),
        ((3, 2, 3),),
        empty=((3, 0, 3),),
        wrong=[(((3, 2, 4),), r"MultiheadAttention: expected query \(L, N, 3\)")],
    ),
    "TransformerEncoderLayer-first": Layer(
        lambda: nn.TransformerEncoderLayer(4, 2, 1, 0.2, "tanh", batch_first=True, norm_first=True, bias=False),
        ((1, 3, 4), forbidden(3, 3), forbidden(1, 3)),
    ),
    "TransformerDecoderLayer": Layer(
        lambda: nn.TransformerDecoderLayer(3, 1, 1, dropout=0.0, activation="gelu"),
        ((2, 1, 3), (3, 1, 3)),
        empty=((2, 0, 3), (3, 0, 3)),
        wrong=[(((2, 1, 3), (3, 2, 3)), r"MultiheadAttention: expected query \(L, N, 3\)")],
    ),
    "TransformerDecoderLayer-first": Layer(
        lambda: nn.TransformerDecoderLayer(4, 2, 1, 0.2, "tanh", batch_first=True, norm_first=True, bias=False),
        ((1, 2, 4), (1, 3, 4), absent, forbidden(2, 3), forbidden(1, 2), forbidden(1, 3)),
        options={"tgt_is_causal": True},
    ),
    "TransformerEncoder": Layer(
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(3, 1, 1, 0.0, "tanh"), 1, nn.LayerNorm(3)),
        ((2, 1, 3),),
        options={"is_causal": True},
    ),
    "TransformerDecoder": Layer(
        lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(3, 1, 1, 0.0, "tanh"), 1),
        ((2, 1, 3), (2, 1, 3)),
        options={"tgt_is_causal": True},
    ),
    "Transformer": Layer(
        lambda: nn.Transformer(3, 1, 1, 1, 1, dropout=0.0, activation="tanh", batch_first=True, bias=False),
        ((1, 2, 3), (1, 2, 3)),
        empty=((0, 3, 3), (0, 2, 3)),
        options={"tgt_is_causal": True},
    ),
    "SinusoidalPositionalEncoding": Layer(
        lambda: nn.SinusoidalPositionalEncoding(3, batch_first=True),
        ((2, 4, 3),),
        empty=((0, 4, 3),),
        wrong=[(((2, 4, 2),), r"SinusoidalPositionalEncoding: expected input \(N, L, 3\), or without N")],
    ),
    "LearnedPositionalEncoding": Layer(
        lambda: nn.LearnedPositionalEncoding(3, 2, dropout=0.5),
        ((2, 2, 2),),
        empty=((2, 0, 2),),
        wrong=[
            (((2, 2, 3),), r"LearnedPositionalEncoding: expected input \(L, N, 2\), or without N"),
            (((4, 2, 2),), "expected at most 3 positions, got 4; make it with a larger max_len"),
        ],
    ),
}
