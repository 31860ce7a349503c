"""The public operations: the same expression in PyTorch gives the same values and gradients; kinks and errors."""

import numpy as np
import pytest

import autograd_core as ag

inf, nan = np.inf, np.nan

SAME = {
    "std": lambda lib, x: lib.std(x, dim=1),
    "std population": lambda lib, x: lib.std(x, dim=(0, 2), correction=0, keepdim=True),
    "var": lambda lib, x: x.var(),
    "var biased": lambda lib, x: lib.var(x, dim=-1, unbiased=False),
    "sum": lambda lib, x: x.sum(),
    "sum dims": lambda lib, x: x.sum((0, -1), keepdim=True),
    "sum of none": lambda lib, x: lib.sum(x, dim=1, keepdim=False),
    "sum dtype": lambda lib, x: x.sum(dtype=lib.float64),
    "mean": lambda lib, x: x.mean(dim=1, keepdim=True),
    "max dim": lambda lib, x: x.max(dim=1).values,
    "max dim kept": lambda lib, x: lib.max(x, 2, keepdim=True)[0],
    "min dim": lambda lib, x: lib.min(x, dim=0)[0],
    "max pair": lambda lib, x: lib.max(x, lib.sin(x)),
    "min pair": lambda lib, x: lib.min(x, lib.sin(x)),
    "amax": lambda lib, x: lib.amax(x, dim=(0, 1)),
    "amin": lambda lib, x: x.amin(),
    "logsumexp": lambda lib, x: lib.logsumexp(x, dim=(0, 2)),
    "softmax": lambda lib, x: lib.softmax(x, dim=1),
    "log_softmax": lambda lib, x: x.log_softmax(-1),
    "clamp": lambda lib, x: lib.clamp(x, -0.5, 0.5),
    "clamp min": lambda lib, x: x.clamp(min=0.1),
    "clamp max tensor": lambda lib, x: lib.clamp(x, max=lib.sin(x)),
    "where": lambda lib, x: lib.where(x > 0, x, 2 * x),
    "where method": lambda lib, x: x.where(x > 0, -x),
    "reshape": lambda lib, x: x.reshape(4, -1).reshape((2, 12)),
    "view": lambda lib, x: x.view(6, 4),
    "flatten": lambda lib, x: x.flatten(1),
    "flatten middle": lambda lib, x: lib.flatten(x, 0, 1),
    "permute": lambda lib, x: x.permute(2, 0, 1),
    "transpose": lambda lib, x: x.transpose(0, -1),
    "mT": lambda lib, x: x.mT,
    "t": lambda lib, x: x[0].t(),
    "T": lambda lib, x: x[0].T,
    "movedim": lambda lib, x: lib.movedim(x, (0, 1), (-1, 0)),
    "swapaxes": lambda lib, x: lib.swapaxes(x, 0, 1),
    "squeeze": lambda lib, x: x[:, :1].squeeze(),
    "squeeze dim": lambda lib, x: x[:1, :1].squeeze(1),
    "unsqueeze": lambda lib, x: x.unsqueeze(-1),
    "expand": lambda lib, x: x[:, :1].expand(5, -1, 3, 4),
    "expand_as": lambda lib, x: x[:, :1].expand_as(x),
    "broadcast_to": lambda lib, x: lib.broadcast_to(x[0, 0], (2, 4)),
    "cat": lambda lib, x: lib.cat([x, 2 * x, x[:, :1]], dim=1),
    "stack": lambda lib, x: lib.stack([x, x * x], dim=-1),
    "split": lambda lib, x: lib.split(x, 2, dim=1)[1],
    "split sections": lambda lib, x: x.split([1, 3], dim=2)[1],
    "chunk": lambda lib, x: x.chunk(2, dim=1)[0],
    "unbind": lambda lib, x: lib.unbind(x, 1)[2],
    "narrow": lambda lib, x: x.narrow(2, 1, 2),
    "index int": lambda lib, x: x[1],
    "index slice": lambda lib, x: x[:, 1:, ::2],
    "index none ellipsis": lambda lib, x: x[None, ..., -1],
    "index list": lambda lib, x: x[[0, 0, 1]],
    "index two lists": lambda lib, x: x[[0, 1], :, [3, 3]],
    "index mask": lambda lib, x: x[x > 0],
    "index row mask": lambda lib, x: x[:, [True, False, True]],
    "index tensor": lambda lib, x: x[:, lib.tensor([[2, 0], [1, 1]])],
    "gather": lambda lib, x: lib.gather(x, 2, lib.tensor([[[0, 0, 3]], [[1, 2, 1]]])),
    "take_along_dim": lambda lib, x: lib.take_along_dim(x, lib.argmax(x, dim=1, keepdim=True), dim=1),
    "index_select": lambda lib, x: lib.index_select(x, 1, lib.tensor([2, 2, 0])),
    "masked_select": lambda lib, x: lib.masked_select(x, x > 0),
    "scatter_add": lambda lib, x: lib.scatter_add(
        x, 1, lib.tensor([[[0] * 4, [0] * 4], [[2] * 4, [1] * 4]]), x[:, :2] * x[:, 1:]
    ),
    "matmul": lambda lib, x: x @ x.transpose(1, 2),
    "matmul broadcast": lambda lib, x: x[:, None] @ x.mT[None],
    "matmul 3d 2d": lambda lib, x: x @ x[0].T,
    "matmul 2d 3d": lambda lib, x: x[0] @ x.mT,
    "matmul vectors": lambda lib, x: x[0, 0] @ x[1, 1],
    "matmul vector matrix": lambda lib, x: x[0, :, 0] @ x[1],
    "matmul batch vector": lambda lib, x: x @ x[0, 0],
    "matmul vector batch": lambda lib, x: x[0, :, 0] @ x,
    "mm": lambda lib, x: lib.mm(x[0], x[1].T),
    "dot": lambda lib, x: lib.dot(x[0, 0], x[1, 0]),
    "pow": lambda lib, x: x**2 + 2.0**x + (x * x + 1) ** x,
    "scalars": lambda lib, x: 1 - x / 2 + 3 * x - (-x),
    "reflected division": lambda lib, x: 1 / (x + 5),
    "abs": lambda lib, x: abs(x) + lib.sign(x),
    "clone": lambda lib, x: x.clone() * 2,
    "to": lambda lib, x: x.to(lib.float64) * x.double(),
    "type_as": lambda lib, x: x.type_as(x),
}


