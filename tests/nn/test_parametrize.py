"""Parametrised tensors: what they are computed from, and that modules stay modules."""

import copy
import pickle

import numpy as np
import pytest
from interpreted import Interpreted

import autograd_core as ag
from autograd_core import nn
from autograd_core.nn.utils import parametrizations
from autograd_core.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm
from autograd_core.nn.utils.parametrize import is_parametrized, register_parametrization, remove_parametrizations


class Symmetric(nn.Module):
    def forward(self, x):
        return ag.triu(x) + ag.triu(x, 1).T

    def right_inverse(self, value):
        return ag.triu(value)


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x


class Sum(nn.Module):
    """Of two originals."""

    def forward(self, a, b):
        return a + b

    def right_inverse(self, value):
        return 0.25 * value, 0.75 * value


class To(nn.Module):
    def __init__(self, forward, right_inverse=None):
        super().__init__()
        self.compute = forward
        if right_inverse is not None:
            self.right_inverse = right_inverse

    def forward(self, x):
        return self.compute(x)


def linear(*sizes):
    ag.manual_seed(0)
    return nn.Linear(*sizes, dtype=ag.float64)


def values(tensor):
    return tensor.detach().numpy()


def test_the_original_is_what_is_trained():
    layer = linear(3, 3)
    weight = layer.weight
    before = values(weight).copy()
    assert register_parametrization(layer, "weight", Symmetric()) is layer
    assert layer.parametrizations.weight.original is weight
    assert [name for name, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    np.testing.assert_array_equal(values(layer.weight), np.triu(before) + np.triu(before, 1).T)
    layer(ag.ones(1, 3, dtype=ag.float64)).sum().backward()
    np.testing.assert_array_equal(values(weight.grad), [[1, 2, 2], [0, 1, 2], [0, 0, 1]])


def test_assigning_goes_through_the_inverse():
    layer = register_parametrization(linear(2, 2), "weight", Symmetric())
    layer.weight = ag.tensor([[1.0, 2.0], [2.0, 5.0]])
    np.testing.assert_array_equal(values(layer.parametrizations.weight.original), [[1, 2], [0, 5]])
    np.testing.assert_array_equal(values(layer.weight), [[1, 2], [2, 5]])


def test_without_an_inverse_nothing_can_be_assigned():
    layer = register_parametrization(linear(2, 2), "weight", Doubled())
    with pytest.raises(TypeError, match="Doubled cannot be assigned to: define right_inverse"):
        layer.weight = ag.ones(2, 2)


def test_one_after_the_other():
    layer = linear(2, 2)
    before = values(layer.weight).copy()
    register_parametrization(layer, "weight", Symmetric())
    register_parametrization(layer, "weight", Doubled())
    np.testing.assert_array_equal(values(layer.weight), 2 * (np.triu(before) + np.triu(before, 1).T))
    assert [type(p) for p in layer.parametrizations.weight] == [Symmetric, Doubled]
    assert isinstance(layer.parametrizations["weight"][1], Doubled)


def test_several_originals():
    layer = linear(2, 3)
    before = values(layer.weight).copy()
    register_parametrization(layer, "weight", Sum())
    assert list(layer.state_dict()) == [
        "bias", "parametrizations.weight.original0", "parametrizations.weight.original1",
    ]  # fmt: skip
    np.testing.assert_array_equal(values(layer.parametrizations.weight.original1), 0.75 * before)
    np.testing.assert_allclose(values(layer.weight), before)
    layer.weight = ag.ones(3, 2)
    np.testing.assert_array_equal(values(layer.parametrizations.weight.original0), np.full((3, 2), 0.25))
    with pytest.raises(ValueError, match="leave_parametrized=True"):
        remove_parametrizations(layer, "weight", leave_parametrized=False)


def test_a_frozen_parameter_stays_frozen():
    layer = linear(2, 2).requires_grad_(False)
    register_parametrization(layer, "weight", Sum())
    assert not any(p.requires_grad for p in layer.parameters())
    assert not remove_parametrizations(layer, "weight").weight.requires_grad


@pytest.mark.parametrize("persistent", [True, False])
def test_buffers(persistent):
    module = nn.Module()
    module.register_buffer("scale", ag.ones(2), persistent)
    register_parametrization(module, "scale", Doubled())
    np.testing.assert_array_equal(module.scale.numpy(), [2, 2])
    assert not list(module.parameters())
    assert list(module.state_dict()) == (["parametrizations.scale.original"] if persistent else [])
    remove_parametrizations(module, "scale")
    assert [name for name, _ in module.named_buffers()] == ["scale"]
    assert list(module.state_dict()) == (["scale"] if persistent else [])


@pytest.mark.parametrize(("leave", "factor"), [(True, 2), (False, 1)])
def test_removing_gives_back_the_parameter(leave, factor):
    layer = linear(2, 3)
    weight, before = layer.weight, values(layer.weight).copy()
    register_parametrization(layer, "weight", Doubled())
    register_parametrization(layer, "bias", Doubled())
    assert remove_parametrizations(layer, "weight", leave_parametrized=leave) is layer
    assert layer.weight is weight
    np.testing.assert_array_equal(values(weight), factor * before)
    assert is_parametrized(layer)
    assert is_parametrized(layer, "bias")
    assert not is_parametrized(layer, "weight")
    remove_parametrizations(layer, "bias")
    assert type(layer) is nn.Linear
    assert not is_parametrized(layer)
    assert set(layer.state_dict()) == {"weight", "bias"}
    assert repr(layer) == "Linear(in_features=2, out_features=3, bias=True)"


def test_it_says_what_it_is():
    layer = register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    assert repr(layer).splitlines()[0] == "ParametrizedLinear("
    assert isinstance(layer, nn.Linear)
    assert "(weight): ParametrizationList(" in repr(layer)


@pytest.mark.parametrize("kind", [weight_norm, spectral_norm, orthogonal])
def test_copies_are_apart(kind):
    layer = kind(linear(3, 4))
    before = values(layer.eval().weight).copy()
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(values(twin.weight), before)
        with ag.no_grad():
            for parameter in twin.parameters():
                parameter.add_(0.5)
        assert not np.allclose(values(twin.weight), before)
        np.testing.assert_array_equal(values(layer.weight), before)
        assert is_parametrized(twin, "weight")
        assert type(remove_parametrizations(twin, "weight")) is nn.Linear
    np.testing.assert_array_equal(values(layer.weight), before)


def test_the_mode_is_that_of_the_module():
    layer = nn.Linear(2, 2).eval()
    spectral_norm(layer)
    assert not layer.parametrizations.weight[0].training
    assert layer.train().parametrizations.weight[0].training


REFUSED = {
    "no such tensor": (lambda m: register_parametrization(m, "wieght", Doubled()), ValueError, "named 'wieght'"),
    "no bias": (
        lambda m: register_parametrization(nn.Linear(2, 2, bias=False), "bias", Doubled()), ValueError, "named 'bias'",
    ),
    "a module": (lambda m: register_parametrization(nn.Sequential(m), "0", Doubled()), ValueError, "named '0'"),
    "no function": (lambda m: register_parametrization(m, "weight", ag.exp), TypeError, "expected a Module"),
    "shape": (
        lambda m: register_parametrization(m, "weight", To(lambda x: x[0])), ValueError,
        r"keep shape and dtype, float64\[3, 2\]; got float64\[2\]",
    ),
    "dtype": (lambda m: register_parametrization(m, "weight", To(lambda x: x.float())), ValueError, "got float32"),
    "no tensor": (lambda m: register_parametrization(m, "weight", To(lambda x: 1.0)), TypeError, "got float"),
    "inverse": (
        lambda m: register_parametrization(m, "weight", To(lambda x: x, lambda v: 1.0)), TypeError, "right_inverse",
    ),
    "inverse's dtype": (
        lambda m: register_parametrization(m, "weight", To(lambda x: x, lambda v: v.float())), ValueError,
        "must keep the dtype float64, got float32",
    ),
    "not parametrised": (lambda m: remove_parametrizations(m, "weight"), ValueError, "weight is not parametrised"),
    "weight norm's tensor": (lambda m: weight_norm(m, "w"), ValueError, "weight_norm: Linear has no"),
    "weight norm's dim": (lambda m: weight_norm(m, dim=2), IndexError, r"\[0, 1\] for a 2-d weight, got 2"),
    "spectral norm's tensor": (lambda m: spectral_norm(nn.ReLU()), ValueError, "spectral_norm: ReLU has no"),
    "spectral norm's dim": (lambda m: spectral_norm(m, dim=-3), IndexError, r"\[-2, 1\] for a 2-d weight, got -3"),
    "spectral norm's iterations": (lambda m: spectral_norm(m, n_power_iterations=0), ValueError, "at least 1, got 0"),
    "orthogonal bias": (lambda m: orthogonal(m, "bias"), ValueError, r"expected a matrix.* bias of shape \(3,\)"),
    "orthogonal map": (lambda m: orthogonal(m, orthogonal_map="qr"), ValueError, "expected an orthogonal_map"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_and_nothing_changed(case):
    layer = linear(2, 3)
    weight, before = layer.weight, values(layer.weight).copy()
    call, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        call(layer)
    assert layer.weight is weight
    np.testing.assert_array_equal(values(weight), before)
    assert type(layer) is nn.Linear


@pytest.mark.parametrize("dim", [0, 1, 2, None])
def test_weight_norm_has_the_lengths_it_is_given(dim):
    layer = nn.Conv1d(2, 3, 4, dtype=ag.float64)
    before = values(layer.weight).copy()
    weight_norm(layer, dim=dim)
    np.testing.assert_allclose(values(layer.weight), before, rtol=1e-12)
    others = tuple(d for d in range(3) if d != dim)
    lengths = layer.parametrizations.weight.original0
    with ag.no_grad():
        lengths.mul_(-2)
        layer.parametrizations.weight.original1.mul_(5)
    found = np.sqrt(np.sum(values(layer.weight) ** 2, others, keepdims=dim is not None))
    np.testing.assert_allclose(found, -values(lengths), rtol=1e-12)


@pytest.mark.parametrize("shape", [(20, 30), (6, 5, 4), (7,)])
@pytest.mark.parametrize("dim", [0, -1])
def test_spectral_norm_converges_to_the_largest_singular_value(shape, dim):
    module = nn.Module()
    rng = np.random.default_rng(0)
    weight = rng.normal(size=shape)
    module.weight = nn.Parameter(weight)
    ag.manual_seed(1)
    spectral_norm(module, n_power_iterations=2, dim=dim)
    for _ in range(300):
        found = values(module.weight)
    matrix = np.moveaxis(weight, dim, 0).reshape(shape[dim], -1)
    largest = np.linalg.svd(matrix, compute_uv=False)[0] if len(shape) > 1 else np.linalg.norm(weight)
    np.testing.assert_allclose(found, weight / largest, rtol=1e-9)
    np.testing.assert_array_equal(values(module.eval().weight), found)


def test_spectral_norm_of_a_transposed_convolution_counts_its_outputs():
    layer = spectral_norm(nn.ConvTranspose1d(2, 3, 4))
    assert layer.parametrizations.weight[0]._u.shape == (3,)
    assert layer.parametrizations.weight[0]._v.shape == (8,)


def test_spectral_norm_goes_backward_through_two_calls():
    """As a discriminator does, for real and generated samples."""
    layer = spectral_norm(linear(3, 2))
    x = ag.tensor(np.random.default_rng(0).normal(size=(4, 3)))
    (layer(x).sum() - layer(2 * x).sum()).backward()
    assert layer.parametrizations.weight.original.grad is not None
    assert not layer.parametrizations.weight[0]._u.requires_grad


@pytest.mark.parametrize("orthogonal_map", ["matrix_exp", "cayley", "householder", None])
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 4, 3)])
def test_orthogonal_stays_orthogonal_while_it_is_trained(orthogonal_map, shape):
    module = nn.Module()
    weight = np.random.default_rng(0).normal(size=shape)
    module.weight = nn.Parameter(weight)
    orthogonal(module, orthogonal_map=orthogonal_map)
    tall = weight if shape[-2] >= shape[-1] else weight.T
    q, r = np.linalg.qr(tall)
    start = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
    np.testing.assert_allclose(values(module.weight), start if tall is weight else start.T, atol=1e-12)
    target = np.random.default_rng(1).normal(size=shape)
    losses = []
    for _ in range(20):
        loss = ((module.weight - target) ** 2).sum()
        loss.backward()
        losses.append(loss.item())
        with ag.no_grad():
            for parameter in module.parameters():
                parameter.sub_(0.02 * parameter.grad)
        module.zero_grad()
    found = values(module.weight)
    tall = found if shape[-2] >= shape[-1] else found.T
    np.testing.assert_allclose(
        tall.swapaxes(-1, -2) @ tall,
        np.broadcast_to(np.eye(tall.shape[-1]), (*shape[:-2], *(tall.shape[-1],) * 2)),
        atol=1e-10,
    )
    assert losses[-1] < losses[0]


