"""Indexing and writing: every form against NumPy, repeats, exact gradients of scattered products, errors."""

import numpy as np
import pytest
from differences import gradient

import autograd_core as ag

nan, inf = np.nan, np.inf
A = np.arange(1.0, 25.0).reshape(2, 3, 4) / 3
MASK = np.array([[True, False, True], [False, False, True]])

INDICES = {
    "int": 1,
    "negative": (-1, -2),
    "slice": (slice(None), slice(None, None, -2)),
    "none": (None, 0, None),
    "ellipsis": (Ellipsis, 2),
    "nothing": (),
    "list": [0, 0, 1],
    "tensor": ag.tensor([1, 0, 1]),
    "0-d": np.array(1),
    "empty": [],
    "two lists": ([0, 1, 0], [2, 2, 2]),
    "broadcast lists": ([[0], [1]], [0, 2]),
    "list and slice": (slice(None), [0, 0], slice(1, 3)),
    "lists apart": ([0, 0], slice(None), [1, 1]),
    "list and int": ([1, 1], 0),
    "list after ellipsis": (Ellipsis, [3, 3, 0]),
    "none before list": (None, [1, 1], None, [0, 0]),
    "mask": MASK,
    "full mask": A > 4,
    "mask and int": (MASK, 1),
    "mask and list": (MASK, [0, 1, 3]),
    "row mask and list": ([True, True], [0, 2]),
    "scalar mask": True,
}


def plain(index):
    """The index for NumPy."""
    return (
        tuple(map(plain, index))
        if isinstance(index, tuple)
        else np.asarray(index)
        if index is INDICES["tensor"]
        else index
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", INDICES)
def test_picking_and_its_gradient(name, dtype):
    index, data = INDICES[name], A.astype(dtype)
    x = ag.tensor(data, requires_grad=True)
    out, expected = x[index], data[plain(index) if name != "empty" else np.zeros(0, int)]
    np.testing.assert_array_equal(out.detach().numpy(), expected)
    direction = np.random.default_rng(0).normal(size=expected.shape).astype(dtype)
    out.backward(direction)
    added = np.zeros_like(data)
    np.add.at(added, plain(index) if name != "empty" else np.zeros(0, int), direction)
    assert x.grad.dtype == out.dtype == np.dtype(dtype)
    np.testing.assert_allclose(x.grad.numpy(), added, rtol=1e-6)


@pytest.mark.parametrize("name", INDICES)
def test_writing_and_its_gradient(name):
    """Against one write after the other; an element that is overwritten later, or never reached, gets nothing."""
    index = INDICES[name]
    places = np.arange(A.size).reshape(A.shape)[plain(index) if name != "empty" else np.zeros(0, int)]
    value = np.random.default_rng(1).normal(size=places.shape)
    flat, writer = A.ravel().copy(), np.full(A.size, -1)
    for number, (place, v) in enumerate(zip(places.ravel(), value.ravel(), strict=True)):
        flat[place], writer[place] = v, number
    x, v = ag.tensor(A, requires_grad=True), ag.tensor(value, requires_grad=True)
    out = ag.setitem(x, index, v)
    np.testing.assert_array_equal(out.detach().numpy().ravel(), flat)
    g = np.random.default_rng(2).normal(size=A.shape)
    dx, dv = ag.grad(out, [x, v], g)
    np.testing.assert_array_equal(dx.numpy(), np.where(writer < 0, g.ravel(), 0).reshape(A.shape))
    expected = np.zeros(value.size)
    expected[writer[writer >= 0]] = g.ravel()[writer >= 0]
    np.testing.assert_array_equal(dv.numpy(), expected.reshape(value.shape))


def test_the_last_write_wins_and_so_does_its_gradient():
    y, v = ag.tensor([5.0, 6.0], requires_grad=True), ag.tensor([1.0, 2.0], requires_grad=True)
    for out in (
        ag.setitem(y, [0, 0], v),
        ag.index_put(y, (ag.tensor([0, 0]),), v),
        ag.index_copy(y, 0, [0, 0], v),
        ag.scatter(y, 0, ag.tensor([0, 0]), v),
        ag.put(y, ag.tensor([0, -2]), v),
    ):
        assert out.tolist() == [2, 6]
        dy, dv = ag.grad(out.sum(), [y, v])
        assert dy.tolist() == dv.tolist() == [0, 1]


@pytest.mark.parametrize(
    "index",
    [[0, 0], ([0, 0], slice(None)), ([[1, 0], [1, 1]], [0, 0])],
    ids=["rows", "with slice", "two"],
)
def test_values_broadcast_and_get_the_sum(index):
    x, value = ag.zeros(2, 3, dtype=ag.float64), np.random.default_rng(0).normal()
    for sized in (np.array(value), np.full((1,), value), np.full((1, 1, 1, 1), value)):
        v = ag.tensor(sized, requires_grad=True)
        out = ag.setitem(x, index, v)
        (dv,) = ag.grad(out, v, np.full((2, 3), 1.5))
        assert dv.shape == sized.shape
        np.testing.assert_allclose(dv.numpy().sum(), 1.5 * np.count_nonzero(out.detach().numpy()))


def test_values_take_the_dtype_of_what_they_are_written_to():
    assert ag.setitem(ag.zeros(2), 0, np.array(2.5)).dtype == ag.float32
    assert ag.setitem(ag.tensor([1, 2]), 0, 7).tolist() == [7, 2]
    assert ag.setitem(ag.zeros(3), slice(0, 2), [4, 5]).tolist() == [4, 5, 0]
    assert isinstance(ag.setitem(np.zeros(2), 0, 1.0), np.ndarray)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("width", [0, 1, 2, 7, 8])
def test_rows_accumulate_whatever_their_width(width, dtype):
    """Even and odd widths are added in different ways."""
    rng = np.random.default_rng(width)
    rows, index = (10 * rng.normal(size=(40, width))).astype(dtype), rng.integers(-5, 5, size=40)
    found = ag.index_put(ag.zeros(5, width, dtype=dtype), (ag.tensor(index),), ag.tensor(rows), accumulate=True)
    expected = np.zeros((5, width), dtype)
    np.add.at(expected, index, rows)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-5)
    again = ag.index_add(ag.zeros(5, width, dtype=dtype), 0, ag.tensor(index % 5), ag.tensor(rows))
    np.testing.assert_allclose(again.numpy(), expected, rtol=1e-5, atol=1e-5)


