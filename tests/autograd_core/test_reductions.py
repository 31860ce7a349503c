"""Reductions, extremes, running sums, sorting and statistics: what their records and PyTorch's samples do not reach."""

import numpy as np
import pytest
from differences import gradient

import autograd_core as ag

scipy = pytest.importorskip("scipy")  # its submodules load when they are used
inf, nan = np.inf, np.nan


def leaf(data):
    return ag.tensor(data, dtype=ag.float64, requires_grad=True)


# A call, its input, its value, the gradient of sum(output).
ROWS = {
    "prod, one zero": (lambda x: x.prod(), [0.0, 2, 3], 0, [6, 0, 0]),
    "prod, two zeros": (lambda x: x.prod(), [0.0, 0, 3], 0, [0, 0, 0]),
    "prod of none": (lambda x: x.prod(), [], 1, []),
    "prod along dim": (lambda x: x.prod(1), [[0.0, 2, 3], [1, 2, 4]], [0, 8], [[6, 0, 0], [8, 4, 2]]),
    "cumprod, a zero": (lambda x: x.cumprod(0), [2.0, 0, 3, 5], [2, 0, 0, 0], [1, 38, 0, 0]),
    "norm of 0": (lambda x: x.norm(), [0.0, 0], 0, [0, 0]),
    "norm by rows": (lambda x: x.norm(dim=1), [[0.0, 0], [3, 4]], [0, 5], [[0, 0], [0.6, 0.8]]),
    "norm, 1 at 0": (lambda x: x.norm(1), [0.0, -2], 2, [0, -1]),
    "norm, inf, ties": (lambda x: x.norm(inf), [2.0, -2, 1], 2, [0.5, -0.5, 0]),
    "norm, -inf, ties": (lambda x: x.norm(-inf), [2.0, -1, 1], 1, [0, -0.5, 0.5]),
    "norm, 0": (lambda x: x.norm(0), [2.0, 0, 1], 2, [0, 0, 0]),
    "norm, 0.5 at 0": (lambda x: x.norm(0.5), [0.0, 4], 4, [0, 1]),
    "norm, -1 at 0": (lambda x: x.norm(-1), [0.0, 4], 0, [0, 0]),
    "norm, huge": (lambda x: x.norm(), [3e200, 4e200], 5e200, [0.6, 0.8]),
    "norm, tiny": (lambda x: x.norm(), [3e-200, 4e-200], 5e-200, [0.6, 0.8]),
    "norm, huge cubes": (lambda x: x.norm(3), [1e200, 1e200], 2 ** (1 / 3) * 1e200, [2 ** (-2 / 3)] * 2),
    "norm with NaN": (lambda x: x.norm(dim=1), [[nan, 1], [3, 4]], [nan, 5], [[nan, nan], [0.6, 0.8]]),
    "amax, ties": (lambda x: ag.amax(x, (0, 1)), [[1.0, 2], [2, 2]], 2, [[0, 1 / 3], [1 / 3, 1 / 3]]),
    "aminmax, ties": (lambda x: ag.aminmax(x).min, [1.0, 1, 2], 1, [0.5, 0.5, 0]),
    "min with index, ties": (lambda x: x.min(0).values, [1.0, 1, 2], 1, [1, 0, 0]),
    "cummax, ties": (lambda x: x.cummax(0).values, [1.0, 3, 3, 2], [1, 3, 3, 3], [1, 1, 2, 0]),
    "cummin, NaN": (lambda x: x.cummin(0).values, [1.0, nan, 0], [1, nan, nan], [1, 2, 0]),
    "var of one, population": (lambda x: x.var(correction=0), [3.0], 0, [0]),
    "std of a constant": (lambda x: x.std(0), [[3.0, 1], [3, 2]], [0, 0.5**0.5], [[0, -(0.5**0.5)], [0, 0.5**0.5]]),
    "nansum": (lambda x: x.nansum(), [1.0, nan, 2], 3, [1, 0, 1]),
    "nanmean": (lambda x: x.nanmean(1), [[1.0, nan], [nan, nan]], [1, nan], [[1, 0], [0, 0]]),
    "median, even": (lambda x: x.median(), [4.0, 1, 2, 3], 2.5, [0, 0, 0.5, 0.5]),
    "median, ties": (lambda x: x.median(), [2.0, 2], 2, [0.5, 0.5]),
    "median, odd": (lambda x: x.median(), [4.0, 1, 2], 2, [0, 0, 1]),
    "median, NaN": (lambda x: x.median(), [4.0, nan, 2], nan, [0, 1, 0]),
    "median, inf": (lambda x: x.median(), [inf, 1, inf], inf, [1, 0, 0]),
    "median along dim": (lambda x: x.median(0).values, [4.0, 1, 2, 3], 2, [0, 0, 1, 0]),
    "np.median along dim": (lambda x: np.median(x, axis=0), [4.0, 1, 2, 3], 2.5, [0, 0, 0.5, 0.5]),
    "nanmedian": (lambda x: x.nanmedian(), [4.0, nan, 2, 3], 3, [0, 0, 0, 1]),
    "nanmedian along dim": (lambda x: x.nanmedian(0).values, [4.0, nan, 2], 2, [0, 0, 1]),
    "nanmedian, all NaN": (lambda x: x.nanmedian(), [nan, nan], nan, [1, 0]),
    "quantile": (lambda x: x.quantile(0.25), [1.0, 2, 4], 1.5, [0.5, 0.5, 0]),
    "quantile, ends": (lambda x: x.quantile(ag.tensor([0.0, 1.0])), [1.0, inf, 0.0], [0, inf], [0, 1, 1]),
    "logsumexp of all -inf": (lambda x: x.logsumexp(0), [-inf, -inf], -inf, [0, 0]),
    "logsumexp with inf": (lambda x: x.logsumexp(0), [0.0, inf], inf, [0, 1]),
    "softmax, a row of -inf": (lambda x: ag.softmax(x, 0), [-inf, -inf], [nan, nan], [nan, nan]),
    "softmax, partly -inf": (lambda x: ag.softmax(x, 0), [-inf, 0.0], [0, 1], [0, 0]),
    "logcumsumexp, far apart": (lambda x: x.logcumsumexp(0), [-800.0, 0, 800], [-800, 0, 800], [1, 1, 1]),
    "topk, ties": (lambda x: x.topk(1).values, [2.0, 3, 3], [3], [0, 1, 0]),
    "sort, ties": (
        lambda x: x.sort(descending=True).values * ag.tensor([1.0, 2, 3]),
        [1.0, 1, 2],
        [2, 2, 3],
        [2, 3, 1],
    ),
    "unique": (lambda x: x.unique(), [2.0, 1, 2], [1, 2], [1, 1, 0]),
    "bincount by weights": (lambda x: ag.bincount(ag.tensor([1, 1, 0]), x) ** 2, [1.0, 2, 3], [9, 9], [6, 6, 6]),
}


