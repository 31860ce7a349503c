"""Linear, activations and containers: values and gradients against PyTorch, and how they behave."""

from collections import OrderedDict
from functools import partial

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

F = nn.functional
inf, nan = np.inf, np.nan

ACTIVATIONS = [
    (nn.ReLU(), "ReLU", {}),
    (nn.Sigmoid(), "Sigmoid", {}),
    (nn.Tanh(), "Tanh", {}),
    (nn.LeakyReLU(), "LeakyReLU", {}),
    (nn.LeakyReLU(0.3), "LeakyReLU", {"negative_slope": 0.3}),
    (nn.ELU(), "ELU", {}),
    (nn.ELU(0.7), "ELU", {"alpha": 0.7}),
    (nn.Softplus(), "Softplus", {}),
    (nn.Softplus(2.0), "Softplus", {"beta": 2.0}),
    (nn.SiLU(), "SiLU", {}),
    (nn.Softmax(dim=1), "Softmax", {"dim": 1}),
    (nn.Softmax(dim=0), "Softmax", {"dim": 0}),
    (nn.LogSoftmax(dim=-1), "LogSoftmax", {"dim": -1}),
    (nn.Identity(), "Identity", {}),
]


def derivatives(module, x, cotangent, torch=None):
    """The value, the gradient, and the gradient of the gradient's squared norm; by us, or by PyTorch."""
    engine, grad = (ag, ag.grad) if torch is None else (torch, torch.autograd.grad)
    x = engine.tensor(x, requires_grad=True)
    y = module(x)
    (dx,) = grad(y, x, engine.tensor(cotangent), create_graph=True)
    second = grad((dx * dx).sum(), x)[0] if dx.requires_grad else ag.zeros(*x.shape)
    return [t.detach().numpy() for t in (y, dx, second)]


@pytest.mark.parametrize(("module", "name", "options"), ACTIVATIONS, ids=lambda v: repr(v))
def test_activations_are_pytorchs(module, name, options, rng):
    torch = pytest.importorskip("torch")
    x, cotangent = rng.normal(scale=2, size=(2, 5, 4))
    ours = derivatives(module, x, cotangent)
    theirs = derivatives(getattr(torch.nn, name)(**options), x, cotangent, torch)
    for mine, their in zip(ours[:2], theirs[:2], strict=True):
        np.testing.assert_allclose(mine, their, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(ours[2], theirs[2], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("function", "at", "value", "slope"),
    [
        (F.leaky_relu, 0.0, 0.0, 0.01),
        (F.leaky_relu, -inf, -inf, 0.01),
        (F.elu, 0.0, 0.0, 1.0),
        (F.elu, 1000.0, 1000.0, 1.0),
        (F.elu, -inf, -1.0, 0.0),
        (F.softplus, 0.0, np.log(2), 0.5),
        (F.softplus, 1000.0, 1000.0, 1.0),
        (F.softplus, -1000.0, 0.0, 0.0),
        (F.softplus, inf, inf, 1.0),
        (F.softplus, -inf, 0.0, 0.0),
        (F.softplus, -30.0, np.log1p(np.exp(-30.0)), np.exp(-30.0)),
        (F.silu, -inf, 0.0, 0.0),
        (F.silu, inf, inf, 1.0),
        (F.silu, -1000.0, 0.0, 0.0),
        (F.silu, 0.0, 0.0, 0.5),
        *[(f, nan, nan, nan) for f in (F.softplus, F.silu)],
        (F.sigmoid, 1000.0, 1.0, 0.0),
        (F.sigmoid, -1000.0, 0.0, 0.0),
        (F.relu, 0.0, 0.0, 0.0),
    ],
)
def test_activations_at_kinks_and_extremes(function, at, value, slope):
    x = ag.tensor(at, dtype=ag.float64, requires_grad=True)
    y = function(x)
    y.backward()
    np.testing.assert_allclose(y.item(), value, rtol=1e-12)
    np.testing.assert_allclose(x.grad.item(), slope, rtol=1e-12)


def test_softplus_is_smooth_at_0():
    x = ag.tensor(0.0, requires_grad=True)
    (first,) = ag.grad(F.softplus(x), x, create_graph=True)
    (second,) = ag.grad(first, x, create_graph=True)
    (third,) = ag.grad(second, x, create_graph=True)
    assert (first.item(), second.item(), third.item()) == (0.5, 0.25, 0.0)


@pytest.mark.parametrize(("module", "name", "options"), ACTIVATIONS, ids=lambda v: repr(v))
@pytest.mark.parametrize("dtype", [ag.float32, ag.float64])
def test_activations_keep_shape_and_dtype(module, name, options, dtype):
    shapes = [(2, 3), (0, 3), (1, 1)] if "dim" in options else [(), (0,), (2, 3), (1,)]
    for shape in shapes:
        x = ag.ones(*shape, dtype=dtype, requires_grad=True)
        y = module(x)
        assert (y.shape, y.dtype) == (shape, dtype)
        y.sum().backward()
        assert (x.grad.shape, x.grad.dtype) == (shape, dtype)


def test_activations_take_lists():
    for name in ("relu", "sigmoid", "tanh", "leaky_relu", "elu", "softplus", "silu"):
        assert getattr(F, name)([1.0, -1.0]).dtype == ag.float32


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (0, 4)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_pytorchs(shape, bias, rng):
    torch = pytest.importorskip("torch")
    x, cotangent = rng.normal(size=shape), rng.normal(size=(*shape[:-1], 2))
    ours, theirs = nn.Linear(4, 2, bias, dtype=ag.float64), torch.nn.Linear(4, 2, bias, dtype=torch.float64)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    mine, their = ag.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = ours(mine), theirs(their)
    y.backward(cotangent)
    z.backward(torch.tensor(cotangent))
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-10)
    np.testing.assert_allclose(mine.grad.numpy(), their.grad.numpy(), rtol=1e-10)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-10)


