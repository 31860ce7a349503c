"""Activations as modules that let the input through a gate between 0 and 1, steered by the input itself."""

from __future__ import annotations

from typing import Any

from autograd_core import full

from . import checks
from . import functional as F
from .function_module import FunctionModule
from .module import Module
from .parameter import Parameter

__all__ = ["GELU", "GLU", "Hardswish", "Mish", "SiLU", "Swish"]


class SiLU(FunctionModule):
    """``x sigmoid(x)``; see :func:`functional.silu`.

    ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.SiLU()(ag.tensor([0.0, 1.0]))
    tensor([0.    , 0.7311])
    """

    function = staticmethod(F.silu)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class Swish(Module):
    """``x sigmoid(beta x)``, with a fixed or a learned beta; see :func:`functional.swish`.

    Parameters
    ----------
    beta : float
        What it is, or starts with.
    learned : bool
        Whether it is a parameter.
    dtype : optional
        Of the parameter; the default dtype if not given.

    Attributes
    ----------
    beta : float; or Parameter, of shape ()

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Swish(2.0)(ag.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1192,  0.    ,  0.8808])
    >>> [name for name, _ in nn.Swish(learned=True).named_parameters()]
    ['beta']
    """

    beta: Any

    def __init__(self, beta: float = 1.0, learned: bool = False, *, dtype: Any = None) -> None:
        super().__init__()
        self.learned = learned
        self.beta = Parameter(full((), float(beta), dtype=dtype)) if learned else beta

    def forward(self, input: Any) -> Any:
        return F.swish(input, self.beta)

    def extra_repr(self) -> str:
        return "learned=True" if self.learned else f"beta={self.beta}"


class GELU(FunctionModule):
    """``x P(Z <= x)`` for Z of the standard normal distribution; see :func:`functional.gelu`.

    Parameters
    ----------
    approximate : "none" or "tanh"

    Raises
    ------
    ValueError
        If `approximate` is neither.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.GELU()(ag.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.    ,  0.8413])
    """

    function = staticmethod(F.gelu)

    def __init__(self, approximate: str = "none") -> None:
        checks.choice("GELU", "approximate", approximate, "none", "tanh")
        super().__init__(approximate=approximate)


class Mish(FunctionModule):
    """``x tanh(softplus(x))``; see :func:`functional.mish`.

    ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Mish()(ag.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.    ,  0.8651])
    """

    function = staticmethod(F.mish)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class Hardswish(FunctionModule):
    """``x hardsigmoid(x)``; see :func:`functional.hardswish`.

    ``inplace`` is accepted for PyTorch's sake; the result is a new tensor all the same.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.Hardswish()(ag.tensor([-1.0, 1.0, 3.0]))
    tensor([-0.3333,  0.6667,  3.    ])
    """

    function = staticmethod(F.hardswish)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class GLU(FunctionModule):
    """``a sigmoid(b)`` of the two halves a and b of the input along `dim`, whose size it halves.

    See :func:`functional.glu`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.GLU()(ag.tensor([3.0, 4.0, 0.0, 100.0]))
    tensor([1.5, 4. ])
    """

    function = staticmethod(F.glu)

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim=dim)
