"""Attention and encodings of positions: against PyTorch, closed forms, and what the papers say of them."""

import itertools
import math

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.nn import functional as F
from autograd_core.tools import assert_gradients

N, L, S, H, E = 2, 3, 4, 2, 6


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def attention(**options):
    ag.manual_seed(1)
    return nn.MultiheadAttention(E, H, dtype=ag.float64, **options)


def inputs(**sizes):
    """Query, key and value, batch first."""
    shapes = (N, L, E), (N, S, sizes.get("kdim", E)), (N, S, sizes.get("vdim", E))
    return [ag.tensor(drawn(*shape, seed=i), requires_grad=True) for i, shape in enumerate(shapes)]


# Against PyTorch


def forbidden(*shape, seed):
    """Bools that leave the first position of each row."""
    mask = np.random.default_rng(seed).random(shape) < 0.4
    mask[..., 0] = False
    return mask


KEY_PADDING = {"none": None, "bool": forbidden(N, S, seed=5), "float": drawn(N, S, seed=6)}
ATTENTION = {
    "none": None,
    "bool": forbidden(L, S, seed=7),
    "float": drawn(L, S, seed=8),
    "heads": forbidden(N * H, L, S, seed=9),
}
OPTIONS = [
    {},
    {"bias": False},
    {"add_bias_kv": True},
    {"add_zero_attn": True},
    {"add_bias_kv": True, "add_zero_attn": True, "kdim": 5, "vdim": 3},
    {"kdim": 5},
]


@pytest.mark.filterwarnings("ignore:Support for mismatched")
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("average", [True, False])
def test_every_mask_as_in_pytorch(options, average):
    torch = pytest.importorskip("torch")
    mine = attention(batch_first=True, **options)
    theirs = torch.nn.MultiheadAttention(E, H, batch_first=True, dtype=torch.float64, **options)
    theirs.load_state_dict({name: torch.tensor(value.numpy()) for name, value in mine.state_dict().items()})
    for padding, mask in itertools.product(KEY_PADDING.values(), ATTENTION.values()):
        given = inputs(**options)
        twins = [torch.tensor(x.detach().numpy(), requires_grad=True) for x in given]
        out, weights = mine(*given, padding, True, mask, average)
        masks = [None if m is None else torch.tensor(m) for m in (padding, mask)]
        expected, their_weights = theirs(*twins, masks[0], True, masks[1], average)
        np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), atol=1e-12)
        np.testing.assert_allclose(weights.detach().numpy(), their_weights.detach().numpy(), atol=1e-12)
        without, nothing = mine(*given, padding, False, mask)
        assert nothing is None
        np.testing.assert_array_equal(without.array, out.array)
        leaves, their_leaves = [*given, *mine.parameters()], [*twins, *theirs.parameters()]
        found = ag.grad((out * out).sum(), leaves)
        for g, t in zip(found, torch.autograd.grad((expected * expected).sum(), their_leaves), strict=True):
            np.testing.assert_allclose(g.numpy(), t.numpy(), atol=1e-10)


@pytest.mark.parametrize("batch_first", [True, False])
def test_causal_is_pytorchs_triangle(batch_first):
    torch = pytest.importorskip("torch")
    mine = attention(batch_first=batch_first)
    theirs = torch.nn.MultiheadAttention(E, H, batch_first=batch_first, dtype=torch.float64)
    theirs.load_state_dict({name: torch.tensor(value.numpy()) for name, value in mine.state_dict().items()})
    x = drawn(4, 4, E)
    triangle = np.triu(np.ones((4, 4), bool), 1)
    twin = torch.tensor(x)
    expected, _ = theirs(twin, twin, twin, attn_mask=torch.tensor(triangle))
    x = ag.tensor(x)
    for options in ({"is_causal": True}, {"attn_mask": triangle}, {"attn_mask": triangle, "is_causal": True}):
        np.testing.assert_allclose(mine(x, x, x, **options)[0].array, expected.detach().numpy(), atol=1e-12)


