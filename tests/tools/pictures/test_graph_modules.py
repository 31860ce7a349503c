"""Modules in pictures: as clusters, as boxes, and repetitions rolled up."""

import re

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.nn import functional as F
from autograd_core.tools.pictures.graph import graph


@pytest.fixture(autouse=True)
def _seed():
    ag.manual_seed(0)


class Pair(nn.Module):
    """Two layers with something between them that is no module."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.LayerNorm(4), nn.Tanh())
        self.second = nn.LayerNorm(4)

    def forward(self, x):
        return self.second(ag.exp(self.first[1](self.first[0](x)) * 2))


def pair_loss():
    """Names of things, and a loss that was computed of them."""
    model, x = Pair(), ag.randn(5, 4, requires_grad=True)
    with ag.record():
        loss = (model(x) ** 2).sum()
    return {"model": model, "x": x, "loss": loss}, loss


def around(picture, box):
    """The titles of the clusters a box is in, the innermost first."""
    number = box.cluster
    while number is not None:
        cluster = picture.clusters[number]
        yield cluster.title
        number = cluster.parent


def named(picture, name):
    (box,) = [box for box in picture.boxes if box.name == name]
    return box


# Clusters


def test_modules_are_nested_clusters_with_path_and_class():
    names, loss = pair_loss()
    picture = graph(loss, names=names)
    found = {(c.title, c.detail): c for c in picture.clusters}
    assert ("model", "Pair") in found
    assert ("model.first.0", "LayerNorm") in found
    assert ("model.second", "LayerNorm") in found
    assert picture.clusters[found["model.second", "LayerNorm"].parent].title == "model"
    assert [c.number for c in picture.clusters] == list(range(len(picture.clusters)))
    assert all(c.parent is None or c.parent < c.number for c in picture.clusters)
    assert list(around(picture, named(picture, "model.second.weight"))) == ["model.second", "model"]
    assert list(around(picture, named(picture, "x"))) == []
    (power,) = [box for box in picture.boxes if box.operation == "pow"]
    assert power.cluster is None
    (exp,) = [box for box in picture.boxes if box.operation == "exp"]
    assert list(around(picture, exp)) == ["model"]


def test_a_module_of_one_operation_is_no_cluster_but_says_what_it_is():
    names, loss = pair_loss()
    picture = graph(loss, names=names)
    (tanh,) = [box for box in picture.boxes if box.operation == "tanh"]
    assert (tanh.module, tanh.module_class) == ("model.first.1", "Tanh")
    assert "model.first.1" not in [c.title for c in picture.clusters]
    assert "first.1 Tanh" in picture.dot  # as it is called within the model
    assert "model.first.1" not in picture.dot


def test_names_start_where_names_say():
    things, loss = pair_loss()
    picture = graph(loss, names=things["model"])
    assert "second" in [c.title for c in picture.clusters]
    assert named(picture, "second.weight").module == "second"


def test_parameters_of_a_module_nobody_named_have_its_paths():
    def compute():
        with ag.record():
            return Pair()(ag.randn(5, 4, requires_grad=True)).sum()

    picture = graph(compute())
    assert named(picture, "second.weight").kind == "leaf"
    assert "second" in [c.title for c in picture.clusters]


def test_without_recording_there_are_no_modules():
    model, x = Pair(), ag.randn(5, 4, requires_grad=True)
    loss = model(x).sum()
    picture = graph(loss)
    assert picture.clusters == []
    assert named(picture, "model.second.weight").kind == "leaf"
    assert all(box.line == "" for box in picture.boxes)


def test_lines():
    x = ag.tensor(2.0, requires_grad=True)
    with ag.record():
        y = x * x
        z = ag.exp(y)
    first, second = (box.line for box in graph(z).boxes if box.kind != "leaf")
    file, _, number = first.rpartition(":")
    assert file == __file__
    assert second == f"{file}:{int(number) + 1}"
    assert f"test_graph_modules.py:{number}" in graph(z).dot
    assert graph(y).dot.count(f"test_graph_modules.py:{number}") == 1  # of all: once, in the caption


# Depth


def test_depth_0_makes_a_module_one_box():
    names, loss = pair_loss()
    picture = graph(loss, names=names, depth=0)
    (box,) = [box for box in picture.boxes if box.kind == "module"]
    assert box.formula == "model(x)"
    assert box.module_class == "Pair"
    out = loss.node.parents[0].parents[0]  # of sum, of pow
    grads = ag.grad(loss, list(names["model"].parameters()))
    mean = sum(np.abs(g.numpy()).sum() for g in grads) / sum(g.numpy().size for g in grads)
    assert box.note.startswith(
        f"{sum(p.numel() for p in names['model'].parameters())} parameters, mean |grad| {mean:.3g}"[:-1]
    )
    assert box.value == f"{out.trace.value.min():.4g} .. {out.trace.value.max():.4g}"
    assert [b.name for b in picture.boxes if b.kind in ("leaf", "constant")] == ["x"]
    assert picture.clusters == []


def test_depth_1_makes_its_children_boxes():
    names, loss = pair_loss()
    picture = graph(loss, names=names, depth=1)
    boxes = {box.module: box for box in picture.boxes if box.kind == "module"}
    assert list(boxes) == ["model.first.0", "model.first.1", "model.second"]
    assert [c.title for c in picture.clusters] == ["model"]
    assert boxes["model.first.0"].formula == "first.0(x)"
    assert not [box for box in picture.boxes if box.name.startswith("model.")]


@pytest.mark.parametrize("depth", [0, 1, 2, None])
def test_depth_changes_no_number(depth):
    names, loss = pair_loss()
    picture = graph(loss, names=names, depth=depth)
    assert named(picture, "loss").gradient == "grad 1"
    (power,) = [box for box in picture.boxes if box.operation == "pow"]
    assert power.gradient == "mean |grad| 1"
    keys = {box.key for box in picture.boxes}
    assert all(a.source in keys and a.target in keys for a in picture.arrows)


def test_a_module_inside_that_is_an_output():
    model, x = Pair(), ag.randn(5, 4, requires_grad=True)
    with ag.record():
        out = model(x)
    (box,) = [box for box in graph(out, depth=0).boxes if box.kind == "output"]
    assert box.title == "out = model(x)"


# Repetitions


def lstm_loss(steps, last_only=False):
    lstm, x = nn.LSTM(4, 8), ag.randn(steps, 3, 4)
    with ag.record():
        out, _ = lstm(x)
        loss = ((out[-1] if last_only else out) ** 2).mean()
    return lstm, loss


def test_steps_of_a_recurrent_network_are_one():
    lstm, loss = lstm_loss(50)
    picture = graph(loss)
    assert len(picture.boxes) < 50
    (again,) = [c for c in picture.clusters if c.kind == "repetition"]
    assert again.times == 50
    inside = [box for box in picture.boxes if box.cluster == again.number]
    assert [box.operation for box in inside if box.operation == "tanh"] == ["tanh", "tanh"]
    # Two values go on from one step to the next: h and c.
    assert len({a.source for a in picture.arrows if a.again}) == 2
    (stack,) = [box for box in picture.boxes if box.operation == "stack"]
    assert [a.uses for a in picture.arrows if a.target == stack.key] == [50]
    # The weights are the same in every step, and stand beside the repetition.
    weight = named(picture, "lstm.weight_hh_l0")
    assert picture.clusters[weight.cluster].title == "lstm"
    (dw,) = ag.grad(loss, lstm.weight_hh_l0)
    assert weight.gradient == f"mean |grad| {np.abs(dw.numpy(), dtype=float).mean():.4g}"


def test_gradients_through_time_are_those_of_the_engine():
    _, loss = lstm_loss(30, last_only=True)
    picture = graph(loss)
    (again,) = [c for c in picture.clusters if c.kind == "repetition"]
    assert len(again.magnitudes) == 30
    out = loss.node
    while out.name != "stack":
        out = out.parents[0]
    ends = list(out.parents)
    seen = {}
    for node in ends:
        node.hooks = [lambda g, node=node: seen.setdefault(node, np.abs(g, dtype=float).mean()) and None]
    loss.backward(retain_graph=True)
    assert again.magnitudes == pytest.approx([seen[node] for node in ends])
    assert again.magnitudes[0] < 1e-3 * again.magnitudes[-1]  # it vanishes
    assert f"mean |grad| {again.magnitudes[0]:.4g} at the first" in again.note


def test_roll_false_draws_all():
    _, loss = lstm_loss(10)
    whole = graph(loss, roll=False, max_nodes=10_000)
    assert not [c for c in whole.clusters if c.kind == "repetition"]
    assert not any(a.again for a in whole.arrows)
    assert sum(box.operation == "tanh" for box in whole.boxes) == 20
    assert sum(box.operation == "tanh" for box in graph(loss).boxes) == 2


def test_equal_layers_are_one_cluster():
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    encoder, x = nn.TransformerEncoder(layer, 6), ag.randn(2, 5, 8)
    with ag.record():
        loss = (encoder(x) ** 2).sum()
    picture = graph(loss)
    (layers,) = [c for c in picture.clusters if c.times > 1]
    assert (layers.title, layers.detail, layers.times) == ("encoder.layers.5", "TransformerEncoderLayer", 6)
    assert layers.note.startswith("layers.0 to layers.5: the last of 6 is shown")
    names = {box.name for box in picture.boxes if box.kind == "leaf"}
    assert "encoder.layers.5.norm1.weight" in names
    assert "encoder.layers.0.norm1.weight" not in names
    few = graph(loss, depth=1)  # six boxes in a row are easier to read than one
    assert [box.module for box in few.boxes if box.kind == "module"] == [f"encoder.layers.{i}" for i in range(6)]


def test_modules_are_opened_as_far_as_fits_on_a_page():
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
    encoder, x = nn.TransformerEncoder(layer, 2), ag.randn(2, 5, 8)
    with ag.record():
        loss = (encoder(x) ** 2).sum()
    picture = graph(loss)
    assert len(picture.boxes) < 60 < len(graph(loss, depth=3).boxes)
    assert picture.notes == ["Modules are opened 2 levels deep; depth=3 shows more."]
    assert [box.title for box in picture.boxes] == [box.title for box in graph(loss, depth=2).boxes]
    assert graph(loss, depth=2).notes == []


def test_what_is_called_from_outside_is_opened_whatever_its_size():
    model, x = nn.Sequential(*(m for _ in range(40) for m in (nn.Linear(2, 2), nn.Tanh()))), ag.randn(3, 2)
    with ag.record():
        loss = model(x).sum()
    picture = graph(loss, roll=False)
    assert [c.title for c in picture.clusters] == ["model"]
    assert [box.kind for box in picture.boxes].count("module") == 80
    assert picture.notes == ["Modules are opened 1 level deep; depth=2 shows more."]


def test_paths_are_as_the_module_around_calls_them():
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    encoder, x = nn.TransformerEncoder(layer, 6), ag.randn(2, 5, 8)
    with ag.record():
        loss = (encoder(x) ** 2).sum()
    texts = set(re.findall(r">([^<>]+)</FONT>", graph(loss).dot))
    assert {"encoder", "layers.5", "self_attn", "linear1.weight", "out_proj.bias"} <= texts
    assert not {text for text in texts if "encoder." in text}


def test_many_layers_that_are_boxes_are_one_box():
    model, x = nn.Sequential(*(nn.PReLU() for _ in range(30))), ag.randn(3)
    with ag.record():
        loss = model(x).sum()
    picture = graph(loss, depth=1)
    (box,) = [box for box in picture.boxes if box.kind == "module"]
    assert box.times == 30
    assert len(box.magnitudes) == 30
    assert box.formula == "model.29(x)" or box.formula.startswith("model.29(previous ")
    assert [a.again for a in picture.arrows if a.source == a.target] == [True]


def test_blocks_wired_otherwise_are_not_repetitions():
    x = ag.tensor(np.ones(3), requires_grad=True)
    with ag.record():
        y = x
        for i in range(20):
            a, b = ag.exp(y), ag.tanh(y)
            y = a + b if i % 2 else b + a  # the same operations, linked differently
            y = y * 0.1
    picture = graph(y)
    assert picture.clusters == []
    assert sum(box.operation == "exp" for box in picture.boxes) == 20


def test_what_one_time_alone_uses_is_drawn_of_the_last():
    ws = [ag.tensor(np.full(3, float(i)), requires_grad=True, name=f"w{i}") for i in range(30)]
    shared = ag.tensor(np.ones(3), requires_grad=True, name="shared")
    y = shared
    for w in ws:
        y = ag.tanh(y * w) + shared
    picture = graph(y)
    assert [box.name for box in picture.boxes if box.kind == "leaf"] == ["shared", "w29"]
    (block,) = picture.clusters
    assert named(picture, "w29").cluster == block.number
    assert named(picture, "shared").cluster is None


def test_short_repetitions_are_drawn_as_they_are():
    x = ag.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(20):
        y = ag.sin(y)
    assert len(graph(y).boxes) == 21  # rolling up saves 19
    y = ag.sin(y)
    assert [box.times for box in graph(y).boxes] == [1, 21]


def test_a_long_chain_is_one_box():
    x = ag.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(5_000):
        y = y * 1.0
    picture = graph(y)
    assert [(box.kind, box.times) for box in picture.boxes] == [("leaf", 1), ("output", 5_000)]
    assert facts_of(picture, "x") == ("1", "grad 1")


def facts_of(picture, name):
    box = named(picture, name)
    return box.value, box.gradient


def test_rolled_up_and_left_out_at_once():
    _, loss = lstm_loss(40)
    picture = graph(loss, max_nodes=12)
    assert len(picture.boxes) <= 12
    (rest,) = [box for box in picture.boxes if box.kind == "left out"]
    operations = len(graph(loss, roll=False, max_nodes=10_000).boxes)
    assert 0 < int(rest.title.split()[1].replace(",", "")) < operations
    keys = {box.key for box in picture.boxes}
    assert all(a.source in keys and a.target in keys for a in picture.arrows)


def test_a_shared_module_used_twice():
    layer, x = nn.Linear(3, 3), ag.randn(2, 3)
    with ag.record():
        loss = layer(ag.tanh(layer(x))).sum()
    picture = graph(loss, depth=0)
    assert [box.formula for box in picture.boxes if box.kind == "module"] == ["layer(x)", "layer(v2)"]


def test_dropout_masks_stay_inside():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5))
    x = ag.randn(3, 4)
    with ag.record():
        loss = F.mse_loss(model(x), ag.zeros(3, 4))
    shown = graph(loss, depth=0).boxes
    assert [box.name for box in shown if box.kind == "constant" and "bool" in box.detail] == []
    assert sum("bool" in box.detail for box in graph(loss).boxes) == 1


def test_bad_options():
    x = ag.tensor(1.0, requires_grad=True)
    with pytest.raises(ValueError, match=r"depth must be a whole number of at least 0, or None"):
        graph(x * x, depth=-1)
    with pytest.raises(ValueError, match=r"colour must be 'kind' or 'gradient', got 'loss'"):
        graph(x * x, colour="loss")
