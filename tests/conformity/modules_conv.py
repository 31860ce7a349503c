"""Convolution, pooling, padding, embedding: where we decided otherwise than PyTorch's modules."""

_ROOTS_OF_NEGATIVE_NUMBERS = (
    lambda s: s.args[0] == 1.5,
    "PyTorch draws negative numbers, whose power is NaN; ours stays out of the gradient of what no window has",
)

DEPARTURES = {f"LPPool{n}d": [_ROOTS_OF_NEGATIVE_NUMBERS] for n in (1, 2, 3)}
