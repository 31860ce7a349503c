"""The graph and the passes over it."""

import gc
import sys
import threading
import weakref

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule
from oracle import Scalar, derivative

import autograd_core as ag


def leaf(value, **options):
    return ag.tensor(value, dtype=ag.float64, requires_grad=True, **options)


# Flow


def test_branches_sum_add_distributes_mul_swaps():
    """F = (x+y)(y-z) at 2, 3, 2: gradients 1, 6, -5."""
    x, y, z = leaf(2.0), leaf(3.0), leaf(2.0)
    ((x + y) * (y - z)).backward()
    assert (x.grad.item(), y.grad.item(), z.grad.item()) == (1.0, 6.0, -5.0)


def test_max_routes_relu_gates():
    x, y = leaf(2.0), leaf(3.0)
    ag.maximum(x, y).backward()
    assert (x.grad.item(), y.grad.item()) == (0.0, 1.0)
    u = leaf([-1.0, 2.0])
    ag.relu(u).sum().backward()
    assert u.grad.tolist() == [0.0, 1.0]


def test_the_same_tensor_twice():
    x = leaf(3.0)
    (x * x + (x + x)).backward()
    assert x.grad.item() == 8.0


def test_gradients_accumulate_over_calls():
    x = leaf(3.0)
    (x * x).backward()
    first = x.grad
    (x * x).backward()
    assert x.grad.item() == 12.0
    assert first is x.grad


class AgainstTheOracle(RuleBasedStateMachine):
    """Random graphs of scalars: the engine's values and gradients equal the oracle's."""

    values = Bundle("values")

    @rule(target=values, number=st.sampled_from([-1.5, -0.5, 0.0, 0.75, 2.0]))
    def make(self, number):
        return leaf(number), Scalar(number)

    @rule(target=values, a=values, b=values, name=st.sampled_from(["add", "sub", "mul", "maximum"]))
    def combine(self, a, b, name):
        ours = {"add": ag.add, "sub": ag.sub, "mul": ag.mul, "maximum": ag.maximum}[name](a[0], b[0])
        theirs = {"add": Scalar.__add__, "sub": Scalar.__sub__, "mul": Scalar.__mul__, "maximum": Scalar.maximum}[name]
        return ours, theirs(a[1], b[1])

    @rule(target=values, a=values, name=st.sampled_from(["tanh", "sin", "relu"]))
    def transform(self, a, name):
        return getattr(a[0], name)(), getattr(a[1], name)()

    @rule(output=values, x=values)
    def compare(self, output, x):
        np.testing.assert_allclose(output[0].item(), output[1].value, rtol=1e-12)
        if x[0].is_leaf and paths(output[1]) < 2000:
            (found,) = ag.grad(output[0], x[0], retain_graph=True, allow_unused=True)
            expected = derivative(output[1], x[1])
            np.testing.assert_allclose(0.0 if found is None else found.item(), expected, rtol=1e-10, atol=1e-12)


def paths(scalar, known=None):
    """How many paths lead to leaves, to leave out graphs the oracle would take too long for."""
    known = {} if known is None else known
    if id(scalar) not in known:
        known[id(scalar)] = sum(paths(p, known) for p, _ in scalar.parents) or 1
    return known[id(scalar)]


AgainstTheOracle.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None, derandomize=True)
TestAgainstTheOracle = AgainstTheOracle.TestCase


# Depth and memory


def test_a_million_nodes_and_no_garbage():
    """Forward, backward and freeing are iterative, and no reference cycle is left behind."""
    assert sys.getrecursionlimit() <= 1000 or "pytest" in sys.modules
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0)
        y = x
        for _ in range(1_000_000):
            y = y + 1.0
        y.backward()
        assert x.grad.item() == 1.0
        last = weakref.ref(y.node)
        del y
        assert last() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_what_nobody_needs_is_freed_at_once():
    x = leaf(np.ones(10))
    middle = x + 1
    watch = weakref.ref(middle.array)
    end = middle + 1  # add saves nothing
    del middle
    assert watch() is None
    assert end.requires_grad


def test_backward_releases_what_was_saved():
    x = leaf(np.ones(10))
    middle = x + 1
    watch = weakref.ref(middle.array)
    end = (middle * middle).sum()
    del middle
    assert watch() is not None
    end.backward()
    assert watch() is None


def test_only_what_the_needed_rules_name_is_saved():
    x, constant = leaf([1.0, 2.0]), ag.tensor([3.0, 4.0])
    assert (x * constant).node.saved == (constant.array,)
    assert (x + x).node.saved == ()
    assert len(ag.tanh(x).node.saved) == 1


