"""Pictures of activations, gradients, updates and losses: what is in them, and that nothing is changed by them."""

import io
import math

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.tools.diagnosis import plots, surfaces

matplotlib = pytest.importorskip("matplotlib")
cross_entropy = nn.CrossEntropyLoss()


@pytest.fixture(autouse=True)
def _matplotlib_is_left_alone():
    """No setting is changed, and no figure is kept."""
    before = dict(matplotlib.rcParams), matplotlib.get_backend(auto_select=False)
    yield
    assert (dict(matplotlib.rcParams), matplotlib.get_backend(auto_select=False)) == before


def problem(activation="relu", layers=2, dtype=np.float32):
    ag.manual_seed(0)
    net = nn.MLP([8, *[16] * layers, 3], activation, dtype=dtype)
    rng = np.random.default_rng(0)
    return net, (ag.tensor(rng.normal(size=(32, 8)).astype(dtype)), ag.tensor(rng.integers(0, 3, 32)))


def drawn(figure):
    """The size of the figure as a PNG; drawing it must not warn."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    assert file.getvalue().startswith(b"\x89PNG")
    return file.tell()


def names(figure):
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def notes(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activation_histograms(dtype):
    net, batch = problem(dtype=dtype)
    figure = plots.activation_histograms(net, cross_entropy, batch)
    drawn(figure)
    assert names(figure) == ["0 Linear", "1 ReLU", "2 Linear", "3 ReLU", "4 Linear"]
    with ag.no_grad():
        hidden = net[:2](batch[0]).array
    assert notes(figure)[1] == f"mean {hidden.mean():.2g}, std {hidden.std():.2g}, {np.mean(hidden == 0):.0%} zero"


def test_activations_of_very_different_sizes_are_shown_by_order_of_magnitude():
    net, batch = problem()
    net[2].weight.array[...] *= 1e6
    figure = plots.activation_histograms(net, cross_entropy, batch)
    drawn(figure)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "size of the layer's output"
    assert axes.xaxis.get_major_formatter()(-3.0) == "$10^{-3}$"
    assert plots.activation_histograms(*_args(problem())).axes[0].get_xlabel() == "value of the layer's output"


def _args(made):
    net, batch = made
    return net, cross_entropy, batch


def test_gradient_histograms():
    net, batch = problem("sigmoid", 6)
    figure = plots.gradient_histograms(net, cross_entropy, batch)
    drawn(figure)
    sizes = [float(note.split()[1]) for note in notes(figure)]
    # The softmax's gradient is (p - y) / N at the outputs, and less and less below.
    with ag.no_grad():
        p = ag.softmax(net(batch[0]), -1).array
    expected = (p - np.eye(3)[batch[1].array]) / 32
    assert sizes[-1] == pytest.approx(np.sqrt(np.mean(expected**2)), rel=0.05)
    assert sizes[0] < 1e-3 * sizes[-1]


def test_weight_histograms_and_what_is_left_out():
    net, _ = problem(layers=40)
    figure = plots.weight_histograms(net)
    drawn(figure)
    assert len(names(figure)) == plots.ROWS
    assert names(figure)[0] == "0.weight (16, 8)"
    assert names(figure)[-1] == "80.weight (3, 16)"  # one kind only, so that rows can be compared
    assert all(".weight" in name for name in names(figure))
    assert "58 more" in figure.axes[0].get_title("left")


def test_pictures_of_many_parameters_stay_on_a_page():
    net, batch = problem("tanh", layers=60)
    optimizer = optim.SGD(net.named_parameters(), lr=0.1)
    count = len(list(net.parameters()))
    given = net, cross_entropy, batch
    for figure in (plots.gradient_flow(*given), plots.update_ratios(*given, optimizer)):
        drawn(figure)
        assert figure.get_figheight() < 13
        assert len(names(figure)) <= plots.LABELS
        assert sum(len(line.get_xdata()) for line in figure.axes[0].lines) >= count  # and nothing is left out
    history = plots.update_history({f"{i}.{kind}": [1e-3 * (i % 2)] for i in range(60) for kind in ("weight", "bias")})
    drawn(history)
    assert len(history.axes[0].lines) == plots.ROWS
    assert "36 more are left out, 60 never change" in history.axes[0].get_title("left")


def test_gradient_flow():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 3)
            self.unused, self.zero = nn.Linear(2, 2, bias=False), nn.Parameter([1.0])

        def forward(self, x):
            return self.last(ag.tanh(self.first(x))) + 0 * self.zero

    _, batch = problem()
    net = Net()
    figure = plots.gradient_flow(net, cross_entropy, batch)
    drawn(figure)
    axes = figure.axes[0]
    mean, largest = axes.lines[:2]
    shown = [name for name in names(figure) if name not in ("unused.weight", "zero")]
    cross_entropy(net(batch[0]), batch[1]).backward()
    gradients = [np.abs(net.get_parameter(name).grad.array) for name in shown]
    np.testing.assert_allclose(mean.get_xdata(), [g.mean() for g in gradients], rtol=1e-5)
    np.testing.assert_allclose(largest.get_xdata(), [g.max() for g in gradients], rtol=1e-5)
    marked = {line.get_label(): [list(net.state_dict())[y] for y in line.get_ydata()] for line in axes.lines[2:]}
    assert marked == {"all 0": ["zero"], "no gradient": ["unused.weight"]}


def test_update_ratios():
    net, batch = problem()
    optimizer = optim.SGD(net.named_parameters(), lr=0.1)
    figure = plots.update_ratios(net, cross_entropy, batch, optimizer)
    drawn(figure)
    found = {}
    for line in figure.axes[0].lines:
        if line.get_label() != "starts at 0":
            found |= {names(figure)[int(y)]: x for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}
    before = {name: p.array.copy() for name, p in net.named_parameters()}
    cross_entropy(net(batch[0]), batch[1]).backward()
    optimizer.step()
    for name, ratio in found.items():
        change = net.get_parameter(name).array - before[name]
        moved = before[name][change != 0]
        assert ratio == pytest.approx(np.linalg.norm(change) / np.linalg.norm(moved), rel=1e-4)
    assert set(found) == {"0.weight", "2.weight", "4.weight"}
    (mark,) = (line for line in figure.axes[0].lines if line.get_label() == "starts at 0")
    assert [names(figure)[y] for y in mark.get_ydata()] == ["0.bias", "2.bias", "4.bias"]


def test_update_history():
    figure = plots.update_history({"a": [1e-3, 0.0, 2e-3], "b": [math.nan, 1e-5, 1e-4]})
    drawn(figure)
    assert [line.get_label() for line in figure.axes[0].lines] == ["a", "b"]


def test_a_module_that_is_one_layer():
    _, (x, y) = problem()
    figure = plots.activation_histograms(nn.Linear(8, 3), cross_entropy, (x, y))
    assert names(figure) == ["Linear"]


def test_nothing_to_show():
    with pytest.raises(ValueError, match="nothing to show"):
        plots.weight_histograms(nn.ReLU())


def test_without_matplotlib(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    net, _ = problem()
    with pytest.raises(ImportError, match="pip install matplotlib"):
        plots.weight_histograms(net)


# The loss landscape


def test_landscape_of_a_quadratic_is_a_parabola():
    """Along a direction d the mean squared error of a linear model is ``L + a g.d + a**2 mean((x.d)**2)``."""
    rng = np.random.default_rng(0)
    net = nn.Linear(4, 1, dtype=ag.float64)
    x, y = ag.tensor(rng.normal(size=(16, 4))), ag.tensor(rng.normal(size=(16, 1)))
    before = net.weight.array, net.weight.array.copy()
    found = surfaces.loss_landscape(net, nn.MSELoss(), (x, y), dimensions=1, points=5, radius=2.0, seed=7)
    assert net.weight.array is before[0]
    np.testing.assert_array_equal(net.weight.array, before[1])
    noise = np.random.default_rng(7).standard_normal((1, 4))
    d = noise * np.linalg.norm(before[1]) / np.linalg.norm(noise)
    error = (x.array @ before[1].T + net.bias.array) - y.array
    expected = [np.mean((error + a * x.array @ d.T) ** 2) for a in found.positions]
    np.testing.assert_allclose(found.losses, expected, rtol=1e-12)
    np.testing.assert_array_equal(found.positions, [-2, -1, 0, 1, 2])
    drawn(found.plot())


def test_landscape_in_two_dimensions():
    net, batch = problem("tanh")
    found = surfaces.loss_landscape(net, cross_entropy, batch, points=5)
    assert found.losses.shape == (5, 5)
    assert found.losses[2, 2] == pytest.approx(cross_entropy(net(batch[0]), batch[1]).item(), rel=1e-6)
    again = surfaces.loss_landscape(net, cross_entropy, batch, points=5)
    np.testing.assert_array_equal(again.losses, found.losses)
    # The first direction goes along the columns, as if it were alone.
    alone = surfaces.loss_landscape(net, cross_entropy, batch, dimensions=1, points=5)
    np.testing.assert_allclose(alone.losses, found.losses[2], rtol=1e-6)
    drawn(found.plot())


def test_directions_have_the_norms_of_the_filters():
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(5, 3, 2, 2)) * np.arange(5).reshape(5, 1, 1, 1)
    direction = surfaces._direction(weight, rng)
    ours, theirs = (np.linalg.norm(a.reshape(5, -1), axis=1) for a in (direction, weight))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_landscape_that_is_not_finite_everywhere():
    losses = np.array([[1.0, 2.0, np.inf], [1.0, 0.01, 3.0], [np.nan, 2.0, 1.0]])
    drawn(surfaces.Landscape(np.array([-1.0, 0.0, 1.0]), losses).plot())


@pytest.mark.parametrize("wrong", [{"dimensions": 3}, {"points": 4}, {"points": 1}, {"radius": 0.0}])
def test_landscape_options(wrong):
    net, batch = problem()
    with pytest.raises(ValueError, match="expected dimensions 1 or 2"):
        surfaces.loss_landscape(net, cross_entropy, batch, **wrong)
    with pytest.raises(ValueError, match="no weights"):
        surfaces.loss_landscape(nn.BatchNorm1d(8), cross_entropy, batch)


# Trajectories


@pytest.mark.parametrize("name", surfaces.SURFACES)
def test_surfaces_have_their_minimum_there(name):
    surface = surfaces.SURFACES[name]
    x, y = (ag.tensor(v, dtype=ag.float64, requires_grad=True) for v in surface.minimum)
    value = surface.function(x, y)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-15)
    assert x.grad.item() == pytest.approx(0, abs=1e-12)
    assert y.grad.item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", surfaces.SURFACES)
def test_trajectories(name):
    ways = surfaces.optimizer_trajectories(name, steps=80)
    drawn(ways.plot())
    for optimizer, losses in ways.losses.items():
        assert losses.shape == (81,)
        assert losses[-1] < 0.5 * losses[0], optimizer


def test_gradient_descent_on_the_ravine_is_known_in_closed_form():
    ways = surfaces.optimizer_trajectories("ravine", {"descent": lambda p: optim.SGD(p, lr=0.03)}, steps=20)
    k = np.arange(21)
    expected = np.stack([-4 * (1 - 0.03) ** k, (1 - 0.03 * 40) ** k], 1)
    np.testing.assert_allclose(ways.paths["descent"], expected, rtol=1e-9, atol=1e-12)


def test_trajectories_that_leave_for_infinity_and_need_a_closure():
    made = {
        "too fast": lambda p: optim.SGD(p, lr=1.0),
        "LBFGS": lambda p: optim.LBFGS(p, line_search_fn="strong_wolfe"),
    }
    ways = surfaces.optimizer_trajectories("rosenbrock", made, steps=40, start=(0.0, 0.5))
    assert np.isnan(ways.paths["too fast"][-1]).all()
    np.testing.assert_allclose(ways.paths["LBFGS"][-1], [1, 1], atol=1e-4)
    drawn(ways.plot())


def test_a_surface_of_ones_own():
    bowl = surfaces.Surface(
        lambda x, y: x**2 + y**2, (1.0, 1.0), (0.0, 0.0), (-1.5, 1.5, -1.5, 1.5), 0.1, "$x^2 + y^2$"
    )
    ways = surfaces.optimizer_trajectories(bowl, steps=30)
    np.testing.assert_allclose(ways.paths["SGD"][-1], 0.8**30, rtol=1e-9)
    with pytest.raises(ValueError, match="expected one of rosenbrock"):
        surfaces.optimizer_trajectories("banana")
    with pytest.raises(ValueError, match="at least one step"):
        surfaces.optimizer_trajectories(bowl, steps=0)
