"""Padding and packing of sequences of different lengths, against PyTorch's."""

import copy

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.nn.utils.rnn import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)

LENGTHS = [([4, 2, 2, 1], True), ([2, 4, 1, 4], False), ([3, 3], True), ([3], False)]
every_order = pytest.mark.parametrize(("lengths", "in_order"), LENGTHS)


def sequences(lengths, rest=(2,)):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, *rest)) for n in lengths]


def theirs():
    """PyTorch, and its functions."""
    torch = pytest.importorskip("torch")
    return torch, torch.nn.utils.rnn


def assert_same(found, expected):
    if expected is None:
        assert found is None
    else:
        assert found.dtype == expected.numpy().dtype
        np.testing.assert_array_equal(found, expected.numpy())


@every_order
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("rest", [(), (2,), (2, 3)])
def test_packed_and_padded_as_pytorch(lengths, in_order, batch_first, rest):
    torch, rnn = theirs()
    arrays = sequences(lengths, rest)
    padded = pad_sequence(arrays, batch_first, -1.0)
    expected = rnn.pad_sequence([torch.tensor(a) for a in arrays], batch_first, -1.0)
    assert_same(padded, expected)
    packed = pack_padded_sequence(padded, ag.tensor(lengths), batch_first, in_order)
    their_packed = rnn.pack_padded_sequence(expected, torch.tensor(lengths), batch_first, in_order)
    for a, b in zip(packed, their_packed, strict=True):
        assert_same(a, b)
    for options in ({}, {"padding_value": 2.5}, {"total_length": 6, "batch_first": True}):
        found = pad_packed_sequence(packed, **options)
        for a, b in zip(found, rnn.pad_packed_sequence(their_packed, **options), strict=True):
            assert_same(a, b)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("rest", [(), (2, 3)])
def test_padded_on_the_left_as_pytorch(batch_first, rest):
    torch, rnn = theirs()
    arrays = sequences([2, 3, 0], rest)
    given = [torch.tensor(a) for a in arrays]
    assert_same(
        pad_sequence(arrays, batch_first, padding_side="left"),
        rnn.pad_sequence(given, batch_first, padding_side="left"),
    )


@every_order
def test_there_and_back_again(lengths, in_order):
    arrays = sequences(lengths)
    for restored in (
        unpack_sequence(pack_sequence(arrays, enforce_sorted=in_order)),
        unpad_sequence(pad_sequence(arrays), lengths),
        unpad_sequence(pad_sequence(arrays, batch_first=True), ag.tensor(lengths), batch_first=True),
    ):
        assert len(restored) == len(arrays)
        for a, b in zip(restored, arrays, strict=True):
            np.testing.assert_array_equal(a, b)


def test_empty_sequences_can_be_padded_but_not_packed():
    arrays = sequences([0, 2])
    restored = unpad_sequence(pad_sequence(arrays), [0, 2])
    assert [len(t) for t in restored] == [0, 2]
    with pytest.raises(ValueError, match=r"lengths from 1 to 2, the padded length, but lengths\[0\] is 0"):
        pack_sequence(arrays, enforce_sorted=False)


def test_integers_stay_integers():
    packed = pack_sequence([ag.tensor([1]), ag.tensor([2, 3])], enforce_sorted=False)
    assert packed.data.tolist() == [2, 1, 3]
    assert packed.data.dtype == ag.int64
    padded, lengths = pad_packed_sequence(packed, batch_first=True, padding_value=-1)
    assert padded.tolist() == [[1, -1], [2, 3]]
    assert (padded.dtype, lengths.tolist()) == (ag.int64, [1, 2])
    assert packed.to(ag.float64).data.dtype == ag.float64


def test_gradients_go_through_packing_and_padding():
    """Each element is in the result once, so its gradient is the weight it has there."""
    leaves = [ag.tensor(a, requires_grad=True) for a in sequences([1, 3, 2])]
    packed = pack_sequence(leaves, enforce_sorted=False)
    padded, lengths = pad_packed_sequence(packed)
    weights = np.random.default_rng(1).normal(size=padded.shape)
    (padded * weights).sum().backward()
    for i, (leaf, n) in enumerate(zip(leaves, lengths.tolist(), strict=True)):
        np.testing.assert_array_equal(leaf.grad, weights[:n, i])


def test_the_inverse_permutation_is_found():
    packed = pack_sequence([ag.tensor([1]), ag.tensor([2, 3]), ag.tensor([4, 5, 6])], enforce_sorted=False)
    again = PackedSequence(packed.data * 2, packed.batch_sizes, packed.sorted_indices)
    assert [t.tolist() for t in unpack_sequence(again)] == [[2], [4, 6], [8, 10, 12]]
    assert invert_permutation(None) is None
    copied = copy.deepcopy(packed)
    assert isinstance(copied, PackedSequence)
    assert [t.tolist() for t in unpack_sequence(copied)] == [[1], [2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: pack_padded_sequence(x, [1, 3]),
            ValueError,
            r"decreasing lengths, got \[1, 3\]; pass enforce_sorted",
        ),
        (
            lambda x: pack_padded_sequence(x, [4, 1]),
            ValueError,
            r"from 1 to 3, the padded length, but lengths\[0\] is 4",
        ),
        (lambda x: pack_padded_sequence(x, [3]), ValueError, r"a length for each of 2 sequences, got shape \(1,\)"),
        (lambda x: pack_padded_sequence(x, [3.0, 1.0]), TypeError, "expected integer lengths, got float32"),
        (lambda x: pack_padded_sequence(x[0], [2]), ValueError, r"input of shape \(T, N, ...\), got \(2,\)"),
        (lambda x: pack_padded_sequence(x[:, :0], np.zeros(0, int)), ValueError, "expected at least one sequence"),
        (lambda x: pad_packed_sequence(x), TypeError, "expected a PackedSequence, got Tensor"),
        (
            lambda x: pad_packed_sequence(pack_padded_sequence(x, [3, 1]), total_length=2),
            ValueError,
            "expected a total_length of at least 3, got 2",
        ),
        (lambda x: pad_sequence([]), ValueError, "expected at least one sequence, got none"),
        (lambda x: pad_sequence([x, x[..., None]]), ValueError, r"\(length, 2\), but number 1 is \(3, 2, 1\)"),
        (lambda x: pad_sequence([x], padding_side="top"), ValueError, "padding_side 'right' or 'left', got 'top'"),
        (lambda x: unpad_sequence(x, [3, 4]), ValueError, r"from 0 to 3, the padded length, but lengths\[1\] is 4"),
        (lambda x: unpad_sequence(x[0], [3]), ValueError, r"padded sequences of shape \(T, N, ...\), got \(2,\)"),
    ],
)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(ag.ones(3, 2))


def test_in_a_recording_lengths_are_not_known():
    step = ag.compile(lambda x, lengths: pack_padded_sequence(x, lengths).data)
    with pytest.raises(ag.TracingError, match="lengths= there"):
        step(ag.ones(3, 2), ag.tensor([3, 1]))
