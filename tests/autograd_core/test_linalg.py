"""Products, solutions, decompositions and norms, beyond what their records and PyTorch's samples test."""

import itertools
import sys

import numpy as np
import pytest
from differences import gradient

import autograd_core as ag
from autograd_core import linalg


def check(function, *arrays, rtol=1e-7):
    """The gradient of a scalar function of tensors against differences; its value is returned."""
    leaves = [ag.tensor(a, requires_grad=True) for a in arrays]
    out = function(*leaves)
    found = ag.grad(out, leaves)
    for i, dx in enumerate(found):
        numeric = gradient(
            lambda x, i=i: function(*[ag.tensor(x if j == i else a) for j, a in enumerate(arrays)]).item(), arrays[i]
        )
        np.testing.assert_allclose(dx.numpy(), numeric, rtol=rtol, atol=1e-8)
    return out.item()


def slope(function, array):
    """The gradient of a scalar function at an array."""
    x = ag.tensor(np.array(array, np.float64), requires_grad=True)
    return ag.grad(function(x), x)[0].numpy()


# Products


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk", [(2, 3), (3, 4)]),
        ("ba", [(2, 3)]),
        ("ij , jk -> ki", [(2, 3), (3, 4)]),
        ("...ij,...jk->...ik", [(5, 2, 3), (4, 1, 3, 2)]),
        ("...i,i...", [(2, 3), (3, 2)]),
        ("i...->...", [(3, 2)]),
        ("...", [(2, 3)]),
        ("ii", [(3, 3)]),
        ("ijij->ji", [(2, 3, 2, 3)]),
        ("ij,ij->", [(2, 3), (2, 3)]),
        ("ij,jk,kl,l->i", [(2, 3), (3, 4), (4, 2), (2,)]),
        ("aB,Bc->ac", [(2, 3), (3, 2)]),
        (",->", [(), ()]),
    ],
)
def test_einsum_as_numpy(rng, equation, shapes):
    arrays = [rng.normal(size=s) for s in shapes]
    expected = np.einsum(equation, *arrays)
    np.testing.assert_allclose(ag.einsum(equation, *map(ag.tensor, arrays)).numpy(), expected, rtol=1e-13)
    np.testing.assert_allclose(ag.einsum(equation, list(map(ag.tensor, arrays))).numpy(), expected, rtol=1e-13)
    direction = rng.normal(size=expected.shape)
    check(lambda *x: (ag.einsum(equation, *x) * direction).sum(), *arrays)


def test_einsum_sums_an_ellipsis_the_output_leaves_out(rng):
    a = rng.normal(size=(4, 2, 3))
    np.testing.assert_allclose(ag.einsum("...ij->ji", ag.tensor(a)).numpy(), a.sum(0).T, rtol=1e-13)


def test_einsum_by_numbers(rng):
    a, b = rng.normal(size=(5, 2, 3)), rng.normal(size=(3, 4))
    out = ag.einsum(ag.tensor(a), [..., 0, 1], ag.tensor(b), [1, 2], [2, ..., 0])
    np.testing.assert_allclose(out.numpy(), np.einsum("bij,jk->kbi", a, b), rtol=1e-13)
    assert ag.einsum(ag.tensor(b), [0, 1]).shape == (3, 4)


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("ij,jk", "got 1 operands for 2 terms in 'ij,jk'"),
        ("i", "operand 0 has 2 dimensions, not the 1 of 'i'"),
        ("ij->k", "the output has 'k', which no operand has"),
        ("ij->ii", "the output names a dimension twice"),
        ("i1", "unexpected '1'"),
    ],
)
def test_einsum_explains_what_does_not_fit(equation, message):
    with pytest.raises(ValueError, match=message):
        ag.einsum(equation, ag.ones(2, 3))


def test_einsum_names_operands_of_different_sizes():
    with pytest.raises(ValueError, match=r"einsum\(float32\[2, 3\], float32\[2, 3\]\): a dimension of 'ij,jk->ik'"):
        ag.einsum("ij,jk", ag.ones(2, 3), ag.ones(2, 3))


@pytest.mark.parametrize("dims", [0, 1, 2, ([0], [3]), ([0, 2], [3, 1]), (-1, 0)])
def test_tensordot_as_numpy(rng, dims):
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 4, 3, 2))
    if dims == 2:
        b = rng.normal(size=(3, 4, 2))
    expected = np.tensordot(a, b, dims)
    np.testing.assert_allclose(ag.tensordot(ag.tensor(a), ag.tensor(b), dims).numpy(), expected, rtol=1e-13)


