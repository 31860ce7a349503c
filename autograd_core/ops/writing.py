"""Putting values at places: the counterparts of indexing."""

from __future__ import annotations

__all__: list[str] = []
