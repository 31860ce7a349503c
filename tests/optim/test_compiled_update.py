"""The update of all parameters as one native call, beside the same rule in NumPy."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_core as ag
from autograd_core import optim
from autograd_core.compiler import cache, step
from autograd_core.optim import optimizer as module

SHAPES = {"w": (20, 30), "b": (20,), "scale": (), "none": (0, 2)}
ROUNDING = {np.float32: 1e-6, np.float64: 1e-12}
STEPS = 6


class SignDescent(optim.Optimizer):
    def __init__(self, params, lr, drift=0.5):
        super().__init__(params, {"lr": lr, "drift": drift})

    @staticmethod
    def rule(param, grad, drift_of_sign=0.0, *, lr, drift):
        sign = drift * drift_of_sign + np.sign(grad)
        return param - lr * sign, {"drift_of_sign": sign}


class Clipped(SignDescent):
    """Its rule asks for a value."""

    @staticmethod
    def rule(param, grad, *, lr, drift):
        if grad.max() > 1:
            grad = grad / grad.max()
        return param - lr * grad, {}


class ForArraysOnly(SignDescent):
    @staticmethod
    def rule(param, grad, *, lr, drift):
        return param - lr * grad.view(np.ndarray), {}


CASES = [
    (optim.SGD, np.float32, {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1, "maximize": True}),
    (optim.SGD, np.float64, {"momentum": 0.9, "nesterov": True}),
    (optim.Adam, np.float32, {}),
    (optim.Adam, np.float64, {"amsgrad": True, "weight_decay": 0.1}),
    (optim.AdamW, np.float32, {"maximize": True, "betas": (0.8, 0.9), "eps": 1e-3}),
    (SignDescent, np.float32, {}),
    (SignDescent, np.float64, {}),
]


@pytest.fixture
def recordings(monkeypatch):
    """Whatever the sizes, updates are compiled; in this list is what was recorded."""
    pytest.importorskip("numba")
    found = []

    def record(function, *args):
        found.append(function)
        return step_record(function, *args)

    step_record = step.record
    monkeypatch.setattr(step, "record", record)
    monkeypatch.setattr(module, "COMPILED_FROM", 0)
    return found


def parameters(dtype=np.float32, shapes=SHAPES):
    rng = np.random.default_rng(7)
    return {n: ag.tensor(rng.normal(size=s).astype(dtype), requires_grad=True, name=n) for n, s in shapes.items()}


def groups(params):
    return [{"params": [params["w"], params["scale"]]}, {"params": [params["b"], params["none"]], "lr": 0.03}]


def advance(params, optimizer, k):
    """The same gradients for the same `k`; in memory of their own each time."""
    rng = np.random.default_rng(k)
    for p in params.values():
        p.grad = ag.tensor((rng.normal(size=p.shape) * 10.0 ** rng.integers(-3, 3)).astype(p.dtype))
    optimizer.step()


def in_numpy(params, optimizer, k):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "COMPILED_FROM", np.inf)
        advance(params, optimizer, k)


def assert_same(ours, mine, theirs, reference):
    for name, p in ours.items():
        q = theirs[name]
        dtype = p.dtype.type
        tolerance = ROUNDING[dtype]
        assert p.dtype == q.dtype
        assert_allclose(p.array, q.array, rtol=tolerance, atol=tolerance, err_msg=name)
        assert {f: v.dtype for f, v in mine.state[p].items()} == {f: v.dtype for f, v in reference.state[q].items()}
        for field, value in mine.state[p].items():
            expected = reference.state[q][field].array
            assert_allclose(value.array, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max(initial=0))


def twins(cls, options, dtype=np.float32):
    ours, theirs = parameters(dtype), parameters(dtype)
    return ours, cls(groups(ours), lr=0.01, **options), theirs, cls(groups(theirs), lr=0.01, **options)


# Equal to the rule in NumPy


@pytest.mark.parametrize(("cls", "dtype", "options"), CASES)
def test_the_same_as_in_numpy_for_many_steps(recordings, cls, dtype, options):
    ours, mine, theirs, reference = twins(cls, options, dtype)
    for k in range(STEPS):
        advance(ours, mine, k)
        in_numpy(theirs, reference, k)
        assert_same(ours, mine, theirs, reference)
    assert 1 <= len(recordings) <= 2  # the first step of some rules has no state to read


def test_options_that_change_are_read_and_nothing_is_recorded_again(recordings):
    ours, mine, theirs, reference = twins(optim.Adam, {})
    for k in range(STEPS):
        for optimizer in (mine, reference):
            optimizer.param_groups[0]["lr"] = ag.tensor(0.1 / (k + 1)) if k > 3 else 0.1 / (k + 1)
            optimizer.param_groups[1]["betas"] = (0.9 - 0.1 * k, 0.99)
        advance(ours, mine, k)
        in_numpy(theirs, reference, k)
    assert_same(ours, mine, theirs, reference)
    assert len(recordings) == 1


def test_what_changes_the_rule_is_recorded_again(recordings):
    ours, mine, theirs, reference = twins(optim.SGD, {})
    late = [parameters(shapes={"late": (4, 3)})["late"] for _ in range(2)]
    for k in range(10):
        for params, optimizer, new in ((ours, mine, late[0]), (theirs, reference, late[1])):
            optimizer.param_groups[0]["maximize"] = k >= 2
            params["b"].requires_grad = k < 4
            if k == 6:
                optimizer.add_param_group({"params": [new]})
                params["late"] = new
            if k == 8:
                params["w"].data = params["w"].array[:10].copy()
        advance(ours, mine, k)
        in_numpy(theirs, reference, k)
        assert_same(ours, mine, theirs, reference)
    assert len(recordings) == 5


def test_parameters_without_gradient_are_left_alone(recordings):
    ours, mine, theirs, reference = twins(SignDescent, {})
    for k in range(STEPS):
        for params, optimizer, run in ((ours, mine, advance), (theirs, reference, in_numpy)):
            some = {n: p for n, p in params.items() if n != "w" or k % 3 == 2}
            optimizer.zero_grad()
            run(some, optimizer, k)
    assert_same(ours, mine, theirs, reference)
    assert len(recordings) == 2


def test_a_model_whose_gradients_come_and_go_is_recorded_a_few_times_only(recordings):
    params = {str(i): ag.tensor(np.ones(2), requires_grad=True) for i in range(20)}
    optimizer = optim.SGD(params.items(), lr=0.5)
    for i in range(20):
        optimizer.zero_grad()
        params[str(i)].grad = ag.tensor(np.ones(2))
        optimizer.step()
    assert all((p.array == 0.5).all() for p in params.values())
    assert len(recordings) == module.SELECTIONS


@pytest.mark.parametrize("kind", ["strided", "float16", "float64 gradient", "broadcast gradient", "tied", "hooked"])
def test_unusual_parameters(recordings, kind):
    def run(way):
        base = np.random.default_rng(5).normal(size=(6, 8)).astype(np.float16 if kind == "float16" else np.float32)
        w, other = ag.tensor(base, requires_grad=True), ag.tensor(base[0], requires_grad=True)
        if kind == "strided":
            w.data = base.T[::2]
        if kind == "tied":
            other.data = w.array
        if kind == "hooked":
            w.register_hook(lambda g: 2 * g)
        optimizer = optim.Adam([w, other], lr=0.1)
        for k in range(3):
            for p in (w, other):
                g = np.random.default_rng(k).normal(size=p.shape).astype(p.dtype)
                if kind == "broadcast gradient":
                    g = np.broadcast_to(g[..., :1], p.shape)
                p.grad = ag.tensor(g, dtype=np.float64 if kind == "float64 gradient" else None)
            way(optimizer)
        return w.array, other.array, *(v.array for p in (w, other) for v in optimizer.state[p].values())

    def numpy_step(optimizer):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "COMPILED_FROM", np.inf)
            optimizer.step()

    tolerance = 2e-3 if kind == "float16" else 1e-6
    for ours, theirs in zip(run(optim.Optimizer.step), run(numpy_step), strict=True):
        assert ours.dtype == theirs.dtype
        assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("whose", ["its own", "another's"])
def test_a_gradient_that_is_the_memory_of_a_parameter(recordings, whose):
    results = []
    for way in (advance, in_numpy):
        params = parameters(np.float64, {"a": (50,), "b": (50,)})
        optimizer = optim.SGD(params.values(), lr=0.1)
        for k in range(3):
            way(params, optimizer, k)
        limit = 0 if way is advance else np.inf
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "COMPILED_FROM", limit)
            params["a"].grad = ag.tensor(np.ones(50))
            params["b"].grad = params["b" if whose == "its own" else "a"].detach()
            for _ in range(2):
                optimizer.step()
        results.append([p.array for p in params.values()])
    for ours, theirs in zip(*results, strict=True):
        assert_allclose(ours, theirs, rtol=1e-12)


# Saving and copies


def test_saved_and_restored_and_deep_copied(recordings):
    ours, mine, theirs, reference = twins(optim.Adam, {})
    for k in range(STEPS):
        if k == 2:
            saved = mine.state_dict()
            ours = {n: ag.tensor(p.array, requires_grad=True, name=n) for n, p in ours.items()}
            mine = optim.Adam(groups(ours), lr=5.0)
            mine.load_state_dict(saved)
        if k == 3:
            mine.load_state_dict(mine.state_dict())
        if k == 4:
            ours, mine = copy.deepcopy((ours, mine))
        advance(ours, mine, k)
        in_numpy(theirs, reference, k)
        assert_same(ours, mine, theirs, reference)


# When it is not compiled


def test_little_to_update_is_not_compiled(recordings, monkeypatch):
    monkeypatch.setattr(module, "COMPILED_FROM", 2 * 3 * 4)
    for rows, expected in ((1, 0), (2, 1)):
        params = parameters(shapes={"a": (rows, 3), "b": (rows * 9,)})
        advance(params, optim.SGD(params.values(), lr=0.1), 0)
        assert len(recordings) == expected


@pytest.mark.parametrize("cls", [Clipped, ForArraysOnly])
def test_a_rule_that_cannot_be_compiled_runs_in_numpy_and_is_tried_once(recordings, cls):
    ours, mine, theirs, reference = twins(cls, {})
    for pair in ((ours, mine), (theirs, reference)):
        pair[0]["none"].requires_grad = False  # it has no maximum
    for k in range(STEPS):
        advance(ours, mine, k)
        in_numpy(theirs, reference, k)
    for name, p in ours.items():
        assert_array_equal(p.array, theirs[name].array)
    assert len(recordings) == 1


def test_without_numba_it_runs_in_numpy_and_says_nothing(monkeypatch):
    def missing():
        raise ModuleNotFoundError("No module named 'llvmlite'", name="llvmlite")

    monkeypatch.setattr(cache, "environment", missing)
    monkeypatch.setattr(module, "COMPILED_FROM", 0)
    ours, mine, theirs, reference = twins(optim.Adam, {})
    for k in range(STEPS):
        advance(ours, mine, k)
        in_numpy(theirs, reference, k)
    for name, p in ours.items():
        assert_array_equal(p.array, theirs[name].array)


def test_where_operations_are_listened_to_the_rule_runs_in_numpy(recordings):
    params = parameters()
    optimizer = optim.SGD(params.values(), lr=0.1)
    with ag.detect_anomaly():
        advance(params, optimizer, 0)
    assert not recordings


def test_a_compiled_training_step_holds_the_update_itself(recordings):
    w = ag.tensor(np.ones(4), requires_grad=True)
    optimizer = optim.SGD([w], lr=0.25)

    @ag.compile
    def train(x):
        optimizer.zero_grad()
        loss = (w * x).sum()
        loss.backward()
        optimizer.step()
        return loss

    assert [train(ag.tensor(np.ones(4))).item() for _ in range(3)] == [4.0, 3.0, 2.0]
    assert recordings == [train.function]


# Errors


def test_an_error_changes_nothing(recordings):
    params = parameters()
    optimizer = optim.SGD(params.values())
    advance(params, optimizer, 0)
    before = {n: p.array.copy() for n, p in params.items()}
    for p in params.values():
        p.grad = ag.tensor(np.ones(p.shape, np.float32))
    params["b"].grad = ag.tensor(np.ones(3, np.float32))
    with pytest.raises(ValueError, match=r"'b' of shape \(20,\) has a gradient of shape \(3,\)"):
        optimizer.step()
    for name, array in before.items():
        assert_array_equal(params[name].array, array)


def test_a_step_between_forward_and_backward_is_refused(recordings):
    w = ag.tensor(np.ones(4), requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)
    for _ in range(3):
        loss = (w * w).sum()
        loss.backward(retain_graph=True)
        optimizer.step()
        with pytest.raises(RuntimeError, match=r"mul .* saved .* changed it in place"):
            loss.backward()


def test_infinities_and_nans_show_in_the_parameter(recordings):
    params = parameters(shapes={"w": (3,)})
    optimizer = optim.Adam(params.values(), nonfinite="ignore")
    for g in (1.0, 1e38, np.inf, np.nan):
        params["w"].grad = ag.tensor(np.array([g, 1.0, 0.0], np.float32))
        optimizer.step()
    assert_array_equal(np.isfinite(params["w"].array), [False, True, True])
