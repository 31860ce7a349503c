"""Larger operations of the eager engine, forward and backward, beside PyTorch's, single-threaded.

    OPENBLAS_NUM_THREADS=1 python benchmarks/operations.py

float32, batch 64, sizes as in LeNet; medians of interleaved rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import autograd_core as ag
from autograd_core import nn

torch.set_num_threads(1)
RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


ROWS = RNG.integers(0, 1000, size=2048)
LABELS = RNG.integers(0, 10, size=64)

# name, the leaves, a function of (library, its nn.functional, leaves)
CASES: dict[str, tuple[list[np.ndarray], Callable[..., Any]]] = {
    "conv2d 1->6, 5x5, 28x28 (LeNet)": (
        [normal(64, 1, 28, 28), normal(6, 1, 5, 5), normal(6)],
        lambda lib, f, x, w, b: f.conv2d(x, w, b, padding=2),
    ),
    "conv2d 6->16, 5x5, 14x14 (LeNet)": (
        [normal(64, 6, 14, 14), normal(16, 6, 5, 5), normal(16)],
        lambda lib, f, x, w, b: f.conv2d(x, w, b),
    ),
    "conv2d 8->16, 5x5, 14x14, padded": (
        [normal(64, 8, 14, 14), normal(16, 8, 5, 5), normal(16)],
        lambda lib, f, x, w, b: f.conv2d(x, w, b, padding=2),
    ),
    "max_pool2d 2, 6x28x28 (LeNet)": ([normal(64, 6, 28, 28)], lambda lib, f, x: f.max_pool2d(x, 2)),
    "max_pool2d 2, 16x10x10 (LeNet)": ([normal(64, 16, 10, 10)], lambda lib, f, x: f.max_pool2d(x, 2)),
    "avg_pool2d 2, 8x28x28": ([normal(64, 8, 28, 28)], lambda lib, f, x: f.avg_pool2d(x, 2)),
    "embedding 2048 of 1000x64": ([normal(1000, 64)], lambda lib, f, w: f.embedding(lib.tensor(ROWS), w)),
    "index rows 2048 of 1000x64": ([normal(1000, 64)], lambda lib, f, w: w[lib.tensor(ROWS)]),
    "scatter_add 2048x64 to 1000x64": (
        [normal(1000, 64), normal(2048, 64)],
        lambda lib, f, x, src: lib.scatter_add(x, 0, lib.tensor(np.repeat(ROWS[:, None], 64, 1)), src),
    ),
    "gather 64x10": ([normal(64, 10)], lambda lib, f, x: lib.gather(x, 1, lib.tensor(LABELS[:, None]))),
    "cross_entropy 64x10": ([normal(64, 10)], lambda lib, f, x: f.cross_entropy(x, lib.tensor(LABELS))),
    "batch_norm 8x28x28": (
        [normal(64, 8, 28, 28), normal(8), normal(8)],
        lambda lib, f, x, w, b: f.batch_norm(x, None, None, w, b, training=True),
    ),
    "layer_norm 2048x64": (
        [normal(2048, 64), normal(64), normal(64)],
        lambda lib, f, x, w, b: f.layer_norm(x, (64,), w, b),
    ),
    "softmax 2048x64": ([normal(2048, 64)], lambda lib, f, x: lib.softmax(x, 1)),
    "linear 784->128": ([normal(64, 784), normal(128, 784), normal(128)], lambda lib, f, x, w, b: f.linear(x, w, b)),
}


def prepared(lib: Any, functional: Any, arrays: list[np.ndarray], call: Callable[..., Any]) -> Callable[[], None]:
    leaves = [lib.tensor(a, requires_grad=True) for a in arrays]
    direction = lib.tensor(RNG.normal(size=tuple(call(lib, functional, *leaves).shape)).astype(np.float32))

    def run() -> None:
        call(lib, functional, *leaves).backward(direction)
        for leaf in leaves:
            leaf.grad = None

    return run


def measured(runs: list[Callable[[], None]], rounds: int = 15) -> list[float]:
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, found in zip(runs, times, strict=True):
            run()
            start = time.perf_counter()
            for _ in range(3):
                run()
            found.append((time.perf_counter() - start) / 3)
    return [statistics.median(found) for found in times]


def main() -> None:
    print(f"{'forward and backward':32} {'ours us':>9} {'PyTorch us':>11} {'ratio':>6}")
    for name, (arrays, call) in CASES.items():
        ours, theirs = measured(
            [prepared(ag, nn.functional, arrays, call), prepared(torch, torch.nn.functional, arrays, call)]
        )
        print(f"{name:32} {ours * 1e6:9.0f} {theirs * 1e6:11.0f} {ours / theirs:6.2f}")


if __name__ == "__main__":
    main()
