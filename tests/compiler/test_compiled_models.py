"""Training steps of all kinds: compiled, they do what they do eagerly, for several steps.

In float32 as native code, in float64 as plain Python, which looks at every access to memory.
"""

import numpy as np
import pytest
from twins import Twins

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional

pytest.importorskip("numba")


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    before = ag.get_default_dtype()
    ag.set_default_dtype(request.param)
    yield request.param
    ag.set_default_dtype(before)


@pytest.fixture
def draw(rng, dtype):
    """Random arguments: sizes for floats, or ``classes=`` for integers."""

    def drawn(*shape, classes=None):
        if classes is not None:
            return ag.tensor(rng.integers(0, classes, shape))
        return ag.tensor(rng.normal(size=shape).astype(dtype))

    return drawn


def twins(make, dtype, **more):
    return Twins(make, dtype, natively=dtype == "float32", **more)


def train(optimizer, loss, before_step=lambda: None):
    optimizer.zero_grad()
    loss.backward()
    before_step()
    optimizer.step()
    return loss


# Optimizers


OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, maximize=True),
    "adam": lambda p: optim.Adam(p, lr=1e-2, weight_decay=0.1),
    "amsgrad": lambda p: optim.Adam(p, lr=1e-2, betas=(0.8, 0.9), amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=1e-2, maximize=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_mlp(name, dtype, draw):
    def make():
        model = nn.MLP([5, 7, 3])
        optimizer = OPTIMIZERS[name](model.parameters())

        def step(x, y):
            return train(optimizer, F.cross_entropy(model(x), y))

        return step, model, optimizer

    both = twins(make, dtype)
    for _ in range(4):
        both(draw(6, 5), draw(6, classes=3))
    # What is remembered from the first step on only makes that step another one.
    assert both.recordings == 1 + (name in ("momentum", "nesterov", "amsgrad"))


def test_schedule_and_groups(dtype, draw):
    def make():
        model = nn.MLP([4, 6, 2])
        first, *rest = model.parameters()
        optimizer = optim.Adam([{"params": [first], "lr": 0.1}, {"params": rest, "weight_decay": 0.1}], lr=0.01)

        def step(x, y):
            return train(optimizer, F.mse_loss(model(x), y))

        return step, model, optimizer

    def anneal(_, model, optimizer):
        for group in optimizer.param_groups:
            group["lr"] *= 0.7
            group["betas"] = (group["betas"][0] * 0.9, 0.99)

    both = twins(make, dtype)
    for _ in range(5):
        both(draw(3, 4), draw(3, 2))
        both.each(anneal)
    assert both.recordings == 1


def test_gradients_add_up_over_calls(dtype, draw):
    def make():
        model = nn.MLP([4, 5, 2])
        optimizer = optim.SGD(model.parameters(), lr=0.1)

        def step(x, y):
            F.mse_loss(model(x), y).backward()

        return step, model, optimizer

    both = twins(make, dtype)

    def update(_, model, optimizer):
        optimizer.step()
        optimizer.zero_grad()

    for _ in range(3):
        for _ in range(3):
            both(draw(3, 4), draw(3, 2))
        both.each(update)


@pytest.mark.parametrize("by", ["norm", "value"])
def test_clipped_gradients(by, dtype, draw):
    def make():
        model = nn.MLP([4, 5, 2])
        optimizer = optim.SGD(model.parameters(), lr=0.5)

        def clip():
            grads = [p.grad for p in model.parameters()]
            if by == "value":
                for g in grads:
                    g.clamp_(-0.01, 0.01)
                return
            total = ag.sqrt(sum((g * g).sum() for g in grads))
            scale = ag.minimum(0.1 / (total + 1e-6), ag.ones(()))
            for g in grads:
                g.mul_(scale)

        def step(x, y):
            return train(optimizer, F.mse_loss(model(x), y), clip)

        return step, model, optimizer

    both = twins(make, dtype)
    for _ in range(4):
        both(draw(3, 4), draw(3, 2))


def test_a_step_of_ones_own(dtype, draw):
    """Without an optimizer: parameters changed in place under no_grad."""

    def make():
        w = ag.tensor(np.ones((4, 2)), dtype=dtype, requires_grad=True)
        mean = ag.zeros(4, 2)

        def step(x, y):
            loss = F.mse_loss(x @ w, y)
            (g,) = ag.grad(loss, [w])
            with ag.no_grad():
                w.sub_(0.1 * g)
                mean.mul_(0.9).add_(0.1 * w)
            return loss

        return step, w, mean

    both = twins(make, dtype)
    for _ in range(4):
        both(draw(3, 4), draw(3, 2))


# Layers


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 6)
        self.out = nn.Linear(6, 3)
        self.scale, self.shift = nn.Parameter(ag.ones(6)), nn.Parameter(ag.zeros(6))
        self.register_buffer("mean", ag.zeros(6))
        self.register_buffer("variance", ag.ones(6))

    def forward(self, x):
        h = F.batch_norm(self.linear(x), self.mean, self.variance, self.scale, self.shift, training=self.training)
        return self.out(ag.relu(h))


