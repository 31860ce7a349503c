"""Convolutions, and the windows, pixels, sizes and tables around them."""

from functools import partial

import numpy as np
from contract import Layer, classes

from autograd_core import nn

CONVOLUTIONS = {
    "Conv1d": Layer(
        lambda: nn.Conv1d(2, 3, 2),
        ((2, 2, 4),),
        empty=((0, 2, 4),),
        wrong=[(((2, 3, 4),), "2 channels"), (((2, 2, 1),), "does not fit"), (((4,),), r"\(N, C, length\)")],
    ),
    "Conv1d-reflect": Layer(
        lambda: nn.Conv1d(2, 2, 3, padding=2, padding_mode="reflect", bias=False),
        ((2, 2, 3),),
        empty=((0, 2, 3),),
        wrong=[(((2, 2, 2),), "'reflect' cannot pad size 2")],
    ),
    "Conv1d-replicate": Layer(
        lambda: nn.Conv1d(2, 2, 2, stride=2, padding=1, padding_mode="replicate"), ((2, 2, 3),), empty=((0, 2, 3),)
    ),
    "Conv2d": Layer(
        lambda: nn.Conv2d(2, 4, (2, 3), stride=(1, 2), padding=1, groups=2),
        ((1, 2, 3, 3),),
        empty=((0, 2, 3, 3),),
        wrong=[(((1, 3, 3, 3),), "2 channels"), (((3, 3),), r"\(N, C, height, width\)")],
    ),
    "Conv2d-same": Layer(lambda: nn.Conv2d(1, 2, 2, padding="same", dilation=2), ((1, 3, 3),)),
    "Conv2d-circular": Layer(
        lambda: nn.Conv2d(1, 1, 2, padding="same", padding_mode="circular"), ((2, 1, 2, 3),), empty=((0, 1, 2, 3),)
    ),
    "Conv3d": Layer(
        lambda: nn.Conv3d(1, 2, (1, 2, 2), padding=(0, 1, 0)),
        ((1, 1, 2, 2, 2),),
        empty=((0, 1, 2, 2, 2),),
        wrong=[(((1, 2, 2, 2, 2),), "1 channels")],
    ),
    "ConvTranspose1d": Layer(
        lambda: nn.ConvTranspose1d(2, 2, 3, stride=2, padding=1, output_padding=1, groups=2),
        ((2, 2, 3),),
        empty=((0, 2, 3),),
        wrong=[(((2, 3, 3),), "2 channels")],
    ),
    "ConvTranspose2d": Layer(
        lambda: nn.ConvTranspose2d(2, 1, 2, dilation=(1, 2)),
        ((1, 2, 2, 2),),
        empty=((0, 2, 2, 2),),
        wrong=[(((2, 2),), r"\(N, C, height, width\)")],
    ),
    "ConvTranspose2d-output_size": Layer(
        lambda: nn.ConvTranspose2d(1, 2, 2, stride=(3, 2), bias=False),
        ((1, 2, 2),),
        options={"output_size": (7, 5)},
        wrong=[(((1, 4, 2),), r"output_size from \(11, 4\) to \(13, 5\)")],
    ),
    "ConvTranspose3d": Layer(
        lambda: nn.ConvTranspose3d(1, 2, (1, 2, 2), stride=(1, 1, 2)),
        ((1, 1, 2, 1, 2),),
        empty=((0, 1, 2, 1, 2),),
        wrong=[(((1, 2, 2, 1, 2),), "1 channels")],
    ),
    "Unfold": Layer(
        lambda: nn.Unfold((2, 1), dilation=(1, 2), padding=(0, 1), stride=(1, 2)),
        ((2, 2, 3, 3),),
        empty=((0, 2, 3, 3),),
        wrong=[(((2, 2, 1, 3),), "no window of")],
    ),
    "Fold": Layer(
        lambda: nn.Fold((3, 3), 2), ((2, 8, 4),), empty=((0, 8, 4),), wrong=[(((2, 8, 3),), "expected input of shape")]
    ),
}


