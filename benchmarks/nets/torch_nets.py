"""PyTorch: eager with fused Adam; and the whole step, forward, gradients and Adam, as one graph under torch.compile.

torch.compile does not take PyTorch's own LSTM; unrolled by hand it compiles for minutes to a slower step than eager.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from . import BETAS, CLASSES, EPS, HEADS, LR, VOCABULARY, Net, Run, batches, runner, weights


def mlp(*sizes: int) -> nn.Module:
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cnn(n_in: int, first: int, second: int) -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(n_in, first, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(first, second, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(second * 7 * 7, CLASSES)),
    )


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Any) -> Any:
        n, length, width = x.shape
        q, k, v = (
            part.reshape(n, length, HEADS, width // HEADS).transpose(1, 2)
            for part in self.qkv(self.norm1(x)).chunk(3, -1)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(n, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self, width: int, layers: int, length: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, width), nn.Parameter(torch.empty(length, width))
        self.blocks = nn.ModuleList([Block(width) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, VOCABULARY)

    def forward(self, x: Any) -> Any:
        x = self.tokens(x) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)).reshape(-1, VOCABULARY)


class LSTM(nn.Module):
    """PyTorch's own LSTM, one native call for all steps."""

    def __init__(self, n_in: int, width: int, length: int) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(n_in, width), nn.Linear(width, CLASSES)

    def forward(self, x: Any) -> Any:
        return self.head(self.lstm(x)[1][0][0])


KINDS: dict[str, Callable[..., nn.Module]] = {"mlp": mlp, "cnn": cnn, "transformer": Transformer, "lstm": LSTM}


def model_of(net: Net) -> nn.Module:
    model = KINDS[net.kind](*net.sizes)
    model.load_state_dict({name: torch.tensor(w) for name, w in weights(net).items()})
    return model.to(memory_format=torch.channels_last)  # of 4-d weights: much the faster for the CNN


def tensors(net: Net) -> list[tuple[Any, Any]]:
    found = [(torch.tensor(x), torch.tensor(y)) for x, y in batches(net)]
    if net.kind == "cnn":
        found = [(x.to(memory_format=torch.channels_last), y) for x, y in found]
    return found


def step_of(net: Net) -> Callable[[Any, Any], Any]:
    model = model_of(net)
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, fused=True)

    def step(x: Any, y: Any) -> Any:
        loss = F.cross_entropy(model(x), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def eager(net: Net) -> Run:
    return runner(step_of(net), tensors(net))


def compiled(net: Net) -> Run | None:
    if net.kind == "lstm":
        return None
    torch._dynamo.reset()
    model = model_of(net)
    params = {name: p.detach().clone() for name, p in model.named_parameters()}
    first, second = ({name: torch.zeros_like(p) for name, p in params.items()} for _ in range(2))
    count = torch.zeros(())

    def loss_of(params: dict[str, Any], x: Any, y: Any) -> Any:
        return F.cross_entropy(torch.func.functional_call(model, params, (x,)), y.reshape(-1))

    value_and_gradient = torch.func.grad_and_value(loss_of)

    @torch.compile(fullgraph=True)
    def step(x: Any, y: Any) -> Any:
        grads, loss = value_and_gradient(params, x, y)
        count.add_(1)
        size, root = LR / (1 - BETAS[0] ** count), torch.sqrt(1 - BETAS[1] ** count)
        for name, g in grads.items():
            m = first[name].mul_(BETAS[0]).add_(g, alpha=1 - BETAS[0])
            v = second[name].mul_(BETAS[1]).addcmul_(g, g, value=1 - BETAS[1])
            params[name].sub_(size * m / (torch.sqrt(v) / root + EPS))
        return loss

    return runner(step, tensors(net))


def peak(net: Net) -> int:
    """Bytes that PyTorch's allocator held at most during one step, above what it held before."""
    step, (x, y) = step_of(net), tensors(net)[0]
    step(x, y)  # the optimizer's state
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        step(x, y)
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most
