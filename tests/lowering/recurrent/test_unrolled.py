"""Loops as copies of their cells: the same numbers in NumPy and in LiteRT."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from support.litert import DEFAULT, run
from support.recurrent import assert_close, recurrent_graph, recurrent_inputs

from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Add, Gru, Lstm, Mul, Quantize, Relu, Scan, SimpleRnn
from edgenn.ir.tensor import Quantization
from edgenn.lowering.recurrent.loop import to_loops
from edgenn.lowering.recurrent.unrolled import ops_of_copies, to_copies, unrolled
from edgenn.quantization.weights import to_dynamic, to_float16

OPERATORS = {
    "lstm": Lstm(units=5),
    "gru": Gru(units=5),
    "gru_reset_before": Gru(units=5, reset_after=False),
    "rnn": SimpleRnn(units=5),
    "reversed": Lstm(units=5, reverse=True),
    "initial": Lstm(units=5, initial=True),
    "masked": Gru(units=5, masked=True),
    "masked_reversed": Lstm(units=5, masked=True, reverse=True),
    "masked_zeros": SimpleRnn(units=5, masked=True, zero_output_for_mask=True),
}


def values(graph: Graph, inputs):
    """Public output name → array, in NumPy."""
    results = evaluate(graph, inputs)
    return {public: results[name] for public, name in graph.outputs.items()}


@pytest.mark.parametrize("batch", [None, 4], ids=["open", "fixed"])
@pytest.mark.parametrize("name", OPERATORS)
def test_equals_the_loop(name, batch):
    graph = recurrent_graph(OPERATORS[name], batch=batch, steps=6)
    copies = unrolled(graph)
    assert not any(isinstance(op.operator, Scan) for op in copies.ops)
    assert list(copies.outputs.items()) == list(graph.outputs.items())
    assert len(copies.ops) <= ops_of_copies(graph) + 6
    inputs = recurrent_inputs(graph)
    expected = values(to_loops(graph), inputs)
    assert_close(values(copies, inputs), expected, 0)
    assert_close(expected, run(copies, inputs, DEFAULT))


@pytest.mark.parametrize("outputs", [("sequence",), ("h",), ("c", "h"), ("h", "sequence")])
def test_only_what_is_read(outputs):
    graph = recurrent_graph(Lstm(units=5), steps=4, outputs=outputs)
    copies = unrolled(graph)
    kinds = Counter(op.kind for op in copies.ops)
    assert kinds["pack"] == ("sequence" in outputs)
    inputs = recurrent_inputs(graph, steps=4)
    assert_close(values(copies, inputs), values(graph, inputs), 1e-6)


def test_one_step():
    graph = recurrent_graph(Gru(units=5), steps=1)
    inputs = recurrent_inputs(graph, steps=1)
    copies = unrolled(graph)
    assert_close(values(copies, inputs), values(graph, inputs), 1e-6)
    assert_close(values(copies, inputs), run(copies, inputs, DEFAULT))


def test_names_are_those_of_the_layer_and_step():
    copies = unrolled(recurrent_graph(Lstm(units=5), steps=3))
    assert "rnn/sequence/cell/step_1/hidden" in copies.tensors
    assert copies.producers["rnn/h"].name == "rnn/h"
    assert copies.producers["rnn/sequence"].kind == "pack"


@pytest.mark.parametrize("scheme", [lambda graph: graph, to_float16, to_dynamic])
@pytest.mark.parametrize("reset_after", [True, False])
def test_weights_are_there_once(scheme, reset_after):
    operator = Gru(units=16, reset_after=reset_after)
    few, many = (scheme(recurrent_graph(operator, steps=steps)) for steps in (2, 7))

    def constants(graph):
        return [t for t in unrolled(graph).tensors.values() if t.is_constant]

    assert len(constants(few)) == len(constants(many))
    dequantized = Counter(op.kind for op in unrolled(many).ops)["dequantize"]
    assert dequantized == Counter(op.kind for op in unrolled(few).ops)["dequantize"]
    inputs = recurrent_inputs(many, steps=7)
    assert_close(values(unrolled(many), inputs), values(to_loops(many), inputs), 0)


def test_open_length_stays_a_loop():
    graph = to_loops(recurrent_graph(Lstm(units=5)))
    assert to_copies(graph) is graph
    assert ops_of_copies(graph) == 0


def test_two_loops_of_the_same_cell():
    """A shared layer: both have their copies, and outputs of the first feed the second."""
    builder = GraphBuilder("twice")
    cell = GraphBuilder("cell")
    x, h = cell.input("x", (None, 3)), cell.input("h", (None, 3))
    y = cell.add(Relu(), [cell.add(Add(), [x, h], "cell/sum")], "cell/next")
    scan = Scan(cell.finish({"h": y, "y": y}))
    name = builder.input("x", (None, 4, 3))
    for index in range(2):
        state, name = builder.add_multiple(scan, [name], [f"h{index}", f"y{index}"])
    graph = builder.finish({"y": name, "h": state})
    inputs = {"x": np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")}
    copies = to_copies(graph)
    assert_close(values(copies, inputs), values(graph, inputs), 0)
    assert_close(values(copies, inputs), run(copies, inputs, DEFAULT))


def test_states_that_no_op_makes():
    """One that stays what it is, two that are the same, one that is the input's last step."""
    cell = GraphBuilder("cell")
    x = cell.input("x", (None, 3))
    kept, *_ = (cell.input(name, (None, 3)) for name in ("a", "b", "c", "d"))
    y = cell.add(Add(), [x, kept], "cell/sum")
    scan = Scan(cell.finish({"a": kept, "b": y, "c": y, "d": x}), zero_state=False)
    builder = GraphBuilder("net")
    inputs = [builder.input("x", (None, 4, 3))]
    inputs += [builder.input(f"{name}0", (None, 3)) for name in "abcd"]
    names = builder.add_multiple(scan, inputs, list("ABCD"))
    doubled = [builder.add(Add(), [name, name], f"2{name}") for name in names]
    graph = builder.finish({name: name for name in (*names, *doubled)})
    data = recurrent_inputs(graph, steps=4)
    copies = to_copies(graph)
    assert_close(values(copies, data), values(graph, data), 0)


