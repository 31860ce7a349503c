"""JAX: one jitted function of parameters and Adam's state, whose buffers are donated.

Where JAX has several ways the fastest here is taken: images channels last, pooling by reshaping, and an LSTM by
`lax.scan`, which beats unrolling also in part.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from . import BETAS, EPS, HEADS, LR, Net, Run, batches, runner, weights

if os.environ.get("NPROC") == "1":
    jax.config.update("jax_cpu_enable_async_dispatch", False)  # else it computes on a thread beside the caller's


def linear(p: dict[str, Any], name: str, x: Any) -> Any:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def mlp(net: Net, p: dict[str, Any], x: Any) -> Any:
    last = len(net.sizes) - 2
    for k in range(last):
        x = jax.nn.relu(linear(p, f"{2 * k}", x))
    return linear(p, f"{2 * last}", x)


def cnn(net: Net, p: dict[str, Any], x: Any) -> Any:
    x = x.transpose(0, 2, 3, 1)
    for name in ("0", "3"):
        kernel = p[f"{name}.weight"].transpose(2, 3, 1, 0)
        x = lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jax.nn.relu(x + p[f"{name}.bias"])
        n, h, w, c = x.shape
        x = x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))
    return linear(p, "7", x.transpose(0, 3, 1, 2).reshape(x.shape[0], -1))


def norm(p: dict[str, Any], name: str, x: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    scale = lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)
    return centred * scale * p[f"{name}.weight"] + p[f"{name}.bias"]


def transformer(net: Net, p: dict[str, Any], x: Any) -> Any:
    width, layers, length = net.sizes
    seen = jnp.tril(jnp.ones((length, length), bool))
    x = p["tokens.weight"][x] + p["positions"]
    for k in range(layers):
        block = f"blocks.{k}"
        qkv = linear(p, f"{block}.qkv", norm(p, f"{block}.norm1", x))
        qkv = qkv.reshape(*x.shape[:2], 3, HEADS, width // HEADS).transpose(2, 0, 3, 1, 4)
        scores = qkv[0] @ qkv[1].mT / (width // HEADS) ** 0.5
        mixed = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf)) @ qkv[2]
        x = x + linear(p, f"{block}.out", mixed.transpose(0, 2, 1, 3).reshape(x.shape))
        up = linear(p, f"{block}.up", norm(p, f"{block}.norm2", x))
        x = x + linear(p, f"{block}.down", jax.nn.gelu(up, approximate=False))
    return linear(p, "head", norm(p, "norm", x)).reshape(-1, p["head.bias"].size)


def lstm(net: Net, p: dict[str, Any], x: Any) -> Any:
    def cell(state: Any, given: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(given + h @ p["lstm.weight_hh_l0"].T, 4, 1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    given = x @ p["lstm.weight_ih_l0"].T + (p["lstm.bias_ih_l0"] + p["lstm.bias_hh_l0"])
    zero = jnp.zeros((x.shape[1], net.sizes[1]))
    (h, _), _ = lax.scan(cell, (zero, zero), given)
    return linear(p, "head", h)


KINDS = {"mlp": mlp, "cnn": cnn, "transformer": transformer, "lstm": lstm}


def jitted(net: Net) -> Run:
    def loss_of(params: Any, x: Any, y: Any) -> Any:
        logp = jax.nn.log_softmax(KINDS[net.kind](net, params, x))
        return -jnp.take_along_axis(logp, y.reshape(-1, 1), 1).mean()

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2, 3))
    def update(params: Any, first: Any, second: Any, count: Any, x: Any, y: Any) -> Any:
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        count = count + 1
        first = jax.tree.map(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g, first, grads)
        second = jax.tree.map(lambda v, g: BETAS[1] * v + (1 - BETAS[1]) * g * g, second, grads)
        size, root = LR / (1 - BETAS[0] ** count), jnp.sqrt(1 - BETAS[1] ** count)
        params = jax.tree.map(lambda p, m, v: p - size * m / (jnp.sqrt(v) / root + EPS), params, first, second)
        return params, first, second, count, loss

    params = {name: jnp.array(w) for name, w in weights(net).items()}
    first, second = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
    count = jnp.zeros(())

    def step(x: Any, y: Any) -> Any:
        nonlocal params, first, second, count
        params, first, second, count, loss = update(params, first, second, count, x, y)
        return loss

    return runner(step, [(jnp.array(x), jnp.array(y)) for x, y in batches(net)])
