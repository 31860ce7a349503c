"""Averages of weights: against PyTorch, in compiled steps, and the statistics of batch normalisation for them."""

import numpy as np
import pytest
from interpreted import Interpreted
from numpy.testing import assert_allclose

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.optim import swa_utils

STEPS = 10


def network(family, **dtype):
    return family.Sequential(family.Linear(3, 4, **dtype), family.BatchNorm1d(4, **dtype), family.Linear(4, 2, **dtype))


def batch(k):
    return np.random.default_rng(k).normal(size=(5, 3))


def twins():
    """Our network and PyTorch's, with the same values."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    reference = network(torch.nn, dtype=torch.float64)
    mine = network(nn, dtype=ag.float64)
    mine.load_state_dict({name: value.numpy() for name, value in reference.state_dict().items()})
    return mine, reference


def advance(model, optimizer, x):
    optimizer.zero_grad()
    (model(x) ** 2).mean().backward()
    optimizer.step()


def assert_same_state(mine, reference, tolerance=1e-10):
    ours, theirs = mine.state_dict(), reference.state_dict()
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        assert str(value.dtype) == str(theirs[name].dtype).removeprefix("torch.")
        assert_allclose(value.array, theirs[name].numpy(), rtol=tolerance, atol=1e-13, err_msg=name)


def swa_of_all(family):
    return {"multi_avg_fn": family.get_swa_multi_avg_fn()}


KINDS = [
    lambda family: {},
    lambda family: {"avg_fn": family.get_swa_avg_fn()},
    swa_of_all,
    lambda family: {"avg_fn": family.get_ema_avg_fn(0.9)},
    lambda family: {"multi_avg_fn": family.get_ema_multi_avg_fn(0.7)},
    lambda family: {"avg_fn": lambda average, value, number: average * 0.5 + value * 0.5 / number},
]


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_as_pytorch_over_many_steps(kind, use_buffers):
    if kind is swa_of_all and use_buffers:
        pytest.skip("PyTorch cannot average integers so")
    model, reference = twins()
    torch = pytest.importorskip("torch")
    mine = swa_utils.AveragedModel(model, **kind(swa_utils), use_buffers=use_buffers)
    theirs = torch.optim.swa_utils.AveragedModel(reference, **kind(torch.optim.swa_utils), use_buffers=use_buffers)
    sgd = optim.SGD(model.parameters(), lr=0.1)
    their_sgd = torch.optim.SGD(reference.parameters(), lr=0.1)
    for k in range(STEPS):
        advance(model, sgd, ag.tensor(batch(k)))
        advance(reference, their_sgd, torch.tensor(batch(k)))
        mine.update_parameters(model)
        theirs.update_parameters(reference)
        # PyTorch computes the share of a new value in float32 here.
        assert_same_state(mine, theirs, 1e-6 if kind is swa_of_all else 1e-10)
    mine.eval()
    theirs.eval()
    assert_allclose(mine(ag.tensor(batch(0))).array, theirs(torch.tensor(batch(0))).detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize("with_targets", [False, True])
def test_update_bn_as_pytorch(with_targets):
    model, reference = twins()
    torch = pytest.importorskip("torch")
    model[1].momentum = reference[1].momentum = 0.3
    batches = [batch(k) for k in range(4)]
    swa_utils.update_bn([(ag.tensor(x), k) if with_targets else ag.tensor(x) for k, x in enumerate(batches)], model)
    torch.optim.swa_utils.update_bn(
        [(torch.tensor(x), k) if with_targets else torch.tensor(x) for k, x in enumerate(batches)], reference
    )
    assert_same_state(model, reference)
    assert model[1].momentum == 0.3


def test_update_bn_leaves_the_mode_also_after_an_error():
    model = network(nn).eval()
    with pytest.raises(ValueError, match="linear"):
        swa_utils.update_bn([ag.ones(2, 7)], model)
    assert not model.training
    assert model[1].momentum == 0.1
    linear = nn.Linear(2, 2)
    swa_utils.update_bn([ag.ones(5, 7)], linear)  # nothing to do: the model is not called


def train(wrap, kind, inside, make):
    ag.manual_seed(3)
    model = make()
    average = swa_utils.AveragedModel(model, **kind(swa_utils))
    sgd = optim.SGD(model.parameters(), lr=0.1)

    def update(x):
        advance(model, sgd, x)
        if inside:
            average.update_parameters(model)

    step = wrap(update)
    for k in range(STEPS):
        step(ag.tensor(batch(k)))
        if not inside:
            average.update_parameters(model)
    return {name: value.array for name, value in average.state_dict().items()}


def assert_trained_alike(wrap, *how):
    eager, compiled = train(lambda f: f, *how), train(wrap, *how)
    assert eager["n_averaged"] == STEPS
    for name, value in eager.items():
        assert_allclose(compiled[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inside", [False, True])
def test_beside_and_within_a_recorded_step(inside, kind):
    assert_trained_alike(Interpreted, kind, inside, lambda: network(nn, dtype=ag.float64))


def test_within_a_compiled_step():
    pytest.importorskip("numba")
    assert_trained_alike(ag.compile, KINDS[0], True, lambda: nn.Linear(3, 1, dtype=ag.float64))


def test_the_mean_and_the_moving_average_in_closed_form():
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(STEPS, 2, 3))
    model = nn.Linear(3, 2, bias=False, dtype=ag.float64)
    mean = swa_utils.AveragedModel(model)
    moving = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.8))
    for weight in weights:
        with ag.no_grad():
            model.weight.copy_(weight)
        mean.update_parameters(model)
        moving.update_parameters(model)
    assert_allclose(mean.module.weight.array, weights.mean(0), rtol=1e-12)
    shares = 0.2 * 0.8 ** np.arange(STEPS)[::-1]
    shares[0] = 0.8 ** (STEPS - 1)
    assert_allclose(moving.module.weight.array, np.tensordot(shares, weights, 1), rtol=1e-12)
    assert mean.n_averaged.item() == STEPS


def test_the_average_is_apart_from_the_model_and_can_be_saved():
    model = nn.Linear(2, 1)
    average = swa_utils.AveragedModel(model)
    average.update_parameters(model)
    before = average.module.weight.tolist()
    nn.init.ones_(model.weight)
    assert average.module.weight.tolist() == before
    again = swa_utils.AveragedModel(model)
    again.load_state_dict(average.state_dict())
    assert again.n_averaged.item() == 1
    assert again.module.weight.tolist() == before
    assert average.module.weight.requires_grad


def test_wrong_arguments():
    model = nn.Linear(2, 1)
    with pytest.raises(ValueError, match="got both"):
        swa_utils.AveragedModel(model, swa_utils.get_swa_avg_fn(), swa_utils.get_swa_multi_avg_fn())
    with pytest.raises(ValueError, match="this MLP has other parameters or buffers than the Linear"):
        swa_utils.AveragedModel(model).update_parameters(nn.MLP([2, 3, 1]))
    with pytest.raises(ValueError, match=r"decay in \[0, 1\]"):
        swa_utils.get_ema_avg_fn(1.5)
