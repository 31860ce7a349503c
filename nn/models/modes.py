"""Evaluation for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..module import Module


@contextlib.contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Context in which a model is in evaluation mode; each of its modules gets back its own mode after it."""
    before = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, training in before:
            module.training = training
