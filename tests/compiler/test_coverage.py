"""Which primitives have a native form, over all their samples; the others are named here, so that nothing gets lost."""

import functools

import pytest
from programs import Builder
from samples import samples

from autograd_core.compiler.nodes import Host, lower
from autograd_core.compiler.passes import decompose
from autograd_core.primitive import REGISTRY

DECOMPOSITIONS_OF_MATRICES = {
    "cholesky", "cofactors", "det", "eigh", "inv", "matrix_exp", "pinv", "qr", "slogdet", "solve", "solve_triangular",
    "svd",
}  # fmt: skip
"""LAPACK's work, which takes longer than the way to Python."""

DEPENDING_ON_DATA = {"bincount", "distinct", "nonzero"}
"""The shape of the result is not known before."""

SELDOM = {"digamma", "einsum", "erfinv", "histc", "lgamma", "overlap", "polygamma"}
"""Functions that nobody trains with, or that others are made of."""

IN_PYTHON = DECOMPOSITIONS_OF_MATRICES | DEPENDING_ON_DATA | SELDOM

IN_PYTHON_IN_SOME_FORMS = {
    "index": "masks, which make the shape of the result depend on data",
    "places": "masks",
    "put": "masks",
    "set": "masks beside other indices",
    "linear": "no elements",
    "log_softmax": "no elements",
    "logsumexp": "no elements",
    "softmax": "no elements",
    "standardize": "no elements",
}


@functools.cache
def native(name):
    """Of each sample of a primitive, whether a program of it runs without Python."""
    found = []
    for sample in samples(name):
        b = Builder()
        program = b.program(*b.several(name, *map(b.argument, sample.args), **sample.params))
        found.append(not any(isinstance(node, Host) for node in lower(decompose(program)).nodes))
    return found


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_native_or_named_here(name):
    forms = native(name)
    assert forms, "a primitive without samples"
    if name in IN_PYTHON:
        assert not any(forms), "it is native now: take it off the list"
    elif name in IN_PYTHON_IN_SOME_FORMS:
        assert any(forms), "no form of it is native"
        assert not all(forms), "all forms are native now: take it off the list"
    else:
        assert all(forms), "it runs in Python: write a lowering, or put it on a list here, with the reason"


def test_lists_name_primitives():
    assert {*IN_PYTHON, *IN_PYTHON_IN_SOME_FORMS} <= set(REGISTRY)
    assert not IN_PYTHON & set(IN_PYTHON_IN_SOME_FORMS)
