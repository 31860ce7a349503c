"""Does the engine's gradient agree with differences of the function itself?

Everything is done in float64, whatever the dtype of the inputs.  The outputs are weighted at random (the gradient of a
plain sum hides errors that cancel), and every element of every input is moved.  An element passes if analytic and
numeric derivative agree within the relative tolerance and the error bar of the numeric one, which is estimated for
each element: there is no absolute tolerance for a small gradient to hide below.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_core import Tensor, enable_grad, grad, no_grad, record
from autograd_core.dtypes import float64, is_floating
from autograd_core.graph import PICK, ordered
from autograd_core.primitive import Primitive, applier

from .finite_differences import RESOLUTION, Differences
from .gradcheck_report import FAIL, INCONCLUSIVE, GradcheckReport, InputRecord

__all__ = ["assert_gradients", "gradcheck"]

Run = Callable[[], list[Any]]
Named = list[tuple[str, Tensor]]

VANISHING = 1e-14
"""A gradient this small beside the function is zero to rounding."""


def gradcheck(
    fn: Callable[..., Any], inputs: Any, *, order: int = 1, rtol: float = 1e-6, seed: int = 0, locate: bool = True
) -> GradcheckReport:
    """Compare the gradients of a function or module with central differences.

    Parameters
    ----------
    fn : callable
        A function of tensors, or a module: anything with ``named_parameters()`` has its parameters checked too.
        It gives a tensor, or a list, tuple or dict of them; all floating ones count.
    inputs : tensor, array, or sequence of them
        The arguments.  Floating ones are checked, as float64 copies; all others are passed on as they are.
    order : int
        2 checks the gradient of the gradient too, 3 the gradient of that, ...
    rtol : float
        The relative error that is accepted, beyond the error bar of the differences.
    seed : int
        Of the random weights.
    locate : bool
        After a failure, check every operation's rule by itself, at the values it saw, and name the first wrong one.

    Returns
    -------
    GradcheckReport
        True if all is well.  ``str(report)`` is a table of the worst element of each input, with a verdict: PASS; FAIL;
        or INCONCLUSIVE where the differences are too inexact to tell.  At a kink any slope between those of its two
        sides passes, and a note says so.

    Raises
    ------
    ValueError
        If there is nothing to check.  What `fn` raises is passed on.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.tools.gradcheck import gradcheck
    >>> report = gradcheck(lambda x, y: (x * y).tanh(), (ag.tensor([0.5, 2.0]), ag.tensor(3.0)))
    >>> report.ok
    True
    >>> print(gradcheck(lambda x: x * x.detach(), ag.tensor(3.0)))  # doctest: +ELLIPSIS
    gradcheck: FAIL
      input      order  shape  worst at  analytic ...
      inputs[0]  1      ()     ()        ...
    """
    if order < 1:
        raise ValueError(f"gradcheck: order must be at least 1, got {order}")
    rng = np.random.default_rng(seed)
    args = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    leaves: Named = []
    for i, x in enumerate(args):
        if isinstance(x, (Tensor, np.ndarray)) and is_floating(x.dtype):
            array = x.array if isinstance(x, Tensor) else x
            args[i] = Tensor(array.astype(float64), requires_grad=True)
            leaves.append((getattr(x, "name", None) or f"inputs[{i}]", args[i]))
    with _parameters_in_float64(fn) as parameters:
        leaves += parameters
        if not leaves:
            raise ValueError("gradcheck: nothing to check; give floating tensors or arrays, or a module")

        def run() -> list[Any]:
            return list(_floating_outputs(fn(*args)))

        reason = _unfit(run, args, leaves)
        if reason:
            return GradcheckReport(reason=reason)
        report = GradcheckReport()
        function, least = run, [np.zeros(a.shape) for a in _values(run)]
        for k in range(1, order + 1):
            weights = _weights(_values(function), least, rng)
            with np.errstate(all="ignore"):
                records, least = _compare(function, weights, least, leaves, rtol, rng, k)
            report = GradcheckReport(report.records + records)
            if not report.ok:
                break
            function = _gradient_of(function, weights, leaves)
        if locate and report.verdict == FAIL:
            report = replace(report, culprit=_first_wrong(run, rtol, report.records[-1].order))
        return report


def assert_gradients(fn: Callable[..., Any], inputs: Any, **options: Any) -> None:
    """Raise AssertionError with the table of :func:`gradcheck`, which takes the same arguments, unless all is well.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core.tools.gradcheck import assert_gradients
    >>> assert_gradients(ag.exp, ag.tensor([0.0, 1.0]), order=2)
    """
    report = gradcheck(fn, inputs, **options)
    if not report.ok:
        raise AssertionError(str(report))


# Running the function


@contextlib.contextmanager
def _parameters_in_float64(fn: Any) -> Iterator[Named]:
    """The parameters of a module that require a gradient, in float64 for a while; its buffers likewise, as copies."""
    parameters = list(fn.named_parameters()) if hasattr(fn, "named_parameters") else []
    buffers = list(fn.named_buffers()) if hasattr(fn, "named_buffers") else []
    kept = [(tensor, tensor.array) for _, tensor in parameters + buffers]
    try:
        for tensor, array in kept:
            tensor.array = array.astype(float64 if is_floating(array.dtype) else array.dtype)
        yield [(name, p) for name, p in parameters if p.requires_grad]
    finally:
        for tensor, array in kept:
            tensor.array = array


def _floating_outputs(output: Any) -> Iterator[Any]:
    """All floating tensors, arrays and numbers in what a function returned."""
    if isinstance(output, (list, tuple, Mapping)):
        for part in output.values() if isinstance(output, Mapping) else output:
            yield from _floating_outputs(part)
    elif isinstance(output, (Tensor, np.ndarray, float, np.floating)):
        output = output if isinstance(output, Tensor) else np.asarray(output)
        if is_floating(output.dtype):
            yield output


def _values(run: Run) -> list[np.ndarray]:
    """The outputs as new arrays."""
    with no_grad(), np.errstate(all="ignore"):
        return [np.array(o.array if isinstance(o, Tensor) else o) for o in run()]


def _unfit(run: Run, args: list[Any], leaves: Named) -> str:
    """Why the function cannot be checked, if so."""
    given = {f"inputs[{i}]": x for i, x in enumerate(args)} | dict(leaves)
    arrays = {name: x.array if isinstance(x, Tensor) else x for name, x in given.items()}
    kept = {name: a.copy() for name, a in arrays.items() if isinstance(a, np.ndarray)}
    first = _values(run)
    for name, before in kept.items():
        if arrays[name].tobytes() != before.tobytes():
            return f"the function changes {name} in place; let it work on a clone()"
    if not first:
        raise ValueError("gradcheck: the function returned no floating tensor; there is no gradient to check")
    again = _values(run)
    if [a.shape for a in first] != [a.shape for a in again] or not all(
        np.allclose(a, b, rtol=1e-9, atol=1e-9 * _largest(a), equal_nan=True) for a, b in zip(first, again, strict=True)
    ):
        return "the function is not deterministic: two runs gave different results; seed its random numbers in each run"
    for j, a in enumerate(first):
        if np.isnan(a).any():
            index = tuple(map(int, np.argwhere(np.isnan(a))[0]))
            return f"the function's value is NaN: output {j} at {index}"
    return ""


def _largest(a: Any) -> float:
    """The largest finite magnitude, 0 if there is none."""
    finite = np.abs(a[np.isfinite(a)])
    return float(finite.max()) if finite.size else 0.0


def _weights(values: list[np.ndarray], least: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Random weights of the outputs, none near zero; several outputs are first brought to one scale.

    They are few-digit numbers times powers of two, exact in every dtype.
    """
    weights = []
    for value, size in zip(values, least, strict=True):
        scale = _largest(value) if _largest(value) > VANISHING * _largest(size) else _largest(size)
        unit = 2.0 ** -round(math.log2(scale)) if len(values) > 1 and scale > 0 else 1.0
        weights.append(rng.choice([-1, 1], value.shape) * rng.integers(32, 97, value.shape) / 64 * unit)
    return weights


