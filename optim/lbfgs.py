"""L-BFGS: a quasi-Newton method for smooth problems whose loss is computed without noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_core import Tensor, enable_grad, modes, no_grad
from autograd_core.graph import changes
from autograd_core.traced import TracingError

from .line_search import Trial, strong_wolfe
from .optimizer import Optimizer, number, options

__all__ = ["LBFGS", "lbfgs_direction"]

CURVED = 1e-10
"""How much the gradient must have changed along a step for the step to be remembered."""


def lbfgs_direction(grad: np.ndarray, steps: Sequence[np.ndarray], changes: Sequence[np.ndarray]) -> np.ndarray:
    """The direction ``-H g``, with the inverse Hessian ``H`` that the last steps and changes of the gradient suggest.

    Nocedal and Wright, "Numerical Optimization" (2nd edition, 2006), algorithm 7.4, with the first ``H`` of equation
    7.20.

    Parameters
    ----------
    grad : shape (n,)
    steps, changes : sequences of shape (n,)
        What was added to the parameters, and to the gradient by that; the last come last.

    Examples
    --------
    >>> lbfgs_direction(np.array([4.0, 2.0]), [np.array([1.0, 0.0])], [np.array([8.0, 0.0])])
    array([-0.5 , -0.25])
    """
    rho = [1 / (y @ s) for s, y in zip(steps, changes, strict=True)]
    alpha = [0.0] * len(rho)
    q = -grad
    for i in reversed(range(len(rho))):
        alpha[i] = rho[i] * (steps[i] @ q)
        q = q - alpha[i] * changes[i]
    if rho:
        q = q / (rho[-1] * (changes[-1] @ changes[-1]))
    for i in range(len(rho)):
        q = q + (alpha[i] - rho[i] * (changes[i] @ q)) * steps[i]
    return q


@dataclass
class _Memory:
    """What is known of the function, all parameters in one vector; PyTorch's names."""

    d: np.ndarray
    """The last direction."""
    prev_flat_grad: np.ndarray
    """The gradient before the last step."""
    t: float = 0.0
    """How far that went."""
    n_iter: int = 0
    func_evals: int = 0
    old_dirs: list[np.ndarray] = field(default_factory=list)
    """Changes of the gradient."""
    old_stps: list[np.ndarray] = field(default_factory=list)
    """Steps."""

    def learn(self, grad: np.ndarray, size: int) -> None:
        """Remember the last step and what it did to the gradient, if that says something; at most `size` of them."""
        step, change = self.t * self.d, grad - self.prev_flat_grad
        if change @ step > CURVED:
            self.old_stps = [*self.old_stps, step][-size:]
            self.old_dirs = [*self.old_dirs, change][-size:]


