"""Recurrent networks: cells that go over whole sequences, in layers and in both directions."""

from __future__ import annotations

import functools
import warnings
from typing import Any, ClassVar

import numpy as np

from autograd_core import Tensor, arange, as_tensor, cat, empty, stack, transpose, where
from autograd_core.func import scan
from autograd_core.ops.arguments import demand

from .functional.dropout import dropout
from .functional.linear import linear
from .functional.recurrent import gru_cell, lstm_cell, rnn_cell
from .module import Module
from .parameter import Parameter
from .recurrent_cell import checked_nonlinearity, draw, flag, initial, shapes, size
from .utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

__all__ = ["GRU", "LSTM", "RNN"]


class _Recurrent(Module):
    """What the three networks have in common: all but the cell."""

    parts: ClassVar[int]  # how many times hidden_size the rows of the weights are
    bias_inside: ClassVar[bool] = False  # whether bias_hh can not be added before the loop

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        dtype: Any,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.input_size = size(name, "input_size", input_size)
        self.hidden_size = size(name, "hidden_size", hidden_size)
        self.num_layers = size(name, "num_layers", num_layers)
        self.bias = flag(name, "bias", bias)
        self.batch_first = flag(name, "batch_first", batch_first)
        self.dropout = _share(name, dropout, self.num_layers)
        self.bidirectional = flag(name, "bidirectional", bidirectional)
        self.proj_size = size(name, "proj_size", proj_size, least=0)
        if self.proj_size >= self.hidden_size:
            raise ValueError(f"{name}: proj_size must be below hidden_size={hidden_size}, got {proj_size}")
        self._names: list[list[str]] = []
        out, directions = self._state_sizes()[0], ("", "_reverse") if bidirectional else ("",)
        for layer in range(self.num_layers):
            n_in = out * len(directions) if layer else self.input_size
            named = dict(shapes(self.parts * self.hidden_size, n_in, out, self.bias))
            if self.proj_size:
                named["weight_hr"] = (self.proj_size, self.hidden_size)
            for direction in directions:
                suffix = f"_l{layer}{direction}"
                self._names.append([key + suffix for key in named])
                for key, shape in named.items():
                    setattr(self, key + suffix, Parameter(empty(*shape, dtype=dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        draw(self, self.hidden_size)

    def flatten_parameters(self) -> None:
        """Accepted for PyTorch's sake; there is nothing to arrange."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer, and of its reverse direction after it."""
        return [[getattr(self, name) for name in names] for names in self._names]

    def _state_sizes(self) -> tuple[int, ...]:
        """The size of h, and of whatever else goes from step to step."""
        return (self.hidden_size,)

    def _cell(self) -> dict[str, Any]:
        """The function of one step, and its options."""
        raise NotImplementedError

    def forward(self, input: Any, hx: Any = None, *, lengths: Any = None) -> Any:
        if isinstance(input, PackedSequence):
            if lengths is not None:
                raise ValueError(f"{type(self).__name__}: a packed sequence knows its lengths; leave lengths out")
            return self._forward_packed(input, hx)
        input = as_tensor(input)
        self._check_input(input)
        batched = input.ndim == 3
        batch = (input.shape[0 if self.batch_first else 1],) if batched else ()
        state = self._initial(hx, batch)
        if not batched:
            input, state = input.unsqueeze(1), tuple(part.unsqueeze(1) for part in state)
        elif self.batch_first:
            input = transpose(input, 0, 1)
        within = None
        if lengths is not None:
            within = _within(type(self).__name__, lengths, input.shape[0], batch)
            input = where(within, input, 0.0)  # whatever the padding is, even NaN, nothing depends on it
        output, final = self._run(input, state, within)
        if not batched:
            output, final = output.squeeze(1), tuple(part.squeeze(1) for part in final)
        elif self.batch_first:
            output = transpose(output, 0, 1)
        return output, final if len(final) > 1 else final[0]

    def _forward_packed(self, packed: PackedSequence, hx: Any) -> Any:
        """As padded sequences, in the packed order, which is by length; but states are in the batch's order."""
        shape = (self.input_size,)
        if packed.data.shape[1:] != shape:
            raise ValueError(
                f"{type(self).__name__}: expected packed elements of shape {shape}, got {packed.data.shape[1:]}"
            )
        padded, lengths = pad_packed_sequence(PackedSequence(packed.data, packed.batch_sizes))
        state = self._initial(hx, lengths.shape)
        if packed.sorted_indices is not None:
            state = tuple(part.index_select(1, packed.sorted_indices) for part in state)
        within = _within(type(self).__name__, lengths, padded.shape[0], lengths.shape)
        output, final = self._run(padded, state, within)
        if packed.unsorted_indices is not None:
            final = tuple(part.index_select(1, packed.unsorted_indices) for part in final)
        output = packed._replace(data=pack_padded_sequence(output, lengths).data)
        return output, final if len(final) > 1 else final[0]

    def _check_input(self, input: Tensor) -> None:
        """Whether padded input has the shape it must have."""
        name, n = type(self).__name__, self.input_size
        if input.ndim not in (2, 3) or input.shape[-1] != n:
            batched = f"(N, T, {n})" if self.batch_first else f"(T, N, {n})"
            raise ValueError(f"{name}: expected input of shape {batched} or (T, {n}), got {input.shape}")
        if input.shape[1 if self.batch_first and input.ndim == 3 else 0] == 0:
            raise ValueError(f"{name}: expected sequences of at least one step, got input of shape {input.shape}")

    def _initial(self, hx: Any, batch: tuple[int, ...]) -> tuple[Tensor, ...]:
        """The state to start with, of every layer and direction."""
        expected = [(len(self._names), *batch, n) for n in self._state_sizes()]
        return initial(type(self).__name__, hx, expected, getattr(self, self._names[0][0]).dtype)

    def _run(self, input: Any, state: tuple[Any, ...], within: Any) -> tuple[Any, tuple[Any, ...]]:
        """The last layer's output (T, N, ...) and the final state, from input (T, N, ...) and initial state."""
        starts = list(zip(*(part.unbind(0) for part in state), strict=True))
        ends = []
        directions = 2 if self.bidirectional else 1
        for layer in range(self.num_layers):
            if layer:
                input = dropout(input, self.dropout, self.training)
            outputs = []
            for direction in range(directions):
                place = layer * directions + direction
                output, end = self._scan(input, starts[place], place, within, direction == 1)
                outputs.append(output)
                ends.append(end)
            input = cat(outputs, -1) if self.bidirectional else outputs[0]
        return input, tuple(stack(parts) for parts in zip(*ends, strict=True))

    def _scan(
        self, input: Any, state: tuple[Any, ...], place: int, within: Any, reverse: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        """One layer in one direction: h after every step, and the state after the last.

        Beyond a sequence's length the state stays as it is.  So forwards it ends as it was at the length, and
        backwards it is still the initial one when the sequence begins at its true end.
        """
        weights = {name.partition("_l")[0]: getattr(self, name) for name in self._names[place]}
        bias = weights.pop("bias_ih", None)
        if bias is not None and not self.bias_inside:
            bias = bias + weights.pop("bias_hh")
        given = linear(input, weights.pop("weight_ih"), bias)
        dtype = np.result_type(given.dtype, *(part.dtype for part in state))
        step = functools.partial(_advanced, **self._cell())
        state, output = scan(step, tuple(p.to(dtype) for p in state), (given, within), weights, reverse=reverse)
        return (output if within is None else where(within, output, 0.0)), state

    def extra_repr(self) -> str:
        ordinary: dict[str, Any] = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
        ordinary |= {"bidirectional": False, "nonlinearity": "tanh"}
        shown = [f"{key}={vars(self)[key]}" for key, value in ordinary.items() if vars(self).get(key, value) != value]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *shown])


def _advanced(state: tuple[Any, ...], x: tuple[Any, Any], weights: dict[str, Any], cell: Any, **options: Any) -> Any:
    """A step of a cell: the new state, and its h; where a sequence runs no longer, the old state."""
    given, running = x
    new = cell(given, *state, **weights, **options)
    new = new if isinstance(new, tuple) else (new,)
    if running is not None:
        new = tuple(where(running, n, s) for n, s in zip(new, state, strict=True))
    return new, new[0]


def _share(operation: str, p: Any, num_layers: int) -> float:
    """The probability of the dropout between layers."""
    if isinstance(p, bool) or not isinstance(p, (int, float)) or not 0 <= p <= 1:
        raise ValueError(f"{operation}: expected dropout to be a probability in [0, 1], got {p!r}")
    if p and num_layers == 1:
        warnings.warn(f"{operation}: dropout={p} acts between layers, and there is only one", UserWarning, stacklevel=4)
    return p


def _within(operation: str, lengths: Any, steps: int, batch: tuple[int, ...]) -> Any:
    """Where the sequences are still running: shape (T, N, 1)."""
    lengths = as_tensor(lengths)
    if lengths.dtype.kind not in "iu":
        raise TypeError(f"{operation}: expected integer lengths, got {lengths.dtype}; convert them with lengths.long()")
    if lengths.shape != batch:
        raise ValueError(f"{operation}: expected lengths of shape {batch}, one for each sequence, got {lengths.shape}")

    def explain(bad: np.ndarray, values: np.ndarray) -> None:
        wrong = values[bad].ravel()[0]
        raise ValueError(f"{operation}: expected lengths from 0 to {steps}, the number of steps, got {wrong}")

    demand(lambda values: (values < 0) | (values > steps), explain, lengths)
    return arange(steps).reshape(-1, 1, 1) < lengths.reshape(-1, 1)


class RNN(_Recurrent):
    """The plain recurrent network: ``h_t = tanh(weight_ih x_t + bias_ih + weight_hh h_(t-1) + bias_hh)``.

    The gradient by a state k steps back has a factor ``weight_hh`` and a slope of the nonlinearity for each of them, so
    it vanishes or explodes with k; see :class:`LSTM` and :class:`GRU`.

    Elman, "Finding structure in time" (1990); both directions: Schuster & Paliwal, "Bidirectional recurrent neural
    networks" (1997).  All parameters start uniform in ±1/√hidden_size.

    Parameters
    ----------
    input_size, hidden_size : int
        Sizes of the input at one step, and of the state.
    num_layers : int
        Each takes the outputs of the one before as its input.
    nonlinearity : "tanh" or "relu"
    bias : bool
        Whether there are biases.
    batch_first : bool
        Whether inputs and outputs are (N, T, ...) rather than (T, N, ...); states are not concerned.
    dropout : float
        Probability of the dropout on the outputs of each layer but the last, in training.
    bidirectional : bool
        Whether each layer also goes over the sequence from its end; outputs have both states side by side.
    dtype : optional
        Of the parameters; the default dtype if not given.

    Attributes
    ----------
    weight_ih_l0, weight_ih_l1, ... : Parameter, shape (hidden_size, input_size)
        In the layers after the first, the input is (directions * hidden_size) wide.
    weight_hh_l0, ... : Parameter, shape (hidden_size, hidden_size)
    bias_ih_l0, bias_hh_l0, ... : Parameter, shape (hidden_size,); without `bias` they do not exist
    weight_ih_l0_reverse, ... : Parameter
        The same of the other direction, if there is one.

    Raises
    ------
    ValueError, TypeError
        If an option, or the shape of the input or the state, is not as said here.

    Examples
    --------
    Called with the input (T, N, input_size), (T, input_size) without a batch, or a PackedSequence, and the initial
    state `hx` (layers * directions, N, hidden_size), zeros if not given.  Gives the last layer's states at all steps,
    as the input is, and the final state of every layer, as `hx` is.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> rnn = nn.RNN(3, 4, num_layers=2)
    >>> output, h = rnn(ag.ones(6, 5, 3))
    >>> output.shape, h.shape
    ((6, 5, 4), (2, 5, 4))

    Padded sequences are told by their lengths: the output is 0 beyond them, and the final state is that at the length.

    >>> output, h = rnn(ag.ones(6, 2, 3), lengths=ag.tensor([6, 2]))
    >>> bool((output[2:, 1] == 0).all()), bool((h[1, 1] == output[1, 1]).all())
    (True, True)

    Backpropagation through time, truncated: the state goes on to the next piece of the sequence, its history does not.

    >>> x = ag.ones(6, 1, 3, requires_grad=True)
    >>> _, h = rnn(x[:4])
    >>> output, _ = rnn(x[4:], h.detach())
    >>> output.sum().backward()
    >>> x.grad.abs().sum((1, 2)) > 0
    tensor([False, False, False, False,  True,  True])
    """

    parts = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype)
        self.nonlinearity = checked_nonlinearity("RNN", nonlinearity)

    def _cell(self) -> dict[str, Any]:
        return {"cell": rnn_cell, "nonlinearity": self.nonlinearity}


class LSTM(_Recurrent):
    """Long short-term memory: at every step an :class:`LSTMCell`.

    Hochreiter & Schmidhuber, "Long short-term memory" (1997); Gers, Schmidhuber & Cummins, "Learning to forget:
    continual prediction with LSTM" (2000); both directions: Schuster & Paliwal, "Bidirectional recurrent neural
    networks" (1997).  All parameters start uniform in ±1/√hidden_size.

    Parameters
    ----------
    input_size, hidden_size : int
        Sizes of the input at one step, and of h and c.
    num_layers, bias, batch_first, dropout, bidirectional, dtype : as for :class:`RNN`
    proj_size : int
        If not 0, h is ``weight_hr h`` of this size; Sak, Senior & Beaufays, "Long short-term memory recurrent neural
        network architectures for large scale acoustic modeling" (2014).

    Attributes
    ----------
    weight_ih_l0, ... : Parameter, shape (4 * hidden_size, input_size)
        The parts of the input gate, the forget gate, the candidate and the output gate, in this order.  In the layers
        after the first, the input is the output of the one before.
    weight_hh_l0, ... : Parameter, shape (4 * hidden_size, hidden_size), or (4 * hidden_size, proj_size)
    bias_ih_l0, bias_hh_l0, ... : Parameter, shape (4 * hidden_size,); without `bias` they do not exist
    weight_hr_l0, ... : Parameter, shape (proj_size, hidden_size), with `proj_size`
    weight_ih_l0_reverse, ... : Parameter
        The same of the other direction, if there is one.

    Raises
    ------
    ValueError, TypeError
        If an option, or the shape of the input or the state, is not as said here.

    Examples
    --------
    Called as :class:`RNN` is, with the initial state a pair (h, c) of tensors (layers * directions, N, size); gives
    the last layer's h at all steps, and the final pair.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> lstm = nn.LSTM(3, 4, batch_first=True, bidirectional=True)
    >>> lstm
    LSTM(3, 4, batch_first=True, bidirectional=True)
    >>> output, (h, c) = lstm(ag.ones(5, 6, 3), lengths=ag.tensor([6, 5, 4, 3, 2]))
    >>> output.shape, h.shape, c.shape
    ((5, 6, 8), (2, 5, 4), (2, 5, 4))
    """

    parts = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, dtype
        )

    def _state_sizes(self) -> tuple[int, ...]:
        return (self.proj_size or self.hidden_size, self.hidden_size)

    def _cell(self) -> dict[str, Any]:
        return {"cell": lstm_cell}


