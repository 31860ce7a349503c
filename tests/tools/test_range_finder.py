"""The learning-rate range test."""

import math
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.tools.range_finder import RangeTest, find_rate


def problem(wrap=lambda f: f, rule=optim.Adam, **options):
    """A network with running statistics and dropout, its optimizer, and a step on random batches."""
    ag.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 1))
    groups = [{"params": list(net[0].parameters())}, {"params": list(net[4].parameters()), "lr": 0.002}]
    optimizer = rule(groups, lr=0.01, **options)

    def update(x, y):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    update = wrap(update)

    def step():
        x = ag.randn(16, 2)
        return update(x, (x * x).sum(1, keepdim=True))

    return net, optimizer, step


def everything(net, optimizer):
    state = {name: value.array.copy() for name, value in net.state_dict().items()}
    gradients = {name: None if p.grad is None else p.grad.tolist() for name, p in net.named_parameters()}
    saved = optimizer.state_dict()
    moments = {n: {f: v.array.copy() for f, v in fields.items()} for n, fields in saved["state"].items()}
    return state, gradients, moments, saved["param_groups"], ag.creation.default_generator().get_state()


@pytest.mark.parametrize("trained", [0, 3])
def test_everything_is_left_as_it_was(trained):
    net, optimizer, step = problem()
    for _ in range(trained):
        step()
    before = everything(net, optimizer)
    found = find_rate(step, optimizer, net, start=1e-5, end=1.0, steps=30)
    after = everything(net, optimizer)
    for first, second in zip(before, after, strict=True):
        np.testing.assert_equal(second, first)
    assert len(found.rates) > 20


def test_also_after_an_error():
    net, optimizer, step = problem()
    step()
    before = everything(net, optimizer)
    calls = []

    def failing():
        calls.append(step())
        if len(calls) == 4:
            raise KeyboardInterrupt
        return calls[-1]

    with pytest.raises(KeyboardInterrupt):
        find_rate(failing, optimizer, net)
    for first, second in zip(before, everything(net, optimizer), strict=True):
        np.testing.assert_equal(second, first)


def test_training_goes_on_as_without_it():
    def train(test):
        _, optimizer, step = problem()
        losses = [step().item() for _ in range(2)]
        if test:
            find_rate(step, optimizer, steps=20)
        return losses + [step().item() for _ in range(3)]

    # The running statistics are not restored without the module, and not used in training.
    assert train(True) == train(False)


def test_with_a_compiled_step():
    pytest.importorskip("numba")

    def run(wrap):
        w = ag.tensor(np.array([3.0, -1.0]), requires_grad=True)
        sgd = optim.SGD([w], lr=0.1, momentum=0.5)

        def step():
            sgd.zero_grad()
            loss = (w * w).sum()
            loss.backward()
            sgd.step()
            return loss

        step = wrap(step)
        first = step().item()
        found = find_rate(step, sgd, start=1e-3, end=3.0, steps=40)
        return first, found, [step().item() for _ in range(3)]

    eager, compiled = run(lambda f: f), run(ag.compile)
    assert_allclose(compiled[0], eager[0])
    assert_allclose(compiled[1].losses, eager[1].losses, rtol=1e-9)
    assert_allclose(compiled[2], eager[2], rtol=1e-12)


def test_losses_of_a_parabola_in_closed_form():
    w = ag.tensor(np.array(5.0), requires_grad=True)
    v = ag.tensor(np.array(1.0), requires_grad=True)
    sgd = optim.SGD([{"params": [w]}, {"params": [v], "lr": 0.3}], lr=0.1)

    def step():
        sgd.zero_grad()
        loss = (w * w + v * v) / 2
        loss.backward()
        sgd.step()
        return loss

    found = find_rate(step, sgd, start=1e-3, end=5.0, steps=50, smoothing=0.0)
    x, y, expected = 5.0, 1.0, []
    for rate in found.rates:
        expected.append((x * x + y * y) / 2)
        x, y = x * (1 - rate), y * (1 - 3 * rate)
    assert_allclose(found.rates, np.geomspace(1e-3, 5.0, 50)[: len(found.rates)], rtol=1e-12)
    assert_allclose(found.losses, expected, rtol=1e-10)
    assert_allclose(found.smoothed, found.losses)
    assert len(found.rates) < 50  # it diverges at last
    assert found.losses[-1] > 4 * found.losses.min()
    # Below 2/3, where the second parameter diverges, all is well.
    assert found.steepest < 2 / 3
    assert found.tenth_of_minimum < 2 / 3


