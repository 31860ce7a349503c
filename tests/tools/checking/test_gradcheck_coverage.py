"""How much of large inputs is checked, and that what is wrong in them is found all the same."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn
from autograd_core.tools.checking.coverage import DENSE, DIRECTIONS, LARGE, SAMPLED, coverage
from autograd_core.tools.checking.gradcheck import gradcheck


def normal(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


SIZES = [[], [0], [1, 5], [DENSE], [DENSE, 1], [10, 5000, 0, 3], [LARGE + 1, 2], [700] * 40, [200, 300, 10**7]]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_coverage_of_sizes(sizes):
    assert coverage(sizes, "dense") == [(n, 0) for n in sizes]
    assert all(k == 0 or n > DIRECTIONS for n, (_, k) in zip(sizes, coverage(sizes, "directional"), strict=True))
    for mode in ("auto", "sampled", "directional"):
        found = coverage(sizes, mode)
        assert all(k == (0 if elements == n else DIRECTIONS) for n, (elements, k) in zip(sizes, found, strict=True))
        if sum(sizes) > DENSE:
            assert sum(elements for elements, _ in found) <= 2 * max(SAMPLED, DIRECTIONS * len(sizes))
    if sum(sizes) <= DENSE:
        assert coverage(sizes, "auto") == coverage(sizes, "dense")
    assert all(elements == 0 for n, (elements, _) in zip(sizes, coverage(sizes, "auto"), strict=True) if n > LARGE)


def spoiled(where, factor, size):
    """The identity, with one element of its derivative off by a factor."""
    factors = np.ones(size)
    factors[where] = factor
    return ag.custom_vjp(lambda g: g * factors)(lambda x: x * 1.0)


@pytest.mark.parametrize("mode", ["auto", "sampled", "directional"])
@pytest.mark.parametrize("size", [3000, LARGE + 1])
def test_one_wrong_element_of_a_large_input_is_found(mode, size):
    fn = spoiled(1234, 1.01, size)
    report = gradcheck(lambda x: fn(x) ** 2, 1 + 0.1 * normal(size), mode=mode)
    (record,) = report.records
    assert record.verdict == "FAIL"
    assert record.index == (1234,)
    assert record.relative_error == pytest.approx(0.01 / 1.01, rel=1e-4)
    assert report.culprit.index == (1234,)
    right = gradcheck(lambda x: x**2, 1 + 0.1 * normal(size), mode=mode)
    assert right.ok
    assert 0 < right.records[0].checked + right.records[0].directions < size
    assert "directions through all elements" in right.coverage


def test_a_large_network_is_checked_with_few_calls_and_the_report_says_how_much():
    ag.manual_seed(0)
    model = nn.Sequential(nn.Linear(40, 160), nn.ReLU(), nn.Linear(160, 20), nn.Tanh(), nn.Linear(20, 10))
    calls = []

    def fn(x):
        calls.append(1)
        return model(x)

    report = gradcheck(fn, normal(8, 40), module=model)
    assert report.ok, str(report)
    parameters = sum(p.numel() for p in model.parameters())
    assert parameters > 9900
    assert len(calls) < 4000
    checked, directions = sum(r.checked for r in report.records), sum(r.directions for r in report.records)
    moved = f"checked: {checked:,} of {parameters + 320:,} elements, and {directions} directions"
    assert str(report).endswith(f"{moved} through all elements of an input")
    assert "of 6,400 + 4 directions" in str(report)
    assert {r.name: r.coverage for r in report.records}["4.bias"] == "10 of 10"


def test_directions_pass_at_kinks_which_are_listed():
    x = np.round(normal(60, 50), 1)  # has exact zeros
    assert (x == 0).any()
    report = gradcheck(ag.relu, x, mode="directional")
    assert report.ok
    assert "kinks along 4 of its directions" in str(report)


def test_directions_see_an_error_on_one_side_of_a_kink():
    leaky = ag.custom_vjp(lambda g, input: g * np.where(input > 0, 1.0, 1e-3))(lambda input: np.maximum(input, 0.0))
    assert gradcheck(leaky, normal(60, 50), mode="directional").verdict == "FAIL"


def test_after_many_wrong_elements_the_rest_is_left():
    fn = ag.custom_vjp(lambda g: 2.0 * g)(lambda x: x * 1.0)
    (record,) = gradcheck(fn, normal(500), locate=False).records
    assert record.verdict == "FAIL"
    assert record.checked == 32
    report = gradcheck(lambda x, y: fn(x) * fn(y), [normal(500), normal(500)], locate=False)
    assert [r.checked for r in report.records] == [32, 1]
    assert report.records[1].verdict == "FAIL"


@pytest.mark.parametrize("order", [1, 2])
def test_every_mode_passes_what_is_right(order):
    for mode in ("auto", "dense", "sampled", "directional"):
        report = gradcheck(lambda x, w: ag.tanh(x @ w), [normal(4, 3), normal(3, 2)], order=order, mode=mode)
        assert report.ok, str(report)


def test_an_unknown_mode_is_an_error():
    with pytest.raises(ValueError, match="mode must be one of auto, dense, sampled, directional, got 'fast'"):
        gradcheck(ag.exp, normal(3), mode="fast")
