"""Products of matrices."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..primitive import Sample, implements, primitive
from .arguments import aliases, axis_of, ndim, shape
from .arithmetic import mul
from .diagonal import diagonal
from .indexing import index_select
from .least_squares import pinverse
from .norms import cdist
from .powers import matrix_exp, matrix_power
from .reduction import sum
from .shape import unsqueeze
from .solving import cholesky_inverse, cholesky_solve, det, inverse, logdet, slogdet

__all__ = [
    "addbmm",
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
    "bmm",
    "cdist",
    "chain_matmul",
    "cholesky_inverse",
    "cholesky_solve",
    "cross",
    "det",
    "dot",
    "ger",
    "inverse",
    "logdet",
    "matmul",
    "matrix_exp",
    "matrix_power",
    "mm",
    "mv",
    "outer",
    "pinverse",
    "slogdet",
    "vdot",
]


def _rows(x: Any) -> Any:
    """All dimensions but the last merged into one."""
    return x if x.ndim == 2 else x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


def _products(rng: np.random.Generator) -> list[Sample]:
    draw = rng.normal
    return [
        Sample(draw(size=(2, 3)), draw(size=(3, 4))),
        Sample(draw(size=3), draw(size=3)),
        Sample(draw(size=(2, 3)), draw(size=3)),
        Sample(draw(size=3), draw(size=(3, 2))),
        Sample(draw(size=(4, 2, 3)), draw(size=3)),
        Sample(draw(size=3), draw(size=(4, 3, 2))),
        Sample(draw(size=(5, 2, 3)), draw(size=(3, 2))),
        Sample(draw(size=(2, 3)), draw(size=(5, 3, 2))),
        Sample(draw(size=(5, 2, 3)), draw(size=(5, 3, 1))),
        Sample(draw(size=(5, 1, 2, 3)), draw(size=(4, 3, 2))),
        Sample(draw(size=(2, 0)), draw(size=(0, 3))),
        Sample(draw(size=(0, 2)), draw(size=(2, 3))),
        Sample(draw(size=(0, 4, 2)), draw(size=(2, 3))),
    ]


@primitive(
    reference=lambda a, b: np.einsum(f"...{'ij' if a.ndim > 1 else 'j'},...{'jk' if b.ndim > 1 else 'j'}", a, b),
    broadcasts=True,
    samples=_products,
)
def _matmul(input: Any, other: Any) -> Any:
    if input.ndim > 2 == other.ndim:
        # One large product rather than a batch of small ones.
        return (_rows(input) @ other).reshape((*input.shape[:-1], other.shape[-1]))
    return input @ other


def _matmul_left(g: Any, input_shape: Any, other: Any) -> Any:
    if other.ndim == 1:
        return g[..., None] * other
    if len(input_shape) == 1:
        return (other @ g[..., None])[..., 0]
    if g.ndim > 2 == other.ndim:
        return np.reshape(_rows(g) @ other.mT, input_shape)
    return g @ other.mT


def _matmul_right(g: Any, input: Any, other_shape: Any) -> Any:
    if len(other_shape) == 1:
        return g[..., None] * input if input.ndim == 1 else (input.mT @ g[..., None])[..., 0]
    if input.ndim == 1:
        return input[:, None] * g[..., None, :]
    if g.ndim > 2 == len(other_shape):
        return _rows(input).mT @ _rows(g)
    return input.mT @ g


_matmul.defvjp(_matmul_left, _matmul_right)


@primitive(
    reference=lambda x, w, b: np.einsum("...i,oi->...o", x, w) + b,
    broadcasts=True,
    samples=lambda rng: [
        Sample(rng.normal(size=(5, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)),
        Sample(rng.normal(size=(2, 4, 3)), rng.normal(size=(5, 3)), rng.normal(size=5)),
        Sample(rng.normal(size=3), rng.normal(size=(2, 3)), rng.normal(size=2)),
        Sample(rng.normal(size=(0, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)),
        Sample(rng.normal(size=(4, 0)), rng.normal(size=(2, 0)), rng.normal(size=2)),
    ],
)
def _linear(input: Any, weight: Any, bias: Any) -> Any:
    """``input @ weight.T + bias``: the most frequent of all compositions, in one product and one array."""
    out = _rows(input) @ weight.T
    out = np.add(out, bias, out=out if out.dtype == bias.dtype else None)
    return out.reshape((*input.shape[:-1], len(weight)))


_linear.defvjp(
    lambda g, input_shape, weight: (_rows(g) @ weight).reshape(input_shape),
    lambda g, input: _rows(g).mT @ _rows(input),
    lambda g: g,
)


@implements(np.matmul, np.linalg.matmul)
def matmul(input: Any, other: Any) -> Any:
    """The matrix product, of vectors, matrices, or batches of matrices that broadcast.

    ``(..., n, k) @ (..., k, m)`` gives ``(..., n, m)``; a vector stands for a row on the left and a column on the
    right, and that dimension is gone from the result.

    Raises
    ------
    ValueError
        If an operand is 0-d, or the inner sizes differ.

    >>> import autograd_core as ag
    >>> ag.tensor([[1.0, 2.0], [3.0, 4.0]]) @ ag.tensor([1.0, 1.0])
    tensor([3., 7.])
    """
    left, right = shape(input), shape(other)
    if not left or not right or left[-1] != right[-2 if len(right) > 1 else 0]:
        raise ValueError(
            f"matmul: expected (..., n, k) @ (..., k, m), or vectors of size k, got {left} and {right}; "
            f"transpose one operand with .mT, or multiply elementwise with *"
        )
    return _matmul(input, other)


FORMS = {
    "k,k": "two vectors",
    "nk,k": "a matrix and a vector",
    "nk,km": "a matrix and a matrix",
    "bnk,bkm": "two batches of matrices",
}


def _ranked(operation: str, left: Any, right: Any, form: str) -> Any:
    """The product of operands that must have one of these forms, without broadcasting."""
    sizes: dict[str, int] = {}
    given = [*shape(left), *shape(right)]
    names = [*map(len, form.split(","))]
    fits = [ndim(left), ndim(right)] == names
    if not fits or any(sizes.setdefault(c, n) != n for c, n in zip(form.replace(",", ""), given, strict=True)):
        expected = " and ".join(f"({', '.join(term)})" for term in form.split(","))
        raise ValueError(
            f"{operation}: expected {FORMS[form]} of shapes {expected}, got {shape(left)} and {shape(right)}; "
            f"transpose one, or use matmul, which broadcasts"
        )
    return _matmul(left, right)


def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices, without broadcasting.

    >>> import autograd_core as ag
    >>> ag.mm(ag.ones(2, 3), ag.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    return _ranked("mm", input, mat2, "nk,km")


def bmm(input: Any, mat2: Any) -> Any:
    """The products of two batches of matrices, ``(b, n, k)`` and ``(b, k, m)``, without broadcasting.

    >>> import autograd_core as ag
    >>> ag.bmm(ag.ones(5, 2, 3), ag.ones(5, 3, 4)).shape
    (5, 2, 4)
    """
    return _ranked("bmm", input, mat2, "bnk,bkm")


def mv(input: Any, vec: Any) -> Any:
    """The product of a matrix and a vector.

    >>> import autograd_core as ag
    >>> ag.mv(ag.ones(2, 3), ag.ones(3))
    tensor([3., 3.])
    """
    return _ranked("mv", input, vec, "nk,k")


def dot(input: Any, other: Any) -> Any:
    """The inner product of two vectors.

    >>> import autograd_core as ag
    >>> ag.dot(ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return _ranked("dot", input, other, "k,k")


def vdot(input: Any, other: Any) -> Any:
    """As :func:`dot`, for real vectors.

    >>> import autograd_core as ag
    >>> ag.vdot(ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return dot(input, other)


@implements(np.vdot)
def _numpy_vdot(a: Any, b: Any) -> Any:
    return dot(np.ravel(a), np.ravel(b))


def outer(input: Any, vec2: Any) -> Any:
    """All products of an element of one vector and an element of another, as a matrix.

    >>> import autograd_core as ag
    >>> ag.outer(ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    if ndim(input) != 1 or ndim(vec2) != 1:
        raise ValueError(f"outer: expected two vectors, got shapes {shape(input)} and {shape(vec2)}; flatten them")
    return mul(unsqueeze(input, 1), vec2)


def ger(input: Any, vec2: Any) -> Any:
    """BLAS's name for :func:`outer`."""
    return outer(input, vec2)


@implements(np.outer, np.linalg.outer)
def _numpy_outer(a: Any, b: Any) -> Any:
    return outer(np.ravel(a), np.ravel(b))


def _broadcast(operation: str, a: Any, b: Any) -> tuple[int, ...]:
    """The shape that two operands are broadcast to."""
    try:
        return np.broadcast_shapes(shape(a), shape(b))
    except ValueError as error:
        raise ValueError(f"{operation}: shapes {shape(a)} and {shape(b)} do not broadcast") from error


def _added(operation: str, input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """``beta * input + alpha * product``, in the product's shape; with beta 0 the input is not looked at."""
    if _broadcast(operation, input, product) != shape(product):
        raise ValueError(
            f"{operation}: input of shape {shape(input)} cannot be broadcast to the product's {shape(product)}"
        )
    if alpha != 1:
        product = alpha * product
    if beta == 0:
        return product
    return (input if beta == 1 else beta * input) + product


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat1 @ mat2)``, for matrices; `input` is broadcast, and ignored if beta is 0.

    >>> import autograd_core as ag
    >>> ag.addmm(ag.ones(2), ag.ones(2, 3), ag.ones(3, 2), alpha=2)
    tensor([[7., 7.],
            [7., 7.]])
    """
    return _added("addmm", input, _ranked("addmm", mat1, mat2, "nk,km"), beta, alpha)


def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat @ vec)``, for a matrix and a vector; see :func:`addmm`.

    >>> import autograd_core as ag
    >>> ag.addmv(ag.ones(2), ag.ones(2, 3), ag.ones(3))
    tensor([4., 4.])
    """
    return _added("addmv", input, _ranked("addmv", mat, vec, "nk,k"), beta, alpha)


def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * outer(vec1, vec2)``; see :func:`addmm`.

    >>> import autograd_core as ag
    >>> ag.addr(ag.zeros(2, 2), ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    return _added("addr", input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * bmm(batch1, batch2)``; see :func:`addmm`.

    >>> import autograd_core as ag
    >>> ag.baddbmm(ag.zeros(1), ag.ones(5, 2, 3), ag.ones(5, 3, 4)).shape
    (5, 2, 4)
    """
    return _added("baddbmm", input, _ranked("baddbmm", batch1, batch2, "bnk,bkm"), beta, alpha)


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * sum(bmm(batch1, batch2), 0)``; see :func:`addmm`.

    >>> import autograd_core as ag
    >>> ag.addbmm(ag.zeros(2, 4), ag.ones(5, 2, 3), ag.ones(5, 3, 4))
    tensor([[15., 15., 15., 15.],
            [15., 15., 15., 15.]])
    """
    return _added("addbmm", input, sum(_ranked("addbmm", batch1, batch2, "bnk,bkm"), 0), beta, alpha)


def _chain_costs(sizes: list[int]) -> Any:
    """Where to split each run of a product of matrices of sizes ``sizes[i] x sizes[i+1]``, for the fewest products.

    The textbook recurrence: Cormen, Leiserson, Rivest, Stein, "Introduction to Algorithms", section 15.2.
    """

    @functools.cache
    def best(first: int, last: int) -> tuple[int, int]:
        if first == last:
            return 0, first
        return min(
            (best(first, k)[0] + best(k + 1, last)[0] + sizes[first] * sizes[k + 1] * sizes[last + 1], k)
            for k in range(first, last)
        )

    return best


@implements(np.linalg.multi_dot)
def multi_dot(tensors: Any) -> Any:
    """The product of two or more matrices, in the order of evaluation that takes the fewest multiplications.

    The first may be a vector, which stands for a row, and the last, which stands for a column.

    >>> import autograd_core as ag
    >>> ag.linalg.multi_dot([ag.ones(2, 9), ag.ones(9, 3), ag.ones(3)])
    tensor([27., 27.])
    """
    tensors = list(tensors)
    ranks = [ndim(t) for t in tensors]
    if len(tensors) < 2 or any(n != 2 for n in ranks[1:-1]) or any(n not in (1, 2) for n in (ranks[0], ranks[-1])):
        raise ValueError(
            f"multi_dot: expected two or more matrices, the first and last possibly vectors, got shapes "
            f"{[shape(t) for t in tensors]}"
        )
    rows = 1 if ranks[0] == 1 else shape(tensors[0])[0]
    sizes = [rows, *(shape(t)[0] for t in tensors[1:]), 1 if ranks[-1] == 1 else shape(tensors[-1])[1]]
    best = _chain_costs(sizes)

    def product(first: int, last: int) -> Any:
        if first == last:
            return tensors[first]
        split = best(first, last)[1]
        return matmul(product(first, split), product(split + 1, last))

    return product(0, len(tensors) - 1)


def chain_matmul(*matrices: Any) -> Any:
    """The product of matrices in the cheapest order; ``linalg.multi_dot`` takes them as a list.

    >>> import autograd_core as ag
    >>> ag.chain_matmul(ag.ones(2, 9), ag.ones(9, 3), ag.ones(3, 1))
    tensor([[27.],
            [27.]])
    """
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices)


def _cross(operation: str, input: Any, other: Any, dim: int) -> Any:
    sizes = _broadcast(operation, input, other)
    axis = axis_of(operation, dim, len(sizes))
    if not sizes or any(shape(x)[axis - len(sizes)] != 3 for x in (input, other)):
        raise ValueError(f"{operation}: expected size 3 in dim {dim}, got shapes {shape(input)} and {shape(other)}")

    def turned(x: Any, order: list[int]) -> Any:
        return index_select(x, axis - len(sizes), np.array(order))

    return turned(input, [1, 2, 0]) * turned(other, [2, 0, 1]) - turned(input, [2, 0, 1]) * turned(other, [1, 2, 0])


def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """The cross product of vectors along `dim`, which has size 3; by default the first dimension that has.

    >>> import autograd_core as ag
    >>> ag.cross(ag.tensor([1.0, 0.0, 0.0]), ag.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    if dim is None:
        sizes = _broadcast("cross", input, other)
        if 3 not in sizes:
            raise ValueError(f"cross: expected a dimension of size 3, got shapes {shape(input)} and {shape(other)}")
        dim = sizes.index(3)
    return _cross("cross", input, other, dim)


@implements(np.linalg.cross)
@aliases(axis="dim")
def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The cross product of vectors along `dim`, which has size 3.

    >>> import autograd_core as ag
    >>> ag.linalg.cross(ag.tensor([1.0, 0.0, 0.0]), ag.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    return _cross("linalg.cross", input, other, dim)


@implements(np.cross)
def _numpy_cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    return np.moveaxis(linalg_cross(np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)), -1, axisc)


def linalg_diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:  # noqa: N803
    """The diagonals of matrices, as a new last dimension; see :func:`autograd_core.diagonal`.

    >>> import autograd_core as ag
    >>> ag.linalg.diagonal(ag.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    return diagonal(A, offset, dim1, dim2)


@implements(np.linalg.diagonal)
def _numpy_diagonal(x: Any, *, offset: int = 0) -> Any:
    return diagonal(x, offset, -2, -1)
