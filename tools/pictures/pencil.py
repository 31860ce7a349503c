"""Boxes, arrows and clusters put down one after the other, with their keys, numbers and places."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import labels
from .arrangement import Arrangement, Block, Part, Unit, common_block, parts_of
from .backprop_flow import Carried
from .picture import Arrow, Box, Cluster, Picture

__all__ = ["Pencil"]


class Pencil:
    """Draws what was arranged into a picture.

    Parameters
    ----------
    picture : empty
    arrangement : what is drawn
    describe : a function from the modules a part is in to a cluster's kind, title and detail for the last of them
    lines : the source lines of parts, by key
    magnitude : a function from the last part of a round to the mean absolute gradient there, None if not known
    """

    def __init__(
        self,
        picture: Picture,
        arrangement: Arrangement,
        describe: Callable[[tuple[Any, ...]], tuple[str, str, str]],
        lines: dict[Any, str],
        magnitude: Callable[[Part], float | None],
    ) -> None:
        self.picture, self.arrangement = picture, arrangement
        self.describe, self.lines, self.magnitude = describe, lines, magnitude
        self.boxes: dict[Any, Box] = {}
        self.homes = arrangement.homes()
        self._clusters: dict[Block, int] = {}
        self._places: dict[str, int] = {}
        self._linked: set[tuple[str, str]] = set()
        self._rest: Box | None = None

    def in_order(self, unit: Callable[[Unit], None], outside: Callable[[Any], None]) -> None:
        """Have everything drawn that is shown, and the box for what is left out in its place."""
        found = self.arrangement
        for shown in found.units[: found.first]:
            unit(shown)
        if found.left_out:
            for hidden in found.left_out:
                for key in found.uses[hidden]:
                    if key in found.outside:
                        outside(key)
            self.left_out()
        for shown in found.units[found.last :]:
            unit(shown)

    # Boxes

    def unit(self, unit: Unit, kind: str, title: str, detail: str) -> Box:
        """The box of a unit."""
        box = self._box(kind, title, detail, unit.parent)
        self.boxes[unit] = box
        box.line = self._common_line(unit.parts)
        stack = unit.stack or unit.parts[0].stack
        if stack:
            _, box.module, box.module_class = self.describe(stack)
        if unit.rounds:
            box.times, box.magnitudes = len(unit.rounds), self._magnitudes(unit.rounds)
            box.note = self._note(unit.rounds, unit.stack, box.magnitudes)
        return box

    def outside(self, key: Any, kind: str, title: str, detail: str = "", *, inside: bool = False) -> Box:
        """The box of something from outside, which has this key; if it belongs there, in the block that uses it."""
        box = self.boxes[key] = self._box(kind, title, detail, self.homes.get(key) if inside else None)
        return box

    def left_out(self) -> None:
        """The box that stands for the units that are left out."""
        found = self.arrangement
        hidden = set(found.left_out)
        operations = sum(unit in hidden for unit in found.where.values())
        inputs = f" and {labels.counted(found.outside_left_out, 'input')}" if found.outside_left_out else ""
        ends = [unit.parent for unit in (found.units[max(found.first - 1, 0)], found.units[found.last - 1])]
        block = common_block(*ends) if found.first else None
        self._rest = self._box(
            "left out", f"... {labels.counted(operations, 'operation')}{inputs} left out ...", "", block
        )

    def _box(self, kind: str, title: str, detail: str, block: Block | None) -> Box:
        key = f"n{len(self.picture.boxes)}"
        self._places[key] = len(self.picture.boxes)
        box = Box(key, kind, labels.short(title, 60), detail, cluster=None if block is None else self.cluster(block))
        self.picture.boxes.append(box)
        return box

    def at(self, key: Any) -> Box | None:
        """The box that stands for a part, or for something from outside; None if that is left out."""
        unit = self.arrangement.where.get(key)
        return self.boxes.get(self.arrangement.drawn(key)) if unit is None else self.boxes.get(unit, self._rest)

    # Clusters

    def cluster(self, block: Block) -> int:
        """The number of the cluster of a block, made at its first use, after those it is in."""
        if block not in self._clusters:
            parent = None if block.parent is None else self.cluster(block.parent)
            kind, title, detail = self.describe(block.stack) if block.stack else ("repetition", "", "")
            number = self._clusters[block] = len(self.picture.clusters)
            line = self._common_line(parts_of(block))
            cluster = Cluster(number, kind, title, detail, parent, line)
            if block.rounds:
                cluster.times, cluster.magnitudes = len(block.rounds), self._magnitudes(block.rounds)
                cluster.note = self._note(block.rounds, block.stack, cluster.magnitudes)
            self.picture.clusters.append(cluster)
        return self._clusters[block]

    def _common_line(self, parts: Iterable[Part]) -> str:
        lines = {self.lines.get(part.key, "") for part in parts}
        return lines.pop() if len(lines) == 1 else ""

    def _magnitudes(self, rounds: list[list[Part]]) -> list[float]:
        found = [self.magnitude(parts[-1]) for parts in rounds]
        return [m for m in found if m is not None] if None not in found else []

    def _note(self, rounds: list[list[Part]], stack: tuple[Any, ...] | None, magnitudes: list[float]) -> str:
        names = ""
        if stack:
            around = self.describe(stack[:-1])[1] if stack[1:] else ""
            paths = (self.describe(parts[0].stack[: len(stack)])[1] for parts in (rounds[0], rounds[-1]))
            ends = [labels.within(path, around) for path in paths]
            names = f"{ends[0]} to {ends[1]}: " if ends[0] != ends[1] else ""
        lines = [f"{names}the last of {len(rounds):,} is shown"]
        if magnitudes:
            first, last = labels.number(magnitudes[0]), labels.number(magnitudes[-1])
            lines.append(f"mean |grad| {first} at the first, {last} at the last")
        return "\n".join(lines)

    # Arrows

    def arrow(self, source: Box | None, target: Box | None, carried: Carried | None = None, uses: int = 1) -> None:
        """An arrow between boxes, if there are both; without anything carried, only if there is none."""
        if source is None or target is None or source is target is self._rest:
            return
        pair = source.key, target.key
        if carried is None or "left out" in (source.kind, target.kind):
            if pair in self._linked:
                return
            carried, uses = Carried(), 1
        self._linked.add(pair)
        again = self._places[source.key] >= self._places[target.key]
        arrow = Arrow(len(self.picture.arrows), *pair, carried.upstream, carried.local, carried.sent, again, uses)
        arrow.facts, arrow.carried = carried.facts, carried.numbers
        self.picture.arrows.append(arrow)

    def remaining_arrows(self, parts: Iterable[Part]) -> None:
        """Arrows for what is rolled up or left out, one from each box to each."""
        for part in parts:
            target = self.at(part.key)
            for key in part.inputs.values():
                if not self.arrangement.is_within(key, part):
                    self.arrow(self.at(key), target)
