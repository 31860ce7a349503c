"""A primitive: one operation, declared once, with its derivative.

    @primitive(numpy=np.multiply, elementwise=True)
    def mul(a, b):
        return np.multiply(a, b)

    mul.defvjp(lambda g, b: g * b,
               lambda g, a: g * a)

The forward takes arrays by position and everything else by keyword.  There is one rule for each array; it gets the
gradient `g` of the output and returns the gradient of its input.  What a rule needs besides, it names as parameters:
``out`` (the output), any of the forward's arguments, or ``a_shape`` for the shape of ``a`` alone.  That is all the
graph keeps: ``add`` saves nothing, ``tanh`` its output, ``mul`` its operands.  A forward may return a tuple; then
``g`` and ``out`` are tuples too, and ``g`` has zeros for outputs that nothing came back from.

Rules are NumPy, and run on arrays or on tensors alike, which is how higher derivatives come about: a tensor answers
NumPy's functions by recording the same primitives.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Protocol, cast

import numpy as np

from . import modes
from .dtypes import as_array, unwidened
from .graph import Node, clock, owner, picked
from .tensor import Tensor, wrap
from .traced import Number, Traced

__all__ = ["REGISTRY", "Kink", "Plan", "Primitive", "PrimitiveFunction", "Sample", "applier", "primitive", "quiet"]


quiet = np.errstate(all="ignore")
"""As a decorator of a forward: its infinities and NaNs are documented results, not for NumPy to warn about."""


class Sample:
    """Arguments a primitive is tested with: ``Sample(array, ..., keyword=...)``."""

    def __init__(self, *args: Any, **params: Any) -> None:
        self.args = tuple(np.asarray(a) if isinstance(a, np.generic) else a for a in args)
        self.params = params

    def __repr__(self) -> str:
        args = [f"{a.dtype}{list(a.shape)}" if isinstance(a, np.ndarray) else repr(a) for a in self.args]
        return f"({', '.join(args + [f'{k}={v!r}' for k, v in self.params.items()])})"


class Kink(Sample):
    """A point where calculus or floating point leaves a choice, and what we chose.

    ``Kink([0.0], value=0.0, grads=[0.0])``: the arguments, then the value and the gradients of ``sum(output)``
    (a gradient of None is not checked).
    """

    def __init__(self, *args: Any, value: Any, grads: Iterable[Any], **params: Any) -> None:
        super().__init__(*args, **params)
        self.value, self.grads = value, list(grads)


class Primitive:
    """The record of one operation.

    Attributes
    ----------
    name : as it is shown in pictures and errors
    forward : the computation, on arrays
    rules : one derivative rule for each array, None where there is no derivative
    elementwise : each output element depends on one element of each (broadcast) input
    broadcasts : inputs are broadcast, so the pass sums their gradients back to their shape
    views : the output may share the first input's memory
    routes : selects among values; what is not selected gets a zero gradient that stays zero (numerics of ``where``)
    domains : for an elementwise operation, the range of each argument its tests draw from (or bool)
    samples : a function from a random generator to more test arguments
    reference : an independent function of the same arguments, to compare the value with; `numpy` if not given
    kinks : the choices at kinks and extremes, tested as they stand
    shaped_by : a function from the values and params of an application to the positions of those whose elements decide
        the shape of the result
    """

    def __init__(self, forward: Callable[..., Any], **fields: Any) -> None:
        self.signature = inspect.signature(forward)
        parameters = self.signature.parameters.values()
        self.forward = forward
        self.name: str = forward.__name__.strip("_")
        self.arrays = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        self.defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        self.variadic = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.elementwise: bool = fields.get("elementwise", False)
        self.broadcasts: bool = fields.get("broadcasts", self.elementwise)
        self.routes: bool = fields.get("routes", False)
        self.domains: tuple[Any, ...] = fields.get("domains", ((-2.0, 2.0),) * len(self.arrays))
        self.samples: Callable[[np.random.Generator], list[Sample]] = fields.get("samples", lambda rng: [])
        self.reference: Callable[..., Any] | None = fields.get("reference")
        self.kinks: list[Kink] = fields.get("kinks", [])
        self.shaped_by: Callable[..., list[int]] = fields.get("shaped_by", lambda values, params: [])
        self.views: bool = fields.get("views", False)
        self.keeps_dtype: bool = fields.get("keeps_dtype", True)
        self.rules: tuple[Callable[..., Any] | None, ...] = ()
        self.variadic_rule: Callable[..., Any] | None = None
        self.differentiable = False
        self._plans: dict[int, Plan] = {}

    def bound(self, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with arrays that were given by keyword in their places."""
        rest = dict(params)
        given = [*args, *(rest.pop(name) for name in self.arrays[len(args) :] if name in rest)]
        return tuple(given), rest

    def compute(self, values: list[Any], params: dict[str, Any]) -> Any:
        """The result, on arrays and numbers, in the dtype it has on tensors; a tuple where there are several."""
        out = self.forward(*values, **params)
        if type(out) is tuple:
            return tuple(map(np.asarray, out))
        out = np.asarray(out)
        return unwidened(out, values, self.forward, params) if self.keeps_dtype else out

    def plan(self, needs: int) -> Plan:
        """The rules, and what to save, when the arguments whose bits are set in `needs` want a gradient."""
        found = self._plans.get(needs)
        if found is None:
            found = self._plans[needs] = Plan(self, needs)
        return found

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


