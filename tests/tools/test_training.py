"""The training loop: what it gives, and what it leaves behind when it ends early."""

import math
import sys

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.compiler import binding, cache, native
from autograd_core.nn.functional import cross_entropy, mse_loss
from autograd_core.tools.plots import learning_curves
from autograd_core.tools.training import Compilation, DivergedError, Epoch, accuracy, batches, evaluate, fit


def clouds(rng, count=60):
    """Three clouds of points in the plane, one a class."""
    labels = np.arange(count) % 3
    points = np.array([[2.0, 0.0], [-2.0, 1.0], [0.0, -3.0]])[labels] + 0.3 * rng.standard_normal((count, 2))
    return ag.tensor(points.astype(np.float32)), ag.tensor(labels)


def start(seed=0, lr=0.05):
    generator = ag.manual_seed(seed)
    model = nn.MLP([2, 8, 3])
    return model, optim.Adam(model.named_parameters(), lr=lr, weight_decay=0.003), generator


def weights(model):
    return {name: tensor.array.copy() for name, tensor in model.state_dict().items()}


def same(first, second):
    return all(np.array_equal(first[name], second[name]) for name in first)


def learn(rng, seed=0, **options):
    model, optimizer, generator = start(seed)
    parts = clouds(rng), clouds(rng, 30)
    given = {"epochs": 8, "batch_size": 7, "generator": generator, "metrics": {"accuracy": accuracy}} | options
    return model, fit(model, optimizer, cross_entropy, *parts, **given)


def test_learns_and_tells_every_epoch(rng):
    rows = []
    model, history = learn(rng, on_epoch=rows.append)
    assert rows == history
    assert [row.number for row in history] == list(range(9))
    assert history[0].validation["accuracy"] < 0.9 < history[-1].validation["accuracy"]
    assert not model.training


def test_the_best_weights_are_kept(rng):
    seen = []
    model, optimizer, generator = start(lr=0.5)  # too large: the loss goes up and down
    parts = clouds(rng), clouds(rng, 30)
    history = fit(
        model,
        optimizer,
        cross_entropy,
        *parts,
        epochs=12,
        batch_size=20,
        generator=generator,
        on_epoch=lambda row: seen.append(weights(model)),
    )
    losses = [row.validation["loss"] for row in history]
    assert losses.index(min(losses)) != len(losses) - 1, "the case is of no use if the last epoch is the best"
    assert same(weights(model), seen[losses.index(min(losses))])
    assert evaluate(model, cross_entropy, parts[1])["loss"] == pytest.approx(min(losses))


def test_the_first_row_is_before_training(rng):
    model, _, _ = start()
    expected = weights(model)
    seen = []
    learn(rng, epochs=1, on_epoch=lambda row: seen.append(row.number))
    trained, history = learn(rng, epochs=0)
    assert seen == [0, 1]
    assert same(weights(trained), expected)
    assert len(history) == 1


def test_the_seed_decides():
    runs = [learn(np.random.default_rng(5), seed) for seed in (1, 1, 2)]
    assert runs[0][1] == runs[1][1] != runs[2][1]
    assert same(weights(runs[0][0]), weights(runs[1][0]))
    assert not same(weights(runs[0][0]), weights(runs[2][0]))


def test_one_step_is_one_step_of_the_optimizer():
    x, y = ag.tensor([[1.0], [2.0]]), ag.tensor([[2.0], [4.0]])
    line = nn.Linear(1, 1, bias=False)
    line.load_state_dict({"weight": np.array([[1.0]], np.float32)})
    fit(line, optim.SGD(line.named_parameters(), lr=0.1), mse_loss, (x, y), (x, y), epochs=1, batch_size=2)
    # loss = mean((w x - y)^2), its derivative at w = 1: 2 mean((w x - y) x) = 2 (-1 - 4) / 2 = -5
    assert line.weight.item() == pytest.approx(1.5)


def test_batches_hold_every_example_once_in_new_order():
    data = ag.arange(23), ag.arange(23) * 10
    generator = ag.Generator(3)
    first, second = (list(batches(data, 5, generator)) for _ in range(2))
    assert [len(inputs) for inputs, _ in first] == [5, 5, 5, 5, 3]
    orders = [np.concatenate([inputs.array for inputs, _ in epoch]) for epoch in (first, second)]
    assert not np.array_equal(*orders)
    assert all(np.array_equal(np.sort(order), np.arange(23)) for order in orders)
    assert all(np.array_equal(inputs.array * 10, targets.array) for inputs, targets in first)


