"""What the doctor looks for in activations: by the slope of what is applied to each element, whatever it is called."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd_core import Tensor, enable_grad, grad
from autograd_core.primitive import REGISTRY

from .findings import Finding
from .run import Examination, Operation, Run, features, meets_weights, place, tensors_in

__all__ = ["Activation", "activations", "dead_units", "saturated"]

CHANCE = 3.0
"""Standard deviations.  A unit that starts symmetric is negative for a whole batch of similar examples with probability
1/2 at most (and deep down all examples are similar).  So half of the units may be dead by chance, give or take
``sqrt(1/4 / units)``; a fault is what exceeds that by three of them, or a layer that is dead altogether."""

FLAT = 1 - 0.97**2
"""Of the slope at 0.  A tanh beyond ±0.97 has less than that, 6 %; so has a sigmoid, which is
``(1 + tanh(x / 2)) / 2``."""

FLAT_SHARE = 0.5
"""Of a layer's values.  Standard normal inputs make 4 % of a tanh's values flat (2e-5 of a sigmoid's), inputs of
standard deviation 3 half of them: what Glorot & Bengio (2010, figure 2) saw in the layers that did not learn."""

FAR = 100.0
"""What is flat at this and at its negative is flat on both sides, as sigmoid, tanh, hardtanh and softsign are."""


class Activation(NamedTuple):
    """A function of one variable that the model applies to each element of a tensor, in one operation or several."""

    source: Tensor
    operations: list[Operation]
    result: Tensor

    @property
    def last(self) -> Operation:
        """The operation that gave the result."""
        return next(o for o in self.operations if o.out is self.result)

    def slopes(self, at: np.ndarray) -> np.ndarray:
        """The derivative of each element of the result by its own of the source, if that were `at`."""
        source = Tensor(at, requires_grad=True)
        now: dict[int, Any] = {id(self.source.array): source}

        def given(x: Any) -> Any:
            if not isinstance(x, Tensor):
                return x
            y = now.get(id(x.array), x)
            return y if x.requires_grad else y.detach()

        with np.errstate(all="ignore"), enable_grad():
            for operation in self.operations:
                args = [given(x) for x in operation.args]
                now[id(operation.out.array)] = REGISTRY[operation.name](*args, **operation.params)
            (found,) = grad(now[id(self.result.array)].sum(), [source], allow_unused=True)
        return np.zeros_like(at) if found is None else np.asarray(found.array)

    def slope(self, at: float) -> float:
        """The size of the slope, if all of the source were `at`."""
        return float(np.abs(self.slopes(np.full_like(self.source.array, at))).max())


def activations(run: Run) -> list[Activation]:
    """All there are in the model, in order: as long as possible, and not mixed with parameters or other tensors."""
    chains: dict[int, tuple[Tensor, list[Operation]]] = {}  # by the id of the array of each tensor in them
    inner: set[int] = set()  # what is nothing but a step within its chain
    used: set[int] = set()
    for operation in run.operations[: run.boundary]:
        chain = _continued(operation, chains)
        for x in operation.args:
            if isinstance(x, Tensor):
                (used if chain is None else inner).add(id(x.array))
        if chain is not None:
            chain[1].append(operation)
            chains[id(chain[0].array)] = chains[id(operation.out.array)] = chain
    return [
        Activation(source, operations, o.out)
        for source, operations in {id(chain[1]): chain for chain in chains.values()}.values()
        for o in operations
        if o.out.requires_grad and (id(o.out.array) not in inner or id(o.out.array) in used)
    ]


def _continued(
    operation: Operation, chains: dict[int, tuple[Tensor, list[Operation]]]
) -> tuple[Tensor, list[Operation]] | None:
    """The chain that an operation carries on, or starts; None if it is no function of one variable."""
    if not operation.primitive.elementwise or operation.name not in REGISTRY or not isinstance(operation.out, Tensor):
        return None
    found: dict[int, tuple[Tensor, list[Operation]]] = {}
    for x in operation.args:
        array = x.array if isinstance(x, Tensor) else np.asarray(x)
        if isinstance(x, Tensor) and id(array) in chains:
            found[id(chains[id(array)][1])] = chains[id(array)]
        elif isinstance(x, Tensor) and x.requires_grad and x.node is not None:
            found[id(x)] = (x, [])
        elif (isinstance(x, Tensor) and x.requires_grad) or not (array.size and (array == array.flat[0]).all()):
            return None  # a parameter, or something else that differs from element to element
    (chain,) = found.values() if len(found) == 1 else (None,)
    return chain if chain is not None and operation.out.shape == chain[0].shape else None


def _groups(e: Examination, run: Run) -> Iterator[tuple[str, str, list[Activation]]]:
    """Place and name of activations, those of one module and line together (a loop's steps are many)."""
    groups: dict[tuple[str, str, str], list[Activation]] = {}
    for found in activations(run):
        if found.source.ndim >= 2 and found.source.array.size:
            name = _name(found)
            groups.setdefault((place(e, found.last), name, found.last.line), []).append(found)
    for (where, name, _), members in groups.items():
        yield where, name, members


def _name(found: Activation) -> str:
    """What a person calls it: the operation; of several the layer, if they are one."""
    layer = found.last.modules[-1] if found.last.modules else None
    whole = len(found.operations) > 1 and layer is not None and next(layer.children(), None) is None
    return type(layer).__name__ if whole else found.last.name


def _unit_axis(makers: dict[int, Operation], x: Tensor) -> int:
    """Which dimension counts the units: as after the last weights that were met."""
    found = makers.get(id(x))
    while found is not None and not meets_weights(found.primitive):
        found = makers.get(id(next((a for a in found.args if isinstance(a, Tensor)), None)))
    return x.ndim - 1 if found is None or found.out.ndim != x.ndim else features(found)


def dead_units(e: Examination, run: Run, sure: bool) -> Iterator[Finding]:
    makers = {id(t): o for o in run.operations for t in tensors_in(o.out)}
    results = {id(t) for t in tensors_in(run.outputs)} if sure else set()
    for where, name, members in _groups(e, run):
        first = members[0].source
        axis = _unit_axis(makers, first)
        others = tuple(i for i in range(first.ndim) if i != axis)
        units = first.shape[axis]
        same = [m for m in members if id(m.result) not in results]
        same = [m for m in same if m.source.ndim == first.ndim and m.source.shape[axis] == units]
        alive = np.zeros(units, bool)
        for member in same:
            alive |= (member.slopes(member.source.array) != 0).any(others)
        dead = units - int(alive.sum())
        many = dead == units or dead / units > 0.5 + CHANCE * math.sqrt(0.25 / units)
        if same and many and any(same[0].slope(at) for at in (0.0, 1.0, -1.0, FAR, -FAR)):  # they are alive elsewhere
            seen = first.array.size // units * len(same)
            evidence = f"{dead} of {units} units have slope 0 at all {seen:,} places of the batch ({name})"
            numbers = {"dead": dead, "units": units, "share": dead / units, "places": seen}
            yield Finding("D01-dead-unit", where, evidence, numbers, members[0].last.line)


def saturated(e: Examination, run: Run) -> Iterator[Finding]:
    results = {id(t) for t in tensors_in(run.outputs)}
    for where, name, members in _groups(e, run):
        members = [m for m in members if id(m.result) not in results]
        if not members or not (steep := _steepness(members[0])):
            continue
        slopes = np.concatenate([m.slopes(m.source.array).ravel() for m in members])
        flat = float(np.mean(np.abs(slopes) < FLAT * steep))
        if flat > FLAT_SHARE:
            evidence = f"{flat:.0%} of the {slopes.size:,} values are where {name} is flat"
            yield Finding(
                "D02-saturated", where, evidence, {"share": flat, "values": slopes.size}, members[0].last.line
            )


def _steepness(function: Activation) -> float:
    """The slope at 0 of what is flat on both sides; 0 of anything else."""
    middle = function.slope(0.0)
    return middle if max(function.slope(FAR), function.slope(-FAR)) < FLAT * middle else 0.0
