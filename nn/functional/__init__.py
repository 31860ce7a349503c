"""Layers, activations and losses as functions of tensors, all composed of the engine's operations."""

from . import activation as _activation
from . import embedding as _embedding
from . import linear as _linear
from . import loss as _loss
from .activation import *
from .embedding import *
from .linear import *
from .loss import *

__all__ = [name for family in (_activation, _embedding, _linear, _loss) for name in family.__all__]