def test_batch_norm_then_eval(dtype, draw):
    def make():
        model = Normed()
        optimizer = optim.SGD(model.parameters(), lr=0.1)

        def step(x, y):
            if not model.training:
                return model(x)
            return train(optimizer, F.cross_entropy(model(x), y))

        return step, model, optimizer

    both = twins(make, dtype)
    for training in (True, True, True, False, False, True, False):
        both.each(lambda _, model, optimizer, training=training: model.train(training))
        both(draw(6, 4), draw(6, classes=3))
    assert both.recordings == 2


class Dropped(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.p = nn.Linear(4, 8), nn.Linear(8, 3), 0.5

    def forward(self, x):
        h = F.dropout(ag.tanh(self.first(x)), self.p, self.training)
        return self.second(F.dropout(h, 0.2, self.training))


def test_dropout(dtype, draw):
    def make():
        model = Dropped()
        optimizer = optim.Adam(model.parameters(), lr=0.01)

        def step(x, y):
            return train(optimizer, F.cross_entropy(model(x), y)), model(x)

        return step, model, optimizer

    both = twins(make, dtype)
    x, y = draw(5, 4), draw(5, classes=3)
    for _ in range(3):
        both(x, y)
    both.each(lambda _, model, optimizer: model.eval())
    both(x, y)
    both(x, y)
    both.each(lambda _, model, optimizer: model.train())
    both(x, y)
    assert both.recordings == 2
    both.each(lambda _, model, optimizer: setattr(model, "p", 0.1))
    both(x, y)
    both(x, y)
    assert both.recordings == 3


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.w1 = nn.Parameter(0.3 * ag.randn(3, 1, 3, 3))
        self.b1 = nn.Parameter(ag.zeros(3))
        self.w2 = nn.Parameter(0.3 * ag.randn(4, 3, 3, 3))
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        h = F.max_pool2d(ag.relu(F.conv2d(x, self.w1, self.b1, padding=1)), 2)
        h = F.avg_pool2d(ag.relu(F.conv2d(h, self.w2, stride=1)), 2)
        return self.out(h.flatten(1))


def test_cnn(dtype, draw):
    def make():
        model = Convolutional()
        optimizer = optim.Adam(model.parameters(), lr=0.01)

        def step(x, y):
            return train(optimizer, F.cross_entropy(model(x), y))

        return step, model, optimizer

    both = twins(make, dtype)
    for _ in range(3):
        both(draw(2, 1, 8, 8), draw(2, classes=3))


class Block(nn.Module):
    def __init__(self, d=8, heads=2, words=11):
        super().__init__()
        self.heads = heads
        self.words = nn.Parameter(0.5 * ag.randn(words, d))
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 2 * d), nn.Linear(2 * d, d)
        self.scale, self.shift = nn.Parameter(ag.ones(d)), nn.Parameter(ag.zeros(d))
        self.out = nn.Linear(d, words)

    def forward(self, tokens):
        x = F.embedding(tokens, self.words)
        n, t, d = x.shape
        h = F.layer_norm(x, (d,), self.scale, self.shift)
        q, k, v = (
            part.reshape(n, t, self.heads, d // self.heads).permute(0, 2, 1, 3) for part in ag.split(self.qkv(h), d, -1)
        )
        h = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(h.permute(0, 2, 1, 3).reshape(n, t, d))
        x = x + self.down(F.gelu(self.up(F.layer_norm(x, (d,), self.scale, self.shift))))
        return self.out(x)


def test_transformer(dtype, draw):
    def make():
        model = Block()
        # The gradient of the keys' bias is 0 but for rounding, which Adam would blow up.
        optimizer = optim.AdamW(model.parameters(), lr=0.01, eps=1e-3)

        def step(tokens, targets):
            logits = model(tokens)
            return train(optimizer, F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)))

        return step, model, optimizer

    both = twins(make, dtype)
    for _ in range(3):
        both(draw(2, 5, classes=11), draw(2, 5, classes=11))


