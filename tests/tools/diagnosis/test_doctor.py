"""The training doctor: every fault that is provoked is found, and healthy models are left in peace."""

import io
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.creation import default_generator
from autograd_core.tools.cli import main
from autograd_core.tools.diagnosis.doctor import Doctor, doctor
from autograd_core.tools.diagnosis.findings import ADVICE, DoctorReport, Finding
from autograd_core.tools.training import fit

load_digits = pytest.importorskip("sklearn.datasets").load_digits

F = nn.functional
PIXELS, LABELS = load_digits(return_X_y=True)


def digits(seed=0, shape=(64,), n=64, dtype=np.float32):
    chosen = np.random.default_rng(seed).permutation(len(PIXELS))[:n]
    return ag.tensor((PIXELS[chosen] / 16).reshape(n, *shape).astype(dtype)), ag.tensor(LABELS[chosen])


def images(seed=0):
    return digits(seed, (1, 8, 8))


def sequences(seed=0):
    x = np.random.default_rng(seed).normal(size=(48, 8, 3)).astype(np.float32)
    return ag.tensor(x), ag.tensor((x[:, :, 0].sum(1) > 0).astype(np.int64))


def text(seed=0):
    rng = np.random.default_rng(seed)
    tokens = (rng.integers(0, 12, (32, 1)) + np.arange(9) * rng.integers(1, 4, (32, 1))) % 12
    return ag.tensor(tokens[:, :-1]), ag.tensor(tokens[:, 1:])


def numbers(seed=0):
    x = np.random.default_rng(seed).normal(size=(64, 5)).astype(np.float32)
    return ag.tensor(x), ag.tensor(np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3])


def same(seed=0):
    x, _ = digits(seed)
    return x, x


def of_all_tokens(scores, tokens):
    return F.cross_entropy(scores.flatten(0, 1), tokens.flatten())


cross_entropy = nn.CrossEntropyLoss()


def adam(net, lr=1e-3):
    return optim.Adam(net.named_parameters(), lr=lr)


def sgd(net, lr=0.05):
    return optim.SGD(net.named_parameters(), lr=lr, momentum=0.9)


def train(net, loss, batches, optimizer):
    for inputs, targets in batches:
        optimizer.zero_grad()
        loss(net(inputs), targets).backward()
        optimizer.step()


# Healthy models


def batch_norm():
    return nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 10))


def residual():
    block = nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32))
    return nn.Sequential(nn.Linear(64, 32), nn.Residual(block), nn.Residual(nn.Linear(32, 32)), nn.Linear(32, 10))


def resnet():
    shape = {"in_channels": 1, "width": 4, "small_images": True, "zero_init_residual": True}
    return nn.models.ResNet(nn.models.BasicBlock, [1, 1], 10, **shape)


HEALTHY = {
    "mlp relu": (lambda: nn.MLP([64, 64, 32, 10]), cross_entropy, digits),
    "mlp tanh": (lambda: nn.MLP([64, 64, 32, 10], "tanh"), cross_entropy, digits),
    "mlp sigmoid": (lambda: nn.MLP([64, 32, 10], "sigmoid"), cross_entropy, digits),
    "mlp gelu": (lambda: nn.MLP([64, 64, 32, 10], "gelu"), cross_entropy, digits),
    "mlp silu": (lambda: nn.MLP([64, 64, 32, 10], "silu"), cross_entropy, digits),
    "lenet": (lambda: nn.models.LeNet(size=8, channels=(4, 8), hidden=(32, 16)), cross_entropy, images),
    "lstm": (lambda: nn.models.SequenceClassifier(3, 12, 2), cross_entropy, sequences),
    "gru": (lambda: nn.models.SequenceClassifier(3, 12, 2, network="gru", num_layers=2), cross_entropy, sequences),
    "transformer": (lambda: nn.models.CharTransformer(12, 8, 16, 2, 2, dropout=0.1), of_all_tokens, text),
    "autoencoder": (lambda: nn.models.Autoencoder([64, 32, 8], output_activation="sigmoid"), nn.BCELoss(), same),
    "regression": (lambda: nn.MLP([5, 32, 32, 1], "tanh"), nn.MSELoss(), numbers),
    "batch norm": (batch_norm, cross_entropy, digits),
    "residual": (residual, cross_entropy, digits),
    "resnet": (resnet, cross_entropy, images),
    "logistic": (lambda: nn.LogisticRegression(64, 10), cross_entropy, digits),
}


