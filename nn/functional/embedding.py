"""Numbers as vectors: one-hot, or rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import (
    Tensor,
    arange,
    as_tensor,
    from_numpy,
    index_add,
    modes,
    no_grad,
    norm,
    reshape,
    unsqueeze,
    where,
    zeros,
)
from autograd_core.ops.arguments import demand

from .. import checks

__all__ = ["embedding", "embedding_bag", "one_hot"]


def one_hot(target: Any, num_classes: int = -1) -> Tensor:
    """Rows of zeros with a 1 at the class.

    Parameters
    ----------
    target : integers of any shape
    num_classes : as many as the largest class needs, if -1

    Returns
    -------
    Tensor of int64, shape (*target.shape, num_classes)

    Raises
    ------
    IndexError
        If a class is not in 0 .. num_classes - 1.

    Examples
    --------
    >>> from autograd_core import nn
    >>> nn.functional.one_hot([0, 2])
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    target = as_tensor(target)
    if num_classes == -1:
        if target.numel() == 0:
            raise ValueError("one_hot: without any target the number of classes is unknown; give num_classes")
        num_classes = int(target._known("one_hot without num_classes").max()) + 1
    checks.integers("one_hot", target)
    checks.classes_in_range("one_hot", target, num_classes)
    result: Tensor = (unsqueeze(target, -1) == arange(num_classes)).long()
    return result


def _numbers(operation: str, input: Any, weight: Any) -> Any:
    """Row numbers as a tensor of integers within the weight."""
    input = as_tensor(input)
    if input.dtype.kind not in "iu":
        if input.numel():
            raise TypeError(f"{operation}: expected integer indices, got {input.dtype}; convert them with .long()")
        input = input.long()
    if weight.ndim != 2:
        raise ValueError(f"{operation}: expected a weight of shape (rows, columns), got {weight.shape}")
    values, shape, rows = input.array, weight.shape, weight.shape[0]
    if modes.recorder() is None and (values.size == 0 or (values.min() >= 0 and values.max() < rows)):
        return input

    def explain(bad: np.ndarray, values: np.ndarray) -> None:
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise IndexError(
            f"{operation}: input{list(where)} is {values[where]}, but the weight of shape {shape} has rows 0 to "
            f"{rows - 1}"
        )

    demand(lambda values: (values < 0) | (values >= rows), explain, input)
    return input


def _row_of(operation: str, padding_idx: int | None, rows: int) -> int | None:
    """`padding_idx`, which may count from the end."""
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise ValueError(f"{operation}: padding_idx {padding_idx} is not one of {rows} rows")
    return padding_idx if padding_idx is None else padding_idx % rows


def _renormed(weight: Any, numbers: Tensor, max_norm: float | None, norm_type: float) -> None:
    """Scale down, in place, those of the rows whose norm is larger than `max_norm`."""
    if max_norm is None:
        return
    with no_grad():
        used = np.unique(numbers._known("max_norm"))
        size = norm(weight[used], norm_type, 1, keepdim=True)._known("max_norm")
        large = size[:, 0] > max_norm
        weight[used[large]] = weight[used[large]] * (max_norm / (size[large] + 1e-7))


