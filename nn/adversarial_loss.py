"""Losses as modules of two networks at play: one makes examples, the other tells them from real ones.

They are called with the second network's outputs for the real and the made examples, or for these alone.
"""

from __future__ import annotations

from . import functional as F
from .function_module import FunctionModule

__all__ = [
    "GANDiscriminatorLoss",
    "MinimaxGeneratorLoss",
    "NonSaturatingGeneratorLoss",
    "WassersteinCriticLoss",
    "WassersteinGeneratorLoss",
]


class GANDiscriminatorLoss(FunctionModule):
    """``-mean(log D(real)) - mean(log(1 - D(fake)))``, from logits; see :func:`functional.gan_discriminator_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.GANDiscriminatorLoss()(ag.tensor([0.0, 0.0]), ag.tensor([0.0]))
    tensor(1.3863)
    """

    function = staticmethod(F.gan_discriminator_loss)


class MinimaxGeneratorLoss(FunctionModule):
    """``mean(log(1 - D(fake)))``, from logits; see :func:`functional.minimax_generator_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.MinimaxGeneratorLoss()(ag.tensor([0.0]))
    tensor(-0.6931)
    """

    function = staticmethod(F.minimax_generator_loss)


class NonSaturatingGeneratorLoss(FunctionModule):
    """``-mean(log D(fake))``, from logits; see :func:`functional.non_saturating_generator_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.NonSaturatingGeneratorLoss()(ag.tensor([0.0]))
    tensor(0.6931)
    """

    function = staticmethod(F.non_saturating_generator_loss)


class WassersteinCriticLoss(FunctionModule):
    """``mean(fake) - mean(real)`` of a critic's scores; see :func:`functional.wasserstein_critic_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.WassersteinCriticLoss()(ag.tensor([2.0, 4.0]), ag.tensor([1.0]))
    tensor(-2.)
    """

    function = staticmethod(F.wasserstein_critic_loss)


class WassersteinGeneratorLoss(FunctionModule):
    """``-mean(fake)`` of a critic's scores; see :func:`functional.wasserstein_generator_loss`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.WassersteinGeneratorLoss()(ag.tensor([2.0, 4.0]))
    tensor(-3.)
    """

    function = staticmethod(F.wasserstein_generator_loss)
