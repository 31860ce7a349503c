"""The mathematical functions: their errors in units in the last place, against a wider float; and their extremes."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

pytest.importorskip("numba")

from native import run

from autograd_core.kernels import error_function, exponential, hyperbolic, powers, remainders, trigonometric
from autograd_core.kernels.jit import kernel

F32, F64, WIDE = np.float32, np.float64, np.longdouble

pytestmark = pytest.mark.skipif(np.finfo(WIDE).nmant < 63, reason="needs a wider float to compare float64 with")


def computed(function, *arrays):
    """What compiled code gives, element by element."""
    if len(arrays) == 1:

        @kernel
        def loop(x, out, n):
            for i in range(n):
                out[i] = function(x[i])
    else:

        @kernel
        def loop(x, y, out, n):
            for i in range(n):
                out[i] = function(x[i], y[i])

    out = np.empty_like(arrays[0])
    run(loop, *arrays, out, out.size)
    return out


def ulps(got, exact):
    """The errors in units in the last place of the result; 0 where both are infinite or NaN, inf where one is."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(got.dtype)
        error = np.abs(got.astype(WIDE) - exact.astype(WIDE)) / np.spacing(np.abs(rounded)).astype(WIDE)
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    error = np.where(same & ~np.isfinite(rounded), 0, error)
    return np.where(np.isnan(error), np.inf, error)


def bound(function, dtype):
    """What the docstring promises."""
    first, second = re.search(r"within ([\d.]+) ulp(?: \(float64: ([\d.]+)\))?", function.py_func.__doc__).groups()
    return float(first if second is None or dtype is F32 else second)


def points(dtype, low, high, count=20000):
    """Numbers between two, of all magnitudes, and the extremes."""
    rng = np.random.default_rng(3)
    info = np.finfo(dtype)
    exponents = rng.integers(info.minexp - info.nmant, info.maxexp, count)
    scattered = np.ldexp(rng.uniform(0.5, 1, count), exponents) * rng.choice([-1, 1], count)
    special = [
        0.0,
        1.0,
        0.5,
        2.0,
        np.inf,
        np.nan,
        info.max,
        info.tiny,
        info.smallest_subnormal,
        1 + info.eps,
        1 - info.epsneg,
    ]
    special = np.array(special, dtype)
    return np.concatenate([rng.uniform(low, high, count).astype(dtype), scattered.astype(dtype), special, -special])


def sigmoid(x):
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1) / (1 + small)


def libm(function):
    return lambda x: np.vectorize(function, otypes="d")(x.astype(F64))


BOTH = (F32, F64)
CURVES = [
    (exponential.exp, np.exp, BOTH, -90, 90),
    (exponential.exp2, np.exp2, BOTH, -130, 130),
    (exponential.expm1, np.expm1, BOTH, -3, 3),
    (exponential.log, np.log, BOTH, 0, 3),
    (exponential.log1p, np.log1p, BOTH, -1, 2),
    (exponential.log2, np.log2, [F64], 0, 3),
    (exponential.log10, np.log10, [F64], 0, 3),
    (hyperbolic.sigmoid, sigmoid, BOTH, -20, 20),
    (hyperbolic.tanh, np.tanh, BOTH, -10, 10),
    (hyperbolic.sinh, np.sinh, [F64], -9, 9),
    (hyperbolic.cosh, np.cosh, [F64], -9, 9),
    (hyperbolic.asinh, np.arcsinh, [F64], -5, 5),
    (hyperbolic.acosh, np.arccosh, [F64], 1, 5),
    (hyperbolic.atanh, np.arctanh, [F64], -1, 1),
    (trigonometric.sin, np.sin, [F64], -20, 20),
    (trigonometric.sin32, np.sin, [F32], -20, 20),
    (trigonometric.cos, np.cos, [F64], -20, 20),
    (trigonometric.cos32, np.cos, [F32], -20, 20),
    (trigonometric.tan, np.tan, [F64], -20, 20),
    (trigonometric.asin, np.arcsin, [F64], -1, 1),
    (trigonometric.acos, np.arccos, [F64], -1, 1),
    (trigonometric.atan, np.arctan, [F64], -5, 5),
    (error_function.erf32, libm(math.erf), [F32], -4, 4),
]


@pytest.mark.parametrize(
    ("function", "reference", "dtype", "low", "high"),
    [
        pytest.param(f, reference, dtype, low, high, id=f"{f.py_func.__name__}-{dtype.__name__}")
        for f, reference, dtypes, low, high in CURVES
        for dtype in dtypes
    ],
)
def test_accurate_to_its_bound(function, reference, dtype, low, high):
    x = points(dtype, low, high)
    with np.errstate(all="ignore"):
        exact = reference(x.astype(F64 if dtype is F32 else WIDE))
    got = computed(function, x)
    errors = ulps(got, exact)
    worst = errors.argmax()
    assert errors[worst] <= bound(function, dtype), f"{errors[worst]} ulp at {x[worst]!r}: {got[worst]!r}"
    np.testing.assert_array_equal(np.signbit(got[exact == 0]), np.signbit(exact[exact == 0]))


