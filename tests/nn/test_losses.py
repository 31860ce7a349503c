"""Losses: values, gradients and second order against PyTorch with all options; conventions at the edges."""

import itertools

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

F = nn.functional
inf = np.inf
REDUCTIONS = ["none", "mean", "sum"]


def check(ours, theirs, arrays, constants=()):
    """Value, gradients and gradient of the gradients' squares by every array, ours against PyTorch's, in float64."""
    import torch

    mine, their = [], []
    for engine, grad, found, loss in [(ag, ag.grad, mine, ours), (torch, torch.autograd.grad, their, theirs)]:
        leaves = [engine.tensor(a, requires_grad=True) for a in arrays]
        value = loss(*leaves, *map(engine.tensor, constants))
        weights = engine.tensor(np.cos(np.arange(float(np.prod(value.shape)))).reshape(value.shape))
        first = grad((value * weights).sum(), leaves, create_graph=True)
        second = grad(sum((g * g).sum() for g in first), leaves, allow_unused=True)
        found += [value, *first, *(leaf * 0 if s is None else s for leaf, s in zip(leaves, second, strict=True))]
    for a, b in zip(mine, their, strict=True):
        assert a.shape == tuple(b.shape)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
@pytest.mark.parametrize("shape", [(3, 4), (5,), ()])
def test_numbers(name, reduction, shape, rng):
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
    arrays = [rng.normal(size=shape), rng.normal(size=shape)]
    if name == "l1_loss":  # its gradient is constant
        x, y = (ag.tensor(a, requires_grad=True) for a in arrays)
        p, q = (torch.tensor(a, requires_grad=True) for a in arrays)
        ours(x, y, reduction=reduction).sum().backward()
        theirs(p, q, reduction=reduction).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), p.grad.numpy(), rtol=1e-12)
        np.testing.assert_allclose(y.grad.numpy(), q.grad.numpy(), rtol=1e-12)
    else:
        check(lambda x, y: ours(x, y, reduction=reduction), lambda x, y: theirs(x, y, reduction=reduction), arrays)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(4, 3), (5,), ()])
