"""Dead code, common subexpressions, folding: equal results, and that it happened."""

import numpy as np
import pytest
from programs import Builder, assert_same, evaluate, names

import autograd_core as ag
from autograd_core.compiler.passes import PASSES, common, dead_code, fold, optimize
from autograd_core.compiler.program import Argument, Captured, Constant, Instruction, Option, Program, Result, Value

nan, inf = np.nan, np.inf
SPECIAL = np.array([-inf, -2.0, -0.0, 0.0, 0.5, 3.0, inf, nan], np.float32)


# Dead code


def test_what_nobody_reads_goes_with_what_only_it_read():
    b = Builder()
    x, unused = b.argument(SPECIAL), b.argument(SPECIAL)
    kept = b("exp", x)
    b("mul", b("add", kept, unused), 2.0)
    program = b.program(kept)
    new = dead_code(program)
    assert_same(program, new, b.arguments())
    assert str(new) == "\n".join(
        ["inputs", "    %0: float32[8] = argument", "do", "    %1: float32[8] = exp(%0)", "keep", "    result = %1"]
    )
    assert len(program.instructions) == 3  # the old one is as it was
    assert len(program.inputs) == 2


def test_effects_stay_in_order():
    def draw(array):
        return Instruction("draw", (), {"draw": lambda: array}, [Value(array.shape, array.dtype)])

    first, second = draw(np.zeros(3)), draw(np.ones(2))
    condition = Value((), bool)
    test = Instruction("isfinite", (first.result,), {}, [Value((3,), bool)])
    every = Instruction("all", (test.result,), {"axis": (0,), "keepdims": False}, [condition])
    require = Instruction("require", (condition, first.result), {"explain": print})
    new = dead_code(Program({}, [first, second, test, every, require], [(Result(0), 1.0)])).verify()
    assert new.instructions == [first, second, test, every, require]


def test_one_of_several_results_keeps_the_instruction():
    b = Builder()
    x = b.argument(np.arange(6.0).reshape(2, 3))
    _, mean, _ = b.several("standardize", x, axis=(1,), eps=1e-5)
    program = b.program(mean)
    assert_same(program, dead_code(program), b.arguments())
    assert names(dead_code(program)) == ["standardize"]


# Common subexpressions


def test_the_same_twice_is_computed_once():
    b = Builder()
    x, y = b.argument(SPECIAL), b.argument(SPECIAL[::-1].copy())
    first = b("mul", b("exp", x), y)
    second = b("mul", y, b("exp", x))
    program = b.program(b("add", first, second))
    new = common(program)
    assert_same(program, new, b.arguments())
    assert names(new) == ["exp", "mul", "add"]
    assert new.instructions[-1].operands[0] is new.instructions[-1].operands[1]


def test_what_only_looks_the_same_stays():
    b = Builder()
    x = b.argument(SPECIAL.reshape(2, 4))
    kept = [
        b("sub", x, b.known and x),
        b("mul", x, 0.0),
        b("mul", x, -0.0),
        b("eq", x, 1),
        b("eq", x, 1.0),
        b("maximum", x, 0.0),
        b("maximum", 0.0, x),
        b.sum(x, 0),
        b.sum(x, 0, keepdims=True),
        b.sum(x, 1),
        b("index", x, form=(slice(0, 1),)),
        b("index", x, form=(slice(1, 2),)),
        b("sub", x, 1.0),
        b("sub", 1.0, x),
        b("cast", x, dtype=np.dtype("float64")),
    ]
    program = b.program(*kept)
    new = common(program)
    assert_same(program, new, b.arguments())
    assert names(new) == names(program)


def test_parameters_of_any_kind_are_compared_by_value():
    b = Builder()
    x = b.argument(SPECIAL.reshape(2, 4))
    kept = [b("index", x, form=(slice(0, 1), [slice(None, None, 2)][0], Ellipsis)) for _ in range(2)]
    kept += [b("permute", x, dims=(1, 0)) for _ in range(2)]
    kept += [b("nan_to_num", x, nan=0.0, posinf=None, neginf=1.0) for _ in range(2)]
    program = b.program(*kept)
    assert names(common(program)) == ["index", "permute", "nan_to_num"]
    assert_same(program, common(program), b.arguments())


def test_several_results_are_replaced_together():
    b = Builder()
    x = b.argument(np.arange(6.0).reshape(2, 3))
    one, other = (b.several("standardize", x, axis=(1,), eps=1e-5) for _ in range(2))
    program = b.program(one[0], other[1], other[2])
    assert names(common(program)) == ["standardize"]
    assert_same(program, common(program), b.arguments())


