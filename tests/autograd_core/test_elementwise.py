"""Elementwise operations beyond their records: integers, NumPy's spellings, extremes, high orders, errors."""

import math
import sys

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import special

inf, nan = np.inf, np.nan


def leaf(data):
    return ag.tensor(np.array(data, dtype=np.float64), requires_grad=True)


# Integers, as PyTorch has them: the values and the dtype.

INTEGERS = {
    "add alpha": lambda lib, x, y: lib.add(x, y, alpha=3),
    "sub alpha": lambda lib, x, y: x.sub(y, alpha=2),
    "rsub": lambda lib, x, y: lib.rsub(x, 5),
    "div": lambda lib, x, y: lib.div(x, y),
    "div floor": lambda lib, x, y: lib.div(x, y, rounding_mode="floor"),
    "div trunc": lambda lib, x, y: x.div(y, rounding_mode="trunc"),
    "div trunc by a float": lambda lib, x, y: x.divide(2.5, rounding_mode="trunc"),
    "floor_divide": lambda lib, x, y: lib.floor_divide(x, y),
    "//": lambda lib, x, y: x // y,
    "reflected //": lambda lib, x, y: 7 // y,
    "%": lambda lib, x, y: x % y,
    "reflected %": lambda lib, x, y: 7 % y,
    "% by a float": lambda lib, x, y: x % 2.5,
    "fmod": lambda lib, x, y: lib.fmod(x, y),
    "<<": lambda lib, x, y: x << abs(y),
    ">>": lambda lib, x, y: x >> abs(y),
    "reflected <<": lambda lib, x, y: 1 << abs(y),
    "bitwise": lambda lib, x, y: lib.bitwise_or(x & y, ~x ^ y),
    "pow": lambda lib, x, y: lib.pow(x, abs(y)),
    "float_power": lambda lib, x, y: lib.float_power(x, y),
    "float_power of a number": lambda lib, x, y: lib.float_power(2, y),
    "square": lambda lib, x, y: lib.square(x),
    "reciprocal": lambda lib, x, y: lib.reciprocal(y),
    "sign": lambda lib, x, y: lib.sign(x) + lib.positive(y) + lib.negative(x) + lib.absolute(x),
    "floor and the like": lambda lib, x, y: lib.floor(x) + lib.ceil(y) + lib.trunc(x) + lib.round(y) + lib.fix(x),
    "frac": lambda lib, x, y: lib.frac(x.double()),
    "maximum": lambda lib, x, y: lib.maximum(x, y) - lib.fmin(x, y),
    "clamp": lambda lib, x, y: lib.clip(x, -3, 4),
    "masked_fill": lambda lib, x, y: x.masked_fill(y > 0, 9),
    "where": lambda lib, x, y: lib.where(x > y, x, 0.5),
    "nan_to_num": lambda lib, x, y: lib.nan_to_num(x),
    "atan2": lambda lib, x, y: lib.arctan2(x, y),
    "copysign": lambda lib, x, y: lib.copysign(x, y),
    "heaviside": lambda lib, x, y: lib.heaviside(x, y),
    "xlogy": lambda lib, x, y: lib.xlogy(x, abs(y)),
    "deg2rad": lambda lib, x, y: lib.deg2rad(x) + lib.rad2deg(y),
    "exp2": lambda lib, x, y: lib.exp2(x),
    "logarithms": lambda lib, x, y: lib.log2(abs(y)) + lib.log10(abs(y)) + lib.rsqrt(abs(y)),
    "sinc": lambda lib, x, y: lib.sinc(x),
    "erf": lambda lib, x, y: lib.erf(x) + lib.erfc(y),
    "lgamma": lambda lib, x, y: lib.lgamma(abs(y)) + lib.digamma(abs(y)) + lib.polygamma(2, abs(y)),
    "compare": lambda lib, x, y: lib.greater(x, y) | lib.less_equal(x, -y) ^ lib.not_equal(x, 2),
    "isclose": lambda lib, x, y: lib.isclose(x, y, 0, 3),
    "signbit": lambda lib, x, y: lib.signbit(x),
    "isposinf": lambda lib, x, y: lib.isposinf(x) | lib.isneginf(y),
}


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_as_in_pytorch(name):
    torch = pytest.importorskip("torch")
    x = np.array([[-7, 7, -6], [0, 5, 1]])
    y = np.array([2, -3, 4])
    out = INTEGERS[name](ag, ag.tensor(x), ag.tensor(y))
    expected = INTEGERS[name](torch, torch.tensor(x), torch.tensor(y))
    assert str(out.dtype) == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_allclose(out.numpy(), expected.numpy(), rtol=1e-6, atol=1e-6)


