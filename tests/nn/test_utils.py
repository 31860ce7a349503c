"""Clipping, parameters as a vector, max-norm and penalties."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.nn import utils
from autograd_core.nn.functional.penalty import elastic_net_penalty, l1_penalty, l2_penalty

SHAPES = [(4, 3), (3,), (), (0, 2)]
ORDERS = [1.0, 2.0, 3.5, math.inf]


def arrays(scale=1.0, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [(scale * rng.normal(size=shape)).astype(dtype) for shape in SHAPES]


def parameters(gradients):
    found = [ag.tensor(np.zeros_like(g), requires_grad=True) for g in gradients]
    for p, g in zip(found, gradients, strict=True):
        p.grad = ag.tensor(g)
    return found


# Clipping


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [0.01, 10.0])
@pytest.mark.parametrize("order", ORDERS)
def test_clip_grad_norm_as_pytorch(order, scale, dtype):
    torch = pytest.importorskip("torch")
    given = [g for g in arrays(scale, dtype) if g.size]  # PyTorch refuses the largest of nothing
    mine = parameters(given)
    theirs = [torch.zeros(g.shape, dtype=torch.tensor(g).dtype, requires_grad=True) for g in given]
    for p, g in zip(theirs, given, strict=True):
        p.grad = torch.tensor(g)
    none = ag.zeros(2, requires_grad=True)
    total = utils.clip_grad_norm_((*mine, none), 1.5, order)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 1.5, order)
    tolerance = 1e-6 if dtype == np.float32 else 1e-12
    assert (total.dtype, total.shape, total.requires_grad) == (dtype, (), False)
    assert_allclose(total.item(), expected.item(), rtol=tolerance)
    for p, q in zip(mine, theirs, strict=True):
        assert p.grad.dtype == dtype
        assert_allclose(p.grad.array, q.grad.numpy(), rtol=tolerance)
    assert none.grad is None


@pytest.mark.parametrize("order", ORDERS)
def test_total_norm_is_that_of_one_long_vector(order):
    given = arrays()
    flat = np.concatenate([g.ravel() for g in given])
    total = utils.get_total_norm([ag.tensor(g) for g in given if g.size or order != math.inf], order)
    assert_allclose(total.item(), np.linalg.norm(flat, order), rtol=1e-12)


def test_clipping_is_in_place_and_in_two_steps_the_same():
    once, twice = parameters(arrays(10.0)), parameters(arrays(10.0))
    before = [p.grad for p in twice]
    utils.clip_grad_norm_(once, 2.0)
    utils.clip_grads_with_norm_(twice, 2.0, utils.get_total_norm([p.grad for p in twice]))
    for p, q, g in zip(once, twice, before, strict=True):
        assert q.grad is g
        assert_allclose(q.grad.array, p.grad.array, rtol=1e-14)
    assert_allclose(utils.get_total_norm(p.grad for p in once).item(), 2.0, rtol=1e-6)


def test_one_tensor_no_gradients_and_mixed_dtypes():
    w = ag.tensor([3.0, 4.0], requires_grad=True)
    assert utils.clip_grad_norm_([w], 1.0).item() == 0.0
    w.grad = ag.tensor([3.0, 4.0])
    assert utils.clip_grad_norm_(w, 1.0).item() == 5.0
    assert_allclose(w.grad.array, [0.6, 0.8], rtol=1e-6)
    assert utils.get_total_norm([]).item() == 0.0
    v = ag.tensor(np.zeros(1), requires_grad=True)
    v.grad, w.grad = ag.tensor(np.array([12.0])), ag.tensor([3.0, 4.0])
    assert utils.clip_grad_norm_([w, v], 1.0).item() == 13.0
    assert (w.grad.dtype, v.grad.dtype) == (np.float32, np.float64)


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_a_norm_that_is_not_finite(bad):
    w = ag.zeros(2, requires_grad=True)
    w.grad = ag.tensor([1.0, bad])
    with pytest.raises(RuntimeError, match=f"the norm of order 2.0 of the gradients is {bad}"):
        utils.clip_grad_norm_([w], 1.0, error_if_nonfinite=True)
    assert_allclose(w.grad.array, [1.0, bad])
    assert not math.isfinite(utils.clip_grad_norm_([w], 1.0).item())
    assert np.isnan(w.grad.array[1])


def test_clip_grad_value():
    w = ag.zeros(4, requires_grad=True)
    w.grad = ag.tensor([-3.0, -0.5, 0.5, math.inf])
    utils.clip_grad_value_([w, ag.zeros(2, requires_grad=True)], 1.0)
    assert_allclose(w.grad.array, [-1.0, -0.5, 0.5, 1.0])


@pytest.mark.parametrize("compiled", [False, True])
def test_clipping_within_a_step(compiled):
    if compiled:
        pytest.importorskip("numba")
    w = ag.tensor(np.array([[1.0, -2.0]]), requires_grad=True)
    b = ag.tensor(np.array(0.5), requires_grad=True)
    sgd = optim.SGD([w, b], lr=0.1)

    def step(x):
        sgd.zero_grad()
        ((w * x + b) ** 2).sum().backward()
        total = utils.clip_grad_norm_([w, b], 0.3)
        utils.clip_grad_value_([b], 0.1)
        sgd.step()
        utils.max_norm_([w], 1.9)
        return total

    run = ag.compile(step) if compiled else step
    values, bias = np.array([1.0, -2.0]), 0.5
    for k in range(4):
        x = np.array([k, 2.0 - k])
        total = run(ag.tensor(x))
        error = 2 * (values * x + bias)
        g = np.append(error * x, error.sum())
        norm = np.linalg.norm(g)
        g *= min(1, 0.3 / (norm + 1e-6))
        assert_allclose(total.item(), norm, rtol=1e-12)
        values, bias = values - 0.1 * g[:2], bias - 0.1 * np.clip(g[2], -0.1, 0.1)
        values *= min(1, 1.9 / np.linalg.norm(values))
        assert_allclose(w.array[0], values, rtol=1e-12)
        assert_allclose(b.array, bias, rtol=1e-12)


# One vector


def test_vector_of_parameters_there_and_back():
    given = [ag.tensor(a, requires_grad=True) for a in arrays()]
    vector = utils.parameters_to_vector(iter(given))
    assert_allclose(vector.array, np.concatenate([a.ravel() for a in arrays()]))
    (vector * ag.arange(vector.numel())).sum().backward()
    assert_allclose(given[1].grad.array, [12.0, 13.0, 14.0])
    others = [ag.zeros(a.shape, dtype=ag.float64, requires_grad=True) for a in arrays()]
    memory = [p.array for p in others]
    utils.vector_to_parameters(vector, others)
    for p, a, array in zip(others, arrays(), memory, strict=True):
        assert p.array is array
        assert p.is_leaf
        assert_allclose(p.array, a)


def test_vectors_that_do_not_fit():
    layer = nn.Linear(2, 1)
    before = layer.weight.array.copy()
    for vector in (ag.ones(2), ag.ones(4), ag.ones(1, 3)):
        with pytest.raises(ValueError, match="have 3 elements, so expected vec of shape"):
            utils.vector_to_parameters(vector, layer.parameters())
    assert_allclose(layer.weight.array, before)
    with pytest.raises(TypeError, match="expected vec to be a tensor, got a list"):
        utils.vector_to_parameters([1.0, 2.0, 3.0], layer.parameters())
    with pytest.raises(ValueError, match="an iterator"):
        utils.parameters_to_vector([])


# Max-norm


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("shape", [(4, 3), (3, 2, 2, 2), (2, 0), (5, 1)])
def test_max_norm_of_rows(shape, dim):
    weight = np.random.default_rng(1).normal(size=shape)
    ours = ag.tensor(weight, requires_grad=True)
    utils.max_norm_([ours], 1.2, dim)
    rows = np.moveaxis(weight, dim, 0).reshape(shape[dim], -1 if weight.size else 0)
    norms = np.linalg.norm(rows, axis=1)
    scaled = np.moveaxis(ours.array, dim, 0).reshape(rows.shape)
    assert_allclose(scaled, rows * np.minimum(1, 1.2 / np.maximum(norms, 1e-300))[:, None], rtol=1e-12)
    assert ours.is_leaf


def test_max_norm_as_pytorchs_renorm():
    torch = pytest.importorskip("torch")
    weight = np.random.default_rng(2).normal(size=(5, 3, 2))
    ours = ag.tensor(weight)
    utils.max_norm_(ours, 1.5)
    expected = torch.renorm(torch.tensor(weight), p=2, dim=0, maxnorm=1.5).numpy()
    assert_allclose(ours.array, expected, rtol=1e-6)  # PyTorch adds 1e-7 to the norm
    zeros = ag.zeros(2, 3)
    utils.max_norm_([zeros], 1.0)
    assert_allclose(zeros.array, 0.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: utils.max_norm_([ag.tensor(1.0)], 1.0), ValueError, "has no dim 0"),
        (lambda: utils.max_norm_([ag.ones(2, 2)], 0.0), ValueError, "max_norm must be above 0"),
        (lambda: utils.clip_grad_norm_([ag.ones(2)], -1.0), ValueError, "max_norm must be at least 0"),
        (lambda: utils.clip_grad_value_([ag.ones(2)], -1.0), ValueError, "clip_value must be at least 0"),
        (lambda: utils.clip_grad_norm_([np.ones(2)], 1.0), TypeError, "iterable of tensors, got a ndarray"),
        (lambda: l1_penalty([np.ones(2)]), TypeError, r"\(name, tensor\) pairs, got a ndarray"),
        (lambda: l2_penalty([], -1), ValueError, "strength must be at least 0"),
        (lambda: elastic_net_penalty([], l1_ratio=2), ValueError, r"l1_ratio in \[0, 1\]"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


# Penalties


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("penalty", "value", "slope"),
    [
        (lambda ps: l1_penalty(ps, 0.3), lambda p: 0.3 * abs(p), lambda p: 0.3 * np.sign(p)),
        (lambda ps: l2_penalty(ps, 0.3), lambda p: 0.15 * p**2, lambda p: 0.3 * p),
        (
            lambda ps: elastic_net_penalty(ps, 0.3, 0.2),
            lambda p: 0.06 * abs(p) + 0.12 * p**2,
            lambda p: 0.06 * np.sign(p) + 0.24 * p,
        ),
    ],
)
def test_penalties_and_their_gradients(penalty, value, slope, dtype):
    given = arrays(dtype=dtype)
    given[0][0, 0] = 0.0
    ps = [ag.tensor(a, requires_grad=True) for a in given]
    total = penalty((str(k), p) for k, p in enumerate(ps))
    total.backward()
    assert (total.dtype, total.shape) == (dtype, ())
    tolerance = {"rtol": 1e-5 if dtype == np.float32 else 1e-12, "atol": 1e-7 if dtype == np.float32 else 0}
    assert_allclose(total.item(), sum(value(a).sum() for a in given), **tolerance)
    for p, a in zip(ps, given, strict=True):
        assert_allclose(p.grad.array, slope(a), **tolerance)
    assert_allclose(penalty(ps).item(), total.item())
    assert penalty([]).item() == 0.0


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_l2_penalty_is_weight_decay_with_sgd(momentum):
    x = ag.tensor(np.random.default_rng(0).normal(size=(6, 3)))

    def train(decay, strength):
        w = ag.tensor(np.array([1.0, -2.0, 0.5]), requires_grad=True)
        sgd = optim.SGD([w], lr=0.1, momentum=momentum, weight_decay=decay)
        for _ in range(20):
            sgd.zero_grad()
            (ag.tanh(x @ w).sum() + l2_penalty(w, strength)).backward()
            sgd.step()
        return w.array

    decayed = train(0.2, 0.0)
    assert_allclose(train(0.0, 0.2), decayed, rtol=1e-10)
    assert not np.allclose(train(0.0, 0.0), decayed, rtol=1e-2)


def test_the_lasso_against_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(5)
    x = rng.normal(size=(40, 6))
    y = x @ [2.0, 0, 0, -1.0, 0, 0.5] + 0.1 * rng.normal(size=40)
    expected = linear_model.ElasticNet(alpha=0.3, l1_ratio=0.6, fit_intercept=False, tol=1e-10).fit(x, y).coef_
    w = ag.tensor(expected, requires_grad=True)
    loss = ((ag.tensor(x) @ w - ag.tensor(y)) ** 2).mean() / 2 + elastic_net_penalty(w, 0.3, 0.6)
    loss.backward()
    active = expected != 0
    assert 0 < active.sum() < 6
    assert_allclose(w.grad.array[active], 0, atol=1e-7)  # optimal where they are not 0
    assert (abs(w.grad.array[~active]) <= 0.18).all()  # and the L1 penalty outweighs the rest where they are
