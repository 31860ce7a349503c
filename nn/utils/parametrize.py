"""Parameters that are computed from others: what is trained is the original, what the module uses is a function of it.

A parametrised module has a class of its own, which differs from its former one by a property for each parametrised
tensor.  Reading the property computes the tensor; assigning to it changes the originals.  The functions and the
originals are kept in modules, under PyTorch's names::

    layer.weight                             computed: parametrizations.weight[0](original)
    layer.parametrizations.weight.original   a parameter; original0, original1, ... where the function takes several
    layer.parametrizations.weight[0]         the function, a module that may have state
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from autograd_core import Tensor, no_grad

from ..container import ModuleList
from ..module import Module
from ..parameter import Parameter

__all__ = ["ParametrizationList", "is_parametrized", "register_parametrization", "remove_parametrizations"]

M = TypeVar("M", bound=Module)


class ParametrizationList(ModuleList):
    """The functions that a tensor of a module goes through, one after the other, and the originals they start from.

    Made by :func:`register_parametrization`.

    Attributes
    ----------
    original, or original0, original1, ... : parameters, or buffers where the tensor was one
    """

    def __init__(self, parametrization: Module, tensor: Tensor, persistent: bool | None) -> None:
        super().__init__([parametrization])
        self.persistent = persistent  # None for a parameter
        values = _inverse(parametrization, tensor.detach())
        self.is_tensor = isinstance(values, Tensor)
        if isinstance(values, Tensor):
            if values.dtype != tensor.dtype:
                raise ValueError(
                    f"register_parametrization: {type(parametrization).__name__}.right_inverse must keep the dtype "
                    f"{tensor.dtype}, got {values.dtype}"
                )
            tensor.data = values  # the same parameter, so that an optimizer that has it still does
            originals = {"original": tensor}
        else:
            needs = tensor.requires_grad
            originals = {
                f"original{i}": Parameter(value, needs) if persistent is None else value
                for i, value in enumerate(values)
            }
        self.names = tuple(originals)
        for name, original in originals.items():
            _keep(self, name, original, persistent)

    def originals(self) -> list[Tensor]:
        """What the first function is called with."""
        return [getattr(self, name) for name in self.names]

    def forward(self) -> Any:
        first, *others = self
        value = first(*self.originals())
        for parametrization in others:
            value = parametrization(value)
        return value

    def right_inverse(self, value: Any) -> None:
        """Change the originals so that the result is `value`, or what the functions make of it.

        Raises
        ------
        TypeError
            If a parametrisation has no ``right_inverse``.
        """
        with no_grad():
            for parametrization in reversed(list(self)):
                if not hasattr(parametrization, "right_inverse"):
                    raise TypeError(
                        f"a tensor parametrised by {type(parametrization).__name__} cannot be assigned to: define "
                        f"right_inverse(value), or write into the original"
                    )
                value = parametrization.right_inverse(value)
            values = [value] if self.is_tensor else value
            for original, new in zip(self.originals(), values, strict=True):
                original.copy_(new)


def _keep(module: Module, name: str, tensor: Any, persistent: bool | None) -> None:
    """Register a parameter, or a buffer, which is persistent or not."""
    if persistent is None:
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor, persistent)


def _inverse(parametrization: Module, tensor: Tensor) -> Tensor | list[Tensor]:
    """The originals to begin with; without a ``right_inverse`` the tensor itself."""
    if not hasattr(parametrization, "right_inverse"):
        return tensor
    try:
        with no_grad():
            values = parametrization.right_inverse(tensor)
    except NotImplementedError:
        return tensor
    if isinstance(values, Tensor):
        return values
    if not isinstance(values, Sequence) or not all(isinstance(value, Tensor) for value in values):
        raise TypeError(
            f"register_parametrization: {type(parametrization).__name__}.right_inverse must return a tensor, or a "
            f"sequence of tensors, got {type(values).__name__}"
        )
    return [value.detach() for value in values]


class Parametrizations(Module):
    """The :class:`ParametrizationList` of each parametrised tensor of a module, as attributes and items."""

    def __getitem__(self, tensor_name: str) -> ParametrizationList:
        found: ParametrizationList = getattr(self, tensor_name)
        return found


class Parametrized:
    """What the classes of parametrised modules have in common.

    They are made anew where a module is copied or unpickled, as no name leads to them.
    """

    plain: type[Module]

    def __reduce_ex__(self, protocol: Any) -> Any:
        names = list(self.parametrizations._own(Module))  # type: ignore[attr-defined]
        return _blank, (self.plain, names), vars(self)


def _blank(plain: type[Module], names: list[str]) -> Any:
    made: Any = _parametrized(plain, names)
    return made.__new__(made)


def _parametrized(plain: type[Module], names: Iterable[str]) -> type[Module]:
    """The class of modules that are parametrised so."""
    properties = {name: _property(name) for name in names}
    return type(f"Parametrized{plain.__name__}", (Parametrized, plain), {"plain": plain, **properties})


def _property(name: str) -> property:
    return property(
        lambda self: self.parametrizations[name](),
        lambda self, value: self.parametrizations[name].right_inverse(value),
        doc="Computed; see autograd_core.nn.utils.parametrize.",
    )


def _follow(module: Module) -> None:
    """Give a module the class that its parametrisations ask for."""
    names = module.parametrizations._own(Module)
    plain = module.plain if isinstance(module, Parametrized) else type(module)
    module.__class__ = _parametrized(plain, names) if names else plain


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether this tensor of a module, or any, has a parametrisation.

    >>> from autograd_core import nn
    >>> from autograd_core.nn.utils import parametrizations, parametrize
    >>> layer = parametrizations.weight_norm(nn.Linear(2, 3))
    >>> parametrize.is_parametrized(layer, "weight"), parametrize.is_parametrized(layer, "bias")
    (True, False)
    """
    if not isinstance(module, Parametrized):
        return False
    return tensor_name is None or tensor_name in vars(module)["parametrizations"]._own(Module)


