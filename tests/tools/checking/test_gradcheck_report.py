"""The reports of the gradient checker: in a terminal, a notebook, JSON, a test and the command line."""

import html.parser
import json
import math
import subprocess
import sys

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.tools.checking.gradcheck import gradcheck
from autograd_core.tools.checking.report import MOST_ROWS
from autograd_core.tools.cli import main
from autograd_core.tools.program_file import load_function


def normal(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def wrong(x, y):
    return x * y.detach()


@pytest.fixture(scope="module")
def failed():
    return gradcheck(wrong, [normal(3), normal(3, seed=2)])


def test_long_tables_leave_out_what_passes():
    inputs = [normal(1, seed=i) for i in range(40)]
    report = gradcheck(lambda *xs: sum(xs[:-1]) * xs[-1].detach(), inputs)
    lines = str(report).splitlines()
    rows = [line for line in lines if line.startswith("  inputs[") and line.endswith(("PASS", "FAIL"))]
    assert len(rows) == MOST_ROWS
    assert "inputs[39]" in rows[-1]
    assert f"  ... and {40 - MOST_ROWS} more that pass" in lines
    assert "unused" not in str(report)


def test_columns_are_aligned(failed):
    lines = str(failed).splitlines()
    place = lines[1].index("verdict")
    assert [line[place:] for line in lines[2:4]] == ["PASS", "FAIL"]
    assert max(map(len, lines)) <= 120


class Cells(html.parser.HTMLParser):
    """The texts of a table's cells, row by row, and whether all tags are closed."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


def test_a_notebook_shows_a_table(failed):
    text = failed._repr_html_()
    cells = Cells(text)
    assert not cells.open
    assert "|".join(cells.rows[0]) == "input|order|shape|worst at|analytic|numeric|relative|error bar|verdict"
    assert [row[0] for row in cells.rows[1:]] == ["inputs[0]", "inputs[1]"]
    assert [row[-1] for row in cells.rows[1:]] == ["PASS", "FAIL"]
    assert "checked: all 6 elements" in text
    assert "was it taken out" in text
    named = gradcheck(lambda x: x * 2, ag.tensor(1.0, name="<b>"))
    assert "&lt;b&gt;" in named._repr_html_()
    assert "<b>" not in Cells(named._repr_html_()).rows[0]


def test_json_says_it_all(failed):
    found = json.loads(failed.to_json())
    assert found["verdict"] == "FAIL"
    assert found["disconnected"] == ["inputs[1]"]
    assert [r["verdict"] for r in found["inputs"]] == ["PASS", "FAIL"]
    assert found["inputs"][1]["numeric"] == failed.records[1].numeric
    culprit = found["culprit"]
    assert (culprit["primitive"], culprit["argument"], culprit["line"]) == ("mul", 1, wrong.__code__.co_firstlineno + 1)
    assert culprit["sentence"] == str(failed.culprit)
    assert failed.as_dict()["culprit"]["file"] == __file__


def test_json_has_no_bare_infinities():
    report = gradcheck(lambda x: x.sqrt(), np.array([0.0, 1.0]))
    assert report.records[0].analytic == math.inf
    assert json.loads(report.to_json(), parse_constant=pytest.fail)["inputs"][0]["analytic"] == "inf"


# In a test


PLUGIN_TEST = """
import numpy as np
import autograd_core as ag

def test_right(gradcheck):
    assert gradcheck(ag.tanh, np.ones(3), order=2).verdict == "PASS"

def test_wrong(gradcheck):
    gradcheck(lambda x: x * x.detach(), np.ones(3))
"""


def test_the_fixture_fails_a_test_with_the_report(tmp_path):
    (tmp_path / "test_mine.py").write_text(PLUGIN_TEST)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-q",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert "gradcheck: FAIL" in done.stdout
    assert "argument 1 (other) of mul at" in done.stdout
    assert "pytest_plugin.py" not in done.stdout


# On the command line


PROGRAM = """
import autograd_core as ag
from autograd_core import nn
from beside import FACTOR

def right():
    ag.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh()), ag.randn(5, 3)

def wrong():
    return lambda x, factor: x * x.detach() * factor, ag.tensor([1.0, 2.0]), {"factor": FACTOR}

def unclear():
    return lambda x: ag.abs(x) + 1e13, ag.tensor([1.0, 2.0])

def nothing():
    return 3

def unordered():
    return ag.ones(2), ag.exp

def unkeyed():
    return lambda x: x, ag.ones(2), 3

def demanding(a):
    return a

number = 3
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (tmp_path / "beside.py").write_text("FACTOR = 2.0\n")
    path = tmp_path / "program_to_check.py"
    path.write_text(PROGRAM)
    return path


@pytest.mark.parametrize(
    ("name", "code", "verdict"), [("right", 0, "PASS"), ("wrong", 1, "FAIL"), ("unclear", 3, "INCONCLUSIVE")]
)
def test_the_command_says_it_by_its_exit_code(program, capsys, name, code, verdict):
    assert main(["gradcheck", f"{program}:{name}"]) == code
    assert capsys.readouterr().out.startswith(f"gradcheck: {verdict}\n")


def test_the_command_takes_options_and_gives_json(program, capsys):
    options = ["--order", "2", "--mode", "directional", "--forward", "--seed", "4", "--rtol", "1e-5", "--json"]
    assert main(["gradcheck", f"{program}:right", *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {r["order"] for r in found["inputs"]} == {1, 2}
    assert any(r["forward"] for r in found["inputs"])
    main(["gradcheck", f"{program}:wrong", "--json"])
    culprit = json.loads(capsys.readouterr().out)["culprit"]
    assert culprit["file"] == str(program)
    assert PROGRAM.splitlines()[culprit["line"] - 1].lstrip().startswith("return lambda x, factor")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "{}:nothing",
            "must return (fn, inputs) or (fn, inputs, kwargs), a function or module, arguments and a dict; got int",
        ),
        ("{}:unordered", "got tuple of Tensor, function"),
        ("{}:unkeyed", "got tuple of function, Tensor, int"),
        ("{}:demanding", "is called without arguments, which it does not allow: missing a required argument: 'a'"),
        ("{}:missing", "has no function 'missing'; it has right, wrong, unclear, nothing, unordered, "),
        ("{}:number", "has no function 'number'"),
        ("{}", "expected file.py:function, got"),
        ("nowhere.py:f", "there is no file nowhere.py"),
    ],
)
def test_wrong_arguments_are_refused(program, capsys, target, message):
    assert main(["gradcheck", target.format(program)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "message"),
    [("--order=0", "--order must be at least 1, got 0"), ("--rtol=-1", "--rtol must be at least 0 and less than 1")],
)
def test_options_out_of_range_are_refused(program, capsys, option, message):
    assert main(["gradcheck", f"{program}:right", option]) == 2
    assert message in capsys.readouterr().err


def test_a_file_that_is_not_python_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(ValueError, match=r"must end in \.py"):
        load_function(f"{tmp_path / 'notes.txt'}:f")
