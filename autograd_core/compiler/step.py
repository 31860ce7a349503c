"""A function that is recorded when it is first called, and runs as native code from then on."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import modes
from ..dtypes import get_default_dtype
from ..graph import owner
from ..tensor import Tensor, wrap
from .binding import Binding
from .program import Argument, Gradient, Option, Value
from .recorder import Guard, Recording, record
from .report import Report
from .trees import Leaf, flatten, unflatten

__all__ = ["Compiled"]

RECORDINGS = 64
"""How many recordings a function may have before all of the signature that came first are forgotten."""


class Compiled:
    """A compiled function; :func:`autograd_core.compile` makes them.

    Calls wait for each other: it may be called from several threads.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise TypeError(f"compile: expected a function, got {type(function).__name__}")
        functools.update_wrapper(self, function)
        self.function = function
        self._runs: dict[Any, list[_Run]] = {}
        self._lock = threading.RLock()
        self._last: _Run | None = None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        last = self._last
        with self._lock:
            # Most calls are like the one before; nothing but tensors is then looked at.
            if last is not None and not kwargs:
                arrays = last.fitting(args)
                if arrays is not None and last.holds():
                    return last(arrays, args)
            return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        mode = modes.current()
        if mode.recorder is not None or mode.listener is not None or mode.watch is not None:
            return self.function(*args, **kwargs)
        leaves, structure = flatten((args, kwargs))
        arrays = [x.array if isinstance(x, Tensor) else x for x in leaves]
        kinds = [(a.shape, a.dtype, _needs(x)) for a, x in zip(arrays, leaves, strict=True)]
        signature = (structure, mode.grad, get_default_dtype(), *kinds)
        for run in self._runs.get(signature, ()):
            if run.holds():
                if run.overlaps(arrays):
                    return self.function(*args, **kwargs)
                self._last = run
                return run(_in_rows(arrays), leaves)
        recording = record(self.function, args, kwargs)
        try:
            run = _Run(recording, leaves, mode)
        finally:
            recording.restore()
        if run.overlaps(arrays):
            return self.function(*args, **kwargs)
        while sum(map(len, self._runs.values())) >= RECORDINGS:
            del self._runs[next(iter(self._runs))]
        self._runs.setdefault(signature, []).append(run)
        self._last = run
        if kwargs or len(leaves) != len(args) or any(x is not y for x, y in zip(leaves, args, strict=True)):
            run.expected = None  # not tensors alone, one after the other
        for commit in recording.commit:
            commit()
        # What recording computed is not used: this call shall give, bit for bit, what a later one would.
        return run(_in_rows(arrays), leaves)

    # What there is to see

    def _shown(self, what: str) -> _Run:
        if self._last is None:
            name = getattr(self.function, "__name__", "the function")
            raise RuntimeError(f"{what}: {name} was not called yet, and is compiled when it is; call it once")
        return self._last

    def program(self, optimized: bool = True) -> str:
        """The program of the last call, as it is compiled or as it was recorded."""
        binding = self._shown("program").binding
        return str(binding.program if optimized else binding.recorded)

    def source(self) -> str:
        """The Python text that was compiled for the last call, with the lines it comes from."""
        return self._shown("source").binding.emitted.listing

    def report(self) -> Report:
        """What became of the last call: loops and what they fused, memory, what runs in Python and why, times."""
        run = self._shown("report")
        return Report.of(run.binding, run.seconds)


