"""The step-through page: its numbers against the engine's, and in a browser what it shows."""

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.tools.pictures import render
from autograd_core.tools.pictures.graph import graph
from autograd_core.tools.pictures.step_page import data, page, save_page
from autograd_core.tools.pictures.walk import Walk

PURE = shutil.which("graphviz-pure", path=render._scripts()) or shutil.which("graphviz-pure")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

drawn = pytest.mark.skipif(not (shutil.which("dot") or PURE), reason="neither Graphviz nor graphviz-pure is installed")
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def scalar(value, **options):
    return ag.tensor(value, dtype=np.float64, requires_grad=True, **options)


def lecture():
    x, y, z = scalar(2.0), scalar(3.0), scalar(2.0)
    with ag.record():
        f = (x + y) * (y - z)
    return graph(f)


def entropy():
    """A small classifier: arrays, modules, constants, and a parameter that is used twice."""
    ag.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = ag.randn(5, 3)
    with ag.record():
        loss = nn.functional.cross_entropy(model(x), ag.tensor([0, 1, 1, 0, 1])) + 0.1 * (model[0].weight ** 2).sum()
    return model, loss


def by_name(numbers, field):
    return {box["name"]: box[field] for box in numbers["boxes"].values()}


def embedded(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def shown(text, number):
    """The words of the panel of a step."""
    panel = re.search(rf'<section id="step-{number}"[^>]*>(.*?)</section>', text, re.DOTALL)[1]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", panel)).replace("\N{MIDDLE DOT}", "*").split())


# The steps and their numbers


def test_steps_go_forward_and_then_backward():
    numbers = data(Walk(lecture()))
    names = {key: box["name"] for key, box in numbers["boxes"].items()}
    assert [(step["phase"], names.get(step["box"])) for step in numbers["steps"]] == [
        ("start", None),
        ("forward", "v1"),
        ("forward", "v2"),
        ("forward", "f"),
        ("backward", "f"),
        ("backward", "v2"),
        ("backward", "v1"),
        ("end", None),
    ]
    assert by_name(numbers, "value") == {"x": 2.0, "y": 3.0, "z": 2.0, "v1": 5.0, "v2": 1.0, "f": 5.0}
    assert by_name(numbers, "gradient") == {"x": 1.0, "y": 6.0, "z": -5.0, "v1": 1.0, "v2": 5.0, "f": 1.0}
    at = by_name(numbers, "gradient_at")
    assert at == {"f": 4, "v1": 4, "v2": 4, "z": 5, "y": 6, "x": 6}
    sums = [{names[key]: total for key, total in step["sums"].items()} for step in numbers["steps"]]
    assert sums[4:7] == [{"v1": 1.0, "v2": 5.0}, {"y": 5.0, "z": -5.0}, {"x": 1.0, "y": 6.0}]


def test_numbers_are_the_engines():
    model, loss = entropy()
    numbers = data(Walk(graph(loss, roll=False)))
    gradients = ag.grad(loss, list(model.parameters()), retain_graph=True)
    of = by_name(numbers, "gradient")
    for (name, parameter), gradient in zip(model.named_parameters(), gradients, strict=True):
        short = name.rpartition(".")[2]
        found = [box for box in numbers["boxes"].values() if box["name"] == short and box["value"] is not None]
        assert parameter.tolist() in [box["value"] for box in found]
        assert any(np.array_equal(box["gradient"], gradient.array) for box in found)
    assert of["loss"] == 1.0
    last = {}
    for step in numbers["steps"]:
        last.update(step["sums"])
        for sent in step["sent"]:
            assert np.shape(sent["product"]) == np.shape(numbers["boxes"][sent["to"]]["value"])
    assert len(last) >= 10
    for key, total in last.items():  # the sum of all that arrived is the gradient
        np.testing.assert_allclose(total, numbers["boxes"][key]["gradient"], rtol=1e-6, atol=1e-12)


def test_an_output_that_is_used_has_the_one_of_its_own():
    x = scalar(3.0)
    with ag.record():
        y = x * 2.0
        z = y * y
    walk = Walk(graph([y, z]))
    (step,) = [step for step in walk.steps if step.phase == "backward" and step.box.name == "z"]
    assert [(sent.count, sent.uses, float(sent.total)) for sent in step.sent] == [(2, 3, 7.0), (3, 3, 13.0)]
    assert ag.grad([y, z], x)[0].item() == 26.0


def test_what_is_rolled_up_claims_no_sums():
    ag.manual_seed(0)
    cell = nn.Linear(3, 3)
    h = ag.zeros(1, 3)
    with ag.record():
        for _ in range(30):
            h = ag.tanh(cell(h) + 1.0)
        out = h.sum()
    walk = Walk(graph(out))
    assert len(walk.steps) < 30
    (weight,) = [key for key, box in walk.boxes.items() if box.name == "cell.weight"]
    assert all(weight not in step["sums"] for step in data(walk)["steps"])


def test_values_are_those_of_then():
    x = scalar([1.0, 2.0, 3.0])
    with ag.record():
        y = x * 2.0
        y += 1.0
        y[0] = x[1] * 3.0
        z = y.sum()
    values = by_name(data(Walk(graph(z))), "value")
    assert [values[name] for name in ("v1", "v2", "y", "z")] == [
        [2.0, 4.0, 6.0],
        [3.0, 5.0, 7.0],
        [6.0, 5.0, 7.0],
        18.0,
    ]


def test_the_time_before_has_another_value():
    w, h = scalar(0.5), scalar(0.1)
    with ag.record():
        for _ in range(30):
            h = ag.sin(w * h)
    walk = Walk(graph(h))
    titles = [step.title for step in walk.steps if step.phase == "forward"]
    assert titles[0].startswith("v1 = w \N{MIDDLE DOT} previous h = 0.5 \N{MIDDLE DOT} previous h = ")


def test_numbers_that_json_does_not_have():
    x = scalar(0.0)
    with ag.record():
        y = ag.log(x) * 2.0
    numbers = json.loads(json.dumps(data(Walk(graph(y))), allow_nan=False))
    assert by_name(numbers, "value")["y"] == "-inf"
    assert by_name(numbers, "gradient")["x"] == "inf"


def test_without_gradients_only_forward():
    x = scalar(2.0)
    y = ag.exp(x)
    y.backward()
    walk = Walk(graph(y))
    assert [step.phase for step in walk.steps] == ["start", "forward"]


# The file


@drawn
def test_the_chain_rule_is_written_with_numbers(tmp_path):
    x, y, z = scalar(2.0), scalar(3.0), scalar(2.0)
    with ag.record():
        f = (x + y) * (y - z)
    text = save_page(f, tmp_path / "steps.html").read_text(encoding="utf-8")
    d = "\N{PARTIAL DIFFERENTIAL}"
    assert shown(text, 2).startswith("v2 = y - z = 3 - 2 = 1")
    assert "f = (x + y) * (y - z)" in shown(text, 2)  # the line of this file
    back = shown(text, 5)
    assert "value of v2 1.0 incoming gradient df/dv2 5.0" in back
    assert f"local derivative {d}v2/{d}z = -1 df/dv2 * {d}v2/{d}z = 5 * (-1) = -5" in back
    assert "2 branches meet here: this is number 1, 1 still to come. df/dy so far = 5" in back
    assert "this is number 2, the last. df/dy = 5 + 1 = 6" in shown(text, 6)
    assert embedded(text)["steps"][5]["gradient"] == 5.0


@drawn
def test_the_file_stands_by_itself(tmp_path):
    ag.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.MLP([64, 512, 10]))
    images, labels = ag.randn(128, 8, 8), ag.tensor(np.arange(128) % 10)
    with ag.record():
        loss = nn.functional.cross_entropy(model(images), labels)
    path = save_page(loss, tmp_path / "digits.html")
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 2_000_000
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)|url\(|@import|fetch\(|XMLHttpRequest""", text)
    assert "{{" not in text

    seen = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            seen.extend(value for name, value in attributes if name == "id")

    Reader().feed(text)
    assert len(seen) == len(set(seen))
    assert {f"row-{i}" for i in range(len(embedded(text)["steps"]))} <= set(seen)


@drawn
def test_names_cannot_break_the_page():
    x = scalar(2.0, name="</script><b>&{{title}}")
    with ag.record():
        y = x * 3.0
    text = page(graph(y, names={"<i>": y}))
    assert "<b>" not in text
    assert "<i>" not in text
    assert any("</script>" in box["name"] for box in embedded(text)["boxes"].values())


@drawn
def test_names_depth_and_pictures(tmp_path):
    model, loss = entropy()
    whole = save_page(loss, tmp_path / "a.html", names={"cost": loss}).read_text(encoding="utf-8")
    assert "How cost and the gradients are computed" in whole
    assert "<code>model.0.weight</code>" in whole
    closed = save_page(loss, tmp_path / "b.html", names=model, depth=0).read_text(encoding="utf-8")
    assert len(embedded(closed)["steps"]) < len(embedded(whole)["steps"])
    assert save_page(graph(loss, names={"cost": loss}), tmp_path / "c.html").read_text(encoding="utf-8") == page(
        graph(loss, names={"cost": loss})
    )
    unnamed = save_page(loss * 2.0, tmp_path / "d.html").read_text(encoding="utf-8")
    assert "How mul and the gradients are computed" in unnamed  # and not by a variable of the library's


def test_what_has_no_steps(tmp_path):
    with pytest.raises(TypeError, match="expected a tensor"):
        save_page(3.0, tmp_path / "a.html")
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        save_page(ag.tensor(1.0), tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


# In a browser


def browse(path, fragment, profile, script=""):
    """The page's body after a script of ours ran in it: its data attributes, the text, and what the console said."""
    if script:
        text = path.read_text(encoding="utf-8").replace("</body>", f"<script>{script}</script></body>")
        path = path.with_name("scripted.html")
        path.write_text(text, encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
    command += ["--enable-logging=stderr", "--virtual-time-budget=3000", "--window-size=1280,800", "--dump-dom"]
    command.append(path.as_uri() + fragment)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    attributes = dict(re.findall(r'data-([\w-]+)="([^"]*)"', re.search(r"<body[^>]*>", done.stdout)[0]))
    return {name: html.unescape(value) for name, value in attributes.items()}, done.stdout, console


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    path = folder / "steps.html"
    path.write_text(page(lecture()), encoding="utf-8")
    return path, folder / "profile"


@drawn
@in_a_browser
def test_a_browser_shows_each_step_with_the_engines_numbers(written):
    path, profile = written
    visit = """
    const seen = [], middle = (found) => {
      const box = document.querySelector(found).getBoundingClientRect();
      return box.left + box.width / 2;
    };
    for (let i = 0; i <= 7; i++) {
      document.getElementById(i ? "next" : "first").click();
      seen.push({...document.body.dataset, say: document.getElementById("say").textContent,
        open: [...document.querySelectorAll("#panels section")].filter((s) => !s.hidden).map((s) => s.id),
        active: [...document.querySelectorAll(".node.active")].map((g) => g.id),
        dim: document.querySelectorAll(".node.todo").length,
        y: [...document.querySelectorAll("#box-n1 text")].pop().textContent,
        apart: Math.abs(middle("#box-n1 text:last-of-type") - middle("#box-n1 path")),
        hidden: getComputedStyle([...document.querySelectorAll("#box-n1 text")].pop()).visibility});
    }
    document.body.dataset.seen = JSON.stringify(seen);
    """
    attributes, _, console = browse(path, "", profile, visit)
    assert console == []
    seen = json.loads(attributes["seen"])
    numbers = embedded(path.read_text(encoding="utf-8"))
    assert [json.loads(s["value"]) for s in seen] == [step["value"] for step in numbers["steps"]]
    assert [json.loads(s["gradient"]) for s in seen] == [None, None, None, None, 1, 5, 1, None]
    assert [s["open"] for s in seen] == [[f"step-{i}"] for i in range(8)]
    assert [s["active"] for s in seen] == [[f"box-{step['box']}"] if step["box"] else [] for step in numbers["steps"]]
    assert [s["dim"] for s in seen] == [3, 2, 1, 0, 0, 0, 0, 0]
    assert seen[5]["y"].startswith("grad 5 +")
    assert seen[6]["y"].strip() == "grad 6"
    assert all(s["apart"] < 3 for s in seen)
    assert [s["hidden"] for s in seen] == ["hidden"] * 5 + ["visible"] * 3
    assert seen[5]["say"] == numbers["steps"][5]["say"]


@drawn
@in_a_browser
def test_errors_would_be_seen_on_the_console(written):
    *_, console = browse(written[0], "", written[1], "document.body.missing.property;")
    assert any("TypeError" in line for line in console)


@drawn
@in_a_browser
def test_keys_and_fragments_move(written):
    path, profile = written
    visit = """
    const seen = [], press = (key, on) => {
      (on || document.body).dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
      seen.push(document.body.dataset.step);
    };
    for (const key of ["ArrowRight", "ArrowLeft", "ArrowLeft", "Home", "ArrowLeft", "End", "ArrowRight"]) press(key);
    press("ArrowLeft", document.getElementById("slider"));
    const slider = document.getElementById("slider");
    slider.value = 3;
    slider.dispatchEvent(new Event("input"));
    seen.push(document.body.dataset.step);
    document.getElementById("box-n4").querySelector("text").dispatchEvent(new MouseEvent("click", {bubbles: true}));
    seen.push(document.body.dataset.step);
    const before = document.body.dataset.scale;
    press("+");
    const closer = document.body.dataset.scale;
    press("0");
    document.body.dataset.scales = JSON.stringify([before, closer, document.body.dataset.scale].map(Number));
    press("Home");
    press(" ");
    const play = document.getElementById("play").getAttribute("aria-label");
    setTimeout(() => {
      seen.push(document.body.dataset.step, play);
      document.body.dataset.seen = JSON.stringify(seen);
    }, 1600);
    """
    attributes, dom, console = browse(path, "#step=5", profile, visit)
    assert console == []
    assert json.loads(attributes["seen"]) == [
        *("6", "5", "4", "0", "0", "7", "7"), "6", "3", "5", "5", "5", "0", "0", "1", "Pause",
    ]  # fmt: skip
    before, closer, after = json.loads(attributes["scales"])
    assert closer > before == after
    names = re.findall(r"<button[^>]*>", dom)
    assert len(names) == 8
    assert all("aria-label=" in button for button in names)


@drawn
@in_a_browser
def test_at_the_ends_the_focus_stays(written):
    path, profile = written
    visit = """
    const last = document.getElementById("last");
    last.focus();
    last.click();
    document.body.dataset.focus = document.activeElement.id + " " + last.getAttribute("aria-disabled");
    """
    assert browse(path, "", profile, visit)[0]["focus"] == "last true"


@drawn
@in_a_browser
def test_paper_has_the_whole_gradients(written):
    path, profile = written
    visit = """
    const seen = [], look = () => seen.push([...document.querySelectorAll("#box-n1 text")].pop().textContent.trim());
    look();
    dispatchEvent(new Event("beforeprint"));
    look();
    dispatchEvent(new Event("afterprint"));
    look();
    document.body.dataset.seen = JSON.stringify(seen);
    """
    attributes, _, console = browse(path, "#step=5", profile, visit)
    assert console == []
    so_far = "grad 5 + \N{HORIZONTAL ELLIPSIS}"
    assert json.loads(attributes["seen"]) == [so_far, "grad 6", so_far]


@drawn
@in_a_browser
def test_a_large_graph_begins_readable_and_follows(tmp_path):
    x = scalar(0.1)
    with ag.record():
        y = x
        for i in range(40):
            y = ag.sin(y) if i % 2 else ag.exp(y) * y
    path = save_page(y, tmp_path / "deep.html", roll=False)
    visit = """
    const node = document.querySelector(".node.active").getBoundingClientRect();
    const seen = document.getElementById("drawing").getBoundingClientRect();
    document.body.dataset.within = node.top >= seen.top - 1 && node.bottom <= seen.bottom + 1;
    """
    attributes, _, console = browse(path, "#step=50", tmp_path / "profile", visit)
    assert console == []
    assert attributes["step"] == "50"
    assert float(attributes["scale"]) == pytest.approx(0.8, abs=0.01)
    assert attributes["within"] == "true"


def test_what_goes_back_between_arrays_is_what_its_formula_says():
    ag.manual_seed(0)
    x, w, b = (ag.randn(*shape, dtype=ag.float64) for shape in ((4, 3), (2, 3), (2,)))
    for t in (x, w, b):
        t.requires_grad_()
    with ag.record():
        h = nn.functional.linear(x, w, b)
        p = ag.softmax(h, dim=1)
        q = ag.log_softmax(p @ w, dim=1)
        loss = (ag.tanh(q) * x - q).sum()

    def added(array, axis=None):
        return array.sum(0) if axis == 0 else array.sum(1, keepdims=True)

    known = {"exp": np.exp, "sum": added}
    walk = Walk(graph(loss))
    known |= {box.name: box.forward for box in walk.boxes.values()}
    seen = []
    for step in walk.steps:
        for sent in step.sent:
            if len(sent.chain) > 1 and not sent.arrow.local and step.box.operation != "sum":
                text = sent.chain[1].replace(walk.total(step.box), "g").replace("·", "*").replace("^", "**")
                found = eval(text.replace("dim 0", "0"), {}, known | {"g": step.box.backward})
                np.testing.assert_allclose(found, sent.arrow.carried, rtol=1e-12)
                seen.append((step.box.operation, text))
    assert {operation for operation, _ in seen} == {"linear", "softmax", "log_softmax", "matmul", "tanh", "mul", "sub"}
    assert ("linear", "(g).T @ x") in seen
    assert ("sub", "-g") in seen
