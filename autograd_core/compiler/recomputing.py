"""What is computed again rather than kept.

A gradient often needs what the forward pass has computed on the way, such as the argument of an exponential.  If that
is cheap to have from what is kept anyway, the nest that needs it computes it again: arithmetic in registers costs less
than writing a value to memory and reading it back, and the workspace is smaller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .access import Access, Buffer
from .fusion import FULL, Nest, Placed, Step
from .loops import EXPENSIVE
from .nodes import Op

__all__ = ["recomputed"]

MOST = 6
"""Operations that are repeated for a value."""


def recomputed(steps: list[Step], held: set[Buffer]) -> list[Step]:
    """The steps with cheap values computed where they are needed; those in `held` stay."""
    return _Recomputing(steps, held).steps


class _Recomputing:
    def __init__(self, steps: list[Step], held: set[Buffer]) -> None:
        self.steps = list(steps)
        self.readers: dict[Buffer, list[int]] = {}
        self.makers: dict[Buffer, tuple[int, Placed]] = {}
        pinned = set(held)
        for k, step in enumerate(steps):
            for x in step.needs:
                self.readers.setdefault(x.buffer, []).append(k)
            if isinstance(step, Nest):
                for p in step.placed:
                    if p.op.write.buffer in self.makers:
                        pinned.add(p.op.write.buffer)  # put together from parts
                    self.makers[p.op.write.buffer] = k, p
                    if p.op.onto is not None:
                        pinned |= {p.op.onto.buffer, p.op.write.buffer}
            else:
                pinned.update(x.buffer for x in (*step.needs, *step.writes))
        self.gone: set[Buffer] = set()
        for k, step in enumerate(steps):
            if isinstance(step, Nest):
                for p in step.placed:
                    if p.op.write.buffer not in pinned:
                        self._try(k, step, p)

    def _try(self, k: int, nest: Nest, p: Placed) -> None:
        """Have all later readers of a value compute it, if all of them can."""
        buffer = p.op.write.buffer
        later = sorted({r for r in self.readers.get(buffer, ()) if r != k})
        if p.level != FULL or p.op.reduces or not later:
            return
        chains = [self._chain(nest, p, r) for r in later]
        if any(chain is None for chain in chains):
            return
        for r, chain in zip(later, chains, strict=True):
            assert chain is not None
            self._repeat(r, chain)
        self.gone.add(buffer)
        self.readers[buffer] = [k]

    def _chain(self, nest: Nest, p: Placed, reader: int) -> list[Placed] | None:
        """The operations that make a value from what is in memory when a step runs, in order; None if too many."""
        step = self.steps[reader]
        if not isinstance(step, Nest) or step.space != nest.space:
            return None
        if any(x.buffer is p.op.write.buffer and x != p.op.write for x in step.needs):
            return None
        chain: list[Placed] = []
        stack, seen = [p], {p.op.write.buffer}
        while stack:
            placed = stack.pop()
            if placed.op.name in EXPENSIVE or placed.op.reduces or placed.level != FULL or len(chain) >= MOST:
                return None
            chain.append(placed)
            for x in placed.op.reads:
                if not isinstance(x, Access) or x.buffer in seen or self._is_there(x.buffer, reader):
                    continue
                made = self.makers.get(x.buffer)
                if made is None or self.steps[made[0]] is not nest or made[1].op.write != x:
                    return None
                seen.add(x.buffer)
                stack.append(made[1])
        order = {q.op.write.buffer: n for n, q in enumerate(nest.placed)}
        return sorted(chain, key=lambda q: order[q.op.write.buffer])

    def _is_there(self, buffer: Buffer, step: int) -> bool:
        """Whether a buffer is in memory when a step runs, without being kept for its sake."""
        if buffer.source is not None:
            return True
        return buffer not in self.gone and any(r >= step for r in self.readers.get(buffer, ()))

    def _repeat(self, reader: int, chain: Iterable[Placed]) -> None:
        """Put a chain before the operations of a nest, in the place of what it read."""
        step = self.steps[reader]
        assert isinstance(step, Nest)
        new: dict[Buffer, Buffer] = {}
        repeated: list[Placed] = []
        for p in chain:
            old = p.op.write.buffer
            new[old] = Buffer(old.size, old.dtype)
            repeated.append(Placed(_renamed(p.op, new), p.level))
        rest = [Placed(_renamed(p.op, new), p.level) for p in step.placed]
        nest = self.steps[reader] = Nest(step.space, step.rows, [*repeated, *rest])
        for p in nest.placed:
            self.makers[p.op.write.buffer] = reader, p
        for p in repeated:
            for x in p.op.needs:
                self.readers.setdefault(x.buffer, []).append(reader)


def _renamed(op: Op, new: dict[Buffer, Buffer]) -> Op:
    """The operation on other buffers."""

    def moved(x: Access) -> Access:
        return x._replace(buffer=new.get(x.buffer, x.buffer))

    return replace(op, reads=tuple(moved(x) if isinstance(x, Access) else x for x in op.reads), write=moved(op.write))
