"""What every module can do: find its parameters, save and load, print, copy."""

import copy

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn


class Block(nn.Module):
    """Everything a module can have, in a mixed order."""

    def __init__(self):
        super().__init__()
        self.second = nn.Linear(3, 2)
        self.scale = nn.Parameter([2.0])
        self.register_buffer("mean", ag.zeros(3))
        self.first = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
        self.register_buffer("count", ag.tensor(0), persistent=False)
        self.offset = nn.Parameter([1.0])

    def forward(self, input):
        return self.scale * self.second(self.first(input) - self.mean) + self.offset


def test_parameter():
    p = nn.Parameter([1.0, 2.0], name="p")
    assert (type(p), p.requires_grad, p.is_leaf, p.name, p.dtype) == (nn.Parameter, True, True, "p", ag.float32)
    assert type(p * 2) is type(p.detach()) is ag.Tensor
    assert isinstance(copy.deepcopy(p), nn.Parameter)
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    assert repr(p) == "Parameter containing:\ntensor([1., 2.], requires_grad=True)"
    values = np.zeros(2)
    copied = nn.Parameter(values)
    values[:] = 1
    assert copied.tolist() == [0, 0]
    assert nn.Parameter(p * 2).is_leaf
    with pytest.raises(TypeError, match="int64; convert it"):
        nn.Parameter([1, 2])
    assert not hasattr(p, "__dict__")


def test_everything_is_found_in_insertion_order():
    block = Block()
    assert [n for n, _ in block.named_parameters()] == [
        "scale",
        "offset",
        "second.weight",
        "second.bias",
        "first.0.weight",
        "first.0.bias",
    ]
    assert [n for n, _ in block.named_parameters("net", recurse=False)] == ["net.scale", "net.offset"]
    assert [n for n, _ in block.named_buffers()] == ["mean", "count"]
    assert [n for n, _ in block.named_children()] == ["second", "first"]
    assert [n for n, _ in block.named_modules()] == ["", "second", "first", "first.0", "first.1"]
    assert next(block.modules()) is block
    assert list(block.children()) == [block.second, block.first]
    assert next(block.parameters()) is block.scale
    assert next(block.buffers()) is block.mean
    block.scale = nn.Parameter([3.0])
    assert next(block.named_parameters()) == ("scale", block.scale)


def test_the_order_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    peer = torch.nn.Module()
    peer.second = torch.nn.Linear(3, 2)
    peer.scale = torch.nn.Parameter(torch.ones(1))
    peer.register_buffer("mean", torch.zeros(3))
    peer.first = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh())
    peer.register_buffer("count", torch.zeros(()), persistent=False)
    peer.offset = torch.nn.Parameter(torch.ones(1))
    block = Block()
    assert [n for n, _ in block.named_parameters()] == [n for n, _ in peer.named_parameters()]
    assert list(block.state_dict()) == list(peer.state_dict())
    assert [n for n, _ in block.named_modules()] == [n for n, _ in peer.named_modules()]


def test_shared_parameters_are_found_once():
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    net[2].weight = net[0].weight
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias", "2.bias"]
    assert [n for n, _ in net.named_parameters(remove_duplicate=False)] == [
        "0.weight",
        "0.bias",
        "2.weight",
        "2.bias",
    ]
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    layer = nn.Linear(2, 2)
    twice = nn.Sequential(layer, layer)
    assert len(list(twice.parameters())) == 2
    assert [n for n, _ in twice.named_modules()] == ["", "0"]
    assert len(list(twice.children())) == 1
    assert len(twice) == 2
    x = ag.ones(2)
    assert ag.equal(twice(x), layer(layer(x)))
    copied = copy.deepcopy(net)
    assert copied[2].weight is copied[0].weight
    assert copied[0].weight is not net[0].weight