def _gradients(run: Run, weights: list[np.ndarray], leaves: Named, create_graph: bool) -> list[Any]:
    """The gradients of the weighted outputs by the leaves; None where no path leads to one."""
    with enable_grad():
        pairs = [
            (o, w.astype(o.dtype))
            for o, w in zip(run(), weights, strict=True)
            if isinstance(o, Tensor) and o.requires_grad
        ]
        if not pairs:
            return [None] * len(leaves)
        outputs, cotangents = map(list, zip(*pairs, strict=True))
        return list(grad(outputs, [p for _, p in leaves], cotangents, create_graph=create_graph, allow_unused=True))


def _gradient_of(run: Run, weights: list[np.ndarray], leaves: Named) -> Run:
    """The function whose outputs are the gradients of `run`."""

    def gradients() -> list[Any]:
        found = _gradients(run, weights, leaves, create_graph=True)
        return [np.zeros(p.shape) if g is None else g for g, (_, p) in zip(found, leaves, strict=True)]

    return gradients


# Comparing


def _compare(
    run: Run,
    weights: list[np.ndarray],
    least: list[np.ndarray],
    leaves: Named,
    rtol: float,
    rng: np.random.Generator,
    order: int,
) -> tuple[list[InputRecord], list[np.ndarray]]:
    """A record for every leaf, and the sizes that rounding errors of their gradients are relative to."""
    analytic = _gradients(run, weights, leaves, create_graph=False)
    steepest = max(0.0 if g is None else _largest(g.array) for g in analytic)
    differences = Differences(lambda: _values(run), weights, least)
    records, sizes = [], []
    for (name, p), g in zip(leaves, analytic, strict=True):
        claimed = np.zeros(p.shape) if g is None else g.array
        natural = max(steepest, differences.size(p.array, rng) / max(1.0, _largest(p.array)))
        scale = _largest(claimed)
        # A gradient that is zero to rounding has no scale of its own; that of all the others takes its place.
        vanishes = scale <= VANISHING * natural
        worst = blank = InputRecord(name, p.shape, order)
        kinks, size = 0, np.zeros(p.shape)
        for index in np.ndindex(p.shape):
            fields, size[index] = _element(differences, p.array, index, float(claimed[index]), rtol)
            element = _judged(replace(blank, index=index, **fields), rtol, natural if vanishes else scale)
            kinks += element.kinks
            if worst is blank or element.badness > worst.badness:
                worst = element
        note = worst.note
        if g is None and worst.verdict == FAIL:
            note = "no path in the graph leads to it, but the differences are not zero"
        elif not note and kinks:
            note = f"kinks at {kinks} of its elements; the gradient there is between the slopes of both sides"
        elif not note and vanishes and scale > 0:
            note = "its gradient is zero to rounding"
        sizes.append(np.full(p.shape, natural) if vanishes else size / np.maximum(1.0, np.abs(p.array)))
        records.append(replace(worst, kinks=kinks, note=note))
    return records, sizes


