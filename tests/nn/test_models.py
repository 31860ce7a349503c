"""Whole models: sizes as published, losses by their closed forms, steps compiled as eager, and what they are for."""

import numpy as np
import pytest
from twins import Twins

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.tools import assert_gradients

F, models = nn.functional, nn.models


def count(module):
    return sum(p.numel() for p in module.parameters())


def floats(rng, *shape, dtype="float64"):
    return ag.tensor(rng.normal(size=shape).astype(dtype))


class Loss(nn.Module):
    """A module whose output is the loss of another one, with the same random numbers every time."""

    def __init__(self, model, name="loss", *constants):
        super().__init__()
        self.model, self.name, self.constants = model, name, constants

    def forward(self, *args):
        ag.manual_seed(4)
        return getattr(self.model, self.name)(*args, *self.constants)


def assert_trains_compiled(make, *args, lr=0.05):
    """Three steps, compiled and eager, from ``make()``, a model and the function that gives its loss."""
    pytest.importorskip("numba")

    def made():
        model, loss = make()
        optimizer = optim.SGD(model.parameters(), lr=lr)

        def step(*args):
            optimizer.zero_grad()
            value = loss(*args)
            value.backward()
            optimizer.step()
            return value

        return step, model, optimizer

    both = Twins(made, natively=False)
    for _ in range(3):
        both(*args)


# LeNet


def test_sizes_of_lenet():
    assert count(models.LeNet()) == count(models.LeNet(size=32)) == 61_706
    layers = [count(layer) for layer in models.LeNet() if count(layer)]
    assert layers == [156, 2_416, 48_120, 10_164, 850]


@pytest.mark.parametrize("size", [4, 8, 11, 12, 16, 28, 32, 33])
def test_lenet_takes_images_of_any_size(size):
    assert models.LeNet(3, size, in_channels=2)(ag.zeros(1, 2, size, size)).shape == (1, 3)


def test_lenet_of_pytorch(rng):
    torch = pytest.importorskip("torch")
    layers = torch.nn
    theirs = layers.Sequential(
        *(layers.Conv2d(1, 6, 5, padding=2), layers.Tanh(), layers.AvgPool2d(2)),
        *(layers.Conv2d(6, 16, 5), layers.Tanh(), layers.AvgPool2d(2), layers.Flatten()),
        *(layers.Linear(400, 120), layers.Tanh(), layers.Linear(120, 84), layers.Tanh(), layers.Linear(84, 10)),
    ).double()
    ours = models.LeNet().double()
    ours.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})
    x = rng.normal(size=(3, 1, 28, 28))
    expected = theirs(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours(ag.tensor(x)).detach().numpy(), expected, rtol=1e-10, atol=1e-12)


def test_compiled_lenet(rng):
    def make():
        model = models.LeNet(3, size=8, activation="relu", pooling="max", channels=(2, 3), hidden=(5, 4))
        return model, lambda x, y: F.cross_entropy(model(x), y)

    assert_trains_compiled(make, floats(rng, 4, 1, 8, 8, dtype="float32"), ag.tensor([0, 1, 2, 1]))


@pytest.mark.parametrize(("options", "message"), [({"size": 3}, "at least 4 by 4"), ({"pooling": "min"}, "'min'")])
def test_lenets_that_there_are_not(options, message):
    with pytest.raises(ValueError, match=f"LeNet: .*{message}"):
        models.LeNet(**options)


# ResNet


@pytest.mark.parametrize(
    ("depth", "parameters", "tensors"), [(18, 11_689_512, 122), (34, 21_797_672, 218), (50, 25_557_032, 320)]
)
def test_sizes_of_residual_networks(depth, parameters, tensors, monkeypatch):
    """torchvision's, with 1000 classes; they are not filled with numbers here, so that they take no memory."""
    for name in ("kaiming_normal_", "kaiming_uniform_", "uniform_"):
        monkeypatch.setattr(nn.init, name, lambda tensor, *args, **options: tensor)
    net = models.resnet(depth)
    assert count(net) == parameters
    assert len(net.state_dict()) == tensors


