"""Normalising layers: what the table of all layers and PyTorch's samples do not reach."""

import numpy as np
import pytest
from interpreted import Interpreted

import autograd_core as ag
from autograd_core import nn
from autograd_core.tools import assert_gradients


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_batch_norm_follows_the_paper():
    """Algorithms 1 and 2 of Ioffe & Szegedy, written out."""
    layer = nn.BatchNorm1d(3, eps=0.01, momentum=0.25, dtype=ag.float64)
    mean, var = np.zeros(3), np.ones(3)
    for seed in range(3):
        x = drawn(5, 3, seed=seed) + 2
        out = layer(ag.tensor(x)).detach().numpy()
        np.testing.assert_allclose(out, (x - x.mean(0)) / np.sqrt(x.var(0) + 0.01), rtol=1e-12)
        mean, var = 0.75 * mean + 0.25 * x.mean(0), 0.75 * var + 0.25 * x.var(0, ddof=1)
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=1e-12)
    assert layer.num_batches_tracked.item() == 3
    out = layer.eval()(ag.tensor(x)).detach().numpy()
    np.testing.assert_allclose(out, (x - mean) / np.sqrt(var + 0.01), rtol=1e-12)


def test_without_momentum_the_running_statistics_are_the_mean_of_all():
    layer = nn.BatchNorm1d(2, momentum=None, dtype=ag.float64)
    batches = drawn(7, 4, 2)
    for batch in batches:
        layer(ag.tensor(batch))
    np.testing.assert_allclose(layer.running_mean.numpy(), batches.mean((0, 1)), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), batches.var(1, ddof=1).mean(0), rtol=1e-12)


@pytest.mark.parametrize("momentum", [0.3, None])
def test_recorded_the_counter_goes_on(momentum):
    layer = nn.BatchNorm1d(2, momentum=momentum, dtype=ag.float64)
    step = Interpreted(lambda x: layer(x))
    batches = drawn(4, 5, 2)
    for batch in batches:
        step(ag.tensor(batch))
    assert len(step.runs) == 1
    assert (layer.num_batches_tracked.item(), layer.num_batches_tracked.dtype) == (4, ag.int64)
    again = nn.BatchNorm1d(2, momentum=momentum, dtype=ag.float64)
    for batch in batches:
        again(ag.tensor(batch))
    np.testing.assert_allclose(layer.running_var.numpy(), again.running_var.numpy(), rtol=1e-12)


def test_the_counter_counts_in_place():
    layer = nn.BatchNorm1d(2)
    counter = layer.num_batches_tracked
    layer(ag.ones(3, 2))
    assert layer.num_batches_tracked is counter
    assert counter.shape == ()


def test_a_refused_batch_leaves_no_trace():
    layer = nn.BatchNorm1d(2)
    with pytest.raises(ValueError, match="one value a channel"):
        layer(ag.ones(1, 2))
    assert layer.num_batches_tracked.item() == 0
    layer.eval()(ag.ones(1, 2))


def test_an_empty_batch_in_training_leaves_the_statistics():
    for layer, shape in ((nn.BatchNorm1d(2), (0, 2)), (nn.InstanceNorm1d(2, track_running_stats=True), (0, 2, 3))):
        assert layer(ag.zeros(*shape)).shape == shape
        np.testing.assert_array_equal(layer.running_mean.numpy(), [0, 0])
        np.testing.assert_array_equal(layer.running_var.numpy(), [1, 1])


def test_reset_forgets_everything():
    layer = nn.BatchNorm2d(2)
    layer(ag.tensor(drawn(3, 2, 2, 2), dtype=ag.float32))
    with ag.no_grad():
        layer.weight.fill_(3)
        layer.bias.fill_(3)
    layer.reset_parameters()
    fresh = nn.BatchNorm2d(2).state_dict()
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), fresh[name].numpy())