@pytest.mark.parametrize("make_optimizer", [adam, sgd])
@pytest.mark.parametrize("name", HEALTHY)
def test_healthy(name, make_optimizer):
    """At first, early on, and after some steps, on batches it was trained with and others."""
    make, loss, data = HEALTHY[name]
    ag.manual_seed(3)
    net = make()
    optimizer = make_optimizer(net)
    for start, stop in ((0, 0), (0, 3), (3, 25)):
        train(net, loss, map(data, range(start, stop)), optimizer)
        for seed in (stop, 100):
            report = doctor(net, loss, data(seed), optimizer)
            assert report.ok, str(report)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_and_a_model_that_is_learned_by_heart(dtype):
    ag.manual_seed(0)
    batch = digits(dtype=dtype)
    net = nn.MLP([64, 64, 10], dtype=dtype)
    optimizer = adam(net, 3e-3)
    train(net, cross_entropy, [batch] * 150, optimizer)
    report = doctor(net, cross_entropy, batch, optimizer)
    assert report.ok, str(report)
    assert cross_entropy(net(batch[0]), batch[1]).item() < 0.05


# Faults: what is provoked, and where it must be found


def codes(report):
    return {(finding.code, finding.where) for finding in report.findings}


def fault(code, net, loss=cross_entropy, batch=None, optimizer=None, where=None, **options):
    """Examine, and give the finding of this kind at this place."""
    report = doctor(net, loss, digits() if batch is None else batch, optimizer, **options)
    found = [f for f in report.findings if f.code == code and where in (None, f.where)]
    assert found, str(report)
    assert found[0].reason
    assert found[0].remedy
    assert not report
    assert not report.ok
    return found[0]


def test_dead_relu():
    ag.manual_seed(0)
    net = nn.MLP([64, 32, 10])
    net[0].bias.array[:30] = -10
    finding = fault("D01-dead-unit", net, where="1")
    assert finding.numbers == {"dead": 30, "units": 32, "share": 30 / 32, "places": 64}
    assert "30 of 32 units" in finding.evidence


def test_dead_relu_in_a_convolution_and_as_a_function():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.out = nn.Conv2d(1, 16, 3, padding=1), nn.Linear(16 * 64, 10)
            self.conv.bias.array[1:] = -10

        def forward(self, x):
            return self.out(F.relu(self.conv(x)).flatten(1))

    ag.manual_seed(0)
    finding = fault("D01-dead-unit", Net(), batch=images(), where="model")
    assert finding.numbers["dead"] == 15
    assert finding.numbers["units"] == 16
    assert finding.line.startswith(__file__)


def test_half_of_the_units_dead_is_chance_and_all_of_few_is_not():
    ag.manual_seed(0)
    net = nn.MLP([64, 32, 10])
    net[0].bias.array[:16] = -10
    assert doctor(net, cross_entropy, digits()).ok
    small = nn.MLP([64, 3, 10])
    small[0].bias.array[:] = -10
    fault("D01-dead-unit", small, where="1")


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_saturated(activation):
    ag.manual_seed(0)
    net = nn.MLP([64, 32, 16, 10], activation)
    net[2].weight.array[...] *= 50
    finding = fault("D02-saturated", net, where="3")
    with ag.no_grad():
        hidden = net[:4](digits()[0]).array
    flat = np.abs(hidden if activation == "tanh" else 2 * hidden - 1) > 0.97
    assert finding.numbers["share"] == pytest.approx(flat.mean())


def test_saturated_recurrent_network():
    ag.manual_seed(0)
    net = nn.models.SequenceClassifier(3, 12, 2, network="rnn")
    net.network.weight_ih_l0.array[...] *= 100
    fault("D02-saturated", net, batch=sequences(), where="network")


def test_vanishing():
    ag.manual_seed(0)
    net = nn.Sequential(*[m for _ in range(10) for m in (nn.Linear(64, 64), nn.Sigmoid())], nn.Linear(64, 10))
    finding = fault("D03-vanishing", net, where="0.weight")
    assert finding.numbers["relative"] < 1e-6
    assert ("D03-vanishing", "20.weight") not in codes(doctor(net, cross_entropy, digits()))


def test_vanishing_after_weights_that_start_too_small():
    ag.manual_seed(0)
    net = nn.MLP([64, *[64] * 6, 10], "tanh")
    for p in net.parameters():
        if p.ndim == 2:
            nn.init.normal_(p, std=0.01)
    finding = fault("D03-vanishing", net)
    assert finding.where in ("6", "8")
    assert finding.numbers["rms"] < 1e-4


