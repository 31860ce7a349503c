"""Formulas: what an operation computes, as one would write it on a board."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from autograd_core.graph import PICK, Node

__all__ = ["MISSING", "call", "formula", "listed", "of_application"]

MISSING = "..."
"""Stands for an operand that is not known, such as a constant of a graph that was not recorded."""

MOST_OPERANDS = 4
"""Of more, as ``cat`` may have, the first ones and the last are written."""

DOT, TIMES = "\N{MIDDLE DOT}", "\N{MULTIPLICATION SIGN}"

# What has a customary form; {0} is the first operand.  Everything else is a name and its arguments.
FORMS = {
    "abs": "|{0}|",
    "add": "{0} + {1}",
    "affine": f"{{0}} {DOT} {{1}} + {{2}}",
    "amax": "max({0})",
    "amin": "min({0})",
    "clamp_max": "min({0}, {1})",
    "clamp_min": "max({0}, {1})",
    "clone": "copy({0})",
    "div": "{0} / {1}",
    "eq": "{0} == {1}",
    "exp2": "2^{0}",
    "expm1": "exp({0}) - 1",
    "floor_divide": "floor({0} / {1})",
    "gated": f"{{0}} {DOT} {{1}}",
    "ge": "{0} >= {1}",
    "gt": "{0} > {1}",
    "hypot": "sqrt({0}^2 + {1}^2)",
    "inv": "{0}^-1",
    "le": "{0} <= {1}",
    "lerp": f"{{0}} + {{2}} {DOT} ({{1}} - {{0}})",
    "linear": "{0} @ {1}.T + {2}",
    "log1p": "log(1 + {0})",
    "logaddexp": "log(exp({0}) + exp({1}))",
    "logical_and": "{0} and {1}",
    "logical_not": "not {0}",
    "logical_or": "{0} or {1}",
    "lt": "{0} < {1}",
    "matmul": "{0} @ {1}",
    "maximum": "max({0}, {1})",
    "minimum": "min({0}, {1})",
    "mul": f"{{0}} {DOT} {{1}}",
    "ndtr": "Phi({0})",
    "ne": "{0} != {1}",
    "neg": "-{0}",
    "normal_density": "phi({0})",
    "positive": "+{0}",
    "pow": "{0}^{1}",
    "reciprocal": "1 / {0}",
    "remainder": "{0} mod {1}",
    "root": "sqrt({0})",
    "rsqrt": "1 / sqrt({0})",
    "solve": "{0}^-1 {1}",
    "square": "{0}^2",
    "standardize": "({0} - mean) / std",
    "sub": "{0} - {1}",
    "xlog1py": f"{{0}} {DOT} log(1 + {{1}})",
    "xlogy": f"{{0}} {DOT} log({{1}})",
}

UNTOLD = ("shape", "sizes", "ends", "eps", "masked")
"""Arguments that say nothing the output's shape does not say, or nothing anybody asked for."""


def formula(node: Node, operands: Sequence[str], output: int | None = None) -> str:
    """What a node computes, of operands with these names: ``x + y``, ``sum(x, dim 0)``; or one of its outputs."""
    if node.plan is PICK:
        return f"{operands[0]}[{node.params['index']}]"
    shapes = [parent.shape for parent in node.parents]
    written = of_application(node.name, node.params, operands, shapes[0] if shapes else ())
    return written if output is None or (output == 0 and node.name in FORMS) else f"{written}[{output}]"


def call(function: str, operands: Sequence[str]) -> str:
    """A function of operands: ``layer(x)``."""
    return f"{function}({', '.join(listed(operands))})"


def of_application(name: str, params: dict[str, Any], operands: Sequence[str], shape: Sequence[Any] = ()) -> str:
    """The formula of a primitive applied to operands of these names, the first of this shape.

    >>> of_application("mul", {}, ["x", "-3"])
    'x \N{MIDDLE DOT} (-3)'
    >>> of_application("sum", {"axis": (0,), "keepdims": True}, ["x"], (2, 3))
    'sum(x, dim 0, keepdim)'
    """
    if name == "index":
        return f"{operands[0]}{_index(params, operands[1:])}"
    if name == "set":
        return f"{operands[0]} with {_index(params, operands[2:])} = {operands[1]}"
    if name == "permute":
        n = len(params["dims"])
        if n >= 2 and tuple(params["dims"]) == (*range(n - 2), n - 1, n - 2):
            return f"{operands[0]}{'.T' if n == 2 else '.mT'}"
    if name == "cast":
        return f"{params['dtype']}({operands[0]})"
    arguments = list(_arguments(params, shape))
    form = FORMS.get(name)
    if form is None:
        return f"{name}({', '.join([*listed(operands), *arguments])})"
    if not form.partition("(")[0].isidentifier():
        return form.format(*(f"({x})" if x.startswith("-") else x for x in operands))
    written = form.format(*operands)
    return f"{written[:-1]}, {', '.join(arguments)})" if arguments else written


def listed(operands: Sequence[str]) -> Sequence[str]:
    """Operands, of many the first ones and the last, and of equal ones how many."""
    if len(operands) > 2 and len(set(operands)) == 1:
        return [f"{operands[0]} {TIMES}{len(operands)}"]
    return operands if len(operands) <= MOST_OPERANDS else [*operands[: MOST_OPERANDS - 2], MISSING, operands[-1]]


def _arguments(params: dict[str, Any], shape: Sequence[Any]) -> Iterator[str]:
    """Keyword arguments in few words: ``dim 0``, ``keepdim``."""
    for name, value in params.items():
        if name == "axis":
            axes = value if isinstance(value, tuple) else (value,)
            if not isinstance(value, tuple) or len(axes) < len(shape):
                yield f"dim {', '.join(map(str, axes))}"
        elif value is True and name not in UNTOLD:
            yield "keepdim" if name == "keepdims" else name
        elif value is None or value is False or name in UNTOLD or callable(value) or len(str(value)) > 20:
            continue
        else:
            yield f"{name} {value}"


def _index(params: dict[str, Any], arrays: Sequence[str]) -> str:
    """The brackets of an index: ``[0, 1:]``."""
    rest = iter(arrays)
    return f"[{', '.join(_index_part(part, rest) for part in params['form'])}]"


def _index_part(part: Any, arrays: Iterator[str]) -> str:
    if part is Ellipsis:
        return "..."
    if isinstance(part, slice):
        bounds = [part.start, part.stop] if part.step is None else [part.start, part.stop, part.step]
        return ":".join("" if bound is None else str(bound) for bound in bounds)
    return str(part) if part is None or isinstance(part, int) else next(arrays, MISSING)
