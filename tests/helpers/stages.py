"""What the stages between a program and the text of a step make of a function."""

import numpy as np

import autograd_core as ag
from autograd_core.compiler.emit import emit
from autograd_core.compiler.fusion import Nest, fuse
from autograd_core.compiler.nodes import lower
from autograd_core.compiler.passes import optimize
from autograd_core.compiler.planning import plan
from autograd_core.compiler.recomputing import recomputed
from autograd_core.compiler.recorder import record


class Stages:
    """A function of these arrays (or shapes, of float32), as far as it is lowered: up to its text."""

    def __init__(self, function, *arrays):
        rng = np.random.default_rng(0)
        made = [rng.normal(size=a).astype("float32") if isinstance(a, tuple) else a for a in arrays]
        self.arrays = [a.array if isinstance(a, ag.Tensor) else a for a in made]
        self.recording = record(function, tuple(a if isinstance(a, ag.Tensor) else ag.tensor(a) for a in made))
        self.recorded = self.recording.program
        self.program = optimize(self.recorded)
        self.recording.restore()
        self.nodes = lower(self.program)
        held = {self.nodes.places[v].buffer for v in self.program.kept()}
        self.fused = fuse(self.nodes.nodes)
        self.plan = plan(self.program, self.nodes, recomputed(self.fused, held))
        self.emitted = emit(self.nodes, self.plan)

    @property
    def steps(self):
        return self.plan.steps

    @property
    def nests(self):
        """For each nest, the names of its operations."""
        return [names(step) for step in self.steps if isinstance(step, Nest)]

    @property
    def kinds(self):
        return [type(step).__name__ for step in self.steps]


def names(nest):
    return [p.op.name for p in nest.placed]
