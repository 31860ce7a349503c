"""A Transformer that writes."""

from __future__ import annotations

from typing import Any

from autograd_core import (
    Generator,
    Tensor,
    arange,
    argmax,
    as_tensor,
    bool,
    cat,
    multinomial,
    no_grad,
    ones,
    softmax,
    triu,
)

from .. import functional as F
from .. import init
from ..embedding import Embedding
from ..linear import Linear
from ..module import Module
from ..normalization import LayerNorm
from ..transformer import TransformerEncoder, TransformerEncoderLayer
from .modes import evaluating

__all__ = ["CharTransformer"]


class CharTransformer(Module):
    """A decoder-only Transformer: the logits of the next token after every token, from those up to it.

    Vectors of tokens and of positions are learned; normalisation comes first in each layer, and once more at the end.

    Vaswani et al., "Attention is all you need" (2017); Radford et al., "Language models are unsupervised multitask
    learners" (2019).

    Parameters
    ----------
    num_tokens : int
        Size of the alphabet.
    context : int
        How many tokens it can look at, at most.
    d_model, nhead, num_layers, dim_feedforward, dropout, activation : as for :class:`TransformerEncoderLayer`
        The feed-forward layer has ``4 d_model`` units if not given.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Raises
    ------
    ValueError
        If the input is not of shape (N, T) with 1 to `context` tokens each.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> net = nn.models.CharTransformer(num_tokens=5, context=8, d_model=16, nhead=2, num_layers=1)
    >>> text = ag.tensor([[0, 1, 2, 3, 4, 0, 1, 2]])
    >>> net(text).shape, net.loss(text).shape
    ((1, 8, 5), ())
    >>> net.generate(text[:, :2], 6).shape
    (1, 8)
    """

    def __init__(
        self,
        num_tokens: int,
        context: int,
        d_model: int = 64,
        nhead: int = 4,
        num_layers: int = 2,
        *,
        dim_feedforward: int | None = None,
        dropout: float = 0.0,
        activation: Any = "gelu",
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.context = context
        self.tokens = Embedding(num_tokens, d_model, dtype=dtype)
        self.positions = Embedding(context, d_model, dtype=dtype)
        for embedding in (self.tokens, self.positions):
            init.normal_(embedding.weight, std=0.02)
        layer = TransformerEncoderLayer(
            d_model,
            nhead,
            4 * d_model if dim_feedforward is None else dim_feedforward,
            dropout,
            activation,
            batch_first=True,
            norm_first=True,
            dtype=dtype,
        )
        self.layers = TransformerEncoder(layer, num_layers, norm=LayerNorm(d_model, dtype=dtype))
        self.output = Linear(d_model, num_tokens, dtype=dtype)

    def forward(self, input: Any) -> Any:
        input = _texts(input)
        length = input.shape[1]
        if not 1 <= length <= self.context:
            raise ValueError(f"CharTransformer: expected 1 to context={self.context} tokens, got {length}")
        later = triu(ones(length, length, dtype=bool), 1)
        vectors = self.tokens(input) + self.positions(arange(length))
        return self.output(self.layers(vectors, mask=later, is_causal=True))

    def loss(self, text: Any) -> Any:
        """The mean cross-entropy of each token given those before it, in nats; tokens of shape (N, T), T above 1."""
        text = _texts(text)
        return F.cross_entropy(self(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())

    def generate(
        self, prompt: Any, length: int, *, temperature: float = 1.0, generator: Generator | None = None
    ) -> Tensor:
        """Texts continued, token by token, in evaluation mode.

        Parameters
        ----------
        prompt : tokens, shape (N, T), at least one each
        length : how many tokens to add
        temperature : logits are divided by it: below 1 for likelier texts, above 1 for odder ones; 0 for the likeliest
            token each time
        generator : draws the tokens; the default generator if None

        Returns
        -------
        int64, shape (N, T + length): the prompt and what follows.
        """
        if not temperature >= 0:
            raise ValueError(f"CharTransformer.generate: temperature must be at least 0, got {temperature}")
        text = _texts(prompt)
        with evaluating(self), no_grad():
            for _ in range(length):
                logits = self(text[:, -self.context :])[:, -1]
                if temperature:
                    token = multinomial(softmax(logits / temperature, -1), 1, generator=generator)
                else:
                    token = argmax(logits, -1, keepdim=True)
                text = cat([text, token], 1)
        return text

    def extra_repr(self) -> str:
        return f"context={self.context}"


def _texts(tokens: Any) -> Tensor:
    """The tokens of several texts as a tensor."""
    texts: Tensor = as_tensor(tokens)
    if texts.ndim != 2:
        raise ValueError(f"CharTransformer: expected tokens of shape (N, T), got {texts.shape}")
    return texts
