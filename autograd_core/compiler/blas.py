"""The matrix product of the BLAS library that NumPy itself uses in this process, as an address to call."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["CBLAS", "CBLAS_32", "FORTRAN", "Blas", "blas"]

CBLAS, CBLAS_32, FORTRAN = 0, 1, 2
"""Calling conventions: CBLAS with 64-bit sizes, CBLAS with 32-bit sizes, Fortran with 32-bit sizes."""


class Blas(NamedTuple):
    """A library: its calling convention, the addresses of its products, and the name of the first."""

    convention: int
    sgemm: int
    dgemm: int
    name: str


def _names() -> list[tuple[str, int]]:
    """CBLAS functions NumPy may be linked with, ``?`` for the letter of the dtype, and their conventions."""
    return [
        ("scipy_cblas_?gemm64_", CBLAS),  # OpenBLAS in the wheels of NumPy
        ("cblas_?gemm64_", CBLAS),  # OpenBLAS
        ("cblas_?gemm_64", CBLAS),  # the reference BLAS, MKL
        ("cblas_?gemm$NEWLAPACK$ILP64", CBLAS),  # Apple's Accelerate
        # By its name this one has 32-bit sizes, but libraries exist where it has 64-bit sizes.  Each argument has 64
        # bits of its own in a call, so that 64-bit sizes suit both; except on Apple's machines, which pack them.
        ("cblas_?gemm", CBLAS_32 if sys.platform == "darwin" else CBLAS),
        ("scipy_cblas_?gemm", CBLAS_32),  # OpenBLAS in the wheels of SciPy
    ]


def _numpys() -> Iterator[ctypes.CDLL]:
    """Libraries in which to look; a look into NumPy's own covers what it is linked with, except on Windows."""
    folder = Path(np.__file__).parent
    module = importlib.import_module("numpy._core._multiarray_umath")
    for path in [module.__file__, *sorted((folder.parent / "numpy.libs").glob("*openblas*.dll"))]:
        with contextlib.suppress(OSError):
            yield ctypes.CDLL(str(path))


def from_library(library: ctypes.CDLL) -> Blas | None:
    """The products in a library or in those it is linked with; None if it has none."""
    for name, convention in _names():
        with contextlib.suppress(AttributeError):
            s, d = (ctypes.cast(library[name.replace("?", letter)], ctypes.c_void_p).value for letter in "sd")
            if s and d:
                return Blas(convention, s, d, name.replace("?", "s"))
    return None


def from_scipy() -> Blas | None:
    """The products that SciPy offers to Cython; None if there is no SciPy."""
    try:
        offered = importlib.import_module("scipy.linalg.cython_blas").__pyx_capi__
    except ImportError:
        return None
    name_of = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", ctypes.pythonapi))
    pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    capsules = [offered["sgemm"], offered["dgemm"]]
    names = [name_of(capsule) for capsule in capsules]
    if any(not name.startswith(b"void (char *, char *, int *, int *, int *,") for name in names):
        return None
    s, d = (pointer_of(*pair) for pair in zip(capsules, names, strict=True))
    return Blas(FORTRAN, s, d, "scipy.linalg.cython_blas.sgemm")


def _caller(convention: int, address: int, real: Any) -> Callable[..., None]:
    """The function at an address, of the arguments of a product of row-major matrices that are not transposed."""
    size = ctypes.c_int64 if convention == CBLAS else ctypes.c_int32
    pointer, flag = ctypes.c_void_p, ctypes.c_int32
    if convention != FORTRAN:
        kind = [flag] * 3 + [size] * 3 + [real, pointer, size, pointer, size, real, pointer, size]
        function = ctypes.CFUNCTYPE(None, *kind)(address)
        return functools.partial(function, 101, 111, 111)
    function = ctypes.CFUNCTYPE(None, *[pointer] * 13)(address)

    def call(m: int, n: int, k: int, alpha: float, a: int, lda: int, b: int, ldb: int, *rest: Any) -> None:
        beta, c, ldc = rest
        held = [flag(x) for x in (n, m, k, ldb, lda, ldc)]
        n_, m_, k_, ldb_, lda_, ldc_ = map(ctypes.byref, held)
        one, zero = ctypes.byref(real(alpha)), ctypes.byref(real(beta))
        function(b"N", b"N", n_, m_, k_, one, b, ldb_, a, lda_, zero, c, ldc_)

    return call


def is_right(found: Blas) -> bool:
    """Whether a small product comes out right, and nothing beside it is written."""
    for address, real, dtype in ((found.sgemm, ctypes.c_float, np.float32), (found.dgemm, ctypes.c_double, np.float64)):
        a = np.arange(1, 7, dtype=dtype).reshape(2, 3)
        b = np.arange(3, 9, dtype=dtype).reshape(3, 2)
        held = np.full((4, 4), 7, dtype)
        expected = held.copy()
        expected[1:3, 1:3] = [[34, 40], [79, 94]]
        call = _caller(found.convention, address, real)
        call(2, 2, 3, 1.0, a.ctypes.data, 3, b.ctypes.data, 2, 0.0, held[1:, 1:].ctypes.data, 4)
        if not np.array_equal(held, expected):
            return False
    return True


def _candidates() -> Iterator[Blas | None]:
    yield from map(from_library, _numpys())
    yield from_scipy()


@functools.cache
def blas() -> Blas:
    """The BLAS of this process: NumPy's, or SciPy's where NumPy's cannot be reached.

    Raises
    ------
    RuntimeError
        If neither offers a matrix product that works.

    >>> from autograd_core.compiler.blas import blas
    >>> blas().convention in (0, 1, 2)
    True
    """
    for found in _candidates():
        if found is not None and is_right(found):
            return found
    raise RuntimeError(
        "compile: no BLAS found to call from compiled code, neither the one that NumPy uses nor SciPy's; "
        "install SciPy (pip install scipy), or NumPy from a wheel"
    )
