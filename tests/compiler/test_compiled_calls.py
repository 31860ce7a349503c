"""What may differ from call to call of a compiled function: arguments, modes, options, state, and who calls."""

import threading
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
from python_step import in_python
from twins import Twins, assert_alike, seen, state

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.compiler import native

F = nn.functional

pytest.importorskip("numba")


def classifier():
    model = nn.MLP([4, 6, 3])
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    def step(x, y):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step, model, optimizer


@pytest.fixture
def batch(rng):
    def made(n):
        return ag.tensor(rng.normal(size=(n, 4)).astype("float32")), ag.tensor(rng.integers(0, 3, n))

    return made


@pytest.fixture(params=[True, False], ids=["natively", "as python"])
def both(request):
    return Twins(classifier, natively=request.param)


# Arguments


def test_another_batch_size_uses_the_same_code(batch, monkeypatch):
    built = []
    build = native._build
    monkeypatch.setattr(native, "_build", lambda asked: built.append(asked["source"]) or build(asked))
    both = Twins(classifier)
    sources = []
    for n in (8, 8, 8, 5, 5, 8, 3, 3, 5):
        both(*batch(n))
        sources.append(both.step.source())
    assert both.recordings == 3
    assert len(set(sources)) == 1
    assert len(built) <= 1  # none, if another test has built it


@pytest.mark.filterwarnings("ignore:mean")
def test_a_batch_of_one_and_an_empty_batch(batch, both):
    for n in (1, 1, 4, 4, 1):
        both(*batch(n))
    assert both.recordings == 2
    empty = Twins(classifier, natively=both.natively)
    for n in (0, 0, 2, 2, 0):
        empty(*batch(n))


def test_other_layouts(batch, both):
    x, y = batch(6)
    for given in (
        x.array.copy("F"),
        np.repeat(x.array, 2, axis=1)[:, ::2],
        x.array[::-1],
        np.broadcast_to(x.array[:1], (6, 4)),
        np.concatenate([x.array, x.array])[3:9],
    ):
        both(ag.from_numpy(given), y)
        both(ag.from_numpy(given), y)
    read_only = x.array.copy()
    read_only.flags.writeable = False
    both(ag.from_numpy(read_only), y)
    assert both.recordings == 1
    np.testing.assert_array_equal(read_only, x.array)


def test_unaligned_memory(batch, both):
    """Elements that do not begin at a multiple of their size."""
    x, y = batch(6)
    memory = np.zeros(x.array.nbytes + 1, np.uint8)
    shifted = np.ndarray((6, 4), "float32", memory, 1)
    shifted[...] = x.array
    both(x, y)
    both(ag.from_numpy(shifted), y)


def test_arrays_as_arguments(batch):
    def make():
        w = ag.ones(4, requires_grad=True)

        def step(x, scale):
            loss = (ag.tanh(ag.as_tensor(x) @ w) * scale).sum()
            w.grad = None
            loss.backward()
            return loss

        return step, w

    both = Twins(make)
    x, _ = batch(3)
    for scale in (2.0, 2.0, 3.0, 2.0):
        both(x.array, scale)
    assert both.recordings == 2  # numbers are fixed
    both(x, 2.0)
    assert both.recordings == 3  # a tensor is no array


Point = namedtuple("Point", ["x", "y"])


@dataclass
class Batch:
    inputs: object
    scale: float


def test_containers(batch):
    def make():
        def function(first, *rest, options, flag=False):
            x = first["x"] + first["more"][0].y
            for other in rest:
                x = x * other.inputs * other.scale
            x = -x if flag else x
            return {"sum": x.sum(), "parts": ag.relu(x)} if options[1] == "dict" else (x, x.sum())

        return function

    def call(x, flag, kind, scale):
        both({"x": x, "more": [Point(1, x)]}, Batch(x, scale), options=(x, kind), flag=flag)

    both = Twins(make, natively=False)
    x, _ = batch(2)
    for _ in range(2):
        call(x, True, "dict", 2.0)
        call(x, False, "dict", 2.0)
        call(x, False, "tuple", 2.0)
        call(x, False, "tuple", 0.5)
    assert both.recordings == 4


def test_by_position_and_by_name(batch):
    x, _ = batch(2)
    with in_python():
        f = ag.compile(lambda x, y: x - 2 * y)
        for _ in range(2):
            np.testing.assert_array_equal(f(x, y=x).array, -x.array)
            np.testing.assert_array_equal(f(y=x, x=x).array, -x.array)
            np.testing.assert_array_equal(f(x, x).array, -x.array)


def test_the_same_argument_twice(batch, both):
    """One array for two arguments, which the code is told never overlap."""
    x, _ = batch(3)

    def make():
        def function(x, y):
            return x * 2 + y, (x @ y.T).sum()

        return function

    same = Twins(make, natively=both.natively)
    for _ in range(3):
        same(x, x)
    same(x, x + 1)


