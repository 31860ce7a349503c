"""Deciding what is drawn as one box: modules, then repetitions, then what there is no room for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from .arrangement import Arrangement, Block, Item, Part, Unit, parts_of, units_of
from .rolling_up import rolled_up

__all__ = ["arranged"]

PAGE = 60
"""Boxes that can be read on a page."""


def arranged(
    parts: Sequence[Part],
    *,
    owned: Collection[Any],
    depth: int | None,
    roll: bool,
    most: int,
    shallowest: int = 1,
    least: int = 20,
) -> Arrangement:
    """Decide what is drawn.

    Parameters
    ----------
    parts : in order
    owned : keys from outside that are drawn with those who use them, and not at all if these are one box: parameters
    depth : how many modules within one another are drawn as blocks; None for as many as leave a page that can be read
    roll : whether repetitions are rolled up
    most : boxes there is room for
    shallowest : the least depth that is chosen
    least : boxes that rolling up has to save
    """
    deepest = max((len(part.stack) for part in parts), default=0)
    for level in [*range(deepest, shallowest, -1), shallowest] if depth is None else [depth]:
        found = _opened(parts, owned, level, least if roll else None)
        everything: set[Any] = set().union(*found.uses.values())
        if len(found.units) + len(everything) <= PAGE:
            break
    found.depth = level if level < deepest else None
    _elide(found, everything, most)
    return found


def _opened(parts: Sequence[Part], owned: Collection[Any], depth: int, least: int | None) -> Arrangement:
    """All there is at this depth, with repetitions rolled up that save at least so much."""
    items = list(_collapsed(_tree(parts), depth, 0))
    found = Arrangement([], {part.key: unit for unit in units_of(items) for part in unit.parts})
    if least is not None:
        items = rolled_up(items, parts, found.same, least)
    _tell_parents(items, None)
    found.units = list(units_of(items))
    found.where = {part.key: unit for unit in found.units for part in unit.parts}
    found.where.update((part.key, found.where[found.drawn(part.key)]) for part in parts)
    found.used = {key for part in parts for key in part.inputs.values() if not found.is_within(key, part)}
    found.uses = _uses(parts, found, owned)
    return found


def _tree(parts: Iterable[Part]) -> list[Item]:
    """Parts as units, in blocks for the modules they are in."""
    items: list[Item] = []
    open_blocks: list[Block] = []
    for part in parts:
        n = 0
        for block, module in zip(open_blocks, part.stack, strict=False):
            if block.stack is None or block.stack[-1] is not module:
                break
            n += 1
        del open_blocks[n:]
        for level in range(n, len(part.stack)):
            block = Block([], part.stack[: level + 1])
            (open_blocks[-1].items if open_blocks else items).append(block)
            open_blocks.append(block)
        (open_blocks[-1].items if open_blocks else items).append(Unit([part]))
    return items


def _collapsed(items: Iterable[Item], depth: int, level: int) -> Iterator[Item]:
    """The items with blocks at this depth as units, and no block around one single box."""
    for item in items:
        if isinstance(item, Block) and level >= depth:
            yield Unit(list(parts_of(item)), item.stack)
        elif isinstance(item, Block):
            item.items = list(_collapsed(item.items, depth, level + 1))
            single = item.items[0] if len(item.items) == 1 else None
            yield single if isinstance(single, Unit) and single.stack is None else item
        else:
            yield item


def _tell_parents(items: Iterable[Item], parent: Block | None) -> None:
    for item in items:
        item.parent = parent
        if isinstance(item, Block):
            _tell_parents(item.items, item)


def _uses(parts: Iterable[Part], found: Arrangement, owned: Collection[Any]) -> dict[Unit, dict[Any, None]]:
    """What each unit uses from outside; without what belongs to a module that is one box."""
    uses: dict[Unit, dict[Any, None]] = {unit: {} for unit in found.units}
    users: dict[Any, set[Unit]] = {}
    for part in parts:
        unit = found.where[part.key]
        for key in part.inputs.values():
            if key not in found.where:
                key = found.drawn(key)
                uses[unit][key] = None
                users.setdefault(key, set()).add(unit)
    for key, those in users.items():
        if key in owned and len(those) == 1:
            (unit,) = those
            if unit.stack is not None:
                del uses[unit][key]
    return uses


def _elide(found: Arrangement, everything: set[Any], most: int) -> None:
    """Leave out the middle if there is no room for all units and `everything` from outside, and count it.

    Units are taken from both ends by turns.
    """
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
