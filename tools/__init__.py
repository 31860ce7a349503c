"""What people use around a model: the gradient checker, pictures of the backward pass, the training doctor, saving.

>>> import autograd_core as ag
>>> from autograd_core.tools import gradcheck
>>> bool(gradcheck(ag.tanh, ag.tensor([0.5, -1.0])))
True
"""

if not __name__.startswith("autograd_core."):
    raise ImportError("import it as autograd_core.tools: 'from autograd_core import tools'")

from . import checking as _checking
from . import diagnosis as _diagnosis
from . import pictures as _pictures
from .checking import *
from .diagnosis import *
from .pictures import *
from .range_finder import RangeTest, find_rate
from .weights import load_weights, save_weights

__all__ = [
    "RangeTest",
    "find_rate",
    "load_weights",
    "save_weights",
    *(name for folder in (_checking, _diagnosis, _pictures) for name in folder.__all__),
]
