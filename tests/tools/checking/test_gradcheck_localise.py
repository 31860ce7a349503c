"""A wrong rule, planted in a real network, is named: operation, file, line, module."""

import contextlib
import importlib
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.nn import functional as F
from autograd_core.primitive import REGISTRY
from autograd_core.tools.checking.gradcheck import gradcheck


def normal(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


# The networks; "# at ..." marks the lines that the errors are to be found at.


class Convolutional(nn.Module):
    """A small image classifier with its loss."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(2, 3, 2)
        )
        self.head = nn.Linear(12, 4)

    def forward(self, images, targets):
        maps = self.features(images)  # at features
        flat = maps.flatten(1)
        scores = self.head(flat)  # at head
        return F.cross_entropy(scores, targets)  # at loss


class Recurrent(nn.Module):
    """An LSTM that tags a sequence."""

    def __init__(self):
        super().__init__()
        self.memory = nn.LSTM(3, 2, batch_first=True)
        self.tags = nn.Linear(2, 2)

    def forward(self, sequence):
        states, _ = self.memory(sequence)  # at memory
        return self.tags(states).tanh()  # at tags


class Attentive(nn.Module):
    """A Transformer block."""

    def __init__(self):
        super().__init__()
        self.block = nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, activation="gelu", batch_first=True)

    def forward(self, sequence):
        return self.block(sequence)  # at block


class Perceptron(nn.Module):
    """An MLP whose layers are followed by all kinds of functions."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(8, 3)])
        self.scale = nn.Parameter(np.array([1.5, 0.5, 2.0, 0.7]))
        self.shift = nn.Parameter(np.array([0.1, -0.2, 0.3, 0.0]))

    def forward(self, x):
        hidden = self.layers[0](x) + self.shift  # at shift
        hidden = (hidden * self.scale).sin()  # at sin
        hidden = self.layers[1](hidden) - hidden  # at difference
        positive = ag.exp(hidden)  # at exp
        share = hidden / positive.sum(dim=-1, keepdim=True)  # at share
        both = ag.cat([share, positive.sqrt()], dim=-1)  # at cat
        last = self.layers[2](both)
        last = ag.stack(last.unbind(1), dim=1)  # at columns
        return ag.logsumexp(last**3, dim=-1) + ag.amax(last.cumsum(dim=0))  # at last


NETWORKS = {
    "CNN": (Convolutional, lambda: (normal(3, 1, 6, 6), np.array([0, 3, 1]))),
    "LSTM": (Recurrent, lambda: (normal(2, 3, 3),)),
    "Transformer": (Attentive, lambda: (normal(2, 3, 4),)),
    "MLP": (Perceptron, lambda: (normal(4, 3),)),
}


# The errors


@contextlib.contextmanager
def planted(function, rule, argument: int) -> Iterator[None]:
    """Another derivative rule for one argument of an operation, for a while."""
    rules, variadic = function.record.rules, function.record.variadic_rule
    changed = list(rules)
    if argument < len(rules):
        changed[argument] = rule
        wrong = variadic
    else:
        wrong = rule
    try:
        function.defvjp(*changed, variadic=wrong)
        yield
    finally:
        function.defvjp(*rules, variadic=variadic)


def changed(rule, how):
    """A rule with the same parameters (they say what is saved), and something done to its result."""
    names = ", ".join(inspect.signature(rule).parameters)
    return eval(f"lambda {names}: how(rule({names}))", {"rule": rule, "how": how})


def opposite(g):
    return -g


def halved(g):
    return 0.5 * g


def thousandth(g):
    return 1.001 * g


def shifted(g):
    return g + 0.01


def transposed(g):
    return g.reshape(g.shape[::-1]).T


def averaged(g):
    return g / max(1, g.shape[0])


def reversed_rows(g):
    return g[::-1]


PLANTED = [
    # network, operation, argument, error, line, module path, class of the module
    ("CNN", "conv", 0, opposite, "features", "features.0", "Conv2d"),
    ("CNN", "conv", 1, reversed_rows, "features", "features.0", "Conv2d"),
    ("CNN", "standardize", 0, lambda g, input: g - g.mean(), "features", "features.1", "BatchNorm2d"),
    ("CNN", "affine", 1, averaged, "features", "features.1", "BatchNorm2d"),
    ("CNN", "relu", 0, lambda g, out: g, "features", "features.2", "ReLU"),
    ("CNN", "window_max", 0, halved, "features", "features.3", "MaxPool2d"),
    ("CNN", "log_softmax", 0, lambda g: g, "loss", "", "Convolutional"),
    ("CNN", "gather", 0, shifted, "loss", "", "Convolutional"),
    ("LSTM", "sigmoid", 0, lambda g, out: g * out, "memory", "memory", "LSTM"),
    ("LSTM", "mul", 1, lambda g, other: g * other, "memory", "memory", "LSTM"),
    ("LSTM", "split", 0, lambda g, axis: np.concatenate(g[::-1], axis), "memory", "memory", "LSTM"),
    ("LSTM", "tanh", 0, thousandth, "memory", "memory", "LSTM"),
    ("Transformer", "matmul", 1, transposed, "block", "block.self_attn", "MultiheadAttention"),
    ("Transformer", "softmax", 0, lambda g, out: g * out, "block", "block.self_attn", "MultiheadAttention"),
    ("Transformer", "permute", 0, reversed_rows, "block", "block.self_attn", "MultiheadAttention"),
    ("Transformer", "ndtr", 0, lambda g, input: g, "block", "block.activation", "GELU"),
    ("Transformer", "gated", 1, opposite, "block", "block.activation", "GELU"),
    ("Transformer", "affine", 2, halved, "block", "block.norm1", "LayerNorm"),
    ("MLP", "sin", 0, lambda g, input: g * np.sin(input), "sin", "", "Perceptron"),
    ("MLP", "add", 1, averaged, "shift", "", "Perceptron"),
    ("MLP", "sub", 1, lambda g: g, "difference", "", "Perceptron"),
    ("MLP", "exp", 0, shifted, "exp", "", "Perceptron"),
    ("MLP", "sum", 0, halved, "share", "", "Perceptron"),
    ("MLP", "div", 1, lambda g, other: -g / other, "share", "", "Perceptron"),
    ("MLP", "sqrt", 0, lambda g, out: g / out, "cat", "", "Perceptron"),
    ("MLP", "cat", 0, reversed_rows, "cat", "", "Perceptron"),
    ("MLP", "unbind", 0, lambda g, axis: np.stack(g[::-1], axis), "columns", "", "Perceptron"),
    ("MLP", "stack", 0, opposite, "columns", "", "Perceptron"),
    ("MLP", "pow", 0, thousandth, "last", "", "Perceptron"),
    ("MLP", "cumsum", 0, lambda g: g, "last", "", "Perceptron"),
    ("MLP", "amax", 0, halved, "last", "", "Perceptron"),
    ("MLP", "logsumexp", 0, halved, "last", "", "Perceptron"),
]


SOURCE = Path(__file__).read_text().splitlines()


def line_of(marker: str) -> int:
    """Where the line with a mark is in this file."""
    (found,) = [i for i, line in enumerate(SOURCE, 1) if line.endswith(f"# at {marker}")]
    return found


def made(network: str) -> tuple[nn.Module, tuple[np.ndarray, ...]]:
    ag.manual_seed(3)
    build, inputs = NETWORKS[network]
    return build(), inputs()


@pytest.fixture
def _no_known_loops(monkeypatch):
    """Loops over time are recorded with the rules of that time, and kept."""
    monkeypatch.setattr(importlib.import_module("autograd_core.scan"), "_loops", {})


@pytest.mark.parametrize("network", NETWORKS)
def test_the_networks_are_right(network):
    model, inputs = made(network)
    report = gradcheck(model, inputs)
    assert report.ok, str(report)
    assert report.culprit is None


@pytest.mark.usefixtures("_no_known_loops")
@pytest.mark.parametrize(
    "row", PLANTED, ids=[f"{network}-{name}-{argument}" for network, name, argument, *_ in PLANTED]
)
def test_a_wrong_rule_in_a_network_is_named(row):
    network, name, argument, error, marker, path, kind = row
    function = REGISTRY[name]
    rules = function.record.rules
    right = rules[argument] if argument < len(rules) else function.record.variadic_rule
    wrong = error if error.__name__ == "<lambda>" else changed(right, error)
    model, inputs = made(network)
    with planted(function, wrong, argument):
        report = gradcheck(model, inputs, mode="directional")
    assert report.verdict == "FAIL"
    culprit = report.culprit
    assert (culprit.primitive, culprit.argument) == (name, argument)
    assert (culprit.file, culprit.line) == (__file__, line_of(marker))
    assert (culprit.module, culprit.module_type) == (path, kind)
    assert culprit.analytic != pytest.approx(culprit.numeric, rel=1e-5, abs=0)
    assert all(other.startswith(f"{name} at ") for other in culprit.others)  # nobody else is blamed
    assert culprit.downstream - 25 < culprit.innocent <= culprit.downstream


def test_twenty_different_operations_are_planted():
    assert len({name for _, name, *_ in PLANTED}) >= 20


# Randomness


def test_the_first_random_operation_is_named():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 2))
    line = inspect.currentframe().f_lineno + 1
    report = gradcheck(lambda x: model(x), normal(5, 3))
    assert report.verdict == "FAIL"
    assert re.search(
        rf"not deterministic: .*, first by \w+ at {re.escape(__file__)}:{line}, in Dropout 2;", report.reason
    )
    assert gradcheck(model.eval(), normal(5, 3)).ok


