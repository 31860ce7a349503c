"""A compiled program that can be called: native code, its table, and the tensors it works on.

A binding belongs to one signature: one set of shapes and dtypes.  Everything that does not change from call to call is
in the table when it is made; a call writes where the arguments are, and runs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from ..graph import changes, owner
from ..tensor import Tensor, wrap
from .access import Access, Buffer
from .emit import HEADER, Invocation, emit
from .fusion import fuse
from .native import compiled
from .nodes import Host, Native, lower
from .passes import optimize
from .planning import ALIGNMENT, plan
from .program import Argument, Captured, Constant, Instruction, Option, Program, State, Value, execute
from .recomputing import recomputed

__all__ = ["Binding"]

DATA = object.__basicsize__
"""Where an ndarray keeps the address of its elements: in the first field after what every Python object has."""


def _layout() -> int:
    """Where a tensor keeps its array; and whether arrays are laid out as expected."""
    array = np.empty(1)
    tensor = wrap(array)
    words = (ctypes.c_size_t * (Tensor.__basicsize__ // ctypes.sizeof(ctypes.c_size_t))).from_address(id(tensor))
    if ctypes.c_void_p.from_address(id(array) + DATA).value != array.ctypes.data or id(array) not in words:
        raise ImportError("autograd_core.compile: this Python lays out its objects in an unknown way; please report it")
    return list(words).index(id(array)) * ctypes.sizeof(ctypes.c_size_t)


ARRAY = _layout()
"""Where a tensor keeps the reference to its array."""


def _aligned(size: int) -> np.ndarray:
    """Bytes that begin at a multiple of the alignment."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size]


