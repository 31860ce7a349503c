"""Every elementwise primitive as generated code computes it, against its NumPy forward: on samples and on extremes."""

from __future__ import annotations

import importlib
import itertools
import pkgutil

import numpy as np
import pytest

pytest.importorskip("numba")

from samples import samples

import autograd_core.kernels
from autograd_core.compiler.expressions import EXPRESSIONS, cast, compute_dtypes, expression
from autograd_core.compiler.native import compiled
from autograd_core.primitive import REGISTRY

ELEMENTWISE = sorted(name for name, p in REGISTRY.items() if p.record.elementwise)
IN_PYTHON = {"digamma", "erfinv", "lgamma", "polygamma"}

LIMITS = {np.dtype(t): np.finfo(t) for t in (np.float32, np.float64)}


def specials(dtype):
    """Numbers at which something happens, of a dtype."""
    if dtype.kind == "f":
        info = LIMITS[dtype]
        values = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -2.5, 2.0, 3.0, -7.0, np.inf, -np.inf, np.nan]
        values += [info.tiny, -info.smallest_subnormal, info.max, -info.max, 1e5, -1000.3]
    elif dtype.kind == "b":
        values = [False, True]
    else:
        info = np.iinfo(dtype)
        values = [0, 1, 2, 3, 5, 7, 31, 40, 63, 100, info.max, info.min]
        values += [] if dtype.kind == "u" else [-1, -2, -7, -31]
    return np.array(values, dtype)


def crossed(*arrays):
    """All combinations of elements, flat."""
    return [np.ascontiguousarray(x.ravel()) for x in np.meshgrid(*arrays, indexing="ij")]


TOGETHER = 6
"""Cases in a kernel: compiling one takes long, and so does one that is long."""


class Cases:
    """Many expressions, each in a loop of its own, in one native function."""

    def __init__(self):
        self.cases = []

    def add(self, name, operands, params):
        """One application to arrays of one length and Python numbers; False if it has no expression."""
        with np.errstate(all="ignore"):
            expected = np.asarray(REGISTRY[name].record.compute(operands, params))
        kinds = [x.dtype if isinstance(x, np.ndarray) else type(x) for x in operands]
        found = expression(name, kinds, expected.dtype, params)
        if found is not None:
            self.cases.append((name, operands, params, expected, *found))
        return found is not None

    def run(self):
        names, kernels, calls, addresses, results = set(), [], [], [], []
        for first in range(0, len(self.cases), TOGETHER):
            parameters, passed, loops = [], [], []

            def given(array, parameters=parameters, passed=passed):
                passed.append(f"to_{array.dtype}(table[{len(addresses)}])")
                parameters.append(f"x{len(parameters)}")
                addresses.append(array.ctypes.data)
                return parameters[-1]

            for name, operands, _, expected, text, functions in self.cases[first : first + TOGETHER]:
                names |= functions
                results.append(np.empty(expected.shape, expected.dtype))
                kinds = [x.dtype if isinstance(x, np.ndarray) else type(x) for x in operands]
                loaded = [
                    cast(f"{given(x)}[i]", x.dtype, dtype) if isinstance(x, np.ndarray) else f"np.{dtype}({x!r})"
                    for x, dtype in zip(operands, compute_dtypes(name, kinds, expected.dtype), strict=True)
                ]
                loops.append(f"    for i in range({expected.size}):\n")
                loops.append(f"        {given(results[-1])}[i] = {text.format(*loaded)}\n")
            kernels.append(f"@kernel\ndef loops_{first}({', '.join(parameters)}):\n{''.join(loops)}\n")
            calls.append(f"    loops_{first}({', '.join(passed)})\n")
        source = f"{''.join(kernels)}\ndef step(table):\n{''.join(calls)}    return 0\n"
        table = np.array(addresses, np.int64)
        compiled(source, sorted(names)).entry(table.ctypes.data)
        for (name, operands, params, expected, text, _), out in zip(self.cases, results, strict=True):
            self.compare(name, operands, params, expected, text, out)

    def compare(self, name, operands, params, expected, text, out):
        about = f"{name}{params or ''} as {text} of {[getattr(x, 'dtype', x) for x in operands]}"
        if expected.dtype.kind != "f":
            np.testing.assert_array_equal(out, expected, err_msg=about)
            return
        info = LIMITS[expected.dtype]
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(
                out, expected, rtol=0 if name in EXACT else 8 * info.eps, atol=info.tiny * 8 * info.eps, err_msg=about
            )


