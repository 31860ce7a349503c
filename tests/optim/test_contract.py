"""What is promised of every optimizer, for all of them."""

import inspect
import json

import numpy as np
import pytest
from interpreted import Interpreted
from numpy.testing import assert_allclose, assert_array_equal
from optimizers import OPTIMIZERS

import autograd_core as ag
from autograd_core import optim
from autograd_core.optim.optimizer import number

STEPWISE = [name for name in OPTIMIZERS if not name.startswith("LBFGS")]
"""Those whose step is a rule on each parameter and its gradient."""
SHAPES = {"w": (4, 3), "b": (3,), "scale": (), "none": (0, 2)}


def leaf(values, dtype=np.float64, name=None):
    return ag.tensor(np.asarray(values, dtype), requires_grad=True, name=name)


def leaves(dtype=np.float64, names=SHAPES):
    rng = np.random.default_rng(7)
    return {name: leaf(rng.normal(size=SHAPES[name]), dtype, name) for name in names}


def bowl(w, target):
    return ((w - target) ** 2 * np.array([1.0, 3.0], w.dtype)).sum()


def minimize(optimizer, loss, steps):
    """Steps with a closure, which all optimizers take."""

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    for _ in range(steps):
        optimizer.step(closure)


def advance(optimizer, params, k):
    """A step with the same gradients for the same `k`."""
    rng = np.random.default_rng(k)
    for p in params.values():
        p.grad = ag.tensor(rng.normal(size=p.shape).astype(p.dtype))
    if isinstance(optimizer, optim.LBFGS):
        optimizer.step(lambda: sum((p.detach() ** 2).sum() for p in params.values()))
    else:
        optimizer.step()


def test_every_optimizer_is_in_the_table():
    classes = {
        name
        for name in optim.__all__
        if inspect.isclass(getattr(optim, name)) and issubclass(getattr(optim, name), optim.Optimizer)
    }
    assert classes - {"Optimizer"} == {name.partition("-")[0] for name in OPTIMIZERS}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_reaches_the_minimum_of_a_convex_quadratic(name):
    w = leaf([4.0, -3.0])
    target = np.array([1.0, 2.0])
    minimize(OPTIMIZERS[name]([w]), lambda: bowl(w, target), 800)
    assert_allclose(w.array, target, atol=2e-2)


@pytest.mark.parametrize("name", STEPWISE)
def test_maximize_climbs(name):
    w = leaf([4.0, -3.0])
    before = bowl(w, 0.0).item()
    minimize(OPTIMIZERS[name]([w], maximize=True), lambda: bowl(w, 0.0), 5)
    assert bowl(w, 0.0).item() > before


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_keeps_the_dtype_works_in_place_and_has_no_history(name, dtype):
    params = leaves(dtype)
    arrays = {n: p.array for n, p in params.items()}
    before = {n: a.copy() for n, a in arrays.items()}
    optimizer = OPTIMIZERS[name](params.items())
    for k in range(3):
        advance(optimizer, params, k)
    for n, p in params.items():
        assert p.array is arrays[n]
        assert p.dtype == dtype
        assert p.shape == SHAPES[n]
        assert p.is_leaf
        assert p.requires_grad
        assert np.isfinite(p.array).all()
        assert p.array.size == 0 or (p.array != before[n]).any()
        assert_array_equal(p.grad.array, gradient_of(params, n, 2))
    for state in optimizer.state.values():
        for field, value in state.items():
            assert value.dtype == (np.float64 if field in optimizer.numbers else dtype)
            assert not value.requires_grad


def gradient_of(params, name, k):
    rng = np.random.default_rng(k)
    found = {n: rng.normal(size=p.shape).astype(p.dtype) for n, p in params.items()}
    return found[name]


