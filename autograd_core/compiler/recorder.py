"""Recording: one run of ordinary code, written down as a program.

The function runs on stand-ins (`traced.Traced`).  Every primitive it applies is computed right away, on what the
stand-ins really are, and becomes an instruction.  So the recording has the shapes, dtypes and errors of eager code by
construction.

Nothing real is changed meanwhile.  Writes into tensors, gradients and the state of optimizers go to the recorder, which
lists in the end what has become of them; an exception leaves everything as it was.
"""

from __future__ import annotations

import gc
import operator
import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from .. import modes
from ..dtypes import as_array
from ..graph import changes, owner
from ..inplace import _addresses, _positions
from ..ops.casting import cast
from ..ops.indexing import _gather
from ..ops.shape import broadcast_to
from ..ops.writing import _scatter
from ..primitive import NUMPY, REGISTRY, Primitive
from ..tensor import Tensor, leaf_hooks, wrap
from ..traced import Number, Traced, TracingError, caller, here, place, refuse
from .program import (
    Argument,
    Captured,
    Constant,
    Gradient,
    Instruction,
    Operand,
    Option,
    Program,
    Result,
    Source,
    State,
    Target,
    Value,
)
from .trees import Structure, flatten, unflatten

__all__ = ["Guard", "Recorder", "Recording", "record"]


class Guard(NamedTuple):
    """Something the recording depends on: it holds as long as ``read()`` gives `value`.

    What is `versioned` can only have changed if ``modes.facts.version`` has; what has `mappings` only if one of these
    is not equal to what it was.
    """

    read: Callable[[], Any]
    value: Any
    versioned: bool = False
    mappings: tuple[Any, ...] = ()


class Recording(NamedTuple):
    """A recorded run.

    Attributes
    ----------
    program : Program
    values : list
        What the run gave for each of ``program.outputs``, arrays (or numbers, for weak values).
    structure : Structure
        What the function returned, without its tensors and arrays.
    returned : list
        For each of those: the position of the ``Result``, or the captured tensor or ``Argument`` that it is itself.
    guards : list of Guard
    cleared : list
        Tensors (or argument positions) whose ``grad`` is None in the end.
    commit : list of callables
        To be called once what the run gave is delivered: they put the tensors it made for optimizers in their places.
    restore : callable
        Takes back what cannot be helped to happen while recording: that random numbers were drawn.
    """

    program: Program
    values: list[Any]
    structure: Structure
    returned: list[Any]
    guards: list[Guard]
    cleared: list[Any]
    commit: list[Callable[[], None]]
    restore: Callable[[], None]


class _Grad:
    """The ``grad`` of a tensor from outside, as it is in the recording."""

    def __init__(self, tensor: Tensor, read: bool) -> None:
        self.tensor, self.before, self.read = tensor, tensor._grad, read
        self.now = self.before


class _State:
    """What an optimizer remembers of a parameter, as it is in the recording."""

    def __init__(self, optimizer: Any, p: Tensor) -> None:
        self.optimizer, self.p = optimizer, p
        self.now: dict[str, Tensor] = dict(optimizer.state.get(p, {}))
        self.before: dict[str, Tensor] = {}

    def commit(self) -> None:
        """Let the optimizer remember it."""
        state = self.optimizer.state[self.p]
        if state.keys() != self.now.keys():
            state.update(self.now)
            modes.facts.version += 1


def _as_recorded(groups: list[Any], states: list[Any]) -> bool:
    """Whether optimizers have the same parameters, and remember in the same tensors."""
    for optimizer, before in groups:
        now = [p for group in optimizer.param_groups for p in group["params"]]
        if len(now) != len(before):
            return False
        if any(p is not q or p._requires_grad is not needs for p, (q, needs) in zip(now, before, strict=True)):
            return False
    for optimizer, p, before in states:
        state = optimizer.state.get(p, {})
        if state.keys() != before.keys() or any(state[field] is not value for field, value in before.items()):
            return False
    return True