def test_evaluate_records_nothing_and_needs_no_metrics(rng):
    model, _, _ = start()
    found = evaluate(model, cross_entropy, clouds(rng))
    assert list(found) == ["loss"]
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("number", [0, 3])
def test_an_interruption_leaves_the_best_weights(rng, number):
    seen = []

    def interrupt(row):
        seen.append((row.validation["loss"], weights(model)))
        if row.number == number:
            raise KeyboardInterrupt

    model, optimizer, generator = start()
    with pytest.raises(KeyboardInterrupt):
        fit(
            model,
            optimizer,
            cross_entropy,
            clouds(rng),
            clouds(rng, 30),
            epochs=8,
            batch_size=7,
            generator=generator,
            on_epoch=interrupt,
        )
    assert len(seen) == number + 1
    assert same(weights(model), min(seen, key=lambda pair: pair[0])[1])


def test_an_interruption_in_the_middle_of_an_epoch_leaves_the_last_best(rng):
    calls = []

    def loss(outputs, targets):
        calls.append(None)
        if len(calls) == 2 + 2:  # two evaluations, then the second batch
            raise KeyboardInterrupt
        return cross_entropy(outputs, targets)

    model, optimizer, generator = start()
    before, parts = weights(model), (clouds(rng), clouds(rng))
    with pytest.raises(KeyboardInterrupt):
        fit(model, optimizer, loss, *parts, epochs=8, batch_size=7, generator=generator, compile=False)
    assert same(weights(model), before)


@pytest.mark.parametrize("compile", [True, False])
def test_a_loss_that_diverges_is_named_and_the_best_weights_stay(rng, compile):
    rows = []
    x, y = ag.tensor(rng.standard_normal((20, 1)), dtype=ag.float32), ag.ones(20, 1)
    line = nn.Linear(1, 1)
    optimizer = optim.SGD(line.named_parameters(), lr=1e9)
    with pytest.raises(DivergedError, match=r"became (inf|nan) in epoch \d+; a smaller learning rate"):
        fit(line, optimizer, mse_loss, (x, y), (x, y), epochs=50, batch_size=5, on_epoch=rows.append, compile=compile)
    assert all(math.isfinite(row.validation["loss"]) for row in rows)
    assert evaluate(line, mse_loss, (x, y))["loss"] == pytest.approx(min(row.validation["loss"] for row in rows))


def test_refuses_what_cannot_be(rng):
    with pytest.raises(ValueError, match=r"batch_size >= 1, got 8 and 0"):
        learn(rng, batch_size=0)
    with pytest.raises(ValueError, match=r"epochs >= 0 .* got -1"):
        learn(rng, epochs=-1)
    model, optimizer, _ = start()
    points, labels = clouds(rng)
    with pytest.raises(ValueError, match=r"validation needs as many targets as inputs, .* 60 inputs and 59"):
        fit(model, optimizer, cross_entropy, (points, labels), (points, labels[1:]), epochs=1, batch_size=1)
    with pytest.raises(ValueError, match=r"train needs .* at least one, got 0 inputs"):
        fit(model, optimizer, cross_entropy, (points[:0], labels[:0]), (points, labels), epochs=1, batch_size=1)


# Compiling


class Noisy(nn.MLP):
    """Random in training, and with a buffer that training changes."""

    def __init__(self):
        super().__init__([2, 8, 3])
        self.register_buffer("mean", ag.zeros(2))

    def forward(self, inputs):
        if self.training:
            self.mean.mul_(0.9).add_(0.1 * inputs.mean(0))
            inputs = nn.functional.dropout(inputs, 0.3)
        return super().forward(inputs - self.mean)


def noisy(seed, compile, **options):
    """The history of a net, its weights, and what is drawn next after it."""
    generator = ag.manual_seed(seed)
    model = Noisy()
    optimizer = optim.Adam(model.named_parameters(), lr=0.01)
    rng = np.random.default_rng(4)
    given = {"epochs": 3, "batch_size": 7, "generator": generator, "metrics": {"accuracy": accuracy}} | options
    history = fit(model, optimizer, cross_entropy, clouds(rng), clouds(rng, 30), compile=compile, **given)
    return history, weights(model), ag.rand(3).array