# Values at the extremes, as PyTorch has them.

POINTS = np.array([-inf, -2.5, -2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, 3.7, 1e30, inf, nan])
UNARY = """
abs neg positive square reciprocal sign exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sigmoid logit sin cos tan asin
acos atan sinh cosh tanh asinh acosh atanh sinc deg2rad rad2deg floor ceil trunc round frac nan_to_num erf erfc erfinv
digamma isnan isinf isposinf isneginf isfinite signbit
"""
BINARY = """
add sub mul div floor_divide pow float_power copysign hypot atan2 remainder fmod heaviside maximum minimum fmax fmin
logaddexp logaddexp2 xlogy special.xlog1py isclose
"""
NAN_OF_NAN = ("sign", "heaviside")  # PyTorch's give 0


@pytest.mark.parametrize("name", [*UNARY.split(), *BINARY.split()])
@np.errstate(all="ignore")
def test_values_at_extremes_as_in_pytorch(name):
    torch = pytest.importorskip("torch")
    args = [POINTS] if name in UNARY.split() else [np.repeat(POINTS, POINTS.size), np.tile(POINTS, POINTS.size)]
    if name in NAN_OF_NAN:
        kept = ~np.isnan(args[0])
        assert np.isnan(getattr(ag, name)(*args)[~kept]).all()
        args = [a[kept] for a in args]
    space, _, function = name.rpartition(".")
    ours, theirs = (getattr(getattr(lib, space, lib), function) for lib in (ag, torch))
    out = ours(*map(ag.tensor, args)).numpy()
    np.testing.assert_allclose(out, theirs(*map(torch.tensor, args)).numpy(), rtol=1e-12, atol=1e-15)


# NumPy's functions: the same values as on arrays, and recorded.

X = np.array([[0.3, -1.7, 2.4], [5.6, 0.9, -0.2]])
Y = np.array([0.85, -2.3, 1.9])
NUMPY = {
    "add": lambda x: np.add(x, Y) - np.subtract(Y, x),
    "divide": lambda x: np.divide(x, Y) * np.true_divide(Y, x),
    "power": lambda x: np.power(np.square(x), Y) + np.float_power(np.square(x), 1.5),
    "reciprocal": np.reciprocal,
    "sign": lambda x: np.sign(x) * np.positive(x) + np.negative(x),
    "copysign": lambda x: np.copysign(x, Y),
    "hypot": lambda x: np.hypot(x, Y),
    "exponentials": lambda x: np.exp2(x) + np.expm1(x),
    "logarithms": lambda x: np.log2(np.absolute(x)) + np.log10(np.absolute(x)) + np.log1p(np.absolute(x)),
    "logaddexp": lambda x: np.logaddexp(x, Y) + np.logaddexp2(Y, x),
    "trigonometric": lambda x: np.tan(x) + np.arctan(x) + np.arctan2(x, Y),
    "inverse": lambda x: np.arcsin(x / 10) + np.arccos(x / 10) + np.arctanh(x / 10),
    "hyperbolic": lambda x: np.sinh(x) + np.cosh(x) + np.arcsinh(x) + np.arccosh(1 + np.absolute(x)),
    "degrees": lambda x: np.deg2rad(x) + np.radians(x) + np.rad2deg(x) + np.degrees(x),
    "sinc": np.sinc,
    "floor": lambda x: x * np.floor(x) + np.ceil(x) + np.trunc(x),
    "round": lambda x: x * np.round(x, 1) + np.around(x, decimals=0) + np.rint(x) + x.round(1),
    "remainder": lambda x: np.remainder(x, Y) + np.mod(Y, x) + np.fmod(x, Y) + np.floor_divide(x, Y),
    "heaviside": lambda x: x * np.heaviside(x, 0.5),
    "fmax": lambda x: np.fmax(x, Y) + np.fmin(x, 2 * Y),
    "nan_to_num": lambda x: np.nan_to_num(x, True, 3.0),
    "where": lambda x: x[np.where(x > 0)],
    "isclose": lambda x: np.where(np.isclose(x, 0.3, 1e-3), x, 2 * x),
    "signbit": lambda x: np.where(np.signbit(x) | np.isneginf(x) | np.isposinf(x), x, 2 * x),
}


