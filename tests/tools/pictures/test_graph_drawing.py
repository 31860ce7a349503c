"""Pictures as DOT, SVG, PNG and PDF, in both renderers and in a notebook."""

import base64
import re
import shutil
import struct
import subprocess
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.tools.pictures import array_facts, hover, render
from autograd_core.tools.pictures.gradient_colours import GradientColours
from autograd_core.tools.pictures.graph import graph

DOT = "\N{MIDDLE DOT}"
GRAPHVIZ = shutil.which("dot")
PURE = shutil.which("graphviz-pure", path=render._scripts()) or shutil.which("graphviz-pure")
RENDERERS = {"dot": GRAPHVIZ, "graphviz-pure": PURE}
SVG = "{http://www.w3.org/2000/svg}"

drawn = pytest.mark.skipif(not (GRAPHVIZ or PURE), reason="neither Graphviz nor graphviz-pure is installed")


def scalar(value, **options):
    return ag.tensor(value, dtype=np.float64, requires_grad=True, **options)


def titles(picture, kind):
    return [box.title for box in picture.boxes if box.kind == kind]


def flows(picture):
    """Upstream, local and sent on each arrow, by the names of its ends."""
    names = {box.key: box.name or box.title for box in picture.boxes}
    return [(names[a.source], names[a.target], a.upstream, a.local, a.sent) for a in picture.arrows]


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
    assert ("x", "v1", "", "", "grad [3, 3]") in flows(graph(once))


@pytest.fixture
def picture():
    x = scalar(2.0, name='a<b&"c"')
    w = ag.tensor(np.ones((3, 8)), requires_grad=True, name="größe \N{GREEK SMALL LETTER SIGMA}")
    with ag.record():
        y = ((w * x).sum(0) ** 2).mean()
    return graph(y)


@pytest.mark.parametrize("command", ["dot", "graphviz-pure"])
def test_both_renderers_draw_it(picture, command):
    program = {"dot": GRAPHVIZ, "graphviz-pure": PURE}[command]
    if program is None:
        pytest.skip(f"{command} is not installed")
    x, y = scalar(2.0), scalar(3.0)
    with ag.record():
        f = x * y
    # Some renderers lack the width of the dot in products, and say so; nothing else.
    done = subprocess.run([program, "-Tsvg"], input=graph(f).dot.encode(), capture_output=True, check=True)
    assert b"rror" not in done.stderr
    done = subprocess.run([program, "-Tsvg"], input=picture.dot.encode(), capture_output=True, check=True)
    text = " ".join(ElementTree.fromstring(done.stdout).itertext())
    assert 'a<b&"c"' in text
    assert "größe" in text
    assert f"1 {DOT} 0.125 = 0.125" in text
    assert len(re.findall(r'class="node"', done.stdout.decode())) == len(picture.boxes)
    assert len(re.findall(r'class="edge"', done.stdout.decode())) == len(picture.arrows)


