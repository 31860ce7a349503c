"""``autograd-core graph``."""

import shutil
import sys
from xml.etree import ElementTree

import pytest

from autograd_core.tools.cli import main
from autograd_core.tools.pictures import render

PROGRAM = """
import autograd_core as ag
from autograd_core import nn

scale = ag.tensor(3.0, requires_grad=True)

def scalar():
    x = ag.tensor(2.0, requires_grad=True)
    f = x * scale
    return f

def net():
    ag.manual_seed(0)
    model = nn.Sequential(nn.LayerNorm(3), nn.Linear(3, 1))
    return model(ag.randn(5, 3)).sum()

def chain():
    y = ag.tensor(1.0, requires_grad=True)
    for _ in range(30):
        y = ag.sin(y)
    return y

def number():
    return 3.0

def compiled():
    w = ag.tensor([1.0, 2.0], requires_grad=True)

    @ag.compile
    def step(x):
        return ag.tanh(w * x).sum()

    step(ag.tensor([1.0, 1.0]))
    return step
"""

PURE = shutil.which("graphviz-pure", path=render._scripts()) or shutil.which("graphviz-pure")
drawn = pytest.mark.skipif(not (shutil.which("dot") or PURE), reason="no renderer is installed")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    (tmp_path / "graphed.py").write_text(PROGRAM, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))  # the file's folder is added to it

    def run(*arguments):
        try:
            code = main(["graph", *arguments])
        except SystemExit as stop:
            code = stop.code
        return code, capsys.readouterr()

    return run


def test_variables_give_the_names(run, tmp_path):
    code, said = run("graphed.py:scalar", "-o", "f.dot")
    assert (code, said.out) == (0, "f.dot\n")
    source = (tmp_path / "f.dot").read_text(encoding="utf-8")
    assert "f = x \N{MIDDLE DOT} scale" in source
    assert "graphed.py:9" in source


@drawn
@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_formats(run, tmp_path, suffix):
    assert run("graphed.py:scalar", "-o", f"f.{suffix}")[0] == 0
    content = (tmp_path / f"f.{suffix}").read_bytes()
    assert content.startswith(b"\x89PNG") if suffix == "png" else ElementTree.fromstring(content) is not None


def test_options(run, tmp_path):
    def source(*arguments):
        assert run(*arguments, "-o", "f.dot")[0] == 0
        return (tmp_path / "f.dot").read_text(encoding="utf-8")

    assert "subgraph" in source("graphed.py:net")
    assert "model(" in source("graphed.py:net", "--depth", "0")
    assert "rankdir=LR" in source("graphed.py:net", "--direction", "LR")
    assert "mean |grad|:" in source("graphed.py:net", "--colour", "gradient")
    assert "31" not in source("graphed.py:chain", "--max-nodes", "5", "--no-roll")
    assert "left out" in source("graphed.py:chain", "--max-nodes", "5", "--no-roll")
    assert "\N{MULTIPLICATION SIGN}30" in source("graphed.py:chain")


def test_a_compiled_function(run, tmp_path):
    pytest.importorskip("numba")
    assert run("graphed.py:compiled", "-o", "f.dot")[0] == 0
    assert "loop_0" in (tmp_path / "f.dot").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["graphed.py:scalar", "-o", "f.jpg"], 2, "must end in .svg, .png, .pdf, .dot, .gv, .html, got 'f.jpg'"),
        (["graphed.py:nothing"], 2, "has no function 'nothing'"),
        (["absent.py:f"], 2, "there is no file absent.py"),
        (["graphed.py"], 2, "expected file.py:function"),
        (
            ["graphed.py:number", "-o", "f.dot"],
            1,
            "autograd-core graph: expected a tensor, a list of tensors or a compiled function, got 3.0",
        ),
        (["graphed.py:scalar", "-o", "f.dot", "--max-nodes", "1"], 2, "graph: max_nodes must be a whole number"),
        (["graphed.py:scalar", "-o", "f.dot", "--depth", "-1"], 2, "graph: depth must be a whole number of at least 0"),
        (["graphed.py:scalar", "-o", "absent/f.dot"], 1, "cannot write absent"),
        (["graphed.py:scalar", "--depth", "many"], 2, "--depth"),
    ],
)
def test_what_goes_wrong_is_said(run, arguments, code, message):
    found, said = run(*arguments)
    assert found == code
    assert message in said.err
