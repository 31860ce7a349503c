"""Every schedule step by step against PyTorch's, alone, one after the other, chained, and saved half-way."""

import inspect
import json
import random
import warnings
from functools import partial

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import optim
from autograd_core.optim import lr_scheduler, swa_utils

torch = pytest.importorskip("torch")

STEPS = 60
RATES = (0.1, 0.03)

SINGLE = [
    ("LambdaLR", {"lr_lambda": lambda step: 0.95**step}),
    ("LambdaLR", {"lr_lambda": [lambda step: 1 / (1 + step), lambda step: step // 10]}),
    ("MultiplicativeLR", {"lr_lambda": lambda step: 0.9 + 0.01 * (step % 7)}),
    ("MultiplicativeLR", {"lr_lambda": [lambda step: 0.95, lambda step: 1.02]}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 10, "gamma": 1.5}),
    ("MultiStepLR", {"milestones": [5, 20, 20, 41]}),
    ("MultiStepLR", {"milestones": [0, 30], "gamma": 0.5}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.9, "total_iters": 30}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.01, "end_factor": 0.7, "total_iters": 25}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 40}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 50, "power": 2.5}),
    ("CosineAnnealingLR", {"T_max": 60}),
    ("CosineAnnealingLR", {"T_max": 7}),
    ("CosineAnnealingLR", {"T_max": 13, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 9}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.005}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 8}),
    ("CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": [0.1, 0.3], "step_size_up": 5, "step_size_down": 9}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 6, "mode": "exp_range", "gamma": 0.97}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 6, "scale_fn": lambda n: 1 / n}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 6, "scale_fn": lambda step: 1 / (1 + step),
                  "scale_mode": "iterations", "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 6, "base_momentum": [0.5, 0.6],
                  "max_momentum": [0.9, 0.95]}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 61}),
    ("OneCycleLR", {"max_lr": [0.5, 0.2], "epochs": 7, "steps_per_epoch": 10, "pct_start": 0.45}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 64, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 64, "three_phase": True, "anneal_strategy": "linear",
                    "div_factor": 4.0, "final_div_factor": 10.0, "base_momentum": [0.5, 0.6], "max_momentum": 0.99}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 100, "pct_start": 0.0, "cycle_momentum": False}),
    ("SWALR", {"swa_lr": 0.05}),
    ("SWALR", {"swa_lr": [0.05, 0.5], "anneal_epochs": 25, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 0}),
]  # fmt: skip

