"""scikit-learn's MLPClassifier, one partial_fit a step."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from . import BETAS, CLASSES, EPS, LR, Net, Run, batches, runner, weights


def partial_fit(net: Net) -> Run | None:
    if net.kind != "mlp":
        return None
    model = MLPClassifier(
        net.sizes[1:-1],
        alpha=0.0,
        batch_size=net.batch,
        learning_rate_init=LR,
        beta_1=BETAS[0],
        beta_2=BETAS[1],
        epsilon=EPS,
        shuffle=False,
    )
    x, y = batches(net)[0]
    model.partial_fit(x, y, classes=np.arange(CLASSES))  # makes the arrays, and trains them a first time
    made = list(weights(net).values())
    for kept, w in zip(model.coefs_ + model.intercepts_, made[::2] + made[1::2], strict=True):
        kept[...] = w.T
    del model._optimizer

    def step(x: Any, y: Any) -> Any:
        model.partial_fit(x, y)
        return model.loss_

    return runner(step, batches(net))
