"""Random programs of everything that has a form of its own in native code."""

import numpy as np
from hypothesis import strategies as st
from programs import Builder

from autograd_core import Tensor
from autograd_core.compiler.program import Captured, Gradient, Program, Result, State

SHAPES = [
    [(4, 3), (4, 3), (3,), (4, 1), (4, 3), ()],
    [(2, 3, 4), (2, 3, 4), (3, 4), (4,), (2, 1, 1), (2, 3, 1), (2, 1, 4)],
    [(), (1,), (3,), (2, 3), (2, 1), (1, 3), (3, 2), (2, 3, 2), (2, 1, 2), (0, 3)],
    [(3, 3), (3, 3), (3,), (1, 3), (3, 1)],
]
"""A program has its shapes from one of these: the first fit together more often."""

UNARY = ["neg", "abs", "relu", "tanh", "sigmoid", "clone", "square", "cos"]
BINARY = ["add", "sub", "mul", "maximum", "minimum", "lt", "ge"]
KINDS = [
    *("unary", "unary", "unary", "binary", "binary", "binary", "number", "where", "reduce", "reduce", "softmax"),
    *("matmul", "view", "view", "cat", "pad", "gather", "option", "cast"),
]


class Random:
    """A program in the making, with a choice at every turn."""

    def __init__(self, draw, dtype, length):
        self.draw, self.b = draw, Builder()
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.dtype = np.dtype(dtype)
        self.shapes = self.pick(SHAPES)
        self.captured = {}
        self.values = [self.b.argument(self.array(self.pick(self.shapes))) for _ in range(2)]
        self.values += [self.capture(self.array(self.pick(self.shapes))) for _ in range(3)]
        self.values += [self.b.constant(self.array(self.shapes[0]))]
        self.option = self.b.option(0.5)
        for _ in range(length):
            self.grow()

    def pick(self, choices):
        return self.draw(st.sampled_from(choices))

    def array(self, shape):
        return np.asarray(self.rng.normal(size=shape)).astype(self.dtype)

    def capture(self, array):
        tensor = Tensor(array)
        value = self.b._input(tensor.array, Captured(tensor))
        self.captured[value] = tensor
        return value

    def floats(self):
        """Those to choose from, the latest most often."""
        found = [v for v in self.values if v.dtype == self.dtype]
        return found + 3 * found[-3:]

    def together(self, *values):
        try:
            return np.broadcast_shapes(*(v.shape for v in values))
        except ValueError:
            return None

    def keep(self, value):
        known = self.b.known[value]
        if value.dtype != self.dtype or bool(np.all(np.isfinite(known) & (np.abs(known) < 1e3))):
            self.values.append(value)

    def grow(self):
        b, x = self.b, self.pick(self.floats())
        match self.pick(KINDS):
            case "unary":
                self.keep(b(self.pick(UNARY), x))
            case "binary":
                y = self.pick(self.floats())
                if self.together(x, y) is not None:
                    self.keep(b(self.pick(BINARY), x, y))
            case "number":
                self.keep(b(self.pick(BINARY), *self.draw(st.permutations([x, self.pick([0, 1, 2.0, -0.5])]))))
            case "option":
                self.keep(b("mul", x, self.option))
            case "cast":
                self.keep(b("cast", self.pick(self.values), dtype=self.dtype))
            case "where":
                conditions = [v for v in self.values if v.dtype == bool]
                y = self.pick(self.floats())
                if conditions and self.together(c := self.pick(conditions), x, y) is not None:
                    self.keep(b("where", c, x, self.pick([y, 0.0])))
            case "reduce":
                axis = tuple(d for d in range(x.ndim) if self.draw(st.booleans()))
                name = self.pick(["sum", "sum", "sum", "amax", "amin", "prod"])
                if axis and (x.size or name in ("sum", "prod")):
                    self.keep(b(name, x, axis=axis, keepdims=self.draw(st.booleans())))
            case "softmax":
                if x.ndim and x.size:
                    self.keep(b("softmax", x, axis=self.pick(range(x.ndim))))
            case "matmul":
                y = self.pick(self.floats())
                if x.ndim >= 2 and x.shape[-1:] == y.shape[-2:-1] and (y.ndim == 2 or x.shape[:-2] == y.shape[:-2]):
                    self.keep(b("matmul", x, y))
                elif x.ndim == y.ndim == 2 and x.shape[0] == y.shape[0]:
                    self.keep(b("matmul", b("permute", x, dims=(1, 0)), y))
            case "view":
                self.keep(self.viewed(x))
            case "cat":
                y = self.pick(self.floats())
                if x.ndim and x.shape == y.shape:
                    axis = self.pick(range(x.ndim))
                    ends = {"ends": (0, x.shape[axis], 2 * x.shape[axis])}
                    name = self.pick(["cat", "stack"])
                    self.keep(b(name, x, y, axis=axis, **(ends if name == "cat" else {})))
            case "pad":
                if x.ndim:
                    widths = tuple((self.pick([0, 1]), self.pick([0, 2])) for _ in x.shape)
                    self.keep(b("pad", x, widths=widths, value=self.pick([0, 0.5])))
            case "gather":
                if x.size:
                    places = b.constant(self.rng.integers(-x.size, x.size, self.pick(self.shapes)))
                    self.keep(b("gather", x, places))

    def viewed(self, x):
        b = self.b
        match self.pick(["reshape", "permute", "broadcast_to", "index", "split"]):
            case "reshape":
                return b("reshape", x, shape=self.pick([(*x.shape, 1), (1, *x.shape), (x.size,)]))
            case "permute":
                return b("permute", x, dims=tuple(self.draw(st.permutations(range(x.ndim)))))
            case "broadcast_to":
                return b("broadcast_to", x, shape=(*self.pick([(), (1,), (2,)]), *x.shape))
            case "index":
                form = tuple(self.pick([slice(None), slice(None, None, -1), slice(0, None, 2)]) for _ in x.shape)
                return b("index", x, form=form)
            case "split":
                if not x.ndim or x.shape[0] < 2:
                    return x
                return self.pick(b.several("split", x, sizes=(1, x.shape[0] - 1), axis=0))

    def program(self):
        """What was made last is kept: as results, new contents of the captured tensors, and gradients."""
        outputs = [(Result(k), x) for k, x in enumerate(self.values[-3:])]
        for value, tensor in self.captured.items():
            alike = [v for v in self.values if (v.shape, v.dtype) == (value.shape, value.dtype) and v is not value]
            if alike and self.draw(st.booleans()):
                outputs.append((State(tensor), self.pick(alike)))
        computed = [v for v in self.floats() if v not in self.b.inputs]
        for k in range(self.draw(st.integers(0, 2))):
            if computed:
                outputs.append((Gradient(Tensor(np.zeros(k))), self.pick(computed)))
        return Program(self.b.inputs, self.b.instructions, outputs).verify()


@st.composite
def programs(draw, longest=14):
    """A builder and a program."""
    made = Random(draw, draw(st.sampled_from(["float32", "float64"])), draw(st.integers(1, longest)))
    return made.b, made.program()
