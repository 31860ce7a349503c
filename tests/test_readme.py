"""The README's Python runs as printed."""

import re
from pathlib import Path

import pytest

from autograd_core.primitive import REGISTRY
from autograd_core.tools.cli import main

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


def test_the_tour(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(BLOCKS[0], "README.md", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out
    assert "tensor(1.) tensor(6.) tensor(-5.)" in printed
    assert float(re.search(r"loss ([\d.]+)", printed)[1]) < 0.05
    assert (tmp_path / "f.svg").read_text().startswith("<?xml")


def test_the_compiled_step(tmp_path, monkeypatch, capsys):
    pytest.importorskip("numba")
    monkeypatch.chdir(tmp_path)
    scope = {"__name__": "readme"}
    for block in BLOCKS[:2]:
        exec(compile(block, "README.md", "exec"), scope)
    assert all(float(loss) < 0.05 for loss in re.findall(r"loss ([\d.]+)", capsys.readouterr().out))
    model, batch = scope["model"], (scope["inputs"], scope["targets"])
    expected = scope["nn"].functional.mse_loss(model(batch[0]), batch[1]).item()
    assert scope["step"](*batch).item() == pytest.approx(expected, rel=1e-3)
    assert scope["step"].report().in_python == []


@pytest.mark.parametrize(("name", "start"), [("picture.svg", "<?xml"), ("page.html", "<!doctype html>")])
def test_the_file_for_the_commands(name, start, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file.py").write_text(BLOCKS[2])
    assert main(["graph", "file.py:neuron", "-o", name]) == 0
    text = Path(name).read_text()
    assert text.lower().startswith(start)
    assert "sigmoid(v2)" in text


def test_the_operation_it_adds():
    scope = {"__name__": "readme"}
    try:
        exec(compile(BLOCKS[3], "README.md", "exec"), scope)
        x = scope["ag"].tensor([1.0], requires_grad=True)
        y = scope["gudermannian"](x)
        y.backward()
        assert y.item() == pytest.approx(0.865769)
        assert x.grad.item() == pytest.approx(0.648054)
    finally:
        del REGISTRY["gudermannian"]
