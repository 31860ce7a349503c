"""Lists and dicts of modules and parameters, and the residual connection."""

import copy

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn


class Named(nn.Module):
    """Something to tell apart."""

    def __init__(self, name):
        super().__init__()
        self.name = name
        self.weight = nn.Parameter([1.0])

    def forward(self, x):
        return [*x, self.name]

    def extra_repr(self):
        return self.name


def letters(text):
    return [Named(letter) for letter in text]


def spelt(items):
    return "".join(item.name for item in items)


LISTS = {"Sequential": lambda items: nn.Sequential(*items), "ModuleList": nn.ModuleList}


@pytest.fixture(params=LISTS)
def kind(request):
    return LISTS[request.param]


# Lists of modules, as Python's lists do it


EDITS = [
    lambda items, new: items.append(new[0]),
    lambda items, new: items.extend(new),
    lambda items, new: items.__iadd__(new),
    lambda items, new: items.insert(0, new[0]),
    lambda items, new: items.insert(2, new[0]),
    lambda items, new: items.insert(-1, new[0]),
    lambda items, new: items.insert(4, new[0]),
    lambda items, new: items.__delitem__(0),
    lambda items, new: items.__delitem__(-2),
    lambda items, new: items.__delitem__(slice(1, 3)),
    lambda items, new: items.__delitem__(slice(None, None, 2)),
    lambda items, new: items.__setitem__(1, new[0]),
    lambda items, new: items.__setitem__(-1, new[1]),
    lambda items, new: items.pop(),
    lambda items, new: items.pop(1),
]


@pytest.mark.parametrize("edit", EDITS)
def test_edits_are_those_of_a_list(kind, edit):
    items, new = letters("abcd"), letters("xy")
    held = kind(items)
    edit(held, new)
    edit(items, new)
    assert list(held) == items
    assert list(held.state_dict()) == [f"{i}.weight" for i in range(len(items))]
    assert [held[i] for i in range(-len(items), len(items))] == items * 2
    assert spelt(copy.deepcopy(held)) == spelt(items)


@pytest.mark.parametrize("part", [slice(1, None), slice(None, -1), slice(None, None, -1), slice(1, 3), slice(9, 10)])
def test_slices_are_of_the_same_kind(kind, part):
    items = letters("abcd")
    held = kind(items)
    assert type(held[part]) is type(held)
    assert list(held[part]) == items[part]
    assert len(held) == 4


def test_sums_are_new_lists(kind):
    held = kind(letters("ab"))
    both = held + kind(letters("c"))
    assert type(both) is type(held)
    assert (spelt(both), spelt(held)) == ("abc", "ab")
    assert both[0] is held[0]
    assert [*both.state_dict()] == ["0.weight", "1.weight", "2.weight"]


def test_edits_return_what_python_lists_do_not(kind):
    held = kind(letters("a"))
    assert held.append(Named("b")).extend(letters("cd")).insert(0, Named("e")) is held
    assert held.pop(0).name == "e"
    assert spelt(held) == "abcd"


def test_a_list_can_be_extended_by_itself(kind):
    held = kind(letters("ab"))
    held.extend(held)
    assert spelt(held) == "abab"
    assert len(list(held.parameters())) == 2


def test_what_goes_wrong_in_a_list_is_named(kind):
    held = kind(letters("ab"))
    for action, error, message in [
        (lambda: held[2], IndexError, "index 2 is out of range for 2 modules"),
        (lambda: held.insert(4, Named("x")), IndexError, "index 4 is out of range for 2 modules"),
        (lambda: held.pop(-3), IndexError, "index -3 is out of range for 2 modules"),
        (lambda: held.append(nn.ReLU), TypeError, r"expected modules, got .*; write ReLU\(\)"),
        (lambda: held.insert(0, None), TypeError, "expected modules, got None"),
        (lambda: held.extend([3]), TypeError, "expected modules, got 3"),
        (lambda: held["0"], TypeError, "cannot be interpreted as an integer"),
    ]:
        with pytest.raises(error, match=message):
            action()
        assert spelt(held) == "ab"


def test_a_sequence_runs_as_it_was_edited():
    net = nn.Sequential(*letters("abc"))
    net.insert(1, Named("x"))
    del net[0]
    assert net([]) == ["x", "b", "c"]
    assert net[1:]([]) == ["b", "c"]