# What is the same


def test_layouts_agree():
    first, second = attention(batch_first=True), attention(batch_first=False)
    q, k, v = (x.detach() for x in inputs())
    out, weights = first(q, k, v, average_attn_weights=False)
    turned, same = second(*(x.transpose(0, 1) for x in (q, k, v)), average_attn_weights=False)
    np.testing.assert_allclose(turned.transpose(0, 1).array, out.array, atol=1e-14)
    np.testing.assert_allclose(same.array, weights.array, atol=1e-14)
    padding, mask = forbidden(N, S, seed=3), forbidden(N * H, L, S, seed=4)
    out, weights = first(q, k, v, padding, True, mask)
    for i in range(N):
        one, shares = first(q[i], k[i], v[i], padding[i], True, mask[i * H : (i + 1) * H])
        assert (one.shape, shares.shape) == ((L, E), (L, S))
        np.testing.assert_allclose(one.array, out[i].array, atol=1e-14)
        np.testing.assert_allclose(shares.array, weights[i].array, atol=1e-14)


def test_one_tensor_given_three_times_is_projected_at_once():
    layer = attention(batch_first=True)
    x = ag.tensor(drawn(N, L, E), requires_grad=True)
    out, _ = layer(x, x, x)
    apart, _ = layer(x, x.clone(), x.clone())
    np.testing.assert_allclose(out.array, apart.array, atol=1e-14)
    for a, b in zip(*(ag.grad(y.sum(), [x, *layer.parameters()]) for y in (out, apart)), strict=True):
        np.testing.assert_allclose(a.array, b.array, atol=1e-13)


def test_the_weights_are_those_that_mix():
    """With one head and identities for projections, the formula of the paper."""
    layer = nn.MultiheadAttention(2, 1, bias=False, dtype=ag.float64)
    with ag.no_grad():
        layer.in_proj_weight.copy_(np.concatenate([np.eye(2)] * 3))
        layer.out_proj.weight.copy_(np.eye(2))
    q, k, v = drawn(3, 2), drawn(4, 2, seed=1), drawn(4, 2, seed=2)
    out, weights = layer(q, k, v)
    e = np.exp(q @ k.T / math.sqrt(2))
    shares = e / e.sum(1, keepdims=True)
    np.testing.assert_allclose(weights.detach().numpy(), shares, rtol=1e-12)
    np.testing.assert_allclose(out.detach().numpy(), shares @ v, rtol=1e-12)


def test_masks_are_cast_to_the_layers_dtype():
    layer = nn.MultiheadAttention(4, 2)
    x = ag.ones(3, 1, 4)
    out, weights = layer(x, x, x, attn_mask=np.zeros((3, 3)))
    assert out.dtype == weights.dtype == ag.float32


# Where nothing may be attended


@pytest.mark.parametrize("how", ["padding", "mask", "float"])
def test_nothing_to_attend_gives_zeros_with_gradient_zero(how):
    layer = attention(batch_first=True)
    with ag.no_grad():
        layer.out_proj.bias.fill_(0.5)
    q, k, v = inputs()
    padding = mask = None
    if how == "padding":
        padding = np.array([[True] * S, [False] * S])
    else:
        mask = np.zeros((N * H, L, S), bool)
        mask[:H] = True
        mask = np.where(mask, -np.inf, 0.0) if how == "float" else mask
    out, weights = layer(q, k, v, padding, True, mask)
    assert not weights.array[0].any()
    np.testing.assert_allclose(weights.array[1].sum(-1), 1.0)
    np.testing.assert_array_equal(out.array[0], 0.5)
    found = ag.grad((out * out).sum(), [q, k, v, *layer.parameters()])
    assert all(np.isfinite(g.array).all() for g in found)
    for g in found[:3]:
        assert not g.array[0].any()
        assert g.array[1].any()


