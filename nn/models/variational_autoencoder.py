"""The autoencoder whose code is a distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_core import Generator, chunk, exp, expm1, randn, randn_like, sigmoid

from .. import functional as F
from ..mlp import MLP
from ..module import Module

__all__ = ["VariationalAutoencoder"]


class VariationalAutoencoder(Module):
    """An encoder to the mean and log-variance of a normal code, and a decoder of codes drawn from it.

    In training the code is drawn as ``mean + exp(log_variance / 2) ε`` with ε from N(0, 1), so that gradients reach
    both (the reparameterisation, eq. 10); in evaluation it is the mean.

    Kingma & Welling, "Auto-encoding variational Bayes" (2014).

    Parameters
    ----------
    sizes : sequence of int
        Of the input, the encoder's hidden layers, and the code; the decoder has them in reverse.
    activation : name, Module or callable
        After every hidden layer, as for :class:`MLP`.
    likelihood : "bernoulli" or "gaussian"
        Of the input given the code: values in [0, 1] by their cross-entropy, or any by half the squared error (a normal
        distribution of variance 1, without its constant).
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    encoder, decoder : MLP

    Raises
    ------
    ValueError
        If there is no such likelihood, or there are fewer than two sizes.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> model = nn.models.VariationalAutoencoder([64, 32, 2])
    >>> x = ag.rand(5, 64)
    >>> mean, log_variance = model.encode(x)
    >>> mean.shape, model(x).shape, model.loss(x).shape, model.sample(3).shape
    ((5, 2), (5, 64), (), (3, 64))
    """

    def __init__(
        self, sizes: Sequence[int], activation: Any = "relu", *, likelihood: str = "bernoulli", dtype: Any = None
    ) -> None:
        super().__init__()
        if likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(
                f"VariationalAutoencoder: expected likelihood 'bernoulli' or 'gaussian', got {likelihood!r}"
            )
        if len(sizes) < 2:
            raise ValueError(f"VariationalAutoencoder: expected sizes of the input and the code, got {list(sizes)}")
        self.likelihood, self.code_size = likelihood, sizes[-1]
        self.encoder = MLP([*sizes[:-1], 2 * sizes[-1]], activation, dtype=dtype)
        self.decoder = MLP(sizes[::-1], activation, dtype=dtype)

    def encode(self, input: Any) -> tuple[Any, Any]:
        """The mean and the logarithm of the variance of the code of each example, both of shape (N, code)."""
        mean, log_variance = chunk(self.encoder(input), 2, -1)
        return mean, log_variance

    def decode(self, code: Any) -> Any:
        """What the decoder expects to see for a code, shape (N, input)."""
        return self._expected(self.decoder(code))

    def forward(self, input: Any) -> Any:
        return self.decode(self._code(*self.encode(input)))

    def sample(self, n: int, *, generator: Generator | None = None) -> Any:
        """`n` new examples, decoded from codes drawn from N(0, 1)."""
        dtype = next(self.decoder.parameters()).dtype
        return self.decode(randn(n, self.code_size, dtype=dtype, generator=generator))

    def terms(self, x: Any) -> tuple[Any, Any]:
        """The two terms of the loss, each summed over its dimensions and averaged over the batch (appendix B).

        Returns
        -------
        reconstruction : ``-log p(x | code)``
        divergence : ``-1/2 sum(1 + log σ² - μ² - σ²)``, of the code's distribution from N(0, 1)
        """
        mean, log_variance = self.encode(x)
        output = self.decoder(self._code(mean, log_variance))
        if self.likelihood == "bernoulli":
            errors = F.binary_cross_entropy_with_logits(output, x, reduction="none")
        else:
            errors = 0.5 * F.mse_loss(output, x, reduction="none")
        divergences = 0.5 * (mean * mean + expm1(log_variance) - log_variance)
        return errors.sum(-1).mean(), divergences.sum(-1).mean()

    def loss(self, x: Any) -> Any:
        """Minus the evidence lower bound: the sum of the :meth:`terms`."""
        reconstruction, divergence = self.terms(x)
        return reconstruction + divergence

    def _code(self, mean: Any, log_variance: Any) -> Any:
        return mean + exp(0.5 * log_variance) * randn_like(mean) if self.training else mean

    def _expected(self, output: Any) -> Any:
        return sigmoid(output) if self.likelihood == "bernoulli" else output

    def extra_repr(self) -> str:
        return f"likelihood={self.likelihood!r}"
