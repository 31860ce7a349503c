if not __name__.startswith("autograd_core."):
    raise ImportError("import it as autograd_core.optim: 'from autograd_core import optim'")

from .adam import Adam, AdamW, adam_update, adamw_update
from .optimizer import Optimizer
from .sgd import SGD, sgd_update

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "adam_update", "adamw_update", "sgd_update"]
