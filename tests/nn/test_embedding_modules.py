"""Embedding layers: all options against PyTorch, and what they promise."""

import itertools

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.tools import gradcheck

TABLE = np.random.default_rng(0).normal(size=(6, 3))
BAGS = np.array([0, 2, 2, 5, 1, 2, 0, 5])
OFFSETS = np.array([0, 3, 3, 6])


def agree(mine, theirs, *arrays):
    """Whether ours gives PyTorch's values, its gradients by all that is floating, and its table afterwards."""
    torch = pytest.importorskip("torch")
    mine, theirs = mine.double(), theirs.double()
    mine.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    is_float = [array is not None and array.dtype.kind == "f" for array in arrays]
    ours = [None if a is None else ag.tensor(a, requires_grad=f) for a, f in zip(arrays, is_float, strict=True)]
    leaves = [None if a is None else torch.tensor(a, requires_grad=f) for a, f in zip(arrays, is_float, strict=True)]
    found, expected = mine(*ours), theirs(*leaves)
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(mine.weight.detach().numpy(), theirs.weight.detach().numpy(), rtol=1e-10)
    toward = np.random.default_rng(1).normal(size=found.shape)
    wrt = [x for x, f in zip(ours, is_float, strict=True) if f], [x for x, f in zip(leaves, is_float, strict=True) if f]
    gradients = ag.grad(found, [mine.weight, *wrt[0]], ag.tensor(toward))
    wanted = torch.autograd.grad(expected, [theirs.weight, *wrt[1]], torch.tensor(toward))
    for a, b in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("padding_idx", [None, 0, -1])
@pytest.mark.parametrize(("max_norm", "norm_type"), [(None, 2.0), (1.0, 2.0), (1.2, 1.0), (0.5, float("inf"))])
@pytest.mark.parametrize("scale_grad_by_freq", [False, True])
def test_embedding_is_pytorchs(padding_idx, max_norm, norm_type, scale_grad_by_freq):
    torch = pytest.importorskip("torch")
    options = (padding_idx, max_norm, norm_type, scale_grad_by_freq)
    mine, theirs = nn.Embedding(6, 3, *options), torch.nn.Embedding(6, 3, *options)
    assert repr(mine) == repr(theirs)
    assert mine.padding_idx == theirs.padding_idx
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(TABLE))
    agree(mine, theirs, BAGS.reshape(2, 4))


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding_idx", [None, 2])
@pytest.mark.parametrize("include_last_offset", [False, True])
@pytest.mark.parametrize("max_norm", [None, 1.0])
def test_bags_are_pytorchs(mode, padding_idx, include_last_offset, max_norm):
    torch = pytest.importorskip("torch")
    options = {
        "mode": mode,
        "padding_idx": padding_idx,
        "include_last_offset": include_last_offset,
        "max_norm": max_norm,
    }
    offsets = np.append(OFFSETS, len(BAGS)) if include_last_offset else OFFSETS
    weights = [None, np.linspace(-1, 1, len(BAGS))] if mode == "sum" else [None]
    for per_sample, bags in itertools.product(weights, (BAGS, BAGS.reshape(2, 4))):
        mine, theirs = nn.EmbeddingBag(6, 3, **options), torch.nn.EmbeddingBag(6, 3, **options)
        assert repr(mine) == repr(theirs)
        given = None if per_sample is None else per_sample.reshape(bags.shape)
        agree(mine, theirs, bags, offsets if bags.ndim == 1 else None, given)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_scale_gradients_by_how_often_a_row_is_named(mode):
    """As PyTorch documents it; what it does on a CPU is to divide by another row's count, once a row comes twice."""
    gradients = []
    for scale in (False, True):
        layer = nn.EmbeddingBag.from_pretrained(TABLE, freeze=False, mode=mode, scale_grad_by_freq=scale)
        (gradient,) = ag.grad((layer(BAGS, OFFSETS) ** 2).sum(), layer.weight)
        gradients.append(gradient.numpy())
    counts = np.maximum(np.bincount(BAGS, minlength=6), 1)[:, None]
    np.testing.assert_allclose(gradients[1], gradients[0] / counts, rtol=1e-12)


