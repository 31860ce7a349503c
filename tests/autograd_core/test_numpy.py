"""NumPy's functions on tensors are recorded and differentiate, or say that they cannot."""

import numpy as np
import pytest

import autograd_core as ag

A = np.arange(1.0, 7.0).reshape(2, 3) / 3

CALLS = {
    "sin": np.sin,
    "multiply": lambda x: np.multiply(x, 2),
    "reflected": lambda x: A * x,
    "reflected power": lambda x: np.full(3, 2.0) ** x,
    "array - tensor": lambda x: A - x,
    "sum": lambda x: np.sum(x, axis=0, keepdims=True),
    "mean": lambda x: np.mean(x, axis=(0, 1)),
    "var": lambda x: np.var(x, axis=1),
    "std": lambda x: np.std(x, axis=1, ddof=1),
    "max": lambda x: np.max(x, axis=1),
    "amin": lambda x: np.amin(x),
    "concatenate": lambda x: np.concatenate([x, x], axis=1),
    "stack": lambda x: np.stack([x, A]),
    "where": lambda x: np.where(A > 1, x, 0),
    "clip": lambda x: np.clip(x, 0.5, 1.5),
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "transpose": lambda x: np.transpose(x),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "squeeze": lambda x: np.squeeze(x[None]),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, 1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3)),
    "matmul": lambda x: np.matmul(x, A.T),
    "array @ tensor": lambda x: A.T @ x,
    "dot": lambda x: np.dot(x[0], x[1]),
    "ravel": np.ravel,
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[0], [2]]), axis=1),
}


@pytest.mark.parametrize("name", CALLS)
def test_same_values_and_a_gradient(name):
    call = CALLS[name]
    x = ag.tensor(A, requires_grad=True)
    out = call(x)
    assert isinstance(out, ag.Tensor)
    np.testing.assert_allclose(out.detach().numpy(), call(A), rtol=1e-14)
    out.sum().backward()
    h = 1e-6
    direction = np.random.default_rng(0).normal(size=A.shape)
    numeric = (np.sum(call(A + h * direction)) - np.sum(call(A - h * direction))) / (2 * h)
    np.testing.assert_allclose((x.grad.numpy() * direction).sum(), numeric, rtol=1e-7)


def test_questions_about_a_tensor():
    x = ag.tensor(A, requires_grad=True)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)
    assert np.allclose(x, A)
    assert np.argmax(x, axis=1).tolist() == [2, 2]
    assert np.isnan(x).any().item() is False
    for like in (np.zeros_like(x), np.ones_like(x, dtype=np.float32)):
        assert isinstance(like, ag.Tensor)
        assert like.shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: np.spacing(x), r"np\.spacing is not supported on tensors; use an operation of autograd_core"),
        (lambda x: np.add.reduce(x), r"np\.add\.reduce is not .*; use autograd_core\.sum"),
        (lambda x: np.maximum.accumulate(x), r"np\.maximum\.accumulate is not .*; use autograd_core\.cummax"),
        (lambda x: np.add(x, x, out=np.zeros((2, 3))), r"np\.add with out is not .*; use np\.add without out"),
        (lambda x: np.nancumsum(x), r"np\.nancumsum is not .*; use .*autograd_core\.cumsum"),
        (lambda x: np.interp(x, [0, 1], [0, 1]), r"np\.interp is not .* the values alone: t\.detach\(\)\.numpy\(\)"),
    ],
)
def test_what_is_not_supported_says_so(call, name):
    with pytest.raises(TypeError, match=name):
        call(ag.tensor(A, requires_grad=True))
