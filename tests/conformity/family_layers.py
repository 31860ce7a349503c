"""The functions behind layers: convolution, pooling, normalisation, attention.

NAMES are PyTorch's.  DEPARTURES gives, for a name, pairs: a test of a sample (its ``input``, ``args``, ``kwargs``),
and the reason why we decided otherwise for such samples.  CALLS are the functions whose samples do not begin with our
first argument.
"""

from autograd_core import nn

F = nn.functional

FUNCTIONS = """
linear bilinear embedding embedding_bag one_hot
conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d unfold
max_unpool1d max_unpool2d max_unpool3d
batch_norm layer_norm group_norm instance_norm rms_norm local_response_norm normalize
scaled_dot_product_attention pad cosine_similarity pairwise_distance pdist
interpolate pixel_shuffle pixel_unshuffle channel_shuffle
"""

NAMES: set[str] = {f"nn.functional.{name}" for name in FUNCTIONS.split()}

CALLS = {
    "nn.functional.embedding": lambda weight, numbers, **options: F.embedding(numbers, weight, **options),
    "nn.functional.embedding_bag": lambda weight, numbers, *args, **options: F.embedding_bag(
        numbers, weight, *args, **options
    ),
}


def _names_a_place_twice(sample):
    """Whether two maxima of overlapping windows are the same element."""
    planes = sample.args[0].flatten(2).flatten(0, 1)
    return any(len(plane.unique()) < plane.numel() for plane in planes)


DEPARTURES: dict = {
    **{
        f"nn.functional.max_unpool{n}d": [
            (_names_a_place_twice, "the last write to a place wins, and so does its gradient; PyTorch sends it to all")
        ]
        for n in (1, 2, 3)
    },
    "nn.functional.batch_norm": [
        (lambda s: s.input.ndim == 1, "an input of one dimension has no channels; PyTorch takes it where it is empty"),
    ],
    "nn.functional.scaled_dot_product_attention": [
        (lambda s: s.kwargs.get("dropout_p", 0) > 0, "what is dropped at random differs: generators differ"),
    ],
}
