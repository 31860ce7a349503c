"""Adafactor: of the squared gradients of a matrix it keeps the means of rows and columns only."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import Tensor

from .optimizer import Optimizer, number, options

__all__ = ["Adafactor", "adafactor_update"]


def adafactor_update(
    param: Any,
    grad: Any,
    step: Any = 0,
    row_var: Any = None,
    col_var: Any = None,
    variance: Any = None,
    *,
    lr: float,
    beta2_decay: float = -0.8,
    eps: tuple[float | None, float] = (None, 1e-3),
    d: float = 1.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """One step of Adafactor.

    With gradient ``g`` (negated to maximize), step number ``t`` from 1, ``rms(x) = sqrt(mean(x * x))``, and for a
    matrix, or a stack of them, the means of squares ``r`` over each row (row_var) and ``c`` over each column
    (col_var)::

        a = max(eps2, rms(p)) * min(lr, 1 / sqrt(t))
        p = p - lr * wd * p
        r = r + t**beta2_decay * (row means of g * g - r)
        c = c + t**beta2_decay * (column means of g * g - c)
        v = r c / max(mean(r), eps1)              else: v = v + t**beta2_decay * (g * g - v)   (variance)
        u = g / sqrt(max(v, eps1**2))
        p = p - a * u / max(1, rms(u) / d)

    Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", ICML 2018, algorithms 4 and 5
    with the relative step sizes of section 8; as in PyTorch with ``lr`` for 0.01 there, and ``eps1`` as a bound.
    ``eps1`` None stands for the spacing of floats of the parameter's dtype at 1.

    Examples
    --------
    >>> param, state = adafactor_update(np.ones((2, 3)), np.full((2, 3), 5.0), lr=0.5)
    >>> np.round(param[0], 6), state["row_var"].shape, state["col_var"].shape
    (array([0.5, 0.5, 0.5]), (2, 1), (1, 3))
    """
    if 0 in param.shape:  # there are no means
        return param, {"step": step + 1}
    eps1, eps2 = float(np.finfo(param.dtype).eps) if eps[0] is None else eps[0], eps[1]
    if maximize:
        grad = -grad
    step = step + 1
    rate = number(np.minimum(lr, step**-0.5)) * np.maximum(_rms(param), eps2)
    if weight_decay != 0:
        param = param * (1 - lr * weight_decay)
    new, square = step**beta2_decay, grad * grad
    state = {"step": step}
    if param.ndim > 1:
        row_mean, col_mean = np.mean(square, axis=-1, keepdims=True), np.mean(square, axis=-2, keepdims=True)
        row_var = row_mean if row_var is None else (1 - new) * row_var + new * row_mean
        col_var = col_mean if col_var is None else (1 - new) * col_var + new * col_mean
        state |= {"row_var": row_var, "col_var": col_var}
        estimate = row_var * col_var / np.maximum(np.mean(row_var, axis=-2, keepdims=True), eps1)
    else:
        variance = square if variance is None else (1 - new) * variance + new * square
        state["variance"] = estimate = variance
    update = grad / np.sqrt(np.maximum(estimate, eps1**2))
    return param - rate / np.maximum(_rms(update) / d, 1.0) * update, state


def _rms(x: Any) -> Any:
    return np.sqrt(np.mean(x * x))


class Adafactor(Optimizer):
    """Adafactor: steps by the size of the parameter, in little memory; the rule is :func:`adafactor_update`.

    Parameters
    ----------
    params : as for :class:`Optimizer`
    lr : float
        The largest step, relative to the root mean square of the parameter.
    beta2_decay : float
        Power of the step number, 0 or below, by which new gradients count less.
    eps : pair of float
        Bounds of the squared gradients, None for one by the dtype, and of the parameter's size.
    d : float
        How large the root mean square of an update may be, at least 1.
    weight_decay : float
        Each step multiplies every parameter by ``1 - lr * weight_decay``.
    maximize : bool
        Climb instead of descend.
    nonfinite : as for :class:`Optimizer`

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import optim
    >>> w = ag.ones(20, 30, requires_grad=True)
    >>> optimizer = optim.Adafactor([w], lr=0.25)
    >>> (3 * w).sum().backward()
    >>> optimizer.step()
    >>> w[0, 0], sum(s.numel() for s in optimizer.state[w].values())
    (tensor(0.75, grad_fn=<index>), 51)
    """

    rule = staticmethod(adafactor_update)
    ranges = {  # noqa: RUF012 (declared in the base)
        "lr": (0.0, math.inf),
        "beta2_decay": (-math.inf, math.inf),
        "d": (1.0, math.inf),
        "weight_decay": (0.0, math.inf),
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        nonfinite: str = "warn",
    ) -> None:
        super().__init__(params, options(locals()), nonfinite=nonfinite)

    def _check_options(self, options: dict[str, Any]) -> None:
        super()._check_options(options)
        if options["beta2_decay"] > 0:
            raise ValueError(f"Adafactor: beta2_decay must be at most 0, got {options['beta2_decay']!r}")
        eps = options["eps"]
        if not isinstance(eps, (tuple, list)) or len(eps) != 2:
            raise TypeError(f"Adafactor: eps must be two numbers, or None and a number, got {eps!r}")
        for bound in eps if eps[0] is not None else eps[1:]:
            self._check_number("eps", eps, bound, 0.0, math.inf)

    def _options(self, group: dict[str, Any], recorder: Any) -> dict[str, Any]:
        if recorder is None or group["eps"][0] is not None:
            return super()._options(group, recorder)
        recorder.depends(lambda: group["eps"][0] is None, mappings=[group])
        found: dict[str, Any] = recorder.options(group, [name for name in self.defaults if name != "eps"])
        return {**found, "eps": (None, recorder.option(group, "eps", 1))}

    def _shape(self, p: Tensor, field: str, given: tuple[int, ...]) -> tuple[int, ...]:
        if field == "row_var":
            return (*p.shape[:-1], 1)
        return (*p.shape[:-2], 1, p.shape[-1]) if field == "col_var" else p.shape
