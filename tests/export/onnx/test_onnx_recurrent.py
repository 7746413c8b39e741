"""Recurrent operators as ONNX's own: NumPy's evaluation is the witness, ONNX Runtime runs them."""

from dataclasses import replace
from itertools import product

import numpy as np
import onnx
import pytest
from support.onnx_files import checked, kinds, run
from support.recurrent import (
    activation,
    assert_close,
    recurrent_graph,
    recurrent_inputs,
    with_activations,
)

from edgenn.export.onnx.recurrent.activations import ACTIVATIONS
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Gru, Lstm, Recurrent, SimpleRnn
from edgenn.lowering.recurrent.native import NATIVE_ACTIVATIONS, to_native
from edgenn.quantization.weights import to_dynamic, to_float16

OPERATORS: dict[str, Recurrent] = {
    "lstm": Lstm(units=5),
    "gru": Gru(units=5),
    "gru_reset_before": Gru(units=5, reset_after=False),
    "rnn": SimpleRnn(units=5),
}
SETTINGS = {
    "plain": {},
    "reverse": {"reverse": True},
    "initial": {"initial": True},
    "reverse_initial": {"reverse": True, "initial": True},
    "masked": {"masked": True},
    "masked_reverse": {"masked": True, "reverse": True},
    "masked_zeros": {"masked": True, "zero_output_for_mask": True},
    "masked_reverse_zeros": {"masked": True, "reverse": True, "zero_output_for_mask": True},
}
NODES = {"LSTM", "GRU", "RNN"}
LOOPS = {"Loop", "Scan", "If"}


def assert_equals(graph: Graph, *, batch: int = 4, steps: int = 6, tolerance: float = 2e-6):
    """Evaluation and ONNX Runtime agree; gives the nodes of the file."""
    native = to_native(graph)
    inputs = recurrent_inputs(graph, batch=batch, steps=steps)
    results = evaluate(graph, inputs)
    expected = {public: results[name] for public, name in graph.outputs.items()}
    assert_close(expected, run(native, inputs), tolerance)
    return kinds(checked(native))


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", OPERATORS)
def test_one_node(name, setting):
    operator = replace(OPERATORS[name], **SETTINGS[setting])
    nodes = assert_equals(recurrent_graph(operator))
    assert sum(nodes[kind] for kind in NODES) == 1
    assert not LOOPS.intersection(nodes)


@pytest.mark.parametrize(("batch", "steps"), list(product([None, 1, 4], [None, 1, 6])))
@pytest.mark.parametrize("name", OPERATORS)
def test_open_and_fixed_sizes(name, batch, steps):
    """Sizes of 1 take reshapes in place of transposes; both directions of time."""
    for reverse in (False, True):
        operator = replace(OPERATORS[name], reverse=reverse)
        graph = recurrent_graph(operator, batch=batch, steps=steps)
        nodes = assert_equals(graph, batch=batch or 3, steps=steps or 7)
        assert nodes["Transpose"] == (0 if batch == 1 or steps == 1 else 2)


@pytest.mark.parametrize("outputs", [("sequence",), ("h",), ("c", "h"), ("c",), ("h", "sequence")])
def test_only_what_is_read(outputs):
    graph = recurrent_graph(Lstm(units=5), outputs=outputs)
    assert_equals(graph)
    (node,) = [n for n in onnx.load_from_string(checked(graph)).graph.node if n.op_type == "LSTM"]
    named = dict(zip(("sequence", "h", "c"), node.output, strict=False))
    assert {name for name, value in named.items() if value} == set(outputs)


@pytest.mark.parametrize("name", OPERATORS)
def test_masks_row_by_row(name):
    """Every mask of five steps, one a row; from zero states and with rows that keep nothing."""
    masks = np.array(list(product([False, True], repeat=5)))
    x = np.random.default_rng(2).normal(size=(len(masks), 5, 3)).astype("float32")
    for reverse, zeros in product([False, True], repeat=2):
        operator = replace(
            OPERATORS[name], masked=True, reverse=reverse, zero_output_for_mask=zeros
        )
        graph = recurrent_graph(operator)
        inputs = {"x": x, "mask": masks}
        results = evaluate(graph, inputs)
        expected = {public: results[tensor] for public, tensor in graph.outputs.items()}
        assert_close(expected, run(graph, inputs), 2e-6)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", OPERATORS)
def test_states_of_masked_rows_with_initial_states(name, reverse):
    """A row that keeps no step keeps its initial state, where ONNX Runtime gives zeros."""
    operator = replace(OPERATORS[name], masked=True, initial=True, reverse=reverse)
    assert_equals(recurrent_graph(operator, outputs=("h", "c")))


