"""The limit on the weights that lead to each unit."""

from __future__ import annotations

from collections.abc import Iterable

from autograd_core import Tensor, clamp, no_grad
from autograd_core.linalg import vector_norm

from .. import checks

__all__ = ["max_norm_"]


def max_norm_(parameters: Iterable[Tensor], max_norm: float, dim: int = 0) -> None:
    """Scale every row of each weight, in place, so that its Euclidean norm is at most `max_norm`.

    ``w <- w * min(1, max_norm / |w|)`` for each row w, to be called after each update.  A row of the weight of a Linear
    or convolution layer leads to one unit.  Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting" (2014), section 5.1.

    Parameters
    ----------
    parameters : tensor, or iterable of tensors, of at least one dimension
    max_norm : float
        Above 0; the paper takes 3 or 4.
    dim : int
        The dimension whose entries are the rows.

    Raises
    ------
    ValueError
        If `max_norm` is not above 0, or a tensor does not have the dimension.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> weight = ag.tensor([[3.0, 4.0], [0.3, 0.4]])
    >>> nn.utils.max_norm_(weight, 1.0)
    >>> weight
    tensor([[0.6, 0.8],
            [0.3, 0.4]])
    """
    checks.positive("max_norm_", max_norm=max_norm)
    found = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for weight in found:
        if not -weight.ndim <= dim < weight.ndim:
            raise ValueError(
                f"max_norm_: a tensor of shape {weight.shape} has no dim {dim}; leave out biases and single numbers"
            )
    with no_grad():
        for weight in found:
            others = tuple(d for d in range(weight.ndim) if d != dim % weight.ndim)
            norms = vector_norm(weight, dim=others, keepdim=True) if others else abs(weight)
            # A row of zeros has the factor max_norm / 0, which is cut to 1.
            weight.copy_(weight * clamp(max_norm / norms, max=1.0))
