"""Step by step against PyTorch's optimizers, in float64."""

import json
from itertools import product

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import optim

torch = pytest.importorskip("torch")

STEPS = 24
SHAPES = {"w": (4, 3), "b": (3,), "scale": (), "none": (0, 2)}

SGD = [
    {},
    {"weight_decay": 0.1},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.3},
    {"momentum": 0.9, "nesterov": True},
    {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True},
    {"momentum": 0.5, "dampening": 0.5, "weight_decay": 0.1, "maximize": True},
]
ADAM = [
    {"weight_decay": decay, "amsgrad": amsgrad, "maximize": maximize, **rest}
    for decay, amsgrad, maximize, rest in product(
        (0.0, 0.1), (False, True), (False, True), ({}, {"betas": (0.8, 0.9), "eps": 1e-3})
    )
]
CASES = [("SGD", o) for o in SGD] + [("Adam", o) for o in ADAM] + [("AdamW", o) for o in [{}, *ADAM]]


def gradients(step: int) -> dict[str, np.ndarray | None]:
    """The same gradients for both, of changing scale; every fifth step `b` has none, and `scale` starts late."""
    rng = np.random.default_rng(step)
    found = {name: rng.normal(size=shape) * 10.0 ** rng.integers(-3, 3) for name, shape in SHAPES.items()}
    if step % 5 == 2:
        found["b"] = None
    if step < 7:
        found["scale"] = None
    return found


def start(dtype=np.float64) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(99)
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in SHAPES.items()}


def two_groups(parameters):
    return [
        {"params": [(n, parameters[n]) for n in ("w", "scale")]},
        {"params": [(n, parameters[n]) for n in ("b", "none")], "lr": 0.03},
    ]


def make(name, options, dtype=np.float64):
    """Our parameters and optimizer, and PyTorch's."""
    ours = {n: ag.tensor(a, requires_grad=True) for n, a in start(dtype).items()}
    theirs = {n: torch.tensor(a, requires_grad=True) for n, a in start(dtype).items()}
    return (
        (ours, getattr(optim, name)(two_groups(ours), lr=0.01, **options)),
        (theirs, getattr(torch.optim, name)(two_groups(theirs), lr=0.01, **options)),
    )


def advance(parameters, optimizer, step, make_tensor):
    for name, g in gradients(step).items():
        p = parameters[name]
        p.grad = None if g is None else make_tensor(g, dtype=p.dtype)
    if step == STEPS // 2:
        for group in optimizer.param_groups:
            group["lr"] *= 0.1
    optimizer.step()


@pytest.mark.parametrize(("name", "options"), CASES)
def test_every_option_for_many_steps(name, options):
    (ours, mine), (theirs, reference) = make(name, options)
    for step in range(STEPS):
        advance(ours, mine, step, ag.tensor)
        advance(theirs, reference, step, torch.tensor)
        for key in SHAPES:
            np.testing.assert_allclose(
                ours[key].array, theirs[key].detach().numpy(), rtol=1e-12, err_msg=f"{key}, step {step}"
            )
    for key in SHAPES:
        expected = {field: value for field, value in reference.state[theirs[key]].items() if value is not None}
        assert set(mine.state[ours[key]]) == set(expected)
        for field, value in expected.items():
            np.testing.assert_allclose(mine.state[ours[key]][field].array, value.numpy(), rtol=1e-12)


@pytest.mark.parametrize(("name", "options"), [c for c in CASES if c[1]])
def test_float32_keeps_its_dtype_and_agrees_to_rounding(name, options):
    (ours, mine), (theirs, reference) = make(name, options, np.float32)
    for step in range(STEPS):
        advance(ours, mine, step, ag.tensor)
        advance(theirs, reference, step, torch.tensor)
    for key in SHAPES:
        assert ours[key].dtype == np.float32
        assert {v.dtype for f, v in mine.state[ours[key]].items() if f != "step"} <= {np.dtype("float32")}
        np.testing.assert_allclose(ours[key].array, theirs[key].detach().numpy(), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_saved_half_way_and_restored_into_a_fresh_optimizer(name, options):
    (ours, mine), (theirs, reference) = make(name, options)
    for step in range(STEPS):
        if step == 11:
            saved = mine.state_dict()
            # The way through files: options through JSON, the state as bare arrays.
            saved["param_groups"] = json.loads(json.dumps(saved["param_groups"]))
            saved["state"] = {n: {f: v.array for f, v in s.items()} for n, s in saved["state"].items()}
            ours = {n: ag.tensor(p.array, requires_grad=True) for n, p in ours.items()}
            mine = getattr(optim, name)(two_groups(ours), lr=123.0)
            mine.load_state_dict(saved)
        advance(ours, mine, step, ag.tensor)
        advance(theirs, reference, step, torch.tensor)
    for key in SHAPES:
        np.testing.assert_allclose(ours[key].array, theirs[key].detach().numpy(), rtol=1e-12)


def test_defaults_are_pytorchs():
    for name in ("SGD", "Adam", "AdamW"):
        (_, mine), (_, reference) = make(name, {})
        ours = type(mine)([ag.tensor([1.0], requires_grad=True)]).defaults
        theirs = type(reference)([torch.ones(1, requires_grad=True)]).defaults
        assert ours == {option: theirs[option] for option in ours}
