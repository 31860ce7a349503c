"""A loop whose body is a recorded program, forward and backward, as NumPy code.

The body is recorded once, together with its gradient.  What its results depend on is the body of the forward loop.  The
rest is that of the backward loop, which goes through the steps in the opposite order, and takes from a list what the
forward loop kept for it.  What depends on constants alone is computed before either.  The rules are those of the
engine, but nothing has to be looked up, linked or sorted in every step; where arrays are small, that is what costs
most.

The forward loop of ``h = tanh(x + h @ w)``, which gives h in every step (v0s has the x of all steps)::

    def forward(carry, xs, constants, order, kept, ys):
        v1, = carry
        v0s, = xs
        v2, = constants
        y0s, = ys
        for t in order:
            v0 = v0s[t]
            v3 = matmul(v1, v2)
            v4 = add(v0, v3)
            v5 = tanh(v4)
            if kept is not None:
                kept.append((v1, v5,))
            y0s[t] = v5
            v1, = v5,
        return v1,
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import autograd, modes
from ..primitive import NUMPY, REGISTRY
from ..tensor import Tensor, wrap
from ..traced import TracingError
from .passes import SIMPLER, dead_code
from .program import EFFECTS, Argument, Constant, Instruction, Operand, Program, Result, Value
from .recorder import record
from .trees import grouped, unflatten

__all__ = ["Loop"]

Step = Callable[[list[Any], list[Any], list[Any]], tuple[list[Any], list[Any]]]
"""From the state, what there is for this step, and the constants: to the next state, and what the step gives.  All are
lists of tensors."""


UFUNCS: dict[str, Any] = {
    function.record.name: ufunc
    for ufunc, function in NUMPY.items()
    if isinstance(ufunc, np.ufunc) and hasattr(function, "record")
}
"""The primitives that are a function of NumPy's and nothing else."""


class Loop:
    """The forward and the backward loop for arguments of these shapes and dtypes.

    Parameters
    ----------
    step : the body
    carry, xs, constants : lists of arrays
        The arguments of one step.
    linked : for each of those, whether its gradient is wanted

    Attributes
    ----------
    ys : list of arrays
        What the step gave for these arguments.
    linked : as it was given
    depends : for the state and the ys, whether they depend on something linked
    source : str
        The code of both loops.
    forward : function of (carry, xs, constants, order, kept, ys) to the state after the last step
        Writes into `ys`, of one row for each step, and appends to `kept`, if that is not None.
    backward : function of (g_carry, g_ys, xs, constants, order, kept) to the gradients by carry, xs and constants
        `order` and `kept` are those of the forward loop.  There is one only if something is linked.

    Raises
    ------
    TracingError
        If the step cannot be recorded, or is more than a function of its arguments.
    """

    def __init__(
        self,
        step: Step,
        carry: list[np.ndarray],
        xs: list[np.ndarray],
        constants: list[np.ndarray],
        linked: Sequence[bool],
    ) -> None:
        given, parts = [*carry, *xs, *constants], (len(carry), len(xs), len(constants))
        self.linked = list(linked)
        found = _first(step, given, parts)
        self.ys = found[len(carry) :]
        given += [np.zeros_like(a) for a in found]
        program, inputs, results, grads, self.depends = _recorded(step, given, parts, linked)
        body = _Body(program, inputs, results, grads, given, parts)
        self.source = body.forward() + (body.backward() if any(linked) else "")
        exec(compile(self.source, "<scan>", "exec"), body.names)
        self.forward = body.names["forward"]
        self.backward = body.names.get("backward")


def _first(step: Step, given: list[np.ndarray], parts: Sequence[int]) -> list[np.ndarray]:
    """What the step gives for these arguments; in a recording, so that nothing else happens."""
    with modes.change(grad=False):
        recording = record(lambda inputs: step(*grouped(inputs, parts)), ([wrap(a) for a in given],))
    recording.restore()
    after, ys = unflatten(
        recording.structure,
        [given[x.position] if isinstance(x, Argument) else recording.values[x] for x in recording.returned],
    )
    return [*after, *ys]


def _recorded(
    step: Step, given: list[np.ndarray], parts: Sequence[int], linked: Sequence[bool]
) -> tuple[Program, list[Value], list[Operand], list[Operand | None], list[bool]]:
    """A step together with its gradient.

    Gives the program; its inputs, which are the step's and then the gradients of what it gives; what the step gives;
    the gradients by the step's inputs, None where there is none; and whether what it gives has a gradient.
    """
    many = len(linked)

    def joint(inputs: list[Tensor], cotangents: list[Tensor]) -> Any:
        after, ys = step(*grouped(inputs, parts))
        found = [*after, *ys]
        depends = [t.requires_grad for t in found]
        wanted = [i for i, needed in enumerate(linked) if needed]
        grads: list[Any] = [None] * many
        if any(depends):
            outputs = [t for t in found if t.requires_grad]
            seeds = [g for g, depending in zip(cotangents, depends, strict=True) if depending]
            by = autograd.grad(outputs, [inputs[i] for i in wanted], seeds, allow_unused=True)
            for i, g in zip(wanted, by, strict=True):
                grads[i] = g
        return found, grads, depends

    tensors = [wrap(a) for a in given]
    for t, needed in zip(tensors, linked, strict=False):
        t.requires_grad_(needed)
    with modes.change(grad=True):
        recording = record(joint, (tensors[:many], tensors[many:]))
    recording.restore()
    program = recording.program
    if recording.guards or not all(isinstance(s, (Argument, Constant)) for s in program.inputs.values()):
        raise TracingError("scan: the step depends on something that is not among its arguments")
    inputs = [v for v, source in program.inputs.items() if isinstance(source, Argument)]
    for transformed in SIMPLER:
        program = transformed(program)
    kept = [x for _, x in program.outputs]
    results = [inputs[x.position] if isinstance(x, Argument) else kept[x] for x in recording.returned]
    return program, inputs, *unflatten(recording.structure, results)


