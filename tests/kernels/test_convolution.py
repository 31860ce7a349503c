"""What convolutions are lowered to, compared with their NumPy forwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lowered import prepare_calls, run_lowered

import autograd_core  # noqa: F401  (registers the primitives)
from autograd_core.compiler.lowerings import LOWERINGS, Call, load_lowerings
from autograd_core.compiler.program import Instruction, Value
from autograd_core.ops.windows import outputs
from autograd_core.primitive import REGISTRY

NAMES = ["conv", "conv_input", "conv_weight"]

# input, weight, stride, padding, dilation, groups
FORMS: dict[str, tuple[Any, ...]] = {
    "LeNet's first": ((3, 1, 28, 28), (6, 1, 5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1), 1),
    "LeNet's second": ((2, 6, 14, 14), (16, 6, 5, 5), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "all of a row in one vector": ((2, 2, 4, 8), (3, 2, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "an output of one": ((2, 3, 3, 3), (5, 3, 3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "one by one": ((2, 5, 3, 7), (7, 5, 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "stride": ((2, 3, 9, 11), (4, 3, 3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), 1),
    "stride of one dimension": ((2, 3, 9, 11), (4, 3, 3, 3), (2, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "stride and dilation": ((1, 2, 13, 10), (3, 2, 3, 2), (3, 2), ((2, 1), (0, 3)), (2, 3), 1),
    "stride larger than the kernel": ((2, 2, 11, 10), (2, 2, 2, 1), (3, 4), ((0, 0), (1, 0)), (1, 1), 1),
    "a stride that leaves a rest": ((2, 1, 10, 12), (1, 1, 3, 3), (4, 4), ((0, 0), (0, 0)), (1, 1), 1),
    "negative padding": ((2, 2, 8, 9), (2, 2, 3, 3), (1, 2), ((-1, 2), (3, -2)), (1, 1), 1),
    "more padding than kernel": ((1, 1, 2, 2), (1, 1, 2, 2), (1, 1), ((5, 4), (3, 6)), (1, 1), 1),
    "groups": ((2, 6, 5, 6), (9, 2, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 3),
    "a group for each channel": ((2, 5, 6, 5), (10, 1, 3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), 5),
    "one dimension": ((3, 4, 21), (5, 4, 4), (1,), ((3, 0),), (2,), 1),
    "one dimension, strided": ((3, 4, 21), (6, 2, 4), (3,), ((1, 1),), (1,), 2),
    "three dimensions": ((2, 2, 4, 5, 6), (3, 2, 2, 3, 3), (1, 1, 1), ((0, 1), (1, 1), (1, 1)), (1, 1, 1), 1),
    "three dimensions, strided": ((1, 2, 5, 5, 6), (2, 1, 3, 2, 2), (2, 1, 3), ((1, 1),) * 3, (1, 2, 1), 2),
    "more rows than are done at a time": ((1, 1, 40, 40), (2, 1, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "no samples": ((0, 2, 5, 5), (3, 2, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
}


def _case(name: str, form: tuple[Any, ...], dtype: str = "float64") -> tuple[list[np.ndarray], dict[str, Any]]:
    """The operands and parameters of one of the three, for this convolution."""
    rng = np.random.default_rng(1)
    given, weights, stride, padding, dilation, groups = form
    counts = outputs(given[2:], weights[2:], stride, padding, dilation)
    shapes = given, weights, (given[0], weights[0], *counts)
    x, w, y = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    params: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return {
        "conv": ([x, w], params),
        "conv_input": ([y, w], {**params, "sizes": given[2:]}),
        "conv_weight": ([x, y], {**params, "kernel": weights[2:]}),
    }[name]


def _assert_same(name: str, arrays: list[np.ndarray], params: dict[str, Any], dtype: str) -> None:
    arrays = [x.astype(dtype) for x in arrays]
    expected = REGISTRY[name].record.compute(arrays, params)
    results = run_lowered(name, arrays, params)
    assert results is not None
    tolerance = 1e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(results[0], expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_samples(name: str, dtype: str) -> None:
    for sample in REGISTRY[name].record.samples(np.random.default_rng(0)):
        _assert_same(name, list(sample.args), sample.params, dtype)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_forms(name: str, form: str) -> None:
    for dtype in ("float32", "float64"):
        _assert_same(name, *_case(name, FORMS[form]), dtype)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_what_is_not_finite_stays_where_it_belongs(value: float) -> None:
    for form in ("LeNet's second", "all of a row in one vector", "stride", "negative padding"):
        for name, place in (("conv", 0), ("conv_input", 0), ("conv_weight", 0), ("conv_weight", 1)):
            arrays, params = _case(name, FORMS[form])
            arrays[place][0, 0, 1, -1] = value
            with np.errstate(invalid="ignore"):
                expected = REGISTRY[name].record.compute(arrays, params)
            results = run_lowered(name, arrays, params)
            assert results is not None
            np.testing.assert_array_equal(np.isfinite(results[0]), np.isfinite(expected))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written_beside_the_result(name: str) -> None:
    load_lowerings()
    for form in FORMS.values():
        arrays, params = _case(name, form, "float32")
        expected = REGISTRY[name].record.compute(arrays, params)
        values, result = [Value(x.shape, x.dtype) for x in arrays], Value(expected.shape, expected.dtype)
        call = LOWERINGS[name](Instruction(name, values, params, [result]))
        assert isinstance(call, Call)
        held = np.full(expected.size + 128, 7, np.float32)
        prepare_calls([call], {**dict(zip(values, arrays, strict=True)), result: held[64:]})()
        assert (held[:64] == 7).all()
        assert (held[-64:] == 7).all()
        np.testing.assert_allclose(held[64:-64].reshape(expected.shape), expected, rtol=1e-4, atol=1e-4)


def test_tables_do_not_depend_on_the_batch() -> None:
    load_lowerings()
    calls = []
    for n in (3, 5):
        given, *rest = FORMS["stride"]
        arrays, params = _case("conv", ((n, *given[1:]), *rest))
        values = [Value(x.shape, x.dtype) for x in arrays]
        shape = REGISTRY["conv"].record.compute(arrays, params).shape
        call = LOWERINGS["conv"](Instruction("conv", values, params, [Value(shape, "float64")]))
        assert isinstance(call, Call)
        calls.append([x for x in call.args if not isinstance(x, Value)])
    differ = [(a, b) for a, b in zip(*calls, strict=True) if a != b]
    assert differ == [(3, 5)]


def test_only_floats_of_one_kind() -> None:
    load_lowerings()
    arrays, params = _case("conv", FORMS["groups"])
    for dtypes in (("float32", "float64"), ("int64", "int64")):
        assert run_lowered("conv", [x.astype(t) for x, t in zip(arrays, dtypes, strict=True)], params) is None