def test_rows_with_infinities_and_nan_stay_apart():
    x = ag.tensor(np.zeros((2, 4)), requires_grad=True)
    x[[0, 0]].backward(np.array([[inf, 1.0, nan, 2.0], [1.0, -inf, 3.0, 4.0]]))
    np.testing.assert_array_equal(x.grad.numpy(), [[inf, -inf, nan, 6], [0, 0, 0, 0]])


def test_what_is_not_picked_sends_no_nan():
    x = ag.tensor([0.0, 4.0], requires_grad=True)
    for pick in (
        lambda y: ag.gather(y, 0, ag.tensor([1])),
        lambda y: ag.take(y, [1]),
        lambda y: y.index_select(0, ag.tensor([1])),
        lambda y: y[[1]],
    ):
        (dx,) = ag.grad(pick(ag.sqrt(x)), x, np.ones(1))
        assert dx.tolist() == [0.0, 0.25]


SAME = {
    "gather smaller": lambda lib, x, i: lib.gather(x[0], 0, i[:, :2]),
    "gather int32": lambda lib, x, i: lib.gather(x[0], 1, i.to(lib.int64)),
    "take_along_dim broadcast": lambda lib, x, i: lib.take_along_dim(x, i[None, :1], dim=1),
    "take_along_dim flat": lambda lib, x, i: lib.take_along_dim(x, i),
    "index_select repeats": lambda lib, x, i: x.index_select(1, i[0]),
    "scatter number": lambda lib, x, i: x[0].scatter(1, i, 2.5),
    "scatter value": lambda lib, x, i: lib.scatter(x[0], 1, i, value=2.5),
    "index_add alpha": lambda lib, x, i: x.index_add(1, i[0, :3], x, alpha=-2),
    "index_fill": lambda lib, x, i: x.index_fill(2, i[0], 4),
    "masked_scatter": lambda lib, x, i: x.masked_scatter(x > 4, x.flip(0, 1) * 2),
    "slice_scatter": lambda lib, x, i: x.slice_scatter(x[:, :, :2] * 2, dim=2, start=1, step=2),
    "select_scatter": lambda lib, x, i: lib.select_scatter(x, x[:, 0] * 3, 1, -1),
    "diagonal_scatter": lambda lib, x, i: x[0].diagonal_scatter(x[1, :, 0] * 2, 1),
    "put": lambda lib, x, i: x.put(lib.tensor([[0, -1]]), x[0, :1, :2] * 3),
    "put accumulate": lambda lib, x, i: x.put(lib.tensor([3, 3]), x[0, 0, :2], accumulate=True),
    "index_put none": lambda lib, x, i: x.index_put((lib.tensor([0, 1]), lib.tensor([2, 0])), x[0, :2]),
}


