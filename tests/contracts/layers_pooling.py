"""Pooling: of windows, to a given size, at random, and back."""

from functools import partial

import numpy as np
from contract import Layer

from autograd_core import nn

SHAPES = {1: (2, 1, 5), 2: (1, 3, 4), 3: (1, 1, 2, 3, 3)}
"""Of inputs, for each number of dimensions: with or without a batch."""


def empty(n):
    return ((0, 2, *SHAPES[n][-n:]),)


def flat(n):
    """An input that has too few dimensions, and what is said about it."""
    return ((4,) * n,), r"expected input of shape \(N, C, "


def short(n):
    """An input that is smaller than the window, and what is said about it."""
    return ((1, *(1,) * n),), "no window of"


def windows():
    """The layers that reduce windows, in plain form and with all options."""
    found = {}
    for n, shape in SHAPES.items():
        last = (1,) * (n - 1) + (2,)
        forms = {
            f"MaxPool{n}d": ((2,), {}),
            f"MaxPool{n}d-options": ((2,), {"stride": 1, "padding": 1, "ceil_mode": True, "return_indices": True}),
            f"MaxPool{n}d-dilation": ((2,), {"dilation": last}),
            f"AvgPool{n}d": ((2,), {}),
            f"AvgPool{n}d-options": ((2,), {"stride": 1, "padding": 1, "count_include_pad": False, "ceil_mode": True}),
            f"LPPool{n}d": ((2, 2), {}),
            f"LPPool{n}d-options": ((4.0, last), {"stride": 2, "ceil_mode": True}),
            f"LPPool{n}d-infinite": ((float("inf"), 2), {}),
        }
        for name, (args, options) in forms.items():
            make = partial(getattr(nn, name.split("-")[0]), *args, **options)
            wrong = [flat(n)] if options else [flat(n), short(n)]
            found[name] = Layer(make, (shape,), empty=empty(n), wrong=wrong)
    found["AvgPool2d-divisor"] = Layer(lambda: nn.AvgPool2d((2, 1), divisor_override=3), ((1, 2, 3),))
    return found


def to_a_size():
    """The layers that get the size of the output."""
    found = {}
    for n, shape in SHAPES.items():
        for kind in ("AdaptiveAvgPool", "AdaptiveMaxPool"):
            layer = getattr(nn, f"{kind}{n}d")
            found[f"{kind}{n}d"] = Layer(partial(layer, 2), (shape,), empty=empty(n), wrong=[flat(n)])
            found[f"{kind}{n}d-global"] = Layer(partial(layer, 1), (shape,), empty=empty(n))
        make = partial(getattr(nn, f"AdaptiveMaxPool{n}d"), (None,) * (n - 1) + (2,), return_indices=True)
        found[f"AdaptiveMaxPool{n}d-indices"] = Layer(make, (shape,), empty=empty(n))
    for n in (2, 3):
        layer = getattr(nn, f"FractionalMaxPool{n}d")
        found[f"FractionalMaxPool{n}d"] = Layer(
            partial(layer, 2, output_ratio=0.5, return_indices=True),
            ((1, 2, *(4,) * n),),
            empty=((0, 2, *(4,) * n),),
            wrong=[flat(n), (((1, *(1,) * n),), "do not fit")],
        )
        found[f"FractionalMaxPool{n}d-samples"] = Layer(
            partial(layer, 1, output_size=2, _random_samples=np.full((2, 1, n), 0.6, np.float32)),
            ((1, *(3,) * n),),
            wrong=[(((2, *(3,) * n),), "_random_samples of shape")],
        )
    return found


def indices(*values, to):
    """Where maxima were, in this shape."""
    return lambda rng: np.reshape(np.array(values, np.int64), to)


def back():
    """The layers that undo max-pooling."""
    found = {}
    for n in SHAPES:
        layer, thin = getattr(nn, f"MaxUnpool{n}d"), (1,) * (n - 1)
        shape = (2, 1, 2, *thin)
        found[f"MaxUnpool{n}d"] = Layer(
            partial(layer, 2),
            (shape, indices(1, 2, 0, 3, to=shape)),
            empty=((0, 1, 2, *thin), indices(to=(0, 1, 2, *thin))),
            wrong=[
                (((2, 1, 1, *thin), indices(1, 2, 0, 3, to=shape)), "expected indices of the shape of input"),
                ((shape, indices(1, 2, 0, 2 * 2**n, to=shape)), "out of bounds"),
            ],
        )
        found[f"MaxUnpool{n}d-output_size"] = Layer(
            partial(layer, 3, stride=2, padding=1),
            ((2, 1, *thin), indices(0, 1, to=(2, 1, *thin))),
            options={"output_size": (2,) * n},
            wrong=[(((1, 3, *thin), indices(0, 0, 0, to=(1, 3, *thin))), "by less than the stride")],
        )
    return found


LAYERS = windows() | to_a_size() | back()
