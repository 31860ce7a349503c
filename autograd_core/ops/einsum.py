"""Sums of products over named or numbered dimensions: einsum, and what is a case of it.

One primitive, :func:`numpy.einsum` with a plain ``inputs->output`` expression.  The gradient of an operand is another
einsum, of the output's gradient and the other operands: where ``out[ik] = sum_j a[ij] b[jk]``, the gradient of ``a`` is
``sum_k g[ik] b[jk]`` (Laue, Mitterreiter, Giesen, "Computing higher order derivatives of matrix and tensor
expressions", 2018).
"""

from __future__ import annotations

import functools
import math
import operator
import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from ..tensor import Tensor
from .arguments import aliases, axis_of, ndim, shape
from .arithmetic import mul
from .indexing import getitem
from .reduction import sum
from .shape import movedim

__all__ = ["einsum", "inner", "tensordot", "trace"]

LETTERS = string.ascii_letters


def _terms(subscripts: str) -> tuple[list[str], str]:
    inputs, output = subscripts.split("->")
    return inputs.split(","), output


def _samples(rng: np.random.Generator) -> list[Sample]:
    draw = rng.normal
    return [
        Sample(draw(size=(2, 3)), draw(size=(3, 4)), subscripts="ij,jk->ik"),
        Sample(draw(size=(5, 2, 3)), draw(size=(4, 5, 3)), subscripts="bij,kbj->ibk"),
        Sample(draw(size=(3, 3)), subscripts="ii->i"),
        Sample(draw(size=(3, 3)), subscripts="ii->"),
        Sample(draw(size=(2, 2, 3, 2)), subscripts="iiji->ji"),
        Sample(draw(size=(2, 3)), subscripts="ij->j"),
        Sample(draw(size=(2, 3)), draw(size=(4, 3)), subscripts="ij,kj->i"),
        Sample(draw(size=(2, 3)), draw(size=(2, 1)), subscripts="ij,ij->i"),
        Sample(draw(size=(1, 3)), draw(size=(2, 3)), subscripts="ij,ij->i"),
        Sample(draw(size=2), draw(size=3), subscripts="i,j->ji"),
        Sample(draw(size=(2, 2, 3)), draw(size=3), subscripts="iij,j->i"),
        Sample(draw(size=(2, 2, 3)), draw(size=(2, 3, 4)), subscripts="iij,ijk->"),
        Sample(draw(size=(2, 2)), draw(size=(2, 3)), draw(size=3), subscripts="ii,ij,j->i"),
        Sample(draw(size=()), draw(size=3), subscripts=",i->i"),
        Sample(draw(size=(2, 0)), draw(size=(0, 3)), subscripts="ij,jk->ik"),
    ]


@primitive(reference=lambda *x, subscripts: np.einsum(subscripts, *x), broadcasts=True, samples=_samples)
def _einsum(*operands: Any, subscripts: str) -> Any:
    if len(operands) == 2:
        (left, right), output = _terms(subscripts)
        inner = "".join(dict.fromkeys(c for c in left if c in right and c not in output))
        if inner and all(operands[0].shape[left.index(c)] == operands[1].shape[right.index(c)] for c in inner):
            return _as_matmul(*operands, left, right, output, inner)
    try:
        out = np.einsum(subscripts, *operands, optimize=len(operands) > 2)
    except ValueError as error:
        raise ValueError(f"a dimension of {subscripts!r} has two sizes") from error
    return np.array(out) if len(operands) == 1 else out  # of one operand it may be a view


def _rearranged(x: Any, labels: str, wanted: str) -> Any:
    """Transposed, diagonals taken, and the dimensions summed that are not wanted."""
    return x if labels == wanted else np.einsum(f"{labels}->{wanted}", x)


def _as_matmul(a: Any, b: Any, left: str, right: str, output: str, inner: str) -> Any:
    """Two operands that share summed dimensions, as one batched matrix product: many times faster than a loop."""
    batch = "".join([c for c in output if c in left and c in right])
    rows = "".join([c for c in output if c in left and c not in right])
    columns = "".join([c for c in output if c in right and c not in left])
    a = _rearranged(a, left, batch + rows + inner)
    b = _rearranged(b, right, batch + inner + columns)
    n, i, j = len(batch), len(batch + rows), len(batch + inner)
    summed = math.prod(a.shape[i:])
    left_matrix = a.reshape((*a.shape[:n], math.prod(a.shape[n:i]), summed))
    out = left_matrix @ b.reshape((*b.shape[:n], summed, math.prod(b.shape[j:])))
    out = out.reshape((*out.shape[:n], *a.shape[n:i], *b.shape[j:]))
    return _rearranged(out, batch + rows + columns, output)