def test_names_are_those_of_torchvision():
    net = models.resnet(50, 10, width=2)
    names = list(net.state_dict())
    norm = [f"bn1.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")]
    assert names[:6] == ["conv1.weight", *norm]
    block = [name.removeprefix("layer1.0.") for name in names if name.startswith("layer1.0.")]
    norms = [[name.replace("bn1", f"bn{k}") for name in norm] for k in (1, 2, 3)]
    main = [name for k in (1, 2, 3) for name in (f"conv{k}.weight", *norms[k - 1])]
    assert block == [*main, "downsample.0.weight", *(name.replace("bn1", "downsample.1") for name in norm)]
    assert not any(name.startswith("layer1.1.downsample") for name in names)
    assert names[-2:] == ["fc.weight", "fc.bias"]
    assert {name.split(".")[0] for name in names} == {"conv1", "bn1", "fc", *(f"layer{k}" for k in (1, 2, 3, 4))}
    assert "layer3.5.conv3.weight" in names
    assert "layer3.6.conv1.weight" not in names


def test_the_basic_network_of_pytorch_layers(rng):
    """The forward pass written out with PyTorch's functions, from the same state_dict."""
    torch = pytest.importorskip("torch")
    ag.manual_seed(0)
    net = models.resnet(18, 5, width=2).double()
    x = rng.normal(size=(2, 3, 48, 48))
    net(ag.tensor(x))  # running statistics that are not those of the start
    net.eval()
    state = {name: torch.tensor(np.array(t.array)) for name, t in net.state_dict().items()}
    conv2d, relu = torch.nn.functional.conv2d, torch.relu

    def norm(value, name):
        keys = ("running_mean", "running_var", "weight", "bias")
        return torch.nn.functional.batch_norm(value, *(state[f"{name}.{key}"] for key in keys))

    out = relu(norm(conv2d(torch.tensor(x), state["conv1.weight"], stride=2, padding=3), "bn1"))
    out = torch.nn.functional.max_pool2d(out, 3, 2, 1)
    for stage in (1, 2, 3, 4):
        for k in (0, 1):
            name, stride = f"layer{stage}.{k}", 2 if k == 0 and stage > 1 else 1
            branch = relu(norm(conv2d(out, state[f"{name}.conv1.weight"], stride=stride, padding=1), f"{name}.bn1"))
            branch = norm(conv2d(branch, state[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
            if stride == 2:
                out = norm(conv2d(out, state[f"{name}.downsample.0.weight"], stride=2), f"{name}.downsample.1")
            out = relu(out + branch)
    expected = out.mean((2, 3)) @ state["fc.weight"].T + state["fc.bias"]
    np.testing.assert_allclose(net(ag.tensor(x)).detach().numpy(), expected.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("block", [models.BasicBlock, models.Bottleneck])
def test_blocks_can_start_as_the_identity(block, rng):
    plain, zero = (models.ResNet(block, [2], 2, width=4, zero_init_residual=zero) for zero in (False, True))
    x = ag.tensor(rng.uniform(size=(2, 4 * block.expansion, 5, 5)).astype("float32"))
    np.testing.assert_array_equal(zero.layer1[1](x).detach().numpy(), x.numpy())
    assert not np.allclose(plain.layer1[1](x).detach().numpy(), x.numpy())


def test_compiled_residual_network(rng):
    def make():
        model = models.ResNet(models.BasicBlock, [1, 1], 3, in_channels=1, width=2, small_images=True)
        return model, lambda x, y: F.cross_entropy(model(x), y)

    assert_trains_compiled(make, floats(rng, 4, 1, 6, 6, dtype="float32"), ag.tensor([0, 1, 2, 1]))


def test_residual_networks_that_there_are_not():
    with pytest.raises(ValueError, match=r"resnet: expected a depth of 18, 34, 50, 101, 152, got 20; .*ResNet"):
        models.resnet(20)
    with pytest.raises(ValueError, match="at least one block in each stage"):
        models.ResNet(models.BasicBlock, [2, 0])


# Autoencoders


def test_autoencoder(rng):
    model = models.Autoencoder([6, 4, 2], "tanh", code_activation="sigmoid", output_activation="relu").double()
    shapes = [tuple(p.shape) for p in model.parameters() if p.ndim == 2]
    assert shapes == [(4, 6), (2, 4), (4, 2), (6, 4)]
    x = floats(rng, 5, 6)
    code = model.encoder(x)
    assert ((code > 0) & (code < 1)).all()
    np.testing.assert_array_equal(model(x).detach().numpy(), model.decoder(code).detach().numpy())
    assert model.loss(x).item() == pytest.approx(((model(x).detach().numpy() - x.numpy()) ** 2).mean(), rel=1e-12)
    assert_gradients(Loss(model), floats(rng, 2, 6))


def test_the_linear_autoencoder_can_do_what_principal_components_do(rng):
    """Baldi & Hornik (1989): its loss is never below theirs, and equal with their axes as weights."""
    x = rng.normal(size=(30, 5)) @ rng.normal(size=(5, 5))
    x -= x.mean(0)
    _, values, axes = np.linalg.svd(x, full_matrices=False)
    best = (values[2:] ** 2).sum() / x.size
    model = models.Autoencoder([5, 2], dtype=ag.float64)
    assert model.loss(ag.tensor(x)).item() > best
    zero = [np.zeros(2), np.zeros(5)]
    weights = [axes[:2], zero[0], axes[:2].T, zero[1]]
    model.load_state_dict(dict(zip(model.state_dict(), weights, strict=True)))
    assert model.loss(ag.tensor(x)).item() == pytest.approx(best, rel=1e-10)


def test_noise_is_for_training_and_the_loss_is_of_the_clean_input(rng):
    model = models.DenoisingAutoencoder([6, 3], noise=nn.Dropout(0.5)).double()
    plain = models.Autoencoder([6, 3]).double()
    plain.load_state_dict(model.state_dict())
    x = floats(rng, 8, 6)
    ag.manual_seed(1)
    noisy = model(x)
    ag.manual_seed(1)
    expected = plain(F.dropout(x, 0.5))
    np.testing.assert_array_equal(noisy.detach().numpy(), expected.detach().numpy())
    ag.manual_seed(1)
    assert model.loss(x).item() == pytest.approx(F.mse_loss(expected, x).item(), rel=1e-12)
    np.testing.assert_array_equal(model.eval()(x).detach().numpy(), plain(x).detach().numpy())


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_terms_of_the_evidence_lower_bound(likelihood, rng):
    torch = pytest.importorskip("torch")
    model = models.VariationalAutoencoder([4, 5, 2], "tanh", likelihood=likelihood).double()
    x = ag.tensor(rng.uniform(size=(6, 4)))
    mean, log_variance = model.encode(x)
    ag.manual_seed(2)
    code = mean + ag.exp(0.5 * log_variance) * ag.randn(6, 2, dtype=ag.float64)
    ag.manual_seed(2)
    reconstruction, divergence = model.terms(x)
    normal = torch.distributions.Normal
    mean, spread = torch.tensor(mean.detach().numpy()), torch.tensor(np.exp(0.5 * log_variance.detach().numpy()))
    ours = normal(mean, spread)
    expected = torch.distributions.kl_divergence(ours, normal(torch.zeros(6, 2), torch.ones(6, 2))).sum(1).mean()
    assert divergence.item() == pytest.approx(expected.item(), rel=1e-6)
    decoded = torch.tensor(model.decode(code).detach().numpy())
    if likelihood == "bernoulli":
        errors = torch.nn.functional.binary_cross_entropy(decoded, torch.tensor(x.numpy()), reduction="none")
    else:
        errors = -normal(decoded, 1.0).log_prob(torch.tensor(x.numpy())) - 0.5 * np.log(2 * np.pi)
    assert reconstruction.item() == pytest.approx(errors.sum(1).mean().item(), rel=1e-10)
    ag.manual_seed(2)
    assert model.loss(x).item() == pytest.approx((reconstruction + divergence).item(), rel=1e-12)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_gradients_of_the_evidence_lower_bound(likelihood, rng):
    model = models.VariationalAutoencoder([3, 4, 2], "tanh", likelihood=likelihood).double()
    assert_gradients(Loss(model), ag.tensor(rng.uniform(0.1, 0.9, size=(3, 3))))


def test_codes_are_drawn_in_training_alone(rng):
    model = models.VariationalAutoencoder([4, 2], likelihood="gaussian").double()
    x = floats(rng, 3, 4)
    assert not ag.equal(model(x), model(x))
    model.eval()
    np.testing.assert_array_equal(model(x).detach().numpy(), model.decode(model.encode(x)[0]).detach().numpy())
    assert model.sample(5).dtype == ag.float64
    assert ag.equal(model.sample(5, generator=ag.Generator(1)), model.sample(5, generator=ag.Generator(1)))


def test_a_code_that_is_drawn_has_the_variance_it_says():
    model = models.VariationalAutoencoder([1, 1], likelihood="gaussian").double()
    values = [[[0.0], [0.0]], [0.7, 2 * np.log(0.3)], [[1.0]], [0.0]]
    model.load_state_dict(dict(zip(model.state_dict(), map(np.array, values), strict=True)))
    ag.manual_seed(3)
    codes = model(ag.zeros(20_000, 1, dtype=ag.float64))
    assert codes.mean().item() == pytest.approx(0.7, abs=0.01)
    assert codes.std().item() == pytest.approx(0.3, abs=0.01)


def test_compiled_variational_autoencoder(rng):
    def make():
        model = models.VariationalAutoencoder([6, 5, 2])
        return model, model.loss

    assert_trains_compiled(make, ag.tensor(rng.uniform(size=(4, 6)).astype("float32")))


def test_variational_autoencoders_that_there_are_not():
    with pytest.raises(ValueError, match="likelihood 'bernoulli' or 'gaussian', got 'poisson'"):
        models.VariationalAutoencoder([3, 2], likelihood="poisson")
    with pytest.raises(ValueError, match=r"sizes of the input and the code, got \[3\]"):
        models.VariationalAutoencoder([3])


# Sequences


@pytest.mark.parametrize("network", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_does_not_matter(network, bidirectional, rng):
    net = models.SequenceClassifier(
        3, 4, 2, network=network, num_layers=2, bidirectional=bidirectional, dtype=ag.float64
    )
    x, lengths = rng.normal(size=(3, 5, 3)), [5, 2, 3]
    together = net(ag.tensor(x), ag.tensor(lengths)).detach().numpy()
    for k, length in enumerate(lengths):
        alone = net(ag.tensor(x[k : k + 1, :length])).detach().numpy()
        np.testing.assert_allclose(together[k : k + 1], alone, rtol=1e-12)
    x[1, 2:] = 100.0
    np.testing.assert_array_equal(net(ag.tensor(x), ag.tensor(lengths)).detach().numpy(), together)


def test_sequence_classifier_of_pytorch(rng):
    torch = pytest.importorskip("torch")
    net = models.SequenceClassifier(3, 4, 2, num_tokens=6, bidirectional=True, dtype=ag.float64)
    theirs = torch.nn.LSTM(3, 4, batch_first=True, bidirectional=True).double()
    state = {name: torch.tensor(np.array(t.array)) for name, t in net.state_dict().items()}
    theirs.load_state_dict({n.removeprefix("network."): t for n, t in state.items() if n.startswith("network.")})
    tokens, lengths = rng.integers(0, 6, (3, 5)), [2, 5, 4]
    vectors = state["embedding.weight"][torch.tensor(tokens)]
    pack = torch.nn.utils.rnn.pack_padded_sequence
    _, (h, _) = theirs(pack(vectors, lengths, batch_first=True, enforce_sorted=False))
    expected = torch.cat([h[0], h[1]], 1) @ state["output.weight"].T + state["output.bias"]
    ours = net(ag.tensor(tokens), ag.tensor(lengths))
    np.testing.assert_allclose(ours.detach().numpy(), expected.detach().numpy(), rtol=1e-10)


def test_compiled_sequence_classifier(rng):
    def make():
        model = models.SequenceClassifier(3, 4, 2, num_tokens=6)
        return model, lambda x, n, y: F.cross_entropy(model(x, n), y)

    assert_trains_compiled(make, ag.tensor(rng.integers(0, 6, (3, 4))), ag.tensor([4, 2, 3]), ag.tensor([0, 1, 1]))


def test_networks_that_there_are_not():
    with pytest.raises(ValueError, match="expected network 'rnn', 'lstm' or 'gru', got 'tcn'"):
        models.SequenceClassifier(3, 4, 2, network="tcn")


def writer(**options):
    ag.manual_seed(0)
    return models.CharTransformer(6, 8, d_model=8, nhead=2, num_layers=2, dim_feedforward=16, **options)


def test_a_token_depends_on_those_before_it_only(rng):
    net = writer().double()
    tokens = rng.integers(0, 6, (2, 8))
    before = net(ag.tensor(tokens)).detach().numpy()
    tokens[:, 5] = (tokens[:, 5] + 1) % 6
    after = net(ag.tensor(tokens)).detach().numpy()
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert (np.abs(before[:, 5:] - after[:, 5:]).max(-1) > 1e-8).all()
    np.testing.assert_allclose(net(ag.tensor(tokens[:, :5])).detach().numpy(), before[:, :5], rtol=1e-10, atol=1e-12)


def test_char_transformer_of_pytorch(rng):
    torch = pytest.importorskip("torch")
    net = writer().double()
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", batch_first=True, norm_first=True)
    theirs = torch.nn.TransformerEncoder(layer, 2, torch.nn.LayerNorm(8), enable_nested_tensor=False).double()
    state = {name: torch.tensor(np.array(t.array)) for name, t in net.state_dict().items()}
    theirs.load_state_dict({n.removeprefix("layers."): t for n, t in state.items() if n.startswith("layers.")})
    tokens = rng.integers(0, 6, (3, 7))
    vectors = state["tokens.weight"][torch.tensor(tokens)] + state["positions.weight"][:7]
    mask = torch.nn.Transformer.generate_square_subsequent_mask(7, dtype=torch.float64)
    logits = theirs(vectors, mask=mask) @ state["output.weight"].T + state["output.bias"]
    np.testing.assert_allclose(net(ag.tensor(tokens)).detach().numpy(), logits.detach().numpy(), rtol=1e-9, atol=1e-12)
    expected = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), torch.tensor(tokens[:, 1:]).flatten())
    assert net.loss(ag.tensor(tokens)).item() == pytest.approx(expected.item(), rel=1e-10)


def test_generation():
    net = writer(dropout=0.5)
    prompt = ag.tensor([[0, 1], [2, 3], [0, 1]])
    net.layers.layers[0].eval()
    before = [module.training for module in net.modules()]
    likeliest = net.generate(prompt, 10, temperature=0)
    assert likeliest.shape == (3, 12)
    assert likeliest.dtype == ag.int64
    assert ag.equal(likeliest[:, :2], prompt)
    assert ag.equal(likeliest[0], likeliest[2])
    assert not likeliest.requires_grad
    assert [module.training for module in net.modules()] == before
    net.eval()
    logits = net(likeliest[:, 3:11])[:, -1]
    assert ag.equal(ag.argmax(logits, -1), likeliest[:, 11])
    drawn = [net.generate(prompt, 10, generator=ag.Generator(seed)).tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    cold = net.generate(prompt, 10, temperature=1e-5, generator=ag.Generator(0))
    assert ag.equal(cold, likeliest)


def test_tokens_are_drawn_with_their_probabilities():
    net = writer()
    prompt = ag.tensor([[3]] * 20_000)
    drawn = np.bincount(net.generate(prompt, 1, temperature=0.5, generator=ag.Generator(0))[:, 1].numpy(), minlength=6)
    logits = net(prompt[:1]).detach().numpy()[0, 0].astype(float) / 0.5
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(drawn / 20_000, expected, atol=0.015)


def test_generation_restores_the_modes_after_an_error():
    net = writer()
    with pytest.raises(ValueError, match="CharTransformer: expected 1 to context=8 tokens, got 0"):
        net.generate(ag.zeros(2, 0, dtype=ag.int64), 3)
    assert all(module.training for module in net.modules())
    with pytest.raises(ValueError, match=r"CharTransformer: expected tokens of shape \(N, T\), got \(2,\)"):
        net.generate(ag.tensor([0, 1]), 3)
    with pytest.raises(ValueError, match="temperature must be at least 0, got -1"):
        net.generate(ag.tensor([[0]]), 3, temperature=-1)


def test_compiled_char_transformer(rng):
    def make():
        model = writer()
        return model, model.loss

    assert_trains_compiled(make, ag.tensor(rng.integers(0, 6, (3, 8))))


# Networks at play


def game(kind, dtype=ag.float64):
    generator = nn.MLP([2, 4, 3], "tanh", dtype=dtype)
    return kind(generator, nn.MLP([3, 5, 1], "tanh", dtype=dtype), 2)


def test_gradient_penalty_by_hand():
    """Of a critic with a constant slope, and of ½‖x‖², whose slope at x has the norm of x."""
    slope = ag.tensor([[2.0, -1.0, 2.0]], requires_grad=True)
    penalty = F.gradient_penalty(lambda x: F.linear(x, slope), ag.zeros(4, 3), ag.ones(4, 3))
    assert penalty.item() == pytest.approx((3 - 1) ** 2, rel=1e-6)
    penalty.backward()
    np.testing.assert_allclose(slope.grad.numpy(), 2 * (3 - 1) * np.array([[2, -1, 2]]) / 3, rtol=1e-6)

    real, fake = ag.randn(6, 2, 3, generator=ag.Generator(0)), ag.randn(6, 2, 3, generator=ag.Generator(1))
    found = F.gradient_penalty(lambda x: 0.5 * (x * x).sum((1, 2)), real, fake, generator=ag.Generator(2))
    share = ag.rand(6, 1, 1, generator=ag.Generator(2))
    between = (share * real + (1 - share) * fake).numpy()
    expected = ((np.sqrt((between**2).sum((1, 2))) - 1) ** 2).mean()
    assert found.item() == pytest.approx(expected, rel=1e-5)
    with ag.no_grad():
        again = F.gradient_penalty(lambda x: 0.5 * (x * x).sum((1, 2)), real, fake, generator=ag.Generator(2))
    assert again.item() == found.item()
    assert not again.requires_grad


def test_gradients_of_the_gradient_penalty(rng):
    critic = nn.MLP([3, 5, 1], "tanh", dtype=ag.float64)
    real, fake = floats(rng, 4, 3), floats(rng, 4, 3)

    class Penalty(nn.Module):
        def __init__(self):
            super().__init__()
            self.critic = critic

        def forward(self):
            return F.gradient_penalty(critic, real, fake, generator=ag.Generator(0))

    assert_gradients(Penalty(), [])


def test_gradient_penalty_of_pytorch(rng):
    torch = pytest.importorskip("torch")
    critic = nn.MLP([3, 5, 1], "tanh", dtype=ag.float64)
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()
    theirs.load_state_dict({name: torch.tensor(np.array(t.array)) for name, t in critic.state_dict().items()})
    real, fake = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    share = ag.rand(4, 1, dtype=ag.float64, generator=ag.Generator(0)).numpy()
    between = torch.tensor(share * real + (1 - share) * fake, requires_grad=True)
    (slopes,) = torch.autograd.grad(theirs(between).sum(), between, create_graph=True)
    expected = ((slopes.norm(dim=1) - 1) ** 2).mean()
    expected.backward()
    found = F.gradient_penalty(critic, real, fake, generator=ag.Generator(0))
    found.backward()
    assert found.item() == pytest.approx(expected.item(), rel=1e-10)
    for ours, other in zip(critic.parameters(), theirs.parameters(), strict=True):
        if other.grad is not None:
            np.testing.assert_allclose(ours.grad.numpy(), other.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_gradient_penalty_refuses_what_does_not_fit():
    critic = nn.Linear(3, 1)
    with pytest.raises(ValueError, match=r"gradient_penalty: real of shape .* and fake of shape .* differ"):
        F.gradient_penalty(critic, ag.zeros(4, 3), ag.zeros(3, 3))
    with pytest.raises(ValueError, match="at least one, got"):
        F.gradient_penalty(critic, ag.zeros(0, 3), ag.zeros(0, 3))


def test_losses_of_the_gan(rng):
    gan = game(models.GAN)
    real = floats(rng, 5, 3)
    fake = gan.sample(5, generator=ag.Generator(0))
    loss = gan.discriminator_loss(real, generator=ag.Generator(0))
    expected = F.gan_discriminator_loss(gan.discriminator(real), gan.discriminator(fake))
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    loss.backward()
    assert all(p.grad is None for p in gan.generator.parameters())
    assert all(p.grad is not None for p in gan.discriminator.parameters())
    loss = gan.generator_loss(5, generator=ag.Generator(0))
    assert loss.item() == pytest.approx(F.softplus(-gan.discriminator(fake)).mean().item(), rel=1e-12)
    loss.backward()
    assert all(p.grad is not None for p in gan.generator.parameters())


def test_losses_of_the_wasserstein_gan(rng):
    gan = game(models.WassersteinGAN)
    real = floats(rng, 5, 3)
    generator = ag.Generator(0)
    fake = gan.sample(5, generator=generator)
    expected = gan.critic(fake).mean() - gan.critic(real).mean()
    expected = expected + 10 * F.gradient_penalty(gan.critic, real, fake, generator=generator)
    loss = gan.critic_loss(real, generator=ag.Generator(0))
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    loss.backward()
    assert all(p.grad is None for p in gan.generator.parameters())
    loss = gan.generator_loss(5, generator=ag.Generator(0))
    assert loss.item() == pytest.approx(-gan.critic(fake).mean().item(), rel=1e-12)
    with pytest.raises(ValueError, match="penalty must be at least 0"):
        models.WassersteinGAN(gan.generator, gan.critic, 2, penalty=-1)


@pytest.mark.parametrize(("kind", "name"), [(models.GAN, "discriminator_loss"), (models.WassersteinGAN, "critic_loss")])
def test_gradients_of_the_losses(kind, name, rng):
    gan = game(kind)
    gan.generator.requires_grad_(False)
    assert_gradients(Loss(gan, name, floats(rng, 4, 3)), [])


@pytest.mark.parametrize(
    ("kind", "names"),
    [(models.GAN, ("discriminator", "discriminator_loss")), (models.WassersteinGAN, ("critic", "critic_loss"))],
)
def test_compiled_games(kind, names, rng):
    """Both turns in one step."""
    opponent, opponent_loss = names

    def make():
        gan = game(kind, ag.float32)
        first = optim.SGD(getattr(gan, opponent).parameters(), lr=0.05)
        second = optim.SGD(gan.generator.parameters(), lr=0.05)

        def step(real):
            first.zero_grad()
            loss = getattr(gan, opponent_loss)(real)
            loss.backward()
            first.step()
            second.zero_grad()
            other = gan.generator_loss(4)
            other.backward()
            second.step()
            return loss, other

        return step, gan, first, second

    pytest.importorskip("numba")
    both = Twins(make, natively=False)
    for _ in range(3):
        both(floats(rng, 4, 3, dtype="float32"))


def test_networks_must_be_modules():
    with pytest.raises(TypeError, match="GAN: expected a Module as discriminator, got builtin_function_or_method"):
        models.GAN(nn.Linear(2, 3), len, 2)


# Several models


def test_ensemble_averages_outputs_or_probabilities(rng):
    members = [nn.Linear(3, 4, dtype=ag.float64) for _ in range(3)]
    x = floats(rng, 5, 3)
    logits = np.stack([member(x).detach().numpy() for member in members])
    np.testing.assert_allclose(models.Ensemble(members)(x).detach().numpy(), logits.mean(0), rtol=1e-12)
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    model = models.Ensemble(members, "softmax")
    np.testing.assert_allclose(model(x).detach().numpy(), shares.mean(0), rtol=1e-12)
    np.testing.assert_allclose(model.outputs(x).detach().numpy(), shares, rtol=1e-12)
    assert list(model.state_dict())[:2] == ["members.0.weight", "members.0.bias"]
    with pytest.raises(ValueError, match="Ensemble: expected at least one member"):
        models.Ensemble([])


def test_bootstrap_leaves_out_a_third():
    drawn = models.bootstrap(10_000, generator=ag.Generator(0)).numpy()
    assert drawn.shape == (10_000,)
    assert (drawn.min(), drawn.max()) == (0, 9_999)
    assert 1 - len(np.unique(drawn)) / 10_000 == pytest.approx(np.exp(-1), abs=0.01)


def test_bagging_lessens_the_variance(rng):
    """Of least-squares polynomials of high degree, fitted to bootstrap samples of noisy points (Breiman 1996)."""
    x = np.linspace(-1, 1, 40)
    truth = np.sin(3 * x)
    powers = np.vander(x, 13)
    generator = ag.Generator(0)
    worse = better = 0.0
    for _ in range(20):
        y = truth + rng.normal(scale=0.5, size=x.size)
        members = []
        for _ in range(15):
            chosen = models.bootstrap(x.size, generator=generator).numpy()
            member = nn.Linear(13, 1, bias=False, dtype=ag.float64)
            solution = np.linalg.lstsq(powers[chosen], y[chosen], rcond=1e-3)[0]
            member.load_state_dict({"weight": solution[None]})
            members.append(member)
        model = models.Ensemble(members)
        inputs = ag.tensor(powers)
        singles = model.outputs(inputs).detach().numpy()[..., 0]
        better += ((model(inputs).detach().numpy()[:, 0] - truth) ** 2).mean()
        worse += ((singles - truth) ** 2).mean()
    assert better < 0.7 * worse


# Monte-Carlo dropout


def test_mean_and_spread_of_one_dropped_input():
    """An input of 2 that is 0 or 4 with even odds: mean 2, spread 2."""
    net = nn.Sequential(nn.Dropout(0.5))
    ag.manual_seed(0)
    mean, spread = models.monte_carlo_dropout(net, ag.full((3,), 2.0), passes=2_000)
    np.testing.assert_allclose(mean.numpy(), 2, atol=0.15)
    np.testing.assert_allclose(spread.numpy(), 2, atol=0.01)
    assert not mean.requires_grad


def test_only_dropout_is_in_training_mode(rng):
    net = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 2))
    net[0].eval()
    net.train(True)
    net[2].eval()
    before = [module.training for module in net.modules()]
    buffers = {name: t.numpy().copy() for name, t in net.named_buffers()}
    seen = []
    for module in net:
        module.register_forward_hook(lambda module, args, output: seen.append((type(module).__name__, module.training)))
    models.monte_carlo_dropout(net, floats(rng, 4, 3, dtype="float32"), passes=2)
    assert set(seen) == {("BatchNorm1d", False), ("Dropout", True), ("Linear", False)}
    assert [module.training for module in net.modules()] == before
    for name, buffer in net.named_buffers():
        np.testing.assert_array_equal(buffer.numpy(), buffers[name])


def test_dropout_within_other_layers_counts(rng):
    x = floats(rng, 2, 5, 4, dtype="float32")
    recurrent = models.SequenceClassifier(4, 8, 2, num_layers=2, dropout=0.5)
    attention = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    attention.self_attn.dropout = 0.5
    for model in (recurrent, attention):
        _, spread = models.monte_carlo_dropout(model, x, passes=10)
        assert (spread > 0).any()


def test_modes_are_restored_after_an_error():
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 2)).eval()
    with pytest.raises(ValueError, match="in_features"):
        models.monte_carlo_dropout(net, ag.zeros(2, 4))
    assert not any(module.training for module in net.modules())


def test_what_gives_no_spread():
    with pytest.raises(ValueError, match="at least 2 passes, got 1"):
        models.monte_carlo_dropout(nn.Dropout(), ag.zeros(2), passes=1)
    with pytest.raises(ValueError, match="there is no dropout in the model"):
        models.monte_carlo_dropout(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.0)), ag.zeros(2))
