"""LSTMs as TFLite's fused op: the same numbers as the loop, masks of any pattern included."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.litert import DEFAULT, run
from support.recurrent import (
    activation,
    add_recurrent,
    assert_close,
    recurrent_graph,
    recurrent_inputs,
)
from support.shapes import few

from edgenn.errors import UnsupportedError
from edgenn.ir.builder import GraphBuilder
from edgenn.ir.evaluator import evaluate
from edgenn.ir.graph import Graph
from edgenn.ir.ops import Gru, Lstm, SimpleRnn
from edgenn.ir.ops.fused_lstm import LOOP_STATES, FusedLstm
from edgenn.lowering.recurrent.fused import require_integer_kernel, to_fused

OUTPUTS = ("sequence", "h")
OPERATORS = {
    "plain": Lstm(units=5),
    "reversed": Lstm(units=5, reverse=True),
    "relu": Lstm(units=5, activation=activation("relu")),
    "masked": Lstm(units=5, masked=True),
    "masked_reversed": Lstm(units=5, masked=True, reverse=True),
    "masked_zeros": Lstm(units=5, masked=True, zero_output_for_mask=True),
    "masked_zeros_reversed": Lstm(units=5, masked=True, zero_output_for_mask=True, reverse=True),
    "one_unit": Lstm(units=1, masked=True),
}


def values(graph: Graph, inputs):
    results = evaluate(graph, inputs)
    return {public: results[name] for public, name in graph.outputs.items()}


@pytest.mark.parametrize("sizes", [(None, None), (4, 6), (None, 6), (4, None)], ids=str)
@pytest.mark.parametrize("name", OPERATORS)
def test_equals_the_operator(name, sizes):
    graph = recurrent_graph(OPERATORS[name], batch=sizes[0], steps=sizes[1], outputs=OUTPUTS)
    fused = to_fused(graph)
    assert [op.kind for op in fused.ops].count("fused_lstm") == 1
    inputs = recurrent_inputs(graph)
    expected = values(graph, inputs)
    assert_close(values(fused, inputs), expected)
    assert_close(run(fused, inputs, DEFAULT), expected)
    assert_close(run(fused, inputs), expected)


@few
@given(st.data())
def test_any_mask(data):
    batch, steps = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 7))
    operator = Lstm(
        units=3,
        masked=True,
        reverse=data.draw(st.booleans()),
        zero_output_for_mask=data.draw(st.booleans()),
    )
    graph = recurrent_graph(operator, outputs=OUTPUTS)
    inputs = recurrent_inputs(graph, batch=batch, steps=steps)
    rows = st.lists(st.booleans(), min_size=steps, max_size=steps)
    inputs["mask"] = np.array([data.draw(rows) for _ in range(batch)])
    assert_close(values(to_fused(graph), inputs), values(graph, inputs))


@pytest.mark.parametrize("outputs", [("sequence",), ("h",)])
def test_only_what_is_read(outputs):
    graph = recurrent_graph(Lstm(units=5), steps=4, outputs=outputs)
    kinds = [op.kind for op in to_fused(graph).ops]
    assert kinds == ["fused_lstm"] + ["strided_slice"] * ("h" in outputs)


def test_layers_share_what_a_mask_says():
    """Both directions of two layers: the steps of the mask are found twice, not four times."""
    builder = GraphBuilder("net")
    x = builder.input("x", (None, None, 3))
    mask = builder.input("mask", (None, None), "bool")
    outputs = {}
    for reverse in (False, True):
        lstm = Lstm(units=4, masked=True, reverse=reverse)
        y = x
        for layer in range(2):
            scope = f"layer_{layer}_{reverse}"
            y, *_ = add_recurrent(builder, lstm, y, [mask], scope=scope, seed=layer)
        outputs[f"y_{reverse}"] = y
    graph = builder.finish(outputs)
    fused = to_fused(graph)
    kinds = [op.kind for op in fused.ops]
    assert kinds.count("fused_lstm") == 4
    assert kinds.count("arg_max") == 2
    inputs = recurrent_inputs(graph)
    assert_close(values(fused, inputs), values(graph, inputs))


@pytest.mark.parametrize("name", OPERATORS)
def test_names_are_those_of_the_layer(name):
    fused = to_fused(recurrent_graph(OPERATORS[name], steps=6, outputs=OUTPUTS))
    assert dict(fused.outputs) == {"sequence": "rnn/sequence", "h": "rnn/h"}
    (op,) = (op for op in fused.ops if isinstance(op.operator, FusedLstm))
    ((output, states),) = fused.metadata[LOOP_STATES].items()
    assert output == op.output
    states_of_masks = ("rnn/sequence/cell/kept_h", "rnn/sequence/cell/kept_c")
    of_steps = ("rnn/sequence/cell/hidden", "rnn/sequence/cell/cell")
    assert states == (states_of_masks if OPERATORS[name].masked else of_steps)


REFUSED = {
    "TFLite has no fused GRU": Gru(units=5),
    "TFLite has no fused SimpleRNN": SimpleRnn(units=5),
    "its activation is elu": Lstm(units=5, activation=activation("elu", 1.0)),
    "its recurrent activation is relu": Lstm(units=5, recurrent_activation=activation("relu")),
    "initial states": Lstm(units=5, initial=True),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused(reason):
    graph = recurrent_graph(REFUSED[reason], steps=6, outputs=OUTPUTS)
    with pytest.raises(UnsupportedError, match=reason) as caught:
        to_fused(graph)
    assert caught.value.message.startswith("rnn: ")
    assert "--rnn loop" in caught.value.hint
    assert caught.value.exit_code == 3


def test_in_integers_there_is_tanh_only():
    graph = recurrent_graph(OPERATORS["relu"], steps=6, outputs=OUTPUTS)
    with pytest.raises(UnsupportedError, match="rnn: its activation is relu"):
        require_integer_kernel(graph)
    require_integer_kernel(recurrent_graph(OPERATORS["plain"], outputs=OUTPUTS))


def test_final_cell_state_is_refused():
    graph = recurrent_graph(Lstm(units=5), outputs=("h", "c"))
    with pytest.raises(UnsupportedError, match="rnn: the fused op keeps its cell state to itself"):
        to_fused(graph)


def test_metadata_stays():
    graph = replace(recurrent_graph(Lstm(units=5), outputs=("h",)), metadata={"key": 1})
    assert to_fused(graph).metadata["key"] == 1
