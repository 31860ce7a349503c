"""What a gradient check found, and its table."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

__all__ = ["FAIL", "INCONCLUSIVE", "PASS", "GradcheckReport", "InputRecord"]

PASS, FAIL, INCONCLUSIVE = "PASS", "FAIL", "INCONCLUSIVE"


@dataclass(frozen=True)
class InputRecord:
    """What was found for one input or parameter: its verdict, and the element that decided it."""

    name: str
    shape: tuple[int, ...]
    order: int
    """1 for the gradient, 2 for the gradient of the gradient, ..."""
    verdict: str = PASS
    note: str = ""
    index: tuple[int, ...] | None = None
    """The worst element; None if there are no elements."""
    analytic: float = 0.0
    """The gradient by this element, of the outputs weighted at random."""
    numeric: float = 0.0
    """The same by differences."""
    relative_error: float = 0.0
    error_bar: float = 0.0
    """The estimated error of `numeric`."""
    kinks: int = 0
    """How many elements sit at a kink and passed because the gradient is between the slopes of its sides."""

    @property
    def badness(self) -> tuple[int, float, float]:
        """What orders the elements of an input: the verdict, the relative error beyond the bar, the bar."""
        if self.kinks:
            return 0, 0.0, 0.0
        size = max(abs(self.analytic), abs(self.numeric))
        beyond = max(abs(self.analytic - self.numeric) - self.error_bar, 0.0)
        excess = 0.0 if beyond == 0 else beyond / size if size else math.nan  # no size: 0 beside NaN
        severity = [PASS, INCONCLUSIVE, FAIL].index(self.verdict)
        return severity, math.inf if math.isnan(excess) else excess, self.error_bar


@dataclass(frozen=True, repr=False)
class GradcheckReport:
    """The result of :func:`gradcheck`: true if everything passed; as a string, the table."""

    records: list[InputRecord] = field(default_factory=list)
    reason: str = ""
    """Why nothing could be checked, if so."""
    culprit: str = ""
    """Where a check failed: the first operation that fails by itself, and the line that called it."""

    @property
    def ok(self) -> bool:
        """Whether every input passed."""
        return not self.reason and all(record.verdict == PASS for record in self.records)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def verdict(self) -> str:
        """PASS, FAIL or INCONCLUSIVE, the worst of the inputs."""
        verdicts = {record.verdict for record in self.records}
        if self.reason or FAIL in verdicts:
            return FAIL
        return INCONCLUSIVE if INCONCLUSIVE in verdicts else PASS

    def __str__(self) -> str:
        lines = [f"gradcheck: {self.verdict}"]
        if self.reason:
            lines.append(f"  {self.reason}")
        if self.records:
            lines += _table([HEADER, *(_cells(record) for record in self.records)])
        lines += [f"  {record.name}: {record.note}" for record in self.records if record.note]
        if self.culprit:
            lines.append(f"  {self.culprit}")
        return "\n".join(lines)

    __repr__ = __str__


HEADER = ["input", "order", "shape", "worst at", "analytic", "numeric", "relative", "error bar", "verdict"]


def _cells(r: InputRecord) -> list[str]:
    if r.index is None:
        return [r.name, str(r.order), str(r.shape), "", "", "", "", "", r.verdict]
    numbers = [f"{r.analytic:.9g}", f"{r.numeric:.9g}", f"{r.relative_error:.1e}", f"{r.error_bar:.1e}"]
    return [r.name, str(r.order), str(r.shape), str(r.index), *numbers, r.verdict]


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
