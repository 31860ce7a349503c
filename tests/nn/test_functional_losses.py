"""Losses: conventions at kinks and extremes, closed forms, PyTorch at first and second order, errors.

The cross-entropies' own options are in test_losses.py.
"""

import math

import numpy as np
import pytest
from differences import gradient

import autograd_core as ag
from autograd_core import nn

F = nn.functional
inf, nan = np.inf, np.nan
REDUCTIONS = ["none", "mean", "sum"]


def graded(loss, *arrays):
    """The value, and the gradients of its sum by every array."""
    leaves = [ag.tensor(np.asarray(a, np.float64), requires_grad=True) for a in arrays]
    value = loss(*leaves)
    value.sum().backward()
    return value.detach().numpy(), *[np.zeros(x.shape) if x.grad is None else x.grad.numpy() for x in leaves]


def each(loss, **options):
    """The loss of every element against a target of 0."""
    return lambda x: loss(x, ag.zeros(x.shape, dtype=x.dtype), reduction="none", **options)


def against(loss, target, **options):
    return lambda x: loss(x, np.array(target), reduction="none", **options)


LOG2 = math.log(2)

# Each row: the loss as a function of the input, the points, the values, the gradients.
ROWS = {
    "l1 at 0": (each(F.l1_loss), [0.0, -2.0], [0, 2], [0, -1]),
    "huber at delta": (
        each(F.huber_loss, delta=2.0),
        [2.0, -2.0, 0.0, 3.0, -5.0, inf, -inf],
        [2, 2, 0, 4, 8, inf, inf],
        [2, -2, 0, 2, -2, 2, -2],
    ),
    "smooth l1 at beta": (each(F.smooth_l1_loss, beta=2.0), [2.0, -2.0, 0.0, 1.0], [1, 1, 0, 0.25], [1, -1, 0, 0.5]),
    "smooth l1 with beta 0": (each(F.smooth_l1_loss, beta=0.0), [0.0, 3.0, -3.0], [0, 3, 3], [0, 1, -1]),
    "log cosh": (
        each(F.log_cosh_loss),
        [0.0, 1000.0, -1000.0, 1e-3, inf],
        [0, 1000 - LOG2, 1000 - LOG2, math.log1p(2 * math.sinh(5e-4) ** 2), inf],
        [0, 1, -1, math.tanh(1e-3), 1],
    ),
    "poisson": (against(F.poisson_nll_loss, [1.0, 2.0]), [0.0, 1000.0], [1, inf], [0, inf]),
    "hinge at the margin": (
        against(F.hinge_loss, [1.0, 1.0, -1.0, -1.0]),
        [1.0, 0.0, -1.0, 2.0],
        [0, 1, 0, 3],
        [0, -1, 0, 1],
    ),
    "squared hinge": (
        against(F.squared_hinge_loss, [1.0, 1.0, -1.0, -1.0]),
        [1.0, 0.0, -1.0, 2.0],
        [0, 1, 0, 9],
        [0, -2, 0, 6],
    ),
    "soft margin": (
        against(F.soft_margin_loss, [1.0, 1.0, 1.0, -1.0]),
        [0.0, 1000.0, -1000.0, inf],
        [LOG2, 0, 1000, inf],
        [-0.5, 0, -1, 1],
    ),
    "hinge embedding at the margin": (
        against(F.hinge_embedding_loss, [1.0, -1.0, -1.0, -1.0]),
        [0.5, 1.0, 2.0, 0.25],
        [0.5, 0, 0, 0.75],
        [1, 0, 0, -1],
    ),
    "multi margin at the margin": (lambda x: F.multi_margin_loss(x, 0), [2.0, 1.0, 0.0], 0, [0, 0, 0]),
    "focal": (
        against(F.sigmoid_focal_loss, [1.0, 1.0, 1.0, 0.0, 0.0], alpha=None),
        [0.0, inf, -inf, inf, -inf],
        [LOG2 / 4, 0, inf, inf, 0],
        [-1 / 8 - LOG2 / 4, 0, -1, 1, 0],
    ),
    "cross-entropy as focal": (
        against(F.sigmoid_focal_loss, [1.0, 0.0], alpha=0.25, gamma=0.0),
        [0.0, 0.0],
        [LOG2 / 4, 3 * LOG2 / 4],
        [-1 / 8, 3 / 8],
    ),
    "kl with a target of 0": (against(F.kl_div, [0.0, 0.0, 0.5]), [-inf, -3.0, math.log(0.25)], [0, 0, LOG2 / 2],
                              [0, 0, -0.5]),
    "kl with a log-target of -inf": (
        against(F.kl_div, [-inf, -inf, math.log(0.5)], log_target=True),
        [-inf, -3.0, math.log(0.25)],
        [0, 0, LOG2 / 2],
        [0, 0, -0.5],
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_kinks_and_extremes(row):
    loss, x, value, slope = ROWS[row]
    found, dx = graded(loss, x)
    np.testing.assert_allclose(found, value, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(dx, slope, rtol=1e-12, atol=1e-300)


def test_kl_with_a_target_of_0_has_finite_gradients_by_the_target():
    _, _, dt = graded(lambda x, t: F.kl_div(x, t, reduction="sum"), [-2.0, -3.0], [0.0, 0.5])
    np.testing.assert_allclose(dt, [2, math.log(0.5) + 1 + 3])


# Beside PyTorch, with the options its own samples do not reach, also at second order.


def differentiated(engine, grad, loss, arrays, order):
    """The value, the gradients, and those of the gradients' and inputs' squares (a linear loss has only the latter)."""
    leaves = [engine.tensor(a, requires_grad=True) for a in arrays]
    value = loss(*leaves)
    weights = engine.tensor(np.cos(np.arange(float(np.prod(value.shape)))).reshape(value.shape))
    first = grad((value * weights).sum(), leaves, create_graph=order == 2)
    if order == 1:
        return [value, *first]
    second = grad(sum((g * g + x * x).sum() for g, x in zip(first, leaves, strict=True)), leaves)
    return [value, *first, *second]


def compare(ours, theirs, arrays, order):
    torch = pytest.importorskip("torch")
    found = differentiated(ag, ag.grad, ours, arrays, order)
    expected = differentiated(torch, torch.autograd.grad, theirs, arrays, order)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == tuple(b.shape)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-10)


SIGNS = np.array([1.0, -1.0, -1.0, 1.0, 1.0])
CASES = [
    ("mse_loss", [(4, 3)] * 2, (), {"weight": np.linspace(0.5, 2, 12).reshape(4, 3)}),
    ("huber_loss", [(4, 3)] * 2, (), {"delta": 0.5}),
    ("smooth_l1_loss", [(4, 3)] * 2, (), {"beta": 0.5}),
    ("gaussian_nll_loss", [(4, 3), (4, 3), "positive (4, 3)"], (), {"full": True}),
    ("gaussian_nll_loss", [(4, 3), (4, 3), "positive (4, 1)"], (), {}),
    ("gaussian_nll_loss", [(4, 3), (4, 3), "positive (4,)"], (), {"eps": 0.7}),
    ("poisson_nll_loss", [(4, 3), "positive (4, 3)"], (), {"full": True}),
    ("poisson_nll_loss", ["positive (4, 3)"] * 2, (), {"log_input": False}),
    ("kl_div", [(4, 3), "positive (4, 3)"], (), {}),
    ("kl_div", [(4, 3)] * 2, (), {"log_target": True}),
    ("hinge_embedding_loss", [(5,)], (SIGNS,), {"margin": 1.3}),
    ("margin_ranking_loss", [(5,)] * 2, (SIGNS,), {"margin": 0.4}),
    ("soft_margin_loss", [(5,)], (SIGNS,), {}),
    ("cosine_embedding_loss", [(5, 3)] * 2, (SIGNS,), {"margin": -0.2}),
    ("cosine_embedding_loss", [(3,)] * 2, (np.array(-1.0),), {"margin": -0.2}),
    ("multi_margin_loss", [(5, 4)], (np.array([0, 3, 3, 1, 2]),), {"p": 2, "weight": np.linspace(0.5, 2, 4)}),
    ("multi_margin_loss", [(4,)], (np.array(2),), {"p": 2, "margin": 0.5}),
    ("multilabel_margin_loss", [(3, 4)], (np.array([[3, 0, -1, 1], [-1, 2, 2, 2], [0, 1, 2, 3]]),), {}),
    ("multilabel_margin_loss", [(4,)], (np.array([3, 0, 3, -1]),), {}),
    ("multilabel_soft_margin_loss", [(5, 4)], (np.linspace(0, 1, 20).reshape(5, 4),), {"weight": np.linspace(1, 2, 4)}),
    ("triplet_margin_loss", [(5, 3)] * 3, (), {"swap": True, "p": 3}),
    ("triplet_margin_loss", [(3,)] * 3, (), {"margin": 2.0}),
    ("triplet_margin_with_distance_loss", [(5, 3)] * 3, (), {"swap": True, "margin": 2.0}),
    ("mse_loss", [()] * 2, (), {}),
    ("huber_loss", [(0, 2)] * 2, (), {"reduction": "sum"}),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")  # PyTorch's, of kl_div
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda i: f"{CASES[i][0]}-{i}")
def test_same_as_pytorch(case, reduction, rng):
    torch = pytest.importorskip("torch")
    name, shapes, constants, options = CASES[case]
    options = {"reduction": reduction, **options}
    arrays = [
        rng.uniform(0.2, 3, size=eval(shape.removeprefix("positive")))
        if isinstance(shape, str)
        else rng.normal(size=shape)
        for shape in shapes
    ]
    torchs = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    compare(
        lambda *leaves: getattr(F, name)(*leaves, *constants, **options),
        lambda *leaves: getattr(torch.nn.functional, name)(*leaves, *map(torch.tensor, constants), **torchs),
        arrays,
        1 if name in ("multi_margin_loss", "multilabel_margin_loss") else 2,  # PyTorch has no second order of these
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_l1_with_weights(reduction, rng):
    torch = pytest.importorskip("torch")
    x, y, w = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.uniform(0.5, 2, size=(4, 3))
    value, dx = graded(lambda a: F.l1_loss(a, y, weight=w, reduction=reduction), x)
    a = torch.tensor(x, requires_grad=True)
    expected = torch.nn.functional.l1_loss(a, torch.tensor(y), weight=torch.tensor(w), reduction=reduction)
    expected.sum().backward()
    np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(dx, a.grad.numpy(), rtol=1e-12)


def test_batchmean():
    torch = pytest.importorskip("torch")
    x, p = np.log([[0.25, 0.75], [0.5, 0.5]]), np.array([[0.5, 0.5], [0.125, 0.875]])
    ours = F.kl_div(x, p, reduction="batchmean").item()
    theirs = torch.nn.functional.kl_div(torch.tensor(x), torch.tensor(p), reduction="batchmean").item()
    assert ours == pytest.approx(theirs, rel=1e-12)
    assert ours == pytest.approx((p * (np.log(p) - x)).sum() / 2, rel=1e-12)


# Closed forms of what PyTorch has not


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: F.huber_loss(x, np.linspace(-1, 1, 7), delta=0.6),
        lambda x: F.log_cosh_loss(x, np.linspace(-1, 1, 7)),
        lambda x: F.squared_hinge_loss(x, np.sign(np.arange(7.0) - 2.5)),
        lambda x: F.multi_margin_loss(x, 2, p=2),
        lambda x: F.sigmoid_focal_loss(x, np.arange(7) % 2, gamma=1.5),
        lambda x: F.focal_loss(x, 3, np.linspace(0.5, 2, 7), gamma=0.5),
        lambda x: F.dice_loss(ag.sigmoid(x).reshape(1, 7), (np.arange(7.0) % 2).reshape(1, 7)),
        lambda x: F.gan_discriminator_loss(x[:3], x[3:]),
        F.minimax_generator_loss,
        F.non_saturating_generator_loss,
    ],
    ids=[
        "huber",
        "log_cosh",
        "squared_hinge",
        "multi_margin",
        "sigmoid_focal",
        "focal",
        "dice",
        "gan",
        "minimax",
        "non_saturating",
    ],
)
def test_both_derivatives(loss):
    x = np.array([-2.1, -0.8, 0.0, 0.3, 0.9, 1.7, 2.6])
    weights = np.sin(1 + np.arange(7.0))

    def first(values):
        leaf = ag.tensor(values, requires_grad=True)
        return ag.grad(loss(leaf), leaf)[0].numpy()

    np.testing.assert_allclose(first(x), gradient(lambda v: loss(ag.tensor(v)).item(), x), rtol=1e-8, atol=1e-9)
    leaf = ag.tensor(x, requires_grad=True)
    (once,) = ag.grad(loss(leaf), leaf, create_graph=True)
    (twice,) = ag.grad((once * weights).sum(), leaf)
    np.testing.assert_allclose(twice.numpy(), gradient(lambda v: float(first(v) @ weights), x), rtol=1e-7, atol=1e-8)


def test_squared_errors_are_smooth_at_0():
    for loss, curve in [(F.huber_loss, 1), (F.log_cosh_loss, 1), (F.smooth_l1_loss, 1), (F.mse_loss, 2)]:
        x = ag.zeros(1, dtype=ag.float64, requires_grad=True)
        (first,) = ag.grad(loss(x, [0.0]), x, create_graph=True)
        assert (first.item(), ag.grad(first.sum(), x)[0].item()) == (0, curve)


def test_multiclass_hinge_of_the_course():
    """The worked example of CS231n: three images, three classes."""
    scores = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
    loss = F.multiclass_hinge_loss(scores, [0, 1, 2], reduction="none")
    np.testing.assert_allclose(loss.numpy(), [2.9, 0, 12.9])
    assert F.multiclass_hinge_loss(scores, [0, 1, 2]).item() == pytest.approx(15.8 / 3)
    np.testing.assert_allclose(
        F.multiclass_hinge_loss(scores, [0, 1, 2], over="max", reduction="none").numpy(), [2.9, 0, 6.6]
    )
    mean = F.multi_margin_loss(scores, [0, 1, 2], reduction="none").numpy()
    np.testing.assert_allclose(3 * mean, [2.9, 0, 12.9])


def test_focal_losses_are_weighted_cross_entropies(rng):
    z, y = rng.normal(scale=3, size=(6, 4)), rng.integers(0, 4, size=6)
    alpha = np.array([0.5, 1.0, 2.0, 3.0])
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    right = p[np.arange(6), y]
    for gamma in (0.0, 0.5, 2.0):
        expected = -alpha[y] * (1 - right) ** gamma * np.log(right)
        found = F.focal_loss(z, y, alpha, gamma, reduction="none").numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert F.focal_loss(z, y, gamma=0.0).item() == pytest.approx(F.cross_entropy(z, y).item(), rel=1e-12)
    t = (rng.uniform(size=(6, 4)) < 0.5).astype(float)
    s = 1 / (1 + np.exp(-z))
    right = np.where(t == 1, s, 1 - s)
    expected = -np.where(t == 1, 0.25, 0.75) * (1 - right) ** 2 * np.log(right)
    np.testing.assert_allclose(F.sigmoid_focal_loss(z, t, reduction="none").numpy(), expected, rtol=1e-10)


def test_focal_loss_of_images(rng):
    z, y = rng.normal(size=(2, 3, 2, 2)), rng.integers(0, 3, size=(2, 2, 2))
    flat = F.focal_loss(np.moveaxis(z, 1, -1).reshape(8, 3), y.ravel(), reduction="none").numpy()
    np.testing.assert_allclose(F.focal_loss(z, y, reduction="none").numpy().ravel(), flat, rtol=1e-12)


def test_focal_loss_of_the_sure():
    """Where the right class is certain to rounding, the loss and its gradient are 0, not NaN."""
    for gamma in (0.5, 2.0):
        value, dz = graded(lambda z, g=gamma: F.focal_loss(z, [0], gamma=g), [[1000.0, 0.0]])
        assert value == 0
        assert dz.tolist() == [[0, 0]]


def test_dice():
    p, y = np.array([[0.5, 1.0, 0.0], [0.0, 0.0, 0.0]]), np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    loss = F.dice_loss(p, y, reduction="none").numpy()
    np.testing.assert_allclose(loss, [1 - (3 + 1) / (1.5 + 2 + 1), 0])
    assert F.dice_loss(p, y, dim=(0, 1), smooth=0).item() == pytest.approx(1 - 3 / 3.5)
    assert F.dice_loss(y, y, smooth=1e-3).item() == pytest.approx(0)


def test_adversaries(rng):
    real, fake = rng.normal(size=(5, 1)), rng.normal(size=(3, 1))
    d_real, d_fake = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))
    expected = -np.log(d_real).mean() - np.log(1 - d_fake).mean()
    assert F.gan_discriminator_loss(real, fake).item() == pytest.approx(expected, rel=1e-12)
    assert F.minimax_generator_loss(fake).item() == pytest.approx(np.log(1 - d_fake).mean(), rel=1e-12)
    assert F.non_saturating_generator_loss(fake).item() == pytest.approx(-np.log(d_fake).mean(), rel=1e-12)
    value, d_real, d_fake = graded(F.wasserstein_critic_loss, real, fake)
    assert value == pytest.approx(fake.mean() - real.mean(), rel=1e-12)
    np.testing.assert_allclose(d_real, -1 / 5)
    np.testing.assert_allclose(d_fake, 1 / 3)
    assert F.wasserstein_generator_loss(fake).item() == pytest.approx(-fake.mean(), rel=1e-12)