def test_names_of_a_sequence():
    net = nn.Sequential({"first": Named("a"), "second": Named("b")})
    assert list(net.state_dict()) == ["first.weight", "second.weight"]
    assert list(net[:1].state_dict()) == ["first.weight"]
    net.append(Named("c"))
    assert list(net.state_dict()) == ["first.weight", "second.weight", "2.weight"]
    del net[0]
    assert list(net.state_dict()) == ["0.weight", "1.weight"]
    assert len(nn.Sequential({})) == 0


def test_a_list_of_modules_does_nothing_by_itself():
    with pytest.raises(NotImplementedError, match="ModuleList: define forward"):
        nn.ModuleList()(ag.ones(1))


# Dicts


DICTS = {
    "ModuleDict": (nn.ModuleDict, Named),
    "ParameterDict": (nn.ParameterDict, lambda name: nn.Parameter(np.array([ord(name[0])], "f"))),
}


@pytest.fixture(params=DICTS)
def pair(request):
    return DICTS[request.param]


def test_a_dict_is_one(pair):
    kind, item = pair
    a, b, c, d = map(item, "abcd")
    held = kind({"a": a, "b": b})
    held["c"] = c
    held.update([("d", d), ("a", b)])
    assert dict(held.items()) == {"a": b, "b": b, "c": c, "d": d}
    assert (list(held), list(held.keys()), list(held.values())) == (list("abcd"), list("abcd"), [b, b, c, d])
    assert len(held) == 4
    assert "a" in held
    assert "x" not in held
    assert held.get("x") is None
    assert held.pop("c") is c
    assert held.setdefault("d", a) is d
    assert held.setdefault("e", a) is a
    assert held.popitem() == ("a", b)
    del held["b"]
    assert list(held) == ["d", "e"]
    held.clear()
    assert not len(held)
    assert not held.state_dict()


def test_a_dict_is_found_in_a_network(pair):
    kind, item = pair

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = kind({"a": item("a"), "b": item("b")})

    net = Net()
    assert [name.removesuffix(".weight") for name in net.state_dict()] == ["parts.a", "parts.b"]
    assert len(list(net.parameters())) == 2
    assert len({net.parts, net}) == 2
    assert net.parts == net.parts
    assert net.parts != kind(net.parts)
    assert list(copy.deepcopy(net).parts) == ["a", "b"]
    net.load_state_dict({name: np.array([7.0]) for name in net.state_dict()})
    assert all(p.item() == 7.0 for p in net.parameters())


def test_what_goes_wrong_in_a_dict_is_named(pair):
    kind, item = pair
    held = kind({"a": item("a")})
    for action, error, message in [
        (lambda: held["x"], KeyError, "there is no 'x'; there are a"),
        (lambda: held.__delitem__("x"), KeyError, "there is no 'x'; there are a"),
        (lambda: kind()["x"], KeyError, "there are none"),
        (lambda: held.__setitem__("a.b", item("a")), ValueError, "a non-empty name without dots, got 'a.b'"),
        (lambda: held.__setitem__(3, item("a")), ValueError, "a non-empty name without dots, got 3"),
        (lambda: held.__setitem__("keys", item("a")), ValueError, "'keys' already means something in it"),
        (lambda: held.__setitem__("forward", item("a")), ValueError, "'forward' already means something"),
        (lambda: held.__setitem__("b", 3), TypeError, "expected (modules|parameters, tensors or arrays), got 3"),
    ]:
        with pytest.raises(error, match=message):
            action()
        assert list(held) == ["a"]


def test_repr_of_a_dict_of_modules():
    assert repr(nn.ModuleDict({"on": nn.ReLU()})) == "ModuleDict(\n  (on): ReLU()\n)"


def test_a_plain_dict_of_parameters_is_taken_in_the_order_of_its_names():
    torch = pytest.importorskip("torch")
    names = ["b", "c", "a"]
    mine, theirs = nn.ParameterDict({n: ag.ones(1) for n in names}), {n: torch.ones(1) for n in names}
    assert list(mine.state_dict()) == list(torch.nn.ParameterDict(theirs).state_dict())
    assert list(nn.ParameterDict([(n, ag.ones(1)) for n in names])) == names


