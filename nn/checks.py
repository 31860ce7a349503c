"""What layers and losses demand of their arguments, and what they say when they do not get it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd_core import Tensor, as_tensor, modes
from autograd_core.ops.arguments import demand


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


def choice(operation: str, name: str, value: Any, *allowed: Any) -> None:
    """Whether an option is one of those there are."""
    if value not in allowed:
        *others, last = map(repr, allowed)
        raise ValueError(f"{operation}: expected {name} {', '.join(others)} or {last}, got {value!r}")


def reduction(operation: str, value: str, *more: str) -> None:
    """Whether the reduction is one of the three, or of `more`."""
    choice(operation, "reduction", value, "none", "mean", *more, "sum")


def same_shape(operation: str, **tensors: Any) -> list[Tensor]:
    """The arguments as tensors, which must have the same shape."""
    first, *others = found = [as_tensor(tensor) for tensor in tensors.values()]
    for name, other in zip(list(tensors)[1:], others, strict=True):
        if other.array.shape != first.array.shape:
            fix = f"; use {name}.reshape({first.shape})" if other.numel() == first.numel() else ""
            raise ValueError(
                f"{operation}: {next(iter(tensors))} of shape {first.shape} and {name} of shape {other.shape} differ; "
                f"a loss does not broadcast{fix}"
            )
    return found


def pair(operation: str, input: Any, target: Any, how: str) -> list[Tensor]:
    """Input and target as tensors, which must have the same shape; and whether the reduction is one."""
    reduction(operation, how)
    return same_shape(operation, input=input, target=target)


def ordered(operation: str, **bounds: float) -> None:
    """Whether the first of two bounds is not above the second."""
    (low, least), (high, most) = bounds.items()
    if least > most:
        raise ValueError(f"{operation}: {low} must not be above {high}, got {low}={least} and {high}={most}")


def positive(operation: str, **options: float) -> None:
    """Whether all options are above 0."""
    for name, value in options.items():
        if not value > 0:
            raise ValueError(f"{operation}: {name} must be above 0, got {value}")


def not_negative(operation: str, **options: float) -> None:
    """Whether all options are at least 0."""
    for name, value in options.items():
        if not value >= 0:
            raise ValueError(f"{operation}: {name} must be at least 0, got {value}")


def divisor(operation: str, **options: float) -> None:
    """Whether no option is 0, as the input is divided by it."""
    for name, value in options.items():
        if value == 0:
            raise ValueError(f"{operation}: {name} divides the input, so it must not be 0")


def share(operation: str, **options: float) -> None:
    """Whether all options are in [0, 1]."""
    for name, value in options.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{operation}: expected {name} in [0, 1], got {value}")


def slopes(input: Tensor, weight: Tensor) -> int:
    """How many slopes there are: one, or one for each entry of dimension 1."""
    count = weight.numel()
    if weight.ndim > 1 or (count != 1 and (input.ndim < 2 or count != input.shape[1])):
        channels = f" or {input.shape[1]}, one for each entry of dim 1" if input.ndim > 1 else ""
        raise ValueError(
            f"prelu: for input of shape {input.shape} expected one slope{channels}, got weight of shape {weight.shape}"
        )
    return count


def divisible(operation: str, input: Tensor, dim: int, parts: int) -> int:
    """The dimension, counted from the front, whose size must be a multiple of `parts`."""
    if not -input.ndim <= dim < input.ndim:
        raise IndexError(f"{operation}: dim {dim} is not a dimension of input of shape {input.shape}")
    dim %= input.ndim
    if parts < 1 or input.shape[dim] % parts:
        raise ValueError(
            f"{operation}: expected a size along dim {dim} that can be divided by {parts}, got input of shape "
            f"{input.shape}"
        )
    return dim


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


def probabilities(operation: str, input: Tensor, otherwise: str) -> None:
    """Whether all elements are in [0, 1] (or NaN); `otherwise` says what to do if not."""

    def explain(bad: np.ndarray, values: np.ndarray) -> None:
        where = _first(bad)
        raise ValueError(
            f"{operation}: expected probabilities in [0, 1], but input{_at(where)} is {values[where]}; {otherwise}"
        )

    demand(lambda values: (values < 0) | (values > 1), explain, input)


def one_of(operation: str, target: Tensor, labels: tuple[int, int]) -> None:
    """Whether all targets are one of two labels."""

    def explain(bad: np.ndarray, values: np.ndarray) -> None:
        where = _first(bad)
        fix = "; for classes 0 and 1 use 2 * target - 1" if labels[0] == -1 else ""
        raise ValueError(
            f"{operation}: expected targets {labels[0]} and {labels[1]}, but target{_at(where)} is {values[where]}{fix}"
        )

    demand(lambda values: (values != labels[0]) & (values != labels[1]), explain, target)


def variances(operation: str, input: Tensor, var: Tensor) -> Tensor:
    """Variances that broadcast with the input: of each element, one for each row of the last dimension, or one."""
    shape = input.shape
    if var.shape != shape and var.shape == shape[:-1]:
        var = var.reshape((*var.shape, 1))
    differing = [n for n, m in zip(var.shape, shape, strict=False) if n != m]
    if var.ndim and var.shape != shape and (var.ndim != input.ndim or differing != [1]):
        raise ValueError(
            f"{operation}: for input of shape {shape} expected var of the same shape, with a 1 in place of one size, "
            f"or of shape {shape[:-1]} or (), got {var.shape}"
        )

    def explain(bad: np.ndarray, values: np.ndarray) -> None:
        where = _first(bad)
        raise ValueError(f"{operation}: expected variances of at least 0, but var{_at(where)} is {values[where]}")

    demand(lambda values: values < 0, explain, var)
    return var


def integers(operation: str, target: Tensor) -> None:
    """Whether targets are integers."""
    if target.dtype.kind not in "iu":
        raise TypeError(f"{operation}: expected integer classes, got {target.dtype}; convert them with target.long()")


def classes_in_range(operation: str, target: Tensor, classes: int, ignore_index: int | None = None) -> bool:
    """Whether some targets are the one to ignore (in a recording: may be); all others must be classes."""
    recorded = modes.recorder() is not None
    if not recorded:
        values = target.array
        if values.size == 0 or (values.min() >= 0 and values.max() < classes):
            return ignore_index is not None and 0 <= ignore_index < classes and bool((values == ignore_index).any())

    def wrong(values: Any) -> Any:
        bad = (values < 0) | (values >= classes)
        return bad if ignore_index is None else bad & (values != ignore_index)

    def explain(bad: np.ndarray, values: np.ndarray) -> None:
        where = _first(bad)
        raise IndexError(
            f"{operation}: target{_at(where)} is {values[where]}, but there are {classes} classes: "
            f"expected 0 to {classes - 1}" + ("" if ignore_index is None else f", or ignore_index={ignore_index}")
        )

    demand(wrong, explain, target)
    return ignore_index is not None


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


def class_targets(operation: str, input: Tensor, target: Tensor, ignore_index: int | None = None) -> bool:
    """Whether some of the targets are to be ignored; all must fit the input.  Warns if none of them counts."""
    dim = class_dim(operation, input)
    shape = input.array.shape
    expected = shape[:dim] + shape[dim + 1 :]
    if target.array.shape != expected:
        hint = "; probabilities must be floating" if target.shape == shape else ""
        raise ValueError(
            f"{operation}: for input of shape {shape} expected integer classes of shape {expected}, "
            f"got {target.dtype} of shape {target.shape}{hint}"
        )
    integers(operation, target)
    if not classes_in_range(operation, target, shape[dim], ignore_index):
        return False
    if modes.recorder() is None and (target.array == ignore_index).all():
        warnings.warn(
            f"{operation}: every target is ignore_index={ignore_index}; the loss is 0", RuntimeWarning, stacklevel=4
        )
    return True


def class_sets(operation: str, input: Tensor, target: Tensor) -> None:
    """Whether targets of the input's shape list classes of the last dimension, ended by -1."""
    integers(operation, target)
    if input.ndim == 0:
        raise ValueError(f"{operation}: expected input of shape (C,) or (..., C), got a 0-d tensor")
    classes = input.shape[-1]

    def explain(bad: np.ndarray, values: np.ndarray) -> None:
        where = _first(bad)
        raise IndexError(
            f"{operation}: target{_at(where)} is {values[where]}, but there are {classes} classes: "
            f"expected 0 to {classes - 1}, or -1 after the last"
        )

    demand(lambda values: (values < -1) | (values >= classes), explain, target)


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

    def explain(bad: np.ndarray, values: np.ndarray) -> None:
        where = _first(bad)
        raise ValueError(
            f"cross_entropy: expected soft targets that sum to 1 over dim {dim}, but at {_at(where) or 'the only row'} "
            f"they sum to {values.sum(axis=dim)[where]:.6g}; normalise them, or pass allow_unnormalized=True"
        )

    demand(lambda values: np.logical_not(np.abs(values.sum(axis=dim) - 1) <= 1e-3), explain, target)
