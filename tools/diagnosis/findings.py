"""What the training doctor found: findings with their evidence, reason and remedy, and the report they make."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from ..plain_json import written

__all__ = ["ADVICE", "DoctorReport", "Finding"]


class Advice(NamedTuple):
    """What is always the same of a kind of finding."""

    reason: str
    remedy: str


ADVICE: dict[str, Advice] = {
    "D01-dead-unit": Advice(
        "A unit whose slope is 0 for every example, as that of a ReLU below 0, gets no gradient, and so stays dead.",
        "Lower the learning rate, start with He's initialisation and biases at 0, or use LeakyReLU or GELU.",
    ),
    "D02-saturated": Advice(
        "Where sigmoid, tanh or their like are flat the derivative is almost 0, and hardly any gradient passes (Glorot "
        "& Bengio 2010).",
        "Scale the inputs to mean 0 and standard deviation 1, start with smaller weights (Xavier's initialisation), or "
        "use ReLU with a normalisation layer.",
    ),
    "D03-vanishing": Advice(
        "Values or gradients shrink from layer to layer, and hardly anything is learned here (Glorot & Bengio 2010).",
        "Use ReLU-like activations with He's initialisation, normalisation layers or residual connections; for "
        "recurrent networks LSTM or GRU.",
    ),
    "D04-exploding": Advice(
        "Values or gradients grow from layer to layer; a step that suits one layer is far too large for another (He et "
        "al. 2015; Pascanu et al. 2013).",
        "Start with weights of variance 1 / fan_in (2 / fan_in before ReLU), add normalisation layers, and clip the "
        "gradients' norm.",
    ),
    "D05-update-too-small": Advice(
        "A step changes the weights by less than a ten-thousandth of their size, though a larger one would lower the "
        "loss: training crawls.",
        "Raise the learning rate; find_rate() suggests one.",
    ),
    "D06-update-too-large": Advice(
        "A step changes the weights by more than a hundredth of their size, and leaves the loss on the very same batch "
        "higher than before.",
        "Lower the learning rate, most often by 3 to 10 times; find_rate() suggests one.",
    ),
    "D07-no-gradient": Advice(
        "No path leads from the loss to this parameter, so it is never trained.",
        "Use it in forward(); look for detach(), no_grad(), item() or numpy() on the way to the loss; or freeze it "
        "with requires_grad_(False).",
    ),
    "D08-not-in-optimizer": Advice(
        "The parameter gets a gradient, but the optimizer does not have it: it keeps its initial value.",
        "Make the optimizer from model.named_parameters() after the model is complete, or add_param_group(); freeze "
        "with requires_grad_(False) what shall not be trained.",
    ),
    "D09-foreign-parameter": Advice(
        "The optimizer has a parameter that the model has not: most often a layer was replaced after the optimizer was "
        "made.",
        "Make the optimizer after the last change of the model's layers.",
    ),
    "D10-gradients-accumulate": Advice(
        "backward() adds to the gradients there are; those of earlier steps are still in them, and act like a momentum "
        "of 1.",
        "Call optimizer.zero_grad() before backward(), in every step.",
    ),
    "D11-softmax-twice": Advice(
        "The loss takes raw scores and applies softmax or sigmoid itself; done twice, the probabilities stay close to "
        "even, and the gradients small.",
        "Give the loss the scores of the last linear layer, and use softmax or sigmoid only to predict.",
    ),
    "D12-initial-loss": Advice(
        "Guessing all classes evenly costs log C. A loss far above it means confident wrong answers, which training "
        "first has to unlearn.",
        "Start the last layer with small weights and zero biases, scale the inputs, and check that targets and classes "
        "match.",
    ),
    "D13-wrong-mode": Advice(
        "Dropout and batch normalisation act differently in training and in evaluation, and the outputs depend on it.",
        "Call model.train() before training, and model.eval() before evaluating.",
    ),
    "D14-unscaled-input": Advice(
        "The curvature of the loss grows with the square of the inputs, so one learning rate cannot suit them and the "
        "other layers (LeCun et al. 1998, section 4.3).",
        "Standardise each feature by the mean and standard deviation of the training data, or begin with a "
        "normalisation layer.",
    ),
    "D15-broadcast": Advice(
        "Every output meets every target, not its own alone: the best guess is the mean of all targets, always.",
        "Give both the same shape before they meet: output.squeeze(-1), or target.unsqueeze(-1).",
    ),
    "D16-non-finite": Advice(
        "The loss or a gradient is not finite; one step with it makes the parameters NaN.",
        "Look at the operation named: keep log, sqrt and division away from 0, and exp from large values; lower the "
        "learning rate if it came with training.",
    ),
    "D17-symmetric": Advice(
        "Units that start the same and get the same gradient stay the same: together they are worth one (Goodfellow et "
        "al. 2016, section 8.4).",
        "Start the weights at random, as the layers do by themselves; only biases may start at 0.",
    ),
    "D18-unscaled-target": Advice(
        "The outputs are small numbers at first. Until they have reached the size of the targets, errors and gradients "
        "are huge, or (with Adam) steps far too small.",
        "Standardise the targets by the mean and standard deviation of the training data, and undo it in predictions.",
    ),
}
"""Reason and remedy of each kind of finding, by its code."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    code: str
    """Stable, such as "D01-dead-unit"; `ADVICE` lists them all."""
    where: str
    """The path of the module or the name of the parameter; "loss", "model" or "optimizer" for the whole of one."""
    evidence: str
    numbers: dict[str, Any] = field(default_factory=dict)
    """The numbers of the evidence, by name."""
    line: str = ""
    """``file:line`` of the person's code, where one is to blame."""
    reason: str = ""
    remedy: str = ""
    times: int = 1
    """How often it was observed."""

    def __post_init__(self) -> None:
        advice = ADVICE[self.code]
        object.__setattr__(self, "reason", self.reason or advice.reason)
        object.__setattr__(self, "remedy", self.remedy or advice.remedy)


