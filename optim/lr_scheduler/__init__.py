"""Schedules: learning rates as functions of the step.

Each schedule is a formula, a pure function of the step number and the base rate, and a small class around it that holds
the optimizer and where it stands, and writes ``group["lr"]`` before the next update.  The optimizer is not touched
otherwise, so ``values`` and ``plot`` show what a schedule is going to do, and to save one is to save its step number.

>>> import autograd_core as ag
>>> from autograd_core import optim
>>> w = ag.tensor([1.0], requires_grad=True)
>>> sgd = optim.SGD([w], lr=0.5)
>>> schedule = optim.lr_scheduler.StepLR(sgd, step_size=2, gamma=0.5)
>>> for _ in range(3):
...     sgd.zero_grad()
...     (w * w).sum().backward()
...     sgd.step()
...     schedule.step()
>>> schedule.get_last_lr(), schedule.values(5).ravel().tolist()
([0.25], [0.5, 0.5, 0.25, 0.25, 0.125])
"""

from . import composite as _composite
from . import cosines as _cosines
from . import cycles as _cycles
from . import decay as _decay
from . import factors as _factors
from . import plateau as _plateau
from . import ramps as _ramps
from . import scheduler as _scheduler
from .composite import *
from .cosines import *
from .cycles import *
from .decay import *
from .factors import *
from .plateau import *
from .ramps import *
from .scheduler import *

__all__ = [
    name
    for family in (_composite, _cosines, _cycles, _decay, _factors, _plateau, _ramps, _scheduler)
    for name in family.__all__
]
