"""One training step of a person's model, watched, and taken back.

A step is run as it is, forward, loss, backward, update, while every operation and every module call is noted.  It is
run on copies of the arrays of the parameters and buffers, by a copy of the optimizer, and from a remembered place of
the random streams: when it is over everything is what it was, to the last bit.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from autograd_core import Generator, Tensor, TracingError, detect_anomaly, enable_grad, grad, modes, no_grad, record
from autograd_core.anomaly import AnomalyError
from autograd_core.creation import default_generator
from autograd_core.graph import caller
from autograd_core.nn import Module
from autograd_core.optim import Optimizer
from autograd_core.primitive import Primitive

__all__ = [
    "Call",
    "Examination",
    "Operation",
    "Run",
    "examination",
    "features",
    "meets_weights",
    "place",
    "tensors_in",
]


class Operation(NamedTuple):
    """One application of a primitive."""

    primitive: Primitive
    args: tuple[Any, ...]
    params: dict[str, Any]
    out: Any
    """A tensor, or a tuple of them."""
    line: str
    """``file:line`` of the code that asked for it."""
    modules: tuple[Any, ...]
    """The modules it was applied in, the outermost first; empty where nothing before it requires a gradient."""

    @property
    def name(self) -> str:
        """The primitive's name."""
        return self.primitive.name


class Call(NamedTuple):
    """One call of a module."""

    path: str
    module: Module
    args: tuple[Any, ...]
    output: Any


@dataclass
class Run:
    """What happened in one forward and backward pass."""

    outputs: Any = None
    loss: Any = None
    operations: list[Operation] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    boundary: int = 0
    """How many of the operations belong to the model; the others are the loss's."""
    gradients: dict[str, np.ndarray | None] = field(default_factory=dict)
    """By parameter name, of those that require one; None where no path leads to one."""
    output_gradients: dict[int, np.ndarray] = field(default_factory=dict)
    """Of the tensors that modules gave, by their id."""
    data: list[np.ndarray] = field(default_factory=list)
    """What the person feeds, as it reaches the first trained weights: after any fixed transformation, and with the
    features in the last dimension."""

    @property
    def value(self) -> float:
        """The loss."""
        return float(self.loss.array)

    @property
    def finite(self) -> bool:
        """Whether the loss and all gradients are."""
        arrays = [self.loss.array, *(g for g in self.gradients.values() if g is not None)]
        return all(bool(np.isfinite(a).all()) for a in arrays)


@functools.cache
def meets_weights(primitive: Primitive) -> bool:
    """Whether it is one of the operations by which weights meet their input, such as products and convolutions.

    They are linear in each of two arrays, and not elementwise.  The derivative rules show it: each names the other
    array, and neither its own nor the output.
    """
    several = primitive.variadic_rule, primitive.variadic_rule
    first, second = (*primitive.rules[:2], None, None)[:2] if primitive.variadic is None else several
    if primitive.elementwise or first is None or second is None:
        return False
    named = [set(inspect.signature(rule).parameters) for rule in (first, second)]
    if primitive.variadic is not None:
        return primitive.variadic in named[0] and "out" not in named[0]
    a, b = primitive.arrays[:2]
    return b in named[0] and a in named[1] and not named[0] & {a, "out"} and not named[1] & {b, "out"}


def features(operation: Operation) -> int:
    """The dimension that counts the features, in the input and the result of what meets weights."""
    if "axis" in operation.params:
        return int(operation.params["axis"][0])
    return 1 if "groups" in operation.params else operation.out.ndim - 1


def place(e: Examination, operation: Operation) -> str:
    """The path of the module that an operation was applied in."""
    path = e.paths.get(id(operation.modules[-1]), "") if operation.modules else ""
    return path or "model"


def tensors_in(tree: Any) -> list[Tensor]:
    """All tensors in nested lists, tuples and dicts, in order."""
    if isinstance(tree, Tensor):
        return [tree]
    if isinstance(tree, (list, tuple)):
        return [t for part in tree for t in tensors_in(part)]
    return tensors_in(list(tree.values())) if isinstance(tree, Mapping) else []


