"""Schedules: closed forms, looking ahead, compiled steps, saving, and what is refused."""

import copy
import json
import math
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

import autograd_core as ag
from autograd_core import optim
from autograd_core.optim import lr_scheduler as schedules
from autograd_core.optim import swa_utils

STEPS = 40
EVERY = {
    "ChainedScheduler": lambda o: schedules.ChainedScheduler(
        [schedules.ConstantLR(o, factor=0.5, total_iters=3), schedules.CosineAnnealingLR(o, T_max=9, eta_min=0.01)]
    ),
    "ConstantLR": lambda o: schedules.ConstantLR(o, factor=0.5, total_iters=3),
    "CosineAnnealingLR": lambda o: schedules.CosineAnnealingLR(o, T_max=9, eta_min=0.01),
    "CosineAnnealingWarmRestarts": lambda o: schedules.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, peak_mult=0.7),
    "CyclicLR": lambda o: schedules.CyclicLR(o, base_lr=0.01, max_lr=0.2, step_size_up=4, mode="exp_range", gamma=0.9),
    "ExponentialLR": lambda o: schedules.ExponentialLR(o, gamma=0.5, step_size=7),
    "InverseSqrtLR": lambda o: schedules.InverseSqrtLR(o, warmup_iters=6),
    "LambdaLR": lambda o: schedules.LambdaLR(o, lambda step: 1 / (1 + step)),
    "LinearLR": lambda o: schedules.LinearLR(o, start_factor=0.1, total_iters=7),
    "MultiStepLR": lambda o: schedules.MultiStepLR(o, milestones=[3, 11]),
    "MultiplicativeLR": lambda o: schedules.MultiplicativeLR(o, lambda step: 0.9 + 0.1 / step),
    "OneCycleLR": lambda o: schedules.OneCycleLR(o, max_lr=0.5, total_steps=STEPS + 1, three_phase=True),
    "PiecewiseConstantLR": lambda o: schedules.PiecewiseConstantLR(o, milestones=[5, 9], factors=[1, 0.3, 0.7]),
    "PolynomialLR": lambda o: schedules.PolynomialLR(o, total_iters=30, power=0.5),
    "PowerLR": lambda o: schedules.PowerLR(o, gamma=2.0, step_size=5, power=0.6),
    "SWALR": lambda o: swa_utils.SWALR(o, swa_lr=[0.05, 0.02], anneal_epochs=6),
    "SequentialLR": lambda o: schedules.SequentialLR(
        o,
        [schedules.LinearLR(o), schedules.OneCycleLR(o, max_lr=0.5, total_steps=20), schedules.PowerLR(o)],
        milestones=[8, 19],
    ),
    "StepLR": lambda o: schedules.StepLR(o, step_size=4, gamma=0.5),
    "WarmupLR": lambda o: schedules.WarmupLR(schedules.CyclicLR(o, base_lr=0.1, max_lr=0.2, step_size_up=4), 5),
}
every = pytest.mark.parametrize("make", EVERY.values(), ids=list(EVERY))


def optimizer(rule=optim.SGD, rates=(0.1, 0.04), **options):
    parameters = [ag.tensor([1.0, -2.0], requires_grad=True) for _ in rates]
    for p in parameters:
        p.grad = ag.ones(2)
    return rule([{"params": [p], "lr": rate} for p, rate in zip(parameters, rates, strict=True)], **options)


def one(rate=1.0):
    return optimizer(rates=(rate,))


def rates(schedule, steps):
    return schedule.values(steps)[:, 0]


def advance(of, schedule, steps=1):
    for _ in range(steps):
        of.step()
        schedule.step()


def options(of):
    return [{name: value for name, value in group.items() if name != "params"} for group in of.param_groups]


def test_the_table_has_every_schedule():
    names = {
        name for name in (*schedules.__all__, *swa_utils.__all__) if name.endswith(("LR", "Restarts", "Scheduler"))
    }
    assert set(EVERY) == names - {"LRScheduler", "LROnPlateau"}


# Contract


@every
def test_values_are_what_steps_write(make):
    sgd = optimizer()
    schedule = make(sgd)
    before = options(sgd)
    expected = schedule.values(STEPS)
    assert expected.shape == (STEPS, 2)
    assert options(sgd) == before
    assert schedule.last_epoch == 0
    for step in range(STEPS):
        assert schedule.last_epoch == step
        assert_allclose(schedule.get_last_lr(), expected[step], rtol=1e-12, atol=1e-15)
        assert [group["lr"] for group in sgd.param_groups] == schedule.get_last_lr()
        if step == STEPS // 2:
            assert_allclose(schedule.values(STEPS), expected, rtol=1e-12)
        advance(sgd, schedule)


