"""The commands about a function in a file."""

import pytest

from autograd_core.tools.cli import main

COMMANDS = ("doctor", "gradcheck", "graph")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("text", ["def made():\n    int('mine')\n", "int('mine')\n"])
def test_an_error_of_the_person_is_passed_on(command, text, tmp_path):
    file = tmp_path / "file.py"
    file.write_text(text)
    with pytest.raises(ValueError, match="'mine'"):
        main([command, f"{file}:made"])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("file.py", "expected file.py:function, got 'file.py'"),
        ("none.py:made", "there is no file none.py"),
        ("file.txt:made", "file.txt is not a Python file"),
        ("file.py:makes", "file.py has no function 'makes'; it has made, taking"),
        ("file.py:taking", "file.py:taking is called without arguments, which it does not allow"),
        ("file.py:made", "got"),
    ],
)
def test_a_wrong_target_is_refused(command, target, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.py").write_text("def made():\n    return 3, 4\n\ndef taking(x):\n    pass\n")
    (tmp_path / "file.txt").write_text("")
    assert main([command, target]) == (1 if (command, target) == ("graph", "file.py:made") else 2)
    error = capsys.readouterr().err
    assert error.startswith(f"autograd-core {command}: ")
    assert said in error
    assert error.endswith(f"(see autograd-core {command} --help)\n")
