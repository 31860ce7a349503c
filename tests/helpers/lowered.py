"""Running what a primitive is lowered to, compiled, on its own."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

from autograd_core.compiler.loader import load
from autograd_core.compiler.lowerings import LOWERINGS, Call, Number, Scratch, load_lowerings
from autograd_core.compiler.program import Instruction, Value
from autograd_core.kernels import jit
from autograd_core.primitive import REGISTRY


def run_lowered(name: str, operands: Any, params: dict[str, Any] | None = None) -> tuple[np.ndarray, ...] | None:
    """The results of the kernels that a primitive is lowered to; None if it is not, in this form.

    Parameters
    ----------
    name : of the primitive
    operands : arrays, and Python numbers
    params : what else the primitive takes

    Notes
    -----
    Results and scratch memory start as garbage.  If a kernel refuses what it met, the primitive itself has to.
    """
    prepared = prepare_lowered(name, operands, params)
    if prepared is None:
        return None
    call, results = prepared
    if call():
        REGISTRY[name].record.compute(list(operands), params or {})
        raise AssertionError(f"{name}: the kernel refused what the primitive takes")
    return results


def prepare_lowered(
    name: str, operands: Any, params: dict[str, Any] | None = None, repeat: int = 1
) -> tuple[Any, tuple[np.ndarray, ...]] | None:
    """A function without arguments that runs the kernels `repeat` times, for timing, and the arrays they fill."""
    load_lowerings()
    arrays = [np.ascontiguousarray(x).reshape(np.shape(x)) if isinstance(x, np.ndarray) else x for x in operands]
    with np.errstate(all="ignore"):
        expected = REGISTRY[name].record.compute(arrays, params or {})
    expected = expected if isinstance(expected, tuple) else (expected,)
    results = tuple(_garbage(x.size, x.dtype).reshape(x.shape) for x in map(np.asarray, expected))
    values = [Value(x.shape, x.dtype) if isinstance(x, np.ndarray) else x for x in arrays]
    made = [Value(x.shape, x.dtype) for x in results]
    lowered = LOWERINGS[name](Instruction(name, values, params, made))
    if lowered is None:
        return None
    memory = dict(zip([*(v for v in values if isinstance(v, Value)), *made],
                      [*(x for x in arrays if isinstance(x, np.ndarray)), *results], strict=True))  # fmt: skip
    return prepare_calls([lowered] if isinstance(lowered, Call) else lowered, memory, repeat), results


def _garbage(size: int, dtype: Any) -> np.ndarray:
    """An array of bytes that are no number anybody wants."""
    out = np.empty(size, dtype)
    out.view(np.uint8)[...] = 1 if out.dtype == bool else 0xFF
    return out


def prepare_calls(calls: list[Call], memory: dict[Value, np.ndarray], repeat: int = 1) -> Any:
    """A function without arguments that runs these calls on the memory of their values."""
    table: list[int] = [repeat]
    kept: list[Any] = [memory]  # as long as the function lives
    lines = []
    for call in calls:
        texts = []
        for x in call.args:
            array = memory[x] if isinstance(x, Value) else _garbage(x.size, x.dtype) if isinstance(x, Scratch) else None
            if array is not None:
                kept.append(array)
                table.append(array.ctypes.data)
                texts.append(f"to_{array.dtype}(table[{len(table) - 1}])")
            elif isinstance(x, Number):
                as_bits = np.dtype(x.dtype).kind == "f"
                table.append(int(np.float64(x.value).view(np.int64)) if as_bits else int(x.value))
                held = f"number(table[{len(table) - 1}])" if as_bits else f"table[{len(table) - 1}]"
                texts.append(f"{held} != 0" if x.dtype == "bool" else f"np.{x.dtype}({held})")
            else:
                table.append(int(x))
                texts.append(f"table[{len(table) - 1}]")
        called = f"{call.kernel.replace('.', '__')}({', '.join(texts)})"
        lines.append(f"if {called} != 0:\n            return 1" if call.checked else called)
    body = "\n        ".join(lines)
    source = f"def main(table):\n    for i in range(table[0]):\n        {body}\n    return 0\n"
    entry = _compiled(source, tuple(sorted({call.kernel for call in calls})))
    kept.append(held_table := np.array(table, np.int64))
    return lambda: entry(held_table.ctypes.data) if kept else None


@functools.cache
def _compiled(source: str, kernels: tuple[str, ...]) -> Any:
    names: dict[str, Any] = {f"to_{name}": f for name, f in jit.pointers().items()}
    for kernel in kernels:
        module, _, function = kernel.rpartition(".")
        loaded = importlib.import_module(f"autograd_core.kernels.{module}")
        names[kernel.replace(".", "__")] = getattr(loaded, function)
    return load(*jit.build(source, {**names, "number": jit.number}, "main"))