class _Body:
    """The text of the loops around a recorded step.

    Attributes
    ----------
    names : what the text refers to
    once, each, late : the lines of what depends on constants alone, of what depends on gradients, and of all else
    kept : the values that the backward loop needs of the forward loop
    """

    def __init__(
        self,
        program: Program,
        inputs: list[Value],
        results: list[Operand],
        grads: list[Operand | None],
        given: list[np.ndarray],
        parts: tuple[int, int, int],
    ) -> None:
        states, count = parts[0], len(results)
        self.carry, self.xs, self.constants, self.g_carry, self.g_ys = grouped(inputs, [*parts, states, count - states])
        self.after, self.ys = results[:states], results[states:]
        self.names: dict[str, Any] = {"np": np}
        self._numbers: dict[Value, int] = {}
        self.grads = grouped([self._array(g, of) for g, of in zip(grads, inputs, strict=False)], parts)
        self.grads[0] = [g or self._array(0.0, of) for g, of in zip(self.grads[0], self.carry, strict=True)]
        self.once: list[str] = []
        self.each: list[str] = []
        self.late: list[str] = []
        self.kept: list[Value] = []
        self.products = self._products(program)
        self._sort(program, dict(zip(inputs, given, strict=True)))

    def _products(self, program: Program) -> dict[Value, tuple[Value, Value]]:
        """The gradients by constants that are a product ``x.T @ y`` in every step, with x and y.

        Their sum over the steps is the product of all rows of x with all rows of y.
        """
        makers, uses = program.makers(), program.uses()
        found: dict[Value, tuple[Value, Value]] = {}
        for g in self.grads[2]:
            product = makers.get(g) if isinstance(g, Value) and uses[g] == 1 else None
            if product is not None and product.name == "matmul":
                left, y = product.values
                turned = makers.get(left)
                if turned is not None and turned.name == "permute" and left.ndim == y.ndim == 2:
                    found[g] = turned.values[0], y
        return found

    def _sort(self, program: Program, known: dict[Value, Any]) -> None:
        """Put the instructions where they belong, and find out what to call for them."""
        forward = {v for i in _needed_for(program, [*self.after, *self.ys]) for v in i.results}
        fixed, late = set(self.constants), set(self.g_carry + self.g_ys)
        for value, source in program.inputs.items():
            if isinstance(source, Constant):
                self.names[self.name(value)] = known[value] = source.array
                fixed.add(value)
        read = [x for grads in self.grads for g in grads for x in self.products.get(g, (g,))]
        for i in _needed_for(program, [*self.after, *self.ys, *filter(None, read)]):
            function, outs = _called(i, [known[x] if isinstance(x, Value) else x for x in i.operands])
            known.update(zip(i.results, outs, strict=True))
            called = i.name if self.names.setdefault(i.name, function) is function else f"{i.name}_{len(self.names)}"
            self.names[called] = function
            line = f"{self.tuple(i.results)}= {called}({', '.join(map(self.name, i.operands))})"
            if len(i.results) == 1:
                line = f"{self.name(i.result)} = {called}({', '.join(map(self.name, i.operands))})"
            if fixed.issuperset(i.values):
                self.once.append(line)
                fixed.update(i.results)
            elif forward.issuperset(i.results):
                self.each.append(line)
            else:
                self.late.append(line)
                late.update(i.results)
                read += i.operands
        elsewhere = {*fixed, *late, *self.xs}
        here = {*self.carry, *(v for i in program.instructions for v in i.results)}
        self.kept = [v for v in dict.fromkeys(read) if v in here and v not in elsewhere]

    def name(self, x: Operand) -> str:
        """How a value, or a number, is written."""
        if isinstance(x, Value):
            return f"v{self._numbers.setdefault(x, len(self._numbers))}"
        return repr(x) if math.isfinite(x) else f"float('{x}')"

    def _array(self, g: Operand | None, of: Value) -> Value | None:
        """A gradient that is known already as the value of an array."""
        if g is None or isinstance(g, Value):
            return g
        known = Value(of.shape, of.dtype)
        self.names[self.name(known)] = np.full(of.shape, g, of.dtype)
        return known

    def tuple(self, values: Iterable[Operand], end: str = "") -> str:
        """As in ``v1, v2,``; `end` is put after each name."""
        return "".join(f"{self.name(x)}{end}, " for x in values)

    def assigned(self, values: Sequence[Operand], expression: str, end: str = "") -> list[str]:
        """The line that names the parts of a sequence, if there are any."""
        return [f"{self.tuple(values, end)}= {expression}"] if values else []

    def forward(self) -> str:
        """The text of the forward loop."""
        loop = [f"{self.name(x)} = {self.name(x)}s[t]" for x in self.xs] + self.each
        if self.kept:
            loop += ["if kept is not None:", f"    kept.append(({self.tuple(self.kept)}))"]
        loop += [f"y{k}s[t] = {self.name(y)}" for k, y in enumerate(self.ys)]
        loop += self.assigned(self.carry, self.tuple(self.after))
        start = [
            *self.assigned(self.carry, "carry"),
            *self.assigned(self.xs, "xs", "s"),
            *self.assigned(self.constants, "constants"),
            *(f"y{k}s = ys[{k}]" for k in range(len(self.ys))),
            *self.once,
        ]
        return _function(
            "forward(carry, xs, constants, order, kept, ys)", start, "for t in order:", loop,
            f"({self.tuple(self.carry)})",
        )  # fmt: skip

    def backward(self) -> str:
        """The text of the backward loop."""
        by_carry, by_xs, by_constants = self.grads
        factors = [v for pair in self.products.values() for v in pair]
        given = {*self.xs, *self.g_ys}
        rows = [v for v in dict.fromkeys([*by_xs, *factors]) if v is not None and v not in given]
        sums = [g for g in dict.fromkeys(by_constants) if g is not None and g not in self.products]
        start = [
            *self.assigned(self.g_carry, "g_carry"),
            *self.assigned(self.g_ys, "g_ys", "s"),
            *self.assigned(self.xs, "xs", "s"),
            *self.assigned(self.constants, "constants"),
            *self.once,
            *(f"{self.name(v)}s = np.empty((len(order), *{v.shape}), '{v.dtype}')" for v in rows),
            *(f"{self.name(g)}t = np.zeros({g.shape}, '{g.dtype}')" for g in sums),
        ]
        loop = [
            *(f"{self.name(x)} = {self.name(x)}s[t]" for x in (*self.xs, *self.g_ys)),
            *self.late,
            *(f"{self.name(v)}s[t] = {self.name(v)}" for v in rows),
            *(f"np.add({self.name(g)}t, {self.name(g)}, {self.name(g)}t)" for g in sums),
            *self.assigned(self.g_carry, self.tuple(by_carry)),
        ]
        end = [
            f"{self.name(g)}t = {self.name(x)}s.reshape(-1, {x.shape[1]}).T @ {self.name(y)}s.reshape(-1, {y.shape[1]})"
            for g, (x, y) in self.products.items()
        ]
        seen = {f"{self.name(v)}s" for v in given}  # what is returned is nobody else's
        returned = [self.tuple(self.g_carry)]
        for grads, suffix in ((by_xs, "s"), (by_constants, "t")):
            names = [g if g is None else f"{self.name(g)}{suffix}" for g in grads]
            returned.append("".join(f"{n}.copy(), " if n in seen else f"{n}, " for n in names))
            seen.update(filter(None, names))
        kept = f"({self.tuple(self.kept)})" if self.kept else "_"
        return _function(
            "backward(g_carry, g_ys, xs, constants, order, kept)",
            start,
            f"for t, {kept} in zip(reversed(order), {'reversed(kept)' if self.kept else 'order'}):",
            loop,
            ", ".join(f"({x})" for x in returned),
            end,
        )


