"""Simplification: each rule applies where it should, and only there, and changes no number."""

import itertools

import numpy as np
import pytest
from programs import Builder, assert_same, names

from autograd_core.compiler.passes import dead_code, optimize, simplify
from autograd_core.compiler.passes.algebra import RULES
from autograd_core.compiler.passes.patterns import Apply, Calculated, Literal, Name
from autograd_core.compiler.program import Instruction, Program, Value

nan, inf = np.nan, np.inf
NUMBERS = np.array([-inf, -1e30, -2.0, -1.0, -0.5, -0.0, 0.0, 1e-30, 0.5, 1.0, 2.0, 1e30, inf, nan])
DTYPES = ["float32", "float64"]


def simplified(program):
    """After the pass, and without what it has left unused."""
    return dead_code(simplify(program))


def check(b, *kept, expected, rtol=0.0, signs=True):
    program = b.program(*kept)
    new = simplified(program)
    assert names(new) == expected
    assert_same(program, new, b.arguments(), rtol, signs)


# The rules of algebra, each made into a program

OPERANDS = {
    "any": lambda b, array: b.argument(array),
    "not negative": lambda b, array: b("abs", b.argument(array)),
    "bool": lambda b, array: b("gt", b.argument(array), 0.0),
}
FACTORS = ((2.5, 3), (0.5, 0.25), (-2, -1.5), (2.0, 0.5), (1e20, 1e20), (0, 0.0))
ROUNDED = {"pow", "mul", "div"}


def built(b, pattern, bound):
    match pattern:
        case Name(name):
            return bound[name]
        case Literal(value):
            return value
        case Apply(name, operands):
            return b(name, *(built(b, p, bound) for p in operands))


def written(pattern):
    match pattern:
        case Name(text) | Literal(text):
            return str(text)
        case Apply(name, operands):
            return f"{name}({', '.join(map(written, operands))})"
        case Calculated(function, operands):
            return f"{function.__name__}({', '.join(map(written, operands))})"


def names_in(pattern):
    if isinstance(pattern, Name):
        return {pattern.id}
    return set().union(*map(names_in, getattr(pattern, "operands", ())))


def length(pattern):
    return 1 + sum(map(length, pattern.operands)) if isinstance(pattern, Apply) else 0


def label(r):
    return f"{written(r.old)} is {written(r.new)}"


@pytest.mark.parametrize("r", list(itertools.chain(*RULES.values())), ids=label)
def test_rule(r):
    happened = 0
    grid = dict(zip("xaby", np.meshgrid(NUMBERS, NUMBERS, indexing="ij") * 2, strict=True))
    numbers = {p for p in "km" if p in names_in(r.old)}
    for dtype, kind, factors in itertools.product(DTYPES, OPERANDS, FACTORS if numbers else [()]):
        b = Builder()
        bound = dict(zip("km", factors, strict=False))
        if r.old.name == "pow" and numbers:
            bound["k"] = 0.5
        try:
            for name in sorted(names_in(r.old) - numbers):
                bound[name] = OPERANDS["bool" if name == "c" else kind](b, grid.get(name, grid["y"]).astype(dtype))
            x = built(b, r.old, bound)
        except (TypeError, ValueError):  # not of bools
            continue
        program = b.program(x)
        new = simplified(program)
        happened += names(new) != names(program) or new.instructions[-1].operands != program.instructions[-1].operands
        assert_same(program, new, b.arguments(), rtol=5e-7 if r.old.name in ROUNDED else 0.0)
    assert happened
    assert length(r.new) <= length(r.old) + 1  # one more for the multiplications of a cube
    assert not isinstance(r.new, Calculated)


# Where a rule must not apply


def test_zeros_have_signs():
    b = Builder()
    x = b.argument(NUMBERS)
    check(b, b("add", x, 0.0), b("sub", x, -0.0), b("sub", 0.0, x), b("mul", x, 0.0),
          expected=["add", "sub", "sub", "mul"])  # fmt: skip


def test_a_factor_must_not_overflow_alone():
    b = Builder()
    x = b.argument(NUMBERS.astype(np.float32))
    check(b, b("mul", b("mul", x, 1e20), 1e-20), expected=["mul", "mul"])


