"""What one operation does, in formulas: the value with numbers in it, and the local derivatives."""

from __future__ import annotations

import re

from . import labels
from .notation import DOT, substituted
from .picture import Arrow, Box, Picture

__all__ = ["LOCAL", "computed", "full_name", "gradient", "incoming", "local_steps", "operand", "sent_back"]

LOCAL: dict[str, tuple[str, ...]] = {
    "abs": ("sign(a)",),
    "acos": ("-1 / sqrt(1 - a^2)",),
    "add": ("1", "1"),
    "acosh": ("1 / sqrt(a^2 - 1)",),
    "asin": ("1 / sqrt(1 - a^2)",),
    "asinh": ("1 / sqrt(a^2 + 1)",),
    "atan": ("1 / (1 + a^2)",),
    "atanh": ("1 / (1 - a^2)",),
    "clamp_max": ("1 if a <= b else 0", "0 if a <= b else 1"),
    "clamp_min": ("1 if a >= b else 0", "0 if a >= b else 1"),
    "clone": ("1",),
    "cos": ("-sin(a)",),
    "cosh": ("sinh(a)",),
    "div": ("1 / b", "-a / b^2"),
    "erf": ("2 / sqrt(pi) * exp(-a^2)",),
    "erfc": ("-2 / sqrt(pi) * exp(-a^2)",),
    "exp": ("y",),
    "exp2": ("y * log(2)",),
    "expm1": ("y + 1",),
    "hypot": ("a / y", "b / y"),
    "log": ("1 / a",),
    "log10": ("1 / (a * log(10))",),
    "log1p": ("1 / (1 + a)",),
    "log2": ("1 / (a * log(2))",),
    "logaddexp": ("exp(a - y)", "exp(b - y)"),
    "maximum": ("(1 + sign(a - b)) / 2", "(1 + sign(b - a)) / 2"),
    "minimum": ("(1 + sign(b - a)) / 2", "(1 + sign(a - b)) / 2"),
    "mul": ("b", "a"),
    "neg": ("-1",),
    "pow": ("b * a^(b - 1)", "y * log(a)"),
    "positive": ("1",),
    "reciprocal": ("-1 / a^2",),
    "relu": ("1 if a > 0 else 0",),
    "rsqrt": ("-y / (2 * a)",),
    "sigmoid": ("y * (1 - y)",),
    "sin": ("cos(a)",),
    "sinh": ("cosh(a)",),
    "sqrt": ("1 / (2 * y)",),
    "square": ("2 * a",),
    "sub": ("1", "-1"),
    "tan": ("1 + y^2",),
    "tanh": ("1 - y^2",),
    "where": ("", "1 if a else 0", "0 if a else 1"),
}
"""The derivatives of y = operation(a, b, c) by a, b and c, where they have a short form."""

SENT: dict[str, tuple[str, ...]] = {
    "linear": ("({g}) @ {b}", "({g}).T @ {a}", "sum({g}, dim 0)"),
    "log_softmax": ("{g} - exp({y}) * sum({g})",),
    "matmul": ("({g}) @ {b}.T", "{a}.T @ ({g})"),
    "softmax": ("{y} * ({g} - sum({g} * {y}))",),
    "sum": ("{g} for each element",),
}
"""What goes back to a, b and c of y = operation(a, b, c), of which g is the gradient, where it is no product element by
element; for matrices.  The sums of softmax go along its dimension."""

LOWERED = re.compile(r"\^\((\d+) - 1\)")
"""The power that is left of one with a whole exponent."""

SIGNS = {"1": "{g}", "-1": "-{g}"}
"""What goes back by a local derivative that is not written, of which g is the gradient."""


# What a picture knows of an operation


def incoming(picture: Picture) -> dict[str, list[Arrow]]:
    """The arrows to each box, by its key; to an operation one for each known operand, in their order."""
    found: dict[str, list[Arrow]] = {box.key: [] for box in picture.boxes}
    for arrow in picture.arrows:
        found[arrow.target].append(arrow)
    return found


def operand(box: Box) -> str:
    """What formulas call a box."""
    return labels.last_name(box.name) if box.name else box.title


def full_name(box: Box) -> str:
    """What a box is called where there is no formula: a parameter by its whole path."""
    return box.name or box.title


def gradient(box: Box) -> str:
    """Its gradient as text, without saying that it is one."""
    return box.gradient.removeprefix("grad ")


# Its formulas


def local_derivative(box: Box, operands: list[str], index: int) -> str:
    """The derivative of an operation by one of its operands, in their names; empty if it has no short form."""
    forms = LOCAL.get(box.operation, ())
    if len(forms) != len(operands):
        return ""
    text = substituted(forms[index], dict(zip("abc", operands, strict=False)) | {"y": operand(box)})
    return LOWERED.sub(_lowered, text).replace("*", DOT)


def _lowered(power: re.Match[str]) -> str:
    return "" if power[1] == "2" else f"^{int(power[1]) - 1}"


def sent_back(box: Box, operands: list[Box], index: int, g: str) -> str:
    """What goes back through an operation on arrays, of which `g` is the gradient; empty if it has no short form."""
    names = list(map(operand, operands))
    local = local_derivative(box, names, index)
    if local:  # element by element; unless one was broadcast, to which a sum goes back
        same = operands[index].shape == box.shape
        return SIGNS.get(local, f"{{g}} {DOT} ({local})").format(g=g) if same else ""
    forms = SENT.get(box.operation, ())
    if len(forms) < len(operands) or any(x.shape is None or len(x.shape) > 2 for x in (box, *operands)):
        return ""
    return forms[index].replace("*", DOT).format(**dict(zip("abc", names, strict=False)), y=operand(box), g=g)


def computed(box: Box, operands: list[Box]) -> list[str]:
    """The formula of an operation, the same with numbers, and what it gives; without what says nothing more."""
    steps = [box.formula, substituted(box.formula, _numbers(operands)), box.value]
    return [step for i, step in enumerate(steps) if step and step not in steps[:i]]


def local_steps(box: Box, operands: list[Box], index: int, value: str) -> list[str]:
    """The derivative of an operation by one of its operands: its form, that with numbers, and what it is."""
    form = local_derivative(box, list(map(operand, operands)), index)
    steps = [form, substituted(form, _numbers([box, *operands])), value]
    return [step for i, step in enumerate(steps) if step and step not in steps[:i]]


def _numbers(boxes: list[Box]) -> dict[str, str]:
    """The values of single numbers by name; none if a name is not unique."""
    numbers: dict[str, str] = {}
    for box in boxes:
        known = box.forward is not None and box.forward.size == 1
        if known and numbers.setdefault(operand(box), box.value) != box.value:
            return {}
    return numbers