def test_products_of_nothing_are_zeros():
    a, b = ag.zeros(2, 0, requires_grad=True), ag.zeros(0, 3, requires_grad=True)
    out = a @ b
    np.testing.assert_array_equal(out.detach().numpy(), np.zeros((2, 3)))
    assert [g.shape for g in ag.grad(out.sum(), [a, b])] == [(2, 0), (0, 3)]


def test_beta_zero_does_not_look_at_the_input():
    nan = ag.full((2, 2), np.nan)
    assert ag.addmm(nan, ag.ones(2, 3), ag.ones(3, 2), beta=0, alpha=2).tolist() == [[6.0, 6.0], [6.0, 6.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ag.mm(ag.ones(2, 3), ag.ones(2, 3)),
            r"mm: expected a matrix and a matrix of shapes \(n, k\) and \(k, m\), got \(2, 3\) and",
        ),
        (
            lambda: ag.bmm(ag.ones(2, 3, 4), ag.ones(1, 4, 3)),
            r"bmm: expected two batches of matrices of shapes \(b, n, k\) and",
        ),
        (lambda: ag.mv(ag.ones(2, 3), ag.ones(2)), "mv: expected a matrix and a vector"),
        (lambda: ag.dot(ag.ones(2, 3), ag.ones(2)), "dot: expected two vectors"),
        (lambda: ag.outer(ag.ones(2, 3), ag.ones(2)), "outer: expected two vectors"),
        (lambda: ag.matmul(ag.ones(2, 3), ag.ones(2, 3)), "matmul: expected"),
        (lambda: ag.addmm(ag.ones(3, 2, 2), ag.ones(2, 3), ag.ones(3, 2)), "addmm: input of shape"),
        (lambda: ag.addmv(ag.ones(5), ag.ones(2, 3), ag.ones(3)), "addmv: shapes"),
        (lambda: ag.tensordot(ag.ones(2, 3), ag.ones(2, 3), 1), "tensordot: dimensions"),
        (lambda: ag.tensordot(ag.ones(2, 3), ag.ones(2, 3), ([0, 1], [0])), "tensordot: dims pairs 2 dimensions"),
        (lambda: ag.tensordot(ag.ones(2), ag.ones(2), 2), "tensordot: dims=2 does not fit"),
        (lambda: ag.trace(ag.ones(2, 2, 2)), "trace: expected a matrix"),
        (lambda: ag.cross(ag.ones(2, 2), ag.ones(2, 2)), "cross: expected a dimension of size 3"),
        (lambda: linalg.cross(ag.ones(3, 2), ag.ones(3, 2)), r"linalg\.cross: expected size 3 in dim -1"),
        (lambda: linalg.multi_dot([ag.ones(2, 2)]), "multi_dot: expected two or more"),
        (lambda: ag.cdist(ag.ones(2, 3), ag.ones(2, 2)), "cdist: expected shapes"),
        (lambda: ag.cdist(ag.ones(2, 3), ag.ones(2, 3), -1), "cdist: p must be at least 0"),
        (lambda: linalg.det(ag.ones(2, 3)), "det: expected square matrices"),
        (lambda: linalg.svd(ag.ones(3)), "svd: expected matrices"),
        (lambda: linalg.qr(ag.ones(3, 2), "raw"), "qr: mode must be"),
        (lambda: linalg.eigh(ag.ones(2, 2), "X"), "eigh: UPLO must be"),
        (lambda: linalg.solve(ag.ones(3, 3), ag.ones(2, 1)), "solve: A of shape"),
        (lambda: linalg.solve_triangular(ag.ones(3, 3), ag.ones(2, 1), upper=True), "solve_triangular: B of shape"),
        (lambda: linalg.lstsq(ag.ones(3, 2), ag.ones(2, 1)), "lstsq: A of shape"),
        (lambda: linalg.lstsq(ag.ones(3, 2), ag.ones(3, 1), driver="x"), "lstsq: driver must be"),
        (lambda: linalg.matrix_norm(ag.ones(2, 2), 3), "matrix_norm: ord must be"),
        (lambda: linalg.matrix_norm(ag.ones(2, 2), dim=(0,)), "matrix_norm: dim must be two"),
        (lambda: linalg.norm(ag.ones(2, 2, 2), 1), r"linalg\.norm: with ord, expected"),
        (lambda: linalg.norm(ag.ones(2), "nuc"), r"linalg\.norm: ord 'nuc' is not a norm"),
        (lambda: linalg.tensorinv(ag.ones(2, 3), 1), "tensorinv: the first 1 sizes"),
        (lambda: linalg.tensorsolve(ag.ones(2, 3), ag.ones(2)), "tensorsolve: shape"),
    ],
)
def test_bad_shapes_name_the_operation(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_chain_is_multiplied_in_the_cheapest_order(rng):
    """Cormen's example has its optimum at ((A1 (A2 A3)) ((A4 A5) A6))."""
    sizes = [30, 35, 15, 5, 10, 20, 25]
    arrays = [rng.normal(size=pair) for pair in itertools.pairwise(sizes)]
    products = []
    with ag.record():
        leaves = [ag.tensor(a, requires_grad=True) for a in arrays]
        node = linalg.multi_dot(leaves).node
    stack = [node]
    while stack:
        found = stack.pop()
        left, right = found.trace.inputs
        products.append(left.shape[0] * left.shape[1] * right.shape[1])
        stack += [p for p in found.parents if not isinstance(p, ag.Tensor)]
    assert sum(products) == 15125
    np.testing.assert_allclose(ag.chain_matmul(*arrays), np.linalg.multi_dot(arrays), rtol=1e-10)


def test_multi_dot_of_vectors_at_the_ends(rng):
    a, b, c = rng.normal(size=3), rng.normal(size=(3, 4)), rng.normal(size=4)
    np.testing.assert_allclose(linalg.multi_dot([ag.tensor(a), b, c]).numpy(), a @ b @ c, rtol=1e-13)
    assert linalg.multi_dot([ag.tensor(a), b]).shape == (4,)


def test_cdist_at_distance_zero_has_gradient_zero():
    """And the other pairs are not affected: the gradient of |x - y| by x is (x - y) / |x - y|."""
    y = np.array([[1.0, 2.0], [4.0, 6.0]])
    np.testing.assert_allclose(slope(lambda x: ag.cdist(x, y).sum(), [[1.0, 2.0]]), [[-0.6, -0.8]], rtol=1e-14)


def test_cross_of_the_first_dimension_of_size_three(rng):
    a, b = rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 3, 3))
    np.testing.assert_allclose(ag.cross(ag.tensor(a), ag.tensor(b)).numpy(), np.cross(a, b, axis=1), rtol=1e-13)
    check(lambda x, y: (ag.cross(x, y) ** 2).sum(), a, b)


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 5])
def test_powers_of_matrices(rng, n):
    a = rng.normal(size=(2, 3, 3)) + 2 * np.eye(3)
    np.testing.assert_allclose(ag.matrix_power(ag.tensor(a), n).numpy(), np.linalg.matrix_power(a, n), rtol=1e-9)
    check(lambda x: (ag.matrix_power(x, n) * a).sum(), a, rtol=1e-6)