def test_the_dtype_must_stay():
    b = Builder()
    arrays = np.arange(3), np.array([True, False]), np.arange(3, dtype="f4")
    integers, flags, small = map(b.argument, arrays)
    kept = [
        b("mul", integers, 1.0),
        b("add", flags, 0),
        b("mul", flags, -1),
        b("pow", flags, 2),
        b("mul", small, b.constant(np.ones(3, "f8"))),
        b("pow", integers, 2.0),
        b("div", integers, 1),
    ]
    check(b, *kept, expected=["mul", "add", "mul", "pow", "mul", "pow", "div"])


def test_numbers_that_are_known_later_are_not_looked_at():
    b = Builder()
    x, one = b.argument(NUMBERS), b.option(1.0)
    check(b, b("mul", x, one), b("pow", x, one), expected=["mul", "pow"])


def test_arrays_that_others_hold_are_not_looked_at():
    b = Builder()
    x, ones = b.argument(NUMBERS), b.constant(np.ones_like(NUMBERS), fresh=False)
    check(b, b("mul", x, ones), expected=["mul"])


def test_signs_of_minus_infinity_and_zero_decide_about_roots():
    b = Builder()
    x = b.argument(NUMBERS)
    check(b, b("pow", x, -0.5), expected=["pow"])
    b = Builder()
    variance = b("div", b.sum(b("square", b.argument(NUMBERS.reshape(2, 7))), 0), 7)
    check(b, b("pow", b("add", variance, 1e-5), -0.5), expected=["mul", "sum", "div", "add", "rsqrt"], rtol=1e-15)


def test_effects_are_left():
    condition = Value((), bool)
    test = Instruction("gt", (2.0, 1.0), {}, [condition])
    require = Instruction("require", (condition,), {"explain": print})
    assert names(simplify(Program({}, [test, require], []))) == ["gt", "require"]


# Arrays full of one number


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_full_of_a_number_are_the_number(dtype):
    b = Builder()
    x = b.argument(NUMBERS.astype(dtype))
    ones, halves = b.constant(np.ones(14, dtype)), b.constant(np.full((2, 14), 0.1, dtype))
    kept = [b("mul", x, ones), b("where", b("gt", x, 0.0), ones, x), b("add", x, halves)]
    check(b, *kept, expected=["gt", "where", "add"])
    new = simplified(b.program(*kept))
    assert new.instructions[1].operands[1] == 1.0
    assert isinstance(new.instructions[2].operands[1], Value)  # it makes the shape
    check(b, b("mul", x, b.constant(np.ones((2, 1), dtype))), expected=["broadcast_to"])


# Repeated operands


def test_elementwise_operations_repeat_by_themselves():
    b = Builder()
    x, row = b.argument(NUMBERS.reshape(2, 7)), b.argument(NUMBERS[:7])
    check(b, b("add", x, b("broadcast_to", row, shape=(2, 7))), expected=["add"])


def test_what_is_all_repeated_is_computed_before():
    b = Builder()
    row, column = b.argument(NUMBERS[:7]), b.argument(NUMBERS[:2].reshape(2, 1))
    wide = [b("broadcast_to", x, shape=(3, 2, 7)) for x in (row, column)]
    program = b.program(b("neg", b("exp", wide[0])), b("mul", *wide))
    new = simplified(program)
    assert names(new) == ["exp", "neg", "broadcast_to", "mul", "broadcast_to"]
    assert [i.result.shape for i in new.instructions] == [(7,), (7,), (3, 2, 7), (2, 7), (3, 2, 7)]
    assert_same(program, new, b.arguments())


# Guards


def test_a_selection_keeps_its_zeros_before_what_may_be_infinite():
    b = Builder()
    g, x = b.argument(np.array([0.0, 1.0, -0.0, nan])), b.argument(np.array([inf, 2.0, nan, 1.0]))
    check(b, b("where", b("eq", g, 0), 0.0, b("mul", g, x)), expected=["eq", "mul", "where"])
    check(b, b("where", b("eq", g, 0), 0.0, b("mul", g, b("tanh", x))), expected=["eq", "tanh", "mul", "where"])
    check(b, b("where", b("eq", g, 0), 0.0, b("mul", x, x)), expected=["eq", "mul", "where"])
    check(b, b("where", b("eq", g, 1), 0.0, b("mul", g, 2.0)), expected=["eq", "mul", "where"])


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_guard_before_what_is_finite(dtype):
    b = Builder()
    g, x = b.argument(np.array([0.0, 1.0, -0.0, nan], dtype)), b.argument(np.array([inf, 2.0, nan, 1.0], dtype))
    mask = b("div", b("cast", b("gt", x, 1.5), dtype=np.dtype(dtype)), 0.9)
    zeros = b.constant(np.zeros(4, dtype))

    def guarded(c):
        return b("where", b("eq", g, 0), zeros, c)

    check(b, guarded(b("mul", g, mask)), expected=["gt", "cast", "div", "mul"], signs=False)
    check(b, guarded(b("neg", b("div", g, 3.0))), expected=["div"], signs=False)
    check(b, guarded(b("where", b("gt", x, 0.0), g, 0.0)), expected=["gt", "where"], signs=False)
    check(b, guarded(b("mul", b("mul", g, mask), mask)), expected=["gt", "cast", "div", "mul", "mul"], signs=False)
    big = b("mul", b("mul", mask, 1e200), 1e200)
    check(b, guarded(b("mul", g, big)), expected=["gt", "cast", "div", "mul", "mul", "mul", "eq", "where"])


