"""Numbers as vectors: one-hot, or rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import (
    Tensor,
    arange,
    as_tensor,
    broadcast_to,
    cat,
    full,
    gather,
    index_add,
    isnan,
    maximum,
    modes,
    no_grad,
    norm,
    ones,
    reshape,
    scatter_reduce,
    searchsorted,
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


def row_of(operation: str, padding_idx: int | None, rows: int) -> int | None:
    """`padding_idx`, which may count from the end."""
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise ValueError(f"{operation}: padding_idx {padding_idx} is not one of {rows} rows")
    return padding_idx if padding_idx is None else padding_idx % rows


def _renormed(weight: Any, numbers: Tensor, max_norm: float | None, norm_type: float) -> None:
    """Scale down, in place, those of the rows whose norm is larger than `max_norm`."""
    if max_norm is None:
        return
    with no_grad():
        flat = reshape(numbers, -1)
        rows = weight[flat]  # one that is named twice is written twice, with the same values
        size = norm(rows, norm_type, 1, keepdim=True)
        weight[flat] = where(size > max_norm, rows * (max_norm / (size + 1e-7)), rows)


def _looked_up(weight: Any, numbers: Any, scale_grad_by_freq: bool) -> Any:
    """The rows; with `scale_grad_by_freq` the gradient of each is divided by how often it is among them."""
    rows = weight[numbers]
    if not scale_grad_by_freq:
        return rows
    flat = reshape(numbers, -1)
    times = index_add(zeros(weight.shape[0], dtype=weight.dtype), 0, flat, ones(flat.shape, dtype=weight.dtype))
    fixed = rows.detach()
    return fixed + (rows - fixed) / unsqueeze(times[numbers], -1)


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
    padding_idx = row_of("embedding", padding_idx, weight.shape[0])
    _renormed(weight, numbers, max_norm, norm_type)
    rows = _looked_up(weight, numbers, scale_grad_by_freq)
    return rows if padding_idx is None else where(unsqueeze(numbers == padding_idx, -1), rows.detach(), rows)


def _dense(operation: str, sparse: bool) -> None:
    if sparse:
        raise ValueError(f"{operation}: sparse gradients do not exist here; leave sparse=False")


def check_mode(operation: str, mode: str) -> None:
    """Whether bags can be reduced in this way."""
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"{operation}: expected mode 'sum', 'mean' or 'max', got {mode!r}")


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
    check_mode("embedding_bag", mode)
    numbers = _numbers("embedding_bag", input, weight)
    bags, count = _bags(numbers, offsets, include_last_offset)
    padding_idx = row_of("embedding_bag", padding_idx, weight.shape[0])
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
    counted = flat != (-1 if padding_idx is None else padding_idx)
    if mode == "max":
        return _largest(rows, bags, count, counted)
    total = _summed(where(unsqueeze(counted, 1), rows, 0.0), bags, count)
    if mode == "sum":
        return total
    lengths = _summed(unsqueeze(counted, 1).to(weight.dtype), bags, count)
    return total / maximum(lengths, 1)


def _summed(rows: Any, bags: Any, count: int) -> Any:
    """The sum of the rows of each bag."""
    return index_add(zeros(count, rows.shape[1], dtype=rows.dtype), 0, bags, rows)


def _bags(numbers: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, int]:
    """The bag of each number, and how many bags there are."""
    if numbers.ndim == 2 and offsets is None:
        count, n = numbers.shape
        return np.repeat(np.arange(count), n), count
    if numbers.ndim != 1 or offsets is None:
        raise ValueError(
            f"embedding_bag: expected input of shape (bags, n) without offsets, or (n,) with them, got {numbers.shape}"
            f"{' without' if offsets is None else ' with'} offsets"
        )
    offsets, n = as_tensor(offsets), numbers.shape[0]
    count = offsets.numel() - include_last_offset
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or count < (n > 0):
        raise ValueError(
            f"embedding_bag: expected offsets of shape (bags,), integers where bags start in input of shape "
            f"{numbers.shape}, got {offsets.dtype} of shape {offsets.shape}"
        )

    def wrong(values: Any) -> Any:
        bad = np.concatenate([values[:1] != 0, values[1:] < values[:-1]]) | (values > n)
        return np.concatenate([bad, values[-1:] != n]) if include_last_offset else bad

    def explain(bad: np.ndarray, values: np.ndarray) -> None:
        end = f"end at {n}" if include_last_offset else f"stay within {n}"
        raise ValueError(f"embedding_bag: expected offsets that start at 0, do not decrease and {end}, got {values}")

    demand(wrong, explain, offsets)
    return searchsorted(offsets[:count], arange(n), right=True) - 1, count


def _largest(rows: Any, bags: Any, count: int, counted: Any) -> Any:
    """The largest element, in each column, of the rows of each bag that count; the first of several."""
    n = rows.shape[0]
    values, counted = where(unsqueeze(counted, 1), rows.detach(), -np.inf), unsqueeze(counted, 1)
    into = broadcast_to(unsqueeze(as_tensor(bags), 1), rows.shape)
    best = scatter_reduce(full((count, rows.shape[1]), -np.inf, dtype=rows.dtype), 0, into, values, "amax")
    reached = best[bags]
    hit = counted & ((values == reached) | (isnan(values) & isnan(reached)))
    places = where(hit, reshape(arange(n), (-1, 1)), n)
    first = scatter_reduce(full((count, rows.shape[1]), n, dtype=np.int64), 0, into, places, "amin")
    return gather(cat([rows, zeros(1, rows.shape[1], dtype=rows.dtype)]), 0, first)