def _in_rows(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The arrays, C-contiguous."""
    return [a if a.flags.c_contiguous else a.copy("C") for a in arrays]


def _needs(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


class _Run:
    """A binding with what its recording depends on.

    `expected` describes the arguments if all of them are tensors given by position: as pairs of shape and dtype.
    """

    def __init__(self, recording: Recording, leaves: Sequence[Any], mode: modes.Mode) -> None:
        begin = time.perf_counter()
        self.binding = Binding(recording.program)
        self.seconds = time.perf_counter() - begin
        self.structure, self.returned, self.cleared = recording.structure, recording.returned, recording.cleared
        self.mode, self.default = mode, get_default_dtype()
        plain = all(type(x) is Tensor and not x.requires_grad for x in leaves)
        self.expected = [(x.array.shape, x.array.dtype) for x in leaves] if plain else None
        self.facts = [g for g in recording.guards if g.versioned]
        self.options = [g for g in recording.guards if g.mappings]
        self.others = [g for g in recording.guards if not g.versioned and not g.mappings]
        mappings = [s.mapping for s in recording.program.inputs.values() if isinstance(s, Option)]
        mappings += [m for g in self.options for m in g.mappings]
        self.mappings = [(m, _snapshot(m)) for m in {id(m): m for m in mappings}.values()]
        self.version = modes.facts.version
        self.single = isinstance(self.structure, Leaf) and self.structure.tensor and type(self.returned[0]) is int
        self.gradients = [
            (target.of, wrap(self.binding.gradients[target.of].reshape(x.shape)))
            for target, x in recording.program.outputs
            if isinstance(target, Gradient) and isinstance(x, Value)
        ]

    def fitting(self, args: tuple[Any, ...]) -> list[np.ndarray] | None:
        """The arrays of these arguments if they, and the present mode, are as was recorded; in the usual case only."""
        expected, mode, written = self.expected, modes.current(), self.binding.written
        if expected is None or len(args) != len(expected) or not (mode is self.mode or mode == self.mode):
            return None
        arrays = []
        for x, (shape, dtype) in zip(args, expected):  # noqa: B905 (of equal length)
            if type(x) is not Tensor or x._requires_grad or x._base is not None:
                return None
            array = x.array
            if array.dtype is not dtype or array.shape != shape or not array.flags.c_contiguous:
                return None
            if written and id(array if array.base is None else owner(array)) in written:
                return None
            arrays.append(array)
        return arrays if self.default is get_default_dtype() else None

    def overlaps(self, arrays: Iterable[np.ndarray]) -> bool:
        """Whether an argument shares memory with a tensor that is changed: native code takes them to be apart."""
        return any(id(owner(array)) in self.binding.written for array in arrays)

    def holds(self) -> bool:
        """Whether what was recorded is still so."""
        for k, (mapping, before) in enumerate(self.mappings):
            if before is None or mapping != before:
                if not _hold(self.options):
                    return False
                self.binding.read_options()
                self.mappings[k] = mapping, _snapshot(mapping)
        if self.version != modes.facts.version:
            if not _hold(self.facts):
                return False
            self.version = modes.facts.version
        return not self.others or _hold(self.others)

    def __call__(self, arrays: Sequence[np.ndarray], leaves: Sequence[Any]) -> Any:
        """Run on these arguments, C-contiguous arrays and what they came in."""
        results = self.binding.run(arrays)
        for of, gradient in self.gradients:
            if not isinstance(of, Tensor):
                leaves[of].accumulate_grad(gradient.array)
            elif of._grad is not gradient:
                of._grad = gradient
        for of in self.cleared:
            (of if isinstance(of, Tensor) else leaves[of])._grad = None
        if self.single:
            return wrap(results[0])
        return unflatten(self.structure, [self._one(x, results, leaves) for x in self.returned])

    def _one(self, x: Any, results: list[Any], leaves: Sequence[Any]) -> Any:
        if isinstance(x, Argument):
            return leaves[x.position]
        return x if isinstance(x, Tensor) else wrap(np.asarray(results[x]))


def _hold(guards: Iterable[Guard]) -> bool:
    return all(g.read() == g.value for g in guards)


def _snapshot(mapping: Any) -> dict[str, Any] | None:
    """What a mapping of options is compared with later; None if that would not show all that can change."""
    taken = {name: list(x) if isinstance(x, list) and name != "params" else x for name, x in mapping.items()}
    options = [x for name, x in taken.items() if name != "params"]
    numbers = [x for option in options for x in (option if isinstance(option, (tuple, list)) else (option,))]
    # A tensor may get another value and stay the same object.
    return None if any(isinstance(x, (Tensor, np.ndarray)) for x in numbers) else taken