@every
def test_saved_by_step_through_json(make):
    sgd = optimizer()
    schedule = make(sgd)
    advance(sgd, schedule, 13)
    saved = json.loads(json.dumps(schedule.state_dict()))
    other = optimizer()
    again = make(other)
    again.load_state_dict(saved)
    assert again.last_epoch == 13
    for _ in range(10):
        assert options(other) == options(sgd)
        assert again.get_last_lr() == schedule.get_last_lr()
        advance(sgd, schedule)
        advance(other, again)


@every
def test_a_deep_copy_goes_on_by_itself(make):
    schedule = make(optimizer())
    twin = copy.deepcopy(schedule)
    advance(twin.optimizer, twin, 5)
    assert schedule.last_epoch == 0
    assert_allclose(twin.get_last_lr(), schedule.values(6)[5], rtol=1e-12)


@every
def test_repr_names_it_and_where_it_stands(make):
    schedule = make(optimizer())
    assert repr(schedule).startswith(type(schedule).__name__ + "(")
    assert "last_epoch=0" in repr(schedule)


@every
def test_a_plot_changes_nothing(make):
    pytest.importorskip("matplotlib")
    sgd = optimizer()
    schedule = make(sgd)
    before = options(sgd)
    figure = schedule.plot(20)
    assert options(sgd) == before
    lines = figure.axes[0].get_lines()
    assert len(lines) == 2
    for group, line in enumerate(lines):
        assert_allclose(line.get_ydata(), schedule.values(20)[:, group])
    assert len(figure.axes) == 1 + ("momentum" in schedule.state_dict()["groups"][0])


def test_nothing_is_written_but_rates_and_what_they_began_with():
    sgd = optimizer()
    before = [set(group) for group in sgd.param_groups]
    of_the_optimizer = dict(vars(sgd))
    schedules.StepLR(sgd, 3)
    assert [set(group) - names for group, names in zip(sgd.param_groups, before, strict=True)] == [{"initial_lr"}] * 2
    assert vars(sgd) == of_the_optimizer
    saved = sgd.state_dict()
    assert "initial_lr" not in saved["param_groups"][0]
    sgd.load_state_dict(saved)


# Closed forms


def test_formulas():
    t = np.arange(30)
    assert_allclose(rates(schedules.PowerLR(one(2.0), 0.5, 4, 1.5), 30), 2 / (1 + 0.5 * t / 4) ** 1.5)
    assert_allclose(rates(schedules.ExponentialLR(one(2.0), 0.3, step_size=7), 30), 2 * 0.3 ** (t / 7))
    assert_allclose(rates(schedules.InverseSqrtLR(one(2.0)), 30), 2 / np.sqrt(1 + t))
    assert_allclose(rates(schedules.PolynomialLR(one(2.0), 40, 3.0), 30), 2 * (1 - t / 40) ** 3)
    piecewise = rates(schedules.PiecewiseConstantLR(one(2.0), [3, 10], [1, 0.5, 0.25]), 30)
    assert_allclose(piecewise, np.select([t < 3, t < 10], [2.0, 1.0], 0.5))


def test_inverse_sqrt_is_the_transformers():
    width, warmup = 512, 400
    base = (width * warmup) ** -0.5
    number = np.arange(1, 1001)
    expected = width**-0.5 * np.minimum(number**-0.5, number * warmup**-1.5)
    assert_allclose(rates(schedules.InverseSqrtLR(one(base), warmup), 1000), expected)


def test_peaks_after_restarts():
    restarts = schedules.CosineAnnealingWarmRestarts(one(), T_0=5, T_mult=2, eta_min=0.1, peak_mult=0.5)
    found = rates(restarts, 36)
    assert_allclose(found[[0, 5, 15, 35]], [1, 0.5, 0.25, 0.125])
    assert_allclose(found[10], (0.5 + 0.1) / 2)  # in the middle of the second cycle
    assert found.min() >= 0.1


