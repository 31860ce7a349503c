"""From programs to the text of a step: random programs, executed as plain Python, compute what `interpret` says."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import Builder, evaluate
from python_step import PythonBinding, in_python
from random_programs import programs

from autograd_core.compiler.program import Gradient, Result, State

pytest.importorskip("numba")


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


@given(programs())
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_random_programs(made):
    b, program = made
    assert_emitted(program, b.arguments())
