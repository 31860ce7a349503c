"""What a gradient check found: as a table for the terminal, for notebooks, and as JSON."""

from __future__ import annotations

import math
import textwrap
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

from autograd_core.traced import place

from ..plain_json import written

__all__ = ["FAIL", "INCONCLUSIVE", "PASS", "Culprit", "GradcheckReport", "InputRecord"]

PASS, FAIL, INCONCLUSIVE = "PASS", "FAIL", "INCONCLUSIVE"

MOST_ROWS = 24
"""In a terminal, inputs that passed are left out beyond this many rows."""

WIDTH = 118
"""Of sentences in a terminal."""


@dataclass(frozen=True)
class InputRecord:
    """What was found for one input or parameter: its verdict, and the element that decided it."""

    name: str
    shape: tuple[int, ...]
    order: int
    """1 for the gradient, 2 for the gradient of the gradient, ..."""
    forward: bool = False
    """Whether this is the forward derivative (``func.jvp``)."""
    verdict: str = PASS
    note: str = ""
    index: tuple[int, ...] | None = None
    """The worst element; None if it was a direction, or there are no elements."""
    analytic: float = 0.0
    """The derivative by this element."""
    numeric: float = 0.0
    """The same by differences."""
    relative_error: float = 0.0
    error_bar: float = 0.0
    """The estimated error of `numeric`."""
    sides: tuple[float, float] | None = None
    """At a kink, the slopes of both sides, of which `numeric` is some mean."""
    weighted: bool = False
    """Whether several outputs depend on it, so that the numbers are derivatives of their sum, weighted at random."""
    kinks: int = 0
    """How many elements sit at a kink and passed because the gradient is between the slopes of its sides."""
    bent: int = 0
    """In how many random directions that was so."""
    checked: int = 0
    """How many elements were moved by themselves."""
    directions: int = 0
    """In how many random directions all elements were moved at once."""
    left_out: int = 0
    """How many elements are infinite, so that they cannot be moved."""
    connected: bool = True
    """Whether a path in the graph leads from the outputs to it."""

    @property
    def place(self) -> str:
        """Where the worst was found."""
        return str(self.index) if self.index is not None else "direction" if self.directions else ""

    @property
    def coverage(self) -> str:
        """How much of it was checked."""
        size = math.prod(self.shape)
        if self.forward:
            return _counted(1, "direction")
        parts = [f"{self.checked:,} of {size:,}"] if self.checked or not self.directions else []
        return " + ".join(parts + ([_counted(self.directions, "direction")] if self.directions else []))


