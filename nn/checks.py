"""What layers and losses demand of their arguments, and what they say when they do not get it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd_core import Tensor, as_tensor


def linear_shapes(input: Tensor, weight: Tensor, bias: Any) -> None:
    """Whether the last dimension of the input is that of the weight, and the bias has one value an output."""
    if weight.ndim != 2:
        raise ValueError(f"linear: expected a weight of shape (out_features, in_features), got {weight.shape}")
    features = weight.shape[1]
    if input.ndim == 0 or input.shape[-1] != features:
        raise ValueError(
            f"linear: expected input of shape (..., {features}) for a weight of shape {weight.shape}, "
            f"got {input.shape}; its last dimension must be in_features"
        )
    if bias is not None and np.shape(bias) != weight.shape[:1]:
        raise ValueError(f"linear: expected a bias of shape {weight.shape[:1]}, got {np.shape(bias)}")


def reduction(operation: str, value: str) -> None:
    """Whether the reduction is one."""
    if value not in ("none", "mean", "sum"):
        raise ValueError(f"{operation}: expected reduction 'none', 'mean' or 'sum', got {value!r}")


def pair(operation: str, input: Any, target: Any, how: str) -> tuple[Tensor, Tensor]:
    """Input and target as tensors, which must have the same shape; and whether the reduction is one."""
    reduction(operation, how)
    input, target = as_tensor(input), as_tensor(target)
    if input.shape != target.shape:
        fix = f"; use target.reshape({input.shape})" if input.numel() == target.numel() else ""
        raise ValueError(
            f"{operation}: input of shape {input.shape} and target of shape {target.shape} differ; "
            f"a loss does not broadcast{fix}"
        )
    return input, target


def broadcastable(operation: str, argument: str, value: Any, against: Tensor) -> Tensor:
    """A weight as a tensor, which must broadcast to a shape without enlarging it."""
    tensor = as_tensor(value)
    try:
        fits = np.broadcast_shapes(tensor.shape, against.shape) == against.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{operation}: {argument} of shape {tensor.shape} does not broadcast to {against.shape}")
    return tensor


def _first(bad: np.ndarray) -> tuple[int, ...]:
    """The index of the first element that is true."""
    return tuple(int(i) for i in np.argwhere(bad)[0])


def _at(position: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, position))}]" if position else ""


def probabilities(operation: str, input: Tensor) -> None:
    """Whether all elements are in [0, 1] (or NaN)."""
    bad = (input.array < 0) | (input.array > 1)
    if bad.any():
        where = _first(bad)
        raise ValueError(
            f"{operation}: expected probabilities in [0, 1], but input{_at(where)} is {input.array[where]}; "
            f"for a network's raw scores use {operation}_with_logits"
        )


def integers(operation: str, target: Tensor) -> None:
    """Whether targets are integers."""
    if target.dtype.kind not in "iu":
        raise TypeError(f"{operation}: expected integer classes, got {target.dtype}; convert them with target.long()")


def classes_in_range(operation: str, target: Tensor, classes: int, ignore_index: int | None = None) -> None:
    """Whether all targets are classes, or the one to ignore."""
    bad = (target.array < 0) | (target.array >= classes)
    if ignore_index is not None:
        bad &= target.array != ignore_index
    if bad.any():
        where = _first(bad)
        raise IndexError(
            f"{operation}: target{_at(where)} is {target.array[where]}, but there are {classes} classes: "
            f"expected 0 to {classes - 1}" + ("" if ignore_index is None else f", or ignore_index={ignore_index}")
        )


def class_dim(operation: str, input: Tensor) -> int:
    """Which dimension of the input counts the classes."""
    if input.ndim == 0:
        raise ValueError(f"{operation}: expected input of shape (C,), (N, C) or (N, C, ...), got a 0-d tensor")
    return min(input.ndim - 1, 1)


def class_weight(operation: str, weight: Any, classes: int) -> Tensor:
    """The class weights as a tensor, which must have one for each class."""
    tensor = as_tensor(weight)
    if tensor.shape != (classes,):
        raise ValueError(f"{operation}: expected a weight for each class, shape ({classes},), got {tensor.shape}")
    return tensor


def smoothing(value: float) -> None:
    """Whether the label smoothing is a share."""
    if not 0 <= value <= 1:
        raise ValueError(f"cross_entropy: expected label_smoothing in [0, 1], got {value}")


def class_targets(operation: str, input: Tensor, target: Tensor, ignore_index: int) -> None:
    """Whether integer targets fit the input; warns if none of them counts."""
    dim = class_dim(operation, input)
    expected = input.shape[:dim] + input.shape[dim + 1 :]
    if target.shape != expected:
        hint = "; probabilities must be floating" if target.shape == input.shape else ""
        raise ValueError(
            f"{operation}: for input of shape {input.shape} expected integer classes of shape {expected}, "
            f"got {target.dtype} of shape {target.shape}{hint}"
        )
    integers(operation, target)
    classes_in_range(operation, target, input.shape[dim], ignore_index)
    if target.numel() and (target.array == ignore_index).all():
        warnings.warn(
            f"{operation}: every target is ignore_index={ignore_index}; the loss is 0", RuntimeWarning, stacklevel=4
        )


def soft_targets(input: Tensor, target: Tensor, dim: int, ignore_index: int, allow_unnormalized: bool) -> None:
    """Whether floating targets are distributions over the classes of the input."""
    if target.shape != input.shape:
        fix = "; integer classes must have an integer dtype: target.long()" if target.ndim == input.ndim - 1 else ""
        raise ValueError(
            f"cross_entropy: for input of shape {input.shape} expected probabilities of the same shape, "
            f"got {target.dtype} of shape {target.shape}{fix}"
        )
    if ignore_index >= 0:
        raise ValueError("cross_entropy: ignore_index needs integer targets; soft ones are left out by a zero weight")
    if allow_unnormalized:
        return
    sums = target.array.sum(axis=dim)
    bad = ~(np.abs(sums - 1) <= 1e-3)
    if bad.any():
        where = _first(bad)
        raise ValueError(
            f"cross_entropy: expected soft targets that sum to 1 over dim {dim}, but at {_at(where) or 'the only row'} "
            f"they sum to {sums[where]:.6g}; normalise them, or pass allow_unnormalized=True"
        )
