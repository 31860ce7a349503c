"""Padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import as_tensor, getitem
from autograd_core.ops.joining import padded

__all__ = ["pad"]

_MODES = {"constant": "constant", "reflect": "reflect", "circular": "wrap"}


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """`input` with entries added before and after its last dimensions; negative numbers take away.

    Parameters
    ----------
    input : any shape
    pad : (before, after) of the last dimension, then of the last but one, and so on
    mode : "constant" adds `value` (0 by default), "reflect" mirrors without repeating the edge, "replicate" repeats
        the edge, "circular" goes on at the other end
    value : only with mode "constant"

    Raises
    ------
    ValueError
        If the numbers do not come in pairs, are too many, or ask for more than there is to reflect or go round.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.functional.pad(ag.tensor([1.0, 2.0, 3.0]), (2, 1), "reflect")
    tensor([3., 2., 1., 2., 3., 2.])
    """
    input = as_tensor(input)
    pairs = list(zip(pad[::2], pad[1::2], strict=False))
    if len(pad) % 2 or len(pairs) > input.ndim:
        raise ValueError(f"pad: expected at most {input.ndim} pairs of integers for input {input.shape}, got {pad}")
    if mode not in _MODES and mode != "replicate":
        raise ValueError(f"pad: expected mode 'constant', 'reflect', 'replicate' or 'circular', got {mode!r}")
    if mode != "constant" and value:
        raise ValueError(f"pad: value={value} has no meaning with mode {mode!r}; leave it out")
    for size, pair in zip(reversed(input.shape), pairs, strict=False):
        limit = {"reflect": size - 1, "circular": size}.get(mode)
        if (limit is not None and max(pair) > limit) or (mode == "replicate" and not size):
            raise ValueError(f"pad: mode {mode!r} cannot pad size {size} by {pair}; at most by {limit or 0}")
    if mode == "replicate":
        for axis, (before, after) in enumerate(reversed(pairs), input.ndim - len(pairs)):
            places = np.clip(np.arange(-before, input.shape[axis] + after), 0, input.shape[axis] - 1)
            input = getitem(input, (*(slice(None),) * axis, places))
        return input
    widths = [(0, 0)] * (input.ndim - len(pairs)) + pairs[::-1]
    return padded(input, widths, _MODES[mode], 0.0 if value is None else value)
