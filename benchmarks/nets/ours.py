"""autograd-core: a step as a user writes it, compiled or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.nn import functional as F

from . import CLASSES, HEADS, LR, VOCABULARY, Net, Run, batches, runner, weights


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
        self.tokens, self.positions = nn.Embedding(VOCABULARY, width), nn.Parameter(ag.empty(length, width))
        self.blocks = nn.ModuleList([Block(width) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, VOCABULARY)

    def forward(self, x: Any) -> Any:
        x = self.tokens(x) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)).reshape(-1, VOCABULARY)


class LSTM(nn.Module):
    def __init__(self, n_in: int, width: int, length: int) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(n_in, width), nn.Linear(width, CLASSES)

    def forward(self, x: Any) -> Any:
        return self.head(self.lstm(x)[1][0][0])


KINDS: dict[str, Callable[..., nn.Module]] = {
    "mlp": lambda *sizes: nn.MLP(sizes),
    "cnn": cnn,
    "transformer": Transformer,
    "lstm": LSTM,
}


def model_of(net: Net) -> nn.Module:
    model = KINDS[net.kind](*net.sizes)
    model.load_state_dict(weights(net))
    return model


def step_of(net: Net) -> Callable[[Any, Any], Any]:
    model = model_of(net)
    optimizer = optim.Adam(model.parameters(), lr=LR)

    def step(x: Any, y: Any) -> Any:
        loss = F.cross_entropy(model(x), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def tensors(net: Net) -> list[tuple[Any, Any]]:
    return [(ag.tensor(x), ag.tensor(y)) for x, y in batches(net)]


def eager(net: Net) -> Run:
    return runner(step_of(net), tensors(net))


def compiled(net: Net) -> Run:
    return runner(ag.compile(step_of(net)), tensors(net))


def inference(net: Net) -> Run:
    model = model_of(net)

    @ag.compile
    def infer(x: Any) -> Any:
        with ag.no_grad():
            return model(x)

    x = ag.tensor(batches(net)[0][0])

    def run(times: int) -> None:
        for _ in range(times):
            infer(x)

    return run


def peak(net: Net) -> int:
    """Bytes that a compiled step keeps for itself, the gradients it leaves among them."""
    step = ag.compile(step_of(net))
    step(*tensors(net)[0])
    report = step.report()
    return report.workspace
