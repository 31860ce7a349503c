"""Kernels are compiled by Numba: without it there is nothing to test here."""

import importlib


def pytest_ignore_collect(collection_path):
    if not collection_path.name.startswith("test_"):
        return None
    try:
        importlib.import_module("numba")
    except ImportError:
        return True
    return None
