"""The Transformer: what PyTorch's samples do not reach, and GELU in float32, which is computed in a way of its own."""

import math

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.nn import functional as F


def drawn(*shape, seed=0):
    return ag.tensor(np.random.default_rng(seed).normal(size=shape))


def same_as(torch, mine, theirs):
    """Both, with the same parameters."""
    theirs.load_state_dict({name: torch.tensor(value.numpy()) for name, value in mine.state_dict().items()})
    return mine, theirs


@pytest.mark.parametrize("options", [{}, {"norm_first": True, "bias": False, "activation": "gelu"}], ids=str)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor", "ignore:Support for mismatched")
def test_the_whole_as_in_pytorch(options):
    torch = pytest.importorskip("torch")
    sizes = 8, 2, 2, 1, 12
    ag.manual_seed(0)
    options = {"dropout": 0.0, "batch_first": True, **options}
    mine = nn.Transformer(*sizes, dtype=ag.float64, **options)
    mine, theirs = same_as(torch, mine, torch.nn.Transformer(*sizes, dtype=torch.float64, **options))
    assert [*mine.state_dict()] == [*theirs.state_dict()]
    src, tgt = drawn(3, 5, 8), drawn(3, 4, 8, seed=1)
    padding = np.arange(5) >= np.array([[5], [2], [3]])
    causal = np.triu(np.ones((4, 4), bool), 1)
    tensors = [torch.tensor(x.numpy()) for x in (src, tgt)]
    masks = {"tgt_mask": causal, "src_key_padding_mask": padding, "memory_key_padding_mask": padding}
    expected = theirs(*tensors, **{name: torch.tensor(mask) for name, mask in masks.items()})
    found = mine(src, tgt, **masks)
    np.testing.assert_allclose(found.array, expected.detach().numpy(), atol=1e-10)
    del masks["tgt_mask"]
    np.testing.assert_allclose(mine(src, tgt, tgt_is_causal=True, **masks).array, found.array, atol=1e-13)
    mine_g = ag.grad((found * found).sum(), list(mine.parameters()))
    theirs_g = torch.autograd.grad((expected * expected).sum(), list(theirs.parameters()))
    for a, b in zip(mine_g, theirs_g, strict=True):
        np.testing.assert_allclose(a.array, b.numpy(), atol=1e-8)


def test_what_comes_later_does_not_matter():
    """The gradient of each result by the inputs after it is 0."""
    ag.manual_seed(0)
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, norm_first=True, dtype=ag.float64)
    encoder = nn.TransformerEncoder(layer, 2)
    x = drawn(5, 4).requires_grad_()
    out = encoder(x, is_causal=True)
    for i in range(5):
        (g,) = ag.grad((out[i] * drawn(4, seed=3)).sum(), [x], retain_graph=True)
        assert not g.array[i + 1 :].any()
        assert g.array[: i + 1].any(1).all()


def test_layers_are_copies():
    layer = nn.TransformerEncoderLayer(4, 2, 8)
    encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(4))
    first, second = encoder.layers
    assert first.linear1.weight is not second.linear1.weight
    np.testing.assert_array_equal(first.linear1.weight.array, layer.linear1.weight.array)
    np.testing.assert_array_equal(first.linear1.weight.array, second.linear1.weight.array)
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 0)
    x = drawn(3, 4)
    assert decoder(x, x) is x
    with pytest.raises(ValueError, match="TransformerEncoder: num_layers must be at least 0, got -1"):
        nn.TransformerEncoder(layer, -1)


def test_all_matrices_start_by_glorot():
    ag.manual_seed(0)
    net = nn.Transformer(32, 4, 1, 1, 64)
    for name, p in net.named_parameters():
        if p.ndim > 1:
            bound = math.sqrt(6 / sum(p.shape))
            assert 0.98 * bound < np.abs(p.array).max() <= bound, name
        elif "linear" not in name:
            assert np.isin(p.array, [0.0, 1.0]).all(), name


@pytest.mark.parametrize("activation", ["tanh", F.silu, nn.SiLU(), nn.SiLU, lambda x: x * ag.sigmoid(x)])
def test_any_activation(activation):
    ag.manual_seed(0)
    layer = nn.TransformerEncoderLayer(4, 2, 8, 0.0, activation, dtype=ag.float64)
    x = drawn(3, 4)
    function = np.tanh if activation == "tanh" else lambda z: z / (1 + np.exp(-z))
    hidden = drawn(8)
    np.testing.assert_allclose(layer.activation(hidden).array, function(hidden.array), rtol=1e-12)
    assert layer(x).shape == (3, 4)
    assert not any(name.startswith("activation") for name in layer.state_dict())


def test_custom_parts_take_their_place():
    class Same(nn.Module):
        def forward(self, tgt, memory, **masks):
            return memory

    net = nn.Transformer(4, 2, custom_encoder=nn.TransformerEncoder(nn.Identity(), 0), custom_decoder=Same())
    x = drawn(3, 4)
    assert net(x, drawn(2, 4)) is x
    assert not list(net.parameters())


def test_a_mask_of_the_default_or_another_dtype():
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    assert mask.dtype == ag.float32
    np.testing.assert_array_equal(mask.array, [[0, -np.inf, -np.inf], [0, 0, -np.inf], [0, 0, 0]])
    assert nn.Transformer.generate_square_subsequent_mask(3, ag.float64).dtype == ag.float64


def test_dropout_is_everywhere_pytorch_has_it():
    """With everything dropped only the ways past are left."""
    x = drawn(3, 4)
    layer = nn.TransformerDecoderLayer(4, 2, 8, dropout=1.0, norm_first=True, dtype=ag.float64)
    np.testing.assert_array_equal(layer(x, drawn(2, 4)).array, x.array)
    assert np.abs(layer.eval()(x, drawn(2, 4)).array - x.array).max() > 1e-3


def test_gelu_in_float32():
    """Against the closed form in float64, over all that is not rounded to 0 or to the input."""
    x = np.linspace(-12, 12, 400_001, dtype="f")
    exact = np.array([0.5 * math.erfc(-float(v) / math.sqrt(2)) for v in x[::97]])
    given = ag.tensor(x, requires_grad=True)
    out = F.gelu(given)
    (slope,) = ag.grad(out.sum(), [given])
    z, found = x[::97].astype(float), out.array[::97]
    last = np.spacing(np.abs(z * exact).astype("f"))
    assert (np.abs(found - z * exact) <= (9 + z * z) * last).all()
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    np.testing.assert_allclose(slope.array[::97], exact + z * density, rtol=1e-5, atol=3e-7)
    np.testing.assert_array_equal(F.gelu(ag.tensor(x[::-1].copy())).array, out.array[::-1])
    assert F.gelu(ag.zeros(0)).shape == (0,)


def test_gelu_in_float32_at_its_ends():
    x = ag.tensor([-np.inf, -100.0, -0.0, 0.0, 100.0, np.inf, np.nan], requires_grad=True)
    out = F.gelu(x)
    np.testing.assert_array_equal(out.array, [0.0, 0.0, 0.0, 0.0, 100.0, np.inf, np.nan])
    (slope,) = ag.grad(out.sum(), [x])
    np.testing.assert_array_equal(slope.array[:-1], [0.0, 0.0, 0.5, 0.5, 1.0, 1.0])