# Operations of one's own


class Swish(ag.autograd.Function):
    """x * sigmoid(x), with a derivative that lacks a term."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x.sigmoid()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x.sigmoid()


@ag.custom_vjp(lambda g, input: g * 2 * input, lambda g, weight: 3 * g * weight)
def weighted(input, weight):
    return input**2 + weight**2


class TwoOutputs(ag.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y, x + y

    @staticmethod
    def backward(ctx, g, h):
        x, y = ctx.saved_tensors
        return g * y + h, 1.01 * g * x + h


class Paired(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(normal(4))

    def forward(self, x):
        product, total = TwoOutputs.apply(x, self.weight[None].broadcast_to(x.shape))  # at paired
        return product.tanh() + total


class Gate(nn.Module):
    def forward(self, x):
        return Swish.apply(x)  # at gate


class Weighted(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(normal(4))

    def forward(self, x):
        return weighted(x, self.weight[None].broadcast_to(x.shape))  # at weighted


@pytest.mark.parametrize(
    ("layer", "name", "argument"),
    [(Gate, "Swish", 0), (Weighted, "weighted", 1), (Paired, "TwoOutputs", 1)],
    ids=["Function", "custom_vjp", "two outputs"],
)
def test_an_operation_of_ones_own_is_named(layer, name, argument):
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Tanh(), layer()), nn.Linear(4, 2))
    report = gradcheck(model, normal(5, 3))
    culprit = report.culprit
    assert (culprit.primitive, culprit.argument) == (name, argument)
    assert (culprit.line, culprit.module) == (line_of(layer.__name__.lower()), "1.1")
    assert culprit.innocent == culprit.downstream > 0


class Checkpointed(nn.Module):
    """Blocks that are computed again in the backward pass."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block() for _ in range(3)])

    def forward(self, x):
        for block in self.blocks:
            x = ag.func.checkpoint(block, x)
        return x


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(3, 3)

    def forward(self, x):
        return self.line(x).sinh()  # at block of a checkpoint