def padding_layers():
    """Every padding layer, with another number on each side."""
    shapes = {1: (2, 1, 3), 2: (1, 3, 3), 3: (1, 1, 2, 3, 3)}
    widths = {1: (2, 1), 2: (1, 0, 2, 1), 3: (0, 1, 2, 0, 1, 1)}
    found = {}
    for n, shape in shapes.items():
        for kind in ("ConstantPad", "ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad"):
            value = (2.0,) if kind == "ConstantPad" else ()
            wrong = [((() if n == 1 else (n,),), "at most")]
            if kind in ("ReflectionPad", "CircularPad"):
                wrong.append((((1,) * (n + 1),), "cannot pad size 1"))
            make = partial(getattr(nn, f"{kind}{n}d"), widths[n], *value)
            found[f"{kind}{n}d"] = Layer(make, (shape,), empty=((0, *shape[-n:]),), wrong=wrong)
    return found


VISION = {
    "PixelShuffle": Layer(
        lambda: nn.PixelShuffle(2), ((2, 4, 1, 2),), empty=((0, 4, 1, 2),), wrong=[(((3, 1, 2),), "upscale_factor 2")]
    ),
    "PixelUnshuffle": Layer(
        lambda: nn.PixelUnshuffle(2),
        ((2, 1, 2, 4),),
        empty=((0, 1, 2, 4),),
        wrong=[(((1, 3, 4),), "downscale_factor 2")],
    ),
    "ChannelShuffle": Layer(
        lambda: nn.ChannelShuffle(2), ((2, 4, 3),), empty=((0, 4, 3),), wrong=[(((2, 3, 3),), "groups=2")]
    ),
    "Upsample": Layer(
        lambda: nn.Upsample(scale_factor=2), ((2, 1, 3),), empty=((0, 1, 3),), wrong=[(((3,),), r"\(N, C, \*\)")]
    ),
    "Upsample-linear": Layer(
        lambda: nn.Upsample(5, mode="linear"), ((1, 2, 3),), empty=((0, 2, 3),), wrong=[(((1, 2, 3, 3),), "'linear'")]
    ),
    "Upsample-bicubic": Layer(
        lambda: nn.Upsample((4, 3), mode="bicubic", align_corners=False), ((1, 1, 3, 2),), empty=((0, 1, 3, 2),)
    ),
    "Upsample-trilinear": Layer(lambda: nn.Upsample(3, mode="trilinear"), ((1, 1, 2, 1, 2),)),
    "Upsample-area": Layer(lambda: nn.Upsample((2, 2), mode="area"), ((1, 1, 3, 4),)),
    "UpsamplingNearest2d": Layer(lambda: nn.UpsamplingNearest2d(size=(3, 2)), ((1, 2, 2, 2),), empty=((0, 2, 2, 2),)),
    "UpsamplingBilinear2d": Layer(
        lambda: nn.UpsamplingBilinear2d(scale_factor=2),
        ((1, 1, 2, 2),),
        empty=((0, 1, 2, 2),),
        wrong=[(((1, 1, 2),), "'bilinear'")],
    ),
}

DENSE = {
    "Identity": Layer(lambda: nn.Identity(), ((2, 3),), empty=((0, 3),)),
    "Linear": Layer(
        lambda: nn.Linear(3, 2), ((2, 3),), empty=((0, 3),), wrong=[(((2, 4),), "its last dimension must be")]
    ),
    "Linear-without bias": Layer(lambda: nn.Linear(3, 2, bias=False), ((3,),)),
    "Bilinear": Layer(
        lambda: nn.Bilinear(2, 3, 2),
        ((2, 2), (2, 3)),
        empty=((0, 2), (0, 3)),
        wrong=[(((2, 2), (2, 2)), "bilinear: expected inputs"), (((1, 2), (2, 3)), "bilinear: expected inputs")],
    ),
    "Flatten": Layer(lambda: nn.Flatten(), ((2, 2, 3),), empty=((0, 2, 3),), wrong=[(((3,),), "flatten: .* got 1")]),
    "Flatten-all": Layer(lambda: nn.Flatten(0), ((2, 2, 3),)),
    "Unflatten": Layer(
        lambda: nn.Unflatten(1, (2, -1)),
        ((2, 6),),
        empty=((0, 6),),
        wrong=[(((2, 3),), "do not multiply"), (((6,),), "dim must be in")],
    ),
}

