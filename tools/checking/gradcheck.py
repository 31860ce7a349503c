"""Does the engine's gradient agree with differences of the function itself?

Everything is done in float64, whatever the dtype of the inputs (`float64_shadow`).  How much of large inputs is looked
at is decided in `coverage`, the gradients are compared with differences in `comparison`, and what to blame for one that
is wrong is found in `localise`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .comparison import BackwardError, compare, together
from .coverage import MODES
from .float64_shadow import Shadow, shadow, values_of
from .localise import localise, torn, unsteady
from .report import FAIL, GradcheckReport

__all__ = ["assert_gradients", "gradcheck"]

TORN = "at a kink a gradient is right by every element alone, but not when they move together"


def gradcheck(
    fn: Callable[..., Any],
    inputs: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    order: int = 1,
    rtol: float = 1e-6,
    seed: int = 0,
    mode: str = "auto",
    forward: bool = False,
    module: Any = None,
    locate: bool = True,
) -> GradcheckReport:
    """Compare the gradients of a function or module with central differences.

    Parameters
    ----------
    fn : callable
        A function of tensors, or a module: anything with ``named_parameters()`` has its parameters checked too.
        It gives a tensor, or nested lists, tuples and dicts of them; all floating ones count.
    inputs : tensor, array, or list or tuple of arguments
        The arguments, which may be nested in lists, tuples and dicts.  Floating ones are checked, as float64 copies;
        all others are passed on as they are.
    kwargs : dict, optional
        Keyword arguments, likewise.
    order : int
        2 checks the gradient of the gradient too, 3 the gradient of that, ...
    rtol : float
        The relative error that is accepted, beyond the error bar of the differences.
    seed : int
        Of the random weights, elements and directions.
    mode : {"auto", "dense", "sampled", "directional"}
        How much to check.  ``"auto"``: every element of up to 2,048 in all; of more, all of the small inputs, 256
        elements drawn at random, and four random directions through each large input.  The report says what was done.
    forward : bool
        Check the forward derivative (``func.jvp``) against the same differences, in a direction of each input.
    module : optional
        Whose parameters to check, where `fn` is a function around a module (or several) rather than a module.
    locate : bool
        After a failure, and at kinks, check every operation's rule by itself, at the values it saw, and name the first
        wrong one.

    Returns
    -------
    GradcheckReport
        True if all is well.  ``str(report)`` is a table of the worst element of each input, with a verdict: PASS; FAIL;
        or INCONCLUSIVE where the differences are too inexact to tell.  At a kink any slope between those of its two
        sides passes, and a note says so.  Where differences cannot tell, a complex step decides if the function is
        analytic.  After a failure, ``report.culprit`` is the operation at fault.

    Raises
    ------
    ValueError
        If there is nothing to check.  What `fn` raises is passed on.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.tools.checking.gradcheck import gradcheck
    >>> report = gradcheck(lambda x, y: (x * y).tanh(), (ag.tensor([0.5, 2.0]), ag.tensor(3.0)))
    >>> report.ok
    True
    >>> print(gradcheck(lambda x: x * x.detach(), ag.tensor(3.0)))  # doctest: +ELLIPSIS
    gradcheck: FAIL
      input      order  shape  worst at  analytic ...
      inputs[0]  1      ()     ()        ...
    """
    if not callable(fn):
        raise TypeError(f"gradcheck: expected a function or a module, got {type(fn).__name__}")
    if order < 1:
        raise ValueError(f"gradcheck: order must be at least 1, got {order}")
    if not 0 <= rtol < 1:
        raise ValueError(f"gradcheck: rtol must be at least 0 and less than 1, got {rtol}")
    if mode not in MODES:
        raise ValueError(f"gradcheck: mode must be one of {', '.join(MODES)}, got {mode!r}")
    args = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    with shadow(fn, args, kwargs or {}, module) as subject:
        if not subject.leaves:
            raise ValueError(
                "gradcheck: nothing to check; give floating tensors or arrays, or a module (numbers are passed on as "
                "they are)"
            )
        reason, infinite = _unfit(subject)
        if reason:
            return GradcheckReport(reason=reason)
        rng = np.random.default_rng(seed)
        options: Any = {"order": order, "rtol": rtol, "mode": mode, "forward": forward}
        try:
            report = GradcheckReport(compare(subject.run, subject.leaves, rng, **options), infinite=infinite)
        except BackwardError as error:
            report = GradcheckReport(reason=f"the backward pass fails with {error}")
        return _located(report, subject, order, rtol, rng) if locate else report


def assert_gradients(fn: Callable[..., Any], inputs: Any = (), *args: Any, **options: Any) -> None:
    """Raise AssertionError with the table of :func:`gradcheck`, which takes the same arguments, unless all is well.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.tools.checking.gradcheck import assert_gradients
    >>> assert_gradients(ag.exp, ag.tensor([0.0, 1.0]), order=2)
    """
    report = gradcheck(fn, inputs, *args, **options)
    if not report.ok:
        raise AssertionError(str(report))


def _located(
    report: GradcheckReport, subject: Shadow, order: int, rtol: float, rng: np.random.Generator
) -> GradcheckReport:
    """The report with the operation at fault, if any."""
    wrong = [r for r in report.records if r.verdict == FAIL]
    if report.verdict == FAIL:
        culprit, hint = localise(
            subject.run, subject.leaves, wrong[0].order if wrong else order, rtol,
            forward=bool(wrong) and all(r.forward for r in wrong),
            finite=all(math.isfinite(r.analytic) for r in wrong),
        )  # fmt: skip
        if culprit is not None and culprit.kind == "error":  # which says the same
            report = replace(report, reason="the backward pass fails")
        return replace(report, culprit=culprit, hint=hint)
    if any(r.kinks or r.bent or r.sides for r in report.records) or together(subject.run, subject.leaves, rng):
        culprit = torn(subject.run)
        if culprit is not None:
            return replace(report, culprit=culprit, reason=TORN)
    return report


def _unfit(subject: Shadow) -> tuple[str, int]:
    """Why the function cannot be checked, if so; and how many elements of its outputs are infinite."""
    kept = [(name, array, array.copy()) for name, array in subject.arrays()]
    first = values_of(subject.run)
    for name, array, before in kept:
        if array.tobytes() != before.tobytes():
            return f"the function changes {name} in place; let it work on a clone()", 0
    if not first:
        raise ValueError("gradcheck: the function returned no floating tensor; there is no gradient to check")
    again = values_of(subject.run)
    if [a.shape for a in first] != [a.shape for a in again] or not all(map(_alike, first, again)):
        place = unsteady(subject.run)
        where = f", first by {place}" if place else ""
        advice = "seed it anew in each run, or use eval() of a module with dropout"
        return f"the function is not deterministic: two runs gave different results{where}; {advice}", 0
    for j, a in enumerate(first):
        if np.isnan(a).any():
            index = tuple(map(int, np.argwhere(np.isnan(a))[0]))
            return f"the function's value is NaN: output {j} at {index}", 0
    infinite, size = sum(int(np.isinf(a).sum()) for a in first), sum(a.size for a in first)
    return "all values of the function are infinite" if infinite == size > 0 else "", infinite


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    size = np.abs(a[np.isfinite(a)]).max(initial=0.0)
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-9 * size, equal_nan=True))