def test_inside_of_a_checkpoint_the_operation_is_named():
    model = Checkpointed()
    assert gradcheck(model, normal(4, 3), order=2).ok
    with planted(REGISTRY["sinh"], lambda g, input: 1.01 * g * np.cosh(input), 0):
        culprit = gradcheck(model, normal(4, 3)).culprit
    assert (culprit.primitive, culprit.module, culprit.module_type) == ("sinh", "blocks.0", "Block")
    assert culprit.line == line_of("block of a checkpoint")
    assert culprit.analytic == pytest.approx(1.01 * culprit.numeric)
    assert (culprit.innocent, culprit.downstream) == (2, 4)  # two more linear layers, and their wrong sinh


def one_step(state, x, weight):
    state = (x @ weight + state).tanh()  # at step
    return state, 2 * state


@pytest.mark.usefixtures("_no_known_loops")
def test_inside_of_a_scan_the_operation_is_named():
    def fn(x, weight):
        last, all_of_them = ag.func.scan(one_step, ag.zeros(2, dtype=ag.float64), x, weight)
        return all_of_them.sum(0) * last

    with planted(REGISTRY["tanh"], lambda g, out: 1.01 * g * (1 - out**2), 0):
        culprit = gradcheck(fn, (normal(5, 3), normal(3, 2))).culprit
    assert (culprit.primitive, culprit.line) == ("tanh", line_of("step"))
    assert culprit.analytic == pytest.approx(1.01 * culprit.numeric)
    assert culprit.downstream - culprit.innocent == 4  # the later steps


