"""MLPs in NumPy by hand: forward, backward and Adam, every array allocated once."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from . import BETAS, EPS, LR, Net, Run, batches, runner, weights


def by_hand(net: Net) -> Run | None:
    if net.kind != "mlp":
        return None
    made = list(weights(net).values())
    flat = np.concatenate([w.ravel() for w in made])  # all parameters in one array: Adam is one sweep
    grad, first, second, scratch, change = (np.zeros_like(flat) for _ in range(5))
    ends = list(itertools.accumulate(w.size for w in made))

    def views(array: np.ndarray) -> list[np.ndarray]:
        return [array[end - w.size : end].reshape(w.shape) for w, end in zip(made, ends, strict=True)]

    params, grads = views(flat), views(grad)
    ws, bs, dws, dbs = params[::2], params[1::2], grads[::2], grads[1::2]
    outs, douts, masks = ([np.empty((net.batch, n), t) for n in net.sizes[1:]] for t in ("f4", "f4", "?"))
    rows = np.arange(net.batch)
    count = 0

    def step(x: np.ndarray, y: np.ndarray) -> Any:
        nonlocal count
        inputs = [x, *outs[:-1]]
        for k, (h, w, b) in enumerate(zip(inputs, ws, bs, strict=True)):
            np.dot(h, w.T, out=outs[k])
            outs[k] += b
            if k < len(ws) - 1:
                np.maximum(outs[k], 0, out=outs[k])
        z, g = outs[-1], douts[-1]
        z -= z.max(1, keepdims=True)
        np.exp(z, out=g)
        total = g.sum(1, keepdims=True)
        loss = (np.log(total[:, 0]) - z[rows, y]).mean()
        g /= total
        g[rows, y] -= 1
        g *= np.float32(1 / net.batch)
        for k in reversed(range(len(ws))):
            np.dot(douts[k].T, inputs[k], out=dws[k])
            np.sum(douts[k], axis=0, out=dbs[k])
            if k:
                np.dot(douts[k], ws[k], out=douts[k - 1])
                np.greater(inputs[k], 0, out=masks[k - 1])
                np.multiply(douts[k - 1], masks[k - 1], out=douts[k - 1])
        count += 1
        adam()
        return loss

    def adam() -> None:
        np.multiply(grad, 1 - BETAS[0], out=scratch)
        np.multiply(first, BETAS[0], out=first)
        np.add(first, scratch, out=first)
        np.multiply(grad, grad, out=scratch)
        np.multiply(scratch, 1 - BETAS[1], out=scratch)
        np.multiply(second, BETAS[1], out=second)
        np.add(second, scratch, out=second)
        np.sqrt(second, out=scratch)
        np.divide(scratch, math.sqrt(1 - BETAS[1] ** count), out=scratch)
        np.add(scratch, EPS, out=scratch)
        np.divide(first, scratch, out=change)
        np.multiply(change, LR / (1 - BETAS[0] ** count), out=change)
        np.subtract(flat, change, out=flat)

    return runner(step, batches(net))