@pytest.mark.parametrize("name", ROWS)
def test_kinks_and_extremes(name):
    call, data, value, expected = ROWS[name]
    x = leaf(data)
    out = call(x)
    out.sum().backward()
    np.testing.assert_allclose(out.detach().numpy(), value, rtol=1e-13)
    assert x.grad.shape == x.shape
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-13)


def test_equal_elements_keep_their_order_when_sorted():
    x = ag.tensor([1.0, nan, 2.0, 1.0, nan, 2.0])
    assert x.argsort().tolist() == [0, 3, 2, 5, 1, 4]
    assert x.argsort(descending=True).tolist() == [1, 4, 2, 5, 0, 3]


@pytest.mark.parametrize("data", [[0.0, 2, 3], [0.0, 0, 3], [0.0, 0, 0], [1.0, 2, 3, 4, 5]])
@pytest.mark.parametrize("name", ["prod", "cumprod"])
def test_products_to_third_order(name, data):
    """Polynomials have exact derivatives, zeros or not; a central difference of a quadratic is one too."""
    data = np.array(data)
    direction = np.random.default_rng(0).normal(size=data.size)

    def second(x, create_graph=False):
        (first,) = ag.grad((getattr(x, name)(0) * direction[0]).sum(), x, create_graph=True)
        return ag.grad((first * direction).sum(), x, create_graph=create_graph)[0]

    x = leaf(data)
    (third,) = ag.grad((second(x, True) * direction).sum(), x)
    numeric = gradient(lambda a: (second(leaf(a)).numpy() * direction).sum(), data)
    np.testing.assert_allclose(third.numpy(), numeric, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("p", [1.5, 2, 3])
def test_the_curvature_of_a_norm_at_zero_is_finite(p):
    x = leaf([[0.0, 0.0], [0.0, 2.0]])
    (first,) = ag.grad(x.norm(p, dim=1).sum(), x, create_graph=True)
    (second,) = ag.grad((first * first + first).sum(), x)
    assert np.isfinite(second.numpy()).all()


def test_an_exclusive_product_takes_no_detour_over_the_size():
    """Ten thousand factors, one zero, many orders of magnitude: only the zero has a gradient, exact to rounding."""
    data = np.full(10_001, 1.0001)
    data[77] = 0
    x = leaf(data)
    x.prod().backward()
    expected = np.zeros(10_001)
    expected[77] = 1.0001**10_000
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-11)


