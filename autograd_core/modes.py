"""What the engine does while it runs: build the graph or not, and who listens.

The modes live in one context variable, so threads and tasks do not see each other's, and every change is undone in
``finally``.  The variable holds an immutable :class:`Mode`, which an operation reads once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

__all__ = ["enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"]


class Mode(NamedTuple):
    """The state an operation runs under."""

    grad: bool = True
    """Whether results are linked to what made them."""
    listener: Callable[..., None] | None = None
    """Called as ``listener(primitive, args, params, out)`` after every operation on tensors."""
    watch: Any = None
    """What checks backward passes (see `anomaly`)."""
    recorder: Any = None
    """What records a program (see `compiler.recorder`)."""


_mode: ContextVar[Mode] = ContextVar("autograd_core.mode", default=Mode())  # noqa: B039 (immutable)
current = _mode.get

recorders: list[Any] = []
"""All recorders at work, in whatever thread: while there is none, nobody need ask for that of the context."""


def recorder() -> Any:
    """What records a program in this context, or None."""
    return current().recorder if recorders else None


class Facts:
    """Counts the changes of what recorded programs may depend on, such as whether a module is in training mode."""

    version = 0


facts = Facts()


@contextlib.contextmanager
def change(**fields: Any) -> Iterator[None]:
    """Run a block under the present mode with some fields replaced."""
    token = _mode.set(current()._replace(**fields))
    try:
        yield
    finally:
        _mode.reset(token)


def no_grad() -> contextlib._GeneratorContextManager[None]:
    """Context (and decorator) in which results are not linked to their inputs: nothing is saved for a backward pass.

    Examples
    --------
    >>> import autograd_core as ag
    >>> x = ag.tensor(2.0, requires_grad=True)
    >>> with ag.no_grad():
    ...     (x * x).requires_grad
    False
    """
    return change(grad=False)


def enable_grad() -> contextlib._GeneratorContextManager[None]:
    """Context (and decorator) that switches recording on again inside :func:`no_grad`."""
    return change(grad=True)


def set_grad_enabled(mode: bool) -> contextlib._GeneratorContextManager[None]:
    """Context (and decorator) that switches recording on or off by a value."""
    return change(grad=bool(mode))


def is_grad_enabled() -> bool:
    """Whether operations are recorded for a backward pass right now."""
    return current().grad
