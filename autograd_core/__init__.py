"""autograd-core: reverse-mode automatic differentiation that can be read, seen and checked.

>>> import autograd_core as ag
>>> x = ag.tensor(2.0, requires_grad=True)
>>> y = ag.tensor(3.0, requires_grad=True)
>>> f = (x + y) * ag.relu(y - x)
>>> f.backward()
>>> x.grad, y.grad
(tensor(-4.), tensor(6.))
"""

from . import autograd, func, linalg, special
from . import creation as _creation
from . import dtypes as _dtypes
from . import inplace as _inplace  # noqa: F401 (for what it attaches)
from . import numpy_protocol as _numpy_protocol  # noqa: F401 (for what it attaches)
from . import ops as _ops
from .anomaly import AnomalyError, detect_anomaly
from .autograd import backward, grad
from .compiler import compile
from .creation import *
from .dtypes import *
from .function import custom_vjp
from .memory import keep_freed as _keep_freed
from .modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .ops.arithmetic import *
from .ops.comparison import *
from .ops.cumulative import *
from .ops.decompositions import *
from .ops.diagonal import *
from .ops.einsum import *
from .ops.exponential import *
from .ops.extremes import *
from .ops.indexing import *
from .ops.joining import *
from .ops.linalg import *
from .ops.rearranging import *
from .ops.reduction import *
from .ops.rounding import *
from .ops.selection import *
from .ops.shape import *
from .ops.softmax import *
from .ops.sorting import *
from .ops.special import *
from .ops.statistics import *
from .ops.trigonometric import *
from .ops.writing import *
from .record import record
from .tensor import Tensor, as_tensor, from_numpy, is_tensor, tensor
from .traced import TracingError

__version__ = "0.1.0"

_keep_freed()

__all__ = [
    "AnomalyError",
    "Tensor",
    "TracingError",
    "as_tensor",
    "autograd",
    "backward",
    "compile",
    "custom_vjp",
    "detect_anomaly",
    "enable_grad",
    "from_numpy",
    "func",
    "grad",
    "is_grad_enabled",
    "is_tensor",
    "linalg",
    "no_grad",
    "record",
    "set_grad_enabled",
    "special",
    "tensor",
    *_creation.__all__,
    *_dtypes.__all__,
    *(name for family in _ops.FAMILIES for name in family.__all__),
]
