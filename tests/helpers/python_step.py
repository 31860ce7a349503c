"""What is compiled, run as plain Python: without Numba, and with every access to memory looked at.

Pointers know the memory they point into.  Within a call of a kernel what is written through one pointer must not be
read or written through another, since LLVM is told so; and nothing may be read that was never written.
"""

import ctypes
import functools
import importlib
import types
from contextlib import contextmanager

import numpy as np
import pytest

from autograd_core.compiler import binding, native, step
from autograd_core.compiler.lowerings import LOWERINGS, load_lowerings
from autograd_core.primitive import REGISTRY

pytest.importorskip("numba")  # tests that use this are skipped

from autograd_core.kernels import jit


class Block:
    """A piece of memory: its bytes, and which of them hold something."""

    def __init__(self, array, known):
        self.start, self.size = array.ctypes.data, array.nbytes
        self.bytes = array.reshape(-1).view(np.uint8)
        self.known = np.full(self.size, known)


class Pointer:
    """The elements from a byte of a block on."""

    def __init__(self, block, offset, dtype, watch):
        self.block, self.offset, self.watch = block, offset, watch
        self.dtype = np.dtype(np.uint8 if dtype == "bool" else dtype)

    def _bytes(self, i):
        start = self.offset + int(i) * self.dtype.itemsize
        assert 0 <= start <= self.block.size - self.dtype.itemsize, f"element {i} is outside of the array"
        return slice(start, start + self.dtype.itemsize)

    def __getitem__(self, i):
        where = self._bytes(i)
        assert self.block.known[where].all(), f"element {i} is read before it is written"
        self.watch.reads(self, where)
        return self.block.bytes[where].view(self.dtype)[0]

    def __setitem__(self, i, value):
        where = self._bytes(i)
        self.watch.writes(self, where)
        self.block.known[where] = True
        self.block.bytes[where].view(self.dtype)[0] = value


class Watch:
    """Which bytes a kernel reads and writes, and through which pointer."""

    def __init__(self):
        self.read, self.written = {}, {}

    def _key(self, pointer, where):
        return pointer.block.start + where.start

    def reads(self, pointer, where):
        key = self._key(pointer, where)
        assert self.written.get(key, pointer) is pointer, "one pointer reads what another has written"
        self.read.setdefault(key, set()).add(pointer)

    def writes(self, pointer, where):
        key = self._key(pointer, where)
        assert self.written.setdefault(key, pointer) is pointer, "two pointers write to one place"
        assert self.read.get(key, set()) <= {pointer}, "one pointer writes what another has read"


class Machine:
    """Memory and the functions that a source refers to."""

    def __init__(self, source, names):
        self.blocks = []
        self.watch = Watch()
        self.calls = []
        words = {f"to_{name}": functools.partial(self.pointer, dtype=name) for name in jit.POINTERS}
        words |= {"np": np, "kernel": self.kernel, "function": lambda f: f, "number": number, **PLAIN}
        for name in names:
            module, _, function = name.partition(".")
            found = plain(getattr(importlib.import_module(f"autograd_core.kernels.{module}"), function), function)
            words[f"{module}_{function}"] = self.kernel(found) if module not in MATH else found
            words.setdefault(function, words[f"{module}_{function}"])
        exec(compile(source, "<step>", "exec"), words)
        self.step = words["step"]

    def kernel(self, function):
        """A kernel whose accesses are watched; one pointer given twice for one place is one pointer."""

        def called(*args):
            self.calls.append(function.__name__)
            self.watch = Watch()
            for x in args:
                if isinstance(x, Pointer):
                    x.watch = self.watch
            return function(*args)

        return called

    def pointer(self, address, dtype):
        for block in self.blocks:
            if block.start <= address < block.start + max(block.size, 1):
                return Pointer(block, int(address - block.start), dtype, self.watch)
        # Where the address of an argument stands: in the argument's array object.
        return np.ctypeslib.as_array((ctypes.c_int64 * 1).from_address(int(address))) if dtype == "int64" else Nowhere()


class Nowhere:
    """The memory of an array without elements."""

    dtype = np.dtype("float32")

    def __getitem__(self, i):
        raise AssertionError("an array without elements is read")

    __setitem__ = None


def number(x):
    """The float64 that has these bits."""
    return np.int64(x).view(np.float64)


def bits(x):
    return x.view({4: np.int32, 8: np.int64}[x.itemsize])


def from_bits(x):
    return x.view({4: np.float32, 8: np.float64}[x.itemsize])


