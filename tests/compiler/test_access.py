"""Where values are: views of buffers, against NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_core.compiler.access import VIEWS, Access, Buffer, contiguous_strides, overlap, viewed
from autograd_core.compiler.program import Instruction, Value
from autograd_core.primitive import REGISTRY


def elements(access):
    """The numbers in a buffer of 0, 1, 2 ... that an access goes to."""
    memory = np.arange(access.buffer.size)
    strides = [s * memory.itemsize for s in access.strides]
    return np.ndarray(access.shape, memory.dtype, memory, access.offset * memory.itemsize, strides)


def whole(*shape):
    return Access.whole(Buffer(int(np.prod(shape)), np.dtype("float32")), shape)


APPLIED = [
    ("reshape", {"shape": (6, 4)}),
    ("permute", {"dims": (2, 0, 1)}),
    ("broadcast_to", {"shape": (5, 2, 3, 4)}),
    ("clone", {}),
    ("positive", {}),
    ("flip", {"axis": (0, 2)}),
    ("index", {"form": (1,)}),
    ("index", {"form": (1, 2, 3)}),  # a single element
    ("index", {"form": (slice(None), slice(None, None, -1), slice(3, 0, -2))}),
    ("index", {"form": (Ellipsis, None, 0)}),
    ("index", {"form": (slice(2, 0),)}),  # nothing
    ("split", {"sizes": (1, 0, 2), "axis": 1}),
    ("unbind", {"axis": 2}),
    ("diagonal", {"offset": 1, "axis1": 1, "axis2": 2}),
    ("windows", {"axis": 2, "size": 3, "step": 1}),
]


def assert_viewed(name, params, access):
    """The results are the elements that the primitive gives."""
    expected = REGISTRY[name].record.compute([elements(access)], params)
    found = viewed(Instruction(name, [Value(access.shape, "float32")], params), access)
    assert found is not None
    for place, x in zip(found, expected if isinstance(expected, tuple) else (expected,), strict=True):
        np.testing.assert_array_equal(elements(place), x)
        assert place.shape == x.shape
    return found


@pytest.mark.parametrize(("name", "params"), APPLIED)
def test_views(name, params):
    assert_viewed(name, params, whole(2, 3, 4))
    if name != "reshape":
        turned = Access(whole(24).buffer, 23, (2, 3, 4), (-1, -2, -6))
        assert_viewed(name, params, turned)


def test_every_view_is_tested():
    assert {name for name, _ in APPLIED} >= VIEWS


@pytest.mark.parametrize("name", ["unbind", "index"])
def test_single_elements_of_a_row(name):
    """NumPy gives numbers there, and no views."""
    row = Access(Buffer(10, np.dtype("float64")), 2, (4,), (2,))
    if name == "unbind":
        places = assert_viewed("unbind", {"axis": 0}, row)
        assert [p.offset for p in places] == [2, 4, 6, 8]
    else:
        (place,) = assert_viewed("index", {"form": (-1,)}, row)
        assert (place.offset, place.shape) == (8, ())


def test_a_scalar_that_is_flipped():
    (place,) = assert_viewed("flip", {"axis": ()}, Access(Buffer(5, np.dtype("float32")), 3, (), ()))
    assert place.offset == 3


def test_reshaping_what_cannot_stay_where_it_is():
    turned = Access(whole(6).buffer, 0, (3, 2), (1, 3))
    assert viewed(Instruction("reshape", [Value((3, 2), "float32")], {"shape": (6,)}), turned) is None


def test_nothing_is_nowhere():
    assert viewed(Instruction("reshape", [Value((0, 2), "float32")], {"shape": (0,)}), whole(0, 2)) is None


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (1, 3), (2, 1, 3), (0, 2)])
def test_contiguous(shape):
    assert whole(*shape).is_contiguous
    array = np.zeros(shape)
    if array.size:
        assert contiguous_strides(shape) == tuple(s // 8 for s in array.strides)


def test_not_contiguous():
    buffer = Buffer(12, np.dtype("float32"))
    assert not Access(buffer, 0, (3, 4), (1, 3)).is_contiguous
    assert not Access(buffer, 0, (2, 3), (4, 1)).is_contiguous
    assert not Access(buffer, 0, (3,), (0,)).is_contiguous
    assert Access(buffer, 3, (1, 4), (100, 1)).is_contiguous


def test_over():
    assert whole(3, 1, 2).over((5, 3, 4, 2)) == (0, 2, 0, 1)
    assert whole().over((2, 3)) == (0, 0)


accesses = st.builds(
    lambda offset, shape, strides: (offset, tuple(shape), tuple(strides[: len(shape)])),
    st.integers(0, 20),
    st.lists(st.integers(1, 4), max_size=3),
    st.lists(st.integers(-3, 6), min_size=3, max_size=3),
)


@given(accesses, accesses)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_overlap(one, other):
    """Two accesses meet if they have an element in common; it may be said of others that take long to tell."""
    buffer = Buffer(100, np.dtype("float32"))
    a, b = (Access(buffer, offset + 30, shape, strides) for offset, shape, strides in (one, other))
    common = set(elements(a).ravel()) & set(elements(b).ravel())
    assert overlap(a, b) or not common
    if max(len(a.shape), len(b.shape)) <= 1:
        assert overlap(a, b) == bool(common)


def test_rows_and_columns_of_a_matrix_do_not_meet():
    buffer = Buffer(12, np.dtype("float32"))
    first, second = (Access(buffer, k, (3, 2), (4, 1)) for k in (0, 2))
    assert not overlap(first, second)
    assert overlap(first, Access(buffer, 1, (3, 2), (4, 1)))
