"""Recurrent cells: one step, with the parameters it needs."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from autograd_core import Tensor, as_tensor, empty, zeros

from . import init
from .functional.linear import linear
from .functional.recurrent import gru_cell, lstm_cell, rnn_cell
from .module import Module
from .parameter import Parameter

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


def size(operation: str, name: str, value: Any, least: int = 1) -> int:
    """An option that counts something."""
    try:
        found = operator.index(value)
    except TypeError:
        raise TypeError(f"{operation}: expected {name} to be an integer, got {value!r}") from None
    if found < least:
        raise ValueError(f"{operation}: {name} must be at least {least}, got {found}")
    return found


def flag(operation: str, name: str, value: Any) -> bool:
    """An option that is True or False; that it is neither mostly means that arguments are in the wrong order."""
    if not isinstance(value, bool):
        raise TypeError(f"{operation}: expected {name} to be True or False, got {value!r}; give options by name")
    return value


def checked_nonlinearity(operation: str, value: Any) -> str:
    """The nonlinearity of a plain recurrent network."""
    if value not in ("tanh", "relu"):
        raise ValueError(f"{operation}: expected nonlinearity 'tanh' or 'relu', got {value!r}")
    return str(value)


def shapes(rows: int, n_in: int, n_state: int, bias: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The names of a cell's parameters and their shapes."""
    yield "weight_ih", (rows, n_in)
    yield "weight_hh", (rows, n_state)
    if bias:
        yield "bias_ih", (rows,)
        yield "bias_hh", (rows,)


def draw(module: Module, hidden_size: int) -> None:
    """Draw all parameters from the uniform distribution on ±1/√hidden_size."""
    bound = 1 / math.sqrt(hidden_size)
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


def initial(operation: str, hx: Any, expected: Sequence[tuple[int, ...]], dtype: Any) -> tuple[Tensor, ...]:
    """The state to start with, one tensor for each of the expected shapes; zeros if none is given."""
    if hx is None:
        return tuple(zeros(shape, dtype=dtype) for shape in expected)
    if len(expected) == 1:
        hx = (hx,)
    elif not isinstance(hx, (tuple, list)) or len(hx) != len(expected):
        raise TypeError(f"{operation}: expected hx to be a pair (h, c) of tensors, got {type(hx).__name__}")
    found = tuple(map(as_tensor, hx))
    for name, state, shape in zip("hc", found, expected, strict=False):
        if state.shape != shape:
            raise ValueError(f"{operation}: expected {name} of hx to have shape {shape}, got {state.shape}")
    return found


