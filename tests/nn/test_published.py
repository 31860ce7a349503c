"""Networks and rules whose numbers textbooks print, or whose formulas can be written out by hand."""

import itertools

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn

F = nn.functional


def loaded(net, *values):
    """A network with its parameters set, in their order."""
    net.load_state_dict(dict(zip(net.state_dict(), map(np.array, values), strict=True)))
    return net


# Threshold units


def unit(weights, threshold):
    """A McCulloch-Pitts unit: 1 where the weighted sum of its inputs reaches the threshold."""
    return lambda *inputs: (sum(w * x for w, x in zip(weights, inputs, strict=True)) >= threshold).long()


AND, OR, NOT, NAND = unit([1, 1], 2), unit([1, 1], 1), unit([-1], 0), unit([-1, -1], -1)
PAIRS = list(itertools.product([0, 1], repeat=2))


def inputs():
    return ag.tensor(PAIRS).T


@pytest.mark.parametrize(
    ("gate", "expected"),
    [(AND, [0, 0, 0, 1]), (OR, [0, 1, 1, 1]), (NAND, [1, 1, 1, 0]), (lambda a, b: NOT(a), [1, 1, 0, 0])],
)
def test_mcculloch_pitts_gates(gate, expected):
    assert gate(*inputs()).tolist() == expected


def test_half_adder_of_nand_gates():
    a, b = inputs()
    both = NAND(a, b)
    total, carry = NAND(NAND(a, both), NAND(both, b)), NAND(both, both)
    assert [(c, s) for c, s in zip(carry.tolist(), total.tolist(), strict=True)] == [divmod(x + y, 2) for x, y in PAIRS]


def test_perceptron_rule_on_a_separable_set(rng):
    """The update (y - ŷ) x separates, in at most (radius / margin)² corrections (Novikoff 1962)."""
    x = rng.normal(size=(200, 3))
    x = np.concatenate([x, np.ones((200, 1))], axis=1)
    truth = np.array([1.0, -2.0, 0.5, 0.3])
    margin = x @ truth / np.linalg.norm(truth)
    x = x[np.abs(margin) > 0.1]
    y = ag.tensor((x @ truth > 0).astype(float))
    points, theta = ag.tensor(x), ag.zeros(4, dtype=ag.float64)
    corrections = 0
    for _ in range(1000):
        mistakes = 0
        for point, label in zip(points, y, strict=True):
            error = label - (theta @ point > 0).double()
            theta = theta + error * point
            mistakes += int(error.abs().item())
        corrections += mistakes
        if mistakes == 0:
            break
    assert ag.equal((points @ theta > 0).double(), y)
    radius, gamma = np.linalg.norm(x, axis=1).max(), np.abs(margin[np.abs(margin) > 0.1]).min()
    assert 0 < corrections <= (radius / gamma) ** 2


# Networks with given weights


def test_xor_by_hand_set_weights():
    net = loaded(nn.MLP([2, 2, 1], "relu"), [[1, 1], [1, 1]], [0, -1], [[1, -2]], [0])
    assert net(ag.tensor(PAIRS).float()).squeeze(1).tolist() == [0, 1, 1, 0]


def test_three_layer_sigmoid_network():
    net = loaded(
        nn.MLP([2, 2, 2, 2], "sigmoid", output_activation="sigmoid"),
        [[1, -2], [-1, 1]],
        [1, 0],
        [[2, -1], [-2, -1]],
        [0, 0],
        [[3, -1], [-1, 4]],
        [-2, 2],
    )
    np.testing.assert_allclose(net(ag.tensor([1.0, -1.0])).detach().numpy(), [0.62, 0.83], atol=0.005)
    np.testing.assert_allclose(net[:2](ag.tensor([1.0, -1.0])).detach().numpy(), [0.98, 0.12], atol=0.005)


def test_parameter_counts():
    def counts(net):
        return [sum(p.numel() for p in layer.parameters()) for layer in net if isinstance(layer, nn.Linear)]

    assert counts(nn.MLP([10, 20, 3])) == [220, 63]
    assert sum(counts(nn.MLP([10, 20, 3]))) == 283
    net = nn.MLP([3, 4, 2])
    assert sum(p.numel() for n, p in net.named_parameters() if n.endswith("weight")) == 20
    assert sum(p.numel() for n, p in net.named_parameters() if n.endswith("bias")) == 6
    assert sum(p.numel() for p in net.parameters()) == 26


# Backpropagation by its formulas


def sigma(z):
    return 1 / (1 + np.exp(-z))


