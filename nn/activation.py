"""Activations of one element at a time as modules: rectifiers, their smooth and clipped kin, thresholds; and maxout.

Each is the function of its name in ``nn.functional``, with its options.
"""

from __future__ import annotations

import math
import operator
from typing import Any

from autograd_core import empty, no_grad, sign

from . import checks
from . import functional as F
from .function_module import FunctionModule
from .module import Module
from .parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardtanh",
    "Heaviside",
    "LeakyReLU",
    "LogSigmoid",
    "Maxout",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "Sigmoid",
    "Sign",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


# Steps and rectifiers


class Heaviside(FunctionModule):
    """1 where the input reaches `threshold`, 0 below, with gradient 0; see :func:`functional.heaviside_step`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Heaviside(1.0)(ag.tensor([0.0, 1.0, 2.0]))
    tensor([0., 1., 1.])
    """

    function = staticmethod(F.heaviside_step)

    def __init__(self, threshold: float = 0.0) -> None:
        super().__init__(threshold=threshold)


class Sign(FunctionModule):
    """-1, 0 or 1, as the input is negative, zero or positive; with gradient 0.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Sign()(ag.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """

    function = staticmethod(sign)


class Threshold(FunctionModule):
    """The input where it is above `threshold`, `value` elsewhere; see :func:`functional.threshold`.

    ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Threshold(1.0, -5.0)(ag.tensor([0.0, 1.0, 2.0]))
    tensor([-5., -5.,  2.])
    """

    function = staticmethod(F.threshold)

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(threshold=threshold, value=value)


class ReLU(FunctionModule):
    """``max(x, 0)``, with slope 0 at 0.

    ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ReLU()(ag.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    function = staticmethod(F.relu)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class LeakyReLU(FunctionModule):
    """``x`` where positive, ``negative_slope x`` elsewhere; see :func:`functional.leaky_relu`.

    ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.LeakyReLU(0.1)(ag.tensor([-1.0, 2.0]))
    tensor([-0.1,  2. ])
    """

    function = staticmethod(F.leaky_relu)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(negative_slope=negative_slope)


class PReLU(Module):
    """:class:`LeakyReLU` with learned slopes; see :func:`functional.prelu`.

    Parameters
    ----------
    num_parameters : int
        1, for one slope, or the size of dimension 1 of the input, for one slope each.
    init : float
        What the slopes start with.
    dtype : optional
        Of the slopes; the default dtype if not given.

    Attributes
    ----------
    weight : Parameter, shape (num_parameters,)

    Raises
    ------
    ValueError
        If `num_parameters` is below 1, or does not fit the input.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.PReLU(2)(ag.tensor([[-2.0, 4.0]])).detach()
    tensor([[-0.5,  4. ]])
    """

    weight: Parameter

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = operator.index(num_parameters), init
        checks.positive("PReLU", num_parameters=self.num_parameters)
        self.weight = Parameter(empty(self.num_parameters, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the slopes to what they start with."""
        with no_grad():
            self.weight[...] = self.init

    def forward(self, input: Any) -> Any:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(FunctionModule):
    """:class:`LeakyReLU` with random slopes, in evaluation with their mean; see :func:`functional.rrelu`.

    Parameters
    ----------
    lower, upper : float
        What the slopes are drawn between.
    inplace : bool
        Accepted for PyTorch's sake; the result is a new tensor all the same.

    Raises
    ------
    ValueError
        If `lower` is above `upper`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.RReLU(0.1, 0.3).eval()(ag.tensor([-2.0, 3.0]))
    tensor([-0.4,  3. ])
    """

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        checks.ordered("RReLU", lower=lower, upper=upper)
        super().__init__(lower=lower, upper=upper)

    def forward(self, input: Any) -> Any:
        return F.rrelu(input, self.lower, self.upper, self.training)


# Exponential on the negative side


class ELU(FunctionModule):
    """``x`` where positive, ``alpha (exp(x) - 1)`` elsewhere; see :func:`functional.elu`.

    ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ELU()(ag.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.    ])
    """

    function = staticmethod(F.elu)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(alpha=alpha)


class SELU(FunctionModule):
    """A scaled :class:`ELU` that keeps mean 0 and variance 1 from layer to layer; see :func:`functional.selu`.

    Needs weights of mean 0 and variance 1 / fan_in: ``nn.init.lecun_normal_``.

    ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.SELU()(ag.tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """

    function = staticmethod(F.selu)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class CELU(FunctionModule):
    """``x`` where positive, ``alpha (exp(x / alpha) - 1)`` elsewhere; see :func:`functional.celu`.

    ``alpha`` is not 0.  ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.CELU(2.0)(ag.tensor([-1.0, 3.0]))
    tensor([-0.7869,  3.    ])
    """

    function = staticmethod(F.celu)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        checks.divisor("CELU", alpha=alpha)
        super().__init__(alpha=alpha)


