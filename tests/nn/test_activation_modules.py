"""Activation modules beyond PyTorch's samples: options, randomness, what is learned, and activations by name."""

import inspect

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.nn import activation, choice, gates
from autograd_core.nn.activation_module import BY_NAME, Lambda, activation_module

F = nn.functional
inf = np.inf

CLASSES = [getattr(nn, name) for family in (activation, gates, choice) for name in family.__all__]

OPTIONS = [
    ("CELU", {"alpha": 0.5}),
    ("ELU", {"alpha": 2.0}),
    ("GELU", {"approximate": "tanh"}),
    ("GLU", {"dim": 0}),
    ("Hardshrink", {"lambd": 1.0}),
    ("Hardsigmoid", {}),
    ("Hardtanh", {"min_val": -0.5, "max_val": 2.0}),
    ("LeakyReLU", {"negative_slope": -0.3}),
    ("PReLU", {"num_parameters": 4, "init": 0.7}),
    ("RReLU", {"lower": 0.2, "upper": 0.4}),
    ("Softplus", {"beta": 0.5, "threshold": 1.0}),
    ("Softshrink", {"lambd": 1.0}),
    ("Threshold", {"threshold": 0.5, "value": -3.0}),
]


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_options_are_pytorchs(name, options, rng):
    torch = pytest.importorskip("torch")
    mine, theirs = getattr(nn, name)(**options).double().eval(), getattr(torch.nn, name)(**options).double().eval()
    assert repr(mine).replace("lambd=", "") == repr(theirs)
    mine.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    x = rng.normal(scale=2, size=(6, 4))
    z, w = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, v = mine(z), theirs(w)
    np.testing.assert_allclose(y.detach().numpy(), v.detach().numpy(), rtol=1e-12, atol=1e-12)
    y.square().sum().backward()
    v.square().sum().backward()
    rtol = 5e-8 if name == "Hardsigmoid" else 1e-10  # PyTorch's slope is 1/6 in single precision
    np.testing.assert_allclose(z.grad.numpy(), w.grad.numpy(), rtol=rtol, atol=1e-12)
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-10)


def test_signatures_are_pytorchs():
    torch = pytest.importorskip("torch")
    decided = {("Softplus", "threshold")}  # nothing overflows, so it is not needed
    compared = 0
    for kind in CLASSES:
        theirs = getattr(torch.nn, kind.__name__, None)
        if theirs is None:
            continue
        left_out = {"device", "dtype", "args", "kwargs", "min_value", "max_value"}
        expected = {n: p for n, p in inspect.signature(theirs).parameters.items() if n not in left_out}
        found = {n: p for n, p in inspect.signature(kind).parameters.items() if n not in ("dtype", "options")}
        assert list(found) == list(expected), kind
        for name, parameter in found.items():
            if (kind.__name__, name) not in decided:
                assert parameter.default == expected[name].default, (kind, name)
        compared += 1
    assert compared > 25


@pytest.mark.parametrize(
    ("module", "at", "value", "slope"),
    [
        (nn.ReLU(), 0.0, 0.0, 0.0),
        (nn.ReLU6(), 6.0, 6.0, 0.0),
        (nn.Hardtanh(), -1.0, -1.0, 0.0),
        (nn.Hardsigmoid(), 3.0, 1.0, 0.0),
        (nn.LeakyReLU(0.2), 0.0, 0.0, 0.2),
        (nn.PReLU(init=0.25), 0.0, 0.0, 0.25),
        (nn.ELU(), 0.0, 0.0, 1.0),
        (nn.SELU(), 0.0, 0.0, 1.0507009873554805 * 1.6732632423543772),
        (nn.Heaviside(), 0.0, 1.0, 0.0),
        (nn.Sign(), 0.0, 0.0, 0.0),
        *[(module, -inf, 0.0, 0.0) for module in (nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Mish(), nn.Swish(2.0))],
        *[(module, inf, inf, 1.0) for module in (nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Mish(), nn.Swish(2.0))],
        (nn.LogSigmoid(), -1000.0, -1000.0, 1.0),
        (nn.Softplus(), 1000.0, 1000.0, 1.0),
    ],
)
def test_kinks_and_extremes(module, at, value, slope):
    x = ag.tensor(at, dtype=ag.float64, requires_grad=True)
    y = module.double()(x)
    y.backward()
    np.testing.assert_allclose((y.item(), x.grad.item()), (value, slope), rtol=1e-12)


