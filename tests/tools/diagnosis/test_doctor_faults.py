"""Faults by their effect, whatever the operations are called; and what looks like a fault but is none."""

import inspect
import itertools

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.primitive import REGISTRY
from autograd_core.tools.diagnosis.doctor import doctor
from autograd_core.tools.diagnosis.run import meets_weights

F = nn.functional
cross_entropy = nn.CrossEntropyLoss()


def data(seed=0, classes=10, features=64, n=64):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features)).astype(np.float32)
    return ag.tensor(x), ag.tensor(np.argmax(x[:, :classes] @ rng.normal(size=(classes, classes)), -1))


def yes_or_no():
    x, y = data()
    return x, (y > 4).to(ag.float32).reshape(-1, 1)


class With(nn.Module):
    """Two layers with a function in between, and perhaps one behind."""

    def __init__(self, function=ag.relu, last=lambda z: z, outputs=10):
        super().__init__()
        self.function, self.last = function, last
        self.first, self.second = nn.Linear(64, 32), nn.Linear(32, outputs)

    def forward(self, x):
        return self.last(self.second(self.function(self.first(x))))


@pytest.fixture(autouse=True)
def _seeded():
    ag.manual_seed(0)


RECTIFIERS = {
    "relu": F.relu,
    "relu6": F.relu6,
    "gelu": F.gelu,
    "maximum": lambda z: ag.maximum(z, ag.zeros_like(z)),
    "clamp": lambda z: ag.clamp(z, min=0),
    "where": lambda z: ag.where(z > 0, z, 0.0),
    "product": lambda z: z * (z > 0),
}


@pytest.mark.parametrize("name", RECTIFIERS)
def test_dead_units_by_any_name(name):
    net = With(RECTIFIERS[name])
    assert doctor(net, cross_entropy, data()).ok
    net.first.bias.array[:30] = -40
    (found,) = (f for f in doctor(net, cross_entropy, data()).findings if f.code == "D01-dead-unit")
    assert found.numbers == {"dead": 30, "units": 32, "share": 30 / 32, "places": 64}


def identity(z):
    return 0.0 * ag.sigmoid(z) + z


@pytest.mark.parametrize("function", [F.softplus, F.elu, F.leaky_relu, identity])
def test_what_only_contains_a_relu_is_not_dead(function):
    net = With(function)
    net.first.bias.array[...] = -3
    assert "D01-dead-unit" not in doctor(net, cross_entropy, data()).codes


def test_a_state_that_starts_at_zero_kills_no_gate():
    class Gated(With):
        def forward(self, x):
            state = ag.zeros(len(x), 32)
            for _ in range(2):
                state = ag.sigmoid(self.first(x)) * state + ag.tanh(self.first(x))
            return self.second(state)

    assert doctor(Gated(), cross_entropy, data()).ok


def scaled_sigmoid(z):
    return 2 * ag.sigmoid(2 * z) - 1


@pytest.mark.parametrize("function", [F.hardtanh, F.hardsigmoid, F.softsign, ag.atan, scaled_sigmoid])
def test_saturated_by_any_name(function):
    net = With(function)
    assert doctor(net, cross_entropy, data()).ok
    net.first.weight.array[...] *= 100
    (found,) = (f for f in doctor(net, cross_entropy, data()).findings if f.code == "D02-saturated")
    with ag.no_grad():
        z = net.first(data()[0]).array.astype(np.float64)
    slope = [(function(ag.tensor(a + 1e-4)).array - function(ag.tensor(a - 1e-4)).array) for a in (z, np.zeros(1))]
    assert found.numbers["share"] == pytest.approx((np.abs(slope[0]) < (1 - 0.97**2) * slope[1]).mean(), abs=2e-3)


@pytest.mark.parametrize("function", [F.gelu, F.silu, F.softplus, ag.sin])
def test_what_is_flat_on_one_side_or_none_is_not_saturated(function):
    net = With(function)
    net.first.weight.array[...] *= 100
    assert "D02-saturated" not in doctor(net, cross_entropy, data()).codes


# Scores


def nll(scores, labels):
    return F.nll_loss(scores, labels)


def minus_log(likelihoods, labels):
    return -ag.log(likelihoods[ag.arange(len(labels)), labels]).mean()


def logistic(scores, targets):
    return F.binary_cross_entropy_with_logits(scores, targets.reshape(scores.shape))


def weighted(scores, targets):
    return F.binary_cross_entropy_with_logits(scores, targets, pos_weight=ag.tensor(3.0))


def squared(scores, targets):
    return ((scores - targets) ** 2).mean()


def by_hand(z):
    return 1 / (1 + ag.exp(-z))


def softmax(z):
    return F.softmax(z, -1)