def test_a_sure_discriminator_starves_only_the_minimax_generator():
    _, starved = graded(F.minimax_generator_loss, [-1000.0])
    _, fed = graded(F.non_saturating_generator_loss, [-1000.0])
    assert (starved.item(), fed.item()) == (0, -1)


def test_distances_of_equal_vectors_have_gradients():
    value, *grads = graded(F.triplet_margin_loss, [[1.0, 2.0]], [[1.0, 2.0]], [[1.0, 2.0]])
    assert value == pytest.approx(1)
    assert np.isfinite(grads).all()


def test_cosine_with_the_zero_vector():
    for sign, expected in [(1.0, 1.0), (-1.0, 0.0)]:
        value, da, db = graded(lambda a, b, s=sign: F.cosine_embedding_loss(a, b, [s]), [[0.0, 0.0]], [[3.0, 4.0]])
        assert value == expected
        assert (da.tolist(), db.tolist()) == ([[0, 0]], [[0, 0]])


def test_a_small_variance_counts_as_eps():
    value, dv = graded(lambda v: F.gaussian_nll_loss([1.0], [3.0], v, eps=0.5), [0.0])
    assert value == pytest.approx(0.5 * (math.log(0.5) + 8))
    assert dv == pytest.approx(0.5 * (2 - 16))  # of the loss at eps: the limit does not stop it
    assert F.gaussian_nll_loss(ag.ones(2, 3), ag.zeros(2, 3), 2.0).item() == pytest.approx(0.5 * (LOG2 + 0.5))


