"""The rows of the contract tables: what a test needs to know about a layer to hold it to what all layers promise."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograd_core import nn


@dataclass
class Layer:
    """A layer and how to call it.

    An input is a shape, for normal floats that require a gradient; or a function of a generator of NumPy's, for
    anything else: an array, None, or a tuple of arrays.
    """

    make: Callable[[], nn.Module]
    inputs: tuple[Any, ...]
    empty: tuple[Any, ...] | None = None
    """Inputs with a batch of none; None where there is no such thing."""
    wrong: list[tuple[tuple[Any, ...], str]] = field(default_factory=list)
    """Inputs that must be refused with a ValueError, TypeError or IndexError, and a pattern that its message has."""
    options: dict[str, Any] = field(default_factory=dict)
    """Keyword arguments of the call."""
    smooth: bool = True
    """False if there is no gradient to check, for a layer that gives integers or zeros and ones."""


def classes(*shape, count):
    """Integers from 0 to count - 1."""
    return lambda rng: rng.integers(0, count, shape)


def probabilities(*shape):
    """Floats between 0.05 and 0.95."""
    return lambda rng: rng.uniform(0.05, 0.95, shape)


def signs(*shape):
    """Floats that are -1 or 1."""
    return lambda rng: rng.choice([-1.0, 1.0], shape)
