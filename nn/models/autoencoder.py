"""Networks that learn to give back their input through a narrow code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import functional as F
from ..dropout import Dropout
from ..mlp import MLP
from ..module import Module

__all__ = ["Autoencoder", "DenoisingAutoencoder"]


class Autoencoder(Module):
    """An encoder to a code, and a decoder back, each a multilayer perceptron.

    Hinton & Salakhutdinov, "Reducing the dimensionality of data with neural networks" (2006).

    Parameters
    ----------
    sizes : sequence of int
        Of the input, the encoder's hidden layers, and the code; the decoder has them in reverse.
    activation : name, Module or callable
        After every hidden layer, as for :class:`MLP`.
    code_activation, output_activation : the same, optional
        After the code, and after the output.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    encoder, decoder : MLP

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> model = nn.models.Autoencoder([64, 32, 2])
    >>> x = ag.rand(5, 64)
    >>> model.encoder(x).shape, model(x).shape
    ((5, 2), (5, 64))
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Any = "relu",
        *,
        code_activation: Any = None,
        output_activation: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.encoder = MLP(sizes, activation, output_activation=code_activation, dtype=dtype)
        self.decoder = MLP(sizes[::-1], activation, output_activation=output_activation, dtype=dtype)

    def forward(self, input: Any) -> Any:
        return self.decoder(self.encoder(input))

    def loss(self, x: Any) -> Any:
        """The mean squared error of the reconstruction."""
        return F.mse_loss(self(x), x)


class DenoisingAutoencoder(Autoencoder):
    """An autoencoder whose input is corrupted in training, and whose loss asks for the clean one.

    Vincent et al., "Extracting and composing robust features with denoising autoencoders" (2008).

    Parameters
    ----------
    sizes, activation, code_activation, output_activation, dtype : as for :class:`Autoencoder`
    noise : Module, optional
        What corrupts the input in training and leaves it in evaluation: ``Dropout(0.5)`` if not given, which sets half
        of the values to 0 and doubles the others; or ``GaussianNoise``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> model = nn.models.DenoisingAutoencoder([64, 16], noise=nn.Dropout(0.3))
    >>> model.loss(ag.rand(5, 64)).shape
    ()
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Any = "relu",
        *,
        noise: Module | None = None,
        code_activation: Any = None,
        output_activation: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sizes, activation, code_activation=code_activation, output_activation=output_activation, dtype=dtype
        )
        self.noise = Dropout(0.5) if noise is None else noise

    def forward(self, input: Any) -> Any:
        return super().forward(self.noise(input))