def masked(x):
    scores = x @ x.mT + np.triu(np.full((3, 3), -np.inf), 1)  # at masked scores
    return scores.softmax(-1) @ x  # at masked softmax


@pytest.mark.parametrize(("name", "marker"), [("softmax", "masked softmax"), ("add", "masked scores")])
def test_behind_a_mask_of_infinities_the_operation_is_named(name, marker):
    function = REGISTRY[name]
    with planted(function, changed(function.record.rules[0], halved), 0):
        culprit = gradcheck(masked, normal(3, 4)).culprit
    assert (culprit.primitive, culprit.line) == (name, line_of(marker))
    assert culprit.others == ()


def test_an_operation_is_judged_by_what_it_saw_before_a_change_in_place():
    def fn(x):
        hidden = 2 * x
        bent = hidden.tanh()
        hidden.mul_(1000)  # where tanh has no slope to be wrong
        return bent + hidden

    x = normal(4)
    with planted(REGISTRY["tanh"], lambda g, out: 1.01 * g * (1 - out**2), 0):
        culprit = gradcheck(fn, x).culprit
    assert (culprit.primitive, culprit.line) == ("tanh", fn.__code__.co_firstlineno + 2)
    slope = 1 - np.tanh(2 * x[culprit.index]) ** 2
    assert culprit.numeric == pytest.approx(slope)


def test_what_was_written_in_place_is_named():
    def fn(x):
        buffer = ag.zeros(4, dtype=ag.float64)
        before = 1 * buffer
        buffer[1:3] = x.sin()
        return buffer.tanh() + before

    with planted(REGISTRY["sin"], lambda g, input: 1.01 * g * np.cos(input), 0):
        culprit = gradcheck(fn, normal(2)).culprit
    assert (culprit.primitive, culprit.line) == ("sin", fn.__code__.co_firstlineno + 3)


def test_a_rule_of_the_wrong_shape_is_named():
    model, inputs = made("MLP")
    with planted(REGISTRY["sum"], lambda g: g.sum(axis=-1), 0):
        report, unlocated = gradcheck(model, inputs), gradcheck(model, inputs, locate=False)
    assert report.verdict == "FAIL"
    assert report.reason == "the backward pass fails"
    assert str(report).count("derivative rule of sum") == 1  # the culprit says it
    assert unlocated.reason.startswith(
        "the backward pass fails with RuntimeError: backward: the derivative rule of sum"
    )
    culprit = report.culprit
    assert (culprit.kind, culprit.primitive, culprit.line) == ("error", "sum", line_of("share"))
    assert "gave shape" in str(culprit)


