"""Which operations share a loop.

A :class:`Nest` is a loop over the points of a space, which carries out several operations at each point.  A nest may
be split in *rows*: a loop over the outer dimensions, and inside it several loops over the inner ones, one after the
other.  So the largest value of a row, what is computed with it and the sum of that (softmax) are one nest.  Every
operation has a level in its nest:

    ZERO     0-d: once, before the loops, or after them if it needs a total
    ROW      once a row
    FULL     at every point

A reduction completes with its row, for others in the row to use, or else with the whole nest (a *total*).

Two nests become one if that needs no value before it is there.  Between operations that share a nest, a value has to be
read at the very point where it is made; as all accesses of a nest are strides over one space, that is to say that the
accesses are equal.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from .access import Access, Buffer, overlap
from .nodes import Host, Native, Node, Op, Product

__all__ = ["FULL", "ROW", "ZERO", "Nest", "Placed", "Step", "alone", "fuse"]

ZERO, ROW, FULL = range(3)

LARGEST = 96
"""Operations in a nest: more would not fit the registers, and take long to compile."""

ARRAYS = 40
"""Arrays in a nest."""


@dataclass(eq=False)
class Placed:
    """An operation in a nest: with its accesses over the nest's space, at a level."""

    op: Op
    level: int

    @property
    def accesses(self) -> Iterator[Access]:
        """What it reads and writes."""
        return (x for x in (*self.op.reads, self.op.write) if isinstance(x, Access))


@dataclass(eq=False)
class Nest:
    """Operations that share a loop over `space`; `rows` is the number of outer dimensions, None if not split."""

    space: tuple[int, ...]
    rows: int | None
    placed: list[Placed]

    def completes(self, placed: Placed) -> bool:
        """Whether a reduction is complete with its row: it sums over all the inner dimensions and no others."""
        op = placed.op
        return placed.level == FULL and self.rows is not None and _boundary(op) == self.rows and op.onto is None

    def totals(self) -> set[Buffer]:
        """What is complete only after the loops."""
        late: set[Buffer] = set()
        for p in self.placed:
            if p.op.reduces:
                if not self.completes(p):
                    late.add(p.op.write.buffer)
            elif p.level == ZERO and any(isinstance(x, Access) and x.buffer in late for x in p.op.reads):
                late.add(p.op.write.buffer)
        return late

    @property
    def needs(self) -> Iterator[Access]:
        return (x for p in self.placed for x in p.op.needs)

    @property
    def writes(self) -> Iterator[Access]:
        return (p.op.write for p in self.placed)

    @property
    def lines(self) -> list[str]:
        """The source lines it comes from."""
        return list(dict.fromkeys(p.op.line for p in self.placed if p.op.line))


Step: TypeAlias = Nest | Product | Native | Host


def _boundary(op: Op) -> int | None:
    """Where a reduction splits its space into rows: it sums over all dimensions from there on."""
    if not op.reduces:
        return None
    summed = [s == 0 for s in op.write.strides]
    rows = len(summed) - sum(summed)
    return None if any(summed[:rows]) else rows


def _embedded(op: Op, space: tuple[int, ...], dims: Sequence[int]) -> Op:
    """The operation over another space, whose first dimensions are these of its own."""

    def moved(access: Access) -> Access:
        strides = [access.strides[d] for d in dims]
        return Access(access.buffer, access.offset, space, (*strides, *(0,) * (len(space) - len(dims))))

    reads = tuple(moved(x) if isinstance(x, Access) else x for x in op.reads)
    return replace(op, shape=space, reads=reads, write=moved(op.write))


def alone(op: Op) -> Nest:
    """A nest of one operation, over its dimensions of more than one element."""
    keep = [d for d, n in enumerate(op.shape) if n != 1]
    op = _embedded(op, tuple(op.shape[d] for d in keep), keep)
    return Nest(op.shape, _boundary(op), [Placed(op, FULL if op.shape else ZERO)])


# Making one nest of two


