"""Loss modules beyond PyTorch's samples: options, weights as state, what they are in closed form, and their errors."""

import inspect

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.nn import adversarial_loss, cross_entropy, distance, imbalance_loss, loss, margin_loss

F = nn.functional

LOSSES = [getattr(nn, name) for f in (cross_entropy, imbalance_loss, loss, margin_loss) for name in f.__all__]
OTHERS = [getattr(nn, name) for f in (adversarial_loss, distance) for name in f.__all__]


def taxi(a, b):
    return (a - b).abs().sum(-1)


OPTIONS = [
    ("SmoothL1Loss", {"beta": 0.3}, 2),
    ("SmoothL1Loss", {"beta": 0.0}, 2),
    ("HuberLoss", {"delta": 0.3}, 2),
    ("TripletMarginLoss", {}, 3),
    ("TripletMarginLoss", {"margin": 3.0, "p": 1.5, "eps": 0.1, "swap": True}, 3),
    ("TripletMarginWithDistanceLoss", {"margin": 0.5, "swap": True}, 3),
    ("TripletMarginWithDistanceLoss", {"margin": 5.0, "distance_function": taxi}, 3),
]


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(("name", "options", "count"), OPTIONS)
def test_options_are_pytorchs(name, options, count, reduction, rng):
    torch = pytest.importorskip("torch")
    arrays = rng.normal(size=(count, 4, 3))
    mine = [ag.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    found = getattr(nn, name)(**options, reduction=reduction)(*mine)
    expected = getattr(torch.nn, name)(**options, reduction=reduction)(*theirs)
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-10)
    found.sum().backward()
    expected.sum().backward()
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("CosineSimilarity", {}),
        ("CosineSimilarity", {"dim": 0, "eps": 2.0}),
        ("PairwiseDistance", {}),
        ("PairwiseDistance", {"p": 3.0, "eps": 0.1, "keepdim": True}),
        ("PairwiseDistance", {"p": np.inf}),
    ],
    ids=str,
)
def test_distances_are_pytorchs(name, options, rng):
    torch = pytest.importorskip("torch")
    a, b = rng.normal(size=(2, 4, 3))
    expected = getattr(torch.nn, name)(**options)(torch.tensor(a), torch.tensor(b)).numpy()
    np.testing.assert_allclose(getattr(nn, name)(**options)(ag.tensor(a), ag.tensor(b)).numpy(), expected, rtol=1e-12)


def test_signatures_are_pytorchs():
    """Names, order and defaults; what PyTorch has before `reduction` and after the long dead is by keyword."""
    torch = pytest.importorskip("torch")
    dead, added = {"size_average", "reduce"}, {("CrossEntropyLoss", "allow_unnormalized")}
    compared = 0
    for kind in [*LOSSES, *OTHERS]:
        theirs = getattr(torch.nn, kind.__name__, None)
        if theirs is None:
            continue
        expected = inspect.signature(theirs).parameters
        dying = min((i for i, name in enumerate(expected) if name in dead), default=len(expected))
        by_keyword = inspect.Parameter.KEYWORD_ONLY
        by_position = [n for i, n in enumerate(expected) if i < dying and expected[n].kind != by_keyword]
        found = inspect.signature(kind).parameters
        assert [n for n, p in found.items() if p.kind != by_keyword] == by_position, kind
        assert {(kind.__name__, n) for n in found} - added == {(kind.__name__, n) for n in set(expected) - dead}
        for name in set(found) & set(expected):
            assert found[name].default == expected[name].default, (kind, name)
        compared += 1
    assert compared > 20


# In closed form


def test_the_error_is_the_gradient_of_each_output_with_its_loss(rng):
    """Linear and half the squared error, sigmoid and binary, softmax and cross-entropy: all give a - y."""
    z, y = rng.normal(size=(2, 4, 3))
    p, shares = 1 / (1 + np.exp(-y)), np.exp(y) / np.exp(y).sum(1, keepdims=True)
    for function, target, output in [
        (nn.HalfMSELoss(reduction="sum"), y, lambda x: x),
        (nn.BCEWithLogitsLoss(reduction="sum"), p, ag.sigmoid),
        (nn.CrossEntropyLoss(reduction="sum"), shares, lambda x: ag.softmax(x, 1)),
    ]:
        x = ag.tensor(z, requires_grad=True)
        function(x, ag.tensor(target)).backward()
        np.testing.assert_allclose(x.grad.numpy(), output(ag.tensor(z)).numpy() - target, rtol=1e-10, atol=1e-12)