class Recurrent(nn.Module):
    def __init__(self, inputs=3, hidden=4):
        super().__init__()
        self.wx = nn.Parameter(0.5 * ag.randn(inputs, 4 * hidden))
        self.wh = nn.Parameter(0.5 * ag.randn(hidden, 4 * hidden))
        self.b = nn.Parameter(ag.zeros(4 * hidden))
        self.hidden = hidden

    def forward(self, x):
        h = c = ag.zeros(x.shape[1], self.hidden)
        for t in range(x.shape[0]):
            i, f, g, o = ag.split(x[t] @ self.wx + h @ self.wh + self.b, self.hidden, -1)
            c = ag.sigmoid(f) * c + ag.sigmoid(i) * ag.tanh(g)
            h = ag.sigmoid(o) * ag.tanh(c)
        return h


def recurrent():
    model = Recurrent()
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    def step(x, y):
        return train(optimizer, F.mse_loss(model(x), y))

    return step, model, optimizer


def test_lstm(dtype, draw):
    both = twins(recurrent, dtype)
    for _ in range(3):
        both(draw(12, 2, 3), draw(2, 4))


# Losses


def test_losses(dtype, draw):
    """Many in one function, since they share their kernels."""
    target = draw(6, classes=4)
    target.array[1] = -100
    given = {
        "logits": draw(6, 4),
        "target": target,
        "classes": draw(6, classes=4),
        "soft": ag.softmax(draw(6, 4), -1),
        "weight": ag.exp(draw(4)),
        "truth": ag.tensor(draw(6, 4, classes=2).array.astype(dtype)),
        "value": draw(6, 4),
    }

    def make():
        w = ag.tensor(np.linspace(-1, 1, 16).reshape(4, 4), dtype=dtype, requires_grad=True)

        def step(g):
            z = g["logits"] @ w
            p = ag.sigmoid(z)
            losses = [
                F.cross_entropy(z, g["target"]),
                F.cross_entropy(z, g["target"], g["weight"], label_smoothing=0.1),
                F.cross_entropy(z, g["soft"]),
                F.cross_entropy(z, g["classes"], reduction="sum"),
                F.nll_loss(ag.log_softmax(z, -1), g["classes"]),
                F.binary_cross_entropy(p, g["truth"]),
                F.binary_cross_entropy_with_logits(z, g["truth"], pos_weight=g["weight"]),
                F.mse_loss(z, g["value"]),
                F.l1_loss(z, g["value"], reduction="sum"),
                F.huber_loss(z, g["value"], delta=0.5),
                F.smooth_l1_loss(z, g["value"], beta=0.3),
                F.kl_div(ag.log_softmax(z, -1), g["soft"], reduction="batchmean"),
                F.gaussian_nll_loss(z, g["value"], p + 0.1),
                F.poisson_nll_loss(z, g["truth"]),
                F.sigmoid_focal_loss(z, g["truth"]).mean(),
                F.cosine_similarity(z, g["value"]).sum(),
                F.multi_margin_loss(z, g["classes"]),
                F.log_cosh_loss(z, g["value"]),
            ]
            w.grad = None
            sum(losses).backward()
            return losses

        return step, w

    both = twins(make, dtype)
    for _ in range(2):
        both(given)
    given["target"] = ag.tensor([3, 2, 1, 0, -100, -100])
    both(given)
    assert both.recordings == 1


