"""Networks: modules, layers, activations, losses and initial values, composed of the engine's operations.

>>> import autograd_core as ag
>>> from autograd_core import nn
>>> net = nn.MLP([2, 8, 3])
>>> loss = nn.functional.cross_entropy(net(ag.ones(5, 2)), ag.tensor([0, 1, 2, 0, 1]))
>>> loss.backward()
>>> [tuple(p.grad.shape) for p in net.parameters()]
[(8, 2), (8,), (3, 8), (3,)]
"""

if not __name__.startswith("autograd_core."):
    raise ImportError("import it as autograd_core.nn: 'from autograd_core import nn'")

from . import functional, init
from .activation import ELU, Lambda, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .container import ModuleList, Sequential
from .flatten import Flatten
from .linear import Identity, Linear
from .loss import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss, NLLLoss
from .mlp import MLP
from .module import Module
from .parameter import Parameter

__all__ = [
    "ELU",
    "MLP",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "Flatten",
    "Identity",
    "L1Loss",
    "Lambda",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "functional",
    "init",
]
