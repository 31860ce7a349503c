"""A code of two or eight numbers for a digit: that of an autoencoder keeps more than the best linear one, PCA."""

import pytest
from learning import digits, one_cycle, train

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional


@pytest.mark.parametrize("sizes", [[64, 64, 32, 2], [64, 60, 8]])
def test_an_autoencoder_beats_pca_of_the_same_width(sizes):
    """By a quarter of the error, on images that neither has seen; with each of eight seeds it is a third or more."""
    (images, _), (test, _) = digits()
    images, test = images.flatten(1), test.flatten(1)
    pca = pytest.importorskip("sklearn.decomposition").PCA(sizes[-1]).fit(images.numpy())
    by_pca = F.mse_loss(ag.tensor(pca.inverse_transform(pca.transform(test.numpy()))), test).item()

    generator = ag.manual_seed(0)
    model = nn.models.Autoencoder(sizes, "gelu", output_activation="sigmoid")
    optimizer = optim.Adam(model.named_parameters(), lr=0.01)
    data, plan = (images, images), {"epochs": 40, "batch_size": 64}
    scheduler = one_cycle(optimizer, data, **plan)
    train(model, F.mse_loss, optimizer, data, **plan, generator=generator, scheduler=scheduler)
    with ag.no_grad():
        assert model.loss(test).item() < 0.75 * by_pca