def _joined(first: Nest, second: Nest) -> Nest | None:
    """One nest of two, if they fit; the second reads what the first writes."""
    if len(first.placed) + len(second.placed) > LARGEST:
        return None
    for nest, a, b in _together(first, second):
        if _meet(a, b) and _in_time(nest) and len({x.buffer for p in nest.placed for x in p.accesses}) <= ARRAYS:
            return nest
    return None


def _together(first: Nest, second: Nest) -> Iterator[tuple[Nest, list[Placed], list[Placed]]]:
    """The nests that both could make, and the operations of either in it."""
    a, b = first.placed, second.placed
    if first.space == second.space:
        for rows in dict.fromkeys((first.rows, second.rows) if first.rows is not None else (second.rows,)):
            # What one of them does once a row must stay that.
            if all(nest.rows == rows or all(p.level != ROW for p in nest.placed) for nest in (first, second)):
                yield Nest(first.space, rows, [*a, *b]), a, b
    elif _is_row_of(second, first):
        b = _raised(second, first.space)
        yield Nest(first.space, len(second.space) or first.rows, [*a, *b]), a, b
    elif _is_row_of(first, second):
        a = _raised(first, second.space)
        yield Nest(second.space, len(first.space) or second.rows, [*a, *b]), a, b


def _is_row_of(small: Nest, large: Nest) -> bool:
    """Whether a nest is once a row (or once in all) for the other one."""
    n = len(small.space)
    if n >= len(large.space) or large.space[:n] != small.space:
        return False
    return n == 0 or (small.rows in (None, 0) and large.rows in (None, n))


def _raised(nest: Nest, space: tuple[int, ...]) -> list[Placed]:
    dims = range(len(nest.space))
    return [Placed(_embedded(p.op, space, dims), min(p.level, ROW)) for p in nest.placed]


def _meet(first: list[Placed], second: list[Placed]) -> bool:
    """Whether the second reads what the first makes where it is made."""
    made: dict[Buffer, list[Access]] = {}
    for p in first:
        made.setdefault(p.op.write.buffer, []).append(p.op.write)
    for p in second:
        if any(overlap(x, p.op.write) for x in made.get(p.op.write.buffer, ())):
            return False
        if p.op.onto is not None and p.op.onto.buffer in made:
            return False
        for x in p.op.reads:
            if isinstance(x, Access) and x.buffer in made and made[x.buffer] != [x]:
                return False
    return True


def _in_time(nest: Nest) -> bool:
    """Whether nothing but 0-d operations reads what is complete only after the loops."""
    late = nest.totals()
    return not late or not any(
        isinstance(x, Access) and x.buffer in late for p in nest.placed if p.level != ZERO for x in p.op.reads
    )


# The order of all


class _Group:
    """A nest in the making, or another node; with what it has to wait for."""

    def __init__(self, number: int, node: Node | Nest) -> None:
        self.number = number
        self.node: Step = alone(node) if isinstance(node, Op) else node
        self.before: set[_Group] = set()
        self.after: set[_Group] = set()
        self.closed = False  # something else than a nest reads it: what comes now belongs to later nests
        self.ancestors = 0  # the numbers of all groups it has to wait for, as bits

    @property
    def bit(self) -> int:
        return 1 << self.number


def fuse(nodes: Iterable[Node]) -> list[Step]:
    """Nodes in an order that can be run, with the elementwise operations and reductions among them in nests."""
    nodes = list(nodes)
    fusion = _Fusion(Counter(x.buffer for node in nodes for x in node.needs))
    for number, node in enumerate(nodes):
        fusion.add(number, node)
    return fusion.steps()


