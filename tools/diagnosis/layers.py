"""What the doctor looks for in layers, gradients and updates.

Every threshold is one that healthy networks stay clear of for a reason, which is given with it.  None needs to know
what kind of network it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_core import Tensor

from .findings import Finding
from .run import WEIGHTED, Examination, Operation, Run, tensors_in

__all__ = [
    "dead_relus",
    "exploding",
    "foreign_parameters",
    "non_finite",
    "not_in_optimizer",
    "saturated",
    "unreached",
    "update_ratios",
    "updates",
    "vanishing",
]

CHANCE = 3.0
"""Standard deviations.  A unit that starts symmetric is negative for a whole batch of similar examples with probability
1/2 at most (and deep down all examples are similar).  So half of the units may be dead by chance, give or take
``sqrt(1/4 / units)``; a fault is what exceeds that by three of them, or a layer that is dead altogether."""

FLAT = 0.97
"""A tanh beyond ±0.97 has less than 6 % of its slope; the same for a sigmoid, which is ``(1 + tanh(x / 2)) / 2``."""

FLAT_SHARE = 0.5
"""Of a layer's values.  Standard normal inputs make 4 % of a tanh's values flat (2e-5 of a sigmoid's), inputs of
standard deviation 3 half of them: what Glorot & Bengio (2010, figure 2) saw in the layers that did not learn."""

VANISHED = 1e-4
"""Of the input's scale forward; backward of the largest ``|weight| |gradient|`` among the layers.  By Euler's
theorem ``<weight, gradient>`` is the same for all layers of a network that is homogeneous in each, as ReLU networks are
but for their biases; the initialisations of Glorot & Bengio (2010, eq. 12) and He et al. (2015, eq. 14) aim at that.
Ten layers of sigmoids, each with a slope of at most 1/4, come to 1e-6."""

EXPLODED = 1e3
"""Times the input's scale forward, or what comes in at the outputs backward.  He et al. (2015) keep both constant; with
weights twice too large ten layers come to 2**10."""

BAND = 1e-4, 1e-2
"""|update| / |weight|: "somewhere around 1e-3", Stanford's CS231n, "Ratio of weights:updates"; a decade to both sides.
A network trains well outside of it too (a step of Adam from small weights), so only a step out of the band *and* with
bad consequences, measured, is a finding."""

RISE = 0.3
"""The share of the loss (or of the loss of guessing, if that is more) by which a step that is too large raises it on
the same batch.  Momentum that was gathered on other batches raises it by up to half of that."""

GAIN = 0.002
"""The share of the loss (or of the loss of guessing, if that is more) that a step at the upper end of the band must
win, for one below the lower end to be called too small.  In a network that has converged no step wins anything."""


# Activations


def _place(e: Examination, operation: Operation) -> str:
    """The path of the module that an operation was applied in."""
    path = e.paths.get(id(operation.modules[-1]), "") if operation.modules else ""
    return path or "model"


def _groups(e: Examination, run: Run, names: tuple[str, ...]) -> Iterator[tuple[str, str, list[Operation]]]:
    """The operations of the model with these names, those of one module and line together (a loop's steps are many)."""
    groups: dict[tuple[str, str, str], list[Operation]] = {}
    for operation in run.operations[: run.boundary]:
        if operation.name in names:
            groups.setdefault((_place(e, operation), operation.name, operation.line), []).append(operation)
    for (place, name, _), found in groups.items():
        yield place, name, found


def _unit_axis(run: Run, operation: Operation) -> int:
    """Which axis counts the units: 1 after a convolution, the last after a product."""
    makers = {id(t): o for o in run.operations for t in tensors_in(o.out)}
    found: Operation | None = operation
    while found is not None and found.name not in WEIGHTED:
        found = makers.get(id(next((a for a in found.args if isinstance(a, Tensor)), None)))
    conv = found.name == "conv" if found is not None else operation.out.ndim >= 4
    return 1 if conv else operation.out.ndim - 1


def dead_relus(e: Examination, run: Run) -> Iterator[Finding]:
    for place, _, found in _groups(e, run, ("relu",)):
        first = found[0].out
        if first.ndim < 2 or not first.array.size:
            continue
        axis = _unit_axis(run, found[0])
        others = tuple(i for i in range(first.ndim) if i != axis)
        units = first.shape[axis]
        alive = np.zeros(units, bool)
        for operation in found:
            if operation.out.ndim == first.ndim and operation.out.shape[axis] == units:
                alive |= (operation.out.array > 0).any(others)
        dead = units - int(alive.sum())
        if dead == units or dead / units > 0.5 + CHANCE * math.sqrt(0.25 / units):
            seen = first.array.size // units * len(found)
            evidence = f"{dead} of {units} units give 0 at all {seen} places of the batch"
            numbers = {"dead": dead, "units": units, "share": dead / units, "places": seen}
            yield Finding("D01-dead-relu", place, evidence, numbers, found[0].line)


def saturated(e: Examination, run: Run) -> Iterator[Finding]:
    results = {id(t) for t in tensors_in(run.outputs)}
    # Inside SiLU, GELU and their kin a sigmoid is a gate, which is meant to be open or shut.
    gates = {id(a) for o in run.operations if o.name == "gated" for a in o.args}
    for place, name, found in _groups(e, run, ("sigmoid", "tanh")):
        arrays = [o.out.array for o in found if id(o.out) not in results | gates and o.out.array.size]
        if not arrays:
            continue
        values = np.concatenate([a.ravel() for a in arrays])
        flat = float(np.mean(np.abs(values if name == "tanh" else 2 * values - 1) > FLAT))
        if flat > FLAT_SHARE:
            evidence = f"{flat:.0%} of the {values.size:,} values of {name} are where it is flat"
            yield Finding("D02-saturated", place, evidence, {"share": flat, "values": values.size}, found[0].line)


# Gradients


def _norm(array: Any) -> float:
    return float(np.linalg.norm(np.asarray(array, np.float64)))


def _sensitivities(e: Examination, gradients: dict[str, np.ndarray | None]) -> dict[str, float]:
    """``|weight| |gradient|`` of everything with at least two dimensions: biases and norms may have their own scale."""
    return {
        name: _norm(e.parameters[name].array) * _norm(g)
        for name, g in gradients.items()
        if g is not None and g.ndim >= 2 and g.size and e.parameters[name].array.any()
    }


def _downhill(e: Examination, name: str, gradient: Any, share: float, least: float = 0.0) -> np.ndarray:
    """A change of a parameter against its gradient, of a share of its size; `least` is a root mean square to count."""
    size = max(_norm(e.parameters[name].array), least * math.sqrt(gradient.size))
    return np.asarray(-share * size / _norm(gradient) * gradient)


def vanishing(e: Examination, run: Run) -> Iterator[Finding]:
    fed = min([1.0, *(_rms(a) for a in run.data)])
    for path, size in _sizes(run):
        if 0 < size < VANISHED * fed:
            evidence = f"its outputs have a root mean square of {size:.1e}, {size / fed:.0e} times that of the inputs"
            yield Finding("D03-vanishing", path, evidence, {"rms": size, "relative": size / fed})
            break  # what comes after is as small because this is
    now = _sensitivities(e, run.gradients)
    largest = max(now.values(), default=0.0)
    few = {name for name, size in now.items() if size <= VANISHED * largest}
    if not few or (largest == 0 and run.value == 0):
        return
    # Behind a weight that starts at 0, as in the last layer of a residual block, there is no gradient at first only.
    nudges = {n: _downhill(e, n, g, 1e-2, least=0.1) for n, g in run.gradients.items() if g is not None and g.any()}
    with e.moved(nudges):
        then = _sensitivities(e, e.run().gradients)
    top = max(then.values(), default=0.0)
    for name in now:
        if name in few and not then.get(name, 0.0) > VANISHED * top:
            ratio = now[name] / largest if largest else 0.0
            evidence = f"|weight| |gradient| is {now[name]:.1e}, {ratio:.0e} times that of the layer with the largest"
            numbers = {"sensitivity": now[name], "relative": ratio}
            yield Finding("D03-vanishing", name, "its gradient is 0" if not now[name] else evidence, numbers)


def exploding(e: Examination, run: Run) -> Iterator[Finding]:
    fed = max([1.0, *(_rms(a) for a in run.data)])
    for path, size in _sizes(run):
        if size > EXPLODED * fed:
            evidence = f"its outputs have a root mean square of {size:.1e}, {size / fed:.0e} times that of the inputs"
            yield Finding("D04-exploding", path, evidence, {"rms": size, "relative": size / fed})
            break  # what comes after is as large because this is
    arriving = sum(
        _norm(run.output_gradients[id(t)]) * max(_norm(t.array), math.sqrt(t.array.size))
        for t in tensors_in(run.outputs)
        if id(t) in run.output_gradients
    )
    found = {name: s / arriving for name, s in _sensitivities(e, run.gradients).items()} if arriving else {}
    if found and max(found.values()) > EXPLODED:
        name = max(found, key=lambda n: found[n])
        evidence = f"|weight| |gradient| is {found[name]:.0e} times |output| |gradient of the output|"
        yield Finding("D04-exploding", name, evidence, {"relative": found[name]})


def _sizes(run: Run) -> Iterator[tuple[str, float]]:
    """The root mean square of what each module gives, but for the whole model: that depends on the targets."""
    results = {id(t) for t in tensors_in(run.outputs)}
    for call in run.calls:
        own = [t for t in tensors_in(call.output) if t.is_floating_point() and id(t) not in results]
        if own:
            yield call.path or "model", max(_rms(t.array) for t in own)


def _rms(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64)))) if array.size else 0.0