# Functions


def test_inference(dtype, draw):
    def make():
        model = nn.MLP([4, 8, 3])

        def predict(x):
            with ag.no_grad():
                return ag.softmax(model(x), -1), ag.argmax(model(x), -1)

        return predict, model

    both = twins(make, dtype)
    for _ in range(3):
        both(draw(5, 4))


def test_derivatives_of_functions(dtype, draw):
    def f(w, x):
        return (ag.tanh(x @ w) ** 2).sum()

    def make():
        def derivatives(w, x, v):
            gradient = ag.func.grad(f)(w, x)
            hvp = ag.func.jvp(lambda w: ag.func.grad(f)(w, x), (w,), (v,))[1]
            jacobian = ag.func.jacobian(lambda x: ag.sin(x) * x.sum())(x[0])
            value, other = ag.func.value_and_grad(f)(w, x)
            return gradient, hvp, jacobian, value, other

        return derivatives

    both = twins(make, dtype)
    for _ in range(2):
        both(draw(3, 2), draw(4, 3), draw(3, 2))


def test_gradient_penalty(dtype, draw):
    def make():
        model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
        optimizer = optim.Adam(model.parameters(), lr=0.01)

        def step(x):
            inside = x.detach().requires_grad_()
            out = model(inside).sum()
            (g,) = ag.grad(out, [inside], create_graph=True)
            penalty = ((ag.sqrt((g * g).sum(-1) + 1e-6) - 1) ** 2).mean()
            return train(optimizer, out * 0.1 + penalty)

        return step, model, optimizer

    both = twins(make, dtype)
    for _ in range(3):
        both(draw(5, 4))


@ag.custom_vjp(lambda g, x, out: g * (1 - out * out) * 2)
def loud_tanh(x):
    return np.tanh(x)


class Straight(ag.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return ag.sign(x)

    @staticmethod
    def backward(ctx, g):
        return g * 0.5


def test_rules_of_ones_own_and_checkpoint(dtype, draw):
    def make():
        model = nn.MLP([4, 5, 5])

        def step(x):
            h = ag.func.checkpoint(lambda x: ag.relu(model(x)), x)
            loss = (Straight.apply(loud_tanh(h) - 0.3) * h).sum()
            for p in model.parameters():
                p.grad = None
            loss.backward()
            return loss

        return step, model

    both = twins(make, dtype)
    for _ in range(3):
        both(draw(3, 4))


def test_masked_recurrence(dtype, draw):
    """Gradients add up in memory that is taken over from values needed before."""

    def make():
        model = nn.RNN(2, 2)
        optimizer = optim.SGD(model.parameters(), lr=0.1)

        def step(x, lengths):
            _, h = model(x, lengths=lengths)
            return train(optimizer, (h * h).sum())

        return step, model, optimizer

    both = twins(make, dtype)
    for _ in range(2):
        both(draw(4, 3, 2), ag.tensor([4, 1, 2]))


def test_spectral_norm(dtype, draw):
    """A sum over all elements scales a vector of rows: what is once a row stays that when loops are joined."""

    def make():
        model = nn.utils.parametrizations.spectral_norm(nn.Linear(4, 6))
        optimizer = optim.SGD(model.parameters(), lr=0.1)

        def step(x, y):
            return train(optimizer, F.mse_loss(model(x), y))

        return step, model, optimizer

    both = twins(make, dtype)
    for _ in range(3):
        both(draw(5, 4), draw(5, 6))