class _Fusion:
    def __init__(self, readers: Counter[Buffer]) -> None:
        self.readers = readers
        self.groups: set[_Group] = set()
        self.writers: dict[Buffer, list[tuple[_Group, Access]]] = {}
        self.into: dict[_Group, _Group] = {}

    def _now(self, group: _Group) -> _Group:
        """The group that a group has become part of."""
        while group in self.into:
            group = self.into[group]
        return group

    def add(self, number: int, node: Node) -> None:
        """Add a node, to a nest that makes what it reads if possible."""
        group = _Group(number, node)
        self.groups.add(group)
        # It waits for what it reads, and for what it overwrites a part of.
        sources = {self._now(g) for x in node.needs for g, _ in self.writers.get(x.buffer, ())}
        sources |= {self._now(g) for x in node.writes for g, y in self.writers.get(x.buffer, ()) if overlap(x, y)}
        for source in sources:
            group.before.add(source)
            source.after.add(group)
            group.ancestors |= source.ancestors | source.bit
        for access in node.writes:
            self.writers.setdefault(access.buffer, []).append((group, access))
        if isinstance(node, Op):
            self._merge_sources(group)
        else:
            for source in sources:
                source.closed = True

    def _merge_sources(self, group: _Group) -> None:
        tried: set[_Group] = set()
        while True:
            left = [g for g in group.before - tried if self._belong(g, group)]
            if not left:
                return
            source = max(left, key=lambda g: g.number)
            tried.add(source)
            merged = self._merge(source, group)
            if merged is not None:
                group, tried = merged, set()

    def _belong(self, first: _Group, second: _Group) -> bool:
        """Whether it makes sense that the second, which reads what the first makes, joins it.

        A number that many read, such as a factor for all gradients, would tie together what has nothing in common.
        And what a matrix product has read has been written to memory: a gradient that is computed from it, such as the
        mask of a ReLU, is computed when it is needed rather than stored for that long.  A mere sum may still join.
        """
        if not isinstance(first.node, Nest) or not isinstance(second.node, Nest):
            return False
        if first.closed and not all(p.op.reduces for p in second.node.placed):
            return False
        made = {x.buffer for x in first.node.writes}
        needs = second.node.needs
        return any(x.buffer in made and (x.buffer.size > 1 or self.readers[x.buffer] == 1) for x in needs)

    def _merge(self, first: _Group, second: _Group) -> _Group | None:
        """One group of both, if there is one; `second` reads what `first` writes."""
        if any(g is not first and g.ancestors & first.bit for g in second.before):
            return None
        assert isinstance(first.node, Nest)
        assert isinstance(second.node, Nest)
        nest = _joined(first.node, second.node)
        if nest is None:
            return None
        both = {first, second}
        new = _Group(max(first.number, second.number), nest)
        new.before, new.after = (first.before | second.before) - both, (first.after | second.after) - both
        new.closed = first.closed or second.closed
        new.ancestors = (first.ancestors | second.ancestors) & ~(first.bit | second.bit)
        self.groups -= both
        self.groups.add(new)
        self.into[first] = self.into[second] = new
        for g in new.before:
            g.after -= both
            g.after.add(new)
        for g in new.after:
            g.before -= both
            g.before.add(new)
        self._spread(new, first.bit | second.bit)
        return new

    def _spread(self, new: _Group, gone: int) -> None:
        """Tell all that come after a group what they have to wait for now."""
        stack, seen = list(new.after), set(new.after)
        while stack:
            group = stack.pop()
            group.ancestors = (group.ancestors & ~gone) | new.ancestors | new.bit
            for g in group.after - seen:
                seen.add(g)
                stack.append(g)

    def steps(self) -> list[Step]:
        """Each group after those it waits for; else conditions first, the rest in the order they were recorded."""
        early = self._conditions()
        waiting = {group: len(group.before) for group in self.groups}
        ready = [(g not in early, g.number, g) for g, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        done: list[Step] = []
        while ready:
            *_, group = heapq.heappop(ready)
            done.append(group.node)
            for g in group.after:
                waiting[g] -= 1
                if waiting[g] == 0:
                    heapq.heappush(ready, (g not in early, g.number, g))
        assert len(done) == len(self.groups), "groups that wait for each other"
        return done

    def _conditions(self) -> set[_Group]:
        """What requires something of the arguments, with the nests that find it out.

        They come first: what is refused has then changed nothing, and the memory of gradients is free for other use.
        """
        found: set[_Group] = set()
        for group in self.groups:
            if isinstance(group.node, Native) and group.node.instruction.name == "require":
                needed, stack = {group}, [group]
                while stack:
                    for g in stack.pop().before - needed:
                        needed.add(g)
                        stack.append(g)
                if all(isinstance(g.node, Nest) for g in needed - {group}):
                    found |= needed
        return found
