"""New tensors: filled, ranged and random.

Random tensors come from a :class:`Generator`; without one given, from the thread's own, which :func:`manual_seed` sets.
Every function takes ``device`` for the sake of code written for PyTorch; there is only the CPU.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import modes
from .dtypes import as_array, get_default_dtype, int64, is_floating
from .ops.arguments import check_device, demand, shape, sizes_of, variadic
from .tensor import Tensor, as_tensor, method, tensor, wrap
from .traced import TracingError

__all__ = [
    "Generator",
    "arange",
    "bernoulli",
    "default_generator",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "manual_seed",
    "multinomial",
    "normal",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "zeros",
    "zeros_like",
]


def _given(result: Tensor, requires_grad: bool, device: Any) -> Tensor:
    check_device("tensor", device)
    return result.requires_grad_() if requires_grad else result


def _finished(array: Any, dtype: Any, requires_grad: bool, device: Any) -> Tensor:
    result = wrap(np.asarray(array, dtype=get_default_dtype() if dtype is None else dtype))
    return _given(result, requires_grad, device)


# Filled


@variadic("size")
def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros.

    >>> import autograd_core as ag
    >>> ag.zeros(2)
    tensor([0., 0.])
    """
    return _finished(np.zeros(sizes_of(size), dtype or get_default_dtype()), dtype, requires_grad, device)


@variadic("size")
def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of ones.

    >>> import autograd_core as ag
    >>> ag.ones(2)
    tensor([1., 1.])
    """
    return _finished(np.ones(sizes_of(size), dtype or get_default_dtype()), dtype, requires_grad, device)


@variadic("size")
def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor whose values are not set."""
    return _finished(np.empty(sizes_of(size), dtype or get_default_dtype()), dtype, requires_grad, device)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of one value; its dtype is the value's, if none is given.

    >>> import autograd_core as ag
    >>> ag.full((2,), 7)
    tensor([7, 7])
    """
    if isinstance(fill_value, Tensor):
        fill_value = fill_value._known("full")
    value = as_array(fill_value, dtype)
    return _finished(np.full(sizes_of((size,)), value), value.dtype, requires_grad, device)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The identity matrix of shape (n, m).

    >>> import autograd_core as ag
    >>> ag.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _finished(np.eye(n, m), dtype, requires_grad, device)


def zeros_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and dtype of `input`."""
    return zeros(shape(input), dtype=_dtype_of(input, dtype), device=device, requires_grad=requires_grad)


def ones_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and dtype of `input`."""
    return ones(shape(input), dtype=_dtype_of(input, dtype), device=device, requires_grad=requires_grad)


def empty_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of the shape and dtype of `input` whose values are not set."""
    return empty(shape(input), dtype=_dtype_of(input, dtype), device=device, requires_grad=requires_grad)


