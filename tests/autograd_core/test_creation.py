"""Creation, random numbers and casts."""

import numpy as np
import pytest

import autograd_core as ag

SAME = {
    "zeros": lambda lib: lib.zeros(2, 3),
    "zeros keyword": lambda lib: lib.zeros(size=(2, 3), dtype=lib.int64),
    "ones": lambda lib: lib.ones((2,), device="cpu"),
    "full": lambda lib: lib.full((2, 2), 1.5, dtype=lib.float64),
    "full of bool": lambda lib: lib.full((2,), True),
    "eye": lambda lib: lib.eye(2, 3),
    "arange": lambda lib: lib.arange(5),
    "arange floats": lambda lib: lib.arange(1, 2, 0.25),
    "arange down": lambda lib: lib.arange(5, 0, -2),
    "arange dtype": lambda lib: lib.arange(3, dtype=lib.float64),
    "arange of tensors": lambda lib: lib.arange(lib.tensor(1), lib.tensor(4)),
    "linspace": lambda lib: lib.linspace(-1, 1, 5, dtype=lib.float64),
    "linspace one": lambda lib: lib.linspace(3, 7, 1),
    "logspace": lambda lib: lib.logspace(0, 3, 4, base=2.0, dtype=lib.float64),
    "zeros_like": lambda lib: lib.zeros_like(lib.tensor([1, 2])),
    "ones_like": lambda lib: lib.ones_like(lib.tensor([1, 2]), dtype=lib.float32),
    "full_like": lambda lib: lib.full_like(lib.tensor([1.0, 2.0]), 3),
    "new_zeros": lambda lib: lib.tensor([1, 2]).new_zeros(2, 2),
    "new_ones": lambda lib: lib.tensor([1.0]).new_ones((2,), dtype=lib.bool),
    "new_full": lambda lib: lib.tensor([1]).new_full((2,), 7),
    "new_tensor": lambda lib: lib.tensor([1.0], dtype=lib.float64).new_tensor([1, 2]),
    "to dtype": lambda lib: lib.tensor([1.5, -1.5]).to(lib.int32),
    "to other": lambda lib: lib.tensor([1.5]).to(lib.zeros(1, dtype=lib.float64)),
    "to keyword": lambda lib: lib.tensor([0, 2]).to(dtype=lib.bool),
    "to device": lambda lib: lib.tensor([1]).to("cpu"),
    "to device and dtype": lambda lib: lib.tensor([1]).to("cpu", lib.float32, True),
    "to device keyword": lambda lib: lib.tensor([1]).to(device="cpu", dtype=lib.float64, copy=True),
    "type": lambda lib: lib.tensor([1]).type(lib.float64),
    "type_as": lambda lib: lib.tensor([1]).type_as(lib.zeros(1)),
    "half": lambda lib: lib.tensor([1.0]).half(),
    "float": lambda lib: lib.tensor([1]).float(),
    "double": lambda lib: lib.tensor([1]).double(),
    "byte": lambda lib: lib.tensor([1.5]).byte(),
    "char": lambda lib: lib.tensor([-1.5]).char(),
    "short": lambda lib: lib.tensor([1.7]).short(),
    "int": lambda lib: lib.tensor([-1.7]).int(),
    "long": lambda lib: lib.tensor([1.7]).long(),
    "bool": lambda lib: lib.tensor([0.0, 0.5]).bool(),
}


@pytest.mark.parametrize("name", SAME)
def test_same_as_pytorch(name):
    torch = pytest.importorskip("torch")
    found, expected = SAME[name](ag), SAME[name](torch)
    assert str(found.dtype) == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_a_gradient_can_be_asked_for_at_creation():
    for x in (ag.zeros(2, requires_grad=True), ag.rand(2, requires_grad=True), ag.full((2,), 0.5, requires_grad=True)):
        assert x.requires_grad
        assert x.is_leaf
    with pytest.raises(TypeError, match="only tensors of a real floating dtype have gradients, this one is int64"):
        ag.arange(3, requires_grad=True)


def test_empty_has_the_shape_and_dtype_asked_for():
    assert ag.empty(2, 3).shape == (2, 3)
    assert ag.empty_like(ag.tensor([1, 2])).dtype == ag.int64
    assert ag.tensor([True]).new_empty(4).dtype == ag.bool


def test_the_default_dtype_counts():
    before = ag.get_default_dtype()
    try:
        ag.set_default_dtype(ag.float64)
        assert {x.dtype for x in (ag.zeros(1), ag.eye(1), ag.linspace(0, 1, 2), ag.rand(1), ag.randn(1))} == {
            np.dtype("float64")
        }
    finally:
        ag.set_default_dtype(before)


def test_casts_among_floats_pass_the_gradient_and_to_integers_end_it():
    x = ag.tensor([1.5, -2.5], requires_grad=True)
    y = x.to(ag.float64)
    (y * y).sum().backward()
    assert (x.grad.dtype, x.grad.tolist()) == (ag.float32, [3, -5])
    assert not x.long().requires_grad
    assert x.to(ag.float32) is x
    copy = x.to(ag.float32, copy=True)
    assert copy is not x
    assert copy.requires_grad
    assert (x.type(), x[0].item(), x.tolist()) == ("float32", 1.5, [1.5, -2.5])