def test_options_may_change():
    module = nn.LeakyReLU(0.5)
    module.negative_slope = 0.25
    assert module(ag.tensor(-4.0)).item() == -1
    assert repr(module) == "LeakyReLU(negative_slope=0.25)"


def test_inplace_changes_nothing():
    takers = [kind for kind in CLASSES if "inplace" in inspect.signature(kind).parameters]
    assert len(takers) == 13
    for kind in takers:
        options = {"threshold": 0.1, "value": 7.0} if kind is nn.Threshold else {}
        x = ag.tensor([-1.0, 0.5, 8.0])
        expected = kind(**options).eval()(x)
        assert ag.equal(kind(**options, inplace=True).eval()(x), expected)
        assert x.tolist() == [-1.0, 0.5, 8.0]


# What is drawn


def test_rrelu_draws_in_training_only():
    ag.manual_seed(0)
    module, x = nn.RReLU(0.1, 0.5), -ag.ones(20_000)
    slopes = -module(x).numpy()
    assert slopes.min() >= 0.1
    assert slopes.max() <= 0.5
    assert slopes.mean() == pytest.approx(0.3, abs=5 * 0.4 / np.sqrt(12 * 20_000))
    assert slopes.var() == pytest.approx(0.4**2 / 12, rel=0.03)
    assert ag.equal(module(-x), -x)
    np.testing.assert_allclose(module.eval()(x).numpy(), -0.3, rtol=1e-6)


def test_gumbel_softmax_chooses_by_the_softmax():
    ag.manual_seed(0)
    shares, n = np.array([0.1, 0.2, 0.3, 0.4]), 20_000
    logits = ag.log(ag.tensor(shares)).expand(n, 4)
    chosen = nn.GumbelSoftmax(hard=True)(logits).numpy()
    assert np.isin(chosen, (0, 1)).all()
    assert (chosen.sum(1) == 1).all()
    found = chosen.mean(0)
    assert (np.abs(found - shares) < 4 * np.sqrt(shares * (1 - shares) / n)).all()
    soft = nn.GumbelSoftmax(0.5, dim=0)(ag.ones(5, 3))
    np.testing.assert_allclose(soft.sum(0).numpy(), 1, rtol=1e-6)


# What is learned


def test_a_learned_beta():
    module = nn.Swish(1.5, learned=True, dtype=ag.float64)
    x = ag.tensor([-2.0, 0.3, 1.0], dtype=ag.float64)
    module(x).sum().backward()
    s = 1 / (1 + np.exp(-1.5 * x.numpy()))
    np.testing.assert_allclose(module.beta.grad.item(), (x.numpy() ** 2 * s * (1 - s)).sum(), rtol=1e-12)
    assert list(module.state_dict()) == ["beta"]
    assert list(nn.Swish(1.5).state_dict()) == []
    assert ag.equal(nn.Swish(1.5)(x), module(x))
    assert ag.equal(nn.Swish()(x), nn.SiLU()(x))


def test_learned_slopes():
    module = nn.PReLU(2, 0.1, dtype=ag.float64)
    x = ag.tensor([[-2.0, -3.0], [1.0, -5.0]], dtype=ag.float64)
    module(x).sum().backward()
    assert module.weight.grad.tolist() == [-2, -8]
    with ag.no_grad():
        module.weight.copy_([0.5, 0.6])
    module.reset_parameters()
    assert module.weight.tolist() == [0.1, 0.1]


def test_maxout_of_two_lines_is_the_absolute_value():
    """Goodfellow et al. (2013), section 3: maxout learns the activation, the absolute value among them."""
    both = nn.Linear(1, 2, bias=False)
    with ag.no_grad():
        both.weight.copy_([[1.0], [-1.0]])
    x = ag.tensor([[-3.0], [0.5]])
    assert ag.equal(nn.Maxout(2)(both(x)), x.abs())


