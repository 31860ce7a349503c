"""Layers that turn numbers into rows of a table, which is learned."""

from __future__ import annotations

import operator
from typing import Any, ClassVar, Self

from autograd_core import as_tensor, empty, no_grad

from . import functional as F
from . import init
from .functional.embedding import check_mode, row_of
from .module import Module
from .parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]

_USUAL = {"norm_type": 2.0, "scale_grad_by_freq": False}


class _Table(Module):
    """The table, and the options that say how it is used; a subclass lists those its repr shows."""

    shown: ClassVar[tuple[str, ...]]
    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
        *,
        dtype: Any,
        _weight: Any,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.num_embeddings, self.embedding_dim = operator.index(num_embeddings), operator.index(embedding_dim)
        size = (self.num_embeddings, self.embedding_dim)
        if min(size) < 0:
            raise ValueError(f"{name}: expected sizes of at least 0, got {num_embeddings} and {embedding_dim}")
        if max_norm is not None and max_norm < 0:
            raise ValueError(f"{name}: max_norm must be at least 0, got {max_norm}")
        self.padding_idx = row_of(name, padding_idx, self.num_embeddings)
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        if _weight is None:
            self.weight = Parameter(empty(size, dtype=dtype))
            self.reset_parameters()
        elif as_tensor(_weight).shape == size:
            self.weight = Parameter(_weight)
        else:
            raise ValueError(f"{name}: expected a weight of shape {size}, got {as_tensor(_weight).shape}")

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, *options: Any, **more: Any) -> Self:
        """A layer whose table holds these rows, copied.

        Parameters
        ----------
        embeddings : shape (rows, columns)
        freeze : whether training leaves the table as it is
        *options, **more : those of the layer that follow the sizes

        Examples
        --------
        >>> from autograd_core import nn
        >>> layer = nn.Embedding.from_pretrained([[1.0, 2.0], [3.0, 4.0]])
        >>> layer([1, 0])
        tensor([[3., 4.],
                [1., 2.]])
        """
        embeddings = as_tensor(embeddings)
        if embeddings.ndim != 2:
            raise ValueError(f"{cls.__name__}: expected embeddings of shape (rows, columns), got {embeddings.shape}")
        layer = cls(*embeddings.shape, *options, _weight=embeddings, **more)
        layer.weight.requires_grad_(not freeze)
        return layer

    def reset_parameters(self) -> None:
        """Draw the table anew: standard normal, with zeros in the padding row."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0.0

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        parts += [f"{name}={value!r}" for name in self.shown if (value := getattr(self, name)) != _USUAL.get(name)]
        return ", ".join(parts)


class Embedding(_Table):
    """Rows of a learned table, one for each number; see :func:`functional.embedding`.

    The table starts standard normal, as PyTorch's.  Its gradient is dense.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Rows and columns of the table.
    padding_idx : int, optional
        A row that starts at 0 and gets no gradient; negative ones count from the end.
    max_norm : float, optional
        Rows of a larger norm are scaled down to it whenever they are used, in the table itself.
    norm_type : float
        The order of that norm.
    scale_grad_by_freq : bool
        Divide a row's gradient by how often it is used in the batch.
    dtype : optional
        Of the table; the default dtype if not given.
    _weight : shape (num_embeddings, embedding_dim), optional
        What the table starts with.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)

    Shape: input integers (*), output (*, embedding_dim).

    Raises
    ------
    ValueError
        If an option makes no sense.
    IndexError
        If there is no row of a number.

    Examples
    --------
    >>> from autograd_core import nn
    >>> layer = nn.Embedding(10, 3, padding_idx=0)
    >>> layer([[1, 2], [9, 0]]).shape
    (2, 2, 3)
    >>> layer([0])
    tensor([[0., 0., 0.]], grad_fn=<where>)
    """

    shown = ("padding_idx", "max_norm", "norm_type", "scale_grad_by_freq")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        *,
        dtype: Any = None,
        _weight: Any = None,
    ) -> None:
        super().__init__(
            num_embeddings,
            embedding_dim,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            dtype=dtype,
            _weight=_weight,
        )

    def forward(self, input: Any) -> Any:
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq
        )  # fmt: skip


class EmbeddingBag(_Table):
    """The sum, mean or maximum of the rows of a learned table that each bag of numbers names.

    As :class:`Embedding` and a reduction; see :func:`functional.embedding_bag`.

    Parameters
    ----------
    num_embeddings, embedding_dim, max_norm, norm_type, scale_grad_by_freq, dtype, _weight
        As for :class:`Embedding`.
    mode : "mean", "sum" or "max"
    include_last_offset : bool
        Whether the last of the offsets is the end of the last bag.
    padding_idx : int, optional
        A row that does not count, and starts at 0.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)

    Shape: called with integers (bags, n); or (n,), and ``offsets`` (bags,), where bags start.  Optionally with
    ``per_sample_weights`` of the input's shape, times which the rows go into a sum.  Output (bags, embedding_dim), with
    zeros for an empty bag.

    Raises
    ------
    ValueError
        If an option makes no sense, or input and offsets do not fit.
    IndexError
        If there is no row of a number.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> layer = nn.EmbeddingBag.from_pretrained([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], mode="sum")
    >>> layer([0, 2, 1], offsets=[0, 2])
    tensor([[6., 8.],
            [3., 4.]])
    """

    shown = ("max_norm", "norm_type", "scale_grad_by_freq", "mode", "padding_idx")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        *,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        dtype: Any = None,
        _weight: Any = None,
    ) -> None:
        super().__init__(
            num_embeddings,
            embedding_dim,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            dtype=dtype,
            _weight=_weight,
        )
        check_mode("EmbeddingBag", mode)
        self.mode, self.include_last_offset = mode, include_last_offset

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )
