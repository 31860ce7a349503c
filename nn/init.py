"""Initial values for parameters.

Every function overwrites its tensor in place, is not recorded, and returns the tensor.  Random ones draw from
`generator`, or else from the thread's own (see ``manual_seed``).

For a weight of shape (out, in, *kernel) with k kernel elements, ``fan_in = in k`` and ``fan_out = out k``.  What suits
the activation that follows a layer is what :func:`for_activation_` chooses.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from autograd_core import Generator, Tensor, float64, no_grad, rand, randn

from . import checks
from .activation import CELU, ELU, SELU, LeakyReLU, LogSigmoid, Maxout, PReLU, ReLU, ReLU6, RReLU, Softplus, Threshold
from .gates import GELU, Hardswish, Mish, SiLU, Swish
from .module import Module
from .parameter import Parameter

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "for_activation_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

M = TypeVar("M", bound=Module)


def _filled(tensor: Tensor, values: Any) -> Tensor:
    with no_grad():
        tensor.copy_(values)
    return tensor


# Fixed values


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.init.constant_(ag.zeros(2), 3.0)
    tensor([3., 3.])
    """
    return _filled(tensor, np.full(tensor.shape, val))


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def _matrix(operation: str, tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim != 2:
        raise ValueError(f"{operation}: expected a tensor of 2 dimensions, got shape {tensor.shape}")
    rows, columns = tensor.shape
    return rows, columns


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity: 1 on its diagonal, 0 elsewhere.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.init.eye_(ag.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    return _filled(tensor, np.eye(*_matrix("eye_", tensor)))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight with what lets the input through: 1 at the kernel's middle from channel i to i.

    Parameters
    ----------
    tensor : shape (out, in, *kernel), with a kernel of 1, 2 or 3 dimensions
    groups : each of so many groups of output channels repeats the first input channels

    Raises
    ------
    ValueError
        If the tensor has another number of dimensions, or `groups` does not divide its first size.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> x = ag.tensor([[1.0, 2.0, 3.0]])
    >>> nn.functional.conv1d(x, nn.init.dirac_(ag.empty(1, 1, 3)), padding=1)
    tensor([[1., 2., 3.]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"dirac_: expected a weight of shape (out, in, *kernel), 3 to 5 sizes, got {tensor.shape}")
    outputs, inputs, *kernel = tensor.shape
    if groups < 1 or outputs % groups:
        raise ValueError(f"dirac_: groups must divide the first size, {outputs}, got groups={groups}")
    each = outputs // groups
    through = np.arange(min(each, inputs))
    middle: list[Any] = [size // 2 for size in kernel]
    values = np.zeros(tensor.shape)
    for first in range(0, outputs, max(each, 1)):
        values[(first + through, through, *middle)] = 1.0
    return _filled(tensor, values)


# Drawn from a distribution


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the uniform distribution on [a, b).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> values = nn.init.uniform_(ag.zeros(100), -2, -1)
    >>> bool((values >= -2).all()), bool((values <= -1).all())
    (True, True)
    """
    return _filled(tensor, a + (b - a) * rand(tensor.shape, dtype=float64, generator=generator))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the normal distribution with this mean and standard deviation; N(0, 1) if they are not given.

    N(0, 1 / fan_in) is :func:`lecun_normal_`.
    """
    return _filled(tensor, mean + std * randn(tensor.shape, dtype=float64, generator=generator))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the normal distribution, and again what is not in [a, b].

    The variance is smaller than ``std**2``: 0.774 of it for a, b = mean ± 2 std.

    Robert, "Simulation of truncated normal variables" (1995).

    Parameters
    ----------
    tensor : of any shape
    mean, std : of the normal distribution before it is cut; `std` above 0
    a, b : the bounds, as values of the tensor; a below b
    generator : where the numbers come from

    Raises
    ------
    ValueError
        If `std` is not positive, or `a` is not below `b`.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> values = nn.init.trunc_normal_(ag.zeros(1000), std=0.02, a=-0.04, b=0.04)
    >>> bool((values.abs() <= 0.04).all())
    True
    """
    checks.positive("trunc_normal_", std=std)
    if not a < b:
        raise ValueError(f"trunc_normal_: a must be below b, got a={a} and b={b}")
    standard = _standard_normals_between((a - mean) / std, (b - mean) / std, tensor.numel(), generator)
    return _filled(tensor, (mean + std * standard).reshape(tensor.shape))


def _standard_normals_between(low: float, high: float, count: int, generator: Generator | None) -> np.ndarray:
    """So many standard normals between two bounds, by rejection.

    Where the bounds leave little of the distribution, the draws are uniform, and are kept in proportion to the density.
    """
    often = math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2)) > 0.6  # twice the mass between the bounds
    peak = min(max(low, 0.0), high)  # where the density is largest
    reach = math.sqrt(peak**2 + 80)  # beyond it the density is less than 1e-17 of that, as good as 0
    low_end, high_end = max(low, -reach), min(high, reach)
    found = np.empty(count)
    missing = np.arange(count)
    while missing.size:
        if often:
            drawn = randn(missing.size, dtype=float64, generator=generator).numpy()
            kept = (drawn >= low) & (drawn <= high)
        else:
            place, height = rand(2, missing.size, dtype=float64, generator=generator).numpy()
            drawn = low_end + (high_end - low_end) * place
            kept = height < np.exp((peak**2 - drawn**2) / 2)
        found[missing[kept]] = drawn[kept]
        missing = missing[~kept]
    return found


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with `gain` times an orthogonal matrix, any as likely as any other; keeps lengths.

    Of a matrix that is not square the rows or the columns are orthonormal, whichever are fewer.  Sizes after the second
    count together with it.

    Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks" (2013); for the
    signs Mezzadri, "How to generate random matrices from the classical compact groups" (2006).

    Raises
    ------
    ValueError
        If the tensor has fewer than 2 dimensions.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> weight = nn.init.orthogonal_(ag.empty(2, 3))
    >>> ag.allclose(weight @ weight.T, ag.eye(2), atol=1e-6)
    True
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: expected a tensor of at least 2 dimensions, got shape {tensor.shape}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    drawn = randn(max(rows, columns), min(rows, columns), dtype=float64, generator=generator).numpy()
    q, r = np.linalg.qr(drawn)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    return _filled(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Draw a matrix from N(0, std²), and set this share of each column, rounded up, to 0.

    Martens, "Deep learning via Hessian-free optimization" (2010).

    Raises
    ------
    ValueError
        If the tensor is no matrix, or `sparsity` is not in [0, 1].

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> (nn.init.sparse_(ag.empty(10, 4), 0.75) == 0).sum(0)
    tensor([8, 8, 8, 8])
    """
    rows, columns = _matrix("sparse_", tensor)
    checks.share("sparse_", sparsity=sparsity)
    values = std * randn(rows, columns, dtype=float64, generator=generator).numpy()
    order = np.argsort(rand(rows, columns, dtype=float64, generator=generator).numpy(), axis=0)
    np.put_along_axis(values, order[: math.ceil(sparsity * rows)], 0.0, axis=0)
    return _filled(tensor, values)


# The scale that keeps the signal's size


_LINEAR = ("linear", *(f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)))
_GAINS = dict.fromkeys(_LINEAR, 1.0) | {"sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor on the standard deviation that keeps the signal's size through a nonlinearity; PyTorch's values.

    Parameters
    ----------
    nonlinearity : "sigmoid" (1), "tanh" (5/3), "relu" (√2), "leaky_relu" (√(2/(1+param²))) or "selu" (3/4)
        Or, also 1, "linear", "conv1d" ... "conv3d", "conv_transpose1d" ... "conv_transpose3d".
    param : for "leaky_relu", its negative slope; 0.01 if not given

    Raises
    ------
    ValueError
        If the nonlinearity is not one of these.

    >>> from autograd_core import nn
    >>> nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"calculate_gain: expected one of {', '.join([*_GAINS, 'leaky_relu'])}, got {nonlinearity!r}")
    return _GAINS[nonlinearity]


# By the number of inputs and outputs


def _fans(operation: str, tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim < 2:
        raise ValueError(
            f"{operation}: expected a weight of shape (out, in, ...), got shape {tensor.shape}; "
            f"a bias is usually filled with zeros_()"
        )
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _with_variance(tensor: Tensor, variance: float, uniform: bool, generator: Generator | None) -> Tensor:
    """Draw with mean 0; a uniform distribution on ±b has the variance b²/3."""
    std = math.sqrt(variance)
    if uniform:
        return uniform_(tensor, -math.sqrt(3) * std, math.sqrt(3) * std, generator)
    return normal_(tensor, 0.0, std, generator)


def _xavier(operation: str, tensor: Tensor, gain: float, **how: Any) -> Tensor:
    return _with_variance(tensor, gain**2 * 2 / max(sum(_fans(operation, tensor)), 1), **how)


def _kaiming(operation: str, tensor: Tensor, a: float, mode: str, nonlinearity: str, **how: Any) -> Tensor:
    checks.choice(operation, "mode", mode, "fan_in", "fan_out")
    fan_in, fan_out = _fans(operation, tensor)
    fan = fan_in if mode == "fan_in" else fan_out
    return _with_variance(tensor, calculate_gain(nonlinearity, a) ** 2 / max(fan, 1), **how)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Glorot's initialisation, for tanh and sigmoid: uniform on ±gain √(6 / (fan_in + fan_out)).

    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010), eq. 16.
    """
    return _xavier("xavier_uniform_", tensor, gain, uniform=True, generator=generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Glorot's initialisation, for tanh and sigmoid: normal with variance gain² 2 / (fan_in + fan_out).

    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010), eq. 12.
    """
    return _xavier("xavier_normal_", tensor, gain, uniform=False, generator=generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """He's initialisation, for ReLU and its kin: uniform on ±gain √(3 / fan).

    Parameters
    ----------
    tensor : the weight, of shape (out, in, ...)
    a : the negative slope of the leaky ReLU that follows; 0 for a ReLU
    mode : "fan_in" keeps the variance of the values, "fan_out" that of the gradients
    nonlinearity : see :func:`calculate_gain`
    generator : where the numbers come from

    He et al., "Delving deep into rectifiers" (2015), eq. 10.
    """
    return _kaiming("kaiming_uniform_", tensor, a, mode, nonlinearity, uniform=True, generator=generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """He's initialisation, for ReLU and its kin: normal with variance gain² / fan.

    Parameters as for :func:`kaiming_uniform_`.  He et al., "Delving deep into rectifiers" (2015), eq. 10.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> weight = nn.init.kaiming_normal_(ag.empty(100, 200), generator=ag.Generator(0))
    >>> print(f"{weight.std().item():.2f}")  # the root of 2/200
    0.10
    """
    return _kaiming("kaiming_normal_", tensor, a, mode, nonlinearity, uniform=False, generator=generator)


def lecun_uniform_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """LeCun's initialisation, for SELU and linear units: uniform on ±√(3 / fan_in).

    LeCun et al., "Efficient BackProp" (1998), eq. 16.
    """
    return _with_variance(tensor, 1 / max(_fans("lecun_uniform_", tensor)[0], 1), True, generator)


def lecun_normal_(tensor: Tensor, generator: Generator | None = None) -> Tensor:
    """LeCun's initialisation, for SELU and linear units: normal with variance 1 / fan_in.

    LeCun et al., "Efficient BackProp" (1998), eq. 16.
    """
    return _with_variance(tensor, 1 / max(_fans("lecun_normal_", tensor)[0], 1), False, generator)


# By the activation that follows


_RECTIFIERS = (ReLU, ReLU6, Threshold, ELU, CELU, GELU, SiLU, Swish, Mish, Hardswish, Softplus, LogSigmoid)
"""A straight line on one side and about 0 on the other."""


def for_activation_(layer: M, activation: Any = None, generator: Generator | None = None) -> M:
    """Fill a layer's weight as suits the activation that follows it, and its bias with 0.

    He's initialisation before ReLU and its kin, with their slope on the negative side; LeCun's before SELU, which makes
    mean 0 and variance 1 a fixed point, and before Maxout; Glorot's before tanh, sigmoid, softmax, any other, and none.
    All are normal.

    He et al., "Delving deep into rectifiers" (2015), eq. 10 and 15; Klambauer et al., "Self-normalizing neural
    networks" (2017), section 3; Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural
    networks" (2010), eq. 12.

    Parameters
    ----------
    layer : Module with a `weight` of shape (out, in, ...), such as Linear or a convolution
        Of a transposed convolution the two count the other way round, here as in all initialisers, and in PyTorch's.
    activation : Module, name, or function, optional
        As for :class:`nn.MLP`.
    generator : where the numbers come from

    Returns
    -------
    The layer.

    Raises
    ------
    TypeError
        If the layer has no weight of at least 2 dimensions.

    >>> from autograd_core import nn
    >>> layer = nn.init.for_activation_(nn.Linear(100, 200), "relu")
    >>> print(f"{layer.weight.std().item():.2f}")  # the root of 2/100
    0.14
    """
    from .activation_module import activation_module  # which needs layers, and layers need this file

    weight, bias = getattr(layer, "weight", None), getattr(layer, "bias", None)
    if not isinstance(weight, Parameter) or weight.ndim < 2:
        given = f"{type(layer).__name__} without one" if weight is None else f"one of shape {np.shape(weight)}"
        raise TypeError(f"for_activation_: expected a layer with a weight of at least 2 dimensions, got {given}")
    after = None if activation is None else activation_module(activation)
    if isinstance(after, LeakyReLU):
        kaiming_normal_(weight, a=after.negative_slope, generator=generator)
    elif isinstance(after, RReLU):
        kaiming_normal_(weight, a=(after.lower + after.upper) / 2, generator=generator)
    elif isinstance(after, PReLU):
        kaiming_normal_(weight, a=after.init, generator=generator)
    elif isinstance(after, _RECTIFIERS):
        kaiming_normal_(weight, generator=generator)
    elif isinstance(after, (SELU, Maxout)):
        lecun_normal_(weight, generator=generator)
    else:
        xavier_normal_(weight, generator=generator)
    if isinstance(bias, Parameter):
        zeros_(bias)
    return layer
