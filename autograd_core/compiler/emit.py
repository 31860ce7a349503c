"""From steps to the text of one native function, and the table it runs from.

The text has one kernel for each kind of loop, and a function ``step`` that calls the kernels one after the other.  All
that differs from one size of batch to the next stands in a table of int64, which ``step`` reads as it goes: for a
pointer the number of a slot and an offset in bytes (the slot holds the address), for a size the size, for a number its
bits.  The table begins with::

    0          which segment to run (the segments are what is between steps that run in Python)
    1          where in the table the arguments of its calls begin
    2          how many arguments the compiled function has
    3, 4       how many facts there are, and where in the table: each is the place of a word, and what it must be;
               if one is not so, ``step`` returns -1 and does nothing
    5 ...      for each argument, where its address is to be read
    ...        the slots, those of the arguments first
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from .access import Access, Buffer
from .blas import blas
from .fusion import Nest, Step
from .loops import KernelArgument, Pointer, write_kernel
from .lowerings import Number, Scratch
from .nodes import Host, Native, Nodes, Product
from .planning import Plan, aligned
from .program import Argument, Value
from .rolling import Item, Loop, rolled

__all__ = ["HEADER", "Emitted", "emit"]

HEADER = 5


@dataclass(frozen=True)
class Invocation:
    """One call in the step: of which kernel, with what; `lines` are the source lines it is for."""

    kernel: str
    args: tuple[KernelArgument, ...]
    checked: bool = False
    lines: tuple[str, ...] = ()
    step: Any = None

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(map(_kind, self.args))

    @property
    def symbol(self) -> tuple[Any, ...]:
        return (self.kernel, self.kinds, self.checked)


Segment: TypeAlias = "list[Invocation] | Host"


@dataclass
class Emitted:
    """The text and the table of a program.

    Attributes
    ----------
    source : without comments, which is what is compiled
    listing : the same with comments, to be read
    names : the functions of `autograd_core.kernels` it refers to
    table : its content but for the addresses
    slots : whose address each slot holds, by its place in the table; None is the workspace
    segments : in the order they run: the place in the table where the calls of a native one begin, or a Host step
    workspace : its bytes
    at : the invocation for each place in the table, for errors
    """

    source: str
    listing: str
    names: list[str]
    table: np.ndarray
    slots: dict[Buffer | None, int]
    segments: list[tuple[int, int] | Host]
    workspace: int
    at: dict[int, Invocation] = field(default_factory=dict)


def emit(nodes: Nodes, plan: Plan) -> Emitted:
    """The native function of a plan."""
    return _Emitter(nodes, plan).emitted()


def _kind(x: KernelArgument) -> str:
    if isinstance(x, Pointer):
        return f"*{x.buffer.dtype}"
    if isinstance(x, Scratch):
        return f"*{x.dtype}"
    return x.dtype if isinstance(x, Number) else "int"


class _Emitter:
    def __init__(self, nodes: Nodes, plan: Plan) -> None:
        self.nodes, self.plan = nodes, plan
        self.kernels: dict[str, str] = {}  # the name of each text
        self.described: dict[str, str] = {}  # what each kernel does
        self.calls: dict[Any, tuple[str, str]] = {}  # for each symbol the name and the text of the function that calls
        self.names: set[str] = set()
        self.scratch = 0
        self.slots: dict[Buffer | None, int] = {}

    def emitted(self) -> Emitted:
        """All of it."""
        segments: list[Segment] = []
        for step in self.plan.steps:
            if isinstance(step, Host):
                segments.append(step)
                continue
            if not segments or isinstance(segments[-1], Host):
                segments.append([])
            native = segments[-1]
            assert isinstance(native, list)
            native += self._invocations(step)
        return self._assembled(segments)

    # Steps as calls

    def _invocations(self, step: Step) -> list[Invocation]:
        if isinstance(step, Nest):
            kernel = write_kernel(step, self.plan.kept, self.plan.memory)
            self.names |= kernel.functions
            name = self.kernels.setdefault(kernel.text, f"loop_{len(self.kernels)}")
            self.described.setdefault(name, ", ".join(p.op.name for p in step.placed))
            return [Invocation(name, tuple(kernel.args), lines=tuple(step.lines), step=step)]
        if isinstance(step, Product):
            return self._products(step)
        assert isinstance(step, Native)
        return [
            self._library(call.kernel, [self._passed(x, step) for x in call.args], call.checked, step)
            for call in step.calls
        ]

    def _library(self, kernel: str, args: Sequence[KernelArgument], checked: bool, step: Any) -> Invocation:
        self.names.add(kernel)
        return Invocation(kernel.replace(".", "_"), tuple(args), checked, (step.line,), step)

    def _passed(self, x: Any, step: Native) -> KernelArgument:
        if not isinstance(x, Value):
            return x  # type: ignore[no-any-return]
        place = step.places[x]
        return Pointer(self.plan.root(place.buffer), place.offset)

    def _products(self, step: Product) -> list[Invocation]:
        """One call for matrices, or batches whose matrices are evenly spaced; else one for each part of the batch."""
        a, b, c = step.left, step.right, step.write
        shape = c.shape[:-2]
        (m, k), n = a.shape[-2:], b.shape[-1]
        ta, lda = _leading(a)
        tb, ldb = _leading(b)
        matrices = [x.over((*shape, *x.shape[-2:]))[:-2] for x in (a, b, c)]
        outer, inner, count = _even(shape, matrices)
        found = blas()
        dtype = str(c.buffer.dtype)
        f = found.sgemm if dtype == "float32" else found.dgemm
        beta = Number(0.0 if step.onto is None else 1.0, dtype)
        calls = []
        args: tuple[KernelArgument, ...]
        for index in np.ndindex(*(shape[:outer])):
            at = [int(np.dot(index, s[:outer])) if outer else 0 for s in matrices]
            pointers = [Pointer(self.plan.root(x.buffer), x.offset + o) for x, o in zip((a, b, c), at, strict=True)]
            common = (f, found.convention, ta, tb)
            one = Number(1.0, dtype)
            if not shape or (count == 1 and not outer):
                args = (*common, m, n, k, one, pointers[0], lda, pointers[1], ldb, beta, pointers[2], max(n, 1))
                calls.append(self._library("matmul.matmul", args, False, step))
            else:
                args = (*common, count, m, n, k, one, pointers[0], inner[0], lda, pointers[1], inner[1], ldb,
                        beta, pointers[2], inner[2], max(n, 1))  # fmt: skip
                calls.append(self._library("matmul.batched", args, False, step))
        return calls

    # The text and the table

    def _assembled(self, segments: list[Segment]) -> Emitted:
        arguments = sorted(
            (b for b in self.nodes.inputs.values() if isinstance(b.source, Argument)),
            key=lambda b: b.source.position,  # type: ignore[union-attr]
        )
        self.first = HEADER + len(arguments)
        for buffer in (*arguments, None):
            self.slots[buffer] = self.first + len(self.slots)
        trees: list[tuple[list[Item], list[Invocation]] | Host] = []
        for segment in segments:
            if isinstance(segment, Host):
                trees.append(segment)
                for x in (*segment.needs, *segment.writes):
                    self._slot(self.plan.root(x.buffer))
                continue
            trees.append((rolled([i.symbol for i in segment]), segment))
            for invocation in segment:
                for argument in invocation.args:
                    if isinstance(argument, Pointer):
                        self._slot(argument.buffer)
        for x in self.plan.results.values():
            if isinstance(x, Access):
                self._slot(self.plan.root(x.buffer))
        for buffer in self.plan.gradients.values():
            self._slot(buffer)
        table = [0] * (self.first + len(self.slots))
        table[2] = len(arguments)
        body: list[str] = []
        listing: list[str] = []
        places: list[tuple[int, int] | Host] = []
        at: dict[int, Invocation] = {}
        number = 0
        for tree in trees:
            if isinstance(tree, Host):
                places.append(tree)
                continue
            places.append((number, len(table)))
            head = f"    if t[0] == {number}:"
            body.append(head)
            listing.append(head)
            self._write(*tree, table, body, listing, at, 2)
            number += 1
        workspace = aligned(self.plan.workspace) + self.scratch
        return Emitted(
            self._text(body, False), self._text(listing, True), sorted(self.names), np.array(table, np.int64),
            self.slots, places, workspace, at,
        )  # fmt: skip

    def _slot(self, buffer: Buffer) -> tuple[int, int]:
        """The slot for a buffer, and where it begins after the address there, in bytes."""
        if buffer in self.plan.offsets:
            return self.slots[None], self.plan.offsets[buffer]
        if buffer not in self.slots:
            self.slots[buffer] = self.first + len(self.slots)
        return self.slots[buffer], 0

    def _write(
        self, items: list[Item], invocations: list[Invocation], table: list[int], body: list[str], listing: list[str],
        at: dict[int, Invocation], depth: int,
    ) -> None:  # fmt: skip
        """The text of some items, and what they read from the table."""

        def line(text: str, comment: str = "") -> None:
            body.append("    " * depth + text)
            listing.append("    " * depth + text + (f"  # {comment}" if comment else ""))

        for item in items:
            if isinstance(item, Loop):
                line("n = t[a]")
                line("a += 1")
                line(f"for r{depth} in range(n):", f"{len(item.rounds)} times")
                table.append(len(item.rounds))
                self._write(item.rounds[0], invocations, table, body, listing, at, depth + 1)
                for again in item.rounds[1:]:
                    self._write(again, invocations, table, [], [], at, depth + 1)
                continue
            invocation = invocations[item]
            at[len(table)] = invocation
            texts, k, used = [], 0, 0
            for x in invocation.args:
                text, values = self._passing(x, k, used)
                texts.append(text)
                table += values
                k += len(values)
                used += scratch_bytes(x) if isinstance(x, Scratch) else 0
            call = self._call(invocation, texts)
            if invocation.checked:
                line(f"if {call}(t, a) != 0:", _shown(invocation))
                line("    return a")
            else:
                line(f"{call}(t, a)", _shown(invocation))
            line(f"a += {k}")

    def _call(self, invocation: Invocation, texts: list[str]) -> str:
        """The function that reads the arguments of a kernel from the table and calls it."""
        if invocation.symbol not in self.calls:
            same = sum(symbol[0] == invocation.kernel for symbol in self.calls)
            name = f"call_{invocation.kernel}" + (f"_{same + 1}" if same else "")
            returned = "return " if invocation.checked else ""
            text = f"@function\ndef {name}(t, a):\n    {returned}{invocation.kernel}(\n        "
            text += ",\n        ".join(texts) + "\n    )\n"
            self.calls[invocation.symbol] = name, text
        return self.calls[invocation.symbol][0]

    def _passing(self, x: KernelArgument, k: int, used: int) -> tuple[str, list[int]]:
        """How a call reads an argument from place `k` of its own in the table, and what stands there."""
        here, after = f"t[a + {k}]" if k else "t[a]", f"t[a + {k + 1}]"
        if isinstance(x, Pointer):
            slot, start = self._slot(x.buffer)
            return f"to_{x.buffer.dtype}(t[{here}] + {after})", [slot, start + x.offset * x.buffer.dtype.itemsize]
        if isinstance(x, Scratch):
            start = aligned(self.plan.workspace) + used
            self.scratch = max(self.scratch, used + scratch_bytes(x))
            return f"to_{x.dtype}(t[{here}] + {after})", [self.slots[None], start]
        if not isinstance(x, Number):
            return here, [int(x)]
        dtype = np.dtype(x.dtype)
        if dtype.kind == "f":
            text = f"number({here})"
            return text if x.dtype == "float64" else f"np.{x.dtype}({text})", [_bits(x.value)]
        return f"{here} != 0" if dtype.kind == "b" else f"np.{x.dtype}({here})", [int(x.value)]

    def _text(self, body: list[str], annotated: bool) -> str:
        kernels = [
            (f"# {self.described[name]}\n" if annotated else "") + f"@kernel\n{text.format(name=name)}"
            for text, name in self.kernels.items()
        ]
        step = [
            "def step(t):",
            "    for k in range(t[3]):",
            "        if to_int64(t[t[4] + 2 * k])[0] != t[t[4] + 2 * k + 1]:",
            "            return -1",
            "    for k in range(t[2]):",
            f"        t[{HEADER} + t[2] + k] = to_int64(t[{HEADER} + k])[0]",
            "    a = t[1]",
            *body,
            "    return 0",
        ]
        return "\n\n".join([*kernels, *(text for _, text in self.calls.values()), "\n".join(step)]) + "\n"


def scratch_bytes(x: Scratch) -> int:
    """What it takes of the workspace."""
    return aligned(x.size * np.dtype(x.dtype).itemsize)


def _bits(x: float) -> int:
    return int(np.float64(x).view(np.int64))


def _shown(invocation: Invocation) -> str:
    lines = [line.rpartition("/")[2] for line in invocation.lines if line]
    return ", ".join(dict.fromkeys(lines[:3])) + (" ..." if len(lines) > 3 else "")


def _leading(x: Access) -> tuple[int, int]:
    """Whether a matrix is stored transposed, and the distance of its rows (or columns)."""
    (rows, columns), (down, along) = x.shape[-2:], x.strides[-2:]
    if (along == 1 or columns == 1) and (down >= columns or rows == 1):
        return 0, max(down if rows > 1 else columns, 1)
    return 1, max(along if columns > 1 else rows, 1)


def _even(shape: tuple[int, ...], strides: list[tuple[int, ...]]) -> tuple[int, list[int], int]:
    """How many outer dimensions of a batch have to be gone through one by one; the spacing of the rest, its size."""
    outer = len(shape)
    count = 1
    inner = [0] * len(strides)
    while outer:
        d, n = outer - 1, shape[outer - 1]
        if n != 1:
            if count == 1:
                inner = [s[d] for s in strides]
            elif any(s[d] != i * count for s, i in zip(strides, inner, strict=True)):
                break
            count *= n
        outer -= 1
    return outer, inner, count
