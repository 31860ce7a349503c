"""Random programs: after all passes they compute the same."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Builder, assert_same

from autograd_core.compiler.passes import optimize

NUMBERS = [-2.0, -1, -1.0, -0.0, 0, 0.0, 0.5, 1, 1.0, 2, 3.0]
UNARY = ["neg", "abs", "relu", "tanh", "sigmoid", "clone", "positive", "square", "sign", "cos"]
BINARY = ["add", "sub", "mul", "maximum", "minimum", "eq", "lt", "ne", "div"]
LOGIC = ["logical_and", "logical_or", "logical_xor"]
SHAPES = [(), (1,), (3,), (2, 3), (2, 1), (0, 3), (1, 3), (2, 1, 3)]
KINDS = ["unary", "binary", "number", "power", "where", "guard", "logic", "shape", "reduce"]
POWERS = [0.5, -0.5, 1, 2, 3, -1, -1.0, 2.0]


@st.composite
def programs(draw):
    """A program of a dozen instructions, on arrays with zeros of both signs and without what would overflow."""
    dtype = draw(st.sampled_from(["float32", "float64"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    b = Builder()

    def array(shape):
        simple, others = rng.choice([0.0, 1.0, -1.0], shape), rng.normal(size=shape)
        return np.where(rng.random(shape) < 0.3, simple, others).astype(dtype)

    floats = [b.argument(array(draw(st.sampled_from(SHAPES)))) for _ in range(2)]
    floats += [b.constant(array((3,))), b.constant(np.ones((2, 3), dtype)), b.constant(np.zeros((), dtype))]
    floats += [b.constant(array((2, 3)), fresh=False)]
    bools = [b("gt", floats[0], 0.0)]

    def operand(values):
        return draw(st.sampled_from(values))

    def together(*values):
        shapes = [v.shape for v in values]
        try:
            return np.broadcast_shapes(*shapes)
        except ValueError:
            return None

    for _ in range(draw(st.integers(1, 12))):
        x = operand(floats)
        match operand(KINDS):
            case "unary":
                made = b(operand(UNARY), x)
            case "binary":
                y = operand(floats)
                if together(x, y) is None:
                    continue
                made = b(operand(BINARY), x, y)
            case "number":
                number = operand(NUMBERS)
                made = b(operand(BINARY), *draw(st.permutations([x, number])))
            case "power":
                made = b("pow", x, operand(POWERS))
            case "where":
                c, y = operand([*bools, True, False]), operand([*floats, 0.0, 1])
                if isinstance(y, (int, float)):
                    y = b("mul", x, y)
                if together(*(v for v in (c, x, y) if not isinstance(v, bool))) is None:
                    continue
                made = b("where", c, x, y)
            case "guard":
                c = b("mul", x, b("cast", b("gt", x, 0.5), dtype=np.dtype(dtype)))
                made = b("where", b("eq", x, 0), 0.0, c)
            case "logic":
                p, q = operand(bools), operand([*bools, True, False])
                if not isinstance(q, bool) and together(p, q) is None:
                    continue
                made = b("logical_not", b(operand(LOGIC), p, q))
            case "shape":
                made = changed(b, draw, x)
            case "reduce":
                axis = tuple(d for d in range(x.ndim) if draw(st.booleans()))
                name = operand(["sum", "sum", "amax", "any", "logsumexp", "norm", "standardize", "softmax"])
                if x.size == 0 or not axis:
                    continue
                if name == "standardize":
                    made = draw(st.sampled_from(b.several(name, x, axis=axis, eps=0.1)))
                elif name == "softmax":
                    made = b(name, x, axis=axis[0])
                else:
                    params = {"p": operand([1, 2, 3])} if name == "norm" else {}
                    made = b(name, x, axis=axis, keepdims=draw(st.booleans()), **params)
        values = b.known[made]
        if values.dtype == bool:
            bools.append(made)
        elif values.dtype == dtype and np.all((np.abs(values) < 1e4) & ((np.abs(values) > 1e-4) | (values == 0))):
            floats.append(made)
    return b, b.program(*floats[-3:], bools[-1])


def changed(b, draw, x):
    """The same values in another shape or order, or repeated."""
    match draw(st.sampled_from(["reshape", "permute", "broadcast_to", "index"])):
        case "reshape":
            shapes = [x.shape, (*x.shape, 1), (1, *x.shape), *([(-1,)] if x.size else [])]
            return b("reshape", x, shape=draw(st.sampled_from(shapes)))
        case "permute":
            return b("permute", x, dims=tuple(draw(st.permutations(range(x.ndim)))))
        case "broadcast_to":
            first = draw(st.sampled_from([(), (1,), (2,)]))
            return b("broadcast_to", x, shape=(*first, *x.shape))
        case "index":
            return b("index", x, form=(Ellipsis,))


@given(programs())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_all_passes_together(made):
    b, program = made
    new = optimize(program)
    dtype = next(iter(program.inputs)).dtype
    assert_same(program, new, b.arguments(), rtol=1e-4 if dtype == np.float32 else 1e-10, signs=False)