@pytest.mark.parametrize("name", SAME)
def test_same_as_pytorch(name):
    torch = pytest.importorskip("torch")
    index = np.array([[0, 2, 1, 1], [1, 0, 2, 0], [2, 1, 0, 2]])
    index = index if "scatter" not in name else np.array([[0, 2, 1], [1, 0, 2], [2, 1, 0]])
    ours, theirs = ag.tensor(A, requires_grad=True), torch.tensor(A, requires_grad=True)
    out, expected = SAME[name](ag, ours, ag.tensor(index)), SAME[name](torch, theirs, torch.tensor(index))
    np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    direction = np.random.default_rng(6).normal(size=out.shape)
    out.backward(ag.tensor(direction))
    expected.backward(torch.tensor(direction))
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_scattered_reductions_one_place_at_a_time(reduce, include_self):
    combine = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}[reduce]
    rng = np.random.default_rng(3)
    x, src, index = rng.normal(size=5), rng.normal(size=7), np.array([0, 3, 0, 1, 3, 3, 0])
    parts = [np.append(src[index == i], x[i : i + 1] if include_self or i not in index else []) for i in range(5)]
    out = ag.scatter_reduce(ag.tensor(x), 0, ag.tensor(index), ag.tensor(src), reduce, include_self=include_self)
    np.testing.assert_allclose(out.numpy(), [combine(p) for p in parts], rtol=1e-14)


def test_scattered_products_with_zeros_have_exact_gradients_of_every_order():
    index = ag.tensor([0, 0, 0, 1, 1])
    data = np.array([0.0, 0.0, 3.0, 0.0, 5.0])

    def f(src):
        return ag.scatter_reduce(ag.tensor([2.0, 7.0], dtype=ag.float64), 0, index, src, "prod")

    src = ag.tensor(data, requires_grad=True)
    (first,) = ag.grad(f(src).sum(), src, create_graph=True)
    np.testing.assert_array_equal(first.detach().numpy(), [0, 0, 0, 35, 0])
    (second,) = ag.grad(first[0], src)
    np.testing.assert_array_equal(second.numpy(), [0, 6, 0, 0, 0])


def test_scattered_extremes_share_at_ties_and_carry_nan():
    x, index = ag.tensor([1.0, 0.0, 0.0], requires_grad=True), ag.tensor([0, 0, 1])
    src = ag.tensor([1.0, 0.5, nan], requires_grad=True)
    out = ag.scatter_reduce(x, 0, index, src, "amax")
    np.testing.assert_array_equal(out.detach().numpy(), [1, nan, 0])
    dx, ds = ag.grad(out, [x, src], np.ones(3))
    assert (dx.tolist(), ds.tolist()) == ([0.5, 0, 1], [0.5, 0, 1])
    out = ag.scatter_reduce(x, 0, index[:2], src[:2], "amin", include_self=False)
    assert out.tolist() == [0.5, 0, 0]
    dx, ds = ag.grad(out, [x, src], np.ones(3))
    assert (dx.tolist(), ds.tolist()) == ([0, 1, 1], [0, 1, 0])


def test_src_may_be_larger_than_the_index():
    """What is beyond the index is not used and gets no gradient (PyTorch refuses the backward pass)."""
    src = ag.tensor(A[0], requires_grad=True)
    out = ag.scatter_add(ag.zeros(3, 4, dtype=ag.float64), 1, ag.tensor([[0, 0], [3, 1]]), src)
    np.testing.assert_array_equal(out[:2].detach().numpy(), [[1, 0, 0, 0], [0, 2, 0, 5 / 3]])
    out.sum().backward()
    np.testing.assert_array_equal(src.grad.numpy(), [[1, 1, 0, 0], [1, 1, 0, 0], [0] * 4])


def test_a_mean_without_self_is_differentiated():
    index, x = ag.tensor([[0, 0, 2]]), np.random.default_rng(0).normal(size=(2, 4))

    def f(src):
        return ag.scatter_reduce(ag.tensor(x), 1, index, src, "mean", include_self=False)

    src = np.random.default_rng(1).normal(size=(1, 3))
    leaf = ag.tensor(src, requires_grad=True)
    (found,) = ag.grad((f(leaf) ** 3).sum(), leaf)
    numeric = gradient(lambda s: (f(ag.tensor(s)) ** 3).sum().item(), src)
    np.testing.assert_allclose(found.numpy(), numeric, rtol=1e-9)


