"""Pooling layers: published numbers, kinks, and what the samples of PyTorch do not reach."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.tools import gradcheck

F = nn.functional
inf, nan = np.inf, np.nan
EXAMPLE = [[[1.0, 3, 5, 3], [4, 2, 3, 1], [3, 1, 1, 3], [0, 1, 0, 4]]]


def leaf(data):
    return ag.tensor(np.asarray(data, np.float64), requires_grad=True)


def agree(mine, theirs, *arrays, rtol=1e-10, **options):
    """Whether ours gives PyTorch's values, places and gradients."""
    torch = pytest.importorskip("torch")
    is_float = [array.dtype.kind == "f" for array in arrays]
    ours = [ag.tensor(a, requires_grad=f) for a, f in zip(arrays, is_float, strict=True)]
    leaves = [torch.tensor(a, requires_grad=f) for a, f in zip(arrays, is_float, strict=True)]
    found, expected = mine(*ours, **options), theirs(*leaves, **options)
    if isinstance(expected, tuple):
        np.testing.assert_array_equal(found[1].numpy(), expected[1].numpy())
        found, expected = found[0], expected[0]
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=rtol)
    toward = np.random.default_rng(1).normal(size=found.shape).astype(arrays[0].dtype)
    (gradient,), (wanted,) = (
        ag.grad(found, ours[:1], ag.tensor(toward)),
        torch.autograd.grad(expected, leaves[:1], torch.tensor(toward)),
    )
    np.testing.assert_allclose(gradient.numpy(), wanted.numpy(), rtol=rtol, atol=1e-12)


def test_the_course_example():
    x = leaf(EXAMPLE)
    np.testing.assert_array_equal(nn.MaxPool2d(2)(x).detach().numpy(), [[[4, 5], [3, 4]]])
    np.testing.assert_array_equal(nn.AvgPool2d(2)(x).detach().numpy(), [[[2.5, 3], [1.25, 2]]])
    np.testing.assert_array_equal(nn.AdaptiveMaxPool2d(1)(x).detach().numpy(), [[[5]]])
    np.testing.assert_array_equal(nn.AdaptiveAvgPool2d(1)(x).detach().numpy(), [[[35 / 16]]])
    np.testing.assert_allclose(nn.LPPool2d(2, 2)(x).detach().numpy() ** 2, [[[30, 44], [11, 26]]])


# Power sums


@pytest.mark.parametrize("norm_type", [1, 1.5, 3, -2.0, inf, -inf])
@pytest.mark.parametrize(("stride", "ceil_mode"), [(None, False), (3, True), (2, True)])
def test_power_sums_are_pytorchs(norm_type, stride, ceil_mode, rng):
    torch = pytest.importorskip("torch")
    for n, shape in {1: (2, 3, 8), 2: (2, 5, 7), 3: (1, 2, 4, 3, 5)}.items():
        layers = [
            getattr(library, f"LPPool{n}d")(norm_type, 2, stride=stride, ceil_mode=ceil_mode)
            for library in (nn, torch.nn)
        ]
        agree(*layers, rng.uniform(0.1, 2, shape))


def test_the_power_sum_of_zeros_has_gradient_zero():
    """Beside it the derivative of the norm is x / |x|; also the gradient of a gradient is finite."""
    x = leaf([[0.0, 0.0, 3.0, -4.0]])
    out = nn.LPPool1d(2, 2)(x)
    (dx,) = ag.grad(out.sum(), x, create_graph=True)
    np.testing.assert_array_equal(out.detach().numpy(), [[0, 5]])
    np.testing.assert_allclose(dx.detach().numpy(), [[0, 0, 0.6, -0.8]])
    (ddx,) = ag.grad((dx * ag.tensor([[1.0, 1.0, 1.0, 0.0]])).sum(), x)
    np.testing.assert_allclose(ddx.numpy(), [[0, 0, 16 / 125, 12 / 125]])


def test_odd_powers_keep_the_sign_as_pytorch_does():
    out = nn.LPPool1d(3, 2)(leaf([[2.0, -1.0, -2.0, 1.0]])).detach().numpy()
    np.testing.assert_allclose(out, [[7 ** (1 / 3), nan]])


# Back to where the maxima were


@pytest.mark.parametrize("n", [1, 2, 3])
def test_unpooling_is_pytorchs(n, rng):
    torch = pytest.importorskip("torch")
    size = (7, 6, 5)[:n]
    x = rng.permutation(2 * int(np.prod(size))).reshape(1, 2, *size) / 10
    pooled, places = getattr(nn, f"MaxPool{n}d")(2, padding=1, return_indices=True)(ag.tensor(x))
    layers = [getattr(library, f"MaxUnpool{n}d")(2, padding=1) for library in (nn, torch.nn)]
    agree(*layers, pooled.numpy(), places.numpy(), output_size=x.shape)
    agree(*layers, pooled.numpy()[0], places.numpy()[0], output_size=size)


def test_unpooling_puts_the_maxima_back():
    x = leaf(EXAMPLE)
    out = nn.MaxUnpool2d(2)(*nn.MaxPool2d(2, return_indices=True)(x))
    expected = np.where(np.isin(np.arange(16), [4, 2, 8, 15]), np.ravel(EXAMPLE), 0).reshape(1, 4, 4)
    np.testing.assert_array_equal(out.detach().numpy(), expected)
    (dx,) = ag.grad(out.sum(), x)
    np.testing.assert_array_equal(dx.numpy(), expected != 0)


