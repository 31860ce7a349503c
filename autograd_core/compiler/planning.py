"""Where everything is kept while a program runs.

Every buffer gets a place: the memory of an argument, of a captured tensor, of a gradient, or a part of the workspace,
which buffers share whose lives do not overlap.  What can be computed in place is: an operation whose operand is not
needed afterwards writes over it, and what a tensor that existed before becomes is written right into it.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..graph import owner
from .access import Access, Buffer
from .fusion import FULL, ZERO, Nest, Placed, Step, alone
from .loops import phases
from .nodes import COMPILED, Host, Nodes, Op, Product
from .program import Captured, Gradient, Instruction, Program, Result, State, Value

__all__ = ["ALIGNMENT", "Plan", "aligned", "plan"]

ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector."""


@dataclass
class Plan:
    """The steps with their memory.

    Attributes
    ----------
    steps : in the order they run
    kept : buffers that a step leaves for others
    memory : which buffer's memory a buffer takes over
    offsets : bytes into the workspace, of the buffers that have no other memory
    workspace : its size in bytes
    gradients : the buffers that gradients are delivered in, by what they are of
    results : where the values are that the call returns, by position; or numbers
    """

    steps: list[Step]
    kept: set[Buffer] = field(default_factory=set)
    memory: dict[Buffer, Buffer] = field(default_factory=dict)
    offsets: dict[Buffer, int] = field(default_factory=dict)
    workspace: int = 0
    gradients: dict[Any, Buffer] = field(default_factory=dict)
    results: dict[int, Any] = field(default_factory=dict)

    def root(self, buffer: Buffer) -> Buffer:
        """The buffer whose memory this one has."""
        while buffer in self.memory:
            buffer = self.memory[buffer]
        return buffer


def plan(program: Program, nodes: Nodes, steps: list[Step]) -> Plan:
    """Places for all buffers of a program's steps."""
    return _Planning(program, nodes, steps).done()


def accesses(step: Step) -> Iterator[Access]:
    """What a step reads and writes."""
    yield from step.needs
    yield from step.writes


