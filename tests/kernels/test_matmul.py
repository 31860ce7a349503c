"""Products of matrices against NumPy's in higher precision: by tiles, by loops and by BLAS."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from autograd_core.compiler.blas import blas
from autograd_core.compiler.loader import load
from autograd_core.kernels import jit
from autograd_core.kernels.matmul import LARGE, LONG, batched

FORMS = [(0, 0), (0, 1), (1, 0), (1, 1)]
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 40]
ROUNDINGS = 4
"""The error allowed of an element, in units of rounding of the product of the absolute values."""


class Product:
    """The kernel `batched` for one dtype, compiled once: a call fills in sizes and addresses."""

    def __init__(self, dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        kinds = "iiiiiiiirpiipiirpii"  # integers, reals, pointers
        texts = {"i": "table[{}]", "r": f"np.{dtype}(number(table[{{}}]))", "p": f"to_{dtype}(table[{{}}])"}
        arguments = ", ".join(texts[kind].format(i) for i, kind in enumerate(kinds))
        source = f"def main(table):\n    batched({arguments})\n    return 0\n"
        names = {f"to_{kind}": f for kind, f in jit.pointers().items()}
        self.entry = load(*jit.build(source, {**names, "batched": batched, "number": jit.number}, "main"))
        found = blas()
        self.first = [found.sgemm if dtype == "float32" else found.dgemm, found.convention]

    def call(self, *arguments: Any) -> None:
        """Call with the arguments of `batched` after the first two; arrays are given for their addresses."""
        table = np.zeros(19, np.int64)
        for i, x in enumerate([*self.first, *arguments]):
            real = isinstance(x, float)
            table[i] = x.ctypes.data if isinstance(x, np.ndarray) else np.float64(x).view(np.int64) if real else x
        self.entry(table.ctypes.data)

    def check(
        self, ta: int, tb: int, m: int, n: int, k: int, *, batch: int = 1, gap: int = 0, alpha: float = 1.0,
        beta: float = 0.0, seed: int = 0,
    ) -> None:  # fmt: skip
        """Compare products of random matrices, of `gap` unused elements between rows, with NumPy's in long double."""
        rng = np.random.default_rng(seed)

        def stored(rows: int, columns: int) -> tuple[Any, Any]:
            whole = rng.normal(size=(batch, rows, columns + gap)).astype(self.dtype)
            whole[..., columns:] = np.nan
            return whole, whole[..., :columns].astype(np.longdouble)

        a, x = stored(*((k, m) if ta else (m, k)))
        b, y = stored(*((n, k) if tb else (k, n)))
        c, z = stored(m, n)
        x, y = (x.mT if ta else x), (y.mT if tb else y)
        expected = alpha * (x @ y) + beta * z
        size = abs(alpha) * (abs(x) @ abs(y)) + abs(beta * z)
        if beta == 0:
            c[:] = np.nan
        strides = [one[0].size if batch else 0 for one in (a, b, c)]
        lda, ldb, ldc = (max(one.shape[-1], 1) for one in (a, b, c))
        self.call(ta, tb, batch, m, n, k, alpha, a, strides[0], lda, b, strides[1], ldb, beta, c, strides[2], ldc)
        bound = ROUNDINGS * np.finfo(self.dtype).eps * size
        assert np.all(abs(c[..., :n] - expected) <= bound), (ta, tb, m, n, k, gap, beta)
        assert np.all(np.isnan(c[..., n:])), "written beside the result"


PRODUCTS: dict[str, Product] = {}


@pytest.fixture(params=["float32", "float64"])
def product(request: pytest.FixtureRequest) -> Product:
    if request.param not in PRODUCTS:
        PRODUCTS[request.param] = Product(request.param)
    return PRODUCTS[request.param]


@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize(("ta", "tb"), FORMS)
def test_small_sizes(product: Product, ta: int, tb: int, gap: int) -> None:
    for m, n, k in itertools.product(SIZES, SIZES, SIZES):
        product.check(ta, tb, m, n, k, gap=gap)


