"""What optimizers do with gradients that have NaNs and infinities."""

import copy
import re

import numpy as np
import pytest
from interpreted import Interpreted
from numpy.testing import assert_array_equal
from optimizers import OPTIMIZERS

import autograd_core as ag
from autograd_core import optim

STEPWISE = [name for name in OPTIMIZERS if not name.startswith("LBFGS")]
BAD = {"b": [np.nan, 1.0, np.inf, np.nan], "w": [[np.inf, 2.0]]}


def leaf(values, dtype=np.float64):
    return ag.tensor(np.asarray(values, dtype), requires_grad=True)


def started(make, **options):
    """Parameters and an optimizer after one good step, and with bad gradients now."""
    params = {"a": leaf([1.0, 2.0]), "b": leaf([1.0, 2.0, 3.0, 4.0]), "w": leaf([[1.0, 2.0]])}
    optimizer = make(params.items(), **options)
    for p in params.values():
        p.grad = ag.tensor(np.ones(p.shape))
    step(optimizer)
    for name, values in BAD.items():
        params[name].grad = ag.tensor(np.array(values))
    return params, optimizer


def step(optimizer):
    """A step, with a closure that leaves the gradients as they are."""
    return optimizer.step(lambda: 1.0)


def snapshot(params, optimizer):
    state = {(n, f): v.array.copy() for n, p in params.items() for f, v in optimizer.state[p].items()}
    return {**{n: p.array.copy() for n, p in params.items()}, **state}


def assert_unchanged(before, params, optimizer):
    after = snapshot(params, optimizer)
    assert after.keys() == before.keys()
    for key, array in before.items():
        assert_array_equal(after[key], array)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_by_default_it_warns_and_goes_on(name):
    params, optimizer = started(OPTIMIZERS[name])
    cls = re.escape(type(optimizer).__name__)
    message = (
        f"^{cls}: the gradient of 'b' has 2 NaN and 1 inf in 4 elements, "
        "of 'w' has 0 NaN and 1 inf in 2 elements; the step goes on"
    )
    with pytest.warns(RuntimeWarning, match=message) as caught:
        step(optimizer)
    assert len(caught) == 1
    assert not np.isfinite(params["b"].array).all()
    assert optimizer.skipped == 0


def test_the_warning_points_at_the_line_of_the_step():
    _, optimizer = started(optim.SGD)
    with pytest.warns(RuntimeWarning) as caught:
        optimizer.step()
    assert caught[0].filename == __file__


def test_a_message_names_three_parameters():
    params = {str(i): leaf([1.0]) for i in range(9)}
    optimizer = optim.SGD(params.items())
    for p in params.values():
        p.grad = ag.tensor(np.array([np.nan]))
    with pytest.warns(RuntimeWarning, match="of '2' has 1 NaN and 0 inf in 1 elements, and 6 more are not finite;"):
        optimizer.step()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_raise_changes_nothing(name):
    params, optimizer = started(OPTIMIZERS[name], nonfinite="raise")
    before = snapshot(params, optimizer)
    with pytest.raises(FloatingPointError, match=r"'b' has 2 NaN and 1 inf in 4 .*; nothing was changed"):
        step(optimizer)
    assert_unchanged(before, params, optimizer)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_skip_changes_nothing_and_counts(name):
    params, optimizer = started(OPTIMIZERS[name], nonfinite="skip")
    before = snapshot(params, optimizer)
    for skipped in (1, 2):
        assert step(optimizer) == 1.0
        assert optimizer.skipped == skipped
    assert_unchanged(before, params, optimizer)
    copied = copy.deepcopy(optimizer)
    assert copied.skipped == 2
    for p in params.values():
        p.grad = ag.tensor(np.full(p.shape, 0.5))
    step(optimizer)
    assert optimizer.skipped == 2
    assert all(np.isfinite(p.array).all() for p in params.values())


