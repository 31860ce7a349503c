"""Threads train their own models, and do not see each other."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

import autograd_core as ag
from autograd_core import nn, optim


def trained(seed):
    """The weights of a small net after some steps, with everything seeded."""
    ag.manual_seed(seed)
    model = nn.MLP([4, 16, 3], activation="tanh")
    optimizer = optim.Adam(model.named_parameters(), lr=0.01)
    x, y = ag.randn(32, 4), ag.randint(0, 3, (32,))
    for step in range(60):
        if step % 20 == 0:
            with ag.no_grad():
                model(x)
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])


def test_eight_at_once_are_bit_identical_to_one_after_the_other():
    expected = [trained(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(trained, range(8)))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
