"""At kinks: what is between the slopes passes, by each element and by all together, and nothing else does."""

import json

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import Tensor
from autograd_core.primitive import REGISTRY
from autograd_core.tools.checking.comparison import together
from autograd_core.tools.checking.gradcheck import gradcheck

TIED = np.array([1.0, 2.0, 2.0])


def maximum(rule):
    """The maximum of all elements, with a derivative of one's own."""
    return ag.custom_vjp(rule)(lambda x: x.max())


to_all = maximum(lambda g, x, out: g * (x == out))


@pytest.mark.parametrize("mode", ["auto", "directional"])
@pytest.mark.parametrize(
    "fn",
    [to_all, lambda x: to_all(2 * x).sin(), lambda x: to_all(x) + ag.relu(x - 1).sum()],
    ids=["alone", "inside", "among kinks"],
)
def test_a_maximum_that_gives_each_of_two_the_whole_gradient_fails(fn, mode):
    report = gradcheck(fn, TIED, mode=mode)
    assert report.verdict == "FAIL"
    assert [r.verdict for r in report.records] == ["PASS"]  # each element by itself
    culprit = report.culprit
    assert (culprit.kind, culprit.primitive, culprit.index) == ("kink", "<lambda>", None)
    assert (culprit.analytic, culprit.numeric) == (2.0, pytest.approx(1.0))
    assert "not when they move together" in report.reason
    assert "its derivative by all elements together, at a kink, is 2, by differences 1" in str(culprit)


HONEST = {
    "shared": lambda g, x, out: g * (x == out) / (x == out).sum(),
    "the first": lambda g, x: g * (np.arange(x.size) == x.argmax()),
    "the last": lambda g, x: g * (np.arange(x.size) == x.size - 1),
    "in unequal parts": lambda g, x: g * np.array([0.0, 0.3, 0.7]),
}


@pytest.mark.parametrize("case", HONEST)
def test_every_way_to_share_the_gradient_of_a_maximum_passes(case):
    for seed in range(3):
        for mode in ("auto", "directional"):
            report = gradcheck(maximum(HONEST[case]), TIED, mode=mode, seed=seed)
            assert report.ok, str(report)


def test_a_wrong_share_that_central_differences_agree_with_fails():
    """Each of three equal maxima alone has the slopes 0 and 1, and the central difference 1/2."""
    half = maximum(lambda g, x, out: 0.5 * g * (x == out))
    report = gradcheck(half, np.full(3, 2.0))
    assert report.culprit.analytic == pytest.approx(1.5 * report.culprit.numeric)
    assert gradcheck(half, TIED).ok


def test_arguments_that_are_right_one_by_one_and_not_together_fail():
    larger = ag.custom_vjp(lambda g, x, y: g * (x >= y), lambda g, x, y: g * (y >= x))(lambda x, y: np.maximum(x, y))
    report = gradcheck(larger, (np.ones(2), np.ones(2)))
    assert report.culprit.kind == "kink"
    assert report.culprit.analytic == pytest.approx(2 * report.culprit.numeric)
    assert gradcheck(ag.maximum, (np.ones(2), np.ones(2))).ok


def test_zero_is_no_gradient_of_a_maximum():
    """Though by each of its elements, when they are equal, it is between the slopes."""
    assert gradcheck(maximum(lambda g, x: 0 * g * x), TIED[1:]).verdict == "FAIL"


def test_operations_may_choose_what_does_not_add_up():
    """``x + y + 2 * |x - y|`` at 0, where the library's choices for relu and abs make 0 of it.

    By each element the slopes are -1 and 3, but for x and y together they are 2.
    """

    def fn(x, y):
        return (ag.relu(x + y) - ag.relu(-(x + y)) + 2 * ag.abs(x - y)).sum()

    leaves = [(name, ag.tensor([0.0], dtype=ag.float64, requires_grad=True)) for name in "xy"]
    assert together(lambda: [fn(*(p for _, p in leaves))], leaves, np.random.default_rng(0)).verdict == "FAIL"
    report = gradcheck(fn, (np.zeros(1), np.zeros(1)))
    assert report.ok, str(report)


def test_choices_that_make_a_wrong_number_are_told_as_that():
    report = gradcheck(lambda x: ag.relu(x) - ag.relu(-x), np.zeros(2))
    assert report.verdict == "FAIL"
    assert report.culprit is None
    assert "some are at a kink, where the slopes they choose need not make a slope of the whole" in report.hint


MANY = {
    "sort": lambda x: ag.sort(x).values,
    "median": ag.median,
    "maximum and more": lambda x: x.max() + ag.relu(x - 2).sum() - ag.abs(x - 2).sum(),
    "norm": lambda x: ag.linalg.norm(x - 2),
    "clamp": lambda x: ag.clamp(x, 0.0, 2.0).sum() - ag.clamp(x, 2.0, 3.0).sum(),
}


