"""Initial values: the distributions' moments and bounds, and the conventions around them."""

import math

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.nn.activation_module import BY_NAME

init = nn.init
SHAPE = (60, 40, 3, 5)  # fan_in 600, fan_out 900


@pytest.mark.parametrize(
    ("fill", "std", "uniform"),
    [
        (init.xavier_uniform_, math.sqrt(2 / 1500), True),
        (lambda t, **g: init.xavier_uniform_(t, gain=2.0, **g), 2 * math.sqrt(2 / 1500), True),
        (init.xavier_normal_, math.sqrt(2 / 1500), False),
        (init.kaiming_uniform_, math.sqrt(2 / 600), True),
        (init.kaiming_normal_, math.sqrt(2 / 600), False),
        (lambda t, **g: init.kaiming_normal_(t, mode="fan_out", **g), math.sqrt(2 / 900), False),
        (lambda t, **g: init.kaiming_normal_(t, a=1.0, **g), math.sqrt(1 / 600), False),
        (lambda t, **g: init.kaiming_uniform_(t, nonlinearity="tanh", **g), 5 / 3 / math.sqrt(600), True),
        (init.lecun_normal_, math.sqrt(1 / 600), False),
        (init.lecun_uniform_, math.sqrt(1 / 600), True),
        (init.normal_, 1.0, False),
        (lambda t, **g: init.uniform_(t, -3.0, 3.0, **g), math.sqrt(3), True),
    ],
)
@pytest.mark.parametrize("dtype", [ag.float32, ag.float64])
def test_moments(fill, std, uniform, dtype):
    weight = ag.zeros(SHAPE, dtype=dtype)
    assert fill(weight, generator=ag.Generator(5)) is weight
    values = weight.numpy().astype(float)
    n = values.size
    assert weight.dtype == dtype
    assert abs(values.mean()) < 5 * std / math.sqrt(n)
    assert abs(values.std() / std - 1) < 5 / math.sqrt(2 * n)
    bound = math.sqrt(3) * std
    if uniform:
        assert np.abs(values).max() <= bound * (1 + 1e-6)
        assert np.abs(values).max() > 0.999 * bound
    else:
        assert np.abs(values).max() > 3 * std
        assert abs(np.mean(np.abs(values) < std) - 0.6827) < 0.01


def test_constants():
    assert init.zeros_(ag.ones(2)).tolist() == [0, 0]
    assert init.ones_(ag.zeros(2)).tolist() == [1, 1]
    assert init.constant_(ag.zeros(()), 4.5).item() == 4.5
    assert init.constant_(ag.zeros(1, dtype=ag.float64), 0.1).item() == 0.1
    assert init.uniform_(ag.zeros(1000), 2, 3, ag.Generator(0)).mean().item() == pytest.approx(2.5, abs=0.05)
    assert init.normal_(ag.zeros(1000), 2, 0.1, ag.Generator(0)).mean().item() == pytest.approx(2, abs=0.02)


def test_seeds():
    def draw(generator=None):
        return init.kaiming_normal_(ag.zeros(3, 4), generator=generator)

    ag.manual_seed(7)
    first = draw()
    second = draw()
    ag.manual_seed(7)
    assert ag.equal(draw(), first)
    assert not ag.equal(first, second)
    assert ag.equal(draw(ag.Generator(7)), first)


def test_parameters_are_filled_in_place_and_unrecorded():
    layer = nn.Linear(3, 2)
    array = layer.weight.array
    assert init.xavier_uniform_(layer.weight) is layer.weight
    assert layer.weight.array is array
    assert layer.weight.is_leaf
    assert layer.weight.requires_grad


