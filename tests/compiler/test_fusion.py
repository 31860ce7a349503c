"""What shares a loop, and what must not."""

import pytest
from stages import Stages, names

import autograd_core as ag
from autograd_core import nn
from autograd_core.compiler.fusion import LARGEST, Nest
from autograd_core.compiler.loops import phases
from autograd_core.compiler.nodes import Product

F = nn.functional


def only(function, *arrays):
    """The only nest of a function that has no other steps."""
    (step,) = Stages(function, *arrays).steps
    assert isinstance(step, Nest)
    return step


def test_softmax_is_three_loops_over_a_row():
    nest = only(lambda x: ag.softmax(x, -1), (4, 5))
    assert names(nest) == ["amax", "sub", "exp", "sum", "div"]
    assert nest.rows == 1
    assert sorted(set(phases(nest).values())) == [0, 1, 2]


def test_layer_norm_is_one_nest():
    nest = only(lambda x, s, b: F.layer_norm(x, (5,), s, b), (4, 5), (5,), (5,))
    assert nest.rows == 1
    assert names(nest).count("sum") == 2


def test_bias_activation_mask_and_the_gradient_of_the_bias():
    def function(x, b, g):
        y = ag.relu(x + b)
        masked = g * (y > 0)
        return y, masked, masked.sum(0)

    nest = only(function, (4, 5), (5,), (4, 5))
    assert nest.rows is None
    assert names(nest) == ["add", "relu", "gt", "mul", "sum"]


def test_the_statistics_of_a_batch():
    """A mean over the first dimension is complete only after the loop: what needs it is another one."""
    stages = Stages(lambda x: ((x - x.mean(0)) ** 2).mean(0), (8, 3))
    assert stages.nests == [["sum"], ["div"], ["sub", "mul", "sum"], ["div"]]


def test_all_parameters_of_an_update_are_one_nest():
    w, m, v = (ag.zeros(5) for _ in range(3))

    def step(g):
        m.mul_(0.9).add_(0.1 * g)
        v.mul_(0.99).add_(0.01 * g * g)
        w.sub_(0.1 * m / (ag.sqrt(v) + 1e-8))

    nest = only(step, (5,))
    assert "sqrt" in names(nest)


def test_a_loss_joins_the_loop_that_it_sums():
    nest = only(lambda x, y: ((x - y) ** 2).mean(), (4, 5), (4, 5))
    assert names(nest) == ["sub", "mul", "sum", "div"]


def test_rows_of_rows():
    """A sum of what is once a row: the row and the total in one nest."""
    nest = only(lambda x: ag.logsumexp(x, -1).sum(), (4, 5))
    assert names(nest)[-1] == "sum"
    assert nest.rows == 1


def test_what_is_read_elsewhere_than_it_is_made():
    """A transposed operand cannot be read at the point where it is made."""
    stages = Stages(lambda x: ag.exp(x) + ag.exp(x).T, (3, 3))
    assert stages.nests == [["exp"], ["add"]]
    shifted = Stages(lambda x: ag.exp(x)[1:] + ag.exp(x)[:-1], (5,))
    assert shifted.nests == [["exp"], ["add"]]


def test_a_total_is_not_read_within_its_loop():
    stages = Stages(lambda x: x / ag.exp(x).sum(0), (4, 5))
    assert stages.nests == [["exp", "sum"], ["div"]]
    assert only(lambda x: x / ag.exp(x).sum(), (4, 5)).rows == 0  # all is one row: a loop after the other


def test_sums_over_rows_of_two_kinds():
    """Over the last dimension, and over the first: one is complete with the row."""
    nest = only(lambda x: (ag.exp(x).sum(0), ag.exp(x).sum(1)), (4, 5))
    assert names(nest) == ["exp", "sum", "sum"]


def test_no_cycles():
    """The last operation reads the first and a product of it: joined, the nest and the product wait for each other."""

    def function(x, w):
        a = ag.tanh(x)
        return a * ag.sin(a @ w)

    stages = Stages(function, (4, 4), (4, 4))
    assert stages.kinds == ["Nest", "Product", "Nest"]
    assert stages.nests == [["tanh"], ["sin", "mul"]]


def test_what_has_nothing_in_common_stays_apart():
    assert len(Stages(lambda x, y: (ag.exp(x), ag.log(y)), (4, 5), (4, 5)).nests) == 2


def test_a_nest_has_a_largest_size():
    def long(x):
        for k in range(2 * LARGEST):
            x = ag.sin(x) if k % 2 else ag.cos(x)
        return x

    sizes = [len(names) for names in Stages(long, (3,)).nests]
    assert sum(sizes) == 2 * LARGEST
    assert max(sizes) <= LARGEST


def test_products_add_onto():
    """``x @ w + y @ w``: the second product adds to the first, without a sum of its own."""
    stages = Stages(lambda x, y, w: x @ w + y @ w, (3, 4), (3, 4), (4, 2))
    assert stages.kinds == ["Product", "Product"]
    first, second = stages.steps
    assert isinstance(second, Product)
    assert second.onto is not None
    assert stages.plan.root(second.write.buffer) is stages.plan.root(first.write.buffer)


def test_a_chain_of_sums_adds_onto():
    def function(*parts):
        total = ag.zeros(5)
        for x in parts:
            total = total + ag.exp(x).sum(0)
        return total

    stages = Stages(function, *[(4, 5)] * 4)
    assert sum(op.op.onto is not None for step in stages.steps for op in step.placed) == 3


def test_who_else_needs_a_total_keeps_it():
    """A sum whose first term is asked for as well does not write over it."""

    def function(x, y, w):
        first = x @ w
        return first, first + y @ w

    stages = Stages(function, (3, 4), (3, 4), (4, 2))
    assert all(step.onto is None for step in stages.steps if isinstance(step, Product))


@pytest.mark.parametrize("join", [ag.cat, ag.stack])
def test_joining_writes_parts(join):
    """Operands are computed right where they belong."""
    stages = Stages(lambda x, y: join([ag.exp(x), y * 2], 1), (2, 3), (2, 3))
    assert [nest[0] for nest in stages.nests] == ["exp", "mul"]
    first, second = (step.placed[-1].op.write for step in stages.steps)
    assert first.buffer is second.buffer
    assert first.offset == 0
    assert second.offset == 3
    assert stages.plan.workspace <= 64


def test_padding_fills_and_writes_a_part():
    stages = Stages(lambda x: F.pad(x * 2, (1, 2)), (2, 3))
    fill, part = (step.placed[-1].op.write for step in stages.steps)
    assert fill.buffer is part.buffer
    assert (fill.buffer.size, part.offset) == (2 * 6, 1)


def test_views_copy_nothing():
    def function(x):
        y = x.T.reshape(3, 2, 2)[1:, ::2].permute(1, 0, 2)
        return ag.flip(y, (0,)), x.reshape(2, 6), ag.unbind(x)[1], x[1, 2], x.expand(2, 4, 3)

    assert Stages(function, (4, 3)).steps == []
    moved = Stages(lambda x: x.T.reshape(4, 3), (4, 3))
    assert moved.nests == [["clone"]]
