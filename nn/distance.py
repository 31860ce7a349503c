"""How far vectors are apart, as modules."""

from __future__ import annotations

from . import functional as F
from .function_module import FunctionModule

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(FunctionModule):
    """The cosine of the angle between vectors along `dim`; see :func:`functional.cosine_similarity`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.CosineSimilarity(dim=0)(ag.tensor([3.0, 4.0]), ag.tensor([4.0, 3.0]))
    tensor(0.96)
    """

    function = staticmethod(F.cosine_similarity)

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__(dim=dim, eps=eps)


class PairwiseDistance(FunctionModule):
    """The p-norm of the differences, over the last dimension; see :func:`functional.pairwise_distance`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.PairwiseDistance()(ag.tensor([3.0, 4.0]), ag.zeros(2))
    tensor(5.)
    """

    function = staticmethod(F.pairwise_distance)

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__(p=p, eps=eps, keepdim=keepdim)