@pytest.mark.parametrize(
    "layer",
    [
        nn.BatchNorm1d(3, dtype=ag.float64),
        nn.BatchNorm1d(3, affine=False, eps=1e-2),
        nn.LayerNorm(3, dtype=ag.float64),
        nn.RMSNorm(3, dtype=ag.float64),
        nn.GroupNorm(1, 3, dtype=ag.float64),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_second_derivatives(layer):
    assert_gradients(layer, ag.tensor(drawn(4, 3), requires_grad=True), order=2)


def test_a_gradient_penalty_through_batch_norm_is_pytorchs():
    torch = pytest.importorskip("torch")
    x = drawn(5, 3)
    theirs, ours = torch.nn.BatchNorm1d(3).double(), nn.BatchNorm1d(3, dtype=ag.float64)
    for parameter in (theirs.weight, ours.weight):
        parameter.data = type(parameter.data)([0.5, -1.0, 2.0]).double()

    def penalty(lib, layer, x):
        out = lib.tanh(layer(x)).sum()
        (g,) = lib.grad(out, x, create_graph=True) if lib is ag else torch.autograd.grad(out, x, create_graph=True)
        (g * g).sum().backward()
        return [p.grad.numpy() for p in (x, layer.weight, layer.bias)]

    found = penalty(ag, ours, ag.tensor(x, requires_grad=True))
    expected = penalty(torch, theirs, torch.tensor(x, requires_grad=True))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)


def test_each_group_alone_is_instance_norm_and_one_group_layer_norm():
    x = ag.tensor(drawn(2, 4, 3))
    each, one = nn.GroupNorm(4, 4, dtype=ag.float64), nn.GroupNorm(1, 4, dtype=ag.float64)
    np.testing.assert_allclose(each(x).detach().numpy(), nn.InstanceNorm1d(4)(x).numpy(), rtol=1e-10)
    layer = nn.LayerNorm((4, 3), elementwise_affine=False)
    np.testing.assert_allclose(one(x).detach().numpy(), layer(x).numpy(), rtol=1e-10)


def test_the_variance_does_not_cancel():
    x = ag.tensor(drawn(64, 50) * 0.1 + 1e4)
    out = nn.LayerNorm(50, eps=0.0, elementwise_affine=False)(x).numpy()
    np.testing.assert_allclose(out.std(1), 1, rtol=1e-9)
    small = nn.LayerNorm(50, eps=0.0, elementwise_affine=False)(x.float()).numpy()
    assert abs(small.std(1) - 1).max() < 1e-3


def test_many_values_are_added_up_in_float32_as_in_float64():
    x = drawn(2, 300_000) + 50
    layer = nn.LayerNorm(300_000, elementwise_affine=False)
    wide, narrow = layer(ag.tensor(x)).numpy(), layer(ag.tensor(x, dtype=ag.float32)).numpy()
    np.testing.assert_allclose(narrow, wide, rtol=0, atol=2e-5)


OPTIONS = {
    "sizes": (lambda: nn.BatchNorm1d(-1), "at least 0"),
    "eps": (lambda: nn.LayerNorm(3, eps=-1.0), "eps must be at least 0, got -1.0"),
    "momentum": (lambda: nn.BatchNorm2d(3, momentum=1.5), r"momentum .* in \[0, 1\], or None .* got 1.5"),
    "no shape": (lambda: nn.LayerNorm([]), "at least one size"),
    "groups": (lambda: nn.GroupNorm(2, 3), "num_groups=2 does not divide num_channels=3"),
    "no groups": (lambda: nn.GroupNorm(0, 3), "num_groups=0"),
    "window": (lambda: nn.LocalResponseNorm(0), "at least 1, got 0"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_are_checked(case):
    make, message = OPTIONS[case]
    with pytest.raises(ValueError, match=message):
        make()


def test_dtype_is_that_of_everything_floating():
    layer = nn.BatchNorm1d(2, dtype=ag.float64)
    assert {t.dtype for t in (*layer.parameters(), layer.running_mean, layer.running_var)} == {np.dtype("float64")}
    assert nn.GroupNorm(1, 2, dtype=ag.float64).bias.dtype == ag.float64


def test_repr_is_pytorchs():
    torch = pytest.importorskip("torch")
    for make in (
        lambda lib: lib.BatchNorm1d(3, momentum=None),
        lambda lib: lib.BatchNorm2d(3, affine=False),
        lambda lib: lib.InstanceNorm3d(2, affine=True, bias=False),
        lambda lib: lib.LayerNorm([3, 4], bias=False),
        lambda lib: lib.GroupNorm(2, 4),
        lambda lib: lib.RMSNorm(3),
    ):
        assert repr(make(nn)) == repr(make(torch.nn))


def test_tracking_switched_off_after_construction():
    torch = pytest.importorskip("torch")
    x = drawn(4, 2)
    theirs, ours = torch.nn.BatchNorm1d(2).double(), nn.BatchNorm1d(2, dtype=ag.float64)
    for layer in (theirs, ours):
        layer.track_running_stats = False
    for training in (True, False):
        expected = theirs.train(training)(torch.tensor(x)).detach().numpy()
        np.testing.assert_allclose(ours.train(training)(ag.tensor(x)).detach().numpy(), expected, rtol=1e-12)
    assert ours.num_batches_tracked.item() == theirs.num_batches_tracked.item() == 0