@pytest.mark.parametrize("name", SAME)
def test_same_as_pytorch(name):
    torch = pytest.importorskip("torch")
    call = SAME[name]
    data = np.random.default_rng(5).normal(size=(2, 3, 4))
    ours, theirs = ag.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    out, expected = call(ag, ours), call(torch, theirs)
    assert out.shape == tuple(expected.shape)
    np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    direction = np.random.default_rng(6).normal(size=out.shape)
    out.backward(ag.tensor(direction))
    expected.backward(torch.tensor(direction))
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-11, atol=1e-13)


WITHOUT_GRADIENT = {
    "argmax": lambda lib, x: lib.argmax(x),
    "argmax dim": lambda lib, x: x.argmax(dim=1, keepdim=True),
    "argmin": lambda lib, x: x.argmin(dim=-1),
    "max index": lambda lib, x: x.max(dim=1).indices,
    "compare": lambda lib, x: (x > 0) & (x <= 1) | ~(x != x) ^ (x < 0),
    "any": lambda lib, x: (x > 1).any(dim=1),
    "all": lambda lib, x: lib.all(x < 5),
    "isfinite": lambda lib, x: lib.isfinite(x / (x > 0)),
    "eq": lambda lib, x: lib.eq(x, x),
    "logical": lambda lib, x: lib.logical_and(x > 0, lib.logical_not(x > 1)),
    "sum of bools": lambda lib, x: (x > 0).sum(),
    "integers": lambda lib, x: (x * 10).long() * 2 - 1,
}


@pytest.mark.parametrize("name", WITHOUT_GRADIENT)
@np.errstate(all="ignore")
def test_same_as_pytorch_without_gradient(name):
    torch = pytest.importorskip("torch")
    data = np.random.default_rng(5).normal(size=(2, 3, 4))
    out = WITHOUT_GRADIENT[name](ag, ag.tensor(data))
    expected = WITHOUT_GRADIENT[name](torch, torch.tensor(data))
    assert str(out.dtype) == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_array_equal(out.numpy(), expected.numpy())


# What each gives at kinks and extremes: a call, its value, the gradient of sum(output).
ROWS = {
    "max of all, ties": (lambda x: x.max(), [1.0, 2.0, 2.0], 2.0, [0, 0.5, 0.5]),
    "max with index, ties": (lambda x: x.max(dim=0).values, [1.0, 2.0, 2.0], 2.0, [0, 1, 0]),
    "max with NaN": (lambda x: x.max(), [1.0, nan, 2.0], nan, [0, 1, 0]),
    "max with index, NaN": (lambda x: x.max(dim=0).values, [1.0, nan, 2.0], nan, [0, 1, 0]),
    "maximum, tie with a constant": (lambda x: ag.maximum(x, 1.0), [1.0], [1.0], [0.5]),
    "clamp on its bounds": (lambda x: x.clamp(0, 1), [0.0, 1.0, 2.0], [0, 1, 1], [1, 1, 0]),
    "clamp of NaN": (lambda x: x.clamp(0, 1), [nan], [nan], [0]),
    "x**0 at 0": (lambda x: x**0, [0.0], [1], [0]),
    "(-2)**3.0": (lambda x: x**3.0, [-2.0], [-8], [12]),
    "0**0.5": (lambda x: x**0.5, [0.0], [0], [inf]),
    "std of a constant": (lambda x: x.std(), [3.0, 3.0, 3.0], 0, [0, 0, 0]),
    "std of one, population": (lambda x: x.std(correction=0), [3.0], 0, [0]),
    "empty sum": (lambda x: x.sum(), [], 0, []),
    "repeats": (lambda x: x[[0, 0, 1]], [5.0, 6.0], [5, 5, 6], [2, 1]),
    "x*x + (x+x)": (lambda x: x * x + (x + x), [3.0], [15], [8]),
    "x/x at 0": (lambda x: x / x, [0.0], [nan], [nan]),
    "size 1 and size 0": (lambda x: x * ag.zeros(0), [2.0], [], [0]),
    "0-d": (lambda x: x * ag.ones(2), 3.0, [3, 3], 2),
    "masked by index": (lambda x: ag.log(x)[x > 0], [-1.0, 1.0], [0], [0, 1]),
    "empty product": (lambda x: x.reshape(2, 0) @ ag.ones(0, 3, dtype=ag.float64), [], np.zeros((2, 3)), []),
}