# Smooth


class Sigmoid(FunctionModule):
    """``1 / (1 + exp(-x))``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Sigmoid()(ag.tensor([0.0, 1.0]))
    tensor([0.5   , 0.7311])
    """

    function = staticmethod(F.sigmoid)


class LogSigmoid(FunctionModule):
    """The logarithm of the sigmoid, without its underflow; see :func:`functional.logsigmoid`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.LogSigmoid()(ag.tensor([-1000.0, 0.0]))
    tensor([-1.0000e+03, -6.9315e-01])
    """

    function = staticmethod(F.logsigmoid)


class Tanh(FunctionModule):
    """The hyperbolic tangent.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Tanh()(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.7616])
    """

    function = staticmethod(F.tanh)


class Tanhshrink(FunctionModule):
    """``x - tanh(x)``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Tanhshrink()(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.2384])
    """

    function = staticmethod(F.tanhshrink)


class Softplus(FunctionModule):
    """``log(1 + exp(beta x)) / beta``, a smooth ReLU; see :func:`functional.softplus`.

    Parameters
    ----------
    beta : float
        How sharp the bend is; not 0.
    threshold : float
        Where ``beta x`` is above it, the result is the input; not needed here, as nothing overflows.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Softplus()(ag.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0000e+03])
    """

    function = staticmethod(F.softplus)

    def __init__(self, beta: float = 1.0, threshold: float = math.inf) -> None:
        checks.divisor("Softplus", beta=beta)
        super().__init__(beta=beta, threshold=threshold)


class Softsign(FunctionModule):
    """``x / (1 + |x|)``; see :func:`functional.softsign`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Softsign()(ag.tensor([-1.0, 0.0, 3.0]))
    tensor([-0.5 ,  0.  ,  0.75])
    """

    function = staticmethod(F.softsign)


# Piecewise linear


class Hardtanh(FunctionModule):
    """The input limited to [min_val, max_val]; see :func:`functional.hardtanh`.

    ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Raises
    ------
    ValueError
        If `min_val` is above `max_val`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Hardtanh()(ag.tensor([-2.0, 0.5, 2.0]))
    tensor([-1. ,  0.5,  1. ])
    """

    function = staticmethod(F.hardtanh)

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        checks.ordered("Hardtanh", min_val=min_val, max_val=max_val)
        super().__init__(min_val=min_val, max_val=max_val)


class ReLU6(FunctionModule):
    """``min(max(x, 0), 6)``; see :func:`functional.relu6`.

    ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ReLU6()(ag.tensor([-1.0, 3.0, 9.0]))
    tensor([0., 3., 6.])
    """

    function = staticmethod(F.relu6)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class Hardsigmoid(FunctionModule):
    """A straight line from 0 at -3 to 1 at 3; see :func:`functional.hardsigmoid`.

    ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Hardsigmoid()(ag.tensor([-4.0, 0.0, 1.5]))
    tensor([0.  , 0.5 , 0.75])
    """

    function = staticmethod(F.hardsigmoid)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class Softshrink(FunctionModule):
    """The input moved towards 0 by `lambd`, at least 0; see :func:`functional.softshrink`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Softshrink()(ag.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.5,  0. ,  1.5])
    """

    function = staticmethod(F.softshrink)

    def __init__(self, lambd: float = 0.5) -> None:
        checks.not_negative("Softshrink", lambd=lambd)
        super().__init__(lambd=lambd)


class Hardshrink(FunctionModule):
    """The input, and 0 where its size is not above `lambd`; see :func:`functional.hardshrink`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Hardshrink()(ag.tensor([-2.0, 0.5, 2.0]))
    tensor([-2.,  0.,  2.])
    """

    function = staticmethod(F.hardshrink)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(lambd=lambd)


# Of several


class Maxout(FunctionModule):
    """The largest of every `pieces` neighbours along `dim`; see :func:`functional.maxout`.

    Parameters
    ----------
    pieces : int
        At least 1; the output is so many times smaller along `dim`.
    dim : int

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Sequential(nn.Linear(4, 6), nn.Maxout(2))(ag.ones(5, 4)).shape
    (5, 3)
    """

    function = staticmethod(F.maxout)

    def __init__(self, pieces: int, dim: int = -1) -> None:
        checks.positive("Maxout", pieces=pieces)
        super().__init__(pieces=pieces, dim=dim)
