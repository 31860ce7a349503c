"""Two networks at play: one makes examples, the other tells them from real ones."""

from __future__ import annotations

from typing import Any

from autograd_core import Generator, no_grad, randn

from .. import functional as F
from ..functional.gradient_penalty import gradient_penalty
from ..module import Module

__all__ = ["GAN", "WassersteinGAN"]


class _Game(Module):
    """A generator, and the opponent of a subclass."""

    generator: Module

    def __init__(self, generator: Module, opponent: str, network: Module, latent_size: int) -> None:
        super().__init__()
        for name, given in (("generator", generator), (opponent, network)):
            if not isinstance(given, Module):
                raise TypeError(f"{type(self).__name__}: expected a Module as {name}, got {type(given).__name__}")
            setattr(self, name, given)
        self.latent_size = latent_size

    def forward(self, latent: Any) -> Any:
        return self.generator(latent)

    def sample(self, n: int, *, generator: Generator | None = None) -> Any:
        """`n` examples, made from latent vectors of N(0, 1) that a random generator draws."""
        dtype = next(self.parameters()).dtype
        return self.generator(randn(n, self.latent_size, dtype=dtype, generator=generator))

    def _opposed(self, real: Any, generator: Generator | None) -> Any:
        """As many made examples as real ones, as constants."""
        with no_grad():
            return self.sample(real.shape[0], generator=generator)


class GAN(_Game):
    """A generator, and a discriminator that gives the logit of being real.

    Each network has an optimizer of its own; they take turns.

    Goodfellow et al., "Generative adversarial nets" (2014).

    Parameters
    ----------
    generator : Module
        Of latent vectors, shape (N, latent_size), to examples.
    discriminator : Module
        Of examples to one logit each.
    latent_size : int

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> game = nn.models.GAN(nn.MLP([2, 16, 3]), nn.MLP([3, 16, 1]), latent_size=2)
    >>> game.sample(5).shape
    (5, 3)
    >>> game.discriminator_loss(ag.randn(5, 3)).backward()
    >>> game.zero_grad()
    >>> game.generator_loss(5).backward()
    """

    discriminator: Module

    def __init__(self, generator: Module, discriminator: Module, latent_size: int) -> None:
        super().__init__(generator, "discriminator", discriminator, latent_size)

    def discriminator_loss(self, real: Any, *, generator: Generator | None = None) -> Any:
        """What the discriminator minimises: real examples against as many made ones.

        The gradient leads to the discriminator only.
        """
        fake = self._opposed(real, generator)
        return F.gan_discriminator_loss(self.discriminator(real), self.discriminator(fake))

    def generator_loss(self, n: int, *, generator: Generator | None = None) -> Any:
        """What the generator minimises, over `n` made examples: the non-saturating loss.

        The gradient leads to the discriminator too; forget it there, with ``zero_grad``, before its next turn.
        """
        return F.non_saturating_generator_loss(self.discriminator(self.sample(n, generator=generator)))


class WassersteinGAN(_Game):
    """A generator, and a critic whose scores differ by the distance of the distributions; its slope is held near 1.

    The critic takes several turns (5 in the paper) for each of the generator's.

    Gulrajani et al., "Improved training of Wasserstein GANs" (2017), algorithm 1.

    Parameters
    ----------
    generator : Module
        Of latent vectors, shape (N, latent_size), to examples.
    critic : Module
        Of examples to one score each; without batch normalisation.
    latent_size : int
    penalty : float
        λ, the weight of the gradient penalty; at least 0.

    Raises
    ------
    ValueError
        If the penalty is negative.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> game = nn.models.WassersteinGAN(nn.MLP([2, 16, 3]), nn.MLP([3, 16, 1], "tanh"), latent_size=2)
    >>> game.critic_loss(ag.randn(5, 3)).backward()
    >>> game.zero_grad()
    >>> game.generator_loss(5).backward()
    """

    critic: Module

    def __init__(self, generator: Module, critic: Module, latent_size: int, *, penalty: float = 10.0) -> None:
        super().__init__(generator, "critic", critic, latent_size)
        if not penalty >= 0:
            raise ValueError(f"WassersteinGAN: penalty must be at least 0, got {penalty}")
        self.penalty = penalty

    def critic_loss(self, real: Any, *, generator: Generator | None = None) -> Any:
        """What the critic minimises: minus its estimate of the distance, and the penalty (eq. 3).

        The gradient leads to the critic only.
        """
        fake = self._opposed(real, generator)
        distance = F.wasserstein_critic_loss(self.critic(real), self.critic(fake))
        return distance + self.penalty * gradient_penalty(self.critic, real, fake, generator=generator)

    def generator_loss(self, n: int, *, generator: Generator | None = None) -> Any:
        """What the generator minimises, over `n` made examples; the gradient leads to the critic too."""
        return F.wasserstein_generator_loss(self.critic(self.sample(n, generator=generator)))

    def extra_repr(self) -> str:
        return f"penalty={self.penalty}"