# Modes and threads


def test_no_grad_as_context_and_decorator():
    x = leaf(1.0)
    with ag.no_grad():
        assert not ag.is_grad_enabled()
        assert not (x * x).requires_grad
        with ag.enable_grad():
            assert (x * x).requires_grad
        with ag.set_grad_enabled(True):
            assert (x * x).requires_grad
    assert ag.is_grad_enabled()

    @ag.no_grad()
    def f(t):
        return t * t

    assert not f(x).requires_grad
    assert not f(x).requires_grad


def test_a_mode_is_restored_after_an_error():
    with pytest.raises(ZeroDivisionError), ag.no_grad():
        1 / 0  # noqa: B018
    assert ag.is_grad_enabled()


def test_threads_have_their_own_modes_and_the_same_gradients():
    weights = np.random.default_rng(0).normal(size=(8, 8))

    def gradient():
        w = leaf(weights)
        y = w
        for _ in range(20):
            y = ag.tanh(y @ w)
        y.sum().backward()
        return w.grad.numpy()

    expected, found, seen = gradient(), [], []

    def work():
        seen.append(ag.is_grad_enabled())
        with ag.no_grad():
            pass
        found.extend(gradient() for _ in range(5))

    with ag.no_grad():
        threads = [threading.Thread(target=work) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert seen == [True] * 8
    assert len(found) == 40
    assert all(np.array_equal(g, expected) for g in found)


# backward and grad


def test_grad_writes_nothing_and_serves_intermediates():
    x = leaf(2.0)
    y = x * x
    z = y * y * x
    dy, dx = ag.grad(z, [y, x])
    assert (dy.item(), dx.item()) == (16.0, 80.0)
    assert x.grad is None


def test_higher_orders():
    x = leaf(2.0)
    found = x**4
    expected = [32.0, 48.0, 48.0, 24.0]
    for value in expected:
        (found,) = ag.grad(found, x, create_graph=True)
        assert found.item() == value


def test_backward_with_create_graph_then_again():
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    assert x.grad.requires_grad
    (second,) = ag.grad(x.grad, x)
    assert second.item() == 18.0


def test_several_outputs_with_their_gradients():
    x = leaf([1.0, 2.0])
    ag.backward([x * 2, (x * x).sum()], [ag.tensor([1.0, 10.0]), None])
    assert x.grad.tolist() == [4.0, 24.0]
    y = leaf(1.0)
    out = y * 3
    assert ag.grad([out, out], y)[0].item() == 6.0


def test_backward_to_chosen_inputs_only():
    x, y = leaf(2.0), leaf(3.0)
    z = x * y
    (z * z).backward(inputs=[x, z])
    assert (x.grad.item(), z.grad.item(), y.grad) == (36.0, 12.0, None)
    with pytest.raises(RuntimeError, match=r"backward: inputs\[0\] does not require a gradient"):
        (x * y).backward(inputs=ag.tensor(1.0))


def test_zeros_for_what_is_unused():
    x, y = leaf(2.0), leaf([3.0, 4.0])
    dx, dy = ag.grad(x * x, [x, y], materialize_grads=True)
    assert (dx.item(), dy.tolist()) == (4.0, [0.0, 0.0])


def test_retain_grad_and_detach():
    x = leaf(2.0)
    y = x * 3
    y.retain_grad()
    z = y * y + y.detach()
    z.backward()
    assert y.grad.item() == 12.0
    assert x.grad.item() == 36.0
    x.retain_grad()  # a leaf retains anyway
    with pytest.raises(RuntimeError, match="retain_grad: this tensor requires no gradient"):
        ag.tensor(1.0).retain_grad()


def test_where_does_not_leak_from_the_branch_not_taken():
    x = leaf([-1.0, 0.0, 1.0])
    ag.where(x > 0, ag.sqrt(x), 0.0).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.5]
    y = leaf([0.0, 2.0])
    ag.where(y > 0, ag.log(y) * ag.div(1.0, y), 0.0).sum().backward()
    np.testing.assert_allclose(y.grad.numpy(), [0.0, (1 - np.log(2)) / 4])
    w = leaf([0.0, 4.0])
    ag.sqrt(w)[1].backward()
    assert w.grad.tolist() == [0.0, 0.25]


