"""Cells that ONNX has no operator for: its Scan over an open length, copies over a fixed one."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from support.onnx_files import checked, kinds, run
from support.recurrent import assert_close, recurrent_graph, recurrent_inputs

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.operator import Padding
from edgenn.ir.ops import Add, Conv2D, Gru, Lstm, Mul, Quantize, Relu, Scan, SimpleRnn, Tanh
from edgenn.ir.tensor import Quantization
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.lowering.recurrent.native import LARGEST_COPIES, to_native
from edgenn.quantization.weights import to_dynamic, to_float16

OPERATORS = {
    "lstm": Lstm(units=5),
    "gru": Gru(units=5),
    "gru_reset_before": Gru(units=5, reset_after=False),
    "rnn": SimpleRnn(units=5),
    "reverse": Lstm(units=5, reverse=True),
    "initial": Lstm(units=5, initial=True),
    "masked": Lstm(units=5, masked=True),
}


def assert_equals(graph: Graph, *, steps: int = 6, tolerance: float = 2e-6):
    """Evaluation and ONNX Runtime agree; gives the nodes of the file."""
    inputs = recurrent_inputs(graph, steps=steps)
    results = evaluate(graph, inputs)
    expected = {public: results[name] for public, name in graph.outputs.items()}
    assert_close(expected, run(graph, inputs), tolerance)
    return kinds(checked(graph))


@pytest.mark.parametrize("outputs", [("sequence", "h"), ("h",)])
@pytest.mark.parametrize("name", OPERATORS)
def test_scan(name, outputs):
    """Recurrent operators as loops are cells like any other."""
    nodes = assert_equals(to_loops(recurrent_graph(OPERATORS[name], outputs=outputs)))
    assert nodes["Scan"] == 1
    assert "Loop" not in nodes


@pytest.mark.parametrize("scheme", [to_float16, to_dynamic])
@pytest.mark.parametrize("reset_after", [True, False])
def test_weights_of_a_cell_are_widened_once(scheme, reset_after):
    """Outside of the body: a body runs once for each step."""
    operator = Gru(units=32, reset_after=reset_after)
    graph = to_loops(scheme(recurrent_graph(operator, features=32)))
    assert_equals(graph)
    model = onnx.load_from_string(checked(graph))
    (node,) = [node for node in model.graph.node if node.op_type == "Scan"]
    (body,) = [attribute.g for attribute in node.attribute if attribute.name == "body"]
    assert not body.initializer
    assert not {"Cast", "DequantizeLinear"}.intersection(n.op_type for n in body.node)


def conv_lstm_like(steps: int | None, *, reverse: bool = False) -> Graph:
    """A recurrent convolution over images ``(B, T, 4, 4, 2)``."""
    rng = np.random.default_rng(0)
    cell = GraphBuilder("cell")
    x = cell.input("x", (None, 4, 4, 2))
    h, c = (cell.input(name, (None, 4, 4, 3)) for name in "hc")

    def conv(source: str, channels: int, name: str) -> str:
        kernel = rng.normal(size=(3, 3, 3, channels)).astype("float32") * 0.3
        weights = [cell.constant(f"cell/{name}_kernel", kernel),
                   cell.constant(f"cell/{name}_bias", np.zeros(3, np.float32))]  # fmt: skip
        return cell.add(Conv2D(padding=Padding.SAME), [source, *weights], f"cell/{name}")

    total = cell.add(Add(), [conv(x, 2, "input"), conv(h, 3, "recurrent")], "cell/total")
    c_next = cell.add(Add(), [c, cell.add(Tanh(), [total], "cell/gate")], "cell/c")
    h_next = cell.add(Relu(), [c_next], "cell/h")
    graph = cell.finish({"h": h_next, "c": c_next, "y": h_next})
    builder = GraphBuilder("images")
    x = builder.input("x", (None, steps, 4, 4, 2))
    names = builder.add_multiple(Scan(graph, reverse=reverse), [x], ["h", "c", "y"])
    return builder.finish({name: name for name in names})


@pytest.mark.parametrize("reverse", [False, True])
def test_convolutions_in_the_cell(reverse):
    nodes = assert_equals(to_native(conv_lstm_like(None, reverse=reverse)), tolerance=1e-5)
    assert nodes["Scan"] == 1
    nodes = assert_equals(to_native(conv_lstm_like(6, reverse=reverse)), tolerance=1e-5)
    assert not {"Scan", "Loop"}.intersection(nodes)
    assert nodes["Conv"] == 12


def test_two_loops_of_the_same_cell():
    """Names of a body are no names of the graph around it, nor of another body."""
    builder = GraphBuilder("twice")
    cell = GraphBuilder("cell")
    x, h = cell.input("x", (None, 3)), cell.input("h", (None, 3))
    scale = cell.constant("scale", np.full((1, 3), 0.5, np.float32))
    total = cell.add(Add(), [cell.add(Mul(), [x, scale], "y"), h], "total")
    scan = Scan(cell.finish({"h": total, "y": total}))
    name = builder.input("x", (None, None, 3))
    scaled = builder.constant("scale", np.full((1, 1, 3), 2, np.float32))
    for index in range(2):
        state, name = builder.add_multiple(scan, [name], [f"h{index}", f"y{index}"])
    y = builder.add(Mul(), [name, scaled], "y")
    graph = builder.finish({"y": y, "total": state})
    nodes = assert_equals(graph)
    assert nodes["Scan"] == 2


def test_states_that_no_op_makes():
    cell = GraphBuilder("cell")
    x = cell.input("x", (None, 3))
    kept, *_ = (cell.input(name, (None, 3)) for name in ("a", "b", "c", "d"))
    y = cell.add(Add(), [x, kept], "cell/sum")
    scan = Scan(cell.finish({"a": kept, "b": y, "c": y, "d": x}), zero_state=False)
    builder = GraphBuilder("net")
    inputs = [builder.input("x", (None, None, 3))]
    inputs += [builder.input(f"{name}0", (None, 3)) for name in "abcd"]
    names = builder.add_multiple(scan, inputs, list("ABCD"))
    assert_equals(builder.finish({name: name for name in names}))


def test_a_cell_with_a_recurrent_layer_inside():
    """A native operator in the body of a Scan, or in its copies."""
    for steps in (None, 4):
        inner = recurrent_graph(Gru(units=3), outputs=("h",), steps=5)
        cell = GraphBuilder("cell")
        cell.tensors = dict(inner.tensors)
        cell.ops = list(inner.ops)
        cell.inputs = dict(inner.inputs)
        state = cell.input("state", (None, 3))
        total = cell.add(Add(), [inner.outputs["h"], state], "total")
        scan = Scan(cell.finish({"state": total}))
        builder = GraphBuilder("net")
        x = builder.input("windows", (None, steps, 5, 3))
        (y,) = builder.add_multiple(scan, [x], ["y"])
        graph = builder.finish({"y": y})
        nodes = assert_equals(to_native(graph), steps=4)
        assert nodes["GRU"] == (steps or 0)


def test_integers_in_the_cell():
    """Within one step of the state's scale per time step: each rounds the other way at ties."""
    of_x, of_state = Quantization.per_tensor(0.02, 11), Quantization.per_tensor(0.05, -7)
    cell = GraphBuilder("cell")
    builder = GraphBuilder("net")

    def given(graph, name, quantization):
        graph.tensors[name] = graph.tensors[name].with_(quantization=quantization)
        return name

    x = given(cell, cell.input("x", (None, 3), "int8"), of_x)
    h = given(cell, cell.input("h", (None, 3), "int8"), of_state)
    half = cell.constant("half", np.int8(64), Quantization.per_tensor(1 / 128))
    total = given(cell, cell.add(Add(), [x, h], "cell/sum"), of_state)
    y = given(cell, cell.add(Mul(), [total, half], "cell/next"), of_state)
    scan = Scan(cell.finish({"h": y, "y": y}))
    source = builder.input("x", (None, None, 3))
    stored = given(builder, builder.add(Quantize("int8"), [source], "stored"), of_x)
    names = builder.add_multiple(scan, [stored], ["h", "y"])
    for name in names:
        given(builder, name, of_state)
    graph = builder.finish({name: name for name in names})
    inputs = recurrent_inputs(graph)
    results = evaluate(graph, inputs)
    theirs = run(graph, inputs)
    for name in names:
        assert np.abs(theirs[name] - of_state.dequantize(results[name])).max() < 0.05 * 2.5


def test_long_sequences_stay_a_loop():
    """Copies of thousands of ops are no file that anybody wants."""
    graph = to_loops(recurrent_graph(Lstm(units=2), steps=LARGEST_COPIES // 4))
    assert kinds(checked(to_native(graph)))["Scan"] == 1
    short = to_loops(recurrent_graph(Lstm(units=2), steps=4))
    assert "Scan" not in kinds(checked(to_native(short)))


def test_metadata_stays():
    graph = replace(recurrent_graph(Lstm(units=5)), metadata={"key": 1})
    assert to_native(graph).metadata == {"key": 1}