EXACT = frozenset(
    [
        *("add", "sub", "mul", "div", "neg", "abs", "square", "reciprocal", "positive", "sqrt", "root", "rsqrt"),
        *("copysign", "floor", "ceil", "trunc", "round", "frac", "sign", "heaviside", "relu", "maximum", "minimum"),
        *("clamp_min", "clamp_max", "fmax", "fmin", "where", "nan_to_num", "fmod", "remainder", "floor_divide"),
    ]
)
"""What rounds as NumPy does."""


def arguments(record, dtype):
    """Extremes of a dtype for each argument, in all combinations."""
    given = [specials(np.dtype(bool)) if d is bool and dtype.kind == "f" else specials(dtype) for d in record.domains]
    if record.name == "where":
        given[0] = specials(np.dtype(bool))
    if record.name == "lerp":  # an intermediate result may overflow in one and not in the other
        given = [x[~np.isfinite(x) | (np.absolute(x) < 1e30)] for x in given]
    if record.name == "heaviside" and dtype == np.int64:  # the forward goes through float64
        given = [np.clip(x, -(2**50), 2**50) for x in given]
    return crossed(*given)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_as_forward_on_floats(dtype):
    dtype = np.dtype(dtype)
    cases = Cases()
    for name in ELEMENTWISE:
        record = REGISTRY[name].record
        if name in IN_PYTHON or name.startswith("bitwise"):
            continue
        for params in PARAMETERS.get(name, [{}]):
            operands = [arguments(record, dtype)]
            for sample in [*samples(name), *record.kinks]:
                operands.append([x.ravel() for x in np.broadcast_arrays(*sample.args)])
            joined = [np.concatenate(x) for x in zip(*operands, strict=True)]
            assert cases.add(name, [x.astype(y.dtype) for x, y in zip(joined, operands[0], strict=True)], params), name
    cases.run()


PARAMETERS = {
    "round": [{}, {"decimals": 2}, {"decimals": -1}],
    "isclose": [{}, {"rtol": 0.5, "equal_nan": True}],
    "nan_to_num": [{}, {"nan": 2.0, "posinf": 3.0, "neginf": float("-inf")}],
}

