"""The tensor as a container: creation, dtypes, conversion, printing, copying."""

import copy

import numpy as np
import pytest

import autograd_core as ag


def test_dtype_policy():
    assert ag.tensor(1.5).dtype == ag.float32
    assert ag.tensor([1, 2]).dtype == ag.int64
    assert ag.tensor([True]).dtype == ag.bool
    assert ag.tensor(np.array([1.5])).dtype == ag.float64
    assert ag.tensor([np.float64(1.5)]).dtype == ag.float64
    assert ag.tensor([1.5], dtype="float64").dtype == ag.float64
    assert ag.tensor(ag.tensor([1.5], dtype=ag.float64)).dtype == ag.float64


@pytest.mark.parametrize("dtype", [ag.float16, ag.float32, ag.float64])
def test_python_numbers_do_not_widen(dtype):
    x = ag.ones(2, dtype=dtype)
    for other in (2.0, 2, True, np.float64(2.0), ag.tensor([1, 2]), ag.tensor(2)):
        for result in (x * other, other * x, x + other, x / other, x**other):
            assert result.dtype == dtype


def test_promotion():
    single, double, whole = ag.ones(2), ag.ones(2, dtype=ag.float64), ag.tensor([1, 2])
    assert (single + double).dtype == ag.float64
    assert (whole + whole).dtype == ag.int64
    assert (whole * 0.5).dtype == ag.float32
    assert (whole / whole).dtype == ag.float32
    assert ag.exp(whole).dtype == ag.float32
    assert whole.mean().dtype == ag.float32
    assert (whole == whole).dtype == ag.bool


def test_the_default_dtype_can_be_set():
    try:
        ag.set_default_dtype(ag.float64)
        assert ag.tensor(1.5).dtype == ag.zeros(1).dtype == ag.exp(ag.tensor(1)).dtype == ag.float64
    finally:
        ag.set_default_dtype(ag.float32)
    with pytest.raises(TypeError, match=r"set_default_dtype: expected a floating dtype .* got int64"):
        ag.set_default_dtype(ag.int64)


def test_creation():
    assert ag.zeros(2, 3).shape == ag.zeros((2, 3)).shape == (2, 3)
    assert ag.ones(2).tolist() == [1.0, 1.0]
    assert ag.full((2,), 1.5).tolist() == [1.5, 1.5]
    assert ag.arange(3).dtype == ag.int64
    assert ag.arange(0, 1, 0.25).tolist() == [0.0, 0.25, 0.5, 0.75]
    assert ag.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert ag.linspace(0, 1, 5)[3].item() == 0.75
    x = ag.zeros(2, dtype=ag.float64)
    for like in (ag.zeros_like(x), ag.ones_like(x), ag.full_like(x, 3), ag.randn_like(x)):
        assert (like.shape, like.dtype) == ((2,), ag.float64)
    assert ag.ones(2, requires_grad=True).requires_grad
    with pytest.raises(TypeError, match="expected numbers"):
        ag.tensor(["a"])


def test_random_is_seeded():
    for draw in (ag.rand, ag.randn):
        assert ag.equal(draw(5, generator=ag.Generator(1)), draw(5, generator=ag.Generator(1)))
    ag.manual_seed(3)
    first = ag.rand(2), ag.randint(0, 9, (3,)), ag.randperm(4)
    ag.manual_seed(3)
    again = ag.rand(2), ag.randint(0, 9, (3,)), ag.randperm(4)
    assert all(ag.equal(a, b) for a, b in zip(first, again, strict=True))
    generator = ag.Generator(0)
    state = generator.get_state()
    one = ag.rand(3, generator=generator)
    generator.set_state(state)
    assert ag.equal(one, ag.rand(3, generator=generator))
    sample = ag.randn(10_000, generator=ag.Generator(0))
    assert abs(sample.mean().item()) < 0.05
    assert abs(sample.std().item() - 1) < 0.05


def test_tensor_copies_and_from_numpy_shares():
    a = np.zeros(2)
    copied, shared = ag.tensor(a), ag.from_numpy(a)
    a[0] = 1
    assert copied.tolist() == [0, 0]
    assert shared.tolist() == [1, 0]
    assert ag.as_tensor(shared) is shared
    with pytest.raises(TypeError, match=r"from_numpy: expected an ndarray, got list"):
        ag.from_numpy([1])


