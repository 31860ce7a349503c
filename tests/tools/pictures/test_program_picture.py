"""The compiled program as a picture: what was fused into what."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.tools.pictures.graph import graph

pytest.importorskip("numba")

DOT = "\N{MIDDLE DOT}"


@pytest.fixture(scope="module")
def trained():
    """A training step of a small net, called once."""
    ag.manual_seed(0)
    model = nn.MLP([4, 8, 3])
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    @ag.compile
    def step(inputs, targets):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    step(ag.randn(5, 4), ag.tensor(np.array([0, 1, 2, 0, 1])))
    return step, model, optimizer


def test_loops_are_clusters_with_the_operations_of_the_report(trained):
    step, model, optimizer = trained
    picture = graph(step, names={"model": model, "optimizer": optimizer}, depth=1)
    drawn = {}
    for cluster in picture.clusters:
        assert cluster.kind == "loop"
        drawn.setdefault(cluster.title, []).append(
            [box.operation for box in picture.boxes if box.cluster == cluster.number and box.operation]
        )
    for name, calls, operations in step.report().loops:
        if len(operations) > 1:  # one operation is a box, which says in which loop it is
            assert drawn.pop(name) == [operations] * calls
        else:
            alone = [box for box in picture.boxes if box.module == name]
            assert [box.operation for box in alone] == operations * calls
    assert drawn == {}
    assert sum(box.note == "matrix product" for box in picture.boxes) == step.report().products


def test_what_goes_in_and_what_is_kept(trained):
    step, model, optimizer = trained
    picture = graph(step, names={"model": model, "optimizer": optimizer}, depth=1)
    kinds = {box.title: box.kind for box in picture.boxes}
    assert kinds["inputs"] == kinds["targets"] == "constant"
    assert kinds["model.0.weight"] == kinds["model.2.bias"] == "leaf"
    assert "number" not in kinds.values()  # they are in formulas
    assert any(f"lr 0.1 {DOT} " in title for title in kinds)
    kept = {name for box in picture.boxes if box.kind == "output" for name in box.name.split(", ")}
    parameters = [f"model.{name}" for name, _ in model.named_parameters()]
    assert kept == {
        "result",
        *(f"{name}.grad" for name in parameters),
        *(f"new {name}" for name in parameters),
        *(f"new momentum_buffer of {name}" for name in parameters),
    }
    assert str(step.report()).splitlines()[0] in picture.notes
    assert picture.subject == "the compiled step"


def test_arrows_lead_from_the_inputs_to_every_result(trained):
    step, model, _ = trained
    picture = graph(step, names={"model": model}, depth=1)
    before = {box.key: set() for box in picture.boxes}
    for arrow in picture.arrows:
        assert not arrow.again
        before[arrow.target].add(arrow.source)
    names = {box.key: box.name for box in picture.boxes}
    (stack,) = [[box.key] for box in picture.boxes if box.name == "new model.0.weight"]
    seen = set()
    while stack:
        key = stack.pop()
        if key not in seen:
            seen.add(key)
            stack += before[key]
    assert {"inputs", "targets", "model.0.weight", "model.2.weight"} <= {names[key] for key in seen}


def test_a_transposed_operand_is_written_so():
    w = ag.tensor(np.ones((3, 4)), requires_grad=True)

    @ag.compile
    def product(x):
        return x @ w.T

    product(ag.tensor(np.ones((2, 4))))
    (box,) = [box for box in graph(product).boxes if box.kind == "output"]
    assert box.title == "result = x @ w.T"


def test_results_of_sums_have_their_own_shape(trained):
    step, model, _ = trained
    details = {box.name: box.detail for box in graph(step, names={"model": model}, depth=1).boxes}
    assert details["result"] == "scalar float32"
    assert details["model.2.bias.grad"] == "(3,) float32"
    assert details["model.2.weight.grad"] == "(3, 8) float32"


def test_loops_as_boxes(trained):
    step, *_ = trained
    picture = graph(step, depth=0)
    assert picture.clusters == []
    loops = {box.title: box.note.splitlines() for box in picture.boxes if box.kind == "loop"}
    for name, _, operations in step.report().loops:
        formulas = [line for line in loops[name] if " = " in line]
        assert len(formulas) == min(len(operations), 24)


def test_of_many_operations_in_a_loop_the_middle_is_left_out():
    @ag.compile
    def run(x):
        for _ in range(20):
            x = ag.tanh(x) * 2
        return x

    run(ag.tensor(np.ones((2, 3))))
    loop = next(box for box in graph(run, depth=0).boxes if box.kind == "loop")
    total = len(run.report().loops[0][2])
    lines = loop.note.splitlines()
    assert [line.split(" = ")[0] for line in lines if " = " in line] == [
        f"v{i}" for i in (*range(1, 21), *range(total - 3, total + 1))
    ]
    assert lines[:2] == ["v1 = tanh(x)", f"v2 = v1 {DOT} 2"]
    assert lines[20] == f"... {total - 24} more operations ..."


def test_a_loop_that_is_one_box_says_what_it_computes():
    x = ag.tensor(np.ones((2, 3)))

    @ag.compile
    def gelu_like(x):
        return (x * ag.sigmoid(1.702 * x)).sum(1) @ np.ones(2)

    gelu_like(x)
    (loop,) = [box for box in graph(gelu_like, depth=0).boxes if box.kind == "loop"]
    assert loop.note.splitlines() == [
        f"v1 = 1.702 {DOT} x",
        "v2 = sigmoid(v1)",
        f"v3 = x {DOT} v2",
        "v4 = sum(v3, dim 1)",
    ]


def test_state_of_an_optimizer_is_called_by_its_name():
    weight = ag.tensor(np.ones(3), requires_grad=True)
    optimizer = optim.SGD([weight], lr=0.1, momentum=0.9)

    @ag.compile
    def step(x):
        optimizer.zero_grad()
        (weight * x).sum().backward()
        optimizer.step()

    for _ in range(2):  # there is nothing to remember at the first step
        step(ag.tensor(np.ones(3)))
    boxes = graph(step, depth=0).boxes
    (update,) = [box for box in boxes if "new weight = " in box.note]
    assert f"momentum 0.9 {DOT} momentum_buffer" in update.note
    assert f"lr 0.1 {DOT} " in update.note
    assert not [box for box in boxes if box.title.startswith("momentum_buffer")]  # it stays within the loop
    assert "momentum_buffer of weight" in {box.title for box in graph(step, depth=1).boxes}


def test_a_large_program_has_a_box_for_each_loop():
    layers = nn.Sequential(*(nn.LayerNorm(4) for _ in range(3)), nn.Linear(4, 1))

    @ag.compile
    def step(x):
        loss = (layers(x) ** 2).mean()
        loss.backward()
        return loss

    step(ag.randn(5, 4))
    picture = graph(step)
    assert picture.clusters == []
    assert picture.notes[-1] == "Each native loop is one box; depth=1 draws one for each operation in it."
    assert graph(step, depth=1).clusters


def test_what_runs_in_python_says_why():
    x = ag.tensor(np.diag([1.0, 2.0, 3.0]))

    @ag.compile
    def values(x):
        return ag.linalg.eigh(x)[0] * 2 + 1

    values(x)
    report = values.report()
    assert report.in_python
    boxes = [box for box in graph(values).boxes if box.kind == "python"]
    assert [(box.operation, box.note) for box in boxes] == [
        (name, f"in Python: {reason}") for name, _, reason in report.in_python
    ]


def test_steps_of_a_recurrence_are_rolled_up():
    w = ag.tensor(np.eye(3) * 0.5)

    @ag.compile
    def run(h):
        for _ in range(30):
            h = ag.tanh(h @ w) * 2
        return h

    run(ag.tensor(np.ones((2, 3))))
    picture = graph(run)
    (again,) = [c for c in picture.clusters if c.kind == "repetition"]
    assert 28 <= again.times <= 30
    assert len(picture.boxes) < 15
    assert any(arrow.again for arrow in picture.arrows)
    assert sum(box.operation == "tanh" for box in graph(run, roll=False, depth=1).boxes) == 30


def test_before_the_first_call():
    @ag.compile
    def never(x):
        return x

    with pytest.raises(RuntimeError, match=r"graph: never was not called yet.*call it once"):
        graph(never)


def test_drawing_changes_nothing(trained):
    step, model, _ = trained
    before = [p.array.copy() for p in model.parameters()]
    graph(step)
    assert all(np.array_equal(a, p.array) for a, p in zip(before, model.parameters(), strict=True))