def test_linear():
    layer = nn.Linear(3, 2)
    assert (layer.weight.shape, layer.bias.shape, layer.weight.dtype) == ((2, 3), (2,), ag.float32)
    assert nn.Linear(3, 2, bias=False).bias is None
    assert nn.Linear(3, 2, dtype=ag.float64).bias.dtype == ag.float64
    assert nn.Linear(0, 2)(ag.ones(5, 0)).shape == (5, 2)
    assert nn.Linear(3, 0)(ag.ones(5, 3)).shape == (5, 0)
    ag.manual_seed(1)
    first = nn.Linear(3, 2)
    ag.manual_seed(1)
    assert ag.equal(first.weight, nn.Linear(3, 2).weight)
    first.reset_parameters()
    assert not ag.equal(first.weight, layer.weight)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.Linear(3, 2)(ag.ones(2, 4)), ValueError, r"shape \(..., 3\) .* got \(2, 4\)"),
        (lambda: nn.Linear(3, 2)(ag.tensor(1.0)), ValueError, r"got \(\)"),
        (lambda: nn.Linear(-3, 2), ValueError, "at least 0, got -3 and 2"),
        (lambda: nn.Linear(3.0, 2), TypeError, "integer"),
        (lambda: F.linear(ag.ones(3), ag.ones(2, 3), ag.ones(3)), ValueError, r"bias of shape \(2,\), got \(3,\)"),
        (lambda: F.linear(ag.ones(3), ag.ones(3)), ValueError, r"weight of shape \(out_features, in_features\)"),
    ],
)
def test_linear_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_default_init_is_pytorchs_distribution():
    bound = 1 / np.sqrt(50)
    ag.manual_seed(0)
    layer = nn.Linear(50, 2000)
    for p in layer.parameters():
        values = p.detach().numpy()
        assert -bound <= values.min() < -0.95 * bound
        assert 0.95 * bound < values.max() <= bound
        assert abs(values.var() / (bound**2 / 3) - 1) < 0.1


def test_sequential():
    a, b, c = nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)
    net = nn.Sequential(a, b)
    assert net.append(c) is net
    assert list(net) == [a, b, c]
    assert len(net) == 3
    assert (net[0], net[-1]) == (a, c)
    assert list(net[1:]) == [b, c]
    assert type(net[1:]) is nn.Sequential
    assert list(net[:2].state_dict()) == ["0.weight", "0.bias"]
    x = ag.ones(4, 2)
    assert ag.equal(net(x), c(b(a(x))))
    net[1] = nn.Tanh()
    assert isinstance(net[1], nn.Tanh)
    assert [n for n, _ in net.named_children()] == ["0", "1", "2"]
    named = nn.Sequential(OrderedDict(body=a, act=b))
    assert named.body is named[0] is a
    assert list(named.state_dict()) == ["body.weight", "body.bias"]
    assert [n for n, _ in named[1:].named_children()] == ["act"]
    assert nn.Sequential()(5) == 5
    for wrong, error, message in [
        (lambda: net[3], IndexError, "index 3 is out of range for 3 modules"),
        (lambda: nn.Sequential(nn.ReLU), TypeError, r"expected modules, got .*; write ReLU\(\)"),
        (lambda: net.append(ag.relu), TypeError, "expected modules"),
        (lambda: net.__setitem__(0, None), TypeError, "expected modules, got None"),
    ]:
        with pytest.raises(error, match=message):
            wrong()


def test_module_list():
    layers = nn.ModuleList([nn.Linear(1, 2), nn.Linear(2, 3)])
    layers.append(nn.Linear(3, 4)).extend([nn.ReLU()])
    assert len(layers) == 4
    assert [n for n, _ in layers.named_parameters()][::2] == ["0.weight", "1.weight", "2.weight"]
    assert layers[-2].out_features == 4
    assert type(layers[1:]) is nn.ModuleList
    assert layers[1:][0] is layers[1]
    assert len(nn.ModuleList()) == 0
    with pytest.raises(NotImplementedError):
        layers(1)


