"""Hooks of modules."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn


def build():
    ag.manual_seed(0)
    return nn.Linear(2, 3, dtype=ag.float64)


def test_forward_hooks_see_and_replace():
    layer, x = build(), ag.ones(4, 2, dtype=ag.float64)
    plain = layer(x)
    seen = []
    handles = [
        layer.register_forward_pre_hook(lambda module, args: (args[0] * 2,)),
        layer.register_forward_hook(lambda module, args, output: seen.append((module, args[0].shape, output.shape))),
        layer.register_forward_hook(lambda module, args, output: output + 1),
    ]
    expected = layer.forward(x * 2) + 1
    assert ag.allclose(layer(x), expected)
    assert seen == [(layer, (4, 2), (4, 3))]
    for handle in handles:
        handle.remove()
    assert ag.equal(layer(x), plain)


def test_backward_hooks_see_and_replace():
    torch = pytest.importorskip("torch")
    layer = build()
    twin = torch.nn.Linear(2, 3, dtype=torch.float64)
    twin.load_state_dict({k: torch.tensor(v.numpy()) for k, v in layer.state_dict().items()})
    data = np.random.default_rng(0).normal(size=(4, 2))
    seen = {"ours": [], "theirs": []}

    def note(name):
        def hook(module, grad_input, grad_output):
            seen[name].append((grad_input[0].detach().numpy().copy(), grad_output[0].detach().numpy().copy()))
            return (grad_input[0] * 3,)

        return hook

    layer.register_full_backward_hook(note("ours"))
    twin.register_full_backward_hook(note("theirs"))
    x, y = ag.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    (layer(x) ** 2).sum().backward()
    (twin(y) ** 2).sum().backward()
    for ours, theirs in zip(seen["ours"], seen["theirs"], strict=True):
        np.testing.assert_allclose(ours[0], theirs[0])
        np.testing.assert_allclose(ours[1], theirs[1])
    np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy())
    np.testing.assert_allclose(layer.weight.grad.numpy(), twin.weight.grad.numpy())