def test_logcumsumexp_is_stable(rng):
    data = rng.normal(size=30) * 300
    x = leaf(data)
    out = x.logcumsumexp(0)
    weights = rng.normal(size=30)
    out.backward(weights)
    np.testing.assert_allclose(out.detach().numpy(), [scipy.special.logsumexp(data[: i + 1]) for i in range(30)])
    parts = [weights[i] * np.pad(scipy.special.softmax(data[: i + 1]), (0, 29 - i)) for i in range(30)]
    np.testing.assert_allclose(x.grad.numpy(), np.sum(parts, axis=0), rtol=1e-9, atol=1e-14)


SAME = {
    "sum of an empty dim": lambda lib, x: lib.sum(x, dim=()),
    "var, old form": lambda lib, x: x.var(0, False, True),
    "std, old form": lambda lib, x: lib.std(x, True),
    "std_mean": lambda lib, x: lib.std_mean(x, dim=(0, 1), correction=0, keepdim=True)[1],
    "max other": lambda lib, x: lib.max(x, other=x[0]),
    "cumsum": lambda lib, x: x.cumsum(-2),
    "norm, dims": lambda lib, x: x.norm(3, (0, 2)),
    "norm, fro": lambda lib, x: lib.norm(x, "fro", dim=(1, 2), keepdim=True),
    "norm, nuc": lambda lib, x: lib.norm(x, "nuc", dim=(2, 0), keepdim=True),
    "norm, method": lambda lib, x: x.norm(p=1, dim=1),
    "quantile": lambda lib, x: lib.quantile(x, lib.tensor([0.1, 0.6], dtype=lib.float64), dim=1, keepdim=True),
    "nanquantile": lambda lib, x: lib.nanquantile(x, 0.3, dim=1),
    "kthvalue": lambda lib, x: x.kthvalue(2, dim=1).values,
    "mode": lambda lib, x: x.mode(1, keepdim=True).values,
    "median of pairs": lambda lib, x: x.median(dim=0).values,
    "topk, smallest": lambda lib, x: x.topk(2, dim=1, largest=False)[0],
    "cov of one": lambda lib, x: lib.cov(x[0, 0]),
    "corrcoef": lambda lib, x: lib.corrcoef(x[0]),
    "trapezoid": lambda lib, x: lib.trapezoid(x, x[0, :, 0], dim=1),
}


@pytest.mark.parametrize("name", SAME)
def test_same_as_pytorch(name):
    torch = pytest.importorskip("torch")
    data = np.random.default_rng(8).normal(size=(2, 3, 4))
    x, y = leaf(data), torch.tensor(data, requires_grad=True)
    out, expected = SAME[name](ag, x), SAME[name](torch, y)
    assert out.shape == tuple(expected.shape)
    np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    direction = np.random.default_rng(9).normal(size=out.shape)
    out.backward(direction)
    expected.backward(torch.tensor(direction))
    np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-11, atol=1e-13)