@pytest.mark.parametrize("case", MANY)
def test_many_equal_numbers_pass(case):
    for seed in range(3):
        report = gradcheck(MANY[case], np.full(5, 2.0), seed=seed)
        assert report.ok, str(report)


@pytest.mark.parametrize("seed", range(6))
def test_directions_through_kinks_of_both_kinds_pass(seed):
    """A sum of rectified numbers with factors of both signs is neither convex nor concave."""
    rng = np.random.default_rng(seed)
    x, factors = np.round(rng.normal(size=(60, 50)), 1), rng.normal(size=(60, 50))
    report = gradcheck(lambda x: (factors * ag.relu(x)).sum(), x, mode="directional", seed=seed)
    assert report.ok, str(report)
    own = ag.custom_vjp(lambda g, x: g * factors * (x > 0))(lambda x: (factors * np.maximum(x, 0.0)).sum())
    assert gradcheck(own, x, mode="directional", seed=seed).ok


def test_a_direction_in_which_choices_do_not_add_up_is_inconclusive():
    def fn(x, y):
        return (ag.relu(x + y) - ag.relu(-(x + y)) + 2 * ag.abs(x - y)).sum()

    report = gradcheck(lambda x: fn(x[0], x[1]) + (x[2:] + 1).sin().sum(), np.zeros(9), mode="directional")
    assert report.verdict == "INCONCLUSIVE", str(report)
    assert report.culprit is None
    assert "slopes that operations choose at kinks make none of the whole" in str(report)


@pytest.mark.parametrize("size", [10, 3000])
def test_a_wrong_maximum_of_many_is_found_in_every_mode(size):
    for mode in ("auto", "sampled", "directional"):
        report = gradcheck(lambda x: to_all(x) ** 2, np.full(size, 2.0), mode=mode)
        assert report.culprit.kind == "kink", str(report)
        assert gradcheck(lambda x: x.max() ** 2, np.full(size, 2.0), mode=mode).ok


def as_run(function, args, params):
    """An operation of its floating arguments, and these."""
    record = function.record
    rules = [*record.rules, *[record.variadic_rule] * (len(args) - len(record.rules))]
    moved = {
        i: Tensor(np.array(a, dtype=float), requires_grad=True)
        for i, (a, rule) in enumerate(zip(args, rules, strict=True))
        if rule is not None and np.asarray(a).dtype.kind == "f"
    }

    def run():
        out = function(*(moved.get(i, a) for i, a in enumerate(args)), **params)
        return [o for o in (out if isinstance(out, tuple) else (out,)) if o.dtype.kind == "f"]

    return run, [(str(i), p) for i, p in moved.items()]


@pytest.mark.parametrize("name", [name for name, function in REGISTRY.items() if function.record.kinks])
def test_what_the_library_chooses_at_its_kinks_passes(name):
    function = REGISTRY[name]
    for kink in function.record.kinks:
        run, leaves = as_run(function, kink.args, kink.params)
        assert not leaves or together(run, leaves, np.random.default_rng(0)) is None, repr(kink)


@pytest.mark.parametrize("name", [name for name, function in REGISTRY.items() if function.record.routes])
def test_what_the_library_chooses_among_equal_numbers_passes(name):
    function = REGISTRY[name]
    samples = function.record.samples(np.random.default_rng(0))
    for sample in samples:
        args = [np.round(a) if a.dtype.kind == "f" else a for a in sample.args]
        run, leaves = as_run(function, args, sample.params)
        assert not leaves or together(run, leaves, np.random.default_rng(0)) is None, repr(sample)


# What is told


def test_the_slopes_of_both_sides_are_told():
    steep = ag.custom_vjp(lambda g, x: g * np.where(x == 0, 1.5, x > 0))(lambda x: np.maximum(x, 0.0))
    report = gradcheck(steep, np.array([-1.0, 0.0, 2.0]))
    assert report.verdict == "FAIL"
    (record,) = report.records
    assert (record.index, record.analytic, record.sides) == ((1,), 1.5, (0.0, pytest.approx(1.0)))
    assert record.relative_error == pytest.approx(1 / 3)
    assert "1.5       0 to 1   3.3e-01" in str(report)
    assert "is 1.5, by differences 0 to 1" in str(report.culprit)
    assert "<td style='text-align:left;padding:2px 14px 2px 0'>0 to 1</td>" in report._repr_html_()
    found = json.loads(report.to_json())
    assert found["inputs"][0]["sides"] == found["culprit"]["sides"] == [0.0, pytest.approx(1.0)]
    (right,) = gradcheck(ag.relu, np.zeros(1)).records
    assert (right.sides, right.relative_error, right.kinks) == ((0.0, pytest.approx(1.0)), 0.0, 1)


def test_a_power_without_a_derivative_does_not_fail():
    """At 0**0 neither differences nor complex steps of any size agree; the latter give the logarithm of the step."""
    assert gradcheck(lambda x: x**x, np.zeros(1)).verdict == "INCONCLUSIVE"
