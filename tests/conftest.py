"""What every test runs under."""

import numpy as np
import pytest

from autograd_core import dtypes, modes


@pytest.fixture(autouse=True)
def _modes_are_restored():
    """No test may leave a mode, the default dtype or NumPy's error handling changed."""
    before = modes.current(), dtypes.get_default_dtype(), np.geterr()
    yield
    assert (modes.current(), dtypes.get_default_dtype(), np.geterr()) == before


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded source of random numbers."""
    return np.random.default_rng(20240607)