class _Cell(Module):
    """What the three cells have in common: parameters, and how the arguments are read."""

    parts: ClassVar[int]  # how many times hidden_size the rows of the weights are
    states: ClassVar[int] = 1

    def __init__(self, input_size: int, hidden_size: int, bias: bool, dtype: Any) -> None:
        super().__init__()
        name = type(self).__name__
        self.input_size = size(name, "input_size", input_size)
        self.hidden_size = size(name, "hidden_size", hidden_size)
        self.bias = flag(name, "bias", bias)
        self._names = []
        for key, shape in shapes(self.parts * self.hidden_size, self.input_size, self.hidden_size, bias):
            self._names.append(key)
            setattr(self, key, Parameter(empty(*shape, dtype=dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        draw(self, self.hidden_size)

    def _given(self, input: Any, hx: Any) -> tuple[Any, tuple[Tensor, ...], dict[str, Any]]:
        """What the input gives, the state before, and the parameters that act on it."""
        name, input = type(self).__name__, as_tensor(input)
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            n = self.input_size
            raise ValueError(f"{name}: expected input of shape (N, {n}) or ({n},), got {input.shape}")
        weights = {key: getattr(self, key) for key in self._names}
        shape = (*input.shape[:-1], self.hidden_size)
        state = initial(name, hx, [shape] * self.states, weights["weight_hh"].dtype)
        return linear(input, weights.pop("weight_ih"), weights.pop("bias_ih", None)), state, weights

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """``h' = tanh(weight_ih x + bias_ih + weight_hh h + bias_hh)``, or with ReLU in place of tanh.

    Elman, "Finding structure in time" (1990).  All parameters start uniform in ±1/√hidden_size.

    Parameters
    ----------
    input_size, hidden_size : int
        Sizes of the input x and the state h.
    bias : bool
        Whether there are biases.
    nonlinearity : "tanh" or "relu"
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    weight_ih : Parameter, shape (hidden_size, input_size)
    weight_hh : Parameter, shape (hidden_size, hidden_size)
    bias_ih, bias_hh : Parameter, shape (hidden_size,); without `bias` they do not exist

    Raises
    ------
    ValueError
        If an option, or the shape of the input or the state, is not as said here.

    Examples
    --------
    Called with an input (N, input_size) or (input_size,), and the state (N, hidden_size) or (hidden_size,), zeros if
    not given; gives the new state.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> cell = nn.RNNCell(3, 2)
    >>> h = None
    >>> for x in ag.ones(4, 5, 3):
    ...     h = cell(x, h)
    >>> h.shape
    (5, 2)
    """

    parts = 1

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", *, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, dtype)
        self.nonlinearity = checked_nonlinearity("RNNCell", nonlinearity)

    def forward(self, input: Any, hx: Any = None) -> Any:
        given, state, weights = self._given(input, hx)
        return rnn_cell(given, state[0], nonlinearity=self.nonlinearity, **weights)

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """A cell c with gates that decide what to keep, to write and to read.

    With ``i, f, g, o`` the four parts of ``weight_ih x + bias_ih + weight_hh h + bias_hh``::

        c' = sigmoid(f) c + sigmoid(i) tanh(g)
        h' = sigmoid(o) tanh(c')

    While the forget gate ``sigmoid(f)`` is 1, the cell hands its gradient back unchanged, however many steps: the
    constant error carousel.

    Hochreiter & Schmidhuber, "Long short-term memory" (1997); the forget gate is of Gers, Schmidhuber & Cummins,
    "Learning to forget: continual prediction with LSTM" (2000).  All parameters start uniform in ±1/√hidden_size.

    Parameters
    ----------
    input_size, hidden_size : int
        Sizes of the input x, and of h and c.
    bias : bool
        Whether there are biases.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    weight_ih : Parameter, shape (4 * hidden_size, input_size)
    weight_hh : Parameter, shape (4 * hidden_size, hidden_size)
    bias_ih, bias_hh : Parameter, shape (4 * hidden_size,); without `bias` they do not exist

    Raises
    ------
    ValueError, TypeError
        If an option, or the shape of the input or the state, is not as said here.

    Examples
    --------
    Called with an input (N, input_size) or (input_size,), and the state, a pair (h, c) of tensors (N, hidden_size) or
    (hidden_size,), zeros if not given; gives the new pair.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> cell = nn.LSTMCell(3, 2)
    >>> state = None
    >>> for x in ag.ones(4, 5, 3):
    ...     state = cell(x, state)
    >>> [part.shape for part in state]
    [(5, 2), (5, 2)]
    """

    parts, states = 4, 2

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, *, dtype: Any = None) -> None:
        super().__init__(input_size, hidden_size, bias, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        given, state, weights = self._given(input, hx)
        return lstm_cell(given, state[0], state[1], **weights)


class GRUCell(_Cell):
    """A state h that a gate z keeps or replaces by a candidate n, which a gate r lets see the old state or not.

    With ``r, z, n`` the three parts of ``weight_ih x + bias_ih``, and ``r_h, z_h, n_h`` those of
    ``weight_hh h + bias_hh``::

        r = sigmoid(r + r_h)
        z = sigmoid(z + z_h)
        n = tanh(n + r n_h)
        h' = (1 - z) n + z h

    Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation" (2014),
    section 2.3, where r acts on h before the product with the weight; here, as in PyTorch, on the product.  All
    parameters start uniform in ±1/√hidden_size.

    Parameters
    ----------
    input_size, hidden_size : int
        Sizes of the input x and the state h.
    bias : bool
        Whether there are biases.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    weight_ih : Parameter, shape (3 * hidden_size, input_size)
    weight_hh : Parameter, shape (3 * hidden_size, hidden_size)
    bias_ih, bias_hh : Parameter, shape (3 * hidden_size,); without `bias` they do not exist

    Raises
    ------
    ValueError
        If an option, or the shape of the input or the state, is not as said here.

    Examples
    --------
    Called with an input (N, input_size) or (input_size,), and the state (N, hidden_size) or (hidden_size,), zeros if
    not given; gives the new state.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> cell = nn.GRUCell(3, 2)
    >>> cell(ag.ones(5, 3)).shape
    (5, 2)
    """

    parts = 3

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, *, dtype: Any = None) -> None:
        super().__init__(input_size, hidden_size, bias, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        given, state, weights = self._given(input, hx)
        return gru_cell(given, state[0], **weights)
