"""Every primitive, from its record: value, gradient, second order, dtypes, shapes, layouts, kinks.

Nothing here names an operation: a new one is tested because it is registered.
"""

import doctest
import inspect

import examples
import numpy as np
import pytest
from differences import gradient
from samples import samples, trained

import autograd_core as ag
from autograd_core.primitive import REGISTRY

NAMES = sorted(REGISTRY)
DIFFERENTIABLE = [name for name in NAMES if REGISTRY[name].record.differentiable]


def cases(names):
    return [pytest.param(name, sample, id=f"{name}{sample!r}") for name in names for sample in samples(name)]


def applied(name, sample, arrays, positions):
    """The outputs of the primitive on `arrays`, those at `positions` as leaves; and the leaves."""
    args = [ag.tensor(a, requires_grad=True) if i in positions else ag.as_tensor(a) for i, a in enumerate(arrays)]
    return several(REGISTRY[name](*args, **sample.params)), [args[i] for i in positions]


def several(out):
    return tuple(out) if isinstance(out, (tuple, list)) else (out,)


def smooth(outputs):
    """The outputs that have gradients: the floating ones."""
    return [out for out in outputs if out.is_floating_point()]


def directions_for(outputs):
    """A random cotangent for each floating output."""
    rng = np.random.default_rng(3)
    return [rng.normal(size=out.shape) for out in smooth(outputs)]


def with_argument(sample, position, value):
    return [value if i == position else a for i, a in enumerate(sample.args)]


@pytest.mark.parametrize("name", NAMES)
def test_the_record_is_complete(name):
    record = REGISTRY[name].record
    assert samples(name), f"{name}: the record has no samples"
    assert record.reference is not None, f"{name}: the record has nothing to compare the value with"


@pytest.mark.parametrize(("name", "sample"), cases(NAMES))
@np.errstate(all="ignore")
def test_value(name, sample):
    expected = several(REGISTRY[name].record.reference(*sample.args, **sample.params))
    outputs, _ = applied(name, sample, sample.args, [])
    for out, right in zip(outputs, expected, strict=True):
        assert out.shape == np.shape(right)
        np.testing.assert_allclose(out.numpy(), right, rtol=1e-13, atol=1e-15)


def weighted(outputs, directions):
    """The sum of all outputs, weighted by the directions: a scalar function to differentiate."""
    return sum((out * v).sum() for out, v in zip(smooth(outputs), directions, strict=True))


@pytest.mark.parametrize(("name", "sample"), cases(DIFFERENTIABLE))
def test_gradient(name, sample):
    positions = trained(REGISTRY[name].record, sample)
    assert positions
    outputs, leaves = applied(name, sample, sample.args, positions)
    directions = directions_for(outputs)
    found = ag.grad(smooth(outputs), leaves, directions)
    for i, dx in zip(positions, found, strict=True):

        def loss(x, i=i):
            return weighted(applied(name, sample, with_argument(sample, i, x), [])[0], directions).item()

        assert dx.shape == sample.args[i].shape
        np.testing.assert_allclose(dx.numpy(), gradient(loss, sample.args[i]), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("name", "sample"), cases(DIFFERENTIABLE))
def test_second_order(name, sample):
    """The gradient of ``<gradient, u>`` for a random u, against differences of the first gradient."""
    positions = trained(REGISTRY[name].record, sample)
    outputs, leaves = applied(name, sample, sample.args, positions)
    cotangents = [ag.tensor(v, requires_grad=True) for v in directions_for(outputs)]
    rng = np.random.default_rng(4)
    moves = [rng.normal(size=sample.args[i].shape) for i in positions]

    def slope(arrays, cotangents, create_graph=False):
        outputs, leaves = applied(name, sample, arrays, positions)
        found = ag.grad(smooth(outputs), leaves, cotangents, create_graph=create_graph)
        return sum((dx * u).sum() for dx, u in zip(found, moves, strict=True)), leaves

    total, leaves = slope(sample.args, cotangents, create_graph=True)
    found = [None] * (len(leaves) + len(cotangents))  # where the gradient depends on nothing
    if total.requires_grad:
        found = ag.grad(total, [*leaves, *cotangents], allow_unused=True)

    def check(dx, numeric):
        np.testing.assert_allclose(0 * numeric if dx is None else dx.numpy(), numeric, rtol=1e-7, atol=1e-7)

    for dx, i in zip(found, positions, strict=False):
        check(dx, gradient(lambda x, i=i: slope(with_argument(sample, i, x), cotangents)[0].item(), sample.args[i]))
    for k, dx in enumerate(found[len(leaves) :]):

        def along(w, k=k):
            return slope(sample.args, [ag.tensor(w) if j == k else v for j, v in enumerate(cotangents)])[0].item()

        check(dx, gradient(along, cotangents[k].detach().numpy()))