def test_binary_cross_entropy(reduction, weighted, shape, rng):
    torch = pytest.importorskip("torch")
    p, y = rng.uniform(0.05, 0.95, size=shape), rng.uniform(size=shape)
    weight = rng.uniform(0.5, 2, size=shape[-1:]) if weighted else None
    check(
        lambda x: F.binary_cross_entropy(x, ag.tensor(y), weight, reduction=reduction),
        lambda x: torch.nn.functional.binary_cross_entropy(
            x, torch.tensor(y), None if weight is None else torch.tensor(weight), reduction=reduction
        ),
        [p],
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("weighted", "pos_weighted"), list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize("shape", [(4, 3), (5,), ()])
def test_binary_cross_entropy_with_logits(reduction, weighted, pos_weighted, shape, rng):
    torch = pytest.importorskip("torch")
    z, y = rng.normal(scale=3, size=shape), rng.uniform(size=shape)
    weight = rng.uniform(0.5, 2, size=shape) if weighted else None
    pos_weight = rng.uniform(0.5, 2, size=shape[-1:]) if pos_weighted else None
    check(
        lambda x, t: F.binary_cross_entropy_with_logits(x, t, weight, reduction=reduction, pos_weight=pos_weight),
        lambda x, t: torch.nn.functional.binary_cross_entropy_with_logits(
            x,
            t,
            None if weight is None else torch.tensor(weight),
            reduction=reduction,
            pos_weight=None if pos_weight is None else torch.tensor(pos_weight),
        ),
        [z, y],
    )


CLASSES = [((5, 4), (5,)), ((4,), ()), ((3, 4, 2), (3, 2)), ((2, 4, 3, 2), (2, 3, 2)), ((5, 1), (5,))]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("smoothing", "ignored"), [(0.0, None), (0.0, 1), (0.2, None), (0.2, -100), (1.0, -7)])
@pytest.mark.parametrize(("shape", "target_shape"), CLASSES)
def test_cross_entropy_of_classes(reduction, weighted, smoothing, ignored, shape, target_shape, rng):
    torch = pytest.importorskip("torch")
    classes = shape[min(len(shape) - 1, 1)]
    target = rng.integers(0, classes, size=target_shape)
    if ignored is not None and target.size > 1:
        target.ravel()[::3] = min(ignored, classes - 1)
    options = {
        "reduction": reduction,
        "label_smoothing": smoothing,
        "ignore_index": -100 if ignored is None else ignored,
    }
    weight = rng.uniform(0.5, 2, size=classes) if weighted else None
    check(
        lambda x: F.cross_entropy(x, target, weight, **options),
        lambda x: torch.nn.functional.cross_entropy(
            x, torch.tensor(target), None if weight is None else torch.tensor(weight), **options
        ),
        [rng.normal(scale=2, size=shape)],
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [shape for shape, _ in CLASSES])
def test_cross_entropy_of_soft_targets(reduction, weighted, smoothing, shape, rng):
    torch = pytest.importorskip("torch")
    dim = min(len(shape) - 1, 1)
    target = rng.uniform(0.1, 1, size=shape)
    target /= target.sum(dim, keepdims=True)
    weight = rng.uniform(0.5, 2, size=shape[dim]) if weighted else None
    options = {"reduction": reduction, "label_smoothing": smoothing}
    check(
        lambda x, t: F.cross_entropy(x, t, weight, **options),
        lambda x, t: torch.nn.functional.cross_entropy(
            x, t, None if weight is None else torch.tensor(weight), **options
        ),
        [rng.normal(scale=2, size=shape), target],
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("shape", "target_shape"), CLASSES)
def test_nll(reduction, weighted, shape, target_shape, rng):
    torch = pytest.importorskip("torch")
    classes = shape[min(len(shape) - 1, 1)]
    target = rng.integers(0, classes, size=target_shape)
    weight = rng.uniform(0.5, 2, size=classes) if weighted else None
    x = rng.normal(size=shape)
    ours, theirs = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    a = F.nll_loss(ours, target, weight, reduction=reduction)
    b = torch.nn.functional.nll_loss(
        theirs, torch.tensor(target), None if weight is None else torch.tensor(weight), reduction=reduction
    )
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
    a.sum().backward()
    b.sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-12)


def test_one_hot_targets_are_classes(rng):
    z, y = rng.normal(size=(6, 4)), rng.integers(0, 4, size=6)
    soft = F.one_hot(y, 4).double()
    assert F.cross_entropy(z, soft).item() == pytest.approx(F.cross_entropy(z, y).item(), rel=1e-12)


# Conventions


