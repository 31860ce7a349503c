"""Non-finite values are traced to where they arise; changes behind the engine's back are found."""

import re

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import modes


def leaf(value, name=None):
    return ag.tensor(value, dtype=ag.float64, requires_grad=True, name=name)


def test_the_first_operation_and_the_path():
    x = leaf([1.0, -2.0, 3.0], "x")
    with pytest.raises(ag.AnomalyError) as caught, ag.detect_anomaly():
        ((ag.sqrt(x) * 2.0).sum() + 1.0).backward()
    lines = str(caught.value).splitlines()
    assert "backward: the result is not finite" in lines[0]
    assert "sqrt made nan at index [1] out of finite values: x there is -2" in lines[1]
    assert "test_anomaly.py" in lines[1]
    assert [line.split(": ")[1].split()[0] for line in lines[1:]] == ["sqrt", "mul", "sum", "add"]
    assert x.grad is None


def test_a_nan_loss_without_backward_does_not_pass():
    message = r"last scalar .* not finite[\s\S]*log made -inf at index \[0\]"
    with pytest.raises(ag.AnomalyError, match=message), ag.detect_anomaly():
        ag.log(ag.tensor([0.0, 1.0])).sum()


def test_what_is_masked_harms_nobody():
    x = leaf([-1.0, 4.0])
    with ag.detect_anomaly():
        loss = ag.where(x > 0, ag.sqrt(x), 0.0).sum()
        loss.backward()
    assert x.grad.tolist() == [0.0, 0.25]


def test_a_gradient_that_becomes_infinite():
    x = leaf([0.0, 1.0])
    message = r"gradient of sqrt \(.*test_anomaly.py:\d+\) is inf at index \[0\]"
    with pytest.raises(ag.AnomalyError, match=message), ag.detect_anomaly():
        ag.sqrt(x).sum().backward()


def test_input_that_was_not_finite_to_begin_with():
    x = leaf([np.nan, 1.0], "measurements")
    with pytest.raises(ag.AnomalyError, match="mul was given measurements that holds nan already"), ag.detect_anomaly():
        (x * 2.0).sum().backward()
    y = leaf([1.0]) / 0.0
    with pytest.raises(ag.AnomalyError, match="computed outside detect_anomaly"), ag.detect_anomaly():
        y.backward()


def test_matrix_products_name_their_inputs():
    a, b = leaf([[1e200]], "a"), leaf([[1e200]], "b")
    message = "matmul made inf at index .* a is 1e"
    with pytest.raises(ag.AnomalyError, match=message), np.errstate(all="ignore"), ag.detect_anomaly():
        (a @ b).sum().backward()


def test_finite_training_passes():
    x = leaf([1.0, 2.0])
    with ag.detect_anomaly():
        (x * x).sum().backward()
        (dx,) = ag.grad((x**3).sum(), x, create_graph=True)
        dx.sum().backward()
    assert x.grad.tolist() == [2.0 + 6.0, 4.0 + 12.0]


def test_a_change_through_numpy_is_found():
    data = np.array([1.0, 2.0])
    x = ag.from_numpy(data).requires_grad_()
    message = r"mul \(.*:\d+\) saved a value of shape \(2,\).* changed between mul .* and .*:\d+"

    def changed(after):
        with ag.detect_anomaly():
            y = x * x
            z = y.sum() if after else None
            data[0] += 100.0
            (z if after else y.sum()).backward()

    with pytest.raises(ag.AnomalyError, match=message):
        changed(after=False)
    with pytest.raises(ag.AnomalyError, match=r"mul \(.*:\d+\) saved .* changed after sum"):
        changed(after=True)


def test_a_change_that_the_engine_knows_of_is_told_with_both_lines():
    def changed():
        x = leaf([1.0, 2.0])
        with ag.detect_anomaly():
            y = ag.exp(x)
            y *= 2
            y.sum().backward()

    message = r"exp at .*:(\d+) saved its output .* mul_ \(.*:(\d+)\) changed it in place .* change a clone\(\)"
    with pytest.raises(RuntimeError, match=message) as raised:
        changed()
    saved, by = (int(line) for line in re.search(message, str(raised.value)).groups())
    assert by == saved + 1


def test_a_change_that_does_no_harm():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    with ag.detect_anomaly():
        h = x * 1
        _ = h * w  # saves h, and is not differentiated
        h += 1
        h.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_it_leaves_no_trace():
    before = modes.current()
    with pytest.raises(ZeroDivisionError), ag.detect_anomaly(), ag.record():
        1 / 0  # noqa: B018
    assert modes.current() == before
    x = leaf(2.0)
    with ag.record(), ag.detect_anomaly():
        y = x * x
    assert y.node.trace.value == 4.0
