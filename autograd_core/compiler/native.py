"""Native code for a source: out of the cache, or compiled."""

from __future__ import annotations

import hashlib
import importlib
import json
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import cache
from .loader import Entry, load

__all__ = ["Native", "compiled"]


class Native(NamedTuple):
    """A native function, and where it comes from.

    `seconds` is how long it took to compile, even if that was in another process: then it is `cached`.  `size` is that
    of its object code.
    """

    entry: Entry
    seconds: float
    cached: bool
    size: int
    key: str


_WORDS = (
    "address_of", "bits", "from_bits", "function", "gemm", "kernel", "maximum", "minimum", "number", "plus",
)  # fmt: skip

_compiled: dict[str, Native] = {}
_lock = threading.Lock()


def compiled(source: str, names: Sequence[str], entry: str = "step") -> Native:
    """The native function of a source, compiled only if neither this process nor the cache has it.

    Parameters
    ----------
    source : Python text with a function `entry` of a table of int64 that returns an int64.  It may use all of
        `autograd_core.kernels.jit`, and ``to_float32(address)`` etc., which give pointers
    names : kernels and functions that it uses: "indexing.gather" is written ``indexing_gather`` in it, or ``gather``
        where no other has that name

    Raises
    ------
    ImportError
        If Numba is not installed.
    """
    try:
        asked = {"source": source, "names": list(names), "entry": entry, "environment": cache.environment()}
    except ImportError as error:
        raise ImportError(
            f"autograd_core.compile: compiling needs Numba, and {error.name} is not there: pip install numba. "
            "Without the decorator the same function runs as it is",
            name="numba",
        ) from error
    key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    with _lock:  # of two threads with the same step the second finds it
        if key not in _compiled:
            _compiled[key] = _native(key, asked)
        return _compiled[key]


def _native(key: str, asked: dict[str, Any]) -> Native:
    store = cache.current()
    step = store.load(key, asked) if store else None
    if store and step:
        try:
            return Native(_linked(step), step.seconds, True, len(step.code), key)
        except (ValueError, LookupError) as error:
            store.discard(key, str(error))
    step = _build(asked)
    native = Native(_linked(step), step.seconds, False, len(step.code), key)
    if store:
        store.save(key, asked, step)
    return native


def _linked(step: cache.Step) -> Entry:
    try:
        return load(step.code, step.symbol, step.needed)
    except LookupError:
        importlib.import_module("autograd_core.kernels.jit")  # Numba brings functions of its own into the process
        return load(step.code, step.symbol, step.needed)


def _build(asked: dict[str, Any]) -> cache.Step:
    start = time.perf_counter()
    from ..kernels import jit

    words = {f"to_{dtype}": pointer for dtype, pointer in jit.pointers().items()}
    words |= {word: getattr(jit, word) for word in _WORDS}
    for name in asked["names"]:
        module, _, function = name.partition(".")
        found = getattr(importlib.import_module(f"autograd_core.kernels.{module}"), function)
        words[f"{module}_{function}"] = found
        words.setdefault(function, found)
    code, symbol, needed = jit.build(asked["source"], words, asked["entry"])
    return cache.Step(code, symbol, needed, time.perf_counter() - start)
