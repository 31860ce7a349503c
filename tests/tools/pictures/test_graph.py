"""The backprop picture: what it says."""

import contextlib
import re

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.tools.pictures import labels
from autograd_core.tools.pictures.graph import graph

DOT = "\N{MIDDLE DOT}"


def scalar(value, **options):
    return ag.tensor(value, dtype=np.float64, requires_grad=True, **options)


def facts(picture):
    """Value and gradient of each box by its title."""
    return {box.title: (box.value, box.gradient) for box in picture.boxes}


def flows(picture):
    """Upstream, local and sent on each arrow, by the names of its ends."""
    names = {box.key: box.name or box.title for box in picture.boxes}
    return [(names[a.source], names[a.target], a.upstream, a.local, a.sent) for a in picture.arrows]


def titles(picture, kind):
    return [box.title for box in picture.boxes if box.kind == kind]


# The five patterns


def test_the_course_example():
    x, y, z = scalar(2.0), scalar(3.0), scalar(2.0)
    with ag.record():
        f = (x + y) * (y - z)
    picture = graph(f)
    assert facts(picture) == {
        "x": ("2", "grad 1"),
        "y": ("3", "grad 6"),
        "z": ("2", "grad -5"),
        "v1 = x + y": ("5", "grad 1"),
        "v2 = y - z": ("1", "grad 5"),
        f"f = v1 {DOT} v2": ("5", "grad 1"),
    }
    assert sorted(flows(picture)) == [
        ("v1", "f", "1", "1", "1"),
        ("v2", "f", "1", "5", "5"),
        ("x", "v1", "1", "1", "1"),
        ("y", "v1", "1", "1", "1"),
        ("y", "v2", "5", "1", "5"),
        ("z", "v2", "5", "-1", "-5"),
    ]
    assert picture.gradient_of == "f"


def test_add_distributes():
    a, b = scalar(3.0), scalar(-2.0)
    picture = graph((a + b) * 4)
    assert ("a", "v1", "4", "1", "4") in flows(picture)
    assert ("b", "v1", "4", "1", "4") in flows(picture)


def test_mul_swaps():
    a, b = scalar(3.0), scalar(-2.0)
    assert flows(graph(a * b)) == [("a", "v1", "1", "-2", "-2"), ("b", "v1", "1", "3", "3")]


def test_max_routes():
    a, b = scalar(3.0), scalar(-2.0)
    picture = graph(ag.maximum(a, b) * 4)
    assert ("a", "v1", "4", "1", "4") in flows(picture)
    assert ("b", "v1", "4", "0", "0") in flows(picture)
    assert facts(picture)["b"] == ("-2", "grad 0")


def test_relu_gates():
    a, b = scalar(3.0), scalar(-2.0)
    picture = graph(2 * ag.relu(a) + 5 * ag.relu(b))
    assert ("a", "v1", "2", "1", "2") in flows(picture)
    assert ("b", "v3", "5", "0", "0") in flows(picture)


def test_branches_sum():
    a, b = scalar(3.0), scalar(-2.0)
    picture = graph(a * a + a * b)
    assert sorted(sent for source, *_, sent in flows(picture) if source == "a") == ["-2", "3", "3"]
    assert facts(picture)["a"] == ("3", "grad 4")


# Values and gradients


def test_arrays_agree_with_the_engine(rng):
    w, b = ag.tensor(rng.normal(size=(3, 4)), requires_grad=True), ag.tensor(rng.normal(size=3), requires_grad=True)
    x = rng.normal(size=(5, 4))
    with ag.record():
        loss = ag.tanh(x @ w.T + b).sum()
    picture = graph(loss)
    dw, db = ag.grad(loss, (w, b))
    assert facts(picture)["w"][1] == f"mean |grad| {np.abs(dw.numpy()).mean():.4g}"
    assert facts(picture)["b"][1] == f"grad [{', '.join(f'{g:.4g}' for g in db.numpy())}]"
    assert facts(picture)["v4 = tanh(v3)"][0] == f"{ag.tanh(x @ w.T + b).min():.4g} .. {ag.tanh(x @ w.T + b).max():.4g}"
    assert facts(picture)["v4 = tanh(v3)"][1] == "mean |grad| 1"
    (box,) = [box for box in picture.boxes if box.title == "w"]
    assert box.detail == "(3, 4) float64"