def graded(loss, *arrays):
    """The value, and the gradients by every array."""
    leaves = [ag.tensor(np.asarray(a, np.float64), requires_grad=True) for a in arrays]
    value = loss(*leaves)
    value.sum().backward()
    return value.detach().numpy(), *[leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("weights", [{}, {"pos_weight": [3.0]}, {"weight": [1.0]}])
def test_logits_at_the_extremes(weights):
    z = [1000.0, -1000.0, inf, -inf, 0.0]
    for y, value, gradient in [
        (0.0, [1000, 0, inf, 0, np.log(2)], [1, 0, 1, 0, 0.5]),
        (1.0, [0, 1000, 0, inf, np.log(2)], [0, -1, 0, -1, -0.5]),
    ]:
        scale = 3 if y and "pos_weight" in weights else 1

        def loss(x, y=y):
            return F.binary_cross_entropy_with_logits(x, np.full(5, y), reduction="none", **weights)

        out, dz = graded(loss, z)
        np.testing.assert_allclose(out, scale * np.array(value), rtol=1e-15)
        np.testing.assert_allclose(dz, scale * np.array(gradient), rtol=1e-15)


def test_logits_keep_their_accuracy():
    """float32 losses of well classified examples do not round to 0."""
    z = np.array([20.0, -20.0], np.float32)
    loss = F.binary_cross_entropy_with_logits(z, np.array([1.0, 0.0], np.float32), reduction="none")
    assert loss.dtype == ag.float32
    np.testing.assert_allclose(loss.numpy(), np.log1p(np.exp(-20.0)), rtol=1e-6)


def test_logits_at_0_have_a_second_derivative():
    z = ag.zeros(1, dtype=ag.float64, requires_grad=True)
    (first,) = ag.grad(F.binary_cross_entropy_with_logits(z, [0.3]), z, create_graph=True)
    (second,) = ag.grad(first.sum(), z)
    assert first.item() == pytest.approx(0.2)
    assert second.item() == 0.25


def test_probabilities_at_the_extremes():
    value, dp = graded(
        lambda p: F.binary_cross_entropy(p, [1.0, 0.0, 0.0, 1.0], reduction="none"), [0.0, 1.0, 0.0, 1.0]
    )
    assert value.tolist() == [100, 100, 0, 0]
    assert np.isfinite(dp).all()
    assert dp[2:].tolist() == [1, -1]
    for wrong, at in [([[0.5, 0.5], [0.2, 1.5]], r"input\[1, 1\] is 1.5"), ([-0.1], r"input\[0\] is -0.1")]:
        with pytest.raises(ValueError, match=f"binary_cross_entropy: .*{at}.*with_logits"):
            F.binary_cross_entropy(wrong, np.zeros(np.shape(wrong)))


def test_l1_is_flat_where_equal():
    value, dx, dy = graded(F.l1_loss, [1.0], [1.0])
    assert (value, dx, dy) == (0, 0, 0)


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
def test_every_target_ignored(loss):
    for target, options in [([-100, -100], {}), ([1, 1], {"ignore_index": 1})]:
        with pytest.warns(RuntimeWarning, match="every target is ignore_index"):
            value, dx = graded(lambda x, t=target, o=options: loss(x, t, **o), [[1.0, 2.0], [3.0, 4.0]])
        assert value == 0
        assert dx.tolist() == [[0, 0], [0, 0]]


def test_ignored_targets_have_no_part():
    value, dx = graded(lambda x: F.cross_entropy(x, [0, -100]), [[1.0, 2.0], [3.0, 4.0]])
    alone, gradient = graded(lambda x: F.cross_entropy(x, [0]), [[1.0, 2.0]])
    assert value == alone
    np.testing.assert_allclose(dx, [*gradient, [0, 0]])


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
@pytest.mark.parametrize(
    ("shape", "target", "message"),
    [
        ((2, 3), [0, 3], r"target\[1\] is 3, but there are 3 classes: expected 0 to 2, or ignore_index=-100"),
        ((2, 3), [-1, 0], r"target\[0\] is -1"),
        ((1, 3, 2), [[0, 7]], r"target\[0, 1\] is 7"),
        ((3,), 5, "target is 5"),
    ],
)
def test_targets_out_of_range(loss, shape, target, message):
    with pytest.raises(IndexError, match=message):
        loss(np.zeros(shape), target)


def test_soft_targets_on_minus_infinity():
    value, dz, dt = graded(
        lambda z, t: F.cross_entropy(z, t, reduction="none"), [[0.0, -inf, 1.0]], [[0.25, 0.0, 0.75]]
    )
    expected, gradient = graded(lambda z: F.cross_entropy(z, [[0.25, 0.75]], reduction="none"), [[0.0, 1.0]])
    np.testing.assert_allclose(value, expected)
    np.testing.assert_allclose(dz, [[gradient[0, 0], 0.0, gradient[0, 1]]])
    assert dt[0, 1] == 0
    weighted, dz = graded(lambda z: F.cross_entropy(z, [0, 1], [1.0, 0.0]), [[0.0, -1.0], [0.0, -inf]])
    assert weighted == pytest.approx(np.log1p(np.exp(-1)))
    assert np.isfinite(dz).all()


def test_class_targets_beside_minus_infinity():
    value, dz = graded(lambda z: F.cross_entropy(z, [2]), [[0.0, -inf, 1.0]])
    assert value == pytest.approx(np.log1p(np.exp(-1)))
    assert dz[0, 1] == 0
    assert np.isfinite(dz).all()


def test_soft_targets_must_sum_to_1():
    logits, target = np.zeros((2, 2)), [[0.5, 0.5], [0.5, 0.75]]
    with pytest.raises(ValueError, match=r"sum to 1 over dim 1, but at \[1\] they sum to 1.25; .*allow_unnormalized"):
        F.cross_entropy(logits, target)
    assert F.cross_entropy(logits, target, allow_unnormalized=True).item() == pytest.approx(2.25 / 2 * np.log(2))
    with pytest.raises(ValueError, match="at the only row they sum to 2"):
        F.cross_entropy([0.0, 0.0], [1.0, 1.0])
    assert np.isfinite(F.cross_entropy(logits, np.full((2, 2), 0.5, np.float32) + np.float32(1e-5)).item())


LOSSES = [F.mse_loss, F.l1_loss, F.binary_cross_entropy, F.binary_cross_entropy_with_logits]


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_do_not_broadcast(loss):
    with pytest.raises(ValueError, match=r"\(4, 1\) and target of shape \(4,\) differ; .*; use target.reshape\(\(4, 1"):
        loss(ag.ones(4, 1), ag.ones(4))
    with pytest.raises(ValueError, match=r"a loss does not broadcast$"):
        loss(ag.ones(4), ag.tensor(1.0))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        *[
            (lambda f=f: f(ag.ones(2), ag.ones(2), reduction="avg"), ValueError, "'none', 'mean' or 'sum', got 'avg'")
            for f in LOSSES
        ],
        (lambda: F.cross_entropy(ag.ones(2, 3), [0, 1], reduction="avg"), ValueError, "got 'avg'"),
        (lambda: F.nll_loss(ag.ones(2, 3), [0, 1], reduction="avg"), ValueError, "got 'avg'"),
        (lambda: F.cross_entropy(ag.ones(2, 3), [0]), ValueError, r"integer classes of shape \(2,\), got int64 .*\(1,"),
        (lambda: F.cross_entropy(ag.ones(4, 3), [[0]] * 4), ValueError, r"of shape \(4,\), got int64 of shape \(4, 1"),
        (lambda: F.cross_entropy(ag.ones(2, 2), [[0, 1]] * 2), ValueError, "probabilities must be floating"),
        (lambda: F.cross_entropy(ag.ones(2, 3), [0.0, 1.0]), ValueError, r"probabilities .* target.long\(\)"),
        (lambda: F.nll_loss(ag.ones(2, 3), [0.0, 1.0]), TypeError, "integer classes, got float32"),
        (lambda: F.cross_entropy(ag.ones(2, 3), [True, False]), TypeError, "integer classes, got bool"),
        (lambda: F.cross_entropy(ag.tensor(1.0), 0), ValueError, "0-d"),
        (lambda: F.cross_entropy(ag.ones(2, 3), [0, 1], [1.0]), ValueError, r"shape \(3,\), got \(1,\)"),
        (lambda: F.cross_entropy(ag.ones(2, 3), [0, 1], label_smoothing=1.5), ValueError, r"\[0, 1\], got 1.5"),
        (lambda: F.cross_entropy([[0.0]], [[1.0]], ignore_index=0), ValueError, "needs integer targets"),
        (lambda: F.binary_cross_entropy([0.5], [0.5], [1, 2]), ValueError, r"weight of shape \(2,\) does not"),
        (
            lambda: F.binary_cross_entropy_with_logits([0.5], [0.5], pos_weight=[[1.0]]),
            ValueError,
            r"pos_weight of shape \(1, 1\) does not broadcast to \(1,\)",
        ),
        (lambda: F.binary_cross_entropy([0.5, 0.5], [0.5, 0.5], [1.0] * 3), ValueError, "does not broadcast"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("loss", LOSSES)
def test_the_mean_over_nothing_is_nan(loss):
    with pytest.warns(RuntimeWarning, match="no elements"):
        assert np.isnan(loss(ag.zeros(0), ag.zeros(0)).item())
    with pytest.warns(RuntimeWarning, match="no elements"):
        assert np.isnan(F.cross_entropy(ag.zeros(0, 3), ag.zeros(0, dtype=ag.int64)).item())
    assert loss(ag.zeros(0), ag.zeros(0), reduction="sum").item() == 0
    assert loss(ag.zeros(0), ag.zeros(0), reduction="none").shape == (0,)


@pytest.mark.parametrize("dtype", [ag.float32, ag.float64])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_dtypes(dtype, reduction):
    for loss in LOSSES:
        for target in (ag.ones(2, dtype=dtype), [0, 1]):
            x = ag.full((2,), 0.5, dtype=dtype, requires_grad=True)
            value = loss(x, target, reduction=reduction)
            assert value.dtype == dtype
            value.sum().backward()
            assert x.grad.dtype == dtype
    for target in ([0, 1], ag.full((2, 2), 0.5, dtype=dtype)):
        x = ag.ones(2, 2, dtype=dtype, requires_grad=True)
        options = {"label_smoothing": 0.1, "reduction": reduction, "weight": ag.ones(2, dtype=dtype)}
        value = F.cross_entropy(x, target, **options)
        assert value.dtype == dtype
        value.sum().backward()
        assert x.grad.dtype == dtype


def test_modules_are_the_functions(rng):
    z, y = ag.tensor(rng.normal(size=(4, 3))), ag.tensor(rng.uniform(size=(4, 3)))
    p, classes = ag.sigmoid(z), np.array([0, 1, 2, 1])
    w = ag.tensor([0.5, 1.0, 2.0])
    soft = ag.softmax(y, 1)
    for reduction in REDUCTIONS:
        for module, args, expected in [
            (nn.MSELoss(), (z, y), F.mse_loss),
            (nn.L1Loss(), (z, y), F.l1_loss),
            (nn.BCELoss(w), (p, y), F.binary_cross_entropy),
            (nn.BCEWithLogitsLoss(w, pos_weight=w), (z, y), F.binary_cross_entropy_with_logits),
            (nn.NLLLoss(w, ignore_index=1), (z, classes), F.nll_loss),
            (nn.CrossEntropyLoss(w, ignore_index=1, label_smoothing=0.1), (z, classes), F.cross_entropy),
            (nn.CrossEntropyLoss(allow_unnormalized=True), (z, 2 * soft), F.cross_entropy),
        ]:
            names = ("weight", "pos_weight", "ignore_index", "label_smoothing", "allow_unnormalized")
            options = {n: getattr(module, n) for n in names if hasattr(module, n)}
            module.reduction = reduction
            assert ag.equal(module(*args), expected(*args, reduction=reduction, **options))


def test_module_options():
    loss = nn.BCEWithLogitsLoss([1.0], pos_weight=ag.tensor([2.0]))
    assert list(loss.state_dict()) == ["weight", "pos_weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == []
    assert loss.double().weight.dtype == ag.float64
    assert repr(nn.MSELoss(reduction="sum")) == "MSELoss(reduction='sum')"
    with pytest.raises(ValueError, match="MSELoss: expected reduction"):
        nn.MSELoss(reduction="average")
    with pytest.raises(ValueError, match="label_smoothing"):
        nn.CrossEntropyLoss(label_smoothing=2)
