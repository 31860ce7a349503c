"""Every optimizer with PyTorch's own settings beside PyTorch's, step by step in float64."""

import json
import warnings

import numpy as np
import pytest
from with_pytorch import torch

import autograd_core as ag
from autograd_core import optim

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_optimizers import optim_db

STEPS = 20
SHAPES = {"w": (4, 3), "b": (3,), "scale": (), "stack": (2, 3, 2)}
OTHER_WAYS = {"foreach", "fused", "capturable", "differentiable"}
"""Flags for other ways to compute the same, which we do not have."""
MORE = {  # what PyTorch's settings leave out
    "SGD": [{"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}, {"momentum": 0.5, "nesterov": True}],
    "ASGD": [{"t0": 3.0, "lambd": 0.1, "alpha": 0.5}],
    "Rprop": [{"etas": (0.3, 1.7), "step_sizes": (1e-3, 0.02)}],
    "RMSprop": [{"centered": True, "momentum": 0.9}, {"alpha": 0.8, "eps": 1e-3}],
    "Adam": [{"decoupled_weight_decay": True, "weight_decay": 0.1}, {"betas": (0.8, 0.9), "eps": 1e-3}],
    "NAdam": [{"betas": (0.8, 0.9), "momentum_decay": 0.1}],
    "RAdam": [{"betas": (0.8, 0.9)}, {"betas": (0.8, 0.6)}],
    "Adamax": [{"betas": (0.8, 0.9), "eps": 1e-3}],
    "Adafactor": [{"eps": (1e-2, 1e-1), "lr": 1.0}],
}
SAMPLES = {
    entry.name: [s.kwargs for s in entry.optim_inputs_func(device="cpu")] + MORE.get(entry.name, [])
    for entry in optim_db
    if hasattr(optim, entry.name)
}
CASES = [
    (name, options)
    for name, found in SAMPLES.items()
    for options in found
    if not OTHER_WAYS & options.keys() and not any(isinstance(value, torch.Tensor) for value in options.values())
]
STEPWISE = [(name, options) for name, options in CASES if name != "LBFGS"]


@pytest.fixture(autouse=True)
def _float64():
    """PyTorch keeps the numbers of its state in its default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def start():
    rng = np.random.default_rng(99)
    return {name: np.asarray(rng.normal(size=shape)) for name, shape in SHAPES.items()}


def gradients(step):
    """The same for both, of changing scale; every fifth step `b` has none, and `scale` starts late."""
    rng = np.random.default_rng(step)
    found = {name: rng.normal(size=shape) * 10.0 ** rng.integers(-2, 2) for name, shape in SHAPES.items()}
    if step % 5 == 2:
        found["b"] = None
    if step < 7:
        found["scale"] = None
    return found


def groups(parameters, name):
    """Two groups, the second with a learning rate of its own."""
    pairs = list(parameters.items())
    return pairs if name == "LBFGS" else [{"params": pairs[:2]}, {"params": pairs[2:], "lr": 0.03}]


def make(name, options, dtype=np.float64):
    ours = {n: ag.tensor(a.astype(dtype), requires_grad=True) for n, a in start().items()}
    theirs = {n: torch.tensor(a.astype(dtype), requires_grad=True) for n, a in start().items()}
    mine = getattr(optim, name)(groups(ours, name), **options)
    return ours, mine, theirs, getattr(torch.optim, name)(groups(theirs, name), **options)


def restored(name, ours, mine):
    """A new optimizer of new parameters, with the state as it comes back from files."""
    saved = mine.state_dict()
    saved["param_groups"] = json.loads(json.dumps(saved["param_groups"]))
    saved["state"] = {n: {f: v.array for f, v in s.items()} for n, s in saved["state"].items()}
    ours = {n: ag.tensor(p.array, requires_grad=True) for n, p in ours.items()}
    mine = getattr(optim, name)(groups(ours, name), lr=123.0)
    mine.load_state_dict(saved)
    return ours, mine


def assert_same(ours, theirs, where):
    for key, p in theirs.items():
        np.testing.assert_allclose(
            ours[key].array, p.detach().numpy(), rtol=1e-8, atol=1e-12, err_msg=f"{key}, {where}"
        )


@pytest.mark.parametrize(("name", "options"), STEPWISE)
def test_step_by_step(name, options):
    ours, mine, theirs, reference = make(name, options)
    for step in range(STEPS):
        if step == STEPS // 2:
            ours, mine = restored(name, ours, mine)
        for key, g in gradients(step).items():
            ours[key].grad = None if g is None else ag.tensor(g)
            theirs[key].grad = None if g is None else torch.tensor(g)
        if step == 13:
            for optimizer in (mine, reference):
                for group in optimizer.param_groups:
                    group["lr"] *= 0.1
        mine.step()
        reference.step()
        assert_same(ours, theirs, f"step {step}")
    for key, p in theirs.items():
        expected = {field: value for field, value in reference.state[p].items() if value is not None}
        assert set(mine.state[ours[key]]) == set(expected)
        for field, value in expected.items():
            found = mine.state[ours[key]][field].array
            np.testing.assert_allclose(found, value.numpy(), rtol=1e-8, atol=1e-12, err_msg=f"{key}, {field}")


@pytest.mark.parametrize(("name", "options"), STEPWISE)
def test_float32_agrees_to_rounding(name, options):
    _, mine, _, reference = make(name, options, np.float32)
    for step in range(STEPS):
        for key, g in gradients(step).items():
            for optimizer, tensor in ((mine, ag.tensor), (reference, torch.tensor)):
                p = parameter(optimizer, key)
                p.grad = None if g is None else tensor(g, dtype=p.dtype)
        mine.step()
        reference.step()
    for key in SHAPES:
        found, expected = parameter(mine, key).array, parameter(reference, key).detach().numpy()
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=5e-5, atol=2e-6, err_msg=key)


def parameter(optimizer, key):
    """That of this position among all."""
    return [p for group in optimizer.param_groups for p in group["params"]][list(SHAPES).index(key)]


def losses(ours, theirs):
    """The same smooth function of all parameters, not quadratic, and gentle: L-BFGS amplifies rounding."""
    rng = np.random.default_rng(5)
    aims = {name: rng.normal(size=shape) for name, shape in SHAPES.items()}

    def at(parameters, tensor):
        found = [
            ((p - tensor(aims[name])) ** 2).sum() * (i + 1) + 0.2 * (parameters["scale"] * p).sin().sum()
            for i, (name, p) in enumerate(parameters.items())
        ]
        return sum(found)

    return lambda: at(ours, ag.tensor), lambda: at(theirs, torch.tensor)


def closure(optimizer, loss):
    def evaluate():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        evaluate.calls += 1
        return value

    evaluate.calls = 0
    return evaluate


LBFGS = [options for name, options in CASES if name == "LBFGS"] + [
    {"lr": 0.1, "history_size": 3, "max_iter": 7},
    {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 4, "lr": 5.0},
    {"line_search_fn": "strong_wolfe", "max_iter": 1, "max_eval": 3, "lr": 20.0},
    {"line_search_fn": "strong_wolfe", "max_iter": 3, "lr": 1e-3},
    {"line_search_fn": "strong_wolfe", "tolerance_change": 1e-3, "tolerance_grad": 1e-3},
]


@pytest.mark.parametrize("options", LBFGS)
def test_lbfgs(options):
    ours, mine, theirs, reference = make("LBFGS", options)
    for step in range(STEPS):
        if step == 2:
            ours, mine = restored("LBFGS", ours, mine)
        at = losses(ours, theirs)
        for optimizer in (mine, reference):
            if step == 3:
                optimizer.param_groups[0]["lr"] *= 0.5
        evaluate, expected = closure(mine, at[0]), closure(reference, at[1])
        found, loss = mine.step(evaluate), reference.step(expected)
        assert evaluate.calls == expected.calls, f"step {step}"
        np.testing.assert_allclose(found.item(), loss.item(), rtol=1e-8, err_msg=f"step {step}")
        assert_same(ours, theirs, f"step {step}")
    state = reference.state[theirs["w"]]
    for field in ("n_iter", "func_evals"):
        assert mine.state[ours["w"]][field].item() == state[field]


def test_all_of_pytorchs_optimizers_but_two():
    """Sparse gradients do not exist here, and Muon is not among those asked for."""
    assert {entry.name for entry in optim_db} - set(SAMPLES) == {"SparseAdam", "Muon"}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_defaults_are_pytorchs(name):
    _, mine, _, reference = make(name, {})
    theirs = {option: value for option, value in reference.defaults.items() if option not in OTHER_WAYS}
    assert mine.defaults == theirs
