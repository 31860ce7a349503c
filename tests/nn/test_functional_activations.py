"""Activations: conventions at corners and extremes, closed forms, both orders of derivatives, errors."""

import math

import numpy as np
import pytest
from differences import gradient

import autograd_core as ag
from autograd_core import nn

F = nn.functional
inf, nan = np.inf, np.nan


def graded(function, x):
    """The values, the gradient of their sum, and the gradient of that gradient's sum."""
    x = ag.tensor(np.asarray(x, np.float64), requires_grad=True)
    value = function(x)
    (first,) = ag.grad(value.sum(), x, create_graph=True)
    second = ag.grad(first.sum(), x, allow_unused=True)[0] if first.requires_grad else None
    return value.detach().numpy(), first.detach().numpy(), np.zeros(x.shape) if second is None else second.numpy()


def phi(x):
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


SELU = 1.0507009873554805 * 1.6732632423543772

# Each row: the function, the points, the values there, the gradients there.
ROWS = {
    "relu": (F.relu, [0.0, -0.0, -1.0, 2.0, inf, -inf], [0, 0, 0, 2, inf, 0], [0, 0, 0, 1, 1, 0]),
    "relu6": (F.relu6, [0.0, 6.0, 3.0, -1.0, 7.0, inf, -inf], [0, 6, 3, 0, 6, 6, 0], [0, 0, 1, 0, 0, 0, 0]),
    "hardtanh": (F.hardtanh, [-1.0, 1.0, 0.0, -2.0, 2.0, nan], [-1, 1, 0, -1, 1, nan], [0, 0, 1, 0, 0, 0]),
    "hardtanh, both bounds equal": (lambda x: F.hardtanh(x, 0.5, 0.5), [0.0, 0.5, 1.0], [0.5] * 3, [0, 0, 0]),
    "hardsigmoid": (F.hardsigmoid, [-3.0, 3.0, 0.0, inf, -inf], [0, 1, 0.5, 1, 0], [0, 0, 1 / 6, 0, 0]),
    "hardswish": (
        F.hardswish,
        [-3.0, 3.0, 0.0, 1.0, 5.0, -4.0, inf, -inf],
        [0, 3, 0, 2 / 3, 5, 0, inf, 0],
        [0, 1, 0.5, 5 / 6, 1, 0, 1, 0],
    ),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.1), [0.0, -2.0, 2.0, -inf], [0, -0.2, 2, -inf], [0.1, 0.1, 1, 0.1]),
    "prelu": (lambda x: F.prelu(x, ag.tensor(0.25)), [0.0, -2.0, 2.0], [0, -0.5, 2], [0.25, 0.25, 1]),
    "elu": (F.elu, [0.0, 1.0, 1000.0, -inf, inf], [0, 1, 1000, -1, inf], [1, 1, 1, 0, 1]),
    "elu, another alpha": (lambda x: F.elu(x, 3), [0.0, -inf], [0, -3], [3, 0]),
    "selu": (F.selu, [0.0, 1.0, -inf, 1000.0], [0, 1.0507009873554805, -SELU, 1050.7009873554805],
             [SELU, 1.0507009873554805, 0, 1.0507009873554805]),
    "celu": (lambda x: F.celu(x, 2), [0.0, 1.0, -inf, 1e4], [0, 1, -2, 1e4], [1, 1, 0, 1]),
    "gelu": (F.gelu, [0.0, -inf, inf, 1e9, -1e9], [0, 0, inf, 1e9, 0], [0.5, 0, 1, 1, 0]),
    "gelu tanh": (lambda x: F.gelu(x, "tanh"), [0.0, -inf, inf, 1e9, -1e9], [0, 0, inf, 1e9, 0], [0.5, 0, 1, 1, 0]),
    "silu": (F.silu, [0.0, -inf, inf, 1e9, -1e9], [0, 0, inf, 1e9, 0], [0.5, 0, 1, 1, 0]),
    "swish": (lambda x: F.swish(x, 3.0), [0.0, -inf, inf], [0, 0, inf], [0.5, 0, 1]),
    "swish with beta 0": (lambda x: F.swish(x, 0.0), [-1.0, 2.0], [-0.5, 1], [0.5, 0.5]),
    "swish with a negative beta": (lambda x: F.swish(x, -1.0), [-inf, inf], [-inf, 0], [1, 0]),
    "mish": (F.mish, [0.0, -inf, inf, 1e9, -1e9], [0, 0, inf, 1e9, 0], [0.6, 0, 1, 1, 0]),
    "softplus": (
        F.softplus,
        [0.0, 1000.0, -1000.0, inf, -inf],
        [math.log(2), 1000, 0, inf, 0],
        [0.5, 1, 0, 1, 0],
    ),
    "softplus above a threshold": (
        lambda x: F.softplus(x, 2.0, 1.0), [0.5, 0.6], [math.log1p(math.e) / 2, 0.6], [math.e / (1 + math.e), 1]
    ),
    "logsigmoid": (F.logsigmoid, [0.0, 1000.0, -1000.0, inf, -inf], [-math.log(2), 0, -1000, 0, -inf],
                   [0.5, 0, 1, 0, 1]),
    "sigmoid": (F.sigmoid, [0.0, 1000.0, -1000.0], [0.5, 1, 0], [0.25, 0, 0]),
    "softsign": (F.softsign, [0.0, 1.0, inf, -inf], [0, 0.5, 1, -1], [1, 0.25, 0, 0]),
    "tanhshrink": (F.tanhshrink, [0.0, 1000.0, -1000.0], [0, 999, -999], [0, 1, 1]),
    "heaviside_step": (F.heaviside_step, [0.0, -0.0, -1.0, 1.0], [1, 1, 0, 1], [0, 0, 0, 0]),
    "threshold": (lambda x: F.threshold(x, 1, -7), [1.0, 0.0, 2.0], [-7, -7, 2], [0, 0, 1]),
    "softshrink": (F.softshrink, [0.5, -0.5, 0.0, 2.0, -2.0, inf, nan], [0, 0, 0, 1.5, -1.5, inf, nan],
                   [0, 0, 0, 1, 1, 1, 1]),
    "hardshrink": (F.hardshrink, [0.5, -0.5, 0.0, 2.0, -2.0, nan], [0, 0, 0, 2, -2, nan], [0, 0, 0, 1, 1, 1]),
    "maxout": (lambda x: F.maxout(x, 2), [1.0, 1.0, 3.0, 2.0], [1, 3], [0.5, 0.5, 1, 0]),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_corners_and_extremes(row):
    function, x, value, slope = ROWS[row]
    found, first, second = graded(function, x)
    np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(first, slope, rtol=1e-12, atol=1e-300)
    assert not np.isnan(second).any()