def test_warm_up_before_anything():
    cyclic = schedules.CyclicLR(one(), base_lr=0.2, max_lr=0.4, step_size_up=2)
    warm = schedules.WarmupLR(cyclic, total_iters=4, start_factor=0.0)
    assert_allclose(rates(warm, 9), [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.3, 0.2])
    nested = schedules.WarmupLR(EVERY["SequentialLR"](sgd := optimizer()), total_iters=6)
    assert_allclose(nested.values(20)[6:], EVERY["SequentialLR"](optimizer()).values(14), rtol=1e-12)
    advance(sgd, nested, 9)
    assert_allclose(nested.get_last_lr(), nested.values(10)[9])
    chain = schedules.ChainedScheduler([schedules.ExponentialLR(s := one(), 0.5), schedules.ConstantLR(s, 0.5, 2)])
    assert_allclose(rates(schedules.WarmupLR(chain, 2, 0.5), 6), [0.25, 0.375, 0.5, 0.25, 0.25, 0.125])


def test_sequences_within_sequences():
    sgd = one()
    inner = schedules.SequentialLR(sgd, [schedules.ConstantLR(sgd, 0.5, 9), schedules.ExponentialLR(sgd, 0.5)], [2])
    outer = schedules.SequentialLR(sgd, [schedules.StepLR(sgd, 2), inner], [3])
    expected = [1, 1, 0.1, 0.5, 0.5, 1, 0.5, 0.25]
    assert_allclose(rates(outer, 8), expected)
    for step in range(8):
        assert_allclose(sgd.param_groups[0]["lr"], expected[step])
        advance(sgd, outer)


def test_one_cycle_ends_where_it_should():
    adam = optimizer(optim.Adam)
    schedule = schedules.OneCycleLR(adam, max_lr=1.0, epochs=3, steps_per_epoch=10)
    first = dict(adam.param_groups[0])
    assert first["lr"] == pytest.approx(1 / 25)
    assert first["betas"] == pytest.approx((0.95, 0.999))
    found = rates(schedule, 31)
    assert_allclose(found[[8, 29, 30]], [1, 1 / 25e4, 1 / 25e4])
    advance(adam, schedule, 8)
    assert_allclose(adam.param_groups[0]["betas"], (0.85, 0.999))
    advance(adam, schedule, 22)
    with pytest.raises(ValueError, match="step 31 is after the end, total_steps=30"):
        advance(adam, schedule)


def test_one_cycle_with_phases_of_no_length():
    for share in (0.0, 0.1, 1.0):
        for phases in (False, True):
            schedule = schedules.OneCycleLR(one(), 1.0, total_steps=10, pct_start=share, three_phase=phases)
            assert np.isfinite(schedule.values(11)).all()
    assert np.isfinite(schedules.OneCycleLR(one(), 1.0, total_steps=1).values(2)).all()


def test_going_to_a_step():
    sgd = one()
    schedule = schedules.ExponentialLR(sgd, 0.5)
    sgd.step()
    schedule.step(3)
    assert (sgd.param_groups[0]["lr"], schedule.last_epoch) == (0.125, 3)
    advance(sgd, schedule)
    assert sgd.param_groups[0]["lr"] == 0.0625


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("StepLR", {"step_size": 4, "gamma": 0.5}),
        ("MultiplicativeLR", {"lr_lambda": lambda step: 0.9 + 0.1 / step}),
        ("CosineAnnealingLR", {"T_max": 9, "eta_min": 0.01}),
        ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4}),
    ],
)
def test_starting_late(name, kind):
    expected = getattr(schedules, name)(optimizer(), **kind).values(12)
    sgd = optimizer()
    for group in sgd.param_groups:
        group["initial_lr"] = group["lr"]
    schedule = getattr(schedules, name)(sgd, **kind, last_epoch=7)
    assert schedule.last_epoch == 8
    assert_allclose(schedule.get_last_lr(), expected[8], rtol=1e-12)
    advance(sgd, schedule, 3)
    assert_allclose(schedule.get_last_lr(), expected[11], rtol=1e-12)


def test_a_sequence_starting_late():
    expected = EVERY["SequentialLR"](optimizer()).values(12)
    sgd = optimizer()
    parts = [schedules.LinearLR(sgd), schedules.OneCycleLR(sgd, max_lr=0.5, total_steps=20), schedules.PowerLR(sgd)]
    schedule = schedules.SequentialLR(sgd, parts, [8, 19], last_epoch=9)
    assert [part.last_epoch for part in parts] == [0, 2, 0]
    assert_allclose(schedule.get_last_lr(), expected[10], rtol=1e-12)


