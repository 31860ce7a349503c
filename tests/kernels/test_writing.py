"""Writes at places, against NumPy's."""

import numpy as np
import pytest
from agreement import assert_agrees, assert_samples_agree, refuses
from lowered import run_lowered

from autograd_core.ops.indexing import ARRAY

NAMES = ["scatter_add", "scatter", "scatter_extreme", "is_last", "set"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("dtype", "index"), [("float32", "int32"), ("float64", "int64"), ("int64", "int64")])
def test_samples(name, dtype, index):
    assert_samples_agree(name, dtype, index)


@pytest.mark.parametrize("shape", [(0,), (), (300,)])
def test_places_that_repeat(shape):
    rng = np.random.default_rng(1)
    x, places, src = rng.normal(size=(5, 3)), rng.integers(-15, 15, size=shape), rng.normal(size=shape)
    assert_agrees("scatter_add", src, places, shape=(5, 3))
    assert_agrees("scatter", x, places, src)
    assert_agrees("scatter", x, places, np.array(7.0))
    assert_agrees("scatter_extreme", x, places, src, largest=True)
    assert_agrees("scatter_extreme", x, places, src, largest=False)
    assert_agrees("is_last", np.asarray(places % 15), size=15)


@pytest.mark.parametrize("largest", [True, False])
def test_nan_is_the_extreme(largest):
    x, places = np.array([1.0, np.nan, 3.0, np.inf]), np.array([0, 1, 2, 2, 0, 3])
    assert_agrees("scatter_extreme", x, places, np.array([5.0, 1, np.nan, 9, -5, np.nan]), largest=largest)


@pytest.mark.parametrize("bad", [6, -7, 10**15, -(10**15)])
def test_out_of_bounds(bad):
    x, places, src = np.ones((2, 3)), np.array([0, -6, 5]), np.ones(3)
    assert refuses("scatter_add", src, places.copy(), shape=x.shape, at=1, bad=bad)
    assert refuses("scatter", x, places.copy(), src, at=1, bad=bad)
    assert refuses("scatter_extreme", x, places.copy(), src, largest=True, at=1, bad=bad)
    assert refuses("is_last", places.copy(), size=6, at=0, bad=bad)


MASK = np.array([True, False, True, True])


@pytest.mark.parametrize("value", [(), (1,), (3,), (1, 3), (3, 3)])
@pytest.mark.parametrize("form", [(ARRAY,), (ARRAY, slice(None)), (ARRAY, Ellipsis)])
def test_mask_of_rows(form, value):
    rng = np.random.default_rng(2)
    assert_agrees("set", rng.normal(size=(4, 3)), rng.normal(size=value), MASK, form=form)


@pytest.mark.parametrize("value", [(), (2,), (1,)])
def test_mask_of_elements(value):
    rng = np.random.default_rng(3)
    mask = np.array([[False, True], [False, False], [True, False]])
    assert_agrees("set", rng.normal(size=(3, 2)), rng.normal(size=value), mask, form=(ARRAY,))
    assert_agrees("set", np.zeros((3, 2)), np.zeros(()), np.zeros((3, 2), bool), form=(ARRAY,))


@pytest.mark.parametrize("entry", [0, 1])
def test_mask_of_another_number_of_rows(entry):
    mask = MASK.copy()
    mask[-1] = entry == 0
    assert refuses("set", np.ones((4, 3)), np.ones((mask.sum(), 3)), mask, form=(ARRAY,), at=2, bad=entry)


@pytest.mark.parametrize(
    ("name", "operands", "params"),
    [
        ("set", [np.ones((4, 3)), np.ones(3), MASK], {"form": (ARRAY, 2)}),
        ("set", [np.ones((4, 3)), np.ones((4, 2)), np.array([True, False, True])], {"form": (slice(None), ARRAY)}),
        ("set", [np.ones((4, 3)), np.ones((3, 1)), MASK], {"form": (ARRAY,)}),
        ("scatter", [np.ones(3, np.float32), np.array([0]), np.ones(1)], {}),
        ("scatter_add", [np.ones(3, bool), np.array([0, 0, 1])], {"shape": (2,)}),
    ],
)
def test_left_to_python(name, operands, params):
    assert run_lowered(name, operands, params) is None
