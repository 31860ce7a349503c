"""Training steps beside the peers': what one step costs, compiling, starting and memory.

    python benchmarks/training.py                  # one thread
    python benchmarks/training.py --threads all
    python benchmarks/training.py --nets LSTM CNN --contestants ours JAX --rounds 5

float32, cross-entropy, Adam; the same initial values and batches for everyone, and the losses of the first steps must
agree.  Contestants take turns: in every round each one trains for a moment; the figures are medians over the rounds.
What is not installed is left out.  XLA's flags for one thread no longer hold it to one, so JAX is told that there is
one processor, and not to compute on a thread of its own; who still uses more is named.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

ONE_THREAD = {
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "NPROC": "1",  # JAX
}
QUIET = {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1", "JAX_PLATFORMS": "cpu", "PYTHONWARNINGS": "ignore"}

# Where each contestant is, and what has to be installed.
CONTESTANTS = {
    "ours": ("ours", "compiled", "autograd-core"),
    "JAX": ("jax_nets", "jitted", "jax"),
    "PyTorch": ("torch_nets", "eager", "torch"),
    "torch.compile": ("torch_nets", "compiled", "torch"),
    "scikit-learn": ("sklearn_nets", "partial_fit", "scikit-learn"),
    "NumPy": ("numpy_nets", "by_hand", "numpy"),
    "ours eager": ("ours", "eager", "autograd-core"),
    "products": ("products", "native", "autograd-core"),
    "np.dot": ("products", "by_numpy", "autograd-core"),
}
RATIOS = [("JAX", "ours"), ("PyTorch", "ours"), ("torch.compile", "ours"), ("ours", "products")]
COMPILING = ["ours", "JAX", "torch.compile"]
PATIENCE = 240  # seconds for one first step


def found(file: str, name: str) -> Callable[..., Any]:
    return getattr(importlib.import_module(f"nets.{file}"), name)


@contextlib.contextmanager
def limit(seconds: int) -> Iterator[None]:
    """Raises TimeoutError after a while (where the system has alarms)."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"took longer than {seconds} s")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def complain(name: str, problem: BaseException) -> None:
    text = str(problem).strip().splitlines() or [""]
    print(f"  {name} is left out: {type(problem).__name__}: {text[0][:200]}", file=sys.stderr)


# What one step costs


def started(net: Any, names: list[str]) -> dict[str, Any]:
    """The contestants that take part in this net, after their first steps, which must have given the same losses."""
    runs, losses = {}, {}
    for name in names:
        file, function, package = CONTESTANTS[name]
        try:
            with limit(PATIENCE):
                run = found(file, function)(net)
                if run is not None:
                    runs[name], losses[name] = run, [run(1) for _ in range(4)]
        except ModuleNotFoundError as problem:
            complain(name, ModuleNotFoundError(f"{problem} (pip install {package})"))
        except Exception as problem:  # a peer that fails must not end the comparison
            complain(name, problem)
            runs.pop(name, None)
    known = {name: values for name, values in losses.items() if values[0] is not None}
    for name, values in known.items():
        expected = next(iter(known.values()))
        if not all(abs(a - b) <= 1e-3 * abs(b) for a, b in zip(values, expected, strict=True)):
            raise SystemExit(f"{net.name}: the losses differ: {next(iter(known))} {expected}, {name} {values}")
    return runs


def steps_within(run: Any, seconds: float) -> int:
    """How many steps take about this long."""
    times = 1
    while True:
        start = time.perf_counter()
        run(times)
        if (taken := time.perf_counter() - start) > seconds / 4 or times > 1 << 20:
            return max(1, round(times * seconds / taken))
        times *= 2