PAIRS = {
    name: (getattr(F, name), target)
    for name, target in [
        ("mse_loss", 1), ("l1_loss", 1), ("huber_loss", 1), ("smooth_l1_loss", 1), ("log_cosh_loss", 1),
        ("poisson_nll_loss", 1), ("kl_div", 1), ("hinge_loss", 1), ("squared_hinge_loss", 1),
        ("soft_margin_loss", 1), ("hinge_embedding_loss", -1), ("sigmoid_focal_loss", 1),
        ("multilabel_soft_margin_loss", 1), ("multilabel_margin_loss", 0), ("dice_loss", 1),
    ]
}  # fmt: skip
PAIRS["gaussian_nll_loss"] = (lambda x, t, **o: F.gaussian_nll_loss(x, t, ag.ones(()), **o), 1)
PAIRS["margin_ranking_loss"] = (lambda x, t, **o: F.margin_ranking_loss(x, x, t, **o), 1)


@pytest.mark.parametrize("name", PAIRS)
def test_losses_do_not_broadcast(name):
    loss, _ = PAIRS[name]
    with pytest.raises(
        ValueError, match=rf"{name}: input1? of shape \(4, 1\) and target of shape \(4,\) differ; .*not br"
    ):
        loss(ag.ones(4, 1), ag.ones(4))


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", [ag.float32, ag.float64])
def test_dtypes_and_reductions(name, dtype):
    loss, target = PAIRS[name]
    values = {}
    for reduction in REDUCTIONS:
        x = ag.tensor([[0.2, 0.4, 0.6], [0.3, 0.5, 0.9]], dtype=dtype, requires_grad=True)
        value = loss(x, ag.full((2, 3), target), reduction=reduction)
        assert value.dtype == dtype
        value.sum().backward()
        assert (x.grad.dtype, x.grad.shape) == (dtype, x.shape)
        values[reduction] = value.detach().numpy()
    assert values["none"].sum() == pytest.approx(values["sum"], rel=1e-6)
    assert values["none"].mean() == pytest.approx(values["mean"], rel=1e-6)
    with pytest.raises(ValueError, match=r"expected reduction 'none', 'mean'.* 'sum', got 'avg'"):
        loss(x, x, reduction="avg")


