"""Convolution, padding, folding, resolution, shape and bilinear layers: what the samples of PyTorch do not reach."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

LAPLACIAN = [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]


def agree(mine, theirs, *shapes, **options):
    """Whether ours, with the weights of PyTorch's, gives the same values and gradients, and gives the weights back."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    mine, theirs = mine.double(), theirs.double()
    mine.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    theirs.load_state_dict({name: torch.tensor(value.numpy()) for name, value in mine.state_dict().items()})
    arrays = [rng.normal(size=shape) for shape in shapes]
    ours, leaves = [ag.tensor(a, requires_grad=True) for a in arrays], [torch.tensor(a) for a in arrays]
    for leaf in leaves:
        leaf.requires_grad_()
    found, expected = mine(*ours, **options), theirs(*leaves, **options)
    assert found.shape == tuple(expected.shape)
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    toward = rng.normal(size=found.shape)
    gradients = ag.grad(found, [*ours, *mine.parameters()], ag.tensor(toward))
    wanted = torch.autograd.grad(expected, [*leaves, *theirs.parameters()], torch.tensor(toward))
    for a, b in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-11)


# Convolution


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    "options",
    [
        {"padding": 2},
        {"padding": (1, 2), "stride": (2, 1), "dilation": (1, 2), "groups": 2},
        {"padding": "same", "dilation": (2, 1), "bias": False},
        {"padding": "valid"},
    ],
    ids=str,
)
def test_paddings_of_a_convolution_are_pytorchs(mode, options):
    torch = pytest.importorskip("torch")
    arguments = (4, 6, (2, 3))
    mine = nn.Conv2d(*arguments, padding_mode=mode, **options)
    theirs = torch.nn.Conv2d(*arguments, padding_mode=mode, **options)
    assert repr(mine).replace("'", "") == repr(theirs)
    agree(mine, theirs, (2, 4, 5, 6))
    agree(mine, theirs, (4, 5, 6))


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("mode", ["reflect", "circular"])
def test_paddings_of_other_convolutions_are_pytorchs(n, mode):
    torch = pytest.importorskip("torch")
    arguments, options = (2, 3, (2, 3, 1)[:n]), {"padding": (1, 2, 0)[:n], "padding_mode": mode}
    layers = [getattr(library, f"Conv{n}d")(*arguments, **options) for library in (nn, torch.nn)]
    agree(*layers, (2, 2, *(4, 3, 3)[:n]))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_transposed_convolutions_are_pytorchs(n):
    torch = pytest.importorskip("torch")
    options = {
        "stride": (3, 2, 1)[:n],
        "padding": (1, 0, 1)[:n],
        "output_padding": (2, 1, 1)[:n],
        "dilation": (1, 2, 2)[:n],
        "groups": 2,
    }
    layers = [getattr(library, f"ConvTranspose{n}d")(4, 6, 2, **options) for library in (nn, torch.nn)]
    assert repr(layers[0]) == repr(layers[1])
    agree(*layers, (2, 4, *(3, 2, 2)[:n]))


@pytest.mark.parametrize("size", [(6, 5), (8, 6), (2, 3, 7, 5)])
def test_the_output_size_of_a_transposed_convolution_is_pytorchs(size):
    torch = pytest.importorskip("torch")
    layers = [library.ConvTranspose2d(2, 3, 3, stride=(3, 2), padding=(0, 1)) for library in (nn, torch.nn)]
    agree(*layers, (2, 2, 2, 3), output_size=size)
    if len(size) == 2:
        agree(*layers, (2, 2, 3), output_size=[3, *size])


@pytest.mark.parametrize("size", [(6, 4), (9, 6), (6,), (2, 6, 5), (2, 3, 7, 4)])
def test_an_output_size_that_no_convolution_has(size):
    layer = nn.ConvTranspose2d(2, 3, 3, stride=(3, 2), padding=(0, 1))
    with pytest.raises(
        ValueError, match=r"ConvTranspose2d: expected an output_size from \(6, 5\) to \(8, 6\) for input"
    ):
        layer(ag.ones(2, 2, 2, 3), output_size=size)


