"""Leaving out the middle of what there is no room for, and counting it."""

from __future__ import annotations

from typing import Any

from .arrangement import Arrangement

__all__ = ["elide"]


def elide(found: Arrangement, most: int) -> None:
    """Choose the units that are shown: all, or as many as there is room for, from both ends by turns."""
    everything: set[Any] = set().union(*found.uses.values())
    found.first, found.last = 0, len(found.units)
    if len(found.units) + len(everything) <= most:
        found.first, found.outside = len(found.units), everything
    shown = 0
    while found.first < found.last:
        at_start = shown % 2
        unit = found.units[found.first if at_start else found.last - 1]
        more = found.uses[unit].keys() - found.outside
        # Beside what is there already: what it uses, the unit itself, and the box that stands for the rest.
        if shown and shown + len(found.outside) + len(more) + 2 > most:
            break
        shown += 1
        found.outside |= more
        found.first += at_start
        found.last -= 1 - at_start
    found.outside_left_out = len(everything) - len(found.outside)