def test_gains_are_pytorchs():
    torch = pytest.importorskip("torch")
    for name, param in [
        *[(n, None) for n in ("linear", "sigmoid", "tanh", "relu", "selu", "leaky_relu")],
        *[(f"conv{kind}{n}d", None) for kind in ("", "_transpose") for n in (1, 2, 3)],
        ("leaky_relu", 0.3),
        ("leaky_relu", 0),
    ]:
        assert init.calculate_gain(name, param) == pytest.approx(torch.nn.init.calculate_gain(name, param))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: init.kaiming_normal_(ag.zeros(3)), r"kaiming_normal_: expected a weight of shape \(out, in, ...\)"),
        (lambda: init.xavier_normal_(ag.zeros(3)), r"xavier_normal_: .* got shape \(3,\)"),
        (lambda: init.kaiming_uniform_(ag.zeros(3, 3), mode="in"), "expected mode 'fan_in' or 'fan_out', got 'in'"),
        (lambda: init.calculate_gain("reul"), "expected one of .* got 'reul'"),
        (lambda: init.eye_(ag.zeros(3)), r"eye_: expected a tensor of 2 dimensions, got shape \(3,\)"),
        (lambda: init.sparse_(ag.zeros(2, 2, 2), 0.5), "sparse_: expected a tensor of 2 dimensions"),
        (lambda: init.sparse_(ag.zeros(2, 2), 1.5), r"sparse_: expected sparsity in \[0, 1\], got 1.5"),
        (lambda: init.dirac_(ag.zeros(2, 2)), r"dirac_: expected a weight of shape \(out, in, .* got \(2, 2\)"),
        (lambda: init.dirac_(ag.zeros(4, 2, 3), 3), "dirac_: groups must divide the first size, 4, got groups=3"),
        (lambda: init.orthogonal_(ag.zeros(3)), r"orthogonal_: expected .* at least 2 dimensions, got shape \(3,\)"),
        (lambda: init.trunc_normal_(ag.zeros(3), std=0.0), "trunc_normal_: std must be above 0, got 0.0"),
        (lambda: init.trunc_normal_(ag.zeros(3), a=1.0, b=1.0), "a must be below b, got a=1.0 and b=1.0"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_empty_weights():
    fills = (init.xavier_normal_, init.kaiming_uniform_, init.lecun_normal_, init.orthogonal_, init.eye_)
    for fill in (*fills, init.trunc_normal_, lambda t: init.sparse_(t, 0.5)):
        assert fill(ag.zeros(0, 3)).shape == (0, 3)
        assert fill(ag.zeros(3, 0)).shape == (3, 0)
    assert init.dirac_(ag.zeros(0, 3, 2)).shape == (0, 3, 2)


@pytest.mark.parametrize(
    ("fill", "name", "options"),
    [
        (init.normal_, "norm", {}),
        (lambda t, **g: init.normal_(t, 2.0, 0.1, **g), "norm", {"loc": 2.0, "scale": 0.1}),
        (lambda t, **g: init.uniform_(t, -2.0, 3.0, **g), "uniform", {"loc": -2.0, "scale": 5.0}),
        (init.lecun_normal_, "norm", {"scale": math.sqrt(1 / 50)}),
        (init.kaiming_uniform_, "uniform", {"loc": -math.sqrt(6 / 50), "scale": 2 * math.sqrt(6 / 50)}),
    ],
)
def test_distributions(fill, name, options):
    stats = pytest.importorskip("scipy.stats")
    values = fill(ag.zeros(200, 50, dtype=ag.float64), generator=ag.Generator(3)).numpy().ravel()
    assert stats.kstest(values, getattr(stats, name)(**options).cdf).pvalue > 0.01


# Orthogonal


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (4, 2, 3), (1, 6), (6, 1)])
def test_orthogonal(shape):
    weight = init.orthogonal_(ag.zeros(shape, dtype=ag.float64), 1.5, ag.Generator(0)).numpy().reshape(shape[0], -1)
    gram = weight @ weight.T if weight.shape[0] < weight.shape[1] else weight.T @ weight
    np.testing.assert_allclose(gram, 1.5**2 * np.eye(len(gram)), atol=1e-12)


def test_every_orthogonal_matrix_is_as_likely():
    """An entry squared of a matrix drawn so has the distribution Beta(1/2, (n - 1)/2), and both signs are as likely."""
    stats = pytest.importorskip("scipy.stats")
    generator = ag.Generator(1)
    drawn = np.stack([init.orthogonal_(ag.zeros(4, 4, dtype=ag.float64), generator=generator) for _ in range(500)])
    for i, j in ((0, 0), (3, 3), (1, 2)):
        assert stats.kstest(drawn[:, i, j] ** 2, stats.beta(0.5, 1.5).cdf).pvalue > 0.01
        assert abs((drawn[:, i, j] > 0).mean() - 0.5) < 0.07
    assert abs((np.linalg.det(drawn) > 0).mean() - 0.5) < 0.07


# Truncated


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [
        (0.0, 1.0, -2.0, 2.0),
        (0.0, 0.02, -0.04, 0.04),
        (1.0, 2.0, 0.0, 1.5),  # narrow
        (0.0, 1.0, 1.5, 4.0),  # above the mean
        (0.0, 1.0, -9.0, -3.0),  # far below it
        (0.0, 1.0, 6.0, 1000.0),  # a long tail
        (0.5, 1.0, -math.inf, 1.0),
    ],
)
def test_truncated_normal(mean, std, a, b):
    stats = pytest.importorskip("scipy.stats")
    n = 5000
    values = init.trunc_normal_(ag.zeros(n, dtype=ag.float64), mean, std, a, b, ag.Generator(2)).numpy()
    assert values.min() >= a
    assert values.max() <= b
    expected = stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert stats.kstest(values, expected.cdf).pvalue > 0.01
    assert abs(values.mean() - expected.mean()) < 4 * expected.std() / math.sqrt(n)
    assert values.var() == pytest.approx(expected.var(), rel=0.2)


