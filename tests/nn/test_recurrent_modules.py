"""Recurrent cells and networks: against PyTorch, closed forms of their gradients, and what they are known for."""

import math

import numpy as np
import pytest
from interpreted import Interpreted

import autograd_core as ag
from autograd_core import nn
from autograd_core.nn.functional.recurrent import gru_cell, lstm_cell, rnn_cell
from autograd_core.nn.utils.rnn import PackedSequence, pack_padded_sequence

KINDS = {
    "tanh": ("RNN", {}),
    "relu": ("RNN", {"nonlinearity": "relu"}),
    "LSTM": ("LSTM", {}),
    "projected": ("LSTM", {"proj_size": 2}),
    "GRU": ("GRU", {}),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
T, N = 5, 3


def states(network, batch, rng):
    """An initial state, as arrays."""
    count = network.num_layers * (2 if network.bidirectional else 1)
    width = network.proj_size or network.hidden_size
    sizes = (width, network.hidden_size) if isinstance(network, nn.LSTM) else (width,)
    return [rng.normal(size=(count, *batch, n)) for n in sizes]


def pair(kind, **options):
    """Ours and PyTorch's with the same parameters, in float64."""
    torch = pytest.importorskip("torch")
    name, extra = KINDS[kind]
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(2, 3, **extra, **options).double()
    mine = getattr(nn, name)(2, 3, **extra, **options).double()
    mine.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return mine, theirs


def flat(value):
    """All tensors in an output; of packed sequences the data."""
    if isinstance(value, PackedSequence) or hasattr(value, "batch_sizes"):
        return [value.data]
    return [t for part in value for t in flat(part)] if isinstance(value, tuple) else [value]


def outcome(network, inputs, call, leaf, backward):
    """Outputs, and the gradients of all parameters, input and states by a weighted sum of the outputs."""
    leaves = [leaf(x) for x in inputs]
    outputs = flat(call(network, *leaves))
    weights = np.random.default_rng(1)
    backward(sum((t * leaf(weights.normal(size=tuple(t.shape))).detach()).sum() for t in outputs))
    grads = [p.grad for p in (*network.parameters(), *leaves)]
    return [t.detach().numpy() for t in (*outputs, *grads)]


def mine_of(network, inputs, call):
    return outcome(network, inputs, call, lambda x: ag.tensor(x, requires_grad=True), lambda loss: loss.backward())


def theirs_of(network, inputs, call):
    torch = pytest.importorskip("torch")
    return outcome(network, inputs, call, lambda x: torch.tensor(x, requires_grad=True), lambda loss: loss.backward())


def assert_same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def run(network, x, *hx):
    """The network on an input and the parts of its initial state."""
    return network(x, hx if len(hx) > 1 else hx[0]) if hx else network(x)


# Against PyTorch


@every_kind
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"bidirectional": True, "batch_first": True}])
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("batch", [(), (N,)], ids=["unbatched", "batched"])
@pytest.mark.parametrize("started", [False, True])
def test_as_pytorch(kind, options, num_layers, batch, started):
    mine, theirs = pair(kind, num_layers=num_layers, **options)
    rng = np.random.default_rng(0)
    shape = (*batch, T, 2) if options.get("batch_first") else (T, *batch, 2)
    inputs = [rng.normal(size=shape), *(states(mine, batch, rng) if started else [])]
    assert_same(mine_of(mine, inputs, run), theirs_of(theirs, inputs, run))


@every_kind
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("lengths", [[5, 3, 3], [2, 5, 1]], ids=["sorted", "unsorted"])
def test_variable_lengths_as_pytorch_packed(kind, bidirectional, lengths):
    """Packed, in both orders, and padded with lengths: outputs, final states and gradients."""
    torch = pytest.importorskip("torch")
    mine, theirs = pair(kind, num_layers=2, bidirectional=bidirectional)
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(T, N, 2)), *states(mine, (N,), rng)]
    in_order = sorted(lengths, reverse=True) == lengths

    def packed(network, x, *hx):
        utils = torch.nn.utils.rnn if isinstance(network, torch.nn.Module) else nn.utils.rnn
        return run(network, utils.pack_padded_sequence(x, lengths, enforce_sorted=in_order), *hx)

    def unpacked(network, x, *hx):
        output, final = packed(network, x, *hx)
        return torch.nn.utils.rnn.pad_packed_sequence(output)[0], final

    def masked(network, x, *hx):
        return network(x, hx if len(hx) > 1 else hx[0], lengths=ag.tensor(lengths))

    assert_same(mine_of(mine, inputs, packed), theirs_of(theirs, inputs, packed))
    mine.zero_grad()
    theirs.zero_grad()
    assert_same(mine_of(mine, inputs, masked), theirs_of(theirs, inputs, unpacked))


