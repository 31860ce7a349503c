"""The functions behind layers: what PyTorch's samples do not reach, and where a choice was made."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.ops import convolution

F = nn.functional


def leaf(data):
    return ag.tensor(np.asarray(data, np.float64), requires_grad=True)


def gradient(out, x):
    (dx,) = ag.grad(out.sum(), [x])
    return dx.numpy()


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# Convolution


def test_laplacian_of_a_quadratic():
    """The five-point stencil is exact on quadratics: the Laplacian of x**2 + 3 y**2 is 8, with or without a batch."""
    y, x = np.mgrid[:6.0, :7.0]
    kernel = ag.tensor([[[[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]]], dtype=ag.float64)
    image = ag.tensor((x * x + 3 * y * y)[None])
    np.testing.assert_allclose(F.conv2d(image, kernel).numpy(), np.full((1, 4, 5), 8.0))
    np.testing.assert_allclose(F.conv2d(image[None], kernel).numpy(), np.full((1, 1, 4, 5), 8.0))


@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (4, 1), (2, 3)])
def test_same_padding_keeps_the_size_as_numpy_does(kernel, dilation):
    x, w = drawn(9), drawn(kernel)
    spread = np.zeros(dilation * (kernel - 1) + 1)
    spread[::dilation] = w
    out = F.conv1d(ag.tensor(x[None]), ag.tensor(w[None, None]), padding="same", dilation=dilation)
    total = len(spread) - 1
    padded = np.pad(x, (total // 2, total - total // 2))
    np.testing.assert_allclose(out.numpy()[0], np.correlate(padded, spread, "valid"))
    assert out.shape == (1, 9)


def test_transposed_convolution_is_the_adjoint():
    """``<conv(x), y> = <x, conv_transpose(y)>``, for a stride that does not divide, in groups."""
    x, w = drawn(2, 4, 7, 6), drawn(6, 2, 3, 2, seed=1)
    form = {"stride": (2, 3), "padding": (1, 0), "dilation": (1, 2), "groups": 2}
    out = F.conv2d(ag.tensor(x), ag.tensor(w), **form)
    y = drawn(*out.shape, seed=2)
    back = F.conv_transpose2d(ag.tensor(y), ag.tensor(w), output_padding=(0, 0), **form)
    missing = [(0, 0), (0, 0), *((0, n - m) for n, m in zip(x.shape[2:], back.shape[2:], strict=True))]
    back = np.pad(back.numpy(), missing)
    np.testing.assert_allclose((out.numpy() * y).sum(), (x * back).sum())


def test_a_large_batch_is_done_in_parts(monkeypatch):
    x, w = leaf(drawn(5, 2, 6, 6)), leaf(drawn(3, 2, 3, 3, seed=1))
    found = []
    for columns in (convolution.COLUMNS, 9000):
        monkeypatch.setattr(convolution, "COLUMNS", columns)
        out = F.conv2d(x, w, padding=1)
        found.append([out.detach(), *ag.grad((out * out).sum(), [x, w])])
    assert len(convolution._parts(5, 2, (3, 3), (6, 6), 8)) > 1
    for whole, parts in zip(*found, strict=True):
        np.testing.assert_allclose(whole.numpy(), parts.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.conv2d(ag.ones(5, 5), ag.ones(1, 1, 3, 3)), r"\(N, C, height, width\).*\(5, 5\)"),
        (lambda: F.conv2d(ag.ones(2, 5, 5), ag.ones(1, 1, 3, 3)), "expected input of 1 channels"),
        (lambda: F.conv2d(ag.ones(1, 2, 2), ag.ones(1, 1, 3, 3)), "does not fit into input"),
        (lambda: F.conv2d(ag.ones(1, 4, 4), ag.ones(2, 1, 3, 3), ag.ones(1)), r"expected a bias of shape \(2,\)"),
        (lambda: F.conv1d(ag.ones(1, 4), ag.ones(1, 1, 2), padding="same", stride=2), "needs stride 1"),
        (lambda: F.conv1d(ag.ones(1, 4), ag.ones(1, 1, 2), padding="full"), "'same' or 'valid', got 'full'"),
        (lambda: F.conv1d(ag.ones(1, 4), ag.ones(1, 1, 2), stride=(1, 1)), "stride to be 1 or 1 integers"),
        (lambda: F.conv2d(ag.ones(3, 4, 4), ag.ones(4, 1, 3, 3), groups=3), "groups=3 does not divide"),
        (lambda: F.conv_transpose1d(ag.ones(1, 4), ag.ones(1, 1, 2), output_padding=1), "output_padding"),
        (lambda: F.max_pool2d(ag.ones(1, 2, 2), 3), "no window of"),
        (lambda: F.max_pool2d(ag.ones(1, 4, 4), 2, padding=2), "more than half"),
        (lambda: F.avg_pool1d(ag.ones(1, 4), 0), "kernel_size to be 1 or 1 integers of at least 1"),
        (lambda: F.fold(ag.ones(5, 4), 3, 2), "expected input of shape"),
        (lambda: F.pad(ag.ones(3), (3, 0), "reflect"), "cannot pad size 3"),
        (lambda: F.pad(ag.ones(3), (1, 1, 1)), "at most 1 pairs"),
        (lambda: F.pad(ag.ones(3), (1, 1), "edge"), "got 'edge'"),
        (lambda: F.layer_norm(ag.ones(2, 3), 2), "normalized_shape"),
        (lambda: F.group_norm(ag.ones(2, 3), 2), "does not divide"),
        (lambda: F.batch_norm(ag.ones(2, 3), None, None), "running_mean and running_var"),
        (lambda: F.instance_norm(ag.ones(2, 3, 1)), "one value a channel"),
        (lambda: F.dropout(ag.ones(2), 1.5), r"\[0, 1\], got 1.5"),
        (lambda: F.interpolate(ag.ones(1, 1, 2), 4, mode="bilinear"), "'bilinear'"),
        (lambda: F.interpolate(ag.ones(1, 1, 2)), "either size or scale_factor"),
        (lambda: F.pixel_shuffle(ag.ones(3, 2, 2), 2), "upscale_factor 2"),
        (lambda: F.bilinear(ag.ones(2), ag.ones(3), ag.ones(1, 3, 2)), "a weight"),
        (lambda: F.embedding_bag([0, 1], ag.ones(2, 2)), "without offsets"),
        (lambda: F.embedding_bag([0, 1], ag.ones(2, 2), [1]), "start at 0"),
        (lambda: F.scaled_dot_product_attention(ag.ones(2, 3), ag.ones(2, 4), ag.ones(2, 4)), "query"),
    ],
)
def test_errors_name_the_operation_and_the_fix(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Pooling


def test_max_pool_of_the_course_example():
    x = leaf([[[1, 3, 5, 3], [4, 2, 3, 1], [3, 1, 1, 3], [0, 1, 0, 4]]])
    out, places = F.max_pool2d(x, 2, return_indices=True)
    np.testing.assert_array_equal(out.detach().numpy(), [[[4, 5], [3, 4]]])
    np.testing.assert_array_equal(places.numpy(), [[[4, 2], [8, 15]]])
    expected = np.zeros(16)
    expected[[4, 2, 8, 15]] = 1
    np.testing.assert_array_equal(gradient(out, x).ravel(), expected)


def test_max_pool_ties_go_to_the_first_in_overlapping_windows_too():
    x = leaf(np.ones((1, 1, 3)))
    np.testing.assert_array_equal(gradient(F.max_pool1d(x, 2, 1), x), [[[1, 1, 0]]])


def test_adaptive_max_pool_ties_go_to_the_first():
    x = leaf(np.ones((1, 1, 5)))
    out, places = F.adaptive_max_pool1d(x, 2, return_indices=True)
    np.testing.assert_array_equal(places.numpy(), [[[0, 2]]])
    np.testing.assert_array_equal(gradient(out, x), [[[1, 0, 1, 0, 0]]])


def test_pooling_does_not_spread_infinities():
    x = ag.tensor([[[np.inf, 1.0, 2.0, 4.0, 6.0]]])
    np.testing.assert_array_equal(F.avg_pool1d(x, 2).numpy(), [[[np.inf, 3.0]]])
    np.testing.assert_array_equal(F.adaptive_avg_pool1d(x, 2).numpy(), [[[np.inf, 4.0]]])


def test_an_infinite_gradient_stays_at_the_largest():
    x = leaf([[1.0, 2.0]])
    (dx,) = ag.grad(F.max_pool1d(x, 2), [x], np.array([[np.inf]]))
    np.testing.assert_array_equal(dx.numpy(), [[0.0, np.inf]])


def test_fold_undoes_unfold_up_to_the_overlaps():
    x = ag.tensor(drawn(2, 3, 5, 6))
    form = {"kernel_size": (2, 3), "stride": (1, 2), "padding": (1, 0), "dilation": (2, 1)}
    back = F.fold(F.unfold(x, **form), (5, 6), **form)
    overlaps = F.fold(F.unfold(ag.ones(2, 3, 5, 6), **form), (5, 6), **form)
    np.testing.assert_allclose(back.numpy(), x.numpy() * overlaps.numpy())


# Normalisation


def test_batch_norm_moves_the_running_statistics():
    x = drawn(6, 2, 3)
    mean, var = ag.zeros(2, dtype=ag.float64), ag.ones(2, dtype=ag.float64)
    out = F.batch_norm(ag.tensor(x), mean, var, training=True, momentum=0.25)
    np.testing.assert_allclose(mean.numpy(), 0.25 * x.mean((0, 2)))
    np.testing.assert_allclose(var.numpy(), 0.75 + 0.25 * x.var((0, 2), ddof=1))
    np.testing.assert_allclose(out.numpy().mean((0, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(out.numpy().var((0, 2)), 1, rtol=1e-4)
    before = mean.numpy().copy()
    expected = (x - before[:, None]) / np.sqrt(var.numpy()[:, None] + 1e-5)
    np.testing.assert_allclose(F.batch_norm(ag.tensor(x), mean, var).numpy(), expected)
    np.testing.assert_array_equal(mean.numpy(), before)


def test_batch_norm_of_one_value_a_channel():
    with pytest.raises(ValueError, match="one value a channel"):
        F.batch_norm(ag.ones(1, 3), None, None, training=True)


NORMS = {
    "batch": lambda x: F.batch_norm(x.T, None, None, training=True).T,
    "layer": lambda x: F.layer_norm(x, 4),
    "group": lambda x: F.group_norm(x, 1),
    "instance": lambda x: F.instance_norm(x[None])[0],
}


@pytest.mark.parametrize("norm", NORMS)
def test_a_constant_row_gives_zero_with_gradient_zero(norm):
    x = leaf([np.full(4, 3.0), drawn(4)])
    out = NORMS[norm](x)
    np.testing.assert_array_equal(out.detach().numpy()[0], 0)
    np.testing.assert_allclose(gradient(out, x), 0, atol=1e-9)
    assert np.isfinite(gradient(NORMS[norm](x) * drawn(2, 4, seed=3), x)).all()


def test_normalize_and_cosine_similarity_at_zero():
    x, y = leaf([[0.0, 0.0], [3.0, 4.0]]), leaf([[1.0, 0.0], [4.0, 3.0]])
    out = F.normalize(x)
    np.testing.assert_allclose(out.detach().numpy(), [[0, 0], [0.6, 0.8]])
    assert np.isfinite(gradient(out, x)).all()
    out = F.cosine_similarity(x, y)
    np.testing.assert_allclose(out.detach().numpy(), [0, 0.96])
    dx, dy = ag.grad(out.sum(), [x, y])
    np.testing.assert_array_equal(dx.numpy()[0], 0)
    np.testing.assert_array_equal(dy.numpy()[0], 0)


# Attention


def test_a_fully_masked_row_gives_zero_with_gradient_zero():
    q, k, v = (leaf(drawn(2, 3, seed=s)) for s in range(3))
    for mask in (np.array([[True, False], [False, False]]), np.array([[0.0, -np.inf], [-np.inf, -np.inf]])):
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        np.testing.assert_allclose(out.detach().numpy(), [v.detach().numpy()[0], np.zeros(3)])
        dq, _, dv = ag.grad(out.sum(), [q, k, v])
        np.testing.assert_array_equal(dq.numpy()[1], 0)
        np.testing.assert_allclose(dv.numpy(), [np.ones(3), np.zeros(3)])


def test_attention_with_fewer_key_heads_is_attention_with_repeated_ones():
    q, k, v = ag.tensor(drawn(4, 3, 2)), ag.tensor(drawn(2, 5, 2, seed=1)), ag.tensor(drawn(2, 5, 2, seed=2))
    few = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    many = F.scaled_dot_product_attention(q, k[[0, 0, 1, 1]], v[[0, 0, 1, 1]])
    np.testing.assert_allclose(few.numpy(), many.numpy())


def test_attention_refuses_two_masks():
    x = ag.ones(2, 2)
    with pytest.raises(ValueError, match="not both"):
        F.scaled_dot_product_attention(x, x, x, attn_mask=np.ones((2, 2), bool), is_causal=True)


# Dropout


DROPOUTS = {
    F.dropout: (3, 4),
    F.dropout1d: (2, 3, 4),
    F.dropout2d: (2, 3, 4, 2),
    F.dropout3d: (2, 3, 2, 2, 2),
    F.alpha_dropout: (3, 4),
    F.feature_alpha_dropout: (2, 3, 4),
}


@pytest.mark.parametrize(("function", "shape"), DROPOUTS.items())
def test_dropout_of_everything_and_of_nothing(function, shape):
    x = leaf(drawn(*shape))
    out = function(x, 1.0, training=True)
    np.testing.assert_array_equal(out.detach().numpy(), 0)
    np.testing.assert_array_equal(gradient(out, x), 0)
    assert function(x, 0.5, training=False) is x
    assert function(x, 0.0, training=True) is x


@pytest.mark.parametrize(("function", "shape"), DROPOUTS.items())
def test_dropout_is_seeded(function, shape):
    x = ag.tensor(drawn(*shape) + 3)
    once, again = (function(x, 0.5, True, generator=ag.Generator(5)) for _ in range(2))
    np.testing.assert_array_equal(once.numpy(), again.numpy())
    ag.manual_seed(5)
    by_default = function(x, 0.5, True)
    np.testing.assert_array_equal(once.numpy(), by_default.numpy())
    assert (once.numpy() != function(x, 0.5, True, generator=ag.Generator(6)).numpy()).any()


def test_dropout_keeps_the_mean_and_drops_the_share():
    out = F.dropout(ag.ones(200_000, dtype=ag.float64), 0.3, generator=ag.Generator(0)).numpy()
    assert set(np.unique(out)) == {0.0, 1 / 0.7}
    np.testing.assert_allclose((out == 0).mean(), 0.3, atol=0.01)


def test_alpha_dropout_keeps_mean_and_variance():
    x = ag.tensor(drawn(400_000))
    out = F.alpha_dropout(x, 0.2, True, generator=ag.Generator(0)).numpy()
    np.testing.assert_allclose([out.mean(), out.var()], [0, 1], atol=0.02)


@pytest.mark.parametrize("shape", [(3, 50, 2, 2), (50, 2, 2)])
def test_dropout2d_drops_whole_channels(shape):
    out = F.dropout2d(ag.ones(*shape), 0.5, generator=ag.Generator(0)).numpy()
    channels = out.reshape(-1, 4)
    assert set(map(tuple, channels)) == {(0, 0, 0, 0), (2, 2, 2, 2)}


def test_dropout_drops_infinities_and_their_gradient():
    x = leaf(np.full(8, np.inf))
    out = F.dropout(x, 0.5, generator=ag.Generator(0))
    assert set(out.detach().numpy()) == {0.0, np.inf}
    assert set(gradient(out, x)) == {0.0, 2.0}


# Embedding


def test_embedding_rows_accumulate_and_the_padding_row_gets_nothing():
    weight = leaf(drawn(4, 2))
    out = F.embedding(ag.tensor([[1, 1, 3], [1, 0, 3]]), weight, padding_idx=-1)
    np.testing.assert_array_equal(gradient(out, weight)[:, 0], [1, 3, 0, 0])
    scaled = F.embedding(ag.tensor([1, 1, 0]), weight, scale_grad_by_freq=True)
    np.testing.assert_array_equal(scaled.detach().numpy(), weight.detach().numpy()[[1, 1, 0]])
    np.testing.assert_array_equal(gradient(scaled, weight)[:, 0], [1, 1, 0, 0])


@pytest.mark.parametrize("function", [F.embedding, lambda i, w: F.embedding_bag(i, w)])
@pytest.mark.parametrize("index", [-1, 4])
def test_embedding_out_of_range(function, index):
    with pytest.raises(IndexError, match=rf"input\[0, 1\] is {index}.*rows 0 to 3"):
        function(ag.tensor([[0, index]]), ag.ones(4, 2))


def test_embedding_max_norm_changes_the_rows_that_are_used():
    weight = ag.tensor([[3.0, 4.0], [30.0, 40.0], [0.3, 0.4]], dtype=ag.float64, requires_grad=True)
    out = F.embedding(ag.tensor([0, 2]), weight, max_norm=1.0)
    np.testing.assert_allclose(weight.detach().numpy(), [[0.6, 0.8], [30, 40], [0.3, 0.4]], rtol=1e-6)
    np.testing.assert_array_equal(out.detach().numpy(), weight.detach().numpy()[[0, 2]])


def test_embedding_bag_of_equal_rows_sends_the_gradient_to_the_first():
    weight = leaf([[1.0], [2.0], [2.0]])
    out = F.embedding_bag(ag.tensor([[0, 1, 2]]), weight, mode="max")
    np.testing.assert_array_equal(gradient(out, weight), [[0], [1], [0]])


def test_embedding_bag_of_nothing_is_zero():
    for mode in ("sum", "mean", "max"):
        out = F.embedding_bag(ag.tensor([0, 1]), ag.ones(2, 3), ag.tensor([0, 0, 2]), mode=mode)
        np.testing.assert_array_equal(out.numpy()[[0, 2]], 0)
        assert (out.numpy()[1] > 0).all()


# Distances and images


def test_pairwise_distances_against_scipy():
    distance = pytest.importorskip("scipy.spatial.distance")
    x = drawn(5, 3)
    for p in (1.0, 2.0, 3.0):
        np.testing.assert_allclose(F.pdist(ag.tensor(x), p).numpy(), distance.pdist(x, "minkowski", p=p))


def test_equal_rows_have_distance_zero_and_gradient_zero():
    x = leaf([[1.0, 2.0], [1.0, 2.0]])
    np.testing.assert_array_equal(gradient(F.pdist(x), x), 0)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_interpolation_is_exact_on_a_plane(mode):
    """With corners aligned, away from the edges, what is linear stays so."""
    y, x = np.mgrid[:5.0, :6.0]
    out = F.interpolate(ag.tensor((2 * y - x)[None, None]), (9, 11), mode=mode, align_corners=True).numpy()[0, 0]
    y, x = np.mgrid[:9.0, :11.0] / 2
    inside = slice(2, -2)
    np.testing.assert_allclose(out[inside, inside], (2 * y - x)[inside, inside])


def test_pixel_shuffle_there_and_back():
    x = ag.tensor(drawn(2, 12, 3, 2))
    up = F.pixel_shuffle(x, 2)
    assert up.shape == (2, 3, 6, 4)
    np.testing.assert_array_equal(F.pixel_unshuffle(up, 2).numpy(), x.numpy())


def test_everything_takes_plain_arrays():
    x, w = drawn(1, 2, 4, 4), drawn(3, 2, 2, 2)
    assert F.conv2d(x, w).shape == (1, 3, 3, 3)
    assert F.max_pool2d(x, 2).shape == F.avg_pool2d(x, 2).shape == (1, 2, 2, 2)
    assert F.layer_norm(x, 4).dtype == ag.float64
    assert F.dropout(x, 0.5).shape == x.shape


@pytest.mark.parametrize("dtype", [ag.float32, ag.float64])
def test_dtypes_are_kept(dtype):
    x, w = ag.ones(2, 4, 4, 4, dtype=dtype), ag.ones(4, 4, 3, 3, dtype=dtype)
    for out in (
        F.conv2d(x, w),
        F.conv_transpose2d(x, w),
        F.max_pool2d(x, 2),
        F.avg_pool2d(x, 3, padding=1, count_include_pad=False),
        F.adaptive_avg_pool2d(x, 3),
        F.adaptive_max_pool2d(x, 3),
        F.unfold(x, 2),
        F.batch_norm(x, None, None, training=True),
        F.rms_norm(x, 4),
        F.local_response_norm(x, 3),
        F.normalize(x),
        F.scaled_dot_product_attention(x, x, x, is_causal=True),
        F.pad(x, (1, 1), value=2.0),
        F.dropout(x),
        F.alpha_dropout(x, training=True),
        F.interpolate(x, 7, mode="bicubic"),
        F.embedding([[0, 1]], x[0, 0]),
        F.embedding_bag([[0, 1]], x[0, 0]),
        F.cosine_similarity(x, x),
        F.pairwise_distance(x, x),
    ):
        assert out.dtype == dtype
