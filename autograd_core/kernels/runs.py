"""Sums of products of runs of memory, in registers: the inner loops of convolutions, in LLVM's words.

A vector has 32 bytes, eight float32 or four float64; positions count elements and need no alignment.
"""

from __future__ import annotations

import itertools
from typing import Any

from llvmlite import ir

from .jit import cgutils, intrinsic, types

__all__ = ["copy_first", "exact_runs", "lanes", "scaled_runs", "shared_runs"]

ROWS, COLUMNS, BYTES = 4, 3, 32
I64 = types.int64
_INT, _INDEX = ir.IntType(64), ir.IntType(32)


def _lanes(pointer: Any) -> int:
    return BYTES * 8 // int(pointer.dtype.bitwidth)


@intrinsic
def lanes(context, pointer):  # type: ignore[no-untyped-def]
    """How many elements behind this pointer a vector has."""
    return I64(pointer), lambda context, builder, signature, args: _INT(_lanes(pointer))


class _Vectors:
    """Words for vectors of one kind."""

    def __init__(self, context: Any, builder: Any, pointer: Any) -> None:
        self.builder, self.count, self.size = builder, _lanes(pointer), pointer.dtype.bitwidth
        self.kind = ir.VectorType(context.get_value_type(pointer.dtype), self.count)
        self.integers = ir.VectorType(ir.IntType(self.size), self.count)
        self.zero = ir.Constant(self.kind, None)
        f = ir.FunctionType(self.kind, [self.kind] * 3)
        self.fma = cgutils.get_or_insert_function(builder.module, f, f"llvm.fmuladd.v{self.count}f{self.size}")

    def place(self, pointer: Any, index: Any) -> Any:
        b = self.builder
        return b.bitcast(b.gep(pointer, [index]), self.kind.as_pointer())

    def load(self, pointer: Any, index: Any) -> Any:
        return self.builder.load(self.place(pointer, index), align=self.size // 8)

    def store(self, x: Any, pointer: Any, index: Any) -> None:
        self.builder.store(x, self.place(pointer, index), align=self.size // 8)

    def splat(self, x: Any) -> Any:
        none = ir.Constant(self.kind, ir.Undefined)
        one = self.builder.insert_element(none, x, _INDEX(0))
        return self.builder.shuffle_vector(one, none, ir.Constant(ir.VectorType(_INDEX, self.count), [0] * self.count))

    def first(self, length: Any) -> Any:
        """A function that keeps so many elements of a vector, and makes the others 0."""
        b = self.builder
        table = ir.Constant(ir.ArrayType(self.integers.element, 2 * self.count), [-1] * self.count + [0] * self.count)
        name = f".first{self.size}"
        held = b.module.globals.get(name) or cgutils.global_constant(b.module, name, table)
        start = b.gep(held, [_INT(0), b.sub(_INT(self.count), length)])
        mask = b.load(b.bitcast(start, self.integers.as_pointer()), align=self.size // 8)
        return lambda x: b.bitcast(b.and_(b.bitcast(x, self.integers), mask), self.kind)


def _summed(builder: Any, start: Any, stop: Any, sums: list[Any], step: Any) -> list[Any]:
    """``for t in range(start, stop): sums = step(t, sums)``."""
    before, head = builder.block, builder.append_basic_block("sum")
    body, done = builder.append_basic_block("sum.body"), builder.append_basic_block("sum.done")
    builder.branch(head)
    builder.position_at_end(head)
    t, *now = phis = [builder.phi(x.type) for x in (start, *sums)]
    for phi, x in zip(phis, (start, *sums), strict=True):
        phi.add_incoming(x, before)
    builder.cbranch(builder.icmp_signed("<", t, stop), body, done)
    builder.position_at_end(body)
    new = [builder.add(t, _INT(1)), *step(t, now)]
    for phi, x in zip(phis, new, strict=True):
        phi.add_incoming(x, builder.block)
    builder.branch(head)
    builder.position_at_end(done)
    return now


def _stepped(builder: Any, table: Any, start: Any, first: int, count: int) -> list[Any]:
    """``table[start + first]`` and every third after that."""
    return [builder.load(builder.gep(table, [builder.add(start, _INT(first + 3 * i))])) for i in range(count)]


@intrinsic
def scaled_runs(context, x, base, factors, at, taps, begin, end, rows, row, out, to, size, places):  # type: ignore[no-untyped-def]
    """Four sums, each of three runs, of runs of x times factors.

    ``out[to + r size + rows[places + 3 v + 1]:] = sum of factors[at + 4 k + r] x[base + taps[k] + rows[row + 3 v]:]``
    over begin <= k < end, for r < 4 and v < 3.
    """

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        x, base, factors, at, taps, begin, end, rows, row, out, to, size, places = args
        v = _Vectors(context, builder, signature.args[0])
        starts = [builder.add(base, start) for start in _stepped(builder, rows, row, 0, COLUMNS)]

        def step(k: Any, sums: list[Any]) -> list[Any]:
            tap = builder.load(builder.gep(taps, [k]))
            runs = [v.load(x, builder.add(start, tap)) for start in starts]
            of_k = builder.add(at, builder.mul(_INT(ROWS), k))
            factors_of_k = [builder.load(builder.gep(factors, [builder.add(of_k, _INT(r))])) for r in range(ROWS)]
            pairs = itertools.product(map(v.splat, factors_of_k), runs)
            return [builder.call(v.fma, [*pair, total]) for pair, total in zip(pairs, sums, strict=True)]

        sums = iter(_summed(builder, begin, end, [v.zero] * (ROWS * COLUMNS), step))
        for r in range(ROWS):
            channel = builder.add(to, builder.mul(_INT(r), size))
            for q in _stepped(builder, rows, places, 1, COLUMNS):
                v.store(next(sums), out, builder.add(channel, q))
        return context.get_dummy_value()

    return types.void(x, I64, x, I64, taps, I64, I64, rows, I64, x, I64, I64, I64), generate


@intrinsic
def copy_first(context, x, at, length, out, to):  # type: ignore[no-untyped-def]
    """A vector of x to out, with zeros for all but its first `length` elements."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        x, at, length, out, to = args
        v = _Vectors(context, builder, signature.args[0])
        v.store(v.first(length)(v.load(x, at)), out, to)
        return context.get_dummy_value()

    return types.void(x, I64, I64, x, I64), generate


def _shared(exact: bool) -> Any:
    @intrinsic
    def shared_runs(context, g, at, left, size, x, base, taps, k, rows, begin, end, sums, to):  # type: ignore[no-untyped-def]
        """Sums of products of four runs of g with three of x, kept as vectors.

        ``sums[to + vector (3 r + c):] += sum of g[at + r size + vector t:] x[base + taps[k + c] + rows[3 t]:]`` over
        begin <= t < end, for r < 4 (or `left` where r is more) and c < 3.
        """

        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            g, at, left, size, x, base, taps, k, rows, begin, end, sums, to = args
            v = _Vectors(context, builder, signature.args[0])
            channels = []
            for r in range(ROWS):
                some = builder.select(builder.icmp_signed("<", _INT(r), left), _INT(r), left)
                channels.append(builder.add(at, builder.mul(some, size)))
            found = (builder.load(builder.gep(taps, [builder.add(k, _INT(c))])) for c in range(COLUMNS))
            starts = [builder.add(base, tap) for tap in found]
            places = [builder.add(to, _INT(i * v.count)) for i in range(ROWS * COLUMNS)]

            def step(t: Any, totals: list[Any]) -> list[Any]:
                row = builder.mul(t, _INT(3))
                p = builder.load(builder.gep(rows, [row]))
                runs = [v.load(x, builder.add(start, p)) for start in starts]
                if exact:
                    runs = list(map(v.first(builder.load(builder.gep(rows, [builder.add(row, _INT(2))]))), runs))
                vector = builder.mul(t, _INT(v.count))
                others = [v.load(g, builder.add(channel, vector)) for channel in channels]
                pairs = itertools.product(others, runs)
                return [builder.call(v.fma, [*pair, total]) for pair, total in zip(pairs, totals, strict=True)]

            totals = _summed(builder, begin, end, [v.load(sums, place) for place in places], step)
            for total, place in zip(totals, places, strict=True):
                v.store(total, sums, place)
            return context.get_dummy_value()

        return types.void(g, I64, I64, I64, x, I64, taps, I64, rows, I64, I64, g, I64), generate

    return shared_runs


shared_runs = _shared(exact=False)
exact_runs = _shared(exact=True)
"""As `shared_runs`, where of the runs of x only the first ``rows[3 t + 2]`` elements are looked at."""
