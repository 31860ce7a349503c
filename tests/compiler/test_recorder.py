"""Recorded programs give what eager gives, run after run."""

import copy
import dataclasses
import threading
from typing import NamedTuple

import numpy as np
import pytest
from interpreted import Interpreted

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.compiler.recorder import record
from autograd_core.nn import functional as F


def normal(*shape, seed=0, **options):
    return ag.tensor(np.random.default_rng(seed).normal(size=shape), **options)


def same(a, b, rtol=1e-12):
    assert type(a) is type(b)
    if isinstance(a, ag.Tensor):
        np.testing.assert_allclose(a.array, b.array, rtol=rtol, atol=1e-14, strict=True)
    elif isinstance(a, (tuple, list)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y, rtol)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        same(list(a.values()), list(b.values()), rtol)
    else:
        assert a == b


def agrees(make, calls, recordings=1):
    """``make()`` gives a function and the tensors it changes; eager and recorded must agree after every call."""
    ag.manual_seed(5)
    eager, changed = make()
    ag.manual_seed(5)
    function, twins = make()
    compiled = Interpreted(function)
    for arguments in calls:
        ag.manual_seed(6)
        expected = eager(*copy.deepcopy(arguments))
        after = ag.rand(1)
        ag.manual_seed(6)
        same(compiled(*arguments), expected)
        same(ag.rand(1), after)  # the stream stands at the same place
        for ours, theirs in zip(twins, changed, strict=True):
            same(ours, theirs)
            assert (ours.grad is None) == (theirs.grad is None)
            if ours.grad is not None:
                same(ours.grad, theirs.grad)
    assert len(compiled.runs) == recordings
    return compiled


# Training steps


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(5, 7), nn.Linear(7, 3)
        self.p = 0.25

    def forward(self, x):
        return self.second(F.dropout(ag.tanh(self.first(x)), self.p, self.training))


def batches(n, classes=3, features=5):
    rng = np.random.default_rng(1)
    return [(ag.tensor(rng.normal(size=(4, features))), ag.tensor(rng.integers(0, classes, size=4))) for _ in range(n)]