def gemm(f, convention, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    """The product of matrices, element by element."""
    for i in range(m):
        for j in range(n):
            total = alpha * 0
            for p in range(k):
                total += a[p * lda + i if ta else i * lda + p] * b[j * ldb + p if tb else p * ldb + j]
            c[i * ldc + j] = alpha * total + (beta * c[i * ldc + j] if beta else 0)


def batched(f, convention, ta, tb, batch, m, n, k, alpha, a, sa, lda, b, sb, ldb, beta, c, sc, ldc):
    for i in range(batch):
        gemm(f, convention, ta, tb, m, n, k, alpha, Shifted(a, i * sa), lda, Shifted(b, i * sb), ldb, beta,
             Shifted(c, i * sc), ldc)  # fmt: skip


class Shifted:
    """A pointer some elements on."""

    def __init__(self, pointer, by):
        self.pointer, self.by = pointer, by

    def __getitem__(self, i):
        return self.pointer[self.by + i]

    def __setitem__(self, i, value):
        self.pointer[self.by + i] = value


MATH = {"exponential", "hyperbolic", "powers", "error_function", "trigonometric", "typed", "remainders"}
"""The modules of `autograd_core.kernels` that have functions of numbers; NumPy takes their place."""

VECTORS = {"convolution", "windows"}
"""The modules of lowerings whose kernels have vectors in them; their primitives run in Python as they are."""

PLAIN = {
    "plus": lambda total, x: total + x,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "bits": bits,
    "from_bits": from_bits,
    "gemm": gemm,
}
"""What only Numba knows, by its name in `autograd_core.kernels.jit`."""


def plain(compiled, name):
    """A kernel or function as plain Python, with all that it calls."""
    if (compiled, name) in _plain:
        return _plain[compiled, name]
    for word, function in PLAIN.items():
        if compiled is getattr(jit, word):
            return function
    module = compiled.__module__.rpartition(".")[2]
    if module in MATH:
        return number_function(name)
    if module == "matmul":
        return {"matmul": gemm, "batched": batched}[name]
    original = compiled.py_func
    names = dict(original.__globals__)
    cells = tuple(
        types.CellType(plain(c.cell_contents, word)) if isinstance(c.cell_contents, jit._Dispatcher) else c
        for word, c in zip(original.__code__.co_freevars, original.__closure__ or (), strict=True)
    )
    made = types.FunctionType(original.__code__, names, original.__name__, original.__defaults__, cells)
    _plain[compiled, name] = made
    for word in original.__code__.co_names:
        if isinstance(names.get(word), jit._Dispatcher) or any(names.get(word) is getattr(jit, w) for w in PLAIN):
            names[word] = plain(names[word], word)
    return made


_plain = {}


def number_function(name):
    """NumPy's, or that of the primitive, in the dtype of its operands."""
    name = name.removesuffix("32").removesuffix("64")
    known = {"power": np.power, "integer_power": np.power, "floor_divide": np.floor_divide, "rint": np.rint}
    forward = known.get(name) or getattr(np, name, None) or REGISTRY[name].record.forward
    return lambda *numbers: forward(*numbers)


class PythonBinding(binding.Binding):
    """A binding whose code is plain Python."""

    def __init__(self, program):
        super().__init__(program)
        self._entry = self._entered
        self.machine = Machine(self.emitted.source, self.emitted.names)
        self.work = Block(self.workspace, False)
        if self.emitted.workspace == 0:
            self.work.size = 0

    def run(self, arrays):
        self.given = arrays
        self.work.known[:] = False
        return super().run(arrays)

    def _entered(self, address):
        assert address == self._table.ctypes.data
        self.machine.blocks = [self.work]
        self.machine.blocks += [Block(a, True) for a in [*self._memory.values(), *self.given, self._table] if a.size]
        with np.errstate(all="ignore"):
            return self.machine.step(self._table)

    def _in_python(self, host, arrays):
        super()._in_python(host, arrays)
        self.work.known[:] = True  # it has written somewhere


@contextmanager
def in_python():
    """Within this, functions are compiled to plain Python."""
    uncompiled = native.Native(None, 0.0, False, 0, "")
    load_lowerings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binding, "compiled", lambda source, names: uncompiled)
        patch.setattr(step, "Binding", PythonBinding)
        for name, lower in LOWERINGS.items():
            if lower.__module__.rpartition(".")[2] in VECTORS:
                patch.setitem(LOWERINGS, name, lambda instruction: None)
        yield
