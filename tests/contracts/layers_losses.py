"""The losses and distances in the table of what every layer promises."""

from functools import partial

import numpy as np
from contract import Layer, classes, probabilities

from autograd_core import nn

DIFFER = "of shape .* differ; a loss does not broadcast"
WEIGHTS = [0.5, 1.0, 2.0]


def loss(name, make, inputs, empty, wrong=((((2, 1), (2,)), DIFFER),)):
    """Two rows: by the mean, which an empty batch has not, and by the sum."""
    return {
        name: Layer(make, inputs, wrong=list(wrong)),
        f"{name}-sum": Layer(partial(make, reduction="sum"), inputs, empty=empty),
    }


def of_numbers(name, make):
    return loss(name, make, ((2, 3), (2, 3)), ((0, 3), (0, 3)))


def signs(*shape):
    """-1 or 1, as integers: no gradient is to be checked."""
    return lambda rng: rng.choice([-1, 1], shape)


def of_signs(name, make):
    return loss(name, make, ((5,), signs(5)), ((0,), signs(0)))


def of_classes(name, make, dims=()):
    """Scores of three classes, two of a batch."""
    wrong = [
        (((2, 3), classes(3, count=3)), r"integer classes of shape \(2,\)"),
        (((2, 3), lambda rng: rng.integers(3, 5, 2)), "there are 3 classes"),
    ]
    return loss(name, make, ((2, 3, *dims), classes(2, *dims, count=3)), ((0, 3), classes(0, count=3)), wrong)


def of_probabilities(name, make):
    wrong = [((probabilities(2, 1), probabilities(2)), DIFFER)]
    return loss(
        name, make, (probabilities(2, 3), probabilities(2, 3)), (probabilities(0, 3), probabilities(0, 3)), wrong
    )


def of_labels(name, make):
    return loss(name, make, ((2, 3), probabilities(2, 3)), ((0, 3), probabilities(0, 3)))


def of_vectors(name, make):
    wrong = [(((2, 3), (2, 3), (1, 3)), DIFFER)]
    return loss(name, make, ((4, 3), (4, 3), (4, 3)), ((0, 3), (0, 3), (0, 3)), wrong)


def counts(*shape):
    return lambda rng: rng.poisson(3.0, shape)


def class_sets(rng):
    """Of four classes two, one and three are right."""
    return np.array([[0, 2, -1, -1], [1, -1, 0, 3], [3, 1, 0, -1]])


NUMBERS = {
    **of_numbers("MSELoss", nn.MSELoss),
    **of_numbers("HalfMSELoss", nn.HalfMSELoss),
    **of_numbers("L1Loss", nn.L1Loss),
    **of_numbers("HuberLoss", partial(nn.HuberLoss, delta=0.5)),
    **of_numbers("SmoothL1Loss", partial(nn.SmoothL1Loss, beta=0.5)),
    **of_numbers("LogCoshLoss", nn.LogCoshLoss),
    **loss(
        "GaussianNLLLoss",
        nn.GaussianNLLLoss,
        ((2, 3), (2, 3), probabilities(2, 3)),
        ((0, 3), (0, 3), probabilities(0, 3)),
        [(((2, 1), (2,), probabilities(2)), DIFFER), (((2,), (2,), lambda rng: -rng.random(2)), "at least 0")],
    ),
    **loss("PoissonNLLLoss", partial(nn.PoissonNLLLoss, full=True), ((4,), counts(4)), ((0,), counts(0))),
    **loss(
        "PoissonNLLLoss-rate",
        partial(nn.PoissonNLLLoss, log_input=False),
        (probabilities(4), counts(4)),
        (probabilities(0), counts(0)),
    ),
}

CROSS_ENTROPIES = {
    **of_classes("CrossEntropyLoss", nn.CrossEntropyLoss),
    **of_classes(
        "CrossEntropyLoss-options",
        partial(nn.CrossEntropyLoss, WEIGHTS, ignore_index=1, label_smoothing=0.1),
        dims=(2,),
    ),
    "CrossEntropyLoss-soft": Layer(
        lambda: nn.CrossEntropyLoss(WEIGHTS, allow_unnormalized=True), ((2, 3), probabilities(2, 3))
    ),
    **of_classes("NLLLoss", nn.NLLLoss),
    **of_classes("NLLLoss-options", partial(nn.NLLLoss, WEIGHTS, ignore_index=1), dims=(2,)),
    **of_probabilities("BCELoss", nn.BCELoss),
    **of_probabilities("BCELoss-weighted", partial(nn.BCELoss, WEIGHTS)),
    **of_labels("BCEWithLogitsLoss", nn.BCEWithLogitsLoss),
    **of_labels("BCEWithLogitsLoss-weighted", partial(nn.BCEWithLogitsLoss, WEIGHTS, pos_weight=[2.0, 1.0, 3.0])),
    **of_labels("MultiLabelSoftMarginLoss", partial(nn.MultiLabelSoftMarginLoss, WEIGHTS)),
    **of_labels("KLDivLoss", nn.KLDivLoss),
    **of_numbers("KLDivLoss-log", partial(nn.KLDivLoss, log_target=True)),
    "KLDivLoss-batchmean": Layer(lambda: nn.KLDivLoss(reduction="batchmean"), ((2, 3), probabilities(2, 3))),
}

