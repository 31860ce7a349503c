"""The examples in the docstrings of every module."""

import doctest
import importlib
import pkgutil

import examples
import pytest

FOLDERS = (
    *("", ".ops", ".nn", ".nn.functional", ".nn.models", ".nn.utils", ".optim", ".optim.lr_scheduler"),
    *(".tools", ".tools.checking", ".tools.diagnosis", ".tools.pictures"),
)
MODULES = [
    name
    for folder in (f"autograd_core{name}" for name in FOLDERS)
    for name in (
        folder,
        *(f"{folder}.{m.name}" for m in pkgutil.iter_modules(importlib.import_module(folder).__path__) if not m.ispkg),
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for test in doctest.DocTestFinder().find(importlib.import_module(name)):
        examples.run(test)
