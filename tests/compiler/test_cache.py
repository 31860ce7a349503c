"""The cache of compiled steps: what it keeps, what it refuses, and that nothing can break it."""

import json
import os
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from autograd_core.compiler import cache as caching
from autograd_core.compiler import native
from autograd_core.compiler.cache import Cache, Step
from autograd_core.tools import cli

pytest.importorskip("numba")

ASKED = {"source": "# adds\ndef step(table):\n    return 1\n", "names": ["a.b"], "entry": "step", "environment": {}}
STEP = Step(bytes(range(256)) * 4, "symbol", ["expf"], 0.5)
KEY = "0123456789abcdef" * 4
START = "import json, sys\nfrom autograd_core.compiler.native import compiled\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Of an empty cache, for a process that has compiled nothing yet and warned of nothing."""
    folder = tmp_path / "steps"
    monkeypatch.setenv("AUTOGRAD_CORE_CACHE", str(folder))
    monkeypatch.delenv("AUTOGRAD_CORE_CACHE_SIZE", raising=False)
    monkeypatch.setattr(native, "_compiled", {})
    monkeypatch.setattr(caching, "_said", set())
    return folder


@pytest.fixture
def cache(folder):
    return Cache(folder, 10**6)


def forget(monkeypatch):
    """As if this were another process."""
    monkeypatch.setattr(native, "_compiled", {})


def key(number):
    return f"{number:064x}"


def adds(number):
    return f"# adds {number}\ndef step(table):\n    table[1] = table[0] + {number}\n    return table[0] * 2\n"


def check(entry, number):
    table = np.array([5, 0])
    assert entry(table.ctypes.data) == 10
    assert table[1] == 5 + number


