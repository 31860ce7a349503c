"""The compiled program as a picture: what was fused into what."""

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import nn, optim
from autograd_core.tools.pictures.graph import graph

pytest.importorskip("numba")


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
    picture = graph(step, names={"model": model, "optimizer": optimizer})
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
    picture = graph(step, names={"model": model, "optimizer": optimizer})
    kinds = {box.title: box.kind for box in picture.boxes}
    assert kinds["inputs"] == kinds["targets"] == "constant"
    assert kinds["model.0.weight"] == kinds["model.2.bias"] == "leaf"
    assert kinds["lr 0.1"] == "number"
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
    picture = graph(step, names={"model": model})
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
    assert {"inputs", "targets", "model.0.weight", "model.2.weight", "lr 0.1"} <= {names[key] for key in seen}


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
    details = {box.name: box.detail for box in graph(step, names={"model": model}).boxes}
    assert details["result"] == "scalar float32"
    assert details["model.2.bias.grad"] == "(3,) float32"
    assert details["model.2.weight.grad"] == "(3, 8) float32"


def test_loops_as_boxes(trained):
    step, *_ = trained
    picture = graph(step, depth=0)
    assert picture.clusters == []
    loops = {box.formula: box.note for box in picture.boxes if box.kind == "loop"}
    for name, _, operations in step.report().loops:
        assert loops[name].startswith(", ".join(operations[:12]))


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
    assert sum(box.operation == "tanh" for box in graph(run, roll=False).boxes) == 30


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