def test_bp1_to_bp4(rng):
    """The four equations of backpropagation, layer by layer, for sigmoid layers and the cost ½‖a - y‖²."""
    sizes = [3, 5, 4, 2]
    net = nn.MLP(sizes, "sigmoid", output_activation="sigmoid", dtype=ag.float64)
    loaded(net, *[rng.normal(size=p.shape) for p in net.parameters()])
    x, y = rng.normal(size=3), rng.uniform(size=2)

    out, sums = ag.tensor(x), []
    for layer in net:
        out = layer(out)
        if isinstance(layer, nn.Linear):
            out.retain_grad()
            sums.append(out)
    (0.5 * F.mse_loss(out, y, reduction="sum")).backward()

    layers = [layer for layer in net if isinstance(layer, nn.Linear)]
    weights = [layer.weight.detach().numpy() for layer in layers]
    z, a = [], [x]
    for layer, weight in zip(layers, weights, strict=True):
        z.append(weight @ a[-1] + layer.bias.detach().numpy())
        a.append(sigma(z[-1]))
    delta = (a[-1] - y) * sigma(z[-1]) * (1 - sigma(z[-1]))  # BP1
    for level in reversed(range(3)):
        np.testing.assert_allclose(sums[level].grad.numpy(), delta, rtol=1e-12)
        np.testing.assert_allclose(layers[level].bias.grad.numpy(), delta, rtol=1e-12)  # BP3
        np.testing.assert_allclose(layers[level].weight.grad.numpy(), np.outer(delta, a[level]), rtol=1e-12)  # BP4
        if level:
            slope = sigma(z[level - 1]) * (1 - sigma(z[level - 1]))
            delta = (weights[level].T @ delta) * slope  # BP2


def test_worked_example_of_a_2_2_1_network():
    """Sigmoid hidden units, a linear output, squared error: every partial derivative by the chain rule."""
    w, b, v, c = np.array([[0.1, 0.2], [-0.3, 0.4]]), np.array([0.5, -0.6]), np.array([[0.7, -0.8]]), np.array([0.9])
    x, y = np.array([1.5, -2.0]), np.array([0.25])
    net = loaded(nn.MLP([2, 2, 1], "sigmoid", dtype=ag.float64), w, b, v, c)
    F.mse_loss(net(ag.tensor(x)), y).backward()
    h = [sigma(w[j, 0] * x[0] + w[j, 1] * x[1] + b[j]) for j in range(2)]
    d_out = 2 * (v[0, 0] * h[0] + v[0, 1] * h[1] + c[0] - y[0])
    hidden, output = net[0], net[2]
    assert output.bias.grad.item() == pytest.approx(d_out, rel=1e-12)
    for j in range(2):
        assert output.weight.grad[0, j].item() == pytest.approx(d_out * h[j], rel=1e-12)
        d_sum = d_out * v[0, j] * h[j] * (1 - h[j])
        assert hidden.bias.grad[j].item() == pytest.approx(d_sum, rel=1e-12)
        for i in range(2):
            assert hidden.weight.grad[j, i].item() == pytest.approx(d_sum * x[i], rel=1e-12)


@pytest.mark.parametrize(
    ("activation", "loss", "target"),
    [
        (lambda z: z, lambda z, y: 0.5 * F.mse_loss(z, y, reduction="sum"), [[0.3, -0.5, 2.0], [1.0, 0.0, 0.1]]),
        (
            sigma,
            lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="sum"),
            [[1.0, 0.0, 0.3], [0.0, 1.0, 0.5]],
        ),
        (
            sigma,
            lambda z, y: F.binary_cross_entropy(F.sigmoid(z), y, reduction="sum"),
            [[1.0, 0.0, 0.3], [0.0, 1.0, 0.5]],
        ),
        (
            lambda z: np.exp(z) / np.exp(z).sum(1, keepdims=True),
            lambda z, y: F.cross_entropy(z, y, reduction="sum"),
            [[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]],
        ),
    ],
)
def test_output_and_loss_pairs_give_a_minus_y(activation, loss, target, rng):
    z, y = rng.normal(scale=2, size=(2, 3)), np.array(target)
    x = ag.tensor(z, requires_grad=True)
    loss(x, y).backward()
    np.testing.assert_allclose(x.grad.numpy(), activation(z) - y, rtol=1e-12, atol=1e-14)


def test_softmax_with_integer_classes_gives_a_minus_y(rng):
    z, y = rng.normal(size=(4, 3)), np.array([0, 2, 1, 1])
    x = ag.tensor(z, requires_grad=True)
    F.cross_entropy(x, y, reduction="sum").backward()
    a = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    np.testing.assert_allclose(x.grad.numpy(), a - np.eye(3)[y], rtol=1e-12, atol=1e-14)
