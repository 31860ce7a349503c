"""Classes as vectors."""

from __future__ import annotations

from typing import Any

from autograd_core import Tensor, arange, as_tensor, unsqueeze

from .. import checks

__all__ = ["one_hot"]


def one_hot(target: Any, num_classes: int = -1) -> Tensor:
    """Rows of zeros with a 1 at the class.

    Parameters
    ----------
    target : integers of any shape
    num_classes : as many as the largest class needs, if -1

    Returns
    -------
    Tensor of int64, shape (*target.shape, num_classes)

    Raises
    ------
    IndexError
        If a class is not in 0 .. num_classes - 1.

    Examples
    --------
    >>> from autograd_core import nn
    >>> nn.functional.one_hot([0, 2])
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    target = as_tensor(target)
    if num_classes == -1:
        if target.numel() == 0:
            raise ValueError("one_hot: without any target the number of classes is unknown; give num_classes")
        num_classes = int(target.array.max()) + 1
    checks.integers("one_hot", target)
    checks.classes_in_range("one_hot", target, num_classes)
    result: Tensor = (unsqueeze(target, -1) == arange(num_classes)).long()
    return result