EMBEDDINGS = {
    "Embedding": Layer(
        lambda: nn.Embedding(4, 2),
        (classes(2, 3, count=4),),
        empty=(classes(0, 3, count=4),),
        wrong=[((lambda rng: np.array([0, 4]),), "rows 0 to 3"), (((2, 3),), "integer indices")],
    ),
    "Embedding-max_norm": Layer(
        lambda: nn.Embedding(4, 2, max_norm=100.0), (lambda rng: np.array(1),), empty=(classes(0, 3, count=4),)
    ),
    "Embedding-options": Layer(
        lambda: nn.Embedding(4, 2, padding_idx=-1, max_norm=0.5, norm_type=1.0, scale_grad_by_freq=True),
        (lambda rng: np.array([[0, 1, 1], [3, 1, 0]]),),
        empty=(classes(0, 3, count=4),),
        smooth=False,  # these options change the gradient, so it is no derivative
    ),
    "EmbeddingBag": Layer(
        lambda: nn.EmbeddingBag(4, 2),
        (classes(2, 3, count=4),),
        empty=(classes(0, 3, count=4),),
        wrong=[((lambda rng: np.array([[0, 4]]),), "rows 0 to 3"), ((classes(3, count=4),), "without offsets")],
    ),
    "EmbeddingBag-sum": Layer(
        lambda: nn.EmbeddingBag(4, 2, mode="sum", max_norm=100.0, padding_idx=1, include_last_offset=True),
        (lambda rng: np.array([0, 1, 2, 0, 3]), lambda rng: np.array([0, 2, 2, 5]), (5,)),
        empty=(classes(0, count=4), lambda rng: np.array([0]), (0,)),
        wrong=[
            ((classes(5, count=4), lambda rng: np.array([0, 2, 1, 5])), "do not decrease"),
            ((classes(5, count=4), lambda rng: np.array([0, 2, 4])), "end at 5"),
            ((classes(5, count=4), lambda rng: np.array([0, 5]), (4,)), "per_sample_weights need"),
        ],
    ),
    "EmbeddingBag-mean": Layer(
        lambda: nn.EmbeddingBag(4, 2, padding_idx=1),
        (lambda rng: np.array([0, 1, 2, 0, 3]), lambda rng: np.array([0, 2, 2])),
        empty=(classes(0, count=4), lambda rng: np.array([], np.int64)),
        wrong=[((classes(5, count=4), lambda rng: np.array([1, 2])), "start at 0")],
    ),
    "EmbeddingBag-options": Layer(
        lambda: nn.EmbeddingBag(4, 2, max_norm=0.5, norm_type=1.0, scale_grad_by_freq=True),
        (classes(2, 3, count=4),),
        smooth=False,  # these options change the gradient, so it is no derivative
    ),
    "EmbeddingBag-max": Layer(
        lambda: nn.EmbeddingBag(4, 2, mode="max", padding_idx=1),
        (lambda rng: np.array([0, 1, 2, 1, 0, 3]), lambda rng: np.array([0, 3, 4, 4])),
        empty=(classes(0, count=4), lambda rng: np.array([], np.int64)),
    ),
}

LAYERS = CONVOLUTIONS | padding_layers() | VISION | DENSE | EMBEDDINGS