def _detached(tree: Any) -> Any:
    """The same inputs, which require no gradient."""
    if isinstance(tree, Tensor):
        return tree.detach()
    if isinstance(tree, Mapping):
        return {name: _detached(part) for name, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [_detached(part) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return tree


def _called(model: Module, inputs: Any) -> Any:
    """The model on inputs: a tensor, several by position, or several by name."""
    if isinstance(inputs, Mapping):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, (list, tuple)) else model(inputs)


class Examination:
    """A model, its loss and its optimizer on a batch; made by :func:`examination`, and good within its block.

    Attributes
    ----------
    parameters : all parameters of the model and of a loss that is a module, by name
    paths : the modules' paths, by their id
    """

    def __init__(self, model: Module, loss: Callable[..., Any], batch: Any, optimizer: Optimizer | None) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.inputs, self.targets = _split(batch)
        self.parameters = dict(model.named_parameters())
        self.paths = {id(module): path for path, module in model.named_modules()}
        if isinstance(loss, Module):
            self.parameters |= {f"loss.{name}": p for name, p in loss.named_parameters()}
        self.generators = _generators(model, loss)
        self.streams = [copy.deepcopy(g.bit_generator.state) for g in self.generators]
        self.modes = {module: module.training for module in model.modules()}

    def restart(self) -> None:
        """Let the random streams begin where they stood."""
        for generator, state in zip(self.generators, self.streams, strict=True):
            generator.bit_generator.state = copy.deepcopy(state)

    def forward(self) -> tuple[Any, Any]:
        """The outputs and the loss."""
        outputs = _called(self.model, _detached(self.inputs))
        return outputs, self.judged(outputs)

    def judged(self, outputs: Any) -> Any:
        """The loss of outputs, a scalar tensor."""
        value = self.loss(outputs) if self.targets is None else self.loss(outputs, self.targets)
        if not isinstance(value, Tensor) or value.array.size != 1 or not value.is_floating_point():
            given = f"shape {value.shape}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
            raise ValueError(f"doctor: the loss must be one floating number, got {given}; take its mean()")
        return value

    def value(self) -> float:
        """The loss now, with the random numbers of the first run."""
        self.restart()
        with no_grad(), np.errstate(all="ignore"):
            return float(self.forward()[1].array)

    def outputs(self) -> list[np.ndarray]:
        """The outputs now, with the random numbers of the first run."""
        self.restart()
        with no_grad(), np.errstate(all="ignore"):
            return [t.array for t in tensors_in(_called(self.model, _detached(self.inputs)))]

    # Forward and backward

    def run(self) -> Run:
        """One forward and backward pass, with all that happened in it."""
        run = Run()
        self.restart()
        handles = [m.register_forward_hook(self._noting(run, path)) for path, m in self.model.named_modules()]
        try:
            with np.errstate(all="ignore"), enable_grad(), record(), self._listening(run):
                run.outputs = _called(self.model, _detached(self.inputs))
                run.boundary = len(run.operations)
                run.loss = self.judged(run.outputs)
        finally:
            for handle in handles:
                handle.remove()
        self._differentiate(run)
        run.data = self._weighted_data(run)
        return run

    def _noting(self, run: Run, path: str) -> Callable[..., None]:
        def note(module: Module, args: tuple[Any, ...], output: Any) -> None:
            run.calls.append(Call(path, module, args, output))

        return note

    @contextlib.contextmanager
    def _listening(self, run: Run) -> Iterator[None]:
        recording = modes.current().listener
        assert recording is not None

        def listen(primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any], out: Any) -> None:
            recording(primitive, args, params, out)
            results = out if isinstance(out, tuple) else (out,)
            trace = next((r.node.trace for r in results if r.node is not None), None)
            modules = () if trace is None else trace.modules
            run.operations.append(Operation(primitive, args, params, out, caller(), modules))

        with modes.change(listener=listen):
            yield

    def _differentiate(self, run: Run) -> None:
        """The gradients of the loss by all parameters, and by all that modules gave."""
        wanted = {name: p for name, p in self.parameters.items() if p.requires_grad}
        given = {id(t): t for call in run.calls for t in tensors_in(call.output) if t.requires_grad}
        run.gradients = dict.fromkeys(wanted)
        sources = [*wanted.values(), *given.values()]
        if not sources or not run.loss.requires_grad:
            return
        with np.errstate(all="ignore"), enable_grad():
            found = grad(run.loss.reshape(()), sources, allow_unused=True, retain_graph=True)
        arrays = [None if g is None else g.array for g in found]
        run.gradients = dict(zip(wanted, arrays, strict=False))
        rest = zip(given, arrays[len(wanted) :], strict=True)
        run.output_gradients = {key: array for key, array in rest if array is not None}

    def _weighted_data(self, run: Run) -> list[np.ndarray]:
        fed = {id(t) for t in tensors_in(self.inputs)}
        kept = {id(t.array) for t in tensors_in(self.inputs)}
        found: dict[int, np.ndarray] = {}
        for operation in run.operations[: run.boundary]:
            tensors = [a for a in operation.args if isinstance(a, Tensor)]
            derived = [a for a in tensors if id(a) in fed or id(a.array) in kept]
            fed.update(id(o) for o in tensors_in(operation.out) if derived)
            if not meets_weights(operation.primitive) or not any(a.requires_grad for a in tensors):
                continue
            for a in derived:
                if not a.requires_grad:
                    found[id(a)] = np.moveaxis(a.array, min(features(operation), a.ndim - 1), -1)
        return list(found.values())

    def origin(self) -> str:
        """The story of the first non-finite value that reaches the loss or a gradient; empty if there is none."""
        self.restart()
        wanted = [p for p in self.parameters.values() if p.requires_grad]
        try:
            with np.errstate(all="ignore"), enable_grad(), detect_anomaly():
                _, loss = self.forward()
                if wanted and loss.requires_grad:
                    grad(loss.reshape(()), wanted, allow_unused=True)
        except AnomalyError as error:
            return str(error)
        return ""

    # The update

    def step(self, gradients: dict[str, np.ndarray | None], number: int = 1) -> dict[str, np.ndarray]:
        """What a step of the optimizer adds to each parameter; the parameters are left as they are.

        By the `number`-th step with these gradients; after the first, rates are no lower than what their schedule
        starts from, "initial_lr".
        """
        assert self.optimizer is not None
        owned = [p for group in self.optimizer.param_groups for p in group["params"]]
        name_of = {id(p): name for name, p in self.parameters.items()}
        watched = vars(self.optimizer).get("step")  # by a Doctor, which is not to be copied
        trial = copy.deepcopy(self.optimizer, {id(shared): shared for shared in (*owned, watched)})
        start = [p.array.copy() for p in owned]
        for p in owned:
            g = gradients.get(name_of.get(id(p), ""))
            p.grad = None if g is None else Tensor(g)
        known = [True]

        def closure() -> Any:  # the first time, the gradients are there already
            if not known:
                trial.zero_grad()
                self.restart()
                value = self.forward()[1]
                value.backward()
                return value
            return known.pop()

        try:
            # Somebody listens, so the update is not compiled for this one time.
            with np.errstate(all="ignore"), modes.change(listener=lambda *application: None):
                for k in range(number):
                    before = [p.array.copy() for p in owned]
                    for group in trial.param_groups if k else ():
                        group["lr"] = max(group["lr"], group.get("initial_lr", group["lr"]))
                    type(trial).step(trial, closure)
            moved = {name_of.get(id(p), ""): p.array - b for p, b in zip(owned, before, strict=True)}
        finally:
            for p, array in zip(owned, start, strict=True):
                p.array[...] = array
                p.grad = None
        moved.pop("", None)
        return moved

    @contextlib.contextmanager
    def moved(self, by: Mapping[str, np.ndarray]) -> Iterator[None]:
        """The parameters elsewhere for a while."""
        before = {name: self.parameters[name].array for name in by}
        try:
            for name, change in by.items():
                self.parameters[name].array = before[name] + change.astype(before[name].dtype, copy=False)
            yield
        finally:
            for name, array in before.items():
                self.parameters[name].array = array