@pytest.mark.parametrize("name", ROWS)
def test_kinks_and_extremes(name):
    call, data, value, expected = ROWS[name]
    x = ag.tensor(data, dtype=ag.float64, requires_grad=True)
    out = call(x)
    out.sum().backward()
    np.testing.assert_allclose(out.detach().numpy(), value, rtol=1e-14)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-14)
    assert x.grad.shape == x.shape


def test_warnings_for_what_has_no_value():
    empty, one = ag.zeros(0), ag.ones(1)
    with pytest.warns(RuntimeWarning, match="mean: no elements"):
        assert np.isnan(empty.mean().item())
    with pytest.warns(RuntimeWarning, match="1 elements with correction 1 leave no degrees of freedom"):
        assert np.isnan(one.std().item())


WRONG = [
    (lambda x: x.max() if x.numel() == 0 else ag.zeros(0).max(), ValueError, "amax: no elements to choose from"),
    (lambda x: ag.zeros(2, 0).argmax(dim=1), ValueError, "argmax: no elements to choose from"),
    (lambda x: x.sum(dim=2), IndexError, r"sum: dim must be in \[-2, 1\] for a 2-d tensor, got 2"),
    (lambda x: x.sum(dim=(0, 0)), ValueError, r"sum: dim \(0, 0\) names a dimension twice"),
    (lambda x: x.sum(dim=0, axis=0), TypeError, "sum: dim and axis mean the same"),
    (lambda x: x[5], IndexError, r"index\(float32\[2, 3\]\): index 5 is out of bounds"),
    (lambda x: x[[0.5]], IndexError, "index: expected integers, bools"),
    (lambda x: ag.gather(x, 1, ag.tensor([[3]])), IndexError, "gather: index 3 is out of bounds for dim 1 of size 3"),
    (lambda x: ag.gather(x, 1, ag.tensor([0])), ValueError, "differ in dimensions"),
    (lambda x: ag.gather(x, 1, ag.tensor([[0.0]])), TypeError, "gather: expected an index of integers, got float32"),
    (lambda x: x.reshape(4), ValueError, r"reshape\(float32\[2, 3\]\): cannot reshape"),
    (lambda x: x.permute(0), ValueError, r"permute: expected all 2 dimensions of shape \(2, 3\), got \(0,\)"),
    (lambda x: x.expand(-1, 2, 3), ValueError, "expand: cannot expand"),
    (lambda x: x.expand(4, 3), ValueError, "broadcast_to"),
    (lambda x: x.split(0), ValueError, "split: expected a positive size, got 0"),
    (lambda x: x.split([1, 2]), ValueError, r"split: sizes \[1, 2\] sum to 3, but dim 0 has size 2"),
    (lambda x: x.chunk(0), ValueError, "chunk: expected a positive number"),
    (lambda x: x.narrow(0, 1, 5), IndexError, "narrow: start 1 and length 5 exceed size 2"),
    (lambda x: ag.cat([]), ValueError, "cat: expected at least one tensor"),
    (lambda x: ag.stack([x, x[0]]), ValueError, "stack: expected tensors of one shape"),
    (lambda x: ag.clamp(x), ValueError, "clamp: expected min, max or both"),
    (lambda x: x[0] @ ag.tensor(1.0), ValueError, "matmul: expected"),
    (lambda x: ag.mm(x, x[0]), ValueError, "mm: expected a matrix and a matrix"),
    (lambda x: ag.dot(x, x), ValueError, "dot: expected two vectors"),
    (lambda x: x[0].mT, ValueError, "mT: expected at least 2 dimensions"),
    (lambda x: x[None].t(), ValueError, "t: expected at most 2 dimensions"),
    (lambda x: x.flatten(1, 0), ValueError, "flatten: start_dim 1 comes after end_dim 0"),
    (lambda x: ag.movedim(x, (0, 1), 0), ValueError, "movedim: got 2 sources but 1 destinations"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call(ag.ones(2, 3))


def test_lists_and_numbers_become_tensors_and_arrays_stay_arrays():
    assert isinstance(ag.exp([0.0]), ag.Tensor)
    assert isinstance(ag.exp(0.0), ag.Tensor)
    assert isinstance(ag.exp(np.zeros(1)), np.ndarray)
    assert isinstance(ag.softmax(np.zeros(2), dim=0), np.ndarray)
