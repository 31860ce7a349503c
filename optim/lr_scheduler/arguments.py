"""How schedules read their arguments."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

__all__: list[str] = []


def whole(name: str, least: int, **options: Any) -> None:
    """Whether all options are integers of at least `least`."""
    for option, value in options.items():
        if isinstance(value, bool) or not hasattr(value, "__index__") or operator.index(value) < least:
            raise ValueError(f"{name}: expected {option} to be an integer of at least {least}, got {value!r}")


def increasing(name: str, milestones: Iterable[int], least: int) -> list[int]:
    """The milestones as a list, which must not go down."""
    found = list(milestones)
    for milestone in found:
        whole(name, least, milestones=milestone)
    if found != sorted(found):
        raise ValueError(f"{name}: expected milestones in increasing order, got {found}")
    return found


def for_each_group(name: str, optimizer: Any, option: str, value: Any) -> list[Any]:
    """One value for each group, from one for all or from a list of them."""
    count = len(optimizer.param_groups)
    found = list(value) if isinstance(value, (list, tuple)) else [value] * count
    if len(found) != count:
        raise ValueError(
            f"{name}: expected {option} to be one value for all groups, or a list of one for each of the {count}, "
            f"got {len(found)}"
        )
    return found
