"""Initial values for parameters.

Every function overwrites its tensor in place, is not recorded, and returns the tensor.  Random ones draw from
`generator`, or else from the thread's own (see ``manual_seed``).

For a weight of shape (out, in, *kernel) with k kernel elements, ``fan_in = in k`` and ``fan_out = out k``.
"""

from __future__ import annotations

import math
from typing import Any

from autograd_core import Generator, Tensor, float64, no_grad, rand, randn

__all__ = [
    "calculate_gain",
    "constant_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "normal_",
    "ones_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value.

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.init.constant_(ag.zeros(2), 3.0)
    tensor([3., 3.])
    """
    with no_grad():
        tensor.copy_(val)
    return tensor


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the uniform distribution on [a, b).

    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> values = nn.init.uniform_(ag.zeros(100), -2, -1)
    >>> bool((values >= -2).all()), bool((values <= -1).all())
    (True, True)
    """
    with no_grad():
        tensor.copy_(a + (b - a) * rand(tensor.shape, dtype=float64, generator=generator))
    return tensor


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the normal distribution with this mean and standard deviation."""
    with no_grad():
        tensor.copy_(mean + std * randn(tensor.shape, dtype=float64, generator=generator))
    return tensor


_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor on the standard deviation that keeps the signal's size through a nonlinearity; PyTorch's values.

    Parameters
    ----------
    nonlinearity : "linear", "sigmoid", "tanh" (5/3), "relu" (√2), "leaky_relu" (√(2/(1+param²))) or "selu" (3/4)
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
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{operation}: expected mode 'fan_in' or 'fan_out', got {mode!r}")
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
