"""The backprop picture: what it says, and that it can be drawn."""

import re
import shutil
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.tools import render
from autograd_core.tools.picture import graph

DOT = shutil.which("dot")
PURE = shutil.which("graphviz-pure", path=render._scripts()) or shutil.which("graphviz-pure")

drawn = pytest.mark.skipif(not (DOT or PURE), reason="neither Graphviz nor graphviz-pure is installed")


def scalar(value, **options):
    return ag.tensor(value, dtype=np.float64, requires_grad=True, **options)


def facts(picture):
    """Value and gradient of each box by its title."""
    return {box.title: (box.value, box.gradient) for box in picture.boxes}


def flows(picture):
    """Upstream, local and sent on each arrow, by the titles of its ends."""
    titles = {box.key: box.title for box in picture.boxes}
    return [(titles[a.source], titles[a.target], a.upstream, a.local, a.sent) for a in picture.arrows]


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
        "add": ("5", "grad 1"),
        "sub": ("1", "grad 5"),
        "f = mul": ("5", "grad 1"),
    }
    assert sorted(flows(picture)) == [
        ("add", "f = mul", "1", "1", "1"),
        ("sub", "f = mul", "1", "5", "5"),
        ("x", "add", "1", "1", "1"),
        ("y", "add", "1", "1", "1"),
        ("y", "sub", "5", "1", "5"),
        ("z", "sub", "5", "-1", "-5"),
    ]
    assert picture.gradient_of == "f"


def test_add_distributes():
    a, b = scalar(3.0), scalar(-2.0)
    picture = graph((a + b) * 4)
    assert ("a", "add", "4", "1", "4") in flows(picture)
    assert ("b", "add", "4", "1", "4") in flows(picture)


def test_mul_swaps():
    a, b = scalar(3.0), scalar(-2.0)
    assert flows(graph(a * b)) == [("a", "mul", "1", "-2", "-2"), ("b", "mul", "1", "3", "3")]


def test_max_routes():
    a, b = scalar(3.0), scalar(-2.0)
    picture = graph(ag.maximum(a, b) * 4)
    assert ("a", "maximum", "4", "1", "4") in flows(picture)
    assert ("b", "maximum", "4", "0", "0") in flows(picture)
    assert facts(picture)["b"] == ("-2", "grad 0")


def test_relu_gates():
    a, b = scalar(3.0), scalar(-2.0)
    picture = graph(2 * ag.relu(a) + 5 * ag.relu(b))
    assert ("a", "relu", "2", "1", "2") in flows(picture)
    assert ("b", "relu", "5", "0", "0") in flows(picture)


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
    assert facts(picture)["tanh"][0] == f"{ag.tanh(x @ w.T + b).min():.4g} .. {ag.tanh(x @ w.T + b).max():.4g}"
    assert facts(picture)["tanh"][1] == "mean |grad| 1"
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
    assert known["add"][0] == "5"  # mul saved it
    assert known["exp"][0] == "0.3679"
    assert known["sub"][0] == ""  # nobody needs it


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
    assert ("3", "pow", "", "", "") in flows(picture)


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
    assert facts(graph(y, gradients=False)) == {"x": ("2", ""), "y = mul": ("4", "")}
    assert facts(graph(y, values=False)) == {"x": ("", "grad 4"), "y = mul": ("", "grad 1")}
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
    assert titles(picture, "output") == ["y = mul", "z = mul"]
    assert facts(picture)["x"] == ("2", "grad 7")
    assert picture.gradient_of == "the sum of y, z"


def test_an_output_inside_the_graph_of_another():
    x = scalar(2.0)
    y = x * 3
    z = y * y
    picture = graph([z, y])
    assert facts(picture)["y = mul"] == ("6", "grad 13")
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
    assert known["sqrt"] == ("0 .. 5, 1 nan", "mean |grad| 2")
    assert known["x"][1] == "mean |grad| inf, 1 nan"
    assert known["lost"] == ("all nan", "grad all nan")
    assert known["log"] == ("-inf", "grad 7")
    assert ("s", "log", "7", "inf", "inf") in flows(graph(y))
    assert known["y = sum"][0] == "nan"


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
    assert known["a = output 0"] == ("6", "grad 6")
    assert known["b = output 1"] == ("6", "grad 6")
    assert (known["x"], known["y"]) == (("2", "grad 18"), ("3", "grad 12"))
    assert known["Swapped"] == ("", "")
    assert [box.detail for box in picture.boxes if box.title == "Swapped"] == ["2 outputs"]
    assert ("x", "Swapped", "", "", "grad 18") in flows(picture)
    assert ("Swapped", "a = output 0", "", "", "") in flows(picture)