class LBFGS(Optimizer):
    """L-BFGS: steps from the curvature that the last ones have shown, along :func:`lbfgs_direction`.

    A step is up to `max_iter` iterations, and calls the closure at every point it looks at.  The loss must be the same
    function each time: all of the data, no dropout.  It takes one group of parameters of one dtype, and cannot be part
    of a compiled function; the closure can be one.

    Parameters
    ----------
    params : as for :class:`Optimizer`, without options of their own
    lr : float
        How much of the direction to go; with the line search, what to try first.
    max_iter : int
        Iterations in a step.
    max_eval : int, optional
        Evaluations in a step, after which no iteration begins; a quarter more than `max_iter` by default.
    tolerance_grad : float
        At an end if no element of the gradient is larger.
    tolerance_change : float
        At an end if neither the loss nor a parameter changes more.
    history_size : int
        How many steps to remember.
    line_search_fn : None or "strong_wolfe"
        Whether to search along the direction: evaluations more, but it cannot go astray.
    nonfinite : as for :class:`Optimizer`
        Of the gradient that a step begins with.

    Attributes
    ----------
    state : dict
        That of the first parameter holds what is remembered, for all parameters in one vector.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.tensor([4.0, -3.0], requires_grad=True)
    >>> optimizer = optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - ag.tensor([1.0, 2.0])) ** 4).sum()
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(3):
    ...     loss = optimizer.step(closure)
    >>> bool(abs(w - ag.tensor([1.0, 2.0])).max() < 0.01)
    True
    """

    numbers = ("func_evals", "n_iter", "t")
    ranges = {  # noqa: RUF012 (declared in the base)
        "lr": (0.0, math.inf),
        "max_iter": (1, math.inf),
        "max_eval": (1, math.inf),
        "tolerance_grad": (0.0, math.inf),
        "tolerance_change": (0.0, math.inf),
        "history_size": (1, math.inf),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
        *,
        nonfinite: str = "warn",
    ) -> None:
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(params, options(locals()), nonfinite=nonfinite)

    def _check_options(self, options: dict[str, Any]) -> None:
        super()._check_options(options)
        for name in ("max_iter", "max_eval", "history_size"):
            if not isinstance(options[name], int):
                raise TypeError(f"LBFGS: {name} must be an integer, got {options[name]!r}")
        if options["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {options['line_search_fn']!r}")

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Set the only group there can be."""
        if self.param_groups:
            raise ValueError("LBFGS: takes one group of parameters only; put them all into one list")
        super().add_param_group(param_group)
        dtypes = sorted({str(p.dtype) for p in self.param_groups[0]["params"]})
        if len(dtypes) > 1:
            raise TypeError(f"LBFGS: the parameters must be of one dtype, got {' and '.join(dtypes)}")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Go up to ``max_iter`` iterations towards a minimum.

        Parameters
        ----------
        closure : callable
            Computes the loss and the gradients anew: ``zero_grad``, the loss, ``backward``, and returns the loss.

        Returns
        -------
        What the closure returned first, before any change.
        """
        if modes.recorder() is not None:
            raise TracingError(
                "LBFGS.step: decides by the values of the loss, which are not known while a compiled function is "
                "recorded; call it outside, and compile the closure"
            )
        if closure is None:
            raise TypeError("LBFGS.step: needs a closure that computes the loss and the gradients, got None")
        with no_grad(), np.errstate(all="ignore"):
            with enable_grad():
                result = closure()
            if self._check(self._gradients()):
                self._iterate(closure, float(result))
        return result

    def _iterate(self, closure: Callable[[], Any], loss: float) -> None:
        group = {name: number(value) for name, value in self.param_groups[0].items() if name in self.defaults}
        grad, memory, spent = self._flat_grad(), self._recall(), 1
        for i in range(1, group["max_iter"] + 1):
            if _largest(grad) <= group["tolerance_grad"]:
                break
            memory.n_iter += 1
            if memory.n_iter > 1:
                memory.learn(grad, group["history_size"])
            memory.d = lbfgs_direction(grad, memory.old_stps, memory.old_dirs)
            memory.t = group["lr"] * (min(1.0, 1 / float(np.abs(grad).sum())) if memory.n_iter == 1 else 1.0)
            memory.prev_flat_grad = grad
            here = Trial(0.0, loss, grad, float(grad @ memory.d))
            if here.slope > -group["tolerance_change"]:
                break
            there, more = self._move(closure, memory, here, group, spent, last=i == group["max_iter"])
            loss, grad, spent = there.loss, there.grad, spent + more
            small = memory.t * _largest(memory.d) <= group["tolerance_change"]
            if spent >= group["max_eval"] or small or abs(loss - here.loss) < group["tolerance_change"]:
                break
        memory.func_evals += spent
        self._remember(memory)

    def _move(
        self, closure: Callable[[], Any], memory: _Memory, here: Trial, group: dict[str, Any], spent: int, last: bool
    ) -> tuple[Trial, int]:
        """Go along the direction; what is there, and how many evaluations that took."""
        start, d = self._flat([p.array for p in self.param_groups[0]["params"]]), memory.d

        def evaluate(t: float) -> Trial:
            self._place(start + t * d)
            with enable_grad():
                loss = float(closure())
            grad = self._flat_grad()
            return Trial(t, loss, grad, float(grad @ d))

        if group["line_search_fn"] is None:
            if not last:
                return evaluate(memory.t), 1
            self._place(start + memory.t * d)  # what is there, the next step finds out
            return here, 0
        found, evaluations = strong_wolfe(
            evaluate,
            here,
            memory.t,
            length=_largest(d),
            tolerance=group["tolerance_change"],
            limit=group["max_eval"] - spent,
        )
        memory.t = found.t
        self._place(start + found.t * d)
        return found, evaluations

    # All parameters as one vector

    def _flat(self, arrays: Iterable[np.ndarray]) -> np.ndarray:
        return np.concatenate([array.ravel() for array in arrays])

    def _flat_grad(self) -> np.ndarray:
        """The gradients, 0 for parameters that have none; a copy."""
        gradients = self._gradients()
        pairs = self._by_name().items()
        return self._flat(
            gradients[name].array if name in gradients else np.zeros(p.shape, p.dtype) for name, p in pairs
        )

    def _place(self, values: np.ndarray) -> None:
        """Let the parameters have these values."""
        begin = 0
        for p in self.param_groups[0]["params"]:
            p.array[...] = values[begin : begin + p.array.size].reshape(p.shape)
            changes.note(p.array, "LBFGS.step")
            begin += p.array.size

    # State

    def _recall(self) -> _Memory:
        first = self.param_groups[0]["params"][0]
        known = {name: value.array for name, value in self.state.get(first, {}).items()}
        if not known:
            nothing = np.zeros(self._size, first.dtype)
            return _Memory(nothing, nothing)
        return _Memory(
            known["d"],
            known["prev_flat_grad"],
            float(known["t"]),
            int(known["n_iter"]),
            int(known["func_evals"]),
            list(known["old_dirs"]),
            list(known["old_stps"]),
        )

    def _remember(self, memory: _Memory) -> None:
        first = self.param_groups[0]["params"][0]
        for name, value in vars(memory).items():
            array = np.reshape(value, (-1, self._size)) if isinstance(value, list) else value
            self.state[first][name] = Tensor(np.array(array, self._dtype(first, name)))

    @property
    def _size(self) -> int:
        return sum(p.array.size for p in self.param_groups[0]["params"])

    def _fields(self) -> dict[str, Any]:
        return dict.fromkeys(_Memory.__dataclass_fields__, 0.0)

    def _shape(self, p: Tensor, field: str, given: tuple[int, ...]) -> tuple[int, ...]:
        return (*given[:1], self._size) if field.startswith("old") else (self._size,)

    def _loaded_options(self, i: int, saved: Mapping[str, Any]) -> dict[str, Any]:
        found = super()._loaded_options(i, saved)
        names = self.param_groups[i]["names"]
        if list(saved["params"]) != names:
            raise ValueError(
                f"LBFGS.load_state_dict: the parameters must be in the order they were saved in, "
                f"{', '.join(saved['params'])}; got {', '.join(names)}"
            )
        return found


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max(initial=0.0))