@pytest.mark.parametrize("name", NUMPY)
def test_numpy_functions_on_tensors(name):
    call = NUMPY[name]
    x = leaf(X)
    out = call(x)
    assert isinstance(out, ag.Tensor)
    np.testing.assert_allclose(out.detach().numpy(), call(X), rtol=1e-14)
    out.sum().backward()
    h = 1e-6
    direction = np.random.default_rng(0).normal(size=X.shape)
    numeric = (np.sum(call(X + h * direction)) - np.sum(call(X - h * direction))) / (2 * h)
    np.testing.assert_allclose((x.grad.numpy() * direction).sum(), numeric, rtol=1e-6, atol=1e-9)


def test_numpy_shifts_on_tensors():
    x = ag.tensor([1, 6])
    assert np.left_shift(x, 2).tolist() == [4, 24]
    assert np.right_shift(x, 1).tolist() == [0, 3]


# Argument forms that PyTorch's samples do not reach.

FORMS = {
    "lerp by a tensor weight": lambda lib, x: lib.lerp(x, lib.sin(x), lib.cos(x)),
    "lerp outside": lambda lib, x: x.lerp(2 * x * x, -0.7),
    "addcmul": lambda lib, x: lib.addcmul(x, lib.sin(x), x, value=-2),
    "addcdiv": lambda lib, x: x.addcdiv(lib.sin(x), x * x + 1),
    "clamp by crossed tensors": lambda lib, x: lib.clamp(x, lib.cos(x), lib.sin(x) - 1),
    "clamp by keywords": lambda lib, x: x.clip(max=lib.sin(x)) + x.clamp(0.2, max=0.7),
    "logit eps": lambda lib, x: lib.logit(x, eps=0.1) + x.sigmoid().logit(0.2),
    "nan_to_num": lambda lib, x: lib.nan_to_num(x + lib.tensor([0, nan, inf, -inf]), 2.0, 3.0),
    "nan_to_num None": lambda lib, x: (x + lib.tensor([nan, 0, inf, -inf])).nan_to_num(None, neginf=1),
    "masked_fill by a tensor": lambda lib, x: lib.masked_fill(x, x > 0, lib.sin(x[0, 0, 0])),
    "masked_fill widens": lambda lib, x: x[0].masked_fill(x > 0, 2),
    "where numbers": lambda lib, x: x * lib.where(x > 0, 1.5, -0.5),
    "where indices": lambda lib, x: x[lib.where(x > 0)],
    "round": lambda lib, x: x * lib.round(x, decimals=2) + x.round(),
    "polygamma": lambda lib, x: lib.polygamma(0, x * x + 1) + (x * x + 1).polygamma(3),
    "polygamma below 0": lambda lib, x: lib.special.polygamma(1, -x * x - 0.3),
    "powers": lambda lib, x: x.float_power(2) + lib.float_power(lib.exp(x), x) + lib.square(x),
    "remainders of negatives": lambda lib, x: (10 * x) % -3 + lib.fmod(10 * x, 3),
    "div floor": lambda lib, x: x * x.div(0.3, rounding_mode="floor"),
    "aliases": lambda lib, x: lib.arcsinh(x) + x.arctan() + lib.subtract(x, 1) * x.multiply(2) + lib.true_divide(x, 3),
    "entropy": lambda lib, x: lib.special.xlogy(x * x, x * x) + lib.special.xlog1py(x, x * x),
    "special": lambda lib, x: lib.special.expit(x) + lib.special.gammaln(x * x + 1) + lib.special.psi(x * x + 1),
    "special sums": lambda lib, x: lib.special.softmax(x, 1) + lib.special.log_softmax(x, 2) + lib.special.exp2(x),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.filterwarnings("ignore")
def test_same_as_pytorch(name):
    torch = pytest.importorskip("torch")
    call = FORMS[name]
    data = np.random.default_rng(5).normal(size=(2, 3, 4))
    ours, theirs = ag.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    out, expected = call(ag, ours), call(torch, theirs)
    assert out.shape == tuple(expected.shape)
    assert str(out.dtype) == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-12)
    direction = np.random.default_rng(6).normal(size=out.shape)
    out.backward(ag.tensor(direction))
    expected.backward(torch.tensor(direction, dtype=expected.dtype))
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-8, atol=1e-10)


