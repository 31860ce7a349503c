"""All optimizers, for what is promised of every one; two or three rows where the settings change what is remembered.

The settings are those that find the minimum of a small quadratic in some hundred steps.
"""

from autograd_core import optim


def with_settings(cls, **settings):
    """A factory that takes parameters, and options before those settings."""
    return lambda params, **options: cls(params, **{**settings, **options})


OPTIMIZERS = {
    "ASGD": with_settings(optim.ASGD, lr=0.1),
    "ASGD-averaging": with_settings(optim.ASGD, lr=0.1, t0=2.0, weight_decay=1e-4),
    "Adadelta": with_settings(optim.Adadelta, lr=10.0),
    "Adafactor": with_settings(optim.Adafactor, lr=0.1),
    "Adafactor-eps": with_settings(optim.Adafactor, lr=0.1, eps=(1e-6, 1e-3), weight_decay=1e-6),
    "Adagrad": with_settings(optim.Adagrad, lr=1.0, initial_accumulator_value=0.1),
    "Adam": with_settings(optim.Adam, lr=0.1),
    "Adam-amsgrad": with_settings(optim.Adam, lr=0.1, amsgrad=True, weight_decay=1e-4),
    "AdamW": with_settings(optim.AdamW, lr=0.1, weight_decay=1e-4),
    "Adamax": with_settings(optim.Adamax, lr=0.1),
    "LBFGS": with_settings(optim.LBFGS, line_search_fn="strong_wolfe"),
    "LBFGS-fixed": with_settings(optim.LBFGS, lr=0.5),
    "Lion": with_settings(optim.Lion, lr=0.01, weight_decay=1e-4),
    "NAdam": with_settings(optim.NAdam, lr=0.1),
    "RAdam": with_settings(optim.RAdam, lr=0.1),
    "RMSprop": with_settings(optim.RMSprop, lr=0.01),
    "RMSprop-centered": with_settings(optim.RMSprop, lr=0.01, centered=True, momentum=0.5),
    "Rprop": with_settings(optim.Rprop, lr=0.1),
    "SGD": with_settings(optim.SGD, lr=0.1),
    "SGD-momentum": with_settings(optim.SGD, lr=0.02, momentum=0.9, weight_decay=1e-4),
    "SGD-nesterov": with_settings(optim.SGD, lr=0.02, momentum=0.9, nesterov=True),
}