DISCRETE = {
    "sum": lambda lib, x: x.sum(0),
    "prod": lambda lib, x: lib.prod(x.to(lib.uint8), 0),
    "cumsum": lambda lib, x: x.to(lib.int32).cumsum(1),
    "cumprod": lambda lib, x: (x > 0).cumprod(0),
    "argmax of all": lambda lib, x: x.argmax(keepdim=True),
    "amin": lambda lib, x: x.amin(1),
    "cummax": lambda lib, x: x.cummax(1).indices,
    "cummin": lambda lib, x: x.cummin(0).indices,
    "mode": lambda lib, x: x.mode(0).indices,
    "sort": lambda lib, x: lib.sort(x, stable=True, dim=0, descending=True).indices,
    "sort of bools": lambda lib, x: lib.sort(x > 1, dim=1, stable=True)[0],
    "count_nonzero": lambda lib, x: lib.count_nonzero(x, dim=(0, 1)),
    "unique rows": lambda lib, x: lib.unique(x[:, :1], dim=0, return_counts=True)[1],
    "unique inverse": lambda lib, x: x.unique(return_inverse=True)[1],
    "nonzero": lambda lib, x: x.nonzero(),
    "nonzero of a number": lambda lib, x: lib.nonzero(x[0, 0] + 5),
    "nonzero of a number, tuple": lambda lib, x: lib.nonzero(x[0, 0] + 5, as_tuple=True)[0],
    "bucketize": lambda lib, x: lib.bucketize(x, lib.tensor([0, 2]), right=True, out_int32=True),
    "searchsorted": lambda lib, x: lib.searchsorted(x.sort(1)[0], x),
    "searchsorted, a number": lambda lib, x: lib.searchsorted(lib.tensor([1, 2]), 2),
    "bincount": lambda lib, x: lib.bincount(x.reshape(-1), minlength=9),
    "bincount, weights": lambda lib, x: lib.bincount(x.reshape(-1), (x * 0.5).reshape(-1)),
    "histc": lambda lib, x: lib.histc(x.to(lib.float32), 5),
    "all of none": lambda lib, x: lib.all(x[:0], dim=0),
    "any": lambda lib, x: lib.any(x, dim=(0, 1)),
    "logsumexp of integers": lambda lib, x: lib.logsumexp(x, 0),
}


@pytest.mark.parametrize("name", DISCRETE)
def test_same_as_pytorch_on_integers(name):
    """Values, with many ties, and dtypes."""
    torch = pytest.importorskip("torch")
    data = np.random.default_rng(10).integers(0, 4, size=(5, 6))
    out, expected = DISCRETE[name](ag, ag.tensor(data)), DISCRETE[name](torch, torch.tensor(data))
    assert str(out.dtype) == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_allclose(out.numpy(), expected.numpy(), rtol=1e-6)


NUMPY = {
    "sum, positional dtype": lambda x: np.sum(x, 0, np.float32),
    "sum over nothing": lambda x: np.sum(x, axis=()),
    "mean, positional": lambda x: np.mean(x, 1, None, None, True),
    "max, positional": lambda x: np.max(x, 1, None, True),
    "var, ddof": lambda x: np.var(x, 0, ddof=1),
    "prod": lambda x: np.prod(x, axis=(0, 1), keepdims=True),
    "cumsum, flat": lambda x: np.cumsum(x),
    "cumprod": lambda x: np.cumprod(x, 1),
    "nansum": lambda x: np.nansum(x, axis=1),
    "nanmean": lambda x: np.nanmean(x),
    "median": lambda x: np.median(x, axis=0, keepdims=True),
    "median of axes": lambda x: np.median(x[None], axis=(0, 2)),
    "nanmedian": lambda x: np.nanmedian(x, axis=1),
    "quantile": lambda x: np.quantile(x, [0.2, 0.9], axis=1),
    "quantile, method": lambda x: np.quantile(x, 0.4, method="midpoint"),
    "nanquantile": lambda x: np.nanquantile(x, 0.3, axis=0),
    "percentile": lambda x: np.percentile(x, 30, axis=1, method="lower"),
    "nanpercentile": lambda x: np.nanpercentile(x, [5, 60]),
    "sort": lambda x: np.sort(x, axis=0),
    "sort, flat": lambda x: np.sort(x, axis=None),
    "unique": lambda x: np.unique(x),
    "cov": lambda x: np.cov(x),
    "cov, columns": lambda x: np.cov(x, rowvar=False, bias=True),
    "cov of two": lambda x: np.cov(x[0], x[1], ddof=0),
    "cov, weights": lambda x: np.cov(x, fweights=np.array([1, 2, 1, 3]), aweights=np.array([0.5, 1, 2, 1])),
    "corrcoef": lambda x: np.corrcoef(x),
    "average": lambda x: np.average(x, axis=1, weights=np.array([1.0, 2.0, 3.0, 4.0])),
    "average, all": lambda x: np.average(x),
    "average, weights": lambda x: np.average(x, weights=x * x),
    "trapezoid": lambda x: np.trapezoid(x, np.array([0.0, 1.0, 3.0, 4.0])),
    "trapezoid, dx": lambda x: np.trapezoid(x, dx=0.5, axis=0),
}


