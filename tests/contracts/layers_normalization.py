"""Normalisation, dropout, noise and parametrised layers in the table of what every layer promises."""

from contract import Layer

from autograd_core import nn
from autograd_core.nn.noise import GaussianNoise
from autograd_core.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm

LENGTHS = ((), (2,), (2, 2), (2, 2, 1))


def batch(n, *options, **more):
    """Batch normalisation over n dimensions beside the channels."""
    of = nn.BatchNorm1d if n < 2 else getattr(nn, f"BatchNorm{n}d")
    beside = LENGTHS[n]
    return Layer(
        lambda: of(2, *options, **more),
        ((4, 2, *beside),),
        empty=((0, 2, *beside),),
        wrong=[(((4, 3, *beside),), "expected 2 channels"), (((2,),), r"expected input of shape \(N, C")],
    )


def instance(n, **options):
    """Instance normalisation over n dimensions beside the channels."""
    of = getattr(nn, f"InstanceNorm{n}d")
    size = (3,) if n == 1 else LENGTHS[n]
    return Layer(
        lambda: of(2, **options),
        ((3, 2, *size),),
        empty=((0, 2, *size),),
        wrong=[(((3, 4, *size),), "expected 2 channels"), (((2,),), r"expected input of shape \(N, C")],
    )


BATCH = {
    "BatchNorm1d": batch(0),
    "BatchNorm1d-length": batch(1, 1e-3, None),
    "BatchNorm1d-plain": batch(0, 1e-3, 0.3, False, False),
    "BatchNorm1d-no-bias": batch(0, bias=False),
    "BatchNorm2d": batch(2),
    "BatchNorm3d": batch(3, 1e-3),
}

INSTANCE = {
    "InstanceNorm1d": instance(1),
    "InstanceNorm1d-affine": instance(1, affine=True, track_running_stats=True),
    "InstanceNorm2d": instance(2, affine=True),
    "InstanceNorm3d": instance(3, track_running_stats=True, momentum=0.3),
    "InstanceNorm2d-unbatched": Layer(lambda: nn.InstanceNorm2d(2, affine=True), ((2, 2, 3),)),
}

LAST = {
    "LayerNorm": Layer(
        lambda: nn.LayerNorm(4),
        ((3, 4),),
        empty=((0, 4),),
        wrong=[(((3, 5),), r"last sizes \(4,\)"), (((),), r"last sizes \(4,\)")],
    ),
    "LayerNorm-several": Layer(lambda: nn.LayerNorm([2, 3], bias=False), ((2, 2, 3),), empty=((0, 2, 3),)),
    "LayerNorm-plain": Layer(lambda: nn.LayerNorm(3, 1e-3, False), ((2, 2, 3),), empty=((0, 2, 3),)),
    "RMSNorm": Layer(lambda: nn.RMSNorm(4), ((3, 4),), empty=((0, 4),), wrong=[(((3, 5),), r"last sizes \(4,\)")]),
    "RMSNorm-plain": Layer(lambda: nn.RMSNorm((2, 3), 0.1, False), ((2, 2, 3),), empty=((0, 2, 3),)),
}

CHANNELS = {
    "GroupNorm": Layer(
        lambda: nn.GroupNorm(2, 4),
        ((2, 4, 2),),
        empty=((0, 4, 2),),
        wrong=[(((2, 6, 2),), "num_channels"), (((4,),), "num_channels")],
    ),
    "GroupNorm-plain": Layer(lambda: nn.GroupNorm(1, 4, affine=False), ((3, 4),), empty=((0, 4),)),
    "LocalResponseNorm": Layer(
        lambda: nn.LocalResponseNorm(2, alpha=0.5),
        ((2, 3, 2),),
        empty=((0, 3, 2),),
        wrong=[(((2, 3),), "at least 3 dimensions")],
    ),
}

DROPPED = {
    "Dropout": Layer(nn.Dropout, ((3, 4),), empty=((0, 4),)),
    "Dropout-all": Layer(lambda: nn.Dropout(1.0, inplace=True), ((3, 4),), empty=((0, 4),)),
    "Dropout1d": Layer(nn.Dropout1d, ((2, 3, 2),), empty=((0, 3, 2),), wrong=[(((3,),), "2 or 3 dimensions")]),
    "Dropout2d": Layer(nn.Dropout2d, ((2, 3, 2, 1),), empty=((0, 3, 2, 1),), wrong=[(((3, 2),), "3 or 4 dimensions")]),
    "Dropout3d": Layer(
        nn.Dropout3d, ((2, 3, 2, 1, 1),), empty=((0, 3, 2, 1, 1),), wrong=[(((3, 2),), "4 or 5 dimensions")]
    ),
    "AlphaDropout": Layer(lambda: nn.AlphaDropout(0.3), ((3, 4),), empty=((0, 4),)),
    "FeatureAlphaDropout": Layer(
        nn.FeatureAlphaDropout, ((2, 3, 2),), empty=((0, 3, 2),), wrong=[(((3,),), r"\(N, C")]
    ),
    "GaussianNoise": Layer(lambda: GaussianNoise(0.5), ((3, 4),), empty=((0, 4),)),
}

# Of a single row the power iteration finds the singular value at once, so that its gradient is the true one.
PARAMETRISED = {
    f"{kind.__name__}-{name}": Layer(
        lambda kind=kind, make=make, outputs=outputs: kind(make(outputs)), (shape,), empty=((0, *shape[1:]),)
    )
    for kind, outputs in ((weight_norm, 2), (spectral_norm, 1), (orthogonal, 2))
    for name, make, shape in (
        ("Linear", lambda outputs: nn.Linear(3, outputs), (2, 3)),
        ("Conv1d", lambda outputs: nn.Conv1d(2, outputs, 2), (2, 2, 3)),
        ("ConvTranspose1d", lambda outputs: nn.ConvTranspose1d(2, outputs, 2), (2, 2, 3)),
    )
}

LAYERS = {**BATCH, **INSTANCE, **LAST, **CHANNELS, **DROPPED, **PARAMETRISED}
