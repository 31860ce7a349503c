"""Forty layers learn to tell two rings apart with residual connections, or with normalisation, and not without."""

import math

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional
DEPTH, WIDTH = 40, 16


def rings(n):
    """Points around circles of radius 0.6 and 1.2, and which of the two."""
    rng = np.random.default_rng(0)
    ring = rng.integers(0, 2, n)
    radius, angle = 0.6 + 0.6 * ring + 0.1 * rng.normal(size=n), rng.uniform(0, 2 * np.pi, n)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return ag.tensor(points, dtype="float32"), ag.tensor(ring)


def plain(activation):
    """With the usual initialisation, whose weights of variance 1 / (3 WIDTH) shrink what goes through them."""
    return nn.Sequential(nn.Linear(WIDTH, WIDTH, bias=False), activation())


def residual(activation):
    return nn.Residual(plain(activation))


def normalised(activation):
    layer, function = plain(activation)
    return nn.Sequential(layer, nn.BatchNorm1d(WIDTH, affine=False), function)


def losses(block, activation, lr):
    """The loss of each of 100 steps, on all the data; with any block, a net begins with the same parameters."""
    ag.manual_seed(0)
    blocks = [block(activation) for _ in range(DEPTH - 2)]
    net = nn.Sequential(nn.Linear(2, WIDTH), activation(), *blocks, nn.Linear(WIDTH, 2))
    optimizer = optim.Adam(net.parameters(), lr=lr)
    points, ring = rings(256)
    values = []
    for _ in range(100):
        loss = F.cross_entropy(net(points), ring)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    return values


@pytest.mark.parametrize(("block", "activation", "lr"), [(residual, nn.Tanh, 1e-3), (normalised, nn.Sigmoid, 1e-2)])
def test_trains(block, activation, lr):
    assert losses(block, activation, lr)[-1] < 0.15


@pytest.mark.parametrize(("activation", "lr"), [(nn.Tanh, 1e-3), (nn.Sigmoid, 1e-2)])
def test_does_not_train_without(activation, lr):
    """It goes on answering the same for all points: log 2, less what their numbers differ."""
    assert min(losses(plain, activation, lr)) > 0.95 * math.log(2)