def test_empty_batch_of_masks():
    """All rows masked."""
    graph = recurrent_graph(Gru(units=5, masked=True, initial=True))
    inputs = recurrent_inputs(graph)
    inputs["mask"][:] = False
    outputs = run(graph, inputs)
    np.testing.assert_array_equal(outputs["sequence"], 0)
    np.testing.assert_array_equal(outputs["h"], inputs["h0"])


FUNCTIONS = {
    "tanh": (),
    "sigmoid": (),
    "relu": (),
    "linear": (),
    "hard_sigmoid": (1 / 6, 0.5),
    "elu": (1.0,),
    "leaky_relu": (0.3,),
    "softsign": (),
}


CHOICES = [
    (name, cell, gate)
    for name, cell, gate in product(OPERATORS, FUNCTIONS, FUNCTIONS)
    if name != "rnn" or gate == "tanh"  # a simple RNN has no gates
]


@pytest.mark.parametrize(("name", "cell", "gate"), CHOICES)
def test_activations(name, cell, gate):
    operator = with_activations(
        OPERATORS[name], activation(cell, *FUNCTIONS[cell]), activation(gate, *FUNCTIONS[gate])
    )
    nodes = assert_equals(recurrent_graph(operator, steps=3), steps=3, tolerance=1e-5)
    assert sum(nodes[kind] for kind in NODES) == 1


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("batch", [1, 64])
def test_functions_far_from_zero(function, batch):
    """ONNX Runtime approximates some; none is off by more than 1e-6, however large its input."""
    operator = SimpleRnn(units=1, activation=activation(function, *FUNCTIONS[function]))
    graph = recurrent_graph(operator, features=1)
    tensors = dict(graph.tensors)
    for name, value in (("kernel", 1), ("recurrent_kernel", 0), ("bias", 0)):
        tensor = tensors[f"rnn/{name}"]
        tensors[tensor.name] = tensor.with_(data=np.full(tensor.shape, value, np.float32))
    graph = graph.with_(tensors=tensors)
    near, far = np.linspace(-12, 12, 6400), np.geomspace(12, 1e4, 3200)
    x = np.concatenate([near, far, -far]).astype("float32").reshape(batch, -1, 1)
    results = evaluate(graph, {"x": x})[graph.outputs["sequence"]]
    theirs = run(graph, {"x": x})["sequence"]
    assert (np.abs(theirs - results) <= 1e-6 * np.maximum(1, np.abs(results))).all()


def test_the_lowering_and_the_writer_know_the_same_activations():
    assert NATIVE_ACTIVATIONS.keys() == ACTIVATIONS.keys() == FUNCTIONS.keys()
    assert {name: len(values) for name, values in FUNCTIONS.items()} == dict(NATIVE_ACTIVATIONS)


@pytest.mark.parametrize("setting", ["plain", "masked_reverse"])
@pytest.mark.parametrize("name", OPERATORS)
def test_other_activations_take_copies_or_a_scan(name, setting):
    operator = replace(OPERATORS[name], **SETTINGS[setting])
    operator = with_activations(operator, activation("custom"), activation("sigmoid"))
    nodes = assert_equals(recurrent_graph(operator, steps=6))
    assert not (LOOPS | NODES).intersection(nodes)
    nodes = assert_equals(recurrent_graph(operator))
    assert nodes["Scan"] == 1
    assert not {"Loop", *NODES}.intersection(nodes)


@pytest.mark.parametrize("scheme", [to_float16, to_dynamic])
@pytest.mark.parametrize("name", OPERATORS)
def test_small_weights(name, scheme):
    """Half and quarter of the bytes; the numbers are those of the rounded weights."""
    operator = replace(OPERATORS[name], units=32)
    graph = recurrent_graph(operator, features=64)
    assert_equals(scheme(graph))
    share = {to_float16: 0.5, to_dynamic: 0.25}[scheme]
    weights = operator.gates * operator.units * (64 + 32)
    sizes = {
        letter: tensor.raw_data
        for tensor in onnx.load_from_string(checked(scheme(graph))).graph.initializer
        if (letter := tensor.name.rpartition("/")[2]) in "WR"
    }
    assert sum(map(len, sizes.values())) == 4 * weights * share
    assert len(checked(scheme(graph))) < len(checked(graph)) * (share + 0.15)


def test_same_bytes():
    graph = recurrent_graph(Lstm(units=5, masked=True))
    assert checked(graph) == checked(graph)
