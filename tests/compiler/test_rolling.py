"""Repetition becomes loops; written out again, they are what they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stages import Stages

import autograd_core as ag
from autograd_core import nn
from autograd_core.compiler.rolling import Loop, rolled


def expanded(items):
    """The positions, in the order they run."""
    found = []
    for item in items:
        found += [x for part in item.rounds for x in expanded(part)] if isinstance(item, Loop) else [item]
    return found


def shape(items, symbols):
    """What a text sees of items: the symbols in the body of a loop, whose rounds must all look the same."""
    seen = []
    for item in items:
        if isinstance(item, Loop):
            bodies = [shape(part, symbols) for part in item.rounds]
            assert all(body == bodies[0] for body in bodies)
            assert len(bodies) > 1
            seen.append(bodies[0])
        else:
            seen.append(symbols[item])
    return seen


def size(items):
    """How many calls are written."""
    return sum(size(item.rounds[0]) if isinstance(item, Loop) else 1 for item in items)


repetitive = st.recursive(
    st.lists(st.sampled_from("abc"), max_size=4).map("".join),
    lambda inner: st.lists(st.tuples(inner, st.integers(1, 4)), max_size=3).map(
        lambda parts: "".join(text * n for text, n in parts)
    ),
    max_leaves=8,
)


@given(repetitive | st.text("ab", max_size=40))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_written_out_again_it_is_the_same(symbols):
    items = rolled(symbols)
    assert expanded(items) == list(range(len(symbols)))
    shape(items, symbols)


def test_what_repeats_is_written_once():
    assert size(rolled("abc" * 50)) == 3
    assert size(rolled("x" + "ab" * 30 + "y")) == 4
    assert size(rolled(("ab" * 5 + "c") * 7)) == 3  # loops in loops
    assert size(rolled("abcd")) == 4
    assert rolled("") == []


def test_the_number_of_rounds_is_no_part_of_a_body():
    """Rounds of ``aab`` and ``aaab``: they differ in a number only, which stands in the table."""
    items = rolled("aab" + "aaab" + "aaaab")
    assert size(items) == 2


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.wx, self.wh = nn.Linear(3, 16), nn.Linear(4, 16)

    def forward(self, x):
        h = c = ag.zeros(x.shape[1], 4)
        for t in range(x.shape[0]):
            i, f, g, o = ag.split(self.wx(x[t]) + self.wh(h), 4, -1)
            c = ag.sigmoid(f) * c + ag.sigmoid(i) * ag.tanh(g)
            h = ag.sigmoid(o) * ag.tanh(c)
        return h


@pytest.mark.parametrize("learns", [False, True])
def test_the_length_of_a_sequence_is_not_in_the_source(learns):
    ag.manual_seed(0)
    model = Cell()

    def step(x):
        loss = (model(x) ** 2).sum()
        if learns:
            model.zero_grad()
            loss.backward()
        return loss

    short, long = (Stages(step, (t, 2, 3)).emitted for t in (12, 20))
    assert short.source == long.source
    assert len(long.table) > len(short.table)


def test_equal_layers_are_a_loop():
    def deep(count):
        ag.manual_seed(0)
        model = nn.MLP([8] * count)

        def step(x):
            loss = (model(x) ** 2).mean()
            model.zero_grad()
            loss.backward()
            return loss

        return Stages(step, (4, 8)).emitted.source

    assert deep(8) == deep(12)
    assert len(deep(12)) < 1.5 * len(deep(4))


def test_sizes_and_numbers_are_not_in_the_source():
    def step(x, y):
        return ag.softmax(x * 0.5 + y, -1).mean(), (x @ y.T)[1:].sum()

    first, second = (Stages(step, (n, m), (n, m)).emitted for n, m in ((4, 3), (7, 9)))
    assert first.source == second.source

    def other(x, y):
        return ag.softmax(x * 0.25 + y, -1).mean(), (x @ y.T)[1:].sum()

    assert Stages(other, (4, 3), (4, 3)).emitted.source == first.source
    assert not np.array_equal(first.table, second.table)
