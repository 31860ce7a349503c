"""Where a person's code is, for messages."""

from types import SimpleNamespace

import pytest

import autograd_core as ag
from autograd_core.traced import place


def test_a_line_of_a_notebook_is_told_by_its_cell(monkeypatch):
    ipython = pytest.importorskip("IPython")
    compiler = pytest.importorskip("IPython.core.compilerop").CachingCompiler()
    code = "x = ag.ones(2, requires_grad=True)\ny = ag.exp(x)\ny *= 2\n"
    file = compiler.cache(code, number=7)
    monkeypatch.setattr(ipython, "get_ipython", lambda: SimpleNamespace(compile=compiler))
    assert place(f"{file}:2") == "Cell In[7]:2"
    assert place("/a/file.py:3") == "/a/file.py:3"
    scope = {"ag": ag}
    with ag.record():
        exec(compile(code, file, "exec"), scope)
    with pytest.raises(RuntimeError, match=r"exp at Cell In\[7\]:2 saved .* mul_ \(Cell In\[7\]:3\) changed"):
        scope["y"].sum().backward()


def test_outside_a_notebook_it_is_told_by_its_file():
    assert place("/a/file.py:3") == "/a/file.py:3"
    assert place("") == ""
