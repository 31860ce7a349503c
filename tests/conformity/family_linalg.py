"""Products and decompositions of matrices.

NAMES are PyTorch's.  DEPARTURES gives, for a name, pairs: a test of a sample (its ``input``, ``args``, ``kwargs``),
and the reason why we decided otherwise for such samples.  CALLS gives, for an entry (name, or name-variant) that calls
the function with other arguments, the same call of ours.
"""

import autograd_core as ag

NAMES: set[str] = {
    "__rmatmul__",
    "addbmm",
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
    "bmm",
    "cdist",
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
    "cross",
    "dot",
    "einsum",
    "inner",
    "linalg.cholesky",
    "linalg.cond",
    "linalg.cross",
    "linalg.det",
    "linalg.diagonal",
    "linalg.eigh",
    "linalg.eigvalsh",
    "linalg.inv",
    "linalg.lstsq",
    "linalg.matrix_norm",
    "linalg.matrix_power",
    "linalg.matrix_rank",
    "linalg.multi_dot",
    "linalg.norm",
    "linalg.pinv",
    "linalg.qr",
    "linalg.slogdet",
    "linalg.solve",
    "linalg.solve_triangular",
    "linalg.svd",
    "linalg.svdvals",
    "linalg.tensorinv",
    "linalg.tensorsolve",
    "linalg.vecdot",
    "linalg.vector_norm",
    "logdet",
    "matmul",
    "matrix_exp",
    "mm",
    "mv",
    "outer",
    "pinverse",
    "qr",
    "svd",
    "tensordot",
    "trace",
    "vdot",
}

CALLS = {
    "einsum": lambda operands, equation: ag.einsum(equation, operands),
    "linalg.lstsq-grad_oriented": lambda a, b, driver: ag.linalg.lstsq(a, b, driver=driver)[:2],
    "linalg.pinv-singular": lambda a, b: ag.linalg.pinv(a @ b.mT),
}


def filled(sample):
    return sample.input.numel() > 0


ONE_TRIANGLE = [
    (
        filled,
        "only one triangle is read, and our gradient is in it; PyTorch's has values where nothing was read "
        "(test_linalg.py compares the triangle)",
    )
]
SIGNS = [
    (
        filled,
        "the signs of the vectors are the BLAS library's choice (test_linalg.py compares what does not depend on them)",
    )
]

DEPARTURES: dict = {
    "cholesky_inverse": ONE_TRIANGLE,
    "cholesky_solve": ONE_TRIANGLE,
    "linalg.eigh": SIGNS,
    "linalg.eigvalsh": [
        (
            filled,
            "UPLO names the triangle that is read, and our gradient is in it; PyTorch's is symmetric as if both were "
            "(test_linalg.py compares the symmetric part)",
        )
    ],
    "linalg.norm": [
        (
            lambda s: s.args[:1] in (("nuc",), (2,), (-2,)) and s.input.shape == (5, 5) and not s.input.any(),
            "the gradient of a norm at 0 is 0, the smallest subgradient; PyTorch takes U V', scaled",
        )
    ],
    "linalg.pinv": [
        (
            lambda s: s.kwargs.get("hermitian") and filled(s),
            "a matrix declared symmetric is taken for its symmetric part, PyTorch reads one triangle "
            "(test_linalg.py compares symmetric matrices)",
        )
    ],
    "linalg.svd": SIGNS,
    "svd": SIGNS,
}
