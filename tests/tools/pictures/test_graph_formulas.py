"""Formulas: every primitive has one that can be read."""

import inspect

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.primitive import REGISTRY
from autograd_core.tools.pictures import formulas
from autograd_core.tools.pictures.graph import graph

DOT, TIMES = "\N{MIDDLE DOT}", "\N{MULTIPLICATION SIGN}"


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (lambda x, y: x + y, "x + y"),
        (lambda x, y: x - y, "x - y"),
        (lambda x, y: x * y, f"x {DOT} y"),
        (lambda x, y: x / y, "x / y"),
        (lambda x, y: x @ y.T, "x @ v1"),
        (lambda x, y: y.T, "y.T"),
        (lambda x, y: x**2, "x^2"),
        (lambda x, y: x**-1.5, "x^(-1.5)"),
        (lambda x, y: x - -3.0, "x - (-3)"),
        (lambda x, y: -x, "-x"),
        (lambda x, y: ag.maximum(x, -1.0), "max(x, -1)"),
        (lambda x, y: ag.where(x > 0, x, y), "where(constant, x, y)"),
        (lambda x, y: ag.tanh(x), "tanh(x)"),
        (lambda x, y: ag.abs(x), "|x|"),
        (lambda x, y: ag.log1p(x), "log(1 + x)"),
        (lambda x, y: x.sum(1), "sum(x, dim 1)"),
        (lambda x, y: x.sum(), "sum(x)"),
        (lambda x, y: ag.amax(x, 0, keepdim=True), "max(x, dim 0, keepdim)"),
        (lambda x, y: x[1, :2], "x[1, :2]"),
        (lambda x, y: x[np.array([0, 1, 1])], "x[constant]"),
        (lambda x, y: x.to(ag.float32), "float32(x)"),
        (lambda x, y: ag.softmax(x, 1), "softmax(x, dim 1)"),
        (lambda x, y: ag.stack([x, x, x]), f"stack(x {TIMES}3, dim 0)"),
        (lambda x, y: ag.cat([x, y, x, y, y]), "cat(x, y, ..., y, dim 0)"),
        (lambda x, y: ag.setitem(x, (slice(1, None), 0), 5.0), "x with [1:, 0] = 5"),
        (lambda x, y: ag.linalg.svd(x, full_matrices=False)[1], "svd(x)[1]"),
    ],
)
def test_written_as_on_a_board(compute, expected):
    x = ag.tensor(np.array([[1.0, 2.0], [3.0, 5.0]]), requires_grad=True)
    y = ag.tensor(np.array([[0.5, -2.0], [1.0, 4.0]]), requires_grad=True)
    with ag.record():
        out = compute(x, y)
    assert [box.formula for box in graph(out).boxes if box.kind == "output"] == [expected]


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_primitive_has_a_formula_with_all_its_operands(name):
    record = REGISTRY[name].record
    operands = [f"operand{i}" for i in range(len(record.arrays) or 2)]
    defaults = {k: v for k, v in record.defaults.items() if v is not inspect.Parameter.empty}
    params = {"axis": (0,), "dims": (1, 2, 0), "form": (slice(None),), "dtype": "float32", **defaults}
    written = formulas.of_application(name, params, operands, (2, 3, 4))
    missing = [x for x in operands if x not in written]
    assert not missing or name == "index"
    assert "{" not in written


def test_what_is_not_known_is_dots():
    x = ag.tensor(2.0, requires_grad=True)
    assert [box.formula for box in graph(x + 3.0).boxes if box.kind == "output"] == ["x + ..."]


def test_numbers_avoid_names_that_are_taken():
    v1 = ag.tensor(2.0, requires_grad=True)
    v3 = ag.tensor(3.0, requires_grad=True)
    f = ag.exp(v1 * v3)
    assert [box.title for box in graph(f).boxes if box.kind != "leaf"] == [f"v2 = v1 {DOT} v3", "f = exp(v2)"]