def medians(runs: dict[str, Any], rounds: int, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds a step, and processors used, of contestants that take turns."""
    counts = {name: steps_within(run, seconds) for name, run in runs.items()}
    wall: dict[str, list[float]] = {name: [] for name in runs}
    used: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            run(1)
            start, worked = time.perf_counter(), time.process_time()
            run(counts[name])
            taken, worked = time.perf_counter() - start, time.process_time() - worked
            wall[name].append(taken / counts[name])
            used[name].append(worked / taken)
    return tuple({name: statistics.median(x) for name, x in d.items()} for d in (wall, used))


# Starting, memory, inference


def child(what: str, net: Any, **env: str) -> Any:
    """Measure something in a process of its own; None if that fails."""
    start = time.time()
    try:
        done = subprocess.run(
            [sys.executable, __file__, "--child", what, net.name],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    except subprocess.SubprocessError as problem:
        lines = (getattr(problem, "stderr", "") or str(problem)).strip().splitlines()
        complain(f"{what} of {net.name}", RuntimeError(lines[-1]))
        return None
    result = json.loads(done.stdout.splitlines()[-1])
    return {**result, "since": result.get("at", start) - start}


def in_child(what: str, net: Any) -> dict[str, float]:
    if what.startswith("peak"):
        return {"peak": found(what.split()[1], "peak")(net)}
    file, function, _ = CONTESTANTS[what]
    run = found(file, function)(net)
    if run is None:
        return {}
    start = time.perf_counter()
    run(1)
    return {"first": time.perf_counter() - start, "at": time.time()}


def starting(net: Any, names: list[str]) -> dict[str, Any]:
    """Seconds of the first step where nothing is cached; seconds from a new process to its first step where it is."""
    figures: dict[str, Any] = {}
    for name in (name for name in COMPILING if name in names):
        with tempfile.TemporaryDirectory() as folder:
            cold = child(name, net, AUTOGRAD_CORE_CACHE=folder)
            if "first" in (cold or {}):
                figures[f"{name}: first step s"] = cold["first"]
            if cold and name == "ours":
                warm = [child(name, net, AUTOGRAD_CORE_CACHE=folder) for _ in range(3)]
                figures["ours: warm start s"] = statistics.median(w["since"] for w in warm if w)
    for name in (name for name in ("ours", "PyTorch") if name in names):
        if measured := child(f"peak {CONTESTANTS[name][0]}", net):
            figures[f"{name}: peak MiB"] = measured["peak"] / 2**20
    return figures


def inference(net: Any, rounds: int, seconds: float) -> None:
    """One example through an MLP, compiled, and its matrix products."""
    net = net._replace(batch=1)
    try:
        runs = {"ours": found("ours", "inference")(net), "products": found("products", "native")(net, backward=False)}
    except Exception as problem:
        complain("inference", problem)
        return
    wall, _ = medians(runs, rounds, seconds)
    ours, products = (wall[name] * 1e6 for name in ("ours", "products"))
    print(f"\ninference of {net.name} at batch 1: {ours:.2f} us, {ours - products:.2f} more than its matrix products")


# Printing


def shown(x: Any) -> str:
    if not isinstance(x, float):
        return "-" if x is None else str(x)
    return f"{x:.0f}" if x >= 1000 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def show(title: str, header: list[str], rows: list[list[Any]], markdown: bool) -> None:
    keep = [k for k in range(len(header)) if any(row[k] is not None for row in rows)]
    lines = [[header[k] for k in keep]] + [[shown(row[k]) for k in keep] for row in rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(keep))]
    text = [[line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])] for line in lines]
    print(f"\n{title}\n")
    for number, line in enumerate(text):
        print(f"| {' | '.join(line)} |" if markdown else "  ".join(line))
        if markdown and not number:
            print("|---|" + "---:|" * (len(keep) - 1))


def compare(args: argparse.Namespace, nets: list[Any]) -> None:
    seconds = 0.05 if args.quick else 0.15
    rows, ratios, crowded = [], [], set()
    for net in nets:
        label = f"{net.name}, {net.batch}"
        print(f"{label} ...", file=sys.stderr, flush=True)
        wall, used = medians(started(net, args.contestants), args.rounds, seconds)
        if args.threads == "1":
            crowded |= {f"{name} ({used[name]:.2f} in {net.name})" for name in wall if used[name] > 1.1}
        rows.append([label, *(1e6 * wall[name] if name in wall else None for name in CONTESTANTS)])
        ratios.append([label, *(wall[a] / wall[b] if a in wall and b in wall else None for a, b in RATIOS)])
    print(f"threads: {args.threads}; medians of {args.rounds} rounds")
    if crowded:
        print(f"more than one processor was used by {', '.join(sorted(crowded))}")
    show("microseconds a step", ["net, batch", *CONTESTANTS], rows, args.markdown)
    if any(x is not None for row in ratios for x in row[1:]):
        show("ratios of times", ["net, batch", *(f"{a} / {b}" for a, b in RATIOS)], ratios, args.markdown)
    if nets[0].kind == "mlp" and "ours" in args.contestants:
        inference(nets[0], args.rounds, seconds)
    if args.quick:
        return
    print("starting ...", file=sys.stderr, flush=True)
    figures = [starting(net, args.contestants) for net in nets]
    if not any(figures):
        return
    columns = list(dict.fromkeys(column for f in figures for column in f))
    starts = [[f"{net.name}, {net.batch}", *map(f.get, columns)] for net, f in zip(nets, figures, strict=True)]
    show("starting, and peak memory of a step", ["net, batch", *columns], starts, args.markdown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", nargs="+", help="names, all by default")
    parser.add_argument("--contestants", nargs="+", default=list(CONTESTANTS), choices=list(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", choices=["1", "all"], default="1")
    parser.add_argument("--quick", action="store_true", help="short rounds, and only the cost of a step")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    env = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
    env |= QUIET | (ONE_THREAD if args.threads == "1" else {})
    if not args.child and env != dict(os.environ):
        raise SystemExit(subprocess.call([sys.executable, *sys.argv], env=env))  # libraries read it when loaded
    nets = importlib.import_module("nets").NETS
    if args.child:
        print(json.dumps(in_child(args.child[0], next(net for net in nets if net.name == args.child[1]))))
        return
    unknown = set(args.nets or []) - {net.name for net in nets}
    if unknown:
        raise SystemExit(f"no net {', '.join(unknown)}; there are {', '.join(net.name for net in nets)}")
    compare(args, [net for net in nets if not args.nets or net.name in args.nets])


if __name__ == "__main__":
    main()
