"""That kernels do what their primitives do on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from lowered import prepare_lowered, run_lowered

from autograd_core.primitive import REGISTRY


def assert_agrees(name: str, *operands: Any, rtol: float = 0.0, **params: Any) -> None:
    """The primitive is lowered in this form, and the kernels give what it gives, in its dtype."""
    results = run_lowered(name, operands, params)
    assert results is not None, f"{name} has no native form for these arguments"
    (result,) = results
    expected = REGISTRY[name].record.compute(list(operands), params)
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(result, expected, rtol=rtol, atol=0)


def assert_samples_agree(name: str, dtype: Any, index: Any = np.int64, rtol: float = 0.0) -> None:
    """`assert_agrees` of all samples of a primitive that are lowered, of which there must be one; in these dtypes."""
    lowered = 0
    for sample in REGISTRY[name].record.samples(np.random.default_rng(0)):
        operands = [x.astype({"f": dtype, "i": index}.get(x.dtype.kind, x.dtype)) for x in sample.args]
        if run_lowered(name, operands, sample.params) is not None:
            assert_agrees(name, *operands, rtol=rtol, **sample.params)
            lowered += 1
    assert lowered


def refuses(name: str, *operands: Any, at: int, bad: int, **params: Any) -> bool:
    """Whether the kernels refuse `bad` as the last element of the operand number `at`, which they take as it is."""
    prepared = prepare_lowered(name, operands, params)
    assert prepared is not None
    call, _ = prepared
    assert call() == 0
    index = operands[at]
    index.reshape(-1)[-1] = bad
    return bool(call())
