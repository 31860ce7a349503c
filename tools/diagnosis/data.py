"""What the doctor looks for in the data, the loss and the mode."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd_core import Tensor, no_grad
from autograd_core.nn import Module

from .findings import Finding
from .run import Examination, Run, tensors_in

__all__ = [
    "Scores",
    "asks_for_mode",
    "broadcasts",
    "guessing",
    "initial_loss",
    "scores_of",
    "set_mode",
    "softmax_twice",
    "unscaled",
    "unscaled_targets",
    "wrong_modes",
]

LARGE = 10.0
"""Mean or standard deviation of a feature.  The curvature by the first weights grows with the mean square of the inputs
(LeCun et al. 1998, section 4.3): beyond 100 times that of standardised ones, no learning rate suits these weights and
the others."""

TINY = 1e-2
"""Where no value is larger, the same the other way round.  How many zeros there are does not count: sparse inputs are
common."""

NARROW = 1e-2
"""Standard deviation beside the mean: 99 % of each input is the same number."""

EXCESS = 2.0
"""Nats above log C.  Scores of standard deviation s cost about s**2 / 2 more than none; He's initialisation, applied to
the last layer too, gives s**2 = 2.  At s**2 = 4 it is wrong predictions that are confident."""

FAR_OFF = 100.0
"""Times the outputs, or 1.  At a rate of 1e-3 Adam moves a bias by 1 in a thousand steps, so it needs 1e5."""

DRAWS = 10
"""Of random parameters, each twice as large as the last: scores that are between 0 and 1 by chance leave it then."""

EVEN = 1e-3
"""How exactly probabilities sum to 1, in float32 and with many classes."""


# The mode


def _frozen(module: Module) -> bool:
    """Whether the module's own parameters are all frozen: then its mode is deliberate, as of a frozen BatchNorm."""
    own = list(module.parameters(recurse=False))
    return bool(own) and not any(p.requires_grad for p in own)


def asks_for_mode(module: Module) -> bool:
    """Whether the code of the module reads its mode."""
    functions = [vars(kind).values() for kind in type(module).__mro__ if kind is not Module]
    codes = [getattr(f, "__code__", None) for values in functions for f in values]
    return any("training" in code.co_names for code in codes if code is not None)


def set_mode(e: Examination, training: bool) -> None:
    """Put all modules but frozen ones into a mode."""
    for module in e.modes:
        module.training = e.modes[module] if _frozen(module) else training


def wrong_modes(e: Examination, training: bool) -> Iterator[Finding]:
    """Modules that were in the other mode, and make a difference; all are in the mode that is right now."""
    wrong = [m for m, was in e.modes.items() if m.training != was and asks_for_mode(m)]
    if not wrong:
        return
    right = e.outputs()
    for module in wrong:
        module.training = not training
        change = _difference(e.outputs(), right)
        module.training = training
        if change > 1e-6:
            names = ("training", "evaluation") if training else ("evaluation", "training")
            evidence = (
                f"{type(module).__name__} is in {names[1]} mode; in {names[0]} mode the outputs differ by {change:.1%}"
            )
            numbers = {"training": not training, "difference": change}
            yield Finding("D13-wrong-mode", e.paths[id(module)] or "model", evidence, numbers)