def test_registering():
    module = nn.Module()
    module.register_parameter("weight", nn.Parameter([1.0]))
    module.register_parameter("bias", None)
    module.add_module("inner", nn.ReLU())
    module.add_module("absent", None)
    module.register_buffer("empty", None)
    assert module.bias is module.absent is module.empty is None
    assert list(module.state_dict()) == ["weight"]
    module.empty = ag.zeros(2)
    assert list(module.state_dict()) == ["weight", "empty"]
    del module.empty
    module.empty = ag.zeros(2)
    assert list(module.state_dict()) == ["weight"]
    module.weight = None
    assert list(module.parameters()) == []


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.register_buffer("b", [1.0]), TypeError, "'b' must be a plain Tensor or None, got list"),
        (lambda m: m.register_buffer("b", nn.Parameter([1.0])), TypeError, "plain Tensor"),
        (lambda m: m.register_buffer("scale", ag.ones(1)), ValueError, "already has an attribute 'scale'"),
        (lambda m: m.register_parameter("p", ag.ones(1)), TypeError, "'p' must be a Parameter or None, got Tensor"),
        (lambda m: m.add_module("m", nn.ReLU), TypeError, "'m' must be a Module or None, got type"),
        (lambda m: m.add_module("a.b", nn.ReLU()), ValueError, "without dots, got 'a.b'"),
        (lambda m: m.add_module("", nn.ReLU()), ValueError, "non-empty name"),
        (lambda m: setattr(m, "train", nn.ReLU()), ValueError, "'train' already means something"),
        (lambda m: setattr(m, "scale", ag.ones(1)), TypeError, r"assign nn.Parameter\(value\)"),
        (lambda m: setattr(m, "first", ag.relu), TypeError, "first is a Module; expected a Module or None, got"),
        (lambda m: setattr(m, "mean", 0.0), TypeError, "mean is a buffer; expected a Tensor or None, got float"),
    ],
)
def test_what_cannot_be_assigned(call, error, message):
    block = Block()
    before = list(block.state_dict())
    with pytest.raises(error, match=message):
        call(block)
    assert list(block.state_dict()) == before


def test_a_misspelt_attribute_suggests_the_right_one():
    with pytest.raises(AttributeError, match=r"'Linear' object has no attribute 'wieght'; did you mean 'weight'\?"):
        nn.Linear(2, 3).wieght  # noqa: B018
    with pytest.raises(AttributeError, match=r"has no attribute 'qqq'$"):
        nn.Linear(2, 3).qqq  # noqa: B018
    assert not hasattr(nn.ReLU(), "weight")


@pytest.mark.parametrize("value", [lambda: nn.Parameter([1.0]), lambda: nn.Linear(2, 3)])
def test_assigning_before_init_is_an_error(value):
    class Forgetful(nn.Module):
        def __init__(self):
            self.part = value()

    with pytest.raises(AttributeError, match=r"Forgetful.part: call super\(\).__init__\(\) before"):
        Forgetful()


def test_reading_before_init_is_an_error():
    class Forgetful(nn.Module):
        def __init__(self):
            self.width = 3

    assert Forgetful().width == 3
    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(\) first in Forgetful"):
        Forgetful().training  # noqa: B018


def test_a_failing_property_shows_its_own_error():
    class Broken(nn.Module):
        @property
        def size(self):
            return self.missing_thing

    with pytest.raises(AttributeError, match="missing_thing"):
        Broken().size  # noqa: B018


def test_train_and_eval():
    block = Block()
    assert all(m.training for m in block.modules())
    assert block.eval() is block
    assert not any(m.training for m in block.modules())
    assert block.train().first[0].training
    with pytest.raises(TypeError, match="train: expected True or False, got 'no'"):
        block.train("no")


def test_state_dict_shares_memory_and_loads_in_place():
    block, other = Block(), Block()
    state = block.state_dict()
    assert "count" not in state
    assert all(type(v) is ag.Tensor and not v.requires_grad for v in state.values())
    assert np.shares_memory(state["scale"].numpy(), block.scale.detach().numpy())
    arrays = {name: other.get_parameter(name).array for name, _ in other.named_parameters()}
    result = other.load_state_dict(state)
    assert result.missing_keys == result.unexpected_keys == []
    for name, value in other.state_dict().items():
        assert ag.equal(value, state[name])
    for name, array in arrays.items():
        assert other.get_parameter(name).array is array
        assert other.get_parameter(name).requires_grad
    x = ag.ones(4, 2)
    assert ag.equal(block(x), other(x))


def test_loading_names_every_problem_and_changes_nothing():
    layer = nn.Linear(3, 2)
    layer.register_buffer("steps", ag.tensor(0))
    before = {name: value.tolist() for name, value in layer.state_dict().items()}
    wrong = {"weight": np.zeros((3, 2)), "beta": np.zeros(1), "steps": np.zeros(()), "gamma": np.zeros(1)}
    with pytest.raises(RuntimeError) as error:
        layer.load_state_dict(wrong)
    assert str(error.value).splitlines() == [
        "load_state_dict: this does not fit Linear, nothing was loaded:",
        "    missing keys: bias",
        "    unexpected keys: beta, gamma",
        "    weight: expected shape (2, 3), got (3, 2)",
        "    steps: expected dtype int64, got float64",
    ]
    assert {name: value.tolist() for name, value in layer.state_dict().items()} == before
    with pytest.raises(RuntimeError, match="weight: expected a tensor, got str"):
        layer.load_state_dict({"weight": "heavy"}, strict=False)
    with pytest.raises(TypeError, match="expected a dict of tensors by name, got list"):
        layer.load_state_dict([])