def _looked_up(weight: Any, numbers: Any, scale_grad_by_freq: bool) -> Any:
    """The rows; with `scale_grad_by_freq` the gradient of each is divided by how often it is among them."""
    rows = weight[numbers]
    if not scale_grad_by_freq:
        return rows
    values = numbers._known("scale_grad_by_freq")
    times = np.bincount(values.ravel(), minlength=weight.shape[0])[values]
    fixed = rows.detach()
    return fixed + (rows - fixed) / from_numpy(times[..., None].astype(weight.dtype))


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` that `input` names; a row named twice gets both gradients.

    Parameters
    ----------
    input : integers of any shape
    weight : shape (rows, columns)
    padding_idx : a row that gets no gradient
    max_norm : scale rows of a larger norm down to it first, in `weight` itself
    norm_type : the order of that norm
    scale_grad_by_freq : divide a row's gradient by how often it is named
    sparse : must be False: gradients are dense

    Returns
    -------
    Tensor, shape (*input.shape, columns)

    Raises
    ------
    IndexError
        If there is no such row.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.embedding([0, 2, 0], ag.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    tensor([[1., 2.],
            [5., 6.],
            [1., 2.]])
    """
    weight = as_tensor(weight)
    _dense("embedding", sparse)
    numbers = _numbers("embedding", input, weight)
    padding_idx = _row_of("embedding", padding_idx, weight.shape[0])
    _renormed(weight, numbers, max_norm, norm_type)
    rows = _looked_up(weight, numbers, scale_grad_by_freq)
    return rows if padding_idx is None else where(unsqueeze(numbers == padding_idx, -1), rows.detach(), rows)


def _dense(operation: str, sparse: bool) -> None:
    if sparse:
        raise ValueError(f"{operation}: sparse gradients do not exist here; leave sparse=False")


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or maximum of the rows of `weight` that each bag names; of an empty bag 0.

    Parameters
    ----------
    input : integers, shape (bags, n); or (n,), and `offsets` says where bags start
    weight : shape (rows, columns)
    offsets : shape (bags,), not decreasing, from 0
    max_norm, norm_type, scale_grad_by_freq, sparse : as for :func:`embedding`
    mode : "sum", "mean" or "max"; of equal largest elements the first gets the gradient
    per_sample_weights : in the shape of `input`, times which the rows go into a sum
    include_last_offset : the last offset is the end of the last bag
    padding_idx : a row that does not count

    Returns
    -------
    Tensor, shape (bags, columns)

    Raises
    ------
    IndexError
        If there is no such row.
    ValueError
        If the arguments do not fit one another.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> weight = ag.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> nn.functional.embedding_bag([0, 2, 1], weight, offsets=[0, 2], mode="sum")
    tensor([[6., 8.],
            [3., 4.]])
    """
    weight = as_tensor(weight)
    _dense("embedding_bag", sparse)
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag: expected mode 'sum', 'mean' or 'max', got {mode!r}")
    numbers = _numbers("embedding_bag", input, weight)
    bags, count = _bags(numbers, offsets, include_last_offset)
    padding_idx = _row_of("embedding_bag", padding_idx, weight.shape[0])
    _renormed(weight, numbers, max_norm, norm_type)
    flat = reshape(numbers, -1)
    rows = _looked_up(weight, flat, scale_grad_by_freq)
    if per_sample_weights is not None:
        per_sample_weights = as_tensor(per_sample_weights)
        if mode != "sum" or per_sample_weights.shape != numbers.shape:
            raise ValueError(
                f"embedding_bag: per_sample_weights need mode 'sum' and the shape of input, {numbers.shape}; got mode "
                f"{mode!r} and {per_sample_weights.shape}"
            )
        rows = rows * reshape(per_sample_weights, (-1, 1))
    if padding_idx is not None:
        counted = np.flatnonzero(flat._known("embedding_bag with padding_idx") != padding_idx)
        rows, bags = rows[counted], bags[counted]
    if mode == "max":
        return _largest(rows, bags, count)
    total = _summed(rows, bags, count)
    if mode == "sum":
        return total
    lengths = np.maximum(np.bincount(bags, minlength=count), 1)
    return total / from_numpy(lengths[:, None].astype(weight.dtype))


def _summed(rows: Any, bags: np.ndarray, count: int) -> Any:
    """The sum of the rows of each bag."""
    return index_add(zeros(count, rows.shape[1], dtype=rows.dtype), 0, bags, rows)


def _bags(numbers: Any, offsets: Any, include_last_offset: bool) -> tuple[np.ndarray, int]:
    """The bag of each number, and how many bags there are."""
    if numbers.ndim == 2 and offsets is None:
        count, n = numbers.shape
        return np.repeat(np.arange(count), n), count
    if numbers.ndim != 1 or offsets is None:
        raise ValueError(
            f"embedding_bag: expected input of shape (bags, n) without offsets, or (n,) with them, got {numbers.shape}"
            f"{' without' if offsets is None else ' with'} offsets"
        )
    starts = as_tensor(offsets)._known("embedding_bag with offsets")
    ends = np.append(starts[1:], numbers.shape[0])
    if include_last_offset:
        starts, ends = starts[:-1], ends[:-1]
    if starts.ndim != 1 or (starts.size and starts[0] != 0) or (ends < starts).any() or (ends > numbers.shape[0]).any():
        raise ValueError(
            f"embedding_bag: expected offsets that start at 0, do not decrease, and end within input of shape "
            f"{numbers.shape}, got {starts}"
        )
    return np.repeat(np.arange(starts.size), ends - starts), starts.size


def _largest(rows: Any, bags: np.ndarray, count: int) -> Any:
    """The largest element, in each column, of the rows of each bag."""
    lengths = np.bincount(bags, minlength=count)
    starts = np.cumsum(lengths) - lengths
    within = np.arange(lengths.max(initial=1))
    places = np.minimum(starts[:, None] + within, max(bags.size - 1, 0))
    if not bags.size:
        return _summed(rows, bags, count)
    counted = (within < lengths[:, None])[..., None]
    found = where(counted, rows[places], -np.inf).max(1).values
    return where((lengths == 0)[:, None], 0.0, found)