@pytest.mark.parametrize("beta", [1.0, -0.5])
@pytest.mark.parametrize(("ta", "tb"), FORMS)
def test_accumulates(product: Product, ta: int, tb: int, beta: float) -> None:
    for m, n, k in itertools.product([0, 1, 3, 9], [0, 1, 5, 16, 21], [0, 1, 7, 8, 30]):
        product.check(ta, tb, m, n, k, beta=beta, alpha=1.5)
        product.check(ta, tb, m, n, k, beta=beta, gap=5)


@pytest.mark.parametrize(("ta", "tb"), FORMS)
@pytest.mark.parametrize(
    ("m", "n", "k"),
    [
        (5, 20, 256), (5, 20, 257), (6, 10, 700), (3, 7, 1000), (300, 10, 12), (2, 500, 9),  # deep, tall, wide
        (64, 64, 64), (64, 64, 65), (70, 100, 90), (1, 600, 700),  # on both sides of what is left to BLAS
        (1, LONG, LONG), (1, LONG + 1, 4), (1, 4, LONG + 1), (LONG + 1, 1, 4), (1, 1, 5000), (1, 1, LARGE + 1),
    ],
)  # fmt: skip
def test_other_sizes(product: Product, ta: int, tb: int, m: int, n: int, k: int) -> None:
    product.check(ta, tb, m, n, k)
    product.check(ta, tb, m, n, k, gap=2, beta=1.0)


@pytest.mark.parametrize(("ta", "tb"), FORMS)
def test_batches(product: Product, ta: int, tb: int) -> None:
    for batch in (0, 1, 2, 7):
        product.check(ta, tb, 5, 18, 9, batch=batch)
        product.check(ta, tb, 32, 16, 32, batch=batch, beta=1.0)
    product.check(ta, tb, 66, 70, 68, batch=2)


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_matrix_for_all_of_a_batch(product: Product, side: str) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 3, 6)).astype(product.dtype), rng.normal(size=(4, 6, 5)).astype(product.dtype)
    left, right = (a[:1], b) if side == "left" else (a, b[:1])
    c = np.empty((4, 3, 5), product.dtype)
    strides = (0, 30) if side == "left" else (18, 0)
    product.call(0, 0, 4, 3, 5, 6, 1.0, left, strides[0], 6, right, strides[1], 5, 0.0, c, 15, 5)
    np.testing.assert_allclose(c, left @ right, rtol=1e-5 if product.dtype == "float32" else 1e-13)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("m", "n", "k"), [(9, 21, 13), (1, 21, 13), (9, 1, 13), (4, 16, 300), (65, 66, 67)])
@pytest.mark.parametrize(("ta", "tb"), FORMS)
def test_nan_and_infinity_reach_what_they_should(
    product: Product, ta: int, tb: int, m: int, n: int, k: int, bad: float
) -> None:
    a, b = np.ones((k, m) if ta else (m, k), product.dtype), np.ones((n, k) if tb else (k, n), product.dtype)
    for place in ((0, 0), (m - 1, k - 1)):
        a[...] = 1
        (a.T if ta else a)[place] = bad
        c = np.zeros((m, n), product.dtype)
        product.call(ta, tb, 1, m, n, k, 1.0, a, 0, a.shape[1], b, 0, b.shape[1], 0.0, c, 0, n)
        expected = np.full((m, n), k, product.dtype)
        expected[place[0]] = bad
        np.testing.assert_array_equal(c, expected)


def test_zero_times_nan_is_nan(product: Product) -> None:
    a, b, c = np.zeros((4, 5), product.dtype), np.full((5, 18), np.nan, product.dtype), np.zeros((4, 18), product.dtype)
    product.call(0, 0, 1, 4, 18, 5, 1.0, a, 0, 5, b, 0, 18, 0.0, c, 0, 18)
    assert np.isnan(c).all()


def test_nothing_before_or_after_the_result_is_written(product: Product) -> None:
    for m, n in itertools.product([1, 2, 4, 5, 9], [1, 3, 10, 16, 26]):
        held = np.full(m * n + 64, 7, product.dtype)
        a, b = np.ones((m, 6), product.dtype), np.ones((6, n), product.dtype)
        product.call(0, 0, 1, m, n, 6, 1.0, a, 0, 6, b, 0, n, 0.0, held[32:], 0, n)
        np.testing.assert_array_equal(held[32 : 32 + m * n], 6)
        assert (held[:32] == 7).all()
        assert (held[32 + m * n :] == 7).all()