@pytest.mark.parametrize(
    ("loss", "last", "outputs", "wrong"),
    [
        (nll, lambda z: z, 10, True),
        (nll, softmax, 10, True),
        (nll, lambda z: F.log_softmax(z, -1), 10, False),
        (minus_log, ag.exp, 10, True),
        (minus_log, softmax, 10, False),
        (cross_entropy, ag.sigmoid, 10, True),
        (cross_entropy, by_hand, 10, True),
        (cross_entropy, lambda z: z / 100 + 0.5, 10, False),  # between 0 and 1 by chance
        (logistic, by_hand, 1, True),
        (logistic, lambda z: ag.sigmoid(z).flatten(), 1, True),
        (weighted, ag.sigmoid, 1, True),
        (weighted, lambda z: z, 1, False),
        (logistic, lambda z: z / 100 + 0.5, 1, False),
        (squared, ag.sigmoid, 1, False),
        (F.binary_cross_entropy, by_hand, 1, False),
    ],
)
def test_scores_by_what_the_loss_makes_of_them(loss, last, outputs, wrong):
    report = doctor(With(last=last, outputs=outputs), loss, yes_or_no() if outputs == 1 else data())
    assert ("D11-softmax-twice" in report.codes) is wrong, str(report)


@pytest.mark.parametrize(("loss", "outputs"), [(cross_entropy, 10), (logistic, 1)])
def test_scores_that_all_start_at_zero_are_no_probabilities(loss, outputs):
    net = With(outputs=outputs)
    net.second.weight.array[...] = net.second.bias.array[...] = 0
    report = doctor(net, loss, yes_or_no() if outputs == 1 else data())
    assert report.ok, str(report)


def test_an_output_that_is_always_zero_is_no_probability():
    net = With(last=ag.relu, outputs=1)
    net.second.bias.array[...] = -40
    assert "D11-softmax-twice" not in doctor(net, squared, (data()[0], ag.ones(64, 1))).codes


# Parameters


def test_layers_in_a_plain_list():
    class Listed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers, self.scale = [nn.Linear(64, 32), nn.Linear(32, 10)], nn.Parameter([1.0])

        def forward(self, x):
            return self.scale * self.layers[1](ag.relu(self.layers[0](x)))

    net = Listed()
    optimizer = optim.Adam(net.named_parameters())
    report = doctor(net, cross_entropy, data(), optimizer)
    assert [f.code for f in report.findings] == ["D08-not-in-optimizer"] * 4
    assert {f.numbers["shape"] for f in report.findings} == {(32, 64), (32,), (10, 32), (10,)}
    assert "ModuleList" in report.findings[0].remedy
    for i, layer in enumerate(net.layers):  # on purpose
        optimizer.add_param_group({"params": list(layer.named_parameters(f"layers.{i}"))})
    assert "D08-not-in-optimizer" not in doctor(net, cross_entropy, data(), optimizer).codes


def test_nothing_to_train():
    net = With()
    net.first.requires_grad_(False)
    assert doctor(net, cross_entropy, data()).ok  # a frozen part is deliberate
    net.second.requires_grad_(False)
    assert [f.where for f in doctor(net, cross_entropy, data()).findings] == ["model"]
    assert doctor(net.eval(), cross_entropy, data(), training=False).ok


@pytest.mark.parametrize("value", [0.0, 0.01])
@pytest.mark.parametrize("function", [ag.tanh, ag.relu])
def test_units_that_start_the_same(value, function):
    net = With(function)
    net.first.weight.array[...] = value
    net.second.weight.array[...] = value * np.arange(10)[:, None]
    net.first.bias.array[...] = net.second.bias.array[...] = 0
    found = [f for f in doctor(net, cross_entropy, data()).findings if f.code == "D17-symmetric"]
    assert "first.weight" in [f.where for f in found]
    assert found[0].numbers == {"units": 32, "distinct": 1}


def test_a_last_layer_or_a_table_that_starts_at_zero_is_no_fault():
    net = With()
    net.second.weight.array[...] = 0
    assert doctor(net, cross_entropy, data()).ok

    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.last = nn.Embedding(500, 16), nn.Linear(16, 10)
            self.table.weight.array[...] = 0

        def forward(self, x):
            return self.last(self.table(x).mean(1))

    tokens = ag.tensor(np.random.default_rng(0).integers(0, 500, (64, 4)))
    assert "D17-symmetric" not in doctor(Words(), cross_entropy, (tokens, data()[1])).codes


# Data


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_integers_as_inputs(dtype):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(dtype)
    assert "D14-unscaled-input" in doctor(With(), cross_entropy, (ag.tensor(pixels), data()[1])).codes


def test_inputs_that_are_all_zero():
    assert "D14-unscaled-input" in doctor(With(), cross_entropy, (ag.zeros(64, 64), data()[1])).codes


