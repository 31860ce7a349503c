"""The activations in the table of what every layer promises."""

from contract import Layer

import autograd_core as ag
from autograd_core import nn
from autograd_core.nn.activation_module import Lambda


def elementwise(make, **more):
    """Of any shape, kept."""
    return Layer(make, ((2, 3),), empty=((0, 3),), **more)


def along(make, **more):
    """Along dimension 1."""
    return Layer(make, ((2, 3),), empty=((0, 3),), wrong=[(((),), "dim|axis")], **more)


STEPS = {
    "Heaviside": elementwise(lambda: nn.Heaviside(0.2), smooth=False),
    "Sign": elementwise(nn.Sign, smooth=False),
    "Threshold": elementwise(lambda: nn.Threshold(0.1, -2.0)),
}

RECTIFIERS = {
    "ReLU": elementwise(nn.ReLU),
    "LeakyReLU": elementwise(lambda: nn.LeakyReLU(0.2)),
    "PReLU": elementwise(nn.PReLU),
    "PReLU-channels": Layer(
        lambda: nn.PReLU(3, 0.1),
        ((2, 3, 2),),
        empty=((0, 3, 2),),
        wrong=[(((2, 4),), "one slope or 4"), (((3,),), "expected one slope")],
    ),
    "RReLU": elementwise(nn.RReLU),
    "ELU": elementwise(lambda: nn.ELU(0.7)),
    "SELU": elementwise(nn.SELU),
    "CELU": elementwise(lambda: nn.CELU(2.0)),
}

SMOOTH = {
    "Sigmoid": elementwise(nn.Sigmoid),
    "LogSigmoid": elementwise(nn.LogSigmoid),
    "Tanh": elementwise(nn.Tanh),
    "Tanhshrink": elementwise(nn.Tanhshrink),
    "Softplus": elementwise(nn.Softplus),
    "Softplus-sharp": elementwise(lambda: nn.Softplus(3.0, threshold=2.0)),
    "Softsign": elementwise(nn.Softsign),
}

PIECEWISE = {
    "Hardtanh": elementwise(lambda: nn.Hardtanh(-0.5, 0.7)),
    "ReLU6": elementwise(nn.ReLU6),
    "Hardsigmoid": elementwise(nn.Hardsigmoid),
    "Softshrink": elementwise(nn.Softshrink),
    "Hardshrink": elementwise(nn.Hardshrink),
    "Maxout": Layer(
        lambda: nn.Maxout(2, 1), ((2, 4, 2),), empty=((0, 4, 2),), wrong=[(((2, 3),), "maxout: .* divided by 2")]
    ),
}

GATES = {
    "GELU": elementwise(nn.GELU),
    "GELU-tanh": elementwise(lambda: nn.GELU("tanh")),
    "GLU": Layer(nn.GLU, ((2, 4),), empty=((0, 4),), wrong=[(((2, 3),), "glu: .* divided by 2")]),
    "Hardswish": elementwise(nn.Hardswish),
    "Mish": elementwise(nn.Mish),
    "SiLU": elementwise(nn.SiLU),
    "Swish": elementwise(lambda: nn.Swish(1.5)),
    "Swish-learned": elementwise(lambda: nn.Swish(1.5, learned=True)),
}

CHOICES = {
    "Softmax": along(lambda: nn.Softmax(1)),
    "LogSoftmax": along(lambda: nn.LogSoftmax(1)),
    "Softmin": along(lambda: nn.Softmin(1)),
    "Softmax2d": Layer(
        nn.Softmax2d, ((2, 3, 1, 2),), empty=((0, 3, 1, 2),), wrong=[(((3, 2),), r"Softmax2d: .* got \(3, 2\)")]
    ),
    "GumbelSoftmax": elementwise(lambda: nn.GumbelSoftmax(0.7)),
    "GumbelSoftmax-hard": elementwise(lambda: nn.GumbelSoftmax(hard=True), smooth=False),
}

OTHERS = {
    "Lambda": elementwise(lambda: Lambda(ag.sin)),
    "MLP": Layer(
        lambda: nn.MLP([3, 4, 2], "tanh"), ((2, 3),), empty=((0, 3),), wrong=[(((2, 4),), "linear: expected input")]
    ),
    "MLP-learned": Layer(lambda: nn.MLP([2, 3, 2], "prelu", output_activation="softmax"), ((2, 2),), empty=((0, 2),)),
}

LAYERS = {**STEPS, **RECTIFIERS, **SMOOTH, **PIECEWISE, **GATES, **CHOICES, **OTHERS}
