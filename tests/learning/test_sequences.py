"""Sequences: what is remembered over many steps, lengths that differ, and a text by heart."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional


def update(optimizer, loss, max_norm=None):
    """One step of gradient descent on a loss."""
    optimizer.zero_grad()
    loss.backward()
    if max_norm is not None:
        nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], max_norm)
    optimizer.step()


# The adding problem

STEPS, HIDDEN = 30, 32


def additions(rng, n):
    """Numbers of [0, 1), one marked in each half of a sequence; and the sum of these two."""
    numbers, marks, rows = rng.random((n, STEPS)), np.zeros((n, STEPS)), np.arange(n)
    first, second = rng.integers(0, STEPS // 2, n), rng.integers(STEPS // 2, STEPS, n)
    marks[rows, first] = marks[rows, second] = 1
    inputs, sums = np.stack([numbers, marks], -1), numbers[rows, first] + numbers[rows, second]
    return ag.tensor(inputs, dtype="float32"), ag.tensor(sums[:, None], dtype="float32")


def error_of_addition(network, lr):
    """The mean squared error on new sequences after 400 steps, or as soon as it is below 0.01."""
    ag.manual_seed(0)
    rng = np.random.default_rng(0)
    net = nn.models.SequenceClassifier(2, HIDDEN, 1, network=network)
    if network == "lstm":
        # Units begin with spans of memory up to the length: Tallec & Ollivier, "Can recurrent neural networks warp
        # time?" (2018), eq. 16.
        spans = np.log(rng.uniform(1, STEPS - 1, HIDDEN))
        with ag.no_grad():
            net.network.bias_ih_l0[: 2 * HIDDEN] = np.concatenate([-spans, spans])
    optimizer = optim.Adam(net.parameters(), lr=lr)
    inputs, sums = additions(rng, 500)
    error = None
    for step in range(1, 401):
        x, y = additions(rng, 32)
        update(optimizer, F.mse_loss(net(x), y), max_norm=1.0)
        if step % 25 == 0:
            with ag.no_grad():
                error = F.mse_loss(net(inputs), sums).item()
            if error < 0.01:
                break
    return error


@pytest.mark.parametrize(("network", "lr"), [("lstm", 0.04), ("gru", 0.02)])
def test_the_adding_problem_is_solved_with_gates(network, lr):
    """Hochreiter & Schmidhuber, "Long short-term memory" (1997), section 5.4; always 1 has an error of 1/6."""
    assert error_of_addition(network, lr) < 0.02


def test_the_adding_problem_is_not_solved_without_gates():
    assert error_of_addition("rnn", 0.01) > 0.12


# Lengths

TOKENS, LONGEST = 8, 16


def halves(rng, n):
    """Tokens, the lengths of the sequences, and the class: in which half of the alphabet the first and last are.

    What follows the last one is of the same kind, so that nothing but the length tells where a sequence ends.
    """
    tokens, lengths = rng.integers(0, TOKENS, (n, LONGEST)), rng.integers(3, LONGEST + 1, n)
    first, last = tokens[:, 0], tokens[np.arange(n), lengths - 1]
    classes = 2 * (first >= TOKENS // 2) + (last >= TOKENS // 2)
    return ag.tensor(tokens), ag.tensor(lengths), ag.tensor(classes)


def trained_on_halves(use_lengths, **options):
    ag.manual_seed(0)
    rng = np.random.default_rng(0)
    net = nn.models.SequenceClassifier(8, 16, 4, num_tokens=TOKENS, **options)
    optimizer = optim.Adam(net.parameters(), lr=0.02)
    for _ in range(200):
        tokens, lengths, classes = halves(rng, 32)
        update(optimizer, F.cross_entropy(net(tokens, lengths if use_lengths else None), classes))
    return net


def share_of_halves(net, use_lengths):
    tokens, lengths, classes = halves(np.random.default_rng(1), 1000)
    with ag.no_grad():
        found = net(tokens, lengths if use_lengths else None).argmax(-1)
    return (found == classes).float().mean().item()


@pytest.mark.parametrize("options", [{"network": "gru"}, {"network": "lstm", "bidirectional": True}])
def test_lengths_are_respected(options):
    net = trained_on_halves(True, **options)
    assert share_of_halves(net, True) > 0.98
    assert share_of_halves(net, False) < 0.75  # it does read what follows, when it is not told the lengths


def test_without_lengths_the_last_token_cannot_be_known():
    """At best the first half of the class is, and the second now and then, where the padding is short."""
    assert share_of_halves(trained_on_halves(False, network="gru"), False) < 0.75


# A text

TEXT = """Twinkle, twinkle, little star,
How I wonder what you are!
Up above the world so high,
Like a diamond in the sky.

When the blazing sun is gone,
When he nothing shines upon,
Then you show your little light,
Twinkle, twinkle, all the night.
"""


def bigram_entropy(tokens):
    """What a token tells of the next one: ``-sum p(a, b) log p(b | a)`` of the pairs in the text, in nats."""
    pairs = np.zeros((tokens.max() + 1,) * 2)
    np.add.at(pairs, (tokens[:-1], tokens[1:]), 1)
    given = pairs / np.maximum(pairs.sum(1, keepdims=True), 1)
    seen = pairs > 0
    return -np.sum(pairs[seen] / pairs.sum() * np.log(given[seen]))


def test_a_transformer_knows_a_text_by_heart():
    """Taylor, "The star" (1806): better than pairs of letters allow, and written down from its beginning on."""
    tokens = np.unique(list(TEXT), return_inverse=True)[1]
    context, steps = 24, 250
    rng = np.random.default_rng(0)
    ag.manual_seed(0)
    net = nn.models.CharTransformer(tokens.max() + 1, context, d_model=24, nhead=2, num_layers=1)
    optimizer = optim.AdamW(net.parameters(), lr=0.01)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=steps + 1, pct_start=0.1)
    windows = np.lib.stride_tricks.sliding_window_view(tokens, context + 1)
    for _ in range(steps):
        update(optimizer, net.loss(ag.tensor(windows[rng.integers(0, len(windows), 16)])))
        schedule.step()
    with ag.no_grad():
        loss = net.loss(ag.tensor(windows)).item()
    assert loss < 0.25 * bigram_entropy(tokens)
    start = ag.tensor(tokens[None, :context])
    written = net.generate(start, len(tokens) - context, temperature=0).numpy()[0]
    assert (written == tokens).mean() > 0.95
