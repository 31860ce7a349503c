"""Recording every primitive, forward and backward: the program gives what eager gives."""

import numpy as np
import pytest
from interpreted import Interpreted, inputs
from samples import samples, trained

import autograd_core as ag
from autograd_core.compiler.program import interpret
from autograd_core.compiler.recorder import record
from autograd_core.primitive import REGISTRY

DATA_SHAPED = {"bincount", "distinct", "nonzero"}
"""The shape of the result depends on values."""


def shaped_by_values(name, sample):
    if name in ("index", "places"):
        first = 1 if name == "index" else 0
        return any(a.dtype == bool for a in sample.args[first:])
    return name in DATA_SHAPED and sample.params.get("what") != "inverse"


def picks_by_values(name, sample):
    """Whether the gradient is shaped by values: it picks again what a mask has put."""
    return name in ("put", "set") and any(a.dtype == bool for a in sample.args)


def test_the_list_is_exact():
    listed = {name for name, p in REGISTRY.items() if any(shaped_by_values(name, s) for s in samples(name))}
    assert listed == DATA_SHAPED | {"index", "places"}


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_forward(name):
    primitive = REGISTRY[name]
    for sample in samples(name):
        tensors = [ag.tensor(a) if isinstance(a, np.ndarray) else a for a in sample.args]

        def function(*given, sample=sample):
            return primitive(*given, **sample.params)

        if not any(isinstance(t, ag.Tensor) for t in tensors):
            continue
        if shaped_by_values(name, sample):
            with pytest.raises(ag.TracingError, match="depends on values"):
                record(function, tuple(tensors))
            continue
        recording = record(function, tuple(tensors))
        leaves = [t for t in tensors if isinstance(t, ag.Tensor)]
        values = interpret(recording.program, inputs(recording.program, leaves))
        expected = function(*tensors)
        expected = expected if isinstance(expected, tuple) else (expected,)
        for value, recorded, e in zip(values, recording.values, expected, strict=True):
            np.testing.assert_array_equal(value, e.array, strict=True)
            np.testing.assert_array_equal(recorded, e.array, strict=True)


@pytest.mark.parametrize("name", sorted(n for n, p in REGISTRY.items() if p.record.differentiable))
def test_backward(name):
    primitive, weights = REGISTRY[name], Weights()
    for sample in samples(name):
        positions = trained(primitive.record, sample)
        if shaped_by_values(name, sample) or not positions or picks_by_values(name, sample):
            continue

        def function(*given, sample=sample):
            out = primitive(*given, **sample.params)
            outs = out if isinstance(out, tuple) else (out,)
            ag.backward([o for o in outs if o.requires_grad], [weights[o.shape] for o in outs if o.requires_grad])
            return out

        def fresh(sample=sample, positions=positions):
            return [
                ag.tensor(a, requires_grad=i in positions) if isinstance(a, np.ndarray) else a
                for i, a in enumerate(sample.args)
            ]

        eager, first, second = fresh(), fresh(), fresh()
        function(*eager)
        compiled = Interpreted(function)
        compiled(*first)
        compiled(*second)
        assert len(compiled.runs) == 1
        for e, *others in zip(eager, first, second, strict=True):
            if not isinstance(e, ag.Tensor) or e.grad is None:
                continue
            for other in others:
                np.testing.assert_allclose(other.grad.array, e.grad.array, rtol=1e-12, atol=1e-14, strict=True)


class Weights(dict):
    """Cotangents by shape, the same each time."""

    def __missing__(self, shape):
        self[shape] = ag.tensor(np.random.default_rng(len(self)).normal(size=shape))
        return self[shape]
