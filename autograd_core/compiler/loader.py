"""Native code into this process, without Numba: llvmlite links the object code, ctypes calls it."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

__all__ = ["Entry", "load"]

Entry: TypeAlias = Callable[[int], int]
"""A native function: the address of a table of int64 in, an int64 out.

It holds no state of its own, lets other threads run meanwhile, and keeps its machine code alive as long as it lives.
"""

_FUNCTION: Any = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)


@functools.cache
def _target() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_process_triple())


def load(code: bytes, symbol: str, needed: Sequence[str] = ()) -> Entry:
    """The function `symbol` of some object code, ready to be called.

    Parameters
    ----------
    needed : names of the functions that the code needs from this process

    Raises
    ------
    ValueError
        If this is no object code, or there is no such symbol in it.
    LookupError
        If this process lacks a needed function: LLVM would end the process.
    """
    import llvmlite.binding as llvm

    # An engine of its own, which takes over its machine: symbols of different steps may have one name.
    machine = _target().create_target_machine(jit=True, codemodel="jitdefault", reloc="pic")
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    missing = [name for name in needed if not llvm.address_of_symbol(name)]
    if missing:
        raise LookupError(f"load: this process has no function {', '.join(missing)}")
    read = llvm.ObjectFileRef.from_data(code)
    if not read:
        raise ValueError("load: this is no object code")
    engine.add_object_file(read)
    engine.finalize_object()
    address = engine.get_function_address(symbol)
    if not address:
        raise ValueError(f"load: the object code has no function {symbol!r}")
    function = _FUNCTION(address)
    function.engine = engine
    return function  # type: ignore[no-any-return]