def test_exploding_values():
    ag.manual_seed(0)
    net = nn.MLP([64, *[64] * 8, 10])
    for p in net.parameters():
        p.array[...] *= 4
    finding = fault("D04-exploding", net)
    assert finding.numbers["relative"] > 1e3


def test_exploding_gradients():
    """A recurrent network whose values are bounded by tanh, but whose gradients grow with every step."""
    ag.manual_seed(0)
    net = nn.models.SequenceClassifier(3, 32, 2, network="rnn")
    rng = np.random.default_rng(0)
    net.network.weight_hh_l0.array[...] = 3 * np.linalg.qr(rng.normal(size=(32, 32)))[0]
    x = ag.tensor(rng.normal(size=(32, 30, 3)).astype(np.float32))
    finding = fault("D04-exploding", net, batch=(x, ag.randint(2, (32,))), where="network.weight_hh_l0")
    assert finding.numbers["relative"] > 1e3


@pytest.mark.parametrize("lr", [1e-9, 0.0])
def test_update_too_small(lr):
    ag.manual_seed(0)
    net = nn.MLP([64, 32, 10])
    finding = fault("D05-update-too-small", net, optimizer=optim.SGD(net.named_parameters(), lr=lr), where="0.weight")
    assert finding.numbers["ratio"] < 1e-4


def test_update_too_small_in_one_group():
    ag.manual_seed(0)
    net = nn.MLP([64, 32, 10])
    groups = [
        {"params": list(net[0].named_parameters("0"))},
        {"params": list(net[2].named_parameters("2")), "lr": 1e-8},
    ]
    report = doctor(net, cross_entropy, digits(), optim.Adam(groups, lr=1e-3))
    assert codes(report) == {("D05-update-too-small", "2.weight")}


def test_update_too_large():
    ag.manual_seed(0)
    net = nn.MLP([64, 32, 10])
    finding = fault("D06-update-too-large", net, optimizer=adam(net, lr=1.0), where="0.weight")
    # The first step of Adam moves every element by the learning rate.
    live = np.sqrt((np.abs(net[0].weight.array) >= 0).sum() / np.square(net[0].weight.array).sum())
    assert 0.3 * live < finding.numbers["ratio"] <= live * 1.01
    assert finding.numbers["after"] > finding.numbers["loss"]


def test_parameter_without_gradient():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused, self.cut = nn.Linear(64, 10), nn.Linear(64, 10), nn.Linear(64, 64)

        def forward(self, x):
            return self.used(self.cut(x).detach())

    ag.manual_seed(0)
    report = doctor(Net(), cross_entropy, digits())
    names = ("unused.weight", "unused.bias", "cut.weight", "cut.bias")
    assert codes(report) == {("D07-no-gradient", name) for name in names}


def test_a_loss_that_depends_on_nothing():
    net = nn.Linear(64, 10)
    fault("D07-no-gradient", net, lambda scores, labels: cross_entropy(scores.detach(), labels), where="weight")


def test_parameter_missing_from_the_optimizer_and_foreign_ones():
    ag.manual_seed(0)
    net = nn.MLP([64, 32, 10])
    old = adam(net)
    net[2] = nn.Linear(32, 10)
    report = doctor(net, cross_entropy, digits(), old)
    assert codes(report) == {
        ("D08-not-in-optimizer", "2.weight"),
        ("D08-not-in-optimizer", "2.bias"),
        ("D09-foreign-parameter", "2.weight"),
        ("D09-foreign-parameter", "2.bias"),
    }
    net[2].requires_grad_(False)
    assert "D08-not-in-optimizer" not in doctor(net, cross_entropy, digits(), old).codes


def nll_of_softmax(scores, labels):
    return -ag.log_softmax(scores, -1)[ag.arange(len(labels)), labels].mean()


@pytest.mark.parametrize("loss", [cross_entropy, F.cross_entropy, nll_of_softmax, lambda s, t: cross_entropy(s, t)])
def test_softmax_twice(loss):
    ag.manual_seed(0)
    net = nn.Sequential(nn.Linear(64, 10), nn.Softmax(-1))
    finding = fault("D11-softmax-twice", net, loss, where="loss")
    assert finding.numbers["sum"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("last", "loss"),
    [
        (nn.LogSoftmax(-1), cross_entropy),
        (nn.Softmax(-1), nn.NLLLoss()),
        (nn.Identity(), nn.NLLLoss()),
        (nn.Identity(), F.nll_loss),
    ],
)
def test_softmax_and_losses_that_do_not_go_together(last, loss):
    ag.manual_seed(0)
    fault("D11-softmax-twice", nn.Sequential(nn.Linear(64, 10), last), loss, where="loss")


