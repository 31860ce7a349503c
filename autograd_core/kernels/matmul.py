# mypy: disable-error-code="no-untyped-def"
"""Products of matrices: by BLAS, and by tiles in registers where the matrices are small.

A BLAS packs its operands, chooses among variants and may wake threads, which pays for large matrices only.  The tiles
follow the inner kernel of K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (ACM TOMS
34, 2008), without packing what can be read as it is: small operands fit in a cache.
"""

from __future__ import annotations

from .jit import gemm, kernel, plus
from .tiles import DEPTH, ROWS, VECTORS, lanes, move, one, panel, shifted, tile, transpose, zero

__all__ = ["LARGE", "LONG", "batched", "matmul"]

LARGE = 64 * 64 * 64
"""Products with more multiplications are left to BLAS, which with more of them uses several threads."""

LONG = 128
"""Products of a vector and a matrix of more columns or rows are left to BLAS."""


@kernel
def rows_of_tiles(m, k, alpha, a, row, column, b, ldb, beta, c, ldc, width, room, edge):
    """The first `width` columns of `c`, at most as many as a tile has; see :func:`tile`.

    A tile may be stored whole as long as it ends within the first `room` elements of `c`; else only its columns are.
    """
    size = VECTORS * lanes(a)
    i = 0
    while i < m and (width == size or (i + ROWS - 1) * ldc + size <= room):
        tile(min(ROWS, m - i), k, alpha, shifted(a, i * row), row, column, b, ldb, beta, shifted(c, i * ldc), ldc)
        i += ROWS
    while i < m:
        height = min(ROWS, m - i)
        target = shifted(c, i * ldc)
        if beta != 0:
            for r in range(height):
                move(shifted(target, r * ldc), shifted(edge, r * size), width)
        tile(height, k, alpha, shifted(a, i * row), row, column, b, ldb, beta, edge, size)
        for r in range(height):
            move(shifted(edge, r * size), shifted(target, r * ldc), width)
        i += ROWS


@kernel
def matmul(f, convention, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    """``c = alpha * a @ b + beta * c`` of matrices of m x k and k x n, row-major; with `beta` 0, `c` is not read.

    Parameters
    ----------
    f, convention : address of a BLAS product, and how it is called (see `compiler.blas`)
    ta, tb : 1 if `a` (or `b`) is given transposed, else 0
    lda, ldb, ldc : elements from one row to the next, of what is given
    """
    if n == 1 and ldc == 1:
        # A column is a row: of the product of the transposes.
        a, lda, ta, m, b, ldb, tb, n = b, ldb, 1 - tb, n, a, lda, 1 - ta, m
    if k == 1 and ldb == 1 and tb != 0:
        tb, ldb = 0, n
    if m * n * k > LARGE or (m == 1 and tb == 0 and max(n, k) > LONG):
        gemm(f, convention, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, max(ldc, n))
        return
    row, column = lda, 1
    if ta != 0:
        row, column = 1, lda
    if m == 1 and tb != 0 and column == 1:
        for j in range(n):
            total = zero(a)
            for p in range(k):
                total = plus(total, a[p] * b[j * ldb + p])
            if beta == 0:
                c[j] = alpha * total
            else:
                c[j] = alpha * total + beta * c[j]
        return

    size = VECTORS * lanes(a)
    packed, edge = panel(a), panel(a)
    for panels in range((n + size - 1) // size, 0, -1):
        j = (panels - 1) * size
        width = min(size, n - j)
        start = 0
        keep = beta
        while True:
            depth = min(DEPTH, k - start)
            right, step = packed, size
            if tb != 0:
                for x in range(0, width, lanes(a)):
                    for p in range(0, depth, lanes(a)):
                        block, stride = shifted(b, (j + x) * ldb + start + p), ldb
                        if width - x < lanes(a) or depth - p < lanes(a):
                            # What is left of the block at the edge of the matrix.
                            for y in range(min(lanes(a), width - x)):
                                move(shifted(block, y * ldb), shifted(edge, y * lanes(a)), min(lanes(a), depth - p))
                            block, stride = edge, lanes(a)
                        transpose(block, stride, shifted(packed, p * size + x), size)
            elif width < size:
                for p in range(depth):
                    move(shifted(b, (start + p) * ldb + j), shifted(packed, p * size), width)
            else:
                right, step = shifted(b, start * ldb + j), ldb
            # What a tile that is too wide writes into the rows below is written once more: panels go from the last to
            # the first, and tiles from the top down.
            room = m * ldc - j if keep == 0 and ldc == n else 0
            left = shifted(a, start * column)
            rows_of_tiles(m, depth, alpha, left, row, column, right, step, keep, shifted(c, j), ldc, width, room, edge)
            start += depth
            keep = one(a)
            if start >= k:
                break


@kernel
def batched(f, convention, ta, tb, batch, m, n, k, alpha, a, stride_a, lda, b, stride_b, ldb, beta, c, stride_c, ldc):
    """`batch` products as :func:`matmul`, whose matrices are `stride_a`, ... elements apart; 0 is the same for all."""
    for i in range(batch):
        left, right, target = shifted(a, i * stride_a), shifted(b, i * stride_b), shifted(c, i * stride_c)
        matmul(f, convention, ta, tb, m, n, k, alpha, left, lda, right, ldb, beta, target, ldc)