def test_the_zeroth_power_is_the_identity_of_the_same_dtype():
    assert ag.matrix_power(ag.full((2, 2), np.inf), 0).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert ag.matrix_power(ag.ones(2, 2), 0).dtype == ag.float32


def test_the_exponential_of_a_rotation():
    """``exp(t J)`` is a rotation by t; its derivative by t is J times it, of every order."""
    j = np.array([[0.0, -1.0], [1.0, 0.0]])
    t = ag.tensor(np.array(0.7), requires_grad=True)
    out = ag.matrix_exp(t * j)[1, 0]
    for expected in (np.sin(0.7), np.cos(0.7), -np.sin(0.7), -np.cos(0.7)):
        np.testing.assert_allclose(out.item(), expected, rtol=1e-12)
        (out,) = ag.grad(out, t, create_graph=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exponentials_of_every_size(rng, dtype):
    """A batch of small and large matrices, beside V exp(w) V' of symmetric ones; NaN stays NaN."""
    a = rng.normal(size=(5, 4, 4)) * np.array([0, 1e-8, 0.1, 3, 20])[:, None, None]
    w, v = np.linalg.eigh(a + a.mT)
    expected = (v * np.exp(w)[:, None, :]) @ v.mT
    found = ag.matrix_exp(ag.tensor((a + a.mT).astype(dtype))).numpy()
    assert found.dtype == dtype
    error = np.linalg.norm(found - expected, axis=(1, 2)) / np.linalg.norm(expected, axis=(1, 2))
    assert (error < 200 * np.finfo(dtype).eps).all()
    assert np.isnan(ag.matrix_exp(ag.full((2, 2), np.nan)).numpy()).all()


# Determinants, inverses, solutions


def test_the_gradient_of_a_singular_determinant_is_the_adjugate():
    np.testing.assert_allclose(slope(ag.det, [[1.0, 2.0], [2.0, 4.0]]), [[4, -2], [-2, 1]], rtol=1e-12)
    # of rank n - 1, n - 2, and in a batch with a regular one
    batch = np.array([np.diag([2.0, 3.0, 0.0]), np.diag([2.0, 0.0, 0.0]), np.diag([1.0, 2.0, 4.0])])
    expected = [np.diag([0.0, 0.0, 6.0]), np.zeros((3, 3)), np.diag([8.0, 4.0, 2.0])]
    np.testing.assert_allclose(slope(lambda x: ag.det(x).sum(), batch), expected, atol=1e-14)


def test_second_derivatives_of_a_determinant_with_equal_singular_values():
    """At the identity: d2 det / dA[i,i] dA[j,j] = 1 and d2 det / dA[i,j] dA[j,i] = -1 for i != j."""
    x = ag.tensor(np.eye(2), requires_grad=True)
    (first,) = ag.grad(ag.det(x), x, create_graph=True)
    np.testing.assert_allclose(ag.grad(first[0, 0], x, retain_graph=True)[0].numpy(), [[0, 0], [0, 1]], atol=1e-14)
    np.testing.assert_allclose(ag.grad(first[0, 1], x)[0].numpy(), [[0, 0], [-1, 0]], atol=1e-14)


def test_log_determinants(rng):
    a = rng.normal(size=(3, 3))
    a = a @ a.T + np.eye(3)
    np.testing.assert_allclose(check(ag.logdet, a), np.log(np.linalg.det(a)), rtol=1e-12)
    np.testing.assert_allclose(slope(ag.logdet, a), np.linalg.inv(a).T, rtol=1e-10)
    assert ag.slogdet(ag.eye(400) * 1e-3).logabsdet.item() == pytest.approx(400 * np.log(1e-3))
    assert ag.logdet(ag.zeros(2, 2)).item() == -np.inf
    assert np.isnan(ag.logdet(ag.tensor([[-1.0]])).item())
    assert np.isnan(slope(ag.logdet, [[-1.0]])).all()


SINGULAR = [[1.0, 2.0], [2.0, 4.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: linalg.inv(x), r"inv\(float64\[2, 2\]\): a matrix is singular; use pinv"),
        (lambda x: linalg.solve(x, np.ones(2)), r"solve\(.*a matrix is singular; use lstsq"),
        (lambda x: linalg.cholesky(x), r"cholesky\(.*not positive definite"),
        (lambda x: linalg.solve_triangular(x * 0, np.ones((2, 1)), upper=True), r"solve_triangular\(.*diagonal"),
        (lambda x: linalg.solve_triangular(x * 0, np.ones((3, 2, 1)), upper=True), r"solve_triangular\(.*diagonal"),
    ],
)
def test_singular_matrices_are_named(call, message):
    with pytest.raises(np.linalg.LinAlgError, match=message):
        call(ag.tensor(np.array(SINGULAR)))


