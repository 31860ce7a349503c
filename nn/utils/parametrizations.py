"""Parametrisations of weights: by length and direction, by their largest singular value, by orthogonal matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from autograd_core import (
    Tensor,
    abs,
    concatenate,
    diagonal,
    dot,
    eye,
    linalg,
    matrix_exp,
    mv,
    no_grad,
    norm,
    permute,
    randn,
    sign,
    tril,
    zeros,
)

from ..functional.normalization import normalize
from ..module import Module
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


def _tensor(operation: str, module: Module, name: str) -> Tensor:
    tensor = getattr(module, name, None)
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{operation}: {type(module).__name__} has no parameter or buffer named {name!r}")
    return tensor


# Length and direction


class _WeightNorm(Module):
    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = dim

    def _lengths(self, direction: Tensor) -> Any:
        if self.dim is None:
            return norm(direction)
        others = tuple(d for d in range(direction.ndim) if d != self.dim)
        return norm(direction, 2, others, keepdim=True) if others else abs(direction)

    def forward(self, length: Tensor, direction: Tensor) -> Any:
        return direction * (length / self._lengths(direction))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return self._lengths(weight), weight

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Let a weight be ``g v / |v|``, with its length g and its direction v trained apart.

    Salimans & Kingma, "Weight normalization" (2016), eq. 2.  The parameters are ``parametrizations.weight.original0``,
    the lengths, and ``parametrizations.weight.original1``, the directions.  A direction of zeros gives NaN.

    Parameters
    ----------
    module : Module
        Changed in place.
    name : str
        The parameter.
    dim : int or None
        The dimension along which every entry has a length of its own; None (or -1) for one length of the whole weight.

    Returns
    -------
    The module.

    Raises
    ------
    ValueError
        If there is no such parameter.
    IndexError
        If it has no dimension `dim`.

    Examples
    --------
    >>> from autograd_core import nn
    >>> from autograd_core.nn.utils.parametrizations import weight_norm
    >>> layer = weight_norm(nn.Linear(2, 3))
    >>> {name: p.shape for name, p in layer.named_parameters() if name != "bias"}
    {'parametrizations.weight.original0': (3, 1), 'parametrizations.weight.original1': (3, 2)}
    """
    ndim = _tensor("weight_norm", module, name).ndim
    dim = None if dim == -1 else dim
    if dim is not None and not 0 <= dim < ndim:
        raise IndexError(f"weight_norm: dim must be None or in [0, {ndim - 1}] for a {ndim}-d {name}, got {dim}")
    return register_parametrization(module, name, _WeightNorm(dim))


