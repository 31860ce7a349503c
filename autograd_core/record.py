"""Recording what every operation saw, for pictures and step-throughs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from . import modes
from .primitive import Primitive
from .traced import TracingError, caller

__all__ = ["Trace", "inside", "record"]

_modules: ContextVar[tuple[Any, ...]] = ContextVar("autograd_core.modules", default=())


class Trace(NamedTuple):
    """What one application of a primitive saw and gave."""

    primitive: Primitive
    inputs: tuple[Any, ...]
    """The arguments as given: tensors, arrays and numbers."""
    value: np.ndarray
    """The output: a copy, which an in-place change of the tensor does not reach."""
    line: str
    """``file:line`` of the code that asked for it."""
    modules: tuple[Any, ...] = ()
    """The modules it was applied in, the outermost first."""


@contextlib.contextmanager
def inside(module: Any) -> Iterator[None]:
    """Note that operations are applied in a module."""
    token = _modules.set((*_modules.get(), module))
    try:
        yield
    finally:
        _modules.reset(token)


def _note(primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any], out: Any) -> None:
    line = caller()
    for result in out if isinstance(out, tuple) else (out,):
        if result.node is not None:
            trace = Trace(primitive, args, result.array.copy(), line, _modules.get())
            result.node.trace, result.node.line = trace, line
            if isinstance(out, tuple):  # the node of one output; what it picks from is kept too
                result.node.parents[0].trace, result.node.parents[0].line = trace, line


@contextlib.contextmanager
def record() -> Iterator[None]:
    """Context in which every node of the graph keeps its value, its inputs and its source line.

    Pictures then show all values and gradients, also after ``backward()``: what is recorded is not released until the
    graph itself goes.  It costs memory, and some time for each operation.

    Examples
    --------
    >>> import autograd_core as ag
    >>> x = ag.tensor(2.0, requires_grad=True, name="x")
    >>> with ag.record():
    ...     y = x * x
    >>> y.node.trace.value
    array(4., dtype=float32)
    """
    if modes.recorder() is not None:
        raise TracingError("record: a compiled function is recorded as a program and has no pictures; use it outside")
    before = modes.current().listener

    def listen(*application: Any) -> None:
        if before is not None:
            before(*application)
        _note(*application)

    with modes.change(listener=listen):
        yield