@drawn
def test_files_by_suffix(picture, tmp_path):
    assert picture.save(tmp_path / "g.dot").read_text(encoding="utf-8") == picture.dot
    assert picture.save(str(tmp_path / "g.gv")).read_text(encoding="utf-8") == picture.dot
    assert ElementTree.parse(picture.save(tmp_path / "g.SVG")).getroot().tag.endswith("svg")
    assert picture.save(tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.SVG", "g.dot", "g.gv", "g.png"]


@pytest.mark.skipif(not GRAPHVIZ, reason="Graphviz is not installed")
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
    assert "graphviz-pure" in render.render(picture.dot, "svg").decode()
    assert "<svg" in picture.svg()
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


# What a drawing shows besides


def recurrent(steps=30):
    """A picture with everything: clusters, a repetition, dashed arrows, constants, modules of one operation."""
    ag.manual_seed(0)
    net = nn.ModuleDict({"cells": nn.LSTM(3, 4), "out": nn.Linear(4, 2)})
    x = ag.randn(steps, 2, 3)
    with ag.record():
        out, _ = net["cells"](x)
        return (ag.tanh(net["out"](out[-1])) ** 2).sum()


def ids(svg):
    return [element.get("id") for element in ElementTree.fromstring(svg).iter() if element.get("id")]


@pytest.mark.parametrize("colour", ["kind", "gradient"])
@pytest.mark.parametrize("command", RENDERERS)
def test_every_box_arrow_and_cluster_has_its_id(command, colour):
    if RENDERERS[command] is None:
        pytest.skip(f"{command} is not installed")
    picture = graph(recurrent(), colour=colour)
    assert picture.clusters
    assert any(arrow.again for arrow in picture.arrows)
    done = subprocess.run([RENDERERS[command], "-Tsvg"], input=picture.dot.encode(), capture_output=True, check=True)
    found = ids(done.stdout)
    assert len(found) == len(set(found))
    wanted = {f"box-{box.key}" for box in picture.boxes} | {f"arrow-{arrow.index}" for arrow in picture.arrows}
    assert wanted | {f"module-{cluster.number}" for cluster in picture.clusters} <= set(found)
    assert [arrow.index for arrow in picture.arrows] == list(range(len(picture.arrows)))


@drawn
def test_copies_of_an_input_have_ids_of_their_own():
    x, w = scalar(1.0), scalar(0.5)
    y = x
    for _ in range(6):
        y = y * w
    picture = graph(y)
    (key,) = [box.key for box in picture.boxes if box.title == "w"]
    assert {f"box-{key}", f"box-{key}-2", f"box-{key}-6"} <= set(ids(picture.svg()))


@drawn
def test_titles_tell_the_facts():
    x = ag.tensor(np.array([0.0, 0.0, -1.0, 3.0, 2.0, np.nan, 4.0, 0.0]), requires_grad=True, name='a<b & "c"')
    with ag.record():
        h = ag.relu(x)
        y = (h * 2).sum()
    root = ElementTree.fromstring(graph(y).svg())
    told = {e.get("id"): e.findtext(f"{SVG}title") for e in root.iter(f"{SVG}g")}
    assert told["graph0"] == "How y was computed"
    known = {text.splitlines()[0]: text for name, text in told.items() if name.startswith("box-")}
    assert "(8,) float64" in known['a<b & "c"']
    assert "value: (8,) float64, mean 1.143, spread 1.726, -1 to 4, zeros 37.5%, 1 nan" in known['a<b & "c"']
    relu = known['h = relu(a<b & "c")']
    assert "relu at " in relu
    assert "gradient: (8,) float64, mean 2, spread 0, 2 to 2" in relu
    edges = [text for name, text in told.items() if name.startswith("arrow-")]
    assert any("local derivative: (8,) float64, mean 0.375" in text and "sent back: " in text for text in edges)


@drawn
def test_maps_show_under_the_pointer_of_their_box():
    x = ag.tensor(np.arange(-6.0, 6.0).reshape(3, 4), requires_grad=True)
    with ag.record():
        y = (x * x).sum()
    picture = graph(y)
    root = ElementTree.fromstring(picture.svg())
    (box,) = [box for box in picture.boxes if box.name == "x"]
    style = root.findtext(f"{SVG}style")
    assert f"#box-{box.key}:hover~#map-{box.key}" in style
    siblings = list(root.find(f"{SVG}g"))
    places = [element.get("id") for element in siblings]
    assert places.index(f"box-{box.key}") < places.index(f"map-{box.key}")
    (card,) = [element for element in siblings if element.get("id") == f"map-{box.key}"]
    assert [image.get("href") for image in card.iter(f"{SVG}image")] == [box.value_map, box.gradient_map]
    (out,) = [box for box in picture.boxes if box.kind == "output"]
    assert f"map-{out.key}" not in places  # a number has none


@pytest.mark.parametrize(
    ("box", "x", "y"),
    [
        ((10, 20, 60, 40), 66, 20),  # to the right
        ((150, 20, 190, 40), 44, 20),  # to the left
        ((60, 20, 150, 40), 60, 46),  # below
        ((60, 20, 150, 290), 60, 0),  # where there is no room at all: at the edge
        ((60, 280, 150, 290), 60, 224),  # above
        ((10, 280, 60, 290), 66, 250),  # to the right, within the page
    ],
)
def test_maps_do_not_cover_their_box(box, x, y):
    assert hover._place(box, (0, 0, 200, 300), 100, 50) == (x, y)


def pixels(uri):
    """A heat map decoded: colours by row."""
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + content)
        chunks[kind] = content
        at += 12 + size
    assert list(chunks) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)[:, 1:]
    return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[rows]


def test_heat_maps():
    shown = pixels(array_facts.heat_map(np.array([[-2.0, 0.0, 2.0], [np.nan, np.inf, -1.0]])))
    assert shown.shape == (2, 3, 3)
    low, zero, high = shown[0].astype(int)
    assert low[2] > low[0]  # blue
    assert high[0] > high[2]  # orange
    assert min(zero) > 240  # white
    assert list(shown[1, 0]) == [0, 0, 0]
    assert list(shown[1, 1]) == [0xAA, 0, 0xAA]
    assert shown[1, 2, 0] > low[0]  # paler than -2
    assert pixels(array_facts.heat_map(np.ones((5, 4, 100)))).shape == (20, 24, 3)
    assert pixels(array_facts.heat_map(np.ones(1000))).shape == (1, 24, 3)
    assert array_facts.heat_map(np.ones(1)) == array_facts.heat_map(np.zeros((0, 3))) == ""


