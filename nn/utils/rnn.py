"""Sequences of different lengths in one tensor: padded to the longest, or packed without padding.

A packed batch holds the first elements of all sequences, then the second ones of those that have one, and so on, with
the sequences in order of decreasing length::

    a b c
    d e        data = a d f b e c,  batch_sizes = 3 2 1
    f
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_core import Tensor, argsort, as_tensor, full, index_select, setitem, stack, transpose

from ..functional.padding import pad

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """A batch of sequences without padding; made by :func:`pack_sequence` and :func:`pack_padded_sequence`.

    Parameters
    ----------
    data : Tensor, shape (sum of the lengths, ...)
        The elements of the sequences, step by step.
    batch_sizes : Tensor of integers, shape (longest length,)
        How many sequences have an element at each step.
    sorted_indices : Tensor of integers, shape (N,), optional
        Where each of the sequences, ordered by length, stands in the batch; None if it is in that order.
    unsorted_indices : Tensor of integers, shape (N,), optional
        The inverse permutation; computed if not given.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.nn.utils.rnn import pack_sequence
    >>> packed = pack_sequence([ag.tensor([1, 2, 3]), ag.tensor([4, 5]), ag.tensor([6])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 6, 2, 5, 3]), tensor([3, 2, 1]))
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Any, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, dtype: Any) -> PackedSequence:
        """The same with the data in another dtype."""
        return self._replace(data=self.data.to(dtype))


