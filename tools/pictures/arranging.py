"""Deciding what is drawn as one box: modules, then repetitions, then what there is no room for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from .arrangement import Arrangement, Block, Item, Part, Unit, parts_of, units_of
from .elision import elide
from .rolling_up import rolled_up

__all__ = ["arranged"]


def arranged(parts: Sequence[Part], *, owned: Collection[Any], depth: int | None, roll: bool, most: int) -> Arrangement:
    """Decide what is drawn.

    Parameters
    ----------
    parts : in order
    owned : keys from outside that are drawn with those who use them, and not at all if these are one box: parameters
    depth : how many modules within one another are drawn as blocks, None for all
    roll : whether repetitions are rolled up
    most : boxes there is room for
    """
    items = list(_collapsed(_tree(parts), depth, 0))
    found = Arrangement([], {part.key: unit for unit in units_of(items) for part in unit.parts})
    if roll:
        items = rolled_up(items, parts, found.same)
    _tell_parents(items, None)
    found.units = list(units_of(items))
    found.where = {part.key: unit for unit in found.units for part in unit.parts}
    found.where.update((part.key, found.where[found.drawn(part.key)]) for part in parts)
    found.used = {key for part in parts for key in part.inputs.values() if not found.is_within(key, part)}
    found.uses = _uses(parts, found, owned)
    elide(found, most)
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


def _collapsed(items: Iterable[Item], depth: int | None, level: int) -> Iterator[Item]:
    """The items with blocks at this depth as units, and no block around one single box."""
    for item in items:
        if isinstance(item, Block) and depth is not None and level >= depth:
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