def test_dicts_of_parameters_joined():
    first, second = nn.ParameterDict({"a": ag.ones(1), "b": ag.ones(2)}), nn.ParameterDict({"b": ag.ones(3)})
    both = first | second
    assert [p.shape for p in both.values()] == [(1,), (3,)]
    assert first["b"].shape == (2,)
    first |= second
    assert first["b"] is second["b"]
    assert first.copy()["b"] is second["b"]


# Lists of parameters


def test_a_list_of_parameters_is_one():
    first = nn.Parameter([1.0])
    held = nn.ParameterList([first, ag.tensor([2.0])])
    assert held[0] is first
    assert isinstance(held[1], nn.Parameter)
    held.append(np.array([3.0], "f")).extend(ag.tensor([v]) for v in (4.0, 5.0))
    held[1] = ag.tensor([9.0])
    assert [p.item() for p in held] == [1.0, 9.0, 3.0, 4.0, 5.0]
    assert [p.item() for p in held[::2]] == [1.0, 3.0, 5.0]
    held += [ag.tensor([6.0])]
    del held[0]
    assert list(held.state_dict()) == ["0", "1", "2", "3", "4"]
    assert held.pop().item() == 6.0
    assert len(held) == 4
    with pytest.raises(TypeError, match="ParameterList: expected parameters, tensors or arrays, got 'x'"):
        held.append("x")
    with pytest.raises(IndexError, match="ParameterList: index 4 is out of range for 4 parameters"):
        held[4]


def test_a_list_of_parameters_trains():
    held = nn.ParameterList([ag.ones(2), ag.full((2,), 3.0)])
    (held[0] * held[1]).sum().backward()
    assert [p.grad.tolist() for p in held.parameters()] == [[3.0, 3.0], [1.0, 1.0]]
    assert held.double()[0].dtype == ag.float64


@pytest.mark.parametrize("name", ["ModuleList", "ModuleDict", "ParameterList", "ParameterDict"])
def test_names_in_the_state_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    items = [[2, 3], [4]]

    def made(library):
        if name.startswith("Module"):
            held = [library.nn.Linear(2, 3), library.nn.Sequential(library.nn.Linear(1, 1))]
        else:
            held = [library.ones(*shape) for shape in items]
        return getattr(library.nn, name)(dict(zip("ab", held, strict=True)) if name.endswith("Dict") else held)

    ag_with_nn = type("library", (), {"nn": nn, "ones": staticmethod(ag.ones)})
    mine, theirs = made(ag_with_nn), made(torch)
    assert [*mine.state_dict()] == [*theirs.state_dict()]
    mine.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    theirs.load_state_dict({key: torch.tensor(value.numpy()) for key, value in mine.state_dict().items()})


# The residual connection


def test_residual_is_a_sum():
    ag.manual_seed(0)
    module, shortcut = nn.Linear(3, 3), nn.Linear(3, 3, bias=False)
    x = ag.tensor([[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(nn.Residual(module)(x).array, (x + module(x)).array)
    both = nn.Residual(module, shortcut)
    np.testing.assert_array_equal(both(x).array, (shortcut(x) + module(x)).array)
    assert list(both.state_dict()) == ["module.weight", "module.bias", "shortcut.weight"]


def test_the_gradient_gets_past():
    """Through a module that stops it, the gradient is that of the way past: 1."""
    x = ag.tensor([1.0, -1.0], requires_grad=True)
    net = nn.Sequential(*(nn.Residual(nn.Sequential(nn.Hardtanh(2.0, 3.0))) for _ in range(20)))
    (g,) = ag.grad(net(x).sum(), [x])
    assert g.tolist()[1] == 1.0


def test_what_goes_wrong_in_a_residual_is_named():
    with pytest.raises(ValueError, match=r"the module gives shape \(2,\) and the way past it \(3,\); give a shortcut"):
        nn.Residual(nn.Linear(3, 2))(ag.ones(3))
    with pytest.raises(TypeError, match="expected module to be a Module, got None"):
        nn.Residual(None)
    with pytest.raises(TypeError, match="expected shortcut to be a Module, got <"):
        nn.Residual(nn.ReLU(), ag.relu)
