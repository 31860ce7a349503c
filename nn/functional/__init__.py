"""Layers, activations and losses as functions of tensors, all composed of the engine's operations."""

from . import activation as _activation
from . import adaptive_pooling as _adaptive_pooling
from . import adversarial_loss as _adversarial_loss
from . import attention as _attention
from . import choice as _choice
from . import conv as _conv
from . import cross_entropy as _cross_entropy
from . import distance as _distance
from . import dropout as _dropout
from . import embedding as _embedding
from . import folding as _folding
from . import gates as _gates
from . import gradient_penalty as _gradient_penalty
from . import imbalance_loss as _imbalance_loss
from . import linear as _linear
from . import loss as _loss
from . import margin_loss as _margin_loss
from . import normalization as _normalization
from . import padding as _padding
from . import penalty as _penalty
from . import pooling as _pooling
from . import recurrent as _recurrent
from . import vision as _vision
from .activation import *
from .adaptive_pooling import *
from .adversarial_loss import *
from .attention import *
from .choice import *
from .conv import *
from .cross_entropy import *
from .distance import *
from .dropout import *
from .embedding import *
from .folding import *
from .gates import *
from .gradient_penalty import *
from .imbalance_loss import *
from .linear import *
from .loss import *
from .margin_loss import *
from .normalization import *
from .padding import *
from .penalty import *
from .pooling import *
from .recurrent import *
from .vision import *

__all__ = [
    name
    for family in (
        _activation,
        _adaptive_pooling,
        _adversarial_loss,
        _attention,
        _choice,
        _conv,
        _cross_entropy,
        _distance,
        _dropout,
        _embedding,
        _folding,
        _gates,
        _gradient_penalty,
        _imbalance_loss,
        _linear,
        _loss,
        _margin_loss,
        _normalization,
        _padding,
        _penalty,
        _pooling,
        _recurrent,
        _vision,
    )
    for name in family.__all__
]
