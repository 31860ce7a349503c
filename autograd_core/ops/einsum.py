"""Sums of products named by index letters, and products over several dimensions."""

from __future__ import annotations

__all__: list[str] = []