def test_ignore_says_nothing():
    params, optimizer = started(optim.SGD, nonfinite="ignore")
    step(optimizer)
    assert_array_equal(np.isfinite(params["b"].array), [False, True, False, False])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_gradients_whose_squares_overflow_are_finite(dtype):
    w = leaf(np.zeros(3), dtype)
    w.grad = ag.tensor(np.full(3, np.finfo(dtype).max, dtype))
    optimizer = optim.SGD([w], lr=0.5, nonfinite="raise")
    optimizer.step()
    assert_array_equal(w.array, np.full(3, -0.5 * np.finfo(dtype).max, dtype))


def test_the_policy_can_be_changed_between_steps():
    _, optimizer = started(optim.SGD, nonfinite="skip")
    step(optimizer)
    optimizer.nonfinite = "raise"
    with pytest.raises(FloatingPointError):
        step(optimizer)
    assert optimizer.skipped == 1


# Compiled


def native(function):
    pytest.importorskip("numba")
    return ag.compile(function)


def compiled(way, policy, name="Adam", times=1):
    """A training step of two parameters on two aims; the gradients are not finite where an aim is not."""
    params = {"a": leaf([1.0, 2.0]), "b": leaf([3.0])}
    optimizer = OPTIMIZERS[name](params.items(), nonfinite=policy)

    def train(a, b):
        for _ in range(times):
            optimizer.zero_grad()
            loss = ((params["a"] - a) ** 2).sum() + ((params["b"] - b) ** 2).sum()
            loss.backward()
            optimizer.step()
        return loss

    return params, optimizer, way(train)


GOOD, WRONG = np.array([0.5]), np.array([np.inf])


@pytest.mark.parametrize("way", [Interpreted, native])
def test_recorded_raise(way):
    params, optimizer, train = compiled(way, "raise")
    a = ag.tensor(np.array([1.5, -1.0]))
    for _ in range(3):
        train(a, ag.tensor(GOOD))
    before = snapshot(params, optimizer)
    for _ in range(2):
        with pytest.raises(FloatingPointError, match="Adam: the gradient of 'b' has 0 NaN and 1 inf in 1 elements"):
            train(a, ag.tensor(WRONG))
    assert_unchanged(before, params, optimizer)


@pytest.mark.parametrize(("way", "times"), [(Interpreted, 1), (Interpreted, 2), (native, 2)])
def test_recorded_skip(way, times):
    ours, theirs = compiled(way, "skip", times=times), compiled(lambda train: train, "skip", times=times)
    a = ag.tensor(np.array([1.5, -1.0]))
    for k in range(8):
        for params, optimizer, train in (ours, theirs):
            before = snapshot(params, optimizer)
            train(a, ag.tensor(WRONG if k in (3, 4) else GOOD))
            if k in (3, 4):
                assert_unchanged(before, params, optimizer)
    expected = snapshot(*theirs[:2])
    for key, array in snapshot(*ours[:2]).items():
        np.testing.assert_allclose(array, expected[key], rtol=1e-12)
    assert ours[1].skipped == theirs[1].skipped == 2 * times


@pytest.mark.parametrize("name", STEPWISE)
def test_recorded_skip_of_the_first_step(name):
    """What starts at the value of an option does so, and no state has seen the gradient."""
    ours, theirs = compiled(Interpreted, "skip", name), compiled(lambda train: train, "skip", name)
    a = ag.tensor(np.array([1.5, -1.0]))
    for b in (WRONG, GOOD, GOOD, GOOD):
        for _, _, train in (ours, theirs):
            train(a, ag.tensor(b))
    expected = snapshot(*theirs[:2])
    for key, array in snapshot(*ours[:2]).items():
        np.testing.assert_allclose(array, expected[key], rtol=1e-12, err_msg=str(key))


def test_recorded_it_does_not_warn():
    params, _, train = compiled(Interpreted, "warn")
    train(ag.tensor(np.array([1.5, -1.0])), ag.tensor(WRONG))
    assert not np.isfinite(params["b"].array).any()
