"""Which recording fits a call, and how many there are."""

import numpy as np
import pytest
from python_step import in_python

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.compiler import step as stepping

pytest.importorskip("numba")


@pytest.fixture(autouse=True)
def _as_python():
    with in_python():
        yield


def recordings(step):
    return sum(map(len, step._runs.values()))


class Calls:
    """Counts how often the function itself runs."""

    def __init__(self, function):
        self.count = 0

        def counted(*args, **kwargs):
            self.count += 1
            return function(*args, **kwargs)

        self.step = ag.compile(counted)

    def __call__(self, *args, **kwargs):
        return self.step(*args, **kwargs)


def test_one_recording_for_one_signature():
    calls = Calls(lambda x: x * 2)
    for k in range(5):
        np.testing.assert_array_equal(calls(ag.full((3,), float(k))).array, np.full(3, 2.0 * k))
    assert calls.count == recordings(calls.step) == 1


@pytest.mark.parametrize(
    "other",
    [
        ag.ones(4),
        ag.ones(3, 1),
        ag.ones(3, dtype=ag.float64),
        ag.ones(3, dtype=ag.int64),
        ag.ones(3, requires_grad=True),
        np.ones(3, "float32"),
        1.0,
        (ag.ones(3),),
    ],
    ids=lambda x: repr(type(x)),
)
def test_what_makes_another_recording(other):
    calls = Calls(lambda x: x[0] if isinstance(x, tuple) else x)
    usual = ag.ones(3)
    for _ in range(2):
        calls(usual)
        calls(other)
    assert calls.count == 2


def test_numbers_are_told_apart_by_type_and_sign():
    seen = []
    calls = Calls(lambda x, n: seen.append(repr(n)) or x)
    x = ag.ones(1)
    for n in (1, 1.0, True, 0.0, -0.0, float("nan"), float("nan"), 1):
        calls(x, n)
    assert seen == ["1", "1.0", "True", "0.0", "-0.0", "nan"]


def test_the_default_dtype_is_part_of_it():
    calls = Calls(lambda x: x + ag.zeros(2))
    x = ag.ones(2)
    for dtype in (ag.float64, ag.float32, ag.float64):
        before = ag.get_default_dtype()
        ag.set_default_dtype(dtype)
        try:
            assert calls(x).dtype == dtype
        finally:
            ag.set_default_dtype(before)
    assert calls.count == 2


def test_old_recordings_are_forgotten(monkeypatch):
    monkeypatch.setattr(stepping, "RECORDINGS", 4)
    calls = Calls(lambda x: x * 2)
    for n in range(1, 8):
        calls(ag.ones(n))
    assert recordings(calls.step) == 4
    calls(ag.ones(7))
    assert calls.count == 7
    calls(ag.ones(1))
    assert calls.count == 8


def test_modules_are_looked_at():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    calls = Calls(lambda x: model(x))
    x = ag.ones(2, 3)

    def once_more(count):
        for _ in range(2):
            np.testing.assert_allclose(calls(x).array, model(x).array, rtol=1e-6)
        assert calls.count == count

    once_more(1)
    model.eval()
    once_more(2)
    model.train()
    once_more(2)
    handle = model[0].register_forward_hook(lambda module, inputs, out: out * 2)
    once_more(3)
    handle.remove()
    np.testing.assert_allclose(calls(x).array, model(x).array, rtol=1e-6)
    model[0].weight = nn.Parameter(ag.ones(3, 3))
    once_more(calls.count + 1)
    model[0].bias = None
    once_more(calls.count + 1)


def test_gradients_that_exist_or_not():
    """Whether there is one to add to is looked at; what is in it is read."""
    w = ag.ones(2, requires_grad=True)
    calls = Calls(lambda x: (w * x).sum().backward())
    x = ag.tensor([1.0, 2.0])
    for expected in ([1, 2], [2, 4], [3, 6], [4, 8]):
        calls(x)
        np.testing.assert_array_equal(w.grad.array, expected)
    w.grad = None
    calls(x)
    np.testing.assert_array_equal(w.grad.array, [1, 2])
    w.grad.zero_()
    calls(x)
    np.testing.assert_array_equal(w.grad.array, [1, 2])


def test_optimizers_are_looked_at():
    w, v = ag.ones(2, requires_grad=True), ag.ones(2, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)

    def step():
        optimizer.zero_grad()
        v.grad = None
        (w.sum() + (v * v).sum()).backward()
        optimizer.step()

    calls = Calls(step)
    calls(), calls()
    assert calls.count == 1
    optimizer.param_groups[0]["lr"] = 0.25
    calls()
    np.testing.assert_array_equal(w.array, [-0.25, -0.25])
    optimizer.add_param_group({"params": [v], "lr": 1.0})
    before = v.array.copy()
    calls()
    np.testing.assert_array_equal(v.array, -before)
    count = calls.count
    calls()
    np.testing.assert_array_equal(v.array, before)
    assert calls.count == count
    optimizer.param_groups[0]["maximize"] = True
    calls()
    assert calls.count == count + 1


def test_leaves_of_arguments_are_themselves_again():
    def function(x, pair):
        return pair[1], {"x": x}, x * 1

    step = ag.compile(function)
    x, a, b = ag.ones(2), ag.ones(3), ag.ones(4)
    for _ in range(2):
        found = step(x, (a, b))
        assert found[0] is b
        assert found[1]["x"] is x
        assert found[2] is not x


def test_arrays_come_back_as_tensors_or_arrays_alike():
    def function(x):
        return x, ag.as_tensor(x) * 2

    expected = function(np.ones(2))
    step = ag.compile(function)
    for _ in range(2):
        found = step(np.ones(2))
        assert isinstance(found[1], type(expected[1]))
        np.testing.assert_array_equal(np.asarray(found[0]), np.ones(2))