# Kinks and extremes of composites: a call, its input, its value, the gradient of sum(output).

ROWS = {
    "x/x at 0": (lambda x: x / x, [0.0], [nan], [nan]),
    "fmax, tie with a constant": (lambda x: ag.fmax(x, 1.0), [1.0], [1.0], [0.5]),
    "fmin, NaN against a constant": (lambda x: ag.fmin(x, 1.0), [nan], [1.0], [0.0]),
    "logit at 0, 1, 2": (ag.logit, [0.0, 1.0, 2.0], [-inf, inf, nan], [inf, inf, nan]),
    "logit on eps": (lambda x: ag.logit(x, 0.5), [0.5, 0.1], [0.0, 0.0], [4.0, 0.0]),
    "x log x": (lambda x: ag.xlogy(x, x), [0.0, 1.0], [0.0, 0.0], [0.0, 1.0]),
    "x % 1 at an integer": (lambda x: x % 1, [2.0, -0.25], [0.0, 0.75], [1.0, 1.0]),
    "x // x": (lambda x: x // x, [2.0], [1.0], [0.0]),
    "division rounded": (lambda x: x.div(2, rounding_mode="trunc"), [-3.0], [-1.0], [0.0]),
    "zero to a float power": (lambda x: ag.float_power(x, 0), [0.0], [1.0], [0.0]),
    "angle of (0, 0)": (lambda x: ag.atan2(x, x), [0.0, 1.0], [0.0, np.pi / 4], [0.0, 0.0]),
    "length of (0, 0)": (lambda x: ag.hypot(x, 2 * x), [0.0, 1.0], [0.0, 5**0.5], [0.0, 5**0.5]),
    "length without overflow": (lambda x: ag.hypot(x, x), [1e200], [2**0.5 * 1e200], [2**0.5]),
    "log filled": (lambda x: ag.log(x).masked_fill(x <= 0, 0), [-1.0, 0.0, 2.0], [0, 0, np.log(2)], [0, 0, 0.5]),
    "nan_to_num of a NaN branch": (lambda x: ag.nan_to_num(ag.sqrt(x)), [-1.0, 4.0], [0.0, 2.0], [0.0, 0.25]),
    "heaviside as a mask": (lambda x: ag.heaviside(x, 0.0) * x, [-1.0, 0.0, 2.0], [0.0, 0.0, 2.0], [0.0, 0.0, 1.0]),
    "rsqrt at 0": (ag.rsqrt, [0.0], [inf], [-inf]),
    "rounding": (lambda x: x * x.round(decimals=1), [0.25, 0.35], [0.05, 0.14], [0.2, 0.4]),
}


@pytest.mark.parametrize("name", ROWS)
def test_kinks_and_extremes(name):
    call, data, value, expected = ROWS[name]
    x = leaf(data)
    out = call(x)
    out.backward(np.ones(out.shape))
    np.testing.assert_allclose(out.detach().numpy(), value, rtol=1e-14)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-14)