def test_a_decomposition():
    a = ag.tensor(np.array([[3.0, 0.0], [0.0, 2.0]]), requires_grad=True)
    with ag.record():
        _, stretches, _ = ag.svd(a)
        y = stretches.sum()
    picture = graph(y)
    known = facts(picture)
    assert known["stretches = output 1"] == ("[3, 2]", "grad [1, 1]")
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
    assert facts(picture) == {"x": ("2", ""), "y = mul": ("4", "")}
    assert "retain_graph=True" in picture.notes[0]
    assert "autograd_core.record()" in picture.notes[0]
    assert "retain_graph=True" in picture.dot
    assert picture.gradient_of == ""


def test_a_recorded_graph_keeps_its_gradients():
    x = scalar(2.0)
    with ag.record():
        y = x * x
    y.backward()
    assert facts(graph(y)) == {"x": ("2", "grad 4"), "y = mul": ("4", "grad 1")}


def test_a_value_changed_in_place_is_named():
    x = scalar(2.0)
    y = x * x
    with ag.no_grad():
        x.copy_(5.0)
    picture = graph(y)
    assert facts(picture)["y = mul"] == ("4", "")
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
    assert titles(graph(y), "operation") == ["h = mul"]
    with ag.record():
        g = ag.exp(_x)
        g.name = "growth"
        y = g * 2
    assert titles(graph(y), "operation") == ["growth = exp"]


def test_a_local_name_comes_before_a_global_one(monkeypatch):
    x = scalar(1.0)
    monkeypatch.setitem(globals(), "elsewhere", x)
    assert titles(graph(x * x), "leaf") == ["x"]
    del x
    assert titles(graph(elsewhere * 2), "leaf") == ["elsewhere"]  # noqa: F821


def test_operations_show_their_arguments():
    x = ag.tensor(np.ones((2, 3)), requires_grad=True)
    with ag.record():
        y = ag.cat([x.sum(0, keepdim=True), x[:, None, 0:2][..., 0].T.sum(1, keepdim=True).T.expand(1, 3)], 0)
        z = ag.log_softmax(y, 1).mT.sum()
    shown = titles(graph(z), "operation")
    assert shown[0] == "sum dim 0 keepdim"
    assert "index [:, None, 0:2]" in shown
    assert "index [..., 0]" in shown
    assert "cat dim 0" in " ".join(shown)
    assert "log_softmax dim 1" in shown
    assert "permute dims (1, 0)" in shown
    assert titles(graph(z), "output") == ["z = sum"]


def test_odd_names_are_escaped():
    odd = 'a<b&"c"\'\n\\N{1}\x00 %s <script>'
    x = scalar(2.0, name=odd)
    y = x * scalar(3.0, name="   ")
    source = graph(y).dot
    assert "a&lt;b&amp;&quot;c&quot;&#x27; \\N{1} %s &lt;script&gt;" in source
    assert "\x00" not in source
    if DOT or PURE:
        assert "?" in "".join(ElementTree.fromstring(graph(y).svg()).itertext())


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
    picture = graph(y, max_nodes=max_nodes)
    operations = len(titles(picture, "operation")) + len(titles(picture, "output"))
    (rest,) = titles(picture, "left out")
    assert rest.startswith(f"... {100 - operations} operations")
    assert len(picture.boxes) <= max(max_nodes, 3)
    assert facts(picture)["y = tanh"][1] == "grad 1"
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
    picture = graph(y, max_nodes=21)
    leaves, operations = len(titles(picture, "leaf")), len(titles(picture, "output") + titles(picture, "operation"))
    assert titles(picture, "left out") == [f"... {50 - operations} operations and {51 - leaves} inputs left out ..."]
    assert len(picture.boxes) <= 21


def test_a_graph_that_fits_is_shown_whole():
    x = scalar(1.0)
    y = x
    for _ in range(20):
        y = ag.sin(y)
    assert len(graph(y, max_nodes=21).boxes) == 21
    assert titles(graph(y, max_nodes=21), "left out") == []
    assert len(titles(graph(y, max_nodes=20), "left out")) == 1


def test_a_deep_chain():
    x = scalar(1.0)
    y = x
    for _ in range(100_000):
        y = y * 1.0
    picture = graph(y)
    assert len(picture.boxes) == 400
    assert titles(picture, "left out") == ["... 99,602 operations left out ..."]
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
    with pytest.raises(ValueError, match="max_nodes must be at least 2, got 1"):
        graph(x * x, max_nodes=1)


# Drawing


def test_an_input_used_everywhere_is_drawn_at_each_use():
    x, w = scalar(1.0), scalar(0.5)
    few, many = x, x
    for _ in range(4):
        few = few * w
    for _ in range(5):
        many = many * w
    for output, uses in ((few, 4), (many, 5)):
        picture = graph(output)
        (key,) = [box.key for box in picture.boxes if box.title == "w"]
        starts = re.findall(rf"^  ({key}\w*) -> ", picture.dot, re.MULTILINE)
        assert len(starts) == uses
        assert len(set(starts)) == (1 if uses == 4 else 5)
        assert len(titles(picture, "leaf")) == 2