def test_log_softmax_and_negative_log_likelihood_do():
    ag.manual_seed(0)
    assert doctor(nn.Sequential(nn.Linear(64, 10), nn.LogSoftmax(-1)), nn.NLLLoss(), digits()).ok


@pytest.mark.parametrize("loss", [nn.BCEWithLogitsLoss(), F.binary_cross_entropy_with_logits])
def test_sigmoid_twice(loss):
    ag.manual_seed(0)
    x, y = sequences()
    batch = x.flatten(1), y.to(ag.float32).reshape(-1, 1)
    fault("D11-softmax-twice", nn.Sequential(nn.Linear(24, 1), nn.Sigmoid()), loss, batch, where="loss")
    assert doctor(nn.Linear(24, 1), loss, batch).ok


def test_initial_loss():
    ag.manual_seed(0)
    net = nn.MLP([64, 32, 10])
    net[2].weight.array[...] *= 20
    batch = digits()
    finding = fault("D12-initial-loss", net, batch=batch, where="loss")
    assert finding.numbers["guess"] == pytest.approx(math.log(10))
    with ag.no_grad():
        expected = cross_entropy(net(batch[0]), batch[1]).item()
    assert finding.numbers["loss"] == pytest.approx(expected)
    # The sum over the batch is as far from it as the mean is.
    summed = fault("D12-initial-loss", net, nn.CrossEntropyLoss(reduction="sum"), batch, where="loss")
    assert summed.numbers["loss"] == pytest.approx(expected)


def test_initial_loss_of_two_classes():
    ag.manual_seed(0)
    x, y = sequences()
    net = nn.Linear(24, 1)
    net.bias.array[...] = 8
    batch = x.flatten(1), y.to(ag.float32).reshape(-1, 1)
    with ag.no_grad():
        expected = F.binary_cross_entropy_with_logits(net(batch[0]), batch[1]).item()
    for model, loss in ((net, nn.BCEWithLogitsLoss()), (nn.Sequential(net, nn.Sigmoid()), nn.BCELoss())):
        finding = fault("D12-initial-loss", model, loss, batch)
        assert finding.numbers == {"loss": pytest.approx(expected, rel=1e-2), "guess": pytest.approx(math.log(2))}


def test_wrong_mode():
    ag.manual_seed(0)
    net = batch_norm()
    net.eval()
    report = doctor(net, cross_entropy, digits())
    assert codes(report) == {("D13-wrong-mode", "1"), ("D13-wrong-mode", "3")}
    assert doctor(net, cross_entropy, digits(), training=None).ok
    assert doctor(net, cross_entropy, digits(), training=False).ok
    net.train()
    net[1].eval()
    fault("D13-wrong-mode", net, where="1")
    report = doctor(net.train(), cross_entropy, digits(), training=False)
    assert codes(report) == {("D13-wrong-mode", "1"), ("D13-wrong-mode", "3")}
    assert net.training


def test_a_mode_without_consequences_and_a_frozen_layer():
    ag.manual_seed(0)
    assert doctor(nn.MLP([64, 32, 10]).eval(), cross_entropy, digits()).ok
    assert doctor(nn.models.SequenceClassifier(3, 12, 2).eval(), cross_entropy, sequences()).ok
    net = batch_norm()
    net[1].requires_grad_(False).eval()
    assert doctor(net, cross_entropy, digits()).ok


def test_wrong_mode_of_a_module_of_ones_own():
    class Noisy(nn.Module):
        def forward(self, x):
            return x + ag.randn(*x.shape) if self.training else x

    ag.manual_seed(0)
    fault("D13-wrong-mode", nn.Sequential(Noisy(), nn.Linear(64, 10)).eval(), where="0")


def scaled(factor, shift=0.0):
    x, y = digits()
    return x * factor + shift, y


@pytest.mark.parametrize(
    "batch",
    [scaled(255.0), scaled(1.0, 100.0), scaled(1e-4), scaled(1e-3, 5.0), (0.5 * ag.ones(64, 64), digits()[1])],
    ids=["large", "shifted", "tiny", "narrow", "constant"],
)
def test_unscaled_input(batch):
    ag.manual_seed(0)
    finding = fault("D14-unscaled-input", nn.MLP([64, 32, 10]), batch=batch, where="inputs")
    assert finding.numbers["mean"] == pytest.approx(batch[0].array.mean(), rel=1e-4)


