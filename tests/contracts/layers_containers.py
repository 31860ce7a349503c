"""Modules made of modules."""

from contract import Layer

from autograd_core import nn

LAYERS = {
    "Sequential": Layer(
        lambda: nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)),
        ((4, 2),),
        empty=((0, 2),),
        wrong=[(((4, 3),), r"linear: expected input of shape \(..., 2\)")],
    ),
    "Residual": Layer(
        lambda: nn.Residual(nn.Linear(2, 2)),
        ((4, 2),),
        empty=((0, 2),),
        wrong=[(((4, 3),), r"linear: expected input of shape \(..., 2\)")],
    ),
    "Residual-shortcut": Layer(
        lambda: nn.Residual(nn.Linear(2, 3), nn.Linear(2, 3, bias=False)),
        ((4, 2),),
        empty=((0, 2),),
    ),
}
