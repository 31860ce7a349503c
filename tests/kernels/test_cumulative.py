"""Running operations, against NumPy's."""

import numpy as np
import pytest
from agreement import assert_agrees, assert_samples_agree

NAMES = ["cumsum", "cumprod", "argcummax", "argcummin"]
nan, inf = np.nan, np.inf


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_samples(name, dtype):
    assert_samples_agree(name, dtype)


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 3e-6), ("float64", 1e-14)])
def test_samples_of_logcumsumexp(dtype, rtol):
    assert_samples_agree("logcumsumexp", dtype, rtol=rtol)


@pytest.mark.parametrize("dtype", ["bool", "int32"])
def test_integers_are_added_as_int64(dtype):
    x = np.random.default_rng(1).integers(0, 2 if dtype == "bool" else 200, size=(3, 5, 2)).astype(dtype)
    assert_agrees("cumsum", x, axis=1, reverse=False)
    assert_agrees("cumprod", x[..., 0], axis=1)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_none_and_many(axis):
    for size in ((2, 0, 3), (2, 3, 0), (4, 50, 20)):
        x = np.random.default_rng(2).normal(size=size)
        assert_agrees("cumsum", x, axis=axis, reverse=True)
        assert_agrees("cumprod", x, axis=axis)
        if x.size:
            assert_agrees("argcummax", x, axis=axis)
            assert_agrees("logcumsumexp", x, axis=axis, rtol=1e-12)


@pytest.mark.parametrize("row", [[1, 1, 0, 1], [nan, 1, nan, 2], [1, nan, 3, nan], [inf, -inf, inf, -inf], [0.0, -0.0]])
def test_ties_nan_and_infinities(row):
    x = np.array([row, row[::-1]], np.float64)
    with np.errstate(invalid="ignore"):
        for name in ("argcummax", "argcummin", "logcumsumexp"):
            assert_agrees(name, x, axis=1, rtol=1e-14)
            assert_agrees(name, x.T, axis=0, rtol=1e-14)