def test_one_unscaled_feature_is_named():
    ag.manual_seed(0)
    x, y = digits()
    x.array[:, 17] = np.random.default_rng(0).normal(3e4, 1e4, 64)
    assert "feature 17" in fault("D14-unscaled-input", nn.MLP([64, 32, 10]), batch=(x, y)).evidence


def test_what_scales_its_inputs_itself_is_fine():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.MLP([64, 32, 10])

        def forward(self, x):
            return self.net(x / 255)

    ag.manual_seed(0)
    assert doctor(Scaled(), cross_entropy, scaled(255.0)).ok
    assert doctor(nn.Sequential(nn.BatchNorm1d(64), nn.MLP([64, 32, 10])), cross_entropy, scaled(255.0)).ok


def test_broadcast():
    ag.manual_seed(0)
    x, y = numbers()
    net = nn.MLP([5, 32, 1], "tanh")
    finding = fault("D15-broadcast", net, lambda output, target: ((output - target) ** 2).mean(), (x, y[:, 0]))
    assert finding.numbers == {"shapes": [(64, 1), (64,)], "result": (64, 64)}
    assert finding.line.startswith(__file__)
    assert doctor(net, lambda output, target: ((output - target) ** 2).mean(), (x, y)).ok
    # All pairs of outputs are meant.
    pairs = doctor(
        net, lambda output, target: ((output - output[:, 0]) ** 2 - (y - y[:, 0]) ** 2).pow(2).mean(), (x, y)
    )
    assert "D15-broadcast" not in pairs.codes


def test_non_finite_loss():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(64, 32)
            self.log = nn.Lambda(lambda x: ag.log(x))
            self.last = nn.Linear(32, 10)

        def forward(self, x):
            return self.last(self.log(self.first(x)))

    ag.manual_seed(0)
    net = Net()
    finding = fault("D16-non-finite", net, optimizer=adam(net), where="log")
    assert finding.numbers["operation"] == "log"
    assert finding.line.startswith(__file__)
    assert "out of finite values" in finding.evidence


def test_non_finite_gradient():
    ag.manual_seed(0)
    net = nn.Linear(64, 10, bias=False)
    x, y = digits()
    x.array[0] = 0

    def loss(scores, labels):
        return cross_entropy(scores, labels) + ag.sqrt((scores * scores).sum(-1)).sum()

    finding = fault("D16-non-finite", net, loss, (x, y))
    assert finding.numbers["operation"] == "sqrt"
    assert finding.numbers["gradients"] == ["weight"]
    assert math.isfinite(finding.numbers["loss"])


def test_non_finite_in_a_notebook(monkeypatch):
    ipython = pytest.importorskip("IPython")
    compiler = pytest.importorskip("IPython.core.compilerop").CachingCompiler()
    code = "def log(x):\n    return ag.log(x - x)\n"
    file, scope = compiler.cache(code, number=4), {"ag": ag}
    exec(compile(code, file, "exec"), scope)
    monkeypatch.setattr(ipython, "get_ipython", lambda: SimpleNamespace(compile=compiler))
    net = nn.Sequential(nn.Linear(64, 10), nn.Lambda(scope["log"]))
    finding = fault("D16-non-finite", net, where="1")
    assert "Cell In[4]:2: log made -inf" in finding.evidence
    assert finding.numbers["operation"] == "log"


def test_nan_in_the_data():
    ag.manual_seed(0)
    x, y = digits()
    x.array[3, 5] = np.nan
    assert "holds nan already" in fault("D16-non-finite", nn.MLP([64, 32, 10]), batch=(x, y)).evidence


# What it is given, and what it leaves behind


def everything(net, optimizer):
    """All that training can change, with the identity of what holds it."""
    tensors = [*net.parameters(), *net.buffers()]
    state = {(id(p), k): v for p, fields in optimizer.state.items() for k, v in fields.items()}
    return (
        [(id(t), id(t.array), t.array.tobytes(), t.requires_grad) for t in tensors],
        [(id(t.grad), None if t.grad is None else t.grad.array.tobytes()) for t in tensors],
        {key: (id(v), v.array.tobytes()) for key, v in state.items()},
        [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups],
        [(id(m), m.training, sorted(vars(m)), id(m._hooks), str(m._hooks)) for m in net.modules()],
        str(default_generator().get_state()),
        optimizer.skipped,
    )