SMOOTH = {
    "elu": lambda x: F.elu(x, 0.7),
    "celu": lambda x: F.celu(x, 0.7),
    "selu": F.selu,
    "gelu": F.gelu,
    "gelu tanh": lambda x: F.gelu(x, "tanh"),
    "silu": F.silu,
    "swish": lambda x: F.swish(x, 1.7),
    "mish": F.mish,
    "hardswish": F.hardswish,
    "softplus": lambda x: F.softplus(x, 3.0),
    "logsigmoid": F.logsigmoid,
    "softsign": F.softsign,
    "tanhshrink": F.tanhshrink,
    "glu": F.glu,
    "softmin": lambda x: F.softmin(x, 0),
    "gumbel_softmax": lambda x: F.gumbel_softmax(x, 0.7, generator=ag.Generator(3)),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_both_derivatives(name):
    """Against differences, of a sum with different weights so that nothing cancels; also at 0 where it is smooth."""
    function = SMOOTH[name]
    kinked = name in ("elu", "selu", "celu", "softsign")  # the last only in its second derivative
    x = np.array([-2.5, -1.3, -0.4, 0.1 if kinked else 0.0, 0.6, 1.1, 1.9, 2.7])
    weights = np.cos(np.arange(8.0))[: function(ag.tensor(x)).numel()]

    def first(values):
        leaf = ag.tensor(values, requires_grad=True)
        return ag.grad((function(leaf) * weights).sum(), leaf)[0].numpy()

    found = first(x)
    np.testing.assert_allclose(
        found, gradient(lambda v: (function(ag.tensor(v)) * weights).sum().item(), x), rtol=1e-8, atol=1e-9
    )
    leaf = ag.tensor(x, requires_grad=True)
    (once,) = ag.grad((function(leaf) * weights).sum(), leaf, create_graph=True)
    (twice,) = ag.grad((once * np.sin(np.arange(8.0))).sum(), leaf)
    expected = gradient(lambda v: float(first(v) @ np.sin(np.arange(8.0))), x)
    np.testing.assert_allclose(twice.numpy(), expected, rtol=1e-7, atol=1e-8)


def test_closed_forms():
    x = np.linspace(-3, 3, 13)
    cdf = np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x])
    value, slope, curve = graded(F.gelu, x)
    density = np.array([phi(v) for v in x])
    np.testing.assert_allclose(value, x * cdf, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(slope, cdf + x * density, rtol=1e-12)
    np.testing.assert_allclose(curve, (2 - x * x) * density, rtol=1e-11)
    assert graded(F.gelu, [-20.0])[0].item() == pytest.approx(-20 * 0.5 * math.erfc(20 / math.sqrt(2)), rel=1e-10)
    np.testing.assert_allclose(F.mish(ag.tensor(x)).numpy(), x * np.tanh(np.log1p(np.exp(x))), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(F.swish(ag.tensor(x), 2.0).numpy(), x / (1 + np.exp(-2 * x)), rtol=1e-12)
    np.testing.assert_allclose(ag.tanh(ag.tensor(x)).numpy(), (2 * F.sigmoid(ag.tensor(2 * x)) - 1).numpy(), atol=1e-15)


def test_learned_slopes_have_gradients(rng):
    x = rng.normal(size=(4, 3, 2))
    weight = ag.tensor([0.1, 0.2, 0.3], dtype=ag.float64, requires_grad=True)
    F.prelu(ag.tensor(x), weight).sum().backward()
    np.testing.assert_allclose(weight.grad.numpy(), np.minimum(x, 0).sum((0, 2)), rtol=1e-12)
    single = ag.tensor([0.1], dtype=ag.float64, requires_grad=True)
    F.prelu(ag.tensor(x), single).sum().backward()
    np.testing.assert_allclose(single.grad.numpy(), [np.minimum(x, 0).sum()], rtol=1e-12)
    beta = ag.tensor(0.8, dtype=ag.float64, requires_grad=True)
    F.swish(ag.tensor(x), beta).sum().backward()
    s = 1 / (1 + np.exp(-0.8 * x))
    assert beta.grad.item() == pytest.approx((x * x * s * (1 - s)).sum(), rel=1e-12)


def test_random_slopes():
    x = -ag.ones(20000, dtype=ag.float64)
    drawn = -F.rrelu(x, 0.1, 0.5, training=True, generator=ag.Generator(1)).numpy()
    assert drawn.min() >= 0.1
    assert drawn.max() <= 0.5
    assert drawn.mean() == pytest.approx(0.3, abs=0.005)
    assert drawn.std() == pytest.approx(0.4 / math.sqrt(12), rel=0.02)
    again = -F.rrelu(x, 0.1, 0.5, training=True, generator=ag.Generator(1)).numpy()
    assert (drawn == again).all()
    np.testing.assert_allclose(F.rrelu(x[:2], 0.1, 0.5).numpy(), [-0.3, -0.3])
    leaf = ag.tensor([-2.0, 3.0], dtype=ag.float64, requires_grad=True)
    value = F.rrelu(leaf, training=True, generator=ag.Generator(0))
    value.sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy() * leaf.detach().numpy(), value.detach().numpy(), rtol=1e-12)
    ag.manual_seed(5)
    first = F.rrelu(x, training=True)
    ag.manual_seed(5)
    assert ag.equal(first, F.rrelu(x, training=True))


def test_gumbel_softmax_chooses_fairly():
    p = np.array([0.1, 0.2, 0.7])
    logits = ag.log(ag.tensor(np.broadcast_to(p, (20000, 3)).copy()))
    hard = F.gumbel_softmax(logits, hard=True, generator=ag.Generator(2)).numpy()
    assert set(np.unique(hard)) == {0.0, 1.0}
    assert (hard.sum(1) == 1).all()
    np.testing.assert_allclose(hard.mean(0), p, atol=0.01)
    soft = F.gumbel_softmax(logits, 0.5, generator=ag.Generator(2)).numpy()
    np.testing.assert_allclose(soft.sum(1), 1, rtol=1e-12)
    assert (soft.argmax(1) == hard.argmax(1)).all()


def test_a_hard_choice_has_the_gradient_of_the_shares(rng):
    values, weights = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    grads = []
    for hard in (False, True):
        x = ag.tensor(values, requires_grad=True)
        chosen = F.gumbel_softmax(x, 0.8, hard, dim=0, generator=ag.Generator(7))
        np.testing.assert_allclose(chosen.detach().numpy().sum(0), 1, rtol=1e-12)
        (chosen * weights).sum().backward()
        grads.append(x.grad.numpy())
    np.testing.assert_allclose(grads[0], grads[1], rtol=1e-12)


def test_maxout_of_a_dimension(rng):
    x = rng.normal(size=(2, 6, 3))
    np.testing.assert_array_equal(F.maxout(x, 3, 1).numpy(), x.reshape(2, 2, 3, 3).max(2))
    np.testing.assert_array_equal(F.maxout(x, 3).numpy(), x.max(-1, keepdims=True))


def test_glu_halves(rng):
    x = rng.normal(size=(2, 4, 3))
    a, b = x[:, :2], x[:, 2:]
    np.testing.assert_allclose(F.glu(x, 1).numpy(), a / (1 + np.exp(-b)), rtol=1e-12)


PLAIN = """
celu elu gelu hardshrink hardsigmoid hardswish hardtanh heaviside_step leaky_relu logsigmoid mish relu relu6 rrelu selu
sigmoid silu softplus softshrink softsign swish tanh tanhshrink
"""

ALL = {
    **{name: getattr(F, name) for name in PLAIN.split()},
    "gelu tanh": lambda x: F.gelu(x, "tanh"),
    "prelu": lambda x: F.prelu(x, ag.tensor(0.5, dtype=x.dtype)),
    "rrelu in training": lambda x: F.rrelu(x, training=True, generator=ag.Generator(0)),
    "softplus with a threshold": lambda x: F.softplus(x, 2.0, 1.0),
    "threshold": lambda x: F.threshold(x, 0.5, 2.0),
}


@pytest.mark.parametrize("dtype", [ag.float32, ag.float64])
@pytest.mark.parametrize("name", ALL)
def test_dtypes_and_shapes(name, dtype):
    for shape in [(), (0,), (2, 0), (1,), (2, 3)]:
        x = ag.full(shape, 0.7, dtype=dtype, requires_grad=True)
        value = ALL[name](x)
        assert (value.dtype, value.shape) == (dtype, shape)
        value.sum().backward()
        assert (x.grad.dtype, x.grad.shape) == (dtype, shape)


@pytest.mark.parametrize("name", ALL)
def test_nan_stays(name):
    assert np.isnan(ALL[name](ag.tensor([nan])).numpy()).all()


@pytest.mark.parametrize("function", [F.softmin, F.softmax, F.log_softmax])
def test_softmin_and_kin_take_a_dtype(function):
    assert function(ag.tensor([1, 2]), 0, dtype=ag.float64).dtype == ag.float64


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.prelu(ag.ones(2, 3), ag.ones(2)), ValueError, r"one slope or 3, .* got weight of shape \(2,\)"),
        (lambda: F.prelu(ag.ones(2), ag.ones(2)), ValueError, r"expected one slope, got weight of shape \(2,\)"),
        (lambda: F.prelu(ag.ones(2, 1), ag.ones(1, 1)), ValueError, r"got weight of shape \(1, 1\)"),
        (lambda: F.rrelu([1.0], 0.5, 0.1), ValueError, "rrelu: lower must not be above upper, got lower=0.5"),
        (lambda: F.hardtanh([1.0], 2, 1), ValueError, "hardtanh: min_val must not be above max_val"),
        (lambda: F.celu([1.0], 0), ValueError, "celu: alpha"),
        (lambda: F.softshrink([1.0], -1), ValueError, "softshrink: lambd .* got -1"),
        (lambda: F.gelu([1.0], "erf"), ValueError, "gelu: expected approximate 'none' or 'tanh', got 'erf'"),
        (lambda: F.glu(ag.ones(2, 3)), ValueError, r"glu: .* dim 1 that can be divided by 2, .*\(2, 3\)"),
        (lambda: F.glu(ag.ones(2), 1), IndexError, r"glu: dim 1 is not a dimension of input of shape \(2,\)"),
        (lambda: F.glu(ag.tensor(1.0)), IndexError, r"glu: dim -1 is not a dimension of input of shape \(\)"),
        (lambda: F.maxout(ag.ones(4), 3), ValueError, "maxout: .* divided by 3"),
        (lambda: F.maxout(ag.ones(4), 0), ValueError, "maxout: .* divided by 0"),
        (lambda: F.gumbel_softmax(ag.ones(4), 0), ValueError, "gumbel_softmax: tau must be above 0, got 0"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