def test_losses_of_numbers_in_closed_form(rng):
    x, y = rng.normal(scale=2, size=(2, 5))
    r, a, b = x - y, ag.tensor(x), ag.tensor(y)
    for function, expected in [
        (nn.MSELoss(reduction="sum"), (r**2).sum()),
        (nn.HalfMSELoss(), (r**2).mean() / 2),
        (nn.L1Loss(), np.abs(r).mean()),
        (nn.LogCoshLoss(), np.log(np.cosh(r)).mean()),
        (nn.HuberLoss("sum", 1.5), np.where(np.abs(r) < 1.5, r**2 / 2, 1.5 * (np.abs(r) - 0.75)).sum()),
    ]:
        np.testing.assert_allclose(function(a, b).item(), expected, rtol=1e-12)


def test_margins_in_closed_form(rng):
    x, y = rng.normal(scale=2, size=6), rng.choice([-1.0, 1.0], 6)
    slack = np.maximum(0, 0.7 - x * y)
    np.testing.assert_allclose(nn.HingeLoss(0.7)(ag.tensor(x), y).item(), slack.mean(), rtol=1e-12)
    np.testing.assert_allclose(nn.SquaredHingeLoss(0.7)(ag.tensor(x), y).item(), (slack**2).mean(), rtol=1e-12)
    scores, classes = rng.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    missing = np.maximum(0, 0.5 + scores - np.take_along_axis(scores, classes[:, None], 1))
    missing[np.arange(5), classes] = 0
    for over, expected in (("sum", missing.sum(1)), ("max", missing.max(1))):
        found = nn.MulticlassHingeLoss(0.5, over=over, reduction="none")(ag.tensor(scores), classes)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_focal_losses_without_focus_are_cross_entropies(rng):
    z, classes, yes = ag.tensor(rng.normal(size=(5, 3))), np.array([0, 2, 1, 1, 0]), rng.integers(0, 2, (5, 3))
    np.testing.assert_allclose(
        nn.FocalLoss(gamma=0)(z, classes).item(), nn.CrossEntropyLoss()(z, classes).item(), rtol=1e-12
    )
    np.testing.assert_allclose(
        nn.SigmoidFocalLoss(None, 0)(z, yes).item(), nn.BCEWithLogitsLoss()(z, yes.astype(float)).item(), rtol=1e-12
    )
    p = ag.softmax(z, 1).numpy()[np.arange(5), classes]
    weights = np.array([0.5, 1.0, 2.0])
    found = nn.FocalLoss(weights, 1.5, reduction="none")(z, classes).numpy()
    np.testing.assert_allclose(found, -weights[classes] * (1 - p) ** 1.5 * np.log(p), rtol=1e-10)


def test_dice_of_overlapping_masks():
    x, y = ag.tensor([[1.0, 1.0, 0.0, 0.0]]), ag.tensor([[0.0, 1.0, 1.0, 1.0]])
    assert nn.DiceLoss(smooth=0)(x, y).item() == pytest.approx(1 - 2 / 5)
    assert nn.DiceLoss()(x, y).item() == pytest.approx(1 - 3 / 6)
    assert nn.DiceLoss()(x, x).item() == 0
    assert nn.DiceLoss(dim=0, reduction="none")(x, y).shape == (4,)


def test_losses_of_two_networks_at_play(rng):
    real, fake = ag.tensor(rng.normal(size=(6, 1))), ag.tensor(rng.normal(size=(4, 1)))
    bce = nn.BCEWithLogitsLoss()
    as_real, as_fake = bce(fake, ag.ones_like(fake)), bce(fake, ag.zeros_like(fake))
    for function, args, expected in [
        (nn.GANDiscriminatorLoss(), (real, fake), bce(real, ag.ones_like(real)) + as_fake),
        (nn.MinimaxGeneratorLoss(), (fake,), -as_fake),
        (nn.NonSaturatingGeneratorLoss(), (fake,), as_real),
        (nn.WassersteinCriticLoss(), (real, fake), fake.mean() - real.mean()),
        (nn.WassersteinGeneratorLoss(), (fake,), -fake.mean()),
    ]:
        np.testing.assert_allclose(function(*args).item(), expected.item(), rtol=1e-12)


# Weights

WEIGHTED = "CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss MultiLabelSoftMarginLoss MultiMarginLoss"


