"""New tensors: filled, ranged and random.

Random tensors come from a :class:`Generator`; without one given, from the thread's own, which :func:`manual_seed` sets.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from .dtypes import get_default_dtype, int64
from .ops.arguments import sizes_of
from .tensor import Tensor, as_tensor, wrap

__all__ = [
    "Generator",
    "arange",
    "default_generator",
    "empty",
    "eye",
    "full",
    "full_like",
    "linspace",
    "manual_seed",
    "ones",
    "ones_like",
    "rand",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "zeros",
    "zeros_like",
]


def _finished(array: Any, dtype: Any, requires_grad: bool) -> Tensor:
    result = wrap(np.asarray(array, dtype=get_default_dtype() if dtype is None else dtype))
    return result.requires_grad_() if requires_grad else result


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros.

    >>> import autograd_core as ag
    >>> ag.zeros(2)
    tensor([0., 0.])
    """
    return _finished(np.zeros(sizes_of(size), dtype or get_default_dtype()), dtype, requires_grad)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of ones.

    >>> import autograd_core as ag
    >>> ag.ones(2)
    tensor([1., 1.])
    """
    return _finished(np.ones(sizes_of(size), dtype or get_default_dtype()), dtype, requires_grad)


def empty(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor whose values are not set."""
    return _finished(np.empty(sizes_of(size), dtype or get_default_dtype()), dtype, requires_grad)


def full(size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of one value; its dtype is the value's, if none is given.

    >>> import autograd_core as ag
    >>> ag.full((2,), 7)
    tensor([7, 7])
    """
    value = as_tensor(fill_value, dtype).array
    return _finished(np.full(sizes_of((size,)), value), value.dtype, requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """The identity matrix of shape (n, m).

    >>> import autograd_core as ag
    >>> ag.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _finished(np.eye(n, m), dtype, requires_grad)


def arange(start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """The numbers from `start` (or 0) up to but not including `end`; int64 if all are integers.

    >>> import autograd_core as ag
    >>> ag.arange(1, 4)
    tensor([1, 2, 3])
    """
    if end is None:
        start, end = 0, start
    integers = all(isinstance(n, (int, np.integer)) for n in (start, end, step))
    return _finished(np.arange(start, end, step), int64 if integers and dtype is None else dtype, requires_grad)


def linspace(start: float, end: float, steps: int, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """`steps` evenly spaced numbers from `start` to `end`, both included.

    >>> import autograd_core as ag
    >>> ag.linspace(0, 1, 3)
    tensor([0. , 0.5, 1. ])
    """
    return _finished(np.linspace(start, end, steps), dtype, requires_grad)


def zeros_like(input: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and dtype of `input`."""
    return zeros(np.shape(input), dtype=dtype or input.dtype, requires_grad=requires_grad)


def ones_like(input: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and dtype of `input`."""
    return ones(np.shape(input), dtype=dtype or input.dtype, requires_grad=requires_grad)


def full_like(input: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """One value in the shape and dtype of `input`."""
    return full(np.shape(input), fill_value, dtype=dtype or input.dtype, requires_grad=requires_grad)


class Generator:
    """A source of random numbers, seeded; a PCG64 stream.

    Parameters
    ----------
    seed : int, optional
        From the operating system if not given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> ag.equal(ag.rand(3, generator=ag.Generator(0)), ag.rand(3, generator=ag.Generator(0)))
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        self.manual_seed(seed)

    def manual_seed(self, seed: int | None) -> Generator:
        """Start the stream anew from `seed`."""
        self.numpy = np.random.Generator(np.random.PCG64(seed))
        return self

    def get_state(self) -> dict[str, Any]:
        """Where the stream stands, for :meth:`set_state`."""
        return dict(self.numpy.bit_generator.state)

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from a state that :meth:`get_state` gave."""
        self.numpy.bit_generator.state = state


_own = threading.local()


def default_generator() -> Generator:
    """The generator of this thread, used where none is given."""
    if not hasattr(_own, "generator"):
        _own.generator = Generator()
    found: Generator = _own.generator
    return found


def manual_seed(seed: int) -> Generator:
    """Seed this thread's default generator."""
    return default_generator().manual_seed(seed)


def _stream(generator: Generator | None) -> np.random.Generator:
    return (generator or default_generator()).numpy


def rand(*size: Any, dtype: Any = None, requires_grad: bool = False, generator: Generator | None = None) -> Tensor:
    """Uniform random numbers in [0, 1)."""
    return _finished(_stream(generator).random(sizes_of(size)), dtype, requires_grad)


def randn(*size: Any, dtype: Any = None, requires_grad: bool = False, generator: Generator | None = None) -> Tensor:
    """Random numbers of the standard normal distribution."""
    return _finished(_stream(generator).standard_normal(sizes_of(size)), dtype, requires_grad)


def randn_like(input: Any, *, dtype: Any = None, generator: Generator | None = None) -> Tensor:
    """Standard normal random numbers of the shape and dtype of `input`."""
    return randn(np.shape(input), dtype=dtype or input.dtype, generator=generator)


def randint(low: int, high: int | None = None, size: Any = (), *, generator: Generator | None = None) -> Tensor:
    """Random integers from `low` (or 0) up to but not including `high`."""
    low, high = (0, low) if high is None else (low, high)
    return wrap(np.asarray(_stream(generator).integers(low, high, sizes_of((size,)), dtype=np.int64)))


def randperm(n: int, *, generator: Generator | None = None) -> Tensor:
    """The integers below `n` in random order."""
    return wrap(_stream(generator).permutation(n))