SHOWN = 8
"""How many places of one kind of finding are listed."""


@dataclass(frozen=True, repr=False)
class DoctorReport:
    """The result of :func:`doctor`: true if nothing is wrong; as a string, a table with reasons and remedies."""

    findings: list[Finding] = field(default_factory=list)
    examined: str = ""
    """What was looked at, in a line."""
    observations: int = 1
    """How often."""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def __bool__(self) -> bool:
        return self.ok

    @property
    def codes(self) -> list[str]:
        """The kinds of what was found, each once."""
        return sorted({finding.code for finding in self.findings})

    def as_dict(self) -> dict[str, Any]:
        """All of it in dicts, lists, strings and numbers."""
        return {
            "ok": self.ok,
            "examined": self.examined,
            "observations": self.observations,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def to_json(self) -> str:
        """:meth:`as_dict` as JSON; numbers that are not finite become ``"inf"``, ``"-inf"`` and ``"nan"``."""
        return written(self.as_dict())

    @property
    def headline(self) -> str:
        """The verdict in a line."""
        kinds, places = len(self.codes), len(self.findings)
        if not places:
            return "doctor: healthy, nothing was found"
        found = "1 problem" if kinds == 1 else f"{kinds} problems"
        return f"doctor: {found}" + (f" in {places} places" if places > kinds else "")

    def _kinds(self) -> Iterator[tuple[str, list[Finding], int]]:
        """For each code (and reason): the findings to show, and how many more there are."""

        def kind(finding: Finding) -> tuple[str, str, str]:
            return finding.code, finding.reason, finding.remedy

        for (code, _, _), group in groupby(sorted(self.findings, key=kind), key=kind):
            found = list(group)
            yield code, found[:SHOWN], len(found) - SHOWN

    def _evidence(self, finding: Finding) -> str:
        often = f" ({finding.times} of {self.observations} times)" if self.observations > 1 else ""
        return finding.evidence + often

    def __str__(self) -> str:
        lines = [self.headline, *([f"  {self.examined}"] if self.examined else [])]
        for code, found, more in self._kinds():
            lines += ["", f"  {code}"]
            width = max(len(f.where) for f in found)
            for finding in found:
                evidence = self._evidence(finding).splitlines()
                lines.append(f"    {finding.where:{width}}  {evidence[0]}")
                lines += [f"    {'':{width}}  {rest.strip()}" for rest in evidence[1:]]
            lines += [f"    and {more} more"] if more > 0 else []
            for label, text in (("why:", found[0].reason), ("do:", found[0].remedy)):
                lines += textwrap.wrap(text, 100, initial_indent=f"    {label:4} ", subsequent_indent=" " * 9)
        return "\n".join(lines)

    __repr__ = __str__

    def __rich__(self) -> Any:
        from rich.box import SIMPLE_HEAD
        from rich.console import Group
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        parts: list[Any] = [Text(self.headline, style="bold green" if self.ok else "bold red")]
        parts += [Text(f"  {self.examined}", style="dim")] if self.examined else []
        for code, found, more in self._kinds():
            table = Table(box=SIMPLE_HEAD, show_header=True, title_justify="left", padding=(0, 1))
            table.add_column(Text(code, style="bold yellow"), style="cyan", overflow="fold")
            table.add_column("evidence", overflow="fold")
            for finding in found:
                table.add_row(Text(finding.where), Text(self._evidence(finding)))
            if more > 0:
                table.add_row(f"and {more} more", "")
            advice = Text.assemble(("why: ", "dim"), found[0].reason, ("\ndo:  ", "dim"), found[0].remedy)
            parts += [table, Padding(advice, (0, 2))]
        return Group(*parts)

    def _repr_html_(self) -> str:
        colour = "#23893f" if self.ok else "#d43d32"  # of contrast above 4 to 1 on light and on dark pages
        headline = f'<b style="color:{colour}">{html.escape(self.headline)}</b>'
        parts = [f'<div style="max-width:70em"><p style="margin:.3em 0">{headline}<br>']
        parts.append(f'<span style="opacity:.7">{html.escape(self.examined)}</span></p>')
        for code, found, more in self._kinds():
            rows = "".join(
                f'<tr><td style="text-align:left;vertical-align:top"><code>{html.escape(f.where)}</code></td>'
                f'<td style="text-align:left;white-space:pre-line">{html.escape(self._evidence(f))}</td></tr>'
                for f in found
            )
            rows += f"<tr><td>and {more} more</td><td></td></tr>" if more > 0 else ""
            parts.append(
                f'<p style="margin:.8em 0 0"><b>{html.escape(code)}</b></p>'
                f'<table style="font-size:inherit">{rows}</table>'
                f'<p style="margin:.2em 0"><i>Why:</i> {html.escape(found[0].reason)}<br>'
                f"<i>Do:</i> {html.escape(found[0].remedy)}</p>"
            )
        return "".join([*parts, "</div>"])
