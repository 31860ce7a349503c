"""Initial values: the distributions' moments and bounds, and the conventions around them."""

import math

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

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
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_empty_weights():
    for fill in (init.xavier_normal_, init.kaiming_uniform_, init.lecun_normal_):
        assert fill(ag.zeros(0, 3)).shape == (0, 3)
        assert fill(ag.zeros(3, 0)).shape == (3, 0)