RULES = [optim.Adam, optim.SGD, optim.Adadelta, optim.Rprop, optim.LBFGS]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("trained", [0, 2])
def test_everything_is_left_as_it_was(rule, trained):
    ag.manual_seed(0)
    net = batch_norm()
    optimizer = rule(net.named_parameters())
    for seed in range(trained):
        inputs, targets = digits(seed)

        def closure(inputs=inputs, targets=targets):
            optimizer.zero_grad()
            loss = cross_entropy(net(inputs), targets)
            loss.backward()
            return loss

        closure()
        optimizer.step(closure)
    net[3].eval()
    before = everything(net, optimizer)
    doctor(net, cross_entropy, digits(), optimizer)
    doctor(net, cross_entropy, digits(), optimizer, training=False)
    assert everything(net, optimizer) == before

    def fail(*given):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        doctor(net, fail, digits(), optimizer)
    assert everything(net, optimizer) == before


def test_streams_of_modules_are_left_as_they_were():
    class Noise(nn.Module):
        def __init__(self):
            super().__init__()
            self.generator = ag.Generator(0)
            self.numpy = np.random.default_rng(0)

        def forward(self, x):
            return x + ag.randn(*x.shape, generator=self.generator) + self.numpy.normal()

    net = nn.Sequential(Noise(), nn.Linear(64, 10))
    before = str(net[0].generator.get_state()), str(net[0].numpy.bit_generator.state)
    doctor(net, cross_entropy, digits(), adam(net))
    assert (str(net[0].generator.get_state()), str(net[0].numpy.bit_generator.state)) == before


def test_a_graph_that_waits_for_its_backward_is_not_disturbed():
    ag.manual_seed(0)
    net = nn.MLP([64, 32, 10], "tanh")
    batch = digits()
    loss = cross_entropy(net(batch[0]), batch[1])
    doctor(net, cross_entropy, batch, adam(net))
    loss.backward()
    ours = net[0].weight.grad.array.copy()
    net.zero_grad()
    cross_entropy(net(batch[0]), batch[1]).backward()
    np.testing.assert_array_equal(net[0].weight.grad.array, ours)


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(32, 10), nn.Linear(32, 10)

    def forward(self, left, right):
        return self.left(left) + self.right(right)


@pytest.mark.parametrize("kind", ["tuple", "dict", "flat", "list"])
def test_kinds_of_batches(kind):
    ag.manual_seed(0)
    x, y = digits()
    left, right = x[:, :32], x[:, 32:]
    batch = {
        "tuple": ((left, right), y),
        "dict": ({"right": right, "left": left}, y),
        "flat": (left, right, y),
        "list": [left, right, y],
    }[kind]
    assert doctor(Two(), cross_entropy, batch).ok


def test_inputs_without_targets():
    ag.manual_seed(0)
    x, _ = digits()
    net = nn.models.Autoencoder([64, 16, 4])
    assert doctor(net, lambda output: ((output - x) ** 2).mean(), x, adam(net)).ok
    pair = doctor(Two(), lambda output: (output**2).mean(), {"left": x[:, :32], "right": x[:, 32:]})
    assert pair.ok


