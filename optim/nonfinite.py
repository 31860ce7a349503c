"""Gradients that are not finite: found, counted, and said by name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, NoReturn

import numpy as np

from autograd_core import Tensor
from autograd_core.ops.arguments import demand

__all__ = ["POLICIES", "all_finite", "check", "report"]

POLICIES = ("warn", "raise", "skip", "ignore")
NAMED = 3
"""How many parameters a message names."""


def report(gradients: Mapping[str, Tensor]) -> str:
    """What is wrong with which gradients; nothing if all are finite."""
    wrong = {name: grad.array for name, grad in gradients.items() if not _finite(grad.array)}
    if not wrong:
        return ""
    named = [f"{name!r} has {_counts(array)}" for name, array in list(wrong.items())[:NAMED]]
    more = f", and {len(wrong) - NAMED} more are not finite" if len(wrong) > NAMED else ""
    return f"the gradient of {', of '.join(named)}{more}"


def _finite(array: np.ndarray) -> bool:
    """Whether all elements are; the sum of their squares takes one fast sweep, and is hardly ever infinite itself."""
    return math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())


def _counts(array: np.ndarray) -> str:
    return f"{np.isnan(array).sum()} NaN and {np.isinf(array).sum()} inf in {array.size} elements"


def all_finite(gradients: Iterable[Tensor]) -> Any:
    """The same as a condition, for a recording."""
    fine: Any = True
    for grad in gradients:
        fine = np.logical_and(fine, np.isfinite(grad).all())
    return fine


def check(optimizer: str, gradients: Mapping[str, Tensor]) -> None:
    """Demand, in a recording, that all are finite."""
    for name, grad in gradients.items():
        demand(_not_finite, partial(_refuse, optimizer, name), grad)


def _not_finite(grad: Any) -> Any:
    return np.logical_not(np.isfinite(grad))


def _refuse(optimizer: str, name: str, bad: np.ndarray, array: np.ndarray) -> NoReturn:
    raise FloatingPointError(f"{optimizer}: the gradient of {name!r} has {_counts(array)}; nothing was changed")
