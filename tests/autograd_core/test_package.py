"""The package as a whole: what it imports, in which direction, how fast, and what it exports."""

import ast
import graphlib
import importlib
import os
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import autograd_core as ag

ROOT = Path(__file__).parents[2]

# A folder may import itself and what stands before it.
LAYERS = ["autograd_core", "nn", "optim", "tools"]


def imported(path, package):
    """The modules of this project a file imports, dotted from the project's package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if node.module:
                found.add(module)
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def test_folders_import_downwards_only():
    for rank, folder in enumerate(LAYERS):
        for path in (ROOT / folder).rglob("*.py"):
            package = ["autograd_core"] if folder == "autograd_core" else ["autograd_core", folder]
            package += list(path.relative_to(ROOT / folder).parent.parts)
            for name in imported(path, package):
                parts = name.split(".")
                if parts[0] != "autograd_core":
                    continue
                layer = parts[1] if len(parts) > 1 and parts[1] in LAYERS else "autograd_core"
                assert LAYERS.index(layer) <= rank, f"{path} imports {name}"


def test_the_engine_has_no_import_cycle():
    graph = {}
    for path in (ROOT / "autograd_core").rglob("*.py"):
        parts = list(path.relative_to(ROOT / "autograd_core").with_suffix("").parts)
        name = ".".join(["autograd_core", *(p for p in parts if p != "__init__")])
        graph[name] = imported(path, ["autograd_core", *parts[:-1]]) - {name}
    order = graphlib.TopologicalSorter({name: found & graph.keys() for name, found in graph.items()})
    assert len(list(order.static_order())) == len(graph)  # raises CycleError, which shows the cycle


def python(code, cwd):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, check=False)


def test_import_loads_nothing_heavy(tmp_path):
    code = "import sys, autograd_core, autograd_core.nn, autograd_core.optim; print(*sys.modules)"
    loaded = set(python(code, tmp_path).stdout.split())
    assert "autograd_core.nn" in loaded
    assert not loaded & {"numba", "scipy", "graphviz", "matplotlib", "sklearn", "rich", "safetensors", "torch"}


@pytest.mark.parametrize("folder", ["nn", "optim", "tools"])
def test_a_bare_import_says_the_right_one(folder):
    result = python(f"import {folder}", ROOT)
    assert result.returncode != 0
    assert f"from autograd_core import {folder}" in result.stderr


@pytest.mark.parametrize("module", ["autograd_core", "autograd_core.nn", "autograd_core.optim", "autograd_core.tools"])
def test_everything_exported_exists_once_and_is_documented(module):
    package = importlib.import_module(module)
    names = package.__all__
    assert len(set(names)) == len(names)
    for name in names:
        value = getattr(package, name)
        if callable(value):
            assert value.__doc__, f"{module}.{name} has no docstring"


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert ag.__version__ == version("autograd-core")


def test_freed_memory_stays_for_the_next_step(tmp_path):
    """Arrays of some megabytes, made and freed again and again, cost no page faults after the first time."""
    resource = pytest.importorskip("resource")
    if platform.libc_ver()[0] != "glibc" or any(name.startswith("MALLOC_") for name in os.environ):
        pytest.skip("another C library, or its own settings")
    code = """
        import resource
        import autograd_core as ag

        def step():
            arrays = [ag.ones(2**18) for _ in range(8)]

        def faults():
            return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

        step()
        before = faults()
        for _ in range(5):
            step()
        print(faults() - before)
    """
    assert int(python(textwrap.dedent(code), tmp_path).stdout) < 5 * 8 * 2**20 / resource.getpagesize() / 4
