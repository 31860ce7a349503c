"""Training loops and data for the tests of what is learned."""

import pytest

import autograd_core as ag
from autograd_core import optim
from autograd_core.tools.training import accuracy, batches


def train(model, loss, optimizer, data, *, epochs, batch_size, generator, scheduler=None, augment=None):
    """Train on minibatches; ``augment`` changes the inputs of each, the scheduler steps after each."""
    model.train()
    for _ in range(epochs):
        for x, y in batches(data, batch_size, generator):
            value = loss(model(x if augment is None else augment(x)), y)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
    model.eval()


def one_cycle(optimizer, data, *, epochs, batch_size):
    """The rate goes up to what the optimizer has, and down to almost 0 at the end of the training."""
    steps = epochs * -(-len(data[0]) // batch_size)
    # It is set once before the first step, and after each of them.
    return optim.lr_scheduler.OneCycleLR(optimizer, max_lr=optimizer.defaults["lr"], total_steps=steps + 1)


def share_right(model, data):
    """The share of examples whose class the model finds."""
    x, y = data
    with ag.no_grad():
        return accuracy(model(x), y)


def digits():
    """Training and test part, 80 and 20 %, of scikit-learn's digits: images of shape (N, 1, 8, 8) from 0 to 1."""
    images, labels = pytest.importorskip("sklearn.datasets").load_digits(return_X_y=True)
    from sklearn.model_selection import train_test_split

    images, test, labels, test_labels = train_test_split(
        images.reshape(-1, 1, 8, 8) / 16, labels, test_size=0.2, random_state=0, stratify=labels
    )
    return [(ag.tensor(x, dtype=ag.float32), ag.tensor(y)) for x, y in ((images, labels), (test, test_labels))]
