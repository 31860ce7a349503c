"""How sure a network with dropout is."""

from __future__ import annotations

from typing import Any

from autograd_core import Tensor, no_grad, stack

from ..dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout
from ..module import Module
from .modes import evaluating

__all__ = ["monte_carlo_dropout"]

DROPOUTS = (AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout)


def monte_carlo_dropout(model: Module, *inputs: Any, passes: int = 50) -> tuple[Tensor, Tensor]:
    """The mean and the spread of a network's outputs while its dropout goes on: a prediction, and how unsure it is.

    Dropout is in training mode, all else (batch normalisation above all) in evaluation mode; afterwards every module
    has the mode it had.

    Gal & Ghahramani, "Dropout as a Bayesian approximation" (2016), eq. 6, and the variance of eq. 8 without the noise
    of the observations.

    Parameters
    ----------
    model : Module
        With dropout in it: as layers, or as an option of attention or of recurrent layers.
    *inputs
        Of the model.
    passes : int
        How often to call it, at least 2.

    Returns
    -------
    mean, spread : Tensor
        Of the shape of the output; the spread is the standard deviation over the passes.

    Raises
    ------
    ValueError
        If there are fewer than 2 passes, or no dropout in the model.

    Examples
    --------
    >>> import autograd_core as ag
    >>> from autograd_core import nn
    >>> net = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    >>> mean, spread = nn.models.monte_carlo_dropout(net, ag.ones(3, 2))
    >>> mean.shape, (spread > 0).all()
    ((3, 1), tensor(True))
    """
    if passes < 2:
        raise ValueError(f"monte_carlo_dropout: expected at least 2 passes, got {passes}")
    drops = [module for module in model.modules() if _drops(module)]
    if not drops:
        raise ValueError("monte_carlo_dropout: there is no dropout in the model, so that all passes would be the same")
    with evaluating(model), no_grad():
        for module in drops:
            module.training = True
        outputs = stack([model(*inputs) for _ in range(passes)])
        return outputs.mean(0), outputs.std(0)


def _drops(module: Module) -> bool:
    """Whether it is a layer of dropout, or one whose only difference in training is its option `dropout`."""
    share = module.p if isinstance(module, DROPOUTS) else vars(module).get("dropout")
    return isinstance(share, (int, float)) and share > 0