@pytest.mark.parametrize("name", WEIGHTED.split())
def test_weights_are_state_as_pytorchs(name):
    torch = pytest.importorskip("torch")
    weights = np.array([0.5, 1.0, 2.0], np.float32)
    mine, theirs = getattr(nn, name)(weight=weights), getattr(torch.nn, name)(weight=torch.tensor(2 * weights))
    assert list(mine.state_dict()) == list(theirs.state_dict())
    mine.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    np.testing.assert_array_equal(mine.weight.numpy(), theirs.weight.numpy())
    theirs.load_state_dict({key: torch.tensor(value.numpy()) for key, value in mine.state_dict().items()})
    assert mine.double().weight.dtype == ag.float64
    assert list(getattr(nn, name)().state_dict()) == []
    assert "weight" not in repr(mine)


def test_other_weights_are_state():
    assert list(nn.BCEWithLogitsLoss(pos_weight=[1.0, 2.0]).state_dict()) == ["pos_weight"]
    assert list(nn.FocalLoss([1.0, 2.0]).state_dict()) == ["alpha"]


def test_what_a_loss_shows():
    assert repr(nn.FocalLoss([1.0, 2.0], 3.0)) == "FocalLoss(gamma=3.0, reduction='mean')"
    assert repr(nn.KLDivLoss(reduction="batchmean")) == "KLDivLoss(log_target=False, reduction='batchmean')"
    shown = "TripletMarginWithDistanceLoss(margin=1.0, swap=False, reduction='mean')"
    assert repr(nn.TripletMarginWithDistanceLoss(distance_function=taxi)) == shown
    assert repr(nn.WassersteinCriticLoss()) == "WassersteinCriticLoss()"
    assert repr(nn.CosineSimilarity()) == "CosineSimilarity(dim=1, eps=1e-08)"


class Stretched(nn.Module):
    """A distance with a weight for each coordinate."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter([1.0, 2.0, 3.0])

    def forward(self, a, b):
        return F.pairwise_distance(self.scale * a, self.scale * b)


def test_a_learned_distance_is_part_of_the_loss(rng):
    a, p, n = map(ag.tensor, rng.normal(size=(3, 4, 3)).astype("f"))
    function = nn.TripletMarginWithDistanceLoss(distance_function=Stretched(), margin=5.0)
    function(a, p, n).backward()
    assert [name for name, _ in function.named_parameters()] == ["distance_function.scale"]
    assert function.distance_function.scale.grad.abs().min() > 0


@pytest.mark.parametrize("kind", LOSSES)
def test_reductions_are_named(kind):
    with pytest.raises(ValueError, match=rf"{kind.__name__}: expected reduction 'none', 'mean'.* or 'sum', got 'avg'"):
        kind(reduction="avg")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.MSELoss(reduction="batchmean"), ValueError, "MSELoss: expected reduction .*'batchmean'"),
        (lambda: nn.HuberLoss(delta=0.0), ValueError, "HuberLoss: delta must be above 0, got 0.0"),
        (lambda: nn.SmoothL1Loss(beta=-1.0), ValueError, "SmoothL1Loss: beta must be at least 0, got -1.0"),
        (lambda: nn.CrossEntropyLoss(label_smoothing=2), ValueError, r"CrossEntropyLoss: .* in \[0, 1\], got 2"),
        (lambda: nn.MultiMarginLoss(3), ValueError, "MultiMarginLoss: expected p 1 or 2, got 3"),
        (lambda: nn.MulticlassHingeLoss(over="mean"), ValueError, "expected over 'sum' or 'max', got 'mean'"),
        (lambda: nn.TripletMarginLoss(0.0), ValueError, "TripletMarginLoss: margin must be above 0, got 0.0"),
        (lambda: nn.TripletMarginWithDistanceLoss(margin=-1.0), ValueError, "margin must be above 0, got -1.0"),
        (lambda: nn.TripletMarginWithDistanceLoss(distance_function=2), TypeError, "of two tensors, got int"),
        (lambda: nn.FocalLoss(gamma=-1.0), ValueError, "FocalLoss: gamma must be at least 0, got -1.0"),
        (lambda: nn.SigmoidFocalLoss(2.0), ValueError, r"SigmoidFocalLoss: expected alpha in \[0, 1\], got 2.0"),
        (lambda: nn.DiceLoss(smooth=-1.0), ValueError, "DiceLoss: smooth must be at least 0, got -1.0"),
        (lambda: nn.CrossEntropyLoss([1.0, 2.0])(ag.ones(2, 3), [0, 1]), ValueError, r"shape \(3,\), got \(2,\)"),
        (lambda: nn.MSELoss("mean"), TypeError, "positional"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