def test_the_laplacian_kernel():
    """On x**2 - 3 y it is 2, and 0 on what is linear; on a peak it is its own shape."""
    layer = nn.Conv2d(1, 1, 3, bias=False).requires_grad_(False)
    layer.load_state_dict({"weight": [[LAPLACIAN]]})
    y, x = np.mgrid[:5.0, :4.0].astype(np.float32)
    np.testing.assert_array_equal(layer(ag.tensor((x * x - 3 * y)[None])).numpy(), np.full((1, 3, 2), 2))
    peak = np.zeros((1, 1, 5, 5), np.float32)
    peak[..., 2, 2] = 1
    np.testing.assert_array_equal(layer(ag.tensor(peak)).numpy()[0, 0], LAPLACIAN)


def test_a_convolution_is_a_matrix_product_with_the_unfolded_windows(rng):
    x, layer = ag.tensor(rng.normal(size=(2, 3, 5, 6))), nn.Conv2d(3, 4, (2, 3), stride=2, padding=1).double()
    columns = nn.Unfold((2, 3), stride=2, padding=1)(x)
    product = layer.weight.flatten(1) @ columns + layer.bias[:, None]
    np.testing.assert_allclose(layer(x).detach().numpy(), product.reshape(2, 4, 3, 3).detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize("layer", [nn.Conv1d(6, 600, 5, groups=2), nn.ConvTranspose1d(600, 6, 5, groups=2)])
def test_initial_values_fill_their_range(layer):
    """Uniform in ±1/√fan_in: the largest of 9000 is near the bound, and the variance is a third of its square."""
    bound = 1 / np.sqrt(15)
    values = layer.weight.detach().numpy().ravel()
    assert layer.weight.numel() == 9000
    assert 0.99 * bound < np.abs(values).max() <= bound
    np.testing.assert_allclose(values.var(), bound**2 / 3, rtol=0.05)
    assert 0 < np.abs(layer.bias.detach().numpy()).max() <= bound


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups=2 divides, got in_channels=3"),
        (lambda: nn.Conv2d(0, 4, 3), "in_channels=0"),
        (lambda: nn.Conv2d(2, 4, 3, groups=0), "groups=0"),
        (lambda: nn.Conv2d(2, 4, 0), "Conv2d: expected kernel_size to be 1 or 2 integers of at least 1, got 0"),
        (lambda: nn.Conv2d(2, 4, (3, 3, 3)), "Conv2d: expected kernel_size"),
        (lambda: nn.Conv1d(2, 4, 3, stride=0), "Conv1d: expected stride"),
        (lambda: nn.Conv1d(2, 4, 3, padding="same", stride=2), "Conv1d: padding='same' needs stride 1"),
        (lambda: nn.Conv1d(2, 4, 3, padding="full"), "'same' or 'valid', got 'full'"),
        (lambda: nn.Conv1d(2, 4, 3, padding_mode="edge"), "padding_mode.*got 'edge'"),
        (lambda: nn.ConvTranspose1d(2, 4, 3, padding_mode="reflect"), r"\('zeros',\), got 'reflect'"),
        (lambda: nn.ConvTranspose1d(2, 4, 3, stride=2, output_padding=2), "output_padding .* smaller than stride"),
        (lambda: nn.ConstantPad2d((1, 2, 3), 0.0), "ConstantPad2d: expected padding to be 1 or 4 integers"),
        (lambda: nn.Fold(0, 2), "Fold: expected output_size"),
        (lambda: nn.Unfold(2, stride=0), "Unfold: expected stride"),
        (lambda: nn.Upsample(), "either size or scale_factor"),
        (lambda: nn.UpsamplingNearest2d(2, 2), "UpsamplingNearest2d: expected either"),
        (lambda: nn.Upsample(2, mode="cubic"), "got 'cubic'"),
        (lambda: nn.PixelShuffle(0), "upscale_factor must be above 0"),
        (lambda: nn.PixelUnshuffle(-1), "downscale_factor must be above 0"),
        (lambda: nn.ChannelShuffle(0), "groups must be above 0"),
        (lambda: nn.Bilinear(0, 1, 1), "in1_features of at least 1"),
        (lambda: nn.Linear(-1, 1), "at least 0, got -1"),
        (lambda: nn.Unflatten(1, (-1, -1)), "at most one of them -1"),
    ],
)
def test_options_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "make", [lambda: nn.ConvTranspose2d(2, 2, 3, padding="same"), lambda: nn.Conv2d(2, 2, 2.5)], ids=["padding", "size"]
)
def test_what_is_no_integer_is_named(make):
    with pytest.raises(TypeError, match=r"Conv(Transpose)?2d: expected (padding|kernel_size) to be 1 or 2 integers"):
        make()


