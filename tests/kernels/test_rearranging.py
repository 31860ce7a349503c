"""Elements in another order, against NumPy's."""

import numpy as np
import pytest
from agreement import assert_agrees, assert_samples_agree
from lowered import run_lowered


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_samples(dtype):
    assert_samples_agree("roll", dtype)


@pytest.mark.parametrize(
    ("shifts", "axis"),
    [
        ((2,), (0,)),
        ((-7,), (1,)),
        ((1,), (3,)),
        ((0,), (2,)),
        ((1, -1), (1, 2)),
        ((3, 5), (3, 0)),
        ((1, 1), (2, 2)),
        ((2, -2), (1, 1)),
        ((1, -6, 1), (0, 3, 0)),
    ],
)
def test_one_and_two_dimensions(shifts, axis):
    x = np.arange(120.0).reshape(4, 2, 3, 5)
    assert_agrees("roll", x, shifts=shifts, axis=axis)


def test_nothing_to_move():
    assert_agrees("roll", np.ones((2, 0, 3)), shifts=(1, 2), axis=(1, 2))
    assert_agrees("roll", np.ones((2, 3)), shifts=(), axis=())


def test_three_dimensions_are_left_to_python():
    assert run_lowered("roll", [np.ones((2, 2, 2))], {"shifts": (1, 1, 1), "axis": (0, 1, 2)}) is None