@pytest.mark.parametrize("name", NUMPY)
def test_numpys_functions(name):
    call = NUMPY[name]
    data = np.random.default_rng(11).normal(size=(3, 4))
    x = leaf(data)
    out = call(x)
    np.testing.assert_allclose(out.detach().numpy(), call(data), rtol=1e-12 if out.dtype == ag.float64 else 1e-6)
    if out.dtype == ag.float64:
        direction = np.random.default_rng(12).normal(size=out.shape)
        out.backward(direction)
        np.testing.assert_allclose(
            x.grad.numpy(), gradient(lambda a: np.sum(call(a) * direction), data), rtol=1e-8, atol=1e-8
        )


def test_numpys_functions_without_gradient():
    data = np.array([[3.0, 1.0, nan], [1.0, 0.0, nan]])
    x = ag.tensor(data)
    assert np.argsort(x, axis=0).tolist() == np.argsort(data, axis=0, stable=True).tolist()
    assert np.argsort(x, axis=None).tolist() == np.argsort(data, axis=None, stable=True).tolist()
    assert np.count_nonzero(x, axis=1, keepdims=True).tolist() == [[3], [2]]
    assert np.argmin(x[:, :2], 1).tolist() == [1, 1]
    assert np.searchsorted(ag.tensor([1, 2, 3]), 2, "right").item() == 2
    assert np.bincount(ag.tensor([1, 1]), minlength=3).tolist() == [0, 2, 0]
    assert np.argwhere(x == 0).tolist() == [[1, 1]]
    for ours, theirs in zip(np.nonzero(x), np.nonzero(data), strict=True):
        assert ours.tolist() == theirs.tolist()
    everything = {"return_index": True, "return_inverse": True, "return_counts": True}
    for ours, theirs in zip(np.unique(x, **everything), np.unique(data, **everything), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs)
    with pytest.raises(TypeError, match="out"):
        np.sum(x, out=np.zeros(()))


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("size", [1, 2, 5, 6])
def test_quantiles_by_every_interpolation(method, size, rng):
    data = rng.normal(size=(3, size))
    q = np.array([0.0, 0.1, 0.25, 0.5, 0.77, 1.0])
    found = ag.quantile(ag.tensor(data), q, dim=1, interpolation=method)
    np.testing.assert_allclose(found.numpy(), np.quantile(data, q, axis=1, method=method), rtol=1e-13)
    data[1, 0] = nan
    found = ag.quantile(ag.tensor(data), q, dim=1, interpolation=method)
    np.testing.assert_allclose(found.numpy(), np.quantile(data, q, axis=1, method=method), rtol=1e-13)
    if size > 1:
        found = ag.nanquantile(ag.tensor(data), q, dim=1, interpolation=method)
        np.testing.assert_allclose(found.numpy(), np.nanquantile(data, q, axis=1, method=method), rtol=1e-13)


def test_the_gradient_of_a_quantile_by_q():
    q = leaf(0.3)
    ag.quantile(ag.tensor([1.0, 2.0, 4.0, 8.0], dtype=ag.float64), q).backward()
    assert q.grad.item() == pytest.approx(3.0)  # the slope between the two values, over 1 / (n - 1)


def test_against_scipy(rng):
    x = rng.integers(0, 3, size=(6, 5)).astype(float)
    np.testing.assert_array_equal(ag.mode(ag.tensor(x), 0).values.numpy(), scipy.stats.mode(x, axis=0).mode)
    y, t = rng.normal(size=(2, 6)), np.sort(rng.normal(size=6))
    found = ag.cumulative_trapezoid(ag.tensor(y), ag.tensor(t))
    np.testing.assert_allclose(found.numpy(), scipy.integrate.cumulative_trapezoid(y, t), rtol=1e-12)


def test_pairs_have_pytorchs_names():
    x = ag.tensor([[1.0, 3.0, 2.0]])
    for pair in (x.max(1), x.median(1), x.nanmedian(1), x.sort(), x.topk(2), x.kthvalue(1), x.mode(), x.cummax(1)):
        values, indices = pair
        assert (pair.values is values, pair.indices is indices) == (True, True)
        assert indices.dtype == ag.int64
    assert (ag.aminmax(x).min.item(), ag.aminmax(x).max.item()) == (1, 3)


def test_numbers_count_as_one_element():
    x = leaf(3.0)
    for out in (x.cumsum(0), x.cumprod(-1), x.logcumsumexp(0), x.sort().values, x.cummax(0).values, x.mode().values):
        assert out.shape == ()
        assert ag.grad(out, x)[0].item() == 1
    for out in (x.max(0).values, x.median(0).values, x.topk(1).values, x.kthvalue(1).values, x.quantile(0.3), x.prod()):
        assert out.shape == ()
        assert ag.grad(out, x)[0].item() == 1