def test_a_guard_that_is_repeated():
    b = Builder()
    g, x = b.argument(np.array([[0.0], [1.0]])), b.argument(np.array([[inf, 2.0], [1.0, nan]]))
    mask = b("cast", b("gt", x, 1.5), dtype=np.dtype(float))
    wide = b("broadcast_to", g, shape=(2, 2))
    check(b, b("where", b("eq", wide, 0), 0.0, b("mul", wide, mask)), expected=["gt", "cast", "mul"], signs=False)


# The gradient of log_softmax


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_softmax_and_softmax_share_their_exp(dtype):
    rows = np.array([[0.5, -1.0, 2.0], [1e3, -1e3, 0.0], [-inf, 0.0, -inf], [-inf] * 3, [inf, 0.0, inf], [nan, 0, 1]])
    b = Builder()
    x = b.argument(rows.astype(dtype))
    out = b("log_softmax", x, axis=1)
    program = b.program(out, b("exp", out))
    new = optimize(program)
    assert sorted(names(new)) == ["amax", "div", "exp", "log", "sub", "sub", "sum"]
    assert_same(program, new, b.arguments(), rtol=1e-6)


def test_an_exp_that_could_overflow_stays():
    b = Builder()
    x = b.argument(np.array([[1000.0, 999.0]]))
    e = b("exp", x)
    program = b.program(b("exp", b("sub", x, b("log", b.sum(e, 1, keepdims=True)))))
    assert names(simplified(program)).count("exp") == 2
    assert_same(program, simplified(program), b.arguments())


# Shapes


def test_one_element_is_repeated_to_any_shape():
    b = Builder()
    one, x = b.argument(np.array([[2.5]])), b.argument(NUMBERS.reshape(2, 7))
    rows = b("reshape", b("broadcast_to", b("reshape", one, shape=(1,)), shape=(2,)), shape=(2, 1))
    check(b, b("mul", rows, x), expected=["reshape", "mul"])
    check(b, b("permute", b("broadcast_to", one, shape=(2, 3)), dims=(1, 0)), expected=["reshape", "broadcast_to"])


def test_shapes():
    b = Builder()
    x = b.argument(np.arange(24.0).reshape(2, 3, 4))
    turned = b("permute", b("permute", x, dims=(2, 0, 1)), dims=(1, 2, 0))
    check(b, turned, expected=[])
    check(b, b("permute", b("permute", x, dims=(2, 0, 1)), dims=(2, 0, 1)), expected=["permute"])
    check(b, b("reshape", b("reshape", x, shape=(6, -1)), shape=(2, 3, 4)), expected=[])
    check(b, b("reshape", b("reshape", b("clone", x), shape=(6, 4)), shape=(24,)), expected=["reshape"])
    check(b, b("reshape", x, shape=(2, 3, 4)), b("clone", x), b("broadcast_to", x, shape=(2, 3, 4)), expected=[])
    wide = b("broadcast_to", b("broadcast_to", x, shape=(1, 2, 3, 4)), shape=(5, 2, 3, 4))
    check(b, wide, expected=["broadcast_to"])
    check(b, b("index", x, form=(slice(None), Ellipsis)), expected=[])
    check(b, b("index", x, form=(slice(None), None)), b("index", x, form=(slice(1, None),)), expected=["index"] * 2)
    check(b, b("cat", x, axis=1, ends=(0, 3)), b("pad", x, widths=((0, 0),) * 3, value=0.0), expected=[])
    check(b, b("pad", x, widths=((0, 0), (0, 1), (0, 0)), value=0.0), expected=["pad"])