def unreached(e: Examination, run: Run) -> Iterator[Finding]:
    for name, g in run.gradients.items():
        if g is None:
            shape = e.parameters[name].shape
            yield Finding("D07-no-gradient", name, f"no path from the loss to it, of shape {shape}", {"shape": shape})


def not_in_optimizer(e: Examination, run: Run) -> Iterator[Finding]:
    if e.optimizer is None:
        return
    owned = {id(p) for group in e.optimizer.param_groups for p in group["params"]}
    for name, p in e.parameters.items():
        if p.requires_grad and id(p) not in owned:
            g = run.gradients.get(name)
            size = 0.0 if g is None else _norm(g)
            evidence = f"trainable, of shape {p.shape}, gradient norm {size:.2g}; the optimizer does not have it"
            yield Finding("D08-not-in-optimizer", name, evidence, {"shape": p.shape, "gradient_norm": size})


def foreign_parameters(e: Examination) -> Iterator[Finding]:
    if e.optimizer is None:
        return
    ours = {id(p) for p in e.parameters.values()}
    for group in e.optimizer.param_groups:
        for name, p in zip(group["names"], group["params"], strict=True):
            if id(p) not in ours:
                evidence = f"the optimizer updates it, of shape {p.shape}, but it is no parameter of the model"
                yield Finding("D09-foreign-parameter", name, evidence, {"shape": p.shape})


