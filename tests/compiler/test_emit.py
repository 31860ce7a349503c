"""From programs to the text of a step: random programs, executed as plain Python, compute what `interpret` says."""

import numpy as np
import pytest
from emitted import assert_emitted, run
from hypothesis import HealthCheck, given, settings
from programs import Builder
from random_programs import programs
from stages import Stages

import autograd_core as ag
from autograd_core import Tensor
from autograd_core.compiler.program import Captured, Gradient, Program, Result, State

pytest.importorskip("numba")


@given(programs())
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_random_programs(made):
    b, program = made
    assert_emitted(program, b.arguments())


def test_one_kernel_for_equal_loops():
    def function(x, y, z):
        return ag.exp(x) * 2, ag.exp(y) * 3, ag.exp(z.T) * 4

    source = Stages(function, (4, 5), (7,), (3, 2)).emitted.source
    assert source.count("@kernel") == 2  # and one for the transposed


def test_the_listing_names_the_lines():
    def function(x):
        return ag.exp(x)

    emitted = Stages(function, (3,)).emitted
    line = function.__code__.co_firstlineno + 1
    assert f"test_emit.py:{line}" in emitted.listing
    assert "test_emit.py" not in emitted.source


def test_results_that_are_inputs_and_constants():
    """Nothing has to be computed for them; and a gradient, a state and a result may be one value."""
    b = Builder()
    x = b.argument(np.arange(3.0))
    constant = b.constant(np.ones((2, 2)))
    tensor = Tensor(np.zeros(3))
    held = b._input(tensor.array, Captured(tensor))
    y = b("mul", x, 2)
    outputs = [(Result(0), x), (Result(1), constant), (Result(2), y), (Result(3), held)]
    outputs += [(State(tensor), y), (Gradient(Tensor(np.zeros(1))), y), (Gradient(Tensor(np.zeros(2))), y)]
    outputs += [(Gradient(Tensor(np.zeros(4))), x)]
    assert_emitted(Program(b.inputs, b.instructions, outputs).verify(), b.arguments())


def test_views_of_results_and_states():
    """A result is a part of what another tensor becomes."""
    b = Builder()
    x = b.argument(np.arange(6.0).reshape(2, 3))
    tensor = Tensor(np.zeros((3, 2)))
    held = b._input(tensor.array, Captured(tensor))
    y = b("add", b("permute", x, dims=(1, 0)), held)
    turned = b("index", y, form=(slice(None, None, -1), 1))
    outputs = [(Result(0), turned), (Result(1), held), (State(tensor), y), (Gradient(Tensor(np.zeros(1))), turned)]
    assert_emitted(Program(b.inputs, b.instructions, outputs).verify(), b.arguments())


def test_states_that_are_exchanged():
    b = Builder()
    tensors = [Tensor(np.full(3, float(k))) for k in range(3)]
    values = [b._input(t.array, Captured(t)) for t in tensors]
    outputs = [(State(t), v) for t, v in zip(tensors, values[1:] + values[:1], strict=True)]
    assert_emitted(Program(b.inputs, b.instructions, outputs).verify(), [])


def test_numbers_as_results():
    b = Builder()
    x = b.argument(np.arange(3.0))
    program = Program(b.inputs, [], [(Result(0), 2.5), (Result(1), x), (Result(2), True)])
    found, _ = run(program, b.arguments())
    assert found[0] == 2.5
    assert found[2] is True


def test_products():
    """Transposed, of batches, of vectors, with gaps, of nothing, and added onto."""
    rng = np.random.default_rng(0)
    b = Builder()
    m = b.argument(rng.normal(size=(3, 4)))
    n = b.argument(rng.normal(size=(4, 5)))
    batch = b.argument(rng.normal(size=(2, 3, 4)))
    batches = b.argument(rng.normal(size=(2, 1, 4, 2)))
    v, w = b.argument(rng.normal(size=4)), b.argument(rng.normal(size=3))
    empty = b.argument(np.zeros((0, 4)))
    hollow = b.argument(np.zeros((3, 0)))
    t = lambda x: b("permute", x, dims=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))  # noqa: E731
    every = b("index", m, form=(slice(None), slice(None, None, 2)))
    kept = [
        b("matmul", m, n), b("matmul", t(n), t(m)), b("matmul", batch, n), b("matmul", batch, batches),
        b("matmul", m, v), b("matmul", w, m), b("matmul", v, v), b("matmul", batch, v), b("matmul", empty, n),
        b("matmul", hollow, b("permute", hollow, dims=(1, 0))), b("matmul", every, b("permute", every, dims=(1, 0))),
        b("matmul", t(batch), b("index", batch, form=(slice(None, None, -1),))),
        b("add", b("matmul", m, n), b("matmul", b("neg", m), n)),
        b("matmul", b("broadcast_to", m, shape=(2, 3, 4)), t(batch)),
        b("matmul", b("broadcast_to", b("reshape", v, shape=(1, 4)), shape=(3, 4)), n),
    ]  # fmt: skip
    assert_emitted(b.program(*kept), b.arguments())


def test_what_runs_in_python_between():
    """Segments before, between and after; their values pass through memory."""
    rng = np.random.default_rng(0)
    b = Builder()
    x = b.argument(rng.normal(size=(3, 3)) + 3 * np.eye(3))
    y = b("exp", b("mul", x, 0.1))
    inverse = b("inv", y)
    z = b("add", b("permute", inverse, dims=(1, 0)), y)
    determinant = b("det", z)
    binding = assert_emitted(b.program(b("mul", z, determinant), inverse, y), b.arguments())
    assert len(binding.emitted.segments) == 5
