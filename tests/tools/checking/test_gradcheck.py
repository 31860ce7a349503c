"""The gradient checker is checked: it passes what is right, and nothing that is wrong."""

import contextlib
import inspect
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import autograd_core as ag
from autograd_core import nn
from autograd_core.primitive import REGISTRY
from autograd_core.tools.checking.complex_step import ANALYTIC, ComplexStep
from autograd_core.tools.checking.float64_shadow import values_of
from autograd_core.tools.checking.gradcheck import assert_gradients, gradcheck
from autograd_core.tools.checking.moves import Direction


def normal(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@contextlib.contextmanager
def planted(name: str, rule, argument: int = 0) -> Iterator[None]:
    """Another derivative rule for one argument of an operation, for a while."""
    function = REGISTRY[name]
    rules, variadic = function.record.rules, function.record.variadic_rule
    changed = list(rules)
    changed[argument] = rule
    try:
        function.defvjp(*changed, variadic=variadic)
        yield
    finally:
        function.defvjp(*rules, variadic=variadic)


# What is right passes


def standardized(x):
    centred = x - x.mean(dim=0, keepdim=True)
    return centred / (centred**2).mean(dim=0, keepdim=True).sqrt()


HONEST = {
    "float32 square": (lambda x: x * x, [normal(6).astype(np.float32)]),
    "broadcast product": (lambda x, y: x * y, [normal(4, 3), normal(3)]),
    "quotient": (lambda x, y: x / y, [normal(8), normal(8, seed=2)]),
    "power of two tensors": (lambda x, y: (x**2 + 0.1) ** y, [normal(8), normal(8, seed=2)]),
    "steep exp": (lambda x: ag.exp(30 * x), [normal(8)]),
    "tiny": (lambda x: 1e-6 * x**2, [normal(8)]),
    "tiny beside a constant": (lambda x: 1 + 1e-7 * (x**2).sum(), [normal(8)]),
    "log near zero": (lambda x: ag.log(x), [np.array([1e-12, 1e-8, 1e-4, 0.1, 1.0, 100.0])]),
    "log of many scales": (lambda x: ag.log(x).sum(), [np.exp(6 * normal(8) - 8)]),
    "rapid sine": (lambda x: ag.sin(1e4 * x), [normal(8)]),
    "large inputs": (lambda x: (x**2).mean(), [1e6 * normal(8)]),
    "tiny inputs": (lambda x: ag.sin(x).sum(), [1e-6 * normal(8)]),
    "cancellation": (lambda x: ag.sin((x + 1e6) - 1e6), [normal(8)]),
    "saturated": (lambda x: ag.sigmoid(30 * x).sum(), [normal(8)]),
    "zero derivatives": (lambda x: x**3 + x**5, [np.zeros(3)]),
    "stationary": (lambda x: 1e5 * ag.cos(x).sum(), [np.zeros(3)]),
    "gradient that cancels": (lambda x, b: ag.tanh(standardized(x + b)), [normal(6, 3), normal(3)]),
    "softmax": (lambda x: ag.softmax(5 * x, dim=-1), [normal(3, 5)]),
    "cross-entropy": (lambda x: (ag.logsumexp(10 * x, dim=-1) - 10 * x[:, 0]).mean(), [normal(5, 4)]),
    "relu network": (lambda x, w, b, v: ag.relu(x @ w + b) @ v, [normal(4, 3), normal(3, 6), normal(6), normal(6, 2)]),
    "several outputs": (lambda x: {"a": 1e8 * x**2, "b": [1e-8 * ag.sin(x), (x > 0)]}, [normal(5)]),
    "gather": (lambda x, i: x[i] * x[0], [normal(4), np.array([0, 0, 2])]),
    "unused": (lambda x, y: x * 2, [normal(3), normal(3)]),
    "0-d": (lambda x: x.tanh() * x, [np.array(0.3)]),
    "empty": (lambda x: x.sum() + (x * 2).sum(), [np.zeros((2, 0))]),
    "masked by infinity": (lambda x: (x + np.array([0.0, -np.inf, 0.0])).softmax(0), [normal(3)]),
    "infinite where it is masked": (lambda x: x + np.array([0.0, -np.inf, 0.0]), [normal(3)]),
    "close to a pole": (lambda x: ag.tan(x), [np.array([1.5707963, 0.3])]),
    "a tiny matrix": (lambda x: ag.linalg.solve(x.reshape(2, 2), x[:2]), [1e-8 * np.array([0.3, -1.2, 2.1, 0.7])]),
    "infinite constant": (lambda x: ag.where(np.array([True, False]), x * x, np.inf), [normal(2)]),
}


@pytest.mark.parametrize("case", HONEST)
@pytest.mark.parametrize("order", [1, 2])
def test_honest_functions_pass(case, order):
    fn, inputs = HONEST[case]
    for seed in range(3):
        report = gradcheck(fn, inputs, order=order, seed=seed)
        assert report.ok, str(report)
    checked = [x for x in inputs if x.dtype.kind == "f"]
    assert [r.shape for r in report.records] == [x.shape for x in checked] * order
    assert [r.order for r in report.records] == [k for k in range(1, order + 1) for _ in checked]


@pytest.mark.parametrize("order", [1, 2])
def test_a_smooth_network_passes(order):
    report = gradcheck(
        lambda x, w, v: ag.logsumexp(ag.tanh(x @ w) @ v, dim=-1).mean(),
        [ag.tensor(normal(5, 4), name="x"), normal(4, 6), normal(6, 3)],
        order=order,
    )
    assert report, str(report)
    assert [r.name for r in report.records[:3]] == ["x", "inputs[1]", "inputs[2]"]


# The slopes that numerics prescribes at the kinks of abs and maximum are those of the central difference itself.
KINKS = {
    "relu": (lambda x: ag.relu(x).sum(), [0.0, 1e-12, 1e-9, 1e-7, 1e-6, 1.0, -1.0], 3),
    "clamp": (lambda x: ag.clamp(x, 0.0, 1.0), [0.0, 0.5, 1.0], 2),
    "ties of a maximum": (lambda x: ag.amax(x), [2.0, 1.0, 2.0, 2.0], 3),
    "abs": (lambda x: ag.abs(x), [0.0, -0.5], 0),
    "selu, whose slope at 0 is that of its curved side": (nn.functional.selu, [0.0, 1.0], 1),
    "a kink nearby": (lambda x: ag.where(x > 0, x, 2.0 * x), [0.3e-8, -1.2e-8, 2.1e-8], 0),
    "tie": (lambda x: ag.maximum(x, np.array([1.0, 0.0])), [1.0, 3.0], 0),
}


@pytest.mark.parametrize("case", KINKS)
def test_a_slope_between_those_of_both_sides_passes_at_a_kink(case):
    fn, x, kinks = KINKS[case]
    report = gradcheck(fn, np.array(x))
    assert report.ok, str(report)
    assert report.records[0].kinks == kinks
    assert (f"kinks at {kinks} of its elements" in str(report)) == (kinks > 0)


ENDS = {
    "power": (lambda x: x**2.5, [0.0, 1.0]),
    "entropy": (lambda p: nn.functional.binary_cross_entropy(p, np.array([1.0, 0.0, 1.0])), [1.0, 0.0, 0.5]),
    "refused below": (lambda x: at_least_zero(x).sin(), [0.0, 2.0]),
}


def at_least_zero(x):
    if (x.array < 0).any():
        raise ValueError("must not be negative")
    return x * (1 + x)


@pytest.mark.parametrize("case", ENDS)
def test_at_the_end_of_a_domain_differences_go_to_one_side(case):
    fn, x = ENDS[case]
    report = gradcheck(fn, np.array(x))
    assert report.ok, str(report)
    wrong = ag.custom_vjp(lambda g: 1.01 * g)(lambda x: x * 1.0)
    assert gradcheck(lambda x: fn(wrong(x)), np.array(x)).verdict == "FAIL"


def test_infinite_outputs_are_counted():
    report = gradcheck(lambda x: x + np.array([0.0, -np.inf, np.inf]), normal(3))
    assert report.infinite == 2
    assert "checked: all 3 elements; 2 outputs infinite and left out" in str(report)
    report = gradcheck(lambda x: x - np.inf, normal(3))
    assert report.reason == "all values of the function are infinite"
    assert report.verdict == "FAIL"


# What is wrong fails, and is named


def tanh_rule(factor):
    return lambda g, out: g * (1 - out * out) * factor


WRONG = {
    "0.1 % off": tanh_rule(1.001),
    "sign": tanh_rule(-1.0),
    "five times": tanh_rule(5.0),
    "zero": tanh_rule(0.0),
    "dropped factor": lambda g, out: g,
    "not finite": tanh_rule(np.nan),
}


@pytest.mark.parametrize("scale", [1.0, 1e-7, 1e9])
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_rule_fails_and_is_named_with_its_line(case, scale):
    def fn(x, w):
        hidden = x @ w
        return scale * hidden.tanh().sum(dim=1) ** 2

    line = fn.__code__.co_firstlineno + 2
    with planted("tanh", WRONG[case]):
        report = gradcheck(fn, [normal(3, 4), 0.5 * normal(4, 2)])
    assert report.verdict == "FAIL"
    assert not report.ok
    assert not report
    culprit = report.culprit
    assert (culprit.primitive, culprit.argument, culprit.order) == ("tanh", 0, 1)
    assert (culprit.file, culprit.line) == (__file__, line)
    assert gradcheck(fn, [normal(3, 4), 0.5 * normal(4, 2)]).ok


def test_one_wrong_element_of_many_is_found():
    spoiled = np.ones((40, 25))
    spoiled[17, 3] = 1.001
    with planted("tanh", tanh_rule(spoiled)):
        report = gradcheck(ag.tanh, normal(40, 25), locate=False)
    (record,) = report.records
    assert record.verdict == "FAIL"
    assert record.index == (17, 3)
    assert record.relative_error == pytest.approx(0.001 / 1.001, rel=1e-4)


def test_one_wrong_element_of_a_small_gradient_among_large_ones_is_found():
    x = np.linspace(-1, 1, 9)
    spoiled = np.ones(9)
    spoiled[0] = 1.001  # exp(-30) beside exp(30)
    with planted("exp", lambda g, out: g * out * spoiled):
        report = gradcheck(lambda x: ag.exp(30 * x), x)
    assert report.records[0].index == (0,)
    assert report.verdict == "FAIL"


@pytest.mark.parametrize("factor", [5.0, -1.0, 0.0, 1.001])
def test_a_tiny_gradient_has_no_tolerance_to_hide_below(factor):
    with planted("tanh", tanh_rule(factor)):
        alone = gradcheck(lambda y: 1e-7 * y.tanh().sum(), normal(4))
        beside = gradcheck(lambda x, y: (x**2).sum() + 1e-7 * y.tanh().sum(), [normal(4), normal(4, seed=2)])
    assert alone.verdict == "FAIL"
    assert [r.verdict for r in beside.records] == ["PASS", "FAIL"]


@pytest.mark.parametrize("output", [0, 1])
def test_a_small_output_is_not_drowned_by_a_large_one(output):
    name, rule = [("sin", lambda g, input: 1.001 * g * np.cos(input)), ("tanh", tanh_rule(1.001))][output]
    with planted(name, rule):
        report = gradcheck(lambda x: (1e8 * x.sin(), 1e-8 * x.tanh()), normal(5))
    assert report.verdict == "FAIL"
    assert report.culprit.primitive == name


def test_a_wrong_broadcast_fails():
    """The gradient of a repeated factor is the sum over its repetitions; here it is their mean."""
    with planted("mul", lambda g, input: np.mean(g * input, axis=0), argument=1):
        report = gradcheck(lambda x, y: (x * y).sin(), [normal(4, 3), normal(3)])
    assert [r.verdict for r in report.records] == ["PASS", "FAIL"]
    assert (report.culprit.primitive, report.culprit.argument, report.culprit.argument_name) == ("mul", 1, "other")


def test_a_wrong_slope_at_a_kink_does_not_pass():
    with planted("relu", lambda g, input: g * np.where(input == 0, 2.0, input > 0)):
        report = gradcheck(ag.relu, np.array([-1.0, 0.0, 1.0]))
    assert report.verdict == "FAIL"
    assert report.records[0].index == (1,)


def with_wrong_second_order(g, out):
    """The derivative of tanh, whose own derivative is 0.1 % off."""
    slope = 1 - out * out
    value = slope.detach().numpy() if isinstance(slope, ag.Tensor) else slope
    return g * (slope + 0.001 * (slope - value))


def without_second_order(g, out):
    """The derivative of tanh, cut off from the graph."""
    return g * (1 - (out.detach() if isinstance(out, ag.Tensor) else out) ** 2)


@pytest.mark.parametrize("rule", [with_wrong_second_order, without_second_order])
def test_a_wrong_second_order_rule_fails_at_second_order_only(rule):
    def fn(x):
        return (x * x.tanh()).sum(dim=0)

    with planted("tanh", rule):
        first = gradcheck(fn, normal(3, 4))
        second = gradcheck(fn, normal(3, 4), order=2)
    assert first.ok
    assert [r.verdict for r in second.records] == ["PASS", "FAIL"]
    assert (second.culprit.primitive, second.culprit.argument, second.culprit.order) == ("tanh", 0, 2)


def test_third_order():
    def cubic_slope(g, input):
        """The slope of x**4, whose second derivative is right and third is not."""
        value = input.detach() if isinstance(input, ag.Tensor) else input
        return g * (4 * value**3 + 12 * value**2 * (input - value))

    quartic = ag.custom_vjp(cubic_slope)(lambda input: input**4)
    assert gradcheck(quartic, normal(4), order=2).ok
    report = gradcheck(quartic, normal(4), order=3)
    assert [r.verdict for r in report.records] == ["PASS", "PASS", "FAIL"]


def test_a_wrong_custom_function_is_named():
    class Cube(ag.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x**2 * g

    report = gradcheck(lambda x: Cube.apply(x.sin()), normal(3))
    assert report.verdict == "FAIL"
    assert report.culprit.primitive == "Cube"
    assert report.culprit.numeric == pytest.approx(1.5 * report.culprit.analytic)


# Every operation there is


def first_sample(record):
    """Arguments for an operation, from its record, and the positions of those with a derivative."""
    rng = np.random.default_rng(3)
    samples = record.samples(rng)
    if samples:
        args, params = list(samples[0].args), samples[0].params
    else:
        args = [rng.random((3, 2)) < 0.5 if d is bool else rng.uniform(*d, (3, 2)) for d in record.domains]
        params = {}
    rules = list(record.rules) + [record.variadic_rule] * (len(args) - len(record.rules))
    return (
        args,
        params,
        [i for i, (a, rule) in enumerate(zip(args, rules, strict=True)) if rule and a.dtype.kind == "f"],
    )


def off_by_a_thousandth(rule):
    """The rule with the same parameters (they say what is saved) and a result 0.1 % too large."""
    if rule is None:
        return None
    names = ", ".join(inspect.signature(rule).parameters)
    return eval(f"lambda {names}: rule({names}) * 1.001", {"rule": rule})


@pytest.mark.parametrize("name", [name for name, function in REGISTRY.items() if function.record.differentiable])
def test_an_error_of_a_thousandth_is_caught_in_every_operation(name):
    function = REGISTRY[name]
    record = function.record
    args, params, places = first_sample(record)

    def fn(*moved):
        for place, x in zip(places, moved, strict=True):
            args[place] = x
        return function(*args, **params)

    inputs = [args[place] for place in places]
    right = gradcheck(fn, inputs, order=2)
    assert right.ok, str(right)
    rules, variadic = record.rules, record.variadic_rule
    try:
        function.defvjp(*map(off_by_a_thousandth, rules), variadic=off_by_a_thousandth(variadic))
        wrong = gradcheck(fn, inputs)
    finally:
        function.defvjp(*rules, variadic=variadic)
    if all(r.analytic == 0 for r in wrong.records):  # zero everywhere, as for round: nothing is off
        assert wrong.ok
    else:
        assert wrong.verdict == "FAIL"
        assert wrong.culprit.primitive == name


# What cannot be told is said


INEXACT = {
    "lost beside a constant": lambda x: ag.abs(x) + 1e13,
    "too rapid": lambda x: ag.sin(1e10 * ag.abs(x)),
    "too rapid, and dropped": lambda x: ag.sin(1e10 * ag.abs(x.detach())),
    "float32 inside": lambda x: ((x.to(ag.float32) + 1000.0) ** 2).sum().to(ag.float64),
    "a jump": lambda x: ag.sign(x - 0.5).sum() + x.sum() * 0,
    "another value just here": lambda x: x * (x.array != 0.5),
    "a limit that no step comes near": lambda x: ag.abs(at_least_zero(x + 0.7)) ** 1.1,
}


@pytest.mark.parametrize("case", INEXACT)
def test_what_differences_cannot_resolve_is_inconclusive(case):
    report = gradcheck(INEXACT[case], np.array([0.3, 0.5, -0.7]))
    assert report.verdict == "INCONCLUSIVE", str(report)
    assert not report.ok
    assert "too inexact to tell" in str(report)
    assert report.culprit is None


EXACT = {
    "lost beside a constant": (lambda x: x + 1e13, "PASS"),
    "too rapid": (lambda x: ag.sin(1e10 * x), "PASS"),
    "too rapid, and dropped": (lambda x: ag.sin(1e10 * x.detach()), "FAIL"),
    "too rapid, with a wrong factor": (lambda x: ag.sin(1e10 * x + 1e8 * x.detach()), "FAIL"),
}


@pytest.mark.parametrize("case", EXACT)
def test_a_complex_step_decides_where_differences_cannot(case):
    fn, verdict = EXACT[case]
    report = gradcheck(fn, np.array([0.3, 0.5, -0.7]), locate=False)
    assert report.verdict == verdict, str(report)
    assert "complex step" in str(report) or "no path" in str(report)


def test_an_argument_that_cannot_be_moved_is_to_be_bound():
    report = gradcheck(nn.functional.hinge_embedding_loss, (normal(3), np.array([1.0, -1.0, 1.0])))
    assert [r.verdict for r in report.records] == ["PASS", "INCONCLUSIVE"]
    assert "bind it, as in" in str(report)


def test_what_the_complex_step_loses_is_not_believed():
    """The modulus that NumPy takes of a number outside the graph has no imaginary part, and the same value."""

    def fn(x):
        return x * np.abs(x.detach().numpy())

    assert gradcheck(fn, normal(3)).verdict == "FAIL"


@pytest.mark.parametrize("name", sorted(ANALYTIC))
def test_every_analytic_operation_takes_complex_numbers(name):
    """The complex step agrees with the rules, which differences have been compared with."""
    if name in ("erf", "erfc", "ndtr"):
        pytest.importorskip("scipy")
    function = REGISTRY[name]
    args, params, places = first_sample(function.record)
    tensors = [ag.tensor(a.astype(float) if i in places else a, requires_grad=i in places) for i, a in enumerate(args)]

    def run():
        found = function(*tensors, **params)
        return [o for o in (found if isinstance(found, tuple) else (found,)) if o.dtype.kind in "fc"]

    values = values_of(run)
    steps = ComplexStep(lambda: values_of(run), values, [np.abs(a) for a in values])
    weights = [normal(*a.shape) for a in values]
    pairs = [(o, w) for o, w in zip(run(), weights, strict=True) if o.requires_grad]
    outputs, cotangents = zip(*pairs, strict=True)
    wanted = ag.grad(outputs, [tensors[i] for i in places], cotangents, allow_unused=True)
    for place, g in zip(places, wanted, strict=True):
        vector = normal(*args[place].shape, seed=4)
        found = steps.quotients(Direction([tensors[place]], [vector], [vector]))
        expected = 0.0 if g is None else (g.array * vector).sum()
        assert sum((w * q).sum() for w, q in zip(weights, found, strict=True)) == pytest.approx(expected, rel=1e-9)


def test_gradients_and_values_that_are_not_finite_fail():
    report = gradcheck(lambda x: x.sqrt(), np.array([0.0, 1.0]))
    assert report.verdict == "FAIL"
    assert "inputs[0]: at (0,): the gradient there is inf" in str(report)
    assert "the function's value is NaN: output 0 at (1,)" in str(gradcheck(ag.log, np.array([1.0, -1.0])))


# Functions that cannot be checked


def test_a_function_that_changes_its_input_is_refused():
    def doubles(x, i):
        x.array[...] *= 2
        return x * 3

    def counts(x, i):
        i += 1
        return x * 3

    assert gradcheck(doubles, [normal(3), np.arange(3)]).reason.startswith("the function changes inputs[0] in place")
    assert gradcheck(counts, [normal(3), np.arange(3)]).reason.startswith("the function changes inputs[1] in place")


def test_a_function_that_is_not_deterministic_is_refused():
    rng = np.random.default_rng(0)
    report = gradcheck(lambda x: x * rng.random(), normal(3))
    assert "not deterministic" in str(report)
    assert not report


def test_an_error_of_the_function_is_passed_on():
    def fails(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        gradcheck(fails, normal(3))
    with pytest.raises(ValueError, match="matmul"):
        gradcheck(lambda x: x @ x, normal(2, 3))


def test_nothing_to_check_is_an_error():
    with pytest.raises(ValueError, match="nothing to check"):
        gradcheck(lambda i: i, np.arange(3))
    with pytest.raises(ValueError, match="no floating tensor"):
        gradcheck(lambda x: x > 0, normal(3))
    with pytest.raises(ValueError, match="order must be at least 1, got 0"):
        gradcheck(ag.exp, normal(3), order=0)
    with pytest.raises(ValueError, match="rtol must be at least 0 and less than 1, got -1"):
        gradcheck(ag.exp, normal(3), rtol=-1)
    with pytest.raises(TypeError, match="expected a function or a module, got int"):
        gradcheck(3, normal(3))
    with pytest.raises(ValueError, match="numbers are passed on as they are"):
        gradcheck(ag.exp, 0.5)


def test_a_domain_that_is_left_by_raising_is_stepped_around():
    def checked(p):
        if (p.array < 0).any() or (p.array > 1).any():
            raise ValueError("p must be a probability")
        return ag.log(p) + p**2

    assert_gradients(checked, np.array([1e-9, 0.5, 1 - 1e-7]))


# Modules, inputs, outputs


class Affine:
    """What a module looks like to the checker."""

    def __init__(self, dtype=np.float32):
        self.weight = ag.tensor(normal(2, 3).astype(dtype), requires_grad=True)
        self.bias = ag.tensor(normal(2, seed=2).astype(dtype), requires_grad=True)
        self.frozen = ag.tensor(normal(2, seed=3).astype(dtype))
        self.calls = ag.tensor(np.zeros(1, np.float32))

    def named_parameters(self):
        return iter({"weight": self.weight, "layer.bias": self.bias, "frozen": self.frozen}.items())

    def named_buffers(self):
        return iter({"calls": self.calls}.items())

    def __call__(self, x):
        self.calls.array += 1
        return (x @ self.weight.T + self.bias).tanh() * self.frozen


def test_the_parameters_of_a_module_are_checked_in_float64_and_put_back():
    module = Affine()
    arrays = [t.array for t in (module.weight, module.bias, module.frozen, module.calls)]
    before = [a.copy() for a in arrays]
    report = gradcheck(module, ag.tensor(normal(4, 3)), order=2)
    assert report.ok, str(report)
    assert [r.name for r in report.records] == ["inputs[0]", "weight", "layer.bias"] * 2
    assert max(r.error_bar for r in report.records[:3]) < 1e-7  # which float32 could not do
    for tensor, array, copy in zip(
        (module.weight, module.bias, module.frozen, module.calls), arrays, before, strict=True
    ):
        assert tensor.array is array
        assert_array_equal(array, copy)
    assert module.weight.grad is None


def test_a_wrong_gradient_of_a_parameter_is_named():
    with planted("matmul", lambda g, input: 1.001 * np.swapaxes(input, -1, -2) @ g, argument=1):
        report = gradcheck(Affine(), normal(4, 3))
    assert {r.name: r.verdict for r in report.records} == {"inputs[0]": "PASS", "weight": "FAIL", "layer.bias": "PASS"}


def test_parameters_are_put_back_after_an_error():
    class Fails(Affine):
        def __call__(self, x):
            raise KeyError("mine")

    module = Fails()
    array = module.weight.array
    with pytest.raises(KeyError):
        gradcheck(module, normal(4, 3))
    assert module.weight.array is array


def test_inputs_are_not_touched():
    x = ag.tensor(normal(3).astype(np.float32), requires_grad=True)
    x.grad = ag.ones(3)
    before = x.array.copy()
    seen = []

    def fn(x, n, factor, text):
        seen.append((n, factor, text))
        return x**n * factor

    n = ag.tensor([1, 2, 3])
    assert_gradients(fn, (x, n, 2.0, "as it is"))
    assert_array_equal(x.array, before)
    assert_array_equal(x.grad.array, np.ones(3))
    assert seen[0][0] is n
    assert seen[0][1:] == (2.0, "as it is")


def test_it_works_under_no_grad_and_repeats_itself():
    def fn(x):
        return ag.exp(x).sum(dim=0)

    with ag.no_grad():
        first = gradcheck(fn, normal(3, 2), order=2, seed=5)
    assert first.ok
    assert first.records == gradcheck(fn, normal(3, 2), order=2, seed=5).records
    assert first.records != gradcheck(fn, normal(3, 2), order=2, seed=6).records


# The numbers


def test_the_derivative_of_one_output_is_told_without_its_weight():
    wrong = ag.custom_vjp(lambda g: 60 * g)(lambda x: 39 * x)
    for seed in range(4):
        (record,) = gradcheck(wrong, np.array(2.0), seed=seed).records
        assert (record.analytic, record.weighted) == (60.0, False)
        assert record.numeric == pytest.approx(39)
    report = gradcheck(lambda x: wrong(x).sum(), normal(3), forward=True)
    assert (report.culprit.analytic, report.culprit.numeric) == (60.0, pytest.approx(39))
    assert "weight" not in str(report)


def test_each_element_of_an_elementwise_function_has_an_output_of_its_own():
    (record,) = gradcheck(ag.relu, np.array([2.0, 3.0])).records
    assert (record.analytic, record.weighted) == (1.0, False)
    with planted("tanh", tanh_rule(1.001)):
        report = gradcheck(ag.tanh, np.zeros(3))
    assert report.records[0].analytic == pytest.approx(1.001)
    assert report.records[0].error_bar < 1e-8


def test_weights_that_cannot_be_divided_out_are_mentioned():
    report = gradcheck(lambda x, y, z: (x * y, y.sum() + 0 * z), [normal(3), normal(3), normal(3)])
    assert [r.weighted for r in report.records] == [False, True, False]
    line = "the numbers of inputs[1] are derivatives of several outputs, added with random weights"
    assert f"  {line}\n" in str(report)
    assert f"<div>{line}</div>" in report._repr_html_()
    assert "  the numbers are derivatives of several" in str(gradcheck(lambda x: x.cumsum(0), normal(3)))


def test_second_derivatives_of_a_number_are_told_without_weights():
    """The cubes have the slopes 3 x**2 and the second slopes 6 x, one each."""
    x = np.array([1.0, 2.0])
    first, second, third = gradcheck(lambda x: (x**3).sum(), x, order=3).records
    assert first.analytic in (3, 12)
    assert second.analytic in (6, 12)
    assert (first.weighted, second.weighted, third.weighted) == (False, False, True)
    assert [r.weighted for r in gradcheck(lambda x: x**3, x, order=2).records] == [False, True]


# The report


def test_the_report_is_a_table():
    x = ag.tensor(normal(2, 3), name="x")
    with planted("tanh", tanh_rule(1.001)):
        report = gradcheck(lambda x, e: x.tanh().sum() + e.sum(), (x, np.zeros((0, 2))))
        with pytest.raises(AssertionError, match="gradcheck: FAIL") as caught:
            assert_gradients(lambda x: x.tanh(), x)
    lines = str(report).splitlines()
    assert lines[0] == "gradcheck: FAIL"
    assert " ".join(lines[1].split()) == "input order shape worst at analytic numeric relative error bar verdict"
    assert lines[2].startswith("  x          1      (2, 3)")
    assert "1.0e-03" in lines[2]
    assert lines[2].endswith("FAIL")
    assert lines[3].split() == ["inputs[1]", "1", "(0,", "2)", "PASS"]
    assert lines[4] == "  checked: all 6 elements"
    assert lines[5].startswith(f"  the first operation that is wrong by itself is tanh at {__file__}:")
    assert repr(report) == str(report)
    assert "tanh" in str(caught.value)
    record = report.records[0]
    assert record.analytic == pytest.approx(1.001 * record.numeric)
    assert record.relative_error == pytest.approx(0.001 / 1.001)
    assert 0 < record.error_bar < 1e-6
