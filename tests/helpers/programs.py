"""Programs by hand, and what they compute."""

import itertools

import numpy as np

import autograd_core as ag
from autograd_core import modes
from autograd_core.compiler.program import (
    Argument,
    Captured,
    Constant,
    Instruction,
    Option,
    Program,
    Result,
    Value,
    execute,
)


class Builder:
    """A program in the making: ``b = Builder(); x = b.argument(array); b.program(b("exp", x))``.

    The type of a result is found by carrying the instruction out, so that `known` has the value of everything.
    """

    def __init__(self):
        self.inputs, self.instructions, self.known = {}, [], {}
        self._positions = itertools.count()

    def _input(self, array, source, weak=False):
        value = Value(np.shape(array), np.asarray(array).dtype, weak)
        self.inputs[value] = source
        self.known[value] = array
        return value

    def argument(self, array):
        array = np.asarray(array)
        return self._input(array, Argument(next(self._positions)))

    def constant(self, array, fresh=True):
        array = np.asarray(array)
        return self._input(array, Constant(array, fresh))

    def option(self, number):
        return self._input(number, Option({"option": number}, "option"), weak=True)

    def several(self, name, *operands, **params):
        i = Instruction(name, operands, params)
        with np.errstate(all="ignore"):
            out = execute(i, [self.known[x] if isinstance(x, Value) else x for x in operands])
        i.results = tuple(Value(np.shape(x), np.asarray(x).dtype) for x in out)
        self.known.update(zip(i.results, out, strict=True))
        self.instructions.append(i)
        return i.results

    def __call__(self, name, *operands, **params):
        (value,) = self.several(name, *operands, **params)
        return value

    def sum(self, x, *axis, keepdims=False):
        return self("sum", x, axis=axis, keepdims=keepdims)

    def program(self, *kept):
        outputs = [(Result(k), x) for k, x in enumerate(kept)]
        return Program(self.inputs, self.instructions, outputs).verify()

    def arguments(self):
        """The arrays of the arguments, by position."""
        return [self.known[v] for v, s in self.inputs.items() if isinstance(s, Argument)]


def evaluate(program, arguments):
    """What a program keeps, as `interpret` has it; and every value must have the type it is said to have."""
    known = {}
    for value, source in program.inputs.items():
        match source:
            case Argument(position):
                known[value] = np.asarray(arguments[position])
            case Captured(tensor):
                known[value] = tensor.array.item() if value.weak else tensor.array
            case Constant(array):
                known[value] = array
            case Option():
                known[value] = source.read()
    for value, x in known.items():
        assert value.weak or (x.shape, x.dtype) == (value.shape, value.dtype), value
    for i in program.instructions:
        with np.errstate(all="ignore"):
            results = execute(i, [known[x] if isinstance(x, Value) else x for x in i.operands])
        for value, x in zip(i.results, results, strict=True):
            assert value.weak or (x.shape, x.dtype) == (value.shape, value.dtype), f"{i.name} gives {x!r}, not {value}"
            known[value] = x.item() if value.weak else x
    return [known[x] if isinstance(x, Value) else x for _, x in program.outputs]


def names(program):
    """The names of the instructions, in order."""
    return [i.name for i in program.instructions]


def assert_same(old, new, arguments, rtol=0.0, signs=True):
    """Both programs keep the same numbers: NaN, infinities and (with `signs`) the signs of zeros included."""
    new.verify()
    for a, b in zip(evaluate(old, arguments), evaluate(new, arguments), strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(b, a, rtol=rtol, atol=0)
        if signs and np.asarray(a).dtype.kind == "f":
            zeros = np.asarray(a) == 0
            np.testing.assert_array_equal(np.signbit(b)[zeros], np.signbit(a)[zeros])


def listened(function, *arrays):
    """A program of what a function of tensors applies, by listening only: numbers are kept as they were met.

    The function must not change anything in place; its gradients are to be asked for with ``create_graph=True``.
    """
    known, kept, instructions, inputs = {}, [], [], {}

    def array_of(x):
        return getattr(x, "array", x)

    def value(x, source):
        if isinstance(x, (int, float)):
            return x
        array = array_of(x)
        if id(array) not in known:
            known[id(array)] = made = Value(array.shape, array.dtype)
            inputs[made] = source(array)
            kept.append(array)
        return known[id(array)]

    def listen(record, args, params, out):
        operands = [value(x, lambda array: Constant(array, fresh=True)) for x in args]
        outs = [array_of(x) for x in (out if isinstance(out, tuple) else (out,))]
        results = [Value(x.shape, x.dtype) for x in outs]
        known.update(zip(map(id, outs), results, strict=True))
        kept.extend(outs)
        instructions.append(Instruction(record.name, operands, params, results))

    tensors = [ag.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays]
    for position, x in enumerate(tensors):
        value(x, lambda _, position=position: Argument(position))
    with modes.change(listener=listen):
        outs = function(*tensors)
    outputs = [(Result(k), known[id(x.array)]) for k, x in enumerate(outs)]
    return Program(inputs, instructions, outputs).verify()
