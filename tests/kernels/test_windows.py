"""What windows are lowered to, compared with their NumPy forwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lowered import run_lowered

import autograd_core  # noqa: F401  (registers the primitives)
from autograd_core.ops.windows import outputs
from autograd_core.primitive import REGISTRY

NAMES = ["sliding_windows", "overlap_add", "window_sum", "window_max", "window_argmax"]

# input, kernel, stride, padding, dilation
FORMS: dict[str, tuple[Any, ...]] = {
    "pairs": ((3, 4, 14, 14), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    "pairs that leave a rest": ((3, 4, 7, 9), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    "threes, overlapping, padded": ((2, 2, 9, 9), (3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1)),
    "all overlapping": ((2, 11, 12), (3, 2), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    "apart": ((2, 11, 12), (1, 2), (3, 5), ((0, 0), (0, 1)), (1, 1)),
    "dilated": ((2, 11, 12), (3, 3), (1, 3), ((2, 0), (1, 2)), (2, 3)),
    "cut": ((2, 8, 9), (2, 3), (2, 1), ((-1, -2), (-2, 3)), (1, 1)),
    "the whole": ((2, 3, 5, 6), (5, 6), (5, 6), ((0, 0), (0, 0)), (1, 1)),
    "one dimension": ((4, 33), (4,), (3,), ((1, 2),), (2,)),
    "no batch": ((33,), (3,), (3,), ((0, 0),), (1,)),
    "three dimensions": ((2, 4, 5, 6), (2, 2, 3), (2, 1, 2), ((0, 0), (1, 0), (1, 1)), (1, 1, 1)),
    "no channels": ((0, 4, 4), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
}


def _case(name: str, form: tuple[Any, ...]) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The operands and parameters of one of the five, for these windows; with ties."""
    rng = np.random.default_rng(1)
    given, kernel, stride, padding, dilation = form
    params = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    x = rng.integers(-5, 5, given) / 2
    if name == "overlap_add":
        n = len(kernel)
        counts = outputs(given[-n:], kernel, stride, padding, dilation)
        return [rng.normal(size=(*given[:-n], *kernel, *counts))], {**params, "sizes": given[-n:]}
    return [x, REGISTRY["window_max"].record.compute([x], params)] if name == "window_argmax" else [x], params


def _assert_same(name: str, arrays: list[np.ndarray], params: dict[str, Any], dtype: str) -> None:
    arrays = [x.astype(dtype) for x in arrays]
    expected = REGISTRY[name].record.compute(arrays, params)
    results = run_lowered(name, arrays, params)
    assert results is not None
    assert results[0].dtype == expected.dtype
    tolerance = 1e-5 if dtype == "float32" else 1e-13
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


@pytest.mark.parametrize("name", ["sliding_windows", "overlap_add", "window_sum"])
def test_integers(name: str) -> None:
    for dtype in ("int32", "int64"):
        arrays, params = _case(name, FORMS["dilated"])
        _assert_same(name, [np.round(4 * x) for x in arrays], params, dtype)


@pytest.mark.parametrize("form", ["pairs", "threes, overlapping, padded", "dilated", "one dimension"])
def test_nan_and_infinities(form: str) -> None:
    rng = np.random.default_rng(2)
    (x,), params = _case("window_max", FORMS[form])
    for value in (np.nan, np.inf, -np.inf):
        x[rng.random(x.shape) < 0.3] = value
    x[0] = -np.inf
    largest = run_lowered("window_max", [x], params)
    assert largest is not None
    np.testing.assert_array_equal(largest[0], REGISTRY["window_max"].record.compute([x], params))
    _assert_same("window_argmax", [x, largest[0]], params, "float64")


def test_kinks() -> None:
    for kink in REGISTRY["window_max"].record.kinks:
        results = run_lowered("window_max", [np.array(kink.args[0])], kink.params)
        assert results is not None
        np.testing.assert_array_equal(results[0], kink.value)


def test_what_is_not_lowered() -> None:
    arrays, params = _case("window_max", FORMS["pairs"])
    assert run_lowered("window_sum", [arrays[0] > 0], params) is None
    four = {"kernel": (1,) * 4, "stride": (1,) * 4, "padding": ((0, 0),) * 4, "dilation": (1,) * 4}
    assert run_lowered("window_max", [np.zeros((2, 2, 2, 2))], four) is None