def test_arrays_give_arrays_and_lists_tensors():
    for call in (ag.sum, ag.prod, ag.norm, ag.median, ag.unique, ag.nonzero, ag.cov, ag.trapezoid, ag.nanmean, ag.var):
        assert isinstance(call(np.array([1.0, 2.0])), (np.ndarray, np.generic))
        assert isinstance(call([1.0, 2.0]), ag.Tensor)


WARNED = [
    (lambda: ag.zeros(0, 2).mean(0), "mean: no elements to average"),
    (lambda: ag.zeros(1).var(), "var: 1 elements with correction 1"),
    (lambda: ag.zeros(3, 1).std_mean(dim=1)[0], "std_mean: 1 elements with correction 1"),
    (lambda: ag.zeros(0).median(), "median: no elements"),
    (lambda: ag.cov(ag.zeros(2, 1)), "cov: 1 observations with correction 1"),
]


@pytest.mark.parametrize(("call", "message"), WARNED, ids=range(len(WARNED)))
def test_what_has_no_value_is_nan_with_a_warning(call, message):
    with pytest.warns(RuntimeWarning, match=message) as caught:
        assert np.isnan(call().numpy()).all()
    assert [w.filename for w in caught] == [__file__]


WRONG = [
    (lambda x: ag.zeros(0).amin(), ValueError, "amin: no elements to choose from"),
    (lambda x: ag.zeros(0).aminmax(), ValueError, "aminmax: no elements to choose from"),
    (lambda x: ag.zeros(2, 0).norm(inf, dim=1), ValueError, r"norm: no elements, in dimensions \(1,\) of shape"),
    (lambda x: x.norm("nuclear"), ValueError, "norm: expected a number, inf, -inf, 'fro' or 'nuc' for p, got 'nu"),
    (lambda x: x.norm("nuc", 0), ValueError, "norm: 'nuc' is for the two dimensions of matrices, got dim 0"),
    (lambda x: x.quantile(1.5), ValueError, "quantile: q must be a number or a 1-d tensor of numbers in"),
    (lambda x: x.quantile(0.5, interpolation="cubic"), ValueError, "interpolation must be .*, got 'cubic'"),
    (lambda x: ag.zeros(0).quantile(0.5), ValueError, r"quantile: no elements, in dimensions \(0,\)"),
    (lambda x: ag.zeros(2, 0).median(1), ValueError, r"median: no elements, in dimension 1 of shape \(2, 0\)"),
    (lambda x: x.topk(4), ValueError, r"topk: k must be in \[0, 3\], the size of dim -1, got 4"),
    (lambda x: x.kthvalue(0, 0), ValueError, r"kthvalue: k must be in \[1, 2\], the size of dim 0, got 0"),
    (lambda x: ag.cov(x[None]), ValueError, r"cov: expected variables in rows, at most 2 dimensions, got shape"),
    (lambda x: ag.cov(x, aweights=ag.ones(2)), ValueError, r"cov: expected aweights of shape \(3,\)"),
    (lambda x: ag.trapezoid(x, x, dx=1), ValueError, "trapezoid: x and dx both say"),
    (lambda x: ag.searchsorted(x, x[0]), ValueError, r"searchsorted: expected one sequence, or one for each row"),
    (lambda x: ag.searchsorted(x[0], x, side="up"), ValueError, "side must be 'left' or 'right', got 'up'"),
    (lambda x: ag.searchsorted(x[0], x, side="left", right=True), ValueError, "contradicts right=True"),
    (lambda x: ag.bucketize(x, x), ValueError, r"bucketize: expected boundaries in one dimension, got shape \(2, 3\)"),
    (lambda x: ag.histc(x, 0), ValueError, "histc: expected at least one bin, got 0"),
    (lambda x: ag.histc(x, 3, 2, 1), ValueError, "histc: max 1 is below min 2"),
    (lambda x: ag.bincount(x), ValueError, "bincount: expected integers in one dimension"),
    (lambda x: ag.bincount(x[0]), TypeError, "bincount.*float32"),
    (lambda x: x.cumsum(2), IndexError, r"cumsum: dim must be in \[-2, 1\] for a 2-d tensor, got 2"),
    (lambda x: np.average(x, weights=ag.ones(3)), TypeError, "average: expected weights of shape"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call(ag.ones(2, 3))
