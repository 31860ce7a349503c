"""Arguments for every primitive, from its record."""

import numpy as np

from autograd_core.primitive import REGISTRY, Sample


def draw(rng, domain, shape):
    if domain is bool:
        return rng.random(shape) < 0.5
    return rng.uniform(*domain, size=shape)


# For an elementwise operation: one shape for each operand, broadcast in all ways.
SHAPES = {
    1: [[(2, 3)], [()], [(0, 3)], [(1,)]],
    2: [
        [(2, 3), (2, 3)],
        [(2, 3), (3,)],
        [(2, 1), (1, 3)],
        [(), (2, 3)],
        [(), ()],
        [(0, 3), (1, 3)],
        [(1, 1), (2,)],
    ],
    3: [[(2, 3), (2, 3), (2, 3)], [(2, 1), (3,), ()], [(), (), ()], [(0, 2), (2,), (1,)]],
}


def samples(name):
    """The arguments a primitive is tested with, fresh each time."""
    record = REGISTRY[name].record
    rng = np.random.default_rng(7)
    found = list(record.samples(rng))
    if record.elementwise:
        for shapes in SHAPES[len(record.arrays)]:
            found.append(Sample(*(draw(rng, d, s) for d, s in zip(record.domains, shapes, strict=True))))
    return found


def trained(record, sample):
    """The positions of the arguments with a gradient."""
    rules = record.rules + (record.variadic_rule,) * (len(sample.args) - len(record.rules))
    return [i for i, (rule, a) in enumerate(zip(rules, sample.args, strict=False)) if rule and a.dtype.kind == "f"]
