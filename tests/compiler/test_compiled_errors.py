"""What a compiled function refuses; and that an error leaves all as it was, at the first call and at later ones."""

import numpy as np
import pytest
from python_step import in_python
from twins import assert_alike, state

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional

pytest.importorskip("numba")

here = r"test_compiled_errors\.py:\d+"


@pytest.fixture(autouse=True, params=[False, True], ids=["as python", "natively"])
def natively(request):
    if request.param:
        yield
    else:
        with in_python():
            yield


ASKED = {
    "bool": lambda x: 1 if x.sum() > 0 else 2,
    "int": lambda x: int(x.sum()),
    "float": lambda x: float(x.sum()),
    "item": lambda x: x.sum().item(),
    "tolist": lambda x: x.tolist(),
    "numpy": lambda x: x.numpy().sum(),
    "np.asarray": lambda x: np.asarray(x),
    "format": lambda x: f"{x.sum():.2f}",
    "in": lambda x: 1.0 in x,
    "range": lambda x: list(range(x.sum().to(ag.int64))),
    "array": lambda x: x.array + 1,
    "max as index": lambda x: [1, 2, 3][ag.argmax(x)],
    "nonzero": lambda x: ag.nonzero(x),
    "mask": lambda x: x[x > 0],
    "unique": lambda x: ag.unique(x),
}


@pytest.mark.parametrize("name", ASKED)
def test_asking_for_values_names_the_line(name):
    step = ag.compile(ASKED[name])
    x = ag.tensor([1.0, 2.0])
    for _ in range(2):
        with pytest.raises(ag.TracingError, match=here):
            step(x)
    assert not step._runs


def test_len_and_shapes_are_known():
    step = ag.compile(lambda x: x.sum() * len(x) * x.shape[1] * x.ndim)
    for _ in range(2):
        assert step(ag.ones(2, 3)).item() == 2 * 6 * 3 * 2


def learner(draws=False):
    ag.manual_seed(0)
    model = nn.Linear(4, 3)
    words = ag.tensor(np.ones((5, 4), "float32"), requires_grad=True)
    optimizer = optim.Adam([*model.parameters(), words], lr=0.1)
    steps = ag.zeros(())

    def step(tokens, y):
        steps.add_(1)
        h = F.embedding(tokens, words)
        if draws:
            h = F.dropout(h, 0.5)
        loss = F.cross_entropy(model(h), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step, model, words, optimizer, steps


GOOD = (ag.tensor([0, 1, 4]), ag.tensor([0, 1, 2]))
BAD = {
    "a class too large": (GOOD[0], ag.tensor([0, 1, 3])),
    "a negative class": (GOOD[0], ag.tensor([0, -1, 2])),
    "a row too large": (ag.tensor([0, 5, 1]), GOOD[1]),
    "a negative row": (ag.tensor([0, 1, -6]), GOOD[1]),
}


@pytest.mark.parametrize("draws", [False, True])
@pytest.mark.parametrize("bad", BAD)
def test_an_index_out_of_range(bad, draws):
    """At the first call and at a later one: the error of eager code, and nothing has changed."""
    function, *holders = learner(draws)
    with pytest.raises(IndexError) as eager:
        function(*BAD[bad])
    for good_calls in (0, 1, 3):
        function, *holders = learner(draws)
        step = ag.compile(function)
        for _ in range(good_calls):
            step(*GOOD)
        before = state(*holders)
        for _ in range(2):
            with pytest.raises(IndexError) as compiled:
                step(*BAD[bad])
            assert str(compiled.value) == str(eager.value)
            after = state(*holders)
            assert_alike(before, after, 0, 0)
        twin, *others = learner(draws)
        for _ in range(good_calls):
            twin(*GOOD)
        ag.creation.default_generator().set_state(before["random"])
        step(*GOOD)
        found = state(*holders)
        ag.creation.default_generator().set_state(before["random"])
        twin(*GOOD)
        assert_alike(state(*others), found, 1e-5, 1e-6)


def test_an_exception_while_recording():
    function, *holders = learner(draws=True)

    def failing(tokens, y):
        function(tokens, y)
        raise KeyError("mine")

    step = ag.compile(failing)
    before = state(*holders)
    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            step(*GOOD)
        assert_alike(before, state(*holders), 0, 0)
    assert not any(ag.creation.modes.recorders)


def test_wrong_shapes_are_as_eager():
    function, *holders = learner()
    step = ag.compile(function)
    step(*GOOD)
    with pytest.raises(ValueError, match="cross_entropy") as eager:
        function(GOOD[0], ag.tensor([0, 1]))
    before = state(*holders)
    with pytest.raises(ValueError, match="cross_entropy") as compiled:
        step(GOOD[0], ag.tensor([0, 1]))
    assert str(compiled.value) == str(eager.value)
    assert_alike(before, state(*holders), 0, 0)


def test_leaks_are_refused():
    kept = []
    model = nn.Linear(2, 2)

    def appends(x):
        kept.append(x * 2)

    def sets(x):
        model.last = x * 2
        return x

    def hooks(x):
        model.register_forward_hook(lambda *_: None)
        return model(x)

    for function, match in ((appends, "outlives"), (sets, "Linear.last"), (hooks, "hook")):
        step = ag.compile(function)
        with pytest.raises(ag.TracingError, match=match):
            step(ag.ones(2))
        kept.clear()
    assert not hasattr(model, "last")


def test_arguments_cannot_be_changed():
    step = ag.compile(lambda x: x.add_(1))
    x = ag.ones(2)
    with pytest.raises(ag.TracingError, match="argument"):
        step(x)
    np.testing.assert_array_equal(x.array, [1, 1])


def test_arguments_without_a_hash():
    step = ag.compile(lambda x, options: x)
    with pytest.raises(TypeError, match="no hash"):
        step(ag.ones(2), {1, 2})


def test_a_history_that_leads_outside():
    w = ag.ones(2, requires_grad=True)
    y = w * 2
    step = ag.compile(lambda x: (x * y).sum())
    with pytest.raises(ag.TracingError, match="detach"):
        step(ag.ones(2))
    with ag.no_grad():
        assert step(ag.ones(2)).item() == step(ag.ones(2)).item() == 4


def test_changed_in_place_before_backward():
    """What backward needs was changed since: the error of eager code."""
    w = ag.ones(2, requires_grad=True)

    def function(x):
        y = ag.exp(w * x)
        y.detach().mul_(2)
        y.sum().backward()

    with pytest.raises(RuntimeError) as eager:
        function(ag.ones(2))
    step = ag.compile(function)
    with pytest.raises(RuntimeError) as compiled:
        step(ag.ones(2))
    assert str(compiled.value).split("(")[0] == str(eager.value).split("(")[0]
    assert w.grad is None


def test_a_graph_from_before_the_call_sees_the_change():
    """A backward pass outside, through what a compiled step has changed since, is refused as after an eager one."""
    w = ag.ones(2, requires_grad=True)
    scale = ag.ones(2)

    @ag.compile
    def step():
        scale.mul_(2)

    step()
    step()
    y = (w * scale).sum()
    step()
    with pytest.raises(RuntimeError, match=r"in place|changed"):
        y.backward()
