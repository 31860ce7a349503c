"""Dropout and noise: when they act, and on what."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.nn.noise import GaussianNoise

DROPOUTS = {
    nn.Dropout: (3, 4),
    nn.Dropout1d: (2, 3, 4),
    nn.Dropout2d: (2, 3, 4, 2),
    nn.Dropout3d: (2, 3, 2, 2, 2),
    nn.AlphaDropout: (3, 4),
    nn.FeatureAlphaDropout: (2, 3, 4),
}

every_dropout = pytest.mark.parametrize(("of", "shape"), DROPOUTS.items(), ids=lambda x: getattr(x, "__name__", ""))


@every_dropout
def test_it_acts_in_training_only(of, shape):
    x = ag.ones(*shape)
    layer = of()
    ag.manual_seed(0)
    assert not np.array_equal(layer(x).numpy(), x.numpy())
    np.testing.assert_array_equal(layer.eval()(x).numpy(), x.numpy())
    assert not np.array_equal(layer.train()(x).numpy(), x.numpy())


@every_dropout
def test_a_module_is_its_function(of, shape):
    name = {"Dropout": "dropout", "AlphaDropout": "alpha_dropout", "FeatureAlphaDropout": "feature_alpha_dropout"}
    function = getattr(nn.functional, name.get(of.__name__, of.__name__.lower()))
    x = ag.ones(*shape)
    ag.manual_seed(4)
    found = of(0.3)(x)
    np.testing.assert_array_equal(found.numpy(), function(x, 0.3, True, generator=ag.Generator(4)).numpy())


@every_dropout
@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_p_is_a_probability(of, shape, p):
    with pytest.raises(ValueError, match=rf"{of.__name__}: expected a probability p in \[0, 1\], got {p}"):
        of(p)


@every_dropout
def test_inplace_leaves_the_input(of, shape):
    x = ag.ones(*shape)
    of(1.0, inplace=True)(x)
    np.testing.assert_array_equal(x.numpy(), np.ones(shape))


@every_dropout
def test_repr_is_pytorchs(of, shape):
    torch = pytest.importorskip("torch")
    assert repr(of(0.25)) == repr(getattr(torch.nn, of.__name__)(0.25))


def test_p_may_be_changed():
    layer = nn.Dropout(0.0)
    layer.p = 1.0
    assert layer(ag.ones(5)).sum().item() == 0


def test_the_mean_is_kept_and_the_share_is_dropped():
    ag.manual_seed(0)
    out = nn.Dropout(0.3)(ag.ones(200_000, dtype=ag.float64)).numpy()
    assert abs((out == 0).mean() - 0.3) < 0.005
    assert abs(out.mean() - 1) < 0.005


def test_noise_has_its_spread_and_goes_to_the_input_only_in_training():
    ag.manual_seed(0)
    layer = GaussianNoise(0.5)
    x = ag.tensor(np.full(100_000, 3.0))
    out = layer(x)
    assert out.dtype == ag.float64
    assert abs(out.mean().item() - 3) < 0.01
    assert abs(out.std().item() - 0.5) < 0.01
    assert layer.eval()(x) is x
    assert repr(layer) == "GaussianNoise(std=0.5)"


def test_noise_passes_the_gradient_through():
    x = ag.ones(4, requires_grad=True)
    (2 * GaussianNoise(1.0)(x)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2, 2, 2, 2])


def test_noise_of_integers_is_floating():
    assert GaussianNoise(0.1)(ag.tensor([1, 2])).dtype == ag.float32


@pytest.mark.parametrize("std", [-1.0, float("nan")])
def test_the_spread_is_not_negative(std):
    with pytest.raises(ValueError, match="std must be at least 0"):
        GaussianNoise(std)
