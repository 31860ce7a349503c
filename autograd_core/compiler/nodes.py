"""From instructions to nodes: what is computed, in terms of buffers.

Views disappear here, as do ``cat``, ``stack``, ``pad`` and their like, which become copies into parts of a buffer.
There are four kinds of node.  An :class:`Op` is one elementwise operation or reduction, to be fused with others into
loops.  A :class:`Product` is a matrix product.  A :class:`Native` node is a call of kernels.  A :class:`Host` node
runs in Python.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from ..primitive import REGISTRY
from .access import VIEWS, Access, Buffer, inside, reshaped, viewed
from .expressions import expression
from .lowerings import LOWERINGS, Call, load_lowerings
from .program import Instruction, Operand, Program, Value

__all__ = ["COMPILED", "REDUCTIONS", "Host", "Native", "Node", "Nodes", "Op", "Product", "lower"]

REDUCTIONS = ("sum", "prod", "amax", "amin", "all", "any")
"""Primitives that become loops with a running total."""

COMPILED = frozenset(["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"])
"""The dtypes that native code knows."""

Read: TypeAlias = "Access | int | float | bool"


@dataclass(eq=False)
class Op:
    """An elementwise operation or a reduction, over the points of `shape`.

    All accesses are over `shape`: an operand that is repeated has strides of 0, and so has the result of a reduction
    along what it sums over.  A sum may go `onto` a buffer, whose memory it takes over: it starts from what is there.
    """

    name: str
    params: dict[str, Any]
    shape: tuple[int, ...]
    reads: tuple[Read, ...]
    write: Access
    weak: tuple[bool, ...]
    line: str
    reduces: bool = False
    onto: Access | None = None

    @property
    def needs(self) -> Iterator[Access]:
        """Where its operands are."""
        yield from (x for x in self.reads if isinstance(x, Access))
        if self.onto is not None:
            yield self.onto

    @property
    def writes(self) -> tuple[Access, ...]:
        return (self.write,)


@dataclass(eq=False)
class Product:
    """``write = left @ right``, or ``onto + left @ right`` in the memory of `onto`; of matrices or batches of them."""

    left: Access
    right: Access
    write: Access
    line: str
    onto: Access | None = None

    @property
    def needs(self) -> tuple[Access, ...]:
        return (self.left, self.right) if self.onto is None else (self.left, self.right, self.onto)

    @property
    def writes(self) -> tuple[Access, ...]:
        return (self.write,)


@dataclass(eq=False)
class Native:
    """Calls of kernels that carry out one instruction; `places` says where its values are."""

    instruction: Instruction
    calls: list[Call]
    places: dict[Value, Access]
    needs: tuple[Access, ...]
    writes: tuple[Access, ...]

    @property
    def line(self) -> str:
        return self.instruction.line

    @property
    def checked(self) -> bool:
        return any(call.checked for call in self.calls)


@dataclass(eq=False)
class Host:
    """An instruction that runs in Python, and why."""

    instruction: Instruction
    operands: tuple[Read, ...]
    writes: tuple[Access, ...]
    reason: str

    @property
    def line(self) -> str:
        return self.instruction.line

    @property
    def needs(self) -> tuple[Access, ...]:
        return tuple(x for x in self.operands if isinstance(x, Access))


Node: TypeAlias = Op | Product | Native | Host


@dataclass
class Nodes:
    """A lowered program: its nodes in order, and where its inputs and outputs are."""

    nodes: list[Node] = field(default_factory=list)
    inputs: dict[Value, Buffer] = field(default_factory=dict)
    places: dict[Value, Access] = field(default_factory=dict)


def lower(program: Program) -> Nodes:
    """The nodes of a program."""
    load_lowerings()
    lowered = _Lowering(program).nodes
    kept = {lowered.places[v].buffer for v in program.kept()}
    lowered.nodes = accumulated(lowered.nodes, kept)
    return lowered


def accumulated(nodes: list[Node], kept: set[Buffer]) -> list[Node]:
    """``add(total, term)`` in one with what makes the term, a product or a sum, where nobody else needs either."""
    readers = Counter(x.buffer for node in nodes for x in node.needs)
    writers = Counter(x.buffer for node in nodes for x in node.writes)
    makers: dict[Buffer, int] = {}
    done: list[Node | None] = []

    def only_here(x: Any) -> bool:
        own = isinstance(x, Access) and x.buffer.source is None and x.buffer not in kept and x.is_contiguous
        return own and readers[x.buffer] == writers[x.buffer] == 1

    for node in nodes:
        if isinstance(node, Op) and node.name == "add" and all(map(only_here, node.reads)):
            total, term = (x for x in node.reads if isinstance(x, Access))
            if term.buffer not in makers:
                total, term = term, total
            at = makers.pop(term.buffer, None)
            alike = (total.buffer.size, total.buffer.dtype) == (term.buffer.size, term.buffer.dtype)
            if at is not None and alike and total.buffer is not term.buffer:
                maker = done[at]
                assert isinstance(maker, (Op, Product))
                done[at] = None
                write = maker.write._replace(buffer=node.write.buffer)
                node = replace(maker, write=write, onto=maker.write._replace(buffer=total.buffer))
        elif isinstance(node, Product) or (isinstance(node, Op) and node.name == "sum" and node.write.buffer.size > 1):
            makers[node.write.buffer] = len(done)
        done.append(node)
    return [node for node in done if node is not None]


class _Lowering:
    def __init__(self, program: Program) -> None:
        self.nodes = Nodes()
        self.places = self.nodes.places
        self._copies: dict[tuple[Any, ...], Access] = {}
        for value, source in program.inputs.items():
            buffer = Buffer(value.size, value.dtype, source)
            self.nodes.inputs[value] = buffer
            self.places[value] = Access.whole(buffer, value.shape)
        for instruction in program.instructions:
            self._lower(instruction)

    def _emit(self, node: Node) -> None:
        self.nodes.nodes.append(node)

    def _new(self, value: Value) -> Access:
        """Where a result goes that has memory of its own."""
        place = self.places[value] = Access.whole(Buffer(value.size, value.dtype), value.shape)
        return place

    def _place(self, operand: Operand) -> Read:
        return self.places[operand] if isinstance(operand, Value) else operand

    def _lower(self, i: Instruction) -> None:
        kinds = {str(v.dtype) for v in (*i.values, *i.results)}
        if i.name in ("draw", "require"):
            self._effect(i)
        elif not kinds <= COMPILED:
            self._host(i, f"dtype {', '.join(sorted(kinds - COMPILED))}")
        elif i.name in VIEWS and len(i.values) == 1 and self._view(i):
            pass
        elif i.name in _PARTS:
            _PARTS[i.name](self, i)
        elif i.name in REDUCTIONS:
            self._reduction(i)
        elif i.name == "matmul":
            self._product(i)
        elif i.name in LOWERINGS:
            self._native(i)
        else:
            self._elementwise(i)

    # Kinds of instructions

    def _effect(self, i: Instruction) -> None:
        if i.name == "draw":
            self._host(i, "random numbers")
            return
        condition, *_ = i.operands
        if isinstance(condition, Value):
            place = self.places[condition]
            self._emit(Native(i, [Call("checks.require", (condition,), True)], {condition: place}, (place,), ()))

    def _view(self, i: Instruction) -> bool:
        (value,) = i.values
        found = viewed(i, self.places[value])
        if found is None and i.name == "reshape" and value.size:
            place = self.places[value]
            if not place.is_contiguous:
                found = viewed(i, self._contiguous(place, i.line))
        if found is None:
            if value.size == 0 or any(v.size == 0 for v in i.results):
                for result in i.results:
                    self._new(result)
                return True
            return False
        self.places.update(zip(i.results, found, strict=True))
        return True

    def _elementwise(self, i: Instruction) -> None:
        dtypes = [v.dtype if isinstance(v, Value) else type(v) for v in i.operands]
        if len(i.results) != 1 or expression(i.name, dtypes, i.result.dtype, i.params) is None:
            self._host(i, "no native form")
            return
        self._op(i.name, i.params, i.operands, self._new(i.result), i.line)

    def _op(
        self, name: str, params: dict[str, Any], operands: Sequence[Operand | Access], write: Access, line: str
    ) -> None:
        shape = write.shape
        reads: list[Read] = []
        for x in operands:
            place = x if isinstance(x, Access) else self._place(x)
            reads.append(
                Access(place.buffer, place.offset, shape, place.over(shape)) if isinstance(place, Access) else place
            )
        weak = tuple(not isinstance(x, Access) and (not isinstance(x, Value) or x.weak) for x in operands)
        self._emit(Op(name, params, shape, tuple(reads), write, weak, line))

    def _copy(self, source: Access | int | float | bool, write: Access, line: str) -> None:
        """``write = source``, broadcast."""
        self._op("clone", {}, (source,), write, line)

    def _contiguous(self, place: Access, line: str) -> Access:
        """The same elements in row-major order, copied if they are not."""
        if place.is_contiguous:
            return place
        key = (place.buffer, *place[1:])
        if key not in self._copies:
            copy = Access.whole(Buffer(math.prod(place.shape), place.buffer.dtype), place.shape)
            self._copy(place, copy, line)
            self._copies[key] = copy
        return self._copies[key]

    def _reduction(self, i: Instruction) -> None:
        (operand,) = i.operands
        assert isinstance(operand, Value)
        place, axis = self.places[operand], i.params["axis"]
        kept = [1 if d in axis else n for d, n in enumerate(operand.shape)]
        write = self._new(i.result)
        over = Access.whole(write.buffer, kept).over(operand.shape)
        if all(operand.shape[d] == 1 for d in axis):
            self._op("cast", {"dtype": i.result.dtype}, (Access(*place[:2], tuple(kept), place.strides),),
                     Access.whole(write.buffer, kept), i.line)  # fmt: skip
            return
        strides = tuple(0 if d in axis else s for d, s in enumerate(over))
        self._emit(
            Op(i.name, i.params, operand.shape, (Access(*place[:2], operand.shape, place.over(operand.shape)),),
               Access(write.buffer, 0, operand.shape, strides), (False,), i.line, reduces=True)
        )  # fmt: skip

    def _product(self, i: Instruction) -> None:
        left, right = (self._place(x) for x in i.operands)
        kinds = {v.dtype for v in (*i.values, i.result)}
        if not (isinstance(left, Access) and isinstance(right, Access)) or len(kinds) > 1:
            self._host(i, "matmul of different dtypes")
            return
        if i.result.dtype.kind != "f":
            self._host(i, "matmul of integers")
            return
        write = self._new(i.result)
        shape = list(write.shape)
        if len(left.shape) == 1:
            left = Access(*left[:2], (1, *left.shape), (0, *left.strides))
            shape.insert(len(shape) - (len(right.shape) > 1), 1)
        if len(right.shape) == 1:
            right = Access(*right[:2], (*right.shape, 1), (*right.strides, 0))
            shape.append(1)
        if len(left.shape) > 2 == len(right.shape):
            # One large product rather than a batch of small ones.
            rows = (math.prod(left.shape[:-1]), left.shape[-1])
            left = reshaped(left, rows) or reshaped(self._contiguous(left, i.line), rows) or left
            shape = [rows[0], shape[-1]] if left.shape == rows else shape
        left, right = (self._matrix(x, i.line) for x in (left, right))
        self._emit(Product(left, right, Access.whole(write.buffer, shape), i.line))

    def _matrix(self, place: Access, line: str) -> Access:
        """Matrices that BLAS can read: with rows or columns in one piece."""
        (rows, columns), (down, along) = place.shape[-2:], place.strides[-2:]
        row_major = (along == 1 or columns == 1) and (down >= columns or rows == 1)
        column_major = (down == 1 or rows == 1) and (along >= rows or columns == 1)
        return place if row_major or column_major else self._contiguous(place, line)

    def _native(self, i: Instruction) -> None:
        calls = LOWERINGS[i.name](i)
        if calls is None:
            if REGISTRY[i.name].record.elementwise:
                self._elementwise(i)
            else:
                self._host(i, "no native form for these arguments")
            return
        places = {v: self._contiguous(self.places[v], i.line) for v in i.values}
        results = {v: self._new(v) for v in i.results}
        calls = [calls] if isinstance(calls, Call) else calls
        self._emit(Native(i, calls, {**places, **results}, tuple(places.values()), tuple(results.values())))

    def _host(self, i: Instruction, reason: str) -> None:
        operands = tuple(self._place(x) for x in i.operands)
        self._emit(Host(i, operands, tuple(self._new(v) for v in i.results), reason))

    # What is put together from parts

    def _joined(self, i: Instruction) -> None:
        """``cat`` and ``stack``: every operand is copied to its place."""
        write, axis = self._new(i.result), i.params["axis"]
        start = 0
        for x in i.operands:
            place = self._place(x)
            assert isinstance(place, Access)
            if i.name == "stack":
                place = Access(*place[:2], (*place.shape[:axis], 1, *place.shape[axis:]),
                               (*place.strides[:axis], 0, *place.strides[axis:]))  # fmt: skip
            part = Access(write.buffer, start * write.strides[axis], place.shape, write.strides)
            start += place.shape[axis]
            if math.prod(place.shape):
                self._op("cast", {"dtype": write.buffer.dtype}, (place,), part, i.line)

    def _surrounded(self, i: Instruction) -> None:
        """``pad``, and values put into zeros by slices: everything is filled, then a part overwritten."""
        (value,) = i.values
        write, place = self._new(i.result), self.places[value]
        self._copy(i.params.get("value", 0), write, i.line)
        part = inside(write, lambda array: _INSIDE[i.name](array, place.shape, i.params))
        if math.prod(part.shape):
            self._copy(place, part, i.line)

    def _put(self, i: Instruction) -> None:
        if len(i.operands) == 1 and math.prod(i.params["shape"]):
            self._surrounded(i)
        else:
            self._native(i)

    def _set(self, i: Instruction) -> None:
        """``set`` by slices: a copy of all, then a part overwritten."""
        if len(i.operands) > 2 or not i.result.size or not all(isinstance(x, Value) for x in i.operands):
            self._native(i)
            return
        whole, values = (self._place(x) for x in i.operands)
        write = self._new(i.result)
        self._op("cast", {"dtype": write.buffer.dtype}, (whole,), write, i.line)
        part = inside(write, lambda array: array[i.params["form"]])
        if math.prod(part.shape):
            self._op("cast", {"dtype": write.buffer.dtype}, (values,), part, i.line)


def _inside_pad(whole: np.ndarray, shape: tuple[int, ...], params: dict[str, Any]) -> np.ndarray:
    starts = [before for before, _ in params["widths"]]
    return whole[tuple(slice(s, s + n) for s, n in zip(starts, shape, strict=True))]


_INSIDE: dict[str, Callable[[np.ndarray, tuple[int, ...], dict[str, Any]], np.ndarray]] = {
    "pad": _inside_pad,
    "put": lambda whole, shape, params: whole[params["form"]],
    "diagonal_put": lambda whole, shape, params: np.diagonal(whole, params["offset"], params["axis1"], params["axis2"]),
}
"""The part of the whole that the values go to."""

_PARTS: dict[str, Callable[[_Lowering, Instruction], None]] = {
    "cat": _Lowering._joined,
    "stack": _Lowering._joined,
    "pad": _Lowering._surrounded,
    "put": _Lowering._put,
    "set": _Lowering._set,
    "diagonal_put": _Lowering._surrounded,
}
