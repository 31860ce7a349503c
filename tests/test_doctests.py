"""The examples in the docstrings of every module."""

import doctest
import importlib
import pkgutil

import pytest

FOLDERS = ("autograd_core", "autograd_core.ops", "autograd_core.nn", "autograd_core.optim", "autograd_core.tools")
MODULES = [
    name
    for folder in FOLDERS
    for name in (
        folder,
        *(f"{folder}.{m.name}" for m in pkgutil.iter_modules(importlib.import_module(folder).__path__) if not m.ispkg),
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(name)).failed == 0
