"""A function with its arguments and parameters in float64, whatever they are in, for as long as it is looked at."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd_core import Tensor, modes, no_grad
from autograd_core.dtypes import float64, is_floating

__all__ = ["Named", "Run", "Shadow", "shadow", "values_of"]

Run = Callable[[], list[Any]]
"""A function of nothing that gives its outputs, for the present contents of the tensors it depends on."""

Named = list[tuple[str, Tensor]]


class Shadow(NamedTuple):
    """What is run, and what it depends on."""

    run: Run
    leaves: Named
    """Copies of the floating arguments, then the parameters; all require a gradient."""
    others: list[tuple[str, np.ndarray]]
    """The arrays among the arguments that are not floating."""

    def arrays(self) -> list[tuple[str, np.ndarray]]:
        """All arrays that it depends on."""
        return [*((name, p.array) for name, p in self.leaves), *self.others]


@contextlib.contextmanager
def shadow(fn: Callable[..., Any], args: list[Any], kwargs: Mapping[str, Any], module: Any) -> Iterator[Shadow]:
    """Floating arguments become float64 copies; parameters and buffers become float64, and are put back at the end."""
    leaves: Named = []
    others: list[tuple[str, np.ndarray]] = []
    given = [_doubled(x, f"inputs[{i}]", leaves, others) for i, x in enumerate(args)]
    options = {name: _doubled(x, name, leaves, others) for name, x in kwargs.items()}
    with _parameters_in_float64(_owner(fn) if module is None else module) as parameters:
        yield Shadow(lambda: list(_floating(fn(*given, **options))), leaves + parameters, others)


def values_of(run: Run) -> list[np.ndarray]:
    """The outputs as new arrays."""
    with no_grad(), np.errstate(all="ignore"):
        return [np.array(o.array if isinstance(o, Tensor) else o) for o in run()]


def _doubled(tree: Any, path: str, leaves: Named, others: list[tuple[str, np.ndarray]]) -> Any:
    """Nested containers around float64 copies of what is floating in them; these are added to `leaves`."""
    if isinstance(tree, dict):
        result = copy.copy(tree)
        result.update({key: _doubled(x, f"{path}[{key!r}]", leaves, others) for key, x in tree.items()})
        return result
    if isinstance(tree, (list, tuple)):
        parts = [_doubled(x, f"{path}[{i}]", leaves, others) for i, x in enumerate(tree)]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    if not isinstance(tree, (Tensor, np.ndarray)):
        return tree
    array = tree.array if isinstance(tree, Tensor) else tree
    if not is_floating(array.dtype):
        others.append((path, array))
        return tree
    leaf = Tensor(array.astype(float64), requires_grad=True)
    leaves.append((getattr(tree, "name", None) or path, leaf))
    return leaf


def _owner(fn: Any) -> Any:
    """The module whose parameters a callable works with, if it is a module, or a method or partial call of one."""
    while not hasattr(fn, "named_parameters"):
        inner = getattr(fn, "__self__", None) or getattr(fn, "func", None)
        if inner is None or inner is fn:
            return None
        fn = inner
    return fn


@contextlib.contextmanager
def _parameters_in_float64(module: Any) -> Iterator[Named]:
    """The parameters of a module that require a gradient.

    Afterwards every attribute of it and of the modules in it is what it was, and every array of theirs the same one.
    """
    parameters = list(module.named_parameters()) if module is not None else []
    buffers = list(module.named_buffers()) if hasattr(module, "named_buffers") else []
    inside = list(module.modules()) if hasattr(module, "modules") else []
    attributes = [(vars(m), dict(vars(m))) for m in inside]
    kept = [(tensor, tensor.array) for _, tensor in parameters + buffers]
    modes.facts.version += 1  # a compiled function looks again at what it uses
    try:
        for tensor, array in kept:
            tensor.array = array.astype(float64 if is_floating(array.dtype) else array.dtype)
        yield [(name, p) for name, p in parameters if p.requires_grad]
    finally:
        for now, before in attributes:
            now.clear()
            now.update(before)
        for tensor, array in kept:
            tensor.array = array
        modes.facts.version += 1


def _floating(output: Any) -> Iterator[Any]:
    """All floating tensors, arrays and numbers in what a function returned."""
    if isinstance(output, (list, tuple, Mapping)):
        for part in output.values() if isinstance(output, Mapping) else output:
            yield from _floating(part)
    elif isinstance(output, (Tensor, np.ndarray, float, np.floating)):
        output = output if isinstance(output, Tensor) else np.asarray(output)
        if output.dtype.kind in "fc":  # complex numbers come of complex steps
            yield output