def test_factors_of_zero_do_not_stick():
    sgd = one()
    both = schedules.ChainedScheduler(
        [schedules.ConstantLR(sgd, factor=0.0, total_iters=2), schedules.ExponentialLR(sgd, 0.5)]
    )
    assert_allclose(rates(both, 4), [0, 0, 0.5, 0.25])


# Compiled steps


def test_a_compiled_step_follows_without_another_recording():
    pytest.importorskip("numba")

    def run(wrap, follow=True):
        w = ag.tensor(np.array([1.0, -2.0]), requires_grad=True)
        sgd = optim.SGD([w], lr=0.3, momentum=0.5)
        schedule = schedules.OneCycleLR(sgd, max_lr=0.4, total_steps=12)
        recorded = []

        def update(x):
            recorded.append(1)
            loss = ((w - x) ** 2).sum()
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            return loss

        update = wrap(update)
        losses = []
        for k in range(10):
            losses.append(update(ag.tensor(np.array([k, 1.0]))).item())
            if follow:
                schedule.step()
        return losses, w.array, len(recorded)

    eager, compiled = run(lambda f: f), run(ag.compile)
    assert_allclose(compiled[0], eager[0], rtol=1e-12)
    assert_allclose(compiled[1], eager[1], rtol=1e-12)
    assert compiled[2] == run(ag.compile, follow=False)[2] < 10


def test_it_is_not_part_of_a_compiled_step():
    sgd = one()
    schedule = schedules.StepLR(sgd, 2)

    def update(x):
        schedule.step()
        return x * 2

    with pytest.raises(ag.TracingError, match="call it after the compiled step"):
        ag.compile(update)(ag.ones(2))
    assert schedule.last_epoch == 0


# Refused


def test_wrong_order_is_warned_about():
    sgd = one()
    schedule = schedules.StepLR(sgd, 2)
    with pytest.warns(UserWarning, match=r"call optimizer.step\(\) first"):
        schedule.step()
    sgd.step()
    schedule.step()


def test_parts_are_stepped_by_the_whole():
    sgd = optimizer()
    part = schedules.LinearLR(sgd)
    whole = schedules.ChainedScheduler([part])
    sgd.step()
    with pytest.raises(RuntimeError, match="part of a ChainedScheduler"):
        part.step()
    with pytest.raises(ValueError, match="position 0 is already part of a ChainedScheduler"):
        schedules.WarmupLR(part)
    whole.step()
    assert part.last_epoch == 1


