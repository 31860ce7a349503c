"""Whole steps, as listened to: after the passes they compute the same, with less."""

from collections import Counter

import numpy as np
import pytest
from programs import assert_same, evaluate, listened

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.compiler.passes import PASSES, dead_code, decompose, one_hot, optimize
from autograd_core.compiler.program import Option
from autograd_core.compiler.recorder import record


def gradients(loss, *leaves):
    return (loss, *ag.grad(loss, leaves, create_graph=True))


def mlp(x, y, w1, b1, w2, b2):
    h = ag.relu(x @ w1 + b1)
    loss = nn.functional.cross_entropy(h @ w2 + b2, y)
    return gradients(loss, w1, b1, w2, b2)


def attention(x, wq, wk, wv, scale):
    h = nn.functional.layer_norm(x, x.shape[-1:], scale)
    q, k, v = h @ wq, h @ wk, h @ wv
    scores = q @ k.transpose(-2, -1) / 2.0
    mask = np.triu(np.full(scores.shape[-2:], -np.inf, x.dtype), 1)
    out = ag.softmax(scores + mask, -1) @ v
    return gradients((nn.functional.gelu(out) ** 2).mean(), wq, wk, wv, scale)


def lstm(x, h, c, wx, wh):
    for t in range(3):
        gates = x[t] @ wx + h @ wh
        i, f, g, o = ag.split(gates, gates.shape[-1] // 4, -1)
        c = ag.sigmoid(f) * c + ag.sigmoid(i) * ag.tanh(g)
        h = ag.sigmoid(o) * ag.tanh(c)
    return gradients(ag.norm(h), wx, wh)


def batch_norm(x, w, scale, shift):
    h = nn.functional.batch_norm(x @ w, None, None, scale, shift, training=True)
    return gradients(ag.logsumexp(ag.where(h > 0, ag.sqrt(ag.abs(h)), 0.0), -1).sum(), w, scale, shift)


SHAPES = {
    mlp: [(8, 5), 8, (5, 7), (7,), (7, 4), (4,)],
    attention: [(2, 6, 4), (4, 4), (4, 4), (4, 4), (4,)],
    lstm: [(3, 2, 5), (2, 4), (2, 4), (5, 16), (4, 16)],
    batch_norm: [(6, 3), (3, 4), (4,), (4,)],
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("step", list(SHAPES), ids=lambda f: f.__name__)
def test_step(step, dtype, rng):
    arrays = [rng.integers(0, 4, s) if isinstance(s, int) else rng.normal(size=s).astype(dtype) for s in SHAPES[step]]
    program = listened(step, *arrays)
    expected = evaluate(program, arrays)
    eager = step(*(ag.tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays))
    for a, b in zip(expected, eager, strict=True):
        np.testing.assert_array_equal(a, b.array)
    rtol = 2e-4 if dtype == "float32" else 1e-10
    for transformed in dict.fromkeys(PASSES):
        assert_same(program, transformed(program), arrays, rtol, signs=False)
    new = optimize(program)
    for a, b in zip(expected, evaluate(new, arrays), strict=True):
        np.testing.assert_allclose(b, a, rtol=rtol, atol=1e-6 if dtype == "float32" else 1e-14)
    assert str(optimize(new)) == str(new)  # nothing is left to do
    count, before = (Counter(i.name for i in p.instructions) for p in (new, program))
    assert not {"softmax", "log_softmax", "logsumexp", "standardize", "norm", "square", "clone"} & set(count)
    assert count["matmul"] <= before["matmul"]


def work(program):
    """The instructions that do not only look at values in another shape."""
    return [i.name for i in program.instructions if i.name not in ("reshape", "permute", "broadcast_to")]


@pytest.mark.parametrize("step", list(SHAPES), ids=lambda f: f.__name__)
def test_a_step_becomes_shorter(step, rng):
    arrays = [rng.integers(0, 4, s) if isinstance(s, int) else rng.normal(size=s) for s in SHAPES[step]]
    program = one_hot(decompose(dead_code(listened(step, *arrays))))
    assert len(work(optimize(program))) < len(work(program))


def test_a_recorded_training_step(rng):
    """With an optimizer: states are written, and numbers that change from call to call stay inputs."""
    arrays = [rng.normal(size=s).astype("float32") for s in [(6, 5), (5, 16), (4, 16), (16,), (4, 3)]]
    x, *parameters = (ag.tensor(a) for a in arrays)
    for p in parameters:
        p.requires_grad_()
    optimizer = optim.AdamW(parameters)

    def step(x):
        wx, wh, b, out = parameters
        h = c = ag.zeros(6, 4)
        for _ in range(2):
            i, f, g, o = ag.split(x @ wx + h @ wh + b, 4, -1)
            c = ag.sigmoid(f) * c + ag.sigmoid(i) * ag.tanh(g)
            h = ag.sigmoid(o) * ag.tanh(c)
        loss = (ag.log_softmax(h @ out, -1) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    program = record(step, (x,)).program
    new = optimize(program)
    assert len(new.instructions) < len(decompose(program).instructions)
    assert [t for t, _ in new.outputs] == [t for t, _ in program.outputs]
    assert {"State", "Result"} <= {type(t).__name__ for t, _ in new.outputs}
    read = {s.name for s in program.inputs.values() if isinstance(s, Option)}
    assert read == {s.name for s in new.inputs.values() if isinstance(s, Option)} >= {"lr", "eps"}
    for a, b in zip(evaluate(program, arrays), evaluate(new, arrays), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)