def test_drawing_changes_nothing():
    x = scalar(2.0)
    h = x * x
    h.retain_grad()
    seen = []
    h.register_hook(lambda g: seen.append(g.item()))
    y = h * 3
    graph(y)
    assert x.grad is None
    assert h.grad is None
    assert seen == []
    y.backward()
    assert (x.grad.item(), h.grad.item()) == (12.0, 3.0)
    assert seen == [3.0]


def test_values_without_recording_are_those_that_were_saved():
    x, y = scalar(2.0), scalar(3.0)
    known = facts(graph((x + y) * ag.exp(x - y)))
    assert known["v1 = x + y"][0] == "5"  # mul saved it
    assert known["v3 = exp(v2)"][0] == "0.3679"
    assert known["v2 = x - y"][0] == ""  # nobody needs it


def test_constants_are_shown_if_recorded():
    x = scalar(2.0)
    data = ag.tensor(np.arange(8.0))
    table = np.arange(8.0)
    with ag.record():
        y = ((x**3 * data + table).reshape(2, 4) @ data.reshape(4, 2)).sum()
    picture = graph(y)
    assert titles(picture, "number") == ["3"]
    assert titles(picture, "constant") == ["data", "table", "data"]  # the last is a reshaped view of it
    assert titles(picture, "leaf") == ["x"]
    assert ("3", "v1", "", "", "") in flows(picture)


def test_constants_used_twice_are_one_box_and_numbers_one_each():
    x = ag.tensor(np.ones(2), requires_grad=True)
    data = ag.tensor(np.array([1.0, 2.0]))
    with ag.record():
        y = ((x * data) * data * 3 * 3).sum()
    picture = graph(y)
    assert titles(picture, "constant") == ["data"]
    assert titles(picture, "number") == ["3", "3"]


def test_switches():
    x = scalar(2.0)
    with ag.record():
        y = x * x
    assert facts(graph(y, gradients=False)) == {"x": ("2", ""), f"y = x {DOT} x": ("4", "")}
    assert facts(graph(y, values=False)) == {"x": ("", "grad 4"), f"y = x {DOT} x": ("", "grad 1")}
    assert graph(y, gradients=False).gradient_of == ""
    assert "rankdir=LR" in graph(y, direction="LR").dot


def test_non_scalar_output_says_what_the_gradient_is_of():
    x = ag.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * x
    picture = graph(y)
    assert picture.gradient_of == "the sum of y"
    assert facts(picture)["x"] == ("[1, 2, 3]", "grad [2, 4, 6]")
    assert "gradient of the sum of y" in picture.dot


def test_several_outputs():
    x = scalar(2.0)
    y, z = x * 3, x * x
    picture = graph([y, z])
    assert titles(picture, "output") == [f"y = x {DOT} ...", f"z = x {DOT} x"]
    assert facts(picture)["x"] == ("2", "grad 7")
    assert picture.gradient_of == "the sum of y, z"


def test_an_output_inside_the_graph_of_another():
    x = scalar(2.0)
    y = x * 3
    z = y * y
    picture = graph([z, y])
    assert facts(picture)[f"y = x {DOT} ..."] == ("6", "grad 13")
    assert facts(picture)["x"] == ("2", "grad 39")


def test_a_leaf_alone():
    x = scalar(2.0)
    assert facts(graph(x)) == {"x": ("2", "grad 1")}


def test_shapes_and_extremes():
    empty = ag.tensor(np.zeros((0, 3)), requires_grad=True)
    big = ag.tensor(np.linspace(-1.0, 1.0, 1000, dtype=np.float32), requires_grad=True)
    flat = ag.tensor(np.full(9, -0.0), requires_grad=True)
    with ag.record():
        y = empty.sum() + big.sum() * 2 + flat.sum()
    known = facts(graph(y))
    assert known["empty"] == ("empty", "grad empty")
    assert known["big"] == ("-1 .. 1", "mean |grad| 2")
    assert known["flat"] == ("all 0", "mean |grad| 1")


def test_nan_and_infinity():
    x = ag.tensor(np.array([-1.0, 0.0, 1.0, 4.0, 9.0, 16.0, 25.0]), requires_grad=True)
    lost = ag.tensor(np.full(7, np.nan), requires_grad=True)
    s = scalar(0.0)
    with ag.record():
        y = (ag.sqrt(x) * 2 + lost * lost + ag.log(s)).sum()
    known = facts(graph(y))
    assert known["v1 = sqrt(x)"] == ("0 .. 5, 1 nan", "mean |grad| 2")
    assert known["x"][1] == "mean |grad| inf, 1 nan"
    assert known["lost"] == ("all nan", "grad all nan")
    assert known["v5 = log(s)"] == ("-inf", "grad 7")
    assert ("s", "v5", "7", "inf", "inf") in flows(graph(y))
    assert known["y = sum(v6)"][0] == "nan"


