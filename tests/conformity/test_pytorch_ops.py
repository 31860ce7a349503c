"""Every operation on PyTorch's own sample inputs: the same values, the same gradients.

PyTorch keeps, for each of its operations, the arguments it is tested with.  Each is given to both libraries in float64;
values must agree, and so must the gradients by every floating argument for a random cotangent.  Where we decided
otherwise, the family's file says so, with the reason.
"""

import importlib
import operator
import warnings

import numpy as np
import pytest
from with_pytorch import array, converted, flat, same, torch

import autograd_core as ag

FAMILIES = [
    importlib.import_module(f"family_{name}")
    for name in ("elementwise", "reductions", "shapes", "linalg", "layers", "losses")
]
NAMES = {name for family in FAMILIES for name in family.NAMES}
CALLS = {name: call for family in FAMILIES for name, call in getattr(family, "CALLS", {}).items()}
DEPARTURES = {name: entries for family in FAMILIES for name, entries in family.DEPARTURES.items()}

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db


def known(entry):
    """Whether we have it, and PyTorch has it for real numbers on a CPU."""
    real = {torch.float64, torch.int64, torch.bool} & set(entry.dtypes)
    return entry.name in NAMES and entry.variant_test_name != "complex" and bool(real)


def ours(entry):
    """Our function of PyTorch's name; the family's own call where PyTorch's samples come in another form."""
    for key in (identity(entry), entry.name):
        if key in CALLS:
            return CALLS[key]
    name = entry.name
    if name in ("float", "double", "half", "int", "long", "short", "bool", "byte", "char"):
        return getattr(ag.Tensor, name)  # in the package these are dtypes
    if name in ("T", "mT"):
        return operator.attrgetter(name)
    if name.startswith("__"):
        symbol = name.strip("_").removeprefix("r")
        function = getattr(operator, {"div": "truediv", "and": "and_", "or": "or_"}.get(symbol, symbol))
        return (lambda a, b: function(b, a)) if name.startswith("__r") else function
    found = ag
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            return getattr(ag.Tensor, name)
    return found


def identity(entry):
    return "-".join(filter(None, (entry.name, entry.variant_test_name)))


ENTRIES = [pytest.param(entry, id=identity(entry)) for entry in op_db if known(entry)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("entry", ENTRIES)
@np.errstate(all="ignore")
def test_same_as_pytorch(entry, record_property):
    torch.manual_seed(0)
    function = ours(entry)
    compared = departures = 0
    differentiable = entry.supports_autograd and torch.float64 in entry.dtypes
    dtype = torch.float64 if torch.float64 in entry.dtypes else torch.int64
    if dtype not in entry.dtypes:
        dtype = torch.bool
    for number, sample in enumerate(entry.sample_inputs("cpu", dtype, requires_grad=differentiable)):
        if any(applies(sample) for applies, _ in DEPARTURES.get(entry.name, [])):
            departures += 1
            continue
        leaves = []
        args = [converted(a, leaves) for a in (sample.input, *sample.args)]
        keywords = converted(sample.kwargs, leaves)
        expected = flat(entry.op(sample.input, *sample.args, **sample.kwargs))
        found = flat(function(*args, **keywords))
        message = f"{entry.name} sample {number}: {str(sample)[:600]}"
        assert len(found) == len(expected), message
        for a, b in zip(found, expected, strict=True):
            same(a, b, message)
        compared += 1
        pairs = [(a, b) for a, b in zip(found, expected, strict=True) if b.requires_grad and b.dtype == torch.float64]
        if not leaves or not pairs:
            continue
        assert all(a.requires_grad for a, _ in pairs), f"{message}: no gradient where PyTorch has one"
        rng = np.random.default_rng(number)
        directions = [rng.normal(size=tuple(b.shape)) for _, b in pairs]
        theirs = torch.autograd.grad(
            [b for _, b in pairs], [t for t, _ in leaves], [torch.tensor(d) for d in directions], allow_unused=True
        )
        mine = ag.grad([a for a, _ in pairs], [m for _, m in leaves], directions, allow_unused=True)
        for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            if b is None or a is None:
                zero = a if b is None else b
                assert zero is None or not np.any(array(zero)), f"{message}: gradient {i} only on one side"
            else:
                same(a, b, f"{message}: gradient {i}")
    assert compared, f"{entry.name}: every sample is a departure"
    for key, value in (("name", entry.name), ("compared", compared), ("departures", departures)):
        record_property(key, value)


def test_every_name_is_compared():
    missing = sorted(NAMES - {e.name for e in op_db})
    assert not missing, f"PyTorch has no samples for {missing}"


def test_every_departure_has_a_reason_and_applies():
    for name, entries in DEPARTURES.items():
        assert name in NAMES
        for _, reason in entries:
            assert len(reason) > 20
