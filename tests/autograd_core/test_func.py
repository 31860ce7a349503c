"""Transforms of functions."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import func


def t(value, **options):
    return ag.tensor(value, dtype=ag.float64, **options)


def close(found, expected):
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-12, atol=1e-14)


def f(x):
    return ag.sin(x) * x


def test_orders_of_a_scalar():
    """sin(x) x: derivatives to the third order in closed form."""
    x = t(0.7)
    s, c = np.sin(0.7), np.cos(0.7)
    close(func.grad(f)(x), 0.7 * c + s)
    close(func.grad(func.grad(f))(x), 2 * c - 0.7 * s)
    close(func.grad(func.grad(func.grad(f)))(x), -3 * s - 0.7 * c)


def test_perturbations_are_not_confused():
    """d/dx (x * d/dy (x + y) at y=1) = 1 (Siskind & Pearlmutter 2005), and the like one level up."""
    assert func.grad(lambda x: x * func.grad(lambda y: x + y)(t(1.0)))(t(1.0)).item() == 1.0
    assert func.grad(lambda x: x * func.grad(lambda y: x * y)(t(2.0)))(t(3.0)).item() == 6.0

    def nested(x):
        return func.grad(lambda y: func.grad(lambda z: x * y * z * z)(t(1.0)))(t(5.0))  # 2 x

    assert func.grad(nested)(t(1.0)).item() == 2.0


def test_third_order_of_two_variables():
    def g(x, y):
        return x**3 * y**2

    mixed = func.grad(func.grad(func.grad(g, 0), 1), 0)  # 6x * 2y = 12 x y
    assert mixed(t(2.0), t(3.0)).item() == 72.0


def test_containers_argnums_and_aux():
    def loss(params, x):
        y = (params["w"] * x + params["b"][0]).sum()
        return y, {"mean": y / 2}

    params = {"w": t([1.0, 2.0]), "b": [t(3.0)]}
    (value, aux), gradient = func.value_and_grad(loss, has_aux=True)(params, t([4.0, 5.0]))
    assert value.item() == 20.0
    assert aux["mean"].item() == 10.0
    assert gradient["w"].tolist() == [4.0, 5.0]
    assert gradient["b"][0].item() == 2.0
    dx, dy = func.grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(t([1.0]), t([2.0]))
    assert (dx.tolist(), dy.tolist()) == ([2.0], [1.0])
    gradient, aux = func.grad(loss, has_aux=True)(params, t([4.0, 5.0]))
    assert gradient["b"][0].item() == 2.0


def test_nothing_is_written_and_nothing_leaks():
    x = t([1.0, 2.0], requires_grad=True)
    w = t([3.0, 4.0], requires_grad=True)
    gradient = func.grad(lambda v: (v * v * 2.0).sum())(x)
    assert x.grad is None
    assert w.grad is None
    # by a leaf given from outside the gradient is itself differentiable
    (second,) = ag.grad(gradient.sum(), x)
    assert second.tolist() == [4.0, 4.0]
    plain = func.grad(lambda v: (v * v).sum())(t([1.0]))
    assert not plain.requires_grad
    assert plain.node is None
    closed = func.grad(lambda v: (v * w).sum())(t([1.0, 1.0]))
    (dw,) = ag.grad((closed * closed).sum(), w)
    assert dw.tolist() == [6.0, 8.0]


def test_no_grad_outside_does_not_stop_a_transform():
    with ag.no_grad():
        close(func.grad(f)(t(0.7)), 0.7 * np.cos(0.7) + np.sin(0.7))


def test_vjp_jvp_agree_with_the_jacobian():
    rng = np.random.default_rng(0)
    x, v, u = rng.normal(size=3), rng.normal(size=3), rng.normal(size=2)
    w = t(rng.normal(size=(2, 3)))

    def g(z):
        return ag.tanh(w @ z)

    jac = func.jacobian(g)(t(x)).numpy()
    expected = (1 - np.tanh(w.numpy() @ x) ** 2)[:, None] * w.numpy()
    np.testing.assert_allclose(jac, expected, rtol=1e-12)
    np.testing.assert_allclose(func.jacfwd(g)(t(x)).numpy(), expected, rtol=1e-12)
    _, pull = func.vjp(g, t(x))
    close(pull(t(u))[0], u @ expected)
    close(pull(t(u))[0], u @ expected)
    out, tangent = func.jvp(g, (t(x),), (t(v),))
    close(out, np.tanh(w.numpy() @ x))
    close(tangent, expected @ v)


def test_jvp_is_differentiable():
    def slope(x):
        return func.jvp(lambda y: y**3, (x,), (t(1.0),))[1]

    assert func.grad(slope)(t(2.0)).item() == 12.0


def test_jvp_of_what_does_not_depend_on_the_input():
    _, tangent = func.jvp(lambda x: t([1.0, 2.0]), (t(1.0),), (t(1.0),))
    assert tangent.tolist() == [0.0, 0.0]


def test_hessian_and_hvp():
    rng = np.random.default_rng(1)
    a = rng.normal(size=(3, 3))
    x, v = rng.normal(size=3), rng.normal(size=3)

    def g(z):
        return z @ t(a) @ z + (z**3).sum()

    expected = a + a.T + np.diag(6 * x)
    np.testing.assert_allclose(func.hessian(g)(t(x)).numpy(), expected, rtol=1e-12)
    value, (product,) = func.hvp(g, (t(x),), (t(v),))
    close(product, expected @ v)
    close(value, x @ a @ x + (x**3).sum())
    block = func.hessian(lambda p, q: (p * p * q).sum(), argnums=(0, 1))(t([1.0]), t([2.0]))
    assert block[0][1].tolist() == [[2.0]]


def test_jacobian_with_containers_and_empty():
    jac = func.jacobian(lambda d: {"s": d["a"] * 2, "p": d["a"] * d["b"]})({"a": t([1.0, 2.0]), "b": t(3.0)})
    assert jac["s"]["a"].tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert jac["p"]["b"].tolist() == [1.0, 2.0]
    assert func.jacobian(lambda x: x)(t([])).shape == (0, 0)
    assert func.jacfwd(lambda x: x)(t([])).shape == (0, 0)


def test_checkpoint():
    calls = []
    w = t([2.0, 3.0], requires_grad=True)

    def block(x):
        calls.append(1)
        return ag.exp(x * w) * x

    x = t([0.5, 0.25], requires_grad=True)
    plain = ag.grad(block(x).sum(), [x, w])
    calls.clear()
    out = func.checkpoint(block, x)
    assert calls == [1]
    found = ag.grad((out * 1.0).sum(), [x, w])
    assert calls == [1, 1]
    for a, b in zip(found, plain, strict=True):
        close(a, b.numpy())
    func.checkpoint(block, x).sum().backward()
    close(w.grad, plain[1].numpy())
    (dx,) = ag.grad(func.checkpoint(block, x).sum(), x, create_graph=True)
    (ddx,) = ag.grad(dx.sum(), x)
    (dx,) = ag.grad(block(x).sum(), x, create_graph=True)
    close(ddx, ag.grad(dx.sum(), x)[0].numpy())


def test_checkpoint_draws_the_same_numbers():
    ag.manual_seed(0)
    x = t(np.ones(8), requires_grad=True)
    out = func.checkpoint(lambda v: v * (ag.rand(8) > 0.5), x)
    after = ag.rand(1)
    (dx,) = ag.grad(out.sum(), x)
    assert dx.tolist() == out.tolist()
    ag.manual_seed(0)
    ag.rand(8)
    assert ag.equal(ag.rand(1), after)


def test_wrong_use_is_explained():
    with pytest.raises(
        ValueError, match=r"grad: the function must return a scalar tensor, got a tensor of shape \(2,\)"
    ):
        func.grad(lambda x: x)(t([1.0, 2.0]))
    with pytest.raises(TypeError, match=r"expected floating arguments .* value 0 is int64"):
        func.grad(lambda x: x)(ag.tensor(1))
    with pytest.raises(ValueError, match="argnums 1 does not fit"):
        func.grad(lambda x: x, argnums=1)(t(1.0))
    with pytest.raises(TypeError, match=r"must return \(output, aux\)"):
        func.grad(lambda x: x, has_aux=True)(t(1.0))
    with pytest.raises(ValueError, match="jvp: expected tangents of shapes"):
        func.jvp(f, (t(1.0),), (t([1.0]),))
    with pytest.raises(ValueError, match="vjp: expected 1 cotangents"):
        func.vjp(f, t(1.0))[1]((t(1.0), t(1.0)))
    with pytest.raises(TypeError, match=r"checkpoint: the function must return one tensor"):
        func.checkpoint(lambda: 1)
