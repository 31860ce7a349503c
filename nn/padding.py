"""Layers that pad the last dimensions."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, ClassVar

from . import functional as F
from .module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    """Padding of the last `n` dimensions in one of the modes of :func:`functional.pad`."""

    n: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        given = tuple(padding) if isinstance(padding, Sequence) else (padding,) * (2 * self.n)
        if len(given) != 2 * self.n:
            raise ValueError(
                f"{type(self).__name__}: expected padding to be 1 or {2 * self.n} integers, before and after each "
                f"dimension beginning with the last, got {padding!r}"
            )
        self.padding = tuple(map(operator.index, given))

    def forward(self, input: Any) -> Any:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"padding={self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"padding={self.padding}"


class _ReflectionPad(_Pad):
    mode = "reflect"


class _ReplicationPad(_Pad):
    mode = "replicate"


class _CircularPad(_Pad):
    mode = "circular"


class ConstantPad1d(_ConstantPad):
    """A signal with `value` around it; see :class:`ConstantPad2d`.

    Input (N, C, length) or (C, length), output the same with the length ``n + before + after``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ConstantPad1d((1, 2), 9.0)(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[9., 1., 2., 3., 9., 9.]])
    """

    n = 1


class ConstantPad2d(_ConstantPad):
    """An image with `value` around it; see :func:`functional.pad`.

    Parameters
    ----------
    padding : int, or (left, right, top, bottom)
        Negative numbers take away.
    value : float
        What is added.

    Shape: input (N, C, height, width) or (C, height, width); output the same with sizes ``n + before + after``.

    Raises
    ------
    ValueError
        If `padding` is not 1 or 4 integers.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ConstantPad2d((0, 1, 1, 0), 9.0)(ag.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[9., 9., 9.],
             [1., 2., 9.],
             [3., 4., 9.]]])
    """

    n = 2


class ConstantPad3d(_ConstantPad):
    """A volume with `value` around it; see :class:`ConstantPad2d`.

    `padding` is an int or (left, right, top, bottom, front, back).  Input (N, C, depth, height, width) or without N,
    output the same with sizes ``n + before + after``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ConstantPad3d(1, 0.5)(ag.ones(1, 2, 3, 4)).shape
    (1, 4, 5, 6)
    """

    n = 3


class ZeroPad1d(_ZeroPad):
    """A signal with zeros around it; see :class:`ZeroPad2d`.

    Input (N, C, length) or (C, length), output the same with the length ``n + before + after``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ZeroPad1d((1, 2))(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[0., 1., 2., 3., 0., 0.]])
    """

    n = 1


class ZeroPad2d(_ZeroPad):
    """An image with zeros around it; see :func:`functional.pad`.

    Parameters
    ----------
    padding : int, or (left, right, top, bottom)
        Negative numbers take away.

    Shape: input (N, C, height, width) or (C, height, width); output the same with sizes ``n + before + after``.

    Raises
    ------
    ValueError
        If `padding` is not 1 or 4 integers.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ZeroPad2d((0, 1, 1, 0))(ag.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[0., 0., 0.],
             [1., 2., 0.],
             [3., 4., 0.]]])
    """

    n = 2


class ZeroPad3d(_ZeroPad):
    """A volume with zeros around it; see :class:`ZeroPad2d`.

    `padding` is an int or (left, right, top, bottom, front, back).  Input (N, C, depth, height, width) or without N,
    output the same with sizes ``n + before + after``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ZeroPad3d(1)(ag.ones(1, 2, 3, 4)).shape
    (1, 4, 5, 6)
    """

    n = 3


class ReflectionPad1d(_ReflectionPad):
    """A signal mirrored at its edges, which are not repeated; see :class:`ReflectionPad2d`.

    Input (N, C, length) or (C, length), output the same with the length ``n + before + after``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ReflectionPad1d((1, 2))(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 1., 2., 3., 2., 1.]])
    """

    n = 1


class ReflectionPad2d(_ReflectionPad):
    """An image mirrored at its edges, which are not repeated; see :func:`functional.pad`.

    Parameters
    ----------
    padding : int, or (left, right, top, bottom)
        Negative numbers take away. A side gets less than the size of the input.

    Shape: input (N, C, height, width) or (C, height, width); output the same with sizes ``n + before + after``.

    Raises
    ------
    ValueError
        If `padding` is not 1 or 4 integers, or more than there is.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ReflectionPad2d((0, 1, 1, 0))(ag.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[3., 4., 3.],
             [1., 2., 1.],
             [3., 4., 3.]]])
    """

    n = 2


class ReflectionPad3d(_ReflectionPad):
    """A volume mirrored at its edges, which are not repeated; see :class:`ReflectionPad2d`.

    `padding` is an int or (left, right, top, bottom, front, back).  Input (N, C, depth, height, width) or without N,
    output the same with sizes ``n + before + after``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ReflectionPad3d(1)(ag.ones(1, 2, 3, 4)).shape
    (1, 4, 5, 6)
    """

    n = 3


class ReplicationPad1d(_ReplicationPad):
    """A signal with its edges repeated; see :class:`ReplicationPad2d`.

    Input (N, C, length) or (C, length), output the same with the length ``n + before + after``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ReplicationPad1d((1, 2))(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 2., 3., 3., 3.]])
    """

    n = 1


class ReplicationPad2d(_ReplicationPad):
    """An image with its edges repeated; see :func:`functional.pad`.

    Parameters
    ----------
    padding : int, or (left, right, top, bottom)
        Negative numbers take away.

    Shape: input (N, C, height, width) or (C, height, width); output the same with sizes ``n + before + after``.

    Raises
    ------
    ValueError
        If `padding` is not 1 or 4 integers.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ReplicationPad2d((0, 1, 1, 0))(ag.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[1., 2., 2.],
             [1., 2., 2.],
             [3., 4., 4.]]])
    """

    n = 2


class ReplicationPad3d(_ReplicationPad):
    """A volume with its edges repeated; see :class:`ReplicationPad2d`.

    `padding` is an int or (left, right, top, bottom, front, back).  Input (N, C, depth, height, width) or without N,
    output the same with sizes ``n + before + after``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.ReplicationPad3d(1)(ag.ones(1, 2, 3, 4)).shape
    (1, 4, 5, 6)
    """

    n = 3


class CircularPad1d(_CircularPad):
    """A signal going on at the other end; see :class:`CircularPad2d`.

    Input (N, C, length) or (C, length), output the same with the length ``n + before + after``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.CircularPad1d((1, 2))(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3., 1., 2.]])
    """

    n = 1


class CircularPad2d(_CircularPad):
    """An image going on at the other end; see :func:`functional.pad`.

    Parameters
    ----------
    padding : int, or (left, right, top, bottom)
        Negative numbers take away. A side gets at most the size of the input.

    Shape: input (N, C, height, width) or (C, height, width); output the same with sizes ``n + before + after``.

    Raises
    ------
    ValueError
        If `padding` is not 1 or 4 integers, or more than there is.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.CircularPad2d((0, 1, 1, 0))(ag.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[3., 4., 3.],
             [1., 2., 1.],
             [3., 4., 3.]]])
    """

    n = 2


class CircularPad3d(_CircularPad):
    """A volume going on at the other end; see :class:`CircularPad2d`.

    `padding` is an int or (left, right, top, bottom, front, back).  Input (N, C, depth, height, width) or without N,
    output the same with sizes ``n + before + after``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> nn.CircularPad3d(1)(ag.ones(1, 2, 3, 4)).shape
    (1, 4, 5, 6)
    """

    n = 3