DRAWS = {
    "rand": lambda g: ag.rand(3, 2, generator=g),
    "rand64": lambda g: ag.rand(3, generator=g, dtype=ag.float64),
    "randn": lambda g: ag.randn((3,), generator=g),
    "randint": lambda g: ag.randint(100, (5,), generator=g),
    "randint range": lambda g: ag.randint(-5, 5, (5,), generator=g, dtype=ag.int32),
    "randperm": lambda g: ag.randperm(10, generator=g),
    "rand_like": lambda g: ag.rand_like(ag.zeros(4), generator=g),
    "randn_like": lambda g: ag.randn_like(ag.zeros(4), dtype=ag.float64, generator=g),
    "randint_like": lambda g: ag.randint_like(ag.zeros(4), 10, generator=g),
    "bernoulli": lambda g: ag.bernoulli(ag.full((20,), 0.5), generator=g),
    "bernoulli p": lambda g: ag.zeros(20).bernoulli(0.5, generator=g),
    "normal": lambda g: ag.normal(1.0, 2.0, (4,), generator=g),
    "normal tensors": lambda g: ag.normal(ag.zeros(2, 1), ag.ones(3), generator=g),
    "multinomial": lambda g: ag.multinomial(ag.ones(2, 9), 4, generator=g),
    "multinomial replaced": lambda g: ag.ones(9).multinomial(20, True, generator=g),
}


@pytest.mark.parametrize("name", DRAWS)
def test_the_seed_decides(name):
    draw = DRAWS[name]
    first, again, other = draw(ag.Generator(1)), draw(ag.Generator(1)), draw(ag.Generator(2))
    np.testing.assert_array_equal(first.numpy(), again.numpy())
    assert (first.numpy() != other.numpy()).any()
    state = ag.default_generator().get_state()
    ag.manual_seed(1)
    np.testing.assert_array_equal(draw(None).numpy(), first.numpy())
    ag.default_generator().set_state(state)


def test_shapes_and_dtypes_of_draws():
    g = ag.Generator(0)
    assert DRAWS["normal tensors"](g).shape == (2, 3)
    assert DRAWS["randint range"](g).dtype == ag.int32
    assert DRAWS["randint_like"](g).dtype == ag.float32
    assert DRAWS["multinomial"](g).dtype == ag.int64
    assert ag.normal(ag.zeros(2, dtype=ag.float64), 1.0, generator=g).dtype == ag.float64
    assert ag.rand(2, dtype=ag.float16, generator=g).dtype == ag.float16
    assert ag.randint(3, generator=g).shape == ()


def test_moments_of_draws():
    """Within five standard errors."""
    g, n = ag.Generator(3), 40_000
    for values, mean, std in [
        (ag.rand(n, generator=g), 0.5, 12**-0.5),
        (ag.randn(n, generator=g), 0, 1),
        (ag.normal(3.0, 0.5, (n,), generator=g), 3, 0.5),
        (ag.bernoulli(ag.full((n,), 0.3), generator=g), 0.3, 0.21**0.5),
        (ag.randint(-2, 3, (n,), generator=g), 0, 2**0.5),
    ]:
        found = values.numpy().astype(np.float64)
        assert abs(found.mean() - mean) < 5 * std / n**0.5
        assert abs(found.std() / std - 1) < 5 / n**0.5


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_uniform_numbers_stay_below_one(dtype):
    values = ag.rand(100_000, dtype=dtype, generator=ag.Generator(0)).numpy()
    assert values.min() >= 0
    assert values.max() < 1


def test_multinomial_follows_its_weights():
    weights, n = np.array([0.0, 1.0, 2.0, 5.0]), 40_000
    drawn = ag.multinomial(ag.tensor(weights), n, replacement=True, generator=ag.Generator(0)).numpy()
    share, p = np.bincount(drawn, minlength=4) / n, weights / 8
    assert (abs(share - p) <= 5 * np.sqrt(p * (1 - p) / n)).all()
    rows = ag.multinomial(ag.tensor(np.tile(weights, (n, 1))), 2, generator=ag.Generator(1)).numpy()
    assert (rows[:, 0] != rows[:, 1]).all()
    # The first of two draws has the weights; the second, those of what is left.
    second = sum(p[i] * p[3] / (1 - p[i]) for i in (1, 2))
    assert abs((rows[:, 0] == 3).mean() - p[3]) < 5 * np.sqrt(p[3] * (1 - p[3]) / n)
    assert abs((rows[:, 1] == 3).mean() - second) < 5 * np.sqrt(second * (1 - second) / n)


WRONG = [
    (lambda: ag.zeros(2, device="cuda"), ValueError, "everything is computed on the CPU, got device cuda"),
    (lambda: ag.ones(2).to("cuda:0"), ValueError, "to: everything is computed on the CPU, got device cuda:0"),
    (lambda: ag.ones(2).to("float33"), TypeError, "cast: expected a dtype such as float32, got 'float33'"),
    (lambda: ag.arange(0, 5, -1), ValueError, "arange: no step of -1 leads from 0 to 5"),
    (lambda: ag.rand(2, dtype=ag.int64), TypeError, "rand: expected a floating dtype, got int64"),
    (lambda: ag.randint(3, 3, (2,)), ValueError, "randint: expected low below high, got 3 and 3"),
    (lambda: ag.bernoulli(ag.tensor([1.5])), ValueError, r"bernoulli: expected probabilities in \[0, 1\], got 1.5"),
    (lambda: ag.normal(0.0, 1.0), TypeError, "normal: expected a size"),
    (lambda: ag.normal(0.0, -1.0, (2,)), ValueError, "normal: expected a standard deviation of at least 0, got -1.0"),
    (lambda: ag.multinomial(ag.tensor([1.0, 0.0]), 2), ValueError, "multinomial: expected at least 2 weights above 0"),
    (lambda: ag.multinomial(ag.tensor([-1.0]), 1), ValueError, "multinomial: expected weights that are finite"),
    (lambda: ag.multinomial(ag.tensor(1.0), 1), ValueError, "multinomial: expected a vector or rows of weights"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
