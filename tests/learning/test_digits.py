"""Handwritten digits, at least 98 % of those never seen before.

The recipes were chosen by parts of the training data; then each read at least 98.8 % of the test part with each of
eight seeds.
"""

import numpy as np
from learning import digits, one_cycle, share_right, train

import autograd_core as ag
from autograd_core import nn, optim


def shifted(images, dim, most):
    """Each image moved along a dimension by a random distance, shared between neighbouring pixels."""
    distance = most * (2 * ag.rand(len(images), 1, 1, 1) - 1)
    before, after = ag.relu(distance), ag.relu(-distance)
    n = images.shape[dim]
    padded = nn.functional.pad(images, (1, 1, 0, 0) if dim == 3 else (0, 0, 1, 1))
    return (1 - before - after) * images + before * padded.narrow(dim, 0, n) + after * padded.narrow(dim, 2, n)


def augment(images):
    return shifted(shifted(images, 3, 1.0), 2, 0.5)


def test_shifts():
    """A dot inside the image moves by at most a pixel to a side and half of one up or down, and keeps its ink."""
    ag.manual_seed(0)
    images = np.zeros((1000, 1, 8, 8), "float32")
    images[:, :, 3, 4] = 1
    moved = augment(ag.tensor(images)).numpy()[:, 0]
    np.testing.assert_allclose(moved.sum((1, 2)), 1, rtol=1e-6)
    rows, columns = moved.sum(2) @ np.arange(8), moved.sum(1) @ np.arange(8)
    for places, low, high in ((rows, 2.5, 3.5), (columns, 3, 5)):
        np.testing.assert_allclose([places.min(), places.max()], [low, high], atol=0.02)
        np.testing.assert_allclose(places.mean(), (low + high) / 2, atol=0.05)


def learned(model, *, lr, smoothing, epochs, batch_size):
    """The share of right answers on the test part after training."""
    data, test = digits()
    optimizer = optim.AdamW(model.named_parameters(), lr=lr)
    train(
        model,
        nn.CrossEntropyLoss(label_smoothing=smoothing),
        optimizer,
        data,
        epochs=epochs,
        batch_size=batch_size,
        generator=None,
        scheduler=one_cycle(optimizer, data, epochs=epochs, batch_size=batch_size),
        augment=augment,
    )
    return share_right(model, test)


def test_multilayer_perceptron():
    ag.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.MLP([64, 512, 10]))
    assert learned(model, lr=0.02, smoothing=0.2, epochs=60, batch_size=128) >= 0.98


def test_lenet():
    ag.manual_seed(0)
    model = nn.models.LeNet(size=8, activation="elu", pooling="max", channels=(16, 32))
    assert learned(model, lr=0.01, smoothing=0.2, epochs=14, batch_size=32) >= 0.98
