"""Classic units, linear classifiers, and whole models, all very small."""

import numpy as np
from contract import Layer, classes

from autograd_core import nn

models = nn.models
FEATURES = [(((2, 4),), "in_features")]


def linear(make, **more):
    return Layer(make, ((4, 3),), empty=((0, 3),), wrong=FEATURES, **more)


def lenet(**options):
    return models.LeNet(3, size=4, channels=(2, 2), hidden=(3, 4), **options)


def residual_network(block, **options):
    return models.ResNet(block, [1], 2, in_channels=1, width=2, **{"small_images": True, **options})


def lengths(*values):
    return lambda rng: np.array(values)


LAYERS = {
    # units
    "McCullochPitts": linear(lambda: nn.McCullochPitts([1, -1, 2], 0.5), smooth=False),
    "Perceptron": linear(lambda: nn.Perceptron(3), smooth=False),
    "Perceptron-sign": linear(lambda: nn.Perceptron(3, "sign"), smooth=False),
    "Adaline": linear(lambda: nn.Adaline(3)),
    "SigmoidNeuron": linear(lambda: nn.SigmoidNeuron(3)),
    # linear classifiers
    "LogisticRegression": linear(lambda: nn.LogisticRegression(3)),
    "LogisticRegression-classes": linear(lambda: nn.LogisticRegression(3, 4)),
    "LinearSVM": linear(lambda: nn.LinearSVM(3)),
    "LinearSVM-classes": linear(lambda: nn.LinearSVM(3, 4)),
    # images
    "LeNet": Layer(lambda: lenet(), ((2, 1, 4, 4),), empty=((0, 1, 4, 4),)),
    "LeNet-max": Layer(lambda: lenet(activation="relu", pooling="max"), ((2, 1, 4, 4),)),
    "BasicBlock": Layer(lambda: models.BasicBlock(2, 2), ((2, 2, 3, 3),)),
    "Bottleneck": Layer(lambda: models.Bottleneck(8, 2), ((2, 8, 2, 2),)),
    "ResNet": Layer(lambda: residual_network(models.BasicBlock), ((2, 1, 3, 3),)),
    "ResNet-bottleneck": Layer(lambda: residual_network(models.Bottleneck), ((2, 1, 3, 3),)),
    "ResNet-stem": Layer(lambda: residual_network(models.BasicBlock, small_images=False), ((2, 1, 7, 7),)),
    # codes
    "Autoencoder": linear(lambda: models.Autoencoder([3, 4, 2], "tanh", output_activation="sigmoid")),
    "DenoisingAutoencoder": linear(lambda: models.DenoisingAutoencoder([3, 4, 2], "tanh", noise=nn.Dropout(0.3))),
    "VariationalAutoencoder": linear(lambda: models.VariationalAutoencoder([3, 4, 2], "tanh")),
    "VariationalAutoencoder-gaussian": linear(lambda: models.VariationalAutoencoder([3, 2], likelihood="gaussian")),
    # sequences
    "SequenceClassifier": Layer(
        lambda: models.SequenceClassifier(3, 2, 2),
        ((3, 4, 3), lengths(4, 1, 2)),
        empty=((0, 4, 3),),
        wrong=[(((3, 4, 2),), "expected input of shape"), (((3, 4, 3), lengths(4, 1, 5)), "lengths from 0 to 4")],
    ),
    "SequenceClassifier-tokens": Layer(
        lambda: models.SequenceClassifier(2, 2, 2, num_tokens=5, network="gru", num_layers=2, bidirectional=True),
        (classes(2, 3, count=5),),
        empty=(classes(0, 3, count=5),),
        wrong=[((classes(2, 3, count=500),), "embedding")],
    ),
    "SequenceClassifier-rnn": Layer(lambda: models.SequenceClassifier(2, 3, 1, network="rnn"), ((2, 3, 2),)),
    "CharTransformer": Layer(
        lambda: models.CharTransformer(5, 4, d_model=4, nhead=2, num_layers=1, dim_feedforward=3),
        (classes(2, 4, count=5),),
        wrong=[
            ((classes(2, 5, count=5),), "1 to context=4 tokens"),
            ((classes(4, count=5),), r"shape \(N, T\)"),
        ],
    ),
    "CharTransformer-dropout": Layer(
        lambda: models.CharTransformer(5, 4, d_model=4, nhead=2, num_layers=1, dim_feedforward=3, dropout=0.2),
        (classes(2, 3, count=5),),
    ),
    # several networks
    "GAN": linear(lambda: models.GAN(nn.MLP([3, 4, 2]), nn.MLP([2, 4, 1]), 3)),
    "WassersteinGAN": linear(lambda: models.WassersteinGAN(nn.MLP([3, 4, 2]), nn.MLP([2, 4, 1]), 3)),
    "Ensemble": linear(lambda: models.Ensemble([nn.Linear(3, 2), nn.MLP([3, 4, 2], "tanh")])),
    "Ensemble-probabilities": linear(lambda: models.Ensemble([nn.Linear(3, 2) for _ in range(3)], "softmax")),
}