def test_groups_are_added_before():
    sgd = one()
    schedule = schedules.LinearLR(sgd)
    sgd.add_param_group({"params": [ag.ones(2, requires_grad=True)]})
    for use in (schedule.step, lambda: schedule.values(3)):
        with pytest.raises(RuntimeError, match="add groups before"):
            use()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: schedules.StepLR(o, 0), "step_size to be an integer of at least 1, got 0"),
        (lambda o: schedules.StepLR(o, 2.5), "step_size to be an integer"),
        (lambda o: schedules.StepLR(o, 2, -1.0), "gamma must be at least 0"),
        (lambda o: schedules.StepLR(o, 2, last_epoch=-2), "last_epoch to be an integer of at least -1"),
        (lambda o: schedules.MultiStepLR(o, [5, 3]), "milestones in increasing order"),
        (lambda o: schedules.PiecewiseConstantLR(o, [5], [1, 2, 3]), "1 milestones need 2 factors, got 3"),
        (lambda o: schedules.ConstantLR(o, 1.5), r"factor in \[0, 1\]"),
        (lambda o: schedules.LinearLR(o, 0.0), "start_factor must be above 0"),
        (lambda o: schedules.LinearLR(o, total_iters=0), "total_iters to be an integer of at least 1"),
        (lambda o: schedules.CosineAnnealingLR(o, 0), "T_max to be"),
        (lambda o: schedules.CosineAnnealingWarmRestarts(o, 3, 0), "T_mult to be"),
        (lambda o: schedules.CyclicLR(o, 0.1, 0.2, mode="square"), "mode 'triangular', 'triangular2' or 'exp_range'"),
        (lambda o: schedules.CyclicLR(o, [0.1], 0.2), "base_lr to be one value for all groups"),
        (lambda o: schedules.OneCycleLR(o, 0.1), "total_steps, or both epochs and steps_per_epoch"),
        (lambda o: schedules.OneCycleLR(o, 0.1, total_steps=9, pct_start=2), "pct_start"),
        (lambda o: schedules.LambdaLR(o, [abs]), "one for each of the 2, got 1"),
        (lambda o: schedules.SequentialLR(o, [], []), "at least one schedule"),
        (lambda o: schedules.SequentialLR(o, [schedules.LinearLR(o)], [3]), "1 schedules need 0 milestones, got 1"),
        (lambda o: schedules.ChainedScheduler([schedules.ReduceLROnPlateau(o)]), "needs a metric each time"),
        (lambda o: schedules.ChainedScheduler([schedules.LinearLR(one())], o), "one of another optimizer"),
        (lambda o: schedules.ReduceLROnPlateau(o, "least"), "mode 'min' or 'max'"),
        (lambda o: schedules.ReduceLROnPlateau(o, factor=1.0), r"factor in \[0, 1\)"),
        (lambda o: schedules.ReduceLROnPlateau(o, min_lr=[1.0]), "min_lr"),
        (lambda o: swa_utils.SWALR(o, 0.1, anneal_strategy="log"), "anneal_strategy 'cos' or 'linear'"),
        (lambda o: schedules.LinearLR(o).values(-1), "steps to be an integer"),
    ],
)
def test_bad_options(make, message):
    with pytest.raises(ValueError, match=message):
        make(optimizer())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: schedules.StepLR("SGD", 3), "expected an optimizer, got a str"),
        (lambda o: schedules.ReduceLROnPlateau("SGD"), "expected an optimizer, got a str"),
        (lambda o: schedules.LambdaLR(o, 0.9), "expected lr_lambda to be a function, got a float"),
        (lambda o: schedules.ChainedScheduler([o]), "expected schedules, got a SGD at position 0"),
        (lambda o: schedules.StepLR(o, 3).step(0.35), "a metric is for ReduceLROnPlateau"),
        (lambda o: schedules.ReduceLROnPlateau(o).step(), r"as in step\(validation_loss\)"),
    ],
)
def test_wrong_kinds(make, message):
    with pytest.raises(TypeError, match=message):
        make(optimizer())


def test_momentum_that_is_not_there():
    with pytest.raises(ValueError, match="SignDescent has neither momentum nor betas to cycle"):
        schedules.OneCycleLR(optimizer(SignDescent), 0.1, total_steps=9)


class SignDescent(optim.Optimizer):
    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    @staticmethod
    def rule(param, grad, *, lr):
        return param - lr * np.sign(grad), {}


def test_starting_late_needs_the_first_rate():
    with pytest.raises(KeyError, match="needs the base rate as 'initial_lr'"):
        schedules.StepLR(optimizer(), 3, last_epoch=4)


def test_loading_what_does_not_fit():
    sgd = optimizer()
    schedule = schedules.StepLR(sgd, 2)
    advance(sgd, schedule, 3)
    before = schedule.state_dict()
    with pytest.raises(ValueError, match="state for 1 groups, the optimizer has 2"):
        schedule.load_state_dict(schedules.StepLR(one(), 2).state_dict())
    with pytest.raises(KeyError, match="expected the keys"):
        schedule.load_state_dict({"last_epoch": 3})
    with pytest.raises(KeyError, match="expected the options"):
        schedule.load_state_dict(schedules.OneCycleLR(optimizer(), 1.0, total_steps=9).state_dict())
    assert schedule.state_dict() == before


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        schedules.StepLR(one(), 2).plot(3)


def test_plateau_ahead_of_time():
    plateau = schedules.ReduceLROnPlateau(optimizer(), patience=0, factor=0.5, min_lr=[0.03, 0.0])
    assert_allclose(plateau.values([1.0, 1.0, 1.0]), [[0.1, 0.04], [0.05, 0.02], [0.03, 0.01]])
    assert plateau.values([]).shape == (0, 2)
    assert (plateau.best, plateau.last_epoch) == (None, 0)


def test_published_cosine():
    """Loshchilov & Hutter's figure 1: half-way through a cycle the rate is half-way between its bounds."""
    found = rates(schedules.CosineAnnealingWarmRestarts(one(0.05), T_0=10, T_mult=2), 70)
    assert_allclose(found[[0, 5, 10, 20, 30, 50]], [0.05, 0.025, 0.05, 0.025, 0.05, 0.025])
    assert found[[9, 29, 69]] == pytest.approx([0.05 * (1 - math.cos(math.pi / k)) / 2 for k in (10, 20, 40)])
