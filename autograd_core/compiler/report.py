"""What became of a recording: for people who want to know why a step is as fast as it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from .fusion import Nest
from .nodes import Host, Native, Product

__all__ = ["Report"]


@dataclass(frozen=True)
class Report:
    """Printed, it is text to read.

    Attributes
    ----------
    instructions : how many were recorded, and how many were left by the passes
    loops : for each kernel of fused operations: its name, how often it is called, and the operations in one call
    products : calls of matrix products
    kernels : calls of other kernels, by name
    in_python : what runs in Python between native segments: (operation, line, reason)
    segments : native segments
    workspace : bytes of memory for what is computed, gradients included
    gradients : bytes of those
    cached : whether the native code came from disk
    compile_seconds : what compiling took; of a cached step, when it was compiled
    ready_seconds : what it took from the recording to a function that can be called
    """

    instructions: tuple[int, int]
    loops: list[tuple[str, int, list[str]]]
    products: int
    kernels: dict[str, int]
    in_python: list[tuple[str, str, str]]
    segments: int
    workspace: int
    gradients: int
    cached: bool
    compile_seconds: float
    ready_seconds: float

    @classmethod
    def of(cls, binding: Any, seconds: float) -> Report:
        """The report of a binding."""
        calls = list(binding.emitted.at.values())
        nests = {c.kernel: c.step for c in calls if isinstance(c.step, Nest)}
        count = Counter(c.kernel for c in calls)
        steps = binding.plan.steps
        return cls(
            instructions=(len(binding.recorded.instructions), len(binding.program.instructions)),
            loops=[(name, count[name], [p.op.name for p in nest.placed]) for name, nest in nests.items()],
            products=sum(isinstance(c.step, Product) for c in calls),
            kernels=dict(Counter(c.kernel for c in calls if isinstance(c.step, Native))),
            in_python=[(s.instruction.name, s.line, s.reason) for s in steps if isinstance(s, Host)],
            segments=sum(not isinstance(s, Host) for s in binding.emitted.segments),
            workspace=binding.emitted.workspace,
            gradients=sum(b.bytes for b in binding.plan.gradients.values()),
            cached=binding.code.cached,
            compile_seconds=binding.code.seconds,
            ready_seconds=seconds,
        )

    def __str__(self) -> str:
        lines = [
            f"{self.instructions[0]} instructions recorded, {self.instructions[1]} after the passes",
            f"{sum(n for _, n, _ in self.loops)} calls of {len(self.loops)} fused loops, {self.products} matrix "
            f"products, {sum(self.kernels.values())} other kernels, in {self.segments} native segments",
        ]
        for name, calls, operations in self.loops:
            shown = ", ".join(operations[:12]) + (f", ... ({len(operations)} in all)" if len(operations) > 12 else "")
            lines.append(f"    {name} x {calls}: {shown}")
        lines += [f"    {name} x {calls}" for name, calls in self.kernels.items()]
        lines += [f"in Python: {name} ({line}): {reason}" for name, line, reason in self.in_python]
        lines.append(f"workspace {self.workspace:,} bytes, of which gradients {self.gradients:,}")
        origin = "from the cache; compiled once in" if self.cached else "compiled in"
        lines.append(f"native code {origin} {self.compile_seconds:.2f} s; ready after {self.ready_seconds:.2f} s")
        return "\n".join(lines)