@pytest.mark.parametrize("batch", [None, 2], ids=["open", "fixed"])
@pytest.mark.parametrize("state", ["int8", "int16"])
def test_integers(state, batch):
    """Quantised states begin with their zero point; outputs keep the loop's parameters."""
    of_x = Quantization.per_tensor(0.02, 11)
    of_state = (
        Quantization.per_tensor(0.05, -7) if state == "int8" else Quantization.per_tensor(1e-4)
    )
    cell = GraphBuilder("cell")
    x, h = cell.input("x", (None, 3), "int8"), cell.input("h", (None, 3), state)

    def with_(builder, name, quantization):
        builder.tensors[name] = builder.tensors[name].with_(quantization=quantization)
        return name

    with_(cell, x, of_x), with_(cell, h, of_state)
    if state == "int16":
        x = with_(cell, cell.add(Quantize("int16"), [x], "cell/wide"), of_state)
    half = cell.constant("half", np.int8(64) if state == "int8" else np.int16(64),
                         Quantization.per_tensor(1 / 128))  # fmt: skip
    total = with_(cell, cell.add(Add(), [x, h], "cell/sum"), of_state)
    y = with_(cell, cell.add(Mul(), [total, half], "cell/next"), of_state)
    builder = GraphBuilder("net")
    x = with_(builder, builder.input("x", (batch, 5, 3), "int8"), of_x)
    names = builder.add_multiple(Scan(cell.finish({"h": y, "y": y})), [x], ["h", "y"])
    for name in names:
        with_(builder, name, of_state)
    graph = builder.finish({name: name for name in names})
    rng = np.random.default_rng(0)
    inputs = {"x": rng.integers(-128, 127, (2, 5, 3), np.int8, endpoint=True)}
    copies = to_copies(graph)
    assert all(copies.tensors[name].quantization == of_state for name in names)
    expected = values(graph, inputs)
    assert_close(values(copies, inputs), expected, 0)
    assert_close(run(copies, inputs), expected, 0)


def test_open_batch_of_bytes():
    """Sequences that are no real numbers still give the batch of the first state."""
    cell = GraphBuilder("cell")
    x, h = cell.input("x", (None, 3), "bool"), cell.input("h", (None, 3))
    from edgenn.ir.ops import Cast

    y = cell.add(Add(), [cell.add(Cast("float32"), [x], "cell/number"), h], "cell/next")
    builder = GraphBuilder("net")
    x = builder.input("x", (None, 4, 3), "bool")
    names = builder.add_multiple(Scan(cell.finish({"h": y, "y": y})), [x], ["h", "y"])
    graph = builder.finish({name: name for name in names})
    inputs = recurrent_inputs(graph, steps=4)
    copies = to_copies(graph)
    assert_close(values(copies, inputs), values(graph, inputs), 0)
    assert_close(run(copies, inputs, DEFAULT), values(graph, inputs), 0)


def test_count_of_a_long_sequence_is_quick():
    graph = recurrent_graph(Lstm(units=5), steps=10_000)
    assert ops_of_copies(graph) > 100_000


def test_metadata_stays():
    graph = replace(recurrent_graph(Lstm(units=5), steps=3), metadata={"key": 1})
    assert unrolled(graph).metadata == {"key": 1}