def invert_permutation(permutation: Any) -> Any:
    """The permutation that undoes one; None for None.

    >>> import autograd_core as ag
    >>> from autograd_core.nn.utils.rnn import invert_permutation
    >>> invert_permutation(ag.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else argsort(permutation)


def _lengths(operation: str, lengths: Any, longest: int, batch: int, least: int) -> np.ndarray:
    """The lengths' values, which must be one for each sequence, and within what there is."""
    values = as_tensor(lengths)._known(f"{operation} (an LSTM takes padded input and lengths= there)")
    if values.dtype.kind not in "iu":
        raise TypeError(f"{operation}: expected integer lengths, got {values.dtype}; convert them with lengths.long()")
    if values.shape != (batch,):
        raise ValueError(f"{operation}: expected a length for each of {batch} sequences, got shape {values.shape}")
    wrong = np.flatnonzero((values < least) | (values > longest))
    if wrong.size:
        raise ValueError(
            f"{operation}: expected lengths from {least} to {longest}, the padded length, "
            f"but lengths[{wrong[0]}] is {values[wrong[0]]}"
        )
    return values


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Padded sequences without their padding.

    Parameters
    ----------
    input : shape (T, N, ...), or (N, T, ...) with `batch_first`
    lengths : N integers from 1 to T, as a tensor, array or list
    batch_first : whether the batch is the first dimension
    enforce_sorted : True to demand decreasing lengths, False to sort the sequences

    Raises
    ------
    ValueError
        If the lengths do not fit, or must be sorted and are not.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.nn.utils.rnn import pack_padded_sequence
    >>> padded = ag.tensor([[4, 0, 0], [1, 2, 3]])
    >>> packed = pack_padded_sequence(padded, [1, 3], batch_first=True, enforce_sorted=False)
    >>> packed.data, packed.sorted_indices
    (tensor([1, 4, 2, 3]), tensor([1, 0]))
    """
    operation = "pack_padded_sequence"
    input = as_tensor(input)
    if input.ndim < 2:
        raise ValueError(f"{operation}: expected input of shape (T, N, ...), got {input.shape}")
    if batch_first:
        input = transpose(input, 0, 1)
    values = _lengths(operation, lengths, input.shape[0], input.shape[1], least=1)
    if not values.size:
        raise ValueError(f"{operation}: expected at least one sequence, got input of shape {input.shape}")
    order = None
    if not enforce_sorted:
        indices = np.argsort(-values.astype(np.int64), kind="stable")
        values, order = values[indices], as_tensor(indices)
        input = index_select(input, 1, order)
    elif (np.diff(values.astype(np.int64)) > 0).any():
        raise ValueError(
            f"{operation}: expected decreasing lengths, got {values.tolist()}; pass enforce_sorted=False to sort them"
        )
    within = np.arange(values[0])[:, None] < values
    return PackedSequence(input[: values[0]][within], as_tensor(within.sum(1)), order)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Any, Any]:
    """The inverse of :func:`pack_padded_sequence`: padded sequences, and their lengths.

    Parameters
    ----------
    sequence : PackedSequence
    batch_first : whether the batch shall be the first dimension
    padding_value : what stands after the end of a sequence
    total_length : how many steps to pad to; the longest sequence if not given

    Returns
    -------
    padded : Tensor, shape (T, N, ...), or (N, T, ...) with `batch_first`
    lengths : Tensor of integers, shape (N,)

    Raises
    ------
    ValueError
        If `total_length` is below the longest sequence.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.nn.utils.rnn import pack_sequence, pad_packed_sequence
    >>> packed = pack_sequence([ag.tensor([4]), ag.tensor([1, 2, 3])], enforce_sorted=False)
    >>> pad_packed_sequence(packed, batch_first=True)
    (tensor([[4, 0, 0],
            [1, 2, 3]]), tensor([1, 3]))
    """
    operation = "pad_packed_sequence"
    if not isinstance(sequence, PackedSequence):
        raise TypeError(f"{operation}: expected a PackedSequence, got {type(sequence).__name__}")
    sizes = sequence.batch_sizes._known(operation)
    longest = len(sizes) if total_length is None else total_length
    if longest < len(sizes):
        raise ValueError(f"{operation}: expected a total_length of at least {len(sizes)}, got {total_length}")
    within = np.arange(sizes[0]) < np.pad(sizes, (0, longest - len(sizes)))[:, None]
    data = sequence.data
    padding = full((*within.shape, *data.shape[1:]), padding_value, dtype=data.dtype)
    padded, lengths = setitem(padding, within, data), as_tensor(within.sum(0))
    if sequence.unsorted_indices is not None:
        padded, lengths = index_select(padded, 1, sequence.unsorted_indices), lengths[sequence.unsorted_indices]
    return (transpose(padded, 0, 1) if batch_first else padded), lengths


def pad_sequence(
    sequences: Sequence[Any], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Any:
    """Sequences of different lengths as one tensor.

    Parameters
    ----------
    sequences : tensors of shapes (length, ...), at least one
    batch_first : whether the batch shall be the first dimension
    padding_value : what stands where a sequence has no element
    padding_side : "right" to pad after the end, "left" before the start

    Returns
    -------
    Tensor, shape (T, N, ...), or (N, T, ...) with `batch_first`; T is the longest length.

    Raises
    ------
    ValueError
        If there are no sequences, they differ in more than their lengths, or the side is neither.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.nn.utils.rnn import pad_sequence
    >>> pad_sequence([ag.tensor([1, 2, 3]), ag.tensor([4])], batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    tensors = [as_tensor(sequence) for sequence in sequences]
    if not tensors:
        raise ValueError("pad_sequence: expected at least one sequence, got none")
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: expected padding_side 'right' or 'left', got {padding_side!r}")
    rest = tensors[0].shape[1:]
    for i, tensor in enumerate(tensors):
        if tensor.ndim == 0 or tensor.shape[1:] != rest:
            expected = ", ".join(["length", *map(str, rest)])
            raise ValueError(
                f"pad_sequence: expected sequences of shape ({expected}), but number {i} is {tensor.shape}"
            )
    longest = max(map(len, tensors))
    none, dim = (0, 0) * len(rest), 0 if batch_first else 1
    missing = [longest - len(tensor) for tensor in tensors]
    widths = [(0, n) if padding_side == "right" else (n, 0) for n in missing]
    return stack([pad(t, (*none, *width), value=padding_value) for t, width in zip(tensors, widths, strict=True)], dim)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """The inverse of :func:`pad_sequence`: the sequences, each with its own length.

    >>> import autograd_core as ag
    >>> from autograd_core.nn.utils.rnn import unpad_sequence
    >>> unpad_sequence(ag.tensor([[1, 2, 3], [4, 0, 0]]), [3, 1], batch_first=True)
    [tensor([1, 2, 3]), tensor([4])]
    """
    padded = as_tensor(padded_sequences)
    if padded.ndim < 2:
        raise ValueError(f"unpad_sequence: expected padded sequences of shape (T, N, ...), got {padded.shape}")
    if not batch_first:
        padded = transpose(padded, 0, 1)
    values = _lengths("unpad_sequence", lengths, padded.shape[1], padded.shape[0], least=0)
    return [sequence[:length] for sequence, length in zip(padded, values.tolist(), strict=True)]


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences of different lengths, packed: :func:`pad_sequence`, then :func:`pack_padded_sequence`.

    >>> import autograd_core as ag
    >>> from autograd_core.nn.utils.rnn import pack_sequence
    >>> pack_sequence([ag.tensor([4.0]), ag.tensor([1.0, 2.0])], enforce_sorted=False).data
    tensor([1., 4., 2.])
    """
    tensors = [as_tensor(sequence) for sequence in sequences]
    return pack_padded_sequence(pad_sequence(tensors), [len(t) for t in tensors], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """The inverse of :func:`pack_sequence`.

    >>> import autograd_core as ag
    >>> from autograd_core.nn.utils.rnn import pack_sequence, unpack_sequence
    >>> unpack_sequence(pack_sequence([ag.tensor([1, 2]), ag.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