@dataclass(frozen=True)
class Culprit:
    """The operation at fault; as a string, a sentence about it.

    Attributes
    ----------
    kind
        ``"rule"`` for a wrong derivative rule; ``"kink"`` for one that is right by each element alone, but not by all
        together; ``"not finite"`` for one that makes a non-finite gradient out of a finite one; ``"error"`` for one
        that raises an error; ``"cut"`` where a value that depends on the inputs enters the operation without the
        history that would lead back to them.
    primitive
        The operation's name.
    file, line
        Where it was called.
    module, module_type
        The path and the class of the innermost module it ran in; empty if it ran in none, and an empty path for the
        outermost module itself.
    argument, argument_name
        By which of its arguments the derivative is wrong.
    order
        Of the wrong derivative.
    forward
        Whether it is the forward derivative (``func.jvp``) that is wrong.
    index, analytic, numeric, sides, weighted
        The worst element of that argument (None if it is a direction), and the derivative by it: by the rule, and by
        differences; see :class:`InputRecord`.
    innocent
        How many of the operations downstream, which use its result, have right derivatives.
    downstream
        How many there are.
    others
        Further operations with wrong rules, as ``"name at file:line"``.
    """

    primitive: str
    file: str
    line: int
    module: str = ""
    module_type: str = ""
    argument: int = 0
    argument_name: str = ""
    order: int = 1
    forward: bool = False
    index: tuple[int, ...] | None = None
    analytic: float = math.nan
    numeric: float = math.nan
    sides: tuple[float, float] | None = None
    weighted: bool = False
    innocent: int = 0
    downstream: int = 0
    others: tuple[str, ...] = ()
    kind: str = "rule"
    error: str = ""
    """What the rule raised."""

    @property
    def where(self) -> str:
        """The operation with its place in the source and in the modules."""
        text = f"{self.primitive} at {place(f'{self.file}:{self.line}')}"
        return text + (f", in {self.module_type} {self.module}".rstrip() if self.module_type else "")

    def __str__(self) -> str:
        where = self.where
        argument = f"argument {self.argument}" + (f" ({self.argument_name})" if self.argument_name else "")
        if self.kind == "cut":
            return (
                f"every rule is right, but {argument} of {where}: it changes with the inputs and has no history that "
                f"leads to them; was it taken out by detach(), item(), numpy() or no_grad()?"
            )
        if self.kind == "error":
            return f"the first operation that fails by itself is {where}: {self.error}"
        if self.kind == "not finite":
            return (
                f"the first operation, going back, that makes a non-finite gradient out of a finite one is {where}: "
                f"its derivative by {argument} at {self.index} gives {self.analytic}"
            )
        order = "derivative" if self.order == 1 else f"derivative of order {self.order}"
        order = "forward derivative" if self.forward else order
        by = f"by {argument} " + ("in one direction" if self.index is None else f"at {self.index}")
        if self.kind == "kink":
            by = "by all elements together, at a kink,"
        sum = " (of outputs weighted at random)" if self.weighted else ""
        text = (
            f"the first operation that is wrong by itself is {where}: its {order} {by} is {self.analytic:.6g}, by "
            f"differences {_numeric(self, 6)}{sum}"
        )
        if self.downstream:
            count = "" if self.innocent == self.downstream else f"{self.innocent} of "
            verb = "is" if self.downstream == 1 else "are"
            text += f"; {count}the {_counted(self.downstream, 'operation')} downstream {verb} innocent"
        if self.others:
            more = f" and {len(self.others) - 3} more" if len(self.others) > 3 else ""
            text += f"; also wrong: {', '.join(self.others[:3])}{more}"
        return text


