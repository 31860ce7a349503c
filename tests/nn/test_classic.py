"""Threshold units, units that learn by a rule, and linear classifiers."""

import itertools

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.tools import assert_gradients

PAIRS = list(itertools.product([0, 1], repeat=2))


# McCulloch-Pitts units

GATES = {
    "and": (nn.McCullochPitts([1, 1], 2), lambda a, b: a & b),
    "or": (nn.McCullochPitts([1, 1], 1), lambda a, b: a | b),
    "nand": (nn.McCullochPitts([-1, -1], -1), lambda a, b: 1 - (a & b)),
    "not the first": (nn.McCullochPitts([-1, 0], 0), lambda a, b: 1 - a),
}


@pytest.mark.parametrize("name", GATES)
def test_gates(name):
    unit, expected = GATES[name]
    assert unit(ag.tensor(PAIRS)).tolist() == [expected(a, b) for a, b in PAIRS]


def test_half_adder_of_nand_gates():
    gate = nn.McCullochPitts([-1, -1], -1)

    def nand(a, b):
        return gate(ag.stack([a, b], -1))

    a, b = ag.tensor(PAIRS).T
    both = nand(a, b)
    total, carry = nand(nand(a, both), nand(both, b)), nand(both, both)
    assert [divmod(x + y, 2) for x, y in PAIRS] == list(zip(carry.tolist(), total.tolist(), strict=True))


def test_xor_needs_a_second_layer():
    """No single unit computes it, whatever its weights; two layers do."""
    first, second = nn.McCullochPitts([1, 1], 1), nn.McCullochPitts([-1, -1], -1)
    x = ag.tensor(PAIRS)
    assert GATES["and"][0](ag.stack([first(x), second(x)], -1)).tolist() == [0, 1, 1, 0]
    perceptron = nn.Perceptron(2)
    perceptron.learn(x, [0, 1, 1, 0], passes=200)
    assert perceptron(x).tolist() != [0, 1, 1, 0]


# The perceptron


@pytest.mark.parametrize("output", ["heaviside", "sign"])
def test_perceptron_at_and_beside_its_threshold(output):
    unit = nn.Perceptron(1, output)
    unit.load_state_dict({"weight": [[1.0]], "bias": [-1.0]})
    low = 0 if output == "heaviside" else -1
    assert unit(ag.tensor([[0.9], [1.0], [1.1]])).tolist() == [low, 1, 1]


@pytest.mark.parametrize("lr", [1.0, 0.1])
def test_one_correction_by_hand(lr):
    """A course prints θ ← θ + η (ŷ - y) x, which goes the wrong way."""
    unit = nn.Perceptron(2, dtype=ag.float64)
    assert unit.learn([[2.0, -3.0]], [0], lr=lr) == 1  # at 0 the unit gives 1
    assert unit.weight.tolist() == [[-2 * lr, 3 * lr]]
    assert unit.bias.tolist() == [-lr]
    assert unit.learn([[2.0, -3.0]], [0], lr=lr) == 0
    assert unit.learn([[-1.0, 0.5]], [0], lr=lr) == 1
    np.testing.assert_allclose(unit.weight.detach().numpy(), [[-lr, 2.5 * lr]], rtol=1e-12)


@pytest.mark.parametrize("output", ["heaviside", "sign"])
@pytest.mark.parametrize("gap", [0.5, 0.1])
def test_convergence_theorem(output, gap, rng):
    """At most (R / margin)² mistakes on separable examples (Novikoff 1962), whatever their order."""
    x = rng.normal(size=(120, 3))
    plane = np.array([1.0, -2.0, 0.5, 0.3])
    plane /= np.linalg.norm(plane)
    with_bias = np.column_stack([x, np.ones(len(x))])
    kept = np.abs(with_bias @ plane) > gap
    x, with_bias = x[kept], with_bias[kept]
    positive = with_bias @ plane > 0
    y = np.where(positive, 1, 0 if output == "heaviside" else -1)
    unit = nn.Perceptron(3, output, dtype=ag.float64)
    mistakes = unit.learn(x, y, passes=10_000)
    np.testing.assert_array_equal(unit(ag.tensor(x)).detach().numpy(), y)
    radius, margin = np.linalg.norm(with_bias, axis=1).max(), np.abs(with_bias @ plane).min()
    assert 0 < mistakes <= (radius / margin) ** 2
    assert unit.learn(x, y) == 0


def test_learning_stops_after_the_passes_asked_for():
    unit = nn.Perceptron(2)
    x, y = ag.tensor(PAIRS), [0, 1, 1, 0]
    counts = [nn.Perceptron(2).learn(x, y, passes=passes) for passes in (0, 1, 7)]
    assert counts[0] == 0 < counts[1] < counts[2]
    assert sum(unit.learn(x, y) for _ in range(7)) == counts[2]


