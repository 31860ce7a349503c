"""Medians, quantiles, covariances, integrals of samples."""

from __future__ import annotations

__all__: list[str] = []
