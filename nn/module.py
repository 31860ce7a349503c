"""The module: a function with parameters, and the tree that modules form.

A module keeps its parameters, buffers and submodules as what they look like: plain attributes.  Python keeps those in
the order they were set, so everything a module can say about itself is read off its attributes, and only which names
are buffers has to be noted.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from autograd_core import Tensor, as_tensor, float32, float64, modes, no_grad, zeros_like
from autograd_core.record import inside
from autograd_core.tensor import RemovableHandle

from .hooks import BACKWARD, FORWARD, FORWARD_PRE, call_with_hooks
from .parameter import Parameter

__all__ = ["Module"]

M = TypeVar("M", bound="Module")


class IncompatibleKeys(NamedTuple):
    """What :meth:`Module.load_state_dict` did not find, and did not need."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """Base of everything that computes with parameters: layers, networks, losses.

    A subclass calls ``super().__init__()``, sets its parameters and submodules as attributes, and defines ``forward``.

    Attributes
    ----------
    training : bool
        Whether the module is in training mode, for those that act differently in evaluation; see :meth:`train`.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self, factor):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(factor)
    ...
    ...     def forward(self, input):
    ...         return self.factor * input
    >>> Scale(3.0)(ag.tensor([1.0, 2.0]))
    tensor([3., 6.], grad_fn=<mul>)
    >>> [name for name, _ in Scale(3.0).named_parameters()]
    ['factor']
    """

    training: bool
    _buffers: dict[str, bool]  # the attributes that are buffers, and whether the state_dict has them
    _hooks: dict[str, list[Any]]  # what to call around the forward and the backward

    def __init__(self) -> None:
        self.training = True
        self._buffers = {}
        self._hooks = {}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass defines it, and it is run by calling the module."""
        raise NotImplementedError(f"{type(self).__name__}: define forward() to say what the module computes")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if modes.recorders and modes.recorder() is not None:
            modes.recorder().calls(self)
        if modes.current().listener is not None:
            with inside(self):
                return self._call(args, kwargs)
        return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._hooks:
            return call_with_hooks(self, self._hooks, args, kwargs)
        return self.forward(*args, **kwargs)

    def _add_hook(self, kind: str, hook: Callable[..., Any]) -> RemovableHandle:
        hooks = self._hooks.setdefault(kind, [])
        if modes.recorder() is not None:
            modes.recorder().hooked(self)
        hooks.append(hook)
        modes.facts.version += 1
        return RemovableHandle(hooks, hook)

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, args)`` before every forward; what it returns replaces the arguments."""
        return self._add_hook(FORWARD_PRE, hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after every forward; what it returns replaces the output.

        Examples
        --------
        >>> import autograd_core as ag
        >>> from autograd_core import nn
        >>> layer = nn.ReLU()
        >>> handle = layer.register_forward_hook(lambda module, args, output: print(output))
        >>> _ = layer(ag.tensor([-1.0, 1.0]))
        tensor([0., 1.])
        """
        return self._add_hook(FORWARD, hook)

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients by all inputs are complete.

        Both are tuples, with one gradient for each tensor among the inputs and the outputs.  What it returns replaces
        the gradients by the inputs.
        """
        return self._add_hook(BACKWARD, hook)

    # Attributes

    def __setattr__(self, name: str, value: Any) -> None:
        own = vars(self)
        buffers = own.get("_buffers", {})
        if isinstance(value, (Parameter, Module)):
            self._check_name(name)
            if not isinstance(value, Module):
                buffers.pop(name, None)
        for known, kind in ((Parameter, "a Parameter"), (Module, "a Module")):
            if isinstance(own.get(name), known) and not (value is None or isinstance(value, known)):
                fix = "assign nn.Parameter(value), or write into it: with no_grad(): p.copy_(value)"
                raise TypeError(
                    f"{type(self).__name__}.{name} is {kind}; expected {kind} or None, got {type(value).__name__}"
                    + (f"; {fix}" if known is Parameter else "")
                )
        if name in buffers and not (value is None or isinstance(value, Tensor)):
            raise TypeError(
                f"{type(self).__name__}.{name} is a buffer; expected a Tensor or None, got {type(value).__name__}"
            )
        if modes.recorders and modes.recorder() is not None:
            modes.recorder().assigns(self, name)
        modes.facts.version += 1
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if modes.recorder() is not None:
            modes.recorder().assigns(self, name)
        modes.facts.version += 1
        object.__delattr__(self, name)
        self._buffers.pop(name, None)

    def __getattr__(self, name: str) -> Any:  # only called for what is not found otherwise
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)  # a property that failed: its own error, again
        message = f"'{type(self).__name__}' object has no attribute '{name}'"
        if name.startswith("__"):
            raise AttributeError(message)
        if "_buffers" not in vars(self):
            raise AttributeError(f"{message}; call super().__init__() first in {type(self).__name__}.__init__")
        near = difflib.get_close_matches(name, [n for n in dir(self) if not n.startswith("_")])
        raise AttributeError(message + (f"; did you mean {' or '.join(map(repr, near))}?" if near else ""))

    def _check_name(self, name: str) -> None:
        """Whether something may be registered under this name, at this time."""
        where = type(self).__name__
        if "_buffers" not in vars(self):
            raise AttributeError(f"{where}.{name}: call super().__init__() before assigning parameters and modules")
        if not isinstance(name, str) or not name or "." in name:
            raise ValueError(f"{where}: expected a non-empty name without dots, got {name!r}")
        if hasattr(Module, name) or name in ("training", "_buffers", "_hooks"):
            raise ValueError(f"{where}: {name!r} already means something in every Module; choose another name")

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the module's state but is no parameter, such as a running mean.

        Parameters
        ----------
        name : the attribute it becomes
        tensor : Tensor or None
        persistent : whether ``state_dict`` has it

        Raises
        ------
        TypeError
            If `tensor` is no tensor, or is a parameter.
        ValueError
            If the name is taken or cannot be one.
        """
        self._check_name(name)
        if tensor is not None and (not isinstance(tensor, Tensor) or isinstance(tensor, Parameter)):
            raise TypeError(f"register_buffer: {name!r} must be a plain Tensor or None, got {type(tensor).__name__}")
        if name in vars(self) and name not in self._buffers:
            raise ValueError(f"register_buffer: {type(self).__name__} already has an attribute {name!r}")
        self._buffers[name] = persistent
        setattr(self, name, tensor)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; the same as assigning it to the attribute."""
        self._check_name(name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"register_parameter: {name!r} must be a Parameter or None, got {type(param).__name__}")
        setattr(self, name, param)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under a name; the same as assigning it to the attribute."""
        self._check_name(name)
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"add_module: {name!r} must be a Module or None, got {type(module).__name__}")
        setattr(self, name, module)

    # What is in it, in the order it was added

    def _own(self, kind: type[Any]) -> dict[str, Any]:
        """The attributes of this module alone that are of a kind."""
        return {name: value for name, value in vars(self).items() if isinstance(value, kind)}

    def _own_buffers(self) -> dict[str, Tensor]:
        found = {name: vars(self).get(name) for name in self._buffers}
        return {name: value for name, value in found.items() if value is not None}

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """The module itself and all modules in it, with their dotted paths (its own is `prefix`); shared ones once.

        Examples
        --------
        >>> from autograd_core import nn
        >>> [name for name, _ in nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU())).named_modules()]
        ['', '0', '1', '1.0']
        """
        return self._walk(prefix, set() if remove_duplicate else None)

    def _walk(self, path: str, seen: set[Module] | None) -> Iterator[tuple[str, Module]]:
        if seen is not None:
            if self in seen:
                return
            seen.add(self)
        yield path, self
        for name, child in self._own(Module).items():
            yield from child._walk(_joined(path, name), seen)

    def modules(self) -> Iterator[Module]:
        """The module itself and all modules in it, shared ones once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly in this one, with their names; shared ones once."""
        return iter(_distinct(self._own(Module).items()))

    def children(self) -> Iterator[Module]:
        """The modules directly in this one, shared ones once."""
        return (module for _, module in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted paths; shared ones once, under their first name.

        Parameters
        ----------
        prefix : put before the paths
        recurse : also those of the modules in this one
        remove_duplicate : False to list a shared parameter under each of its names
        """
        modules = self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]
        found = ((_joined(path, name), p) for path, module in modules for name, p in module._own(Parameter).items())
        return iter(_distinct(found)) if remove_duplicate else found

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, shared ones once.

        Examples
        --------
        >>> from autograd_core import nn
        >>> sum(p.numel() for p in nn.Linear(10, 20).parameters())
        220
        """
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted paths, as :meth:`named_parameters`."""
        modules = self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]
        found = ((_joined(path, name), b) for path, module in modules for name, b in module._own_buffers().items())
        return iter(_distinct(found)) if remove_duplicate else found

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, shared ones once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path; the empty path is this one.

        Raises
        ------
        AttributeError
            If there is none.
        """
        found: Any = self
        for name in target.split(".") if target else ():
            found = getattr(found, name)
            if not isinstance(found, Module):
                raise AttributeError(f"get_submodule: {name!r} in {target!r} is a {type(found).__name__}, not a Module")
        return found  # type: ignore[no-any-return]

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path.

        Raises
        ------
        AttributeError
            If there is none.
        """
        path, _, name = target.rpartition(".")
        found = getattr(self.get_submodule(path), name)
        if not isinstance(found, Parameter):
            raise AttributeError(f"get_parameter: {target!r} is a {type(found).__name__}, not a Parameter")
        return found

    # State

    def _named_state(self) -> Iterator[tuple[str, Tensor]]:
        for path, module in self.named_modules(remove_duplicate=False):
            buffers = {name: b for name, b in module._own_buffers().items() if module._buffers[name]}
            for name, value in (module._own(Parameter) | buffers).items():
                yield _joined(path, name), value

    def state_dict(self) -> dict[str, Tensor]:
        """The parameters and persistent buffers by dotted path, as tensors without history that share memory.

        Examples
        --------
        >>> from autograd_core import nn
        >>> list(nn.Linear(2, 3).state_dict())
        ['weight', 'bias']
        """
        return {name: value.detach() for name, value in self._named_state()}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values into the parameters and persistent buffers, in place.

        Parameters
        ----------
        state_dict : tensors or arrays by dotted path, as :meth:`state_dict` gives
            Floats of another size are cast.
        strict : whether the names must be exactly this module's

        Returns
        -------
        The missing and the unexpected names, both empty if `strict`.

        Raises
        ------
        RuntimeError
            Names every problem (missing, unexpected, shape, dtype); nothing is changed then.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a dict of tensors by name, got {type(state_dict).__name__}")
        ours = dict(self._named_state())
        missing = [name for name in ours if name not in state_dict]
        unexpected = [name for name in state_dict if name not in ours]
        problems = []
        if strict and missing:
            problems.append(f"missing keys: {', '.join(missing)}")
        if strict and unexpected:
            problems.append(f"unexpected keys: {', '.join(unexpected)}")
        problems += [
            f"{name}: {problem}"
            for name, value in ours.items()
            if name in state_dict and (problem := _misfit(value, state_dict[name]))
        ]
        if problems:
            lines = "".join(f"\n    {problem}" for problem in problems)
            raise RuntimeError(f"load_state_dict: this does not fit {type(self).__name__}, nothing was loaded:{lines}")
        with no_grad():
            for name, value in ours.items():
                if name in state_dict:
                    value.copy_(state_dict[name])
        return IncompatibleKeys(missing, unexpected)

    # Changing all of it

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call `fn` on every module in this one, innermost first, then on this one; for initialisation."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self: M, mode: bool = True) -> M:
        """Put this module, and all in it, into training mode (or, with False, evaluation mode)."""
        if not isinstance(mode, bool):
            raise TypeError(f"train: expected True or False, got {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: M) -> M:
        """Put this module, and all in it, into evaluation mode."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Set whether the parameters require a gradient; False freezes them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the parameters' gradients, or make them zeros."""
        for parameter in self.parameters():
            parameter.grad = None if set_to_none or parameter.grad is None else zeros_like(parameter.grad)

    def to(self: M, dtype: Any) -> M:
        """Cast the floating parameters (with their gradients) and buffers, in place.

        Raises
        ------
        TypeError
            If `dtype` is not floating.
        """
        dtype = np.dtype(dtype)
        if dtype.kind != "f":
            raise TypeError(f"Module.to: expected a floating dtype such as float32 or float64, got {dtype}")
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.is_floating_point():
                tensor.data = tensor.data.to(dtype)
                if tensor.grad is not None:
                    tensor.grad = tensor.grad.detach().to(dtype)
        return self

    def float(self: M) -> M:
        """Cast to float32, as :meth:`to`."""
        return self.to(float32)

    def double(self: M) -> M:
        """Cast to float64, as :meth:`to`."""
        return self.to(float64)

    # How it looks

    def extra_repr(self) -> str:
        """What ``repr`` shows between the brackets; for subclasses to define."""
        return ""

    def __repr__(self) -> str:
        lines = self.extra_repr().splitlines()
        children = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self._own(Module).items()]
        if len(lines) <= 1 and not children:
            return f"{type(self).__name__}({''.join(lines)})"
        return "\n  ".join([f"{type(self).__name__}(", *lines, *children]) + "\n)"


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _distinct(named: Any) -> Iterator[tuple[str, Any]]:
    """Each object once, under its first name."""
    seen = set()
    for name, value in named:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value


def _misfit(ours: Tensor, given: Any) -> str:
    """Why a value cannot be loaded into one of ours; empty if it can."""
    try:
        value = as_tensor(given)
    except (TypeError, ValueError):
        return f"expected a tensor, got {type(given).__name__}"
    problems = []
    if value.shape != ours.shape:
        problems.append(f"expected shape {ours.shape}, got {value.shape}")
    if not np.can_cast(value.dtype, ours.dtype, "same_kind"):
        problems.append(f"expected dtype {ours.dtype}, got {value.dtype}")
    return ", ".join(problems)