def test_a_bag_with_nan_has_nan_for_its_maximum():
    layer = nn.EmbeddingBag.from_pretrained([[1.0], [np.nan], [3.0]], freeze=False, mode="max")
    out = layer([[0, 1, 2], [0, 2, 0]])
    np.testing.assert_array_equal(out.detach().numpy(), [[np.nan], [3]])
    np.testing.assert_array_equal(ag.grad(out.sum(), layer.weight)[0].numpy(), [[0], [1], [1]])


def test_a_bag_of_padding_alone_is_zero():
    for mode in ("sum", "mean", "max"):
        layer = nn.EmbeddingBag.from_pretrained(TABLE, freeze=False, mode=mode, padding_idx=1)
        out = layer([[1, 1], [1, 3]])
        np.testing.assert_array_equal(out.detach().numpy(), [np.zeros(3), TABLE[3]])
        (gradient,) = ag.grad(out.sum(), layer.weight)
        np.testing.assert_array_equal(gradient.numpy()[:, 0], [0, 0, 0, 1, 0, 0])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_second_derivatives_of_bags(mode):
    def loss(weight):
        out = nn.functional.embedding_bag(BAGS, weight, OFFSETS, mode=mode, padding_idx=2)
        return (out**3).sum()

    assert gradcheck(loss, ag.tensor(TABLE, requires_grad=True), order=2)


def test_the_table_starts_standard_normal_with_zeros_for_padding():
    ag.manual_seed(0)
    for layer in (nn.Embedding(100, 100, padding_idx=-2), nn.EmbeddingBag(100, 100, padding_idx=98)):
        table = layer.weight.detach().numpy()
        np.testing.assert_array_equal(table[98], 0)
        np.testing.assert_allclose([np.delete(table, 98, 0).mean(), table.std()], [0, 1], atol=0.02)


def test_a_given_table_is_copied_and_frozen_unless_asked():
    given = ag.tensor(TABLE)
    layer = nn.Embedding.from_pretrained(given)
    assert (layer.num_embeddings, layer.embedding_dim, layer.weight.dtype) == (6, 3, ag.float64)
    assert not layer.weight.requires_grad
    with ag.no_grad():
        layer.weight[0] = 0.0
    np.testing.assert_array_equal(given.numpy(), TABLE)
    free = nn.Embedding.from_pretrained(given, False, 1, max_norm=1.0)  # the order of PyTorch's arguments
    assert free.weight.requires_grad
    assert (free.padding_idx, free.max_norm) == (1, 1.0)
    np.testing.assert_array_equal(free.weight.detach().numpy(), TABLE)  # also the row for padding


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Embedding(-1, 2), "sizes of at least 0, got -1 and 2"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), "Embedding: padding_idx 3 is not one of 3 rows"),
        (lambda: nn.Embedding(3, 2, max_norm=-1.0), "max_norm must be at least 0"),
        (lambda: nn.Embedding(3, 2, _weight=np.ones((2, 3))), r"a weight of shape \(3, 2\), got \(2, 3\)"),
        (lambda: nn.Embedding.from_pretrained([1.0, 2.0]), r"of shape \(rows, columns\), got \(2,\)"),
        (lambda: nn.EmbeddingBag(3, 2, mode="min"), "EmbeddingBag: expected mode 'sum', 'mean' or 'max', got 'min'"),
        (lambda: nn.EmbeddingBag(3, 2)([0, 1], offsets=[0.0]), "integers where bags start"),
        (lambda: nn.EmbeddingBag(3, 2)([0, 1], offsets=np.zeros(0, int)), r"offsets of shape \(bags,\)"),
        (lambda: nn.EmbeddingBag(3, 2)([0, 1], offsets=[0, 3]), r"stay within 2, got \[0 3\]"),
    ],
)
def test_options_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()
