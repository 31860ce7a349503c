"""Linear algebra, under the names of ``torch.linalg``.

>>> import autograd_core as ag
>>> a = ag.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
>>> ag.linalg.solve(a, ag.tensor([3.0, 4.0])).sum().backward()
>>> a.grad
tensor([[-0.4, -0.4],
        [-0.2, -0.2]])
"""

from .ops.decompositions import eigh, eigvalsh, svdvals
from .ops.decompositions import linalg_cholesky as cholesky
from .ops.decompositions import linalg_qr as qr
from .ops.decompositions import linalg_svd as svd
from .ops.einsum import vecdot
from .ops.least_squares import lstsq, matrix_rank, pinv
from .ops.linalg import linalg_cross as cross
from .ops.linalg import linalg_diagonal as diagonal
from .ops.linalg import matmul, multi_dot
from .ops.norms import cond, matrix_norm, norm, vector_norm
from .ops.powers import matrix_exp, matrix_power
from .ops.solving import det, inv, slogdet, solve, solve_triangular, tensorinv, tensorsolve

__all__ = [
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vecdot",
    "vector_norm",
]