def test_overlapping_arguments(rng):
    memory = rng.normal(size=20).astype("float32")

    def make():
        def function(x, y):
            return x * y + x, y - x

        return function

    both = Twins(make)
    for k in (0, 5, 1, 3):
        both(ag.from_numpy(memory[:10]), ag.from_numpy(memory[k : k + 10]))


def test_an_argument_that_is_also_captured(batch):
    """``step(model.weight)``, at once and after other arguments."""

    def make():
        model = nn.Linear(4, 2)
        optimizer = optim.SGD(model.parameters(), lr=0.01)

        def step(x, w):
            loss = (model(x) ** 2).sum() + (w**2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return step, model, optimizer

    x, _ = batch(3)
    for order in ([True, True, True], [False, False, True, True, False]):
        both = Twins(make)
        for itself in order:
            if not itself:
                both(x, ag.ones(2, 4, requires_grad=True))
                continue
            expected = both.eager[0](x, both.eager[1].weight)
            found = both.step(x, both.compiled[1].weight)
            np.testing.assert_allclose(found.array, expected.array, rtol=1e-5)
            assert_alike(state(*both.eager[1:]), state(*both.compiled[1:]), 1e-5, 1e-6)


def test_an_argument_that_shares_memory_with_what_is_changed(batch):
    """An argument is a view of a buffer that the function changes; then of something else."""

    def make():
        total = ag.zeros(4)

        def step(x):
            total.add_(x * 2)
            return x + 1, total * 1

        return step, total

    x, _ = batch(1)
    both = Twins(make)
    for itself in (False, False, True, True, False):
        results = []
        for function, total in (both.eager, (both.step, both.compiled[1])):
            results.append(seen(function(ag.from_numpy(total.array[:]) if itself else x[0])))
        for a, b in zip(*results, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-6)


def test_gradients_of_arguments(batch):
    def function(x):
        y = (ag.sin(x) ** 2).sum()
        y.backward()
        return y

    with in_python():
        f = ag.compile(function)
        a, b = (batch(2)[0] for _ in range(2))
        for x in (a, b, a):
            twin = ag.tensor(x.array, requires_grad=True)
            x.requires_grad_()
            if x.grad is not None:
                twin.grad = ag.tensor(x.grad.array)
            function(twin)
            f(x)
            np.testing.assert_allclose(x.grad.array, twin.grad.array, rtol=1e-5)
        assert a.grad is not b.grad
        assert not np.shares_memory(a.grad.array, b.grad.array)


# State


def test_modes_and_flags(batch, both):
    x, y = batch(4)
    for _ in range(2):
        both(x, y)
        both.each(lambda step, model, optimizer: next(iter(model.parameters())).requires_grad_(False))
        both(x, y)
        both(x, y)
        both.each(lambda step, model, optimizer: next(iter(model.parameters())).requires_grad_(True))
        both(x, y)
    assert both.recordings >= 2


def test_no_grad_is_another_signature(batch):
    model = nn.MLP([4, 3])
    x, _ = batch(2)
    with in_python():
        f = ag.compile(lambda x: model(x))
        for _ in range(2):
            np.testing.assert_allclose(f(x).array, model(x).array, rtol=1e-6)
            with ag.no_grad():
                np.testing.assert_allclose(f(x).array, model(x).array, rtol=1e-6)
            assert not f(x).requires_grad
    assert len(f._runs) == 2


def test_options_of_the_optimizer(batch, both):
    x, y = batch(4)
    changes = [
        {"lr": 0.1},
        {"betas": (0.5, 0.7)},
        {"eps": 1e-3},
        {"weight_decay": 0.1},
        {"weight_decay": 0.0},
        {"amsgrad": True},
        {"lr": np.float32(0.25)},
        {"lr": ag.tensor(0.125)},
        {"maximize": True},
    ]
    both(x, y)
    both(x, y)
    for change in changes:
        both.each(lambda step, model, optimizer, change=change: optimizer.param_groups[0].update(change))
        both(x, y)
        both(x, y)


def test_a_learning_rate_that_is_a_tensor(batch):
    """The same object, with another value."""
    x, y = batch(4)
    both = Twins(classifier, natively=False)
    both.each(lambda step, model, optimizer: optimizer.param_groups[0].update(lr=ag.tensor(0.1)))
    for _ in range(3):
        both(x, y)
        both.each(lambda step, model, optimizer: optimizer.param_groups[0]["lr"].mul_(0.5))


def test_loaded_states(batch, both):
    x, y = batch(4)
    both(x, y)
    both(x, y)
    saved = [(model.state_dict(), optimizer.state_dict()) for _, model, optimizer in (both.eager, both.compiled)]
    both(x, y)
    for (_, model, optimizer), (weights, remembered) in zip((both.eager, both.compiled), saved, strict=True):
        model.load_state_dict(weights)
        optimizer.load_state_dict(remembered)
    both(x, y)
    both(x, y)


def test_weights_that_are_other_arrays(batch, both):
    x, y = batch(4)
    both(x, y)
    both(x, y)

    def contiguous(step, model, optimizer):
        for p in model.parameters():
            p.data = ag.tensor(p.array * 0.5)

    def strided(step, model, optimizer):
        for p in model.parameters():
            p.data = ag.from_numpy(np.repeat(p.array, 2, axis=-1)[..., ::2])

    for change in (contiguous, strided, contiguous):
        both.each(change)
        both(x, y)
        both(x, y)
    assert both.recordings == 1


def test_parameters_that_are_strided(batch):
    """Parts of arrays, transposed and with gaps: what is between stays as it is."""

    def make():
        memory = np.linspace(-1, 1, 24, dtype="float32").reshape(4, 6)
        gaps = np.linspace(-1, 1, 6, dtype="float32")
        w = ag.from_numpy(memory[:3, 1:5].T).requires_grad_()
        b = ag.from_numpy(gaps[::2]).requires_grad_()
        optimizer = optim.Adam([w, b], lr=0.1)

        def step(x, y):
            loss = F.cross_entropy(x @ w + b, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return step, w, b, ag.from_numpy(memory), ag.from_numpy(gaps)

    both = Twins(make)
    for _ in range(3):
        both(*batch(4))


def test_gradients_from_outside(batch, both):
    """What stands in ``grad`` before the call, with set_to_none=False and without zero_grad."""

    def make():
        model = nn.Linear(4, 3)

        def step(x, y):
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            return loss

        return step, model

    added = Twins(make, natively=both.natively)
    x, y = batch(3)
    for _ in range(3):
        added(x, y)
    added.each(lambda step, model: [setattr(p, "grad", ag.ones(*p.shape)) for p in model.parameters()])
    for _ in range(2):
        added(x, y)
    added.each(lambda step, model: model.zero_grad())
    for _ in range(2):
        added(x, y)


def test_a_gradient_kept_by_the_caller_is_not_added_to_twice(batch):
    """Eager and compiled steps in turn, on one model."""
    both = Twins(classifier, natively=False)
    step = both.compiled[0]
    x, y = batch(3)
    both(x, y)
    both(x, y)
    both.eager[0](x, y)
    step(x, y)  # eagerly
    both(x, y)


def test_two_compiled_functions_on_one_model(batch):
    """Training and evaluation in turn, and a second trainer."""
    x, y = batch(5)

    def make():
        step, model, optimizer = classifier()
        return step, model, optimizer

    eager, others = (ag.manual_seed(0) and make() for _ in range(2))
    with in_python():
        train, again = ag.compile(others[0]), ag.compile(others[0])
        evaluate = ag.compile(lambda x: others[1](x))
        for k in range(6):
            eager[0](x, y)
            (train, again)[k % 2](x, y)
            np.testing.assert_allclose(evaluate(x).array, eager[1](x).detach().array, rtol=1e-4, atol=1e-6)


# Results


def test_results_are_ones_own(batch):
    """A later call does not change them, nor do they change anything."""
    x, _ = batch(3)
    state = ag.zeros(3, 4)

    def function(x):
        state.add_(1)
        return x, x * 2, state, state.T, x[0], ag.ones(2), x.reshape(-1), state * 1

    with in_python():
        f = ag.compile(function)
        f(x)
        first = f(x)
        copies = [t.array.copy() for t in first]
        second = f(x)
        assert first[0] is x
        assert first[2] is second[2] is state
        for k in (1, 3, 4, 5, 6, 7):
            np.testing.assert_array_equal(first[k].array, copies[k])
            for other in (x, state, *(second[j] for j in (1, 3, 4, 5, 6, 7))):
                assert not np.shares_memory(first[k].array, other.array)
        np.testing.assert_array_equal(second[3].array, state.array.T)


def test_results_that_are_no_tensors(batch):
    x, _ = batch(3)
    with in_python():
        f = ag.compile(lambda x: {"name": "loss", "value": x.sum(), "nothing": None, "pair": (1, 2.5)})
        f(x)
        found = f(x)
    assert found.pop("value").array == pytest.approx(x.array.sum(), rel=1e-5)
    assert found == {"name": "loss", "nothing": None, "pair": (1, 2.5)}
    with in_python():
        g = ag.compile(lambda x: None)
        assert g(x) is g(x) is None


def test_a_function_without_arguments_or_work():
    counter = ag.zeros(())
    with in_python():
        f = ag.compile(lambda: counter.add_(1))
        for _ in range(4):
            f()
        g = ag.compile(lambda: None)
        g(), g()
        h = ag.compile(lambda x: x)
        x = ag.ones(2)
        assert h(x) is h(x) is x
    assert counter.item() == 4


# What there is to see


def test_what_is_shown(batch):
    @ag.compile
    def step(x):
        """Twice the positive part."""
        return ag.relu(x) * 2

    assert step.__name__ == "step"
    assert step.__doc__ == "Twice the positive part."
    for asked in (step.program, step.source, step.report):
        with pytest.raises(RuntimeError, match="step was not called yet"):
            asked()
    x, _ = batch(3)
    with in_python():
        step(x)
    assert "relu(%0)" in step.program(optimized=False)
    assert step.program().count("float32[3, 4]") == 3
    assert "@kernel" in step.source()
    assert "test_compiled_calls.py" in step.source()
    report = step.report()
    assert report.loops == [("loop_0", 1, ["relu", "mul"])]
    assert report.instructions == (2, 2)
    assert report.in_python == []
    assert "1 fused loops" in str(report)


def test_the_report_names_what_runs_in_python(batch):
    x, _ = batch(4)
    with in_python():
        f = ag.compile(lambda x: ag.linalg.inv(x) + 1)
        f(x)
    ((name, line, reason),) = f.report().in_python
    assert name == "inv"
    assert "test_compiled_calls.py" in line
    assert reason in str(f.report())


def test_a_wrong_thing_to_compile():
    with pytest.raises(TypeError, match="expected a function, got int"):
        ag.compile(3)


def test_methods_and_parentheses(batch):
    class Trainer:
        def __init__(self, scale):
            self.w = ag.ones(4, requires_grad=True)
            self.scale = scale

        @ag.compile
        def loss(self, x):
            return (x @ self.w * self.scale).sum()

        @ag.compile()
        def doubled(self, x):
            return self.w * 2 + x[0]

    first, second = Trainer(1.0), Trainer(2.0)
    x, _ = batch(3)
    with in_python():
        for _ in range(2):
            assert first.loss(x).item() == pytest.approx(x.array.sum(), rel=1e-5)
            assert second.loss(x).item() == pytest.approx(2 * x.array.sum(), rel=1e-5)
            np.testing.assert_allclose(first.doubled(x).array, 2 + x.array[0], rtol=1e-6)


# Within others


def test_within_another(batch):
    """A compiled function within another is part of it; within record() and detect_anomaly() it runs eagerly."""
    x, _ = batch(3)
    w = ag.ones(4, requires_grad=True)
    inner = ag.compile(lambda x: ag.tanh(x) @ w)

    def outer(x):
        y = inner(x).sum()
        w.grad = None
        y.backward()
        return y

    with in_python():
        step = ag.compile(outer)
        for _ in range(2):
            assert step(x).item() == pytest.approx(np.tanh(x.array).sum(), rel=1e-5)
            np.testing.assert_allclose(w.grad.array, np.tanh(x.array).sum(0), rtol=1e-5)
        assert not inner._runs
        inner(x)
        inner(x)
        assert not inner(x).requires_grad
        with ag.record():
            assert inner(x).requires_grad
        with ag.detect_anomaly():
            assert inner(x).requires_grad


# Threads


def test_threads_on_one_step():
    """Each call adds: whatever the order, none is lost."""
    total, count = ag.zeros(50), ag.zeros(())

    @ag.compile
    def add(x):
        total.add_(x)
        count.add_(1)
        return total.sum()

    add(ag.ones(50))
    add(ag.ones(50))

    def work(k):
        for _ in range(50):
            add(ag.full((50,), float(k)))

    run(work, 4)
    np.testing.assert_array_equal(total.array, np.full(50, 2 + 50 * (0 + 1 + 2 + 3), "float32"))
    assert count.item() == 202


def test_threads_with_steps_of_their_own(batch):
    x, y = batch(5)
    results = {}

    def work(k):
        step, model, _ = made[k]
        compiled = ag.compile(step)
        for _ in range(10):
            compiled(x, y)
        results[k] = [p.array.copy() for p in model.parameters()]

    made = []
    for _ in range(3):
        ag.manual_seed(0)
        made.append(classifier())
    run(work, 2)
    step, model, _ = made[2]
    for _ in range(10):
        step(x, y)
    for k in range(2):
        for a, p in zip(results[k], model.parameters(), strict=True):
            np.testing.assert_allclose(a, p.array, rtol=1e-4, atol=1e-5)


def run(work, count):
    failed = []

    def guarded(k):
        try:
            work(k)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