def test_higher_order():
    x = scalar(2.0)
    (dx,) = ag.grad(x**3, x, create_graph=True)
    assert facts(graph(dx))["x"] == ("2", "grad 12")


class Swapped(ag.autograd.Function):
    """Two outputs, and a backward of its own."""

    @staticmethod
    def forward(ctx, x, y):
        return 2 * y, 3 * x

    @staticmethod
    def backward(ctx, g, h):
        return 3 * h, 2 * g


def test_an_operation_with_several_outputs():
    x, y = scalar(2.0), scalar(3.0)
    a, b = Swapped.apply(x, y)
    f = a * b
    picture = graph(f)
    known = facts(picture)
    assert known["a = v1[0]"] == ("6", "grad 6")
    assert known["b = v1[1]"] == ("6", "grad 6")
    assert (known["x"], known["y"]) == (("2", "grad 18"), ("3", "grad 12"))
    assert known["v1 = Swapped(x, y)"] == ("", "")
    assert [box.detail for box in picture.boxes if box.operation == "Swapped"] == ["2 outputs"]
    assert ("x", "v1", "", "", "grad 18") in flows(picture)
    assert ("v1", "a", "", "", "") in flows(picture)


def test_a_decomposition():
    a = ag.tensor(np.array([[3.0, 0.0], [0.0, 2.0]]), requires_grad=True)
    with ag.record():
        _, stretches, _ = ag.svd(a)
        y = stretches.sum()
    picture = graph(y)
    known = facts(picture)
    assert known["stretches = svd(a)[1]"] == ("[3, 2]", "grad [1, 1]")
    assert known["a"][1] == "grad [[1, 0], [0, 1]]"
    assert titles(picture, "constant") == []


def test_changes_in_place():
    x = ag.tensor(np.array([1.0, 2.0]), requires_grad=True)
    with ag.record():
        y = x * 3
        y[0] = 5.0
        view = y[1:]
        y += 1
        z = (view * view).sum()
    assert facts(graph(z))["x"] == ("[1, 2]", "grad [0, 42]")
    (dx,) = ag.grad(z, x)
    assert dx.tolist() == [0.0, 42.0]


# Graphs that cannot send gradients any more


def test_a_released_graph_is_drawn_without_gradients():
    x = scalar(2.0)
    y = x * x
    y.backward()
    picture = graph(y)
    assert facts(picture) == {"x": ("2", ""), f"y = x {DOT} x": ("4", "")}
    assert "retain_graph=True" in picture.notes[0]
    assert "autograd_core.record()" in picture.notes[0]
    assert "retain_graph=True" in picture.dot
    assert picture.gradient_of == ""


def test_a_recorded_graph_keeps_its_gradients():
    x = scalar(2.0)
    with ag.record():
        y = x * x
    y.backward()
    assert facts(graph(y)) == {"x": ("2", "grad 4"), f"y = x {DOT} x": ("4", "grad 1")}


def test_a_value_changed_in_place_is_named():
    x = scalar(2.0)
    y = x * x
    with ag.no_grad():
        x.copy_(5.0)
    picture = graph(y)
    assert facts(picture)[f"y = x {DOT} x"] == ("4", "")
    assert "changed it in place" in picture.notes[0]


# Names


class Layers:
    """Has named parameters, as a module has."""

    def __init__(self):
        self.weight = scalar(2.0)
        self.bias = scalar(1.0)

    def named_parameters(self):
        yield "0.weight", self.weight
        yield "0.bias", self.bias


def test_names_come_from_the_tensor_then_names_then_the_caller():
    own, given, found = scalar(1.0, name="theta"), scalar(2.0), scalar(3.0)
    picture = graph(own * given * found * scalar(4.0), names={"alpha": given, "beta": own})
    assert titles(picture, "leaf") == ["theta", "alpha", "found", "leaf"]


def test_names_of_parameters():
    model = Layers()
    for p in (model.weight, model.bias):
        assert p.requires_grad
    y = model.weight * model.weight + model.bias
    assert titles(graph(y), "leaf") == ["model.0.weight", "model.0.bias"]
    assert titles(graph(y, names=model), "leaf") == ["0.weight", "0.bias"]


