"""What every operation gives where calculus or floating point leaves a choice: one row each, value and gradient.

The policy, in order: the derivative where there is one; the smallest subgradient of what is locally convex, the
smallest supergradient of what is locally concave; else the limit, which may be infinite; NaN where the input is outside
the domain.  What a max or a min routes always sums to 1.  The gradient is that of ``sum(output)``.
"""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

F = nn.functional
inf, nan = np.inf, np.nan


def rows(*table):
    return [pytest.param(*row[1:], id=row[0]) for row in table]


# name, function, inputs, value, gradient by each input (None: not checked)
ROWS = rows(
    # Maxima
    ("max, ties, all", lambda x: x.max(), [[1, 2, 2]], 2, [[0, 0.5, 0.5]]),
    ("amax, ties", lambda x: x.amax(dim=0), [[1, 2, 2]], 2, [[0, 0.5, 0.5]]),
    ("amin, ties", lambda x: x.amin(), [[1, 1, 2]], 1, [[0.5, 0.5, 0]]),
    ("max with an index, ties", lambda x: x.max(dim=0).values, [[1, 2, 2]], 2, [[0, 1, 0]]),
    ("max-pool, ties", lambda x: F.max_pool1d(x, 3), [[[1, 2, 2]]], [[2]], [[[0, 1, 0]]]),
    ("max with a NaN", lambda x: x.max(), [[1, nan, 2]], nan, [[0, 1, 0]]),
    ("maximum, tie", ag.maximum, [1, 1], 1, [0.5, 0.5]),
    ("minimum, tie", ag.minimum, [1, 1], 1, [0.5, 0.5]),
    ("fmax, tie", ag.fmax, [1, 1], 1, [0.5, 0.5]),
    ("fmin, tie", ag.fmin, [1, 1], 1, [0.5, 0.5]),
    ("maximum, tie with a constant", lambda x: ag.maximum(x, 1.0), [1], 1, [0.5]),
    # Activations
    ("relu(0)", ag.relu, [[0, -0.0]], [0, 0], [[0, 0]]),
    ("clamp on its bounds", lambda x: ag.clamp(x, -1, 1), [[-1, 1, 2]], [-1, 1, 1], [[1, 1, 0]]),
    ("clamp of NaN", lambda x: ag.clamp(x, -1, 1), [nan], nan, [0]),
    ("relu6 at its corners", F.relu6, [[0, 6]], [0, 6], [[0, 0]]),
    ("hardtanh at its corners", F.hardtanh, [[-1, 1]], [-1, 1], [[0, 0]]),
    ("hardsigmoid at its corners", F.hardsigmoid, [[-3, 3]], [0, 1], [[0, 0]]),
    ("leaky_relu(0)", lambda x: F.leaky_relu(x, 0.1), [0], 0, [0.1]),
    ("prelu(0)", F.prelu, [[[0.0]], [0.25]], [[0]], [[[0.25]], [0]]),
    ("elu(0)", F.elu, [0], 0, [1]),
    ("selu(0)", F.selu, [0], 0, [1.0507009873554805 * 1.6732632423543772]),
    ("gelu at -inf, inf", F.gelu, [[-inf, inf]], [0, inf], [[0, 1]]),
    ("silu at -inf, inf", F.silu, [[-inf, inf]], [0, inf], [[0, 1]]),
    ("mish at -inf, inf", F.mish, [[-inf, inf]], [0, inf], [[0, 1]]),
    ("sigmoid(±1000)", ag.sigmoid, [[1000, -1000]], [1, 0], [[0, 0]]),
    ("softplus(±1000)", F.softplus, [[1000, -1000]], [1000, 0], [[1, 0]]),
    # Elementary functions
    ("abs(0)", ag.abs, [0], 0, [0]),
    ("sign", ag.sign, [[0, 2]], [0, 1], [[0, 0]]),
    ("round, floor, ceil", lambda x: ag.round(x) + ag.floor(x) + ag.ceil(x), [1.5], 5, [0]),
    ("heaviside", lambda x: ag.heaviside(x, ag.tensor(0.5, dtype=ag.float64)), [[0, 1]], [0.5, 1], [[0, 0]]),
    ("sqrt(0)", ag.sqrt, [0], 0, [inf]),
    ("sqrt(-1)", ag.sqrt, [-1], nan, [nan]),
    ("log(-1)", ag.log, [-1], nan, [nan]),
    ("log(0)", ag.log, [0], -inf, [inf]),
    ("log1p(-1)", ag.log1p, [-1], -inf, [inf]),
    ("exp(1000)", ag.exp, [1000], inf, [inf]),
    ("xlogy(0, 0)", ag.xlogy, [0, 0], 0, [0, 0]),
    ("hypot(0, 0)", ag.hypot, [0, 0], 0, [0, 0]),
    ("atan2(0, 0)", ag.atan2, [0, 0], 0, [0, 0]),
    ("sinc(0)", ag.sinc, [0], 1, [0]),
    ("arccos(1)", ag.acos, [1], 0, [-inf]),
    ("arctanh(1)", ag.atanh, [1], inf, [inf]),
    # Powers and quotients
    ("0**0", ag.pow, [0, 0], 1, [0, 0]),
    ("x**0 at 0", lambda x: x**0, [0], 1, [0]),
    ("(-2)**3.0, exponent a tensor", ag.pow, [-2, 3], -8, [12, nan]),
    ("(-2)**3.0, exponent a constant", lambda x: x**3.0, [-2], -8, [12]),
    ("0**0.5", lambda x: x**0.5, [0], 0, [inf]),
    ("0**-1", lambda x: x**-1, [0], inf, [-inf]),
    ("1/0", ag.div, [1, 0], inf, [inf, -inf]),
    ("0/0", ag.div, [0, 0], nan, [nan, nan]),
    ("x/x at 0", lambda x: x / x, [0], nan, [nan]),
    ("x*x + (x+x) at 3", lambda x: x * x + (x + x), [3], 15, [8]),
    # Norms and moments
    ("norm of zero", lambda x: ag.norm(x), [[0, 0]], 0, [[0, 0]]),
    ("norm of a zero row", lambda x: ag.norm(x, dim=1), [[[0, 0], [3, 4]]], [0, 5], [[[0, 0], [0.6, 0.8]]]),
    ("linalg.norm of zero", lambda x: ag.linalg.norm(x), [[0, 0]], 0, [[0, 0]]),
    ("1-norm at 0", lambda x: ag.norm(x, 1), [[0, 2]], 2, [[0, 1]]),
    ("inf-norm with ties", lambda x: ag.norm(x, inf), [[2, -2]], 2, [[0.5, -0.5]]),
    ("std of one, population", lambda x: x.std(correction=0), [[3]], 0, [[0]]),
    ("std of a constant", lambda x: x.std(), [[3, 3, 3]], 0, [[0, 0, 0]]),
    ("sum of none", lambda x: x.sum(), [[]], 0, [[]]),
    ("prod of none", lambda x: x.prod(), [[]], 1, [[]]),
    ("prod with a zero", lambda x: x.prod(), [[0, 2, 3]], 0, [[6, 0, 0]]),
    ("prod with two zeros", lambda x: x.prod(), [[0, 0, 3]], 0, [[0, 0, 0]]),
    ("cumprod with a zero", lambda x: x.cumprod(0), [[2, 0, 3]], [2, 0, 0], [[1, 8, 0]]),
    ("median of an even count", lambda x: ag.median(x), [[1, 3, 2, 9]], 2.5, [[0, 0.5, 0.5, 0]]),
    ("normalize of zero", lambda x: F.normalize(x, dim=0), [[0, 0]], [0, 0], [None]),
    ("cosine similarity with zero", lambda x: F.cosine_similarity(x, ag.ones(2), dim=0), [[0, 0]], 0, [None]),
    ("layer norm of a constant row", lambda x: F.layer_norm(x, (3,)), [[[5, 5, 5]]], [[0, 0, 0]], [[[0, 0, 0]]]),
    # Exponential sums
    ("softmax of -inf alone", lambda x: ag.softmax(x, 0), [[-inf, -inf]], [nan, nan], [[nan, nan]]),
    ("softmax with -inf", lambda x: ag.softmax(x, 0), [[-inf, 0]], [0, 1], [[0, 0]]),
    ("logsumexp of -inf alone", lambda x: ag.logsumexp(x, 0), [[-inf, -inf]], -inf, [[0, 0]]),
    ("logsumexp with +inf", lambda x: ag.logsumexp(x, 0), [[0, inf]], inf, [[0, 1]]),
    ("logaddexp(-inf, -inf)", ag.logaddexp, [-inf, -inf], -inf, [0, 0]),
    ("logaddexp, tie", ag.logaddexp, [1, 1], 1 + np.log(2), [0.5, 0.5]),
    # The branch not taken
    ("where", lambda x: ag.where(x > 0, ag.sqrt(x), 0.0), [[-1, 0, 1]], [0, 0, 1], [[0, 0, 0.5]]),
    ("masked_fill", lambda x: ag.masked_fill(ag.log(x), x <= 0, 0.0), [[0, 1]], [0, 0], [[0, 1]]),
    ("masked_select", lambda x: ag.masked_select(ag.sqrt(x), x > 0), [[0, 4]], [2], [[0, 0.25]]),
    ("clamp of a root", lambda x: ag.sqrt(x).clamp(min=1.0), [[0, 4]], [1, 2], [[0, 0.25]]),
    # Losses
    ("soft targets, -inf with weight 0", lambda z: F.cross_entropy(z, ag.tensor([[0.0, 1.0]], dtype=ag.float64)),
     [[[-inf, 0]]], 0, [[[0, 0]]]),
    ("BCE at p=0, y=1", lambda p: F.binary_cross_entropy(p, ag.ones(1, dtype=ag.float64)), [[0]], 100, [None]),
    ("BCE at p=1, y=0", lambda p: F.binary_cross_entropy(p, ag.zeros(1, dtype=ag.float64)), [[1]], 100, [None]),
    ("BCE from logits",
     lambda z: F.binary_cross_entropy_with_logits(z, ag.zeros(4, dtype=ag.float64), reduction="none"),
     [[1000, -1000, inf, -inf]], [1000, 0, inf, 0], [[1, 0, 1, 0]]),
    ("huber at delta", lambda r: F.huber_loss(r, ag.zeros(2, dtype=ag.float64), reduction="none", delta=2.0),
     [[2, -2]], [2, 2], [[2, -2]]),
    ("smooth-L1, beta 0", lambda r: F.smooth_l1_loss(r, ag.zeros(2, dtype=ag.float64), reduction="none", beta=0.0),
     [[0, 3]], [0, 3], [[0, 1]]),
    ("L1 at 0", lambda r: F.l1_loss(r, ag.zeros(1, dtype=ag.float64)), [[0]], 0, [[0]]),
    ("hinge at the margin", lambda z: F.hinge_loss(z, ag.ones(1, dtype=ag.float64)), [[1]], 0, [[0]]),
    ("KL with target 0", lambda z: F.kl_div(z, ag.zeros(1, dtype=ag.float64), reduction="sum"), [[-1]], 0, [[0]]),
    # Indexing, shapes
    ("gather with repeats", lambda x: x[[0, 0, 1]], [[5, 6]], [5, 5, 6], [[2, 1]]),
    ("0-d by broadcasting", lambda x: x * ag.ones(2, dtype=ag.float64), [3], [3, 3], [2]),
    ("size 1 against size 0", lambda x: x * ag.zeros(0, dtype=ag.float64), [[3]], [], [[0]]),
    ("(2,0) @ (0,3)", lambda x: x @ ag.zeros(0, 3, dtype=ag.float64), [np.zeros((2, 0))], np.zeros((2, 3)),
     [np.zeros((2, 0))]),
    ("det of a singular matrix", ag.linalg.det, [[[1, 2], [2, 4]]], 0, [[[4, -2], [-2, 1]]]),
    ("dropout, p=1", lambda x: F.dropout(x, 1.0), [[1, 2]], [0, 0], [[0, 0]]),
    ("embedding with repeats", lambda w: F.embedding(ag.tensor([0, 0]), w), [[[1, 2], [3, 4]]], [[1, 2], [1, 2]],
     [[[2, 2], [0, 0]]]),
)  # fmt: skip