MARGINS = {
    **of_signs("HingeLoss", nn.HingeLoss),
    **of_signs("SquaredHingeLoss", partial(nn.SquaredHingeLoss, 0.5)),
    **of_signs("SoftMarginLoss", nn.SoftMarginLoss),
    **of_signs("HingeEmbeddingLoss", nn.HingeEmbeddingLoss),
    **loss(
        "MarginRankingLoss",
        partial(nn.MarginRankingLoss, 0.3),
        ((4,), (4,), signs(4)),
        ((0,), (0,), signs(0)),
        [(((2,), (2, 1), signs(2)), DIFFER)],
    ),
    **of_classes("MultiMarginLoss", nn.MultiMarginLoss),
    **of_classes("MultiMarginLoss-squares", partial(nn.MultiMarginLoss, 2, 0.5, WEIGHTS)),
    **of_classes("MulticlassHingeLoss", nn.MulticlassHingeLoss),
    **of_classes("MulticlassHingeLoss-max", partial(nn.MulticlassHingeLoss, over="max")),
    **loss(
        "MultiLabelMarginLoss",
        nn.MultiLabelMarginLoss,
        ((3, 4), class_sets),
        ((0, 4), classes(0, 4, count=4)),
        [(((2, 1), classes(2, count=1)), DIFFER)],
    ),
    **loss(
        "CosineEmbeddingLoss",
        partial(nn.CosineEmbeddingLoss, 0.2),
        ((4, 3), (4, 3), signs(4)),
        ((0, 3), (0, 3), signs(0)),
        [(((4, 3), (4, 3), signs(4, 1)), r"target of shape \(4, 1\)")],
    ),
    **of_vectors("TripletMarginLoss", partial(nn.TripletMarginLoss, 2.0, swap=True)),
    **of_vectors(
        "TripletMarginWithDistanceLoss",
        partial(nn.TripletMarginWithDistanceLoss, distance_function=nn.PairwiseDistance(1.5), margin=2.0),
    ),
}

IMBALANCE = {
    **loss(
        "SigmoidFocalLoss",
        nn.SigmoidFocalLoss,
        ((2, 3), classes(2, 3, count=2)),
        ((0, 3), classes(0, 3, count=2)),
        [(((2, 1), classes(2, count=2)), DIFFER), (((2,), lambda rng: rng.random(2)), "expected targets 0 and 1")],
    ),
    **of_classes("FocalLoss", nn.FocalLoss),
    **of_classes("FocalLoss-weighted", partial(nn.FocalLoss, WEIGHTS, 0.5), dims=(2,)),
    **of_probabilities("DiceLoss", nn.DiceLoss),
    **of_probabilities("DiceLoss-of-classes", partial(nn.DiceLoss, smooth=0.5, dim=0)),
}

ADVERSARIAL = {
    "GANDiscriminatorLoss": Layer(nn.GANDiscriminatorLoss, ((3, 1), (2, 1))),
    "MinimaxGeneratorLoss": Layer(nn.MinimaxGeneratorLoss, ((3, 1),)),
    "NonSaturatingGeneratorLoss": Layer(nn.NonSaturatingGeneratorLoss, ((3, 1),)),
    "WassersteinCriticLoss": Layer(nn.WassersteinCriticLoss, ((3, 1), (2, 1))),
    "WassersteinGeneratorLoss": Layer(nn.WassersteinGeneratorLoss, ((3, 1),)),
}

DISTANCES = {
    "CosineSimilarity": Layer(
        nn.CosineSimilarity, ((2, 3), (2, 3)), empty=((0, 3), (0, 3)), wrong=[(((2, 3), (2, 4)), "broadcast")]
    ),
    "PairwiseDistance": Layer(
        lambda: nn.PairwiseDistance(1.5, keepdim=True),
        ((2, 3), (2, 3)),
        empty=((0, 3), (0, 3)),
        wrong=[(((2, 3), (2, 4)), "broadcast")],
    ),
}

LAYERS = {**NUMBERS, **CROSS_ENTROPIES, **MARGINS, **IMBALANCE, **ADVERSARIAL, **DISTANCES}
