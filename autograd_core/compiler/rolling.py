"""Loops out of repetition: fifty steps of a recurrence, or thirty parameters to update, are written once.

What differs between the repetitions, addresses, sizes and numbers, is not in the text but in the table, so calls are
equal if they call the same kernel.  A sequence that repeats becomes a loop, whatever stands between the kernels it
calls; loops take part in longer repetitions in their turn.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeAlias

import numpy as np

__all__ = ["Loop", "rolled"]

LONGEST = 1000
"""Calls in the body of a loop."""


class Loop:
    """A body of items that repeats: `rounds` are its repetitions, item by item."""

    def __init__(self, rounds: list[list[Item]], symbol: int) -> None:
        self.rounds, self.symbol = rounds, symbol


Item: TypeAlias = "int | Loop"


def rolled(symbols: Sequence[Hashable]) -> list[Item]:
    """The positions of a sequence of symbols, with what repeats side by side in loops.

    >>> from autograd_core.compiler.rolling import rolled
    >>> first, loop = rolled("xabababab")
    >>> first, loop.rounds
    (0, [[1, 2], [3, 4], [5, 6], [7, 8]])
    """
    numbers: dict[Hashable, int] = {}
    items: list[Item] = list(range(len(symbols)))
    ids = np.array([numbers.setdefault(s, len(numbers)) for s in symbols], np.int64)
    period = 1
    while 2 * period <= len(items) and period <= LONGEST:
        done: list[Item] = []
        new_ids: list[int] = []
        at = 0
        for start, rounds in _runs(ids, period):
            done += items[at:start]
            new_ids += ids[at:start].tolist()
            parts = [items[start + r * period : start + (r + 1) * period] for r in range(rounds)]
            body = ("loop", *ids[start : start + period].tolist())
            symbol = numbers.setdefault(body, len(numbers))
            done.append(Loop(parts, symbol))
            new_ids.append(symbol)
            at = start + rounds * period
        if done:
            items, ids = done + items[at:], np.array(new_ids + ids[at:].tolist(), np.int64)
        period = 1 if done else period + 1  # loops may repeat side by side now
    return items


def _runs(ids: np.ndarray, period: int) -> list[tuple[int, int]]:
    """Where a body of this length repeats: (start, how often), from left to right."""
    same = np.concatenate([[False], ids[:-period] == ids[period:], [False]])
    edges = np.flatnonzero(same[1:] != same[:-1])
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    found = []
    end = 0
    for start, length in zip(starts[lengths >= period].tolist(), lengths[lengths >= period].tolist(), strict=True):
        begin = max(start, end)
        rounds = (start + length - begin) // period + 1
        if rounds >= 2:
            found.append((begin, rounds))
            end = begin + rounds * period
    return found