def full_like(
    input: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One value in the shape and dtype of `input`."""
    dtype = _dtype_of(input, dtype)
    return full(shape(input), fill_value, dtype=dtype, device=device, requires_grad=requires_grad)


def _dtype_of(input: Any, dtype: Any) -> Any:
    """`dtype`, or that of `input` where none is given."""
    return as_tensor(input).dtype if dtype is None else dtype


@method()
@variadic("size")
def new_zeros(self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of this size, in the dtype of the tensor.

    >>> import autograd_core as ag
    >>> ag.tensor([1, 2]).new_zeros(3)
    tensor([0, 0, 0])
    """
    return zeros(*size, dtype=_dtype_of(self, dtype), device=device, requires_grad=requires_grad)


@method()
@variadic("size")
def new_ones(self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of this size, in the dtype of the tensor."""
    return ones(*size, dtype=_dtype_of(self, dtype), device=device, requires_grad=requires_grad)


@method()
@variadic("size")
def new_empty(self: Any, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of this size whose values are not set, in the dtype of the tensor."""
    return empty(*size, dtype=_dtype_of(self, dtype), device=device, requires_grad=requires_grad)


@method()
def new_full(
    self: Any, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One value in this size, in the dtype of the tensor."""
    return full(size, fill_value, dtype=_dtype_of(self, dtype), device=device, requires_grad=requires_grad)


@method()
def new_tensor(self: Any, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor from a copy of `data`, in the dtype of the tensor."""
    check_device("new_tensor", device)
    return tensor(data, dtype=_dtype_of(self, dtype), requires_grad=requires_grad)


# Ranged


def _number(x: Any) -> Any:
    """A Python number from one, or from a tensor or array of one element."""
    return x.item() if isinstance(x, (Tensor, np.ndarray, np.generic)) else x


def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The numbers from `start` (or 0) up to but not including `end`; int64 if all are integers.

    >>> import autograd_core as ag
    >>> ag.arange(1, 4)
    tensor([1, 2, 3])
    """
    start, end, step = (0, _number(start), _number(step)) if end is None else map(_number, (start, end, step))
    if step == 0 or (end - start) * step < 0:
        raise ValueError(f"arange: no step of {step} leads from {start} to {end}; expected one of the right sign")
    integers = all(isinstance(n, int) for n in (start, end, step))
    values = np.arange(start, end, step)
    return _finished(values, int64 if integers and dtype is None else dtype, requires_grad, device)


def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` evenly spaced numbers from `start` to `end`, both included.

    >>> import autograd_core as ag
    >>> ag.linspace(0, 1, 3)
    tensor([0. , 0.5, 1. ])
    """
    return _finished(np.linspace(_number(start), _number(end), steps), dtype, requires_grad, device)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from ``base**start`` to ``base**end``, both included, whose logarithms are evenly spaced.

    >>> import autograd_core as ag
    >>> ag.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    values = np.logspace(_number(start), _number(end), steps, base=base)
    return _finished(values, dtype, requires_grad, device)


# Random


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
        _not_recorded("manual_seed")
        self.numpy = np.random.Generator(np.random.PCG64(seed))
        return self

    def get_state(self) -> dict[str, Any]:
        """Where the stream stands, for :meth:`set_state`."""
        return dict(self.numpy.bit_generator.state)

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from a state that :meth:`get_state` gave."""
        _not_recorded("set_state")
        self.numpy.bit_generator.state = state


_own = threading.local()


def default_generator() -> Generator:
    """The generator of this thread, used where none is given."""
    if not hasattr(_own, "generator"):
        with modes.change(recorder=None):
            _own.generator = Generator()
    found: Generator = _own.generator
    return found


def manual_seed(seed: int) -> Generator:
    """Seed this thread's default generator."""
    return default_generator().manual_seed(seed)


def _not_recorded(asked: str) -> None:
    if modes.recorder() is not None:
        raise TracingError(f"{asked}: a compiled function cannot set where a random stream stands; do it outside")


def _drawn(generator: Generator | None, draw: Callable[[np.random.Generator], Any], dtype: Any) -> Tensor:
    """What `draw` makes of the stream of a generator; a recording notes that it is to be drawn in every run."""

    def now() -> np.ndarray:
        return np.asarray(draw((generator or default_generator()).numpy), dtype)

    recorder = modes.recorder()
    return wrap(now() if recorder is None else recorder.draw(now, generator or default_generator()))


def _drawn_in(operation: str, dtype: Any) -> np.dtype[Any]:
    """The dtype to draw in: a float64 below 1 may round up to 1 as a float32."""
    dtype = np.dtype(dtype or get_default_dtype())
    if not is_floating(dtype):
        raise TypeError(f"{operation}: expected a floating dtype, got {dtype}; for integers there is randint")
    return dtype if dtype == np.float64 else np.dtype(np.float32)


@variadic("size")
def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers in [0, 1)."""
    sizes, dtype = sizes_of(size), np.dtype(dtype or get_default_dtype())
    within = _drawn_in("rand", dtype)

    def draw(stream: np.random.Generator) -> Any:
        values = stream.random(sizes, within)
        return values if dtype != np.float16 else np.minimum(values, np.nextafter(np.float16(1), np.float16(0)))

    return _given(_drawn(generator, draw, dtype), requires_grad, device)


@variadic("size")
def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random numbers of the standard normal distribution."""
    sizes, dtype = sizes_of(size), np.dtype(dtype or get_default_dtype())
    within = _drawn_in("randn", dtype)
    values = _drawn(generator, lambda stream: stream.standard_normal(sizes, within), dtype)
    return _given(values, requires_grad, device)


def rand_like(
    input: Any,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers in [0, 1) of the shape and dtype of `input`."""
    dtype = _dtype_of(input, dtype)
    return rand(shape(input), dtype=dtype, device=device, requires_grad=requires_grad, generator=generator)


def randn_like(
    input: Any,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Standard normal random numbers of the shape and dtype of `input`."""
    dtype = _dtype_of(input, dtype)
    return randn(shape(input), dtype=dtype, device=device, requires_grad=requires_grad, generator=generator)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random integers from `low` (or 0) up to but not including `high`: ``randint(high, size)``, or with `low` first.

    >>> import autograd_core as ag
    >>> ag.randint(10, (2, 3)).shape
    (2, 3)
    """
    if isinstance(high, Sequence):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if high <= low:
        raise ValueError(f"randint: expected low below high, got {low} and {high}")
    sizes = sizes_of((size or (),))
    values = _drawn(generator, lambda stream: stream.integers(low, high, sizes), int64 if dtype is None else dtype)
    return _given(values, requires_grad, device)


def randint_like(
    input: Any,
    low: int,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random integers from `low` (or 0) up to but not including `high`, in the shape and dtype of `input`."""
    dtype, size = _dtype_of(input, dtype), shape(input)
    return randint(low, high, size, dtype=dtype, device=device, requires_grad=requires_grad, generator=generator)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The integers below `n` in random order."""
    order = _drawn(generator, lambda stream: stream.permutation(n), int64 if dtype is None else dtype)
    return _given(order, requires_grad, device)


@method()
def bernoulli(input: Any, p: Any = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that `input` holds, else 0; or with probability `p`, in the shape of `input`.

    Raises
    ------
    ValueError
        If a probability is not in [0, 1].

    >>> import autograd_core as ag
    >>> ag.bernoulli(ag.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    like = as_tensor(input)
    chance = like if p is None else as_tensor(p)

    def explain(bad: np.ndarray, values: np.ndarray) -> None:
        raise ValueError(f"bernoulli: expected probabilities in [0, 1], got {values[bad][0]}")

    demand(lambda values: np.logical_not((values >= 0) & (values <= 1)), explain, chance)
    sizes = like.shape
    result: Tensor = (_drawn(generator, lambda stream: stream.random(sizes), np.float64) < chance).to(like.dtype)
    return result


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal random numbers of these means and standard deviations, which are numbers (then with a `size`) or tensors.

    No gradient leads to `mean` and `std`; for that, write ``mean + std * randn_like(mean)``.

    >>> import autograd_core as ag
    >>> ag.normal(ag.tensor([1.0, 2.0]), 0.0)
    tensor([1., 2.])
    """
    centre, spread = (x.detach() if isinstance(x, Tensor) else as_tensor(np.asarray(x)) for x in (mean, std))

    def explain(bad: np.ndarray, values: np.ndarray) -> None:
        raise ValueError(f"normal: expected a standard deviation of at least 0, got {values.min()}")

    demand(lambda values: values < 0, explain, spread)
    if size is None:
        if not isinstance(mean, (Tensor, np.ndarray)) and not isinstance(std, (Tensor, np.ndarray)):
            raise TypeError("normal: expected a size, for mean and std are numbers")
        size = np.broadcast_shapes(centre.shape, spread.shape)
        dtype = dtype or np.result_type(*(x.dtype for x in (mean, std) if isinstance(x, (Tensor, np.ndarray))))
    noise = randn(size, dtype=dtype, generator=generator)
    return _given((centre + spread * noise).to(noise.dtype), requires_grad, device)


@method()
def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices drawn with the weights in `input`, a vector or rows; weights need not sum to 1.

    Parameters
    ----------
    replacement : bool
        Whether an index can be drawn again.  Without, the successive draws are found as the smallest of exponential
        waiting times with the weights as rates [1].

    Raises
    ------
    ValueError
        If weights are negative, not finite or all 0, or too few for what is to be drawn.

    References
    ----------
    .. [1] P. S. Efraimidis, P. G. Spirakis, Weighted random sampling with a reservoir, Information Processing
       Letters 97 (2006), section 3.

    >>> import autograd_core as ag
    >>> ag.multinomial(ag.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    weights = as_tensor(input)._known("multinomial")
    if weights.ndim not in (1, 2):
        raise ValueError(f"multinomial: expected a vector or rows of weights, got shape {weights.shape}")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("multinomial: expected weights that are finite and not negative")
    possible = np.count_nonzero(weights, axis=-1).min(initial=weights.shape[-1])
    if possible < (1 if replacement else num_samples):
        raise ValueError(
            f"multinomial: expected at least {1 if replacement else num_samples} weights above 0 in each row, "
            f"got {possible}; draw fewer, or with replacement"
        )

    def draw(stream: np.random.Generator) -> Any:
        if replacement:
            rows = np.cumsum(np.atleast_2d(weights), axis=1, dtype=np.float64)
            draws = np.minimum(stream.random((len(rows), num_samples)) * rows[:, -1:], np.nextafter(rows[:, -1:], 0))
            found = [np.searchsorted(row, draw, side="right") for row, draw in zip(rows, draws, strict=True)]
            return np.reshape(np.asarray(found, np.int64), (*weights.shape[:-1], num_samples))
        with np.errstate(divide="ignore"):
            times = stream.standard_exponential(weights.shape) / weights
        return np.argsort(times, axis=-1)[..., :num_samples]

    return _drawn(generator, draw, np.int64)
