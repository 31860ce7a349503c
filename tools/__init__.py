"""What people use around a model: the gradient checker, pictures of the backward pass, training, saving.

>>> import autograd_core as ag
>>> from autograd_core.tools import gradcheck
>>> bool(gradcheck(ag.tanh, ag.tensor([0.5, -1.0])))
True
"""

if not __name__.startswith("autograd_core."):
    raise ImportError("import it as autograd_core.tools: 'from autograd_core import tools'")

from .gradcheck import assert_gradients, gradcheck
from .gradcheck_report import Culprit, GradcheckReport
from .picture import Arrow, Box, Cluster, Picture, graph
from .range_finder import RangeTest, find_rate
from .weights import load_weights, save_weights

__all__ = [
    "Arrow",
    "Box",
    "Cluster",
    "Culprit",
    "GradcheckReport",
    "Picture",
    "RangeTest",
    "assert_gradients",
    "find_rate",
    "gradcheck",
    "graph",
    "load_weights",
    "save_weights",
]