class Plan:
    """What to save for the arguments that need a gradient, and the rules as functions of that.

    `holds` says whether values are saved, and not only shapes and parameters: then a backward pass releases them.

    Built once for each primitive and set of arguments.  A rule names what it needs; those names are resolved here, by
    compiling two kinds of small lambdas, so that no name is looked up while a network trains.
    """

    __slots__ = ("holds", "positions", "primitive", "rules", "save", "saves")

    def __init__(self, primitive: Primitive, needs: int) -> None:
        self.primitive = primitive
        self.positions = [i for i in range(needs.bit_length()) if needs >> i & 1]
        named = [primitive.rules[i] if i < len(primitive.rules) else primitive.variadic_rule for i in self.positions]
        if None in named:
            i = self.positions[named.index(None)]
            raise TypeError(f"{primitive.name}: argument {i} has no derivative; pass it as .detach()")
        wanted = [list(inspect.signature(cast(Any, rule)).parameters)[1:] for rule in named]
        # What each rule's names stand for, as expressions in (out, args, params).
        source = {name: self._expression(name) for names in wanted for name in names if name != "i"}
        self.saves = list(source)
        self.holds = any(name in ("out", primitive.variadic, *primitive.arrays) for name in source)
        values = "".join(f"{expression}, " for expression in source.values())
        here = {"__name__": __name__}  # no line of these is a person's (see `traced.caller`)
        self.save = eval(f"lambda out, args, params: ({values})", here | {"defaults": primitive.defaults})
        slot = {name: f"saved[{k}]" for k, name in enumerate(self.saves)}
        given = [
            ", ".join(["g", *(slot.get(n, str(i)) for n in names)])
            for i, names in zip(self.positions, wanted, strict=True)
        ]
        self.rules = tuple(
            eval(f"lambda g, saved: rule({names})", here | {"rule": rule})
            for rule, names in zip(named, given, strict=True)
        )

    def _expression(self, name: str) -> str:
        p = self.primitive
        base = name.removesuffix("_shape")
        if name == "out":
            return "out"
        if base in p.arrays:
            value = f"args[{p.arrays.index(base)}]"
            return value if base == name else f"{value}.shape"
        if p.variadic is not None and base == p.variadic:
            values = f"args[{len(p.arrays)}:]"
            return f"tuple({values})" if base == name else f"tuple(a.shape for a in {values})"
        return f"params.get({name!r}, defaults.get({name!r}))"