def test_the_forms_of_solve(rng):
    a, b = rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 3, 3))
    x = linalg.solve(ag.tensor(a), ag.tensor(b), left=False)
    np.testing.assert_allclose(x.numpy() @ a, b, rtol=1e-9, atol=1e-12)
    vectors = linalg.solve(ag.tensor(a), ag.tensor(b[:, :, 0]))  # PyTorch's rule: vectors, for the batch fits
    np.testing.assert_allclose(np.einsum("bij,bj->bi", a, vectors.numpy()), b[:, :, 0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.linalg.solve(ag.tensor(a), b[0]).numpy(), np.linalg.solve(a, b[0]), rtol=1e-9)
    np.testing.assert_allclose(np.linalg.solve(ag.tensor(a), b[0, 0]).numpy(), np.linalg.solve(a, b[0, 0]), rtol=1e-9)
    check(lambda p, q: (linalg.solve(p, q, left=False) ** 2).sum(), a + 3 * np.eye(3), b[0])


@pytest.mark.parametrize("unitriangular", [False, True])
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("upper", [False, True])
def test_triangles_with_and_without_scipy(rng, monkeypatch, upper, left, unitriangular):
    a, b = rng.normal(size=(3, 3)) + 3 * np.eye(3), rng.normal(size=(3, 3))
    options = {"upper": upper, "left": left, "unitriangular": unitriangular}
    triangle = np.triu(a) if upper else np.tril(a)
    if unitriangular:
        np.fill_diagonal(triangle, 1)
    found = linalg.solve_triangular(ag.tensor(a), ag.tensor(b), **options).numpy()
    np.testing.assert_allclose(triangle @ found if left else found @ triangle, b, rtol=1e-12, atol=1e-12)
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    np.testing.assert_allclose(linalg.solve_triangular(ag.tensor(a), ag.tensor(b), **options).numpy(), found)
    check(lambda x: (linalg.solve_triangular(x, b, **options) ** 2).sum(), a)


@pytest.mark.parametrize("upper", [False, True])
def test_solving_with_a_cholesky_factor(rng, upper):
    a = rng.normal(size=(2, 3, 3))
    a = a @ a.mT + np.eye(3)
    b = rng.normal(size=(2, 3, 2))
    factor = linalg.cholesky(ag.tensor(a), upper=upper)
    np.testing.assert_allclose(ag.cholesky_solve(ag.tensor(b), factor, upper).numpy(), np.linalg.solve(a, b), rtol=1e-9)
    np.testing.assert_allclose(ag.cholesky_inverse(factor, upper).numpy(), np.linalg.inv(a), rtol=1e-9)
    check(lambda x, y: (ag.cholesky_solve(y, ag.cholesky(x, upper), upper) ** 2).sum(), a, b, rtol=1e-6)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3)])
