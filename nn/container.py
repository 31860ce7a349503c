"""Modules made of modules."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, ClassVar, Self

from .module import Module

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


class Items(Module):
    """A module that gives access to what it holds: its submodules, or its parameters."""

    kind: ClassVar[type[Any]] = Module

    def _checked(self, item: Any) -> Any:
        """An item as it will be held."""
        if not isinstance(item, Module):
            hint = f"; write {item.__name__}()" if isinstance(item, type) and issubclass(item, Module) else ""
            raise TypeError(f"{type(self).__name__}: expected modules, got {item!r:.60}{hint}")
        return item

    def _items(self) -> dict[str, Any]:
        return self._own(self.kind)

    def __len__(self) -> int:
        return len(self._items())


class Indexed(Items):
    """Items in an order, named by their position."""

    def __init__(self, items: Iterable[Any]) -> None:
        super().__init__()
        self.extend(items)

    def _name(self, index: Any) -> str:
        position = operator.index(index)
        names = list(self._items())
        if not -len(names) <= position < len(names):
            raise self._outside(position)
        return names[position]

    def _outside(self, index: int) -> IndexError:
        held = f"{len(self)} {self.kind.__name__.lower()}s"
        return IndexError(f"{type(self).__name__}: index {index} is out of range for {held}")

    def _become(self, items: Iterable[Any]) -> None:
        """Hold these instead, named anew."""
        items = list(items)
        for name in self._items():
            delattr(self, name)
        for position, item in enumerate(items):
            setattr(self, str(position), item)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items().values())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._sliced(index)
        return getattr(self, self._name(index))

    def _sliced(self, index: slice) -> Any:
        raise NotImplementedError

    def __setitem__(self, index: Any, item: Any) -> None:
        setattr(self, self._name(index), self._checked(item))

    def __delitem__(self, index: Any) -> None:
        rest = list(self)
        del rest[index]
        self._become(rest)

    def append(self, item: Any) -> Self:
        """Add one at the end."""
        setattr(self, str(len(self)), self._checked(item))
        return self

    def extend(self, items: Iterable[Any]) -> Self:
        """Add several at the end."""
        for item in list(items):
            self.append(item)
        return self

    __iadd__ = extend

    def insert(self, index: int, item: Any) -> Self:
        """Add one before position `index`; those from there on are named anew.

        Raises
        ------
        IndexError
            If there is no such position.
        """
        position, items = operator.index(index), list(self)
        if not -len(items) <= position <= len(items):
            raise self._outside(position)
        items.insert(position, self._checked(item))
        self._become(items)
        return self

    def pop(self, index: Any = -1) -> Any:
        """Take one out, and return it; those after it are named anew."""
        item = self[index]
        del self[index]
        return item


class Sequential(Indexed):
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
    >>> len(net.append(nn.Linear(3, 1))), net[:1]
    (3, Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
    ))
    >>> nn.Sequential({"hidden": nn.Linear(2, 3)}).hidden
    Linear(in_features=2, out_features=3, bias=True)
    """

    def __init__(self, *modules: Any) -> None:
        named = len(modules) == 1 and isinstance(modules[0], Mapping)
        super().__init__(() if named else modules)
        for name, module in modules[0].items() if named else ():
            self.add_module(str(name), self._checked(module))

    def _sliced(self, index: slice) -> Sequential:
        return Sequential(dict(list(self._items().items())[index]))

    def __add__(self, other: Iterable[Module]) -> Sequential:
        return Sequential(*self, *other)

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class ModuleList(Indexed):
    """A list of modules, whose parameters are found; what is done with them, its owner says.

    Parameters
    ----------
    modules : iterable of Module, optional

    Examples
    --------
    >>> from autograd_core import nn
    >>> layers = nn.ModuleList(nn.Linear(n, n) for n in (1, 2))
    >>> layers.insert(0, nn.ReLU())
    ModuleList(
      (0): ReLU()
      (1): Linear(in_features=1, out_features=1, bias=True)
      (2): Linear(in_features=2, out_features=2, bias=True)
    )
    >>> [layer.in_features for layer in layers[1:]]
    [1, 2]
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__(modules)

    def _sliced(self, index: slice) -> ModuleList:
        return ModuleList(list(self)[index])

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])


class Named(Items, MutableMapping[str, Any]):
    """Items by name: a dict, and a module."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__  # modules are told apart by identity, dicts by what they hold

    def _known(self, name: str) -> str:
        if name not in self:
            raise KeyError(f"{type(self).__name__}: there is no {name!r}; there are {', '.join(self) or 'none'}")
        return name

    def __getitem__(self, name: str) -> Any:
        return getattr(self, self._known(name))

    def __setitem__(self, name: str, item: Any) -> None:
        self._check_name(name)
        if hasattr(type(self), name):
            raise ValueError(f"{type(self).__name__}: {name!r} already means something in it; choose another name")
        setattr(self, name, self._checked(item))

    def __delitem__(self, name: str) -> None:
        delattr(self, self._known(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._items())

    def __contains__(self, name: object) -> bool:
        return name in self._items()


class ModuleDict(Named):
    """A dict of modules, whose parameters are found; what is done with them, its owner says.

    It has all that a dict has.

    Parameters
    ----------
    modules : mapping, or iterable of pairs, of names and modules, optional

    Raises
    ------
    ValueError
        If a name is not one, has a dot, or is that of a method.
    TypeError
        If something is no module.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> choices = nn.ModuleDict({"up": nn.Linear(1, 2), "on": nn.ReLU()})
    >>> choices["on"](ag.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    >>> list(choices), list(choices.state_dict())
    (['up', 'on'], ['up.weight', 'up.bias'])
    """

    def __init__(self, modules: Any = ()) -> None:
        super().__init__()
        self.update(modules)
