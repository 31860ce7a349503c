"""A step that runs eagerly and a step that is compiled, side by side from the same state."""

import contextlib

import numpy as np
from python_step import in_python

import autograd_core as ag
from autograd_core import nn, optim

TOLERANCES = {"float32": (1e-4, 1e-5), "float64": (1e-10, 1e-12)}


def array(x):
    return None if x is None else np.array(x.array if isinstance(x, ag.Tensor) else x)


def seen(result):
    """What a call returned, as a list of arrays."""
    if isinstance(result, dict):
        result = list(result.values())
    result = result if isinstance(result, (tuple, list)) else [result]
    return [array(x) for x in result if x is not None]


def state(*holders):
    """Everything that a step may have changed in modules, optimizers, tensors and generators, by name."""
    found = {}
    for k, holder in enumerate(holders):
        if isinstance(holder, nn.Module):
            for name, x in [*holder.named_parameters(), *holder.named_buffers()]:
                found[f"{k}.{name}"] = array(x)
                found[f"{k}.{name}.grad"] = array(x.grad)
        elif isinstance(holder, optim.Optimizer):
            for name, fields in holder.state_dict()["state"].items():
                found.update({f"{k}.{name}.{field}": array(x) for field, x in fields.items()})
        elif isinstance(holder, ag.Tensor):
            found[f"{k}"], found[f"{k}.grad"] = array(holder), array(holder.grad)
    found["random"] = ag.creation.default_generator().get_state()
    return found


def assert_alike(a, b, rtol, atol, where=""):
    """Two states are the same, numbers up to rounding."""
    assert a.keys() == b.keys()
    for name, x in a.items():
        if name == "random" or x is None or b[name] is None:
            assert x is b[name] or x == b[name], f"{name} {where}"
        else:
            np.testing.assert_allclose(b[name], x, rtol=rtol, atol=atol, err_msg=f"{name} {where}", strict=True)


class Twins:
    """Two copies of what ``make()`` makes: a function and what it changes; one is compiled."""

    def __init__(self, make, dtype="float32", natively=True, tolerance=None):
        self.rtol, self.atol = tolerance or TOLERANCES[dtype]
        self.natively = natively
        self.eager, self.compiled = self._made(make), self._made(make)
        self.step = ag.compile(self.compiled[0])
        self.random = ag.creation.default_generator().get_state()

    def _made(self, make):
        ag.manual_seed(0)
        made = make()
        return made if isinstance(made, tuple) else (made,)

    def each(self, change):
        """Do the same to both: ``change(function, *holders)``."""
        change(*self.eager)
        change(*self.compiled)

    def __call__(self, *args, **kwargs):
        """Call both, and compare everything."""
        generator = ag.creation.default_generator()
        generator.set_state(self.random)
        expected = seen(self.eager[0](*args, **kwargs))
        before = state(*self.eager[1:])
        generator.set_state(self.random)
        with contextlib.nullcontext() if self.natively else in_python():
            found = seen(self.step(*args, **kwargs))
        after = state(*self.compiled[1:])
        self.random = generator.get_state()
        assert len(expected) == len(found)
        for x, y in zip(expected, found, strict=True):
            np.testing.assert_allclose(y, x, rtol=self.rtol, atol=self.atol, strict=True)
        assert_alike(before, after, self.rtol, self.atol)

    @property
    def recordings(self):
        return sum(map(len, self.step._runs.values()))