def test_least_squares_as_numpy(rng, shape):
    a, b = rng.normal(size=shape), rng.normal(size=(shape[0], 2))
    found = linalg.lstsq(ag.tensor(a), ag.tensor(b), driver="gelsd")
    for mine, theirs in zip(found, np.linalg.lstsq(a, b), strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs, rtol=1e-9, atol=1e-12)
    vector = linalg.lstsq(ag.tensor(a), ag.tensor(b[:, 0]))
    np.testing.assert_allclose(vector.solution.numpy(), found.solution.numpy()[:, 0], rtol=1e-12)
    check(lambda x, y: (linalg.lstsq(x, y).solution ** 2).sum(), a, b, rtol=1e-6)


def test_least_squares_of_deficient_rank_gives_the_smallest_solution():
    a, b = np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]), np.array([1.0, 3.0, 0.0])
    found = linalg.lstsq(ag.tensor(a), ag.tensor(b))
    np.testing.assert_allclose(found.solution.numpy(), [1.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(found.residuals.numpy(), [2.0], rtol=1e-12)
    assert found.rank.item() == 1


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_pseudo_inverse_at_constant_rank(rng, rank):
    left, right = rng.normal(size=(4, rank)), rng.normal(size=(3, rank))
    a = left @ right.T
    np.testing.assert_allclose(linalg.pinv(ag.tensor(a)).numpy(), np.linalg.pinv(a, rcond=1e-12), rtol=1e-8, atol=1e-12)
    direction = rng.normal(size=(3, 4))
    check(lambda u, v: (linalg.pinv(u @ v.mT) * direction).sum(), left, right, rtol=1e-6)


def test_tolerances_of_the_pseudo_inverse_and_the_rank():
    a = ag.tensor(np.stack([np.diag([4.0, 1.0]), np.diag([4.0, 3.0])]))
    assert linalg.matrix_rank(a, rtol=0.5).tolist() == [1, 2]
    assert linalg.matrix_rank(a, atol=3.5).tolist() == [1, 1]
    np.testing.assert_allclose(linalg.pinv(a, rtol=ag.tensor([0.5, 0.9])).numpy()[:, 1, 1], [0, 0])
    np.testing.assert_allclose(linalg.pinv(a, atol=2.0).numpy()[:, 1, 1], [0, 1 / 3])
    assert linalg.matrix_rank(ag.zeros(3, 0)).item() == 0


def test_tensor_equations(rng):
    a, b = rng.normal(size=(2, 3, 6)), rng.normal(size=(2, 3))
    np.testing.assert_allclose(linalg.tensorsolve(ag.tensor(a), ag.tensor(b)).numpy(), np.linalg.tensorsolve(a, b))
    np.testing.assert_allclose(np.linalg.tensorinv(ag.tensor(a)).numpy(), np.linalg.tensorinv(a), rtol=1e-9)


# Decompositions: what does not depend on signs


def values_and_planes(u, s, vh):
    """Functions of a singular value decomposition that are the same for every choice of signs."""
    k = s.shape[-1]
    return s, u[..., :, :k] ** 2, vh[..., :k, :] ** 2, u[..., :, :k] @ vh[..., :k, :]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 2, 5)])
