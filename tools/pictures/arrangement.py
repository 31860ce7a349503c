"""What is drawn as one box, and which boxes stand together.

A computation is a sequence of :class:`Part`, one for each operation, in an order that can be run.  Parts that were
applied in the same module stand side by side and become a :class:`Block`, blocks within blocks.  A block too deep to be
shown becomes one :class:`Unit`, which is a box; so does every part that is left.  Repetitions are rolled up
(`rolling_up`), and if there are still too many units, those in the middle are left out; `arranging` does all this.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

__all__ = ["Arrangement", "Block", "Item", "Part", "Unit", "common_block", "parts_of", "units_of"]


@dataclass(eq=False)
class Part:
    """An operation.

    Attributes
    ----------
    key : what it is known by
    symbol : equal for operations that look the same
    inputs : the keys of its operands, other parts or from outside, by their positions
    stack : the modules it is in, the outermost first
    """

    key: Any
    symbol: Hashable
    inputs: dict[int, Any]
    stack: tuple[Any, ...] = ()


@dataclass(eq=False)
class Unit:
    """What is drawn as one box: a part, or all the parts of a module (the last of `stack`).

    If it is repeated, `rounds` has the parts of every time, and the last time is drawn.
    """

    parts: list[Part]
    stack: tuple[Any, ...] | None = None
    parent: Block | None = None
    rounds: list[list[Part]] = field(default_factory=list)


@dataclass(eq=False)
class Block:
    """Items that stand together: those of a module (the last of `stack`), or (None) of a repetition."""

    items: list[Item]
    stack: tuple[Any, ...] | None = None
    parent: Block | None = None
    rounds: list[list[Part]] = field(default_factory=list)


Item: TypeAlias = "Unit | Block"


def parts_of(item: Item) -> Iterator[Part]:
    """All parts in it, of every time, in order."""
    if item.rounds:
        for parts in item.rounds:
            yield from parts
    elif isinstance(item, Unit):
        yield from item.parts
    else:
        for inner in item.items:
            yield from parts_of(inner)


def units_of(items: Iterable[Item]) -> Iterator[Unit]:
    """The units among them and within them, in order."""
    for item in items:
        if isinstance(item, Unit):
            yield item
        else:
            yield from units_of(item.items)


@dataclass(eq=False)
class Arrangement:
    """What is drawn.

    Attributes
    ----------
    units : in order; those from `first` up to but not including `last` are left out
    before : the unit that each part was in before repetitions were rolled up, by its key
    where : the unit that stands for it
    used : the keys of parts that others use, outside of their unit
    same : for what is rolled up, parts and what they alone use: what is drawn instead, by its key
    uses : the keys of what each unit uses from outside and is drawn, in order
    first, last : see units
    outside : the keys of what from outside is drawn
    outside_left_out : how much else from outside there is
    depth : how many modules within one another are drawn as blocks, None if all are
    """

    units: list[Unit]
    before: dict[Any, Unit]
    same: dict[Any, Any] = field(default_factory=dict)
    where: dict[Any, Unit] = field(default_factory=dict)
    used: set[Any] = field(default_factory=set)
    uses: dict[Unit, dict[Any, None]] = field(default_factory=dict)
    first: int = 0
    last: int = 0
    outside: set[Any] = field(default_factory=set)
    outside_left_out: int = 0
    depth: int | None = None

    @property
    def shown(self) -> list[Unit]:
        """The units that are drawn."""
        return self.units[: self.first] + self.units[self.last :]

    @property
    def left_out(self) -> list[Unit]:
        """The units that are not."""
        return self.units[self.first : self.last]

    def is_rolled_up(self, key: Any) -> bool:
        """Whether something stands for others, or others for it."""
        return key in self.same or key in self._standing

    @functools.cached_property
    def _standing(self) -> set[Any]:
        return set(self.same.values())

    def is_within(self, key: Any, part: Part) -> bool:
        """Whether what a part uses was made in the same box, and not in another round of it."""
        return self.before.get(key) is self.before[part.key]

    def repetitions(self) -> Iterator[list[list[Part]]]:
        """The rounds of all that is repeated and shown."""
        items: dict[Item, None] = {}
        for unit in self.shown:
            items[unit] = None
            items.update(dict.fromkeys(enclosing(unit.parent)))
        yield from (item.rounds for item in items if item.rounds)

    def drawn(self, key: Any) -> Any:
        """The key of what is drawn for a key."""
        while key in self.same:
            key = self.same[key]
        return key

    def homes(self) -> dict[Any, Block | None]:
        """The block in which what comes from outside is drawn: the innermost that all who use it are in.

        What every time of a repetition uses is not repeated, and stands beside it.
        """
        homes: dict[Any, Block | None] = {}
        for unit in self.shown:
            for key in self.uses[unit]:
                homes[key] = common_block(homes[key], unit.parent) if key in homes else unit.parent
        repetitions = {block for unit in self.shown for block in enclosing(unit.parent) if block.rounds}
        hidden = {b: {key for ps in b.rounds[:-1] for p in ps for key in p.inputs.values()} for b in repetitions}
        for key, home in homes.items():
            for block in enclosing(home):
                if block.rounds and key in hidden[block]:
                    homes[key] = block.parent
        return homes


def enclosing(block: Block | None) -> Iterator[Block]:
    """A block and those it is in, the innermost first."""
    while block is not None:
        yield block
        block = block.parent


def common_block(first: Block | None, second: Block | None) -> Block | None:
    """The innermost block that both are in."""
    around = set(enclosing(first))
    return next((block for block in enclosing(second) if block in around), None)