def test_a_loss_with_parameters_and_no_gradients_outside():
    class Weighted(nn.Module):
        def __init__(self):
            super().__init__()
            self.log_scale = nn.Parameter([0.0])

        def forward(self, output, target):
            return (ag.exp(-self.log_scale) * (output - target) ** 2 + self.log_scale).mean()

    ag.manual_seed(0)
    net, loss = nn.MLP([5, 16, 1]), Weighted()
    optimizer = adam(net)
    with ag.no_grad():
        report = doctor(net, loss, numbers(), optimizer)
    assert codes(report) == {("D08-not-in-optimizer", "loss.log_scale")}
    optimizer.add_param_group({"params": [("log_scale", loss.log_scale)]})
    assert doctor(net, loss, numbers(), optimizer).ok


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((abs, cross_entropy, digits()), TypeError, "expected model to be a Module"),
        ((nn.Linear(64, 10), 3, digits()), TypeError, "loss to be a function"),
        ((nn.Linear(64, 10), cross_entropy, digits(), "adam"), TypeError, "expected an optimizer"),
        ((nn.Linear(64, 10), nn.CrossEntropyLoss(reduction="none"), digits()), ValueError, r"take its mean\(\)"),
        ((nn.Linear(64, 10), cross_entropy, (digits()[0],)), ValueError, "a batch is"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        doctor(*arguments)


def test_not_in_a_compiled_function():
    net = nn.Linear(64, 10)
    with pytest.raises(ag.TracingError, match="doctor"):
        ag.compile(lambda x: doctor(net, cross_entropy, digits()) or x)(ag.ones(1))


# The report


def sick_report():
    ag.manual_seed(0)
    net = nn.Sequential(*[m for _ in range(10) for m in (nn.Linear(64, 64), nn.Sigmoid())], nn.Linear(64, 10))
    return doctor(
        nn.Sequential(net, nn.Softmax(-1)), cross_entropy, digits(), optim.SGD(list(net.parameters())[:3], lr=1.0)
    )


def test_report_as_text():
    report = sick_report()
    text = str(report)
    assert text.splitlines()[0].startswith("doctor: 3 problems in ")
    assert "11 layers with 42,250 parameters on a batch of 64" in text
    assert "and 11 more" in text
    assert ADVICE["D08-not-in-optimizer"].remedy[:40] in text
    assert max(map(len, text.splitlines())) <= 120
    assert repr(report) == text
    assert report.codes == ["D03-vanishing", "D08-not-in-optimizer", "D11-softmax-twice"]


def test_report_to_json_and_html():
    report = DoctorReport([Finding("D16-non-finite", "<lambda>", "the loss is inf", {"loss": math.inf})], "one & all")
    assert json.loads(report.to_json())["findings"][0]["numbers"] == {"loss": "inf"}
    page = report._repr_html_()
    assert "&lt;lambda&gt;" in page
    assert "one &amp; all" in page
    assert "<lambda>" not in page
    found = json.loads(sick_report().to_json())
    assert found["ok"] is False
    assert {"code", "where", "evidence", "numbers", "reason", "remedy", "line"} <= set(found["findings"][0])


def test_report_with_rich():
    rich = pytest.importorskip("rich.console")
    console = rich.Console(width=100, record=True, file=io.StringIO())
    console.print(sick_report())
    shown = console.export_text()
    assert "D03-vanishing" in shown
    assert "why: " in shown


# Watching a training


def watched(change):
    """A short training that goes wrong in a way, watched."""
    ag.manual_seed(0)
    net = batch_norm()
    optimizer = sgd(net)
    with Doctor(net, optimizer) as watch:
        for step in range(4):
            change(step, net, optimizer)
    assert "step" not in vars(optimizer)
    return watch, net


def one_step(step, net, optimizer, zero=True, passes=1):
    if zero:
        optimizer.zero_grad()
    for k in range(passes):
        inputs, targets = digits(10 * step + k)
        cross_entropy(net(inputs), targets).backward()
    optimizer.step()


def test_watching_a_healthy_training():
    for passes in (1, 3):  # gradients of several batches may be added up on purpose
        watch, net = watched(lambda *given, passes=passes: one_step(*given, passes=passes))
        assert watch.report().ok, str(watch.report())
        assert watch.steps == 4
        assert {len(r) for r in watch.ratios.values()} == {4}
        assert set(watch.ratios) == {name for name, _ in net.named_parameters()}


def test_watching_does_not_change_the_training():
    _, watched_net = watched(one_step)
    ag.manual_seed(0)
    net = batch_norm()
    optimizer = sgd(net)
    for step in range(4):
        one_step(step, net, optimizer)
    for ours, theirs in zip(net.state_dict().values(), watched_net.state_dict().values(), strict=True):
        np.testing.assert_array_equal(ours.array, theirs.array)


def test_gradients_that_are_not_set_to_zero():
    watch, net = watched(lambda *given: one_step(*given, zero=False))
    names = [name for name, _ in net.named_parameters()]
    assert codes(watch.report()) == {("D10-gradients-accumulate", name) for name in names}
    first = watch.report().findings[0]
    assert first.times == 3
    assert first.numbers["step"] == 2


def test_steps_in_evaluation_mode_and_parameters_left_out():
    def step(number, net, optimizer):
        if number == 2:
            net.eval()
        one_step(number, net, optimizer)

    watch, _ = watched(step)
    found = {f.where: f.times for f in watch.report().findings}
    assert found == {"1": 2, "3": 2}

    ag.manual_seed(0)
    net = batch_norm()
    optimizer = optim.SGD(net[0].named_parameters("0"), lr=0.1)
    with Doctor(net, optimizer) as watch:
        optimizer.zero_grad()
        cross_entropy(net[:4](digits()[0])[:, :10], digits()[1]).backward()
        optimizer.step()
    assert codes(watch.report()) == {
        ("D07-no-gradient", "4.weight"),
        ("D07-no-gradient", "4.bias"),
        ("D08-not-in-optimizer", "1.weight"),
        ("D08-not-in-optimizer", "1.bias"),
    }


def test_a_gradient_that_is_not_finite():
    def step(number, net, optimizer):
        optimizer.zero_grad()
        inputs, targets = digits(number)
        (cross_entropy(net(inputs), targets) * (math.inf if number == 1 else 1.0)).backward()
        optimizer.nonfinite = "skip"
        optimizer.step()

    with np.errstate(all="ignore"):
        watch, _ = watched(step)
    assert {f.code for f in watch.report().findings} == {"D16-non-finite"}


def test_observing_a_fit():
    """The callback that fit has is enough: it examines the model after every epoch."""
    ag.manual_seed(0)
    net = batch_norm()
    optimizer = sgd(net)
    data = digits(n=192)
    watch = Doctor(net, optimizer)
    rows = []

    def on_epoch(row):
        rows.append(row)
        watch.observe(cross_entropy, digits(row.number))

    options = {"epochs": 2, "batch_size": 32, "compile": False}
    history = fit(net, optimizer, cross_entropy, data, data, on_epoch=on_epoch, **options)
    assert watch.observations == len(rows) == 3
    assert watch.report().ok, str(watch.report())
    assert "3 examinations" in str(watch.report())

    ag.manual_seed(0)
    net = batch_norm()
    unwatched = fit(net, sgd(net), cross_entropy, data, data, **options)
    assert unwatched == history


def test_observing_between_compiled_steps():
    x, y = ag.ones(32, 1) * ag.linspace(-1, 1, 32).reshape(32, 1), ag.linspace(-1, 1, 32).reshape(32, 1)
    weights = []
    for observed in (False, True):
        net = nn.Linear(1, 1)
        net.load_state_dict({"weight": [[0.5]], "bias": [0.1]})
        optimizer = optim.SGD(net.named_parameters(), lr=0.1)
        watch = Doctor(net, optimizer)

        @ag.compile
        def step(net=net, optimizer=optimizer):
            loss = F.mse_loss(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        with watch:
            for _ in range(3):
                step()
                if observed:
                    assert watch.observe(nn.MSELoss(), (x, y)).ok
        assert watch.steps == 0  # nothing can look into a compiled step
        weights.append(net.weight.item())
    assert weights[0] == weights[1] != 0.5


def test_observing_counts_what_it_sees_again():
    ag.manual_seed(0)
    net = nn.Sequential(nn.Linear(64, 10), nn.Softmax(-1))
    watch = Doctor(net, adam(net))
    for seed in range(3):
        watch.observe(cross_entropy, digits(seed))
    (finding,) = watch.report().findings
    assert finding.times == 3
    assert "(3 of 3 times)" in str(watch.report())


def test_wrong_use_of_the_watch():
    net = nn.Linear(64, 10)
    with pytest.raises(TypeError, match="expected a Module and an Optimizer"):
        Doctor(net, cross_entropy)
    watch = Doctor(net, adam(net))
    with watch, pytest.raises(RuntimeError, match="already"):
        watch.__enter__()


# The command

PROGRAM = """
import autograd_core as ag
from autograd_core import nn, optim

def healthy():
    ag.manual_seed(0)
    model = nn.MLP([8, 16, 3])
    batch = ag.randn(64, 8), ag.randint(3, (64,))
    return model, nn.CrossEntropyLoss(), batch, optim.Adam(model.named_parameters())

def dropping():
    model, loss, batch, optimizer = healthy()
    return nn.Sequential(nn.Dropout(0.5), model), loss, batch

def other():
    return 3
"""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["healthy"], 0, "healthy, nothing was found"),
        (["dropping", "--evaluation"], 1, "D13-wrong-mode"),
        (["dropping", "--evaluation", "--json"], 1, '"code": "D13-wrong-mode"'),
        (["other"], 2, "must return (model, loss, batch)"),
        (["missing"], 2, "has no function 'missing'"),
    ],
)
def test_command(arguments, code, said, tmp_path, capsys):
    file = tmp_path / "doctored_program.py"
    file.write_text(PROGRAM)
    name, *options = arguments
    assert main(["doctor", f"{file}:{name}", *options]) == code
    shown = capsys.readouterr()
    assert said in (shown.err if code == 2 else shown.out)