@pytest.mark.parametrize(
    "of_rows",
    [
        lambda x: ag.log_softmax(x, 1)[:, 0],
        lambda x: ag.softmax(x, 1)[:, 1],
        lambda x: ag.logsumexp(x, 1),
        lambda x: ag.prod(x, 1),
        lambda x: ag.norm(x, 3, dim=1),
        lambda x: ag.cumprod(x, 1)[:, 1],
    ],
)
@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_rows_that_were_not_taken_stay_zero(of_rows, bad):
    x = leaf([[1.0, 2.0], [bad, bad]])
    for create_graph in (False, True):
        out = ag.where(np.array([True, False]), of_rows(x), 0.0).sum()
        (dx,) = ag.grad(out, x, create_graph=create_graph)
        good = leaf([[1.0, 2.0]])
        (expected,) = ag.grad(of_rows(good).sum(), good)
        np.testing.assert_allclose(dx.detach().numpy(), [expected.numpy()[0], [0.0, 0.0]], rtol=1e-12)


# Errors


def test_errors_of_backward():
    x = leaf([1.0, 2.0])
    y = x * x
    with pytest.raises(RuntimeError, match=r"shape \(2,\).*\.sum\(\)\.backward\(\).*backward\(v\)"):
        y.backward()
    with pytest.raises(ValueError, match=r"expected a gradient of the tensor's shape \(2,\), got \(3,\)"):
        y.backward(np.ones(3))
    with pytest.raises(RuntimeError, match="requires_grad=True on the inputs"):
        ag.tensor(1.0).backward()
    y.sum().backward()
    with pytest.raises(RuntimeError, match=r"graph at mul was used by an earlier backward\(\).*retain_graph=True"):
        y.sum().backward()
    with pytest.raises(TypeError, match="backward: expected a tensor, got float"):
        ag.backward([1.0])
    with pytest.raises(ValueError, match="got 1 outputs but 2 gradients"):
        ag.backward([x.sum()], [None, None])


def test_retain_graph_allows_another_pass():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0


def test_errors_of_grad():
    x, y = leaf(1.0), leaf(1.0)
    with pytest.raises(RuntimeError, match=r"do not depend on inputs\[1\].*allow_unused"):
        ag.grad(x * 2, [x, y])
    assert ag.grad(x * 2, [x, y], allow_unused=True)[1] is None
    with pytest.raises(RuntimeError, match=r"inputs\[0\] does not require a gradient"):
        ag.grad(x * 2, ag.tensor(1.0))


def test_integers_have_no_gradient():
    with pytest.raises(TypeError, match=r"int64.*to\(float32\)"):
        ag.tensor([1, 2], requires_grad=True)
    assert not (leaf([1.0]) > 0).requires_grad
    assert not leaf([1.5]).to(ag.int64).requires_grad


def test_a_change_of_a_saved_value_is_found():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    with ag.no_grad():
        x.copy_([5.0, 5.0])
    with pytest.raises(
        RuntimeError, match=r"mul .* saved its argument 'other' of shape \(2,\).*copy_ \(.*test_engine.py:\d+\)"
    ):
        y.backward()
    z = (x * x).sum()  # computed after the change: fine
    z.backward()
    assert x.grad.tolist() == [10.0, 10.0]
    view = leaf([1.0, 2.0, 3.0])
    total = (view[:2] * 3.0 + ag.exp(view)[:2]).sum()
    with ag.no_grad():
        view.copy_(0.0)
    total.backward()  # exp saved its output, not what was changed
    with pytest.raises(RuntimeError, match="copy_: a leaf that requires a gradient"):
        view.copy_(1.0)


def test_both_lines_of_a_change_are_named_where_somebody_listens():
    x = leaf([1.0, 2.0]) * 1
    with ag.record():
        y = ag.exp(x)
    y += 1
    message = r"exp at .*test_engine.py:\d+ saved its output .* add_ \(.*test_engine.py:\d+\) changed it in place"
    with pytest.raises(RuntimeError, match=message):
        y.sum().backward()


def test_a_wrong_rule_is_named():
    from autograd_core.primitive import REGISTRY, primitive

    @primitive()
    def wrong_shape(x):
        return np.sum(x)

    wrong_shape.defvjp(lambda g: g)
    try:
        with pytest.raises(
            RuntimeError, match=r"rule of wrong_shape gave shape \(\) for argument 0 \(x\) of shape \(3,\)"
        ):
            wrong_shape(leaf([1.0, 2.0, 3.0])).backward()
        with pytest.raises(ValueError, match="wrong_shape is declared twice"):
            primitive()(wrong_shape.record.forward)
    finally:
        del REGISTRY["wrong_shape"]