def test_a_learned_summand_gets_its_gradient():
    q, k, v = drawn(L, 2), drawn(S, 2, seed=1), drawn(S, 2, seed=2)
    mask = drawn(L, S, seed=3)

    def attended(mask):
        return F.scaled_dot_product_attention(ag.tensor(q), ag.tensor(k), ag.tensor(v), mask)

    assert_gradients(attended, [ag.tensor(mask, requires_grad=True)])
    mask[1] = -np.inf
    mask = ag.tensor(mask, requires_grad=True)
    out = attended(mask)
    assert not out.array[1].any()
    (g,) = ag.grad((out * out).sum(), [mask])
    assert not g.array[1].any()
    assert g.array[0].any()


def test_second_order_through_masked_attention():
    mask = np.tri(3, dtype=bool)
    mask[1] = False
    mask = ag.tensor(mask)
    given = [ag.tensor(drawn(3, 2, seed=i), requires_grad=True) for i in range(3)]
    assert_gradients(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask), given, order=2)


# Training


def test_dropped_weights_are_scaled():
    layer = attention(dropout=0.5, batch_first=True)
    x = ag.tensor(drawn(50, L, E))
    kept = layer.eval()(x, x, x, average_attn_weights=False)[1].array
    dropped = layer.train()(x, x, x, average_attn_weights=False)[1].array
    gone = dropped == 0
    assert 0.4 < gone.mean() < 0.6
    np.testing.assert_allclose(dropped[~gone], 2 * kept[~gone], rtol=1e-12)


def test_it_starts_as_in_pytorch():
    ag.manual_seed(0)
    layer = nn.MultiheadAttention(64, 4, add_bias_kv=True)
    names = ["in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj.weight", "out_proj.bias"]
    assert sorted(layer.state_dict()) == sorted(names)
    bound = math.sqrt(6 / (64 + 3 * 64))
    weight = layer.in_proj_weight.array
    assert 0.99 * bound < np.abs(weight).max() <= bound
    np.testing.assert_allclose(weight.std(), bound / math.sqrt(3), rtol=0.02)
    weight = layer.out_proj.weight.array
    assert 0.99 / 8 < np.abs(weight).max() <= 1 / 8
    assert not layer.in_proj_bias.array.any()
    assert not layer.out_proj.bias.array.any()
    np.testing.assert_allclose(layer.bias_k.array.std(), math.sqrt(2 / 128), rtol=0.3)
    apart = nn.MultiheadAttention(64, 4, kdim=32)
    assert apart.in_proj_weight is None
    bound = math.sqrt(6 / (32 + 64))
    assert 0.99 * bound < np.abs(apart.k_proj_weight.array).max() <= bound


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.MultiheadAttention(6, 4), "embed_dim must be a multiple of num_heads, got 6 and 4"),
        (lambda: nn.MultiheadAttention(0, 1), "embed_dim must be above 0, got 0"),
        (lambda: nn.MultiheadAttention(4, 0), "num_heads must be above 0, got 0"),
        (lambda: nn.MultiheadAttention(4, 2, kdim=-1), "kdim must be above 0, got -1"),
        (lambda: nn.MultiheadAttention(4, 2, dropout=2.0), r"expected dropout in \[0, 1\], got 2.0"),
        (lambda: nn.LearnedPositionalEncoding(0, 2), "max_len must be above 0, got 0"),
        (lambda: nn.SinusoidalPositionalEncoding(2, dropout=-1.0), r"expected dropout in \[0, 1\], got -1.0"),
        (lambda: F.sinusoidal_encoding(-1, 2), "sizes of at least 0, got -1 and 2"),
        (lambda: F.rotary_embedding(ag.ones(2, 3)), r"with an even E, got \(2, 3\)"),
        (lambda: F.rotary_embedding(ag.ones(4)), r"expected input of shape \(..., L, E\)"),
    ],
)
def test_wrong_options_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Positions


