"""Conditions that compiled code stops at."""

from __future__ import annotations

from .jit import kernel

__all__ = ["require"]


@kernel
def require(condition):  # type: ignore[no-untyped-def]
    """0 if the condition holds, else 1."""
    return 0 if condition[0] else 1
