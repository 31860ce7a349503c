"""A program with its memory: where arguments, captured tensors, options and constants are found, call after call."""

import numpy as np
import pytest
from programs import Builder
from python_step import PythonBinding, in_python

from autograd_core import Tensor
from autograd_core.compiler.program import Captured, Constant, Gradient, Option, Program, Result, State, Value

pytest.importorskip("numba")


def bound(program):
    with in_python():
        return PythonBinding(program)


def adding(tensor):
    """A program that adds an argument to a captured tensor, and returns twice what it was."""
    b = Builder()
    x = b.argument(np.ones(tensor.shape, tensor.dtype))
    held = b._input(tensor.array, Captured(tensor))
    outputs = [(Result(0), b("mul", held, 2)), (State(tensor), b("add", held, x))]
    return Program(b.inputs, b.instructions, outputs).verify()


def test_captured_tensors_are_read_and_written_where_they_are():
    tensor = Tensor(np.arange(3.0))
    binding = bound(adding(tensor))
    memory = tensor.array
    for k in range(3):
        (result,) = binding.run([np.ones(3)])
        np.testing.assert_array_equal(result, 2 * (np.arange(3.0) + k))
    assert tensor.array is memory
    np.testing.assert_array_equal(memory, [3, 4, 5])


def test_captured_tensors_with_another_array():
    tensor = Tensor(np.zeros(3))
    binding = bound(adding(tensor))
    binding.run([np.ones(3)])
    before = tensor.array
    for array in (
        np.full(3, 5.0),
        np.full(6, 7.0)[::2],
        np.full(3, 9.0)[::-1],
        np.broadcast_to(np.zeros(()), 3).copy(),
    ):
        tensor.array = array
        (result,) = binding.run([np.ones(3)])
        assert result[0] == 2 * (array[0] - 1)
        assert tensor.array is array
    np.testing.assert_array_equal(before, np.ones(3))


@pytest.mark.parametrize("array", [np.zeros(4), np.zeros((3, 1)), np.zeros(3, "float32")])
def test_captured_tensors_of_another_kind_are_refused(array):
    tensor = Tensor(np.zeros(3))
    binding = bound(adding(tensor))
    binding.run([np.ones(3)])
    tensor.array = array
    with pytest.raises(RuntimeError, match=r"float64\[3\].*has become.*compile the function anew"):
        binding.run([np.ones(3)])
    assert not array.any()


def test_changes_are_noted():
    """So that a backward pass sees them that needs what was there before."""
    from autograd_core.graph import changes

    tensor = Tensor(np.zeros(3))
    binding = bound(adding(tensor))
    before = changes.last
    binding.run([np.ones(3)])
    assert changes.last > before


def test_options_are_read_anew():
    group = {"lr": 0.5, "betas": (0.25, 0.5)}
    lr, beta = (Value((), np.float64, weak=True) for _ in range(2))
    b = Builder()
    x = b.argument(np.ones(2, "float32"))
    b.inputs |= {lr: Option(group, "lr"), beta: Option(group, "betas", 1)}
    b.known |= {lr: 0.5, beta: 0.5}
    y = b("mul", b("mul", x, lr), beta)
    binding = bound(b.program(y))
    given = [np.ones(2, "float32")]
    assert binding.run(given)[0].tolist() == [0.25, 0.25]
    group.update(lr=Tensor(4.0), betas=(0.0, np.float32(8.0)))
    binding.read_options()
    (found,) = binding.run(given)
    assert found.tolist() == [32, 32]
    assert found.dtype == np.float32


def test_constants_that_someone_else_changes():
    """What the function refers to is read in every call, contiguous or not."""
    rows, columns = np.zeros((2, 3)), np.zeros((2, 3)).T
    b = Builder()
    values = []
    for array in (rows, columns):
        value = Value(array.shape, array.dtype)
        b.inputs[value], b.known[value] = Constant(array), array
        values.append(value)
    total = b("add", values[0], b("permute", values[1], dims=(1, 0)))
    binding = bound(b.program(total))
    assert binding.run([])[0].sum() == 0
    rows[0, 0], columns[2, 1] = 1, 2
    np.testing.assert_array_equal(binding.run([])[0], [[1, 0, 0], [0, 0, 2]])


def test_results_belong_to_the_caller():
    b = Builder()
    x = b.argument(np.arange(3.0))
    y = b("exp", x)
    binding = bound(b.program(y, x, b("index", y, form=(slice(None, None, -1),)), y))
    first = binding.run([np.arange(3.0)])
    copies = [np.array(r) for r in first]
    binding.run([np.ones(3)])
    for r, c in zip(first, copies, strict=True):
        np.testing.assert_array_equal(r, c)
    assert not any(np.shares_memory(r, binding.workspace) for r in first)


def test_gradients_stay_in_their_place():
    of = Tensor(np.zeros((2, 2)))
    b = Builder()
    x = b.argument(np.ones((2, 2)))
    program = Program(b.inputs, b.instructions, [(Gradient(of), b("mul", x, 3))])
    program.instructions = b.instructions
    binding = bound(program.verify())
    memory = binding.gradients[of]
    for scale in (1.0, 2.0):
        binding.run([np.full((2, 2), scale)])
        assert binding.gradients[of] is memory
        np.testing.assert_array_equal(memory.ravel(), np.full(4, 3 * scale))


def failing(draws=False):
    """A lookup that can fail, and a state that is written after it and before it."""
    tensor = Tensor(np.zeros(2))
    b = Builder()
    x, places = b.argument(np.arange(4.0)), b.argument(np.array([1, 3]))
    held = b._input(tensor.array, Captured(tensor))
    early = b("add", held, 1.0)
    found = b("gather", x, places)
    outputs = [(Result(0), found), (State(tensor), early)]
    return tensor, Program(b.inputs, b.instructions, outputs).verify()


def test_an_error_comes_before_any_change():
    tensor, program = failing()
    binding = bound(program)
    binding.run([np.arange(4.0), np.array([1, 3])])
    for bad in ([0, 4], [-5, 0]):
        with pytest.raises(IndexError, match="out of bounds"):
            binding.run([np.arange(4.0), np.array(bad)])
        np.testing.assert_array_equal(tensor.array, [1, 1])
    assert binding.run([np.arange(4.0), np.array([-4, -1])])[0].tolist() == [0, 3]
    np.testing.assert_array_equal(tensor.array, [2, 2])


def test_a_condition_that_does_not_hold():
    from autograd_core.compiler.program import Instruction

    def explain(*arrays):
        raise ValueError(f"the sum of {arrays[0].tolist()} is not positive")

    b = Builder()
    x = b.argument(np.ones(2))
    positive = b("gt", b.sum(x, 0), 0)
    b.instructions.append(Instruction("require", (positive, x), {"explain": explain}))
    binding = bound(b.program(b("exp", x)))
    binding.run([np.ones(2)])
    with pytest.raises(ValueError, match=r"the sum of \[-1.0, 0.5\]"):
        binding.run([np.array([-1.0, 0.5])])
    binding.run([np.ones(2)])