class GRU(_Recurrent):
    """Gated recurrent units: at every step a :class:`GRUCell`.

    Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation" (2014);
    both directions: Schuster & Paliwal, "Bidirectional recurrent neural networks" (1997).  All parameters start uniform
    in ±1/√hidden_size.

    Parameters
    ----------
    input_size, hidden_size : int
        Sizes of the input at one step, and of the state.
    num_layers, bias, batch_first, dropout, bidirectional, dtype : as for :class:`RNN`

    Attributes
    ----------
    weight_ih_l0, ... : Parameter, shape (3 * hidden_size, input_size)
        The parts of the gates r and z and of the candidate n, in this order.  In the layers after the first, the input
        is (directions * hidden_size) wide.
    weight_hh_l0, ... : Parameter, shape (3 * hidden_size, hidden_size)
    bias_ih_l0, bias_hh_l0, ... : Parameter, shape (3 * hidden_size,); without `bias` they do not exist
    weight_ih_l0_reverse, ... : Parameter
        The same of the other direction, if there is one.

    Raises
    ------
    ValueError, TypeError
        If an option, or the shape of the input or the state, is not as said here.

    Examples
    --------
    Called as :class:`RNN` is.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> output, h = nn.GRU(3, 4)(ag.ones(6, 3))
    >>> output.shape, h.shape
    ((6, 4), (1, 4))
    """

    parts, bias_inside = 3, True

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype)

    def _cell(self) -> dict[str, Any]:
        return {"cell": gru_cell}
