"""Counts, against NumPy's."""

import numpy as np
import pytest
from agreement import assert_agrees, assert_samples_agree, refuses


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_samples(dtype):
    assert_samples_agree("weights_at", dtype)


def test_many_and_none():
    rng = np.random.default_rng(1)
    assert_agrees("weights_at", rng.integers(0, 9, size=500), rng.normal(size=500).astype(np.float32), size=12)
    assert_agrees("weights_at", np.zeros(0, np.int64), np.zeros(0), size=0)
    assert_agrees("weights_at", np.zeros(0, np.int32), np.zeros(0), size=3)


@pytest.mark.parametrize("bad", [4, -1, 10**15])
def test_out_of_bounds(bad):
    assert refuses("weights_at", np.array([0, 3, 1]), np.ones(3), size=4, at=0, bad=bad)