def _split(batch: Any) -> tuple[Any, Any]:
    """Inputs and targets: the last of a tuple or list are the targets."""
    if isinstance(batch, (tuple, list)):
        if len(batch) < 2:
            raise ValueError(
                f"doctor: a batch is (inputs, targets), or inputs alone, got a {type(batch).__name__} of one"
            )
        *inputs, targets = batch
        return (inputs[0] if len(inputs) == 1 else tuple(inputs)), targets
    return batch, None


def _generators(*owners: Any) -> list[np.random.Generator]:
    """The random stream of this thread, and those that modules keep."""
    found = {id(default_generator().numpy): default_generator().numpy}
    for owner in owners:
        for module in owner.modules() if isinstance(owner, Module) else ():
            for value in vars(module).values():
                stream = value.numpy if isinstance(value, Generator) else value
                if isinstance(stream, np.random.Generator):
                    found[id(stream)] = stream
    return list(found.values())


@contextlib.contextmanager
def examination(
    model: Any, loss: Any, batch: Any, optimizer: Optimizer | None = None, training: bool | None = None
) -> Iterator[Examination]:
    """A block in which a model can be run and changed; everything is restored afterwards, also after an error.

    Parameters
    ----------
    model, loss, batch, optimizer : as for :func:`doctor`
    training : the mode to run in; None for that of each module
    """
    if not isinstance(model, Module):
        raise TypeError(f"doctor: expected model to be a Module, got a {type(model).__name__}")
    if not callable(loss):
        raise TypeError(f"doctor: expected loss to be a function of outputs and targets, got a {type(loss).__name__}")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeError(f"doctor: expected an optimizer or None, got a {type(optimizer).__name__}")
    if modes.recorder() is not None:
        raise TracingError("doctor: it cannot be part of a compiled function; call it outside")
    modules = [*model.modules(), *(loss.modules() if isinstance(loss, Module) else ())]
    owned = [(vars(module), dict(vars(module))) for module in modules]
    groups = [] if optimizer is None else optimizer.param_groups
    tensors = {id(t): t for m in modules for t in (*m.parameters(recurse=False), *m.buffers(recurse=False))}
    tensors |= {id(p): p for group in groups for p in group["params"]}
    kept = [(t, t.array, t.grad) for t in tensors.values()]
    subject = Examination(model, loss, batch, optimizer)
    try:
        for t, array, _ in kept:
            t.array, t.grad = array.copy(), None
        for own, _ in owned:
            own["_hooks"] = {kind: list(hooks) for kind, hooks in own["_hooks"].items()}
        if training is not None:
            model.train(training)
        yield subject
    finally:
        for own, before in owned:
            own.clear()
            own.update(before)
        for t, array, gradient in kept:
            t.array, t.grad = array, gradient
        subject.restart()