def test_svd_beside_pytorch(rng, shape, full):
    torch = pytest.importorskip("torch")
    a = rng.normal(size=shape)
    x, y = ag.tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    mine = values_and_planes(*linalg.svd(x, full_matrices=full))
    theirs = values_and_planes(*torch.linalg.svd(y, full_matrices=full))
    for p, q in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-9, atol=1e-12)
        v = rng.normal(size=p.shape)
        (dx,) = ag.grad(p, x, v, retain_graph=True)
        (dy,) = torch.autograd.grad(q, y, torch.tensor(v), retain_graph=True)
        np.testing.assert_allclose(dx.numpy(), dy.numpy(), rtol=1e-7, atol=1e-9)
    u, s, v = ag.svd(x, some=not full)
    assert u.shape[-1] == (shape[-2] if full else min(shape[-2:]))
    np.testing.assert_allclose((u[..., : s.shape[-1]] * s[..., None, :] @ v[..., : s.shape[-1]].mT).detach(), a)


@pytest.mark.parametrize("shape", [(5, 2), (2, 5)])
def test_the_columns_that_complete_a_basis_have_their_gradient(rng, shape):
    """The projection on the null space is smooth, whatever basis of it was chosen (PyTorch has no gradient for it)."""
    a, weights = rng.normal(size=shape), rng.normal(size=(5, 5))

    def by_svd(x):
        u, _, vh = linalg.svd(x)
        rest = u[:, 2:] if shape[0] == 5 else vh[2:].mT
        return (rest @ rest.mT * weights).sum()

    def by_qr(x):
        rest = linalg.qr(x if shape[0] == 5 else x.mT, "complete").Q[:, 2:]
        return (rest @ rest.mT * weights).sum()

    assert check(by_svd, a) == pytest.approx(check(by_qr, a))


def test_svd_without_vectors(rng):
    a = ag.tensor(rng.normal(size=(3, 2)))
    u, s, v = ag.svd(a, compute_uv=False)
    assert (u.shape, v.shape) == ((3, 3), (2, 2))
    assert not u.numpy().any()
    np.testing.assert_allclose(s.numpy(), linalg.svdvals(a).numpy())


@pytest.mark.parametrize("array", [np.eye(3), np.zeros((3, 3)), np.zeros((4, 3)), np.diag([2.0, 2.0, 1.0])])
def test_equal_singular_values(array):
    """A gradient through the values is finite; one through the vectors says that there is none."""
    assert np.isfinite(slope(lambda x: (linalg.svdvals(x) ** 2).sum(), array)).all()
    np.testing.assert_allclose(slope(lambda x: (linalg.svdvals(x) ** 2).sum(), array), 2 * array, atol=1e-14)
    assert not np.isfinite(slope(lambda x: (linalg.svd(x, False).U * [[0, 1, 2]]).sum(), array)).all()