OPTIMIZERS = {
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "Adam with all": lambda p: optim.Adam(p, lr=0.01, weight_decay=0.1, amsgrad=True, maximize=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01),
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD with momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_step(name):
    def make():
        model = Net().double()
        optimizer = OPTIMIZERS[name](model.parameters())

        def step(x, y):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return step, list(model.parameters())

    # what has no value before the first step (a momentum, the largest of squares) makes the second another program
    agrees(make, batches(4), 2 if "momentum" in name or "all" in name else 1)


def test_options_are_inputs():
    optimizers = []

    def make():
        model = Net().double()
        optimizer = optim.Adam(model.parameters())
        optimizers.append(optimizer)

        def step(x, y):
            group = optimizer.param_groups[0]
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss, group["lr"] * 0

        return step, list(model.parameters())

    ag.manual_seed(5)
    eager, changed = make()
    ag.manual_seed(5)
    function, twins = make()
    compiled = Interpreted(function)
    for i, (x, y) in enumerate(batches(4)):
        for optimizer in optimizers:
            optimizer.param_groups[0].update(lr=0.1 / (i + 1), eps=10.0**-i, betas=(0.9 - 0.1 * i, 0.99))
        ag.manual_seed(i)
        expected = eager(x, y)
        ag.manual_seed(i)
        same(compiled(x, y)[0], expected[0])
        same(twins, changed)
    assert len(compiled.runs) == 1
    optimizers[1].param_groups[0]["weight_decay"] = 0.1  # was compared with 0
    compiled(x, y)
    optimizers[1].param_groups[0]["weight_decay"] = 0.2
    compiled(x, y)
    assert len(compiled.runs) == 2
    optimizers[1].param_groups[0]["amsgrad"] = True
    compiled(x, y)
    assert len(compiled.runs) == 3


def test_two_groups_and_a_loaded_state():
    model = Net().double()
    optimizer = optim.Adam([{"params": model.first.parameters(), "lr": 0.1}, {"params": model.second.parameters()}])

    def step(x, y):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    compiled = Interpreted(step)
    (x, y), *_ = batches(1)
    compiled(x, y)
    compiled(x, y)
    assert len(compiled.runs) == 1
    saved = optimizer.state_dict()
    assert saved["state"]["0"]["step"].item() == 2
    optimizer.load_state_dict(saved)  # into new tensors
    compiled(x, y)
    assert len(compiled.runs) == 2
    assert optimizer.state_dict()["state"]["0"]["step"].item() == 3


def test_several_steps_in_one():
    def make():
        w = normal(3, requires_grad=True)
        optimizer = optim.Adam([w])

        def steps(x):
            for _ in range(3):
                optimizer.zero_grad()
                ((w * x) ** 2).sum().backward()
                optimizer.step()

        return steps, [w]

    agrees(make, [(normal(3, seed=i),) for i in range(3)])


def test_accumulated_gradients():
    def make():
        w = normal(3, requires_grad=True)

        def add(x):
            (w * x).sum().backward()

        return add, [w]

    # without a gradient, with one that eager made, and with its own: the last is met again
    agrees(make, [(normal(3, seed=i),) for i in range(4)], recordings=2)


def test_gradients_that_are_forgotten():
    def make():
        w = normal(3, requires_grad=True)
        w.grad = ag.ones(3, dtype="float64")
        optimizer = optim.SGD([w], lr=0.1)

        def step(x):
            (w * x).sum().backward()
            optimizer.step()
            optimizer.zero_grad()

        return step, [w]

    compiled = agrees(make, [(normal(3, seed=i),) for i in range(3)], recordings=2)
    assert [len(r.cleared) for _, r, _ in compiled.runs] == [1, 0]


def test_clipping_by_the_norm():
    def make():
        model = Net().double()
        parameters = list(model.parameters())

        def step(x, y):
            model.zero_grad()
            F.cross_entropy(model(x), y).backward()
            total = ag.stack([(p.grad * p.grad).sum() for p in parameters]).sum().sqrt()
            with ag.no_grad():
                for p in parameters:
                    p.grad.mul_(ag.clamp_max(0.1 / total, 1.0))
                    p.sub_(0.1 * p.grad)
            return total

        return step, parameters

    agrees(make, batches(3))


def test_modes_of_modules_are_facts():
    model = Net()
    compiled = Interpreted(lambda x: model(x))
    x = ag.ones(2, 5)
    compiled(x)
    model.eval()
    same(compiled(x), model(x).detach())
    assert len(compiled.runs) == 2
    model.train()
    compiled(x)
    assert len(compiled.runs) == 2
    model.p = 0.0
    same(compiled(x), model(x).detach())
    assert len(compiled.runs) == 3
    model.second = nn.Linear(7, 2)
    assert compiled(x).shape == (2, 2)
    model.register_forward_hook(lambda module, args, out: 2 * out)
    same(compiled(x), model(x).detach())
    assert len(compiled.runs) == 5


def test_freezing_is_a_fact():
    w, v = normal(2, requires_grad=True), normal(2, seed=1, requires_grad=True)

    def step(x):
        w.grad = v.grad = None
        (w * v * x).sum().backward()

    compiled = Interpreted(step)
    compiled(normal(2))
    assert v.grad is not None
    v.requires_grad = False
    compiled(normal(2))
    assert v.grad is None
    assert len(compiled.runs) == 2


# What networks are made of


def test_batch_norm_moves_its_statistics():
    def make():
        mean, variance = ag.zeros(3, dtype="float64"), ag.ones(3, dtype="float64")
        w = normal(3, requires_grad=True)

        def step(x):
            w.grad = None
            out = F.batch_norm(x, mean, variance, w, None, training=True)
            (out * out * out).sum().backward()
            return out

        return step, [mean, variance, w]

    agrees(make, [(normal(6, 3, seed=i),) for i in range(3)])


def test_dropout_draws_the_same_stream():
    def make():
        own = ag.Generator(3)

        def noisy(x):
            return F.dropout(x), F.dropout(x, generator=own), ag.randn(2), ag.randint(9, (3,)), ag.randperm(4)

        return noisy, []

    agrees(make, [(normal(5),)] * 3)


def test_other_draws():
    def make():
        def draw(p):
            weights = ag.tensor([0.25, 0.75])
            return (
                ag.bernoulli(p),
                ag.normal(p, p + 1.0),
                ag.multinomial(weights, 3, replacement=True),
                ag.zeros(2).uniform_(),
                ag.rand(2, dtype="float16"),
            )

        return draw, []

    agrees(make, [(ag.tensor(np.random.default_rng(i).random(4)),) for i in range(3)])


def test_convolution_and_pooling():
    def make():
        w, b = normal(2, 1, 3, 3, requires_grad=True), normal(2, requires_grad=True)

        def step(x):
            w.grad = b.grad = None
            out = F.max_pool2d(ag.relu(F.conv2d(x, w, b, padding=1)), 2)
            out = F.adaptive_avg_pool2d(out, 1).sum()
            out.backward()
            return out

        return step, [w, b]

    agrees(make, [(normal(2, 1, 6, 6, seed=i),) for i in range(2)])


def test_attention_and_layer_norm():
    def make():
        w = normal(4, 12, requires_grad=True)

        def step(x):
            w.grad = None
            q, k, v = (x @ w).split(4, -1)
            out = F.layer_norm(ag.softmax(q @ k.mT / 2.0, -1) @ v + x, 4)
            F.gelu(out).sum().backward()
            return out

        return step, [w]

    agrees(make, [(normal(2, 5, 4, seed=i),) for i in range(2)])


def test_a_recurrent_cell():
    def make():
        w, u = normal(3, 16, requires_grad=True), normal(4, 16, seed=1, requires_grad=True)

        def step(x):
            w.grad = u.grad = None
            h = c = ag.zeros(2, 4, dtype="float64")
            for row in x:
                i, f, g, o = (row @ w + h @ u).chunk(4, -1)
                c = ag.sigmoid(f) * c + ag.sigmoid(i) * ag.tanh(g)
                h = ag.sigmoid(o) * ag.tanh(c)
            h.sum().backward()
            return h

        return step, [w, u]

    agrees(make, [(normal(6, 2, 3, seed=i),) for i in range(2)])


def test_embedding():
    def make():
        table = normal(7, 3, requires_grad=True)

        def step(numbers):
            table.grad = None
            (F.embedding(numbers, table, padding_idx=2) ** 2).sum().backward()

        return step, [table]

    rng = np.random.default_rng(0)
    compiled = agrees(make, [(ag.tensor(rng.integers(0, 7, size=(2, 4))),) for _ in range(2)])
    with pytest.raises(IndexError, match=r"embedding: input\[0, 1\] is 7, but the weight .* has rows 0 to 6"):
        compiled(ag.tensor([[0, 7, 1, 2], [0, 0, 0, 0]]))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_with_targets_to_ignore(reduction, weighted):
    def make():
        w = normal(5, 3, requires_grad=True)
        weight = normal(3, seed=4).exp() if weighted else None

        def step(x, y):
            w.grad = None
            loss = F.cross_entropy(x @ w, y, weight, reduction=reduction, label_smoothing=0.1, ignore_index=1)
            loss.sum().backward()
            return loss

        return step, [w]

    def targets(*y):
        return normal(4, 5), ag.tensor(list(y))

    compiled = agrees(make, [targets(0, 2, 0, 2), targets(0, 1, 2, 1)])
    same(compiled(*targets(1, 1, 1, 1)).sum(), ag.tensor(0.0, dtype="float64"))  # eager warns
    with pytest.raises(IndexError, match=r"cross_entropy: target\[3\] is 3, but there are 3 classes"):
        compiled(*targets(0, 1, 2, 3))


def test_checks_hold_in_every_run():
    def twice(x, index):
        return F.binary_cross_entropy(x, ag.zeros(2)), ag.index_select(x, 0, index)

    compiled = Interpreted(twice)
    compiled(ag.tensor([0.5, 0.5]), ag.tensor([1, 0]))
    with pytest.raises(ValueError, match=r"expected probabilities in \[0, 1\], but input\[1\] is 1.5"):
        compiled(ag.tensor([0.5, 1.5]), ag.tensor([1, 0]))
    with pytest.raises(IndexError, match="index_select: index -1 is out of bounds for dim 0 of size 2"):
        compiled(ag.tensor([0.5, 0.5]), ag.tensor([1, -1]))
    with pytest.raises(ValueError, match="expected probabilities"):
        record(twice, (ag.tensor([2.0, 0.5]), ag.tensor([1, 0])))
    assert len(compiled.runs) == 1


# Derivatives


def test_gradients_of_arguments():
    x, y = normal(3, requires_grad=True), normal(3, seed=1)
    compiled = Interpreted(lambda x, y: (x * y).sum().backward())
    for i in range(3):
        x.grad, y = None, normal(3, seed=i)
        compiled(x, y)
        same(x.grad, y)


def test_grad_of_grad():
    def make():
        w = normal(3, requires_grad=True)

        def penalty(x):
            w.grad = None
            loss = (ag.tanh(w * x) ** 2).sum()
            (g,) = ag.grad(loss, w, create_graph=True)
            (loss + (g * g).sum()).backward()
            return g

        def function(x):
            return penalty(x).detach()

        return function, [w]

    agrees(make, [(normal(3, seed=i),) for i in range(2)])


def test_backward_that_is_differentiable():
    def make():
        w = normal(3, requires_grad=True)

        def second(x):
            w.grad = None
            (w * w * w * x).sum().backward(create_graph=True)
            g = w.grad
            w.grad = None
            g.sum().backward()
            return g.detach()

        return second, [w]

    agrees(make, [(normal(3, seed=i),) for i in range(2)])


def test_transforms():
    def f(x):
        return (ag.sin(x) * x).sum()

    def make():
        def all_of_them(x, v):
            return (
                ag.func.grad(f)(x),
                ag.func.value_and_grad(f)(x),
                ag.func.hvp(f, (x,), (v,)),
                ag.func.jacobian(lambda t: t * t[0])(x),
                ag.func.jvp(f, (x,), (v,)),
                ag.func.hessian(f)(x),
            )

        return all_of_them, []

    agrees(make, [(normal(3, seed=i), normal(3, seed=i + 9)) for i in range(2)])


class Cube(ag.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * g


@ag.custom_vjp(lambda g, out: g * (1 - out**2))
def squash(x):
    return np.tanh(x)


def test_operations_of_ones_own():
    def make():
        w = normal(3, requires_grad=True)

        def step(x):
            w.grad = None
            out = squash(Cube.apply(w * x)).sum()
            out.backward()
            return out

        return step, [w]

    agrees(make, [(normal(3, seed=i),) for i in range(2)])


def test_checkpoint():
    def make():
        w = normal(3, requires_grad=True)

        def step(x):
            w.grad = None
            out = ag.func.checkpoint(lambda t: F.dropout(ag.exp(t * w)), x).sum()
            out.backward()
            return out

        return step, [w]

    agrees(make, [(normal(3, seed=i),) for i in range(2)])


def test_hooks():
    def make():
        w = normal(3, requires_grad=True)
        w.register_hook(lambda g: g * 2)
        layer = nn.Linear(3, 2).double()
        layer.register_full_backward_hook(lambda module, into, out: tuple(g * 3 for g in into))

        def step(x):
            w.grad = None
            layer.zero_grad()
            h = w * x
            h.register_hook(lambda g: g + 1)
            h.retain_grad()
            layer(h).sum().backward()
            return h.grad

        return step, [w, *layer.parameters()]

    agrees(make, [(normal(3, seed=i),) for i in range(2)])


def test_a_branch_that_is_not_taken_sends_nothing():
    def make():
        def step(x):
            (g,) = ag.grad(ag.where(x > 0, ag.sqrt(ag.exp(x) * x), 0.0).sum(), x)
            return g

        return step, []

    x = ag.tensor([-1.0, 0.0, 4.0, np.nan], requires_grad=True)
    agrees(make, [(x,)] * 2)


# Changes in place


def test_changes_in_place():
    def make():
        buffer = ag.zeros(2, 3, dtype="float64")
        count = ag.tensor(0)

        def step(x):
            buffer[0] += x
            buffer[:, 1] = 7.0
            buffer.mul_(2).clamp_(max=50.0)
            count.add_(1)
            count[...] = count + 1
            y = x.clone()
            y[y < 0] = 0.0
            y.copy_(y + count)
            return y, buffer.sum()

        return step, [buffer, count]

    agrees(make, [(normal(3, seed=i),) for i in range(3)])


def test_a_change_is_seen_through_detach():
    def make():
        w = normal(3, requires_grad=True)

        def step(x):
            values = w.detach()
            with ag.no_grad():
                w.add_(x)
            return values * 1.0

        return step, [w]

    agrees(make, [(normal(3, seed=i),) for i in range(2)])


def test_values_are_exchanged():
    def make():
        a, b = normal(3), normal(3, seed=1)

        def swap():
            old = a.clone()
            a.copy_(b)
            b.copy_(old)

        return swap, [a, b]

    agrees(make, [()] * 3)


def test_a_recorded_change_of_something_new():
    def make():
        w = normal(3, requires_grad=True)

        def step(x):
            w.grad = None
            h = w * x
            h[1] = 0.0
            h.exp_()
            h.sum().backward()
            return h.detach()

        return step, [w]

    agrees(make, [(normal(3, seed=i),) for i in range(2)])


def test_saved_and_then_changed():
    def step(x):
        y = ag.exp(x)
        y.mul_(2) if False else y.detach().mul_(2)
        y.sum().backward()

    with pytest.raises(RuntimeError, match=r"backward: exp .* saved its output .* and mul_ .* changed it in place"):
        record(step, (normal(3, requires_grad=True),))


def test_views_and_what_they_view_change_together():
    def make():
        w = normal(4, 3)
        columns = w.T

        def step(x):
            first, rest = w[0], w[1:]
            corner = rest[:, :2]
            w.mul_(2)  # all views follow
            first.add_(x)  # so does w
            before = corner + 0
            corner[0] = 7.0
            corner[0] *= 2
            rest[1].copy_(x)
            return first + 0, rest + 0, before, corner.sum(), w.sum(), columns[:, 0] * 1

        return step, [w, columns]

    agrees(make, [(normal(3, seed=i),) for i in range(3)])


def test_parts_of_one_memory_from_outside():
    w = normal(4)
    low, high = w[:3], w[1:]
    with pytest.raises(ag.TracingError, match="share memory"):
        record(lambda: (low.mul_(2), high + 1))
    record(lambda: low + high[:3])


def test_what_cannot_be_changed():
    array = np.zeros(3)
    with pytest.raises(ag.TracingError, match=r"add_, at .*test_recorder.py:\d+: an argument"):
        record(lambda x: x.add_(1), (ag.zeros(3),))
    with pytest.raises(ag.TracingError, match="shares memory with an ndarray"):
        record(lambda: ag.from_numpy(array).add_(1))
    with pytest.raises(RuntimeError, match="cannot be written to"):
        record(lambda x: (x + 1).expand(2, 3).add_(1), (ag.zeros(3),))
    w = ag.zeros(3)
    with pytest.raises(ag.TracingError, match="data"):
        record(lambda: setattr(w, "data", ag.ones(3)))
    with pytest.raises(ag.TracingError, match="requires_grad"):
        record(lambda: w.requires_grad_())
    with pytest.raises(ag.TracingError, match="copy_"):
        record(lambda x: w.copy_(x), (ag.zeros(3, requires_grad=True),))


# Arguments and results


class Pair(NamedTuple):
    a: object
    b: object


@dataclasses.dataclass
class Box:
    x: object
    n: int


def test_containers():
    w = normal(2)

    def function(tree, *, scale, box):
        x, (y, n) = tree["x"], tree["rest"]
        out = {"sum": x + y * n, "none": None, "pair": Pair(x * scale, [1, w])}
        return out, w, tree["x"], Box(box.x - 1, box.n), np.arange(3)

    compiled = Interpreted(function)
    x, y = normal(2, seed=1), np.ones(2)
    for _ in range(2):
        out, same_w, same_x, box, array = compiled({"x": x, "rest": (y, 3)}, scale=2.0, box=Box(x, 5))
        assert same_w is w
        assert same_x is x
        assert out["pair"].b[1] is w
        assert out["none"] is None
        same(out["sum"], x + y * 3)
        same(out["pair"].a, x * 2.0)
        same(box.x, x - 1)
        assert box.n == 5
        assert list(array) == [0, 1, 2]
    assert len(compiled.runs) == 1
    compiled({"x": x, "rest": (y, 4)}, scale=2.0, box=Box(x, 5))
    assert len(compiled.runs) == 2


def test_the_same_tensor_twice():
    x = normal(3, requires_grad=True)

    def product(a, b):
        (a * b).sum().backward()
        return a + b

    recording = record(product, (x, normal(3)))
    assert [type(t).__name__ for t, _ in recording.program.outputs] == ["Result", "Gradient"]


def test_lines():
    recording = record(lambda x: x + 1, (ag.zeros(2),))
    (instruction,) = recording.program.instructions
    assert "test_recorder.py:" in instruction.line


def test_what_was_made_outside_is_captured():
    w, array = normal(2), np.array([1.0, 2.0])

    def function(x):
        return x * w + array + ag.tensor([3.0, 4.0]) + ag.arange(2)

    compiled = Interpreted(function)
    for i in range(2):
        w.copy_(normal(2, seed=i))
        same(compiled(ag.ones(2)), function(ag.ones(2)))
    sources = sorted(type(s).__name__ for s in compiled.recording.program.inputs.values())
    assert sources == ["Argument", "Captured", "Constant", "Constant", "Constant"]


def test_what_was_made_inside_is_made_anew():
    def function(x):
        total = ag.zeros(2)
        total += x
        total.add_(ag.full((2,), 3.0))
        return total

    compiled = Interpreted(function)
    for _ in range(3):
        same(compiled(ag.ones(2)), ag.tensor([4.0, 4.0]))


def test_values_that_are_always_the_same_may_be_read():
    def function(x):
        n = ag.arange(3).sum()
        return [x * t.item() for t in ag.linspace(0, 1, 3)], ag.tensor_split(x, ag.tensor([1])), n

    compiled = Interpreted(function)
    for _ in range(2):
        out, pieces, n = compiled(ag.ones(3))
        assert [t.tolist() for t in out] == [[0.0] * 3, [0.5] * 3, [1.0] * 3]
        assert [p.numel() for p in pieces] == [1, 2]
        assert n.item() == 3


# What has no answer


READS = {
    "bool": lambda t: 1 if t.sum() > 0 else 2,
    "float": lambda t: float(t.sum()),
    "int": lambda t: int(t.sum()),
    "item": lambda t: t.sum().item(),
    "index": lambda t: [1, 2][t.sum().long()],
    "tolist": lambda t: t.tolist(),
    "numpy": lambda t: t.detach().numpy(),
    "asarray": lambda t: np.asarray(t.detach()),
    "in": lambda t: 1.0 in t,
    "format": lambda t: f"{t.sum():.3f}",
    "array": lambda t: t.detach().array.sum(),
    "array +": lambda t: (t * 1).array + 1,
    "np.sum": lambda t: np.sum((t * 1).array),
    "math": lambda t: (t * 1).array[0],
    "equal": lambda t: ag.equal(t, t),
    "nonzero": lambda t: ag.nonzero(t),
    "mask": lambda t: t[t > 0],
    "unique": lambda t: ag.unique(t),
    "repeat_interleave": lambda t: ag.repeat_interleave(t, t.long()),
    "one_hot": lambda t: F.one_hot(t.long()),
    "arange": lambda t: ag.arange(t.sum()),
    "full": lambda t: ag.full((2,), t.sum()),
    "multinomial": lambda t: ag.multinomial(t, 1),
    "deepcopy": lambda t: t.detach().__deepcopy__({}),
}


@pytest.mark.parametrize("captured", [False, True])
@pytest.mark.parametrize("name", READS)
def test_reading_values(name, captured):
    w = ag.tensor([1.0, 2.0])
    if captured and name == "array":
        return  # the array of a tensor from outside is an ndarray, and nobody is asked
    line = READS[name].__code__.co_firstlineno
    with pytest.raises(ag.TracingError, match=rf"test_recorder.py:{line}: the values of .* are not known while"):
        record((lambda x: READS[name](w)) if captured else (lambda x: READS[name](x)), (ag.tensor([1.0, 2.0]),))


def test_how_a_traced_tensor_looks():
    seen = []
    record(lambda x: seen.append(repr(x * 2)), (ag.zeros(2, 3),))
    assert seen == ["tensor(traced float32[2, 3])"]


def test_what_is_kept_leaks():
    kept = []

    def append(x):
        kept.append(x * 2)
        return x + 1

    line = append.__code__.co_firstlineno + 1
    with pytest.raises(ag.TracingError, match=rf"made at .*test_recorder.py:{line} outlives .* buffer.copy_"):
        record(append, (ag.zeros(2),))
    with pytest.raises(ag.TracingError, match="while a compiled function was recorded"):
        kept[0].tolist()
    with pytest.raises(ag.TracingError):
        kept[0] + 1

    class Keeps(nn.Module):
        def forward(self, x):
            self.last = x * 2
            return x

    model = Keeps()
    with pytest.raises(ag.TracingError, match=r"Keeps\.last was changed in the compiled function"):
        record(lambda x: model(x), (ag.zeros(2),))
    assert not hasattr(model, "last")


def test_garbage_is_no_leak():
    def cyclic(x):
        ring = [x * 2]
        ring.append(ring)
        return x

    record(cyclic, (ag.zeros(2),))


def test_attributes_of_modules():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            return x * self.calls

    model = Counts()
    with pytest.raises(ag.TracingError, match=r"Counts\.calls was changed"):
        record(lambda x: model(x), (ag.zeros(2),))
    assert model.calls == 0

    net = Net()

    def evaluated(x):
        net.eval()
        try:
            return net(x)
        finally:
            net.train()

    compiled = Interpreted(evaluated)
    for _ in range(3):
        compiled(ag.ones(1, 5))
    assert len(compiled.runs) == 1

    def built(x):
        return nn.Sequential(nn.Tanh(), nn.ReLU())(x)

    same(Interpreted(built)(ag.ones(2)), ag.tanh(ag.ones(2)))


def test_options_that_change_inside():
    w = normal(2, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)

    def step():
        w.grad = ag.ones(2, dtype="float64")
        optimizer.step()
        optimizer.param_groups[0]["lr"] = 0.05

    with pytest.raises(ag.TracingError, match="option 'lr' of an optimizer was changed"):
        record(step)


def test_numbers():
    class Odd(optim.Optimizer):
        ranges = {"lr": (0.0, 10.0)}  # noqa: RUF012

        def __init__(self, params, lr, wanted):
            super().__init__(params, {"lr": lr})
            self.wanted = wanted

        @staticmethod
        def rule(param, grad, step=0, *, lr):
            step = step + 1
            factor = np.sqrt(2 - lr / 2) ** 2 + -lr * np.float64(2) + (1 if lr > 0.05 else 2)
            return param - factor * grad / np.maximum(np.abs(grad), lr), {"step": step}

    def make():
        w = normal(3, requires_grad=True)
        optimizer = Odd([w], 0.1, None)

        def step(x):
            w.grad = x * 1.0
            optimizer.step()

        return step, [w]

    agrees(make, [(normal(3, seed=i),) for i in range(3)])


@pytest.mark.parametrize("ask", [lambda n: float(n), lambda n: int(n), lambda n: n * 2 > 1, lambda n: bool(n + 1)])
def test_numbers_have_no_values(ask):
    class Asks(optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 0.1})

        @staticmethod
        def rule(param, grad, *, lr):
            ask(lr)
            return param, {}

    w = normal(2, requires_grad=True)
    optimizer = Asks([w])
    w.grad = w.detach()
    with pytest.raises(ag.TracingError):
        record(optimizer.step)


# Errors leave everything as it was


def test_an_exception_restores_everything():
    model = Net().double()
    optimizer = optim.Adam(model.parameters())
    own = ag.Generator(0)
    buffer = ag.zeros(2)
    (x, y), *_ = batches(1)
    model(x).sum().backward()
    before = [p.array.copy() for p in model.parameters()]
    grads = [p.grad for p in model.parameters()]
    values = [g.array.copy() for g in grads]
    streams = ag.default_generator().get_state(), own.get_state()

    def step(x, y):
        ag.rand(3, generator=own)
        model.eval()
        model.train()
        model.eval()
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        buffer.add_(1)
        raise KeyError("here")

    with pytest.raises(KeyError):
        record(step, (x, y))
    for p, array, grad, value in zip(model.parameters(), before, grads, values, strict=True):
        np.testing.assert_array_equal(p.array, array)
        assert p.grad is grad
        np.testing.assert_array_equal(grad.array, value)
    assert not optimizer.state_dict()["state"]
    assert (ag.default_generator().get_state(), own.get_state()) == streams
    assert buffer.tolist() == [0.0, 0.0]
    assert model.training
    assert model.first.training


def test_nothing_changes_before_the_results_are_delivered():
    w = normal(2, requires_grad=True)
    array = w.array.copy()
    optimizer = optim.Adam([w])

    def step(x):
        (w * x).sum().backward()
        optimizer.step()

    recording = record(step, (normal(2),))
    np.testing.assert_array_equal(w.array, array)
    assert w.grad is None
    assert not optimizer.state_dict()["state"]
    for commit in recording.commit:
        commit()
    assert list(optimizer.state[w]) == ["step", "exp_avg", "exp_avg_sq"]


def test_not_within_another():
    def inner(x):
        return record(lambda t: t, (x,))

    with pytest.raises(ag.TracingError, match="not within another"):
        record(inner, (ag.zeros(2),))
    with ag.detect_anomaly(), pytest.raises(ag.TracingError, match="not within"):
        record(lambda: None)

    def pictured():
        with ag.record():
            pass

    def watched():
        with ag.detect_anomaly():
            pass

    for function in (pictured, watched):
        with pytest.raises(ag.TracingError):
            record(function)


@pytest.mark.parametrize("seed", [lambda: ag.manual_seed(0), lambda: ag.Generator(0)])
def test_streams_are_not_set(seed):
    with pytest.raises(ag.TracingError, match="random stream"):
        record(seed)


def test_what_leads_outside():
    w = normal(2, requires_grad=True)
    outside = w * 2
    with pytest.raises(ag.TracingError, match="leads out of the compiled function"):
        record(lambda: outside + 1)
    with ag.no_grad():
        record(lambda: outside + 1)


def test_threads_do_not_see_each_other():
    x = normal(3)
    inside, outside = threading.Event(), threading.Event()
    found = []

    def other():
        inside.wait(10)
        found.append((x * 2).sum().item())
        outside.set()

    def slow(t):
        inside.set()
        assert outside.wait(10)
        return t + 1

    thread = threading.Thread(target=other)
    thread.start()
    recording = record(slow, (x,))
    thread.join()
    assert found == [(x * 2).sum().item()]
    assert [i.name for i in recording.program.instructions] == ["add"]
