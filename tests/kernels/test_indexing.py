"""Indices against NumPy's: forms, dtypes, bounds."""

import itertools

import numpy as np
import pytest
from agreement import assert_agrees, assert_samples_agree, refuses
from lowered import run_lowered

from autograd_core.ops.indexing import ARRAY

NAMES = ["index", "put", "places", "places_along", "gather"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("dtype", "index"), [("float32", "int32"), ("float64", "int64"), ("int64", "int64")])
def test_samples(name, dtype, index):
    assert_samples_agree(name, dtype, index)


def forms(rank, rng):
    """Forms of an index with one, two and three arrays among slices, integers and None, each with its arrays."""
    parts = [ARRAY, slice(None), slice(2, 0, -1), -1, None]
    for form in itertools.product(parts, repeat=rank + 1):
        named = sum(part is not None for part in form)
        if form.count(ARRAY) and named <= rank:
            yield form, [rng.integers(-2, 2, size=3) for _ in range(form.count(ARRAY))]


def test_all_forms_agree_with_numpy():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 3, 5))
    count = 0
    for form, arrays in forms(3, rng):
        operands = (x, *arrays)
        if run_lowered("index", operands, {"form": form}) is None:
            continue
        count += 1
        assert_agrees("index", *operands, form=form)
        assert_agrees("places", *arrays, form=form, sizes=x.shape)
        rest = iter(arrays)
        values = x[tuple(next(rest) if part is ARRAY else part for part in form)]
        assert_agrees("put", values, *arrays, form=form, shape=x.shape)
    assert count > 150


@pytest.mark.parametrize(
    ("shapes", "form"),
    [
        (((3, 1), (1, 4)), (ARRAY, ARRAY)),
        (((2, 3), (3,)), (slice(None), ARRAY, ARRAY)),
        (((2, 1, 1), (3, 1), (4,)), (ARRAY, ARRAY, ARRAY)),
        (((), (3,)), (ARRAY, ARRAY)),
        (((1, 1), (3,)), (ARRAY, slice(None), ARRAY)),
        (((2, 2),), (Ellipsis, ARRAY)),
        (((2, 2), (2,)), (ARRAY, Ellipsis, ARRAY)),
        (((0, 2),), (ARRAY,)),
        (((0,), (1,)), (ARRAY, ARRAY)),
        (((),), (slice(None), ARRAY)),
    ],
)
def test_arrays_broadcast(shapes, form):
    rng = np.random.default_rng(2)
    arrays = [rng.integers(-4, 4, size=s) for s in shapes]
    x = rng.normal(size=(4, 5, 6)).astype(np.float32)
    assert_agrees("index", x, *arrays, form=form)
    assert_agrees("places", *arrays, form=form, sizes=x.shape)


def test_small_dtypes_of_indices():
    x, index = np.arange(12.0).reshape(4, 3), np.array([[3, 0], [1, 1]])
    assert_agrees("index", x, index.astype(np.int8) - np.int8(4), form=(ARRAY,))
    assert_agrees("gather", x, index.astype(np.uint8))
    assert_agrees("places_along", index.astype(np.int16), axis=0, sizes=x.shape)


def test_many_places_in_one_dimension():
    rng = np.random.default_rng(3)
    table, index = rng.normal(size=(50, 16)).astype(np.float32), rng.integers(0, 50, size=(8, 40))
    assert_agrees("index", table, index, form=(ARRAY,))
    values = rng.normal(size=(8, 40, 16)).astype(np.float32)
    assert_agrees("put", values, index, form=(ARRAY,), shape=table.shape)


def test_index_along_more_dimensions():
    index = np.random.default_rng(4).integers(0, 3, size=(2, 3, 3, 2, 4))
    assert_agrees("places_along", index, axis=2, sizes=(3, 4, 3, 3, 5))
    assert_agrees("places_along", index, axis=0, sizes=(3, 3, 3, 2, 4))
    assert_agrees("places_along", index, axis=4, sizes=(2, 3, 3, 2, 3))


def test_bools():
    x, index = np.array([[True, False], [False, False]]), np.array([0, 1, 0])
    assert_agrees("index", x, index, form=(ARRAY,))
    assert_agrees("gather", x, index)


@pytest.mark.parametrize("bad", [4, -5, 10**15, -(10**15)])
def test_out_of_bounds(bad):
    x, index, other = np.arange(12.0).reshape(4, 3), np.array([0, -4, 3]), np.array([0, 1, 2])
    assert refuses("index", x, index.copy(), form=(ARRAY,), at=1, bad=bad)
    assert refuses("index", x, index.copy(), other, form=(ARRAY, ARRAY), at=1, bad=bad)
    assert refuses("index", x, index, other.copy(), form=(None, ARRAY, ARRAY), at=2, bad=3 if bad > 0 else -4)
    assert refuses("put", np.ones((3, 3)), index.copy(), form=(ARRAY,), shape=x.shape, at=1, bad=bad)
    assert refuses("places", index.copy(), form=(ARRAY,), sizes=x.shape, at=0, bad=bad)
    assert refuses("gather", x, index.copy(), at=1, bad=12 if bad > 0 else -13)


@pytest.mark.parametrize(
    ("name", "operands", "params"),
    [
        ("index", [np.ones((3, 2)), np.array([True, False, True])], {"form": (ARRAY,)}),
        ("index", [np.ones((3, 2))], {"form": (1,)}),
        ("put", [np.ones(3, bool), np.array([0, 1, 1])], {"form": (ARRAY,), "shape": (2,)}),
        ("put", [np.ones(()), np.array([0, 1, 1])], {"form": (ARRAY,), "shape": (2,)}),
        ("index", [np.ones((2, 2, 2, 2)), *[np.array([0, 1])] * 4], {"form": (ARRAY,) * 4}),
        ("index", [np.ones((4, 3, 3, 2)), np.array([0])], {"form": (slice(2), slice(2), slice(2), ARRAY)}),
    ],
)
def test_left_to_python(name, operands, params):
    assert run_lowered(name, operands, params) is None
