"""What is done to gradients and parameters between the passes.

>>> import autograd_core as ag
>>> from autograd_core import nn
>>> net = nn.MLP([2, 8, 1])
>>> net(100 * ag.ones(5, 2)).sum().backward()
>>> before = nn.utils.clip_grad_norm_(net.parameters(), max_norm=1.0)
>>> print(f"{nn.utils.get_total_norm(p.grad for p in net.parameters()).item():.4f}")
1.0000
"""

from . import clip_grad as _clip_grad
from . import convert_parameters as _convert_parameters
from . import max_norm as _max_norm
from . import parametrizations, parametrize, rnn
from .clip_grad import *
from .convert_parameters import *
from .max_norm import *

__all__ = [
    "parametrizations",
    "parametrize",
    "rnn",
    *(name for family in (_clip_grad, _convert_parameters, _max_norm) for name in family.__all__),
]
