"""Two spirals around each other.

Lang & Witbrock, "Learning to tell two spirals apart" (1988).
"""

import numpy as np
from learning import one_cycle, share_right, train

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional


def spirals(i):
    """Points number `i`, of 0 to 96, of both: three turns inwards from a radius of 6.5, the second being opposite."""
    angle, radius = i * np.pi / 16, 6.5 * (104 - i) / 104
    one = np.stack([radius * np.sin(angle), radius * np.cos(angle)], 1)
    return ag.tensor(np.concatenate([one, -one]), dtype=ag.float32), ag.tensor(np.repeat([0, 1], len(i)))


def between():
    """Three points between each two neighbours."""
    i = np.arange(4 * 96) / 4
    return spirals(i[i % 1 > 0])


def test_a_net_tells_them_apart():
    data = spirals(np.arange(97))
    generator = ag.manual_seed(0)
    net = nn.MLP([2, 40, 40, 40, 2], "elu")
    optimizer = optim.Adam(net.parameters(), lr=0.02)
    plan = {"epochs": 800, "batch_size": 194}
    scheduler = one_cycle(optimizer, data, **plan)
    train(net, F.cross_entropy, optimizer, data, **plan, generator=generator, scheduler=scheduler)
    assert share_right(net, data) == 1
    assert share_right(net, between()) >= 0.97


def test_logistic_regression_does_not():
    """At the minimum of its loss it is hardly better than chance."""
    x, y = spirals(np.arange(97))
    x = x.double()
    ag.manual_seed(0)
    model = nn.LogisticRegression(2, dtype=ag.float64)
    optimizer = optim.LBFGS(model.parameters(), max_iter=50, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = model.loss(x, y)
        loss.backward()
        return loss

    optimizer.step(closure)
    closure()
    assert max(abs(p.grad).max().item() for p in model.parameters()) < 1e-6
    assert (model.predict(x) == y).float().mean().item() < 0.6
