"""The tensor: an ndarray, and a link to what made it.

What can be computed with a tensor is not here: each operation is declared in ``ops`` and becomes a method by the
:func:`method` decorator.  This file holds what a tensor *is*.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from .dtypes import as_array, bool_, float32, int64, is_floating
from .graph import Node
from .modes import facts, recorder, recorders
from .traced import TracingError

__all__ = ["Tensor", "as_tensor", "from_numpy", "is_tensor", "method", "tensor", "wrap"]

F = TypeVar("F")


class Tensor:
    """An n-dimensional array that remembers how it was computed.

    Parameters
    ----------
    data : array, scalar, nested list or tensor
        Copied.
    dtype : optional
        Python floats become the default dtype (float32 unless set), arrays keep theirs.
    requires_grad : bool
        Whether results computed from this tensor shall lead back to it.
    name : str, optional
        Shown in pictures and errors.

    Attributes
    ----------
    array : numpy.ndarray
        The values.
    grad : Tensor or None
        Where ``backward()`` adds the gradient, for leaves that require one.
    node : Node or None
        The graph node that made this tensor; None for leaves.

    Examples
    --------
    >>> import autograd_core as ag
    >>> x = ag.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4., 6.])
    """

    # `_requires_grad` is read by every operation, so it is a plain slot behind the checked property.  `_base` is the
    # tensor this one is a view of, and `_version` counts the recorded changes of the base (see inplace.py).
    __slots__ = ("__weakref__", "_base", "_grad", "_requires_grad", "_version", "array", "name", "node")

    array: np.ndarray
    node: Node | None
    name: str | None
    _grad: Tensor | None
    _requires_grad: bool
    _base: Tensor | None
    _version: int

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = False, name: str | None = None) -> None:
        if recorders and recorder() is not None:
            self.array = recorder().made(data, dtype)
        else:
            if isinstance(data, Tensor):
                data = data.array
            self.array = np.array(as_array(data, dtype))
        self._grad = self.node = self._base = None
        self.name = name
        self._requires_grad = False
        if requires_grad:
            _check_floating(self)
            self._requires_grad = True

    if TYPE_CHECKING:  # the operations attached by `method`

        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __pos__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __lshift__(self, other: Any) -> Tensor: ...
        def __rshift__(self, other: Any) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __getattr__(self, name: str) -> Any: ...

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return self.array.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or its entry at `dim`."""
        return self.array.shape if dim is None else self.array.shape[dim]

    def numel(self) -> int:
        """The number of elements."""
        return self.array.size

    def is_floating_point(self) -> bool:
        return is_floating(self.array.dtype)

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was made by a person rather than by a recorded operation."""
        return self.node is None

    @property
    def grad_fn(self) -> Node | None:
        """PyTorch's name for `node`."""
        return self.node

    @property
    def requires_grad(self) -> bool:
        """Whether results computed from this tensor lead back to it.

        Raises
        ------
        TypeError
            When set on a tensor that is not of a real floating dtype.
        RuntimeError
            When taken from a tensor that an operation made.
        """
        if self._base is not None:
            self._follow()
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value:
            _check_floating(self)
        elif self.node is not None:
            raise RuntimeError("requires_grad: an operation made this tensor; use detach() for one without gradient")
        if self._requires_grad != bool(value):
            if recorders and recorder() is not None:
                recorder().keeps("requires_grad", self)
            self._requires_grad = bool(value)
            facts.version += 1

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` and return the tensor."""
        self.requires_grad = requires_grad
        return self

    # Its values

    @property
    def data(self) -> Tensor:
        """The same values without history; shares memory.  Assigning replaces the values."""
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        if recorders and recorder() is not None:
            raise TracingError("data: a compiled function cannot exchange the array of a tensor; write: copy_(value)")
        self.array = as_array(value.array if isinstance(value, Tensor) else value)
        facts.version += 1

    def detach(self) -> Tensor:
        """The same values as a tensor without history that requires no gradient; shares memory."""
        if recorders and recorder() is not None:
            return wrap(recorder().cell(self))
        return wrap(self.array)

    def _known(self, asked: str) -> np.ndarray:
        """The values, for something that lies outside of what can be recorded."""
        if recorders and recorder() is not None:
            known: np.ndarray = recorder().known(self, asked)
            return known
        if isinstance(self.array, np.ndarray):
            return self.array
        raise TracingError(
            f"{asked}: this tensor was made at {self.array.line} while a compiled function was recorded, and has no "
            f"values; return it from the function"
        )

    def numpy(self) -> np.ndarray:
        """The values as an ndarray that shares memory.

        Raises
        ------
        RuntimeError
            If the tensor requires a gradient, which the array would lose.
        """
        if self._requires_grad:
            raise RuntimeError("numpy: this tensor requires a gradient, which an ndarray loses; use .detach().numpy()")
        return self._known("numpy")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The value of a tensor of one element, as a Python number."""
        if self.array.size != 1:
            raise ValueError(f"item: expected a tensor of one element, got shape {self.shape}; use tolist()")
        return self._known("item").item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self._known("tolist").tolist()

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise ValueError(f"bool: the truth of a tensor of shape {self.shape} is ambiguous; use .any() or .all()")
        return bool(self._known("bool").item())

    def __float__(self) -> float:
        return float(self._known("float").item() if self.array.size == 1 else self.item())

    def __int__(self) -> int:
        return int(self._known("int").item() if self.array.size == 1 else self.item())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iub":
            raise TypeError(f"index: expected an integer tensor, got {self.dtype}")
        return int(self.item())

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("len: a 0-d tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise TypeError("iter: a 0-d tensor cannot be iterated over; use item()")
        return iter(self.unbind(0))

    def __contains__(self, value: Any) -> bool:
        return bool((self._known("in") == (value._known("in") if isinstance(value, Tensor) else value)).any())

    __hash__ = object.__hash__

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self.node is not None:
            raise RuntimeError("deepcopy: an operation made this tensor; copy detach() of it, or clone() it")
        copy = type(self).__new__(type(self))
        copy.array = self._known("deepcopy").copy()
        copy.node = copy._base = None
        copy.name, copy._requires_grad = self.name, self._requires_grad
        memo[id(self)] = copy
        copy._grad = None if self.grad is None else self.grad.__deepcopy__(memo)
        return copy

    # Its gradient

    @property
    def grad(self) -> Tensor | None:
        """Where ``backward()`` adds the gradient, for leaves that require one."""
        if recorders and recorder() is not None:
            found: Tensor | None = recorder().grad_of(self)
            return found
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if recorders and recorder() is not None:
            recorder().set_grad(self, value)
        else:
            self._grad = value

    def retain_grad(self) -> None:
        """Let ``backward()`` store the gradient in `grad` also if this tensor is not a leaf.

        Raises
        ------
        RuntimeError
            If the tensor requires no gradient.
        """
        if not self._requires_grad:
            raise RuntimeError("retain_grad: this tensor requires no gradient")
        if self.node is None:
            return
        this = weakref.ref(self)

        def keep(g: Any) -> None:
            tensor = this()
            if tensor is not None:
                tensor.accumulate_grad(g)

        if self.node.hooks is None:
            self.node.hooks = []
        self.node.hooks.append(keep)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call ``hook(gradient)`` whenever the gradient by this tensor is complete; what it returns replaces it.

        Hooks run in the order they were registered.  They must not change their argument.

        Returns
        -------
        RemovableHandle
            Its ``remove()`` takes the hook away.

        Raises
        ------
        RuntimeError
            If the tensor requires no gradient.

        Examples
        --------
        >>> import autograd_core as ag
        >>> x = ag.tensor(2.0, requires_grad=True)
        >>> handle = x.register_hook(lambda g: 10 * g)
        >>> (x * x).backward()
        >>> x.grad
        tensor(40.)
        """
        if not self.requires_grad:
            raise RuntimeError("register_hook: this tensor requires no gradient")
        if recorders and recorder() is not None:
            recorder().keeps("register_hook", self)
        facts.version += 1

        def call(g: Any) -> Any:
            replaced = hook(g if isinstance(g, Tensor) else wrap(np.asarray(g)))
            return None if replaced is None else replaced if isinstance(g, Tensor) else replaced.array

        if self.node is None:
            hooks = leaf_hooks.add(self)
        elif self.node.hooks is None:
            hooks = self.node.hooks = []
        else:
            hooks = self.node.hooks
        hooks.append(call)
        return RemovableHandle(hooks, call)

    def accumulate_grad(self, g: Any) -> None:
        """Add a cotangent (an array, or a tensor with history) to `grad`, as ``backward()`` does."""
        grad = self.grad
        if isinstance(g, Tensor):
            if recorders and recorder() is not None and not g._requires_grad:
                recorder().accumulate(self, grad, g)
            else:
                self.grad = g if grad is None else grad + g
        elif grad is None:
            self.grad = wrap(np.array(g, order="C"))
        elif grad.requires_grad:
            self.grad = grad + wrap(np.asarray(g))
        else:
            grad.array += g

    # How it looks

    def __repr__(self) -> str:
        if not isinstance(self.array, np.ndarray):
            return f"tensor({self.array!r})"
        body = np.array2string(self.array, separator=", ", prefix="tensor(", precision=4)
        notes = []
        if self.array.dtype not in (float32, int64, bool_):
            notes.append(f"dtype={self.array.dtype}")
        if self.array.size == 0 and self.array.ndim != 1:
            notes.append(f"shape={self.shape}")
        if self.node is not None:
            notes.append(f"grad_fn={self.node!r}")
        elif self._requires_grad:
            notes.append("requires_grad=True")
        return f"tensor({', '.join([body, *notes])})"

    def __format__(self, spec: str) -> str:
        return format(self._known("format").item() if spec and self.array.size == 1 else str(self), spec)


class RemovableHandle:
    """Takes a hook away again."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self._hooks, self._hook = hooks, hook

    def remove(self) -> None:
        """Take the hook away; doing so twice is no error."""
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)
            facts.version += 1


def _check_floating(tensor: Tensor) -> None:
    if not is_floating(tensor.array.dtype):
        raise TypeError(
            f"requires_grad: only tensors of a real floating dtype have gradients, this one is {tensor.array.dtype}; "
            f"convert it first, as in tensor.to(float32)"
        )


class _LeafHooks:
    """The hooks of leaves, which are told apart by identity; those of other tensors are on their nodes."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[weakref.ref[Tensor], list[Callable[[Any], Any]]]] = {}

    def add(self, leaf: Tensor) -> list[Callable[[Any], Any]]:
        """The list of its hooks, to put another into."""
        key = id(leaf)
        if key not in self._of:
            self._of[key] = weakref.ref(leaf, lambda _: self._of.pop(key, None)), []
        return self._of[key][1]

    def of(self, leaf: Any) -> tuple[Callable[[Any], Any], ...]:
        """Its hooks now."""
        entry = self._of.get(id(leaf))
        return () if entry is None else tuple(entry[1])

    def __bool__(self) -> bool:
        return bool(self._of)


leaf_hooks = _LeafHooks()


def wrap(array: Any) -> Tensor:
    """A tensor around this very array, without history."""
    if recorders and type(array) is np.ndarray and recorder() is not None:
        array = recorder().made(array)
    result = _new(Tensor)
    result.array = array
    result.node = result._grad = result.name = result._base = None
    result._requires_grad = False
    return result


_new = Tensor.__new__


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False, name: str | None = None) -> Tensor:
    """A new tensor from a copy of `data`: an array, a number, nested lists or a tensor.

    Examples
    --------
    >>> import autograd_core as ag
    >>> ag.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> ag.tensor(0.5, requires_grad=True)
    tensor(0.5, requires_grad=True)
    """
    return Tensor(data, dtype, requires_grad, name)


def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """`data` as a tensor; a tensor is returned as it is, an array is shared."""
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype == dtype else data.to(dtype)
    array = as_array(data, dtype)
    return wrap(array) if array is not data else from_numpy(array)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares memory with `array`."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected an ndarray, got {type(array).__name__}; use tensor()")
    result = wrap(as_array(array))
    if recorders and recorder() is not None:
        recorder().fix(result, "it shares memory with an ndarray")
    return result


def is_tensor(value: Any) -> bool:
    """Whether `value` is a tensor."""
    return isinstance(value, Tensor)


def method(*names: str) -> Callable[[F], F]:
    """Decorator: make a function whose first argument is a tensor a method, under its own name or these names."""

    def attach(function: F) -> F:
        for name in names or (cast(Any, function).__name__,):
            setattr(Tensor, name, function)
        return function

    return attach