class _Planning:
    def __init__(self, program: Program, nodes: Nodes, steps: list[Step]) -> None:
        self.program, self.nodes = program, nodes
        self.plan = Plan(list(steps))
        self.held: set[Buffer] = set()  # not to be written over: needed after the last step
        self._index()

    def _index(self) -> None:
        """Who reads and writes each buffer, as positions of steps."""
        self.readers: dict[Buffer, list[int]] = {}
        self.writers: dict[Buffer, list[int]] = {}
        for k, step in enumerate(self.plan.steps):
            for x in dict.fromkeys(x.buffer for x in step.needs):
                self.readers.setdefault(x, []).append(k)
            for x in dict.fromkeys(x.buffer for x in step.writes):
                self.writers.setdefault(x, []).append(k)

    def done(self) -> Plan:
        """All decisions, one kind after the other."""
        p = self.plan
        changed = list(self._states())
        written = {buffer for buffer, _ in changed}
        self.shared = self._sharing_memory()
        for target, operand in self.program.outputs:
            if isinstance(target, Result):
                place = self.nodes.places[operand] if isinstance(operand, Value) else operand
                if isinstance(place, Access):
                    place = self._saved(place, written)
                    self.held.add(place.buffer)
                p.results[target.position] = place
        self._accumulate()
        fails = (k for k, step in enumerate(p.steps) if isinstance(step, Host) or getattr(step, "checked", False))
        self.last_failure = last_failure = max(fails, default=-1)
        for target, operand in self.program.outputs:
            if isinstance(target, Gradient):
                self._deliver(operand, target, last_failure)
        states = [(buffer, self._saved(self.nodes.places[value], written)) for buffer, value in changed]
        for buffer, place in states:
            self._update(buffer, place, last_failure)
        self._keep()
        self._write_over()
        self._allocate()
        return p

    def _states(self) -> Iterator[tuple[Buffer, Value]]:
        """The tensors that get a new content: the buffer of each, and the value."""
        of = {id(b.source.tensor): b for b in self.nodes.inputs.values() if isinstance(b.source, Captured)}
        for target, operand in self.program.outputs:
            if isinstance(target, State):
                assert isinstance(operand, Value)
                if id(target.tensor) not in of:
                    array = target.tensor.array
                    of[id(target.tensor)] = Buffer(array.size, array.dtype, Captured(target.tensor))
                    self.nodes.inputs[Value(array.shape, array.dtype)] = of[id(target.tensor)]
                yield of[id(target.tensor)], operand

    def _sharing_memory(self) -> set[Buffer]:
        """The captured tensors whose memory others have too: they are written when all has been read."""
        sharing: dict[int, list[Buffer]] = {}
        for buffer in self.nodes.inputs.values():
            if isinstance(buffer.source, Captured):
                sharing.setdefault(id(owner(buffer.source.tensor.array)), []).append(buffer)
        arrays = {b: b.source.tensor.array for buffers in sharing.values() for b in buffers}  # type: ignore[union-attr]
        return {
            a
            for buffers in sharing.values()
            for a in buffers
            if any(a is not b and np.may_share_memory(arrays[a], arrays[b]) for b in buffers)
        }

    def _saved(self, place: Access, written: set[Buffer]) -> Access:
        """A place that is still as it is now when other tensors have been written."""
        return self._copied(place) if place.buffer in written or place.buffer in self.shared else place

    def _copied(self, place: Access) -> Access:
        """A copy of what is about to be overwritten."""
        copy = Access.whole(Buffer(math.prod(place.shape), place.buffer.dtype), place.shape)
        self._append(place, copy)
        return copy

    def _append(self, source: Access, write: Access) -> None:
        """A copy as the last step."""
        read = Access(source.buffer, source.offset, write.shape, source.over(write.shape))
        if str(write.buffer.dtype) in COMPILED:
            self.plan.steps.append(alone(Op("clone", {}, write.shape, (read,), write, (False,), "")))
        else:
            value = Value(write.shape, write.buffer.dtype)
            self.plan.steps.append(Host(Instruction("clone", (value,), {}, (value,)), (read,), (write,), "a copy"))
        self._index()

    def _deliver(self, operand: Any, target: Gradient, last_failure: int) -> None:
        """Let a gradient be computed where it is kept, or copied there."""
        place = self.nodes.places[operand]
        buffer = self.plan.gradients[target.of] = Buffer(operand.size, operand.dtype)
        root = self.plan.root(place.buffer)
        own = root.source is None and (root.size, root.dtype) == (buffer.size, buffer.dtype) and place.is_contiguous
        late = min(self.writers.get(root, ()), default=0) > last_failure
        if own and late and root not in self.plan.gradients.values():
            self.plan.memory[root] = buffer
        else:
            self._append(place, Access.whole(buffer, operand.shape))
        self.held.update((place.buffer, buffer))

    def _update(self, buffer: Buffer, place: Access, last_failure: int) -> None:
        """Let the new content of a tensor be computed in its memory, or copied there in the end."""
        if self._in_place(place, buffer, last_failure):
            self.plan.memory[place.buffer] = buffer
        elif place != Access.whole(buffer, place.shape):
            self._append(place, Access.whole(buffer, place.shape))

    def _in_place(self, place: Access, buffer: Buffer, last_failure: int) -> bool:
        new = place.buffer
        if new.source is not None or new in self.plan.memory or (new.size, new.dtype) != (buffer.size, buffer.dtype):
            return False
        if not place.is_contiguous or len(self.writers.get(new, ())) != 1 or new in self.held or buffer in self.shared:
            return False
        (k,) = self.writers[new]
        if k <= last_failure or any(r > k for r in self.readers.get(buffer, ())):
            return False
        return self._may_write_over(self.plan.steps[k], new, buffer)

    def _may_write_over(self, step: Step, new: Buffer, old: Buffer) -> bool:
        """Whether a step may write `new` into the memory of `old`, which it reads."""
        if not isinstance(step, Nest):
            return all(x.buffer is not old for x in step.needs)
        maker = next(p for p in step.placed if p.op.write.buffer is new)
        if maker.op.reduces or not last_in_row(step, maker):
            return False
        return all(
            p.level == maker.level and (x.offset, x.strides) == (maker.op.write.offset, maker.op.write.strides)
            for p in step.placed
            for x in p.op.reads
            if isinstance(x, Access) and self.plan.root(x.buffer) is self.plan.root(old)
        )

    def _accumulate(self) -> None:
        """What is added to a total has its memory (`nodes` has seen to it that nobody else needs it)."""
        for step in self.plan.steps:
            ops = [p.op for p in step.placed] if isinstance(step, Nest) else [step]
            for op in ops:
                if isinstance(op, (Op, Product)) and op.onto is not None:
                    self.plan.memory[op.write.buffer] = op.onto.buffer

    def _keep(self) -> None:
        """What steps leave for others."""
        p = self.plan
        for buffer, writers in self.writers.items():
            outside = any(k not in writers for k in self.readers.get(buffer, ()))
            placed = buffer in self.held or buffer in p.memory or buffer.source is not None
            if outside or placed or len(writers) > 1 or not all(isinstance(p.steps[k], Nest) for k in writers):
                p.kept.add(buffer)

    def _write_over(self) -> None:
        """Let results take the memory of operands that are not needed any more."""
        p = self.plan
        self.sharing: dict[Buffer, list[Buffer]] = {}
        for buffer in self.writers:
            self.sharing.setdefault(p.root(buffer), []).append(buffer)
        for k, step in enumerate(p.steps):
            if not isinstance(step, Nest):
                continue
            taken: set[Buffer] = set()
            for placed in step.placed:
                new = placed.op.write.buffer
                if new not in p.kept or new in p.memory or new.source is not None or len(self.writers[new]) > 1:
                    continue
                if placed.level != FULL:
                    continue
                for old in dict.fromkeys(x.buffer for x in step.needs):
                    same = (old.size, old.dtype) == (new.size, new.dtype) and old not in taken
                    if same and self._is_over(old, k) and self._may_write_over(step, new, old):
                        taken.add(old)
                        p.memory[new] = old
                        self.sharing[p.root(old)] += self.sharing.pop(new)  # with all that lies in it by now
                        break

    def _is_over(self, buffer: Buffer, k: int) -> bool:
        """Whether a workspace buffer is last needed by step `k`."""
        p = self.plan
        if buffer.source is not None or buffer in self.held or buffer not in p.kept:
            return False
        root = p.root(buffer)
        if root.source is not None or root in p.gradients.values():
            return False
        if k in self.writers[buffer]:
            return False
        return all(b not in self.held and max(self.readers.get(b, [0])) <= k for b in self.sharing[root])

    def _allocate(self) -> None:
        """Places in the workspace, for as long as each is needed.

        A gradient is kept there from call to call; but from the last step that may fail to the one that computes it
        anew, nobody needs it, and others may have its place.
        """
        p = self.plan
        gradients = set(p.gradients.values())
        end = len(p.steps)
        lives: dict[Buffer, list[tuple[int, int]]] = {b: [(0, self.last_failure), (end, end)] for b in gradients}
        for k, step in enumerate(p.steps):
            for x in accesses(step):
                root = p.root(x.buffer)
                if root.source is None and (x.buffer in p.kept or root in gradients or _has_memory(step, x.buffer)):
                    first, last = lives.setdefault(root, [(k, k)])[-1]
                    lives[root][-1] = min(first, k), max(last, k)
        for buffer in self.held:
            root = p.root(buffer)
            if root in lives:
                lives[root][-1] = lives[root][-1][0], len(p.steps)
        p.offsets, p.workspace = packed((b.bytes, times, b) for b, times in lives.items())


