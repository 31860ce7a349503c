"""Where extremes are, against NumPy's."""

import numpy as np
import pytest
from agreement import assert_agrees, assert_samples_agree

NAMES = ["argmax", "argmin"]
nan, inf = np.nan, np.inf


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_samples(name, dtype):
    assert_samples_agree(name, dtype)


@pytest.mark.parametrize("name", NAMES)
def test_first_of_equals_in_long_rows(name):
    rng = np.random.default_rng(1)
    x = rng.integers(0, 30, size=(6, 100, 4)).astype(np.float32)
    for axis in range(3):
        assert_agrees(name, x, axis=axis)
        assert_agrees(name, x.astype(np.int64), axis=axis)
    assert_agrees(name, x.transpose(0, 2, 1), axis=2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("row", [[nan, 5, inf], [1, nan, nan], [inf, -inf, nan], [-0.0, 0.0, -0.0], [inf, inf, inf]])
def test_nan_and_infinities(name, row):
    x = np.array([row, row[::-1]])
    assert_agrees(name, x, axis=1)
    assert_agrees(name, x.T, axis=0)
    assert_agrees(name, np.repeat(x, 40, axis=1), axis=1)


def test_bools():
    assert_agrees("argmax", np.array([[False, True, True], [False, False, False]]), axis=1)