def python(code, *arguments, **options):
    """A process that has the cache of this one."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


# Keeping


def test_what_is_stored_is_found(cache):
    assert cache.load(KEY, ASKED) is None
    cache.save(KEY, ASKED, STEP)
    assert cache.load(KEY, ASKED) == STEP
    assert cache.load(key(1), ASKED) is None
    (entry,) = cache.entries()
    assert (entry.key, entry.seconds, entry.source) == (KEY, 0.5, ASKED["source"])
    assert entry.size == os.path.getsize(cache.folder / f"{KEY}.step")


def test_nobody_else_can_read_what_is_stored(cache):
    cache.save(KEY, ASKED, STEP)
    (path,) = cache.folder.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert cache.folder.stat().st_mode & 0o777 == 0o700


def test_an_entry_says_what_it_is(cache):
    cache.save(KEY, ASKED, STEP)
    content = (cache.folder / f"{KEY}.step").read_bytes()
    assert content.startswith(b"autograd-core step 1\n")
    assert content.endswith(STEP.code)
    size = int.from_bytes(content[53:61], "little")
    assert json.loads(content[61 : 61 + size]) == {
        "asked": ASKED, "symbol": "symbol", "needed": ["expf"], "seconds": 0.5
    }  # fmt: skip


def test_clear_removes_steps_and_nothing_else(cache):
    cache.save(KEY, ASKED, STEP)
    cache.save(key(1), ASKED, STEP)
    (cache.folder / "bracket.step").write_text("ISO-10303-21;")  # someone's construction drawing
    assert cache.clear() == 2
    assert [path.name for path in cache.folder.iterdir()] == ["bracket.step"]
    assert cache.entries() == []


def test_there_need_not_be_a_folder(cache):
    assert cache.entries() == []
    assert cache.clear() == 0


# Distrust


def places(cache):
    """The size of an entry, and bytes of every part of it."""
    size = os.path.getsize(cache.folder / f"{KEY}.step")
    return size, sorted({*range(0, 61, 4), *range(61, size, 37), size - 1})


def test_a_changed_byte_anywhere_is_noticed(cache):
    cache.save(KEY, ASKED, STEP)
    path = cache.folder / f"{KEY}.step"
    content = path.read_bytes()
    for place in places(cache)[1]:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.warns(RuntimeWarning, match=f"{KEY}.step is damaged"):
            assert cache.load(KEY, ASKED) is None
        assert not path.exists()


def test_a_cut_file_is_noticed(cache):
    cache.save(KEY, ASKED, STEP)
    path = cache.folder / f"{KEY}.step"
    content = path.read_bytes()
    for end in places(cache)[1]:
        path.write_bytes(content[:end])
        with pytest.warns(RuntimeWarning, match="is damaged"):
            assert cache.load(KEY, ASKED) is None
    path.write_bytes(content + b"more")
    with pytest.warns(RuntimeWarning, match="its content has changed"):
        assert cache.load(KEY, ASKED) is None


@pytest.mark.parametrize("field", ["source", "environment"])
def test_what_was_compiled_from_something_else_is_not_used(cache, field):
    cache.save(KEY, {**ASKED, field: "other"}, STEP)
    with pytest.warns(RuntimeWarning, match="compiled from something else"):
        assert cache.load(KEY, ASKED) is None


def test_damaged_entries_are_listed(cache):
    cache.save(KEY, ASKED, STEP)
    (cache.folder / f"{KEY}.step").write_bytes(b"")
    (entry,) = cache.entries()
    assert (entry.size, entry.source) == (0, "(damaged)")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="a system without owners of files")
def test_what_others_can_write_is_not_used(cache, monkeypatch):
    cache.save(KEY, ASKED, STEP)
    path = cache.folder / f"{KEY}.step"
    for mode in (0o770, 0o702):
        cache.folder.chmod(mode)
        with pytest.warns(RuntimeWarning, match="can be changed by other users"):
            assert cache.load(KEY, ASKED) is None
        cache.save(key(1), ASKED, STEP)  # there is no second warning
        assert cache.load(KEY, ASKED) is None
        caching._said.clear()
    cache.folder.chmod(0o700)
    assert len(cache.entries()) == 1

    real = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: real + 1)
    with pytest.warns(RuntimeWarning, match="belongs to another user"):
        assert cache.load(KEY, ASKED) is None
    monkeypatch.undo()

    path.chmod(0o666)
    with pytest.warns(RuntimeWarning, match="can be changed by other users"):
        assert cache.load(KEY, ASKED) is None
    assert not path.exists()


# Limits


def used(cache, number, seconds_ago):
    then = time.time() - seconds_ago
    os.utime(cache.folder / f"{key(number)}.step", (then, then))


def kept(cache):
    return sorted(int(entry.key, 16) for entry in cache.entries())


def test_what_was_not_used_for_longest_goes_first(cache):
    cache.save(key(0), ASKED, STEP)
    cache.limit = 4 * cache.entries()[0].size
    for number in range(1, 4):
        cache.save(key(number), ASKED, STEP)
    for number, age in enumerate([400, 100, 300, 200]):
        used(cache, number, age)
    assert [int(entry.key, 16) for entry in cache.entries()] == [1, 3, 2, 0]
    cache.load(key(0), ASKED)
    cache.save(key(4), ASKED, STEP)
    assert kept(cache) == [0, 1, 3, 4]
    cache.limit //= 2
    cache.save(key(5), ASKED, STEP)
    assert kept(cache) == [0, 5] or kept(cache) == [4, 5]  # these two were used in the same instant


def test_the_newest_stays_even_if_clocks_differ(cache):
    cache.save(key(0), ASKED, STEP)
    cache.limit = cache.entries()[0].size
    used(cache, 0, -1000)
    cache.save(key(1), ASKED, STEP)
    assert kept(cache) == [1]


def test_what_is_larger_than_the_limit_is_not_stored(cache):
    cache.save(key(0), ASKED, STEP)
    cache.limit = cache.entries()[0].size
    cache.save(key(1), ASKED, STEP._replace(code=STEP.code + b"1"))
    assert kept(cache) == [0]


def test_what_killed_writers_left_goes_when_it_is_old(cache):
    cache.folder.mkdir(0o700)
    old, new = (cache.folder / f".{key(n)}.step.0123456789abcdef" for n in (1, 2))
    for path in (old, new):
        path.write_bytes(b"half of an ent")
    os.utime(old, (0, 0))
    assert cache.entries() == []
    cache.save(KEY, ASKED, STEP)
    assert sorted(path.name for path in cache.folder.iterdir()) == sorted([new.name, f"{KEY}.step"])


def test_a_writer_killed_at_any_moment_leaves_a_whole_entry(folder):
    loop = (
        "from autograd_core.compiler.cache import current, Step\n"
        "store, n = current(), 0\n"
        "while True:\n"
        f"    store.save({KEY!r}, {ASKED!r}, Step(bytes([n % 256]) * 10**6, 's', [], 0.5))\n"
        "    n += 1\n"
        "    print(flush=True)\n"
    )
    for wait in (0.001, 0.004, 0.01):
        with python(loop) as process:
            process.stdout.readline()  # the first is complete
            time.sleep(wait)
            process.kill()
        code = Cache(folder, 10**8).load(KEY, ASKED).code
        assert code == code[:1] * 10**6


def test_where_nothing_can_be_written_there_is_one_warning(cache, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        cache.save(KEY, ASKED, STEP)
    cache.save(KEY, ASKED, STEP)  # there is no second warning
    assert cache.load(KEY, ASKED) is None
    assert list(cache.folder.iterdir()) == []


def test_a_file_in_place_of_the_folder(folder, monkeypatch):
    folder.write_text("not a folder")
    with pytest.warns(RuntimeWarning, match="steps"):
        check(native.compiled(adds(1), []).entry, 1)


# The folder and the key


def test_the_folder_is_that_of_the_user(monkeypatch):
    platformdirs = pytest.importorskip("platformdirs")
    monkeypatch.delenv("AUTOGRAD_CORE_CACHE")
    monkeypatch.setenv("AUTOGRAD_CORE_CACHE_SIZE", "1.5")
    store = caching.current()
    assert str(store.folder) == platformdirs.user_cache_dir("autograd-core", appauthor=False)
    assert store.limit == 1.5 * 2**20


def test_off_and_a_wrong_limit(monkeypatch):
    monkeypatch.setenv("AUTOGRAD_CORE_CACHE", "off")
    assert caching.current() is None
    for wrong in ("large", "nan", "inf"):
        monkeypatch.setenv("AUTOGRAD_CORE_CACHE_SIZE", wrong)
        with pytest.raises(ValueError, match=f"CACHE_SIZE: expected a number of megabytes, got '{wrong}'"):
            caching.current()


def test_a_user_without_a_home(monkeypatch):
    platformdirs = pytest.importorskip("platformdirs")
    monkeypatch.delenv("AUTOGRAD_CORE_CACHE")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *args, **kwargs: "~/.cache/autograd-core")
    monkeypatch.setattr(caching, "_said", set())
    with pytest.warns(RuntimeWarning, match="no home folder"):
        assert caching.current() is None


def test_the_environment_is_that_of_this_process():
    import llvmlite
    import numba

    environment = caching.environment()
    assert environment["numba"] == numba.__version__
    assert environment["llvmlite"] == llvmlite.__version__
    assert environment["numpy"] == np.__version__
    assert environment["python"].endswith(f"{sys.version_info[0]} {sys.version_info[1]} {sys.maxsize.bit_length() + 1}")
    assert all(environment.values())


@pytest.mark.parametrize("field", sorted(caching.environment()))
def test_another_environment_is_another_key(folder, monkeypatch, field):
    first = native.compiled(adds(1), [])
    other = {**caching.environment(), field: "other"}
    monkeypatch.setattr(caching, "environment", lambda: other)
    second = native.compiled(adds(1), [])
    assert second.key != first.key
    assert not second.cached


def test_another_kernel_text_is_another_environment(tmp_path, monkeypatch):
    compiler, kernels = tmp_path / "compiler", tmp_path / "kernels"
    compiler.mkdir()
    kernels.mkdir()
    monkeypatch.setattr(caching, "__file__", str(compiler / "cache.py"))
    seen = set()
    for name, text in [("a.py", "x = 1"), ("a.py", "x = 2"), ("b.py", ""), ("a.py", "x = 1")]:
        (kernels / name).write_text(text)
        seen.add(caching._hash_of_kernels())
    assert len(seen) == 4


# Compiling through it


def test_a_source_is_compiled_once(folder, monkeypatch):
    first = native.compiled(adds(1), [])
    check(first.entry, 1)
    assert not first.cached
    assert native.compiled(adds(1), []) is first
    forget(monkeypatch)
    monkeypatch.setattr(native, "_build", None)
    second = native.compiled(adds(1), [])
    check(second.entry, 1)
    assert second.cached
    assert second[1:] == (first.seconds, True, first.size, first.key)


def test_kernels_are_found_by_name(folder, monkeypatch):
    import types

    from autograd_core.kernels import jit

    @jit.kernel
    def total(x, out, n):
        result = x[0] * 0
        for i in range(n):
            result = jit.plus(result, x[i])
        out[0] = result

    monkeypatch.setitem(sys.modules, "autograd_core.kernels.example", types.SimpleNamespace(total=total))
    source = "def run(t):\n    example_total(to_float64(t[0]), to_float64(t[1]), t[2])\n    return 0\n"
    step = native.compiled(source, ["example.total"], "run")
    x, out = np.arange(10.0), np.zeros(1)
    assert step.entry(np.array([x.ctypes.data, out.ctypes.data, 10]).ctypes.data) == 0
    assert out == 45


def test_a_damaged_entry_is_compiled_again(folder, monkeypatch):
    first = native.compiled(adds(1), [])
    path = folder / f"{first.key}.step"
    content = path.read_bytes()
    path.write_bytes(content[:-200] + bytes(200))
    forget(monkeypatch)
    with pytest.warns(RuntimeWarning, match=f"{path} is damaged"):
        second = native.compiled(adds(1), [])
    check(second.entry, 1)
    assert not second.cached
    forget(monkeypatch)
    assert native.compiled(adds(1), []).cached


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"code": b"no code"}, "no object code"),
        ({"symbol": "f"}, "no function 'f'"),
        ({"needed": ["f"]}, "no function f"),
    ],
)
def test_code_that_does_not_link_is_compiled_again(folder, monkeypatch, change, why):
    save = Cache.save
    monkeypatch.setattr(Cache, "save", lambda self, key, asked, step: save(self, key, asked, step._replace(**change)))
    native.compiled(adds(1), [])
    monkeypatch.setattr(Cache, "save", save)
    forget(monkeypatch)
    with pytest.warns(RuntimeWarning, match=why):
        again = native.compiled(adds(1), [])
    assert not again.cached
    check(again.entry, 1)


def test_without_a_cache(folder, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_CORE_CACHE", "off")
    step = native.compiled(adds(1), [])
    check(step.entry, 1)
    assert not step.cached
    assert not folder.exists()


def test_without_numba(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    caching.environment.cache_clear()
    with pytest.raises(ImportError, match="pip install numba"):
        native.compiled(adds(1), [])
    monkeypatch.undo()
    caching.environment.cache_clear()


def test_two_threads_compile_once(folder, monkeypatch):
    built = []
    build = native._build
    monkeypatch.setattr(native, "_build", lambda asked: built.append(asked) or build(asked))
    found = []
    threads = [threading.Thread(target=lambda: found.append(native.compiled(adds(1), []))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_a_wrong_source_stores_nothing_and_can_be_tried_again(folder):
    with pytest.raises(NameError, match="kernal"):
        native.compiled("kernal\n", [])
    with pytest.raises(AttributeError, match="nonsense"):
        native.compiled(adds(1), ["jit.nonsense"])
    assert not folder.exists()
    check(native.compiled(adds(1), []).entry, 1)


def test_a_fresh_process_finds_it_without_numba(folder):
    code = START + (
        "import numpy as np\n"
        "step = compiled(sys.argv[1], [])\n"
        "table = np.array([5, 0])\n"
        "print(json.dumps([step.entry(table.ctypes.data), int(table[1]), step.cached, 'numba' in sys.modules]))\n"
    )
    native.compiled(adds(3), [])
    process = python(code, adds(3))
    out, err = process.communicate(timeout=60)
    assert (json.loads(out), err) == ([10, 8, True, False], "")


def test_processes_at_once(folder):
    code = START + (
        "from autograd_core.compiler import cache\n"
        "import warnings; warnings.simplefilter('error')\n"
        "step = cache.Step(bytes(1000), 's', [], 0.5)\n"
        "asked = json.loads(sys.argv[1])\n"
        "store = cache.current()\n"
        "input()\n"
        "for n in range(60):\n"
        "    key = f'{n % 3:064x}'\n"
        "    store.save(key, asked, step)\n"
        "    found = store.load(key, asked)\n"
        "    assert found in (step, None)\n"
        "    if n % 20 == 19: store.clear()\n"
        "store.save(key, asked, step)\n"
    )
    limit = str(3000 / 2**20)  # room for two: every process removes what others look for
    environment = {**os.environ, "AUTOGRAD_CORE_CACHE_SIZE": limit}
    processes = [python(code, json.dumps(ASKED), stdin=subprocess.PIPE, env=environment) for _ in range(6)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    store = Cache(folder, 10**6)
    assert [store.load(entry.key, ASKED).code for entry in store.entries()] == [bytes(1000)] * len(store.entries())


# The command


def test_the_command_shows_and_clears(folder, capsys):
    assert cli.main(["cache"]) == 0
    assert capsys.readouterr().out == f"0 compiled steps in {folder}, 0.0 of 256.0 MB\n"
    step = native.compiled(adds(7), [])
    native.compiled(adds(8), [])
    assert cli.main(["cache"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"2 compiled steps in {folder}, 0.0 of 256.0 MB\n")
    for part in (step.key[:12], f"{step.seconds:.2f} s", "adds 7", "adds 8", "last used"):
        assert part in shown
    assert cli.main(["cache", "--clear"]) == 0
    assert capsys.readouterr().out == f"Removed 2 from {folder}\n"
    assert list(folder.iterdir()) == []


def test_the_command_without_a_cache_and_with_a_wrong_limit(folder, monkeypatch, capsys):
    monkeypatch.setenv("AUTOGRAD_CORE_CACHE_SIZE", "large")
    assert cli.main(["cache"]) == 1
    assert "AUTOGRAD_CORE_CACHE_SIZE" in capsys.readouterr().err
    monkeypatch.delenv("AUTOGRAD_CORE_CACHE_SIZE")
    monkeypatch.setenv("AUTOGRAD_CORE_CACHE", "off")
    assert cli.main(["cache"]) == 0
    assert capsys.readouterr().out == "Compiled steps are not kept.\n"


def test_the_command_shows_damaged_entries(folder, capsys):
    folder.mkdir(0o700)
    (folder / f"{KEY}.step").write_bytes(b"?")
    with warnings.catch_warnings():
        assert cli.main(["cache"]) == 0
    assert "(damaged)" in capsys.readouterr().out