def register_parametrization(module: M, tensor_name: str, parametrization: Module) -> M:
    """Let a parameter or buffer be a function of what it was, wherever the module uses it.

    Gradients go through the function to the original, which is what ``parameters()`` has and an optimizer trains.  On a
    tensor that has parametrisations already, another function is put after them.

    Parameters
    ----------
    module : Module
        Changed in place.
    tensor_name : str
        The parameter's or buffer's name.
    parametrization : Module
        Its ``forward`` gets the original and gives a tensor of the same shape and dtype.  If it has a method
        ``right_inverse``, that gets the tensor and gives the original, or a sequence of several, which ``forward`` then
        gets; it also makes the tensor assignable.

    Returns
    -------
    The module.

    Raises
    ------
    ValueError
        If there is no such tensor, or the parametrisation changes the shape or dtype.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> from autograd_core.nn.utils import parametrize
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return ag.triu(x) + ag.triu(x, 1).T
    >>> layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> ag.equal(layer.weight, layer.weight.T)
    True
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'parametrizations.weight.original']
    """
    if not isinstance(parametrization, Module):
        raise TypeError(f"register_parametrization: expected a Module, got {type(parametrization).__name__}")
    parametrization.train(module.training)
    where = f"register_parametrization: {type(parametrization).__name__}"
    if is_parametrized(module, tensor_name):
        now = getattr(module, tensor_name)
        _check(where, parametrization(now), now)
        module.parametrizations[tensor_name].append(parametrization)
        return module
    tensor = vars(module).get(tensor_name)
    if tensor is None or not (isinstance(tensor, Parameter) or tensor_name in module._buffers):
        raise ValueError(
            f"register_parametrization: {type(module).__name__} has no parameter or buffer named {tensor_name!r}"
        )
    before = tensor.data
    added = ParametrizationList(parametrization, tensor, module._buffers.get(tensor_name))
    try:
        _check(where, added(), before)
    except Exception:
        tensor.data = before
        raise
    delattr(module, tensor_name)
    if not isinstance(module, Parametrized):
        module.parametrizations = Parametrizations()
    module.parametrizations.add_module(tensor_name, added)
    _follow(module)
    return module


def _check(where: str, value: Any, like: Tensor) -> None:
    """Whether a parametrisation gives what it should."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{where} must return a tensor, got {type(value).__name__}")
    if (value.shape, value.dtype) != (like.shape, like.dtype):
        raise ValueError(
            f"{where} must keep shape and dtype, {like.dtype}{list(like.shape)}; got {value.dtype}{list(value.shape)}"
        )


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Make a parametrised tensor a plain parameter (or buffer) again.

    Parameters
    ----------
    module : Module
        Changed in place.
    tensor_name : str
        The parametrised tensor.
    leave_parametrized : bool
        Whether it keeps its present value, or gets that of the original.

    Returns
    -------
    The module.

    Raises
    ------
    ValueError
        If the tensor is not parametrised, or has several originals and is to get their value.

    Examples
    --------
    >>> from autograd_core import nn
    >>> from autograd_core.nn.utils import parametrizations, parametrize
    >>> layer = parametrizations.weight_norm(nn.Linear(2, 3))
    >>> list(parametrize.remove_parametrizations(layer, "weight").state_dict())
    ['bias', 'weight']
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: {type(module).__name__}.{tensor_name} is not parametrised")
    found: ParametrizationList = module.parametrizations[tensor_name]
    originals = found.originals()
    if not (leave_parametrized or found.is_tensor):
        raise ValueError(
            f"remove_parametrizations: {tensor_name} is computed from {len(originals)} tensors, none of which is what "
            f"it was; use leave_parametrized=True"
        )
    tensor = originals[0]
    if leave_parametrized:
        with no_grad():
            value = getattr(module, tensor_name).clone()
        if found.is_tensor:
            tensor.data = value
        else:
            needs = any(original.requires_grad for original in originals)
            tensor = value if found.persistent is not None else Parameter(value, needs)
    delattr(module.parametrizations, tensor_name)
    _follow(module)
    if not isinstance(module, Parametrized):
        del module.parametrizations
    _keep(module, tensor_name, tensor, found.persistent)
    return module