def test_inputs_of_one_source_become_one():
    tensor, shared, options = ag.tensor([1.0, 2.0]), np.array([1.0, 2.0], np.float32), {"lr": 0.1, "beta": 0.1}
    sources = [
        *(Argument(0), Argument(1), Argument(1)),
        *(Captured(tensor), Captured(tensor), Captured(ag.tensor([1.0, 2.0]))),
        *(Constant(shared), Constant(shared), Constant(shared.copy())),  # whose owner may change it
        *(Constant(shared.copy(), True), Constant(shared.copy(), True)),
    ]
    inputs = {Value((2,), np.float32): source for source in sources}
    inputs |= {Value((), np.float64, True): Option(options, name) for name in ("lr", "lr", "beta")}
    results = [Instruction("mul", (x, 2.0), {}, [Value(x.shape, np.float32, x.weak)]) for x in inputs]
    program = Program(inputs, results, [(Result(k), i.result) for k, i in enumerate(results)]).verify()
    new = common(program).verify()
    assert len(new.inputs) == 9
    given = [np.array([3.0, 4.0], np.float32), np.array([5.0, 6.0], np.float32)]
    for a, b in zip(evaluate(program, given), evaluate(new, given), strict=True):
        np.testing.assert_array_equal(a, b)


def test_random_numbers_are_drawn_as_often():
    def draw():
        return np.zeros(2)

    draws = [Instruction("draw", (), {"draw": draw}, [Value((2,), float)]) for _ in range(2)]
    kept = [(Result(k), i.result) for k, i in enumerate(draws)]
    assert names(optimize(Program({}, draws, kept))) == ["draw", "draw"]


# Folding


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_fresh_constants_make_is_a_constant(dtype):
    b = Builder()
    x, c = b.argument(SPECIAL.astype(dtype)), b.constant(np.arange(8, dtype=dtype))
    transposed = b("permute", b("reshape", b("mul", c, 0.5), shape=(2, 4)), dims=(1, 0))
    program = b.program(b("add", x, b("reshape", transposed, shape=(8,))), transposed)
    new = fold(program)
    assert_same(program, new, b.arguments())
    assert names(new) == ["add"]
    made = [s for s in new.inputs.values() if isinstance(s, Constant)]
    assert all(s.fresh and s.array.flags.c_contiguous for s in made)


def test_what_others_hold_or_would_grow_is_left():
    b = Builder()
    held, fresh = b.constant(np.arange(3.0), fresh=False), b.constant(np.arange(3.0))
    program = b.program(b("mul", held, 2.0), b("broadcast_to", fresh, shape=(4, 3)), b("add", fresh, held))
    assert names(fold(program)) == names(program)
    assert_same(program, fold(program), [])


def test_numbers_that_are_known_later_are_left():
    b = Builder()
    lr = b.option(0.1)
    program = b.program(b("sub", 1.0, lr))
    assert names(optimize(program)) == ["sub"]


def test_numbers_alone_become_a_constant_or_a_number():
    strong = Instruction("where", (False, 1.0, 2.0), {}, [Value((), np.float32)])
    weak = Instruction("mul", (0.5, 3), {}, [Value((), np.float64, True)])
    program = Program({}, [strong, weak], [(Result(0), strong.result), (Result(1), weak.result)])
    new = fold(program).verify()
    assert not new.instructions
    assert evaluate(new, []) == [2.0, 1.5]
    assert new.outputs[1][1] == 1.5


# All of them


def test_every_pass_leaves_the_old_program_as_it_was():
    b = Builder()
    x = b.argument(SPECIAL.reshape(2, 4))
    s = b("softmax", b("mul", b("neg", x), 1.0), axis=1)
    program = b.program(b("add", s, b("neg", b("pow", x, 2))), b("exp", x), b("exp", x))
    before = str(program)
    for transformed in PASSES:
        transformed(program)
        assert str(program) == before
    assert_same(program, optimize(program), b.arguments(), rtol=1e-6)


def test_a_long_program_takes_time_in_proportion_to_its_length():
    """Counted in what is compared and hashed, not in seconds: no pass looks at all instructions for each."""
    counts = []
    for length in (200, 400):
        b = Builder()
        x = y = b.argument(np.ones(3, np.float32))
        for _ in range(length):
            y = b("add", b("mul", y, x), 1.5)
        program = b.program(y)
        reads = 0

        class Counted(list):
            def __iter__(self):
                nonlocal reads
                for item in super().__iter__():
                    reads += 1
                    yield item

        program.instructions = Counted(program.instructions)
        for transformed in dict.fromkeys(PASSES):
            transformed(program)
        counts.append(reads)
    assert counts[1] <= 2.1 * counts[0]