def test_maps_of_large_arrays_are_means_of_blocks():
    array = np.zeros((96, 2))
    array[:48] = 1.0
    shown = pixels(array_facts.heat_map(array))
    assert len({tuple(c) for c in shown[:12].reshape(-1, 3)}) == 1
    assert tuple(shown[0, 0]) != tuple(shown[-1, 0])


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.zeros((0, 3)), "empty, (0, 3) float64"),
        (np.array(2.5), "2.5, scalar float64"),
        (np.array([1, 2, 3]), "(3,) int64, mean 2, spread 0.8165, 1 to 3"),
        (np.array([True, False]), "(2,) bool, mean 0.5, spread 0.5, 0 to 1, zeros 50%"),
        (np.full(4, np.nan), "(4,) float64, 4 nan"),
        (np.array([1.0, -np.inf, 3.0]), "(3,) float64, mean 2, spread 1, 1 to 3, 1 infinite"),
        (np.array([1e308, 1e308]), "(2,) float64, mean inf"),
    ],
)
def test_facts(array, expected):
    assert array_facts.facts(array).startswith(expected)


def test_facts_agree_with_numpy(rng):
    array = rng.normal(3.0, 2.0, size=(7, 5)).astype(np.float32)
    wide = array.astype(np.float64)
    assert f"mean {wide.mean():.4g}, spread {wide.std():.4g}" in array_facts.facts(array)
    assert f"{wide.min():.4g} to {wide.max():.4g}" in array_facts.facts(array)


# Colours


def brightness(colour):
    return sum(bytes.fromhex(colour.lstrip("#")))


def test_the_larger_a_gradient_the_darker():
    magnitudes = [10.0**k for k in range(-8, 1)]
    fills = [GradientColours(magnitudes).of(m)[0] for m in magnitudes]
    shades = list(map(brightness, fills))
    assert shades == sorted(shades, reverse=True)
    assert len(set(fills)) == 9
    near = [GradientColours([1.0, 0.5]).of(m)[0] for m in (1.0, 0.5)]
    assert abs(brightness(near[0]) - brightness(near[1])) < 150  # a factor of 2 is no catastrophe


def test_gradients_that_are_no_numbers_or_zero():
    colours = GradientColours([0.0, 1.0, np.inf, np.nan, None])
    assert colours.of(0.0)[0] == "#FFFFFF"
    assert colours.of(np.nan) == colours.of(np.inf) != colours.of(1.0)
    assert [text for text, _, _ in colours.legend()] == ["0", "0.0001", "0.001", "0.01", "0.1", "1", "inf or nan"]
    assert list(GradientColours([]).legend())


def test_colour_by_gradient():
    x = scalar(1.0)
    y = x
    for _ in range(8):
        y = y * 1e-2
    picture = graph(y, colour="gradient")
    assert [box.magnitude for box in picture.boxes] == pytest.approx([10.0 ** (-16 + 2 * k) for k in range(9)])
    fills = dict(re.findall(r'^  (n\d+) \[.* fillcolor="(#\w+)"', picture.dot, re.MULTILINE))
    shades = [brightness(fills[box.key]) for box in picture.boxes]
    assert shades == sorted(shades, reverse=True)
    assert shades[0] > shades[-1] + 300
    assert "mean |grad|:" in picture.dot
    assert "1e-16" in picture.dot
    assert "mean |grad|:" not in graph(y).dot


def test_a_repetition_has_a_strip_of_colours():
    picture = graph(recurrent(), colour="gradient")
    (again,) = [c for c in picture.clusters if c.kind == "repetition"]
    (label,) = [line for line in picture.dot.splitlines() if f'id="module-{again.number}"' in line]
    fills = re.findall(r'BGCOLOR="(#\w+)"', label)
    assert len(fills) == 30
    assert brightness(fills[0]) > brightness(fills[-1])


# Text


@pytest.mark.parametrize("command", RENDERERS)
def test_texts_are_safe(command):
    if RENDERERS[command] is None:
        pytest.skip(f"{command} is not installed")
    odd = 'a<b&"c"\'\n\\N{1}\x00 %s <script>--> ]]> \\'
    x = scalar(2.0, name=odd)
    model = nn.Sequential({odd.replace(".", ""): nn.LayerNorm(3), "\u202e": nn.GELU()})
    data = ag.tensor(np.ones((2, 3)), requires_grad=True, name="\N{GREEK SMALL LETTER SIGMA}\N{SNOWMAN}")
    with ag.record():
        y = (model(data) * x).sum()
    y.name = odd
    picture = graph(y)
    done = subprocess.run([RENDERERS[command], "-Tsvg"], input=picture.dot.encode(), capture_output=True, check=True)
    assert odd[:8] in " ".join(ElementTree.fromstring(done.stdout).itertext())
    assert ElementTree.fromstring(picture.svg()).tag == f"{SVG}svg"


@drawn
def test_a_name_of_blanks_is_a_question_mark():
    y = scalar(2.0) * scalar(3.0, name="   ")
    assert "?" in "".join(ElementTree.fromstring(graph(y).svg()).itertext())
