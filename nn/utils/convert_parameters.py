"""All parameters as one vector, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable

from autograd_core import Tensor, cat, no_grad

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of the parameters, one parameter after the other; differentiable.

    Parameters
    ----------
    parameters : iterable of tensors

    Returns
    -------
    Tensor of shape (elements in all,)

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.utils.parameters_to_vector([ag.ones(2, 2), ag.zeros(1)])
    tensor([1., 1., 1., 1., 0.])
    """
    found = list(parameters)
    if not found:
        raise ValueError("parameters_to_vector: got no parameters; an iterator, such as parameters(), is used up once")
    vector: Tensor = cat([p.reshape(-1) for p in found])
    return vector


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into the parameters, one after the other.

    The values are copied; no gradient goes to the vector.

    Parameters
    ----------
    vec : shape (elements in all,)
    parameters : iterable of tensors

    Raises
    ------
    TypeError
        If `vec` is no tensor.
    ValueError
        If the parameters have more or fewer elements than it.  Nothing is changed then.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> layer = nn.Linear(2, 1)
    >>> nn.utils.vector_to_parameters(ag.tensor([1.0, 2.0, 3.0]), layer.parameters())
    >>> layer.weight.tolist(), layer.bias.tolist()
    ([[1.0, 2.0]], [3.0])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: expected vec to be a tensor, got a {type(vec).__name__}")
    found = list(parameters)
    sizes = [math.prod(p.shape) for p in found]
    if vec.shape != (sum(sizes),):
        raise ValueError(
            f"vector_to_parameters: the parameters have {sum(sizes)} elements, so expected vec of shape "
            f"({sum(sizes)},), got {vec.shape}"
        )
    first = 0
    with no_grad():
        for p, size in zip(found, sizes, strict=True):
            p.copy_(vec[first : first + size].reshape(p.shape))
            first += size