class PrimitiveFunction(Protocol):
    """A primitive as it is called: a function of tensors (or plain arrays), with its record."""

    record: Primitive
    __name__: str

    def __call__(self, *args: Any, **params: Any) -> Any: ...

    def defvjp(self, *rules: Callable[..., Any] | None, variadic: Callable[..., Any] | None = None) -> None:
        """Give the derivative rules, one for each array; `variadic` serves all of ``*arrays`` and also gets `i`."""


REGISTRY: dict[str, PrimitiveFunction] = {}
"""Every primitive by name."""

NUMPY: dict[Any, Callable[..., Any]] = {}
"""Which of our functions answers a NumPy function that is called with a tensor."""


def implements(*functions: Any) -> Callable[[Any], Any]:
    """Decorator: let this function answer NumPy's `functions` when one of their arguments is a tensor."""

    def register(ours: Any) -> Any:
        NUMPY.update(dict.fromkeys(functions, ours))
        return ours

    return register


def primitive(*, numpy: Any = None, **fields: Any) -> Callable[[Callable[..., Any]], PrimitiveFunction]:
    """Decorator: make a primitive of a forward function.

    Parameters
    ----------
    numpy : the NumPy function that means the same
    **fields : of the record, see :class:`Primitive`

    The function it gives takes tensors, arrays, scalars and lists.  With a tensor among them the result is a tensor,
    linked to its inputs where one requires a gradient.  On NumPy values alone it is the forward itself, which is how
    rules call one another.
    """

    def make(forward: Callable[..., Any]) -> PrimitiveFunction:
        function = applier(Primitive(forward, **{"reference": numpy, **fields}))
        if function.record.name in REGISTRY:
            raise ValueError(f"primitive: {function.record.name} is declared twice")
        REGISTRY[function.record.name] = function
        if numpy is not None:
            NUMPY[numpy] = function
        return function

    return make


def applier(record: Primitive) -> PrimitiveFunction:
    """The function that applies a primitive: unwrap, compute, wrap, link.  The hottest lines of the eager engine."""
    forward, plans, keeps_dtype, names = record.forward, record._plans, record.keeps_dtype, set(record.arrays)
    views = record.views
    current, new_tensor, new_node = modes.current, Tensor.__new__, Node.__new__
    tick, array_type = clock.__next__, np.ndarray

    def apply(*args: Any, **params: Any) -> Any:
        if params and not names.isdisjoint(params):
            args, params = record.bound(args, params)
        recording, listener, _, recorder = current()
        values = []
        parents = []
        needs, bit, tensors = 0, 1, False
        for x in args:
            if isinstance(x, Tensor):
                tensors = True
                values.append(x.array)
                if x._base is not None:
                    x._follow()
                if x._requires_grad:
                    parents.append(x.node or x)
                    needs |= bit
            else:
                values.append(x if type(x) is array_type else _operand(x))
            bit <<= 1
        if not tensors:
            if not args or any(isinstance(x, (array_type, np.generic)) for x in args):
                return forward(*(as_array(x) if isinstance(x, (list, tuple)) else x for x in args), **params)
            return apply(*map(Tensor, args), **params)
        try:
            out = forward(*values, **params) if recorder is None else recorder.apply(record, args, values, params)
        except (ValueError, TypeError, IndexError) as error:
            raise _explained(error, record, values) from error
        if type(out) is not array_type:
            if type(out) is tuple:
                return _several(record, args, params, values, parents if recording else [], needs, out)
            if recorder is None:
                out = np.asarray(out)
        first = values[0]
        if keeps_dtype and not (type(first) is array_type and first.dtype is out.dtype) and recorder is None:
            out = unwidened(out, values, forward, params)
        result = new_tensor(Tensor)
        result.array = out
        result._grad = result.name = result._base = None
        if needs and recording and record.differentiable:
            result._requires_grad = True
            result.node = node = new_node(Node)
            node.plan = plan = plans.get(needs) or record.plan(needs)
            node.parents = tuple(parents)
            node.saved = plan.save(out, values, params) if plan.saves else ()
            node.params = params
            node.shape = out.shape
            node.dtype = out.dtype
            node.hooks = node.trace = None
            node.number = tick()
        else:
            result._requires_grad = False
            result.node = None
        if views and out.base is not None:
            _mark_view(result, args[0])
        if listener is not None:
            listener(record, args, params, result)
        return result

    def defvjp(*rules: Callable[..., Any] | None, variadic: Callable[..., Any] | None = None) -> None:
        record.rules, record.variadic_rule, record.differentiable = rules, variadic, True
        plans.clear()

    function = cast(Any, apply)
    function.record, function.defvjp = record, defvjp
    function.__name__ = function.__qualname__ = record.name
    function.__doc__, function.__module__ = record.forward.__doc__, record.forward.__module__
    function.__signature__ = record.signature
    return cast(PrimitiveFunction, function)