def test_loading_leniently():
    layer = nn.Linear(3, 2)
    result = layer.load_state_dict({"bias": np.array([1.0, 2.0]), "extra": 0}, strict=False)
    assert (result.missing_keys, result.unexpected_keys) == (["weight"], ["extra"])
    assert layer.bias.tolist() == [1, 2]
    assert layer.bias.dtype == ag.float32
    with pytest.raises(RuntimeError, match="expected shape"):
        layer.load_state_dict({"bias": np.zeros(3)}, strict=False)


def test_state_dicts_exchange_with_pytorch():
    torch = pytest.importorskip("torch")
    ours, peer = nn.Sequential(nn.Linear(4, 3), nn.ReLU()), torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    ours.load_state_dict({name: value.numpy() for name, value in peer.state_dict().items()})
    x = np.ones((2, 4), np.float32)
    np.testing.assert_allclose(
        ours(ag.tensor(x)).detach().numpy(), peer(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6
    )


def test_zero_grad():
    layer = nn.Linear(2, 1)
    layer(ag.ones(2)).backward()
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad.tolist() == [[0, 0]]
    layer.zero_grad()
    assert layer.weight.grad is None


def test_requires_grad_():
    layer = nn.Linear(2, 1).requires_grad_(False)
    assert not layer(ag.ones(2)).requires_grad
    assert all(p.requires_grad for p in layer.requires_grad_().parameters())


def test_to():
    block = Block()
    block(ag.ones(2)).sum().backward()
    weight = block.second.weight
    assert block.double() is block
    assert block.second.weight is weight
    assert {p.dtype for p in block.parameters()} == {p.grad.dtype for p in block.parameters()} == {ag.float64}
    assert block.mean.dtype == ag.float64
    assert block.count.dtype == ag.int64
    assert block(ag.ones(2, dtype=ag.float64)).dtype == ag.float64
    assert block.float().scale.dtype == ag.float32
    assert block.to("float64").scale.dtype == ag.float64
    with pytest.raises(TypeError, match=r"floating dtype .* got int64"):
        block.to(ag.int64)


def test_apply_goes_inside_out():
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU()))
    seen = []
    assert net.apply(seen.append) is net
    assert seen == [net[0], net[1][0], net[1], net]


def test_get_submodule_and_parameter():
    block = Block()
    assert block.get_submodule("first.0") is block.first[0]
    assert block.get_submodule("") is block
    assert block.get_parameter("first.0.weight") is block.first[0].weight
    for call, message in [
        (lambda: block.get_submodule("first.5"), "no attribute '5'"),
        (lambda: block.get_submodule("scale"), "'scale' in 'scale' is a Parameter, not a Module"),
        (lambda: block.get_parameter("first.0"), "is a Linear, not a Parameter"),
        (lambda: block.get_parameter("frist.0.weight"), "did you mean 'first'"),
    ]:
        with pytest.raises(AttributeError, match=message):
            call()


def test_repr():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(0.2))
            self.head = nn.Linear(3, 1, bias=False)
            self.weight = nn.Parameter([1.0])

        def extra_repr(self):
            return "width=3"

    assert repr(Net()) == (
        "Net(\n"
        "  width=3\n"
        "  (body): Sequential(\n"
        "    (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "    (1): LeakyReLU(negative_slope=0.2)\n"
        "  )\n"
        "  (head): Linear(in_features=3, out_features=1, bias=False)\n"
        ")"
    )
    assert repr(nn.Sequential()) == "Sequential()"


def test_repr_is_that_of_pytorch():
    torch = pytest.importorskip("torch")

    def build(n):
        return n.Sequential(n.Linear(2, 3), n.Sequential(n.Tanh(), n.Softmax(dim=1)), n.ModuleList([n.ELU()]))

    assert repr(build(nn)) == repr(build(torch.nn))


def test_deepcopy_is_independent():
    block = Block()
    copied = copy.deepcopy(block)
    assert list(copied.state_dict()) == list(block.state_dict())
    with ag.no_grad():
        copied.scale.copy_(9.0)
    assert block.scale.tolist() == [2]
    assert type(copied.scale) is nn.Parameter
    assert copied.first[0] is not block.first[0]


def test_forward_must_be_defined():
    with pytest.raises(NotImplementedError, match=r"Module: define forward\(\)"):
        nn.Module()(1)