def non_finite(e: Examination, run: Run) -> Finding:
    """The first operation that made something non-finite out of finite values, as `detect_anomaly` finds it."""
    story = e.origin()
    bad = [n for n, g in run.gradients.items() if g is not None and not np.isfinite(g).all()]
    what = f"the loss is {run.value}" if not math.isfinite(run.value) else f"the gradient of {bad[0]} is not finite"
    _, _, steps = story.partition("\n")
    first = (steps.splitlines() or [story])[0].strip()
    guilty = [o for o in run.operations if re.search(rf"{re.escape(o.line)}(?!\d)", first) and f" {o.name} " in first]
    guilty = [o for o in guilty if not all(np.isfinite(t.array).all() for t in tensors_in(o.out))] or guilty
    part = "loss" if guilty and guilty[0] in run.operations[run.boundary :] else "model"
    place = _place(e, guilty[0]) if guilty and part == "model" else part
    line = guilty[0].line if guilty else ""
    numbers = {"loss": run.value, "operation": guilty[0].name if guilty else "", "gradients": bad}
    return Finding("D16-non-finite", place, f"{what}\n{first or story}".strip(), numbers, line)


# Updates


def update_ratios(e: Examination, changes: dict[str, np.ndarray]) -> dict[str, float]:
    """``|update| / |parameter|`` of each parameter that is not 0."""
    sizes = {name: _norm(e.parameters[name].array) for name in changes}
    return {name: _norm(change) / sizes[name] for name, change in changes.items() if sizes[name] > 0}


def updates(e: Examination, run: Run, scale: float) -> Iterator[Finding]:
    """Whether a step is too large or too small; `scale` is the size of a loss that is not small."""
    if e.optimizer is None or not any(g is not None and g.any() for g in run.gradients.values()):
        return
    changes = e.step(run.gradients)
    ratios = update_ratios(e, changes)
    before = e.value()
    with e.moved(changes):
        after = e.value()
    if not after <= before + RISE * scale:
        for name in sorted((n for n in ratios if ratios[n] > BAND[1]), key=lambda n: -ratios[n]):
            evidence = f"|update| / |weight| is {ratios[name]:.2g}; the loss goes from {before:.4g} to {after:.4g}"
            yield Finding(
                "D06-update-too-large", name, evidence, {"ratio": ratios[name], "loss": before, "after": after}
            )
        return
    slow = {
        name: ratio
        for name, ratio in ratios.items()
        if changes[name].ndim >= 2 and ratio < BAND[0] and _norm(run.gradients.get(name, 0.0)) > 0
    }
    with e.moved(changes | {name: _downhill(e, name, run.gradients[name], BAND[1]) for name in slow}):
        possible = e.value()
    for name, ratio in slow.items() if after - possible > GAIN * scale else ():
        evidence = (
            f"|update| / |weight| is {ratio:.1e}; along the gradient {BAND[1]:g} would bring the loss from {after:.4g} "
            f"to {possible:.4g}"
        )
        yield Finding("D05-update-too-small", name, evidence, {"ratio": ratio, "loss": after, "possible": possible})