def _element(
    differences: Differences, array: np.ndarray, index: tuple[int, ...], claimed: float, rtol: float
) -> tuple[dict[str, Any], float]:
    """What was found for one element, as fields of its record, and how large the outputs are that depend on it."""
    slope = differences.slope(array, index, claimed, rtol)
    kink = False
    if math.isfinite(claimed) and not _agree(claimed, slope.value, slope.bar, rtol):
        sides = differences.sides(array, index)
        if sides is not None:
            kink = sides[0] <= claimed <= sides[1]
        else:  # before this is called wrong: is the function noisier than its rounding?
            noise = differences.noise(array, index, slope.step)
            slope = differences.slope(array, index, claimed, rtol, noise)
    size = max(abs(claimed), abs(slope.value))
    relative = abs(claimed - slope.value) / size if size else 0.0
    fields = {"analytic": claimed, "numeric": slope.value, "relative_error": relative, "error_bar": slope.bar}
    return {**fields, "kinks": int(kink)}, slope.size


def _agree(analytic: float, numeric: float, bar: float, rtol: float) -> bool:
    return abs(analytic - numeric) <= rtol * max(abs(analytic), abs(numeric)) + bar


def _judged(r: InputRecord, rtol: float, scale: float) -> InputRecord:
    """The record of an element with its verdict; `scale` is that of the gradient it is part of."""
    if not math.isfinite(r.analytic):
        return replace(r, verdict=FAIL, note=f"the gradient at {r.index} is {r.analytic}")
    if r.kinks:
        return r
    if not math.isfinite(r.numeric):
        return replace(r, verdict=FAIL, note=f"the differences at {r.index} are not finite")
    if not _agree(r.analytic, r.numeric, r.error_bar, rtol):
        return replace(r, verdict=FAIL)
    if r.error_bar > RESOLUTION * scale:
        note = f"the differences at {r.index} are too inexact to tell; try other inputs"
        return replace(r, verdict=INCONCLUSIVE, note=note)
    return r


# Finding what is wrong


def _first_wrong(run: Run, rtol: float, order: int) -> str:
    """Check the rule of every operation of the graph by itself, in the order they ran, and name the first wrong one."""
    with enable_grad(), record():
        outputs = [o for o in run() if isinstance(o, Tensor) and o.node is not None]
    for node in reversed(ordered(o.node for o in outputs)):
        if node.trace is None:
            continue
        made = node.parents[0] if node.plan is PICK else node
        operation, given = node.trace.primitive, list(node.trace.inputs)
        apply = applier(operation) if isinstance(operation, Primitive) else operation.function.apply
        places = [i for i, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]

        def alone(*moved: Any, apply: Any = apply, given: Any = given, places: Any = places, made: Any = made) -> Any:
            filled = dict(zip(places, moved, strict=True))
            return apply(*(filled.get(i, x) for i, x in enumerate(given)), **made.params)

        report = gradcheck(alone, [given[i].detach() for i in places], order=order, rtol=rtol, locate=False)
        if report.verdict == FAIL:
            wrong = next(r for r in report.records if r.verdict == FAIL) if report.records else None
            which = f" (argument {places[int(wrong.name[7:-1])]}, order {wrong.order})" if wrong else ""
            return f"the first operation that fails by itself is {operation.name}{which}, called at {node.trace.line}"
    return "every operation's own rule is right; is a value taken out of the graph, by detach() or as a number?"
