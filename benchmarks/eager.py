"""The cost of the eager engine, beside PyTorch's, in the same run: time for one small operation, and peak memory.

    OPENBLAS_NUM_THREADS=1 python benchmarks/eager.py

Time: the chain ``y = y * x + x``, 100 times, on 8x8 float64, forward and backward, for one operation; the best of
interleaved rounds.  Memory (Linux): the peak resident size of forward and backward of an MLP of 20 layers above what
was resident before, each library in a process of its own.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

DATA = np.random.default_rng(0).normal(size=(8, 8)) * 0.1
STEPS = 100


def ours() -> Callable[[], None]:
    import autograd_core as ag

    x = ag.tensor(DATA, requires_grad=True)

    def run() -> None:
        y = x
        for _ in range(STEPS):
            y = y * x + x
        y.sum().backward()
        x.grad = None

    return run


def pytorch() -> Callable[[], None]:
    import torch

    torch.set_num_threads(1)
    x = torch.tensor(DATA, requires_grad=True)

    def run() -> None:
        y = x
        for _ in range(STEPS):
            y = y * x + x
        y.sum().backward()
        x.grad = None

    return run


def seconds(run: Callable[[], None], times: int = 10) -> float:
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


MEMORY = """
import sys
import numpy as np
library, depth, width, batch = sys.argv[1], 20, 512, 4096
rng = np.random.default_rng(0)
arrays = [rng.normal(size=(width, width)).astype(np.float32) * 0.06 for _ in range(depth)]
data = rng.normal(size=(batch, width)).astype(np.float32)
if library == "torch":
    import torch as L
    L.set_num_threads(1)
else:
    import autograd_core as L
tensors = [L.tensor(a, requires_grad=True) for a in arrays]
biases = [L.zeros(width, requires_grad=True) for _ in arrays]
x = L.tensor(data)

def run(rows):
    h = x[:rows]
    for w, b in zip(tensors, biases):
        h = L.relu(h @ w.T + b)
    (h * h).mean().backward()

def resident(key):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(key)) / 1024

run(2)  # what is allocated once: threads, kernels, gradients
with open("/proc/self/clear_refs", "w") as control:
    control.write("5")  # start the peak anew
before = resident("VmRSS")
run(batch)
print(resident("VmHWM") - before)
"""


def peak(library: str) -> float:
    result = subprocess.run([sys.executable, "-c", MEMORY, library], capture_output=True, text=True, check=True)
    return float(result.stdout)


def main() -> None:
    contestants = {"autograd-core": ours()}
    if importlib.util.find_spec("torch"):
        contestants["PyTorch"] = pytorch()
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(30):
        for name, run in contestants.items():
            best[name] = min(best[name], seconds(run))
    print("time for one operation of y = y*x + x, forward and backward, 8x8 float64")
    for name, t in best.items():
        print(f"  {name:14} {t / (2 * STEPS) * 1e6:6.2f} us   {t / best['autograd-core']:.2f} of autograd-core's")
    if "PyTorch" in best:
        print(f"  autograd-core / PyTorch = {best['autograd-core'] / best['PyTorch']:.2f}")
    if not Path("/proc/self/clear_refs").exists():
        return
    print("peak memory of forward and backward, MLP of 20 layers of 512, batch 4096, float32")
    peaks = {"autograd-core": peak("ours")}
    if "PyTorch" in best:
        peaks["PyTorch"] = peak("torch")
    for name, mib in peaks.items():
        print(f"  {name:14} {mib:6.0f} MiB")
    if "PyTorch" in peaks:
        print(f"  autograd-core / PyTorch = {peaks['autograd-core'] / peaks['PyTorch']:.2f}")


if __name__ == "__main__":
    main()
