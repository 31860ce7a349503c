"""L-BFGS and its line search."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_core as ag
from autograd_core import optim
from autograd_core.optim.line_search import CURVATURE, DECREASE, Trial, strong_wolfe


def leaf(values, dtype=np.float64):
    return ag.tensor(np.asarray(values, dtype), requires_grad=True)


def closure_of(optimizer, loss):
    def closure():
        closure.calls += 1
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    closure.calls = 0
    return closure


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize("start", [[-1.2, 1.0], [-1.2, 1.0, -1.2, 1.0, 3.0]])
def test_rosenbrock(start):
    optimize = pytest.importorskip("scipy.optimize")
    x = leaf(start)
    optimizer = optim.LBFGS(
        [x], line_search_fn="strong_wolfe", max_iter=200, tolerance_grad=1e-12, tolerance_change=0.0
    )
    closure = closure_of(optimizer, lambda: rosenbrock(x))
    for _ in range(3):
        optimizer.step(closure)
    options = {"ftol": 1e-16, "gtol": 1e-12}
    theirs = optimize.minimize(optimize.rosen, start, jac=optimize.rosen_der, method="L-BFGS-B", options=options)
    assert rosenbrock(x).item() < 1e-10
    assert_allclose(x.array, theirs.x, atol=1e-5)
    assert closure.calls < 2 * theirs.nfev + 20


def test_the_direction_is_newtons_where_the_curvature_is_known(rng):
    """With n independent steps on a quadratic, conjugate to each other, H is the inverse Hessian."""
    root = rng.normal(size=(4, 4))
    hessian = root @ root.T + np.eye(4)
    steps = list(np.linalg.eigh(hessian)[1].T)  # conjugate, as eigenvectors are
    grad = rng.normal(size=4)
    direction = optim.lbfgs_direction(grad, steps, [hessian @ s for s in steps])
    assert_allclose(direction, -np.linalg.solve(hessian, grad), rtol=1e-10)
    assert_array_equal(optim.lbfgs_direction(grad, [], []), -grad)


def test_the_inverse_hessian_meets_the_secant_equation(rng):
    """H y = s for the last pair (equation 6.19), and it is the recursion 7.16 written out."""
    steps, changes = rng.normal(size=(2, 3, 5))
    changes *= np.sign((steps * changes).sum(1, keepdims=True))
    matrix = (steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1]) * np.eye(5)
    for s, y in zip(steps, changes, strict=True):
        v = np.eye(5) - np.outer(y, s) / (y @ s)
        matrix = v.T @ matrix @ v + np.outer(s, s) / (y @ s)
    grad = rng.normal(size=5)
    assert_allclose(optim.lbfgs_direction(grad, steps, changes), -matrix @ grad, rtol=1e-10)
    assert_allclose(optim.lbfgs_direction(changes[-1], steps, changes), -steps[-1], rtol=1e-10)


FUNCTIONS = {
    "quadratic": (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
    "More and Thuente 1": (lambda t: -t / (t**2 + 2), lambda t: (t**2 - 2) / (t**2 + 2) ** 2),
    "wavy": (lambda t: np.cos(3 * t) - t + 0.05 * t**2, lambda t: -3 * np.sin(3 * t) - 1 + 0.1 * t),
    "steep": (lambda t: np.exp(t) - 50 * t, lambda t: np.exp(t) - 50),
    "a wall": (lambda t: t**2 - 2 * t if t < 1.5 else np.inf, lambda t: 2 * t - 2 if t < 1.5 else np.nan),
    "no number": (lambda t: t**2 - 2 * t if t < 1.5 else np.nan, lambda t: 2 * t - 2 if t < 1.5 else np.nan),
}


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 100.0])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_line_search_meets_the_wolfe_conditions(name, first):
    value, slope = FUNCTIONS[name]
    calls = []

    def evaluate(t):
        calls.append(t)
        return Trial(t, float(value(t)), np.array([slope(t)]), float(slope(t)))

    start = evaluate(0.0)
    calls.clear()
    found, evaluations = strong_wolfe(evaluate, start, first, length=1.0, tolerance=1e-9, limit=50)
    assert evaluations == len(calls)
    assert found.loss <= start.loss + DECREASE * found.t * start.slope
    assert abs(found.slope) <= CURVATURE * abs(start.slope)


@pytest.mark.parametrize("limit", [-1, 0, 1, 2, 3])
def test_the_line_search_keeps_to_its_limit(limit):
    calls = []

    def evaluate(t):
        calls.append(t)
        return Trial(t, -t, np.array([-1.0]), -1.0)  # no end in sight

    start = Trial(0.0, 0.0, np.array([-1.0]), -1.0)
    found, evaluations = strong_wolfe(evaluate, start, 1.0, length=1.0, tolerance=1e-9, limit=limit)
    assert evaluations == len(calls) == 1 + max(limit, 0)
    assert found.t == max(calls)


def test_parameters_without_gradient_stay():
    used, unused = leaf([4.0, 1.0]), leaf([2.0])
    optimizer = optim.LBFGS([unused, used])
    optimizer.step(closure_of(optimizer, lambda: (used**2).sum()))
    assert_allclose(used.array, 0.0, atol=1e-6)
    assert unused.item() == 2.0


def test_at_the_minimum_nothing_is_done():
    w = leaf([0.0, 0.0])
    optimizer = optim.LBFGS([w])
    closure = closure_of(optimizer, lambda: (w**2).sum())
    assert optimizer.step(closure).item() == 0.0
    assert closure.calls == 1
    assert optimizer.state[w]["n_iter"].item() == 0


def test_a_compiled_closure():
    pytest.importorskip("numba")
    x = leaf([-1.2, 1.0])
    optimizer = optim.LBFGS([x], line_search_fn="strong_wolfe", max_iter=60)
    optimizer.step(ag.compile(closure_of(optimizer, lambda: rosenbrock(x))))
    assert_allclose(x.array, 1.0, atol=1e-4)


def test_errors():
    w = leaf([1.0])
    optimizer = optim.LBFGS([("w", w)])
    with pytest.raises(TypeError, match=r"LBFGS\.step: needs a closure that computes the loss and the gradients"):
        optimizer.step()
    with pytest.raises(ag.TracingError, match=r"LBFGS\.step: .* call it outside, and compile the closure"):
        ag.compile(lambda: optimizer.step(lambda: (w**2).sum()))()
    with pytest.raises(ValueError, match="takes one group of parameters only; put them all into one list"):
        optim.LBFGS([{"params": [w]}, {"params": [leaf([1.0])]}])
    with pytest.raises(TypeError, match="parameters must be of one dtype, got float32 and float64"):
        optim.LBFGS([w, leaf([1.0], np.float32)])


def test_a_wrong_state_is_refused():
    def stepped(names):
        params = {name: leaf([1.0, 2.0]) for name in names}
        optimizer = optim.LBFGS(params.items(), max_iter=3)
        optimizer.step(closure_of(optimizer, lambda: sum((p**4).sum() for p in params.values())))
        return optimizer

    saved = stepped(["a", "b"]).state_dict()
    with pytest.raises(ValueError, match="must be in the order they were saved in, a, b; got b, a"):
        stepped(["b", "a"]).load_state_dict(saved)
    saved["state"]["a"]["old_dirs"] = np.ones((2, 3))
    with pytest.raises(ValueError, match=r"state\['a'\]\['old_dirs'\] has shape \(2, 3\), expected \(2, 4\)"):
        stepped(["a", "b"]).load_state_dict(saved)
