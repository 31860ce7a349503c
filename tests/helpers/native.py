"""Running one kernel on arrays, compiled, as a step would."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.compiler.loader import load
from autograd_core.kernels import jit


def run(kernel: Any, *args: Any) -> int:
    """Call a kernel with arrays (contiguous; given as pointers) and numbers; what it returns, 0 for nothing."""
    call = prepare(kernel, *args)
    return call()


def prepare(kernel: Any, *args: Any, repeat: int = 1) -> Any:
    """A function without arguments that runs the kernel on these arrays `repeat` times, for timing."""
    table = np.zeros(len(args) + 1, np.int64)
    table[-1] = repeat
    texts = []
    for k, x in enumerate(args):
        if isinstance(x, np.ndarray):
            assert x.flags.c_contiguous
            table[k] = x.ctypes.data
            texts.append(f"to_{x.dtype}(table[{k}])")
        elif isinstance(x, (float, np.float64)):
            table[k] = np.float64(x).view(np.int64)
            texts.append(f"number(table[{k}])")
        elif isinstance(x, np.float32):
            table[k] = np.float64(x).view(np.int64)
            texts.append(f"np.float32(number(table[{k}]))")
        else:
            table[k] = int(x)
            texts.append(f"table[{k}]")
    call = f"kernel({', '.join(texts)})"
    source = f"def main(table):\n    for i in range(table[{len(args)}] - 1):\n        {call}\n    "
    checked = _returns(kernel, args)
    source += f"return {call}\n" if checked else f"{call}\n    return 0\n"
    names = {f"to_{name}": f for name, f in jit.pointers().items()}
    entry = load(*jit.build(source, {**names, "kernel": kernel, "number": jit.number}, "main"))
    return lambda: entry(table.ctypes.data)


def _returns(kernel: Any, args: tuple[Any, ...]) -> bool:
    import ast
    import inspect
    import textwrap

    tree = ast.parse(textwrap.dedent(inspect.getsource(kernel.py_func)))
    return any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(tree))
