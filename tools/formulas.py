"""Formulas: what an operation computes, as one would write it on a board."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd_core.graph import PICK, Node

__all__ = ["MISSING", "formula", "of_application"]

MISSING = "..."
"""Stands for an operand that is not known: a constant of a graph that was not recorded."""

MOST_OPERANDS = 4
"""Of more, as ``cat`` may have, the first and the last are written."""

DOT = "\N{MIDDLE DOT}"

# What has a customary form; {0} is the first operand.  All else is a name and arguments.
FORMS = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": f"{{0}} {DOT} {{1}}",
    "div": "{0} / {1}",
    "matmul": "{0} @ {1}",
    "pow": "{0}^{1}",
    "remainder": "{0} mod {1}",
    "floor_divide": "floor({0} / {1})",
    "neg": "-{0}",
    "positive": "{0}",
    "clone": "copy of {0}",
    "abs": "|{0}|",
    "square": "{0}^2",
    "root": "sqrt({0})",
    "rsqrt": "1 / sqrt({0})",
    "reciprocal": "1 / {0}",
    "expm1": "exp({0}) - 1",
    "exp2": "2^{0}",
    "log1p": "log(1 + {0})",
    "hypot": "sqrt({0}^2 + {1}^2)",
    "logaddexp": "log(exp({0}) + exp({1}))",
    "xlogy": f"{{0}} {DOT} log({{1}})",
    "xlog1py": f"{{0}} {DOT} log(1 + {{1}})",
    "ndtr": "Phi({0})",
    "normal_density": "phi({0})",
    "gated": f"{{0}} {DOT} {{1}}",
    "lerp": f"{{0}} + {{2}} {DOT} ({{1}} - {{0}})",
    "affine": f"{{0}} {DOT} {{1}} + {{2}}",
    "standardize": "({0} - mean) / std",
    "maximum": "max({0}, {1})",
    "minimum": "min({0}, {1})",
    "clamp_min": "max({0}, {1})",
    "clamp_max": "min({0}, {1})",
    "eq": "{0} == {1}",
    "ne": "{0} != {1}",
    "lt": "{0} < {1}",
    "le": "{0} <= {1}",
    "gt": "{0} > {1}",
    "ge": "{0} >= {1}",
    "logical_and": "{0} and {1}",
    "logical_or": "{0} or {1}",
    "logical_not": "not {0}",
    "inv": "{0}^-1",
    "solve": "{0}^-1 {1}",
    "amax": "max({0})",
    "amin": "min({0})",
}

TRANSPOSED = {2: ".T"}
"""The two last dimensions exchanged: of a matrix, and (all others) of a batch."""


def formula(node: Node, operands: Sequence[str]) -> str:
    """What a node computes from operands of these names: ``x + y``, ``sum(x, dim 0)``."""
    if node.plan is PICK:
        return f"{operands[0]}[{node.params['index']}]"
    parents = [getattr(parent, "shape", ()) for parent in node.parents]
    return of_application(node.name, node.params, operands, parents[0] if parents else ())


def of_application(name: str, params: dict[str, Any], operands: Sequence[str], shape: Sequence[int] = ()) -> str:
    """The formula of a primitive on named operands, the first of this shape."""
    if name == "index":
        return f"{operands[0]}[{', '.join(map(_index_part, params.get('form', ())))}]"
    if name == "permute":
        dims, n = tuple(params["dims"]), len(params["dims"])
        if n >= 2 and dims == (*range(n - 2), n - 1, n - 2):
            return f"{operands[0]}{TRANSPOSED.get(n, '.mT')}"
    if name == "cast":
        return f"{params['dtype']}({operands[0]})"
    arguments = list(_arguments(name, params, shape))
    form = FORMS.get(name)
    if form is not None and form.count("{") and _needed(form) <= len(operands):
        written = form.format(*map(_inside(form), operands))
        return written if not arguments else f"{written[:-1]}, {', '.join(arguments)})" if _is_call(form) else written
    return f"{name}({', '.join([*_listed(operands), *arguments])})"


def _needed(form: str) -> int:
    return max(int(part[0]) for part in form.split("{")[1:]) + 1


def _inside(form: str) -> Callable[[str], str]:
    """Operands as they stand in a form: a negative number in brackets, unless they are alone or separated by commas."""
    plain = "(" in form and ", " in form or form == "{0}"
    return lambda text: f"({text})" if text.startswith("-") and not plain else text


def _is_call(form: str) -> bool:
    return form.endswith(")") and form.split("(")[0].isidentifier()


def _listed(operands: Sequence[str]) -> Sequence[str]:
    if len(operands) <= MOST_OPERANDS:
        return operands
    return [*operands[: MOST_OPERANDS - 2], MISSING, operands[-1]]


def _arguments(primitive: str, params: dict[str, Any], shape: Sequence[int]) -> Iterator[str]:
    """Keyword arguments in few words: ``dim 0``, ``keepdim``."""
    for name, value in params.items():
        if name == "axis":
            axes = value if isinstance(value, tuple) else (value,)
            if not isinstance(value, tuple) or len(axes) < len(shape):
                yield f"dim {', '.join(map(str, axes))}"
        elif name == "keepdims":
            if value:
                yield "keepdim"
        elif name not in ("shape", "sizes", "eps", "masked") and value is not None and len(str(value)) <= 20:
            yield f"{name} {value}"  # the shape of the output is shown with it


def _index_part(part: Any) -> str:
    if part is Ellipsis:
        return "..."
    if isinstance(part, slice):
        bounds = [part.start, part.stop] if part.step is None else [part.start, part.stop, part.step]
        return ":".join("" if bound is None else str(bound) for bound in bounds)
    return str(part)
