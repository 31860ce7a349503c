"""Two networks at play learn a mixture of normal distributions: no mode is left out, and little lies between."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim


class Mixture:
    """Normal distributions around points on a circle of radius 2, all as likely."""

    def __init__(self, modes, sigma, seed):
        angles = 2 * np.pi * np.arange(modes) / modes
        self.centres = 2 * np.stack([np.cos(angles), np.sin(angles)], 1)
        self.sigma, self.rng = sigma, np.random.default_rng(seed)

    def draw(self, n):
        centres = self.centres[self.rng.integers(0, len(self.centres), n)]
        return ag.tensor(centres + self.sigma * self.rng.normal(size=(n, 2)), dtype="float32")

    def shares(self, samples):
        """The share of all samples that lies within three sigma of each centre."""
        distances = np.linalg.norm(samples.numpy()[:, None] - self.centres, axis=2)
        return (distances < 3 * self.sigma).mean(0)


def play(game, opponent, opponent_loss, mixture, *, lr, rounds, turns, batch, decay):
    """Let the opponent take its turns, then the generator one, round after round; gives 2000 samples."""
    optimizers = [optim.Adam(part.parameters(), lr=lr, betas=(0.5, 0.9)) for part in (opponent, game.generator)]
    schedules = [optim.lr_scheduler.LinearLR(o, 1.0, decay, total_iters=rounds) for o in optimizers]
    for _ in range(rounds):
        for _ in range(turns):
            optimizers[0].zero_grad()
            opponent_loss(mixture.draw(batch)).backward()
            optimizers[0].step()
        optimizers[1].zero_grad()
        game.generator_loss(batch).backward()
        optimizers[1].step()
        for schedule in schedules:
            schedule.step()
    with ag.no_grad():
        return game.sample(2000)


def test_gan():
    """The non-saturating loss, turn by turn; six modes."""
    ag.manual_seed(0)
    mixture = Mixture(6, 0.2, seed=0)
    game = nn.models.GAN(nn.MLP([2, 32, 32, 2]), nn.MLP([2, 32, 32, 1], "leaky_relu"), latent_size=2)
    how = {"lr": 3e-3, "rounds": 1000, "turns": 1, "batch": 128, "decay": 0.3}
    samples = play(game, game.discriminator, game.discriminator_loss, mixture, **how)
    shares = mixture.shares(samples)
    assert shares.min() > 0.05
    assert shares.sum() > 0.7


def test_wasserstein_gan():
    """The critic takes two turns, its slope held near 1 by a penalty that is differentiated twice; four modes."""
    ag.manual_seed(0)
    mixture = Mixture(4, 0.25, seed=0)
    generator, critic = nn.MLP([2, 32, 32, 2]), nn.MLP([2, 32, 32, 1], "softplus")
    game = nn.models.WassersteinGAN(generator, critic, latent_size=2, penalty=1.0)
    how = {"lr": 1e-2, "rounds": 400, "turns": 2, "batch": 64, "decay": 0.1}
    samples = play(game, critic, game.critic_loss, mixture, **how)
    shares = mixture.shares(samples)
    assert shares.min() > 0.1
    assert shares.sum() > 0.7


@pytest.mark.parametrize(("modes", "sigma"), [(6, 0.2), (4, 0.25)])
def test_what_real_and_what_normal_samples_reach(modes, sigma):
    """All of the mixture but exp(-9/2) = 1.1 %; below a quarter of a normal distribution of its mean and spread."""
    mixture = Mixture(modes, sigma, seed=1)
    real = mixture.draw(20_000)
    assert mixture.shares(real).sum() == pytest.approx(1 - np.exp(-4.5), abs=0.003)
    normal = real.mean(0) + real.std(0) * ag.randn(20_000, 2, generator=ag.Generator(1))
    assert mixture.shares(normal).sum() < 0.25
