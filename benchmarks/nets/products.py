"""The matrix products of an MLP's step and nothing else, by the BLAS that NumPy uses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from autograd_core.compiler.blas import blas
from autograd_core.compiler.loader import load
from autograd_core.kernels import jit

from . import Net, Run, batches, weights


class Product(NamedTuple):
    """``out = a @ b``, of which `a` and `b` may be transposed views."""

    a: np.ndarray
    b: np.ndarray
    out: np.ndarray


def products_of(net: Net, backward: bool = True) -> list[Product]:
    ws = [w for w in weights(net).values() if w.ndim == 2]
    hs = [batches(net)[0][0], *(np.ones((net.batch, n), np.float32) for n in net.sizes[1:])]
    gs = [np.ones_like(h) for h in hs]
    found = [Product(h, w.T, out) for h, w, out in zip(hs, ws, hs[1:], strict=False)]
    for k in reversed(range(len(ws) if backward else 0)):
        found.append(Product(gs[k + 1].T, hs[k], np.empty_like(ws[k])))
        if k:
            found.append(Product(gs[k + 1], ws[k], gs[k]))
    return found


def native(net: Net, backward: bool = True) -> Run | None:
    """All of them in one native call, which also does the repeating."""
    if net.kind != "mlp":
        return None
    products = products_of(net, backward)
    table = np.zeros(3 + 8 * len(products), np.int64)
    table[1:3] = blas().sgemm, blas().convention
    lines = []
    for k, p in enumerate(products):
        (m, n), inner, at = p.out.shape, p.a.shape[1], 3 + 8 * k
        turned = [not x.flags.c_contiguous for x in (p.a, p.b)]
        steps = [max(x.strides) // 4 for x in p]
        table[at : at + 5] = (*turned, m, n, inner)
        table[at + 5 : at + 8] = [x.ctypes.data for x in p]
        t = [f"table[{at + j}]" for j in range(8)]
        a, b, c = (f"to_float32({x}), {step}" for x, step in zip(t[5:], steps, strict=True))
        lines.append(f"gemm(table[1], table[2], {', '.join(t[:5])}, one, {a}, {b}, zero, {c})")
    body = "".join(f"        {line}\n" for line in lines)
    start = "    one, zero = np.float32(1), np.float32(0)\n    for _ in range(table[0]):\n"
    names = {f"to_{name}": f for name, f in jit.pointers().items()}
    entry = load(*jit.build(f"def main(table):\n{start}{body}    return 0\n", {**names, "gemm": jit.gemm}, "main"))

    def run(times: int) -> None:
        table[0] = times
        entry(table.ctypes.data)
        assert products  # their arrays live as long as this function

    return run


def by_numpy(net: Net) -> Run | None:
    """The same from Python, one call of `np.dot` each."""
    if net.kind != "mlp":
        return None
    products = products_of(net)

    def run(times: int) -> None:
        for _ in range(times):
            for a, b, out in products:
                np.dot(a, b, out=out)

    return run