@pytest.mark.parametrize(
    ("output", "x", "y", "message"),
    [
        ("heaviside", [[1.0, 2.0]], [-1], r"targets 0 and 1, but target\[0\] is -1"),
        ("sign", [[1.0, 2.0]], [0], r"targets -1 and 1, but target\[0\] is 0"),
        ("sign", [[1.0, 2.0]], [[1]], r"learn: expected x of shape \(N, 2\) and y of shape \(N,\), got \(1, 2\) and"),
        ("sign", [[1.0, 2.0, 3.0]], [1], "in_features"),
    ],
)
def test_what_cannot_be_learned(output, x, y, message):
    with pytest.raises(ValueError, match=message):
        nn.Perceptron(2, output).learn(x, y)


def test_outputs_that_there_are_not():
    with pytest.raises(ValueError, match="Perceptron: expected output 'heaviside' or 'sign', got 'tanh'"):
        nn.Perceptron(2, "tanh")


# The delta rule


def test_the_delta_rule_is_gradient_descent_example_by_example(rng):
    x, y = rng.normal(size=(6, 3)), rng.normal(size=6)
    by_rule, by_gradient = nn.Adaline(3, dtype=ag.float64), nn.Adaline(3, dtype=ag.float64)
    optimizer = optim.SGD(by_gradient.parameters(), lr=0.1)
    losses = []
    for k in range(6):
        optimizer.zero_grad()
        loss = by_gradient.loss(ag.tensor(x[k : k + 1]), ag.tensor(y[k : k + 1]))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert by_rule.learn(x, y, lr=0.1) == pytest.approx(np.mean(losses), rel=1e-12)
    for a, b in zip(by_rule.parameters(), by_gradient.parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)


def test_the_delta_rule_finds_the_plane(rng):
    x = rng.normal(size=(50, 2))
    unit = nn.Adaline(2, dtype=ag.float64)
    for _ in range(40):
        last = unit.learn(x, x @ [3.0, -2.0] + 0.5, lr=0.1)
    np.testing.assert_allclose(unit.weight.detach().numpy(), [[3.0, -2.0]], atol=1e-6)
    assert unit.bias.item() == pytest.approx(0.5, abs=1e-6)
    assert last < 1e-12


def test_nothing_to_learn_from():
    assert nn.Adaline(2).learn(np.zeros((0, 2)), [], lr=0.1) == 0
    assert nn.Perceptron(2).learn(np.zeros((0, 2)), []) == 0


# The sigmoid neuron


def test_sigmoid_neuron(rng):
    neuron = nn.SigmoidNeuron(3).double()
    x, y = rng.normal(size=(4, 3)), rng.uniform(size=4)
    z = x @ neuron.weight.detach().numpy()[0] + neuron.bias.item()
    np.testing.assert_allclose(neuron(ag.tensor(x)).detach().numpy(), 1 / (1 + np.exp(-z)), rtol=1e-12)
    assert neuron(ag.tensor(x[0])).shape == ()
    assert neuron.loss(x, y).item() == pytest.approx(((1 / (1 + np.exp(-z)) - y) ** 2).mean() / 2, rel=1e-12)
    assert_gradients(neuron, ag.tensor(x))


# Linear classifiers


def minimised(model, x, y):
    """The model at the minimum of its loss, by SciPy."""
    minimize = pytest.importorskip("scipy.optimize").minimize
    shapes = [p.shape for p in model.parameters()]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def value(theta):
        with ag.no_grad():
            for p, part, shape in zip(model.parameters(), np.split(theta, ends), shapes, strict=True):
                p.copy_(part.reshape(shape))
        model.zero_grad()
        loss = model.loss(x, y)
        loss.backward()
        return loss.item(), np.concatenate([p.grad.numpy().ravel() for p in model.parameters()])

    start = np.zeros(sum(p.numel() for p in model.parameters()))
    value(minimize(value, start, jac=True, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9}).x)
    return model


def labelled(rng, classes):
    """Points around overlapping centres."""
    y = rng.integers(0, classes, 90)
    return rng.normal(size=(classes, 4))[y] * 1.5 + rng.normal(size=(90, 4)), y


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_is_that_of_scikit_learn(classes, rng):
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = labelled(rng, classes)
    theirs = linear_model.LogisticRegression(C=0.7, tol=1e-10, max_iter=5000).fit(x, y)
    ours = minimised(nn.LogisticRegression(4, classes, l2=1 / (0.7 * len(x)), dtype=ag.float64), x, y)
    np.testing.assert_allclose(ours.weight.detach().numpy(), theirs.coef_, atol=1e-5)
    # Softmax does not change with a number added to all biases.
    biases, intercept = ours.bias.detach().numpy(), theirs.intercept_
    shift = 0 if classes == 2 else 1
    np.testing.assert_allclose(biases - shift * biases.mean(), intercept - shift * intercept.mean(), atol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(x).numpy(), theirs.predict_proba(x), atol=1e-6)
    np.testing.assert_array_equal(ours.predict(x).numpy(), theirs.predict(x))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("squared", [True, False])
