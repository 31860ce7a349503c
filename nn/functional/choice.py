"""Activations of a whole dimension: shares that sum to 1, or one choice."""

from __future__ import annotations

from typing import Any

from autograd_core import Generator, argmax, as_tensor, log, log_softmax, neg, rand, scatter, softmax, unsqueeze, zeros

from .. import checks

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


def softmin(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """``softmax(-input)`` along `dim`: the smallest gets the most.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.softmin(ag.tensor([1.0, 2.0, 3.0]), 0)
    tensor([0.6652, 0.2447, 0.09  ])
    """
    return softmax(neg(as_tensor(input)), dim, dtype=dtype)


def gumbel_softmax(
    logits: Any, tau: float = 1.0, hard: bool = False, *, dim: int = -1, generator: Generator | None = None
) -> Any:
    """A random choice along `dim` that has a gradient: ``softmax((logits + gumbel noise) / tau)``.

    The largest entry is a fair draw from ``softmax(logits)``.

    Jang et al., "Categorical reparameterization with Gumbel-softmax" (2016), eq. 2; Maddison et al., "The concrete
    distribution" (2016).

    Parameters
    ----------
    logits : floating
    tau : the temperature; the lower, the closer to a choice of one
    hard : give the choice of one itself (0 and 1), with the gradient of the shares
    generator : the source of the noise; the thread's own if not given

    Raises
    ------
    ValueError
        If `tau` is not positive.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> logits = ag.log(ag.tensor([0.2, 0.8]))
    >>> nn.functional.gumbel_softmax(logits, hard=True, generator=ag.Generator(0))
    tensor([0., 1.])
    """
    logits = as_tensor(logits)
    checks.positive("gumbel_softmax", tau=tau)
    dtype = logits.dtype if logits.is_floating_point() else None
    noise = -log(-log(rand(logits.shape, dtype=dtype, generator=generator)))
    shares = softmax((logits + noise) / tau, dim)
    if not hard:
        return shares
    chosen = unsqueeze(argmax(shares, dim), dim)
    one = scatter(zeros(shares.shape, dtype=shares.dtype), dim, chosen, value=1.0)
    return one + (shares - shares.detach())
