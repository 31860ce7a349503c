"""What shares memory: nothing that is needed at one time."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import programs
from stages import Stages

import autograd_core as ag
from autograd_core import optim
from autograd_core.compiler.fusion import Nest, fuse
from autograd_core.compiler.nodes import lower
from autograd_core.compiler.passes import optimize
from autograd_core.compiler.planning import ALIGNMENT, accesses, packed, plan
from autograd_core.compiler.program import Captured
from autograd_core.compiler.recomputing import recomputed

times = st.tuples(st.integers(0, 30), st.integers(0, 10)).map(lambda t: (t[0], t[0] + t[1]))
requests = st.lists(st.tuples(st.integers(0, 500), st.lists(times, min_size=1, max_size=2)), max_size=20)


@given(requests)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_blocks_that_live_together_do_not_overlap(made):
    offsets, size = packed([(n, lives, k) for k, (n, lives) in enumerate(made)])
    for k, (n, lives) in enumerate(made):
        assert offsets[k] % ALIGNMENT == 0
        assert offsets[k] + n <= size
        for j in range(k):
            m, others = made[j]
            together = any(a <= d and c <= b for a, b in lives for c, d in others)
            apart = offsets[k] + n <= offsets[j] or offsets[j] + m <= offsets[k]
            assert apart or not together or not (n and m)
    at_once = [sum(n for n, lives in made if any(a <= t <= b for a, b in lives)) for t in range(41)]
    assert size >= max(at_once, default=0)


def test_memory_is_used_again():
    offsets, size = packed([(64, [(k, k + 1)], k) for k in range(50)])
    assert size == 128
    assert set(offsets.values()) == {0, 64}


@given(programs())
@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_needed_is_not_written_over(made):
    """Followed step by step, every block holds what was written for a reader until it has read it."""
    _, program = made
    program = optimize(program)
    nodes = lower(program)
    held = {nodes.places[v].buffer for v in program.kept()}
    planned = plan(program, nodes, recomputed(fuse(nodes.nodes), held))
    kept_in_memory = {b for b in planned.kept if planned.root(b) in planned.offsets and b.size}
    last = {}
    for k, step in enumerate(planned.steps):
        for x in step.needs:
            last[x.buffer] = k
    for b in held:
        last[b] = len(planned.steps)
    alive = {}  # buffers whose content is there, with their memory
    for k, step in enumerate(planned.steps):
        for x in step.needs:
            if x.buffer in kept_in_memory and x.buffer not in {y.buffer for y in step.writes}:
                assert x.buffer in alive, f"step {k} reads what is gone"
        for x in step.writes:
            if x.buffer not in kept_in_memory:
                continue
            root = planned.root(x.buffer)
            start = planned.offsets[root]
            for other, (begin, end) in list(alive.items()):
                if begin < start + root.bytes and start < end and other is not x.buffer:
                    needed = last.get(other, -1) > k
                    assert not needed, f"step {k} writes over what is needed later"
                    del alive[other]
            alive[x.buffer] = (start, start + root.bytes)


def captured_writes(stages):
    """The captured tensors whose memory a step writes to, and how many copies there are."""
    written, copies = [], 0
    for step in stages.steps:
        for x in step.writes:
            root = stages.plan.root(x.buffer)
            if isinstance(root.source, Captured):
                written.append(root.source.tensor)
        if isinstance(step, Nest):
            copies += sum(p.op.name == "clone" for p in step.placed)
    return written, copies


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, lr=0.1),
        lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1),
        lambda p: optim.AdamW(p, lr=0.1, maximize=True),
    ],
)
def test_parameters_and_states_are_updated_in_place(make):
    ag.manual_seed(0)
    w, b = ag.randn(4, 3, requires_grad=True), ag.zeros(3, requires_grad=True)
    optimizer = make([w, b])

    def step(x):
        loss = ((x @ w + b) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    written, copies = captured_writes(Stages(step, (5, 4)))
    assert any(t is w for t in written)
    assert any(t is b for t in written)
    assert copies == 0


def test_what_is_exchanged_is_copied():
    a, b = ag.zeros(3), ag.ones(3)

    def swap(x):
        old = a.clone()
        a.copy_(b)
        b.copy_(old + 0 * x)

    written, copies = captured_writes(Stages(swap, (3,)))
    assert {id(t) for t in written} == {id(a), id(b)}
    assert copies >= 1


def test_what_is_read_later_is_not_updated_in_place_before():
    """The old value of ``w`` is needed after the new one is known."""
    w = ag.ones(3)

    def step(x):
        old = w.clone()
        w.add_(x)
        return ag.exp(w).sum() * old

    stages = Stages(step, (3,))
    readers = [k for k, s in enumerate(stages.steps) for x in s.needs if isinstance(x.buffer.source, Captured)]
    writers = [
        k
        for k, s in enumerate(stages.steps)
        for x in s.writes
        if isinstance(stages.plan.root(x.buffer).source, Captured)
    ]
    assert min(writers) >= max(readers)


def test_an_elementwise_chain_needs_one_block():
    def chain(x, w):
        for _ in range(6):
            x = ag.tanh(x @ w)
        return x

    stages = Stages(chain, (8, 8), (8, 8))
    assert stages.plan.workspace == 2 * 8 * 8 * 4


def test_the_workspace_does_not_grow_with_the_depth():
    """Without gradients, what is done with is written over."""

    def deep(count):
        def function(x, w):
            for _ in range(count):
                x = ag.relu(x @ w) + ag.sin(x)
            return x.sum()

        return Stages(function, (8, 8), (8, 8)).plan.workspace

    assert deep(10) == deep(30)


def test_gradients_last_until_the_next_call():
    ag.manual_seed(0)
    w, v = ag.randn(4, 4, requires_grad=True), ag.randn(4, 4, requires_grad=True)

    def step(x):
        loss = (ag.tanh(x @ w) @ v).sum()
        w.grad = v.grad = None
        loss.backward()
        return ag.exp(x @ w), loss

    stages = Stages(step, (4, 4))
    blocks = {}
    for of, b in stages.plan.gradients.items():
        root = stages.plan.root(b)
        blocks[id(of)] = (stages.plan.offsets[root], root.bytes)
        made = max(k for k, s in enumerate(stages.steps) for x in s.writes if stages.plan.root(x.buffer) is root)
        start = stages.plan.offsets[root]
        for s in stages.steps[made + 1 :]:
            for x in s.writes:
                other = stages.plan.root(x.buffer)
                at = stages.plan.offsets.get(other)
                assert at is None or at + other.bytes <= start or start + root.bytes <= at
    (a, n), (b, m) = blocks.values()
    assert a + n <= b or b + m <= a


def test_every_access_has_a_place():
    stages = Stages(lambda x: ag.softmax(x, -1) @ x.T, (4, 5))
    for step in stages.steps:
        for x in accesses(step):
            root = stages.plan.root(x.buffer)
            if x.buffer in stages.plan.kept:
                assert root.source is not None or root in stages.plan.offsets


def test_recomputing_saves_memory():
    """What is cheap is computed again in a later loop, and not kept."""

    def function(x, y, w):
        sums = ag.exp(x * y) @ w
        return sums, (x * y + 1) * sums.sum()

    stages = Stages(function, (16, 16), (16, 16), (16, 1))
    before = sum(len(step.placed) for step in stages.fused if isinstance(step, Nest))
    after = sum(len(step.placed) for step in stages.steps if isinstance(step, Nest))
    assert after > before
    assert stages.plan.workspace < 3 * 16 * 16 * 4  # the exponentials and the result
