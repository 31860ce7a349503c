"""Training loops for the tests of what is learned."""

import autograd_core as ag
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


def share_right(model, data):
    """The share of examples whose class the model finds."""
    x, y = data
    with ag.no_grad():
        return accuracy(model(x), y)
