"""The text of kernels."""

import re

import numpy as np
import pytest
from emitted import assert_emitted
from programs import Builder
from stages import Stages

import autograd_core as ag
from autograd_core.compiler.fusion import Nest
from autograd_core.compiler.loops import write_kernel


def text(function, *arrays, step=0):
    """The text of the kernel of a step that is a nest, with its arguments."""
    stages = Stages(function, *arrays)
    nest = [s for s in stages.steps if isinstance(s, Nest)][step]
    return write_kernel(nest, stages.plan.kept, stages.plan.memory)


def lines(kernel):
    return [line.strip() for line in kernel.text.splitlines()]


def loops(kernel):
    """The variables of the loops, with their depth."""
    return [(len(m[1]) // 4, m[2]) for m in re.finditer(r"^( +)for (\w+) in", kernel.text, re.M)]


def test_dimensions_that_go_together_are_one():
    kernel = text(lambda x: ag.exp(x) * 2, (3, 4, 5))
    assert loops(kernel) == [(1, "i0")]
    assert kernel.args.count(60) == 1


def test_broadcasts_are_read_where_they_are():
    kernel = text(lambda x, b: x + b, (3, 4, 5), (5,))
    assert loops(kernel) == [(1, "i0"), (2, "i1")]
    assert "a1[i1]" in kernel.text


def test_what_is_once_a_row_is_loaded_before_the_loops():
    kernel = text(lambda x, c: ag.softmax(x * c, -1), (4, 5), (4, 1))
    assert loops(kernel)[:2] == [(1, "i0"), (2, "i1")]
    assert re.fullmatch(r"v0 = a\d\[i0\]", lines(kernel)[2])


def test_a_sum_is_kept_in_a_register():
    kernel = text(lambda x: ag.exp(x).sum(1), (4, 5))
    assert re.search(r"(t\d+) = plus\(\1, ", kernel.text)
    assert kernel.functions == {"exponential.exp", "jit.plus"}


def test_a_row_is_gone_through_as_often_as_it_has_to_be():
    kernel = text(lambda x: ag.softmax(x, -1), (4, 5))
    assert loops(kernel) == [(1, "i0"), (2, "i1"), (2, "i1"), (2, "i1")]
    assert kernel.text.count("exp(") == 1  # kept in scratch memory, not computed again


def test_what_is_cheap_is_computed_again_in_the_row():
    kernel = text(lambda x: (x - x.mean(-1, keepdim=True)) ** 2, (4, 5))
    assert "s0" not in kernel.text


def test_constants_are_arguments():
    kernel = text(lambda x: ag.clamp(x * 3.5, -0.25, 7.0), (4,))
    assert not re.search(r"3\.5|0\.25|7\.0", kernel.text)
    values = {x.value for x in kernel.args if hasattr(x, "value")}
    assert values == {3.5, -0.25, 7.0}


def test_strides_are_arguments():
    kernel = text(lambda x, y: x.T + y, (4, 5), (5, 4))
    assert re.search(r"i\d \* d\d", kernel.text)
    assert 4 in kernel.args or 5 in kernel.args


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("name", ["sum", "prod", "amax", "amin", "all", "any"])
def test_reductions(name, dtype):
    """Of every dtype, over all ways to choose dimensions, of something and of nothing."""
    rng = np.random.default_rng(3)
    b = Builder()
    kept = []
    for shape, axes in (((3, 4), [(0,), (1,), (0, 1)]), ((2, 3, 2), [(1,), (0, 2), (2,)]), ((0, 3), [(0,), (1,)])):
        x = b.argument((rng.normal(size=shape) * 2).astype(dtype))
        for axis in axes:
            empty = any(shape[d] == 0 for d in axis)
            if not (empty and name in ("amax", "amin")):
                kept.append(b(name, x, axis=axis, keepdims=len(kept) % 2 == 0))
    assert_emitted(b.program(*kept), b.arguments())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_extremes_pass_on(value):
    for dtype in ("float32", "float64"):
        x = np.ones((3, 4), dtype)
        x[1, 2] = value
        b = Builder()
        given = b.argument(x)
        kept = [b(name, given, axis=(axis,), keepdims=False) for name in ("sum", "amax", "amin") for axis in (0, 1)]
        kept += [b("softmax", given, axis=1), b("relu", given), b("maximum", given, b("neg", given))]
        with np.errstate(all="ignore"):
            assert_emitted(b.program(*kept), b.arguments())


def test_weak_numbers_take_the_dtype_of_what_they_meet():
    b = Builder()
    x = b.argument(np.linspace(-1, 1, 5).astype("float32"))
    lr = b.option(0.1)
    y = b("sub", x, b("mul", lr, x))
    found = assert_emitted(b.program(y, b("cast", y, dtype=np.dtype("float64"))), b.arguments())
    assert "np.float32(v" in found.emitted.source
