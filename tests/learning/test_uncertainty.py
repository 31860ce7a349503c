"""Several nets, or one with dropout: a better prediction than that of one, and one that knows what it does not know."""

import numpy as np

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional


def waves(rng, n):
    """Noisy values of a sine on [-1, 1]."""
    x = rng.uniform(-1, 1, (n, 1))
    return ag.tensor(x, dtype="float32"), ag.tensor(np.sin(4 * x) + 0.3 * rng.normal(size=(n, 1)), dtype="float32")


def fit(net, x, y, steps):
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        F.mse_loss(net(x), y).backward()
        optimizer.step()
    return net


def test_a_bagged_ensemble_beats_its_members():
    """Its squared error is the members' average less their variance (Krogh & Vedelsby 1995); that is a lot here."""
    generator = ag.manual_seed(0)
    rng = np.random.default_rng(0)
    x, y = waves(rng, 40)
    members = []
    for _ in range(8):
        chosen = nn.models.bootstrap(len(x), generator=generator)
        members.append(fit(nn.MLP([1, 32, 32, 1], "tanh"), x[chosen], y[chosen], 250))
    ensemble = nn.models.Ensemble(members)
    x = ag.linspace(-1, 1, 200).unsqueeze(1)
    truth = ag.sin(4 * x)
    with ag.no_grad():
        alone = ((ensemble.outputs(x) - truth) ** 2).mean().item()
        together = ((ensemble(x) - truth) ** 2).mean().item()
    assert together < 0.8 * alone


def test_monte_carlo_dropout_is_unsure_where_there_are_no_data():
    ag.manual_seed(0)
    x, y = waves(np.random.default_rng(0), 100)
    net = nn.Sequential(
        nn.Linear(1, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 1)
    )
    fit(net, x, y, 500)
    with ag.no_grad():
        mean, near = nn.models.monte_carlo_dropout(net, x, passes=100)
        _, far = nn.models.monte_carlo_dropout(net, 4 * ag.sign(x), passes=100)
    assert F.mse_loss(mean, ag.sin(4 * x)).item() < 0.1
    assert far.mean().item() > 2 * near.mean().item()