@pytest.mark.parametrize("uplo", [None, "L", "U"])
def test_eigh_beside_pytorch(rng, uplo):
    torch = pytest.importorskip("torch")
    a = rng.normal(size=(2, 4, 4))
    a = a + a.mT if uplo is None else a
    x, y = ag.tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    w, v = linalg.eigh(x, uplo)
    theirs = torch.linalg.eigh(y, uplo or "L")
    mine, theirs = (w, v**2, linalg.eigvalsh(x, uplo)), (theirs[0], theirs[1] ** 2, theirs[0])
    for p, q in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-9, atol=1e-12)
        direction = rng.normal(size=p.shape)
        (dx,) = ag.grad(p, x, direction, retain_graph=True)
        (dy,) = torch.autograd.grad(q, y, torch.tensor(direction), retain_graph=True)
        dx, dy = dx.numpy(), dy.numpy()
        if uplo is not None:
            assert not np.triu(dx if uplo == "L" else dx.mT, 1).any()
        np.testing.assert_allclose(dx + dx.mT, dy + dy.mT, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("uplo", [None, "L", "U"])
def test_functions_of_a_symmetric_matrix(rng, uplo):
    """``V exp(w) V'`` is the matrix exponential, whatever the signs of V."""
    weights = rng.normal(size=(3, 3))
    a = rng.normal(size=(3, 3))

    def exponential(x):
        w, v = linalg.eigh(x, uplo)
        return (v * ag.exp(w) @ v.mT * weights).sum()

    part = {None: (a + a.T) / 2, "L": np.tril(a) + np.tril(a, -1).T, "U": np.triu(a) + np.triu(a, 1).T}[uplo]
    assert check(exponential, a) == pytest.approx((ag.matrix_exp(part) * weights).sum())


def test_equal_eigenvalues():
    np.testing.assert_allclose(slope(lambda x: linalg.eigvalsh(x).sum(), np.eye(3)), np.eye(3), atol=1e-14)
    assert not np.isfinite(slope(lambda x: linalg.eigh(x).eigenvectors[0, 1], np.eye(2))).all()


def test_the_gradient_of_cholesky_is_symmetric(rng):
    """``sum(log(diag(L))) = log(det(A)) / 2``, whose gradient is ``inv(A) / 2``."""
    a = rng.normal(size=(3, 3))
    a = a @ a.T + np.eye(3)
    found = slope(lambda x: ag.log(linalg.diagonal(linalg.cholesky(x))).sum(), a)
    np.testing.assert_allclose(found, np.linalg.inv(a) / 2, rtol=1e-9)


@pytest.mark.parametrize("mode", ["reduced", "complete", "r"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2)])
def test_qr_of_every_shape(rng, shape, mode):
    a = rng.normal(size=shape)
    q, r = linalg.qr(ag.tensor(a), mode)
    expected = np.linalg.qr(a, mode)
    np.testing.assert_allclose(r.numpy(), expected if mode == "r" else expected.R, rtol=1e-9, atol=1e-12)
    assert q.shape == ((0,) if mode == "r" else expected.Q.shape)
    weights = rng.normal(size=r.shape)
    check(lambda x: (linalg.qr(x, mode).R * weights).sum(), a, rtol=1e-6)
    if mode == "reduced":
        weights = rng.normal(size=q.shape)
        check(lambda x: (linalg.qr(x).Q * weights).sum(), a, rtol=1e-6)


def test_decompositions_of_integers_and_single_precision():
    assert linalg.svdvals(ag.tensor([[3, 0], [0, 4]])).tolist() == [4.0, 3.0]
    assert linalg.det(ag.tensor([[1, 2], [3, 4]])).dtype == ag.float32
    x = ag.tensor(np.ones((2, 3), np.float32), requires_grad=True)
    assert ag.grad(linalg.svdvals(x).sum(), x)[0].dtype == ag.float32


# Norms


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_matrix_norms_as_numpy(rng, ord):
    a = rng.normal(size=(2, 3, 4))
    for dim, keepdim in (((-2, -1), False), ((2, 0), True), ((0, 1), False)):
        found = linalg.matrix_norm(ag.tensor(a), ord, dim, keepdim).numpy()
        np.testing.assert_allclose(found, np.linalg.norm(a, ord, dim, keepdim), rtol=1e-12)
    check(lambda x: linalg.matrix_norm(x, ord, (2, 0)).sum(), a)


@pytest.mark.parametrize("ord", [None, "fro", "nuc", 1, 2, np.inf])
def test_norms_at_zero_have_gradient_zero(ord):
    np.testing.assert_array_equal(slope(lambda x: linalg.norm(x, ord), np.zeros((2, 2))), np.zeros((2, 2)))


def test_norms_of_rows_are_apart():
    found = slope(lambda x: linalg.vector_norm(x, dim=1).sum(), [[0.0, 0.0], [3.0, 4.0]])
    np.testing.assert_allclose(found, [[0, 0], [0.6, 0.8]], rtol=1e-14)


def test_ties_share_the_gradient():
    assert slope(lambda x: linalg.norm(x, np.inf), [1.0, -2.0, 2.0]).tolist() == [0.0, -0.5, 0.5]
    assert slope(lambda x: linalg.norm(x, np.inf), [[1.0, 2.0], [3.0, 0.0]]).tolist() == [[0.5, 0.5], [0.5, 0.0]]
    np.testing.assert_allclose(slope(lambda x: linalg.norm(x, 2), np.eye(2)), np.eye(2) / 2, atol=1e-15)