def test_inputs_of_a_transposed_convolution():
    net = nn.Sequential(nn.ConvTranspose2d(3, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 25, 10))
    x = 100 * ag.randn(64, 3, 4, 4)
    assert "D14-unscaled-input" in doctor(net, cross_entropy, (x, data()[1])).codes
    assert doctor(net, cross_entropy, (x / 100, data()[1])).ok


def test_targets_of_another_scale():
    x, y = yes_or_no()
    net = With(outputs=1)
    report = doctor(net, nn.MSELoss(), (x, 2e5 + 5e4 * y))
    (found,) = report.findings
    assert found.code == "D18-unscaled-target"
    assert found.numbers["mean"] == pytest.approx((2e5 + 5e4 * y.array).mean(), rel=1e-6)
    assert doctor(net, nn.MSELoss(), (x, 20 + 5 * y)).ok
    assert doctor(net, nn.PoissonNLLLoss(), (x, 200 + 50 * y)).ok  # the outputs are logarithms
    net.second.bias.array[...] = 2e5
    assert doctor(net, nn.MSELoss(), (x, 2e5 + 5e4 * y)).ok


def test_non_finite_gradient_of_an_operation_that_others_precede():
    """Operations are told apart by what they are; to compare their tensors has no meaning."""
    net = With(last=lambda z: z / ag.norm(z * 0, dim=-1, keepdim=True))
    assert doctor(net, cross_entropy, data()).codes == ["D16-non-finite"]


# Steps


def test_an_optimizer_or_a_schedule_that_warms_up():
    net = With()
    assert doctor(net, cross_entropy, data(), optim.RAdam(net.named_parameters())).ok
    adam = optim.Adam(net.named_parameters(), lr=1e-3)
    optim.lr_scheduler.LinearLR(adam, start_factor=1e-4, total_iters=100)
    assert adam.param_groups[0]["lr"] < 1e-6
    assert doctor(net, cross_entropy, data(), adam).ok
    for rule in (optim.RAdam, optim.Adam):
        assert "D05-update-too-small" in doctor(net, cross_entropy, data(), rule(net.named_parameters(), lr=1e-9)).codes


def test_rows_without_gradient_do_not_count_for_the_size_of_a_step():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.last = nn.Embedding(5000, 16), nn.Linear(16, 10)

        def forward(self, x):
            return self.last(self.table(x).mean(1))

    net = Words()
    batch = ag.tensor(np.random.default_rng(0).integers(0, 20, (64, 4))), data()[1]
    assert doctor(net, cross_entropy, batch, optim.Adam(net.named_parameters())).ok


def test_a_recurrent_network_that_crawls():
    net = nn.models.SequenceClassifier(3, 16, 2)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(48, 50, 3)).astype(np.float32)
    batch = ag.tensor(x), ag.tensor((x[:, :, 0].sum(1) > 0).astype(np.int64))
    report = doctor(net, cross_entropy, batch, optim.Adam(net.named_parameters(), lr=1e-9))
    assert "D05-update-too-small" in report.codes


# Which operations weights meet their inputs by


def bilinear(function, sample):
    """Whether the result is linear in two arrays, one at a time, and some element of one meets several of the other."""
    rng = np.random.default_rng(0)
    arrays = [np.asarray(a) for a in sample.args]
    if len(arrays) < 2 or any(a.dtype.kind != "f" or not a.size for a in arrays[:2]):
        return None

    def value(first, second):
        others = [np.zeros_like(a) if a.dtype.kind == "f" else a for a in arrays[2:]]
        return np.asarray(function(first, second, *others, **sample.params), np.float64)

    (a, b), (c, d) = arrays[:2], [rng.normal(size=x.shape) for x in arrays[:2]]
    at = value(a, b)
    linear = np.allclose(value(a + 2 * c, b), at + 2 * value(c, b)) and np.allclose(
        value(a, b + 2 * d), at + 2 * value(a, d)
    )
    return bool(linear and at.any())


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_what_meets_weights_is_linear_in_both(name):
    record = REGISTRY[name].record
    samples = itertools.chain(record.samples(np.random.default_rng(0)))
    found = [v for v in (bilinear(record.forward, s) for s in samples) if v is not None]
    if meets_weights(record):
        assert any(found)
    elif found and all(found) and record.differentiable:
        assert record.elementwise or len(inspect.signature(record.forward).parameters) < 2


def test_what_meets_weights():
    assert all(meets_weights(REGISTRY[name].record) for name in ("linear", "matmul", "conv", "conv_input", "einsum"))
    assert not any(meets_weights(REGISTRY[name].record) for name in ("mul", "add", "cat", "where", "standardize"))