def _einsum_vjp(g: Any, operands: Any, i: int, subscripts: str) -> Any:
    """The gradient of operand `i`, as an einsum of the output's gradient and the other operands.

    A dimension that nothing else knows was summed alone: the gradient is repeated along it, by a factor of ones.  A
    label repeated within the operand took a diagonal: the gradient is put back there, by an identity matrix.
    """
    inputs, output = _terms(subscripts)
    terms, values = [output, *inputs[:i], *inputs[i + 1 :]], [g, *operands[:i], *operands[i + 1 :]]
    known = {(c, n) for term, value in zip(terms, values, strict=True) for c, n in zip(term, value.shape, strict=True)}
    free = iter([c for c in LETTERS if c not in subscripts])
    result = ""
    for c, n in zip(inputs[i], operands[i].shape, strict=True):
        if c in result:
            twin = next(free)
            terms.append(c + twin)
            values.append(np.eye(n, dtype=g.dtype))
            result += twin
            continue
        if (c, n) not in known:
            terms.append(c)
            values.append(np.ones(n, dtype=g.dtype))
        result += c
    return _einsum(*values, subscripts=f"{','.join(terms)}->{result}")


_einsum.defvjp(variadic=_einsum_vjp)


@functools.lru_cache(maxsize=1024)
def _plain(equation: str, ranks: tuple[int, ...]) -> str:
    """The expression with its output written out, and letters in place of each ellipsis."""

    def fault(what: str) -> ValueError:
        return ValueError(f"einsum: {what} in {equation!r}; write it as in 'bij,jk->bik', ... for other dimensions")

    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ranks):
        raise fault(f"got {len(ranks)} operands for {len(terms)} terms")
    widths = []
    for i, (term, rank) in enumerate(zip(terms, ranks, strict=True)):
        letters = term.replace("...", "", 1)
        if strange := set(letters) - set(LETTERS):
            raise fault(f"unexpected {''.join(sorted(strange))!r}")
        widths.append(rank - len(letters))
        if widths[-1] < 0 or (widths[-1] and "..." not in term):
            raise fault(f"operand {i} has {rank} dimensions, not the {len(letters)} of {term!r}")
    rest = [c for c in LETTERS if c not in equation]
    others = "".join(rest[: max(widths)])
    terms = [t.replace("...", others[len(others) - w :]) for t, w in zip(terms, widths, strict=True)]
    if not arrow:
        every = "".join(terms)
        output = others + "".join(sorted(c for c in set(every) if every.count(c) == 1 and c not in others))
    output = output.replace("...", others, 1)
    if unknown := set(output) - set("".join(terms)):
        raise fault(f"the output has {''.join(sorted(unknown))!r}, which no operand has")
    if len(set(output)) < len(output):
        raise fault("the output names a dimension twice")
    return f"{','.join(terms)}->{output}"


def _spelled(labels: Any) -> str:
    """A term of the sublist form, ``[0, ..., 1]``, in letters."""
    return "".join("..." if n is Ellipsis else LETTERS[operator.index(n)] for n in labels)