@pytest.mark.parametrize(("function", "inputs", "value", "gradients"), ROWS)
def test_row(function, inputs, value, gradients):
    leaves = [ag.tensor(np.array(x, np.float64), requires_grad=True) for x in inputs]
    out = function(*leaves)
    np.testing.assert_allclose(out.detach().numpy(), value, rtol=1e-12, atol=1e-15)
    found = ag.grad(out.sum(), leaves)
    for leaf, dx, expected in zip(leaves, found, gradients, strict=True):
        assert dx.shape == leaf.shape
        if expected is None:
            assert np.isfinite(dx.numpy()).all()
        else:
            np.testing.assert_allclose(dx.numpy(), expected, rtol=1e-12, atol=1e-14)


def t(value, **options):
    return ag.tensor(value, dtype=ag.float64, **options)


def test_writes():
    y, v = t([1.0, 2.0], requires_grad=True) * 1, t([5.0, 6.0], requires_grad=True)
    y[[0, 0]] = v
    y.sum().backward()
    assert v.grad.tolist() == [0, 1]
    src = t([5.0, 6.0], requires_grad=True)
    ag.scatter_add(ag.zeros(2, dtype=ag.float64), 0, ag.tensor([0, 0]), src).sum().backward()
    assert src.grad.tolist() == [1, 1]
    x = t([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1
    z = y[:2]
    z *= 10
    y.sum().backward()
    assert y.tolist() == [10, 20, 3]
    assert x.grad.tolist() == [10, 10, 1]


WARNED = rows(
    ("every target ignored", lambda: F.cross_entropy(t([[1.0, 2.0]]), ag.tensor([-100])), 0.0),
    ("std of one, sample", lambda: t([3.0]).std(), nan),
    ("mean of none", lambda: t([]).mean(), nan),
)


@pytest.mark.parametrize(("function", "value"), WARNED)
def test_warned(function, value):
    with pytest.warns(RuntimeWarning):
        np.testing.assert_equal(function().item(), value)


REFUSED = rows(
    ("target out of range", lambda: F.cross_entropy(t([[1.0, 2.0]]), ag.tensor([2])), IndexError, r"target\[0\] is 2"),
    ("target -1", lambda: F.cross_entropy(t([[1.0, 2.0]]), ag.tensor([-1])), IndexError, r"target\[0\] is -1"),
    ("unnormalised targets", lambda: F.cross_entropy(t([[1.0, 2.0]]), t([[0.5, 0.1]])), ValueError, "sum to 1"),
    ("p outside [0, 1]", lambda: F.binary_cross_entropy(t([1.5]), t([1.0])), ValueError, r"input\[0\] is 1.5"),
    ("max of none", lambda: t([]).max(), ValueError, "no elements"),
    ("index out of bounds", lambda: t([1.0])[3], IndexError, "3"),
    (
        "batch norm of one",
        lambda: F.batch_norm(t([[1.0]]), None, None, training=True),
        ValueError,
        "one value a channel",
    ),
    ("inv of a singular matrix", lambda: ag.linalg.inv(t([[1.0, 2.0], [2.0, 4.0]])), np.linalg.LinAlgError, "inv"),
    ("embedding out of range", lambda: F.embedding(ag.tensor([2]), t([[1.0], [2.0]])), IndexError, "2"),
    ("an integer with a gradient", lambda: ag.tensor([1], requires_grad=True), TypeError, r"to\(float32\)"),
    ("backward of a non-scalar", lambda: t([1.0, 2.0], requires_grad=True).exp().backward(), RuntimeError, "sum"),
    ("a loss between (N, 1) and (N,)", lambda: F.mse_loss(t([[1.0], [2.0]]), t([1.0, 2.0])), ValueError, "broadcast"),
)


@pytest.mark.parametrize(("function", "error", "message"), REFUSED)
def test_refused(function, error, message):
    with pytest.raises(error, match=message):
        function()


def test_backward_twice():
    x = t(2.0, requires_grad=True)
    y = x * x
    y.backward()
    with pytest.raises(RuntimeError, match=r"earlier backward\(\).*retain_graph=True"):
        y.backward()


def test_a_saved_array_changed_through_numpy():
    data = np.array([1.0, 2.0])
    x = ag.from_numpy(data).requires_grad_()

    def changed():
        with ag.detect_anomaly():
            y = x * x
            data[0] = 9.0
            y.sum().backward()

    both_lines = r"mul \(.*test_numerics.py:\d+\) saved .* changed between .*test_numerics.py:\d+"
    with pytest.raises(ag.AnomalyError, match=both_lines):
        changed()
