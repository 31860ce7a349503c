"""Operations with a backward of one's own."""

import gc
import weakref

import numpy as np
import pytest

import autograd_core as ag


def leaf(value):
    return ag.tensor(value, dtype=ag.float64, requires_grad=True)


class Scale(ag.autograd.Function):
    """x * y * factor, with saved inputs and a plain attribute."""

    @staticmethod
    def forward(ctx, x, y, factor):
        ctx.save_for_backward(x, y)
        ctx.factor = factor
        return x * y * factor

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        dx = g * y * ctx.factor if ctx.needs_input_grad[0] else None
        dy = g * x * ctx.factor if ctx.needs_input_grad[1] else None
        return dx, dy, None


class Exp(ag.autograd.Function):
    """Saves its output."""

    @staticmethod
    def forward(ctx, x):
        y = ag.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y


class Parts(ag.autograd.Function):
    """Two outputs, one of them without a gradient; in the form with setup_context."""

    @staticmethod
    def forward(x):
        return x * x, x > 0, x * 3

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, g_square, g_sign, g_triple):
        (x,) = ctx.saved_tensors
        return 2 * x * g_square + 3 * g_triple


def test_first_and_second_order():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    out = Scale.apply(x, y, 10.0)
    dx, _ = ag.grad(out.sum(), [x, y], create_graph=True)
    assert dx.tolist() == [30.0, 40.0]
    (mixed,) = ag.grad((dx * dx).sum(), y)
    assert mixed.tolist() == [600.0, 800.0]
    z = leaf(0.5)
    (d1,) = ag.grad(Exp.apply(z), z, create_graph=True)
    (d2,) = ag.grad(d1, z, create_graph=True)
    (d3,) = ag.grad(d2, z)
    np.testing.assert_allclose([d1.item(), d2.item(), d3.item()], np.exp(0.5))


def test_only_what_is_needed():
    x = leaf([1.0])
    out = Scale.apply(x, ag.tensor([2.0], dtype=ag.float64), 1.0)
    out.backward()
    assert x.grad.tolist() == [2.0]
    with ag.no_grad():
        assert not Scale.apply(x, x, 1.0).requires_grad


def test_several_outputs():
    x = leaf([1.0, -2.0])
    square, sign, triple = Parts.apply(x)
    assert not sign.requires_grad
    (square.sum() + 2 * triple.sum()).backward(retain_graph=True)
    assert x.grad.tolist() == [8.0, 2.0]
    (only,) = ag.grad(triple.sum(), x)
    assert only.tolist() == [3.0, 3.0]


def test_none_instead_of_zeros():
    seen = []

    class Two(ag.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, a, b):
            seen.append(b)
            return a

    x = leaf(1.0)
    Two.apply(x)[0].backward()
    assert seen == [None]
    assert x.grad.item() == 1.0


def test_no_cycle_is_made():
    x = leaf([1.0])
    gc.disable()
    try:
        y = Exp.apply(x)
        watch = weakref.ref(y)
        del y
        assert watch() is None
    finally:
        gc.enable()


def test_a_second_backward_and_a_change_in_place_are_found():
    x = leaf([1.0])
    y = Exp.apply(x)
    y.backward()
    with pytest.raises(RuntimeError, match="graph at Exp was used by an earlier backward"):
        y.backward()
    z = Exp.apply(x)
    z += 1
    with pytest.raises(RuntimeError, match=r"Exp .* saved .* add_"):
        z.sum().backward()


def test_custom_vjp():
    @ag.custom_vjp(lambda g, x: 2 * x * g, elementwise=True)
    def square(x):
        return x * x

    x = leaf([1.0, 3.0])
    (dx,) = ag.grad(square(x).sum(), x, create_graph=True)
    assert dx.tolist() == [2.0, 6.0]
    assert ag.grad(dx.sum(), x)[0].tolist() == [2.0, 2.0]
    assert isinstance(square(np.ones(2)), np.ndarray)


def wrong(backward):
    return type("Wrong", (ag.autograd.Function,), {
        "forward": staticmethod(lambda ctx, x, y: x * y),
        "backward": staticmethod(backward),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("backward", "error", "message"),
    [
        (lambda ctx, g: g, RuntimeError, "Wrong.backward: expected 2 gradients, .* got 1"),
        (lambda ctx, g: (g, 1.0), TypeError, "Wrong.backward: gradient 1 is no tensor but float"),
        (lambda ctx, g: (g.sum(), g), RuntimeError, r"rule of Wrong gave shape \(\) for argument 0 of shape \(2,\)"),
    ],
)
def test_wrong_gradients_are_named(backward, error, message):
    x = leaf([1.0, 2.0])
    with pytest.raises(error, match=message):
        wrong(backward).apply(x, x * 1).sum().backward()


def test_wrong_forwards_are_named():
    class Bare(ag.autograd.Function):
        pass

    with pytest.raises(NotImplementedError, match="static method forward"):
        Bare.apply(leaf(1.0))

    class Number(ag.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 1.0

    with pytest.raises(TypeError, match=r"Number\.forward: expected tensors as results, got float"):
        Number.apply(leaf(1.0))