@every_kind
def test_second_derivatives_as_pytorch(kind):
    """Of a penalty on the gradient by the input."""
    torch = pytest.importorskip("torch")
    mine, theirs = pair(kind, bidirectional=True)
    given = np.random.default_rng(0).normal(size=(T, N, 2))
    found = []
    for network, leaf, grad in ((mine, ag.tensor, ag.grad), (theirs, torch.tensor, torch.autograd.grad)):
        x = leaf(given, requires_grad=True)
        (by_x,) = grad((network(x)[0] ** 2).sum(), x, create_graph=True)
        (by_x**2).sum().backward()
        found.append([t.grad.numpy() for t in (*network.parameters(), x)])
    assert_same(*found)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bias": False}, {"dropout": 0.5, "num_layers": 2}])
@pytest.mark.parametrize("kind", ["tanh", "LSTM", "projected", "GRU"])
def test_looks_and_is_named_as_pytorch(kind, options):
    mine, theirs = pair(kind, batch_first=True, bidirectional=True, **options)
    assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    shapes = [[tuple(p.shape) for p in weights] for weights in theirs.all_weights]
    assert [[p.shape for p in weights] for weights in mine.all_weights] == shapes
    mine.flatten_parameters()


@pytest.mark.parametrize("cell", ["RNNCell", "LSTMCell", "GRUCell"])
def test_a_cell_looks_and_is_named_as_pytorch(cell):
    torch = pytest.importorskip("torch")
    for options in ({}, {"bias": False}, *([{"nonlinearity": "relu"}] if cell == "RNNCell" else [])):
        mine, theirs = getattr(nn, cell)(2, 3, **options), getattr(torch.nn, cell)(2, 3, **options)
        assert repr(mine) == repr(theirs)
        assert [(n, p.shape) for n, p in mine.named_parameters()] == [
            (n, tuple(p.shape)) for n, p in theirs.named_parameters()
        ]


# Cells and networks


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_a_network_is_its_cell_step_by_step(name):
    network, cell = getattr(nn, name)(2, 3).double(), getattr(nn, f"{name}Cell")(2, 3).double()
    cell.load_state_dict({key.removesuffix("_l0"): value for key, value in network.state_dict().items()})
    x = ag.tensor(np.random.default_rng(0).normal(size=(T, N, 2)))
    state, outputs = None, []
    for part in x:
        state = cell(part, state)
        outputs.append(state[0] if name == "LSTM" else state)
    output, final = network(x)
    np.testing.assert_allclose(output.detach(), ag.stack(outputs).detach(), rtol=1e-12)
    for found, expected in zip(flat(final), state if name == "LSTM" else [state], strict=True):
        np.testing.assert_allclose(found[0].detach(), expected.detach(), rtol=1e-12)


@pytest.mark.parametrize("make", [lambda: nn.LSTM(5, 40, 2, bidirectional=True), lambda: nn.GRUCell(50, 40)])
def test_parameters_start_uniform(make):
    ag.manual_seed(0)
    module, bound = make(), 1 / math.sqrt(40)
    for name, p in module.named_parameters():
        values = p.detach().numpy()
        assert abs(values).max() <= bound
        np.testing.assert_allclose(values.std(), bound / math.sqrt(3), rtol=0.15, err_msg=name)
        assert abs(values.mean()) < 0.25 * bound
    before = [p.detach().clone() for p in module.parameters()]
    module.reset_parameters()
    assert not any((a == b).all() for a, b in zip(before, module.parameters(), strict=True))


def test_the_dtype_is_the_parameters():
    output, (h, c) = nn.LSTM(2, 3, dtype=ag.float64)(ag.ones(4, 2, dtype=ag.float64))
    assert {output.dtype, h.dtype, c.dtype} == {ag.float64}
    assert nn.GRUCell(2, 3, dtype=ag.float64).weight_hh.dtype == ag.float64


