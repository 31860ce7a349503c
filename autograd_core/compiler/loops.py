"""The loops of a nest, as the text of a kernel.

A kernel that adds a bias and applies ReLU, and sums what comes out over the first dimension, reads::

    def {name}(a0, a1, a2, a3, n0, n1, m0):
        for i in range(m0):
            a3[i] = np.float32(0)
        for i0 in range(n0):
            for i1 in range(n1):
                v0 = a0[i0 * n1 + i1] + a1[i1]
                v1 = v0 if v0 > 0 else np.float32(0)
                a2[i0 * n1 + i1] = v1
                a3[i1] = plus(a3[i1], v1)

Neither sizes nor numbers stand in the text: they are arguments, so equal nests of other sizes are one kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from .access import Access, Buffer, contiguous_strides
from .expressions import cast, compute_dtypes, expression
from .fusion import FULL, ROW, ZERO, Nest, Placed
from .lowerings import Number, Scratch

__all__ = ["Kernel", "Pointer", "phases", "write_kernel"]


@dataclass(frozen=True)
class Pointer:
    """The address of an element of a buffer."""

    buffer: Buffer
    offset: int


KernelArgument: TypeAlias = Pointer | int | Number | Scratch


@dataclass
class Kernel:
    """The text of a kernel (with ``{name}`` for its name), what it is called with, and what it calls."""

    text: str
    args: list[KernelArgument]
    functions: set[str] = field(default_factory=set)


EXPENSIVE = frozenset(
    [
        *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "logaddexp2", "xlogy", "xlog1py"),
        *("tanh", "sigmoid", "sinh", "cosh", "asinh", "acosh", "atanh", "erf", "erfc", "ndtr", "erfinv", "lgamma"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "hypot", "sqrt", "rsqrt", "root", "reciprocal", "div"),
        *("remainder", "fmod", "floor_divide", "pow", "sinc", "normal_density"),
    ]
)
"""What is stored rather than computed again, when a later loop over the same row needs it."""

CHEAP = 4
"""So many other operations are computed again."""


def write_kernel(nest: Nest, kept: set[Buffer], memory: Mapping[Buffer, Buffer]) -> Kernel:
    """The kernel of a nest.

    Parameters
    ----------
    nest : Nest
    kept : the buffers that others read; what else the nest makes stays in registers if it can
    memory : which buffer's memory a buffer takes over, where it does
    """
    return _Writer(nest, kept, memory).kernel()


def phases(nest: Nest) -> dict[Placed, int]:
    """The loop of a row in which each operation takes place; of a row's operation, before which loop it can."""
    maker = {p.op.write.buffer: p for p in nest.placed}
    phase: dict[Placed, int] = {}
    for p in nest.placed:
        sources = [maker[x.buffer] for x in p.op.reads if isinstance(x, Access) and x.buffer in maker]
        phase[p] = max((phase[s] + nest.completes(s) for s in sources), default=0)
    return phase


