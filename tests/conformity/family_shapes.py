"""Shapes, joining and splitting, indexing, diagonals, creation, casts.

NAMES are PyTorch's.  DEPARTURES gives, for a name, pairs: a test of a sample (its ``input``, ``args``, ``kwargs``),
and the reason why we decided otherwise for such samples.
"""

NAMES: set[str] = {
    *("reshape", "reshape_as", "view", "view_as", "permute", "transpose", "t", "movedim"),
    *("squeeze", "unsqueeze", "flatten", "unflatten", "ravel", "atleast_1d", "atleast_2d", "atleast_3d"),
    *("expand", "expand_as", "broadcast_to", "broadcast_tensors", "broadcast_shapes", "repeat", "tile", "kron"),
    *("clone", "contiguous"),
    *("cat", "stack", "hstack", "vstack", "dstack", "column_stack", "block_diag", "meshgrid", "cartesian_prod"),
    *("split", "split_with_sizes", "chunk", "unbind", "tensor_split", "hsplit", "vsplit", "dsplit"),
    *("roll", "diff", "flip", "fliplr", "flipud", "rot90", "repeat_interleave", "narrow", "select"),
    *("diagonal", "diag", "diag_embed", "diagflat", "tril", "triu", "tril_indices", "triu_indices", "unfold"),
    *("__getitem__", "index_select", "gather", "masked_select", "take", "take_along_dim"),
    *("scatter", "scatter_add", "scatter_reduce", "index_put", "index_add", "index_fill", "index_copy", "put"),
    *("select_scatter", "slice_scatter", "diagonal_scatter", "masked_scatter"),
    *("zeros", "ones", "full", "eye", "arange", "linspace", "logspace"),
    *("zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full"),
    *("float", "double", "half", "int", "long", "short", "bool", "byte", "char", "item", "T", "mT"),
}


def _empty_index_of_other_rank(sample):
    index = sample.args[1]
    return index.numel() == 0 and index.ndim != sample.input.ndim


MEMORY_FORMAT = [(lambda sample: "memory_format" in sample.kwargs, "an array has no channels-last layout to ask for")]

DEPARTURES: dict = {
    "cat": [
        (
            lambda sample: len({x.ndim for x in sample.input}) > 1,
            "PyTorch skips tensors of shape (0,) whatever the others' dimensions, for compatibility with its past",
        )
    ],
    "gather": [
        (_empty_index_of_other_rank, "an index of other dimensions than the input is an error, also an empty one")
    ],
    **dict.fromkeys(("float", "double", "half", "int", "long", "short", "bool", "byte", "char"), MEMORY_FORMAT),
}
