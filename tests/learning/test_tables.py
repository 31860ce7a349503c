"""Small tables of scikit-learn, on the same parts of which its linear models are the measure."""

import numpy as np
import pytest
from learning import one_cycle, share_right, train

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional
CLASSES = {"iris": 3, "wine": 3, "breast_cancer": 2}


def standardised(x, *others):
    mean, scale = x.mean(0), x.std(0)
    return [(part - mean) / scale for part in (x, *others)]


def table(name):
    """Standardised features, and targets."""
    x, y = getattr(pytest.importorskip("sklearn.datasets"), f"load_{name}")(return_X_y=True)
    return standardised(x)[0], y


def folds(name):
    """The five parts of a table, each to be tested on once: pairs of training and test data, as arrays."""
    x, y = getattr(pytest.importorskip("sklearn.datasets"), f"load_{name}")(return_X_y=True)
    from sklearn.model_selection import KFold, StratifiedKFold

    splitter = (StratifiedKFold if name in CLASSES else KFold)(5, shuffle=True, random_state=0)
    for here, there in splitter.split(x, y):
        seen, unseen = standardised(x[here], x[there])
        yield (seen, y[here]), (unseen, y[there])


def fitted(net, loss, data, *, lr, weight_decay, epochs, generator):
    optimizer = optim.AdamW(net.parameters(), lr=lr, weight_decay=weight_decay)
    plan = {"epochs": epochs, "batch_size": 16}
    scheduler = one_cycle(optimizer, data, **plan)
    train(net, loss, optimizer, data, **plan, generator=generator, scheduler=scheduler)
    return net


def minimise(parameters, loss):
    """L-BFGS until nothing changes any more."""
    optimizer = optim.LBFGS(
        parameters, max_iter=1000, tolerance_grad=1e-10, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


# A net on minibatches


@pytest.mark.parametrize(("name", "epochs"), [("iris", 40), ("wine", 20), ("breast_cancer", 8)])
def test_a_net_classifies_as_well_as_logistic_regression(name, epochs):
    """To 1 %, over all five parts."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    generator = ag.manual_seed(0)
    ours, theirs = [], []
    for data, test in folds(name):
        theirs.append(linear_model.LogisticRegression(max_iter=1000).fit(*data).score(*test))
        data, test = ((ag.tensor(x, dtype=ag.float32), ag.tensor(y)) for x, y in (data, test))
        net = nn.MLP([data[0].shape[1], 16, CLASSES[name]], "tanh")
        fitted(net, F.cross_entropy, data, lr=0.02, weight_decay=0.1, epochs=epochs, generator=generator)
        ours.append(share_right(net, test))
    assert np.mean(ours) >= np.mean(theirs) - 0.01


def test_a_net_predicts_as_well_as_ridge():
    """To 0.01 of the explained share of the variance, over all five parts."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    from sklearn.metrics import r2_score

    generator = ag.manual_seed(0)
    ours, theirs = [], []
    for data, test in folds("diabetes"):
        theirs.append(linear_model.Ridge(10.0).fit(*data).score(*test))
        y, y_test = standardised(data[1], test[1])
        x, y, x_test = (ag.tensor(a, dtype=ag.float32) for a in (data[0], y[:, None], test[0]))
        net = nn.MLP([10, 32, 1], "tanh")
        fitted(net, F.mse_loss, (x, y), lr=0.005, weight_decay=1.0, epochs=15, generator=generator)
        with ag.no_grad():
            ours.append(r2_score(y_test, net(x_test).numpy()[:, 0]))
    assert np.mean(ours) >= np.mean(theirs) - 0.01


# Linear models on all the data at once


@pytest.mark.parametrize("alpha", [0.1, 10.0])
def test_least_squares_with_a_penalty_is_ridge(alpha):
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = table("diabetes")
    theirs = linear_model.Ridge(alpha, solver="cholesky").fit(x, y)
    ag.manual_seed(0)
    ours = nn.Linear(10, 1, dtype=ag.float64)
    inputs, targets = ag.tensor(x), ag.tensor(y[:, None])

    def loss():
        return F.mse_loss(ours(inputs), targets) + F.l2_penalty(ours.weight, 2 * alpha / len(x))

    minimise(ours.parameters(), loss)
    np.testing.assert_allclose(ours.weight.detach().numpy()[0], theirs.coef_, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.bias.item(), theirs.intercept_, rtol=1e-5)


@pytest.mark.parametrize("name", CLASSES)
def test_logistic_regression_by_our_optimizer(name):
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = table(name)
    theirs = linear_model.LogisticRegression(tol=1e-9, max_iter=5000).fit(x, y)
    ag.manual_seed(0)
    ours = nn.LogisticRegression(x.shape[1], CLASSES[name], l2=1 / len(x), dtype=ag.float64)
    inputs, classes = ag.tensor(x), ag.tensor(y)
    minimise(ours.parameters(), lambda: ours.loss(inputs, classes))
    np.testing.assert_allclose(ours.weight.detach().numpy(), theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(inputs).numpy(), theirs.predict_proba(x), atol=1e-5)


def test_svm_by_our_optimizer():
    """Scikit-learn's penalises the bias: here it is the weight of an input that is always 1."""
    svm = pytest.importorskip("sklearn.svm")
    x, y = table("breast_cancer")
    with_ones = np.column_stack([x, np.ones(len(x))])
    theirs = svm.LinearSVC(C=0.1, tol=1e-9, max_iter=100_000, random_state=0).fit(x, y)
    ag.manual_seed(0)
    ours = nn.LinearSVM(with_ones.shape[1], l2=1 / (0.1 * len(x)), dtype=ag.float64)
    nn.init.zeros_(ours.bias)
    inputs, classes = ag.tensor(with_ones), ag.tensor(y)
    minimise([ours.weight], lambda: ours.loss(inputs, classes))
    expected = np.append(theirs.coef_[0], theirs.intercept_)
    np.testing.assert_allclose(ours.weight.detach().numpy()[0], expected, atol=1e-5)
    np.testing.assert_array_equal(ours.predict(inputs).numpy(), theirs.predict(x))


def test_perceptron_takes_the_same_steps():
    """Only at a score of exactly 0, as at the start, do they differ: not if the first example has class 0."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = table("breast_cancer")
    assert y[0] == 0
    ours = nn.Perceptron(x.shape[1], dtype=ag.float64)
    for passes in (1, 2):
        theirs = linear_model.Perceptron(max_iter=passes, tol=None, shuffle=False).fit(x, y)
        assert ours.learn(x, y) > 0
        np.testing.assert_allclose(ours.weight.detach().numpy(), theirs.coef_, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(ours.bias.detach().numpy(), theirs.intercept_, rtol=1e-9, atol=1e-9)
