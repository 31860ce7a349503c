"""The pages in docs/ say what is so."""

import contextlib
import doctest
import importlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import examples
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.compiler.recorder import record
from autograd_core.tools.diagnosis.findings import ADVICE

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
PAGE = (ROOT / "docs" / "compile.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.M | re.S)
KERNELS = ("exponential", "powers", "hyperbolic", "trigonometric", "error_function")


def pattern(text):
    """What matches what a page shows: a line of ``...`` is any number of lines, and ``...`` within one anything."""
    lines = [line.rstrip() for line in text.splitlines()]
    return "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n" for line in lines
    )


def check(printed, expected, code):
    printed = "".join(line.rstrip() + "\n" for line in printed.strip().splitlines())
    if not re.fullmatch(pattern(expected), printed):
        pytest.fail(f"the page says that\n{code}\nprints\n{expected}\nbut it prints\n{printed}", pytrace=False)


def rows(heading):
    """The cells of the table after a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in cells] for cells in lines[2:]]


@pytest.fixture
def nothing_compiled(tmp_path, monkeypatch):
    """Neither this process nor the disk has compiled anything yet."""
    pytest.importorskip("numba")
    native = importlib.import_module("autograd_core.compiler.native")
    monkeypatch.setattr(native, "_compiled", {})
    monkeypatch.setenv("AUTOGRAD_CORE_CACHE", str(tmp_path / "compiled"))
    monkeypatch.chdir(tmp_path)


def by_python(code, line, scope):
    """What the next lines of ``step.py`` print."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile("\n" * line + code, "step.py", "exec"), scope)
    return out.getvalue()


def by_the_shell(code):
    """What commands print, with the Python that runs this in front."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-e", "-c", code], env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stderr + done.stdout


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
def test_the_walk_prints_what_it_shows(nothing_compiled):
    scope, line = {"__name__": "step"}, 0
    for (kind, code), (following, expected) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if kind == "python":
            printed = by_python(code, line, scope)
            line += code.count("\n")
        elif kind == "sh":
            printed = by_the_shell(code)
        else:
            continue
        check(printed, expected if following == "text" else "", code)


def recorded(body, scope):
    """The recording of a function of x."""
    exec(f"def function(x):\n    {body}", scope)
    return record(scope["function"], (ag.arange(12.0).reshape(3, 4),))


@pytest.mark.parametrize(("refused", "because", "instead"), rows("What is refused"))
def test_what_is_refused_and_the_way_out(refused, because, instead):
    w = ag.ones(4, requires_grad=True)
    scope = {
        "ag": ag,
        "model": nn.Linear(4, 2),
        "w": w,
        "before": 2 * w,
        "buffer": ag.zeros(4),
        "kept": [],
        "optimizer": optim.SGD([w], lr=0.1),
    }
    w.grad = ag.ones(4)
    with pytest.raises(ag.TracingError, match=re.escape(because).replace(r"\.\.\.", ".*")):
        recorded(refused.strip("`"), scope)
    for code in re.findall(r"`(.+?)`", instead):
        assert recorded(code, scope).program.outputs


def promised(name):
    """For each function of a module the errors that its docstring gives, in float32 (if it has one) and float64."""
    found = {}
    module = importlib.import_module(f"autograd_core.kernels.{name}")
    for called, function in vars(module).items():
        text = getattr(getattr(function, "py_func", None), "__doc__", None) or ""
        said = re.search(r"within ([\d.]+) ulp(?: \(float64: ([\d.]+)\))?", text)
        if said is None or function.py_func.__module__ != module.__name__:
            continue
        one, other = said.groups()
        dtypes = {"float32": one, "float64": other} if other else {"float32" if "float32" in text else "float64": one}
        found.setdefault(called.removesuffix("32"), {}).update(dtypes)
    return found


def test_the_errors_of_functions_are_those_of_their_docstrings():
    pytest.importorskip("numba")
    found = {function: errors for name in KERNELS for function, errors in promised(name).items()}
    found["pow"] = found.pop("power")
    written = {name.strip("`"): (single, double) for name, single, double in rows("How accurate the functions are")}
    assert written == {name: (errors.get("float32", "0.5"), errors["float64"]) for name, errors in found.items()}


@pytest.mark.parametrize(
    "of", ["autograd_core/compiler", *(f"tools{of}" for of in ("", "/checking", "/diagnosis", "/pictures"))]
)
def test_every_module_is_on_the_map(of):
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`(?:\w+/)*(\w+)(?:\.py|/)?`", text))
    modules = {path.stem for path in (ROOT / of).iterdir() if path.name[0] not in "_."}
    assert modules <= named
    for path in re.findall(r"`((?:\w+/)*\w+\.py)`", text):
        assert list(ROOT.glob(f"**/{path}")), f"there is no {path}"


@pytest.mark.parametrize("page", [page for page in PAGES if ">>> " in page.read_text()], ids=lambda page: page.stem)
def test_examples_of_pages(page, tmp_path, monkeypatch):
    for needed in ("numba", "safetensors"):
        pytest.importorskip(needed)
    monkeypatch.chdir(tmp_path)
    examples.run(
        doctest.DocTestParser().get_doctest(page.read_text(), {}, page.name, str(page), 0),
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )


def test_the_page_on_layers_has_all_of_them():
    page = (ROOT / "docs" / "layers.md").read_text()
    told = set(re.findall(r"`([A-Za-z_.0-9]+)`", page))
    public = {name for name in nn.__all__ if name[0].isupper()}
    public |= {f"models.{name}" for name in nn.models.__all__}
    public |= {name for name in optim.__all__ if name[0].isupper()} - {"Optimizer"}
    public |= {name for name in optim.lr_scheduler.__all__ if name[0].isupper()} - {"LRScheduler"}
    assert public <= told
    for name in told:  # and no file or name that is not there
        if name.endswith(".py"):
            assert any((ROOT / folder / name).exists() for folder in ("nn", "optim")), name


def test_the_page_on_the_doctor_has_every_code():
    told = re.findall(r"`(D\d\d-[\w-]+)`", (ROOT / "docs" / "doctor.md").read_text().partition("| code |")[2])
    assert told == list(ADVICE)
