"""The functions behind layers: convolution, pooling, normalisation, attention.

NAMES are PyTorch's.  DEPARTURES gives, for a name, pairs: a test of a sample (its ``input``, ``args``, ``kwargs``),
and the reason why we decided otherwise for such samples.
"""

FUNCTIONS = """
linear bilinear embedding embedding_bag one_hot
conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d unfold fold
batch_norm layer_norm group_norm instance_norm rms_norm local_response_norm normalize
scaled_dot_product_attention pad cosine_similarity pairwise_distance pdist
interpolate pixel_shuffle pixel_unshuffle channel_shuffle
"""

NAMES: set[str] = {f"nn.functional.{name}" for name in FUNCTIONS.split()}

DEPARTURES: dict = {}
