"""How far to go along a direction, so that a quasi-Newton method learns from the step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Trial", "strong_wolfe"]

DECREASE, CURVATURE = 1e-4, 0.9
"""Of the decrease that the first slope promises, what is enough; of that slope, what may be left."""


class Trial(NamedTuple):
    """What was found at a distance `t` along the direction."""

    t: float
    loss: float
    grad: np.ndarray
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Trial], start: Trial, first: float, *, length: float, tolerance: float, limit: int
) -> tuple[Trial, int]:
    """Find a point that meets the strong Wolfe conditions: low enough, and flat enough.

    Nocedal and Wright, "Numerical Optimization" (2nd edition, 2006), algorithm 3.5: go on until there is such a point
    in between, then :func:`_zoom`.  Every new point is the minimum of the cubic through the last two.

    Parameters
    ----------
    evaluate : callable
        Gives the trial at a distance.
    start : Trial
        At distance 0; its slope is negative.
    first : float
        The first distance to try.
    length : float
        How far the parameter that moves most moves within a distance of 1.
    tolerance : float
        Moves smaller than this are not looked for.
    limit : int
        How many evaluations there may be after the first.

    Returns
    -------
    The point, the best so far if none was found, and the number of evaluations.
    """
    before, trial = start, _looked_at(evaluate, first)
    for done in range(limit):
        if _too_high(trial, start) or (done > 1 and trial.loss >= before.loss):
            break
        if abs(trial.slope) <= -CURVATURE * start.slope:
            return trial, done + 1
        if trial.slope >= 0:
            break
        low, high = trial.t + 0.01 * (trial.t - before.t), 10 * trial.t
        t = min(max(_cubic_minimum(before, trial, (low + high) / 2), low), high)
        before, trial = trial, _looked_at(evaluate, t)
    else:
        return (start if start.loss <= trial.loss else trial), limit + 1 if limit > 0 else 1
    found, more = _zoom(evaluate, start, [before, trial], length=length, tolerance=tolerance, limit=limit - done)
    return found, done + 1 + more


def _zoom(
    evaluate: Callable[[float], Trial],
    start: Trial,
    bracket: list[Trial],
    *,
    length: float,
    tolerance: float,
    limit: int,
) -> tuple[Trial, int]:
    """Narrow a bracket down to a point that meets the conditions: algorithm 3.6.

    As in PyTorch the lower end need not have decreased enough itself, as it must in the book.
    """
    low = 0 if bracket[0].loss <= bracket[1].loss else 1
    slow = False
    for done in range(limit):
        left, right = sorted(trial.t for trial in bracket)
        if (right - left) * length < tolerance:
            return bracket[low], done
        t = min(max(_cubic_minimum(bracket[0], bracket[1], (left + right) / 2), left), right)
        margin = 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (slow or t >= right or t <= left):  # twice near an end is no progress
            t = right - margin if right - t < t - left else left + margin
            near = False
        slow = near
        trial = _looked_at(evaluate, t)
        if _too_high(trial, start) or trial.loss >= bracket[low].loss:
            bracket[1 - low] = trial
            low = 0 if bracket[0].loss <= bracket[1].loss else 1
            continue
        flat = abs(trial.slope) <= -CURVATURE * start.slope
        if not flat and trial.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = trial
        if flat:
            return trial, done + 1
    return bracket[low], limit


def _looked_at(evaluate: Callable[[float], Trial], t: float) -> Trial:
    """What is there; a loss that is NaN counts as infinite, so that the search turns back."""
    trial = evaluate(t)
    return trial._replace(loss=math.inf) if math.isnan(trial.loss) else trial


def _too_high(trial: Trial, start: Trial) -> bool:
    """Whether the loss decreased too little."""
    return trial.loss > start.loss + DECREASE * trial.t * start.slope


def _cubic_minimum(a: Trial, b: Trial, otherwise: float) -> float:
    """Where the cubic with the values and slopes of two points has its minimum: equation 3.59."""
    if a.t > b.t:
        a, b = b, a
    if a.t == b.t:
        return otherwise
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    d2 = math.sqrt(square) if square >= 0 else math.nan
    below = b.slope - a.slope + 2 * d2
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / below) if below else math.nan
    return t if math.isfinite(t) else otherwise
