"""Repetitions drawn once: fifty steps of a recurrence, or twelve layers that differ in their numbers only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from autograd_core.compiler.rolling import Item as Position
from autograd_core.compiler.rolling import rolled

from .arrangement import Block, Item, Part, Unit, parts_of, units_of

__all__ = ["rolled_up"]


def rolled_up(items: list[Item], parts: Sequence[Part], same: dict[Any, Any], least: int) -> list[Item]:
    """The items with repetitions, within blocks or of blocks, in one block or unit that knows all rounds.

    Rounds are repetitions if they are the same operations on the same shapes, wired in the same way, and linked to the
    round before in the same way.  `same` gets for everything that is not drawn what is drawn for it: for parts, and for
    what from outside the parts of one round alone use.

    Rolling up has to save at least so many boxes; what repeats on a small scale is easier to read as it is.
    """
    return _Rolling(parts, same, least).roll(items)


class _Rolling:
    def __init__(self, parts: Sequence[Part], same: dict[Any, Any], least: int) -> None:
        self.same, self.least = same, least
        self.inside = {part.key for part in parts}
        self.uses = Counter(key for part in parts for key in part.inputs.values())
        self.numbers: dict[Hashable, int] = {}

    def roll(self, items: list[Item]) -> list[Item]:
        for item in items:
            if isinstance(item, Block):
                item.items = self.roll(item.items)
        symbols = [self.symbol(item) for item in items]
        return [item for position in rolled(symbols) for item in self.expanded(position, items)]

    def symbol(self, item: Item) -> int:
        """Equal for items that look the same."""
        kind: Any = item.stack and type(item.stack[-1])
        if isinstance(item, Unit):
            found: Hashable = (kind, *(part.symbol for part in item.parts))
        else:
            found = (kind, len(item.rounds), *(self.symbol(inner) for inner in item.items))
        return self.numbers.setdefault(found, len(self.numbers))

    def expanded(self, position: Position, items: list[Item]) -> list[Item]:
        """The items that a position of the sequence stands for, or a loop."""
        if isinstance(position, int):
            return [items[position]]
        rounds = [[item for p in one for item in self.expanded(p, items)] for one in position.rounds]
        return [item for run in _alike(rounds) for item in self.united(run)]

    def united(self, rounds: list[list[Item]]) -> list[Item]:
        """One item in place of all rounds, if that saves enough."""
        shown = rounds[-1]
        if sum(1 for _ in units_of(shown)) * (len(rounds) - 1) < self.least:
            return [item for items in rounds for item in items]
        parts = [_parts(items) for items in rounds]
        for hidden in parts[:-1]:
            self.stand_for(hidden, parts[-1])
        if len(shown) == 1 and not shown[0].rounds:
            shown[0].rounds = parts
            return shown
        return [Block(shown, rounds=parts)]

    def stand_for(self, hidden: list[Part], shown: list[Part]) -> None:
        own = Counter(key for part in hidden for key in part.inputs.values())
        for a, b in zip(hidden, shown, strict=True):
            self.same[a.key] = b.key
            for position, key in a.inputs.items():
                other = b.inputs.get(position)
                apart = key not in self.inside and other is not None and other not in self.inside and other != key
                if apart and own[key] == self.uses[key]:
                    self.same[key] = other


def _parts(items: list[Item]) -> list[Part]:
    return [part for item in items for part in parts_of(item)]


def _alike(rounds: list[list[Item]]) -> Iterator[list[list[Item]]]:
    """The rounds, in runs of those that are wired in the same way."""
    run: list[list[Item]] = []
    first: Any = None
    link: Any = None
    before: list[Part] = []
    for items in rounds:
        parts = _parts(items)
        inner = [(part.symbol, wires) for part, wires in zip(parts, _wires(parts, parts), strict=True)]
        to_before = _wires(parts, before)
        if run and (inner != first or (len(run) > 1 and to_before != link)):
            yield run
            run = []
        if not run:
            first = inner
        elif len(run) == 1:
            link = to_before
        run.append(items)
        before = parts
    yield run


def _wires(parts: list[Part], sources: list[Part]) -> list[list[tuple[int, int]]]:
    """For each part, which of its operands come from which of the sources."""
    places = {part.key: i for i, part in enumerate(sources)}
    return [[(position, places[key]) for position, key in part.inputs.items() if key in places] for part in parts]
