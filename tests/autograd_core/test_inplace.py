"""Changes in place: the right values and gradients, or a refusal with the reason."""

import numpy as np
import pytest

import autograd_core as ag


def leaf(value):
    return ag.tensor(value, dtype=ag.float64, requires_grad=True)


def chain(*steps):
    """A program of statements on ``x`` (a result of shape (3, 4)), ``w`` (a leaf) and ``lib``; what it leaves in y."""
    return "\n".join(steps)


PROGRAMS = {
    "add_": "y = x.add_(w)",
    "mul_ by what needs a gradient": "y = x.mul_(w)",
    "chain": "y = x.mul_(w).sub_(1).div_(2).pow_(2)",
    "operators": "y = x\ny += w\ny *= 2\ny -= w\ny /= 3",
    "a view is changed, then the base": "z = x[1:]\nz *= 10\ny = x",
    "a view is changed, then both": "z = x[1:]\nz.mul_(w[1:])\ny = x * 2 + z.sum()",
    "the base is changed, then a view": "z = x[0]\nx *= w\ny = z * z",
    "a view of a view": "z = x[1:][:, :2]\nz.add_(w[1:, :2])\ny = x * x",
    "two views": "a = x[:2]\nb = x[1:]\na *= 2\nb *= 3\ny = a.sum() + b.sum() * x.sum()",
    "transposed view": "z = x.T\nz *= w.T\ny = x",
    "reshaped view": "z = x.reshape(4, 3)\nz.mul_(2)\ny = x * x",
    "setitem": "x[0] = w[1]\ny = x * x",
    "setitem number": "x[:, 1] = 5.0\ny = x * w",
    "setitem list": "x[[0, 2]] = w[[1, 1]]\ny = x * x",
    "setitem mask": "x[x > 0] = 0.5\ny = x * w",
    "setitem pairs": "x[[0, 1], [2, 3]] = w[0, :2]\ny = x * x",
    "setitem through a view": "x[1][2:] = w[0, :2]\ny = x * x",
    "augmented setitem": "x[0] += w[1]\nx[:, 0] *= 3\ny = x * x",
    "into a buffer": "y = lib.zeros(2, 3, 4, dtype=lib.float64)\ny[0] = x\ny[1] = x * w",
    "copy_": "x.copy_(w)\ny = x * x",
    "copy_ broadcast": "x.copy_(w[0])\ny = x * x",
    "copy_ into a part": "x[1].copy_(w[0])\ny = x * w",
    "zero_ a part": "x[1].zero_()\ny = x * w",
    "fill_": "z = x * 2\nz.fill_(3.0)\ny = z + x",
    "clamp_": "y = x.clamp_(-0.5, 0.5) * w",
    "relu_ after use": "z = x + w\nx.relu_()\ny = x * z",
    "masked_fill_": "y = x.masked_fill_(w > 0, 2.0) * x",
    "no_grad on a result": "z = x * 2\nwith lib.no_grad():\n    x.mul_(3)\ny = z + x",
    "exp_": "y = x.exp_() * w",
    "detached copy": "z = x.detach().clone()\nz *= 2\ny = z * x",
}


def run(program, lib, x0, w):
    scope = {"lib": lib, "x": x0 * 1, "w": w}
    exec(program, scope)
    return scope["y"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_pytorch(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    ours = [leaf(a), leaf(b)]
    theirs = [torch.tensor(v, requires_grad=True) for v in (a, b)]
    y, expected = run(PROGRAMS[name], ag, *ours), run(PROGRAMS[name], torch, *theirs)
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    direction = rng.normal(size=y.shape)
    found = ag.grad(y, ours, direction, allow_unused=True)
    right = torch.autograd.grad(expected, theirs, torch.tensor(direction), allow_unused=True)
    for dx, dy in zip(found, right, strict=True):
        dx = np.zeros((3, 4)) if dx is None else dx.numpy()
        np.testing.assert_allclose(dx, 0 * dx if dy is None else dy.numpy(), rtol=1e-12, atol=1e-14)


def test_the_last_write_wins_and_so_does_its_gradient():
    y, v = leaf([1.0, 2.0]) * 1, leaf([5.0, 6.0])
    y[[0, 0]] = v
    assert y.tolist() == [6.0, 2.0]
    y.sum().backward()
    assert v.grad.tolist() == [0.0, 1.0]


def test_second_order_through_a_change():
    x = leaf([1.0, 2.0])
    y = x * x
    y[0] = x[1] ** 3
    y *= x
    (dx,) = ag.grad(y.sum(), x, create_graph=True)
    assert dx.tolist() == [8.0, 24.0]  # x0 x1^3 + x1^3
    (ddx,) = ag.grad(dx.sum(), x)
    assert ddx.tolist() == [12.0, 36.0]  # by x0: 3 x1^2; by x1: 3 x1^2 + 6 x0 x1 + 6 x1, at x0 = 1


def test_values_are_shared_with_views_and_arrays():
    array = np.zeros(4)
    x = ag.from_numpy(array)
    x[1:3].add_(2)
    x += 1
    assert array.tolist() == [1.0, 3.0, 3.0, 1.0]


REFUSED = {
    "a leaf": ("x0.add_(1)", RuntimeError, "add_: a leaf that requires a gradient.*no_grad"),
    "a leaf by operator": ("x0 += 1", RuntimeError, "add_: a leaf"),
    "a view of a leaf": ("x0[0] *= 2", RuntimeError, "mul_: a leaf that requires a gradient, or a view of one"),
    "setitem of a leaf": ("x0[0] = 1.0", RuntimeError, "setitem: a leaf"),
    "expanded": ("z = x[0].expand(3, 4)\nz.add_(1)", RuntimeError, "add_: this tensor cannot be written to"),
    "a result that grows": ("x[0].add_(x)", ValueError, r"add_: the result has shape \(3, 4\), which does not fit"),
    "a float into integers": ("n = lib.tensor([1, 2])\nn += 0.5", TypeError, "add_: a result of float32 does not fit"),
    "a saved value": (
        "z = lib.exp(x)\nz += 1\nz.sum().backward()",
        RuntimeError,
        r"exp .* saved its output of shape \(3, 4\) for its gradient, and add_ \(.*\) changed it in place",
    ),
    "a saved value, through a view": (
        "z = x * x\nx[0].zero_()\nz.sum().backward()",
        RuntimeError,
        "mul .* saved .* fill_",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_why(name):
    program, error, message = REFUSED[name]
    x0 = leaf(np.ones((3, 4)))
    with pytest.raises(error, match=message):
        exec(program, {"lib": ag, "x0": x0, "x": x0 * 1})


def test_a_refused_change_changes_nothing():
    x = leaf([1.0, 2.0])
    for change in (lambda: x.add_(1), lambda: (x * 1).add_(ag.ones(3))):
        with pytest.raises((RuntimeError, ValueError)):
            change()
    assert x.tolist() == [1.0, 2.0]


def test_random_fills():
    x = ag.zeros(1000)
    x.uniform_(2, 3, generator=ag.Generator(0))
    assert 2 <= x.min().item() < 2.1
    assert 2.9 < x.max().item() < 3
    x.normal_(5, 0.1, generator=ag.Generator(0))
    assert abs(x.mean().item() - 5) < 0.02
    x.bernoulli_(0.25, generator=ag.Generator(0))
    assert 0.2 < x.mean().item() < 0.3


def test_a_tensor_changed_by_itself():
    x = leaf([2.0, 3.0])
    y = x * 1
    y.mul_(y)
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 6.0]
