"""Why does it not learn?  An examination of a model, its loss, its data and its optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any

import numpy as np

from autograd_core import Tensor, modes
from autograd_core.nn import Module
from autograd_core.optim import Optimizer

from . import activations, data, layers
from .findings import DoctorReport, Finding
from .run import Examination, Run, examination, tensors_in

__all__ = ["Doctor", "DoctorReport", "Finding", "doctor"]


def doctor(
    model: Module,
    loss: Callable[..., Any],
    batch: Any,
    optimizer: Optimizer | None = None,
    *,
    training: bool | None = True,
) -> DoctorReport:
    """Run one training step of a model, look for what keeps it from learning, and take the step back.

    Afterwards parameters, buffers, gradients, the optimizer's state and the random streams are what they were.

    Parameters
    ----------
    model : Module
    loss : callable
        Of outputs and targets, a function or module; gives a scalar tensor.
    batch : inputs and targets
        A tuple or list, whose last element are the targets; or one tensor or dict of inputs without targets, and the
        loss gets the outputs alone.  Inputs are a tensor, several for a model of several arguments, or a dict for
        arguments by name.  With some dozens of examples or more, the numbers mean something.
    optimizer : Optimizer, optional
        Without it, nothing is said about updates.
    training : bool or None
        Whether the model is to be trained now, or (False) evaluated, and so in which mode it must be.  None to examine
        it in training mode whatever its mode is.

    Returns
    -------
    DoctorReport
        True if nothing was found; printed, a table of findings with their evidence, reason and remedy.  `ADVICE` in
        ``tools.diagnosis.findings`` lists all kinds there are.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, or the loss is not one number.  What model and loss raise is passed on.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn, optim
    >>> from autograd_core.tools.diagnosis.doctor import doctor
    >>> _ = ag.manual_seed(0)
    >>> x, y = ag.randn(64, 8), ag.randint(3, (64,))
    >>> net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
    >>> adam = optim.Adam(net.named_parameters(), lr=1e-3)
    >>> print(doctor(net, nn.CrossEntropyLoss(), (x, y), adam))
    doctor: healthy, nothing was found
      2 layers with 387 parameters on a batch of 64, loss 1.092, one step of Adam
    >>> report = doctor(nn.Sequential(net, nn.Softmax(-1)), nn.CrossEntropyLoss(), (x, y))
    >>> report.codes
    ['D11-softmax-twice']
    """
    with examination(model, loss, batch, optimizer) as e:
        data.set_mode(e, training is not False)
        findings = [] if training is None else list(data.wrong_modes(e, training))
        run = e.run()
        with np.errstate(all="ignore"):
            findings += _found(e, run)
        return DoctorReport(findings, _examined(e, run))


def _found(e: Examination, run: Run) -> Iterator[Finding]:
    """Everything, in the order of the codes as far as it goes."""
    yield from layers.unreached(e, run)
    yield from layers.not_in_optimizer(e, run)
    yield from layers.unregistered(e, run)
    yield from layers.foreign_parameters(e)
    yield from data.unscaled(run)
    yield from data.broadcasts(run)
    if not run.finite:  # whatever else could be measured would be a consequence
        yield layers.non_finite(e, run)
        return
    scores = data.scores_of(e, run)
    guess = data.guessing(e, run, scores)
    sure = abs(run.value) < guess / 2  # as what has learned may be
    yield from activations.dead_units(e, run, sure)
    if not sure:
        yield from activations.saturated(e, run)
    yield from layers.vanishing(e, run)
    yield from layers.exploding(e, run)
    yield from data.softmax_twice(e, run, scores)
    yield from data.initial_loss(scores)
    yield from data.unscaled_targets(e, run, scores)
    yield from layers.symmetric(e, run)
    yield from layers.updates(e, run, max(abs(run.value), guess))


def _examined(e: Examination, run: Run) -> str:
    count = sum(p.numel() for p in e.parameters.values())
    weighted = sum(any(p.ndim >= 2 for p in m.parameters(recurse=False)) for m in e.model.modules())
    rows = next((f" on a batch of {t.shape[0]}" for t in tensors_in(e.inputs) if t.ndim), "")
    step = "" if e.optimizer is None else f", one step of {type(e.optimizer).__name__}"
    plural = "layer" if weighted == 1 else "layers"
    return f"{weighted} {plural} with {count:,} parameters{rows}, loss {run.value:.4g}{step}"


class Doctor:
    """Watches a training as it goes on.

    As a context it sees the steps of a loop: gradients that were not set to zero, parameters that never get one,
    non-finite gradients, steps in evaluation mode, and how large the updates are.  And `observe` examines the model as
    :func:`doctor` does, whenever it is called, such as after every epoch:
    ``fit(..., on_epoch=lambda row: watch.observe(loss, batch))``.

    Parameters
    ----------
    model : Module
    optimizer : Optimizer

    Attributes
    ----------
    steps : int
        How many steps of the optimizer were seen.  Compiled steps are not: nothing can look into them.
    ratios : dict
        For each parameter ``|update| / |parameter|``, of the elements that moved, of every step that was seen; NaN
        where they were 0.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn, optim
    >>> from autograd_core.tools.diagnosis.doctor import Doctor
    >>> _ = ag.manual_seed(0)
    >>> net, x = nn.Linear(4, 1), ag.randn(32, 4)
    >>> sgd = optim.SGD(net.named_parameters(), lr=0.1)
    >>> with Doctor(net, sgd) as watch:
    ...     for _ in range(3):
    ...         nn.functional.mse_loss(net(x), x[:, :1]).backward()
    ...         sgd.step()
    >>> print(str(watch.report()).splitlines()[0])
    doctor: 1 problem in 2 places
    >>> watch.report().codes
    ['D10-gradients-accumulate']
    """

    def __init__(self, model: Module, optimizer: Optimizer) -> None:
        if not isinstance(model, Module) or not isinstance(optimizer, Optimizer):
            kinds = f"{type(model).__name__} and {type(optimizer).__name__}"
            raise TypeError(f"Doctor: expected a Module and an Optimizer, got {kinds}")
        self.model, self.optimizer = model, optimizer
        self.steps = 0
        self.observations = 0
        self.ratios: dict[str, list[float]] = {}
        self._names = {id(p): name for name, p in model.named_parameters()}
        self._found: dict[tuple[str, str], Finding] = {}
        self._reached: set[int] = set()
        self._used: set[int] = set()  # whose present gradient has been used in a step
        self._handles: list[Any] = []
        self._examined = ""

    # The person's own loop

    def __enter__(self) -> Doctor:
        if self._handles:
            raise RuntimeError("Doctor: it is watching already")
        self._handles = [p.register_hook(self._arrival(p)) for p in self.model.parameters() if p.requires_grad]
        self._step = self.optimizer.step
        vars(self.optimizer)["step"] = self._watched
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
        vars(self.optimizer).pop("step", None)

    def _arrival(self, p: Tensor) -> Callable[[Tensor], None]:
        def arrive(gradient: Tensor) -> None:
            if modes.recorder() is not None:
                return
            self._reached.add(id(p))
            old = p.grad
            if id(p) in self._used and old is not None and old.array.any():
                name = self._names[id(p)]
                size = float(np.linalg.norm(old.array))
                evidence = (
                    f"step {self.steps + 1}: a gradient of norm {size:.2g}, used in step {self.steps}, is still there"
                )
                self._note(Finding("D10-gradients-accumulate", name, evidence, {"norm": size, "step": self.steps + 1}))
            self._used.discard(id(p))

        return arrive

    def _watched(self, closure: Callable[[], Any] | None = None) -> Any:
        if modes.recorder() is not None:
            return self._step(closure)
        self._before_step()
        owned = {name: p for group in self.optimizer.param_groups for name, p in self._named(group)}
        before = {name: p.array.copy() for name, p in owned.items()}
        result = self._step(closure)
        self.steps += 1
        self._used.update(id(p) for p in owned.values() if p.grad is not None)
        for name, p in owned.items():
            ratio = layers.update_ratio(before[name], p.array - before[name])
            self.ratios.setdefault(name, []).append(ratio)
        return result

    def _named(self, group: dict[str, Any]) -> list[tuple[str, Tensor]]:
        """The parameters of a group under the model's names, where it has them."""
        return [(self._names.get(id(p), n), p) for n, p in zip(group["names"], group["params"], strict=True)]

    def _before_step(self) -> None:
        for path, module in self.model.named_modules():
            if not self.model.training and data.asks_for_mode(module):
                kind = type(module).__name__
                evidence = f"step {self.steps + 1} of training: {kind} is in evaluation mode"
                self._note(Finding("D13-wrong-mode", path or "model", evidence, {"training": False}))
        for name, p in self.model.named_parameters():
            if p.grad is not None and not np.isfinite(p.grad.array).all():
                evidence = f"step {self.steps + 1}: its gradient is not finite; doctor() on this batch says where from"
                self._note(Finding("D16-non-finite", name, evidence, {"step": self.steps + 1}))

    # Whenever it is asked to

    def observe(self, loss: Callable[..., Any], batch: Any) -> DoctorReport:
        """Examine the model as it is now, in training mode whatever its mode is, and keep what is found."""
        report = doctor(self.model, loss, batch, self.optimizer, training=None)
        self.observations += 1
        self._examined = report.examined
        for finding in report.findings:
            self._note(finding)
        return report

    def _note(self, finding: Finding) -> None:
        """Keep a finding: as it was at first, and how often there was such a one."""
        first = self._found.get((finding.code, finding.where))
        known = finding if first is None else replace(first, times=first.times + 1)
        self._found[finding.code, finding.where] = known

    def report(self) -> DoctorReport:
        """All that was found until now; what was found at first, and how often."""
        found = dict(self._found)
        owned = {id(p) for group in self.optimizer.param_groups for p in group["params"]}
        for p_id, name in self._names.items() if self.steps else ():
            p = self.model.get_parameter(name)
            if p.requires_grad and p_id not in self._reached:
                evidence = f"no gradient in {self.steps} steps"
                found.setdefault(("D07-no-gradient", name), Finding("D07-no-gradient", name, evidence))
            elif p.requires_grad and p_id not in owned:
                evidence = f"trainable, of shape {p.shape}; the optimizer does not have it"
                found.setdefault(("D08-not-in-optimizer", name), Finding("D08-not-in-optimizer", name, evidence))
        seen = f"{self.steps} steps watched, {self.observations} examinations"
        examined = f"{seen}; the last: {self._examined}" if self._examined else seen
        return DoctorReport(list(found.values()), examined, max(self.observations, self.steps, 1))
