"""Loading native code, and how it is built to be loaded."""

import gc
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from autograd_core.compiler.loader import load

pytest.importorskip("numba")

from autograd_core.kernels import jit

WORDS = {**{f"to_{dtype}": pointer for dtype, pointer in jit.pointers().items()}, "number": jit.number}


def build(source, **names):
    return jit.build(source, {**WORDS, **names}, "step")


def address(*values):
    """Of a table, which is kept alive with it."""
    table = np.array(values, np.int64)
    return table, table.ctypes.data


@pytest.fixture(scope="module")
def doubles():
    return build("def step(table):\n    table[1] = 2 * table[0]\n    return table[0] - 1\n")


def test_it_reads_and_writes_the_table(doubles):
    table, place = address(-(2**40), 0)
    assert load(*doubles)(place) == -(2**40) - 1
    assert table[1] == -(2**41)


def test_steps_of_one_symbol_do_not_meet(doubles):
    other = build("def step(table):\n    return 7\n")
    assert other[1] == doubles[1]
    entries = [load(*doubles), load(*other), load(*doubles)]
    _, place = address(5, 0)
    assert [entry(place) for entry in entries] == [4, 7, 4]


def test_code_lives_as_long_as_its_function(doubles):
    _, place = address(5, 0)
    entries = [load(*doubles) for _ in range(20)]
    kept = entries[3::8]
    del entries
    gc.collect()
    assert [entry(place) for entry in kept] == [4, 4, 4]


@pytest.mark.parametrize("code", [b"", b"garbage", b"\x7fELF" + bytes(100)])
def test_what_is_no_object_code(code):
    with pytest.raises(ValueError, match="no object code"):
        load(code, "step")


def test_a_symbol_that_is_not_there(doubles):
    with pytest.raises(ValueError, match="no function 'absent'"):
        load(doubles[0], "absent")


def test_a_function_that_this_process_lacks(doubles):
    load(*doubles[:2], ["expf", "memset"])
    with pytest.raises(LookupError, match="no function absent"):
        load(*doubles[:2], ["expf", "absent"])


def test_what_the_code_needs_is_known():
    _, _, needed = build("def step(table):\n    return np.int64(np.log1p(np.float64(table[0])))\n")
    assert needed == ["log1p"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs poll")
def test_other_threads_run_meanwhile():
    """One thread waits in native code for what another writes."""
    types = jit.types
    poll = types.ExternalFunction("poll", types.int32(jit.POINTERS["int64"], types.int64, types.int32))
    source = "def step(table):\n    return poll(to_int64(table[0]), 1, np.int32(10_000))\n"
    entry = load(*build(source, poll=poll))
    reading, writing = os.pipe()
    _, waited_for = address(reading | 1 << 32)  # struct pollfd: int fd; short events = POLLIN
    _, place = address(waited_for)
    results = []
    thread = threading.Thread(target=lambda: results.append(entry(place)))
    thread.start()
    os.write(writing, b"x")
    thread.join()
    os.close(reading)
    os.close(writing)
    assert results == [1]


def test_one_function_in_many_threads():
    """It keeps nothing between calls: each has the result of its own table."""
    source = "def step(table):\n    for i in range(2000):\n        table[0] += 1\n    return table[0]\n"
    entry = load(*build(source))
    wrong = []

    def work(start):
        for _ in range(50):
            _, place = address(start)
            if entry(place) != start + 2000:
                wrong.append(start)

    threads = [threading.Thread(target=work, args=(10**6 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_loading_imports_neither_numba_nor_a_kernel(doubles, tmp_path):
    (tmp_path / "code").write_bytes(doubles[0])
    code = (
        "import sys, json, numpy as np\n"
        "from autograd_core.compiler.loader import load\n"
        "table = np.array([5, 0])\n"
        "result = load(open(sys.argv[1], 'rb').read(), sys.argv[2])(table.ctypes.data)\n"
        "heavy = [name for name in sys.modules if name.split('.')[0] == 'numba' or 'kernels' in name]\n"
        "print(json.dumps([result, int(table[1]), heavy]))\n"
    )
    out = subprocess.check_output([sys.executable, "-c", code, tmp_path / "code", doubles[1]], text=True)
    assert json.loads(out) == [4, 10, []]


# How it is built


@jit.function
def half(x):
    return x / 2


@jit.kernel
def halve(x, out, n):
    for i in range(n):
        out[i] = half(x[i])


@jit.kernel
def halve_twice(x, out, scratch, n):
    halve(x, scratch, n)
    halve(scratch, out, n)


def test_kernels_call_functions_and_kernels():
    x, out, scratch = np.arange(37, dtype=np.float32), np.zeros(37, np.float32), np.zeros(37, np.float32)
    source = (
        "def step(table):\n"
        "    x, out, scratch = to_float32(table[0]), to_float32(table[1]), to_float32(table[2])\n"
        "    a(x, out, scratch, table[3])\n"
        "    b(out, scratch, table[3])\n"
        "    return 3\n"
    )
    entry = load(*build(source, a=halve_twice, b=halve))
    _, place = address(x.ctypes.data, out.ctypes.data, scratch.ctypes.data, 37)
    assert entry(place) == 3
    np.testing.assert_array_equal(out, x / 4)
    np.testing.assert_array_equal(scratch, x / 8)


def intermediate(kernel, *types):
    """The optimised code of a kernel, in LLVM's form."""
    kernel.compile(types)
    library = kernel.overloads[types].library
    library._ensure_finalized()
    return library.get_llvm_str()


def test_functions_are_inlined_and_loops_over_pointers_vectorised():
    float32 = jit.POINTERS["float32"]
    code = intermediate(halve, float32, float32, jit.types.int64)
    assert "x float>" in code
    assert not any("call" in line and "@llvm." not in line for line in code.splitlines())


def test_kernels_are_not_inlined():
    float32 = jit.POINTERS["float32"]
    code = intermediate(halve_twice, float32, float32, float32, jit.types.int64)
    assert sum("call" in line and "halve" in line for line in code.splitlines()) == 2


def test_a_constant_is_no_other_type():
    """Another specialisation for each number in the text would take long to compile."""
    fresh = jit.function(half.py_func)
    source = "def step(table):\n    return np.int64(fresh(4) + fresh(6) + fresh(table[0]))\n"
    entry = load(*build(source, fresh=fresh))
    assert entry(address(8)[1]) == 9
    assert len(fresh.overloads) == 1