class Recorder:
    """Takes the place of computing while a function runs; see `modes.Mode.recorder`."""

    def __init__(self) -> None:
        self.inputs: dict[Value, Source] = {}
        self.instructions: list[Instruction] = []
        self.guards: list[Guard] = []
        self.commit: list[Callable[[], None]] = []
        self._cells: dict[int, Traced] = {}  # of captured tensors, by the id of their array
        self._captured: list[tuple[Tensor, Traced, Value, bool, tuple[Any, ...]]] = []
        self._owners: dict[int, list[tuple[Traced, np.ndarray]]] = {}  # what is captured of each memory
        self._constants: dict[int, Value] = {}
        self._known: set[Operand] = set()  # the values that are the same in every call
        self._kept: list[Any] = []  # so that no id is used twice
        self._arguments: list[tuple[Tensor, Traced, Value, Any]] = []
        self._grads: dict[int, _Grad] = {}
        self._options: dict[tuple[int, str, int | None], tuple[Number, Any]] = {}
        self._compared: set[Any] = set()
        self._modules: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._assigned: dict[tuple[int, str], tuple[Any, Any, str]] = {}
        self._new_modules: dict[int, Any] = {}
        self._statics: list[tuple[Any, str, Any]] = []
        self._states: dict[tuple[int, int], _State] = {}
        self._optimizers: dict[int, Any] = {}
        self._generators: dict[int, tuple[Any, Any]] = {}
        self._made: list[weakref.ref[Traced]] = []

    # Cells

    def _cell(self, value: Value, real: Any, line: str) -> Traced:
        cell = Traced(self, value, real, line)
        self._made.append(weakref.ref(cell))
        return cell

    def _input(self, source: Source, real: Any, weak: bool = False) -> Traced:
        value = Value(np.shape(real), np.float64 if weak else real.dtype, weak)
        self.inputs[value] = source
        return self._cell(value, real, caller())

    def argument(self, position: int, given: Any) -> Tensor:
        """A stand-in for an argument: a new leaf."""
        array = given.array if isinstance(given, Tensor) else given
        cell = self._input(Argument(position), array)
        cell.fixed = "an argument of a compiled function cannot be changed in place"
        result = wrap(cell)
        if isinstance(given, Tensor):
            result._requires_grad, result.name = given.requires_grad, given.name
        # A tensor that the function refers to may be passed as well; in another call it need not be.
        self._arguments.append((result, cell, cell.value, given))
        return result

    def cell(self, tensor: Tensor) -> Traced:
        """What stands for the array of a tensor."""
        array: Any = tensor.array
        if type(array) is not Traced:
            found = self._cells.get(id(array))
            return self._capture(tensor) if found is None else found
        if array.recorder is not self:
            raise TracingError(
                f"a tensor made at {place(array.line)} while another recording ran has no values; return it from the "
                f"function"
            )
        return array

    def _capture(self, tensor: Tensor, weak: bool = False) -> Traced:
        array = tensor.array
        if tensor.node is not None and tensor._requires_grad and modes.current().grad:
            raise TracingError(
                f"a tensor of shape {tensor.shape} that was computed before ({tensor.node}) leads out of the compiled "
                f"function, at {here()}; detach() it before the call, or compute it inside"
            )
        memory = owner(array)
        known = self._owners.setdefault(id(memory), [])
        first, its = next((entry for entry in known if np.shares_memory(entry[1], array)), (None, array))
        if first is not None and _same_elements(its, array) and not weak:
            self._cells[id(array)] = first
            self._kept.append(array)
            return first
        cell = self._input(Captured(tensor), array.item() if weak else array, weak)
        if first is None:
            known.append((cell, array))
        else:
            _view(cell, first, its)
            cell.behind = not isinstance(self.inputs.get(first.value), (Captured, Argument))
        self._cells[id(array)] = cell
        self._kept += [array, memory]
        self._captured.append((tensor, cell, cell.value, tensor._requires_grad, leaf_hooks.of(tensor)))
        return cell

    def made(self, data: Any, dtype: Any = None) -> Any:
        """What stands for the values of a tensor that is made in the recording, of a copy of `data`."""
        if isinstance(data, Tensor):
            with modes.change(grad=False):
                return self.copied(data if dtype is None or data.dtype == dtype else cast(data, np.dtype(dtype)))
        array = as_array(data, dtype)
        if array is data and array.base is None and id(array) in self._cells:
            return self._copy(self._cells[id(array)])
        return self._cell(self._constant(array), array, caller())

    def _constant(self, array: np.ndarray) -> Value:
        found = self._constants.get(id(array))
        if found is None:
            found = self._constants[id(array)] = Value(array.shape, array.dtype)
            self.inputs[found] = Constant(array)
            self._known.add(found)
            self._kept.append(array)
        return found

    def copied(self, tensor: Tensor) -> Traced:
        """A cell of its own for the values a tensor has now."""
        return self._copy(self.cell(tensor))

    def _copy(self, cell: Traced) -> Traced:
        return self._cell(self._read(cell), cell._real, caller())

    def _read(self, cell: Traced) -> Value:
        """The value a cell holds; that of a view follows a change of what it is a view of."""
        if cell.behind:
            with modes.change(grad=False):
                now = self.cell(_gather(wrap(cell.root), _places(cell)))
            cell.value, cell._real, cell.behind = now.value, now._real, False
        value: Value = cell.value
        return value

    def known(self, tensor: Tensor, asked: str) -> Any:
        """The values of a tensor for something outside, if they are the same in every call."""
        cell = self.cell(tensor)
        if self._read(cell) not in self._known:
            refuse(asked)
        return cell._real

    def fix(self, tensor: Tensor, why: str) -> None:
        """Let a tensor not be changed in place."""
        self.cell(tensor).fixed = why

    def keeps(self, what: str, tensor: Tensor) -> None:
        """Refuse a change of a tensor from outside that is no change of its values."""
        if not self.is_new(tensor):
            raise TracingError(
                f"{what}, at {here()}: a compiled function cannot change this of a tensor that existed before; "
                f"do it outside"
            )

    # Instructions

    def _operand(self, args: tuple[Any, ...], values: list[Any], i: int) -> tuple[Operand, Any]:
        """An operand and what it really is; a tensor's value is replaced by its cell."""
        x: Any = values[i]
        if isinstance(args[i], Tensor):
            x = values[i] = self.cell(args[i])
        elif isinstance(x, np.ndarray):
            cell = self._cells.get(id(x))
            if cell is None:
                return self._constant(x), x
            x = cell
        elif isinstance(x, Number):
            x = x.cell
        if isinstance(x, Traced):
            return self._read(x), x._real
        return x, x

    def apply(self, record: Primitive, args: tuple[Any, ...], values: list[Any], params: dict[str, Any]) -> Any:
        """Apply a primitive: compute, and write down."""
        known = REGISTRY.get(record.name)
        if known is None or known.record is not record:
            return self._inlined(record, args, values, params)
        pairs = [self._operand(args, values, i) for i in range(len(values))]
        for i in record.shaped_by(values, params):
            if pairs[i][0] not in self._known:
                refuse(f"{record.name} (whose result's shape depends on values)", instead="compute it outside")
        out = record.compute([real for _, real in pairs], params)
        line = caller()
        outs = out if type(out) is tuple else (out,)
        results = [Value(o.shape, o.dtype) for o in outs]
        if all(x in self._known for x, _ in pairs if isinstance(x, Value)):
            self._known.update(results)
        self.instructions.append(Instruction(record.name, [x for x, _ in pairs], dict(params), results, line))
        cells = tuple(self._cell(v, o, line) for v, o in zip(results, outs, strict=True))
        if record.views and isinstance(values[0], Traced):
            for cell in cells:
                self._view(cell, values[0])
        return cells if type(out) is tuple else cells[0]

    def _view(self, cell: Traced, of: Traced) -> None:
        """Note that a result shares the memory of its input, if it does."""
        if isinstance(of._real, np.ndarray) and owner(cell._real) is owner(of._real):
            _view(cell, of, of._real)

    def _inlined(self, record: Primitive, args: tuple[Any, ...], values: list[Any], params: dict[str, Any]) -> Any:
        """A person's own primitive: NumPy code, which runs on tensors."""
        given = []
        for i, x in enumerate(args):
            if isinstance(x, Tensor):
                values[i] = self.cell(x)
            given.append(wrap(values[i]) if isinstance(values[i], (Traced, np.ndarray)) else values[i])
        with modes.change(grad=False):
            out = record.forward(*given, **params)
            outs = out if isinstance(out, tuple) else (out,)
            cells = tuple(self.made(o) for o in outs)
        return cells if isinstance(out, tuple) else cells[0]

    def draw(self, draw: Callable[[], np.ndarray], generator: Any) -> Traced:
        """Random numbers, which every run of the program draws anew."""
        if id(generator) not in self._generators:
            self._generators[id(generator)] = generator, generator.get_state()
        real = draw()
        value, line = Value(real.shape, real.dtype), caller()
        self.instructions.append(Instruction("draw", (), {"draw": draw}, (value,), line))
        return self._cell(value, real, line)

    def require(self, condition: Any, explain: Callable[..., Any], *tensors: Tensor) -> None:
        """Demand that a 0-d bool tensor is true, in every run of the program; ``explain(*arrays)`` raises the error."""
        cells = [self.cell(t) for t in (condition, *tensors)]
        self.instructions.append(
            Instruction("require", [self._read(c) for c in cells], {"explain": explain}, (), caller())
        )
        if not cells[0]._real:
            explain(*(c._real for c in cells[1:]))

    # Changes

    def write(self, by: str, target: Tensor, value: Tensor) -> None:
        """Change a tensor in place."""
        cell, where = self.cell(target), here()
        root = cell if cell.root is None else cell.root
        fixed = cell.fixed or root.fixed
        if fixed:
            raise TracingError(f"{by}, at {where}: {fixed}; clone() it first")
        views = [view for view in (reference() for reference in root.views) if view is not None]
        with modes.change(grad=False):
            if value.dtype != cell.dtype:
                value = cast(value, cell.dtype)
            if value.shape != cell.shape:
                value = broadcast_to(value, cell.shape)
            source = self.cell(value)
            now, real = self._read(source), source._real
            if root is not cell:
                changed = self.cell(_scatter(wrap(root), _places(cell), value))
                root.value, root._real = changed.value, changed._real
        for view in views:
            view.behind = True
        cell.value, cell._real, cell.behind = now, real, False
        for other in (root, *views):
            changes.note(other, f"{by} ({where})")

    def writable(self, tensor: Tensor) -> bool:
        """Whether its elements have memory of their own each."""
        real = self.cell(tensor)._real
        return 0 not in [s for s, n in zip(real.strides, real.shape, strict=True) if n > 1]

    def layout(self, tensor: Any) -> Any:
        """The array that tells how a tensor lies in memory."""
        return self.cell(tensor)._real if isinstance(tensor, Tensor) else tensor

    def is_new(self, tensor: Tensor) -> bool:
        """Whether a tensor was made in the recording."""
        array: Any = tensor.array
        return type(array) is Traced

    # Gradients

    def grad_of(self, tensor: Tensor) -> Tensor | None:
        """The ``grad`` of a tensor."""
        if self.is_new(tensor):
            return tensor._grad
        entry = self._grads.get(id(tensor))
        if entry is None:
            entry = self._grads[id(tensor)] = _Grad(tensor, True)
        return entry.now

    def set_grad(self, tensor: Tensor, value: Tensor | None) -> None:
        """Set the ``grad`` of a tensor."""
        if self.is_new(tensor):
            tensor._grad = value
            return
        entry = self._grads.get(id(tensor))
        if entry is None:
            entry = self._grads[id(tensor)] = _Grad(tensor, False)
        entry.now = value

    def accumulate(self, tensor: Tensor, before: Tensor | None, g: Tensor) -> None:
        """Add a gradient without history to the ``grad`` of a tensor, as ``backward()`` does."""
        if before is None:
            tensor.grad = wrap(self.copied(g))
        elif before.requires_grad:
            tensor.grad = before + g
        else:
            self.write("backward", before, before + g)

    # Modules

    def calls(self, module: Any) -> None:
        """A module is called: the recording depends on its attributes, as they were when it began."""
        if id(module) in self._modules or id(module) in self._new_modules:
            return
        facts = {**vars(module), "_hooks": {kind: list(hooks) for kind, hooks in module._hooks.items()}}
        facts.update({name: before for of, before, name in self._assigned.values() if of is module})
        facts = {name: value for name, value in facts.items() if value is not _MISSING}
        self._modules[id(module)] = module, facts

    def assigns(self, module: Any, name: str) -> None:
        """An attribute of a module is about to be set: it must be in the end what it was."""
        if "training" not in vars(module):
            self._new_modules[id(module)] = module
        if id(module) not in self._new_modules:
            self._assigned.setdefault((id(module), name), (module, vars(module).get(name, _MISSING), name))

    def hooked(self, module: Any) -> None:
        """A hook is about to be added to a module."""
        if id(module) not in self._new_modules:
            raise TracingError(f"at {here()}: a hook cannot be added in a compiled function; do it outside")

    def _reset(self) -> list[str]:
        """Give the modules back the attributes they had; the names of those that differed."""
        differed = []
        for module, before, name in self._assigned.values():
            own = vars(module)
            if not _same(own.get(name, _MISSING), before):
                differed.append(f"{type(module).__name__}.{name}")
                own.pop(name, None)
                if before is not _MISSING:
                    own[name] = before
        return differed

    def _guard_modules(self) -> None:
        modules = list(self._modules.values())
        differed = self._reset()
        if differed:
            raise TracingError(
                f"{', '.join(differed)} was changed in the compiled function, and would not be in later calls; make it "
                f"a tensor that is written to (a buffer: register_buffer, then buffer.copy_(x)), or change it outside"
            )
        if modules:
            self.depends(lambda: all(_unchanged(module, before) for module, before in modules), versioned=True)

    # Numbers

    def depends(self, read: Callable[[], Any], versioned: bool = False, mappings: Iterable[Any] = ()) -> None:
        """Note that the recording holds as long as ``read()`` gives what it gives now."""
        self.guards.append(Guard(read, read(), versioned, tuple(mappings)))

    def number(self, name: str, *operands: Any) -> Number:
        """Arithmetic of numbers that are not known before the program runs."""
        reals = [x.cell._real if isinstance(x, Number) else x for x in operands]
        return self._computed(name, operands, _ARITHMETIC[name](*reals))

    def _computed(self, name: str, operands: tuple[Any, ...], real: Any) -> Number:
        value, line = Value((), np.float64, weak=True), caller()
        given = [self._read(x.cell) if isinstance(x, Number) else x for x in operands]
        self.instructions.append(Instruction(name, given, {}, (value,), line))
        return Number(self, self._cell(value, float(real), line))

    def ufunc(self, ufunc: Any, inputs: tuple[Any, ...]) -> Any:
        """A NumPy function of such numbers, and tensors beside them."""
        ours = NUMPY.get(ufunc)
        if ours is None:
            raise TypeError(f"np.{ufunc.__name__} is not supported on numbers of a compiled function")
        if any(isinstance(x, (Tensor, np.ndarray)) for x in inputs):
            return ours(*(wrap(x) if isinstance(x, np.ndarray) else x for x in inputs))
        reals = [x.cell._real if isinstance(x, Number) else x for x in inputs]
        return self._computed(ours.__name__, inputs, ufunc(*reals))

    def options(self, group: dict[str, Any], names: Any) -> dict[str, Any]:
        """The options of an optimizer's group: its numbers as numbers that may change, the rest as it is."""
        found: dict[str, Any] = {}
        for name in names:
            value = group[name]
            if isinstance(value, (tuple, list)):
                found[name] = tuple(self.option(group, name, i) for i in range(len(value)))
            elif isinstance(value, (int, float, np.number, np.ndarray, Tensor)) and not isinstance(value, bool):
                found[name] = self.option(group, name)
            else:
                found[name] = value
                self._statics.append((group, name, value))
        return found

    def option(self, mapping: Any, name: str, index: int | None = None) -> Number:
        """A number of an optimizer's group, which may be another at the next call."""
        key = id(mapping), name, index
        if key not in self._options:
            option = Option(mapping, name, index)
            now = _read(option)
            cell = self._input(option, float(now), weak=True)
            self._options[key] = Number(self, cell, option), now
        return self._options[key][0]

    def compared(self, option: Option, compare: Callable[[Any, Any], bool], other: Any) -> bool:
        """The outcome of comparing an option with a number, on which the recording depends from then on."""
        key = id(option.mapping), option.name, option.part, compare, other
        if key not in self._compared:
            self._compared.add(key)
            self.depends(lambda: compare(_read(option), other), mappings=[option.mapping])
        return compare(_read(option), other)

    def counter(self, tensor: Tensor) -> Number:
        """The value of a captured 0-d tensor as a number; see :meth:`count`."""
        cell = self._cells.get(id(tensor.array))
        return Number(self, self._capture(tensor, weak=True) if cell is None else cell)

    def count(self, tensor: Tensor, number: Any) -> None:
        """Write a number back into the tensor it came from."""
        if not isinstance(number, Number):
            number = self._computed("add", (number, 0.0), number)
        cell = self._cells[id(tensor.array)]
        cell.value, cell._real = number.cell.value, number.cell._real

    def state_of(self, optimizer: Any, p: Tensor, fields: dict[str, Any]) -> dict[str, Tensor]:
        """What an optimizer remembers of a parameter; what the rule has a default for is made if it is missing."""
        key = id(optimizer), id(p)
        if key not in self._states:
            self._optimizers[id(optimizer)] = optimizer
            state = _State(optimizer, p)
            for field, default in fields.items():
                if default is not None and field not in state.now:
                    state.now[field] = self.new_state(p, field, default)
            state.before = dict(state.now)
            self._states[key] = state
            self.commit.append(state.commit)
        return self._states[key].now

    def new_state(self, p: Tensor, field: str, value: float = 0.0) -> Tensor:
        """A real tensor for something an optimizer remembers."""
        shape, dtype = ((), np.dtype(np.float64)) if field == "step" else (p.shape, p.dtype)
        with modes.change(recorder=None):
            return Tensor(np.full(shape, value, dtype))

    # The end

    def restore(self) -> None:
        """After an exception: undo what the function did to the world."""
        self._reset()
        for generator, state in self._generators.values():
            generator.set_state(state)

    def finish(self, result: Any) -> Recording:
        """The recording, when the function has returned."""
        self._check_options()
        leaves, structure = flatten(result)
        kept: list[tuple[Target, Operand]] = []
        values: list[Any] = []

        def keep(target: Target, cell: Traced) -> None:
            kept.append((target, self._read(cell)))
            values.append(cell._real)

        returned: list[Any] = []
        for leaf in leaves:
            itself = self._itself(leaf)
            if itself is None:
                itself = len(kept)
                keep(Result(itself), self.cell(leaf) if isinstance(leaf, Tensor) else self.made(leaf))
            returned.append(itself)
        for _, cell, *_ in self._captured:
            self._read(cell)
        memories = {id(owner(t.array)) for t, *_ in self._captured}
        for tensor, cell, before, *_ in self._captured:
            if cell.value is not before:
                keep(State(tensor), cell)
                if isinstance(values[-1], np.ndarray) and id(owner(values[-1])) in memories:
                    values[-1] = values[-1].copy()
        cleared: list[Any] = []
        for entry in self._grads.values():
            if entry.now is None and (entry.before is not None or not entry.read):
                cleared.append(entry.tensor)
            elif entry.now is not None and entry.now is not entry.before:
                keep(Gradient(entry.tensor), self.cell(entry.now))
        for i, (leaf, *_) in enumerate(self._arguments):
            if leaf._grad is not None:
                keep(Gradient(i), self.cell(leaf._grad))
        self._guard_tensors()
        self._guard_modules()
        self._guard_optimizers()
        program = Program(self.inputs, self.instructions, kept).verify()
        return Recording(program, values, structure, returned, self.guards, cleared, self.commit, self.restore)

    def _itself(self, leaf: Any) -> Any:
        """The argument or the captured tensor that is returned as it is; None for what was computed."""
        for i, (stand_in, *_) in enumerate(self._arguments):
            if leaf is stand_in:
                return Argument(i)
        return leaf if isinstance(leaf, Tensor) and not self.is_new(leaf) else None

    def _check_options(self) -> None:
        for number, before in self._options.values():
            if _read(number.option) != before:
                raise TracingError(
                    f"the option {number.option.name!r} of an optimizer was changed in the compiled function, where "
                    f"the change would happen only once; change it outside (a schedule too)"
                )

    def _guard_tensors(self) -> None:
        """Depend on what the tensors from outside are, apart from their values."""
        facts = [(t, t.array.shape, t.array.dtype, needs, hooks) for t, _, _, needs, hooks in self._captured]
        grads = [(entry.tensor, entry.before) for entry in self._grads.values() if entry.read]
        if facts:
            self.depends(
                lambda: all(
                    t._requires_grad is needs
                    and t.array.shape == shape
                    and t.array.dtype == dtype
                    and leaf_hooks.of(t) == hooks
                    for t, shape, dtype, needs, hooks in facts
                ),
                versioned=True,
            )
        if grads:
            self.depends(lambda: all(t._grad is grad for t, grad in grads))

    def _guard_optimizers(self) -> None:
        """Depend on what optimizers have and what they remember, as it is when this recording's own is in place."""
        statics, states = self._statics, [(s.optimizer, s.p, s.before) for s in self._states.values()]
        groups = [
            (o, [(p, p._requires_grad) for group in o.param_groups for p in group["params"]])
            for o in self._optimizers.values()
        ]
        if statics:
            groups_of = {id(group): group for group, _, _ in statics}.values()
            self.depends(lambda: all(group[name] == value for group, name, value in statics), mappings=groups_of)
        if states:
            self.guards.append(Guard(lambda: _as_recorded(groups, states), True, versioned=True))

    def leaked(self) -> Traced | None:
        """Something traced that outlives the recording, if there is such a thing."""
        self._cells.clear()
        self._owners.clear()
        self._captured.clear()
        self._arguments.clear()
        self._grads.clear()
        self._options.clear()
        self._modules.clear()
        self._new_modules.clear()
        self._assigned.clear()
        if any(made() is not None for made in self._made):
            gc.collect()
        return next((cell for cell in (made() for made in self._made) if cell is not None), None)


