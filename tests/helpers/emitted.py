"""Programs through all stages of the compiler, executed as plain Python."""

import numpy as np
from programs import evaluate
from python_step import PythonBinding, in_python

from autograd_core.compiler.program import Gradient, Result, State


def run(program, arguments):
    """What the emitted code makes of a program's outputs, in their order; and the binding."""
    with in_python():
        binding = PythonBinding(program)
        results = binding.run(arguments)
    found = []
    for target, _ in program.outputs:
        match target:
            case Result(position):
                found.append(results[position])
            case State(tensor):
                found.append(tensor.array.copy())
            case Gradient(of):
                found.append(binding.gradients[of].copy())
    return found, binding


def assert_emitted(program, arguments):
    """The code computes what the program says."""
    expected = [np.array(x) for x in evaluate(program, arguments)]
    found, binding = run(program, arguments)
    dtype = next(iter(program.inputs)).dtype
    tolerance = 2e-4 if dtype == np.float32 else 1e-9
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.reshape(x, y.shape), y, rtol=tolerance, atol=tolerance)
        assert np.asarray(x).dtype == y.dtype
    return binding
