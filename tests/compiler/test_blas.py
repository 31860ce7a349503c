"""Finding a BLAS, and calling it in each of its conventions."""

from __future__ import annotations

import ctypes
import importlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from autograd_core.compiler import blas as module
from autograd_core.compiler.blas import CBLAS, CBLAS_32, FORTRAN, Blas, blas

pytest.importorskip("numba")

from native import run

from autograd_core.kernels import jit

gemm = jit.gemm


@jit.kernel
def product(f, how, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    gemm(f, how, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)


@pytest.fixture
def fresh() -> Iterator[None]:
    blas.cache_clear()
    yield
    blas.cache_clear()


def scipys() -> Blas:
    scipy = pytest.importorskip("scipy")
    folder = Path(scipy.__file__).parent.parent / "scipy.libs"
    for path in folder.glob("libscipy_openblas*"):
        found = module.from_library(ctypes.CDLL(str(path)))
        if found is not None:
            return found
    pytest.skip("this SciPy brings no OpenBLAS")


def cython() -> Blas:
    pytest.importorskip("scipy")
    found = module.from_scipy()
    assert found is not None
    return found


FOUND = {CBLAS: blas, CBLAS_32: scipys, FORTRAN: cython}


@pytest.mark.parametrize("convention", FOUND)
def test_products_in_every_convention(convention: int) -> None:
    found = FOUND[convention]()
    if found.convention != convention:
        pytest.skip(f"NumPy here has {found.name}")
    assert module.is_right(found)
    rng = np.random.default_rng(convention)
    for dtype, ta, tb in itertools.product((np.float32, np.float64), (0, 1), (0, 1)):
        m, n, k = 3, 4, 5
        a = rng.normal(size=(k, m) if ta else (m, k)).astype(dtype)
        b = rng.normal(size=(n, k) if tb else (k, n)).astype(dtype)
        c = rng.normal(size=(m, n)).astype(dtype)
        expected = 2 * (a.T if ta else a) @ (b.T if tb else b) - c
        alpha, beta = (np.float32(2), np.float32(-1)) if dtype == np.float32 else (2.0, -1.0)
        f = found.sgemm if dtype == np.float32 else found.dgemm
        run(product, f, convention, ta, tb, m, n, k, alpha, a, a.shape[1], b, b.shape[1], beta, c, n)
        np.testing.assert_allclose(c, expected, rtol=1e-5, atol=1e-5 if dtype == np.float32 else 1e-13)


def test_found_once() -> None:
    assert blas() is blas()


def test_a_wrong_product_is_not_taken() -> None:
    found = blas()
    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 14)
    idle = prototype(lambda *_: None)
    address = ctypes.cast(idle, ctypes.c_void_p).value
    assert address is not None
    assert module.is_right(found)
    assert not module.is_right(found._replace(sgemm=address))


@pytest.mark.usefixtures("fresh")
def test_scipys_is_taken_where_numpys_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("scipy")
    monkeypatch.setattr(module, "from_library", lambda library: None)
    assert blas().convention == FORTRAN


@pytest.mark.usefixtures("fresh")
def test_none_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "from_library", lambda library: None)
    monkeypatch.setattr(module, "from_scipy", lambda: None)
    with pytest.raises(RuntimeError, match="pip install scipy"):
        blas()


def test_a_library_without_products_has_none() -> None:
    other = ctypes.CDLL(importlib.import_module("_ctypes").__file__)
    assert module.from_library(other) is None


def test_64_bit_sizes_suit_both_kinds_of_cblas() -> None:
    """What `cblas_sgemm` is called with, whose sizes may have 32 bits."""
    found = scipys()
    assert module.is_right(found._replace(convention=CBLAS))
