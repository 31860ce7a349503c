"""Lists and dicts of parameters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from autograd_core import Tensor

from .container import Indexed, Items, Named
from .parameter import Parameter

__all__ = ["ParameterDict", "ParameterList"]


class _Parameters(Items):
    """What holds parameters; tensors and arrays become some."""

    kind: ClassVar[type[Any]] = Parameter

    def _checked(self, item: Any) -> Any:
        if isinstance(item, Parameter):
            return item
        if not isinstance(item, (Tensor, np.ndarray)):
            raise TypeError(f"{type(self).__name__}: expected parameters, tensors or arrays, got {item!r:.60}")
        return Parameter(item)

    def extra_repr(self) -> str:
        return "\n".join(
            f"({name}): Parameter containing: [{p.dtype} of size {'x'.join(map(str, p.shape))}]"
            for name, p in self._items().items()
        )


class ParameterList(_Parameters, Indexed):
    """A list of parameters, which are found; what is done with them, its owner says.

    Parameters
    ----------
    values : iterable of parameters, tensors or arrays, optional
        What is no parameter becomes one, as a copy.

    Raises
    ------
    TypeError
        If something is none of these.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> weights = nn.ParameterList([ag.ones(2, 3), ag.ones(3)])
    >>> weights
    ParameterList(
      (0): Parameter containing: [float32 of size 2x3]
      (1): Parameter containing: [float32 of size 3]
    )
    >>> [tuple(w.shape) for w in weights[1:]], list(weights.state_dict())
    ([(3,)], ['0', '1'])
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__(values)

    def _sliced(self, index: slice) -> ParameterList:
        return ParameterList(list(self)[index])


class ParameterDict(_Parameters, Named):
    """A dict of parameters, which are found; what is done with them, its owner says.

    It has all that a dict has, and ``|``.

    Parameters
    ----------
    parameters : mapping, or iterable of pairs, of names and parameters, tensors or arrays, optional
        What is no parameter becomes one, as a copy.  As in PyTorch, those of a plain dict are taken in the order of
        their names.

    Raises
    ------
    ValueError
        If a name is not one, has a dot, or is that of a method.
    TypeError
        If something is none of these.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> scales = nn.ParameterDict({"left": ag.ones(2), "right": ag.ones(3)})
    >>> scales["right"].shape, list(scales.state_dict())
    ((3,), ['left', 'right'])
    """

    def __init__(self, parameters: Any = ()) -> None:
        super().__init__()
        self.update(parameters)

    def update(self, parameters: Any = (), /, **named: Any) -> None:
        """Set several; see the class for the order."""
        if isinstance(parameters, Mapping) and not isinstance(parameters, (OrderedDict, ParameterDict)):
            parameters = sorted(parameters.items())
        super().update(parameters, **named)

    def copy(self) -> ParameterDict:
        """Another dict of the same parameters."""
        return ParameterDict(self)

    def __or__(self, other: Any) -> ParameterDict:
        both = self.copy()
        both.update(other)
        return both

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self
