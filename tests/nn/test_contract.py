"""What every layer promises, over the tables in tests/contracts."""

import copy
import importlib
import inspect
from pathlib import Path

import numpy as np
import pytest
from contract import Layer
from interpreted import Interpreted

import autograd_core as ag
from autograd_core import nn
from autograd_core.tools import assert_gradients

TABLES = sorted(Path(__file__).parent.with_name("contracts").glob("layers_*.py"))
LAYERS = {name: row for table in TABLES for name, row in importlib.import_module(table.stem).LAYERS.items()}
WITHOUT_FORWARD = {nn.Module, nn.FunctionModule, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict}

every_layer = pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in LAYERS.items()])


def drawn(value, rng, dtype):
    """An input as its row describes it."""
    if isinstance(value, tuple) and not all(isinstance(n, int) for n in value):
        return tuple(drawn(v, rng, dtype) for v in value)
    array = value(rng) if callable(value) else rng.normal(size=value)
    if isinstance(array, tuple):
        return tuple(drawn(lambda _, a=a: a, rng, dtype) for a in array)
    if not isinstance(array, np.ndarray):
        return array
    is_float = array.dtype.kind == "f"
    return ag.tensor(array.astype(dtype) if is_float else array, requires_grad=is_float)


def arguments(row, inputs=None, dtype="float64"):
    rng = np.random.default_rng(7)
    return [drawn(value, rng, dtype) for value in (row.inputs if inputs is None else inputs)]


def made(row, dtype="float64"):
    ag.manual_seed(5)
    return row.make().to(dtype)


def tensors(value):
    """All tensors in an output."""
    if isinstance(value, ag.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else []
    return [t for part in parts for t in tensors(part)]


def called(row, module, args):
    """The outputs with the random numbers always the same."""
    ag.manual_seed(11)
    return tensors(module(*args, **row.options))


def test_every_layer_is_in_the_table():
    classes = {
        value
        for package in (nn, nn.models)
        for name in package.__all__
        if inspect.isclass(value := getattr(package, name)) and issubclass(value, nn.Module)
    }
    missing = classes - WITHOUT_FORWARD - {type(row.make()) for row in LAYERS.values()}
    assert not missing


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_kept(row, dtype):
    module = made(row, dtype)
    args = arguments(row, dtype=dtype)
    outputs = [t for t in called(row, module, args) if t.is_floating_point()]
    assert {t.dtype for t in outputs} <= {np.dtype(dtype)}
    linked = [t for t in outputs if t.requires_grad]
    if linked:
        leaves = [t for t in (*tensors(args), *module.parameters()) if t.requires_grad]
        ag.backward([t.sum() for t in linked])
        for leaf in leaves:
            assert leaf.grad is None or (leaf.grad.dtype, leaf.grad.shape) == (leaf.dtype, leaf.shape)


@every_layer
def test_parameters_start_in_the_default_dtype(row):
    assert {t.dtype for t in row.make().parameters()} <= {ag.float32}


@every_layer
def test_one_seed_gives_one_result(row):
    first, second = (called(row, made(row), arguments(row)) for _ in range(2))
    assert first
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.array, b.array)


@every_layer
def test_inputs_are_not_changed(row):
    args = arguments(row)
    before = [t.array.copy() for t in tensors(args)]
    called(row, made(row), args)
    for t, array in zip(tensors(args), before, strict=True):
        np.testing.assert_array_equal(t.array, array)


@every_layer
def test_the_state_moves_to_another_one(row):
    source = made(row)
    called(row, source, arguments(row))  # running statistics are no longer what they start with
    ag.manual_seed(6)
    target = row.make().double()
    target.load_state_dict({name: t.array for name, t in source.state_dict().items()})
    copied = copy.deepcopy(source)
    for module in (source.eval(), target.eval(), copied.eval()):
        found = called(row, module, arguments(row))
        if module is source:
            expected = found
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a.array, b.array)


@every_layer
def test_an_empty_batch(row):
    if row.empty is None:
        pytest.skip("there is none")
    for t in called(row, made(row).eval(), arguments(row, row.empty)):
        assert t.ndim == 0 or t.numel() == 0 or np.isfinite(t.array).all()


WRONG = [
    pytest.param(row, inputs, pattern, id=f"{name}-{i}")
    for name, row in LAYERS.items()
    for i, (inputs, pattern) in enumerate(row.wrong)
]


@pytest.mark.parametrize(("row", "inputs", "pattern"), WRONG)
def test_wrong_inputs_are_named(row, inputs, pattern):
    with pytest.raises((ValueError, TypeError, IndexError), match=pattern):
        called(row, made(row), arguments(row, inputs))


@every_layer
def test_it_says_what_it_is(row):
    module = row.make()
    assert repr(module).startswith(f"{type(module).__name__}(")


@every_layer
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_its_gradients(row, training):
    if not row.smooth:
        pytest.skip("it has none")
    module = made(row).train(training)
    state = {name: t.clone() for name, t in module.state_dict().items()}

    class Repeatable(nn.Module):
        """The module with the same random numbers and buffers in every call."""

        def __init__(self):
            super().__init__()
            self.module = module

        def forward(self, *args):
            with ag.no_grad():
                for name, buffer in module.named_buffers():
                    if name in state:
                        buffer.copy_(state[name])
            return called(row, module, args)

    assert_gradients(Repeatable(), arguments(row))


@every_layer
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_recorded_it_is_the_same(row, training):
    """Values, gradients and state after three calls."""

    def outcome(wrap):
        module = made(row).train(training)

        def step(*args):
            outputs = tensors(module(*args, **row.options))
            linked = [t for t in outputs if t.requires_grad]
            if linked:
                ag.backward([(t * t).sum() for t in linked])
            return outputs

        run, found = wrap(step), []
        ag.manual_seed(3)
        for _ in range(3):
            args = arguments(row)
            module.zero_grad()
            outputs = run(*args)
            grads = [t.grad for t in (*tensors(args), *module.parameters()) if t.grad is not None]
            found += [t.array.copy() for t in (*outputs, *grads, *module.state_dict().values())]
        return found

    for a, b in zip(outcome(Interpreted), outcome(lambda step: step), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_a_row_is_a_layer():
    assert LAYERS
    assert all(isinstance(row, Layer) for row in LAYERS.values())
