"""What every test runs under."""

import sys

import numpy as np
import pytest

OPTIONAL = ("numba", "scipy", "sklearn", "torch")


def pytest_addoption(parser):
    parser.addoption(
        "--numpy-only", action="store_true", help=f"run as if NumPy were alone: without {', '.join(OPTIONAL)}"
    )


def pytest_configure(config):
    if config.getoption("--numpy-only"):
        sys.modules.update(dict.fromkeys(OPTIONAL))  # importing them raises ImportError now


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Without SciPy, what needs it must say so; then its test is skipped."""
    try:
        return (yield)
    except ImportError as error:
        if item.config.getoption("--numpy-only") and ("pip install scipy" in str(error) or error.name == "scipy"):
            pytest.skip(str(error))
        raise


@pytest.fixture(autouse=True)
def _modes_are_restored():
    """No test may leave a mode, the default dtype or NumPy's error handling changed."""
    from autograd_core import dtypes, modes

    before = modes.current(), dtypes.get_default_dtype(), np.geterr()
    yield
    assert (modes.current(), dtypes.get_default_dtype(), np.geterr()) == before


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded source of random numbers."""
    return np.random.default_rng(20240607)
