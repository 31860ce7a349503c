"""Modules made of modules."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from .module import Module

__all__ = ["ModuleList", "Sequential"]

I = TypeVar("I", bound="_Indexed")  # noqa: E741


class _Indexed(Module):
    """A module that can be indexed by the position of its submodules."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[Module]) -> None:
        super().__init__()
        named = modules.items() if isinstance(modules, Mapping) else enumerate(modules)
        for name, module in named:
            self.add_module(str(name), self._checked(module))

    def _checked(self, module: Any) -> Module:
        if not isinstance(module, Module):
            hint = f"; write {module.__name__}()" if isinstance(module, type) and issubclass(module, Module) else ""
            raise TypeError(f"{type(self).__name__}: expected modules, got {module!r:.60}{hint}")
        return module

    def _name(self, index: Any) -> str:
        position = operator.index(index)
        names = list(self._own(Module))
        if not -len(names) <= position < len(names):
            raise IndexError(f"{type(self).__name__}: index {position} is out of range for {len(names)} modules")
        return names[position]

    def __len__(self) -> int:
        return len(self._own(Module))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._own(Module).values())

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name(index), self._checked(module))

    def append(self: I, module: Module) -> I:
        """Add a module at the end."""
        self.add_module(str(len(self)), self._checked(module))
        return self

    def extend(self: I, modules: Iterable[Module]) -> I:
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self


class Sequential(_Indexed):
    """Modules one after the other: each gets the output of the one before.

    Parameters
    ----------
    *modules : Module
        They are named by their position; or one dict of modules by name.

    Examples
    --------
    >>> from autograd_core import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> net
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    >>> net[-1]
    ReLU()
    >>> nn.Sequential({"hidden": nn.Linear(2, 3)}).hidden
    Linear(in_features=2, out_features=3, bias=True)
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__(modules[0] if len(modules) == 1 and isinstance(modules[0], Mapping) else modules)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Sequential(dict(list(self._own(Module).items())[index]))
        return getattr(self, self._name(index))

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class ModuleList(_Indexed):
    """A list of modules, whose parameters are found; what is done with them, its owner says.

    Parameters
    ----------
    modules : iterable of Module, optional

    Examples
    --------
    >>> from autograd_core import nn
    >>> layers = nn.ModuleList(nn.Linear(n, n) for n in (1, 2))
    >>> [layer.in_features for layer in layers]
    [1, 2]
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__(list(modules))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return ModuleList(list(self)[index])
        return getattr(self, self._name(index))
