"""Order: sorting, the k largest, the distinct, and where a value belongs."""

from __future__ import annotations

__all__: list[str] = []