class _Writer:
    def __init__(self, nest: Nest, kept: set[Buffer], memory: Mapping[Buffer, Buffer]) -> None:
        self.nest, self.memory = nest, memory
        self.maker = {p.op.write.buffer: p for p in nest.placed}
        self.late = nest.totals()
        self.stored = {p.op.write.buffer for p in nest.placed if p.op.write.buffer in kept or self._is_total(p)}
        self.phase = phases(nest)
        self.args: dict[str, KernelArgument] = {}
        self.names: dict[Any, str] = {}
        self.functions: set[str] = set()
        self.outer, self.inner = self._collapsed()
        self.scratch = self._scratch()
        self.lines: list[str] = []
        self.counter = 0

    def _is_total(self, p: Placed) -> bool:
        return p.op.reduces and not self.nest.completes(p)

    # What happens when

    def _scratch(self) -> dict[Buffer, str]:
        """What a later loop over the row needs, has no memory, and would take long to compute again."""
        found: dict[Buffer, str] = {}
        for p in self.nest.placed:
            if p.level != FULL:
                continue
            for x in p.op.reads:
                maker = self.maker.get(x.buffer) if isinstance(x, Access) else None
                if maker is None or maker.level != FULL or maker.op.reduces or self.phase[maker] == self.phase[p]:
                    continue
                buffer = maker.op.write.buffer
                if buffer not in self.stored and buffer not in found and self._cost(maker) > CHEAP:
                    found[buffer] = ""
        for k, buffer in enumerate(found):
            found[buffer] = f"s{k}"
            self.args[f"s{k}"] = Scratch(math.prod(n for _, n in self.inner), str(buffer.dtype))
        return found

    def _cost(self, p: Placed) -> int:
        """About how much work it is to compute a value from what is in memory."""
        if p.op.name in EXPENSIVE:
            return CHEAP + 1
        cost = 1
        for x in p.op.reads:
            maker = self.maker.get(x.buffer) if isinstance(x, Access) and x.buffer not in self.stored else None
            if maker is not None and maker.level == FULL and not maker.op.reduces:
                cost += self._cost(maker)
                if cost > CHEAP:
                    break
        return cost

    # The loops

    def _collapsed(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """The outer and the inner dimensions as (last own dimension, size), those that are walked in one merged."""
        space, split = self.nest.space, self.nest.rows or 0
        strides = {x.strides for p in self.nest.placed for x in p.accesses}

        def merged(dims: range) -> list[tuple[int, int]]:
            done: list[tuple[int, int]] = []
            for d in dims:
                if done and all(s[done[-1][0]] == s[d] * space[d] for s in strides):
                    done[-1] = (d, done[-1][1] * space[d])
                else:
                    done.append((d, space[d]))
            return done

        return merged(range(split)), merged(range(split, len(space)))

    def _index(self, x: Access) -> str:
        """The index of an access at the current point."""
        dims = [*self.outer, *self.inner]
        own = [x.strides[d] for d, _ in dims]
        sizes = [n for _, n in dims]
        natural = contiguous_strides(sizes)
        cut = len(self.outer)
        row = (*contiguous_strides(sizes[:cut]), *(0,) * len(self.inner))
        column = (*(0,) * cut, *contiguous_strides(sizes[cut:]))
        for pattern, part in ((natural, range(len(dims))), (row, range(cut)), (column, range(cut, len(dims)))):
            if tuple(own) == pattern:
                return self._flat([f"i{d}" for d in part], [self._size(d) for d in part])
        terms = []
        for d, stride in enumerate(own):
            if stride == 1:
                terms.append(f"i{d}")
            elif stride:
                terms.append(f"i{d} * {self._stride(x, d, stride)}")
        return " + ".join(terms) or "0"

    def _flat(self, variables: list[str], sizes: list[str]) -> str:
        if not variables:
            return "0"
        text = variables[0]
        for variable, size in zip(variables[1:], sizes[1:], strict=True):
            text = f"({text}) * {size} + {variable}" if " " in text else f"{text} * {size} + {variable}"
        return text

    def _size(self, d: int) -> str:
        self.args[f"n{d}"] = [*self.outer, *self.inner][d][1]
        return f"n{d}"

    def _stride(self, x: Access, d: int, stride: int) -> str:
        pointer = self._pointer(x)
        pattern = tuple(x.strides)
        key = ("stride", pointer, pattern, d)
        if key not in self.names:
            self.names[key] = f"d{sum(isinstance(k, tuple) and k[0] == 'stride' for k in self.names)}"
            self.args[self.names[key]] = stride
        return self.names[key]

    def _pointer(self, x: Access) -> str:
        buffer = x.buffer
        while buffer in self.memory:
            buffer = self.memory[buffer]
        key = ("pointer", buffer, x.offset)
        if key not in self.names:
            self.names[key] = f"a{sum(isinstance(k, tuple) and k[0] == 'pointer' for k in self.names)}"
            self.args[self.names[key]] = Pointer(buffer, x.offset)
        return self.names[key]

    def _element(self, x: Access) -> str:
        return f"{self._pointer(x)}[{self._index(x)}]"

    def _constant(self, value: Any, dtype: str) -> str:
        name = f"c{sum(name[0] == 'c' for name in self.args)}"
        self.args[name] = Number(value, dtype)
        return name

    def _name(self, letter: str = "v") -> str:
        self.counter += 1
        return f"{letter}{self.counter - 1}"

    # The text

    def kernel(self) -> Kernel:
        """All of it: what comes before the loops, the loops, and what comes after."""
        once: dict[Any, str] = {}
        depth = 1
        for p in self.nest.placed:
            if self._is_total(p) and p.op.onto is None:
                self._clear(p)
        split = self.nest.rows == 0 or not self.outer
        for p in self.nest.placed:
            if p.level == ZERO and p.op.write.buffer not in self.late and not self._waits_for_row(p):
                self._once(p, once, depth)
        row = once if split else dict(once)
        for d in range(len(self.outer)):
            self._line(depth, f"for i{d} in range({self._size(d)}):")
            depth += 1
        self._hoist(row, once, depth)
        phases = 1 + max((self.phase[p] for p in self.nest.placed), default=0)
        for phase in range(phases):
            for p in self.nest.placed:
                if self.phase[p] == phase and (p.level == ROW or (p.level == ZERO and self._waits_for_row(p))):
                    self._once(p, row, depth)
            self._loop(phase, row, depth)
        depth = 1
        after: dict[Any, str] = dict(once)
        for p in self.nest.placed:
            if p.level == ZERO and p.op.write.buffer in self.late and not p.op.reduces:
                self._once(p, after, depth)
        names = sorted(self.args, key=lambda name: ("ascdnm".index(name[0]), int(name[1:])))
        body = "\n".join(self.lines) or "    pass"
        return Kernel(
            f"def {{name}}({', '.join(names)}):\n{body}\n", [self.args[name] for name in names], self.functions
        )

    def _waits_for_row(self, p: Placed) -> bool:
        """Whether a 0-d operation reads what the loops of the only row make."""
        return self.phase[p] > 0 and p.op.write.buffer not in self.late

    def _line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def _clear(self, p: Placed) -> None:
        """Set a total to what it starts from."""
        buffer = p.op.write.buffer
        name = f"m{sum(name[0] == 'm' for name in self.args)}"
        self.args[name] = buffer.size
        self._line(1, f"for i in range({name}):")
        self._line(2, f"{self._pointer(p.op.write)}[i] = {_start(p)}")

    def _hoist(self, row: dict[Any, str], once: dict[Any, str], depth: int) -> None:
        """Load before the loops what does not change in them."""
        for p in self.nest.placed:
            for x in p.op.reads:
                if not isinstance(x, Access) or x.buffer in self.maker or any(x.strides[self.nest.rows or 0 :]):
                    continue
                if p.level == FULL and self._key(x) not in row:
                    self._load(x, row, depth)

    def _key(self, x: Access) -> Any:
        return (x.buffer, x.offset, x.strides)

    def _load(self, x: Access, known: dict[Any, str], depth: int) -> str:
        name = known[self._key(x)] = self._name()
        test = " != 0" if x.buffer.dtype.kind == "b" else ""
        self._line(depth, f"{name} = {self._element(x)}{test}")
        return name

    def _operand(self, x: Any, known: dict[Any, str], depth: int, compute: Callable[[Placed], str] | None) -> str:
        """The name of an operand's value at the current point."""
        key = self._key(x)
        if key in known:
            return known[key]
        maker = self.maker.get(x.buffer)
        if maker is not None and compute is not None and maker.level == FULL:
            return compute(maker)
        return self._load(x, known, depth)

    def _compute(self, p: Placed, known: dict[Any, str], depth: int, compute: Callable[[Placed], str] | None) -> str:
        """Emit an operation; the expression of its value."""
        op = p.op
        dtypes = [
            type(x) if not isinstance(x, Access) else _WEAK[x.buffer.dtype.kind] if weak else x.buffer.dtype
            for x, weak in zip(op.reads, op.weak, strict=True)
        ]
        result = op.write.buffer.dtype
        wanted = compute_dtypes(op.name, dtypes, result)
        texts = []
        for x, dtype in zip(op.reads, wanted, strict=True):
            if isinstance(x, Access):
                texts.append(cast(self._operand(x, known, depth, compute), x.buffer.dtype, dtype))
            else:
                texts.append(self._constant(x, str(np.dtype(dtype))))
        found = expression(op.name, dtypes, result, op.params)
        assert found is not None, op.name
        template, functions = found
        self.functions |= functions
        return template.format(*texts)

    def _once(self, p: Placed, known: dict[Any, str], depth: int) -> None:
        """An operation once a row, or once in all."""
        if p.op.reduces:  # over rows
            (x,) = p.op.reads
            self._add(p, self._summand(p, self._operand(x, known, depth, None)), depth)
            return
        text = self._compute(p, known, depth, None)
        name = known[self._key(p.op.write)] = self._name()
        self._line(depth, f"{name} = {text}")
        if p.op.write.buffer in self.stored:
            self._line(depth, f"{self._element(p.op.write)} = {name}")

    def _add(self, p: Placed, value: str, depth: int) -> None:
        """Add to a total in memory."""
        element = self._element(p.op.write)
        self._line(depth, f"{element} = {self._combined(p, element, value)}")

    def _summand(self, p: Placed, value: str) -> str:
        """What is summed, in the dtype of the total."""
        (x,) = p.op.reads
        assert isinstance(x, Access)
        return cast(value, x.buffer.dtype, p.op.write.buffer.dtype)

    def _combined(self, p: Placed, total: str, value: str) -> str:
        """A total with one more value."""
        name, kind = p.op.name, p.op.write.buffer.dtype.kind
        function = {"sum": "plus", "amax": "maximum", "amin": "minimum"}.get(name) if kind == "f" else None
        if function is not None:
            self.functions.add(f"jit.{function}")
            return f"{function}({total}, {value})"
        if name in ("amax", "amin"):
            return f"{value} if {value} {'>' if name == 'amax' else '<'} {total} else {total}"
        return f"{total} {_SIGNS[name]} {value}"

    def _loop(self, phase: int, row: dict[Any, str], depth: int) -> None:
        """One loop over the inner dimensions."""
        stores, reductions = [], []
        for p in self.nest.placed:
            if p.level == FULL and self.phase[p] == phase:
                if p.op.reduces:
                    reductions.append(p)
                elif p.op.write.buffer in self.stored or p.op.write.buffer in self.scratch:
                    stores.append(p)
        if not stores and not reductions:
            return
        cut, count = len(self.outer), len(self.inner)
        start, innermost = depth, cut + count - 1
        running: dict[Placed, str] = {}
        for p in reductions:
            if self.nest.completes(p):
                running[p] = self._name("t")
                self._line(depth, f"{running[p]} = {_start(p)}")
        for d in range(cut, cut + count):
            if d == innermost:
                for p in reductions:
                    if p not in running and p.op.write.strides[self.inner[-1][0]] == 0:
                        running[p] = self._name("t")
                        self._line(depth, f"{running[p]} = {_start(p)}")
            self._line(depth, f"for i{d} in range({self._size(d)}):")
            depth += 1
        here: dict[Any, str] = dict(row)

        def compute(p: Placed) -> str:
            key = self._key(p.op.write)
            if key in here:
                return here[key]
            buffer = p.op.write.buffer
            if self.phase[p] < phase and buffer in self.stored:
                return self._load(p.op.write, here, depth)
            if self.phase[p] < phase and buffer in self.scratch:
                here[key] = name = self._name()
                self._line(depth, f"{name} = {self.scratch[buffer]}[{self._inner_index()}]")
                return name
            text = self._compute(p, here, depth, compute)
            name = here[key] = self._name()
            self._line(depth, f"{name} = {text}")
            return name

        for p in stores:
            compute(p)
        values = {}
        for p in reductions:
            (x,) = p.op.reads
            values[p] = self._summand(p, self._operand(x, here, depth, compute))
        for p in stores:
            buffer, name = p.op.write.buffer, here[self._key(p.op.write)]
            if buffer in self.stored:
                self._line(depth, f"{self._element(p.op.write)} = {name}")
            else:
                self._line(depth, f"{self.scratch[buffer]}[{self._inner_index()}] = {name}")
        for p in reductions:
            if p in running:
                self._line(depth, f"{running[p]} = {self._combined(p, running[p], values[p])}")
            else:
                self._add(p, values[p], depth)
        for p, total in running.items():
            if self.nest.completes(p):
                row[self._key(p.op.write)] = total
                if p.op.write.buffer in self.stored:
                    self._line(start, f"{self._element(p.op.write)} = {total}")
            else:
                self._add(p, total, start + count - 1)

    def _inner_index(self) -> str:
        part = range(len(self.outer), len(self.outer) + len(self.inner))
        return self._flat([f"i{d}" for d in part], [self._size(d) for d in part])


_WEAK = {"f": float, "i": int, "b": bool}
"""The Python numbers that weak values stand for."""

_SIGNS = {"sum": "+", "prod": "*", "all": "and", "any": "or"}


def _start(p: Placed) -> str:
    """What a total starts from, in the dtype of the result."""
    name, dtype = p.op.name, p.op.write.buffer.dtype
    if name in ("all", "any"):
        return str(name == "all")
    value: str
    if name in ("sum", "prod"):
        value = str(int(name == "prod"))
    elif dtype.kind == "f":
        value = "-np.inf" if name == "amax" else "np.inf"
    elif dtype.kind == "b":
        return str(name == "amin")
    else:
        info = np.iinfo(str(dtype))
        value = str(info.min if name == "amax" else info.max)
    return f"np.{dtype}({value})"