def test_an_orthogonal_weight_may_be_assigned():
    layer = orthogonal(linear(3, 3))
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    layer.weight = ag.tensor(turned)
    np.testing.assert_allclose(values(layer.weight), turned, atol=1e-12)


@pytest.mark.parametrize("kind", [weight_norm, spectral_norm])
def test_recorded_it_trains_the_same(kind):
    x = ag.tensor(np.random.default_rng(0).normal(size=(4, 3)))

    def trained(wrap):
        layer = kind(linear(3, 2))

        def step(x):
            loss = (layer(x) ** 2).sum()
            loss.backward()
            with ag.no_grad():
                for parameter in layer.parameters():
                    parameter.sub_(0.1 * parameter.grad)
            layer.zero_grad()
            return loss

        run = wrap(step)
        losses = [run(x).item() for _ in range(4)]
        return [losses, *(t.numpy().copy() for t in layer.state_dict().values())]

    for a, b in zip(trained(Interpreted), trained(lambda step: step), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_recordings_notice_a_parametrisation():
    layer = linear(2, 2)
    run = Interpreted(lambda x: layer(x))
    x = ag.ones(1, 2, dtype=ag.float64)
    plain = run(x).numpy() - values(layer.bias)
    register_parametrization(layer, "weight", Doubled())
    np.testing.assert_allclose(run(x).numpy() - values(layer.bias), 2 * plain)
    remove_parametrizations(layer, "weight", leave_parametrized=False)
    np.testing.assert_allclose(run(x).numpy() - values(layer.bias), plain)


# Beside PyTorch

LAYERS = {
    "Linear": (lambda lib, **options: lib.Linear(4, 3, **options), (5, 4)),
    "square": (lambda lib, **options: lib.Linear(4, 4, **options), (5, 4)),
    "Conv2d": (lambda lib, **options: lib.Conv2d(2, 3, 2, **options), (2, 2, 4, 4)),
    "ConvTranspose1d": (lambda lib, **options: lib.ConvTranspose1d(2, 3, 2, **options), (2, 2, 4)),
}
KINDS = {
    "weight_norm": [{}, {"dim": 1}, {"dim": None}],
    "spectral_norm": [{}, {"n_power_iterations": 3, "dim": 1}],
    "orthogonal": [
        {},
        {"orthogonal_map": "matrix_exp"},
        {"orthogonal_map": "cayley"},
        {"orthogonal_map": "householder"},
    ],
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(
    ("kind", "options"), [(kind, options) for kind, settings in KINDS.items() for options in settings], ids=str
)
def test_step_by_step_as_pytorch(kind, options, name):
    torch = pytest.importorskip("torch")
    make, shape = LAYERS[name]
    torch.manual_seed(0)
    theirs = getattr(torch.nn.utils.parametrizations, kind)(make(torch.nn, dtype=torch.float64), **options)
    ours = getattr(parametrizations, kind)(make(nn, dtype=ag.float64), **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})
    rng = np.random.default_rng(0)
    for _ in range(4):
        x = rng.normal(size=shape)
        expected, found = theirs(torch.tensor(x)), ours(ag.tensor(x))
        np.testing.assert_allclose(values(found), values(expected), rtol=1e-8, atol=1e-10)
        for out in (expected, found):
            (out**2).sum().backward()
        for (_, p), (_, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
            np.testing.assert_allclose(values(p.grad), values(q.grad), rtol=1e-8, atol=1e-9)
        with ag.no_grad(), torch.no_grad():
            for parameter in (*ours.parameters(), *theirs.parameters()):
                parameter.sub_(0.05 * parameter.grad)
        for module in (ours, theirs):
            module.zero_grad()
        for key, value in theirs.state_dict().items():
            np.testing.assert_allclose(ours.state_dict()[key].numpy(), value.numpy(), rtol=1e-8, atol=1e-9)
    theirs.load_state_dict({name: torch.tensor(t.numpy()) for name, t in ours.state_dict().items()})
