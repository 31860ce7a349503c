"""What the gradient checker takes: nested inputs, modules, functions around them; and what it leaves alone."""

import functools
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.tools.checking.gradcheck import assert_gradients, gradcheck


def normal(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


Pair = namedtuple("Pair", "left right")


def test_inputs_may_be_nested_in_any_way():
    def fn(batch, pair, *, options, power):
        assert type(batch) is OrderedDict
        assert batch["name"] == "as it is"
        found = sum(part.sin() for part in batch["parts"]) + batch["one"]
        return {"out": [found * pair.left, (pair.right**power).sum()], "more": options["shift"][1] * 2}

    batch = OrderedDict(parts=[normal(3), (ag.tensor(normal(3, seed=2)))], one=normal(3, seed=3), name="as it is")
    pair = Pair(normal(3, seed=4), ag.tensor(normal(2, seed=5), name="right"))
    report = gradcheck(fn, (batch, pair), {"options": {"shift": (None, normal(2))}, "power": 3}, order=2)
    assert report.ok, str(report)
    assert [r.name for r in report.records[:6]] == [
        "inputs[0]['parts'][0]", "inputs[0]['parts'][1]", "inputs[0]['one']", "inputs[1][0]", "right",
        "options['shift'][1]",
    ]  # fmt: skip
    assert len(report.records) == 12


def test_an_error_in_a_nested_input_is_seen():
    report = gradcheck(lambda a, b=None: a["x"] * b[0].detach(), [{"x": normal(2)}], {"b": [normal(2)]})
    assert [(r.name, r.verdict) for r in report.records] == [("inputs[0]['x']", "PASS"), ("b[0]", "FAIL")]


def test_a_changed_array_inside_a_nest_is_named():
    def fn(batch):
        batch["counts"] += 1
        return batch["x"] * 2

    report = gradcheck(fn, [{"x": normal(3), "counts": np.arange(3)}])
    assert "the function changes inputs[0]['counts'] in place" in report.reason


def test_a_parameter_that_is_changed_is_named():
    model = nn.Linear(2, 2)

    def fn(x):
        with ag.no_grad():
            model.weight.mul_(0.5)
        return model(x)

    assert "the function changes weight in place" in gradcheck(fn, normal(3, 2), module=model).reason


def parameters_of(report):
    return [r.name for r in report.records]


def test_the_parameters_of_a_function_around_a_module():
    model = nn.Linear(3, 2)
    names = ["inputs[0]", "weight", "bias"]
    assert parameters_of(gradcheck(lambda x: model(x).tanh(), normal(4, 3), module=model)) == names
    assert parameters_of(gradcheck(model.forward, normal(4, 3))) == names
    assert parameters_of(gradcheck(functools.partial(model, input=normal(4, 3)))) == ["weight", "bias"]
    assert parameters_of(gradcheck(lambda x: model(x), normal(4, 3))) == ["inputs[0]"]


class Stateful(nn.Module):
    """Keeps its last output, replaces a buffer and counts its calls."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(normal(3).astype(np.float32))
        self.frozen = nn.Parameter(normal(3, seed=2).astype(np.float32), requires_grad=False)
        self.register_buffer("mean", ag.zeros(3))
        self.norm = nn.BatchNorm1d(3)
        self.last = None
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        self.last = self.norm(x * self.weight * self.frozen)
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        return self.last


@pytest.mark.parametrize("fails", [False, True])
def test_a_module_is_left_as_it_was(fails):
    model = Stateful()
    attributes = {path: dict(vars(m)) for path, m in model.named_modules()}
    state = {name: (t, t.array, t.array.copy()) for name, t in [*model.named_parameters(), *model.named_buffers()]}
    if fails:
        with pytest.raises(ValueError, match="mul"):
            gradcheck(model, normal(5, 4))
    else:
        assert_gradients(model, normal(5, 3))
    for path, module in model.named_modules():
        assert vars(module) == attributes[path]
        assert all(vars(module)[name] is value for name, value in attributes[path].items())
    for tensor, array, copy in state.values():
        assert tensor.array is array
        assert array.dtype in (np.float32, np.int64)
        np.testing.assert_array_equal(array, copy)


def test_unused_and_disconnected_parameters_are_listed():
    class Partly(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare, self.lost = (nn.Parameter(normal(2, seed=i)) for i in range(3))

        def forward(self, x):
            return x * self.used + self.lost.detach() ** 2

    report = gradcheck(Partly(), normal(2))
    assert report.unused == ["spare"]
    assert report.disconnected == ["lost"]
    assert {r.name: r.verdict for r in report.records}["spare"] == "PASS"
    assert "spare: unused" in str(report)
    assert gradcheck(lambda x, y: x * 2, [normal(2), normal(2)], order=2).unused == ["inputs[1]"]


def test_infinite_elements_are_left_out():
    report = gradcheck(lambda x: x.softmax(0), np.array([1.0, -np.inf, 2.0]))
    assert report.ok
    assert report.records[0].left_out == 1
    assert "1 element infinite and left out" in str(report)


# Forward derivatives


def test_forward_derivatives_agree_with_reverse_ones():
    model = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.LayerNorm(4))
    report = gradcheck(model, normal(5, 3), forward=True)
    assert report.ok, str(report)
    ahead = [r for r in report.records if r.forward]
    assert [r.name for r in ahead] == ["inputs[0]", "0.weight", "0.bias", "2.weight", "2.bias"]
    assert all(abs(r.analytic) > 1e-3 for r in ahead)
    assert all(p.node is None for p in model.parameters())
    assert gradcheck(lambda x, y: (x * y, 3.0 * x), [normal(3), normal(3)], forward=True, order=2)


def test_a_wrong_forward_derivative_fails():
    """The rule is right as a number, but does not depend on the cotangent, which the forward derivative goes by."""
    square = ag.custom_vjp(lambda g, x: 2 * x * (g.detach() if isinstance(g, ag.Tensor) else g))(lambda x: x**2)
    assert gradcheck(square, normal(3)).ok
    report = gradcheck(square, normal(3), forward=True)
    assert [(r.forward, r.verdict) for r in report.records] == [(False, "PASS"), (True, "FAIL")]
    assert "forward 0 (jvp), reverse " in str(report)
    assert report.records[1].numeric == pytest.approx(float(report.records[1].note.split()[-5]), rel=1e-6)
    assert (report.culprit.forward, report.culprit.index, report.culprit.analytic) == (True, None, 0.0)
    assert "its forward derivative by argument 0 (x) in one direction is 0, by differences" in str(report.culprit)