@dataclass(frozen=True, repr=False)
class GradcheckReport:
    """The result of :func:`gradcheck`: true if everything passed; as a string, the table."""

    records: list[InputRecord] = field(default_factory=list)
    reason: str = ""
    """Why it fails, if that is not for a record: nothing could be checked, or all pass and an operation does not."""
    culprit: Culprit | None = None
    """Where a check failed: the first operation at fault, if one was found."""
    hint: str = ""
    """Where a check failed and no operation is at fault: what else to look at."""
    infinite: int = 0
    """How many elements of the outputs are infinite, so that nothing is known of their derivatives."""

    @property
    def ok(self) -> bool:
        """Whether every input passed."""
        return self.verdict == PASS

    def __bool__(self) -> bool:
        return self.ok

    @property
    def verdict(self) -> str:
        """PASS, FAIL or INCONCLUSIVE, the worst of the inputs."""
        verdicts = {record.verdict for record in self.records}
        if self.reason or FAIL in verdicts:
            return FAIL
        return INCONCLUSIVE if INCONCLUSIVE in verdicts else PASS

    @property
    def unused(self) -> list[str]:
        """The inputs and parameters that the outputs do not depend on."""
        return [r.name for r in self._first_order() if not r.connected and r.verdict == PASS]

    @property
    def disconnected(self) -> list[str]:
        """Those that the outputs depend on, though no path in the graph leads there: their gradient is lost."""
        return [r.name for r in self._first_order() if not r.connected and r.verdict == FAIL]

    @property
    def kinks(self) -> dict[str, int]:
        """For the inputs at a kink, at how many of their elements."""
        return {r.name: r.kinks for r in self._first_order() if r.kinks}

    def _first_order(self) -> list[InputRecord]:
        return [r for r in self.records if r.order == 1 and not r.forward]

    @property
    def coverage(self) -> str:
        """How much was checked, in words."""
        first = self._first_order()
        total, moved = sum(math.prod(r.shape) for r in first), sum(r.checked for r in first)
        directions = sum(r.directions for r in first)
        text = f"all {_counted(total, 'element')}" if moved == total else f"{moved:,} of {total:,} elements"
        if directions:
            text += f", and {_counted(directions, 'direction')} through all elements of an input"
        left_out = sum(r.left_out for r in first)
        text += f"; {_counted(left_out, 'element')} infinite and left out" if left_out else ""
        return text + (f"; {_counted(self.infinite, 'output')} infinite and left out" if self.infinite else "")

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain numbers, strings, lists and dicts."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "coverage": self.coverage if self.records else "",
            "inputs": [asdict(r) for r in self.records],
            "unused": self.unused,
            "disconnected": self.disconnected,
            "culprit": None if self.culprit is None else asdict(self.culprit) | {"sentence": str(self.culprit)},
            "hint": self.hint,
        }

    def to_json(self, indent: int | None = 2) -> str:
        """:meth:`as_dict` as JSON; numbers that are not finite become ``"inf"``, ``"-inf"`` and ``"nan"``."""
        return written(self.as_dict(), indent)

    def __str__(self) -> str:
        lines = [f"gradcheck: {self.verdict}", *_wrapped(self.reason)]
        if self.records:
            shown = self._shown()
            lines += _aligned([self._header(), *(self._cells(r) for r in shown)])
            if len(shown) < len(self.records):
                lines.append(f"  ... and {len(self.records) - len(shown)} more that pass")
            lines += [line for said in self._said(shown) for line in _wrapped(said)]
        return "\n".join(lines + _wrapped(str(self.culprit or "")) + _wrapped(self.hint))

    __repr__ = __str__

    def _shown(self) -> list[InputRecord]:
        """The records that a terminal shows: all that did not pass, and as many others as there is room for."""
        room = MOST_ROWS - sum(r.verdict != PASS for r in self.records)
        shown = []
        for r in self.records:
            room -= r.verdict == PASS
            if r.verdict != PASS or room >= 0:
                shown.append(r)
        return shown

    def _said(self, shown: list[InputRecord]) -> list[str]:
        """What is below the table of some records."""
        notes = [f"{r.name}: {r.note}" for r in shown if r.note]
        weighted = list(dict.fromkeys(r.name for r in shown if r.weighted))
        which = "" if len(weighted) == len({r.name for r in shown}) else f" of {', '.join(weighted)}"
        if weighted:
            notes.append(f"the numbers{which} are derivatives of several outputs, added with random weights")
        return [*notes, f"checked: {self.coverage}"]

    def _header(self) -> list[str]:
        checked = ["checked"] if self._partly() else []
        return ["input", "order", "shape", *checked, *HEADER]

    def _partly(self) -> bool:
        return any(r.directions for r in self.records)

    def _cells(self, r: InputRecord) -> list[str]:
        numbers = [f"{r.analytic:.9g}", _numeric(r, 9), f"{r.relative_error:.1e}", f"{r.error_bar:.1e}"]
        found = [r.place, *(numbers if r.place else [""] * 4), r.verdict]
        checked = [r.coverage] if self._partly() else []
        return [r.name, f"{r.order} forward" if r.forward else str(r.order), str(r.shape), *checked, *found]

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='{CELL}'>{escape(cell)}</th>" for cell in self._header())
        rows = "".join(f"<tr>{''.join(_html_cell(cell) for cell in self._cells(r))}</tr>" for r in self.records)
        said = [self.reason, *(self._said(self.records) if rows else []), self.hint]
        table = f"<table style='font-variant-numeric:tabular-nums'><tr>{head}</tr>{rows}</table>" if rows else ""
        paragraphs = "".join(f"<div>{escape(text)}</div>" for text in said if text)
        blame = f"<div><b>{escape(str(self.culprit))}</b></div>" if self.culprit else ""
        return f"<div><b>gradcheck: {_coloured(self.verdict)}</b>{table}{paragraphs}{blame}</div>"


HEADER = ["worst at", "analytic", "numeric", "relative", "error bar", "verdict"]

COLOURS = {PASS: "#2e8b57", FAIL: "#d1383d", INCONCLUSIVE: "#c77700"}
"""Of the verdicts; they can be read on white and on black."""

CELL = "text-align:left;padding:2px 14px 2px 0"


def _html_cell(text: str) -> str:
    return f"<td style='{CELL}'>{_coloured(text) if text in COLOURS else escape(text)}</td>"


def _coloured(verdict: str) -> str:
    return f"<span style='color:{COLOURS[verdict]};font-weight:bold'>{verdict}</span>"


def _numeric(found: InputRecord | Culprit, digits: int) -> str:
    """The derivative by differences; at a kink, that of both sides."""
    if found.sides is None:
        return f"{found.numeric:.{digits}g}"
    return " to ".join(f"{slope:.{digits}g}" for slope in found.sides)


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
