"""Groups, state, saving and errors: what every optimizer shares."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import autograd_core as ag
from autograd_core import optim


def leaf(values, dtype=np.float64, name=None):
    return ag.tensor(np.asarray(values, dtype), requires_grad=True, name=name)


# Groups and steps


def test_groups_have_their_own_options_and_share_the_defaults():
    a, b, c = leaf([1.0]), leaf([1.0]), leaf([1.0])
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.25)
    optimizer.add_param_group({"params": iter([("late", c)]), "weight_decay": 1.0})
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.5, 0.25]
    assert [group["names"] for group in optimizer.param_groups] == [["0"], ["1"], ["late"]]
    for p in (a, b, c):
        p.grad = ag.tensor(np.ones(1))
    optimizer.step()
    assert [p.item() for p in (a, b, c)] == [0.75, 0.5, 0.5]
    assert repr(optimizer).startswith("SGD(\n  group 0: 0\n    lr=0.25, momentum=0.0")


def test_names_come_from_pairs_then_tensors_then_positions():
    optimizer = optim.SGD([leaf(1.0), leaf(1.0, name="bias"), ("0.weight", leaf(1.0, name="w")), leaf(1.0)])
    assert optimizer.param_groups[0]["names"] == ["0", "bias", "0.weight", "3"]


def test_step_returns_the_loss_of_the_closure_even_under_no_grad():
    w = leaf(3.0)
    optimizer = optim.SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = w * w
        loss.backward()
        return loss

    with ag.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 9.0
    assert w.item() == 1.5
    assert optimizer.step() is None


def test_zero_grad():
    used, unused = leaf([1.0, 2.0]), leaf([1.0])
    optimizer = optim.SGD([used, unused])
    (g,) = ag.grad((used**2).sum(), used, create_graph=True)
    used.grad = g
    optimizer.zero_grad(set_to_none=False)
    assert_array_equal(used.grad.array, [0.0, 0.0])
    assert not used.grad.requires_grad
    assert unused.grad is None
    optimizer.zero_grad()
    assert used.grad is None


def test_a_step_between_forward_and_backward_is_refused_by_name():
    w = leaf([1.0, 2.0])
    optimizer = optim.SGD([w], lr=0.1)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"mul .* saved .* and SGD\.step changed it in place"):
        loss.backward()


# Saving


def stepped(names=("w", "b"), make=lambda params: optim.Adam(params, lr=0.1)):
    params = [(n, leaf(np.arange(i + 1.0))) for i, n in enumerate(names)]
    optimizer = make(params)
    for _, p in params:
        p.grad = ag.tensor(np.ones(p.shape))
    optimizer.step()
    return optimizer


def test_the_state_dict_is_plain_and_a_copy():
    optimizer = stepped()
    saved = optimizer.state_dict()
    assert set(saved) == {"state", "param_groups"}
    assert {name: set(fields) for name, fields in saved["state"].items()} == {
        name: {"step", "exp_avg", "exp_avg_sq"} for name in ("w", "b")
    }
    assert saved["param_groups"] == [
        {
            "lr": 0.1,
            "betas": (0.9, 0.999),
            "eps": 1e-8,
            "weight_decay": 0.0,
            "amsgrad": False,
            "maximize": False,
            "decoupled_weight_decay": False,
            "params": ["w", "b"],
        }
    ]
    before = saved["state"]["b"]["exp_avg"].array.copy()
    optimizer.step()
    assert_array_equal(saved["state"]["b"]["exp_avg"].array, before)


def test_loading_copies_casts_and_replaces():
    saved = stepped().state_dict()
    params = [("b", leaf([1.0, 1.0], np.float32)), ("w", leaf([1.0], np.float32))]
    optimizer = optim.Adam(params)
    optimizer.load_state_dict({**saved, "state": {"b": saved["state"]["b"]}})
    loaded = optimizer.state[params[0][1]]
    assert loaded["exp_avg"].dtype == np.float32
    assert loaded["step"].item() == 1
    loaded["exp_avg"].array[...] = 7.0
    assert not (saved["state"]["b"]["exp_avg"].array == 7.0).any()
    assert not optimizer.state[params[1][1]]
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert optimizer.param_groups[0]["names"] == ["b", "w"]


def broken(change):
    saved = stepped().state_dict()
    change(saved)
    return saved


BROKEN = {
    "no groups": (lambda s: s.pop("param_groups"), KeyError, "the dict lacks 'param_groups'"),
    "more keys": (lambda s: s.update(epoch=3), KeyError, "the dict has unexpected 'epoch'"),
    "another group": (lambda s: s["param_groups"].append({}), ValueError, "got 2 groups, expected 1"),
    "no option": (lambda s: s["param_groups"][0].pop("lr"), KeyError, r"param_groups\[0\] lacks 'lr'"),
    "bad option": (lambda s: s["param_groups"][0].update(lr=-1.0), ValueError, "lr must be at least 0 and finite"),
    "bad betas": (lambda s: s["param_groups"][0].update(betas=[0.9]), TypeError, "betas must be 2 numbers"),
    "another name": (
        lambda s: s["param_groups"][0].update(params=["w", "c"]),
        KeyError,
        r"param_groups\[0\]\['params'\] lacks 'b' and has unexpected 'c'",
    ),
    "state of nobody": (lambda s: s["state"].update(c={}), KeyError, r"state\['c'\] belongs to no parameter"),
    "more state": (lambda s: s["state"]["w"].update(m=1), KeyError, r"state\['w'\] has unexpected 'm'"),
    "less state": (lambda s: s["state"]["b"].pop("exp_avg"), KeyError, r"state\['b'\] lacks 'exp_avg'"),
    "wrong shape": (
        lambda s: s["state"]["b"].update(exp_avg=np.ones(3)),
        ValueError,
        r"state\['b'\]\['exp_avg'\] has shape \(3,\), expected \(2,\)",
    ),
    "not a count": (
        lambda s: s["state"]["b"].update(step=np.ones(2)),
        ValueError,
        r"state\['b'\]\['step'\] has shape \(2,\), expected \(\)",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_wrong_state_dict_names_the_key_and_changes_nothing(case):
    change, error, message = BROKEN[case]
    optimizer = stepped(make=lambda params: optim.Adam(params, lr=0.7, weight_decay=0.3))
    before = optimizer.state_dict()
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(broken(change))
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for name, fields in before["state"].items():
        for field, value in fields.items():
            assert_array_equal(after["state"][name][field].array, value.array)


# Errors


W = leaf([1.0, 2.0], name="w")
BAD = {
    "empty": (lambda: optim.SGD([]), ValueError, "SGD: got no parameters"),
    "empty group": (lambda: optim.SGD([{"params": []}]), ValueError, "SGD: a group got no parameters"),
    "a tensor": (lambda: optim.Adam(W), TypeError, "Adam: params must be an iterable .* a Tensor; put it in a list"),
    "a dict": (lambda: optim.Adam({"w": W}), TypeError, "params must be an iterable .* got a dict"),
    "a set": (lambda: optim.SGD([{"params": {W}}]), TypeError, "fixed order, got a set"),
    "no tensor": (lambda: optim.SGD([np.ones(2)]), TypeError, "expected tensors .* got a ndarray"),
    "no group": (lambda: optim.SGD([{"param": [W]}]), TypeError, "a group is a dict with 'params'"),
    "integers": (lambda: optim.SGD([ag.tensor([1, 2])]), TypeError, r"int64 has no gradient; use p\.to\(float32\)"),
    "not a leaf": (lambda: optim.SGD([W * 2]), ValueError, r"shape \(2,\) is the result of an operation \(<mul>\)"),
    "twice": (lambda: optim.SGD([("a", W), ("b", W)]), ValueError, "parameter 'b' was already given, as 'a'"),
    "in two groups": (lambda: optim.SGD([{"params": W}, {"params": W}]), ValueError, "was already given"),
    "same name": (lambda: optim.SGD([W, leaf(1.0, name="w")]), ValueError, "two parameters have the name 'w'"),
    "option": (lambda: optim.SGD([{"params": W, "rate": 1}]), TypeError, "unknown option 'rate' .* are lr, momentum"),
    "lr": (lambda: optim.SGD([W], lr=-0.5), ValueError, "SGD: lr must be at least 0 and finite, got -0.5"),
    "lr nan": (lambda: optim.Adam([W], lr=np.nan), ValueError, "lr must be .* got nan"),
    "lr text": (lambda: optim.Adam([W], lr="0.1"), TypeError, "lr must be a number, got '0.1'"),
    "group lr": (lambda: optim.SGD([{"params": W, "lr": -1}]), ValueError, "lr must be .* got -1"),
    "momentum": (lambda: optim.SGD([W], momentum=-1), ValueError, "momentum must be at least 0 and finite, got -1"),
    "decay": (lambda: optim.AdamW([W], weight_decay=-1), ValueError, "AdamW: weight_decay must be .* got -1"),
    "eps": (lambda: optim.Adam([W], eps=-1e-8), ValueError, "eps must be .* got -1e-08"),
    "beta": (lambda: optim.Adam([W], betas=(0.9, 1.0)), ValueError, r"betas must be at least 0 and below 1, got \(0.9"),
    "betas": (lambda: optim.Adam([W], betas=0.9), TypeError, "betas must be 2 numbers, got 0.9"),
    "nesterov": (lambda: optim.SGD([W], nesterov=True), ValueError, "needs a momentum above 0 .* got momentum=0.0"),
    "dampened nesterov": (
        lambda: optim.SGD([W], momentum=0.9, nesterov=True, dampening=0.1),
        ValueError,
        "no dampening, got momentum=0.9, dampening=0.1",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case):
    make, error, message = BAD[case]
    with pytest.raises(error, match=message):
        make()


def test_a_gradient_of_another_shape_is_refused():
    w = leaf([1.0, 2.0], name="w")
    w.grad = ag.tensor([1.0])
    with pytest.raises(ValueError, match=r"'w' of shape \(2,\) has a gradient of shape \(1,\)"):
        optim.SGD([w]).step()


def test_a_refused_group_changes_nothing():
    w = leaf([1.0])
    optimizer = optim.SGD([w])
    with pytest.raises(ValueError, match="already given"):
        optimizer.add_param_group({"params": [leaf([2.0]), w]})
    assert len(optimizer.param_groups) == 1