@pytest.mark.parametrize(
    ("name", "sample"), cases([name for name in DIFFERENTIABLE if REGISTRY[name].record.keeps_dtype])
)
def test_float32(name, sample):
    """float32 in, float32 out, and gradients of the leaf's dtype that agree with float64's."""
    positions = trained(REGISTRY[name].record, sample)
    single = [a.astype(np.float32) if a.dtype == np.float64 else a for a in sample.args]
    outputs, leaves = applied(name, sample, single, positions)
    references, twins = applied(name, sample, sample.args, positions)
    assert all(out.dtype == ag.float32 for out in smooth(outputs))
    directions = directions_for(outputs)
    found = ag.grad(smooth(outputs), leaves, directions)
    expected = ag.grad(smooth(references), twins, directions)
    for dx, dy in zip(found, expected, strict=True):
        assert dx.dtype == ag.float32
        np.testing.assert_allclose(dx.numpy(), dy.numpy(), rtol=1e-4, atol=1e-5)


LAYOUTS = {
    "strided": lambda a: np.repeat(a, 2, axis=0)[::2],
    "reversed": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "fortran": np.asfortranarray,
    "read-only": lambda a: np.broadcast_to(a, a.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("name", "sample"), cases(DIFFERENTIABLE))
def test_layouts_and_aliasing(name, sample, layout):
    """Any memory layout gives the same gradients; inputs stay as they were; gradients share no memory with data."""
    positions = trained(REGISTRY[name].record, sample)
    arrays = [LAYOUTS[layout](a) if a.ndim else a for a in sample.args]
    before = [a.copy() for a in arrays]
    # from_numpy shares memory, which is what could go wrong here
    args = [ag.from_numpy(a) for a in arrays]
    for i in positions:
        args[i].requires_grad_()
    outputs = several(REGISTRY[name](*args, **sample.params))
    directions = directions_for(outputs)
    ag.backward(smooth(outputs), directions)
    plain, leaves = applied(name, sample, sample.args, positions)
    ag.backward(smooth(plain), directions)
    for i, twin in zip(positions, leaves, strict=True):
        dx = args[i].grad.numpy()
        np.testing.assert_allclose(dx, twin.grad.numpy(), rtol=1e-13, atol=1e-15)
        assert dx.flags.writeable
        assert not any(np.shares_memory(dx, a) for a in [*arrays, *(o.detach().numpy() for o in outputs), *directions])
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("name", "sample"), cases(NAMES))
def test_no_grad(name, sample):
    positions = trained(REGISTRY[name].record, sample) if REGISTRY[name].record.differentiable else []
    with ag.no_grad():
        outputs, _ = applied(name, sample, sample.args, positions)
    again, _ = applied(name, sample, sample.args, positions)
    assert any(out.requires_grad for out in again) == bool(positions)
    for out, other in zip(outputs, again, strict=True):
        assert out.node is None
        assert not out.requires_grad
        np.testing.assert_array_equal(out.numpy(), other.detach().numpy())


@pytest.mark.parametrize(
    ("name", "kink"), [pytest.param(n, k, id=f"{n}{k!r}") for n in NAMES for k in REGISTRY[n].record.kinks]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kinks(name, kink, dtype):
    """The choices at kinks and extremes: value and gradient of the sum of the output."""
    with np.errstate(all="ignore"):
        args = [ag.tensor(np.array(a, dtype), requires_grad=True) for a in kink.args]
        (out,) = several(REGISTRY[name](*args, **kink.params))
        np.testing.assert_allclose(out.detach().numpy(), np.array(kink.value, dtype), rtol=1e-6)
        found = ag.grad(out, args, np.ones(out.shape))
    for dx, expected in zip(found, kink.grads, strict=True):
        if expected is not None:
            np.testing.assert_allclose(dx.numpy(), np.array(expected, dtype), rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_docstring_examples(name):
    """Examples of primitives run too; the doctest collector does not see them, for they are made by a decorator."""
    function = REGISTRY[name]
    public = getattr(ag, name, None)
    if public is function:
        assert function.__doc__, f"{name} is public and has no docstring"
    module = inspect.getmodule(function.record.forward)
    text = inspect.cleandoc(function.__doc__ or "")
    examples.run(doctest.DocTestParser().get_doctest(text, dict(vars(module)), name, None, 0))
