"""What the doctor looks for in gradients and updates, layer by layer.

Every threshold is one that healthy networks stay clear of for a reason, which is given with it.  None needs to know
what kind of network it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_core import Tensor, traced

from .findings import Finding
from .run import Examination, Run, meets_weights, place, tensors_in

__all__ = [
    "exploding",
    "foreign_parameters",
    "non_finite",
    "not_in_optimizer",
    "symmetric",
    "unreached",
    "unregistered",
    "update_ratio",
    "update_ratios",
    "updates",
    "vanishing",
]

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

GAIN = 0.001
"""The share of the loss (or of the loss of guessing, if that is more) that a step at the upper end of the band must
win, for one below the lower end to be called too small.  In a network that has converged no step wins anything."""

WARM = 100
"""Steps after which a new optimizer has warmed up: RAdam's fifth of Adam's size is then reached (Liu et al. 2020)."""

SAME = 1e-5
"""Of the largest norm: rows that differ by less are the same but for rounding."""


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


def symmetric(e: Examination, run: Run) -> Iterator[Finding]:
    """Weights of several units that are the same and get the same gradient; so they stay the same."""
    met = {id(a) for o in run.operations if meets_weights(o.primitive) for a in o.args}
    for name, g in run.gradients.items():
        p = e.parameters[name]
        if g is None or id(p) not in met or g.ndim < 2 or len(g) < 2 or not g.size:
            continue
        moving = g.reshape(len(g), -1).any(1)
        units = _marks(np.concatenate([_scaled(p.array), _scaled(g)], 1)[moving if moving.any() else slice(None)])
        distinct = 1 + int((np.diff(np.sort(units)) > SAME).sum())
        if len(units) > 1 and distinct <= (len(units) // 2 if moving.any() else 1):
            same = "also in their gradient" if moving.any() else "and have no gradient"
            evidence = f"of {len(units)} units only {distinct} differ in their weights, {same}"
            yield Finding("D17-symmetric", name, evidence, {"units": len(units), "distinct": distinct})


def _scaled(array: np.ndarray) -> np.ndarray:
    """A row for each unit, the longest of length 1."""
    rows = array.reshape(len(array), -1).astype(np.float64)
    return np.asarray(rows / (np.linalg.norm(rows, axis=1).max() or 1.0))


def _marks(rows: np.ndarray) -> np.ndarray:
    """A number for each row, along a random direction: those of rows that differ do too."""
    return np.asarray(rows @ np.random.default_rng(0).standard_normal(rows.shape[1]))


def unreached(e: Examination, run: Run) -> Iterator[Finding]:
    if not run.gradients and e.model.training:
        evidence = f"none of its {len(e.parameters)} parameters requires a gradient: there is nothing to train"
        yield Finding("D07-no-gradient", "model", evidence, {"parameters": len(e.parameters)})
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


def unregistered(e: Examination, run: Run) -> Iterator[Finding]:
    """What the model uses like a parameter, and neither it nor the optimizer knows."""
    groups = [] if e.optimizer is None else e.optimizer.param_groups
    known = {id(p) for p in (*e.parameters.values(), *(p for group in groups for p in group["params"]))}
    for operation in run.operations[: run.boundary]:
        for x in operation.args:
            if isinstance(x, Tensor) and x.requires_grad and x.node is None and id(x) not in known:
                known.add(id(x))
                evidence = f"{operation.name} uses a trainable tensor of shape {x.shape}, no parameter of the model"
                reason = "Layers and parameters in a plain list, tuple or dict are not seen, so nothing trains them."
                remedy = "Keep them as attributes of the module, or in a ModuleList, ModuleDict or ParameterList."
                where, numbers = place(e, operation), {"shape": x.shape}
                yield Finding("D08-not-in-optimizer", where, evidence, numbers, operation.line, reason, remedy)


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
    named = [o for o in run.operations if f" {o.name} " in first]
    guilty = [o for o in named if re.search(rf"{re.escape(traced.place(o.line))}(?!\d)", first)]
    guilty = [o for o in guilty if not all(np.isfinite(t.array).all() for t in tensors_in(o.out))] or guilty
    in_loss = bool(guilty) and any(o is guilty[0] for o in run.operations[run.boundary :])
    where = "loss" if in_loss else place(e, guilty[0]) if guilty else "model"
    line = guilty[0].line if guilty else ""
    numbers = {"loss": run.value, "operation": guilty[0].name if guilty else "", "gradients": bad}
    return Finding("D16-non-finite", where, f"{what}\n{first or story}".strip(), numbers, line)


# Updates


def update_ratio(before: np.ndarray, change: np.ndarray) -> float:
    """``|update| / |parameter|`` of the elements that the step moves; NaN where they were 0.

    What it does not move, such as the rows of an embedding that a batch has no use for, says nothing of its size.
    """
    moved = change != 0
    size = _norm(before if moved.all() else before[moved])
    if size > 0:
        return _norm(change) / size
    return np.nan if moved.any() or not before.any() else 0.0


def update_ratios(e: Examination, changes: dict[str, np.ndarray]) -> dict[str, float]:
    """:func:`update_ratio` of each parameter, but for those that were 0."""
    found = {name: update_ratio(e.parameters[name].array, change) for name, change in changes.items()}
    return {name: ratio for name, ratio in found.items() if not math.isnan(ratio)}


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
    if slow:  # by a step that is typical of the optimizer, after its own warm-up and that of its schedule
        later = update_ratios(e, e.step(run.gradients, WARM))
        slow = {name: ratio for name, ratio in slow.items() if later.get(name, 0.0) < BAND[0]}
    with e.moved(changes | {name: _downhill(e, name, run.gradients[name], BAND[1]) for name in slow}):
        possible = e.value()
    for name, ratio in slow.items() if after - possible > GAIN * scale else ():
        evidence = (
            f"|update| / |weight| is {ratio:.1e}; along the gradient {BAND[1]:g} would bring the loss from {after:.4g} "
            f"to {possible:.4g}"
        )
        yield Finding("D05-update-too-small", name, evidence, {"ratio": ratio, "loss": after, "possible": possible})
