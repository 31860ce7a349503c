"""The penalty that keeps a critic's slope near 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_core import Generator, as_tensor, enable_grad, grad, is_grad_enabled, rand
from autograd_core.linalg import vector_norm

from .. import checks

__all__ = ["gradient_penalty"]


def gradient_penalty(critic: Callable[[Any], Any], real: Any, fake: Any, *, generator: Generator | None = None) -> Any:
    """``mean((‖∇ critic(x)‖ - 1)**2)`` at points x drawn evenly between real and fake examples, one for each pair.

    It can be differentiated by the critic's parameters, and through nothing else: real and fake count as constants.
    Under ``no_grad`` it is a number like any other.

    Gulrajani et al., "Improved training of Wasserstein GANs" (2017), eq. 3, where it counts 10 times.

    Parameters
    ----------
    critic : gives one score for each example; without batch normalisation, which would mix the examples
    real, fake : examples of the same floating shape (N, ...)
    generator : draws the points; the default generator if None

    Raises
    ------
    ValueError
        If the shapes differ, or there are no examples.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> slope = ag.tensor([3.0, 4.0], requires_grad=True)
    >>> nn.functional.gradient_penalty(lambda x: x @ slope, ag.ones(5, 2), ag.zeros(5, 2)).item()
    16.0
    """
    real, fake = checks.same_shape("gradient_penalty", real=as_tensor(real).detach(), fake=as_tensor(fake).detach())
    if real.ndim == 0 or real.numel() == 0:
        raise ValueError(f"gradient_penalty: expected examples of shape (N, ...), at least one, got {real.shape}")
    share = rand(real.shape[0], *(1,) * (real.ndim - 1), dtype=real.dtype, generator=generator)
    between = (share * real + (1 - share) * fake).requires_grad_()
    with enable_grad():
        total = critic(between).sum()
    slopes: Any = grad(total, between, create_graph=is_grad_enabled())[0]
    excess = vector_norm(slopes.flatten(1), dim=1) - 1
    return (excess * excess).mean()