def test_many_to_one_one_to_many_and_many_to_many():
    ag.manual_seed(0)
    encoder, decoder, head = nn.LSTM(4, 6, batch_first=True), nn.LSTMCell(5, 6), nn.Linear(6, 5)
    x = ag.randn(N, T, 4)
    output, (h, c) = encoder(x)
    assert head(output).shape == (N, T, 5)  # a label for every step
    assert head(h[-1]).shape == (N, 5)  # one for the whole sequence
    np.testing.assert_array_equal(h[-1].detach(), output[:, -1].detach())
    state, y, written = (h[-1], c[-1]), ag.zeros(N, 5), []
    for _ in range(7):  # as long a sequence as one likes, each output the next input
        state = decoder(y, state)
        y = head(state[0])
        written.append(y)
    written = ag.stack(written, 1)
    assert written.shape == (N, 7, 5)
    written.sum().backward()
    assert all((p.grad != 0).any() for p in encoder.parameters())


# Backpropagation through time


def scalar_rnn(w, u, b=0.0):
    """The network of one unit, ``h' = tanh(w x + u h + b)``."""
    network = nn.RNN(1, 1, dtype=ag.float64)
    with ag.no_grad():
        for name, value in {"weight_ih": w, "weight_hh": u, "bias_ih": b, "bias_hh": 0.0}.items():
            getattr(network, f"{name}_l0")[...] = value
    return network


def test_backpropagation_through_time_by_hand():
    """dh_t / dtheta = (1 - h_t²) (d(w x_t + u h + b) / dtheta + u dh_(t-1) / dtheta), carried along forwards."""
    w, u, b = 0.7, -1.3, 0.2
    network, xs = scalar_rnn(w, u, b), np.random.default_rng(0).normal(size=12)
    x = ag.tensor(xs[:, None], requires_grad=True)
    output, _ = network(x)
    (output**2).sum().backward()

    h, slopes, by_x, total, total_x = 0.0, np.zeros(3), np.zeros(12), np.zeros(3), np.zeros(12)
    for t, value in enumerate(xs):
        before, h = h, math.tanh(w * value + u * h + b)
        slopes = (1 - h * h) * (np.array([value, before, 1.0]) + u * slopes)
        by_x = (1 - h * h) * (w * np.eye(12)[t] + u * by_x)
        total, total_x = total + 2 * h * slopes, total_x + 2 * h * by_x
    found = [p.grad.item() for p in (network.weight_ih_l0, network.weight_hh_l0, network.bias_ih_l0)]
    np.testing.assert_allclose(found, total, rtol=1e-12)
    np.testing.assert_allclose(x.grad[:, 0], total_x, rtol=1e-12)
    assert network.bias_hh_l0.grad.item() == pytest.approx(total[2], rel=1e-12)


@pytest.mark.parametrize(("u", "inputs", "fate"), [(0.9, 1.0, "vanishes"), (1.2, 0.0, "explodes")])
def test_the_gradient_of_a_plain_network_vanishes_or_explodes(u, inputs, fate):
    """dh_T / dh_0 is the product of u (1 - h_t²) over the steps: Bengio et al. (1994), Pascanu et al. (2013)."""
    network, h0 = scalar_rnn(0.5, u), ag.zeros(1, 1, 1, dtype=ag.float64, requires_grad=True)
    output, h = network(ag.full((50, 1, 1), inputs, dtype=ag.float64), h0)
    h.sum().backward()
    factor = np.prod(u * (1 - output.detach().numpy() ** 2))
    assert h0.grad.item() == pytest.approx(factor, rel=1e-10)
    assert factor < 1e-10 if fate == "vanishes" else factor > 1e3


@pytest.mark.parametrize(("forget", "factor"), [(100.0, 1.0), (0.0, 0.5**200), (-100.0, 0.0)])
def test_the_constant_error_carousel(forget, factor):
    """Nothing written and the gate kept open, the cell's gradient is the same after 200 steps."""
    ag.manual_seed(0)
    network = nn.LSTM(3, 2, dtype=ag.float64)
    with ag.no_grad():
        network.weight_ih_l0[2:4], network.weight_hh_l0[2:4] = 0.0, 0.0  # the forget gate is its bias
        network.bias_ih_l0[:2], network.bias_hh_l0[:2] = -100.0, 0.0  # the input gate is closed
        network.bias_ih_l0[2:4], network.bias_hh_l0[2:4] = forget, 0.0
    c0 = ag.tensor(np.full((1, 1, 2), 0.3), requires_grad=True)
    h0 = ag.zeros(1, 1, 2, dtype=ag.float64)
    _, (_, c) = network(ag.randn(200, 1, 3, dtype=ag.float64), (h0, c0))
    c.sum().backward()
    np.testing.assert_allclose(c.detach(), factor * 0.3, rtol=1e-12, atol=1e-40)
    np.testing.assert_allclose(c0.grad, factor, rtol=1e-12, atol=1e-40)