def test_flatten():
    assert nn.Flatten()(ag.zeros(2, 3, 4)).shape == (2, 12)
    assert nn.Flatten(0, 1)(ag.zeros(2, 3, 4)).shape == (6, 4)
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"


def test_one_hot():
    torch = pytest.importorskip("torch")
    target = np.array([[0, 2], [1, 1]])
    for classes in (-1, 5):
        ours, theirs = F.one_hot(target, classes), torch.nn.functional.one_hot(torch.tensor(target), classes)
        assert ours.dtype == ag.int64
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert F.one_hot(ag.zeros(0, dtype=ag.int64), 3).shape == (0, 3)
    for wrong, error, message in [
        (lambda: F.one_hot([0, 3], 3), IndexError, r"target\[1\] is 3, but there are 3 classes: expected 0 to 2"),
        (lambda: F.one_hot([-1, 3]), IndexError, r"target\[0\] is -1"),
        (lambda: F.one_hot([0.0]), TypeError, "integer classes, got float32"),
        (lambda: F.one_hot(ag.zeros(0, dtype=ag.int64)), ValueError, "give num_classes"),
    ]:
        with pytest.raises(error, match=message):
            wrong()


def test_mlp():
    net = nn.MLP([4, 3, 3, 2], activation="tanh", output_activation="softmax")
    assert [type(m).__name__ for m in net] == ["Linear", "Tanh", "Linear", "Tanh", "Linear", "Softmax"]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]
    assert isinstance(net, nn.Sequential)
    np.testing.assert_allclose(net(ag.ones(5, 4)).sum(-1).detach().numpy(), np.ones(5), rtol=1e-6)
    assert all(not p.detach().numpy().any() for n, p in net.named_parameters() if n.endswith("bias"))
    assert [n for n, _ in nn.MLP([2, 2, 2], bias=False).named_parameters()] == ["0.weight", "2.weight"]
    assert next(nn.MLP([2, 2], dtype=ag.float64).parameters()).dtype == ag.float64
    assert len(nn.MLP([2, 3])) == 1
    with pytest.raises(ValueError, match=r"at least two sizes, of the input and the output, got \[3\]"):
        nn.MLP([3])


@pytest.mark.parametrize(
    ("activation", "shown"),
    [
        ("relu", "ReLU()"),
        (nn.Tanh, "Tanh()"),
        (nn.LeakyReLU(0.2), "LeakyReLU(negative_slope=0.2)"),
        (lambda: nn.ELU(0.5), "ELU(alpha=0.5)"),
        (partial(nn.LeakyReLU, 0.1), "LeakyReLU(negative_slope=0.1)"),
        (lambda: "silu", "SiLU()"),
        (F.relu, "ReLU()"),
        (F.leaky_relu, "LeakyReLU(negative_slope=0.01)"),
        (ag.sin, "Lambda(sin)"),
        (np.sin, "Lambda(sin)"),
        ("log_softmax", "LogSoftmax(dim=-1)"),
    ],
)
def test_mlp_activations(activation, shown):
    net = nn.MLP([2, 3, 3, 1], activation)
    assert repr(net[1]) == repr(net[3]) == shown
    assert net[1] is not net[3]
    net(ag.ones(4, 2)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_mlp_refuses_what_is_no_activation():
    with pytest.raises(ValueError, match=r"expected one of celu, .* got 'rellu'; did you mean 'relu'\?"):
        nn.MLP([2, 2, 2], "rellu")
    with pytest.raises(TypeError, match="a name, a Module or a callable, got int"):
        nn.MLP([2, 2, 2], 3)


@pytest.mark.parametrize(
    ("activation", "variance"),
    [
        ("relu", 2 / 300),
        ("elu", 2 / 300),
        (nn.LeakyReLU(0.5), 2 / 300 / 1.25),
        ("tanh", 2 / 500),
        ("sigmoid", 2 / 500),
        (ag.sin, 2 / 500),
    ],
)
def test_mlp_starts_as_suits_the_activation(activation, variance):
    ag.manual_seed(0)
    hidden, _, output = nn.MLP([300, 200, 100], activation)
    assert abs(hidden.weight.var().item() / variance - 1) < 0.03
    assert abs(output.weight.var().item() / (2 / 300) - 1) < 0.05


def test_a_network_learns_by_plain_descent():
    ag.manual_seed(0)
    net = nn.MLP([2, 8, 1], "tanh")
    x, y = ag.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), ag.tensor([[0.0], [1.0], [1.0], [0.0]])
    for _ in range(300):
        net.zero_grad()
        F.binary_cross_entropy_with_logits(net(x), y).backward()
        with ag.no_grad():
            for p in net.parameters():
                p.copy_(p - 0.5 * p.grad)
    assert ((net(x) > 0) == (y > 0.5)).all()