def test_smoothing_is_without_bias():
    losses = iter(np.linspace(2.0, 1.0, 10))
    w = ag.zeros(1, requires_grad=True)
    found = find_rate(lambda: next(losses), optim.SGD([w], lr=0.1), steps=10, smoothing=0.8)
    weights = 0.8 ** np.arange(10)
    for k in range(10):
        expected = (weights[: k + 1][::-1] * found.losses[: k + 1]).sum() / weights[: k + 1].sum()
        assert_allclose(found.smoothed[k], expected, rtol=1e-12)


def test_suggestions():
    rates = np.geomspace(1e-4, 10, 51)
    fall = 1 / (1 + np.exp(4 * (np.log10(rates) + 1.5)))
    found = RangeTest(rates, fall + (rates > 1) * rates, fall + (rates > 1) * rates)
    assert_allclose(found.steepest, 10**-1.5, rtol=0.3)
    assert_allclose(found.tenth_of_minimum, 0.1, rtol=0.3)


@pytest.mark.parametrize("suggestion", ["steepest", "tenth_of_minimum"])
def test_the_suggestions_train(suggestion):
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(200, 5)), 0.1 * rng.normal(size=200)
    target = ag.tensor(np.tanh(x @ rng.normal(size=5)) + noise)
    ag.manual_seed(1)
    net = nn.MLP([5, 16, 1], dtype=ag.float64)
    sgd = optim.SGD(net.parameters(), lr=1e-3)
    batches = [rng.integers(0, 200, 32) for _ in range(60)]

    def steps():
        for chosen in batches * 2:
            sgd.zero_grad()
            loss = nn.functional.mse_loss(net(ag.tensor(x[chosen])).squeeze(1), target[chosen])
            loss.backward()
            sgd.step()
            yield loss

    found = find_rate(steps().__next__, sgd, start=1e-5, end=10.0)
    sgd.param_groups[0]["lr"] = getattr(found, suggestion)
    losses = [loss.item() for loss in steps()]
    assert np.mean(losses[-20:]) < 0.25 * losses[0]


def test_plot():
    pytest.importorskip("matplotlib")
    _, optimizer, step = problem()
    found = find_rate(step, optimizer, start=1e-5)
    (axes,) = found.plot().axes
    assert axes.get_xscale() == "log"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels[2:] == [
        f"steepest descent: {found.steepest:.2g}", f"a tenth of the minimum's: {found.tenth_of_minimum:.2g}"
    ]  # fmt: skip
    assert_allclose(axes.get_lines()[1].get_ydata(), found.smoothed)


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        RangeTest(np.ones(2), np.ones(2), np.ones(2)).plot()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 0.0}, "0 < start < end"),
        ({"start": 1.0, "end": 0.1}, "0 < start < end"),
        ({"steps": 2}, "steps >= 3"),
        ({"smoothing": 1.0}, r"smoothing in \[0, 1\)"),
        ({"diverged": 1.0}, "diverged > 1"),
    ],
)
def test_options_out_of_range(options, message):
    sgd = optim.SGD([ag.zeros(1, requires_grad=True)], lr=0.1)
    with pytest.raises(ValueError, match=message):
        find_rate(lambda: 1.0, sgd, **options)


def test_a_loss_that_is_never_finite():
    sgd = optim.SGD([ag.zeros(1, requires_grad=True)], lr=0.1)
    with pytest.raises(ValueError, match=r"finite for 0 steps.*start with a smaller rate"):
        find_rate(lambda: math.nan, sgd)
    assert sgd.param_groups[0]["lr"] == 0.1
    with pytest.raises(TypeError, match="expected an optimizer, got a str"):
        find_rate(lambda: 1.0, "SGD")
