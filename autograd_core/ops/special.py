"""Special functions, elementwise; what NumPy lacks comes from SciPy, loaded on first use."""

from __future__ import annotations

__all__: list[str] = []
