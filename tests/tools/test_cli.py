"""The command line: the main job as a person runs it, and what it says when something is wrong."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.compiler import cache
from autograd_core.tools import cli, digits, files
from autograd_core.tools.pictures import render
from autograd_core.tools.weights import load_weights

RUN = [sys.executable, "-c", "import sys; from autograd_core.tools.cli import main; sys.exit(main())"]
QUICK = digits.Options(layers=(16,), epochs=3)
NAMES = {
    "weights": "weights.safetensors",
    "history": "history.json",
    "learning_curves": "learning_curves.png",
    "graph": "graph.svg",
}


@pytest.fixture(autouse=True)
def _drawing_is_someone_elses(request, monkeypatch):
    """Pictures have tests of their own; that a drawing is written is tested where one is asked for."""
    if "draws" not in request.fixturenames:
        monkeypatch.setattr(render, "render", lambda dot, format: b"<svg/>")


@pytest.fixture
def draws():
    """Ask for real drawings."""


def run(folder, *arguments, **options):
    """The command in a process of its own."""
    return subprocess.run(
        [*RUN, "train", "digits", *arguments], cwd=folder, capture_output=True, text=True, timeout=120, **options
    )


def interrupt_at(number):
    def on_epoch(row):
        if row.number == number:
            raise KeyboardInterrupt

    return on_epoch


# The job


def test_the_defaults_read_digits(tmp_path, draws):
    result = digits.train(digits.Options(), tmp_path)
    assert result.test_accuracy >= 0.97
    assert result.validation_accuracy >= 0.95
    assert result.stopped is None
    assert result.epochs == digits.Options().epochs
    assert result.files == {name: str(tmp_path / file) for name, file in NAMES.items()}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES.values())
    assert result.compilation.problem is None
    assert (tmp_path / "learning_curves.png").read_bytes().startswith(b"\x89PNG")
    drawing = (tmp_path / "graph.svg").read_text()
    assert "</svg>" in drawing
    assert all(f"{name}" in drawing for name, _ in nn.MLP([64, *digits.Options().layers, 10]).named_parameters())


def test_the_parts_are_stratified_standardised_and_do_not_meet():
    parts = digits.load(3)
    tensors = [parts.train, parts.validation, parts.test]
    assert [len(labels) for _, labels in tensors] == [1221, 216, 360]
    for pixels, labels in tensors:
        assert (pixels.dtype, labels.dtype) == (ag.float32, ag.int64)
        counts = np.bincount(labels.array, minlength=10)
        assert counts.max() - counts.min() <= 0.06 * len(labels)
    train = parts.train[0].array
    varies = train.std(0) > 0
    np.testing.assert_allclose(train.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(0)[varies], 1, rtol=1e-4)
    assert abs(parts.test[0].array.mean(0)[varies]).max() > 0.01, "standardised by itself"
    # Undone, the parts are all of scikit-learn's scans, each once.
    from sklearn.datasets import load_digits

    scans = np.concatenate([pixels.array * parts.scale + parts.mean for pixels, _ in tensors])
    assert sorted(map(tuple, np.rint(scans))) == sorted(map(tuple, load_digits().data))


def test_the_seed_decides_everything(tmp_path):
    first, again, other = (
        digits.train(digits.Options(layers=(16,), epochs=3, seed=seed), tmp_path / name)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert (first.test_accuracy, first.confusion) == (again.test_accuracy, again.confusion)
    assert first.confusion != other.confusion
    for file in ("weights.safetensors", "history.json", "learning_curves.png"):
        contents = [(tmp_path / name / file).read_bytes() for name in ("first", "again", "other")]
        assert contents[0] == contents[1] != contents[2], file


def test_the_weights_file_is_all_it_takes_to_read_digits_again(tmp_path):
    result = digits.train(digits.Options(layers=(16, 12), activation="tanh", epochs=3, compile=False), tmp_path)
    model = nn.MLP([64, 16, 12, 10], activation="tanh")
    about = load_weights(model, result.files["weights"])
    assert (about["sizes"], about["activation"]) == ([64, 16, 12, 10], "tanh")
    pixels, labels = digits.load(0).test
    scans = pixels.array * np.array(about["scale"]) + np.array(about["mean"])
    again = ag.tensor((scans - about["mean"]) / about["scale"], dtype=ag.float32)
    read = model(again).array.argmax(1)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels.array, read), 1)
    assert confusion.tolist() == result.confusion
    assert result.test_accuracy == np.mean(read == labels.array)
    assert result.parameters == 64 * 16 + 16 + 16 * 12 + 12 + 12 * 10 + 10


def test_compiled_or_not_the_same_digits_are_read(tmp_path):
    rows = {True: [], False: []}
    compiled, plain = (
        digits.train(replace(QUICK, compile=compile), tmp_path / str(compile), rows[compile].append)
        for compile in (True, False)
    )
    assert compiled.compilation.problem is None
    assert plain.compilation is None
    assert compiled.confusion == plain.confusion
    for row, other in zip(rows[True], rows[False], strict=True):
        for part, other_part in ((row.train, other.train), (row.validation, other.validation)):
            assert part["accuracy"] == other_part["accuracy"]
            assert part["loss"] == pytest.approx(other_part["loss"], rel=1e-4)


def test_the_history_has_every_epoch(tmp_path):
    rows = []
    result = digits.train(QUICK, tmp_path, rows.append)
    history = json.loads((tmp_path / "history.json").read_text())
    assert history["epochs"] == [
        {"number": row.number, "train": row.train, "validation": row.validation} for row in rows
    ]
    assert [row.number for row in rows] == [0, 1, 2, 3]
    assert history["best_epoch"] == result.best_epoch
    assert rows[result.best_epoch].validation["accuracy"] == result.validation_accuracy
    assert history["options"] == json.loads(json.dumps(result.options))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("layers", [(), (20, 20, 20)])
def test_other_nets_and_optimizers_learn_too(tmp_path, optimizer, layers):
    result = digits.train(digits.Options(layers=layers, optimizer=optimizer, epochs=8, compile=False), tmp_path)
    assert result.test_accuracy > 0.85


def test_the_optimizer_decides_what_is_left_open():
    assert digits.Options().complete().lr == digits.OPTIMIZERS["adam"].lr
    options = digits.Options(optimizer="sgd", weight_decay=0.0).complete()
    assert (options.lr, options.weight_decay) == (digits.OPTIMIZERS["sgd"].lr, 0.0)


def test_an_interruption_keeps_what_was_learned(tmp_path):
    result = digits.train(QUICK, tmp_path, interrupt_at(2))
    assert (result.stopped, result.epochs) == ("interrupted", 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES.values())
    assert len(json.loads((tmp_path / "history.json").read_text())["epochs"]) == 3


def test_a_loss_that_diverges_keeps_what_was_learned(tmp_path):
    result = digits.train(digits.Options(layers=(16,), optimizer="sgd", lr=1e9, compile=False), tmp_path)
    assert "the loss became" in result.stopped
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES.values())


def test_without_a_renderer_the_graph_is_left_as_dot(tmp_path, monkeypatch):
    def nothing(dot, format):
        raise RuntimeError("neither is installed")

    monkeypatch.setattr(render, "render", nothing)
    result = digits.train(QUICK, tmp_path)
    assert result.stopped is None
    assert result.files["graph"] == str(tmp_path / "graph.dot")
    assert (tmp_path / "graph.dot").read_text().startswith("digraph")
    assert "neither is installed" in result.notes[0]


# The command, in this process


def test_the_report(tmp_path, capsys):
    assert cli.main(["train", "digits", "--epochs", "2", "--layers", "16", "--output", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Test accuracy ")
    assert "Most confused: " in out
    assert all(file in out for file in NAMES.values())
    told = err.splitlines()
    assert re.fullmatch(r"(compiled|native code from the cache, ready) in \d+\.\d s", told.pop(1))
    assert [line.split(":")[0] for line in told] == [f"epoch   {i} of 2" for i in range(3)]
    assert max(map(len, told)) <= 80


def test_without_compiling(tmp_path, monkeypatch, capsys):
    arguments = ["train", "digits", "--epochs", "1", "--layers", "--output", str(tmp_path)]
    assert cli.main([*arguments, "--no-compile"]) == 0
    assert [line[:5] for line in capsys.readouterr().err.splitlines()] == ["epoch", "epoch"]
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(cache, "environment", cache.environment.__wrapped__)
    assert cli.main(arguments) == 0
    assert capsys.readouterr().err.splitlines()[1] == "not compiled: numba is not installed"


def test_options_arrive(tmp_path, monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(cli.digits, "train", lambda options, output, *_: seen.append((options, output)) or 1 / 0)
    arguments = (
        "--layers 30 20 --activation tanh --optimizer sgd --lr 0.5 --weight-decay 0 --batch-size 7 --epochs 2 "
        "--seed 9 --no-compile --output there"
    )
    with pytest.raises(ZeroDivisionError):
        cli.main(["train", "digits", *arguments.split()])
    with pytest.raises(ZeroDivisionError):
        cli.main(["train", "digits"])
    with pytest.raises(ZeroDivisionError):
        cli.main(["train", "digits", "--layers"])
    assert seen == [
        (digits.Options((30, 20), "tanh", "sgd", 0.5, 0.0, 7, 2, 9, False), "there"),
        (digits.Options(), "runs/digits"),
        (digits.Options(layers=()), "runs/digits"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "arguments are required: COMMAND"),
        ("train", "arguments are required: JOB"),
        ("train letters", "invalid choice: 'letters'"),
        ("train digits --epoch 3", "unrecognized arguments: --epoch 3"),
        ("train digits --epochs 0", "argument --epochs: expected a whole number of at least 1, got '0'"),
        ("train digits --layers 64 x", "argument --layers: expected a whole number of at least 1, got 'x'"),
        ("train digits --seed -1", "argument --seed: expected a whole number from 0 to 4294967295, got '-1'"),
        ("train digits --lr 0", "argument --lr: expected a number above 0, got '0'"),
        ("train digits --lr nan", "argument --lr: expected a number above 0, got 'nan'"),
        ("train digits --weight-decay -1", "argument --weight-decay: expected 0 or a number above it, got '-1'"),
        ("train digits --activation relo", "argument --activation: invalid choice: 'relo'"),
        ("train digits --optimizer newton", "argument --optimizer: invalid choice: 'newton'"),
    ],
)
def test_a_wrong_argument_is_named_in_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as raised:
        cli.main(arguments.split())
    out, err = capsys.readouterr()
    assert raised.value.code == 2
    assert message in err
    assert err.startswith("autograd-core")
    assert len(err.splitlines()) == 1
    assert out == ""


def test_help_has_every_default(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as raised:
        cli.main(["train", "digits", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert raised.value.code == 0
    options = digits.Options()
    shown = {
        "layers": "128",
        **{name: getattr(options, name) for name in ("activation", "optimizer", "epochs", "seed")},
    }
    shown |= {"batch-size": options.batch_size, "output": "runs/digits"}
    shown |= {"lr": "0.003 for adam, 0.003 for adamw, 0.05 for sgd"}
    shown |= {"weight-decay": "0.003 for adam, 0.3 for adamw, 0.003 for sgd"}
    described = text.partition("options:")[2]
    for name, default in shown.items():
        assert f"(default: {default})" in described.partition(f" --{name} ")[2].partition(" --")[0], name


def test_version(capsys):
    with pytest.raises(SystemExit) as raised:
        cli.main(["--version"])
    assert raised.value.code == 0
    assert capsys.readouterr().out == f"autograd-core {ag.__version__}\n"


def test_a_folder_that_cannot_be_written_is_said_before_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(digits, "load", lambda seed: pytest.fail("went on"))
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        assert cli.main(["train", "digits", "--output", str(folder)]) == 1
        err = capsys.readouterr().err
        assert err.startswith(f"autograd-core: cannot write {folder}: ")
        assert len(err.splitlines()) == 1
    assert (tmp_path / "file").read_text() == "mine"

    def refuse(*arguments):
        raise PermissionError(13, "Permission denied", "a temporary file")

    monkeypatch.setattr(files.Path, "write_bytes", refuse)
    assert cli.main(["train", "digits", "--output", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"autograd-core: cannot write {tmp_path}: Permission denied\n"


def test_a_disk_that_is_full_is_said(tmp_path, monkeypatch, capsys):
    write = files.Path.write_bytes

    def full(path, content):
        if len(content) > 0:
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(files.Path, "write_bytes", full)
    arguments = ["--epochs", "1", "--layers", "--no-compile", "--output", str(tmp_path)]
    assert cli.main(["train", "digits", *arguments]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"autograd-core: cannot write {tmp_path / 'weights.safetensors'}: No space left on device"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_diverging_loss_is_said(tmp_path, capsys):
    arguments = ["--optimizer", "sgd", "--lr", "1e9", "--layers", "16", "--no-compile", "--output", str(tmp_path)]
    assert cli.main(["train", "digits", *arguments]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("autograd-core: the loss became ")
    assert last.endswith(f"is saved in {tmp_path}")


def test_an_interruption_while_saving_is_said(tmp_path, monkeypatch, capsys):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(digits.plots, "learning_curves", interrupt)
    arguments = ["--epochs", "1", "--layers", "--no-compile", "--output", str(tmp_path)]
    assert cli.main(["train", "digits", *arguments]) == 130
    assert "interrupted before all files were written" in capsys.readouterr().err.splitlines()[-1]
    assert (tmp_path / "weights.safetensors").exists()


# The command, as a process


def test_json_is_one_object_on_standard_output(tmp_path, draws):
    done = run(tmp_path, "--json", "--epochs", "2", "--layers", "16")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert {"test_accuracy", "validation_accuracy", "seconds", "epochs", "parameters", "seed", "options"} <= set(result)
    assert np.array(result["confusion"]).shape == (10, 10)
    assert result["files"] == {name: str(Path("runs/digits", file)) for name, file in NAMES.items()}
    assert all((tmp_path / path).stat().st_size for path in result["files"].values())
    assert result["compilation"].keys() == {"seconds", "cached", "problem"}
    assert len(done.stderr.splitlines()) == 4, done.stderr


def test_ctrl_c_saves_and_says_so(tmp_path, draws):
    process = subprocess.Popen(
        [*RUN, "train", "digits", "--epochs", "100000"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = []
    for line in process.stderr:
        seen.append(line)
        if line.startswith("epoch   2"):
            os.kill(process.pid, signal.SIGINT)
            break
    out, rest = process.communicate(timeout=120)
    err = "".join(seen) + rest
    assert process.returncode == 130, err
    assert "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("autograd-core: interrupted; what was learned in ")
    assert last.endswith(" of 100000 epochs is saved in runs/digits")
    assert out.startswith("Test accuracy ")
    assert sorted(path.name for path in (tmp_path / "runs/digits").iterdir()) == sorted(NAMES.values())


def test_the_command_line_itself_loads_nothing_heavy():
    code = (
        "import sys; from autograd_core.tools import cli; cli._parser();"
        "print([m for m in ('sklearn', 'scipy', 'matplotlib', 'rich', 'numba', 'safetensors') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