def test_names_between_and_hidden_names():
    _x = scalar(1.0)
    h = _x * 2
    y = h + 1
    assert titles(graph(y), "leaf") == ["leaf"]
    assert titles(graph(y), "operation") == [f"h = leaf {DOT} ..."]
    with ag.record():
        g = ag.exp(_x)
        g.name = "growth"
        y = g * 2
    assert titles(graph(y), "operation") == ["growth = exp(leaf)"]


def test_a_local_name_comes_before_a_global_one(monkeypatch):
    x = scalar(1.0)
    monkeypatch.setitem(globals(), "elsewhere", x)
    assert titles(graph(x * x), "leaf") == ["x"]
    del x
    assert titles(graph(elsewhere * 2), "leaf") == ["elsewhere"]  # noqa: F821


def test_names_in_lists_and_dictionaries():
    layer = {"w": scalar(1.0), "more": [scalar(2.0), (scalar(3.0),)]}
    weights = [scalar(4.0), scalar(5.0)]
    x, y = batch = scalar(6.0), scalar(7.0)
    f = layer["w"] * layer["more"][0] * layer["more"][1][0] * weights[0] * weights[1] * x * y
    assert titles(graph(f), "leaf") == [
        *("layer['w']", "layer['more'][0]", "layer['more'][1][0]", "weights[0]", "weights[1]"),
        *("x", "y"),  # rather than batch[0]
    ]
    assert titles(graph(f), "operation")[0] == f"v1 = layer['w'] {DOT} layer['more'][0]"
    assert batch


def test_too_long_lists_are_not_searched():
    weights = [scalar(1.0)] * 1001
    assert titles(graph(weights[0] * 2), "leaf") == ["leaf"]


def test_parts_of_what_has_a_name():
    x = ag.tensor(np.arange(24.0).reshape(2, 3, 4))
    w = scalar(2.0)
    with ag.record():
        y = w * x[1] * x[1, 2] * x[0, :, :1] * x[:, 2:, :1] * x.reshape(2, 1, 3, 4)
    expected = ["x[1]", "x[1, 2]", "x[...]", "x[...]", "x"]
    assert [box.title for box in graph(y).boxes if box.kind in ("constant", "number")] == expected
    transposed = ag.tensor(np.arange(24.0).reshape(2, 3, 4).transpose(2, 1, 0))
    with ag.record():
        y = (w * transposed[3, 2]).sum()
    assert titles(graph(y), "constant") == ["transposed[3, 2]"]


def test_last_names():
    for name, last in [
        ("model.0.weight", "weight"),
        ("model.weights.0", "weights.0"),
        ("model.weight[3]", "weight[3]"),
        ("lr 0.001", "lr 0.001"),
        ("model.0.bias.grad", "bias.grad"),
        ("new model.0.bias", "new bias"),
        ("new exp_avg of model.0.bias", "new exp_avg"),
        ("rates['a.b']", "rates['a.b']"),
    ]:
        assert labels.last_name(name) == last


def test_what_was_not_recorded_is_said():
    x = scalar(2.0)
    (note,) = graph(x * 3).notes
    assert "outside of autograd_core.record()" in note
    with ag.record():
        y = x * 3
    assert graph(y).notes == []


def test_operations_show_their_arguments():
    x = ag.tensor(np.ones((2, 3)), requires_grad=True)
    with ag.record():
        y = ag.cat([x.sum(0, keepdim=True), x[:, None, 0:2][..., 0].T.sum(1, keepdim=True).T.expand(1, 3)], 0)
        z = ag.log_softmax(y, 1).mT.sum()
    shown = [box.formula for box in graph(z).boxes]
    assert "sum(x, dim 0, keepdim)" in shown
    assert "x[:, None, 0:2]" in shown
    assert "v2[..., 0]" in shown
    assert "v3.T" in shown
    assert "cat(v1, v7, dim 0)" in shown
    assert "log_softmax(y, dim 1)" in shown
    assert titles(graph(z), "output") == ["z = sum(v9)"]


def test_odd_names_are_escaped():
    odd = 'a<b&"c"\'\n\\N{1}\x00 %s <script>'
    x = scalar(2.0, name=odd)
    y = x * scalar(3.0, name="   ")
    source = graph(y).dot
    assert "a&lt;b&amp;&quot;c&quot;&#x27; \\N{1} %s &lt;script&gt;" in source
    assert "\x00" not in source


def test_long_names_are_cut():
    x = scalar(2.0, name="w" * 500)
    (title,) = titles(graph(x * 2), "leaf")
    assert len(title) <= 60
    assert title.endswith("...")