_MISSING = object()


def _same(now: Any, before: Any) -> bool:
    """Whether an attribute is what it was: plain values by equality, all others by identity."""
    if now is before:
        return True
    return type(now) is type(before) and isinstance(now, (bool, int, float, complex, str, tuple)) and now == before


def _unchanged(module: Any, before: dict[str, Any]) -> bool:
    """Whether a module has the attributes and hooks that it had."""
    own = vars(module)
    if own.keys() != before.keys() or own["_hooks"] != before["_hooks"]:
        return False
    return all(name == "_hooks" or _same(own[name], value) for name, value in before.items())


def _read(option: Option) -> Any:
    with modes.change(recorder=None):
        return option.read()


def _view(cell: Traced, of: Traced, array: np.ndarray) -> None:
    """Note that a cell shares the memory of another, whose array it was taken from."""
    cell.root = of if of.root is None else of.root
    cell.root.views.append(weakref.ref(cell))
    cell.taken = of, array, cell._real


def _places(cell: Traced) -> np.ndarray:
    """Where the elements of a view are among those of its root."""
    of, array, own = cell.taken
    if not np.isin(_addresses(own), _addresses(array)).all():
        raise TracingError(
            f"at {here()}: of two tensors from outside that share memory, one was changed, and holds only a part of "
            f"the other; change a clone()"
        )
    places = _positions(own, array)
    return places if of.root is None else _places(of).ravel()[places]