# Orders of derivatives


def derivatives(f, x, count):
    """The values of f and of its first `count` derivatives, elementwise."""
    found = [f(x)]
    for _ in range(count):
        found.append(ag.grad(found[-1].sum(), x, create_graph=True)[0])
    return [y.detach().numpy() for y in found]


def test_sinc_to_the_fourth_derivative():
    """Against the integral of (pi t)^n cos(pi x t + n pi / 2) over t from 0 to 1, by Gauss's quadrature."""
    points = np.array([0.0, 1e-200, 1e-12, 1e-6, 1e-3, 0.1, 0.29999, 0.30001, -0.5, 1.0, -2.7])
    nodes, weights = np.polynomial.legendre.leggauss(60)
    t = (nodes + 1) / 2
    for n, found in enumerate(derivatives(ag.sinc, leaf(points), 4)):
        terms = (np.pi * t) ** n * np.cos(np.pi * np.outer(points, t) + n * np.pi / 2)
        np.testing.assert_allclose(found, terms @ weights / 2, rtol=1e-11, atol=1e-11)
    assert derivatives(ag.sinc, leaf([0.0]), 2)[2].item() == pytest.approx(-(np.pi**2) / 3, rel=1e-15)


def test_the_gamma_family_to_the_fourth_derivative():
    from scipy import special as scipy_special

    points = np.array([0.3, 1.0, 2.5, 40.0])
    found = derivatives(ag.lgamma, leaf(points), 4)
    for n in range(4):
        np.testing.assert_allclose(found[n + 1], scipy_special.polygamma(n, points), rtol=1e-13)


def test_erf_to_the_third_derivative():
    x = np.array([-1.5, 0.0, 0.7])
    _, first, second, third = derivatives(ag.erf, leaf(x), 3)
    bell = 2 / np.sqrt(np.pi) * np.exp(-x * x)
    np.testing.assert_allclose(first, bell, rtol=1e-14)
    np.testing.assert_allclose(second, -2 * x * bell, rtol=1e-13)
    np.testing.assert_allclose(third, (4 * x * x - 2) * bell, rtol=1e-13)


def test_logaddexp_curves_at_a_tie():
    x = leaf([1.0])
    _, first, second = derivatives(lambda x: ag.logaddexp(x, 1.0), x, 2)
    assert (first.item(), second.item()) == (0.5, 0.25)


# Kinds of values


def test_arrays_stay_arrays_and_lists_become_tensors():
    for call in (
        lambda x: ag.add(x, x, alpha=2),
        lambda x: ag.div(x, 2, rounding_mode="trunc"),
        lambda x: ag.float_power(x, 2),
        lambda x: ag.addcmul(x, x, x, value=2),
        lambda x: ag.lerp(x, x, 0.5),
        lambda x: ag.masked_fill(x, [True, False], 0),
        lambda x: ag.logit(x, 0.1),
        ag.rad2deg,
        ag.round,
        ag.nan_to_num,
        ag.erf,
        ag.frac,
        ag.isposinf,
    ):
        assert isinstance(call(np.array([0.5, 0.25])), np.ndarray)
        from_list = call([0.5, 0.25])
        assert isinstance(from_list, ag.Tensor)
        np.testing.assert_allclose(from_list.numpy(), call(np.array([0.5, 0.25])), rtol=1e-6)