def test_casts():
    b = Builder()
    x, n = b.argument(NUMBERS.astype("float32")), b.argument(np.arange(3, dtype="int8"))
    f4, f8, i4, i8 = map(np.dtype, ("float32", "float64", "int32", "int64"))
    check(b, b("cast", x, dtype=f4), b("cast", b("cast", x, dtype=f8), dtype=f4), expected=[])
    check(b, b("discrete_cast", b("discrete_cast", n, dtype=i4), dtype=i8), expected=["discrete_cast"])
    check(b, b("cast", b("discrete_cast", n, dtype=i4), dtype=f8), expected=["cast"])
    wide = b.argument(NUMBERS)
    with np.errstate(all="ignore"):
        check(b, b("cast", b("cast", wide, dtype=f4), dtype=f8), expected=["cast", "cast"])


# Reductions


def test_over_one_element_is_another_shape():
    b = Builder()
    x = b.argument(np.array([[1.0], [nan], [-inf]]))
    kept = [b(name, x, axis=(1,), keepdims=k) for name in ("sum", "prod", "amax", "amin") for k in (True, False)]
    check(b, *kept, expected=["reshape"] * 4)
    check(b, b.sum(x), expected=[])
    small = b.argument(np.ones((3, 1), "int8"))
    check(b, b("any", x, axis=(1,), keepdims=False), b.sum(small, 1), expected=["any", "sum"])


@pytest.mark.parametrize("keepdims", [True, False])
@pytest.mark.parametrize("axis", [(0,), (1,), (2,), (0, 1), (0, 2), (0, 1, 2)])
def test_over_what_is_repeated(axis, keepdims):
    b = Builder()
    part = b.argument(np.array([[1.0, nan, -inf, 0.1]]))
    wide = b("broadcast_to", part, shape=(5, 3, 4))
    program = b.program(*(b(n, wide, axis=axis, keepdims=keepdims) for n in ("sum", "amax", "amin", "all", "any")))
    new = simplified(program)
    assert_same(program, new, b.arguments(), rtol=1e-15)
    small = [v for i in new.instructions for v in i.values if i.name in ("sum", "amax", "amin", "all", "any")]
    assert (axis == (2,)) == any(v.size > 4 for v in small)


def test_over_no_repetition_at_all():
    b = Builder()
    wide = b("broadcast_to", b.argument(np.array([nan])), shape=(0, 1))
    check(b, b.sum(wide, 0), expected=["broadcast_to", "sum"])
    assert np.array_equal(b.known[b.instructions[-1].result], [0.0])


@pytest.mark.parametrize("first", [(0,), (1, 3), (2,)])
@pytest.mark.parametrize(("second", "inner", "outer"), [((0,), 0, 0), ((0, 1), 1, 0), ((1,), 0, 1), ((1,), 1, 1)])
def test_sums_of_sums(first, second, inner, outer, rng):
    b = Builder()
    x = b.argument(rng.normal(size=(2, 3, 4, 5)))
    total = b.sum(b.sum(x, *first, keepdims=bool(inner)), *second, keepdims=bool(outer))
    program = b.program(total)
    new = simplified(program)
    assert names(new).count("sum") == 1
    assert_same(program, new, b.arguments(), rtol=1e-12)


def test_a_sum_that_is_read_elsewhere_is_not_repeated():
    b = Builder()
    rows = b.sum(b.argument(np.ones((3, 4))), 1)
    check(b, rows, b.sum(rows, 0), expected=["sum", "sum"])


# Together


def test_a_power_and_its_gradient():
    """As ``(x**2).mean().backward()`` is recorded."""
    b = Builder()
    x = b.argument(np.arange(6, dtype="f4").reshape(2, 3))
    g = b("broadcast_to", b("reshape", b("div", b.constant(np.float32(1.0)), 6), shape=(1, 1)), shape=(2, 3))
    slope = b("where", False, 0.0, b("mul", 2, b("pow", x, 1)))
    program = b.program(b("div", b.sum(b("pow", x, 2), 0, 1), 6), b("mul", g, slope))
    new = optimize(program)
    assert sorted(names(new)) == ["div", "mul", "mul", "mul", "sum"]
    assert_same(program, new, b.arguments(), rtol=1e-6)