def test_an_array_used_once_does_not_say_its_gradient_twice():
    x = ag.tensor(np.array([1.0, 2.0]), requires_grad=True)
    once, twice = (x * 3).sum(), (x * 3 + x).sum()
    assert graph(once).dot.count("grad [3, 3]") == 1
    assert graph(twice).dot.count("grad [3, 3]") == 1
    assert graph(twice).dot.count("grad [4, 4]") == 1
    assert ("x", "mul", "", "", "grad [3, 3]") in flows(graph(once))


@pytest.fixture
def picture():
    x = scalar(2.0, name='a<b&"c"')
    w = ag.tensor(np.ones((3, 8)), requires_grad=True, name="größe \N{GREEK SMALL LETTER SIGMA}")
    with ag.record():
        y = ((w * x).sum(0) ** 2).mean()
    return graph(y)


@pytest.mark.parametrize("command", ["dot", "graphviz-pure"])
def test_both_renderers_draw_it(picture, command):
    program = {"dot": DOT, "graphviz-pure": PURE}[command]
    if program is None:
        pytest.skip(f"{command} is not installed")
    x, y = scalar(2.0), scalar(3.0)
    with ag.record():
        f = x * y
    # Clean of warnings, too, where the person's own names are plain.
    done = subprocess.run([program, "-Tsvg"], input=graph(f).dot.encode(), capture_output=True, check=True)
    assert done.stderr == b""
    done = subprocess.run([program, "-Tsvg"], input=picture.dot.encode(), capture_output=True, check=True)
    text = " ".join(ElementTree.fromstring(done.stdout).itertext())
    assert 'a<b&"c"' in text
    assert "größe" in text
    assert "1 * 0.125 = 0.125" in text
    assert len(re.findall(r'class="node"', done.stdout.decode())) == len(picture.boxes)
    assert len(re.findall(r'class="edge"', done.stdout.decode())) == len(picture.arrows)


@drawn
def test_files_by_suffix(picture, tmp_path):
    assert picture.save(tmp_path / "g.dot").read_text(encoding="utf-8") == picture.dot
    assert picture.save(str(tmp_path / "g.gv")).read_text(encoding="utf-8") == picture.dot
    assert ElementTree.parse(picture.save(tmp_path / "g.SVG")).getroot().tag.endswith("svg")
    assert picture.save(tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.SVG", "g.dot", "g.gv", "g.png"]


@pytest.mark.skipif(not DOT, reason="Graphviz is not installed")
def test_pdf(picture, tmp_path):
    assert picture.save(tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")


@drawn
def test_shown_in_a_notebook(picture):
    shown = picture._repr_mimebundle_()
    assert "<svg" in shown["image/svg+xml"]
    assert shown["text/plain"] == repr(picture)


def test_repr(picture):
    assert repr(picture) == "<Picture of y: 5 operations, 2 leaves; draw it with .save('graph.svg')>"


def _only(monkeypatch, *commands):
    which = shutil.which
    monkeypatch.setattr(render.shutil, "which", lambda name, **at: which(name, **at) if name in commands else None)


@pytest.mark.skipif(not PURE, reason="graphviz-pure is not installed")
def test_without_graphviz_the_other_draws(picture, tmp_path, monkeypatch):
    _only(monkeypatch, "graphviz-pure")
    assert "graphviz-pure" in picture.svg()
    assert picture.save(tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(RuntimeError, match=r"which alone draws pdf, is not installed.*apt install.*g\.dot"):
        picture.save(tmp_path / "g.pdf")


def test_without_any_renderer_the_source_is_kept(picture, tmp_path, monkeypatch):
    _only(monkeypatch)
    with pytest.raises(RuntimeError, match=r"neither Graphviz .*pip install graphviz-pure.*g\.dot"):
        picture.save(tmp_path / "g.svg")
    assert [p.name for p in tmp_path.iterdir()] == ["g.dot"]
    assert (tmp_path / "g.dot").read_text(encoding="utf-8") == picture.dot
    shown = picture._repr_mimebundle_()
    assert list(shown) == ["text/plain"]
    assert "graphviz-pure" in shown["text/plain"]


def test_where_it_cannot_be_saved(picture, tmp_path):
    with pytest.raises(ValueError, match=r"ending in \.svg, \.png, \.pdf, \.dot or \.gv, got 'g\.jpg'"):
        picture.save(tmp_path / "g.jpg")
    with pytest.raises(FileNotFoundError, match=r"missing.g\.svg"):
        picture.save(tmp_path / "missing" / "g.svg")
    assert list(tmp_path.iterdir()) == []


@drawn
def test_a_failing_renderer_is_quoted():
    with pytest.raises(RuntimeError, match=r"failed: .*syntax error"):
        render.render("digraph {", "svg")