def einsum(equation: Any, *operands: Any) -> Any:
    """Sum of products over named dimensions: ``einsum("ij,jk->ik", a, b)`` is the matrix product.

    Each term names the dimensions of an operand by letters.  Dimensions with the same letter are multiplied together
    (sizes equal, or 1), and those that the output does not name are summed.  Without ``->`` the output has the letters
    that occur once, in alphabetical order.  A letter repeated in one term takes the diagonal; ``...`` stands for all
    other dimensions, which broadcast.  ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` numbers the dimensions instead.

    Raises
    ------
    ValueError
        If the expression does not fit the operands.

    >>> import autograd_core as ag
    >>> a = ag.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> ag.einsum("ii", a)
    tensor(5.)
    >>> ag.einsum("ij,j->i", a, ag.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    if not isinstance(equation, str):
        arguments = (equation, *operands)
        pairs = len(arguments) // 2
        terms = ",".join(_spelled(labels) for labels in arguments[1 : 2 * pairs : 2])
        output = "->" + _spelled(arguments[-1]) if len(arguments) % 2 else ""
        return einsum(terms + output, *arguments[: 2 * pairs : 2])
    first = operands[0] if len(operands) == 1 else None
    if isinstance(first, Sequence) and any(isinstance(x, (Tensor, np.ndarray)) for x in first):
        operands = tuple(first)
    return _einsum(*operands, subscripts=_plain(equation, tuple(map(ndim, operands))))


@implements(np.einsum)
def _numpy_einsum(*operands: Any, optimize: Any = False) -> Any:
    return einsum(*operands)


def _contracted_pair(operation: str, a: Any, b: Any, left: Sequence[int], right: Sequence[int]) -> Any:
    """The sum of products over the dimensions `left` of `a` and `right` of `b`, taken in pairs."""
    left = [axis_of(operation, d, ndim(a)) for d in left]
    right = [axis_of(operation, d, ndim(b)) for d in right]
    sizes = [(shape(a)[i], shape(b)[j]) for i, j in zip(left, right, strict=True)]
    if any(m != n and 1 not in (m, n) for m, n in sizes):
        raise ValueError(
            f"{operation}: dimensions {left} of shape {shape(a)} and {right} of shape {shape(b)} differ in size"
        )
    first = LETTERS[: ndim(a)]
    second = list(LETTERS[ndim(a) : ndim(a) + ndim(b)])
    for i, j in zip(left, right, strict=True):
        second[j] = first[i]
    summed = {first[i] for i in left}
    output = "".join(c for c in [*first, *second] if c not in summed)
    return _einsum(a, b, subscripts=f"{first},{''.join(second)}->{output}")


@implements(np.tensordot, np.linalg.tensordot)
@aliases(axes="dims")
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """The sum of products over several dimensions; what is left of `a` comes before what is left of `b`.

    Parameters
    ----------
    dims : int or a pair of sequences (or of ints)
        A number n: the last n of `a` with the first n of `b`, in order.  A pair: these of `a` with these of `b`.

    >>> import autograd_core as ag
    >>> ag.tensordot(ag.ones(2, 3, 4), ag.ones(4, 3), dims=([1, 2], [1, 0]))
    tensor([12., 12.])
    """
    if hasattr(dims, "tolist"):
        dims = dims.tolist()
    if isinstance(dims, Sequence):
        left, right = ([d] if isinstance(d, int) else list(d) for d in dims)
        if len(left) != len(right):
            raise ValueError(f"tensordot: dims pairs {len(left)} dimensions with {len(right)}; give equally many")
    else:
        n = operator.index(dims)
        if not 0 <= n <= min(ndim(a), ndim(b)):
            raise ValueError(f"tensordot: dims={n} does not fit shapes {shape(a)} and {shape(b)}")
        left, right = list(range(ndim(a) - n, ndim(a))), list(range(n))
    return _contracted_pair("tensordot", a, b, left, right)


@implements(np.inner)
def inner(input: Any, other: Any) -> Any:
    """The sum of products over the last dimension of both; with a scalar, the product.

    >>> import autograd_core as ag
    >>> ag.inner(ag.tensor([1.0, 2.0]), ag.tensor([[3.0, 4.0], [5.0, 6.0]]))
    tensor([11., 17.])
    """
    if ndim(input) == 0 or ndim(other) == 0:
        return mul(input, other)
    return _contracted_pair("inner", input, other, [-1], [-1])


@implements(np.linalg.vecdot, np.vecdot)
@aliases(axis="dim")
def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """The inner products of vectors along `dim`; the other dimensions broadcast.

    >>> import autograd_core as ag
    >>> ag.linalg.vecdot(ag.tensor([[1.0, 2.0], [3.0, 4.0]]), ag.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    return sum(mul(x, y), dim)


@implements(np.dot)
def _numpy_dot(a: Any, b: Any) -> Any:
    if ndim(a) == 0 or ndim(b) == 0:
        return mul(a, b)
    return _contracted_pair("dot", a, b, [-1], [-2 if ndim(b) > 1 else -1])


def _trace(input: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    last = movedim(input, (axis1, axis2), (-2, -1))
    rows, columns = shape(last)[-2:]
    i = np.arange(max(-offset, 0), max(min(rows, columns - offset), max(-offset, 0)))
    return sum(getitem(last, (..., i, i + offset)), -1)


def trace(input: Any) -> Any:
    """The sum of a matrix's diagonal.

    >>> import autograd_core as ag
    >>> ag.trace(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if ndim(input) != 2:
        raise ValueError(f"trace: expected a matrix, got shape {shape(input)}; use einsum('...ii->...', input)")
    return _trace(input)


@implements(np.trace)
def _numpy_trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    return _trace(a, offset, axis1, axis2)


@implements(np.linalg.trace)
def _linalg_trace(x: Any, offset: int = 0) -> Any:
    return _trace(x, offset, -2, -1)