def test_where_alone_gives_indices():
    x = np.array([[0, 3], [5, 0]])
    rows, columns = ag.where(ag.tensor(x))
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])
    assert all(isinstance(i, np.ndarray) for i in ag.where(x))


def test_float32_stays_float32():
    x = ag.tensor([0.3, 0.6], requires_grad=True)
    for name in ("erf", "erfc", "erfinv", "lgamma", "digamma", "sinc", "logit", "frac", "deg2rad"):
        out = getattr(ag, name)(x)
        assert out.dtype == ag.float32, name
        assert ag.grad(out.sum(), x)[0].dtype == ag.float32
    assert ag.polygamma(1, x).dtype == ag.float32
    assert ag.masked_fill(x, x > 0, np.float64(2)).dtype == ag.float32
    assert ag.erf(x.to(ag.float16)).dtype == ag.float16
    assert ag.float_power(x, 2).dtype == ag.float64


def test_special_has_what_pytorch_has():
    torch = pytest.importorskip("torch")
    for name in special.__all__:
        assert hasattr(torch.special, name)
        assert callable(getattr(special, name))


def test_without_scipy(monkeypatch):
    """What Python's math has is computed with it; the rest says what is missing."""
    with_scipy = ag.erfc(ag.tensor(POINTS)).numpy()
    for name in [m for m in sys.modules if m == "scipy" or m.startswith("scipy.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "scipy", None)
    np.testing.assert_allclose(ag.erfc(ag.tensor(POINTS)).numpy(), with_scipy, rtol=1e-14)
    np.testing.assert_allclose(ag.erf(ag.tensor([[0.5], [-3.0]])), [[math.erf(0.5)], [math.erf(-3)]], rtol=1e-7)
    assert ag.erf(ag.zeros(0)).shape == (0,)
    for name in ("erfinv", "lgamma", "digamma"):
        with pytest.raises(ImportError, match=f"{name}: needs SciPy.*pip install scipy"):
            getattr(ag, name)(ag.tensor([0.5]))


# Errors

WRONG = [
    (lambda x, n: ag.div(x, 2, rounding_mode="up"), ValueError, "div: rounding_mode must be 'floor', 'trunc' or None"),
    (lambda x, n: n // 0, ZeroDivisionError, "floor_divide: integer division by 0"),
    (lambda x, n: n % ag.tensor([1, 0]), ZeroDivisionError, "remainder: integer division by 0"),
    (lambda x, n: ag.fmod(n, 0), ZeroDivisionError, "fmod: integer division by 0"),
    (lambda x, n: n.div(0, rounding_mode="trunc"), ZeroDivisionError, "integer division by 0"),
    (lambda x, n: ag.masked_fill(x, n, 0), TypeError, "masked_fill: expected a mask of bools, got int64"),
    (lambda x, n: x.masked_fill(x > 0, x), ValueError, r"masked_fill: expected one value, got shape \(2,\)"),
    (lambda x, n: ag.where(x > 0, x), ValueError, "where: expected both input and other, or neither"),
    (lambda x, n: ag.polygamma(-1, x), ValueError, "polygamma: the first argument, n, must be an integer"),
    (lambda x, n: ag.polygamma(x, x), ValueError, "polygamma: the first argument, n, must be an integer"),
    (lambda x, n: x << 1, TypeError, r"bitwise_left_shift\(float32\[2\], 1\)"),
    (lambda x, n: x & x, TypeError, r"bitwise_and\(float32\[2\], float32\[2\]\)"),
    (lambda x, n: n**-1, ValueError, r"pow\(int64\[2\], -1\): Integers to negative integer powers"),
    (lambda x, n: ag.lerp(x, ag.ones(3), 0.5), ValueError, r"lerp\(float32\[2\], float32\[3\], 0.5\): .*broadcast"),
    (lambda x, n: ag.tensor([True]) - ag.tensor([True]), TypeError, r"sub\(bool\[1\], bool\[1\]\)"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call(ag.ones(2), ag.tensor([1, 2]))