# Size


@pytest.mark.parametrize("max_nodes", [2, 3, 10, 11, 40])
def test_what_is_left_out_is_counted(max_nodes):
    x, w = scalar(0.5), scalar(0.9)
    y = x
    for _ in range(50):
        y = ag.tanh(y * w)
    picture = graph(y, max_nodes=max_nodes, roll=False)
    operations = len(titles(picture, "operation")) + len(titles(picture, "output"))
    (rest,) = titles(picture, "left out")
    assert rest.startswith(f"... {100 - operations} operations")
    assert len(picture.boxes) <= max(max_nodes, 3)
    assert [box.gradient for box in picture.boxes if box.name == "y"] == ["grad 1"]
    if max_nodes >= 10:
        (dx,) = ag.grad(y, x)
        assert facts(picture)["x"][1] == f"grad {dx.item():.4g}"
    pairs = [(a.source, a.target) for a in picture.arrows]
    (key,) = [box.key for box in picture.boxes if box.kind == "left out"]
    assert len([pair for pair in pairs if key in pair]) == len({pair for pair in pairs if key in pair})


def test_leaves_left_out_are_counted_too():
    y = scalar(1.0)
    for _ in range(50):
        y = y * scalar(1.0)
    picture = graph(y, max_nodes=21, roll=False)
    leaves, operations = len(titles(picture, "leaf")), len(titles(picture, "output") + titles(picture, "operation"))
    assert titles(picture, "left out") == [f"... {50 - operations} operations and {51 - leaves} inputs left out ..."]
    assert len(picture.boxes) <= 21


def test_a_graph_that_fits_is_shown_whole():
    x = scalar(1.0)
    y = x
    for _ in range(20):
        y = ag.sin(y)
    assert len(graph(y, max_nodes=21, roll=False).boxes) == 21
    assert titles(graph(y, max_nodes=21, roll=False), "left out") == []
    assert len(titles(graph(y, max_nodes=20), "left out")) == 1


def test_a_deep_chain():
    x = scalar(1.0)
    y = x
    for _ in range(30_000):
        y = y * 1.0
    picture = graph(y, roll=False)
    assert len(picture.boxes) == 400
    assert titles(picture, "left out") == ["... 29,602 operations left out ..."]
    assert facts(picture)["x"] == ("1", "grad 1")


# Errors


def test_errors_say_what_to_do():
    x = scalar(1.0)
    with pytest.raises(RuntimeError, match=r"shape \(2,\) does not lead back .* requires_grad=True"):
        graph(ag.zeros(2))
    with pytest.raises(TypeError, match="expected a tensor"):
        graph(3.0)
    with pytest.raises(TypeError, match="expected a tensor"):
        graph([])
    with pytest.raises(TypeError, match="names must map names to tensors, or be a module, got int"):
        graph(x * x, names=3)
    with pytest.raises(ValueError, match="direction must be"):
        graph(x * x, direction="down")
    with pytest.raises(ValueError, match="max_nodes must be a whole number of at least 2, got 1"):
        graph(x * x, max_nodes=1)
    with pytest.raises(ValueError, match="max_nodes must be a whole number of at least 2, got None"):
        graph(x * x, max_nodes=None)
    with pytest.raises(ValueError, match="depth must be a whole number of at least 0, or None to choose it, got '1'"):
        graph(x * x, depth="1")


def test_leaves_without_a_name_are_told_apart():
    def product():
        factors = (ag.tensor(v, requires_grad=True) for v in (2.0, 3.0))
        return next(factors) * next(factors)

    picture = graph(product())
    assert [(b.title, b.name, b.value) for b in picture.boxes[:2]] == [("leaf1", "leaf1", "2"), ("leaf2", "leaf2", "3")]
    assert picture.boxes[2].formula == "leaf1 \N{MIDDLE DOT} leaf2"


@pytest.mark.parametrize("record", [True, False])
def test_a_leaf_that_was_changed_since_has_no_value(record):
    w, x = ag.tensor(2.0, requires_grad=True), ag.tensor(3.0)
    with ag.record() if record else contextlib.nullcontext():
        loss = w * x
    with ag.no_grad():
        w += 1
    boxes = {box.name: box for box in graph(loss).boxes}
    assert (boxes["w"].value, boxes["w"].gradient) == ("", "grad 3")
    assert re.fullmatch(r"changed since by add_ \(.*test_graph.py:\d+\)", boxes["w"].note)
    assert boxes["loss"].value == "6"
