"""Weights in safetensors files: round trips, PyTorch, and files that do not fit."""

import json

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.tools import files
from autograd_core.tools.weights import load_weights, read_metadata, save_weights


@pytest.fixture
def model():
    ag.manual_seed(7)
    return nn.MLP([3, 4, 2])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


def write(path, arrays):
    from safetensors.numpy import save_file

    save_file(arrays, path)


def arrays_of(model):
    return {name: tensor.array.copy() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_round_trip(path, dtype):
    ag.manual_seed(7)
    model, other = nn.MLP([3, 4, 2], dtype=dtype), nn.MLP([3, 4, 2], dtype=dtype)
    about = {"sizes": [3, 4, 2], "activation": "relu", "mean": [0.1, 1 / 3, 1e-300]}
    assert save_weights(model, path, about) == path
    assert load_weights(other, path) == about == read_metadata(path)
    for name, array in arrays_of(model).items():
        loaded = other.state_dict()[name].array
        assert loaded.dtype == dtype
        assert np.array_equal(array, loaded)


def test_scalars_buffers_and_strided_weights(path):
    class Odd(nn.Module):
        def __init__(self, fill):
            super().__init__()
            self.scale = nn.Parameter(ag.tensor(fill))
            self.matrix = nn.Parameter(ag.tensor(np.full((2, 3), fill) * np.arange(3)).T)
            self.register_buffer("count", ag.tensor(int(fill)))

    save_weights(Odd(2.0), path)
    other = Odd(0.0)
    assert load_weights(other, path) == {}
    assert other.scale.shape == ()
    assert other.scale.item() == 2.0
    assert other.matrix.array.tolist() == [[0, 0], [2, 2], [4, 4]]
    assert other.count.item() == 2


def test_equal_weights_make_equal_files(model, tmp_path):
    about = dict.fromkeys("qwertyuiop", 1)
    paths = [save_weights(model, tmp_path / f"{i}.safetensors", about) for i in range(5)]
    assert len({path.read_bytes() for path in paths}) == 1


def test_pytorch_reads_and_writes_the_same_file(model, path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)

    save_weights(model, path, {"sizes": [3, 4, 2]})
    theirs.load_state_dict(load_file(path), strict=True)
    np.testing.assert_allclose(theirs(torch.tensor(x)).detach().numpy(), model(ag.tensor(x)).array, rtol=1e-5)

    torch.nn.init.ones_(theirs[2].weight)
    save_file(theirs.state_dict(), path)
    assert load_weights(model, path) == {}
    np.testing.assert_allclose(theirs(torch.tensor(x)).detach().numpy(), model(ag.tensor(x)).array, rtol=1e-5)


LAYERS = {
    "convolutions": (
        lambda lib: lib.Sequential(
            lib.Conv2d(2, 4, 3, groups=2), lib.BatchNorm2d(4), lib.ReLU(), lib.ConvTranspose2d(4, 1, 2)
        ),
        (3, 2, 5, 5),
    ),
    "LSTM": (lambda lib: lib.LSTM(3, 4, 2, bidirectional=True), (5, 2, 3)),
    "GRU": (lambda lib: lib.GRU(3, 4), (5, 2, 3)),
    "Transformer": (
        lambda lib: lib.TransformerEncoder(
            lib.TransformerEncoderLayer(4, 2, 8, dropout=0.0), 2, norm=lib.LayerNorm(4), enable_nested_tensor=False
        ),
        (5, 2, 4),
    ),
    "parametrisations": (
        lambda lib: lib.Sequential(
            lib.utils.parametrizations.weight_norm(lib.Linear(3, 4)),
            lib.PReLU(4),
            lib.utils.parametrizations.spectral_norm(lib.Linear(4, 2)),
        ),
        (5, 3),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_all_kinds_of_layers_go_to_pytorch_and_come_back(name, path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    ag.manual_seed(1)
    torch.manual_seed(2)
    make, shape = LAYERS[name]
    mine, theirs = make(nn), make(torch.nn)
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)

    def outputs():
        found, expected = mine.eval()(ag.tensor(x)), theirs.eval()(torch.tensor(x))
        return [(y[0] if isinstance(y, tuple) else y).detach().numpy() for y in (found, expected)]

    for module in (mine, theirs):  # what a training step leaves in buffers belongs to the state
        module.train()(ag.tensor(x) if module is mine else torch.tensor(x))
    save_weights(mine, path)
    theirs.load_state_dict(load_file(path), strict=True)
    np.testing.assert_allclose(*outputs(), rtol=1e-5, atol=1e-6)

    with torch.no_grad():
        for p in theirs.parameters():
            p.mul_(1.5)
    save_file(theirs.state_dict(), path)
    load_weights(mine, path)
    np.testing.assert_allclose(*outputs(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("2.weight"), r"missing keys: 2\.weight"),
        (lambda a: a.update(extra=a["0.bias"]), r"unexpected keys: extra"),
        (lambda a: a.update({"0.weight": a["0.weight"].T.copy()}), r"0\.weight: expected shape \(4, 3\), got \(3, 4\)"),
        (lambda a: a.update({"0.bias": np.arange(4)}), r"0\.bias: expected dtype float32, got int64"),
    ],
)
def test_a_file_that_does_not_fit_names_the_key_and_changes_nothing(model, path, change, message):
    arrays = arrays_of(model)
    change(arrays)
    write(path, {name: array + 1 for name, array in arrays.items()})
    before = arrays_of(model)
    with pytest.raises(RuntimeError, match=message) as raised:
        load_weights(model, path)
    assert str(path) in str(raised.value)
    assert all(np.array_equal(before[name], array) for name, array in arrays_of(model).items())


def test_a_dtype_that_numpy_lacks_is_named(model, path):
    header = json.dumps({"0.bias": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    with pytest.raises(ValueError, match=r"0\.bias has the dtype BF16, which NumPy does not know"):
        load_weights(model, path)


@pytest.mark.parametrize("cut", [0, 5, 40, -1])
def test_a_damaged_file_is_named(model, path, cut):
    save_weights(model, path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"net\.safetensors is not a complete safetensors file"):
        load_weights(model, path)


def test_no_such_file(model, path):
    with pytest.raises(FileNotFoundError, match=r"net\.safetensors"):
        load_weights(model, path)
    with pytest.raises(IsADirectoryError):
        read_metadata(path.parent)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(model, path, monkeypatch):
    save_weights(model, path)
    before = path.read_bytes()

    def fail(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        save_weights(nn.MLP([3, 4, 2]), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
