"""Trigonometric functions, elementwise, of radians."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import primitive, quiet

__all__ = [
    "cos",
    "sin",
]


@primitive(numpy=np.sin, elementwise=True)
@quiet
def sin(input: Any) -> Any:
    """The sine, of radians.

    >>> import autograd_core as ag
    >>> ag.sin(ag.tensor([0.0, 0.5235988]))
    tensor([0. , 0.5])
    """
    return np.sin(input)


sin.defvjp(lambda g, input: g * np.cos(input))


@primitive(numpy=np.cos, elementwise=True)
@quiet
def cos(input: Any) -> Any:
    """The cosine, of radians.

    >>> import autograd_core as ag
    >>> ag.cos(ag.tensor([0.0, 1.0471976]))
    tensor([1. , 0.5])
    """
    return np.cos(input)


cos.defvjp(lambda g, input: -g * np.sin(input))
