"""What every test runs under."""

import os
import sys
import traceback

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

OPTIONAL = ("llvmlite", "numba", "scipy", "sklearn", "torch")


def pytest_addoption(parser):
    parser.addoption(
        "--numpy-only", action="store_true", help=f"run as if NumPy were alone: without {', '.join(OPTIONAL)}"
    )


def pytest_configure(config):
    if config.getoption("--numpy-only"):
        sys.modules.update(dict.fromkeys(OPTIONAL))  # importing them raises ImportError now


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """With NumPy alone, what needs SciPy or Numba must say so, and the command may need scikit-learn: tests to skip."""
    try:
        return (yield)
    except ImportError as error:
        if item.config.getoption("--numpy-only"):
            by_the_test = traceback.extract_tb(error.__traceback__)[-1].filename == str(item.path)
            says_so = any(f"pip install {name}" in str(error) for name in ("scipy", "numba"))
            if by_the_test or says_so or (error.name or "").startswith("sklearn"):
                pytest.skip(str(error))
        raise


@pytest.fixture(autouse=True, scope="session")
def _products_take_one_thread():
    """Small matrices are multiplied faster so, and the test processes do not fight for cores."""
    with threadpool_limits(1):
        yield


@pytest.fixture(autouse=True, scope="session")
def _compiled_steps_are_kept_apart(tmp_path_factory):
    """Compiled steps go to a folder of this run, which its processes share; never to that of the user."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRAD_CORE_CACHE", str(folder / "compiled"))
        yield


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
