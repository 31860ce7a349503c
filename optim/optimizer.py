"""What all optimizers share: parameter groups, the step, the state and its saving.

An optimizer is an update rule, a pure function of one parameter, its gradient and what it remembers:

    def rule(param, grad, velocity=0.0, *, lr, momentum):
        velocity = momentum * velocity + grad
        return param - lr * velocity, {"velocity": velocity}

What it takes by position after the gradient is its state; the defaults are the state before the first step (None: not
every set of options needs it), and the dict it returns is the state after the step.  What it takes by keyword are
options, read from the parameter's group at every step.  It is written in NumPy, changes nothing in place, and runs on
arrays and on tensors alike.

Written in NumPy it sweeps over a parameter once for each of its operations.  If there is much to update, `step` has the
rule compiled for all parameters together: one native call, and one sweep over each.  A rule that cannot be (one that
asks for values: ``if grad.max() > 1``) runs as it is, as all do without Numba.  Compiled, the numbers among options and
state are not known beforehand: the rule may compute with them, but compare an option only, and with a constant.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from autograd_core import Tensor, as_tensor, compile, enable_grad, modes, no_grad, zeros_like
from autograd_core.dtypes import float32, float64, is_floating
from autograd_core.graph import changes
from autograd_core.traced import Number, TracingError

from .nonfinite import POLICIES, all_finite, check, report

__all__ = ["Optimizer", "number", "options"]

COMPILED_FROM = 10_000
"""How many elements there must be to update for the rule to be compiled.  The compiled one is faster for a single one
too, but with so few NumPy makes thousands of steps in the second that compiling may take."""

SELECTIONS = 8
"""For how many selections of its parameters an optimizer compiles, where not always the same have gradients."""


class Optimizer:
    """Base of all optimizers.

    Parameters
    ----------
    params : iterable of tensors, of (name, tensor) pairs, or of groups
        The leaves to update.  A group is a dict with ``"params"`` and options of its own, such as
        ``{"params": [w], "lr": 0.1}``.  A parameter's name is the one of its pair, else ``tensor.name``, else its
        position.  Parameters whose ``grad`` is None, or that require no gradient, are left alone by a step.
    defaults : dict
        The options of groups that do not give their own.
    nonfinite : "warn", "raise", "skip" or "ignore"
        What to do if a gradient has a NaN or an infinity.  ``"warn"`` says which (RuntimeWarning) and goes on,
        ``"raise"`` raises FloatingPointError, ``"skip"`` leaves the step out; nothing at all has changed then.  In a
        compiled function ``"warn"`` says nothing, as nothing does there that depends on values.

    Attributes
    ----------
    rule : the update rule (see this module), given by the subclass
    ranges : for each numeric option ``(low, high)``, where low <= value < high must hold; a tuple of those for a tuple
    numbers : the state that is one number for the whole parameter, in float64
    starts : the state that starts from the value of an option, and which
    nonfinite : may be changed between steps
    skipped : int
        How many steps were left out for their gradients.
    param_groups : list of dict
        Each with ``"params"``, their ``"names"`` and all options, which may be changed between steps.
    state : dict
        For each parameter a dict of tensors, empty before its first step.  They have the parameter's dtype, but
        `numbers`, which are float64.

    Raises
    ------
    TypeError
        If something is no tensor, not floating, or an option is unknown or no number.
    ValueError
        If there are no parameters, one is not a leaf or comes twice, two have one name, or an option is out of range.
    FloatingPointError
        From a step, with ``nonfinite="raise"``.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> class SignDescent(optim.Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     @staticmethod
    ...     def rule(param, grad, *, lr):
    ...         return param - lr * np.sign(grad), {}
    >>> w = ag.tensor([1.0, -2.0], requires_grad=True, name="w")
    >>> optimizer = SignDescent([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5, -1.5], requires_grad=True)
    """

    rule: ClassVar[Callable[..., tuple[Any, dict[str, Any]]]]
    ranges: ClassVar[dict[str, tuple[Any, ...]]] = {}
    numbers: ClassVar[tuple[str, ...]] = ("step",)
    starts: ClassVar[dict[str, str]] = {}

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any], *, nonfinite: str = "warn") -> None:
        if isinstance(params, (Tensor, np.ndarray, str, Mapping)):
            raise TypeError(
                f"{self._name}: params must be an iterable of tensors, of (name, tensor) pairs or of groups, "
                f"got a {type(params).__name__}; put it in a list"
            )
        if nonfinite not in POLICIES:
            raise ValueError(
                f"{self._name}: nonfinite must be one of {', '.join(map(repr, POLICIES))}, got {nonfinite!r}"
            )
        self.defaults = dict(defaults)
        self.nonfinite = nonfinite
        self._skipped = Tensor(np.array(0))
        self.param_groups: list[dict[str, Any]] = []
        self.state: defaultdict[Tensor, dict[str, Tensor]] = defaultdict(dict)
        self._compiled: dict[tuple[str, ...], Callable[..., Any] | None] = {}
        given = list(params)
        if not given:
            raise ValueError(f"{self._name}: got no parameters")
        for group in given if isinstance(given[0], Mapping) else [{"params": given}]:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    @property
    def skipped(self) -> int:
        """How many steps were left out, with ``nonfinite="skip"``."""
        return int(self._skipped.item())

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: a dict with ``"params"``, as for the constructor, and options that differ from the defaults."""
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(f"{self._name}: a group is a dict with 'params', got {param_group!r:.80}")
        options = {name: value for name, value in param_group.items() if name != "params"}
        unknown = sorted(set(options) - set(self.defaults))
        if unknown:
            raise TypeError(
                f"{self._name}: unknown option {unknown[0]!r} in a group; the options are {', '.join(self.defaults)}"
            )
        options = {**self.defaults, **options}
        self._check_options(options)
        names, tensors = self._named(param_group["params"])
        self.param_groups.append({"params": tensors, "names": names, **options})
        modes.facts.version += 1

    def _named(self, params: Any) -> tuple[list[str], list[Tensor]]:
        """The names and tensors of a new group, checked against each other and the groups there are."""
        if isinstance(params, (set, frozenset)):
            raise TypeError(f"{self._name}: params must be in a fixed order, got a {type(params).__name__}; use a list")
        taken = self._by_name()
        name_of = {p: name for name, p in taken.items()}
        first = len(taken)
        given: list[Any] = [params] if isinstance(params, Tensor) else list(params)
        for entry in given:
            name, p = entry if isinstance(entry, tuple) and len(entry) == 2 else (None, entry)
            self._check_parameter(p)
            if name is None:
                name = p.name or str(len(taken))
            if p in name_of:
                raise ValueError(f"{self._name}: parameter {name!r} was already given, as {name_of[p]!r}")
            if name in taken:
                raise ValueError(
                    f"{self._name}: two parameters have the name {name!r}; give (name, tensor) pairs with different "
                    f"names, as model.named_parameters() does"
                )
            taken[name], name_of[p] = p, name
        if len(taken) == first:
            raise ValueError(f"{self._name}: a group got no parameters")
        return list(taken)[first:], list(taken.values())[first:]

    def _by_name(self) -> dict[str, Tensor]:
        """All parameters by their names, in order."""
        groups = self.param_groups
        return {name: p for group in groups for name, p in zip(group["names"], group["params"], strict=True)}

    def _check_parameter(self, p: Any) -> None:
        if not isinstance(p, Tensor):
            raise TypeError(f"{self._name}: expected tensors or (name, tensor) pairs, got a {type(p).__name__}")
        if not is_floating(p.dtype):
            raise TypeError(f"{self._name}: a parameter of dtype {p.dtype} has no gradient; use p.to(float32)")
        if not p.is_leaf:
            raise ValueError(
                f"{self._name}: a parameter of shape {p.shape} is the result of an operation ({p.node}); "
                f"give the leaf it was computed from, or detach() it"
            )

    def _check_options(self, options: dict[str, Any]) -> None:
        """Raise if an option is not a number in its range; subclasses add what holds between options."""
        for name, bounds in self.ranges.items():
            value = options[name]
            if not isinstance(bounds[0], tuple):
                self._check_number(name, value, value, *bounds)
                continue
            if not isinstance(value, (tuple, list)) or len(value) != len(bounds):
                raise TypeError(f"{self._name}: {name} must be {len(bounds)} numbers, got {value!r}")
            for number, bound in zip(value, bounds, strict=True):
                self._check_number(name, value, number, *bound)

    def _check_number(self, name: str, given: Any, number: Any, low: float, high: float) -> None:
        if not isinstance(number, (int, float, np.number, Tensor)):
            raise TypeError(f"{self._name}: {name} must be a number, got {given!r}")
        if not low <= number < high:
            bound = f"at least {low:g} and " + (f"below {high:g}" if math.isfinite(high) else "finite")
            raise ValueError(f"{self._name}: {name} must be {bound}, got {given!r}")

    # Training

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; with ``set_to_none=False`` they become zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None if set_to_none or p.grad is None else zeros_like(p.grad)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, in place.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and the gradients anew, before the update.

        Returns
        -------
        What the closure returned, else None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        gradients = self._gradients()
        # Training may diverge: where infinities and NaNs come from is said once, not by every operation of NumPy.
        with no_grad(), np.errstate(all="ignore"):
            if modes.recorder() is not None:
                self._update_all(tuple(gradients), *gradients.values(), fine=self._recorded_check(gradients))
            elif self._check(gradients):
                self._advance(gradients)
        return loss

    def _gradients(self) -> dict[str, Tensor]:
        """The gradients of all parameters that are to be updated, by name."""
        gradients = {}
        for name, p in self._by_name().items():
            grad = p.grad
            if grad is None or not p.requires_grad:
                continue
            if grad.shape != p.shape:
                raise ValueError(f"{self._name}: {name!r} of shape {p.shape} has a gradient of shape {grad.shape}")
            gradients[name] = grad
        return gradients

    def _check(self, gradients: dict[str, Tensor]) -> bool:
        """Whether to go on with these gradients."""
        wrong = report(gradients) if self.nonfinite != "ignore" else ""
        if wrong and self.nonfinite == "raise":
            raise FloatingPointError(f"{self._name}: {wrong}; nothing was changed")
        if wrong and self.nonfinite == "skip":
            self._skipped.array[...] += 1
            return False
        if wrong:
            warnings.warn(
                f"{self._name}: {wrong}; the step goes on (nonfinite='skip' would leave it out, 'raise' stop here)",
                RuntimeWarning,
                stacklevel=3,
            )
        return True

    def _recorded_check(self, gradients: dict[str, Tensor]) -> Any:
        """The same in a recording: a condition for whatever is to be changed, or None if there is none."""
        if self.nonfinite == "raise":
            check(self._name, gradients)
        if self.nonfinite != "skip" or not gradients:
            return None
        fine = all_finite(gradients.values())
        modes.recorder().write(f"{self._name}.step", self._skipped, self._skipped + np.logical_not(fine))
        return fine

    def _advance(self, gradients: dict[str, Tensor]) -> None:
        """Update these parameters, in one native call if that pays."""
        names, given = tuple(gradients), gradients.values()
        plain = partial(self._update_all, names)
        observed = modes.current() != modes.Mode(grad=False)
        if not observed and _much(given):
            if names not in self._compiled and len(self._compiled) < SELECTIONS:
                self._compiled[names] = compile(plain)
            update = self._compiled.get(names)
            if update is not None:
                try:
                    update(*given)
                    return
                except (ImportError, TracingError, TypeError, AttributeError):
                    # There is no Numba, or the rule is one for arrays only.  Nothing has been changed.
                    self._compiled[names] = None
        plain(*given)

    def _update_all(self, names: tuple[str, ...], *grads: Tensor, fine: Any = None) -> None:
        """Run the rule on the parameters with these names: now, or in a recording, there on a condition perhaps."""
        recorder = modes.recorder()
        gradients = dict(zip(names, grads, strict=True))
        for group in self.param_groups:
            options = self._options(group, recorder)
            for name, p in zip(group["names"], group["params"], strict=True):
                if name not in gradients:
                    continue
                if recorder is None:
                    self._update(p, gradients[name], options)
                else:
                    self._record(recorder, p, gradients[name], group, options, fine)

    def _options(self, group: dict[str, Any], recorder: Any) -> dict[str, Any]:
        """The options of a group for the rule."""
        if recorder is not None:
            return recorder.options(group, self.defaults)  # type: ignore[no-any-return]
        return {name: number(group[name]) for name in self.defaults}

    def _update(self, p: Tensor, grad: Tensor, options: dict[str, Any]) -> None:
        """Run the rule on one parameter, and write what it gives in place."""
        state = self.state[p]
        before = {field: value.item() if field in self.numbers else value.array for field, value in state.items()}
        after, remembered = type(self).rule(p.array, grad.array, **before, **options)
        for field, value in remembered.items():
            if field in state:
                state[field].array[...] = value
            else:
                state[field] = Tensor(np.array(value, self._dtype(p, field)))
                modes.facts.version += 1
        p.array[...] = after
        changes.note(p.array, f"{self._name}.step")

    def _record(self, recorder: Any, p: Tensor, grad: Tensor, group: dict[str, Any], options: Any, fine: Any) -> None:
        """The same in a recording: the rule runs on tensors, and on numbers that may change from step to step."""
        call = f"{self._name}.step"
        first = self._first(group)
        made = {field: value for field, value in first.items() if field == "step" or field not in self.numbers}
        state = recorder.state_of(self, p, made)
        before = {f: recorder.counter(value) if f in self.numbers else value for f, value in state.items()}
        after, remembered = type(self).rule(p, grad, **before, **options)
        for field, value in remembered.items():
            if field not in state:
                # It is read from the next step on, which is recorded again for that.  If this step is left out, what
                # starts from the first gradient (the momentum of SGD) has taken that for 0.
                shape = () if field in self.numbers else np.shape(value)
                with modes.change(recorder=None):
                    state[field] = Tensor(np.full(shape, first.get(field, 0.0), self._dtype(p, field)))
            if field in self.numbers:
                old = recorder.counter(state[field])
                recorder.count(state[field], value if fine is None else _chosen(fine, value, old))
            else:
                value = as_tensor(value)
                recorder.write(call, state[field], value if fine is None else np.where(fine, value, state[field]))
        recorder.write(call, p, after if fine is None else np.where(fine, after, p))

    def _first(self, group: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step: a number for all elements of each."""
        first = {field: default for field, default in self._fields().items() if default is not None}
        with modes.change(recorder=None):
            return first | {field: number(group[option]) for field, option in self.starts.items()}

    def _dtype(self, p: Tensor, field: str) -> np.dtype[Any]:
        return np.dtype(float64) if field in self.numbers else p.dtype

    def _fields(self) -> dict[str, Any]:
        """What the rule remembers, with the values before the first step."""
        parameters = list(inspect.signature(type(self).rule).parameters.values())[2:]
        return {field.name: field.default for field in parameters if field.kind is field.POSITIONAL_OR_KEYWORD}

    # Saving

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_compiled": {}}

    def state_dict(self) -> dict[str, Any]:
        """The state and the options, as nested dicts by parameter name.

        Returns
        -------
        dict
            ``{"state": {name: {field: tensor}}, "param_groups": [{option: value, "params": [name]}]}``.  The tensors
            are copies, all other leaves strings, numbers and bools (tuples of numbers for options that are pairs).  So
            ``"param_groups"`` can go to JSON as it is, and ``"state"``, flattened, to safetensors.

        Examples
        --------
        >>> import autograd_core as ag
        >>> from autograd_core import optim
        >>> w = ag.tensor([1.0], requires_grad=True)
        >>> optim.SGD([("w", w)], lr=0.5).state_dict()["param_groups"][0]["params"]
        ['w']
        """
        return {
            "state": {
                name: {field: Tensor(value) for field, value in self.state[p].items()}
                for name, p in self._by_name().items()
                if self.state.get(p)
            },
            "param_groups": [
                {**{name: number(group[name]) for name in self.defaults}, "params": list(group["names"])}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the state and the options that :meth:`state_dict` gave, for parameters of the same names.

        Tensors, arrays and numbers are accepted, and lists for tuples, so what JSON and safetensors return can be
        loaded.  Values are copied and cast to the dtype of their parameter.

        Raises
        ------
        KeyError
            If something is missing, or is there and belongs to nothing.
        ValueError
            If the groups or shapes differ.  Nothing is changed when anything is wrong.
        """
        _check_keys(f"{self._name}.load_state_dict", "the dict", state_dict, {"state", "param_groups"})
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"{self._name}.load_state_dict: got {len(saved)} groups, expected {len(self.param_groups)}"
            )
        options = [self._loaded_options(i, group) for i, group in enumerate(saved)]
        state = self._loaded_state(state_dict["state"])
        for group, values in zip(self.param_groups, options, strict=True):
            group.update(values)
        self.state.clear()
        self.state.update(state)
        modes.facts.version += 1

    def _loaded_options(self, i: int, saved: Mapping[str, Any]) -> dict[str, Any]:
        """The options of group `i` from a saved group, checked."""
        where = f"{self._name}.load_state_dict"
        _check_keys(where, f"param_groups[{i}]", saved, {*self.defaults, "params"})
        _check_keys(where, f"param_groups[{i}]['params']", saved["params"], set(self.param_groups[i]["names"]))
        options = {name: number(saved[name]) for name in self.defaults}
        self._check_options(options)
        return options

    def _loaded_state(self, saved: Mapping[str, Any]) -> dict[Tensor, dict[str, Tensor]]:
        """The state of every parameter from a saved one, checked."""
        where = f"{self._name}.load_state_dict"
        by_name = self._by_name()
        fields = self._fields()
        state: dict[Tensor, dict[str, Tensor]] = {}
        for name, values in saved.items():
            if name not in by_name:
                raise KeyError(f"{where}: state[{name!r}] belongs to no parameter; they are {', '.join(by_name)}")
            optional = {field for field, default in fields.items() if default is None} - set(values)
            _check_keys(where, f"state[{name!r}]", values, set(fields) - optional)
            p = by_name[name]
            state[p] = {}
            for field, value in values.items():
                array = value.array if isinstance(value, Tensor) else np.asarray(value)
                shape = () if field in self.numbers else self._shape(p, field, array.shape)
                if array.shape != shape:
                    raise ValueError(f"{where}: state[{name!r}][{field!r}] has shape {array.shape}, expected {shape}")
                state[p][field] = Tensor(array.astype(self._dtype(p, field)))
        return state

    def _shape(self, p: Tensor, field: str, given: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that a state of this parameter must have, if it is no number."""
        return p.shape

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            options = ", ".join(f"{name}={group[name]!r}" for name in self.defaults)
            lines.append(f"  group {i}: {', '.join(group['names'])}\n    {options}\n")
        return f"{self._name}(\n{''.join(lines)})"


def _much(gradients: Iterable[Tensor]) -> bool:
    """Whether it pays to compile the update; in other dtypes every operation would run in Python anyway."""
    arrays = [g.array for g in gradients]
    return sum(a.size for a in arrays) >= COMPILED_FROM and all(a.dtype in (float32, float64) for a in arrays)


def options(arguments: dict[str, Any]) -> dict[str, Any]:
    """The options among the arguments of a constructor, which it gives as ``locals()``."""
    others = ("self", "params", "nonfinite", "__class__")
    return {name: value for name, value in arguments.items() if name not in others}


def number(value: Any) -> Any:
    """A number, or a tuple of them, as Python's own: NumPy's would widen float32 parameters to their own dtype."""
    if isinstance(value, (tuple, list)):
        return tuple(map(number, value))
    return value.item() if isinstance(value, (Tensor, np.generic, np.ndarray)) else value


def _chosen(fine: Any, value: Any, old: Any) -> Any:
    """In a recording one number if a condition holds, else the other; both are finite."""
    one = np.where(fine, np.array(1.0), np.array(0.0))
    weight: Any = Number(old.recorder, old.recorder.cell(one))
    weight = weight + 0.0  # the sum is a number again, which decides no dtype
    return weight * value + (1 - weight) * old


def _check_keys(where: str, what: str, given: Iterable[str], expected: set[str]) -> None:
    missing, unexpected = sorted(expected - set(given)), sorted(set(given) - expected)
    if missing or unexpected:
        lacks = f" lacks {', '.join(map(repr, missing))}" if missing else ""
        has = f" has unexpected {', '.join(map(repr, unexpected))}" if unexpected else ""
        raise KeyError(f"{where}: {what}{lacks}{' and' if lacks and has else ''}{has}")
