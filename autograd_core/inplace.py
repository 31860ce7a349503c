"""Changes in place: ``x += 1``, ``x[0] = y``, ``x.mul_(2)``, ``x.copy_(y)``.

A change in place is the operation that is not in place, whose result is then written into the memory of the tensor and
becomes its history.  It works on a snapshot, so what the operation saves is not what the writing destroys; what *other*
operations had saved of that memory is found by the graph's list of changes when a backward pass comes to need it.

Tensors that share memory share the change.  A view knows the tensor it views, its base.  A recorded change of a view is
a change of a part of the base; a view that was made before a recorded change looks its history up anew when it is next
used (`_follow`): it is now a part of what the base has become.  Parts are named by position, found from the memory
addresses, so it does not matter how the view was made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import modes, ops
from .creation import Generator, rand, randn
from .graph import changes
from .ops import indexing, selection, writing
from .ops.casting import cast
from .primitive import PrimitiveFunction, link
from .tensor import Tensor, as_tensor, method, wrap
from .traced import here

__all__: list[str] = []


def _addresses(array: np.ndarray) -> np.ndarray:
    """The memory address of every element."""
    found: Any = array.__array_interface__["data"][0]
    for axis, stride in enumerate(array.strides):
        found = np.expand_dims(found, -1) + stride * np.arange(array.shape[axis])
    return np.asarray(found)


def _positions(view: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Where the elements of `view` are in the flattened `base`."""
    places = _addresses(base).ravel()
    order = np.argsort(places)
    return order[np.searchsorted(places[order], _addresses(view))]


def _as_it_was(tensor: Tensor) -> Tensor:
    """The same values with the history the tensor has now; it is about to get another."""
    before = tensor.detach()
    before.node, before._requires_grad = tensor.node, tensor._requires_grad
    return before


def _link(tensor: Tensor, function: PrimitiveFunction, *args: Any) -> None:
    """Make a tensor, whose memory holds the result already, the result of applying a primitive."""
    node = link(function, *args)
    if node is not None:
        node.shape = tensor.array.shape
    tensor.node, tensor._requires_grad = node, node is not None
    listener = modes.current().listener
    if listener is not None:
        listener(function.record, args, {}, tensor)


@method("_follow")
def _follow(view: Tensor) -> None:
    """Give a view the history its base has now, if a recorded change came since."""
    base = view._base
    assert base is not None
    version = getattr(base, "_version", 0)
    if view._version != version:
        view._version = version
        if base._requires_grad:
            _link(view, indexing._gather, base, _positions(view.array, base.array))


def _refuse(call: str, target: Tensor) -> None:
    """Raise what stands against a recorded change of `target`."""
    root = target if target._base is None else target._base
    if root.node is None and root._requires_grad:
        raise RuntimeError(
            f"{call}: a leaf that requires a gradient, or a view of one, cannot be changed in place while operations "
            f"are recorded; do it under no_grad(), or compute a new tensor"
        )


def _recording(*values: Any) -> bool:
    return modes.current().grad and any(isinstance(v, Tensor) and v.requires_grad for v in values)


def _write(call: str, target: Tensor, value: Tensor) -> None:
    """Put the values into the memory of the target."""
    recorder = modes.recorder()
    if not (target.array.flags.writeable if recorder is None else recorder.writable(target)):
        raise RuntimeError(
            f"{call}: this tensor cannot be written to (the elements of an expanded one share memory); clone() it first"
        )
    if value.shape != target.shape:
        raise ValueError(f"{call}: the result has shape {value.shape}, which does not fit into shape {target.shape}")
    if not np.can_cast(value.dtype, target.dtype, "same_kind"):
        raise TypeError(
            f"{call}: a result of {value.dtype} does not fit into a tensor of {target.dtype}; convert it first"
        )
    if recorder is not None:
        recorder.write(call, target, value)
        return
    target.array[...] = value.array
    changes.note(target.array, f"{call} ({here()})")


def _replace(call: str, target: Tensor, compute: Callable[[Tensor], Any], *others: Any) -> Tensor:
    """Give `target` the value and the history of ``compute(snapshot of target)``, in place."""
    if not _recording(target, *others):
        with modes.change(grad=False):
            result = compute(target)
        _write(call, target, result if isinstance(result, Tensor) else wrap(np.asarray(result)))
        return target
    _refuse(call, target)
    recorder = modes.recorder()
    if recorder is not None:
        recorder.keeps(call, target)
    snapshot = _as_it_was(target)
    snapshot.array = target.array.copy() if recorder is None else recorder.copied(target)
    result = as_tensor(compute(snapshot))
    _write(call, target, result)
    _become(target, cast(result, target.dtype))
    return target


def _become(target: Tensor, result: Tensor) -> None:
    """Make the history of `result` that of `target`, and of the part of its base that it views."""
    base = target._base
    if base is not None:
        _link(base, writing._scatter, _as_it_was(base), _positions(target.array, base.array), result)
    target.node, target._requires_grad = result.node, result._requires_grad
    root = target if base is None else base
    root._version = getattr(root, "_version", 0) + 1
    target._version = root._version