def _difference(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """The relative difference of outputs, as a norm."""
    if [a.shape for a in ours] != [a.shape for a in theirs]:
        return math.inf
    if all(np.array_equal(a, b, equal_nan=True) for a, b in zip(ours, theirs, strict=True)):
        return 0.0
    distance = sum(float(np.sum(np.square(a - b, dtype=np.float64))) for a, b in zip(ours, theirs, strict=True))
    size = sum(float(np.sum(np.square(b, dtype=np.float64))) for b in theirs)
    return math.sqrt(distance / size) if 0 < size < math.inf and distance < math.inf else math.inf


# The inputs


def unscaled(run: Run) -> Iterator[Finding]:
    for number, array in enumerate(run.data):
        if array.ndim < 2 or array.size // array.shape[-1] < 2:
            continue
        values = array.reshape(-1, array.shape[-1]).astype(np.float64)
        means, spreads = values.mean(0), values.std(0)
        numbers = {
            "mean": float(values.mean()),
            "std": float(values.std()),
            "largest_feature_mean": float(np.abs(means).max()),
            "largest_feature_std": float(spreads.max()),
            "largest": float(np.abs(values).max()),
            "constant_features": int((spreads == 0).sum()),
        }
        what = f"mean {numbers['mean']:.3g}, standard deviation {numbers['std']:.3g}"
        worst = int(np.argmax(np.maximum(np.abs(means), spreads)))
        one = f"; feature {worst} alone {means[worst]:.3g} and {spreads[worst]:.3g}"
        if not np.isfinite(values).all() or (numbers["largest"] == 0 and len(run.data) > 1):
            continue  # beside others, a state may start at 0
        if (spreads == 0).all():
            evidence = f"all {len(spreads)} features are constant over the {len(values)} rows of the batch"
        elif max(numbers["largest_feature_mean"], numbers["largest_feature_std"]) > LARGE:
            evidence = what + (one if len(means) > 1 else "")
        elif numbers["largest"] < TINY:
            evidence = f"{what}; no value is larger than {numbers['largest']:.1e}"
        elif numbers["std"] < NARROW * abs(numbers["mean"]):
            evidence = f"{what}: they are almost constant"
        else:
            continue
        yield Finding("D14-unscaled-input", "inputs" if number == 0 else f"inputs {number}", evidence, numbers)


# The loss


class Scores(NamedTuple):
    """What a classification loss was given, and what it makes of it."""

    kind: str
    """"logits", "log-probabilities", "likelihoods" (whose logarithm is taken), "binary logits" or "probabilities"."""
    values: np.ndarray
    """With the classes in the last dimension, where there are several."""
    loss: float | None
    """The mean cross-entropy of the targets, if they are known."""
    line: str = ""

    @property
    def classes(self) -> int:
        return 2 if self.kind in ("binary logits", "probabilities") else self.values.shape[-1]


def scores_of(e: Examination, run: Run) -> Scores | None:
    """The scores that a cross-entropy of any kind, also a person's own, was computed from; None for other losses."""
    outputs = tensors_in(run.outputs)
    targets = tensors_in(e.targets)
    target = targets[0].array if len(targets) == 1 else None
    for operation in run.operations[run.boundary :]:
        given = operation.args[0] if operation.args else None
        if operation.name in ("log_softmax", "logsumexp", "softmax") and isinstance(given, Tensor) and given.ndim:
            axis = operation.params["axis"]
            axis = axis[0] if isinstance(axis, tuple) else axis
            values = np.moveaxis(given.array, axis, -1).astype(np.float64)
            if given.requires_grad and values.shape[-1] > 1:
                return Scores("logits", values, _cross_entropy(values - _logsumexp(values), target), operation.line)
    if len(outputs) != 1 or not outputs[0].ndim:
        return None
    gradient = run.output_gradients.get(id(outputs[0]))
    if target is None or gradient is None:
        return None
    values, slope = outputs[0].array.astype(np.float64), gradient.astype(np.float64)
    return _of_classes(run, values, slope, target) or _of_yes_or_no(values, slope, target)


def _of_classes(run: Run, values: np.ndarray, slope: np.ndarray, target: np.ndarray) -> Scores | None:
    """Of a loss that looks at the score of the right class alone, as its gradient shows."""
    for axis in (1, -1) if values.ndim > 1 and target.dtype.kind in "iu" else ():
        rows, slopes = np.moveaxis(values, axis, -1), np.moveaxis(slope, axis, -1)
        if rows.shape[:-1] != target.shape or rows.shape[-1] < 2:
            continue
        right = target[..., None] == np.arange(rows.shape[-1])
        if slopes[~right].any() or not (slopes[right] < 0).any():
            continue
        if np.isclose((slopes * rows).sum(), run.value, rtol=1e-3):  # it is linear in the scores
            return Scores("log-probabilities", rows, _cross_entropy(rows, target))
        if _proportional(slopes[right], -1 / np.maximum(rows[right], 1e-300)):
            return Scores("likelihoods", rows, _cross_entropy(np.log(np.maximum(rows, 1e-300)), target))
    return None


def _of_yes_or_no(values: np.ndarray, slope: np.ndarray, target: np.ndarray) -> Scores | None:
    """Of a binary cross-entropy, also a weighted one: the gradient is that of its formula."""
    if target.size != values.size or not values.size or not ((target >= 0) & (target <= 1)).all():
        return None
    t = target.reshape(values.shape).astype(np.float64)
    if np.ptp(values) == 0 and np.ptp(t) == 0:
        return None  # one number cannot tell one loss from another
    of_logits = 0.5 * (1 + np.tanh(values / 2)) - t
    if all(_proportional(slope[part], of_logits[part]) for part in (t > 0.5, t <= 0.5)):
        return Scores("binary logits", values, float(np.mean(np.logaddexp(0.0, values) - t * values)))
    if values.min() < 0 or values.max() > 1:
        return None
    inside = (values > 0) & (values < 1)
    of_odds = (values - t) / np.where(inside, values * (1 - values), 1.0)
    if not all(_proportional(slope[part & inside], of_odds[part & inside]) for part in (t > 0.5, t <= 0.5)):
        return None
    yes, no = np.maximum(np.log(values), -100), np.maximum(np.log1p(-values), -100)
    return Scores("probabilities", values, -float(np.mean(t * yes + (1 - t) * no)))


def _proportional(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether one is the other times a positive number, but for rounding."""
    factor = (a * b).sum() / (b * b).sum() if b.any() else 0.0
    return bool(not a.size or (factor > 0 and np.allclose(a, factor * b, rtol=1e-3, atol=1e-5 * np.abs(a).max())))


def guessing(e: Examination, run: Run, scores: Scores | None) -> float:
    """The loss, in its own units, of what knows nothing of the inputs: even odds, or the mean of the targets; or 0."""
    if scores is not None:
        return abs(run.value / scores.loss) * math.log(scores.classes) if scores.loss else 0.0
    targets = tensors_in(e.targets)
    if not isinstance(run.outputs, Tensor) or len(targets) != 1 or targets[0].shape != run.outputs.shape:
        return 0.0
    mean = np.full(run.outputs.shape, targets[0].array.mean(), run.outputs.dtype)
    with no_grad():
        found = float(e.judged(Tensor(mean)).array)
    return abs(found) if math.isfinite(found) else 0.0


def _logsumexp(values: np.ndarray) -> np.ndarray:
    top = values.max(-1, keepdims=True)
    return np.asarray(top + np.log(np.exp(values - top).sum(-1, keepdims=True)))


def _cross_entropy(logs: np.ndarray, target: np.ndarray | None) -> float | None:
    """The mean of ``-log p`` of the targets, classes or distributions; targets out of range do not count."""
    if target is None:
        return None
    if target.dtype.kind in "iu" and target.shape == logs.shape[:-1]:
        counts = (target >= 0) & (target < logs.shape[-1])
        picked = np.take_along_axis(logs, np.where(counts, target, 0)[..., None], -1)[..., 0]
        return float(-picked[counts].mean()) if counts.any() else None
    if target.dtype.kind == "f" and target.shape == logs.shape and np.allclose(target.sum(-1), 1, atol=EVEN):
        return float(-(target * logs).sum(-1).mean())
    return None


def softmax_twice(e: Examination, run: Run, scores: Scores | None) -> Iterator[Finding]:
    if scores is None or not scores.values.size:
        return
    values, low, high = scores.values, float(scores.values.min()), float(scores.values.max())
    numbers: dict[str, Any] = {"least": low, "largest": high}
    found = False
    if scores.kind in ("logits", "log-probabilities"):
        sums = values.sum(-1)
        totals = np.exp(_logsumexp(values))[..., 0]
        numbers |= {"sum": float(sums.mean()), "sum_of_exponentials": float(totals.mean())}
        even = low >= 0 and high <= 1 and np.allclose(sums, 1, atol=EVEN)
        found = even
        logs = high <= 0 and np.allclose(totals, 1, atol=EVEN)
        rows = f"the {len(values.reshape(-1, values.shape[-1]))} rows that the loss gets"
        if even:
            reason = remedy = ""
            if scores.kind == "log-probabilities":
                reason = "The negative log-likelihood takes log-probabilities; of probabilities it has no meaning."
                remedy = "Use log_softmax instead of softmax, or CrossEntropyLoss on the raw scores."
            evidence = f"{rows} lie in [{low:.3g}, {high:.3g}] and sum to 1: they are probabilities"
            yield Finding("D11-softmax-twice", "loss", evidence, numbers, scores.line, reason, remedy)
        elif logs and scores.kind == "logits":
            evidence = f"the exponentials of {rows} sum to 1: they are log-probabilities"
            reason = "The loss applies log_softmax itself; the second changes nothing and costs time."
            yield Finding("D11-softmax-twice", "loss", evidence, numbers, scores.line, reason)
        elif not logs and scores.kind == "log-probabilities":
            evidence = f"the exponentials of {rows} sum to {numbers['sum_of_exponentials']:.3g}, not to 1"
            reason = "The negative log-likelihood takes log-probabilities, of rows whose exponentials sum to 1."
            remedy = "Use CrossEntropyLoss, or end the model with log_softmax."
            yield Finding("D11-softmax-twice", "loss", evidence, numbers, scores.line, reason, remedy)
    elif scores.kind == "likelihoods" and not np.allclose(values.sum(-1), 1, atol=EVEN):
        evidence = f"the rows that the loss takes the logarithm of sum to {values.sum(-1).mean():.3g}, not to 1"
        reason = "The likelihood of one class can be raised at will if that lowers no other: rows must sum to 1."
        remedy = "Use CrossEntropyLoss on the raw scores, or end the model with softmax."
        yield Finding("D11-softmax-twice", "loss", evidence, numbers, scores.line, reason, remedy)
    if "logits" in scores.kind and not found and low >= 0 and high <= 1 and _bounded(e):
        evidence = (
            f"the outputs lie in [{low:.3g}, {high:.3g}], and in [0, 1] with {DRAWS} draws of random parameters too: "
            f"they are probabilities"
        )
        yield Finding("D11-softmax-twice", "loss", evidence, numbers, scores.line)


def _bounded(e: Examination) -> bool:
    """Whether outputs stay between 0 and 1 whatever the parameters, as behind a sigmoid."""
    rng = np.random.default_rng(0)
    for draw in range(DRAWS):
        noise = {name: 2.0**draw * rng.standard_normal(p.shape) for name, p in e.parameters.items()}
        scaled = {n: a / math.sqrt(max(a.size / len(a), 1)) if a.ndim >= 2 and a.size else a for n, a in noise.items()}
        with e.moved(scaled):
            if any(bool(((a < 0) | (a > 1)).any()) for a in e.outputs()):
                return False
    return True


def initial_loss(scores: Scores | None) -> Iterator[Finding]:
    if scores is None or scores.loss is None or scores.values.size == 0:
        return
    guess = math.log(scores.classes)
    if scores.loss > guess + EXCESS:
        evidence = f"a cross-entropy of {scores.loss:.3g}, where guessing costs log {scores.classes} = {guess:.3g}"
        yield Finding("D12-initial-loss", "loss", evidence, {"loss": scores.loss, "guess": guess})


def unscaled_targets(e: Examination, run: Run, scores: Scores | None) -> Iterator[Finding]:
    """Targets of a regression that are far larger than the outputs, which are meant to come to them."""
    targets = tensors_in(e.targets)
    if scores is not None or not isinstance(run.outputs, Tensor) or len(targets) != 1:
        return
    values, given = targets[0].array.astype(np.float64), run.outputs.array.astype(np.float64)
    if values.shape != given.shape or not values.size:
        return
    size, ours = (float(np.sqrt(np.mean(a**2))) for a in (values, given))
    if size <= FAR_OFF * max(ours, 1.0):
        return
    with no_grad(), np.errstate(all="ignore"):
        best = float(e.judged(Tensor(values.astype(given.dtype))).array)
    if best < run.value:  # the loss wants the outputs to be the targets, not their logarithms for example
        evidence = (
            f"mean {values.mean():.3g}, standard deviation {values.std():.3g}; the outputs have a root mean square of "
            f"{ours:.2g}"
        )
        numbers = {"mean": float(values.mean()), "std": float(values.std()), "outputs": ours}
        yield Finding("D18-unscaled-target", "targets", evidence, numbers)


def broadcasts(run: Run) -> Iterator[Finding]:
    """Where (N, 1) meets (N,) in the loss: as many elements, other dimensions, and only one of them is computed."""
    for operation in run.operations[run.boundary :]:
        pair = [a for a in operation.args if isinstance(a, Tensor)]
        if len(pair) != 2 or not operation.primitive.broadcasts or not isinstance(operation.out, Tensor):
            continue
        a, b = pair
        same = a.array.size == b.array.size < operation.out.array.size
        if same and a.ndim != b.ndim and a.requires_grad != b.requires_grad:
            evidence = f"{operation.name} of {a.shape} and {b.shape} gives {operation.out.shape}"
            numbers = {"shapes": [a.shape, b.shape], "result": operation.out.shape}
            yield Finding("D15-broadcast", "loss", f"{evidence}, at {operation.line}", numbers, operation.line)
            return  # what follows has the same cause
