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

from . import activation as _activation
from . import activation_module as _activation_module
from . import adaptive_pooling as _adaptive_pooling
from . import adversarial_loss as _adversarial_loss
from . import attention as _attention
from . import choice as _choice
from . import classic as _classic
from . import container as _container
from . import conv as _conv
from . import cross_entropy as _cross_entropy
from . import distance as _distance
from . import dropout as _dropout
from . import embedding as _embedding
from . import flatten as _flatten
from . import folding as _folding
from . import function_module as _function_module
from . import functional, init, models, utils
from . import gates as _gates
from . import imbalance_loss as _imbalance_loss
from . import linear as _linear
from . import loss as _loss
from . import margin_loss as _margin_loss
from . import mlp as _mlp
from . import module as _module
from . import noise as _noise
from . import normalization as _normalization
from . import padding as _padding
from . import parameter as _parameter
from . import parameter_list as _parameter_list
from . import pooling as _pooling
from . import positional as _positional
from . import recurrent as _recurrent
from . import recurrent_cell as _recurrent_cell
from . import residual as _residual
from . import transformer as _transformer
from . import vision as _vision
from .activation import *
from .activation_module import *
from .adaptive_pooling import *
from .adversarial_loss import *
from .attention import *
from .choice import *
from .classic import *
from .container import *
from .conv import *
from .cross_entropy import *
from .distance import *
from .dropout import *
from .embedding import *
from .flatten import *
from .folding import *
from .function_module import *
from .gates import *
from .imbalance_loss import *
from .linear import *
from .loss import *
from .margin_loss import *
from .mlp import *
from .module import *
from .noise import *
from .normalization import *
from .padding import *
from .parameter import *
from .parameter_list import *
from .pooling import *
from .positional import *
from .recurrent import *
from .recurrent_cell import *
from .residual import *
from .transformer import *
from .vision import *

__all__ = [
    "functional",
    "init",
    "models",
    "utils",
    *(
        name
        for family in (
            _activation,
            _activation_module,
            _adaptive_pooling,
            _adversarial_loss,
            _attention,
            _choice,
            _classic,
            _container,
            _conv,
            _cross_entropy,
            _distance,
            _dropout,
            _embedding,
            _flatten,
            _folding,
            _function_module,
            _gates,
            _imbalance_loss,
            _linear,
            _loss,
            _margin_loss,
            _mlp,
            _module,
            _noise,
            _normalization,
            _padding,
            _parameter,
            _parameter_list,
            _pooling,
            _positional,
            _recurrent,
            _recurrent_cell,
            _residual,
            _transformer,
            _vision,
        )
        for name in family.__all__
    ),
]