@pytest.mark.parametrize(("function", "reference"), [(error_function.erf, math.erf), (error_function.erfc, math.erfc)])
def test_error_functions_in_float64(function, reference):
    x = np.concatenate([points(F64, -6, 6), np.linspace(5, 28, 4001)])
    errors = ulps(computed(function, x), libm(reference)(x))
    assert errors.max() <= bound(function, F64) + 3  # the C library's erfc is itself wrong by up to 2.8 ulp


def test_complementary_error_function_in_float32():
    x = np.concatenate([points(F32, -6, 11), np.linspace(-4, 10, 40001, dtype=F32)])
    x = x[~(x > 9)]  # beyond, the result has fewer digits than others
    errors = ulps(computed(error_function.erfc, x), libm(math.erfc)(x.astype(F64)))
    assert errors.max() <= bound(error_function.erfc, F32)


def grid(dtype, values):
    x, y = np.meshgrid(np.array(values, dtype), np.array(values, dtype))
    return x.ravel(), y.ravel()


EXTREMES = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, 3.0, -3.0, 1e300, -1e300, 5e-324, np.inf, -np.inf, np.nan]
PAIRS = [
    (powers.power, np.power, (0.0, 3.0), (-40.0, 40.0)),
    (powers.power, np.power, (0.999, 1.001), (-5e5, 5e5)),
    (powers.hypot, np.hypot, (-1.0, 1.0), (-1.0, 1.0)),
    (powers.logaddexp, np.logaddexp, (0.0, 30.0), (-5.0, 30.0)),
    (powers.logaddexp2, np.logaddexp2, (0.0, 30.0), (-5.0, 30.0)),
    (trigonometric.atan2, np.arctan2, (-1.0, 1.0), (-2.0, 2.0)),
]


@pytest.mark.parametrize(("function", "reference", "first", "second"), PAIRS)
def test_functions_of_two(function, reference, first, second):
    rng = np.random.default_rng(4)
    x, y = rng.uniform(*first, 20000), rng.uniform(*second, 20000)
    errors = ulps(computed(function, x, y), reference(x.astype(WIDE), y.astype(WIDE)))
    assert errors.max() <= bound(function, F64)


@pytest.mark.parametrize(
    ("function", "reference"),
    [
        (powers.power, np.power),
        (powers.hypot, np.hypot),
        (powers.logaddexp, np.logaddexp),
        (trigonometric.atan2, np.arctan2),
        (remainders.remainder, np.remainder),
        (remainders.floor_divide, np.floor_divide),
    ],
)
def test_extremes_of_two(function, reference):
    x, y = grid(F64, EXTREMES)
    with np.errstate(all="ignore"):
        expected = reference(x, y)
    got = computed(function, x, y)
    np.testing.assert_allclose(got, expected, rtol=1e-15)
    np.testing.assert_array_equal(np.signbit(got[expected == 0]), np.signbit(expected[expected == 0]))


@pytest.mark.parametrize("dtype", BOTH)
@pytest.mark.parametrize(
    ("function", "reference"), [(remainders.remainder, np.remainder), (remainders.floor_divide, np.floor_divide)]
)
def test_remainders_are_exact(function, reference, dtype):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 5000)).astype(dtype) * np.array([[30], [1]], dtype)
    x[:500] = np.round(x[:500]) * y[:500]
    np.testing.assert_array_equal(computed(function, x, y), reference(x, y))


def test_sines_near_multiples_of_pi():
    # The floats nearest to multiples of pi / 2 (Muller, "Elementary Functions", table 11.1; exact values from mpmath)
    x = np.array([math.ldexp(6381956970095103, 797), math.ldexp(16367173, 72), 22.0, 355.0])
    np.testing.assert_allclose(computed(trigonometric.cos, x)[0], -4.6871659242546276e-19, rtol=1e-15)
    np.testing.assert_allclose(computed(trigonometric.sin, x)[2:], [np.sin(22.0), np.sin(355.0)], rtol=1e-15)
    x32 = x[1:].astype(F32)
    np.testing.assert_allclose(computed(trigonometric.cos32, x32), np.cos(x32.astype(F64)), rtol=1e-6)


def test_powers_of_2_are_exact():
    x = np.ldexp(1.0, np.arange(-1074, 1024))
    np.testing.assert_array_equal(computed(exponential.log2, x), np.arange(-1074.0, 1024.0))
    np.testing.assert_array_equal(computed(exponential.exp2, np.arange(-1074.0, 1024.0)), x)


def test_integer_power_wraps():
    x, n = np.array([2, -3, 7, 0, 0, 10]), np.array([10, 3, 0, 0, 5, 30])
    np.testing.assert_array_equal(computed(powers.integer_power, x, n), x**n)
