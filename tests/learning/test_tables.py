"""Small tables, as hard for every classifier; on the same split of them scikit-learn's is the measure."""

import numpy as np
import pytest
from learning import share_right, train

import autograd_core as ag
from autograd_core import nn, optim

F = nn.functional


def table(name, dtype=ag.float32):
    """Training and test part, 70 and 30 %, of standardised features, as tensors."""
    datasets = pytest.importorskip("sklearn.datasets")
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    classes = y.dtype.kind == "i"
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.3, random_state=0, stratify=y if classes else None)
    scaler = StandardScaler().fit(x)
    dtype_of_targets = ag.int64 if classes else dtype
    return [
        (ag.tensor(scaler.transform(a), dtype=dtype), ag.tensor(b, dtype=dtype_of_targets))
        for a, b in ((x, y), (x_test, y_test))
    ]


def minimise(parameters, loss):
    """L-BFGS until it stops; ``loss`` is computed of all the data."""
    optimizer = optim.LBFGS(
        parameters, max_iter=500, tolerance_grad=1e-9, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


# Classification


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_a_net_is_as_good_as_logistic_regression(name):
    data, test = table(name)
    from sklearn.linear_model import LogisticRegression

    linear = LogisticRegression(max_iter=1000).fit(*map(np.asarray, data)).score(*map(np.asarray, test))
    generator = ag.manual_seed(0)
    net = nn.MLP([data[0].shape[1], 16, int(data[1].max()) + 1])
    optimizer = optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.1)
    train(net, F.cross_entropy, optimizer, data, epochs=40, batch_size=32, generator=generator)
    assert share_right(net, test) >= linear - 0.02