@ag.custom_vjp(lambda g, out: g / (2 * out))
def bare_root(x):
    with np.errstate(invalid="ignore"):
        return np.sqrt(x)


@pytest.mark.parametrize("x", [-1.0, 0.0])
def test_a_rule_that_makes_nan_of_a_finite_gradient_is_named(x):
    def fn(x):
        positive = x > 0
        return ag.where(positive, bare_root(x) * 3, 0.0).exp()

    report = gradcheck(fn, np.array([x, 4.0]))
    assert report.verdict == "FAIL"
    culprit = report.culprit
    assert (culprit.kind, culprit.primitive, culprit.argument, culprit.index) == ("not finite", "bare_root", 0, (0,))
    assert culprit.line == fn.__code__.co_firstlineno + 2
    assert np.isnan(culprit.analytic)
    assert "out of a finite one is bare_root at" in str(report)
    assert report.hint == ""
    assert gradcheck(lambda x: ag.where(x > 0, x.sqrt() * 3, 0.0).exp(), np.array([-1.0, 4.0])).ok


def tanh_rule_off(g, out):
    return 1.01 * g * (1 - out**2)


def with_a_hook_to_nan(x):
    y = x * 2
    if y.requires_grad:
        y.register_hook(lambda g: np.nan * g)
    return y.sin()


def test_an_infinite_slope_in_front_of_others_is_named():
    culprit = gradcheck(lambda x: (x.sqrt() * 2).sin(), np.array([4.0, 0.0])).culprit
    assert (culprit.kind, culprit.primitive, culprit.index, culprit.analytic) == ("not finite", "sqrt", (1,), np.inf)
    with planted(REGISTRY["tanh"], tanh_rule_off, 0):  # what is not finite and not used is not to blame
        used = gradcheck(lambda x: ag.where(x > 0, x.sqrt(), x.tanh()), np.array([-1.0, 0.0, 1.0]), locate=True).culprit
    assert (used.kind, used.primitive) == ("rule", "tanh")
    hooked = gradcheck(with_a_hook_to_nan, normal(3))
    assert "a hook" in hooked.hint
    square = ag.custom_vjp(lambda g, x: 2 * g * np.sqrt(x * x))(lambda x: x * x)
    second = gradcheck(lambda x: square(x).sin(), np.array([0.0, 1.0]), order=2)
    assert [r.verdict for r in second.records] == ["PASS", "FAIL"]
    assert (second.culprit.primitive, second.culprit.order) == ("<lambda>", 2)


def test_lines_are_told_as_a_notebook_knows_them(monkeypatch):
    """There the file of a cell has a name that nobody knows."""
    cells = types.SimpleNamespace(compile=types.SimpleNamespace(format_code_name=lambda file: ("Cell", "In[7]")))
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: cells))
    wrong = ag.custom_vjp(lambda g: 2 * g)(lambda x: x * 1.0)
    rng = np.random.default_rng(0)
    reports = [
        gradcheck(lambda x: wrong(wrong(x)).sin(), normal(3)),
        gradcheck(lambda x: x * x.detach(), normal(3)),
        gradcheck(lambda x: bare_root(x), np.zeros(2)),
        gradcheck(lambda x: x * rng.random(), normal(3)),
    ]
    for report in reports:
        for text in (str(report), report._repr_html_()):
            assert "Cell In[7]:" in " ".join(text.split())
            assert __file__ not in text
    assert reports[0].culprit.file == __file__
    assert "Cell In[7]:" in reports[0].culprit.others[0]


