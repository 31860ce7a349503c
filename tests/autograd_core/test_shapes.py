"""Shapes, joining, splitting, diagonals: argument forms beyond PyTorch's samples, NumPy's names, copies, errors."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.ops.joining import padded

SAME = {
    "reshape keyword": lambda lib, x: lib.reshape(x, shape=(4, 6)),
    "permute keyword": lambda lib, x: x.permute(dims=(2, 0, 1)),
    "permute negative": lambda lib, x: lib.permute(x, (-1, 0, 1)),
    "expand keyword": lambda lib, x: x[:, :1].expand(size=(2, 3, 4)),
    "moveaxis": lambda lib, x: lib.moveaxis(x, 0, 2),
    "swapdims": lambda lib, x: x.swapdims(0, 2),
    "squeeze dims": lambda lib, x: x[:1, :, :1].squeeze((0, 2)),
    "squeeze other": lambda lib, x: x.squeeze(1),
    "unflatten": lambda lib, x: x.unflatten(-1, (2, -1)),
    "ravel": lambda lib, x: x.T.ravel() if lib is ag else x.permute(2, 1, 0).ravel(),
    "atleast": lambda lib, x: lib.cat([t.reshape(-1) for t in lib.atleast_3d((x[0, 0], x[0]))]),
    "broadcast_tensors": lambda lib, x: lib.broadcast_tensors(x[:, :1], x)[0],
    "repeat new dims": lambda lib, x: x[0].repeat(2, 1, 3),
    "repeat none": lambda lib, x: x.repeat(1, 0, 1),
    "tile fewer": lambda lib, x: lib.tile(x, (2,)),
    "kron": lambda lib, x: lib.kron(x[0], x[1, :2]),
    "concatenate axis": lambda lib, x: lib.concatenate([x, x], axis=1),
    "row_stack": lambda lib, x: lib.vstack([x[0], x[1]]) if lib is not ag else ag.row_stack([x[0], x[1]]),
    "block_diag": lambda lib, x: lib.block_diag(x[0], x[0, 0], x[1, 0, 0]),
    "split_with_sizes": lambda lib, x: x.split_with_sizes([1, 0, 3], 2)[2],
    "split then use one": lambda lib, x: x.split(1, dim=1)[1] * x.split(2, dim=1)[0],
    "unbind all": lambda lib, x: sum(lib.sin(p) * i for i, p in enumerate(x.unbind(1))),
    "tensor_split uneven": lambda lib, x: x.tensor_split(3, dim=2)[0],
    "tensor_split back": lambda lib, x: lib.cat(x.tensor_split((3, 1), dim=2), 2),
    "hsplit": lambda lib, x: lib.hsplit(x, 3)[2],
    "vsplit": lambda lib, x: x.vsplit((1,))[1],
    "dsplit": lambda lib, x: x.dsplit(2)[0],
    "roll two": lambda lib, x: x.roll((1, -5), (0, 2)),
    "roll flat": lambda lib, x: lib.roll(x, 5),
    "diff": lambda lib, x: lib.diff(x, n=2, dim=1, append=x[:, :1]),
    "flip": lambda lib, x: x.flip(0, -1),
    "rot90": lambda lib, x: lib.rot90(x, -1, (1, 2)),
    "rot180": lambda lib, x: x.rot90(2),
    "repeat_interleave": lambda lib, x: x.repeat_interleave(lib.tensor([2, 0, 1]), dim=1),
    "repeat_interleave int": lambda lib, x: lib.repeat_interleave(x, 2),
    "select": lambda lib, x: x.select(1, -1),
    "narrow negative": lambda lib, x: x.narrow(2, -3, 2),
    "diagonal": lambda lib, x: x.diagonal(1, -1, 0),
    "diag": lambda lib, x: lib.diag(x[0], -1),
    "diag of vector": lambda lib, x: x[0, 0].diag(2),
    "diag_embed swapped": lambda lib, x: lib.diag_embed(x, 1, 2, 0),
    "diagflat": lambda lib, x: lib.diagflat(x[0], -1),
    "tril": lambda lib, x: x.tril(-1),
    "triu": lambda lib, x: lib.triu(x, diagonal=2),
    "unfold": lambda lib, x: x.unfold(2, 3, 1).unfold(1, 2, 1),
    "unfold apart": lambda lib, x: x.unfold(1, 1, 2),
    "meshgrid": lambda lib, x: lib.meshgrid(x[0, 0], x[0, :, 0], indexing="xy")[1] ** 2,
    "cartesian_prod": lambda lib, x: lib.cartesian_prod(x[0, 0], x[0, :, 0]),
    "contiguous": lambda lib, x: x.permute(2, 0, 1).contiguous(),
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


A = np.arange(1.0, 13.0).reshape(3, 4) / 3

NUMPY = {
    "flip": lambda x: np.flip(x),
    "flip axis": lambda x: np.flip(x, axis=(0, 1)),
    "fliplr": np.fliplr,
    "flipud": np.flipud,
    "roll": lambda x: np.roll(x, 5),
    "roll axis": lambda x: np.roll(x, shift=(1, 2), axis=(0, 1)),
    "rot90": lambda x: np.rot90(x, k=3, axes=(1, 0)),
    "tile": lambda x: np.tile(x, (2, 1, 2)),
    "repeat": lambda x: np.repeat(x, 2),
    "repeat axis": lambda x: np.repeat(x, [1, 0, 2], axis=0),
    "hstack": lambda x: np.hstack([x, x[:, :1]]),
    "vstack": lambda x: np.vstack([x[0], x]),
    "dstack": lambda x: np.dstack([x, A]),
    "column_stack": lambda x: np.column_stack([x[:, 0], x]),
    "split": lambda x: np.split(x, 2, axis=1)[1],
    "split at": lambda x: np.split(x, [1, 2])[1],
    "array_split": lambda x: np.array_split(x, 3, axis=1)[0],
    "hsplit": lambda x: np.hsplit(x, 2)[0],
    "vsplit": lambda x: np.vsplit(x, 3)[1],
    "unstack": lambda x: np.unstack(x, axis=1)[2],
    "diag": lambda x: np.diag(x, k=1),
    "diagflat": lambda x: np.diagflat(x[0], -1),
    "diagonal": lambda x: np.diagonal(x, 1, 1, 0),
    "tril": lambda x: np.tril(x, k=-1),
    "triu": lambda x: np.triu(x),
    "kron": lambda x: np.kron(x, A[:2]),
    "diff": lambda x: np.diff(x, n=2, axis=0),
    "diff ends": lambda x: np.diff(x, prepend=0.0, append=x[:, :2]),
    "meshgrid": lambda x: np.meshgrid(x[0], x[:, 1])[0],
    "meshgrid ij": lambda x: np.meshgrid(x[0], x[:, 1], indexing="ij")[1],
    "atleast_1d": lambda x: np.atleast_1d(x[0, 0]),
    "atleast_2d": lambda x: np.atleast_2d(x[0]),
    "atleast_3d": lambda x: np.atleast_3d(x),
    "take": lambda x: np.take(x, [[0, 3], [11, -1]]),
    "take axis": lambda x: np.take(x, [2, 2], axis=1),
    "pad": lambda x: np.pad(x, 1),
    "pad value": lambda x: np.pad(x, ((1, 0), (0, 2)), constant_values=-3.0),
    "pad edge": lambda x: np.pad(x, (1, 2), mode="edge"),
    "pad reflect": lambda x: np.pad(x, ((2, 0), (1, 3)), "reflect"),
    "pad wrap": lambda x: np.pad(x, 2, "wrap"),
    "pad symmetric": lambda x: np.pad(x, 2, "symmetric"),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x[:1], A)[0],
    "copy": lambda x: np.copy(x),
    "concatenate flat": lambda x: np.concatenate([x, x[:1]], axis=None),
}


@pytest.mark.parametrize("name", NUMPY)
def test_numpy_functions_on_tensors(name):
    """The same values as on the array; all are linear, so the gradient of <out, g> is checked by the inner product."""
    call = NUMPY[name]
    x = ag.tensor(A, requires_grad=True)
    out = call(x)
    assert isinstance(out, ag.Tensor)
    np.testing.assert_allclose(out.detach().numpy(), call(A), rtol=1e-14)
    direction = np.random.default_rng(0).normal(size=out.shape)
    (dx,) = ag.grad(out, x, direction)
    step = np.random.default_rng(1).normal(size=A.shape)
    slope = np.sum(direction * (call(A + step) - call(A)))
    np.testing.assert_allclose(np.sum(dx.numpy() * step), slope, rtol=1e-11)


def test_all_pieces_come_from_one_node():
    """Going back through T pieces is one joining, not T sums over the whole."""
    x = ag.tensor(A, requires_grad=True)
    for pieces in (x.unbind(1), x.split(1), x.chunk(2, 1), x.tensor_split((1, 2))):
        assert len({piece.node.parents for piece in pieces}) == 1
    one, _, _, _ = x.unbind(1)
    one.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[1, 0, 0, 0]] * 3)


def test_a_piece_not_used_sends_no_nan():
    x = ag.tensor([0.0, 4.0], requires_grad=True)
    (dx,) = ag.grad(ag.sqrt(x).split(1)[1], x, np.ones(1))
    assert dx.tolist() == [0.0, 0.25]
    (dx,) = ag.grad(ag.sqrt(x).unbind()[1], x)
    assert dx.tolist() == [0.0, 0.25]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.flip(0),
        lambda x: x.rot90(0),
        lambda x: x.roll(0, 0),
        lambda x: x.repeat(1, 1),
        lambda x: x.tile(1),
        lambda x: x.diff(n=0),
        lambda x: x.diag(),
        lambda x: x.clone(),
        lambda x: ag.cat([x]),
        lambda x: x.index_select(0, ag.arange(3)),
        lambda x: x.to(ag.float64, copy=True),
    ],
    ids=range(11),
)
def test_what_pytorch_copies_is_a_copy(call):
    x = ag.tensor(A)
    out = call(x)
    assert not np.shares_memory(out.array, x.array)
    out.mul_(2)
    np.testing.assert_array_equal(x.numpy(), A)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.view(4, 3),
        lambda x: x.t(),
        lambda x: x.narrow(1, 1, 2),
        lambda x: x.select(0, 1),
        lambda x: x.diagonal(),
        lambda x: x.split(2, 1)[1],
        lambda x: x.unbind()[2],
        lambda x: x.unflatten(1, (2, 2)),
    ],
    ids=range(8),
)
def test_what_pytorch_views_is_a_view(call):
    x = ag.tensor(A)
    call(x).fill_(0)
    twin = A.copy()
    call(ag.from_numpy(twin)).array[...] = 0
    np.testing.assert_array_equal(x.numpy(), twin)
    assert (x.numpy() == 0).any()


def test_padding_that_takes_away():
    x = ag.tensor(A, requires_grad=True)
    out = padded(x, [(-1, 1), (1, -2)])
    np.testing.assert_array_equal(out.detach().numpy(), np.pad(A[1:, :2], [(0, 1), (1, 0)]))
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[0] * 4, [1, 1, 0, 0], [1, 1, 0, 0]])


def test_dtypes_are_kept():
    flags, numbers = ag.tensor([[True, True], [True, False]]), ag.tensor([[1, 2], [3, 4]])
    assert flags.tril().dtype == flags.diff().dtype == ag.bool
    assert flags.diff().tolist() == [[False], [True]]
    assert numbers.triu().dtype == numbers.diff().dtype == ag.int64
    assert ag.cat([ag.ones(1), ag.tensor([2])]).dtype == ag.float32
    assert numbers.half().flip(0).dtype == ag.float16


def test_contiguous_is_the_tensor_itself_where_it_can_be():
    x = ag.tensor(A)
    assert x.contiguous() is x
    assert x.t().contiguous().array.flags.c_contiguous


WRONG = [
    (lambda x: x.view(ag.int64), TypeError, r"view: memory cannot be read as another dtype; use to\(int64\)"),
    (lambda x: x.unflatten(1, (2, 2)), ValueError, r"unflatten: sizes \(2, 2\) do not multiply to size 3 of dim 1"),
    (lambda x: x.repeat(2), ValueError, r"repeat: expected a count for each dimension of shape \(2, 3\).*got \(2,\)"),
    (lambda x: ag.broadcast_tensors(x, ag.ones(4)), ValueError, "broadcast"),
    (lambda x: ag.block_diag(x[None]), ValueError, "block_diag: expected matrices"),
    (lambda x: x[0, 0].unbind(), IndexError, "unbind: a 0-d tensor has no slices"),
    (lambda x: x[0, 0].split(1), ValueError, "split: a 0-d tensor cannot be split"),
    (lambda x: x.split([3, -1]), ValueError, r"split: sizes \[3, -1\]"),
    (lambda x: x.tensor_split(0), ValueError, "tensor_split: expected a positive number of sections, got 0"),
    (lambda x: np.split(x, 2, axis=1), ValueError, "split: size 3 of axis 1 is no multiple of 2"),
    (lambda x: x[0].vsplit(1), ValueError, r"vsplit: expected at least 2 dimensions, got shape \(3,\)"),
    (lambda x: padded(x, [(1, 1)] * 2, "mean"), ValueError, "pad: expected mode constant, edge.*got 'mean'"),
    (lambda x: np.pad(x, 1, constant_values=(1, 2)), TypeError, "np.pad with several constant_values"),
    (lambda x: x.roll((1, 2), 0), ValueError, "roll: got 2 shifts for 1 dims"),
    (lambda x: x[0, 0].diff(), ValueError, "diff: expected at least one dimension"),
    (lambda x: x.diff(-1), ValueError, "diff: expected an order n of at least 0, got -1"),
    (lambda x: ag.meshgrid(x), ValueError, "meshgrid: expected vectors"),
    (lambda x: ag.meshgrid(x[0], indexing="ji"), ValueError, 'meshgrid: expected indexing "ij" or "xy"'),
    (lambda x: x.diagonal(0, 1, 1), ValueError, "diagonal: expected two different dimensions, got 1 and 1"),
    (lambda x: x[None].diag(), ValueError, r"diag: expected a vector or a matrix, got shape \(1, 2, 3\)"),
    (lambda x: x[0].tril(), ValueError, r"tril: expected at least 2 dimensions, got shape \(3,\)"),
    (lambda x: x.unfold(1, 4, 1), ValueError, "unfold: expected a size from 0 to 3"),
    (lambda x: x.rot90(1, (0,)), ValueError, "rot90: expected two dimensions"),
    (lambda x: x.repeat_interleave(ag.tensor([1, 2]), 1), ValueError, "repeat_interleave: repeats must be one count"),
    (lambda x: x[0, 0].select(0, 0), IndexError, "select: a 0-d tensor has no dimension"),
    (lambda x: x.flip(2), IndexError, r"flip: dim must be in \[-2, 1\]"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call(ag.ones(2, 3))