def last_in_row(nest: Nest, placed: Placed) -> bool:
    """Whether no later loop of the row could read what was there before this was written."""
    phase = phases(nest)
    return placed.level == ZERO or (placed.level == FULL and phase[placed] == max(phase.values()))


def _has_memory(step: Step, buffer: Buffer) -> bool:
    """Whether a nest needs memory for what only it reads."""
    return isinstance(step, Nest) and any(
        p.op.write.buffer is buffer and p.op.reduces and not step.completes(p) for p in step.placed
    )


def aligned(size: int) -> int:
    """The next multiple of the alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def packed(requests: Iterable[tuple[int, list[tuple[int, int]], Any]]) -> tuple[dict[Any, int], int]:
    """Offsets for blocks of (bytes, times, key) such that blocks that live at one time do not overlap.

    Each time is a first and a last step.  Greedy by size, which is within a few per cent of the best on networks:
    Pisarchyk and Lee, "Efficient memory management for deep neural net inference" (2020), section 5.2.
    """
    offsets: dict[Any, int] = {}
    placed: list[tuple[int, int, list[tuple[int, int]]]] = []  # offset, end, times
    top = 0
    for size, times, key in sorted(requests, key=lambda r: (-r[0], r[1])):
        size = aligned(max(size, 1))
        at = 0
        for offset, end, others in placed:
            if offset >= at + size:
                break
            if end > at and any(a <= d and c <= b for a, b in times for c, d in others):
                at = end
        offsets[key] = at
        bisect.insort(placed, (at, at + size, times))
        top = max(top, at + size)
    return offsets, top
