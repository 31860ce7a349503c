"""How the functions of windows read their arguments."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from autograd_core import Tensor, unsqueeze

__all__: list[str] = []


def sizes(operation: str, argument: str, value: Any, n: int, least: int = 0) -> tuple[int, ...]:
    """One number for each of `n` dimensions, from one number for all or from a sequence.

    Raises
    ------
    TypeError
        If something is no integer.
    ValueError
        If there are not 1 or `n`, or one is below `least`.
    """
    try:
        found = tuple(map(operator.index, value)) if isinstance(value, Sequence) else (operator.index(value),)
    except TypeError:
        raise TypeError(f"{operation}: expected {argument} to be 1 or {n} integers, got {value!r}") from None
    if len(found) == 1:
        found *= n
    if len(found) != n or min(found) < least:
        raise ValueError(f"{operation}: expected {argument} to be 1 or {n} integers of at least {least}, got {value!r}")
    return found


def batched(operation: str, input: Tensor, n: int) -> tuple[Tensor, bool]:
    """`input` as (N, C, *sizes) with `n` sizes, and whether the batch dimension was added.

    Raises
    ------
    ValueError
        If it has another number of dimensions.
    """
    if input.ndim not in (n + 1, n + 2):
        names = ", ".join(("depth", "height", "width")[3 - n :]) if n > 1 else "length"
        raise ValueError(f"{operation}: expected input of shape (N, C, {names}) or (C, {names}), got {input.shape}")
    return (input, False) if input.ndim == n + 2 else (unsqueeze(input, 0), True)
