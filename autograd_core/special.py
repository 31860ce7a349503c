"""PyTorch's ``torch.special``: the special functions under its names.

>>> import autograd_core as ag
>>> ag.special.expit(ag.tensor(0.0))
tensor(0.5)
"""

from .ops.exponential import exp2, expm1, log1p, logit
from .ops.exponential import sigmoid as expit
from .ops.rounding import round
from .ops.softmax import log_softmax, logsumexp, softmax
from .ops.special import digamma, erf, erfc, erfinv, polygamma, xlog1py, xlogy
from .ops.special import digamma as psi
from .ops.special import lgamma as gammaln
from .ops.trigonometric import sinc

__all__ = [
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammaln",
    "log1p",
    "log_softmax",
    "logit",
    "logsumexp",
    "polygamma",
    "psi",
    "round",
    "sinc",
    "softmax",
    "xlog1py",
    "xlogy",
]