class Binding:
    """One program, compiled, with its memory.

    Parameters
    ----------
    program : as recorded
    """

    def __init__(self, program: Program) -> None:
        self.recorded = program
        self.program = _with_arrays(optimize(program), program)
        self.nodes = lower(self.program)
        held = {self.nodes.places[v].buffer for v in self.program.kept()}
        self.plan = plan(self.program, self.nodes, recomputed(fuse(self.nodes.nodes), held))
        self.emitted = emit(self.nodes, self.plan)
        self.code = compiled(self.emitted.source, self.emitted.names)
        self.workspace = _aligned(self.emitted.workspace)
        self._entry = self.code.entry
        self._bind()
        self.gradients = {of: self._apart(b) for of, b in self.plan.gradients.items()}

    # Once

    def _bind(self) -> None:
        """Fill in the table what stays as it is."""
        facts = 2 * sum(isinstance(b.source, Captured) for b in self.nodes.inputs.values())
        self._table = np.concatenate([self.emitted.table, np.zeros(facts, np.int64)])
        self._place = memoryview(cast(Any, self._table))
        self._address = self._table.ctypes.data
        self._table[self.emitted.slots[None]] = self.workspace.ctypes.data
        self._memory: dict[Buffer, np.ndarray] = {}
        self._options: list[tuple[Option, np.ndarray]] = []
        self._captured: list[tuple[Tensor, Buffer]] = []
        self._constants: list[tuple[np.ndarray, np.ndarray]] = []  # those that are not contiguous, and their copies
        self._arguments: dict[int, Buffer] = {}
        self._shapes: dict[Buffer, tuple[int, ...]] = {}
        for buffer in self.nodes.inputs.values():
            source = buffer.source
            if isinstance(source, Argument):
                self._arguments[source.position] = buffer
            elif isinstance(source, Captured):
                self._captured.append((source.tensor, buffer))
            elif isinstance(source, Option):
                self._put(buffer, np.zeros(1, buffer.dtype))
                self._options.append((source, self._memory[buffer]))
            elif isinstance(source, Constant):
                self._put(buffer, np.ascontiguousarray(source.array))
                if not source.array.flags.c_contiguous:
                    self._constants.append((source.array, self._memory[buffer]))
        self._argument_places = [(HEADER + k, position) for k, position in enumerate(sorted(self._arguments))]
        self._tensors = [tensor for tensor, _ in self._captured]
        self._written = [target.tensor for target, _ in self.program.outputs if isinstance(target, State)]
        results = (self.plan.results[k] for k in range(len(self.plan.results)))
        # Views of memory that stays; where it can be another array in the next call, the access.
        self._results = [self._view(x) if isinstance(x, Access) and self._stays(x) else x for x in results]
        self._follow()
        self.read_options()

    def _put(self, buffer: Buffer, array: np.ndarray) -> None:
        """From now on, this array is the memory of a buffer."""
        self._memory[buffer] = array
        slot = self.emitted.slots.get(buffer)
        if slot is not None:
            self._table[slot] = array.ctypes.data

    def _follow(self) -> None:
        """Take up the arrays that the captured tensors have now."""
        self._arrays = [tensor.array for tensor in self._tensors]
        self._strided: list[tuple[np.ndarray, np.ndarray]] = []
        for (_, buffer), array in zip(self._captured, self._arrays, strict=True):
            if array.shape != self._shapes.setdefault(buffer, array.shape) or array.dtype != buffer.dtype:
                raise RuntimeError(
                    f"compile: a tensor of {buffer.dtype}{list(self._shapes[buffer])} that the function uses has "
                    f"become {array.dtype}{list(array.shape)}; compile the function anew"
                )
            memory = array
            if not array.flags.c_contiguous:
                memory = np.empty(array.shape, array.dtype)
                self._strided.append((array, memory))
            self._put(buffer, memory)
        self._table[3], self._table[4] = len(self._tensors), len(self.emitted.table)
        for k, (tensor, array) in enumerate(zip(self._tensors, self._arrays, strict=True)):
            at = len(self.emitted.table) + 2 * k
            self._table[at], self._table[at + 1] = id(tensor) + ARRAY, id(array)
        self._copied = [*self._strided, *self._constants]
        written = {id(tensor.array) for tensor in self._written}
        self.written = {id(owner(tensor.array)) for tensor in self._written}
        # If nothing is to be done around it, native code sees for itself that all is as before.
        segments = self.emitted.segments
        single = segments[0] if len(segments) == 1 else None
        self._plain = isinstance(single, tuple) and not self._copied and all(map(_is_array, self._results))
        if isinstance(single, tuple):
            self._place[0], self._place[1] = single
        self._strided_written = [(array, copy) for array, copy in self._strided if id(array) in written]
        self._stamp = changes.together([tensor.array for tensor in self._written], "a compiled function")

    def _stays(self, access: Access) -> bool:
        source = self.plan.root(access.buffer).source
        return not isinstance(source, (Argument, Captured))

    def _view(self, access: Access) -> np.ndarray:
        """The elements of an access, in the memory where they are."""
        dtype = access.buffer.dtype
        if 0 in access.shape:
            return np.empty(access.shape, dtype)  # it may have no memory
        root = self.plan.root(access.buffer)
        memory, start = self._memory.get(root), access.offset * dtype.itemsize
        if memory is None:
            memory, start = self.workspace, start + self.plan.offsets[root]
        strides = [s * dtype.itemsize for s in access.strides]
        return np.ndarray(access.shape, dtype, memory.reshape(-1).view(np.uint8), start, strides)

    def _apart(self, buffer: Buffer) -> np.ndarray:
        """A buffer of the workspace as an array of its own, which shares memory with no other that is in use."""
        place = self.workspace.ctypes.data + self.plan.offsets[buffer]
        memory: Any = (ctypes.c_char * buffer.bytes).from_address(place)
        memory.workspace = self.workspace  # lives as long as the array
        return np.ndarray((buffer.size,), buffer.dtype, memory)

    def read_options(self) -> None:
        """Take up the numbers that options have now."""
        for option, memory in self._options:
            memory[0] = option.read()

    # Every time

    def run(self, arrays: Sequence[np.ndarray]) -> list[Any]:
        """Run on these arguments (C-contiguous); the results, as arrays of their own or numbers."""
        place = self._place
        for at, position in self._argument_places:
            place[at] = id(arrays[position]) + DATA
        if not self._plain:
            return self._run(arrays)
        stopped = self._entry(self._address)
        if stopped:
            return self._stopped(stopped, arrays)
        if self._written:
            self._stamp.renew()
        return [x.copy() for x in self._results]

    def _run(self, arrays: Sequence[np.ndarray]) -> list[Any]:
        """Run what is not a single native segment on memory that stays."""
        if not all(t.array is a for t, a in zip(self._tensors, self._arrays, strict=True)):
            self._follow()
        for array, copy in self._copied:
            copy[...] = array
        for segment in self.emitted.segments:
            if isinstance(segment, Host):
                self._in_python(segment, arrays)
                continue
            self._place[0], self._place[1] = segment
            stopped = self._entry(self._address)
            if stopped:
                return self._stopped(stopped, arrays)
        for array, copy in self._strided_written:
            array[...] = copy
        self._stamp.renew()
        return [x.copy() if isinstance(x, np.ndarray) else self._result(x, arrays) for x in self._results]

    def _stopped(self, where: int, arrays: Sequence[np.ndarray]) -> list[Any]:
        """Native code has stopped: an operation met bad input, or a captured tensor has another array now."""
        if where > 0:
            raise self._error(self.emitted.at[where], arrays)
        self._follow()
        return self.run(arrays)

    def _result(self, x: Any, arrays: Sequence[np.ndarray]) -> Any:
        (found,) = self._values([x], arrays)
        return found.copy() if isinstance(found, np.ndarray) else found

    def _values(self, places: Iterable[Any], arrays: Sequence[np.ndarray]) -> list[Any]:
        """What is at these places now."""
        for position, buffer in self._arguments.items():
            self._memory[buffer] = arrays[position]
        return [self._view(x) if isinstance(x, Access) else x for x in places]

    def _in_python(self, host: Host, arrays: Sequence[np.ndarray]) -> None:
        values = self._values(host.operands, arrays)
        for write, result in zip(host.writes, execute(host.instruction, _weak(host.instruction, values)), strict=True):
            self._view(write)[...] = result

    def _error(self, invocation: Invocation, arrays: Sequence[np.ndarray]) -> Exception:
        """The error of the operation that met bad input: it is run in Python, on copies."""
        native = invocation.step
        assert isinstance(native, Native)
        instruction = native.instruction
        places = [
            native.places.get(x) or self.nodes.places[x] if isinstance(x, Value) else x for x in instruction.operands
        ]
        values = [np.array(x) if isinstance(x, np.ndarray) else x for x in self._values(places, arrays)]
        try:
            execute(instruction, _weak(instruction, values))
        except Exception as error:
            return error
        return RuntimeError(f"compile: {instruction.name} at {instruction.line} refused its input; please report it")


def _is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray)


def _with_arrays(program: Program, recorded: Program) -> Program:
    """The program with constant arrays for what passes have found to be a number."""
    inputs, outputs = dict(program.inputs), []
    for (target, operand), (_, before) in zip(program.outputs, recorded.outputs, strict=True):
        if not isinstance(operand, Value) and isinstance(before, Value):
            array = np.full(before.shape, operand, before.dtype)
            operand = Value(before.shape, before.dtype)
            inputs[operand] = Constant(array)
        outputs.append((target, operand))
    return Program(inputs, program.instructions, outputs)


def _weak(instruction: Instruction, values: Sequence[Any]) -> list[Any]:
    """Operands with Python numbers for weak values."""
    return [
        v.item() if isinstance(x, Value) and x.weak else v for x, v in zip(instruction.operands, values, strict=True)
    ]