def test_integers_scatter_too():
    x, index, src = ag.tensor([1, 2]), ag.tensor([0, 0]), ag.tensor([5, 3])
    assert ag.scatter_reduce(x, 0, index, src, "amax", include_self=False).tolist() == [5, 2]
    assert ag.scatter_add(x, 0, index, src).dtype == ag.int64
    assert ag.scatter(x, 0, index, src, reduce="multiply").tolist() == [15, 2]
    assert ag.scatter(x, 0, index, src, reduce="add").tolist() == [9, 2]


def test_embedding_like_lookup_in_three_dimensions():
    """x[index] for a matrix of indices, twice differentiated through a product."""
    table = np.random.default_rng(0).normal(size=(4, 6))
    index = np.array([[0, 3], [3, 3]])
    leaf = ag.tensor(table, requires_grad=True)
    (dx,) = ag.grad((leaf[index] ** 3).sum(), leaf, create_graph=True)
    counts = np.bincount(index.ravel(), minlength=4)[:, None]
    np.testing.assert_allclose(dx.detach().numpy(), 3 * counts * table**2, rtol=1e-13)
    (ddx,) = ag.grad(dx.sum(), leaf)
    np.testing.assert_allclose(ddx.numpy(), 6 * counts * table, rtol=1e-13)


WRONG = [
    (lambda x: x[[0, 2]], IndexError, r"index\(float32\[2, 3\], int64\[2\]\): index 2 is out of bounds.*size 2"),
    (lambda x: x[0, 1, 2], IndexError, "index.*too many indices"),
    (lambda x: x[1.0], IndexError, "index: expected integers, bools, slices, None or ..., got float"),
    (lambda x: x[[True, False, True]], IndexError, "index.*boolean index did not match"),
    (lambda x: x.gather(0, ag.tensor([[0, 1], [1, 5]])), IndexError, r"index 5 .* at position \(1, 1\) of the index"),
    (lambda x: x.gather(0, ag.tensor([[-1]])), IndexError, "gather: index -1 is out of bounds for dim 0 of size 2"),
    (lambda x: x.gather(1, ag.zeros(3, 1, dtype=int)), ValueError, r"gather: index of shape \(3, 1\) is larger"),
    (lambda x: x.take(ag.tensor([6])), IndexError, "gather.*index 6 is out of bounds"),
    (lambda x: np.take(x, [9], mode="clip"), TypeError, "np.take with mode='clip' is not supported"),
    (lambda x: x.index_select(0, ag.tensor([[0]])), ValueError, "index_select: expected an index of one dimension"),
    (lambda x: x.index_select(0, ag.tensor([0.5])), TypeError, "index_select: expected an index of integers"),
    (lambda x: x.take_along_dim(ag.tensor([0]), 1), ValueError, "take_along_dim: index of shape"),
    (lambda x: ag.setitem(x, [0, 4], 1.0), IndexError, "index 4 is out of bounds"),
    (lambda x: ag.setitem(x, 0, ag.ones(2)), ValueError, r"set\(float32\[2, 3\], float32\[2\]\): could not broadcast"),
    (lambda x: ag.setitem(x, [0], ag.ones(2)), ValueError, "broadcast"),
    (lambda x: x.masked_scatter(x > 0, ag.ones(2)), ValueError, "the mask is true 6 times, but source has 2 values"),
    (lambda x: x.select_scatter(ag.ones(2), 0, 0), ValueError, r"select_scatter: expected src of shape \(3,\)"),
    (lambda x: x.slice_scatter(ag.ones(3)), ValueError, r"slice_scatter: expected src of shape \(2, 3\)"),
    (lambda x: x.diagonal_scatter(ag.ones(3)), ValueError, r"diagonal_scatter: expected src of shape \(2,\)"),
    (lambda x: x.index_fill(0, ag.tensor([0]), ag.ones(2)), ValueError, "index_fill: expected one value"),
    (
        lambda x: x.index_add(0, ag.tensor([0]), ag.ones(2, 3)),
        ValueError,
        r"index_add: expected source of shape \(1, 3",
    ),
    (lambda x: x.scatter(0, ag.tensor([[0]])), TypeError, "scatter: expected src or value"),
    (lambda x: x.scatter(0, ag.tensor([[0]]), 1.0, reduce="max"), ValueError, 'scatter: expected reduce "add"'),
    (
        lambda x: x.scatter_reduce(0, ag.tensor([[0]]), x, "max"),
        ValueError,
        "scatter_reduce: expected reduce sum, prod",
    ),
    (lambda x: x.scatter_add(0, ag.zeros(2, 3, dtype=int), x[:1]), ValueError, "scatter_add: index of shape"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call(ag.ones(2, 3))
