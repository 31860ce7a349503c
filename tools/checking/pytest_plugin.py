"""A fixture for pytest: ``gradcheck``, which fails a test with the report if a gradient is wrong.

pytest finds it where autograd-core is installed.

    def test_my_layer(gradcheck):
        gradcheck(MyLayer(), ag.randn(4, 3), order=2)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["gradcheck"]


@pytest.fixture(name="gradcheck")
def gradcheck() -> Callable[..., Any]:
    """A function with the arguments of ``tools.gradcheck``: it gives the report, or fails the test with it."""
    from autograd_core.tools.checking.gradcheck import gradcheck as compare

    def check(*args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        report = compare(*args, **options)
        if not report.ok:
            pytest.fail(str(report))
        return report

    return check