@pytest.mark.parametrize("size", [6, 5])
def test_sinusoids_are_the_papers(size):
    table = F.sinusoidal_encoding(4, size, dtype=ag.float64).numpy()
    for p, i in np.ndindex(4, size):
        angle = p / 10000 ** ((i - i % 2) / size)
        assert table[p, i] == pytest.approx(math.cos(angle) if i % 2 else math.sin(angle), abs=1e-14)


def test_products_of_sinusoids_depend_on_the_distance_alone():
    table = F.sinusoidal_encoding(20, 8, dtype=ag.float64).numpy()
    products = table @ table.T
    for k in range(-19, 20):
        diagonal = np.diagonal(products, k)
        np.testing.assert_allclose(diagonal, diagonal[0], rtol=1e-12)


def test_a_table_that_was_changed_is_not_given_again():
    F.sinusoidal_encoding(3, 4).zero_()
    assert F.sinusoidal_encoding(3, 4).array.any()


def test_encodings_are_added_along_the_sequence():
    vectors = F.sinusoidal_encoding(3, 4).array
    x = drawn(2, 3, 4).astype("f")
    np.testing.assert_allclose(nn.SinusoidalPositionalEncoding(4, batch_first=True)(x).array, x + vectors)
    np.testing.assert_allclose(nn.SinusoidalPositionalEncoding(4)(x.swapaxes(0, 1)).array, (x + vectors).swapaxes(0, 1))
    np.testing.assert_allclose(nn.SinusoidalPositionalEncoding(4)(x[0]).array, x[0] + vectors)
    layer = nn.LearnedPositionalEncoding(5, 4, batch_first=True)
    np.testing.assert_allclose(layer(x).array, x + layer.weight.array[:3])
    (g,) = ag.grad(layer(x).sum(), [layer.weight])
    np.testing.assert_array_equal(g.array, np.repeat([[2.0], [2.0], [2.0], [0.0], [0.0]], 4, 1))


def test_learned_positions_start_small():
    ag.manual_seed(0)
    np.testing.assert_allclose(nn.LearnedPositionalEncoding(100, 50).weight.array.std(), 0.02, rtol=0.05)


def test_positions_are_dropped_in_training_only():
    layer = nn.SinusoidalPositionalEncoding(4, dropout=0.5)
    x = ag.full((100, 4), 9.0)
    assert 0.4 < (layer(x).array == 0).mean() < 0.6
    assert (layer.eval()(x).array != 0).all()


def test_products_of_rotated_vectors_depend_on_the_distance_alone():
    q, k = drawn(1, 8), drawn(1, 8, seed=1)
    turned = [F.rotary_embedding(np.repeat(x, 12, 0)).array for x in (q, k)]
    products = turned[0] @ turned[1].T
    for offset in range(-11, 12):
        diagonal = np.diagonal(products, offset)
        np.testing.assert_allclose(diagonal, diagonal[0], rtol=1e-10)
    assert np.abs(np.diff(products[0])).min() > 1e-3
    np.testing.assert_allclose(np.linalg.norm(turned[0], axis=1), np.linalg.norm(q))


def test_rotations_are_the_papers():
    """Equation 34, pair by pair, as products of complex numbers."""
    x = drawn(2, 3, 6)
    z = x[..., ::2] + 1j * x[..., 1::2]
    positions = np.array([[0, 5, 2], [7, 1, 1]])
    expected = z * np.exp(1j * positions[..., None] / 10000.0 ** (np.arange(3) / 3))
    found = F.rotary_embedding(ag.tensor(x), positions).array
    np.testing.assert_allclose(found[..., ::2] + 1j * found[..., 1::2], expected, rtol=1e-12)
    np.testing.assert_allclose(F.rotary_embedding(x, ag.tensor(positions)).array, found)
    assert F.rotary_embedding(x.astype("f")).dtype == ag.float32
    assert_gradients(F.rotary_embedding, [ag.tensor(x[0], requires_grad=True)])
