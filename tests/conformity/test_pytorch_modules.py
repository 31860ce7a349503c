"""Every layer and loss on PyTorch's own sample inputs: the same values, gradients and state.

PyTorch keeps, for each of its modules, arguments to construct and to call it with.  Theirs and ours are made from the
same arguments; ours loads their state_dict, so all its names and shapes must be theirs.  Both are called in training
mode, where outputs, gradients of inputs and parameters, and afterwards the state must agree, and then in evaluation
mode.  Where we decided otherwise, the family's file says so, with the reason.
"""

import importlib
import warnings
from pathlib import Path

import numpy as np
import pytest
from with_pytorch import array, converted, flat, same, torch

import autograd_core as ag
from autograd_core import nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_modules import module_db

FAMILIES = [importlib.import_module(path.stem) for path in sorted(Path(__file__).parent.glob("modules_*.py"))]
DEPARTURES = {name: entries for family in FAMILIES for name, entries in family.DEPARTURES.items()}
NOT_BUILT = {
    "CTCLoss": "speech recognition",
    "LinearCrossEntropyLoss": "a fusion; compile does it",
    **{f"LazyConv{kind}{n}d": "sizes are given, to be read" for kind in ("", "Transpose") for n in (1, 2, 3)},
}
"""Samples of PyTorch for what we do not have, and why."""

ENTRIES = {entry.name.removeprefix("nn."): entry for entry in module_db}


class Sample:
    """What a layer is made of and called with."""

    def __init__(self, sample):
        self.args, self.kwargs = sample.constructor_input.args, sample.constructor_input.kwargs
        self.inputs, self.options = sample.forward_input.args, sample.forward_input.kwargs

    def __repr__(self):
        return f"{self.args} {self.kwargs} called with {self.inputs} {self.options}"[:800]


def samples(name, training):
    torch.manual_seed(0)
    entry = ENTRIES[name]
    found = entry.module_inputs_func(entry, device="cpu", dtype=torch.float64, requires_grad=True, training=training)
    return [Sample(s) for s in found if s.forward_input is not None]


def compare(what, mine, theirs):
    if theirs is None or mine is None:
        zero = mine if theirs is None else theirs
        assert zero is None or not np.any(array(zero)), f"{what}: only one side has it"
    else:
        same(mine, theirs, what, rtol=1e-8, atol=1e-8)


def run(sample, mine, theirs, what):
    """Call both; compare the outputs and all gradients."""
    leaves = [(p, q) for (_, p), (_, q) in zip(theirs.named_parameters(), mine.named_parameters(), strict=True)]
    inputs = [converted(x, leaves) for x in sample.inputs]
    options = converted(sample.options, leaves)
    expected = flat(theirs(*sample.inputs, **sample.options))
    found = flat(mine(*inputs, **options))
    assert len(found) == len(expected), what
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        compare(f"{what}: output {i}", a, b)
    pairs = [(a, b) for a, b in zip(found, expected, strict=True) if b.requires_grad]
    if not pairs or not leaves:
        return
    rng = np.random.default_rng(0)
    directions = [rng.normal(size=tuple(b.shape)) for _, b in pairs]
    toward = [torch.tensor(d) for d in directions]
    their_grads = torch.autograd.grad([b for _, b in pairs], [t for t, _ in leaves], toward, allow_unused=True)
    my_grads = ag.grad([a for a, _ in pairs], [m for _, m in leaves], directions, allow_unused=True)
    for i, (a, b) in enumerate(zip(my_grads, their_grads, strict=True)):
        compare(f"{what}: gradient {i}", a, b)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", [name for name in ENTRIES if hasattr(nn, name)])
@np.errstate(all="ignore")
def test_same_as_pytorch(name, training, record_property):
    compared = departures = 0
    for number, sample in enumerate(samples(name, training)):
        if any(applies(sample) for applies, _ in DEPARTURES.get(name, [])):
            departures += 1
            continue
        what = f"{name} sample {number}: {sample!r}"
        theirs = ENTRIES[name].module_cls(*sample.args, **sample.kwargs).double().train(training)
        mine = getattr(nn, name)(*converted(sample.args, []), **converted(sample.kwargs, [])).double().train(training)
        assert [n for n, _ in mine.named_parameters()] == [n for n, _ in theirs.named_parameters()], what
        mine.load_state_dict({n: t.numpy() for n, t in theirs.state_dict().items()})
        run(sample, mine, theirs, what)
        state = mine.state_dict()
        for key, value in theirs.state_dict().items():
            compare(f"{what}: {key} afterwards", state[key], value)
        if training:
            run(sample, mine.eval(), theirs.eval(), f"{what}, then in evaluation")
        compared += 1
    assert compared, f"{name}: every sample is a departure"
    for key, value in (("name", name), ("compared", compared), ("departures", departures)):
        record_property(key, value)


def test_every_module_is_compared_or_left_out_on_purpose():
    assert {name for name in ENTRIES if not hasattr(nn, name)} == set(NOT_BUILT)


def test_every_departure_has_a_reason_and_applies():
    for name, entries in DEPARTURES.items():
        assert name in ENTRIES
        given = samples(name, True) + samples(name, False)
        for applies, reason in entries:
            assert len(reason) > 20
            assert any(applies(sample) for sample in given), f"{name}: no sample needs the departure: {reason}"
