"""Whole models that courses and papers describe, made of the layers; and what is done with several, or with dropout."""

from .autoencoder import Autoencoder, DenoisingAutoencoder
from .char_transformer import CharTransformer
from .ensemble import Ensemble, bootstrap
from .gan import GAN, WassersteinGAN
from .lenet import LeNet
from .monte_carlo import monte_carlo_dropout
from .resnet import BasicBlock, Bottleneck, ResNet, resnet
from .sequence_classifier import SequenceClassifier
from .variational_autoencoder import VariationalAutoencoder

__all__ = [
    "GAN",
    "Autoencoder",
    "BasicBlock",
    "Bottleneck",
    "CharTransformer",
    "DenoisingAutoencoder",
    "Ensemble",
    "LeNet",
    "ResNet",
    "SequenceClassifier",
    "VariationalAutoencoder",
    "WassersteinGAN",
    "bootstrap",
    "monte_carlo_dropout",
    "resnet",
]