def test_a_gru_keeps_its_state_while_its_gate_is_open():
    h = ag.tensor([[0.3, -0.8]], dtype=ag.float64, requires_grad=True)
    given = ag.tensor([[0.0, 0.0, 100.0, -100.0, 0.5, 0.5]], dtype=ag.float64)  # r, z (keep, replace), n
    after = gru_cell(given, h, ag.zeros(6, 2, dtype=ag.float64))
    np.testing.assert_allclose(after.detach(), [[0.3, math.tanh(0.5)]], rtol=1e-12)
    after.sum().backward()
    np.testing.assert_allclose(h.grad, [[1.0, 0.0]], atol=1e-12)


def test_the_reset_gate_acts_on_the_product():
    """PyTorch's form: n = tanh(n + r (weight h + bias)), where the paper has weight (r h)."""
    weight, bias = ag.tensor([[0.0], [0.0], [2.0]]), ag.tensor([0.0, 0.0, 0.7])
    given = ag.tensor([0.4, -100.0, 0.1])
    after = gru_cell(given, ag.tensor([0.5]), weight, bias)
    assert after.item() == pytest.approx(math.tanh(0.1 + (2 * 0.5 + 0.7) / (1 + math.exp(-0.4))), rel=1e-6)


def test_truncated_backpropagation_stops_where_the_state_is_detached():
    ag.manual_seed(0)
    network = nn.LSTM(2, 3, dtype=ag.float64)
    first, second = (ag.randn(4, 1, 2, dtype=ag.float64, requires_grad=True) for _ in range(2))
    whole, _ = network(ag.cat([first, second]))
    _, state = network(first)
    output, _ = network(second, tuple(part.detach() for part in state))
    np.testing.assert_array_equal(output.detach(), whole[4:].detach())
    output.sum().backward()
    assert first.grad is None
    assert (second.grad != 0).all()


# Lengths


def test_beyond_its_length_a_sequence_has_no_part():
    """Outputs are 0, final states those at the length, and the padding does not matter, whatever it is."""
    ag.manual_seed(0)
    network = nn.LSTM(2, 3, 2, batch_first=True, bidirectional=True, dtype=ag.float64)
    x = np.random.default_rng(0).normal(size=(N, T, 2))
    lengths = [2, 5, 3]
    grads = []
    for padding in (0.0, math.nan):
        padded = x.copy()
        for row, n in zip(padded, lengths, strict=True):
            row[n:] = padding
        given = ag.tensor(padded, requires_grad=True)
        network.zero_grad()
        output, final = network(given, lengths=lengths)
        (output.sum() + final[0].sum() + final[1].sum()).backward()
        grads.append([p.grad.numpy() for p in (*network.parameters(), given)])
        for i, n in enumerate(lengths):
            alone, end = network(ag.tensor(x[i, :n]))
            np.testing.assert_allclose(output[i, :n].detach(), alone.detach(), rtol=1e-12)
            assert not output[i, n:].detach().numpy().any()
            assert not given.grad[i, n:].numpy().any()
            for a, b in zip(final, end, strict=True):
                np.testing.assert_allclose(a[:, i].detach(), b.detach(), rtol=1e-12)
    for a, b in zip(*grads, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_sequence_of_length_0_stays_in_its_initial_state():
    network = nn.GRU(2, 3, bidirectional=True)
    hx = ag.randn(2, 2, 3)
    output, h = network(ag.ones(4, 2, 2), hx, lengths=ag.tensor([0, 4]))
    np.testing.assert_array_equal(h[:, 0].detach(), hx[:, 0])
    assert not output[:, 0].detach().numpy().any()
    alone, h = network(ag.ones(4, 2), hx[:, 0], lengths=3)
    assert alone.shape == (4, 6)
    assert not alone[3].detach().numpy().any()


@every_kind
def test_lengths_in_a_recording(kind):
    """They are an argument like another: other lengths, the same program."""
    ag.manual_seed(0)
    name, options = KINDS[kind]
    network = getattr(nn, name)(2, 3, 2, bidirectional=True, **options).double()
    step = Interpreted(lambda x, lengths: flat(network(x, lengths=lengths)))
    x = ag.randn(T, N, 2, dtype=ag.float64)
    for lengths in ([5, 3, 1], [1, 2, 3], [0, 5, 5]):
        lengths = ag.tensor(lengths)
        for a, b in zip(step(x, lengths), flat(network(x, lengths=lengths)), strict=True):
            np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-12)
    assert len(step.runs) == 1
    with pytest.raises(ValueError, match="expected lengths from 0 to 5, the number of steps, got 6"):
        step(x, ag.tensor([5, 6, 1]))


