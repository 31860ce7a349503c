"""Losses of two networks at play: one makes examples, the other tells them from real ones.

Each is the mean over a batch of the second network's outputs, of any shape; the real and the made ones need not be
equally many.  For the GAN losses these are logits: ``sigmoid`` of them is the probability D of being real.
"""

from __future__ import annotations

from typing import Any

from autograd_core import as_tensor

from .activation import logsigmoid, softplus

__all__ = [
    "gan_discriminator_loss",
    "minimax_generator_loss",
    "non_saturating_generator_loss",
    "wasserstein_critic_loss",
    "wasserstein_generator_loss",
]


def gan_discriminator_loss(real: Any, fake: Any) -> Any:
    """``-mean(log D(real)) - mean(log(1 - D(fake)))``, from logits.

    Goodfellow et al., "Generative adversarial nets" (2014), eq. 1.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.gan_discriminator_loss(ag.tensor([0.0, 0.0]), ag.tensor([0.0]))
    tensor(1.3863)
    """
    return softplus(-as_tensor(real)).mean() + softplus(fake).mean()


def minimax_generator_loss(fake: Any) -> Any:
    """``mean(log(1 - D(fake)))``, from logits; its gradient vanishes where the discriminator is sure of the fake.

    Goodfellow et al., "Generative adversarial nets" (2014), eq. 1.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.minimax_generator_loss(ag.tensor([0.0]))
    tensor(-0.6931)
    """
    return -softplus(fake).mean()


def non_saturating_generator_loss(fake: Any) -> Any:
    """``-mean(log D(fake))``, from logits; its gradient is large where the discriminator is sure of the fake.

    Goodfellow et al., "Generative adversarial nets" (2014), section 3.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.non_saturating_generator_loss(ag.tensor([0.0]))
    tensor(0.6931)
    """
    return -logsigmoid(fake).mean()


def wasserstein_critic_loss(real: Any, fake: Any) -> Any:
    """``mean(fake) - mean(real)`` of a critic's scores: minus its estimate of the distance of the distributions.

    Arjovsky et al., "Wasserstein GAN" (2017), eq. 3.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.wasserstein_critic_loss(ag.tensor([2.0, 4.0]), ag.tensor([1.0]))
    tensor(-2.)
    """
    return as_tensor(fake).mean() - as_tensor(real).mean()


def wasserstein_generator_loss(fake: Any) -> Any:
    """``-mean(fake)`` of a critic's scores.

    Arjovsky et al., "Wasserstein GAN" (2017), algorithm 1.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.wasserstein_generator_loss(ag.tensor([2.0, 4.0]))
    tensor(-3.)
    """
    return -as_tensor(fake).mean()