def _mark_view(result: Tensor, input: Any) -> None:
    """Note that a result shares the memory of its input, if it does."""
    if isinstance(input, Tensor) and owner(result.array) is owner(input.array):
        result._base = base = input if input._base is None else input._base
        result._version = getattr(base, "_version", 0)


def link(function: PrimitiveFunction, *args: Any, **params: Any) -> Node | None:
    """The node that applying a primitive would make, without computing; for one with the shape of its first argument.

    The rules must not name the output, nor save a large argument for its values.
    """
    record = function.record
    parents = [x.node or x for x in args if isinstance(x, Tensor) and x._requires_grad]
    if not parents:
        return None
    needs = sum(1 << i for i, x in enumerate(args) if isinstance(x, Tensor) and x._requires_grad)
    plan = record.plan(needs)
    values = [x.array if isinstance(x, Tensor) else x for x in args]
    first = values[0]
    return Node.make(plan, tuple(parents), plan.save(None, values, params), params, first.shape, first.dtype)


def _several(
    record: Primitive,
    args: tuple[Any, ...],
    params: dict[str, Any],
    values: list[Any],
    parents: list[Any],
    needs: int,
    out: tuple[Any, ...],
) -> tuple[Tensor, ...]:
    """Wrap and link the outputs of a primitive that has several: one node made them, and each picks its own."""
    outputs = tuple(o if type(o) is Traced else np.asarray(o) for o in out)
    results = tuple(map(wrap, outputs))
    if parents and record.differentiable:
        plan = record.plan(needs)
        made = Node.make(
            plan, tuple(parents), plan.save(outputs, values, params), params,
            tuple(o.shape for o in outputs), tuple(o.dtype for o in outputs),
        )  # fmt: skip
        for i, result in enumerate(results):
            if result.dtype.kind == "f":
                result.node, result._requires_grad = picked(made, i), True
    for result in results if record.views else ():
        _mark_view(result, args[0])
    listener = modes.current().listener
    if listener is not None:
        listener(record, args, params, results)
    return results


def _operand(x: Any) -> Any:
    """What an operation makes of an operand that is no tensor and no array.

    Python numbers stay as they are: they take on the dtype of what they meet.  So does ``np.float64``, which is a
    Python float too and would otherwise widen a float32 network.  Lists become arrays.
    """
    if type(x) in (float, int, bool, complex, Traced, Number):
        return x
    if isinstance(x, float):
        return float(x)
    if isinstance(x, np.generic):
        return np.asarray(x)
    return as_array(x)


def _explained(error: Exception, record: Primitive, values: list[Any]) -> Exception:
    """The same error with the operation and its operands named first."""
    given = ", ".join(f"{v.dtype}{list(v.shape)}" if isinstance(v, np.ndarray) else repr(v) for v in values)
    text = f"{record.name}({given}): {error}"
    kinds = (ValueError, TypeError, IndexError, np.linalg.LinAlgError)
    return type(error)(text) if type(error) in kinds else ValueError(text)
