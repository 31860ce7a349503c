"""Encodings that tell attention about positions."""

from __future__ import annotations

from typing import Any

from autograd_core import as_tensor, empty, unsqueeze

from . import checks, init
from . import functional as F
from .module import Module
from .parameter import Parameter

__all__ = ["LearnedPositionalEncoding", "SinusoidalPositionalEncoding"]


class _PositionalEncoding(Module):
    """Adds a vector for its position to every vector of a sequence."""

    def __init__(self, d_model: int, dropout: float, batch_first: bool) -> None:
        super().__init__()
        checks.positive(type(self).__name__, d_model=d_model)
        checks.share(type(self).__name__, dropout=dropout)
        self.d_model, self.dropout, self.batch_first = d_model, dropout, batch_first

    def _vectors(self, length: int, dtype: Any) -> Any:
        """Those of the first positions, (length, d_model)."""
        raise NotImplementedError

    def forward(self, input: Any) -> Any:
        """The input, (L, N, E), (N, L, E) if `batch_first`, or (L, E), with the vectors of its positions added."""
        input = as_tensor(input)
        if input.ndim not in (2, 3) or input.shape[-1] != self.d_model:
            form = f"(N, L, {self.d_model})" if self.batch_first else f"(L, N, {self.d_model})"
            raise ValueError(f"{type(self).__name__}: expected input {form}, or without N, got {input.shape}")
        time_first = input.ndim == 3 and not self.batch_first
        vectors = self._vectors(input.shape[0 if time_first or input.ndim == 2 else 1], input.dtype)
        return F.dropout(input + (unsqueeze(vectors, 1) if time_first else vectors), self.dropout, self.training)

    def extra_repr(self) -> str:
        return f"d_model={self.d_model}, dropout={self.dropout}, batch_first={self.batch_first}"


class SinusoidalPositionalEncoding(_PositionalEncoding):
    """Adds to every vector of a sequence the sines and cosines of its position.

    See :func:`functional.sinusoidal_encoding`.  Vaswani et al., "Attention is all you need" (2017), section 3.5, with
    a dropout of 0.1 after it (section 5.4).

    Parameters
    ----------
    d_model : int
        The size of the vectors.
    dropout : float
        The share of the result that is dropped in training.
    batch_first : bool
        Whether inputs are (N, L, E) instead of (L, N, E).

    Raises
    ------
    ValueError
        If the vectors are not of that size.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.SinusoidalPositionalEncoding(2)(ag.zeros(3, 2))
    tensor([[ 0.    ,  1.    ],
            [ 0.8415,  0.5403],
            [ 0.9093, -0.4161]])
    """

    def __init__(self, d_model: int, dropout: float = 0.0, batch_first: bool = False) -> None:
        super().__init__(d_model, dropout, batch_first)

    def _vectors(self, length: int, dtype: Any) -> Any:
        return F.sinusoidal_encoding(length, self.d_model, dtype=dtype)


class LearnedPositionalEncoding(_PositionalEncoding):
    """Adds to every vector of a sequence one that is learned for its position.

    They start normal with standard deviation 0.02, as those of Radford et al., "Improving language understanding by
    generative pre-training" (2018), section 4.1.

    Parameters
    ----------
    max_len : int
        The number of positions there are.
    d_model : int
        The size of the vectors.
    dropout : float
        The share of the result that is dropped in training.
    batch_first : bool
        Whether inputs are (N, L, E) instead of (L, N, E).
    dtype : optional
        Of the parameter; the default dtype if not given.

    Attributes
    ----------
    weight : Parameter, shape (max_len, d_model)

    Raises
    ------
    ValueError
        If the vectors are not of that size, or the sequence is longer than `max_len`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> layer = nn.LearnedPositionalEncoding(10, 4, batch_first=True)
    >>> layer(ag.zeros(5, 3, 4)).shape
    (5, 3, 4)
    """

    weight: Parameter

    def __init__(
        self, max_len: int, d_model: int, dropout: float = 0.0, batch_first: bool = False, *, dtype: Any = None
    ) -> None:
        super().__init__(d_model, dropout, batch_first)
        checks.positive("LearnedPositionalEncoding", max_len=max_len)
        self.weight = Parameter(empty(max_len, d_model, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the vectors anew."""
        init.normal_(self.weight, std=0.02)

    def _vectors(self, length: int, dtype: Any) -> Any:
        if length > self.weight.shape[0]:
            raise ValueError(
                f"LearnedPositionalEncoding: expected at most {self.weight.shape[0]} positions, got {length}; make it "
                f"with a larger max_len"
            )
        return self.weight[:length]

    def extra_repr(self) -> str:
        return f"max_len={self.weight.shape[0]}, {super().extra_repr()}"