def test_selu_keeps_mean_0_and_variance_1():
    """The fixed point of Klambauer et al. (2017): after 30 layers, from inputs that are off it."""
    ag.manual_seed(0)
    x = 0.5 + 1.3 * ag.randn(400, 256)
    for _ in range(30):
        x = nn.SELU()(nn.init.for_activation_(nn.Linear(256, 256), "selu")(x)).detach()
    assert abs(x.mean().item()) < 0.1
    assert abs(x.var().item() - 1) < 0.15


# Along dimensions


@pytest.mark.parametrize("kind", [nn.Softmax, nn.LogSoftmax, nn.Softmin])
def test_the_dimension_must_be_given(kind):
    with pytest.raises(ValueError, match=rf"{kind.__name__}: dim must be given.*{kind.__name__}\(dim=1\)"):
        kind()
    with pytest.raises(ValueError, match="dim must be given"):
        nn.MLP([2, 2, 2], kind)


def test_softmax2d_is_over_the_channels(rng):
    x = ag.tensor(rng.normal(size=(2, 3, 4, 5)))
    np.testing.assert_allclose(nn.Softmax2d()(x).sum(1).numpy(), 1, rtol=1e-12)
    assert ag.equal(nn.Softmax2d()(x)[0], nn.Softmax2d()(x[0]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.PReLU(0), "PReLU: num_parameters must be above 0, got 0"),
        (lambda: nn.RReLU(0.5, 0.1), "RReLU: lower must not be above upper, got lower=0.5 and upper=0.1"),
        (lambda: nn.Hardtanh(2.0, 1.0), "Hardtanh: min_val must not be above max_val"),
        (lambda: nn.CELU(0.0), "CELU: alpha divides the input, so it must not be 0"),
        (lambda: nn.Softplus(0.0), "Softplus: beta divides the input, so it must not be 0"),
        (lambda: F.softplus([1.0], 0.0), "softplus: beta divides the input"),
        (lambda: nn.Softshrink(-1.0), "Softshrink: lambd must be at least 0, got -1.0"),
        (lambda: nn.GELU("erf"), "GELU: expected approximate 'none' or 'tanh', got 'erf'"),
        (lambda: nn.GumbelSoftmax(0.0), "GumbelSoftmax: tau must be above 0, got 0.0"),
        (lambda: nn.Maxout(0), "Maxout: pieces must be above 0, got 0"),
        (lambda: nn.Softmax2d()(ag.ones(2, 3)), r"Softmax2d: expected input of shape .* got \(2, 3\)"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_lambda_wants_a_function():
    with pytest.raises(TypeError, match="Lambda: expected a function of a tensor, got int"):
        Lambda(3)


# By name


def test_every_activation_has_a_name():
    """All that keep the shape of any input, and need no options but perhaps a dimension."""
    halving, of_pictures, with_options = {nn.GLU}, {nn.Softmax2d}, {nn.Threshold, nn.Maxout}
    named = {type(make()) for make in BY_NAME.values()}
    assert set(CLASSES) - named == halving | of_pictures | with_options
    assert list(BY_NAME) == sorted(BY_NAME)


@pytest.mark.parametrize("name", BY_NAME)
def test_activations_by_name(name, rng):
    x = ag.tensor(rng.normal(size=(4, 3)))
    module = activation_module(name).double()
    assert module(x).shape == x.shape
    assert activation_module(name) is not activation_module(name)
    if hasattr(F, name):
        assert type(activation_module(getattr(F, name))) is type(module)
    copied = activation_module(module)
    assert type(copied) is type(module)
    assert copied is not module


def test_a_learned_activation_has_the_nets_dtype():
    net = nn.MLP([2, 3, 3, 1], "prelu", dtype=ag.float64)
    assert {p.dtype for p in net.parameters()} == {np.dtype("float64")}
    assert net[1].weight is not net[3].weight