INTEGERS = [
    *("add", "sub", "mul", "neg", "abs", "square", "maximum", "minimum", "clamp_min", "clamp_max", "fmax"),
    *("fmin", "relu", "sign", "where", "heaviside", "positive", "round", "floor", "ceil", "trunc", "frac"),
    *("eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "logical_not"),
    *("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "bitwise_left_shift", "bitwise_right_shift"),
    *("isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "isclose", "nan_to_num", "lerp"),
]
BOOLS = [
    *("add", "mul", "abs", "square", "maximum", "minimum", "fmax", "fmin", "where", "eq", "ne", "lt", "le"),
    *("logical_and", "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or", "bitwise_xor"),
    *("bitwise_not", "bitwise_left_shift", "isnan", "isfinite", "signbit", "isclose"),
]


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool"])
def test_same_as_forward_on_integers(dtype):
    dtype = np.dtype(dtype)
    cases = Cases()
    for name in BOOLS if dtype.kind == "b" else INTEGERS:
        if name != "lerp" or dtype.kind == "i":
            assert cases.add(name, arguments(REGISTRY[name].record, dtype), {}), name
    for name in ("floor_divide", "remainder", "fmod", "pow", "add", "mul", "maximum", "lt"):
        for number in (1, 3, 7) if dtype.kind in "bu" else (1, 3, 7, -2) if name != "pow" else (0, 2, 5):
            if dtype.kind != "b" or name not in ("pow",):
                assert cases.add(name, [specials(dtype), number], {}), name
    cases.run()


def test_curves_of_integers():
    cases = Cases()
    for dtype, name in itertools.product(
        ["int64", "int32", "bool", "uint8"], ["exp", "div", "sqrt", "sin", "erf", "pow", "atan2", "reciprocal"]
    ):
        x = np.arange(2 if dtype == "bool" else 9).astype(dtype)
        record = REGISTRY[name].record
        if name == "pow":
            assert cases.add(name, [x, 1.5], {})
        else:
            assert cases.add(name, [x] * len(record.arrays), {})
    cases.run()


def test_mixed_dtypes():
    cases = Cases()
    f32, f64 = np.array([0.5, -1.5, 16777216.0], np.float32), np.array([0.1, 1e300, -3.0])
    i64, u8 = np.array([3, -7, 16777217]), np.array([0, 7, 255], np.uint8)
    mask = np.array([True, False, True])
    for name in ("add", "maximum", "lt", "hypot"):
        for x, y in [(f32, f64), (i64, f32), (f32, u8), (mask, f32), (f64, i64), (u8, i64), (i64, mask)]:
            assert cases.add(name, [x, y], {})
    for x, number in itertools.product([f32, f64, i64, u8, mask], [2, 0.1]):
        assert cases.add("mul", [x, number], {})
    assert cases.add("lt", [u8, -1], {})
    assert cases.add("where", [mask, f32, i64], {})
    assert cases.add("where", [i64, f32, 2], {})
    assert cases.add("where", [mask, 1.0, f32], {})
    cases.run()


def test_casts():
    cases = Cases()
    dtypes = list(map(np.dtype, ["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"]))
    for source, target in itertools.permutations(dtypes, 2):
        x = np.array([0, 1, 2, 100, 300.7, -1.5, -0.25], np.float64)
        x = x[:4].astype(source) if source.kind in "bu" or target.kind == "u" else x.astype(source)
        if source.kind != "f":
            x = np.concatenate([x, specials(source)])
        assert cases.add("cast" if target.kind == "f" else "discrete_cast", [x], {"dtype": target})
    assert cases.add("clone", [specials(np.dtype(np.float32))], {})
    cases.run()


def test_every_elementwise_primitive_has_an_expression():
    for name in ELEMENTWISE:
        dtype = np.dtype(bool) if name.startswith("bitwise") else np.dtype(np.float32)
        kinds = [dtype] * len(REGISTRY[name].record.arrays)
        found = expression(name, kinds, dtype, {}) or expression(name, [np.dtype(np.int64)] * len(kinds), np.int64, {})
        assert (found is None) == (name in IN_PYTHON), name
    assert set(EXPRESSIONS) <= set(REGISTRY)


def test_what_can_fail_runs_in_python():
    i64 = np.dtype(np.int64)
    assert expression("remainder", [i64, i64], i64, {}) is None  # by zero
    assert expression("pow", [i64, i64], i64, {}) is None  # with a negative exponent
    assert expression("remainder", [i64, int], i64, {}) == ("{0} % {1}", set())
    assert expression("add", [np.dtype(np.float16)] * 2, np.float16, {}) is None


def test_float32_meets_nothing_wider():
    for name in ELEMENTWISE:
        kinds = [np.dtype(np.float32)] * len(REGISTRY[name].record.arrays)
        found = expression(name, kinds, np.float32, {})
        wide = any(d == np.float64 for d in compute_dtypes(name, kinds, np.float32))
        assert found is None or wide or "float64" not in found[0], name


def test_functions_have_one_name():
    owner = {}
    for module in pkgutil.iter_modules(autograd_core.kernels.__path__):
        content = vars(importlib.import_module(f"autograd_core.kernels.{module.name}"))
        for name, function in content.items():
            if hasattr(function, "py_func") and function.py_func.__module__.endswith(f".{module.name}"):
                assert owner.setdefault(name, module.name) == module.name, f"{name} is in two modules"