# Padding, folding, resolution


@pytest.mark.parametrize("kind", ["Constant", "Zero", "Reflection", "Replication", "Circular"])
def test_paddings_that_take_away_are_pytorchs(kind):
    torch = pytest.importorskip("torch")
    options = ((-1, 2, 1, -2), *((0.5,) if kind == "Constant" else ()))
    layers = [getattr(library, f"{kind}Pad2d")(*options) for library in (nn, torch.nn)]
    agree(*layers, (2, 3, 4, 5))


def test_folding_what_was_unfolded_counts_the_windows_of_each_pixel(rng):
    form = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}
    x = rng.normal(size=(2, 3, 5, 4))
    there, back = nn.Unfold(**form), nn.Fold((5, 4), **form)
    rows, columns = [1, 2, 1, 2, 1], [1, 2, 2, 1]  # windows start at rows -1, 1, 3 and at columns 0, 1, 2
    np.testing.assert_allclose(back(there(ag.tensor(x))).numpy(), x * np.outer(rows, columns), rtol=1e-14)


@pytest.mark.parametrize("options", [{"dilation": 2, "padding": 2}, {"stride": (2, 3)}], ids=str)
def test_folding_is_pytorchs(options):
    torch = pytest.importorskip("torch")
    agree(*(library.Unfold((2, 2), **options) for library in (nn, torch.nn)), (2, 3, 5, 5))
    windows = torch.nn.Unfold((2, 2), **options)(torch.zeros(1, 3, 5, 5)).shape
    agree(*(library.Fold((5, 5), (2, 2), **options) for library in (nn, torch.nn)), tuple(windows))


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("Upsample", {"scale_factor": 1.6}, (2, 2, 5)),
        ("Upsample", {"scale_factor": (1.5, 2), "mode": "bilinear"}, (2, 2, 3, 4)),
        ("Upsample", {"scale_factor": 1.7, "mode": "bicubic", "recompute_scale_factor": True}, (1, 2, 3, 4)),
        ("Upsample", {"size": (5, 2), "mode": "bicubic", "align_corners": True}, (1, 2, 3, 4)),
        ("Upsample", {"size": 4, "mode": "trilinear", "align_corners": True}, (1, 1, 3, 2, 2)),
        ("Upsample", {"size": (2, 5), "mode": "nearest-exact"}, (1, 2, 3, 3)),
        ("Upsample", {"size": (2, 5), "mode": "area"}, (1, 2, 3, 3)),
        ("UpsamplingNearest2d", {"scale_factor": 2}, (2, 2, 2, 3)),
        ("UpsamplingBilinear2d", {"size": (3, 5)}, (2, 2, 2, 3)),
        ("PixelShuffle", {"upscale_factor": 3}, (2, 18, 1, 2)),
        ("PixelUnshuffle", {"downscale_factor": 2}, (3, 4, 2)),
        ("ChannelShuffle", {"groups": 3}, (2, 6, 2, 2)),
        ("Flatten", {"start_dim": 1, "end_dim": 2}, (2, 3, 4, 5)),
        ("Unflatten", {"dim": -2, "unflattened_size": (2, -1)}, (2, 6, 3)),
    ],
)
def test_resolutions_and_shapes_are_pytorchs(name, options, shape):
    torch = pytest.importorskip("torch")
    agree(getattr(nn, name)(**options), getattr(torch.nn, name)(**options), shape)


def test_a_bilinear_layer_is_one_quadratic_form_for_each_output(rng):
    layer = nn.Bilinear(3, 2, 4).double()
    a, b = rng.normal(size=(5, 6, 3)), rng.normal(size=(5, 6, 2))
    expected = np.einsum("...i,kij,...j->...k", a, layer.weight.detach().numpy(), b) + layer.bias.detach().numpy()
    np.testing.assert_allclose(layer(ag.tensor(a), ag.tensor(b)).detach().numpy(), expected, rtol=1e-12)
    assert np.abs(layer.weight.detach().numpy()).max() <= 1 / np.sqrt(3)