def test_an_argument_without_a_derivative_is_named():
    x = leaf([[1.0, 2.0]])
    with pytest.raises(TypeError, match=r"where: argument 0 has no derivative; pass it as \.detach\(\)"):
        ag.where(x, 1.0, 2.0)


def test_shape_errors_name_operation_and_operands():
    with pytest.raises(ValueError, match=r"add\(float64\[2\], float64\[3\]\): .*broadcast"):
        leaf([1.0, 2.0]) + leaf([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"matmul: expected .* got \(2, 3\) and \(2, 3\)"):
        ag.ones(2, 3) @ ag.ones(2, 3)


# Recording


def test_record_keeps_values_lines_and_the_graph():
    x = leaf(2.0)
    with ag.record():
        y = x * x
        z = ag.exp(y) * 3.0
    assert y.node.trace.value == 4.0
    assert "test_engine.py" in y.node.trace.line
    assert z.node.trace.inputs[1] == 3.0
    z.backward()
    z.backward()  # recorded graphs are kept
    assert (x * x).node.trace is None


@pytest.fixture
def sorting():
    """A primitive with several outputs, one of them of integers."""
    from autograd_core.primitive import REGISTRY, primitive

    @primitive()
    def sort_and_sum(x):
        order = np.argsort(x)
        return x[order], order, np.sum(x)

    sort_and_sum.defvjp(lambda g, out, x_shape: _unsorted(g[0], out[1]) + g[2])
    yield sort_and_sum
    del REGISTRY["sort_and_sum"]


def _unsorted(g, order):
    return np.take_along_axis(g, np.argsort(order), axis=0)


def test_a_primitive_with_several_outputs(sorting):
    x = leaf([3.0, 1.0, 2.0])
    values, order, total = sorting(x)
    assert values.tolist() == [1.0, 2.0, 3.0]
    assert not order.requires_grad
    (values * np.array([1.0, 10.0, 100.0])).sum().backward(retain_graph=True)
    assert x.grad.tolist() == [100.0, 1.0, 10.0]
    x.grad = None
    (values[0] * values[0] + values[1] + 5 * total).backward()
    assert x.grad.tolist() == [5.0, 7.0, 6.0]
    y = leaf([3.0, 1.0, 2.0])
    values, _, total = sorting(y)
    (dy,) = ag.grad((values**3).sum() + total * total, y, create_graph=True)
    assert dy.tolist() == [27.0 + 12, 3.0 + 12, 12.0 + 12]
    (ddy,) = ag.grad(dy.sum(), y)
    assert ddy.tolist() == [18.0 + 6, 6.0 + 6, 12.0 + 6]
    (at_values,) = ag.grad((values * values).sum(), values, retain_graph=True)
    assert at_values.tolist() == [2.0, 4.0, 6.0]


def test_arrays_by_keyword():
    x = leaf(6.0)
    assert ag.div(x, other=2.0).item() == 3.0
    assert ag.div(input=x, other=2.0).item() == 3.0


# Hooks


def test_hooks_see_and_replace_gradients():
    x = leaf(2.0)
    y = x * 3
    seen = []
    first = y.register_hook(lambda g: seen.append(("y", g.item())))
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    handle = x.register_hook(lambda g: g + 1)
    (y * y).backward(retain_graph=True)
    assert seen == [("y", 12.0)]
    assert y.grad.item() == 24.0
    assert x.grad.item() == 73.0
    handle.remove()
    handle.remove()
    first.remove()
    x.grad = None
    (y * y).backward()
    assert x.grad.item() == 72.0
    assert len(seen) == 1


def test_hooks_under_grad_and_higher_order():
    x = leaf(2.0)
    x.register_hook(lambda g: g * 10)
    (dx,) = ag.grad(x**3, x, create_graph=True)
    assert dx.item() == 120.0
    assert ag.grad(dx, x)[0].item() == 1200.0
    with pytest.raises(RuntimeError, match="register_hook: this tensor requires no gradient"):
        ag.tensor(1.0).register_hook(print)


def test_what_saves_no_values_can_be_differentiated_again():
    x = leaf([1.0, 2.0])
    y = (x + x).reshape(2, 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_record_keeps_graphs_of_every_kind(sorting):
    class Twice(ag.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    x = leaf([3.0, 1.0, 2.0])
    with ag.record():
        values, _, total = sorting(x)
        y = values * 1
        y[1:] *= 2
        z = Twice.apply(y[:2]).sum() + total
    z.backward()
    (dx,) = ag.grad(z, x)
    assert dx.tolist() == x.grad.tolist()
    assert z.node.trace is not None
