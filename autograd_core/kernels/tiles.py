# mypy: disable-error-code="no-untyped-def"
"""Vectors in registers, which no loop in Python can ask for: what the product of small matrices is made of.

All of it is for float32 and float64, whichever the pointers are to.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .jit import cgutils, intrinsic, types

__all__ = ["DEPTH", "ROWS", "VECTORS", "lanes", "move", "one", "panel", "shifted", "tile", "transpose", "zero"]

VECTOR_BYTES = 32
"""The size of a vector: two registers where they are smaller."""

ROWS, VECTORS = 4, 2
"""The size of a tile, whose sums and operands fill 16 registers, and keep two units of 4 cycles' latency busy."""

DEPTH = 256
"""The most rows of a panel; it takes half of a first-level cache of 32 KB."""

_I64, _WORD, _HALF = types.int64, ir.IntType(64), ir.IntType(32)


def _lanes(pointer: Any) -> int:
    return VECTOR_BYTES * 8 // int(pointer.dtype.bitwidth)


class _Vectors:
    """Instructions on vectors of the elements of a kind of pointer."""

    def __init__(self, builder: Any, pointer: Any) -> None:
        self.builder, self.size, self.lanes = builder, pointer.dtype.bitwidth // 8, _lanes(pointer)
        self.element = ir.FloatType() if self.size == 4 else ir.DoubleType()
        self.kind = ir.VectorType(self.element, self.lanes)
        three = ir.FunctionType(self.kind, [self.kind] * 3)
        name = f"llvm.fmuladd.v{self.lanes}f{self.size * 8}"
        self._fused = cgutils.get_or_insert_function(builder.module, three, name)

    def place(self, base: Any, index: Any, count: int) -> Any:
        kind = ir.VectorType(self.element, count)
        return self.builder.bitcast(self.builder.gep(base, [index]), kind.as_pointer())

    def load(self, base: Any, index: Any, count: int = 0) -> Any:
        return self.builder.load(self.place(base, index, count or self.lanes), align=self.size)

    def store(self, vector: Any, base: Any, index: Any) -> None:
        self.builder.store(vector, self.place(base, index, vector.type.count), align=self.size)

    def splat(self, x: Any) -> Any:
        nothing = ir.Constant(self.kind, ir.Undefined)
        first = self.builder.insert_element(nothing, x, _HALF(0))
        return self.shuffle(first, nothing, [0] * self.lanes)

    def shuffle(self, x: Any, y: Any, places: list[int]) -> Any:
        return self.builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(_HALF, self.lanes), places))

    def fused(self, x: Any, y: Any, z: Any) -> Any:
        return self.builder.call(self._fused, [x, y, z])


