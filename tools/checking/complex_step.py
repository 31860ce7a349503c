"""Derivatives by a complex step: ``f(x + ih).imag / h``, without the cancellation of a difference.

Source: Squire & Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40 (1998).
It holds for analytic functions that are computed with complex numbers all the way, so it is used only where every
operation is known to do that and the real part comes out as the value itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import modes
from autograd_core.primitive import REGISTRY

from .moves import Move

__all__ = ["ANALYTIC", "ComplexStep"]

_NAMES = (  # noqa: SIM905
    "acos acosh add affine asin asinh atan atanh broadcast_to cat clone conv conv_input conv_weight cos cosh cumprod "
    "cumsum det diagonal diagonal_put digamma div einsum erf erfc exp exp2 expm1 flip gated gather index inv lerp log "
    "log10 log1p log2 log_softmax logsumexp matmul matrix_exp mul ndtr neg normal_density overlap overlap_add pad "
    "permute positive pow prod put reciprocal reshape roll root rsqrt scatter_add sin sinh sliding_windows slogdet "
    "softmax solve solve_triangular split sqrt square stack standardize sub sum tan tanh unbind window_sum windows "
    "xlog1py xlogy"
).split()
ANALYTIC = frozenset(_NAMES)
"""The primitives that are analytic, and are computed so on complex arrays."""

H = 1e-30
"""The step: its square is nothing beside anything."""


class ComplexStep:
    """The complex step for a function, as long as it is seen to work.

    Parameters
    ----------
    f, values, sizes : as in `finite_differences.Differences`
    """

    def __init__(self, f: Callable[[], list[np.ndarray]], values: list[np.ndarray], sizes: list[np.ndarray]) -> None:
        self._f, self._values, self._sizes = f, values, sizes
        self._works = True

    def quotients(self, move: Move) -> list[np.ndarray] | None:
        """The derivative of every output along a move; None if the function is not known to be analytic.

        At the end of a branch, as of a root at 0, what comes out depends on the step.
        """
        near, far = self._quotients(move, H), self._quotients(move, 4 * H)
        steady = near and far and all(np.allclose(a, b, rtol=1e-9, atol=1e-15) for a, b in zip(near, far, strict=True))
        return near if steady else None

    def _quotients(self, move: Move, h: float) -> list[np.ndarray] | None:
        if not self._works:
            return None
        kept = [leaf.array for leaf in move.leaves]
        try:
            for leaf, array in zip(move.leaves, move.turned(h), strict=True):
                leaf.array = array
            with modes.change(listener=_demand_analytic), warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                found = self._f()
        except Exception:  # whatever it was: this function is not one for complex numbers
            self._works = False
            return None
        finally:
            for leaf, array in zip(move.leaves, kept, strict=True):
                leaf.array = array
        pairs = list(zip(found, self._values, self._sizes, strict=True)) if len(found) == len(self._values) else []
        self._works = bool(pairs) and all(_same(a.real, b, size) for a, b, size in pairs)
        return [a.imag / h for a in found] if self._works else None


def _demand_analytic(primitive: Any, args: tuple[Any, ...], params: dict[str, Any], out: Any) -> None:
    turned = any(np.iscomplexobj(getattr(x, "array", x)) for x in args)
    known = primitive.name in ANALYTIC and REGISTRY[primitive.name].record is primitive
    if turned and not known:
        raise TypeError(f"{primitive.name} is not known to be analytic")


def _same(a: np.ndarray, b: np.ndarray, size: np.ndarray) -> bool:
    """Whether two values differ by no more than rounding."""
    if a.shape != b.shape:
        return False
    return bool(((a == b) | (np.abs(a - b) <= 1e-9 * size)).all())
