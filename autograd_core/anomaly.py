"""Where did the NaN come from?  And who changed what was saved?

Under :func:`detect_anomaly` every operation is watched.  An operation that makes a non-finite value out of finite ones
is remembered, with its line and its inputs; what non-finite values flow into is remembered with them.  When a
non-finite result is differentiated, or when the block ends with a scalar that is not finite, that story is told, from
the first such operation to the result.  A value that is masked out on the way harms nobody and is not mentioned.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from . import modes
from .graph import Node, caller, changes
from .primitive import Primitive
from .tensor import Tensor
from .traced import TracingError, place

__all__ = ["AnomalyError", "detect_anomaly"]


class AnomalyError(RuntimeError):
    """A non-finite value, or a saved value that was changed; the message says where it came from."""


class _Event(NamedTuple):
    """A non-finite result: what made it, and which earlier non-finite value it came from, if it did."""

    what: str
    line: str
    source: _Event | None
    tensor: Tensor  # kept, so that its id stays its own


class _Saved(NamedTuple):
    """What a node saved, as it was."""

    node: Node
    line: str
    sums: list[int | None]


def _checksum(value: Any) -> int | None:
    return zlib.crc32(np.ascontiguousarray(value).tobytes()) if isinstance(value, np.ndarray) else None


def _first(array: np.ndarray) -> tuple[int, ...]:
    """The index of the first element that is not finite."""
    return tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.array if isinstance(value, Tensor) else value)


def _finite(array: np.ndarray) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _described(value: Any, index: tuple[int, ...], primitive: Primitive, shape: tuple[int, ...]) -> str:
    """An input of an operation at the place of the trouble."""
    array = _array(value)
    label = (value.name if isinstance(value, Tensor) else None) or "an input"
    if primitive.elementwise and array.ndim:
        return f"{label} there is {np.broadcast_to(array, shape)[index]:.6g}"
    if array.size == 1:
        return f"{label} is {array.item():.6g}"
    if array.size == 0 or array.dtype.kind not in "fiu":
        return f"{label} has shape {array.shape}"
    return f"{label} of shape {array.shape} is in [{array.min():.6g}, {array.max():.6g}]"


class _Watch:
    """Listens to every operation of a block, and to every backward pass."""

    def __init__(self, before: Any) -> None:
        self.before = before  # the listener that was there
        self.events: dict[int, _Event] = {}
        self.saved: dict[int, _Saved] = {}
        self.latest = "the start"
        self.last_bad: _Event | None = None

    # Forward

    def listen(self, primitive: Primitive, args: Any, params: dict[str, Any], out: Any) -> None:
        if self.before is not None:
            self.before(primitive, args, params, out)
        line = caller()
        self.check_saved(line)
        self.latest = f"{primitive.name} ({place(line)})"
        for result in out if isinstance(out, tuple) else (out,):
            if result.node is not None:
                result.node.line = line
                self.saved[result.node.number] = _Saved(result.node, line, [_checksum(v) for v in result.node.saved])
            self.judge(primitive, args, line, result)

    def judge(self, primitive: Primitive, args: Any, line: str, result: Tensor) -> None:
        """Remember a non-finite result."""
        if _finite(result.array):
            if result.ndim == 0:
                self.last_bad = None
            return
        source = next((self.events[id(a)] for a in args if id(a) in self.events), None)
        index = _first(result.array)
        value = result.array[index]
        inputs = "; ".join(_described(a, index, primitive, result.shape) for a in args)
        outside = next((a for a in args if not _finite(_array(a))), None) if source is None else None
        if source is not None:
            what = f"{primitive.name} gave {value} at index {list(index)}"
        elif outside is not None:
            name = getattr(outside, "name", None) or "a tensor"
            what = f"{primitive.name} was given {name} that holds {_array(outside)[_first(_array(outside))]} already"
        else:
            what = f"{primitive.name} made {value} at index {list(index)} out of finite values: {inputs}"
        event = self.events[id(result)] = _Event(what, line, source, result)
        if result.ndim == 0:
            self.last_bad = event

    # Backward

    def check_roots(self, outputs: list[Any]) -> None:
        """Raise if a result to be differentiated is not finite."""
        for output in outputs:
            if isinstance(output, Tensor) and not _finite(output.array):
                self.tell("backward: the result is not finite", self.events.get(id(output)))

    def tell(self, headline: str, event: _Event | None) -> None:
        self.last_bad = None
        steps = []
        while event is not None:
            steps.append(f"  {place(event.line)}: {event.what}")
            event = event.source
        story = "\n".join(reversed(steps)) or "  it was computed outside detect_anomaly(), or given so"
        raise AnomalyError(f"{headline}; where it came from, first things first:\n{story}")

    def check_saved(self, line: str) -> None:
        """Raise if something changed what a node saved, without the engine's knowledge."""
        for number, saved in list(self.saved.items()):
            if saved.node.saved is None:
                del self.saved[number]
                continue
            self.compare(saved, f"between {self.latest} and {place(line)}")

    def compare(self, saved: _Saved, when: str) -> None:
        for value, before in zip(saved.node.saved, saved.sums, strict=True):
            if before is None or changes.since(saved.node, value):  # what the engine knows of, backward() tells
                continue
            if _checksum(value) != before:
                raise AnomalyError(
                    f"{saved.node.name} ({place(saved.line)}) saved a value of shape {value.shape} for its gradient, "
                    f"and it was changed {when}; change a copy, or run backward() first"
                )

    def visit(self, node: Node, g: Any, sent: list[tuple[Any, Any]]) -> None:
        """Raise where a finite gradient gave a non-finite one."""
        saved = self.saved.get(node.number)
        if saved is not None and node.saved is not None:
            self.compare(saved, f"after {self.latest}")
        came_in = g if isinstance(g, tuple) else (g,)
        if not all(_finite(_array(part)) for part in came_in if part is not None):
            return
        for _, c in sent:
            array = _array(c)
            if not _finite(array):
                index = _first(array)
                line = place(getattr(node, "line", "a line outside detect_anomaly()"))
                raise AnomalyError(
                    f"backward: the gradient of {node.name} ({line}) is {array[index]} at index {list(index)}, "
                    f"though what came back to it is finite"
                )


@contextlib.contextmanager
def detect_anomaly() -> Iterator[None]:
    """Context in which a NaN or an infinity is traced to the operation that made it; slow, for finding mistakes.

    Raises
    ------
    AnomalyError
        When a result that is not finite is differentiated, or is the last scalar computed when the block ends; when
        a finite gradient becomes non-finite in an operation's backward; and when a value that was saved for the
        backward pass is changed through NumPy (found at the next operation).  The message names operations, lines,
        indices and values.

    Examples
    --------
    >>> import autograd_core as ag
    >>> x = ag.tensor([1.0, 0.0], requires_grad=True, name="x")
    >>> try:
    ...     with ag.detect_anomaly():
    ...         (ag.log(x) * 2).sum().backward()
    ... except ag.AnomalyError as error:
    ...     print(str(error).split(": ", 2)[2].splitlines()[0])
    log made -inf at index [1] out of finite values: x there is 0
    """
    if modes.recorder() is not None:
        raise TracingError("detect_anomaly: not in a compiled function; put it around the call, which is eager then")
    watch = _Watch(modes.current().listener)
    with modes.change(listener=watch.listen, watch=watch):
        yield
        watch.check_saved("the end of the block")
        if watch.last_bad is not None:
            watch.tell("the last scalar that was computed is not finite", watch.last_bad)
