"""What all schedules share: where they stand, how they write the rate, saving, and looking ahead."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from autograd_core import TracingError, modes
from autograd_core.graph import changes

from ..optimizer import Optimizer
from .arguments import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LRScheduler"]

Options = dict[str, Any]
"""Options of a parameter group: its rate, and momentum or whatever else it has."""


class LRScheduler:
    """Base of all schedules: the rate is a function of the step number, counted from 0, and the base rate.

    ``step()`` goes to the next step number and writes the rates.  Where the rate is the one of the last step, the new
    one is just ``function(step, base)``.  Where it is another, because a second schedule works on the same optimizer or
    the rate was changed by hand, it is scaled by ``function(step, base) / function(step - 1, base)``: so schedules of
    one optimizer multiply, as PyTorch's do.  Those whose class has ``overwrites`` write their own value regardless.

    Parameters
    ----------
    optimizer : Optimizer
        Its groups keep the base rate as ``"initial_lr"``.
    last_epoch : int
        The step number before the one to start at; -1 starts at 0.
    base_lrs : list of float, optional
        The base rate of each group, if it is not the rate the group has.
    **options
        Passed to the function by name; they become attributes, which may be changed.

    Attributes
    ----------
    function : the formula, given by the subclass: ``function(step, base, **options)``
    overwrites : whether the schedule sets the rate whatever it was
    last_epoch : int
        The step number it stands at.
    base_lrs : list of float

    Raises
    ------
    TypeError
        If `optimizer` is none.
    KeyError
        If `last_epoch` is not -1 and a group does not say what its base rate was.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> def sawtooth(step, base, *, period):
    ...     return base * (1 - (step % period) / period)
    >>> class SawtoothLR(optim.lr_scheduler.LRScheduler):
    ...     function = staticmethod(sawtooth)
    ...
    ...     def __init__(self, optimizer, period, last_epoch=-1):
    ...         super().__init__(optimizer, last_epoch, period=period)
    >>> sgd = optim.SGD([ag.ones(2, requires_grad=True)], lr=1.0)
    >>> SawtoothLR(sgd, period=4).values(6).ravel().tolist()
    [1.0, 0.75, 0.5, 0.25, 1.0, 0.75]
    """

    function: ClassVar[Callable[..., float]]
    overwrites: ClassVar[bool] = False

    def __init__(
        self, optimizer: Optimizer, last_epoch: int = -1, *, base_lrs: list[float] | None = None, **options: Any
    ) -> None:
        whole(self._name, -1, last_epoch=last_epoch)
        self._options = tuple(options)
        vars(self).update(options)
        self._hold(optimizer, last_epoch, base_lrs)
        for i, group in enumerate(optimizer.param_groups):
            now = self._now(group)
            group.update(self._advance(now, 0, i) if last_epoch == -1 else self._at(now, last_epoch + 1, i))
        self._stand_at(last_epoch + 1)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _hold(self, optimizer: Any, last_epoch: int, base_lrs: list[float] | None) -> None:
        """Note the optimizer and its base rates."""
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{self._name}: expected an optimizer, got a {type(optimizer).__name__}")
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1 or base_lrs is not None:
                group.setdefault("initial_lr", float(group["lr"] if base_lrs is None else base_lrs[i]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{self._name}: to start at last_epoch={last_epoch}, param_groups[{i}] needs the base rate as "
                    f"'initial_lr'; set it, or start at -1 and use load_state_dict()"
                )
        self.optimizer = optimizer
        self.base_lrs = base_lrs or [group["initial_lr"] for group in optimizer.param_groups]
        self._owner: str | None = None  # the schedule it is a part of
        self._changes_before = changes.last

    # The rate

    def _rate(self, step: float, group: int) -> float:
        """The rate of a group at a step."""
        options = {name: getattr(self, name) for name in self._options}
        return type(self).function(step, self.base_lrs[group], **options)

    @property
    def _floor(self) -> float:
        """What the rate is scaled towards where others change it too."""
        return 0.0

    @property
    def _sets(self) -> tuple[str, ...]:
        """The options it writes."""
        return ("lr",)

    def _at(self, now: Options, step: float, group: int) -> Options:
        """The options of a group at a step, whatever they were before."""
        return {**now, "lr": self._rate(step, group)}

    def _advance(self, now: Options, step: int, group: int) -> Options:
        """The options of a group at a step, from those it has now; of step 0, from the base rate."""
        then = self._at(now, step, group)
        if self.overwrites:
            return then
        before = self.base_lrs[group] if step == 0 else self._rate(step - 1, group)
        return {**then, "lr": _followed(now["lr"], before, then["lr"], self._floor)}

    def _now(self, group: Options) -> Options:
        return {**{name: group[name] for name in self.optimizer.defaults}, "lr": float(group["lr"])}

    # Use

    def step(self, epoch: int | None = None) -> None:
        """Go to the next step, and write its rates; to be called after ``optimizer.step()``.

        Parameters
        ----------
        epoch : int, optional
            The step number to go to, instead of the next.

        Raises
        ------
        TypeError
            If `epoch` is no step number.
        RuntimeError
            If the schedule is part of another, which must be stepped instead, or the optimizer got another group.
        TracingError
            If a program is being recorded: in a compiled step it would be called only once.
        """
        if epoch is not None:
            self._check_epoch(epoch)
        self._check_call()
        for i, group in enumerate(self.optimizer.param_groups):
            now = self._now(group)
            group.update(self._advance(now, self.last_epoch + 1, i) if epoch is None else self._at(now, epoch, i))
        self._stand_at(self.last_epoch + 1 if epoch is None else math.floor(epoch))

    def _stand_at(self, step: int) -> None:
        self.last_epoch = step
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    def _check_call(self) -> None:
        """Whether the schedule may be stepped now."""
        if modes.recorder() is not None:
            raise TracingError(f"{self._name}.step: call it after the compiled step, not in it; it runs in Python")
        if self._owner is not None:
            raise RuntimeError(f"{self._name}.step: it is part of a {self._owner}; call the step() of that")
        self._check_groups()
        if self.last_epoch == 0 and changes.last == self._changes_before:
            warnings.warn(
                f"{self._name}.step: nothing was updated since the schedule was made, so the first rate goes unused; "
                f"call optimizer.step() first (to see the rates beforehand, use values() or plot())",
                UserWarning,
                stacklevel=3,
            )

    def _check_groups(self) -> None:
        groups = len(self.optimizer.param_groups)
        if groups != len(self.base_lrs):
            raise RuntimeError(
                f"{self._name}: the optimizer has {groups} groups, and had {len(self.base_lrs)} when the schedule was "
                f"made; add groups before making schedules"
            )

    def _check_epoch(self, epoch: Any) -> None:
        if isinstance(epoch, bool) or not hasattr(epoch, "__index__") or operator.index(epoch) < 0:
            raise TypeError(
                f"{self._name}.step: expected no argument, or the number of a step, got {epoch!r}; "
                f"a metric is for ReduceLROnPlateau"
            )

    def get_last_lr(self) -> list[float]:
        """The rates of the groups that the schedule wrote last."""
        return list(self._last_lr)

    # Looking ahead

    def _course(self, steps: int) -> Iterator[list[Options]]:
        """The options of all groups at steps 0, 1, ..., if no one else changes them."""
        whole(self._name, 0, steps=steps)
        self._check_groups()
        pairs = zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        now = [{**self._now(group), "lr": base} for group, base in pairs]
        for step in range(steps):
            now = [self._advance(options, step, i) for i, options in enumerate(now)]
            yield now

    def values(self, steps: int) -> np.ndarray:
        """The rates of the first steps, from step 0 on; nothing is changed.

        Returns
        -------
        Array of shape (steps, groups), float64
        """
        rates = [[options["lr"] for options in groups] for groups in self._course(steps)]
        return np.array(rates, np.float64).reshape(steps, len(self.base_lrs))

    def plot(self, steps: int) -> Figure:
        """A figure of the rates over the first steps, and of the momentum if that is cycled; nothing is changed.

        Examples
        --------
        >>> import autograd_core as ag
        >>> from autograd_core import optim
        >>> adam = optim.Adam([ag.ones(2, requires_grad=True)])
        >>> figure = optim.lr_scheduler.OneCycleLR(adam, max_lr=0.1, total_steps=50).plot(50)
        >>> [axes.get_ylabel() for axes in figure.axes]
        ['learning rate', 'beta1']
        """
        from .plot import draw

        return draw(list(self._course(steps)), self._sets)

    # Saving

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule stands, in values that JSON has.

        Returns
        -------
        dict
            ``{"last_epoch": step number, "base_lrs": [rate], "groups": [{"lr": rate}]}``.  What the constructor got is
            not in it: the schedule to load it into is made with the same arguments.
        """
        groups = [{name: _listed(group[name]) for name in self._sets} for group in self.optimizer.param_groups]
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs), "groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to where :meth:`state_dict` was taken, and write the rates that the groups had then.

        Raises
        ------
        KeyError
            If something is missing, or does not belong there.
        ValueError
            If it is of another number of groups.  Nothing is changed when anything is wrong.
        """
        expected = list(self.state_dict())
        if set(state_dict) != set(expected):
            raise KeyError(f"{self._name}.load_state_dict: expected the keys {expected}, got {list(state_dict)}")
        groups = self.optimizer.param_groups
        saved = state_dict["groups"]
        if not len(saved) == len(state_dict["base_lrs"]) == len(groups):
            raise ValueError(
                f"{self._name}.load_state_dict: got the state for {len(saved)} groups, the optimizer has {len(groups)}"
            )
        for options in saved:
            if set(options) != set(self._sets):
                raise KeyError(
                    f"{self._name}.load_state_dict: expected the options {list(self._sets)}, got {list(options)}"
                )
        self._restore(state_dict)
        for group, options in zip(groups, saved, strict=True):
            group.update({name: tuple(x) if isinstance(x, list) else x for name, x in options.items()})
        self._stand_at(state_dict["last_epoch"])

    def _restore(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what only this schedule knows."""
        self.base_lrs = list(state_dict["base_lrs"])

    def __repr__(self) -> str:
        options = [f"{name}={getattr(self, name)!r}" for name in (*self._options, "last_epoch")]
        return f"{self._name}({', '.join(options)})"


def _followed(rate: float, before: float, after: float, floor: float) -> float:
    """A rate after a step that takes `before` to `after`: scaled alike, as a distance from `floor`."""
    if rate == before:
        return after
    if before == floor:
        return rate + (after - before)
    return floor + (rate - floor) * ((after - floor) / (before - floor))


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, (tuple, list)) else float(value)