# The largest singular value


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        self.n_power_iterations, self.dim, self.eps = n_power_iterations, dim, eps
        if weight.ndim > 1:
            matrix = self._matrix(weight.detach())
            for vector, size in zip(("_u", "_v"), matrix.shape, strict=True):
                self.register_buffer(vector, normalize(randn(size, dtype=weight.dtype), dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _matrix(self, weight: Tensor) -> Any:
        """The weight with a row for each entry of `dim`."""
        others = (d for d in range(weight.ndim) if d != self.dim)
        return permute(weight, (self.dim, *others)).flatten(1)

    def _iterate(self, matrix: Any, times: int) -> None:
        """Algorithm 1: the vectors turn towards the singular vectors."""
        with no_grad():
            for _ in range(times):
                self._u.copy_(normalize(mv(matrix, self._v), dim=0, eps=self.eps))
                self._v.copy_(normalize(mv(matrix.T, self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Any:
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        # Of copies: the next call changes the vectors, and a backward pass through this one may come after it.
        return weight / dot(self._u.clone(), mv(matrix, self._v.clone()))

    def right_inverse(self, weight: Tensor) -> Tensor:
        return weight

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Let a weight be divided by its largest singular value, which makes a linear map no steeper than 1.

    Miyato et al., "Spectral normalization for generative adversarial networks" (2018), eq. 8 and algorithm 1.  The
    singular value is ``u @ W @ v`` with vectors that each call in training mode brings nearer to the singular vectors,
    by power iteration: ``u = W v / |W v|``, ``v = W' u / |W' u|``.  They are buffers; no gradient goes through them.

    Parameters
    ----------
    module : Module
        Changed in place.
    name : str
        The parameter; of more than two dimensions it counts as a matrix with a row for each entry of `dim`.
    n_power_iterations : int
        How often a call iterates.
    eps : float
        The least length that the vectors are divided by.
    dim : int, optional
        The dimension of the outputs; 1 for transposed convolutions and 0 for all others, if not given.

    Returns
    -------
    The module.

    Raises
    ------
    ValueError
        If there is no such parameter, or `n_power_iterations` is below 1.
    IndexError
        If it has no dimension `dim`.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> from autograd_core.nn.utils.parametrizations import spectral_norm
    >>> _ = ag.manual_seed(0)
    >>> layer = spectral_norm(nn.Linear(20, 40), n_power_iterations=30)
    >>> print(f"{np.linalg.norm(layer.weight.detach().numpy(), 2):.3f}")
    1.000
    """
    weight = _tensor("spectral_norm", module, name)
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations must be at least 1, got {n_power_iterations}")
    if dim is None:
        dim = 1 if getattr(module, "transposed", False) else 0
    if not -weight.ndim <= dim < weight.ndim:
        raise IndexError(
            f"spectral_norm: dim must be in [{-weight.ndim}, {weight.ndim - 1}] for a {weight.ndim}-d {name}, got {dim}"
        )
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim % weight.ndim, eps))


# Orthogonal matrices


def _exponential(x: Any) -> Any:
    return matrix_exp(x - x.mT)


def _cayley(x: Any) -> Any:
    """``(I - A/2)**-1 (I + A/2)`` of the skew-symmetric A."""
    identity, half = eye(x.shape[-1], dtype=x.dtype), (x - x.mT) / 2
    return linalg.solve(identity - half, identity + half)


def _square(x: Any, skew_map: Callable[[Any], Any]) -> Any:
    """The first columns of the orthogonal matrix that a map makes of the lower triangle of a tall matrix."""
    *batch, n, k = x.shape
    return skew_map(concatenate([tril(x), zeros(*batch, n, n - k, dtype=x.dtype)], -1))[..., :k]


def _reflections(x: Any) -> Any:
    """The first columns of a product of reflections ``I - 2 v v'/|v|**2``, whose v are below the diagonal of `x`."""
    *_, n, k = x.shape
    vectors = tril(x, -1) + eye(n, k, dtype=x.dtype)
    factors = 2 / (vectors * vectors).sum(-2, keepdim=True)
    product = eye(n, k, dtype=x.dtype)
    for i in reversed(range(k)):
        v = vectors[..., i : i + 1]
        product = product - factors[..., i : i + 1] * v @ (v.mT @ product)
    return product * sign(diagonal(x, dim1=-2, dim2=-1)).unsqueeze(-2)


_MAPS: dict[str, Callable[[Any], Any]] = {
    "matrix_exp": lambda x: _square(x, _exponential),
    "cayley": lambda x: _square(x, _cayley),
    "householder": _reflections,
}


class _Orthogonal(Module):
    base: Tensor | None

    def __init__(self, orthogonal_map: str) -> None:
        super().__init__()
        self.orthogonal_map = orthogonal_map
        self.register_buffer("base", None)

    def forward(self, x: Any) -> Any:
        wide = x.shape[-2] < x.shape[-1]
        q = self.base @ _MAPS[self.orthogonal_map](x.mT if wide else x)
        return q.mT if wide else q

    def right_inverse(self, value: Any) -> Any:
        """Make the orthogonal factor of its QR decomposition, filled up to a square, the base; start from there."""
        *batch, n, k = value.shape
        tall = value.mT if n < k else value
        filling = randn(*batch, max(n, k), max(n, k) - min(n, k), dtype=value.dtype)
        q, r = linalg.qr(concatenate([tall, filling], -1))
        self.base = q * sign(diagonal(r, dim1=-2, dim2=-1)).unsqueeze(-2)
        return -eye(n, k, dtype=value.dtype).expand(*batch, n, k)

    def extra_repr(self) -> str:
        return self.orthogonal_map


def orthogonal(module: M, name: str = "weight", orthogonal_map: str | None = None) -> M:
    """Let a weight be an orthogonal matrix: of orthonormal columns, or rows if it is wider than high.

    It is a fixed orthogonal matrix, the base, times one that starts as the identity and is a smooth map of what is
    trained: the exponential of a skew-symmetric matrix A, its Cayley transform ``(I - A/2)**-1 (I + A/2)``, or a
    product of Householder's reflections.  Lezcano-Casado, "Trivializations for gradient-based optimization on
    manifolds" (2019).  The weight starts as the orthogonal factor of its QR decomposition: itself if it is orthogonal.

    Parameters
    ----------
    module : Module
        Changed in place.
    name : str
        The parameter, a matrix or several: shape (..., n, k).
    orthogonal_map : {"matrix_exp", "cayley", "householder"}, optional
        Reflections for matrices that are not square, the exponential for others, if not given.

    Returns
    -------
    The module.

    Raises
    ------
    ValueError
        If there is no such parameter, it is no matrix, or there is no such map.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core import nn
    >>> from autograd_core.nn.utils.parametrizations import orthogonal
    >>> weight = orthogonal(nn.Linear(3, 5)).weight
    >>> np.allclose((weight.T @ weight).detach().numpy(), np.eye(3), atol=1e-6)
    True
    """
    weight = _tensor("orthogonal", module, name)
    if weight.ndim < 2:
        raise ValueError(f"orthogonal: expected a matrix, or a batch of matrices, got {name} of shape {weight.shape}")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(f"orthogonal: expected an orthogonal_map of {', '.join(_MAPS)}, got {orthogonal_map!r}")
    return register_parametrization(module, name, _Orthogonal(orthogonal_map))
