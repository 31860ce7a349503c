"""Activations and losses.

NAMES are PyTorch's.  DEPARTURES gives, for a name, pairs: a test of a sample (its ``input``, ``args``, ``kwargs``),
and the reason why we decided otherwise for such samples.  CALLS gives, for an entry of PyTorch's whose samples are not
arguments for our function, the same call of ours.
"""

import autograd_core as ag
from autograd_core import nn

F = nn.functional

ACTIVATIONS = """
relu relu6 leaky_relu rrelu prelu elu selu celu gelu silu hardswish hardsigmoid hardtanh softplus softsign mish glu
softmin threshold softshrink hardshrink tanhshrink logsigmoid
"""

LOSSES = """
mse_loss l1_loss huber_loss smooth_l1_loss gaussian_nll_loss poisson_nll_loss
cross_entropy nll_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div multilabel_soft_margin_loss
hinge_embedding_loss margin_ranking_loss multi_margin_loss multilabel_margin_loss soft_margin_loss
cosine_embedding_loss triplet_margin_loss triplet_margin_with_distance_loss
"""

NAMES: set[str] = {f"nn.functional.{name}" for name in (ACTIVATIONS + LOSSES).split()}

CALLS = {
    # PyTorch's samples of soft targets do not sum to 1.
    "nn.functional.cross_entropy": lambda *args, **options: F.cross_entropy(*args, **options, allow_unnormalized=True),
    # PyTorch's samples bring a distance that is one of its own modules, the Euclidean one.
    "nn.functional.triplet_margin_with_distance_loss": lambda *args, distance_function, **options: (
        F.triplet_margin_with_distance_loss(
            *args, **options, distance_function=lambda a, b: ag.norm(a - b + 1e-6, dim=-1)
        )
    ),
}


def _broadcasts(sample):
    return sample.args[0].shape != sample.input.shape


def _not_a_batch(sample):
    return sample.args[0].shape != sample.input.shape[:-1] or sample.input.ndim == 0


DEPARTURES: dict = {
    "nn.functional.rrelu": [
        (lambda sample: sample.kwargs.get("training"), "the slopes are drawn at random, each library its own")
    ],
    "nn.functional.gaussian_nll_loss": [(_broadcasts, "a loss does not broadcast input and target")],
    "nn.functional.hinge_embedding_loss": [
        (lambda sample: sample.input.ndim == 0, "the sample's target is neither -1 nor 1, which is an error")
    ],
    "nn.functional.multi_margin_loss": [
        (_not_a_batch, "scores of shape (C,) have one target, of shape (); a 0-d tensor has no classes")
    ],
    "nn.functional.multilabel_margin_loss": [
        (lambda sample: sample.input.ndim == 0, "a 0-d tensor has no classes, here as for every loss of classes")
    ],
}