def test_a_wrong_second_derivative_is_named():
    def cut(g, out):
        return g * (1 - (out.detach() if isinstance(out, ag.Tensor) else out) ** 2)

    model = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Tanh(), nn.Linear(3, 1))
    with planted(REGISTRY["tanh"], cut, 0):
        assert gradcheck(model, normal(3, 2)).ok
        culprit = gradcheck(model, normal(3, 2), order=2).culprit
    assert (culprit.primitive, culprit.order, culprit.module) == ("tanh", 2, "2")
    assert "derivative of order 2" in str(culprit)


# Values taken out of the graph


class Cut(nn.Module):
    def __init__(self, take_out):
        super().__init__()
        self.take_out = take_out

    def forward(self, x):
        size = (x * x).sum()
        return x.tanh() / self.take_out(size)  # at cut


def without_grad(t):
    with ag.no_grad():
        return t * 1.0


TAKEN_OUT = {
    "detach": lambda t: t.detach(),
    "item": lambda t: t.item(),
    "numpy": lambda t: t.detach().numpy(),
    "no_grad": without_grad,
}


@pytest.mark.parametrize("way", TAKEN_OUT)
def test_a_value_taken_out_of_the_graph_is_named(way):
    report = gradcheck(nn.Sequential(nn.Linear(3, 2), Cut(TAKEN_OUT[way])), normal(4, 3))
    assert report.verdict == "FAIL"
    culprit = report.culprit
    assert (culprit.kind, culprit.primitive, culprit.argument) == ("cut", "div", 1)
    assert (culprit.line, culprit.module, culprit.module_type) == (line_of("cut"), "1", "Cut")
    assert "every rule is right" in str(culprit)


def test_an_output_without_history_is_named():
    report = gradcheck(lambda x: (x * 2, float((x**2).sum())), normal(3))
    assert report.culprit is None
    assert "output 1 is no tensor" in report.hint
    assert "output 0 is a tensor without history" in str(gradcheck(lambda x: (x * 2).detach(), normal(3)))


def test_a_compiled_function_is_said_to_have_no_history():
    pytest.importorskip("numba")
    report = gradcheck(ag.compile(lambda x: (x * 2).sum()), normal(3))
    assert report.culprit is None
    assert "not in a compiled function, whose results have no history" in report.hint


def test_a_hook_that_changes_the_gradient_is_suspected():
    def fn(x):
        y = x * 2
        if y.requires_grad:
            y.register_hook(lambda g: 3 * g)
        return y.sin()

    report = gradcheck(fn, normal(3))
    assert report.culprit is None
    assert "a hook" in report.hint


def test_an_input_that_differences_cannot_move_blames_nobody():
    """Masked scores are -inf; where the root of 0 is not taken, its derivative is infinite and sent nothing."""

    def fn(x, mask, factor):
        shares = x.masked_fill(mask, -np.inf).softmax(-1)
        roots = ag.where(x > 0, ag.clamp(x, 0.0).sqrt(), 0.0)
        return (shares * roots * factor.detach()).tanh()

    x = np.array([[-1.0, 1.0, 2.0], [0.5, -2.0, 0.25]])
    mask = np.array([[True, False, False], [False, False, True]])
    report = gradcheck(fn, (x, mask, normal(3)))
    assert report.disconnected == ["inputs[2]"]
    assert report.culprit.kind == "cut"


def test_the_sentence_about_a_culprit():
    model, inputs = made("MLP")
    with planted(REGISTRY["sub"], lambda g: g, 1):
        culprit = gradcheck(model, inputs).culprit
    assert str(culprit).startswith(
        f"the first operation that is wrong by itself is sub at {__file__}:{line_of('difference')}, in Perceptron: "
        f"its derivative by argument 1 (other) at {culprit.index} is "
    )
    assert str(culprit).endswith(f"the {culprit.downstream} operations downstream are innocent")
    assert culprit.analytic == pytest.approx(-culprit.numeric)
