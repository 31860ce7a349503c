"""scan: the loop written as one operation, against the loop."""

import functools

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import modes
from autograd_core.func import scan
from autograd_core.scan import _loops
from autograd_core.tools import assert_gradients


def loop(f, init, xs, *constants, reverse=False):
    """What scan must be: the steps one after the other, for xs in a tuple and one y."""
    steps = range(len(xs[0]))
    rows = {}
    for t in reversed(steps) if reverse else steps:
        init, rows[t] = f(init, tuple(x[t] for x in xs), *constants)
    return init, ag.stack([rows[t] for t in steps])


def rnn(h, x, w, b):
    h = ag.tanh(x[0] + h @ w + b)
    return h, h


def lstm(state, x, w, b):
    h, c = state
    i, f, g, o = ag.chunk(x[0] + h @ w.T + b, 4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (h, c), 2 * h


def masked(h, x, w, b):
    value, running = x
    h = ag.where(running, ag.relu(value @ w + h), h)
    return h, h * b


def shared(h, x, w, b):
    """The two inputs have one gradient; a constant has it too."""
    h = ag.sin(h * 0.5 + x[0] + x[1] + b)
    return h, h.sum()


def passed_on(h, x, w, b):
    """The state stays; what is given is the input itself."""
    return h, x[0]


def slices(h, x, w, b):
    """The gradient of the constant is no product of two matrices."""
    h = h * w[0] + (x[0] * w).sum(0, keepdim=True)
    return h, h.mean() + b


N, D = 3, 4
CASES = {
    "rnn": (rnn, (N, D), [(N, D)], (D, D), (D,)),
    "lstm": (lstm, ((N, D), (N, D)), [(N, 4 * D)], (4 * D, D), (4 * D,)),
    "masked": (masked, (N, D), [(N, 2), "mask"], (2, D), ()),
    "shared": (shared, (N, D), [(N, D), (N, D)], (1,), (N, D)),
    "passed on": (passed_on, (N,), [(2,)], (1,), (1,)),
    "slices": (slices, (1, D), [(2, D)], (2, D), ()),
}


def arguments(case, steps=5, dtype="float64", needs=(True, True, True)):
    f, init, xs, *constants = CASES[case]
    rng = np.random.default_rng(3)

    def drawn(shape, needed):
        return ag.tensor(rng.normal(size=shape).astype(dtype), requires_grad=needed)

    nested = isinstance(init[0], tuple)
    state = tuple(drawn(n, needs[0]) for n in init) if nested else drawn(init, needs[0])
    given = tuple(
        ag.tensor(rng.random((steps, N, 1)) < 0.6) if n == "mask" else drawn((steps, *n), needs[1]) for n in xs
    )
    return f, state, given, *(drawn(n, needs[2]) for n in constants)


def flat(tree):
    return [tree] if isinstance(tree, ag.Tensor) else [t for part in tree for t in flat(part)]


def outcome(run, args, **options):
    """Values, and the gradients of an uneven sum of them."""
    leaves = [t for t in flat(args[1:]) if t.requires_grad]
    values = flat(run(*args, **options))
    total = sum((v * ag.arange(1.0, 1 + v.numel(), dtype=v.dtype).reshape(v.shape)).sum() for v in values)
    grads = ag.grad(total, leaves, allow_unused=True) if total.requires_grad else ()
    return [v.array for v in values], [None if g is None else g.array for g in grads]


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        if a is None or b is None:
            assert a is None or not a.any()
            assert b is None or not b.any()
        else:
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            rtol, atol = (1e-12, 0) if a.dtype == "float64" else (2e-5, 1e-6)
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_the_loop(case, steps, reverse, dtype):
    args = arguments(case, steps, dtype)
    _loops.clear()
    found, expected = (outcome(run, args, reverse=reverse) for run in (scan, loop))
    assert [type(made).__name__ for made, _ in _loops.values()] == ["Loop"]
    for mine, theirs in zip(found, expected, strict=True):
        same(mine, theirs)


@pytest.mark.parametrize("needs", [(True, False, False), (False, True, False), (False, False, True), (False,) * 3])
@pytest.mark.parametrize(
    "case", sorted(CASES.keys() - {"passed on"})
)  # there the state counts as linked to whatever is
def test_any_of_the_arguments_may_require_a_gradient(case, needs):
    args = arguments(case, needs=needs)
    for mine, theirs in zip(outcome(scan, args), outcome(loop, args), strict=True):
        same(mine, theirs)


@pytest.mark.parametrize("case", ["rnn", "lstm", "shared", "slices"])
def test_higher_derivatives(case):
    f, *args = arguments(case, steps=3)
    assert_gradients(lambda *a: flat(scan(f, *a)), args, order=2)


def test_a_new_number_of_steps_needs_no_new_loop():
    _loops.clear()
    for steps in (2, 7):
        scan(*arguments("rnn", steps))
    assert len(_loops) == 1


def test_a_program_has_all_the_steps():
    def run(*args):
        (h, c), ys = scan(lstm, *args)
        return h.sum() + c.sum() + ys.sum()

    args = arguments("lstm", needs=(False,) * 3)[1:]
    recording = ag.compiler.recorder.record(run, args)
    assert sum(i.name == "sigmoid" for i in recording.program.instructions) == 15


def test_listeners_see_every_step():
    seen = []
    with modes.change(listener=lambda primitive, *_: seen.append(primitive.name)):
        scan(*arguments("lstm"))
    assert seen.count("sigmoid") == 15


def test_without_steps_the_state_stays():
    _, state, xs, *constants = arguments("lstm", steps=0)
    (h, c), ys = scan(lstm, state, xs, *constants)
    assert ys.shape == (0, N, D)
    assert (h.array == state[0].array).all()
    assert (c.array == state[1].array).all()


def decay(state, x, rate=0.5, *, sign=1):
    state = {"total": rate * state["total"] + sign * x}
    return state, None


def test_nested_states_options_and_no_output():
    for sign in (1, -1):
        step = functools.partial(decay, sign=sign)
        state, nothing = scan(step, {"total": ag.tensor(0.0)}, ag.tensor([1.0, 0.0, 4.0]))
        assert nothing is None
        assert state["total"].item() == sign * 4.25


def test_numbers_among_the_constants_are_part_of_the_step():
    results = [scan(decay, {"total": ag.tensor(1.0)}, ag.zeros(2), rate)[0]["total"].item() for rate in (0.5, 2.0)]
    assert results == [0.25, 4.0]


def test_closures_run_as_they_are():
    factor = ag.tensor(2.0, requires_grad=True)

    def step(state, x):
        return state * factor + x, None

    state, _ = scan(step, ag.tensor(1.0), ag.ones(3))
    state.backward()
    assert (state.item(), factor.grad.item()) == (15.0, 17.0)  # f**3 + f**2 + f + 1


def noisy(state, x):
    return state + ag.rand(2) * x, None


def test_random_numbers_are_drawn_in_every_step():
    ag.manual_seed(0)
    state, _ = scan(noisy, ag.zeros(2), ag.ones(3))
    ag.manual_seed(0)
    assert (state.array == sum(ag.rand(2).array for _ in range(3))).all()


def counting(state, x):
    if x.sum().item() > 0:
        state = state + 1
    return state, None


def test_steps_that_ask_for_values_run_as_they_are():
    state, _ = scan(counting, ag.tensor(0.0), ag.tensor([1.0, -1.0, 2.0]))
    assert state.item() == 2


def test_a_change_of_what_was_saved_is_found():
    _, h, (x,), w, b = arguments("rnn")
    _, ys = scan(rnn, h, (x * 1,), w * 1, b)
    v = w * 1
    _, ys = scan(rnn, h, (x,), v, b)
    v.add_(1.0)
    with pytest.raises(RuntimeError, match="changed it in place"):
        ys.sum().backward()


def test_results_are_nobody_elses():
    _, h, (x,), w, b = arguments("rnn", needs=(False, True, False))
    last, ys = scan(rnn, h, (x,), w, b)
    expected = ag.grad(ys.sum(), x, retain_graph=True)[0].array.copy()
    last.array[...] = 7
    ys.array[...] = 7
    np.testing.assert_array_equal(ag.grad(ys.sum(), x)[0].array, expected)


def test_gradients_twice():
    _, h, (x,), w, b = arguments("rnn")
    _, ys = scan(rnn, h, (x,), w, b)
    first, second = (ag.grad(ys.sum(), w, retain_graph=True)[0].array for _ in range(2))
    np.testing.assert_array_equal(first, second)


def grows(h, x, w, b):
    return ag.cat([h, h]), h


def widens(h, x, w, b):
    return h.double(), h


def alone(h, x, w, b):
    return h


@pytest.mark.parametrize(
    ("step", "error", "pattern"),
    [
        (grows, ValueError, r"state like the one it gets, \[float32\[3, 4\]\], but gave \[float32\[6, 4\]\]"),
        (widens, ValueError, r"but gave \[float64"),
        (alone, TypeError, "must give a pair, the next state and y, got Tensor"),
    ],
)
def test_wrong_steps(step, error, pattern):
    with pytest.raises(error, match=pattern):
        scan(step, *arguments("rnn", dtype="float32")[1:])


@pytest.mark.parametrize("xs", [(), (ag.ones(3), ag.ones(2)), ag.tensor(1.0)])
def test_wrong_xs(xs):
    with pytest.raises(ValueError, match="first dimension counts the steps"):
        scan(decay, {"total": ag.tensor(0.0)}, xs)
