"""Large primitives in small steps: the same values, also where the formulas have a choice."""

import numpy as np
import pytest
from programs import Builder, assert_same, names

from autograd_core.compiler.passes import decompose, optimize

nan, inf = np.nan, np.inf
ROWS = np.array(
    [
        [0.5, -1.0, 2.0],
        [1000.0, -1000.0, 1000.0],
        [-inf, 0.0, -inf],
        [-inf, -inf, -inf],
        [inf, 0.0, inf],
        [inf, -inf, 1.0],
        [nan, 0.0, 1.0],
        [0.0, -0.0, 0.0],
        [1e-40, 0.0, 3e-42],
        [1e30, -2e38, 3e38],
    ]
)
DTYPES = ["float32", "float64"]
RTOL = {"float32": 1e-6, "float64": 1e-14}
BASIC = {"abs", "add", "amax", "amin", "cast", "div", "eq", "exp", "isinf", "log", "logical_or", "mul", "ne", "pow"}
BASIC |= {"reshape", "rsqrt", "sqrt", "sub", "sum", "where"}

CASES = [
    *(("softmax", {"axis": a}) for a in (0, 1)),
    *(("log_softmax", {"axis": a}) for a in (0, 1)),
    *(("logsumexp", {"axis": a, "keepdims": k}) for a in ((0,), (1,), (0, 1), ()) for k in (False, True)),
    *(("norm", {"p": p, "axis": (1,), "keepdims": k}) for p in (0, 1, 2, 3, 1.5, -1, -2) for k in (False, True)),
    *(("norm", {"p": p, "axis": (0, 1), "keepdims": False}) for p in (0, 1, 2, 3)),
    *(("standardize", {"axis": a, "eps": e}) for a in ((0,), (1,), (0, 1)) for e in (1e-5, 0.5)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "params"), CASES)
def test_values(name, params, dtype, rng):
    plain = (rng.normal(size=(4, 3)) * 3).astype(dtype)
    for array in (plain, ROWS.astype(dtype), ROWS[:, :1].astype(dtype), *ROWS[:, None].astype(dtype)):
        b = Builder()
        program = b.program(*b.several(name, b.argument(array), **params))
        new = decompose(program)
        assert set(names(new)) <= BASIC
        rtol = 1e-5 if name == "norm" and dtype == "float32" and np.any(array == 1e-40) else RTOL[dtype]
        assert_same(program, new, b.arguments(), rtol)
        assert_same(program, optimize(program), b.arguments(), 2 * rtol, signs=False)


@pytest.mark.parametrize("dtype", DTYPES)
def test_norm_neither_overflows_nor_underflows(dtype):
    limits = np.finfo(dtype)
    for scale in (float(limits.max) / 8, float(limits.tiny) * 8):
        b = Builder()
        x = b.argument(np.array([3 * scale / 4, scale], dtype))
        program = decompose(b.program(b("norm", x, p=2, axis=(0,), keepdims=False)))
        assert_same(b.program(b("norm", x, p=2, axis=(0,), keepdims=False)), program, b.arguments(), RTOL[dtype])


def test_softmax_as_it_is_printed():
    b = Builder()
    program = decompose(b.program(b("softmax", b.argument(ROWS.astype("float32")), axis=1)))
    assert str(program).split("do\n")[1] == "\n".join(
        [
            "    %1: float32[10, 1] = amax(%0, axis=(1,), keepdims=True)",
            "    %2: float32[10, 3] = sub(%0, %1)",
            "    %3: float32[10, 3] = exp(%2)",
            "    %4: float32[10, 1] = sum(%3, axis=(1,), keepdims=True)",
            "    %5: float32[10, 3] = div(%3, %4)",
            "keep",
            "    result = %5",
        ]
    )


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_empty(name, shape):
    b = Builder()
    program = b.program(b(name, b.argument(np.zeros(shape, np.float32)), axis=1))
    assert_same(program, optimize(program), b.arguments())


def test_zero_dimensions():
    b = Builder()
    x = b.argument(np.float32(1.5))
    program = b.program(
        b("logsumexp", x, axis=(), keepdims=False), b("norm", x, p=2, axis=(), keepdims=False),
        *b.several("standardize", x, axis=(), eps=0.1),
    )  # fmt: skip
    assert_same(program, optimize(program), b.arguments(), 1e-6)


def test_dtypes_without_loops_stay_whole():
    b = Builder()
    program = b.program(b("softmax", b.argument(np.ones((2, 3), np.float16)), axis=1))
    assert names(decompose(program)) == ["softmax"]