def test_of_two_values_for_one_place_the_last_is_taken_and_gets_the_gradient():
    x = leaf([[3.0, 4.0]])
    out = nn.MaxUnpool1d(2)(x, ag.tensor([[1, 1]]))
    np.testing.assert_array_equal(out.detach().numpy(), [[0, 4, 0, 0]])
    np.testing.assert_array_equal(ag.grad(out.sum(), x)[0].numpy(), [[0, 1]])


# Windows that start at random


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("n", "kernel", "options", "shape"),
    [
        (2, (2, 3), {"output_size": (4, 3)}, (3, 4, 9, 10)),
        (2, 2, {"output_ratio": (0.7, 0.4)}, (3, 4, 11, 8)),
        (2, 3, {"output_size": 1}, (1, 2, 3, 4)),
        (3, (1, 2, 2), {"output_size": (3, 4, 2)}, (2, 3, 7, 6, 5)),
    ],
)
def test_fractional_pooling_is_pytorchs(n, kernel, options, shape, dtype, rng):
    torch = pytest.importorskip("torch")
    x, samples = rng.normal(size=shape).astype(dtype), rng.uniform(size=(*shape[:2], n)).astype(dtype)
    rtol = 1e-10 if dtype == "float64" else 1e-6
    for array in (x, x[0]):
        layers = [
            getattr(library, f"FractionalMaxPool{n}d")(
                kernel, return_indices=True, _random_samples=convert(samples), **options
            )
            for library, convert in ((nn, ag.tensor), (torch.nn, torch.tensor))
        ]
        agree(*layers, array, rtol=rtol)


def test_fractional_windows_cover_the_image_in_steps_of_two_sizes():
    """A row that counts up, in windows of 2: the maxima are where windows end."""
    x = ag.arange(17.0).reshape(1, 1, 17) * ag.ones(500, 1, 1)
    ag.manual_seed(0)
    ends = nn.FractionalMaxPool2d((1, 2), output_size=(1, 9))(x[:, None]).numpy()[:, 0, 0]
    assert (ends[:, 0] == 1).all()
    assert (ends[:, -1] == 16).all()
    steps = np.diff(ends, axis=1)
    assert set(np.unique(steps)) == {1, 2}  # 15/8 on average
    assert len(np.unique(ends, axis=0)) > 3


def test_the_random_numbers_of_fractional_pooling_are_state_only_where_given():
    drawn = nn.FractionalMaxPool2d(2, output_size=3)
    fixed = nn.FractionalMaxPool2d(2, output_size=3, _random_samples=ag.zeros(1, 1, 2))
    assert list(drawn.state_dict()) == []
    assert list(fixed.state_dict()) == ["_random_samples"]
    ag.manual_seed(0)
    x = ag.tensor(np.random.default_rng(0).normal(size=(1, 1, 7, 7)))
    outputs = {tuple(drawn(x).numpy().ravel()) for _ in range(20)}
    assert len(outputs) > 1
    assert len({tuple(fixed(x).numpy().ravel()) for _ in range(20)}) == 1


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.lp_pool2d(x, 3.0, 2, stride=1),
        lambda x: F.max_unpool2d(x, np.array([[[0, 3, 4], [8, 9, 1]]]), 2),
        lambda x: F.fractional_max_pool2d(x, 2, (1, 2), _random_samples=np.full((1, 1, 2), 0.3)),
    ],
    ids=["lp_pool", "max_unpool", "fractional_max_pool"],
)
def test_second_derivatives(function):
    x = leaf([[[1.0, 2.5, 0.3], [0.7, 1.1, 2.0]]])
    assert gradcheck(lambda x: (function(x) ** 3).sum(), x, order=2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.MaxPool1d(0), "MaxPool1d: expected kernel_size to be 1 or 1 integers of at least 1, got 0"),
        (lambda: nn.MaxPool2d(2, padding=2), "MaxPool2d: padding .* more than half"),
        (lambda: nn.MaxPool2d(2, dilation=(1, 0)), "MaxPool2d: expected dilation"),
        (lambda: nn.AvgPool2d((2, 2, 2)), "AvgPool2d: expected kernel_size"),
        (lambda: nn.AvgPool3d(2, stride=0), "AvgPool3d: expected stride"),
        (lambda: nn.AvgPool3d(2, divisor_override=0), "AvgPool3d: divisor_override must not be 0"),
        (lambda: nn.LPPool1d(0, 2), "LPPool1d: norm_type must not be 0"),
        (lambda: nn.MaxUnpool3d(2, padding=-1), "MaxUnpool3d: expected padding"),
        (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), "AdaptiveAvgPool2d: expected output_size"),
        (lambda: nn.AdaptiveMaxPool1d(-1), "AdaptiveMaxPool1d: expected output_size"),
        (lambda: nn.FractionalMaxPool2d(2), "expected output_size or output_ratio, got None and None"),
        (lambda: nn.FractionalMaxPool2d(2, 3, 0.5), "expected output_size or output_ratio, got 3 and 0.5"),
        (lambda: nn.FractionalMaxPool3d(2, output_ratio=1.5), r"3 numbers in \(0, 1\), got 1.5"),
        (lambda: F.lp_pool1d(ag.ones(1, 4), 0, 2), "lp_pool1d: norm_type must not be 0"),
        (lambda: F.max_unpool1d(ag.ones(4), ag.tensor([0, 1, 2, 3]), 2), r"\(N, C, length\)"),
        (lambda: F.max_unpool1d(ag.ones(1, 2), ag.tensor([[0, 1]]), 2, output_size=(4, 4, 4, 4)), "1 sizes above 0"),
    ],
)
def test_options_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_stride_is_the_kernel_size_unless_given():
    assert nn.MaxPool2d((3, 2)).stride == (3, 2)
    assert repr(nn.MaxPool2d(3, 2)) == (
        "MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, return_indices=False, ceil_mode=False)"
    )