def _same_elements(a: Any, b: np.ndarray) -> bool:
    """Whether two arrays are the same elements of the same memory."""
    return (
        isinstance(a, np.ndarray)
        and a.__array_interface__["data"] == b.__array_interface__["data"]
        and (a.shape, a.strides, a.dtype) == (b.shape, b.strides, b.dtype)
    )


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
}


def record(function: Callable[..., Any], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Recording:
    """Run a function once, on stand-ins for its arguments, and write down what it computes.

    Parameters
    ----------
    function : callable
    args, kwargs
        Tensors and arrays in nested containers are the arguments of the program; everything else is as it is.

    Raises
    ------
    TracingError
        If the function asks for values, keeps a tensor without returning it, or does something else that would not
        happen again in later calls.  Nothing has been changed then, as after any other exception.

    Examples
    --------
    >>> import autograd_core as ag
    >>> print(record(lambda x: 2 * x + 1, (ag.tensor([1.0, 2.0]),)).program)  # doctest: +ELLIPSIS
    inputs
        %0: float32[2] = argument
    do
        %1: float32[2] = mul(2, %0) ...
        %2: float32[2] = add(%1, 1) ...
    keep
        result = %2
    """
    mode = modes.current()
    if mode.recorder is not None or mode.listener is not None or mode.watch is not None:
        raise TracingError("record: not within another recording, record() or detect_anomaly()")
    recorder = Recorder()
    modes.recorders.append(recorder)
    try:
        with modes.change(recorder=recorder):
            recording = _recorded(recorder, function, (args, kwargs or {}))
        leak = recorder.leaked()
        if leak is not None:
            raise TracingError(
                f"a tensor made at {place(leak.line)} outlives the compiled function, and would not be made again by "
                f"later calls; return it, or write it into a tensor that exists before: buffer.copy_(x)"
            )
    except BaseException:
        recorder.restore()
        raise
    finally:
        modes.recorders.remove(recorder)
    return recording


def _recorded(recorder: Recorder, function: Callable[..., Any], arguments: Any) -> Recording:
    leaves, structure = flatten(arguments)
    inner = [recorder.argument(i, leaf) for i, leaf in enumerate(leaves)]
    args, kwargs = unflatten(structure, inner)
    del inner
    return recorder.finish(function(*args, **kwargs))