def test_svm_has_the_objective_of_scikit_learn(classes, squared, rng):
    svm = pytest.importorskip("sklearn.svm")
    x, y = labelled(rng, classes)
    theirs = svm.LinearSVC(
        C=0.3, loss="squared_hinge" if squared else "hinge", fit_intercept=False, tol=1e-8, max_iter=1_000_000
    ).fit(x, y)

    def objective(coefficients):
        """As liblinear writes it: half the squared norm, and C times the sum of the losses."""
        scores = x @ coefficients.T
        labels = (y[:, None] == np.arange(classes)) if classes > 2 else y[:, None] == 1
        slack = np.maximum(0, 1 - np.where(labels, 1, -1) * scores)
        return 0.5 * (coefficients**2).sum() + 0.3 * (slack ** (2 if squared else 1)).sum()

    ours = nn.LinearSVM(4, classes, l2=1 / (0.3 * len(x)), squared=squared, dtype=ag.float64)
    with ag.no_grad():
        ours.weight.copy_(theirs.coef_)
        ours.bias.zero_()
    assert ours.loss(x, y).item() * 0.3 * len(x) == pytest.approx(objective(theirs.coef_), rel=1e-12)
    np.testing.assert_array_equal(ours.predict(x).numpy(), theirs.predict(x))
    if squared:  # smooth: their minimum is a point where our gradient vanishes
        ours.loss(x, y).backward()
        np.testing.assert_allclose(ours.weight.grad.numpy(), 0, atol=1e-6)


def test_svm_with_bias_is_that_of_libsvm(rng):
    """It does not penalise the bias, and its hinge is not squared."""
    svm = pytest.importorskip("sklearn.svm")
    x, y = labelled(rng, 2)
    theirs = svm.SVC(kernel="linear", C=0.5, tol=1e-10).fit(x, y)
    ours = nn.LinearSVM(4, l2=1 / (0.5 * len(x)), squared=False, dtype=ag.float64)
    ours.load_state_dict({"weight": theirs.coef_, "bias": theirs.intercept_})
    at_minimum = ours.loss(x, y).item()
    # The dual of the same problem has the same value.
    signed = theirs.dual_coef_[0]
    kernel = theirs.support_vectors_ @ theirs.support_vectors_.T
    dual = np.abs(signed).sum() - 0.5 * signed @ kernel @ signed
    assert at_minimum * 0.5 * len(x) == pytest.approx(dual, rel=1e-6)


def test_probabilities_sum_to_one_and_agree_with_the_class(rng):
    for classes in (2, 4):
        model = nn.LogisticRegression(3, classes)
        probabilities = model.predict_proba(ag.tensor(rng.normal(size=(5, 3)).astype("float32")))
        assert probabilities.shape == (5, classes)
        assert not probabilities.requires_grad
        np.testing.assert_allclose(probabilities.numpy().sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize("make", [nn.LogisticRegression, nn.LinearSVM])
@pytest.mark.parametrize("classes", [2, 3])
def test_gradients_of_the_losses(make, classes, rng):
    model = make(2, classes, l2=0.1, dtype=ag.float64)
    y = rng.integers(0, classes, 5)

    class Objective(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x):
            return model.loss(x, y)

    assert_gradients(Objective(), ag.tensor(rng.normal(size=(5, 2))))


@pytest.mark.parametrize("make", [nn.LogisticRegression, nn.LinearSVM])
def test_wrong_classes_and_options(make):
    x = np.zeros((2, 3))
    with pytest.raises(ValueError, match=rf"{make.__name__}.loss: expected targets 0 and 1, but target\[1\] is -1"):
        make(3).loss(x, [1, -1])
    with pytest.raises(IndexError, match=rf"{make.__name__}.loss: target\[1\] is 4, but there are 4 classes"):
        make(3, 4).loss(x, [1, 4])
    with pytest.raises(TypeError, match="expected integer classes"):
        make(3, 4).loss(x, [1.0, 2.0])
    with pytest.raises(ValueError, match=f"{make.__name__}: expected at least 2 classes, got num_classes=1"):
        make(3, 1)
    with pytest.raises(ValueError, match=f"{make.__name__}: l2 must be at least 0, got -1"):
        make(3, l2=-1)