PARTS = [
    ("ConstantLR", {"factor": 0.2, "total_iters": 6}),
    ("LinearLR", {"start_factor": 0.1, "total_iters": 10}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("StepLR", {"step_size": 6, "gamma": 0.7}),
    ("MultiStepLR", {"milestones": [4, 15], "gamma": 0.5}),
    ("PolynomialLR", {"total_iters": 70, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 9, "eta_min": 0.004}),
    ("CosineAnnealingLR", {"T_max": 11}),
    ("LambdaLR", {"lr_lambda": lambda step: 0.9**step}),
    ("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 80}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4}),
]
MULTIPLICATIVE = ("MultiplicativeLR", {"lr_lambda": lambda step: 1 - 0.3 / (1 + step)})
rng = random.Random(3)
MIXTURES = [rng.sample(PARTS, k) for k in (2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4)] + [[a, a] for a in PARTS]


def ours(rule="SGD"):
    w, b = (ag.tensor([1.0], requires_grad=True, dtype=ag.float64) for _ in range(2))
    w.grad = b.grad = ag.ones(1, dtype=ag.float64)
    return getattr(optim, rule)([{"params": [w]}, {"params": [b], "lr": RATES[1]}], lr=RATES[0])


def theirs(rule="SGD"):
    w, b = (torch.ones(1, requires_grad=True, dtype=torch.float64) for _ in range(2))
    w.grad, b.grad = torch.ones_like(w), torch.ones_like(b)
    return getattr(torch.optim, rule)([{"params": [w]}, {"params": [b], "lr": RATES[1]}], lr=RATES[0])


def schedule(optimizer, name, options):
    mine = isinstance(optimizer, optim.Optimizer)
    family = swa_utils if mine else torch.optim.swa_utils
    if name != "SWALR":
        family = lr_scheduler if mine else torch.optim.lr_scheduler
    return getattr(family, name)(optimizer, **options)


def options_of(optimizer):
    """The rate and the momentum of all groups."""
    return [
        value
        for group in optimizer.param_groups
        for value in (group["lr"], group.get("momentum", 0.0), *group.get("betas", ()))
    ]


def advance(optimizer, *schedules):
    optimizer.step()
    with warnings.catch_warnings():
        # PyTorch's restart of a schedule at a milestone uses an argument of its own that it warns about.
        warnings.filterwarnings("ignore", module="torch")
        for each in schedules:
            each.step()


def assert_same_course(make, rule="SGD", first=0):
    """`make` gives the schedules to step, in order."""
    mine, reference = ours(rule), theirs(rule)
    schedules, references = make(mine), make(reference)
    for step in range(STEPS):
        if step >= first:
            expected = options_of(reference)
            np.testing.assert_allclose(options_of(mine), expected, rtol=1e-8, atol=1e-12, err_msg=f"{step=}")
            for our, their in zip(schedules, references, strict=True):
                np.testing.assert_allclose(our.get_last_lr(), their.get_last_lr(), rtol=1e-8, atol=1e-12)
        advance(mine, *schedules)
        advance(reference, *references)


def compared_from(parts):
    """PyTorch's CyclicLR begins, where it is not the first schedule, with the rate the first one began with."""
    return int("CyclicLR" in [name for name, _ in parts[1:]])


@pytest.mark.parametrize("rule", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "options"), SINGLE)
def test_alone(name, options, rule):
    assert_same_course(lambda optimizer: [schedule(optimizer, name, options)], rule)


@pytest.mark.parametrize("parts", MIXTURES)
def test_one_beside_the_other(parts):
    assert_same_course(lambda optimizer: [schedule(optimizer, *part) for part in parts], first=compared_from(parts))


@pytest.mark.parametrize("parts", [*MIXTURES, [MULTIPLICATIVE, PARTS[2]], [PARTS[1], MULTIPLICATIVE]])
def test_chained(parts):
    def chained(optimizer):
        family = lr_scheduler if isinstance(optimizer, optim.Optimizer) else torch.optim.lr_scheduler
        return [family.ChainedScheduler([schedule(optimizer, *part) for part in parts], optimizer)]

    assert_same_course(chained, first=compared_from(parts))


def sequential(optimizer, parts):
    family = lr_scheduler if isinstance(optimizer, optim.Optimizer) else torch.optim.lr_scheduler
    milestones = [7, 30, 44][: len(parts) - 1]
    return family.SequentialLR(optimizer, [schedule(optimizer, *part) for part in parts], milestones)


@pytest.mark.parametrize("parts", [*MIXTURES, [MULTIPLICATIVE, PARTS[2]]])
def test_one_after_the_other(parts):
    assert_same_course(lambda optimizer: [sequential(optimizer, parts)])


@pytest.mark.parametrize("parts", MIXTURES[:4])
def test_one_after_the_other_chained_with_a_third(parts):
    def make(optimizer):
        family = lr_scheduler if isinstance(optimizer, optim.Optimizer) else torch.optim.lr_scheduler
        first = sequential(optimizer, parts)
        return [family.ChainedScheduler([first, schedule(optimizer, "ExponentialLR", {"gamma": 0.98})])]

    assert_same_course(make)


def test_rates_changed_by_hand_are_kept_in_proportion():
    mine, reference = ours(), theirs()
    schedules = [schedule(o, "CosineAnnealingLR", {"T_max": 17, "eta_min": 0.001}) for o in (mine, reference)]
    for step in range(STEPS):
        if step % 13 == 5:
            for optimizer in (mine, reference):
                optimizer.param_groups[0]["lr"] *= 0.5
        np.testing.assert_allclose(options_of(mine), options_of(reference), rtol=1e-8, atol=1e-12)
        advance(mine, schedules[0])
        advance(reference, schedules[1])


@pytest.mark.parametrize(("name", "options"), SINGLE)
def test_saved_through_json_and_restored(name, options):
    mine, reference = ours(), theirs()
    first, their = schedule(mine, name, options), schedule(reference, name, options)
    for _ in range(23):
        advance(mine, first)
        advance(reference, their)
    mine = ours()
    again = schedule(mine, name, options)
    again.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for _ in range(STEPS - 23):
        np.testing.assert_allclose(options_of(mine), options_of(reference), rtol=1e-8, atol=1e-12)
        advance(mine, again)
        advance(reference, their)


@pytest.mark.parametrize("kind", ["chained", "sequential"])
def test_composites_saved_through_json_and_restored(kind):
    def make(optimizer):
        if kind == "sequential":
            return sequential(optimizer, [PARTS[1], PARTS[10], PARTS[6]])
        family = lr_scheduler if isinstance(optimizer, optim.Optimizer) else torch.optim.lr_scheduler
        return family.ChainedScheduler([schedule(optimizer, *part) for part in (PARTS[1], PARTS[6], PARTS[3])])

    mine, reference = ours(), theirs()
    first, their = make(mine), make(reference)
    for _ in range(23):
        advance(mine, first)
        advance(reference, their)
    mine = ours()
    again = make(mine)
    again.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for _ in range(STEPS - 23):
        np.testing.assert_allclose(options_of(mine), options_of(reference), rtol=1e-8, atol=1e-12)
        advance(mine, again)
        advance(reference, their)


def test_warm_restarts_by_parts_of_a_step():
    mine, reference = ours(), theirs()
    schedules = [schedule(o, "CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2}) for o in (mine, reference)]
    for step in np.arange(0, 30, 0.3):
        for optimizer, each in zip((mine, reference), schedules, strict=True):
            optimizer.step()
            each.step(float(step))
        np.testing.assert_allclose(options_of(mine), options_of(reference), rtol=1e-8, atol=1e-12)


def test_swalr_after_another_schedule():
    mine, reference = ours(), theirs()
    pairs = [
        (schedule(o, "CosineAnnealingLR", {"T_max": 50}), schedule(o, "SWALR", {"swa_lr": 0.05, "anneal_epochs": 5}))
        for o in (mine, reference)
    ]
    for step in range(STEPS):
        which = int(step >= 20)
        advance(mine, pairs[0][which])
        advance(reference, pairs[1][which])
        np.testing.assert_allclose(options_of(mine), options_of(reference), rtol=1e-8, atol=1e-12)


PLATEAU = [
    {},
    {"patience": 2},
    {"mode": "max", "patience": 1, "factor": 0.5},
    {"threshold": 0.2, "patience": 1, "cooldown": 2},
    {"threshold": 0.2, "threshold_mode": "abs", "patience": 0, "cooldown": 1, "factor": 0.7},
    {"mode": "max", "threshold": 0.3, "threshold_mode": "abs", "patience": 1, "min_lr": [0.01, 0.02]},
    {"mode": "max", "threshold": 0.5, "patience": 3, "min_lr": 0.005, "factor": 0.3},
    {"patience": 0, "factor": 0.5, "eps": 0.01},
    {"patience": 0, "factor": 0.0},
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("options", PLATEAU)
def test_plateau_for_random_metrics(options, seed):
    metrics = np.random.default_rng(seed).normal(size=STEPS).round(1)
    metrics[seed * 7] = [np.nan, np.inf, -np.inf][seed]
    mine, reference = ours(), theirs()
    our = lr_scheduler.ReduceLROnPlateau(mine, **options)
    their = torch.optim.lr_scheduler.ReduceLROnPlateau(reference, **options)
    rates = []
    for step, metric in enumerate(metrics):
        if step == STEPS // 2:
            saved = json.loads(json.dumps(our.state_dict()))
            mine = ours()
            our = lr_scheduler.ReduceLROnPlateau(mine, **options)
            our.load_state_dict(saved)
        mine.step()
        our.step(ag.tensor(metric) if step % 2 else metric)
        their.step(metric)
        rates.append(our.get_last_lr())
        np.testing.assert_allclose(options_of(mine), options_of(reference), rtol=1e-12)
        assert (our.num_bad_epochs, our.cooldown_counter) == (their.num_bad_epochs, their.cooldown_counter)
        assert our.best == their.best or our.best is None
    fresh = lr_scheduler.ReduceLROnPlateau(ours(), **options)
    np.testing.assert_allclose(fresh.values(metrics), rates, rtol=1e-12)


def test_warm_up_beside_plateau():
    metrics = np.random.default_rng(0).normal(size=STEPS)
    mine, reference = ours(), theirs()
    warm, theirs_warm = (schedule(o, "LinearLR", {"start_factor": 0.1, "total_iters": 8}) for o in (mine, reference))
    our, their = (
        partial(family.ReduceLROnPlateau, patience=1, factor=0.7)(optimizer)
        for family, optimizer in ((lr_scheduler, mine), (torch.optim.lr_scheduler, reference))
    )
    for metric in metrics:
        advance(mine, warm)
        advance(reference, theirs_warm)
        our.step(metric)
        their.step(metric)
        np.testing.assert_allclose(options_of(mine), options_of(reference), rtol=1e-10)


def test_signatures_and_defaults_are_pytorchs():
    for name in torch.optim.lr_scheduler.__all__:
        if name == "LRScheduler":
            continue
        mine = inspect.signature(getattr(lr_scheduler, name)).parameters
        reference = inspect.signature(getattr(torch.optim.lr_scheduler, name)).parameters
        positional = [p for p in mine.values() if p.kind is not p.KEYWORD_ONLY]
        assert [(p.name, p.default) for p in positional] == [(p.name, p.default) for p in reference.values()], name