def _in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    """The in-place form of a function whose first argument is a tensor."""
    call = f"{function.__name__}_"

    def change(self: Tensor, *args: Any, **keywords: Any) -> Tensor:
        def compute(snapshot: Tensor) -> Any:
            return function(snapshot, *(snapshot if a is self else a for a in args), **keywords)

        return _replace(call, self, compute, *args, *keywords.values())

    change.__name__ = change.__qualname__ = call
    change.__doc__ = f"As :func:`{function.__name__}`, in place; returns the tensor itself."
    return change


_NAMES = (  # noqa: SIM905
    "abs acos acosh add addbmm addcdiv addcmul addmm addmv addr asin asinh atan atan2 atanh baddbmm bitwise_and "
    "bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor ceil clamp clamp_max clamp_min clip "
    "copysign cos cosh cumprod cumsum deg2rad digamma div eq erf erfc erfinv exp exp2 expm1 fix float_power floor "
    "floor_divide fmod frac ge gt heaviside hypot index_add index_copy index_fill index_put le lerp lgamma log log10 "
    "log1p log2 logical_and logical_not logical_or logical_xor logit lt masked_fill masked_scatter maximum minimum mul "
    "nan_to_num ne neg pow rad2deg reciprocal relu remainder round rsqrt scatter scatter_add scatter_reduce sigmoid "
    "sign sin sinc sinh sqrt square sub tan tanh tril triu trunc xlogy"
).split()
_FUNCTIONS = {name: getattr(family, name) for family in ops.FAMILIES for name in family.__all__}
for _name in _NAMES:
    method(f"{_name}_")(_in_place(_FUNCTIONS[_name]))

_OPERATORS = {
    "iadd": "add", "isub": "sub", "imul": "mul", "itruediv": "div", "ipow": "pow", "imod": "remainder",
    "ifloordiv": "floor_divide", "iand": "bitwise_and", "ior": "bitwise_or", "ixor": "bitwise_xor",
    "ilshift": "bitwise_left_shift", "irshift": "bitwise_right_shift",
}  # fmt: skip
for _operator, _name in _OPERATORS.items():
    method(f"__{_operator}__")(_in_place(_FUNCTIONS[_name]))


def _valued(source: Any, like: Tensor) -> Tensor:
    """The values to write, a Python number with all the digits that `like` can hold."""
    number = type(source) in (int, float) and like.is_floating_point()
    return as_tensor(np.asarray(source, like.dtype) if number else source)


@method("copy_")
def copy_(self: Tensor, source: Any) -> Tensor:
    """Overwrite the values with `source`, broadcast and cast; the gradient goes to `source`.

    >>> import autograd_core as ag
    >>> ag.zeros(2).copy_([1, 2])
    tensor([1., 2.])
    """
    values = _valued(source, self)

    def compute(snapshot: Tensor) -> Any:
        return np.broadcast_to(cast(values, self.dtype), self.shape)

    return _replace("copy_", self, compute, values)


@method("fill_")
def fill_(self: Tensor, value: Any) -> Tensor:
    """Overwrite every element with `value`; no gradient goes to what was there.

    >>> import autograd_core as ag
    >>> ag.zeros(2).fill_(7)
    tensor([7., 7.])
    """
    return _replace(
        "fill_", self, lambda snapshot: selection.where(True, cast(_valued(value, self), self.dtype), snapshot), value
    )


@method("zero_")
def zero_(self: Tensor) -> Tensor:
    """Overwrite every element with 0.

    >>> import autograd_core as ag
    >>> ag.ones(2).zero_()
    tensor([0., 0.])
    """
    return fill_(self, 0)


@method("uniform_")
def uniform_(self: Tensor, low: float = 0.0, high: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite every element with a uniform random number in [low, high)."""
    return copy_(self, low + (high - low) * rand(self.shape, dtype="float64", generator=generator))


@method("normal_")
def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Overwrite every element with a normal random number of this mean and standard deviation."""
    return copy_(self, mean + std * randn(self.shape, dtype="float64", generator=generator))


@method("bernoulli_")
def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Overwrite every element with 1, with probability `p`, or 0."""
    return copy_(self, rand(self.shape, dtype="float64", generator=generator) < p)


@method("__setitem__")
def setitem(self: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``, in all of NumPy's forms; the gradient goes to `value`, and to the rest of `x`.

    Where an index repeats, the last write wins, and so does its gradient.

    >>> import autograd_core as ag
    >>> x = ag.zeros(3)
    >>> x[1:] = 5
    >>> x
    tensor([0., 5., 5.])
    """
    if _recording(self, value):
        _replace("setitem", self, lambda snapshot: writing.setitem(snapshot, index, value), value)
        return
    if modes.recorder() is not None:
        whole = isinstance(index, slice) and index == slice(None) and self.ndim > 0
        if index is Ellipsis or whole:
            copy_(self, value)
        else:
            _replace("setitem", self, lambda snapshot: writing.setitem(snapshot, index, value), value)
        return
    parts = index if isinstance(index, tuple) else (index,)
    self.array[tuple(p.array if isinstance(p, Tensor) else p for p in parts)] = as_tensor(value, self.dtype).array
    changes.note(self.array, f"setitem ({here()})")
