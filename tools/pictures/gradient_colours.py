"""Colours for the size of gradients, on a logarithmic scale: the smaller, the paler."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from . import labels

__all__ = ["GradientColours"]

SCALE = ["#FFFAF2", "#FEEBD2", "#FDD5A9", "#FBB87A", "#F4934D", "#E16B25", "#BC4A0B", "#8A3003", "#5A1D00"]
ZERO, INFINITE = "#FFFFFF", "#6A006A"

DECADES = 4
"""The scale spans at least these: a factor of 2 from layer to layer shall not look like a catastrophe."""


class GradientColours:
    """The colours of gradients of these mean absolute values (None: not known)."""

    def __init__(self, magnitudes: Iterable[float | None]) -> None:
        known = [m for m in magnitudes if m is not None]
        logs = [math.log10(m) for m in known if 0 < m < math.inf]
        self.zero, self.infinite = 0.0 in known, any(not math.isfinite(m) for m in known)
        self.high = math.ceil(max(logs, default=0.0))
        self.low = min(math.floor(min(logs, default=0.0)), self.high - DECADES)

    def of(self, magnitude: float) -> tuple[str, str]:
        """Fill and text."""
        if not math.isfinite(magnitude):
            return INFINITE, "#FFFFFF"
        if magnitude == 0:
            return ZERO, "#1A1A1A"
        share = (math.log10(magnitude) - self.low) / (self.high - self.low)
        at = round(min(max(share, 0.0), 1.0) * (len(SCALE) - 1))
        return SCALE[at], "#FFFFFF" if at > len(SCALE) // 2 else "#1A1A1A"

    def legend(self) -> Iterator[tuple[str, str, str]]:
        """Text, fill and ink of each field."""
        if self.zero:
            yield "0", *self.of(0.0)
        for i in range(0, len(SCALE), 2):
            magnitude = 10 ** (self.low + (self.high - self.low) * i / (len(SCALE) - 1))
            yield labels.number(float(f"{magnitude:.1g}")), *self.of(magnitude)
        if self.infinite:
            yield "inf or nan", *self.of(math.inf)