def _sums(vectors: _Vectors, k: Any, left: list[Any], column: Any, right: Any, ldb: Any) -> list[Any]:
    """The loop of a tile: one sum for each vector of it."""
    builder = vectors.builder
    offsets = [_WORD(v * vectors.lanes) for v in range(VECTORS)]

    def term(left: list[Any], right: Any, sums: list[Any]) -> list[Any]:
        xs = [vectors.splat(builder.load(x)) for x in left]
        ys = [vectors.load(right, offset) for offset in offsets]
        return [vectors.fused(xs[i // VECTORS], ys[i % VECTORS], x) for i, x in enumerate(sums)]

    # Pointers that advance, and two terms in a turn: with indices LLVM computes most addresses anew.
    before = builder.block
    head, body, rest = (builder.append_basic_block(name) for name in ("sums", "sums.body", "sums.rest"))
    builder.branch(head)
    builder.position_at_end(head)
    start = [k, right, *left, *[ir.Constant(vectors.kind, [0.0] * vectors.lanes)] * (ROWS * VECTORS)]
    now = [builder.phi(x.type) for x in start]
    todo, right, left, sums = now[0], now[1], now[2 : 2 + ROWS], now[2 + ROWS :]
    builder.cbranch(builder.icmp_signed(">", todo, _WORD(1)), body, rest)
    builder.position_at_end(body)
    new = sums
    for _ in range(2):
        new = term(left, right, new)
        left, right = [builder.gep(x, [column]) for x in left], builder.gep(right, [ldb])
    following = [builder.sub(todo, _WORD(2)), right, *left, *new]
    builder.branch(head)
    for phi, first, then in zip(now, start, following, strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(then, body)
    builder.position_at_end(rest)
    with builder.if_then(builder.icmp_signed("==", todo, _WORD(1))):
        new = term(now[2 : 2 + ROWS], now[1], sums)
        odd = builder.block
    merged = [builder.phi(vectors.kind) for _ in sums]
    for phi, even, last in zip(merged, sums, new, strict=True):
        phi.add_incoming(even, rest)
        phi.add_incoming(last, odd)
    return merged


@intrinsic
def tile(context, height, k, alpha, a, row, column, b, ldb, beta, c, ldc):
    """A tile of `c`: ``ROWS`` rows, of which the first `height` are written, of ``VECTORS`` vectors.

    Element ``(i, p)`` of `a` is at ``i * row + p * column``, ``(p, j)`` of `b` at ``p * ldb + j``.  With `beta` 0, `c`
    is not read.
    """
    real, pointer = a.dtype, a

    def generate(context, builder, signature, args):
        height, k, alpha, a, row, column, b, ldb, beta, c, ldc = args
        vectors = _Vectors(builder, pointer)
        last = builder.sub(height, _WORD(1))
        below = [builder.icmp_signed("<", _WORD(r), height) for r in range(ROWS)]
        # Rows beyond the height compute the last row again: only their result is left out.
        rows = [builder.select(inside, _WORD(r), last) for r, inside in enumerate(below)]
        starts = [builder.gep(a, [builder.mul(r, row)]) for r in rows]
        sums = _sums(vectors, k, starts, column, b, ldb)
        scale = vectors.splat(alpha)
        sums = [builder.fmul(scale, x) for x in sums]

        fresh = builder.fcmp_ordered("==", beta, ir.Constant(beta.type, 0.0))
        keep = vectors.splat(beta)
        for r in range(ROWS):
            with builder.if_then(below[r]):
                for v in range(VECTORS):
                    x = sums[r * VECTORS + v]
                    index = builder.add(builder.mul(_WORD(r), ldc), _WORD(v * vectors.lanes))
                    with builder.if_else(fresh) as (write, add):
                        with write:
                            vectors.store(x, c, index)
                        with add:
                            vectors.store(vectors.fused(keep, vectors.load(c, index), x), c, index)
        return context.get_dummy_value()

    return types.void(_I64, _I64, real, pointer, _I64, _I64, pointer, _I64, real, pointer, _I64), generate


@intrinsic
def transpose(context, source, step, target, stride):
    """The transpose of a block of as many rows as a vector has elements, whose rows are `step` and `stride` apart."""

    def generate(context, builder, signature, args):
        source, step, target, stride = args
        vectors = _Vectors(builder, signature.args[0])
        n = vectors.lanes
        rows = [vectors.load(source, builder.mul(_WORD(r), step)) for r in range(n)]
        # Blocks of 1, 2, 4 ... change places across the diagonal.
        size = 1
        while size < n:
            upper = [n + j - size if j & size else j for j in range(n)]
            lower = [n + j if j & size else j + size for j in range(n)]
            for i in range(n):
                if not i & size:
                    pair = rows[i], rows[i + size]
                    rows[i], rows[i + size] = vectors.shuffle(*pair, upper), vectors.shuffle(*pair, lower)
            size *= 2
        for r, x in enumerate(rows):
            vectors.store(x, target, builder.mul(_WORD(r), stride))
        return context.get_dummy_value()

    return types.void(source, _I64, source, _I64), generate


@intrinsic
def move(context, source, target, count):
    """Copy less than ``2 * lanes`` elements."""

    def generate(context, builder, signature, args):
        source, target, count = args
        vectors = _Vectors(builder, signature.args[0])
        index, size = _WORD(0), vectors.lanes
        while size:
            there = builder.and_(count, _WORD(size))
            with builder.if_then(builder.icmp_signed("!=", there, _WORD(0))):
                vectors.store(vectors.load(source, index, size), target, index)
            index, size = builder.add(index, there), size // 2
        return context.get_dummy_value()

    return types.void(source, source, _I64), generate


@intrinsic
def panel(context, like):
    """Memory of the calling kernel for ``DEPTH`` rows of ``VECTORS`` vectors, of the type of a pointer."""

    def generate(context, builder, signature, args):
        memory = cgutils.alloca_once(builder, ir.IntType(8), size=_WORD(DEPTH * VECTORS * VECTOR_BYTES))
        memory.align = 64
        return builder.bitcast(memory, args[0].type)

    return like(like), generate


@intrinsic
def shifted(context, pointer, count):
    """The pointer `count` elements on."""

    def generate(context, builder, signature, args):
        return builder.gep(args[0], [args[1]])

    return pointer(pointer, _I64), generate


@intrinsic
def lanes(context, pointer):
    """How many elements of what it points to a vector has."""
    count = _WORD(_lanes(pointer))
    return _I64(pointer), lambda context, builder, signature, args: count


def _number(value: float) -> Any:
    @intrinsic
    def number(context, pointer):
        kind = pointer.dtype
        return kind(pointer), lambda context, builder, signature, args: context.get_constant(kind, value)

    return number


zero, one = _number(0.0), _number(1.0)
"""The numbers in the dtype that a pointer is to."""