def test_condition_numbers(rng):
    a = rng.normal(size=(2, 3, 3))
    a[1, 2] = a[1, 1]
    for p in (None, 2, -2, "fro", 1, np.inf):
        found = linalg.cond(ag.tensor(a), p).numpy()
        np.testing.assert_allclose(found[0], np.linalg.cond(a, p)[0], rtol=1e-9)
    assert linalg.cond(ag.tensor(np.ones((2, 2))), 1).item() == np.inf
    check(lambda x: linalg.cond(x, 1), a[0] + 3 * np.eye(3))
    check(lambda x: linalg.cond(x), a[0] + 3 * np.eye(3))


# NumPy's own functions

A, B, S = np.random.default_rng(0).normal(size=(3, 3, 3))
S = S @ S.T + np.eye(3)

NUMPY = {
    "matmul": lambda x: np.linalg.matmul(x, B),
    "dot of matrices": lambda x: np.dot(x, B),
    "dot with a number": lambda x: np.dot(x, 2.0),
    "dot of more dimensions": lambda x: np.dot(x[None], np.stack([A, B])),
    "inner": lambda x: np.inner(x, B),
    "outer": lambda x: np.outer(x, B[0]),
    "vdot": lambda x: np.vdot(x, B),
    "einsum": lambda x: np.einsum("ij,jk->k", x, B, optimize=True),
    "tensordot": lambda x: np.tensordot(x, B, axes=1),
    "trace": lambda x: np.trace(x, offset=-1),
    "linalg.trace": np.linalg.trace,
    "cross": lambda x: np.cross(x, B, axis=0),
    "cross of columns": lambda x: np.cross(x, B, axisa=0, axisc=0),
    "linalg.cross": lambda x: np.linalg.cross(x, B, axis=0),
    "vecdot": lambda x: np.linalg.vecdot(x, B),
    "diagonal": lambda x: np.linalg.diagonal(x, offset=1),
    "norm": np.linalg.norm,
    "norm of rows": lambda x: np.linalg.norm(x, axis=1, keepdims=True),
    "nuclear norm": lambda x: np.linalg.norm(x, "nuc"),
    "vector_norm": lambda x: np.linalg.vector_norm(x, axis=0, ord=3),
    "matrix_norm": lambda x: np.linalg.matrix_norm(x, ord=1),
    "cond": np.linalg.cond,
    "det": np.linalg.det,
    "slogdet": lambda x: np.linalg.slogdet(x).logabsdet,
    "inv": np.linalg.inv,
    "solve": lambda x: np.linalg.solve(x, B[0]),
    "pinv": lambda x: np.linalg.pinv(x[:, :2]),
    "lstsq": lambda x: np.linalg.lstsq(x[:, :2], B[0])[0],
    "matrix_power": lambda x: np.linalg.matrix_power(x, 3),
    "multi_dot": lambda x: np.linalg.multi_dot([x, B, x]),
    "tensorinv": lambda x: np.linalg.tensorinv(x, 1),
    "tensorsolve": lambda x: np.linalg.tensorsolve(x, B[0]),
    "qr": lambda x: np.linalg.qr(x).R,
    "qr without Q": lambda x: np.linalg.qr(x, "r"),
    "svd": lambda x: np.linalg.svd(x, full_matrices=False).S,
    "svd without vectors": lambda x: np.linalg.svd(x, compute_uv=False),
    "svdvals": np.linalg.svdvals,
    "cholesky": lambda x: np.linalg.cholesky(x @ x.T),
    "eigh": lambda x: np.linalg.eigh(x @ x.T).eigenvalues,
    "eigvalsh": lambda x: np.linalg.eigvalsh(x @ x.T, "U"),
}


@pytest.mark.parametrize("name", NUMPY)
def test_numpys_functions(name):
    call = NUMPY[name]
    out = call(ag.tensor(S + A))
    assert isinstance(out, ag.Tensor)
    np.testing.assert_allclose(out.numpy(), call(S + A), rtol=1e-9, atol=1e-12)
    check(lambda x: (call(x) ** 2).sum(), S + A, rtol=1e-6)


def test_numpys_rank_and_signs():
    assert np.linalg.matrix_rank(ag.tensor(np.ones((3, 2)))).item() == 1
    assert np.linalg.slogdet(ag.tensor(-np.eye(3))).sign.item() == -1