def _function(head: str, start: list[str], loop: str, body: list[str], result: str, end: Sequence[str] = ()) -> str:
    lines = [*start, loop, *_indented(body or ["pass"]), *end, f"return {result}"]
    return "\n".join([f"def {head}:", *_indented(lines), "", ""])


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _needed_for(program: Program, kept: Iterable[Operand]) -> list[Instruction]:
    """The instructions that these values depend on."""
    outputs = [(Result(k), x) for k, x in enumerate(kept)]
    return dead_code(Program(program.inputs, program.instructions, outputs)).instructions


def _called(i: Instruction, operands: list[Any]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """What to call for an instruction, and what that gives for these operands.

    The forward as it is, if what it gives is what the program says; else with the engine's care for dtypes.
    """
    if i.name in EFFECTS:
        raise TracingError(f"scan: a step with {i.name} ({i.line}) is not a function of its arguments alone")
    primitive = REGISTRY[i.name].record
    function = UFUNCS.get(i.name) or primitive.forward
    if i.params:
        function = functools.partial(function, **i.params)
    out = function(*operands)
    outs = out if isinstance(out, tuple) else (out,)
    if not all(isinstance(o, np.ndarray) and o.dtype == v.dtype for o, v in zip(outs, i.results, strict=True)):

        def function(*values: Any) -> Any:
            return primitive.compute(list(values), i.params)

        out = function(*operands)
    return function, out if isinstance(out, tuple) else (out,)
