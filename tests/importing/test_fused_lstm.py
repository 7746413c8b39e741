"""UNIDIRECTIONAL_SEQUENCE_LSTM read back. Witness: LiteRT's reference kernel."""

from dataclasses import replace

import numpy as np
import pytest
from support.altered import altered
from support.fused_lstm import float_weights, lstm_graph, sequences
from support.read_back import assert_read_back, assert_same_border

from edgenn.errors import UnsupportedError
from edgenn.export.tflite.exporter import to_tflite
from edgenn.importing import read_tflite_graph
from edgenn.ir.operator import InputRounding
from edgenn.ir.ops.fused_lstm import FusedLstm, LstmActivation
from edgenn.ir.tensor import Quantization
from edgenn.quantization.fused_lstm import dynamic_weights, integer_weights
from edgenn.quantization.weights import to_float16

FEATURES, UNITS, STEPS = 5, 4, 7
X = sequences(np.random.default_rng(0), 3, STEPS, FEATURES)


def weights():
    return float_weights(np.random.default_rng(1), FEATURES, UNITS, 0.7)


@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize("activation", LstmActivation)
def test_float(activation, batch):
    graph = lstm_graph(FusedLstm(activation, 0.5), (batch, STEPS, FEATURES), weights())
    read = assert_read_back(to_tflite(graph), {"x": X})
    assert_same_border(read, graph)
    assert [op.operator for op in read.ops] == [op.operator for op in graph.ops]


@pytest.mark.parametrize("rounding", [InputRounding.ASYMMETRIC, InputRounding.SYMMETRIC])
def test_int8_weights_and_real_activations(rounding):
    lstm = FusedLstm(input_rounding=rounding)
    graph = lstm_graph(lstm, (None, STEPS, FEATURES), dynamic_weights(weights()))
    read = assert_read_back(to_tflite(graph), {"x": X})
    assert read.ops[-1].operator == lstm


def test_float16_weights():
    graph = to_float16(lstm_graph(FusedLstm(), (None, STEPS, FEATURES), weights()))
    assert_read_back(to_tflite(graph), {"x": X})


@pytest.mark.parametrize("exponent", [-12, -11])
def test_integers(exponent):
    x, y = Quantization.per_tensor(0.03, 5), Quantization.per_tensor(0.007, -3)
    lstm = FusedLstm(cell_exponent=exponent)
    graph = lstm_graph(lstm, (None, STEPS, FEATURES), integer_weights(weights(), x), x, y)
    read = assert_read_back(to_tflite(graph), {"x": x.quantize(X, "int8")})
    assert_same_border(read, graph)
    assert read.ops[-1].operator == lstm


def changed(change, batch_first: bool = True) -> bytes:
    """A file with the op and the subgraph around it changed."""
    sizes = (3, STEPS) if batch_first else (STEPS, 3)
    graph = lstm_graph(FusedLstm(), (*sizes, FEATURES), weights())

    def change_op(model):
        (main,) = model.subgraphs
        (op,) = main.operators
        op.inputs = list(op.inputs)
        change(op, main)

    return altered(to_tflite(graph), change_op)


def test_time_before_batch():
    def change(op, main):
        op.builtinOptions.timeMajor = True
        for tensor in main.tensors:
            if tensor.isVariable:
                tensor.shape = [3, UNITS]

    x = np.ascontiguousarray(np.swapaxes(X, 0, 1))
    assert_read_back(changed(change, batch_first=False), {"x": x})


@pytest.mark.parametrize(("place", "words"), [
    (9, "peephole"), (16, "projection"), (20, "layer normalisation"),
])  # fmt: skip
def test_what_the_operator_has_not_is_refused(place, words):
    def change(op, _):
        op.inputs[place] = op.inputs[12]

    with pytest.raises(UnsupportedError, match=f"UNIDIRECTIONAL_SEQUENCE_LSTM.*{words}.*'y0'"):
        read_tflite_graph(changed(change))


def test_coupled_gates_are_refused():
    def change(op, _):
        op.inputs[1] = op.inputs[5] = -1

    with pytest.raises(UnsupportedError, match="coupled"):
        read_tflite_graph(changed(change))


def test_the_rounding_is_written():
    graph = lstm_graph(FusedLstm(), (None, STEPS, FEATURES), dynamic_weights(weights()))
    read = read_tflite_graph(to_tflite(graph))
    (op,) = (op for op in read.ops if isinstance(op.operator, FusedLstm))
    assert op.operator == replace(FusedLstm(), input_rounding=InputRounding.ASYMMETRIC)
