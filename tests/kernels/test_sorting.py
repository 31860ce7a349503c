"""Order, against NumPy's."""

import numpy as np
import pytest
from agreement import assert_agrees, assert_samples_agree

nan, inf = np.nan, np.inf


@pytest.mark.parametrize("name", ["argsort", "argmode", "searchsorted"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_samples(name, dtype):
    assert_samples_agree(name, dtype)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 16, 17, 100, 1000])
def test_sorting_is_stable(n, descending):
    rng = np.random.default_rng(n)
    x = rng.integers(0, 10, size=(3, n)).astype(np.float64)
    x[rng.random(x.shape) < 0.1] = nan
    x[rng.random(x.shape) < 0.1] = -inf
    assert_agrees("argsort", x, axis=1, descending=descending)
    assert_agrees("argsort", x.T, axis=0, descending=descending)
    assert_agrees("argsort", rng.normal(size=(2, n)), axis=1, descending=descending)


def test_sorted_already_and_backwards():
    for x in (np.arange(100.0), -np.arange(100.0), np.zeros(100)):
        assert_agrees("argsort", x, axis=0, descending=False)


@pytest.mark.parametrize(
    "row", [[nan, nan, 1, 2], [inf, inf, 3, 3, 1], [inf, inf, 2], [-inf, -inf, 0], [1, 2, 2, 1], [5]]
)
def test_most_frequent(row):
    with np.errstate(invalid="ignore"):  # of infinities subtracted
        assert_agrees("argmode", np.array([row, row[::-1]], np.float64), axis=1)


def test_most_frequent_of_many():
    x = np.random.default_rng(4).integers(0, 9, size=(5, 40, 3))
    for axis in range(3):
        assert_agrees("argmode", x, axis=axis)
    assert_agrees("argmode", x > 4, axis=1)


@pytest.mark.parametrize("right", [False, True])
def test_where_values_belong(right):
    rng = np.random.default_rng(5)
    edges = np.sort(rng.integers(0, 50, size=(3, 40)), axis=1)
    values = rng.integers(-3, 55, size=(3, 60))
    assert_agrees("searchsorted", edges[0], values, right=right)
    assert_agrees("searchsorted", edges, values, right=right)
    assert_agrees("searchsorted", edges[0].astype(np.float64), values / 2, right=right)
    assert_agrees("searchsorted", edges[0], values.astype(np.float64) + 0.5, right=right)
    odd = np.array([nan, inf, -inf, 0.0, 2.0])
    assert_agrees("searchsorted", np.array([-inf, 0.0, 2.0, inf, nan, nan]), odd, right=right)
    assert_agrees("searchsorted", np.zeros(0), odd, right=right)
    assert_agrees("searchsorted", np.zeros((2, 3)), np.zeros((2, 0)), right=right)