def test_compiled_or_not_the_numbers_are_the_same():
    pytest.importorskip("numba")
    found = []
    (first, learned, drawn), (again, learned_again, drawn_again) = (
        noisy(seed, compile, on_compiled=found.append) for seed, compile in ((1, True), (1, False))
    )
    assert [made.problem for made in found] == [None], "one of them is compiled"
    for row, other in zip(first, again, strict=True):
        assert row.train == pytest.approx(other.train, rel=1e-4)
        assert row.validation == pytest.approx(other.validation, rel=1e-4)
    for name, value in learned.items():
        np.testing.assert_allclose(value, learned_again[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert np.array_equal(drawn, drawn_again)


def test_a_smaller_last_batch_uses_the_same_native_code(rng, monkeypatch):
    pytest.importorskip("numba")
    sources = []

    def compiled(source, *arguments):
        sources.append(source)
        return native.compiled(source, *arguments)

    monkeypatch.setattr(binding, "compiled", compiled)
    learn(rng, batch_size=8)  # 60 = 7 * 8 + 4 examples for training, 30 for validation
    assert (len(sources), len(set(sources))) == (4, 2)


def test_it_says_what_became_of_compiling(monkeypatch, tmp_path):
    pytest.importorskip("numba")
    monkeypatch.setenv("AUTOGRAD_CORE_CACHE", str(tmp_path))
    x = ag.ones(3, 1)

    def told():
        monkeypatch.setattr(native, "_compiled", {})  # as in a new process
        events = []
        line = nn.Linear(1, 1)
        sgd = optim.SGD(line.named_parameters(), lr=0.1)
        options = {"on_epoch": events.append, "on_compiled": events.append}
        fit(line, sgd, mse_loss, (x, x), (x, x), epochs=2, batch_size=3, **options)
        kinds = [type(event) for event in events]
        assert kinds == [Epoch, Compilation, Epoch, Epoch]
        return events[1]

    first, second = told(), told()
    assert (first.cached, second.cached) == (False, True)
    assert first.seconds > second.seconds > 0
    assert str(first) == f"compiled in {first.seconds:.1f} s"
    assert str(second) == f"native code from the cache, ready in {second.seconds:.1f} s"


def test_without_numba_it_runs_as_it_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(cache, "environment", getattr(cache.environment, "__wrapped__", cache.environment))
    found = []
    history, learned, drawn = noisy(2, compile=True, on_compiled=found.append)
    expected, learned_plainly, drawn_plainly = noisy(2, compile=False)
    assert history == expected
    assert same(learned, learned_plainly)
    assert np.array_equal(drawn, drawn_plainly)
    assert str(found[0]) == "not compiled: numba is not installed"


def test_what_cannot_be_compiled_runs_as_it_is(rng):
    seen = []

    def loss(outputs, targets):
        value = cross_entropy(outputs, targets)
        seen.append(value.item())
        return value

    pytest.importorskip("numba")
    found = []
    parts = clouds(rng), clouds(rng, 30)
    histories = []
    for compile in (True, False):
        model, optimizer, generator = start()
        options = {"generator": generator, "compile": compile, "on_compiled": found.append}
        histories.append(fit(model, optimizer, loss, *parts, epochs=2, batch_size=20, **options))
    assert histories[0] == histories[1]
    assert len(seen) == 2 * (2 * 3 + 3 * 2), "batches and evaluations"
    assert len(found) == 1
    assert str(found[0]).startswith("not compiled: ")
    assert "item" in found[0].problem


def test_accuracy_counts_the_largest_logits():
    logits = ag.tensor([[0.1, 0.9, 0.0], [5.0, -1.0, 2.0], [0.0, 0.0, 1.0], [3.0, 2.0, 1.0]])
    assert accuracy(logits, ag.tensor([1, 0, 2, 1])) == 0.75


def test_learning_curves_show_every_row_and_the_best_epoch():
    losses = [2.3, 0.7, 0.4, 0.6]
    history = [
        Epoch(i, {"loss": x / 2, "accuracy": 1 - x / 3}, {"loss": x, "accuracy": 1 - x / 2})
        for i, x in enumerate(losses)
    ]
    figure = learning_curves(history)
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy"]
    train, validation, best, *_ = figure.axes[0].get_lines()
    assert list(train.get_ydata()) == [x / 2 for x in losses]
    assert list(validation.get_ydata()) == losses
    assert list(best.get_xdata()) == [2, 2]
