"""Every primitive, compiled: values and gradients are those of eager code.

All primitives of a family (a module of `autograd_core.ops`) are one function, so that few programs have to be compiled.
"""

from collections import defaultdict

import numpy as np
import pytest
from samples import samples, trained

import autograd_core as ag
from autograd_core.primitive import REGISTRY

pytest.importorskip("numba")

DATA_SHAPED = {"bincount", "distinct", "nonzero"}
"""The shape of the result depends on values: refused (see the tests of the recorder)."""


def shaped_by_values(name, sample):
    if name in ("index", "places"):
        return any(getattr(a, "dtype", None) == bool for a in sample.args[1 if name == "index" else 0 :])
    return name in DATA_SHAPED and sample.params.get("what") != "inverse"


def picks_by_values(name, sample):
    """Whether the gradient is shaped by values: it picks again what a mask has put."""
    return name in ("put", "set") and any(getattr(a, "dtype", None) == bool for a in sample.args)


def families():
    found = defaultdict(list)
    for name, primitive in sorted(REGISTRY.items()):
        found[primitive.record.forward.__module__.rpartition(".")[2]].append(name)
    return found


FAMILIES = families()


def cases(names, dtype):
    """(name, arguments, parameters, positions of those with a gradient) of all samples and kinks, in a dtype."""
    rng = np.random.default_rng(5)
    for name in names:
        record = REGISTRY[name].record
        given = [s for s in samples(name) if not shaped_by_values(name, s)]
        given += [type(k)(*map(np.asarray, k.args), value=k.value, grads=k.grads, **k.params) for k in record.kinks]
        for sample in given:
            args = [a.astype(dtype) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in sample.args]
            positions = trained(record, sample) if record.differentiable else []
            if picks_by_values(name, sample):
                positions = []
            cotangent = rng.normal(size=64)
            yield name, args, sample.params, positions, cotangent


def applied(table):
    """A function of all arguments of all cases that gives all values and gradients."""

    def function(given):
        results = []
        for (name, _, params, positions, cotangent), args in zip(table, given, strict=True):
            out = REGISTRY[name](*args, **params)
            outs = out if isinstance(out, tuple) else (out,)
            smooth = [o for o in outs if o.requires_grad]
            found = ()
            if smooth:
                directions = [np.resize(cotangent, o.shape).astype(o.dtype) for o in smooth]
                found = ag.grad(smooth, [args[i] for i in positions], directions)
            results.append((outs, found))
        return results

    return function


def tensors(table):
    return [
        [ag.tensor(a, requires_grad=i in positions) if isinstance(a, np.ndarray) else a for i, a in enumerate(args)]
        for _, args, _, positions, _ in table
    ]


TOLERANCE = {"float32": 2e-5, "float64": 1e-12}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_compiled_is_eager(family, dtype):
    table = list(cases(FAMILIES[family], dtype))
    function = applied(table)
    step = ag.compile(function)
    given = tensors(table)
    with np.errstate(all="ignore"):
        expected = function(given)
        step(given)
        found = step(given)
    differing = []
    for case, now, before in zip(table, found, expected, strict=True):
        for what, a, b in (("value", now[0], before[0]), ("gradient", now[1], before[1])):
            for x, y in zip(a, b, strict=True):
                x, y = x.numpy(), y.detach().numpy()
                try:
                    np.testing.assert_allclose(x, y, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype], strict=True)
                except AssertionError as error:
                    differing.append(f"{what} of {case[0]}{case[2]} at {case[1]!r}:\n{error}")
    assert not differing, f"{len(differing)} differ; the first:\n" + "\n".join(differing[:5])
