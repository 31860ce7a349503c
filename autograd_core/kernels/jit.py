"""What is compiled, and how: the only module that imports Numba.  It is imported when something has to be compiled.

A *kernel* is a function of pointers (to contiguous arrays, indexed flat) and numbers that fills its outputs::

    @kernel
    def scale(x, factor, out, n):
        for i in range(n):
            out[i] = factor * x[i]

Pointers given to a kernel never overlap, unless it is one pointer given for one parameter; LLVM is told so, and can
vectorise.  A *function* is what kernels are made of, numbers in and a number out, and is inlined.  Both run as plain
Python on flat arrays too, with ``.py_func``.

Floating point keeps NaN, infinities and the sign of zero; ``a * b + c`` may be contracted to one rounding.  Sums may be
reordered where a kernel says so: with :func:`plus`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, codegen, compiler, dispatcher, options, registry, sigutils
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

__all__ = [
    "POINTERS",
    "address_of",
    "bits",
    "build",
    "cgutils",
    "from_bits",
    "function",
    "gemm",
    "intrinsic",
    "kernel",
    "maximum",
    "minimum",
    "number",
    "plus",
    "types",
]


class _Library(codegen.JITCodeLibrary):  # type: ignore[misc]
    """The code of one function in LLVM's intermediate form; Numba would make machine code of each of them at once.

    A function stays as it is, to be inlined and optimised where it is called.  A kernel is optimised once, with the
    functions that it calls; what calls it has only its own code optimised.
    """

    kernel = False

    def finalize(self) -> None:
        if self.kernel:
            functions, kernels = self._called()
            self._link(functions)
            self._optimize_final_module()
            self._link(kernels)
        self._finalized = True

    def _called(self) -> tuple[list[Any], list[Any]]:
        """The functions that are called, here or in one of them, and the kernels."""
        functions: dict[Any, None] = {}
        kernels: dict[Any, None] = {}
        waiting = [self]
        while waiting:
            for library in waiting.pop()._linking_libraries:
                if getattr(library, "kernel", False):
                    kernels[library] = None
                elif library not in functions:
                    functions[library] = None
                    waiting += [library] if isinstance(library, _Library) else []
        return list(functions), list(kernels)

    def _link(self, libraries: list[Any]) -> None:
        for library in libraries:
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)


class _Options(registry.cpu_target.options):  # type: ignore[misc]
    noalias = options.TargetOptions.Mapping("noalias")  # Numba has the flag, and no option for it


class _Target(registry.CPUTarget):  # type: ignore[misc]
    options = _Options
    target_context = registry.cpu_target.target_context
    typing_context = registry.cpu_target.typing_context


class _Dispatcher(dispatcher.Dispatcher):  # type: ignore[misc]
    """Compiles a function for the types it is called with, as far as it can be linked into others."""

    targetdescr = _Target("cpu")

    def compile(self, sig: Any) -> Any:
        arguments, result = sigutils.normalize_signature(sig)
        arguments = tuple(map(types.unliteral, arguments))  # not once more for each constant it is called with
        with global_compiler_lock:
            if arguments not in self.overloads:
                self.overloads[arguments] = self._compile(arguments, result)
            return self.overloads[arguments].entry_point

    def _compile(self, arguments: Any, result: Any) -> Any:
        typing, target = self.targetdescr.typing_context, self.targetdescr.target_context
        flags = compiler.Flags()
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        flags.no_compile = True
        library = _Library(target.codegen(), self.py_func.__qualname__)
        library.kernel = flags.noalias
        compiled = compiler.compile_extra(typing, target, self.py_func, arguments, result, flags, {}, library)
        compiled = compiled._replace(entry_point=object())  # by which Numba finds it
        target.insert_user_function(compiled.entry_point, compiled.fndesc, [library])
        return compiled


_OPTIONS = {
    "nopython": True,
    "error_model": "numpy",
    "boundscheck": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}


def kernel(function: Callable[..., Any]) -> Any:
    """Decorator: a function of pointers that do not overlap, and numbers."""
    return _Dispatcher(function, targetoptions={**_OPTIONS, "noalias": True, "fastmath": {"contract"}})


def function(function: Callable[..., Any] | None = None, *, contract: bool = True) -> Any:
    """Decorator: a function of numbers, inlined where it is called: only then is a loop of it vectorised.

    Parameters
    ----------
    contract : whether ``a * b + c`` may be one rounding; not where the exact rounding of each step matters
    """

    def make(function: Callable[..., Any]) -> Any:
        flags = {"contract"} if contract else set()
        return _Dispatcher(function, targetoptions={**_OPTIONS, "forceinline": True, "fastmath": flags})

    return make if function is None else make(function)


def _reorders(function: Callable[..., Any]) -> Any:
    flags = {"contract", "reassoc", "nsz"}
    return _Dispatcher(function, targetoptions={**_OPTIONS, "forceinline": True, "fastmath": flags})


@_reorders
def plus(total, x):  # type: ignore[no-untyped-def]
    """``total + x`` of a sum whose order does not matter: a loop of these is vectorised."""
    return total + x


# What Numba has no word for

POINTERS: dict[str, Any] = {
    "float32": types.CPointer(types.float32),
    "float64": types.CPointer(types.float64),
    "int8": types.CPointer(types.int8),
    "int16": types.CPointer(types.int16),
    "int32": types.CPointer(types.int32),
    "int64": types.CPointer(types.int64),
    "uint8": types.CPointer(types.uint8),
    "bool": types.CPointer(types.uint8),
}
"""The type of a pointer to each dtype that can be compiled (Numba does not load booleans: they are read as bytes)."""


def _pointer_to(pointer: Any) -> Any:
    @intrinsic
    def to(context, address):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            return builder.inttoptr(args[0], context.get_value_type(pointer))

        return pointer(types.int64), generate

    return to


def pointers() -> dict[str, Any]:
    """Functions from an address to a pointer, by the name of the dtype."""
    return {name: _pointer_to(pointer) for name, pointer in POINTERS.items()}


@intrinsic
def address_of(context, pointer):  # type: ignore[no-untyped-def]
    """The address in a pointer."""

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.ptrtoint(args[0], ir.IntType(64))

    return types.int64(pointer), generate


_SAME_SIZE = {types.float32: types.int32, types.float64: types.int64}


def _reinterpreting(pairs: dict[Any, Any]) -> Any:
    @intrinsic
    def reinterpret(context, x):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            return builder.bitcast(args[0], context.get_value_type(signature.return_type))

        return pairs[x](x), generate

    return reinterpret


bits = _reinterpreting(_SAME_SIZE)
"""The bits of a float as an integer of its size."""

from_bits = _reinterpreting({i: f for f, i in _SAME_SIZE.items()})
"""The float that has these bits."""

number = from_bits
"""A number out of the table of a step, where it is kept as bits."""


def _extreme(name: str) -> Any:
    @intrinsic
    def extreme(context, a, b):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
            kind = args[0].type
            width = "f32" if signature.return_type == types.float32 else "f64"
            f = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(kind, [kind, kind]), f"llvm.{name}.{width}"
            )
            return builder.call(f, args)

        if a != b or a not in _SAME_SIZE:
            return None
        return a(a, a), generate

    return extreme


maximum = _extreme("maximum")
"""The larger of two floats; NaN if one is (a loop of these is vectorised)."""

minimum = _extreme("minimum")
"""The smaller of two floats; NaN if one is."""


@intrinsic
def gemm(context, f, fortran, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):  # type: ignore[no-untyped-def]
    """``c = alpha * a @ b + beta * c`` by the BLAS function at address `f`; row-major, `ta` and `tb` say transposed.

    `fortran` chooses its calling convention: 0 is CBLAS with 64-bit sizes, 1 CBLAS with 32-bit sizes, 2 Fortran's.
    """
    integer, scalar = types.int64, a.dtype

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        f, how, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc = args
        i8, i32, i64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
        real = alpha.type
        p = real.as_pointer()

        def cblas(size: Any) -> None:
            def sized(x: Any) -> Any:
                return x if size is i64 else builder.trunc(x, size)

            kind = ir.FunctionType(
                ir.VoidType(), [i32, i32, i32, size, size, size, real, p, size, p, size, real, p, size]
            )

            def flag(t: Any) -> Any:
                return builder.add(ir.Constant(i32, 111), builder.trunc(t, i32))

            builder.call(
                builder.inttoptr(f, kind.as_pointer()),
                [ir.Constant(i32, 101), flag(ta), flag(tb), sized(m), sized(n), sized(k), alpha, a, sized(lda),
                 b, sized(ldb), beta, c, sized(ldc)],
            )  # fmt: skip

        def fortran() -> None:
            # Column-major: c.T = b.T @ a.T, and a row-major matrix is its own transpose there.
            kind = ir.FunctionType(ir.VoidType(), [i8.as_pointer()] * 2 + [i32.as_pointer()] * 3 + [p] * 2
                                   + [i32.as_pointer(), p, i32.as_pointer(), p, p, i32.as_pointer()])  # fmt: skip

            def held(x: Any) -> Any:
                slot = cgutils.alloca_once(builder, x.type)
                builder.store(x, slot)
                return slot

            def letter(t: Any) -> Any:
                truth = builder.icmp_signed("!=", t, ir.Constant(i64, 0))
                return held(builder.select(truth, ir.Constant(i8, ord("T")), ir.Constant(i8, ord("N"))))

            def size(x: Any) -> Any:
                return held(builder.trunc(x, i32))

            builder.call(
                builder.inttoptr(f, kind.as_pointer()),
                [letter(tb), letter(ta), size(n), size(m), size(k), held(alpha), b, size(ldb), a, size(lda),
                 held(beta), c, size(ldc)],
            )  # fmt: skip

        def here(code: int) -> Any:
            return builder.icmp_signed("==", how, ir.Constant(i64, code))

        with builder.if_else(here(0)) as (then, otherwise):
            with then:
                cblas(i64)
            with otherwise, builder.if_else(here(1)) as (one, two):
                with one:
                    cblas(i32)
                with two:
                    fortran()
        return context.get_dummy_value()

    matrices = [scalar, a, integer, b, integer, scalar, c, integer]
    return types.void(*[integer] * 7, *matrices), generate


# Compiling


SYMBOL = "autograd_core_step"


def build(source: str, names: dict[str, Any], entry: str) -> tuple[bytes, str, list[str]]:
    """Compile a source to native code.

    Parameters
    ----------
    source : Python text with a function `entry` of one int64 pointer that returns an int64
    names : what the text may refer to

    Returns
    -------
    object code, the symbol of its function ``int64 (int64 *table)``, and the functions that it needs from elsewhere
    """
    namespace: dict[str, Any] = {"np": np, **names}
    exec(compile(source, "<autograd_core step>", "exec"), namespace)
    step = namespace[entry] if isinstance(namespace[entry], _Dispatcher) else kernel(namespace[entry])
    step.compile(types.int64(POINTERS["int64"]))
    (compiled,) = step.overloads.values()
    with global_compiler_lock:
        library = compiled.library
        library.add_ir_module(_plain(compiled.fndesc, library))
        module = library._final_module
        module.get_function(compiled.fndesc.llvm_func_name).linkage = "internal"
        library.finalize()
        needed = [f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")]
        return library.codegen._tm.emit_object(module), SYMBOL, needed


def _plain(described: Any, library: Any) -> ir.Module:
    """A function that C can call, around one with Numba's way of passing results."""
    target = _Dispatcher.targetdescr.target_context
    module = library.create_ir_module(SYMBOL)
    i64 = ir.IntType(64)
    function = ir.Function(module, ir.FunctionType(i64, [i64.as_pointer()]), SYMBOL)
    builder = ir.IRBuilder(function.append_basic_block())
    inner = target.declare_function(module, described)
    _, result = target.call_conv.call_function(
        builder, inner, described.restype, described.argtypes, list(function.args)
    )
    builder.ret(result)
    return module