@pytest.mark.parametrize("name", STEPWISE)
def test_a_numpy_learning_rate_does_not_widen(name):
    w = leaf([4.0, -3.0], np.float32)
    seen, make = [], OPTIMIZERS[name]
    rule = type(make([w])).rule

    def spy(*args, **options):
        param, state = rule(*args, **options)
        seen.extend(v.dtype for v in (param, *state.values()) if isinstance(v, (np.ndarray, np.generic)))
        return param, state

    optimizer = make([w], lr=np.float64(0.1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(optimizer), "rule", staticmethod(spy))
        patch.setattr(type(optimizer), "_fields", lambda self: {})
        for rate in (np.float64(0.2), ag.tensor(0.3), 0.1):
            w.grad = ag.tensor([1.0, 1.0])
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
    assert set(seen) == {np.dtype("float32")}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_is_deterministic_and_its_state_round_trips_exactly_through_files(name):
    def run(restore_at=None):
        params = leaves(np.float32)
        optimizer = OPTIMIZERS[name](params.items())
        for k in range(8):
            if k == restore_at:
                saved = optimizer.state_dict()
                options = json.loads(json.dumps(saved["param_groups"]))
                arrays = {n: {f: v.array.copy() for f, v in fields.items()} for n, fields in saved["state"].items()}
                params = {n: leaf(p.array, np.float32) for n, p in params.items()}
                optimizer = OPTIMIZERS[name](params.items(), lr=77.0)
                optimizer.load_state_dict({"state": arrays, "param_groups": options})
            advance(optimizer, params, k)
        return params, optimizer

    first, again, restored = run(), run(), run(restore_at=4)
    for params, optimizer in (again, restored):
        for n, p in first[0].items():
            assert_array_equal(params[n].array, p.array)
            assert optimizer.state[params[n]].keys() == first[1].state[p].keys()
            for field, value in first[1].state[p].items():
                assert_array_equal(optimizer.state[params[n]][field].array, value.array)


@pytest.mark.parametrize("name", STEPWISE)
def test_parameters_without_gradient_are_left_alone(name):
    used, unused, frozen = leaf([1.0]), leaf([2.0]), leaf([3.0])
    optimizer = OPTIMIZERS[name]([used, unused, frozen])
    used.grad = frozen.grad = ag.tensor(np.ones(1))
    frozen.requires_grad = False
    optimizer.step()
    assert used.item() != 1.0
    assert (unused.item(), frozen.item()) == (2.0, 3.0)
    assert set(optimizer.state) == {used}


@pytest.mark.parametrize("name", STEPWISE)
def test_rules_are_pure_and_the_same_on_arrays_and_tensors(name, rng):
    optimizer = OPTIMIZERS[name]([leaf(1.0)])
    rule, options = type(optimizer).rule, {key: number(value) for key, value in optimizer.defaults.items()}
    param, state, on_tensors = rng.normal(size=(3, 2)), {}, {}
    for _ in range(3):
        grad = rng.normal(size=(3, 2))
        given = [param, grad, *(v for v in state.values() if isinstance(v, np.ndarray))]
        copies = [a.copy() for a in given]
        after, state = rule(param, grad, **state, **options)
        tensor_after, on_tensors = rule(ag.tensor(param), ag.tensor(grad), **on_tensors, **options)
        for array, copy in zip(given, copies, strict=True):
            assert_array_equal(array, copy)
        assert isinstance(tensor_after, ag.Tensor)
        assert_allclose(tensor_after.array, after, rtol=1e-13)
        assert list(state) == list(on_tensors)
        for field, value in state.items():
            assert_allclose(getattr(on_tensors[field], "array", on_tensors[field]), value, rtol=1e-13)
        param = after


# Compiled


def groups(params):
    pairs = list(params.items())
    return [{"params": pairs[:1]}, {"params": pairs[1:], "lr": 0.03}]


def trained(name, way, policy, dtype=np.float64, names=SHAPES):
    """Parameters, optimizer and way, after steps in which the learning rate changes and gradients are not finite."""
    params = leaves(dtype, names)
    optimizer = OPTIMIZERS[name](groups(params), nonfinite=policy)

    def train(*aims):
        optimizer.zero_grad()
        loss = sum(((p - aim) ** 2).sum() for p, aim in zip(params.values(), aims, strict=True))
        loss.backward()
        optimizer.step()
        return loss

    train = way(train)
    for k in range(7):
        rng = np.random.default_rng(k)
        aims = [rng.normal(size=p.shape).astype(dtype) for p in params.values()]
        if policy == "skip" and k in (0, 3):
            aims[1][2] = np.nan if k else np.inf
        optimizer.param_groups[0]["lr"] = 0.02 if k < 5 else 0.01
        train(*map(ag.tensor, aims))
    return params, optimizer, train


def assert_same(ours, theirs, tolerance):
    (params, mine, _), (others, reference, _) = ours, theirs
    for n, p in params.items():
        assert p.dtype == others[n].dtype
        assert_allclose(p.array, others[n].array, rtol=tolerance, atol=tolerance, err_msg=n)
        expected = reference.state[others[n]]
        assert mine.state[p].keys() == expected.keys()
        for field, value in mine.state[p].items():
            assert (value.shape, value.dtype) == (expected[field].shape, expected[field].dtype)
            assert_allclose(value.array, expected[field].array, rtol=tolerance, atol=tolerance, err_msg=f"{n} {field}")
    assert mine.skipped == reference.skipped


@pytest.mark.parametrize("policy", ["warn", "raise", "skip"])
@pytest.mark.parametrize("name", STEPWISE)
def test_recorded_the_same(name, policy):
    found = trained(name, Interpreted, policy)
    assert_same(found, trained(name, lambda train: train, policy), 1e-12)
    assert len(found[2].runs) <= 2  # the first step of some rules has no state to read


@pytest.mark.parametrize(
    ("name", "policy", "dtype", "tolerance"),
    [
        ("ASGD-averaging", "skip", np.float32, 1e-5),
        ("RAdam", "warn", np.float32, 1e-5),
        ("Adafactor", "raise", np.float64, 1e-12),
    ],
)
def test_compiled_the_same(name, policy, dtype, tolerance):
    pytest.importorskip("numba")
    found, expected = (trained(name, way, policy, dtype, ["w", "b"]) for way in (ag.compile, lambda train: train))
    assert_same(found, expected, tolerance)


@pytest.mark.parametrize("name", ["Adagrad", "Rprop", "Lion"])
def test_large_parameters_are_compiled_by_the_step_itself(name):
    pytest.importorskip("numba")
    params, others = ({"w": leaf(np.ones((100, 120)), np.float32)} for _ in range(2))
    optimizer, reference = OPTIMIZERS[name](params.items()), OPTIMIZERS[name](others.items())
    for k in range(4):
        advance(optimizer, params, k)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(optim.optimizer, "COMPILED_FROM", np.inf)
            advance(reference, others, k)
    assert optimizer._compiled[("w",)] is not None
    assert not reference._compiled
    assert_allclose(params["w"].array, others["w"].array, rtol=1e-5, atol=1e-6)
