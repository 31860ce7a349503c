"""A variational autoencoder learns a ring, on which no normal distribution is a good fit."""

import numpy as np

import autograd_core as ag
from autograd_core import nn, optim

RADIUS = 8


def ring(rng, n):
    """Points evenly around a circle, with noise of variance 1."""
    angles = rng.uniform(0, 2 * np.pi, n)
    return RADIUS * np.stack([np.cos(angles), np.sin(angles)], 1) + rng.normal(size=(n, 2))


def surprise_of_a_normal_distribution(data, new):
    """``-log p`` of new points, a mean, under the normal distribution that fits the data best; without log 2π."""
    away, covariance = new - data.mean(0), np.cov(data.T)
    squares = (away @ np.linalg.inv(covariance) * away).sum(1)
    return squares.mean() / 2 + np.linalg.slogdet(covariance)[1] / 2


def surprise_of_the_truth(new):
    """The same under the distribution they come from: a mean over the circle."""
    circle = RADIUS * np.exp(2j * np.pi * np.arange(720) / 720)
    distances = np.abs(new @ [1, 1j] - circle[:, None])
    return -np.log(np.exp(-(distances**2) / 2).mean(0)).mean()


def test_the_bound_lies_between_a_normal_distribution_and_the_truth():
    ag.manual_seed(0)
    rng = np.random.default_rng(0)
    data, new = ring(rng, 1000), ring(rng, 5000)
    net = nn.models.VariationalAutoencoder([2, 32, 32, 2], "tanh", likelihood="gaussian")
    optimizer = optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(400):
        optimizer.zero_grad()
        net.loss(ag.tensor(data[rng.integers(0, len(data), 128)], dtype="float32")).backward()
        optimizer.step()
    with ag.no_grad():
        loss = net.loss(ag.tensor(new, dtype="float32")).item()
    assert loss < surprise_of_a_normal_distribution(data, new) - 0.15
    assert loss > surprise_of_the_truth(new)
