"""The update rules against numbers from their papers and closed forms."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autograd_core as ag
from autograd_core import optim


def leaf(values, dtype=np.float64):
    return ag.tensor(np.asarray(values, dtype), requires_grad=True)


def run(rule, gradients, start=0.0, **options):
    """The parameter after each step."""
    param, state, found = np.asarray(start, float), {}, []
    for grad in gradients:
        param, state = rule(param, np.asarray(grad, float), **state, **options)
        found.append(param)
    return np.array(found), state


def test_a_step_can_be_differentiated():
    w, lr = leaf(3.0), leaf(0.1)
    (g,) = ag.grad(w**2, w, create_graph=True)
    after, _ = optim.sgd_update(w, g, lr=lr)
    # after = w - 2 lr w; its square by lr: 2 after * (-2 w); by w: 2 after * (1 - 2 lr)
    d_lr, d_w = ag.grad(after**2, [lr, w])
    assert_allclose([d_lr.item(), d_w.item()], [2 * 2.4 * -6.0, 2 * 2.4 * 0.8], rtol=1e-14)


@pytest.mark.parametrize("rule", [optim.adam_update, optim.adamax_update])
def test_the_first_adam_step_is_the_learning_rate_times_the_sign(rule):
    """With bias correction the first step is lr * g / (|g| + eps), whatever the scale (Adam, section 2.1)."""
    (after,), _ = run(rule, [[1e-4, -1.0, 1e6]], np.zeros(3), lr=0.01)
    assert_allclose(after, [-0.01, 0.01, -0.01], rtol=1e-3)


def test_adagrad_divides_by_the_root_of_the_sum_of_squares():
    g = np.array([3.0, -4.0, 12.0])
    found, state = run(optim.adagrad_update, g, 1.0, lr=0.5, eps=0.25)
    sums = np.cumsum(g**2)
    assert_allclose(sums, [9, 25, 169])
    assert_allclose(found, 1.0 - np.cumsum(0.5 * g / (np.sqrt(sums) + 0.25)), rtol=1e-14)
    assert state["sum"] == 169


def test_adadelta_makes_steps_that_do_not_depend_on_the_scale_of_the_gradient():
    """Its point (section 3.2): a change has the units of the parameter."""
    g = np.random.default_rng(3).normal(size=10)
    small, large = (run(optim.adadelta_update, scale * g, lr=1.0, eps=1e-12)[0] for scale in (1.0, 1e3))
    assert_allclose(small, large, rtol=1e-6)


def test_rmsprop_of_a_constant_gradient():
    """The mean square is (1 - alpha**t) g**2, the step lr / sqrt(1 - alpha**t); centered, rounding may not give NaN."""
    found, _ = run(optim.rmsprop_update, [7.0] * 5, lr=0.1, alpha=0.5, eps=0.0)
    assert_allclose(-found, np.cumsum(0.1 / np.sqrt(1 - 0.5 ** np.arange(1, 6))), rtol=1e-14)
    param, state = np.zeros(50, np.float32), {}
    for _ in range(300):
        grad = np.linspace(0.1, 9, 50, dtype=np.float32)
        param, state = optim.rmsprop_update(param, grad, **state, lr=1.0, centered=True)
    assert np.isfinite(param).all()


def test_nadam_of_a_constant_gradient_moves_like_adam():
    """Both estimates of the mean gradient are exact then up to the schedule of the momentum, which fades."""
    found, _ = run(optim.nadam_update, [5.0] * 4000, lr=0.1, momentum_decay=0.1)
    assert_allclose(np.diff(found)[-10:], -0.1, rtol=1e-2)


def test_radam_is_plain_momentum_for_five_steps():
    """With beta2 = 0.999 the length of the average is above 5 from the sixth step on."""
    g = np.array([1.0, -2.0, 0.5, 3.0, 1.0, 2.0])
    found, _ = run(optim.radam_update, g, lr=0.1)
    mean, steps = 0.0, []
    for t, x in enumerate(g, 1):
        mean = 0.9 * mean + 0.1 * x
        steps.append(-0.1 * mean / (1 - 0.9**t))
    assert_allclose(found[:5], np.cumsum(steps[:5]), rtol=1e-13)
    assert abs(found[5] - found[4] - steps[5]) > 0.01


def test_radam_with_an_average_too_short_is_always_plain():
    found, _ = run(optim.radam_update, [2.0] * 30, lr=0.1, betas=(0.9, 0.5))
    assert_allclose(found, -0.2 * np.arange(1, 31), rtol=1e-12)


def test_rprop_step_sizes():
    found, state = run(optim.rprop_update, [1.0, 5.0, 0.1, -3.0, -3.0, -1.0], lr=1.0, step_sizes=(0.1, 1.3))
    # Grows by 1.2 up to 1.3; halves where the sign changes, and waits there; goes on as the first time, then grows.
    steps = [-1.0, -1.2, -1.3, 0.0, 0.65, 0.65 * 1.2]
    assert_allclose(found, np.cumsum(steps), rtol=1e-14)
    assert_allclose(state["step_size"], 0.78, rtol=1e-14)


def test_asgd_keeps_the_mean_of_what_it_went_through():
    g = np.random.default_rng(1).normal(size=30)
    found, state = run(optim.asgd_update, g, lr=0.1, lambd=0.0, t0=10.0)
    assert_allclose(found, -0.1 * np.cumsum(g), rtol=1e-12)
    assert_allclose(state["ax"], found[11:].mean(), rtol=1e-12)


def test_lion_interpolates_before_it_remembers():
    found, state = run(optim.lion_update, [1.0, -0.05, -1.0], 1.0, lr=0.5, betas=(0.9, 0.99))
    # 0.1; then 0.9 * 0.01 - 0.1 * 0.05 > 0; then 0.9 * 0.0094 - 0.1 < 0
    assert_allclose(found, [0.5, 0.0, 0.5], atol=1e-15)
    assert_allclose(state["exp_avg"], 0.99 * (0.99 * 0.01 - 0.01 * 0.05) - 0.01, rtol=1e-14)


def test_adafactor_is_exact_where_the_squares_are_of_rank_one():
    """Then r c / mean(r) is g * g, and the update the sign of the gradient (section 3)."""
    rng = np.random.default_rng(2)
    rows, columns, signs = rng.uniform(0.5, 2, (4, 1)), rng.uniform(0.5, 2, (1, 3)), rng.choice([-1.0, 1.0], (4, 3))
    after, state = optim.adafactor_update(np.ones((4, 3)), rows * columns * signs, lr=0.25)
    assert_allclose(after, 1 - 0.25 * signs, rtol=1e-14)
    assert {field: np.shape(value) for field, value in state.items()} == {
        "step": (),
        "row_var": (4, 1),
        "col_var": (1, 3),
    }


def test_decoupled_decay_does_not_pass_through_the_moments():
    for rule in (optim.adam_update, optim.nadam_update, optim.radam_update):
        after, state = rule(2.0, 0.0, lr=0.25, weight_decay=0.5, decoupled_weight_decay=True)
        assert after == 1.75
        assert state["exp_avg"] == 0.0


def test_amsgrad_can_be_switched_on_between_steps():
    w = leaf([1.0])
    optimizer = optim.Adam([w])
    for amsgrad in (False, True, True, False):
        optimizer.param_groups[0]["amsgrad"] = amsgrad
        w.grad = ag.tensor(np.ones(1))
        optimizer.step()
    assert optimizer.state[w]["step"].item() == 4
    restored = optim.Adam([w])
    restored.load_state_dict(optimizer.state_dict())
    assert set(restored.state[w]) == {"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"}


# Options


W = leaf([1.0, 2.0])
BAD = {
    "rho": (lambda: optim.Adadelta([W], rho=1.5), ValueError, "Adadelta: rho must be at least 0 and below 1, got 1.5"),
    "lr_decay": (lambda: optim.Adagrad([W], lr_decay=-1), ValueError, "Adagrad: lr_decay must be at least 0"),
    "sum": (lambda: optim.Adagrad([W], initial_accumulator_value=-1), ValueError, "initial_accumulator_value must be"),
    "alpha": (lambda: optim.RMSprop([W], alpha=1.0), ValueError, "RMSprop: alpha must be at least 0 and below 1"),
    "momentum": (lambda: optim.RMSprop([W], momentum="x"), TypeError, "momentum must be a number, got 'x'"),
    "betas": (lambda: optim.Adamax([W], betas=(0.9, 1.0)), ValueError, "Adamax: betas must be"),
    "momentum_decay": (lambda: optim.NAdam([W], momentum_decay=-1), ValueError, "NAdam: momentum_decay must be"),
    "weight_decay": (lambda: optim.RAdam([W], weight_decay=-1), ValueError, "RAdam: weight_decay must be"),
    "etas": (lambda: optim.Rprop([W], etas=(0.5, 0.9)), ValueError, "Rprop: etas must be at least 1 and finite, got"),
    "step_sizes": (lambda: optim.Rprop([W], step_sizes=0.1), TypeError, "step_sizes must be 2 numbers, got 0.1"),
    "t0": (lambda: optim.ASGD([W], t0=None), TypeError, "ASGD: t0 must be a number, got None"),
    "lion": (lambda: optim.Lion([W], betas=(1.0, 0.9)), ValueError, r"Lion: betas must be .* got \(1.0, 0.9\)"),
    "d": (lambda: optim.Adafactor([W], d=0.5), ValueError, "Adafactor: d must be at least 1 and finite, got 0.5"),
    "beta2_decay": (
        lambda: optim.Adafactor([W], beta2_decay=0.1),
        ValueError,
        "beta2_decay must be at most 0, got 0.1",
    ),
    "eps": (lambda: optim.Adafactor([W], eps=(-1.0, 1e-3)), ValueError, "Adafactor: eps must be at least 0"),
    "eps number": (lambda: optim.Adafactor([W], eps=1e-3), TypeError, "eps must be two numbers, or None and a number"),
    "max_iter": (lambda: optim.LBFGS([W], max_iter=0), ValueError, "LBFGS: max_iter must be at least 1"),
    "history": (lambda: optim.LBFGS([W], history_size=1.5), TypeError, "history_size must be an integer, got 1.5"),
    "search": (lambda: optim.LBFGS([W], line_search_fn="wolfe"), ValueError, "None or 'strong_wolfe', got 'wolfe'"),
    "nonfinite": (
        lambda: optim.SGD([W], nonfinite="stop"),
        ValueError,
        "SGD: nonfinite must be one of 'warn', 'raise', 'skip', 'ignore', got 'stop'",
    ),
    "in a group": (
        lambda: optim.SGD([{"params": [W], "nonfinite": "skip"}]),
        TypeError,
        "unknown option 'nonfinite' in a group",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_wrong_options_are_named(case):
    make, error, message = BAD[case]
    with pytest.raises(error, match=message):
        make()


def test_the_floor_of_adafactor_follows_the_dtype_until_it_is_given():
    """A gradient whose squares are below the floor moves less than a large one."""
    for eps, expected in ((None, 1.0), (1.0, 0.5)):
        w = leaf([1.0])
        optimizer = optim.Adafactor([w], lr=1.0, eps=(eps, 1e-3))
        w.grad = ag.tensor(np.array([0.5]))
        optimizer.step()
        assert_array_equal(w.array, [1 - expected])