def test_the_variance_of_the_usual_cut():
    """1 - 2 · 2 φ(2) / (2 Φ(2) - 1) = 0.774 of it for bounds at two standard deviations."""
    density = math.exp(-2) / math.sqrt(2 * math.pi)
    exact = 1 - 4 * density / math.erf(math.sqrt(2))
    values = init.trunc_normal_(ag.zeros(40_000), generator=ag.Generator(0))
    assert exact == pytest.approx(0.774, abs=5e-4)
    assert values.var().item() == pytest.approx(exact, rel=0.02)
    assert values.abs().max().item() <= 2


# Zeros and ones


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (5, 2)])
def test_identity(shape):
    x = ag.arange(shape[1], dtype=ag.float32)
    kept = min(shape)
    y = init.eye_(ag.ones(shape)) @ x
    assert y.tolist() == x.tolist()[:kept] + [0.0] * (shape[0] - kept)


@pytest.mark.parametrize("shape", [(2, 3, 3), (4, 4, 3, 5), (6, 2, 1, 3, 3), (2, 5, 4)])
@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_is_pytorchs(shape, groups):
    torch = pytest.importorskip("torch")
    found = init.dirac_(ag.ones(shape), groups)
    np.testing.assert_array_equal(found.numpy(), torch.nn.init.dirac_(torch.ones(shape), groups).numpy())


def test_dirac_lets_the_input_through(rng):
    x = ag.tensor(rng.normal(size=(2, 4, 6, 5)))
    weight = init.dirac_(ag.zeros(4, 2, 3, 3, dtype=ag.float64), groups=2)
    assert ag.equal(nn.functional.conv2d(x, weight, padding=1, groups=2), x)


def test_sparse():
    stats = pytest.importorskip("scipy.stats")
    values = init.sparse_(ag.ones(101, 80, dtype=ag.float64), 0.6, 0.5, ag.Generator(0)).numpy()
    assert ((values == 0).sum(0) == math.ceil(0.6 * 101)).all()
    assert stats.kstest(values[values != 0], stats.norm(scale=0.5).cdf).pvalue > 0.01
    often = (values == 0).mean(1)  # every row as often as any other
    assert np.abs(often - 61 / 101).max() < 4.5 * math.sqrt(0.6 * 0.4 / 80)
    assert not init.sparse_(ag.ones(4, 3), 1.0).numpy().any()
    assert init.sparse_(ag.zeros(4, 3), 0.0).numpy().all()


# By the activation that follows

HE, LECUN, GLOROT = 2 / 300, 1 / 300, 2 / 500
AFTER = {
    **dict.fromkeys(("relu", "relu6", "elu", "celu", "gelu", "silu", "swish", "mish", "hardswish"), HE),
    **dict.fromkeys(("softplus", "logsigmoid"), HE),
    "leaky_relu": HE / (1 + 0.01**2),
    "prelu": HE / (1 + 0.25**2),
    "rrelu": HE / (1 + (11 / 48) ** 2),
    "selu": LECUN,
}


def variance(activation):
    layer = init.for_activation_(nn.Linear(300, 200), activation, ag.Generator(0))
    assert not layer.bias.detach().numpy().any()
    return layer.weight.detach().numpy().var()


@pytest.mark.parametrize("name", BY_NAME)
def test_for_activations_by_name(name):
    assert variance(name) == pytest.approx(AFTER.get(name, GLOROT), rel=0.02)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (None, GLOROT),
        (nn.Tanh, GLOROT),
        (nn.Softmax(dim=1), GLOROT),
        (ag.sin, GLOROT),
        (nn.functional.relu, HE),
        (nn.Threshold(0.0, 0.0), HE),
        (nn.LeakyReLU(0.5), HE / 1.25),
        (nn.PReLU(init=1.0), LECUN),
        (nn.RReLU(0.2, 0.6), HE / 1.16),
        (nn.Swish(learned=True), HE),
        (nn.Maxout(2), LECUN),
        (nn.GLU(), GLOROT),
    ],
)
def test_for_activations(activation, expected):
    assert variance(activation) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "rrelu", "prelu", "selu", "identity"])
def test_the_signal_keeps_its_size(name):
    """He et al. (2015), eq. 10: through 20 layers the mean square neither vanishes nor explodes."""
    ag.manual_seed(1)
    net = nn.MLP([200] * 21, name, bias=False)
    with ag.no_grad():
        assert 0.3 < net(ag.randn(100, 200)).square().mean().item() < 3


def test_layers_of_any_kind():
    weight = nn.Module()
    weight.weight, weight.bias = nn.Parameter(ag.zeros(20, 10, 3, 3)), None
    assert init.for_activation_(weight, "relu") is weight
    assert weight.weight.var().item() == pytest.approx(2 / 90, rel=0.1)


@pytest.mark.parametrize(
    ("layer", "message"), [(nn.ReLU(), "got ReLU without one"), (nn.PReLU(), r"got one of shape \(1,\)")]
)
def test_layers_without_weights(layer, message):
    with pytest.raises(TypeError, match=f"for_activation_: expected a layer with a weight .* {message}"):
        init.for_activation_(layer, "relu")