ONE = ag.ones(1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.mse_loss([1.0], [1.0], weight=[1.0, 2.0]), ValueError, r"weight of shape \(2,\) and input .*"),
        (lambda: F.huber_loss(ONE, ONE, delta=0), ValueError, "huber_loss: delta must be above 0, got 0"),
        (lambda: F.smooth_l1_loss(ONE, ONE, beta=-1), ValueError, "beta must be at least 0, got -1"),
        (lambda: F.gaussian_nll_loss(ONE, ONE, [-1.0]), ValueError, r"at least 0, but var\[0\] is -1.0"),
        (lambda: F.gaussian_nll_loss(ONE, ONE, -1.0), ValueError, r"at least 0, but var\[0\] is -1.0"),
        (
            lambda: F.gaussian_nll_loss(ag.ones(2, 3), ag.ones(2, 3), ag.ones(3)),
            ValueError,
            r"for input of shape \(2, 3\) expected var .* of shape \(2,\) or \(\), got \(3,\)",
        ),
        (lambda: F.gaussian_nll_loss(ag.ones(2, 3), ag.ones(2, 3), ag.ones(1, 1)), ValueError, r"got \(1, 1\)"),
        (lambda: F.kl_div(1.0, 1.0, reduction="batchmean"), ValueError, "kl_div: batchmean .* 0-d"),
        (lambda: F.kl_div(ONE, ONE, reduction="avg"), ValueError, "'none', 'mean', 'batchmean' or 'sum', got 'avg'"),
        (lambda: F.hinge_loss([1.0, 1.0], [1.0, 0.0]), ValueError, r"-1 and 1, but target\[1\] is 0.0; .*2 \* target"),
        (lambda: F.hinge_embedding_loss([1.0], [0.5]), ValueError, r"target\[0\] is 0.5"),
        (lambda: F.cosine_embedding_loss([[1.0]], [[1.0]], [0]), ValueError, r"target\[0\] is 0"),
        (lambda: F.cosine_embedding_loss([[1.0]], [[1.0]], [[1]]), ValueError, r"target of shape \(1, 1\)"),
        (lambda: F.cosine_embedding_loss([[1.0]], [1.0], [1]), ValueError, r"input1 of .* and input2 of shape \(1,"),
        (lambda: F.sigmoid_focal_loss([1.0], [-1.0]), ValueError, r"targets 0 and 1, but target\[0\] is -1.0"),
        (lambda: F.sigmoid_focal_loss([1.0], [1.0], alpha=2), ValueError, r"expected alpha in \[0, 1\], got 2"),
        (lambda: F.sigmoid_focal_loss([1.0], [1.0], gamma=-1), ValueError, "gamma must be at least 0, got -1"),
        (lambda: F.focal_loss([[1.0]], [1]), IndexError, r"focal_loss: target\[0\] is 1, .*: expected 0 to 0$"),
        (lambda: F.focal_loss([[1.0]], [0], [1.0, 2.0]), ValueError, r"shape \(1,\), got \(2,\)"),
        (lambda: F.focal_loss([[1.0]], [0], gamma=-1), ValueError, "focal_loss: gamma"),
        (lambda: F.dice_loss([[1.5]], [[1.0]]), ValueError, r"dice_loss: .*input\[0, 0\] is 1.5; apply sigmoid"),
        (lambda: F.dice_loss([0.5], [1.0]), ValueError, r"dice_loss: expected input of shape \(N, ...\), .*\(1,\)"),
        (lambda: F.multi_margin_loss([[1.0, 2.0]], [2]), IndexError, r"target\[0\] is 2"),
        (lambda: F.multi_margin_loss([[1.0, 2.0]], [1], p=3), ValueError, "expected p 1 or 2, got 3"),
        (lambda: F.multi_margin_loss(ag.ones(2, 3), [[1], [1]]), ValueError, r"integer classes of shape \(2,\)"),
        (lambda: F.multi_margin_loss(ag.ones(1, 3, 1), [[1]]), ValueError, r"\(C,\) or \(N, C\), got \(1, 3, 1\)"),
        (lambda: F.multi_margin_loss([[1.0, 2.0]], [1], weight=[1.0]), ValueError, r"shape \(2,\), got \(1,\)"),
        (lambda: F.multiclass_hinge_loss([[1.0]], [0], over="mean"), ValueError, "over 'sum' or 'max', got 'mean'"),
        (lambda: F.multilabel_margin_loss([1.0, 2.0], [0, 2]), IndexError, r"target\[1\] is 2, .* or -1 after"),
        (lambda: F.multilabel_margin_loss([1.0], [0.0]), TypeError, "expected integer classes, got float32"),
        (lambda: F.multilabel_margin_loss(1.0, 0), ValueError, "multilabel_margin_loss: .*0-d"),
        (lambda: F.multilabel_soft_margin_loss(1.0, 0.0), ValueError, "multilabel_soft_margin_loss: .*0-d"),
        (lambda: F.multilabel_soft_margin_loss(ONE, ONE, [1, 2]), ValueError, "multilabel_soft_margin_loss: weight of"),
        (lambda: F.triplet_margin_loss(ONE, ONE, ag.ones(2)), ValueError, r"anchor of .* negative of shape \(2,\)"),
        (lambda: F.triplet_margin_loss(ONE, ONE, ONE, margin=0), ValueError, "margin must be above 0, got 0"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
