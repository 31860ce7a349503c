"""A compiled function without the compiler: record, then interpret the program from the second call on."""

import numpy as np

from autograd_core import Tensor, modes
from autograd_core.compiler.program import Argument, Captured, Constant, Gradient, State, interpret
from autograd_core.compiler.recorder import record
from autograd_core.compiler.trees import flatten, unflatten
from autograd_core.tensor import wrap


def inputs(program, leaves):
    """What the inputs of a program are now."""
    found = []
    for value, source in program.inputs.items():
        if isinstance(source, Argument):
            leaf = leaves[source.position]
            found.append(leaf.array if isinstance(leaf, Tensor) else leaf)
        elif isinstance(source, Captured):
            found.append(source.tensor.item() if value.weak else source.tensor.array.copy())
        elif isinstance(source, Constant):
            found.append(source.array)
        else:
            found.append(float(source.read()))
    return found


def check(program, values):
    """The values have the shapes and dtypes that the program says."""
    for (_, operand), value in zip(program.outputs, values, strict=True):
        if not operand.weak:
            assert isinstance(value, np.ndarray)
            assert (value.shape, value.dtype) == (operand.shape, operand.dtype)


class Interpreted:
    """Called as the function it is made of; counts its recordings."""

    def __init__(self, function):
        self.function, self.runs = function, []

    def __call__(self, *args, **kwargs):
        leaves, structure = flatten((args, kwargs))
        key = (
            structure,
            modes.current().grad,
            [(x.shape, x.dtype, isinstance(x, Tensor) and x.requires_grad) for x in leaves],
        )
        for known, recording, grads in self.runs:
            if known == key and all(guard.read() == guard.value for guard in recording.guards):
                values = interpret(recording.program, inputs(recording.program, leaves))
                check(recording.program, values)
                return self.deliver(recording, grads, values, leaves)
        recording = record(self.function, args, kwargs)
        check(recording.program, recording.values)
        self.runs.append((key, recording, {}))
        result = self.deliver(recording, self.runs[-1][2], recording.values, leaves)
        for commit in recording.commit:
            commit()
        return result

    @property
    def recording(self):
        return self.runs[-1][1]

    def deliver(self, recording, grads, values, leaves):
        results = []
        for (target, _), value in zip(recording.program.outputs, values, strict=True):
            if isinstance(target, State):
                target.tensor.array[...] = value
            elif isinstance(target, Gradient):
                if isinstance(target.of, Tensor):
                    grad = grads.setdefault(target.of, Tensor(value))
                    grad.array[...] = value
                    target.of.grad = grad
                else:
                    leaves[target.of].grad = Tensor(np.array(value))
            else:
                results.append(wrap(np.array(value)))
        for tensor in recording.cleared:
            tensor.grad = None
        flat = []
        for where in recording.returned:
            if isinstance(where, Argument):
                flat.append(leaves[where.position])
            else:
                flat.append(where if isinstance(where, Tensor) else results[where])
        return unflatten(recording.structure, flat)
