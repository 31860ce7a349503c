"""Classes of whole sequences."""

from __future__ import annotations

from typing import Any

from autograd_core import cat

from ..embedding import Embedding
from ..linear import Linear
from ..module import Module
from ..recurrent import GRU, LSTM, RNN

__all__ = ["SequenceClassifier"]

NETWORKS: dict[str, Any] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


class SequenceClassifier(Module):
    """A recurrent network over a sequence, and a linear layer on its final state; many to one.

    Parameters
    ----------
    input_size : int
        Features of each step, or of the vector of each token.
    hidden_size : int
        Of the recurrent network.
    num_classes : int
        Or however many numbers are to come out.
    num_tokens : int, optional
        How many tokens there are, where steps are tokens and not features; each then has a vector.
    network : "rnn", "lstm" or "gru"
    num_layers, dropout, bidirectional : as for :class:`LSTM`
    dtype : optional
        Of the parameters; the default dtype if not given.

    Raises
    ------
    ValueError
        If there is no such network, or the input does not fit.

    Examples
    --------
    Called with features (N, T, input_size), or tokens (N, T), and the length of each sequence, if they differ: what
    comes after is padding, and does not matter.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> net = nn.models.SequenceClassifier(3, 8, 2, network="gru", bidirectional=True)
    >>> net(ag.ones(5, 7, 3), lengths=ag.tensor([7, 7, 4, 2, 1])).shape
    (5, 2)
    >>> nn.models.SequenceClassifier(3, 8, 2, num_tokens=26)(ag.tensor([[4, 0, 25]])).shape
    (1, 2)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_classes: int,
        *,
        num_tokens: int | None = None,
        network: str = "lstm",
        num_layers: int = 1,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if network not in NETWORKS:
            raise ValueError(f"SequenceClassifier: expected network 'rnn', 'lstm' or 'gru', got {network!r}")
        self.embedding = None if num_tokens is None else Embedding(num_tokens, input_size, dtype=dtype)
        self.network = NETWORKS[network](
            input_size,
            hidden_size,
            num_layers,
            batch_first=True,
            dropout=dropout,
            bidirectional=bidirectional,
            dtype=dtype,
        )
        self.output = Linear(hidden_size * (2 if bidirectional else 1), num_classes, dtype=dtype)

    def forward(self, input: Any, lengths: Any = None) -> Any:
        steps = input if self.embedding is None else self.embedding(input)
        _, final = self.network(steps, lengths=lengths)
        hidden = final[0] if isinstance(final, tuple) else final  # an LSTM has a cell state too
        directions = 2 if self.network.bidirectional else 1
        return self.output(cat(list(hidden[-directions:].unbind(0)), -1))
