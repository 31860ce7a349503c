"""A reverse-mode engine of scalars, as naive as can be: what the real one is compared with.

A value knows its parents and the local derivative by each; the gradient is the sum over all paths, found by walking
every one of them.  Exponential time, but nothing to get wrong.
"""

import math


class Scalar:
    """A number with parents: pairs of a scalar and the local derivative by it."""

    def __init__(self, value, parents=()):
        self.value, self.parents = value, parents

    def __add__(self, other):
        return Scalar(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __sub__(self, other):
        return Scalar(self.value - other.value, [(self, 1.0), (other, -1.0)])

    def __mul__(self, other):
        return Scalar(self.value * other.value, [(self, other.value), (other, self.value)])

    def tanh(self):
        y = math.tanh(self.value)
        return Scalar(y, [(self, 1 - y * y)])

    def sin(self):
        return Scalar(math.sin(self.value), [(self, math.cos(self.value))])

    def relu(self):
        return Scalar(max(self.value, 0.0), [(self, float(self.value > 0))])

    def maximum(self, other):
        share = 0.5 if self.value == other.value else float(self.value > other.value)
        return Scalar(max(self.value, other.value), [(self, share), (other, 1 - share)])


def derivative(output, leaf):
    """D output / d leaf: over every path, the product of the local derivatives."""
    if output is leaf:
        return 1.0
    return sum(local * derivative(parent, leaf) for parent, local in output.parents)