# Dropout


def test_dropout_acts_between_the_layers_only_and_in_training_only():
    ag.manual_seed(0)
    network = nn.GRU(2, 3, 2, dropout=1.0, dtype=ag.float64)
    plain = nn.GRU(2, 3, 2, dtype=ag.float64)
    plain.load_state_dict(network.state_dict())
    x = ag.randn(T, N, 2, dtype=ag.float64)
    upper = nn.GRU(3, 3, dtype=ag.float64)
    upper.load_state_dict({k.replace("_l1", "_l0"): v for k, v in network.state_dict().items() if "_l1" in k})
    np.testing.assert_array_equal(network(x)[0].detach(), upper(ag.zeros(T, N, 3, dtype=ag.float64))[0].detach())
    np.testing.assert_array_equal(network.eval()(x)[0].detach(), plain(x)[0].detach())


def test_dropout_with_one_layer_warns():
    with pytest.warns(UserWarning, match="LSTM: dropout=0.5 acts between layers, and there is only one"):
        nn.LSTM(2, 3, dropout=0.5)


# Errors


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.RNN(2, 0), ValueError, "RNN: hidden_size must be at least 1, got 0"),
        (lambda: nn.GRUCell(0, 2), ValueError, "GRUCell: input_size must be at least 1, got 0"),
        (lambda: nn.LSTMCell(2.5, 2), TypeError, "LSTMCell: expected input_size to be an integer, got 2.5"),
        (lambda: nn.GRU(2, 3, 0), ValueError, "GRU: num_layers must be at least 1, got 0"),
        (lambda: nn.GRU(2, 3, 1, 0.5), TypeError, "GRU: expected bias to be True or False, got 0.5; give options by"),
        (lambda: nn.RNN(2, 3, 1, True), ValueError, "RNN: expected nonlinearity 'tanh' or 'relu', got True"),
        (lambda: nn.RNNCell(2, 3, nonlinearity="elu"), ValueError, "RNNCell: expected nonlinearity 'tanh' or 'relu'"),
        (lambda: nn.LSTM(2, 3, 2, dropout=1.5), ValueError, r"LSTM: expected dropout to be a probability in \[0, 1\]"),
        (lambda: nn.LSTM(2, 3, proj_size=3), ValueError, "LSTM: proj_size must be below hidden_size=3, got 3"),
    ],
)
def test_wrong_options_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda n, x: n(x, lengths=ag.tensor([1.0, 2.0])), TypeError, "expected integer lengths, got float32"),
        (lambda n, x: n(x, lengths=ag.tensor([1])), ValueError, r"expected lengths of shape \(2,\), one for each"),
        (lambda n, x: n(x, lengths=[1, -1]), ValueError, "expected lengths from 0 to 3, the number of steps, got -1"),
        (lambda n, x: n(pack_padded_sequence(x, [3, 1]), lengths=[3, 1]), ValueError, "leave lengths out"),
        (lambda n, x: n(pack_padded_sequence(x[..., :1], [3, 1])), ValueError, r"packed elements of shape \(2,\)"),
        (lambda n, x: n(pack_padded_sequence(x, [3, 1]), ag.zeros(1, 3)), ValueError, r"shape \(1, 2, 3\), got \(1, 3"),
    ],
)
def test_wrong_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(nn.GRU(2, 3), ag.ones(3, 2, 2))


def test_steps_name_sizes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"rnn_cell: for a state of size 2 expected given \(..., 2\)"):
        rnn_cell(ag.ones(3), ag.ones(2), ag.ones(3, 2))
    with pytest.raises(ValueError, match=r"lstm_cell: for a state of size 2 expected given \(..., 4 \* 2\)"):
        lstm_cell(ag.ones(4), ag.ones(2), ag.ones(2), ag.ones(8, 2))
    with pytest.raises(ValueError, match=r"gru_cell: .* and weight_hh \(3 \* 2, ...\), got \(6,\) and \(8, 2\)"):
        gru_cell(ag.ones(6), ag.ones(2), ag.ones(8, 2))
    with pytest.raises(ValueError, match="rnn_cell: expected nonlinearity 'tanh' or 'relu', got 'sigmoid'"):
        rnn_cell(ag.ones(2), ag.ones(2), ag.ones(2, 2), nonlinearity="sigmoid")
