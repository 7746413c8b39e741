"""Loops: read back as the ``Scan`` they were, or as a WHILE that is none."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from support.altered import altered
from support.integer_networks import in_integers, stored
from support.litert import run_bytes
from support.read_back import assert_read_back, assert_same, evaluated
from support.recurrent import add_recurrent, recurrent_graph, recurrent_inputs

from edgenn.export.tflite.exporter import to_tflite
from edgenn.importing import read_tflite_graph
from edgenn.ir import ops
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.flat_loops import close_loops, open_loops
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Gru, Lstm, Scan, SimpleRnn, While
from edgenn.lowering.recurrent.blocks import in_blocks
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.passes import with_batch

STEPS = 6
LAYERS = {
    "gru": Gru(units=4),
    "gru, reset before": Gru(units=4, reset_after=False),
    "lstm": Lstm(units=3),
    "rnn": SimpleRnn(units=5),
    "reversed": Gru(units=4, reverse=True),
    "masked": Lstm(units=3, masked=True),
    "masked, reversed, zeros": Gru(units=4, masked=True, reverse=True, zero_output_for_mask=True),
    "from given states": Lstm(units=3, initial=True),
    "all of it": Lstm(units=3, initial=True, masked=True, reverse=True),
}
SIZES = {"open": (None, None), "open batch": (None, STEPS), "fixed": (4, STEPS)}


def scans(graph: Graph) -> list[Scan]:
    assert not any(isinstance(op.operator, While) for op in graph.ops)
    return [op.operator for op in graph.ops if isinstance(op.operator, Scan)]


def names(graph: Graph) -> set[str]:
    """Of what is computed."""
    return {name for op in graph.ops for name in op.outputs}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_a_loop_is_the_scan_that_it_was(layer, sizes):
    batch, steps = sizes
    graph = recurrent_graph(layer, batch=batch, steps=steps)
    loops = to_loops(graph)
    inputs = recurrent_inputs(graph, steps=STEPS)
    read = assert_read_back(to_tflite(loops), inputs)
    (mine,), (other,) = scans(read), scans(loops)
    assert mine.reverse == other.reverse and mine.sequences == other.sequences
    assert mine.zero_state == other.zero_state
    assert list(mine.cell.inputs.values()) == list(other.cell.inputs.values())
    assert list(mine.cell.outputs.values()) == list(other.cell.outputs.values())
    assert names(mine.cell) == names(other.cell)
    assert names(read) == names(loops)


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize(("scheme", "precision"), [
    ("int8", "float32"), ("int8", "int16"), ("int8", "int8"), ("int16x8", "int16"),
])  # fmt: skip
def test_loops_in_integers(scheme, precision, fixed):
    graph = recurrent_graph(Gru(units=4, masked=True), steps=STEPS)
    samples = recurrent_inputs(graph)
    integer = in_integers(graph, samples, "loop", scheme, precision)
    content = to_tflite(with_batch(integer, 4) if fixed else integer)
    assert scans(assert_read_back(content, stored(integer, samples)))


def test_loops_lie_flat_and_close_again():
    graph = to_loops(recurrent_graph(Gru(units=4), steps=STEPS))
    inputs = recurrent_inputs(graph)
    read = read_tflite_graph(to_tflite(graph))
    flat = open_loops(read)
    assert not scans(flat)
    assert_same(evaluated(close_loops(flat), inputs), evaluated(read, inputs))


@pytest.mark.parametrize("reverse", [False, True])
def test_one_layer_after_the_other(reverse):
    builder = GraphBuilder("two")
    x = builder.input("x", (None, STEPS, 3))
    x, *_ = add_recurrent(builder, Gru(units=4), x, scope="first")
    y, *_ = add_recurrent(builder, Lstm(units=2, reverse=reverse), x, scope="second")
    graph = to_loops(builder.finish({"y": y}))
    read = assert_read_back(to_tflite(graph), recurrent_inputs(graph))
    assert len(scans(read)) == 2


def test_an_observer_sees_every_step():
    graph = recurrent_graph(Lstm(units=3, reverse=True), steps=STEPS)
    read = read_tflite_graph(to_tflite(to_loops(graph)))
    inputs = recurrent_inputs(graph)
    seen: dict[int, dict] = {}

    def observe(path, step, values):
        assert path == next(op.name for op in read.ops if isinstance(op.operator, Scan))
        seen[step] = values

    values = evaluate(read, inputs, observe=observe)
    assert list(seen) == list(range(STEPS))[::-1]
    (scan,) = scans(read)
    hidden, cell, sequence = (list(scan.cell.outputs.values())[i] for i in (0, 1, 2))
    for step, inside in seen.items():
        np.testing.assert_array_equal(inside[sequence], values[read.outputs["sequence"]][:, step])
        if step:
            before = list(scan.cell.inputs.values())[1:]
            np.testing.assert_array_equal(seen[step - 1][before[0]], inside[hidden])
            np.testing.assert_array_equal(seen[step - 1][before[1]], inside[cell])
    assert inside.keys() >= names(scan.cell)
    assert not any(scan.cell.tensors[name].is_constant for name in inside)


BLOCKS = {
    "whole": (Gru(units=64), 289),
    "and a rest": (Gru(units=64), 300),
    "reversed": (Lstm(units=64, reverse=True), 300),
    "masked": (Gru(units=64, masked=True), 300),
    "given states": (Lstm(units=64, initial=True), 300),
    "three levels": (Gru(units=64), 1100),
}


@pytest.mark.parametrize(("layer", "steps"), BLOCKS.values(), ids=BLOCKS)
def test_loops_in_blocks_of_steps(layer, steps):
    loops = to_loops(recurrent_graph(layer, batch=1, steps=steps))
    blocked = in_blocks(loops)
    assert any(isinstance(op.operator, Scan) for scan in scans(blocked) for op in scan.cell.ops)
    inputs = recurrent_inputs(loops, batch=1)
    read = assert_read_back(to_tflite(blocked), inputs, 5e-5)
    (mine,), (other,) = scans(read), scans(loops)
    assert names(mine.cell) == names(other.cell) and names(read) == names(loops)
    assert (mine.reverse, mine.zero_state) == (other.reverse, other.zero_state)


def test_two_layers_are_not_put_together():
    """The second goes on where the first ends, on the same sequence, with other weights."""
    builder = GraphBuilder("two")
    x = builder.input("x", (1, 8, 3))
    _, h = add_recurrent(builder, Gru(units=4), x, scope="first")
    y, _ = add_recurrent(builder, Gru(units=4, initial=True), x, [h], scope="second", seed=1)
    graph = to_loops(builder.finish({"y": y}))
    read = assert_read_back(to_tflite(graph), recurrent_inputs(graph, batch=1))
    assert len(scans(read)) == 2


# loops that are no loops over time


def doubling(limit: float = 100.0) -> Graph:
    """``x`` doubled until its sum is the limit, and how often."""
    condition = GraphBuilder("condition")
    x, n = condition.input("x", (1, 3)), condition.input("n", (), "int32")
    total = condition.add(ops.Sum((0, 1)), [x], "total")
    end = condition.constant("limit", np.float32(limit))
    goes_on = condition.add(ops.Less(), [total, end], "goes_on")
    asked = condition.finish({"goes_on": goes_on})
    body = GraphBuilder("body")
    x, n = body.input("x", (1, 3)), body.input("n", (), "int32")
    twice = body.add(ops.Add(), [x, x], "twice")
    one = body.add(ops.Add(), [n, body.constant("one", np.int32(1))], "more")
    loop = While(asked, body.finish({"x": twice, "n": one}))
    builder = GraphBuilder("net")
    x = builder.input("x", (1, 3))
    zero = builder.constant("zero", np.int32(0))
    y, times = builder.add_multiple(loop, [x, zero], ["y", "times"])
    return builder.finish({"y": y, "times": times})


@pytest.mark.parametrize("value", [1.0, 40.0, 1000.0])
def test_a_loop_with_a_condition_of_its_own(value):
    inputs = {"x": np.full((1, 3), value, np.float32)}
    read = assert_read_back(to_tflite(doubling()), inputs)
    assert [op.kind for op in read.ops] == ["while"]
    assert evaluated(read, inputs)["times"] == max(0, int(np.ceil(np.log2(100 / (3 * value)))))


def test_an_observer_sees_that_loop_too():
    seen = []
    graph = read_tflite_graph(to_tflite(doubling()))
    x = np.ones((1, 3), np.float32)
    evaluate(graph, {"x": x}, observe=lambda path, step, values: seen.append((path, step, values)))
    assert [(path, step) for path, step, _ in seen] == [("y", step) for step in range(6)]
    assert [values["twice"][0, 0] for *_, values in seen] == [2.0 ** (n + 1) for n in range(6)]


@pytest.mark.parametrize("subgraph", ["condition", "body"])
def test_a_loop_from_another_end_is_no_scan(subgraph):
    layer = Gru(units=4, reverse=True)
    content = to_tflite(to_loops(recurrent_graph(layer, batch=2, steps=STEPS)))
    assert scans(read_tflite_graph(content))
    read = read_tflite_graph(shortened(content, 2, subgraph))
    assert any(isinstance(op.operator, While) for op in read.ops)


def test_a_loop_that_does_not_run_to_the_end_is_no_scan():
    """The number of steps is not that of the sequences."""
    graph = to_loops(recurrent_graph(Gru(units=4), batch=2, steps=STEPS, outputs=("h",)))
    content = to_tflite(graph)
    short = shortened(content, 2)
    read = read_tflite_graph(short)
    assert any(isinstance(op.operator, While) for op in read.ops)
    inputs = recurrent_inputs(graph, batch=2)
    assert_same(evaluated(read, inputs), run_bytes(short, inputs))


def shortened(content: bytes, fewer: int, subgraph: str = "condition") -> bytes:
    """The file with another end of its loop."""

    def change(model):
        (inner,) = [s for s in model.subgraphs if s.name.endswith(subgraph.encode())]
        (end,) = [tensor for tensor in inner.tensors if tensor.name == b"steps"]
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.int32(fewer).tobytes(), np.uint8)
        model.buffers.append(buffer)
        end.buffer = len(model.buffers) - 1

    return altered(content, change)
