"""Solving, inverting and decomposing matrices."""

from __future__ import annotations

__all__: list[str] = []
