"""Checking gradients: are they right, and if not, which operation is wrong.

>>> import autograd_core as ag
>>> from autograd_core.tools.checking import gradcheck
>>> print(gradcheck(ag.tanh, ag.tensor([0.5, -1.0])).verdict)
PASS
"""

from .gradcheck import assert_gradients, gradcheck
from .report import Culprit, GradcheckReport

__all__ = ["Culprit", "GradcheckReport", "assert_gradients", "gradcheck"]
