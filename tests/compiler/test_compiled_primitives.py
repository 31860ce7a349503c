"""Every primitive, compiled: values and gradients are those of eager code.

All primitives of a family (a module of `autograd_core.ops`) are one function, so that few programs have to be compiled.
What is compiled is run twice: all samples as plain Python, which looks at every access to memory, and some natively.
"""

from collections import defaultdict

import numpy as np
import pytest
from samples import samples, trained

import autograd_core as ag
from autograd_core.primitive import REGISTRY, Sample

pytest.importorskip("numba")

DATA_SHAPED = {"bincount", "distinct", "nonzero"}
"""The shape of the result depends on values: refused (see the tests of the recorder)."""

DTYPES = ["float32", "float64"]
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}


def is_mask(x):
    return isinstance(x, np.ndarray) and x.dtype.kind == "b"


def shaped_by_values(name, sample):
    if name in ("index", "places"):
        return any(is_mask(a) for a in sample.args[1 if name == "index" else 0 :])
    return name in DATA_SHAPED and sample.params.get("what") != "inverse"


def picks_by_values(name, sample):
    """Whether the gradient is shaped by values: it picks again what a mask has put."""
    return name in ("put", "set") and any(map(is_mask, sample.args))


def families():
    found = defaultdict(list)
    for name, primitive in sorted(REGISTRY.items()):
        found[primitive.record.forward.__module__.rpartition(".")[2]].append(name)
    return found


FAMILIES = families()


class Case:
    """A primitive with arguments in a dtype."""

    def __init__(self, name, sample, dtype, rng):
        self.name, self.params = name, sample.params
        self.args = [a.astype(dtype) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in sample.args]
        record = REGISTRY[name].record
        learns = record.differentiable and not picks_by_values(name, sample)
        self.positions = trained(record, sample) if learns else []
        self.cotangent = rng.normal(size=64)

    def tensors(self):
        return [
            ag.tensor(a, requires_grad=i in self.positions) if isinstance(a, np.ndarray) else a
            for i, a in enumerate(self.args)
        ]

    def __call__(self, *args):
        """The values and the gradients."""
        out = REGISTRY[self.name](*args, **self.params)
        outs = out if isinstance(out, tuple) else (out,)
        smooth = [o for o in outs if o.requires_grad]
        if not smooth:
            return [*outs]
        directions = [np.resize(self.cotangent, o.shape).astype(o.dtype) for o in smooth]
        return [*outs, *ag.grad(smooth, [args[i] for i in self.positions], directions)]


def every(name):
    """All samples and kinks of a primitive."""
    given = [s for s in samples(name) if not shaped_by_values(name, s)]
    return given + [Sample(*map(np.asarray, k.args), **k.params) for k in REGISTRY[name].record.kinks]


def some(name):
    """Few samples: of what is elementwise, one for each set of parameters, with all values in a row."""
    given = every(name)
    if not REGISTRY[name].record.elementwise:
        return [given[0], given[-1]] if len(given) > 1 else given
    rows = defaultdict(list)
    for s in given:
        rows[tuple(s.params.items()), tuple(a.dtype.kind for a in s.args)].append(np.broadcast_arrays(*s.args))
    return [
        Sample(*(np.concatenate([a.ravel() for a in column]) for column in zip(*row, strict=True)), **dict(params))
        for (params, _), row in rows.items()
    ]


def assert_compiled_is_eager(family, dtype, chosen):
    rng = np.random.default_rng(5)
    table = [Case(name, sample, dtype, rng) for name in FAMILIES[family] for sample in chosen(name)]
    given = [case.tensors() for case in table]

    @ag.compile
    def step(given):
        return [case(*args) for case, args in zip(table, given, strict=True)]

    with np.errstate(all="ignore"):
        expected = step.function(given)
        step(given)
        found = step(given)
    assert len(step._runs) == len(next(iter(step._runs.values()))) == 1  # the second call was not recorded
    for case, now, before in zip(table, found, expected, strict=True):
        for x, y in zip(now, before, strict=True):
            np.testing.assert_allclose(
                x.numpy(), y.detach().numpy(), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype], strict=True,
                err_msg=f"{case.name}{case.params} at {case.args!r}",
            )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_as_python(family, dtype):
    from python_step import in_python

    with in_python():
        assert_compiled_is_eager(family, dtype, every)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_natively(family, dtype):
    assert_compiled_is_eager(family, dtype, some)