def test_leaving_for_numpy_loses_the_gradient_only_when_asked():
    x = ag.tensor([1.0], requires_grad=True)
    for leave in (x.numpy, lambda: np.asarray(x)):
        with pytest.raises(RuntimeError, match=r"use \.detach\(\)\.numpy\(\)"):
            leave()
    assert isinstance(np.asarray(x.detach()), np.ndarray)


def test_conversions():
    assert ag.tensor(3).item() == int(ag.tensor(3)) == 3
    assert float(ag.tensor([2.5])) == 2.5
    assert [10, 20, 30][ag.tensor(1)] == 20
    assert bool(ag.tensor([1.0]))
    assert 2 in ag.tensor([1, 2])
    assert [t.item() for t in ag.tensor([1, 2])] == [1, 2]
    assert ag.tensor([1.0]).double().dtype == ag.float64
    assert ag.tensor([1.7]).long().tolist() == [1]
    assert ag.tensor([0.0, 2.0]).bool().tolist() == [False, True]
    assert f"{ag.tensor(0.12345):.2f}" == "0.12"
    for wrong, message in [
        (lambda: ag.ones(2).item(), r"item: expected a tensor of one element, got shape \(2,\)"),
        (lambda: bool(ag.ones(2)), "ambiguous"),
    ]:
        with pytest.raises(ValueError, match=message):
            wrong()
    for wrong, message in [
        (lambda: len(ag.tensor(1)), "0-d"),
        (lambda: iter(ag.tensor(1)), "0-d"),
        (lambda: [1][ag.tensor(0.0)], "integer"),
    ]:
        with pytest.raises(TypeError, match=message):
            wrong()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (lambda: ag.tensor(1.0), "tensor(1.)"),
        (lambda: ag.tensor([1.0], dtype=ag.float64), "tensor([1.], dtype=float64)"),
        (lambda: ag.tensor(1.0, requires_grad=True), "tensor(1., requires_grad=True)"),
        (lambda: ag.tensor(2.0, requires_grad=True) * 2, "tensor(4., grad_fn=<mul>)"),
        (lambda: ag.zeros(0, 3), "tensor([], shape=(0, 3))"),
    ],
)
def test_repr(value, text):
    assert repr(value()) == text


def test_hash_and_equality():
    a, b = ag.tensor([1.0]), ag.tensor([1.0])
    assert len({a, b}) == 2
    assert (a == b).tolist() == [True]


def test_deepcopy_of_leaves():
    x = ag.tensor([1.0], requires_grad=True, name="x")
    (x * 2).sum().backward()
    y = copy.deepcopy(x)
    assert y is not x
    assert (y.name, y.requires_grad, y.grad.tolist()) == ("x", True, [2.0])
    assert not np.shares_memory(y.detach().numpy(), x.detach().numpy())
    with pytest.raises(RuntimeError, match="deepcopy: an operation made this tensor"):
        copy.deepcopy(x * 2)


def test_data_and_requires_grad():
    x = ag.tensor([1.0], requires_grad=True)
    assert not x.data.requires_grad
    x.data = np.array([5.0], np.float32)
    assert x.tolist() == [5.0]
    y = x * 2
    with pytest.raises(RuntimeError, match=r"use detach\(\)"):
        y.requires_grad = False
    assert not y.is_leaf
    assert x.is_leaf
    x.requires_grad_(False)
    assert not (x * 2).requires_grad


def test_size():
    x = ag.zeros(2, 3)
    assert (x.size(), x.size(1), x.dim(), x.numel(), len(x)) == ((2, 3), 3, 2, 6, 2)


@pytest.mark.parametrize("dtype", [ag.bool, ag.int8, ag.uint8, ag.int16, ag.int32, ag.int64])
def test_integers_in_a_float_function_give_the_default_dtype(dtype):
    x = ag.tensor([0, 1, 1], dtype=dtype)
    y = ag.exp(x)
    assert y.dtype == ag.float32
    np.testing.assert_allclose(y.numpy(), np.exp([0.0, 1.0, 1.0]), rtol=1e-7)
    try:
        ag.set_default_dtype(ag.float64)
        np.testing.assert_allclose(ag.exp(x).numpy(), np.exp([0.0, 1.0, 1.0]), rtol=1e-15)
    finally:
        ag.set_default_dtype(ag.float32)
